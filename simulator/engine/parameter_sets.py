"""How far a verdict moves when the calibration is only as good as its standard errors.

Each set draws every calibrated figure within its standard error and each asset's drift within
that of a mean, volatility / sqrt(years of the window). All sets share the random numbers of
the paths, so that only the parameters differ.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TypeVar

import numpy as np
import pandas as pd

from simulator.claims import Verdict
from simulator.claims.scale import MIDDLE, rate_shares
from simulator.claims.verdict import rate_event, settled
from simulator.engine.blocks import worlds_in_order
from simulator.engine.macro_figures import draw_macro, with_macro
from simulator.engine.prune import pruned
from simulator.engine.simulate import simulate
from simulator.engine.verdicts import NO_CHANGE, judge
from simulator.market.philox import normals4
from simulator.market.streams import Stream
from simulator.scenario.calibration import AssetCalibration, Calibration, Correlation, Figure
from simulator.scenario.models import Scenario
from simulator.units import DAYS_PER_YEAR

PATHS_A_SET = 2_048
LARGEST_PERSISTENCE = 0.995
SMALLEST_DOF = 3.0
SMALLEST_EIGENVALUE = 1e-6

Drawn = TypeVar("Drawn", bound=Figure)
Row = dict[str, str | float]


class _Draws:
    """Standard normals of one set, in the order in which they are asked for."""

    def __init__(self, seed: int, stream: Stream, number: int) -> None:
        self._seed, self._stream, self._number, self._step = seed, int(stream), number, 0

    def __call__(self) -> float:
        self._step += 1
        return float(normals4(self._seed, self._step, self._stream, self._number)[0])


def _shift(figure: Drawn, draws: _Draws) -> Drawn:
    value = figure.value + (figure.standard_error or 0.0) * draws()
    return figure.model_copy(update={"value": value})


def _scale(figure: Drawn, draws: _Draws) -> Drawn:
    """Draw a figure that must stay positive, on its logarithm."""
    if figure.value <= 0.0:
        draws()
        return figure
    spread = (figure.standard_error or 0.0) / figure.value
    return figure.model_copy(update={"value": figure.value * math.exp(spread * draws())})


def _draw_asset(asset: AssetCalibration, draws: _Draws) -> AssetCalibration:
    drawn = {
        "volatility": _scale(asset.volatility, draws),
        "variance_start": _scale(asset.variance_start, draws),
        "jump_intensity": _scale(asset.jump_intensity, draws),
        "jump_mean": _shift(asset.jump_mean, draws),
        "jump_sd": _scale(asset.jump_sd, draws),
    }
    alpha = max(0.0, _shift(asset.alpha, draws).value)
    gamma = max(-alpha, _shift(asset.gamma, draws).value)
    beta = _shift(asset.beta, draws).value
    beta = min(max(0.0, beta), LARGEST_PERSISTENCE - alpha - gamma / 2)
    for name, value in (("alpha", alpha), ("gamma", gamma), ("beta", beta)):
        drawn[name] = getattr(asset, name).model_copy(update={"value": value})
    return asset.model_copy(update=drawn)


def _draw_correlations(calibration: Calibration, draws: _Draws) -> tuple[Correlation, ...]:
    """Draw each pair; pull all towards zero together until the matrix is positive definite."""
    drawn = [pair.moved(_shift(pair, draws).value) for pair in calibration.correlations]
    names = tuple(calibration.assets)
    weight = 1.0
    while True:
        pulled = tuple(
            pair.model_copy(
                update={
                    "value": weight * min(max(pair.value, -0.99), 0.99),
                    "shocks": weight * min(max(pair.of(shocks=True), -0.99), 0.99),
                }
            )
            for pair in drawn
        )
        found = calibration.model_copy(update={"correlations": pulled})
        matrices = [found.correlation(names, shocks=shocks) for shocks in (False, True)]
        if all(np.linalg.eigvalsh(matrix)[0] > SMALLEST_EIGENVALUE for matrix in matrices):
            return pulled
        weight *= 0.98


def draw_calibration(calibration: Calibration, seed: int, number: int) -> Calibration:
    """Return a calibration within the standard errors of `calibration`.

    Weights keep their signs and the persistence its cap; correlations stay consistent.
    """
    draws = _Draws(seed, Stream.PARAMETERS, number)
    assets = {name: _draw_asset(asset, draws) for name, asset in calibration.assets.items()}
    tails = {
        name: tail.model_copy(update={"value": max(_scale(tail, draws).value, SMALLEST_DOF)})
        for name, tail in calibration.joint_degrees_of_freedom.items()
    }
    correlations = _draw_correlations(calibration, draws)
    macro = calibration.macro if calibration.macro is None else draw_macro(calibration.macro, draws)
    return calibration.model_copy(
        update={
            "assets": assets,
            "correlations": correlations,
            "joint_degrees_of_freedom": tails,
            "macro": macro,
        }
    )


def drift_error(asset: AssetCalibration) -> float:
    """Return the standard error of a mean growth rate: volatility / sqrt(years of data)."""
    first, last = asset.volatility.window
    years = (last - first).days / DAYS_PER_YEAR
    return asset.volatility.value / math.sqrt(years)


def draw_drifts(scenario: Scenario, calibration: Calibration, number: int) -> Scenario:
    """Return the scenario with what it says instead of the calibration within its error.

    That is each asset's drift, and the level of central banks' net purchases where it is stated.
    """
    draws = _Draws(scenario.seed, Stream.PARAMETER_DRIFTS, number)
    assets = {
        name: terms.model_copy(
            update={"drift": terms.drift + drift_error(calibration.assets[name]) * draws()}
        )
        for name, terms in scenario.market.assets.items()
    }
    market = scenario.market.model_copy(update={"assets": assets})
    net = market.central_banks
    if net is not None:
        level = net.level_t * math.exp(net.standard_error_t / net.level_t * draws())
        net = net.model_copy(update={"level_t": level})
        market = market.model_copy(update={"central_banks": net})
    return scenario.model_copy(update={"market": market})


def run_sets(
    scenario: Scenario,
    calibration: Calibration,
    count: int,
    paths: int = PATHS_A_SET,
    on_set: Callable[[int], None] = lambda number: None,
) -> pd.DataFrame:
    """Judge the claims under `count` parameter sets; `on_set` is called after each.

    Returns
    -------
    DataFrame
        One row for each set and claim: set, claim, probability, estimate, holds (of an effect:
        1, 0, or 0.5 where its interval holds the bound), median, paths, and for each asset
        `drift.<asset>` and `volatility.<asset>`.
    """
    if scenario.market.model == "macro":
        calibration = with_macro(calibration)
    small = pruned(scenario, *scenario.claims)
    small = small.model_copy(update={"paths": min(paths, scenario.paths)})
    return judged_sets(partial(_judge_set, small, calibration), count, on_set)


def judged_sets(
    judge_set: Callable[[int], list[Row]], count: int, on_set: Callable[[int], None]
) -> pd.DataFrame:
    """Return the rows of `count` sets in their order; `on_set` is called after each."""
    rows: list[Row] = []
    # A set is a small run: one thread for each costs less than to share each among threads.
    for number, found in enumerate(worlds_in_order(judge_set, range(count))):
        rows += found
        on_set(number)
    return pd.DataFrame(rows)


def _judge_set(scenario: Scenario, calibration: Calibration, number: int) -> list[Row]:
    """Return a row for each claim under one set."""
    drawn = draw_calibration(calibration, scenario.seed, number)
    moved = draw_drifts(scenario, calibration, number)
    figures = _figures(moved, drawn)
    return judged_rows(number, moved, drawn, figures)


def judged_rows(
    number: int, scenario: Scenario, calibration: Calibration, figures: Mapping[str, float]
) -> list[Row]:
    """Return a row for each claim of one world, with the figures that were drawn for it."""
    simulation = simulate(scenario, calibration, details=False, workers=1)
    return [
        {
            "set": number,
            "claim": verdict.claim,
            "probability": verdict.probability,
            "estimate": verdict.estimate,
            "holds": _half_where_same(verdict),
            "median": verdict.median,
            "paths": verdict.paths,
            **figures,
        }
        for verdict in judge(simulation, workers=1)
    ]


def _half_where_same(verdict: Verdict) -> float:
    """Return whether an effect holds in a set; where its sides are the same, it says nothing."""
    return 0.5 if verdict.reason == NO_CHANGE else verdict.holds


def _figures(scenario: Scenario, calibration: Calibration) -> dict[str, float]:
    found = {f"drift.{name}": terms.drift for name, terms in scenario.market.assets.items()}
    for name in scenario.market.assets:
        found[f"volatility.{name}"] = calibration.assets[name].volatility.value
    return found


def with_ranges(verdicts: tuple[Verdict, ...], sets: pd.DataFrame) -> tuple[Verdict, ...]:
    """Return the verdicts with their range over the sets, and the words that these give them."""
    return tuple(_with_range(verdict, sets[sets["claim"] == verdict.claim]) for verdict in verdicts)


def _with_range(verdict: Verdict, sets: pd.DataFrame) -> Verdict:
    if verdict.kind == "premise" and not verdict.counted:
        return verdict  # judged on history, not on the paths
    if verdict.given:  # sets in which no path is left say nothing
        sets = sets[sets["paths"] > 0]
    found = sets["probability" if verdict.counted else "estimate"].to_numpy(dtype=float)
    if found.size == 0 or np.isnan(found).any():
        return verdict
    low, high = (float(q) for q in np.quantile(found, MIDDLE))
    verdict = replace(verdict, parameter_range=(low, high))
    if verdict.reason:
        return verdict
    paths = int(sets["paths"].median())
    if verdict.counted:
        # given a condition, sets count as the paths that they leave: P(A and B) / P(B)
        likelihood = float(np.average(found, weights=sets["paths"]))
        rating = rate_event(likelihood, paths, (low, high))
    else:
        likelihood, rating = rate_shares(sets["holds"].to_numpy(dtype=float))
    return settled(replace(verdict, likelihood=likelihood, paths=paths), rating)
