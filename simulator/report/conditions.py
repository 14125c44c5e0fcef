"""A claim's conditions as rows, the same on the terminal and on the page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from simulator.report.words import interval, share, spoken

if TYPE_CHECKING:
    from simulator.claims import Verdict
    from simulator.engine import Simulation

NOT_TESTABLE = "not testable"


def condition_rows(simulation: Simulation, verdict: Verdict) -> Iterator[tuple[str, str, str]]:
    """Yield each condition, the share of paths that keep it, and the interval.

    A measure that some path does not have (NaN) makes its condition not testable: a share
    of 0 % would be false.
    """
    terms = simulation.scenario.claims[verdict.claim].conditions
    values = simulation.investors[verdict.subject].values
    for condition, result in zip(terms, verdict.conditions, strict=True):
        if np.isnan(values[condition.measure, condition.unit]).any():
            yield spoken(result.text), NOT_TESTABLE, ""
        else:
            yield spoken(result.text), share(result.probability), interval(result.interval)


def joint_row(verdict: Verdict) -> tuple[str, str, str]:
    """Return the share of paths that keep all conditions."""
    words = "all of them together"
    if verdict.reason:
        return words, NOT_TESTABLE, ""
    return words, share(verdict.probability), interval(verdict.interval)
