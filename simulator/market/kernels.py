"""The market's recursion: LANES paths side by side, step by step, into a block of prices.

With shock = the standardised, correlated innovation of an asset on a trading day:

    ln S += drift - h / 2 + e + jump,   e = sqrt(h) * shock
    h'    = omega + (alpha + gamma 1[e < 0]) h news^2 + beta h, at most a bound

where news is the shock, at most 6 either way, and e at most 20 long-run deviations. Without
bounds the fourth moment of assets with leverage does not exist, and some path of many has a
day of a thousand percent.

On any other day price and variance stand still. Draws, e and h are float32, log
prices and prices float64. A loop over lanes has no branches and at most four
arrays: LLVM gives up vectorising where it must compare more pairs for overlap.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simulator.jit import inlined, kernel
from simulator.market.draws import (
    GROUP,
    ROWS,
    Float32Array,
    IntArray,
    draw_jumps,
    draw_normals,
    draw_t_scales,
)
from simulator.market.elementary import exponential
from simulator.market.philox import Integer, WordArray
from simulator.units import LANES, BoolArray, FloatArray

MAX_SHOCK = 15.0
"""Standardised t shocks are clipped here: unclipped, E[S] would be infinite."""
MAX_NEWS = 6.0
"""The variance of the next day learns from no larger shock."""

_CLIP = np.float32(MAX_SHOCK)
_MOST = np.float32(MAX_NEWS)
_ZERO = np.float32(0.0)
_HALF = np.float32(0.5)


class Tables(NamedTuple):
    """A market in the form the kernel reads.

    spot, log_spot : (n_assets,), price at index 0 and its logarithm
    drift : (n_assets, n_steps + 1), log drift that lands on each step, the jumps'
        compensator in it, and -h/2 too where the variance is constant
    trading : (n_assets, n_steps + 1), whether the asset moves
    mixing : (n_assets, n_assets), float32: weights of the normals in an asset's
        shock (with GARCH) or in its e (without)
    garch : (n_assets, 7), float32: omega, alpha, gamma, beta, variance at the start, its bound,
        and that of e
    streams : (n_assets, 2), uint32: diffusion, jumps
    thresholds : (n_assets, MAX_JUMPS), uint32, see `draw_jumps`
    jump_size : (n_assets, 2), float32: mean and standard deviation of a jump
    tails : (n_tails,), half the degrees of freedom of the classes, ascending
    tail : (n_assets,), row of `tails`
    """

    spot: FloatArray
    log_spot: FloatArray
    drift: FloatArray
    trading: BoolArray
    mixing: Float32Array
    garch: Float32Array
    streams: WordArray
    thresholds: WordArray
    jump_size: Float32Array
    tails: IntArray
    tail: IntArray
    has_garch: bool
    has_jumps: bool


class Lanes(NamedTuple):
    """Draws and state of the LANES paths in hand.

    words : (ROWS,), uint32
    scratch : (2 * ROWS,), float32
    scales : (n_tails * ROWS,), float32
    count_words, normals, jumps : (n_assets * ROWS,), uint32, float32 and float32
    variance, log_price : (n_assets, LANES), float32 and float64
    """

    words: WordArray
    count_words: WordArray
    normals: Float32Array
    jumps: Float32Array
    scales: Float32Array
    scratch: Float32Array
    variance: Float32Array
    log_price: FloatArray


@kernel
def fill_block(
    tables: Tables, seed: Integer, first_path: Integer, out: FloatArray, surprises: FloatArray
) -> None:
    """Fill `out`, of shape (n_assets, n_steps + 1, a multiple of LANES), with prices.

    `surprises`, of shape (3, ) and that of `out`, takes what `note` says; of size 0, nothing.
    """
    lanes = _allocate(out.shape[0], tables.tails.shape[0])
    for lane_start in range(0, out.shape[2], LANES):
        _start(tables, lanes, out, lane_start)
        path = np.uint64(first_path) + np.uint64(lane_start)
        _walk(tables, lanes, seed, path, out, surprises, lane_start)


@kernel
def _allocate(n_assets: int, n_tails: int) -> Lanes:
    return Lanes(
        np.empty(ROWS, np.uint32),
        np.empty(n_assets * ROWS, np.uint32),
        np.empty(n_assets * ROWS, np.float32),
        np.zeros(n_assets * ROWS, np.float32),
        np.empty(n_tails * ROWS, np.float32),
        np.empty(2 * ROWS, np.float32),
        np.empty((n_assets, LANES), np.float32),
        np.empty((n_assets, LANES), np.float64),
    )


@kernel
def _start(tables: Tables, lanes: Lanes, out: FloatArray, lane_start: int) -> None:
    """Write the first variances and prices; `out` is of shape (n_assets, n_steps + 1, n_paths)."""
    for asset in range(out.shape[0]):
        for lane in range(LANES):
            lanes.log_price[asset, lane] = tables.log_spot[asset]
            lanes.variance[asset, lane] = tables.garch[asset, 4]
            out[asset, 0, lane_start + lane] = tables.spot[asset]


@kernel
def _walk(
    tables: Tables,
    lanes: Lanes,
    seed: Integer,
    path: Integer,
    out: FloatArray,
    surprises: FloatArray,
    lane_start: int,
) -> None:
    """Write prices from step 1 on; arrays are of the shapes in `fill_block`."""
    # Unpacked once: taking an array out of a tuple counts a reference, atomically,
    # and so does a slice that is handed on; hence the offsets below.
    _, _, drift, trading, mixing, garch, streams, thresholds, sizes = tables[:9]
    tails, tail, has_t, has_jumps = tables[9:]
    words, count_words, normals, jumps, scales, scratch, variance, log_price = lanes
    for group in range((out.shape[1] - 1) // GROUP + 1):
        draw_normals(normals, words, streams, seed, group, path)
        if has_t:
            draw_t_scales(scales, scratch, words, tails, seed, group, path)
        if has_jumps:
            draw_jumps(jumps, count_words, streams, thresholds, sizes, seed, group, path)
        for step in range(max(1, group * GROUP), min((group + 1) * GROUP, out.shape[1])):
            turn = step % GROUP
            for asset in range(out.shape[0]):
                if not trading[asset, step]:
                    stand_still(out, asset, step, lane_start)
                    continue
                mix(scratch, normals, mixing, asset, turn)
                if surprises.shape[0] > 0:
                    note_variance(surprises, variance, asset, step, lane_start)
                if has_t:
                    apply_garch(scratch, scales, variance, garch, asset, tail[asset], turn)
                if surprises.shape[0] > 0:
                    note(surprises, scratch, jumps, asset, step, lane_start, has_t)
                log_drift = drift[asset, step]
                _move(out, log_price, scratch, jumps, log_drift, asset, step, lane_start)


@inlined
def stand_still(out: FloatArray, asset: int, step: int, lane_start: int) -> None:
    """Carry prices on over a day without trade; `out` of shape (n_assets, n_steps + 1, n_paths)."""
    before = out[asset, step - 1, lane_start : lane_start + LANES]
    prices = out[asset, step, lane_start : lane_start + LANES]
    for lane in range(LANES):
        prices[lane] = before[lane]


@inlined
def mix(
    moves: Float32Array, normals: Float32Array, mixing: Float32Array, asset: int, turn: int
) -> None:
    """Write an asset's shock (with GARCH) or its e (without) from the assets' normals.

    Parameters
    ----------
    moves : ndarray of shape (at least LANES,), float32
    normals : ndarray of shape (n_assets * ROWS,), float32
    mixing : ndarray of shape (n_assets, n_assets), float32
    """
    # an asset depends on those before it alone: one more leaves them as they were
    weight = mixing[asset, 0]
    row = normals[turn * LANES : (turn + 1) * LANES]
    for lane in range(LANES):
        moves[lane] = weight * row[lane]
    for other in range(1, asset + 1):
        weight = mixing[asset, other]
        start = other * ROWS + turn * LANES
        row = normals[start : start + LANES]
        for lane in range(LANES):
            moves[lane] += weight * row[lane]


@inlined
def apply_garch(
    moves: Float32Array,
    scales: Float32Array,
    variance: Float32Array,
    garch: Float32Array,
    asset: int,
    tail: int,
    turn: int,
) -> None:
    """Turn normal shocks into e - h/2, in place, and the variances into the next day's.

    Parameters
    ----------
    moves : ndarray of shape (at least LANES,), float32
    scales : ndarray of shape (n_tails * ROWS,), float32
    variance : ndarray of shape (n_assets, LANES), float32
    garch : ndarray of shape (n_assets, 7), float32
    """
    omega = garch[asset, 0]
    alpha = garch[asset, 1]
    gamma = garch[asset, 2]
    beta = garch[asset, 3]
    bound = garch[asset, 5]
    largest = garch[asset, 6]
    start = tail * ROWS + turn * LANES
    scale = scales[start : start + LANES]
    h_row = variance[asset]
    for lane in range(LANES):
        shock = np.float32(moves[lane] * scale[lane])
        shock = shock if shock < _CLIP else _CLIP
        shock = shock if shock > -_CLIP else -_CLIP
        h = h_row[lane]
        news = shock if shock < _MOST else _MOST
        news = news if news > -_MOST else -_MOST
        weight = np.float32(alpha + (gamma if shock < _ZERO else _ZERO))
        following = np.float32(np.float32(omega + weight * h * news * news) + beta * h)
        h_row[lane] = following if following < bound else bound
        e = np.float32(np.sqrt(h) * shock)
        e = e if e < largest else largest
        e = e if e > -largest else -largest
        moves[lane] = np.float32(e - _HALF * h)


@kernel
def note_variance(
    surprises: FloatArray, variance: Float32Array, asset: int, step: int, lane_start: int
) -> None:
    """Write down the day's variance h, and that no regime changes it.

    Parameters
    ----------
    surprises : ndarray of shape (3, n_assets, n_steps + 1, n_paths)
    variance : ndarray of shape (n_assets, LANES), float32
    """
    row = variance[asset]
    for lane in range(LANES):
        surprises[1, asset, step, lane_start + lane] = np.float64(row[lane])
        surprises[2, asset, step, lane_start + lane] = 1.0


@kernel
def note(
    surprises: FloatArray,
    moves: Float32Array,
    jumps: Float32Array,
    asset: int,
    step: int,
    lane_start: int,
    has_t: bool,
) -> None:
    """Write down the day's surprise, shock and jump, without what keeps the expectation.

    Parameters
    ----------
    surprises : ndarray of shape (3, n_assets, n_steps + 1, n_paths)
        The surprise, h, and the regime's factor m, of which the last two are there.
    moves : ndarray of shape (at least LANES,), float32
        m e - m^2 h / 2 (with GARCH) or m e - (m^2 - 1) h / 2 (without).
    jumps : ndarray of shape (n_assets * ROWS,), float32
    """
    start = asset * ROWS + step % GROUP * LANES
    without = 0.0 if has_t else 1.0
    for lane in range(LANES):
        h = surprises[1, asset, step, lane_start + lane]
        m = surprises[2, asset, step, lane_start + lane]
        shock = np.float64(moves[lane]) + (m * m - without) * h / 2
        surprises[0, asset, step, lane_start + lane] = shock + np.float64(jumps[start + lane])


@inlined
def _move(
    out: FloatArray,
    log_price: FloatArray,
    moves: Float32Array,
    jumps: Float32Array,
    drift: float,
    asset: int,
    step: int,
    lane_start: int,
) -> None:
    """Move an asset's log prices by drift, shock and jump.

    Parameters
    ----------
    out : ndarray of shape (n_assets, n_steps + 1, n_paths)
    log_price : ndarray of shape (n_assets, LANES)
    moves : ndarray of shape (at least LANES,), float32
    jumps : ndarray of shape (n_assets * ROWS,), float32
    """
    prices = out[asset, step, lane_start : lane_start + LANES]
    log_row = log_price[asset]
    start = asset * ROWS + step % GROUP * LANES
    jump = jumps[start : start + LANES]
    for lane in range(LANES):
        log_row[lane] += drift + np.float64(np.float32(moves[lane] + jump[lane]))
        prices[lane] = exponential(log_row[lane])
