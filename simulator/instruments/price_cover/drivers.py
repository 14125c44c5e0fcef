"""What happens to the pool from outside: the price of what is insured, quantised once."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

import numpy as np

from simulator.jit import kernel
from simulator.units import FloatArray

FEED_SCALE = 1e8


@dataclass(frozen=True)
class PriceCoverDrivers:
    """What happens to the pool from outside: the price of what is insured.

    Attributes
    ----------
    label : str
    copper_usd, feed_usd : ndarray of shape (n_steps + 1, n_paths), USD per tonne
        Price of the asset that the terms follow, quantised to the feed's 1e-8, and what the feed
        says.
    start : date
    volatility, periods_per_year : float
        The asset's annual volatility in the market model, and its trading days a year.
    """

    label: str
    copper_usd: FloatArray
    feed_usd: FloatArray
    start: dt.date
    volatility: float
    periods_per_year: float

    def lane(self, k: int) -> PriceCoverDrivers:
        """Return path `k` of the block alone."""
        one = slice(k, k + 1)
        return replace(self, copper_usd=self.copper_usd[:, one], feed_usd=self.feed_usd[:, one])


@kernel
def _quantise(prices: FloatArray, out: FloatArray) -> None:
    """Write `prices` to `out` as the feed says them, both of shape (n_steps + 1, n_paths)."""
    for step in range(prices.shape[0]):
        for k in range(prices.shape[1]):
            # a feed says at least one unit: zero would be no price
            out[step, k] = max(1.0, np.floor(prices[step, k] * FEED_SCALE + 0.5)) / FEED_SCALE


def draw_drivers(
    label: str, price_usd: FloatArray, start: dt.date, volatility: float, periods_per_year: float
) -> PriceCoverDrivers:
    """Return the drivers of a block; nothing is drawn but the market's prices.

    Parameters
    ----------
    price_usd : ndarray of shape (n_steps + 1, n_paths), USD per tonne
        Of the asset that the terms follow.
    """
    quantised = np.empty_like(price_usd)
    _quantise(price_usd, quantised)
    return PriceCoverDrivers(label, quantised, quantised, start, volatility, periods_per_year)
