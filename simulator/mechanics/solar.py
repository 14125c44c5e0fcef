"""A solar collection's sums: what a period shares, a bonus, and what silver is paid with.

Rules: docs/mechanics.md, "Solar panels". Amounts are dollars, whole units of 1e-6.
"""

from __future__ import annotations

import numpy as np

from simulator.jit import inlined

N_ARRAYS = 32
"""Tokens that stand for all panels of others: they are locked and unlocked one by one."""
UNITS_A_DOLLAR = 1e6
MG_PER_OUNCE = 31_103.4768
"""Milligrams in a troy ounce, exactly."""


@inlined
def dollars_down(usd: float) -> float:
    """Return dollars rounded down to the unit."""
    return np.floor(usd * UNITS_A_DOLLAR) / UNITS_A_DOLLAR


@inlined
def pot(revenue: float) -> float:
    """Return what a period shares: its revenue less costs, down to the unit, and no less than 0."""
    return dollars_down(max(0.0, revenue))


@inlined
def bonus_part(a_day: float, own_watts: float, others_watts: float) -> float:
    """Return what locked watts get of a day's bonus."""
    return a_day * own_watts / (own_watts + others_watts)


@inlined
def silver_usd(milligrams: float, recovery: float, usd_per_ounce: float) -> float:
    """Return what silver is paid with, rounded down to the unit."""
    return dollars_down(milligrams * recovery * usd_per_ounce / MG_PER_OUNCE)
