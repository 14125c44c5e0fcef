"""What shocks do to a metal token: its premium, and the metal behind it; model and contract."""

from __future__ import annotations

import numpy as np
import pytest
from paths import differing, replay

from simulator.errors import InputError, ReconciliationFailed
from simulator.instruments.checks import faults_of
from simulator.instruments.gold_token.player import GoldTokenPlayer, StoppedTokens
from simulator.investors.world import simulate_block
from simulator.market.build import market_spec
from simulator.scenario import load_scenario

DAY = 20
QUIET = ("instruments.gold_token.shortfall_hazard=0", "horizon_days=60", "paths=256")


def token(*shocks, overrides=QUIET):
    """Return the token's drivers on 128 paths."""
    listed = ", ".join(f"{{name: s{k}, {shock}}}" for k, shock in enumerate(shocks))
    more = (f"shocks=[{listed}]",) if shocks else ()
    loaded = load_scenario("gold-vault-sober", overrides=(*overrides, *more))
    spec = market_spec(loaded.scenario, loaded.calibration)
    return simulate_block(loaded.scenario, spec, 0, 128).played["gold_token"].drivers


PREMIUM = f"target: gold_token.premium, day: {DAY}, size: -0.2, plateau_days: 3"
MISSING = f"target: gold_token.shortfall, day: {DAY}, size: 0.3"


def test_premium__the_token_stands_the_stated_share_below_what_it_was_to_be():
    struck, plain = token(PREMIUM).prices, token().prices
    days = slice(DAY, DAY + 3)
    # both are rounded to 1e-8 dollars of some 5,000
    assert struck.token_usd[days] == pytest.approx(0.8 * plain.token_usd[days], rel=1e-11)
    outside = np.r_[0:DAY, DAY + 3 : 61]
    assert np.array_equal(struck.token_usd[outside], plain.token_usd[outside])
    assert np.array_equal(struck.metal_usd, plain.metal_usd)


def test_shortfall__that_share_is_missing_from_the_day_on_and_supply_grows_no_more():
    struck = token(MISSING)
    assert np.all(struck.prices.backing[:DAY] == 1.0)
    assert np.all(struck.prices.backing[DAY:] == 0.7)
    assert np.all(np.diff(struck.supply_ounces[DAY:], axis=0) <= 0.0)


def test_shortfall__of_which_the_first_counts():
    always = tuple(o for o in QUIET if "hazard" not in o)
    hazard = ("instruments.gold_token.shortfall_hazard=10", *always)
    own = token(overrides=hazard).prices.backing
    both = token(MISSING, overrides=hazard).prices.backing
    before = own[DAY] < 1.0  # on the day itself the token's own comes first
    assert 0 < before.sum() < 128
    assert np.array_equal(both[:, before], own[:, before])
    assert np.all(both[DAY:, ~before] == 0.7)


FREEZE = f"target: gold_token.freeze, day: {DAY}, plateau_days: 15"
FALL = f"target: price.gold, day: {DAY + 2}, size: -0.3"
TRADED = (
    "horizon_days=40",
    "paths=256",
    "investors.half_and_half.rebalance={every_days: 5}",
    "investors.half_and_half.stop_loss={holding: 0.2}",
)
"""Half in tokens, restored every fifth day, stopped at 20 % below what was paid."""


def portfolio(*shocks):
    """Return the portfolio of the pool's scenario on 128 paths, and the token."""
    listed = ", ".join(f"{{name: s{k}, {shock}}}" for k, shock in enumerate(shocks))
    loaded = load_scenario("gold-pool", overrides=(*TRADED, f"shocks=[{listed}]"))
    spec = market_spec(loaded.scenario, loaded.calibration)
    found = simulate_block(loaded.scenario, spec, 0, 128, record=True)
    return found.investors["half_and_half"].portfolio, found.instruments["gold_token"]


def test_freeze__holders_trade_on_no_day_of_it__and_stops_fill_when_it_is_over():
    (plain, _), (struck, token) = portfolio(FALL), portfolio(FREEZE, FALL)
    days = slice(DAY, DAY + 15)
    traded = [(p.bought[0] > 0.0) | (p.sold[0] > 0.0) for p in (plain, struck)]
    assert np.all(traded[0][days].any(axis=0))
    assert not traded[1][days].any()
    assert np.array_equal(traded[1][:DAY], traded[0][:DAY])
    # touched on day 22 by every path, filled on the first day on which tokens move
    assert np.all(struck.sold[0, DAY + 15] > 0.0)
    assert np.all(struck.units[0, DAY + 15] == 0.0)
    assert not token.unpaid.any()


