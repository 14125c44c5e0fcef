"""How long the blocks of a stationary bootstrap should be, chosen from the series itself.

The mean block length that minimises the mean squared error of the bootstrap's variance of a
mean is (2 G^2 / D)^(1/3) n^(1/3), D = 2 g(0)^2, with the autocovariances R(k) in a flat-top
window of half-width M:

    g(0) = sum w(k / M) R(k),   G = sum w(k / M) |k| R(k),   k from -M to M
    w(x) = 1 up to |x| = 1/2, then 2 (1 - |x|) down to 0

References
----------
Politis and White (2004), doi:10.1081/ETC-120028836.
Patton, Politis and White (2009), doi:10.1080/07474930802459016: D is corrected there.
"""

from __future__ import annotations

import math

import numpy as np

from simulator.units import FloatArray


def optimal_block_days(series: FloatArray) -> float:
    """Return the best mean block length of the stationary bootstrap, at least 1.

    Parameters
    ----------
    series : ndarray of shape (n,)

    Notes
    -----
    M is twice the first lag of the first run of insignificant autocorrelations, as in the
    authors' program (their text counts from the lag before). At most 3 sqrt(n) and n / 3.
    """
    n = series.size
    deviations = series - series.mean()
    half_width = min(2 * _first_insignificant_lag(deviations), _most_lags(n))
    lags = np.arange(1, half_width + 1)
    weights = np.minimum(1.0, 2 * (1 - lags / half_width))
    covariances = np.array([_covariance(deviations, lag) for lag in lags])
    slope = 2 * float(np.sum(weights * lags * covariances))
    spectrum = _covariance(deviations, 0) + 2 * float(np.sum(weights * covariances))
    if spectrum == 0:
        return 1.0
    best = (slope**2 / spectrum**2 * n) ** (1 / 3)
    return float(min(max(best, 1.0), math.ceil(min(3 * math.sqrt(n), n / 3))))


def _covariance(deviations: FloatArray, lag: int) -> float:
    n = deviations.size
    return float(deviations[lag:] @ deviations[: n - lag]) / n


def _run_length(n: int) -> int:
    return max(5, int(math.log10(n)))


def _most_lags(n: int) -> int:
    return math.ceil(math.sqrt(n)) + _run_length(n)


def _first_insignificant_lag(deviations: FloatArray) -> int:
    """Return the first of K lags in a row whose autocorrelations are all within the band."""
    n = deviations.size
    run, most = _run_length(n), _most_lags(n)
    band = 2 * math.sqrt(math.log10(n) / n)
    within = 0
    for lag in range(1, most + 1):
        later, earlier = deviations[lag:], deviations[: n - lag]
        scale = math.sqrt(float(later @ later) * float(earlier @ earlier))
        within = within + 1 if abs(float(later @ earlier)) < band * scale else 0
        if within == run:
            return lag - run + 1
    return most
