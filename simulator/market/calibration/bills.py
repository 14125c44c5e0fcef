"""Treasury bills, whose price is hardly a risk: what a change of the short rate does to them.

There is no table of their prices. A ladder of three-month bills lasts six weeks on average, so
that a rise of the short rate by one point costs it an eighth of a point.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass, replace

import pandas as pd

from simulator.market.calibration import dependence, diffusion
from simulator.market.calibration.diffusion import Estimate
from simulator.market.calibration.figures import Origin
from simulator.market.calibration.measured import sources
from simulator.market.calibration.months import month_returns, since, together, window
from simulator.market.calibration.panel import Panel
from simulator.market.calibration.rates import MONEY_SINCE, MONTHS_PER_YEAR, PERCENT
from simulator.market.calibration.regression import weak_t
from simulator.scenario import calibration as models
from simulator.units import DAYS_PER_YEAR, FloatArray

BILLS = "treasury_bills"
DURATION_YEARS = 0.125
START = 100.0
MIN_MONTHS = 36
_NONE = math.nan
_NO_DAYS = "no daily prices: a constant variance is assumed"
_DERIVED = (
    f"monthly changes of the federal funds rate times a duration of {DURATION_YEARS} years, "
    "an assumption"
)


@dataclass(frozen=True)
class Bills:
    """The figures of Treasury bills and their correlation with each other asset."""

    asset: models.AssetCalibration
    correlations: tuple[models.Correlation, ...]


def fit_bills(panel: Panel, as_of: dt.date) -> Bills | None:
    """Return the bills' figures, None where no short rate is known."""
    rate = panel.monthly("fed_funds")
    if rate is None:
        return None
    changes = since(rate.values, MONEY_SINCE).diff().iloc[1:].dropna()
    if len(changes) < MIN_MONTHS:
        return None
    returns = changes * (-DURATION_YEARS * PERCENT)
    origin = Origin(rate.source, window(returns.index))
    correlations = []
    for asset, closes in panel.closes.items():
        (first, second), common = together(month_returns(closes), returns)
        pair_origin = Origin(sources([closes.source, rate.source]), window(common))
        correlations.append(_correlation(pair_origin, asset, first, second))
    return Bills(_asset(origin, returns, as_of), tuple(correlations))


def _asset(origin: Origin, returns: pd.Series[float], as_of: dt.date) -> models.AssetCalibration:
    annual = diffusion.volatility(returns.to_numpy(dtype="float64"), MONTHS_PER_YEAR)
    zero = Estimate(0.0, _NONE)
    variance = Estimate(
        annual.value**2 / DAYS_PER_YEAR, 2 * annual.value * annual.standard_error / DAYS_PER_YEAR
    )
    assumed = replace(origin, mark="assumption")
    derived = replace(origin, mark="secondary")
    none = "none is known, none is assumed"
    return models.AssetCalibration(
        periods_per_year=DAYS_PER_YEAR,
        price=replace(assumed, window=(as_of, as_of)).figure(
            models.Price, Estimate(START, _NONE), "USD/index", "index of a ladder of bills"
        ),
        volatility=derived.figure(models.Volatility, annual, "1/sqrt(year)", _DERIVED),
        alpha=assumed.figure(models.Weight, zero, note=_NO_DAYS),
        gamma=assumed.figure(models.Asymmetry, zero, note=_NO_DAYS),
        beta=assumed.figure(models.Weight, zero, note=_NO_DAYS),
        variance_start=derived.figure(models.PeriodVariance, variance, "1/period", _DERIVED),
        degrees_of_freedom=assumed.figure(
            models.DegreesOfFreedom, Estimate(6.0, _NONE), note=_NO_DAYS
        ),
        jump_intensity=assumed.figure(models.JumpRate, zero, "1/year", none),
        jump_mean=assumed.figure(models.JumpMean, zero, "log return", none),
        jump_sd=assumed.figure(models.JumpDeviation, zero, "log return", none),
    )


def _correlation(
    origin: Origin, asset: str, first: FloatArray, second: FloatArray
) -> models.Correlation:
    pair = {"between": (asset, BILLS)}
    if len(first) < MIN_MONTHS:
        assumed = replace(origin, mark="assumption")
        fields = assumed.fields(Estimate(0.0, _NONE), "1", "too few months in common")
    else:
        note = "monthly; the rate is a monthly average, so this is a lower bound of its size"
        estimate = dependence.correlation(first, second, MONTHS_PER_YEAR)
        fields = {**origin.fields(estimate, "1", note), "weak": weak_t(estimate)}
    return models.Correlation.model_validate({**pair, **fields})
