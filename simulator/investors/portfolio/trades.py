"""Selling and buying for a portfolio: what can be sold, at what price, for which weights.

Every function works on the WIDTH paths from `k` on of a block, on one step; see `state`. Where it
takes a mask `where`, the paths outside of it stay as they are.
"""

from __future__ import annotations

import numpy as np

from simulator.investors.portfolio.rows import item, will_need
from simulator.investors.portfolio.state import (
    ASKED,
    BOUGHT,
    BROUGHT,
    BUYABLE,
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
    RESTORE,
    SALE,
    SELLABLE,
    SOLD,
    SOURCES,
    STATUS,
    UNITS,
    WAKE,
    WANTED,
    Book,
    State,
    Trades,
)
from simulator.jit import inlined, kernel
from simulator.mechanics.vectors import (
    Mask,
    Vector,
    chosen,
    get,
    has_any,
    least,
    most,
    put,
    put_where,
    spread,
)
from simulator.units import FloatArray

NO_END = np.inf


@inlined
def add(array: FloatArray, index: tuple[int, ...], where: Mask, amount: Vector) -> None:
    """Add to WIDTH elements of an array of any shape, from `index` on."""
    before = get(array, index)
    put(array, index, chosen(where, before + amount, before))


@inlined
def sellable_units(book: Book, state: State, h: int, step: int, k: int) -> Vector:
    """Return the units that could be sold at once: none where it is shut or worthless."""
    units = get(state.held, (UNITS, h, k))
    if book.next_sale[h, step] != step:
        return spread(0.0)
    number = book.at[h, SELLABLE]
    if number != NOTHING:
        units = units * item(book.rows, number, step, k)
    return chosen(item(book.rows, h, step, k) <= 0.0, 0.0, units)


@inlined
def buyable(book: Book, h: int, step: int, k: int, usd: Vector) -> Vector:
    """Return the dollars for which a holding may be bought of `usd`: all, or none."""
    number = book.at[h, BUYABLE]
    if number != NOTHING:
        return usd * item(book.rows, number, step, k)
    return usd


@inlined
def leaving_price(book: Book, state: State, h: int, step: int, k: int) -> Vector:
    """Return what leaving pays for a unit, without the cash that it paid out before."""
    return item(book.rows, book.at.shape[0] + h, step, k) - get(state.held, (RECEIVED, h, k))


@inlined
def sale_price(book: Book, state: State, h: int, step: int, k: int) -> Vector:
    """Return what selling a unit pays, less commission."""
    number = book.at[h, SALE]
    if number == NOTHING:
        return leaving_price(book, state, h, step, k) * (1.0 - book.commission)
    return item(book.rows, number, step, k) * (1.0 - book.commission)


@inlined
def hand_over(
    book: Book, trades: Trades, h: int, step: int, k: int, where: Mask, units: Vector
) -> None:
    """Credit the sources of `units` that go with what they brought so far; negative: that come.

    sum over t of u_(t-1) (G_t - G_(t-1)) = u_N G_N - sum over t of (u_t - u_(t-1)) G_t, with G
    what a source of a unit brought so far: only trades need to be looked at.
    """
    layers, first, number = book.at[h, SOURCES], book.at[h, FIRST], book.at[h, BROUGHT]
    for source in range(layers):
        so_far = item(book.rows, number, source * book.rows.n_rows + step, k)
        add(trades.brought, (first + source, k), where, units * so_far)


@inlined
def will_hand_over(book: Book, h: int, step: int, k: int) -> None:
    """Hint that sources are going to be credited: they lie far apart, and only trades read them."""
    for source in range(book.at[h, SOURCES]):
        will_need(book.rows, book.at[h, BROUGHT], source * book.rows.n_rows + step, k)


@inlined
def sell(
    book: Book, state: State, trades: Trades, h: int, step: int, k: int, units: Vector, where: Mask
) -> Vector:
    """Sell `units` of a holding, above 0; return the proceeds, which are cash now."""
    mark = units * item(book.rows, h, step, k)
    proceeds = units * sale_price(book, state, h, step, k)
    before = get(state.held, (UNITS, h, k))
    after = chosen(units >= before, 0.0, before - units)
    put_where(state.held, (UNITS, h, k), where, after)
    hand_over(book, trades, h, step, k, where, before - after)
    add(state.purse, (CASH, k), where, proceeds)
    add(state.held, (COSTS, h, k), where, proceeds - mark)
    add(state.purse, (MOVED, k), where, mark)
    if trades.record.shape[2] > 0:
        add(trades.record, (SOLD, h, step, k), where, units)
    return chosen(where, proceeds, 0.0)


@inlined
def buy(
    book: Book, state: State, trades: Trades, h: int, step: int, k: int, value: Vector, where: Mask
) -> None:
    """Buy `value` dollars, above 0, at mark; what is paid on top comes out of cash too."""
    price = item(book.rows, h, step, k)
    where = where & (price > 0.0)
    before = get(state.held, (UNITS, h, k))
    put_where(state.held, (REFERENCE, h, k), where & (before <= 0.0), price)
    units = value / price
    after = before + units
    put_where(state.held, (UNITS, h, k), where, after)
    hand_over(book, trades, h, step, k, where, before - after)
    if trades.record.shape[2] > 0:
        add(trades.record, (BOUGHT, h, step, k), where, units)
    add(state.purse, (CASH, k), where, 0.0 - value * (1.0 + book.buy_cost[h]))
    add(state.held, (COSTS, h, k), where, 0.0 - value * book.buy_cost[h])
    add(state.purse, (MOVED, k), where, value)


