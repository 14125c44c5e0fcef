"""A fan: how a quantity spreads over the days of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go

from simulator.report.charts.base import BAND_INNER, BAND_OUTER, LIMIT, SUBJECT, blank
from simulator.units import DAYS_PER_YEAR

_MILLISECONDS_PER_DAY = 86_400_000
_DIGITS = 7
"""Significant digits of a plotted value; more would only make the file larger."""


@dataclass(frozen=True)
class Threshold:
    """An annual yield, or a return over the whole run, that a claim names."""

    rate: float
    words: str
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
    tick_format: str = "~s",
    hover_format: str = ",.1f",
    thresholds: Sequence[Threshold] = (),
    level: tuple[float, str] | None = None,
) -> go.Figure:
    """Return bands p05 to p95 and p25 to p75 with the median, from rows of `daily`.

    Parameters
    ----------
    quantiles : DataFrame
        Columns date, p05, p25, p50, p75, p95 of one series.
    scale : float
        Factor on all values.
    thresholds : sequence of Threshold
        Growth curves from the first value.
    level : tuple of float and str, optional
        A constant line and its words, in the chart's unit.
    """
    figure = blank(height=300, margin={"r": 16, "t": 16})
    figure.update_layout(yaxis={"title": {"text": unit}, "tickformat": tick_format, "nticks": 6})
    figure.update_xaxes(nticks=6, hoverformat="%-d %b %Y", showgrid=False)
    start = quantiles["date"].iloc[0].date().isoformat()
    steps = {"x0": start, "dx": _MILLISECONDS_PER_DAY}
    hidden = {"mode": "lines", "line": {"width": 0}}
    names = {"p05": "p05", "p95": "p95", "p25": "p25", "p75": "p75", "p50": "median"}
    fills = {"p95": BAND_OUTER, "p75": BAND_INNER}
    for column, name in names.items():
        style = {"line": {"color": SUBJECT, "width": 2}} if column == "p50" else hidden
        figure.add_scatter(
            **{**steps, "mode": "lines", **style},
            y=_rounded(quantiles[column], scale),
            name=name,
            fill="tonexty" if column in fills else None,
            fillcolor=fills.get(column),
            hovertemplate=f"%{{y:{hover_format}}}",
        )
    first = float(quantiles["p50"].iloc[0]) * scale
    for place, threshold in enumerate(sorted(thresholds, key=lambda t: t.rate)):
        _curve(figure, start, len(quantiles) - 1, first, threshold, above=place > 0)
    if level is not None:
        _level(figure, *level)
    return figure


def _rounded(values: pd.Series[float], scale: float) -> list[float]:
    return [float(f"{scale * value:.{_DIGITS}g}") for value in values]


def _curve(
    figure: go.Figure, start: str, days: int, first: float, threshold: Threshold, *, above: bool
) -> None:
    """Draw what the deposit must have grown to; the lowest has its words below, others above."""
    whole = threshold.factor(days)
    curve = [float(f"{first * whole ** (day / days):.{_DIGITS}g}") for day in range(days + 1)]
    figure.add_scatter(
        x0=start,
        dx=_MILLISECONDS_PER_DAY,
        y=curve,
        mode="lines",
        line={"color": LIMIT, "width": 1.2, "dash": "dash"},
        hoverinfo="skip",
    )
    end = pd.Timestamp(start) + pd.Timedelta(days=days)
    _words(figure, end.date().isoformat(), curve[-1], threshold.words, above=above)


def _words(figure: go.Figure, x: str | float, y: float, words: str, *, above: bool) -> None:
    figure.add_annotation(
        x=x,
        y=y,
        text=words,
        showarrow=False,
        xanchor="right",
        yanchor="bottom" if above else "top",
        font={"color": LIMIT, "size": 12},
        borderpad=3,
    )


def _level(figure: go.Figure, value: float, words: str) -> None:
    figure.add_hline(y=value, line={"color": LIMIT, "width": 1.2, "dash": "dash"})
    figure.add_annotation(
        x=1,
        xref="paper",
        y=value,
        text=words,
        showarrow=False,
        xanchor="right",
        yanchor="bottom",
        font={"color": LIMIT, "size": 12},
        borderpad=3,
    )
