"""Claims on series, effects on common random numbers, premises on history."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats

from simulator.claims.outcomes import reduce_series, series_conditions
from simulator.claims.scale import holding_share
from simulator.engine import judge, simulate
from simulator.engine.simulate import simulate_series
from simulator.engine.verdicts import difference, judge_effect, judge_premise
from simulator.errors import InputError, UsageError
from simulator.scenario import load_scenario
from simulator.scenario.claims import ClaimTerms, Condition, Estimate

GOLD = 4_760.0


def on(series="price.gold", **terms):
    return Condition(series=series, **terms)


def judged(*overrides, paths=1_024):
    common = (f"paths={paths}", "market.model=gbm", "claims={}")
    loaded = load_scenario("gold-vault-sober", overrides=(*common, *overrides))
    simulation = simulate(loaded.scenario, loaded.calibration)
    return {verdict.claim: verdict for verdict in judge(simulation)}


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        ({"measure": "highest", "at_least": 1}, [5.0, 4.0]),
        ({"measure": "lowest", "at_least": 1}, [2.0, 1.0]),
        ({"measure": "last", "at_least": 1}, [5.0, 1.0]),
        ({"measure": "total_return", "at_least": 0}, [0.25, -0.75]),
        ({"measure": "drawdown", "at_least": 0}, [0.5, 0.75]),
        # until the first close at 5: the first path fell by half before, the second never got there
        ({"measure": "drawdown", "at_least": 0, "before_reaching": 5}, [0.5, 0.75]),
        # 4 is where both begin: nothing happened before
        ({"measure": "drawdown", "at_least": 0, "before_reaching": 4}, [0.0, 0.0]),
    ],
)
def test_series__of_two_short_paths__are_the_hand_calculated_numbers(terms, expected):
    values = np.array([[4.0, 4.0], [2.0, 3.0], [5.0, 1.0]])
    np.testing.assert_allclose(reduce_series(on(**terms), values), expected)


def test_price_target__under_gbm__has_the_reflection_principles_probability():
    """P(max S >= K) of a geometric Brownian motion, barrier shifted for daily closes.

    Broadie, Glasserman, Kou (1997): a barrier watched at steps of dt acts like one further away by
    exp(0.5826 sigma sqrt(dt)).
    """
    sigma, drift, target = 0.2, 0.035, 5_500.0
    verdict = judged(
        "claims.gold-5500={says: gold 5500, conditions: [{series: price.gold, measure: highest, "
        f"at_least: {target}}}]}}",
        f"market.assets.gold.volatility={sigma}",
        paths=16_384,
    )["gold-5500"]
    level = math.log(target / GOLD) + 0.5826 * sigma * math.sqrt(1 / 252)
    mean = drift - sigma**2 / 2
    upper = stats.norm.sf((level - mean) / sigma)
    reflected = math.exp(2 * mean * level / sigma**2) * stats.norm.cdf((-level - mean) / sigma)
    error = math.sqrt(verdict.probability * (1 - verdict.probability) / 16_384)
    assert verdict.probability == pytest.approx(upper + reflected, abs=4 * error)
    assert (verdict.kind, verdict.scale, verdict.met_at_start) == ("event", "level", False)
    assert verdict.organic_share is None


def test_price_target__met_before_the_first_day__says_so():
    claims = (
        "claims.there={says: up, conditions: [{series: price.gold, measure: highest, "
        "at_least: 4_000}]}",
        "claims.ratio={says: ratio, conditions: [{series: ratio.gold.silver, measure: lowest, "
        "at_most: 60}]}",
        "claims.open={says: up, conditions: [{series: price.gold, measure: last, "
        "at_least: 4_000}]}",
        "claims.above={says: never below, conditions: [{series: price.gold, measure: lowest, "
        "at_least: 1_000}]}",
    )
    found = judged(*claims, paths=128)
    assert found["there"].met_at_start
    assert (found["there"].verdict, found["there"].firm) == ("already met", None)
    assert found["above"].verdict == "supported"
    assert not found["above"].met_at_start  # it holds from the start, and is to go on holding
    assert found["there"].probability == 1.0
    assert found["ratio"].met_at_start  # 4,760 / 94.2 = 50.5
    assert not found["open"].met_at_start


def test_sector_value__begins_at_the_stated_value():
    verdict = judged(
        "instruments.gold_token.sector_value_usd=5.2e9",
        "instruments.gold_token.demand_volatility=0",
        "instruments.gold_token.shortfall_hazard=0",
        "claims.ten={says: ten, conditions: [{series: gold_token.sector_value_usd, "
        "measure: total_return, at_least: 0.92}]}",
        "claims.gold={says: gold, conditions: [{series: price.gold, measure: total_return, "
        "at_least: 0.92}]}",
        "instruments.gold_token.premium_deviation=0",
        paths=256,
    )
    # Constant supply and premium: the sector does what gold does.
    assert verdict["ten"].median == pytest.approx(verdict["gold"].median, abs=1e-6)


def test_mean_difference__has_the_paired_error():
    rng = np.random.default_rng(1)
    common = rng.normal(size=5_000)
    first, second = common + 0.1 + 0.01 * rng.normal(size=5_000), common
    estimate, error = difference("mean", first, second)
    paired = stats.ttest_rel(first, second)
    assert estimate == pytest.approx(float(np.mean(first - second)))
    assert estimate / error == pytest.approx(float(paired.statistic), rel=1e-9)


def test_median_difference__covers_the_truth_at_its_rate():
    rng = np.random.default_rng(2)
    hits = 0
    for _ in range(200):
        common = rng.normal(size=2_000)
        estimate, error = difference("median", common + 0.05 + rng.normal(size=2_000), common)
        hits += abs(estimate - 0.05) < stats.t.ppf(0.975, 49) * error
    # 95 % of 200 is 190; five standard deviations of a binomial are 15.
    assert 175 <= hits <= 200


def pairs(seed, paths):
    """Return two samples that share most of their noise; the second is wider by half."""
    rng = np.random.default_rng(seed)
    common = rng.normal(size=paths)
    return common + 0.3 * rng.normal(size=paths), 1.5 * common + 0.3 * rng.normal(size=paths)


def test_error_of_the_worst__is_that_of_a_bootstrap_of_pairs():
    first, second = pairs(5, 2_000)
    _, error = difference("expected_shortfall", first, second)
    rng, found = np.random.default_rng(6), []
    for _ in range(1_500):
        drawn = rng.integers(0, first.size, first.size)
        found.append(difference("expected_shortfall", first[drawn], second[drawn])[0])
    # the error of a standard deviation over 1,500 draws is 1 / sqrt(3,000), 1.8 %
    assert error == pytest.approx(float(np.std(found)), rel=0.1)


def test_interval_of_the_worst__has_its_nominal_width():
    """Mean of the worst 5 % of a normal: -s phi(z) / 0.05, with s^2 1.09 and 2.34."""
    worst = stats.norm.pdf(stats.norm.ppf(0.05)) / 0.05
    truth = (math.sqrt(1.5**2 + 0.09) - math.sqrt(1 + 0.09)) * worst
    condition = Condition(measure="total_return", unit="usd", at_least=0.0)
    claim = ClaimTerms(
        kind="effect",
        says="x",
        subject="a",
        against="b",
        statistic="expected_shortfall",
        conditions=(condition,),
    )
    hits, runs = 0, 400
    for seed in range(runs):
        values = dict(zip("ab", pairs(100 + seed, 1_000), strict=True))
        outcomes = SimpleNamespace(values=lambda c, who, values=values: values[who])
        low, high = judge_effect("x", claim, outcomes, outcomes).interval
        hits += low <= truth <= high
    # 95 % of 400 is 380; three standard deviations of a binomial are 13.
    assert 367 <= hits <= 393


@pytest.mark.parametrize(
    ("interval", "share"),
    [((0.1, 0.3), 1.0), ((-0.1, 0.3), 0.5), ((-0.3, 0.1), 0.5), ((-0.3, -0.1), 0.0)],
)
def test_effect__whose_interval_holds_the_bound__counts_half(interval, share):
    assert holding_share(0.0, None, interval) == share
    # mirrored: what is to be at most 0
    assert holding_share(None, 0.0, (-interval[1], -interval[0])) == share


def test_effect__of_two_investors__is_their_paired_difference():
    found = judged(
        "claims.spread={kind: effect, says: the spread costs, subject: token_only, "
        "against: holder, conditions: [{measure: total_return, unit: usd, at_least: 0}]}",
        paths=256,
    )["spread"]
    loaded = load_scenario("gold-vault-sober", overrides=("paths=256", "market.model=gbm"))
    investors = simulate(loaded.scenario, loaded.calibration).investors
    own = investors["token_only"].values["total_return", "usd"]
    other = investors["holder"].values["total_return", "usd"]
    assert found.estimate == pytest.approx(float(np.mean(own - other)), rel=1e-12)
    assert (found.kind, math.isnan(found.probability)) == ("effect", True)


def test_effect__of_a_changed_world__is_the_change():
    """A drift higher by 10 points moves the expected price by exp(0.1) - 1 of itself."""
    found = judged(
        "claims.drift={kind: effect, says: drift lifts, change: {market.assets.gold.drift: 0.135}, "
        "conditions: [{series: price.gold, measure: last, at_least: 0}]}",
        paths=4_096,
    )["drift"]
    expected = GOLD * (math.exp(0.135) - math.exp(0.035))
    assert found.interval[0] < expected < found.interval[1]
    assert found.verdict == "supported"
    # Common random numbers: the error is far below that of two independent samples.
    assert found.interval[1] - found.interval[0] < 0.1 * expected


def test_change__that_the_scenario_could_not_have__is_refused_with_its_line(tmp_path):
    ready = load_scenario("gold-vault-sober")
    text = Path(ready.path).read_text()
    text = text.replace(
        "replay:\n",
        "  wrong:\n    kind: effect\n    says: x\n    change: {market.assets.gold.drift: 7}\n"
        "    conditions: [{series: price.gold, measure: last, at_least: 0}]\n\nreplay:\n",
    )
    path = tmp_path / "own.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        load_scenario(path)
    (problem,) = caught.value.problems
    line = text.splitlines().index("    change: {market.assets.gold.drift: 7}") + 1
    assert (problem.line, problem.field) == (line, "claims.wrong.change")
    assert "drift" in problem.rule


@pytest.mark.parametrize(
    ("estimate", "error", "word", "confidence"),
    [
        # Phi(2) and its complement; the normal table.
        (1_200, 100, "supported", 0.97725),
        (1_050, 100, "plausible", 0.69146),
        (950, 100, "unlikely", 0.30854),
        (800, 100, "refuted", 0.02275),
        (1_000, 0, "supported", 1.0),
        (999, 0, "refuted", 0.0),
    ],
)
def test_premise__is_judged_on_the_estimate_and_its_error(estimate, error, word, confidence):
    premise = Estimate(estimate=estimate, standard_error=error, at_least=1_000, unit="t a year")
    claim = ClaimTerms(kind="premise", says="above 1,000 t", premise=premise)
    verdict = judge_premise("cb", claim, premise)
    assert verdict.verdict == word
    assert verdict.probability == pytest.approx(confidence, abs=1e-5)
    assert verdict.by_assumption
    assert (verdict.firm, verdict.paths) == (None, 0)  # no path has a part in it


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("{says: x, conditions: [{series: price.tin, measure: last, at_least: 1}]}", "tin"),
        ("{says: x, conditions: [{series: gold, measure: last, at_least: 1}]}", "price.X"),
        (
            "{says: x, conditions: [{series: price.gold, measure: last, unit: usd, at_least: 1}]}",
            "a series has no unit",
        ),
        ("{says: x, conditions: [{measure: annual_yield, unit: usd, at_least: 1}]}", "subject"),
        ("{says: x, subject: holder, conditions: []}", "at least one condition"),
        (
            "{says: x, kind: effect, subject: holder, conditions: [{measure: drawdown, unit: usd, "
            "at_least: 0}]}",
            "either against or change",
        ),
        ("{says: x, kind: premise}", "a premise has a premise section"),
        (
            "{says: x, kind: premise, premise: {estimate: 1, standard_error: 1, at_least: 0}, "
            "conditions: [{series: price.gold, measure: last, at_least: 1}]}",
            "on a factor of the market",
        ),
        (
            "{says: x, follows_from: [gas.price], conditions: [{series: price.gold, "
            "measure: last, at_least: 1}]}",
            "dotted name of a number",
        ),
        (
            "{says: x, subject: holder, conditions: [{measure: total_return, unit: usd, "
            "at_least: 0, over: nobody}]}",
            "must be an investor",
        ),
    ],
)
def test_claim__that_cannot_be_read__is_refused(text, rule):
    with pytest.raises((InputError, UsageError), match=rule):
        load_scenario("gold-vault-sober", overrides=[f"claims.wrong={text}"])


@pytest.mark.parametrize("paths", [7, 50, 1_013])
def test_error_of_a_median__is_that_of_batches_as_equal_as_can_be(paths):
    first, second = np.random.default_rng(3).normal(size=(2, paths))
    parts = [np.array_split(values, min(50, paths)) for values in (first, second)]
    each = [np.median(a) - np.median(b) for a, b in zip(*parts, strict=True)]
    _, error = difference("median", first, second)
    assert error == pytest.approx(np.std(each, ddof=1) / np.sqrt(len(each)), rel=1e-12)


def test_worst_paths__are_the_lowest__and_more_is_better():
    first, second = np.arange(100.0), np.arange(100.0) - 1.0
    # The lowest five of a hundred: means of 2 and of 1.
    estimate, _ = difference("expected_shortfall", first, second)
    assert estimate == pytest.approx(1.0)


@pytest.mark.parametrize("scenario", ["gold-vault-sober", "hard-assets-2026"])
def test_series_without_instruments__are_those_of_the_whole_run(scenario):
    claims = (
        "claims.a={says: x, conditions: [{series: price.gold, measure: highest, at_least: 1}]}",
        "claims.b={says: x, conditions: [{series: ratio.gold.silver, measure: last, at_least: 1}]}",
    )
    small = ("paths=300", "horizon_days=90", "claims={}")
    loaded = load_scenario(scenario, overrides=(*small, *claims))
    whole = simulate(loaded.scenario, loaded.calibration).outcomes
    conditions = series_conditions(loaded.scenario.claims).values()
    alone = simulate_series(loaded.scenario, loaded.calibration, conditions)
    assert set(alone.series) == set(whole.series)
    for key, values in whole.series.items():
        np.testing.assert_array_equal(alone.series[key], values)
    assert alone.starts == whole.starts


def test_effect__of_a_change_that_moves_nothing__is_not_testable():
    found = judged(
        "claims.nothing={kind: effect, says: x, change: {market.assets.silver.drift: 0.5}, "
        "conditions: [{series: price.gold, measure: last, at_least: 0}]}",
        paths=128,
    )["nothing"]
    assert (found.verdict, found.reason) == ("not testable", "it changes nothing in this world")
