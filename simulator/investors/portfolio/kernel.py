"""A portfolio day by day: income, stops, flows, rebalancing, value (see docs/investors.md).

A function with a path `k` works on that path alone on one step, the others on a whole row
of paths; what they read and write is described in `state`.
"""

from __future__ import annotations

import numpy as np

from simulator.investors.portfolio.state import (
    ASKED,
    CASH,
    DEAD_BAND,
    DUE,
    FLOWS,
    GOAL,
    GROWN,
    HELD,
    IN_CASH,
    INCOME,
    LEAVE,
    LEAVING,
    LEVEL,
    MARK,
    NAV,
    NEVER,
    NOTHING,
    OUT,
    OWED,
    PARKED,
    PEAK,
    PENDING,
    REFERENCE,
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
)
from simulator.investors.portfolio.trades import (
    INVEST,
    RESTORE,
    ask,
    buy,
    raise_cash,
    sell,
    sellable_units,
    trade,
)
from simulator.mechanics.jit import kernel
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
def fill_sales(book: Book, plan: Plan, state: State, traces: Traces, step: int, k: int) -> None:
    """Sell what was asked for, as far as it can be; the rest goes on waiting."""
    for h in range(book.at.shape[0]):
        if state.held[ASKED, h, k] <= 0.0 or step < state.clock[DUE, h, k]:
            continue
        units = min(state.held[ASKED, h, k], sellable_units(book, state, h, step, k))
        proceeds = sell(book, state, traces, h, step, k, units)
        state.held[ASKED, h, k] = min(state.held[ASKED, h, k] - units, state.held[UNITS, h, k])
        # nobody buys what is worth nothing: it is kept, and no longer waited for
        worthless = book.prices[h, step, k] <= 0.0
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
def park(book: Book, plan: Plan, state: State, traces: Traces, step: int, k: int) -> None:
    """Put what stops brought into the holding that takes it."""
    if plan.park == NOTHING or state.purse[PARKED, k] <= 0.0 or not book.is_open[plan.park, step]:
        return
    spent = min(state.purse[PARKED, k], state.purse[CASH, k])
    buy(book, state, traces, plan.park, step, k, spent / (1.0 + book.buy_cost[plan.park]))
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
def move_money(book: Book, plan: Plan, state: State, traces: Traces, step: int, k: int) -> None:
    """Take in what is put in, pay out what is withdrawn as far as that can be raised."""
    amount = plan.flows[step]
    if amount > 0.0:
        state.purse[CASH, k] += amount
        traces.days[FLOWS, step, k] += amount
        state.flags[PENDING, k] = max(state.flags[PENDING, k], INVEST)
    elif amount < 0.0:
        state.purse[OWED, k] -= amount
    if state.purse[OWED, k] <= 0.0:
        return
    if state.purse[OWED, k] > state.purse[CASH, k] and book.is_open[-1, step]:
        raise_cash(book, state, traces, step, k, state.purse[OWED, k] - state.purse[CASH, k])
    paid = min(state.purse[OWED, k], max(state.purse[CASH, k], 0.0))
    state.purse[CASH, k] -= paid
    state.purse[OWED, k] -= paid
    traces.days[FLOWS, step, k] -= paid


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
def attend(book: Book, plan: Plan, state: State, traces: Traces, step: int, k: int) -> None:
    """Do what waits on a path: sales, parking, the way back in, payments."""
    fill_sales(book, plan, state, traces, step, k)
    park(book, plan, state, traces, step, k)
    reenter(book, plan, state, step, k)
    move_money(book, plan, state, traces, step, k)
    waits = (
        state.purse[OWED, k] > 0.0
        or state.purse[PARKED, k] > 0.0
        or state.flags[WHOLE, k] == LEAVING
    )
    state.flags[WAKE, k] = step + 1 if waits else NEVER
    for h in range(book.at.shape[0]):
        if state.held[ASKED, h, k] > 0.0:
            state.flags[WAKE, k] = min(state.flags[WAKE, k], max(state.clock[DUE, h, k], step + 1))
        if plan.reenter_days > 0 and state.clock[STATUS, h, k] == OUT:
            back = state.clock[SINCE, h, k] + plan.reenter_days
            state.flags[WAKE, k] = min(state.flags[WAKE, k], max(back, step + 1))


@kernel
def begin(book: Book, plan: Plan, state: State, traces: Traces, wanted: FloatArray, k: int) -> None:
    """Buy the portfolio at the start; every market counts as open then."""
    state.purse[CASH, k] = plan.capital
    state.purse[GROWN, k] = 1.0
    state.purse[PEAK, k] = 1.0
    aim(plan, state, k)
    state.flags[PENDING, k] = INVEST
    trade(book, state, traces, wanted, 0, k)
    state.flags[PENDING, k] = 0


@kernel
def value_all(
    prices: FloatArray,
    first: int,
    held: FloatArray,
    purse: FloatArray,
    out: FloatArray,
    step: int,
) -> None:
    """Write cash and holdings at the prices from row `first` on to `out`, shape (n_paths,)."""
    for k in range(out.shape[0]):
        out[k] = purse[CASH, k]
    for h in range(held.shape[1]):
        for k in range(out.shape[0]):
            out[k] += held[UNITS, h, k] * prices[first + h, step, k]


