"""Losses that come once in 10, 100 and 1,000 years: extreme-value theory beside a model.

A *loss of 1 in N years* is the daily log loss x that is exceeded once in N years on average:
P(loss > x) = 1 / (N * days a year). It is a quantile of single days; that bad days come in
clusters does not move it.

- From the history: a generalised Pareto distribution is fitted to what the worst 2.5 % of the days
  lose beyond their threshold u. With k of n days beyond it,

      x = u + excess(n / (k * N * days a year))

- The interval is that of the profile likelihood over shape and share of days beyond u. Days in a
  cluster say one thing several times: the log likelihood is multiplied by the extremal index
  (Ferro and Segers), the inverse of a cluster's mean size.
- From a model: the same quantile of the days of simulated histories.

The threshold and the interval were chosen on samples of known laws of 6,400 days (t with 3, 4 and
6 degrees of freedom, GARCH), before a real history was seen: at the worst 5 % the t's tail is not
yet Pareto's and the interval holds too seldom (78 to 89 %); without the index it holds 65 to 80 %
of the time where days cluster. As chosen it holds 85 to 94 %.

References
----------
Coles (2001), An Introduction to Statistical Modeling of Extreme Values, chapter 4.
Ferro and Segers (2003), doi:10.1111/1467-9868.00401.
Ribatet, Cooley and Davison (2012), doi:10.5705/ss.2009.248: scaled likelihoods.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import optimize, special

from simulator.market.bootstrap import History
from simulator.market.dynamics import MarketSpec, fill
from simulator.market.history import best_block
from simulator.market.pareto import SHAPES, Pareto, fit_pareto, log_likelihood, stretch
from simulator.market.validation.past import Past
from simulator.units import DAYS_PER_YEAR, LANES, FloatArray

YEARS = (10, 100, 1000)
TAIL_SHARE = 0.025
OTHER_SHARES = (0.01, 0.015, TAIL_SHARE, 0.05, 0.1)
CONFIDENCE = 0.90
MOST_OFF = 2.0
"""The model's loss is at most so many times the history's, and at least one such part."""
KEPT_SHARE = 0.004
"""Of the days of a block: ten times those beyond the loss of 1 in 10 years."""
_LONGEST_LOG = 8.0
_STEP = 0.2
_ROUGH = 1e-3
"""Of the log likelihood, the shape and the ends: a hundredth of what an interval is wide."""

Places = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Level:
    """A loss of 1 in so many years with its interval; log losses a day."""

    years: int
    estimate: float
    low: float
    high: float


@dataclass(frozen=True)
class Tail:
    """The tail of a history's daily losses.

    threshold : log loss a day
    days, beyond : returns of the history, and how many of them lose more
    days_a_year : of the history's own calendar
    index : extremal index, the inverse of the mean number of days in a cluster
    """

    asset: str
    threshold: float
    days: int
    beyond: int
    days_a_year: float
    index: float
    pareto: Pareto
    levels: tuple[Level, ...]


@dataclass(frozen=True)
class Held:
    """One level of a history beside a model's."""

    asset: str
    level: Level
    simulated: float

    @property
    def inside(self) -> bool:
        """Return whether the model's loss lies within the interval."""
        return self.level.low <= self.simulated <= self.level.high

    @property
    def near(self) -> bool:
        """Return whether the model's loss is within a factor of two of the history's."""
        return 1 / MOST_OFF <= self.simulated / self.level.estimate <= MOST_OFF


def days_a_year(past: Past) -> float:
    """Return the returns of a calendar year of the history."""
    return past.returns.size / float(past.days[-1] - past.days[0]) * DAYS_PER_YEAR


def tail_of(past: Past) -> Tail:
    """Return the tail of a history with its losses of 1 in `YEARS` years."""
    losses = -past.returns
    return loss_tail(past.asset, losses, days_a_year(past))


def losses_by_threshold(past: Past, years: float = 1_000.0) -> dict[float, float]:
    """Return the log loss of 1 in so many years by the share of days that the fit takes in."""
    losses, a_year = -past.returns, days_a_year(past)
    found = {}
    for taken in OTHER_SHARES:
        threshold = float(np.quantile(losses, 1 - taken))
        pareto = fit_pareto(losses[losses > threshold] - threshold)
        found[taken] = threshold + pareto.excess(1 / (years * a_year) / taken)
    return found


def loss_tail(asset: str, losses: FloatArray, a_year: float) -> Tail:
    """Return the tail of daily losses.

    Parameters
    ----------
    losses : ndarray of shape (n_days,), log losses in the order of the days
    a_year : days of a year
    """
    threshold = float(np.quantile(losses, 1 - TAIL_SHARE))
    places = np.flatnonzero(losses > threshold)
    excesses = losses[places] - threshold
    beyond = _Beyond(excesses, losses.size, extremal_index(places), fit_pareto(excesses))
    levels = []
    for years in YEARS:
        share = 1 / (years * a_year)
        found = (beyond.excess(share), *beyond.interval(share))
        levels.append(Level(years, *(threshold + excess for excess in found)))
    return Tail(
        asset=asset,
        threshold=threshold,
        days=losses.size,
        beyond=excesses.size,
        days_a_year=a_year,
        index=beyond.index,
        pareto=beyond.pareto,
        levels=tuple(levels),
    )


