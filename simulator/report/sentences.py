"""A verdict in two sentences that a lay person understands."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from simulator.report.conditions import measured, told, told_range
from simulator.words import (
    UNIT_WORDS,
    difference,
    figure,
    figures,
    percent,
    run_word,
    runs,
    share,
    small,
    spoken,
)

if TYPE_CHECKING:
    from simulator.claims import Verdict
    from simulator.claims.mixes import Spread, StaticMix
    from simulator.engine import Simulation
    from simulator.scenario.claims import Condition


_MIDDLE = {
    "drawdown": "In the middle {run} the value in {unit} fell by {median} at its worst",
    "yield_deviation": "In the middle {run} the 30-day yields in {unit} strayed by {median}",
}
_INSTEAD = {
    "by assumption": "It follows from what this scenario assumes, and a run cannot judge that: {}.",
    "already met": "It is met on the first day, so the run does not judge it.",
}


def remarks(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """Yield what must be said of single verdicts beside their word, each with its claim."""
    seen: set[StaticMix] = set()
    for verdict in verdicts:
        if verdict.verdict == "not testable":
            yield f"{verdict.claim}: not testable, {verdict.reason}"
        elif verdict.follows_from:
            yield f"{verdict.claim}: by assumption, it follows from {_names(verdict)}"
        elif verdict.beside:
            yield f"{verdict.claim}: {_history_words(verdict)}"
        if verdict.moved_most is not None:
            yield f"{verdict.claim}: {_moved_words(verdict)}"
        for mix in verdict.mixes:
            if mix not in seen:
                yield f"{verdict.claim}: {_mix_words(mix)}"
            seen.add(mix)


def _moved_words(verdict: Verdict) -> str:
    """Return which assumption moves a claim most, and what it is to either side of its middle."""
    assert verdict.moved_most is not None
    middle, below, above = verdict.moved_most
    word = share if verdict.counted else lambda value: difference(value, verdict.scale)
    return (
        f"of the assumptions {verdict.moved_most_by} moves it most: {word(below)} in the mean "
        f"where it is below {middle:,.4g}, {word(above)} where above"
    )


def _assumption_words(verdict: Verdict) -> tuple[str, ...]:
    """Return what the assumptions leave open, and which of them does most of it."""
    if verdict.assumption_range is None:
        return ()
    left = told_range(verdict, verdict.assumption_range)
    if verdict.moved_most is None:
        most = "no single one of them moves it more than chance would"
    else:
        most = _moved_words(verdict)
    return " ", f"What the scenario assumes leaves {left} (90 % of the sets); {most}."


def _mix_words(mix: StaticMix) -> str:
    """Return what bills beside the portfolio do where a stop falls as deep."""
    first = (
        f"over {mix.days:,} days the stop leaves {mix.investor} an expected shortfall (95 %) of "
        f"{small(mix.shortfall)}"
    )
    if math.isnan(mix.in_bills):
        return f"{first}; no mix of {mix.without} and {mix.bills} has so small a one"
    parts = (
        f"{percent(1 - mix.in_bills, 0)} {mix.without} and {percent(mix.in_bills, 0)} {mix.bills}"
    )
    second = f"{parts}, bought at the start and left alone, fall as deep"
    if mix.in_bills == 0:
        second = f"{mix.without}, without a stop, falls no deeper"
    return (
        f"{first}; {second}. That returns {_spread_words_of(mix.mix)}; the stop "
        f"{_spread_words_of(mix.stop)}"
    )


def _spread_words_of(found: Spread) -> str:
    mean, median = (percent(value, signed=True) for value in (found.mean, found.median))
    return f"{mean} in the mean, {median} in the median, and loses on {share(found.loss)} of paths"


def _names(verdict: Verdict) -> str:
    return ", ".join(verdict.follows_from)


def _history_words(verdict: Verdict) -> str:
    """Return what history says of a simulated premise, and whether the run says otherwise."""
    words = f"history's estimate is {verdict.beside}, by itself {verdict.history}"
    if verdict.history == verdict.verdict:
        return f"{words}, as the run has it"
    return f"{words}; the run contradicts it: {verdict.words}"


def sentences(simulation: Simulation, verdict: Verdict) -> tuple[str, ...]:
    """Return how many paths kept the promise, and what the middle and the outer ones got.

    Of an effect: the difference and whether it is sure; of a premise: what history says.
    """
    if verdict.verdict == "not testable":
        return (f"This claim cannot be tested here: {verdict.reason}.",)
    if verdict.kind == "effect":
        return _effect_words(verdict)
    if not verdict.counted:
        return _premise_words(verdict)
    scenario = simulation.scenario
    days = scenario.horizon_days
    counted = verdict.given_paths if verdict.given else scenario.paths
    kept = round(verdict.probability * counted)
    how = "kept every part of the promise" if len(verdict.conditions) > 1 else "kept the promise"
    count = "none" if kept == 0 else "all" if kept == counted else f"{kept:,}"
    whole = f"Of {runs(days, scenario.paths)}"
    if verdict.given:
        whole = f"{whole} {counted:,} have {spoken(verdict.given)}; of these"
    first = f"{whole}{'' if verdict.given else ','} {count} {how} ({share(verdict.probability)})."
    condition = scenario.claims[verdict.claim].conditions[0]
    further = (*_further(verdict), *_assumption_words(verdict))
    return first, " ", _spread_words(verdict, condition, days), *further


def _further(verdict: Verdict) -> tuple[str, ...]:
    """Return what takes the place of a word, and what history says of a simulated premise."""
    found = _INSTEAD.get(verdict.verdict, "").format(_names(verdict))
    found = f"{_history_words(verdict)}." if verdict.beside else found
    return (" ", f"{found[0].upper()}{found[1:]}") if found else ()


def _effect_words(verdict: Verdict) -> tuple[str, ...]:
    words = spoken(verdict.measured)
    first = (
        f"{words[0].upper()}{words[1:]}, {verdict.compared}: {told(verdict)} "
        f"(95 % interval {told_range(verdict, verdict.interval)})."
    )
    further = (*_further(verdict), *_assumption_words(verdict))
    mixes = (part for mix in verdict.mixes for part in (" ", f"O{_mix_words(mix)[1:]}."))
    return first, " ", _held_words(verdict), *further, *mixes


def _held_words(verdict: Verdict) -> str:
    """Return in which share of the parameter sets an effect holds, or what its interval says."""
    if verdict.parameter_range is not None:
        return (
            f"It holds in {share(verdict.likelihood)} of the parameter sets; one whose interval "
            "holds the claim's bound counts half."
        )
    if verdict.holds == 0.5:
        return "The interval holds the claim's bound: so many paths do not decide."
    where = "where" if verdict.holds else "outside of what"
    return f"The whole interval lies {where} the claim says."


def _premise_words(verdict: Verdict) -> tuple[str, ...]:
    found = figure(verdict.estimate, verdict.scale)
    beside = figures(verdict.interval, verdict.scale)
    promised = verdict.conditions[0].text.removeprefix("estimate ")
    first = f"History's estimate is {found} (95 % interval {beside}); the claim needs {promised}."
    second = f"It holds with a confidence of {share(verdict.probability)}; the run assumes it."
    return first, " ", second


def _spread_words(verdict: Verdict, condition: Condition, days: int) -> str:
    run = run_word(days)
    as_gain = condition.measure in ("annual_yield", "total_return")
    worded = as_gain or condition.measure in _MIDDLE
    if condition.unit is None or condition.over is not None or not worded:
        low, middle, high = (
            measured(verdict, value) for value in (verdict.p05, verdict.median, verdict.p95)
        )
        return (
            f"In the middle {run} the {spoken(verdict.measured)} was {middle}; one {run} in twenty "
            f"below {low}, one in twenty above {high}."
        )
    unit = UNIT_WORDS[condition.unit]
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
