"""Fans of several runs over each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from simulator.report.charts.base import blank
from simulator.report.charts.fan import ticks

_CLEAR = 0.16
"""How much of a band's colour is there: all of those below are seen through it."""


def fans(runs: Mapping[str, pd.DataFrame], colours: Sequence[str], *, unit: str) -> go.Figure:
    """Return the band p05 to p95 and the median of each run.

    Parameters
    ----------
    runs : dict of str to DataFrame
        By the run's name; columns date, p05, p50, p95 of one series.
    colours : sequence of str
        One a run, as `#rrggbb`.
    """
    figure = blank(height=300, margin={"t": 40})
    of_all = ticks(np.concatenate([rows[["p05", "p95"]].to_numpy() for rows in runs.values()]))
    figure.update_layout(
        yaxis={"title": {"text": unit}, "tickformat": of_all, "nticks": 6},
        showlegend=True,
        legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"},
    )
    figure.update_xaxes(hoverformat="%-d %b %Y", showgrid=False, nticks=5)
    for (name, rows), colour in zip(runs.items(), colours, strict=True):
        _band(figure, name, rows, colour)
    return figure


def _band(figure: go.Figure, name: str, rows: pd.DataFrame, colour: str) -> None:
    days = {"x0": f"{rows['date'].iloc[0]:%Y-%m-%d}", "dx": 86_400_000}
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    lines = {"p05": {"width": 0}, "p95": {"width": 0}, "p50": {"color": colour, "width": 2}}
    for column, line in lines.items():
        figure.add_scatter(
            **days,
            y=rows[column].to_numpy().astype(np.float32),
            mode="lines",
            line=line,
            name=name if column == "p50" else f"{name} {column}",
            legendgroup=name,
            showlegend=column == "p50",
            fill="tonexty" if column == "p95" else None,
            fillcolor=f"rgba({red},{green},{blue},{_CLEAR})" if column == "p95" else None,
            hovertemplate="%{y:.4s}",
        )
