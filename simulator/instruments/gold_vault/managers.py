"""What curator, keeper, crowd and intruder do to the vault.

Every function works on one path: `path` is a record of `state.PATH`, `world` one of
`state.WORLD`; arrays by cohort have shape (8,), by source (5,). `act` and `seen` are the
rows of the record that the replay reads.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from simulator.instruments.gold_vault.moves import (
    ALLOCATION_BAND,
    MINIMUM_OUNCES,
    floor_to,
    lending_liquid,
    lending_value,
    liquid,
    move_lending,
    pull,
    with_room,
)
from simulator.instruments.gold_vault.state import Action
from simulator.mechanics import vault
from simulator.mechanics.jit import inlined
from simulator.mechanics.vault import BAD_DEBT, EXPLOIT, INTEREST, N_VAULT_SOURCES, POOL_FEES
from simulator.units import DAYS_PER_YEAR, FloatArray

Record = Any

CROWD_REDEEM_SHARES = int(Action.CROWD_REDEEM_SHARES)
CROWD_DEPOSIT = int(Action.CROWD_DEPOSIT)
CROWD_STAKE_SHARES = int(Action.CROWD_STAKE_SHARES)
REPORT = int(Action.REPORT)
POOL_CREDIT = int(Action.POOL_CREDIT)
LENDING_TARGET = int(Action.LENDING_TARGET)
POOL_TARGET = int(Action.POOL_TARGET)
POOL_FIRST = int(Action.POOL_FIRST)
EXPLOIT_LENDING_TARGET = int(Action.EXPLOIT_LENDING_TARGET)
EXPLOIT_POOL_TARGET = int(Action.EXPLOIT_POOL_TARGET)
EXPLOIT_STOLEN = int(Action.EXPLOIT_STOLEN)


@inlined
def report_lending(path: Record, buffer: FloatArray, released: FloatArray, day: float) -> None:
    """Report the lending strategy: what is not bad debt is interest."""
    result = np.zeros(N_VAULT_SOURCES)
    value = lending_value(path)
    result[BAD_DEBT] = -path.bad_debt_pending
    result[INTEREST] = value - path.vault.lending_debt + path.bad_debt_pending
    since = day - path.vault.lending_reported_day
    vault.report(path.vault, buffer, released, path.vault.lending_debt, since, result)
    path.vault.lending_debt = value
    path.vault.lending_reported_day = day
    path.bad_debt_pending = 0.0


@inlined
def report_pool(path: Record, buffer: FloatArray, released: FloatArray, day: float) -> None:
    """Report the pool strategy: what it holds beyond its debt is fees."""
    result = np.zeros(N_VAULT_SOURCES)
    result[POOL_FEES] = path.vault.pool_assets - path.vault.pool_debt
    since = day - path.vault.pool_reported_day
    vault.report(path.vault, buffer, released, path.vault.pool_debt, since, result)
    path.vault.pool_debt = path.vault.pool_assets
    path.vault.pool_reported_day = day


@inlined
def exploit(
    path: Record, world: Record, buffer: FloatArray, released: FloatArray, act: FloatArray
) -> None:
    """Drain what is liquid, up to the severity's share of all assets, and report the loss."""
    wanted = world.exploit_severity * vault.total_assets(path.vault)
    gathered = min(wanted, with_room(liquid(path), world.unit))
    stolen = with_room(gathered, world.unit)
    if stolen <= MINIMUM_OUNCES:
        return
    _, from_lending, from_pool = pull(path, gathered)
    act[EXPLOIT_STOLEN] = stolen
    if from_lending > 0.0:
        act[EXPLOIT_LENDING_TARGET] = path.vault.lending_debt
    if from_pool > 0.0:
        act[EXPLOIT_POOL_TARGET] = path.vault.pool_debt
    path.vault.idle += gathered
    result = np.zeros(N_VAULT_SOURCES)
    result[EXPLOIT] = -stolen
    vault.report(path.vault, buffer, released, 0.0, 0.0, result)
    path.vault.idle -= stolen
    path.events += 1


