"""A claim against the measured paths: how likely, how deep the fall, from which source."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal

import numpy as np

from simulator.claims.mixes import StaticMix
from simulator.claims.outcomes import Outcomes
from simulator.claims.scale import NOT_DECIDED, Rating, is_decided, rate
from simulator.measures import YIELD_WINDOW_DAYS, share_interval
from simulator.scenario.claims import ClaimTerms, Condition
from simulator.units import DAYS_PER_YEAR, BoolArray, FloatArray
from simulator.words import Word


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
        The claim's name, event, effect or premise, the investor or series it is about, and the
        promoters' words.
    verdict : str
        One of `scale.WORDS`.
    reason : str
        Why it is not testable; otherwise empty.
    probability : float
        Of an event: share of paths on which all conditions hold; NaN where that is not
        testable. Of a premise: that of the factor where the run simulates it, else the
        confidence that it holds, given the estimate's error; NaN of an effect.
    interval : tuple of float
        95 % interval: of an event's share from sampling, of an effect's difference, of a
        premise's estimate.
    parameter_range : tuple of float or None
        Range over parameter sets of the probability, of an effect's difference; None where
        none were drawn.
    conditions : tuple of ConditionResult
        In the order of the claim, those that can be tested even where the claim cannot.
    p05, median, p95 : float
        Of the first condition's measure; NaN where it has none.
    quantity : str
        What that measure is, for the report.
    scale : str
        share where the numbers are fractions (0.08 = 8 %), level where they have a unit.
    max_drawdown_median : float
        In the first condition's unit, at exit value.
    organic_share : float or None
        Median of organic over positive income, of the paths whose income no exploit or default
        ended; None where none of these had income.
    above : tuple of float, or None
        The first bound that is only reported, and the share of paths beyond it.
    met_at_start : bool
        Whether a target was met before the first step; never for yields.
    estimate : float
        Of an effect: the difference; of a premise: the historical estimate; NaN of an event.
    compared : str
        Of an effect: what is taken from what.
    by_assumption : bool
        Whether the world assumes what the claim says, as a premise's world does.
    note : str
        What a reader should know.
    likelihood : float
        What the word is about: how likely the statement is, given sampling and estimation error.
        An event's mean probability over the parameter sets, the share of sets in which an effect
        holds; of the run itself where none were drawn. NaN where it is not testable.
    firm : bool or None
        Whether the range over the parameter sets stays within the word; None where none were
        drawn, or where no word of the scale is said.
    could_be : str
        The neighbouring word where it is not firm.
    paths : int
        Paths of the world, or of each parameter set, behind the likelihood: those that are left
        where something is given; 0 of history alone.
    given : str
        Of a conditional event: the condition; only the paths on which it holds are counted.
    given_paths : int
        How many paths of the run these are.
    organic_paths : float
        The share of paths that the organic share is of; NaN where there is none.
    assumption_range : tuple of float or None
        As `parameter_range`, over sets of what the scenario assumes; None where none were drawn.
    moved_most_by : str
        The assumption, by its dotted name, that moves the claim most over these sets; empty
        where none does more than chance would.
    moved_most : tuple of float or None
        The middle of its draws, and what the claim is in the mean below and above that.
    period : str
        What time the first condition's numbers are of: `a year`, `over 395 days`.
    unit : str
        What its levels are in, where that is known: `USD per troy ounce`; empty for shares.
    holds : float
        Of an effect in this world: 1 where its whole interval lies where the claim says, 0
        where outside, 0.5 where it holds the bound; NaN of others.
    follows_from : tuple of str
        The assumed figures, by their dotted names, that a verdict by assumption follows from.
    compares : bool
        Whether the first condition's numbers are differences, which are told in points.
    mixes : tuple of StaticMix
        Of a claim about an investor with a stop: the static mix that falls as deep.
    beside, history : str
        Of a premise whose factor is simulated: history's estimate in words, and the word that
        it earns by itself.
    """

    claim: str
    kind: Literal["event", "effect", "premise"]
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
    scale: Literal["share", "level"]
    max_drawdown_median: float
    organic_share: float | None
    above: tuple[float, float] | None
    met_at_start: bool
    estimate: float = math.nan
    compared: str = ""
    by_assumption: bool = False
    note: str = ""
    likelihood: float = math.nan
    firm: bool | None = None
    could_be: str = ""
    paths: int = 0
    holds: float = math.nan
    follows_from: tuple[str, ...] = ()
    compares: bool = False
    beside: str = ""
    history: str = ""
    given: str = ""
    given_paths: int = 0
    organic_paths: float = math.nan
    assumption_range: tuple[float, float] | None = None
    moved_most_by: str = ""
    moved_most: tuple[float, float, float] | None = None
    period: str = ""
    unit: str = ""
    mixes: tuple[StaticMix, ...] = ()

    def __repr__(self) -> str:
        return f"Verdict on {self.claim}: {self.words}{f', {self.reason}' if self.reason else ''}"

    @property
    def measured(self) -> str:
        """Return the quantity with its unit and period: `total return in usd over 395 days`."""
        unit = f", {self.unit}," if self.unit else ""
        period = "" if self.period in ("", A_YEAR) else f" {self.period}"
        return f"{self.quantity}{unit if period else unit.rstrip(',')}{period}"

    @property
    def counted(self) -> bool:
        """Return whether its probability is a share of paths: an event's, a simulated premise's."""
        return self.kind == "event" or bool(self.beside)

    @property
    def words(self) -> str:
        """Return the verdict as people say it: `unlikely, could be plausible`."""
        if self.verdict == "not decided":
            return f"not decided with {self.paths:,} path{'' if self.paths == 1 else 's'}"
        if self.could_be:
            return f"{self.verdict}, could be {self.could_be}"
        return f"{self.verdict}, firm" if self.firm else self.verdict


