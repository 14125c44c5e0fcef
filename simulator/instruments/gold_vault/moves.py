"""Amounts that leave room for rounding, and moves between the vault and its strategies.

Every function works on one path: `path` is a record of `state.PATH`, `world` one of
`state.WORLD`; arrays by cohort have shape (8,), by source (5,). `act` and `seen` are the
rows of the record that the replay reads.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from simulator.mechanics import lending
from simulator.mechanics.jit import inlined

Record = Any

DEAD_BAND = 1e-6
"""Keepers act this far (relative) beyond a threshold, wider than any rounding."""
ROUNDING_ROOM = 1e-9
ROOM_OUNCES = 1e-6
ROOM_UNITS = 100.0
"""Of what there is, this share, these ounces and this many token units are never asked for:
the contract rounds, float64 carries 1e-12 of the whole book, and a request for the last unit
could be refused."""
ALLOCATION_BAND = 1e-3
"""Share of assets below which the curator moves nothing."""
MINIMUM_OUNCES = 0.01
"""Flows and moves below this are not made."""
MINIMUM_LOAN_USD = 100.0
"""Loans below this are not made; USDC's unit then stays far inside the dead-band."""

ROOM_USDC = 1.0
"""Likewise for collateral in USDC, of two units."""


@inlined
def floor_to(amount: float, unit: float) -> float:
    """Return `amount` rounded down to a multiple of `unit`; unchanged where `unit` is 0."""
    return np.floor(amount / unit) * unit if unit > 0.0 else amount


@inlined
def with_room(amount: float, unit: float) -> float:
    """Return what can be asked for of `amount`, whatever the contract's rounding."""
    room = ROUNDING_ROOM * amount + ROOM_OUNCES + ROOM_UNITS * unit
    return max(0.0, floor_to(amount - room, unit))


@inlined
def usdc_down(amount: float) -> float:
    """Return USDC rounded down to its unit of 1e-6."""
    return np.floor(amount * 1e6) / 1e6


@inlined
def usdc_up(amount: float) -> float:
    """Return USDC rounded up to its unit of 1e-6."""
    return np.ceil(amount * 1e6) / 1e6


@inlined
def releasable(collateral_usdc: float, world: Record, gold_usd: float) -> float:
    """Return what of a collateral can be taken out, however its past seizures were rounded."""
    room = ROOM_USDC + ROUNDING_ROOM * collateral_usdc + ROOM_UNITS * world.unit * gold_usd
    return max(0.0, usdc_down(collateral_usdc - room))


@inlined
def lending_value(path: Record) -> float:
    """Return the ounces that the vault's supply shares stand for."""
    return path.vault.lending_shares * lending.supply_index(path.market)


@inlined
def lending_liquid(path: Record) -> float:
    """Return what the lending market could pay the vault now."""
    claim = min(path.vault.lending_debt, lending_value(path))
    return max(0.0, min(claim, path.market.cash))


@inlined
def liquid(path: Record) -> float:
    """Return what the vault could pay out now."""
    return (
        path.vault.idle + lending_liquid(path) + min(path.vault.pool_debt, path.vault.pool_assets)
    )


@inlined
def pull(path: Record, ounces: float) -> tuple[float, float, float]:
    """Take `ounces` from idle, then lending, then the pool; return the three parts."""
    from_idle = min(path.vault.idle, ounces)
    from_lending = min(ounces - from_idle, lending_liquid(path))
    from_pool = min(ounces - from_idle - from_lending, path.vault.pool_assets)
    path.vault.idle -= from_idle
    move_lending(path, -from_lending)
    path.vault.pool_debt -= from_pool
    path.vault.pool_assets -= from_pool
    return from_idle, from_lending, from_pool


@inlined
def move_lending(path: Record, ounces: float) -> None:
    """Supply `ounces` to the lending market, or withdraw them where negative."""
    if ounces > 0.0:
        path.vault.lending_shares += lending.supply(path.market, ounces)
    elif ounces < 0.0:
        path.vault.lending_shares -= lending.withdraw(path.market, -ounces)
    path.vault.lending_debt += ounces
