"""A waterfall: from nothing, source by source, to what the holder keeps."""

from __future__ import annotations

import textwrap

import plotly.graph_objects as go

from simulator.engine.attribution import Contributions, Line
from simulator.instruments.base import Unit
from simulator.report.charts.base import INK, KIND_COLOURS, MUTED, blank, rule
from simulator.words import number

_LABEL_CHARACTERS = 20
_ROW_PIXELS = 36
_LINE_PIXELS = 16
_SMALLEST = 0.5e-4


def waterfall(found: Contributions, unit: Unit) -> go.Figure:
    """Return a bar for each source that does not round to zero in both units, and the net.

    Bars run sideways and numbers stand in a column, so that both can be read on a phone.
    """
    lines = [*shown(found), found.net]
    starts, widths = _steps(lines, unit)
    labels = [_wrapped(line.label.split(":")[0]) for line in lines]
    tallest = max(label.count("<br>") + 1 for label in labels)
    row = max(_ROW_PIXELS, _LINE_PIXELS * tallest)  # three lines would touch their neighbours
    figure = blank(height=row * len(lines) + 58, margin={"t": 8, "r": 52})
    figure.add_bar(
        orientation="h",
        y=labels,
        base=starts,
        x=widths,
        width=0.62,
        marker={"color": [INK if line.kind is None else KIND_COLOURS[line.kind] for line in lines]},
        hoverinfo="skip",
    )
    numbers = [_number(*of) for of in zip(lines, widths, range(len(lines)), strict=True)]
    figure.update_layout(hovermode=False, annotations=numbers)
    figure.update_yaxes(autorange="reversed", showgrid=False, ticks="")
    ends = [start + width for start, width in zip(starts, widths, strict=True)]
    low, high = min(0.0, *starts, *ends), max(0.0, *starts, *ends)
    room = 0.04 * max(high - low, 1e-6)
    figure.update_xaxes(
        range=[low - room, high + room], title={"text": "% of the deposit"}, nticks=6
    )
    rule(figure, {"color": MUTED, "width": 1}, x=0)
    return figure


def shown(found: Contributions) -> list[Line]:
    """Return the sources that do not round to 0.00 % in both units."""
    return [
        line
        for line in found.sources
        if any(abs(mean.value) >= _SMALLEST for mean in line.means.values())
    ]


def _steps(lines: list[Line], unit: Unit) -> tuple[list[float], list[float]]:
    """Return where each bar starts and how far it goes, in percent; the net starts at 0."""
    starts, widths, reached = [], [], 0.0
    for line in lines:
        width = 100 * line.means[unit].value
        starts.append(0.0 if line.kind is None else round(reached, 6))
        widths.append(round(width, 6))
        reached += width
    return starts, widths


def _number(line: Line, width: float, place: int) -> dict[str, object]:
    """Return a bar's number, in the column to the right of the plot."""
    words = number(width, 2, signed=line.kind is not None) if width else "0"
    return {
        "x": 1,
        "xref": "paper",
        "xanchor": "right",
        "xshift": 48,
        "y": place,
        "text": f"<b>{words}</b>" if line.kind is None else words,
        "showarrow": False,
        "font": {"size": 12, "color": INK},
    }


def _wrapped(label: str) -> str:
    return "<br>".join(textwrap.wrap(label, _LABEL_CHARACTERS))
