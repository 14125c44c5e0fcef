"""What happens to the pool from outside: prices, and what noise traders trade."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, unique

import numpy as np

from simulator.instruments.base import TokenPrices
from simulator.instruments.gold_pool import draws
from simulator.instruments.gold_pool.terms import GoldPoolTerms
from simulator.instruments.registry import stream_of
from simulator.mechanics.rows import empty_apart
from simulator.units import FloatArray


@unique
class Stream(IntEnum):
    """Numbers of the pool's random streams; see `market.streams` for all others."""

    POOL_VOLUME = 172
    POOL_IMBALANCE = 173


@dataclass(frozen=True)
class GoldPoolDrivers:
    """What happens to the pool from outside; arrays of shape (n_steps + 1, n_paths).

    Attributes
    ----------
    prices : TokenPrices
        Gold and the token, in USDC.
    volume_usdc : ndarray
        What noise traders trade on a day, purchases and sales of gold together.
    imbalance : ndarray
        Their purchases less their sales over that, -1 to 1.
    """

    prices: TokenPrices
    volume_usdc: FloatArray
    imbalance: FloatArray

    def lane(self, k: int) -> GoldPoolDrivers:
        """Return path `k` of the block alone."""
        one = slice(k, k + 1)
        return GoldPoolDrivers(
            self.prices.lane(k), self.volume_usdc[:, one], self.imbalance[:, one]
        )


def draw_drivers(
    terms: GoldPoolTerms, label: str, prices: TokenPrices, first_path: int, seed: int
) -> GoldPoolDrivers:
    """Return the drivers of a block of paths, beginning with path `first_path`.

    Parameters
    ----------
    label : str
        The pool's, which tells its random streams from another pool's.
    """
    shape = prices.metal_usd.shape
    streams = tuple(stream_of(number, "gold_pool", label) for number in Stream)
    keep = 0.5 ** (1.0 / terms.volume.half_life_days)
    variance = terms.volume.deviation**2 * (1.0 - keep ** (2 * np.arange(shape[0])))
    numbers = draws.Numbers(
        pull=keep,
        shock=terms.volume.deviation * float(np.sqrt(1.0 - keep**2)),
        imbalance=terms.volume.imbalance,
    )
    volume, imbalance = empty_apart(shape, 4), empty_apart(shape, 5)
    level = terms.volume.daily_usd * np.exp(-0.5 * variance)
    draws.draw(numbers, level, seed, (streams[0], streams[1]), first_path, volume, imbalance)
    return GoldPoolDrivers(prices, volume, imbalance)
