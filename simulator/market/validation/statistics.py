"""What is compared between a simulated and the real history: one number to a cell.

Days, lags and windows are counted in days of the asset's own clock: trading days, and for
crypto every day.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.jit import kernel
from simulator.units import FloatArray

HORIZONS = (1, 5, 20, 60, 250)
"""Of the pictures."""
TAILS = (0.001, 0.01, 0.05, 0.95, 0.99, 0.999)
LAGS = (5, 60)
DRAWDOWN_DAYS = 250
DRAWDOWN_QUANTILES = (0.50, 0.95)

WEEK_DAYS = 5
STATE_WEEKS = 13
STRESS_SHARE = 0.2


@dataclass(frozen=True, order=True)
class Cell:
    """One figure of an asset or a pair.

    subject : an asset, or two joined by a hyphen
    figure : what is measured
    days : horizon or lag in days
    """

    subject: str
    figure: str
    days: int

    @property
    def counted(self) -> bool:
        """Return whether the cell is one of those that a market is judged by."""
        return (self.figure, self.days) in COUNTED


ASSET_FIGURES: tuple[tuple[str, int], ...] = (
    ("volatility", 1),
    ("kurtosis", 1),
    ("skew", 1),
    *((f"q{100 * tail:04.1f}", 1) for tail in TAILS),
    *(("autocorrelation of |r|", lag) for lag in LAGS),
)
"""What a market is judged and fitted by."""
FURTHER_FIGURES: tuple[tuple[str, int], ...] = (
    *((figure, days) for days in (20, 60, 250) for figure in ("volatility", "q05.0", "q95.0")),
    *((f"drawdown p{100 * q:02.0f}", DRAWDOWN_DAYS) for q in DRAWDOWN_QUANTILES),
)
"""What is shown beside, and counted in no demand: few independent quarters, fewer years."""
CORRELATION = ("correlation", WEEK_DAYS)
RISE = ("rise of correlation in stress", WEEK_DAYS)
PAIR_FIGURES = (CORRELATION, RISE)
COUNTED = frozenset((*ASSET_FIGURES, CORRELATION))


def asset_figures(returns: FloatArray) -> FloatArray:
    """Return the figures of one asset, in the order of `ASSET_FIGURES`.

    Parameters
    ----------
    returns : ndarray of shape (..., n_days), log returns of a day

    Returns
    -------
    ndarray of shape (..., len(ASSET_FIGURES))
        Volatility: standard deviation of a day's return, not annualised; kurtosis: excess.
    """
    centred = returns - returns.mean(axis=-1, keepdims=True)
    squares = centred * centred
    variance = squares.mean(axis=-1)
    kurtosis = (squares * squares).mean(axis=-1) / variance**2 - 3
    skew = (squares * centred).mean(axis=-1) / variance**1.5
    figures = [np.sqrt(variance), kurtosis, skew, *_quantiles(returns, TAILS)]
    figures += size_autocorrelations(returns, LAGS)
    return np.stack(figures, axis=-1)


def further_figures(returns: FloatArray) -> FloatArray:
    """Return the figures of `FURTHER_FIGURES` of one asset.

    Parameters
    ----------
    returns : ndarray of shape (n_histories, n_days), log returns of a day; n_days above 250

    Returns
    -------
    ndarray of shape (n_histories, len(FURTHER_FIGURES))
        Returns of more days overlap: all are used; drawdowns are positive shares.
    """
    logs = np.concatenate([np.zeros((returns.shape[0], 1)), np.cumsum(returns, axis=1)], axis=1)
    figures: list[FloatArray] = []
    for days in dict.fromkeys(days for figure, days in FURTHER_FIGURES if figure == "volatility"):
        grown = logs[:, days:] - logs[:, :-days]
        figures += [grown.std(axis=1), *_quantiles(grown, (0.05, 0.95))]
    falls = np.stack([window_drawdowns(path, DRAWDOWN_DAYS) for path in logs])
    figures += _quantiles(falls, DRAWDOWN_QUANTILES)
    return np.stack(figures, axis=-1)


def _quantiles(values: FloatArray, shares: tuple[float, ...]) -> list[FloatArray]:
    """Return quantiles of the last axis by linear interpolation, as `numpy.quantile`."""
    places = np.array(shares) * (values.shape[-1] - 1)
    below = places.astype(np.int64)
    above = np.minimum(below + 1, values.shape[-1] - 1)
    ordered = np.partition(values, np.unique([below, above]), axis=-1)
    found = ordered[..., below] + (places - below) * (ordered[..., above] - ordered[..., below])
    return list(np.moveaxis(found, -1, 0))


def size_autocorrelations(returns: FloatArray, lags: tuple[int, ...]) -> list[FloatArray]:
    """Return the autocorrelations of |r| at each lag; `returns` is of shape (..., n_days)."""
    sizes = np.abs(returns)
    sizes = sizes - sizes.mean(axis=-1, keepdims=True)
    total = np.einsum("...t,...t", sizes, sizes)
    return [np.einsum("...t,...t", sizes[..., lag:], sizes[..., :-lag]) / total for lag in lags]


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
    """Return the correlation of two assets, and how much higher it is in stress than in calm.

    A week is in stress where the two assets' mean absolute return, each in its own standard
    deviations, over the 13 weeks that end with it is among the highest fifth.

    Parameters
    ----------
    weekly : ndarray of shape (..., 2, n_weeks), log returns

    Returns
    -------
    ndarray of shape (..., 2)
    """
    sizes = np.abs(weekly / weekly.std(axis=-1, keepdims=True)).mean(axis=-2)
    sums = np.cumsum(sizes, axis=-1)
    state = sums[..., STATE_WEEKS - 1 :].copy()
    state[..., 1:] -= sums[..., :-STATE_WEEKS]
    stress = state > np.quantile(state, 1 - STRESS_SHARE, axis=-1, keepdims=True)
    late = weekly[..., STATE_WEEKS - 1 :]
    everywhere = np.ones(weekly.shape[-1:], dtype=bool)
    whole = _correlation(weekly, everywhere)
    return np.stack([whole, _correlation(late, stress) - _correlation(late, ~stress)], axis=-1)


def _correlation(pair: FloatArray, chosen: FloatArray) -> FloatArray:
    """Return the correlation over the chosen weeks, shape (...,)."""
    weight = chosen[..., None, :] / chosen.sum(axis=-1)[..., None, None]
    centred = pair - (pair * weight).sum(axis=-1, keepdims=True)
    covariance = np.einsum("...it,...jt->...ij", centred * weight, centred)
    deviations = np.sqrt(np.einsum("...ii->...i", covariance))
    found: FloatArray = covariance[..., 0, 1] / (deviations[..., 0] * deviations[..., 1])
    return found
