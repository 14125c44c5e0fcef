"""From terms and prices to the paths of underwriter and miner, and what the replay plays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from simulator.instruments.base import Access, Daily, InstrumentPaths, OnDemand
from simulator.instruments.gas import Gas
from simulator.instruments.price_cover.drivers import PriceCoverDrivers
from simulator.instruments.price_cover.kernel import run
from simulator.instruments.price_cover.series import Series
from simulator.instruments.price_cover.state import (
    MINER_SOURCES,
    SOURCES,
    Drivers,
    Miner,
    Observed,
    Outcome,
    Policy,
    Results,
    Schedule,
    numbers,
    schedule,
)
from simulator.instruments.price_cover.terms import PriceCoverTerms
from simulator.instruments.price_cover.theft import THEFT, write_thefts
from simulator.units import FloatArray, KindArray

_SALES_ALONE = np.array([[float(row == Miner.SOLD)] for row in Miner])
"""Shape (3, 1): what of a covered miner's sources one without cover has."""


@dataclass(frozen=True)
class PriceCoverRecord:
    """What was done and is to be observed, for the replay.

    Attributes
    ----------
    plan : Schedule
    policies : ndarray of shape (n_policies, 7, n_paths)
        Rows of `state.Policy` as they were sold; zeros where none was.
    acts : ndarray of shape (n_steps + 1, n_policies, n_paths), int8
        `state.Act`.
    observed : ndarray of shape (n_steps + 1, n_paths, 9)
        Columns of `state.Observed`; the last row is before the underwriter's claim.
    paid_out : ndarray of shape (n_paths,), USD
        What he claims at the last step; zero where he cannot, or rather waits.
    fled : ndarray of shape (n_paths,), USD
        What other underwriters claim in a run; zero without one.
    ended : ndarray of shape (n_paths,), USD
        What the measured underwriter is paid where the pool is robbed; zero where not.
    """

    plan: Schedule
    policies: FloatArray
    acts: KindArray
    observed: FloatArray
    paid_out: FloatArray
    fled: FloatArray
    ended: FloatArray

    def lane(self, k: int) -> PriceCoverRecord:
        """Return path `k` of the block alone."""
        one = slice(k, k + 1)
        acts, observed = self.acts[..., one], self.observed[:, one]
        policies, paid = self.policies[..., one], self.paid_out[one]
        ends = self.fled[one], self.ended[one]
        return PriceCoverRecord(self.plan, policies, acts, observed, paid, *ends)


def simulate(
    terms: PriceCoverTerms,
    gas: Gas,
    drivers: PriceCoverDrivers,
    holder_usd: float,
    *,
    record: bool = False,
    daily: bool = False,
    by_source: bool = True,
) -> tuple[Mapping[str, InstrumentPaths], PriceCoverRecord]:
    """Deposit `holder_usd`; return the paths by name (`terms.names`), and the record.

    `gas` is that of the underwriter's acts. Acts and observations of the record are empty
    unless asked for. `daily` asks for the underwriter's dollars of each day too, for investors
    who trade, and `by_source` for where these came from.
    """
    shape, n_steps = drivers.copper_usd.shape, drivers.copper_usd.shape[0] - 1
    plan, robbed = schedule(terms, n_steps), drivers.theft_step.size > 0
    results = _empty(
        shape,
        n_policies=len(plan.buyer),
        n_periods=n_steps // terms.miner.cover.renew_every_days,
        by_source=(daily and by_source) or robbed,
        record=record,
        robbed=robbed,
    )
    told = Drivers(
        plan,
        drivers.exchange_open,
        drivers.copper_usd,
        drivers.feed_usd,
        drivers.run_step,
        drivers.run_share,
        drivers.away,
    )
    figures = numbers(terms, gas, holder_usd, n_steps)
    run(figures, told, results)
    ended = np.zeros(shape[1])
    if robbed:
        ended = write_thefts(figures, drivers, plan, results)
    # what was put in: what entering costs is seen on the day after
    results.marks[0] = results.leaves[0] = holder_usd
    results.covered[0] = results.bare[0] = terms.miner.cash_usd
    results.gains[:, :1] = 0.0
    pool, with_cover, without = terms.names(drivers.label)
    if robbed and not by_source:
        results = results._replace(gains=results.gains[:, :0, :0])
    days = Series(terms, drivers, plan, results.sold, results.outcomes, results.periods)
    paths = {
        pool: _underwriter(pool, terms, gas, holder_usd, results, days, daily=daily),
        with_cover: _covered(with_cover, terms, results, days),
        without: _bare(without, terms, results, days),
    }
    kept = results.acts, results.observed, results.paid_out, results.fled, ended
    return paths, PriceCoverRecord(plan, results.sold, *kept)


