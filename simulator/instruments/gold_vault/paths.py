"""From terms and drivers to the holder's paths; with a record of every act if asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np

from simulator.instruments.base import Daily, InstrumentPaths, OnDemand, PoolVisits, TokenTerms
from simulator.instruments.gas import Gas
from simulator.instruments.gold_vault import kernel
from simulator.instruments.gold_vault.daily import day_by_day
from simulator.instruments.gold_vault.drivers import GoldVaultDrivers
from simulator.instruments.gold_vault.moves import ROUNDING_ROOM
from simulator.instruments.gold_vault.state import (
    N_ACTIONS,
    N_OBSERVED,
    N_SOURCES,
    NO_POOL,
    SOURCES,
    DriverArrays,
    Needs,
    Numbers,
    PoolNumbers,
    Results,
    new_terms,
)
from simulator.instruments.gold_vault.terms import GoldVaultTerms
from simulator.mechanics.rows import empty_apart
from simulator.units import BoolArray, FloatArray


@dataclass(frozen=True)
class GoldVaultRecord:
    """What was done and what is to be observed, for the replay.

    Attributes
    ----------
    actions : ndarray of shape (n_steps + 1, n_paths, N_ACTIONS)
        Columns of `state.Action`.
    observed : ndarray of shape (n_steps + 1, n_paths, N_OBSERVED)
        Columns of `state.Observed`.
    visits : PoolVisits or None
        What it did to its pool; None where it has none.
    """

    actions: FloatArray
    observed: FloatArray
    visits: PoolVisits | None = None

    def lane(self, k: int) -> GoldVaultRecord:
        """Return path `k` of the block alone; the pool's visits are the pool's affair."""
        return GoldVaultRecord(self.actions[:, k : k + 1], self.observed[:, k : k + 1])


def simulate(
    terms: GoldVaultTerms,
    token: TokenTerms,
    gas: Gas,
    drivers: GoldVaultDrivers,
    holder_ounces: float,
    *,
    name: str = "gold_vault",
    pool: PoolNumbers | None = None,
    record: bool = False,
    daily: bool = False,
    by_source: bool = True,
) -> tuple[InstrumentPaths, GoldVaultRecord]:
    """Return the holder's paths in the vault, and the record (empty unless asked for).

    Parameters
    ----------
    gas : Gas
        Of the holder's acts.
    name : str
        The paths' name, the scenario's label.
    pool : PoolNumbers or None
        Its pool, whose noise traders are then among the drivers.
    daily, by_source : bool
        Whether the dollars of each day are wanted too, for investors who trade, and where
        these came from.
    """
    prices = drivers.prices
    shape = prices.metal_usd.shape
    results = _new_results(shape, record, daily, daily and by_source, pool is not None)
    numbers = Numbers(
        new_terms(
            terms, gas, holder_ounces, token.sale_spread_bps, token.decimals, pool or NO_POOL
        ),
        cast(Needs, tuple((1.0 + ROUNDING_ROOM) / ltv for ltv in terms.borrowers.ltv_ladder)),
        terms.emissions.claim_every_days,
        pool is not None,
        gas.factors(shape[0] - 1),
    )
    reports = report_days(terms.report_every_days, shape[0] - 1, drivers.unreported)
    kernel.run(numbers, _arrays(drivers, reports), results)
    # what was put in stands at index 0, and is no exit: neither cost nor shortage
    results.exit_ounces[0] = holder_ounces * prices.backing[0]
    results.exit_usd[0] = holder_ounces * prices.token_usd[0]
    results.sellable[:1] = 1.0
    days = None
    if daily:
        values = (prices.token_usd, results.mark_usd, results.sellable, results.gains)
        days = day_by_day(token, gas, *values)
    visits = PoolVisits(results.pool_gold, results.pool_shares, results.pool_fees)
    record_of = GoldVaultRecord(results.actions, results.observed, None if pool is None else visits)
    return _paths(name, results, days), record_of


def report_days(every: int, n_steps: int, unreported: BoolArray) -> BoolArray:
    """Return on which steps gains are reported, shape (n_steps + 1,): never on the last one.

    `unreported`, of the same shape or empty, are steps on which nobody does it; what was due
    then is done on the first day after them.
    """
    due: BoolArray = np.arange(n_steps + 1) % every == 0
    for step in np.flatnonzero(unreported & due[: unreported.size]):
        due[step] = False
        back = np.flatnonzero(~unreported[step:])
        due[step + back[:1]] = True
    due[-1] = False
    return due


def _arrays(drivers: GoldVaultDrivers, reports: BoolArray) -> DriverArrays:
    """Return the drivers in the form the kernel reads."""
    prices = drivers.prices
    return DriverArrays(
        gold_usd=prices.metal_usd,
        feed_usd=prices.feed_usd,
        token_usd=prices.token_usd,
        backing=prices.backing,
        premium=prices.premium,
        demand_ounces=drivers.demand_ounces,
        flow=drivers.flow,
        reward_usd=drivers.reward_usd,
        reward_tokens=drivers.reward_tokens,
        exploit_step=drivers.exploit_step,
        exploit_share=drivers.exploit_share,
        volume_usdc=drivers.volume_usdc,
        imbalance=drivers.imbalance,
        leaving=drivers.leaving,
        away=drivers.away,
        reports=reports,
    )


def _new_results(
    shape: tuple[int, ...], record: bool, daily: bool, sources: bool, pooled: bool
) -> Results:
    """Return arrays to be written, of shape (n_steps + 1, n_paths), without steps if not asked."""
    nothing, n_paths = (0, 0), shape[1]
    recorded = shape if record else nothing
    mark, mark_usd, leave, leave_usd, utilisation = (empty_apart(shape, 7 + k) for k in range(5))
    return Results(
        mark_ounces=mark,
        mark_usd=mark_usd,
        exit_ounces=leave,
        exit_usd=leave_usd,
        utilisation=utilisation,
        sellable=np.empty(shape if daily else nothing),
        attribution=np.empty((2, N_SOURCES, n_paths)),
        gains=np.empty((N_SOURCES, *(shape if sources else nothing))),
        events=np.empty(n_paths, np.int64),
        unpaid=np.empty(n_paths),
        actions=np.zeros((*recorded, N_ACTIONS)),
        observed=np.zeros((*recorded, N_OBSERVED)),
        pool_gold=empty_apart(shape, 12) if pooled else np.empty(nothing),
        pool_shares=empty_apart(shape, 13) if pooled else np.empty(nothing),
        pool_fees=empty_apart(shape, 14) if pooled else np.empty(nothing),
        bad_debt_usd=np.zeros(shape),
        liquidated_usd=np.zeros(shape),
    )


def _paths(name: str, results: Results, days: Daily | None) -> InstrumentPaths:
    leave, leave_usd = results.exit_ounces, results.exit_usd
    return InstrumentPaths(
        name=name,
        sources=SOURCES,
        initial={"ounces": leave[0], "usd": leave_usd[0]},
        mark={"ounces": results.mark_ounces, "usd": results.mark_usd},
        exit={"ounces": leave, "usd": leave_usd},
        attribution={"ounces": results.attribution[0], "usd": results.attribution[1]},
        events=results.events,
        unpaid=results.unpaid,
        details={"utilisation": results.utilisation},
        daily=days,
        further=OnDemand(
            {
                "bad_debt_usd": lambda: np.cumsum(results.bad_debt_usd, axis=0),
                "liquidated_usd": lambda: np.cumsum(results.liquidated_usd, axis=0),
            }
        ),
    )
