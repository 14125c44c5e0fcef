"""Terms of staking a mining STO: profit as a holder has it, and a share of revenue on top."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from simulator.scenario.fields import Fault, Frozen, Label, OpenShare, Share, Whole
from simulator.scenario.mining_sto import MiningStoTerms


class RevenueStakingTerms(Frozen):
    """Tokens of a mining STO in `revenue_staking`, from the end of the lock-up on."""

    sto: Label
    """The mining STO whose tokens are staked."""
    revenue_share: Share = 0.05
    """Share of the mine's free cash flow that stakers get on top, as far as the cap was sold."""
    staked_share: OpenShare = 0.3
    """Share of all others' tokens that is staked too, from the close of the raise on."""
    period_days: Annotated[Whole, Field(ge=1, le=366)] = 90
    """Days over which the rewards of a period flow."""


def staking_faults(
    staked: Mapping[str, RevenueStakingTerms], stos: Mapping[str, MiningStoTerms]
) -> list[Fault]:
    """Return what the stakings of a scenario lack; places are seen from the scenario."""
    faults: list[Fault] = []
    for name, terms in staked.items():
        place = ("instruments", "revenue_staking", name)
        if terms.sto not in stos:
            rule = f"must be a mining_sto of this file: {', '.join(stos) or 'there is none'}"
            faults.append(((*place, "sto"), f"'{terms.sto}'", rule))
            continue
        payout = stos[terms.sto].payout
        if payout.payout_ratio + terms.revenue_share > 1:
            rule = f"must be at most {1 - payout.payout_ratio:g}, what the payout ratio leaves"
            faults.append(((*place, "revenue_share"), f"{terms.revenue_share:g}", rule))
        apart = 365 // payout.payments_a_year
        if terms.period_days > apart:
            rule = f"must be at most {apart}, the days between two payments of {terms.sto}"
            faults.append(((*place, "period_days"), f"{terms.period_days}", rule))
    return faults
