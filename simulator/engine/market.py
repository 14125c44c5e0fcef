"""The market of a scenario by itself, without instruments: what its prices do.

Paths are streamed through reused blocks. Kept are sums, two numbers a path and asset (the
last price and the maximum drawdown), and how often a day's price lies where, for the fans.
Sums are added by LANES paths, in the order of the paths: the result does not depend on the
number of threads or on the size of a block.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import partial

import numpy as np
import numpy.typing as npt
import pandas as pd

from simulator.engine.blocks import Span, in_order, spans
from simulator.engine.day_counts import COLUMNS, DayCounts, exact_days
from simulator.engine.drift import DriftShare, drift_shares, kept_factors, room_for_factors
from simulator.market.build import market_spec
from simulator.market.dynamics import MarketSpec, fill
from simulator.market.macro.names import FACTOR_UNITS
from simulator.market.paths import BLOCK_PATHS, own_block
from simulator.market.reduce import return_sums, terminal_and_drawdown
from simulator.measures import Extremes, extremes_of, most_extreme
from simulator.scenario.calibration import Calibration
from simulator.scenario.models import MarketScenario
from simulator.scenario.pace import late_view
from simulator.scenario.targets import target_notes
from simulator.units import LANES, BoolArray, FloatArray

__all__ = ["AssetSummary", "DriftShare", "MarketSummary", "summarise_market"]


PART_PATHS = 2_048
"""The quantiles of the drift's parts are of the first paths up to this number."""
Float32Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class AssetSummary:
    """What one asset does over all paths; prices in `unit`.

    Attributes
    ----------
    expected_growth : float
        Annual, ln E[S_T / S_0] / T: the scenario's input.
    mean, mean_error : float
        Mean price at the horizon and its standard error.
    volatility : float
        Annual: standard deviation of the log returns of trading days, all paths together,
        times the root of `periods_per_year`.
    excess_kurtosis : float
        Of the same returns; 0 where they are normal.
    drawdown_median, drawdown_p95 : float
        Deepest fall of a path from its peak, as a positive share.
    """

    name: str
    unit: str
    start_price: float
    expected_growth: float
    mean: float
    mean_error: float
    p05: float
    median: float
    p95: float
    volatility: float
    periods_per_year: int
    excess_kurtosis: float
    drawdown_median: float
    drawdown_p95: float


@dataclass(frozen=True)
class MarketSummary:
    """The market of a scenario over all paths.

    Attributes
    ----------
    correlation : ndarray of shape (n_assets, n_assets)
        Of the log returns of days on which all assets trade; in the order of `assets`.
    daily : DataFrame
        Columns date, series (the asset), p05, p25, p50, p75, p95.
    drift : tuple of DriftShare
        By asset in the order of `assets`, then base, channels, views, convexity; only base
        where the model has no factors.
    factors : DataFrame
        As `daily`, one series for each macro factor; no rows where the model has no factors.
    factor_units : dict of str to str
        Unit of each series of `factors`, such as "1" for rates or "tonnes/year".
    extremes : dict of str to Extremes
        By asset, the worst and best days, years and falls of all paths.
    notes : tuple of str
        What the reader must know of the scenario: a target that is met already, a fall of USDC.
    checksum : str
        SHA-256 over all of these figures.
    seconds : float
    """

    scenario: MarketScenario
    calibration: Calibration
    spec: MarketSpec
    assets: tuple[AssetSummary, ...]
    correlation: FloatArray
    daily: pd.DataFrame
    drift: tuple[DriftShare, ...]
    factors: pd.DataFrame
    factor_units: Mapping[str, str]
    extremes: Mapping[str, Extremes]
    notes: tuple[str, ...]
    checksum: str
    seconds: float


@dataclass(frozen=True)
class _Sums:
    """Sums over paths; shapes (n_assets, 4), (n_assets,) and (n_assets, n_assets).

    The last one, (n_assets, N_RECORDED), is that of the macro model's parts of the drift.
    """

    powers: FloatArray
    firsts: FloatArray
    products: FloatArray
    parts: FloatArray


