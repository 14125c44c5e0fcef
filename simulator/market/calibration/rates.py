"""The 10-year real rate, inflation and the nominal rate, as processes that return to a mean."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd

from simulator.market.calibration.diffusion import Estimate, FitError
from simulator.market.calibration.ledger import Ledger
from simulator.market.calibration.measured import Measured, sources
from simulator.market.calibration.months import since, together, window
from simulator.market.calibration.panel import Monthly, Panel
from simulator.market.calibration.prices import DAILY
from simulator.market.calibration.regression import weak_t
from simulator.market.calibration.reversion import mean_reversion
from simulator.scenario.macro_types import (
    MeanReverting,
    NonNegativeFigure,
    PositiveFigure,
    Sourced,
)

MONTHS_PER_YEAR = 12
MATURITY_YEARS = 10
PERCENT = 0.01
MIN_MONTHS = 36
MONEY_SINCE = 1985
"""After the disinflation; before it, inflation and money were another regime."""


@dataclass(frozen=True)
class RateFit:
    """A Vasicek process in fractions a year: 0.01 is 1 %."""

    start: Measured
    long_run: Measured
    speed: Measured
    volatility: Measured

    def group(self) -> MeanReverting:
        """Return the figures as the macro model reads them."""
        return MeanReverting(
            start=self.start.sourced(Sourced),
            long_run=self.long_run.sourced(Sourced),
            speed=self.speed.sourced(PositiveFigure),
            volatility=self.volatility.sourced(NonNegativeFigure),
        )

    def findings(self, name: str) -> dict[str, Measured]:
        """Return the figures under their names, for a reader."""
        return {
            f"{name}_long_run": self.long_run,
            f"{name}_speed": self.speed,
            f"{name}_volatility": self.volatility,
        }


def vasicek(series: Monthly, start: Measured, note: str = "") -> RateFit:
    """Fit the process to monthly values, in fractions."""
    values = series.values.to_numpy(dtype=np.float64)
    fit = mean_reversion(values, MONTHS_PER_YEAR)
    frame = window(series.values.index)
    years = len(values) / MONTHS_PER_YEAR
    half_life = fit.half_life
    speed_note = (
        f"half-life {half_life.value:.1f} ± {half_life.standard_error:.1f} years; AR(1) "
        f"{fit.persistence.value:.4f} a month; least squares makes the speed too large, by "
        f"about 4 / years = {4 / years:.2f}"
    )

    def measured(estimate: Estimate, unit: str, weak: str = "", text: str = "") -> Measured:
        joined = "; ".join(part for part in (text, note) if part)
        return Measured(estimate, unit, series.source, frame, weak, joined)

    return RateFit(
        start=start,
        long_run=measured(fit.long_run, "1/year", weak_t(fit.long_run)),
        speed=measured(fit.speed, "1/year", fit.weak, speed_note),
        volatility=measured(fit.volatility, "1/sqrt(year)"),
    )


def real_rate(panel: Panel) -> RateFit | None:
    """Return the market's real rate: the yield of 10-year inflation-linked bonds."""
    return _yield(panel, "real_yield")


def nominal_rate(panel: Panel) -> RateFit | None:
    """Return the 10-year nominal yield, over its daily history."""
    return _yield(panel, "nominal_yield")


def _yield(panel: Panel, name: str) -> RateFit | None:
    daily, series = panel.find(name, *DAILY), panel.month_ends(name)
    if daily is None or series is None:
        return None
    scaled = Monthly(series.values * PERCENT, series.source)
    last = Estimate(float(daily.values.iloc[-1]) * PERCENT, math.nan)
    day = daily.window[1]
    start = Measured(last, "1/year", daily.source, (day, day), note="last value, observed")
    return vasicek(scaled, start, "from month-ends")


def inflation(panel: Panel) -> RateFit | None:
    """Return 12-month inflation; its long run makes the market's breakeven, where there is one.

    Nominal = real + inflation, so what the model expects of inflation over ten years must be
    the difference of the two yields: L + (x0 - L) w = breakeven, w = (1 - e^(-k T)) / (k T).
    """
    yearly = yearly_inflation(panel)
    if yearly is None:
        return None
    real = panel.month_ends("real_yield")
    first = real.values.index[0].year if real else MONEY_SINCE
    recent = Monthly(since(yearly.values, first), yearly.source)
    known = recent.values.dropna()
    if len(known) < MIN_MONTHS:
        raise FitError(f"{len(known)} months of it are too few")
    month = window(pd.PeriodIndex([known.index[-1]]))
    start = Measured(
        Estimate(float(known.iloc[-1]), math.nan),
        "1/year",
        yearly.source,
        month,
        note="last 12 months, observed",
    )
    fit = vasicek(recent, start)
    return replace(fit, long_run=_breakeven_long_run(panel, fit))


