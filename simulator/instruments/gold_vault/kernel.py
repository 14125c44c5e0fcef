"""One day of the vault's world, in the order of `docs/mechanics.md`, over steps and paths.

Every function works on one path: `path` is a record of `state.PATH`, `world` one of
`state.WORLD`; arrays by cohort have shape (8,), by source (5,). `act` and `seen` are the
rows of the record that the replay reads.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from simulator.instruments.gold_vault.state import (
    EMISSIONS,
    GAS,
    GOLD_PRICE,
    ILLIQUIDITY,
    N_COHORTS,
    PREMIUM,
    SHORTFALL,
    SPREAD,
    Action,
    Observed,
)
from simulator.mechanics import lending, staking, vault
from simulator.mechanics.jit import kernel
from simulator.mechanics.vault import BAD_DEBT, EXPLOIT, INTEREST, N_VAULT_SOURCES, POOL_FEES
from simulator.units import DAYS_PER_YEAR, FloatArray

Record = Any

DEAD_BAND = 1e-6
"""Keepers act this far (relative) beyond a threshold, wider than any rounding."""
ROUNDING_ROOM = 1e-9
ROOM_UNITS = 100.0
"""Of what there is, this share and this many token units are never asked for: the contract
rounds, and a request for the last unit could be refused."""
ALLOCATION_BAND = 1e-3
"""Share of assets below which the curator moves nothing."""
MINIMUM_OUNCES = 0.01
"""Flows and moves below this are not made."""
MINIMUM_LOAN_USD = 100.0
"""Loans below this are not made; USDC's unit then stays far inside the dead-band."""

ROOM_USDC = 2e-6
"""Likewise for collateral in USDC, of two units."""

LIQUIDATE = int(Action.LIQUIDATE)
REPAY = int(Action.REPAY)
RELEASE_USDC = int(Action.RELEASE_USDC)
BORROW = int(Action.BORROW)
POST_USDC = int(Action.POST_USDC)
CROWD_REDEEM_SHARES = int(Action.CROWD_REDEEM_SHARES)
CROWD_DEPOSIT = int(Action.CROWD_DEPOSIT)
CROWD_STAKE_SHARES = int(Action.CROWD_STAKE_SHARES)
HOLDER_REDEEM_SHARES = int(Action.HOLDER_REDEEM_SHARES)
REPORT_LOSS = int(Action.REPORT_LOSS)
REPORT = int(Action.REPORT)
POOL_CREDIT = int(Action.POOL_CREDIT)
LENDING_TARGET = int(Action.LENDING_TARGET)
POOL_TARGET = int(Action.POOL_TARGET)
POOL_FIRST = int(Action.POOL_FIRST)
EXPLOIT_LENDING_TARGET = int(Action.EXPLOIT_LENDING_TARGET)
EXPLOIT_POOL_TARGET = int(Action.EXPLOIT_POOL_TARGET)
EXPLOIT_STOLEN = int(Action.EXPLOIT_STOLEN)
NOTIFY = int(Action.NOTIFY)
CLAIM = int(Action.CLAIM)
SEEN_SHARE_PRICE = int(Observed.SHARE_PRICE)
SEEN_UTILISATION = int(Observed.UTILISATION)
SEEN_BORROW_INDEX = int(Observed.BORROW_INDEX)
SEEN_SUPPLY_INDEX = int(Observed.SUPPLY_INDEX)
SEEN_REWARDS_EARNED = int(Observed.REWARDS_EARNED)
SEEN_EXIT_OUNCES = int(Observed.EXIT_OUNCES)
SEEN_TOTAL_ASSETS = int(Observed.TOTAL_ASSETS)
SEEN_MARKET_CASH = int(Observed.MARKET_CASH)
SEEN_MARKET_ASSETS = int(Observed.MARKET_ASSETS)
SEEN_LTV = int(Observed.LTV)


@kernel
def floor_to(amount: float, unit: float) -> float:
    """Return `amount` rounded down to a multiple of `unit`; unchanged where `unit` is 0."""
    return np.floor(amount / unit) * unit if unit > 0.0 else amount


