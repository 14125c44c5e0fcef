"""Runs side by side: what differs in what went in, and in what came out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from simulator.engine.folder import DAILY, MARKER
from simulator.errors import InputError, Problem, UsageError
from simulator.plain_json import plain_json
from simulator.scenario.calibration import Calibration
from simulator.scenario.files import LoadedScenario
from simulator.scenario.shocks import ShockTerms

VERDICTS = "verdicts.json"
_MADE_WITH = ("packages", "bytecode", "history")


@dataclass(frozen=True)
class Difference:
    """One value that is not the same in all runs; None where a run has none of that name."""

    name: str
    values: tuple[Any, ...]


@dataclass(frozen=True)
class Comparison:
    """All differences of runs; each tuple is empty where they agree.

    Attributes
    ----------
    inputs : of the resolved scenarios, without the name of the calibration
    calibration : of the calibrations' figures
    made_with : of the packages' versions and the contracts' bytecode
    verdicts : of the verdicts, by claim and field
    claims : dict of claim to the runs' verdicts as plain data, None where a run has none
        Every claim, those that agree included.
    """

    inputs: tuple[Difference, ...]
    calibration: tuple[Difference, ...]
    made_with: tuple[Difference, ...]
    verdicts: tuple[Difference, ...]
    claims: Mapping[str, tuple[dict[str, Any] | None, ...]]


@dataclass(frozen=True)
class FinishedRun:
    """What a run's folder says."""

    folder: Path
    loaded: LoadedScenario
    manifest: dict[str, Any]
    verdicts: dict[str, dict[str, Any]]

    def daily(self) -> pd.DataFrame:
        """Return the daily quantiles over its paths, as `Simulation.daily`.

        Raises
        ------
        UsageError
            The folder has none.
        """
        try:
            return pd.read_parquet(self.folder / DAILY)
        except FileNotFoundError:
            raise UsageError(f"{self.folder} is no finished run: it has no {DAILY}") from None


def read_run(folder: Path, loaded: LoadedScenario) -> FinishedRun:
    """Read a run's manifest and verdicts.

    Raises
    ------
    UsageError
        The folder is no finished run.
    InputError
        A file of it is no JSON.
    """
    verdicts = {item["claim"]: item for item in _read(folder, VERDICTS)}
    return FinishedRun(folder, loaded, _read(folder, MARKER), verdicts)


def _read(folder: Path, name: str) -> Any:
    path = folder / name
    try:
        return plain_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(f"{folder} is no finished run: it has no {name}") from None
    except ValueError as error:
        raise InputError([Problem(str(path), None, "", "", f"not valid JSON: {error}")]) from None


def compare_runs(runs: Sequence[FinishedRun]) -> Comparison:
    """Return what differs between runs."""
    return Comparison(
        inputs=_differences([_inputs(run.loaded) for run in runs]),
        calibration=_differences([_figures(run.loaded.calibration) for run in runs]),
        made_with=_differences(
            [{key: run.manifest.get(key) for key in _MADE_WITH} for run in runs]
        ),
        verdicts=_differences([run.verdicts for run in runs]),
        claims={
            claim: tuple(run.verdicts.get(claim) for run in runs)
            for claim in dict.fromkeys(claim for run in runs for claim in run.verdicts)
        },
    )


def _inputs(loaded: LoadedScenario) -> dict[str, Any]:
    # The calibration is compared by its figures and the history by its hash; both may be paths.
    data = loaded.scenario.model_dump(mode="json")
    for name in ("calibration", "history"):
        data["market"].pop(name, None)
    data["shocks"] = _shocks(loaded.scenario.shocks or ())
    return data


def _shocks(shocks: Sequence[ShockTerms]) -> dict[str, Any]:
    """Return shocks by name; those of a group, as of a crisis, in one line with their hash."""
    groups: dict[str, list[ShockTerms]] = {}
    for shock in shocks:
        groups.setdefault(shock.counts_as, []).append(shock)
    return {
        name: own[0].model_dump(mode="json", exclude={"name"}, exclude_defaults=True)
        if own[0].group is None
        else f"{len(own)} moves, hash {_mark(own)}"
        for name, own in groups.items()
    }


def _mark(shocks: Sequence[ShockTerms]) -> str:
    text = "".join(shock.model_dump_json() for shock in shocks)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _figures(calibration: Calibration) -> dict[str, Any]:
    data = calibration.model_dump(mode="json")
    data["correlations"] = {
        "-".join(sorted(pair["between"])): {k: v for k, v in pair.items() if k != "between"}
        for pair in data["correlations"]
    }
    return data


def _differences(data: Sequence[Any]) -> tuple[Difference, ...]:
    leaves = [dict(_leaves(one, "")) for one in data]
    names = dict.fromkeys(name for own in leaves for name in own)
    rows = ((name, tuple(own.get(name) for own in leaves)) for name in names)
    return tuple(Difference(name, values) for name, values in rows if not _alike(values))


def _alike(values: Sequence[Any]) -> bool:
    return all(value == values[0] for value in values)


def _leaves(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Yield each scalar with its dotted name; empty groups have none."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from _leaves(item, f"{name}[{place}]")
    else:
        yield name, value
