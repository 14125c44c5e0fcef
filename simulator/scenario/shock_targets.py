"""What of the market a shock can hit, and what it must say of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from simulator.instruments.terms import Amount
from simulator.schema.assets import USDC, class_of

VOLATILITY, CORRELATION, FEED = "volatility", "correlation", "feed"
HOURS, GAS, FACTOR = "hours", "gas", "factor"

SHOCKED_FACTORS = ("real_rate", "nominal_rate", "liquidity")
"""Factors of model macro that a shock can move, and prices with them."""

Whose = Literal["each", "each and all", "metals", "all", "factors"]


@dataclass(frozen=True)
class Family:
    """A family of targets: the first word of their name.

    Attributes
    ----------
    amounts : tuple of str
        Fields of which one says how much, or what; none where there is nothing to say.
    whose : Whose
        What stands behind the first word: any asset, a metal, a factor, or nothing.
    is_certain : bool
        Whether it holds on all paths alike, so that no condition or share decides.
    """

    amounts: tuple[Amount | Literal["feed", "by"], ...]
    whose: Whose = "all"
    is_certain: bool = False


FAMILIES: Mapping[str, Family] = {
    "price": Family(("size", "at"), "each"),
    VOLATILITY: Family(("times",), "each and all"),
    CORRELATION: Family(("size",)),
    USDC: Family(("size", "at")),
    FEED: Family(("size", "at", "feed"), "metals"),
    HOURS: Family((), is_certain=True),
    FACTOR: Family(("by",), "factors"),
    GAS: Family(("times", "at"), is_certain=True),
}


def targets(assets: Collection[str]) -> list[str]:
    """Return everything of a market of these assets that a shock can hit."""
    found: list[str] = []
    for name, family in FAMILIES.items():
        if family.whose == "factors":
            found += [f"{name}.{factor}" for factor in SHOCKED_FACTORS]
        elif family.whose != "all":
            found += [f"{name}.{a}" for a in assets if family.whose != "metals" or _is_metal(a)]
        if family.whose in ("all", "each and all"):
            found.append(name)
    return found


def _is_metal(asset: str) -> bool:
    return class_of(asset) == "metals"
