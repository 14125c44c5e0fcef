"""How likely a claim is over one or two changed values: a line, or a heat map."""

from __future__ import annotations

import math
from collections.abc import Sequence

import plotly.graph_objects as go

from simulator.report.charts.base import BAND_OUTER, LIMIT, SUBJECT, blank, words_at
from simulator.report.words import plain, share

_ROW_PIXELS = 44
_MOST_LABELLED = 15
"""Cells of wider maps are too narrow for their numbers."""


def line(
    values: Sequence[float | str],
    probabilities: Sequence[float],
    intervals: Sequence[tuple[float, float]],
    name: str,
) -> go.Figure:
    """Return the share of paths over one value, with its interval; half is marked."""
    percents = [_percent(p) for p in probabilities]
    lows = [_percent(low) for low, _ in intervals]
    highs = [_percent(high) for _, high in intervals]
    figure = blank(height=320)
    figure.add_scatter(
        x=list(values),
        y=percents,
        mode="lines+markers",
        line={"color": SUBJECT, "width": 2},
        error_y={
            "type": "data",
            "symmetric": False,
            "array": [high - p for high, p in zip(highs, percents, strict=True)],
            "arrayminus": [p - low for low, p in zip(lows, percents, strict=True)],
            "color": SUBJECT,
            "thickness": 1,
        },
        hovertemplate="%{y:.4g} %",
        name="",
    )
    figure.add_hline(y=50, line={"color": LIMIT, "width": 1.2, "dash": "dash"})
    words_at(figure, "as likely as not", x=1, xref="paper", xanchor="right", y=50, yanchor="bottom")
    figure.update_yaxes(title={"text": "% of the paths"}, range=[-3, 103])
    figure.update_xaxes(title={"text": name})
    if any(isinstance(value, str) for value in values):
        figure.update_xaxes(type="category")
    return figure


def heat_map(
    columns: Sequence[str],
    rows: Sequence[str],
    probabilities: Sequence[Sequence[float]],
    names: tuple[str, str],
) -> go.Figure:
    """Return the share of paths over two values.

    Parameters
    ----------
    columns, rows : of the first and the second value, as text
    probabilities : one sequence for each row; NaN where a claim is not testable
    names : of the first and the second value
    """
    figure = blank(height=_ROW_PIXELS * len(rows) + 110)
    labelled = len(columns) <= _MOST_LABELLED
    figure.add_heatmap(
        x=list(columns),
        y=list(rows),
        z=[[_percent(p) for p in row] for row in probabilities],
        zmin=0,
        zmax=100,
        colorscale=[[0, "#f6f7f8"], [0.5, BAND_OUTER], [0.5, "#a9c0d6"], [1, SUBJECT]],
        text=[["" if math.isnan(p) else plain(share(p)) for p in row] for row in probabilities],
        texttemplate="%{text}" if labelled else None,
        xgap=1,
        ygap=1,
        colorbar={"title": {"text": "% of the paths"}, "thickness": 12, "outlinewidth": 0},
        hovertemplate="%{x} · %{y}: %{text}<extra></extra>",
    )
    figure.update_layout(hovermode="closest")
    figure.update_xaxes(type="category", title={"text": names[0]}, showgrid=False)
    figure.update_yaxes(type="category", title={"text": names[1]}, showgrid=False)
    return figure


def _percent(probability: float) -> float:
    return round(100 * probability, 4)
