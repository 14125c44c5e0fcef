"""The generalised Pareto distribution of what lies beyond a threshold.

    P(excess > y) = (1 + shape y / scale)^(-1 / shape),   exp(-y / scale) where the shape is 0

References
----------
Pickands (1975), doi:10.1214/aos/1176343003.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from simulator.units import FloatArray

SHAPES = (-0.5, 1.0)
"""Within these the likelihood has an inner maximum and the mean exists."""
_FLAT = 1e-6
"""Shapes below it are taken for 0."""
_TOLERANCE = 1e-7


@dataclass(frozen=True)
class Pareto:
    """A fitted tail; the scale is in the unit of the excesses."""

    scale: float
    shape: float

    def excess(self, share: float) -> float:
        """Return the excess that a share of all excesses goes beyond."""
        return self.scale * stretch(self.shape, share)


def stretch(shape: float, share: float) -> float:
    """Return the excess, in scales, that a share of all excesses goes beyond."""
    if abs(shape) < _FLAT:
        return -math.log(share)
    return math.expm1(-shape * math.log(share)) / shape


def fit_pareto(excesses: FloatArray, shapes: tuple[float, float] = SHAPES) -> Pareto:
    """Fit by maximum likelihood, the shape within bounds.

    Parameters
    ----------
    excesses : ndarray of shape (n,), all above 0
    """
    unit = float(excesses.mean())
    from scipy import optimize  # slow to load: only a fit needs it

    found = optimize.minimize(
        lambda point: -log_likelihood(excesses / unit, math.exp(point[0]), point[1]),
        [0.0, min(max(0.1, shapes[0]), shapes[1])],
        method="Nelder-Mead",
        bounds=[(-5.0, 5.0), shapes],
        options={"xatol": _TOLERANCE, "fatol": _TOLERANCE},
    )
    return Pareto(unit * math.exp(found.x[0]), float(found.x[1]))


def log_likelihood(excesses: FloatArray, scale: float, shape: float) -> float:
    """Return the log likelihood; a large negative number where an excess is impossible.

    Parameters
    ----------
    excesses : ndarray of shape (n,)
    """
    n = excesses.size
    if abs(shape) < _FLAT:
        return -n * math.log(scale) - float(excesses.sum()) / scale
    terms = 1 + shape / scale * excesses
    if float(terms.min()) <= 0:
        return -1e10
    return -n * math.log(scale) - (1 + 1 / shape) * float(np.log(terms).sum())
