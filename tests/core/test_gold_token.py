"""The gold token's drivers and its holder."""

from __future__ import annotations

import numpy as np
import worlds

from simulator.instruments.base import UNITS, attribution_gap


def test_premium__keeps_its_mean_and_stays_between_the_arbitrage_bounds() -> None:
    premium = worlds.world().token.prices.premium
    assert premium.min() >= -0.026
    assert premium.max() <= 0.044
    # half-life of 3 days: about 365 / (2 x 3 / ln 2) = 42 independent looks a path
    error = 0.008 / np.sqrt(128 * 42)
    assert abs(premium[30:].mean() - 0.0006) < 4 * error


def test_premium__half_life_is_what_was_put_in() -> None:
    premium = worlds.world("instruments.gold_token.premium_half_life_days=10").token.prices.premium
    gap = premium - 0.0006
    slope = (gap[1:-1] * gap[2:]).sum() / (gap[1:-1] ** 2).sum()
    assert abs(slope - 0.5 ** (1 / 10)) < 4 * np.sqrt((1 - slope**2) / gap[1:-1].size)


def test_shortfall__frequency_is_the_hazards() -> None:
    """P(within a year) = 1 - exp(-0.5) = 39.3 %."""
    backing = worlds.world("instruments.gold_token.shortfall_hazard=0.5").token.prices.backing
    hit = (backing[-1] < 1).mean()
    expected = 1 - np.exp(-0.5)
    assert abs(hit - expected) < 4 * np.sqrt(expected * (1 - expected) / 128)


def test_supply__never_grows_beyond_the_attested_gold() -> None:
    token = worlds.world(*worlds.STRESS).token
    grew = np.diff(token.supply_ounces, axis=0) > 0
    assert grew.any()
    assert np.all(token.supply_ounces[1:][grew] <= token.reserve_ounces[1:][grew])
    short = token.prices.backing[1:] < 1
    assert short.any()
    assert not np.any(grew & short)


def test_token_price__is_gold_times_backing_times_premium() -> None:
    prices = worlds.world(*worlds.STRESS).token.prices
    expected = prices.gold_usd * prices.backing * np.exp(prices.premium)
    np.testing.assert_allclose(prices.token_usd, expected, atol=5.1e-9)


def test_holder__attribution_sums_to_the_return() -> None:
    holding = worlds.world(*worlds.STRESS).investors["token_only"].holding
    for unit in UNITS:
        assert attribution_gap(holding, unit).max() < 1e-9


def test_holder__earns_no_ounces() -> None:
    world = worlds.world("instruments.gold_token.shortfall_hazard=0")
    holding = world.investors["token_only"].holding
    np.testing.assert_array_equal(holding.exit["ounces"], 100.0)
