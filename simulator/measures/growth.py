"""How a value grows: total and annual, and how steadily."""

from __future__ import annotations

import numpy as np

from simulator.units import DAYS_PER_YEAR, FloatArray

YIELD_WINDOW_DAYS = 30
NOTHING_LEFT = 1e-6
"""Share of the first value below which a window's yield takes a value for this share."""


def total_return(values: FloatArray) -> FloatArray:
    """Return final / first - 1, shape (n_paths,)."""
    gain: FloatArray = values[-1] / values[0] - 1.0
    return gain


def annual_yield(values: FloatArray) -> FloatArray:
    """Return (final / first)^(365 / days) - 1, shape (n_paths,); NaN below a year.

    This is the CAGR; less than a year is not annualised. A value that ends below zero (costs
    beyond what is left) counts as a loss of everything.
    """
    days = values.shape[0] - 1
    if days < DAYS_PER_YEAR:
        return np.full(values.shape[1], np.nan)
    ratio = np.maximum(values[-1] / values[0], 0.0)
    grown: FloatArray = ratio ** (DAYS_PER_YEAR / days) - 1.0
    return grown


def yield_deviation(values: FloatArray, window_days: int = YIELD_WINDOW_DAYS) -> FloatArray:
    """Return the standard deviation of a path's annualised window yields, shape (n_paths,).

    Windows do not overlap and start at the beginning, days past the last whole one are left
    out; yields are simple, times 365 over the window; the deviation has n - 1 in its
    denominator and is NaN below two windows. Where hardly anything is left (`NOTHING_LEFT`),
    the yields stay finite.
    """
    marks = np.maximum(values[::window_days], NOTHING_LEFT * values[0])
    yields = (marks[1:] / marks[:-1] - 1.0) * (DAYS_PER_YEAR / window_days)
    if yields.shape[0] < 2:
        return np.full(values.shape[1], np.nan)
    deviation: FloatArray = np.std(yields, axis=0, ddof=1)
    return deviation
