"""Work shared among threads: blocks of paths, parameter sets, series; results in order."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

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


def spans(paths: int, block_paths: int = BLOCK_PATHS) -> list[Span]:
    """Return the blocks of a run; `block_paths` is a multiple of LANES."""
    starts = range(0, paths, block_paths)
    return [Span(first, min(block_paths, paths - first)) for first in starts]


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
    pool = ThreadPoolExecutor(workers or os.cpu_count() or 1)
    try:
        for task in [pool.submit(work, item) for item in items]:
            yield task.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
