"""Reductions that read a block of prices while it is still in the cache."""

from __future__ import annotations

from simulator.mechanics.jit import kernel
from simulator.units import LANES, FloatArray


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
    for lane in range(LANES):
        price = prices[lane]
        highest = price if price > peak[lane] else peak[lane]
        ratio = price / highest
        peak[lane] = highest
        worst[lane] = ratio if ratio < worst[lane] else worst[lane]
