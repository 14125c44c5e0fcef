"""Inputs of a claim's `break_even`, moved by hand: their stops, and what claims say there."""

from __future__ import annotations

import pytest

from simulator.engine.answers import ask
from simulator.engine.breakeven import Point
from simulator.engine.inputs import find_input, world_with
from simulator.engine.sliders import ask_at, sliders
from simulator.errors import InputError
from simulator.scenario import load_scenario

HAZARD = "instruments.gold_vault.exploit_hazard"
PRICE = "market.assets.gold.price"
CLAIM = "gold-vault-8-12-usd"


@pytest.fixture(scope="module")
def loaded():
    named = [f"claims.{name}.break_even=[{HAZARD}]" for name in (CLAIM, "gold-vault-8-12")]
    named[0] = f"claims.{CLAIM}.break_even=[{HAZARD}, {PRICE}]"
    return load_scenario("gold-vault-sober", overrides=["paths=256", *named])


@pytest.fixture(scope="module")
def found(loaded):
    return {one.name: one for one in sliders(loaded.scenario, loaded.calibration)}


def test_sliders__of_claims__are_each_input_once_with_all_its_claims(found):
    assert set(found) == {PRICE, HAZARD}
    assert set(found[HAZARD].claims) == {CLAIM, "gold-vault-8-12"}
    assert found[PRICE].claims == (CLAIM,)


def test_stops__of_a_price__are_a_constant_factor_apart(found):
    slider = found[PRICE]
    assert len(slider.stops) == 49
    assert slider.at == 24
    here = slider.stops[24]
    # without bounds a tenth to ten times: 24 steps of 10^(1/24) on either side
    assert slider.stops[0] == pytest.approx(here / 10)
    assert slider.stops[-1] == pytest.approx(here * 10)
    for low, high in zip(slider.stops, slider.stops[1:], strict=False):
        assert high / low == pytest.approx(10 ** (1 / 24))


def test_stops__towards_zero__reach_it_and_come_ever_nearer_to_the_present(found):
    slider = found[HAZARD]
    here = slider.stops[slider.at]
    below = slider.stops[: slider.at]
    assert here == 0.05
    assert below[0] == 0.0
    gaps = [here - stop for stop in below]
    # four stops halve the distance
    assert gaps[4] == pytest.approx(gaps[0] / 2)
    assert gaps == sorted(gaps, reverse=True)


def test_ask_at__a_value__is_the_answer_of_the_engine_on_so_many_paths(loaded, found):
    answered = ask_at(loaded.scenario, loaded.calibration, found[HAZARD], 0.4, 128)
    fewer = loaded.scenario.model_copy(update={"paths": 128})
    item = find_input(fewer, loaded.calibration, HAZARD)
    world = world_with(fewer, loaded.calibration, item, 0.4, HAZARD)
    told = Point.of(0.4, ask(world, loaded.calibration, CLAIM))
    assert answered.points[CLAIM] == told
    assert answered.points[CLAIM].standard_error > 0
    assert (answered.paths, answered.value) == (128, 0.4)


def test_ask_at__what_cannot_be__is_refused(loaded, found):
    with pytest.raises(InputError, match=r"exploit_hazard is -1; must be 0"):
        ask_at(loaded.scenario, loaded.calibration, found[HAZARD], -1.0, 128)


def test_ask_at__a_claim_that_has_no_number__says_none(loaded):
    short = loaded.scenario.model_copy(update={"horizon_days": 60})  # no yields below a year
    (slider,) = [one for one in sliders(short, loaded.calibration) if one.name == HAZARD]
    answered = ask_at(short, loaded.calibration, slider, 0.1, 128)
    assert answered.points == {CLAIM: None, "gold-vault-8-12": None}
