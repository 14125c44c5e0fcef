"""The market's tables on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from simulator.report.console import number_table, put, within
from simulator.report.market import against as history
from simulator.report.market import tables
from simulator.report.market.drift import drift_lines
from simulator.report.market.tables import has_channels
from simulator.words import plain

if TYPE_CHECKING:
    from simulator.engine.against import Against
    from simulator.engine.market import MarketSummary
    from simulator.measures.extremes import Held
    from simulator.scenario.files import LoadedMarket


def print_market(
    console: Console,
    loaded: LoadedMarket,
    summary: MarketSummary,
    against: Against | None = None,
    held: Held | None = None,
) -> None:
    """Print the market's tables, within 100 columns; colours only on a terminal."""
    console = within(console)
    put(console, Text(f"The market of {loaded.scenario.title}", style="bold"))
    put(console, Text(plain(tables.facts(summary))))
    put(console, Text(tables.model(summary)))
    for note in summary.notes:
        put(console, Text(plain(note)))
    heads = tables.correlation_columns(summary, numbered=True)
    correlations = tables.correlation_rows(summary, numbered=True)
    _table(
        console,
        tables.price_title(summary),
        tables.price_columns(summary),
        tables.price_rows(summary),
    )
    if has_channels(summary):
        _drifts(console, summary)
    _table(
        console, tables.move_title(summary), tables.move_columns(summary), tables.move_rows(summary)
    )
    _table(console, tables.EXTREMES_TITLE, tables.EXTREMES, tables.extreme_rows(summary.extremes))
    for group, found in (held or {}).items():
        _table(console, tables.HELD_TITLES[group], tables.EXTREMES, tables.extreme_rows(found))
    _table(console, tables.correlation_title(summary), heads, correlations)
    if against is not None:
        _against(console, against)


def _table(
    console: Console,
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    words: int = 1,
) -> None:
    shown = number_table(title, columns, words)
    for row in rows:
        shown.add_row(*(Text(plain(cell)) for cell in row))
    put(console, shown)


def _drifts(console: Console, summary: MarketSummary) -> None:
    put(console, Text("Why it rises here: log growth a year, percent, mean over paths", "bold"))
    for line in drift_lines(summary):
        put(console, Text(f" {plain(line)}"))
    put(console, Text(""))


def _against(console: Console, found: Against) -> None:
    put(console, Text("Against history", style="bold"))
    put(console, Text(plain(history.method(found))))
    _table(console, "", history.COUNTS, history.count_rows(found))
    misses = list(history.miss_rows(found))
    if misses:
        _table(console, "", history.MISSES, misses, words=2)
