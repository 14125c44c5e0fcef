"""What shocks do: each alone and all together against none, on the same random numbers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from simulator.claims import judge_events
from simulator.engine.blocks import spans
from simulator.engine.simulate import simulate
from simulator.market.dynamics import MarketSpec
from simulator.market.paths import own_block, simulate_market
from simulator.scenario.calibration import Calibration
from simulator.scenario.claims import Condition
from simulator.scenario.models import Scenario
from simulator.units import LANES, FloatArray

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
class ShockedWorld:
    """What a scenario comes to with some of its shocks.

    Attributes
    ----------
    returns : dict of str to ndarray of shape (n_paths,)
        By investor: total return in dollars.
    probabilities : dict of str to float
        By claim, events alone.
    happened : float
        Share of the paths on which any of these shocks begins within the run.
    series : dict of `Condition.key` to ndarray of shape (n_paths,)
        What was asked for besides.
    """

    returns: Mapping[str, FloatArray]
    probabilities: Mapping[str, float]
    happened: float
    series: Mapping[str, FloatArray] = field(default_factory=dict)


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
    plain = shocked_world(only(small, ()), calibration, workers=workers)
    found = []
    worlds = [*((name, [name]) for name in names), *([(TOGETHER, names)] if names[1:] else [])]
    for label, chosen in worlds:
        world = shocked_world(only(small, chosen), calibration, names=chosen, workers=workers)
        found.append(effect_of(label, plain, world))
        on_found(label)
    return tuple(found)


def only(scenario: Scenario, names: Collection[str]) -> Scenario:
    """Return the scenario in which no shocks happen but those named, or of groups named."""
    shocks = tuple(
        shock if shock.counts_as in names else shock.model_copy(update={"share": 0.0})
        for shock in scenario.shocks or ()
    )
    return scenario.model_copy(update={"shocks": shocks})


def shocked_world(
    scenario: Scenario,
    calibration: Calibration,
    *,
    names: Collection[str] = (),
    workers: int | None = None,
    also: Sequence[Condition] = (),
) -> ShockedWorld:
    """Simulate a scenario with all of its shocks.

    Parameters
    ----------
    names : collection of str
        Shocks, or groups of them, of which it is to be told how often any happens.
    also : sequence of Condition
        What is to be measured of series besides.
    """
    run = simulate(scenario, calibration, workers=workers, details=False, also=also)
    returns = {name: m.values["total_return", "usd"] for name, m in run.investors.items()}
    verdicts = judge_events(scenario.claims, run.outcomes)
    probabilities = {v.claim: v.probability for v in verdicts if not v.reason}
    series = {one.key: run.outcomes.series[one.key] for one in also}
    happened = _share_hit(scenario, run.spec, names) if names else 0.0
    return ShockedWorld(returns, probabilities, happened, series)


def _share_hit(scenario: Scenario, spec: MarketSpec, names: Collection[str]) -> float:
    """Return the share of the paths on which any of some shocks begins within the run."""
    shocks = [one for one in scenario.shocks or () if one.counts_as in names]
    alike = all(one.condition is None and one.share in (0.0, 1.0) for one in shocks)
    paths = min(scenario.paths, LANES) if alike else scenario.paths
    hit = 0
    for span in spans(paths):
        block = own_block(spec, span.padded)
        market = simulate_market(spec, scenario.seed, span.first, span.padded, block=block)
        begins = {} if market.happened is None else market.happened.begins
        first = np.min([begins[one.name][: span.count] for one in shocks], axis=0)
        hit += int((first <= scenario.horizon_days).sum())
    return hit / paths


def effect_of(label: str, plain: ShockedWorld, shocked: ShockedWorld) -> ShockEffect:
    """Return what a world with shocks loses against one without, on the same paths."""
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
