"""Whether monthly prices are means of their months: tested, or said by the user.

A mean of a month of a random walk varies by two thirds of what closes do, and its changes follow
one another with a correlation of a quarter (Working 1960). Beside daily closes of the same asset
the two can simply be compared.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from simulator.market.calibration.closes import Closes
from simulator.market.calibration.months import month_ends, together

MIN_COMMON = 24
"""Months in common with daily closes that decide."""
MIDDLE = 0.125
"""Between the autocorrelation of closes, 0, and that of means, 1/4."""
MARGIN = 1.0
"""Standard errors from the middle that decide."""


def are_averages(prices: pd.Series[float], closes: Closes | None = None) -> bool | None:
    """Return whether monthly prices are means of months, None where they do not tell.

    Parameters
    ----------
    prices : Series of shape (n_months,), indexed by a date within each month
    closes : Closes, optional
        Daily ones of the same asset, in any unit.
    """
    months = pd.DatetimeIndex(prices.index).to_period("M")
    monthly = prices.set_axis(months).groupby(level=0).last()
    monthly = monthly.reindex(pd.period_range(months[0], months[-1], freq="M"))
    logs = pd.Series(np.log(monthly.to_numpy(dtype=np.float64)), monthly.index)
    if closes is not None:
        days = closes.log_prices()
        means = days.groupby(pd.DatetimeIndex(days.index).to_period("M")).mean()
        (own, mean, last), months = together(logs.diff(), means.diff(), month_ends(days).diff())
        if len(months) >= MIN_COMMON:
            return bool(np.corrcoef(own, mean)[0, 1] > np.corrcoef(own, last)[0, 1])
    changes = logs.diff().dropna().to_numpy(dtype=np.float64)
    if len(changes) < MIN_COMMON or changes.std() == 0:
        return None
    following = float(np.corrcoef(changes[1:], changes[:-1])[0, 1])
    distance = (following - MIDDLE) * math.sqrt(len(changes))
    return None if abs(distance) < MARGIN else distance > 0
