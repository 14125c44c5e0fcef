"""What a trade does to an account and to the market, on the lanes of a mask.

Every rule is that of one path: masks take the place of branches. `state`, of shape
(n_rows * LANES,), is that of `rows`; `k` says which eight paths, and `i` is the account's place
and `k`. Prices are those of the index. Functions mirror those of the contract of the same name.
"""

from __future__ import annotations

from simulator.instruments.miner_perp.market import side_gain
from simulator.instruments.miner_perp.rows import (
    BAD,
    BASIS,
    CASH,
    COST,
    CUT,
    EARNED_FEES,
    EARNED_FUNDING,
    FEES,
    FUNDING,
    HIS_CUT,
    HIS_FEES,
    HIS_FUNDING,
    INSURANCE,
    LONG,
    LONG_COST,
    LOST,
    MARGIN,
    MARGINS,
    POOL,
    SETTLED,
    SHORT,
    SHORT_COST,
    SIZE,
    STOP,
    TOUCHED,
    add,
    at,
    clear,
    write_where,
)
from simulator.instruments.miner_perp.state import Numbers
from simulator.jit import inlined, kernel
from simulator.mechanics.perp import fee, payable
from simulator.mechanics.vectors import Mask, Vector, chosen, least, magnitude, most
from simulator.units import FloatArray


@inlined
def owed_funding(state: FloatArray, k: int, i: int) -> Vector:
    """Return what an account owes since it was last settled; `state` of shape (n_rows * LANES,)."""
    return at(state, i + SIZE) * (at(state, FUNDING + k) - at(state, i + SETTLED))


@inlined
def equity(state: FloatArray, k: int, i: int, price: Vector, max_profit: float) -> Vector:
    """Return margin and gain as it would be paid, less funding.

    `state` is of shape (n_rows * LANES,).
    """
    size = at(state, i + SIZE)
    gain = size * price - at(state, i + COST)
    side = side_gain(state, k, size > 0.0, price)
    paid = payable(gain, side, at(state, POOL + k) * max_profit)
    return at(state, i + MARGIN) + paid - owed_funding(state, k, i)


@inlined
def take(state: FloatArray, k: int, i: int, where: Mask, usd: Vector | float) -> Vector:
    """Take dollars from a margin, or all of it; return what was there.

    `state` is of shape (n_rows * LANES,).
    """
    taken = least(usd, at(state, i + MARGIN))
    add(state, i + MARGIN, where, 0.0 - taken)
    add(state, MARGINS + k, where, 0.0 - taken)
    return taken


@inlined
def settle(state: FloatArray, k: int, i: int, where: Mask, usd: Vector) -> Vector:
    """Pay a trader from the pool, or the pool from his margin; return what nobody paid.

    `state` is of shape (n_rows * LANES,).
    """
    gains, loss = usd >= 0.0, 0.0 - usd
    pool, insurance = at(state, POOL + k), at(state, INSURANCE + k)
    margin, margins = at(state, i + MARGIN), at(state, MARGINS + k)
    got, paid = least(usd, pool), least(loss, margin)
    covered = least(loss - paid, insurance)
    write_where(state, POOL + k, where, chosen(gains, pool - got, pool + (paid + covered)))
    write_where(state, INSURANCE + k, where & ~gains, insurance - covered)
    write_where(state, MARGINS + k, where, chosen(gains, margins + got, margins - paid))
    write_where(state, i + MARGIN, where, chosen(gains, margin + got, margin - paid))
    add(state, i + HIS_CUT, where & gains, got - usd)
    return chosen(gains, 0.0, loss - paid - covered)


@inlined
def move_sides(
    state: FloatArray,
    k: int,
    where: Mask,
    size: Vector,
    closed: Vector,
    part: Vector,
    opened: Vector,
    price: Vector,
) -> None:
    """Take what is closed, and its part of the cost, from its side, and add what is opened.

    `state` is of shape (n_rows * LANES,).
    """
    was_long, goes_long = size > 0.0, opened > 0.0
    left = chosen(was_long, at(state, LONG + k) - closed, at(state, LONG + k))
    cost = chosen(was_long, at(state, LONG_COST + k) - part, at(state, LONG_COST + k))
    paid = opened * price
    write_where(state, LONG + k, where, chosen(goes_long, left + opened, left))
    write_where(state, LONG_COST + k, where, chosen(goes_long, cost + paid, cost))
    left = chosen(was_long, at(state, SHORT + k), at(state, SHORT + k) + closed)
    cost = chosen(was_long, at(state, SHORT_COST + k), at(state, SHORT_COST + k) + part)
    write_where(state, SHORT + k, where, chosen(goes_long, left, left - opened))
    write_where(state, SHORT_COST + k, where, chosen(goes_long, cost, cost - paid))


