"""What happens to the token from outside: the mine, the raise, the default, the market's mood."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from simulator.instruments.mining.output import MinePaths, simulate_mine
from simulator.instruments.mining.streams import Stream, stream
from simulator.instruments.mining.terms import MineEquityTerms, MiningStoTerms, SecondaryTerms
from simulator.instruments.model import Blow
from simulator.jit import kernel
from simulator.market.events import NEVER, first_event
from simulator.market.normals import normal_paths
from simulator.units import USDC_DECIMALS, FloatArray, StepArray


@dataclass(frozen=True)
class MiningStoDrivers:
    """Drivers of one STO.

    Attributes
    ----------
    label : str
        The instrument's name in the scenario.
    mine : MinePaths
    others_usd : ndarray of shape (n_paths,), USD
        What others want to subscribe, in whole USDC units.
    default_step : ndarray of shape (n_paths,), int64
        Step on which the operator stops paying, its hazard counted from the close of the raise.
    noise : ndarray of shape (n_steps + 1, n_paths)
        Log gap between the token's price and its worth.
    """

    label: str
    mine: MinePaths
    others_usd: FloatArray
    default_step: StepArray
    noise: FloatArray

    def lane(self, k: int) -> MiningStoDrivers:
        """Return path `k` of the block alone."""
        one = slice(k, k + 1)
        return MiningStoDrivers(
            self.label,
            self.mine.lane(k),
            self.others_usd[one],
            self.default_step[one],
            self.noise[:, one],
        )


def draw_drivers(
    terms: MiningStoTerms,
    label: str,
    copper_usd: FloatArray,
    growth: FloatArray,
    seed: int,
    first_path: int,
    *,
    stopped: Mapping[str, Sequence[Blow]] | None = None,
    failed: Sequence[Blow] = (),
) -> MiningStoDrivers:
    """Return the drivers of the STO called `label` on a block; draws depend on its label.

    Parameters
    ----------
    copper_usd : ndarray of shape (n_steps + 1, n_paths), USD per tonne
        n_paths is a multiple of LANES.
    growth : ndarray of shape (n_steps + 1,)
        ln E[P_t / P_0] of copper as the market expects it.
    stopped, failed : by shocks
        Outages by kind, and defaults: of defaults the first one counts.
    """
    n_paths = copper_usd.shape[1]
    failing = stream(Stream.MINE_DEFAULT, label)
    defaults = first_event(seed, failing, first_path, n_paths, terms.default.hazard)
    moods = stream(Stream.STO_NOISE, label)
    return MiningStoDrivers(
        label=label,
        mine=simulate_mine(terms, label, copper_usd, growth, seed, first_path, stopped),
        others_usd=_others(terms, label, seed, first_path, n_paths),
        default_step=_first(_after(terms.sale.days, defaults), terms.sale.days, failed),
        noise=mood(terms.secondary, moods, seed, first_path, copper_usd),
    )


def _first(drawn: StepArray, close: int, failed: Sequence[Blow]) -> StepArray:
    """Return the first of all defaults, shape (n_paths,), int64; none before the raise closes."""
    return functools.reduce(np.minimum, [np.maximum(b.begins, close + 1) for b in failed], drawn)


def _after(close: int, steps: StepArray) -> StepArray:
    """Return steps of shape (n_paths,), int64, that were counted from the close."""
    # a late step plus the close must not run over the largest integer
    return np.where(steps < NEVER, np.minimum(steps, NEVER - close) + close, NEVER)


def _others(
    terms: MiningStoTerms, label: str, seed: int, first_path: int, n_paths: int
) -> FloatArray:
    """Return what others want to subscribe, shape (n_paths,), USD in whole USDC units."""
    shocks = normal_paths(seed, stream(Stream.STO_DEMAND, label), first_path, 0, n_paths)[0]
    wanted: FloatArray = terms.sale.demand_usd * np.exp(terms.sale.demand_deviation * shocks)
    whole: FloatArray = np.floor(wanted * 10.0**USDC_DECIMALS) / 10.0**USDC_DECIMALS
    return whole


def mood(
    terms: SecondaryTerms | MineEquityTerms,
    number: int,
    seed: int,
    first_path: int,
    like: FloatArray,
) -> FloatArray:
    """Return a mean-reverting log gap that starts at zero, shape (n_steps + 1, n_paths).

    `number` is that of its stream; `like` has the shape, and nothing else of it is looked at.
    """
    keep = 0.5 ** (1.0 / terms.noise_half_life_days)
    gap = normal_paths(seed, number, first_path, like.shape[0] - 1, like.shape[1])
    _revert(gap, keep, terms.noise_deviation * math.sqrt(1.0 - keep**2))
    return gap


@kernel
def _revert(gap: FloatArray, keep: float, scale: float) -> None:
    """Turn normals of shape (n_steps + 1, n_paths) in place into the gap that they drive."""
    gap[0] = 0.0
    for step in range(1, gap.shape[0]):
        for k in range(gap.shape[1]):
            gap[step, k] = keep * gap[step - 1, k] + scale * gap[step, k]
