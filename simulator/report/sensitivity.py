"""The page of a sensitivity: two tornados and the table of all inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from simulator.report.charts import embed
from simulator.report.charts.tornado import Bar, tornado
from simulator.report.markup import Column, Html, Row, element, join, section, table
from simulator.report.page import document
from simulator.report.words import number, percent, share, short_names, spoken

if TYPE_CHECKING:
    from simulator.engine.sensitivity import Effect, Sensitivity

MOST_BARS = 15

RULES = (
    "Each input is moved by itself, all others as they stand, on the same random numbers: a "
    "calibrated figure by its standard error; a drift by volatility over the root of the years "
    "of data, the error of a mean; any other number to half and to double; a zero to the "
    "model's default. Ends that the field or the rest of the scenario forbids are moved inwards. "
    "What moves together in the world is not seen here."
)


def render_sensitivity(title: str, facts: str, found: Sensitivity) -> str:
    """Return the page of a sensitivity."""
    moved = [effect for effect in found.effects if effect.matters]
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
                _probability(found, moved),
                _median(found, moved),
                section(
                    "table",
                    "Every input that matters",
                    element("p", RULES),
                    _table(moved),
                    element("p", _rest("Without any effect: ", still), class_="note"),
                    element("p", _rest("Not moved: ", _reasons(found)), class_="note"),
                ),
            ),
        )
    )
    return document(f"sensitivity of {found.claim}", body)


def _rest(head: str, names: Sequence[str]) -> str:
    return head + (", ".join(names) or "none") + "."


def _reasons(found: Sensitivity) -> list[str]:
    return [f"{name} ({reason})" for name, reason in found.left_out]


def _probability(found: Sensitivity, moved: Sequence[Effect]) -> Html:
    moving = [effect for effect in moved if effect.reach][:MOST_BARS]
    lead = f"As things stand it holds on {share(found.probability)} of {found.paths:,} paths."
    if not moving:
        words = f"{lead} No input moves that by itself."
        return section("probability", "How often it holds", element("p", words))
    short = short_names([effect.name for effect in found.effects])
    bars = [Bar(short[e.name], 100 * e.low.probability, 100 * e.high.probability) for e in moving]
    figure = tornado(bars, 100 * found.probability, "% of the paths")
    label = f"Share of paths on which {found.claim} holds, by input"
    return section(
        "probability",
        "How often it holds",
        element("p", lead),
        embed(figure, "tornado-probability", "At the ends of each input's range", label),
    )


def _median(found: Sensitivity, moved: Sequence[Effect]) -> Html:
    ordered = sorted(moved, key=lambda e: (-e.median_reach, e.name))
    moving = [effect for effect in ordered if effect.median_reach][:MOST_BARS]
    what = spoken(found.quantity)
    lead = f"As things stand the median {what} is {percent(found.median, 2)}."
    if not moving:
        words = f"{lead} No input moves that by itself."
        return section("median", f"The median {what}", element("p", words))
    short = short_names([effect.name for effect in found.effects])
    bars = [Bar(short[e.name], 100 * e.low.median, 100 * e.high.median) for e in moving]
    figure = tornado(bars, 100 * found.median, f"median {what}, %")
    return section(
        "median",
        f"The median {what}",
        element("p", lead),
        embed(figure, "tornado-median", "At the ends of each input's range", lead),
    )


def _table(moved: Sequence[Effect]) -> Html:
    columns = [
        Column("input"),
        *(Column(name) for name in ("now", "low", "high")),
        Column("range", numeric=False),
        *(Column(name) for name in ("holds at low", "at high", "swing, points", "± error")),
        *(Column(name) for name in ("median at low", "at high")),
    ]
    rows = [
        Row(
            (
                effect.name,
                *(f"{v:.4g}" for v in (effect.present, effect.low.value, effect.high.value)),
                effect.rule,
                share(effect.low.probability),
                share(effect.high.probability),
                number(100 * effect.swing, 1, signed=True),
                number(100 * effect.standard_error, 1),
                percent(effect.low.median, 2),
                percent(effect.high.median, 2),
            )
        )
        for effect in moved
    ]
    return table(columns, rows, caption=f"{len(rows)} inputs, by their effect on the probability")
