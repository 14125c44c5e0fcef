"""A claim against the measured paths: how likely, how deep the fall, from which source."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from simulator.investors.paths import InvestorMeasures
from simulator.measures import share_interval
from simulator.scenario.models import ClaimTerms, Condition
from simulator.units import BoolArray, FloatArray

Word = Literal["supported", "plausible", "unlikely", "refuted", "not testable"]

WORDS: tuple[Word, ...] = ("supported", "plausible", "unlikely", "refuted", "not testable")
BOUNDS: tuple[tuple[float, Word], ...] = ((0.95, "supported"), (0.5, "plausible"), (0.05, "unlikely"))
"""A probability of at least the bound earns the word; below all of them it is refuted."""


@dataclass(frozen=True)
class ConditionResult:
    """One condition on its own: how it reads, and the share of paths on which it holds."""

    text: str
    probability: float
    interval: tuple[float, float]


@dataclass(frozen=True)
class Verdict:
    """What the run says of one claim.

    Attributes
    ----------
    claim, kind, subject, text : str
        The claim's name, `event`, whom it is about, and the promoters' words.
    verdict : str
        supported, plausible, unlikely, refuted or not testable.
    reason : str
        Why it is not testable; otherwise empty.
    probability : float
        Share of paths on which all conditions hold.
    interval : tuple of float
        95 % sampling interval of that share.
    parameter_range : tuple of float or None
        Range over parameter sets; None where none were drawn.
    conditions : tuple of ConditionResult
    p05, median, p95 : float
        Of the first condition's measure.
    quantity : str
        What that measure is, for the report.
    max_drawdown_median : float
        In the first condition's unit, at exit value.
    organic_share : float or None
        Median of organic over positive income; None where no path had income.
    above : tuple of float, or None
        A reported bound and the share of paths beyond it.
    met_at_start : bool
        Whether a target was met before the first step; never for yields.
    """

    claim: str
    kind: Literal["event"]
    subject: str
    text: str
    verdict: Word
    reason: str
    probability: float
    interval: tuple[float, float]
    parameter_range: tuple[float, float] | None
    conditions: tuple[ConditionResult, ...]
    p05: float
    median: float
    p95: float
    quantity: str
    max_drawdown_median: float
    organic_share: float | None
    above: tuple[float, float] | None
    met_at_start: bool


def judge(
    claims: Mapping[str, ClaimTerms], measures: Mapping[str, InvestorMeasures]
) -> tuple[Verdict, ...]:
    """Return one verdict for each claim; `measures` holds every investor by name."""
    return tuple(_judge(name, claim, measures[claim.subject]) for name, claim in claims.items())


def word_for(probability: float) -> Word:
    """Return the word that a probability earns."""
    return next((word for bound, word in BOUNDS if probability >= bound), "refuted")


def _judge(name: str, claim: ClaimTerms, measures: InvestorMeasures) -> Verdict:
    held = [_holds(condition, measures) for condition in claim.conditions]
    first = claim.conditions[0]
    measured = measures.values[first.measure, first.unit]
    reason = _untestable(claim.conditions, measures)
    joint = np.logical_and.reduce(held)
    probability, interval = _share(joint)
    p05, median, p95 = (float(q) for q in np.quantile(measured, (0.05, 0.5, 0.95)))
    organic = measures.organic_share
    return Verdict(
        claim=name,
        kind="event",
        subject=claim.subject,
        text=claim.says,
        verdict="not testable" if reason else word_for(probability),
        reason=reason,
        probability=probability,
        interval=interval,
        parameter_range=None,
        conditions=tuple(
            ConditionResult(describe(condition), *_share(holds))
            for condition, holds in zip(claim.conditions, held, strict=True)
        ),
        p05=p05,
        median=median,
        p95=p95,
        quantity=f"{_WORDS[first.measure]} in {first.unit}",
        max_drawdown_median=float(np.median(measures.values["drawdown", first.unit])),
        organic_share=None if np.isnan(organic).all() else float(np.nanmedian(organic)),
        above=_above(first, measured),
        met_at_start=False,
    )


_WORDS = {
    "annual_yield": "yield a year",
    "total_return": "total return",
    "drawdown": "drawdown",
    "yield_deviation": "deviation of 30-day yields",
}


def describe(condition: Condition) -> str:
    """Return a condition as a phrase: `yield a year in ounces at least 8 %`."""
    bounds = [
        f"{word} {100 * bound:g} %"
        for word, bound in (("at least", condition.at_least), ("at most", condition.at_most))
        if bound is not None
    ]
    return f"{_WORDS[condition.measure]} in {condition.unit} {' and '.join(bounds)}"


def _holds(condition: Condition, measures: InvestorMeasures) -> BoolArray:
    values = measures.values[condition.measure, condition.unit]
    low = -math.inf if condition.at_least is None else condition.at_least
    high = math.inf if condition.at_most is None else condition.at_most
    return np.asarray((values >= low) & (values <= high))


def _share(holds: BoolArray) -> tuple[float, tuple[float, float]]:
    count, total = int(holds.sum()), int(holds.size)
    return count / total, share_interval(count, total)


def _above(condition: Condition, measured: FloatArray) -> tuple[float, float] | None:
    if condition.reported_above is None:
        return None
    return condition.reported_above, float(np.mean(measured > condition.reported_above))


def _untestable(conditions: Sequence[Condition], measures: InvestorMeasures) -> str:
    for condition in conditions:
        if np.isnan(measures.values[condition.measure, condition.unit]).any():
            return f"{_WORDS[condition.measure]} needs a horizon of at least 60 days"
    return ""
