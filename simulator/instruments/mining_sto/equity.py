"""The same mine's ordinary share: a leveraged claim on the same cash flow, traded daily.

    worth = max(0, mine - net debt),  net debt falls by what is earned and not paid out

The capital that the mine still needs counts as debt.

Priced by the market's discount rate without an illiquidity discount, bought at its worth. The
listed company is one that has not sold the STO: all of the mine is its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simulator.instruments.base import Access, Daily, InstrumentPaths
from simulator.instruments.draws import first_event
from simulator.instruments.mining_sto.drivers import mood
from simulator.instruments.mining_sto.equity_kernel import SOURCES, run
from simulator.instruments.mining_sto.output import MinePaths
from simulator.instruments.mining_sto.worth import tables
from simulator.market.streams import Stream, labelled
from simulator.scenario.mining_sto import MineEquityTerms, MiningStoTerms
from simulator.units import BPS, BoolArray, FloatArray

FlagArray = npt.NDArray[np.bool_]
StepArray = npt.NDArray[np.int64]


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
    default = labelled(Stream.MINE_DEFAULT, equity.mine)
    noise = labelled(Stream.MINE_EQUITY_NOISE, equity.mine)
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
    `by_source` for where these came from, and `open_days` says on which they can.
    """
    mine = drivers.mine
    shape = mine.copper_usd.shape
    loss_rate = equity.default_hazard * (1.0 - equity.recovery)
    worth = tables(terms, equity.discount_rate, loss_rate, shape[0] - 1)
    mark, leave, received = np.empty(shape), np.empty(shape), np.empty(shape)
    gains = np.empty((len(SOURCES), *(shape if daily and by_source else (0, 0))))
    attribution, events = np.zeros((len(SOURCES), shape[1])), np.zeros(shape[1], np.int64)
    run(
        worth.base,
        worth.slope,
        *worth.deferred(int(mine.deferred.max())),
        worth.long_run_usd,
        mine.copper_usd,
        mine.accrued,
        mine.profit,
        mine.halted,
        mine.deferred,
        mine.begins,
        mine.ends,
        drivers.default_step,
        drivers.noise,
        usd,
        terms.stage.capital_usd,
        equity.net_debt_share,
        equity.dividend_ratio,
        equity.recovery,
        equity.sale_spread_bps / BPS,
        mark,
        leave,
        received,
        attribution,
        gains,
        events,
    )
    mark[0] = leave[0] = usd
    return InstrumentPaths(
        name=name,
        sources=SOURCES,
        initial={"usd": np.full(shape[1], usd)},
        mark={"usd": mark},
        exit={"usd": leave},
        attribution={"usd": attribution},
        events=events,
        unpaid=np.zeros(shape[1]),
        daily=_daily(equity, mark, received, gains, open_days) if daily else None,
    )


def _daily(
    equity: MineEquityTerms,
    mark: FloatArray,
    received: FloatArray,
    so_far: FloatArray,
    open_days: BoolArray | None,
) -> Daily:
    """Return the days of a position; `so_far` holds the gains up to each step."""
    value = mark - received
    # Where there was no share to buy, the money counts as given back on the day after.
    value[0] = mark[0]
    income = mark - value
    income[1:] -= income[:-1].copy()
    so_far[:, :1] = 0.0
    return Daily(so_far, income, Access(equity.sale_spread_bps / BPS, open_days), value)
