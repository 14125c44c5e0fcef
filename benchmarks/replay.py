"""Where the time of a replay goes: into the EVM, the node, or Python around them.

In process, everything that pyrevm is asked is timed: that is the EVM's share of the time on the
wall. Then it is asked again with nothing else around it: that is the EVM alone, on the same calls
in the same run, and gives the gas that one core does a second. On Anvil, the waits are told apart
by request, and the node's own processor time beside them.

In process seconds are of the processor, which a busy machine leaves alone. Checksums are of what
both engines saw.
"""

from __future__ import annotations

import gc
import hashlib
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from lines import Line

from simulator.chain import AnvilChain, RevmChain
from simulator.chain.rpc import Request, Response
from simulator.market.build import market_spec
from simulator.replay import Replay, play, players
from simulator.scenario import Scenario, load_scenario
from simulator.units import LANES, midnight_timestamp

SCENARIOS = (("hard-assets-2026", None), ("gold-vault-sober", None), ("gold-vault-sober", 730))
"""By name, with how many days where it is not as many as the scenario has."""
REPEATS = 3
PATH = 0
COLLECTION = 200_000
"""Objects after which Python looks for garbage, as in the command."""
_TICKS = os.sysconf("SC_CLK_TCK")


class Played:
    """A scenario's path, to be played again and again."""

    def __init__(self, name: str, days: int | None) -> None:
        longer = [] if days is None else [f"horizon_days={days}"]
        loaded = load_scenario(name, overrides=[f"paths={LANES}", *longer])
        self.scenario: Scenario = loaded.scenario
        self.spec = market_spec(loaded.scenario, loaded.calibration)
        self.start = midnight_timestamp(self.scenario.start)

    def on(
        self, chain: RevmChain | AnvilChain, after: Callable[[int], None] = lambda step: None
    ) -> tuple[Replay, float, float]:
        """Return the replay and its seconds, of the processor and on the wall.

        `after` is called with each step that is done.
        """
        actors = players(self.scenario, self.spec, PATH)
        began, wall = time.process_time(), time.perf_counter()
        days = self.scenario.horizon_days
        done = play(chain, actors, self.scenario.start, days, "bench", PATH, after)
        return done, time.process_time() - began, time.perf_counter() - wall


def checksum(done: Replay) -> str:
    """Return the digest of every number that was compared, both engines'."""
    columns = done.series[["model", "chain", "tolerance"]].to_numpy()
    return hashlib.sha256(columns.tobytes()).hexdigest()[:16]


def in_process(played: Played, name: str) -> Iterator[Line]:
    """Yield the lines of the in-process EVM."""
    found, shares = [], []
    for _ in range(REPEATS):
        chain = RevmChain(played.start)
        done, seconds, wall = played.on(chain)
        found.append(seconds)
        shares.append(chain.evm_seconds / wall)
    noted = RevmChain(played.start)
    noted.note()
    played.on(noted)
    alone = [noted.seconds_alone(time.process_time) for _ in range(REPEATS)]
    sent, digest = done.transactions, checksum(done)
    yield Line(
        f"{name}, in process",
        "s",
        tuple(found),
        digest,
        f"{median(shares):.0%} in the EVM, {median(found) / median(alone):.2f} times the least; "
        f"{chain.views / sent:.2f} views a transaction with {chain.reads / sent:.1f} answers",
    )
    rates = tuple(done.gas / one / 1e6 for one in alone)
    yield Line(f"{name}, the EVM alone", "M gas/s", rates, digest)


class Clocked:
    """A node's interface that adds up the waits by the first request of a batch."""

    def __init__(self, rpc: Any, spent: Callable[[], float]) -> None:
        self._rpc, self._spent = rpc, spent
        self.waits: dict[str, float] = defaultdict(float)
        self.node: dict[str, float] = defaultdict(float)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._rpc, name)

    def batch(self, requests: Sequence[Request]) -> list[Response]:
        began, spent = time.perf_counter(), self._spent()
        answer: list[Response] = self._rpc.batch(requests)
        if requests:
            self.waits[requests[0][0]] += time.perf_counter() - began
            self.node[requests[0][0]] += self._spent() - spent
        return answer


class Pace:
    """Whether a replay slows down: seconds of the processor, Python's and the node's, by step."""

    def __init__(self, spent: Callable[[], float]) -> None:
        self._spent, self._at = spent, [spent()]

    def tick(self, step: int) -> None:
        """Note that a step is done."""
        self._at.append(self._spent())

    @property
    def kept(self) -> float:
        """Return the first quarter's time over the last one's, without the set-up."""
        at = self._at[1:]
        quarter = len(at) // 4
        return (at[quarter] - at[0]) / (at[-1] - at[-1 - quarter])


def processor_seconds(pid: int) -> float:
    """Return what a process has used of the processor so far; NaN where nobody says."""
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        return float("nan")
    fields = stat.read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def on_anvil(played: Played, name: str) -> Iterator[Line]:
    """Yield the lines of Anvil: transactions a second, where the time goes, and the pace."""
    with AnvilChain(played.start) as chain:
        pid = chain.node.pid if chain.node else 0
        chain._rpc = Clocked(chain._rpc, lambda: processor_seconds(pid))
        fresh, rates, kept = chain.snapshot(), [], []
        for _ in range(REPEATS):
            chain.revert(fresh)
            node = dict(chain._rpc.node)
            pace = Pace(lambda: time.process_time() + processor_seconds(pid))
            done, seconds, wall = played.on(chain, pace.tick)
            rates.append(done.transactions / wall)
            kept.append(pace.kept)
        used = {what: spent - node.get(what, 0.0) for what, spent in chain._rpc.node.items()}
        dearest = sorted(used, key=lambda what: -used[what])[:2]
        told = ", ".join(f"{what} {used[what]:.2f}" for what in dearest)
        note = f"Python {seconds:.2f} s, the node {sum(used.values()):.2f} s ({told})"
        yield Line(f"{name}, on Anvil", "transactions/s", tuple(rates), checksum(done), note)
        paces = tuple(100.0 * one for one in kept)
        yield Line(f"{name}, on Anvil, last quarter by first", "% of the pace", paces)


def lines() -> Iterator[Line]:
    """Yield the lines of all replays."""
    gc.set_threshold(COLLECTION)
    for scenario, days in SCENARIOS:
        played = Played(scenario, days)
        name = f"{scenario}, {played.scenario.horizon_days} days"
        yield from in_process(played, name)
        yield from on_anvil(played, name)
