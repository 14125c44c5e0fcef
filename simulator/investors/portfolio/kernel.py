"""A portfolio day by day: income, stops, flows, rebalancing, value (see docs/investors.md).

A function with a path `k` works on that path alone on one step, the others on a whole row
of paths; what they read and write is described in `state`.
"""

from __future__ import annotations

import numpy as np

from simulator.investors.portfolio.days import (
    check_weights,
    grow,
    how_many,
    how_many_due,
    how_many_worthless,
    keep,
    receive,
    share_out,
    value_all,
    watch_row,
)
from simulator.investors.portfolio.rows import item, row
from simulator.investors.portfolio.state import (
    ASKED,
    CASH,
    DEAD_BAND,
    DUE,
    FLOW,
    GOAL,
    GROWN,
    HELD,
    LEAVE,
    LEAVING,
    MARK,
    MOVED,
    NAV,
    NEVER,
    NOTHING,
    OUT,
    OWED,
    PARKED,
    PEAK,
    PENDING,
    SINCE,
    STATUS,
    STOPS,
    UNITS,
    WAKE,
    WHOLE,
    Book,
    Plan,
    State,
    Traces,
    Trades,
)
from simulator.investors.portfolio.trades import (
    INVEST,
    RESTORE,
    ask,
    buy,
    leaving_value,
    raise_cash,
    sell,
    sellable_units,
    total,
    trade,
)
from simulator.jit import kernel
from simulator.units import FloatArray


@kernel
def aim(plan: Plan, state: State, k: int) -> None:
    """Set the weights that are meant: what was stopped out is parked elsewhere."""
    stopped = 0.0
    for h in range(plan.weights.shape[0]):
        held = state.clock[STATUS, h, k] == HELD
        state.held[GOAL, h, k] = plan.weights[h] if held else 0.0
        stopped += 0.0 if held else plan.weights[h]
    if plan.park != NOTHING:
        state.held[GOAL, plan.park, k] += stopped


@kernel
def fill_sales(book: Book, plan: Plan, state: State, trades: Trades, step: int, k: int) -> None:
    """Sell what was asked for, as far as it can be; the rest goes on waiting."""
    for h in range(book.at.shape[0]):
        if state.held[ASKED, h, k] <= 0.0 or step < state.clock[DUE, h, k]:
            continue
        units = min(state.held[ASKED, h, k], sellable_units(book, state, h, step, k))
        proceeds = sell(book, state, trades, h, step, k, units) if units > 0.0 else 0.0
        state.held[ASKED, h, k] = min(state.held[ASKED, h, k] - units, state.held[UNITS, h, k])
        # nobody buys what is worth nothing: it is kept, and no longer waited for
        worthless = item(book.rows, h, step, k) <= 0.0
        state.held[ASKED, h, k] = 0.0 if worthless else state.held[ASKED, h, k]
        if state.clock[STATUS, h, k] == LEAVING:
            state.purse[PARKED, k] += proceeds if plan.park != NOTHING else 0.0
            if state.held[UNITS, h, k] <= 0.0 or worthless:
                state.clock[STATUS, h, k] = OUT
                state.clock[SINCE, h, k] = step
    leaving = False
    for h in range(book.at.shape[0]):
        leaving = leaving or state.clock[STATUS, h, k] == LEAVING
    if state.flags[WHOLE, k] == LEAVING and not leaving:
        state.flags[WHOLE, k] = OUT


@kernel
def park(book: Book, plan: Plan, state: State, trades: Trades, step: int, k: int) -> None:
    """Put what stops brought into the holding that takes it."""
    if plan.park == NOTHING or state.purse[PARKED, k] <= 0.0 or not book.is_open[plan.park, step]:
        return
    spent = min(state.purse[PARKED, k], state.purse[CASH, k])
    if spent > 0.0:
        buy(book, state, trades, plan.park, step, k, spent / (1.0 + book.buy_cost[plan.park]))
    state.purse[PARKED, k] = 0.0