def test_freeze__that_lasts_to_the_horizon__is_told_as_unpaid():
    held, token = portfolio(f"target: gold_token.freeze, day: {DAY}")
    # an ounce is a token; the portfolio's part counts in dollars
    assert np.all(token.unpaid == 1.0)
    assert held.whole.unpaid == pytest.approx(held.units[0, -1] * token.mark["usd"][-1], rel=0.01)
    assert not faults_of(token)


@pytest.mark.parametrize("shocks", [(FREEZE, FALL), (f"target: gold_token.freeze, day: {DAY}",)])
def test_replay__of_a_freeze__agrees_and_the_token_refuses_its_holder(shocks):
    listed = ", ".join(f"{{name: s{k}, {shock}}}" for k, shock in enumerate(shocks))
    found = replay(None, 3, *TRADED, f"shocks=[{listed}]", name="gold-pool")
    assert found.ok, differing(found)


def test_replay__of_a_holder_who_is_not_frozen_on_chain__stops(monkeypatch):
    monkeypatch.setattr(StoppedTokens, "calls", lambda self, step: [])
    with pytest.raises(ReconciliationFailed, match=r"can move gold_token on chain, .* frozen"):
        replay(None, 3, *TRADED, f"shocks=[{{name: s, {FREEZE}}}]", name="gold-pool")


ALONE = """\
name: alone
title: alone
horizon_days: 40
paths: 256
use: {gold-pool: {instruments: [gold_token]}}
market: {model: gbm, assets: {gold: {drift: 0}}}
investors:
  half: {capital_usd: 100_000, weights: {gold_token: 0.5, cash: 0.5}, rebalance: {every_days: 5}}
claims:
  gains:
    says: gains
    subject: half
    conditions: [{measure: total_return, unit: usd, at_least: 0}]
"""
PAUSE = f"target: gold_token.pause, day: {DAY}, plateau_days: 15"


@pytest.fixture
def alone(tmp_path):
    """Return a scenario of a token on which nothing stands, half of a portfolio."""
    path = tmp_path / "alone.yaml"
    path.write_text(ALONE, encoding="utf-8")
    return path


def test_pause__nobody_trades_on_any_day_of_it(alone):
    loaded = load_scenario(alone, overrides=(f"shocks=[{{name: s, {PAUSE}}}]",))
    spec = market_spec(loaded.scenario, loaded.calibration)
    found = simulate_block(loaded.scenario, spec, 0, 128, record=True)
    held = found.investors["half"].portfolio
    traded = (held.bought[0] > 0.0) | (held.sold[0] > 0.0)
    # every fifth day; those of day 20, 25 and 30 wait for day 35, on which tokens move again
    assert np.flatnonzero(traded.all(axis=1)).tolist() == [0, 5, 10, 15, 35]
    assert not traded[DAY : DAY + 15].any()


def test_replay__of_a_pause__agrees_and_the_token_refuses_its_holder(alone):
    found = replay(None, 3, f"shocks=[{{name: s, {PAUSE}}}]", name=str(alone))
    assert found.ok, differing(found)


def test_replay__of_a_token_that_is_not_paused_on_chain__stops(alone, monkeypatch):
    monkeypatch.setattr(GoldTokenPlayer, "_pause", lambda self, step: [])
    with pytest.raises(ReconciliationFailed, match=r"can move gold_token on chain, .* paused"):
        replay(None, 3, f"shocks=[{{name: s, {PAUSE}}}]", name=str(alone))


def test_pause__of_a_token_that_others_stand_on__is_refused_with_their_names():
    with pytest.raises(InputError, match="would stop gold_pool, gold_vault too"):
        token(PAUSE)


@pytest.mark.parametrize("shock", [PREMIUM, MISSING])
def test_replay__agrees_on_the_path_of_a_shock(shock):
    found = replay(None, 3, *QUIET, f"shocks=[{{name: s, {shock}}}]")
    assert found.ok