@kernel
def with_room(amount: float, unit: float) -> float:
    """Return what can be asked for of `amount`, whatever the contract's rounding."""
    return max(0.0, floor_to(amount * (1.0 - ROUNDING_ROOM) - ROOM_UNITS * unit, unit))


@kernel
def usdc_down(amount: float) -> float:
    """Return USDC rounded down to its unit of 1e-6."""
    return np.floor(amount * 1e6) / 1e6


@kernel
def usdc_up(amount: float) -> float:
    """Return USDC rounded up to its unit of 1e-6."""
    return np.ceil(amount * 1e6) / 1e6


@kernel
def lending_value(path: Record) -> float:
    """Return the ounces that the vault's supply shares stand for."""
    return path.vault.lending_shares * lending.supply_index(path.market)


@kernel
def lending_liquid(path: Record) -> float:
    """Return what the lending market could pay the vault now."""
    claim = min(path.vault.lending_debt, lending_value(path))
    return max(0.0, min(claim, path.market.cash))


@kernel
def liquid(path: Record) -> float:
    """Return what the vault could pay out now."""
    return path.vault.idle + lending_liquid(path) + min(path.vault.pool_debt, path.vault.pool_assets)


@kernel
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


@kernel
def move_lending(path: Record, ounces: float) -> None:
    """Supply `ounces` to the lending market, or withdraw them where negative."""
    if ounces > 0.0:
        path.vault.lending_shares += lending.supply(path.market, ounces)
    elif ounces < 0.0:
        path.vault.lending_shares -= lending.withdraw(path.market, -ounces)
    path.vault.lending_debt += ounces


@kernel
def report_lending(
    path: Record, buffer: FloatArray, released: FloatArray, day: float
) -> None:
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


@kernel
def report_pool(path: Record, buffer: FloatArray, released: FloatArray, day: float) -> None:
    """Report the pool strategy: what it holds beyond its debt is fees."""
    result = np.zeros(N_VAULT_SOURCES)
    result[POOL_FEES] = path.vault.pool_assets - path.vault.pool_debt
    since = day - path.vault.pool_reported_day
    vault.report(path.vault, buffer, released, path.vault.pool_debt, since, result)
    path.vault.pool_debt = path.vault.pool_assets
    path.vault.pool_reported_day = day


@kernel
def liquidations(
    path: Record,
    world: Record,
    scaled_debt: FloatArray,
    collateral: FloatArray,
    buffer: FloatArray,
    released: FloatArray,
    day: float,
    gold_usd: float,
    act: FloatArray,
) -> None:
    """Close every position beyond the threshold; a loss is reported at once."""
    lost = 0.0
    for cohort in range(N_COHORTS):
        owed_usd = scaled_debt[cohort] * path.market.borrow_index * gold_usd
        limit = collateral[cohort] * path.market.liquidation_threshold
        if owed_usd <= limit * (1.0 + DEAD_BAND) or owed_usd <= 0.0:
            continue
        before = lending.supply_index(path.market)
        room = ROOM_USDC + ROUNDING_ROOM * collateral[cohort] + ROOM_UNITS * world.unit * gold_usd
        _, bad_debt = lending.liquidate(path.market, scaled_debt, collateral, cohort, gold_usd)
        if bad_debt > 0.0:
            fall = before - lending.supply_index(path.market)
            lost += path.vault.lending_shares * max(fall, 0.0)
        act[RELEASE_USDC + cohort] = max(0.0, usdc_down(collateral[cohort] - room))
        collateral[cohort] -= act[RELEASE_USDC + cohort]
        path.events += 1
        act[LIQUIDATE + cohort] = 1.0
    if lost > MINIMUM_OUNCES:
        path.bad_debt_pending += lost
        report_lending(path, buffer, released, day)
        act[REPORT_LOSS] = 1.0


@kernel
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


