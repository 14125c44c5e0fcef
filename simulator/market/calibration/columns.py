"""Which column of a table is which asset, in which unit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from simulator.units import POUNDS_PER_TONNE

GRAMS_PER_OUNCE = 31.103_476_8


class Quotation(NamedTuple):
    """The unit an asset is kept in, and how many of each quoted unit go into it."""

    unit: str
    factors: dict[str, float]
    default: str | None


_OUNCES = {"oz": 1.0, "g": GRAMS_PER_OUNCE, "kg": GRAMS_PER_OUNCE / 1000}
_COIN = Quotation("coin", {"coin": 1.0}, default="coin")
_SHARE = Quotation("share", {"share": 1.0}, default="share")
_INDEX = Quotation("index", {"index": 1.0}, default="index")

QUOTATIONS = {
    "gold": Quotation("oz", _OUNCES, default="oz"),
    "silver": Quotation("oz", _OUNCES, default="oz"),
    # Pounds and tonnes are both common and 2,205 apart, so a copper column must say which.
    "copper": Quotation(
        "tonne", {"tonne": 1.0, "kg": 1000.0, "lb": POUNDS_PER_TONNE}, default=None
    ),
    "bitcoin": _COIN,
    "altcoins": _INDEX,
    "big_tech": _SHARE,
    "small_caps": _SHARE,
    "gold_miners": _SHARE,
    "copper_miners": _SHARE,
    "treasury_bills": _INDEX,
}
"""The assets of the market, in its order."""

COINS = {"eth", "sol", "ada", "xrp", "ltc", "bnb", "link"}
"""Coins that together make the altcoins: an equal-weight basket, rebalanced daily."""

NOT_FITTED = {"paxg", "large_caps"}
"""Known columns that no asset of the market is fitted to."""

ALIASES = {
    "btc": "bitcoin",
    "qqq": "big_tech",
    "small_cap": "small_caps",
    "iwm": "small_caps",
    "gdx": "gold_miners",
    "copx": "copper_miners",
    "t_bills": "treasury_bills",
    "ether": "eth",
    "ethereum": "eth",
    "solana": "sol",
    "cardano": "ada",
    "ripple": "xrp",
    "litecoin": "ltc",
    "chainlink": "link",
    "pax_gold": "paxg",
    "large_cap": "large_caps",
    "spy": "large_caps",
}

_NAME = re.compile(
    r"(?P<asset>[a-z_]+?)(_(close|price|settle|spot|futures|etf|fund))?(_usd(_per_(?P<unit>[a-z]+))?)?"
)
_EXAMPLES = (
    "gold_usd_per_oz, silver_usd_per_oz, copper_usd_per_lb or copper_usd_per_tonne, btc_usd, "
    "eth_usd and other coins, big_tech_etf, small_cap_etf, gold_miners_etf, copper_miners_etf"
)


@dataclass(frozen=True)
class Column:
    """A price column: `factor` turns its prices into US dollars per `unit`."""

    name: str
    asset: str
    quoted_unit: str
    unit: str
    factor: float

    @property
    def is_coin(self) -> bool:
        """Return whether the column is a part of the altcoins."""
        return self.asset in COINS

    @property
    def is_fitted(self) -> bool:
        """Return whether the column's own figures are wanted."""
        return self.asset in QUOTATIONS


def parse_column(name: str) -> Column | str:
    """Return what a column holds, or the rule that its name breaks.

    The name is an asset, what kind of price it is, and its unit: `gold`, `gold_close_usd`,
    `copper_usd_per_lb`, `big_tech_etf`. Anything more makes it another thing
    (`gold_lease_rate`).
    """
    match = _NAME.fullmatch(name)
    asset = ALIASES.get(match["asset"], match["asset"]) if match else ""
    quotation = _quotation(asset)
    if match is None or quotation is None:
        return f"unknown column; must be date, {_EXAMPLES}"
    unit = match["unit"] or quotation.default
    if unit not in quotation.factors:
        known = " or ".join(f"{match['asset']}_usd_per_{unit}" for unit in quotation.factors)
        return f"must name its unit: {known}"
    return Column(name, asset, unit, quotation.unit, quotation.factors[unit])


def _quotation(asset: str) -> Quotation | None:
    if asset in COINS or asset == "paxg":
        return _COIN
    if asset in NOT_FITTED:
        return _SHARE
    return QUOTATIONS.get(asset)
