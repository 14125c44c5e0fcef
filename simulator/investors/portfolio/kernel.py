"""A portfolio day by day: income, stops, flows, rebalancing, value (see docs/investors.md).

A function with a path `k` works on that path alone on one step, the others on a whole row
of paths; what they read and write is described in `state`.
"""

from __future__ import annotations

import numpy as np

from simulator.investors.portfolio.state import (
    DEAD_BAND,
    HELD,
    LEAVING,
    NEVER,
    NOTHING,
    OUT,
    Book,
    Plan,
    State,
    Traces,
)
from simulator.mechanics.jit import inlined, kernel
from simulator.units import FloatArray

INVEST, RESTORE = 1, 2
"""Values of `State.pending`."""


@inlined
def sellable_units(book: Book, state: State, h: int, step: int, k: int) -> float:
    """Return the units that could be sold at once: none where it is shut or worthless."""
    shut = not book.is_open[h, step] or step < book.lockup[h]
    if shut or book.mark[h, step, k] <= 0.0:
        return 0.0
    row = book.sellable_at[h]
    share = 1.0 if row == NOTHING else book.sellable[row, step, k]
    units: float = state.units[h, k] * share
    return units


@inlined
def sale_price(book: Book, h: int, step: int, k: int) -> float:
    """Return what selling a unit pays, less commission."""
    row = book.sale_at[h]
    price = book.leave[h, step, k] if row == NOTHING else book.sale[row, step, k]
    paid: float = price * (1.0 - book.commission)
    return paid


@kernel
def sell(
    book: Book, state: State, traces: Traces, h: int, step: int, k: int, units: float
) -> float:
    """Sell `units` of a holding; return the proceeds, which are cash now."""
    if units <= 0.0:
        return 0.0
    mark = units * book.mark[h, step, k]
    proceeds = units * sale_price(book, h, step, k)
    all_of_it = units >= state.units[h, k]
    state.units[h, k] = 0.0 if all_of_it else state.units[h, k] - units
    state.cash[k] += proceeds
    traces.costs[h, k] += proceeds - mark
    traces.turnover[step, k] += mark
    if traces.sold.shape[1] > 0:
        traces.sold[h, step, k] += units
    return proceeds


@kernel
def buy(book: Book, state: State, traces: Traces, h: int, step: int, k: int, value: float) -> None:
    """Buy `value` dollars of a holding at mark; what is paid on top comes out of cash too."""
    if value <= 0.0 or book.mark[h, step, k] <= 0.0:
        return
    if state.units[h, k] <= 0.0:
        state.reference[h, k] = book.mark[h, step, k]
    units = value / book.mark[h, step, k]
    state.units[h, k] += units
    if traces.bought.shape[1] > 0:
        traces.bought[h, step, k] += units
    state.cash[k] -= value * (1.0 + book.buy_cost[h])
    traces.costs[h, k] -= value * book.buy_cost[h]
    traces.turnover[step, k] += value


@inlined
def ask(book: Book, state: State, h: int, step: int, k: int, units: float) -> None:
    """Ask for a sale after the notice that the holding wants."""
    state.asked[h, k] = units
    state.due[h, k] = step + book.notice[h]
    state.wake[k] = min(state.wake[k], state.due[h, k])


@inlined
def total(book: Book, state: State, step: int, k: int) -> float:
    """Return the net asset value at mark: cash, and every holding."""
    value: float = state.cash[k]
    for h in range(book.mark.shape[0]):
        value += state.units[h, k] * book.mark[h, step, k]
    return value


@kernel
def aim(plan: Plan, state: State, k: int) -> None:
    """Set the weights that are meant: what was stopped out is parked elsewhere."""
    stopped = 0.0
    for h in range(plan.weights.shape[0]):
        held = state.status[h, k] == HELD
        state.goal[h, k] = plan.weights[h] if held else 0.0
        stopped += 0.0 if held else plan.weights[h]
    if plan.park != NOTHING:
        state.goal[plan.park, k] += stopped


