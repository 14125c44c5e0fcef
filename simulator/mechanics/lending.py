"""The lending market's rules, one path at a time: the twin of `contracts/lending_market.vy`.

State is a record of `MARKET` and, for the borrowers, the arrays `scaled_debt` and
`collateral_usdc` of shape (n_cohorts,). Amounts are ounces of the lent token, collateral is
USDC, times are days since the start. Every function keeps cash + borrows = all claims.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from simulator.mechanics.jit import inlined
from simulator.units import DAYS_PER_YEAR, FloatArray

Record = Any
"""A numpy record of the dtype that the function's docstring names."""

MARKET = np.dtype(
    [
        ("base_rate", np.float64),
        ("slope1", np.float64),
        ("slope2", np.float64),
        ("kink", np.float64),
        ("reserve_factor", np.float64),
        ("liquidation_threshold", np.float64),
        ("liquidation_bonus", np.float64),
        ("cash", np.float64),
        ("total_scaled_debt", np.float64),
        ("borrow_index", np.float64),
        ("shares", np.float64),
        ("treasury_shares", np.float64),
        ("accrued_day", np.float64),
    ]
)
"""Terms and state of one market; the index starts at 1, everything else at 0."""


@inlined
def kinked_rate(
    utilisation: float, base_rate: float, slope1: float, slope2: float, kink: float
) -> float:
    """Return the annual borrow rate at a utilisation of 0 to 1."""
    if utilisation <= kink:
        return base_rate + slope1 * utilisation / kink
    return base_rate + slope1 + slope2 * (utilisation - kink) / (1.0 - kink)


@inlined
def utilisation_at(
    rate: float, base_rate: float, slope1: float, slope2: float, kink: float
) -> float:
    """Return the highest utilisation, 0 to 1, at which the borrow rate is at most `rate`."""
    if rate < base_rate:
        return 0.0
    if rate < base_rate + slope1:
        return kink * (rate - base_rate) / slope1
    if slope2 <= 0.0:
        return 1.0
    return min(1.0, kink + (1.0 - kink) * (rate - base_rate - slope1) / slope2)


@inlined
def borrows(market: Record) -> float:
    """Return the ounces owed by all borrowers, as of the last accrual."""
    return market.total_scaled_debt * market.borrow_index


@inlined
def utilisation(market: Record) -> float:
    """Return borrows / (cash + borrows), zero when the market is empty."""
    owed = borrows(market)
    return owed / (market.cash + owed) if owed > 0.0 else 0.0


@inlined
def borrow_rate(market: Record) -> float:
    """Return the annual rate that holds from this state on."""
    return kinked_rate(
        utilisation(market), market.base_rate, market.slope1, market.slope2, market.kink
    )


@inlined
def supply_index(market: Record) -> float:
    """Return ounces per supply share, one while there are no shares."""
    if market.shares <= 0.0:
        return 1.0
    return (market.cash + borrows(market)) / market.shares


@inlined
def accrue(market: Record, day: float) -> None:
    """Apply the latched rate up to `day`; the reserve becomes shares of the treasury."""
    elapsed = day - market.accrued_day
    market.accrued_day = day
    if elapsed <= 0.0 or market.total_scaled_debt <= 0.0:
        return
    before = borrows(market)
    market.borrow_index *= 1.0 + borrow_rate(market) * elapsed / DAYS_PER_YEAR
    after = borrows(market)
    reserve = (after - before) * market.reserve_factor
    minted = reserve * market.shares / (market.cash + after - reserve)
    market.shares += minted
    market.treasury_shares += minted


@inlined
def supply(market: Record, ounces: float) -> float:
    """Take `ounces` from a supplier; return the shares given."""
    shares = ounces / supply_index(market)
    market.cash += ounces
    market.shares += shares
    return shares


@inlined
def withdraw(market: Record, ounces: float) -> float:
    """Pay `ounces` (at most the cash) to a supplier; return the shares burnt."""
    shares = ounces / supply_index(market)
    market.cash -= ounces
    market.shares -= shares
    return shares


@inlined
def borrow(market: Record, scaled_debt: FloatArray, cohort: int, ounces: float) -> None:
    """Lend `ounces` (at most the cash) to a cohort."""
    scaled = ounces / market.borrow_index
    scaled_debt[cohort] += scaled
    market.total_scaled_debt += scaled
    market.cash -= ounces


@inlined
def repay(market: Record, scaled_debt: FloatArray, cohort: int, ounces: float) -> None:
    """Take `ounces` (at most its debt) back from a cohort."""
    scaled = min(ounces / market.borrow_index, scaled_debt[cohort])
    scaled_debt[cohort] -= scaled
    market.total_scaled_debt -= scaled
    market.cash += ounces


@inlined
def close(market: Record, scaled_debt: FloatArray, cohort: int) -> None:
    """Take all of a cohort's debt back; nothing is left by rounding."""
    market.cash += scaled_debt[cohort] * market.borrow_index
    market.total_scaled_debt -= scaled_debt[cohort]
    scaled_debt[cohort] = 0.0


@inlined
def liquidate(
    market: Record,
    scaled_debt: FloatArray,
    collateral_usdc: FloatArray,
    cohort: int,
    gold_usd: float,
) -> tuple[float, float]:
    """Close a cohort's whole position at the feed's price.

    Returns
    -------
    repaid : float
        Ounces the liquidator paid.
    bad_debt : float
        Ounces nobody will pay: treasury shares are burnt for them first, the rest has
        lowered the supply index.
    """
    debt = scaled_debt[cohort] * market.borrow_index
    payable = collateral_usdc[cohort] / ((1.0 + market.liquidation_bonus) * gold_usd)
    if debt <= payable:
        collateral_usdc[cohort] -= debt * gold_usd * (1.0 + market.liquidation_bonus)
        close(market, scaled_debt, cohort)
        return debt, 0.0
    bad_debt = debt - payable
    burnt = min(market.treasury_shares, bad_debt / supply_index(market))
    repay(market, scaled_debt, cohort, payable)
    market.total_scaled_debt -= scaled_debt[cohort]
    scaled_debt[cohort] = 0.0
    collateral_usdc[cohort] = 0.0
    market.treasury_shares -= burnt
    market.shares -= burnt
    return payable, bad_debt
