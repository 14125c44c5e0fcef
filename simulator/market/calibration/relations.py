"""What assets do when a factor moves: real rates, central banks, money, other assets."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import pandas as pd

from simulator.market.calibration.diffusion import Estimate
from simulator.market.calibration.ledger import Ledger
from simulator.market.calibration.measured import (
    Measured,
    both_weak,
    sources,
)
from simulator.market.calibration.months import by_month, together, window
from simulator.market.calibration.panel import Monthly, Panel
from simulator.market.calibration.rates import MONTHS_PER_YEAR, PERCENT, ex_post_real_rate
from simulator.market.calibration.regression import Regression, least_squares, weak_t
from simulator.market.frequency import Kind
from simulator.scenario.macro import MacroCalibration
from simulator.scenario.macro_types import Sourced
from simulator.units import FloatArray

METALS = ("gold", "silver", "copper")
COINS = ("bitcoin", "altcoins")
QUARTER = 3
"""Lags of monthly regressions whose shocks fade within a season."""
MIN_MONTHS = 60
MIN_YEARS = 8
MIN_INDEPENDENT_YEARS = 6
"""Overlapping 12-month returns of fewer years are a handful of events, whatever t says."""
WEEKS_PER_QUARTER = 13
TONNES = 100.0


def real_rate_beta(panel: Panel, asset: str) -> Measured | None:
    """Return an asset's log return for +1 point of the 10-year real yield, by month-ends."""
    returns, rates = panel.month_returns(asset), panel.month_ends("real_yield")
    if returns is None or rates is None:
        return None
    (outcome, change), common = together(returns.values, rates.values.diff())
    if len(outcome) < MIN_MONTHS:
        return None
    line = least_squares(outcome, change, lags=QUARTER)
    return Measured(
        line.slopes[0],
        "log return/percentage point",
        sources([returns.source, rates.source]),
        window(common),
        weak_t(line.slopes[0]),
        f"on monthly changes; R² {line.r_squared:.2f}, {line.n_periods} months",
    )


def real_rate_level(panel: Panel, asset: str) -> Measured | None:
    """Return next month's log return, a year, for +1 point of the ex-post real rate."""
    prices, rate = panel.long_prices(asset), ex_post_real_rate(panel)
    if prices is None or rate is None:
        return None
    following = pd.Series(np.log(prices.values), prices.values.index).diff().shift(-1)
    (outcome, level), common = together(following, rate.values)
    if len(outcome) < MIN_MONTHS:
        return None
    line = least_squares(outcome * MONTHS_PER_YEAR, level / PERCENT, lags=MONTHS_PER_YEAR)
    return Measured(
        line.slopes[0],
        "log return/year/percentage point",
        sources([prices.source, rate.source]),
        window(common),
        weak_t(line.slopes[0]),
        f"mean log return {_by_level(outcome, level)}; the 10-year yield less the inflation of "
        "12 months, against the month after",
    )


def _by_level(outcome: FloatArray, level: FloatArray) -> str:
    """Return the mean return a year at low, middling and high rates, in words."""
    groups = {
        "below 0": level < 0,
        "at 0 to 2 %": (level >= 0) & (level < 2 * PERCENT),
        "above 2 %": level >= 2 * PERCENT,
    }
    means = {
        text: float(outcome[chosen].mean()) * MONTHS_PER_YEAR
        for text, chosen in groups.items()
        if chosen.any()
    }
    return ", ".join(f"{mean:.1%} a year {text}" for text, mean in means.items())


def central_banks_beta(panel: Panel, asset: str, *, controlled: bool) -> Measured | None:
    """Return an asset's log return of a year for +100 tonnes of net purchases above the mean.

    Parameters
    ----------
    controlled : bool
        Whether the year's change of the real rate is a second regressor.
    """
    net = panel.find("central_banks_net", Kind.YEARLY)
    prices, rates = panel.closes.get(asset), panel.month_ends("real_yield")
    if net is None or prices is None or (controlled and rates is None):
        return None
    tonnes = pd.Series(net.values.to_numpy(), [date.year for date in net.values.index]) / TONNES
    logs = _year_ends(by_month_ends(prices.log_prices()))
    series = [logs.diff(), tonnes]
    if controlled and rates is not None:
        series.append(_year_ends(rates.values).diff())
    table = pd.concat(series, axis=1).dropna()
    if len(table) < MIN_YEARS:
        return None
    columns = table.to_numpy(dtype=np.float64).T
    line = least_squares(columns[0], *columns[1:])
    estimate = _classical(line, columns[1:])
    other = "the year's change of the real rate controlled" if controlled else "alone"
    few = f"{line.n_periods} years" if line.n_periods < MIN_MONTHS else ""
    years = pd.PeriodIndex([pd.Period(f"{int(year)}-12", freq="M") for year in table.index])
    return Measured(
        estimate,
        "log return/100 tonnes",
        sources([prices.source, net.source]),
        window(years),
        both_weak(weak_t(estimate), f"only {few}" if few else ""),
        other,
    )


