"""The perpetual: its sums by hand, its known faults, and each refusal beside its success."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple, replace
from types import SimpleNamespace

import pytest
from perp_stage import BASE, FEED_UNIT, UNLIMITED, FundingTerms, PerpStage, PerpTerms
from props import DAY, DOLLAR, check_standard, deploy, events, refused

from simulator.chain import ZERO_ADDRESS, Chain, load_artifact
from simulator.units import WAD

NewStage = Callable[..., PerpStage]
YEAR = 365 * DAY


@pytest.fixture
def new_stage(revm: Chain, roles: SimpleNamespace) -> NewStage:
    def make(**changes: object) -> PerpStage:
        return PerpStage(revm, roles, **changes)

    return make


@pytest.fixture
def stage(new_stage: NewStage) -> PerpStage:
    return new_stage()


# --- Trades --------------------------------------------------------------------


def test_long__in_and_out__pays_both_fees_and_gets_the_move(stage: PerpStage):
    """10,000 units at 1.00, fee 0.2 % = 20, keeper 2. Out at 1.05: gain 500, fee 0.1 % of 10,500
    = 10.50 (it makes the skew smaller), keeper 2. Of 2,000 are left 2,465.50."""
    who = stage.roles.trader
    came = stage.open(10_000, 2_000, by=who)
    ((name, fields),) = events(stage.perp, came)
    assert name == "Traded"
    assert fields == {
        "trader": who,
        "delta": 10_000 * WAD,
        "price": WAD,
        "fee": 20 * DOLLAR,
        "gain": 0,
        "funding": 0,
    }
    assert stage.position(who).margin == 1_978 * DOLLAR
    stage.check_books()
    stage.close(by=who, at=105)
    assert stage.position(who).margin == 2_465_500_000
    assert stage.position(who).size == 0
    # Of 30.50 the fund has a tenth, the protocol two, the pool the rest less the gain.
    assert stage.read("insurance") == 3_050_000
    assert stage.read("fees") == 6_100_000
    assert stage.read("pool") == 100_000 * DOLLAR + 21_350_000 - 500 * DOLLAR
    before = stage.dollars(who)
    stage.act("remove_margin", UNLIMITED, by=who)
    assert stage.dollars(who) - before == 2_465_500_000
    stage.check_books()


def test_short__gains_as_the_index_falls(stage: PerpStage):
    """Short 10,000 at 1.00, half of it closed at 0.90: 500 less 4.50 and 2."""
    who = stage.roles.trader
    stage.open(-10_000, 2_000, by=who)
    stage.order(5_000, by=who)
    stage.price(90)
    stage.execute(who)
    left = stage.position(who)
    assert left.margin == 1_978 * DOLLAR + 500 * DOLLAR - 4_500_000 - 2 * DOLLAR
    assert (left.size, left.cost) == (-5_000 * WAD, -5_000 * WAD * WAD)
    # 5,000 more at 0.10 of gain each, not taken.
    assert stage.read("equity", who) == left.margin + 500 * DOLLAR
    assert stage.read("pool_value") == stage.read("pool") - 500 * DOLLAR
    stage.check_books()


def test_order_through_zero__closes_and_opens_the_other_side(stage: PerpStage):
    """Long 4,000 at 1.00, then -10,000 at 1.10: gain 400; the fee is the maker's on 4,000, the
    taker's on 6,000: 4.40 + 13.20."""
    who = stage.roles.trader
    stage.open(4_000, 2_000, by=who)
    stage.order(-10_000, by=who)
    stage.price(110)
    stage.execute(who)
    assert stage.position(who).size == -6_000 * WAD
    margin = (2_000 - 2 - 8 + 400 - 2) * DOLLAR - 17_600_000
    assert stage.position(who).margin == margin
    assert stage.read("side_size", False) == 6_000 * WAD
    assert stage.read("side_size", True) == 0


def test_open_and_close__at_one_price__costs_fees_twice(stage: PerpStage):
    """A round trip in neighbouring rounds pays both fees and both keepers, whatever else."""
    who = stage.roles.trader
    stage.open(10_000, 2_000, by=who)
    stage.close(by=who, at=BASE)
    assert stage.position(who).margin == (2_000 - 20 - 2 - 10 - 2) * DOLLAR


@pytest.mark.parametrize("skew", [4_000, -4_000])
def test_fee__where_a_trade_crosses_the_skew__is_made_of_both(stage: PerpStage, skew: int):
    """Of 10,000 against a skew of 4,000 the maker's rate is paid on 4,000: 4 + 12 dollars."""
    stage.open(skew, 2_000, by=stage.roles.borrower)
    sign = 1 if skew < 0 else -1
    came = stage.open(sign * 10_000, 2_000, by=stage.roles.trader)
    assert events(stage.perp, came, "Traded")[0][1]["fee"] == 16 * DOLLAR


def test_fee__where_a_trade_adds_to_the_skew__is_the_takers_on_all_of_it(stage: PerpStage):
    stage.open(4_000, 2_000, by=stage.roles.borrower)
    came = stage.open(10_000, 2_000, by=stage.roles.trader)
    assert events(stage.perp, came, "Traded")[0][1]["fee"] == 20 * DOLLAR


def test_open_interest__is_that_of_the_side_that_grows(stage: PerpStage):
    """At most 200,000 a side: 150,000 are there, so 40,000 more fit and 60,000 do not, whoever adds
    them; the other side has room for all of it."""
    first, second = stage.roles.trader, stage.roles.borrower
    stage.open(150_000, 50_000, by=first)
    stage.add(50_000, by=second)
    for who in (first, second):
        with refused("miner_perp: above open interest"):
            stage.order(60_000, by=who)
    before = stage.chain.snapshot()
    for who, size in ((first, 40_000), (second, 40_000), (second, -60_000), (first, -310_000)):
        stage.order(size, by=who)
        stage.chain.revert(before)
        before = stage.chain.snapshot()


# --- Orders at the next round -----------------------------------------------------


def test_order__waits_for_the_next_round_and_fills_at_it_however_late(stage: PerpStage):
    """A limit order is no option on the keeper's delay: neither a later price nor the one that
    stood when it was placed."""
    who = stage.roles.trader
    stage.add(2_000, by=who)
    stage.order(10_000, by=who)
    with refused("miner_perp: no later round"):
        stage.execute(who)
    for price in (101, 120, 80):
        stage.price(price)
    came = stage.execute(who)
    assert events(stage.perp, came, "Traded")[0][1]["price"] == 101 * WAD // 100


def test_order__once_its_price_is_known__cannot_be_taken_back(stage: PerpStage):
    who = stage.roles.trader
    stage.add(2_000, by=who)
    stage.order(10_000, by=who)
    before = stage.chain.snapshot()
    stage.act("cancel_order", by=who)
    with refused("miner_perp: no order"):
        stage.execute(who)
    with refused("miner_perp: no order"):
        stage.act("cancel_order", by=who)
    stage.chain.revert(before)
    stage.price(90)
    for call in (("cancel_order",), ("add_margin", DOLLAR), ("remove_margin", DOLLAR)):
        reason = "order is due" if call == ("cancel_order",) else "an order waits"
        with refused(f"miner_perp: {reason}"):
            stage.act(*call, by=who)
    with refused("miner_perp: an order waits"):
        stage.order(1_000, by=who)
    # Anybody may fill it, and is paid for it.
    was = stage.dollars(stage.roles.stranger)
    stage.execute(who, by=stage.roles.stranger)
    assert stage.dollars(stage.roles.stranger) - was == 2 * DOLLAR
    stage.act("remove_margin", DOLLAR, by=who)


