"""Model against contract on each step: error as a share of what rounding can explain."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from simulator.report.charts.base import LIMIT, SERIES_COLOURS, blank, rule, words_at

LOWEST_DECADE = -6
"""The axis begins here; days without any error are not drawn."""
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def agreement(series: pd.DataFrame) -> go.Figure:
    """Return error over tolerance on a log scale, dots of one colour for each observable.

    Parameters
    ----------
    series : DataFrame
        Columns step, instrument, observable, model, chain, tolerance; steps without a number of
        the model are left out.
    """
    figure = blank(height=280, margin={"t": 22})
    known = series[series["model"].notna()]
    ratios = (known["chain"] - known["model"]).abs() / known["tolerance"]
    ratios = ratios.where(np.isfinite(ratios), 10.0**-LOWEST_DECADE).clip(lower=0)
    pairs = series[["instrument", "observable"]].drop_duplicates()
    for place, (label, name) in enumerate(pairs.itertuples(index=False, name=None)):
        of_it = (known["instrument"] == label) & (known["observable"] == name)
        own = of_it & (ratios > 0)
        figure.add_scatter(
            x=known.loc[own, "step"].tolist(),
            y=[float(f"{ratio:.3g}") for ratio in ratios[own]],
            mode="markers",
            marker={"color": SERIES_COLOURS[place % len(SERIES_COLOURS)], "size": 3},
            name=f"{label}: {name}".replace("_", " "),
            hovertemplate="%{y:.1e}",
        )
    highest = math.ceil(math.log10(max(1.0, float(ratios.max()) if len(ratios) else 1.0)))
    decades = range(LOWEST_DECADE, highest + 1)
    figure.update_yaxes(
        type="log",
        range=[LOWEST_DECADE, highest + 0.3],
        tickvals=[10.0**decade for decade in decades],
        ticktext=[f"10{str(decade).translate(_SUPERSCRIPTS)}" for decade in decades],
        title={"text": "error / tolerance"},
    )
    figure.update_xaxes(title={"text": "day"}, showgrid=False, nticks=8, rangemode="tozero")
    rule(figure, {"color": LIMIT, "width": 1.2, "dash": "dash"}, y=1.0)
    # Annotations on a log axis take the exponent.
    words_at(figure, "tolerance", x=1, xref="paper", xanchor="right", y=0.0, yanchor="bottom")
    return figure
