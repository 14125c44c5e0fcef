"""A fall inside the settlement's window: who is marked, who may leave with what, and until when.

One policy on 100 t at 10,000 USD (sum insured 1,000,000), from day 0 to day 30, settled at the
mean of its last seven days; triggered below 9,500. Its premium: rates of 2 % before and
2 % + 8 % / 3 after, mean 3.333 % a year, 91.324201 USD a day. Three underwriters hold a third of
3,000,000 each.
"""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from cover_stage import SPOT, CoverStage, CoverTerms
from props import DAY, DOLLAR, refused

from simulator.chain import Chain

WINDOW_DAYS = 7
TERMS = CoverTerms(
    window_seconds=WINDOW_DAYS * DAY, cooldown_seconds=DAY, claim_window_seconds=20 * DAY
)
PREMIUM_A_DAY = 1_000_000 * (0.02 + 0.08 / 6) / 365


@pytest.fixture
def stage(revm: Chain, roles: SimpleNamespace) -> CoverStage:
    """The stage with the policy sold, number 1; the depositor has asked for his third."""
    stage = CoverStage(revm, roles, TERMS)
    shares = stage.deposit(1_000_000, by=roles.depositor)
    assert stage.buy(tonnes=100, strike=SPOT, days=30) == 1
    stage.price(SPOT, day=15)
    stage.act("requestWithdraw", shares, by=roles.depositor)
    return stage


def leave(stage: CoverStage) -> float:
    """Let the depositor claim; return what he got, USD."""
    who = stage.roles.depositor
    before = stage.dollars(who)
    stage.act("claimWithdraw", who, by=who)
    return (stage.dollars(who) - before) / DOLLAR


def fall(stage: CoverStage, *, marked: bool) -> None:
    """Play the window: half the strike from its first second to the last half day."""
    stage.price(5_000, day=23)
    if marked:
        stage.act("trigger", 1, by=stage.roles.stranger)
    stage.price(5_000, day=27)
    stage.price(SPOT, day=29.5)


@pytest.mark.parametrize("marked", [True, False], ids=["marked in time", "marked afterwards"])
def test_fall_in_the_window__after_the_recovery__nobody_leaves_the_claim_to_others(
    stage: CoverStage, marked: bool
) -> None:
    """Cleared by the latest price, a third left in full: 1,000,898 USD, and the claim to others.

    The settlement stands at (6.5 x 5,000 + 0.5 x 10,000) / 7 = 5,357.14 USD.
    """
    fall(stage, marked=marked)
    if not marked:
        stage.act("trigger", 1, by=stage.roles.stranger)
    with refused("price_cover: below the strike"):
        stage.act("clear_trigger", 1, by=stage.roles.stranger)
    total = 3_000_000 + 29.5 * PREMIUM_A_DAY
    assert total / 3 == pytest.approx(1_000_898.02, abs=0.01)
    got = leave(stage)
    # a third of what the whole sum insured leaves: (3,002,694.06 - 1,000,000) / 3
    assert got == pytest.approx((total - 1_000_000) / 3, abs=0.01)
    assert got == pytest.approx(667_564.69, abs=0.01)
    stage.go(30)
    stage.fix(30)
    claim = 100 * (10_000 - (6.5 * 5_000 + 0.5 * 10_000) / 7)
    assert claim == pytest.approx(464_285.71, abs=0.01)
    assert stage.read("payout_of", 1)[1] == int(claim * DOLLAR)
    # The others have more than the fair third of pool less claim: 846,151.34 each.
    fair = (3_000_000 + 30 * PREMIUM_A_DAY - claim) / 3
    assert fair == pytest.approx(846_151.34, abs=0.01)
    kept = stage.read("convertToAssets", 2_000_000 * DOLLAR) / DOLLAR / 2
    assert kept == pytest.approx(935_444.67, abs=0.05)
    assert got < fair < kept
    stage.check_books()


def test_fall_in_the_window__who_waits_for_the_settlement__bears_his_third_of_the_claim(
    stage: CoverStage,
) -> None:
    fall(stage, marked=True)
    stage.price(SPOT, day=30)
    with refused("price_cover: settlement is due"):
        leave(stage)
    stage.fix(30, last_round=stage.rounds - 1)
    assert leave(stage) == pytest.approx(846_151.34, abs=0.01)
    stage.check_books()


def test_mark__made_before_the_window__is_cleared_by_the_latest_price_until_it_begins(
    stage: CoverStage,
) -> None:
    """Nothing of the settlement was seen yet, so nothing is owed for a fall before it."""
    stage.price(5_000, day=20)
    stage.act("trigger", 1, by=stage.roles.stranger)
    stage.price(SPOT, day=23)
    stage.act("clear_trigger", 1, by=stage.roles.stranger)
    assert leave(stage) == pytest.approx((3_000_000 + 23 * PREMIUM_A_DAY) / 3, abs=0.01)


def test_mark__in_the_window__is_cleared_once_the_days_to_come_make_up_for_the_fall(
    stage: CoverStage,
) -> None:
    """A day at 5,000: (5,000 + 6 x 10,800) / 7 = 9,971; another day: with 5 x 11,100 10,186."""
    stage.price(5_000, day=23)
    stage.act("trigger", 1, by=stage.roles.stranger)
    stage.price(10_800, day=24)
    with refused("price_cover: below the strike"):
        stage.act("clear_trigger", 1, by=stage.roles.stranger)
    stage.price(11_100, day=25)
    stage.act("clear_trigger", 1, by=stage.roles.stranger)
    assert stage.read("triggered_sum") == 0


