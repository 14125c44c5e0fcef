"""`assay run`: simulate, judge, replay, report."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Literal

import click
import pandas as pd
from rich.console import Console

from simulator.chain import Chain
from simulator.chain.artifacts import artifact_names, load_artifact
from simulator.claims import Verdict
from simulator.cli.options import (
    all_overrides,
    tell_history,
    tell_warnings,
)
from simulator.cli.progress import Reporter
from simulator.cli.replaying import ChainChoice, Replays, open_for, replay_paths
from simulator.cli.results import break_even_objects, reconciliation_object, run_object
from simulator.engine import (
    Block,
    BreakEven,
    Simulation,
    break_evens,
    judge,
    run_assumption_sets,
    run_sets,
    simulate,
    with_assumptions,
    with_ranges,
)
from simulator.engine.folder import RunFolder
from simulator.engine.shock_effects import ShockEffect, shock_effects
from simulator.errors import ReconciliationFailed
from simulator.instruments.registry import artifacts_of, load_all
from simulator.market.build import market_spec
from simulator.replay import Replay, choose
from simulator.scenario import LoadedScenario, load_scenario

FAILED_ON_VERDICT = 6


def run(
    scenario: str,
    paths: int | None,
    seed: int | None,
    calibration: str | None,
    overrides: tuple[str, ...],
    workers: int | None,
    out: Path | None,
    parameter_sets: int,
    assumption_sets: int,
    crisis: str | None,
    no_replay: bool,
    chain: Literal["anvil", "revm"] | None,
    anvil_path: Path | None,
    rpc: str | None,
    strict: bool,
    fail_on: str | None,
    as_json: bool,
) -> None:
    """Do what `assay run` is asked for, as its own module in `commands` says."""
    reporter = Reporter(quiet=as_json)
    loaded = load_scenario(
        scenario,
        overrides=all_overrides(overrides, paths, seed),
        calibration=calibration,
        crisis=crisis,
    )
    _warn(loaded)
    tell_warnings(loaded, strict)
    tell_history(market_spec(loaded.scenario, loaded.calibration))  # a faulty one is refused here
    load_all(loaded.scenario.instruments)  # and products that do not load,
    bytecode = _bytecode(loaded)  # and contracts that cannot be read
    with ExitStack() as stack:
        opened = None
        if not no_replay:
            choice = ChainChoice(chain, anvil_path, rpc)
            opened = stack.enter_context(open_for(loaded.scenario, choice, reporter))
        folder = RunFolder.create(loaded, out)
        simulation = _simulate(loaded, folder, workers, reporter)
        verdicts = judge(simulation, workers=workers, provenance=loaded.provenance)
        seconds = {"simulate": simulation.seconds}
        sets: pd.DataFrame | None = None
        if parameter_sets:
            began = time.perf_counter()
            sets, verdicts = _range(loaded, verdicts, parameter_sets, folder, reporter)
            seconds["parameter_sets"] = time.perf_counter() - began
        if assumption_sets:
            began = time.perf_counter()
            verdicts = _assume(loaded, verdicts, assumption_sets, folder, reporter)
            seconds["assumption_sets"] = time.perf_counter() - began
        began = time.perf_counter()
        turns = _break_evens(loaded, workers, folder, reporter)
        if turns:
            seconds["break_evens"] = time.perf_counter() - began
        effects = _shock(loaded, workers, folder, reporter)
        folder.write_results(simulation, verdicts)
        replays = Replays()
        if opened is not None:
            began = time.perf_counter()
            replays = _replay(opened, simulation, folder, reporter)
            seconds["replay"] = time.perf_counter() - began
    began = time.perf_counter()
    _finish(loaded, simulation, verdicts, replays, folder, sets, turns, effects, bytecode)
    seconds["report"] = time.perf_counter() - began
    if as_json:
        found = run_object(folder.path, simulation, verdicts, replays.done, seconds, turns)
        found["shocks"] = [asdict(effect) for effect in effects]
        click.echo(json.dumps(found, allow_nan=False, default=float))
    else:
        from simulator.report import print_report

        console = Console(highlight=False)
        print_report(
            console, loaded, simulation, verdicts, replays.done, turns=turns, effects=effects
        )
        click.echo(f"report: {folder.path / 'report.html'}")
    _exit(replays, verdicts, fail_on)


def _warn(loaded: LoadedScenario) -> None:
    """Say once that one path decides nothing, whatever else is asked."""
    if loaded.scenario.paths == 1:
        words = "1 path decides nothing, it only shows that a scenario runs; give --paths 2560"
        click.echo(f"assay: warning: {words}", err=True)


def _bytecode(loaded: LoadedScenario) -> dict[str, str]:
    """Return the source hash of every contract, those of packages under the package's name.

    Raises
    ------
    ChainUnavailable
        A contract cannot be read.
    """
    bytecode = {name: load_artifact(name).source_hash for name in artifact_names()}
    for place in artifacts_of(loaded.scenario.instruments):
        own = artifact_names(place)
        bytecode |= {f"{place}/{name}": load_artifact(name, place).source_hash for name in own}
    return bytecode


def _simulate(
    loaded: LoadedScenario, folder: RunFolder, workers: int | None, reporter: Reporter
) -> Simulation:
    scenario = loaded.scenario
    text = f"simulating {scenario.paths:,} paths over {scenario.horizon_days} days"
    with reporter.task(text, scenario.paths) as advance:

        def keep(block: Block) -> None:
            folder.write_block(block)
            advance(block.n_paths)

        return simulate(scenario, loaded.calibration, workers=workers, on_block=keep)


def _range(
    loaded: LoadedScenario,
    verdicts: tuple[Verdict, ...],
    count: int,
    folder: RunFolder,
    reporter: Reporter,
) -> tuple[pd.DataFrame, tuple[Verdict, ...]]:
    with reporter.task(f"judging under {count} parameter sets", count) as advance:
        sets = run_sets(
            loaded.scenario, loaded.calibration, count, on_set=lambda number: advance(1)
        )
    folder.write_table("parameter_sets.parquet", sets)
    return sets, with_ranges(verdicts, sets)


def _assume(
    loaded: LoadedScenario,
    verdicts: tuple[Verdict, ...],
    count: int,
    folder: RunFolder,
    reporter: Reporter,
) -> tuple[Verdict, ...]:
    with reporter.task(f"judging under {count} sets of assumptions", count) as advance:
        sets = run_assumption_sets(
            loaded.scenario,
            loaded.calibration,
            loaded.provenance,
            count,
            on_set=lambda number: advance(1),
        )
    if not sets.empty:
        folder.write_table("assumption_sets.parquet", sets)
    return with_assumptions(verdicts, loaded.scenario, sets)


def _break_evens(
    loaded: LoadedScenario, workers: int | None, folder: RunFolder, reporter: Reporter
) -> tuple[BreakEven, ...]:
    count = sum(len(claim.break_even) for claim in loaded.scenario.claims.values())
    if count == 0:
        return ()
    with reporter.task(f"looking for {count} break-evens", count) as advance:
        turns = break_evens(
            loaded.scenario, loaded.calibration, workers=workers, on_found=lambda one: advance(1)
        )
    folder.write_json("break_evens.json", break_even_objects(turns))
    return turns


def _shock(
    loaded: LoadedScenario, workers: int | None, folder: RunFolder, reporter: Reporter
) -> tuple[ShockEffect, ...]:
    """Compare the world without shocks, with each alone, and with all."""
    shocks = loaded.scenario.shocks
    if not shocks:
        return ()
    with reporter.task(f"comparing {len(shocks)} shocks with none", len(shocks) + 1) as advance:
        effects = shock_effects(
            loaded.scenario, loaded.calibration, workers=workers, on_found=lambda name: advance(1)
        )
    folder.write_json("shocks.json", [asdict(effect) for effect in effects])
    return effects


def _replay(chain: Chain, simulation: Simulation, folder: RunFolder, reporter: Reporter) -> Replays:
    scenario = simulation.scenario

    def keep(replay: Replay) -> None:
        folder.write_table(f"replay/{replay.label}.parquet", replay.series)

    choices = choose(simulation.investors[scenario.replay.subject])
    return replay_paths(chain, scenario, simulation.spec, choices, reporter, keep)


def _finish(
    loaded: LoadedScenario,
    simulation: Simulation,
    verdicts: tuple[Verdict, ...],
    replays: Replays,
    folder: RunFolder,
    sets: pd.DataFrame | None,
    turns: Sequence[BreakEven],
    effects: Sequence[ShockEffect],
    bytecode: Mapping[str, str],
) -> None:
    if replays.done:
        folder.write_json("replay/reconciliation.json", reconciliation_object(replays.done))
    from simulator.report import render_html  # charts take a third of a second to load

    page = render_html(loaded, simulation, verdicts, replays.done, sets, turns, effects=effects)
    folder.write_text("report.html", page)
    folder.write_manifest(loaded, simulation, bytecode, replays.client)


def _exit(replays: Replays, verdicts: tuple[Verdict, ...], fail_on: str | None) -> None:
    if replays.failure is not None:
        raise replays.failure
    failed = [replay for replay in replays.done if not replay.ok]
    if failed:
        raise ReconciliationFailed(_describe(failed))
    if fail_on is not None and any(verdict.verdict == fail_on for verdict in verdicts):
        named = ", ".join(v.claim for v in verdicts if v.verdict == fail_on)
        click.echo(f"assay: {fail_on}: {named}", err=True)
        raise click.exceptions.Exit(FAILED_ON_VERDICT)


def _describe(failed: list[Replay]) -> str:
    parts = []
    for replay in failed:
        off = [o for o in replay.observables if not o.ok]
        names = ", ".join(
            f"{o.instrument}.{o.name} by {o.max_error:.3g} at step {o.step} "
            f"(tolerance {o.tolerance:.3g})"
            for o in off
        )
        what = names or f"{replay.in_band} of {replay.decisions} decisions in the dead-band"
        parts.append(f"replay {replay.label} (path {replay.path}) on {replay.chain}: {what}")
    return "model and contract differ: " + "; ".join(parts)
