"""Price targets: the drift that brings an expectation to a level by a day.

A target speaks of the expectation, ln E[S_t] = ln S_0 + base t + views + pull. It takes what
the other views leave to be done and spreads it evenly over the days until then; from then on
the base drift alone goes on. For a ratio silver moves, gold does not. Where silver is pulled
to the ratio's equilibrium, the pull answers to the drift; the answer is linear, so two trials
tell how much is needed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from simulator.market.macro.model import Macro
from simulator.market.spec import MarketFigures
from simulator.scenario.views import RATIO, Target
from simulator.units import BoolArray, FloatArray


@dataclass(frozen=True, eq=False)
class Expectation:
    """Expected logarithms before targets and the pull of the ratio.

    Attributes
    ----------
    growth : ndarray of shape (n_assets, n_steps + 1)
        ln E[S_t / S_0]: base and views.
    half_variance : ndarray of shape (2, n_steps + 1)
        Half the variance of the log prices of gold and silver.
    ratio_speed : float
        1/year; 0 where the pull is off.
    trading : ndarray of shape (n_steps + 1,)
        Days on which the pull acts.
    """

    growth: FloatArray
    half_variance: FloatArray
    ratio_speed: float
    trading: BoolArray


@dataclass(frozen=True, eq=False)
class TargetGrowth:
    """What targets add.

    Attributes
    ----------
    paths : dict of str to ndarray of shape (n_steps + 1,)
        Log growth up to each day, by asset.
    annual : dict of str to float
        The same as a rate a year until the target's day.
    """

    paths: Mapping[str, FloatArray]
    annual: Mapping[str, float]


def target_drifts(spec: MarketFigures, macro: Macro, expectation: Expectation) -> TargetGrowth:
    """Return the drifts of a market's targets; those that are met already add none."""
    targets = macro.views.targets
    paths: dict[str, FloatArray] = {}
    annual: dict[str, float] = {}
    # Gold before silver, and a ratio, for which silver follows gold, last.
    for name in sorted(targets, key=lambda n: (n == RATIO, n)):
        target = targets[name]
        if target.is_met(_start(spec, name)):
            continue
        asset = "silver" if name == RATIO else name
        days = (target.by - spec.start).days if target.by else spec.n_steps
        unit = np.minimum(np.arange(spec.n_steps + 1), days) * spec.year_fraction
        annual[asset] = _rate(spec, macro, expectation, name, target, days, unit, paths)
        paths[asset] = annual[asset] * unit
    return TargetGrowth(paths, annual)


def _rate(
    spec: MarketFigures,
    macro: Macro,
    expectation: Expectation,
    name: str,
    target: Target,
    days: int,
    unit: FloatArray,
    paths: Mapping[str, FloatArray],
) -> float:
    """Return the log growth a year that a target needs beside base, views and pull."""
    asset = spec.assets.index("silver" if name == RATIO else name)
    end = min(days, spec.n_steps)  # a target behind the horizon is gone towards as far as that
    needed = math.log(target.level(_start(spec, name)) / _start(spec, name)) * end / days
    if name == RATIO:
        gold = expectation.growth[spec.assets.index("gold"), end]
        needed = gold + float(paths.get("gold", np.zeros_like(unit))[end]) - needed
    missing, answer = needed - expectation.growth[asset, end], unit[end]
    if spec.assets[asset] == "silver" and expectation.ratio_speed > 0:
        none = np.zeros_like(unit)
        without = _pull(spec, macro, expectation, paths.get("gold", none), none, end)
        answer += _pull(spec, macro, expectation, paths.get("gold", none), unit, end) - without
        missing -= without
    return float(missing / answer)


def _pull(
    spec: MarketFigures,
    macro: Macro,
    expectation: Expectation,
    gold_path: FloatArray,
    silver_path: FloatArray,
    end: int,
) -> float:
    """Return what the ratio's pull has added to silver's expected logarithm by day `end`."""
    gold, silver = spec.assets.index("gold"), spec.assets.index("silver")
    growth, half = expectation.growth, expectation.half_variance
    equilibrium = math.log(macro.figures.ratio.equilibrium.value)
    gap = math.log(spec.spot[gold] / spec.spot[silver]) - equilibrium
    gap = gap + (growth[gold] - half[0] + gold_path) - (growth[silver] - half[1] + silver_path)
    pulled, last = 0.0, 0
    for day in range(1, end + 1):
        if expectation.trading[day]:
            years = (day - last) * spec.year_fraction
            pulled += expectation.ratio_speed * years * (float(gap[last]) - pulled)
            last = day
    return pulled


def _start(spec: MarketFigures, name: str) -> float:
    """Return the price, or the ratio, on the first day."""
    if name == RATIO:
        return float(spec.spot[spec.assets.index("gold")] / spec.spot[spec.assets.index("silver")])
    return float(spec.spot[spec.assets.index(name)])
