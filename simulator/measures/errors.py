"""The error that a finite number of paths leaves: of a mean, a quantile, a tail, a share."""

from __future__ import annotations

import numpy as np
from scipy import special

from simulator.measures.risk import expected_shortfall
from simulator.units import FloatArray

SHORTFALL_BATCHES = 20
"""Fixed blocks of paths; more would leave too few paths in the tail of each."""


def mean_error(samples: FloatArray) -> float:
    """Return the standard error of a mean, s / sqrt(n); NaN below two samples.

    `samples` is of shape (n,).
    """
    if samples.size < 2:
        return float("nan")
    return float(np.std(samples, ddof=1) / np.sqrt(samples.size))


def quantile_error(samples: FloatArray, probability: float) -> float:
    """Return the standard error of a quantile, sqrt(p (1 - p) / n) / f.

    The density f at the quantile is a difference quotient between the quantiles at
    p +- n^(-1/5) p (1 - p), so both stay within 0 and 1. `samples` is of shape (n,).
    """
    width = float(samples.size) ** -0.2 * probability * (1.0 - probability)
    low, high = np.quantile(samples, (probability - width, probability + width))
    spread = float(np.sqrt(probability * (1.0 - probability) / samples.size))
    return float(spread * (high - low) / (2.0 * width))


def shortfall_error(samples: FloatArray, tail: float, batches: int = SHORTFALL_BATCHES) -> float:
    """Return the standard error of `expected_shortfall` by means over fixed batches.

    Samples, of shape (n,), are cut into `batches` blocks in their order, as equal as they go; the
    shortfalls of the blocks scatter with s, the error is s / sqrt(batches). NaN where a block has
    less than one observation in its tail.
    """
    if samples.size // batches * tail < 1.0:
        return float("nan")
    blocks = np.array_split(samples, batches)
    return mean_error(np.array([expected_shortfall(block, tail) for block in blocks]))


def share_interval(count: int, total: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the interval of a share: Wilson, or Clopper-Pearson below five counts.

    Counts are those of either outcome: 3 of 100 and 97 of 100 are both below five.

    References
    ----------
    Brown, Cai, DasGupta (2001), doi:10.1214/ss/1009213286.
    """
    tail = (1.0 - confidence) / 2.0
    if min(count, total - count) >= 5:
        return _wilson(count / total, total, float(special.ndtri(1.0 - tail)))
    low = special.betaincinv(count, total - count + 1, tail) if count > 0 else 0.0
    high = special.betaincinv(count + 1, total - count, 1.0 - tail) if count < total else 1.0
    return float(low), float(high)


def _wilson(share: float, total: int, z: float) -> tuple[float, float]:
    middle = (share + z * z / (2 * total)) / (1.0 + z * z / total)
    spread = share * (1.0 - share) / total + z * z / (4.0 * total * total)
    half = z * float(np.sqrt(spread)) / (1.0 + z * z / total)
    return middle - half, middle + half
