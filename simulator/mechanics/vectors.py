"""Eight paths at once: vectors of float64 and masks, for kernels whose paths decide for themselves.

`+ - * /` and comparisons work on all eight, with a number on either side too. A mask is what a
comparison gives; `chosen` takes the place of a branch. No operation mixes lanes but `has_any` and
`in_turn`, and none is contracted, so a path has the bytes that it would have alone.

Written out, because LLVM makes no vectors of a loop whose body looks at a path's state, or calls.

`chosen`, `least`, `most`, `magnitude`, `down` and `up` take numbers and truth values too, so a rule
that is written with them holds for one path as for eight.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

import numba
from numba.core import cgutils, imputils, types
from numba.core.typing import templates
from numba.extending import intrinsic, models, register_model

from simulator.jit import inlined
from simulator.units import BoolArray, FloatArray

WIDTH = 8
"""Lanes of a vector, as many as the widest registers hold."""

Vector = Any
"""Eight float64, in a kernel alone."""
Mask = Any
"""Eight truth values, in a kernel alone."""
Lent = TypeVar("Lent")

_BYTES = 8
_READING, _WRITING, _SECOND_CACHE, _DATA = 0, 1, 2, 1
_numba: Any = numba  # without types
_types: Any = types
_models: Any = models
_tools: Any = cgutils
_templates: Any = templates
_lowering: Any = imputils
ir = _tools.ir

_LANES = ir.VectorType(ir.DoubleType(), WIDTH)
_FLAGS = ir.VectorType(ir.IntType(1), WIDTH)


class _VectorType(_types.Type):  # type: ignore[misc]
    """What numba knows of a vector."""

    def __init__(self) -> None:
        super().__init__(name=f"float64 x {WIDTH}")


class _MaskType(_types.Type):  # type: ignore[misc]
    """What numba knows of a mask."""

    def __init__(self) -> None:
        super().__init__(name=f"bool x {WIDTH}")


_vector, _mask = _VectorType(), _MaskType()


@register_model(_VectorType)
class _VectorModel(_models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _LANES)


@register_model(_MaskType)
class _MaskModel(_models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _FLAGS)


def _spread(builder: Any, value: Any) -> Any:
    """Return a number in all lanes; a vector as it is."""
    if value.type == _LANES:
        return value
    nothing = ir.Constant(_LANES, ir.Undefined)
    first = builder.insert_element(nothing, value, ir.IntType(32)(0))
    places = ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), [0] * WIDTH)
    return builder.shuffle_vector(first, nothing, places)


def _offer(function: Any, result: Any, operands: Any, build: Callable[..., Any]) -> None:
    """Teach numba an operator: its result on each tuple of `operands`."""

    def lowered(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return build(builder, *arguments)

    for kinds in operands:
        _lowering.lower_builtin(function, *kinds)(lowered)

    class Template(_templates.ConcreteTemplate):  # type: ignore[misc]
        cases: ClassVar[list[Any]] = [_templates.signature(result, *kinds) for kinds in operands]

    _templates.infer_global(function)(Template)


_NUMBERS = ((_vector, _vector), (_vector, _types.float64), (_types.float64, _vector))


def _arithmetic(name: str) -> Callable[..., Any]:
    def build(builder: Any, left: Any, right: Any) -> Any:
        return getattr(builder, name)(_spread(builder, left), _spread(builder, right))

    return build


def _comparison(symbol: str) -> Callable[..., Any]:
    def build(builder: Any, left: Any, right: Any) -> Any:
        # as in scalar code, nothing but != holds where a side is not a number
        compare = builder.fcmp_unordered if symbol == "!=" else builder.fcmp_ordered
        return compare(symbol, _spread(builder, left), _spread(builder, right))

    return build


for _function, _name in (
    (operator.add, "fadd"),
    (operator.sub, "fsub"),
    (operator.mul, "fmul"),
    (operator.truediv, "fdiv"),
):
    _offer(_function, _vector, _NUMBERS, _arithmetic(_name))
for _function, _name in (
    (operator.lt, "<"),
    (operator.le, "<="),
    (operator.gt, ">"),
    (operator.ge, ">="),
    (operator.eq, "=="),
    (operator.ne, "!="),
):
    _offer(_function, _mask, _NUMBERS, _comparison(_name))
_offer(operator.and_, _mask, [(_mask, _mask)], lambda b, left, right: b.and_(left, right))
_offer(operator.or_, _mask, [(_mask, _mask)], lambda b, left, right: b.or_(left, right))
_offer(operator.invert, _mask, [(_mask,)], lambda b, flags: b.xor(flags, _FLAGS([1] * WIDTH)))


def _typed_choice(typing_context: Any, flags: Any, yes: Any, no: Any) -> Any:
    if flags == _types.boolean:
        return _typed_choice_of_one(flags, yes, no)

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        sides = [
            value if kind == _vector else context.cast(builder, value, kind, _types.float64)
            for value, kind in zip(arguments[1:], signature.args[1:], strict=True)
        ]
        return builder.select(arguments[0], *(_spread(builder, value) for value in sides))

    return _vector(flags, yes, no), codegen


def _typed_choice_of_one(flag: Any, yes: Any, no: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        sides = [
            context.cast(builder, value, kind, _types.float64)
            for value, kind in zip(arguments[1:], signature.args[1:], strict=True)
        ]
        return builder.select(arguments[0], *sides)

    return _types.float64(flag, yes, no), codegen


def _unary(name: str) -> Any:
    """Return LLVM's function of that name, of a number or of each lane."""

    def typed(typing_context: Any, values: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            kind = arguments[0].type
            suffix = f"v{WIDTH}f64" if kind == _LANES else "f64"
            function = _tools.get_or_insert_function(
                builder.module, ir.FunctionType(kind, [kind]), f"llvm.{name}.{suffix}"
            )
            return builder.call(function, arguments)

        return values(values), codegen

    return typed


def _typed_any(typing_context: Any, flags: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        bits = builder.bitcast(arguments[0], ir.IntType(WIDTH))
        return builder.icmp_unsigned("!=", bits, ir.IntType(WIDTH)(0))

    return _types.boolean(flags), codegen


def _typed_sum(typing_context: Any, values: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        total = ir.DoubleType()(0.0)
        for lane in range(WIDTH):
            element = builder.extract_element(arguments[0], ir.IntType(32)(lane))
            total = builder.fadd(total, element)
        return total

    return _types.float64(values), codegen


def _typed_spread(typing_context: Any, value: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        number = context.cast(builder, arguments[0], signature.args[0], _types.float64)
        return _spread(builder, number)

    return _vector(value), codegen


def _typed_numbers(typing_context: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return ir.Constant(_LANES, [float(lane) for lane in range(WIDTH)])

    return _vector(), codegen


def _place(context: Any, builder: Any, signature: Any, array: Any, index: Any) -> Any:
    """Return where a vector begins in the array that is the first argument."""
    kinds = signature.args[1].types
    values = _tools.unpack_tuple(builder, index)
    indices = [
        context.cast(builder, value, kind, _types.intp)
        for value, kind in zip(values, kinds, strict=True)
    ]
    kind = signature.args[0]
    made = context.make_array(kind)(context, builder, array)
    at = _tools.get_item_pointer(context, builder, kind, made, indices, wraparound=False)
    return builder.bitcast(at, _LANES.as_pointer())


def _typed_get(typing_context: Any, array: Any, index: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load(_place(context, builder, signature, *arguments), align=_BYTES)

    return _vector(array, index), codegen


def _typed_truth(typing_context: Any, array: Any, index: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        bytes_of = ir.VectorType(ir.IntType(8), WIDTH)
        place = _place(context, builder, signature, *arguments)
        values = builder.load(builder.bitcast(place, bytes_of.as_pointer()), align=1)
        return builder.icmp_unsigned("!=", values, bytes_of([0] * WIDTH))

    return _mask(array, index), codegen


def _typed_put(typing_context: Any, array: Any, index: Any, values: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = _place(context, builder, signature, *arguments[:2])
        builder.store(arguments[2], place, align=_BYTES)
        return context.get_dummy_value()

    return _types.void(array, index, values), codegen


def _typed_read(typing_context: Any, address: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = builder.inttoptr(arguments[0], _LANES.as_pointer())
        return builder.load(place, align=_BYTES)

    return _vector(_types.int64), codegen


def _uncounted(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    """Return an array, or a tuple that has some, without what counts their users."""
    if isinstance(kind, _types.Array):
        made = context.make_array(kind)(context, builder, value)
        made.meminfo = made.meminfo.type(None)
        return made._getvalue()
    if isinstance(kind, _types.BaseTuple):
        for place, part in enumerate(kind.types):
            found = _uncounted(context, builder, part, builder.extract_value(value, place))
            value = builder.insert_value(value, found, place)
    return value


def _typed_lent(typing_context: Any, value: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _uncounted(context, builder, signature.args[0], arguments[0])

    return value(value), codegen


def _prefetch(builder: Any, place: Any, writing: int) -> None:
    byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
    shape = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
    hint = builder.module.declare_intrinsic("llvm.prefetch", [byte], shape)
    options = [number(option) for option in (writing, _SECOND_CACHE, _DATA)]
    builder.call(hint, [place, *options])


def _typed_hint(typing_context: Any, address: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _prefetch(builder, builder.inttoptr(arguments[0], ir.IntType(8).as_pointer()), _READING)
        return context.get_dummy_value()

    return _types.void(_types.int64), codegen


def _typed_warning(typing_context: Any, array: Any, index: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = _place(context, builder, signature, *arguments)
        _prefetch(builder, builder.bitcast(place, ir.IntType(8).as_pointer()), _WRITING)
        return context.get_dummy_value()

    return _types.void(array, index), codegen


_choose: Any = intrinsic(_typed_choice)
_magnitude: Any = intrinsic(_unary("fabs"))
_down: Any = intrinsic(_unary("floor"))
_up: Any = intrinsic(_unary("ceil"))
_any: Any = intrinsic(_typed_any)
_sum: Any = intrinsic(_typed_sum)
_fill: Any = intrinsic(_typed_spread)
_numbers: Any = intrinsic(_typed_numbers)
_get: Any = intrinsic(_typed_get)
_truth: Any = intrinsic(_typed_truth)
_put: Any = intrinsic(_typed_put)
_read: Any = intrinsic(_typed_read)
_lent: Any = intrinsic(_typed_lent)
_hint: Any = intrinsic(_typed_hint)
_warn: Any = intrinsic(_typed_warning)


# Through functions of this module's own, so that what is compiled is renewed when it changes.


@inlined
def chosen(where: Mask, yes: Vector | float, no: Vector | float) -> Vector:
    """Return `yes` in the lanes of a mask and `no` in the others."""
    return _choose(where, yes, no)


@inlined
def least(left: Vector, right: Vector) -> Vector:
    """Return the smaller of two in each lane, `left` where they are equal."""
    return _choose(right < left, right, left)


@inlined
def most(left: Vector, right: Vector) -> Vector:
    """Return the larger of two in each lane, `left` where they are equal."""
    return _choose(right > left, right, left)


@inlined
def magnitude(values: Vector) -> Vector:
    """Return the value without its sign, in each lane."""
    return _magnitude(values)


@inlined
def down(values: Vector) -> Vector:
    """Return the largest whole number that is not above, in each lane."""
    return _down(values)


@inlined
def up(values: Vector) -> Vector:
    """Return the smallest whole number that is not below, in each lane."""
    return _up(values)


@inlined
def has_any(where: Mask) -> bool:
    """Return whether a mask holds in any lane."""
    found: bool = _any(where)
    return found


@inlined
def in_turn(values: Vector) -> float:
    """Return the sum of the lanes, the first one first."""
    found: float = _sum(values)
    return found


@inlined
def spread(value: float) -> Vector:
    """Return a number in all lanes."""
    return _fill(value)


@inlined
def numbers_from(first: int) -> Vector:
    """Return first, first + 1, ..."""
    return _fill(first) + _numbers()


@inlined
def everywhere() -> Mask:
    """Return the mask of all lanes."""
    return _fill(0.0) == 0.0


@inlined
def get(array: FloatArray, index: tuple[int, ...]) -> Vector:
    """Return the vector that begins at `index` of an array of any shape, in C order."""
    return _get(array, index)


@inlined
def get_mask(array: BoolArray, index: tuple[int, ...]) -> Mask:
    """Return the mask that begins at `index` of an array of bool of any shape, in C order."""
    return _truth(array, index)


@inlined
def put(array: FloatArray, index: tuple[int, ...], values: Vector) -> None:
    """Write a vector from `index` of an array on, which is of any shape, in C order."""
    _put(array, index, values)


@inlined
def put_where(array: FloatArray, index: tuple[int, ...], where: Mask, values: Vector) -> None:
    """Write the lanes of a mask alone, to an array of any shape, in C order."""
    _put(array, index, _choose(where, values, _get(array, index)))


@inlined
def read(address: int) -> Vector:
    """Return the vector that begins at an address."""
    return _read(address)


@inlined
def lent(value: Lent) -> Lent:
    """Return an array, or a tuple of arrays, whose users are not counted.

    An array that is handed to a function with a branch is else counted up and down by an atomic
    instruction each time, which costs more than much arithmetic. Whoever calls the kernel keeps
    it: never lend what the kernel itself made.
    """
    found: Lent = _lent(value)
    return found


@inlined
def will_read(address: int) -> None:
    """Hint that a vector is read soon; an address beyond the end does no harm."""
    _hint(address)


@inlined
def will_put(array: FloatArray, index: tuple[int, ...]) -> None:
    """Hint that a vector is written soon, shape (LANES,); an index beyond the end does no harm."""
    _warn(array, index)
