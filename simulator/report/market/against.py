"""The market against a user's history: counts, misses and the map of figures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from simulator.report.markup import Column, Html, Row, element, section, table
from simulator.report.validation.pictures import cell_map, correlations
from simulator.report.validation.tables import band, figure_words, of_all, title_of, value

if TYPE_CHECKING:
    from simulator.engine.against import Against

COUNTS = ("figures of the history", "inside", "of")
MISSES = ("outside", "figure", "history", "simulated, median", "5 to 95 %")


def count_rows(found: Against) -> Iterator[tuple[str, str, str]]:
    """Yield the counts of each asset and of the pairs."""
    groups = dict.fromkeys(_group(row.cell.subject) for row in found.rows)
    for group in groups:
        own = [row for row in found.rows if _group(row.cell.subject) == group]
        yield title_of(group), str(sum(row.inside for row in own)), str(len(own))
    yield "all", str(found.inside), str(len(found.rows))


def _group(subject: str) -> str:
    return "correlations" if "-" in subject else subject


def miss_rows(found: Against) -> Iterator[tuple[str, ...]]:
    """Yield each figure of the history outside the simulated ones."""
    for row in found.rows:
        if not row.inside:
            yield (
                title_of(row.cell.subject),
                figure_words(row.cell).replace("\\", ""),
                value(row.cell, row.historical),
                value(row.cell, row.median),
                band(row),
            )


def method(found: Against) -> str:
    """Return how the comparison was made."""
    return (
        f"{found.histories} histories simulated over the days of the tables, with their mean "
        "growth as drift and the variance at its long-run level at the start; a figure of the "
        "history is inside where it lies between the 5 % and the 95 % quantile of the simulated "
        "ones. Of a true model nine in ten are. Tables: " + "; ".join(found.frequencies) + "."
    )


def against_section(found: Against) -> Html:
    """Return the section of the page."""
    counts = [Row(row) for row in count_rows(found)]
    misses = [Row(row) for row in miss_rows(found)]
    heads = [Column(COUNTS[0], numeric=False), *(Column(name) for name in COUNTS[1:])]
    parts = [
        element("p", method(found)),
        table(heads, counts, caption=f"Inside: {of_all(found.inside, len(found.rows))}"),
        element("div", Html(cell_map(found.rows)), class_="scroll"),
    ]
    if any("-" in row.cell.subject for row in found.rows):
        parts.append(element("div", Html(correlations(found.rows)), class_="scroll"))
    if misses:
        words = [Column(name, numeric=place > 1) for place, name in enumerate(MISSES)]
        parts.append(table(words, misses, caption="Figures outside"))
    return section("against", "Against history", *parts)
