"""A stop-loss against the plain way to lose less: the same portfolio beside Treasury bills."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.measures import expected_shortfall
from simulator.units import FloatArray

TAIL = 0.05
_HALVINGS = 60
"""Halving the interval of weights so often leaves less than 1e-18 of it."""


@dataclass(frozen=True)
class Spread:
    """Total returns over a run: their mean, their median, and the share of paths that lose."""

    mean: float
    median: float
    loss: float


@dataclass(frozen=True)
class StaticMix:
    """An investor with a stop beside the static mix of equal expected shortfall.

    Attributes
    ----------
    investor, without, bills : str
        Who has the stop, the investor of the same portfolio without one, and the instrument that
        the rest of the mix is in.
    days : int
        Of the run, which all returns are of.
    in_bills : float
        Share of the mix in bills at the start; NaN where no share has so small a shortfall. 0
        where the portfolio without a stop falls no deeper.
    shortfall : float
        Expected shortfall (95 %) of the total return with the stop.
    stop, mix : Spread
    """

    investor: str
    without: str
    bills: str
    days: int
    in_bills: float
    shortfall: float
    stop: Spread
    mix: Spread


def share_in_safety(risky: FloatArray, safe: FloatArray, shortfall: float) -> float:
    """Return the least share of `safe` with which the shortfall is no larger than that.

    The mix is bought at the start and left alone, so its return on a path is
    (1 - w) risky + w safe. The shortfall is convex in w, so that there is one such share; NaN
    where `safe` alone falls deeper.

    Parameters
    ----------
    risky, safe : ndarray of shape (n_paths,)
        Total returns on the same paths.

    References
    ----------
    Rockafellar, Uryasev (2000), doi:10.21314/JOR.2000.038, for the convexity.
    """

    def falls_deeper(share: float) -> bool:
        return bool(expected_shortfall((1 - share) * risky + share * safe, TAIL) > shortfall)

    if not falls_deeper(0.0):
        return 0.0
    if falls_deeper(1.0):
        return float("nan")
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if falls_deeper(middle) else (low, middle)
    return high


def static_mix(
    names: tuple[str, str, str],
    days: int,
    stop: FloatArray,
    without: FloatArray,
    bills: FloatArray,
) -> StaticMix:
    """Return the comparison of total returns, each of shape (n_paths,); `names` in that order."""
    shortfall = float(expected_shortfall(stop, TAIL))
    share = share_in_safety(without, bills, shortfall)
    mix = (1 - share) * without + share * bills
    return StaticMix(*names, days, share, shortfall, _spread(stop), _spread(mix))


def _spread(returns: FloatArray) -> Spread:
    known = not np.isnan(returns).any()
    loss = float(np.mean(returns < 0)) if known else float("nan")
    return Spread(float(returns.mean()), float(np.median(returns)), loss)
