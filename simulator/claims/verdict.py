"""A claim against the measured paths: how likely, how deep the fall, from which source."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from simulator.investors.paths import InvestorMeasures
from simulator.measures import YIELD_WINDOW_DAYS, share_interval
from simulator.scenario.models import ClaimTerms, Condition
from simulator.units import DAYS_PER_YEAR, BoolArray

Word = Literal["supported", "plausible", "unlikely", "refuted", "not testable"]

WORDS: tuple[Word, ...] = ("supported", "plausible", "unlikely", "refuted", "not testable")
BOUNDS: tuple[tuple[float, Word], ...] = (
    (0.95, "supported"),
    (0.5, "plausible"),
    (0.05, "unlikely"),
)
"""A probability of at least the bound earns the word; below all of them it is refuted."""


@dataclass(frozen=True)
class ConditionResult:
    """One condition on its own: how it reads, and the share of paths on which it holds.

    Share and interval are NaN where the condition cannot be tested.
    """

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
        Share of paths on which all conditions hold; NaN where that is not testable.
    interval : tuple of float
        95 % sampling interval of that share; NaN likewise.
    parameter_range : tuple of float or None
        Range over parameter sets; None where none were drawn.
    conditions : tuple of ConditionResult
        In the order of the claim, those that can be tested even where the claim cannot.
    p05, median, p95 : float
        Of the first condition's measure; NaN where it has none.
    quantity : str
        What that measure is, for the report.
    max_drawdown_median : float
        In the first condition's unit, at exit value.
    organic_share : float or None
        Median of organic over positive income; None where no path had income.
    above : tuple of float, or None
        The first bound that is only reported, and the share of paths beyond it.
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


def as_object(verdict: Verdict) -> dict[str, Any]:
    """Return a verdict as plain data for JSON, which knows no NaN: null stands for it."""
    plain: dict[str, Any] = _without_nan(asdict(verdict))
    return plain


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def _judge(name: str, claim: ClaimTerms, measures: InvestorMeasures) -> Verdict:
    first = claim.conditions[0]
    measured = measures.values[first.measure, first.unit]
    reason = _untestable(claim.conditions, measures)
    probability, interval = _share(claim.conditions, measures)
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
            ConditionResult(describe(condition), *_share([condition], measures))
            for condition in claim.conditions
        ),
        p05=p05,
        median=median,
        p95=p95,
        quantity=f"{_PHRASES[first.measure]} in {first.unit}",
        max_drawdown_median=float(np.median(measures.values["drawdown", first.unit])),
        organic_share=None if np.isnan(organic).all() else float(np.nanmedian(organic)),
        above=_above(claim.conditions, measures),
        met_at_start=False,
    )


_PHRASES = {
    "annual_yield": "yield a year",
    "total_return": "total return",
    "drawdown": "drawdown",
    "yield_deviation": "deviation of 30-day yields",
}


_HORIZONS = {"annual_yield": DAYS_PER_YEAR, "yield_deviation": 2 * YIELD_WINDOW_DAYS}


def describe(condition: Condition) -> str:
    """Return a condition as a phrase: `yield a year in ounces at least 8 %`."""
    bounds = [
        f"{word} {100 * bound:g} %"
        for word, bound in (("at least", condition.at_least), ("at most", condition.at_most))
        if bound is not None
    ]
    return f"{_PHRASES[condition.measure]} in {condition.unit} {' and '.join(bounds)}"


def holding(claim: ClaimTerms, measures: InvestorMeasures) -> BoolArray:
    """Return on which paths all conditions of a claim hold, shape (n_paths,)."""
    each = [_holds(condition, measures) for condition in claim.conditions]
    return np.asarray(np.logical_and.reduce(each))


def _holds(condition: Condition, measures: InvestorMeasures) -> BoolArray:
    values = measures.values[condition.measure, condition.unit]
    low = -math.inf if condition.at_least is None else condition.at_least
    high = math.inf if condition.at_most is None else condition.at_most
    return np.asarray((values >= low) & (values <= high))


def _share(
    conditions: Sequence[Condition], measures: InvestorMeasures
) -> tuple[float, tuple[float, float]]:
    """Return the share of paths on which all hold, with its interval; NaN if not testable."""
    if _untestable(conditions, measures):
        return math.nan, (math.nan, math.nan)
    together = np.logical_and.reduce([_holds(condition, measures) for condition in conditions])
    count, total = int(together.sum()), int(together.size)
    return count / total, share_interval(count, total)


def _above(
    conditions: Sequence[Condition], measures: InvestorMeasures
) -> tuple[float, float] | None:
    for condition in conditions:
        bound = condition.reported_above
        if bound is not None and not _untestable([condition], measures):
            measured = measures.values[condition.measure, condition.unit]
            return bound, float(np.mean(measured > bound))
    return None


def _untestable(conditions: Sequence[Condition], measures: InvestorMeasures) -> str:
    for condition in conditions:
        if np.isnan(measures.values[condition.measure, condition.unit]).any():
            days = _HORIZONS[condition.measure]
            return f"{_PHRASES[condition.measure]} needs a horizon of at least {days} days"
    return ""
