"""`assay devnet SCENARIO`: starts a living chain."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

import click

from simulator.chain.living import LivingChain
from simulator.cli.options import all_overrides
from simulator.cli.progress import Reporter
from simulator.cli.replaying import load_for
from simulator.cli.signals import ending_well
from simulator.devnet import state
from simulator.devnet.control import Control, runs_in
from simulator.devnet.faucet import ETHER, by_hand, tokens
from simulator.devnet.orders import pace_of
from simulator.devnet.session import Session, read_lines
from simulator.devnet.status import where
from simulator.devnet.story import VISITOR
from simulator.devnet.venue import Plot, Venue
from simulator.engine import simulate
from simulator.engine.folder import run_hash
from simulator.engine.sources import is_finished, stored_paths
from simulator.errors import AssayError, ChainUnavailable, UsageError
from simulator.instruments.stage import Key
from simulator.market.build import market_spec
from simulator.replay import check_label, choose, players
from simulator.replay.deployment import (
    CONTRACTS,
    ROLES,
    checksummed,
    given_contracts,
    require_given,
)
from simulator.scenario import LoadedScenario, Scenario
from simulator.units import midnight_timestamp

_HOST = "127.0.0.1"
_ENDED = 130
_MOST_SHOWN = 24
"""Contracts that the terminal lists; all of them are in the file."""


def start(
    scenario: str,
    label: str,
    at: int,
    pace: str | None,
    port: int,
    saved: Path | None,
    deployed: tuple[str, ...],
    rpc: str | None,
    anvil_path: Path | None,
    folder: Path,
    paths: int | None,
    seed: int | None,
    calibration: str | None,
    overrides: tuple[str, ...],
) -> None:
    """Do what `assay devnet SCENARIO` is asked for."""
    reporter = Reporter(quiet=False)
    given, speed = given_contracts(deployed), None if pace is None else pace_of(pace)
    if saved is not None and rpc is not None:
        raise UsageError("--load starts a node of its own; it takes no --rpc")
    changes = all_overrides(overrides, paths, seed)
    loaded, moved = load_for(scenario, changes, calibration, rpc, reporter)
    check_label(label, loaded.scenario.paths)
    if not 0 <= at <= loaded.scenario.horizon_days:
        raise UsageError(f"--at {at}: must be 0 to {loaded.scenario.horizon_days}, the last day")
    if runs_in(folder):
        raise UsageError(
            f"a devnet runs in {folder} already: assay devnet down, or another --folder"
        )
    if saved is not None:  # before paths are simulated to find this one
        state.read(saved, loaded.scenario.name, run_hash(loaded), None)
    with ending_well():
        as_it_stands = not (changes or moved) and calibration is None
        stored = Path(scenario) if as_it_stands and is_finished(scenario) else None
        chain, port = _open(loaded.scenario, rpc, anvil_path, port, given)
        venue = None
        try:
            plot = _plot(loaded, stored, label, reporter)
            venue = Venue(plot, chain, folder, chain.url(port), port, anvil_path, given)
            _begin(venue, saved, at, reporter)
            _serve(venue, folder, speed)
        except KeyboardInterrupt:
            click.echo("assay: the devnet has ended", err=True)
            sys.exit(_ENDED)
        finally:
            (chain if venue is None else venue).close()


def _open(
    scenario: Scenario,
    rpc: str | None,
    anvil_path: Path | None,
    port: int,
    given: Mapping[Key, str],
) -> tuple[LivingChain, int]:
    """Return a node at the scenario's start, and its port; it may be refused before all else."""
    begins = midnight_timestamp(scenario.start)
    if rpc is None:
        port = _port(port)
        chain = LivingChain(begins, anvil_path=anvil_path, port=port)
    else:
        chain = LivingChain(begins, rpc=rpc)
    try:
        require_given(chain, given)
    except AssayError:
        chain.close()
        raise
    return chain, port


def _plot(loaded: LoadedScenario, stored: Path | None, label: str, reporter: Reporter) -> Plot:
    """Find the path, among those of a finished run or simulated ones."""
    scenario = loaded.scenario
    spec = market_spec(scenario, loaded.calibration)
    if stored is not None:
        simulation = stored_paths(stored, loaded)
    else:
        with reporter.task(f"simulating {scenario.paths:,} paths to find {label}", 1):
            simulation = simulate(scenario, loaded.calibration)
    (choice,) = choose(simulation.investors[scenario.replay.subject], [label])
    return Plot(
        scenario=scenario.name,
        run_hash=run_hash(loaded),
        label=choice.label,
        path=choice.path,
        start=scenario.start,
        n_steps=scenario.horizon_days,
        actors=lambda: players(scenario, spec, choice.path),
    )


def _port(wanted: int) -> int:
    """Return a port of the loopback interface that nobody listens on, any for 0.

    Raises
    ------
    ChainUnavailable
        The one that is wanted is taken.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, wanted))
        except OSError as error:
            raise ChainUnavailable(
                f"--port {wanted}: {error.strerror or error}; name another, or 0 for any free one"
            ) from None
        port: int = probe.getsockname()[1]
        return port


def _begin(venue: Venue, saved: Path | None, at: int, reporter: Reporter) -> None:
    """Deploy, or load what was kept, and play up to the day."""
    if saved is not None:
        venue.load(saved)
        if at:
            reporter.say(f"--at {at}: the saved state stands at day {venue.story.day}")
        return
    with reporter.task(f"deploying, and playing up to day {at}", at + 1) as advance:
        venue.begin()
        advance(1)
        while venue.story.day < at:
            for fault in venue.story.advance():
                reporter.say(f"day {venue.story.day}: could not be done: {fault}")
            advance(1)


def _serve(venue: Venue, folder: Path, speed: float | None) -> None:
    session = Session(venue, click.echo)
    control = Control(folder, session.serve)
    try:
        _welcome(venue)
        if speed is not None:
            session.play(speed)
        wait = not sys.stdin.isatty()
        reader = threading.Thread(
            target=read_lines, args=(session, sys.stdin, click.echo), kwargs={"wait": wait}
        )
        reader.daemon = True
        reader.start()
        session.run()
        click.echo("the devnet has ended")
    finally:
        control.close()


def _welcome(venue: Venue) -> None:
    plot, story = venue.plot, venue.story
    click.echo(f"{plot.scenario}, path {plot.path} ({plot.label}): {venue.url}, chain id 31337")
    click.echo(where(venue))
    names = {f"{label}/{name}": c.address for (label, name), c in story.contracts.items()}
    shown = list(names.items())[:_MOST_SHOWN]
    width = max((len(name) for name, _ in shown), default=0)
    for name, address in shown:
        click.echo(f"  {name:{width}}  {checksummed(address)}")
    if len(names) > len(shown):
        click.echo(f"  and {len(names) - len(shown)} more")
    click.echo(f"addresses and ABIs: {venue.folder / CONTRACTS}")
    click.echo(f"roles with their public development keys: {venue.folder / ROLES}")
    visitor = checksummed(story.accounts.of(VISITOR, "1"))
    click.echo(f"an account for you: {VISITOR}/1 there, {visitor}")
    given = dict.fromkeys(name.partition("/")[2] for name, _ in tokens(story))
    click.echo(f"tokens ({', '.join([ETHER, *given])}): faucet {visitor} 10000 usdc")
    if (command := by_hand(story, venue.url)) is not None:
        click.echo(f"   or: {command}")
    click.echo("commands: step N, until DAY, play, pause, status, faucet, save, load, down, help")
    click.echo("here or in a second terminal: assay devnet step 30")
