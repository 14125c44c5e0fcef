"""A scenario under ladders of shocks on a terminal: a matrix for each thing, in 80 columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.style import Style
from rich.table import Table
from rich.text import Text

from simulator.report.console import put
from simulator.report.stress.rows import Matrix, facts, left_out, matrices, unmoved
from simulator.scenario.ladders import SEVERITIES
from simulator.words import plain

if TYPE_CHECKING:
    from simulator.engine.stress import Stress

WIDTH = 80
_NUMBER = 13
_STEPS = ("#f6e3e3", "#ecbcbc", "#dd8f8f", "#c95f5f")
"""Backgrounds by how far a number lies from no shock, of the furthest in its matrix."""
_FAINT = 0.05
"""Below this part of it there is no background."""


def print_stress(console: Console, found: Stress) -> None:
    """Print every matrix that anything moves, and name the others; colourless in a pipe."""
    width = WIDTH
    if console.is_terminal:
        width = min(console.width, WIDTH)
    else:
        console = Console(file=console.file, width=WIDTH, color_system=None, highlight=False)
    put(console, Text(f"{found.scenario.title}\n{facts(found)}\n"))
    every = matrices(found)
    for matrix in every:
        if matrix.movers:
            put(console, Text(plain(matrix.title), style="bold"))
            put(console, _table(matrix, width))
    for words in filter(None, (unmoved(every), left_out(found))):
        put(console, Text(plain(words)))


def _table(matrix: Matrix, width: int) -> Table:
    """Return the ladders that move something, with those that do not left out."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), width=width)
    table.add_column("", overflow="fold", ratio=1)
    for severity in SEVERITIES:
        table.add_column(severity, justify="right", width=_NUMBER, overflow="fold")
    for ladder in matrix.movers:
        heats = _heats(matrix, ladder)
        cells = map(Text, map(plain, matrix.cells(ladder)), heats)
        table.add_row(Text(ladder), *cells)
    return table


def _heats(matrix: Matrix, ladder: str) -> list[Style]:
    """Return the styles of a ladder's cells: the deeper, the further from no shock."""
    rows = ([abs(v - matrix.without) for v in matrix.values[name]] for name in matrix.movers)
    most = max(distance for row in rows for distance in row)
    return [_heat(abs(value - matrix.without) / most) for value in matrix.values[ladder]]


def _heat(part: float) -> Style:
    if not part >= _FAINT:
        return Style()
    step = _STEPS[min(int(part * len(_STEPS)), len(_STEPS) - 1)]
    return Style(bgcolor=step, color="black")
