"""Parameter sets: drawn within the standard errors, valid, and felt by the verdicts."""

from __future__ import annotations

import numpy as np
import pytest
import worlds

from simulator.engine import judge, run_sets, simulate, with_ranges
from simulator.engine.parameter_sets import draw_calibration, draw_drifts, drift_error
from simulator.scenario.calibration import Calibration

SETS = 300


@pytest.fixture(scope="module")
def loaded():
    return worlds.load("paths=256")


@pytest.fixture(scope="module")
def drawn(loaded):
    return [draw_calibration(loaded.calibration, 7, number) for number in range(SETS)]


@pytest.mark.parametrize("figure", ["volatility", "alpha", "gamma", "jump_mean"])
def test_draws__have_the_figures_mean_and_standard_error(figure: str, loaded, drawn) -> None:
    fitted = getattr(loaded.calibration.assets["gold"], figure)
    values = np.array([getattr(c.assets["gold"], figure).value for c in drawn])
    error = fitted.standard_error
    assert abs(values.mean() - fitted.value) < 4 * error / np.sqrt(SETS)
    assert values.std() == pytest.approx(error, rel=0.2)


def test_draws__are_valid_calibrations(drawn) -> None:
    for calibration in drawn:
        Calibration.model_validate(calibration.model_dump())


def test_draws__keep_the_cap_of_the_persistence(drawn) -> None:
    for calibration in drawn:
        for asset in calibration.assets.values():
            assert asset.persistence <= 0.995 + 1e-12


def test_draws__same_number_same_set_other_number_other_set(loaded) -> None:
    first = draw_calibration(loaded.calibration, 7, 0)
    assert first == draw_calibration(loaded.calibration, 7, 0)
    assert first != draw_calibration(loaded.calibration, 7, 1)
    assert first != draw_calibration(loaded.calibration, 8, 0)


def test_drift_error__is_that_of_a_mean_over_the_window(loaded) -> None:
    """.1743 / sqrt(25.4 years) = 3.46 points."""
    assert drift_error(loaded.calibration.assets["gold"]) == pytest.approx(0.0346, abs=2e-4)


def test_drifts__spread_by_their_error(loaded) -> None:
    drifts = [
        draw_drifts(loaded.scenario, loaded.calibration, number).market.assets["gold"].drift
        for number in range(SETS)
    ]
    assert np.mean(drifts) == pytest.approx(0.035, abs=4 * 0.0346 / np.sqrt(SETS))
    assert np.std(drifts) == pytest.approx(0.0346, rel=0.2)


def test_ranges__contain_what_moves_the_verdict(loaded) -> None:
    """Ignorance of the drift is wider than sampling: the dollar claim moves with it."""
    sets = run_sets(loaded.scenario, loaded.calibration, 12, paths=256)
    verdicts = with_ranges(judge(simulate(loaded.scenario, loaded.calibration)), sets)
    in_dollars = sets[sets["claim"] == "gold-vault-8-12-usd"]
    assert np.corrcoef(in_dollars["drift.gold"], in_dollars["probability"])[0, 1] > 0.9
    low, high = verdicts[1].parameter_range
    assert low < verdicts[1].probability < high
    assert in_dollars["probability"].min() <= low <= high <= in_dollars["probability"].max()


EFFECT = (
    "claims.dearer={says: Gold falls further at more volatility, kind: effect, statistic: mean, "
    "change: {market.assets.gold.volatility: 0.25}, "
    "conditions: [{series: price.gold, measure: drawdown, at_least: 0.02}]}"
)


@pytest.fixture(scope="module")
def told_by_difference():
    """Sets of 256 paths of a run of 2,048: alone, carried over, and with all of the run's paths."""
    loaded = worlds.load("paths=2_048", EFFECT)
    verdicts = judge(simulate(loaded.scenario, loaded.calibration, details=False))
    of = (loaded.scenario, loaded.calibration, 8)
    found = {
        "alone": run_sets(*of, paths=256),
        "carried": run_sets(*of, paths=256, verdicts=verdicts),
        "all": run_sets(*of, paths=2_048),
    }
    return {name: rows.set_index(["claim", "set"]) for name, rows in found.items()}


def test_sets__of_a_run_of_more_paths__say_what_all_of_its_paths_say(told_by_difference) -> None:
    """A set's share lies within the error of as many paths as it says, which are more than its own.

    Three of 256 paths more or fewer are nothing where none is counted at all.
    """
    found = told_by_difference
    shares = {name: rows["probability"].dropna() for name, rows in found.items()}
    of = shares["all"].index
    exact = found["carried"].loc[of, "as_exact_as"]
    assert (exact > 250).all()
    assert exact.median() > 512
    assert (found["carried"].loc[of, "paths"] == 2_048).all()
    gap = (shares["carried"] - shares["all"]).abs()
    assert (gap <= 3 * np.sqrt(shares["all"] * (1 - shares["all"]) / exact) + 3 / 256).all()
    # chance moves all sets alike, and the run's own paths take it out
    alone = (shares["alone"] - shares["all"]).abs()
    assert gap.mean() < alone.mean() / 1.4
    for claim in of.unique("claim"):
        ends = [np.quantile(shares[name][claim], (0.05, 0.95)) for name in ("carried", "all")]
        error = np.sqrt(0.25 / exact[claim].median())
        assert np.abs(ends[0] - ends[1]).max() <= 2 * error


def test_effects_of_sets__are_carried_with_an_interval_of_both_errors(told_by_difference) -> None:
    found = told_by_difference
    estimates = {name: rows.loc["dearer", "estimate"] for name, rows in found.items()}
    gap = (estimates["carried"] - estimates["all"]).abs()
    assert gap.mean() < (estimates["alone"] - estimates["all"]).abs().mean() / 3
    # as many sets are sure of it as with all paths, or a set more or fewer
    held = {name: rows.loc["dearer", "holds"].sum() for name, rows in found.items()}
    assert abs(held["carried"] - held["all"]) <= 1


def test_sets__of_a_run_of_no_more_paths__are_what_they_are_alone(loaded) -> None:
    verdicts = judge(simulate(loaded.scenario, loaded.calibration, details=False))
    of = (loaded.scenario, loaded.calibration, 2)
    assert run_sets(*of, verdicts=verdicts).equals(run_sets(*of))
