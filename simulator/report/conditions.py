"""A claim's conditions as rows, the same on the terminal and on the page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from simulator.claims.verdict import bound_words
from simulator.words import figures, interval, share, spoken

if TYPE_CHECKING:
    from simulator.claims import Verdict
    from simulator.engine import Simulation
    from simulator.scenario.claims import ClaimTerms

NOT_TESTABLE = "not testable"


def condition_rows(simulation: Simulation, verdict: Verdict) -> Iterator[tuple[str, str, str]]:
    """Yield each condition, the share of paths that keep it, and the interval.

    Of an effect or a premise there is no share; the interval is that of the estimate.

    A measure that some path does not have (NaN) makes its condition not testable: a share
    of 0 % would be false.
    """
    if verdict.kind != "event":
        for result in verdict.conditions:
            yield spoken(result.text), "", figures(verdict.interval, verdict.scale)
        return
    claim = simulation.scenario.claims[verdict.claim]
    for condition, result in zip(claim.conditions, verdict.conditions, strict=True):
        if np.isnan(simulation.outcomes.values(condition, claim.subject)).any():
            yield spoken(result.text), NOT_TESTABLE, ""
        else:
            yield spoken(result.text), share(result.probability), interval(result.interval)


def joint_row(verdict: Verdict) -> tuple[str, str, str]:
    """Return the share of paths that keep all conditions."""
    words = "all of them together"
    if verdict.reason:
        return words, NOT_TESTABLE, ""
    return words, share(verdict.probability), interval(verdict.interval)


def reported_bound(claim: ClaimTerms, limit: float) -> str:
    """Return a bound that is only reported, in the scale of its measure: `12 %`, `6,000`."""
    scale = next(c.scale for c in claim.conditions if c.reported_above == limit)
    return spoken(bound_words(limit, scale))
