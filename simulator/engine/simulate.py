"""Runs a scenario: blocks of paths over threads, reduced to measures and daily quantiles.

Results do not depend on the number of threads or on the size of a block: every draw has its
own counter, blocks are padded to full lanes, and reductions run in the order of the paths.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import pandas as pd

from simulator.claims.outcomes import Outcomes, reduce_series, series_conditions
from simulator.engine.blocks import Span, in_order, spans
from simulator.engine.depeg import Depeg, find_fall, join_depegs
from simulator.engine.quantiles import row_quantiles
from simulator.investors import InvestorMeasures, InvestorPaths, join, measure
from simulator.investors.portfolio import Wanted
from simulator.investors.series import assets_of, market_series, series
from simulator.investors.world import World, each_investor, simulate_instruments
from simulator.market.build import market_spec
from simulator.market.dynamics import MarketSpec
from simulator.market.paths import BLOCK_PATHS, own_block, simulate_market
from simulator.scenario.calibration import Calibration
from simulator.scenario.claims import Condition, named_measures
from simulator.scenario.models import Scenario
from simulator.units import FloatArray, calendar

FAN_PATHS = 2_048
"""Daily quantiles are taken over the first paths up to this number; memory stays bounded."""
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_COLUMNS = ("p05", "p25", "p50", "p75", "p95")

Float32Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Simulation:
    """A scenario's outcome over all paths.

    Attributes
    ----------
    outcomes : Outcomes
        The investors' measures and the numbers of series that claims name.
    instruments : dict of str to InvestorMeasures
        Every instrument by itself, as somebody who holds one unit of it; empty without details.
    daily : DataFrame, empty without details
        Columns date, series, p05, p25, p50, p75, p95: prices, exit values, utilisation.
    checksum : str
        SHA-256 over all measures, attributions and daily quantiles.
    seconds : float
    depeg : Depeg or None
        What leaving pays around the fall of USDC; None without details, or where it never falls.
    """

    scenario: Scenario
    calibration: Calibration
    spec: MarketSpec
    outcomes: Outcomes
    instruments: Mapping[str, InvestorMeasures]
    daily: pd.DataFrame
    checksum: str
    seconds: float
    depeg: Depeg | None = None

    @property
    def investors(self) -> Mapping[str, InvestorMeasures]:
        """Return the investors' measures by name."""
        return self.outcomes.investors


@dataclass(frozen=True)
class Block:
    """What is kept of a block: measures, and daily series of shape (n_steps + 1, n_kept)."""

    first_path: int
    outcomes: Outcomes
    instruments: Mapping[str, InvestorMeasures]
    series: Mapping[str, Float32Array]
    depeg: Depeg | None = None

    @property
    def n_paths(self) -> int:
        """Return how many paths it has."""
        return next(iter(self.investors.values())).events.shape[0]

    @property
    def investors(self) -> Mapping[str, InvestorMeasures]:
        """Return the investors' measures by name."""
        return self.outcomes.investors


def simulate(
    scenario: Scenario,
    calibration: Calibration,
    *,
    workers: int | None = None,
    block_paths: int = BLOCK_PATHS,
    details: bool = True,
    on_block: Callable[[Block], None] = lambda block: None,
) -> Simulation:
    """Simulate all paths of a scenario.

    Parameters
    ----------
    workers : int, optional
        Threads; by default one for each core. The results do not depend on it.
    block_paths : int
        Paths a task, a multiple of LANES. The results do not depend on it.
    details : bool
        Whether to keep what only a report shows: daily quantiles, instruments by themselves.
    on_block : callable
        Called with each finished block, in the order of the paths.

    Raises
    ------
    InputError
        The calibration lacks an asset of the scenario.
    """
    began = time.perf_counter()
    spec = market_spec(scenario, calibration)
    work = partial(_run_block, scenario, spec, details)
    blocks: list[Block] = []
    for block in in_order(work, spans(scenario.paths, block_paths), workers):
        blocks.append(block)
        on_block(block)
    daily = _daily(scenario, blocks, workers)
    outcomes = Outcomes(
        _joined([block.investors for block in blocks]),
        _joined_series([block.outcomes for block in blocks]),
        blocks[0].outcomes.starts,
    )
    return Simulation(
        scenario=scenario,
        calibration=calibration,
        spec=spec,
        outcomes=outcomes,
        instruments=_joined([block.instruments for block in blocks]),
        daily=daily,
        checksum=_checksum(outcomes, daily),
        seconds=time.perf_counter() - began,
        depeg=join_depegs([block.depeg for block in blocks]),
    )


def simulate_series(
    scenario: Scenario,
    calibration: Calibration,
    conditions: Iterable[Condition],
    *,
    workers: int | None = None,
) -> Outcomes:
    """Return what conditions measure of the market's series, without any instrument.

    The numbers are the same bytes as those of `simulate`.
    """
    spec = market_spec(scenario, calibration)
    wanted = {condition.key: condition for condition in conditions}
    needed = assets_of(str(condition.series) for condition in wanted.values())
    n_assets = max((spec.assets.index(a) + 1 for a in needed if a in spec.assets), default=1)

    def run(span: Span) -> Outcomes:
        block = own_block(spec, span.padded)
        market = simulate_market(
            spec, scenario.seed, span.first, span.padded, block=block, n_assets=n_assets
        )
        return _series_outcomes(wanted, lambda name: market_series(market, name), span.count, {})

    blocks = list(in_order(run, spans(scenario.paths), workers))
    return Outcomes({}, _joined_series(blocks), blocks[0].starts)


