"""What moved each claim most over the parameter sets: a bar for each, its words above it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from simulator.report.charts.base import BARS, LIMIT, SUBJECT, blank, row_words

_ROW_PIXELS = 40
_FRAME_PIXELS = 70


@dataclass(frozen=True)
class Moved:
    """A claim, what moved it most, and the rank correlation of the two."""

    claim: str
    figure: str
    correlation: float


def movers(rows: Sequence[Moved], by_chance: float) -> go.Figure:
    """Return a bar for each claim, the first on top; paler within what chance alone reaches.

    Parameters
    ----------
    by_chance : float
        Size of a correlation that one claim in twenty reaches where nothing moves it.
    """
    figure = blank(height=_ROW_PIXELS * len(rows) + _FRAME_PIXELS)
    figure.add_bar(
        orientation="h",
        x=[round(row.correlation, 4) for row in rows],
        y=[place + 0.18 for place in range(len(rows))],
        width=0.32,
        marker={"color": [SUBJECT if abs(r.correlation) > by_chance else BARS for r in rows]},
        customdata=[f"{row.claim}: {row.figure}" for row in rows],
        hovertemplate="%{customdata} %{x:.2f}<extra></extra>",
    )
    words = row_words([f"{row.claim}: {row.figure}" for row in rows])
    limits = [
        {
            "type": "line",
            "x0": x,
            "x1": x,
            "y0": 0,
            "y1": 1,
            "yref": "paper",
            "layer": "below",
            "line": {"color": LIMIT, "width": 1, "dash": "dot"},
        }
        for x in (-by_chance, by_chance)
    ]
    figure.update_layout(annotations=words, shapes=limits, hovermode="closest")
    figure.update_xaxes(range=[-1, 1], nticks=9, title={"text": "rank correlation over the sets"})
    figure.update_yaxes(range=[len(rows) - 0.4, -0.5], showgrid=False, showticklabels=False)
    return figure
