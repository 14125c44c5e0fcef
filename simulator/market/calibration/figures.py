"""Dresses estimates as the figures of a calibration: unit, source, window, error, note."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from simulator.market.calibration import dependence, diffusion
from simulator.market.calibration.columns import Column
from simulator.market.calibration.dependence import IntegerArray
from simulator.market.calibration.diffusion import Estimate, GarchFit
from simulator.market.calibration.regression import weak_t
from simulator.scenario import calibration as models
from simulator.units import FloatArray

ROLLING_YEARS = 3
DIGITS = 4
"""Far below any standard error. The later digits of an optimum differ between machines."""
WEIGHT_DIGITS = 5
"""The weights are on a grid of 1e-5 already, with their sum held to the cap."""

FigureModel = TypeVar("FigureModel", bound=models.Figure)


@dataclass(frozen=True)
class Origin:
    """Where a group of figures comes from."""

    source: str
    window: tuple[dt.date, dt.date]
    mark: models.Mark = "observed"

    def figure(
        self,
        model: type[FigureModel],
        estimate: Estimate,
        unit: str = "1",
        note: str = "",
        digits: int = DIGITS,
        weak: str = "",
    ) -> FigureModel:
        """Return a figure, rounded to `digits` significant digits."""
        return model.model_validate({**self.fields(estimate, unit, note, digits), "weak": weak})

    def fields(
        self, estimate: Estimate, unit: str, note: str, digits: int = DIGITS
    ) -> dict[str, object]:
        """Return the keys that all figures have."""
        error = estimate.standard_error
        known = math.isfinite(error)
        return {
            "value": significant(estimate.value, digits),
            "unit": unit,
            "source": self.source,
            "window": self.window,
            "standard_error": significant(error, 3) if known else None,
            "mark": self.mark,
            "note": note if known or note else "at the bound of what can be fitted",
        }


def significant(value: float, digits: int) -> float:
    """Return `value` rounded to `digits` significant digits."""
    return float(f"{value:.{digits}g}")


def asset_calibration(
    origin: Origin,
    column: Column,
    last_quote: float,
    returns: FloatArray,
    fit: GarchFit,
    periods_per_year: int,
    rows_per_year: float,
) -> models.AssetCalibration:
    """Return the figures of one asset.

    Parameters
    ----------
    last_quote : float
        Last price in the column's own unit.
    returns : ndarray of shape (n_returns,), log returns per row
    periods_per_year : int
        Of the market's clock.
    rows_per_year : float
        Returns of a year as counted; a variance per row becomes one per period with it.
    """
    intensity, mean, deviation = jump_figures(origin, returns, rows_per_year)
    variance = scaled(fit.variance_next, rows_per_year / periods_per_year)
    return models.AssetCalibration(
        periods_per_year=periods_per_year,
        price=price(origin, column, last_quote),
        volatility=origin.figure(
            models.Volatility,
            diffusion.volatility(returns, rows_per_year),
            "1/sqrt(year)",
        ),
        alpha=origin.figure(models.Weight, fit.alpha, digits=WEIGHT_DIGITS, weak=weak_t(fit.alpha)),
        gamma=origin.figure(
            models.Asymmetry, fit.gamma, digits=WEIGHT_DIGITS, weak=weak_t(fit.gamma)
        ),
        beta=origin.figure(models.Weight, fit.beta, note=_beta_note(fit), digits=WEIGHT_DIGITS),
        variance_start=origin.figure(
            models.PeriodVariance,
            variance,
            "1/period",
            note=f"filtered, of the first period after the window: a volatility of "
            f"{math.sqrt(variance.value * periods_per_year):.1%} a year",
        ),
        degrees_of_freedom=origin.figure(
            models.DegreesOfFreedom,
            fit.degrees_of_freedom,
            note="of this asset alone, a diagnostic; the market draws with that of its class",
        ),
        jump_intensity=intensity,
        jump_mean=mean,
        jump_sd=deviation,
    )


def scaled(estimate: Estimate, factor: float) -> Estimate:
    """Return an estimate in another unit."""
    return Estimate(estimate.value * factor, estimate.standard_error * factor)


def _beta_note(fit: GarchFit) -> str:
    if not fit.capped:
        return ""
    return (
        f"lowered from {fit.fitted_beta:g} to cap the persistence of {fit.fitted_persistence:.4f} "
        f"at {diffusion.MAX_PERSISTENCE}; the error is that of the fit"
    )


def price(origin: Origin, column: Column, last_quote: float) -> models.Price:
    """Return the last price in the asset's own unit, exactly as quoted where it is the same."""
    note = "last close, observed"
    if column.factor != 1:
        note += f": {last_quote:g} USD/{column.quoted_unit} times {column.factor:.9g}"
    return models.Price(
        value=significant(last_quote * column.factor, 9),
        unit=f"USD/{column.unit}",
        source=origin.source,
        window=(origin.window[1], origin.window[1]),
        standard_error=None,
        note=note,
    )


