"""A verdict in two sentences that a lay person understands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.words import (
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
    from simulator.engine import Simulation
    from simulator.scenario.claims import Condition

UNIT_WORDS = {"ounces": "ounces", "usd": "dollars"}

_MIDDLE = {
    "drawdown": "In the middle {run} the value in {unit} fell by {median} at its worst",
    "yield_deviation": "In the middle {run} the 30-day yields in {unit} strayed by {median}",
}
_EFFECT = {
    "supported": "The whole 95 % interval lies where the claim says.",
    "refuted": "The whole 95 % interval lies outside what the claim says.",
    "plausible": "The estimate lies where the claim says, but the interval reaches beyond.",
    "unlikely": "The estimate lies outside what the claim says, but the interval reaches into it.",
}


def sentences(simulation: Simulation, verdict: Verdict) -> tuple[str, ...]:
    """Return how many paths kept the promise, and what the middle and the outer ones got.

    Of an effect: the difference and whether it is sure; of a premise: what history says.
    """
    if verdict.verdict == "not testable":
        return (f"This claim cannot be tested here: {verdict.reason}.",)
    if verdict.kind == "effect":
        return _effect_words(verdict)
    if verdict.kind == "premise":
        return _premise_words(verdict)
    scenario = simulation.scenario
    days = scenario.horizon_days
    kept = round(verdict.probability * scenario.paths)
    how = "kept every part of the promise" if len(verdict.conditions) > 1 else "kept the promise"
    count = "none" if kept == 0 else "all" if kept == scenario.paths else f"{kept:,}"
    first = f"Of {runs(days, scenario.paths)}, {count} {how} ({share(verdict.probability)})."
    if verdict.met_at_start:
        first += " The target was met before the first day."
    condition = scenario.claims[verdict.claim].conditions[0]
    return first, " ", _spread_words(verdict, condition, days)


def _effect_words(verdict: Verdict) -> tuple[str, ...]:
    words = spoken(verdict.quantity)
    found = figure(verdict.estimate, verdict.scale)
    beside = figures(verdict.interval, verdict.scale)
    first = f"{words[0].upper()}{words[1:]}, {verdict.compared}: {found} (95 % interval {beside})."
    return first, " ", _EFFECT[verdict.verdict]


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
            figure(value, verdict.scale) for value in (verdict.p05, verdict.median, verdict.p95)
        )
        return (
            f"In the middle {run} the {spoken(verdict.quantity)} was {middle}; one {run} in twenty "
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
