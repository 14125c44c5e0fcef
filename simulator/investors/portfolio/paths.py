"""From an investor's terms and the instruments' days to the portfolio's paths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from simulator.instruments.base import Daily, InstrumentPaths, Source
from simulator.investors.portfolio import kernel
from simulator.investors.portfolio.state import (
    BOUGHT,
    FLOWS,
    IN_CASH,
    INCOME,
    LEAVE,
    LEVEL,
    LOCKUP,
    MARK,
    NOTHING,
    NOTICE,
    SALE,
    SELLABLE,
    SOLD,
    STOPS,
    TURNOVER,
    Book,
    IntArray,
    Plan,
    Traces,
    new_state,
    new_traces,
)
from simulator.scenario.investors import FlowTerms, InvestorTerms
from simulator.units import BPS, FloatArray

NAME = "portfolio"
TRADING = "trading"
"""Source that every holding of a portfolio has beside its own: what trading it cost."""


@dataclass(frozen=True)
class PortfolioPaths:
    """A portfolio on a block of paths.

    Attributes
    ----------
    whole : InstrumentPaths
        Net asset value at mark and at exit and its attribution, as of one instrument; its
        sources are `<holding>.<source>` and `<holding>.trading`.
    holdings : tuple of str
    flows : ndarray of shape (n_steps + 1, n_paths), USD
        Put in, negative taken out, on a step after the start.
    units : ndarray of shape (n_holdings, n_steps + 1, n_paths)
        Of each instrument's paths, at the end of a step.
    values : ndarray of shape (n_holdings, n_steps + 1, n_paths), USD at mark
    cash, turnover : ndarray of shape (n_steps + 1, n_paths), USD
    bought, sold, level : ndarray of shape (n_holdings, n_steps + 1, n_paths), or empty
        Units traded, and the prices at which stops stand, where a record was asked for.
    """

    whole: InstrumentPaths
    holdings: tuple[str, ...]
    flows: FloatArray
    units: FloatArray
    values: FloatArray
    cash: FloatArray
    turnover: FloatArray
    bought: FloatArray
    sold: FloatArray
    level: FloatArray

    def head(self, count: int) -> PortfolioPaths:
        """Return the first `count` paths alone."""
        named = ("flows", "units", "values", "cash", "turnover", "bought", "sold", "level")
        arrays = {name: getattr(self, name)[..., :count] for name in named}
        return replace(self, whole=self.whole.head(count), **arrays)


def hold(
    investor: InvestorTerms,
    instruments: Mapping[str, InstrumentPaths],
    *,
    record: bool = False,
) -> PortfolioPaths:
    """Return what an investor with weights makes of the instruments' paths.

    Raises
    ------
    ValueError
        An instrument that is held was simulated without its days.
    """
    held = [instruments[name] for name in investor.held]
    book = _book(held, investor.trading_cost_bps / BPS)
    n_holdings, n_rows, n_paths = len(held), *book.prices.shape[1:]
    plan = _plan(investor, n_rows - 1)
    state, traces = (
        new_state(n_holdings, n_paths),
        new_traces(n_holdings, n_rows - 1, n_paths, record),
    )
    kernel.run(book, plan, state, traces, np.empty(n_holdings))
    return PortfolioPaths(
        whole=_whole(held, book, plan, state.flags[STOPS], traces),
        holdings=investor.held,
        flows=traces.days[FLOWS],
        units=traces.units,
        values=traces.units * book.prices[:n_holdings],
        cash=traces.days[IN_CASH],
        turnover=traces.days[TURNOVER],
        bought=traces.record[BOUGHT],
        sold=traces.record[SOLD],
        level=traces.record[LEVEL],
    )


def _days(paths: InstrumentPaths) -> Daily:
    if paths.daily is None:
        raise ValueError(f"{paths.name} was simulated without its days; a portfolio needs them")
    return paths.daily


def _book(held: Sequence[InstrumentPaths], commission: float) -> Book:
    access = [_days(paths).access for paths in held]
    rows = [*(_value(paths) for paths in held), *(_leave(paths) for paths in held)]
    at = np.full((len(held), 5), NOTHING, np.int64)
    is_open = np.ones((len(held) + 1, rows[0].shape[0]), np.bool_)
    for row, (paths, way) in enumerate(zip(held, access, strict=True)):
        at[row, SALE] = len(held) + row
        at[row, LOCKUP], at[row, NOTICE] = way.lockup_days, way.notice_days
        own = ((SALE, way.sale_usd), (SELLABLE, way.sellable), (INCOME, _days(paths).income))
        for column, array in own:
            if array is not None:
                at[row, column] = len(rows)
                rows.append(array)
        if way.open_days is not None:
            is_open[row] = way.open_days
    is_open[-1] = is_open[:-1].all(axis=0)
    return Book(
        prices=np.stack(rows),
        at=at,
        is_open=is_open,
        buy_cost=np.array([way.buy_cost + commission for way in access]),
        commission=commission,
    )


def _value(paths: InstrumentPaths) -> FloatArray:
    """Return the mark without the cash that was paid out before."""
    value = _days(paths).value
    return paths.mark["usd"] if value is None else value


def _leave(paths: InstrumentPaths) -> FloatArray:
    """Return what an exit pays, without the cash that was paid out before."""
    income = _days(paths).income
    return paths.exit["usd"] if income is None else paths.exit["usd"] - np.cumsum(income, axis=0)


def _plan(investor: InvestorTerms, n_steps: int) -> Plan:
    stops, weights = investor.stop_loss, investor.weights or {}
    parked = stops.parked_in
    return Plan(
        capital=float(investor.capital_usd or 0.0),
        weights=np.array([weights[name] for name in investor.held]),
        every_days=investor.rebalance.every_days or 0,
        band=investor.rebalance.band or 0.0,
        holding_stop=stops.holding or 0.0,
        portfolio_stop=stops.portfolio or 0.0,
        from_peak=stops.measured_from == "peak",
        reenter_days=stops.reenter_after_days or 0,
        park=NOTHING if parked is None else investor.held.index(parked),
        flows=_scheduled(investor.flows, n_steps),
    )


def _scheduled(terms: Sequence[FlowTerms], n_steps: int) -> FloatArray:
    """Return what is put in or taken out on each step, shape (n_steps + 1,)."""
    flows = np.zeros(n_steps + 1)
    for flow in terms:
        if flow.every_days is None:
            flows[flow.first_day : flow.first_day + 1] += flow.usd
        else:
            flows[flow.first_day :: flow.every_days] += flow.usd
    return flows


def _whole(
    held: Sequence[InstrumentPaths], book: Book, plan: Plan, stops: IntArray, traces: Traces
) -> InstrumentPaths:
    parts, events = [], stops.copy()
    for row, paths in enumerate(held):
        parts.append(_attribution(paths, row, book, traces))
        events += paths.events
    capital = np.full(stops.shape[0], plan.capital)
    leave = traces.days[LEAVE]
    leave[0] = plan.capital
    return InstrumentPaths(
        name=NAME,
        sources=tuple(source for paths in held for source in _sources(paths)),
        initial={"usd": capital},
        mark={"usd": traces.days[MARK]},
        exit={"usd": leave},
        attribution={"usd": np.concatenate(parts)},
        events=events,
        unpaid=_unpaid(held, traces),
    )


def _sources(paths: InstrumentPaths) -> tuple[Source, ...]:
    own = (*paths.sources, Source(TRADING, "cost", "Trading costs"))
    return tuple(Source(f"{paths.name}.{s.name}", s.kind, f"{s.label} ({paths.name})") for s in own)


def _attribution(paths: InstrumentPaths, row: int, book: Book, traces: Traces) -> FloatArray:
    """Return what each source of a holding brought, its trading costs last."""
    gains, last = _days(paths).gains, traces.units[row, -1]
    brought = np.zeros((gains.shape[0] + 1, gains.shape[2]))
    always = np.zeros((gains.shape[0], gains.shape[2]))
    kernel.attribute(traces.units[row], gains, brought[:-1], always)
    brought[:-1] += last * (paths.attribution["usd"] - always)
    brought[-1] = (
        traces.costs[row] - last * book.prices[len(traces.units) + row, -1] * book.commission
    )
    return brought


def _unpaid(held: Sequence[InstrumentPaths], traces: Traces) -> FloatArray:
    """Return the dollars that the exits of the holdings at the horizon could not be paid."""
    unpaid = np.zeros(traces.days.shape[2])
    for row, paths in enumerate(held):
        per_unit = paths.unpaid
        if paths.units[0] != "usd":
            worth = _value(paths)[-1]
            amount = np.where(paths.mark[paths.units[0]][-1] > 0, paths.mark[paths.units[0]][-1], 1)
            per_unit = per_unit * worth / amount
        unpaid += traces.units[row, -1] * per_unit
    return unpaid
