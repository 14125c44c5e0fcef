"""Verdicts: words at their exact bounds, conditions singly and jointly, what is not testable."""

import dataclasses
import json
import math

import numpy as np
import pytest
from scipy import stats

from simulator.claims import Outcomes, Verdict, as_object, judge_events
from simulator.claims.scale import SCALE, word_for
from simulator.claims.verdict import describe, period_of
from simulator.engine import judge, simulate
from simulator.instruments.base import Source
from simulator.investors import InvestorMeasures
from simulator.report.conditions import told, told_range
from simulator.scenario import load_scenario
from simulator.scenario.claims import ClaimTerms, Condition

UNITS = ("ounces", "usd")


def measured(n_paths=100, organic=None, **values):
    """Return measures of an investor; keywords as `drawdown_usd=[...]`, the rest are zeros."""
    arrays = {
        (name, unit): np.zeros(n_paths)
        for name in ("annual_yield", "total_return", "drawdown", "yield_deviation")
        for unit in UNITS
    }
    for key, numbers in values.items():
        name, _, unit = key.rpartition("_")
        arrays[name, unit] = np.asarray(numbers, dtype=float)
    ones = np.ones(n_paths)
    return InvestorMeasures(
        name="holder",
        holding="gold_vault",
        sources=(),
        values=arrays,
        attribution={unit: np.zeros((0, n_paths)) for unit in UNITS},
        initial=dict.fromkeys(UNITS, ones),
        final=dict.fromkeys(UNITS, ones),
        events=np.zeros(n_paths, dtype=np.int64),
        unpaid=np.zeros(n_paths),
        organic_share=np.full(n_paths, np.nan) if organic is None else np.asarray(organic, float),
        attribution_gap=0.0,
    )


def claim(*conditions):
    return ClaimTerms(says="It pays", subject="holder", conditions=conditions)


def at_least(bound, measure="annual_yield", unit="ounces", **more):
    return Condition(measure=measure, unit=unit, at_least=bound, **more)


def at_most(bound, measure="drawdown", unit="ounces", **more):
    return Condition(measure=measure, unit=unit, at_most=bound, **more)


def verdict_on(measures, *conditions) -> Verdict:
    (verdict,) = judge_events({"promise": claim(*conditions)}, Outcomes({"holder": measures}))
    return verdict


def yields(count, n_paths=100):
    """Return yields of 10 % on `count` paths and of nothing on the others."""
    return np.where(np.arange(n_paths) < count, 0.10, 0.0)


@pytest.mark.parametrize(
    ("count", "word"),
    [
        (100, "supported"),
        (95, "supported"),
        (94, "plausible"),
        (50, "plausible"),
        (49, "unlikely"),
        (5, "unlikely"),
        (4, "refuted"),
        (0, "refuted"),
    ],
)
def test_verdict__share_of_paths__earns_its_word_at_the_exact_bound(count, word):
    verdict = verdict_on(measured(annual_yield_ounces=yields(count)), at_least(0.08))
    assert word_for(verdict.likelihood) == word
    # 100 paths tell two words apart where Wilson's interval holds no bound between them
    assert verdict.verdict == (word if count in (0, 100) else "not decided")
    assert verdict.probability == count / 100
    assert (verdict.kind, verdict.reason, verdict.met_at_start) == ("event", "", False)


@pytest.mark.parametrize("bound", [0.95, 0.5, 0.05])
def test_word__a_hair_below_a_bound__is_the_next_one(bound):
    word, below = word_for(bound), word_for(math.nextafter(bound, 0))
    assert SCALE.index(below) == SCALE.index(word) + 1


def test_condition__value_on_its_bound__holds():
    values = [0.08, math.nextafter(0.08, 0), math.nextafter(0.08, 1), -1.0]
    measures = measured(4, annual_yield_ounces=values)
    assert verdict_on(measures, at_least(0.08)).probability == 0.5
    assert verdict_on(measures, at_most(0.08, "annual_yield")).probability == 0.75
    both = Condition(measure="annual_yield", unit="ounces", at_least=0.08, at_most=0.08)
    assert verdict_on(measures, both).probability == 0.25


def test_conditions__hold_singly_and_jointly():
    # Yields hold on paths 0-59, drawdowns on 40-99: together on 40-59.
    path = np.arange(100)
    measures = measured(
        annual_yield_ounces=np.where(path < 60, 0.1, 0.0),
        drawdown_ounces=np.where(path >= 40, 0.01, 0.2),
    )
    verdict = verdict_on(measures, at_least(0.08), at_most(0.05))
    assert [condition.probability for condition in verdict.conditions] == [0.6, 0.6]
    assert verdict.probability == 0.2
    assert verdict.verdict == "unlikely"
    assert [condition.text for condition in verdict.conditions] == [
        "yield a year in ounces at least 8 %",
        "drawdown in ounces at most 5 %",
    ]


