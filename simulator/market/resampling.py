"""The bootstrap's kernel: each path's past days, and prices from them; see `market/bootstrap.py`.

Counters, as in `market/draws.py`: group g holds the steps 4g to 4g + 3, word s belongs to
step 4g + s. Streams BLOCK_END (does a new block begin) and BLOCK_START (where): of word times n
the high half is the day, the low half, as good as a draw of its own, places a smooth history's
move in its tail.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from simulator.jit import inlined, kernel
from simulator.market.bootstrap import History
from simulator.market.draws import GROUP, ROWS
from simulator.market.elementary import exponential, logarithm
from simulator.market.kernels import stand_still
from simulator.market.philox import Integer, WordArray, fill_words
from simulator.market.streams import Stream
from simulator.units import LANES, BoolArray, FloatArray

_BLOCK_START = int(Stream.BLOCK_START)
_BLOCK_END = int(Stream.BLOCK_END)
_WORD_BITS = np.uint64(32)
_LOW = np.uint64(2**32 - 1)
_WORD_SCALE = 2.0**-32


class Resampling(NamedTuple):
    """A history in the form the kernel reads.

    spot, log_spot : (n_assets,)
    drift : (n_assets, n_steps + 1), log drift that lands on each step, less c_k
    trading : (n_steps + 1,), the same for all assets
    returns : (n_assets, n_days)
    threshold : a new block begins where the 32-bit word is below it
    smooth : whether `smoothing` counts, in place of `returns`
    """

    spot: FloatArray
    log_spot: FloatArray
    drift: FloatArray
    trading: BoolArray
    returns: FloatArray
    threshold: np.uint64
    smooth: bool
    smoothing: Smoothing


class Smoothing(NamedTuple):
    """A smooth history in the form the kernel reads; empty where it is not.

    moves : (n_assets, n_days, 3), a day's move, side of its tail (0: none), ln of its volatility
    levels : (n_assets, n_steps + 1, 2), level and weight of each step
    tails : (n_assets, 2, 4), shift, factor, shape and bound of the lower and of the upper tail
    """

    moves: FloatArray
    levels: FloatArray
    tails: FloatArray


def resampling(
    history: History, spot: FloatArray, drift: FloatArray, trading: BoolArray
) -> Resampling:
    """Return the kernel's tables.

    Parameters
    ----------
    drift : ndarray of shape (n_assets, n_steps + 1)
        The drift of the calendar that lands on each step.
    trading : ndarray of shape (n_assets, n_steps + 1)

    Raises
    ------
    ValueError
        Assets trade on different days: they could not share the history's days.
    """
    days = trading[0].copy()
    days[0] = False
    if np.any(trading[:, 1:] != days[1:]):
        raise ValueError("a bootstrap needs assets that trade on the same days")
    lowered = drift.copy()
    lowered[:, days] -= history.compensators(int(days.sum()))
    return Resampling(
        spot=np.array(spot, dtype=np.float64),
        log_spot=np.log(spot),
        drift=np.ascontiguousarray(lowered),
        trading=days,
        returns=np.array(history.returns, dtype=np.float64, order="C"),
        threshold=np.uint64(round(2.0**32 / history.mean_block)),
        smooth=history.smooth,
        smoothing=_smoothing(history, days),
    )


def _smoothing(history: History, days: BoolArray) -> Smoothing:
    """Return what the kernel reads of a smooth history; `days` of shape (n_steps + 1,)."""
    n_assets = len(history.returns)
    if not history.smooth:
        nothing = np.empty((n_assets, 0, 0))
        return Smoothing(nothing, nothing, nothing)
    found = history.smoothed
    levels = np.zeros((n_assets, days.size, 2))
    levels[:, days] = found.levels(int(days.sum()))
    moves = np.stack([found.moves, found.sides, found.log_sd], axis=2)
    return Smoothing(np.ascontiguousarray(moves), levels, found.tails)


@kernel
def fill_resampled(tables: Resampling, seed: Integer, first_path: Integer, out: FloatArray) -> None:
    """Fill `out`, of shape (n_assets, n_steps + 1, a multiple of LANES), with prices."""
    words = np.empty((2, ROWS), np.uint32)
    day = np.empty(LANES, np.int64)
    log_price = np.empty((out.shape[0], LANES), np.float64)
    for lane_start in range(0, out.shape[2], LANES):
        for asset in range(out.shape[0]):
            for lane in range(LANES):
                log_price[asset, lane] = tables.log_spot[asset]
                out[asset, 0, lane_start + lane] = tables.spot[asset]
        path = np.uint64(first_path) + np.uint64(lane_start)
        _walk(tables, words, day, log_price, seed, path, out, lane_start)


@kernel
def _walk(
    tables: Resampling,
    words: WordArray,
    day: npt.NDArray[np.int64],
    log_price: FloatArray,
    seed: Integer,
    path: Integer,
    out: FloatArray,
    lane_start: int,
) -> None:
    """Write the prices of LANES paths from step 1 on.

    Parameters
    ----------
    words : ndarray of shape (2, ROWS), uint32
        Scratch.
    day : ndarray of shape (LANES,), int64
        Scratch.
    log_price : ndarray of shape (n_assets, LANES)
    out : ndarray of shape (n_assets, n_steps + 1, n_paths)
    """
    _, _, drift, trading, returns, threshold, smooth, smoothing = tables
    ends, starts = words[0], words[1]
    past_logs, sides, log_sd, draws = np.empty((4, LANES))
    begun = False
    for group in range((out.shape[1] - 1) // GROUP + 1):
        fill_words(ends, 0, seed, group, _BLOCK_END, path)
        fill_words(starts, 0, seed, group, _BLOCK_START, path)
        for step in range(max(1, group * GROUP), min((group + 1) * GROUP, out.shape[1])):
            offset = step % GROUP * LANES
            if trading[step]:
                everywhere = np.uint64(threshold if begun else 2**32)
                _choose_days(day, ends, starts, offset, everywhere, returns.shape[1])
                if smooth:
                    _choose_draws(draws, starts, offset, returns.shape[1])
                begun = True
            for asset in range(out.shape[0]):
                if not trading[step]:
                    stand_still(out, asset, step, lane_start)
                    continue
                if smooth:
                    _smooth_past(past_logs, sides, log_sd, smoothing, day, draws, asset, step)
                else:
                    _plain_past(past_logs, returns[asset], day)
                _move(out, log_price, past_logs, drift[asset, step], asset, step, lane_start)


@inlined
def _plain_past(past_logs: FloatArray, returns: FloatArray, day: npt.NDArray[np.int64]) -> None:
    """Write the past return of each lane's day; shapes (LANES,), (n_days,) and (LANES,)."""
    for lane in range(LANES):
        past_logs[lane] = returns[day[lane]]


