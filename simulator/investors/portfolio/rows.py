"""Rows of arrays that lie apart: a portfolio reads a dozen side by side, each where it is.

A kernel cannot take a list of arrays whose length it does not know, and to copy them into one
array costs as much as to run through them. So it takes where each begins. Whoever passes
addresses keeps the arrays alive, and they have the shape (n_steps + 1, n_paths) in that order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from simulator.jit import inlined
from simulator.mechanics.vectors import WIDTH, Vector, read, will_read
from simulator.units import FloatArray

_BYTES = 8


class Rows(NamedTuple):
    """Where arrays begin, shape (n_arrays,) int64, and their common shape.

    `n_paths` is a multiple of WIDTH.
    """

    begins: np.ndarray[Any, np.dtype[np.int64]]
    n_rows: int
    n_paths: int


def rows_of(arrays: Sequence[FloatArray]) -> tuple[Rows, list[FloatArray]]:
    """Return the rows of `arrays`, and what must be kept while they are read.

    Where the paths are no multiple of WIDTH the last one stands there again, as often as lacks.

    Parameters
    ----------
    arrays : sequence of ndarray of shape (n_steps + 1, n_paths)
        Or (n_layers, n_steps + 1, n_paths).

    Raises
    ------
    ValueError
        The last two axes of an array are not those of the first one.
    """
    shapes = {array.shape[-2:] for array in arrays}
    if len(shapes) != 1:
        raise ValueError(f"shapes are {sorted(shapes)}; must be one for all")
    kept = [np.ascontiguousarray(_full(array), dtype=np.float64) for array in arrays]
    begins = np.array([array.ctypes.data for array in kept], np.int64)
    return Rows(begins, *kept[0].shape[-2:]), kept


def _full(array: FloatArray) -> FloatArray:
    lacking = -array.shape[-1] % WIDTH
    if lacking == 0:
        return array
    return np.pad(array, [(0, 0)] * (array.ndim - 1) + [(0, lacking)], mode="edge")


@inlined
def item(rows: Rows, number: int, step: int, k: int) -> Vector:
    """Return WIDTH paths from `k` on of array `number`.

    `step` may run on into the next of its layers.
    """
    return read(rows.begins[number] + (step * rows.n_paths + k) * _BYTES)


@inlined
def will_need(rows: Rows, number: int, step: int, k: int) -> None:
    """Hint that `item` is going to be asked for the same; it need not exist."""
    first = rows.begins[number] + (step * rows.n_paths + k) * _BYTES
    will_read(first)
    will_read(first + (WIDTH - 1) * _BYTES)  # a vector may lie on two lines of the cache
