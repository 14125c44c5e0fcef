"""What the replay reads: what was done on a day, and what is to be observed after it.

`state`, of shape (STATE_SIZE,), is the flat array of `lanes`; `acts`, of shape
(WIDTH, N_ACTIONS), are the day's acts of each lane.
"""

from __future__ import annotations

import numpy as np

from simulator.instruments.gold_vault.lanes import (
    COLLATERAL_UNITS,
    DEBT,
    EXIT_TOKENS,
    EXPLOIT_DAY,
    FEED_USD,
    POOL_WORTH,
    REWARDS_CLAIMED,
    REWARDS_UNCLAIMED,
    WIDTH,
    get_fund,
)
from simulator.instruments.gold_vault.moves import USDC_UNITS
from simulator.instruments.gold_vault.state import N_ACTIONS, N_COHORTS, Action, Observed
from simulator.jit import kernel
from simulator.mechanics import lending, vault
from simulator.units import FloatArray

REPORT = int(Action.REPORT)
LENDING_TARGET = int(Action.LENDING_TARGET)
POOL_TARGET = int(Action.POOL_TARGET)
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
SEEN_POOL_WORTH = int(Observed.POOL_WORTH)
SEEN_LTV = int(Observed.LTV)


@kernel
def write_acts(
    state: FloatArray,
    acts: FloatArray,
    actions: FloatArray,
    step: int,
    first: int,
    managing: bool,
    claiming: bool,
    tokens: float,
) -> None:
    """Write the day's acts of the lanes from path `first` on, then forget them.

    Parameters
    ----------
    actions : ndarray of shape (n_steps + 1, n_paths, N_ACTIONS)
        Written: columns of `state.Action`.
    tokens : float
        Those notified where there has been no exploit.
    """
    for lane in range(WIDTH):
        to = actions[step, first + lane]
        for column in range(N_ACTIONS):
            to[column] = acts[lane, column]
            acts[lane, column] = 0.0
        to[REPORT] = 1.0 if managing and step > 0 else 0.0
        # NaN is a target that nobody moves to: zero would be one
        if not managing:
            to[LENDING_TARGET] = to[POOL_TARGET] = np.nan
        if to[EXPLOIT_STOLEN] == 0.0:
            to[EXPLOIT_LENDING_TARGET] = to[EXPLOIT_POOL_TARGET] = np.nan
        to[NOTIFY] = tokens if float(step) < state[EXPLOIT_DAY + lane] else 0.0
        to[CLAIM] = 1.0 if claiming else 0.0


@kernel
def write_observed(state: FloatArray, observed: FloatArray, step: int, first: int) -> None:
    """Write down what the replay reads from the contracts at the end of the step.

    Parameters
    ----------
    observed : ndarray of shape (n_steps + 1, n_paths, N_OBSERVED)
        Written: columns of `state.Observed`, of the lanes from path `first` on.
    """
    for lane in range(WIDTH):
        fund = get_fund(state, lane)
        seen = observed[step, first + lane]
        seen[SEEN_SHARE_PRICE] = vault.share_price(fund.vault)
        seen[SEEN_UTILISATION] = lending.utilisation(fund.market)
        seen[SEEN_BORROW_INDEX] = fund.market.borrow_index
        seen[SEEN_SUPPLY_INDEX] = lending.supply_index(fund.market)
        seen[SEEN_REWARDS_EARNED] = state[REWARDS_CLAIMED + lane] + state[REWARDS_UNCLAIMED + lane]
        seen[SEEN_EXIT_OUNCES] = state[EXIT_TOKENS + lane]
        seen[SEEN_TOTAL_ASSETS] = vault.total_assets(fund.vault)
        seen[SEEN_MARKET_CASH] = fund.market.cash
        seen[SEEN_MARKET_ASSETS] = fund.market.cash + lending.borrows(fund.market)
        seen[SEEN_POOL_WORTH] = state[POOL_WORTH + lane]
        for cohort in range(N_COHORTS):
            owed = state[DEBT + cohort * WIDTH + lane] * fund.market.borrow_index
            units = state[COLLATERAL_UNITS + cohort * WIDTH + lane]
            worth = owed * state[FEED_USD + lane] * USDC_UNITS
            ltv = worth / units if units > 0.0 else 0.0
            seen[SEEN_LTV + cohort] = ltv
