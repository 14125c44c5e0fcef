"""Prices of a block of paths, by asset."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from simulator.market.dynamics import NO_SURPRISES, NOTHING, MarketSpec, fill
from simulator.market.macro.factors import factor_paths
from simulator.market.macro.names import N_STATES
from simulator.market.shocks import Happened, apply_shocks
from simulator.market.stablecoin import usdc_paths
from simulator.market.surprises import needs_surprises, noted_surprises
from simulator.schema.assets import USDC
from simulator.units import FloatArray

BLOCK_PATHS = 256
"""Paths of a block that is filled, reduced and filled again within the cache."""

_CACHE_LINE_BYTES = 64


@dataclass(frozen=True, eq=False)
class MarketPaths:
    """Prices of consecutive paths.

    dates : n_steps + 1 dates, the start first
    prices : by asset, each of shape (n_steps + 1, n_paths), in the asset's own unit; USDC's in
        dollars where the scenario lets it fall
    first_path : number of the first path
    factors : by name, each of shape (n_steps + 1, n_paths), in the units of `FACTOR_UNITS`;
        empty but for the model macro, which draws them again when one is first asked for
    happened : when each shock began; None without shocks
    """

    dates: pd.DatetimeIndex
    prices: Mapping[str, FloatArray]
    first_path: int
    factors: Mapping[str, FloatArray] = field(default_factory=dict)
    happened: Happened | None = None


def simulate_market(
    spec: MarketSpec,
    seed: int,
    first_path: int,
    n_paths: int,
    *,
    block: FloatArray | None = None,
    n_assets: int | None = None,
    factors: Collection[str] = (),
) -> MarketPaths:
    """Return the prices of the paths `first_path` to `first_path + n_paths - 1`.

    Parameters
    ----------
    n_paths : int
        A multiple of LANES.
    block : ndarray of shape (n_assets, n_steps + 1, n_paths), optional
        Memory for the prices, as `empty_block` makes it. What it held is lost, and
        so are the paths that an earlier call placed there.
    n_assets : int, optional
        Only the first so many assets, where the model can leave the others out: an asset
        depends on those before it alone, so no byte of theirs changes.
    factors : collection of str, optional
        Macro factors that are going to be asked for. They are written down with the prices;
        any other is drawn again when it is asked for. No byte of either changes.

    Raises
    ------
    ValueError
        `n_paths` or the shape of `block` does not fit.
    """
    if block is None:
        block = empty_block(spec, n_paths)
    if block.shape[2] != n_paths:
        raise ValueError(f"block holds {block.shape[2]} paths; n_paths is {n_paths}")
    if n_assets is not None and spec.model == "macro" and not spec.shocks:
        block = block[:n_assets]
    factors = {*factors, *(name for shock in spec.shocks for name in shock.factors)}
    keeps = spec.model == "macro" and len(factors) > 0 and block.shape[0] == len(spec.assets)
    states = empty_states(spec, n_paths) if keeps else NOTHING
    surprises = empty_surprises(spec, n_paths)
    fill(spec, seed, first_path, block, states=states, surprises=surprises)
    prices = dict(zip(spec.assets, block, strict=False))
    if spec.stablecoin is not None:
        prices[USDC] = usdc_paths(spec.stablecoin, seed, first_path, spec.n_steps, n_paths)
    found: Mapping[str, FloatArray] = {}
    if spec.model == "macro":
        kept = factors_of(spec, states, block, factors) if keeps else {}
        kept = {name: values for name, values in kept.items() if name in factors}
        found = MacroFactors(spec, seed, first_path, n_paths, kept)
    happened = None
    if spec.shocks:
        if any(shock.target == USDC for shock in spec.shocks):
            prices.setdefault(USDC, np.ones((spec.n_steps + 1, n_paths)))
        noted = noted_surprises(spec, surprises, prices)
        happened = apply_shocks(spec, spec.shocks, seed, first_path, prices, found, noted)
        if happened.factors:
            found = ShockedFactors(found, happened.factors)
    return MarketPaths(spec.dates, prices, first_path, found, happened)


class ShockedFactors(Mapping[str, FloatArray]):
    """Macro factors with what shocks have added, by name, shape (n_steps + 1, n_paths) each."""

    def __init__(self, plain: Mapping[str, FloatArray], added: Mapping[str, FloatArray]) -> None:
        self._plain, self._added = plain, added

    def __getitem__(self, name: str) -> FloatArray:
        plain = self._plain[name]
        return plain + self._added[name] if name in self._added else plain

    def __iter__(self) -> Iterator[str]:
        return iter(self._plain)

    def __len__(self) -> int:
        return len(self._plain)


class MacroFactors(Mapping[str, FloatArray]):
    """The macro factors of consecutive paths, drawn again when one is first asked for.

    Most runs need none of them: the same draws, made twice where they are wanted after all, cost
    less than keeping all of them always. `kept` are those that were known to be wanted, by name,
    shape (n_steps + 1, n_paths) each. All stay what they are when the block is filled again.
    """

    def __init__(
        self,
        spec: MarketSpec,
        seed: int,
        first_path: int,
        n_paths: int,
        kept: Mapping[str, FloatArray],
    ) -> None:
        self._of, self._kept = (spec, seed, first_path, n_paths), kept

    def __getitem__(self, name: str) -> FloatArray:
        return self._kept[name] if name in self._kept else self._paths[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)

    @cached_property
    def _paths(self) -> dict[str, FloatArray]:
        spec, seed, first_path, n_paths = self._of
        block, states = empty_block(spec, n_paths), empty_states(spec, n_paths)
        fill(spec, seed, first_path, block, states=states)
        return factors_of(spec, states, block)


def empty_surprises(spec: MarketSpec, n_paths: int = BLOCK_PATHS) -> FloatArray:
    """Return memory for the days' surprises, shape (3, n_assets, n_steps + 1, n_paths).

    It is of size 0 where no shock asks for them, or the model has none to note.
    """
    if not needs_surprises(spec.shocks) or spec.model in ("bootstrap", "history"):
        return NO_SURPRISES
    return np.zeros((3, len(spec.assets), spec.n_steps + 1, n_paths))


def empty_states(spec: MarketSpec, n_paths: int = BLOCK_PATHS) -> FloatArray:
    """Return memory for the macro model's states, shape (N_STATES + 1, n_steps + 1, n_paths)."""
    return np.empty((N_STATES + 1, spec.n_steps + 1, n_paths))