@kernel
def trade(
    state: FloatArray,
    k: int,
    i: int,
    where: Mask,
    delta: Vector,
    price: Vector,
    max_profit: float,
) -> None:
    """Change a position and settle what it has gained; `state` is of shape (n_rows * LANES,)."""
    size, cost = at(state, i + SIZE), at(state, i + COST)
    funding, settled = at(state, FUNDING + k), at(state, i + SETTLED)
    sells, buys = (size > 0.0) & (delta < 0.0), (size < 0.0) & (delta > 0.0)
    closed = chosen(buys, most(size, 0.0 - delta), 0.0)
    closed = chosen(sells, least(size, 0.0 - delta), closed)
    opened, after = delta + closed, size + delta
    part = chosen(closed == size, cost, cost * (closed / size))
    gain = closed * price - part
    side = side_gain(state, k, size > 0.0, price)
    paid = payable(gain, side, at(state, POOL + k) * max_profit)
    owed = size * (funding - settled)
    move_sides(state, k, where, size, closed, part, opened, price)
    add(state, BASIS + k, where, after * funding - size * settled)
    write_where(state, i + SIZE, where, after)
    write_where(state, i + COST, where, cost + opened * price - part)
    write_where(state, i + SETTLED, where, funding)
    add(state, i + HIS_FUNDING, where, 0.0 - owed)
    add(state, i + HIS_CUT, where, paid - gain)
    add(state, CUT + k, where, gain - paid)
    add(state, EARNED_FUNDING + k, where, owed)
    debt = settle(state, k, i, where, paid - owed)
    add(state, BAD + k, where, debt)
    add(state, LOST + k, where, 0.0 - debt)
    left = where & (after == 0.0)
    clear(state, i + STOP, left)
    clear(state, i + TOUCHED, left)


@inlined
def share_out(
    numbers: Numbers, state: FloatArray, k: int, i: int, where: Mask, charge: Vector
) -> None:
    """Take a fee from a margin and give it to the fund, the protocol and the pool.

    `state` is of shape (n_rows * LANES,).
    """
    paid = take(state, k, i, where, charge)
    insured, collected = paid * numbers.insured, paid * numbers.collected
    add(state, INSURANCE + k, where, insured)
    add(state, FEES + k, where, collected)
    add(state, POOL + k, where, paid - insured - collected)
    add(state, EARNED_FEES + k, where, paid - insured - collected)
    add(state, i + HIS_FEES, where, 0.0 - paid)


@inlined
def charge_of(numbers: Numbers, state: FloatArray, k: int, delta: Vector, price: Vector) -> Vector:
    """Return the fee of a trade; `state` is of shape (n_rows * LANES,)."""
    skew = at(state, LONG + k) - at(state, SHORT + k)
    return fee(delta, skew, price, numbers.maker, numbers.taker)


@inlined
def fits(
    numbers: Numbers,
    state: FloatArray,
    k: int,
    i: int,
    delta: Vector,
    price: Vector,
    charge: Vector,
) -> Mask:
    """Return whether a trade at a `charge` may make of a position what it would.

    `state` is of shape (n_rows * LANES,).
    """
    size = at(state, i + SIZE)
    after = size + delta
    worth = equity(state, k, i, price, numbers.max_profit)
    goes_long, was_long = after > 0.0, size > 0.0
    same = (goes_long & was_long) | ~(goes_long | was_long)
    shrinks = same & (magnitude(after) <= magnitude(size))
    keeps = worth > magnitude(size) * price * numbers.maintenance
    side = chosen(goes_long, at(state, LONG + k), at(state, SHORT + k))
    grows = chosen(same, magnitude(delta), magnitude(after))
    has_room = (side + grows) * price <= at(state, POOL + k) * numbers.max_open_interest
    is_funded = worth - charge >= magnitude(after) * price * numbers.initial
    may = (shrinks & keeps) | (~shrinks & has_room & is_funded)
    return (after == 0.0) | (may & (magnitude(after) * price >= numbers.min_notional))


@inlined
def withdraw(state: FloatArray, k: int, i: int, where: Mask) -> None:
    """Pay out all of a margin; `state` is of shape (n_rows * LANES,)."""
    taken = take(state, k, i, where, at(state, i + MARGIN))
    add(state, i + CASH, where, taken)
