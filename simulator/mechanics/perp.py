"""A perpetual's sums: what a gain is paid, a fee, funding, and how far winners are reduced.

Rules: docs/mechanics.md, "Perpetual". Amounts are dollars, sizes units of an index, below zero
short; a cost is size times index, of the size's sign. What is called a vector may be a number too.
"""

from __future__ import annotations

from simulator.jit import inlined
from simulator.mechanics.vectors import Vector, chosen, down, least, magnitude, most
from simulator.units import DAYS_PER_YEAR

SIZE_UNITS = 1e6
"""Sizes are multiples of one over this."""


@inlined
def size_down(size: Vector) -> Vector:
    """Return a size, 0 or more, rounded down to its unit."""
    return down(size * SIZE_UNITS) / SIZE_UNITS


@inlined
def payable(gain: Vector, side: Vector, available: Vector) -> Vector:
    """Return what is paid of a gain; a loss is returned as it is.

    Parameters
    ----------
    gain : vector
        The position's.
    side : vector
        That of all positions of its side.
    available : vector
        What of the pool that side can have; the least of both is never exceeded.
    """
    part = chosen(side > available, gain * available / side, gain)
    return chosen(gain <= 0.0, gain, least(part, available))


@inlined
def fee(delta: Vector, skew: Vector, price: Vector, maker: float, taker: float) -> Vector:
    """Return the fee of a trade: what makes the skew smaller pays the maker's rate.

    Parameters
    ----------
    delta : vector
        Size to add.
    skew : vector
        Size long less size short before it.
    """
    sells = (skew > 0.0) & (delta < 0.0)
    buys = (skew < 0.0) & (delta > 0.0)
    makes = chosen(sells | buys, least(magnitude(skew), magnitude(delta)), 0.0)
    return price * (makes * maker + (magnitude(delta) - makes) * taker)


@inlined
def drifted(rate: Vector, skew_usd: Vector, scale: float, velocity: float, bound: float) -> Vector:
    """Return the rate of funding a day later: velocity x skew / scale, both kept in bounds."""
    part = most(-1.0, least(1.0, skew_usd / scale))
    return most(-bound, least(bound, rate + velocity * part))


@inlined
def funding_of_a_day(rate: Vector, price: Vector) -> Vector:
    """Return what a unit that is long pays for a day, at an annual rate and the last index."""
    return rate * price / DAYS_PER_YEAR


@inlined
def to_reduce(side: Vector, pool: Vector, owed: Vector, available: Vector, target: float) -> Vector:
    """Return the gain to be taken so that its side's profit is down to the target.

    Paid is f = min(1, available / side) of the gain y, and the funding comes in with it:

        side - y = target (pool + owed - f y)

    Parameters
    ----------
    side : vector
        What the side has gained, above target x pool.
    pool : vector
        The pool's cash.
    owed : vector
        Funding that the reduced position owes.
    available : vector
        What of the pool the side can have.
    target : float
        Share of the pool.
    """
    paid = least(1.0, available / side)
    return (side - target * (pool + owed)) / (1.0 - target * paid)
