"""`assay compare`: what two runs put in and got out differently."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from simulator.cli.tables import print_table
from simulator.engine.compare import Comparison, FinishedRun, compare_runs, read_run
from simulator.engine.folder import run_hash
from simulator.engine.sources import is_run, keeps_calibration, load_source
from simulator.errors import UsageError
from simulator.words import percent, plain, share


def compare(first: str, second: str, as_json: bool) -> None:
    """Do what `assay compare` is asked for, as its own module in `commands` says."""
    runs = [_open(name) for name in (first, second)]
    found = compare_runs(*runs)
    if as_json:
        object_ = {"first": first, "second": second, **asdict(found)}
        click.echo(json.dumps(object_, allow_nan=False))
    else:
        _print(found)
    for name, run in zip((first, second), runs, strict=True):
        _warn(name, run)


def _open(name: str) -> FinishedRun:
    if not is_run(name):
        raise UsageError(f"{name} is no run's folder; it must hold a scenario.yaml")
    return read_run(Path(name), load_source(name))


def _warn(name: str, run: FinishedRun) -> None:
    """Say where a run did not keep its calibration, and the file is another one now."""
    recorded = run.manifest.get("run_hash")
    if not keeps_calibration(name) and recorded not in (None, run_hash(run.loaded)):
        text = "its scenario or its calibration has changed since it ran"
        click.echo(f"assay: {name}: {text}; what is compared is as it is now", err=True)


def _print(found: Comparison) -> None:
    groups = (
        ("Inputs", found.inputs),
        ("Calibration", found.calibration),
        ("Made with", found.made_with),
    )
    for title, differences in groups:
        if differences:
            rows = [(d.name, _text(d.first), _text(d.second)) for d in differences]
            print_table(title, ("", "first", "second"), rows)
    if not any(differences for _, differences in groups):
        click.echo("The inputs are the same.")
    if found.verdicts:
        columns = ("claim", "first", "second", "share 1", "share 2", "median 1", "median 2")
        print_table("Verdicts", columns, _verdict_rows(found), words=3)
    else:
        click.echo("The verdicts are the same.")


def _text(value: Any) -> str:
    if value is None:
        return "none"
    return f"{value:.8g}" if isinstance(value, float) else str(value)


def _verdict_rows(found: Comparison) -> list[tuple[str, ...]]:
    rows = []
    for claim, pair in found.claims.items():
        words = [_word(verdict) for verdict in pair]
        shares = [_number(verdict, "probability", share) for verdict in pair]
        medians = [_number(verdict, "median", percent) for verdict in pair]
        rows.append((claim, *words, *shares, *medians))
    return rows


def _word(verdict: dict[str, Any] | None) -> str:
    return "no such claim" if verdict is None else str(verdict["verdict"])


def _number(verdict: dict[str, Any] | None, name: str, words: Any) -> str:
    value = None if verdict is None else verdict.get(name)
    return "" if value is None else plain(words(value))