def _breakeven_long_run(panel: Panel, fit: RateFit) -> Measured:
    quoted = panel.find("breakeven", *DAILY)
    if quoted is None:
        return fit.long_run
    speed, start = fit.speed.estimate.value, fit.start.estimate.value
    weight = -math.expm1(-speed * MATURITY_YEARS) / (speed * MATURITY_YEARS)
    breakeven = float(quoted.values.iloc[-1]) * PERCENT
    sample = fit.long_run.estimate
    note = (
        f"solved: start and speed then make the breakeven of {quoted.window[1]}, "
        f"{breakeven:.2%}; the sample's own is {sample.value:.2%} ± {sample.standard_error:.2%}"
    )
    day = quoted.window[1]
    solved = Estimate((breakeven - start * weight) / (1 - weight), math.nan)
    return Measured(solved, "1/year", quoted.source, (day, day), note=note)


def yearly_inflation(panel: Panel) -> Monthly | None:
    """Return the log change of consumer prices over 12 months, by month."""
    prices = panel.monthly("cpi")
    if prices is None:
        return None
    logs = np.log(prices.values)
    changes = pd.Series(logs, prices.values.index).diff(MONTHS_PER_YEAR)
    return Monthly(changes.iloc[MONTHS_PER_YEAR:], prices.source)


def ex_post_real_rate(panel: Panel) -> Monthly | None:
    """Return the 10-year yield less the inflation of the last 12 months, by month."""
    nominal, prices = panel.monthly("nominal_yield"), yearly_inflation(panel)
    if nominal is None or prices is None:
        return None
    return Monthly(nominal.values * PERCENT - prices.values, prices.source)


def identity_gap(panel: Panel) -> Measured | None:
    """Return the largest |nominal - real - breakeven| on a day: 0, but for rounding."""
    nominal, real, breakeven = (
        panel.find(name, *DAILY) for name in ("nominal_yield", "real_yield", "breakeven")
    )
    if nominal is None or real is None or breakeven is None:
        return None
    gap = (nominal.values - real.values - breakeven.values).dropna()
    largest = round(float(np.abs(gap.to_numpy(dtype=np.float64)).max()) * PERCENT, 8)
    note = f"largest on a day, of {len(gap)} days"
    return Measured(Estimate(largest, math.nan), "1/year", real.source, real.window, note=note)


def real_rates_correlation(panel: Panel) -> Measured | None:
    """Return the correlation of the market's real rate with the ex-post one, by month."""
    market, past = panel.month_ends("real_yield"), ex_post_real_rate(panel)
    if market is None or past is None:
        return None
    (first, second), common = together(market.values, past.values)
    if len(first) < MIN_MONTHS or np.ptp(first) == 0 or np.ptp(second) == 0:
        return None
    value = float(np.corrcoef(first, second)[0, 1])
    error = (1 - value**2) / math.sqrt(max(len(first) / MONTHS_PER_YEAR - 3, 1))
    note = "error as of independent years: both change slowly"
    source = sources([market.source, past.source])
    return Measured(Estimate(value, error), "1", source, window(common), note=note)


def add_rates(panel: Panel, ledger: Ledger) -> None:
    """Fit the real rate and inflation for the model, the nominal rate for the reader."""
    real = ledger.attempt("real rate", partial(real_rate, panel))
    prices = ledger.attempt("inflation", partial(inflation, panel))
    nominal = ledger.attempt("nominal rate", partial(nominal_rate, panel))
    for name, fit in (("real_rate", real), ("inflation", prices)):
        if fit is not None:
            ledger.groups[name] = fit.group()
    if nominal is not None:
        for name, measured in nominal.findings("nominal_rate").items():
            ledger.keep(name, measured)
    ledger.keep("nominal_less_real_and_breakeven", identity_gap(panel))
    ledger.keep("real_rate_market_against_ex_post", real_rates_correlation(panel))
