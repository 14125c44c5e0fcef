"""Rows of arrays that lie apart: a portfolio reads a dozen side by side, each where it is.

A kernel cannot take a list of arrays whose length it does not know, and to copy them into one
array costs as much as to run through them. So it takes where each begins. Whoever passes
addresses keeps the arrays alive, and they have the shape (n_steps + 1, n_paths) in that order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numba
import numpy as np
from numba.core import types
from numba.extending import intrinsic

from simulator.jit import inlined
from simulator.units import FloatArray

_BYTES = 8
_numba: Any = numba  # without types
_types: Any = types
carray = _numba.carray


class Rows(NamedTuple):
    """Where arrays begin, shape (n_arrays,) int64, and their common shape."""

    begins: np.ndarray[Any, np.dtype[np.int64]]
    n_rows: int
    n_paths: int


def rows_of(arrays: Sequence[FloatArray]) -> tuple[Rows, list[FloatArray]]:
    """Return the rows of `arrays`, and what must be kept while they are read.

    Parameters
    ----------
    arrays : sequence of ndarray of shape (n_steps + 1, n_paths)
        Or (n_layers, n_steps + 1, n_paths).

    Raises
    ------
    ValueError
        The last two axes of an array are not those of the first one.
    """
    kept = [np.ascontiguousarray(array, dtype=np.float64) for array in arrays]
    shapes = {array.shape[-2:] for array in kept}
    if len(shapes) != 1:
        raise ValueError(f"shapes are {sorted(shapes)}; must be one for all")
    begins = np.array([array.ctypes.data for array in kept], np.int64)
    return Rows(begins, *shapes.pop()), kept


def _typed_pointer(typing_context: Any, address: Any) -> Any:
    """Return an address as a pointer to float64."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], context.get_value_type(signature.return_type))

    return _types.CPointer(_types.float64)(_types.int64), codegen


_pointer: Any = intrinsic(_typed_pointer)


@inlined
def row(rows: Rows, number: int, step: int) -> FloatArray:
    """Return a row of array `number`, shape (n_paths,)."""
    begin = rows.begins[number] + step * rows.n_paths * _BYTES
    found: FloatArray = carray(_pointer(begin), (rows.n_paths,))
    return found


@inlined
def item(rows: Rows, number: int, step: int, k: int) -> float:
    """Return one element of array `number`; `step` may run on into the next of its layers."""
    begin = rows.begins[number] + (step * rows.n_paths + k) * _BYTES
    found: float = carray(_pointer(begin), (1,))[0]
    return found
