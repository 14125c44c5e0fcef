"""A perpetual's sums: what a gain is paid, a fee, funding, and how far winners are reduced.

Rules: docs/mechanics.md, "Perpetual". Amounts are dollars, sizes units of an index, below zero
short; a cost is size times index, of the size's sign.
"""

from __future__ import annotations

import numpy as np

from simulator.jit import inlined
from simulator.units import DAYS_PER_YEAR

SIZE_UNITS = 1e6
"""Sizes are multiples of one over this."""


@inlined
def size_down(size: float) -> float:
    """Return a size, 0 or more, rounded down to its unit."""
    return np.floor(size * SIZE_UNITS) / SIZE_UNITS


@inlined
def payable(gain: float, side: float, most: float) -> float:
    """Return what is paid of a gain; a loss is returned as it is.

    Parameters
    ----------
    gain : float
        The position's.
    side : float
        That of all positions of its side.
    most : float
        What of the pool that side can have; the least of both is never exceeded.
    """
    if gain <= 0.0:
        return gain
    part = gain * most / side if side > most else gain
    return min(part, most)


@inlined
def fee(delta: float, skew: float, price: float, maker: float, taker: float) -> float:
    """Return the fee of a trade: what makes the skew smaller pays the maker's rate.

    Parameters
    ----------
    delta : float
        Size to add.
    skew : float
        Size long less size short before it.
    """
    makes = 0.0
    if skew > 0.0 and delta < 0.0:
        makes = min(skew, -delta)
    elif skew < 0.0 and delta > 0.0:
        makes = min(-skew, delta)
    return price * (makes * maker + (abs(delta) - makes) * taker)


@inlined
def drifted(rate: float, skew_usd: float, scale: float, velocity: float, most: float) -> float:
    """Return the rate of funding a day later: velocity x skew / scale, both kept in bounds."""
    part = max(-1.0, min(1.0, skew_usd / scale))
    return max(-most, min(most, rate + velocity * part))


@inlined
def funding_of_a_day(rate: float, price: float) -> float:
    """Return what a unit that is long pays for a day, at an annual rate and the last index."""
    return rate * price / DAYS_PER_YEAR


@inlined
def to_reduce(side: float, pool: float, owed: float, most: float, target: float) -> float:
    """Return the gain to be taken so that its side's profit is down to the target.

    Paid is f = min(1, most / side) of the gain y, and the funding comes in with it:

        side - y = target (pool + owed - f y)

    Parameters
    ----------
    side : float
        What the side has gained, above target x pool.
    pool : float
        The pool's cash.
    owed : float
        Funding that the reduced position owes.
    most : float
        What of the pool the side can have.
    target : float
        Share of the pool.
    """
    paid = min(1.0, most / side)
    return (side - target * (pool + owed)) / (1.0 - target * paid)