@inlined
def ask(book: Book, state: State, h: int, step: int, k: int, units: Vector, where: Mask) -> None:
    """Ask for a sale after the notice that the holding wants."""
    due = float(step + book.at[h, NOTICE])
    wake = get(state.purse, (WAKE, k))
    put_where(state.held, (ASKED, h, k), where, units)
    put(state.held, (DUE, h, k), chosen(where, due, get(state.held, (DUE, h, k))))
    put(state.purse, (WAKE, k), chosen(where & (wake > due), due, wake))


@inlined
def total(book: Book, state: State, step: int, k: int) -> Vector:
    """Return the net asset value at mark: cash, and every holding."""
    value = get(state.purse, (CASH, k))
    for h in range(book.at.shape[0]):
        value = value + get(state.held, (UNITS, h, k)) * item(book.rows, h, step, k)
    return value


@inlined
def leaving_value(book: Book, state: State, step: int, k: int) -> Vector:
    """Return what leaving pays: cash, and every holding less commission."""
    cash = get(state.purse, (CASH, k))
    value = cash
    for h in range(book.at.shape[0]):
        value = value + get(state.held, (UNITS, h, k)) * leaving_price(book, state, h, step, k)
    return cash + (value - cash) * (1.0 - book.commission)


@kernel
def raise_cash(
    book: Book, state: State, trades: Trades, step: int, k: int, wanted: Vector, where: Mask
) -> None:
    """Sell the same share of all that can be sold; ask for the rest where notice is needed."""
    possible = spread(0.0)
    for h in range(book.at.shape[0]):
        if book.at[h, NOTICE] == 0:
            possible = possible + sellable_units(book, state, h, step, k) * sale_price(
                book, state, h, step, k
            )
    share = chosen(possible > 0.0, least(1.0, wanted / possible), 0.0)
    for h in range(book.at.shape[0]):
        if book.at[h, NOTICE] == 0:
            units = share * sellable_units(book, state, h, step, k)
            sell(book, state, trades, h, step, k, units, where & (units > 0.0))
    short = wanted - share * possible
    where = where & (short > 0.0)
    if not has_any(where):
        return
    for h in range(book.at.shape[0]):
        if book.at[h, NOTICE] > 0:
            price = sale_price(book, state, h, step, k)
            asks = where & (get(state.held, (ASKED, h, k)) <= 0.0) & (price > 0.0)
            units = least(get(state.held, (UNITS, h, k)), short / price)
            ask(book, state, h, step, k, units, asks)
            short = chosen(asks, short - units * price, short)


@inlined
def sell_excess(
    book: Book, state: State, trades: Trades, step: int, k: int, value: Vector, where: Mask
) -> None:
    """Sell what is above its weight, or ask for it where that takes notice."""
    for h in range(book.at.shape[0]):
        mark = item(book.rows, h, step, k)
        over = get(state.held, (UNITS, h, k)) * mark - get(state.held, (GOAL, h, k)) * value
        free = (get(state.held, (STATUS, h, k)) == HELD) & (get(state.held, (ASKED, h, k)) <= 0.0)
        sells = where & (over > 0.0) & (mark > 0.0) & free
        if not has_any(sells):
            continue
        if book.at[h, NOTICE] > 0:
            ask(book, state, h, step, k, over / mark, sells)
        else:
            units = least(over / mark, sellable_units(book, state, h, step, k))
            sell(book, state, trades, h, step, k, units, sells & (units > 0.0))


@kernel
def trade(
    book: Book,
    state: State,
    trades: Trades,
    step: int,
    k: int,
    where: Mask,
) -> None:
    """Bring the holdings to their weights, or only invest what cash there is too much of."""
    for h in range(book.at.shape[0]):
        will_hand_over(book, h, step, k)
    owed, parked = get(state.purse, (OWED, k)), get(state.purse, (PARKED, k))
    value = total(book, state, step, k) - owed
    where = where & (value > 0.0)
    restores = where & (get(state.purse, (PENDING, k)) == RESTORE)
    if has_any(restores):
        sell_excess(book, state, trades, step, k, value, restores)
        value = total(book, state, step, k) - owed
    invested, cost = spread(0.0), spread(0.0)
    for h in range(book.at.shape[0]):
        price = item(book.rows, h, step, k)
        held = get(state.held, (UNITS, h, k)) * price
        weight = get(state.held, (GOAL, h, k))
        invested = invested + weight
        free = (get(state.held, (STATUS, h, k)) == HELD) & (get(state.held, (ASKED, h, k)) <= 0.0)
        lacks = chosen(free, most(0.0, weight * value - held), 0.0)
        if step > 0 and book.most[h] < NO_END:
            lacks = least(lacks, most(0.0, book.most[h] * price - held))
        lacks = buyable(book, h, step, k, lacks)
        put(state.held, (WANTED, h, k), lacks)
        cost = cost + lacks * (1.0 + book.buy_cost[h])
    reserve = most(0.0, 1.0 - invested) * value
    spare = get(state.purse, (CASH, k)) - owed - parked - reserve
    scale = chosen(cost > 0.0, least(1.0, most(spare, 0.0) / cost), 0.0)
    for h in range(book.at.shape[0]):
        spent = scale * get(state.held, (WANTED, h, k))
        buys = where & (spent > 0.0)
        if has_any(buys):
            buy(book, state, trades, h, step, k, spent, buys)
