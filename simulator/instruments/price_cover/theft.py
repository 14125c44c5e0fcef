"""An intruder takes the pool: what underwriters had the day before, less that, and no more claims.

The kernel plays on as if nothing had happened; here the days from the theft on are written over.
Whoever winds the pool up pays what is left to the underwriters on that day, in whole units of
USDC. Covers end without a payout, and none are sold. The contract has no way by which its dollars
could be taken: on the chain they are stopped at the token, as those of an exchange that fails.
"""

from __future__ import annotations

import numpy as np

from simulator.instruments.base import Source
from simulator.instruments.price_cover.drivers import PriceCoverDrivers
from simulator.instruments.price_cover.state import (
    MINER,
    From,
    Miner,
    Numbers,
    Outcome,
    Policy,
    Results,
    Schedule,
)
from simulator.units import FloatArray

THEFT = Source("theft", "loss", "Taken by an intruder", ends_income=True)
"""Behind all other sources, where a shock lets the pool be robbed."""
_UNITS_A_DOLLAR = 1e6


def write_thefts(
    told: Numbers, drivers: PriceCoverDrivers, plan: Schedule, results: Results
) -> FloatArray:
    """Write over the days from a theft on; the last row of the gains is its source's.

    Returns
    -------
    ndarray of shape (n_paths,), USD
        What the measured underwriter is paid of what he had; zero where nothing is taken.
    """
    n_rows, n_paths = results.marks.shape
    ended = np.zeros(n_paths)
    for path in np.flatnonzero(drivers.theft_step < n_rows):
        at, share = int(drivers.theft_step[path]), float(drivers.theft_share[path])
        ended[path] = _end_underwriter(results, share, at, path)
        _end_policies(told, drivers, plan, results, at, path)
        _end_miner(told, plan, results, at, path)
        results.acts[at:, :, path : path + 1] = 0
        results.utilisation[at:, path] = 0.0
        results.events[path] += 1
    return ended


def _end_underwriter(results: Results, share: float, at: int, path: int) -> float:
    """Write the measured underwriter's days from step `at` on; return what he is paid, USD."""
    gains = results.gains[..., path]
    spent = -gains[From.GAS, at - 1]
    worth = results.marks[at - 1, path] + spent
    paid = float(np.floor(worth * (1.0 - share) * _UNITS_A_DOLLAR) / _UNITS_A_DOLLAR)
    results.marks[at:, path] = results.leaves[at:, path] = paid - spent
    results.unpaid[path] = results.paid_out[path] = 0.0
    gains[:, at:] = gains[:, at - 1, None]
    gains[-1, at:] = paid - worth
    results.attribution[:, path] = gains[:, at]
    return paid


def _end_policies(
    told: Numbers,
    drivers: PriceCoverDrivers,
    plan: Schedule,
    results: Results,
    at: int,
    path: int,
) -> None:
    """Write that covers which ran are paid nothing, and that none was sold from `at` on."""
    window, last = int(told.window_days), results.marks.shape[0] - 1
    for i, (bought, end) in enumerate(zip(plan.bought, plan.end, strict=True)):
        outcome, voided = results.outcomes[i, :, path], results.outcomes[i, Outcome.VOIDED, path]
        if bought >= at:
            results.sold[i, :, path] = outcome[:] = 0.0
        elif end >= at and not 0.0 < voided < at:
            outcome[:] = 0.0
            if end <= last:
                settled = drivers.feed_usd[max(0, end - window) : end, path].mean()
                fallen = max(0.0, results.sold[i, Policy.STRIKE, path] - settled)
                outcome[Outcome.MISSING] = fallen * results.sold[i, Policy.TONNES, path]
    results.shortfall[path] = bool((results.outcomes[:, Outcome.MISSING, path] > 0.0).any())


def _end_miner(told: Numbers, plan: Schedule, results: Results, at: int, path: int) -> None:
    """Count the covered miner's cash anew from step `at` on: no payouts, no premiums."""
    own = plan.buyer == MINER
    kept = own & (results.outcomes[:, Outcome.VOIDED, path] == 0.0)
    payouts = float(results.outcomes[own, Outcome.PAYOUT, path].sum())
    premiums = float(results.sold[kept, Policy.PREMIUM, path].sum())
    results.totals[Miner.PAYOUTS, path] = payouts
    results.totals[Miner.PREMIUMS, path] = -premiums
    results.covered[at:, path] = results.bare[at:, path] + payouts - premiums
    days, cash = int(told.period_days), results.covered[:, path]
    for period in range(1, results.periods.shape[1]):
        if period * days >= at:
            since = told.cash_usd if period == 1 else cash[(period - 1) * days]
            results.periods[0, period, path] = cash[period * days] - since
