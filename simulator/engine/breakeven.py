"""Break-even: the value of a parameter at which a claim turns.

An event turns where it is as likely as not, an effect where its difference is at the bound that
the claim names: at zero, where it says no more than better or worse. Every value is tried on the
same random numbers, so the share of paths P(x) on which an event holds is a step function of x,
and an effect's two sides are paired at every x. Neither need be monotone: a grid is scanned
first, every pair of neighbours on different sides is reported, and the pair nearest to the
present value is halved until P is one half to within half a path (a difference is at its bound
to within a hundredth of its error), or the bracket is closed.

The standard error is that of sampling alone, by the delta method: sqrt(1/2 * 1/2 / n) / |dP/dx|
with the slope of a secant over about a fifth of all paths; an effect's that of the paired
difference over the slope of a secant as high as that error.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass

from simulator.engine.answers import Answer, NotTestable, ask, find_question
from simulator.engine.inputs import Input, default_range, find_input, world_with
from simulator.engine.verdicts import in_units
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
RUN_PATHS = 1_000
"""A run looks for the break-evens of its claims on so many paths."""
CLOSE = 0.01
"""An effect is at its bound within this part of its standard error."""


@dataclass(frozen=True)
class Point:
    """A value that was tried, and what the claim does there.

    Attributes
    ----------
    probability : float or None
        Share of paths on which an event holds; None of an effect.
    estimate : float or None
        An effect's difference; None of an event.
    standard_error : float
        Of either, from sampling.
    excess : float or None
        How far inside what the claim says it lies, negative outside; None where the claim
        cannot be tested, or an effect's two sides are the same and its bound is 0.
    """

    value: float
    probability: float | None
    estimate: float | None = None
    standard_error: float = 0.0
    excess: float | None = None

    @property
    def kept(self) -> bool:
        """Return whether an event is as likely as not, an effect is what the claim says."""
        return self.excess is not None and self.excess >= 0

    @property
    def told(self) -> float:
        """Return the probability or the estimate; NaN where there is neither."""
        found = self.estimate if self.probability is None else self.probability
        return math.nan if found is None else found

    @classmethod
    def of(cls, value: float, answer: Answer) -> Point:
        """Return what a world says at a value."""
        excess = None if math.isnan(answer.excess) else answer.excess
        if answer.verdict.kind == "event":
            p = answer.told
            return cls(value, p, None, math.sqrt(p * (1 - p) / answer.verdict.paths), excess)
        return cls(value, None, answer.told, answer.error, excess)


@dataclass(frozen=True)
class BreakEven:
    """What the search found.

    Attributes
    ----------
    kind : str
        event or effect.
    quantity, compared, scale : str
        Of an effect: what is compared with its unit and period, of whom, and whether it is a share.
    unit : str
        Of the parameter's values; empty for a plain number.
    days : int
        Of the run, over which an event holds or not.
    present : Point
        What the scenario says, and what the claim does there.
    low, high : float
        The range that was searched.
    crossings : tuple of (Point, Point)
        Neighbours on the grid with the claim kept at one and not at the other.
    value, standard_error, probability, estimate : float or None
        Of the crossing nearest to the present value; None where there is none. The error is
        None too where nothing changes around the value.
    bracket : (Point, Point) or None
        The closest values tried on either side of the break-even. Where P or the difference
        jumps across the bound, the two stay apart.
    points : tuple of Point
        Everything tried, in the order of the values.
    """

    claim: str
    kind: str
    quantity: str
    compared: str
    scale: str
    parameter: str
    paths: int
    present: Point
    low: float
    high: float
    crossings: tuple[tuple[Point, Point], ...]
    value: float | None
    standard_error: float | None
    probability: float | None
    estimate: float | None
    bracket: tuple[Point, Point] | None
    points: tuple[Point, ...]
    unit: str = ""
    days: int = 0

    @property
    def jumps(self) -> bool:
        """Return whether the claim turns without passing what it turns at."""
        if self.bracket is None or self.value is None:
            return False
        root = next(point for point in self.points if point.value == self.value)
        if _is_root(root, self.paths, slack=2.0):
            return False
        told = [point.told for point in self.points if not math.isnan(point.told)]
        gap = abs(self.bracket[1].told - self.bracket[0].told)
        return self.kind == "event" or gap > CLOSE * (max(told) - min(told))


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
    """Find the value of `parameter` at which `claim` turns.

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
        No such claim or parameter, an empty range, a premise, or a claim that is not testable.
    InputError
        An end of the range is no value the scenario could have.
    """
    find_question(scenario, claim)
    item = find_input(scenario, calibration, parameter)
    ends = _range(scenario, calibration, item, low, high)
    here = world_with(scenario, calibration, item, item.value, "--solve")
    now = ask(here, calibration, claim, workers)
    present = Point.of(item.value, now)
    tried: dict[float, Point] = {item.value: present}
    on_point(present)

    def probe(value: float) -> Point:
        if value not in tried:
            world = world_with(scenario, calibration, item, value, "--solve")
            try:
                tried[value] = Point.of(value, ask(world, calibration, claim, workers))
            except NotTestable:
                tried[value] = Point(value, None)
            on_point(tried[value])
        return tried[value]

    grid = [probe(value) for value in grid_values(item.value, *ends)]
    known = [point for point in grid if point.excess is not None]
    crossings = tuple((a, b) for a, b in itertools.pairwise(known) if a.kept != b.kept)
    root, error, bracket = None, None, None
    if crossings:
        nearest = min(crossings, key=lambda pair: _distance(pair, item.value))
        counted = now.verdict.paths
        root, bracket = solve(probe, *nearest, counted, ends[1] - ends[0])
        error = _standard_error(probe, root, sorted(tried.values(), key=_value), ends, counted)
    return BreakEven(
        claim=claim,
        kind=now.verdict.kind,
        quantity=in_units(now.verdict, scenario.claims[claim], scenario, calibration).measured,
        compared=now.verdict.compared,
        scale=now.verdict.scale,
        parameter=item.name,
        paths=scenario.paths,
        present=present,
        low=ends[0],
        high=ends[1],
        crossings=crossings,
        value=None if root is None else root.value,
        standard_error=error,
        probability=None if root is None else root.probability,
        estimate=None if root is None else root.estimate,
        bracket=bracket,
        points=tuple(sorted(tried.values(), key=_value)),
        unit=item.unit,
        days=scenario.horizon_days,
    )


def break_evens(
    scenario: Scenario,
    calibration: Calibration,
    *,
    workers: int | None = None,
    on_found: Callable[[BreakEven], None] = lambda found: None,
) -> tuple[BreakEven, ...]:
    """Find the break-evens that the claims of a scenario ask for, on its first paths.

    Parameters
    ----------
    on_found : callable
        Called with each one.
    """
    fewer = scenario.model_copy(update={"paths": min(scenario.paths, RUN_PATHS)})
    found = []
    for claim, terms in scenario.claims.items():
        for parameter in terms.break_even:
            one = break_even(fewer, calibration, claim, parameter, workers=workers)
            found.append(one)
            on_found(one)
    return tuple(found)


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
    """Halve a bracket until the claim is just at its bound, or the bracket is closed.

    Returns
    -------
    root : Point
    bracket : (Point, Point)
        The closest points tried on either side; the root itself where it is at the bound.
    """
    while True:
        middle = probe(0.5 * (low.value + high.value))
        if _is_root(middle, paths):
            return middle, (low, high)
        if middle.excess is None:
            return min(low, high, key=lambda point: abs(point.excess or 0.0)), (low, high)
        if middle.kept == low.kept:
            low = middle
        else:
            high = middle
        size = max(abs(low.value), abs(high.value))
        if high.value - low.value <= max(CLOSED * size, NEARLY_ZERO * span):
            return middle, (low, high)


def _is_root(point: Point, paths: int, slack: float = 1.0) -> bool:
    """Return whether a claim is at its bound: within half a path, or a part of its error."""
    if point.excess is None:
        return point.estimate is not None
    within = 0.5 / paths if point.probability is not None else CLOSE * point.standard_error
    return abs(point.excess) <= slack * within


def _standard_error(
    probe: Callable[[float], Point],
    root: Point,
    points: list[Point],
    ends: tuple[float, float],
    paths: int,
) -> float | None:
    """Return the delta method's error; None where nothing changes around the root."""
    sampling, rise = root.standard_error, root.standard_error
    if root.probability is not None:
        sampling, rise = math.sqrt(0.25 / paths), SECANT
    known = [point for point in points if not math.isnan(point.told)]
    apart = [point for point in known if abs(point.told - root.told) >= rise / 2]
    below = max((p for p in apart if p.value < root.value), key=_value, default=known[0])
    above = min((p for p in apart if p.value > root.value), key=_value, default=known[-1])
    rough = abs(above.told - below.told) / (above.value - below.value)
    if rough == 0:
        return None
    step = rise / rough
    first = probe(max(root.value - step, ends[0]))
    last = probe(min(root.value + step, ends[1]))
    if last.value == first.value:  # an effect without any error
        return 0.0
    slope = abs(last.told - first.told) / (last.value - first.value)
    return None if not slope > 0 else sampling / slope
