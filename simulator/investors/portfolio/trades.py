"""Selling and buying for a portfolio: what can be sold, at what price, for which weights.

Every function works on one path `k` of a block on one step; see `state`.
"""

from __future__ import annotations

import numpy as np

from simulator.investors.portfolio.rows import item
from simulator.investors.portfolio.state import (
    ASKED,
    BOUGHT,
    BROUGHT,
    CASH,
    COSTS,
    DUE,
    FIRST,
    GOAL,
    HELD,
    MOVED,
    NOTHING,
    NOTICE,
    OWED,
    PARKED,
    PENDING,
    RECEIVED,
    REFERENCE,
    SALE,
    SELLABLE,
    SOLD,
    SOURCES,
    STATUS,
    UNITS,
    WAKE,
    Book,
    State,
    Trades,
)
from simulator.jit import inlined, kernel
from simulator.units import FloatArray

NO_END = np.inf

INVEST, RESTORE = 1, 2
"""Values of `State.flags[PENDING]`."""


@inlined
def sellable_units(book: Book, state: State, h: int, step: int, k: int) -> float:
    """Return the units that could be sold at once: none where it is shut or worthless."""
    if book.next_sale[h, step] != step or item(book.rows, h, step, k) <= 0.0:
        return 0.0
    number = book.at[h, SELLABLE]
    share = 1.0 if number == NOTHING else item(book.rows, number, step, k)
    units: float = state.held[UNITS, h, k] * share
    return units


@inlined
def leaving_price(book: Book, state: State, h: int, step: int, k: int) -> float:
    """Return what leaving pays for a unit, without the cash that it paid out before."""
    paid: float = item(book.rows, book.at.shape[0] + h, step, k) - state.held[RECEIVED, h, k]
    return paid


@inlined
def sale_price(book: Book, state: State, h: int, step: int, k: int) -> float:
    """Return what selling a unit pays, less commission."""
    number = book.at[h, SALE]
    if number == NOTHING:
        return leaving_price(book, state, h, step, k) * (1.0 - book.commission)
    return item(book.rows, number, step, k) * (1.0 - book.commission)


@kernel
def hand_over(book: Book, trades: Trades, h: int, step: int, k: int, units: float) -> None:
    """Credit the sources of `units` that go with what they brought so far; negative: that come.

    sum over t of u_(t-1) (G_t - G_(t-1)) = u_N G_N - sum over t of (u_t - u_(t-1)) G_t, with G
    what a source of a unit brought so far: only trades need to be looked at.
    """
    layers, first, number = book.at[h, SOURCES], book.at[h, FIRST], book.at[h, BROUGHT]
    for source in range(layers):
        so_far = item(book.rows, number, source * book.rows.n_rows + step, k)
        trades.brought[first + source, k] += units * so_far


@kernel
def sell(
    book: Book, state: State, trades: Trades, h: int, step: int, k: int, units: float
) -> float:
    """Sell `units` of a holding, above 0; return the proceeds, which are cash now."""
    mark = units * item(book.rows, h, step, k)
    proceeds = units * sale_price(book, state, h, step, k)
    before = state.held[UNITS, h, k]
    state.held[UNITS, h, k] = 0.0 if units >= before else before - units
    if book.at[h, SOURCES] > 0:
        hand_over(book, trades, h, step, k, before - state.held[UNITS, h, k])
    state.purse[CASH, k] += proceeds
    state.held[COSTS, h, k] += proceeds - mark
    state.purse[MOVED, k] += mark
    if trades.record.shape[2] > 0:
        trades.record[SOLD, h, step, k] += units
    return proceeds


@kernel
def buy(book: Book, state: State, trades: Trades, h: int, step: int, k: int, value: float) -> None:
    """Buy `value` dollars, above 0, at mark; what is paid on top comes out of cash too."""
    price = item(book.rows, h, step, k)
    if price <= 0.0:
        return
    before = state.held[UNITS, h, k]
    if before <= 0.0:
        state.held[REFERENCE, h, k] = price
    units = value / price
    state.held[UNITS, h, k] += units
    if book.at[h, SOURCES] > 0:
        hand_over(book, trades, h, step, k, before - state.held[UNITS, h, k])
    if trades.record.shape[2] > 0:
        trades.record[BOUGHT, h, step, k] += units
    state.purse[CASH, k] -= value * (1.0 + book.buy_cost[h])
    state.held[COSTS, h, k] -= value * book.buy_cost[h]
    state.purse[MOVED, k] += value


