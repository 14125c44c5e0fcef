"""What every day costs a portfolio: all paths of a row at once, whether or not they trade.

Loops are short and without branches, over rows that stand side by side: LLVM turns them into
vector instructions. What trades is done path by path, elsewhere, where a row says so.
"""

from __future__ import annotations

import numpy as np

from simulator.investors.portfolio.rows import row
from simulator.investors.portfolio.state import (
    CASH,
    DEAD_BAND,
    FLOW,
    GOAL,
    GROWN,
    HELD,
    IN_CASH,
    INCOME,
    LEVEL,
    MOVED,
    NAV,
    NOTHING,
    PENDING,
    RECEIVED,
    REFERENCE,
    STATUS,
    TURNOVER,
    UNITS,
    Book,
    IntArray,
    Plan,
    State,
    Traces,
    Trades,
)
from simulator.investors.portfolio.trades import RESTORE
from simulator.jit import inlined, kernel
from simulator.units import FloatArray

_WIDTH = 8
"""Sums that run side by side, so that one does not wait for the other."""


@kernel
def how_many_due(due: IntArray, step: int) -> int:
    """Return on how many paths a step is reached; `due` is of shape (n_paths,)."""
    count = 0
    for k in range(due.shape[0]):
        count += 1 if due[k] <= step else 0
    return count


@kernel
def how_many(flags: IntArray) -> int:
    """Return how many flags, shape (n_paths,), are set."""
    count = 0
    for k in range(flags.shape[0]):
        count += 1 if flags[k] > 0 else 0
    return count


@kernel
def how_many_worthless(prices: FloatArray) -> int:
    """Return on how many paths a price is zero or less; `prices` are of shape (n_paths,)."""
    count = 0
    for k in range(prices.shape[0]):
        count += 1 if prices[k] <= 0.0 else 0
    return count


@inlined
def _add_product(total: FloatArray, units: FloatArray, prices: FloatArray) -> None:
    """Add units * prices to `total`; rows of shape (n_paths,)."""
    for k in range(total.shape[0]):
        total[k] += units[k] * prices[k]


@inlined
def _add_net(
    total: FloatArray, units: FloatArray, prices: FloatArray, received: FloatArray
) -> None:
    """Add units * (prices - received) to `total`; rows of shape (n_paths,)."""
    for k in range(total.shape[0]):
        total[k] += units[k] * (prices[k] - received[k])


@inlined
def _less_commission(total: FloatArray, cash: FloatArray, kept: float) -> None:
    """Take the commission off what `total` has beyond cash; rows of shape (n_paths,), USD."""
    for k in range(total.shape[0]):
        total[k] = cash[k] + (total[k] - cash[k]) * kept


@kernel
def receive(book: Book, state: State, step: int) -> None:
    """Take the day's income into cash."""
    for h in range(book.at.shape[0]):
        number = book.at[h, INCOME]
        if number != NOTHING:
            paid = row(book.rows, number, step)
            _add_product(state.purse[CASH], state.held[UNITS, h], paid)
            received = state.held[RECEIVED, h]
            for k in range(paid.shape[0]):
                received[k] += paid[k]


@kernel
def value_all(book: Book, state: State, value: FloatArray, leave: FloatArray, step: int) -> None:
    """Write cash and holdings at mark to `value`, at exit to `leave`, shape (n_paths,)."""
    cash, n_holdings = state.purse[CASH], book.at.shape[0]
    for k in range(value.shape[0]):
        value[k] = cash[k]
        leave[k] = cash[k]
    for h in range(n_holdings):
        units, prices = state.held[UNITS, h], row(book.rows, n_holdings + h, step)
        _add_product(value, units, row(book.rows, h, step))
        if book.at[h, INCOME] == NOTHING:
            _add_product(leave, units, prices)
        else:
            _add_net(leave, units, prices, state.held[RECEIVED, h])
    _less_commission(leave, cash, 1.0 - book.commission)


@inlined
def _beyond(
    hit: IntArray,
    units: FloatArray,
    prices: FloatArray,
    goal: FloatArray,
    value: FloatArray,
    band: float,
) -> None:
    """Mark in `hit` where a weight is out by more than the band; rows of shape (n_paths,)."""
    for k in range(value.shape[0]):
        gap = abs(units[k] * prices[k] - goal[k] * value[k])
        hit[k] = RESTORE if gap > band * value[k] else hit[k]


@kernel
def check_weights(book: Book, plan: Plan, state: State, value: FloatArray, step: int) -> None:
    """Set off a rebalancing by the calendar or by the band.

    `value` is that of the step, shape (n_paths,), USD.
    """
    pending = state.flags[PENDING]
    if plan.every_days > 0 and step % plan.every_days == 0:
        pending[:] = RESTORE
    if plan.band <= 0.0:
        return
    for h in range(book.at.shape[0]):
        units, goal = state.held[UNITS, h], state.held[GOAL, h]
        _beyond(pending, units, row(book.rows, h, step), goal, value, plan.band)


