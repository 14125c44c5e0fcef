"""Model against contract on each step: error as a share of what rounding can explain."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from simulator.report.charts.base import LIMIT, blank

OBSERVABLE_COLOURS = (
    "#1f4e79",
    "#d39b2c",
    "#3f7d54",
    "#8c4a86",
    "#5aa0c8",
    "#b8603a",
    "#7c7c2c",
    "#4a4f9c",
    "#8a8f94",
    "#2a8f8f",
)
FLOOR = 1e-6
"""Errors below this share of the tolerance stand on the axis."""


def agreement(series: pd.DataFrame) -> go.Figure:
    """Return error over tolerance on a log scale, one line for each observable.

    Parameters
    ----------
    series : DataFrame
        Columns step, observable, model, chain, tolerance; steps without a model's number
        are left out.
    """
    figure = blank(height=280, margin={"t": 22})
    known = series[series["model"].notna()]
    ratios = (known["chain"] - known["model"]).abs() / known["tolerance"]
    ratios = ratios.where(np.isfinite(ratios), 1 / FLOOR).clip(lower=FLOOR)
    for place, name in enumerate(series["observable"].unique()):
        own = known["observable"] == name
        figure.add_scatter(
            x=known.loc[own, "step"].tolist(),
            y=[float(f"{ratio:.3g}") for ratio in ratios[own]],
            mode="lines",
            line={"color": OBSERVABLE_COLOURS[place % len(OBSERVABLE_COLOURS)], "width": 1.3},
            name=str(name).replace("_", " "),
            hovertemplate="%{y:.1e}",
        )
    highest = max(1.0, float(ratios.max()) if len(ratios) else 1.0)
    figure.update_yaxes(
        type="log",
        range=[np.log10(FLOOR) - 0.1, np.log10(highest) + 0.35],
        dtick=1,
        tickformat=".0e",
        exponentformat="power",
        title={"text": "error / tolerance"},
    )
    figure.update_xaxes(title={"text": "day"}, showgrid=False, nticks=8)
    figure.add_hline(y=1.0, line={"color": LIMIT, "width": 1.2, "dash": "dash"})
    figure.add_annotation(
        x=1,
        xref="paper",
        y=0.0,
        text="tolerance",
        showarrow=False,
        xanchor="right",
        yanchor="bottom",
        font={"color": LIMIT, "size": 12},
        borderpad=2,
    )
    return figure
