"""A leverage loop's sums: how much may be borrowed at once, and how much there is to borrow.

Rules: docs/mechanics.md, "Loans on a metal token". Amounts are USDC and whole tokens, prices
USDC per token; the twin of what `contracts/lending_market.vy` allows and `contracts/desk.vy` asks.
"""

from __future__ import annotations

import numpy as np

from simulator.jit import inlined

USDC_UNITS = 1e6
ROOM = 1e-9
"""Part of what may be borrowed that is left: the rounding of both engines lies within it."""
ROOM_USDC = 2e-6
"""Of dollars that are spent, kept back: the desk rounds what it asks up to a unit."""


@inlined
def usdc_down(usdc: float) -> float:
    """Return USDC rounded down to its unit."""
    return np.floor(usdc * USDC_UNITS) / USDC_UNITS


@inlined
def units_down(tokens: float, units: float) -> float:
    """Return tokens rounded down to one part in `units` of a token."""
    return np.floor(tokens * units) / units


@inlined
def wanted_debt(capital: float, ltv: float, feed: float, ask: float) -> float:
    """Return the debt at which a loop has reached its loan to value.

        D = ltv f (K + D) / a,   so   D = K r / (1 - r),   r = ltv f / a

    Parameters
    ----------
    capital : float
        K, USDC.
    feed, ask : float
        What the market reads, f, and what the desk asks, a, for a token.
    """
    ratio = ltv * feed / ask
    return capital * ratio / (1.0 - ratio)


@inlined
def borrowable(tokens: float, debt: float, feed: float, max_ltv: float) -> float:
    """Return what may be borrowed more against `tokens`, in whole units of USDC, zero at least."""
    return usdc_down(max(0.0, max_ltv * (1.0 - ROOM) * tokens * feed - debt))


@inlined
def bought(usdc: float, ask: float, units: float) -> float:
    """Return the tokens that `usdc` dollars buy."""
    return units_down(max(0.0, usdc - ROOM_USDC) / ask, units)


@inlined
def returned(tokens: float, feed: float, units: float) -> float:
    """Return what a borrower can take out of what a liquidation left, however that rounded."""
    # the seizure is of a debt that the contract rounds up to a unit of USDC
    room = ROOM * tokens + 2.0 * ROOM_USDC / feed + 1.0 / units
    return units_down(max(0.0, tokens - room), units)
