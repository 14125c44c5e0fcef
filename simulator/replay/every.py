"""Plays every path of a run through the contracts' bytecode, in process, in parallel processes.

Four replays on a node show that the model is right on four paths. Here every path has a world,
a deployment and a comparison of its own; what is left of each is its worst error of each
observable, the final values of both engines, and how many decisions fell into the dead-band.
A path does not depend on another, so the result is the same whatever the number of processes.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress

import numpy as np

from simulator.chain import RevmChain
from simulator.chain.node import die_with_parent
from simulator.errors import AssayError, ChainUnavailable
from simulator.investors.world import World, simulate_block
from simulator.market.dynamics import MarketSpec
from simulator.replay.evidence import Evidence
from simulator.replay.pace import Pace, Spent, pace_of
from simulator.replay.play import Walk, walk
from simulator.replay.select import cast_of
from simulator.replay.together import EveryPath, Outcome, together
from simulator.scenario.models import Scenario
from simulator.units import LANES, midnight_timestamp

_PATHS_A_TASK = 4


def require_evm() -> None:
    """Raise ChainUnavailable, with what to install, where there is no EVM in process."""
    RevmChain().close()


def play_every(
    scenario: Scenario,
    spec: MarketSpec,
    workers: int | None = None,
    progress: Callable[[int], None] = lambda paths: None,
    paced: Callable[[Pace], None] = lambda pace: None,
) -> EveryPath:
    """Play all paths of `scenario`; a path that fails is named, and the others go on.

    Parameters
    ----------
    workers : int, optional
        Processes; by default one for each core. With one, this process does it all.
    progress : callable
        Told how many paths more are done.
    paced : callable
        Told in the end where the time went.

    Raises
    ------
    ChainUnavailable
        pyrevm is not installed, or a process was ended by somebody else.
    """
    require_evm()
    began = time.perf_counter()
    tasks = [
        (first, min(_PATHS_A_TASK, scenario.paths - first))
        for first in range(0, scenario.paths, _PATHS_A_TASK)
    ]
    count = min(workers or os.cpu_count() or 1, len(tasks))
    found: list[Outcome] = []
    for outcomes in _in_processes(scenario, spec, tasks, count):
        found += outcomes
        progress(len(outcomes))
    paced(pace_of(found, count, time.perf_counter() - began))
    return together(found, scenario.horizon_days)


def _in_processes(
    scenario: Scenario, spec: MarketSpec, tasks: Sequence[tuple[int, int]], count: int
) -> Iterator[list[Outcome]]:
    """Yield each task's outcomes in order; whatever happens, no process is left behind."""
    if count == 1:
        yield from map(_Player(scenario, spec).play, tasks)
        return
    before = set(multiprocessing.active_children())
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(count, context, initializer=_begin, initargs=(scenario, spec))
    try:
        for task in [pool.submit(_play, each) for each in tasks]:
            yield task.result()
    except BrokenProcessPool as error:
        raise ChainUnavailable(
            "a process that played paths was ended from outside, perhaps for lack of memory; "
            "--workers 1 needs the least"
        ) from error
    except BaseException:
        for child in set(multiprocessing.active_children()) - before:
            child.kill()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


class _Player:
    """Plays paths of one scenario; keeps the world of the lanes it was asked for last."""

    def __init__(self, scenario: Scenario, spec: MarketSpec) -> None:
        self._scenario, self._spec = scenario, spec
        self._first = -1
        self._world: World | None = None
        self._is_noted = self._is_settled = False

    def play(self, task: tuple[int, int]) -> list[Outcome]:
        """Return the outcomes of `count` paths from the first on."""
        first, count = task
        found = []
        for path in range(first, first + count):
            found.append(self._play_one(path))
            if not self._is_settled:
                gc.collect()
                gc.freeze()  # what the first path has loaded stays: no collection need look at it
                self._is_settled = True
        # what knows itself, as a seat and its custody do, is some 7 MB of the flagship's path
        gc.collect()
        return found

    def _play_one(self, path: int) -> Outcome:
        scenario, began = self._scenario, time.process_time()
        actors = cast_of(scenario, self._lanes_of(path), path % LANES)
        with RevmChain(midnight_timestamp(scenario.start)) as chain:
            if not self._is_noted:
                chain.note()
            try:
                done = walk(chain, actors, scenario.start, scenario.horizon_days, Evidence())
            except AssayError as error:
                return Outcome(path, failure=str(error))
        took = time.process_time() - began
        # of a process's first path also what the EVM alone takes
        alone, self._is_noted = chain.seconds_alone(time.process_time), True
        return _kept(path, done, Spent(chain.evm_seconds, took, chain.views, chain.reads, alone))

    def _lanes_of(self, path: int) -> World:
        first = path // LANES * LANES
        if self._world is None or first != self._first:
            self._world = simulate_block(self._scenario, self._spec, first, LANES, record=True)
            self._first = first
        return self._world


def _kept(path: int, done: Walk, spent: Spent) -> Outcome:
    compared = done.reconciliation.compared
    return Outcome(
        path=path,
        transactions=done.transactions,
        gas=done.gas,
        decisions=done.decisions,
        in_band=done.in_band,
        observables=done.reconciliation.results(),
        final=np.array([compared.model[-1], compared.chain[-1], compared.tolerance[-1]]),
        spent=spent,
    )


_player: list[_Player] = []
"""The one of this process, once it has begun."""


def _begin(scenario: Scenario, spec: MarketSpec) -> None:
    """Make this process a worker: it ends with its parent, who alone hears Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        with suppress(OSError):
            die_with_parent()
    gc.disable()
    _player[:] = [_Player(scenario, spec)]


def _play(task: tuple[int, int]) -> list[Outcome]:
    return _player[0].play(task)
