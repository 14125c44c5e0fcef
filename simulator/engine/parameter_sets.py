"""How far a verdict moves when the calibration is only as good as its standard errors.

Each set draws every calibrated figure within its standard error and each asset's drift within
that of a mean, volatility / sqrt(years of the window). All sets share the random numbers of
the paths, so that only the parameters differ.

A set is a small run. What it comes to is told by how much it differs from the world as it is, on
the same paths, and that is added to what the whole run says (`Base`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import numpy as np
import pandas as pd

from simulator.claims import Verdict
from simulator.claims.scale import MIDDLE, holding_share, rate_shares
from simulator.claims.verdict import rate_event, settled, shares_of
from simulator.engine.blocks import worlds_in_order
from simulator.engine.macro_figures import draw_macro, with_macro
from simulator.engine.prune import pruned
from simulator.engine.simulate import simulate
from simulator.engine.verdicts import NO_CHANGE, contrast, half_width, judge
from simulator.market.philox import normals4
from simulator.market.streams import Stream
from simulator.scenario.calibration import AssetCalibration, Calibration, Correlation, Figure
from simulator.scenario.claims import ClaimTerms
from simulator.scenario.models import Scenario
from simulator.units import DAYS_PER_YEAR, FloatArray

PATHS_A_SET = 1_024
LARGEST_PERSISTENCE = 0.995
SMALLEST_DOF = 3.0
SMALLEST_EIGENVALUE = 1e-6

Drawn = TypeVar("Drawn", bound=Figure)
Row = dict[str, str | float]
Samples = Mapping[str, tuple[FloatArray, ...]]


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


@dataclass(frozen=True)
class Base:
    """The world as it is: what the whole run says of each claim, and its first paths alone.

    What chance does to these few paths it does to a set on the same paths too, so that most of it
    falls out of their difference.

    Attributes
    ----------
    whole, own : dict of claim to Verdict
    samples : dict of claim to arrays of shape (n_paths,) each
        Of the few paths: an event's `shares_of`, both `sides` of an effect.

    References
    ----------
    Glasserman (2003), doi:10.1007/978-0-387-21617-1, 4.1, for control variates.
    """

    whole: Mapping[str, Verdict]
    own: Mapping[str, Verdict]
    samples: Samples

    def carried(self, found: Verdict, claim: ClaimTerms, samples: Samples) -> tuple[Verdict, int]:
        """Return a set's verdict as the whole run would have it, and as how many paths it counts.

        Where the whole run has no more paths than a set it is what it was.
        """
        whole, own = self.whole[found.claim], self.own[found.claim]
        if whole.paths <= own.paths or found.claim not in samples.keys() & self.samples.keys():
            return found, found.paths
        of_set, of_base = samples[found.claim], self.samples[found.claim]
        carried = replace(
            found,
            estimate=_moved(found.estimate, whole.estimate, own.estimate),
            median=_moved(found.median, whole.median, own.median),
            paths=round(found.paths * whole.paths / max(own.paths, 1)),
        )
        if found.counted:
            share, error = _controlled(found, whole, own, of_set[0], of_base[0])
            exact = carried.paths
            if 0.0 < share < 1.0 and error > 0.0:
                exact = min(exact, round(share * (1.0 - share) / error**2))
            return replace(carried, probability=share), exact
        (first, second), (before, against) = of_set, of_base
        _, error = contrast(claim.statistic, (first, against), (second, before))
        of_whole = (whole.interval[1] - whole.interval[0]) / 2
        half = math.hypot(of_whole, half_width(claim.statistic, first.size, error))
        bounds, condition = (carried.estimate - half, carried.estimate + half), claim.conditions[0]
        holds = holding_share(condition.at_least, condition.at_most, bounds)
        return replace(carried, holds=holds), carried.paths


def _controlled(
    found: Verdict, whole: Verdict, own: Verdict, of_set: FloatArray, of_base: FloatArray
) -> tuple[float, float]:
    """Return a share moved by as much of the whole run's as the two go together, and its error.

    Samples are of shape (n_paths,), as `shares_of` has them.
    """
    covariance = np.cov(of_set, of_base)
    weight = float(covariance[0, 1] / covariance[1, 1]) if covariance[1, 1] > 0.0 else 0.0
    share = found.probability + weight * (whole.probability - own.probability)
    varies = float(np.var(of_set - weight * of_base, ddof=1)) / of_set.size
    varies += weight**2 * whole.probability * (1.0 - whole.probability) / whole.paths
    return min(max(share, 0.0), 1.0), math.sqrt(varies)


def _moved(found: float, whole: float, own: float) -> float:
    """Return a number moved by what more paths do to it; as it is where they do not tell."""
    return found if math.isnan(whole - own) else found + (whole - own)


def base_of(
    scenario: Scenario, calibration: Calibration, verdicts: Sequence[Verdict]
) -> Base | None:
    """Return what sets of a small scenario are compared with; None without verdicts of a run."""
    if not verdicts:
        return None
    found, samples = _judged(scenario, calibration)
    return Base({v.claim: v for v in verdicts}, {v.claim: v for v in found}, samples)


def run_sets(
    scenario: Scenario,
    calibration: Calibration,
    count: int,
    paths: int = PATHS_A_SET,
    on_set: Callable[[int], None] = lambda number: None,
    verdicts: Sequence[Verdict] = (),
) -> pd.DataFrame:
    """Judge the claims under `count` parameter sets; `on_set` is called after each.

    Parameters
    ----------
    verdicts : sequence of Verdict
        Of the whole run, as `judge` gives them. Without them each set stands for itself, and is
        as exact as its own paths are.

    Returns
    -------
    DataFrame
        One row for each set and claim: set, claim, probability, estimate, holds (of an effect:
        1, 0, or 0.5 where its interval holds the bound), median, paths (left by what is given, of
        all of the run), as_exact_as (how many paths are as exact), and for each asset
        `drift.<asset>` and `volatility.<asset>`.
    """
    if scenario.market.model == "macro":
        calibration = with_macro(calibration)
    small = pruned(scenario, *scenario.claims)
    small = small.model_copy(update={"paths": min(paths, scenario.paths)})
    base = base_of(small, calibration, verdicts)
    return judged_sets(partial(_judge_set, small, calibration, base), count, on_set)


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


def _judge_set(
    scenario: Scenario, calibration: Calibration, base: Base | None, number: int
) -> list[Row]:
    """Return a row for each claim under one set."""
    drawn = draw_calibration(calibration, scenario.seed, number)
    moved = draw_drifts(scenario, calibration, number)
    figures = _figures(moved, drawn)
    return judged_rows(number, moved, drawn, figures, base)


def judged_rows(
    number: int,
    scenario: Scenario,
    calibration: Calibration,
    figures: Mapping[str, float],
    base: Base | None,
) -> list[Row]:
    """Return a row for each claim of one world, with the figures that were drawn for it."""
    found, samples = _judged(scenario, calibration)
    rows: list[Row] = []
    for verdict in found:
        told, exact = verdict, verdict.paths
        if base is not None:
            told, exact = base.carried(verdict, scenario.claims[verdict.claim], samples)
        rows.append(
            {
                "set": number,
                "claim": told.claim,
                "probability": told.probability,
                "estimate": told.estimate,
                "holds": _half_where_same(told),
                "median": told.median,
                "paths": told.paths,
                "as_exact_as": exact,
                **figures,
            }
        )
    return rows


def _judged(scenario: Scenario, calibration: Calibration) -> tuple[list[Verdict], Samples]:
    """Return the verdicts of a small world, and what their errors are of; none without a number."""
    simulation = simulate(scenario, calibration, details=False, workers=1)
    samples: dict[str, tuple[FloatArray, ...]] = {}
    found = list(judge(simulation, workers=1, on_effect=samples.__setitem__))
    for verdict in found:
        if verdict.reason and verdict.reason != NO_CHANGE:
            samples.pop(verdict.claim, None)
        elif verdict.counted:
            claim = scenario.claims[verdict.claim]
            samples[verdict.claim] = (shares_of(claim, simulation.outcomes),)
    return found, samples


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
    exact = "as_exact_as" if "as_exact_as" in sets else "paths"  # of runs before there was one
    paths = int(sets[exact].median())
    if verdict.counted:
        # given a condition, sets count as the paths that they leave: P(A and B) / P(B)
        likelihood = float(np.average(found, weights=sets["paths"]))
        rating = rate_event(likelihood, paths, (low, high))
    else:
        likelihood, rating = rate_shares(sets["holds"].to_numpy(dtype=float))
    return settled(replace(verdict, likelihood=likelihood, paths=paths), rating)
