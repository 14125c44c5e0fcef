"""A mine, its token and their paths, for the tests of both."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from simulator.instruments.gas import Gas
from simulator.instruments.mining.drivers import MiningStoDrivers, draw_drivers
from simulator.instruments.mining.equity import draw_equity_drivers, simulate_equity
from simulator.instruments.mining.gas import HOLDER_GAS
from simulator.instruments.mining.paths import simulate
from simulator.instruments.mining.terms import MineEquityTerms, MiningStoTerms
from simulator.market.paths import MarketPaths

STILL = {
    kind: {"hazard": 0.0, "mean_days": 1.0, "output_lost": 1.0}
    for kind in ("mudslide", "strike", "power")
}
"""Nothing ever stops the mine."""

PLAIN = {
    "mine": {
        "ore_tonnes_a_day": 20_000.0,
        "grade": 0.0069,
        "recovery": 0.80,
        "aisc_usd_per_lb": 2.90,
        "sustaining_capex_usd_a_year": 50e6,
        "depreciation_usd_a_year": 30e6,
        "royalty": 0.01525,
        "tax": 0.30,
        "life_years": 12.8,
        "output_deviation": 0.0,
    },
    "stage": {"stage": "producing"},
    "outages": STILL,
    "default": {"hazard": 0.0, "recovery": 0.2},
    "sale": {"soft_cap_usd": 250e6, "hard_cap_usd": 500e6, "demand_usd": 600e6}
    | {"demand_deviation": 0.0},
    "payout": {"payout_ratio": 0.5},
    "secondary": {"noise_deviation": 0.0, "long_run_price_usd_per_tonne": 10_000.0}
    | {"reversion": 0.15},
}
"""A producing mine without any chance: the only thing that moves is copper."""

DAYS = 395


def terms(**changes) -> MiningStoTerms:
    """Return the plain terms with changes: `stage__ramp_days=90` sets `stage.ramp_days`."""
    data = {name: dict(section) for name, section in PLAIN.items()}
    for place, value in changes.items():
        *sections, field = place.split("__")
        node = data
        for section in sections:
            node[section] = dict(node.get(section, {}))
            node = node[section]
        node[field] = value
    return MiningStoTerms.model_validate(data)


def market(copper_usd=12_730.0, days: int = DAYS, n_paths: int = 128, first: int = 0):
    """Return a market with a copper price that stands still, or with the given paths."""
    dates = pd.date_range(dt.date(2026, 1, 20), periods=days + 1)
    prices = np.broadcast_to(np.asarray(copper_usd, float), (days + 1, n_paths)).copy()
    return MarketPaths(dates, {"copper": prices}, first)


def wild_copper(days: int = DAYS, n_paths: int = 256, seed: int = 3):
    """Return a market whose copper price moves by 40 % a year."""
    steps = np.random.default_rng(seed).normal(0, 0.4 / np.sqrt(365), (days + 1, n_paths))
    steps[0] = 0.0
    return market(12_730.0 * np.exp(np.cumsum(steps, axis=0)), days, n_paths)


def drawn(
    chosen: MiningStoTerms, paths: MarketPaths, seed: int = 1, growth=None
) -> MiningStoDrivers:
    """Return the token's drivers on a market, under the label `mine`; none = no growth expected."""
    copper = paths.prices["copper"]
    still = np.zeros(copper.shape[0]) if growth is None else growth
    return draw_drivers(chosen, "mine", copper, still, seed, paths.first_path)


def play(chosen: MiningStoTerms, paths: MarketPaths, usd: float = 1e5, seed: int = 1):
    """Return drivers, the holder's paths, and the record; without any gas."""
    drivers = drawn(chosen, paths, seed)
    held, record = simulate(chosen, Gas(HOLDER_GAS, 0.0), drivers, usd, record=True)
    return drivers, held, record


def equity(**changes) -> MineEquityTerms:
    """Return a share of the mine without any chance of its own, whose debt costs nothing."""
    plain = {"mine": "mine", "noise_deviation": 0.0, "default_hazard": 0.0, "interest_rate": 0.0}
    return MineEquityTerms.model_validate(plain | changes)


def share(chosen: MiningStoTerms, paths: MarketPaths, seed: int = 1, **changes):
    """Return the paths of the mine's ordinary share, bought for 100,000 dollars."""
    mine = drawn(chosen, paths, seed).mine
    terms = equity(**changes)
    drivers = draw_equity_drivers(terms, mine, seed, paths.first_path)
    return simulate_equity(terms, chosen, drivers, "mine-share", 1e5)


def by_source(paths):
    """Return the attribution in USD by the source's name."""
    names = [source.name for source in paths.sources]
    return dict(zip(names, paths.attribution["usd"], strict=True))
