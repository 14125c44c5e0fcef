"""Price feeds that a shock sets apart from prices: by hand, in the rooms, on the chain."""

from __future__ import annotations

import numpy as np
import pytest
from paths import differing, replay, rows

from simulator.instruments.feeds import FeedBlow, said
from simulator.investors.world import simulate_block
from simulator.market.build import market_spec
from simulator.scenario import load_scenario

OPEN = np.array([1, 1, 0, 0, 1, 1], bool)
"""A Thursday, a Friday, a weekend, a Monday and a Tuesday."""
PRICE = np.array([100.0, 110.0, 110.0, 110.0, 121.0, 130.0])[:, None]
TRADES = np.array([101.0, 108.0, 80.0, 85.0, 120.0, 131.0])[:, None]


def told(*blows, trades=TRADES):
    """Return a feed's answers; a blow is how, how much, and on which steps."""
    given = []
    for how, amount, steps in blows:
        weight = np.zeros_like(PRICE)
        weight[list(steps)] = 1.0
        given.append(FeedBlow(how, amount, weight))
    return said(PRICE, OPEN, given, trades)[:, 0].tolist()


def test_feed__that_nothing_befalls__is_the_price_itself():
    assert said(PRICE, OPEN, ()) is PRICE


@pytest.mark.parametrize(
    ("blows", "expected"),
    [
        ([("size", 0.1, [4])], [100, 110, 110, 110, 133.1, 130]),
        ([("size", -0.5, [4]), ("size", 0.1, [4])], [100, 110, 110, 110, 66.55, 130]),
        ([("at", 90.0, [4]), ("size", 0.1, [4])], [100, 110, 110, 110, 90, 130]),
        ([("frozen", 0.0, [1, 2, 3, 4])], [100, 100, 100, 100, 100, 130]),
        # on a closed day nothing is told: what began there is seen on the next open one
        ([("size", 0.1, [2, 3, 4])], [100, 110, 110, 110, 133.1, 130]),
        ([("exchange", 0.0, [1, 2, 3])], [100, 108, 80, 85, 121, 130]),
        # once it is not fed so any more, it says the metal's last close at once
        ([("exchange", 0.0, [2])], [100, 110, 80, 110, 121, 130]),
        ([("exchange", 0.0, [2, 3]), ("size", 0.1, [2])], [100, 110, 88, 85, 121, 130]),
        ([("exchange", 0.0, [2, 3]), ("frozen", 0.0, [3])], [100, 110, 80, 80, 121, 130]),
    ],
)
def test_feed__says_what_the_shocks_leave__by_hand(blows, expected):
    assert told(*blows) == pytest.approx(expected, rel=1e-15)


def test_feed__that_no_exchange_can_feed__keeps_to_the_price():
    assert told(("exchange", 0.0, range(1, 6)), trades=None) == PRICE[:, 0].tolist()


def test_feed__fades_with_its_weight_and_is_rounded_to_its_unit():
    half = FeedBlow("size", 0.21, np.full_like(PRICE, 0.5))
    assert said(PRICE, OPEN, [half])[0, 0] == pytest.approx(110.0, abs=1e-8)
    third = said(PRICE / 3, OPEN, [half])[0, 0]
    assert third == round(third, 8)


# -- in the rooms, and on the chain ----------------------------------------------------------------

DAY = 20
FED = {
    "gold-vault-sober": "gold",
    "copper-cover": "copper",
    "silver-perp": "silver",
    "solar-nft": "silver",
}
SOON = {"solar-nft": ("instruments.solar_nft.panel.age_years=24.85",)}
"""Panels that are retired on day 55, while the feed is wrong."""


def shocks(*said_of, quiet=("horizon_days=60", "paths=256")):
    listed = ", ".join(f"{{name: s{k}, day: {DAY}, {one}}}" for k, one in enumerate(said_of))
    return (*quiet, f"shocks=[{listed}]")


def block(name, *overrides):
    loaded = load_scenario(name, overrides=overrides)
    spec = market_spec(loaded.scenario, loaded.calibration)
    return simulate_block(loaded.scenario, spec, 0, 128)


WRONG = "target: feed.gold, size: 0.3, plateau_days: 7"
FROZEN = "target: feed.gold, feed: frozen, plateau_days: 30"
EXCHANGE = "target: feed.gold, feed: exchange, plateau_days: 30"
SALE = "target: gold_token.premium, size: -0.22, plateau_days: 3"


def test_wrong_feed__is_off_by_the_stated_share_on_every_path__and_the_market_stays():
    struck, plain = (
        block("gold-vault-sober", *shocks(*s)).played["gold_token"].drivers.prices
        for s in ((WRONG,), ())
    )
    assert np.array_equal(struck.metal_usd, plain.metal_usd)
    assert np.array_equal(struck.token_usd, plain.token_usd)
    days = np.flatnonzero(struck.feed_usd[:, 0] != plain.metal_usd[:, 0])
    assert days[0] == DAY
    assert struck.feed_usd[days] == pytest.approx(1.3 * plain.metal_usd[days], rel=1e-11)


def test_frozen_feed__says_the_price_of_the_day_before_on_every_path():
    prices = block("gold-vault-sober", *shocks(FROZEN)).played["gold_token"].drivers.prices
    still = prices.feed_usd[DAY : DAY + 30]
    assert np.array_equal(still, np.broadcast_to(prices.metal_usd[DAY - 1], still.shape))


def test_exchange_feed__says_the_tokens_price_on_every_day():
    prices = block("gold-vault-sober", *shocks(EXCHANGE, SALE)).played["gold_token"].drivers.prices
    days = slice(DAY, DAY + 30)
    assert np.array_equal(prices.feed_usd[days], prices.token_usd[days])


@pytest.mark.parametrize(
    "said_of", [("target: feed.gold, size: 0.8, ramp_days: 2", FROZEN), (EXCHANGE, SALE)]
)
def test_replay_of_the_vault__agrees_on_what_its_market_reads(said_of):
    found = replay(None, 3, *shocks(*said_of), "instruments.gold_vault.borrowers.demand_share=0.5")
    assert found.ok, differing(found)


@pytest.mark.parametrize("name", [n for n in FED if n != "gold-vault-sober"])
def test_replay_of_others__agrees_on_what_they_read(name):
    asset = FED[name]
    wrong = f"target: feed.{asset}, size: -0.3, plateau_days: 15"
    still = f"target: feed.{asset}, when: {asset} > 0, feed: frozen, plateau_days: 8"
    listed = (
        f"shocks=[{{name: a, day: {DAY}, {wrong}}}, {{name: b, {still}}}, "
        f"{{name: c, day: 45, {wrong}}}]"
    )
    found = replay(None, 3, "horizon_days=60", listed, *SOON.get(name, ()), name=name)
    assert found.ok, differing(found)


def test_loan__reads_its_feed_and_is_sold_at_the_market():
    """A feed that is a third too low closes a loan which gold's own price leaves alone."""
    quiet = ("horizon_days=60", "instruments.gold_token.shortfall_hazard=0")
    low = "target: feed.gold, size: -0.34, plateau_days: 2"
    found = replay(None, 1, *shocks(low, quiet=quiet), name="gold-loop")
    assert found.ok, differing(found)
    locked = rows(found, "gold_loan", "ltv_50.locked")
    # 0.50 / 0.66 = 0.76 is beyond the threshold of 0.75
    assert locked.chain.iloc[DAY - 1] > 0.0
    assert locked.chain.iloc[-1] == pytest.approx(0.0, abs=1e-5)
