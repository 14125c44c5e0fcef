"""The page of runs side by side: verdicts, fans over each other, what went in differently."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle, islice
from typing import TYPE_CHECKING

import pandas as pd

from simulator.report.charts.base import SERIES_COLOURS, embed
from simulator.report.charts.fans import fans
from simulator.report.compare.rows import (
    SAME_INPUTS,
    SAME_VERDICTS,
    Grid,
    inputs,
    marks,
    verdicts,
)
from simulator.report.markup import Column, Html, Row, contents, element, join, section, table
from simulator.report.page import document
from simulator.words import figure

if TYPE_CHECKING:
    from simulator.engine.compare import Comparison, FinishedRun

_SHOWN = ("price.", "exit.")
"""Series that are drawn: prices, and what leaving pays to an investor."""
_CONTENTS = (
    ("verdicts", "Verdicts"),
    ("fans", "Fans"),
    ("inputs", "What went in differently"),
)


def render_comparison(names: Sequence[str], runs: Sequence[FinishedRun], found: Comparison) -> str:
    """Return the page as one self-contained document, the same bytes every time."""
    heads = marks(len(names))
    header = element(
        "header",
        element("p", "Assay comparison", class_="eyebrow"),
        element("h1", f"{len(runs)} runs side by side"),
        element("p", "Hypothetical performance, simulated; not a forecast.", class_="facts"),
    )
    main = element(
        "main",
        _runs(heads, names, runs),
        _verdicts(found, heads),
        _fans(heads, runs),
        _inputs(found, heads),
    )
    return document(f"{len(runs)} runs", join((header, contents(_CONTENTS), main)))


def _runs(heads: Sequence[str], names: Sequence[str], runs: Sequence[FinishedRun]) -> Html:
    columns = [
        Column(words, numeric=False)
        for words in ("run", "folder", "scenario", "from", "days", "paths", "seed")
    ]
    rows = []
    for head, name, run in zip(heads, names, runs, strict=True):
        of = run.loaded.scenario
        numbers = (f"{of.start}", f"{of.horizon_days:,}", f"{of.paths:,}", f"{of.seed}")
        rows.append(Row((head, name, of.title, *numbers)))
    return section("runs", "The runs", table(columns, rows, caption="What is compared"))


def _verdicts(found: Comparison, heads: Sequence[str]) -> Html:
    shown = [_grid(verdicts(found), heads)]
    if not found.verdicts:
        shown.append(element("p", SAME_VERDICTS))
    return section("verdicts", "Verdicts", *shown)


def _inputs(found: Comparison, heads: Sequence[str]) -> Html:
    shown = [_grid(grid, heads) for grid in inputs(found)]
    return section("inputs", "What went in differently", *(shown or [element("p", SAME_INPUTS)]))


def _grid(grid: Grid, heads: Sequence[str]) -> Html:
    columns = [Column(words, numeric=False) for words in ("", *heads)]
    return table(columns, [Row(row) for row in grid.rows], caption=grid.title, class_="stack")


def _fans(heads: Sequence[str], runs: Sequence[FinishedRun]) -> Html:
    days = {head: run.daily() for head, run in zip(heads, runs, strict=True)}
    drawn, alike = [], []
    for name, several in _series(days):
        if _same(several, len(runs)):
            alike.append(name)
        else:
            drawn.append(_fan(name, several, heads))
    words = (
        "Median, and the band in which nine paths of ten lie (p05 to p95), day by day. A run that "
        "lacks a series is not in its chart."
    )
    same = (
        [element("p", f"The same in all runs: {', '.join(alike)}.", class_="note")] if alike else []
    )
    pair = element("div", *drawn, class_="pair")
    return section("fans", "Fans over each other", element("p", words), pair, *same)


def _series(days: Mapping[str, pd.DataFrame]) -> Iterator[tuple[str, dict[str, pd.DataFrame]]]:
    """Yield each series that is drawn with its rows by run."""
    groups = {head: dict(iter(rows.groupby("series", sort=False))) for head, rows in days.items()}
    names = dict.fromkeys(str(name) for own in groups.values() for name in own)
    for name in names:
        if name.startswith(_SHOWN):
            yield name, {head: own[name] for head, own in groups.items() if name in own}


def _same(several: Mapping[str, pd.DataFrame], count: int) -> bool:
    """Return whether all runs have the same rows."""
    first, *others = (rows.reset_index(drop=True) for rows in several.values())
    return len(several) == count and all(first.equals(rows) for rows in others)


def _fan(name: str, several: Mapping[str, pd.DataFrame], heads: Sequence[str]) -> Html:
    colours = dict(zip(heads, islice(cycle(SERIES_COLOURS), len(heads)), strict=True))
    unit = name.rpartition(".")[2] if name.startswith("exit.") else ""
    drawn = fans(several, [colours[head] for head in several], unit=unit)
    ends = "; ".join(
        f"{head} {figure(float(rows['p50'].iloc[-1]), 'level')}" for head, rows in several.items()
    )
    label = f"{name}; median at the end: {ends}."
    return embed(drawn, f"fan-{name.replace('.', '-')}", name, label, f"Median at the end: {ends}.")
