"""`assay compare`: what runs put in and got out differently."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console

from simulator.engine.compare import FinishedRun, compare_runs, read_run
from simulator.engine.folder import run_hash
from simulator.engine.sources import is_run, keeps_calibration, load_source
from simulator.errors import UsageError
from simulator.report.compare.page import render_comparison
from simulator.report.compare.terminal import print_comparison
from simulator.writer import check_target, write_text


def compare(runs: tuple[str, ...], html: Path | None, as_json: bool) -> None:
    """Do what `assay compare` is asked for, as its own module in `commands` says."""
    if len(runs) < 2:
        raise UsageError(f"compare {runs[0]}: name another run beside it, or several")
    if html is not None:
        check_target("--html", html)
    opened = [_open(name) for name in runs]
    found = compare_runs(opened)
    if html is not None:
        write_text(html, render_comparison(runs, opened, found))
    if as_json:
        click.echo(json.dumps({"runs": runs, **asdict(found)}, allow_nan=False))
    else:
        print_comparison(Console(highlight=False), runs, found)
        if html is not None:
            click.echo(f"page: {html}")
    for name, run in zip(runs, opened, strict=True):
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
