"""The mine along the paths: output, profit of each period, and how long full output is off."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.instruments.draws import normal_paths
from simulator.instruments.mining_sto.outages import (
    KINDS,
    LONGEST_DAYS,
    DayArray,
    KindArray,
    StepArray,
    outage_paths,
)
from simulator.jit import inlined, kernel
from simulator.market.streams import Stream, labelled
from simulator.mechanics.mine import MINE, cost, revenue, settle
from simulator.scenario.mining_sto import MineTerms, MiningStoTerms, StageTerms
from simulator.units import DAYS_PER_YEAR, LANES, FloatArray

Record = Any
FlagArray = npt.NDArray[np.bool_]

(
    _OPERATING,
    _DEPRECIATION,
    _LOSSES,
    _DEFICIT,
    _OUTPUT,
    _MISSED,
    _BEGINS,
    _LATE_BUILD,
    _LATE_RAMP,
    _GRADE,
    _DEFERRED,
    _N_ROWS,
) = range(0, 12 * LANES, LANES)
"""Where the rows of LANES numbers begin that a mine is kept in, see `kernel`: the period's cash
flow so far, what earlier ones carried, and what the day brings."""


@dataclass(frozen=True)
class MinePaths:
    """A mine on a block of paths; arrays of shape (n_steps + 1, n_paths) but where said.

    Attributes
    ----------
    copper_usd : ndarray
        USD per tonne.
    accrued : ndarray
        Distributable profit of the running period so far, less the deficit carried, USD.
    profit : ndarray of shape (n_periods, n_paths)
        Distributable profit of each period, USD. The first ends with the close of the raise.
    halted : ndarray of int8
        Kind of the outage, 0 where there is none.
    deferred : ndarray of int16
        Days of full output that are still to be missed: construction, ramp-up, outage.
    begins : ndarray of shape (n_paths,), int64
        Step of the first ore.
    settles : tuple of int
        Steps on which the periods end.
    """

    copper_usd: FloatArray
    accrued: FloatArray
    profit: FloatArray
    halted: KindArray
    deferred: DayArray
    begins: StepArray
    settles: tuple[int, ...]

    @property
    def ends(self) -> FlagArray:
        """Whether a period ends on a step, shape (n_steps + 1,)."""
        flags = np.zeros(self.copper_usd.shape[0], np.bool_)
        flags[list(self.settles)] = True
        return flags

    def lane(self, k: int) -> MinePaths:
        """Return path `k` of the block alone."""
        one = slice(k, k + 1)
        return MinePaths(
            self.copper_usd[:, one],
            self.accrued[:, one],
            self.profit[:, one],
            self.halted[:, one],
            self.deferred[:, one],
            self.begins[one],
            self.settles,
        )


@functools.cache
def settlement_steps(close: int, payments_a_year: int, n_steps: int) -> tuple[int, ...]:
    """Return the steps on which a period ends: the close, then each payment of each year."""
    most = (n_steps + 1) * payments_a_year
    steps = (close + j * DAYS_PER_YEAR // payments_a_year for j in range(most))
    return tuple(step for step in steps if step <= n_steps)


def mine_record(terms: MineTerms) -> npt.NDArray[np.void]:
    """Return the terms as an array with one record of `MINE`."""
    record = np.zeros(1, MINE)
    record["payable_tonnes_a_day"] = terms.payable_tonnes_a_day
    record["charges_usd_per_tonne"] = terms.charges_usd_per_tonne
    record["site_usd_a_day"] = terms.site_usd_a_day
    record["fixed_cost_share"] = terms.fixed_cost_share
    record["sustaining_usd_a_day"] = terms.sustaining_capex_usd_a_year / DAYS_PER_YEAR
    record["depreciation_usd_a_day"] = terms.depreciation_usd_a_year / DAYS_PER_YEAR
    record["royalty"] = terms.royalty
    record["tax"] = terms.tax
    return record


def grade_by_day(terms: MineTerms) -> FloatArray:
    """Return the grade over that of the first year, by day of work, until the ore is gone."""
    years = np.arange(max(1, round(terms.life_years * DAYS_PER_YEAR))) // DAYS_PER_YEAR
    grades: FloatArray = (1.0 - terms.grade_decline) ** years
    return grades


def simulate_mine(
    terms: MiningStoTerms, label: str, copper_usd: FloatArray, seed: int, first_path: int
) -> MinePaths:
    """Return the mine called `label` on a block of paths, beginning with path `first_path`.

    Parameters
    ----------
    copper_usd : ndarray of shape (n_steps + 1, n_paths), USD per tonne
        n_paths is a multiple of LANES.
    """
    n_steps, n_paths = copper_usd.shape[0] - 1, copper_usd.shape[1]
    settles = settlement_steps(terms.sale.days, terms.payout.payments_a_year, n_steps)
    late = _overruns(terms.stage, label, seed, first_path, n_paths)
    begins = np.rint(terms.stage.construction_days * (1.0 + late[0])).astype(np.int64)
    halted, left = outage_paths(
        terms.outages, begins, seed, labelled(Stream.MINE_EVENTS, label), first_path, n_steps
    )
    shocks = normal_paths(
        seed, labelled(Stream.MINE_OUTPUT, label), first_path, len(settles), n_paths
    )
    deviation = terms.mine.output_deviation
    quality = np.exp(deviation * shocks - 0.5 * deviation**2)
    ends = np.zeros(n_steps + 1, np.bool_)
    ends[list(settles)] = True
    accrued = np.empty((n_steps + 1, n_paths))
    deferred = np.empty((n_steps + 1, n_paths), np.int16)
    profit = np.zeros((len(settles), n_paths))
    mudslide, strike, power = (getattr(terms.outages, kind).output_lost for kind in KINDS)
    _run(
        mine_record(terms.mine)[0],
        grade_by_day(terms.mine),
        quality,
        copper_usd,
        halted,
        left,
        (mudslide, strike, power),
        begins,
        late,
        float(terms.stage.construction_days),
        float(terms.stage.ramp_days),
        terms.stage.ramp_start,
        ends,
        accrued,
        deferred,
        profit,
    )
    return MinePaths(copper_usd, accrued, profit, halted, deferred, begins, settles)


def _overruns(
    terms: StageTerms, label: str, seed: int, first_path: int, n_paths: int
) -> FloatArray:
    """Return by how much of their plan construction and ramp-up run over, shape (2, n_paths)."""
    shocks = normal_paths(seed, labelled(Stream.MINE_OVERRUN, label), first_path, 1, n_paths)
    late: FloatArray = terms.overrun * np.exp(terms.overrun_deviation * shocks)
    return late


@kernel
def _build_up(
    rows: FloatArray, step: int, construction: float, ramp: float, ramp_start: float
) -> None:
    """Write output and the days of full output still to be missed, outages apart.

    What construction and ramp-up run over becomes known evenly along their plan.
    """
    built = min(1.0, step / construction) if construction > 0.0 else 1.0
    for k in range(LANES):
        worked, late = step - rows[_BEGINS + k], rows[_LATE_RAMP + k]
        wait = construction * (1.0 + rows[_LATE_BUILD + k] * built) - step
        wait = (wait if wait > 1.0 else 1.0) + 0.5 * (1.0 - ramp_start) * ramp
        output = ramp_start + (1.0 - ramp_start) * worked / (ramp * (1.0 + late))
        known = worked / ramp
        to_go = ramp * (1.0 + late * (known if known < 1.0 else 1.0)) - worked
        to_go = 0.5 * (1.0 - output) * (to_go if to_go > 0.0 else 0.0)
        ramps = 0.0 <= worked < ramp * (1.0 + late)
        rows[_OUTPUT + k] = output if ramps else 1.0
        missed = to_go if ramps else 0.0
        rows[_MISSED + k] = missed if worked >= 0.0 else wait


@kernel
def _look_up(rows: FloatArray, grades: FloatArray, begins: StepArray, step: int) -> None:
    """Write the grade; alone, for reading tables does not become vector instructions."""
    last = grades.shape[0] - 1
    for k in range(LANES):
        worked = step - begins[k]
        rows[_GRADE + k] = grades[min(max(worked - 1, 0), last)]


@kernel
def _work(
    rows: FloatArray,
    mine: Record,
    lost: tuple[float, float, float],
    kinds: KindArray,
    days: DayArray,
    usd: FloatArray,
    quality: FloatArray,
    step: int,
    longest: float,
) -> None:
    """Add a day's cash flow to that of the period; the ore lasts for `longest` days."""
    for k in range(LANES):
        worked, kind = step - rows[_BEGINS + k], kinds[k]
        works = (1.0 if worked > 0.0 else 0.0) * (1.0 if worked <= longest else 0.0)
        gone = lost[0] if kind == 1 else 0.0
        gone = lost[1] if kind == 2 else gone
        gone = lost[2] if kind == 3 else gone
        wait = rows[_MISSED + k] + days[k] * gone * rows[_OUTPUT + k] + 0.5
        rows[_DEFERRED + k] = wait if wait < LONGEST_DAYS else LONGEST_DAYS
        running = rows[_OUTPUT + k] * (1.0 - gone)
        earned = revenue(mine, running, rows[_GRADE + k] * quality[k], usd[k])
        rows[_OPERATING + k] += works * (earned - cost(mine, running, earned))
        rows[_DEPRECIATION + k] += works * mine.depreciation_usd_a_day


