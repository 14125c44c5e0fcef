"""Where each yearly percent comes from: table and waterfalls of a measured investor."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from simulator.engine.attribution import Contributions, Line, beside, contributions, grouped
from simulator.instruments.base import Kind, Unit
from simulator.report import charts, rooms
from simulator.report.blocks import blocks_markup
from simulator.report.markup import Column, Html, Row, element, fold, join, table
from simulator.words import UNIT_WORDS, number, percent, scientific

if TYPE_CHECKING:
    from simulator.claims import Verdict
    from simulator.engine import Simulation


def origin_section(simulation: Simulation, verdicts: Sequence[Verdict]) -> Html:
    """Return table and charts for each investor that a claim is about."""
    days = simulation.scenario.horizon_days
    named = dict.fromkeys(verdict.subject for verdict in verdicts)
    subjects = [name for name in named if name in simulation.investors]
    found = {name: contributions(simulation.investors[name]) for name in simulation.investors}
    intro = element(
        "p",
        f"Means over all paths, in percent of the deposit over {days:,} days. In ounces "
        "the metal's price plays no part; in dollars it does. The ± is one standard error of "
        "the mean. Parts add up exactly before they are rounded.",
    )
    parts = [intro]
    for subject in subjects:
        compared = [found[name] for name in beside(simulation, subject, subjects)]
        parts.append(_investor(simulation, found[subject], compared))
        parts += blocks_markup(rooms.of_holder(simulation, subject))
    title = "Where each yearly percent comes from"
    if days not in (365, 366):
        title = f"Where each percent of {days:,} days comes from"
    return fold("origin", title, *parts)


def _investor(
    simulation: Simulation, found: Contributions, compared: Sequence[Contributions]
) -> Html:
    few = grouped(found)
    gap = simulation.investors[found.investor].attribution_gap
    waterfalls = join(
        charts.embed(
            charts.waterfall(few, unit),
            f"waterfall-{found.investor}-{unit}",
            f"{found.investor}: from the sources to the net, in "
            f"{'ounces' if unit == 'ounces' else 'dollars'}",
            _spoken_waterfall(found, unit),
        )
        for unit in found.units
    )
    return join(
        (
            contribution_table(few, compared),
            element(
                "p",
                f"Largest gap between the sum of the sources and the result, on any path: "
                f"{scientific(gap)} of the deposit.",
                class_="note",
            ),
            element("div", waterfalls, class_="pair"),
            *_all_sources(found, few),
        )
    )


def _all_sources(found: Contributions, few: Contributions) -> Iterator[Html]:
    """Yield the whole table, closed, where the first one puts small sources together."""
    if len(few.sources) < len(found.sources):
        words = f"All {len(found.sources)} sources of {found.investor}"
        yield element("details", element("summary", words), contribution_table(found, []))


def contribution_table(found: Contributions, compared: Sequence[Contributions]) -> Html:
    """Return sources under their kinds, gross and net, and others' nets for comparison."""
    lines: list[tuple[Line, str, str, Kind | None]] = []
    for kind in found.kinds:
        lines.append((kind, kind.label, "kind", kind.kind))
        lines += [(line, line.label, "source", None) for line in found.of_kind(kind.kind)]
    lines.append((found.gross, found.gross.label, "total", None))
    lines.append((found.net, found.net.label, "total net", None))
    for other in compared:
        words = f"For comparison, net of {other.investor} ({_name(other.holding)})"
        lines.append((other.net, words, "other", None))
    columns = [Column("Source", numeric=False)]
    for unit in found.units:
        columns += [Column(f"{UNIT_WORDS[unit]}, %"), Column("± error")]
    rows = [_row(*line, found.units) for line in lines]
    caption = f"{found.investor}, who holds {_name(found.holding)}"
    return table(columns, rows, caption=caption, class_="contributions")


def _name(holding: str) -> str:
    return f"the {holding.replace('_', ' ')}"


def _row(line: Line, label: str, class_: str, kind: Kind | None, units: Sequence[Unit]) -> Row:
    head: str = label
    if kind is not None:
        colour = charts.KIND_COLOURS[kind]
        head = join((element("span", class_="swatch", style=f"background:{colour}"), label))
    cells = [head]
    for unit in units:
        mean = line.means.get(unit)
        if mean is None:
            cells += ["", ""]
        elif mean.value == 0 and mean.error == 0:
            cells += ["0", ""]
        else:
            cells += [
                number(100 * mean.value, 2, signed=line.kind is not None),
                "" if math.isnan(mean.error) else number(100 * mean.error, 2),
            ]
    return Row(cells, class_)


def _spoken_waterfall(found: Contributions, unit: Unit) -> str:
    parts = [
        f"{line.label} {percent(line.means[unit].value, 2, signed=True)}"
        for line in charts.shown(found)
    ]
    net = percent(found.net.means[unit].value, 2)
    return f"Waterfall of {found.investor}: {', '.join(parts)}; net {net}."