def test_limit__beyond_the_acceptable_price__is_dropped_and_not_kept(stage: PerpStage):
    """Were it kept, it would fill at a price of the trader's choice."""
    who = stage.roles.trader
    stage.add(2_000, by=who)
    stage.order(10_000, by=who, acceptable=WAD)
    stage.price(101)
    dropped = stage.execute(who)
    fields = {"trader": who, "reason": "miner_perp: beyond acceptable"}
    assert events(stage.perp, dropped) == [("OrderDropped", fields)]
    assert stage.position(who).margin == 1_998 * DOLLAR
    stage.price(99)
    with refused("miner_perp: no order"):
        stage.execute(who)
    stage.order(10_000, by=who, acceptable=WAD)
    stage.price(100)
    stage.execute(who)
    assert stage.position(who).size == 10_000 * WAD


@pytest.mark.parametrize(
    ("margin", "size", "price", "reason"),
    [
        (1_100, 10_000, 110, "too little margin"),
        (190_000, 199_000, 120, "above open interest"),
        (60, 200, 90, "position is too small"),
    ],
)
def test_order__that_does_not_fit_at_its_price__is_dropped(
    stage: PerpStage, margin: int, size: int, price: int, reason: str
):
    who = stage.roles.trader
    stage.add(margin, by=who)
    stage.order(size, by=who)
    before = stage.chain.snapshot()
    stage.price(price)
    dropped = events(stage.perp, stage.execute(who))
    assert dropped == [("OrderDropped", {"trader": who, "reason": f"miner_perp: {reason}"})]
    assert stage.position(who).margin == (margin - 2) * DOLLAR
    stage.chain.revert(before)
    stage.price(BASE)
    stage.execute(who)
    assert stage.position(who).size == size * WAD


def test_order__past_rounds_without_an_answer__fills_at_the_first_with_one(stage: PerpStage):
    who = stage.roles.trader
    stage.add(2_000, by=who)
    stage.order(10_000, by=who)
    stage.price(0)
    stage.price(-1)
    with refused("miner_perp: no later round"):
        stage.execute(who)
    stage.price(103)
    stage.price(95)
    came = stage.execute(who)
    assert events(stage.perp, came, "Traded")[0][1]["price"] == 103 * WAD // 100


def test_order_past_too_many_dead_rounds__can_be_taken_back(stage: PerpStage):
    """Sixteen rounds are looked at, the last one too; no order must wait for ever behind them."""
    who = stage.roles.trader
    stage.add(2_000, by=who)
    stage.order(10_000, by=who)
    for _ in range(15):
        stage.price(0)
    before = stage.chain.snapshot()
    stage.price(100)
    stage.execute(who)
    stage.chain.revert(before)
    stage.price(0)
    stage.price(100)
    with refused("miner_perp: no later round"):
        stage.execute(who)
    stage.act("cancel_order", by=who)
    stage.order(10_000, by=who)


def test_reduction__of_a_position_due_for_liquidation__is_dropped_but_a_close_is_not(
    stage: PerpStage,
):
    who = stage.roles.trader
    stage.open(10_000, 1_100, by=who)
    before = stage.chain.snapshot()
    stage.order(-1_000, by=who)
    stage.price(90)
    dropped = events(stage.perp, stage.execute(who))
    assert dropped[0][1]["reason"] == "miner_perp: is liquidatable"
    stage.chain.revert(before)
    stage.close(by=who, at=90)
    assert stage.position(who).size == 0
    # 1,078 less 2, 1,000 and 9 are left.
    assert stage.position(who).margin == 67 * DOLLAR


def test_left_open__where_open_interest_is_short__who_fills_late_chooses_which_order_fits(
    stage: PerpStage,
):
    """195,000 and 10,000 wait at 1.00 where 200,000 fit. While no keeper comes, their owner sees
    the next round: he fills the large one first where it has risen, the small one where it fell."""
    large, small = stage.roles.trader, stage.roles.borrower
    for who, size in ((large, 195_000), (small, 10_000)):
        stage.add(60_000, by=who)
        stage.order(size, by=who)
    stage.price(100)
    for later, first, second in ((110, large, small), (90, small, large)):
        before = stage.chain.snapshot()
        stage.price(later)
        assert events(stage.perp, stage.execute(first), "Traded")
        dropped = events(stage.perp, stage.execute(second), "OrderDropped")
        assert dropped[0][1]["reason"] == "miner_perp: above open interest"
        stage.chain.revert(before)


