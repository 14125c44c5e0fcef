"""How assets move together: correlation, and one tail index for all of them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

from simulator.market.calibration.diffusion import Estimate, FitError
from simulator.market.calibration.newey_west import MAX_LAGS, standard_error_of_mean
from simulator.scenario.calibration import SMALLEST_EIGENVALUE
from simulator.units import FloatArray

IntegerArray = npt.NDArray[np.int64]

MIN_DOF, MAX_DOF = 2.05, 60.0


def correlation(
    first: FloatArray, second: FloatArray, periods_per_year: int = MAX_LAGS
) -> Estimate:
    """Return Pearson's correlation with a standard error that allows for clustering.

    The error is Newey and West's on the influence x·y − ρ/2·(x² + y²) of each period. For
    independent normal returns it falls back to Fisher's (1 − ρ²)/√n; on daily metals it is
    three times that.

    Parameters
    ----------
    first, second : ndarray of shape (n_periods,)
    """
    x, y = ((series - series.mean()) / series.std() for series in (first, second))
    value = float(np.mean(x * y))
    influence = x * y - value / 2 * (x**2 + y**2)
    return Estimate(value, standard_error_of_mean(influence, periods_per_year))


def fisher_error(value: float, n_periods: int) -> float:
    """Return the standard error of a correlation of independent normal returns."""
    return (1 - value**2) / math.sqrt(n_periods - 3)


def rolling_correlation_range(
    first: FloatArray, second: FloatArray, window: int, step: int = 21
) -> tuple[float, float]:
    """Return the lowest and highest correlation over windows of `window` periods.

    Parameters
    ----------
    first, second : ndarray of shape (n_periods,)
    """
    values = [
        np.corrcoef(first[end - window : end], second[end - window : end])[0, 1]
        for end in range(window, len(first) + 1, step)
    ]
    return float(min(values)), float(max(values))


def joint_degrees_of_freedom(
    *groups: FloatArray, days: Sequence[IntegerArray] | None = None
) -> Estimate:
    """Return the degrees of freedom of a multivariate t of unit variances.

    Maximum likelihood over one parameter, the correlation being given by the residuals'
    ranks; the standard error is robust (scores against curvature). Several groups share the
    parameter: their log likelihoods are added (a composite likelihood), and the scores of one
    day count as one, because groups are wild on the same days.

    Parameters
    ----------
    *groups : ndarray of shape (n_periods, n_assets)
        Residuals of assets that close together, standardised to unit variance.
    days : sequence of ndarray of shape (n_periods,), optional
        The day of each group's periods, as any whole number.

    Raises
    ------
    FitError
        Columns are copies of each other.

    Notes
    -----
    The standard error is NaN at either end of the range: no tail was found, or no variance.

    References
    ----------
    Varin, Reid and Firth (2011), Statistica Sinica 21:5.
    """
    from scipy.optimize import minimize_scalar  # slow to load: only a fit needs it

    measured = [(_distances(residuals), residuals.shape[1]) for residuals in groups]

    def density(dof: float) -> FloatArray:
        return np.concatenate([_log_density(far, n_assets, dof) for far, n_assets in measured])

    found = minimize_scalar(
        lambda dof: -density(dof).sum(),
        bounds=(MIN_DOF, MAX_DOF),
        method="bounded",
        options={"xatol": 1e-9},
    )
    dof = float(found.x)
    if dof < MIN_DOF + 0.01 or dof > MAX_DOF - 0.1:
        return Estimate(dof, math.nan)
    step = 1e-3 * (dof - 2)
    below, here, above = (density(dof + shift) for shift in (-step, 0.0, step))
    scores = (above - below) / (2 * step)
    if days is not None:
        _, day = np.unique(np.concatenate(days), return_inverse=True)
        scores = np.asarray(np.bincount(day, weights=scores), dtype=np.float64)
    curvature = float((above - 2 * here + below).sum()) / step**2
    return Estimate(dof, math.sqrt(float(scores @ scores)) / abs(curvature))


def _distances(residuals: FloatArray) -> FloatArray:
    """Return the squared Mahalanobis distance of each period."""
    matrix = rank_correlation(residuals)
    if np.linalg.eigvalsh(matrix)[0] < SMALLEST_EIGENVALUE:
        raise FitError("columns move as one; keep one of each kind")
    distances: FloatArray = np.einsum("ti,ij,tj->t", residuals, np.linalg.inv(matrix), residuals)
    return distances


def rank_correlation(residuals: FloatArray) -> FloatArray:
    """Return the correlation matrix of an elliptical sample, sin(π τ / 2) of Kendall's τ.

    Pearson's estimate would be as noisy as the tail is heavy, and spoil that tail's fit.

    Parameters
    ----------
    residuals : ndarray of shape (n_periods, n_assets)

    Returns
    -------
    ndarray of shape (n_assets, n_assets)

    References
    ----------
    Lindskog, McNeil and Schmock (2003), doi:10.1007/978-3-642-59365-9_8.
    """
    from scipy.stats import kendalltau  # slow to load: only a fit needs it

    matrix = np.eye(residuals.shape[1])
    for i, j in itertools.combinations(range(len(matrix)), 2):
        tau = float(kendalltau(residuals[:, i], residuals[:, j]).statistic)
        matrix[i, j] = matrix[j, i] = math.sin(math.pi * tau / 2)
    return matrix


def _log_density(distances: FloatArray, n_assets: int, dof: float) -> FloatArray:
    """Return the log density but for the determinant, which does not depend on `dof`."""
    constant = (
        gammaln((dof + n_assets) / 2)
        - gammaln(dof / 2)
        - n_assets / 2 * math.log(math.pi * (dof - 2))
    )
    density: FloatArray = constant - (dof + n_assets) / 2 * np.log1p(distances / (dof - 2))
    return density