@kernel
def wanted_debt(path: Record, world: Record, demand_ounces: float) -> float:
    """Return the ounces that one cohort wants: no more than leave the rate bearable."""
    market = path.market
    bearable = lending.utilisation_at(
        world.reservation_rate, market.base_rate, market.slope1, market.slope2, market.kink
    )
    supplied = market.cash + lending.borrows(market)
    return min(demand_ounces, bearable * supplied) / N_COHORTS


@kernel
def repayments(
    path: Record,
    world: Record,
    scaled_debt: FloatArray,
    collateral: FloatArray,
    ltv_ladder: FloatArray,
    wanted: float,
    gold_usd: float,
    act: FloatArray,
) -> None:
    """Let cohorts that owe more than they want repay, and take collateral back."""
    for cohort in range(N_COHORTS):
        owed = scaled_debt[cohort] * path.market.borrow_index
        if owed <= 0.0 or owed - wanted <= world.inertia * owed:
            continue
        if wanted * gold_usd < MINIMUM_LOAN_USD:
            lending.close(path.market, scaled_debt, cohort)
            act[REPAY + cohort] = np.inf
            act[RELEASE_USDC + cohort] = collateral[cohort]
            collateral[cohort] = 0.0
            continue
        amount = floor_to(owed - wanted, world.unit)
        lending.repay(path.market, scaled_debt, cohort, amount)
        act[REPAY + cohort] = amount
        left = scaled_debt[cohort] * path.market.borrow_index
        needed = usdc_up(left * gold_usd / ltv_ladder[cohort] * (1.0 + ROUNDING_ROOM))
        if collateral[cohort] > needed:
            act[RELEASE_USDC + cohort] = collateral[cohort] - needed
            collateral[cohort] = needed


@kernel
def borrowing(
    path: Record,
    world: Record,
    scaled_debt: FloatArray,
    collateral: FloatArray,
    ltv_ladder: FloatArray,
    wanted: float,
    gold_usd: float,
    act: FloatArray,
) -> None:
    """Let cohorts that want more borrow what cash there is, topping up their collateral."""
    for cohort in range(N_COHORTS):
        owed = scaled_debt[cohort] * path.market.borrow_index
        gap = wanted - owed
        if act[LIQUIDATE + cohort] > 0.0 or gap <= world.inertia * owed:
            continue
        amount = floor_to(min(gap, with_room(path.market.cash, world.unit)), world.unit)
        if amount * gold_usd < MINIMUM_LOAN_USD:
            continue
        needed = (owed + amount) * gold_usd / ltv_ladder[cohort] * (1.0 + ROUNDING_ROOM)
        if needed > collateral[cohort]:
            posted = usdc_up(needed - collateral[cohort])
            collateral[cohort] += posted
            act[POST_USDC + cohort] = posted
        lending.borrow(path.market, scaled_debt, cohort, amount)
        act[BORROW + cohort] = amount


@kernel
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


@kernel
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


@kernel
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


@kernel
def _move_lending(path: Record, world: Record, ounces: float, act: FloatArray) -> None:
    moved = np.sign(ounces) * with_room(abs(ounces), world.unit)
    act[LENDING_TARGET] = path.vault.lending_debt + moved
    path.vault.idle -= moved
    move_lending(path, moved)


@kernel
def _move_pool(path: Record, world: Record, ounces: float, act: FloatArray) -> None:
    moved = np.sign(ounces) * with_room(abs(ounces), world.unit)
    act[POOL_TARGET] = path.vault.pool_debt + moved
    path.vault.idle -= moved
    path.vault.pool_debt += moved
    path.vault.pool_assets += moved


@kernel
def credit_pool(path: Record, world: Record, day: float, act: FloatArray) -> None:
    """Pay the pool the fees it is assumed to have earned since its last report."""
    days = day - path.vault.pool_reported_day
    fees = path.vault.pool_assets * world.pool_fee_yield * days / DAYS_PER_YEAR
    fees = floor_to(fees, world.unit)
    path.vault.pool_assets += fees
    act[POOL_CREDIT] = fees