def jump_figures(
    origin: Origin, returns: FloatArray, periods_per_year: float
) -> tuple[models.JumpRate, models.JumpMean, models.JumpDeviation]:
    """Return how often days beyond 4 robust standard deviations come, and how large they are.

    Parameters
    ----------
    returns : ndarray of shape (n_returns,), log returns per period
    """
    jumps = diffusion.jump_returns(returns)
    n_jumps = len(jumps)
    years = (len(returns) - diffusion.BIPOWER_DAYS - 1) / periods_per_year
    mean = float(jumps.mean()) if n_jumps else 0.0
    deviation = float(jumps.std(ddof=1)) if n_jumps > 1 else 0.0
    note = (
        f"{n_jumps} days beyond {diffusion.JUMP_THRESHOLD:g} robust standard deviations; "
        "t shocks hold most of this tail already"
    )
    mean_error = deviation / math.sqrt(n_jumps) if n_jumps > 1 else math.nan
    deviation_error = deviation / math.sqrt(2 * (n_jumps - 1)) if n_jumps > 1 else math.nan
    # No event in T years still leaves an upper bound of about 1/T.
    rate = Estimate(n_jumps / years, math.sqrt(max(n_jumps, 1)) / years)
    return (
        origin.figure(models.JumpRate, rate, "1/year", note),
        origin.figure(
            models.JumpMean,
            Estimate(mean, mean_error),
            "log return",
            note,
            weak=weak_t(Estimate(mean, mean_error)),
        ),
        origin.figure(
            models.JumpDeviation, Estimate(deviation, deviation_error), "log return", note
        ),
    )


def correlation(
    origin: Origin,
    pair: tuple[str, str],
    returns: FloatArray,
    periods_per_year: int,
    note: str = "",
) -> models.Correlation:
    """Return the correlation of two assets and how it wandered over three-year windows.

    Parameters
    ----------
    returns : ndarray of shape (n_returns, 2)
    """
    first, second = returns[:, 0], returns[:, 1]
    estimate = dependence.correlation(first, second, periods_per_year)
    fisher = dependence.fisher_error(estimate.value, len(returns))
    note += f"Fisher's error, for independent days, would be {fisher:.2g}"
    window = ROLLING_YEARS * periods_per_year
    if len(returns) >= 2 * window:
        step = max(1, periods_per_year // 12)
        low, high = dependence.rolling_correlation_range(first, second, window, step)
        note += f"; three-year windows range from {low:.2f} to {high:.2f}"
    fields = origin.fields(estimate, "1", note)
    weak = weak_t(estimate)
    return models.Correlation.model_validate({"between": pair, **fields, "weak": weak})


def joint_degrees_of_freedom(
    origin: Origin, groups: Sequence[FloatArray], days: Sequence[IntegerArray]
) -> models.DegreesOfFreedom:
    """Return the one tail index of the standardised residuals of a class of assets.

    Parameters
    ----------
    groups : sequence of ndarray of shape (n_periods, n_assets)
        One for the assets of each table.
    days : sequence of ndarray of shape (n_periods,)
        Their dates' ordinals.
    """
    estimate = dependence.joint_degrees_of_freedom(*groups, days=days)
    note = "of these assets' standardised residuals together"
    if len(groups) > 1:
        alone = [dependence.joint_degrees_of_freedom(group).value for group in groups]
        note += ", those of one table at a time: alone " + ", ".join(f"{dof:.1f}" for dof in alone)
    note += "; runs use the nearest even integer"
    return origin.figure(models.DegreesOfFreedom, estimate, note=note)
