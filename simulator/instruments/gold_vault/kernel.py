"""One day of the vault's world, in the order of `docs/mechanics.md`, over steps and paths.

Every function works on one path: `path` is a record of `state.PATH`, `world` one of
`state.WORLD`; arrays by cohort have shape (8,), by source (5,). `act` and `seen` are the
rows of the record that the replay reads.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from simulator.instruments.gold_vault.borrowers import (
    borrowing,
    liquidations,
    repayments,
    wanted_debt,
)
from simulator.instruments.gold_vault.holder import (
    attribute_prices,
    earn_rewards,
    holder_leaves,
    sell_rewards,
    value_holder,
)
from simulator.instruments.gold_vault.managers import (
    crowd_joins,
    crowd_leaves,
    exploit,
    manage,
)
from simulator.instruments.gold_vault.state import N_COHORTS, Action, Observed
from simulator.mechanics import lending, staking, vault
from simulator.mechanics.jit import inlined, kernel
from simulator.mechanics.vault import N_VAULT_SOURCES
from simulator.units import FloatArray

Record = Any

FLAGS_READ_AGAIN = int(Action.LIQUIDATE) + N_COHORTS
"""Acts up to here are read within the day: who was liquidated does not borrow."""

LENDING_TARGET = int(Action.LENDING_TARGET)
POOL_TARGET = int(Action.POOL_TARGET)
EXPLOIT_LENDING_TARGET = int(Action.EXPLOIT_LENDING_TARGET)
EXPLOIT_POOL_TARGET = int(Action.EXPLOIT_POOL_TARGET)
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


@inlined
def begin(path: Record, world: Record) -> None:
    """Make the first deposits: the crowd, then the holder; both stake their shares."""
    path.crowd_shares = vault.deposit(path.vault, world.crowd_ounces)
    path.holder_shares = vault.deposit(path.vault, world.holder_ounces)
    path.staking.staked = path.crowd_shares + path.holder_shares


@inlined
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


@inlined
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
    for source in range(N_VAULT_SOURCES):
        released[source] = 0.0
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
    gains: FloatArray,
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
    gains : ndarray of shape (n_sources, n_steps + 1, n_paths)
        Written where it has steps: gains in dollars up to each step.
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
    # without a record only the flags of the day's liquidations are read again
    cleared = actions.shape[2] if actions.shape[0] > 0 else FLAGS_READ_AGAIN
    for step in range(n_steps + 1):
        for k in range(n_paths):
            path = paths[k]
            for column in range(4):
                yesterday[column] = prices[k, column]
            prices[k, 0] = gold_usd[step, k]
            prices[k, 1] = token_usd[step, k]
            prices[k, 2] = backing[step, k]
            prices[k, 3] = np.exp(premium[step, k])
            if step > 0:
                attribute_prices(attribution[k], path.mark_tokens, prices[k], yesterday)
            for column in range(cleared):
                act[column] = 0.0
            act[LENDING_TARGET] = np.nan
            act[POOL_TARGET] = np.nan
            act[EXPLOIT_LENDING_TARGET] = np.nan
            act[EXPLOIT_POOL_TARGET] = np.nan
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
            if gains.shape[1] > 0:
                for source in range(gains.shape[0]):
                    gains[source, step, k] = attribution[k, 1, source]
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
