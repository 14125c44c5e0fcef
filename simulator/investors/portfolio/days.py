"""What every day costs a portfolio: all paths of a row at once, whether or not they trade.

Loops go holding by holding over rows that stand side by side, WIDTH paths at a time. What trades
is done elsewhere, where a row says so.
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
from simulator.jit import kernel
from simulator.mechanics.vectors import (
    WIDTH,
    chosen,
    get,
    in_turn,
    most,
    numbers_from,
    put,
    spread,
)
from simulator.units import FloatArray


@kernel
def receive(book: Book, state: State, step: int) -> None:
    """Take the day's income into cash."""
    for h in range(book.at.shape[0]):
        number = book.at[h, INCOME]
        if number == NOTHING:
            continue
        for k in range(0, book.rows.n_paths, WIDTH):
            paid = item(book.rows, number, step, k)
            cash, units = get(state.purse, (CASH, k)), get(state.held, (UNITS, h, k))
            put(state.purse, (CASH, k), cash + units * paid)
            put(state.held, (RECEIVED, h, k), get(state.held, (RECEIVED, h, k)) + paid)


@kernel
def value_all(book: Book, state: State, worth: FloatArray, step: int) -> None:
    """Write cash and holdings at mark and at exit to `worth`, shape (2, n_steps + 1, n_paths)."""
    n_holdings, n_paths, kept = book.at.shape[0], book.rows.n_paths, 1.0 - book.commission
    worth[MARK, step] = state.purse[CASH, :n_paths]
    worth[LEAVE, step] = state.purse[CASH, :n_paths]
    for h in range(n_holdings):
        for k in range(0, n_paths, WIDTH):
            units = get(state.held, (UNITS, h, k))
            marked = units * item(book.rows, h, step, k)
            price = item(book.rows, n_holdings + h, step, k) - get(state.held, (RECEIVED, h, k))
            put(worth, (MARK, step, k), get(worth, (MARK, step, k)) + marked)
            put(worth, (LEAVE, step, k), get(worth, (LEAVE, step, k)) + units * price)
            will_need(book.rows, h, step + 1, k)
            will_need(book.rows, n_holdings + h, step + 1, k)
    for k in range(0, n_paths, WIDTH):
        cash = get(state.purse, (CASH, k))
        put(worth, (LEAVE, step, k), cash + (get(worth, (LEAVE, step, k)) - cash) * kept)


@kernel
def check_weights(book: Book, plan: Plan, state: State, worth: FloatArray, step: int) -> None:
    """Set off a rebalancing by the calendar or by the band.

    `worth` is of shape (2, n_steps + 1, n_paths), USD.
    """
    if plan.every_days > 0 and step % plan.every_days == 0:
        state.purse[PENDING] = RESTORE
    if plan.band <= 0.0:
        return
    for h in range(book.at.shape[0]):
        for k in range(0, book.rows.n_paths, WIDTH):
            value, pending = get(worth, (MARK, step, k)), get(state.purse, (PENDING, k))
            meant = get(state.held, (GOAL, h, k)) * value
            over = get(state.held, (UNITS, h, k)) * item(book.rows, h, step, k) - meant
            gap = most(over, 0.0 - over)
            put(state.purse, (PENDING, k), chosen(gap > plan.band * value, RESTORE, pending))


@kernel
def grow(purse: FloatArray, worth: FloatArray, step: int) -> None:
    """Grow the value of a unit put in, by what the day brought beside the flows.

    `purse` is as in `State`, `worth` of shape (2, n_steps + 1, n_paths), USD.
    """
    for k in range(0, worth.shape[2], WIDTH):
        before, grown = get(purse, (NAV, k)), get(purse, (GROWN, k))
        growth = (get(worth, (MARK, step, k)) - get(purse, (FLOW, k))) / before
        put(purse, (GROWN, k), grown * most(chosen(before > 0.0, growth, 0.0), 0.0))


@kernel
def keep(state: State, traces: Traces, step: int) -> None:
    """Write the day to the traces that are asked for."""
    n_paths = traces.worth.shape[2]
    if traces.flows.shape[0] > 0:
        traces.flows[step] = state.purse[FLOW, :n_paths]
    if traces.units.shape[1] > 0:
        traces.days[IN_CASH, step] = state.purse[CASH, :n_paths]
        traces.days[TURNOVER, step] = state.purse[MOVED, :n_paths]
        for h in range(traces.units.shape[0]):
            for k in range(0, traces.units.shape[2], WIDTH):
                put(traces.units, (h, step, k), get(state.held, (UNITS, h, k)))


@kernel
def share_out(book: Book, state: State, traces: Traces, one_over: FloatArray, step: int) -> None:
    """Add up shares in the value, 0 where nothing is left.

    `one_over` is scratch of shape (n_paths,).
    """
    n_holdings, n_paths = book.at.shape[0], book.rows.n_paths
    for k in range(0, n_paths, WIDTH):
        value = get(traces.worth, (MARK, step, k))
        counts = (value > 0.0) & (numbers_from(k) < float(traces.n_counted))
        put(one_over, (k,), chosen(counts, 1.0 / value, 0.0))
    for h in range(n_holdings):
        share = spread(0.0)
        for k in range(0, n_paths, WIDTH):
            held = get(state.held, (UNITS, h, k)) * item(book.rows, h, step, k)
            share = share + held * get(one_over, (k,))
        traces.shares[h, step] = in_turn(share)
    for line in range(2):
        share = spread(0.0)
        for k in range(0, n_paths, WIDTH):
            dollars = get(state.purse, (CASH if line == 0 else MOVED, k))
            share = share + dollars * get(one_over, (k,))
        traces.shares[n_holdings + line, step] = in_turn(share)