@kernel
def earn_rewards(path: Record) -> None:
    """Credit the holder with what the stake has earned since the last look."""
    gain = path.staking.reward_per_share - path.reward_per_share_paid
    path.reward_per_share_paid = path.staking.reward_per_share
    path.rewards_unclaimed += path.holder_shares * gain
    path.rewards_earned += path.holder_shares * gain


@kernel
def sell_rewards(path: Record, world: Record, reward_usd: float, token_usd: float) -> None:
    """Sell the unclaimed rewards for gold tokens, less slippage."""
    usd = path.rewards_unclaimed * reward_usd * (1.0 - world.slippage)
    path.sold_tokens += usd / token_usd if token_usd > 0.0 else 0.0
    path.rewards_unclaimed = 0.0


@kernel
def attribute(
    attribution: FloatArray, source: int, tokens: float, backing: float, token_usd: float
) -> None:
    """Book a flow of tokens in ounces (row 0) and dollars (row 1)."""
    attribution[0, source] += tokens * backing
    attribution[1, source] += tokens * token_usd


@kernel
def attribute_prices(
    attribution: FloatArray, tokens: float, prices: FloatArray, yesterday: FloatArray
) -> None:
    """Book the day's price change of yesterday's tokens: gold, premium, shortfall.

    `prices` holds gold, token, backing and exp(premium).
    """
    by_gold = (prices[0] - yesterday[0]) * yesterday[2] * yesterday[3]
    by_backing = prices[0] * (prices[2] - yesterday[2]) * yesterday[3]
    attribution[1, GOLD_PRICE] += tokens * by_gold
    attribution[1, SHORTFALL] += tokens * by_backing
    attribution[1, PREMIUM] += tokens * (prices[1] - yesterday[1] - by_gold - by_backing)
    attribution[0, SHORTFALL] += tokens * (prices[2] - yesterday[2])


@kernel
def value_holder(
    path: Record,
    world: Record,
    released: FloatArray,
    prices: FloatArray,
    reward_usd: float,
    gas_usd: float,
    attribution: FloatArray,
) -> float:
    """Book what the day brought the holder; return the tokens of an exit on this day."""
    backing, token_usd = prices[2], prices[1]
    for source in range(N_VAULT_SOURCES):
        flow = path.holder_shares * released[source]
        attribute(attribution, source, flow, backing, token_usd)
    pending = path.rewards_unclaimed * reward_usd * (1.0 - world.slippage)
    pending = pending / token_usd if token_usd > 0.0 else 0.0
    income = path.sold_tokens + pending
    attribute(attribution, EMISSIONS, income - path.income_tokens, backing, token_usd)
    path.income_tokens = income
    gas = gas_usd / token_usd if token_usd > 0.0 else 0.0
    attribute(attribution, GAS, -gas, backing, token_usd)
    path.gas_tokens += gas
    in_vault = path.holder_shares * vault.share_price(path.vault)
    path.mark_tokens = in_vault + income - path.gas_tokens
    short = max(0.0, in_vault - liquid(path))
    leave = world.gas_leave_usd / token_usd if token_usd > 0.0 else 0.0
    return path.mark_tokens - short * world.haircut - leave


@kernel
def holder_leaves(
    path: Record,
    world: Record,
    prices: FloatArray,
    attribution: FloatArray,
    act: FloatArray,
) -> float:
    """Take the holder out at the horizon, last in the day's line; return the tokens."""
    backing, token_usd = prices[2], prices[1]
    price = vault.share_price(path.vault)
    payable = liquid(path)
    shares = path.holder_shares
    if shares * price > payable:
        shares = floor_to(with_room(payable, world.unit) / price, world.unit)
        path.events += 1
    pull(path, shares * price)
    path.vault.shares -= shares
    path.unpaid = (path.holder_shares - shares) * price
    act[HOLDER_REDEEM_SHARES] = shares
    discount = path.unpaid * world.haircut
    attribute(attribution, ILLIQUIDITY, -discount, backing, token_usd)
    gas = world.gas_leave_usd / token_usd if token_usd > 0.0 else 0.0
    attribute(attribution, GAS, -gas, backing, token_usd)
    tokens = path.mark_tokens - discount - gas
    attribution[1, SPREAD] -= tokens * token_usd * world.sale_spread
    path.staking.staked -= path.holder_shares
    return tokens


