"""What is drawn for loans: utilisation, spikes, failures; each label has its own draws."""

from __future__ import annotations

import math

import numpy as np
import pytest
from loans import table, terms

from simulator.instruments.base import TokenPrices
from simulator.instruments.model import Blow
from simulator.instruments.registry import labelled
from simulator.instruments.token_loan.drivers import Stream, TokenLoanDrivers, draw_drivers
from simulator.market.events import NEVER
from simulator.market.philox import uniforms4

STEPS, PATHS, SEED = 730, 512, 20260120


def _drawn(label: str = "loan", first: int = 0, **changes: object) -> TokenLoanDrivers:
    token = np.full((STEPS + 1, PATHS), 4_000.0)
    prices = TokenPrices(token, token * 1.01, np.zeros_like(token), np.ones_like(token))
    return draw_drivers(terms(**changes), label, prices, SEED, first)


def test_utilisation__returns_to_its_mean_with_its_deviation() -> None:
    """Mean 0.8, deviation 0.05: after the first half-lives on all paths."""
    own = {"mean": 0.8, "deviation": 0.05, "half_life_days": 20.0}
    found = _drawn(utilisation=own).utilisation
    assert np.all(found[0] == 0.8)
    late = found[200:]
    # steps of a path are alike: some 730 / 58 independent ones a path
    assert late.mean() == pytest.approx(0.8, abs=4 * 0.05 / math.sqrt(PATHS * 9))
    assert late.std() == pytest.approx(0.05, rel=0.03)
    kept = np.corrcoef(late[:-20].ravel(), late[20:].ravel())[0, 1]
    assert kept == pytest.approx(0.5, abs=0.03)


def test_utilisation__never_leaves_its_bounds() -> None:
    found = _drawn(utilisation={"mean": 0.95, "deviation": 0.3}).utilisation
    assert found.min() == 0.0
    assert found.max() == 0.99


def test_utilisation__of_a_market_that_others_lend_out__goes_as_far_as_the_shock_is_there() -> None:
    """From 0.8, without deviation, to 0.9: by all of it, by half, and not at all."""
    weight = np.zeros((STEPS + 1, PATHS))
    weight[10, :2] = 1.0, 0.5
    blow = Blow(np.full(PATHS, 10), 0.9, weight)
    token = np.full((STEPS + 1, PATHS), 4_000.0)
    prices = TokenPrices(token, token, np.zeros_like(token), np.ones_like(token))
    still = terms(utilisation={"mean": 0.8, "deviation": 0.0})
    found = draw_drivers(still, "loan", prices, SEED, 0, used=[blow]).utilisation
    assert found[10, :3] == pytest.approx([0.9, 0.85, 0.8])
    assert np.all(found[11] == found[9])


def test_reference__is_the_metal__and_exchange_the_token() -> None:
    assert np.all(_drawn().feed_usdc == 4_000.0)
    calm = {"spike_hazard": 0.0}
    assert np.all(_drawn(price="exchange", exchange=calm).feed_usdc == 4_040.0)


def test_spikes__come_as_often_and_as_deep_as_said() -> None:
    """8 a year: 16 on a path of two years; an exponential depth of 5 % in the mean."""
    exchange = {"spike_hazard": 8.0, "spike_depth": 0.05}
    feed = _drawn(price="exchange", exchange=exchange).feed_usdc
    depth = 1.0 - feed / 4_040.0
    fallen = depth[depth > 0.0]
    expected = 8.0 * STEPS / 365.0 * PATHS
    assert fallen.size == pytest.approx(expected, abs=4 * math.sqrt(expected))
    assert fallen.mean() == pytest.approx(0.05, abs=4 * 0.05 / math.sqrt(fallen.size))
    assert np.all(depth[0] == 0.0)
    # an exponential: a share of exp(-2) is deeper than twice the mean
    assert (fallen > 0.1).mean() == pytest.approx(math.exp(-2.0), abs=0.01)


def test_spikes__are_what_their_uniform_says__in_the_feeds_units() -> None:
    """u below the chance falls by -5 % ln(u / chance), to the nearest 1e-8 dollars."""
    exchange = {"spike_hazard": 8.0, "spike_depth": 0.05}
    feed = _drawn(price="exchange", exchange=exchange).feed_usdc
    chance, stream = 8.0 / 365.0, labelled(Stream.SPIKE, "loan")
    for step in range(1, 100):
        u = uniforms4(SEED, step, stream, 7)[0]
        fall = 0.05 * math.log(u / chance) if u < chance else 0.0
        assert feed[step, 7] == round(4_040.0 * (1.0 + fall) * 1e8) / 1e8


def test_failures__come_as_often_as_their_hazard() -> None:
    """0.3 a year: exp(-0.6) of the paths are spared in two."""
    deployed = {"rate": 0.1, "hazard": 0.3}
    fails = _drawn(loans={"one": {"ltv": 0.5, "loop": False, "deployed": deployed}}).fails[0]
    spared, chance = (fails > STEPS).mean(), math.exp(-0.6)
    assert spared == pytest.approx(chance, abs=4 * math.sqrt(chance * (1 - chance) / PATHS))
    assert np.all(_drawn().fails == NEVER)


def test_draws__are_those_of_label_path_and_nothing_else() -> None:
    """Another label draws otherwise; a block that begins later draws the same paths."""
    exchange = {"spike_hazard": 8.0}
    own = {"price": "exchange", "exchange": exchange, "utilisation": {"mean": 0.5}}
    one, other, later = _drawn(**own), _drawn("another", **own), _drawn(first=128, **own)
    for name in ("feed_usdc", "utilisation"):
        mine, theirs, same = (getattr(d, name) for d in (one, other, later))
        assert not np.array_equal(mine, theirs)
        assert np.array_equal(mine[:, 128:], same[:, :-128])


def test_lane__is_one_path_of_every_array() -> None:
    drawn = _drawn(price="exchange")
    alone = drawn.lane(3)
    assert alone.feed_usdc.shape == alone.utilisation.shape == (STEPS + 1, 1)
    assert np.array_equal(alone.utilisation[:, 0], drawn.utilisation[:, 3])
    assert alone.fails.shape == (1, 1)
    assert np.array_equal(alone.prices.token_usd, table(np.full(STEPS + 1, 4_040.0))[:, :1])
