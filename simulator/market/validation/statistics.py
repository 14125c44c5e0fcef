"""What is compared between a simulated and the real history: one number to a cell.

Horizons, lags and windows are counted in days of the asset's own clock: trading days, and for
crypto every day. Returns of more than a day overlap: all of them are used.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from simulator.jit import kernel
from simulator.units import FloatArray

HORIZONS = (1, 5, 20, 60, 250)
TAILS = (0.01, 0.05, 0.95, 0.99)
LAGS = (1, 5, 20, 60)
DRAWDOWN_DAYS = 250
DRAWDOWN_QUANTILES = (0.05, 0.50, 0.95, 0.99)

WEEK_DAYS = 5
STATE_WEEKS = 13
STRESS_SHARE = 0.2


@dataclass(frozen=True, order=True)
class Cell:
    """One figure of an asset or a pair.

    subject : an asset, or two joined by a hyphen
    figure : what is measured
    days : horizon, lag or window in days; 0 where there is none
    """

    subject: str
    figure: str
    days: int


ASSET_FIGURES: tuple[tuple[str, int], ...] = (
    *(
        (figure, horizon)
        for horizon in HORIZONS
        for figure in ("volatility", "kurtosis", *(f"q{100 * tail:02.0f}" for tail in TAILS))
    ),
    *((f"drawdown p{100 * q:02.0f}", DRAWDOWN_DAYS) for q in DRAWDOWN_QUANTILES),
    *(("autocorrelation of |r|", lag) for lag in LAGS),
)
PAIR_FIGURES = (("correlation, calm", WEEK_DAYS), ("correlation, stress", WEEK_DAYS))


class _Moments(NamedTuple):
    deviation: float
    kurtosis: float


def asset_figures(returns: FloatArray) -> FloatArray:
    """Return the figures of one asset, in the order of `ASSET_FIGURES`.

    Parameters
    ----------
    returns : ndarray of shape (n_days,), log returns, more than 250

    Returns
    -------
    ndarray of shape (len(ASSET_FIGURES),)
        Volatility: standard deviation of the horizon's returns, not annualised; kurtosis:
        excess; drawdowns: positive shares.
    """
    logs = np.concatenate([[0.0], np.cumsum(returns)])
    figures: list[float] = []
    for horizon in HORIZONS:
        grown = logs[horizon:] - logs[:-horizon]
        figures += [*_moments(grown), *_quantiles(grown, TAILS)]
    figures += _quantiles(window_drawdowns(logs, DRAWDOWN_DAYS), DRAWDOWN_QUANTILES)
    figures += size_autocorrelations(returns)
    return np.array(figures)


def _moments(values: FloatArray) -> _Moments:
    centred = values - values.mean()
    squares = centred * centred
    variance = float(squares.mean())
    if variance == 0:
        return _Moments(0.0, np.nan)
    return _Moments(variance**0.5, float((squares * squares).mean()) / variance**2 - 3)


def _quantiles(values: FloatArray, shares: tuple[float, ...]) -> list[float]:
    """Return quantiles by linear interpolation, as `numpy.quantile`, of one sort."""
    ordered = np.sort(values)
    places = np.array(shares) * (ordered.size - 1)
    below = places.astype(np.int64)
    above = np.minimum(below + 1, ordered.size - 1)
    found = ordered[below] + (places - below) * (ordered[above] - ordered[below])
    return [float(value) for value in found]


def size_autocorrelations(returns: FloatArray) -> list[float]:
    """Return the autocorrelations of |r| at `LAGS`; `returns` is of shape (n_days,)."""
    sizes = np.abs(returns)
    sizes = sizes - sizes.mean()
    total = float(sizes @ sizes)
    return [float(sizes[lag:] @ sizes[:-lag]) / total for lag in LAGS]


@kernel
def window_drawdowns(logs: FloatArray, days: int) -> FloatArray:
    """Return the deepest fall from a peak within each window of `days` returns.

    Parameters
    ----------
    logs : ndarray of shape (n_days + 1,), log prices

    Returns
    -------
    ndarray of shape (n_days + 1 - days,), positive shares
    """
    found = np.empty(logs.size - days)
    for first in range(found.size):
        peak = logs[first]
        deepest = 0.0
        for day in range(first + 1, first + days + 1):
            peak = max(peak, logs[day])
            deepest = max(deepest, peak - logs[day])
        found[first] = 1.0 - np.exp(-deepest)
    return found


def pair_figures(weekly: FloatArray) -> FloatArray:
    """Return the correlation of two assets in calm and in stress.

    A week is in stress where the two assets' mean absolute return, each in its own standard
    deviations, over the 13 weeks that end with it is among the highest fifth.

    Parameters
    ----------
    weekly : ndarray of shape (2, n_weeks), log returns

    Returns
    -------
    ndarray of shape (2,), calm and stress
    """
    sizes = np.abs(weekly / weekly.std(axis=1, keepdims=True)).mean(axis=0)
    sums = np.concatenate([[0.0], np.cumsum(sizes)])
    state = (sums[STATE_WEEKS:] - sums[:-STATE_WEEKS]) / STATE_WEEKS
    stress = state > np.quantile(state, 1 - STRESS_SHARE)
    late = weekly[:, STATE_WEEKS - 1 :]
    return np.array([_correlation(late[:, ~stress]), _correlation(late[:, stress])])


def _correlation(pair: FloatArray) -> float:
    centred = pair - pair.mean(axis=1, keepdims=True)
    first, second = centred
    return float(first @ second / np.sqrt((first @ first) * (second @ second)))
