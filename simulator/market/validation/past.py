"""Real histories to compare with: the log prices of one asset on the days of its closes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simulator.market.calibration import Closes
from simulator.market.validation.statistics import WEEK_DAYS
from simulator.units import DAYS_PER_YEAR, FloatArray

Days = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Past:
    """Closes of one asset.

    days : (n_days,), proleptic ordinals, increasing
    logs : (n_days,), log prices; a return that is no market's is taken out of all later ones
    source : file and the beginning of its hash
    """

    asset: str
    days: Days
    logs: FloatArray
    source: str = ""

    @property
    def returns(self) -> FloatArray:
        """Return the log returns between successive closes, shape (n_days - 1,)."""
        return np.diff(self.logs)

    @property
    def first(self) -> dt.date:
        """Return the date of the first close."""
        return dt.date.fromordinal(int(self.days[0]))

    @property
    def last(self) -> dt.date:
        """Return the date of the last close."""
        return dt.date.fromordinal(int(self.days[-1]))

    @property
    def annual_growth(self) -> float:
        """Return the mean log growth a calendar year."""
        span = float(self.days[-1] - self.days[0]) / DAYS_PER_YEAR
        return float(self.logs[-1] - self.logs[0]) / span

    def until(self, date: dt.date) -> Past:
        """Return the closes up to and including `date`."""
        kept = self.days <= date.toordinal()
        return Past(self.asset, self.days[kept], self.logs[kept], self.source)


def pasts_of(closes: Mapping[str, Closes]) -> dict[str, Past]:
    """Return the history of each asset, without the returns that a fit leaves out."""
    return {asset: _past(found) for asset, found in closes.items()}


def _past(closes: Closes) -> Past:
    days = np.array([date.toordinal() for date in closes.prices.index], dtype=np.int64)
    logs = closes.log_prices().to_numpy(dtype=np.float64)
    left_out = np.isin(days, [exclusion.date.toordinal() for exclusion in closes.excluded])
    returns = np.diff(logs, prepend=logs[:1])
    returns[left_out] = 0.0
    whole = logs[0] + np.cumsum(returns)
    return Past(closes.asset, days[~left_out], whole[~left_out], closes.source)


def weekly_returns(first: Past, second: Past) -> FloatArray:
    """Return returns of two assets over every five days on which both have a close.

    Returns
    -------
    ndarray of shape (2, n_weeks)
    """
    rows = common_rows(first.days, second.days)
    return weekly_pair(first.logs, second.logs, *rows)


def common_rows(first: Days, second: Days) -> tuple[Days, Days]:
    """Return the places, in each of two calendars, of every fifth day that both have."""
    _, one, two = np.intersect1d(first, second, assume_unique=True, return_indices=True)
    return one[::WEEK_DAYS], two[::WEEK_DAYS]


def weekly_pair(one: FloatArray, two: FloatArray, rows: Days, other_rows: Days) -> FloatArray:
    """Return returns between the given rows of log prices of shape (..., n_days).

    Returns
    -------
    ndarray of shape (..., 2, n_weeks)
    """
    return np.stack([np.diff(one[..., rows]), np.diff(two[..., other_rows])], axis=-2)