@dataclass(frozen=True)
class _Beyond:
    """What lies beyond a threshold, with its fit; `excesses` of shape (n,)."""

    excesses: FloatArray
    days: int
    index: float
    pareto: Pareto

    def excess(self, share: float) -> float:
        """Return the excess that a share of all days goes beyond."""
        return self.pareto.excess(share * self.days / self.excesses.size)

    def interval(self, share: float) -> tuple[float, float]:
        """Return the excesses whose profile likelihood is not refused at the confidence."""
        middle = math.log(self.excess(share))
        room = float(special.chdtri(1, 1 - CONFIDENCE)) / (2 * self.index)
        best = self._likelihood(self.pareto.scale, self.pareto.shape, 1.0)

        def too_low(log_excess: float) -> float:
            return best - self._profile(math.exp(log_excess), share) - room

        ends = []
        for step in (-_STEP, _STEP):
            end = middle + step
            while too_low(end) < 0 and abs(end - middle) < _LONGEST_LOG:
                end += step
            found = optimize.brentq(too_low, end - step, end, xtol=_ROUGH)
            ends.append(math.exp(found))
        return ends[0], ends[1]

    def _profile(self, excess: float, share: float) -> float:
        """Return the largest log likelihood of tails with this excess at this share of days."""
        usual = share * self.days / self.excesses.size

        def lacking(point: FloatArray) -> float:
            shape, more = float(point[0]), math.exp(point[1])
            return -self._likelihood(excess / stretch(shape, usual / more), shape, more)

        found = optimize.minimize(
            lacking,
            [self.pareto.shape, 0.0],
            method="Nelder-Mead",
            bounds=[SHAPES, (-1.0, 1.0)],
            options={"xatol": _ROUGH, "fatol": _ROUGH},
        )
        return -float(found.fun)

    def _likelihood(self, scale: float, shape: float, more: float) -> float:
        """Return the log likelihood, where the days beyond are `more` times the expected ones.

        Their number is Poisson's; a constant is left out.
        """
        count = self.excesses.size
        return log_likelihood(self.excesses, scale, shape) + count * (math.log(more) - more)


def extremal_index(places: Places) -> float:
    """Return the inverse of the mean size of a cluster of days, by Ferro and Segers.

    Parameters
    ----------
    places : ndarray of shape (n,), int64, increasing
        The days beyond the threshold.
    """
    gaps = np.diff(places).astype(np.float64)
    if float(gaps.max()) <= 2:
        return min(1.0, 2 * float(gaps.sum()) ** 2 / (gaps.size * float(gaps @ gaps)))
    squares = float((gaps - 1) @ (gaps - 2))
    return min(1.0, 2 * float((gaps - 1).sum()) ** 2 / (gaps.size * squares))


@dataclass(frozen=True)
class Simulated:
    """The worst days of simulated histories.

    days : how many there were
    days_a_year : of the history's calendar
    worst : (n_kept,), log losses, the largest first
    """

    days: int
    days_a_year: float
    worst: FloatArray

    @property
    def years(self) -> float:
        """Return the years that were simulated."""
        return self.days / self.days_a_year

    def level(self, years: int) -> float:
        """Return the loss of 1 in so many years; nearest rank, at most the worst of all."""
        rank = round(self.years / years)
        return float(self.worst[max(rank, 1) - 1])


def simulated_extremes(
    spec: MarketSpec,
    pasts: Mapping[str, Past],
    histories: int,
    seed: int,
    progress: Callable[[str], None] = lambda what: None,
) -> dict[str, Simulated]:
    """Return the worst days of each asset over simulated histories, rounded up to full lanes.

    Parameters
    ----------
    spec : MarketSpec
        Over the days of the history, as `compare.matched` returns it.
    """
    first = spec.start.toordinal()
    rows = {asset: row for row, asset in enumerate(spec.assets) if asset in pasts}
    kept: dict[str, list[FloatArray]] = {asset: [] for asset in rows}
    block = np.empty((len(spec.assets), spec.n_steps + 1, LANES))
    starts = range(0, histories, LANES)
    for start in starts:
        progress(f"extremes of histories {start + 1} to {start + LANES}")
        fill(spec, seed, start, block)
        for asset, row in rows.items():
            losses = -np.diff(np.log(block[row, pasts[asset].days - first]), axis=0).ravel()
            count = math.ceil(KEPT_SHARE * losses.size)
            kept[asset].append(np.partition(losses, -count)[-count:])
    return {
        asset: Simulated(
            days=pasts[asset].returns.size * LANES * len(starts),
            days_a_year=days_a_year(pasts[asset]),
            worst=np.sort(np.concatenate(blocks))[::-1],
        )
        for asset, blocks in kept.items()
    }


def past_days_of(spec: MarketSpec, asset: str, past: Past) -> MarketSpec:
    """Return the bootstrap of one asset's own past, from its long-run variance on.

    Parameters
    ----------
    spec : MarketSpec
        Any market that has the asset.
    """
    row = slice(spec.assets.index(asset), spec.assets.index(asset) + 1)
    returns = past.returns[None, :]
    return replace(
        spec,
        assets=(asset,),
        model="bootstrap",
        spot=spec.spot[row],
        drift=spec.drift[row],
        volatility=returns.std(axis=1) * np.sqrt(spec.periods_per_year[row]),
        periods_per_year=spec.periods_per_year[row],
        cholesky=np.ones((1, 1)),
        trading=spec.trading[row],
        jumps=None,
        garch=None,
        macro=None,
        dof=6,
        history=History(returns, best_block(returns), smooth=True, start=returns.var(axis=1)),
    )


def held_against(tails: Sequence[Tail], simulated: Mapping[str, Simulated]) -> list[Held]:
    """Return every level of the histories beside the model's."""
    return [
        Held(tail.asset, level, simulated[tail.asset].level(level.years))
        for tail in tails
        for level in tail.levels
    ]
