"""How often a table's rows come: every trading day, every day, weekly, monthly, or mixed.

A table of prices says nowhere whether a row is a day or a month, and the figures depend on
it. So the dates are asked: the spacing that most rows have names the frequency, and a stretch
of rows that are spaced otherwise makes the table mixed.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from simulator.units import DAYS_PER_YEAR, TRADING_DAYS_PER_YEAR


class Kind(StrEnum):
    """The frequencies that are told apart; the value is what messages say."""

    TRADING_DAYS = "daily (trading days)"
    ALL_DAYS = "daily (all days)"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    YEARLY = "yearly"
    MIXED = "mixed"


PERIODS_PER_YEAR = {
    Kind.TRADING_DAYS: TRADING_DAYS_PER_YEAR,
    Kind.ALL_DAYS: DAYS_PER_YEAR,
    Kind.WEEKLY: 52,
    Kind.MONTHLY: 12,
    Kind.QUARTERLY: 4,
    Kind.YEARLY: 1,
}

_SPACINGS = (
    (Kind.WEEKLY, 5, 9),
    (Kind.MONTHLY, 26, 35),
    (Kind.QUARTERLY, 85, 96),
    (Kind.YEARLY, 360, 372),
)
"""Calendar days between two rows, lowest and highest."""
_NEIGHBOURS = 5
"""Spacings whose median counts as a row's: two odd ones (holidays, a gap) do not change it."""
_WINDOW = 28
"""Daily rows over which weekends are counted: eight in a table of all days, none in others."""
_WEEKEND_SHARE = 0.22
"""Between that of six rows a week, a sixth, and that of seven."""
_LEAST_YEARS = 1.0
"""Rows of less than a year are not counted: holidays would be, or not."""
_NEAR = 0.01
"""So near to the usual count, rows are counted as usual: 250 or 253 are 252 trading days."""
_STRETCH = 8
"""Fewer rows in a row that are spaced otherwise are gaps, not another frequency."""


@dataclass(frozen=True)
class Frequency:
    """How often rows come.

    Attributes
    ----------
    kind : Kind
    message : str
        In words, with the rows of a year as counted, or the place where a mixed table changes.
    changes_at : int or None
        Index of the first row of another frequency, where the table is mixed.
    """

    kind: Kind
    message: str
    changes_at: int | None = None

    @property
    def is_daily(self) -> bool:
        """Return whether each day, or each trading day, has a row."""
        return self.kind in (Kind.TRADING_DAYS, Kind.ALL_DAYS)

    @property
    def periods_per_year(self) -> int:
        """Return the rows of a year; 0 where the table is mixed."""
        return PERIODS_PER_YEAR.get(self.kind, 0)


def frequency(dates: Sequence[dt.date]) -> Frequency:
    """Return how often the rows of a table come.

    Parameters
    ----------
    dates : sequence of date, strictly increasing
    """
    ordinals = np.array([date.toordinal() for date in dates], dtype=np.int64)
    spacings = np.diff(ordinals)
    if len(spacings) == 0:
        return Frequency(Kind.MIXED, "a single row has no frequency", 0)
    kinds = _kinds(dates, spacings)
    runs = _runs(kinds)
    usual = max(runs, key=lambda run: run[2] - run[1])[0]
    if usual is Kind.MIXED:
        message = f"rows {np.median(spacings):g} days apart fit no frequency"
        return Frequency(Kind.MIXED, message, 0)
    other = [run for run in runs if run[0] is not usual and run[2] - run[1] >= _STRETCH]
    if other:
        kind, first, last = other[0]
        changes = first + 1 if first else last + 1
        early, late = (usual, kind) if first else (kind, usual)
        message = f"mixed: {_word(early)} before {dates[changes]}, {_word(late)} from there on"
        return Frequency(Kind.MIXED, message, changes)
    return Frequency(usual, _describe(usual, rows_per_year(dates, usual)))


def rows_per_year(dates: Sequence[dt.date], kind: Kind) -> float:
    """Return how many rows a year has: counted, and the usual number where it is within 1 %.

    Less than a year of rows is taken to be the usual number.

    Parameters
    ----------
    dates : sequence of date, strictly increasing
    """
    usual = float(PERIODS_PER_YEAR.get(kind, 0))
    years = (dates[-1] - dates[0]).days / 365.25 if len(dates) > 1 else 0.0
    if years < _LEAST_YEARS or not usual:
        return usual
    counted = (len(dates) - 1) / years
    return usual if abs(counted / usual - 1) < _NEAR else counted


def _describe(kind: Kind, per_year: float) -> str:
    if kind is Kind.TRADING_DAYS:
        return f"{kind}: weekends are gaps, {per_year:.0f} periods a year"
    if kind is Kind.ALL_DAYS:
        return f"{kind}: no weekend gaps, {per_year:.0f} periods a year"
    return str(kind)


def _word(kind: Kind) -> str:
    return "irregular" if kind is Kind.MIXED else str(kind)


def _kinds(dates: Sequence[dt.date], spacings: npt.NDArray[np.int64]) -> list[Kind]:
    """Return the kind of each spacing, judged with its neighbours."""
    half = _NEIGHBOURS // 2
    padded = np.pad(spacings, half, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, _NEIGHBOURS)
    medians = np.median(windows, axis=1)
    daily = _daily_kinds(dates)
    return [_kind(median, day) for median, day in zip(medians.tolist(), daily, strict=True)]


def _kind(spacing: float, daily: Kind) -> Kind:
    if spacing <= 1:
        return daily
    for kind, low, high in _SPACINGS:
        if low <= spacing <= high:
            return kind
    return Kind.MIXED


def _daily_kinds(dates: Sequence[dt.date]) -> list[Kind]:
    """Return for each spacing whether the rows around it, were they daily, hold weekends."""
    weekend = np.array([date.weekday() >= 5 for date in dates[1:]], dtype=np.float64)
    size = min(_WINDOW, len(weekend))
    sums = np.convolve(weekend, np.ones(size), mode="valid") / size
    # The window of the first and last rows is the first and last whole one.
    before = (len(weekend) - len(sums)) // 2
    shares = np.pad(sums, (before, len(weekend) - len(sums) - before), mode="edge")
    return [
        Kind.ALL_DAYS if share > _WEEKEND_SHARE else Kind.TRADING_DAYS for share in shares.tolist()
    ]


def _runs(kinds: Sequence[Kind]) -> list[tuple[Kind, int, int]]:
    """Return (kind, first spacing, one past the last) of each run of equal kinds."""
    runs, start = [], 0
    for kind, group in itertools.groupby(kinds):
        end = start + len(list(group))
        runs.append((kind, start, end))
        start = end
    return runs
