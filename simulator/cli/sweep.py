"""`assay sweep`: a scenario over a grid of values."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click
import pandas as pd

from simulator.cli.options import all_overrides
from simulator.cli.progress import Reporter
from simulator.cli.tables import print_table
from simulator.engine.cluster import open_cluster
from simulator.engine.folder import RunFolder, make_folder
from simulator.engine.sweep import (
    Axis,
    count_runs,
    full_names,
    lay_grid,
    parse_axis,
    sweep_hash,
)
from simulator.engine.sweep import sweep as run_grid
from simulator.market.build import market_spec
from simulator.report.sweep import render_sweep, told
from simulator.scenario import LoadedScenario
from simulator.scenario.files import to_yaml
from simulator.words import difference, figure, plain

_MOST_ROWS = 40


def sweep(
    scenario: str,
    settings: tuple[str, ...],
    paths: int | None,
    seed: int | None,
    calibration: str | None,
    out: Path | None,
    yes: bool,
    workers: int | None,
    cluster: str | None,
    as_json: bool,
) -> None:
    """Do what `assay sweep` is asked for, as its own module in `commands` says."""
    reporter = Reporter(quiet=as_json)
    axes = [parse_axis(setting) for setting in settings]
    count_runs(axes, agreed=yes)
    axes = full_names(scenario, axes, calibration)
    runs = count_runs(axes, agreed=yes)
    overrides = all_overrides((), paths, seed)
    points, first = lay_grid(scenario, axes, overrides=overrides, calibration=calibration)
    path = out or Path("runs") / f"{first.scenario.name}-sweep-{sweep_hash(first, axes)[:8]}"
    with ExitStack() as stack:
        if cluster is not None:
            reached = stack.enter_context(open_cluster(cluster, reporter.say))
            reached.compile_once(first.scenario, market_spec(first.scenario, first.calibration))
        make_folder(path, replace=out is None)
        advance = stack.enter_context(reporter.task(f"sweeping {runs:,} runs", runs))
        found = run_grid(points, axes, workers=workers, on_point=advance)
    _write(path, first, axes, found)
    if as_json:
        click.echo(json.dumps({"folder": str(path), "runs": runs, "rows": _rows(found)}))
    else:
        _print(found, axes)
        click.echo(f"table: {path / 'sweep.parquet'}\nheat map: {path / 'sweep.html'}")


def _write(path: Path, first: LoadedScenario, axes: list[Axis], found: pd.DataFrame) -> None:
    folder = RunFolder(path)
    folder.write_text("first-point.yaml", to_yaml(first.scenario, first.provenance))
    folder.write_table("sweep.parquet", found)
    scenario = first.scenario
    facts = (
        f"{scenario.horizon_days:,} days from {scenario.start}, {scenario.paths:,} paths a run, "
        f"calibration {first.calibration.name}, seed {scenario.seed}; of the first point"
    )
    names = [axis.name for axis in axes]
    folder.write_text("sweep.html", render_sweep(scenario.title, facts, names, found))


def _rows(found: pd.DataFrame) -> list[dict[str, object]]:
    """Return the rows as plain data; null stands for NaN."""
    rows: list[dict[str, object]] = json.loads(found.to_json(orient="records", double_precision=15))
    return rows


def _print(found: pd.DataFrame, axes: list[Axis]) -> None:
    names = [axis.name for axis in axes]
    shown = found.head(_MOST_ROWS).to_dict("records")
    rows = [
        (
            row["claim"],
            *(f"{row[n]:.8g}" if isinstance(row[n], float) else str(row[n]) for n in names),
            row["verdict"],
            "" if row["reason"] else plain(told(row)),
            "" if row["reason"] or row["kind"] == "premise" else _median(row),
        )
        for row in shown
    ]
    shorts = [name.rpartition(".")[2] for name in names]
    print_table("Sweep", ("claim", *shorts, "verdict", "holds or differs", "median"), rows)
    if len(shown) < len(found):
        click.echo(f"{len(found):,} rows; the first {len(shown)} are shown")


def _median(row: dict[Any, Any]) -> str:
    word = difference if row["kind"] == "effect" else figure
    return plain(word(row["median"], row["scale"]))
