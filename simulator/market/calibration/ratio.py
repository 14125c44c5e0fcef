"""The gold-silver ratio: its level, the speed of its return, and how sure that is."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from simulator.market.calibration.diffusion import Estimate, FitError
from simulator.market.calibration.optional import statsmodels
from simulator.market.calibration.regression import least_squares
from simulator.units import FloatArray

MAX_COINTEGRATION_P = 0.05


@dataclass(frozen=True)
class RatioFit:
    """An error correction of silver towards gold: ds = a + b dg + pull ln(ratio before) + e.

    Attributes
    ----------
    equilibrium : Estimate
        Geometric mean of the ratio, ounces of silver for one of gold.
    beta : Estimate
        Silver's log return for one of gold.
    pull : Estimate
        Share of the log gap that closes in a period.
    speed, half_life : Estimate
        1/year, years.
    residual_volatility : float
        Annual, of e.
    cointegration_p : float
        Of Engle and Granger's test that the two do not belong together; the larger one of
        silver on gold and gold on silver.
    """

    equilibrium: Estimate
    beta: Estimate
    pull: Estimate
    speed: Estimate
    half_life: Estimate
    residual_volatility: float
    cointegration_p: float

    @property
    def weak(self) -> str:
        """Return why the return is hardly seen, empty where it is."""
        if self.cointegration_p <= MAX_COINTEGRATION_P:
            return ""
        return (
            f"cointegration of gold and silver is not shown: p = {self.cointegration_p:.2f}, "
            f"above {MAX_COINTEGRATION_P}"
        )


def fit_ratio(gold: FloatArray, silver: FloatArray, periods_per_year: int) -> RatioFit:
    """Fit the return of the ratio to its mean; silver moves, gold does not.

    Parameters
    ----------
    gold, silver : ndarray of shape (n_periods,), prices in the same unit

    Raises
    ------
    FitError
        Silver does not move towards gold.
    UsageError
        The package `statsmodels` is not installed.
    """
    gap = np.log(gold) - np.log(silver)
    line = least_squares(
        np.diff(np.log(silver)), np.diff(np.log(gold)), gap[:-1], lags=periods_per_year // 4
    )
    beta, pull = line.slopes
    if not 0 < pull.value < 1:
        raise FitError(f"silver does not return to gold: pull {pull.value:.4f} a period")
    speed = -math.log(1 - pull.value) * periods_per_year
    speed_error = pull.standard_error / (1 - pull.value) * periods_per_year
    half_life = math.log(2) / speed
    # A deviation that returns at speed k has k T / 2 independent values.
    independent = max(2.0, speed * len(gap) / periods_per_year / 2)
    level = math.exp(float(gap.mean()))
    level_error = level * float(gap.std()) / math.sqrt(independent)
    return RatioFit(
        equilibrium=Estimate(level, level_error),
        beta=beta,
        pull=pull,
        speed=Estimate(speed, speed_error),
        half_life=Estimate(half_life, half_life * speed_error / speed),
        residual_volatility=line.deviation * math.sqrt(periods_per_year),
        cointegration_p=_engle_granger(np.log(gold), np.log(silver)),
    )


def _engle_granger(first: FloatArray, second: FloatArray) -> float:
    test = statsmodels("tsa.stattools").coint
    return max(float(test(first, second)[1]), float(test(second, first)[1]))
