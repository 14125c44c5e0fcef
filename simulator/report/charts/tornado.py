"""A tornado: for each input a bar from what its low end does to what its high end does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from simulator.report.charts.base import BARS, INK, SUBJECT, blank, row_words, rule

_ROW_PIXELS = 40


@dataclass(frozen=True)
class Bar:
    """An input's name and the outcome at its low and at its high end."""

    name: str
    low: float
    high: float


def tornado(bars: Sequence[Bar], now: float, title: str) -> go.Figure:
    """Return the bars, the first on top, around the outcome as things stand.

    Parameters
    ----------
    now : float
        The outcome when nothing is moved.
    title : str
        Of the axis of outcomes.
    """
    figure = blank(height=_ROW_PIXELS * len(bars) + 90, margin={"t": 26})
    # The narrower bar lies in front: where both ends fall on one side, both can be seen.
    for name, colour, width, ends in (
        ("low end", BARS, 0.42, [bar.low for bar in bars]),
        ("high end", SUBJECT, 0.24, [bar.high for bar in bars]),
    ):
        figure.add_bar(
            orientation="h",
            y=[place + 0.2 for place in range(len(bars))],
            base=now,
            x=[round(end - now, 6) for end in ends],
            customdata=[[bar.name, round(end, 6)] for bar, end in zip(bars, ends, strict=True)],
            width=width,
            marker={"color": colour},
            name=name,
            hovertemplate="%{customdata[0]}: %{customdata[1]:.4g}",
        )
    rule(figure, {"color": INK, "width": 1.2}, x=now)
    figure.update_layout(
        barmode="overlay",
        hovermode="closest",
        annotations=row_words([bar.name for bar in bars]),
        showlegend=True,
        legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"},
    )
    figure.update_yaxes(range=[len(bars) - 0.4, -0.5], showgrid=False, showticklabels=False)
    figure.update_xaxes(title={"text": title}, nticks=8)
    return figure