@inlined
def crowd_leaves(path: Record, world: Record, share: float, act: FloatArray) -> None:
    """Redeem a share of the crowd's deposits, as far as the vault can pay."""
    price = vault.share_price(path.vault)
    if price <= 0.0:
        return
    asked = min(share * path.crowd_shares, with_room(path.crowd_shares, world.unit))
    payable = with_room(liquid(path), world.unit) / price
    if asked > payable:
        path.events += 1
    shares = floor_to(min(asked, payable), world.unit)
    if shares * price < MINIMUM_OUNCES:
        return
    pull(path, shares * price)
    path.vault.shares -= shares
    path.crowd_shares -= shares
    path.staking.staked -= shares
    act[CROWD_REDEEM_SHARES] = shares


@inlined
def crowd_joins(path: Record, world: Record, share: float, act: FloatArray) -> None:
    """Deposit a share of what the crowd has in the vault, and stake all but the rounding."""
    ounces = floor_to(share * path.crowd_shares * vault.share_price(path.vault), world.unit)
    if ounces < MINIMUM_OUNCES:
        return
    minted = vault.deposit(path.vault, ounces)
    shares = with_room(minted, world.unit)
    path.crowd_shares += shares
    path.staking.staked += shares
    act[CROWD_DEPOSIT] = ounces
    act[CROWD_STAKE_SHARES] = shares


@inlined
def allocate(path: Record, world: Record, act: FloatArray) -> None:
    """Move assets towards the shares of the terms; withdrawals come before deposits."""
    assets = vault.total_assets(path.vault)
    band = max(ALLOCATION_BAND * assets, MINIMUM_OUNCES)
    lending_share = 1.0 - world.idle_share - world.pool_share
    lending_gap = lending_share * assets - path.vault.lending_debt
    pool_gap = world.pool_share * assets - path.vault.pool_debt
    act[POOL_FIRST] = 1.0 if lending_gap > 0.0 else 0.0
    if lending_gap < -band:
        _move_lending(path, world, -min(-lending_gap, lending_liquid(path)), act)
    if pool_gap < -band:
        _move_pool(path, world, pool_gap, act)
    if lending_gap > band:
        _move_lending(path, world, min(lending_gap, path.vault.idle), act)
    if pool_gap > band:
        _move_pool(path, world, min(pool_gap, path.vault.idle), act)


@inlined
def _move_lending(path: Record, world: Record, ounces: float, act: FloatArray) -> None:
    moved = np.sign(ounces) * with_room(abs(ounces), world.unit)
    act[LENDING_TARGET] = path.vault.lending_debt + moved
    path.vault.idle -= moved
    move_lending(path, moved)


@inlined
def _move_pool(path: Record, world: Record, ounces: float, act: FloatArray) -> None:
    moved = np.sign(ounces) * with_room(abs(ounces), world.unit)
    act[POOL_TARGET] = path.vault.pool_debt + moved
    path.vault.idle -= moved
    path.vault.pool_debt += moved
    path.vault.pool_assets += moved


@inlined
def credit_pool(path: Record, world: Record, day: float, act: FloatArray) -> None:
    """Pay the pool the fees it is assumed to have earned since its last report."""
    days = day - path.vault.pool_reported_day
    fees = path.vault.pool_assets * world.pool_fee_yield * days / DAYS_PER_YEAR
    fees = floor_to(fees, world.unit)
    path.vault.pool_assets += fees
    act[POOL_CREDIT] = fees


@inlined
def manage(
    path: Record,
    world: Record,
    buffer: FloatArray,
    released: FloatArray,
    day: float,
    act: FloatArray,
) -> None:
    """Report both strategies and allocate, on the days of the report cadence."""
    if day % world.report_every_days != 0.0:
        return
    if day > 0.0:
        credit_pool(path, world, day, act)
        report_lending(path, buffer, released, day)
        report_pool(path, buffer, released, day)
        act[REPORT] = 1.0
    allocate(path, world, act)
