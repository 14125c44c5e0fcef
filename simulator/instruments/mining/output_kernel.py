"""One day of a mine, over steps and paths: build-up, ore, cash flow, the end of a period.

State stands in rows of LANES numbers, and every day's loops are kernels apart, as in `kernel`.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

import numpy as np

from simulator.instruments.mining.outages import LONGEST_DAYS
from simulator.jit import inlined, kernel
from simulator.mechanics.mine import Mine, cost, revenue, settle
from simulator.units import LANES, BoolArray, DayArray, FloatArray, KindArray, StepArray


class Row(IntEnum):
    """Rows of LANES numbers that a mine is kept in, one number for each path.

    OPERATING, DEPRECIATION : USD of the running period so far
    LOSSES, DEFICIT : USD carried from earlier periods, for tax and in cash, never negative
    OUTPUT : of the day over full output, outages apart, 0 to 1
    MISSED : days of full output still to be missed for construction and ramp-up
    BEGINS : step of the first ore
    LATE_BUILD, LATE_RAMP : by how much of the plan construction and ramp-up run over
    GRADE : of the day's ore over that of the first year
    DEFERRED : days of full output still to be missed, outages included
    """

    OPERATING = 0
    DEPRECIATION = 1
    LOSSES = 2
    DEFICIT = 3
    OUTPUT = 4
    MISSED = 5
    BEGINS = 6
    LATE_BUILD = 7
    LATE_RAMP = 8
    GRADE = 9
    DEFERRED = 10


OPERATING, DEPRECIATION, LOSSES, DEFICIT, OUTPUT, MISSED = (LANES * row for row in list(Row)[:6])
BEGINS, LATE_BUILD, LATE_RAMP, GRADE, DEFERRED = (LANES * row for row in list(Row)[6:])
N_ROWS = len(Row)


class Numbers(NamedTuple):
    """A mine's terms as numbers.

    mine : Mine
    lost_mudslide, lost_strike, lost_power : share of output that such an outage takes, 0 to 1
    construction_days, ramp_days : planned days, 0 where there is no such stage
    ramp_start : share of full output on the first day of the ramp-up, 0 to 1
    """

    mine: Mine
    lost_mudslide: float
    lost_strike: float
    lost_power: float
    construction_days: float
    ramp_days: float
    ramp_start: float


class Drivers(NamedTuple):
    """What happens to a mine.

    grades : (n_days_of_ore,), grade over that of the first year, by day of work
    quality : (n_periods + 1, n_paths), output of a period over its plan; the last is never over
    copper_usd : (n_steps + 1, n_paths), USD per tonne; n_paths is a multiple of LANES
    halted : (n_steps + 1, n_paths), int8, kind of the outage, 0 where there is none
    left : (n_steps + 1, n_paths), int16, days that it still lasts
    begins : (n_paths,), int64, step of the first ore
    late : (2, n_paths), share of the plan by which construction and ramp-up run over
    ends : (n_steps + 1,), bool, whether a period ends on the step
    """

    grades: FloatArray
    quality: FloatArray
    copper_usd: FloatArray
    halted: KindArray
    left: DayArray
    begins: StepArray
    late: FloatArray
    ends: BoolArray


class Results(NamedTuple):
    """What is written.

    accrued : (n_steps + 1, n_paths), USD, see `output.MinePaths`
    deferred : (n_steps + 1, n_paths), int16, days of full output still to be missed
    profit : (n_periods, n_paths), distributable profit of each period, USD
    """

    accrued: FloatArray
    deferred: DayArray
    profit: FloatArray


@kernel
def build_up(
    rows: FloatArray, step: int, construction: float, ramp: float, ramp_start: float
) -> None:
    """Write output and the days of full output still to be missed, outages apart.

    What construction and ramp-up run over becomes known evenly along their plan. `rows` is of
    shape (n_rows * LANES,).
    """
    built = min(1.0, step / construction) if construction > 0.0 else 1.0
    for k in range(LANES):
        worked, late = step - rows[BEGINS + k], rows[LATE_RAMP + k]
        wait = construction * (1.0 + rows[LATE_BUILD + k] * built) - step
        # the first ore is a day off at least; an even ramp then misses half of what it lacks
        wait = (wait if wait > 1.0 else 1.0) + 0.5 * (1.0 - ramp_start) * ramp
        output = ramp_start + (1.0 - ramp_start) * worked / (ramp * (1.0 + late))
        known = worked / ramp
        to_go = ramp * (1.0 + late * (known if known < 1.0 else 1.0)) - worked
        to_go = 0.5 * (1.0 - output) * (to_go if to_go > 0.0 else 0.0)
        ramps = 0.0 <= worked < ramp * (1.0 + late)
        rows[OUTPUT + k] = output if ramps else 1.0
        missed = to_go if ramps else 0.0
        rows[MISSED + k] = missed if worked >= 0.0 else wait


@kernel
def look_up(rows: FloatArray, grades: FloatArray, begins: StepArray, step: int) -> None:
    """Write the grade; alone, for reading tables does not become vector instructions.

    `rows` is of shape (n_rows * LANES,), `grades` of (n_days_of_ore,), `begins` is of
    shape (LANES,).
    """
    last = grades.shape[0] - 1
    for k in range(LANES):
        worked = step - begins[k]
        rows[GRADE + k] = grades[min(max(worked - 1, 0), last)]


@kernel
def work(
    rows: FloatArray,
    numbers: Numbers,
    kinds: KindArray,
    days: DayArray,
    usd: FloatArray,
    quality: FloatArray,
    step: int,
    longest: float,
) -> None:
    """Add a day's cash flow to that of the period; the ore lasts for `longest` days.

    `rows` is of shape (n_rows * LANES,), `kinds`, `days`, `usd` and `quality` are of shape
    (LANES,).
    """
    mine = numbers.mine
    for k in range(LANES):
        worked, kind = step - rows[BEGINS + k], kinds[k]
        works = (1.0 if worked > 0.0 else 0.0) * (1.0 if worked <= longest else 0.0)
        gone = numbers.lost_mudslide if kind == 1 else 0.0
        gone = numbers.lost_strike if kind == 2 else gone
        gone = numbers.lost_power if kind == 3 else gone
        # an outage defers only the output that there was; half a day rounds to the nearest
        wait = rows[MISSED + k] + days[k] * gone * rows[OUTPUT + k] + 0.5
        rows[DEFERRED + k] = wait if wait < LONGEST_DAYS else LONGEST_DAYS
        running = rows[OUTPUT + k] * (1.0 - gone)
        earned = revenue(mine, running, rows[GRADE + k] * quality[k], usd[k])
        rows[OPERATING + k] += works * (earned - cost(mine, running, earned))
        rows[DEPRECIATION + k] += works * mine.depreciation_usd_a_day


@kernel
def accrue(rows: FloatArray, tax: float, accrued: FloatArray) -> None:
    """Write what the period would distribute if it ended now, less the deficit carried.

    `rows` is of shape (n_rows * LANES,), `accrued` of (LANES,).
    """
    for k in range(LANES):
        free, _, short = settle(
            rows[OPERATING + k], rows[DEPRECIATION + k], tax, rows[LOSSES + k], rows[DEFICIT + k]
        )
        accrued[k] = free - short


@inlined
def end_period(rows: FloatArray, tax: float, accrued: FloatArray, profit: FloatArray) -> None:
    """Write the period's profit and carry on losses and deficit; the next one begins at zero.

    `rows` is of shape (n_rows * LANES,), `accrued` and `profit` of (LANES,).
    """
    for k in range(LANES):
        profit[k], rows[LOSSES + k], rows[DEFICIT + k] = settle(
            rows[OPERATING + k], rows[DEPRECIATION + k], tax, rows[LOSSES + k], rows[DEFICIT + k]
        )
        rows[OPERATING + k], rows[DEPRECIATION + k] = 0.0, 0.0
        accrued[k] = -rows[DEFICIT + k]


@kernel
def defer(rows: FloatArray, deferred: DayArray) -> None:
    """Write the days of full output still to be missed, whole ones.

    `rows` is of shape (n_rows * LANES,), `deferred` of (LANES,).
    """
    for k in range(LANES):
        deferred[k] = np.int16(rows[DEFERRED + k])


@kernel
def run(numbers: Numbers, drivers: Drivers, results: Results) -> None:
    """Run all paths of a block over all steps; fields as their classes describe them."""
    grades, quality, copper_usd = drivers.grades, drivers.quality, drivers.copper_usd
    halted, left, begins = drivers.halted, drivers.left, drivers.begins
    late, ends = drivers.late, drivers.ends
    accrued, deferred, profit = results.accrued, results.deferred, results.profit
    construction, ramp = numbers.construction_days, numbers.ramp_days
    ramp_start = numbers.ramp_start
    tax = numbers.mine.tax
    grown, longest = construction > 0.0 or ramp > 0.0, float(grades.shape[0])
    for first in range(0, copper_usd.shape[1], LANES):
        lanes = slice(first, first + LANES)
        rows, starts, period = np.zeros(N_ROWS * LANES), begins[lanes], 0
        # a mine that neither is built nor ramps up stays at full output
        rows[OUTPUT : OUTPUT + LANES] = 1.0
        for k in range(LANES):
            rows[BEGINS + k] = float(starts[k])
            rows[LATE_BUILD + k], rows[LATE_RAMP + k] = late[0, first + k], late[1, first + k]
        for step in range(copper_usd.shape[0]):
            if grown:
                build_up(rows, step, construction, ramp, ramp_start)
            look_up(rows, grades, starts, step)
            work(
                rows,
                numbers,
                halted[step, lanes],
                left[step, lanes],
                copper_usd[step, lanes],
                quality[period, lanes],
                step,
                longest,
            )
            defer(rows, deferred[step, lanes])
            if ends[step]:
                end_period(rows, tax, accrued[step, lanes], profit[period, lanes])
                period += 1
            else:
                accrue(rows, tax, accrued[step, lanes])
