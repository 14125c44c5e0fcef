"""The page of a stress test: a heat map and a table for each thing, and where figures come from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.report.charts import embed
from simulator.report.charts.grid import LEVEL, POINTS, SHARE, Unit, heat_map
from simulator.report.markup import Column, Html, Row, contents, element, join, section, table
from simulator.report.page import document
from simulator.report.stress.rows import Matrix, Measured, facts, left_out, matrices, told, unmoved
from simulator.scenario.ladders import SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from simulator.engine.stress import Stress

_UNITS: Mapping[Measured, Unit] = {
    "points": POINTS,
    "share": SHARE,
    "dollars": Unit("dollars", LEVEL.scale, at_risk=True),
}
_GROUPS: tuple[tuple[Measured, str, str], ...] = (
    ("dollars", "lenders", "What lenders have at risk"),
    ("points", "investors", "What investors lose"),
    ("share", "claims", "What becomes of the claims"),
)
_INTRO: Mapping[Measured, str] = {
    "dollars": (
        "VaR is the 95th percentile over the paths of the debt that its collateral does not pay "
        "for at the end: written off, or still open. LaR is that of the debt that liquidators "
        "repaid within the run. Dollars as the contract counts them."
    ),
    "points": (
        "Mean total return in dollars less that of the same paths without the shock, in points."
    ),
    "share": (
        "Share of the paths on which a claim holds, for claims that are events. Effects and "
        "premises have none."
    ),
}


def render_stress(found: Stress) -> str:
    """Return the page as one self-contained document, the same bytes every time."""
    every = matrices(found)
    groups = [(anchor, title) for unit, anchor, title in _GROUPS if _of(every, unit)]
    header = element(
        "header",
        element("p", "Assay stress test", class_="eyebrow"),
        element("h1", found.scenario.title),
        element("p", f"{facts(found)} · scenario {found.scenario.name}", class_="facts"),
        element("p", "Hypothetical performance, simulated; not a forecast.", class_="facts"),
    )
    sections = (_group(every, *group) for group in _GROUPS if _of(every, group[0]))
    body = join(
        (
            header,
            contents((*groups, ("shocks", "The shocks"))),
            element("main", *sections, _shocks(found)),
        )
    )
    return document(f"stress test of {found.scenario.title}", body)


def _of(every: Sequence[Matrix], unit: Measured) -> list[Matrix]:
    return [one for one in every if one.unit == unit]


def _group(every: Sequence[Matrix], unit: Measured, anchor: str, title: str) -> Html:
    own = _of(every, unit)
    maps = [_map(f"{anchor}-{place}", one) for place, one in enumerate(own) if one.movers]
    tables = [_table(one) for one in own if one.movers]
    still = unmoved(own)
    return section(
        anchor,
        title,
        element("p", _INTRO[unit]),
        element("div", *maps, class_="pair"),
        *tables,
        *([element("p", f"{still[0].upper()}{still[1:]}.", class_="note")] if still else []),
    )


def _map(anchor: str, matrix: Matrix) -> Html:
    """Return a heat map, ladders down and severities across."""
    ladders = matrix.movers[::-1]
    figure = heat_map(
        list(SEVERITIES),
        list(ladders),
        [list(matrix.values[ladder]) for ladder in ladders],
        ("", ""),
        _UNITS[matrix.unit],
    )
    return embed(figure, anchor, matrix.name, matrix.title, matrix.title)


def _table(matrix: Matrix) -> Html:
    columns = [Column("shock"), *map(Column, SEVERITIES)]
    rows = [Row((ladder, *matrix.cells(ladder))) for ladder in matrix.movers]
    return table(columns, rows, caption=matrix.title)


def _shocks(found: Stress) -> Html:
    """Return what was done, and where each figure comes from."""
    columns = [Column(words, numeric=False) for words in ("shock", "severity", "what", "source")]
    rows = [Row(cells) for cells in told(found)]
    missing = left_out(found)
    note = [element("p", f"{missing[0].upper()}{missing[1:]}.", class_="note")] if missing else []
    shown = table(columns, rows, caption="What happens, and where it comes from", class_="stack")
    return section("shocks", "The shocks", shown, *note)
