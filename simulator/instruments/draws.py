"""Draws for the instruments: a normal a day from a stream, and the day of a rare event."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.market.philox import fill_normals, uniforms4
from simulator.mechanics.jit import kernel
from simulator.units import DAYS_PER_YEAR, LANES, FloatArray

NEVER = np.iinfo(np.int64).max
"""Step of an event that does not happen."""


@kernel
def _fill(out: FloatArray, seed: int, stream: int, first_path: int) -> None:
    words = np.empty(4 * LANES, np.uint32)
    normals = np.empty((4, LANES), np.float64)
    n_rows, n_paths = out.shape
    for first in range(0, n_paths, LANES):
        for quad in range((n_rows + 3) // 4):
            fill_normals(normals, words, seed, quad, stream, first_path + first)
            for row in range(4 * quad, min(4 * quad + 4, n_rows)):
                for lane in range(min(LANES, n_paths - first)):
                    out[row, first + lane] = normals[row - 4 * quad, lane]


def normal_paths(seed: int, stream: int, first_path: int, n_steps: int, n_paths: int) -> FloatArray:
    """Return standard normals of shape (n_steps + 1, n_paths), one a step from `stream`.

    One call of the generator serves the four steps of `step // 4`.
    """
    out = np.empty((n_steps + 1, n_paths))
    _fill(out, seed, int(stream), first_path)
    return out


@kernel
def _waiting_days(out: FloatArray, seed: int, stream: int, first_path: int, rate: float) -> None:
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
