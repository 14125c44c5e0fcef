"""What all output on a terminal shares: its width, its tables, no colours in a pipe."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Console, RenderableType
from rich.table import Table

WIDTH = 100
STYLES = {
    "supported": "bold green",
    "plausible": "bold yellow",
    "unlikely": "bold dark_orange",
    "refuted": "bold red",
    "not decided": "bold bright_black",
    "not testable": "bold bright_black",
    "already met": "bold bright_black",
    "by assumption": "bold bright_black",
}
"""How a verdict's word is coloured."""


def within(console: Console) -> Console:
    """Return a console of at most 100 columns; a pipe, which has no width, gets them all."""
    if not console.is_terminal:
        return Console(file=console.file, width=WIDTH, color_system=None, highlight=False)
    if console.width > WIDTH:
        console.width = WIDTH
    return console


def put(console: Console, what: RenderableType) -> None:
    """Print a text or a table; what is too long is folded, never cut."""
    console.print(what, crop=False, overflow="fold")


def number_table(title: str, columns: Sequence[str], words: int = 1) -> Table:
    """Return a table whose first `words` columns are words and whose others are numbers."""
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    for place, column in enumerate(columns):
        number_column = place >= words
        table.add_column(
            column,
            justify="right" if number_column else "left",
            overflow="fold",
            no_wrap=number_column,
        )
    return table
