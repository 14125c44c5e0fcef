"""A portfolio day by day: income, stops, flows, rebalancing, value (see docs/investors.md).

A function with a path `k` works on the WIDTH paths from `k` on on one step, in the lanes of a mask
`where` alone, the others on all paths; what they read and write is described in `state`. Masks
take the place of branches: a branch is there only to pass over what happens on none of the lanes.
"""

from __future__ import annotations

from simulator.investors.portfolio.days import (
    check_weights,
    grow,
    keep,
    receive,
    share_out,
    value,
)
from simulator.investors.portfolio.rows import item
from simulator.investors.portfolio.state import (
    ASKED,
    CASH,
    DEAD_BAND,
    DUE,
    FLOW,
    GOAL,
    GROWN,
    HELD,
    INVEST,
    LEAVE,
    LEAVING,
    LEVEL,
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
    REFERENCE,
    RESTORE,
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
    add,
    ask,
    buy,
    buyable,
    leaving_value,
    raise_cash,
    sell,
    sellable_units,
    total,
    trade,
    will_hand_over,
)
from simulator.jit import inlined, kernel
from simulator.mechanics.vectors import (
    WIDTH,
    Mask,
    chosen,
    everywhere,
    get,
    has_any,
    in_turn,
    least,
    lent,
    most,
    put,
    put_where,
    spread,
)
from simulator.units import FloatArray


@inlined
def aim(plan: Plan, state: State, k: int, where: Mask) -> None:
    """Set the weights that are meant: what was stopped out is parked elsewhere."""
    stopped = spread(0.0)
    for h in range(plan.weights.shape[0]):
        held = get(state.held, (STATUS, h, k)) == HELD
        meant = chosen(held, plan.weights[h], 0.0)
        put_where(state.held, (GOAL, h, k), where, meant)
        stopped = stopped + chosen(held, 0.0, plan.weights[h])
    if plan.park != NOTHING:
        add(state.held, (GOAL, plan.park, k), where, stopped)


@kernel
def fill_sales(
    book: Book, plan: Plan, state: State, trades: Trades, step: int, k: int, where: Mask
) -> None:
    """Sell what was asked for, as far as it can be; the rest goes on waiting."""
    for h in range(book.at.shape[0]):
        asked = get(state.held, (ASKED, h, k))
        due = where & (asked > 0.0) & (get(state.held, (DUE, h, k)) <= float(step))
        if not has_any(due):
            continue
        units = least(asked, sellable_units(book, state, h, step, k))
        proceeds = sell(book, state, trades, h, step, k, units, due & (units > 0.0))
        # nobody buys what is worth nothing: it is kept, and no longer waited for
        worthless = item(book.rows, h, step, k) <= 0.0
        held = get(state.held, (UNITS, h, k))
        left = chosen(worthless, 0.0, least(asked - units, held))
        put_where(state.held, (ASKED, h, k), due, left)
        leaves = due & (get(state.held, (STATUS, h, k)) == LEAVING)
        if plan.park != NOTHING:
            add(state.purse, (PARKED, k), leaves, proceeds)
        gone = leaves & ((held <= 0.0) | worthless)
        put(state.held, (STATUS, h, k), chosen(gone, OUT, get(state.held, (STATUS, h, k))))
        put(state.held, (SINCE, h, k), chosen(gone, float(step), get(state.held, (SINCE, h, k))))
    if plan.portfolio_stop <= 0.0:
        return
    whole = get(state.purse, (WHOLE, k))
    out = where & (whole == LEAVING)
    for h in range(book.at.shape[0]):
        out = out & (get(state.held, (STATUS, h, k)) != LEAVING)
    put(state.purse, (WHOLE, k), chosen(out, OUT, whole))