def settled(verdict: Verdict, rating: Rating) -> Verdict:
    """Return a verdict with its rating, or with what takes a rating's place.

    What has no number here is not testable, whatever it follows from. Nothing else is said of
    what follows from an assumption, nor of what is met on the first day.
    """
    if verdict.reason:
        rating = Rating("not testable")
    elif verdict.follows_from:
        rating = Rating("by assumption")
    elif verdict.met_at_start:
        rating = Rating("already met")
    return replace(verdict, verdict=rating.word, firm=rating.firm, could_be=rating.could_be)


def rate_event(
    probability: float, paths: int, reached: tuple[float, float] | None = None
) -> Rating:
    """Return the rating of a share of `paths` paths, a mean over sets where `reached` is given."""
    if math.isnan(probability):
        return Rating("not testable")
    sampling = share_interval(round(probability * paths), paths)
    return rate(probability, reached) if is_decided(sampling, reached) else NOT_DECIDED


def judge_events(claims: Mapping[str, ClaimTerms], outcomes: Outcomes) -> tuple[Verdict, ...]:
    """Return one verdict for each event among the claims, in their order."""
    return tuple(
        _judge(name, claim, outcomes) for name, claim in claims.items() if claim.kind == "event"
    )


def as_object(verdict: Verdict) -> dict[str, Any]:
    """Return a verdict as plain data for JSON, which knows no NaN: null stands for it."""
    plain: dict[str, Any] = _without_nan(asdict(verdict))
    return plain


def from_object(found: Mapping[str, Any]) -> Verdict:
    """Return the verdict that `as_object` made plain data of.

    Raises
    ------
    TypeError, KeyError
        It is not what `as_object` makes.
    """
    own = _with_nan(Verdict, found)
    conditions = tuple(ConditionResult(**_with_nan(ConditionResult, c)) for c in own["conditions"])
    return Verdict(
        **{**own, "conditions": conditions, "mixes": tuple(StaticMix(**m) for m in own["mixes"])}
    )


