"""Prices of a block of paths, by asset."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from simulator.market.dynamics import MarketSpec, fill
from simulator.units import FloatArray

BLOCK_PATHS = 256
"""Paths of a block that is filled, reduced and filled again within the cache."""

_CACHE_LINE_BYTES = 64


@dataclass(frozen=True, eq=False)
class MarketPaths:
    """Prices of consecutive paths.

    dates : n_steps + 1 dates, the start first
    prices : by asset, each of shape (n_steps + 1, n_paths), in the asset's own unit
    first_path : number of the first path
    """

    dates: pd.DatetimeIndex
    prices: Mapping[str, FloatArray]
    first_path: int


def simulate_market(
    spec: MarketSpec,
    seed: int,
    first_path: int,
    n_paths: int,
    *,
    block: FloatArray | None = None,
) -> MarketPaths:
    """Return the prices of the paths `first_path` to `first_path + n_paths - 1`.

    Parameters
    ----------
    n_paths : int
        A multiple of LANES.
    block : ndarray of shape (n_assets, n_steps + 1, n_paths), optional
        Memory for the prices, as `empty_block` makes it. What it held is lost, and
        so are the paths that an earlier call placed there.

    Raises
    ------
    ValueError
        `n_paths` or the shape of `block` does not fit.
    """
    if block is None:
        block = empty_block(spec, n_paths)
    if block.shape[2] != n_paths:
        raise ValueError(f"block holds {block.shape[2]} paths; n_paths is {n_paths}")
    fill(spec, seed, first_path, block)
    prices = {asset: block[index] for index, asset in enumerate(spec.assets)}
    return MarketPaths(spec.dates, prices, first_path)


def empty_block(spec: MarketSpec, n_paths: int = BLOCK_PATHS) -> FloatArray:
    """Return memory for a block, uninitialised, aligned to a line of the cache.

    Reused by a thread for one block after another it stays in the cache, and its
    pages need not be mapped again.
    """
    shape = (len(spec.assets), spec.n_steps + 1, n_paths)
    size = 8 * shape[0] * shape[1] * shape[2]
    memory = np.empty(size + _CACHE_LINE_BYTES, dtype=np.uint8)
    start = -memory.ctypes.data % _CACHE_LINE_BYTES
    block: FloatArray = memory[start : start + size].view(np.float64).reshape(shape)
    return block


_own = threading.local()


def own_block(spec: MarketSpec, n_paths: int) -> FloatArray:
    """Return the calling thread's block, made anew only where the shape changes."""
    shape = (len(spec.assets), spec.n_steps + 1, n_paths)
    block: FloatArray | None = getattr(_own, "block", None)
    if block is None or block.shape != shape:
        block = _own.block = empty_block(spec, n_paths)
    return block
