"""Processes that return to a mean: AR(1) and its continuous form, Ornstein-Uhlenbeck.

x_(t+1) = m + phi (x_t - m) + s e_t is dx = kappa (m - x) dt + sigma dW seen every dt years, with

    kappa = -ln(phi) / dt,   sigma = s sqrt(2 kappa / (1 - phi^2)),   half-life = ln 2 / kappa.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from simulator.market.calibration.diffusion import Estimate, FitError
from simulator.market.calibration.regression import Regression, least_squares
from simulator.units import FloatArray

UNIT_ROOT_T = -2.86
"""Dickey and Fuller's 5 % point with a constant: above it, a random walk is not rejected."""


@dataclass(frozen=True)
class Reversion:
    """A fitted Ornstein-Uhlenbeck process, and the AR(1) behind it.

    Attributes
    ----------
    persistence : Estimate
        phi, of one period.
    speed, half_life : Estimate
        1/year, years.
    long_run, volatility : Estimate
        In the unit of the series; the volatility is of one year.
    unit_root_t : float
        Of phi - 1; Dickey and Fuller's distribution, not Student's.
    """

    persistence: Estimate
    speed: Estimate
    half_life: Estimate
    long_run: Estimate
    volatility: Estimate
    unit_root_t: float

    @property
    def weak(self) -> str:
        """Return why the return to the mean is hardly seen, empty where it is."""
        if self.unit_root_t <= UNIT_ROOT_T:
            return ""
        return (
            f"a random walk is not rejected: Dickey-Fuller t = {self.unit_root_t:.1f}, "
            f"above {UNIT_ROOT_T}"
        )


def mean_reversion(values: FloatArray, periods_per_year: float) -> Reversion:
    """Fit by least squares, exact for the discrete observations; delta-method errors.

    Parameters
    ----------
    values : ndarray of shape (n_periods,), equally spaced
        NaN where an observation is missing; both its neighbours stay.

    Raises
    ------
    FitError
        The series does not return to a mean: phi is 1 or more, or not above 0.

    Notes
    -----
    Least squares makes the speed too large, by about 4 / years on average.

    References
    ----------
    Phillips and Yu (2009), doi:10.1007/978-3-540-71297-8_22.
    """
    before, after = _pairs(values)
    line = least_squares(after, before)
    phi = line.slopes[0].value
    if not 0 < phi < 1:
        raise FitError(f"does not return to a mean: persistence {phi:.3f}")
    kappa = -math.log(phi) * periods_per_year
    speed = Estimate(kappa, line.slopes[0].standard_error / phi * periods_per_year)
    half_life = math.log(2) / kappa
    return Reversion(
        persistence=line.slopes[0],
        speed=speed,
        half_life=Estimate(half_life, half_life * speed.standard_error / kappa),
        long_run=_long_run(line),
        volatility=_volatility(line, kappa),
        unit_root_t=_unit_root_t(before, after),
    )


def _pairs(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return successive observations, where both are there."""
    both = np.isfinite(values[:-1]) & np.isfinite(values[1:])
    return values[:-1][both], values[1:][both]


def _long_run(line: Regression) -> Estimate:
    """Return a / (1 - phi) with its delta-method error."""
    gap = 1 - line.slopes[0].value
    mean = line.intercept.value / gap
    slope = np.array([1 / gap, mean / gap])
    return Estimate(mean, math.sqrt(max(0.0, float(slope @ line.covariance @ slope))))


def _volatility(line: Regression, kappa: float) -> Estimate:
    """Return sigma; its error is that of the residuals' deviation, with their kurtosis."""
    phi = line.slopes[0].value
    scale = math.sqrt(2 * kappa / (1 - phi * phi))
    squares = line.residuals**2
    variance = line.deviation**2
    variance_error = float(squares.std()) / math.sqrt(len(squares))
    return Estimate(line.deviation * scale, variance_error / (2 * math.sqrt(variance)) * scale)


def _unit_root_t(before: FloatArray, after: FloatArray) -> float:
    """Return Dickey and Fuller's t, with the classical error that their table assumes."""
    line = least_squares(after - before, before)
    centred = before - before.mean()
    error = line.deviation / math.sqrt(float(centred @ centred))
    return line.slopes[0].value / error
