"""`assay sensitivity`: which inputs a claim hangs on."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

import click

from simulator.cli.options import all_overrides
from simulator.cli.progress import Reporter
from simulator.cli.report import rewrite
from simulator.cli.tables import print_table
from simulator.engine.answers import find_question
from simulator.engine.cluster import open_cluster
from simulator.engine.folder import RunFolder
from simulator.engine.sensitivities import write_sensitivity
from simulator.engine.sensitivity import Sensitivity, claim_trials
from simulator.engine.sensitivity import sensitivity as move_each
from simulator.engine.sources import is_finished, is_run, load_source
from simulator.market.build import market_spec
from simulator.report.sensitivity import render_sensitivity, told
from simulator.scenario import LoadedScenario
from simulator.words import figure, number, paths_of, plain, short_names, spoken
from simulator.writer import write_text

MOST_PATHS = 2_000
"""Without --paths: every input costs two runs, and common random numbers need few paths."""
_MOST_ROWS = 25


def sensitivity(
    source: str,
    claim: str,
    paths: int | None,
    seed: int | None,
    calibration: str | None,
    overrides: tuple[str, ...],
    out: Path | None,
    workers: int | None,
    cluster: str | None,
    as_json: bool,
) -> None:
    """Do what `assay sensitivity` is asked for, as its own module in `commands` says."""
    reporter = Reporter(quiet=as_json)
    loaded = load_source(source, all_overrides(overrides, paths, seed), calibration)
    if paths is None and loaded.scenario.paths > MOST_PATHS:
        loaded = load_source(source, (*overrides, *_few(seed)), calibration)
    scenario = loaded.scenario
    find_question(scenario, claim)
    origins = loaded.provenance
    moved = len(list(claim_trials(scenario, loaded.calibration, claim, [], origins)))
    text = f"moving {moved} inputs, two runs of {scenario.paths:,} paths each"
    with ExitStack() as stack:
        if cluster is not None:
            reached = stack.enter_context(open_cluster(cluster, reporter.say))
            reached.compile_once(scenario, market_spec(scenario, loaded.calibration))
        advance = stack.enter_context(reporter.task(text, moved))
        found = move_each(
            scenario,
            loaded.calibration,
            claim,
            provenance=origins,
            workers=workers,
            on_effect=advance,
        )
    page = _write(source, loaded, found, out)
    report = None
    if is_finished(source) and not overrides and calibration is None and seed is None:
        write_sensitivity(RunFolder(Path(source)), found)
        report = rewrite(source, workers, reporter)
    if as_json:
        told_of = {"page": str(page), **({} if report is None else {"report": str(report)})}
        click.echo(json.dumps({**told_of, **asdict(found)}, allow_nan=False))
        return
    _print(found)
    click.echo(f"tornado: {page}")
    if report is not None:
        click.echo(f"report: {report}")


def _few(seed: int | None) -> tuple[str, ...]:
    return all_overrides((), MOST_PATHS, seed)


def _write(source: str, loaded: LoadedScenario, found: Sensitivity, out: Path | None) -> Path:
    scenario = loaded.scenario
    if out is None and is_run(source):
        out = Path(source) / f"sensitivity-{found.claim}.html"
    out = out or Path("runs") / f"{scenario.name}-sensitivity-{found.claim}.html"
    facts = (
        f"{found.paths:,} paths of {scenario.horizon_days:,} days from {scenario.start} · scenario "
        f"{scenario.name} · calibration {loaded.calibration.name} · seed {scenario.seed}"
    )
    return write_text(out, render_sensitivity(scenario.title, facts, found))


def _print(found: Sensitivity) -> None:
    moved = [effect for effect in found.effects if effect.matters]
    short = short_names([effect.name for effect in found.effects])
    event = found.kind == "event"
    in_points = 100 if event or found.scale == "share" else 1
    rows = [
        (
            f"{short[effect.name]}, {effect.unit}" if effect.unit else short[effect.name],
            *(f"{value:.4g}" for value in (effect.low.value, effect.high.value)),
            plain(told(found, effect.low.told)),
            plain(told(found, effect.high.told)),
            plain(number(in_points * effect.swing, 2 - event, signed=True)),
            plain(number(in_points * effect.standard_error, 2 - event)),
            *(plain(figure(end.median, found.scale)) for end in (effect.low, effect.high) if event),
        )
        for effect in moved[:_MOST_ROWS]
    ]
    columns = ["input", "low", "high", "holds" if event else "difference", "to", "swing", "± error"]
    columns += ["median", "to"] if event else []
    now = f"now {plain(told(found, found.told))}"
    now += f", median {plain(figure(found.median, found.scale))}" if event else ""
    now += f" ({spoken(found.quantity)})"
    print_table(f"{found.claim} on {paths_of(found.paths, found.days)}: {now}", columns, rows)
    if len(moved) > len(rows):
        click.echo(f"{len(moved)} inputs matter; the first {len(rows)} are shown")
    still = len(found.effects) - len(moved)
    click.echo(f"{still} inputs have no effect; {len(found.left_out)} could not be moved")
