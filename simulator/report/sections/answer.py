"""The answer first: for each claim two plain sentences, the verdict, and its figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from simulator.engine.attribution import contributions
from simulator.report.conditions import (
    condition_rows,
    joint_row,
    measured,
    measured_range,
    reported_bound,
    told,
    told_range,
)
from simulator.report.headline import Group, groups
from simulator.report.markup import Column, Html, Row, element, fold, join, table, verdict_word
from simulator.report.sentences import sentences
from simulator.words import (
    HARD_SPACE,
    UNIT_WORDS,
    difference,
    interval,
    number,
    percent,
    share,
    small,
    spoken,
)

if TYPE_CHECKING:
    from simulator.claims import Verdict
    from simulator.engine import Simulation
    from simulator.instruments.base import Unit
    from simulator.scenario.claims import ClaimTerms

_ZONES = (("refuted", 0, 5), ("unlikely", 5, 50), ("plausible", 50, 95), ("supported", 95, 100))


def answer_section(simulation: Simulation, verdicts: Sequence[Verdict]) -> Html:
    """Return all claims in a table, and a card for each."""
    grouped = groups(simulation.scenario, verdicts)
    cards = [
        _card(simulation, verdict)
        for group in grouped
        for _, those in group.words
        for verdict in those
    ]
    return fold("answer", "Every claim", _strip(grouped), *cards)


def _strip(grouped: Sequence[Group]) -> Html:
    """Return all verdicts at a glance, each with its number and its errors."""
    rows = []
    for group in grouped:
        rows.append(Row((group.title,)))
        rows += [_glance(verdict) for _, those in group.words for verdict in those]
    columns = (
        Column("Claim", numeric=False),
        Column("Verdict", numeric=False),
        Column("Probability or estimate"),
        Column("95 % interval"),
        Column("over parameter sets"),
        Column("over assumptions"),
    )
    return table(columns, rows, caption="All claims at a glance", class_="stack")


def _found_by(verdict: Verdict) -> str:
    """Return what the search looks through."""
    return f"{verdict.claim} {verdict.text} {verdict.words} {verdict.subject}"


def _glance(verdict: Verdict) -> Row:
    link = join(
        (
            element("a", verdict.claim, href=f"#claim-{verdict.claim}"),
            element("small", verdict.text, class_="says"),
        )
    )
    word = join((verdict_word(verdict.verdict), element("small", f" {_beneath(verdict)}")))
    return Row((link, word, *_numbers(verdict)), find=_found_by(verdict))


def _beneath(verdict: Verdict) -> str:
    """Return how firm the word is, or how many paths were too few."""
    return verdict.words.removeprefix(verdict.verdict).removeprefix(",").strip()


def _numbers(verdict: Verdict) -> tuple[str, ...]:
    if verdict.reason:
        return ("",) * 4
    ranges = (verdict.parameter_range, verdict.assumption_range)
    beyond = ("" if found is None else told_range(verdict, found) for found in ranges)
    return told(verdict), told_range(verdict, verdict.interval), *beyond


def _card(simulation: Simulation, verdict: Verdict) -> Html:
    summary = element(
        "summary",
        verdict_word(verdict.verdict),
        element("span", verdict.claim, class_="name"),
        element("q", verdict.text),
        element("span", "" if verdict.reason else told(verdict), class_="told"),
    )
    card = claim_article(simulation, verdict)
    return element("details", summary, card, class_="claim", data_claim=_found_by(verdict))


def claim_article(simulation: Simulation, verdict: Verdict) -> Html:
    """Return all that is to be said of a claim: its sentences, scale, conditions and figures."""
    claim = simulation.scenario.claims[verdict.claim]
    return element(
        "article",
        element("p", verdict.claim, class_="eyebrow"),
        element("h3", element("q", verdict.text)),
        _verdict_line(verdict),
        element("p", *sentences(simulation, verdict), class_="lead"),
        _scale(verdict),
        _effect_scale(verdict, claim),
        _conditions(simulation, verdict),
        _figures(simulation, verdict, claim),
        id=f"claim-{verdict.claim}",
    )


def _verdict_line(verdict: Verdict) -> Html:
    word = verdict_word(verdict.verdict)
    return element("p", "Verdict: ", word, f" {_beneath(verdict)}", class_="verdict-line")


def _scale(verdict: Verdict) -> Html:
    """Return the scale from 0 to 100 % with its zones, the probability and its interval."""
    if verdict.verdict == "not testable" or not verdict.counted:
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
    mark = element("span", class_="mark", style=f"left:{100 * verdict.probability:.2f}%")
    label = f"Probability {share(verdict.probability)} on a scale from 0 to 100 %"
    marks = join((*_bars(verdict, 0.0, 1.0), mark))
    return element("div", zones, marks, class_="scale", role="img", aria_label=label)


def _bars(verdict: Verdict, low: float, high: float) -> Iterator[Html]:
    """Yield the three errors as nested bars on a scale from `low` to `high`, the widest first."""
    for name, found in _errors_of(verdict):
        left, width = ((end - low) / (high - low) for end in (found[0], found[1] - found[0] + low))
        place = f"left:{100 * left:.2f}%;width:{100 * width:.2f}%"
        words = f"{name}: {told_range(verdict, found)}"
        yield element("span", class_=f"reach {name}", style=place, title=words)


def _errors_of(verdict: Verdict) -> list[tuple[str, tuple[float, float]]]:
    """Return the ranges that are known: over assumptions, parameter sets, and of sampling."""
    found = (
        ("assumption", verdict.assumption_range),
        ("estimation", verdict.parameter_range),
        ("sampling", verdict.interval),
    )
    return [(name, ends) for name, ends in found if ends is not None and not np.isnan(ends).any()]


def _effect_scale(verdict: Verdict, claim: ClaimTerms) -> Html:
    """Return an effect's three errors as nested bars, with the bound that the claim names."""
    known = _errors_of(verdict)
    if verdict.kind != "effect" or verdict.reason or not known:
        return Html("")
    condition = claim.conditions[0]
    bounds = [end for end in (condition.at_least, condition.at_most) if end is not None]
    ends = [end for _, found in known for end in found] + bounds
    low, high = min(ends), max(ends)
    if low == high:
        return Html("")
    lines = join(
        element(
            "span",
            element("span", difference(end, verdict.scale)),
            class_="bound",
            style=f"left:{100 * (end - low) / (high - low):.2f}%",
        )
        for end in bounds
    )
    at = 100 * (verdict.estimate - low) / (high - low)
    mark = element("span", class_="mark", style=f"left:{at:.2f}%")
    label = f"Difference {told(verdict)} with its errors, and the bound of the claim"
    marks = join((lines, *_bars(verdict, low, high), mark))
    return element("div", marks, class_="scale effect", role="img", aria_label=label)


