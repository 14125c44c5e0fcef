"""Volatility, GJR-GARCH(1,1) with Student t innovations, and jump days of one asset.

The model: r_t = μ + √h_t z_t, with z of unit variance and
h_{t+1} = ω + (α + γ·1[ε_t < 0]) ε_t² + β h_t, ε_t = r_t − μ.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator.errors import UsageError
from simulator.market.calibration.newey_west import standard_error_of_mean
from simulator.units import FloatArray

MAX_PERSISTENCE = 0.995
"""Half-life of a variance surprise of 138 days; silver's and gold's fits reach 1.0.

What looks like longer memory is, for a part, that the level of volatility itself has changed
(Lamoureux and Lastrapes 1990, doi:10.1080/07350015.1990.10509794).
"""
SMALLEST_DEVIATION = 1e-6
BIPOWER_DAYS = 60
JUMP_THRESHOLD = 4.0
_DECIMALS = 5
_GRID = 1e-5
_OTHER_STARTS = (
    (0.0, 0.05, 0.05, 0.0, 0.90, 8.0),
    (0.0, 0.30, 0.05, 0.0, 0.65, 8.0),
    (0.0, 0.90, 0.02, 0.0, 0.05, 8.0),
)
"""Mean, omega, alpha, gamma, beta, degrees of freedom of returns of unit variance."""
_WEIGHTS = ["alpha[1]", "gamma[1]", "beta[1]"]


class FitError(Exception):
    """The estimation has no usable answer; the message says why."""


@dataclass(frozen=True)
class Estimate:
    """An estimated number; the standard error is NaN where there is none."""

    value: float
    standard_error: float


@dataclass(frozen=True)
class GarchFit:
    """A fitted variance recursion.

    Attributes
    ----------
    alpha, gamma, beta : Estimate
        `beta` is the one to simulate with: lowered where the persistence was above the cap.
    fitted_beta : float
    degrees_of_freedom : Estimate
    variance_next : Estimate
        Filtered variance of the period after the last return, per period.
    residuals : ndarray of shape (n_returns,)
        Standardised, of the fit before the cap.
    """

    alpha: Estimate
    gamma: Estimate
    beta: Estimate
    fitted_beta: float
    degrees_of_freedom: Estimate
    variance_next: Estimate
    residuals: FloatArray

    @property
    def fitted_persistence(self) -> float:
        """Return α + γ/2 + β as fitted."""
        return self.alpha.value + self.gamma.value / 2 + self.fitted_beta

    @property
    def capped(self) -> bool:
        """Return whether beta was lowered."""
        return self.beta.value < self.fitted_beta


def volatility(returns: FloatArray, periods_per_year: float) -> Estimate:
    """Return the annual standard deviation of log returns.

    Parameters
    ----------
    returns : ndarray of shape (n_returns,), per period
    """
    variance = sample_variance(returns)
    annual = math.sqrt(variance.value * periods_per_year)
    return Estimate(annual, variance.standard_error * periods_per_year / (2 * annual))


def sample_variance(returns: FloatArray) -> Estimate:
    """Return the variance per period; its error is Newey and West's on squared deviations.

    Parameters
    ----------
    returns : ndarray of shape (n_returns,), per period
    """
    squares = (returns - returns.mean()) ** 2
    return Estimate(float(squares.sum()) / (len(returns) - 1), standard_error_of_mean(squares))


def fit_garch(returns: FloatArray) -> GarchFit:
    """Fit by maximum likelihood with a constant mean; standard errors are robust.

    The variance is targeted: ω is replaced by what makes the long-run variance the sample's,
    because a persistence near 1 leaves the fitted one without meaning.

    Parameters
    ----------
    returns : ndarray of shape (n_returns,), per period

    Raises
    ------
    FitError
        The returns do not vary, or the optimiser does not converge.
    UsageError
        The package `arch` is not installed.
    """
    scale = float(returns.std())
    if scale < SMALLEST_DEVIATION:
        raise FitError("prices hardly move; a volatility cannot be fitted")
    result = _arch_fit(returns / scale)
    fitted = allowed_weights(result.params[_WEIGHTS].to_numpy(dtype=np.float64))
    alpha, gamma, beta = fitted.tolist()
    errors = result.std_err[_WEIGHTS].to_numpy().tolist()
    return GarchFit(
        alpha=Estimate(alpha, errors[0]),
        gamma=Estimate(gamma, errors[1]),
        beta=Estimate(capped_beta(alpha, gamma, beta), errors[2]),
        fitted_beta=beta,
        degrees_of_freedom=Estimate(float(result.params["nu"]), float(result.std_err["nu"])),
        variance_next=_next_variance_estimate(
            returns,
            returns - float(result.params["mu"]) * scale,
            fitted,
            result.param_cov.loc[_WEIGHTS, _WEIGHTS].to_numpy(),
        ),
        residuals=np.asarray(result.resid / result.conditional_volatility, dtype=np.float64),
    )


def allowed_weights(weights: FloatArray) -> FloatArray:
    """Return α, γ, β, shape (3,), on their grid, where the variance cannot turn negative.

    An optimum on a bound, as of returns without clusters, may miss it by a rounding error.
    """
    alpha, gamma, beta = weights.round(_DECIMALS).tolist()
    alpha = max(alpha, 0.0)
    return np.array([alpha, max(gamma, -alpha), max(beta, 0.0)])


def _arch_fit(returns: FloatArray) -> Any:
    try:
        from arch import arch_model
    except ImportError:
        message = 'calibration needs the package arch: pip install "assay-sim[calibrate]"'
        raise UsageError(message) from None
    model = arch_model(returns, mean="Constant", p=1, o=1, q=1, dist="t", rescale=False)
    # The tightest tolerance makes the digits reproducible; flat likelihoods need a looser one.
    for tolerance in (1e-12, 1e-9, 1e-6):
        result = _optimum(model, tolerance)
        if result is not None:
            return result
    # Returns without clusters leave the weights undetermined, and the usual start on a ridge.
    found = [_optimum(model, 1e-9, np.array(start)) for start in _OTHER_STARTS]
    converged = [result for result in found if result is not None]
    if not converged:
        raise FitError("the GJR-GARCH fit does not converge")
    return max(converged, key=lambda result: float(result.loglikelihood))


def _optimum(model: Any, tolerance: float, start: FloatArray | None = None) -> Any:
    """Return the fit, or None where the optimiser gave up."""
    result = model.fit(
        disp="off",
        tol=tolerance,
        starting_values=start,
        options={"maxiter": 1000},
        show_warning=False,
    )
    usable = result.convergence_flag == 0 and np.isfinite(result.params).all()
    return result if usable else None


def capped_beta(alpha: float, gamma: float, beta: float) -> float:
    """Return beta, lowered where the persistence α + γ/2 + β would exceed its cap."""
    room = MAX_PERSISTENCE - alpha - gamma / 2
    # Rounded down, so that the persistence of the rounded figures keeps to the cap.
    return min(beta, round(math.floor(room / _GRID + 1e-6) * _GRID, _DECIMALS))


def next_variance(
    deviations: FloatArray, long_run: float, alpha: float, gamma: float, beta: float
) -> float:
    """Return the variance of the period after the last deviation.

    Parameters
    ----------
    deviations : ndarray of shape (n_returns,)
        Returns less their mean, per period.
    long_run : float
        Variance to which the recursion is targeted and from which it starts, per period.
    """
    omega = long_run * (1 - alpha - gamma / 2 - beta)
    variance = long_run
    for deviation in deviations.tolist():
        weight = alpha + gamma if deviation < 0 else alpha
        variance = omega + weight * deviation * deviation + beta * variance
    return variance


def _next_variance_estimate(
    returns: FloatArray, deviations: FloatArray, weights: FloatArray, covariance: FloatArray
) -> Estimate:
    """Return the filtered variance with the error that its parameters' errors make.

    Delta method, the long-run variance taken as independent of the weights.

    Parameters
    ----------
    weights : ndarray of shape (3,)
        α, γ, β as fitted, before the cap.
    covariance : ndarray of shape (3, 3)
    """
    sample = sample_variance(returns)
    long_run = sample.value

    def filtered(values: FloatArray, variance: float) -> float:
        alpha, gamma, beta = (float(value) for value in values)
        beta = min(beta, MAX_PERSISTENCE - alpha - gamma / 2)
        return next_variance(deviations, variance, alpha, gamma, beta)

    step = 1e-5
    shifts = step * np.eye(3)
    slopes = np.array(
        [
            (filtered(weights + shift, long_run) - filtered(weights - shift, long_run)) / (2 * step)
            for shift in shifts
        ]
    )
    here = filtered(weights, long_run)
    # The recursion is linear in the long-run variance, so a finite step gives its slope.
    long_run_slope = (filtered(weights, 2 * long_run) - here) / long_run
    squared_error = slopes @ covariance @ slopes + (long_run_slope * sample.standard_error) ** 2
    return Estimate(here, math.sqrt(max(0.0, squared_error)))


def jump_returns(returns: FloatArray) -> FloatArray:
    """Return the returns beyond 4 robust standard deviations of the 60 periods before.

    The deviation is the root of bipower variation, π/2 · mean |r_t||r_{t−1}|, which a single
    jump hardly moves.

    Returns
    -------
    ndarray of shape (n_jumps,)

    References
    ----------
    Barndorff-Nielsen and Shephard (2004), doi:10.1093/jjfinec/nbh001.
    """
    products = np.abs(returns[1:] * returns[:-1])
    sums = np.cumsum(np.concatenate(([0.0], products)))
    bipower = np.pi / 2 * np.maximum(sums[BIPOWER_DAYS:] - sums[:-BIPOWER_DAYS], 0) / BIPOWER_DAYS
    # products[k] ends on return k + 1; the window must end on the day before the tested one.
    tested = returns[BIPOWER_DAYS + 1 :]
    beyond = np.abs(tested) > JUMP_THRESHOLD * np.sqrt(bipower[:-1])
    jumps: FloatArray = tested[beyond]
    return jumps
