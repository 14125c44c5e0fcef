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


def test_effect__keeps_everything(flagship):
    loaded, _ = flagship
    assert pruned(loaded.scenario, "ballast-softens-falls") == loaded.scenario


def test_question__about_an_effect__is_refused(flagship):
    from simulator.engine.answers import ask

    loaded, _ = flagship
    with pytest.raises(UsageError, match="only the probability of an event"):
        ask(loaded.scenario, loaded.calibration, "ballast-softens-falls")
