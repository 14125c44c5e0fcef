"""What all charts share: colours, axes, and how a figure becomes part of the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go
import plotly.io
from plotly.offline import get_plotlyjs

from simulator.instruments.base import Kind
from simulator.report.markup import Html, element

INK = "#1d2329"
MUTED = "#55606a"
RULE = "#dfe3e6"
SUBJECT = "#1f4e79"
BARS = "#86a8c9"
OUTLINE = "#4b555e"
BAND_INNER = "#a9c0d6"
BAND_OUTER = "#dbe6f0"
LIMIT = "#a3282a"

KIND_COLOURS: Mapping[Kind, str] = {
    "organic": "#3f7d54",
    "subsidised": "#d39b2c",
    "return of capital": "#8a8f94",
    "market": "#6d8598",
    "loss": "#b23b3b",
    "cost": "#8a6642",
}

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', sans-serif"

# The library's own dates and toolbars would ask for clicks and the network; charts are read.
_CONFIG = {"responsive": True, "displayModeBar": False, "displaylogo": False, "scrollZoom": False}


def blank(*, height: int, margin: Mapping[str, int] | None = None) -> go.Figure:
    """Return an empty figure with the report's axes; dragging scrolls the page."""
    axis = {
        "fixedrange": True,
        "gridcolor": RULE,
        "linecolor": MUTED,
        "ticks": "outside",
        "ticklen": 5,
        "tickcolor": "#ffffff",
        "zeroline": False,
        "automargin": True,
        "title": {"font": {"size": 12, "color": MUTED}, "standoff": 8},
    }
    template = {"layout": {"xaxis": axis, "yaxis": axis}}
    return go.Figure(
        layout={
            "template": template,
            "height": height,
            "margin": {"l": 8, "r": 12, "t": 12, "b": 8, **(margin or {})},
            "font": {"family": FONT, "size": 12, "color": INK},
            "paper_bgcolor": "#ffffff",
            "plot_bgcolor": "#ffffff",
            "showlegend": False,
            "dragmode": False,
            "hovermode": "x unified",
            "hoverlabel": {"bgcolor": "#ffffff", "bordercolor": RULE, "font": {"size": 12}},
        }
    )


def embed(figure: go.Figure, div_id: str, title: str, label: str, note: str = "") -> Html:
    """Return the figure with its title above, its alternative text and a note below."""
    chart = plotly.io.to_html(
        figure,
        full_html=False,
        include_plotlyjs=False,
        div_id=div_id,
        config=_CONFIG,
        default_width="100%",
        default_height=f"{figure.layout.height}px",
    )
    parts = [
        element("figcaption", title),
        element("div", Html(chart), class_="chart", role="img", aria_label=label),
    ]
    if note:
        parts.append(element("p", note, class_="note"))
    return element("figure", *parts)


def library() -> Html:
    """Return the chart library as a script, once for the page."""
    return Html(f"<script>{get_plotlyjs()}</script>")


def rule(
    figure: go.Figure,
    line: Mapping[str, object],
    *,
    x: float | None = None,
    y: float | None = None,
) -> None:
    """Draw a line across the whole plot, at `x` or at `y`.

    As the library's own does, without its search for all subplots.
    """
    if y is None:
        place = {"x0": x, "x1": x, "y0": 0, "y1": 1, "yref": "y domain"}
    else:
        place = {"x0": 0, "x1": 1, "xref": "x domain", "y0": y, "y1": y}
    figure.add_shape(type="line", line=line, **place)


def words_at(figure: go.Figure, words: str, **place: object) -> None:
    """Write a limit's words beside its line."""
    font = {"color": LIMIT, "size": 12}
    figure.add_annotation(text=words, showarrow=False, font=font, borderpad=2, **place)


def row_words(texts: Sequence[str]) -> list[dict[str, object]]:
    """Return annotations that stand above the bars 0, 1, 2, ... at the left, not beside them.

    Names as long as those of claims and inputs would leave no room for the bars on a phone.
    """
    return [
        {
            "text": text,
            "x": 0,
            "xref": "paper",
            "xanchor": "left",
            "y": place - 0.2,
            "showarrow": False,
            "bgcolor": "#ffffff",
            "borderpad": 1,
            "font": {"size": 11, "color": INK},
        }
        for place, text in enumerate(texts)
    ]