@kernel
def fill_sales(book: Book, plan: Plan, state: State, traces: Traces, step: int, k: int) -> None:
    """Sell what was asked for, as far as it can be; the rest goes on waiting."""
    for h in range(book.mark.shape[0]):
        if state.asked[h, k] <= 0.0 or step < state.due[h, k]:
            continue
        units = min(state.asked[h, k], sellable_units(book, state, h, step, k))
        proceeds = sell(book, state, traces, h, step, k, units)
        state.asked[h, k] = min(state.asked[h, k] - units, state.units[h, k])
        # nobody buys what is worth nothing: it is kept, and no longer waited for
        worthless = book.mark[h, step, k] <= 0.0
        state.asked[h, k] = 0.0 if worthless else state.asked[h, k]
        if state.status[h, k] == LEAVING:
            state.parked[k] += proceeds if plan.park != NOTHING else 0.0
            if state.units[h, k] <= 0.0 or worthless:
                state.status[h, k] = OUT
                state.since[h, k] = step
    leaving = False
    for h in range(book.mark.shape[0]):
        leaving = leaving or state.status[h, k] == LEAVING
    if state.whole[k] == LEAVING and not leaving:
        state.whole[k] = OUT


@kernel
def park(book: Book, plan: Plan, state: State, traces: Traces, step: int, k: int) -> None:
    """Put what stops brought into the holding that takes it."""
    if plan.park == NOTHING or state.parked[k] <= 0.0 or not book.is_open[plan.park, step]:
        return
    spent = min(state.parked[k], state.cash[k])
    buy(book, state, traces, plan.park, step, k, spent / (1.0 + book.buy_cost[plan.park]))
    state.parked[k] = 0.0


@kernel
def reenter(book: Book, plan: Plan, state: State, step: int, k: int) -> None:
    """Take back into the plan what was stopped out long enough ago."""
    if plan.reenter_days == 0:
        return
    again = False
    for h in range(book.mark.shape[0]):
        waited = step - state.since[h, k] >= plan.reenter_days
        if state.status[h, k] == OUT and waited and state.whole[k] != LEAVING:
            state.status[h, k] = HELD
            again = True
    if again:
        aim(plan, state, k)
        state.pending[k] = RESTORE
        if state.whole[k] == OUT:
            state.whole[k] = HELD
            state.peak[k] = state.grown[k]


@kernel
def move_money(book: Book, plan: Plan, state: State, traces: Traces, step: int, k: int) -> None:
    """Take in what is put in, pay out what is withdrawn as far as that can be raised."""
    amount = plan.flows[step]
    if amount > 0.0:
        state.cash[k] += amount
        traces.flows[step, k] += amount
        state.pending[k] = max(state.pending[k], INVEST)
    elif amount < 0.0:
        state.owed[k] -= amount
    if state.owed[k] <= 0.0:
        return
    if state.owed[k] > state.cash[k] and book.all_open[step]:
        raise_cash(book, state, traces, step, k, state.owed[k] - state.cash[k])
    paid = min(state.owed[k], max(state.cash[k], 0.0))
    state.cash[k] -= paid
    state.owed[k] -= paid
    traces.flows[step, k] -= paid


@kernel
def raise_cash(book: Book, state: State, traces: Traces, step: int, k: int, wanted: float) -> None:
    """Sell the same share of all that can be sold; ask for the rest where notice is needed."""
    possible = 0.0
    for h in range(book.mark.shape[0]):
        if book.notice[h] == 0:
            possible += sellable_units(book, state, h, step, k) * sale_price(book, h, step, k)
    share = min(1.0, wanted / possible) if possible > 0.0 else 0.0
    for h in range(book.mark.shape[0]):
        if book.notice[h] == 0:
            units = share * sellable_units(book, state, h, step, k)
            sell(book, state, traces, h, step, k, units)
    short = wanted - share * possible
    if short <= 0.0:
        return
    for h in range(book.mark.shape[0]):
        price = sale_price(book, h, step, k)
        if book.notice[h] > 0 and state.asked[h, k] <= 0.0 and price > 0.0:
            units = min(state.units[h, k], short / price)
            ask(book, state, h, step, k, units)
            short -= units * price


