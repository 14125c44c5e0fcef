"""All ten assets: their streams, their days, their figures, and what is refused."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from markets import sample, standard_errors_off, terminal
from ten_assets import (
    ASSETS,
    CORRELATIONS,
    EVERY_DAY,
    TABLE,
    data,
    log_returns,
    scenario_of,
    ten_assets,
)

from simulator.errors import InputError
from simulator.market.build import market_spec
from simulator.market.dynamics import fill
from simulator.market.paths import empty_block, simulate_market
from simulator.market.streams import Stream, diffusion_stream, jump_stream
from simulator.scenario.calibration import Calibration
from simulator.scenario.correlation import nearest_correlation
from simulator.units import LANES, trading_days

SEED = 20260120


def spec_of(model="garch", assets=ASSETS, **changes):
    return replace(market_spec(scenario_of(assets, model=model), ten_assets()), **changes)


def block_of(spec, n_paths=LANES):
    block = empty_block(spec, n_paths)
    fill(spec, SEED, 0, block)
    return block


def test_streams__ten_assets__numbers_of_their_own():
    streams = [diffusion_stream(name) for name in ASSETS]
    assert streams == list(range(1, 11))
    assert [jump_stream(name) for name in ASSETS] == list(range(65, 75))
    assert len(set(Stream)) == len(list(Stream))


@pytest.mark.parametrize("model", ["gbm", "jump", "garch"])
def test_fill__assets_after_others__leave_the_earlier_ones_as_they_were(model):
    whole = block_of(spec_of(model))
    for count in (1, 3, 5, 9):
        assert np.array_equal(block_of(spec_of(model, ASSETS[:count])), whole[:count])


def test_calendar__coins_and_bills_every_day__the_rest_on_trading_days():
    spec = spec_of()
    exchange = trading_days(spec.start, spec.n_steps)
    block = block_of(spec)
    for index, name in enumerate(ASSETS):
        moved = np.any(np.diff(block[index], axis=0) != 0, axis=1)
        expected = np.ones(365, dtype=bool) if name in EVERY_DAY else exchange[1:]
        assert np.array_equal(moved, expected), name


def test_gbm__volatilities_and_correlations__as_put_in():
    spec = spec_of("gbm")
    joint = np.flatnonzero(spec.trading.all(axis=0)[1:])
    returns = sample(spec, 256, lambda block: np.diff(np.log(block), axis=1)[:, joint])
    # Days after a weekend are no different: the variance ticks on trading days alone.
    flat = returns.reshape(len(ASSETS), -1)
    for index, name in enumerate(ASSETS):
        periods = 365 if name in EVERY_DAY else 252
        measured = flat[index].std() * np.sqrt(periods)
        assert measured == pytest.approx(TABLE[name][2], rel=0.02), name
    measured = np.corrcoef(flat)
    for (one, other), value in CORRELATIONS.items():
        found = measured[ASSETS.index(one), ASSETS.index(other)]
        assert found == pytest.approx(value, abs=0.02), (one, other)


def test_garch__mean_of_each_asset__grows_with_its_drift():
    spec = spec_of()
    last = sample(spec, 20_000, terminal)
    years = [np.flatnonzero(row)[-1] / 365 for row in spec.trading]
    for index, name in enumerate(ASSETS):
        expected = spec.spot[index] * np.exp(spec.drift[index] * years[index])
        assert standard_errors_off(last[index], expected) < 4, name


def test_treasury_bills__accrue_the_bill_rate_with_almost_no_risk():
    market = simulate_market(spec_of(assets=ASSETS), SEED, 0, LANES)
    bills = market.prices["treasury_bills"]
    assert bills[-1] == pytest.approx(100 * np.exp(0.037), rel=0.01)
    assert log_returns(bills).std() * np.sqrt(365) == pytest.approx(0.002, rel=0.05)


@pytest.mark.parametrize("name", EVERY_DAY)
def test_market_spec__every_day_asset_on_a_clock_of_252__refused(name):
    raw = data()
    figures = raw["assets"][name]
    figures["periods_per_year"] = 252
    figures["variance_start"]["value"] = figures["volatility"]["value"] ** 2 / 252
    calibration = Calibration.model_validate(raw)
    with pytest.raises(InputError, match=f"assets.{name}.periods_per_year is 252; must be 365"):
        market_spec(scenario_of(), calibration)
    assert market_spec(scenario_of(ASSETS[:3]), calibration).trading.shape == (3, 366)


def test_calibration__contradicting_correlations__names_assets_and_the_nearest_matrix():
    raw = data(("gold", "silver", "copper", "bitcoin"))
    wrong = {("gold", "silver"): 0.9, ("gold", "copper"): 0.9, ("silver", "copper"): -0.9}
    for pair in raw["correlations"]:
        pair["value"] = wrong.get(pair["between"], 0.0)
    with pytest.raises(ValueError, match="nearest one") as caught:
        Calibration.model_validate(raw)
    text = str(caught.value)
    assert "correlations of gold, silver, copper contradict each other" in text
    assert "bitcoin" not in text.split("contradict")[1].split("[type")[0]
    offered = text.split("nearest one that is has ")[1].split(" [type")[0].split(", ")
    for part in offered:
        pair, value = part.rsplit(" ", 1)
        wrong[tuple(pair.split("-"))] = float(value)
    for pair in raw["correlations"]:
        pair["value"] = wrong.get(pair["between"], 0.0)
    assert Calibration.model_validate(raw).assets.keys() == {"gold", "silver", "copper", "bitcoin"}


def test_nearest_correlation__matrix_of_highams_paper():
    # Higham (2002), section 4: the nearest matrix to (1 1 0; 1 1 1; 0 1 1) has .7607 and .1573.
    found = nearest_correlation(np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 1.0], [0.0, 1.0, 1.0]]))
    assert found[0, 1] == pytest.approx(0.7607, abs=2e-3)
    assert found[1, 2] == pytest.approx(0.7607, abs=2e-3)
    assert found[0, 2] == pytest.approx(0.1573, abs=4e-3)


def test_nearest_correlation__consistent_matrix__stays():
    matrix = np.array([[1.0, 0.5, 0.2], [0.5, 1.0, 0.3], [0.2, 0.3, 1.0]])
    assert nearest_correlation(matrix) == pytest.approx(matrix, abs=1e-12)


def test_ten_assets__every_pair_is_once_in_the_table():
    pairs = {frozenset(pair) for pair in CORRELATIONS}
    assert len(pairs) == len(CORRELATIONS)
    risky = itertools.combinations(ASSETS[:-1], 2)
    assert pairs == {frozenset(pair) for pair in risky}
