"""The token's holder day by day, over steps and paths: what the kernel does and in which order.

State stands in rows of LANES numbers, see `rows`; what a day does to them is in `holder`.
"""

from __future__ import annotations

import numpy as np

from simulator.instruments.mining.holder import (
    copy,
    disbelieve,
    distribute,
    issue,
    look_up,
    next_default,
    price_issue,
    sell,
    stop_paying,
    stream,
    subscribe,
    trust,
    value,
    write,
)
from simulator.instruments.mining.rows import (
    AHEAD,
    BEGUN,
    BY,
    GAS_ROW,
    HALTED,
    KEPT,
    LEFT,
    N_ROWS,
    N_SOURCES,
    PART,
    PRICE,
    SPENT,
    STOOD,
    SUPPLY,
)
from simulator.instruments.mining.state import Befell, Drivers, Numbers, Results
from simulator.jit import inlined, kernel
from simulator.mechanics.prefetch import will_read, will_write
from simulator.units import LANES, BoolArray, FloatArray

RAISE_FAILED, DEFAULTED, PROMISE_BROKEN, OUTAGE = (int(row) for row in Befell)


@inlined
def tell(rows: FloatArray, promised: bool, happened: BoolArray) -> None:
    """Write what befell the holder.

    Parameters
    ----------
    promised : bool
        Whether payments were to be topped up to the promise.
    happened : ndarray of bool, shape (4, LANES)
        Written: rows of `Befell`.
    """
    for k in range(LANES):
        exists = rows[SUPPLY + k] > 0.0
        happened[RAISE_FAILED, k] = not exists
        happened[DEFAULTED, k] = rows[LEFT + k] >= 0.0
        happened[PROMISE_BROKEN, k] = exists and promised and rows[KEPT + k] == 0.0
        # an outage that the tokens were issued into is none of those begun since
        stood = rows[BEGUN + k] + rows[STOOD + k] > 0.0
        happened[OUTAGE, k] = rows[PART + k] > 0.0 and stood


@kernel
def run(numbers: Numbers, drivers: Drivers, results: Results) -> None:
    """Run all paths of a block over all steps; fields as their classes describe them."""
    by_work, by_days, ahead, long_run = drivers.tables
    copper_usd, accrued, profit = drivers.copper_usd, drivers.accrued, drivers.profit
    halted, deferred = drivers.halted, drivers.deferred
    begins, ends, noise = drivers.begins, drivers.ends, drivers.noise
    others_usd, default_step = drivers.others_usd, drivers.default_step
    mark, leave, paid, price = results.mark, results.leave, results.paid, results.price
    recorded, payments, deposits = results.recorded, results.payments, results.deposits
    gains, attribution, events = results.gains, results.attribution, results.events
    n_rows, close, holder_usd = copper_usd.shape[0], int(numbers.close_day), numbers.holder_usd
    for first in range(0, copper_usd.shape[1], LANES):
        lanes = slice(first, first + LANES)
        rows = np.zeros(N_ROWS * LANES)
        # the first day's wait is no news: it is divided by what a day ago was thought to be left
        rows[AHEAD : AHEAD + LANES] = 1.0
        starts, defaults, counted = begins[lanes], default_step[lanes], events[lanes]
        period, defaulting = 0, next_default(defaults, -1)
        subscribe(rows, numbers, others_usd[lanes], counted)
        for step in range(n_rows):
            pays = step > close and ends[step]
            stream(rows)
            if step == close:
                issue(rows, numbers, step)
                period = 1
            elif pays:
                distribute(
                    rows,
                    numbers,
                    step,
                    profit[period, lanes],
                    recorded[period, lanes],
                    payments[period, lanes],
                    deposits[period, lanes],
                    counted,
                )
                period += 1
            if step == close or pays:
                trust(rows, numbers.trust)
            wait = deferred[step, lanes]
            look_up(rows, by_work, by_days, ahead, long_run, starts, wait, step)
            value(
                rows,
                copper_usd[step, lanes],
                accrued[step, lanes],
                noise[step, lanes],
                halted[step, lanes],
                1.0 if step > close else 0.0,
                0.0 if ends[step] else 1.0,
            )
            if step == defaulting:
                stop_paying(rows, numbers.recovery, defaults, step, counted)
                defaulting = next_default(defaults, step)
            if step == close:
                price_issue(rows, holder_usd)
            elif pays:
                disbelieve(rows)
            if step == close + 1:
                rows[STOOD : STOOD + LANES] = rows[HALTED : HALTED + LANES]
            # the next day's lines, while the rest of this one is worked out
            will_read(copper_usd, step + 1, first, LANES)
            will_read(accrued, step + 1, first, LANES)
            will_read(noise, step + 1, first, LANES)
            will_write(mark, step + 1, first, LANES)
            will_write(leave, step + 1, first, LANES)
            will_write(paid, step + 1, first, LANES)
            locked = step < numbers.lockup_end_day
            rate = numbers.lockup_discount if locked else numbers.discount
            day = mark[step, lanes], leave[step, lanes], paid[step, lanes]
            write(rows, rate, numbers.gas_leave_usd * numbers.gas_times[step], *day)
            if gains.shape[1] > 0:
                for row in range(N_SOURCES):
                    copy(gains[row, step, lanes], rows, BY + row * LANES, 1.0)
                copy(gains[GAS_ROW, step, lanes], rows, SPENT, -1.0)
            if price.shape[0] > 0:
                copy(price[step, lanes], rows, PRICE, 1.0)
        sell(rows, rate, numbers.gas_leave_usd * numbers.gas_times[-1])
        for k in range(LANES):
            counted[k] += int(rows[BEGUN + k])
        tell(rows, numbers.topped_up > 0.0, results.happened[:, lanes])
        results.last_price[lanes] = rows[PRICE : PRICE + LANES]
        for row in range(N_SOURCES):
            attribution[row, lanes] += rows[BY + row * LANES : BY + (row + 1) * LANES]
