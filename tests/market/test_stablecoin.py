"""The price of USDC: one dollar, the fall, what comes back, and when it happens."""

from __future__ import annotations

import numpy as np

from simulator.market.build import market_spec
from simulator.market.paths import simulate_market
from simulator.market.stablecoin import usdc_paths
from simulator.scenario import load_scenario
from simulator.scenario.stablecoin import StablecoinTerms


def paths(n_steps: int = 10, n_paths: int = 2, first: int = 0, seed: int = 1, **terms):
    return usdc_paths(StablecoinTerms(**terms), seed, first, n_steps, n_paths)


def test_price__falls_on_its_day_and_comes_back_evenly() -> None:
    """March 2023: 0.87, then a third of 13 cents a day; rounded to the feed's eight decimals."""
    found = paths(day=4, low=0.87, recovers_days=3.0)
    expected = [1, 1, 1, 1, 0.87, 0.91333333, 0.95666667, 1, 1, 1, 1]
    np.testing.assert_array_equal(found, np.repeat(np.array(expected)[:, None], 2, axis=1))


def test_price__a_lasting_loss_never_comes_back() -> None:
    found = paths(day=2, low=0.5, recovers_days=2.0, lasting_loss=0.2)[:, 0]
    np.testing.assert_allclose(found, [1, 1, 0.5, 0.65, *[0.8] * 7], rtol=1e-15)


def test_price__at_a_low_of_one__never_leaves_the_dollar() -> None:
    np.testing.assert_array_equal(paths(day=2, low=1.0), 1.0)


def test_price__all_lost__keeps_what_is_left() -> None:
    np.testing.assert_array_equal(paths(day=2, low=0.01, lasting_loss=0.99)[2:], 0.01)


def test_hazard__paths_fall_as_often_as_a_poisson_process_says() -> None:
    """P(no fall within a year) = exp(-0.5); the price is one before and `low` on the day."""
    found = paths(365, 4096, low=0.9, hazard=0.5, recovers_days=5.0)
    fell = (found < 1.0).any(axis=0)
    share = 1.0 - np.exp(-0.5)
    assert abs(fell.mean() - share) < 4 * np.sqrt(share * (1 - share) / 4096)
    first = np.argmax(found[:, fell] < 1.0, axis=0)
    np.testing.assert_array_equal(found[:, fell][first, np.arange(first.size)], 0.9)
    assert len(set(first)) > 200


def test_hazard_and_day__the_earlier_one_counts() -> None:
    drawn = np.argmax(paths(365, 512, low=0.9, hazard=2.0) < 1.0, axis=0)
    both = np.argmax(paths(365, 512, low=0.9, hazard=2.0, day=100) < 1.0, axis=0)
    expected = np.where((drawn == 0) | (drawn > 100), 100, drawn)
    np.testing.assert_array_equal(both, expected)
    assert (drawn > 100).any()
    assert ((drawn > 0) & (drawn < 100)).any()


def test_draws__are_a_paths_own_in_whatever_block() -> None:
    whole = paths(365, 256, low=0.9, hazard=2.0)
    part = paths(365, 128, 128, low=0.9, hazard=2.0)
    np.testing.assert_array_equal(whole[:, 128:], part)


def test_market__other_prices_are_the_same_bytes_with_it() -> None:
    def prices(*overrides: str):
        loaded = load_scenario("gold-vault-sober", overrides=("horizon_days=60", *overrides))
        spec = market_spec(loaded.scenario, loaded.calibration)
        return simulate_market(spec, loaded.scenario.seed, 0, 128).prices

    plain, falls = prices(), prices("market.stablecoin={low: 0.9, hazard: 1}")
    assert set(falls) - set(plain) == {"usdc"}
    for asset in plain:
        np.testing.assert_array_equal(plain[asset], falls[asset])
