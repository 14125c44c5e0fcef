"""Reductions that read a block of prices while it is still in the cache."""

from __future__ import annotations

import numpy as np

from simulator.jit import kernel
from simulator.units import LANES, BoolArray, FloatArray


@kernel
def terminal_and_drawdown(
    block: FloatArray, peak: FloatArray, terminal: FloatArray, drawdown: FloatArray
) -> None:
    """Write each path's last price and maximum drawdown.

    The drawdown is min over t of S_t / max over s <= t of S_s, less 1: zero or
    negative; the start belongs to the running peak.

    Parameters
    ----------
    block : ndarray of shape (n_assets, n_steps + 1, n_paths), n_paths a multiple of LANES
    peak : ndarray of shape (LANES,)
        Scratch.
    terminal, drawdown : ndarray of shape (n_assets, n_paths)
    """
    for asset in range(block.shape[0]):
        for start in range(0, block.shape[2], LANES):
            worst = drawdown[asset, start : start + LANES]
            for lane in range(LANES):
                peak[lane] = block[asset, 0, start + lane]
                worst[lane] = 1.0
            for step in range(1, block.shape[1]):
                _lower_worst(block[asset, step, start : start + LANES], peak, worst)
            for lane in range(LANES):
                terminal[asset, start + lane] = block[asset, -1, start + lane]
                worst[lane] -= 1.0


@kernel
def _lower_worst(prices: FloatArray, peak: FloatArray, worst: FloatArray) -> None:
    """Take in a day: the running peak, and the smallest share of it; rows of shape (LANES,)."""
    for lane in range(LANES):
        price = prices[lane]
        highest = price if price > peak[lane] else peak[lane]
        ratio = price / highest
        peak[lane] = highest
        worst[lane] = ratio if ratio < worst[lane] else worst[lane]


@kernel
def return_sums(
    block: FloatArray,
    trading: BoolArray,
    joint: BoolArray,
    returns: FloatArray,
    powers: FloatArray,
    firsts: FloatArray,
    products: FloatArray,
) -> None:
    """Write each path's sums of the daily log returns r of trading days.

    Parameters
    ----------
    block : ndarray of shape (n_assets, n_steps + 1, n_paths)
    trading : ndarray of shape (n_assets, n_steps + 1)
    joint : ndarray of shape (n_steps + 1,)
        Days on which every asset trades.
    returns : ndarray of shape (n_assets, n_paths)
        Scratch.
    powers : ndarray of shape (n_assets, 4, n_paths)
        Sums of r, r^2, r^3, r^4 over the asset's own trading days.
    firsts : ndarray of shape (n_assets, n_paths)
        Sums of r over joint days.
    products : ndarray of shape (n_assets, n_assets, n_paths)
        Sums of r_i r_j over joint days, for j <= i; the rest is 0.
    """
    powers[:] = 0.0
    firsts[:] = 0.0
    products[:] = 0.0
    for step in range(1, block.shape[1]):
        for asset in range(block.shape[0]):
            if not trading[asset, step]:
                continue
            for path in range(block.shape[2]):
                r = np.log(block[asset, step, path] / block[asset, step - 1, path])
                square = r * r
                returns[asset, path] = r
                powers[asset, 0, path] += r
                powers[asset, 1, path] += square
                powers[asset, 2, path] += square * r
                powers[asset, 3, path] += square * square
        if joint[step]:
            _add_joint(returns, firsts, products)


@kernel
def _add_joint(returns: FloatArray, firsts: FloatArray, products: FloatArray) -> None:
    """Add a joint day's returns and products to the sums; of the shapes in `return_sums`."""
    for asset in range(returns.shape[0]):
        for path in range(returns.shape[1]):
            firsts[asset, path] += returns[asset, path]
        for other in range(asset + 1):
            for path in range(returns.shape[1]):
                products[asset, other, path] += returns[asset, path] * returns[other, path]
