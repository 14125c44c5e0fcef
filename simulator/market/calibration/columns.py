"""Which column of a price table is which asset, in which unit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

GRAMS_PER_OUNCE = 31.103_476_8
POUNDS_PER_TONNE = 2_204.622_621_85


class Quotation(NamedTuple):
    """The unit an asset is kept in, and how many of each quoted unit go into it."""

    unit: str
    factors: dict[str, float]
    default: str | None


_OUNCES = {"oz": 1.0, "g": GRAMS_PER_OUNCE, "kg": GRAMS_PER_OUNCE / 1000}
QUOTATIONS = {
    "gold": Quotation("oz", _OUNCES, default="oz"),
    "silver": Quotation("oz", _OUNCES, default="oz"),
    # Pounds and tonnes are both common and 2,205 apart, so a copper column must say which.
    "copper": Quotation(
        "tonne", {"tonne": 1.0, "kg": 1000.0, "lb": POUNDS_PER_TONNE}, default=None
    ),
}

_NAME = re.compile(
    r"(?P<asset>[a-z]+)(_(close|price|settle|spot|futures))?(_usd(_per_(?P<unit>[a-z]+))?)?"
)
_EXAMPLES = "gold_usd_per_oz, silver_usd_per_oz, copper_usd_per_lb or copper_usd_per_tonne"


@dataclass(frozen=True)
class Column:
    """A price column: `factor` turns its prices into US dollars per `unit`."""

    name: str
    asset: str
    quoted_unit: str
    unit: str
    factor: float


def parse_column(name: str) -> Column | str:
    """Return what a column holds, or the rule that its name breaks.

    The name is an asset, what kind of price it is, and its unit: `gold`, `gold_close_usd`,
    `copper_usd_per_lb`. Anything more makes it another thing (`gold_miners_etf`).
    """
    match = _NAME.fullmatch(name)
    quotation = QUOTATIONS.get(match["asset"]) if match else None
    if match is None or quotation is None:
        return f"unknown column; must be date, {_EXAMPLES}"
    unit = match["unit"] or quotation.default
    if unit not in quotation.factors:
        known = " or ".join(f"{match['asset']}_usd_per_{unit}" for unit in quotation.factors)
        return f"must name its unit: {known}"
    return Column(name, match["asset"], unit, quotation.unit, quotation.factors[unit])
