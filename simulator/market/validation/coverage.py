"""How often what came lay where it was forecast, with an interval that owns up to dependence.

Forecasts of one year share their data and their market: a crash moves all assets at once, and
the month is a part of the quarter. Years do not overlap. So the years are the independent
observations, and what counts is how unequal they are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from simulator.units import BoolArray, FloatArray

Clusters = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Coverage:
    """A share with its interval.

    effective : number of independent observations that are worth as much as all of these
    """

    share: float
    low: float
    high: float
    count: int
    clusters: int
    effective: float


def transform(simulated: FloatArray, realised: float) -> float:
    """Return the probability integral transform: the share of forecasts below what came.

    Uniform between 0 and 1 where forecasts are right. Ties count half. `simulated` is of shape
    (n_paths,).
    """
    below = np.count_nonzero(simulated < realised)
    level = np.count_nonzero(simulated == realised)
    return float((below + 0.5 * level) / simulated.size)


def crps(simulated: FloatArray, realised: float) -> float:
    """Return the continuous ranked probability score of a forecast; lower is better.

    The mean distance of the forecasts from what came, less half their mean distance from each
    other; of a forecast that is a single number, its distance. `simulated` is of shape (n_paths,).

    References
    ----------
    Gneiting and Raftery (2007), doi:10.1198/016214506000001437, equation 21.
    """
    ordered = np.sort(simulated)
    n = ordered.size
    among = float((2 * np.arange(n) - n + 1) @ ordered) / n**2
    return float(np.abs(ordered - realised).mean()) - among


def coverage(hits: BoolArray, clusters: Clusters, confidence: float = 0.95) -> Coverage:
    """Return the share of hits with Wilson's interval for the effective number of observations.

    The effective number is n over the design effect, the share's variance between clusters
    over the binomial one; at least the number of clusters, at most n. Student's quantile of
    the clusters stands for the normal one.

    Parameters
    ----------
    hits, clusters : ndarray of shape (n,)

    References
    ----------
    Korn and Graubard (1998), Survey Methodology 24, 193-201: intervals of shares from clusters.
    """
    labels = np.unique(clusters)
    share = float(hits.mean())
    effective = _effective(hits, clusters, labels, share)
    z = _quantile(labels.size, confidence)
    centre = (share + z * z / (2 * effective)) / (1 + z * z / effective)
    spread = share * (1 - share) / effective + (z / (2 * effective)) ** 2
    half = z * math.sqrt(spread) / (1 + z * z / effective)
    # Rounding must not leave a bound beyond the share itself where that is 0 or 1.
    low, high = max(0.0, min(centre - half, share)), min(1.0, max(centre + half, share))
    return Coverage(share, low, high, int(hits.size), int(labels.size), effective)


def _effective(hits: BoolArray, clusters: Clusters, labels: Clusters, share: float) -> float:
    n, groups = hits.size, labels.size
    if groups < 2 or share in (0.0, 1.0):
        return float(groups)
    totals = np.array([(hits[clusters == label] - share).sum() for label in labels])
    variance = groups / (groups - 1) * float(totals @ totals) / n**2
    if variance == 0:
        return float(n)
    return float(min(max(share * (1 - share) / variance, groups), n))


def _quantile(groups: int, confidence: float) -> float:
    tail = 1 - (1 - confidence) / 2
    return float(special.stdtrit(groups - 1, tail) if groups > 1 else special.ndtri(tail))
