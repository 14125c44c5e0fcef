"""Compiles what runs need ahead of them: every ready scenario once, on a few paths."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import get_args

import numpy as np

from simulator.engine.day_counts import DayCounts
from simulator.engine.market import summarise_market
from simulator.engine.parameter_sets import run_sets
from simulator.engine.simulate import simulate
from simulator.engine.verdicts import judge
from simulator.errors import InputError
from simulator.scenario import LoadedScenario, load_scenario
from simulator.scenario.market import MarketTerms
from simulator.scenario.shipped import shipped_scenarios
from simulator.units import LANES

_DAYS = 400
"""More than a year: measures of a year are compiled too."""


def warm_up(
    on_scenario: Callable[[str], None] = lambda name: None, *, most: int | None = None
) -> None:
    """Run every ready scenario on one block of lanes, and one of them with every market model.

    Whether a run is with details or without, and what `assay market` adds, is all compiled.

    Parameters
    ----------
    on_scenario : callable
        Called with the name of each scenario before it runs.
    most : int, optional
        Only so many of the scenarios, the models left out.
    """
    small = (f"paths={LANES}", f"horizon_days={_DAYS}")
    _merge_days()
    for number, path in enumerate(shipped_scenarios()):
        if most is not None and number >= most:
            return
        on_scenario(path.stem)
        loaded = load_scenario(path, overrides=small)
        _play(loaded)
        run_sets(loaded.scenario, loaded.calibration, 1)
    for model, loaded in _models(small):
        on_scenario(f"market model {model}")
        _play(loaded)


def _models(small: tuple[str, ...]) -> Iterator[tuple[str, LoadedScenario]]:
    """Yield a ready scenario with each market model that needs no file of one's own."""
    first = shipped_scenarios()[0]
    for model in get_args(MarketTerms.model_fields["model"].annotation):
        try:
            yield model, load_scenario(first, overrides=(*small, f"market.model={model}"))
        except InputError:
            continue


def _merge_days() -> None:
    """Add a chunk's counts to those of all, as a run does, whether just made or read again."""
    for paths in (None, LANES):
        days = DayCounts(paths)
        days.add("any", np.ones((2, LANES)))
        DayCounts().merge(days)
        days.arrays()


def _play(loaded: LoadedScenario) -> None:
    simulation = simulate(loaded.scenario, loaded.calibration, workers=1)
    judge(simulation, workers=1, provenance=loaded.provenance)
    simulate(loaded.scenario, loaded.calibration, workers=1, details=False)
    summarise_market(loaded.scenario, loaded.calibration, workers=1)
