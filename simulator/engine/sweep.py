"""A sweep: the claims of one scenario over a grid of changed values, into one table."""

from __future__ import annotations

import hashlib
import itertools
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pandas as pd

from simulator.claims import Verdict
from simulator.engine.blocks import are_elsewhere, worlds_in_order
from simulator.engine.folder import run_hash
from simulator.engine.inputs import find_name
from simulator.engine.simulate import simulate
from simulator.engine.verdicts import judge
from simulator.errors import UsageError
from simulator.scenario import LoadedScenario, load_scenario
from simulator.scenario.calibration import Calibration
from simulator.scenario.loader import RawFile, validate
from simulator.scenario.models import Scenario
from simulator.schema.raw import Provenance

MOST_RUNS = 10_000
"""More runs than this are asked about first."""
RESULTS = (
    "claim", "kind", "subject", "verdict", "reason", "probability", "estimate", "low", "high",
    "quantity", "scale", "p05", "median", "p95", "max_drawdown_median", "organic_share",
)  # fmt: skip
"""Columns of the table behind those of the swept values; low and high are the interval."""


@dataclass(frozen=True)
class Axis:
    """A value of the scenario by its dotted name, and the texts it takes one after the other."""

    name: str
    texts: tuple[str, ...]


@dataclass(frozen=True)
class GridPoint:
    """One run of a sweep: the values it sets, by axis, and the world they make."""

    values: tuple[Any, ...]
    scenario: Scenario
    calibration: Calibration
    provenance: Mapping[str, Provenance] = field(default_factory=dict)


def parse_axis(setting: str) -> Axis:
    """Return the axis that `a.b=1,2,3` writes; commas in brackets or quotes part nothing.

    Raises
    ------
    UsageError
    """
    name, separator, text = setting.partition("=")
    texts = tuple(part.strip() for part in _split(text))
    if not separator or not name.strip() or not all(texts):
        raise UsageError(f"--set {setting}: must be PATH=VALUE,VALUE,... as in paths=1_000,2_000")
    return Axis(name.strip(), texts)


def _split(text: str) -> list[str]:
    parts, depth, quote = [""], 0, ""
    for character in text:
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        else:
            depth += (character in "[{") - (character in "]}")
        if character == "," and not (depth or quote):
            parts.append("")
        else:
            parts[-1] += character
    return parts


def count_runs(axes: Sequence[Axis], *, agreed: bool) -> int:
    """Return the number of grid points.

    Raises
    ------
    UsageError
        There are more than `MOST_RUNS`, and nobody agreed; or an axis stands twice.
    """
    names = [axis.name for axis in axes]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"--set {name} stands twice; list its values behind one of them")
    runs = math.prod(len(axis.texts) for axis in axes)
    if runs > MOST_RUNS and not agreed:
        raise UsageError(f"this sweep is {runs:,} runs; more than {MOST_RUNS:,} need --yes")
    return runs


def lay_grid(
    name: str,
    axes: Sequence[Axis],
    *,
    overrides: Sequence[str] = (),
    calibration: str | None = None,
) -> tuple[list[GridPoint], LoadedScenario]:
    """Return every point of the grid, the last axis fastest, and the first point's scenario.

    All points are validated before anything runs.

    Raises
    ------
    UsageError, InputError
        As of `load_scenario`, for any point.
    """

    def load(choice: Sequence[int]) -> LoadedScenario:
        settings = [f"{a.name}={a.texts[i]}" for a, i in zip(axes, choice, strict=True)]
        return load_scenario(name, overrides=(*overrides, *settings), calibration=calibration)

    origin = [0] * len(axes)
    first = load(origin)
    # A value alone is read with the others at their first: that is a point of the grid too.
    values, calibrations = [], {first.scenario.market.calibration: first.calibration}
    for place, axis in enumerate(axes):
        read = []
        for index in range(len(axis.texts)):
            loaded = load([*origin[:place], index, *origin[place + 1 :]])
            calibrations[loaded.scenario.market.calibration] = loaded.calibration
            read.append(_at(loaded.scenario.model_dump(), axis.name))
        values.append(read)
    points = []
    for combination in itertools.product(*values):
        changed = _changed(first.scenario, axes, combination)
        fitted = calibrations[changed.market.calibration]
        points.append(GridPoint(combination, changed, fitted, first.provenance))
    return points, first


