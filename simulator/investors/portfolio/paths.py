"""From an investor's terms and the instruments' days to the portfolio's paths."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from simulator.instruments.base import Daily, InstrumentPaths, Source
from simulator.investors.portfolio import kernel
from simulator.investors.portfolio.rows import rows_of
from simulator.investors.portfolio.state import (
    BOUGHT,
    BROUGHT,
    BUYABLE,
    COSTS,
    FIRST,
    IN_CASH,
    INCOME,
    LEAVE,
    LEVEL,
    MARK,
    NEVER,
    NOTHING,
    NOTICE,
    RECEIVED,
    SALE,
    SELLABLE,
    SOLD,
    SOURCES,
    STOPS,
    TURNOVER,
    UNITS,
    Book,
    IntArray,
    Plan,
    State,
    Traces,
    Trades,
    new_state,
    zeros_apart,
)
from simulator.mechanics.vectors import WIDTH
from simulator.scenario.investors import FlowTerms, InvestorTerms
from simulator.units import BPS, BoolArray, FloatArray

NAME = "portfolio"
TRADING = "trading"
"""Source that every holding of a portfolio has beside its own: what trading it cost."""


@dataclass(frozen=True)
class PortfolioPaths:
    """A portfolio on a block of paths. What was not asked for is empty.

    Attributes
    ----------
    whole : InstrumentPaths
        Net asset value at mark and at exit and its attribution, as of one instrument; its
        sources are `<holding>.<source>` and `<holding>.trading`, none where they were not
        asked for.
    holdings : tuple of str
    counted : int
        The first paths, which are those that are wanted; the others pad the lanes.
    flows : ndarray of shape (n_steps + 1, n_paths), USD
        Put in, negative taken out, on a step after the start.
    has_flows : bool
        Whether any of them is not zero.
    shares : ndarray of shape (n_holdings + 2, n_steps + 1)
        Each holding's part of the value at mark, that of cash, and what was bought and sold
        over the value: means over the counted paths, 0 where nothing is left.
    units : ndarray of shape (n_holdings, n_steps + 1, n_paths)
        Of each instrument's paths, at the end of a step.
    prices : tuple of ndarray of shape (n_steps + 1, n_paths), USD at mark
        Of a unit of each holding.
    cash, turnover : ndarray of shape (n_steps + 1, n_paths), USD
    bought, sold, level : ndarray of shape (n_holdings, n_steps + 1, n_paths)
        Units traded, and the prices at which stops stand, where a record was asked for.
    """

    whole: InstrumentPaths
    holdings: tuple[str, ...]
    counted: int
    flows: FloatArray
    has_flows: bool
    shares: FloatArray
    units: FloatArray
    prices: tuple[FloatArray, ...]
    cash: FloatArray
    turnover: FloatArray
    bought: FloatArray
    sold: FloatArray
    level: FloatArray

    @property
    def values(self) -> FloatArray:
        """Return each holding at mark, shape (n_holdings, n_steps + 1, n_paths), USD."""
        if self.units.shape[1] == 0:
            return self.units
        return self.units * np.stack(self.prices)

    def head(self, count: int) -> PortfolioPaths:
        """Return the first `count` paths alone.

        Raises
        ------
        ValueError
            Its shares are not the means over these paths.
        """
        if count != self.counted:
            raise ValueError(f"{self.counted} paths were counted; must be {count}")
        named = ("flows", "units", "cash", "turnover", "bought", "sold", "level")
        arrays = {name: getattr(self, name)[..., :count] for name in named}
        prices = tuple(price[:, :count] for price in self.prices)
        return replace(self, whole=self.whole.head(count), prices=prices, **arrays)


@dataclass(frozen=True)
class Wanted:
    """What a portfolio is asked for beside its value on each path and day.

    Attributes
    ----------
    sources : bool
        Where its return came from.
    shares : bool
        What it holds and trades on average.
    days : bool
        Units, values, cash and turnover of every day and path.
    record : bool
        What it trades and where its stops stand, for the replay.
    """

    sources: bool = True
    shares: bool = True
    days: bool = True
    record: bool = False


EVERYTHING = Wanted()
"""All but the record."""


def hold(
    investor: InvestorTerms,
    instruments: Mapping[str, InstrumentPaths],
    *,
    count: int | None = None,
    wanted: Wanted = EVERYTHING,
) -> PortfolioPaths:
    """Return what an investor with weights makes of the instruments' paths.

    `count` is the number of paths that are wanted, where others only pad the lanes.

    Raises
    ------
    ValueError
        An instrument that is held was simulated without its days, or without their sources
        where these are wanted.
    """
    held = [instruments[name] for name in investor.held]
    n_paths = held[0].events.shape[0]
    counted = n_paths if count is None else count
    # as long as the kernel runs, what it reads must stand where it is
    book, _kept = _book(held, investor.trading_cost_bps / BPS, wanted.sources)
    plan = _plan(investor, book.rows.n_rows - 1)
    trades, traces = _new_trades(book, wanted), _new_traces(book, plan, wanted, counted)
    state = new_state(len(held), book.rows.n_paths)
    kernel.run(book, plan, state, trades, traces)
    state, trades, traces = _of_first(n_paths, state, trades, traces)
    flows = traces.flows
    return PortfolioPaths(
        whole=_whole(held, book, plan, state, trades, traces),
        holdings=investor.held,
        counted=counted,
        flows=flows if flows.size else np.broadcast_to(0.0, (book.rows.n_rows, n_paths)),
        has_flows=bool(flows.any()),
        shares=traces.shares / counted,
        units=traces.units,
        prices=tuple(_value(paths) for paths in held),
        cash=traces.days[IN_CASH],
        turnover=traces.days[TURNOVER],
        bought=trades.record[BOUGHT],
        sold=trades.record[SOLD],
        level=trades.record[LEVEL],
    )


def _of_first(
    n_paths: int, state: State, trades: Trades, traces: Traces
) -> tuple[State, Trades, Traces]:
    """Return what is of the first paths, where others only fill the last vector."""
    return (
        State(*(array[..., :n_paths] for array in state)),
        Trades(*(array[..., :n_paths] for array in trades)),
        traces._replace(
            worth=traces.worth[..., :n_paths],
            flows=traces.flows[..., :n_paths],
            units=traces.units[..., :n_paths],
            days=traces.days[..., :n_paths],
        ),
    )


def _new_trades(book: Book, wanted: Wanted) -> Trades:
    """Return empty sums, with room for what is wanted."""
    n_sources, by_step = int(book.at[-1, FIRST] + book.at[-1, SOURCES]), book.rows[1:]
    return Trades(
        brought=zeros_apart(n_sources, book.rows.n_paths),
        record=np.zeros((3, book.at.shape[0], *(by_step if wanted.record else (0, 0)))),
    )


def _new_traces(book: Book, plan: Plan, wanted: Wanted, counted: int) -> Traces:
    """Return empty traces, with room for what is wanted."""
    n_holdings, by_step, nothing = book.at.shape[0], book.rows[1:], (0, 0)
    return Traces(
        worth=np.empty((2, *by_step)),
        shares=np.empty((n_holdings + 2, by_step[0] if wanted.shares else 0)),
        sums=np.empty((n_holdings + 2, WIDTH)),
        n_counted=counted,
        flows=np.empty(by_step if plan.flows.any() else nothing),
        units=np.empty((n_holdings, *(by_step if wanted.days else nothing))),
        days=np.empty((2, *(by_step if wanted.days else nothing))),
    )


def _days(paths: InstrumentPaths) -> Daily:
    if paths.daily is None:
        raise ValueError(f"{paths.name} was simulated without its days; a portfolio needs them")
    return paths.daily


def _book(
    held: Sequence[InstrumentPaths], commission: float, sources: bool
) -> tuple[Book, list[FloatArray]]:
    """Return the book, and the arrays that its rows lie in."""
    access = [_days(paths).access for paths in held]
    arrays = [*(_value(paths) for paths in held), *(paths.exit["usd"] for paths in held)]
    at = np.full((len(held), 8), NOTHING, np.int64)
    at[:, [SOURCES, FIRST]] = 0
    is_open = np.ones((len(held) + 1, arrays[0].shape[0]), np.bool_)
    for row, (paths, way) in enumerate(zip(held, access, strict=True)):
        at[row, NOTICE] = way.notice_days
        own = [(SALE, way.sale_usd), (SELLABLE, way.sellable), (INCOME, _days(paths).income)]
        own.append((BUYABLE, way.buyable))
        if sources:
            own.append((BROUGHT, _brought(paths)))
            at[row, SOURCES] = len(paths.sources)
            at[row, FIRST] = at[:row, SOURCES].sum()
        for column, array in own:
            if array is not None:
                at[row, column] = len(arrays)
                arrays.append(array)
        if way.open_days is not None:
            is_open[row] = way.open_days
    is_open[-1] = is_open[:-1].all(axis=0)
    next_sale = _next_sale(is_open[:-1], np.array([way.lockup_days for way in access]))
    rows, kept = rows_of(arrays)
    costs = np.array([way.buy_cost + commission for way in access])
    most = np.array([way.most_units for way in access])
    return Book(rows, at, is_open, next_sale, costs, most, commission), kept


def _next_sale(is_open: BoolArray, lockup_days: IntArray) -> FloatArray:
    """Return the first step from each on at which a sale is possible.

    Parameters
    ----------
    is_open : ndarray of shape (n_holdings, n_steps + 1), bool
    lockup_days : ndarray of shape (n_holdings,), int64

    Returns
    -------
    ndarray of shape (n_holdings, n_steps + 2), steps
        NEVER where there is none.
    """
    n_holdings, n_steps = is_open.shape
    steps = np.arange(n_steps)
    found = np.full((n_holdings, n_steps + 1), NEVER)
    np.copyto(found[:, :-1], steps, where=is_open & (steps >= lockup_days[:, None]))
    backwards = found[:, ::-1]
    np.minimum.accumulate(backwards, axis=1, out=backwards)
    return found


def _brought(paths: InstrumentPaths) -> FloatArray:
    brought = _days(paths).brought
    if brought.shape[1] == 0:
        raise ValueError(f"{paths.name} was simulated without the sources of its days")
    return brought


def _value(paths: InstrumentPaths) -> FloatArray:
    """Return the mark without the cash that was paid out before."""
    value = _days(paths).value
    return paths.mark["usd"] if value is None else value


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
    held: Sequence[InstrumentPaths],
    book: Book,
    plan: Plan,
    state: State,
    trades: Trades,
    traces: Traces,
) -> InstrumentPaths:
    stops = state.purse[STOPS].astype(np.int64)
    events = stops + np.sum([paths.events for paths in held], axis=0)
    mark, leave = traces.worth[MARK], traces.worth[LEAVE]
    leave[0] = plan.capital
    attribution, sources = np.empty((0, events.shape[0])), list[Source]()
    if trades.brought.shape[0] > 0:
        parts = [_attribution(paths, row, book, state, trades) for row, paths in enumerate(held)]
        attribution = np.concatenate(parts)
        sources = [source for paths in held for source in _sources(paths.name, paths.sources)]
    return InstrumentPaths(
        name=NAME,
        sources=tuple(sources),
        initial={"usd": np.full(events.shape[0], plan.capital)},
        mark={"usd": mark},
        exit={"usd": leave},
        attribution={"usd": attribution},
        events=events,
        unpaid=_unpaid(held, state),
    )


@functools.cache
def _sources(name: str, of_holding: tuple[Source, ...]) -> tuple[Source, ...]:
    own = (*of_holding, Source(TRADING, "cost", "Trading costs"))
    return tuple(Source(f"{name}.{s.name}", s.kind, f"{s.label} ({name})") for s in own)


def _attribution(
    paths: InstrumentPaths, row: int, book: Book, state: State, trades: Trades
) -> FloatArray:
    """Return what each source of a holding brought, its trading costs last."""
    first, layers = book.at[row, [FIRST, SOURCES]]
    last = state.held[UNITS, row]
    own = trades.brought[first : first + layers] + last * paths.attribution["usd"][:layers]
    left = paths.exit["usd"][-1] - state.held[RECEIVED, row]
    trading = state.held[COSTS, row] - last * left * book.commission
    return np.concatenate((own, trading[None]))


def _unpaid(held: Sequence[InstrumentPaths], state: State) -> FloatArray:
    """Return the dollars that the exits of the holdings at the horizon could not be paid."""
    unpaid = np.zeros(state.purse.shape[1])
    for row, paths in enumerate(held):
        per_unit = paths.unpaid
        if paths.units[0] != "usd":
            worth = _value(paths)[-1]
            amount = np.where(paths.mark[paths.units[0]][-1] > 0, paths.mark[paths.units[0]][-1], 1)
            per_unit = per_unit * worth / amount
        unpaid += state.held[UNITS, row] * per_unit
    return unpaid
