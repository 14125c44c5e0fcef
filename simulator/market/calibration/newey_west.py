"""Standard errors that allow for months of volatility clustering."""

from __future__ import annotations

import math

from simulator.units import FloatArray

MAX_LAGS = 252
"""A year: squared daily returns stay correlated that long."""


def standard_error_of_mean(series: FloatArray, max_lags: int = MAX_LAGS) -> float:
    """Return the standard error of the mean of a correlated series.

    Bartlett weights over a year of lags, or a tenth of a shorter series.

    Parameters
    ----------
    series : ndarray of shape (n_periods,)
    max_lags : int
        Periods of a year.

    References
    ----------
    Newey and West (1987), doi:10.2307/1913610.
    """
    lags = min(max_lags, len(series) // 10)
    centred = series - series.mean()
    total = float(centred @ centred)
    for lag in range(1, lags + 1):
        total += 2 * (1 - lag / (lags + 1)) * float(centred[lag:] @ centred[:-lag])
    return math.sqrt(total) / len(series)
