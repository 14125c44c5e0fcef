"""Two states of volatility that take turns: a Markov switching model of one return series."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator.market.calibration.diffusion import Estimate, FitError
from simulator.market.calibration.optional import statsmodels
from simulator.units import FloatArray


@dataclass(frozen=True)
class TwoStates:
    """A calm and a wild state with one mean.

    Attributes
    ----------
    calm_volatility, wild_volatility : Estimate
        Standard deviation of one period's return.
    calm_duration, wild_duration : Estimate
        Mean stay, periods.
    wild_now : float
        Smoothed probability of the wild state in the last period.
    """

    calm_volatility: Estimate
    wild_volatility: Estimate
    calm_duration: Estimate
    wild_duration: Estimate
    wild_now: float


def two_states(returns: FloatArray) -> TwoStates:
    """Fit by maximum likelihood; errors from the Hessian, by the delta method.

    Parameters
    ----------
    returns : ndarray of shape (n_periods,)

    Raises
    ------
    FitError
        The optimiser does not converge, or the states coincide.
    UsageError
        The package `statsmodels` is not installed.

    References
    ----------
    Hamilton (1989), doi:10.2307/1912559.
    """
    scale = float(returns.std())
    fit = _fit(returns / scale)
    names = list(fit.model.param_names)
    values = dict(zip(names, np.asarray(fit.params).tolist(), strict=True))
    errors = dict(zip(names, _errors(fit), strict=True))
    calm, wild = sorted((0, 1), key=lambda state: values[f"sigma2[{state}]"])
    stay = {0: values["p[0->0]"], 1: 1 - values["p[1->0]"]}
    stay_error = {0: errors["p[0->0]"], 1: errors["p[1->0]"]}
    return TwoStates(
        calm_volatility=_deviation(values, errors, calm, scale),
        wild_volatility=_deviation(values, errors, wild, scale),
        calm_duration=_duration(stay[calm], stay_error[calm]),
        wild_duration=_duration(stay[wild], stay_error[wild]),
        wild_now=float(np.asarray(fit.smoothed_marginal_probabilities)[-1, wild]),
    )


def _fit(returns: FloatArray) -> Any:
    regression = statsmodels("tsa.regime_switching.markov_regression")
    model = regression.MarkovRegression(
        returns, k_regimes=2, trend="c", switching_trend=False, switching_variance=True
    )
    with warnings.catch_warnings():
        # What it would warn of is asked for below: convergence, and errors that are numbers.
        warnings.simplefilter("ignore")
        with np.errstate(all="ignore"):
            try:
                fit = model.fit(disp=False, maxiter=500)
            except (ValueError, np.linalg.LinAlgError) as error:
                raise FitError(f"the two-state fit breaks off: {error}") from None
    if not fit.mle_retvals["converged"]:
        raise FitError("the two-state fit does not converge")
    return fit


def _errors(fit: Any) -> list[float]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with np.errstate(all="ignore"):
            return [float(error) for error in np.asarray(fit.bse)]


def _deviation(
    values: dict[str, float], errors: dict[str, float], state: int, scale: float
) -> Estimate:
    root = math.sqrt(values[f"sigma2[{state}]"])
    return Estimate(root * scale, errors[f"sigma2[{state}]"] / (2 * root) * scale)


def _duration(stay: float, error: float) -> Estimate:
    """Return 1 / (1 - stay) with its delta-method error."""
    leave = 1 - stay
    if leave <= 0:
        raise FitError("the two-state fit never leaves a state")
    return Estimate(1 / leave, error / leave**2)