@kernel
def trade(book: Book, state: State, traces: Traces, wanted: FloatArray, step: int, k: int) -> None:
    """Bring the holdings to their weights, or only invest what cash there is too much of."""
    value = total(book, state, step, k) - state.owed[k]
    if value <= 0.0:
        return
    if state.pending[k] == RESTORE:
        sell_excess(book, state, traces, step, k, value)
        value = total(book, state, step, k) - state.owed[k]
    invested, cost = 0.0, 0.0
    for h in range(book.mark.shape[0]):
        held = state.units[h, k] * book.mark[h, step, k]
        weight = state.goal[h, k]
        invested += weight
        lacks = state.status[h, k] == HELD and state.asked[h, k] <= 0.0
        wanted[h] = max(0.0, weight * value - held) if lacks else 0.0
        cost += wanted[h] * (1.0 + book.buy_cost[h])
    spare = state.cash[k] - state.owed[k] - state.parked[k] - max(0.0, 1.0 - invested) * value
    scale = min(1.0, max(spare, 0.0) / cost) if cost > 0.0 else 0.0
    for h in range(book.mark.shape[0]):
        buy(book, state, traces, h, step, k, scale * wanted[h])


@kernel
def sell_excess(book: Book, state: State, traces: Traces, step: int, k: int, value: float) -> None:
    """Sell what is above its weight, or ask for it where that takes notice."""
    for h in range(book.mark.shape[0]):
        mark = book.mark[h, step, k]
        over = state.units[h, k] * mark - state.goal[h, k] * value
        if over <= 0.0 or mark <= 0.0 or state.status[h, k] != HELD or state.asked[h, k] > 0.0:
            continue
        if book.notice[h] > 0:
            ask(book, state, h, step, k, over / mark)
        else:
            units = min(over / mark, sellable_units(book, state, h, step, k))
            sell(book, state, traces, h, step, k, units)


@kernel
def stop(book: Book, state: State, h: int, step: int, k: int) -> None:
    """Ask for all of a holding to be sold from the next step on."""
    state.status[h, k] = LEAVING
    ask(book, state, h, step + 1, k, state.units[h, k])


@kernel
def stop_all(book: Book, plan: Plan, state: State, step: int, k: int) -> None:
    """Stop the whole portfolio, but for the holding that takes the proceeds."""
    state.whole[k] = LEAVING
    state.wake[k] = step + 1
    for h in range(book.mark.shape[0]):
        if h != plan.park and state.status[h, k] == HELD:
            stop(book, state, h, step, k)


@kernel
def attend(book: Book, plan: Plan, state: State, traces: Traces, step: int, k: int) -> None:
    """Do what waits on a path: sales, parking, the way back in, payments."""
    fill_sales(book, plan, state, traces, step, k)
    park(book, plan, state, traces, step, k)
    reenter(book, plan, state, step, k)
    move_money(book, plan, state, traces, step, k)
    waits = state.owed[k] > 0.0 or state.parked[k] > 0.0 or state.whole[k] == LEAVING
    state.wake[k] = step + 1 if waits else NEVER
    for h in range(book.mark.shape[0]):
        if state.asked[h, k] > 0.0:
            state.wake[k] = min(state.wake[k], max(state.due[h, k], step + 1))
        if plan.reenter_days > 0 and state.status[h, k] == OUT:
            back = state.since[h, k] + plan.reenter_days
            state.wake[k] = min(state.wake[k], max(back, step + 1))


@kernel
def begin(book: Book, plan: Plan, state: State, traces: Traces, wanted: FloatArray, k: int) -> None:
    """Buy the portfolio at the start; every market counts as open then."""
    state.cash[k] = plan.capital
    state.grown[k] = 1.0
    state.peak[k] = 1.0
    aim(plan, state, k)
    state.pending[k] = INVEST
    trade(book, state, traces, wanted, 0, k)
    state.pending[k] = 0


@kernel
def value_all(
    mark: FloatArray, units: FloatArray, cash: FloatArray, out: FloatArray, step: int
) -> None:
    """Write the net asset values of a step at `mark` to `out`, shape (n_paths,)."""
    for k in range(out.shape[0]):
        out[k] = cash[k]
    for h in range(mark.shape[0]):
        for k in range(out.shape[0]):
            out[k] += units[h, k] * mark[h, step, k]


@kernel
def receive(book: Book, state: State, step: int) -> None:
    """Take the day's income into cash."""
    units, cash, income = state.units, state.cash, book.income
    for h in range(units.shape[0]):
        row = book.income_at[h]
        if row != NOTHING:
            for k in range(cash.shape[0]):
                cash[k] += units[h, k] * income[row, step, k]


