"""Elementary functions that LLVM can turn into vector instructions, the same on every machine.

The C library's `log`, `sin` and `exp` cost a call for every lane, and their last
bit depends on the machine. These are polynomials, fitted to the least maximum
error (Lawson's algorithm) on the reduced range, evaluated with explicit fused
multiply-adds: each operation is rounded once, by the rules of IEEE 754.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba.core import types
from numba.extending import intrinsic

from simulator.jit import inlined

# -2 ln(1 + f) = f (-2 + f Q(f)) on sqrt(1/2) - 1 <= f <= sqrt(2) - 1, relative error 1.8e-7
_Q0 = np.float32(1.0000064687712371)
_Q1 = np.float32(-0.6666942983857345)
_Q2 = np.float32(0.4994245678912695)
_Q3 = np.float32(-0.3981376518653014)
_Q4 = np.float32(0.34486451451826466)
_Q5 = np.float32(-0.3236101372564671)
_Q6 = np.float32(0.20164764981543382)
_MINUS_TWO = np.float32(-2.0)
_MINUS_TWO_LN_2 = np.float32(-1.3862943611198906)
_ONE = np.float32(1.0)
_ZERO = np.float32(0.0)
_SQRT_HALF_BITS = np.uint32(0x3F3504F3)
_MANTISSA_BITS = np.uint32(0x007FFFFF)
_MANTISSA_SIZE = np.int32(23)

# sin(pi a / 4) / a and cos(pi a / 4) in a^2 on |a| <= 1, errors 2.4e-9 and 2.8e-8
_S0 = np.float32(0.7853981609847261)
_S1 = np.float32(-0.08074543484060125)
_S2 = np.float32(0.0024900071474768166)
_S3 = np.float32(-3.59545191994671e-05)
_C0 = np.float32(0.999999972438425)
_C1 = np.float32(-0.3084242536806406)
_C2 = np.float32(0.015849915489768055)
_C3 = np.float32(-0.0003188806388412683)
_ANGLE_BITS = np.uint32(0x3FFFFFFF)
_ANGLE_HALF = np.int32(0x20000000)
_ANGLE_SCALE = np.float32(2.0**-29)
_FLIP_BIT = np.uint32(0x40000000)
_SWAP_BIT = np.uint32(0x80000000)
_ONE_BIT = np.uint32(1)

# e^r on |r| <= ln(2) / 2, relative error 1.5e-14
_E0 = 1.0000000000000118
_E1 = 0.9999999999998923
_E2 = 0.4999999999946018
_E3 = 0.1666666666782781
_E4 = 0.04166666703143727
_E5 = 0.008333333001840599
_E6 = 0.0013888802979936706
_E7 = 0.00019841598367370677
_E8 = 2.4883941110805065e-05
_E9 = 2.7481121884508343e-06
_INVERSE_LN_2 = 1.4426950408889634
_MINUS_LN_2 = -0.6931471805599453
_ROUND_TO_INTEGER = 6755399441055744.0  # 1.5 * 2^52: the sum's low bits are the integer
_EXPONENT_SHIFT = np.uint64(52)

# ln m = 2 (s + s^3 / 3 + s^5 / 5 + ...), s = (m - 1) / (m + 1), |s| < 0.172: 1e-17 at the end
_LN_2 = 0.6931471805599453
_L1, _L2, _L3, _L4, _L5 = (2.0 / (2 * k + 1) for k in range(1, 6))
_L6, _L7, _L8, _L9, _L10 = (2.0 / (2 * k + 1) for k in range(6, 11))
_SQRT_HALF_BITS_64 = np.uint64(0x3FE6A09E667F3BCD)
_MANTISSA_BITS_64 = np.uint64(0x000FFFFFFFFFFFFF)
_MANTISSA_SIZE_64 = np.int64(52)

_HALF = np.float32(0.5)
_WORD_SCALE = np.float32(2.0**-32)


def _fma(typing_context: Any, x: Any, y: Any, z: Any) -> Any:
    """Return x * y + z, rounded once; all three of one floating type."""
    if not (isinstance(x, types.Float) and x == y == z):
        return None

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.fma(*arguments)

    return x(x, x, x), codegen


fma: Any = intrinsic(_fma)


@inlined
def uniform32(word: np.uint32) -> np.float32:
    """Return (word + 1/2) / 2^32 in float32, in (0, 1]: never 0, but 1 by rounding."""
    return np.float32((np.float32(word) + _HALF) * _WORD_SCALE)


@inlined
def minus_two_log(x: np.float32) -> np.float32:
    """Return -2 ln x for a normal x in (0, 1], never negative, relative error below 4e-7."""
    shifted = np.uint32(np.float32(x).view(np.uint32) - _SQRT_HALF_BITS)
    exponent = np.float32(np.int32(np.int32(shifted) >> _MANTISSA_SIZE))
    mantissa_bits = np.uint32((shifted & _MANTISSA_BITS) + _SQRT_HALF_BITS)
    f = np.float32(mantissa_bits.view(np.float32) - _ONE)
    q = fma(f, fma(f, _Q6, _Q5), _Q4)
    q = fma(f, fma(f, fma(f, fma(f, q, _Q3), _Q2), _Q1), _Q0)
    result = fma(f, fma(f, q, _MINUS_TWO), np.float32(exponent * _MINUS_TWO_LN_2))
    return result if result > _ZERO else _ZERO


@inlined
def box_muller(radius_word: np.uint32, angle_word: np.uint32) -> tuple[np.float32, np.float32]:
    """Return two independent standard normals in float32, at most 6.77 in size.

    The angle's low 30 bits place it within 45 degrees of an axis; its two high
    bits choose which of the four half-axes.
    """
    radius = np.float32(np.sqrt(minus_two_log(uniform32(radius_word))))
    offset = np.int32(np.int32(angle_word & _ANGLE_BITS) - _ANGLE_HALF)
    a = np.float32(np.float32(offset) * _ANGLE_SCALE)
    q = np.float32(a * a)
    across = np.float32(a * fma(q, fma(q, fma(q, _S3, _S2), _S1), _S0))
    along = fma(q, fma(q, fma(q, _C3, _C2), _C1), _C0)
    sign = np.uint32((angle_word & _FLIP_BIT) << _ONE_BIT)
    along = np.uint32(np.float32(along).view(np.uint32) ^ sign).view(np.float32)
    swap = (angle_word & _SWAP_BIT) != np.uint32(0)
    first = along if swap else across
    second = across if swap else along
    return np.float32(radius * first), np.float32(radius * second)


@inlined
def exponential(x: np.float64) -> np.float64:
    """Return e^x in float64 for |x| < 700, relative error below 2e-14."""
    rounded = fma(x, _INVERSE_LN_2, _ROUND_TO_INTEGER)
    r = fma(rounded - _ROUND_TO_INTEGER, _MINUS_LN_2, x)
    p = fma(r, fma(r, fma(r, fma(r, _E9, _E8), _E7), _E6), _E5)
    p = fma(r, fma(r, fma(r, fma(r, fma(r, p, _E4), _E3), _E2), _E1), _E0)
    exponent = np.uint64(np.float64(rounded).view(np.uint64) << _EXPONENT_SHIFT)
    return np.uint64(np.float64(p).view(np.uint64) + exponent).view(np.float64)


@inlined
def logarithm(x: float) -> np.float64:
    """Return ln x in float64 for a normal x above 0, absolute error below 2e-16 + 3e-16 |ln x|."""
    shifted = np.uint64(np.float64(x).view(np.uint64) - _SQRT_HALF_BITS_64)
    exponent = np.float64(np.int64(np.int64(shifted) >> _MANTISSA_SIZE_64))
    mantissa_bits = np.uint64((shifted & _MANTISSA_BITS_64) + _SQRT_HALF_BITS_64)
    m = mantissa_bits.view(np.float64)
    s = (m - 1.0) / (m + 1.0)
    z = s * s
    p = fma(z, fma(z, fma(z, fma(z, _L10, _L9), _L8), _L7), _L6)
    p = fma(z, fma(z, fma(z, fma(z, fma(z, p, _L5), _L4), _L3), _L2), _L1)
    return np.float64(fma(exponent, _LN_2, fma(s * z, p, 2.0 * s)))


@inlined
def nearest(x: float) -> float:
    """Return the integer nearest to x, of two the even one, for |x| < 2^51."""
    return (x + _ROUND_TO_INTEGER) - _ROUND_TO_INTEGER
