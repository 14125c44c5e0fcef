"""From a scenario's market terms and a calibration to the numbers of the kernel."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np

from simulator.errors import InputError, Problem
from simulator.market.bootstrap import History, moving_days
from simulator.market.dynamics import Garch, Jumps, MarketSpec
from simulator.market.frequency import Kind
from simulator.market.history import read_history
from simulator.market.hours import exchange_days
from simulator.market.macro.model import Macro
from simulator.market.macro.net_purchases import around_level
from simulator.market.past import read_past
from simulator.scenario.calibration import AssetCalibration, Calibration
from simulator.scenario.market import EVERY_DAY, AssetTerms
from simulator.scenario.models import MarketScenario
from simulator.scenario.targets import target_faults
from simulator.scenario.views import MacroParts, Views
from simulator.schema.raw import dotted
from simulator.units import DAYS_PER_YEAR, BoolArray, FloatArray


def market_spec(scenario: MarketScenario, calibration: Calibration) -> MarketSpec:
    """Return the market of a scenario; prices and volatilities it leaves out are calibrated.

    A volatility that the scenario sets scales the variance at the start with it; in a
    bootstrap it scales the history's returns, whose own volatility counts otherwise.

    Raises
    ------
    InputError
        An asset is not in the calibration, or the history is faulty.
    """
    terms = scenario.market
    names = tuple(terms.assets)
    if terms.model not in ("bootstrap", "history"):
        _check_calendars(scenario, calibration)
        _check_targets(scenario, calibration)
    correlation = calibration.correlation(names, shocks=terms.model in ("garch", "macro"))
    fitted = [calibration.assets[name] for name in names]
    history = _history(scenario, fitted)
    past = _past(scenario)
    volatility = np.array(
        [
            terms.assets[n].volatility or f.volatility.value
            for n, f in zip(names, fitted, strict=True)
        ]
    )
    if history is not None:
        history, volatility = _scaled(history, scenario)
    price = [terms.assets[n].price or f.price.value for n, f in zip(names, fitted, strict=True)]
    price = price if past is None else list(past[:, 0])
    periods = np.array([float(f.periods_per_year) for f in fitted])
    trading = _trading(scenario)
    if history is not None:
        periods[:] = history.periods_per_year
        every_day = history.kind is Kind.ALL_DAYS
        moving = moving_days(scenario.start, scenario.horizon_days, history.kind, every_day)
        trading = np.tile(moving, (len(names), 1))
    spec = MarketSpec(
        assets=names,
        model=terms.model,
        start=scenario.start,
        n_steps=scenario.horizon_days,
        spot=np.array(price),
        drift=np.array([terms.assets[name].drift for name in names]),
        volatility=volatility,
        periods_per_year=periods,
        cholesky=np.linalg.cholesky(correlation),
        trading=trading,
        jumps=_jumps(fitted),
        garch=_garch(list(terms.assets.values()), fitted, volatility),
        dof=calibration.innovation_dofs(names),
        history=history,
        past=past,
        macro=_macro(scenario, calibration),
        stablecoin=terms.stablecoin,
        shocks=scenario.shocks or (),
    )
    _check_variance(scenario, spec)
    return spec


def _check_variance(scenario: MarketScenario, spec: MarketSpec) -> None:
    """Refuse volatilities that jumps or channels alone exceed.

    Raises
    ------
    InputError
    """
    if spec.model not in ("jump", "macro"):
        return
    try:
        _ = spec.tables
    except ValueError as error:
        asked = {n: t.volatility for n, t in scenario.market.assets.items() if t.volatility}
        field = f"market.assets.{next(iter(asked))}.volatility" if len(asked) == 1 else "market"
        value = f"{next(iter(asked.values())):g}" if len(asked) == 1 else ""
        raise InputError([Problem(scenario.name, None, field, value, str(error))]) from None


def _macro(scenario: MarketScenario, calibration: Calibration) -> Macro | None:
    if scenario.market.model != "macro":
        return None
    terms, figures = scenario.market, calibration.macro_figures
    if terms.central_banks is not None:
        banks = around_level(figures.central_banks, terms.central_banks)
        figures = figures.model_copy(update={"central_banks": banks})
    return Macro(figures, terms.parts or MacroParts(), terms.views or Views())


def _check_calendars(scenario: MarketScenario, calibration: Calibration) -> None:
    """Refuse a clock that does not fit the days on which an asset moves.

    Raises
    ------
    InputError
    """
    wrong = [
        name
        for name in scenario.market.assets
        if name in EVERY_DAY
        and name in calibration.assets
        and calibration.assets[name].periods_per_year < DAYS_PER_YEAR
    ]
    rule = "must be 365: the asset moves every day"
    if wrong:
        raise InputError(
            [
                Problem(
                    calibration.name,
                    None,
                    f"assets.{name}.periods_per_year",
                    str(calibration.assets[name].periods_per_year),
                    rule,
                )
                for name in wrong
            ]
        )


def _check_targets(scenario: MarketScenario, calibration: Calibration) -> None:
    """Refuse a target that a file, or a changed number, puts out of reach.

    Raises
    ------
    InputError
    """
    faults = target_faults(scenario, calibration)
    if faults:
        problems = [Problem(scenario.name, None, dotted(place), *rest) for place, *rest in faults]
        raise InputError(problems)


def _trading(scenario: MarketScenario) -> BoolArray:
    """Return on which days each asset moves, shape (n_assets, n_steps + 1)."""
    exchange = exchange_days(scenario)
    rows = [exchange | (name in EVERY_DAY) for name in scenario.market.assets]
    return np.array(rows)


def _history(scenario: MarketScenario, fitted: list[AssetCalibration]) -> History | None:
    terms = scenario.market
    if terms.model != "bootstrap" or terms.history is None:
        return None
    return read_history(
        terms.history,
        tuple(terms.assets),
        terms.block_days,
        columns={str(asset): column for asset, column in terms.columns.items()},
        every_day=all(f.periods_per_year == DAYS_PER_YEAR for f in fitted),
        exclude=terms.exclude,
        keep=terms.keep,
    )


def _past(scenario: MarketScenario) -> FloatArray | None:
    """Return the prices that model history plays, shape (n_assets, n_steps + 1)."""
    terms = scenario.market
    if terms.model != "history" or terms.history is None:
        return None
    return read_past(
        terms.history,
        tuple(terms.assets),
        scenario.start,
        scenario.horizon_days,
        columns={str(asset): column for asset, column in terms.columns.items()},
    )


def _scaled(history: History, scenario: MarketScenario) -> tuple[History, FloatArray]:
    """Return the history and its annual volatilities, scaled where the scenario sets them.

    So is the volatility of the first day of a smooth one; NaN leaves it as filtered.
    """
    own = history.returns.std(axis=1) * np.sqrt(history.periods_per_year)
    terms = scenario.market.assets.values()
    asked = [asset.volatility for asset in terms]
    volatility = np.where([a is None for a in asked], own, [a or 0.0 for a in asked])
    first = np.array([asset.volatility_start or np.nan for asset in terms])
    smooth = scenario.market.smooth is not False
    scale, start = volatility / own, first**2 / history.periods_per_year
    return _variant(history, scale.tobytes(), smooth, start.tobytes()), volatility


# Parameter sets share one history: its filter, tails and corrections are worth keeping.
@lru_cache(maxsize=4)
def _variant(history: History, scale: bytes, smooth: bool, start: bytes) -> History:
    """Return a history times `scale`, of shape (n_assets,), and so is `start`, as bytes."""
    return replace(
        history,
        returns=history.returns * np.frombuffer(scale)[:, None],
        smooth=smooth,
        start=np.frombuffer(start),
    )


def _jumps(fitted: list[AssetCalibration]) -> Jumps:
    return Jumps(
        intensity=np.array([f.jump_intensity.value for f in fitted]),
        mean=np.array([f.jump_mean.value for f in fitted]),
        sd=np.array([f.jump_sd.value for f in fitted]),
    )


def _garch(
    asked: list[AssetTerms], fitted: list[AssetCalibration], volatility: FloatArray
) -> Garch:
    calibrated = np.array([f.volatility.value for f in fitted])
    start = np.array([f.variance_start.value for f in fitted]) * (volatility / calibrated) ** 2
    own = [terms.volatility_start for terms in asked]
    given = [(v or 0.0) ** 2 / f.periods_per_year for v, f in zip(own, fitted, strict=True)]
    start = np.where([v is not None for v in own], given, start)
    return Garch(
        alpha=np.array([f.alpha.value for f in fitted]),
        gamma=np.array([f.gamma.value for f in fitted]),
        beta=np.array([f.beta.value for f in fitted]),
        variance_start=start,
    )
