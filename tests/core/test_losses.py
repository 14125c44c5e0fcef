"""What can be lost: counted by hand, and by the closed form of a known market."""

import dataclasses
import math

import numpy as np
import pytest
from scipy import stats
from test_claims import measured

from simulator import measures
from simulator.engine import simulate
from simulator.engine.losses import all_losses, losses_of
from simulator.report.losses import rows
from simulator.scenario import load_scenario

GBM = ("market.model=gbm", "market.assets.gold.volatility=0.2", "paths=8_192")
PLAIN = (
    "instruments.gold_token.shortfall_hazard=0",
    "instruments.gold_token.premium_deviation=0",
    "instruments.gold_token.premium_mean=0",
    "instruments.gold_token.sale_spread_bps=0",
)


def of_ten(**more):
    """Ten paths that gain -50, -10, -0.5, 0, 1, 2, ... %; a year, so returns are yields."""
    returns = np.array([-0.5, -0.1, -0.005, 0.0, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06])
    return dataclasses.replace(
        measured(10, total_return_usd=returns, annual_yield_usd=returns.copy()), **more
    )


def test_losses__of_ten_paths__are_hand_counted():
    found = losses_of(of_ten(), "usd")
    assert found.significant == 0.2  # -50 and -10 %; half a point is no significant loss
    assert found.loss == 0.3
    exact = stats.binomtest(2, 10).proportion_ci(0.95, "exact")  # two counts: below five
    assert found.significant_interval == pytest.approx((exact.low, exact.high), abs=1e-9)
    # the quantile at 0.05 of ten lies 0.45 of the way from -50 to -10 %: -32 %; at 0.01 0.09
    assert found.value_at_risk[0.05] == pytest.approx(0.32)
    assert found.value_at_risk[0.01] == pytest.approx(0.464)
    # half of the worst path is 5 %, a tenth of it 1 %: both lose 50 %
    assert found.expected_shortfall[0.05] == pytest.approx(0.5)
    assert found.expected_shortfall[0.01] == pytest.approx(0.5)


def test_time_under_water__counts_open_spells_as_censored():
    """Kaplan and Meier: 2 days ended on 2 of 5 paths, then 9 open, so the median is not known.

    With the third ended at 4 days the curve falls to 2/5 there: the median is 4.
    """
    days = np.array([2.0, 2.0, 9.0, 9.0, 9.0])
    is_open = np.array([False, False, True, True, True])
    spells = measures.Spells(days, is_open, np.full(5, 0.4))
    five = measured(5)
    found = losses_of(dataclasses.replace(five, spells={"usd": spells}), "usd")
    assert math.isnan(found.under_water_days)
    assert (found.under_water_open, found.under_water_share) == (0.6, pytest.approx(0.4))
    ended = measures.Spells(
        np.array([2.0, 2.0, 4.0, 9.0, 9.0]), is_open & (days > 8) & (np.arange(5) > 2), spells.share
    )
    found = losses_of(dataclasses.replace(five, spells={"usd": ended}), "usd")
    assert (found.under_water_days, found.under_water_open) == (4.0, 0.4)


def test_losses__below_a_year__have_no_psl_and_the_rest():
    short = of_ten()
    short.values["annual_yield", "usd"][:] = np.nan
    found = losses_of(short, "usd")
    assert math.isnan(found.significant)
    assert found.loss == 0.3


@pytest.fixture(scope="module")
def gold():
    loaded = load_scenario("gold-vault-sober", overrides=(*GBM, *PLAIN))
    return simulate(loaded.scenario, loaded.calibration)


def test_losses__of_gold_under_gbm__are_the_normals(gold):
    """ln S is normal with (0.035 - 0.02) T and 0.2 sqrt(T), T = 250 / 252."""
    found = {(one.name, one.unit): one for one in all_losses(gold)}["token_only", "usd"]
    years = 250 / 252
    mean, spread = 0.015 * years, 0.2 * math.sqrt(years)
    expected = stats.norm.cdf((math.log(0.99) - mean) / spread)
    error = math.sqrt(expected * (1 - expected) / 8_192)
    assert found.significant == pytest.approx(expected, abs=4 * error)
    for tail in (0.05, 0.01):
        quantile = math.exp(mean + spread * stats.norm.ppf(tail))
        value = gold.investors["token_only"].values["total_return", "usd"]
        error = measures.quantile_error(value, tail)
        assert found.value_at_risk[tail] == pytest.approx(1 - quantile, abs=4 * error)
        # E[S; S < q] / tail of a lognormal
        worst = math.exp(mean + spread**2 / 2)
        worst *= stats.norm.cdf(stats.norm.ppf(tail) - spread) / tail
        error = measures.shortfall_error(value, tail)
        assert found.expected_shortfall[tail] == pytest.approx(1 - worst, abs=4 * error)


def test_losses__every_investor_and_instrument__in_the_unit_of_the_claims(gold):
    found = [(one.name, one.unit) for one in all_losses(gold)]
    assert found == [
        ("holder", "ounces"),
        ("holder", "usd"),
        ("token_only", "usd"),
        ("gold_token", "usd"),
        ("gold_pool", "usd"),
        ("gold_pool-arbitrageur", "usd"),
        ("gold_vault", "ounces"),
        ("gold_vault", "usd"),
    ]
    assert [row[0] for row in rows(gold)][:2] == ["holder\nin ounces", "holder\nin dollars"]


def test_spells__of_blocks__are_those_of_the_whole(gold):
    scenario = gold.scenario.model_copy(update={"paths": 512})
    small = simulate(scenario, gold.calibration, block_paths=128)
    whole = simulate(scenario, gold.calibration, block_paths=512)
    for unit in ("ounces", "usd"):
        one, other = (run.investors["holder"].spells[unit] for run in (small, whole))
        np.testing.assert_array_equal(one.longest_days, other.longest_days)
        np.testing.assert_array_equal(one.is_open, other.is_open)
        assert one.longest_days.size == 512