@kernel
def observe(
    path: Record,
    scaled_debt: FloatArray,
    collateral: FloatArray,
    gold_usd: float,
    exit_tokens: float,
    seen: FloatArray,
) -> None:
    """Write down what the replay reads from the contracts at the end of the step."""
    seen[SEEN_SHARE_PRICE] = vault.share_price(path.vault)
    seen[SEEN_UTILISATION] = lending.utilisation(path.market)
    seen[SEEN_BORROW_INDEX] = path.market.borrow_index
    seen[SEEN_SUPPLY_INDEX] = lending.supply_index(path.market)
    seen[SEEN_REWARDS_EARNED] = path.rewards_earned
    seen[SEEN_EXIT_OUNCES] = exit_tokens
    seen[SEEN_TOTAL_ASSETS] = vault.total_assets(path.vault)
    seen[SEEN_MARKET_CASH] = path.market.cash
    seen[SEEN_MARKET_ASSETS] = path.market.cash + lending.borrows(path.market)
    for cohort in range(N_COHORTS):
        owed_usd = scaled_debt[cohort] * path.market.borrow_index * gold_usd
        ltv = owed_usd / collateral[cohort] if collateral[cohort] > 0.0 else 0.0
        seen[SEEN_LTV + cohort] = ltv


@kernel
def begin(path: Record, world: Record) -> None:
    """Make the first deposits: the crowd, then the holder; both stake their shares."""
    path.crowd_shares = vault.deposit(path.vault, world.crowd_ounces)
    path.holder_shares = vault.deposit(path.vault, world.holder_ounces)
    path.staking.staked = path.crowd_shares + path.holder_shares


@kernel
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


@kernel
def one_day(
    path: Record,
    world: Record,
    scaled_debt: FloatArray,
    collateral: FloatArray,
    buffer: FloatArray,
    released: FloatArray,
    ltv_ladder: FloatArray,
    day: float,
    exploit_day: float,
    last_day: float,
    demand_ounces: float,
    flow: float,
    reward_usd: float,
    notified: float,
    prices: FloatArray,
    attribution: FloatArray,
    act: FloatArray,
) -> float:
    """Live through one day; return the tokens that the holder's exit on it pays."""
    gold_usd = prices[0]
    released[:] = 0.0
    if day == 0.0:
        begin(path, world)
    lending.accrue(path.market, day)
    vault.unlock(path.vault, buffer, released, day)
    staking.advance(path.staking, day)
    earn_rewards(path)
    liquidations(path, world, scaled_debt, collateral, buffer, released, day, gold_usd, act)
    if day == exploit_day:
        exploit(path, world, buffer, released, act)
    wanted = wanted_debt(path, world, demand_ounces)
    repayments(path, world, scaled_debt, collateral, ltv_ladder, wanted, gold_usd, act)
    if day > exploit_day:
        crowd_leaves(path, world, world.run_share, act)
    elif day > 0.0 and flow < 0.0:
        crowd_leaves(path, world, -flow, act)
    if day == last_day:
        sell_rewards(path, world, reward_usd, prices[1])
        value_holder(path, world, released, prices, reward_usd, 0.0, attribution)
        return holder_leaves(path, world, prices, attribution, act)
    if 0.0 < day < exploit_day and flow > 0.0:
        crowd_joins(path, world, flow, act)
    manage(path, world, buffer, released, day, act)
    wanted = wanted_debt(path, world, demand_ounces)
    borrowing(path, world, scaled_debt, collateral, ltv_ladder, wanted, gold_usd, act)
    gas_usd = world.gas_enter_usd if day == 0.0 else 0.0
    if notified > 0.0 and day < exploit_day:
        staking.notify(path.staking, notified, day, world.period_days)
        act[NOTIFY] = notified
    if day > 0.0 and day % world.claim_every_days == 0.0:
        sell_rewards(path, world, reward_usd, prices[1])
        act[CLAIM] = 1.0
        gas_usd += world.gas_claim_usd
    return value_holder(path, world, released, prices, reward_usd, gas_usd, attribution)


