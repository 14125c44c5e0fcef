"""A hint to the processor: what a kernel is going to read or write next.

Changes no result. A kernel that goes through many arrays side by side, a row of each at a time,
else waits for memory at the beginning of every row.
"""

from __future__ import annotations

from typing import Any

from numba.core import cgutils, types
from numba.extending import intrinsic

from simulator.jit import inlined
from simulator.units import FloatArray

_tools: Any = cgutils  # without types
ir = _tools.ir

_LINE = 8
"""Float64 in a line of the cache."""
_NEAREST_CACHE = 3
_DATA = 1


def _hint(writing: int) -> Any:
    """Return a function of (array, row, column) that hints at one element's line."""

    def typed(typing_context: Any, array: Any, row: Any, column: Any) -> Any:
        if not (isinstance(array, types.Array) and array.ndim == 2):
            return None

        def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            kind = signature.args[0]
            values = context.make_array(kind)(context, builder, arguments[0])
            place = _tools.get_item_pointer(
                context, builder, kind, values, arguments[1:], wraparound=False
            )
            byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
            shape = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
            hint = builder.module.declare_intrinsic("llvm.prefetch", [byte], shape)
            options = [number(option) for option in (writing, _NEAREST_CACHE, _DATA)]
            builder.call(hint, [builder.bitcast(place, byte), *options])
            return context.get_dummy_value()

        return types.void(array, types.intp, types.intp), codegen

    return intrinsic(typed)


_will_read: Any = _hint(0)
_will_write: Any = _hint(1)


@inlined
def will_read(values: FloatArray, row: int, first: int, width: int) -> None:
    """Hint that `width` elements of a row are read soon; a row beyond the end does no harm.

    `values` is of shape (n_rows, n_columns).
    """
    for column in range(first, first + width, _LINE):
        _will_read(values, row, column)


@inlined
def will_write(values: FloatArray, row: int, first: int, width: int) -> None:
    """Hint that `width` elements of a row are written soon.

    `values` is of shape (n_rows, n_columns).
    """
    for column in range(first, first + width, _LINE):
        _will_write(values, row, column)
