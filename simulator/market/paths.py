"""Prices of a block of paths."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from simulator.market.dynamics import MarketSpec, fill
from simulator.units import FloatArray, calendar


@dataclass(frozen=True)
class MarketPaths:
    """Prices by asset, each of shape (n_steps + 1, n_paths), USD; `first_path` numbers them."""

    dates: pd.DatetimeIndex
    prices: Mapping[str, FloatArray]
    first_path: int


def simulate_market(spec: MarketSpec, seed: int, first_path: int, n_paths: int) -> MarketPaths:
    """Return the prices of paths `first_path` and the next, n_paths a multiple of LANES."""
    out = np.empty((len(spec.assets), spec.n_steps + 1, n_paths))
    fill(spec, seed, first_path, out)
    prices = {asset: out[i] for i, asset in enumerate(spec.assets)}
    return MarketPaths(calendar(spec.start, spec.n_steps), prices, first_path)
