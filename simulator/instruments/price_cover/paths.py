"""From terms and prices to the paths of underwriter and miner, and what the replay plays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simulator.instruments.base import Access, Daily, InstrumentPaths, OnDemand
from simulator.instruments.price_cover.drivers import PriceCoverDrivers
from simulator.instruments.price_cover.kernel import run
from simulator.instruments.price_cover.series import Series, market_days
from simulator.instruments.price_cover.state import (
    HOLDER_GAS,
    MINER_SOURCES,
    SOURCES,
    Observed,
    Outcome,
    Policy,
    Schedule,
    schedule,
    terms_record,
)
from simulator.scenario.models import GasTerms
from simulator.scenario.price_cover import PriceCoverTerms
from simulator.units import FloatArray


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


def simulate(
    terms: PriceCoverTerms,
    gas: GasTerms,
    drivers: PriceCoverDrivers,
    holder_usd: float,
    *,
    record: bool = False,
    daily: bool = False,
    by_source: bool = True,
) -> tuple[Mapping[str, InstrumentPaths], PriceCoverRecord]:
    """Deposit `holder_usd`; return the paths by name (`terms.names`), and the record.

    Acts and observations of the record are empty unless asked for. `daily` asks for the
    underwriter's dollars of each day too, for investors who trade, and `by_source` for where
    these came from.
    """
    copper = drivers.copper_usd
    shape, n_steps = copper.shape, copper.shape[0] - 1
    plan, trading = schedule(terms, n_steps), market_days(drivers.start, n_steps)
    n_policies = len(plan.buyer)
    marks, leaves, covered, bare = (np.empty(shape) for _ in range(4))
    utilisation = np.empty(shape)
    periods = np.zeros((2, n_steps // terms.miner.cover.renew_every_days + 1, shape[1]))
    gains = np.empty((len(SOURCES), *(shape if daily and by_source else (0, 0))))
    sold = np.zeros((n_policies, len(Policy), shape[1]))
    outcomes = np.zeros((n_policies, len(Outcome), shape[1]))
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
        utilisation,
        periods,
        gains,
        sold,
        outcomes,
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
    underwriter, with_cover, without = terms.names(drivers.label)
    days = Series(terms, drivers, plan, sold, outcomes, periods)
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
            details=OnDemand({"utilisation": lambda: utilisation, "missing_usd": days.missing}),
            daily=_daily(terms, gas, marks, gains) if daily else None,
        ),
        with_cover: _miner(with_cover, cash, covered, totals, events, days.of_miner()),
        without: _miner(
            without,
            cash,
            bare,
            totals * np.array([[1.0], [0.0], [0.0]]),
            np.zeros_like(events),
            OnDemand({"period_cash_usd": lambda: days.by_period(1)}),
        ),
    }
    return paths, PriceCoverRecord(plan, sold, acts, observed, paid_out)


def _daily(terms: PriceCoverTerms, gas: GasTerms, marks: FloatArray, so_far: FloatArray) -> Daily:
    """Return the days of the underwriter's position; who has waited gets it without discount.

    `so_far` holds the gains up to each step; what entering cost is seen on the day after.
    """
    so_far[:, :1] = 0.0
    leave_usd = HOLDER_GAS["leave"] * gas.price_gwei * 1e-9 * gas.ether_usd
    access = Access(notice_days=terms.pool.cooldown_days, sale_usd=marks - leave_usd)
    return Daily(so_far, access=access)


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
