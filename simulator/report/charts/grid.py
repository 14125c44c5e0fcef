"""How likely a claim is (or how large a difference) over one or two changed values.

A line, or a heat map; shares of paths in percent, differences in their own scale.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from simulator.report.charts.base import (
    BAND_INNER,
    BAND_OUTER,
    LIMIT,
    NEUTRAL,
    SUBJECT,
    blank,
    rule,
    words_at,
)
from simulator.words import figure as figure_words
from simulator.words import plain, share

_ROW_PIXELS = 44
_MOST_LABELLED = 15
"""Cells of wider maps are too narrow for their numbers."""


@dataclass(frozen=True)
class Unit:
    """What stands on the axis of what a claim does, and whether the numbers are shares.

    Amounts `at_risk` are never below zero: their colours begin there.
    """

    words: str
    scale: str = "share"
    at_risk: bool = False

    def of(self, value: float) -> float:
        """Return a number as it is drawn."""
        return round((100.0 if self.scale == "share" else 1.0) * value, 4)


SHARE = Unit("% of the paths")
POINTS = Unit("difference, points")
LEVEL = Unit("difference", "level")

_HALVES: list[list[float | str]] = [
    [0, NEUTRAL],
    [0.5, BAND_OUTER],
    [0.5, BAND_INNER],
    [1, SUBJECT],
]
_FROM_ZERO: list[list[float | str]] = [[0, NEUTRAL], [1, LIMIT]]
_AROUND_ZERO: list[list[float | str]] = [[0, LIMIT], [0.5, NEUTRAL], [1, SUBJECT]]


def line(
    values: Sequence[float | str],
    told: Sequence[float],
    intervals: Sequence[tuple[float, float]],
    name: str,
    unit: Unit = SHARE,
) -> go.Figure:
    """Return what a claim does over one value, with its interval; where it turns is marked."""
    percents = [unit.of(p) for p in told]
    lows = [unit.of(low) for low, _ in intervals]
    highs = [unit.of(high) for _, high in intervals]
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
        hovertemplate="%{y:.4g}",
        name="",
    )
    turns = 50 if unit is SHARE else 0
    words = "as likely as not" if unit is SHARE else "no difference"
    rule(figure, {"color": LIMIT, "width": 1.2, "dash": "dash"}, y=turns)
    words_at(figure, words, x=1, xref="paper", xanchor="right", y=turns, yanchor="bottom")
    figure.update_yaxes(title={"text": unit.words}, range=[-3, 103] if unit is SHARE else None)
    figure.update_xaxes(title={"text": name})
    if any(isinstance(value, str) for value in values):
        figure.update_xaxes(type="category")
    return figure


def heat_map(
    columns: Sequence[str],
    rows: Sequence[str],
    told: Sequence[Sequence[float]],
    names: tuple[str, str],
    unit: Unit = SHARE,
) -> go.Figure:
    """Return what a claim does over two values.

    Parameters
    ----------
    columns, rows : of the first and the second value, as text
    told : one sequence for each row; NaN where a claim is not testable
    names : of the first and the second value
    """
    figure = blank(height=_ROW_PIXELS * len(rows) + 110)
    labelled = len(columns) <= _MOST_LABELLED
    figure.add_heatmap(
        x=list(columns),
        y=list(rows),
        z=[[unit.of(p) for p in row] for row in told],
        zmin=0 if unit is SHARE or unit.at_risk else None,
        zmax=100 if unit is SHARE else None,
        zmid=None if unit is SHARE or unit.at_risk else 0,
        colorscale=_colours(unit),
        text=[["" if math.isnan(p) else _words(p, unit) for p in row] for row in told],
        texttemplate="%{text}" if labelled else None,
        xgap=1,
        ygap=1,
        colorbar={"title": {"text": unit.words}, "thickness": 12, "outlinewidth": 0},
        hovertemplate="%{x} · %{y}: %{text}<extra></extra>",
    )
    figure.update_layout(hovermode="closest")
    figure.update_xaxes(type="category", title={"text": names[0]}, showgrid=False)
    figure.update_yaxes(type="category", title={"text": names[1]}, showgrid=False)
    return figure


def _colours(unit: Unit) -> list[list[float | str]]:
    if unit is SHARE:
        return _HALVES
    return _FROM_ZERO if unit.at_risk else _AROUND_ZERO


def _words(value: float, unit: Unit) -> str:
    return plain(share(value) if unit is SHARE else figure_words(value, unit.scale))
