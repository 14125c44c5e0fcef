"""`assay replay`: one path of a run or scenario on a chain."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import click
import pandas as pd

from simulator.chain import Artifact
from simulator.chain.codec import optional
from simulator.chain.stand_in import stand_ins
from simulator.cli.options import all_overrides
from simulator.cli.progress import Reporter
from simulator.cli.replaying import ChainChoice, Replays, load_for, open_for, replay_paths
from simulator.cli.results import replay_object
from simulator.cli.tables import print_table
from simulator.cli.tracing import Traces, check_trace, traces_of
from simulator.engine import Simulation, simulate
from simulator.engine.folder import make_folder
from simulator.engine.sources import is_finished, stored_paths
from simulator.errors import ReconciliationFailed, TransactionReverted, UsageError
from simulator.market.build import market_spec
from simulator.replay import Evidence, Replay, check_label, choose
from simulator.replay.deployment import given_contracts, require_given, write_deployment
from simulator.replay.gas import KEYS, check_chain, gas_change, read_gas
from simulator.scenario import LoadedScenario, Scenario
from simulator.study.keeping import write_replay
from simulator.words import gas_used, plain

_MOST_ROWS = 20


def replay(
    source: str,
    label: str,
    paths: int | None,
    seed: int | None,
    calibration: str | None,
    overrides: tuple[str, ...],
    chain: Literal["anvil", "revm"] | None,
    anvil_path: Path | None,
    rpc: str | None,
    deployed: tuple[str, ...],
    until: int | None,
    out: Path | None,
    gas: bool,
    gas_against: Path | None,
    contracts: tuple[Path, ...],
    export: Path | None,
    trace: int | None,
    as_json: bool,
) -> None:
    """Do what `assay replay` is asked for, as its own module in `commands` says."""
    reporter = Reporter(quiet=as_json)
    given = given_contracts(deployed)
    changes = all_overrides(overrides, paths, seed)
    loaded, moved = load_for(source, changes, calibration, rpc, reporter)
    scenario = loaded.scenario
    check_label(label, scenario.paths)
    if until is not None and not 0 <= until <= scenario.horizon_days:
        raise UsageError(f"--until {until}: must be 0 to {scenario.horizon_days}, the last day")
    market_spec(scenario, loaded.calibration)  # a faulty history is refused here
    if export is not None:
        _check_export(export, rpc)
    if trace is not None:
        check_trace(trace, scenario.horizon_days if until is None else until, rpc)
    patched = stand_ins(contracts)
    choice = ChainChoice(chain, anvil_path, rpc)
    stored = None if gas_against is None else read_gas(gas_against)
    if out is not None:
        make_folder(out, replace=False)
    left = list[Evidence]()

    def keep(_: str, replay: Replay | None, evidence: Evidence) -> None:
        left.append(evidence)
        if out is not None:
            write_replay(out, replay, evidence)

    with open_for(scenario, choice, reporter) as opened:
        require_given(opened, given)
        if stored is not None:
            check_chain(stored, opened.name)
        as_it_stands = not (changes or moved) and calibration is None
        simulation = _simulation(source, loaded, label, reporter, as_it_stands=as_it_stands)
        choices = choose(simulation.investors[scenario.replay.subject], [label])
        replays = replay_paths(
            opened, scenario, simulation.spec, choices, reporter, keep, until, patched, given
        )
    if rpc is not None and left:
        _leave(scenario, rpc, left[-1], reporter)
    if export is not None and left:
        _export(export, replays, left[-1], patched, reporter)
    traces = Traces()
    if left and rpc is None and not (as_json and trace is None):
        traces = traces_of(left[-1], trace, replays.failure, reporter)
    asked = {} if trace is None else {"traces": traces.objects()}
    if replays.failure is not None:
        if not as_json:
            traces.print()
        elif asked:
            click.echo(json.dumps(asked))
        raise replays.failure
    done = replays.done[0]
    table = None
    if gas or stored is not None:
        table = left[0].gas if stored is None else gas_change(left[0].gas, stored)
    if as_json:
        told = {} if table is None else {"gas_by_function": _rows(table)}
        click.echo(json.dumps(replay_object(done) | told | asked))
    else:
        _print(done)
        if table is not None:
            _print_gas(table)
        traces.print()
    if not done.ok:
        raise ReconciliationFailed(f"replay of path {done.path} on {done.chain} does not agree")


def _leave(scenario: Scenario, rpc: str, standing: Evidence, reporter: Reporter) -> None:
    """Write what stands on an attached node, which keeps running and mines what it is sent."""
    folder = Path("runs") / f"{scenario.name}-chain"
    write_deployment(folder, standing.contracts, standing.accounts)
    reporter.say(f"{rpc} mines what it is sent; addresses, ABIs and keys: {folder}")


def _check_export(file: Path, rpc: str | None) -> None:
    """Refuse a test that could not be written, before anything is simulated.

    Raises
    ------
    UsageError
    ChainUnavailable
        pyrevm is not installed.
    """
    if rpc is not None:
        raise UsageError("--export plays a path again from nothing; leave --rpc out")
    if file.suffix != ".py" or not file.name.startswith("test_"):
        raise UsageError(f"--export {file}: must be named test_….py, or pytest passes it by")
    if not file.parent.is_dir():
        raise UsageError(f"--export {file}: there is no folder {file.parent}")
    for one in (file, file.with_suffix(".json")):
        if one.exists():
            raise UsageError(f"--export {file}: {one} is there already")
    optional("pyrevm")


def _export(
    file: Path,
    replays: Replays,
    evidence: Evidence,
    patched: Mapping[str, Artifact],
    reporter: Reporter,
) -> None:
    """Write what failed as a test, and say so, or why there is none."""
    # Not above: these need pyrevm, and a replay on Anvil does not.
    from simulator.replay.export import write_test
    from simulator.replay.failing import NotTellable, failure_of

    failure = replays.failure
    if failure is None and replays.done[0].ok:
        reporter.say(f"nothing for {file}: the path agrees")
    elif failure is None or isinstance(failure, (TransactionReverted, ReconciliationFailed)):
        try:
            write_test(file, failure_of(evidence, failure, patched))
        except NotTellable as error:
            reporter.say(f"nothing for {file}: {error}")
        else:
            reporter.say(f"what failed as a test: pytest {file}")


def _simulation(
    source: str, loaded: LoadedScenario, label: str, reporter: Reporter, *, as_it_stands: bool
) -> Simulation:
    """Return the paths among which `label` is found: a finished run's own, or simulated ones."""
    if as_it_stands and is_finished(source):
        return stored_paths(Path(source), loaded)
    with reporter.task(f"simulating {loaded.scenario.paths:,} paths to find {label}", 1):
        return simulate(loaded.scenario, loaded.calibration)


