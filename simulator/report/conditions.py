"""A claim's conditions as rows, the same on the terminal and on the page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from simulator.claims.verdict import bound_words
from simulator.words import (
    difference,
    differences,
    figure,
    figures,
    interval,
    share,
    span,
    spoken,
    tabled,
)

if TYPE_CHECKING:
    from simulator.claims import Verdict
    from simulator.engine import Simulation
    from simulator.scenario.claims import ClaimTerms, Condition

NOT_TESTABLE = "not testable"


def condition_rows(simulation: Simulation, verdict: Verdict) -> Iterator[tuple[str, str, str]]:
    """Yield each condition, the share of paths that keep it, and the interval.

    Of an effect it is the difference in place of a share, of a premise the estimate.

    A measure that some path does not have (NaN) makes its condition not testable: a share
    of 0 % would be false.
    """
    claim = simulation.scenario.claims[verdict.claim]
    if not verdict.counted:
        for condition, result in zip(claim.conditions, verdict.conditions, strict=True):
            words = spoken(result.text)
            if verdict.kind == "effect":
                words = f"difference in {spoken(verdict.measured)} {_bounds(verdict, condition)}"
            yield words, told(verdict), told_range(verdict, verdict.interval)
        return
    for condition, result in zip(claim.conditions, verdict.conditions, strict=True):
        if np.isnan(simulation.outcomes.values(condition, claim.subject)).any():
            yield spoken(result.text), NOT_TESTABLE, ""
        else:
            yield spoken(result.text), tabled(result.probability), span(*result.interval)


def _bounds(verdict: Verdict, condition: Condition) -> str:
    """Return between what a claim says that a difference is."""
    found = (("at least", condition.at_least), ("at most", condition.at_most))
    said = [f"{words} {difference(end, verdict.scale)}" for words, end in found if end is not None]
    return " and ".join(said)


def told(verdict: Verdict) -> str:
    """Return what the word is about: a probability, a difference in points, an estimate."""
    if verdict.counted:
        return share(verdict.probability)
    if verdict.kind == "effect":
        return difference(verdict.estimate, verdict.scale)
    return figure(verdict.estimate, verdict.scale)


def told_range(verdict: Verdict, bounds: tuple[float, float]) -> str:
    """Return a range of what the word is about, in the same words."""
    if verdict.counted:
        return interval(bounds)
    if verdict.kind == "effect":
        return differences(bounds, verdict.scale)
    return figures(bounds, verdict.scale)


def measured(verdict: Verdict, value: float) -> str:
    """Return a number of the first condition's measure; that of a difference in points."""
    if verdict.compares:
        return difference(value, verdict.scale)
    return figure(value, verdict.scale)


def measured_range(verdict: Verdict) -> str:
    """Return the first condition's measure from p05 to p95."""
    bounds = verdict.p05, verdict.p95
    if verdict.compares:
        return differences(bounds, verdict.scale)
    return figures(bounds, verdict.scale)


def joint_row(verdict: Verdict) -> tuple[str, str, str]:
    """Return the share of paths that keep all conditions."""
    words = "all of them together"
    if verdict.reason:
        return words, NOT_TESTABLE, ""
    return words, tabled(verdict.probability), span(*verdict.interval)


def reported_bound(claim: ClaimTerms, limit: float) -> str:
    """Return a bound that is only reported, in the scale of its measure: `12 %`, `6,000`."""
    scale = next(c.scale for c in claim.conditions if c.reported_above == limit)
    return spoken(bound_words(limit, scale))
