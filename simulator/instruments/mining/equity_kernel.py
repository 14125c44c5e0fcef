"""One day of the mine's share, over steps and paths: dividend, worth, failure, split of the change.

State stands in rows of LANES numbers, and every day's loops are kernels apart, as in `holder`.
"""

from __future__ import annotations

import numpy as np

from simulator.instruments.mining.equity_state import (
    BEGUN,
    BY,
    BY_COPPER,
    BY_DEFAULT,
    BY_DELAY,
    BY_DIVIDENDS,
    BY_INTEREST,
    BY_MOOD,
    BY_ORE_AND_TIME,
    BY_OUTAGE,
    BY_SPREAD,
    COMING,
    DEBT,
    DISCOUNT,
    GEARING,
    LEFT,
    MOOD,
    N_ROWS,
    N_SOURCES,
    NEXT,
    PAID,
    PRICE,
    TONNES,
    UNITS,
    WAS_ACCRUED,
    WAS_COMING,
    WAS_GEARING,
    WAS_HALTED,
    WAS_MOOD,
    WAS_NEXT,
    WAS_PRICE,
    WAS_TONNES,
    WAS_USD,
    Drivers,
    Numbers,
    Results,
)
from simulator.instruments.mining.holder import copy, next_default
from simulator.instruments.mining.worth import worth
from simulator.jit import inlined, kernel
from simulator.market.elementary import exponential
from simulator.units import LANES, DayArray, FloatArray, KindArray, StepArray


@kernel
def charge(rows: FloatArray, interest: float) -> None:
    """Let a day's interest add to net debt where there is any.

    `rows` is of shape (n_rows * LANES,), `interest` a share of the debt.
    """
    for k in range(LANES):
        due = interest * max(rows[DEBT + k], 0.0)
        rows[DEBT + k] += due
        # `split` gives what is left of the day's change to ore and time: not this
        cost = rows[WAS_GEARING + k] * due
        rows[BY_INTEREST + k] -= cost
        rows[BY_ORE_AND_TIME + k] += cost


@inlined
def pay(rows: FloatArray, profit: FloatArray, ratio: float) -> None:
    """Pay a period's dividend where the company lives; what is kept is less debt.

    `profit` is the mine's, of shape (LANES,), USD.
    """
    for k in range(LANES):
        if rows[LEFT + k] < 0.0:
            dividend = rows[UNITS + k] * ratio * profit[k]
            rows[DEBT + k] -= (1.0 - ratio) * profit[k]
            rows[PAID + k] += dividend
            rows[BY_DIVIDENDS + k] += dividend


@kernel
def look_up(
    rows: FloatArray,
    by_work: FloatArray,
    by_days: FloatArray,
    ahead: FloatArray,
    long_run: float,
    starts: StepArray,
    wait: DayArray,
    step: int,
) -> None:
    """Read the tables of `worth`; alone, for such loops do not become vector instructions.

    Parameters
    ----------
    by_work, by_days, ahead, long_run
        As in `worth.Tables`: a tuple of arrays would cost each call as much as the loop.
    starts : ndarray of shape (LANES,), int64
        Step of the first ore.
    wait : ndarray of shape (LANES,), int16
        Days of full output still to be missed.
    """
    left, still = ahead.size - 1 - step, ahead[step]
    for k in range(LANES):
        worked, missed = max(0, step - starts[k]), int(wait[k])
        base, slope = worth(by_work, by_days, still, long_run, worked, missed, left)
        rows[COMING + k], rows[TONNES + k] = base, slope
        rows[DISCOUNT + k] = by_days[0, missed]
        rows[NEXT + k] = by_days[0, max(missed - 1, 0)]


@kernel
def see(rows: FloatArray, usd: FloatArray, noise: FloatArray) -> None:
    """Look at copper's price and at the mood, `usd` and `noise` of shape (LANES,)."""
    for k in range(LANES):
        rows[COMING + k] += rows[TONNES + k] * usd[k]
        rows[MOOD + k] = exponential(noise[k])


@inlined
def buy(rows: FloatArray, accrued: FloatArray, numbers: Numbers) -> None:
    """Buy the share at its worth; `accrued` is of shape (LANES,), USD."""
    capital_usd, debt_share = numbers.capital_usd, numbers.debt_share
    for k in range(LANES):
        net = max(0.0, rows[COMING + k] + accrued[k] - capital_usd)
        rows[DEBT + k] = capital_usd + debt_share * net
        # a mine worth nothing has no share to buy: the money stays where it is
        rows[UNITS + k] = numbers.usd / ((1.0 - debt_share) * net) if net > 0.0 else 0.0
        rows[PAID + k] = 0.0 if net > 0.0 else numbers.usd
        rows[LEFT + k] = -1.0


@kernel
def price(rows: FloatArray, accrued: FloatArray) -> None:
    """Price what is held, and say how it moves; `accrued` is of shape (LANES,), USD."""
    for k in range(LANES):
        mine = rows[COMING + k] + accrued[k]
        equity = (mine if mine > 0.0 else 0.0) - rows[DEBT + k]
        equity = equity if equity > 0.0 else 0.0
        alive = rows[LEFT + k] < 0.0
        gearing = rows[MOOD + k] * rows[UNITS + k]
        # neither a failed company nor one worth less than its debt moves with copper
        moves = gearing if alive else 0.0
        rows[GEARING + k] = moves if equity > 0.0 else 0.0
        rows[PRICE + k] = gearing * (equity if alive else rows[LEFT + k])


