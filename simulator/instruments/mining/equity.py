"""The same mine's ordinary share: a leveraged claim on the same cash flow, traded daily.

    worth = max(0, mine - net debt)
    net debt today = net debt of yesterday (1 + rate (1 - tax) / 365) - what is earned and kept

The capital that the mine still needs counts as debt, and bears interest like it: what is spent
later is worth as much less today. Interest is deducted from tax; net cash bears none.

Priced by the market's discount rate without an illiquidity discount, bought at its worth. The
listed company is one that has not sold the STO: all of the mine is its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.instruments.base import Access, Daily, InstrumentPaths
from simulator.instruments.mining.drivers import mood
from simulator.instruments.mining.equity_kernel import run
from simulator.instruments.mining.equity_state import SOURCES, Drivers, Results, numbers
from simulator.instruments.mining.output import MinePaths
from simulator.instruments.mining.streams import Stream, stream
from simulator.instruments.mining.terms import MineEquityTerms, MiningStoTerms
from simulator.instruments.mining.worth import tables
from simulator.market.events import first_event
from simulator.units import BPS, BoolArray, FloatArray, StepArray


@dataclass(frozen=True)
class MineEquityDrivers:
    """Drivers of the mine's ordinary share.

    Attributes
    ----------
    mine : MinePaths
    default_step : ndarray of shape (n_paths,), int64
        Step on which the company fails; one draw with the operator's default, at the
        company's own hazard, so that it fails later than the operator stops paying.
    noise : ndarray of shape (n_steps + 1, n_paths)
        Log gap between price and worth.
    """

    mine: MinePaths
    default_step: StepArray
    noise: FloatArray


def draw_equity_drivers(
    equity: MineEquityTerms, mine: MinePaths, seed: int, first_path: int
) -> MineEquityDrivers:
    """Return the drivers of the share; its default is drawn with the mine's operator's."""
    default = stream(Stream.MINE_DEFAULT, equity.mine)
    noise = stream(Stream.MINE_EQUITY_NOISE, equity.mine)
    copper = mine.copper_usd
    return MineEquityDrivers(
        mine=mine,
        default_step=first_event(seed, default, first_path, copper.shape[1], equity.default_hazard),
        noise=mood(equity, noise, seed, first_path, copper),
    )


def simulate_equity(
    equity: MineEquityTerms,
    terms: MiningStoTerms,
    drivers: MineEquityDrivers,
    name: str,
    usd: float = 1.0,
    *,
    daily: bool = False,
    by_source: bool = True,
    open_days: BoolArray | None = None,
) -> InstrumentPaths:
    """Buy the mine's share for `usd`, hold it under the name `name`, sell at the last step.

    `terms` are those of the STO on the same mine, for the mine and the copper price that the
    market expects. `daily` asks for the dollars of each day too, for investors who trade,
    `by_source` for where these came from, and `open_days`, bool of shape (n_steps + 1,), says
    on which they can.
    """
    n_paths = drivers.mine.copper_usd.shape[1]
    results = _empty(drivers.mine.copper_usd.shape, by_source=daily and by_source)
    run(numbers(equity, terms, usd), _told(equity, terms, drivers), results)
    results.mark[0] = results.leave[0] = usd
    days = None
    if daily:
        # it is bought at its worth: the first day has brought nothing yet
        results.gains[:, :1] = 0.0
        days = _daily(equity, results.mark, results.received, results.gains, open_days)
    return InstrumentPaths(
        name=name,
        sources=SOURCES,
        initial={"usd": np.full(n_paths, usd)},
        mark={"usd": results.mark},
        exit={"usd": results.leave},
        attribution={"usd": results.attribution},
        events=results.events,
        unpaid=np.zeros(n_paths),
        daily=days,
    )


def _told(equity: MineEquityTerms, terms: MiningStoTerms, drivers: MineEquityDrivers) -> Drivers:
    """Return what the kernel is told of mine, company and mood."""
    mine = drivers.mine
    loss_rate = equity.default_hazard * (1.0 - equity.recovery)
    longest = int(mine.deferred.max())
    return Drivers(
        tables=tables(terms, equity.discount_rate, loss_rate, mine.growth, longest),
        copper_usd=mine.copper_usd,
        accrued=mine.accrued,
        profit=mine.profit,
        halted=mine.halted,
        deferred=mine.deferred,
        begins=mine.begins,
        ends=mine.ends,
        default_step=drivers.default_step,
        noise=drivers.noise,
    )


def _empty(shape: tuple[int, ...], *, by_source: bool) -> Results:
    """Return the arrays that the kernel writes; `shape` is (n_steps + 1, n_paths)."""
    n_paths = shape[1]
    return Results(
        mark=np.empty(shape),
        leave=np.empty(shape),
        received=np.empty(shape),
        attribution=np.zeros((len(SOURCES), n_paths)),
        gains=np.empty((len(SOURCES), *(shape if by_source else (0, 0)))),
        events=np.zeros(n_paths, np.int64),
    )


def _daily(
    equity: MineEquityTerms,
    mark: FloatArray,
    received: FloatArray,
    gains: FloatArray,
    open_days: BoolArray | None,
) -> Daily:
    """Return the days of a position.

    Parameters
    ----------
    mark, received : ndarray of shape (n_steps + 1, n_paths), USD
        Value with all dividends so far, and these.
    gains : ndarray of shape (n_sources, n_steps + 1, n_paths), or (n_sources, 0, 0), USD
        Up to each step.
    open_days : ndarray of bool, shape (n_steps + 1,), or None
    """
    value = mark - received
    # Where there was no share to buy, the money counts as given back on the day after.
    value[0] = mark[0]
    income = mark - value
    income[1:] -= income[:-1].copy()
    return Daily(gains, income, Access(equity.sale_spread_bps / BPS, open_days), value)
