"""A price cover's sums: premium by utilisation, payout, and a day's part of the pool.

Rules: docs/mechanics.md, "Price cover". Amounts are dollars, whole units of 1e-6; prices and
strikes USD per tonne.
"""

from __future__ import annotations

import numpy as np

from simulator.jit import inlined
from simulator.units import DAYS_PER_YEAR

UNITS_A_DOLLAR = 1e6
GRAMS_A_TONNE = 1e6


@inlined
def dollars_down(usd: float) -> float:
    """Return dollars rounded down to the unit."""
    return np.floor(usd * UNITS_A_DOLLAR) / UNITS_A_DOLLAR


@inlined
def tonnes_down(tonnes: float) -> float:
    """Return tonnes rounded down to the gram."""
    return np.floor(tonnes * GRAMS_A_TONNE) / GRAMS_A_TONNE


@inlined
def premium_a_day(
    insured: float,
    locked: float,
    capacity: float,
    floor: float,
    slope: float,
    ceiling: float,
) -> float:
    """Return the premium of a day, rounded up to the unit.

    Parameters
    ----------
    insured, locked, capacity : float
        Sum insured of the cover, those of all others, and the most there may be; above zero.
    floor, slope, ceiling : float
        Premium a year per sum insured.
    """
    before = min(ceiling, floor + slope * (locked / capacity))
    after = min(ceiling, floor + slope * ((locked + insured) / capacity))
    rate = 0.5 * (before + after)
    return np.ceil(insured * rate / DAYS_PER_YEAR * UNITS_A_DOLLAR) / UNITS_A_DOLLAR


@inlined
def payout(strike: float, settlement: float, tonnes: float) -> float:
    """Return max(strike - settlement, 0) x tonnes, rounded down to the unit."""
    return dollars_down(max(strike - settlement, 0.0) * tonnes)


@inlined
def available(pool: float, ending: float, locked: float) -> float:
    """Return what the policies of a day have at most: their part by sums insured."""
    return dollars_down(pool * ending / locked)


@inlined
def paid_part(claim: float, owed: float, there: float) -> float:
    """Return what a claim is paid where `owed` is due in all and `there` is there for it."""
    if owed <= there:
        return claim
    return dollars_down(claim * there / owed)
