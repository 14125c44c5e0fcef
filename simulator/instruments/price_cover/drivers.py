"""What happens to the pool from outside: the copper price, quantised once."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np

from simulator.jit import kernel
from simulator.market.paths import MarketPaths
from simulator.units import FloatArray

FEED_SCALE = 1e8


@dataclass(frozen=True)
class PriceCoverDrivers:
    """What happens to the pool from outside: the copper price.

    Attributes
    ----------
    label : str
    copper_usd : ndarray of shape (n_steps + 1, n_paths), USD per tonne
        Quantised to the feed's 1e-8.
    start : date
    volatility, periods_per_year : float
        Annual volatility of copper in the market model, and its trading days a year.
    """

    label: str
    copper_usd: FloatArray
    start: dt.date
    volatility: float
    periods_per_year: float

    def lane(self, k: int) -> PriceCoverDrivers:
        """Return path `k` of the block alone."""
        one = self.copper_usd[:, k : k + 1]
        return PriceCoverDrivers(
            self.label, one, self.start, self.volatility, self.periods_per_year
        )


@kernel
def _quantise(prices: FloatArray, out: FloatArray) -> None:
    for step in range(prices.shape[0]):
        for k in range(prices.shape[1]):
            out[step, k] = max(1.0, np.floor(prices[step, k] * FEED_SCALE + 0.5)) / FEED_SCALE


def draw_drivers(
    label: str, market: MarketPaths, volatility: float, periods_per_year: float
) -> PriceCoverDrivers:
    """Return the drivers of a block; nothing is drawn but the market's prices."""
    copper = np.empty_like(market.prices["copper"])
    _quantise(market.prices["copper"], copper)
    start = market.dates[0].date()
    return PriceCoverDrivers(label, copper, start, volatility, periods_per_year)