@kernel
def receive(book: Book, state: State, step: int) -> None:
    """Take the day's income into cash."""
    held, purse, prices = state.held, state.purse, book.prices
    for h in range(held.shape[1]):
        row = book.at[h, INCOME]
        if row != NOTHING:
            for k in range(purse.shape[1]):
                purse[CASH, k] += held[UNITS, h, k] * prices[row, step, k]


@kernel
def check_weights(book: Book, plan: Plan, state: State, value: FloatArray, step: int) -> None:
    """Set off a rebalancing by the calendar or by the band; `value` is that of the step."""
    held, flags, prices = state.held, state.flags, book.prices
    if plan.every_days > 0 and step % plan.every_days == 0:
        flags[PENDING] = RESTORE
    if plan.band <= 0.0:
        return
    for h in range(held.shape[1]):
        for k in range(value.shape[0]):
            gap = abs(held[UNITS, h, k] * prices[h, step, k] - held[GOAL, h, k] * value[k])
            if gap > plan.band * value[k]:
                flags[PENDING, k] = RESTORE


@kernel
def observe(book: Book, state: State, traces: Traces, value: FloatArray, step: int) -> None:
    """Keep the day's values, and grow the value of a unit put in."""
    held, purse, days, units = state.held, state.purse, traces.days, traces.units
    value_all(book.prices, 0, held, purse, value, step)
    for k in range(value.shape[0]):
        before = purse[NAV, k]
        if step > 0:
            growth = (value[k] - days[FLOWS, step, k]) / before if before > 0.0 else 0.0
            purse[GROWN, k] *= max(growth, 0.0)
        purse[NAV, k] = value[k]
        days[MARK, step, k] = value[k]
    n_holdings = held.shape[1]
    value_all(book.prices, n_holdings, held, purse, value, step)
    for k in range(value.shape[0]):
        sold = (value[k] - purse[CASH, k]) * (1.0 - book.commission)
        days[LEAVE, step, k] = purse[CASH, k] + sold
        days[IN_CASH, step, k] = purse[CASH, k]
    for h in range(n_holdings):
        for k in range(value.shape[0]):
            units[h, step, k] = held[UNITS, h, k]


@kernel
def watch(book: Book, plan: Plan, state: State, traces: Traces, step: int) -> None:
    """Look at the day's prices: what has fallen to its stop is sold from the next step on."""
    if plan.holding_stop > 0.0:
        watch_holdings(book, plan, state, traces, step)
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
def watch_holdings(book: Book, plan: Plan, state: State, traces: Traces, step: int) -> None:
    """Look at every holding's price on every path."""
    held, clock, prices, record = state.held, state.clock, book.prices, traces.record
    left = 1.0 - plan.holding_stop
    for h in range(held.shape[1]):
        if h == plan.park:
            continue
        for k in range(held.shape[2]):
            if clock[STATUS, h, k] != HELD or held[UNITS, h, k] <= 0.0:
                continue
            price = prices[h, step, k]
            if plan.from_peak:
                held[REFERENCE, h, k] = max(held[REFERENCE, h, k], price)
            level = held[REFERENCE, h, k] * left
            if record.shape[2] > 0:
                record[LEVEL, h, step, k] = level
            if price < level * (1.0 - DEAD_BAND):
                stop(book, state, h, step, k)
                aim(plan, state, k)
                state.flags[STOPS, k] += 1


@kernel
def run(book: Book, plan: Plan, state: State, traces: Traces, wanted: FloatArray) -> None:
    """Run all paths of a block over all steps.

    Days on which nothing happens to a path only cost its valuation; `wanted` is scratch of
    shape (n_holdings,).
    """
    n_steps, n_paths = book.prices.shape[1] - 1, book.prices.shape[2]
    value, flags = np.empty(n_paths), state.flags
    for k in range(n_paths):
        begin(book, plan, state, traces, wanted, k)
    observe(book, state, traces, value, 0)
    watch(book, plan, state, traces, 0)
    for step in range(1, n_steps + 1):
        receive(book, state, step)
        if step < n_steps:
            scheduled = plan.flows[step] != 0.0
            for k in range(n_paths):
                if scheduled or step >= flags[WAKE, k]:
                    attend(book, plan, state, traces, step, k)
            value_all(book.prices, 0, state.held, state.purse, value, step)
            check_weights(book, plan, state, value, step)
            for k in range(n_paths):
                if flags[PENDING, k] > 0 and book.is_open[-1, step]:
                    trade(book, state, traces, wanted, step, k)
                    flags[PENDING, k] = 0
        observe(book, state, traces, value, step)
        if step < n_steps:
            watch(book, plan, state, traces, step)


@kernel
def attribute(units: FloatArray, gains: FloatArray, brought: FloatArray, held: FloatArray) -> None:
    """Add up what each source brought to the units held overnight, and to a unit held always.

    Parameters
    ----------
    units : (n_steps + 1, n_paths), at the end of each step
    gains : (n_sources, n_steps + 1, n_paths), of a unit
    brought, held : (n_sources, n_paths)
        Added to: units times gains from step 1 on; gains from step 0 on.
    """
    n_sources, n_rows, n_paths = gains.shape
    for source in range(n_sources):
        for k in range(n_paths):
            held[source, k] += gains[source, 0, k]
        for step in range(1, n_rows):
            for k in range(n_paths):
                held[source, k] += gains[source, step, k]
            for k in range(n_paths):
                brought[source, k] += units[step - 1, k] * gains[source, step, k]