@dataclass(frozen=True)
class _Block:
    sums: Sequence[_Sums]
    terminal: FloatArray
    drawdown: FloatArray
    parts: FloatArray
    factors: Mapping[str, Float32Array]
    extremes: Sequence[Extremes]


def summarise_market(
    scenario: MarketScenario,
    calibration: Calibration,
    *,
    workers: int | None = None,
    block_paths: int = BLOCK_PATHS,
    on_block: Callable[[int], None] = lambda paths: None,
) -> MarketSummary:
    """Simulate the prices of a scenario and summarise them.

    Parameters
    ----------
    workers : int, optional
        Threads; by default one for each core. The results do not depend on it.
    block_paths : int
        Paths a task, a multiple of LANES. The results do not depend on it.
    on_block : callable
        Called with the number of paths of each finished block.

    Raises
    ------
    InputError
        The calibration lacks an asset of the scenario, or its history is faulty.
    """
    began = time.perf_counter()
    spec = market_spec(scenario, calibration)
    blocks, days = list[_Block](), DayCounts()
    for block in in_order(
        partial(_run_block, scenario, spec, days), spans(scenario.paths, block_paths), workers
    ):
        blocks.append(block)
        on_block(block.terminal.shape[1])
    return _summary(scenario, calibration, spec, blocks, days, began)


def _run_block(scenario: MarketScenario, spec: MarketSpec, days: DayCounts, span: Span) -> _Block:
    first, wanted, padded = span.first, span.count, span.padded
    prices = own_block(spec, padded)
    states, recorded = room_for_factors(spec, padded, first)
    fill(spec, scenario.seed, first, prices, states=states, recorded=recorded)
    n_assets = len(spec.assets)
    terminal, drawdown = np.empty((2, n_assets, padded))
    terminal_and_drawdown(prices, np.empty(LANES), terminal, drawdown)
    powers = np.empty((n_assets, 4, padded))
    firsts, returns = np.empty((2, n_assets, padded))
    products = np.empty((n_assets, n_assets, padded))
    return_sums(prices, spec.trading, _joint(spec), returns, powers, firsts, products)
    # Paths that only pad the lanes are left out.
    sums = (powers, firsts, products, recorded)
    lanes = [slice(start, min(start + LANES, wanted)) for start in range(0, wanted, LANES)]
    kept = span.within(PART_PATHS)
    for name, values in zip(spec.assets, prices, strict=True):
        days.add(name, values, wanted)
    return _Block(
        sums=[_Sums(*(item[..., part].sum(axis=-1) for item in sums)) for part in lanes],
        terminal=terminal[:, :wanted].copy(),
        drawdown=-drawdown[:, :wanted],
        parts=recorded[:, :, :kept].copy(),
        factors=kept_factors(spec, states, prices, wanted, first),
        extremes=[extremes_of(asset[:, :wanted], first) for asset in prices],
    )


def _joint(spec: MarketSpec) -> BoolArray:
    """Return the days on which every asset trades, shape (n_steps + 1,)."""
    joint: BoolArray = np.all(spec.trading, axis=0)
    return joint


