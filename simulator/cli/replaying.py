"""Opens a chain and plays the chosen paths on it, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from simulator.chain import open_chain
from simulator.chain.base import Chain
from simulator.cli.progress import Reporter
from simulator.engine import Simulation
from simulator.errors import ChainUnavailable
from simulator.market.dynamics import MarketSpec
from simulator.replay import Choice, Replay, play, players
from simulator.scenario import Scenario
from simulator.units import midnight_timestamp


@dataclass(frozen=True)
class ChainChoice:
    """What the user said about the chain."""

    kind: str | None
    anvil_path: Path | None
    rpc: str | None


@dataclass
class Replays:
    """What was replayed, and on what; `failure` says why the rest is missing."""

    done: list[Replay] = field(default_factory=list)
    client: dict[str, str] = field(default_factory=dict)
    failure: ChainUnavailable | None = None


def replay_paths(
    scenario: Scenario,
    spec: MarketSpec,
    choices: Sequence[Choice],
    chain_choice: ChainChoice,
    reporter: Reporter,
    keep: Callable[[Replay], None] = lambda replay: None,
) -> Replays:
    """Play each chosen path on a fresh chain state; `keep` gets each as it is done.

    A chain that goes away ends the replays; those done are kept.
    """
    replays = Replays()
    start = midnight_timestamp(scenario.start)
    try:
        chain = open_chain(
            chain_choice.kind, start, anvil_path=chain_choice.anvil_path, rpc=chain_choice.rpc
        )
    except ChainUnavailable as error:
        replays.failure = error
        return replays
    with chain:
        if chain.name == "revm" and chain_choice.kind is None:
            reporter.say("no Anvil found: replaying on the in-process EVM (revm)")
        replays.client[chain.name] = chain.client
        try:
            _play_all(chain, scenario, spec, choices, reporter, replays, keep)
        except ChainUnavailable as error:
            replays.failure = error
    return replays


def _play_all(
    chain: Chain,
    scenario: Scenario,
    spec: MarketSpec,
    choices: Sequence[Choice],
    reporter: Reporter,
    replays: Replays,
    keep: Callable[[Replay], None],
) -> None:
    fresh = chain.snapshot()
    for choice in choices:
        chain.revert(fresh)
        text = f"replaying {choice.label} (path {choice.path}) on {chain.name}"
        with reporter.task(text, scenario.horizon_days + 1) as advance:
            cast = players(scenario, spec, choice.path)
            done = play(
                chain,
                cast,
                scenario.start,
                scenario.horizon_days,
                choice.label,
                choice.path,
                progress=lambda step: advance(1),
            )
        replays.done.append(done)
        keep(done)


def worst(simulation: Simulation) -> float:
    """Return the largest relative gap of any attribution, over all paths."""
    return max(measures.attribution_gap for measures in simulation.investors.values())
