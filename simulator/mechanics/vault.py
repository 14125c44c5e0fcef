"""The vault's rules, one path at a time: the twin of `contracts/gold_vault.vy`.

State is a record of `VAULT`. The locked profit is kept by source: what a report adds or
takes stays labelled until it reaches the share price, so the change of the share price is
the exact sum of what its sources released. Amounts are ounces, times days since the start.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from simulator.mechanics.jit import inlined
from simulator.units import BPS, DAYS_PER_YEAR, FloatArray

Record = Any
"""A numpy record of the dtype that the function's docstring names."""

INTEREST, POOL_FEES, VAULT_FEES, BAD_DEBT, EXPLOIT = range(5)
"""Sources of the share price's change: index into `buffer` and `released`, shape (5,)."""
N_VAULT_SOURCES = 5

VAULT = np.dtype(
    [
        ("performance_fee_bps", np.float64),
        ("management_fee_bps", np.float64),
        ("unlock_days", np.float64),
        ("idle", np.float64),
        ("shares", np.float64),
        ("fee_shares", np.float64),
        ("lending_debt", np.float64),
        ("lending_shares", np.float64),
        ("lending_reported_day", np.float64),
        ("pool_debt", np.float64),
        ("pool_assets", np.float64),
        ("pool_reported_day", np.float64),
        ("locked", np.float64),
        ("locked_day", np.float64),
        ("unlock_end_day", np.float64),
    ]
)
"""Terms and state of one vault; everything starts at 0."""


@inlined
def total_assets(vault: Record) -> float:
    """Return idle ounces and what the strategies owed at their last reports."""
    return vault.idle + vault.lending_debt + vault.pool_debt


@inlined
def share_price(vault: Record) -> float:
    """Return free assets per share, one while there are no shares.

    `unlock` must have been called for the day.
    """
    if vault.shares <= 0.0:
        return 1.0
    return (total_assets(vault) - vault.locked) / vault.shares


@inlined
def unlock(vault: Record, buffer: FloatArray, released: FloatArray, day: float) -> None:
    """Release the locked profit up to `day`, linearly to its end.

    Parameters
    ----------
    vault : record of VAULT
    buffer : ndarray of shape (5,), ounces
        The locked profit by source; it sums to `vault.locked`.
    released : ndarray of shape (5,), ounces per share
        What reaches the share price is added here, by source.
    day : float
    """
    span = vault.unlock_end_day - vault.locked_day
    elapsed = day - vault.locked_day
    vault.locked_day = day
    if vault.locked <= 0.0 or elapsed <= 0.0:
        return
    left = max(0.0, 1.0 - elapsed / span) if span > 0.0 else 0.0
    for source in range(N_VAULT_SOURCES):
        released[source] += buffer[source] * (1.0 - left) / vault.shares
        buffer[source] *= left
    vault.locked *= left


@inlined
def deposit(vault: Record, ounces: float) -> float:
    """Take `ounces`; return the shares given."""
    shares = ounces / share_price(vault)
    vault.idle += ounces
    vault.shares += shares
    return shares


@inlined
def _lock(
    vault: Record, buffer: FloatArray, released: FloatArray, net: float, shares_before: float
) -> None:
    """Put a report's net result, already in `buffer` by source, into the locked profit."""
    remaining = vault.locked
    if remaining + net > 0.0 and vault.unlock_days > 0.0:
        if net > 0.0:
            days_left = max(0.0, vault.unlock_end_day - vault.locked_day)
            period = (remaining * days_left + net * vault.unlock_days) / (remaining + net)
            vault.unlock_end_day = vault.locked_day + period
        vault.locked = remaining + net
        return
    vault.locked = 0.0
    for source in range(N_VAULT_SOURCES):
        released[source] += buffer[source] / shares_before
        buffer[source] = 0.0


@inlined
def report(
    vault: Record,
    buffer: FloatArray,
    released: FloatArray,
    debt: float,
    days_since: float,
    result: FloatArray,
) -> None:
    """Book a strategy's result since its last report; the caller then updates its debt.

    Fees are paid in shares worth the fee after the report. `buffer` and `released` as in
    `unlock`, which must have been called for the day.

    Parameters
    ----------
    debt : float
        The strategy's debt before the report, the base of the management fee.
    days_since : float
        Days since the strategy's last report.
    result : ndarray of shape (5,), ounces
        The strategy's gains and losses by source; their sum is its change of value.
    """
    change = 0.0
    for source in range(N_VAULT_SOURCES):
        change += result[source]
        buffer[source] += result[source]
    fee = max(change, 0.0) * vault.performance_fee_bps / BPS
    fee += debt * vault.management_fee_bps / BPS * days_since / DAYS_PER_YEAR
    buffer[VAULT_FEES] -= fee
    shares_before = vault.shares
    assets_after = total_assets(vault) + change
    _lock(vault, buffer, released, change - fee, shares_before)
    if fee > 0.0:
        minted = fee * shares_before / (assets_after - vault.locked - fee)
        vault.shares += minted
        vault.fee_shares += minted
