"""A history's returns as moves times volatility, so that a bootstrap can start at today's.

A filter tells the variance h_i that each period i of the history had before it came, and what is
left is its move z_i:

    r_i - mean = sqrt(h_i) z_i,   h_(i+1) = (1 - p) v + a min(e_i^2, 36 h_i) + (p - a) h_i <= 20 v

with e the deviations from the mean and v their variance. News weight a and persistence p are those
of a grid with the largest normal likelihood. Where a path draws the period i on its k-th tick, the
log price moves by

    z_i exp(level_k + weight_k ln sqrt(h_i)),   weight_k^2 = 1 - p^(2 (k - 1))

On the first tick all periods have today's volatility, whatever was theirs; later they get their own
back, as an autoregression of the log volatility forgets where it began. The level is such that the
variance of the k-th tick is the filter's forecast exactly: v + p^(k-1) (variance at the start - v).

A move among the worst 2.5 % of its side (10 at least) is drawn anew each time from a generalised
Pareto distribution that is fitted to them, bounded at twice the largest or 15 deviations:

    size = min(shift + factor exp(shape x), bound),   x = -ln(uniform), exponentially distributed

All assets share x, so that a bad day is bad for all that have it in their tails. Moves are scaled
to keep the history's variance.

References
----------
Barone-Adesi, Giannopoulos, Vosper (1999), VaR without correlations, Journal of Futures Markets 19.
Hull and White (1998), doi:10.21314/JOR.1998.001.
McNeil and Frey (2000), doi:10.1016/S0927-5398(00)00012-8.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special

from simulator.jit import kernel
from simulator.market.kernels import MAX_SHOCK
from simulator.market.pareto import fit_pareto
from simulator.units import FloatArray

TAIL_SHARE = 0.025
LEAST_TAIL = 10
SHAPES = (0.01, 0.4)
"""At least an exponential tail, which has no end; a fourth moment that is hardly infinite."""
MOST_VARIANCE = 20.0
MOST_NEWS = 36.0
_NEWS = (0.0, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.13, 0.16, 0.2)
_PERSISTENCE = (0.5, 0.7, 0.8, 0.9, 0.94, 0.96, 0.97, 0.98, 0.985, 0.99, 0.995)
_MOST_BEYOND = 2.0
_LEAST_EXCESS = 1e-9
_SIDES = (-1, 1)
_LENGTHS = (0, 1, 3)
"""Of a tail's numbers, those that are sizes of moves."""


@functools.cache
def _exponential() -> tuple[FloatArray, FloatArray]:
    """Return points and weights for means over an exponential draw, shape (32,) each.

    Not at the top: to find them loads linear algebra, and most models need none.
    """
    points, weights = special.roots_laguerre(32)
    return points, weights


class Filter(NamedTuple):
    """A fitted variance filter.

    variance : (n_periods + 1,), of each period before it came, and of the next one
    """

    news: float
    persistence: float
    variance: FloatArray


def fit_filter(returns: FloatArray) -> Filter:
    """Return the filter of the grid with the largest normal likelihood.

    Parameters
    ----------
    returns : ndarray of shape (n_periods,)
    """
    squares = (returns - returns.mean()) ** 2
    pairs = [(a, p) for a, p in itertools.product(_NEWS, _PERSISTENCE) if a < p]
    variance = np.empty(squares.size + 1)
    losses = [filter_variance(squares, *pair, variance) for pair in pairs]
    news, persistence = pairs[int(np.argmin(losses))]
    filter_variance(squares, news, persistence, variance)
    return Filter(news, persistence, variance)


@kernel
def filter_variance(
    squares: FloatArray, news: float, persistence: float, variance: FloatArray
) -> float:
    """Write the variances of a filter, and return -2 ln of its normal likelihood.

    Parameters
    ----------
    squares : ndarray of shape (n_periods,)
        Squared deviations from the mean.
    variance : ndarray of shape (n_periods + 1,)
    """
    long_run = squares.mean()
    loss = 0.0
    variance[0] = long_run
    for period in range(squares.size):
        h = variance[period]
        loss += np.log(h) + squares[period] / h
        shock = min(squares[period], MOST_NEWS * h)
        following = (1 - persistence) * long_run + news * shock + (persistence - news) * h
        variance[period + 1] = min(following, MOST_VARIANCE * long_run)
    return loss