def factors_of(
    spec: MarketSpec,
    states: FloatArray,
    block: FloatArray,
    wanted: Collection[str] | None = None,
) -> dict[str, FloatArray]:
    """Return the macro factors of a filled block, by name, shape (n_steps + 1, n_paths) each.

    Parameters
    ----------
    states : ndarray of shape (N_STATES + 1, n_steps + 1, n_paths)
    block : ndarray of shape (n_assets, n_steps + 1, n_paths)
    wanted : collection of str, optional
        Names without which others may be left out; by default there are all.

    Raises
    ------
    ValueError
        The model has no factors.
    """
    if spec.macro is None:
        raise ValueError("only the model macro has factors")
    prices = {asset: block[index] for index, asset in enumerate(spec.assets)}
    plan = spec.macro_plan
    return factor_paths(spec.macro, plan, spec.year_fraction, states, prices, wanted)


def empty_block(spec: MarketSpec, n_paths: int = BLOCK_PATHS) -> FloatArray:
    """Return memory for a block, uninitialised, aligned to a line of the cache.

    Its shape is (n_assets, n_steps + 1, n_paths). Reused by a thread for one block after another
    it stays in the cache, and its pages need not be mapped again.
    """
    shape = (len(spec.assets), spec.n_steps + 1, n_paths)
    size = 8 * shape[0] * shape[1] * shape[2]
    memory = np.empty(size + _CACHE_LINE_BYTES, dtype=np.uint8)
    start = -memory.ctypes.data % _CACHE_LINE_BYTES
    block: FloatArray = memory[start : start + size].view(np.float64).reshape(shape)
    return block


_own = threading.local()


def own_block(spec: MarketSpec, n_paths: int) -> FloatArray:
    """Return the calling thread's block, made anew only where its shape changes.

    It is of shape (n_assets, n_steps + 1, n_paths), as `empty_block` makes it.
    """
    shape = (len(spec.assets), spec.n_steps + 1, n_paths)
    block: FloatArray | None = getattr(_own, "block", None)
    if block is None or block.shape != shape:
        block = _own.block = empty_block(spec, n_paths)
    return block
