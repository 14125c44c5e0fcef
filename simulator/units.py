"""Scales, axes and the calendar, said once.

Axes
    Public arrays are float64 of shape (n_steps + 1, n_paths): time first, paths
    second, index 0 = the start. A step is one calendar day at 00:00 UTC.
Scales
    `_wei` is a token's smallest unit (18 decimals for gold and shares), `_bps` is
    1/10,000, `WAD` = 1e18 = 100 % on chain. Rates are annual unless the name says
    otherwise; on chain a year is `SECONDS_PER_YEAR`.
Calendar
    Metals and equities move on trading days only: weekdays less the US federal
    holidays (pandas' `USFederalHolidayCalendar`), about 252 a year. Tokens move every day.
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from typing import Annotated

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.tseries.holiday import USFederalHolidayCalendar

SECONDS_PER_DAY = 86_400
SECONDS_PER_YEAR = 31_536_000
DAYS_PER_YEAR = 365
TRADING_DAYS_PER_YEAR = 252

WAD = 10**18
RAY = 10**27
BPS = 10_000
FEED_DECIMALS = 8
GOLD_DECIMALS = 18
USDC_DECIMALS = 6

POUNDS_PER_TONNE = 2_204.622_621_85
"""Avoirdupois pounds of exactly 0.45359237 kg."""

DEAD_BAND = 1e-6
"""Keepers act this far (relative) beyond a threshold, wider than the rounding of any engine."""

LANES = 128
"""Paths that a kernel advances side by side; blocks are padded to full lanes."""

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
StepArray = npt.NDArray[np.int64]
"""Steps, counts and numbers of paths."""
DayArray = npt.NDArray[np.int16]
"""Days of a duration."""
KindArray = npt.NDArray[np.int8]
"""Small numbers that stand for a kind: of an outage, of an act."""
Paths = Annotated[FloatArray, "shape (n_paths,)"]
StepsByPaths = Annotated[FloatArray, "shape (n_steps + 1, n_paths)"]


@lru_cache(maxsize=16)
def calendar(start: dt.date, n_steps: int) -> pd.DatetimeIndex:
    """Return the n_steps + 1 dates of a run, `start` first."""
    return pd.date_range(start, periods=n_steps + 1, freq="D")


def trading_days(start: dt.date, n_steps: int) -> BoolArray:
    """Return on which dates metals trade, shape (n_steps + 1,); index 0 is the start."""
    return _trading_days(start, n_steps).copy()


# pandas works the holidays out anew each time, for a tenth of a second; many runs share them.
@lru_cache(maxsize=16)
def _trading_days(start: dt.date, n_steps: int) -> BoolArray:
    dates = calendar(start, n_steps)
    holidays = USFederalHolidayCalendar().holidays(dates[0], dates[-1])
    open_days: BoolArray = (dates.dayofweek < 5) & ~dates.isin(holidays)
    return open_days


def midnight_timestamp(date: dt.date) -> int:
    """Return the Unix time of 00:00 UTC on `date`, seconds."""
    return int(dt.datetime(date.year, date.month, date.day, tzinfo=dt.UTC).timestamp())


def to_wei(amount: float, decimals: int) -> int:
    """Return `amount` in a token's smallest unit, rounded to the nearest, exactly.

    A float is a ratio of integers; scaling that ratio avoids the error of
    `int(amount * 10**18)`. Halves round up.

    Raises
    ------
    ValueError, OverflowError
        `amount` is NaN or infinite.
    """
    if amount == 0.0:
        return 0
    numerator, denominator = amount.as_integer_ratio()
    scale: int = 10**decimals
    return (2 * numerator * scale + denominator) // (2 * denominator)


def from_wei(units: int, decimals: int) -> float:
    """Return an integer amount in whole tokens, correctly rounded to float64."""
    scale: int = 10**decimals
    return units / scale
