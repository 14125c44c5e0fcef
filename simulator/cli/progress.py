"""Progress of long work: bars on a terminal, plain lines in a pipe, silence with --json."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

Advance = Callable[[int], None]


class Reporter:
    """Writes progress to standard error, so that results can be piped."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._console = Console(stderr=True, highlight=False)

    def say(self, text: str) -> None:
        """Write one line."""
        if not self._quiet:
            self._console.print(text, markup=False)

    @contextmanager
    def task(self, text: str, total: int) -> Iterator[Advance]:
        """Show a task; the function given advances it by a number of its units."""
        if self._quiet or not self._console.is_terminal:
            self.say(text)
            yield lambda done: None
            return
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        with Progress(*columns, TimeElapsedColumn(), console=self._console) as progress:
            task = progress.add_task(text, total=total)
            yield lambda done: progress.advance(task, done)