def full_names(name: str, axes: Sequence[Axis], calibration: str | None = None) -> list[Axis]:
    """Return the axes by their dotted names, where only a last part was given.

    Raises
    ------
    UsageError
        A name means nothing in the scenario, or several things.
    """
    if all(_top(axis.name) in Scenario.model_fields for axis in axes):
        return list(axes)
    base = load_scenario(name, calibration=calibration)
    return [
        axis
        if _top(axis.name) in Scenario.model_fields
        else Axis(find_name(base.scenario, base.calibration, axis.name), axis.texts)
        for axis in axes
    ]


def _top(name: str) -> str:
    return name.partition(".")[0].partition("[")[0]


def _parts(name: str) -> list[str | int]:
    found: list[str | int] = []
    for part in name.replace("[", ".[").split("."):
        found.append(int(part[1:-1]) if part.startswith("[") else part)
    return found


def _at(data: Any, name: str) -> Any:
    for part in _parts(name):
        data = data[part]
    return data


def _changed(scenario: Scenario, axes: Sequence[Axis], values: Sequence[Any]) -> Scenario:
    data = _lists(scenario.model_dump())
    for axis, value in zip(axes, values, strict=True):
        *groups, last = _parts(axis.name)
        node = data
        for part in groups:
            node = node[part]
        node[last] = _lists(value)
    return validate(Scenario, RawFile(path="--set", data=data))


def _lists(value: Any) -> Any:
    """Return plain data in which tuples are lists, which can be changed."""
    if isinstance(value, dict):
        return {key: _lists(item) for key, item in value.items()}
    return [_lists(item) for item in value] if isinstance(value, list | tuple) else value


def sweep(
    points: Sequence[GridPoint],
    axes: Sequence[Axis],
    *,
    workers: int | None = None,
    on_point: Callable[[int], None] = lambda done: None,
) -> pd.DataFrame:
    """Run every point and return one row for each point and claim.

    Columns are the axes' names, then `RESULTS`. All points share their random numbers, unless
    the seed is swept.
    """
    within = 1 if are_elsewhere() else workers
    work = partial(_point_rows, tuple(axes), within)
    rows = []
    # at home one point after the other, its blocks over all threads
    for found in worlds_in_order(work, points, 1):
        rows += found
        on_point(1)
    return pd.DataFrame(rows, columns=[*(axis.name for axis in axes), *RESULTS])


def _point_rows(
    axes: tuple[Axis, ...], workers: int | None, point: GridPoint
) -> list[dict[str, Any]]:
    """Return a row for each claim of one point."""
    simulation = simulate(point.scenario, point.calibration, workers=workers, details=False)
    settings = {axis.name: _cell(value) for axis, value in zip(axes, point.values, strict=True)}
    verdicts = judge(simulation, workers=workers, provenance=point.provenance)
    return [{**settings, **_results(verdict)} for verdict in verdicts]


def _cell(value: Any) -> Any:
    """Return a swept value as one cell; lists and groups as JSON."""
    return value if isinstance(value, int | float | str) else json.dumps(value, default=str)


def _results(verdict: Verdict) -> dict[str, Any]:
    low, high = verdict.interval
    found = {name: getattr(verdict, name, None) for name in RESULTS}
    organic = math.nan if verdict.organic_share is None else verdict.organic_share
    return {**found, "low": low, "high": high, "organic_share": organic}


def sweep_hash(first: LoadedScenario, axes: Sequence[Axis]) -> str:
    """Return the hash that names a sweep: of its first point and its axes."""
    text = run_hash(first) + json.dumps([(axis.name, axis.texts) for axis in axes])
    return hashlib.sha256(text.encode()).hexdigest()
