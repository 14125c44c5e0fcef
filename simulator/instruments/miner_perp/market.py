"""The market as a whole: funding, what the sides have gained, what the pool owns.

`state`, of shape (n_rows * LANES,), is that of `rows`, and `k` says which eight paths; prices are
those of the index.
"""

from __future__ import annotations

from typing import NamedTuple

from simulator.instruments.miner_perp.rows import (
    BASIS,
    FUNDING,
    LONG,
    LONG_COST,
    POOL,
    RATE,
    SHORT,
    SHORT_COST,
    at,
    write,
)
from simulator.instruments.miner_perp.state import Numbers
from simulator.jit import inlined
from simulator.mechanics.perp import drifted, funding_of_a_day
from simulator.mechanics.vectors import Mask, Vector, chosen, has_any, least, most, spread
from simulator.units import FloatArray


class Gains(NamedTuple):
    """What both sides have gained and not taken, and what the pool could pay to each."""

    longs: Vector
    shorts: Vector
    bound: Vector


@inlined
def accrue(numbers: Numbers, state: FloatArray, k: int, price: Vector) -> None:
    """Book a day's funding at the index of the day before; `state` of shape (n_rows * LANES,)."""
    rate, funding = at(state, RATE + k), at(state, FUNDING + k)
    paid = funding_of_a_day(rate + numbers.fixed_rate, price)
    write(state, FUNDING + k, funding + paid)
    skew = (at(state, LONG + k) - at(state, SHORT + k)) * price
    rate = drifted(rate, skew, numbers.skew_scale, numbers.velocity, numbers.max_rate)
    write(state, RATE + k, rate)


@inlined
def long_gain(state: FloatArray, k: int, price: Vector) -> Vector:
    """Return what all longs have gained and not taken; `state` of shape (n_rows * LANES,)."""
    return at(state, LONG + k) * price - at(state, LONG_COST + k)


@inlined
def short_gain(state: FloatArray, k: int, price: Vector) -> Vector:
    """Return what all shorts have gained and not taken; `state` of shape (n_rows * LANES,)."""
    return at(state, SHORT_COST + k) - at(state, SHORT + k) * price


@inlined
def side_gain(state: FloatArray, k: int, is_long: Mask, price: Vector) -> Vector:
    """Return what a side has gained and not taken; `state` of shape (n_rows * LANES,)."""
    return chosen(is_long, long_gain(state, k, price), short_gain(state, k, price))


@inlined
def get_gains(state: FloatArray, k: int, price: Vector, max_profit: float) -> Gains:
    """Return what both sides have gained, and what of it the pool could pay.

    `state` is of shape (n_rows * LANES,).
    """
    bound = at(state, POOL + k) * max_profit
    return Gains(long_gain(state, k, price), short_gain(state, k, price), bound)


@inlined
def is_above(gains: Gains, bound: Vector) -> Mask:
    """Return where a side's profit is above a bound."""
    return (gains.longs > bound) | (gains.shorts > bound)


@inlined
def shares_paid(gains: Gains) -> tuple[Vector, Vector]:
    """Return what share of its profit each side is paid, the longs' first.

    Takes no arrays: in a function with a branch each would be counted.
    """
    longs = shorts = spread(1.0)
    if has_any(is_above(gains, gains.bound)):
        longs = chosen(gains.longs > gains.bound, gains.bound / gains.longs, 1.0)
        shorts = chosen(gains.shorts > gains.bound, gains.bound / gains.shorts, 1.0)
    return longs, shorts


@inlined
def funding_open(state: FloatArray, k: int) -> Vector:
    """Return what all positions owe the pool since they were settled.

    `state` is of shape (n_rows * LANES,).
    """
    skew = at(state, LONG + k) - at(state, SHORT + k)
    return skew * at(state, FUNDING + k) - at(state, BASIS + k)


@inlined
def pool_worth(numbers: Numbers, state: FloatArray, k: int, price: Vector) -> Vector:
    """Return what the pool owns, USD; `state` is of shape (n_rows * LANES,)."""
    gains = get_gains(state, k, price, numbers.max_profit)
    worth = at(state, POOL + k) - least(gains.longs, gains.bound)
    worth = worth - least(gains.shorts, gains.bound)
    return most(0.0, worth + funding_open(state, k))
