"""From terms and drivers to the paths of provider and arbitrageur, and what the replay plays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from simulator.instruments.base import (
    Access,
    Daily,
    InstrumentPaths,
    OnDemand,
    PoolVisits,
    TokenTerms,
)
from simulator.instruments.gas import Gas
from simulator.instruments.gold_pool import kernel
from simulator.instruments.gold_pool.drivers import GoldPoolDrivers
from simulator.instruments.gold_pool.state import (
    ARBITRAGEUR_SOURCES,
    N_ACTS,
    N_OBSERVED,
    N_SOURCES,
    SOURCES,
    DriverArrays,
    Results,
    new_numbers,
)
from simulator.instruments.gold_pool.terms import GoldPoolTerms
from simulator.mechanics.rows import empty_apart
from simulator.units import BPS, FloatArray


@dataclass(frozen=True)
class GoldPoolRecord:
    """What was done and is to be observed, for the replay.

    Attributes
    ----------
    acts : ndarray of shape (n_steps + 1, n_paths, N_ACTS)
        Columns of `state.Act`.
    observed : ndarray of shape (n_steps + 1, n_paths, N_OBSERVED)
        Columns of `state.Observed`; the last row is before the provider leaves.
    """

    acts: FloatArray
    observed: FloatArray

    def lane(self, k: int) -> GoldPoolRecord:
        """Return path `k` of the block alone."""
        return GoldPoolRecord(self.acts[:, k : k + 1], self.observed[:, k : k + 1])


def simulate(
    terms: GoldPoolTerms,
    token: TokenTerms,
    gas: Gas,
    drivers: GoldPoolDrivers,
    holder_usdc: float,
    *,
    name: str = "gold_pool",
    visits: PoolVisits | None = None,
    record: bool = False,
    daily: bool = False,
    by_source: bool = True,
) -> tuple[Mapping[str, InstrumentPaths], GoldPoolRecord]:
    """Provide `holder_usdc`; return the paths by name (`terms.names`), and the record.

    `gas` is that of provider and arbitrageur, `visits` what somebody who trades in the pool did to
    it; the record is empty unless asked for. `daily` asks
    for the provider's money of each day too, for investors who trade, and `by_source` for where
    it came from.
    """
    results = _new_results(drivers.volume_usdc.shape, record, daily and by_source)
    numbers = new_numbers(terms, gas, holder_usdc, token.sale_spread_bps)
    kernel.run(numbers, _arrays(drivers, visits, gas), results)
    # what was put in: what entering costs is seen on the day after
    results.mark[0] = results.leave[0] = holder_usdc
    results.gains[:, :1] = 0.0
    provider, arbitrageur = terms.names(name)
    paths = {
        provider: _provider(provider, token, results, daily=daily),
        arbitrageur: _arbitrageur(arbitrageur, terms, gas, results),
    }
    return paths, GoldPoolRecord(results.acts, results.observed)


def _arrays(drivers: GoldPoolDrivers, visits: PoolVisits | None, gas: Gas) -> DriverArrays:
    """Return the drivers in the form the kernel reads."""
    prices, nothing = drivers.prices, np.empty((0, 0))
    return DriverArrays(
        metal_usdc=prices.metal_usd,
        token_usdc=prices.token_usd,
        backing=prices.backing,
        premium=prices.premium,
        volume_usdc=drivers.volume_usdc,
        imbalance=drivers.imbalance,
        leaving=drivers.leaving,
        visit_gold=nothing if visits is None else visits.gold,
        visit_shares=nothing if visits is None else visits.shares,
        visit_fees=nothing if visits is None else visits.fees,
        gas_times=gas.factors(prices.metal_usd.shape[0] - 1),
    )


def _new_results(shape: tuple[int, ...], record: bool, sources: bool) -> Results:
    """Return arrays to be written, of shape (n_steps + 1, n_paths), without steps if not asked."""
    nothing, n_paths = (0, 0), shape[1]
    recorded = shape if record else nothing
    mark, leave, value, fees, loss, profit, traded = (empty_apart(shape, 6 + k) for k in range(7))
    return Results(
        mark=mark,
        leave=leave,
        value=value,
        fees=fees,
        loss=loss,
        profit=profit,
        traded=traded,
        attribution=np.empty((N_SOURCES, n_paths)),
        gains=np.empty((N_SOURCES, *(shape if sources else nothing))),
        events=np.zeros(n_paths, np.int64),
        acts=np.zeros((*recorded, N_ACTS)),
        observed=np.zeros((*recorded, N_OBSERVED)),
    )


def _provider(name: str, token: TokenTerms, results: Results, *, daily: bool) -> InstrumentPaths:
    seen = {
        "pool_value_usd": results.value,
        "fees_usd": results.fees,
        "impermanent_loss_usd": results.loss,
    }
    # half of what is put in buys tokens
    access = Access(buy_cost=0.5 * token.sale_spread_bps / BPS, sale_usd=results.leave)
    return InstrumentPaths(
        name=name,
        sources=SOURCES,
        initial={"usd": results.mark[0]},
        mark={"usd": results.mark},
        exit={"usd": results.leave},
        attribution={"usd": results.attribution},
        events=results.events,
        unpaid=np.zeros_like(results.mark[0]),
        details=seen,
        daily=Daily(results.gains, access=access) if daily else None,
    )


def _arbitrageur(name: str, terms: GoldPoolTerms, gas: Gas, results: Results) -> InstrumentPaths:
    """Return the arbitrageur's capital and what became of it; his gas is paid in dollars."""
    traded = results.traded
    if gas.times is not None:
        each = np.diff(traded, axis=0, prepend=0.0) * gas.times[:, None]
        traded = np.cumsum(each, axis=0)
    spent = gas.usd("arbitrage") * traded
    worth = terms.arbitrage.capital_usd + results.profit - spent
    return InstrumentPaths(
        name=name,
        sources=ARBITRAGEUR_SOURCES,
        initial={"usd": worth[0]},
        mark={"usd": worth},
        exit={"usd": worth},
        attribution={"usd": np.stack((results.profit[-1], -spent[-1]))},
        events=np.zeros_like(results.events),
        unpaid=np.zeros_like(worth[0]),
        details=OnDemand({"profit_usd": lambda: results.profit - spent}),
        usdc_flows={"arbitrage": results.profit},
    )
