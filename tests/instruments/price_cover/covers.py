"""Price covers and copper paths for the tests of model and replay."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from simulator.instruments.base import InstrumentPaths
from simulator.instruments.gas import Gas
from simulator.instruments.price_cover.drivers import PriceCoverDrivers, draw_drivers
from simulator.instruments.price_cover.gas import HOLDER_GAS
from simulator.instruments.price_cover.paths import PriceCoverRecord, simulate
from simulator.instruments.price_cover.terms import PriceCoverTerms
from simulator.schema.gas import GasTerms
from simulator.units import LANES, trading_days

START = dt.date(2026, 1, 20)
HOLDER_USD = 10_000.0
NO_GAS = GasTerms(price_gwei=0.0)

PLAIN: dict[str, dict[str, Any]] = {
    "pool": {
        "deposits_usd": 1_990_000.0,
        "premium": {"floor": 0.02, "slope": 0.08, "ceiling": 0.10},
        "lag_days": 0,
        "window_days": 1,
    },
    "miner": {
        "tonnes_a_year": 36_500.0,
        "aisc_usd_per_tonne": 8_000.0,
        "cash_usd": 1_000_000.0,
        "tonnes": 100.0,
        "cover": {"strike_share": 0.9, "term_days": 30, "renew_every_days": 30},
    },
    "others": {"utilisation": 0.0},
}
"""A pool of two million dollars and a miner of 100 tonnes a day; nobody else buys."""


def terms(**changes: Any) -> PriceCoverTerms:
    """Return the plain terms with changes: `pool__leverage=2.0` sets `pool.leverage`."""
    data: dict[str, Any] = {name: dict(section) for name, section in PLAIN.items()}
    for place, value in changes.items():
        *sections, field = place.split("__")
        node = data
        for section in sections:
            node[section] = dict(node.get(section, {}))
            node = node[section]
        node[field] = value
    return PriceCoverTerms.model_validate(data)


def strike(usd: float, days: int = 30) -> dict[str, Any]:
    """Return a cover with a strike in USD per tonne."""
    return {"strike_usd_per_tonne": usd, "term_days": days, "renew_every_days": days}


def drawn(prices: Sequence[float] | np.ndarray, volatility: float) -> PriceCoverDrivers:
    """Return the drivers of a block in which every path has these prices, or the given paths."""
    table = np.array(prices, np.float64)
    if table.ndim == 1:
        table = np.repeat(table[:, None], LANES, axis=1)
    open_days = trading_days(START, table.shape[0] - 1)
    return draw_drivers("cover", table, START, open_days, volatility, 252.0)


def run(
    cover: PriceCoverTerms,
    prices: Sequence[float] | np.ndarray,
    gas: GasTerms = NO_GAS,
    *,
    volatility: float = 0.25,
    record: bool = False,
) -> tuple[Mapping[str, InstrumentPaths], PriceCoverRecord]:
    """Return the paths of cover, miner and unhedged miner, and the record."""
    drivers = drawn(prices, volatility)
    return simulate(cover, Gas(HOLDER_GAS, gas.usd_per_gas), drivers, HOLDER_USD, record=record)