def _with_nan(kind: type[Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """Return plain data as fields of `kind` have it: tuples, NaN where null can be nothing else."""
    types = {field.name: str(field.type) for field in fields(kind)}
    return {name: _as_field(value, types[name]) for name, value in found.items()}


def _as_field(value: Any, kind: str) -> Any:
    if isinstance(value, list):
        return tuple(math.nan if item is None else item for item in value)
    return math.nan if value is None and kind == "float" else value


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def _judge(name: str, claim: ClaimTerms, outcomes: Outcomes) -> Verdict:
    first = claim.conditions[0]
    left = paths_left(claim, outcomes)
    reason = _untestable(claim, claim.measured, outcomes)
    if not left.any() and not reason:
        reason = f"none of {left.size:,} paths has what is given: {describe(claim.measured[-1])}"
    probability, interval = _share(claim, claim.conditions, outcomes)
    p05, median, p95 = _quantiles(outcomes.values(first, claim.subject)[left])
    fall = outcomes.drawdowns(first, claim.subject)[left]
    organic = outcomes.organic_share(claim.subject, left)
    found = Verdict(
        claim=name,
        kind="event",
        subject=claim.subject or str(first.series),
        text=claim.says,
        verdict="not testable",
        reason=reason,
        probability=probability,
        interval=interval,
        parameter_range=None,
        conditions=tuple(
            ConditionResult(describe(condition), *_share(claim, [condition], outcomes))
            for condition in claim.conditions
        ),
        p05=p05,
        median=median,
        p95=p95,
        quantity=quantity(first),
        scale=first.scale,
        max_drawdown_median=float(np.median(fall)) if fall.size else math.nan,
        organic_share=None if organic is None else organic[0],
        organic_paths=math.nan if organic is None else organic[1],
        above=_above(claim, outcomes),
        met_at_start=all(_met_at_start(c, outcomes) for c in claim.conditions),
        note=claim.note,
        likelihood=probability,
        paths=int(left.sum()),
        compares=first.over is not None,
        given="" if claim.given is None else describe(claim.given),
        given_paths=0 if claim.given is None else int(left.sum()),
    )
    return settled(found, rate_event(probability, int(left.sum())))


def _quantiles(values: FloatArray) -> tuple[float, float, float]:
    """Return p05, median and p95 of values of shape (n,); NaN of none."""
    if not values.size:
        return math.nan, math.nan, math.nan
    low, middle, high = (float(q) for q in np.quantile(values, (0.05, 0.5, 0.95)))
    return low, middle, high


_PHRASES = {
    "annual_yield": "yield a year",
    "total_return": "total return",
    "money_weighted_return": "money-weighted return",
    "drawdown": "drawdown",
    "ulcer": "Ulcer index",
    "volatility": "volatility a year",
    "expected_shortfall": "mean loss of the worst 5 % of days",
    "sortino": "Sortino ratio",
    "calmar": "Calmar ratio",
    "yield_deviation": "deviation of 30-day yields",
    "highest": "highest daily close",
    "lowest": "lowest daily close",
    "last": "last close",
    "mean": "mean daily close",
}


_HORIZONS = {
    "annual_yield": DAYS_PER_YEAR,
    "yield_deviation": 2 * YIELD_WINDOW_DAYS,
}
_NEEDS = {
    "calmar": f"it needs {DAYS_PER_YEAR} days and a fall",
    "sortino": "it needs a day that falls, and a value above zero until the end",
    "volatility": "it needs a value above zero until the end",
    "expected_shortfall": "it needs a value above zero until the end",
    "money_weighted_return": "no rate fits what came and went",
}
"""Why a measure may have no number on a path."""


A_YEAR = "a year"
_YEARLY = ("annual_yield", "volatility", "sortino", "calmar")


def period_of(condition: Condition, days: int) -> str:
    """Return what time a measure is of: a year where it is annualised, else the run's days."""
    if condition.measure in _YEARLY:
        return A_YEAR
    return f"{'after' if condition.measure == 'last' else 'over'} {days:,} days"


def quantity(condition: Condition) -> str:
    """Return what a condition measures: `yield a year in ounces`, `highest daily close of gold`."""
    phrase = _PHRASES[condition.measure]
    if condition.series is None:
        over = "" if condition.over is None else f", less that of {condition.over}"
        return f"{phrase} in {condition.unit}{over}"
    until = ""
    if condition.before_reaching is not None:
        until = f" before a close at {condition.before_reaching:,g}"
    return f"{phrase} of {series_words(condition.series)}{until}"


def no_number(condition: Condition) -> str:
    """Return why a condition cannot be tested where some path has no number of it."""
    why = _NEEDS.get(condition.measure)
    return f"{quantity(condition)} has no number on some path{f': {why}' if why else ''}"


def series_words(series: str) -> str:
    """Return a series as people say it: `gold`, `the gold/silver ratio`."""
    head, *rest = series.split(".")
    if head == "price":
        return rest[0].replace("_", " ")
    if head == "ratio":
        return f"the {'/'.join(rest)} ratio".replace("_", " ")
    if head == "factor":
        return rest[0].replace("_", " ")
    return f"{' '.join(rest)} of {head}".replace("_", " ")


def describe(condition: Condition) -> str:
    """Return a condition as a phrase: `yield a year in ounces at least 8 %`."""
    bounds = [
        f"{word} {bound_words(bound, condition.scale)}"
        for word, bound in (("at least", condition.at_least), ("at most", condition.at_most))
        if bound is not None
    ]
    return f"{quantity(condition)} {' and '.join(bounds)}"


def bound_words(bound: float, scale: str) -> str:
    """Return a bound as its author wrote it: 0.08 is `8 %`, 6000 is `6,000`."""
    if scale == "share":
        return f"{100 * bound:g} %"
    return f"{bound / 1e9:,.10g} bn" if abs(bound) >= 1e9 else f"{bound:,.10g}"


def paths_left(claim: ClaimTerms, outcomes: Outcomes) -> BoolArray:
    """Return on which paths what a claim is given holds, shape (n_paths,)."""
    if claim.given is not None:
        return _holds(claim.given, claim, outcomes)
    return np.ones(outcomes.values(claim.conditions[0], claim.subject).shape, dtype=bool)


def shares_of(claim: ClaimTerms, outcomes: Outcomes) -> FloatArray:
    """Return numbers whose mean is the share of paths that an event holds on, shape (n_paths,).

    1 where it holds and 0 where not. Given another condition B the share p is a ratio, and each
    path adds p + (holds - p) in B / P(B): in first order the ratio's error is that of their mean.
    """
    each = [_holds(condition, claim, outcomes) for condition in claim.conditions]
    holds: FloatArray = np.logical_and.reduce(each).astype(np.float64)
    left = paths_left(claim, outcomes)
    if left.all() or not left.any():
        return holds
    share = holds[left].mean()
    found: FloatArray = share + left * (holds - share) / left.mean()
    return found


def _holds(condition: Condition, claim: ClaimTerms, outcomes: Outcomes) -> BoolArray:
    return within(condition, outcomes.values(condition, claim.subject))


def within(condition: Condition, values: FloatArray) -> BoolArray:
    """Return where values, of any shape, lie within a condition's bounds, the bounds included."""
    low = -math.inf if condition.at_least is None else condition.at_least
    high = math.inf if condition.at_most is None else condition.at_most
    return np.asarray((values >= low) & (values <= high))


def _met_at_start(condition: Condition, outcomes: Outcomes) -> bool:
    """Return whether a series that is to reach a level is there on the first day already.

    What must never be passed, as a price that is to stay above its level, is reached by nobody.
    """
    reaches = {"highest": condition.at_least, "lowest": condition.at_most}
    if condition.series is None or reaches.get(condition.measure) is None:
        return False
    return bool(within(condition, np.array([outcomes.starts[condition.series]]))[0])


def _share(
    claim: ClaimTerms, conditions: Sequence[Condition], outcomes: Outcomes
) -> tuple[float, tuple[float, float]]:
    """Return the share of the paths left on which all hold, with its interval.

    NaN where that cannot be tested.
    """
    if _untestable(claim, conditions, outcomes):
        return math.nan, (math.nan, math.nan)
    left = paths_left(claim, outcomes)
    together = np.logical_and.reduce([left, *(_holds(c, claim, outcomes) for c in conditions)])
    count, total = int(together.sum()), int(left.sum())
    if total == 0:
        return math.nan, (math.nan, math.nan)
    return count / total, share_interval(count, total)


def _above(claim: ClaimTerms, outcomes: Outcomes) -> tuple[float, float] | None:
    for condition in claim.conditions:
        bound = condition.reported_above
        if bound is not None and not _untestable(claim, [condition], outcomes):
            measured = outcomes.values(condition, claim.subject)[paths_left(claim, outcomes)]
            return (bound, float(np.mean(measured > bound))) if measured.size else None
    return None


def _untestable(claim: ClaimTerms, conditions: Sequence[Condition], outcomes: Outcomes) -> str:
    for condition in conditions:
        if np.isnan(outcomes.values(condition, claim.subject)).any():
            days = _HORIZONS.get(condition.measure)
            if days is None:
                return no_number(condition)
            return f"{_PHRASES[condition.measure]} needs a horizon of at least {days} days"
    return ""
