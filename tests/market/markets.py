"""Markets for the tests, and Philox once more, in plain Python integers."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from simulator.market.dynamics import Garch, Jumps, MarketSpec, fill
from simulator.market.paths import BLOCK_PATHS, empty_block

METALS = ("gold", "silver", "copper")
CORRELATION = np.array([[1.0, 0.77, 0.32], [0.77, 1.0, 0.42], [0.32, 0.42, 1.0]])
START = dt.date(2026, 1, 20)


def metals(model: str = "gbm", n_steps: int = 365, n_assets: int = 3, **changes: Any) -> MarketSpec:
    """Return gold, silver and copper that trade every day of a year of 365 days."""
    first = slice(n_assets)
    spec = MarketSpec(
        assets=METALS[first],
        model=model,
        start=START,
        n_steps=n_steps,
        spot=np.array([4_760.0, 94.2, 12_730.0])[first],
        drift=np.array([0.06, -0.02, 0.03])[first],
        volatility=np.array([0.174, 0.318, 0.269])[first],
        periods_per_year=np.full(n_assets, 365.0),
        cholesky=np.linalg.cholesky(CORRELATION[first, first]),
        trading=np.ones((n_assets, n_steps + 1), dtype=bool),
        jumps=Jumps(
            intensity=np.array([1.7, 1.8, 1.2])[first],
            mean=np.array([-0.011, -0.045, -0.027])[first],
            sd=np.array([0.048, 0.074, 0.083])[first],
        ),
        garch=Garch(
            alpha=np.array([0.055, 0.061, 0.040])[first],
            gamma=np.array([-0.031, -0.039, 0.0])[first],
            beta=np.array([0.92, 0.93, 0.945])[first],
            variance_start=(np.array([0.174, 0.318, 0.269]) ** 2 / 365)[first],
        ),
    )
    return replace(spec, **changes)


def sample(
    spec: MarketSpec, n_paths: int, keep: Callable[[np.ndarray], np.ndarray], seed: int = 20260120
) -> np.ndarray:
    """Return keep(block) for blocks of at least n_paths paths, joined along the last axis."""
    block = empty_block(spec)
    kept = []
    for first_path in range(0, n_paths, BLOCK_PATHS):
        fill(spec, seed, first_path, block)
        kept.append(keep(block).copy())
    return np.concatenate(kept, axis=-1)


def terminal(block: np.ndarray) -> np.ndarray:
    """Return the last prices, of shape (n_assets, n_paths)."""
    return block[:, -1]


def standard_errors_off(values: np.ndarray, expected: float) -> float:
    """Return how many standard errors the mean of `values` lies from `expected`."""
    return abs(values.mean() - expected) / (values.std() / math.sqrt(values.size))


def philox_reference(counter: tuple[int, ...], seed: int) -> tuple[int, ...]:
    """Return the four words of Philox4x32-10, as its paper writes them."""
    c0, c1, c2, c3 = counter
    k0, k1 = seed % 2**32, seed >> 32
    for _ in range(10):
        high_0, low_0 = divmod(0xD2511F53 * c0, 2**32)
        high_1, low_1 = divmod(0xCD9E8D57 * c2, 2**32)
        c0, c1, c2, c3 = high_1 ^ c1 ^ k0, low_1, high_0 ^ c3 ^ k1, low_0
        k0, k1 = (k0 + 0x9E3779B9) % 2**32, (k1 + 0xBB67AE85) % 2**32
    return c0, c1, c2, c3


def draw_reference(seed: int, step: int, stream: int, path: int) -> tuple[int, ...]:
    """Return the four words of a draw of path `path`."""
    return philox_reference((step, stream, path % 2**32, path >> 32), seed)


def uniform_reference(word: int) -> float:
    """Return the uniform of a word."""
    return (word + 0.5) / 2**32


def normals_reference(radius_word: int, angle_word: int) -> tuple[float, float]:
    """Return two normals: Box and Muller, with an angle of four half-axes and 90 degrees each."""
    radius = math.sqrt(-2 * math.log(uniform_reference(radius_word)))
    within = (angle_word % 2**30 / 2**30 - 0.5) * math.pi / 2
    half_axis = {0: (1, 1), 1: (1, -1), 2: (1, 1), 3: (1, -1)}[angle_word >> 30]
    along = half_axis[1] * math.cos(within)
    across = math.sin(within)
    pair = (along, across) if angle_word >> 31 else (across, along)
    return radius * pair[0], radius * pair[1]
