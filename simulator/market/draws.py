"""What the market draws for LANES paths and four steps at a time.

Group g holds the steps 4g to 4g + 3, a step being the index of the row it leads
to. The counter's first word, by stream:

diffusion   g; word s belongs to step 4g + s
chi-square  65536 j + g for the j-th uniform of the product; word s as above
jumps       g // 4: word g % 4 gives the number of jumps in the group's four days;
            2^31 + 16 g + j for the j-th of these: two words make its size, the
            third its day. A jump on a day without trade is dropped.

A Poisson number for four days, spread evenly over them, is an independent Poisson
number for each day: the drawing is exact and costs a quarter. Dropping (thinning)
keeps it so, and a path does not depend on how long the run is.

Rows of lanes lie one behind the other in flat arrays, and loops run over slices of
these: an offset that might be negative would keep LLVM from vectorising.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simulator.jit import kernel
from simulator.market.elementary import box_muller, minus_two_log, uniform32
from simulator.market.philox import (
    Integer,
    WordArray,
    fill_words,
    words4,
    words_to_normals,
)
from simulator.market.streams import Stream
from simulator.units import LANES

GROUP = 4
"""Steps that one Philox call serves, one word each."""
ROWS = GROUP * LANES
"""Size of a group's draws for one asset."""
MAX_JUMPS = 16
"""The most jumps of an asset in the four days of a group."""

Float32Array = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
_SIZE_COUNTERS = 2**31
_FACTOR_COUNTERS = 2**16
_CHI_SQUARE = int(Stream.CHI_SQUARE)
_DAY_SHIFT = np.uint32(30)
_FACTORS_PER_LOG = 3  # four factors of 2^-33 would leave float32's normal range
_SMALLEST_CHI_SQUARE = np.float32(1e-12)
_ZERO = np.float32(0.0)
_ONE = np.float32(1.0)


@kernel
def draw_normals(
    normals: Float32Array,
    words: WordArray,
    streams: WordArray,
    seed: Integer,
    group: int,
    path: Integer,
) -> None:
    """Write the group's standard normals of every asset.

    Parameters
    ----------
    normals : ndarray of shape (n_assets * ROWS,), float32
    words : ndarray of shape (ROWS,), uint32
        Scratch.
    streams : ndarray of shape (n_assets, 2), uint32
        Diffusion, jumps.
    """
    for asset in range(streams.shape[0]):
        fill_words(words, 0, seed, group, streams[asset, 0], path)
        words_to_normals(words, 0, normals, asset * ROWS)
        words_to_normals(words, 2 * LANES, normals, asset * ROWS + 2 * LANES)


@kernel
def draw_t_scales(
    scales: Float32Array,
    products: Float32Array,
    words: WordArray,
    tails: IntArray,
    seed: Integer,
    group: int,
    path: Integer,
) -> None:
    """Write sqrt((dof - 2) / chi2) for the group's four steps, for each class of assets.

    chi2 = -2 ln of a product of dof / 2 uniforms. Classes share the uniforms: a class with fewer
    degrees of freedom stops earlier, so that their wild days are for the most part the same.

    Parameters
    ----------
    scales : ndarray of shape (n_tails * ROWS,), float32
    products : ndarray of shape (2 * ROWS,), float32
        Scratch, as is `words`.
    tails : ndarray of shape (n_tails,), int64
        Half the degrees of freedom, in ascending order.
    """
    sums = products[ROWS:]
    for index in range(ROWS):
        products[index] = _ONE
        sums[index] = _ZERO
    factor = 0
    for tail in range(tails.shape[0]):
        while factor < tails[tail]:
            fill_words(words, 0, seed, factor * _FACTOR_COUNTERS + group, _CHI_SQUARE, path)
            for index in range(ROWS):
                products[index] *= uniform32(words[index])
            factor += 1
            if factor % _FACTORS_PER_LOG == 0 or factor == tails[tail]:
                for index in range(ROWS):
                    sums[index] += minus_two_log(products[index])
                    products[index] = _ONE
        numerator = np.float32(2 * tails[tail] - 2)
        start = tail * ROWS
        own = scales[start : start + ROWS]
        for index in range(ROWS):
            chi_square = sums[index]
            if chi_square < _SMALLEST_CHI_SQUARE:
                chi_square = _SMALLEST_CHI_SQUARE
            own[index] = np.sqrt(np.float32(numerator / chi_square))


@kernel
def draw_jumps(
    jumps: Float32Array,
    count_words: WordArray,
    streams: WordArray,
    thresholds: WordArray,
    sizes: Float32Array,
    seed: Integer,
    group: int,
    path: Integer,
) -> None:
    """Write the group's jumps of every asset's log price; jumps of one day add up.

    Parameters
    ----------
    jumps : ndarray of shape (n_assets * ROWS,), float32
    count_words : ndarray of shape (n_assets * ROWS,), uint32
        Kept from group to group: the words that tell the number of jumps in each
        of the groups that share `group // 4`, renewed when the first of them comes.
    streams : ndarray of shape (n_assets, 2), uint32
        Diffusion, jumps.
    thresholds : ndarray of shape (n_assets, MAX_JUMPS), uint32
        There are more than k jumps where the word is below entry k.
    sizes : ndarray of shape (n_assets, 2), float32
        Mean and standard deviation of a jump.
    """
    turn = group % GROUP
    for index in range(jumps.size):
        jumps[index] = _ZERO
    for asset in range(streams.shape[0]):
        if turn == 0:
            fill_words(count_words, asset * ROWS, seed, group // GROUP, streams[asset, 1], path)
        start = asset * ROWS + turn * LANES
        counts = count_words[start : start + LANES]
        # jumps are rare: a branch that is seldom taken beats drawing every size
        for lane in range(LANES):
            if counts[lane] < thresholds[asset, 0]:
                _add_jumps(
                    jumps,
                    counts[lane],
                    thresholds,
                    sizes,
                    asset,
                    lane,
                    streams[asset, 1],
                    seed,
                    group,
                    path,
                )


@kernel
def _add_jumps(
    jumps: Float32Array,
    word: np.uint32,
    thresholds: WordArray,
    sizes: Float32Array,
    asset: int,
    lane: int,
    stream: Integer,
    seed: Integer,
    group: int,
    path: Integer,
) -> None:
    """Add the jumps that `word` says of one lane; arrays are of the shapes in `draw_jumps`."""
    number = 0
    while number < MAX_JUMPS and word < thresholds[asset, number]:
        counter = _SIZE_COUNTERS + group * MAX_JUMPS + number
        a, b, c, _ = words4(seed, counter, stream, np.uint64(path) + np.uint64(lane))
        normal, _ = box_muller(a, b)
        size = np.float32(sizes[asset, 0] + np.float32(sizes[asset, 1] * normal))
        jumps[asset * ROWS + np.int64(c >> _DAY_SHIFT) * LANES + lane] += size
        number += 1
