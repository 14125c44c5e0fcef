"""What happens to the pool from outside: prices, and what noise traders trade."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum, unique

import numpy as np

from simulator.instruments.base import TokenPrices
from simulator.instruments.gold_pool import draws
from simulator.instruments.gold_pool.terms import GoldPoolTerms
from simulator.instruments.model import Blow
from simulator.instruments.registry import stream_of
from simulator.mechanics.pool import USDC_UNIT, USDC_UNITS
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
    leaving : ndarray, or of shape (0, 0)
        Shares with which other providers leave at the end of a step.
    """

    prices: TokenPrices
    volume_usdc: FloatArray
    imbalance: FloatArray
    leaving: FloatArray = field(default_factory=lambda: np.empty((0, 0)))

    def lane(self, k: int) -> GoldPoolDrivers:
        """Return path `k` of the block alone."""
        one = slice(k, k + 1)
        return GoldPoolDrivers(
            self.prices.lane(k),
            self.volume_usdc[:, one],
            self.imbalance[:, one],
            self.leaving[:, one],
        )


def draw_drivers(
    terms: GoldPoolTerms,
    label: str,
    prices: TokenPrices,
    first_path: int,
    seed: int,
    runs: Sequence[Blow] = (),
) -> GoldPoolDrivers:
    """Return the drivers of a block of paths, beginning with path `first_path`.

    Parameters
    ----------
    label : str
        The pool's, which tells its random streams from another pool's.
    runs : sequence of Blow
        Shocks: a share of what other providers still have that leaves.
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
    if not runs:
        return GoldPoolDrivers(prices, volume, imbalance)
    leaving = leave(terms.reserve_ounces, prices.token_usd, runs)
    return GoldPoolDrivers(prices, volume, imbalance, leaving)


def leave(reserve_ounces: float, price: FloatArray, runs: Sequence[Blow]) -> FloatArray:
    """Return the shares with which other providers leave, shape (n_steps + 1, n_paths).

    `price`, of that shape, is the token's in USDC: what they have put in on the first day, they
    have as `mechanics.pool.filled` says.
    """
    usdc = np.floor(reserve_ounces * price[0] * USDC_UNITS) * USDC_UNIT
    steps, stays = np.arange(price.shape[0])[:, None], np.ones_like(price)
    for blow in runs:
        stays *= np.where(steps >= blow.begins, 1.0 - blow.amount, 1.0)
    found = np.zeros_like(price)
    found[1:] = -np.diff(stays, axis=0) * np.sqrt(reserve_ounces * usdc)
    return found