def test_condition__unit__picks_the_currency():
    measures = measured(annual_yield_ounces=yields(0), annual_yield_usd=yields(100))
    assert verdict_on(measures, at_least(0.08)).verdict == "refuted"
    assert verdict_on(measures, at_least(0.08, unit="usd")).verdict == "supported"


def test_interval__of_verdict_and_condition__is_wilsons():
    verdict = verdict_on(measured(annual_yield_ounces=yields(40)), at_least(0.08))
    expected = stats.binomtest(40, 100).proportion_ci(0.95, method="wilson")
    assert verdict.interval == (expected.low, expected.high)
    assert verdict.conditions[0].interval == verdict.interval
    assert verdict.interval[0] < verdict.probability < verdict.interval[1]


def test_interval__of_a_rare_event__is_exact():
    verdict = verdict_on(measured(annual_yield_ounces=yields(2)), at_least(0.08))
    expected = stats.binomtest(2, 100).proportion_ci(0.95, method="exact")
    assert verdict.interval == pytest.approx((expected.low, expected.high), rel=1e-9)


def test_reported_bound__beyond_it__is_reported_and_not_failed():
    values = np.repeat([0.05, 0.09, 0.15], [20, 50, 30])
    condition = at_least(0.08, reported_above=0.12)
    verdict = verdict_on(measured(annual_yield_ounces=values), condition)
    assert verdict.probability == 0.8
    assert verdict.above == (0.12, 0.3)
    assert verdict_on(measured(annual_yield_ounces=values), at_least(0.08)).above is None


def test_reported_bound__of_a_later_condition__is_reported_too():
    measures = measured(drawdown_ounces=np.repeat([0.01, 0.2], [90, 10]))
    verdict = verdict_on(measures, at_least(0.08), at_most(0.5, reported_above=0.1))
    assert verdict.above == (0.1, 0.1)


def test_reported_bound__value_on_it__is_not_beyond():
    verdict = verdict_on(
        measured(2, annual_yield_ounces=[0.12, 0.13]), at_least(0.08, reported_above=0.12)
    )
    assert verdict.above == (0.12, 0.5)


def test_quantiles_and_drawdown__are_those_of_the_first_condition():
    values = np.arange(101) / 100
    measures = measured(101, annual_yield_usd=values, drawdown_usd=values[::-1] / 2)
    verdict = verdict_on(measures, at_least(0.08, unit="usd"), at_most(0.05))
    # Of 0, 0.01, ..., 1 the p-quantile is p itself.
    assert (verdict.p05, verdict.median, verdict.p95) == pytest.approx((0.05, 0.5, 0.95))
    assert verdict.max_drawdown_median == pytest.approx(0.25)
    assert verdict.quantity == "yield a year in usd"


def test_organic_share__without_income_on_any_path__is_null():
    assert verdict_on(measured(3), at_least(0.08)).organic_share is None
    partly = measured(3, organic=[np.nan, 0.2, 0.4])
    assert verdict_on(partly, at_least(0.08)).organic_share == pytest.approx(0.3)


def test_deviation__without_two_windows__is_not_testable_and_says_why():
    measures = measured(yield_deviation_ounces=np.full(100, np.nan), annual_yield_ounces=yields(60))
    deviation = at_most(0.01, "yield_deviation", reported_above=0.02)
    verdict = verdict_on(measures, at_least(0.08), deviation)
    assert verdict.verdict == "not testable"
    assert verdict.reason == "deviation of 30-day yields needs a horizon of at least 60 days"
    assert math.isnan(verdict.probability)
    # What can be tested on its own still is.
    assert verdict.conditions[0].probability == 0.6
    assert math.isnan(verdict.conditions[1].probability)
    assert verdict.above is None
    assert verdict_on(measures, at_least(0.08)).verdict == "plausible"


def test_object__of_any_verdict__is_strict_json_with_null_for_nan():
    measures = measured(yield_deviation_ounces=np.full(100, np.nan))
    untestable = as_object(verdict_on(measures, at_most(0.01, "yield_deviation")))
    again = json.loads(json.dumps(untestable, allow_nan=False))
    assert again["probability"] is None
    assert again["interval"] == [None, None]
    assert (again["p05"], again["median"], again["p95"]) == (None, None, None)
    testable = as_object(verdict_on(measures, at_least(0.08)))
    assert testable["probability"] == 0.0
    assert set(testable) == {field.name for field in dataclasses.fields(Verdict)}


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        (at_least(0.07), "yield a year in ounces at least 7 %"),
        (at_most(0.005), "drawdown in ounces at most 0.5 %"),
        (at_least(-0.1, "total_return", "usd"), "total return in usd at least -10 %"),
        (
            Condition(measure="annual_yield", unit="usd", at_least=0.08, at_most=0.12),
            "yield a year in usd at least 8 % and at most 12 %",
        ),
    ],
)
def test_describe__condition__reads_as_a_phrase(condition, text):
    assert describe(condition) == text


