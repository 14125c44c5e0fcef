"""A claim alone is answered with the same bytes as among all others."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest

from simulator.claims.verdict import judge_events
from simulator.engine import simulate
from simulator.engine.answers import ask
from simulator.engine.prune import pruned
from simulator.engine.verdicts import judge_effect
from simulator.errors import UsageError
from simulator.scenario import load_scenario
from simulator.scenario.files import with_changes

PATHS = "paths=128"


@pytest.fixture(scope="module")
def flagship():
    loaded = load_scenario("hard-assets-2026", overrides=[PATHS])
    whole = simulate(loaded.scenario, loaded.calibration, details=False)
    return loaded, whole


@pytest.mark.parametrize(
    ("claim", "instruments"),
    [
        ("gold-vault-8-12", {"gold_token", "gold_vault", "gold_pool"}),
        ("copper-sto-18-ramp-up", {"ramp_up_sto"}),
        ("copper-sto-18-sold-ramp-up", {"ramp_up_sto"}),
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
        assert set(small.instruments) == instruments
    alone = simulate(small, loaded.calibration, details=False)
    terms = {claim: loaded.scenario.claims[claim]}
    (own,), (among,) = (judge_events(terms, found.outcomes) for found in (alone, whole))
    np.testing.assert_equal(own.probability, among.probability)
    np.testing.assert_equal((own.p05, own.median, own.p95), (among.p05, among.median, among.p95))


@pytest.mark.parametrize(
    ("claim", "investors"),
    [
        ("ballast-softens-falls", {"conservative", "conservative_without_gold"}),
        (
            "stop-loss-saves-the-aggressive",
            # The first weighs the gas on the tokens that the other two hold a part of.
            {"development_holder", "aggressive", "aggressive_without_stop"},
        ),
        ("mining-revenue-staking-adds", {"staking_holder", "producing_holder"}),
        ("cover-helps-the-worst", None),
        ("copper-sto-beats-shares", {"producing_holder", "producing_shareholder"}),
    ],
)
def test_effect_of_two_investors__alone__is_answered_alike(flagship, claim, investors):
    loaded, whole = flagship
    if investors is not None:
        assert set(pruned(loaded.scenario, claim).investors) == investors
    terms = loaded.scenario.claims[claim]
    among = judge_effect(claim, terms, whole.outcomes, whole.outcomes)
    np.testing.assert_equal(asdict(ask(*question(loaded, claim)).verdict), asdict(among))


def test_effect_of_a_changed_market__alone__is_answered_alike(flagship):
    loaded, whole = flagship
    changed = with_changes(loaded.scenario, {"market.views.real_rate": "negative"}, "change")
    claim = "negative-real-rates-lift-gold"
    other = simulate(changed, loaded.calibration, details=False).outcomes
    among = judge_effect(claim, loaded.scenario.claims[claim], whole.outcomes, other)
    np.testing.assert_equal(asdict(ask(*question(loaded, claim)).verdict), asdict(among))
    assert abs(among.estimate) > 0.01


def test_effect_of_a_view_on_a_price__needs_no_instrument(flagship):
    loaded, _ = flagship
    claims = "central-banks-support-gold", "silver-100"
    small = pruned(loaded.scenario, *claims)
    assert set(small.claims) == set(claims)
    assert list(small.investors) == ["holder"]


def test_change_beyond_the_market__keeps_everything(flagship):
    loaded, _ = flagship
    effect = loaded.scenario.claims["negative-real-rates-lift-gold"]
    terms = effect.model_copy(update={"change": {"gas.price_gwei": 1.0}})
    scenario = loaded.scenario.model_copy(update={"claims": {"gas": terms, "other": effect}})
    small = pruned(scenario, "gas")
    assert set(small.claims) == {"gas"}
    assert small.investors == scenario.investors
    assert small.instruments == scenario.instruments


def test_larger_holder__whose_position_bears_the_gas__stays():
    portfolio = "{capital_usd: %s, weights: {producing_sto: 0.5, cash: 0.5}}"
    loaded = load_scenario(
        "copper-sto",
        overrides=(
            PATHS,
            f"investors={{small: {portfolio % 1_000}, large: {portfolio % 1_000_000}}}",
            "claims={pays: {says: x, subject: small, conditions: [{measure: total_return, "
            "unit: usd, at_least: 0}]}}",
            "replay={subject: small}",
            "gas.price_gwei=50",
        ),
    )
    whole = simulate(loaded.scenario, loaded.calibration, details=False).outcomes
    small = pruned(loaded.scenario, "pays")
    alone = simulate(small, loaded.calibration, details=False).outcomes
    key = "total_return", "usd"
    np.testing.assert_array_equal(
        alone.investors["small"].values[key], whole.investors["small"].values[key]
    )
    assert set(small.instruments) == {"producing_sto"}


def test_question__about_a_premise__is_refused_with_the_reason(flagship):
    loaded, _ = flagship
    with pytest.raises(UsageError, match="is a premise: it is judged on history, and no param"):
        ask(*question(loaded, "central-banks-above-1000"))


def question(loaded, claim):
    return loaded.scenario, loaded.calibration, claim