@kernel
def grow(purse: FloatArray, value: FloatArray) -> None:
    """Grow the value of a unit put in, by what the day brought beside the flows.

    `purse` is of shape (8, n_paths), as in `State`, `value` of shape (n_paths,), USD.
    """
    for k in range(value.shape[0]):
        before = purse[NAV, k]
        growth = (value[k] - purse[FLOW, k]) / before if before > 0.0 else 0.0
        purse[GROWN, k] *= max(growth, 0.0)


@kernel
def keep(state: State, traces: Traces, step: int) -> None:
    """Write the day to the traces that are asked for."""
    if traces.flows.shape[0] > 0:
        traces.flows[step] = state.purse[FLOW]
    if traces.units.shape[1] > 0:
        traces.days[IN_CASH, step] = state.purse[CASH]
        traces.days[TURNOVER, step] = state.purse[MOVED]
        for h in range(traces.units.shape[0]):
            traces.units[h, step] = state.held[UNITS, h]


@inlined
def _sum(values: FloatArray, partial: FloatArray) -> float:
    """Return the sum of a row whose length is a multiple of `_WIDTH`.

    `partial` is scratch of shape (_WIDTH,).
    """
    partial[:] = 0.0
    for first in range(0, values.shape[0], _WIDTH):
        for k in range(_WIDTH):
            partial[k] += values[first + k]
    total = 0.0
    for k in range(_WIDTH):
        total += partial[k]
    return total


@kernel
def share_out(
    book: Book, state: State, traces: Traces, value: FloatArray, scratch: FloatArray, step: int
) -> None:
    """Add up shares in the value, 0 where nothing is left.

    Parameters
    ----------
    value : ndarray of shape (n_paths,), USD
    scratch : ndarray of shape (n_paths up to the next multiple of _WIDTH,)
        Zero past the paths.
    """
    partial, one_over = np.empty(_WIDTH), np.empty(value.shape[0])
    for k in range(value.shape[0]):
        counts = value[k] > 0.0 and k < traces.n_counted
        one_over[k] = 1.0 / value[k] if counts else 0.0
    n_holdings = book.at.shape[0]
    for h in range(n_holdings):
        units, prices = state.held[UNITS, h], row(book.rows, h, step)
        for k in range(value.shape[0]):
            scratch[k] = units[k] * prices[k] * one_over[k]
        traces.shares[h, step] = _sum(scratch, partial)
    for line in range(2):
        dollars = state.purse[CASH if line == 0 else MOVED]
        for k in range(value.shape[0]):
            scratch[k] = dollars[k] * one_over[k]
        traces.shares[n_holdings + line, step] = _sum(scratch, partial)


@inlined
def _follow(reference: FloatArray, units: FloatArray, status: IntArray, prices: FloatArray) -> None:
    """Raise `reference` to the price where the holding is held; rows of shape (n_paths,)."""
    for k in range(prices.shape[0]):
        rises = status[k] == HELD and units[k] > 0.0 and prices[k] > reference[k]
        reference[k] = prices[k] if rises else reference[k]


@inlined
def _look(
    fell: FloatArray,
    reference: FloatArray,
    units: FloatArray,
    status: IntArray,
    prices: FloatArray,
    left: float,
) -> None:
    """Write 1 to `fell` where the holding is held below its stop, else 0; rows of shape (n_paths,).

    `left` is the share of `reference` at which the stop stands.
    """
    for k in range(prices.shape[0]):
        deep = prices[k] < reference[k] * left * (1.0 - DEAD_BAND)
        fell[k] = 1.0 if deep and status[k] == HELD and units[k] > 0.0 else 0.0


@kernel
def watch_row(
    book: Book, plan: Plan, state: State, trades: Trades, fell: FloatArray, h: int, step: int
) -> int:
    """Mark in `fell` the paths on which a holding has fallen to its stop; return how many.

    `fell` is of shape (n_paths,).
    """
    reference, units, status = (
        state.held[REFERENCE, h],
        state.held[UNITS, h],
        state.clock[STATUS, h],
    )
    prices, left = row(book.rows, h, step), 1.0 - plan.holding_stop
    if plan.from_peak:
        _follow(reference, units, status, prices)
    _look(fell, reference, units, status, prices, left)
    if trades.record.shape[2] > 0:
        for k in range(prices.shape[0]):
            if status[k] == HELD and units[k] > 0.0:
                trades.record[LEVEL, h, step, k] = reference[k] * left
    count = 0
    for k in range(fell.shape[0]):
        count += 1 if fell[k] > 0.0 else 0
    return count
