"""Runs blocks of paths and reduces them to measures and counts.

Results do not depend on the number of threads or on the size of a block: every draw has its
own counter, blocks are padded to full lanes, and reductions run in the order of the paths.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from simulator.claims.outcomes import Outcomes, reduce_series, series_conditions
from simulator.engine.blocks import Span, in_order
from simulator.engine.day_counts import DayCounts
from simulator.engine.depeg import Depeg, find_fall, join_depegs
from simulator.investors import InvestorMeasures, InvestorPaths, join, measure
from simulator.investors.portfolio import Wanted
from simulator.investors.series import series
from simulator.investors.world import World, each_investor, simulate_instruments
from simulator.market.dynamics import MarketSpec
from simulator.market.paths import BLOCK_PATHS, own_block
from simulator.scenario.claims import Condition, named_measures
from simulator.scenario.models import Scenario
from simulator.units import FloatArray


@dataclass(frozen=True)
class Block:
    """What consecutive paths come to: measures, path by path."""

    first_path: int
    outcomes: Outcomes
    instruments: Mapping[str, InvestorMeasures]
    depeg: Depeg | None = None

    @property
    def n_paths(self) -> int:
        """Return how many paths it has."""
        return next(iter(self.investors.values())).events.shape[0]

    @property
    def investors(self) -> Mapping[str, InvestorMeasures]:
        """Return the investors' measures by name."""
        return self.outcomes.investors


def run_blocks(
    scenario: Scenario,
    spec: MarketSpec,
    span: Span,
    days: DayCounts | None,
    *,
    workers: int | None = None,
    block_paths: int = BLOCK_PATHS,
    also: Iterable[Condition] = (),
) -> Iterator[Block]:
    """Yield the blocks of a span in the order of the paths.

    Parameters
    ----------
    days : DayCounts, optional
        Takes the daily series in. Without it only what claims ask for is made: no instruments by
        themselves, no sources, no days.
    also : iterable of Condition
        What is to be measured of series besides what claims name.
    """
    wanted = {**series_conditions(scenario.claims), **{one.key: one for one in also}}
    work = partial(_run_block, scenario, spec, days, wanted)
    return in_order(work, span.parts(block_paths), workers)


def join_blocks(blocks: Sequence[Block]) -> Block:
    """Return consecutive blocks as one."""
    outcomes = Outcomes(
        _joined([block.investors for block in blocks]),
        join_series([block.outcomes for block in blocks]),
        blocks[0].outcomes.starts,
    )
    return Block(
        blocks[0].first_path,
        outcomes,
        _joined([block.instruments for block in blocks]),
        join_depegs([block.depeg for block in blocks]),
    )


def with_only(block: Block, measures: Collection[tuple[str, str]]) -> Block:
    """Return a block of which only some measures of the investors are left."""
    nothing = np.empty(0)
    investors = {
        name: replace(
            of,
            values={key: values for key, values in of.values.items() if key in measures},
            sources=(),
            attribution={},
            initial={},
            final={},
            unpaid=nothing,
            organic_share=nothing,
            flows=nothing,
            happened={},
        )
        for name, of in block.investors.items()
    }
    return replace(block, outcomes=replace(block.outcomes, investors=investors), instruments={})


def join_series(blocks: Sequence[Outcomes]) -> dict[str, FloatArray]:
    """Return the numbers of series of consecutive blocks, shape (n_paths,) each."""
    return {key: np.concatenate([b.series[key] for b in blocks]) for key in blocks[0].series}


def _joined(blocks: Sequence[Mapping[str, InvestorMeasures]]) -> dict[str, InvestorMeasures]:
    return {name: join([block[name] for block in blocks]) for name in blocks[0]}


def _run_block(
    scenario: Scenario,
    spec: MarketSpec,
    days: DayCounts | None,
    wanted: Mapping[str, Condition],
    span: Span,
) -> Block:
    block, count, details = own_block(spec, span.padded), span.count, days is not None
    world = simulate_instruments(
        scenario, spec, span.first, span.padded, by_source=details, block=block
    )
    # what each model was told is a quarter of a block, and nobody asks for it any more
    world = replace(world, played={})
    also = named_measures(scenario.claims)
    asked = Wanted(sources=details, shares=details, days=False)
    measured: dict[str, InvestorMeasures] = {}
    fall = find_fall(scenario, world.market, count) if details else None
    exits: dict[str, FloatArray] = {}
    if days is not None:
        for name, values in world.market.prices.items():
            days.add(f"price.{name}", values, count)
    for name, paths in each_investor(scenario, world, count=count, wanted=asked):
        measured[name] = measure(paths, count, also.get(name, ()), spells=details)
        if days is not None:
            _count_exits(days, name, paths, count)
        if fall is not None:
            exits[name] = fall.exits(paths)
    find = partial(series, world.market, world.instruments)
    outcomes = series_outcomes(wanted, find, count, measured)
    if days is None:
        return Block(span.first, outcomes, {})
    _count_details(days, world, count)
    alone = {
        name: measure(InvestorPaths(name, paths), count, spells=True)
        for name, paths in world.instruments.items()
    }
    left = None if fall is None else Depeg(fall.fell, exits)
    return Block(span.first, outcomes, alone, left)


def series_outcomes(
    conditions: Mapping[str, Condition],
    find: Callable[[str], FloatArray],
    wanted: int,
    measured: Mapping[str, InvestorMeasures],
) -> Outcomes:
    """Return what the first `wanted` paths of a block come to.

    Parameters
    ----------
    find : callable
        Returns a series by its name, shape (n_steps + 1, n_paths).
    """
    found, starts = {}, {}
    for key, condition in conditions.items():
        values = find(str(condition.series))[:, :wanted]
        found[key] = reduce_series(condition, values)
        starts[str(condition.series)] = float(values[0, 0])
    return Outcomes(measured, found, starts)


def _count_exits(days: DayCounts, name: str, paths: InvestorPaths, count: int) -> None:
    """Count an investor's daily exit values, and those of a portfolio at mark."""
    for unit in paths.holding.units:
        days.add(f"exit.{name}.{unit}", paths.holding.exit[unit], count)
    if paths.portfolio is not None:
        days.add(f"mark.{name}.usd", paths.holding.mark["usd"], count)


def _count_details(days: DayCounts, world: World, count: int) -> None:
    """Count the daily series that the instruments show beside their value."""
    for name, paths in world.instruments.items():
        for detail, values in paths.details.items():
            days.add(f"{name}.{detail}", values, count)