@kernel
def run(
    world: Record,
    ltv_ladder: FloatArray,
    paths: np.ndarray[Any, Any],
    gold_usd: FloatArray,
    token_usd: FloatArray,
    backing: FloatArray,
    premium: FloatArray,
    demand_ounces: FloatArray,
    flow: FloatArray,
    reward_usd: FloatArray,
    reward_tokens: FloatArray,
    exploit_step: np.ndarray[Any, Any],
    mark_tokens: FloatArray,
    exit_tokens: FloatArray,
    utilisation: FloatArray,
    attribution: FloatArray,
    actions: FloatArray,
    observed: FloatArray,
) -> None:
    """Run all paths of a block over all steps.

    Parameters
    ----------
    world : record of WORLD
    ltv_ladder : ndarray of shape (8,)
    paths : records of PATH, shape (n_paths,)
        Changed in place.
    gold_usd, token_usd, backing, premium, demand_ounces, flow, reward_usd
        Drivers, shape (n_steps + 1, n_paths).
    reward_tokens : ndarray of shape (n_steps + 1,)
    exploit_step : ndarray of shape (n_paths,), int64
    mark_tokens, exit_tokens, utilisation : ndarray of shape (n_steps + 1, n_paths)
        Written: the holder's value at mark and at exit, in tokens; borrows over supply.
    attribution : ndarray of shape (n_paths, 2, n_sources)
        Written: gains by source in ounces and in dollars.
    actions, observed : ndarray of shape (n_steps + 1, n_paths, n)
        Written where they have steps; of shape (0, 0, n) where nothing is recorded.
    """
    n_steps, n_paths = gold_usd.shape[0] - 1, gold_usd.shape[1]
    scaled_debt = np.zeros((n_paths, N_COHORTS))
    collateral = np.zeros((n_paths, N_COHORTS))
    buffer = np.zeros((n_paths, N_VAULT_SOURCES))
    released = np.zeros(N_VAULT_SOURCES)
    prices = np.zeros((n_paths, 4))
    yesterday = np.zeros(4)
    act = np.zeros(actions.shape[2])
    for step in range(n_steps + 1):
        for k in range(n_paths):
            path = paths[k]
            yesterday[:] = prices[k]
            prices[k, 0] = gold_usd[step, k]
            prices[k, 1] = token_usd[step, k]
            prices[k, 2] = backing[step, k]
            prices[k, 3] = np.exp(premium[step, k])
            if step > 0:
                attribute_prices(attribution[k], path.mark_tokens, prices[k], yesterday)
            act[:] = 0.0
            for target in (LENDING_TARGET, POOL_TARGET, EXPLOIT_LENDING_TARGET, EXPLOIT_POOL_TARGET):
                act[target] = np.nan
            exit_tokens[step, k] = one_day(
                path,
                world,
                scaled_debt[k],
                collateral[k],
                buffer[k],
                released,
                ltv_ladder,
                float(step),
                float(exploit_step[k]),
                float(n_steps),
                demand_ounces[step, k],
                flow[step, k],
                reward_usd[step, k],
                reward_tokens[step],
                prices[k],
                attribution[k],
                act,
            )
            mark_tokens[step, k] = path.mark_tokens
            utilisation[step, k] = lending.utilisation(path.market)
            if actions.shape[0] > 0:
                actions[step, k] = act
                observe(
                    path,
                    scaled_debt[k],
                    collateral[k],
                    prices[k, 0],
                    exit_tokens[step, k],
                    observed[step, k],
                )
