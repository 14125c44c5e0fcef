"""Why a figure of the history lies outside the simulated ones: what the model lacks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from simulator.market.validation.compare import Compared

METALS = ("gold", "silver", "copper")
CHANCE = 0.25


@dataclass(frozen=True)
class Cause:
    """A reason for misses.

    head, words : what a reader is told
    speaks_of : whether a cell outside is its
    """

    head: str
    words: str
    speaks_of: Callable[[Compared], bool]


def _beyond(row: Compared) -> float:
    """Return how far the history lies outside, in widths of the simulated range."""
    return max(row.low - row.historical, row.historical - row.high) / (row.high - row.low)


def _is(row: Compared, *figures: str) -> bool:
    return row.cell.figure.startswith(figures)


CAUSES = (
    Cause(
        head="Clusters and stress make extremes together.",
        words="The days of a stress are wild by their state, by the cluster that they stand in and "
        "by the tail of their shocks, and few of these days make the whole kurtosis. The three "
        "are fitted together, for nine assets: where an asset's own tail is thin, as copper's and "
        "big tech's, the simulated one is too thick. It errs on the side of caution.",
        speaks_of=lambda row: _is(row, "kurtosis", "q00.1", "q99.9") and row.historical < row.low,
    ),
    Cause(
        head="One weight of stress for all shares.",
        words="What ties shares together in a stress is one number for shares and one for gold "
        "miners; single pairs are tied more or less than that.",
        speaks_of=lambda row: "-" in row.cell.subject,
    ),
    Cause(
        head="Five years of altcoins are one boom.",
        words="Their quarters and years trended, up and down again; what they show of long returns "
        "is one observation, and drifts are no part of a fit.",
        speaks_of=lambda row: row.cell.subject == "altcoins" and row.cell.days >= 20,
    ),
    Cause(
        head="Simulated days do not depend on the days before in sign.",
        words="The variance of gold's 60-day returns is 0.73 of sixty days' variances: within a "
        "quarter gold has tended to come back. A model of independent signs keeps them equal, and "
        "its quarters are wider. On 25 years that is two to three standard errors of independent "
        "days; to build it in would promise that dips are bought back.",
        speaks_of=lambda row: row.cell.days >= 20 and _is(row, "volatility", "q"),
    ),
    Cause(
        head="The variance is bounded, for all assets alike.",
        words="How far it goes and how slowly it forgets have one bound each. At 12 times the "
        "long-run variance in place of 8 big tech's figure is inside, and one year of 100,000 "
        "loses 96 % of it.",
        speaks_of=lambda row: _is(row, "autocorrelation"),
    ),
    Cause(
        head="Chance.",
        words="The history lies outside by less than a quarter of the range's width, and no cause "
        "stands out. Of a true model one figure in ten is outside.",
        speaks_of=lambda row: _beyond(row) < CHANCE,
    ),
)


def cause_of(row: Compared, causes: Sequence[Cause] = CAUSES) -> Cause | None:
    """Return the first cause that speaks of a cell outside; None: it is not explained."""
    return next((cause for cause in causes if cause.speaks_of(row)), None)
