"""Conditional claims: only the paths on which something else holds are counted."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from simulator.claims import Outcomes, judge_events
from simulator.claims.verdict import shares_of
from simulator.engine import break_even, judge, simulate, with_ranges
from simulator.engine.answers import ask
from simulator.errors import InputError
from simulator.scenario import load_scenario
from simulator.scenario.claims import ClaimTerms, Condition

UP = Condition(series="price.gold", measure="last", at_least=2.0)
FELL = Condition(series="price.gold", measure="drawdown", at_least=0.1)
CLAIM = ClaimTerms(says="it comes back", conditions=(UP,), given=FELL)


def outcomes(last, fall):
    series = {UP.key: np.asarray(last, float), FELL.key: np.asarray(fall, float)}
    return Outcomes({}, series, {"price.gold": 1.0})


def verdict(last, fall):
    (found,) = judge_events({"back": CLAIM}, outcomes(last, fall))
    return found


def test_given__counts_only_the_paths_that_have_it_with_their_interval():
    """Of 20 paths 12 fell, of which 3 ended at 2 or above: 25 %, Clopper-Pearson of 3 of 12."""
    last, fall = [3.0] * 3 + [1.0] * 9 + [3.0] * 8, [0.2] * 12 + [0.0] * 8
    found = verdict(last, fall)
    assert (found.probability, found.given_paths, found.paths) == (0.25, 12, 12)
    exact = stats.binomtest(3, 12).proportion_ci(0.95, "exact")
    assert found.interval == pytest.approx((exact.low, exact.high), abs=1e-9)
    assert found.conditions[0].interval == found.interval
    assert found.given == "drawdown of gold at least 10 %"
    # the median is that of the twelve, and the word is told of so many paths
    assert found.median == 1.0
    assert found.words == "not decided with 12 paths"


def test_given__five_counts_and_more__has_wilsons_interval():
    found = verdict([3.0] * 6 + [1.0] * 14, [0.2] * 20)
    wilson = stats.binomtest(6, 20).proportion_ci(0.95, "wilson")
    assert found.interval == pytest.approx((wilson.low, wilson.high), abs=1e-9)


def test_given__that_no_path_has__is_not_testable_and_says_so():
    found = verdict([3.0] * 4, [0.0] * 4)
    assert (found.verdict, found.given_paths) == ("not testable", 0)
    assert found.reason == "none of 4 paths has what is given: drawdown of gold at least 10 %"
    assert math.isnan(found.probability)


def test_given__what_every_path_has__changes_nothing():
    last = [3.0] * 3 + [1.0] * 7
    alone = ClaimTerms(says="up", conditions=(UP,))
    (plain,) = judge_events({"back": alone}, outcomes(last, [0.2] * 10))
    found = verdict(last, [0.2] * 10)
    assert (found.probability, found.interval) == (plain.probability, plain.interval)


def test_error_of_a_conditional_share__is_that_of_the_paths_left():
    """n = 4,000, of which 1,000 are left: sqrt(p (1 - p) / 1,000) in first order."""
    rng = np.random.default_rng(3)
    fall = np.where(np.arange(4_000) < 1_000, 0.2, 0.0)
    last = np.where(rng.random(4_000) < 0.3, 3.0, 1.0)
    parts = shares_of(CLAIM, outcomes(last, fall))
    share = float(np.mean(last[:1_000] >= 2.0))
    assert parts.mean() == pytest.approx(share)
    error = np.std(parts) / math.sqrt(parts.size)
    assert error == pytest.approx(math.sqrt(share * (1 - share) / 1_000), rel=1e-9)


def test_sets__count_as_the_paths_that_they_leave():
    """P(A and B) / P(B) over the sets: (10 + 30) of 200; a set without any is silent."""
    found = verdict([3.0] * 2 + [1.0] * 8, [0.2] * 10)
    rows = {"claim": "back", "probability": [0.1, 0.3, np.nan], "paths": [100, 100, 0]}
    (over,) = with_ranges((found,), pd.DataFrame({**rows, "estimate": np.nan, "holds": np.nan}))
    assert over.likelihood == pytest.approx(0.2)
    assert over.parameter_range == pytest.approx((0.11, 0.29))
    weighted = {**rows, "paths": [300, 100, 0]}
    (over,) = with_ranges((found,), pd.DataFrame({**weighted, "estimate": np.nan, "holds": np.nan}))
    assert over.likelihood == pytest.approx((30 + 30) / 400)


GBM = ("market.model=gbm", "market.assets.gold.volatility=0.2", "paths=16_384")


def text(claim):
    return load_scenario("gold-vault-sober", overrides=(*GBM, f"claims={{back: {claim}}}"))


def test_given__a_gain_under_gbm__is_the_ratio_of_two_normal_tails():
    """P(S_T >= 1.2 S_0 | S_T >= 1.1 S_0), 250 trading days of 252."""
    loaded = text(
        "{says: x, conditions: [{series: price.gold, measure: total_return, at_least: 0.2}], "
        "given: {series: price.gold, measure: total_return, at_least: 0.1}}"
    )
    (found,) = judge(simulate(loaded.scenario, loaded.calibration, details=False))
    years, sigma, drift = 250 / 252, 0.2, 0.035
    tails = [
        stats.norm.sf((math.log(k) - (drift - sigma**2 / 2) * years) / (sigma * years**0.5))
        for k in (1.2, 1.1)
    ]
    expected = tails[0] / tails[1]
    error = math.sqrt(expected * (1 - expected) / (16_384 * tails[1]))
    assert found.probability == pytest.approx(expected, abs=4 * error)
    assert found.given_paths == pytest.approx(16_384 * tails[1], rel=0.05)
    # asked alone it says the same, with the error of the paths left
    answer = ask(loaded.scenario, loaded.calibration, "back")
    assert answer.told == found.probability
    p = found.probability
    assert answer.error == pytest.approx(math.sqrt(p * (1 - p) / found.given_paths), rel=1e-3)


def test_break_even__of_a_conditional_claim__has_the_error_of_the_paths_left():
    loaded = text(
        "{says: x, conditions: [{series: price.gold, measure: total_return, at_least: 0}], "
        "given: {series: price.silver, measure: total_return, at_least: 0.2}}"
    )
    small = loaded.scenario.model_copy(update={"paths": 1_024})
    found = break_even(small, loaded.calibration, "back", "market.assets.gold.drift")
    (verdict,) = judge(simulate(small, loaded.calibration, details=False))
    p, left = verdict.probability, verdict.given_paths
    assert left < 600
    assert found.present.standard_error == pytest.approx(math.sqrt(p * (1 - p) / left))
    assert found.probability == pytest.approx(0.5, abs=1 / left)


@pytest.mark.parametrize(
    ("claim", "rule"),
    [
        (
            "{kind: effect, says: x, change: {market.assets.gold.drift: 0.1}, given: {series: "
            "price.gold, measure: last, at_least: 1}, conditions: [{series: price.gold, "
            "measure: last, at_least: 0}]}",
            "belongs to an event",
        ),
        (
            "{says: x, given: {series: price.tin, measure: last, at_least: 1}, conditions: "
            "[{series: price.gold, measure: last, at_least: 0}]}",
            "tin",
        ),
        (
            "{says: x, given: {measure: total_return, unit: usd, at_least: 1}, conditions: "
            "[{series: price.gold, measure: last, at_least: 0}]}",
            "subject",
        ),
    ],
)
def test_given__that_does_not_fit__is_refused(claim, rule):
    with pytest.raises(InputError, match=rule):
        text(claim)
