"""The same mine's ordinary share: a leveraged claim on the same cash flow, traded daily.

    worth = max(0, mine - net debt),  net debt falls by what is earned and not paid out

The capital that the mine still needs counts as debt.

Priced by the market's discount rate without an illiquidity discount, bought at its worth. The
listed company is one that has not sold the STO: all of the mine is its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from simulator.instruments.base import Access, Daily, InstrumentPaths, Source
from simulator.instruments.draws import first_event
from simulator.instruments.mining_sto.drivers import mood
from simulator.instruments.mining_sto.outages import DayArray, KindArray
from simulator.instruments.mining_sto.output import MinePaths
from simulator.instruments.mining_sto.worth import planned_profit, tables, tonnes_per_price
from simulator.market.elementary import exponential
from simulator.market.streams import Stream, labelled
from simulator.mechanics.jit import kernel
from simulator.scenario.mining_sto import MineEquityTerms, MiningStoTerms
from simulator.units import BPS, BoolArray, FloatArray

FlagArray = npt.NDArray[np.bool_]
StepArray = npt.NDArray[np.int64]


class From(IntEnum):
    """Rows of the attribution."""

    DIVIDENDS = 0
    COPPER = 1
    ORE_AND_TIME = 2
    MOOD = 3
    OUTAGE = 4
    DELAY = 5
    DEFAULT = 6
    SPREAD = 7


SOURCES = (
    Source("dividends", "organic", "Dividends"),
    Source("copper_price", "market", "Copper price"),
    Source("ore_and_time", "market", "Ore used up, profit kept, output and time"),
    Source("mood", "market", "Mood of the stock market"),
    Source("outage", "loss", "Outages"),
    Source("delay", "loss", "Construction and ramp-up late"),
    Source("default", "loss", "Failure of the company"),
    Source("sale_spread", "cost", "Spread when selling"),
)

BY_DIVIDENDS, BY_COPPER = int(From.DIVIDENDS), int(From.COPPER)
BY_ORE_AND_TIME, BY_MOOD = int(From.ORE_AND_TIME), int(From.MOOD)
BY_OUTAGE, BY_DELAY = int(From.OUTAGE), int(From.DELAY)
BY_DEFAULT, BY_SPREAD = int(From.DEFAULT), int(From.SPREAD)


class Seen(IntEnum):
    """Rows of how the market sees the share on a day, for each path.

    Tonnes (see `worth`), profit to come of the mine, dollars of price per dollar of the mine's
    worth, mood as a factor, and the holding's price.
    """

    TONNES = 0
    COMING = 1
    GEARING = 2
    MOOD = 3
    PRICE = 4


TONNES, COMING, GEARING = int(Seen.TONNES), int(Seen.COMING), int(Seen.GEARING)
MOOD, PRICE, N_SEEN = int(Seen.MOOD), int(Seen.PRICE), len(Seen)


@kernel
def _run(
    base: FloatArray,
    slope: FloatArray,
    discount: FloatArray,
    reverting: FloatArray,
    long_run: float,
    copper_usd: FloatArray,
    accrued: FloatArray,
    profit: FloatArray,
    halted: KindArray,
    deferred: DayArray,
    begins: StepArray,
    ends: FlagArray,
    default_step: StepArray,
    noise: FloatArray,
    usd: float,
    capital_usd: float,
    debt_share: float,
    dividend_ratio: float,
    recovery: float,
    spread: float,
    mark: FloatArray,
    leave: FloatArray,
    received: FloatArray,
    attribution: FloatArray,
    gains: FloatArray,
    events: StepArray,
) -> None:
    n_rows, n_paths = copper_usd.shape
    units, debt, paid = np.zeros(n_paths), np.zeros(n_paths), np.zeros(n_paths)
    left, by = np.full(n_paths, -1.0), attribution
    now, was = np.zeros((N_SEEN, n_paths)), np.zeros((N_SEEN, n_paths))
    period = 0
    for step in range(n_rows):
        now, was = was, now
        if ends[step]:
            for k in range(n_paths):
                if left[k] < 0.0:
                    dividend = units[k] * dividend_ratio * profit[period, k]
                    debt[k] -= (1.0 - dividend_ratio) * profit[period, k]
                    paid[k] += dividend
                    by[BY_DIVIDENDS, k] += dividend
            period += 1
        for k in range(n_paths):
            worked, missed = max(0, step - begins[k]), deferred[step, k]
            now[TONNES, k] = tonnes_per_price(slope, reverting, worked, missed)
            above = copper_usd[step, k] - long_run
            planned = planned_profit(base, discount, worked, missed)
            now[COMING, k] = planned + now[TONNES, k] * above
            now[MOOD, k] = exponential(noise[step, k])
        if step == 0:
            for k in range(n_paths):
                net = max(0.0, now[COMING, k] + accrued[0, k] - capital_usd)
                debt[k] = capital_usd + debt_share * net
                # a mine worth nothing has no share to buy: the money stays where it is
                units[k] = usd / ((1.0 - debt_share) * net) if net > 0.0 else 0.0
                paid[k] = 0.0 if net > 0.0 else usd
        for k in range(n_paths):
            equity = max(0.0, max(0.0, now[COMING, k] + accrued[step, k]) - debt[k])
            alive = left[k] < 0.0
            gearing = now[MOOD, k] * units[k]
            now[GEARING, k] = gearing if alive and equity > 0.0 else 0.0
            now[PRICE, k] = gearing * (equity if alive else left[k])
        for k in range(n_paths):
            if default_step[k] == step:
                lost = (1.0 - recovery) * now[PRICE, k]
                left[k] = recovery * now[PRICE, k] / (now[MOOD, k] * max(units[k], 1e-300))
                now[PRICE, k] -= lost
                now[GEARING, k] = 0.0
                by[BY_DEFAULT, k] -= lost
                by[BY_ORE_AND_TIME, k] += lost
                events[k] += 1
        if step > 0:
            same_period = 0.0 if ends[step] else 1.0
            for k in range(n_paths):
                gearing, stopped = was[GEARING, k], 1.0 if halted[step, k] > 0 else 0.0
                copper = gearing * was[TONNES, k] * (copper_usd[step, k] - copper_usd[step - 1, k])
                waited = discount[deferred[step, k]] / discount[max(deferred[step - 1, k] - 1, 0)]
                late = gearing * was[COMING, k] * (waited - 1.0)
                burnt = gearing * same_period * (accrued[step, k] - accrued[step - 1, k])
                out = stopped * (late + burnt)
                late *= 1.0 - stopped
                swing = now[PRICE, k] * (1.0 - was[MOOD, k] / now[MOOD, k])
                by[BY_COPPER, k] += copper
                by[BY_OUTAGE, k] += out
                by[BY_DELAY, k] += late
                by[BY_MOOD, k] += swing
                change = now[PRICE, k] - was[PRICE, k]
                by[BY_ORE_AND_TIME, k] += change - copper - out - late - swing
                began = halted[step, k] > 0 and halted[step - 1, k] == 0
                events[k] += 1 if began else 0
        for k in range(n_paths):
            mark[step, k] = now[PRICE, k] + paid[k]
            leave[step, k] = now[PRICE, k] * (1.0 - spread) + paid[k]
        for k in range(n_paths):
            received[step, k] = paid[k]
        if gains.shape[1] > 0:
            gains[:, step] = by
    for k in range(n_paths):
        by[BY_SPREAD, k] -= now[PRICE, k] * spread


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
    _run(
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
    income = np.diff(mark - value, axis=0, prepend=0.0)
    so_far[:, :1] = 0.0
    return Daily(so_far, income, Access(equity.sale_spread_bps / BPS, open_days), value)
