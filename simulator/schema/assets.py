"""Names of what has a price: the assets of a market, and the dollar that all is settled in."""

from __future__ import annotations

from typing import Literal

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

USDC = "usdc"
"""The market's price of the dollar in which everything on chain is settled, if it is one."""