def test_trigger__by_a_spike_at_the_windows_end__needs_a_settlement_below_the_trigger(
    stage: CoverStage,
) -> None:
    """Half a day at 5,000 leaves (6.5 x 10,000 + 0.5 x 5,000) / 7 = 9,643, a day 9,286."""
    stage.price(5_000, day=29.5)
    with refused("price_cover: not triggered"):
        stage.act("trigger", 1, by=stage.roles.stranger)
    assert stage.read("maxDeposit", stage.roles.underwriter) > 0


def test_trigger__by_a_fall_a_day_before_the_end__marks(stage: CoverStage) -> None:
    stage.price(5_000, day=29)
    stage.act("trigger", 1, by=stage.roles.stranger)
    assert stage.read("triggered_sum") == 1_000_000 * DOLLAR


@pytest.mark.parametrize("silent_days", [0, 31], ids=["feed answers", "feed is silent"])
def test_mark_held_to_the_end__is_gone_with_the_settlement__and_the_pool_opens(
    stage: CoverStage, silent_days: int
) -> None:
    """Nobody can hold the pool closed: no sale while it is, and each mark ends with its day."""
    roles = stage.roles
    fall(stage, marked=True)
    for act in (("deposit", DOLLAR, roles.underwriter), ("mint", DOLLAR, roles.underwriter)):
        with refused("price_cover: triggered"):
            stage.act(*act, by=roles.underwriter)
    with refused("price_cover: triggered"):
        stage.buy(tonnes=1)
    if silent_days:
        stage.go(30 + silent_days)
        stage.fix(30)
    else:
        stage.price(SPOT, day=30)
        stage.fix(30, last_round=stage.rounds - 1)
    assert stage.read("triggered_sum") == stage.read("locked") == 0
    stage.deposit(1)
    if silent_days:
        stage.price(SPOT)
    stage.buy(tonnes=1)
    stage.act("settle", 1, by=roles.stranger)
    stage.check_books()


def test_mark_held_to_the_end__of_a_policy_that_is_paid_nothing__expires(
    stage: CoverStage,
) -> None:
    """Marked at (5,000 + 6 x 10,000) / 7; nobody clears it; the mean is 11,286 in the end."""
    stage.price(SPOT, day=23)
    stage.price(5_000, day=24)
    stage.act("trigger", 1, by=stage.roles.stranger)
    stage.price(12_800, day=25)
    stage.price(12_800, day=30)
    stage.fix(30, last_round=stage.rounds - 1)
    assert stage.read("triggered_sum") == 0
    stage.act("expire", 1, by=stage.roles.stranger)
    assert leave(stage) == pytest.approx((3_000_000 + 30 * PREMIUM_A_DAY) / 3, abs=0.01)


def test_closed_pool__of_marks_in_turn__opens_after_the_last_policy_it_had(
    stage: CoverStage,
) -> None:
    """Staggered policies whose windows touch keep it closed, but no new one joins them."""
    for day in (16, 20):
        stage.price(SPOT, day=day)
        stage.buy(tonnes=1, strike=SPOT, days=21)
    marks = ((1, 23, 30), (2, 30, 37), (3, 37, 41))
    for number, begins, ends in marks:
        stage.price(5_000, day=begins + 0.5)
        stage.act("trigger", number, by=stage.roles.stranger)
        with refused("price_cover: triggered"):
            stage.buy(tonnes=1, strike=4_000)
        stage.price(SPOT, day=ends)
        stage.fix(ends, last_round=stage.rounds - 1)
    assert stage.read("locked") == stage.read("triggered_sum") == 0
    stage.buy(tonnes=1)


@pytest.mark.parametrize("last", [None, 0, -1], ids=["silent", "answers zero", "answers less"])
def test_trigger__while_the_feed_is_silent_or_wrong__still_marks_the_fall_it_showed(
    stage: CoverStage, last: int | None
) -> None:
    """Nobody could: a third left in full, 1,000,898 USD, and a claim of half a million behind.

    A settlement moves with rounds alone, so what could be marked when the last one came can be
    marked until the next. A mark is not cleared by such a feed.
    """
    stage.price(5_000, day=23)
    if last is None:
        stage.go(29.5)
        with refused("feed: answer is too old"):
            stage.buy(tonnes=1, strike=4_000)
    else:
        stage.price(last, day=29.5)
    stage.act("trigger", 1, by=stage.roles.stranger)
    assert leave(stage) == pytest.approx(667_564.69, abs=0.01)
    stage.check_books()


def test_mark__is_not_cleared_by_an_answer_that_is_too_old(stage: CoverStage) -> None:
    stage.price(5_000, day=20)
    stage.act("trigger", 1, by=stage.roles.stranger)
    stage.price(12_000, day=21)
    stage.go(27)
    with refused("feed: answer is too old"):
        stage.act("clear_trigger", 1, by=stage.roles.stranger)
    stage.price(12_000)
    stage.act("clear_trigger", 1, by=stage.roles.stranger)
