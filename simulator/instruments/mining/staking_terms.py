"""Terms of staking a mining STO: profit as a holder has it, and a share of revenue on top."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from simulator.instruments.mining.terms import MiningStoTerms, held_in_dollars
from simulator.instruments.terms import Among, InstrumentTerms, Needs, Position, stands_on
from simulator.schema.fields import Fault, Label, OpenShare, Share, Whole


class RevenueStakingTerms(InstrumentTerms):
    """Tokens of a mining STO in `revenue_staking`, from the end of the lock-up on."""

    sto: Label
    """The mining STO whose tokens are staked."""
    revenue_share: Share = 0.05
    """Share of the mine's free cash flow that stakers get on top, as far as the cap was sold."""
    staked_share: OpenShare = 0.3
    """Share of all others' tokens that is staked too, from the close of the raise on."""
    period_days: Annotated[Whole, Field(ge=1, le=366)] = 90
    """Days over which the rewards of a period flow."""

    def positions(self, label: str) -> tuple[Position, ...]:
        """Return the measured holder's stake."""
        return (held_in_dollars(label),)

    def needs(self) -> Needs:
        """Return copper, and the STO whose tokens are staked."""
        return Needs(assets=("copper",), instruments=(self.sto,))

    def faults(self, label: str, among: Among) -> list[Fault]:
        """Return the lack of the STO, and more revenue or longer periods than it leaves."""
        del label
        sto = among.instruments.get(self.sto)
        if not isinstance(sto, MiningStoTerms):
            return stands_on(self, "sto", among, MiningStoTerms, "a mining_sto")
        faults: list[Fault] = []
        payout = sto.payout
        if payout.payout_ratio + self.revenue_share > 1:
            rule = f"must be at most {1 - payout.payout_ratio:g}, what the payout ratio leaves"
            faults.append((("revenue_share",), f"{self.revenue_share:g}", rule))
        apart = 365 // payout.payments_a_year
        if self.period_days > apart:
            rule = f"must be at most {apart}, the days between two payments of {self.sto}"
            faults.append((("period_days",), f"{self.period_days}", rule))
        return faults
