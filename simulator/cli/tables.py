"""A table on the terminal, for the commands that ask one question."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

WIDTH = 100


def print_table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], words: int = 1
) -> None:
    """Print a table whose first `words` columns are words and whose others are numbers.

    Colourless and 100 columns wide in a pipe.
    """
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(width=WIDTH, color_system=None, highlight=False)
    table = Table(
        title=Text(title, style="bold"),
        title_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    for place, column in enumerate(columns):
        is_number = place >= words
        table.add_column(
            Text(column),
            justify="right" if is_number else "left",
            overflow="fold",
            no_wrap=is_number,
        )
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console.print(table, crop=False)
