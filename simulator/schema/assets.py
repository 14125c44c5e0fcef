"""Names of what has a price: the assets of a market, and the dollar that all is settled in."""

from __future__ import annotations

from typing import Literal, get_args

Asset = Literal[
    "gold",
    "silver",
    "copper",
    "bitcoin",
    "altcoins",
    "big_tech",
    "small_caps",
    "gold_miners",
    "copper_miners",
    "treasury_bills",
]
"""The assets of a market, each with its own stream of shocks."""

AssetClass = Literal["metals", "securities", "coins"]
"""Assets whose tails are the same: each class has degrees of freedom of its own."""
CLASSES: tuple[AssetClass, ...] = get_args(AssetClass)

LEVELLED = ("gold", "silver", "copper", "bitcoin")
"""Assets whose price is the same everywhere; that of a fund's share or an index is not."""

USDC = "usdc"
"""The market's price of the dollar in which everything on chain is settled, if it is one."""


def class_of(asset: str) -> AssetClass:
    """Return the class of `asset`, a lower-case name such as "gold"."""
    if asset in ("gold", "silver", "copper"):
        return "metals"
    return "coins" if asset in ("bitcoin", "altcoins") else "securities"
