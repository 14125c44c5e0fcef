"""What a portfolio is made of over time: bands that fill up to the whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from simulator.report.charts.base import SERIES_COLOURS, blank
from simulator.units import FloatArray

_MOST_POINTS = 100


def area(dates: Sequence[str], shares: Mapping[str, FloatArray]) -> go.Figure:
    """Return stacked bands in percent, one for each name, about a hundred dates of them.

    Parameters
    ----------
    shares : dict of str to ndarray of shape (n_steps + 1,)
        Fractions of the whole.
    """
    figure = blank(height=300, margin={"t": 54})
    every = max(1, (len(dates) - 1) // _MOST_POINTS)
    for place, (name, values) in enumerate(shares.items()):
        figure.add_scatter(
            x=list(dates[::every]),
            y=[round(100 * float(value), 4) + 0.0 for value in values[::every]],
            mode="lines",
            line={"width": 0.5, "color": SERIES_COLOURS[place % len(SERIES_COLOURS)]},
            stackgroup="all",
            name=name,
            hovertemplate="%{y:.1f} %",
        )
    figure.update_layout(
        showlegend=True, legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"}
    )
    figure.update_yaxes(range=[0, 100], title={"text": "of the value, %"}, nticks=6)
    return figure
