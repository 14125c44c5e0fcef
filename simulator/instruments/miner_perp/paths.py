"""From terms and drivers to the paths of pool and traders, and what the replay plays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from simulator.instruments.base import Access, Daily, InstrumentPaths, OnDemand
from simulator.instruments.gas import Gas
from simulator.instruments.miner_perp.drivers import MinerPerpDrivers
from simulator.instruments.miner_perp.kernel import run
from simulator.instruments.miner_perp.state import (
    POOL_SOURCES,
    SOURCES,
    ActArray,
    Amount,
    Befell,
    Drivers,
    Fate,
    Numbers,
    Observed,
    Results,
    Series,
    accounts,
    numbers,
)
from simulator.instruments.miner_perp.terms import MinerPerpTerms, TraderTerms
from simulator.instruments.miner_perp.venue import FAILURE, has_failed, write_failures
from simulator.units import BoolArray, FloatArray


@dataclass(frozen=True)
class MinerPerpRecord:
    """What was done and is to be observed, for the replay.

    Attributes
    ----------
    acts : ndarray of shape (n_steps + 1, n_accounts, n_paths), int16
        Sums of `state.Act`: the crowd's cohorts, then the traders.
    amounts : ndarray of shape (4, n_steps + 1, n_accounts, n_paths)
        Rows of `state.Amount`.
    equities, held : ndarray of shape (n_steps + 1, n_accounts, n_paths)
        Equity in USD and size in units of each account at the end of a step.
    observed : ndarray of shape (n_steps + 1, n_paths, 10)
        Columns of `state.Observed`.
    paid : ndarray of shape (n_paths,), USD
        What the measured provider claims at the last round; zero where he cannot.
    ended : ndarray of shape (n_traders + 1, n_paths), USD
        What traders, and last the provider, are paid where the venue fails; zero where not.
    fled : ndarray of shape (n_paths,), USD
        What other providers claim in a run; zero without one.
    """

    acts: ActArray
    amounts: FloatArray
    equities: FloatArray
    held: FloatArray
    observed: FloatArray
    paid: FloatArray
    ended: FloatArray
    fled: FloatArray

    def lane(self, k: int) -> MinerPerpRecord:
        """Return path `k` of the block alone."""
        one = slice(k, k + 1)
        return replace(
            self,
            acts=self.acts[..., one],
            amounts=self.amounts[..., one],
            equities=self.equities[..., one],
            held=self.held[..., one],
            observed=self.observed[:, one],
            paid=self.paid[one],
            ended=self.ended[:, one],
            fled=self.fled[one],
        )


def simulate(
    terms: MinerPerpTerms,
    gas: Gas,
    drivers: MinerPerpDrivers,
    holder_usd: float,
    exchange_open: BoolArray,
    *,
    record: bool = False,
    days: frozenset[str] = frozenset(),
    by_source: bool = True,
) -> tuple[Mapping[str, InstrumentPaths], MinerPerpRecord]:
    """Deposit `holder_usd` into the pool and trade; return the paths by name, and the record.

    `gas` is that of the holders' acts. Acts and observations of the record are empty unless asked
    for. `days` names the positions whose dollars of each day are wanted too, and `by_source` says
    whether these are to tell where they came from. `exchange_open`, bool of shape
    (n_steps + 1,), says when the metal trades.
    """
    shape = drivers.index.shape
    told = numbers(terms, gas, holder_usd, drivers.last_round, shape[0] - 1)
    wanted, fails = bool(days) and by_source, drivers.can_fail
    results = _empty(shape, terms, by_source=wanted or fails, record=record, fails=fails)
    outside = Drivers(
        drivers.index,
        drivers.rounds,
        drivers.kept,
        drivers.decides,
        drivers.goals,
        drivers.last_round,
        drivers.run_step,
        drivers.run_share,
    )
    run(told, accounts(terms), outside, results)
    ended = np.zeros((len(terms.traders) + 1, shape[1]))
    if fails:
        ended = write_failures(told, drivers, terms.venue.loss, results)
    _at_the_start(terms, results, holder_usd)
    pool, *traders = (position.name for position in terms.positions(drivers.label))
    paths = {pool: _pool(pool, terms, told, drivers, results, daily=pool in days)}
    for number, (name, trader) in enumerate(zip(traders, terms.traders.values(), strict=True)):
        access = _access(terms, trader, exchange_open) if name in days else None
        paths[name] = _trader(name, trader, results, number, access)
    if fails:
        paths = {name: _of_venue(found, drivers, wanted) for name, found in paths.items()}
    kept = (results.acts, results.amounts, results.equities, results.held, results.observed)
    return paths, MinerPerpRecord(*kept, results.pool_paid, ended, results.fled)


def _of_venue(
    found: InstrumentPaths, drivers: MinerPerpDrivers, by_source: bool
) -> InstrumentPaths:
    """Return paths of a venue that can fail: with its source, and where it has.

    Days are told by source only where that was asked for.
    """
    daily = found.daily
    if daily is not None and not by_source:
        daily = replace(daily, brought=daily.brought[:, :0, :0])
    return replace(
        found,
        sources=(*found.sources, FAILURE),
        daily=daily,
        happened={**found.happened, "venue_failed": has_failed(drivers)},
        happened_on={**found.happened_on, "venue_failed": drivers.fails.astype(np.float64)},
    )


def _empty(
    shape: tuple[int, ...], terms: MinerPerpTerms, *, by_source: bool, record: bool, fails: bool
) -> Results:
    """Return the arrays that the kernel writes; `shape` is (n_steps + 1, n_paths)."""
    n_rows, n_paths = shape
    n_traders = len(terms.traders)
    kept = (n_rows, len(terms.crowd.cohorts) + n_traders, n_paths) if record else (0, 0, 0)
    daily = shape if by_source else (0, 0)
    more = int(fails)
    return Results(
        marks=np.empty((n_traders, *shape)),
        leaves=np.empty((n_traders, *shape)),
        gains=np.zeros((n_traders, len(SOURCES) + more, *daily)),
        attribution=np.zeros((n_traders, len(SOURCES) + more, n_paths)),
        unpaid=np.zeros((n_traders, n_paths)),
        befell=np.zeros((n_traders, len(Befell), n_paths), np.bool_),
        fates=np.zeros((n_traders, len(Fate), n_paths)),
        notionals=np.empty((n_traders, *shape)),
        pool_mark=np.empty(shape),
        pool_leave=np.empty(shape),
        pool_gains=np.zeros((len(POOL_SOURCES) + more, *daily)),
        pool_attribution=np.zeros((len(POOL_SOURCES) + more, n_paths)),
        pool_unpaid=np.zeros(n_paths),
        pool_paid=np.zeros(n_paths),
        fled=np.zeros(n_paths),
        series=np.empty((len(Series), *shape)),
        events=np.zeros(n_paths, np.int64),
        acts=np.zeros(kept, np.int16),
        amounts=np.zeros((len(Amount), *kept)),
        equities=np.zeros(kept),
        held=np.zeros(kept),
        observed=np.zeros((*shape, len(Observed)) if record else (0, 0, 0)),
    )


def _at_the_start(terms: MinerPerpTerms, results: Results, holder_usd: float) -> None:
    """Write what was put in: what entering costs is seen on the day after."""
    results.pool_mark[0] = results.pool_leave[0] = holder_usd
    results.pool_gains[:, :1] = 0.0
    for number, trader in enumerate(terms.traders.values()):
        results.marks[number, 0] = results.leaves[number, 0] = trader.margin_usd
    results.gains[:, :, :1] = 0.0


def _pool(
    name: str,
    terms: MinerPerpTerms,
    told: Numbers,
    drivers: MinerPerpDrivers,
    results: Results,
    *,
    daily: bool,
) -> InstrumentPaths:
    """Return the measured provider's paths, with the market's series."""
    makers: dict[str, Callable[[], FloatArray]] = {}
    rows = {
        "long_usd": Series.LONG_USD,
        "short_usd": Series.SHORT_USD,
        "insurance_usd": Series.INSURANCE,
        "bad_debt_usd": Series.BAD_DEBT,
        "cut_usd": Series.CUT,
        "liquidated_usd": Series.LIQUIDATED,
    }
    fixed, series = terms.funding.fixed_rate, results.series
    makers |= {name: partial(series.__getitem__, int(row)) for name, row in rows.items()}
    makers["index"] = lambda: drivers.index
    makers["funding_rate"] = lambda: series[Series.RATE] + fixed
    access = Access(
        notice_days=terms.pool.cooldown_days,
        sale_usd=results.pool_mark - told.gas_claim * told.gas_times[:, None],
    )
    return InstrumentPaths(
        name=name,
        sources=POOL_SOURCES,
        initial={"usd": np.full(results.pool_paid.size, told.holder)},
        mark={"usd": results.pool_mark},
        exit={"usd": results.pool_leave},
        attribution={"usd": results.pool_attribution},
        events=results.events,
        unpaid=results.pool_unpaid,
        details=OnDemand(makers),
        daily=Daily(results.pool_gains, access=access) if daily else None,
        happened={"bad_debt": series[Series.BAD_DEBT, -1] > 0.0},
        happened_on=OnDemand(
            {"bad_debt": lambda: (series[Series.BAD_DEBT] > 0.0).argmax(axis=0).astype(np.float64)}
        ),
    )


def _trader(
    name: str, trader: TraderTerms, results: Results, number: int, access: Access | None
) -> InstrumentPaths:
    """Return a measured trader's paths; with `access`, day by day too."""
    liquidated, stopped, cut = results.befell[number]
    return InstrumentPaths(
        name=name,
        sources=SOURCES,
        initial={"usd": np.full(results.pool_paid.size, trader.margin_usd)},
        mark={"usd": results.marks[number]},
        exit={"usd": results.leaves[number]},
        attribution={"usd": results.attribution[number]},
        events=liquidated.astype(np.int64) + stopped,
        unpaid=results.unpaid[number],
        details=OnDemand(
            {
                "slip": lambda: _slip(results, number),
                "liquidated": lambda: _liquidated(results, number),
                "notional_usd": lambda: results.notionals[number],
            }
        ),
        daily=None if access is None else Daily(results.gains[number], access=access),
        happened={"liquidated": liquidated, "stopped": stopped, "profit_cut": cut},
        happened_on={
            "liquidated": results.fates[number][Fate.LIQUIDATED],
            "stopped": results.fates[number][Fate.STOPPED],
        },
    )


