"""How a value grows: total and annual, and how steadily."""

from __future__ import annotations

import numpy as np

from simulator.jit import kernel
from simulator.units import DAYS_PER_YEAR, BoolArray, FloatArray

YIELD_WINDOW_DAYS = 30
NOTHING_LEFT = 1e-6
"""Share of the first value below which a window's yield takes a value for this share."""


def lost(values: FloatArray) -> BoolArray:
    """Return which paths have a NaN on any day, shape (n_paths,).

    A path whose values are not all known has no measure, not even one of its ends.
    """
    # a sum is NaN where a term is, and far cheaper than a test of every value
    unknown: BoolArray = np.isnan(np.add.reduce(values, axis=0))
    return unknown


def total_return(values: FloatArray) -> FloatArray:
    """Return final / first - 1, shape (n_paths,); NaN where a day is."""
    gain: FloatArray = values[-1] / values[0] - 1.0
    gain[lost(values)] = np.nan
    return gain


def annual_yield(values: FloatArray) -> FloatArray:
    """Return (final / first)^(365 / days) - 1, shape (n_paths,); NaN below a year or on a day.

    This is the CAGR; less than a year is not annualised. A value that ends below zero (costs
    beyond what is left) counts as a loss of everything.
    """
    days = values.shape[0] - 1
    if days < DAYS_PER_YEAR:
        return np.full(values.shape[1], np.nan)
    ratio = np.maximum(values[-1] / values[0], 0.0)
    grown: FloatArray = ratio ** (DAYS_PER_YEAR / days) - 1.0
    grown[lost(values)] = np.nan
    return grown


def yield_deviation(values: FloatArray, window_days: int = YIELD_WINDOW_DAYS) -> FloatArray:
    """Return the standard deviation of a path's annualised window yields, shape (n_paths,).

    Windows do not overlap and start at the beginning, days past the last whole one are left
    out; yields are simple, times 365 over the window; the deviation has n - 1 in its
    denominator and is NaN below two windows. Where hardly anything is left (`NOTHING_LEFT`),
    the yields stay finite.
    """
    n_windows = (values.shape[0] - 1) // window_days
    if n_windows < 2:
        return np.full(values.shape[1], np.nan)
    marks = np.array(values[::window_days], dtype=np.float64)
    deviation = np.empty(values.shape[1])
    _deviate(marks, DAYS_PER_YEAR / window_days, deviation)
    deviation[lost(values)] = np.nan
    return deviation


@kernel
def _deviate(marks: FloatArray, a_year: float, deviation: FloatArray) -> None:
    """Write the deviation of the simple yields between `marks`, which become these yields.

    `marks` is of shape (n_windows + 1, n_paths), `deviation` of shape (n_paths,).
    """
    n_windows, n_paths = marks.shape[0] - 1, marks.shape[1]
    least, mean = NOTHING_LEFT * marks[0], np.zeros(n_paths)
    deviation[:] = 0.0
    for window in range(n_windows):
        for k in range(n_paths):
            before, after = max(marks[window, k], least[k]), max(marks[window + 1, k], least[k])
            marks[window, k] = (after / before - 1.0) * a_year
            mean[k] += marks[window, k]
    for window in range(n_windows):
        for k in range(n_paths):
            off = marks[window, k] - mean[k] / n_windows
            deviation[k] += off * off
    for k in range(n_paths):
        deviation[k] = np.sqrt(deviation[k] / (n_windows - 1))