def _print(done: Replay) -> None:
    gas = plain(gas_used(done.gas, exact=done.gas_is_exact))
    click.echo(
        f"path {done.path} ({done.label}) on {done.chain}: {done.transactions:,} transactions, "
        f"{gas} gas, {done.seconds:.1f} s"
    )
    for item in done.observables:
        word = "ok" if item.ok else "DIFFERS"
        click.echo(
            f"  {item.instrument}.{item.name:<15} {word:<8} "
            f"error {item.max_error:.2e}  tolerance {item.tolerance:.2e}  step {item.step}"
        )
    click.echo(f"  {done.decisions:,} keepers' decisions compared, {done.in_band} in the dead-band")
    for note in done.notes:
        click.echo(f"  {note}.")


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a table as plain data; null where there is no number."""
    found: list[dict[str, Any]] = json.loads(table.to_json(orient="records", double_precision=15))
    return found


def _print_gas(table: pd.DataFrame) -> None:
    """Print gas by function, as many rows as a terminal holds."""
    numbers = [name for name in table.columns if name not in (*KEYS, "chain")]
    rows = [
        [".".join(row[name] for name in KEYS), *(_number(name, row[name]) for name in numbers)]
        for row in table.head(_MOST_ROWS).to_dict("records")
    ]
    print_table("gas by function", ["function", *numbers], rows)
    if len(table) > _MOST_ROWS:
        click.echo(f"and {len(table) - _MOST_ROWS} more; --json has them, and --out in gas.csv")


def _number(name: str, value: float) -> str:
    if math.isnan(value):
        return ""
    return f"{value:+.2%}" if name == "share" else f"{value:,.0f}"
