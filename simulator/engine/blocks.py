"""Work shared among threads: blocks of paths, parameter sets, series; results in order."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeVar

from simulator.engine.memory import keep_freed_memory
from simulator.market.paths import BLOCK_PATHS
from simulator.units import LANES

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Span:
    """Consecutive paths: the first one's number, how many, and how many with full lanes."""

    first: int
    count: int

    @property
    def padded(self) -> int:
        """Return the paths that are simulated: those of full lanes."""
        return -(-self.count // LANES) * LANES

    def within(self, paths: int) -> int:
        """Return how many of them are among the first `paths` of the run."""
        return max(0, min(self.count, paths - self.first))

    def parts(self, paths: int) -> list[Span]:
        """Return it in parts of so many paths, a multiple of LANES; the last may be smaller."""
        last = self.first + self.count
        return [Span(at, min(paths, last - at)) for at in range(self.first, last, paths)]


def spans(paths: int, block_paths: int = BLOCK_PATHS) -> list[Span]:
    """Return the blocks of a run; `block_paths` is a multiple of LANES."""
    return Span(0, paths).parts(block_paths)


def in_order(
    work: Callable[[Item], Result], items: Iterable[Item], workers: int | None = None
) -> Iterator[Result]:
    """Yield `work(item)` for each item in their order, from several threads.

    Parameters
    ----------
    workers : int, optional
        Threads; by default one for each core. With one, this thread does it all.
    """
    keep_freed_memory()
    if workers == 1:
        yield from map(work, items)
        return
    threads = workers or os.cpu_count() or 1
    pool = ThreadPoolExecutor(threads)
    try:
        yield from bounded(pool, work, items, threads * _AHEAD)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


_AHEAD = 4
"""So many tasks for each thread are begun or finished before the first of them is taken."""


def bounded(
    pool: Executor, work: Callable[..., Result], items: Iterable[Item], most: int, *shared: Any
) -> Iterator[Result]:
    """Yield `work(item, *shared)` in order, at most `most` under way, so that memory stays flat."""
    waiting: deque[Future[Result]] = deque()
    for item in items:
        waiting.append(pool.submit(work, item, *shared))
        if len(waiting) >= most:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


@dataclass(frozen=True)
class Elsewhere:
    """Who takes whole worlds in place of threads here, and how many at a time."""

    executor: Executor
    workers: int


_elsewhere: ContextVar[Elsewhere | None] = ContextVar("elsewhere", default=None)


@contextmanager
def worlds_go_to(place: Elsewhere) -> Iterator[None]:
    """Let `worlds_in_order` give its tasks to somebody else meanwhile."""
    before = _elsewhere.set(place)
    try:
        yield
    finally:
        _elsewhere.reset(before)


def worlds_in_order(
    work: Callable[[Item], Result], items: Iterable[Item], workers: int | None = None
) -> Iterator[Result]:
    """Yield `work(item)` in order, where each item is a small run of its own.

    On a cluster each is a task, so `work` and items are sent there; else as `in_order` does.
    """
    place = _elsewhere.get()
    if place is None:
        yield from in_order(work, items, workers)
    else:
        yield from bounded(place.executor, work, items, 2 * place.workers)


def are_elsewhere() -> bool:
    """Return whether worlds are tasks of somebody else, which need no threads within."""
    return _elsewhere.get() is not None