@kernel
def check_weights(book: Book, plan: Plan, state: State, value: FloatArray, step: int) -> None:
    """Set off a rebalancing by the calendar or by the band; `value` is that of the step."""
    units, goal, pending, mark = state.units, state.goal, state.pending, book.mark
    if plan.every_days > 0 and step % plan.every_days == 0:
        pending[:] = RESTORE
    if plan.band <= 0.0:
        return
    for h in range(units.shape[0]):
        for k in range(value.shape[0]):
            gap = abs(units[h, k] * mark[h, step, k] - goal[h, k] * value[k])
            if gap > plan.band * value[k]:
                pending[k] = RESTORE


@kernel
def observe(book: Book, state: State, traces: Traces, value: FloatArray, step: int) -> None:
    """Keep the day's values, and grow the value of a unit put in."""
    value_all(book.mark, state.units, state.cash, value, step)
    nav, grown, flows, kept = state.nav, state.grown, traces.flows, traces.nav
    for k in range(value.shape[0]):
        before = nav[k]
        if step > 0:
            growth = (value[k] - flows[step, k]) / before if before > 0.0 else 0.0
            grown[k] *= max(growth, 0.0)
        nav[k] = value[k]
        kept[step, k] = value[k]
    cash, leave, units, held = state.cash, traces.leave, state.units, traces.units
    value_all(book.leave, units, cash, value, step)
    for k in range(value.shape[0]):
        leave[step, k] = cash[k] + (value[k] - cash[k]) * (1.0 - book.commission)
        traces.cash[step, k] = cash[k]
    for h in range(units.shape[0]):
        for k in range(value.shape[0]):
            held[h, step, k] = units[h, k]


@kernel
def watch(book: Book, plan: Plan, state: State, traces: Traces, step: int) -> None:
    """Look at the day's prices: what has fallen to its stop is sold from the next step on."""
    n_holdings, n_paths = state.units.shape
    if plan.holding_stop > 0.0:
        for h in range(n_holdings):
            if h != plan.park:
                watch_holding(book, plan, state, traces, h, step)
    if plan.portfolio_stop <= 0.0:
        return
    whole, peak, grown = state.whole, state.peak, state.grown
    floor = (1.0 - plan.portfolio_stop) * (1.0 - DEAD_BAND)
    for k in range(n_paths):
        if whole[k] != HELD:
            continue
        if plan.from_peak:
            peak[k] = max(peak[k], grown[k])
        if grown[k] < peak[k] * floor:
            stop_all(book, plan, state, step, k)
            aim(plan, state, k)
            traces.stops[k] += 1


@kernel
def watch_holding(book: Book, plan: Plan, state: State, traces: Traces, h: int, step: int) -> None:
    """Look at one holding's price on every path."""
    status, units, reference, mark = state.status, state.units, state.reference, book.mark
    level = traces.level
    left = 1.0 - plan.holding_stop
    for k in range(units.shape[1]):
        if status[h, k] != HELD or units[h, k] <= 0.0:
            continue
        price = mark[h, step, k]
        if plan.from_peak:
            reference[h, k] = max(reference[h, k], price)
        if level.shape[1] > 0:
            level[h, step, k] = reference[h, k] * left
        if price < reference[h, k] * left * (1.0 - DEAD_BAND):
            stop(book, state, h, step, k)
            aim(plan, state, k)
            traces.stops[k] += 1


@kernel
def run(book: Book, plan: Plan, state: State, traces: Traces, wanted: FloatArray) -> None:
    """Run all paths of a block over all steps.

    Days on which nothing happens to a path only cost its valuation; `wanted` is scratch of
    shape (n_holdings,).
    """
    n_steps, n_paths = book.mark.shape[1] - 1, book.mark.shape[2]
    value = np.empty(n_paths)
    wake, pending = state.wake, state.pending
    for k in range(n_paths):
        begin(book, plan, state, traces, wanted, k)
    observe(book, state, traces, value, 0)
    watch(book, plan, state, traces, 0)
    for step in range(1, n_steps + 1):
        receive(book, state, step)
        if step < n_steps:
            scheduled = plan.flows[step] != 0.0
            for k in range(n_paths):
                if scheduled or step >= wake[k]:
                    attend(book, plan, state, traces, step, k)
            value_all(book.mark, state.units, state.cash, value, step)
            check_weights(book, plan, state, value, step)
            for k in range(n_paths):
                if pending[k] > 0 and book.all_open[step]:
                    trade(book, state, traces, wanted, step, k)
                    pending[k] = 0
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