@inlined
def _smooth_past(
    past_logs: FloatArray,
    sides: FloatArray,
    log_sd: FloatArray,
    smoothing: Smoothing,
    day: npt.NDArray[np.int64],
    draws: FloatArray,
    asset: int,
    step: int,
) -> None:
    """Write the move of each lane's day times the volatility of the step.

    Parameters
    ----------
    past_logs, sides, log_sd : ndarray of shape (LANES,)
        The last two are scratch.
    day : ndarray of shape (LANES,), int64
    draws : ndarray of shape (LANES,), exponentially distributed, the same for all assets
    """
    moves, levels, tails = smoothing
    level, weight = levels[asset, step, 0], levels[asset, step, 1]
    low_shift, low_factor, low_shape, low_bound = tails[asset, 0]
    shift, factor, shape, bound = tails[asset, 1]
    for lane in range(LANES):
        past_logs[lane] = moves[asset, day[lane], 0]
        sides[lane] = moves[asset, day[lane], 1]
        log_sd[lane] = level + weight * moves[asset, day[lane], 2]
    # every lane computes its tail, few use it: without branches it is a vector instruction
    for lane in range(LANES):
        side = sides[lane]
        is_low = side < 0
        rise = exponential((low_shape if is_low else shape) * draws[lane])
        size = (low_shift if is_low else shift) + (low_factor if is_low else factor) * rise
        most = low_bound if is_low else bound
        size = side * (size if size < most else most)
        move = size if side != 0 else past_logs[lane]
        past_logs[lane] = move * exponential(log_sd[lane])


@inlined
def _move(
    out: FloatArray,
    log_price: FloatArray,
    past_logs: FloatArray,
    drift: float,
    asset: int,
    step: int,
    lane_start: int,
) -> None:
    """Move an asset's log prices by the drift and by what each lane drew.

    Parameters
    ----------
    out : ndarray of shape (n_assets, n_steps + 1, n_paths)
    log_price : ndarray of shape (n_assets, LANES)
    past_logs : ndarray of shape (LANES,)
    """
    prices = out[asset, step, lane_start : lane_start + LANES]
    log_row = log_price[asset]
    for lane in range(LANES):
        log_row[lane] += drift + past_logs[lane]
        prices[lane] = exponential(log_row[lane])


@inlined
def _choose_days(
    day: npt.NDArray[np.int64],
    ends: WordArray,
    starts: WordArray,
    offset: int,
    threshold: np.uint64,
    n_days: int,
) -> None:
    """Write each lane's day of the history, shape (LANES,): the next one, or that of a new block.

    `ends` and `starts` are of shape (ROWS,).
    """
    for lane in range(LANES):
        if np.uint64(ends[offset + lane]) < threshold:
            word = np.uint64(starts[offset + lane])
            day[lane] = np.int64(np.uint64(word * np.uint64(n_days)) >> _WORD_BITS)
        else:
            day[lane] = day[lane] + 1 if day[lane] + 1 < n_days else 0


@inlined
def _choose_draws(draws: FloatArray, starts: WordArray, offset: int, n_days: int) -> None:
    """Write each lane's exponential draw, shape (LANES,): how far out in its tail a move lies.

    `starts` is of shape (ROWS,).
    """
    for lane in range(LANES):
        low = np.uint64(np.uint64(starts[offset + lane]) * np.uint64(n_days)) & _LOW
        draws[lane] = -logarithm((float(low) + 0.5) * _WORD_SCALE)
