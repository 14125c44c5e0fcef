"""The daily series that claims may name, so that a wrong name is refused with its line.

A test holds them against what instruments and market really show.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from simulator.scenario.models import Instruments

STO = ("payments", "declared", "returned")
FACTORS = (
    "real_rate",
    "nominal_rate",
    "inflation",
    "real_rate_ex_post",
    "central_bank_purchases",
    "central_bank_sales",
    "central_bank_net",
    "silver_demand",
    "silver_supply",
    "copper_demand",
    "copper_supply",
    "silver_gap",
    "copper_gap",
    "liquidity",
    "regime",
    "bitcoin_dominance",
    "rotation",
)
"""What model macro has beside prices; the other models have none."""


def observables(instruments: Instruments) -> dict[str, tuple[str, ...]]:
    """Return what each instrument shows day by day beside its worth, by its name."""
    found = dict.fromkeys(instruments.assets(), tuple[str, ...]())
    for name in ("gold_token", "silver_token"):
        terms = instruments.token(name)
        if terms is not None:
            sector = ("sector_value_usd",) if terms.sector_value_usd is not None else ()
            found[name] = ("market_value_usd", *sector)
    if instruments.gold_vault is not None:
        found["gold_vault"] = ("utilisation",)
    found |= dict.fromkeys((*instruments.mining_sto, *instruments.revenue_staking), STO)
    for label, cover in instruments.price_cover.items():
        pool, miner, bare = cover.names(label)
        found[pool] = ("utilisation", "missing_usd")
        found[miner] = ("premiums_usd", "payouts_usd", "fair_value_usd", "period_cash_usd")
        found[bare] = ("period_cash_usd",)
    return found


def one_of(name: str, known: Collection[str], what: str) -> str:
    """Return the rule that `name` breaks: `must be <what>`, and the nearest names or all."""
    near = get_close_matches(name, known, n=3, cutoff=0.5)
    if near:
        return f"must be {what}; did you mean {' or '.join(near)}?"
    return f"must be {what}: {', '.join(known) or 'there is none'}"
