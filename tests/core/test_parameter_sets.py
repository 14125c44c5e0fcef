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
