"""The fair value of a cover: Black's formula with the variance of an average.

    V = e^(-r T) (K N(-d2) - F N(-d1)),  d1 = ln(F / K) / s + s / 2,  d2 = d1 - s

with the forward F equal to the price (copper costs about what it earns to hold) and
s^2 = sigma^2 m, m the variance of the mean of the window's prices over that of a year. For a
window of one day this is the European put; for a longer one the mean is taken as lognormal.

References: F. Black (1976), doi:10.1016/0304-405X(76)90024-6.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from simulator.units import BoolArray, FloatArray


def put(forward: FloatArray, strike: FloatArray, deviation: float) -> FloatArray:
    """Return the undiscounted value of a put, shape (n_paths,), USD per tonne.

    Parameters
    ----------
    forward, strike : ndarray of shape (n_paths,), USD per tonne
        Above zero.
    deviation : float
        Of the log of the price at settlement, above zero.
    """
    d1 = np.log(forward / strike) / deviation + 0.5 * deviation
    value: FloatArray = strike * ndtr(deviation - d1) - forward * ndtr(-d1)
    return value


def mean_variance(trading: BoolArray, bought: int, end: int, window: int) -> float:
    """Return the variance of the mean log price over that of one trading day.

    The settlement is the mean of the prices of the days `end - window` to `end - 1`; prices
    move on trading days alone. Days of the window before the purchase have none.

    Parameters
    ----------
    trading : ndarray of bool, shape (n_steps + 1,) or longer
        Whether the price moves on the step.
    bought, end, window : int
        Steps of purchase and expiry, and days of the window.
    """
    moved = np.cumsum(trading[bought + 1 : end])
    ticks = np.array([moved[d - bought - 1] if d > bought else 0 for d in range(end - window, end)])
    return float(np.minimum.outer(ticks, ticks).mean())
