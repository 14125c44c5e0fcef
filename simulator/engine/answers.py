"""One claim of one world: simulated, judged, and path by path."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from simulator.claims import Outcomes, Verdict, judge_events
from simulator.claims.outcomes import series_conditions
from simulator.claims.verdict import shares_of
from simulator.engine.inputs import find_claim
from simulator.engine.prune import of_the_market_alone, pruned
from simulator.engine.simulate import simulate, simulate_series
from simulator.engine.verdicts import NO_CHANGE, contrast, judge_effect, sides
from simulator.errors import UsageError
from simulator.scenario.calibration import Calibration
from simulator.scenario.claims import ClaimTerms
from simulator.scenario.files import with_changes
from simulator.scenario.models import Scenario
from simulator.units import FloatArray


class NotTestable(UsageError):
    """A claim that cannot be put to the test in a world."""


@dataclass(frozen=True)
class Answer:
    """What the paths say of a claim.

    Attributes
    ----------
    statistic : str
        Of an event the mean of what is 1 where all conditions hold.
    first, second : ndarray of shape (n_paths,)
        The statistic of one less that of the other is what the claim is asked about: an event's
        probability (its second is 0), an effect's difference.
    turns_at : tuple of float
        Between which values the claim is kept: from 1/2 on, or an effect's bounds.
    """

    verdict: Verdict
    statistic: str
    first: FloatArray
    second: FloatArray
    turns_at: tuple[float, float]

    @property
    def told(self) -> float:
        """Return the probability of an event, the estimate of an effect."""
        event = self.verdict.kind == "event"
        return self.verdict.probability if event else self.verdict.estimate

    @property
    def error(self) -> float:
        """Return the sampling standard error of what is told."""
        return contrast(self.statistic, (self.first,), (self.second,))[1]

    @property
    def excess(self) -> float:
        """Return how far inside its bounds it lies, negative outside.

        NaN where an effect's sides are the same and its bound is 0: that is neither.
        """
        low, high = self.turns_at
        inside = min(self.told - low, high - self.told)
        return math.nan if self.verdict.reason and inside == 0 else inside


def find_question(scenario: Scenario, claim: str) -> str:
    """Return `claim`, if the scenario has it and paths can answer it.

    Raises
    ------
    UsageError
        There is no such claim, or it is a premise.
    """
    find_claim(scenario, claim)
    if scenario.claims[claim].kind == "premise":
        why = "it is judged on history, and no parameter of the world moves it"
        raise UsageError(f"claim {claim} is a premise: {why}")
    return claim


def ask(
    scenario: Scenario, calibration: Calibration, claim: str, workers: int | None = None
) -> Answer:
    """Simulate a scenario and put one of its claims to the test.

    Only what the claim is about is simulated. Worlds of the same seed and number of paths share
    their random numbers path by path. An effect whose sides are the same has an answer too: 0.

    Raises
    ------
    UsageError
        As `find_question`.
    NotTestable
        It has no number on some path there.
    """
    terms = scenario.claims[find_question(scenario, claim)]
    small = pruned(scenario, claim)
    own = _outcomes(small, calibration, terms, workers)
    if terms.kind == "event":
        return _event(claim, terms, own)
    other = own
    if terms.change is not None:
        changed = with_changes(small, terms.change, f"claims.{claim}.change")
        other = _outcomes(changed, calibration, terms, workers)
    return _effect(claim, terms, own, other)


def _outcomes(
    scenario: Scenario, calibration: Calibration, terms: ClaimTerms, workers: int | None
) -> Outcomes:
    if of_the_market_alone(terms):
        wanted = series_conditions(scenario.claims).values()
        return simulate_series(scenario, calibration, wanted, workers=workers)
    return simulate(scenario, calibration, workers=workers, details=False).outcomes


def _event(claim: str, terms: ClaimTerms, outcomes: Outcomes) -> Answer:
    (verdict,) = judge_events({claim: terms}, outcomes)
    _check(verdict)
    holds = shares_of(terms, outcomes)
    return Answer(verdict, "mean", holds, np.zeros_like(holds), (0.5, math.inf))


def _effect(claim: str, terms: ClaimTerms, own: Outcomes, other: Outcomes) -> Answer:
    verdict = judge_effect(claim, terms, own, other)
    if verdict.reason != NO_CHANGE:
        _check(verdict)
    (condition,) = terms.conditions
    low = -math.inf if condition.at_least is None else condition.at_least
    high = math.inf if condition.at_most is None else condition.at_most
    return Answer(verdict, terms.statistic, *sides(terms, own, other), (low, high))


def _check(verdict: Verdict) -> None:
    if verdict.reason:
        raise NotTestable(f"claim {verdict.claim} is not testable here: {verdict.reason}")