def test_judge__several_claims__keep_names_order_and_subjects():
    claims = {
        "b": claim(at_least(0.08)),
        "a": ClaimTerms(says="x", subject="other", conditions=(at_least(0.08),)),
    }
    measures = {"holder": measured(4), "other": measured(4, annual_yield_ounces=[1, 1, 1, 1])}
    verdicts = judge_events(claims, Outcomes(measures))
    assert [(v.claim, v.subject, v.text) for v in verdicts] == [
        ("b", "holder", "It pays"),
        ("a", "other", "x"),
    ]
    assert [v.likelihood for v in verdicts] == [0.0, 1.0]


@pytest.mark.parametrize(("days", "testable"), [(364, False), (365, True)])
def test_simulated_claim__of_a_yearly_yield__needs_a_year(days, testable):
    loaded = load_scenario("gold-vault-sober", overrides=["paths=128", f"horizon_days={days}"])
    outcome = simulate(loaded.scenario, loaded.calibration, workers=1)
    stable, usd = judge(outcome)
    assert (stable.verdict != "not testable") is testable
    assert (usd.verdict != "not testable") is testable
    json.dumps([as_object(stable), as_object(usd)], allow_nan=False)


def test_simulated_verdict__counts_the_paths_themselves():
    loaded = load_scenario("gold-vault-as-claimed", overrides=["paths=128"])
    outcome = simulate(loaded.scenario, loaded.calibration, workers=1)
    stable, usd = judge(outcome)
    values = outcome.investors["holder"].values
    joint = (
        (values["annual_yield", "ounces"] >= 0.08)
        & (values["drawdown", "ounces"] <= 0.05)
        & (values["yield_deviation", "ounces"] <= 0.01)
    )
    assert stable.probability == joint.sum() / 128
    assert usd.probability == (values["annual_yield", "usd"] >= 0.08).sum() / 128
    assert stable.median == np.median(values["annual_yield", "ounces"])


def test_organic_share__is_not_of_paths_whose_income_an_exploit_ended():
    """Of ten paths six were drained: theirs is 99 % organic, and says nothing of an income.

    The other four earned 10, 20, 30 and 40 % of it organically: the median is 25 %.
    """
    drained = np.arange(10) < 6
    organic = np.where(drained, 0.99, [0.0] * 6 + [0.1, 0.2, 0.3, 0.4])
    amounts = {unit: np.array([np.full(10, 0.01), np.where(drained, -0.8, 0.0)]) for unit in UNITS}
    earned = Source("fees", "organic", "Fees")
    measures = dataclasses.replace(
        measured(10, organic=organic),
        attribution=amounts,
        sources=(earned, Source("exploit", "loss", "Exploit", ends_income=True)),
    )
    found = verdict_on(measures, at_least(0.08))
    assert found.organic_share == pytest.approx(0.25)
    assert found.organic_paths == pytest.approx(0.4)
    # a loss that ends nothing (a borrower's) leaves the share as it is
    lasting = dataclasses.replace(measures, sources=(earned, Source("bad_debt", "loss", "Debt")))
    assert verdict_on(lasting, at_least(0.08)).organic_share == pytest.approx(0.99)
    # nor does the fate of one holding end a portfolio's income
    held = dataclasses.replace(measures, allocation={"vault": np.ones(3)})
    assert verdict_on(held, at_least(0.08)).organic_share == pytest.approx(0.99)
    everywhere = {unit: np.array([np.full(10, 0.01), np.full(10, -0.8)]) for unit in UNITS}
    ended = dataclasses.replace(measures, attribution=everywhere)
    assert verdict_on(ended, at_least(0.08)).organic_share is None


@pytest.mark.parametrize(
    ("condition", "period"),
    [
        (at_least(0.08), "a year"),
        (at_least(0.08, measure="total_return"), "over 395 days"),
        (at_most(0.08), "over 395 days"),
        (Condition(series="price.gold", measure="last", at_least=1.0), "after 395 days"),
    ],
)
def test_period__of_a_measure__is_a_year_where_it_is_annualised(condition, period):
    assert period_of(condition, 395) == period


def test_numbers__say_their_unit_and_period():
    loaded = load_scenario(
        "gold-vault-sober",
        overrides=(
            "paths=128",
            "horizon_days=395",
            "claims={high: {says: x, conditions: [{series: price.gold, measure: highest, "
            "at_least: 5000}]}, up: {says: x, subject: holder, conditions: [{measure: "
            "total_return, unit: usd, at_least: 0}]}, less: {kind: effect, says: x, subject: "
            "holder, against: token_only, conditions: [{measure: annual_yield, unit: usd, "
            "at_least: 0}]}}",
        ),
    )
    simulation = simulate(loaded.scenario, loaded.calibration, details=False)
    high, up, less = judge(simulation)
    unit = loaded.calibration.assets["gold"].price.unit
    assert high.measured == f"highest daily close of gold, {unit}, over 395 days"
    assert up.measured == "total return in usd over 395 days"
    assert less.measured == "mean yield a year in usd"
    assert told(less).endswith("\u00a0points")
    assert told_range(less, less.interval).endswith("\u00a0points")
