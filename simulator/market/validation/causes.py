"""Why a figure misses its band: what the model lacks, and what it would say without the lack.

A cause names the cells it speaks of and, where it can be switched off, a market without it. The
figure of that market is shown beside the miss: an explanation that does not move it towards the
band would be none. These markets explain; none of them is used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from simulator.market.dynamics import Garch, MarketSpec
from simulator.market.validation.compare import Compared, matched, simulated_figures
from simulator.market.validation.past import Past
from simulator.market.validation.statistics import ASSET_FIGURES, PAIR_FIGURES
from simulator.units import FloatArray

LONGER_MEMORY = 0.995
SHORTER_MEMORY = 0.97
THINNER_TAIL = 8
_CAPPED = 0.9845
"""A persistence above this was lowered to the cap of .985, but for rounding."""

CHANCE = 0.25

METALS = ("gold", "silver", "copper")
SHARES = ("big_tech", "small_caps")


@dataclass(frozen=True)
class Cause:
    """A reason for misses.

    head, words : what a reader is told
    speaks_of : whether a missed cell is its
    without : the market without the cause; None where no switch exists
    change : what the other market has instead, in a few words
    """

    head: str
    words: str
    speaks_of: Callable[[Compared], bool]
    without: Callable[[MarketSpec], MarketSpec] | None = None
    change: str = ""


@dataclass(frozen=True)
class Explained:
    """A miss with its cause; `otherwise` is the figure of the market without the cause."""

    row: Compared
    cause: Cause | None
    otherwise: float | None = None

    @property
    def cured(self) -> bool:
        """Return whether the figure lies within the band once the cause is gone."""
        if self.otherwise is None:
            return False
        return self.row.low <= self.otherwise <= self.row.high


def with_persistence(spec: MarketSpec, persistence: float) -> MarketSpec:
    """Return the market with another persistence wherever it stands at the cap."""
    if spec.garch is None:
        return spec
    garch: Garch = spec.garch
    moved = np.where(garch.persistence >= _CAPPED, persistence - garch.persistence, 0.0)
    return replace(spec, garch=replace(garch, beta=garch.beta + moved))


def diffusion_alone(spec: MarketSpec) -> MarketSpec:
    """Return the market without factors, regimes and pull."""
    return replace(spec, model="garch", macro=None) if spec.model == "macro" else spec


def _beyond(row: Compared) -> float:
    """Return how far the figure lies from its band, in widths of the band."""
    return max(row.low - row.simulated, row.simulated - row.high) / (row.high - row.low)


def _is(row: Compared, subjects: Sequence[str], *figures: str) -> bool:
    return row.cell.subject in subjects and row.cell.figure.startswith(figures)


CAUSES = (
    Cause(
        head="The persistence of the variance is capped at 0.985.",
        words="The fits of gold, silver, copper and big tech ask for more, silver's and gold's for "
        "1.0, where the long-run variance means nothing. Under the cap clusters of volatility "
        "fade too soon, which takes kurtosis and memory from the metals. In the macro model a part "
        "of their variance comes from factors that do not cluster and dilutes it further.",
        speaks_of=lambda row: (
            (_is(row, METALS, "kurtosis", "autocorrelation") and row.simulated < row.low)
            or (_is(row, SHARES, "autocorrelation") and row.simulated < row.low)
        ),
        without=lambda spec: with_persistence(spec, LONGER_MEMORY),
        change=f"persistence {LONGER_MEMORY:g}",
    ),
    Cause(
        head="The tail of all assets has one index.",
        words="A multivariate t has one number of degrees of freedom, here 6; big tech's own are "
        "about 7, small caps' 13. Their leverage (a fall stirs them, a rise hardly) makes tails "
        "by itself, and both together make too many: extremes too large, ordinary falls too "
        "small.",
        speaks_of=lambda row: (
            _is(row, SHARES, "kurtosis") or (_is(row, SHARES, "q") and row.cell.days <= 5)
        ),
        without=lambda spec: with_persistence(replace(spec, dof=THINNER_TAIL), SHORTER_MEMORY),
        change=f"{THINNER_TAIL} degrees of freedom and persistence {SHORTER_MEMORY:g}",
    ),
    Cause(
        head="Quarters are nearer to normal than clusters of volatility leave them.",
        words="Maximum likelihood listens to days. The memory of Bitcoin's |r| over weeks and "
        "months is shorter than the cap leaves it, and its and gold's returns of a quarter are "
        "nearly normal. Gold's days ask for a longer memory and its quarters for a shorter one: "
        "one GARCH(1,1) cannot give both.",
        speaks_of=lambda row: (
            row.simulated > row.high
            and _is(row, (*METALS, "bitcoin"), "kurtosis", "autocorrelation")
        ),
        without=lambda spec: with_persistence(spec, SHORTER_MEMORY),
        change=f"persistence {SHORTER_MEMORY:g}",
    ),
    Cause(
        head="Simulated days do not depend on the days before in sign.",
        words="The variance of gold's 60-day returns is 0.73 of sixty days' variances: within a "
        "quarter gold has tended to come back. A model of independent signs keeps them equal, and "
        "its quarters are wider. On 25 years that is two to three standard errors of independent "
        "days; to build it in would promise that dips are bought back.",
        speaks_of=lambda row: _is(row, METALS, "volatility", "q") and row.cell.days >= 20,
    ),
    Cause(
        head="Silver has drifts of its own in the macro model.",
        words="Its balance of supply and demand and the pull of the gold-silver ratio move it "
        "apart from gold, on top of a correlation that was fitted to days on which they did so "
        "too.",
        speaks_of=lambda row: row.cell.subject == "gold-silver" and row.simulated < row.low,
        without=diffusion_alone,
        change="the diffusion alone (model garch)",
    ),
    Cause(
        head="Correlations are one matrix for calm and stress.",
        words="The shared chi-square makes large days common, and regimes raise correlations a "
        "little, but a crisis pulls pairs together that are nearly strangers in calm; the mean of "
        "both is fitted.",
        speaks_of=lambda row: "-" in row.cell.subject,
    ),
    Cause(
        head="Chance.",
        words="The figure lies beyond the band by less than a quarter of the band's width, and no "
        "cause stands out. On a market that is known, one figure in eight misses.",
        speaks_of=lambda row: _beyond(row) < CHANCE,
    ),
)


def cause_of(row: Compared, causes: Sequence[Cause] = CAUSES) -> Cause | None:
    """Return the first cause that speaks of a missed cell; None: it is not explained."""
    return next((cause for cause in causes if cause.speaks_of(row)), None)


def explain(
    rows: Sequence[Compared],
    spec: MarketSpec,
    pasts: Mapping[str, Past],
    *,
    histories: int,
    seed: int,
    progress: Callable[[str], None] = lambda what: None,
) -> list[Explained]:
    """Return every miss with its cause and the figure without the cause."""
    missed = [(row, cause_of(row)) for row in rows if not row.inside]
    found: dict[int, dict[str, FloatArray]] = {}
    for _, cause in missed:
        if cause is not None and cause.without is not None and id(cause) not in found:
            progress(f"without: {cause.head}")
            shared = {asset: pasts[asset] for asset in spec.assets if asset in pasts}
            other = matched(cause.without(spec), shared)
            figures = simulated_figures(other, shared, histories, seed)
            found[id(cause)] = {name: np.median(of, axis=0) for name, of in figures.items()}
    return [Explained(row, cause, _otherwise(row, found.get(id(cause)))) for row, cause in missed]


def _otherwise(row: Compared, medians: Mapping[str, FloatArray] | None) -> float | None:
    if medians is None:
        return None
    names = PAIR_FIGURES if "-" in row.cell.subject else ASSET_FIGURES
    return float(medians[row.cell.subject][names.index((row.cell.figure, row.cell.days))])
