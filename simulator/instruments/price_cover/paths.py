"""From terms and prices to the paths of underwriter and miner, and what the replay plays."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simulator.instruments.base import InstrumentPaths
from simulator.instruments.price_cover import fair
from simulator.instruments.price_cover.kernel import run
from simulator.instruments.price_cover.state import (
    MINER,
    MINER_SOURCES,
    SOURCES,
    Observed,
    Policy,
    Schedule,
    schedule,
    terms_record,
)
from simulator.market.paths import MarketPaths
from simulator.mechanics.jit import kernel
from simulator.scenario.models import GasTerms
from simulator.scenario.price_cover import PriceCoverTerms
from simulator.units import DAYS_PER_YEAR, BoolArray, FloatArray, trading_days

FEED_SCALE = 1e8
DETAILS = (
    "utilisation",
    "missing_usd",
    "premiums_usd",
    "payouts_usd",
    "period_cash_usd",
    "bare_period_cash_usd",
)


@dataclass(frozen=True)
class PriceCoverDrivers:
    """What happens to the pool from outside: the copper price.

    Attributes
    ----------
    label : str
    copper_usd : ndarray of shape (n_steps + 1, n_paths), USD per tonne
        Quantised to the feed's 1e-8.
    start : date
    volatility, periods_per_year : float
        Annual volatility of copper in the market model, and its trading days a year.
    """

    label: str
    copper_usd: FloatArray
    start: dt.date
    volatility: float
    periods_per_year: float

    def lane(self, k: int) -> PriceCoverDrivers:
        """Return path `k` of the block alone."""
        one = self.copper_usd[:, k : k + 1]
        return PriceCoverDrivers(
            self.label, one, self.start, self.volatility, self.periods_per_year
        )


@dataclass(frozen=True)
class PriceCoverRecord:
    """What was done and is to be observed, for the replay.

    Attributes
    ----------
    plan : Schedule
    policies : ndarray of shape (n_policies, len(Policy), n_paths)
        As they were sold; zeros where none was.
    acts : ndarray of shape (n_steps + 1, n_policies, n_paths), int8
        `state.Act`.
    observed : ndarray of shape (n_steps + 1, n_paths, len(Observed))
        The last row is before the underwriter's claim.
    paid_out : ndarray of shape (n_paths,)
        What he claims at the last step, USD; zero where he cannot, or rather waits.
    """

    plan: Schedule
    policies: FloatArray
    acts: npt.NDArray[np.int8]
    observed: FloatArray
    paid_out: FloatArray

    def lane(self, k: int) -> PriceCoverRecord:
        """Return path `k` of the block alone."""
        one = slice(k, k + 1)
        acts, observed = self.acts[..., one], self.observed[:, one]
        policies = self.policies[..., one]
        return PriceCoverRecord(self.plan, policies, acts, observed, self.paid_out[one])


@kernel
def _quantise(prices: FloatArray, out: FloatArray) -> None:
    for step in range(prices.shape[0]):
        for k in range(prices.shape[1]):
            out[step, k] = max(1.0, np.floor(prices[step, k] * FEED_SCALE + 0.5)) / FEED_SCALE


def draw_drivers(
    label: str, market: MarketPaths, volatility: float, periods_per_year: float
) -> PriceCoverDrivers:
    """Return the drivers of a block; nothing is drawn but the market's prices."""
    copper = np.empty_like(market.prices["copper"])
    _quantise(market.prices["copper"], copper)
    start = market.dates[0].date()
    return PriceCoverDrivers(label, copper, start, volatility, periods_per_year)


