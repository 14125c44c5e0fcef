"""The worst and best days, years and falls of many paths, and that none of them is laughable."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.engine import summarise_market
from simulator.engine.extremes import scenario_extremes
from simulator.investors.world import simulate_block
from simulator.market.build import market_spec
from simulator.market.paths import BLOCK_PATHS, empty_block, simulate_market
from simulator.measures import Extreme, Extremes, extremes_of, max_drawdown, most_extreme
from simulator.scenario import load_market, load_scenario

FLAGSHIP = "hard-assets-2026"


def test_extremes__of_two_short_paths__by_hand():
    # path 10: 100, 80, 120, 60; path 11: 100, 110, 99, 99
    values = np.array([[100.0, 100.0], [80.0, 110.0], [120.0, 99.0], [60.0, 99.0]])
    found = extremes_of(values, first_path=10)
    assert found.worst_day == Extreme(pytest.approx(-0.5), 10)
    assert found.best_day == Extreme(pytest.approx(0.5), 10)
    assert found.deepest_fall == Extreme(pytest.approx(0.5), 10)
    assert (found.worst_year, found.best_year) == (None, None)


def test_extremes__years__are_all_windows_of_365_days():
    values = np.full((368, 2), 100.0)
    values[2:, 1] = 50.0  # path 1: windows from day 0 and 1 end at half
    values[367, 0] = 130.0  # path 0: the window from day 2 alone
    found = extremes_of(values)
    assert found.worst_year == Extreme(-0.5, 1)
    assert found.best_year == Extreme(pytest.approx(0.3), 0)
    assert extremes_of(values[:366]).best_year == Extreme(0.0, 0)
    assert extremes_of(values[:365]).best_year is None


def test_extremes__of_random_paths__those_of_numpy():
    random = np.random.default_rng(1)
    values = np.exp(np.cumsum(random.normal(0, 0.02, (500, 40)), axis=0))
    found = extremes_of(values)
    days = values[1:] / values[:-1] - 1
    years = values[365:] / values[:-365] - 1
    for item, expected in (
        (found.worst_day, days.min()),
        (found.best_day, days.max()),
        (found.worst_year, years.min()),
        (found.best_year, years.max()),
        (found.deepest_fall, max_drawdown(values).max()),
    ):
        assert item.value == pytest.approx(expected, rel=1e-12)
    assert found.best_day.path == int(days.max(axis=0).argmax())


def test_extremes__of_next_to_nothing__are_left_out():
    # a hundredth of 100 is 1: the day from .9 to 90 has no return, that from 1 to 3 has one
    found = extremes_of(np.array([[100.0, 100.0], [0.9, 1.0], [90.0, 3.0]]))
    assert found.best_day == Extreme(pytest.approx(2.0), 1)
    assert found.worst_day == Extreme(pytest.approx(-0.991), 0)


def test_extremes__of_a_value_that_is_lost__has_no_return_after_it():
    found = extremes_of(np.array([[100.0], [0.0], [5.0], [np.nan]]))
    assert found.worst_day == Extreme(-1.0, 0)
    assert found.best_day == Extreme(-1.0, 0)
    assert found.deepest_fall == Extreme(1.0, 0)


def test_most_extreme__of_blocks__first_path_of_equals():
    values = np.array([[1.0, 1.0, 1.0, 1.0], [0.5, 0.9, 0.5, 2.0]])
    whole = extremes_of(values)
    parts = [extremes_of(values[:, :2]), extremes_of(values[:, 2:], first_path=2)]
    assert most_extreme(parts) == whole
    assert whole.worst_day == Extreme(-0.5, 0)
    nothing = Extremes(None, None, None, None, None)
    assert most_extreme([nothing, whole]) == whole


def test_summary__extremes__are_those_of_its_paths_for_any_block():
    loaded = load_market("gold-vault-sober", overrides=["paths=300", "horizon_days=60"])
    found = summarise_market(loaded.scenario, loaded.calibration).extremes
    again = summarise_market(loaded.scenario, loaded.calibration, block_paths=128, workers=1)
    assert again.extremes == found
    spec = market_spec(loaded.scenario, loaded.calibration)
    prices = simulate_market(spec, loaded.scenario.seed, 0, 384).prices["gold"][:, :300]
    days = prices[1:] / prices[:-1] - 1
    assert found["gold"].worst_day.value == pytest.approx(days.min(), rel=1e-12)
    assert found["gold"].worst_day.path == int(days.min(axis=0).argmin())
    assert found["gold"].worst_year is None


def flagship_extremes(n_paths: int, asset: str = "big_tech") -> Extremes:
    """Return the extremes of an asset over the flagship's market."""
    loaded = load_market(FLAGSHIP)
    spec = market_spec(loaded.scenario, loaded.calibration)
    n_assets = spec.assets.index(asset) + 1
    block = empty_block(spec, BLOCK_PATHS)
    found = []
    for first in range(0, n_paths, BLOCK_PATHS):
        paths = simulate_market(
            spec, loaded.scenario.seed, first, BLOCK_PATHS, block=block, n_assets=n_assets
        )
        found.append(extremes_of(paths.prices[asset], first))
    return most_extreme(found)


def check_big_tech(n_paths: int) -> None:
    """Check that big tech loses at most 95 % in a year and gains less than 100 % in a day.

    It lost 70 % in the worst 365 days since 2000 and gained 17 % on its best day.
    """
    found = flagship_extremes(n_paths)
    assert found.worst_year.value >= -0.95, found.worst_year
    assert found.best_day.value < 1.0, found.best_day


def test_flagship__of_a_few_paths__has_no_year_or_day_to_laugh_at():
    check_big_tech(2_048)


@pytest.mark.deep
def test_flagship__of_100_000_paths__has_no_year_or_day_to_laugh_at():
    check_big_tech(100_000)


def test_scenario_extremes__of_assets_instruments_and_investors__are_those_of_their_values():
    loaded = load_scenario("gold-vault-sober", overrides=["paths=130", "horizon_days=40"])
    found = scenario_extremes(loaded.scenario, loaded.calibration)
    one = scenario_extremes(loaded.scenario, loaded.calibration, workers=1)
    assert one == found
    market = summarise_market(loaded.scenario, loaded.calibration)
    assert found["assets"] == dict(market.extremes)
    spec = market_spec(loaded.scenario, loaded.calibration)
    world = simulate_block(loaded.scenario, spec, 0, 256)
    assert set(found["investors"]) == set(world.investors)
    for group, paths in (("instruments", world.instruments), ("investors", world.investors)):
        for name in paths:
            held = paths[name] if group == "instruments" else paths[name].holding
            falls = max_drawdown(held.mark["usd"][:, :130])
            fall = found[group][name].deepest_fall
            assert fall.value == pytest.approx(falls.max(), rel=1e-12)
            assert fall.path == int(falls.argmax())
