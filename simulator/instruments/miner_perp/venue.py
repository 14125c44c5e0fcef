"""The venue fails: what its market was worth the day before, less what is lost, and no more.

Without a round nothing is filled, stopped, liquidated or decided, so the kernel plays the days
from then on as those of a feed that stands still; here they are written over. Whoever winds the
venue up pays what is left on the day it has failed, in whole units of USDC. The contract's books
stay as they stand: nobody can take anything out of it any more.
"""

from __future__ import annotations

import numpy as np

from simulator.instruments.base import Source
from simulator.instruments.miner_perp.drivers import MinerPerpDrivers
from simulator.instruments.miner_perp.state import (
    Act,
    Amount,
    Befell,
    From,
    Numbers,
    Observed,
    Of,
    Results,
    Series,
)
from simulator.units import BoolArray, FloatArray

FAILURE = Source("venue_failure", "loss", "Lost with the exchange", ends_income=True)
"""Behind all other sources, where a venue can fail."""
UNIT = 1e-6
"""USD, the least unit: a cut beyond it is one."""
UNITS_A_DOLLAR = 1e6


def has_failed(drivers: MinerPerpDrivers) -> BoolArray:
    """Return on which paths the venue fails before everybody has left, shape (n_paths,)."""
    found: BoolArray = drivers.fails <= drivers.last_round
    return found


def write_failures(
    told: Numbers, drivers: MinerPerpDrivers, loss: float, results: Results
) -> FloatArray:
    """Write over the days from a failure on; the last row of all gains is its source's.

    Returns
    -------
    ndarray of shape (n_traders + 1, n_paths), USD
        What the traders, and last the measured provider, are paid of what they had; zero where
        the venue does not fail.
    """
    n_traders, n_paths = results.unpaid.shape
    paid = np.zeros((n_traders + 1, n_paths))
    for path in np.flatnonzero(has_failed(drivers)):
        at = int(drivers.fails[path])
        paid[:-1, path] = _end_traders(told, loss, results, at, path)
        paid[-1, path] = _end_provider(loss, results, at, path)
        _end_market(told, results, at, path)
        if results.acts.size > 0:
            _undo(results, at, path)
    return paid


def _left(worth: FloatArray, loss: float) -> FloatArray:
    """Return what is paid of worths, USD, in whole units."""
    found: FloatArray = np.floor(worth * (1.0 - loss) * UNITS_A_DOLLAR) / UNITS_A_DOLLAR
    return found


def _end_traders(told: Numbers, loss: float, results: Results, at: int, path: int) -> FloatArray:
    """Write the traders' days from step `at` on; return what they are paid, (n_traders,)."""
    gains = results.gains[..., path]
    worth = results.marks[:, at - 1, path] + told.gas_enter
    paid = _left(worth, loss)
    for rows in (results.marks, results.leaves):
        rows[:, at:, path] = (paid - told.gas_enter)[:, None]
    results.notionals[:, at:, path] = 0.0
    results.unpaid[:, path] = 0.0
    gains[:, :, at:] = gains[:, :, at - 1, None]
    gains[:, -1, at:] = (paid - worth)[:, None]
    results.attribution[..., path] = gains[:, :, at]
    results.befell[:, Befell.CUT, path] = gains[:, From.CUT, at] < -UNIT
    return paid


def _end_provider(loss: float, results: Results, at: int, path: int) -> float:
    """Write the measured provider's days from step `at` on; return what he is paid, USD."""
    gains = results.pool_gains[..., path]
    spent = -gains[Of.GAS, at - 1]
    worth = results.pool_mark[at - 1, path] + spent
    paid = float(_left(worth, loss))
    results.pool_mark[at:, path] = results.pool_leave[at:, path] = paid - spent
    results.pool_unpaid[path] = 0.0
    gains[:, at:] = gains[:, at - 1, None]
    gains[-1, at:] = paid - worth
    results.pool_attribution[:, path] = gains[:, at]
    return paid


def _end_market(told: Numbers, results: Results, at: int, path: int) -> None:
    """Write the market's series from step `at` on: nobody has a position, nobody pays."""
    for row in (Series.LONG_USD, Series.SHORT_USD, Series.INSURANCE):
        results.series[row, at:, path] = 0.0
    # shown is the rate that drifts with the fixed one
    results.series[Series.RATE, at:, path] = -told.fixed_rate
    results.events[path] += 1


def _undo(results: Results, at: int, path: int) -> None:
    """Take back from the record what the kernel lets be paid out on the last round."""
    acts, margins = results.acts[..., path], results.amounts[Amount.MARGIN, ..., path]
    for step, account in zip(*np.nonzero(acts & Act.WITHDREW), strict=True):
        results.observed[step:, path, Observed.MARGINS] += margins[step, account]
        results.equities[step:, account, path] += margins[step, account]
    acts[at:] = 0
