"""The page of a sweep: a heat map or a line for each claim, and the table."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from simulator.report.charts import embed
from simulator.report.charts.grid import LEVEL, POINTS, SHARE, Unit, heat_map, line
from simulator.report.markup import Column, Html, Row, element, join, section, table
from simulator.report.page import document
from simulator.words import (
    difference,
    differences,
    figure,
    figures,
    interval,
    percent,
    share,
    short_names,
)

MOST_MAPS = 12
"""With three and more swept values there is a map for each setting of the others."""
MOST_ROWS = 500


def render_sweep(title: str, facts: str, names: Sequence[str], found: pd.DataFrame) -> str:
    """Return the page of a sweep.

    Parameters
    ----------
    names : sequence of str
        The columns of `found` that were swept.
    found : DataFrame
        Of `engine.sweep.sweep`.
    """
    short = short_names(names, [column for column in found.columns if column not in names])
    found = found.rename(columns=short)
    full, names = ", ".join(names), list(short.values())
    claims = list(dict.fromkeys(found["claim"]))
    sections = [
        _claim(place, claim, names, found[found["claim"] == claim])
        for place, claim in enumerate(claims)
    ]
    body = join(
        (
            element(
                "header",
                element("p", "Assay sweep", class_="eyebrow"),
                element("h1", title),
                element("p", facts, class_="facts"),
                element("p", f"Swept: {full}", class_="facts"),
                element(
                    "p", "Hypothetical performance, simulated; not a forecast.", class_="facts"
                ),
            ),
            element("main", *sections),
        )
    )
    return document(f"sweep of {title}", body)


def _claim(place: int, claim: str, names: Sequence[str], found: pd.DataFrame) -> Html:
    anchor = f"claim-{place}"
    varied = [name for name in names if len(set(found[name])) > 1]
    charts = list(_charts(anchor, claim, varied, found))
    return section(anchor, claim, *charts, _table(claim, names, found))


def _charts(anchor: str, claim: str, varied: Sequence[str], found: pd.DataFrame) -> Iterator[Html]:
    title = f"How often {claim} holds"
    if _unit(found) is not SHARE:
        title = f"How large the difference of {claim} is"
    if len(varied) == 1:
        intervals = list(zip(found["low"], found["high"], strict=True))
        values = [value.item() if hasattr(value, "item") else value for value in found[varied[0]]]
        figure = line(values, list(found[_told(found)]), intervals, varied[0], _unit(found))
        note = "The bars are 95 % intervals of sampling."
        yield embed(figure, f"{anchor}-line", title, f"{title} over {varied[0]}", note)
    elif len(varied) > 1:
        yield from _maps(anchor, title, varied, found)


def _told(found: pd.DataFrame) -> str:
    """Return the column that says what a claim does: its probability, or its difference."""
    return "estimate" if found["kind"].iloc[0] == "effect" else "probability"


def _unit(found: pd.DataFrame) -> Unit:
    if _told(found) == "probability":
        return SHARE
    return POINTS if found["scale"].iloc[0] == "share" else LEVEL


def _maps(anchor: str, title: str, varied: Sequence[str], found: pd.DataFrame) -> Iterator[Html]:
    first, second, *others = varied
    groups = list(found.groupby(others, sort=False)) if others else [((), found)]
    if len(groups) > MOST_MAPS:
        words = f"{len(groups):,} maps would be needed; the values are in sweep.parquet."
        yield element("p", words, class_="note")
        return
    for number, (key, own) in enumerate(groups):
        fixed = ", ".join(f"{n} = {_text(v)}" for n, v in zip(others, key, strict=True))
        columns, rows = (list(dict.fromkeys(own[name])) for name in (first, second))
        cells = own.set_index([second, first])[_told(found)]
        shares = [[float(cells.loc[(row, column)]) for column in columns] for row in rows]
        figure = heat_map(
            [_text(c) for c in columns],
            [_text(r) for r in rows],
            shares,
            (first, second),
            _unit(found),
        )
        label = f"{title} over {first} and {second}"
        yield embed(figure, f"{anchor}-map-{number}", title, label, fixed)


def _table(claim: str, names: Sequence[str], found: pd.DataFrame) -> Html:
    columns = [
        *(Column(name) for name in names),
        Column("verdict", numeric=False),
        Column("holds" if _unit(found) is SHARE else "difference"),
        *(Column(name) for name in ("95 % interval", "median", "p05 to p95", "drawdown")),
    ]
    shown = found.head(MOST_ROWS)
    rows = [Row(_cells(names, values)) for values in shown.to_dict("records")]
    caption = f"{claim}: {len(found):,} runs"
    if len(shown) < len(found):
        caption += f", the first {len(shown):,} of them; all are in sweep.parquet"
    return table(columns, rows, caption=caption)


def _cells(names: Sequence[str], values: dict[Any, Any]) -> list[str]:
    swept = [_text(values[name]) for name in names]
    if values["reason"]:
        return [*swept, f"not testable: {values['reason']}", "", "", "", "", ""]
    scale = values["scale"]
    ends = values["low"], values["high"]
    effect = values["kind"] == "effect"
    unmeasured = math.isnan(values["median"])  # a premise that is judged on history
    event = not effect and not unmeasured
    one, two = (difference, differences) if effect else (figure, figures)
    return [
        *swept,
        values["verdict"],
        told(values),
        interval(ends) if event else two(ends, scale),
        "" if unmeasured else one(values["median"], scale),
        "" if unmeasured else two((values["p05"], values["p95"]), scale),
        percent(values["max_drawdown_median"]) if event else "",
    ]


def told(values: Mapping[Any, Any]) -> str:
    """Return what a row says of its claim: a share, or an effect's difference."""
    if values["kind"] == "effect":
        return difference(values["estimate"], values["scale"])
    return share(values["probability"])


def _text(value: Any) -> str:
    return f"{value:.12g}" if isinstance(value, float) else str(value)