def _empty(
    shape: tuple[int, ...],
    *,
    n_policies: int,
    n_periods: int,
    by_source: bool,
    record: bool,
    robbed: bool,
) -> Results:
    """Return the arrays that the kernel writes; `shape` is (n_steps + 1, n_paths)."""
    n_rows, n_paths = shape
    marks, leaves, covered, bare, utilisation = (np.empty(shape) for _ in range(5))
    return Results(
        marks=marks,
        leaves=leaves,
        covered=covered,
        bare=bare,
        utilisation=utilisation,
        periods=np.zeros((2, n_periods + 1, n_paths)),
        gains=np.zeros((len(SOURCES) + robbed, *(shape if by_source else (0, 0)))),
        sold=np.zeros((n_policies, len(Policy), n_paths)),
        outcomes=np.zeros((n_policies, len(Outcome), n_paths)),
        attribution=np.zeros((len(SOURCES) + robbed, n_paths)),
        unpaid=np.zeros(n_paths),
        paid_out=np.zeros(n_paths),
        fled=np.zeros(n_paths),
        totals=np.zeros((len(MINER_SOURCES), n_paths)),
        shortfall=np.zeros(n_paths, np.bool_),
        events=np.zeros(n_paths, np.int64),
        acts=np.zeros((n_rows, n_policies, n_paths) if record else (0, 0, 0), np.int8),
        observed=np.zeros((*shape, len(Observed)) if record else (0, 0, 0)),
    )


def _underwriter(
    name: str,
    terms: PriceCoverTerms,
    gas: Gas,
    holder_usd: float,
    results: Results,
    days: Series,
    *,
    daily: bool,
) -> InstrumentPaths:
    seen = OnDemand({"utilisation": lambda: results.utilisation, "missing_usd": days.missing})
    return InstrumentPaths(
        name=name,
        sources=(*SOURCES, THEFT)[: len(results.attribution)],
        initial={"usd": np.full(results.unpaid.size, holder_usd)},
        mark={"usd": results.marks},
        exit={"usd": results.leaves},
        attribution={"usd": results.attribution},
        events=results.events,
        unpaid=results.unpaid,
        details=seen,
        daily=_daily(terms, gas, results.marks, results.gains) if daily else None,
        happened={"shortfall": results.shortfall},
    )


def _daily(terms: PriceCoverTerms, gas: Gas, marks: FloatArray, gains: FloatArray) -> Daily:
    """Return the days of the underwriter's position; who has waited gets it without discount.

    Parameters
    ----------
    marks : ndarray of shape (n_steps + 1, n_paths), USD
    gains : ndarray of shape (n_sources, n_steps + 1, n_paths), or (n_sources, 0, 0), USD
        Up to each step.
    """
    leave_usd = gas.usd("leave") * gas.factors(marks.shape[0] - 1)[:, None]
    access = Access(notice_days=terms.pool.cooldown_days, sale_usd=marks - leave_usd)
    return Daily(gains, access=access)


def _covered(name: str, terms: PriceCoverTerms, results: Results, days: Series) -> InstrumentPaths:
    return InstrumentPaths(
        name=name,
        sources=MINER_SOURCES,
        initial={"usd": np.full(results.unpaid.size, terms.miner.cash_usd)},
        mark={"usd": results.covered},
        exit={"usd": results.covered},
        attribution={"usd": results.totals},
        events=results.events,
        unpaid=np.zeros_like(results.unpaid),
        details=days.of_miner(),
        usdc_flows=days.flows(),
    )


def _bare(name: str, terms: PriceCoverTerms, results: Results, days: Series) -> InstrumentPaths:
    return InstrumentPaths(
        name=name,
        sources=MINER_SOURCES,
        initial={"usd": np.full(results.unpaid.size, terms.miner.cash_usd)},
        mark={"usd": results.bare},
        exit={"usd": results.bare},
        attribution={"usd": results.totals * _SALES_ALONE},
        events=np.zeros_like(results.events),
        unpaid=np.zeros_like(results.unpaid),
        details=OnDemand({"period_cash_usd": lambda: days.by_period(1)}),
    )
