"""The mine along the paths: output, profit of each period, and how long full output is off."""

from __future__ import annotations

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
from simulator.market.streams import Stream, labelled
from simulator.mechanics.jit import inlined, kernel
from simulator.mechanics.mine import MINE, cost, revenue, settle
from simulator.scenario.mining_sto import MineTerms, MiningStoTerms, StageTerms
from simulator.units import DAYS_PER_YEAR, FloatArray

Record = Any
FlagArray = npt.NDArray[np.bool_]


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
    lost = np.array([0.0, *(getattr(terms.outages, kind).output_lost for kind in KINDS)])
    _run(
        mine_record(terms.mine)[0],
        grade_by_day(terms.mine),
        quality,
        copper_usd,
        halted,
        left,
        lost,
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


@inlined
def _build_up(
    step: int,
    worked: int,
    late_build: float,
    late_ramp: float,
    construction: float,
    ramp: float,
    ramp_start: float,
) -> tuple[float, float]:
    """Return output and the days of full output still to be missed, outages apart.

    What construction and ramp-up run over becomes known evenly along their plan.
    """
    if worked < 0:
        known = min(1.0, step / construction)
        wait = max(1.0, construction * (1.0 + late_build * known) - step)
        return 1.0, wait + 0.5 * (1.0 - ramp_start) * ramp
    if worked < ramp * (1.0 + late_ramp):
        output = ramp_start + (1.0 - ramp_start) * worked / (ramp * (1.0 + late_ramp))
        known = min(1.0, worked / ramp)
        to_go = max(0.0, ramp * (1.0 + late_ramp * known) - worked)
        return output, 0.5 * (1.0 - output) * to_go
    return 1.0, 0.0


@kernel
def _run(
    mine: Record,
    grades: FloatArray,
    quality: FloatArray,
    copper_usd: FloatArray,
    halted: KindArray,
    left: DayArray,
    lost: FloatArray,
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
    """Write accrued, deferred and profit; inner loops run over the paths, mostly branch-free."""
    n_rows, n_paths = copper_usd.shape
    operating, depreciation = np.zeros(n_paths), np.zeros(n_paths)
    losses, deficit = np.zeros(n_paths), np.zeros(n_paths)
    output, missed = np.ones(n_paths), np.zeros(n_paths)
    period, grown = 0, construction > 0.0 or ramp > 0.0
    tax, shield, last = mine.tax, mine.depreciation_usd_a_day, grades.shape[0] - 1
    for step in range(n_rows):
        if grown:
            for k in range(n_paths):
                output[k], missed[k] = _build_up(
                    step, step - begins[k], late[0, k], late[1, k], construction, ramp, ramp_start
                )
        kinds, days, usd = halted[step], left[step], copper_usd[step]
        accrue, defer, good = accrued[step], deferred[step], quality[period]
        for k in range(n_paths):
            worked = step - begins[k]
            works = 1.0 if 0 < worked <= last + 1 else 0.0
            gone = lost[kinds[k]]
            defer[k] = np.int16(min(missed[k] + days[k] * gone * output[k] + 0.5, LONGEST_DAYS))
            running = output[k] * (1.0 - gone)
            grade = grades[min(max(worked - 1, 0), last)] * good[k]
            earned = revenue(mine, running, grade, usd[k])
            operating[k] += works * (earned - cost(mine, running, earned))
            depreciation[k] += works * shield
            free, _, short = settle(operating[k], depreciation[k], tax, losses[k], deficit[k])
            accrue[k] = free - short
        if ends[step]:
            for k in range(n_paths):
                profit[period, k], losses[k], deficit[k] = settle(
                    operating[k], depreciation[k], tax, losses[k], deficit[k]
                )
                operating[k], depreciation[k] = 0.0, 0.0
                accrue[k] = -deficit[k]
            period += 1
