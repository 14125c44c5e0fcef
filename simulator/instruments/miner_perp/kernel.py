"""A market day by day, over steps and paths: the crowd, the measured traders, and the pool.

Order of a step, as on the chain: funding, waiting orders, liquidations, stops, reductions of
winners, withdrawals, the crowd's margin and orders, the orders that leave.
"""

from __future__ import annotations

import numpy as np

from simulator.instruments.miner_perp.closings import close_all
from simulator.instruments.miner_perp.days import (
    accrue_all,
    find_closings,
    split_pool,
    split_traders,
    tell,
    touch_all,
    value_pool,
    value_traders,
)
from simulator.instruments.miner_perp.leaving import (
    claim,
    finish_pool,
    finish_trader,
    leave_others,
    tell_fates,
    value_claim,
)
from simulator.instruments.miner_perp.orders import decide, fill_all, leave_all, withdraw_all
from simulator.instruments.miner_perp.record import observe
from simulator.instruments.miner_perp.rows import (
    EVENTS,
    INSURANCE,
    MARGIN,
    MARGINS,
    N_ACCOUNT,
    N_OWN,
    POOL,
    SHARE,
    WAITS,
    place_of,
)
from simulator.instruments.miner_perp.state import Accounts, Drivers, Numbers, Results
from simulator.jit import inlined, kernel
from simulator.mechanics.vectors import WIDTH
from simulator.units import LANES, FloatArray


@inlined
def begin(numbers: Numbers, cast: Accounts, state: FloatArray) -> None:
    """Fund everybody; the first orders wait for the first round.

    `state` is of shape (n_rows * LANES,).
    """
    state[:] = 0.0
    for k in range(LANES):
        state[POOL + k] = numbers.deposits
        state[SHARE + k] = numbers.holder / numbers.deposits
        state[INSURANCE + k] = numbers.insurance
    for account in range(cast.sides.shape[0]):
        place = place_of(account)
        for k in range(LANES):
            state[place + MARGIN + k] = cast.margins[account]
            state[MARGINS + k] += cast.margins[account]
            state[place + WAITS + k] = cast.sides[account] * cast.sizes[account]


@kernel
def run(numbers: Numbers, cast: Accounts, drivers: Drivers, results: Results) -> None:
    """Run all paths of a block over all steps; fields as their classes describe them."""
    prices, rounds, decides = drivers.prices, drivers.rounds, drivers.decides
    marks, leaves, notionals = results.marks, results.leaves, results.notionals
    gains, series, observed = results.gains, results.series, results.observed
    pool_mark, pool_leave, pool_gains = results.pool_mark, results.pool_leave, results.pool_gains
    acts, amounts, runs = results.acts, results.amounts, drivers.run_step.size > 0
    n_rows, n_accounts, last = prices.shape[0], cast.sides.shape[0], drivers.last_round
    # rows begin at lines of the cache: a vector across two of them costs twice
    size = (N_OWN + N_ACCOUNT * n_accounts) * LANES
    memory = np.empty(size + 8)
    skip = (64 - memory.ctypes.data % 64) // 8 % 8
    state = memory[skip : skip + size]
    due = np.empty(LANES // WIDTH, np.bool_)
    for first in range(0, prices.shape[1], LANES):
        begin(numbers, cast, state)
        waiting, decision = True, 0
        spent = numbers.gas_provide
        for step in range(n_rows):
            if step > 0:
                accrue_all(numbers, state, prices, step, first)
            if waiting:
                waiting = fill_all(numbers, cast, drivers, acts, state, step, first)
            if find_closings(numbers, cast.sides, state, prices, rounds, due, step, first):
                close_all(numbers, cast, drivers, acts, amounts, state, due, step, first)
            touch_all(cast, state, prices, rounds, step, first)
            if runs and 0 < step < last:
                leave_others(numbers, drivers, results, state, step, first)
            if step == last:
                withdraw_all(cast, acts, amounts, state, step, first)
                claim(numbers, drivers, results, state, step, first)
            elif step == last - 1:
                leave_all(cast, acts, state, step, first)
                waiting = True
            if decision < len(decides) and decides[decision] == step:
                decide(numbers, cast, drivers, acts, amounts, state, decision, step, first)
                decision += 1
                waiting = True
            value_traders(numbers, cast, state, prices, marks, leaves, notionals, step, first)
            if gains.shape[2] > 0:
                split_traders(numbers, cast, state, prices, marks, gains, step, first)
            if step == numbers.request_step:
                spent += numbers.gas_request
            if step < last:
                value_pool(numbers, state, prices, pool_mark, pool_leave, spent, step, first)
            else:
                value_claim(numbers, results, spent, step, last, first)
            if pool_gains.shape[1] > 0 and step <= last:
                split_pool(numbers, state, pool_mark, pool_gains, spent, step, first)
            tell(state, prices, series, step, first)
            if observed.size > 0:
                observe(numbers, cast, drivers, results, state, step, first)
        for trader in range(n_accounts - cast.n_cohorts):
            finish_trader(numbers, cast, results, state, trader, first)
            tell_fates(cast, results, state, trader, first)
        finish_pool(numbers, results, first)
        for k in range(LANES):
            results.events[first + k] = np.int64(state[EVENTS + k])
