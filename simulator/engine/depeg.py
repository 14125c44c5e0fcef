"""What leaving would have paid around the day on which USDC fell, path by path."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from simulator.investors import InvestorPaths
from simulator.market.paths import MarketPaths
from simulator.scenario.models import Scenario
from simulator.schema.assets import USDC
from simulator.units import BoolArray, FloatArray, StepArray

MOMENTS = 3
"""The day before the fall, the day itself, and the day on which what comes back is back."""


@dataclass(frozen=True)
class Depeg:
    """The fall of USDC as those live through it who leave.

    Attributes
    ----------
    fell : ndarray of bool, shape (n_paths,)
        Whether USDC falls below a dollar on the path.
    exits : dict of str to ndarray of shape (MOMENTS, n_fallen)
        By investor: what leaving pays for a dollar put in at the start, on the paths on which
        USDC falls. Where the run ends before all is back, its last day is the last moment.
    """

    fell: BoolArray
    exits: Mapping[str, FloatArray]


@dataclass(frozen=True)
class Fall:
    """On which paths of a block USDC falls, on which steps, and when what comes back is back."""

    fell: BoolArray
    paths: StepArray
    day: StepArray
    back: StepArray

    def exits(self, investor: InvestorPaths) -> FloatArray:
        """Return what leaving pays for a dollar, shape (MOMENTS, n_fallen)."""
        worth = investor.unit_values("usd")
        steps = np.stack([self.day - 1, self.day, self.back])
        paid: FloatArray = worth[steps, self.paths] / worth[0, self.paths]
        return paid


def find_fall(scenario: Scenario, market: MarketPaths, count: int) -> Fall | None:
    """Return when USDC falls on the first `count` paths of a block; None where it never can."""
    terms = scenario.market.stablecoin
    if terms is None:
        return None
    below = market.prices[USDC][:, :count] < 1.0
    fell = below.any(axis=0)
    day = np.argmax(below, axis=0)[fell]
    back = np.minimum(day + math.ceil(terms.recovers_days), scenario.horizon_days)
    return Fall(fell, np.flatnonzero(fell), day, back)


def join_depegs(blocks: Sequence[Depeg | None]) -> Depeg | None:
    """Return consecutive blocks as one."""
    there = [block for block in blocks if block is not None]
    if not there:
        return None
    return Depeg(
        np.concatenate([block.fell for block in there]),
        {
            name: np.concatenate([block.exits[name] for block in there], axis=1)
            for name in there[0].exits
        },
    )