def _slip(results: Results, number: int) -> FloatArray:
    """Return a stop's slip from its day on, 0 before it, shape (n_steps + 1, n_paths)."""
    fate = results.fates[number]
    steps = np.arange(results.marks.shape[1])[:, None]
    passed = (fate[Fate.STOPPED] > 0.0) & (steps >= fate[Fate.STOPPED])
    found: FloatArray = np.where(passed, fate[Fate.SLIP], 0.0)
    return found


def _liquidated(results: Results, number: int) -> FloatArray:
    """Return 1 from a liquidation on, 0 before it, shape (n_steps + 1, n_paths)."""
    fate = results.fates[number]
    steps = np.arange(results.marks.shape[1])[:, None]
    passed = (fate[Fate.LIQUIDATED] > 0.0) & (steps >= fate[Fate.LIQUIDATED])
    found: FloatArray = passed.astype(np.float64)
    return found


def _access(terms: MinerPerpTerms, trader: TraderTerms, exchange_open: BoolArray) -> Access:
    """Return how portfolios hold parts of a trader's position: while the metal trades.

    Buying more of it means opening more, at the taker's fee; and no more than the market takes.
    """
    opening = trader.leverage * terms.market.taker_fee
    most = terms.market.max_open_interest * terms.pool.deposits_usd
    return Access(
        buy_cost=opening,
        open_days=exchange_open,
        most_units=most / (trader.leverage * trader.margin_usd),
    )
