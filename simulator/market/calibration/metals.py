"""What only metals have: the gold-silver ratio, gold's two states, copper's real price."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd

from simulator.market.calibration.diffusion import Estimate
from simulator.market.calibration.ledger import Ledger
from simulator.market.calibration.measured import Measured, both_weak, sources
from simulator.market.calibration.months import since, together, window
from simulator.market.calibration.panel import Monthly, Panel
from simulator.market.calibration.rates import MONTHS_PER_YEAR
from simulator.market.calibration.ratio import RatioFit, fit_ratio
from simulator.market.calibration.regression import weak_t
from simulator.market.calibration.reversion import mean_reversion
from simulator.market.calibration.switching import two_states
from simulator.scenario.macro import MacroCalibration
from simulator.scenario.macro_types import NonNegativeFigure, PositiveFigure

MIN_MONTHS = 60
RATIO_SINCE = 2000
RATIO_WINDOWS = (1971, 1980, 2000)
STATES_SINCE = 1975
"""Before, Americans could not own gold, and its price adjusted to the end of the peg."""
COPPER_WINDOWS = (1971, 2004)
WORKING = math.sqrt(1.5)
"""A mean of a month of a random walk varies by 2/3 of its month-ends (Working 1960)."""
WEEKS_PER_YEAR = 52
_EMPTY = Estimate(0.0, 0.0)


def add_ratio(panel: Panel, ledger: Ledger) -> None:
    """Fit the return of the ratio over each window that the data cover."""
    gold, silver = panel.long_prices("gold"), panel.long_prices("silver")
    if gold is None or silver is None:
        return
    (first, second), months = together(gold.values, silver.values)
    source = sources([gold.source, silver.source])
    for year in RATIO_WINDOWS:
        chosen = months >= pd.Period(f"{year}-01", freq="M")
        if chosen.sum() < MIN_MONTHS or (months[0].year > year and year != RATIO_SINCE):
            continue
        fit = ledger.attempt(
            f"gold-silver ratio since {year}",
            partial(fit_ratio, first[chosen], second[chosen], MONTHS_PER_YEAR),
        )
        if fit is not None:
            frame = Measured(_EMPTY, "years", source, window(months[chosen]))
            _keep_ratio(ledger, year, fit, frame)


def _keep_ratio(ledger: Ledger, year: int, fit: RatioFit, frame: Measured) -> None:
    weak = both_weak(fit.weak, weak_t(fit.pull))
    note = (
        f"silver moves {_plus_minus(fit.beta, 2)} for one of gold and {_plus_minus(fit.pull, 4)} "
        f"of the log gap a month; residual volatility {fit.residual_volatility:.1%}; "
        f"cointegration p {fit.cointegration_p:.2f}"
    )
    half_life = replace(frame, estimate=fit.half_life, weak=weak, note=note)
    ledger.keep(f"gold_silver_half_life_since_{year}", half_life)
    if year != RATIO_SINCE:
        return
    level = replace(
        frame,
        estimate=fit.equilibrium,
        unit="oz/oz",
        note="geometric mean; the error is that of a deviation with this speed",
    )
    note = f"half-life {_plus_minus(fit.half_life, 1)} years"
    speed = replace(frame, estimate=fit.speed, unit="1/year", weak=weak, note=note)
    ledger.groups["ratio"] = MacroCalibration().ratio.model_copy(
        update={
            "equilibrium": level.sourced(PositiveFigure),
            "speed": speed.sourced(NonNegativeFigure),
        }
    )


def _plus_minus(estimate: Estimate, decimals: int) -> str:
    return f"{estimate.value:.{decimals}f} ± {estimate.standard_error:.{decimals}f}"


def add_states(panel: Panel, ledger: Ledger) -> None:
    """Fit two states of gold's volatility: by month over the long past, by week of closes."""
    gold, closes = panel.long_prices("gold"), panel.closes.get("gold")
    if gold is None or closes is None:
        return
    logs = since(pd.Series(np.log(gold.values), gold.values.index), STATES_SINCE)
    averaged = panel.averaged("gold")
    note = "by month" + (", of averages: volatilities times 1.22" if averaged else "")
    _keep_states(
        ledger,
        "monthly",
        Monthly(logs.diff().iloc[1:].dropna(), gold.source),
        MONTHS_PER_YEAR,
        WORKING if averaged else 1.0,
        note,
    )
    weeks = closes.weekly_returns()
    fridays = pd.PeriodIndex(
        [pd.Timestamp.fromordinal(int(day)) for day in weeks.index], freq="W-FRI"
    )
    weekly = Monthly(weeks.set_axis(fridays), closes.source)
    _keep_states(ledger, "weekly", weekly, WEEKS_PER_YEAR, 1.0, "by week")


def _keep_states(
    ledger: Ledger, name: str, returns: Monthly, periods: int, factor: float, note: str
) -> None:
    values = returns.values.to_numpy(dtype=np.float64)
    if len(values) < MIN_MONTHS:
        return
    fit = ledger.attempt(f"gold's two states, {name}", partial(two_states, values))
    if fit is None:
        return
    text = f"Markov switching of gold's variance, {note}; wild now with {fit.wild_now:.0%}"
    frame = Measured(_EMPTY, "1", returns.source, window(returns.values.index), note=text)
    figures = {
        "calm": (fit.calm_volatility, fit.calm_duration),
        "wild": (fit.wild_volatility, fit.wild_duration),
    }
    for state, (deviation, stay) in figures.items():
        volatility = replace(frame, estimate=deviation)
        duration = replace(frame, estimate=stay, weak=weak_t(stay))
        ledger.keep(
            f"gold_{state}_volatility_{name}",
            volatility.scaled(factor * math.sqrt(periods), "1/sqrt(year)"),
        )
        ledger.keep(
            f"gold_{state}_duration_{name}", duration.scaled(MONTHS_PER_YEAR / periods, "months")
        )


def add_copper(panel: Panel, ledger: Ledger) -> None:
    """Measure the half-life of copper's price over consumer prices."""
    copper, prices = panel.long_prices("copper"), panel.monthly("cpi")
    if copper is None or prices is None:
        return
    (nominal, index), months = together(copper.values, prices.values)
    for year in COPPER_WINDOWS:
        chosen = months >= pd.Period(f"{year}-01", freq="M")
        if chosen.sum() < MIN_MONTHS or months[0].year > year:
            continue
        real = np.log(nominal[chosen] / index[chosen])
        fit = ledger.attempt(
            f"copper's real price since {year}", partial(mean_reversion, real, MONTHS_PER_YEAR)
        )
        if fit is not None:
            source = sources([copper.source, prices.source])
            frame = window(months[chosen])
            note = "of the logarithm of the price over consumer prices"
            ledger.keep(
                f"copper_real_price_half_life_since_{year}",
                Measured(fit.half_life, "years", source, frame, fit.weak, note),
            )
