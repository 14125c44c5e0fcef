"""Counter-based random numbers: Philox4x32-10.

Key = seed, counter = (step, stream, path): a draw depends on nothing else, so
results are the same bytes whatever the chunking, the threads or the neighbours.
One call makes four words of 32 bits from the counter words (step, stream, low and
high half of the path). An instrument takes one call a step and has its four words;
a stream that needs one word a step lets a call serve the four steps that share
`step // 4` and takes word `step % 4` (the assets, see `market/draws.py`).

References
----------
Salmon, Moraes, Dror, Shaw (2011), Parallel random numbers: as easy as 1, 2, 3.
https://doi.org/10.1145/2063384.2063405
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.jit import inlined, kernel
from simulator.market.elementary import box_muller
from simulator.units import LANES, FloatArray

Integer = int | np.integer[Any]
WordArray = npt.NDArray[np.uint32]
LaneArray = npt.NDArray[np.float32] | npt.NDArray[np.float64]
Words = tuple[np.uint32, np.uint32, np.uint32, np.uint32]
Four = tuple[float, float, float, float]

_MULTIPLIER_0 = np.uint64(0xD2511F53)
_MULTIPLIER_1 = np.uint64(0xCD9E8D57)
_WEYL_0 = np.uint64(0x9E3779B9)
_WEYL_1 = np.uint64(0xBB67AE85)
_LOW = np.uint64(0xFFFFFFFF)
_HALF_WIDTH = np.uint64(32)


@inlined
def philox4x32(
    c0: np.uint64, c1: np.uint64, c2: np.uint64, c3: np.uint64, seed: np.uint64
) -> Words:
    """Return the four words of counter (c0, c1, c2, c3) under the key `seed`.

    Words travel in 64-bit containers whose high halves hold garbage: a vector
    unit multiplies 32 by 32 bits from such containers without unpacking.
    """
    k0 = np.uint64(seed)
    k1 = np.uint64(k0 >> _HALF_WIDTH)
    for _ in range(10):
        product_0 = np.uint64(_MULTIPLIER_0 * (c0 & _LOW))
        product_1 = np.uint64(_MULTIPLIER_1 * (c2 & _LOW))
        c0 = np.uint64((product_1 >> _HALF_WIDTH) ^ c1 ^ k0)
        c1 = product_1
        c2 = np.uint64((product_0 >> _HALF_WIDTH) ^ c3 ^ k1)
        c3 = product_0
        k0 = np.uint64(k0 + _WEYL_0)
        k1 = np.uint64(k1 + _WEYL_1)
    return np.uint32(c0), np.uint32(c1), np.uint32(c2), np.uint32(c3)


@inlined
def words4(seed: Integer, step: Integer, stream: Integer, path: Integer) -> Words:
    """Return the four words of 32 bits that belong to (seed, step, stream, path)."""
    wide = np.uint64(path)
    high = np.uint64(wide >> _HALF_WIDTH)
    return philox4x32(np.uint64(step), np.uint64(stream), wide, high, np.uint64(seed))


@inlined
def uniforms4(seed: Integer, step: Integer, stream: Integer, path: Integer) -> Four:
    """Return four independent uniforms in (0, 1): (word + 1/2) / 2^32, exactly."""
    a, b, c, d = words4(seed, step, stream, path)
    return _uniform(a), _uniform(b), _uniform(c), _uniform(d)


@inlined
def normals4(seed: Integer, step: Integer, stream: Integer, path: Integer) -> Four:
    """Return four independent standard normals in float64.

    The lanes of `fill_normals` hold the same numbers, computed in float32. These
    use the C library's functions: their last bit may depend on the machine.
    """
    a, b, c, d = words4(seed, step, stream, path)
    first, second = _box_muller_float64(a, b)
    third, fourth = _box_muller_float64(c, d)
    return first, second, third, fourth


@inlined
def _uniform(word: Integer) -> float:
    return (float(word) + 0.5) * 2.0**-32


@inlined
def _box_muller_float64(radius_word: Integer, angle_word: Integer) -> tuple[float, float]:
    radius = math.sqrt(-2.0 * math.log(_uniform(radius_word)))
    bits = np.int64(angle_word)
    angle = (float(bits & 0x3FFFFFFF) - 2.0**29) * (math.pi * 2.0**-31)
    across = radius * math.sin(angle)
    along = radius * math.cos(angle)
    if bits & 0x40000000:
        along = -along
    if bits & 0x80000000:
        return along, across
    return across, along


@kernel
def fill_words(
    words: WordArray, offset: int, seed: Integer, step: Integer, stream: Integer, path: Integer
) -> None:
    """Write the four words of LANES paths, word by word, from `offset` on.

    Parameters
    ----------
    words : ndarray of shape (at least offset + 4 * LANES,), uint32
        Flat, for LLVM sees that rows at constant distances do not overlap,
        and vectorises without checking at run time.
    path : int
        The first of the LANES consecutive paths.
    """
    rows = words[offset : offset + 4 * LANES]
    counter = np.uint64(step)
    stream_word = np.uint64(stream)
    key = np.uint64(seed)
    first = np.uint64(path)
    for lane in range(LANES):
        wide = np.uint64(first + np.uint64(lane))
        high = np.uint64(wide >> _HALF_WIDTH)
        a, b, c, d = philox4x32(counter, stream_word, wide, high, key)
        rows[lane] = a
        rows[LANES + lane] = b
        rows[2 * LANES + lane] = c
        rows[3 * LANES + lane] = d


@inlined
def words_to_normals(words: WordArray, start: int, normals: LaneArray, offset: int) -> None:
    """Turn LANES radius words and the LANES angle words behind them into 2 * LANES normals.

    Parameters
    ----------
    words : ndarray of shape (at least start + 2 * LANES,), uint32
    normals : ndarray of shape (at least offset + 2 * LANES,), float32 or float64
    """
    pair = words[start : start + 2 * LANES]
    result = normals[offset : offset + 2 * LANES]
    for lane in range(LANES):
        first, second = box_muller(pair[lane], pair[LANES + lane])
        result[lane] = first
        result[LANES + lane] = second


@kernel
def fill_normals(
    normals: LaneArray,
    words: WordArray,
    seed: Integer,
    step: Integer,
    stream: Integer,
    path: Integer,
) -> None:
    """Write the four standard normals of LANES paths: `normals4` in float32 arithmetic.

    Parameters
    ----------
    normals : ndarray of shape (4, LANES), float32 or float64, C order
    words : ndarray of shape (4 * LANES,), uint32
        Scratch; holds the words afterwards.
    path : int
        The first of the LANES consecutive paths.
    """
    flat = normals.reshape(4 * LANES)
    fill_words(words, 0, seed, step, stream, path)
    words_to_normals(words, 0, flat, 0)
    words_to_normals(words, 2 * LANES, flat, 2 * LANES)


@kernel
def fill_uniforms(
    uniforms: FloatArray,
    words: WordArray,
    seed: Integer,
    step: Integer,
    stream: Integer,
    path: Integer,
) -> None:
    """Write the four uniforms of LANES paths: `uniforms4`, bit by bit.

    Parameters
    ----------
    uniforms : ndarray of shape (4, LANES), float64, C order
    words : ndarray of shape (4 * LANES,), uint32
        Scratch; holds the words afterwards.
    path : int
        The first of the LANES consecutive paths.
    """
    flat = uniforms.reshape(4 * LANES)
    fill_words(words, 0, seed, step, stream, path)
    for index in range(4 * LANES):
        flat[index] = _uniform(words[index])
