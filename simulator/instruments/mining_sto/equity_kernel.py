"""One day of the mine's share, over steps and paths: dividend, worth, failure, split of the change.

State stands in rows of LANES numbers, and every day's loops are kernels apart, as in `kernel`.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
import numpy.typing as npt

from simulator.instruments.base import Source
from simulator.instruments.mining_sto.kernel import copy, next_default
from simulator.instruments.mining_sto.outages import DayArray, KindArray
from simulator.instruments.mining_sto.worth import planned_profit, tonnes_per_price
from simulator.jit import inlined, kernel
from simulator.market.elementary import exponential
from simulator.units import LANES, FloatArray

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


class Row(IntEnum):
    """Rows of LANES numbers, one for each path, in one flat array as in `kernel`.

    Shares held, their net debt, dividends received, and what a default left of the price per
    share (negative: none yet). How the market sees the share today: tonnes (see `worth`), the
    mine's profit to come, the discount for days to be missed and for one day fewer, dollars of
    price per dollar of the mine's worth, mood as a factor, the price. Then how it saw it a day
    ago, copper's price and profit accrued then, whether the mine stood still; outages begun.
    """

    UNITS = 0
    DEBT = 1
    PAID = 2
    LEFT = 3
    TONNES = 4
    COMING = 5
    DISCOUNT = 6
    NEXT = 7
    GEARING = 8
    MOOD = 9
    PRICE = 10
    WAS_TONNES = 11
    WAS_COMING = 12
    WAS_NEXT = 13
    WAS_GEARING = 14
    WAS_MOOD = 15
    WAS_PRICE = 16
    WAS_USD = 17
    WAS_ACCRUED = 18
    WAS_HALTED = 19
    HAPPENED = 20


UNITS, DEBT, PAID, LEFT, TONNES, COMING, DISCOUNT, NEXT, GEARING, MOOD, PRICE = (
    LANES * row for row in list(Row)[:11]
)
WAS_TONNES, WAS_COMING, WAS_NEXT, WAS_GEARING, WAS_MOOD, WAS_PRICE = (
    LANES * row for row in list(Row)[11:17]
)
WAS_USD, WAS_ACCRUED, WAS_HALTED, HAPPENED = (LANES * row for row in list(Row)[17:])
BY = LANES * len(Row)
N_SOURCES = len(From)
BY_DIVIDENDS, BY_COPPER, BY_ORE_AND_TIME, BY_MOOD, BY_OUTAGE, BY_DELAY, BY_DEFAULT, BY_SPREAD = (
    BY + LANES * row for row in From
)


@inlined
def _pay(rows: FloatArray, profit: FloatArray, ratio: float) -> None:
    """Pay a period's dividend where the company lives; what is kept is less debt."""
    for k in range(LANES):
        if rows[LEFT + k] < 0.0:
            dividend = rows[UNITS + k] * ratio * profit[k]
            rows[DEBT + k] -= (1.0 - ratio) * profit[k]
            rows[PAID + k] += dividend
            rows[BY_DIVIDENDS + k] += dividend


@kernel
def _look_up(
    base: FloatArray,
    slope: FloatArray,
    discount: FloatArray,
    reverting: FloatArray,
    begins: StepArray,
    deferred: DayArray,
    step: int,
    rows: FloatArray,
) -> None:
    """Read the tables of `worth`; alone, for such loops do not become vector instructions."""
    for k in range(LANES):
        worked, missed = max(0, step - begins[k]), deferred[k]
        rows[TONNES + k] = tonnes_per_price(slope, reverting, worked, missed)
        rows[COMING + k] = planned_profit(base, discount, worked, missed)
        rows[DISCOUNT + k] = discount[missed]
        rows[NEXT + k] = discount[max(missed - 1, 0)]


@kernel
def _see(rows: FloatArray, usd: FloatArray, noise: FloatArray, long_run: float) -> None:
    for k in range(LANES):
        rows[COMING + k] += rows[TONNES + k] * (usd[k] - long_run)
        rows[MOOD + k] = exponential(noise[k])


@inlined
def _buy(
    rows: FloatArray, accrued: FloatArray, usd: float, capital_usd: float, debt_share: float
) -> None:
    for k in range(LANES):
        net = max(0.0, rows[COMING + k] + accrued[k] - capital_usd)
        rows[DEBT + k] = capital_usd + debt_share * net
        # a mine worth nothing has no share to buy: the money stays where it is
        rows[UNITS + k] = usd / ((1.0 - debt_share) * net) if net > 0.0 else 0.0
        rows[PAID + k] = 0.0 if net > 0.0 else usd
        rows[LEFT + k] = -1.0


@kernel
def _price(rows: FloatArray, accrued: FloatArray) -> None:
    for k in range(LANES):
        mine = rows[COMING + k] + accrued[k]
        equity = (mine if mine > 0.0 else 0.0) - rows[DEBT + k]
        equity = equity if equity > 0.0 else 0.0
        alive = rows[LEFT + k] < 0.0
        gearing = rows[MOOD + k] * rows[UNITS + k]
        moves = gearing if alive else 0.0
        rows[GEARING + k] = moves if equity > 0.0 else 0.0
        rows[PRICE + k] = gearing * (equity if alive else rows[LEFT + k])


