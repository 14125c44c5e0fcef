"""What all output on a terminal shares: its width, its tables, no colours in a pipe."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from rich import box
from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text, TextType

from simulator.words import HARD_SPACE, plain

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
    """Print a text or a table; what is too long is folded, never cut.

    A table that has no room for its names and numbers becomes a few lines for each row.
    """
    if isinstance(what, Table) and not _is_laid(what) and not _fit(what, console.width):
        what = _as_lines(what, console.width)
    console.print(what, crop=False, overflow="fold")


def _is_laid(table: Table) -> bool:
    """Return whether somebody has given the columns their widths already."""
    return any(column.width is not None for column in table.columns)


def _fit(table: Table, width: int) -> bool:
    """Give each column the width that it needs; False where there is no room for all.

    Numbers are never folded, and words at spaces alone. What is left goes to the words that would
    fill it.
    """
    least, most = [], []
    for column in table.columns:
        texts = [_text(cell) for cell in (column.header, *column.cells)]
        lines = [line for text in texts for line in text.splitlines()]
        parts = lines if column.no_wrap else [part for line in lines for part in line.split()]
        least.append(max(map(cell_len, parts), default=0))
        most.append(max(map(cell_len, lines), default=0))
    left = width - sum(least) - 2 * len(least)  # a rule's blank and a gap a column
    if left < 0:
        return False
    for column, narrow, wide in zip(table.columns, least, most, strict=True):
        more = min(left, wide - narrow)
        column.width = narrow + more
        left -= more
    return True


def _as_lines(table: Table, width: int) -> Text:
    """Return a table as text: the first cell of a row, beneath it the others with their heads."""
    heads = [_inline(column.header) for column in table.columns]
    title = f"{_text(table.title or '')}{f' ({heads[0]})' if heads[0] else ''}"
    lines = _wrapped(title, "", width)
    for first, *others in zip(*(list(column.cells) for column in table.columns), strict=True):
        lines += _wrapped(_inline(first), "", width)
        told = [
            f"{head}: {_inline(cell)}".removeprefix(": ")
            for head, cell in zip(heads[1:], others, strict=True)
            if _text(cell)
        ]
        lines += _wrapped("; ".join(told), "    ", width)
    return Text("\n".join([*lines, ""]))


def _wrapped(words: str, indent: str, width: int) -> list[str]:
    """Return words in lines; a percent sign stays with its number.

    The indent gives way to a name that needs the whole width.
    """
    longest = max(map(len, words.split()), default=0)
    indent = indent if longest + len(indent) <= width else ""
    lines = textwrap.wrap(
        words.replace(" %", f"{HARD_SPACE}%"),
        width,
        initial_indent=indent,
        subsequent_indent=indent,
        break_on_hyphens=False,
    )
    return [plain(line) for line in lines]


def _inline(cell: RenderableType) -> str:
    """Return a cell's lines as one; what goes on below a `be` is no part of its own."""
    lines = ", ".join(line.strip() for line in _text(cell).splitlines())
    return lines.replace("could be, ", "could be ")


def _text(cell: RenderableType | TextType) -> str:
    return cell.plain if isinstance(cell, Text) else str(cell)


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