def _summary(
    scenario: MarketScenario,
    calibration: Calibration,
    spec: MarketSpec,
    blocks: Sequence[_Block],
    days: DayCounts,
    began: float,
) -> MarketSummary:
    # One after the other in the order of the paths: a float's sum depends on its order.
    totals = [
        sum((getattr(part, item.name) for block in blocks for part in block.sums), 0.0)
        for item in fields(_Sums)
    ]
    sums = _Sums(*(np.asarray(total) for total in totals))
    terminal = np.concatenate([block.terminal for block in blocks], axis=1)
    drawdown = np.concatenate([block.drawdown for block in blocks], axis=1)
    assets = tuple(
        _asset(scenario, calibration, spec, index, *of_asset)
        for index, of_asset in enumerate(zip(sums.powers, terminal, drawdown, strict=True))
    )
    correlation = _correlation(sums, scenario.paths * int(_joint(spec)[1:].sum()))
    daily = days.quantiles(spec.dates)
    drift = drift_shares(
        spec, sums.parts / scenario.paths, np.concatenate([b.parts for b in blocks], axis=2)
    )
    factors = daily.iloc[:0]
    if spec.model == "macro":
        series = {
            name: [b.factors[name] for b in blocks if b.factors] for name in blocks[0].factors
        }
        factors = exact_days(spec.dates, series)
    found = {
        name: most_extreme([block.extremes[index] for block in blocks])
        for index, name in enumerate(spec.assets)
    }
    return MarketSummary(
        scenario=scenario,
        calibration=calibration,
        spec=spec,
        assets=assets,
        correlation=correlation,
        daily=daily,
        drift=drift,
        factors=factors,
        factor_units={name: FACTOR_UNITS[name] for name in factors["series"].unique()},
        extremes=found,
        notes=_notes(scenario, calibration),
        checksum=_checksum(assets, correlation, daily, drift, factors, found),
        seconds=time.perf_counter() - began,
    )


def _notes(scenario: MarketScenario, calibration: Calibration) -> tuple[str, ...]:
    coin, late = scenario.market.stablecoin, late_view(scenario, calibration)
    return (
        *target_notes(scenario, calibration),
        *((late,) if late else ()),
        *(() if coin is None else (coin.note(),)),
    )


def _asset(
    scenario: MarketScenario,
    calibration: Calibration,
    spec: MarketSpec,
    index: int,
    powers: FloatArray,
    terminal: FloatArray,
    drawdown: FloatArray,
) -> AssetSummary:
    name = spec.assets[index]
    variance, kurtosis = _moments(powers, scenario.paths * int(spec.trading[index, 1:].sum()))
    low, middle, high = np.quantile(terminal, (0.05, 0.5, 0.95))
    fall, deep = np.quantile(drawdown, (0.5, 0.95))
    return AssetSummary(
        name=name,
        unit=calibration.assets[name].price.unit,
        start_price=float(spec.spot[index]),
        expected_growth=float(spec.drift[index]),
        mean=float(terminal.mean()),
        mean_error=float(terminal.std() / np.sqrt(terminal.size)),
        p05=float(low),
        median=float(middle),
        p95=float(high),
        volatility=float(np.sqrt(variance * spec.periods_per_year[index])),
        periods_per_year=int(spec.periods_per_year[index]),
        excess_kurtosis=float(kurtosis),
        drawdown_median=float(fall),
        drawdown_p95=float(deep),
    )


def _moments(powers: FloatArray, count: int) -> tuple[float, float]:
    """Return variance and excess kurtosis from sums of the first four powers."""
    first, second, third, fourth = (powers / count).tolist()
    variance = second - first**2
    central = fourth - 4 * first * third + 6 * first**2 * second - 3 * first**4
    return variance, central / variance**2 - 3.0


def _correlation(sums: _Sums, count: int) -> FloatArray:
    mean = sums.firsts / count
    lower = np.tril(sums.products / count - np.outer(mean, mean))
    covariance = lower + np.tril(lower, -1).T
    deviation = np.sqrt(np.diag(covariance))
    correlation: FloatArray = covariance / np.outer(deviation, deviation)
    np.fill_diagonal(correlation, 1.0)
    return correlation


def _checksum(
    assets: Sequence[AssetSummary],
    correlation: FloatArray,
    daily: pd.DataFrame,
    drift: Sequence[DriftShare],
    factors: pd.DataFrame,
    extremes: Mapping[str, Extremes],
) -> str:
    digest = hashlib.sha256()
    for asset in assets:
        digest.update(repr(asset).encode())
        digest.update(repr(extremes[asset.name]).encode())
    digest.update(correlation.tobytes())
    for column in COLUMNS:
        digest.update(daily[column].to_numpy().tobytes())
    if not factors.empty:
        digest.update(repr(drift).encode())
        for column in COLUMNS:
            digest.update(factors[column].to_numpy().tobytes())
    return digest.hexdigest()
