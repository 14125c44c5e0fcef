"""The factors that claims may name, and what to say of a name that is not there.

A test holds them against what the market really shows.
"""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches

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


def one_of(name: str, known: Collection[str], what: str) -> str:
    """Return the rule that `name` breaks: `must be <what>`, and the nearest names or all."""
    near = get_close_matches(name, known, n=3, cutoff=0.5)
    if near:
        return f"must be {what}; did you mean {' or '.join(near)}?"
    return f"must be {what}: {', '.join(known) or 'there is none'}"
