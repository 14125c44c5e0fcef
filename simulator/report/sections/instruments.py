"""Every instrument by itself: its return by kind, how deep it falls, and its sources."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulator.engine.attribution import KINDS, Contributions, contributions, grouped
from simulator.report import charts
from simulator.report.markup import Column, Html, Row, element, fold, join, table
from simulator.words import number, percent

if TYPE_CHECKING:
    from simulator.engine import Simulation
    from simulator.investors import InvestorMeasures


def instruments_section(simulation: Simulation) -> Html:
    """Return one row for each instrument, and a waterfall for each."""
    found = {name: contributions(m) for name, m in simulation.instruments.items()}
    days = simulation.scenario.horizon_days
    intro = element(
        "p",
        f"Who had held one unit of each over {days:,} days, in dollars: means over all paths in "
        "percent of what was put in, by kind of source. The worst are the mean of the one path in "
        "twenty that ended lowest; the fall is that of the exit value on the median path.",
    )
    rows = [
        Row((_name(name), *_by_kind(parts), *_depth(simulation.instruments[name])))
        for name, parts in found.items()
    ]
    columns = (
        Column("Instrument", numeric=False),
        *(Column(kind) for kind in KINDS),
        Column("net"),
        Column("worst 5 %"),
        Column("median fall"),
    )
    figures = join(_waterfall(name, parts) for name, parts in found.items())
    return fold(
        "instruments",
        "Every instrument by itself",
        intro,
        table(columns, rows, caption="Return by kind of source, %", class_="stack"),
        element("div", figures, class_="pair"),
    )


def _name(name: str) -> str:
    return name.replace("_", " ")


def _by_kind(found: Contributions) -> list[str]:
    means = {line.kind: line.means["usd"].value for line in found.kinds}
    cells = [number(100 * means[kind], 2, signed=True) if means.get(kind) else "" for kind in KINDS]
    return [*cells, number(100 * found.net.means["usd"].value, 2, signed=True)]


def _depth(measures: InvestorMeasures) -> list[str]:
    worst = measures.worst_return("usd")
    fall = float(np.median(measures.values["drawdown", "usd"]))
    return [percent(worst), percent(fall)]


def _waterfall(name: str, found: Contributions) -> Html:
    parts = ", ".join(
        f"{line.label} {percent(line.means['usd'].value, 2, signed=True)}"
        for line in charts.shown(found)
    )
    label = f"Waterfall of {_name(name)}: {parts}."
    title = f"{_name(name)}: from the sources to the net, in dollars"
    return charts.embed(charts.waterfall(grouped(found), "usd"), f"instrument-{name}", title, label)