def test_left_open__miners_round_after_the_metals__counts_within_the_same_second(
    new_stage: NewStage,
):
    """(1.10 + 1.00) / 2, and (1.10 + 1.20) / 2 once the miner's answer of that second is there:
    whoever posts both posts the miner's first."""
    stage = new_stage(miner_weight=WAD // 2)
    number = stage.price(110)
    assert stage.index.read(stage.chain, "at", number) == 105 * WAD // 100
    stage.post_miner(120)
    assert stage.index.read(stage.chain, "at", number) == 115 * WAD // 100
    stage.price(110)
    stage.post_miner(150)
    assert stage.index.read(stage.chain, "at", number) == 115 * WAD // 100


# --- Stops -------------------------------------------------------------------------


def test_stop__passed_by_a_gap__closes_at_the_price_of_the_gap(stage: PerpStage):
    """A stop whose acceptable price is passed must not stay open: it closes, and says so."""
    who, keeper = stage.roles.trader, stage.roles.keeper
    stage.open(5_000, 2_000, by=who)
    stage.act("place_stop", 9 * WAD // 10, 85 * WAD // 100, UNLIMITED, by=who)
    touched = stage.price(89)
    with refused("miner_perp: no later round"):
        stage.act("execute_stop", who, touched, by=keeper)
    stage.price(70)
    with refused("miner_perp: caller is not the keeper"):
        stage.act("execute_stop", who, touched, by=stage.roles.stranger)
    came = stage.act("execute_stop", who, touched, by=keeper)
    fields = {"trader": who, "price": 7 * WAD // 10, "gapped": True}
    assert events(stage.perp, came, "StopExecuted") == [("StopExecuted", fields)]
    assert stage.position(who).size == 0
    # 2,000 - 10 - 2 at the start; a loss of 1,500, a maker's fee of 3.50, and the keeper's 2.
    assert stage.position(who).margin == (2_000 - 12 - 1_500 - 2) * DOLLAR - 3_500_000
    with refused("miner_perp: no stop"):
        stage.act("execute_stop", who, touched, by=keeper)
    stage.check_books()


def test_stop__within_its_acceptable_price__is_no_gap(stage: PerpStage):
    who = stage.roles.trader
    stage.open(-5_000, 2_000, by=who)
    stage.act("place_stop", 11 * WAD // 10, 115 * WAD // 100, 2_000 * WAD, by=who)
    touched = stage.price(110)
    stage.price(114)
    came = stage.act("execute_stop", who, touched, by=stage.roles.keeper)
    assert events(stage.perp, came, "StopExecuted")[0][1]["gapped"] is False
    # A part of it: 2,000 of 5,000.
    assert stage.position(who).size == -3_000 * WAD


def test_stop__touched_before_it_was_placed_or_not_at_all__is_refused(stage: PerpStage):
    who, keeper = stage.roles.trader, stage.roles.keeper
    stage.open(5_000, 2_000, by=who)
    low = stage.price(85)
    stage.price(95)
    stage.act("place_stop", 9 * WAD // 10, 0, UNLIMITED, by=who)
    high = stage.price(91)
    stage.price(92)
    with refused("miner_perp: round before stop"):
        stage.act("execute_stop", who, low, by=keeper)
    with refused("miner_perp: not touched"):
        stage.act("execute_stop", who, high, by=keeper)
    touched = stage.price(90)
    stage.price(95)
    stage.act("execute_stop", who, touched, by=keeper)


@pytest.mark.parametrize(("size", "wrong", "right"), [(5_000, 100, 99.99), (-5_000, 100, 100.01)])
def test_stop__on_the_wrong_side__is_refused(
    stage: PerpStage, size: int, wrong: float, right: float
):
    who = stage.roles.trader
    stage.open(size, 2_000, by=who)
    with refused("miner_perp: stop is on the wrong side"):
        stage.act("place_stop", round(wrong * 100) * WAD // 10**4, 0, UNLIMITED, by=who)
    stage.act("place_stop", round(right * 100) * WAD // 10**4, 0, UNLIMITED, by=who)
    stage.act("cancel_stop", by=who)
    with refused("miner_perp: no stop"):
        stage.act("cancel_stop", by=who)


def test_stop__of_a_position_that_is_gone__is_gone_too(stage: PerpStage):
    who = stage.roles.trader
    for size, trigger in ((0, WAD // 2), (UNLIMITED, 0), (UNLIMITED, WAD // 2)):
        with refused("miner_perp: no position"):
            stage.act("place_stop", trigger, 0, size, by=who)
    stage.open(5_000, 2_000, by=who)
    with refused("miner_perp: nothing to close"):
        stage.act("place_stop", WAD // 2, 0, 0, by=who)
    with refused("miner_perp: trigger is zero"):
        stage.act("place_stop", 0, 0, UNLIMITED, by=who)
    stage.act("place_stop", WAD // 2, 0, UNLIMITED, by=who)
    stage.close(by=who, at=90)
    assert stage.read("stops", who)[0] == 0


def test_stop__of_a_position_that_turns_round__is_gone_too(stage: PerpStage):
    """Below the index it closes a long; of the short that a larger order makes of it, it would be
    touched by every round. What is only reduced keeps its stop."""
    who, keeper = stage.roles.trader, stage.roles.keeper
    stage.open(5_000, 4_000, by=who)
    stage.act("place_stop", 9 * WAD // 10, 0, UNLIMITED, by=who)
    stage.order(-2_000, by=who)
    stage.price(100)
    stage.execute(who)
    assert stage.read("stops", who)[1] == 9 * WAD // 10
    stage.order(-8_000, by=who)
    touched = stage.price(101)
    stage.execute(who)
    stage.price(102)
    with refused("miner_perp: no stop"):
        stage.act("execute_stop", who, touched, by=keeper)
    assert stage.position(who).size == -5_000 * WAD


# --- Liquidation -------------------------------------------------------------------


def test_liquidation__at_maintenance__and_not_a_hair_above(stage: PerpStage):
    """10,000 units, margin 1,078 after fees: equity = 1,078 - 10,000 (1 - p) is 2 % of 10,000 p at
    p = 8,922 / 9,800 = 0.910408..."""
    who = stage.roles.trader
    stage.open(10_000, 1_100, by=who)
    stage.price(91.05)
    assert stage.read("is_liquidatable", who) is False
    with refused("miner_perp: not liquidatable"):
        stage.act("liquidate", who, by=stage.roles.stranger)
    stage.price(91.04)
    assert stage.read("is_liquidatable", who) is True
    before = stage.dollars(stage.roles.stranger)
    came = stage.act("liquidate", who, by=stage.roles.stranger)
    # Equity 182 less 2 for the keeper and 91.04 for the fund: 88.96 stay his.
    assert stage.dollars(stage.roles.stranger) - before == 2 * DOLLAR
    fields = {
        "trader": who,
        "keeper": stage.roles.stranger,
        "price": 9104 * WAD // 10_000,
        "penalty": 91_040_000,
        "bad_debt": 0,
    }
    assert events(stage.perp, came, "Liquidated") == [("Liquidated", fields)]
    assert stage.position(who).margin == 88_960_000
    assert stage.read("is_liquidatable", who) is False
    stage.check_books()


def test_liquidation__after_a_gap__is_borne_by_the_fund_and_then_by_the_pool(stage: PerpStage):
    """At 0.80 the position lacks 2,000 - 1,078 = 922. The fund has 102 with its tenth of the fee:
    820 are the pool's loss, and so is the keeper's fee."""
    who = stage.roles.trader
    stage.act("fund_insurance", 100 * DOLLAR, by=stage.roles.stranger)
    stage.open(10_000, 1_100, by=who)
    pool = stage.read("pool")
    stage.price(80)
    assert stage.read("equity", who) == -922 * DOLLAR
    came = stage.act("liquidate", who, by=stage.roles.stranger)
    assert events(stage.perp, came, "Liquidated")[0][1]["bad_debt"] == 820 * DOLLAR
    assert stage.read("bad_debt") == 820 * DOLLAR
    assert stage.read("insurance") == 0
    assert stage.read("pool") == pool + (1_078 + 102 - 2) * DOLLAR
    assert stage.position(who).margin == 0
    stage.check_books()


def test_liquidation__whose_margin_pays_no_keeper__takes_his_fee_from_the_fund(stage: PerpStage):
    """At 0.80 the fund of 2,002 bears the 922 that are missing, and the keeper's 2."""
    who = stage.roles.trader
    stage.act("fund_insurance", 2_000 * DOLLAR, by=stage.roles.stranger)
    stage.open(10_000, 1_100, by=who)
    stage.price(80)
    before = stage.dollars(stage.roles.keeper)
    stage.act("liquidate", who, by=stage.roles.keeper)
    assert stage.read("insurance") == (2_002 - 922 - 2) * DOLLAR
    assert stage.read("bad_debt") == 0
    assert stage.dollars(stage.roles.keeper) - before == 2 * DOLLAR
    stage.check_books()


def test_liquidation__takes_order_and_stop_with_it(stage: PerpStage):
    """An order of just now, which nobody could have filled yet, goes with the position."""
    who = stage.roles.trader
    stage.open(10_000, 1_100, by=who)
    stage.act("place_stop", 95 * WAD // 100, 0, UNLIMITED, by=who)
    stage.price(80)
    stage.act("close_position", 0, by=who)
    stage.act("liquidate", who, by=stage.roles.keeper)
    with refused("miner_perp: no order"):
        stage.execute(who)
    assert stage.read("stops", who)[0] == 0


def test_order_that_is_due__comes_before_whatever_a_late_keeper_does(stage: PerpStage):
    """Ordered out at 1.00 and due at 0.98: a keeper who comes at 0.80 must not take what the trader
    had by then. Out at 0.98 are left 1,078 less 2, 200 and a fee of 9.80."""
    who, keeper = stage.roles.trader, stage.roles.keeper
    stage.open(10_000, 1_100, by=who)
    stage.act("place_stop", 95 * WAD // 100, 0, UNLIMITED, by=who)
    stage.act("close_position", 0, by=who)
    stage.price(98)
    touched = stage.price(80)
    stage.price(79)
    for call in (("liquidate", who), ("execute_stop", who, touched), ("deleverage", who, WAD)):
        with refused("miner_perp: order is due"):
            stage.act(*call, by=keeper)
    # Whoever comes to liquidate fills it first.
    stage.execute(who, by=stage.roles.stranger)
    assert stage.position(who).margin == (1_078 - 2 - 200) * DOLLAR - 9_800_000
    stage.check_books()


def test_order__of_a_margin_that_cannot_pay_for_it__is_refused(stage: PerpStage):
    """A gain lets all margin be taken out; an order that pays nobody would be filled when the
    trader likes: a free option at the price of its round."""
    who = stage.roles.trader
    stage.open(10_000, 2_000, by=who)
    stage.price(150)
    stage.act("remove_margin", stage.position(who).margin - 2 * DOLLAR + 1, by=who)
    for call in (("close_position", 0), ("modify_position", -1_000 * WAD, 0)):
        with refused("miner_perp: too little margin"):
            stage.act(*call, by=who)
    stage.act("add_margin", 1, by=who)
    stage.act("close_position", 0, by=who)
    stage.price(150)
    before = stage.dollars(stage.roles.stranger)
    stage.execute(who, by=stage.roles.stranger)
    assert stage.dollars(stage.roles.stranger) - before == 2 * DOLLAR


def test_least_position__that_is_due__pays_for_its_own_liquidation(stage: PerpStage):
    """Who fills and liquidates himself, one long and one short, would else be paid by the fund for
    every fall. Margin 24 - 2 - 0.40: at 0.91 are left 3.60, below 2 % of 182; 2 are the keeper's,
    and the fund has the rest of it."""
    who = stage.roles.trader
    stage.open(200, 24, by=who)
    insured = stage.read("insurance")
    stage.price(91)
    stage.act("liquidate", who, by=who)
    assert stage.read("insurance") - insured == 1_600_000
    stage.check_books()


def test_opening__leaves_nobody_liquidatable_at_its_price(stage: PerpStage):
    """The most that 1,000 of margin opens at leverage 10: size s with 998 - s 0.002 = s / 10."""
    who = stage.roles.trader
    stage.add(1_000, by=who)
    most = 998 / 0.102
    with refused("miner_perp: too little margin"):
        stage.order(most + 0.01, by=who)
    stage.order(most - 0.01, by=who)
    stage.price(BASE)
    stage.execute(who)
    assert stage.read("is_liquidatable", who) is False


# --- Profits that the pool cannot pay -----------------------------------------------


def test_profit__beyond_its_part_of_the_pool__is_cut_alike(new_stage: NewStage):
    """Two longs of 10,000 and 5,000 in a pool of 10,000; the index doubles, and the side has
    gained 15,000 where 80 % of the pool can be had. The first gets 10,000/15,000 of it."""
    stage = new_stage(pool_usd=10_000)
    first, second = stage.roles.trader, stage.roles.borrower
    stage.open(10_000, 20_000, by=first)
    stage.open(5_000, 20_000, by=second)
    pool = stage.read("pool")
    margin = stage.position(first).margin
    came = stage.close(by=first, at=200)
    most = pool * 8 // 10
    paid = 10_000 * most // 15_000
    assert stage.position(first).margin == margin - 2 * DOLLAR + paid - 20 * DOLLAR
    fields = {"trader": first, "missing": 10_000 * DOLLAR - paid}
    assert events(stage.perp, came, "ProfitCut") == [("ProfitCut", fields)]
    assert stage.read("profits_cut") == 10_000 * DOLLAR - paid
    # The other one has his part of what is left, and the pool is never empty.
    pool, margin = stage.read("pool"), stage.position(second).margin
    assert stage.read("equity", second) == margin + min(5_000 * DOLLAR, pool * 8 // 10)
    stage.close(by=second, at=200)
    stage.check_books()


def test_profit__of_a_winner_among_losers__is_never_above_the_pools_part(new_stage: NewStage):
    """A long of 16,000 from 0.50 and one of 10,000 from 1.00: at 0.99 the side has gained 7,740 of
    which one gains 7,840. His part of 80 % of some 9,000 would be above all of it."""
    stage = new_stage(pool_usd=9_000, terms=PerpTerms(max_open_interest=4 * WAD))
    winner, loser = stage.roles.trader, stage.roles.borrower
    stage.open(10_000, 20_000, by=loser)
    stage.open(16_000, 20_000, by=winner, at=50)
    stage.price(99)
    assert stage.read("side_gain", True) == 7_740 * DOLLAR
    most = stage.read("pool") * 8 // 10
    assert most < 7_740 * DOLLAR
    assert stage.read("equity", winner) == stage.position(winner).margin + most


def test_deleverage__down_to_the_bound_and_no_further(new_stage: NewStage):
    """15,000 long at 1.00 in a pool of 10,000: at 1.50 the side has gained 7,500, above 70 %.
    Closing x of 10,000 takes y = x / 2 of it; 7,500 - y = 0.6 (pool - y) at y = 2.5 (7,500 - 0.6
    pool)."""
    stage = new_stage(pool_usd=10_000)
    first, second, keeper = stage.roles.trader, stage.roles.borrower, stage.roles.keeper
    stage.open(10_000, 20_000, by=first)
    stage.open(5_000, 20_000, by=second)
    stage.price(140)
    with refused("miner_perp: no need to reduce"):
        stage.act("deleverage", first, WAD, by=keeper)
    stage.price(150)
    pool = stage.read("pool")
    y = 25 * (7_500 * DOLLAR - 6 * pool // 10) // 10
    bound = 2 * y * 10**12
    with refused("miner_perp: caller is not the keeper"):
        stage.act("deleverage", first, WAD, by=first)
    with refused("miner_perp: reduced too far"):
        stage.act("deleverage", first, bound + 10**14, by=keeper)
    with refused("miner_perp: exceeds the position"):
        stage.act("deleverage", first, 10_000 * WAD + 1, by=keeper)
    with refused("miner_perp: exceeds the position"):
        stage.act("deleverage", first, 0, by=keeper)
    with refused("miner_perp: no position"):
        stage.act("deleverage", stage.roles.second_borrower, WAD, by=keeper)
    margin = stage.position(first).margin
    came = stage.act("deleverage", first, bound - 10**14, by=keeper)
    assert [name for name, _ in events(stage.perp, came)] == ["Traded", "Deleveraged"]
    gained = stage.position(first).margin - margin
    assert gained == pytest.approx(y, abs=100)
    assert stage.read("side_gain", True) >= stage.read("pool") * 6 // 10
    stage.check_books()


def test_deleverage__of_the_smallest_position__closes_it(new_stage: NewStage):
    """A stop has left 1e-18 of it."""
    stage = new_stage(pool_usd=10_000)
    who, keeper = stage.roles.borrower, stage.roles.keeper
    stage.open(1_000, 5_000, by=who)
    stage.act("place_stop", 9 * WAD // 10, 0, 1_000 * WAD - 1, by=who)
    touched = stage.price(90)
    stage.price(90)
    stage.act("execute_stop", who, touched, by=keeper)
    assert stage.position(who).size == 1
    stage.open(15_000, 20_000, by=stage.roles.trader, at=100)
    stage.price(150)
    stage.act("deleverage", who, 1, by=keeper)
    assert stage.position(who).size == 0


def test_deleverage__of_who_has_not_gained__is_refused(new_stage: NewStage):
    stage = new_stage(pool_usd=10_000, terms=PerpTerms(max_open_interest=3 * WAD))
    stage.open(15_000, 20_000, by=stage.roles.trader)
    stage.open(1_000, 20_000, by=stage.roles.borrower, at=160)
    with refused("miner_perp: not a winner"):
        stage.act("deleverage", stage.roles.borrower, WAD, by=stage.roles.keeper)
    stage.act("deleverage", stage.roles.trader, WAD, by=stage.roles.keeper)


# --- Funding ------------------------------------------------------------------------


def test_funding__drifts_with_the_skew_and_is_paid_at_the_last_index(new_stage: NewStage):
    """Skew 50,000 of 100,000 and 1 point a day: half a point after a day, which is paid on the
    second day, 50,000 x 0.005 / 365 = 0.684931... dollars."""
    stage = new_stage(funding=FundingTerms(velocity=WAD // 100))
    who = stage.roles.trader
    stage.open(50_000, 20_000, by=who)
    stage.wait(DAY)
    stage.act("accrue", by=stage.roles.stranger)
    assert stage.read("funding_rate") == 5 * WAD // 1_000
    equity = stage.read("equity", who)
    stage.wait(DAY)
    stage.act("accrue", by=stage.roles.stranger)
    assert equity - stage.read("equity", who) == 684_932
    assert stage.read("funding_rate") == WAD // 100
    for _ in range(300):
        stage.wait(DAY)
        stage.act("accrue", by=stage.roles.stranger)
    assert stage.read("funding_rate") == WAD  # its greatest


def test_funding__between_equal_sides__nets_to_zero_with_the_pool(new_stage: NewStage):
    """Longs pay 10 % a year on 20,000, shorts get it on 10,000, the pool the rest."""
    stage = new_stage(funding=FundingTerms(fixed_rate=WAD // 10))
    stage.open(20_000, 20_000, by=stage.roles.trader)
    stage.open(-10_000, 20_000, by=stage.roles.borrower)
    stage.act("accrue", by=stage.roles.keeper)
    names = (stage.roles.trader, stage.roles.borrower)
    margins = [stage.position(who).margin for who in names]
    before = [stage.read("equity", who) for who in names]
    pool = stage.read("pool_value")
    stage.wait(73 * DAY)
    paid, got = (b - stage.read("equity", who) for b, who in zip(before, names, strict=True))
    # Each amount is rounded against whoever gets it.
    assert paid == pytest.approx(400 * DOLLAR, abs=1)
    assert got == pytest.approx(-200 * DOLLAR, abs=1)
    assert stage.read("pool_value") - pool == pytest.approx(200 * DOLLAR, abs=1)
    # What they close with is that, and fees: the long's half the maker's and half the taker's
    # (10 + 20), the short's the maker's (10), and the keeper's 2. Seconds pass meanwhile.
    stage.price(BASE)
    for who, margin, owed in zip(names, margins, (432, -188), strict=True):
        stage.close(by=who, at=BASE)
        assert margin - stage.position(who).margin == pytest.approx(owed * DOLLAR, abs=500)
    stage.check_books()


def test_funding__cannot_be_dodged_by_closing_before_anybody_books_it(new_stage: NewStage):
    """Nobody accrues for a year; who closes owes 10 % of 10,000 all the same."""
    stage = new_stage(funding=FundingTerms(fixed_rate=WAD // 10))
    who = stage.roles.trader
    stage.open(10_000, 5_000, by=who)
    opened = stage.chain.timestamp()
    stage.price(BASE, after=YEAR)
    stage.act("close_position", 0, by=who)
    stage.price(BASE)
    came = stage.execute(who)
    seconds = stage.chain.timestamp() - opened
    expected = -(-(10_000 * DOLLAR * seconds) // (10 * YEAR))
    assert events(stage.perp, came, "Traded")[0][1]["funding"] == pytest.approx(expected, abs=1)


# --- Feeds that stand still, close, or fail -------------------------------------------


def test_funding__of_an_order_that_is_filled_late__runs_until_then(new_stage: NewStage):
    """Ordered out at once, filled a year later, and nobody has accrued in between: 10 % of 10,000
    are owed all the same, at the index of the order's round."""
    stage = new_stage(funding=FundingTerms(fixed_rate=WAD // 10))
    who = stage.roles.trader
    stage.open(10_000, 5_000, by=who)
    opened = stage.chain.timestamp()
    stage.act("close_position", 0, by=who)
    stage.price(BASE)
    stage.wait(YEAR)
    came = stage.execute(who)
    seconds = stage.chain.timestamp() - opened
    expected = -(-(10_000 * DOLLAR * seconds) // (10 * YEAR))
    assert events(stage.perp, came, "Traded")[0][1]["funding"] == pytest.approx(expected, abs=1)


def test_stale_feed__acts_wait_and_nothing_is_lost(stage: PerpStage):
    who, keeper = stage.roles.trader, stage.roles.keeper
    stage.open(10_000, 1_100, by=who)
    stage.act("place_stop", 95 * WAD // 100, 0, UNLIMITED, by=who)
    touched = stage.price(94)
    stage.price(90)
    stage.wait(3 * DAY + 1)
    calls = [
        ("liquidate", who, keeper),
        ("execute_stop", who, touched, keeper),
        ("deleverage", who, WAD, keeper),
        ("remove_margin", DOLLAR, who),
        ("modify_position", WAD, UNLIMITED, who),
        ("deposit", DOLLAR, stage.roles.depositor),
    ]
    for function, *args, by in calls:
        with refused("feed: answer is too old"):
            stage.act(function, *args, by=by)
    stage.act("add_margin", DOLLAR, by=who)
    stage.send(stage.feed, "set_mode", 2, by=keeper)
    with refused("price_feed: reverting"):
        stage.act("accrue", by=keeper)
    stage.send(stage.feed, "set_mode", 0, by=keeper)
    # The feed is back, and all that waited goes on.
    stage.price(90)
    stage.act("liquidate", who, by=keeper)
    stage.check_books()


def test_closed_market__pool_is_shut_and_traders_can_order(stage: PerpStage):
    """News of a weekend would let providers leave, or come, at Friday's price."""
    keeper, who = stage.roles.keeper, stage.roles.depositor
    stage.act("request_withdraw", DOLLAR, by=who)
    stage.wait(7 * DAY)
    stage.price(BASE)
    stage.send(stage.feed, "set_market_status", 1, by=keeper)
    for call in (("deposit", DOLLAR), ("claim_withdraw",)):
        with refused("miner_perp: market is closed"):
            stage.act(*call, by=who)
    stage.add(2_000, by=stage.roles.trader)
    stage.order(1_000, by=stage.roles.trader)
    stage.send(stage.feed, "set_market_status", 2, by=keeper)
    stage.act("claim_withdraw", by=who)
    stage.act("deposit", DOLLAR, by=who)


# --- The index -----------------------------------------------------------------------


def test_index__is_the_weighted_mean_at_each_round_of_the_metal(new_stage: NewStage):
    """Weights 60 and 40. The miner's answer that counts is the one in force at the metal's round:
    a later one moves nothing until the next."""
    stage = new_stage(miner_weight=4 * WAD // 10)
    stage.wait(10)
    stage.post_miner(150)
    second = stage.price(110)
    assert stage.index.read(stage.chain, "at", second) == (66 + 60) * WAD // 100
    stage.wait(10)
    stage.post_miner(50)
    assert stage.index.read(stage.chain, "fresh") == (66 + 60) * WAD // 100
    third = stage.price(110)
    for usd in (60, 70, 80, 90):
        stage.wait(10)
        stage.post_miner(usd)
    assert stage.index.read(stage.chain, "at", third) == (66 + 20) * WAD // 100
    assert stage.index.read(stage.chain, "at", 1) == WAD


def test_index__of_a_miner_whose_feed_was_away__waits_for_the_metals_next_round(
    new_stage: NewStage,
):
    """Four days without the miner, at most three: once it is back at half, the metal's last round
    still counts it whole. Who dealt at that would know where the next round stands."""
    stage = new_stage(miner_weight=4 * WAD // 10)
    stage.wait(10)
    stage.post_miner(100)
    for _ in range(4):
        stage.price(100, after=DAY + 1)
    with refused("feed: answer is too old"):
        stage.index.read(stage.chain, "fresh")
    stage.wait(10)
    stage.post_miner(50)
    with refused("miner_index: miner's answer is too old"):
        stage.index.read(stage.chain, "fresh")
    with refused("miner_index: miner's answer is too old"):
        stage.act("deposit", DOLLAR, by=stage.roles.depositor)
    stage.price(100)
    assert stage.index.read(stage.chain, "fresh") == (60 + 20) * WAD // 100
    stage.act("deposit", DOLLAR, by=stage.roles.depositor)


def test_index__before_the_miners_first_round__is_none(revm: Chain, roles: SimpleNamespace):
    stage = PerpStage(revm, roles)
    late = deploy(revm, "price_feed", 8, "Late / USD", roles.keeper, sender=roles.owner)
    halves = {"metal_weight": WAD // 2, "miner_weight": WAD // 2}
    index = stage.create("miner_index", stage.sources(miner_feed=late.address, **halves))
    stage.wait(10)
    stage.send(late, "update_answer", 10**10, by=roles.keeper)
    assert index.read(revm, "at", 1) == 0
    with refused("miner_index: no index"):
        index.read(revm, "fresh")
    round_id = stage.price(BASE)
    assert index.read(revm, "at", round_id) == WAD
    stage.send(late, "update_answer", 0, by=roles.keeper)
    assert index.read(revm, "at", stage.price(BASE)) == 0


@pytest.mark.parametrize(
    ("reason", "change"),
    [
        ("weights do not sum to 1", {"metal_weight": WAD - 1}),
        ("metal feed is the zero address", {"metal_feed": ZERO_ADDRESS}),
        ("metal base is zero", {"metal_base": 0}),
        ("miner feed is the zero address", {"miner_feed": ZERO_ADDRESS}),
        ("miner base is zero", {"miner_base": 0}),
    ],
)
def test_index__with_sources_that_make_none__is_refused(
    new_stage: NewStage, reason: str, change: dict[str, object]
):
    stage = new_stage(miner_weight=WAD // 4)
    with refused(f"miner_index: {reason}"):
        stage.create("miner_index", stage.sources(**change))


def test_index__of_plain_metal__needs_no_miner(new_stage: NewStage):
    stage = new_stage()
    index = stage.create("miner_index", stage.sources(miner_feed=ZERO_ADDRESS, miner_base=0))
    assert index.read(stage.chain, "fresh") == WAD


# --- Terms, roles, pool --------------------------------------------------------------


@pytest.mark.parametrize(
    ("reason", "change"),
    [
        ("initial margin above 100 %", {"initial_margin": WAD + 1}),
        ("maintenance margin is zero", {"maintenance_margin": 0}),
        ("maintenance above initial margin", {"maintenance_margin": WAD // 10}),
        ("penalty above 10 %", {"liquidation_penalty": WAD // 10 + 1}),
        ("keeper's fee above 1,000", {"keeper_fee": 1_000 * DOLLAR + 1}),
        ("maker fee above taker fee", {"maker_fee": WAD // 100}),
        ("taker fee above 10 %", {"taker_fee": WAD // 10 + 1}),
        ("shares of fees above 100 %", {"protocol_share": 9 * WAD // 10 + 1}),
        ("open interest above 100 pools", {"max_open_interest": 100 * WAD + 1}),
        ("profit above the pool", {"max_profit": WAD + 1}),
        ("trigger above the greatest profit", {"adl_trigger": 8 * WAD // 10 + 1}),
        ("target not below the trigger", {"adl_target": 7 * WAD // 10}),
        ("least notional is zero", {"min_notional": 0}),
        # 2 % of 199.99 dollars are less than twice 2 dollars
        ("keeper's fee above half the least margin", {"min_notional": 199_990_000}),
        ("cooldown above ten years", {"cooldown_seconds": 3_650 * DAY + 1}),
        ("claim window above ten years", {"claim_window_seconds": 3_650 * DAY + 1}),
    ],
)
def test_deployment__with_terms_no_market_can_have__is_refused(
    stage: PerpStage, reason: str, change: dict[str, int]
):
    args = (stage.usdc, stage.roles.keeper, stage.index)
    funding = astuple(stage.funding)
    with refused(f"miner_perp: {reason}"):
        stage.create("miner_perp", *args, astuple(replace(PerpTerms(), **change)), funding)
    stage.create("miner_perp", *args, astuple(PerpTerms()), funding)


@pytest.mark.parametrize(
    ("reason", "change"),
    [
        ("greatest rate above 1,000 %", {"max_rate": 10 * WAD + 1}),
        ("greatest rate above 1,000 %", {"max_rate": -1}),
        ("fixed rate above 1,000 %", {"fixed_rate": -10 * WAD - 1}),
        ("velocity above 1,000 % a day", {"velocity": -1}),
        ("skew scale is zero", {"skew_scale": 0}),
    ],
)
def test_deployment__with_funding_no_market_can_have__is_refused(
    stage: PerpStage, reason: str, change: dict[str, int]
):
    args = (stage.usdc, stage.roles.keeper, stage.index, astuple(PerpTerms()))
    with refused(f"skew_funding: {reason}"):
        stage.create("miner_perp", *args, astuple(replace(FundingTerms(), **change)))


def test_deployment__without_keeper_index_or_dollars__is_refused(stage: PerpStage):
    rest = (astuple(PerpTerms()), astuple(FundingTerms()))
    with refused("miner_perp: keeper is the zero address"):
        stage.create("miner_perp", stage.usdc, ZERO_ADDRESS, stage.index, *rest)
    with refused("miner_perp: index is the zero address"):
        stage.create("miner_perp", stage.usdc, stage.roles.keeper, ZERO_ADDRESS, *rest)
    owner = stage.roles.owner
    odd = deploy(stage.chain, "reward_token", "Odd", "ODD", sender=owner)
    with refused("miner_perp: asset has not six decimals"):
        stage.create("miner_perp", odd, stage.roles.keeper, stage.index, *rest)


def test_margin__above_what_is_there_or_needed__stays(stage: PerpStage):
    """10,000 at leverage 10 need 1,000 of 1,978."""
    who = stage.roles.trader
    stage.open(10_000, 2_000, by=who)
    with refused("miner_perp: exceeds margin"):
        stage.act("remove_margin", 1_978 * DOLLAR + 1, by=who)
    with refused("miner_perp: too little margin"):
        stage.act("remove_margin", 978 * DOLLAR + 1, by=who)
    with refused("miner_perp: too little margin"):
        stage.act("remove_margin", UNLIMITED, by=who)
    came = stage.act("remove_margin", 978 * DOLLAR, by=who)
    fields = {"trader": who, "amount": -978 * DOLLAR}
    assert events(stage.perp, came) == [("MarginChanged", fields)]


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (("modify_position", 0, 0), "nothing to trade"),
        (("modify_position", 10**30 + 1, UNLIMITED), "size is too large"),
        (("modify_position", 199 * WAD, UNLIMITED), "position is too small"),
        (("modify_position", 9_800 * WAD, UNLIMITED), "too little margin"),
        (("modify_position", 200_001 * WAD, UNLIMITED), "above open interest"),
        (("close_position", 0), "no position"),
    ],
)
def test_order__that_cannot_be__is_refused_at_once(
    stage: PerpStage, call: tuple[object, ...], reason: str
):
    who = stage.roles.trader
    stage.add(1_000, by=who)
    with refused(f"miner_perp: {reason}"):
        stage.act(*call, by=who)
    stage.act("modify_position", 200 * WAD, UNLIMITED, by=who)


def test_paused__opens_nothing_but_lets_everybody_out(stage: PerpStage):
    who, owner = stage.roles.trader, stage.roles.owner
    stage.open(10_000, 5_000, by=who)
    with refused("ownable: caller is not the owner"):
        stage.act("set_paused", True, by=who)
    came = stage.act("set_paused", True, by=owner)
    assert events(stage.perp, came) == [("PausedSet", {"stopped": True})]
    with refused("miner_perp: paused"):
        stage.order(1_000, by=who)
    with refused("miner_perp: paused"):
        stage.act("deposit", DOLLAR, by=stage.roles.depositor)
    stage.order(-1_000, by=who)
    stage.price(BASE)
    stage.execute(who)
    # The other side, however small, would be opened.
    with refused("miner_perp: paused"):
        stage.order(-12_000, by=who)
    before = stage.chain.snapshot()
    stage.order(-9_000, by=who)
    stage.price(BASE)
    stage.execute(who)
    assert stage.position(who).size == 0
    stage.chain.revert(before)
    stage.rounds -= 1
    stage.close(by=who, at=BASE)
    stage.act("set_paused", False, by=owner)
    stage.order(1_000, by=who)


def test_owner__collects_fees_and_names_the_keeper(stage: PerpStage):
    owner, stranger = stage.roles.owner, stage.roles.stranger
    stage.open(10_000, 5_000, by=stage.roles.trader)
    for call in (("collect_fees", stranger), ("set_keeper", stranger)):
        with refused("ownable: caller is not the owner"):
            stage.act(*call, by=stranger)
    before = stage.dollars(stage.roles.treasury)
    stage.act("collect_fees", stage.roles.treasury, by=owner)
    assert stage.dollars(stage.roles.treasury) - before == 4 * DOLLAR
    assert stage.read("fees") == 0
    with refused("miner_perp: keeper is the zero address"):
        stage.act("set_keeper", ZERO_ADDRESS, by=owner)
    stage.act("set_keeper", stranger, by=owner)
    assert stage.read("keeper") == stranger
    stage.check_books()


def test_provider__leaves_by_request_after_the_wait_at_the_price_of_then(stage: PerpStage):
    """A short of 10,000 has lost 1,000 on paper: the pool is worth 101,014 (14 of a fee of 20)."""
    who = stage.roles.depositor
    stage.open(-10_000, 5_000, by=stage.roles.trader)
    shares = stage.read("shares", who)
    assert shares == 100_000 * DOLLAR
    with refused("pool_shares: exceeds shares"):
        stage.act("request_withdraw", shares + 1, by=who)
    for call in (("request_withdraw", 0), ("cancel_withdraw",), ("claim_withdraw",)):
        with refused("pool_shares: nothing requested"):
            stage.act(*call, by=who)
    stage.act("request_withdraw", shares // 2, by=who)
    stage.act("cancel_withdraw", by=who)
    stage.act("request_withdraw", shares // 2, by=who)
    stage.price(110, after=7 * DAY - 2)
    with refused("pool_shares: cooling down"):
        stage.act("claim_withdraw", by=who)
    stage.wait(10)
    assert stage.read("pool_value") == 101_014 * DOLLAR
    before = stage.chain.snapshot()
    stage.price(110, after=2 * DAY)
    with refused("pool_shares: request lapsed"):
        stage.act("claim_withdraw", by=who)
    stage.chain.revert(before)
    was = stage.dollars(who)
    stage.act("claim_withdraw", by=who)
    # Half of it, rounded down beside the virtual share.
    assert stage.dollars(who) - was == 50_507 * DOLLAR - 1
    stage.check_books()


def test_provider__of_capital_that_open_interest_needs__gets_the_rest(stage: PerpStage):
    """150,000 of open interest at twice the pool need 75,000 of its cash, and a unit."""
    who = stage.roles.depositor
    stage.open(150_000, 50_000, by=stage.roles.trader)
    shares = stage.read("shares", who)
    stage.act("request_withdraw", shares, by=who)
    stage.price(BASE, after=7 * DAY + 1)
    free = stage.read("pool") - 75_000 * DOLLAR - 1
    assert stage.read("exit_value", shares) == free
    was = stage.dollars(who)
    stage.act("claim_withdraw", by=who)
    assert stage.dollars(who) - was == free
    assert stage.read("requests", who)[0] > 0
    with refused("pool_shares: no free capital"):
        stage.act("claim_withdraw", by=who)


def test_provider__where_nobody_trades__gets_the_whole_pool(stage: PerpStage):
    who = stage.roles.depositor
    shares = stage.read("shares", who)
    assert stage.read("exit_value", shares) == stage.read("pool") == 100_000 * DOLLAR


def test_provider__leaves_no_pool_that_would_cut_what_traders_gained(new_stage: NewStage):
    """20,000 long at 1.00 have gained 12,000 at 1.60, of the 16,000 that they can have of a pool of
    20,028 (28 of a fee of 40). The pool is worth 8,028, but 12,000 / 0.8 must stay in it: 5,028 can
    leave, where open interest alone, 32,000 / 4, would let go of all and cut 2,400 of the gain."""
    stage = new_stage(pool_usd=20_000, terms=PerpTerms(max_open_interest=4 * WAD))
    who, trader = stage.roles.depositor, stage.roles.trader
    stage.open(20_000, 20_000, by=trader)
    shares = stage.read("shares", who)
    stage.act("request_withdraw", shares, by=who)
    stage.price(160, after=7 * DAY + 1)
    assert stage.read("pool_value") == 8_028 * DOLLAR
    equity = stage.read("equity", trader)
    assert equity == stage.position(trader).margin + 12_000 * DOLLAR
    assert stage.read("exit_value", shares) == 5_028 * DOLLAR
    was = stage.dollars(who)
    stage.act("claim_withdraw", by=who)
    assert stage.dollars(who) - was == 5_028 * DOLLAR
    assert stage.read("equity", trader) == equity
    with refused("pool_shares: no free capital"):
        stage.act("claim_withdraw", by=who)


@pytest.mark.parametrize(("size", "cut", "whole"), [(10_000, 261, 260), (-20_000, 19, 20)])
def test_deposit__while_a_profit_is_cut__is_refused(
    new_stage: NewStage, size: float, cut: float, whole: float
):
    """A winner who deposits would be paid what is cut, out of what others' shares are worth. The
    long has gained 16,100 and 16,000 of a pool of 20,014, the short 16,200 and 16,000 of 20,028."""
    stage = new_stage(pool_usd=20_000)
    who, trader = stage.roles.second_depositor, stage.roles.trader
    stage.open(size, 20_000, by=trader)
    stage.price(cut)
    assert stage.read("side_gain", size > 0) > stage.read("pool") * 8 // 10
    with refused("miner_perp: profits are cut"):
        stage.act("deposit", 50_000 * DOLLAR, by=who)
    stage.price(whole)
    stage.act("deposit", 50_000 * DOLLAR, by=who)


def test_pool__that_nobody_has_a_share_of__goes_to_shares_that_nobody_holds(new_stage: NewStage):
    """Fees that traders leave behind are not the next depositor's."""
    stage = new_stage()
    who = stage.roles.depositor
    stage.open(10_000, 5_000, by=stage.roles.trader)
    stage.close(by=stage.roles.trader, at=BASE)
    stage.act("request_withdraw", stage.read("shares", who), by=who)
    stage.wait(7 * DAY)
    stage.price(BASE)
    stage.act("claim_withdraw", by=who)
    left = stage.read("pool")
    came = stage.act("deposit", 1_000 * DOLLAR, by=who)
    assert events(stage.perp, came, "Deposited")[0][1]["shares"] <= 1_000 * DOLLAR
    assert stage.read("exit_value", stage.read("shares", who)) <= 1_000 * DOLLAR + left


def test_pool__that_is_ruined__takes_no_deposit(new_stage: NewStage):
    """1,500 long have gained all of it but for less than 0.00015: a thousand shares of a dollar
    are worth less than a millionth of it. What a share is worth then cannot be told any more."""
    stage = new_stage(
        pool_usd=1_000, terms=PerpTerms(max_profit=WAD, adl_trigger=WAD, adl_target=WAD // 2)
    )
    stage.open(1_500, 1_000, by=stage.roles.trader)
    # The highest answer, with 8 decimals, at which the gain is not above the pool.
    stage.price((10**10 + stage.read("pool") * 10**4 // 1_500) / FEED_UNIT)
    assert stage.read("pool_value") < 150
    with refused("pool_shares: pool is ruined"):
        stage.act("deposit", 1_000 * DOLLAR, by=stage.roles.depositor)
    stage.price(100)
    stage.act("deposit", 1_000 * DOLLAR, by=stage.roles.depositor)


def test_deposit__that_rounding_takes_a_thousandth_of__is_the_least_that_is_taken(
    new_stage: NewStage,
):
    """A share of 1.11, for a short has lost 11,000 on paper: 1,000 units give 900 shares, worth
    999; 889 give 800, worth 888, which is more than a thousandth less."""
    stage = new_stage(terms=PerpTerms(maker_fee=0, taker_fee=0))
    stage.open(-100_000, 50_000, by=stage.roles.trader)
    stage.price(111)
    assert stage.read("pool_value") == 111_000 * DOLLAR
    who = stage.roles.second_depositor
    with refused("share_math: too little for the price of a share"):
        stage.act("deposit", 889, by=who)
    stage.act("deposit", 1_000, by=who)
    assert stage.read("shares", who) == 900


def test_dollars_sent_by_themselves__change_nothing(stage: PerpStage):
    stage.open(10_000, 5_000, by=stage.roles.trader)
    names = ("pool", "margins", "insurance", "fees", "pool_value")
    before = [stage.read(name) for name in names]
    stage.send(stage.usdc, "transfer", stage.perp.address, 10**6, by=stage.roles.stranger)
    assert [stage.read(name) for name in names] == before


def test_dollars_that_their_issuer_stops__wait_and_nothing_is_lost(stage: PerpStage):
    """Who waits for an order, a withdrawal or a fee keeps it: what fails is undone as a whole."""
    who, owner, keeper = stage.roles.trader, stage.roles.owner, stage.roles.keeper
    stage.open(10_000, 1_100, by=who)
    stage.send(stage.usdc, "blacklist", stage.perp.address, by=owner)
    stage.act("close_position", 0, by=who)
    stage.price(80)
    before = stage.position(who)
    for call, by in (
        (("execute_order", who), keeper),
        (("collect_fees", owner), owner),
        (("fund_insurance", DOLLAR), stage.roles.stranger),
    ):
        with refused("usdc: account is blacklisted"):
            stage.act(*call, by=by)
    assert stage.position(who) == before
    stage.send(stage.usdc, "unBlacklist", stage.perp.address, by=owner)
    stage.execute(who)
    assert stage.position(who).size == 0
    stage.act("collect_fees", owner, by=owner)
    stage.check_books()


FUNCTIONS = {
    "add_margin(uint256)": "",
    "remove_margin(uint256)": "",
    "modify_position(int256,uint256)": "",
    "close_position(uint256)": "",
    "cancel_order()": "",
    "execute_order(address)": "bool",
    "place_stop(uint256,uint256,uint256)": "",
    "cancel_stop()": "",
    "execute_stop(address,uint256)": "",
    "liquidate(address)": "",
    "deleverage(address,uint256)": "",
    "deposit(uint256)": "uint256",
    "request_withdraw(uint256)": "",
    "cancel_withdraw()": "",
    "claim_withdraw()": "uint256",
    "fund_insurance(uint256)": "",
    "equity(address)": "int256",
    "is_liquidatable(address)": "bool",
}
TOPICS = {
    "Traded(address,int256,uint256,uint256,int256,int256)": 1,
    "OrderPlaced(address,int256,uint256,uint256)": 1,
    "OrderDropped(address,string)": 1,
    "StopExecuted(address,uint256,bool)": 1,
    "Liquidated(address,address,uint256,uint256,uint256)": 2,
    "Deleveraged(address,uint256,uint256)": 1,
    "ProfitCut(address,uint256)": 1,
}


def test_interface__by_selector_and_topic() -> None:
    check_standard(load_artifact("miner_perp"), FUNCTIONS, TOPICS)


def test_bytecode__fits_a_block() -> None:
    """EIP-170."""
    for name in ("miner_perp", "miner_index"):
        assert load_artifact(name).deployed_size <= 24_576
