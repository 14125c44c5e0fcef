"""The level near which central banks' purchases move now, stated once: for factor and premise."""

from __future__ import annotations

import math
import statistics

import numpy as np
import pytest
from macro_markets import sample
from scipy import integrate, special

from simulator.engine import judge, simulate
from simulator.engine.parameter_sets import draw_drifts
from simulator.errors import InputError
from simulator.market.build import market_spec
from simulator.market.macro.net_purchases import around_level, year_variance
from simulator.scenario import load_scenario
from simulator.scenario.macro import MacroCalibration
from simulator.scenario.market import NetPurchases

SINCE_2022 = (1_081.9, 1_037.4, 1_092.4, 863.3)
"""Tonnes, World Gold Council."""
CLAIM = "central-banks-above-1000"
MARKET = "market.central_banks={level_t: 900, standard_error_t: 50, deviation_t: 100}"


@pytest.fixture(scope="module")
def flagship():
    return load_scenario("hard-assets-2026", overrides=["paths=2048"])


def alone(flagship, claim: str = CLAIM):
    """Return the flagship with one claim and what it needs, which is the market."""
    from simulator.engine.prune import pruned

    return pruned(flagship.scenario, claim)


def test_level__of_the_flagship__is_the_mean_since_2022_with_its_errors(flagship):
    net = flagship.scenario.market.central_banks
    deviation = statistics.stdev(SINCE_2022)
    assert net.level_t == pytest.approx(statistics.mean(SINCE_2022), abs=0.01)
    assert net.deviation_t == pytest.approx(deviation, abs=0.05)
    assert net.standard_error_t == pytest.approx(deviation / 2, abs=0.05)


@pytest.mark.parametrize("speed", [0.5, 5.0])
def test_year_variance__is_the_double_integral_of_the_covariance(speed):
    """Cov(x_s, x_t) = v^2 / 2k (e^-k|t - s| - e^-k(s + t)) of a process that begins at its mean."""

    def covariance(s: float, t: float) -> float:
        return (math.exp(-speed * abs(t - s)) - math.exp(-speed * (s + t))) / (2 * speed)

    # the half in which s < t, twice: there it is smooth
    half, _ = integrate.dblquad(covariance, 0.0, 1.0, 0.0, lambda t: t)
    assert year_variance(speed) == pytest.approx(2 * half, rel=1e-6)


def test_around_level__flows_begin_and_stay_there_and_sales_move_as_calibrated():
    banks = MacroCalibration().central_banks
    net = NetPurchases(level_t=900.0, standard_error_t=50.0, deviation_t=100.0)
    found = around_level(banks, net)
    for part in ("mean", "speed", "volatility"):
        assert getattr(found.sales, part) == getattr(banks.sales, part)
    for point in ("start", "mean"):
        bought, sold = (getattr(flow, point).value for flow in (found.purchases, found.sales))
        assert bought - sold == pytest.approx(900.0)
    # sales alone scatter by 154 t x 0.40 x sqrt(0.2329) = 29.7 t, more than is asked for here
    calm = around_level(banks, net.model_copy(update={"deviation_t": 20.0}))
    assert calm.purchases.volatility.value == 0.0


def test_factor__of_the_run__has_the_level_and_the_scatter_of_a_year(flagship):
    scenario = flagship.scenario.model_copy(update={"horizon_days": 365})
    spec = market_spec(scenario, flagship.calibration)
    days = tuple(range(366))
    net = sample(spec, 2_048, days=days).factors["central_bank_net"]
    years = net[1:].mean(axis=0)
    assert net[0] == pytest.approx(1_018.75)
    assert years.mean() == pytest.approx(1_018.75, abs=4 * years.std() / math.sqrt(2_048))
    assert years.std() == pytest.approx(106.3, rel=0.08)
    assert np.mean(years > 1_000) == pytest.approx(special.ndtr(18.75 / 106.3), abs=0.05)


def test_premise__without_an_estimate__is_about_the_level_of_the_market(flagship):
    """History: Phi(18.75 / 53.2) = 63.8 %; the run's year: about Phi(18.75 / 106.3) = 57.0 %."""
    (found,) = judge(simulate(alone(flagship), flagship.calibration, details=False))
    assert found.estimate == 1_018.75
    assert found.beside == "1,019 tonnes a year (95 % interval 914.5 to 1,123)"
    assert found.history == found.verdict == "plausible"
    assert found.probability == pytest.approx(special.ndtr(18.75 / 106.3), abs=0.05)
    lower = load_scenario("hard-assets-2026", overrides=["paths=256", MARKET])
    (other,) = judge(simulate(alone(lower), lower.calibration, details=False))
    assert (other.estimate, other.history, other.verdict) == (900.0, "refuted", "unlikely")


def test_parameter_sets__draw_the_level_within_its_error(flagship):
    drawn = np.array(
        [
            draw_drifts(
                flagship.scenario, flagship.calibration, number
            ).market.central_banks.level_t
            for number in range(400)
        ]
    )
    assert drawn.mean() == pytest.approx(1_018.75, abs=4 * 53.2 / 20)
    assert drawn.std() == pytest.approx(53.2, rel=0.15)
    # drifts are drawn before it: they are as they were without
    bare = flagship.scenario.market.model_copy(update={"central_banks": None})
    without = flagship.scenario.model_copy(update={"market": bare})
    first, second = (
        draw_drifts(scenario, flagship.calibration, 3).market
        for scenario in (flagship.scenario, without)
    )
    assert first.assets == second.assets
    assert second.central_banks is None


BANKS = f"claims.{CLAIM}"


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (
            "market.central_banks=null",
            f"{BANKS}.premise.estimate: is required: there is no market.central_banks",
        ),
        (
            f"{BANKS}.conditions=[{{series: factor.inflation, measure: mean, at_least: 0}}]",
            "only a premise whose conditions are on factor.central_bank_net",
        ),
        (
            f"{BANKS}.premise={{estimate: 900, at_least: 1000}}",
            "must have both estimate and standard_error, or neither",
        ),
        ("market.central_banks.level_t=-1", "market.central_banks.level_t is -1; must be above 0"),
    ],
)
def test_load__premise_without_a_level__is_refused_with_its_rule(change, rule):
    with pytest.raises(InputError) as caught:
        load_scenario("hard-assets-2026", overrides=[change])
    assert rule in str(caught.value)


def test_load__level_without_factors__is_refused():
    with pytest.raises(InputError, match="central_banks: are read by model macro alone"):
        load_scenario("copper-sto", overrides=[MARKET])