def _joined_series(blocks: Sequence[Outcomes]) -> dict[str, FloatArray]:
    return {key: np.concatenate([b.series[key] for b in blocks]) for key in blocks[0].series}


def _joined(blocks: Sequence[Mapping[str, InvestorMeasures]]) -> dict[str, InvestorMeasures]:
    return {name: join([block[name] for block in blocks]) for name in blocks[0]}


def _run_block(scenario: Scenario, spec: MarketSpec, details: bool, span: Span) -> Block:
    block, count = own_block(spec, span.padded), span.count
    world = simulate_instruments(
        scenario, spec, span.first, span.padded, by_source=details, block=block
    )
    also, kept = named_measures(scenario.claims), span.within(FAN_PATHS)
    asked = Wanted(sources=details, shares=details, days=False)
    measured: dict[str, InvestorMeasures] = {}
    fans: dict[str, Float32Array] = {}
    fall = find_fall(scenario, world.market, count) if details else None
    exits: dict[str, FloatArray] = {}
    for name, paths in each_investor(scenario, world, count=count, wanted=asked):
        measured[name] = measure(paths, count, also.get(name, ()), spells=details)
        fans |= _fans(name, paths, kept) if details else {}
        if fall is not None:
            exits[name] = fall.exits(paths)
    find = partial(series, world.market, world.instruments)
    conditions = series_conditions(scenario.claims)
    outcomes = _series_outcomes(conditions, find, count, measured)
    if not details:
        return Block(span.first, outcomes, {}, {})
    alone = {
        name: measure(InvestorPaths(name, paths), count, spells=True)
        for name, paths in world.instruments.items()
    }
    left = None if fall is None else Depeg(fall.fell, exits)
    return Block(span.first, outcomes, alone, _series(world, fans, kept), left)


def _series_outcomes(
    conditions: Mapping[str, Condition],
    find: Callable[[str], FloatArray],
    wanted: int,
    measured: Mapping[str, InvestorMeasures],
) -> Outcomes:
    found, starts = {}, {}
    for key, condition in conditions.items():
        values = find(str(condition.series))[:, :wanted]
        found[key] = reduce_series(condition, values)
        starts[str(condition.series)] = float(values[0, 0])
    return Outcomes(measured, found, starts)


def _fans(name: str, paths: InvestorPaths, kept: int) -> dict[str, Float32Array]:
    """Return an investor's daily series of the first `kept` paths."""
    found = {f"exit.{name}.{u}": paths.holding.exit[u] for u in paths.holding.units}
    if paths.portfolio is not None:
        found[f"mark.{name}.usd"] = paths.holding.mark["usd"]
    return {name: values[:, :kept].astype(np.float32) for name, values in found.items()}


def _series(world: World, fans: Mapping[str, Float32Array], kept: int) -> dict[str, Float32Array]:
    """Return the daily series of prices, of investors as they are, and of instruments."""
    prices = {f"price.{name}": values for name, values in world.market.prices.items()}
    details = {
        f"{name}.{detail}": values
        for name, paths in world.instruments.items()
        for detail, values in paths.details.items()
    }

    def small(found: Mapping[str, FloatArray]) -> dict[str, Float32Array]:
        return {name: values[:, :kept].astype(np.float32) for name, values in found.items()}

    return {**small(prices), **fans, **small(details)}


def _daily(scenario: Scenario, blocks: Sequence[Block], workers: int | None) -> pd.DataFrame:
    series = {name: [block.series[name] for block in blocks] for name in blocks[0].series}
    return daily_quantiles(calendar(scenario.start, scenario.horizon_days), series, workers)


def daily_quantiles(
    dates: pd.DatetimeIndex,
    series: Mapping[str, Sequence[Float32Array]],
    workers: int | None = None,
) -> pd.DataFrame:
    """Return columns date, series, p05, p25, p50, p75, p95.

    Parameters
    ----------
    series : dict of str to sequence of ndarray of shape (n_steps + 1, n_kept)
        By name, block by block.
    workers : int, optional
        Threads; by default one for each core.
    """

    def of(blocks: Sequence[Float32Array]) -> FloatArray:
        return row_quantiles(np.concatenate(blocks, axis=1), QUANTILES)

    if not series:
        return pd.DataFrame(columns=["date", "series", *_COLUMNS])
    found = in_order(of, series.values(), workers)
    parts = [
        pd.DataFrame({"date": dates, "series": name, **dict(zip(_COLUMNS, quantiles, strict=True))})
        for name, quantiles in zip(series, found, strict=True)
    ]
    return pd.concat(parts, ignore_index=True)


def _checksum(outcomes: Outcomes, daily: pd.DataFrame) -> str:
    digest = hashlib.sha256()
    for condition in sorted(outcomes.series):
        digest.update(outcomes.series[condition].tobytes())
    for name, measures in outcomes.investors.items():
        digest.update(name.encode())
        for key in sorted(measures.values):
            digest.update(measures.values[key].tobytes())
        for unit in measures.units:
            digest.update(measures.attribution[unit].tobytes())
            digest.update(measures.final[unit].tobytes())
        digest.update(measures.events.tobytes())
    for column in _COLUMNS:
        digest.update(daily[column].to_numpy().tobytes())
    return digest.hexdigest()
