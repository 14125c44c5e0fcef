"""`assay stress`: a scenario under ladders of shocks."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from simulator.cli.options import all_overrides, tell_warnings
from simulator.cli.progress import Reporter
from simulator.engine.stress import Stress, fewer_paths
from simulator.engine.stress import stress as put_under
from simulator.errors import UsageError
from simulator.report.stress.page import render_stress
from simulator.report.stress.rows import origin
from simulator.report.stress.terminal import print_stress
from simulator.scenario import load_scenario
from simulator.scenario.ladders import READY, lay_ladders, read_ladders
from simulator.writer import check_target, write_text


def stress(
    scenario: str,
    files: tuple[str, ...],
    only: tuple[str, ...],
    day: int | None,
    paths: int | None,
    seed: int | None,
    calibration: str | None,
    overrides: tuple[str, ...],
    html: Path | None,
    workers: int | None,
    as_json: bool,
) -> None:
    """Do what `assay stress` is asked for, as its own module in `commands` says."""
    reporter = Reporter(quiet=as_json)
    loaded = load_scenario(
        scenario, overrides=all_overrides(overrides, paths, seed), calibration=calibration
    )
    tell_warnings(loaded, strict=False)
    small = loaded.scenario if paths is not None else fewer_paths(loaded.scenario)
    if day is not None and day > small.horizon_days:
        raise UsageError(f"--day {day}: must be at most {small.horizon_days}, the run's last day")
    laid = lay_ladders([read_ladders(name) for name in files or (READY,)], small, day, only)
    if html is not None:
        check_target("--html", html)
    count = len(laid.rungs)
    text = f"simulating {small.paths:,} paths under {count} shocks, and under none"
    with reporter.task(text, count) as advance:

        def estimate(seconds: float) -> None:
            reporter.say(f"about {math.ceil(seconds * count)} s more")

        found = put_under(
            small,
            loaded.calibration,
            laid,
            workers=workers,
            on_plain=estimate,
            on_cell=advance,
        )
    if html is not None:
        write_text(html, render_stress(found))
    if as_json:
        click.echo(json.dumps(stress_object(found), allow_nan=False))
        return
    print_stress(Console(highlight=False), found)
    if html is not None:
        click.echo(f"page: {html}")


def stress_object(found: Stress) -> dict[str, Any]:
    """Return everything as plain data, without clock and place."""
    scenario = found.scenario
    rungs = {(one.ladder, one.severity): one.rung for one in found.laid.rungs}
    return {
        "scenario": scenario.name,
        "seed": scenario.seed,
        "paths": scenario.paths,
        "steps": scenario.horizon_days,
        "without": {
            "probabilities": dict(found.plain),
            "returns": dict(found.returns),
            "lenders": {name: asdict(at) for name, at in found.lenders.items()},
        },
        "cells": [
            {
                "ladder": cell.ladder,
                "severity": cell.severity,
                "source": origin(rungs[cell.ladder, cell.severity]),
                "probabilities": {c: p for c, (_, p) in cell.effect.probabilities.items()},
                "returns": dict(cell.effect.returns),
                "errors": dict(cell.effect.errors),
                "lenders": {name: asdict(at) for name, at in cell.lenders.items()},
            }
            for cell in found.cells
        ],
        "left_out": dict(found.laid.left_out),
    }
