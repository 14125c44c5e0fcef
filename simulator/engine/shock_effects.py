"""What shocks do: each alone and all together against none, on the same random numbers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import numpy as np

from simulator.claims import judge_events
from simulator.engine.blocks import spans
from simulator.engine.simulate import simulate
from simulator.market.dynamics import MarketSpec
from simulator.market.paths import own_block, simulate_market
from simulator.scenario.calibration import Calibration
from simulator.scenario.models import Scenario
from simulator.units import FloatArray

PATHS = 2_048
"""Paths of a comparison at most; differences on the same paths need few."""
TOGETHER = "together"


@dataclass(frozen=True)
class ShockEffect:
    """One shock, or all of them, against none.

    Attributes
    ----------
    shock : str
        Its name, that of its group, or TOGETHER.
    happened : float
        Share of the paths on which any of it begins within the run.
    returns, errors : dict of str to float
        By investor: mean over the paths of the total return in dollars less that without shocks,
        and the standard error of that paired difference.
    probabilities : dict of str to (float, float)
        By claim, events alone: its probability without any shock, and with.
    """

    shock: str
    happened: float
    returns: Mapping[str, float]
    errors: Mapping[str, float]
    probabilities: Mapping[str, tuple[float, float]]


@dataclass(frozen=True)
class _World:
    returns: Mapping[str, FloatArray]
    probabilities: Mapping[str, float]
    happened: float


def shock_effects(
    scenario: Scenario,
    calibration: Calibration,
    *,
    workers: int | None = None,
    on_found: Callable[[str], None] = lambda name: None,
) -> tuple[ShockEffect, ...]:
    """Return what each shock does by itself, in their order, and what all do together.

    A shock that is left out keeps its draws and happens on no path; so all worlds share their
    random numbers. Nothing without shocks.
    """
    if not scenario.shocks:
        return ()
    small = scenario.model_copy(update={"paths": min(scenario.paths, PATHS)})
    names = list(dict.fromkeys(shock.counts_as for shock in scenario.shocks))
    plain = _world(small, (), calibration, workers)
    found = []
    worlds = [*((name, [name]) for name in names), *([(TOGETHER, names)] if names[1:] else [])]
    for label, chosen in worlds:
        found.append(_effect(label, plain, _world(small, chosen, calibration, workers)))
        on_found(label)
    return tuple(found)


def only(scenario: Scenario, names: Collection[str]) -> Scenario:
    """Return the scenario in which no shocks happen but those named, or of groups named."""
    shocks = tuple(
        shock if shock.counts_as in names else shock.model_copy(update={"share": 0.0})
        for shock in scenario.shocks or ()
    )
    return scenario.model_copy(update={"shocks": shocks})


def _world(
    scenario: Scenario, names: Collection[str], calibration: Calibration, workers: int | None
) -> _World:
    world = only(scenario, names)
    run = simulate(world, calibration, workers=workers, details=False)
    returns = {name: m.values["total_return", "usd"] for name, m in run.investors.items()}
    verdicts = judge_events(scenario.claims, run.outcomes)
    probabilities = {v.claim: v.probability for v in verdicts if not v.reason}
    return _World(returns, probabilities, _share_hit(world, run.spec) if names else 0.0)


def _share_hit(scenario: Scenario, spec: MarketSpec) -> float:
    """Return the share of the paths on which any shock begins within the run."""
    hit = 0
    for span in spans(scenario.paths):
        block = own_block(spec, span.padded)
        market = simulate_market(spec, scenario.seed, span.first, span.padded, block=block)
        begins = () if market.happened is None else market.happened.begins.values()
        first = np.min([steps[: span.count] for steps in begins], axis=0)
        hit += int((first <= scenario.horizon_days).sum())
    return hit / scenario.paths


def _effect(label: str, plain: _World, shocked: _World) -> ShockEffect:
    gaps = {name: found - plain.returns[name] for name, found in shocked.returns.items()}
    return ShockEffect(
        shock=label,
        happened=shocked.happened,
        returns={name: float(gap.mean()) for name, gap in gaps.items()},
        errors={name: _error(gap) for name, gap in gaps.items()},
        probabilities={
            claim: (plain.probabilities[claim], found)
            for claim, found in shocked.probabilities.items()
            if claim in plain.probabilities
        },
    )


def _error(gaps: FloatArray) -> float:
    """Return the standard error of a mean; 0 of one path."""
    return float(gaps.std(ddof=1) / np.sqrt(gaps.size)) if gaps.size > 1 else 0.0
