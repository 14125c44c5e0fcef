"""A scenario under ladders of shocks: every shock in every severity against none.

All worlds share their random numbers. What lends (`Position.lends`) gets two numbers a world, as
risk managers of lending protocols quote them: VaR, the 95th percentile over the paths of the debt
that is insolvent at the end (written off, or open beyond its collateral), and LaR, that of the
debt that liquidators repaid within the run; in dollars as the contract counts them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from simulator.engine.shock_effects import (
    PATHS,
    ShockedWorld,
    ShockEffect,
    effect_of,
    shocked_world,
)
from simulator.scenario.calibration import Calibration
from simulator.scenario.claims import Condition
from simulator.scenario.ladders import Laid, Severity
from simulator.scenario.models import Scenario
from simulator.units import LANES

TAIL = 0.95


@dataclass(frozen=True)
class AtRisk:
    """What a lender has at risk, dollars: insolvent debt (VaR) and liquidations (LaR)."""

    var: float
    lar: float


@dataclass(frozen=True)
class Cell:
    """One severity of one ladder.

    Attributes
    ----------
    ladder : str
    severity : Severity
    effect : ShockEffect
        Against the scenario as it stands.
    lenders : dict of str to AtRisk
        By position.
    """

    ladder: str
    severity: Severity
    effect: ShockEffect
    lenders: Mapping[str, AtRisk]


@dataclass(frozen=True)
class Stress:
    """A scenario under ladders.

    Attributes
    ----------
    scenario : Scenario
        With the paths that were simulated.
    laid : Laid
        The ladders.
    plain : dict of str to float
        By claim that is an event: its probability without these shocks.
    returns : dict of str to float
        By investor: the mean total return in dollars without them.
    lenders : dict of str to AtRisk
        Without them, by position.
    cells : tuple of Cell
        In the order of the ladders, mild before severe before extreme.
    """

    scenario: Scenario
    laid: Laid
    plain: Mapping[str, float]
    returns: Mapping[str, float]
    lenders: Mapping[str, AtRisk]
    cells: tuple[Cell, ...]

    def of(self, ladder: str) -> tuple[Cell, ...]:
        """Return a ladder's cells."""
        return tuple(cell for cell in self.cells if cell.ladder == ladder)


def fewer_paths(scenario: Scenario) -> Scenario:
    """Return the scenario with as many paths as a comparison needs, at most."""
    return scenario.model_copy(update={"paths": min(scenario.paths, PATHS)})


def stress(
    scenario: Scenario,
    calibration: Calibration,
    laid: Laid,
    *,
    workers: int | None = None,
    on_plain: Callable[[float], None] = lambda seconds: None,
    on_cell: Callable[[int], None] = lambda done: None,
) -> Stress:
    """Return what each severity of each ladder does; all paths of the scenario are simulated.

    Parameters
    ----------
    on_plain : callable
        Called with how long the scenario took without any of the shocks, seconds.
    on_cell : callable
        Called with 1 after each severity.

    Raises
    ------
    InputError
        The calibration lacks something that the scenario needs.
    """
    watched = _watched(scenario)
    also = [one for pair in watched.values() for one in pair]

    def world(of: Scenario) -> ShockedWorld:
        return shocked_world(of, calibration, workers=workers, also=also)

    world(scenario.model_copy(update={"paths": min(scenario.paths, LANES)}))  # it may compile
    began = time.perf_counter()
    plain = world(scenario)
    on_plain(time.perf_counter() - began)
    cells = []
    for rung in laid.rungs:
        more = (*(scenario.shocks or ()), *rung.shocks)
        shocked = world(scenario.model_copy(update={"shocks": more}))
        effect = effect_of(f"{rung.ladder}-{rung.severity}", plain, shocked)
        cells.append(Cell(rung.ladder, rung.severity, effect, _at_risk(shocked, watched)))
        on_cell(1)
    returns = {name: float(values.mean()) for name, values in plain.returns.items()}
    lenders = _at_risk(plain, watched)
    return Stress(scenario, laid, plain.probabilities, returns, lenders, tuple(cells))


def _watched(scenario: Scenario) -> dict[str, tuple[Condition, Condition]]:
    """Return by lender what is measured of him: insolvent debt, and what liquidators repaid."""
    return {
        name: (_last(f"{name}.{at.lends.insolvent}"), _last(f"{name}.{at.lends.liquidated}"))
        for name, at in scenario.positions.items()
        if at.lends is not None
    }


def _last(series: str) -> Condition:
    """Return what measures a series on the last day; its bound plays no part."""
    return Condition(measure="last", series=series, at_least=0.0)


def _at_risk(
    world: ShockedWorld, watched: Mapping[str, tuple[Condition, Condition]]
) -> dict[str, AtRisk]:
    return {
        name: AtRisk(*(float(np.quantile(world.series[one.key], TAIL)) for one in pair))
        for name, pair in watched.items()
    }
