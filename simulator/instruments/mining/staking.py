"""Staking a mine's token: what a holder has, and a share of the mine's revenue on top.

The staking contract is a holder; the profit of staked tokens reaches those who staked them.
Rewards of a period flow evenly to all stake; who is locked up can stake only afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from simulator.instruments.base import Daily, InstrumentPaths, Source
from simulator.instruments.gas import Gas
from simulator.instruments.mining.staking_terms import RevenueStakingTerms
from simulator.jit import kernel
from simulator.units import USDC_DECIMALS, BoolArray, FloatArray, StepArray

SOURCE = Source("staking_revenue", "organic", "Mine revenue for stakers")


@dataclass(frozen=True)
class StakingDrivers:
    """What happens to the staking from outside.

    Attributes
    ----------
    profit_usd : ndarray of shape (n_periods, n_paths), USD
        The mine's distributable profit of each period, nothing after a default.
    issued_usd : ndarray of shape (n_periods, n_paths), USD
        Issue value of all tokens after each period; 0 where the raise failed.
    sold_share : ndarray of shape (n_paths,)
        Share of the hard cap that was sold, 0 to 1.
    ends : ndarray of shape (n_steps + 1,), bool
        Whether a period ends on the step; the first one ends with the close of the raise.
    stake_step : int
        Step on which the holder stakes.
    """

    profit_usd: FloatArray
    issued_usd: FloatArray
    sold_share: FloatArray
    ends: BoolArray
    stake_step: int


@dataclass(frozen=True)
class StakingRecord:
    """What the replay plays, and what the holder then has earned by staking.

    Attributes
    ----------
    reward_usd : ndarray of shape (n_periods, n_paths), USD
        What all stakers get for a period.
    income_usd : ndarray of shape (n_steps + 1, n_paths), USD
        What the holder has earned by staking, up to each step.
    stake_step : int
        Step on which he stakes.
    """

    reward_usd: FloatArray
    income_usd: FloatArray
    stake_step: int

    def lane(self, k: int) -> StakingRecord:
        """Return path `k` of the block alone."""
        one = slice(k, k + 1)
        return StakingRecord(self.reward_usd[:, one], self.income_usd[:, one], self.stake_step)


def simulate(
    terms: RevenueStakingTerms, gas: Gas, held: InstrumentPaths, drivers: StakingDrivers
) -> tuple[InstrumentPaths, StakingRecord]:
    """Return a holder's paths with his tokens staked, and the record.

    Parameters
    ----------
    gas : Gas
        Of staking, and what claiming and leaving cost more than a holder's.
    held : InstrumentPaths
        Of the same dollars in the token itself; with its days, if those are asked for.
    """
    unit = 10.0**USDC_DECIMALS
    rewards = terms.revenue_share * drivers.sold_share * drivers.profit_usd
    rewards = np.floor(np.where(drivers.issued_usd > 0.0, rewards, 0.0) * unit) / unit
    rewards[:1] = 0.0
    costs, staked = _costs(gas, drivers), (drivers.issued_usd[-1] > 0.0).astype(np.float64)
    leave_usd = gas.usd("leave") * gas.factors(costs.size - 1)
    leaving = np.where(np.arange(costs.size) > drivers.stake_step, leave_usd, 0.0)
    income, mark, leave = (np.empty(held.mark["usd"].shape) for _ in range(3))
    _run(
        np.flatnonzero(drivers.ends),
        drivers.stake_step,
        terms.period_days,
        _a_day(terms, drivers, float(held.initial["usd"][0]), rewards),
        costs,
        costs + leaving,
        staked,
        held.mark["usd"],
        held.exit["usd"],
        income,
        mark,
        leave,
    )
    attribution = np.vstack([held.attribution["usd"], income[-1]])
    gas_row = [source.name for source in held.sources].index("gas")
    attribution[gas_row] -= (costs[-1] + leaving[-1]) * staked
    paths = replace(
        held,
        sources=(*held.sources, SOURCE),
        mark={"usd": mark},
        exit={"usd": leave},
        attribution={"usd": attribution},
        daily=None
        if held.daily is None
        else _daily(held.daily, gas_row, income, income - costs[:, None] * staked),
    )
    return paths, StakingRecord(rewards, income, drivers.stake_step)


def _daily(held: Daily, gas_row: int, income: FloatArray, usd: FloatArray) -> Daily:
    """Return the days of the stake: those of the tokens, and what staking brought or cost.

    `income` is what it brought so far, `usd` that less what it cost in gas; both of shape
    (n_steps + 1, n_paths), USD.
    """
    net = np.diff(usd, axis=0, prepend=0.0)
    brought = np.empty((held.brought.shape[0] + 1, 0, 0))
    if held.brought.shape[1] > 0:
        brought = np.concatenate((held.brought, income[None]))
        brought[gas_row] += usd - income
    before = np.zeros_like(net) if held.income is None else held.income
    return replace(held, brought=brought, income=before + net)


def _a_day(
    terms: RevenueStakingTerms, drivers: StakingDrivers, usd: float, rewards: FloatArray
) -> FloatArray:
    """Return what a period's reward brings the holder of `usd` dollars a day, USD.

    Shape (n_periods, n_paths), as that of `rewards`, which are those of all stakers, USD.
    """
    others = terms.staked_share * np.maximum(drivers.issued_usd - usd, 0.0)
    part = np.where(drivers.issued_usd > 0.0, usd / (others + usd), 0.0)
    daily: FloatArray = part * rewards / terms.period_days
    return daily


@kernel
def _add(total: FloatArray, more: FloatArray) -> None:
    """Add `more` to `total` in place, both of shape (n_paths,), USD."""
    for k in range(total.shape[0]):
        total[k] += more[k]


@kernel
def _less_costs(
    value: FloatArray, held: FloatArray, income: FloatArray, cost: float, staked: FloatArray
) -> None:
    """Write to `value` a day of `_run`; arrays of shape (n_paths,)."""
    for k in range(value.shape[0]):
        value[k] = held[k] + (income[k] - cost * staked[k])


@kernel
def _run(
    settles: StepArray,
    stake_step: int,
    period_days: int,
    daily: FloatArray,
    costs: FloatArray,
    leaving_costs: FloatArray,
    staked: FloatArray,
    held_mark: FloatArray,
    held_exit: FloatArray,
    income: FloatArray,
    mark: FloatArray,
    leave: FloatArray,
) -> None:
    """Run all paths of a block over all steps.

    Parameters
    ----------
    settles : ndarray of shape (n_periods,), int64
        Steps on which the periods end, rising.
    daily : ndarray of shape (n_periods, n_paths), USD
        What a period's reward brings a day.
    costs, leaving_costs : ndarray of shape (n_steps + 1,), USD
        Gas of who stays and of who leaves, up to each step.
    staked : ndarray of shape (n_paths,)
        1, or 0 where there are no tokens.
    held_mark, held_exit : ndarray of shape (n_steps + 1, n_paths), USD
        The tokens at mark and at exit.
    income, mark, leave : ndarray of shape (n_steps + 1, n_paths), USD
        Written: what staking brought so far, and tokens and stake at mark and at exit.
    """
    first = 0
    for step in range(income.shape[0]):
        income[step] = income[step - 1] if step > 0 else 0.0 * staked
        # few periods flow at once: those before the first are over for good
        while first < settles.size and settles[first] + period_days < step:
            first += 1
        period = first
        while period < settles.size and settles[period] < step and stake_step < step:
            _add(income[step], daily[period])
            period += 1
        _less_costs(mark[step], held_mark[step], income[step], costs[step], staked)
        _less_costs(leave[step], held_exit[step], income[step], leaving_costs[step], staked)


def _costs(gas: Gas, drivers: StakingDrivers) -> FloatArray:
    """Return what staking and claiming have cost on top of a holder's gas, by step.

    Shape (n_steps + 1,), USD.
    """
    steps = np.arange(drivers.ends.size)
    used = np.where(steps == drivers.stake_step, gas.used["stake"], 0.0)
    claims = drivers.ends & (steps > drivers.stake_step)
    used = (used + gas.used["claim"] * claims) * gas.factors(steps.size - 1)
    spent: FloatArray = np.cumsum(used) * gas.usd_per_gas
    return spent
