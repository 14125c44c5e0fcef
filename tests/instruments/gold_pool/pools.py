"""Gold pools and paths of the price for the tests of the model."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np

from simulator.instruments.base import InstrumentPaths, PoolVisits, TokenPrices
from simulator.instruments.gas import Gas
from simulator.instruments.gold_pool.drivers import GoldPoolDrivers
from simulator.instruments.gold_pool.paths import GoldPoolRecord, simulate
from simulator.instruments.gold_pool.terms import GoldPoolTerms
from simulator.units import LANES

HOLDER = 10_000.0
NO_GAS = {"enter": 0.0, "leave": 0.0, "arbitrage": 0.0}
SPREAD_BPS = 10.0
TOKEN = SimpleNamespace(sale_spread_bps=SPREAD_BPS, decimals=18)


def terms(**changes: Any) -> GoldPoolTerms:
    """Return a pool of 1,000 oz without noise traders, with changes."""
    return GoldPoolTerms(**{"reserve_ounces": 1_000.0, **changes})


def drawn(
    prices: Any, volume: Any = 0.0, imbalance: Any = 0.0, backing: Any = 1.0, premium: Any = 0.0
) -> GoldPoolDrivers:
    """Return drivers of prices of the token, one path for all lanes or of their own."""
    table = np.array(prices, np.float64)
    table = np.repeat(table[:, None], LANES, axis=1) if table.ndim == 1 else table
    whole = [np.array(np.broadcast_to(x, table.shape), np.float64) for x in (premium, backing)]
    metal = table if np.all(whole[1] == 1.0) else table / np.where(whole[1] > 0, whole[1], 1.0)
    metal = np.where(metal > 0, metal, 4_000.0)
    outside = [np.array(np.broadcast_to(x, table.shape), np.float64) for x in (volume, imbalance)]
    return GoldPoolDrivers(TokenPrices(metal, table, *whole), *outside)


def run(
    pool: GoldPoolTerms,
    drivers: GoldPoolDrivers,
    gas: Mapping[str, float] = NO_GAS,
    holder: float = HOLDER,
    visits: PoolVisits | None = None,
    **asked: bool,
) -> tuple[Mapping[str, InstrumentPaths], GoldPoolRecord]:
    """Return the paths of provider and arbitrageur, and the record."""
    return simulate(
        pool, TOKEN, Gas(gas, 1.0), drivers, holder, name="pool", visits=visits, **asked
    )


def walks(n_steps: int, n_paths: int, volatility: float, seed: int = 1) -> np.ndarray:
    """Return driftless lognormal prices from 4,000 USD on, shape (n_steps + 1, n_paths)."""
    z = np.random.default_rng(seed).standard_normal((n_steps, n_paths))
    daily = volatility / np.sqrt(365)
    logs = np.cumsum(daily * z - daily**2 / 2, axis=0)
    return 4_000.0 * np.exp(np.vstack((np.zeros((1, n_paths)), logs)))
