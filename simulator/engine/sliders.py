"""Inputs that claims name in their `break_even`, moved by hand: what the claims say there."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass

from simulator.engine.answers import NotTestable, ask
from simulator.engine.breakeven import Point
from simulator.engine.inputs import default_range, find_input, world_with
from simulator.measures.errors import share_interval
from simulator.scenario.calibration import Calibration
from simulator.scenario.models import Scenario

_STOPS = 24
"""So many stops lie on each side of the present value."""


@dataclass(frozen=True)
class Slider:
    """An input, and the values that it may be moved to.

    Attributes
    ----------
    name, unit, about : str
        As `inputs.Input` has them.
    stops : tuple of float
        Dense around the present value, reaching to both ends of where a break-even is looked for.
        Each is a constant factor from its neighbour; towards a zero, as far from the present value.
    at : int
        Which of them is the present value.
    claims : tuple of str
        The claims that name it.
    """

    name: str
    unit: str
    about: str
    stops: tuple[float, ...]
    at: int
    claims: tuple[str, ...]


@dataclass(frozen=True)
class Answered:
    """What the claims of a slider say at a value.

    Attributes
    ----------
    points : dict of claim to Point, None where the claim cannot be tested there
    paths : int
    seconds : float
        How long it took.
    """

    slider: Slider
    value: float
    points: Mapping[str, Point | None]
    paths: int
    seconds: float

    def interval(self, claim: str) -> tuple[float, float]:
        """Return the 95 % interval of sampling of an event's share; NaN where there is none."""
        point = self.points[claim]
        if point is None or point.probability is None or math.isnan(point.probability):
            return math.nan, math.nan
        return share_interval(round(point.probability * self.paths), self.paths)


def sliders(scenario: Scenario, calibration: Calibration) -> tuple[Slider, ...]:
    """Return the inputs that the claims of a scenario name in their `break_even`, each once."""
    named: dict[str, list[str]] = {}
    for claim, terms in scenario.claims.items():
        for parameter in terms.break_even:
            name = find_input(scenario, calibration, parameter).name
            named.setdefault(name, []).append(claim)
    return tuple(_slider(scenario, calibration, *one) for one in named.items())


def _slider(scenario: Scenario, calibration: Calibration, name: str, claims: list[str]) -> Slider:
    item = find_input(scenario, calibration, name)
    ends = default_range(scenario, calibration, item)
    stops = sorted({item.value, *(stop for end in ends for stop in _side(item.value, end))})
    at = stops.index(item.value)
    return Slider(name, item.unit, item.description, tuple(stops), at, tuple(claims))


def _side(middle: float, end: float) -> list[float]:
    """Return the stops from the present value to an end, both without the present value."""
    if end == middle:
        return []
    if end * middle > 0:
        return [middle * (end / middle) ** (k / _STOPS) for k in range(1, _STOPS)] + [end]
    return [middle + (end - middle) * 0.5 ** (k / 4) for k in range(_STOPS)]


def ask_at(
    scenario: Scenario, calibration: Calibration, slider: Slider, value: float, paths: int
) -> Answered:
    """Put the claims of a slider to the test where its input has another value.

    Parameters
    ----------
    paths : int
        The first so many of the run's; the random numbers are those of the run.

    Raises
    ------
    InputError
        The scenario cannot have the value.
    """
    began = time.perf_counter()
    fewer = scenario.model_copy(update={"paths": paths})
    item = find_input(fewer, calibration, slider.name)
    world = world_with(fewer, calibration, item, value, slider.name)
    points: dict[str, Point | None] = {}
    for claim in slider.claims:
        try:
            points[claim] = Point.of(value, ask(world, calibration, claim))
        except NotTestable:
            points[claim] = None
    return Answered(slider, value, points, paths, time.perf_counter() - began)
