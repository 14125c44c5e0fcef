"""Runs side by side on a terminal: a column a run where there is room, else a line a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from simulator.report.compare.rows import (
    SAME_INPUTS,
    SAME_VERDICTS,
    Grid,
    inputs,
    marks,
    verdicts,
)
from simulator.report.console import WIDTH, put
from simulator.words import plain

if TYPE_CHECKING:
    from simulator.engine.compare import Comparison

_GAP = 1
"""Columns between two of a table's."""
_NARROWEST = 12
"""Room that a run's texts need to be read beside others', folded."""


def print_comparison(console: Console, names: Sequence[str], found: Comparison) -> None:
    """Print what differs; in a pipe without colours and 100 columns wide."""
    if not console.is_terminal:
        console = Console(file=console.file, width=WIDTH, color_system=None, highlight=False)
    heads = marks(len(names))
    for head, name in zip(heads, names, strict=True):
        put(console, Text(f"{head}  {name}"))
    put(console, Text(""))
    grids = list(inputs(found))
    for grid in grids:
        put(console, _table(grid, heads, console.width))
    if not grids:
        put(console, Text(SAME_INPUTS))
    put(
        console,
        _table(verdicts(found), heads, console.width) if found.verdicts else Text(SAME_VERDICTS),
    )


def _table(grid: Grid, heads: Sequence[str], width: int) -> Table:
    """Return a grid as it stands, or where that is too wide with a line for each run."""
    rows = [tuple(map(plain, row)) for row in grid.rows]
    longest = [max(map(len, column)) for column in zip(*rows, strict=True)]
    name = min(longest[0], width // 2)
    room = (width - name - _GAP) // len(heads) - _GAP
    if room >= min(_NARROWEST, max(longest[1:])):
        values = [min(own, room) for own in longest[1:]]
        return _laid(grid.title, ("", *heads), rows, [name, *values])
    lines = [
        (name if place == 0 else "", head, value)
        for name, *values in rows
        for place, (head, value) in enumerate(zip(heads, values, strict=True))
    ]
    return _laid(grid.title, ("", "run", ""), lines, [name, len("run"), None])


def _laid(
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    widths: Sequence[int | None],
) -> Table:
    """Return a table whose texts are folded where they are too long, and never cut."""
    table = Table(
        title=Text(title, style="bold"),
        title_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, _GAP, 0, 0),
    )
    for column, width in zip(columns, widths, strict=True):
        table.add_column(Text(column), overflow="fold", width=width)
    for row in rows:
        table.add_row(*map(Text, row))
    return table
