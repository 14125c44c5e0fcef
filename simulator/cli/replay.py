"""`assay replay`: one path of a run or scenario on a chain."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

import click

from simulator.cli.options import all_overrides
from simulator.cli.progress import Reporter
from simulator.cli.replaying import ChainChoice, open_for, replay_paths
from simulator.cli.results import replay_object
from simulator.engine import Simulation, simulate
from simulator.engine.sources import is_finished, load_source, stored_paths
from simulator.errors import ReconciliationFailed
from simulator.market.build import market_spec
from simulator.replay import Replay, check_label, choose
from simulator.scenario import LoadedScenario
from simulator.words import gas_used, plain


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
    as_json: bool,
) -> None:
    """Do what `assay replay` is asked for, as its own module in `commands` says."""
    reporter = Reporter(quiet=as_json)
    loaded = load_source(source, all_overrides(overrides, paths, seed), calibration)
    scenario = loaded.scenario
    check_label(label, scenario.paths)
    market_spec(scenario, loaded.calibration)  # a faulty history is refused here
    choice = ChainChoice(chain, anvil_path, rpc)
    with open_for(scenario, choice, reporter) as opened:
        as_it_stands = not overrides and calibration is None and paths is None and seed is None
        simulation = _simulation(source, loaded, label, reporter, as_it_stands=as_it_stands)
        choices = choose(simulation.investors[scenario.replay.subject], [label])
        replays = replay_paths(opened, scenario, simulation.spec, choices, reporter)
    if replays.failure is not None:
        raise replays.failure
    done = replays.done[0]
    if as_json:
        click.echo(json.dumps(replay_object(done)))
    else:
        _print(done)
    if not done.ok:
        raise ReconciliationFailed(f"replay of path {done.path} on {done.chain} does not agree")


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
