"""The day of a rare event: the first of a Poisson process, from a stream of its own."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.jit import kernel
from simulator.market.philox import uniforms4
from simulator.units import DAYS_PER_YEAR, FloatArray

NEVER = np.iinfo(np.int64).max
"""Step of an event that does not happen."""


@kernel
def _waiting_days(out: FloatArray, seed: int, stream: int, first_path: int, rate: float) -> None:
    """Write the days until the first event, shape (n_paths,), at `rate` events a day."""
    for k in range(out.shape[0]):
        out[k] = -np.log(uniforms4(seed, 0, stream, first_path + k)[0]) / rate


def first_event(
    seed: int, stream: int, first_path: int, n_paths: int, hazard: float
) -> npt.NDArray[np.int64]:
    """Return the step (1 or later) of the first event of a Poisson process, shape (n_paths,).

    `hazard` is a rate a year; where it is zero every entry is `NEVER`.
    """
    steps: npt.NDArray[Any] = np.full(n_paths, NEVER)
    if hazard > 0.0:
        waiting = np.empty(n_paths)
        _waiting_days(waiting, seed, int(stream), first_path, hazard / DAYS_PER_YEAR)
        steps = np.minimum(np.ceil(waiting), 2.0**62).astype(np.int64)
    return np.maximum(steps, 1)
