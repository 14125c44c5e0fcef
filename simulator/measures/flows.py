"""Returns where money comes and goes: of a unit put in (time-weighted), of the money itself.

Flows have shape (n_steps + 1, n_paths): what is paid in on a step at its end, negative what
is taken out. Values on that step contain the flow; the first value is all that was put in.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simulator.measures.growth import lost
from simulator.units import DAYS_PER_YEAR, BoolArray, FloatArray

_ROOT_STEPS = 100
_CLOSE = 1e-14
_REACH = np.array((0.05, 0.2, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0))
"""Log growth over the whole horizon at which a root is looked for, both signs."""
_FINE = np.concatenate((np.linspace(0.0, 4.0, 401)[1:], np.geomspace(4.0, 64.0, 60)[1:]))
"""The same where several rates may fit: two roots in one cell would not be seen."""


def unit_values(values: FloatArray, flows: FloatArray) -> FloatArray:
    """Return what a unit put in at the start is worth, shape (n_steps + 1, n_paths).

    It grows by (value - flow) / value before, so flows leave it as it is. Once nothing is
    left, or less than nothing, it stays zero.
    """
    before = np.maximum(values[:-1], 0.0)
    grown = np.zeros_like(before)
    np.divide(values[1:] - flows[1:], before, out=grown, where=before > 0.0)
    grown = np.cumprod(np.maximum(grown, 0.0), axis=0)
    grown[:, lost(values) | lost(flows)] = np.nan
    return np.concatenate((np.ones_like(values[:1]), grown))


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
    back. Several rates may fit flows that change their sign more than once: the return nearest
    to zero is meant. NaN where none fits, and where a day's value is NaN.
    """
    n_steps = values.shape[0] - 1
    cash = -flows
    cash[0] = -values[0]
    cash[-1] += np.maximum(values[-1], 0.0)
    steps = np.flatnonzero(np.any(cash != 0.0, axis=1))
    cash, times = cash[steps], steps / n_steps
    several = sign_changes(cash) > 1
    log_growth = _root(cash, times, _REACH)
    if several.any():
        log_growth[several] = _root(cash[:, several], times, _FINE)
    found: FloatArray = np.expm1(log_growth)
    nothing_back = ~np.any(cash > 0.0, axis=0)
    found[nothing_back] = -1.0
    found[lost(values) | lost(flows)] = np.nan
    return found


def sign_changes(cash: FloatArray) -> npt.NDArray[np.int64]:
    """Return how often flows change their sign in time, shape (n_paths,); zeros do not count.

    There are at most so many rates that fit (Descartes' rule): with one change, one rate.
    """
    signs = np.sign(np.nan_to_num(cash))
    last = np.zeros(cash.shape[1])
    changes = np.zeros(cash.shape[1], dtype=np.int64)
    for row in signs:
        changes += (row * last) < 0.0
        last = np.where(row == 0.0, last, row)
    return changes


def _weight(cash: FloatArray, times: FloatArray, log_growth: FloatArray) -> FloatArray:
    """Return sum CF exp(-g t), shape (n_paths,); scaled by the size of its terms."""
    terms = cash * np.exp(-np.multiply.outer(times, log_growth))
    total: FloatArray = terms.sum(axis=0) / np.maximum(np.abs(terms).sum(axis=0), 1e-300)
    return total


def _root(cash: FloatArray, times: FloatArray, reach: FloatArray) -> FloatArray:
    """Return the root of `_weight` nearest to zero, shape (n_paths,), NaN where there is none.

    Brackets are looked for outwards from zero, then halved: a secant gains little where all
    paths are in hand at once, and halving cannot fail. Of the first root on either side that is
    nearer whose return, exp(g) - 1, is the smaller.
    """
    gain, fall = (_halved(cash, times, *_bracket(cash, times, sign * reach)) for sign in (1, -1))
    falls_less = np.abs(np.expm1(fall)) < np.abs(np.expm1(gain))
    return np.where(np.isnan(gain) | falls_less, fall, gain)


def _halved(cash: FloatArray, times: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
    """Return where the weight changes its sign between two log growths, shape (n_paths,)."""
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


def _bracket(
    cash: FloatArray, times: FloatArray, reach: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the first two log growths, outwards from zero along `reach`, that hold a root.

    Of shape (n_paths,) each, NaN where the weight never changes its sign.
    """
    n_paths = cash.shape[1]
    low, high = np.full(n_paths, np.nan), np.full(n_paths, np.nan)
    inner = np.zeros(n_paths)
    at_inner = _weight(cash, times, inner)
    for end in reach:
        outer = np.full(n_paths, end)
        at_outer = _weight(cash, times, outer)
        crosses: BoolArray = (at_inner > 0.0) != (at_outer > 0.0)
        take = crosses & np.isnan(low) & ~np.isnan(at_outer)
        low = np.where(take, np.minimum(inner, outer), low)
        high = np.where(take, np.maximum(inner, outer), high)
        inner, at_inner = outer, at_outer
    return low, high
