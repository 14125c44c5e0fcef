"""What happens to the pool from outside: the price of what is insured, quantised once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from simulator.instruments.model import Blow, absent, first_of
from simulator.jit import kernel
from simulator.units import BoolArray, FloatArray, StepArray

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
    exchange_open : ndarray of bool, shape (n_steps + 1,)
        Whether it trades, and its feed has a round.
    volatility, periods_per_year : float
        The asset's annual volatility in the market model, and its trading days a year.
    run_step : ndarray of shape (n_paths,), int64, or (0,)
        Step on which other underwriters leave; without steps where no shock says so.
    run_share : ndarray as `run_step`
        Share of their deposits with which they do.
    away : ndarray of bool, shape (n_steps + 1,), or (0,)
        Days on which no keeper marks or voids.
    theft_step : ndarray of shape (n_paths,), int64, or (0,)
        Step on which an intruder takes the pool; without steps where no shock says so.
    theft_share : ndarray as `theft_step`
        Share of it that he takes.
    """

    label: str
    copper_usd: FloatArray
    feed_usd: FloatArray
    start: dt.date
    exchange_open: BoolArray
    volatility: float
    periods_per_year: float
    run_step: StepArray
    run_share: FloatArray
    away: BoolArray = field(default_factory=lambda: np.zeros(0, np.bool_))
    theft_step: StepArray = field(default_factory=lambda: np.empty(0, np.int64))
    theft_share: FloatArray = field(default_factory=lambda: np.empty(0))

    def lane(self, k: int) -> PriceCoverDrivers:
        """Return path `k` of the block alone."""
        one = slice(k, k + 1)
        return replace(
            self,
            copper_usd=self.copper_usd[:, one],
            feed_usd=self.feed_usd[:, one],
            run_step=self.run_step[one],
            run_share=self.run_share[one],
            theft_step=self.theft_step[one],
            theft_share=self.theft_share[one],
        )


@kernel
def _quantise(prices: FloatArray, out: FloatArray) -> None:
    """Write `prices` to `out` as the feed says them, both of shape (n_steps + 1, n_paths)."""
    for step in range(prices.shape[0]):
        for k in range(prices.shape[1]):
            # a feed says at least one unit: zero would be no price
            out[step, k] = max(1.0, np.floor(prices[step, k] * FEED_SCALE + 0.5)) / FEED_SCALE


def draw_drivers(
    label: str,
    price_usd: FloatArray,
    start: dt.date,
    exchange_open: BoolArray,
    volatility: float,
    periods_per_year: float,
    runs: Sequence[Blow] = (),
    cooldown_days: int = 0,
    kept_away: Sequence[Blow] = (),
    thefts: Sequence[Blow] = (),
) -> PriceCoverDrivers:
    """Return the drivers of a block; nothing is drawn but the market's prices.

    Parameters
    ----------
    price_usd : ndarray of shape (n_steps + 1, n_paths), USD per tonne
        Of the asset that the terms follow.
    exchange_open : ndarray of bool, shape (n_steps + 1,)
    runs : sequence of Blow
        Shocks: other underwriters who leave, of whom the first count. They have asked for it a
        cooldown before, so that it takes one from the start on.
    kept_away : sequence of Blow
        Shocks: keepers who are away, on all paths alike.
    thefts : sequence of Blow
        Shocks: an intruder who takes a share of the pool, of whom the first counts.
    """
    quantised = np.empty_like(price_usd)
    _quantise(price_usd, quantised)
    figures = volatility, periods_per_year
    leave, share = first_of(runs)
    away = absent(kept_away)[:, :1].ravel()
    told = label, quantised, quantised, start, exchange_open
    left = np.maximum(leave, cooldown_days), share
    return PriceCoverDrivers(*told, *figures, *left, away, *first_of(thefts))
