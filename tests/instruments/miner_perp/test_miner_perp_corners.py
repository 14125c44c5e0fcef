"""The perpetual at its corners: the most that it counts, rounds without an index, orders that a
stop has overtaken."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from perp_stage import BASE, FEED_UNIT, UNLIMITED, FundingTerms, PerpStage, PerpTerms
from props import DAY, DOLLAR, deploy, events, refused

from simulator.chain import Chain
from simulator.units import WAD

YEAR = 365 * DAY
MOST = 10**24
"""The most of margin, pool and insurance fund, in the asset's unit."""


@pytest.fixture
def stage(revm: Chain, roles: SimpleNamespace) -> PerpStage:
    return PerpStage(revm, roles)


@pytest.mark.parametrize(
    ("function", "account", "reason"),
    [
        ("add_margin", "margins", "too much margin"),
        ("deposit", "pool", "pool is full"),
        ("fund_insurance", "insurance", "insurance fund is full"),
    ],
)
def test_amount__above_the_most_that_is_counted__is_refused(
    stage: PerpStage, function: str, account: str, reason: str
):
    """To the unit: with more, products of sizes and amounts could overflow."""
    who, room = stage.roles.second_depositor, MOST - stage.read(account)
    stage.send(stage.usdc, "mint", who, MOST, by=stage.roles.owner)
    with refused(f"miner_perp: {reason}"):
        stage.act(function, room + 1, by=who)
    stage.act(function, room, by=who)
    assert stage.read(account) == MOST


def test_pool__of_a_market_that_takes_no_position__is_free_as_a_whole(
    revm: Chain, roles: SimpleNamespace
):
    """An open interest of at most nothing needs nothing of the pool."""
    stage = PerpStage(revm, roles, terms=PerpTerms(max_open_interest=0))
    who = roles.depositor
    stage.add(1_000, by=roles.trader)
    with refused("miner_perp: above open interest"):
        stage.order(200, by=roles.trader)
    shares = stage.read("shares", who)
    assert stage.read("exit_value", shares) == 100_000 * DOLLAR
    stage.act("request_withdraw", shares, by=who)
    stage.price(BASE, after=7 * DAY)
    was = stage.dollars(who)
    stage.act("claim_withdraw", by=who)
    assert stage.dollars(who) - was == 100_000 * DOLLAR
    assert stage.read("pool") == 0


def test_close__of_a_position_that_a_stop_has_closed__is_dropped(stage: PerpStage):
    """Ordered after the touch and overtaken by the keeper, who comes before the next round: at that
    nothing is left to close. Who fills the order is paid for coming all the same."""
    who, keeper = stage.roles.trader, stage.roles.keeper
    stage.open(5_000, 2_000, by=who)
    stage.act("place_stop", 9 * WAD // 10, 0, UNLIMITED, by=who)
    touched = stage.price(89)
    stage.price(88)
    stage.act("close_position", 0, by=who)
    before = stage.chain.snapshot()
    stage.act("execute_stop", who, touched, by=keeper)
    margin = stage.position(who).margin
    stage.price(87)
    dropped = events(stage.perp, stage.execute(who))
    fields = {"trader": who, "reason": "miner_perp: nothing to trade"}
    assert dropped == [("OrderDropped", fields)]
    assert stage.position(who).margin == margin - 2 * DOLLAR
    stage.chain.revert(before)
    # Where the keeper has not come, the order closes it.
    stage.price(87)
    came = stage.execute(who)
    assert events(stage.perp, came, "Traded")[0][1]["delta"] == -5_000 * WAD
    stage.check_books()


def test_stop__is_not_touched_by_a_round_without_an_index(stage: PerpStage):
    """Zero stands for no index, and would be below the trigger of every long."""
    who, keeper = stage.roles.trader, stage.roles.keeper
    stage.open(5_000, 2_000, by=who)
    stage.act("place_stop", 9 * WAD // 10, 0, UNLIMITED, by=who)
    dead = stage.price(0)
    touched = stage.price(90)
    stage.price(95)
    with refused("miner_perp: not touched"):
        stage.act("execute_stop", who, dead, by=keeper)
    stage.act("execute_stop", who, touched, by=keeper)
    assert stage.position(who).size == 0


def test_deleverage__of_a_short__takes_its_part_of_the_gain(revm: Chain, roles: SimpleNamespace):
    """10,000 short at 1.00 in a pool of 10,014 with its part of the fee: at 0.20 the side has
    gained 8,000, above 70 %. A tenth of it is 800; 7,200 are above 60 % of 9,214."""
    stage = PerpStage(revm, roles, pool_usd=10_000)
    who = roles.trader
    stage.open(-10_000, 5_000, by=who)
    stage.price(20)
    margin = stage.position(who).margin
    stage.act("deleverage", who, 1_000 * WAD, by=roles.keeper)
    left = stage.position(who)
    assert (left.size, left.margin) == (-9_000 * WAD, margin + 800 * DOLLAR)
    assert stage.read("pool") == 9_214 * DOLLAR
    stage.check_books()


def test_funding__in_a_round_without_an_index__runs_on_at_the_last_one(
    revm: Chain, roles: SimpleNamespace
):
    """10 % a year for 73 days at an index of 1 are 0.02 a unit."""
    stage = PerpStage(revm, roles, funding=FundingTerms(fixed_rate=WAD // 10))
    stage.price(0)
    stage.act("accrue", by=roles.stranger)
    assert stage.read("last_index") == WAD
    paid = stage.read("funding_index")
    stage.wait(YEAR // 5)
    stage.act("accrue", by=roles.stranger)
    assert stage.read("funding_index") - paid == 2 * WAD // 100
    stage.price(110)
    stage.act("accrue", by=roles.stranger)
    assert stage.read("last_index") == 11 * WAD // 10


def test_index__above_the_most_that_is_counted__is_none(stage: PerpStage):
    """A thousand million times the base is counted, and not a unit of the feed more."""
    most = 10**9 * BASE * FEED_UNIT
    for answer, index in ((most, 10**27), (most + 1, 0)):
        stage.wait(1)
        stage.send(stage.feed, "update_answer", answer, by=stage.roles.keeper)
        newest = stage.index.read(stage.chain, "latest_round")
        assert stage.index.read(stage.chain, "at", newest) == index
    with refused("miner_index: no index"):
        stage.index.read(stage.chain, "fresh")


def test_index__of_a_feed_of_more_than_18_decimals__is_refused(stage: PerpStage):
    keeper, owner = stage.roles.keeper, stage.roles.owner

    def index_of(decimals: int) -> int:
        """Return the index of a metal at its base."""
        feed = deploy(stage.chain, "price_feed", decimals, "Metal / USD", keeper, sender=owner)
        stage.send(feed, "update_answer", BASE * 10**decimals, by=keeper)
        index = stage.create("miner_index", stage.sources(metal_feed=feed.address))
        return index.read(stage.chain, "at", 1)

    with refused("miner_index: more than 18 decimals"):
        index_of(19)
    assert index_of(18) == WAD