@inlined
def park(
    book: Book, plan: Plan, state: State, trades: Trades, step: int, k: int, where: Mask
) -> None:
    """Put what stops brought into the holding that takes it."""
    if plan.park == NOTHING or not book.is_open[plan.park, step]:
        return
    there = get(state.purse, (PARKED, k))
    parked = buyable(book, plan.park, step, k, there)
    where = where & (parked > 0.0)
    spent = least(parked, get(state.purse, (CASH, k)))
    bought = spent / (1.0 + book.buy_cost[plan.park])
    buy(book, state, trades, plan.park, step, k, bought, where & (spent > 0.0))
    put(state.purse, (PARKED, k), chosen(where, 0.0, there))


@inlined
def reenter(book: Book, plan: Plan, state: State, step: int, k: int, where: Mask) -> None:
    """Take back into the plan what was stopped out long enough ago."""
    if plan.reenter_days == 0:
        return
    whole, latest = get(state.purse, (WHOLE, k)), float(step - plan.reenter_days)
    may, again = where & (whole != LEAVING), where & ~where
    for h in range(book.at.shape[0]):
        status = get(state.held, (STATUS, h, k))
        back = may & (status == OUT) & (get(state.held, (SINCE, h, k)) <= latest)
        put(state.held, (STATUS, h, k), chosen(back, HELD, status))
        again = again | back
    if not has_any(again):
        return
    aim(plan, state, k, again)
    put(state.purse, (PENDING, k), chosen(again, RESTORE, get(state.purse, (PENDING, k))))
    anew = again & (whole == OUT)
    put(state.purse, (WHOLE, k), chosen(anew, HELD, whole))
    put_where(state.purse, (PEAK, k), anew, get(state.purse, (GROWN, k)))


@inlined
def move_money(
    book: Book, plan: Plan, state: State, trades: Trades, step: int, k: int, where: Mask
) -> None:
    """Take in what is put in, pay out what is withdrawn as far as that can be raised."""
    amount = plan.flows[step]
    if amount > 0.0:
        add(state.purse, (CASH, k), where, spread(amount))
        add(state.purse, (FLOW, k), where, spread(amount))
        pending = get(state.purse, (PENDING, k))
        put_where(state.purse, (PENDING, k), where, most(pending, INVEST))
    elif amount < 0.0:
        add(state.purse, (OWED, k), where, spread(-amount))
    owed = get(state.purse, (OWED, k))
    owes = where & (owed > 0.0)
    if not has_any(owes):
        return
    lacks = owes & (owed > get(state.purse, (CASH, k)))
    if book.is_open[-1, step] and has_any(lacks):
        raise_cash(book, state, trades, step, k, owed - get(state.purse, (CASH, k)), lacks)
    paid = least(owed, most(get(state.purse, (CASH, k)), 0.0))
    add(state.purse, (CASH, k), owes, 0.0 - paid)
    add(state.purse, (OWED, k), owes, 0.0 - paid)
    add(state.purse, (FLOW, k), owes, 0.0 - paid)


@inlined
def stop(book: Book, state: State, h: int, step: int, k: int, where: Mask) -> None:
    """Ask for all of a holding to be sold from the next step on."""
    put(state.held, (STATUS, h, k), chosen(where, LEAVING, get(state.held, (STATUS, h, k))))
    ask(book, state, h, step + 1, k, get(state.held, (UNITS, h, k)), where)
    sale = book.next_sale[h, step + 1]
    if sale < NEVER:
        will_hand_over(book, h, int(sale), k)


@inlined
def stop_all(book: Book, plan: Plan, state: State, step: int, k: int, where: Mask) -> None:
    """Stop the whole portfolio, but for the holding that takes the proceeds."""
    put(state.purse, (WHOLE, k), chosen(where, LEAVING, get(state.purse, (WHOLE, k))))
    put(state.purse, (WAKE, k), chosen(where, float(step + 1), get(state.purse, (WAKE, k))))
    for h in range(book.at.shape[0]):
        if h != plan.park:
            held = get(state.held, (STATUS, h, k)) == HELD
            stop(book, state, h, step, k, where & held)
    aim(plan, state, k, where)
    count(state, k, where)


