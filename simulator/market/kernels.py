"""The market's recursion: LANES paths side by side, step by step, into a block of prices.

With shock = the standardised, correlated innovation of an asset on a trading day:

    ln S += drift - h / 2 + e + jump,   e = sqrt(h) * shock
    h'    = omega + (alpha + gamma 1[e < 0]) e^2 + beta h

On any other day price and variance stand still. Draws, e and h are float32, log
prices and prices float64. A loop over lanes has no branches and at most four
arrays: LLVM gives up vectorising where it must compare more pairs for overlap.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simulator.market.draws import (
    GROUP,
    ROWS,
    Float32Array,
    draw_jumps,
    draw_normals,
    draw_t_scales,
)
from simulator.market.elementary import exponential
from simulator.market.philox import Integer, WordArray
from simulator.mechanics.jit import kernel
from simulator.units import LANES, BoolArray, FloatArray

MAX_SHOCK = 15.0
"""Standardised t shocks are clipped here: unclipped, E[S] would be infinite."""

_CLIP = np.float32(MAX_SHOCK)
_ZERO = np.float32(0.0)
_HALF = np.float32(0.5)


class Tables(NamedTuple):
    """A market in the form the kernel reads.

    spot : (n_assets,), price at index 0
    drift : (n_assets, n_steps + 1), log drift that lands on each step, the jumps'
        compensator in it, and -h/2 too where the variance is constant
    trading : (n_assets, n_steps + 1), whether the asset moves
    mixing : (n_assets, n_assets), float32: weights of the normals in an asset's
        shock (with GARCH) or in its e (without)
    garch : (n_assets, 5), float32: omega, alpha, gamma, beta, variance at the start
    streams : (n_assets, 2), uint32: diffusion, jumps
    thresholds : (n_assets, MAX_JUMPS), uint32, see `draw_jumps`
    jump_size : (n_assets, 2), float32: mean and standard deviation of a jump
    """

    spot: FloatArray
    drift: FloatArray
    trading: BoolArray
    mixing: Float32Array
    garch: Float32Array
    streams: WordArray
    thresholds: WordArray
    jump_size: Float32Array
    chi_square_stream: int
    half_dof: int
    has_garch: bool
    has_jumps: bool


class Lanes(NamedTuple):
    """Draws and state of the LANES paths in hand; one row for each asset."""

    words: WordArray
    count_words: WordArray
    normals: Float32Array
    jumps: Float32Array
    scales: Float32Array
    scratch: Float32Array
    variance: Float32Array
    log_price: FloatArray


@kernel
def fill_block(tables: Tables, seed: Integer, first_path: Integer, out: FloatArray) -> None:
    """Fill `out`, of shape (n_assets, n_steps + 1, a multiple of LANES), with prices."""
    lanes = _allocate(out.shape[0])
    n_groups = (out.shape[1] - 1) // GROUP + 1
    for lane_start in range(0, out.shape[2], LANES):
        path = np.uint64(first_path) + np.uint64(lane_start)
        _start(tables, lanes, out, lane_start)
        for group in range(n_groups):
            _draw(tables, lanes, seed, group, path)
            for asset in range(out.shape[0]):
                _advance(tables, lanes, out, asset, group, lane_start)


@kernel
def _allocate(n_assets: int) -> Lanes:
    return Lanes(
        np.empty(ROWS, np.uint32),
        np.empty((n_assets, ROWS), np.uint32),
        np.empty((n_assets, ROWS), np.float32),
        np.zeros((n_assets, ROWS), np.float32),
        np.empty(ROWS, np.float32),
        np.empty(ROWS, np.float32),
        np.empty((n_assets, LANES), np.float32),
        np.empty((n_assets, LANES), np.float64),
    )


@kernel
def _start(tables: Tables, lanes: Lanes, out: FloatArray, lane_start: int) -> None:
    for asset in range(out.shape[0]):
        lanes.log_price[asset, :] = np.log(tables.spot[asset])
        lanes.variance[asset, :] = tables.garch[asset, 4]
        out[asset, 0, lane_start : lane_start + LANES] = tables.spot[asset]


@kernel
def _draw(tables: Tables, lanes: Lanes, seed: Integer, group: int, path: Integer) -> None:
    if tables.has_garch:
        draw_t_scales(
            lanes.scales,
            lanes.scratch,
            lanes.words,
            seed,
            group,
            tables.chi_square_stream,
            path,
            tables.half_dof,
        )
    for asset in range(tables.spot.size):
        stream = tables.streams[asset, 0]
        draw_normals(lanes.normals[asset], lanes.words, seed, group, stream, path)
        if tables.has_jumps:
            draw_jumps(
                lanes.jumps[asset],
                lanes.count_words[asset],
                seed,
                group,
                tables.streams[asset, 1],
                path,
                tables.thresholds[asset],
                tables.jump_size[asset],
            )


@kernel
def _advance(
    tables: Tables, lanes: Lanes, out: FloatArray, asset: int, group: int, lane_start: int
) -> None:
    """Take one asset through the steps of a group."""
    for turn in range(GROUP):
        step = group * GROUP + turn
        if step == 0 or step >= out.shape[1]:
            continue
        prices = out[asset, step, lane_start : lane_start + LANES]
        if not tables.trading[asset, step]:
            prices[:] = out[asset, step - 1, lane_start : lane_start + LANES]
            continue
        row = slice(turn * LANES, (turn + 1) * LANES)
        moves = lanes.scratch[:LANES]
        _mix(moves, lanes.normals, tables.mixing, asset, turn)
        if tables.has_garch:
            _apply_garch(moves, lanes.scales[row], lanes.variance[asset], tables.garch[asset])
        drift = tables.drift[asset, step]
        _apply_move(prices, lanes.log_price[asset], moves, lanes.jumps[asset, row], drift)


@kernel
def _mix(
    moves: Float32Array, normals: Float32Array, mixing: Float32Array, asset: int, turn: int
) -> None:
    # an asset depends on those before it alone: one more leaves them as they were
    start = turn * LANES
    weight = mixing[asset, 0]
    row = normals[0, start : start + LANES]
    for lane in range(LANES):
        moves[lane] = weight * row[lane]
    for other in range(1, asset + 1):
        weight = mixing[asset, other]
        row = normals[other, start : start + LANES]
        for lane in range(LANES):
            moves[lane] += weight * row[lane]


@kernel
def _apply_garch(
    moves: Float32Array, scales: Float32Array, variance: Float32Array, garch: Float32Array
) -> None:
    """Turn normal shocks into e - h/2, in place, and the variances into the next day's."""
    omega = garch[0]
    alpha = garch[1]
    gamma = garch[2]
    beta = garch[3]
    for lane in range(LANES):
        shock = np.float32(moves[lane] * scales[lane])
        shock = shock if shock < _CLIP else _CLIP
        shock = shock if shock > -_CLIP else -_CLIP
        h = variance[lane]
        e = np.float32(np.sqrt(h) * shock)
        weight = np.float32(alpha + (gamma if e < _ZERO else _ZERO))
        variance[lane] = np.float32(np.float32(omega + weight * e * e) + beta * h)
        moves[lane] = np.float32(e - _HALF * h)


@kernel
def _apply_move(
    prices: FloatArray,
    log_price: FloatArray,
    moves: Float32Array,
    jumps: Float32Array,
    drift: float,
) -> None:
    for lane in range(LANES):
        move = np.float32(moves[lane] + jumps[lane])
        log_price[lane] += drift + np.float64(move)
        prices[lane] = exponential(log_price[lane])
