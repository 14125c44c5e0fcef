"""Series by calendar month, whatever days they stand on."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from simulator.market.calibration.closes import Closes
from simulator.units import FloatArray

LAST_DAYS = 25
"""A month whose last row is earlier has not ended yet."""


def by_month(values: pd.Series[float]) -> pd.Series[float]:
    """Return a series of at most one value a month by its month, missing months as NaN."""
    months = values.set_axis(_months(values))
    return months.reindex(pd.period_range(months.index[0], months.index[-1], freq="M"))


def month_ends(values: pd.Series[float]) -> pd.Series[float]:
    """Return the last value of each month; a month that has not ended is left out."""
    grouped = values.set_axis(_months(values)).groupby(level=0).last()
    if values.index[-1].day < LAST_DAYS:
        grouped = grouped.iloc[:-1]
    return by_month(grouped.set_axis([month.to_timestamp().date() for month in grouped.index]))


def month_returns(closes: Closes) -> pd.Series[float]:
    """Return log returns from month-end to month-end, without the months of excluded days."""
    returns = month_ends(closes.log_prices()).diff().iloc[1:]
    spoiled = [pd.Period(exclusion.date, freq="M") for exclusion in closes.excluded]
    return returns.drop(index=spoiled, errors="ignore")


def together(*series: pd.Series[float]) -> tuple[tuple[FloatArray, ...], pd.PeriodIndex]:
    """Return several series where all have a value, shape (n_months,) each, and the months."""
    table = pd.concat(list(series), axis=1).dropna()
    columns = table.to_numpy(dtype=np.float64).T
    return tuple(columns), pd.PeriodIndex(table.index)


def window(months: pd.PeriodIndex | pd.Index[pd.Period]) -> tuple[dt.date, dt.date]:
    """Return the first day of the first month and the last of the last."""
    first, last = months[0], months[-1]
    return first.start_time.date(), last.end_time.date()


def since(values: pd.Series[float], year: int) -> pd.Series[float]:
    """Return the months from January of `year` on."""
    return values[values.index >= pd.Period(f"{year}-01", freq="M")]


def _months(values: pd.Series[float]) -> pd.PeriodIndex:
    return pd.DatetimeIndex(values.index).to_period("M")
