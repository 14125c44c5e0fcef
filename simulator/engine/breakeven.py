"""Break-even: the value of a parameter at which a claim is as likely as not.

Every value is tried on the same random numbers, so the share of paths P(x) on which the claim
holds is a step function of x. It need not be monotone: a grid is scanned first, every pair of
neighbours on different sides of one half is reported, and the pair nearest to the present
value is halved until P is one half to within half a path, or the bracket is closed.

The standard error is that of sampling alone, by the delta method: sqrt(1/2 * 1/2 / n) / |dP/dx|
with the slope of a secant over about a fifth of all paths.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass

from simulator.engine.answers import ask
from simulator.engine.inputs import Input, default_range, find_claim, find_input, world_with
from simulator.errors import UsageError
from simulator.scenario.calibration import Calibration
from simulator.scenario.models import Scenario

GRID_HALVINGS = 6
"""On each side of the present value the grid has its end, half way there, a quarter, ..."""
SECANT = 0.1
"""The slope is taken between about P = 0.4 and P = 0.6."""
CLOSED = 1e-6
"""A bracket is closed at this width relative to the value."""
NEARLY_ZERO = 1e-9
"""The same relative to the range, for roots at zero."""


@dataclass(frozen=True)
class Point:
    """A value that was tried, and the share of paths on which the claim holds there."""

    value: float
    probability: float

    @property
    def likely(self) -> bool:
        """Return whether the claim is at least as likely as not."""
        return self.probability >= 0.5


@dataclass(frozen=True)
class BreakEven:
    """What the search found.

    Attributes
    ----------
    present : Point
        What the scenario says, and how likely the claim is there.
    low, high : float
        The range that was searched.
    crossings : tuple of (Point, Point)
        Neighbours on the grid with the claim likely at one and unlikely at the other.
    value, standard_error, probability : float or None
        Of the crossing nearest to the present value; None where there is none. The error is
        None too where P does not change around the value.
    bracket : (Point, Point) or None
        The closest values tried on either side of the break-even. Where P jumps across one
        half, its two probabilities stay apart.
    points : tuple of Point
        Everything tried, in the order of the values.
    """

    claim: str
    parameter: str
    paths: int
    present: Point
    low: float
    high: float
    crossings: tuple[tuple[Point, Point], ...]
    value: float | None
    standard_error: float | None
    probability: float | None
    bracket: tuple[Point, Point] | None
    points: tuple[Point, ...]


def break_even(
    scenario: Scenario,
    calibration: Calibration,
    claim: str,
    parameter: str,
    *,
    low: float | None = None,
    high: float | None = None,
    workers: int | None = None,
    on_point: Callable[[Point], None] = lambda point: None,
) -> BreakEven:
    """Find the value of `parameter` at which `claim` is as likely as not.

    Parameters
    ----------
    parameter : str
        Dotted name, or an unambiguous last part of it.
    low, high : float, optional
        The range; by default that of `inputs.default_range`.
    on_point : callable
        Called with each value tried.

    Raises
    ------
    UsageError
        No such claim or parameter, an empty range, or a claim that is not testable.
    InputError
        An end of the range is no value the scenario could have.
    """
    find_claim(scenario, claim)
    item = find_input(scenario, calibration, parameter)
    ends = _range(scenario, calibration, item, low, high)
    tried: dict[float, Point] = {}

    def probe(value: float) -> Point:
        if value not in tried:
            world = world_with(scenario, calibration, item, value, "--solve")
            share = ask(world, calibration, claim, workers).verdict.probability
            tried[value] = Point(value, share)
            on_point(tried[value])
        return tried[value]

    present = probe(item.value)
    grid = [probe(value) for value in grid_values(item.value, *ends)]
    crossings = tuple((a, b) for a, b in itertools.pairwise(grid) if a.likely != b.likely)
    root, error, bracket = None, None, None
    if crossings:
        nearest = min(crossings, key=lambda pair: _distance(pair, item.value))
        root, bracket = solve(probe, *nearest, scenario.paths, ends[1] - ends[0])
        error = _standard_error(
            probe, root, sorted(tried.values(), key=_value), ends, scenario.paths
        )
    return BreakEven(
        claim=claim,
        parameter=item.name,
        paths=scenario.paths,
        present=present,
        low=ends[0],
        high=ends[1],
        crossings=crossings,
        value=None if root is None else root.value,
        standard_error=error,
        probability=None if root is None else root.probability,
        bracket=bracket,
        points=tuple(sorted(tried.values(), key=_value)),
    )


def _value(point: Point) -> float:
    return point.value


def _range(
    scenario: Scenario,
    calibration: Calibration,
    item: Input,
    low: float | None,
    high: float | None,
) -> tuple[float, float]:
    if low is None or high is None:
        default = default_range(scenario, calibration, item)
        low, high = default[0] if low is None else low, default[1] if high is None else high
    if not low < high:
        raise UsageError(f"--low {low:g} must be below --high {high:g}")
    for option, end in (("--low", low), ("--high", high)):
        world_with(scenario, calibration, item, end, option)
    return low, high


def grid_values(present: float, low: float, high: float) -> list[float]:
    """Return the values to scan: dense around the present one, reaching to both ends.

    Outside the range the present value is replaced by the end next to it.
    """
    middle = min(max(present, low), high)
    parts = [0.5**k for k in range(GRID_HALVINGS + 1)]
    below = [middle - (middle - low) * part for part in parts]
    above = [middle + (high - middle) * part for part in parts]
    return sorted({low, middle, high, *below, *above})


def _distance(pair: tuple[Point, Point], present: float) -> float:
    low, high = pair[0].value, pair[1].value
    return max(low - present, present - high, 0.0)


def solve(
    probe: Callable[[float], Point], low: Point, high: Point, paths: int, span: float
) -> tuple[Point, tuple[Point, Point]]:
    """Halve a bracket until P is one half to within half a path, or the bracket is closed.

    Returns
    -------
    root : Point
    bracket : (Point, Point)
        The closest points tried on either side; the root itself where P is one half there.
    """
    while True:
        middle = probe(0.5 * (low.value + high.value))
        if abs(middle.probability - 0.5) * paths <= 0.5:
            return middle, (low, high)
        if middle.likely == low.likely:
            low = middle
        else:
            high = middle
        size = max(abs(low.value), abs(high.value))
        if high.value - low.value <= max(CLOSED * size, NEARLY_ZERO * span):
            return middle, (low, high)


def _standard_error(
    probe: Callable[[float], Point],
    root: Point,
    points: list[Point],
    ends: tuple[float, float],
    paths: int,
) -> float | None:
    """Return the delta method's error; None where P is flat around the root."""
    apart = [point for point in points if abs(point.probability - root.probability) >= SECANT / 2]
    below = max((p for p in apart if p.value < root.value), key=_value, default=points[0])
    above = min((p for p in apart if p.value > root.value), key=_value, default=points[-1])
    rough = abs(above.probability - below.probability) / (above.value - below.value)
    if rough == 0:
        return None
    step = SECANT / rough
    first = probe(max(root.value - step, ends[0]))
    last = probe(min(root.value + step, ends[1]))
    slope = abs(last.probability - first.probability) / (last.value - first.value)
    if slope == 0:
        return None
    return math.sqrt(0.25 / paths) / slope
