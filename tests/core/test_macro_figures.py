"""Parameter sets and sensitivity move the macro section's figures that have an error."""

import itertools

import numpy as np
import pytest
import worlds

from simulator.engine.macro_figures import draw_macro, with_errors, with_macro
from simulator.engine.parameter_sets import draw_calibration
from simulator.engine.sensitivity import trials
from simulator.scenario.macro import MacroCalibration

DEFAULT = MacroCalibration()


def at(macro, place):
    found = {"macro": macro.model_dump()}
    for part in place:
        found = found[part]
    return found["value"]


def test_draw_macro__figures_with_an_error__move_by_it_and_the_rest_stays():
    one = itertools.repeat(1.0)
    drawn = draw_macro(DEFAULT, lambda: next(one))
    gold = drawn.elasticities.real_rate["gold"].value
    assert gold == pytest.approx(-0.095 + 0.012)
    moved = {place for place in with_errors(DEFAULT) if at(drawn, place) != at(DEFAULT, place)}
    # a weight of stress of .7 has no room upwards
    full = {p for p in with_errors(DEFAULT) if "stress_loadings" in p and at(DEFAULT, p) == 0.7}
    assert moved == set(with_errors(DEFAULT)) - full
    assert full
    assert ("macro", "elasticities", "liquidity", "bitcoin") in moved
    assert drawn.regimes.stress_loadings["gold"].value == pytest.approx(0.07 + 0.19)
    assert drawn.regimes.easing == DEFAULT.regimes.easing
    assert drawn.silver == DEFAULT.silver


def test_draw_macro__elasticity__may_change_its_sign_and_a_speed_stays_positive():
    speed = DEFAULT.real_rate.speed.model_copy(update={"standard_error": 0.3})
    rate = DEFAULT.real_rate.model_copy(update={"speed": speed})
    macro = DEFAULT.model_copy(update={"real_rate": rate})
    down = itertools.repeat(-2.0)
    drawn = draw_macro(macro, lambda: next(down))
    assert drawn.elasticities.central_banks["gold"].value == pytest.approx(0.015 - 2 * 0.018)
    assert drawn.real_rate.speed.value == pytest.approx(0.28 * np.exp(-2 * 0.3 / 0.28))


def test_draw_calibration__without_the_section__draws_as_before_and_with_it_too():
    loaded = worlds.load()
    plain = draw_calibration(loaded.calibration, 1, 0)
    whole = draw_calibration(with_macro(loaded.calibration), 1, 0)
    assert plain.macro is None
    assert plain.assets == whole.assets
    assert plain.correlations == whole.correlations
    assert whole.macro is not None
    assert whole.macro != DEFAULT


def test_sensitivity__macro_model__moves_elasticities_by_their_error():
    loaded = worlds.load("market.model=macro", "horizon_days=30")
    left_out = []
    found = {}
    for trial in trials(loaded.scenario, loaded.calibration, left_out):
        found[trial.name] = trial
    trial = found["calibration.macro.elasticities.real_rate.gold"]
    assert trial.values == pytest.approx((-0.107, -0.083))
    (_, below), (_, above) = trial.worlds
    assert below.macro.elasticities.real_rate["gold"].value == pytest.approx(-0.107)
    assert above.macro.elasticities.real_rate["gold"].value == pytest.approx(-0.083)
    assert "calibration.assets.gold.jump_mean" in found
    assert not any(name.startswith("calibration.macro") for name, _ in left_out)
