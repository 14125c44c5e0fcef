"""`assay scenario list`, `assay runs`, `assay open`: what is there, read without numpy."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import click

from simulator.errors import UsageError
from simulator.scenario.reader import read_yaml
from simulator.scenario.shipped import shipped_scenarios


def list_scenarios() -> None:
    """Print a line for each ready scenario."""
    ready = shipped_scenarios()
    width = max(len(path.stem) for path in ready)
    for path in ready:
        click.echo(f"{path.stem:<{width}} {read_yaml(path).data.get('title', '')}")


_RUNS = Path("runs")
_SCENARIO, _MANIFEST, _ANSWER = "scenario.yaml", "manifest.json", "answer.json"


def list_runs(folder: Path, as_json: bool) -> None:
    """Print a line for each run, the latest first; one without a manifest was interrupted.

    Raises
    ------
    UsageError
        There is no run.
    """
    places = _runs_in(folder)
    if not places:
        raise UsageError(f"{folder} holds no runs; assay run gold-vault-sober makes one")
    found = [_told(place) for place in places]
    if as_json:
        click.echo(json.dumps(found))
        return
    width = max(len(str(run["run"])) for run in found)
    for run in found:
        words = ", ".join(f"{count} {word}" for word, count in run["verdicts"].items())
        state = words or ("no claims" if run["finished"] else "not finished")
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


def _runs_in(folder: Path) -> list[Path]:
    """Return the runs of a folder, the one that was last written to first."""
    if not folder.is_dir():
        return []
    there = [place for place in folder.iterdir() if (place / _SCENARIO).is_file()]
    return sorted(there, key=lambda place: (-place.stat().st_mtime_ns, place.name))


def _told(place: Path) -> dict[str, Any]:
    """Return what a run's line says; what cannot be read is not known."""
    try:
        answer = json.loads((place / _ANSWER).read_text(encoding="utf-8"))
        verdicts = Counter(str(verdict["verdict"]) for verdict in answer["verdicts"])
        paths, scenario = answer["paths"], answer["scenario"]
    except (OSError, ValueError, KeyError, TypeError):
        verdicts, paths, scenario = Counter(), None, None
    return {
        "run": str(place),
        "scenario": scenario,
        "paths": paths,
        "finished": (place / _MANIFEST).is_file(),
        "verdicts": dict(verdicts),
    }


def _place(run: str) -> Path:
    """Return a run's folder from its path, or from how its name in `runs` begins."""
    if (Path(run) / _SCENARIO).is_file():
        return Path(run)
    named = [place for place in _runs_in(_RUNS) if place.name.startswith(run)]
    if len(named) == 1:
        return named[0]
    if not named:
        raise UsageError(f"{run} is no run; assay runs lists those that are there")
    names = ", ".join(sorted(place.name for place in named))
    raise UsageError(f"{run} begins the names of {len(named)} runs: {names}")
