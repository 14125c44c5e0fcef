"""A claim over parameter sets: one point a set, its drift against the share of paths."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from simulator.report.charts.base import INK, LIMIT, SUBJECT, blank, rule


def scatter(
    across: Sequence[float],
    up: Sequence[float],
    now: tuple[float, float],
    titles: tuple[str, str],
    levels: Sequence[float] = (),
) -> go.Figure:
    """Return the points, the run itself as a cross, and dotted lines at `levels`.

    Parameters
    ----------
    across, up : sequence of float
        In percent, or in a level's own unit.
    now : (float, float)
        The run without a parameter set.
    titles : (str, str)
        Of the two axes.
    """
    figure = blank(height=260, margin={"t": 16})
    figure.add_scatter(
        x=[round(value, 6) for value in across],
        y=[round(value, 6) for value in up],
        mode="markers",
        marker={"color": SUBJECT, "size": 7, "opacity": 0.65},
        name="parameter set",
        hovertemplate="%{x:.3g}: %{y:.4g}",
    )
    figure.add_scatter(
        x=[round(now[0], 6)],
        y=[round(now[1], 6)],
        mode="markers",
        marker={"color": INK, "size": 13, "symbol": "x-thin", "line": {"width": 2.5}},
        name="this run",
        hovertemplate="%{x:.3g}: %{y:.4g}",
    )
    for level in levels:
        rule(figure, {"color": LIMIT, "width": 1, "dash": "dot"}, y=level)
    figure.update_layout(hovermode="closest")
    figure.update_xaxes(title={"text": titles[0]}, nticks=8)
    figure.update_yaxes(title={"text": titles[1]}, nticks=6)
    return figure
