"""Which column of a table is which macro series, in which unit."""

from __future__ import annotations

from typing import NamedTuple


class Indicator(NamedTuple):
    """A macro series: what it is, its unit, and whether it must be above 0."""

    name: str
    unit: str
    positive: bool = False


INDICATORS = {
    "real_yield_10y_pct": Indicator("real_yield", "%"),
    "nominal_yield_10y_pct": Indicator("nominal_yield", "%"),
    "breakeven_inflation_10y_pct": Indicator("breakeven", "%"),
    "us_cpi_index": Indicator("cpi", "index", positive=True),
    "cpi_index": Indicator("cpi", "index", positive=True),
    "fed_funds_pct": Indicator("fed_funds", "%"),
    "us_m2_billion_usd": Indicator("m2", "billion USD", positive=True),
    "m2_billion_usd": Indicator("m2", "billion USD", positive=True),
    "net_purchases_tonnes": Indicator("central_banks_net", "tonnes/year"),
    "central_banks_net_t": Indicator("central_banks_net", "tonnes/year"),
}
"""Columns by their name in a file."""

TEXT_COLUMNS = {"source", "note", "comment"}
"""Columns that are read past."""


def is_no_price(name: str) -> bool:
    """Return whether a column is known and holds no prices."""
    return name in INDICATORS or name in TEXT_COLUMNS
