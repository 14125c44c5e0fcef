"""The stationary block bootstrap: prices made of blocks of past days, all assets together.

On each trading day a path goes on to the next day of the history, or, with probability
1 / mean block length and on the first day, jumps to a day drawn at random. The history is a
circle: its first day follows its last. All assets take the same day, which keeps their
correlation; days within a block keep their order, which keeps the clusters of volatility.

Where the history is of weeks or months, read *week* or *month* for *day*: the run's calendar
steps through the periods, and prices move on the last trading day of each (`moving_days`).

The history's own mean does not count as a forecast: it is replaced by the scenario's drift.
With r the history's returns and i_k the day of the k-th trading day,

    ln S += drift * year_fraction * d + r[i_k] - c_k,   c_k = ln(m_k / m_(k-1)),
    m_k = E exp(r[i_1] + ... + r[i_k])

so that E[S_t] = S_0 exp(drift t) on every trading day, exactly. m_k is known without
drawing: with v_k(i) = E[exp(sum); i_k = i], p = 1 / mean block length and n days,

    v_1(i) = e^r[i] / n,   v_(k+1)(i) = e^r[i] ((1 - p) v_k(i - 1) + p / n sum v_k)

c_1 is ln mean(e^r), the whole correction where days are independent; in blocks the returns'
autocorrelation comes in addition.

A smooth history (`market/smoothing.py`) starts at today's volatility and has no worst day: r[i_k]
then depends on k too, and in the tails on a draw that all assets share; the mean of e^r over it
takes the place of e^r above.

References
----------
Politis and Romano (1994), doi:10.1080/01621459.1994.10476870.
"""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from simulator.market.frequency import PERIODS_PER_YEAR, Kind
from simulator.market.smoothing import Smoothed, smoothed
from simulator.units import BoolArray, FloatArray, calendar, trading_days

_LONGEST_PERIOD_DAYS = 45
"""More than the days from the end of a run to the first trading day of the next month."""


@dataclass(frozen=True, eq=False)
class History:
    """The periods to draw from: days, weeks or months.

    returns : (n_assets, n_periods), log returns of successive periods, common to all
    mean_block : mean length of a block in periods, at least 1
    kind : how long a period is
    smooth : whether it starts at today's volatility and has a tail beyond its worst day
    start : (n_assets,), variance of a smooth one's first period; None or NaN: as filtered
    file, sha256 : where they came from
    notes : what was left out of the table or assumed

    Raises
    ------
    ValueError
        A block is shorter than a period.
    """

    returns: FloatArray
    mean_block: float
    kind: Kind = Kind.TRADING_DAYS
    smooth: bool = False
    start: FloatArray | None = None
    file: str = ""
    sha256: str = ""
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.mean_block >= 1:
            raise ValueError(f"mean_block is {self.mean_block}; must be at least 1")

    @property
    def periods_per_year(self) -> int:
        """Return the periods of a year: 252, 365, 52 or 12."""
        return PERIODS_PER_YEAR[self.kind]

    @property
    def noun(self) -> str:
        """Return what a period is called: day, week or month."""
        return {Kind.WEEKLY: "week", Kind.MONTHLY: "month"}.get(self.kind, "day")

    @cached_property
    def smoothed(self) -> Smoothed:
        """Return the returns as moves and volatilities."""
        return smoothed(self.returns, self.start)

    def compensators(self, n_ticks: int) -> FloatArray:
        """Return c_1 to c_n, shape (n_assets, n_ticks): see the module."""
        if n_ticks not in self._kept:
            self._kept[n_ticks] = self._compensators(n_ticks)
        return self._kept[n_ticks]

    @cached_property
    def _kept(self) -> dict[int, FloatArray]:
        return {}

    def _compensators(self, n_ticks: int) -> FloatArray:
        n_assets, n_days = self.returns.shape
        plain = itertools.repeat(np.exp(self.returns), n_ticks)
        growths = self.smoothed.growths(n_ticks) if self.smooth else plain
        new = 1 / self.mean_block
        found = np.empty((n_assets, n_ticks))
        # Kept to a sum of 1 from tick to tick: only the ratio of two sums is wanted.
        weights = np.full((n_assets, n_days), 1 / n_days)
        for tick, growth in enumerate(growths):
            if tick:
                weights = (1 - new) * np.roll(weights, 1, axis=1) + new / n_days
            weights = growth * weights
            sums = weights.sum(axis=1)
            found[:, tick] = np.log(sums)
            weights = weights / sums[:, None]
        return found


def moving_days(start: dt.date, n_steps: int, kind: Kind, every_day: bool = False) -> BoolArray:
    """Return on which dates prices move, shape (n_steps + 1,): on the last one of each period.

    A week ends on Sunday. A period that the run breaks off does not move.

    Parameters
    ----------
    kind : Kind
        Period of the history.
    every_day : bool
        Whether the assets trade on weekends and holidays too.
    """
    beyond = n_steps + _LONGEST_PERIOD_DAYS
    dates = calendar(start, beyond)
    days = np.ones(beyond + 1, dtype=np.bool_) if every_day else trading_days(start, beyond)
    if kind in (Kind.WEEKLY, Kind.MONTHLY):
        periods = dates.to_period("W-SUN" if kind is Kind.WEEKLY else "M").asi8
        open_days = np.flatnonzero(days)
        ends = np.flatnonzero(np.diff(periods[open_days]))
        days = np.zeros(beyond + 1, dtype=np.bool_)
        days[open_days[ends]] = True
    return days[: n_steps + 1]
