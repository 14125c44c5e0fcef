"""The mine along the paths: output, profit of each period, and how long full output is off."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from simulator.instruments.mining import output_kernel
from simulator.instruments.mining.outages import KINDS, lay_over, outage_paths
from simulator.instruments.mining.output_kernel import Drivers, Numbers, Results
from simulator.instruments.mining.streams import Stream, stream
from simulator.instruments.mining.terms import MineTerms, MiningStoTerms, StageTerms
from simulator.instruments.model import Blow
from simulator.market.normals import normal_paths
from simulator.mechanics.mine import Mine
from simulator.units import DAYS_PER_YEAR, BoolArray, DayArray, FloatArray, KindArray, StepArray


@dataclass(frozen=True)
class MinePaths:
    """A mine on a block of paths.

    Attributes
    ----------
    copper_usd : ndarray of shape (n_steps + 1, n_paths), USD per tonne
    accrued : ndarray of shape (n_steps + 1, n_paths), USD
        Distributable profit of the running period so far, less the deficit carried.
    profit : ndarray of shape (n_periods, n_paths), USD
        Distributable profit of each period. The first ends with the close of the raise.
    halted : ndarray of shape (n_steps + 1, n_paths), int8
        Kind of the outage, 0 where there is none.
    deferred : ndarray of shape (n_steps + 1, n_paths), int16
        Days of full output that are still to be missed: construction, ramp-up, outage.
    begins : ndarray of shape (n_paths,), int64
        Step of the first ore.
    settles : tuple of int
        Steps on which the periods end.
    growth : ndarray of shape (n_steps + 1,)
        ln E[P_t / P_0] of copper as the market expects it.
    """

    copper_usd: FloatArray
    accrued: FloatArray
    profit: FloatArray
    halted: KindArray
    deferred: DayArray
    begins: StepArray
    settles: tuple[int, ...]
    growth: FloatArray

    @property
    def ends(self) -> BoolArray:
        """Whether a period ends on a step, shape (n_steps + 1,)."""
        return _flags(self.settles, self.copper_usd.shape[0])

    def lane(self, k: int) -> MinePaths:
        """Return path `k` of the block alone, each array with one path."""
        one = slice(k, k + 1)
        return MinePaths(
            self.copper_usd[:, one],
            self.accrued[:, one],
            self.profit[:, one],
            self.halted[:, one],
            self.deferred[:, one],
            self.begins[one],
            self.settles,
            self.growth,
        )


def _flags(steps: tuple[int, ...], n_rows: int) -> BoolArray:
    flags = np.zeros(n_rows, np.bool_)
    flags[list(steps)] = True
    return flags


@functools.cache
def settlement_steps(close: int, payments_a_year: int, n_steps: int) -> tuple[int, ...]:
    """Return the steps on which a period ends: the close, then each payment of each year."""
    most = (n_steps + 1) * payments_a_year
    steps = (close + j * DAYS_PER_YEAR // payments_a_year for j in range(most))
    return tuple(step for step in steps if step <= n_steps)


def new_mine(terms: MineTerms) -> Mine:
    """Return the terms in the form in which the mechanics read them."""
    return Mine(
        payable_tonnes_a_day=terms.payable_tonnes_a_day,
        charges_usd_per_tonne=terms.charges_usd_per_tonne,
        site_usd_a_day=terms.site_usd_a_day,
        fixed_cost_share=terms.fixed_cost_share,
        sustaining_usd_a_day=terms.sustaining_capex_usd_a_year / DAYS_PER_YEAR,
        depreciation_usd_a_day=terms.depreciation_usd_a_year / DAYS_PER_YEAR,
        royalty=terms.royalty,
        tax=terms.tax,
    )


def numbers(terms: MiningStoTerms) -> Numbers:
    """Return the terms of the mine in the form in which its kernel reads them."""
    mudslide, strike, power = (getattr(terms.outages, kind).output_lost for kind in KINDS)
    return Numbers(
        mine=new_mine(terms.mine),
        lost_mudslide=mudslide,
        lost_strike=strike,
        lost_power=power,
        construction_days=float(terms.stage.construction_days),
        ramp_days=float(terms.stage.ramp_days),
        ramp_start=terms.stage.ramp_start,
    )


def grade_by_day(terms: MineTerms) -> FloatArray:
    """Return the grade over that of the first year, by day of work, until the ore is gone.

    Shape (n_days,), at least one day.
    """
    years = np.arange(max(1, round(terms.life_years * DAYS_PER_YEAR))) // DAYS_PER_YEAR
    grades: FloatArray = (1.0 - terms.grade_decline) ** years
    return grades


def simulate_mine(
    terms: MiningStoTerms,
    label: str,
    copper_usd: FloatArray,
    growth: FloatArray,
    seed: int,
    first_path: int,
    stopped: Mapping[str, Sequence[Blow]] | None = None,
) -> MinePaths:
    """Return the mine called `label` on a block of paths, beginning with path `first_path`.

    Parameters
    ----------
    copper_usd : ndarray of shape (n_steps + 1, n_paths), USD per tonne
        n_paths is a multiple of LANES.
    growth : ndarray of shape (n_steps + 1,)
        As in `MinePaths`.
    stopped : dict of str to sequence of Blow, optional
        Outages by shocks, by kind; they lie over those that are drawn.
    """
    shape = n_rows, n_paths = copper_usd.shape
    settles = settlement_steps(terms.sale.days, terms.payout.payments_a_year, n_rows - 1)
    late = _overruns(terms.stage, label, seed, first_path, n_paths)
    begins = np.rint(terms.stage.construction_days * (1.0 + late[0])).astype(np.int64)
    events = stream(Stream.MINE_EVENTS, label)
    halted, left = outage_paths(terms.outages, begins, seed, events, first_path, n_rows - 1)
    for kind, blows in (stopped or {}).items():
        for blow in blows:
            lay_over(halted, left, kind, blow.weight)
    outputs = stream(Stream.MINE_OUTPUT, label)
    shocks = normal_paths(seed, outputs, first_path, len(settles), n_paths)
    deviation = terms.mine.output_deviation
    drivers = Drivers(
        grades=grade_by_day(terms.mine),
        quality=np.exp(deviation * shocks - 0.5 * deviation**2),
        copper_usd=copper_usd,
        halted=halted,
        left=left,
        begins=begins,
        late=late,
        ends=_flags(settles, n_rows),
    )
    results = Results(
        accrued=np.empty(shape),
        deferred=np.empty(shape, np.int16),
        profit=np.zeros((len(settles), n_paths)),
    )
    output_kernel.run(numbers(terms), drivers, results)
    accrued, deferred, profit = results
    return MinePaths(copper_usd, accrued, profit, halted, deferred, begins, settles, growth)


def _overruns(
    terms: StageTerms, label: str, seed: int, first_path: int, n_paths: int
) -> FloatArray:
    """Return by how much of their plan construction and ramp-up run over, shape (2, n_paths)."""
    shocks = normal_paths(seed, stream(Stream.MINE_OVERRUN, label), first_path, 1, n_paths)
    late: FloatArray = terms.overrun * np.exp(terms.overrun_deviation * shocks)
    return late