@inlined
def fail(rows: FloatArray, default_step: StepArray, step: int, recovery: float) -> None:
    """Let the companies whose day it is fail; `default_step` is of shape (LANES,)."""
    for k in range(LANES):
        if default_step[k] == step:
            lost = (1.0 - recovery) * rows[PRICE + k]
            left = recovery * rows[PRICE + k]
            rows[LEFT + k] = left / (rows[MOOD + k] * max(rows[UNITS + k], 1e-300))
            rows[PRICE + k] -= lost
            rows[GEARING + k] = 0.0
            # `split` gives what is left of the day's change to ore and time: not this loss
            rows[BY_DEFAULT + k] -= lost
            rows[BY_ORE_AND_TIME + k] += lost
            rows[BEGUN + k] += 1.0


@kernel
def split(
    rows: FloatArray,
    usd: FloatArray,
    accrued: FloatArray,
    halted: KindArray,
    same_period: float,
) -> None:
    """Split the price's change by source; what is left is ore, output and time.

    `usd`, `accrued` and `halted` are of shape (LANES,); `same_period` is 0 where a period ends,
    else 1.
    """
    for k in range(LANES):
        gearing, stopped = rows[WAS_GEARING + k], 1.0 if halted[k] > 0 else 0.0
        copper = gearing * rows[WAS_TONNES + k] * (usd[k] - rows[WAS_USD + k])
        # a new wait, over that which a day ago was thought to be left today
        waited = rows[DISCOUNT + k] / rows[WAS_NEXT + k]
        late = gearing * rows[WAS_COMING + k] * (waited - 1.0)
        burnt = gearing * same_period * (accrued[k] - rows[WAS_ACCRUED + k])
        out = stopped * (late + burnt)
        late *= 1.0 - stopped
        swing = rows[PRICE + k] * (1.0 - rows[WAS_MOOD + k] / rows[MOOD + k])
        change = rows[PRICE + k] - rows[WAS_PRICE + k]
        rows[BY_COPPER + k] += copper
        rows[BY_OUTAGE + k] += out
        rows[BY_DELAY + k] += late
        rows[BY_MOOD + k] += swing
        rows[BY_ORE_AND_TIME + k] += change - copper - out - late - swing
        rows[BEGUN + k] += stopped * (1.0 - rows[WAS_HALTED + k])


@kernel
def remember(rows: FloatArray, usd: FloatArray, accrued: FloatArray, halted: KindArray) -> None:
    """Keep how the market sees the share for the next day; arrays as those of `split`.

    `rows` is of shape (n_rows * LANES,), `usd`, `accrued` and `halted` of (LANES,).
    """
    for k in range(LANES):
        rows[WAS_TONNES + k], rows[WAS_COMING + k] = rows[TONNES + k], rows[COMING + k]
        rows[WAS_NEXT + k], rows[WAS_GEARING + k] = rows[NEXT + k], rows[GEARING + k]
        rows[WAS_MOOD + k], rows[WAS_PRICE + k] = rows[MOOD + k], rows[PRICE + k]
        rows[WAS_USD + k], rows[WAS_ACCRUED + k] = usd[k], accrued[k]
        rows[WAS_HALTED + k] = 1.0 if halted[k] > 0 else 0.0


@kernel
def write(
    rows: FloatArray, kept: float, mark: FloatArray, leave: FloatArray, received: FloatArray
) -> None:
    """Write what the day is worth, of which selling leaves `kept`.

    `mark`, `leave` and `received` are of shape (LANES,), USD.
    """
    for k in range(LANES):
        mark[k] = rows[PRICE + k] + rows[PAID + k]
        leave[k] = rows[PRICE + k] * kept + rows[PAID + k]
        received[k] = rows[PAID + k]


@kernel
def run(numbers: Numbers, drivers: Drivers, results: Results) -> None:
    """Run all paths of a block over all steps; fields as their classes describe them."""
    by_work, by_days, ahead, long_run = drivers.tables
    copper_usd, noise = drivers.copper_usd, drivers.noise
    accrued, profit, halted = drivers.accrued, drivers.profit, drivers.halted
    deferred, begins, ends = drivers.deferred, drivers.begins, drivers.ends
    mark, leave, received = results.mark, results.leave, results.received
    attribution, gains, events = results.attribution, results.gains, results.events
    for first in range(0, copper_usd.shape[1], LANES):
        lanes = slice(first, first + LANES)
        rows, period, starts = np.zeros(N_ROWS * LANES), 0, begins[lanes]
        defaults = drivers.default_step[lanes]
        failing = next_default(defaults, -1)
        rows[LEFT : LEFT + LANES] = -1.0
        for step in range(copper_usd.shape[0]):
            usd, due, stops = copper_usd[step, lanes], accrued[step, lanes], halted[step, lanes]
            charge(rows, numbers.interest)
            if ends[step]:
                pay(rows, profit[period, lanes], numbers.dividend_ratio)
                period += 1
            wait = deferred[step, lanes]
            look_up(rows, by_work, by_days, ahead, long_run, starts, wait, step)
            see(rows, usd, noise[step, lanes])
            if step == 0:
                buy(rows, due, numbers)
            price(rows, due)
            if step == failing:
                fail(rows, defaults, step, numbers.recovery)
                failing = next_default(defaults, step)
            if step > 0:
                split(rows, usd, due, stops, 0.0 if ends[step] else 1.0)
            remember(rows, usd, due, stops)
            day = mark[step, lanes], leave[step, lanes], received[step, lanes]
            write(rows, 1.0 - numbers.spread, *day)
            if gains.shape[1] > 0:
                for row in range(N_SOURCES):
                    copy(gains[row, step, lanes], rows, BY + row * LANES, 1.0)
        for k in range(LANES):
            rows[BY_SPREAD + k] -= rows[PRICE + k] * numbers.spread
            events[first + k] += int(rows[BEGUN + k])
        for row in range(N_SOURCES):
            attribution[row, lanes] += rows[BY + row * LANES : BY + (row + 1) * LANES]
