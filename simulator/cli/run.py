"""`assay run`: simulate, judge, replay, report."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import click
import pandas as pd

from simulator.chain import Chain
from simulator.chain.artifacts import artifact_names, load_artifact
from simulator.claims import Verdict
from simulator.cli.answer import (
    ANSWER,
    ANSWER_JSON,
    DETAILS,
    Told,
    answer_text,
    exit_as_before,
    fail_on_verdicts,
    find_finished,
    measured,
    print_answer,
    tell_finished,
)
from simulator.cli.options import (
    all_overrides,
    tell_history,
    tell_warnings,
)
from simulator.cli.progress import Reporter
from simulator.cli.replaying import ChainChoice, Replays, open_for, replay_paths
from simulator.cli.results import (
    break_even_objects,
    reconciliation_object,
    replay_object,
    run_object,
)
from simulator.cli.simulating import simulate_into
from simulator.engine import (
    BreakEven,
    Simulation,
    break_evens,
    judge,
    run_assumption_sets,
    run_sets,
    with_assumptions,
    with_ranges,
)
from simulator.engine.cluster import open_cluster
from simulator.engine.folder import RunFolder
from simulator.engine.memory import return_freed_memory
from simulator.engine.shock_effects import ShockEffect, shock_effects
from simulator.errors import ReconciliationFailed
from simulator.instruments.registry import artifacts_of, load_all
from simulator.market.build import market_spec
from simulator.replay import (
    EveryPath,
    Evidence,
    Replay,
    choose,
    every_object,
    play_every,
    require_evm,
)
from simulator.scenario import LoadedScenario, load_scenario
from simulator.study.keeping import write_replay

FAULTS_SHOWN = 3


def run(
    scenario: str,
    paths: int | None,
    seed: int | None,
    calibration: str | None,
    overrides: tuple[str, ...],
    workers: int | None,
    out: Path | None,
    fresh: bool,
    yes: bool,
    parameter_sets: int,
    assumption_sets: int,
    crisis: str | None,
    engine: Literal["model", "evm"],
    cluster: str | None,
    no_replay: bool,
    chain: Literal["anvil", "revm"] | None,
    anvil_path: Path | None,
    rpc: str | None,
    strict: bool,
    fail_on: str | None,
    verbose: bool,
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
    if engine == "evm":
        require_evm()
    _bytecode(loaded)  # and contracts that cannot be read
    options: dict[str, Any] = {
        "parameter_sets": parameter_sets,
        "assumption_sets": assumption_sets,
        "replay": None if no_replay else rpc or chain or "any",
        "engine": engine,
    }
    before = None if fresh else find_finished(loaded, out, options)
    if before is not None:
        tell_finished(before, reporter, as_json=as_json, whole=verbose)
        exit_as_before(before, fail_on)
        return
    choices = Choices(
        out=out,
        fresh=fresh,
        workers=workers,
        parameter_sets=parameter_sets,
        assumption_sets=assumption_sets,
        engine=engine,
        chain=None if no_replay else ChainChoice(chain, anvil_path, rpc),
        cluster=cluster,
        agreed=yes,
    )
    done = perform(loaded, choices, options, reporter)
    told = done.told
    if as_json:
        found = done.found | measured(done.folder, done.seconds)
        found["replays"] = [replay_object(replay) for replay in told.replays.done]
        click.echo(json.dumps(found, allow_nan=False, default=float))
    else:
        print_answer(done.folder, told, whole=verbose)
    _exit(told.replays, told.verdicts, fail_on, told.every)


@dataclass(frozen=True)
class Choices:
    """What a run is asked for beside its scenario; `chain` is None where nothing is replayed.

    `resolved` is the scenario's text, where another run's is to be kept to the letter.
    """

    out: Path | None
    fresh: bool
    workers: int | None
    parameter_sets: int
    assumption_sets: int
    engine: Literal["model", "evm"]
    chain: ChainChoice | None
    cluster: str | None = None
    agreed: bool = True
    resolved: str | None = None


@dataclass(frozen=True)
class Performed:
    """A run that was made: what is told of it, in which folder, and how long each stage took."""

    folder: Path
    told: Told
    found: dict[str, Any]
    seconds: Mapping[str, float]


def perform(
    loaded: LoadedScenario, choices: Choices, options: Mapping[str, Any], reporter: Reporter
) -> Performed:
    """Make a run, stage by stage; `options` is what its manifest says of the choices.

    Raises
    ------
    AssayError
    """
    bytecode = _bytecode(loaded)  # contracts that cannot be read are refused first
    seconds: dict[str, float] = {}

    @contextmanager
    def timed(stage: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        seconds[stage] = time.perf_counter() - began

    with ExitStack() as stack:
        opened = None
        if choices.chain is not None:
            opened = stack.enter_context(open_for(loaded.scenario, choices.chain, reporter))
        cluster = None
        if choices.cluster is not None:
            cluster = stack.enter_context(open_cluster(choices.cluster, reporter.say))
        folder = RunFolder.claim(
            loaded, choices.out, fresh=choices.fresh, resolved=choices.resolved
        )
        stack.callback(folder.release)
        workers = choices.workers
        simulation = simulate_into(
            folder, loaded, workers, reporter, cluster, agreed=choices.agreed
        )
        seconds["simulate"] = simulation.seconds
        plain = verdicts = judge(simulation, workers=workers, provenance=loaded.provenance)
        sets: pd.DataFrame | None = None
        if choices.parameter_sets:
            with timed("parameter_sets"):
                sets = _range(loaded, plain, choices.parameter_sets, folder, reporter)
                verdicts = with_ranges(verdicts, sets)
        if choices.assumption_sets:
            with timed("assumption_sets"):
                assumed = _assume(loaded, plain, choices.assumption_sets, folder, reporter)
                verdicts = with_assumptions(verdicts, loaded.scenario, assumed)
        turns: tuple[BreakEven, ...] = ()
        if any(claim.break_even for claim in loaded.scenario.claims.values()):
            with timed("break_evens"):
                turns = _break_evens(loaded, workers, folder, reporter)
        effects = _shock(loaded, workers, folder, reporter)
        folder.write_verdicts(verdicts)
        replays = Replays()
        if opened is not None:
            with timed("replay"):
                replays = _replay(opened, simulation, folder, reporter)
        every: EveryPath | None = None
        if choices.engine == "evm":
            with timed("every_path"):
                every = _play_every(simulation, folder, workers, reporter)
        with timed("report"):
            told = Told(loaded, simulation, verdicts, replays, sets, turns, effects, every)
            found = _finish(folder, told, bytecode, options)
    return Performed(folder.path, told, found, seconds)


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


def _range(
    loaded: LoadedScenario,
    verdicts: tuple[Verdict, ...],
    count: int,
    folder: RunFolder,
    reporter: Reporter,
) -> pd.DataFrame:
    with reporter.task(f"judging under {count} parameter sets", count) as advance:
        sets = run_sets(
            loaded.scenario,
            loaded.calibration,
            count,
            on_set=lambda number: advance(1),
            verdicts=verdicts,
        )
    folder.write_table("parameter_sets.parquet", sets)
    return sets


def _assume(
    loaded: LoadedScenario,
    verdicts: tuple[Verdict, ...],
    count: int,
    folder: RunFolder,
    reporter: Reporter,
) -> pd.DataFrame:
    with reporter.task(f"judging under {count} sets of assumptions", count) as advance:
        sets = run_assumption_sets(
            loaded.scenario,
            loaded.calibration,
            loaded.provenance,
            count,
            on_set=lambda number: advance(1),
            verdicts=verdicts,
        )
    if not sets.empty:
        folder.write_table("assumption_sets.parquet", sets)
    return sets


def _break_evens(
    loaded: LoadedScenario, workers: int | None, folder: RunFolder, reporter: Reporter
) -> tuple[BreakEven, ...]:
    count = sum(len(claim.break_even) for claim in loaded.scenario.claims.values())
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

    def keep(label: str, replay: Replay | None, evidence: Evidence) -> None:
        write_replay(folder.path / "replay" / label, replay, evidence)

    choices = choose(simulation.investors[scenario.replay.subject])
    return replay_paths(chain, scenario, simulation.spec, choices, reporter, keep)


def _play_every(
    simulation: Simulation, folder: RunFolder, workers: int | None, reporter: Reporter
) -> EveryPath:
    scenario = simulation.scenario
    text = f"playing {scenario.paths:,} paths through the contracts' bytecode"
    with reporter.task(text, scenario.paths) as advance:
        found = play_every(
            scenario,
            simulation.spec,
            workers,
            advance,
            lambda pace: reporter.say(pace.sentence()),
        )
    folder.write_json("replay/every_path.json", every_object(found))
    return found


def _finish(
    folder: RunFolder, told: Told, bytecode: Mapping[str, str], options: Mapping[str, Any]
) -> dict[str, Any]:
    """Write what is told of the run, the manifest last, and return it as plain data.

    A run whose replay broke off is not finished: the same command tries again.
    """
    from simulator.report import render_html  # charts take a third of a second to load

    return_freed_memory()  # break-evens and sets have simulated
    done, loaded, simulation = told.replays.done, told.loaded, told.simulation
    if done:
        folder.write_json("replay/reconciliation.json", reconciliation_object(done))
    page = render_html(
        loaded,
        simulation,
        told.verdicts,
        done,
        told.sets,
        told.turns,
        effects=told.effects,
        every=told.every,
    )
    folder.write_report(page)
    found = run_object(simulation, told.verdicts, done, told.turns, told.every)
    found["shocks"] = [asdict(effect) for effect in told.effects]
    folder.write_json(ANSWER_JSON, json.loads(json.dumps(found, default=float)))
    folder.write_text(ANSWER, answer_text(told, whole=False))
    folder.write_text(DETAILS, answer_text(told, whole=True))
    if told.replays.failure is None:
        folder.write_manifest(loaded, simulation, bytecode, told.replays.client, options)
    return found


def _exit(
    replays: Replays,
    verdicts: tuple[Verdict, ...],
    fail_on: str | None,
    every: EveryPath | None = None,
) -> None:
    if replays.failure is not None:
        raise replays.failure
    failed = [replay for replay in replays.done if not replay.ok]
    if failed:
        raise ReconciliationFailed(_describe(failed))
    if every is not None and not every.ok:
        raise ReconciliationFailed(_describe_every(every))
    fail_on_verdicts({verdict.claim: verdict.verdict for verdict in verdicts}, fail_on)


def _describe_every(every: EveryPath) -> str:
    """Return the first faults, and where all of them stand."""
    shown, more = every.faults[:FAULTS_SHOWN], len(every.faults) - FAULTS_SHOWN
    rest = f"; and {more:,} more in replay/every_path.json" if more > 0 else ""
    return "model and contract differ: " + "; ".join(shown) + rest


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
