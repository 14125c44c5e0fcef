"""Returns where money comes and goes: of a unit put in (time-weighted), of the money itself.

Flows have shape (n_steps + 1, n_paths): what is paid in on a step at its end, negative what
is taken out. Values on that step contain the flow; the first value is all that was put in.
"""

from __future__ import annotations

import numpy as np

from simulator.units import DAYS_PER_YEAR, BoolArray, FloatArray

_ROOT_STEPS = 100
_CLOSE = 1e-14
_REACH = np.array((0.05, 0.2, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0))
"""Log growth over the whole horizon at which a root is looked for, both signs."""


def unit_values(values: FloatArray, flows: FloatArray) -> FloatArray:
    """Return what a unit put in at the start is worth, shape (n_steps + 1, n_paths).

    It grows by (value - flow) / value before, so flows leave it as it is. Once nothing is
    left, or less than nothing, it stays zero.
    """
    before = np.maximum(values[:-1], 0.0)
    grown = np.zeros_like(before)
    np.divide(values[1:] - flows[1:], before, out=grown, where=before > 0.0)
    grown[np.isnan(values[:-1])] = np.nan
    return np.concatenate((np.ones_like(values[:1]), np.cumprod(np.maximum(grown, 0.0), axis=0)))


def time_weighted_return(values: FloatArray, flows: FloatArray) -> FloatArray:
    """Return the product of (1 + r) over the times between flows, less 1, shape (n_paths,)."""
    growth: FloatArray = unit_values(values, flows)[-1] - 1.0
    return growth


def money_weighted_yield(values: FloatArray, flows: FloatArray) -> FloatArray:
    """Return the rate a year at which all flows and the final value weigh zero.

    x of sum CF (1 + x)^(-days / 365) = 0, shape (n_paths,). NaN below a year, which is not
    annualised, and where `money_weighted_return` is.
    """
    days = values.shape[0] - 1
    if days < DAYS_PER_YEAR:
        return np.full(values.shape[1], np.nan)
    rate: FloatArray = (1.0 + money_weighted_return(values, flows)) ** (DAYS_PER_YEAR / days) - 1.0
    return rate


def money_weighted_return(values: FloatArray, flows: FloatArray) -> FloatArray:
    """Return the money-weighted return over the whole horizon, shape (n_paths,).

    (1 + x)^(days / 365) - 1 with x as in `money_weighted_yield`. -1 where nothing ever came
    back. Several rates may fit flows that change their sign more than once: the one nearest
    to zero is meant. NaN where none fits.
    """
    n_steps = values.shape[0] - 1
    cash = -flows
    cash[0] = -values[0]
    cash[-1] += np.maximum(values[-1], 0.0)
    steps = np.flatnonzero(np.any(cash != 0.0, axis=1))
    log_growth = _root(cash[steps], steps / n_steps)
    found: FloatArray = np.expm1(log_growth)
    nothing_back = ~np.any(cash > 0.0, axis=0) & ~np.isnan(cash).any(axis=0)
    found[nothing_back] = -1.0
    return found


def _weight(cash: FloatArray, times: FloatArray, log_growth: FloatArray) -> FloatArray:
    """Return sum CF exp(-g t), shape (n_paths,); scaled by the size of its terms."""
    terms = cash * np.exp(-np.multiply.outer(times, log_growth))
    total: FloatArray = terms.sum(axis=0) / np.maximum(np.abs(terms).sum(axis=0), 1e-300)
    return total


def _root(cash: FloatArray, times: FloatArray) -> FloatArray:
    """Return the root of `_weight` nearest to zero, shape (n_paths,), NaN where there is none.

    Brackets are looked for outwards from zero, then halved: a secant gains little where all
    paths are in hand at once, and halving cannot fail.
    """
    low, high = _bracket(cash, times)
    at_low = _weight(cash, times, low)
    for _ in range(_ROOT_STEPS):
        middle = 0.5 * (low + high)
        at_middle = _weight(cash, times, middle)
        left = (at_low > 0.0) != (at_middle > 0.0)
        high = np.where(left, middle, high)
        low, at_low = np.where(left, low, middle), np.where(left, at_low, at_middle)
        if not np.any(high - low > _CLOSE * np.maximum(1.0, np.abs(middle))):
            break
    root: FloatArray = 0.5 * (low + high)
    return root


def _bracket(cash: FloatArray, times: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return two log growths between which the weight changes its sign; NaN where it never does."""
    n_paths = cash.shape[1]
    low, high = np.full(n_paths, np.nan), np.full(n_paths, np.nan)
    for sign in (1.0, -1.0):
        inner = np.zeros(n_paths)
        at_inner = _weight(cash, times, inner)
        for reach in _REACH:
            outer = np.full(n_paths, sign * reach)
            at_outer = _weight(cash, times, outer)
            crosses: BoolArray = (at_inner > 0.0) != (at_outer > 0.0)
            nearer = np.isnan(low) | (reach < np.maximum(np.abs(low), np.abs(high)))
            take = crosses & nearer & ~np.isnan(at_outer)
            low = np.where(take, np.minimum(inner, outer), low)
            high = np.where(take, np.maximum(inner, outer), high)
            inner, at_inner = outer, at_outer
    return low, high