@kernel
def _accrue(rows: FloatArray, tax: float, accrued: FloatArray) -> None:
    """Write what the period would distribute if it ended now, less the deficit carried."""
    for k in range(LANES):
        free, _, short = settle(
            rows[_OPERATING + k],
            rows[_DEPRECIATION + k],
            tax,
            rows[_LOSSES + k],
            rows[_DEFICIT + k],
        )
        accrued[k] = free - short


@inlined
def _settle(rows: FloatArray, tax: float, accrued: FloatArray, profit: FloatArray) -> None:
    for k in range(LANES):
        profit[k], rows[_LOSSES + k], rows[_DEFICIT + k] = settle(
            rows[_OPERATING + k],
            rows[_DEPRECIATION + k],
            tax,
            rows[_LOSSES + k],
            rows[_DEFICIT + k],
        )
        rows[_OPERATING + k], rows[_DEPRECIATION + k] = 0.0, 0.0
        accrued[k] = -rows[_DEFICIT + k]


@kernel
def _defer(rows: FloatArray, deferred: DayArray) -> None:
    for k in range(LANES):
        deferred[k] = np.int16(rows[_DEFERRED + k])


@kernel
def _run(
    mine: Record,
    grades: FloatArray,
    quality: FloatArray,
    copper_usd: FloatArray,
    halted: KindArray,
    left: DayArray,
    lost: tuple[float, float, float],
    begins: StepArray,
    late: FloatArray,
    construction: float,
    ramp: float,
    ramp_start: float,
    ends: FlagArray,
    accrued: FloatArray,
    deferred: DayArray,
    profit: FloatArray,
) -> None:
    """Write accrued, deferred and profit, for n_paths that are a multiple of LANES."""
    grown, longest = construction > 0.0 or ramp > 0.0, float(grades.shape[0])
    for first in range(0, copper_usd.shape[1], LANES):
        lanes = slice(first, first + LANES)
        rows, starts, period = np.zeros(_N_ROWS), begins[lanes], 0
        rows[_OUTPUT : _OUTPUT + LANES] = 1.0
        for k in range(LANES):
            rows[_BEGINS + k] = float(starts[k])
            rows[_LATE_BUILD + k], rows[_LATE_RAMP + k] = late[0, first + k], late[1, first + k]
        for step in range(copper_usd.shape[0]):
            if grown:
                _build_up(rows, step, construction, ramp, ramp_start)
            _look_up(rows, grades, starts, step)
            _work(
                rows,
                mine,
                lost,
                halted[step, lanes],
                left[step, lanes],
                copper_usd[step, lanes],
                quality[period, lanes],
                step,
                longest,
            )
            _defer(rows, deferred[step, lanes])
            if ends[step]:
                _settle(rows, mine.tax, accrued[step, lanes], profit[period, lanes])
                period += 1
            else:
                _accrue(rows, mine.tax, accrued[step, lanes])
