"""The block-bootstrap band of a figure: how far it wanders by chance in a history this long.

References
----------
Politis and Romano (1994), doi:10.1080/01621459.1994.10476870.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from simulator.units import FloatArray

Figures = Callable[[FloatArray], FloatArray]


def resampled_days(
    random: np.random.Generator, n_days: int, mean_block: float
) -> npt.NDArray[np.int64]:
    """Return the days of one resampled history, shape (n_days,): blocks of random length.

    Blocks begin anywhere and run over the end to the first day; their lengths are geometric.
    """
    begins = random.random(n_days) < 1 / mean_block
    begins[0] = True
    starts = random.integers(n_days, size=n_days)
    places = np.arange(n_days)
    block = np.maximum.accumulate(np.where(begins, places, 0))
    days: npt.NDArray[np.int64] = (starts[block] + places - block) % n_days
    return days


def resampled_figures(
    returns: FloatArray, figures: Figures, mean_block: float, n_samples: int, seed: int
) -> FloatArray:
    """Return the figures of `n_samples` resampled histories, shape (n_samples, n_figures).

    Parameters
    ----------
    returns : ndarray of shape (..., n_days)
        The last axis is resampled; other axes share the days.
    """
    random = np.random.Generator(np.random.Philox(seed))
    return np.stack(
        [
            figures(returns[..., resampled_days(random, returns.shape[-1], mean_block)])
            for _ in range(n_samples)
        ]
    )
