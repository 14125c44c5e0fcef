"""Where a token's price change comes from, day by day: metal, premium, backing.

The metal moves at yesterday's backing and premium, backing at yesterday's premium; what
quantisation leaves goes to the premium, so the three sum to the change exactly.
"""

from __future__ import annotations

import numpy as np

from simulator.instruments.base import TokenPrices
from simulator.jit import inlined, kernel
from simulator.market.elementary import exponential
from simulator.units import FloatArray

BY_METAL, BY_PREMIUM, BY_BACKING = range(3)


def split(prices: TokenPrices, ounces: float, brought: FloatArray) -> FloatArray:
    """Return what each source of `ounces` tokens brought in all, shape (3, n_paths), USD.

    `brought`, of shape (4, n_steps + 1, n_paths), takes it up to each step in its first three
    layers; (4, 0, 0) where nobody asks.
    """
    sums = np.zeros((3, prices.metal_usd.shape[1]))
    _split(
        prices.metal_usd, prices.token_usd, prices.premium, prices.backing, ounces, sums, brought
    )
    return sums


@kernel
def _split(
    metal: FloatArray,
    token: FloatArray,
    premium: FloatArray,
    backing: FloatArray,
    ounces: float,
    sums: FloatArray,
    brought: FloatArray,
) -> None:
    """Add up in `sums`, shape (3, n_paths), USD, what each source of `ounces` tokens brought.

    `brought` is that of `split`, the others are of shape (n_steps + 1, n_paths), as in
    `TokenPrices`.
    """
    n_rows, n_paths = metal.shape
    factor, moved, lost = np.empty(n_paths), np.empty(n_paths), np.empty(n_paths)
    for step in range(n_rows):
        if step > 0:
            _exponentials(premium[step - 1], factor)
            _move(metal[step], metal[step - 1], backing[step - 1], factor, moved)
            _lose(metal[step], backing[step], backing[step - 1], factor, lost)
            _rest(token[step], token[step - 1], moved, lost, ounces, sums[BY_PREMIUM])
            _add(sums[BY_METAL], ounces, moved)
            _add(sums[BY_BACKING], ounces, lost)
        if brought.shape[1] > 0:
            for source in range(3):
                _copy(brought[source, step], sums[source])


@inlined
def _exponentials(values: FloatArray, out: FloatArray) -> None:
    """Write exp of the values; rows of shape (n_paths,)."""
    for k in range(out.shape[0]):
        out[k] = exponential(values[k])


@inlined
def _move(
    metal: FloatArray, before: FloatArray, backing: FloatArray, factor: FloatArray, out: FloatArray
) -> None:
    """Write the metal's part at yesterday's backing and premium; rows of shape (n_paths,), USD."""
    for k in range(out.shape[0]):
        out[k] = (metal[k] - before[k]) * backing[k] * factor[k]


@inlined
def _lose(
    metal: FloatArray, backing: FloatArray, before: FloatArray, factor: FloatArray, out: FloatArray
) -> None:
    """Write the backing's part at yesterday's premium; rows of shape (n_paths,), USD."""
    for k in range(out.shape[0]):
        out[k] = metal[k] * (backing[k] - before[k]) * factor[k]


@inlined
def _rest(
    token: FloatArray,
    before: FloatArray,
    moved: FloatArray,
    lost: FloatArray,
    ounces: float,
    total: FloatArray,
) -> None:
    """Add what `moved` and `lost` leave of the token's change; rows of shape (n_paths,), USD."""
    for k in range(total.shape[0]):
        total[k] += ounces * (token[k] - before[k] - moved[k] - lost[k])


@inlined
def _add(total: FloatArray, times: float, more: FloatArray) -> None:
    """Add `times` times `more` to `total`; rows of shape (n_paths,)."""
    for k in range(total.shape[0]):
        total[k] += times * more[k]


@inlined
def _copy(out: FloatArray, values: FloatArray) -> None:
    """Copy the values to `out`; rows of shape (n_paths,)."""
    for k in range(out.shape[0]):
        out[k] = values[k]
