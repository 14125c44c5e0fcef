"""A distribution over paths: bins of a round width; what lies outside is told, not drawn."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from simulator.report.charts.base import BARS, INK, LIMIT, OUTLINE, blank, rule, words_at
from simulator.units import FloatArray
from simulator.words import bound, percent, share

_MOST_BINS = 60
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True)
class Histogram:
    """Bins in percent, and the shares of paths in, below and above them."""

    edges: FloatArray
    shares: FloatArray
    below: float
    above: float
    lowest: float
    highest: float

    @property
    def outside(self) -> str:
        """Return what is not drawn, in words; empty where all is drawn."""
        parts = []
        if self.below > 0:
            parts.append(
                f"{share(self.below)} of the paths lie below {bound(self.edges[0] / 100)}, "
                f"down to {_whole(self.lowest)}"
            )
        if self.above > 0:
            parts.append(
                f"{share(self.above)} of the paths lie above {bound(self.edges[-1] / 100)}, "
                f"up to {_whole(self.highest)}"
            )
        return "; ".join(parts)


def _whole(value: float) -> str:
    """Return an extreme of the paths; one path's decimals say nothing."""
    return percent(value, 0 if abs(value) >= 0.1 else 1)


def lay_out(values: FloatArray, marks: Sequence[float]) -> Histogram:
    """Return the bins for a measure's values, shape (n_paths,), as fractions.

    `marks` are thresholds that must be in view. The bins cover the middle four fifths of the
    paths and one and a half times their width on either side, as far as there are paths: a rare
    total loss would flatten the rest.
    """
    low, high = (float(q) for q in np.quantile(values, (0.1, 0.9)))
    lowest, highest = float(values.min()), float(values.max())
    reach = 1.5 * max(high - low, 1e-3)
    left = min(max(low - reach, lowest), *marks, high)
    right = max(min(high + reach, highest), *(mark + 0.1 * abs(mark) for mark in marks), low)
    width = _round_width(100 * max(right - left, 1e-3) / _wanted_bins(values.size))
    first = math.floor(100 * left / width + 1e-9)
    last = max(math.ceil(100 * right / width - 1e-9), first + 1)
    edges = width * np.arange(first, last + 1)
    inside = np.clip(100 * values, edges[0], edges[-1])
    outer_below, outer_above = 100 * values < edges[0], 100 * values > edges[-1]
    counts, _ = np.histogram(inside[~(outer_below | outer_above)], bins=edges)
    return Histogram(
        edges=edges,
        shares=counts / values.size,
        below=float(np.mean(outer_below)),
        above=float(np.mean(outer_above)),
        lowest=lowest,
        highest=highest,
    )


def _wanted_bins(n_paths: int) -> int:
    """Return how many bins n paths can fill: 54 for 10,000, and 17 for 300."""
    return min(_MOST_BINS, max(10, round(2.5 * math.cbrt(n_paths))))


def _round_width(rough: float) -> float:
    power = 10.0 ** math.floor(math.log10(rough))
    return next(step * power for step in _STEPS if step * power >= rough * (1 - 1e-9))


def histogram(
    bins: Histogram,
    *,
    thresholds: Mapping[float, str],
    beside: tuple[str, FloatArray] | None = None,
) -> go.Figure:
    """Return bars of shares of paths; another investor's as an outline over the same bins.

    `beside` is that investor's name and values, shape (n_paths,), as fractions.
    """
    figure = blank(height=280, margin={"t": 26})
    figure.update_layout(bargap=0.06, hovermode="closest")
    figure.update_xaxes(title={"text": "percent"}, showgrid=False, nticks=8)
    figure.update_yaxes(title={"text": "share of paths, %"}, rangemode="tozero", nticks=5)
    centres = (bins.edges[1:] + bins.edges[:-1]) / 2
    figure.add_bar(
        x=_plain(centres),
        y=_plain(100 * bins.shares),
        width=float(bins.edges[1] - bins.edges[0]) * 0.94,
        marker={"color": BARS},
        customdata=[list(pair) for pair in itertools.pairwise(_plain(bins.edges))],
        hovertemplate="%{customdata[0]} to %{customdata[1]} %: %{y:.2f} % of paths<extra></extra>",
    )
    if beside is not None:
        _outline(figure, bins, beside[1])
    for value, words in thresholds.items():
        rule(figure, {"color": LIMIT, "width": 1.2, "dash": "dash"}, x=100 * value)
        words_at(figure, words, x=100 * value, y=1, yref="paper", yanchor="bottom")
    if bins.edges[0] < 0 < bins.edges[-1]:
        rule(figure, {"color": INK, "width": 0.8}, x=0)
    figure.update_xaxes(range=[float(bins.edges[0]), float(bins.edges[-1])])
    return figure


def _outline(figure: go.Figure, bins: Histogram, values: FloatArray) -> None:
    counts, _ = np.histogram(100 * values, bins=bins.edges)
    figure.add_scatter(
        x=_plain(bins.edges),
        y=_plain([*(100 * counts / values.size), 100 * counts[-1] / values.size]),
        mode="lines",
        line={"color": OUTLINE, "width": 1.2, "shape": "hv"},
        hoverinfo="skip",
    )


def _plain(values: Sequence[float] | FloatArray) -> list[float]:
    return [float(f"{value:.6g}") for value in values]
