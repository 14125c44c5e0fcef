"""Least squares with standard errors that allow for autocorrelation and changing variance."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from simulator.market.calibration.diffusion import Estimate, FitError
from simulator.units import FloatArray

SMALLEST_T = 2.0
"""Below this an estimate cannot be told from 0 at the usual 5 %."""
_WORST_CONDITION = 1e14


@dataclass(frozen=True, eq=False)
class Regression:
    """A fitted line.

    Attributes
    ----------
    intercept : Estimate
    slopes : tuple of Estimate
        One for each regressor.
    covariance : ndarray of shape (n_regressors + 1, n_regressors + 1)
        Of the intercept and the slopes.
    residuals : ndarray of shape (n_periods,)
    r_squared : float
    """

    intercept: Estimate
    slopes: tuple[Estimate, ...]
    covariance: FloatArray
    residuals: FloatArray
    r_squared: float

    @property
    def n_periods(self) -> int:
        """Return the number of observations."""
        return len(self.residuals)

    @property
    def deviation(self) -> float:
        """Return the standard deviation of the residuals, degrees of freedom counted."""
        free = self.n_periods - len(self.covariance)
        return math.sqrt(float(self.residuals @ self.residuals) / free)


def least_squares(outcome: FloatArray, *regressors: FloatArray, lags: int = 0) -> Regression:
    """Regress on a constant and `regressors`.

    Standard errors are Newey and West's with Bartlett weights over `lags` (White's for none),
    scaled by n / (n - k).

    Parameters
    ----------
    outcome, *regressors : ndarray of shape (n_periods,)

    Raises
    ------
    FitError
        There are hardly more periods than weights, or the regressors do not vary apart.

    References
    ----------
    Newey and West (1987), doi:10.2307/1913610.
    """
    if len(outcome) < 2 * (len(regressors) + 2):
        raise FitError(f"{len(outcome)} values are too few for a regression")
    if np.ptp(outcome) == 0 or any(np.ptp(regressor) == 0 for regressor in regressors):
        raise FitError("a series does not vary")
    design = np.column_stack([np.ones(len(outcome)), *regressors])
    moment = design.T @ design
    if np.linalg.cond(moment) > _WORST_CONDITION:
        raise FitError("the regressors move as one")
    inverse = np.linalg.inv(moment)
    weights = inverse @ design.T @ outcome
    residuals = outcome - design @ weights
    moments = design * residuals[:, None]
    middle = moments.T @ moments
    for lag in range(1, lags + 1):
        shifted = moments[lag:].T @ moments[:-lag]
        middle += (1 - lag / (lags + 1)) * (shifted + shifted.T)
    n_periods, n_weights = design.shape
    covariance = inverse @ middle @ inverse * n_periods / (n_periods - n_weights)
    errors = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    estimates = [Estimate(float(w), float(e)) for w, e in zip(weights, errors, strict=True)]
    deviations = outcome - outcome.mean()
    return Regression(
        intercept=estimates[0],
        slopes=tuple(estimates[1:]),
        covariance=covariance,
        residuals=residuals,
        r_squared=1 - float(residuals @ residuals) / float(deviations @ deviations),
    )


def t_statistic(estimate: Estimate) -> float:
    """Return how many standard errors an estimate is from 0."""
    if estimate.standard_error == 0:
        return math.inf
    return estimate.value / estimate.standard_error


def weak_t(estimate: Estimate) -> str:
    """Return why an estimate cannot be told from 0, empty where it can."""
    if math.isnan(estimate.standard_error):
        return "no standard error could be worked out"
    size = abs(t_statistic(estimate))
    return f"|t| = {size:.1f}, below {SMALLEST_T:g}" if size < SMALLEST_T else ""
