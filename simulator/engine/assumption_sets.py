"""How far a verdict moves when what the scenario assumes is only as good as its ranges.

Each set draws every figure that the scenario marks as an assumption, all at once, over the range
that it states (`range: [low, high]`), else between half and double. What the contracts say, and
what is marked otherwise, stays. All sets share the random numbers of the paths.

A stated range is drawn from evenly; half to double evenly on the logarithm, so that the present
value is in the middle. Zero has no half and no double and stays, unless a range is stated. Draws
that the scenario could not have together are taken back, those that a fault names first.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from simulator.claims import Verdict
from simulator.claims.scale import MIDDLE
from simulator.engine.inputs import Input, inputs
from simulator.engine.movers import by_chance, moved_by
from simulator.engine.parameter_sets import (
    PATHS_A_SET,
    Base,
    Row,
    base_of,
    judged_rows,
    judged_sets,
)
from simulator.engine.prune import of_the_market_alone, pruned
from simulator.errors import InputError
from simulator.market.build import market_spec
from simulator.market.philox import uniforms4
from simulator.market.streams import Stream
from simulator.scenario.calibration import Calibration
from simulator.scenario.loader import RawFile, validate
from simulator.scenario.models import Scenario
from simulator.schema.raw import ASSUMPTION, Provenance

FACTOR = 2.0
"""Without a stated range an assumption lies between half and double."""
PREFIX = "assumed."
"""The columns of drawn figures in the table of sets."""
_ATTEMPTS = 8


@dataclass(frozen=True)
class Assumed:
    """A figure that is assumed, and within which range it is drawn.

    Attributes
    ----------
    stated : bool
        Whether the scenario says the range; else it is half to double.
    """

    item: Input
    low: float
    high: float
    stated: bool

    def at(self, uniform: float) -> float:
        """Return the value that a number between 0 and 1 stands for."""
        if self.stated:
            return self.low + uniform * (self.high - self.low)
        size = abs(self.item.value) * FACTOR ** (2.0 * uniform - 1.0)
        return self.item.bounds.clip(math.copysign(size, self.item.value))


def assumed(
    scenario: Scenario, calibration: Calibration, provenance: Mapping[str, Provenance]
) -> tuple[Assumed, ...]:
    """Return the continuous figures that the scenario marks as assumptions, in its order."""
    found = []
    for name, item in inputs(scenario, calibration).items():
        origin = provenance.get(name)
        if origin is None or origin.mark != ASSUMPTION.mark:
            continue
        if origin.range:
            found.append(Assumed(item, origin.range[0], origin.range[1], stated=True))
        elif item.value != 0.0:
            low, high = sorted((item.value / FACTOR, item.value * FACTOR))
            clip = item.bounds.clip
            found.append(Assumed(item, clip(low), clip(high), stated=False))
    return tuple(found)


def draw_assumptions(
    scenario: Scenario, calibration: Calibration, figures: Iterable[Assumed], number: int
) -> tuple[Scenario, dict[str, float]]:
    """Return the scenario with all figures drawn anew, and what each became, by its name.

    A figure's draw hangs on its name, the seed and the number of the set alone.
    """
    drawn = {one.item.name: (one, one.at(_uniform(scenario, one, number))) for one in figures}
    for _ in range(_ATTEMPTS):
        moved, faulty = _moved(scenario, calibration, drawn)
        if moved is not None:
            return moved, {name: value for name, (_, value) in drawn.items()}
        for name in _still_drawn(faulty, drawn):
            one = drawn[name][0]
            drawn[name] = (one, one.item.value)
    return scenario, {name: one.item.value for name, (one, _) in drawn.items()}


def _uniform(scenario: Scenario, one: Assumed, number: int) -> float:
    step = zlib.crc32(one.item.name.encode())
    return float(uniforms4(scenario.seed, step, int(Stream.ASSUMPTIONS), number)[0])


def _moved(
    scenario: Scenario, calibration: Calibration, drawn: Mapping[str, tuple[Assumed, float]]
) -> tuple[Scenario | None, set[str]]:
    """Return the changed scenario, or the names that its faults lie at."""
    data = scenario.model_dump()
    for one, value in drawn.values():
        node: Any = data
        for part in one.item.location[:-1]:
            node = node[part]
        node[one.item.location[-1]] = value
    try:
        changed = validate(Scenario, RawFile(path="assumptions", data=data))
        _ = market_spec(changed, calibration).tables
    except InputError as error:
        return None, {problem.field for problem in error.problems}
    except ValueError:
        return None, {"market"}
    return changed, set()


def _still_drawn(faulty: set[str], drawn: Mapping[str, tuple[Assumed, float]]) -> list[str]:
    """Return the figures to take back: those that faults name, or what stands beside these.

    Two weights must sum to one, and the fault names the one: it may be back already.
    """
    moved = [name for name, (one, value) in drawn.items() if value != one.item.value]
    while faulty:
        found = [name for name in _named(faulty, drawn) if name in moved]
        if found:
            return found
        faulty = {at.rpartition(".")[0] for at in faulty} - {""}
    return moved


def _named(faulty: set[str], drawn: Iterable[str]) -> list[str]:
    """Return which drawn figures faults may be about; all of them where none is named."""
    near = [
        name
        for name in drawn
        if any(
            name == at or name.startswith(f"{at}.") or at.startswith(f"{name}.") for at in faulty
        )
    ]
    return near or list(drawn)


def run_assumption_sets(
    scenario: Scenario,
    calibration: Calibration,
    provenance: Mapping[str, Provenance],
    count: int,
    paths: int = PATHS_A_SET,
    on_set: Callable[[int], None] = lambda number: None,
    verdicts: Sequence[Verdict] = (),
) -> pd.DataFrame:
    """Judge the claims under `count` sets of assumptions; `on_set` is called after each.

    `verdicts` are of the whole run, as in `run_sets`.

    Returns
    -------
    DataFrame
        As of `run_sets`, with a column `assumed.NAME` for each figure that was drawn; empty
        where nothing is marked as an assumption.
    """
    small = pruned(scenario, *scenario.claims)
    small = small.model_copy(update={"paths": min(paths, scenario.paths)})
    figures = assumed(small, calibration, provenance)
    if not figures:
        return pd.DataFrame()
    base = base_of(small, calibration, verdicts)
    return judged_sets(partial(_judge_set, small, calibration, figures, base), count, on_set)


def _judge_set(
    scenario: Scenario,
    calibration: Calibration,
    figures: tuple[Assumed, ...],
    base: Base | None,
    number: int,
) -> list[Row]:
    moved, values = draw_assumptions(scenario, calibration, figures, number)
    named = {f"{PREFIX}{name}": value for name, value in values.items()}
    return judged_rows(number, moved, calibration, named, base)


@dataclass(frozen=True)
class MovedMost:
    """The assumption that moves a claim most, by rank correlation over the sets.

    Attributes
    ----------
    middle : float
        The median of what it was drawn as.
    below, above : float
        What the claim is in the mean of the sets in which it lies below, and above.
    """

    name: str
    correlation: float
    middle: float
    below: float
    above: float


def moved_most(scenario: Scenario, claim: str, rows: pd.DataFrame, told: str) -> MovedMost | None:
    """Return which assumption moves a claim most; None where chance would do as much.

    Only figures of what the claim is about are asked: its instruments, its investors, prices.

    Parameters
    ----------
    rows : DataFrame
        Of `run_assumption_sets`, the claim's.
    told : str
        The column it is about: probability or estimate.
    """
    small = pruned(scenario, claim)
    heads = {f"instruments.{label}." for label in small.instruments}
    heads |= {f"investors.{name}." for name in small.investors} | {"gas."}
    heads = {"market."} | (set() if of_the_market_alone(scenario.claims[claim]) else heads)
    names = [
        name
        for name in map(str, rows)
        if name.startswith(PREFIX) and name.removeprefix(PREFIX).startswith(tuple(heads))
    ]
    movers = moved_by(rows[[told, *names]], told)
    if not movers or abs(movers[0].correlation) <= by_chance(len(rows), len(movers)):
        return None
    first = movers[0]
    middle = float(rows[first.figure].median())
    low = rows[first.figure] < middle
    return MovedMost(
        name=first.figure.removeprefix(PREFIX),
        correlation=first.correlation,
        middle=middle,
        below=float(rows.loc[low, told].mean()),
        above=float(rows.loc[~low, told].mean()),
    )


def with_assumptions(
    verdicts: tuple[Verdict, ...], scenario: Scenario, sets: pd.DataFrame
) -> tuple[Verdict, ...]:
    """Return the verdicts with their range over the sets, and what moves them most.

    No word changes: what the assumptions leave open stands beside it.
    """
    if sets.empty:
        return verdicts
    return tuple(_with_range(v, scenario, sets[sets["claim"] == v.claim]) for v in verdicts)


def _with_range(verdict: Verdict, scenario: Scenario, rows: pd.DataFrame) -> Verdict:
    if verdict.kind == "premise" and not verdict.counted:
        return verdict
    told = "probability" if verdict.counted else "estimate"
    rows = rows[rows["paths"] > 0] if verdict.given else rows
    found = rows[told].to_numpy(dtype=float)
    if found.size == 0 or np.isnan(found).any():
        return verdict
    low, high = (float(q) for q in np.quantile(found, MIDDLE))
    most = moved_most(scenario, verdict.claim, rows, told)
    return replace(
        verdict,
        assumption_range=(low, high),
        moved_most_by="" if most is None else most.name,
        moved_most=None if most is None else (most.middle, most.below, most.above),
    )
