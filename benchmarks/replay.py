"""Where the time of a replay goes: into the EVM, the node, or Python around them.

In process, everything that pyrevm is asked is timed: that is the EVM's share of the time on the
wall. Then it is asked again with nothing else around it: that is the EVM alone, on the same calls
in the same run, and gives the gas that one core does a second. On Anvil, the waits are told apart
by request, and the node's own processor time beside them.

Seconds are of the processor, which a busy machine leaves alone, but for shares and waits. Prints a
checksum of what both engines saw, and the machine.

    python benchmarks/replay.py [--days=N] [scenario ...]
"""

from __future__ import annotations

import gc
import hashlib
import os
import platform
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from instruments import machine

from simulator.chain import AnvilChain, RevmChain
from simulator.chain.rpc import Request, Response
from simulator.errors import ChainUnavailable
from simulator.market.build import market_spec
from simulator.replay import Replay, play, players
from simulator.scenario import Scenario, load_scenario
from simulator.units import LANES, midnight_timestamp

SCENARIOS = ("hard-assets-2026", "gold-vault-sober")
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


def in_process(played: Played) -> None:
    """Print the line of the in-process EVM."""
    found, shares = [], []
    for _ in range(REPEATS):
        chain = RevmChain(played.start)
        done, seconds, wall = played.on(chain)
        found.append(seconds)
        shares.append(chain.evm_seconds / wall)
    noted = RevmChain(played.start)
    noted.note()
    played.on(noted)
    alone = min(noted.seconds_alone(time.process_time) for _ in range(REPEATS))
    best, sent = min(found), done.transactions
    print(
        f"  revm   {best:6.2f} s, {max(shares):.0%} in the EVM; alone it takes {alone:.2f} s  "
        f"{sent / best:7,.0f} transactions/s  {chain.views / sent:.2f} views a transaction with "
        f"{chain.reads / sent:.1f} answers  {done.gas / alone / 1e6:5.0f} M gas/s alone  "
        f"{checksum(done)}"
    )


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


def on_anvil(played: Played) -> None:
    """Print the lines of Anvil: the pace, and where the time goes."""
    with AnvilChain(played.start) as chain:
        pid = chain.node.pid if chain.node else 0
        chain._rpc = Clocked(chain._rpc, lambda: processor_seconds(pid))
        fresh, walls = chain.snapshot(), []
        for _ in range(REPEATS):
            chain.revert(fresh)
            waits, node = dict(chain._rpc.waits), dict(chain._rpc.node)
            pace = Pace(lambda: time.process_time() + processor_seconds(pid))
            done, seconds, wall = played.on(chain, pace.tick)
            walls.append(wall)
        print(
            f"  anvil  {min(walls):6.2f} s on the wall, {seconds:.2f} s of it Python  "
            f"{done.transactions / min(walls):7,.0f} transactions/s  {checksum(done)}"
        )
        print(f"         the last quarter runs at {pace.kept:.0%} of the first one's pace")
        for request, wait in sorted(chain._rpc.waits.items(), key=lambda item: -item[1])[:4]:
            waited = wait - waits.get(request, 0.0)
            used = chain._rpc.node[request] - node.get(request, 0.0)
            print(f"         {waited:6.2f} s waiting for {request}, the node's own {used:.2f} s")


def main() -> None:
    """Print the table."""
    gc.set_threshold(COLLECTION)
    print(f"{machine()}; Python {platform.python_version()}")
    days = int(sys.argv.pop(1).removeprefix("--days=")) if "--days=" in "".join(sys.argv) else None
    for name in sys.argv[1:] or SCENARIOS:
        played = Played(name, days)
        print(f"{name}, path {PATH}, {played.scenario.horizon_days} days")
        in_process(played)
        try:
            on_anvil(played)
        except ChainUnavailable as error:
            print(f"  anvil  {error}")


if __name__ == "__main__":
    main()