@inlined
def count(state: State, k: int, where: Mask) -> None:
    """Count a stop that was set off."""
    stops = get(state.purse, (STOPS, k))
    put(state.purse, (STOPS, k), chosen(where, stops + 1.0, stops))


@kernel
def attend(
    book: Book, plan: Plan, state: State, trades: Trades, step: int, k: int, where: Mask
) -> None:
    """Do what waits on a path: sales, parking, the way back in, payments."""
    fill_sales(book, plan, state, trades, step, k, where)
    park(book, plan, state, trades, step, k, where)
    reenter(book, plan, state, step, k, where)
    move_money(book, plan, state, trades, step, k, where)
    waits = (get(state.purse, (OWED, k)) > 0.0) | (get(state.purse, (WHOLE, k)) == LEAVING)
    waits = waits | (get(state.purse, (PARKED, k)) > 0.0)
    wake = chosen(waits, float(step + 1), NEVER)
    for h in range(book.at.shape[0]):
        # what is locked up or shut is waited for on many paths and for many days
        sale, due = book.next_sale[h, step + 1], get(state.held, (DUE, h, k))
        due = chosen(due < sale, sale, due)
        asks = get(state.held, (ASKED, h, k)) > 0.0
        wake = chosen(asks & (due < wake), due, wake)
        if plan.reenter_days > 0:
            back = get(state.held, (SINCE, h, k)) + float(plan.reenter_days)
            back = chosen(back < float(step + 1), float(step + 1), back)
            is_out = get(state.held, (STATUS, h, k)) == OUT
            wake = chosen(is_out & (back < wake), back, wake)
    put_where(state.purse, (WAKE, k), where, wake)


@kernel
def begin(book: Book, plan: Plan, state: State, trades: Trades, k: int) -> None:
    """Buy the portfolio at the start; every market counts as open then."""
    state.purse[CASH, k : k + WIDTH] = plan.capital
    state.purse[GROWN, k : k + WIDTH] = 1.0
    state.purse[PEAK, k : k + WIDTH] = 1.0
    aim(plan, state, k, everywhere())
    state.purse[PENDING, k : k + WIDTH] = INVEST
    trade(book, state, trades, 0, k, everywhere())
    state.purse[PENDING, k : k + WIDTH] = 0.0


@inlined
def watch_holdings(book: Book, plan: Plan, state: State, trades: Trades, step: int, k: int) -> None:
    """Look at the day's prices: what has fallen to its stop is sold from the next step on."""
    left, any_fell = 1.0 - plan.holding_stop, everywhere() & ~everywhere()
    for h in range(book.at.shape[0]):
        if h == plan.park:
            continue
        price, reference = item(book.rows, h, step, k), get(state.held, (REFERENCE, h, k))
        held = get(state.held, (STATUS, h, k)) == HELD
        held = held & (get(state.held, (UNITS, h, k)) > 0.0)
        if plan.from_peak:
            reference = chosen(held & (price > reference), price, reference)
            put(state.held, (REFERENCE, h, k), reference)
        if trades.record.shape[2] > 0:
            put_where(trades.record, (LEVEL, h, step, k), held, reference * left)
        fell = held & (price < reference * left * (1.0 - DEAD_BAND))
        if has_any(fell):
            stop(book, state, h, step, k, fell)
            count(state, k, fell)
            any_fell = any_fell | fell
    if has_any(any_fell):
        aim(plan, state, k, any_fell)


