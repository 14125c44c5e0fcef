"""Copies between a kernel's own rows and the rows of its arrays, a vector at a time.

A loop over lanes that reads one array and writes another is not turned into vector
instructions where LLVM cannot see that the two do not overlap. These copies are vectors from
the start, and change no bit.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba.core import cgutils, types
from numba.extending import intrinsic

from simulator.jit import inlined
from simulator.units import FloatArray

_tools: Any = cgutils  # without types
ir = _tools.ir

_VECTOR = 8
"""Float64 that are copied at once, as many as the widest registers hold."""
_ALIGNED_BYTES = 8
_PAGE_BYTES = 4096
_PLACE_BYTES = 256


def _is_flat(array: Any) -> bool:
    return isinstance(array, types.Array) and array.layout == "C" and array.dtype == types.float64


def _copy(reading: bool) -> Any:
    """Return a function of (own, place, array, row, column) that copies a vector."""

    def typed(typing_context: Any, own: Any, place: Any, array: Any, row: Any, column: Any) -> Any:
        if not (_is_flat(own) and _is_flat(array)):
            return None

        def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            vector = ir.VectorType(ir.DoubleType(), _VECTOR).as_pointer()

            def pointer(number: int, indices: Any) -> Any:
                kind = signature.args[number]
                values = context.make_array(kind)(context, builder, arguments[number])
                at = _tools.get_item_pointer(
                    context, builder, kind, values, indices, wraparound=False
                )
                return builder.bitcast(at, vector)

            inside, outside = pointer(0, arguments[1:2]), pointer(2, arguments[3:])
            source, target = (outside, inside) if reading else (inside, outside)
            builder.store(builder.load(source, align=_ALIGNED_BYTES), target, align=_ALIGNED_BYTES)
            return context.get_dummy_value()

        return types.void(own, types.intp, array, types.intp, types.intp), codegen

    return intrinsic(typed)


_read: Any = _copy(True)
_write: Any = _copy(False)


@inlined
def read_row(own: FloatArray, place: int, values: FloatArray, row: int, first: int, n: int) -> None:
    """Copy `n` elements of a row, a multiple of 8, from column `first` on, to own[place:].

    `values` is of shape (n_rows, n_columns), `own` of shape (at least place + n,), both in C order.
    """
    for column in range(0, n, _VECTOR):
        _read(own, place + column, values, row, first + column)


@inlined
def write_row(
    own: FloatArray, place: int, values: FloatArray, row: int, first: int, n: int
) -> None:
    """Copy own[place : place + n], n a multiple of 8, to a row from column `first` on.

    `values` is of shape (n_rows, n_columns), `own` of shape (at least place + n,), both in C order.
    """
    for column in range(0, n, _VECTOR):
        _write(own, place + column, values, row, first + column)


def empty_apart(shape: tuple[int, ...], place: int) -> FloatArray:
    """Return an uninitialised array of shape `shape` at a place of its own in the fastest cache.

    Arrays of whole pages, one allocated after the other, have equal rows at equal addresses but
    for whole pages. A cache keeps only some lines of such addresses, so a kernel that goes
    through a dozen arrays side by side loses what it has just read or is about to write.
    Arrays with different places, 0 to 15, do not get into each other's way.
    """
    size = 8 * math.prod(shape)
    memory = np.empty(size + _PAGE_BYTES, np.uint8)
    start = (place % 16 * _PLACE_BYTES - memory.ctypes.data) % _PAGE_BYTES
    found: FloatArray = memory[start : start + size].view(np.float64).reshape(shape)
    return found
