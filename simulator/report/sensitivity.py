"""A sensitivity as a page of its own, and as a part of a run's report: tornados and a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from simulator.report.charts import embed
from simulator.report.charts.tornado import Bar, tornado
from simulator.report.markup import Column, Html, Row, element, join, section, table
from simulator.report.page import document
from simulator.words import (
    difference,
    figure,
    number,
    paths_of,
    share,
    short_names,
    spoken,
    with_unit,
)

if TYPE_CHECKING:
    from simulator.engine.sensitivity import Effect, Sensitivity

MOST_BARS = 15
BARS_IN_A_REPORT = 10

RULES = (
    "Each input is moved by itself, all others as they stand, on the same random numbers: a "
    "calibrated figure by its standard error; a drift by volatility over the root of the years "
    "of data, the error of a mean; a figure that states a range to its ends; any other number to "
    "half and to double, and a zero to the model's default. What was measured and states no range "
    "is not moved. Ends that the field or the rest of the scenario forbids are moved inwards. "
    "What moves together in the world is not seen here."
)


def render_sensitivity(title: str, facts: str, found: Sensitivity) -> str:
    """Return the page of a sensitivity."""
    moved = _moved(found)
    still = [effect.name for effect in found.effects if effect not in moved]
    body = join(
        (
            element(
                "header",
                element("p", "Assay sensitivity", class_="eyebrow"),
                element("h1", f"What {found.claim} hangs on"),
                element("p", title, class_="facts"),
                element("p", facts, class_="facts"),
                element(
                    "p", "Hypothetical performance, simulated; not a forecast.", class_="facts"
                ),
            ),
            element(
                "main",
                section("probability", _heading(found), *_answer(found, MOST_BARS)),
                _median(found, moved) if found.kind == "event" else Html(""),
                section(
                    "table",
                    "Every input that matters",
                    element("p", RULES),
                    _table(found, moved),
                    element("p", _rest("Without any effect: ", still), class_="note"),
                    element("p", _rest("Not moved: ", _reasons(found)), class_="note"),
                ),
            ),
        )
    )
    return document(f"sensitivity of {found.claim}", body)


def sensitivity_part(found: Sensitivity) -> Html:
    """Return a sensitivity as a part of its run's report: in words, and the tornado."""
    return element(
        "div",
        element("h3", f"What {found.claim} hangs on"),
        *_answer(found, BARS_IN_A_REPORT),
        id=f"sensitivity-{found.claim}",
    )


def told(found: Sensitivity, value: float) -> str:
    """Return a probability or an estimate in words."""
    return share(value) if found.kind == "event" else difference(value, found.scale)


def answer_words(found: Sensitivity) -> str:
    """Return how a claim stands, and which input moves it most, in plain sentences."""
    moved = [effect for effect in _moved(found) if effect.reach]
    if found.kind == "event":
        now = (
            f"As things stand it holds on {told(found, found.told)} of "
            f"{paths_of(found.paths, found.days)}."
        )
    else:
        now = (
            f"As things stand the {spoken(found.quantity)}, {found.compared}, is "
            f"{told(found, found.told)} on {found.paths:,} paths."
        )
    if not moved:
        return f"{now} No input moves that by itself."
    most = moved[0]
    short = short_names([effect.name for effect in found.effects])[most.name]
    ends = ", ".join(
        f"{told(found, end.told)} at {with_unit(f'{end.value:.4g}', most.unit)}"
        for end in (most.low, most.high)
    )
    return f"{now} Of {len(found.effects)} inputs {short} moves it most: {ends}."


def _moved(found: Sensitivity) -> list[Effect]:
    return [effect for effect in found.effects if effect.matters]


def _heading(found: Sensitivity) -> str:
    return "How often it holds" if found.kind == "event" else "How large the difference is"


def _answer(found: Sensitivity, most: int) -> list[Html]:
    """Return the sentences and, where anything moves it, the tornado."""
    words = element("p", answer_words(found))
    moving = [effect for effect in _moved(found) if effect.reach][:most]
    if not moving:
        return [words]
    scale = 100.0 if found.kind == "event" or found.scale == "share" else 1.0
    unit = "% of the paths" if found.kind == "event" else f"difference of {found.quantity}"
    unit += ", points" if found.kind != "event" and found.scale == "share" else ""
    short = short_names([effect.name for effect in found.effects])
    bars = [Bar(short[e.name], scale * e.low.told, scale * e.high.told) for e in moving]
    what = "Share of paths on which it holds" if found.kind == "event" else "Difference"
    drawn = tornado(bars, scale * found.told, unit)
    label = f"{what}, {found.claim}, at the ends of each input's range"
    return [
        words,
        embed(drawn, f"tornado-{found.claim}", "At the ends of each input's range", label),
    ]


def _rest(head: str, names: Sequence[str]) -> str:
    return head + (", ".join(names) or "none") + "."


def _reasons(found: Sensitivity) -> list[str]:
    return [f"{name} ({reason})" for name, reason in found.left_out]


def _median(found: Sensitivity, moved: Sequence[Effect]) -> Html:
    ordered = sorted(moved, key=lambda e: (-e.median_reach, e.name))
    moving = [effect for effect in ordered if effect.median_reach][:MOST_BARS]
    what = spoken(found.quantity)
    lead = f"As things stand the median {what} is {figure(found.median, found.scale)}."
    if not moving:
        words = f"{lead} No input moves that by itself."
        return section("median", f"The median {what}", element("p", words))
    short = short_names([effect.name for effect in found.effects])
    scale = 100.0 if found.scale == "share" else 1.0
    bars = [Bar(short[e.name], scale * e.low.median, scale * e.high.median) for e in moving]
    unit = ", %" if found.scale == "share" else ""
    drawn = tornado(bars, scale * found.median, f"median {what}{unit}")
    return section(
        "median",
        f"The median {what}",
        element("p", lead),
        embed(drawn, "tornado-median", "At the ends of each input's range", lead),
    )


def _table(found: Sensitivity, moved: Sequence[Effect]) -> Html:
    event = found.kind == "event"
    in_points = 100.0 if event or found.scale == "share" else 1.0
    answer = ("holds at low", "at high") if event else ("difference at low", "at high")
    unit = ", points" if in_points == 100.0 else ""
    columns = [
        Column("input"),
        Column("unit", numeric=False),
        *(Column(name) for name in ("now", "low", "high")),
        Column("range", numeric=False),
        *(Column(name) for name in (*answer, f"swing{unit}", "± error")),
        *(Column(name) for name in ("median at low", "at high") if event),
    ]
    rows = [
        Row(
            (
                effect.name,
                effect.unit,
                *(f"{v:.4g}" for v in (effect.present, effect.low.value, effect.high.value)),
                effect.rule,
                told(found, effect.low.told),
                told(found, effect.high.told),
                number(in_points * effect.swing, 2 - event, signed=True),
                number(in_points * effect.standard_error, 2 - event),
                *(figure(end.median, found.scale) for end in (effect.low, effect.high) if event),
            )
        )
        for effect in moved
    ]
    what = "probability" if event else "difference"
    return table(columns, rows, caption=f"{len(rows)} inputs, by their effect on the {what}")
