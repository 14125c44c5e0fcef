"""A claim alone is answered with the same bytes as among all others."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.claims.verdict import judge_events
from simulator.engine import simulate
from simulator.engine.prune import pruned
from simulator.errors import UsageError
from simulator.scenario import load_scenario

PATHS = "paths=128"


@pytest.fixture(scope="module")
def flagship():
    loaded = load_scenario("hard-assets-2026", overrides=[PATHS])
    whole = simulate(loaded.scenario, loaded.calibration, details=False)
    return loaded, whole


@pytest.mark.parametrize(
    ("claim", "instruments"),
    [
        ("gold-vault-8-12", {"gold_token", "gold_vault"}),
        ("copper-sto-18-ramp-up", {"ramp_up_sto"}),
        ("mining-revenue-staking-18", {"producing_sto", "producing_staking"}),
        ("underwriting-8", None),
        ("copper-growth-and-yield", {"producing_sto"}),
        ("gold-6000-after-a-correction", None),
        ("gold-tokens-10-bn", None),
    ],
)
def test_claim__alone__is_answered_alike(flagship, claim, instruments):
    loaded, whole = flagship
    small = pruned(loaded.scenario, claim)
    if instruments is not None:
        assert set(small.instruments.assets()) == instruments
    alone = simulate(small, loaded.calibration, details=False)
    terms = {claim: loaded.scenario.claims[claim]}
    (own,), (among,) = (judge_events(terms, found.outcomes) for found in (alone, whole))
    np.testing.assert_equal(own.probability, among.probability)
    np.testing.assert_equal((own.p05, own.median, own.p95), (among.p05, among.median, among.p95))


def test_effect_between_investors__alone__is_answered_alike(flagship):
    loaded, whole = flagship
    claim = "stop-loss-saves-the-aggressive"
    small = pruned(loaded.scenario, claim)
    # whoever holds the token alone decides how large the position is that gas is measured on
    assert set(small.investors) == {"aggressive", "aggressive_without_stop", "development_holder"}
    alone = simulate(small, loaded.calibration, details=False)
    for name in small.investors:
        for key, values in alone.investors[name].values.items():
            np.testing.assert_array_equal(values, whole.investors[name].values[key])


def test_effect_of_a_view_on_a_price__needs_no_instrument(flagship):
    loaded, _ = flagship
    claims = "central-banks-support-gold", "silver-100"
    small = pruned(loaded.scenario, *claims)
    assert set(small.claims) == set(claims)
    assert set(small.investors) <= {"stable", *_holders_of_what_it_holds(loaded.scenario)}


def _holders_of_what_it_holds(scenario):
    held = scenario.investors["stable"].held
    return {name for name, i in scenario.investors.items() if i.holding in held}


def test_change_of_the_world_for_an_investor__keeps_everything():
    claim = (
        "{says: x, kind: effect, subject: holder, change: {market.assets.gold.drift: 0},"
        " conditions: [{measure: total_return, unit: usd, at_least: 0}]}"
    )
    scenario = load_scenario(
        "hard-assets-2026", overrides=[PATHS, f"claims.safer={claim}"]
    ).scenario
    small = pruned(scenario, "safer")
    assert small.investors == scenario.investors
    assert small.instruments == scenario.instruments


def test_question__about_an_effect__is_refused(flagship):
    from simulator.engine.answers import ask

    loaded, _ = flagship
    with pytest.raises(UsageError, match="only the probability of an event"):
        ask(loaded.scenario, loaded.calibration, "ballast-softens-falls")
