"""`assay report`: the report of a finished run, written anew."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import click
import pandas as pd

from simulator.claims import Verdict
from simulator.cli.progress import Reporter
from simulator.engine import break_evens, judge, with_assumptions, with_ranges
from simulator.engine.compare import read_run
from simulator.engine.folder import RunFolder
from simulator.engine.sensitivities import read_sensitivities
from simulator.engine.sensitivity import Sensitivity
from simulator.engine.shock_effects import shock_effects
from simulator.engine.sources import is_run, load_source, stored_paths
from simulator.errors import InputError, Problem, UsageError
from simulator.plain_json import plain_json
from simulator.replay import EveryPath, ObservableResult, Replay
from simulator.report import render_html
from simulator.scenario import LoadedScenario
from simulator.scenario.models import Scenario
from simulator.study.keeping import STEPS

Found = TypeVar("Found")

_ASSAY = "assay-sim"
_SETS = "parameter_sets.parquet"
_ASSUMPTIONS = "assumption_sets.parquet"
_REPLAYS = "replay/reconciliation.json"
_EVERY = "replay/every_path.json"


def report(run: str, workers: int | None) -> None:
    """Do what `assay report` is asked for, as its own module in `commands` says."""
    page = rewrite(run, workers, Reporter(quiet=False))
    click.echo(f"report: {page}")


def rewrite(run: str, workers: int | None, reporter: Reporter) -> Path:
    """Write a run's report from its folder, and return its place.

    Raises
    ------
    UsageError
        It is no finished run, or this version of Assay finds other numbers.
    InputError
        A file of the folder is not what Assay wrote.
    """
    if not is_run(run):
        raise UsageError(f"{run} is no run's folder; it must hold a scenario.yaml")
    folder, loaded = Path(run), _load(run)
    made = read_run(folder, loaded).manifest  # one that is not finished is refused here
    other = _other_version(made)
    left_out: list[Problem] | None = [other] if other else None
    simulation = stored_paths(folder, loaded)
    judged = judge(simulation, workers=workers, provenance=loaded.provenance)
    without: tuple[pd.DataFrame | None, tuple[Verdict, ...]] = (None, judged)
    sets, verdicts = _shown(lambda: _with_sets(folder, judged), left_out, without)
    ranged = verdicts
    verdicts = _shown(lambda: _with_assumptions(folder, loaded.scenario, ranged), left_out, ranged)
    claims, none = tuple(loaded.scenario.claims), tuple[Sensitivity, ...]()
    sensitivities = _shown(lambda: read_sensitivities(folder, claims), left_out, none)
    replays = _shown(lambda: _replays(folder), left_out, list[Replay]())
    every = _shown(lambda: _every(folder), left_out, None)
    turns = break_evens(loaded.scenario, loaded.calibration, workers=workers)
    effects = shock_effects(loaded.scenario, loaded.calibration, workers=workers)
    page = render_html(
        replace(loaded, warnings=(*loaded.warnings, *(left_out or ()))),
        simulation,
        verdicts,
        replays,
        sets,
        turns,
        sensitivities,
        effects=effects,
        every=every,
    )
    reporter.say(f"the report of {loaded.scenario.paths:,} paths, from their files")
    return RunFolder(folder).write_report(page)


def _load(run: str) -> LoadedScenario:
    """Return a run's scenario; where this version cannot read it, its old report is named."""
    try:
        return load_source(run)
    except InputError as error:
        if not (Path(run) / "report.html").is_file():
            raise
        rule = f"cannot be read by this version; its report stays as it was: assay open {run}"
        raise InputError([*error.problems, Problem(run, None, "", "", rule)]) from None


def _other_version(manifest: Mapping[str, Any]) -> Problem | None:
    """Return what a reader must know of a run that another version of Assay made."""
    theirs, ours = manifest.get("packages", {}).get(_ASSAY, "unknown"), version(_ASSAY)
    if theirs == ours:
        return None
    rule = f"the run was made by it, this report by {ours}, which finds break-evens and shocks anew"
    return Problem("", None, f"version of {_ASSAY}", theirs, rule)


def _shown(read: Callable[[], Found], left_out: list[Problem] | None, instead: Found) -> Found:
    """Return what a file holds; of another version's run what cannot be read is left out."""
    try:
        return read()
    except InputError as error:
        if left_out is None:
            raise
        left_out += [
            replace(fault, field=Path(fault.file).name, rule=f"left out, for it {fault.rule}")
            for fault in error.problems
        ]
        return instead


def _with_sets(
    folder: Path, verdicts: tuple[Verdict, ...]
) -> tuple[pd.DataFrame | None, tuple[Verdict, ...]]:
    file = folder / _SETS
    if not file.is_file():
        return None, verdicts
    try:
        sets = pd.read_parquet(file)
        return sets, with_ranges(verdicts, sets)
    except (OSError, ValueError, KeyError) as error:
        raise _broken(file, error) from None


def _with_assumptions(
    folder: Path, scenario: Scenario, verdicts: tuple[Verdict, ...]
) -> tuple[Verdict, ...]:
    file = folder / _ASSUMPTIONS
    if not file.is_file():
        return verdicts
    try:
        return with_assumptions(verdicts, scenario, pd.read_parquet(file))
    except (OSError, ValueError, KeyError) as error:
        raise _broken(file, error) from None


def _replays(folder: Path) -> list[Replay]:
    file = folder / _REPLAYS
    if not file.is_file():
        return []
    try:
        return [_replay(folder, item) for item in plain_json(file.read_text(encoding="utf-8"))]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _broken(file, error) from None


def _every(folder: Path) -> EveryPath | None:
    file = folder / _EVERY
    if not file.is_file():
        return None
    try:
        return EveryPath.from_object(plain_json(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _broken(file, error) from None


def _replay(folder: Path, item: dict[str, Any]) -> Replay:
    return Replay(
        label=item["label"],
        path=item["path"],
        chain=item["chain"],
        transactions=item["transactions"],
        gas=item["gas"],
        seconds=0.0,
        holder_gas={
            (instrument, act): used
            for instrument, acts in item["holder_gas"].items()
            for act, used in acts.items()
        },
        observables=tuple(ObservableResult(**observable) for observable in item["observables"]),
        decisions=item["decisions"],
        in_band=item["in_band"],
        series=pd.read_parquet(folder / "replay" / item["label"] / STEPS),
        notes=tuple(item["notes"]),
        gas_is_exact=not item["gas_is_lower_bound"],
    )


def _broken(file: Path, error: Exception) -> InputError:
    return InputError([Problem(str(file), None, "", "", f"is not what Assay wrote: {error}")])
