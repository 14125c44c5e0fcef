"""What all charts share: colours, axes, and how a figure becomes part of the page."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from simulator.instruments.base import Kind
from simulator.report.markup import Html, element, join

INK = "#1d2329"
MUTED = "#55606a"
RULE = "#dfe3e6"
PAPER = "#ffffff"
SUBJECT = "#1f4e79"
BARS = "#86a8c9"
BAND_INNER = "#a9c0d6"
BAND_OUTER = "#dbe6f0"
LIMIT = "#a3282a"
OUTLINE = "#4b555e"
NEUTRAL = "#f6f7f8"

KIND_COLOURS: Mapping[Kind, str] = {
    "organic": "#009e73",
    "subsidised": "#e69f00",
    "return of capital": "#8f969c",
    "market": "#56b4e9",
    "loss": "#c0392b",
    "cost": "#7b4b94",
}
"""Told apart by the colour-blind too; a test holds them to it."""

SERIES_COLOURS = (
    "#0072b2",
    "#e69f00",
    "#009e73",
    "#c0392b",
    "#56b4e9",
    "#7b4b94",
    "#8f969c",
    "#5c4a1f",
)
"""For things that stand in one chart beside each other, in this order."""

DARK: Mapping[str, str] = {
    INK: "#e4e7ea",
    MUTED: "#a3adb6",
    RULE: "#343b42",
    PAPER: "#14181c",
    SUBJECT: "#8fbce6",
    BARS: "#4f7396",
    BAND_INNER: "#3f5f7d",
    BAND_OUTER: "#263a4d",
    LIMIT: "#f08a84",
    OUTLINE: "#b4bdc5",
    NEUTRAL: "#20262c",
}
"""What a colour of a chart becomes on a dark page; the others are seen on both."""

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
        "tickcolor": PAPER,
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
            "paper_bgcolor": PAPER,
            "plot_bgcolor": PAPER,
            "showlegend": False,
            "dragmode": False,
            "hovermode": "x unified",
            "hoverlabel": {"bgcolor": PAPER, "bordercolor": RULE, "font": {"size": 12}},
        }
    )


def embed(figure: go.Figure, div_id: str, title: str, label: str, note: str = "") -> Html:
    """Return the figure with its title above, its alternative text and a note below.

    It stands in the page as data and is drawn by `page.js` once it is seen; without a script its
    alternative text stands in its place.
    """
    drawn = json.loads(str(figure.to_json()))
    data = json.dumps(drawn | {"config": _CONFIG}, separators=(",", ":"), sort_keys=True)
    parts = [
        element("figcaption", title),
        element(
            "div",
            element("p", label, class_="note"),
            class_="chart",
            id=div_id,
            role="img",
            aria_label=label,
            style=f"min-height:{figure.layout.height}px",
        ),
        data_block("chart-data", data),
    ]
    if note:
        parts.append(element("p", note, class_="note"))
    return element("figure", *parts)


def data_block(class_: str, text: str) -> Html:
    """Return JSON for the page's script; no text of it can end the element."""
    safe = text.replace("<", "\\u003c")
    return Html(f'<script type="application/json" class="{class_}">{safe}</script>')


def library() -> Html:
    """Return the chart library and the dark colours, once for the page.

    The library is kept as text until the first chart is seen: to run it takes a second.
    """
    text = f'<script type="text/plain" id="chart-library">{get_plotlyjs()}</script>'
    return join((Html(text), data_block("dark-colours", json.dumps(dict(DARK)))))


def rule(
    figure: go.Figure,
    line: Mapping[str, object],
    *,
    x: float | str | None = None,
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
            "bgcolor": PAPER,
            "borderpad": 1,
            "font": {"size": 11, "color": INK},
        }
        for place, text in enumerate(texts)
    ]