@dataclass(frozen=True, eq=False)
class Smoothed:
    """A history of one or more assets, as moves and volatilities.

    moves : (n_assets, n_periods), where they are in no tail
    sides : (n_assets, n_periods), -1 in the lower tail, 1 in the upper one, 0 in none
    tails : (n_assets, 2, 4), shift, factor, shape and bound of the lower and of the upper tail
    log_sd : (n_assets, n_periods), ln of the filtered volatility
    squares : (n_assets, n_periods), mean squares of the moves
    long_run, start : (n_assets,), variance of a period in the long run, and of the first one
    persistence : (n_assets,)
    """

    moves: FloatArray
    sides: FloatArray
    tails: FloatArray
    log_sd: FloatArray
    squares: FloatArray
    long_run: FloatArray
    start: FloatArray
    persistence: FloatArray

    def levels(self, n_ticks: int) -> FloatArray:
        """Return level and weight of each tick, shape (n_assets, n_ticks, 2)."""
        left = self.persistence[:, None] ** np.arange(n_ticks)
        found = np.empty((len(left), n_ticks, 2))
        found[:, :, 1] = np.sqrt(1 - left**2)
        wanted = self.long_run[:, None] + left * (self.start - self.long_run)[:, None]
        for tick in range(n_ticks):
            own = np.exp(2 * found[:, tick, 1, None] * self.log_sd)
            found[:, tick, 0] = np.log(wanted[:, tick] / (self.squares * own).mean(axis=1)) / 2
        return found

    def growths(self, n_ticks: int) -> Iterator[FloatArray]:
        """Yield for each tick the mean of exp(return) of each period, (n_assets, n_periods)."""
        points, weights = _exponential()
        for level in self.levels(n_ticks).swapaxes(0, 1):
            scale = np.exp(level[:, :1] + level[:, 1:] * self.log_sd)
            growth = np.exp(scale * self.moves)
            for asset, place in np.ndindex(self.tails.shape[:2]):
                side = _SIDES[place]
                drawn = self.sides[asset] == side
                sizes = side * tail_sizes(self.tails[asset, place], points)
                growth[asset, drawn] = np.exp(np.outer(scale[asset, drawn], sizes)) @ weights
            yield growth


def smoothed(returns: FloatArray, start: FloatArray | None = None) -> Smoothed:
    """Return a history as moves and volatilities.

    Parameters
    ----------
    returns : ndarray of shape (n_assets, n_periods), log returns
    start : ndarray of shape (n_assets,), optional
        Variance of the first period; by default, and where it is NaN, the filter's own.
    """
    filters = [fit_filter(row) for row in returns]
    variance = np.stack([found.variance for found in filters])
    before, own = variance[:, :-1], variance[:, -1]
    long_run = returns.var(axis=1)
    moves = (returns - returns.mean(axis=1, keepdims=True)) / np.sqrt(before)
    sides = np.zeros_like(moves)
    tails = np.empty((len(moves), 2, 4))
    squares = moves**2
    points, weights = _exponential()
    for asset, place in np.ndindex(tails.shape[:2]):
        side = _SIDES[place]
        drawn, tails[asset, place] = _tail(side * moves[asset])
        sides[asset, drawn] = side
        squares[asset, drawn] = tail_sizes(tails[asset, place], points) ** 2 @ weights
    kept = np.sqrt(long_run / (squares * before).mean(axis=1))
    tails[:, :, _LENGTHS] *= kept[:, None, None]
    return Smoothed(
        moves=moves * kept[:, None],
        sides=sides,
        tails=tails,
        log_sd=np.log(before) / 2,
        squares=squares * kept[:, None] ** 2,
        long_run=long_run,
        start=own if start is None else np.where(np.isnan(start), own, start),
        persistence=np.array([found.persistence for found in filters]),
    )


def _tail(sizes: FloatArray) -> tuple[npt.NDArray[np.int64], FloatArray]:
    """Return the places of the largest sizes, shape (n_tail,), and their law, shape (4,).

    `sizes` is of shape (n_periods,).
    """
    count = max(LEAST_TAIL, math.ceil(TAIL_SHARE * sizes.size))
    order = np.argsort(-sizes, kind="stable")
    places, threshold = order[:count], float(sizes[order[count]])
    # equal sizes, as of prices with a limit, have no excess: a fit needs one
    pareto = fit_pareto(np.maximum(sizes[places] - threshold, _LEAST_EXCESS), SHAPES)
    factor = pareto.scale / pareto.shape
    bound = max(MAX_SHOCK, _MOST_BEYOND * float(sizes[places[0]]))
    return places, np.array([threshold - factor, factor, pareto.shape, bound])


def tail_sizes(tail: FloatArray, draws: FloatArray) -> FloatArray:
    """Return sizes of moves in a tail.

    Parameters
    ----------
    tail : ndarray of shape (4,), shift, factor, shape and bound
    draws : ndarray of shape (n,), exponentially distributed
    """
    shift, factor, shape, bound = tail.tolist()
    sizes: FloatArray = np.minimum(shift + factor * np.exp(shape * draws), bound)
    return sizes
