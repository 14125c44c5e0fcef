"""A fan: how a quantity spreads over the days of a run."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import plotly.graph_objects as go

from simulator.report.charts.base import (
    BAND_INNER,
    BAND_OUTER,
    LIMIT,
    MUTED,
    SERIES_COLOURS,
    SUBJECT,
    blank,
    rule,
    words_at,
)
from simulator.units import DAYS_PER_YEAR, FloatArray
from simulator.words import bound

Float32Array = npt.NDArray[np.float32]

_MILLISECONDS_PER_DAY = 86_400_000
_MOST_LETTERS = 34
"""So many stand along the height of a chart."""


@dataclass(frozen=True)
class Threshold:
    """An annual yield, or a return over the whole run, that a claim names."""

    rate: float
    annual: bool = True

    def factor(self, days: int) -> float:
        """Return what the deposit must have grown to after `days`.

        Below a year an annual yield is not annualised: it is then asked of the whole run.
        """
        years = max(days / DAYS_PER_YEAR, 1.0) if self.annual else 1.0
        return float((1.0 + self.rate) ** years)


def fan(
    quantiles: pd.DataFrame,
    *,
    unit: str,
    scale: float = 1.0,
    tick_format: str | None = None,
    hover_format: str = ",.1f",
    thresholds: Sequence[Threshold] = (),
    level: float | None = None,
    marks: Sequence[tuple[dt.date, str]] = (),
    path: FloatArray | None = None,
) -> go.Figure:
    """Return bands p05 to p95 and p25 to p75 with the median, from rows of `daily`.

    Parameters
    ----------
    quantiles : DataFrame
        Columns date, p05, p25, p50, p75, p95 of one series.
    scale : float
        Factor on all values.
    tick_format : str, optional
        Of d3; by default `ticks` of the largest value.
    thresholds : sequence of Threshold
        Growth curves from the first value.
    level : float, optional
        Where a dotted line stands, in the chart's unit.
    marks : sequence of (date, words)
        What happens on a date: a thin line across, its words beside it.
    path : ndarray of shape (n_steps + 1,), optional
        One path among them, in the series' own unit.
    """
    figure = blank(height=300, margin={"r": 40 if thresholds else 16, "t": 16})
    if tick_format is None:
        tick_format = ticks(scale * quantiles[["p05", "p95"]].to_numpy())
    figure.update_layout(yaxis={"title": {"text": unit}, "tickformat": tick_format, "nticks": 6})
    first_day = quantiles["date"].iloc[0]
    figure.update_xaxes(hoverformat="%-d %b %Y", showgrid=False, tickangle=0)
    figure.update_xaxes(**_date_ticks(first_day, len(quantiles) - 1))
    start = f"{first_day:%Y-%m-%d}"
    steps = {"x0": start, "dx": _MILLISECONDS_PER_DAY}
    hidden = {"mode": "lines", "line": {"width": 0}}
    names = {"p05": "p05", "p95": "p95", "p25": "p25", "p75": "p75", "p50": "median"}
    fills = {"p95": BAND_OUTER, "p75": BAND_INNER}
    for column, name in names.items():
        style = {"line": {"color": SUBJECT, "width": 2}} if column == "p50" else hidden
        figure.add_scatter(
            **{**steps, "mode": "lines", **style},
            y=_plain(scale * quantiles[column].to_numpy()),
            name=name,
            fill="tonexty" if column in fills else None,
            fillcolor=fills.get(column),
            hovertemplate=f"%{{y:{hover_format}}}",
        )
    if path is not None:
        figure.add_scatter(
            **{**steps, "mode": "lines", "line": {"color": SERIES_COLOURS[1], "width": 1.8}},
            y=_plain(scale * path),
            name="this path",
            hovertemplate=f"%{{y:{hover_format}}}",
        )
    first, days = float(quantiles["p50"].iloc[0]) * scale, len(quantiles) - 1
    for place, threshold in enumerate(sorted(thresholds, key=lambda t: t.rate)):
        # Words of two limits that nearly meet keep apart: the lower hangs, others stand.
        anchor = "middle" if len(thresholds) == 1 else "bottom" if place else "top"
        curve = _growth(first, threshold.factor(days), days)
        _curve(figure, start, curve, bound(threshold.rate), anchor)
    if level is not None:
        rule(figure, {"color": MUTED, "width": 1.5, "dash": "dot"}, y=level)
    for date, words in _by_date(marks).items():
        _mark(figure, date, words)
    return figure


def ticks(values: FloatArray) -> str:
    """Return how an axis writes figures of any shape: in millions, but never in thousandths."""
    return ",.3~s" if np.nanmax(np.abs(values), initial=0.0) >= 1_000.0 else ",.4~r"


def _by_date(marks: Sequence[tuple[dt.date, str]]) -> dict[str, str]:
    """Return the words of each date: of many things on one the first, and how many more."""
    found: dict[str, list[str]] = {}
    for date, words in marks:
        found.setdefault(f"{date:%Y-%m-%d}", []).append(words)
    return {date: _together(words) for date, words in found.items()}


def _together(words: list[str]) -> str:
    whole = ", ".join(words)
    return whole if len(whole) <= _MOST_LETTERS else f"{words[0]}, and {len(words) - 1} more"


def _mark(figure: go.Figure, date: str, words: str) -> None:
    """Draw a line on a date; its words run along it, so that near ones do not meet."""
    rule(figure, {"color": MUTED, "width": 1, "dash": "dot"}, x=date)
    figure.add_annotation(
        x=date,
        y=0,
        yref="paper",
        xanchor="right",
        yanchor="bottom",
        text=words.replace("_", " "),
        textangle=-90,
        showarrow=False,
        font={"size": 10, "color": MUTED},
        borderpad=1,
    )


def _plain(values: FloatArray) -> Float32Array:
    """Return the values with seven digits; more would only make the file larger."""
    return values.astype(np.float32)


def _curve(figure: go.Figure, start: str, values: Float32Array, words: str, anchor: str) -> None:
    """Draw what the deposit must have grown to; its words stand to the right of its end."""
    figure.add_scatter(
        x0=start,
        dx=_MILLISECONDS_PER_DAY,
        y=values,
        mode="lines",
        line={"color": LIMIT, "width": 1.2, "dash": "dash"},
        hoverinfo="skip",
    )
    place = {"x": 1, "xref": "paper", "xanchor": "left", "y": float(values[-1]), "yanchor": anchor}
    words_at(figure, words, **place)


def _growth(first: float, whole: float, days: int) -> Float32Array:
    return _plain(first * whole ** (np.arange(days + 1) / days))


def _date_ticks(start: pd.Timestamp, days: int) -> dict[str, object]:
    """Return about four ticks: first days of months, or days in a short run."""
    end = start + pd.Timedelta(days=days)
    months = pd.date_range(start, end, freq="MS")
    if len(months) >= 3:
        kept = months[(len(months) - 1) % -(-len(months) // 4) :: -(-len(months) // 4)]
        return {"tickvals": [f"{date:%Y-%m-%d}" for date in kept], "tickformat": "%b %Y"}
    kept = pd.date_range(start, end, periods=4).normalize()
    return {"tickvals": [f"{date:%Y-%m-%d}" for date in kept], "tickformat": "%-d %b"}
