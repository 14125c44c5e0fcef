"""The metal token's first day, its smallest price, and where a short path's dollars come from."""

from __future__ import annotations

import math

import numpy as np
import worlds

from simulator.instruments.base import TokenPrices
from simulator.instruments.gold_token import paths
from simulator.instruments.gold_token.split import BY_BACKING, BY_METAL, BY_PREMIUM, split
from simulator.instruments.gold_token.terms import GoldTokenTerms
from simulator.units import LANES


def column(*values: float) -> np.ndarray:
    return np.array(values)[:, np.newaxis]


def test_split__of_two_days__is_the_hand_calculation() -> None:
    """2 oz: the premium goes to 25 % and back, then half of the metal turns out to be missing.

    Day 1: metal 10; 137.50 - 100 - 10 = 27.50 for the premium. Day 2, at yesterday's factor of
    1.25: metal 10 x 1.25 = 12.50; backing 120 x -0.5 x 1.25 = -75; the rest of 60 - 137.50 is
    -15. For 2 oz: metal 45, premium 25, backing -150, together the change of -80.
    """
    prices = TokenPrices(
        metal_usd=column(100.0, 110.0, 120.0),
        token_usd=column(100.0, 137.5, 60.0),
        premium=column(0.0, math.log(1.25), 0.0),
        backing=column(1.0, 1.0, 0.5),
    )
    brought = np.zeros((4, 3, 1))
    found = split(prices, 2.0, brought)[:, 0]
    expected = {BY_METAL: 45.0, BY_PREMIUM: 25.0, BY_BACKING: -150.0}
    np.testing.assert_allclose(found, [expected[source] for source in range(3)], rtol=1e-12)
    np.testing.assert_allclose(brought[:3, 1, 0], [20.0, 55.0, 0.0], rtol=1e-12)
    np.testing.assert_array_equal(brought[:3, 2, 0], found)


def test_first_day__supply_is_the_scenarios_and_the_premium_its_mean() -> None:
    terms = worlds.load().scenario.instruments["gold_token"]
    drivers = worlds.world().played["gold_token"].drivers
    np.testing.assert_array_equal(drivers.supply_ounces[0], terms.supply_ounces)
    np.testing.assert_array_equal(drivers.reserve_ounces[0], terms.supply_ounces)
    np.testing.assert_array_equal(drivers.prices.premium[0], terms.premium_mean)


def test_metal_price__is_in_units_of_the_feed_and_one_at_least() -> None:
    """A feed of 8 decimals: 0.4e-8 would be nought and is one unit; 2.4 units are 2, 1.6 too."""
    terms = worlds.load().scenario.instruments["gold_token"]
    spot = np.repeat(column(4e-9, 1e-8, 1.6e-8, 2.4e-8, 4_000.123456789), LANES, axis=1)
    drivers = paths.draw_drivers(terms, "gold_token", paths.GOLD, spot, 1, 0)
    expected = np.array([1.0, 1.0, 2.0, 2.0, 400_012_345_679.0]) / 1e8
    np.testing.assert_array_equal(drivers.prices.metal_usd[:, 0], expected)


def supplies(**changes: float) -> np.ndarray:
    """Return the supply over its first day's, shape (366, 2048); demand has no noise."""
    terms = GoldTokenTerms(demand_volatility=0.0, shortfall_hazard=0.0, **changes)
    spot = np.full((366, 2_048), 4_760.0)
    drivers = paths.draw_drivers(terms, "gold_token", paths.GOLD, spot, 1, 0)
    return drivers.supply_ounces / drivers.supply_ounces[0]


def test_demand__of_an_uncertain_growth__grows_by_a_rate_that_each_path_keeps() -> None:
    """Rates are normal: mean 0.17 and standard deviation 0.4 of 2,048 paths."""
    grown = np.log(supplies(demand_growth=0.17, demand_growth_deviation=0.4))
    rates = grown[365]
    np.testing.assert_allclose(grown[100], rates * 100 / 365, atol=1e-9)
    assert abs(rates.mean() - 0.17) < 4 * 0.4 / math.sqrt(2_048)
    assert abs(rates.std() - 0.4) < 4 * 0.4 / math.sqrt(2 * 2_048)
    # 5.2 bn become 10 where the rate is above ln(10 / 5.2) = 0.654: 1 - Phi(1.21) = 11.3 %
    above = np.mean(supplies(demand_growth=0.17, demand_growth_deviation=0.4)[365] > 10 / 5.2)
    assert abs(above - 0.113) < 4 * math.sqrt(0.113 * 0.887 / 2_048)


def test_demand__of_a_certain_growth__is_alike_on_all_paths() -> None:
    grown = supplies(demand_growth=0.17)
    np.testing.assert_allclose(grown[365], math.exp(0.17), rtol=1e-9)
