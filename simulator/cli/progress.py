"""Progress of long work: bars on a terminal, plain lines in a pipe, silence with --json."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from simulator.jit import count_kernels, told_of_compiling

Advance = Callable[[int], None]
_KERNELS_A_LINE = 10
"""Every so many kernels that are compiled are worth a line."""


class Reporter:
    """Writes progress to standard error, so that results can be piped."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._console = Console(stderr=True, highlight=False)
        self._compiled: set[str] = set()
        self._lock = threading.Lock()

    def say(self, text: str) -> None:
        """Write one line."""
        if not self._quiet:
            self._console.print(text, markup=False, soft_wrap=True)

    @property
    def compiled(self) -> int:
        """Return how many kernels were compiled during the tasks so far."""
        return len(self._compiled)

    @contextmanager
    def task(self, text: str, total: int) -> Iterator[Advance]:
        """Show a task; the function given advances it by a number of its units.

        Kernels that are compiled meanwhile, on a first use, are told of.
        """
        with told_of_compiling(self._compiles):
            if self._quiet or not self._console.is_terminal:
                self.say(text)
                yield lambda done: None
                return
            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
            times = (TimeElapsedColumn(), TimeRemainingColumn())
            with Progress(*columns, *times, console=self._console) as progress:
                task = progress.add_task(text, total=total)
                yield lambda done: progress.advance(task, done)

    def _compiles(self, kernel: str) -> None:
        with self._lock:
            if kernel in self._compiled:
                return
            self._compiled.add(kernel)
            done = len(self._compiled)
        if done == 1:
            self.say("first use: compiling for this machine, once; `assay warmup` does it ahead")
        if done % _KERNELS_A_LINE == 1:
            self.say(f"compiling kernel {done} of at most {count_kernels()}: {kernel}")
