"""Standard normals of a stream, one a day: what most products draw."""

from __future__ import annotations

import numpy as np

from simulator.jit import kernel
from simulator.market.philox import fill_normals
from simulator.units import LANES, FloatArray


@kernel
def _fill(out: FloatArray, seed: int, stream: int, first_path: int) -> None:
    """Write standard normals to `out`, of shape (n_steps + 1, n_paths)."""
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
