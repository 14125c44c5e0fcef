"""What shocks do to a metal token: its premium, and the metal behind it; model and contract."""

from __future__ import annotations

import numpy as np
import pytest
from paths import replay

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


@pytest.mark.parametrize("shock", [PREMIUM, MISSING])
def test_replay__agrees_on_the_path_of_a_shock(shock):
    found = replay(None, 3, *QUIET, f"shocks=[{{name: s, {shock}}}]")
    assert found.ok