@inlined
def _fail(rows: FloatArray, default_step: StepArray, step: int, recovery: float) -> None:
    for k in range(LANES):
        if default_step[k] == step:
            lost = (1.0 - recovery) * rows[PRICE + k]
            left = recovery * rows[PRICE + k]
            rows[LEFT + k] = left / (rows[MOOD + k] * max(rows[UNITS + k], 1e-300))
            rows[PRICE + k] -= lost
            rows[GEARING + k] = 0.0
            rows[BY_DEFAULT + k] -= lost
            rows[BY_ORE_AND_TIME + k] += lost
            rows[HAPPENED + k] += 1.0


@kernel
def _split(
    rows: FloatArray,
    usd: FloatArray,
    accrued: FloatArray,
    halted: KindArray,
    same_period: float,
) -> None:
    """Split the price's change by source; what is left is ore, output and time."""
    for k in range(LANES):
        gearing, stopped = rows[WAS_GEARING + k], 1.0 if halted[k] > 0 else 0.0
        copper = gearing * rows[WAS_TONNES + k] * (usd[k] - rows[WAS_USD + k])
        # a new wait, over that which a day ago was thought to be left today
        waited = rows[DISCOUNT + k] / rows[WAS_NEXT + k]
        late = gearing * rows[WAS_COMING + k] * (waited - 1.0)
        burnt = gearing * same_period * (accrued[k] - rows[WAS_ACCRUED + k])
        out = stopped * (late + burnt)
        late *= 1.0 - stopped
        swing = rows[PRICE + k] * (1.0 - rows[WAS_MOOD + k] / rows[MOOD + k])
        change = rows[PRICE + k] - rows[WAS_PRICE + k]
        rows[BY_COPPER + k] += copper
        rows[BY_OUTAGE + k] += out
        rows[BY_DELAY + k] += late
        rows[BY_MOOD + k] += swing
        rows[BY_ORE_AND_TIME + k] += change - copper - out - late - swing
        rows[HAPPENED + k] += stopped * (1.0 - rows[WAS_HALTED + k])


@kernel
def _remember(rows: FloatArray, usd: FloatArray, accrued: FloatArray, halted: KindArray) -> None:
    for k in range(LANES):
        rows[WAS_TONNES + k], rows[WAS_COMING + k] = rows[TONNES + k], rows[COMING + k]
        rows[WAS_NEXT + k], rows[WAS_GEARING + k] = rows[NEXT + k], rows[GEARING + k]
        rows[WAS_MOOD + k], rows[WAS_PRICE + k] = rows[MOOD + k], rows[PRICE + k]
        rows[WAS_USD + k], rows[WAS_ACCRUED + k] = usd[k], accrued[k]
        rows[WAS_HALTED + k] = 1.0 if halted[k] > 0 else 0.0


@kernel
def _write(
    rows: FloatArray, kept: float, mark: FloatArray, leave: FloatArray, received: FloatArray
) -> None:
    for k in range(LANES):
        mark[k] = rows[PRICE + k] + rows[PAID + k]
        leave[k] = rows[PRICE + k] * kept + rows[PAID + k]
        received[k] = rows[PAID + k]


@kernel
def run(
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
    """Run all paths of a block, n_paths a multiple of LANES; outputs as in `simulate_equity`."""
    for first in range(0, copper_usd.shape[1], LANES):
        lanes = slice(first, first + LANES)
        rows, period, starts = np.zeros(BY + N_SOURCES * LANES), 0, begins[lanes]
        defaults = default_step[lanes]
        failing = next_default(defaults, -1)
        rows[LEFT : LEFT + LANES] = -1.0
        for step in range(copper_usd.shape[0]):
            price, due, stops = copper_usd[step, lanes], accrued[step, lanes], halted[step, lanes]
            if ends[step]:
                _pay(rows, profit[period, lanes], dividend_ratio)
                period += 1
            wait = deferred[step, lanes]
            _look_up(base, slope, discount, reverting, starts, wait, step, rows)
            _see(rows, price, noise[step, lanes], long_run)
            if step == 0:
                _buy(rows, due, usd, capital_usd, debt_share)
            _price(rows, due)
            if step == failing:
                _fail(rows, defaults, step, recovery)
                failing = next_default(defaults, step)
            if step > 0:
                _split(rows, price, due, stops, 0.0 if ends[step] else 1.0)
            _remember(rows, price, due, stops)
            day = mark[step, lanes], leave[step, lanes], received[step, lanes]
            _write(rows, 1.0 - spread, *day)
            if gains.shape[1] > 0:
                for row in range(N_SOURCES):
                    copy(gains[row, step, lanes], rows, BY + row * LANES, 1.0)
        for k in range(LANES):
            rows[BY_SPREAD + k] -= rows[PRICE + k] * spread
            events[first + k] += int(rows[HAPPENED + k])
        for row in range(N_SOURCES):
            attribution[row, lanes] += rows[BY + row * LANES : BY + (row + 1) * LANES]
