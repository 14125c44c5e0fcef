"""Sensitivity against closed forms: ranges by rule, effects on common random numbers."""

import math

import pytest
import questions
from scipy import stats

from simulator.engine.sensitivity import sensitivity, trials
from simulator.errors import UsageError
from simulator.scenario import load_scenario
from simulator.schema.raw import Provenance

DRIFT, VOLATILITY = "market.assets.gold.drift", "market.assets.gold.volatility"


@pytest.fixture(scope="module")
def rises(tmp_path_factory):
    loaded = questions.token(tmp_path_factory.mktemp("rises"), drift=0.05)
    return sensitivity(loaded.scenario, loaded.calibration, "rises")


def share(drift, volatility):
    """Return P(S_T / S_0 >= 1.1) of the token's lognormal price."""
    variance = volatility**2 * 250 / 252
    return stats.norm.sf((math.log(1.1) - drift + variance / 2) / math.sqrt(variance))


def by_name(found):
    return {effect.name: effect for effect in found.effects}


def test_drift__moves_by_the_error_of_a_mean__as_the_lognormal_does(rises):
    effect = by_name(rises)[DRIFT]
    # The calibration's gold: volatility 0.1743 over 2000-08-30 to 2026-01-20, 9,274 days.
    error = 0.1743 / math.sqrt(9274 / 365)
    assert (effect.low.value, effect.high.value) == pytest.approx((0.05 - error, 0.05 + error))
    expected = share(0.05 + error, 0.2) - share(0.05 - error, 0.2)
    assert abs(effect.swing - expected) < 3 * effect.standard_error
    # Paired on the same paths: only those that cross count.
    crossed = math.sqrt(effect.swing * (1 - effect.swing) / 2047)
    assert effect.standard_error == pytest.approx(crossed, rel=1e-9)


def test_number__moves_to_half_and_double(rises):
    effect = by_name(rises)[VOLATILITY]
    assert (effect.low.value, effect.present, effect.high.value) == (0.1, 0.2, 0.4)
    for end in (effect.low, effect.high):
        expected = share(0.05, end.value)
        assert abs(end.probability - expected) < 3 * math.sqrt(expected * (1 - expected) / 2048)


def test_zero__moves_to_the_default__and_what_has_none_is_left_out(rises):
    effect = by_name(rises)["instruments.gold_token.sale_spread_bps"]
    assert (effect.low.value, effect.high.value, effect.rule) == (0, 10, "zero to the default")
    assert ("instruments.gold_token.demand_growth", "is 0, and so is its default") in rises.left_out


def test_effects__are_sorted_and_what_plays_no_part_is_zero(rises):
    reaches = [effect.reach for effect in rises.effects]
    assert reaches == sorted(reaches, reverse=True)
    still = by_name(rises)["instruments.gold_token.supply_ounces"]
    assert (still.reach, still.median_reach, still.swing, still.matters) == (0, 0, 0, False)
    assert rises.effects[0].matters


def test_drift__in_the_middle_of_a_narrow_band__reaches_further_than_it_swings(tmp_path):
    band = "claims.band.conditions=[{measure: total_return, unit: usd, at_least: %s, at_most: %s}]"
    bounds = (math.expm1(0.05), math.expm1(0.07))
    # The log price has the mean drift - v/2 = 0.06, in the middle, and the deviation 0.02.
    drift = 0.06 + 0.02**2 * 250 / 252 / 2
    settings = (band % bounds, f"{VOLATILITY}=0.02")
    loaded = questions.token(tmp_path, *settings, drift=drift)
    found = sensitivity(loaded.scenario, loaded.calibration, "band")
    effect = by_name(found)[DRIFT]

    def within(mean):
        log_price = stats.norm(mean, 0.02 * math.sqrt(250 / 252))
        return log_price.cdf(0.07) - log_price.cdf(0.05)

    error = 0.1743 / math.sqrt(9274 / 365)
    assert effect.reach == pytest.approx(within(0.06) - within(0.06 + error), abs=0.04)
    assert abs(effect.swing) < 3 * effect.standard_error < effect.reach


def test_calibrated_figure__moves_by_its_standard_error(tmp_path):
    loaded = questions.token(tmp_path, "market.assets.gold={drift: 0}", paths=128)
    found = list(trials(loaded.scenario, loaded.calibration, []))
    (volatility,) = [trial for trial in found if trial.name == "calibration.assets.gold.volatility"]
    assert volatility.values == pytest.approx((0.1743 - 0.0102, 0.1743 + 0.0102))
    assert [
        calibration.assets["gold"].volatility.value for _, calibration in volatility.worlds
    ] == (pytest.approx(list(volatility.values)))
    # gbm reads nothing else of the calibration, and a volatility that a scenario sets hides it.
    assert [t.name for t in found if t.name.startswith("calibration.")] == [volatility.name]
    own = questions.token(tmp_path, paths=128)
    names = [trial.name for trial in trials(own.scenario, own.calibration, [])]
    assert not any(name.startswith("calibration.") for name in names)


def test_ranges__of_measured_figures__are_those_that_they_state_or_none():
    loaded = load_scenario("gold-vault-sober", overrides=["paths=128"])
    fee, hazard = "instruments.gold_token.sale_spread_bps", "instruments.gold_token.shortfall_loss"
    measured = Provenance(source="a report", mark="secondary")
    stated = Provenance(source="", mark="assumption", range=(0.6, 0.9))
    left_out = []
    origins = {fee: measured, hazard: stated}
    found = trials(loaded.scenario, loaded.calibration, left_out, provenance=origins)
    ends = {trial.name: trial.values for trial in found}
    assert (fee, "is secondary and states no range") in left_out
    assert fee not in ends
    assert ends[hazard] == (0.6, 0.9)
    moved = trials(loaded.scenario, loaded.calibration, [])
    assert fee in {trial.name for trial in moved}


def test_ranges__stay_within_the_scenarios_own_rules():
    loaded = load_scenario("gold-vault-sober", overrides=["paths=128"])
    left_out = []
    found = {t.name: t for t in trials(loaded.scenario, loaded.calibration, left_out)}
    # Double of 0.86 is refused: threshold x (1 + bonus 0.05) must be below 1.
    threshold = found["instruments.gold_vault.lending.liquidation_threshold"].values
    assert threshold == pytest.approx((0.82, 1 / 1.05), rel=1e-6)
    assert found["instruments.gold_vault.lending.kink"].values == pytest.approx((0.4, 0.999))
    assert found["instruments.gold_token.shortfall_loss"].values == (0.5, 1.0)
    assert "calibration.assets.gold.jump_mean" not in found
    assert "calibration.assets.gold.degrees_of_freedom" not in found
    assert "calibration.joint_degrees_of_freedom.metals" in found
    assert all(trial.values[0] < trial.values[1] for trial in found.values())
    reasons = dict(left_out)
    assert "instruments.gold_vault.management_fee_bps" in reasons


def test_repeated__with_other_threads__is_the_same(tmp_path):
    loaded = questions.token(tmp_path, paths=300)
    told = []
    one = sensitivity(
        loaded.scenario, loaded.calibration, "rises", workers=1, on_effect=told.append
    )
    assert sensitivity(loaded.scenario, loaded.calibration, "rises", workers=2) == one
    assert sum(told) == len(one.effects)


def test_unknown_claim__is_usage(tmp_path):
    loaded = questions.token(tmp_path, paths=128)
    with pytest.raises(UsageError, match="did you mean rises"):
        sensitivity(loaded.scenario, loaded.calibration, "rise")
