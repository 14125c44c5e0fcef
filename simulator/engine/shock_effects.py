"""What shocks do: each alone and all together against none, on the same random numbers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import numpy as np

from simulator.claims import judge_events
from simulator.engine.simulate import simulate
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
        Its name, or TOGETHER.
    happened : float
        Share of the paths on which it begins within the run; of all together, on which any does.
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
    names = [shock.name for shock in scenario.shocks]
    plain = _world(small, (), calibration, workers)
    found = []
    for label, chosen in [*((name, [name]) for name in names), (TOGETHER, names)]:
        found.append(_effect(label, plain, _world(small, chosen, calibration, workers)))
        on_found(label)
    return tuple(found)


def only(scenario: Scenario, names: Collection[str]) -> Scenario:
    """Return the scenario in which no shocks happen but those named."""
    shocks = tuple(
        shock if shock.name in names else shock.model_copy(update={"share": 0.0})
        for shock in scenario.shocks or ()
    )
    return scenario.model_copy(update={"shocks": shocks})


def _world(
    scenario: Scenario, names: Collection[str], calibration: Calibration, workers: int | None
) -> _World:
    run = simulate(only(scenario, names), calibration, workers=workers, details=False)
    returns = {name: m.values["total_return", "usd"] for name, m in run.investors.items()}
    verdicts = judge_events(scenario.claims, run.outcomes)
    return _World(returns, {v.claim: v.probability for v in verdicts if not v.reason})


def _effect(label: str, plain: _World, shocked: _World) -> ShockEffect:
    gaps = {name: found - plain.returns[name] for name, found in shocked.returns.items()}
    moved = np.any([gap != 0.0 for gap in gaps.values()], axis=0)
    return ShockEffect(
        shock=label,
        happened=float(moved.mean()),
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