@kernel
def reenter(book: Book, plan: Plan, state: State, step: int, k: int) -> None:
    """Take back into the plan what was stopped out long enough ago."""
    if plan.reenter_days == 0:
        return
    again = False
    for h in range(book.at.shape[0]):
        waited = step - state.clock[SINCE, h, k] >= plan.reenter_days
        if state.clock[STATUS, h, k] == OUT and waited and state.flags[WHOLE, k] != LEAVING:
            state.clock[STATUS, h, k] = HELD
            again = True
    if again:
        aim(plan, state, k)
        state.flags[PENDING, k] = RESTORE
        if state.flags[WHOLE, k] == OUT:
            state.flags[WHOLE, k] = HELD
            state.purse[PEAK, k] = state.purse[GROWN, k]


@kernel
def move_money(book: Book, plan: Plan, state: State, trades: Trades, step: int, k: int) -> None:
    """Take in what is put in, pay out what is withdrawn as far as that can be raised."""
    amount = plan.flows[step]
    if amount > 0.0:
        state.purse[CASH, k] += amount
        state.purse[FLOW, k] += amount
        state.flags[PENDING, k] = max(state.flags[PENDING, k], INVEST)
    elif amount < 0.0:
        state.purse[OWED, k] -= amount
    if state.purse[OWED, k] <= 0.0:
        return
    if state.purse[OWED, k] > state.purse[CASH, k] and book.is_open[-1, step]:
        raise_cash(book, state, trades, step, k, state.purse[OWED, k] - state.purse[CASH, k])
    paid = min(state.purse[OWED, k], max(state.purse[CASH, k], 0.0))
    state.purse[CASH, k] -= paid
    state.purse[OWED, k] -= paid
    state.purse[FLOW, k] -= paid


@kernel
def stop(book: Book, state: State, h: int, step: int, k: int) -> None:
    """Ask for all of a holding to be sold from the next step on."""
    state.clock[STATUS, h, k] = LEAVING
    ask(book, state, h, step + 1, k, state.held[UNITS, h, k])


@kernel
def stop_all(book: Book, plan: Plan, state: State, step: int, k: int) -> None:
    """Stop the whole portfolio, but for the holding that takes the proceeds."""
    state.flags[WHOLE, k] = LEAVING
    state.flags[WAKE, k] = step + 1
    for h in range(book.at.shape[0]):
        if h != plan.park and state.clock[STATUS, h, k] == HELD:
            stop(book, state, h, step, k)
    aim(plan, state, k)
    state.flags[STOPS, k] += 1


@kernel
def attend(book: Book, plan: Plan, state: State, trades: Trades, step: int, k: int) -> None:
    """Do what waits on a path: sales, parking, the way back in, payments."""
    fill_sales(book, plan, state, trades, step, k)
    park(book, plan, state, trades, step, k)
    reenter(book, plan, state, step, k)
    move_money(book, plan, state, trades, step, k)
    waits = state.purse[OWED, k] > 0.0 or state.flags[WHOLE, k] == LEAVING
    state.flags[WAKE, k] = step + 1 if waits or state.purse[PARKED, k] > 0.0 else NEVER
    for h in range(book.at.shape[0]):
        if state.held[ASKED, h, k] > 0.0:
            # what is locked up or shut is waited for on many paths and for many days
            due = max(state.clock[DUE, h, k], book.next_sale[h, step + 1])
            state.flags[WAKE, k] = min(state.flags[WAKE, k], due)
        if plan.reenter_days > 0 and state.clock[STATUS, h, k] == OUT:
            back = state.clock[SINCE, h, k] + plan.reenter_days
            state.flags[WAKE, k] = min(state.flags[WAKE, k], max(back, step + 1))


@kernel
def begin(book: Book, plan: Plan, state: State, trades: Trades, wanted: FloatArray, k: int) -> None:
    """Buy the portfolio at the start; every market counts as open then.

    `wanted` is scratch of shape (n_holdings,).
    """
    state.purse[CASH, k] = plan.capital
    state.purse[GROWN, k] = 1.0
    state.purse[PEAK, k] = 1.0
    aim(plan, state, k)
    state.flags[PENDING, k] = INVEST
    trade(book, state, trades, wanted, 0, k)
    state.flags[PENDING, k] = 0


