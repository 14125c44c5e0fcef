"""The answer first: for each claim two plain sentences, the verdict, and its figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from simulator.report.attribution import contributions
from simulator.report.conditions import condition_rows, joint_row
from simulator.report.markup import Column, Html, Row, element, join, section, table
from simulator.report.words import (
    HARD_SPACE,
    bound,
    interval,
    number,
    percent,
    run_word,
    runs,
    share,
    small,
    span,
    spoken,
)

if TYPE_CHECKING:
    from simulator.claims import Verdict
    from simulator.engine import Simulation
    from simulator.instruments.base import Unit
    from simulator.scenario.models import ClaimTerms, Condition

UNIT_WORDS = {"ounces": "ounces", "usd": "dollars"}

_MIDDLE = {
    "drawdown": "In the middle {run} the value in {unit} fell by {median} at its worst",
    "yield_deviation": "In the middle {run} the 30-day yields in {unit} strayed by {median}",
}

_ZONES = (("refuted", 0, 5), ("unlikely", 5, 50), ("plausible", 50, 95), ("supported", 95, 100))


def answer_section(simulation: Simulation, verdicts: Sequence[Verdict]) -> Html:
    """Return one card for each claim."""
    cards = [_card(simulation, verdict) for verdict in verdicts]
    return section("answer", "The answer", *cards)


def _card(simulation: Simulation, verdict: Verdict) -> Html:
    claim = simulation.scenario.claims[verdict.claim]
    return element(
        "article",
        element("p", verdict.claim, class_="eyebrow"),
        element("h3", element("q", verdict.text)),
        _verdict_line(verdict),
        element("p", *sentences(simulation, verdict), class_="lead"),
        _scale(verdict),
        _conditions(simulation, verdict),
        _figures(simulation, verdict, claim),
        class_="claim",
    )


def _verdict_line(verdict: Verdict) -> Html:
    word = element("strong", verdict.verdict, class_=f"verdict {_class(verdict.verdict)}")
    return element("p", "Verdict: ", word, class_="verdict-line")


def _class(word: str) -> str:
    return word.replace(" ", "-")


def sentences(simulation: Simulation, verdict: Verdict) -> tuple[str, ...]:
    """Return how many paths kept the promise, and what the middle and the outer ones got."""
    scenario = simulation.scenario
    if verdict.verdict == "not testable":
        return (f"This claim cannot be tested here: {verdict.reason}.",)
    days = scenario.horizon_days
    kept = round(verdict.probability * scenario.paths)
    how = "kept every part of the promise" if len(verdict.conditions) > 1 else "kept the promise"
    count = "none" if kept == 0 else "all" if kept == scenario.paths else f"{kept:,}"
    first = f"Of {runs(days, scenario.paths)}, {count} {how} ({share(verdict.probability)})."
    condition = scenario.claims[verdict.claim].conditions[0]
    return first, " ", _spread_words(verdict, condition, days)


def _spread_words(verdict: Verdict, condition: Condition, days: int) -> str:
    run, unit = run_word(days), UNIT_WORDS[condition.unit]
    if condition.measure in _MIDDLE:
        middle = _MIDDLE[condition.measure].format(run=run, unit=unit, median=small(verdict.median))
        low, high = small(verdict.p05), small(verdict.p95)
        return f"{middle}; one {run} in twenty less than {low}, one in twenty more than {high}."
    low = _moved(verdict.p05, below=True)
    high = _moved(verdict.p95, below=False)
    pace = " a year" if condition.measure == "annual_yield" and days > 366 else ""
    gain = f"{_verb(verdict.median)} {percent(abs(verdict.median))}{pace} in {unit}"
    middle = f"The middle {run} {gain}"
    return f"{middle}; one {run} in twenty {low}, one in twenty {high}."


def _verb(value: float) -> str:
    return "lost" if value < 0 else "gained"


def _moved(value: float, *, below: bool) -> str:
    """Return what lies beyond a quantile: `lost more than 3 %`, `gained less than 1 %`."""
    more = below == (value < 0)
    return f"{_verb(value)} {'more' if more else 'less'} than {percent(abs(value))}"


def _scale(verdict: Verdict) -> Html:
    """Return the scale from 0 to 100 % with its zones, the probability and its interval."""
    if verdict.verdict == "not testable":
        return Html("")
    zones = join(
        element(
            "span",
            element("span", word),
            class_=f"zone {word}" + (" here" if word == verdict.verdict else ""),
            style=f"left:{low}%;width:{high - low}%",
        )
        for word, low, high in _ZONES
    )
    low, high = verdict.interval
    marks = join(
        (
            element(
                "span",
                class_="reach",
                style=f"left:{100 * low:.2f}%;width:{100 * (high - low):.2f}%",
            ),
            element("span", class_="mark", style=f"left:{100 * verdict.probability:.2f}%"),
        )
    )
    label = f"Probability {share(verdict.probability)} on a scale from 0 to 100 %"
    return element("div", zones, marks, class_="scale", role="img", aria_label=label)


def _conditions(simulation: Simulation, verdict: Verdict) -> Html:
    rows = [Row(cells) for cells in condition_rows(simulation, verdict)]
    if len(rows) > 1:
        rows.append(Row(joint_row(verdict), "total"))
    columns = (Column("What was promised", False), Column("Paths"), Column("95 % interval"))
    return table(columns, rows, caption="Share of paths that keep each part of the promise")


def _figures(simulation: Simulation, verdict: Verdict, claim: ClaimTerms) -> Html:
    unit = claim.conditions[0].unit
    pairs = [*_gross_and_net(simulation, verdict, unit), *_spread(verdict, unit)]
    pairs += _portions(simulation, verdict)
    items = join(element("div", element("dt", name), element("dd", value)) for name, value in pairs)
    return element("dl", items, class_="figures")


def _gross_and_net(simulation: Simulation, verdict: Verdict, unit: Unit) -> list[tuple[str, Html]]:
    found = contributions(simulation.investors[verdict.subject])
    shown = []
    for name, line in (
        ("Gross, mean: before losses and costs", found.gross),
        ("Net, mean: after losses and costs", found.net),
    ):
        mean = line.means[unit]
        error = f"±{HARD_SPACE}{number(100 * mean.error, 2)}"
        value = percent(mean.value, 2, signed=True)
        shown.append((f"{name}, in {UNIT_WORDS[unit]}", _value(value, error)))
    return shown


def _value(value: str, aside: str = "") -> Html:
    return join((value, element("small", aside))) if aside else join((value,))


def _spread(verdict: Verdict, unit: Unit) -> list[tuple[str, Html]]:
    if verdict.verdict == "not testable":
        return []
    quantity = spoken(verdict.quantity)
    return [
        ("Probability", _value(share(verdict.probability), interval(verdict.interval))),
        (f"Median {quantity}", _value(percent(verdict.median))),
        (
            f"{quantity[0].upper()}{quantity[1:]}, p05 to p95",
            _value(span(verdict.p05, verdict.p95)),
        ),
        (
            f"Median drawdown of the exit value in {UNIT_WORDS[unit]}",
            _value(small(verdict.max_drawdown_median)),
        ),
    ]


def _portions(simulation: Simulation, verdict: Verdict) -> list[tuple[str, Html]]:
    organic = verdict.organic_share
    earned = "no income" if organic is None else percent(organic, 0 if organic > 0.1 else 1)
    pairs = [("Organic share of income, median path", _value(earned))]
    if verdict.above is not None:
        limit, beyond = verdict.above
        pairs.append((f"Paths above {bound(limit)}", _value(share(beyond))))
    unpaid = float(np.mean(simulation.investors[verdict.subject].unpaid > 0))
    pairs.append(("Paths whose exit was not paid in full", _value(share(unpaid))))
    if verdict.parameter_range is None:
        pairs.append(("Range over parameter sets", _value("not part of this run")))
    else:
        pairs.append(("Range over parameter sets", _value(interval(verdict.parameter_range))))
    if verdict.met_at_start:
        pairs.append(("Target", _value("met at the start already")))
    return pairs