def _conditions(simulation: Simulation, verdict: Verdict) -> Html:
    rows = [Row(cells) for cells in condition_rows(simulation, verdict)]
    if len(rows) > 1:
        rows.append(Row(joint_row(verdict), "total"))
    found, caption = "Paths", "Share of paths that keep each part of the promise"
    if not verdict.counted:
        found = "Difference" if verdict.kind == "effect" else "Estimate"
        caption = f"The {found.lower()} that was promised, and the one that was found"
    columns = (Column("What was promised", False), Column(found), Column("95 % interval"))
    return table(columns, rows, caption=caption)


def _figures(simulation: Simulation, verdict: Verdict, claim: ClaimTerms) -> Html:
    pairs: list[tuple[str, Html]] = []
    unit = claim.conditions[0].unit if claim.conditions else None
    if verdict.kind == "event" and unit is not None:
        pairs += _gross_and_net(simulation, verdict, unit)
    pairs += _spread(verdict, unit) if verdict.counted else _estimate(verdict)
    pairs += _portions(simulation, verdict, claim)
    items = join(element("div", element("dt", name), element("dd", value)) for name, value in pairs)
    return element("dl", items, class_="figures")


def _estimate(verdict: Verdict) -> list[tuple[str, Html]]:
    if verdict.verdict == "not testable":
        return []
    words = spoken(verdict.measured)
    value = _value(told(verdict), told_range(verdict, verdict.interval))
    return [(f"{words[0].upper()}{words[1:]}", value)]


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


def _spread(verdict: Verdict, unit: Unit | None) -> list[tuple[str, Html]]:
    if verdict.verdict == "not testable":
        return []
    words = spoken(verdict.measured)
    whose = "" if unit is None else f" of the exit value in {UNIT_WORDS[unit]}"
    return [
        ("Probability", _value(share(verdict.probability), interval(verdict.interval))),
        (f"Median {words}", _value(measured(verdict, verdict.median))),
        (f"{words[0].upper()}{words[1:]}, p05 to p95", _value(measured_range(verdict))),
        (f"Median drawdown{whose}", _value(small(verdict.max_drawdown_median))),
    ]


def _portions(
    simulation: Simulation, verdict: Verdict, claim: ClaimTerms
) -> list[tuple[str, Html]]:
    pairs = []
    if verdict.kind == "event" and claim.subject is not None:
        organic = verdict.organic_share
        of = "" if organic is None else f"of the {share(verdict.organic_paths)} of paths"
        earned = "none" if organic is None else percent(organic, 0 if organic > 0.1 else 1)
        what = "Organic share of income, median path whose income no exploit or default ended"
        pairs.append((what, _value(earned, of)))
        unpaid = float(np.mean(simulation.investors[claim.subject].unpaid > 0))
        pairs.append(("Paths whose exit was not paid in full", _value(share(unpaid))))
    if verdict.above is not None:
        limit, beyond = verdict.above
        pairs.append((f"Paths above {reported_bound(claim, limit)}", _value(share(beyond))))
    if verdict.kind == "premise" and not verdict.counted:
        pairs.append(("Judged on", _value("the historical estimate; the run assumes it")))
    elif verdict.parameter_range is None:
        pairs.append(("Range over parameter sets", _value("not part of this run")))
    else:
        found = told_range(verdict, verdict.parameter_range)
        pairs.append(("Range over parameter sets", _value(found)))
    if verdict.assumption_range is not None:
        found = told_range(verdict, verdict.assumption_range)
        pairs.append(("Range over assumptions", _value(found, verdict.moved_most_by)))
    if verdict.verdict != "not testable":
        how = _value(share(verdict.likelihood), verdict.words)
        pairs.append(("How likely the statement is", how))
    if verdict.given:
        count = f"{verdict.given_paths:,} of {simulation.scenario.paths:,} paths"
        pairs.append((f"Counted are paths with {spoken(verdict.given)}", _value(count)))
    if verdict.note:
        pairs.append(("Note", _value("", verdict.note)))
    return pairs
