"""The pool's drivers, LANES paths side by side: what noise traders trade, and which way."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simulator.jit import inlined, kernel
from simulator.market.elementary import exponential
from simulator.market.philox import fill_normals
from simulator.units import LANES, FloatArray


class Numbers(NamedTuple):
    """The terms as numbers: gap * pull + normal * shock is the log gap of the volume.

    `imbalance` is the standard deviation of purchases less sales over the volume.
    """

    pull: float
    shock: float
    imbalance: float


@inlined
def _trade(
    volume: FloatArray, gap: FloatArray, normals: FloatArray, level: float, terms: Numbers
) -> None:
    """Write the volume, `level` times a gap of unit expectation; all of shape (LANES,), USDC."""
    for lane in range(LANES):
        gap[lane] = normals[lane] * terms.shock + terms.pull * gap[lane]
        volume[lane] = level * exponential(gap[lane])


@inlined
def _lean(imbalance: FloatArray, normals: FloatArray, terms: Numbers) -> None:
    """Write purchases less sales over the volume, -1 to 1; of shape (LANES,)."""
    for lane in range(LANES):
        net = terms.imbalance * normals[lane]
        net = net if net > -1.0 else -1.0
        imbalance[lane] = net if net < 1.0 else 1.0


@kernel
def draw(
    terms: Numbers,
    level: FloatArray,
    seed: int,
    streams: tuple[int, int],
    first_path: int,
    volume: FloatArray,
    imbalance: FloatArray,
) -> None:
    """Write volume and imbalance.

    Parameters
    ----------
    level : ndarray of shape (n_steps + 1,), USDC
        Mean volume over exp of half the gap's variance.
    streams : tuple of int
        Of volume and imbalance.
    volume, imbalance : ndarray of shape (n_steps + 1, n_paths)
        Written: USDC, and -1 to 1; n_paths is a multiple of LANES.
    """
    n_rows, n_paths = volume.shape
    words = np.empty(4 * LANES, np.uint32)
    normals = np.empty((2, 4, LANES))
    gap = np.empty(LANES)
    for first in range(0, n_paths, LANES):
        gap[:] = 0.0
        for step in range(n_rows):
            # a call of the generator gives four words, so one serves four steps
            if step % 4 == 0:
                for place in range(2):
                    path = first_path + first
                    fill_normals(normals[place], words, seed, step // 4, streams[place], path)
            to = volume[step, first : first + LANES]
            _trade(to, gap, normals[0, step % 4], level[step], terms)
            _lean(imbalance[step, first : first + LANES], normals[1, step % 4], terms)
