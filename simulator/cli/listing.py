"""`assay scenario list`, `assay runs`, `assay open`: what is there, read without numpy."""

from __future__ import annotations

import json
from pathlib import Path

import click

from simulator.errors import UsageError
from simulator.scenario.reader import read_yaml
from simulator.scenario.shipped import shipped_scenarios
from simulator.shelf import SCENARIO, none_in, runs_in, state_of, told_of


def list_scenarios() -> None:
    """Print a line for each ready scenario."""
    ready = shipped_scenarios()
    width = max(len(path.stem) for path in ready)
    for path in ready:
        click.echo(f"{path.stem:<{width}} {read_yaml(path).data.get('title', '')}")


_RUNS = Path("runs")


def list_runs(folder: Path, as_json: bool) -> None:
    """Print a line for each run, the latest first; one without a manifest was interrupted.

    Raises
    ------
    UsageError
        There is no run.
    """
    places = runs_in(folder)
    if not places:
        raise UsageError(none_in(folder))
    found = [told_of(place) for place in places]
    if as_json:
        click.echo(json.dumps(found))
        return
    width = max(len(str(run["run"])) for run in found)
    for run in found:
        state = state_of(run)
        paths = "" if run["paths"] is None else f"{run['paths']:,} paths"
        click.echo(f"{run['run']:<{width}}  {paths:>16}  {state}")


def open_report(run: str) -> None:
    """Open a run's report with what the system opens pages with, and say where it is.

    Raises
    ------
    UsageError
        There is no such run, or more than one, or it has no report.
    """
    page = _place(run) / "report.html"
    if not page.is_file():
        raise UsageError(f"{page.parent} has no report; assay report {page.parent} writes it")
    click.echo(f"report: {page}")
    click.launch(page.resolve().as_uri())


def _place(run: str) -> Path:
    """Return a run's folder from its path, or from how its name in `runs` begins."""
    if (Path(run) / SCENARIO).is_file():
        return Path(run)
    named = [place for place in runs_in(_RUNS) if place.name.startswith(run)]
    if len(named) == 1:
        return named[0]
    if not named:
        raise UsageError(f"{run} is no run; assay runs lists those that are there")
    names = ", ".join(sorted(place.name for place in named))
    raise UsageError(f"{run} begins the names of {len(named)} runs: {names}")
