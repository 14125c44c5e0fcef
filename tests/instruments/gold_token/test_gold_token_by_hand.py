"""The metal token's first day, its smallest price, and where a short path's dollars come from."""

from __future__ import annotations

import math

import numpy as np
import worlds

from simulator.instruments.base import TokenPrices
from simulator.instruments.gold_token import paths
from simulator.instruments.gold_token.split import BY_BACKING, BY_METAL, BY_PREMIUM, split
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
