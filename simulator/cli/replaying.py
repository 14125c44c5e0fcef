"""Opens a chain and plays the chosen paths on it, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from simulator.chain import Artifact, Chain, open_chain
from simulator.chain.fork import Fork, fork_of
from simulator.cli.progress import Reporter
from simulator.engine.sources import load_source
from simulator.errors import AssayError, ChainUnavailable, ForbiddenEndpoint
from simulator.instruments.stage import Key
from simulator.market.dynamics import MarketSpec
from simulator.replay import Choice, Evidence, Replay, play, players
from simulator.scenario import LoadedScenario, Scenario
from simulator.units import midnight_timestamp

Keep = Callable[[str, Replay | None, Evidence], None]
"""Takes a path's label, its replay, and what happened on the chain."""


@dataclass(frozen=True)
class ChainChoice:
    """What the user said about the chain."""

    kind: Literal["anvil", "revm"] | None
    anvil_path: Path | None
    rpc: str | None


@dataclass
class Replays:
    """What was replayed, and on what; `failure` says why the rest is missing."""

    done: list[Replay] = field(default_factory=list)
    client: dict[str, str] = field(default_factory=dict)
    failure: AssayError | None = None


def load_for(
    source: str,
    overrides: tuple[str, ...],
    calibration: str | None,
    rpc: str | None,
    reporter: Reporter,
) -> tuple[LoadedScenario, bool]:
    """Load a run's scenario or a scenario; on a fork it begins at the fork's next day.

    Returns
    -------
    LoadedScenario
    bool
        Whether the start is another than the source's own.
    """
    fork = _fork_at(rpc)
    if fork is None:
        return load_source(source, overrides, calibration), False
    day = fork.first_day()
    reporter.say(
        f"{rpc} forks another chain and stands at block {fork.block}: the scenario starts on "
        f"{day}, its next 00:00 UTC, whatever `start` says"
    )
    return load_source(source, (*overrides, f"start={day}"), calibration), True


def _fork_at(rpc: str | None) -> Fork | None:
    """Return what a node forks; one that cannot be reached is told of when it is opened."""
    try:
        return None if rpc is None else fork_of(rpc)
    except ForbiddenEndpoint:
        raise
    except ChainUnavailable:
        return None


def open_for(scenario: Scenario, choice: ChainChoice, reporter: Reporter) -> Chain:
    """Return a chain at the scenario's start; the caller closes it.

    Raises
    ------
    UsageError, ChainUnavailable
        Before anything is simulated or written.
    """
    chain = open_chain(
        choice.kind,
        midnight_timestamp(scenario.start),
        anvil_path=choice.anvil_path,
        rpc=choice.rpc,
    )
    for fault in getattr(chain, "passed_over", ()):
        reporter.say(f"passed over: {fault}")
    if chain.name == "revm" and choice.kind is None:
        reporter.say("no Anvil found: replaying on the in-process EVM (revm)")
    return chain


def replay_paths(
    chain: Chain,
    scenario: Scenario,
    spec: MarketSpec,
    choices: Sequence[Choice],
    reporter: Reporter,
    keep: Keep | None = None,
    until: int | None = None,
    patched: Mapping[str, Artifact] | None = None,
    given: Mapping[Key, str] | None = None,
) -> Replays:
    """Play each chosen path on a fresh state of `chain`; `keep` gets what each leaves behind.

    A path that fails leaves what happened before it did, and no comparison. A chain that goes
    away, or a call that reverts, ends the replays; those done are kept. `until` is the last day,
    where that is not the horizon. `patched` replaces packaged contracts by name, `given` are
    addresses of contracts that stand there already.
    """
    replays = Replays(client={chain.name: chain.client_version})
    try:
        _play_all(chain, scenario, spec, choices, reporter, replays, keep, until, patched, given)
    except AssayError as error:
        replays.failure = error
    return replays


def _play_all(
    chain: Chain,
    scenario: Scenario,
    spec: MarketSpec,
    choices: Sequence[Choice],
    reporter: Reporter,
    replays: Replays,
    keep: Keep | None,
    until: int | None,
    patched: Mapping[str, Artifact] | None,
    given: Mapping[Key, str] | None,
) -> None:
    fresh, last = chain.snapshot(), scenario.horizon_days if until is None else until
    for choice in choices:
        chain.revert(fresh)
        text = f"replaying {choice.label} (path {choice.path}) on {chain.name}"
        with reporter.task(text, last + 1) as advance:
            cast = players(scenario, spec, choice.path)
            evidence = None if keep is None else Evidence()
            try:
                done = play(
                    chain,
                    cast,
                    scenario.start,
                    last,
                    choice.label,
                    choice.path,
                    progress=lambda step: advance(1),
                    patched=patched,
                    evidence=evidence,
                    given=given,
                )
            except AssayError:
                if keep is not None and evidence is not None:
                    keep(choice.label, None, evidence)
                raise
        replays.done.append(done)
        if keep is not None and evidence is not None:
            keep(choice.label, done, evidence)
