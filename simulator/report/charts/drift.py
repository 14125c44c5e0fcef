"""A waterfall of an asset's drift: the base, channel by channel, to the whole."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from simulator.report.charts.base import INK, MUTED, blank, rule
from simulator.words import number

DRIFT_COLOURS: Mapping[str, str] = {
    "base": "#6d8598",
    "channel": "#1f4e79",
    "view": "#d39b2c",
    "convexity": "#b5bcc2",
}
_LABEL_CHARACTERS = 20
_ROW_PIXELS = 36


@dataclass(frozen=True)
class DriftStep:
    """One part of a drift, in percent a year; `low` and `high` are its range over paths."""

    label: str
    kind: str
    mean: float
    low: float
    high: float


def drift(steps: Sequence[DriftStep], total: float) -> go.Figure:
    """Return a bar for each part, whiskers for its range over paths, and the whole.

    Bars run sideways and numbers stand in a column, so that both can be read on a phone.
    """
    figure = blank(height=_ROW_PIXELS * (len(steps) + 1) + 58, margin={"t": 8, "r": 52})
    starts, reached = [], 0.0
    for step in steps:
        starts.append(round(reached, 6))
        reached += step.mean
    labels = [_wrapped(step.label) for step in steps]
    figure.add_bar(
        orientation="h",
        y=[*labels, "together"],
        base=[*starts, 0.0],
        x=[round(value, 6) for value in (*(step.mean for step in steps), total)],
        width=0.62,
        marker={"color": [*(DRIFT_COLOURS[step.kind] for step in steps), INK]},
        hoverinfo="skip",
    )
    ends = [0.0, total]
    for place, (step, start) in enumerate(zip(steps, starts, strict=True)):
        reach = (start + step.low, start + step.high)
        ends += [start, start + step.mean, *reach]
        if step.high > step.low:
            figure.add_scatter(
                x=[round(end, 6) for end in reach],
                y=[labels[place]] * 2,
                mode="lines",
                line={"color": MUTED, "width": 1.4},
                hoverinfo="skip",
            )
        _number(figure, number(step.mean, 2, signed=True), place)
    _number(figure, f"<b>{number(total, 2, signed=True)}</b>", len(steps))
    figure.update_layout(hovermode=False)
    figure.update_yaxes(autorange="reversed", showgrid=False, ticks="", type="category")
    room = 0.04 * max(max(ends) - min(ends), 1e-6)
    figure.update_xaxes(
        range=[min(ends) - room, max(ends) + room], title={"text": "% a year"}, nticks=6
    )
    rule(figure, {"color": MUTED, "width": 1}, x=0)
    return figure


def _number(figure: go.Figure, words: str, place: int) -> None:
    """Write a bar's number in the column to the right of the plot."""
    figure.add_annotation(
        x=1,
        xref="paper",
        xanchor="right",
        xshift=48,
        y=place,
        text=words,
        showarrow=False,
        font={"size": 12, "color": INK},
    )


def _wrapped(label: str) -> str:
    return "<br>".join(textwrap.wrap(label, _LABEL_CHARACTERS))
