"""How deep a value falls, how long it stays down, and what a unit of that pays.

Losses are positive numbers: a drawdown of 0.5 is a fall by half.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.jit import inlined, kernel
from simulator.measures.growth import annual_yield, lost
from simulator.units import DAYS_PER_YEAR, BoolArray, FloatArray


@dataclass(frozen=True)
class Spells:
    """Time under water on each path; arrays of shape (n_paths,).

    Attributes
    ----------
    longest_days : ndarray, days
        From a peak to the day that reaches it again, or to the end where none does.
    is_open : ndarray of bool
        The last spell has not ended, so `longest_days` is a lower bound: it is censored.
    share : ndarray
        Share of the days that end below an earlier peak.
    """

    longest_days: FloatArray
    is_open: BoolArray
    share: FloatArray


def drawdowns(values: FloatArray) -> FloatArray:
    """Return the fall from the running peak as a positive share, shape of `values`.

    The first value belongs to the peak. Above 1 where costs take a value below zero; 0 until
    a series that begins at zero has had a peak.
    """
    peaks = np.maximum.accumulate(values, axis=0)
    left = np.divide(values, peaks, out=np.ones_like(values, dtype=float), where=peaks != 0)
    falls: FloatArray = 1.0 - left
    return falls


def max_drawdown(values: FloatArray, until: float = np.inf) -> FloatArray:
    """Return the deepest fall from a running peak as a positive share, shape (n_paths,).

    The first value belongs to the peak: returns of -50 % then +10 % give 0.5. Above 1 where
    costs take a value below zero. What comes after the first value at or above `until` does
    not count, but for a NaN, which leaves no path a number.
    """
    plain = values.flags.c_contiguous and values.flags.writeable and values.dtype == np.float64
    lowest = np.ones(values.shape[1])
    # one layout for the kernel: each other one would be compiled anew
    _lowest_share(values if plain else np.array(values, dtype=np.float64), float(until), lowest)
    return 1.0 - lowest


@kernel
def _lowest_share(values: FloatArray, until: float, lowest: FloatArray) -> None:
    """Lower `lowest`, shape (n_paths,), to the smallest share of the running peak.

    One pass over the rows: three of numpy's take as long as the model of an instrument.
    """
    peak, lost, over = values[0].copy(), np.zeros_like(lowest), np.zeros_like(lowest)
    for step in range(values.shape[0]):
        _fall(values[step], peak, lowest, lost, over)
        if until < np.inf:
            _stop(values[step], until, over)
    for k in range(lowest.shape[0]):
        lowest[k] = np.nan if lost[k] > 0.0 else lowest[k]


@inlined
def _fall(
    row: FloatArray, peak: FloatArray, lowest: FloatArray, lost: FloatArray, over: FloatArray
) -> None:
    """Take in a day; `lost` counts the NaN, `over` is above 0 where days no longer count.

    Rows are of shape (n_paths,).
    """
    for k in range(row.shape[0]):
        peak[k] = row[k] if row[k] > peak[k] else peak[k]
        left = row[k] / peak[k] if peak[k] != 0.0 else 1.0
        lowest[k] = left if left < lowest[k] and over[k] == 0.0 else lowest[k]
        lost[k] += 1.0 if np.isnan(row[k]) else 0.0


@inlined
def _stop(row: FloatArray, until: float, over: FloatArray) -> None:
    """Count in `over` the days at or above `until`; rows of shape (n_paths,)."""
    for k in range(row.shape[0]):
        over[k] += 1.0 if row[k] >= until else 0.0


def value_at_risk(samples: FloatArray, tail: float = 0.05) -> float:
    """Return the loss that the worst share `tail` of the samples exceed, of shape (n,).

    Less the `tail` quantile of returns: positive where money is lost. NaN where a sample is.

    Raises
    ------
    ValueError
        `tail` is not between 0 and 1, or there are no samples.
    """
    if not 0.0 < tail < 1.0:
        raise ValueError(f"tail is {tail:g}; must be between 0 and 1")
    if samples.size == 0:
        raise ValueError("value at risk of no samples; there must be at least one")
    return -float(np.quantile(samples, tail))


def daily_returns(values: FloatArray) -> FloatArray:
    """Return each day's simple return, shape (n_steps, n_paths).

    NaN on the whole path where its value reaches zero before the end: what follows has no
    meaning.
    """
    ok = np.all(values[:-1] > 0.0, axis=0)
    returns = np.full((values.shape[0] - 1, values.shape[1]), np.nan)
    np.divide(np.diff(values, axis=0), values[:-1], out=returns, where=ok)
    return returns


def volatility(values: FloatArray) -> FloatArray:
    """Return the standard deviation of the daily returns times sqrt(365), shape (n_paths,).

    n - 1 in the denominator; every calendar day counts, those without trading too. NaN as
    `daily_returns` is, and below two days.
    """
    if values.shape[0] < 3:
        return np.full(values.shape[1], np.nan)
    deviation: FloatArray = np.std(daily_returns(values), axis=0, ddof=1)
    return deviation * float(np.sqrt(DAYS_PER_YEAR))


def ulcer(values: FloatArray) -> FloatArray:
    """Return sqrt(mean(drawdown^2)) over the days after the start, shape (n_paths,).

    References
    ----------
    Martin, McCann (1989), The Investor's Guide to Fidelity Funds.
    """
    index: FloatArray = np.sqrt(np.mean(drawdowns(values)[1:] ** 2, axis=0))
    return index


def calmar(values: FloatArray) -> FloatArray:
    """Return the yield a year over the largest drawdown, shape (n_paths,).

    NaN below a year, and where the value never fell.
    """
    return _ratio(annual_yield(values), max_drawdown(values))


def sortino(values: FloatArray, target: float = 0.0) -> FloatArray:
    """Return the annual Sortino ratio of the daily returns, shape (n_paths,).

    mean(r - t) / sqrt(mean(min(r - t, 0)^2)) x sqrt(365) with t = `target` / 365, a simple
    rate a year. The denominator runs over all days, not over those below the target alone.
    NaN where no return is below it, or where the value reaches zero before the end: its
    returns then have no meaning.
    """
    excess = daily_returns(values) - target / DAYS_PER_YEAR
    downside = np.sqrt(np.mean(np.minimum(excess, 0.0) ** 2, axis=0))
    a_day = _ratio(np.mean(excess, axis=0), downside)
    return a_day * float(np.sqrt(DAYS_PER_YEAR))


def expected_shortfall(samples: FloatArray, tail: float = 0.05) -> FloatArray:
    """Return the mean loss in the worst share `tail` of the samples (CVaR), over axis 0.

    Of n samples the worst k = tail x n count, the last of them with its fraction, so the
    measure moves continuously with n and is coherent. Positive where money is lost; samples
    are returns. NaN where one of them is.

    Parameters
    ----------
    samples : ndarray of shape (n, ...)

    Returns
    -------
    ndarray of shape (...)

    Raises
    ------
    ValueError
        `tail` is not above 0 and at most 1, or there are no samples.

    References
    ----------
    Acerbi, Tasche (2002), doi:10.1016/S0378-4266(02)00283-2.
    """
    if not 0.0 < tail <= 1.0:
        raise ValueError(f"tail is {tail:g}; must be above 0 and at most 1")
    if samples.shape[0] == 0:
        raise ValueError("expected shortfall of no samples; there must be at least one")
    worst_first = np.sort(samples, axis=0)
    reach = tail * samples.shape[0]
    # NaN sorts to the end, where a tail would not meet it.
    weights = np.clip(reach - np.arange(samples.shape[0]), 0.0, 1.0)
    mean = np.tensordot(weights, worst_first, axes=1) / reach
    shortfall: FloatArray = np.where(np.isnan(worst_first[-1]), np.nan, -mean)
    return shortfall


def time_under_water(values: FloatArray) -> Spells:
    """Return how long each path stays below an earlier peak; open spells are marked.

    `values` is of shape (n_steps + 1, n_paths).
    """
    n_steps, n_paths = values.shape[0] - 1, values.shape[1]
    longest, since, below = (np.zeros(n_paths) for _ in range(3))
    plain = values.flags.c_contiguous and values.flags.writeable and values.dtype == np.float64
    _count_spells(values if plain else np.array(values, dtype=np.float64), longest, since, below)
    is_open = since < n_steps
    longest = np.maximum(longest, n_steps - since)
    unknown = lost(values)
    share = np.where(unknown, np.nan, below / n_steps)
    return Spells(np.where(unknown, np.nan, longest), is_open & ~unknown, share)


@kernel
def _count_spells(
    values: FloatArray, longest: FloatArray, since: FloatArray, below: FloatArray
) -> None:
    """Write the longest spell that ended, the last day at a peak, and the days below one.

    `values` is of shape (n_steps + 1, n_paths), the others of shape (n_paths,), zeros before.
    """
    peak = values[0].copy()
    for step in range(1, values.shape[0]):
        for k in range(longest.shape[0]):
            if values[step, k] < peak[k]:
                below[k] += 1.0
                continue
            spell = step - since[k]
            # a day that is no lower than the one before ends no spell
            longest[k] = spell if spell > 1.0 and spell > longest[k] else longest[k]
            since[k] = step
            peak[k] = values[step, k]


def spell_quantile(spells: Spells, probability: float) -> float:
    """Return the quantile of the longest spells over paths, by Kaplan and Meier, in days.

    Open spells are censored: they are known to last at least as long. NaN where more than
    1 - `probability` of them outlast every observed end, so that the data cannot say.
    """
    # not at the top: it takes as long to load as all else that a command needs together
    from scipy import stats

    known = ~np.isnan(spells.longest_days)
    days, is_open = spells.longest_days[known], spells.is_open[known]
    if days.size == 0:
        return float("nan")
    curve = stats.ecdf(stats.CensoredData.right_censored(days, is_open)).cdf
    reached = np.flatnonzero(curve.probabilities >= probability)
    return float(curve.quantiles[reached[0]]) if reached.size else float("nan")


def _ratio(above: FloatArray, below: FloatArray) -> FloatArray:
    """Return above / below, NaN where below is zero or NaN."""
    missing = np.full_like(above, np.nan)
    return np.divide(above, below, out=missing, where=below > 0.0)