@inlined
def watch_whole(book: Book, plan: Plan, state: State, step: int, k: int) -> None:
    """Look at the value of a unit put in: where it fell to its stop all is sold."""
    grown, peak = get(state.purse, (GROWN, k)), get(state.purse, (PEAK, k))
    held = get(state.purse, (WHOLE, k)) == HELD
    if plan.from_peak:
        peak = chosen(held, most(peak, grown), peak)
        put(state.purse, (PEAK, k), peak)
    floor = (1.0 - plan.portfolio_stop) * (1.0 - DEAD_BAND)
    fell = held & (grown < peak * floor)
    if has_any(fell):
        stop_all(book, plan, state, step, k, fell)


@inlined
def wake_the_worthless(book: Book, state: State, step: int, k: int) -> None:
    """Wake who waits to sell what can be sold by nobody any more, though it is shut."""
    for h in range(book.at.shape[0]):
        if book.next_sale[h, step] == step:
            continue
        worthless = item(book.rows, h, step, k) <= 0.0
        if has_any(worthless):
            now, wake = float(step), get(state.purse, (WAKE, k))
            asks = get(state.held, (ASKED, h, k)) > 0.0
            wakes = worthless & asks & (get(state.held, (DUE, h, k)) <= now) & (wake > now)
            put(state.purse, (WAKE, k), chosen(wakes, now, wake))


@kernel
def trade_now(
    book: Book, state: State, trades: Trades, worth: FloatArray, step: int, k: int, where: Mask
) -> None:
    """Restore weights or invest money, and value it again.

    `worth` is of shape (2, n_steps + 1, n_paths), USD.
    """
    trade(book, state, trades, step, k, where)
    pending = get(state.purse, (PENDING, k))
    put(state.purse, (PENDING, k), chosen(where, 0.0, pending))
    put_where(worth, (MARK, step, k), where, total(book, state, step, k))
    put_where(worth, (LEAVE, step, k), where, leaving_value(book, state, step, k))


@kernel
def run(book: Book, plan: Plan, state: State, trades: Trades, traces: Traces) -> None:
    """Run all paths of a block over all steps.

    Days on which nothing happens to a path only cost its valuation. A day is done with one
    vector of paths after the other, so that what it reads stays in the nearest cache.
    """
    book, plan, state = lent(book), lent(plan), lent(state)
    trades, traces = lent(trades), lent(traces)
    n_steps, n_paths = book.rows.n_rows - 1, book.rows.n_paths
    for k in range(0, n_paths, WIDTH):
        begin(book, plan, state, trades, k)
    for step in range(n_steps + 1):
        is_open = 0 < step < n_steps
        latest = NEVER if plan.flows[step] != 0.0 else float(step)
        traces.sums[:] = 0.0
        for k in range(0, n_paths, WIDTH):
            if step > 0:
                receive(book, state, step, k)
            if is_open:
                wake_the_worthless(book, state, step, k)
                due = get(state.purse, (WAKE, k)) <= latest
                if has_any(due):
                    attend(book, plan, state, trades, step, k, due)
            value(book, state, traces.worth, step, k)
            if is_open:
                check_weights(book, plan, state, traces.worth, step, k)
                where = get(state.purse, (PENDING, k)) > 0.0
                if book.is_open[-1, step] and has_any(where):
                    trade_now(book, state, trades, traces.worth, step, k, where)
            if step > 0 and plan.portfolio_stop > 0.0:
                grow(state.purse, traces.worth, step, k)
            put(state.purse, (NAV, k), get(traces.worth, (MARK, step, k)))
            keep(state, traces, step, k)
            if traces.shares.shape[1] > 0:
                share_out(book, state, traces, step, k)
            put(state.purse, (FLOW, k), spread(0.0))
            put(state.purse, (MOVED, k), spread(0.0))
            if step == n_steps:
                continue
            if plan.holding_stop > 0.0:
                watch_holdings(book, plan, state, trades, step, k)
            if plan.portfolio_stop > 0.0:
                watch_whole(book, plan, state, step, k)
        if traces.shares.shape[1] > 0:
            for row in range(traces.shares.shape[0]):
                traces.shares[row, step] = in_turn(get(traces.sums, (row, 0)))
