"""The gold token's drivers and its holder."""

from __future__ import annotations

import numpy as np
import worlds
from daily import check_daily

from simulator.instruments.base import UNITS, attribution_gap
from simulator.instruments.gold_token import paths


def test_premium__keeps_its_mean_and_stays_between_the_arbitrage_bounds() -> None:
    premium = worlds.world().played["gold_token"].drivers.prices.premium
    assert premium.min() >= -0.026
    assert premium.max() <= 0.044
    # half-life of 3 days: about 365 / (2 x 3 / ln 2) = 42 independent looks a path
    error = 0.008 / np.sqrt(128 * 42)
    assert abs(premium[30:].mean() - 0.0006) < 4 * error


def test_premium__half_life_is_what_was_put_in() -> None:
    premium = (
        worlds.world("instruments.gold_token.premium_half_life_days=10")
        .played["gold_token"]
        .drivers.prices.premium
    )
    gap = premium - 0.0006
    slope = (gap[1:-1] * gap[2:]).sum() / (gap[1:-1] ** 2).sum()
    assert abs(slope - 0.5 ** (1 / 10)) < 4 * np.sqrt((1 - slope**2) / gap[1:-1].size)


def test_shortfall__frequency_is_the_hazards() -> None:
    """P(within a year) = 1 - exp(-0.5) = 39.3 %."""
    backing = (
        worlds.world("instruments.gold_token.shortfall_hazard=0.5")
        .played["gold_token"]
        .drivers.prices.backing
    )
    hit = (backing[-1] < 1).mean()
    expected = 1 - np.exp(-0.5)
    assert abs(hit - expected) < 4 * np.sqrt(expected * (1 - expected) / 128)


def test_supply__never_grows_beyond_the_attested_gold() -> None:
    token = worlds.world(*worlds.STRESS).played["gold_token"].drivers
    grew = np.diff(token.supply_ounces, axis=0) > 0
    assert grew.any()
    assert np.all(token.supply_ounces[1:][grew] <= token.reserve_ounces[1:][grew])
    short = token.prices.backing[1:] < 1
    assert short.any()
    assert not np.any(grew & short)


def test_token_price__is_gold_times_backing_times_premium() -> None:
    prices = worlds.world(*worlds.STRESS).played["gold_token"].drivers.prices
    expected = prices.metal_usd * prices.backing * np.exp(prices.premium)
    np.testing.assert_allclose(prices.token_usd, expected, atol=5.1e-9)


def test_holder__attribution_sums_to_the_return() -> None:
    holding = worlds.world(*worlds.STRESS).investors["token_only"].holding
    for unit in UNITS:
        assert attribution_gap(holding, unit).max() < 1e-9


def test_holder__earns_no_ounces() -> None:
    world = worlds.world("instruments.gold_token.shortfall_hazard=0")
    holding = world.investors["token_only"].holding
    np.testing.assert_array_equal(holding.exit["ounces"], 100.0)


def test_silver_token__follows_silver__on_draws_of_its_own() -> None:
    world = worlds.world("instruments.silver_token={preset: xaut}")
    gold, silver = (world.played[name].drivers for name in ("gold_token", "silver_token"))
    prices = silver.prices
    np.testing.assert_allclose(prices.metal_usd, world.market.prices["silver"], atol=1e-8)
    expected = prices.metal_usd * prices.backing * np.exp(prices.premium)
    np.testing.assert_allclose(prices.token_usd, expected, atol=1e-8)
    assert not np.any(silver.prices.premium[1:] == gold.prices.premium[1:])
    names = [source.name for source in world.instruments["silver_token"].sources]
    assert names[0] == "silver_price"


def test_silver_token__beside_gold__leaves_its_paths_as_they_were() -> None:
    alone = worlds.world().instruments["gold_token"].exit["usd"]
    beside = worlds.world("instruments.silver_token={}").instruments["gold_token"].exit["usd"]
    np.testing.assert_array_equal(alone, beside)


def test_investor__with_dollars__holds_what_they_buy() -> None:
    world = worlds.world("investors.token_only={holding: gold_token, capital_usd: 50_000}")
    held = world.investors["token_only"].holding
    np.testing.assert_allclose(held.initial["usd"], 50_000, rtol=1e-12)
    ounces = 50_000 / world.played["gold_token"].drivers.prices.token_usd[0]
    np.testing.assert_allclose(held.initial["ounces"], ounces, rtol=1e-12)
    assert max(attribution_gap(held, unit).max() for unit in UNITS) < 1e-9


def test_days__of_a_holder__add_up_to_the_return() -> None:
    world = worlds.world(*worlds.STRESS)
    drivers = world.played["gold_token"].drivers
    terms = worlds.load(*worlds.STRESS).scenario.instruments["gold_token"]
    check_daily(paths.simulate(terms, drivers.prices, 3.0, daily=True))