@inlined
def ask(book: Book, state: State, h: int, step: int, k: int, units: float) -> None:
    """Ask for a sale after the notice that the holding wants."""
    state.held[ASKED, h, k] = units
    state.clock[DUE, h, k] = step + book.at[h, NOTICE]
    state.flags[WAKE, k] = min(state.flags[WAKE, k], state.clock[DUE, h, k])


@inlined
def total(book: Book, state: State, step: int, k: int) -> float:
    """Return the net asset value at mark: cash, and every holding."""
    value: float = state.purse[CASH, k]
    for h in range(book.at.shape[0]):
        value += state.held[UNITS, h, k] * item(book.rows, h, step, k)
    return value


@inlined
def leaving_value(book: Book, state: State, step: int, k: int) -> float:
    """Return what leaving pays: cash, and every holding less commission."""
    cash: float = state.purse[CASH, k]
    value = cash
    for h in range(book.at.shape[0]):
        value += state.held[UNITS, h, k] * leaving_price(book, state, h, step, k)
    return cash + (value - cash) * (1.0 - book.commission)


@kernel
def raise_cash(book: Book, state: State, trades: Trades, step: int, k: int, wanted: float) -> None:
    """Sell the same share of all that can be sold; ask for the rest where notice is needed."""
    possible = 0.0
    for h in range(book.at.shape[0]):
        if book.at[h, NOTICE] == 0:
            possible += sellable_units(book, state, h, step, k) * sale_price(
                book, state, h, step, k
            )
    share = min(1.0, wanted / possible) if possible > 0.0 else 0.0
    for h in range(book.at.shape[0]):
        if book.at[h, NOTICE] == 0:
            units = share * sellable_units(book, state, h, step, k)
            if units > 0.0:
                sell(book, state, trades, h, step, k, units)
    short = wanted - share * possible
    if short <= 0.0:
        return
    for h in range(book.at.shape[0]):
        price = sale_price(book, state, h, step, k)
        if book.at[h, NOTICE] > 0 and state.held[ASKED, h, k] <= 0.0 and price > 0.0:
            units = min(state.held[UNITS, h, k], short / price)
            ask(book, state, h, step, k, units)
            short -= units * price


@kernel
def sell_excess(book: Book, state: State, trades: Trades, step: int, k: int, value: float) -> None:
    """Sell what is above its weight, or ask for it where that takes notice."""
    for h in range(book.at.shape[0]):
        mark = item(book.rows, h, step, k)
        over = state.held[UNITS, h, k] * mark - state.held[GOAL, h, k] * value
        if (
            over <= 0.0
            or mark <= 0.0
            or state.clock[STATUS, h, k] != HELD
            or state.held[ASKED, h, k] > 0.0
        ):
            continue
        if book.at[h, NOTICE] > 0:
            ask(book, state, h, step, k, over / mark)
        else:
            units = min(over / mark, sellable_units(book, state, h, step, k))
            if units > 0.0:
                sell(book, state, trades, h, step, k, units)


@kernel
def trade(book: Book, state: State, trades: Trades, wanted: FloatArray, step: int, k: int) -> None:
    """Bring the holdings to their weights, or only invest what cash there is too much of.

    `wanted` is scratch of shape (n_holdings,), USD.
    """
    value = total(book, state, step, k) - state.purse[OWED, k]
    if value <= 0.0:
        return
    if state.flags[PENDING, k] == RESTORE:
        sell_excess(book, state, trades, step, k, value)
        value = total(book, state, step, k) - state.purse[OWED, k]
    invested, cost = 0.0, 0.0
    for h in range(book.at.shape[0]):
        price = item(book.rows, h, step, k)
        held = state.held[UNITS, h, k] * price
        weight = state.held[GOAL, h, k]
        invested += weight
        lacks = state.clock[STATUS, h, k] == HELD and state.held[ASKED, h, k] <= 0.0
        wanted[h] = max(0.0, weight * value - held) if lacks else 0.0
        if step > 0 and book.most[h] < NO_END:
            wanted[h] = min(wanted[h], max(0.0, book.most[h] * price - held))
        cost += wanted[h] * (1.0 + book.buy_cost[h])
    spare = (
        state.purse[CASH, k]
        - state.purse[OWED, k]
        - state.purse[PARKED, k]
        - max(0.0, 1.0 - invested) * value
    )
    scale = min(1.0, max(spare, 0.0) / cost) if cost > 0.0 else 0.0
    for h in range(book.at.shape[0]):
        if scale * wanted[h] > 0.0:
            buy(book, state, trades, h, step, k, scale * wanted[h])
