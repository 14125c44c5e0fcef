"""Lays out the blocks of a product's page: as markup, and on a terminal."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from simulator.instruments.page import Block, Fan, Paragraph, Section, Table
from simulator.report import charts, markup
from simulator.report.console import number_table, put
from simulator.report.markup import Column, Html, Row, element
from simulator.words import figure, plain

if TYPE_CHECKING:
    import pandas as pd

    from simulator.engine.moments import Moment


Marks = Sequence[tuple[dt.date, str]]


def marks_of(found: Iterable[Moment]) -> Marks:
    """Return what happens on a date as charts mark it."""
    return [(moment.date, moment.words) for moment in found]


def section_markup(anchor: str, found: Section, daily: pd.DataFrame, marks: Marks = ()) -> Html:
    """Return a folded section; its fans stand side by side below all else.

    `daily` has the columns date, series, p05, p25, p50, p75, p95; `marks` are what happens on a
    date, with its words.
    """
    fans = [block for block in found.blocks if isinstance(block, Fan)]
    rest = [block for block in found.blocks if not isinstance(block, Fan)]
    drawn = [fan_markup(block, daily, marks) for block in fans]
    pair = [element("div", *drawn, class_="pair")] if drawn else []
    return markup.fold(anchor, found.title, *blocks_markup(rest), *pair)


def blocks_markup(blocks: Iterable[Block]) -> list[Html]:
    """Return paragraphs and tables as markup; fans need their series, see `fan_markup`."""
    found = []
    for block in blocks:
        if isinstance(block, Paragraph):
            found.append(_paragraph(block))
        elif isinstance(block, Table):
            found.append(_table(block))
    return found


def _paragraph(block: Paragraph) -> Html:
    lead = [element("b", f"{block.lead} ")] if block.lead else []
    return element("p", *lead, block.text, **({"class_": "aside"} if block.aside else {}))


def _table(block: Table) -> Html:
    columns = [Column(words, numeric=place > 0) for place, words in enumerate(block.columns)]
    return markup.table(columns, [Row(cells) for cells in block.rows], caption=block.caption)


def fan_markup(block: Fan, daily: pd.DataFrame, marks: Marks = ()) -> Html:
    """Return a fan; nothing where the run kept no such series."""
    rows = daily[daily["series"] == block.series]
    if rows.empty:
        return Html("")
    scale = 100.0 if block.share else 1.0
    unit = f"{block.unit}, %".removeprefix(", ") if block.share else block.unit
    drawn = charts.fan(
        rows,
        unit=unit,
        scale=scale,
        tick_format=",.3~r" if block.share else None,
        hover_format=".2f" if block.share else ",.3s",
        level=None if block.level is None else scale * block.level,
        marks=marks,
    )
    last = rows.iloc[-1]
    low, middle, high = (figure(scale * float(last[q]), "level") for q in ("p05", "p50", "p95"))
    spoken = f"{block.title}, {unit}; at the end median {middle}, p05 {low}, p95 {high}."
    anchor = f"fan-{block.series.replace('.', '-')}"
    return charts.embed(drawn, anchor, f"{block.title}, {unit}", spoken, block.note)


def put_blocks(console: Console, blocks: Iterable[Block]) -> None:
    """Print paragraphs and tables, with a line between them and what follows."""
    shown = [block for block in blocks if not isinstance(block, Fan)]
    for block in shown:
        if isinstance(block, Table):
            table = number_table(block.caption, block.columns)
            for words, *numbers in block.rows:
                table.add_row(Text(words), *(Text(plain(cell)) for cell in numbers))
            put(console, table)
        else:
            put(console, Text(plain(f"{block.lead} {block.text}".strip())))
    if shown:
        put(console, Text(""))