def simulate(
    terms: PriceCoverTerms,
    gas: GasTerms,
    drivers: PriceCoverDrivers,
    holder_usd: float,
    *,
    record: bool = False,
) -> tuple[Mapping[str, InstrumentPaths], PriceCoverRecord]:
    """Deposit `holder_usd`; return the paths by name (`terms.names`), and the record.

    Acts and observations of the record are empty unless asked for.
    """
    copper = drivers.copper_usd
    shape, n_steps = copper.shape, copper.shape[0] - 1
    plan, trading = schedule(terms, n_steps), _trading(drivers.start, n_steps)
    n_policies = len(plan.buyer)
    marks, leaves, covered, bare = (np.empty(shape) for _ in range(4))
    details = np.empty((len(DETAILS), *shape))
    sold = np.zeros((n_policies, len(Policy), shape[1]))
    attribution, totals = np.zeros((len(SOURCES), shape[1])), np.zeros((3, shape[1]))
    unpaid, paid_out = np.zeros(shape[1]), np.zeros(shape[1])
    events = np.zeros(shape[1], np.int64)
    acts = np.zeros((n_steps + 1, n_policies, shape[1]) if record else (0, 0, 0), np.int8)
    observed = np.zeros((*shape, len(Observed)) if record else (0, 0, 0))
    run(
        terms_record(terms, gas, holder_usd, n_steps)[0],
        plan.buyer,
        plan.bought,
        plan.start,
        plan.end,
        trading,
        copper,
        marks,
        leaves,
        covered,
        bare,
        details,
        sold,
        attribution,
        unpaid,
        paid_out,
        totals,
        events,
        acts,
        observed,
    )
    holder = np.full(shape[1], holder_usd)
    marks[0] = leaves[0] = holder
    cash = np.full(shape[1], terms.miner.cash_usd)
    covered[0] = bare[0] = cash
    named = dict(zip(DETAILS, details, strict=True))
    underwriter, with_cover, without = terms.names(drivers.label)
    own = {name: named[name] for name in ("utilisation", "missing_usd")}
    miner = {name: named[name] for name in ("premiums_usd", "payouts_usd", "period_cash_usd")}
    miner["fair_value_usd"] = fair_values(terms, drivers, plan, sold)
    paths = {
        underwriter: InstrumentPaths(
            name=underwriter,
            sources=SOURCES,
            initial={"usd": holder},
            mark={"usd": marks},
            exit={"usd": leaves},
            attribution={"usd": attribution},
            events=events,
            unpaid=unpaid,
            details=own,
        ),
        with_cover: _miner(with_cover, cash, covered, totals, events, miner),
        without: _miner(
            without,
            cash,
            bare,
            totals * np.array([[1.0], [0.0], [0.0]]),
            np.zeros_like(events),
            {"period_cash_usd": named["bare_period_cash_usd"]},
        ),
    }
    return paths, PriceCoverRecord(plan, sold, acts, observed, paid_out)


def _miner(
    name: str,
    cash: FloatArray,
    worth: FloatArray,
    totals: FloatArray,
    events: np.ndarray[tuple[int], np.dtype[np.int64]],
    details: Mapping[str, FloatArray],
) -> InstrumentPaths:
    return InstrumentPaths(
        name=name,
        sources=MINER_SOURCES,
        initial={"usd": cash},
        mark={"usd": worth},
        exit={"usd": worth},
        attribution={"usd": totals},
        events=events,
        unpaid=np.zeros_like(cash),
        details=details,
    )


@functools.cache
def _trading(start: dt.date, n_steps: int) -> BoolArray:
    """Return the trading days, made once a run: holidays are slow to look up."""
    days = trading_days(start, n_steps)
    days.setflags(write=False)
    return days


def fair_values(
    terms: PriceCoverTerms, drivers: PriceCoverDrivers, plan: Schedule, sold: FloatArray
) -> FloatArray:
    """Return the fair value of the miner's covers bought so far, USD, by step and path."""
    copper, pool = drivers.copper_usd, terms.pool
    n_steps = copper.shape[0] - 1
    trading = _trading(drivers.start, n_steps)
    total = np.zeros_like(copper)
    for i in np.flatnonzero(plan.buyer == MINER):
        bought, end = int(plan.bought[i]), int(plan.end[i])
        ticks = fair.mean_variance(trading, bought, end, pool.window_days)
        deviation = drivers.volatility * np.sqrt(ticks / drivers.periods_per_year)
        tonnes, strike = sold[i, Policy.TONNES], sold[i, Policy.STRIKE]
        value = fair.put(copper[bought], np.where(strike > 0.0, strike, 1.0), deviation)
        discount = np.exp(-pool.discount_rate * (end - bought) / DAYS_PER_YEAR)
        total[bought:] += discount * tonnes * value
    return total
