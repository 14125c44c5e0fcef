"""Tables of the diffusion and its jumps, which all models but the bootstrap share."""

from __future__ import annotations

import functools

import numpy as np
from scipy import special

from simulator.jit import kernel
from simulator.market.draws import GROUP, MAX_JUMPS, Float32Array, IntArray
from simulator.market.kernels import MAX_NEWS, Tables
from simulator.market.philox import WordArray
from simulator.market.spec import Garch, Jumps, MarketFigures
from simulator.market.streams import diffusion_stream, jump_stream
from simulator.scenario.calibration import SMALLEST_EIGENVALUE
from simulator.scenario.correlation import nearest_correlation
from simulator.units import FloatArray

MAX_VARIANCE = 8.0
"""A variance is at most so many times its long-run value; the wildest half-years reached 3 to 7."""
MAX_MOVE = 20.0
"""A day's shock is at most so many long-run deviations: 1987's crash was 20 of the century's."""

_GRID_POINTS = 121


def diffusion_tables(
    spec: MarketFigures,
    jumps: Jumps | None,
    garch: Garch | None,
    tick_variance: FloatArray,
    correlation: FloatArray,
) -> Tables:
    """Return the tables of a diffusion, with jumps and GARCH or without.

    Parameters
    ----------
    tick_variance : ndarray of shape (n_assets,)
        Long-run variance of a trading day's shock.
    correlation : ndarray of shape (n_assets, n_assets)
        Of the normals.
    """
    n_assets = len(spec.assets)
    scale = np.ones_like(tick_variance) if garch else np.sqrt(tick_variance)
    tails = np.unique(spec.dofs // 2)
    cholesky = factor_of(correlation)
    rate = np.zeros(n_assets) if jumps is None else jumps.intensity
    size = np.zeros((n_assets, 2))
    if jumps is not None:
        size = np.column_stack([jumps.mean, jumps.sd])
    return Tables(
        spot=np.array(spec.spot, dtype=np.float64),
        log_spot=np.log(spec.spot),
        drift=landing_drift(spec, jumps, np.zeros_like(tick_variance) if garch else tick_variance),
        trading=np.array(spec.trading, dtype=np.bool_, order="C"),
        mixing=(cholesky * scale[:, None]).astype(np.float32),
        garch=_garch_table(garch, tick_variance, spec.dofs),
        streams=np.array(
            [[diffusion_stream(asset), jump_stream(asset)] for asset in spec.assets],
            dtype=np.uint32,
        ),
        thresholds=jump_thresholds(rate / spec.periods_per_year),
        jump_size=size.astype(np.float32),
        tails=tails,
        tail=np.searchsorted(tails, spec.dofs // 2),
        has_garch=garch is not None,
        has_jumps=jumps is not None,
    )


def diffusion_variance(spec: MarketFigures, jumps: Jumps | None) -> FloatArray:
    """Return what jumps leave of a trading day's variance, shape (n_assets,).

    Raises
    ------
    ValueError
        They leave nothing.
    """
    total = spec.volatility**2 / spec.periods_per_year
    if jumps is None:
        return total
    rest = total - jumps.variance(spec.periods_per_year)
    if np.any(rest < 0):
        short = ", ".join(n for n, left in zip(spec.assets, rest, strict=True) if left < 0)
        raise ValueError(
            f"the jumps alone have more variance than the volatility asked for of {short}"
        )
    return rest


def without_jumps(spec: MarketFigures, jumps: Jumps | None) -> FloatArray:
    """Return how shocks correlate if assets, with jumps of their own, do as asked.

    Returns
    -------
    ndarray of shape (n_assets, n_assets)
    """
    asked: FloatArray = spec.cholesky @ spec.cholesky.T
    if jumps is None:
        return asked
    share = np.sqrt(diffusion_variance(spec, jumps) * spec.periods_per_year) / spec.volatility
    share = np.where(share > 0, share, 1.0)
    correlation: FloatArray = asked / np.outer(share, share)
    np.fill_diagonal(correlation, 1.0)
    return correlation


def factor_of(correlation: FloatArray) -> FloatArray:
    """Return the triangular factor of a correlation, or of the nearest one that has one.

    The nearest one depends on all assets: one that is added then changes those before it.
    Both are of shape (n_assets, n_assets).
    """
    if np.linalg.eigvalsh(correlation)[0] > SMALLEST_EIGENVALUE:
        return np.linalg.cholesky(correlation)
    return np.linalg.cholesky(nearest_correlation(correlation))


def days_waited(spec: MarketFigures) -> FloatArray:
    """Return days since the last trading day, shape (n_assets, n_steps + 1)."""
    steps = np.arange(spec.n_steps + 1)
    traded = np.where(spec.trading, steps, 0)
    last_traded = np.zeros_like(traded)
    last_traded[:, 1:] = np.maximum.accumulate(traded, axis=1)[:, :-1]
    waited: FloatArray = (steps - last_traded).astype(np.float64)
    return waited


def landing_drift(
    spec: MarketFigures, jumps: Jumps | None, tick_variance: FloatArray
) -> FloatArray:
    """Return the log drift that lands on each step, shape (n_assets, n_steps + 1)."""
    accrued = spec.drift[:, None] * spec.year_fraction * days_waited(spec)
    per_tick = tick_drift(spec, jumps, tick_variance)
    return np.ascontiguousarray(np.where(spec.trading, accrued + per_tick[:, None], 0.0))


def tick_drift(spec: MarketFigures, jumps: Jumps | None, tick_variance: FloatArray) -> FloatArray:
    """Return what a trading day adds so that its shocks leave the expectation alone.

    `tick_variance` and the result are of shape (n_assets,).
    """
    per_tick: FloatArray = -tick_variance / 2
    if jumps is not None:
        per_tick = per_tick - jumps.compensator(spec.periods_per_year)
    return per_tick


def of_normals(correlation: FloatArray, dofs: IntArray) -> FloatArray:
    """Return the normals' correlation by which shocks of several classes correlate as asked.

    Between classes a normal's correlation comes out weaker by the mean product of the two roots
    (dof - 2) / chi2, where one chi-square is a part of the other: .98 for 6 and 8 degrees of
    freedom, .92 for 4 and 8.

    Parameters
    ----------
    correlation : ndarray of shape (n_assets, n_assets)
        Of the shocks.
    dofs : ndarray of shape (n_assets,), int64
    """
    if np.all(dofs == dofs[0]):
        return correlation
    few, many = np.minimum.outer(dofs, dofs) / 2, np.maximum.outer(dofs, dofs) / 2
    share = special.gammaln(few - 0.5) + special.gammaln(many)
    share -= special.gammaln(few) + special.gammaln(many - 0.5)
    weaker = np.sqrt((few - 1) / (many - 1)) * np.exp(share)
    found: FloatArray = correlation / weaker
    return found


def news_variance(dofs: IntArray) -> FloatArray:
    """Return E[min(z^2, MAX_NEWS^2)] of t shocks of unit variance, shape (n_assets,)."""
    bound = MAX_NEWS * np.sqrt(dofs / (dofs - 2))
    outside = 2 * special.stdtr(dofs, -bound)
    thinner = 1 - 2 * special.stdtr(dofs - 2, -bound * np.sqrt((dofs - 2) / dofs))
    within = (dofs - 1) * thinner - (dofs - 2) * (1 - outside)
    variance: FloatArray = within + MAX_NEWS**2 * outside
    return variance


@functools.lru_cache(maxsize=4096)
def bounded_constant(alpha: float, gamma: float, beta: float, dof: int) -> float:
    """Return omega in units of the long-run variance: 1 - persistence, were there no bounds.

    The variance is a Markov chain; its stationary mean follows from one on a grid, between whose
    points it is split so that means are kept. Cut news and the bound on the variance take from
    the mean, of big tech and Bitcoin a fifth; a larger constant gives it back.
    """
    free = 1 - ((alpha + gamma / 2) * float(news_variance(np.array([dof]))[0]) + beta)

    def lack(constant: float) -> float:
        return _mean_variance(constant, alpha, gamma, beta, dof) - 1.0

    if lack(free) > -1e-9:
        return free
    most = free
    while lack(most) < 0:
        most *= 1.5
    from scipy import optimize  # slow to load: most models need no root

    found: float = optimize.brentq(lack, free, most, xtol=1e-12, rtol=1e-10)
    return float(f"{found:.9g}")


def _mean_variance(constant: float, alpha: float, gamma: float, beta: float, dof: int) -> float:
    """Return the stationary mean of the bounded variance, in units of the one asked for."""
    least = constant / (1 - beta)
    if least >= MAX_VARIANCE:
        return MAX_VARIANCE
    grid = np.geomspace(least, MAX_VARIANCE, _GRID_POINTS)
    squares, shares = _news(dof)
    chain = np.zeros((_GRID_POINTS, _GRID_POINTS))
    for weight in (alpha, alpha + gamma):
        _spread(chain, grid, squares, shares / 2, weight, constant, beta)
    stationary = np.ones(_GRID_POINTS)
    _settle(chain, stationary)
    return float(stationary @ grid / stationary.sum())


@kernel
def _settle(chain: FloatArray, stationary: FloatArray) -> None:
    """Write a chain's stationary shares, but for a factor, by taking out state after state.

    Grassmann, Taksar and Heyman (1985), doi:10.1287/opre.33.5.1107: no subtraction, no loss.

    Parameters
    ----------
    chain : ndarray of shape (n, n)
        From column to row; changed.
    stationary : ndarray of shape (n,)
    """
    for state in range(chain.shape[0] - 1, 0, -1):
        leaving = 0.0
        for other in range(state):
            leaving += chain[other, state]
        for start in range(state):
            chain[state, start] /= leaving
        for other in range(state):
            for start in range(state):
                chain[other, start] += chain[other, state] * chain[state, start]
    stationary[0] = 1.0
    for state in range(1, chain.shape[0]):
        stationary[state] = 0.0
        for start in range(state):
            stationary[state] += stationary[start] * chain[state, start]


@kernel
def _spread(
    chain: FloatArray,
    grid: FloatArray,
    squares: FloatArray,
    shares: FloatArray,
    weight: float,
    constant: float,
    beta: float,
) -> None:
    """Add where each variance goes, a column each, in a day of these squared news.

    Parameters
    ----------
    chain : ndarray of shape (n_points, n_points)
    grid : ndarray of shape (n_points,)
    squares, shares : ndarray of shape (n_news,)
    """
    last = grid.size - 1
    for start in range(grid.size):
        above = 1
        for news in range(squares.size):  # the smallest first: `above` only grows
            following = min(constant + grid[start] * (weight * squares[news] + beta), grid[last])
            while above < last and grid[above] < following:
                above += 1
            split = (following - grid[above - 1]) / (grid[above] - grid[above - 1])
            split = min(max(split, 0.0), 1.0)
            chain[above, start] += shares[news] * split
            chain[above - 1, start] += shares[news] * (1.0 - split)


@functools.lru_cache(maxsize=64)
def _news(dof: int) -> tuple[FloatArray, FloatArray]:
    """Return squares of the news and their shares, finer towards the tail and the largest last."""
    beyond = np.concatenate([np.linspace(1.0, 0.02, 50), np.geomspace(0.02, 1e-7, 61)[1:], [0.0]])
    shares = -np.diff(beyond)
    middle = (beyond[1:] + beyond[:-1]) / 2
    shocks = -special.stdtrit(dof, middle / 2) * np.sqrt((dof - 2) / dof)
    squares = np.minimum(shocks, MAX_NEWS) ** 2
    squares *= float(news_variance(np.array([dof]))[0]) / float(shares @ squares)
    return squares, shares


def _garch_table(garch: Garch | None, tick_variance: FloatArray, dofs: IntArray) -> Float32Array:
    table = np.zeros((len(tick_variance), 7))
    table[:, 5] = MAX_VARIANCE * tick_variance
    table[:, 6] = MAX_MOVE * np.sqrt(tick_variance)
    table[:, 4] = tick_variance
    if garch is not None:
        if np.any(garch.persistence >= 1):
            raise ValueError("alpha + gamma / 2 + beta must be below 1")
        start = np.minimum(garch.variance_start, table[:, 5])
        weights = np.column_stack([garch.alpha, garch.gamma, garch.beta]).tolist()
        each = zip(weights, dofs.tolist(), strict=True)
        table[:, 0] = tick_variance * [bounded_constant(*own, dof) for own, dof in each]
        table[:, 1:5] = np.column_stack([garch.alpha, garch.gamma, garch.beta, start])
    return table.astype(np.float32)


def jump_thresholds(rate: FloatArray) -> WordArray:
    """Return P(more than k jumps in a group's days) * 2^32, shape (n_assets, MAX_JUMPS), uint32.

    `rate` is of shape (n_assets,), jumps a day.
    """
    more_than = special.pdtrc(np.arange(MAX_JUMPS)[None, :], GROUP * rate[:, None])
    words: WordArray = np.minimum(np.rint(more_than * 2.0**32), 2.0**32 - 1).astype(np.uint32)
    return words
