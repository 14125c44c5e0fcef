"""Runs a scenario: blocks of paths over threads, reduced to measures and daily quantiles.

Results do not depend on the number of threads or on the size of a block: every draw has its
own counter, blocks are padded to full lanes, and reductions run in the order of the paths.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from simulator.claims.outcomes import Outcomes
from simulator.engine.blocks import Span, in_order, spans
from simulator.engine.chunks import chunk_spans, outcomes_digest
from simulator.engine.day_counts import COLUMNS, DayCounts
from simulator.engine.depeg import Depeg
from simulator.engine.reduce import (
    Block,
    join_blocks,
    join_series,
    run_blocks,
    series_outcomes,
    with_only,
)
from simulator.investors import InvestorMeasures
from simulator.investors.series import assets_of, market_series
from simulator.market.build import market_spec
from simulator.market.dynamics import MarketSpec
from simulator.market.paths import BLOCK_PATHS, own_block, simulate_market
from simulator.scenario.calibration import Calibration
from simulator.scenario.claims import Condition
from simulator.scenario.models import Scenario
from simulator.units import calendar


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


def simulate(
    scenario: Scenario,
    calibration: Calibration,
    *,
    workers: int | None = None,
    block_paths: int = BLOCK_PATHS,
    details: bool = True,
    on_block: Callable[[Block], None] = lambda block: None,
    also: Iterable[Condition] = (),
) -> Simulation:
    """Simulate all paths of a scenario, and keep their numbers in memory.

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
    also : iterable of Condition
        What is to be measured of series besides what claims name.

    Raises
    ------
    InputError
        The calibration lacks an asset of the scenario.
    """
    began = time.perf_counter()
    spec = market_spec(scenario, calibration)
    days = DayCounts() if details else None
    blocks: list[Block] = []
    whole = Span(0, scenario.paths)
    for block in run_blocks(
        scenario, spec, whole, days, workers=workers, block_paths=block_paths, also=also
    ):
        blocks.append(block)
        on_block(block)
    found = join_blocks(blocks)
    daily = (days or DayCounts()).quantiles(calendar(scenario.start, scenario.horizon_days))
    digests = [
        outcomes_digest(found.outcomes, span.first, span.first + span.count)
        for span in chunk_spans(scenario.paths)
    ]
    return Simulation(
        scenario=scenario,
        calibration=calibration,
        spec=spec,
        outcomes=found.outcomes,
        instruments=found.instruments,
        daily=daily,
        checksum=checksum(digests, daily),
        seconds=time.perf_counter() - began,
        depeg=found.depeg,
    )


def simulate_outcomes(
    scenario: Scenario,
    calibration: Calibration,
    measures: Collection[tuple[str, str]],
    *,
    workers: int | None = None,
) -> Outcomes:
    """Return some measures of all investors, path by path, and the numbers of series.

    The numbers are the same bytes as those of `simulate`, in a small part of its memory.

    Parameters
    ----------
    measures : collection of (measure, unit)
    """
    spec = market_spec(scenario, calibration)
    blocks = run_blocks(scenario, spec, Span(0, scenario.paths), None, workers=workers)
    return join_blocks([with_only(block, measures) for block in blocks]).outcomes


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
        return series_outcomes(wanted, lambda name: market_series(market, name), span.count, {})

    blocks = list(in_order(run, spans(scenario.paths), workers))
    return Outcomes({}, join_series(blocks), blocks[0].starts)


def checksum(digests: Iterable[str], daily: pd.DataFrame) -> str:
    """Return the SHA-256 over the chunks' digests in their order and the daily quantiles."""
    digest = hashlib.sha256("".join(digests).encode())
    for column in COLUMNS:
        digest.update(daily[column].to_numpy().tobytes())
    return digest.hexdigest()
