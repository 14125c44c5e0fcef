"""One claim of one world: simulated, judged, and path by path."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.claims import Verdict, judge_events
from simulator.claims.verdict import holding
from simulator.engine.prune import pruned
from simulator.engine.simulate import simulate
from simulator.errors import UsageError
from simulator.scenario.calibration import Calibration
from simulator.scenario.models import Scenario
from simulator.units import BoolArray, FloatArray


@dataclass(frozen=True)
class Answer:
    """What the paths say of a claim.

    Attributes
    ----------
    holds : ndarray of bool, shape (n_paths,)
        On which paths all conditions hold.
    measured : ndarray of shape (n_paths,)
        The first condition's measure.
    """

    verdict: Verdict
    holds: BoolArray
    measured: FloatArray


def ask(
    scenario: Scenario, calibration: Calibration, claim: str, workers: int | None = None
) -> Answer:
    """Simulate a scenario and put one of its claims to the test.

    Only what the claim is about is simulated. Worlds of the same seed and number of paths share
    their random numbers path by path.

    Raises
    ------
    UsageError
        The claim is not testable there.
    """
    terms = scenario.claims[claim]
    if terms.kind != "event":
        rule = "only the probability of an event can be asked for"
        raise UsageError(f"claim {claim} is of kind {terms.kind}; {rule}")
    small = pruned(scenario, claim)
    outcomes = simulate(small, calibration, workers=workers, details=False).outcomes
    (verdict,) = judge_events({claim: terms}, outcomes)
    if verdict.reason:
        raise UsageError(f"claim {claim} is not testable here: {verdict.reason}")
    measured = outcomes.values(terms.conditions[0], terms.subject)
    return Answer(verdict, holding(terms, outcomes), measured)