def by_month_ends(logs: pd.Series[float]) -> pd.Series[float]:
    """Return the last value of each month, an unfinished one included, by month."""
    return by_month(logs.groupby([date.replace(day=1) for date in logs.index]).last())


def _year_ends(values: pd.Series[float]) -> pd.Series[float]:
    months = pd.PeriodIndex(values.index)
    december = months.month == MONTHS_PER_YEAR
    return pd.Series(values.to_numpy(dtype=np.float64)[december], months.year[december])


def _classical(line: Regression, regressors: FloatArray) -> Estimate:
    """Return the first slope with the textbook error: a dozen points bear no other."""
    design = np.column_stack([np.ones(line.n_periods), *regressors])
    inverse = np.linalg.inv(design.T @ design)
    return Estimate(line.slopes[0].value, line.deviation * math.sqrt(float(inverse[1, 1])))


def money_beta(panel: Panel, asset: str) -> Measured | None:
    """Return an asset's 12-month log return for +1 (= 100 %) of 12-month money growth."""
    growth, prices = money_growth(panel), panel.closes.get(asset)
    if growth is None or prices is None:
        return None
    logs = by_month_ends(prices.log_prices())
    (outcome, money), common = together(logs.diff(MONTHS_PER_YEAR), growth.values)
    if len(outcome) < 2 * MONTHS_PER_YEAR:
        return None
    line = least_squares(outcome, money, lags=MONTHS_PER_YEAR)
    years = len(outcome) / MONTHS_PER_YEAR
    few = f"only {years:.1f} independent years" if years < MIN_INDEPENDENT_YEARS else ""
    return Measured(
        line.slopes[0],
        "log return/year per 1/year of money growth",
        sources([prices.source, growth.source]),
        window(common),
        both_weak(weak_t(line.slopes[0]), few),
        f"overlapping 12-month returns, {len(outcome)} months, R² {line.r_squared:.2f}",
    )


def money_growth(panel: Panel) -> Monthly | None:
    """Return the log change of M2 over 12 months, by month."""
    money = panel.monthly("m2")
    if money is None:
        return None
    logs = pd.Series(np.log(money.values), money.values.index)
    return Monthly(logs.diff(MONTHS_PER_YEAR).iloc[MONTHS_PER_YEAR:], money.source)


def asset_beta(panel: Panel, asset: str, market: str) -> Measured | None:
    """Return an asset's weekly log return for one of another asset."""
    own, other = panel.closes.get(asset), panel.closes.get(market)
    if own is None or other is None:
        return None
    table = pd.concat([own.weekly_returns(), other.weekly_returns()], axis=1).dropna()
    outcome, change = table.to_numpy(dtype=np.float64).T
    line = least_squares(outcome, change, lags=WEEKS_PER_QUARTER)
    first, last = (pd.Timestamp.fromordinal(int(day)).date() for day in table.index[[0, -1]])
    return Measured(
        line.slopes[0],
        "1",
        sources([own.source, other.source]),
        (first, last),
        weak_t(line.slopes[0]),
        f"{asset} on {market}, weekly; R² {line.r_squared:.2f}, {line.n_periods} weeks",
    )


def add_relations(panel: Panel, ledger: Ledger) -> None:
    """Measure each elasticity; those without data keep the defaults of the macro model.

    A figure goes to the model where the model's own is a measured one too; else the model
    assumes on purpose (copper's rate, altcoins' money), and the reader sees the finding.
    """
    fits: dict[tuple[str, str], Callable[[], Measured | None]] = {
        **{("real_rate", asset): partial(real_rate_beta, panel, asset) for asset in METALS},
        ("real_rate_level", "gold"): partial(real_rate_level, panel, "gold"),
        ("central_banks", "gold"): partial(central_banks_beta, panel, "gold", controlled=False),
        **{("liquidity", asset): partial(money_beta, panel, asset) for asset in (*COINS, *METALS)},
        ("gold_beta", "gold_miners"): partial(asset_beta, panel, "gold_miners", "gold"),
        ("copper_beta", "copper_miners"): partial(asset_beta, panel, "copper_miners", "copper"),
    }
    defaults = MacroCalibration().elasticities
    tables: dict[str, dict[str, Sourced]] = {}
    for (table, asset), fit in fits.items():
        measured = ledger.attempt(f"{asset}, {table.replace('_', ' ')}", fit)
        known: Mapping[str, Sourced] = getattr(defaults, table)
        if measured is None:
            continue
        if asset in known and known[asset].mark != "assumption":
            tables.setdefault(table, dict(known))[asset] = measured.sourced(Sourced)
        else:
            ledger.keep(f"{asset}_{table}", measured)
    others: dict[str, Callable[[], Measured | None]] = {
        "gold_central_banks_controlled": partial(
            central_banks_beta, panel, "gold", controlled=True
        ),
        "altcoins_bitcoin_beta": partial(asset_beta, panel, "altcoins", "bitcoin"),
    }
    for name, fit in others.items():
        ledger.keep(name, ledger.attempt(name.replace("_", " "), fit))
    if tables:
        ledger.groups["elasticities"] = defaults.model_copy(update=tables)
