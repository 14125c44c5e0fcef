"""What every day costs a portfolio, whether or not it trades.

Every function works on the WIDTH paths from `k` on of a block, on one step; see `state`. What
trades is done elsewhere, where a row says so.
"""

from __future__ import annotations

from simulator.investors.portfolio.rows import item, will_need
from simulator.investors.portfolio.state import (
    CASH,
    FLOW,
    GOAL,
    GROWN,
    IN_CASH,
    INCOME,
    LEAVE,
    MARK,
    MOVED,
    NAV,
    NOTHING,
    PENDING,
    RECEIVED,
    RESTORE,
    TURNOVER,
    UNITS,
    Book,
    Plan,
    State,
    Traces,
)
from simulator.jit import inlined
from simulator.mechanics.vectors import (
    chosen,
    get,
    most,
    numbers_from,
    put,
    spread,
    will_put,
)
from simulator.units import FloatArray


@inlined
def receive(book: Book, state: State, step: int, k: int) -> None:
    """Take the day's income into cash."""
    for h in range(book.at.shape[0]):
        number = book.at[h, INCOME]
        if number == NOTHING:
            continue
        paid = item(book.rows, number, step, k)
        cash, units = get(state.purse, (CASH, k)), get(state.held, (UNITS, h, k))
        put(state.purse, (CASH, k), cash + units * paid)
        put(state.held, (RECEIVED, h, k), get(state.held, (RECEIVED, h, k)) + paid)


@inlined
def value(book: Book, state: State, worth: FloatArray, step: int, k: int) -> None:
    """Write cash and holdings at mark and at exit to `worth`, shape (2, n_steps + 1, n_paths)."""
    n_holdings, cash = book.at.shape[0], get(state.purse, (CASH, k))
    mark, leave = cash, cash
    for h in range(n_holdings):
        units = get(state.held, (UNITS, h, k))
        price = item(book.rows, n_holdings + h, step, k) - get(state.held, (RECEIVED, h, k))
        mark = mark + units * item(book.rows, h, step, k)
        leave = leave + units * price
        will_need(book.rows, h, step + 1, k)
        will_need(book.rows, n_holdings + h, step + 1, k)
    put(worth, (MARK, step, k), mark)
    put(worth, (LEAVE, step, k), cash + (leave - cash) * (1.0 - book.commission))


@inlined
def check_weights(
    book: Book, plan: Plan, state: State, worth: FloatArray, step: int, k: int
) -> None:
    """Set off a rebalancing by the calendar or by the band.

    `worth` is of shape (2, n_steps + 1, n_paths), USD.
    """
    if plan.every_days > 0 and step % plan.every_days == 0:
        put(state.purse, (PENDING, k), spread(RESTORE))
    if plan.band <= 0.0:
        return
    whole, pending = get(worth, (MARK, step, k)), get(state.purse, (PENDING, k))
    for h in range(book.at.shape[0]):
        meant = get(state.held, (GOAL, h, k)) * whole
        over = get(state.held, (UNITS, h, k)) * item(book.rows, h, step, k) - meant
        pending = chosen(most(over, 0.0 - over) > plan.band * whole, RESTORE, pending)
    put(state.purse, (PENDING, k), pending)


@inlined
def grow(purse: FloatArray, worth: FloatArray, step: int, k: int) -> None:
    """Grow the value of a unit put in, by what the day brought beside the flows.

    `purse` is as in `State`, `worth` of shape (2, n_steps + 1, n_paths), USD.
    """
    before, grown = get(purse, (NAV, k)), get(purse, (GROWN, k))
    growth = (get(worth, (MARK, step, k)) - get(purse, (FLOW, k))) / before
    put(purse, (GROWN, k), grown * most(chosen(before > 0.0, growth, 0.0), 0.0))


@inlined
def keep(state: State, traces: Traces, step: int, k: int) -> None:
    """Write the day to the traces that are asked for."""
    if traces.flows.shape[0] > 0:
        put(traces.flows, (step, k), get(state.purse, (FLOW, k)))
    if traces.units.shape[1] > 0:
        put(traces.days, (IN_CASH, step, k), get(state.purse, (CASH, k)))
        put(traces.days, (TURNOVER, step, k), get(state.purse, (MOVED, k)))
        for h in range(traces.units.shape[0]):
            put(traces.units, (h, step, k), get(state.held, (UNITS, h, k)))
            will_put(traces.units, (h, step + 1, k))


@inlined
def share_out(book: Book, state: State, traces: Traces, step: int, k: int) -> None:
    """Add up shares in the value, 0 where nothing is left."""
    sums, n_holdings = traces.sums, book.at.shape[0]
    whole = get(traces.worth, (MARK, step, k))
    counts = (whole > 0.0) & (numbers_from(k) < float(traces.n_counted))
    one_over = chosen(counts, 1.0 / whole, 0.0)
    for h in range(n_holdings):
        held = get(state.held, (UNITS, h, k)) * item(book.rows, h, step, k)
        put(sums, (h, 0), get(sums, (h, 0)) + held * one_over)
    for line, row in ((0, CASH), (1, MOVED)):
        share = get(sums, (n_holdings + line, 0)) + get(state.purse, (row, k)) * one_over
        put(sums, (n_holdings + line, 0), share)