@kernel
def watch(
    book: Book, plan: Plan, state: State, trades: Trades, fell: FloatArray, step: int
) -> None:
    """Look at the day's prices: what has fallen to its stop is sold from the next step on.

    `fell` is scratch of shape (n_paths,).
    """
    if plan.holding_stop > 0.0:
        for h in range(book.at.shape[0]):
            if h != plan.park and watch_row(book, plan, state, trades, fell, h, step) > 0:
                for k in range(fell.shape[0]):
                    if fell[k] > 0.0:
                        stop(book, state, h, step, k)
                        aim(plan, state, k)
                        state.flags[STOPS, k] += 1
    if plan.portfolio_stop <= 0.0:
        return
    flags, purse = state.flags, state.purse
    floor = (1.0 - plan.portfolio_stop) * (1.0 - DEAD_BAND)
    for k in range(purse.shape[1]):
        if flags[WHOLE, k] != HELD:
            continue
        if plan.from_peak:
            purse[PEAK, k] = max(purse[PEAK, k], purse[GROWN, k])
        if purse[GROWN, k] < purse[PEAK, k] * floor:
            stop_all(book, plan, state, step, k)


@kernel
def wake_the_worthless(book: Book, state: State, step: int) -> None:
    """Wake who waits to sell what can be sold by nobody any more, though it is shut."""
    wake = state.flags[WAKE]
    for h in range(book.at.shape[0]):
        if book.next_sale[h, step] != step and how_many_worthless(row(book.rows, h, step)) > 0:
            for k in range(wake.shape[0]):
                asked = state.held[ASKED, h, k] > 0.0 and step >= state.clock[DUE, h, k]
                if asked and item(book.rows, h, step, k) <= 0.0:
                    wake[k] = min(wake[k], step)


@kernel
def attend_all(
    book: Book, plan: Plan, state: State, trades: Trades, scheduled: bool, step: int
) -> None:
    """Do what waits on the paths on which something does."""
    wake_the_worthless(book, state, step)
    due = state.flags[WAKE]
    if not scheduled and how_many_due(due, step) == 0:
        return
    for k in range(due.shape[0]):
        if scheduled or step >= due[k]:
            attend(book, plan, state, trades, step, k)


@kernel
def trade_all(
    book: Book,
    state: State,
    trades: Trades,
    wanted: FloatArray,
    value: FloatArray,
    leave: FloatArray,
    step: int,
) -> None:
    """Trade where weights are to be restored or money is to be invested, and value it again.

    `wanted` is scratch of shape (n_holdings,); `value` and `leave`, at mark and at exit, are of
    shape (n_paths,), USD.
    """
    pending = state.flags[PENDING]
    if not book.is_open[-1, step] or how_many(pending) == 0:
        return
    for k in range(pending.shape[0]):
        if pending[k] > 0:
            trade(book, state, trades, wanted, step, k)
            pending[k] = 0
            value[k] = total(book, state, step, k)
            leave[k] = leaving_value(book, state, step, k)


@kernel
def run(
    book: Book, plan: Plan, state: State, trades: Trades, traces: Traces, wanted: FloatArray
) -> None:
    """Run all paths of a block over all steps.

    Days on which nothing happens to a path only cost its valuation; `wanted` is scratch of
    shape (n_holdings,).
    """
    n_steps, n_paths = book.rows.n_rows - 1, book.rows.n_paths
    value, scratch = np.empty(n_paths), np.zeros(-(-n_paths // 8) * 8)
    day, worth = scratch[:n_paths], traces.worth
    for k in range(n_paths):
        begin(book, plan, state, trades, wanted, k)
    for step in range(n_steps + 1):
        if step > 0:
            receive(book, state, step)
        is_open = 0 < step < n_steps
        if is_open:
            attend_all(book, plan, state, trades, plan.flows[step] != 0.0, step)
        value_all(book, state, value, worth[LEAVE, step], step)
        if is_open:
            check_weights(book, plan, state, value, step)
            trade_all(book, state, trades, wanted, value, worth[LEAVE, step], step)
        if step > 0 and plan.portfolio_stop > 0.0:
            grow(state.purse, value)
        state.purse[NAV] = value
        worth[MARK, step] = value
        keep(state, traces, step)
        if traces.shares.shape[1] > 0:
            share_out(book, state, traces, value, scratch, step)
        state.purse[FLOW] = 0.0
        state.purse[MOVED] = 0.0
        if step < n_steps:
            watch(book, plan, state, trades, day, step)
