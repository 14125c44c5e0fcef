"""Every rounding of the price cover, on amounts so small that the other direction would show.

What is owed to the pool rounds up, what it owes or counts for somebody rounds down. The pool of
most tests here: 1,000 units of the asset, a cover on 900 of them for 30 days that costs one unit a
day. On day 10 the pool owns 1,010, for 1,000 shares; with the virtual one of each (see
`share_math`) a unit is worth 1,001 / 1,011 = 0.99 shares, a share 1,011 / 1,001 = 1.00999 units.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from cover_stage import UNLIMITED, CoverStage, CoverTerms
from gold_stage import RAY
from props import DAY, events, refused

from simulator.chain import Chain
from simulator.units import WAD

NewPool = Callable[..., CoverStage]
TEN_THOUSAND = 10_000 * WAD
"""The price of a tonne on day 0, and a strike at which 1e8 wei of a tonne are one unit."""


@pytest.fixture
def new_pool(revm: Chain, roles: SimpleNamespace) -> NewPool:
    """Build a pool of so many units."""

    def make(units: int = 1_000, **terms: int) -> CoverStage:
        usual = {"min_sum_insured": 1, "cooldown_seconds": 0, "claim_window_seconds": 365 * DAY}
        stage = CoverStage(revm, roles, CoverTerms(**(usual | terms)), pool_usd=0)
        who = roles.underwriter
        stage.send(stage.usdc, "mint", who, units, by=roles.owner)
        stage.act("deposit", units, who, by=who)
        return stage

    return make


def insure(stage: CoverStage, units: int, days: int = 30) -> int:
    """Buy a cover on so many units, at the price of day 0; return its number."""
    cover = (units * 10**8, TEN_THOUSAND, days, UNLIMITED)
    stage.act("buy_cover", *cover, by=stage.roles.mine_operator)
    found: int = stage.read("policy_count")
    return found


@pytest.fixture
def pool(new_pool: NewPool) -> CoverStage:
    """The pool of the docstring above, on day 10."""
    stage = new_pool()
    assert stage.policy(insure(stage, 900)).premium_per_day == 1
    stage.price(10_000, day=10)
    assert (stage.read("totalAssets"), stage.read("totalSupply")) == (1_010, 1_000)
    return stage


# --- Shares ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        # 10 x 1,001 / 1,011 = 9.90 shares, 10 x 1,011 / 1,001 = 10.10 units.
        ("convertToShares", 9),
        ("previewDeposit", 9),
        ("previewWithdraw", 10),
        ("convertToAssets", 10),
        ("previewRedeem", 10),
        ("previewMint", 11),
        ("exit_value", 10),
    ],
)
def test_view__of_ten__rounds_against_who_asks(pool: CoverStage, view: str, expected: int) -> None:
    assert pool.read(view, 10) == expected


@pytest.mark.parametrize(("function", "units", "shares"), [("deposit", 10, 9), ("mint", 11, 10)])
def test_entry__of_ten__rounds_against_who_enters(
    pool: CoverStage, roles: SimpleNamespace, function: str, units: int, shares: int
) -> None:
    pool.act(function, 10, roles.trader, by=roles.trader)
    assert pool.read("balanceOf", roles.trader) == shares
    assert pool.read("totalAssets") == 1_010 + units


def test_claim_withdraw__of_ten_shares__pays_ten_units(
    pool: CoverStage, roles: SimpleNamespace
) -> None:
    before = pool.dollars(roles.trader)
    pool.act("requestWithdraw", 10, by=roles.underwriter)
    pool.act("claimWithdraw", roles.trader, by=roles.underwriter)
    assert pool.dollars(roles.trader) - before == 10
    assert pool.read("totalSupply") == 990


def test_claim_withdraw__beyond_free_capital__burns_the_shares_of_it_rounded_up(
    pool: CoverStage, roles: SimpleNamespace
) -> None:
    # 1,010 - 900 = 110 units are free: 110 x 1,001 / 1,011 = 108.91 shares.
    pool.act("requestWithdraw", 1_000, by=roles.underwriter)
    pool.act("claimWithdraw", roles.trader, by=roles.underwriter)
    assert pool.read("totalAssets") == 900
    assert pool.read("totalSupply") == 1_000 - 109


def test_claim_withdraw__of_all_that_is_free__burns_all_its_shares(
    new_pool: NewPool, roles: SimpleNamespace
) -> None:
    """At 1.50 USD 0.99985 x 900 = 899.865 units are due: 1,030 - 899 = 131 are left, all free.

    1,000 shares are worth 1,000 x 132 / 1,001 = 131.87; 131 units cost 993.42 shares.
    """
    stage = new_pool()
    insure(stage, 900)
    stage.price(1.5, day=29)
    stage.go(30)
    stage.fix(30)
    assert stage.read("totalAssets") == stage.read("free_capital") == 131
    stage.act("requestWithdraw", 1_000, by=roles.underwriter)
    stage.act("claimWithdraw", roles.trader, by=roles.underwriter)
    assert (stage.read("totalAssets"), stage.read("totalSupply")) == (0, 0)


def test_max_mint__of_the_room_that_is_left__rounds_down(pool: CoverStage) -> None:
    # Room for 1e30 - 1,010 units, and 1,011 = 3 x 337 divides that times 1,001 not evenly.
    room = (10**30 - 1_010) * 1_001
    assert room % 1_011 != 0
    assert pool.read("maxMint", pool.roles.trader) == room // 1_011


def test_share_price__of_one_that_does_not_divide_evenly__rounds_down(pool: CoverStage) -> None:
    assert 1_011 * RAY % 1_001 != 0
    assert pool.read("share_price") == 1_011 * RAY // 1_001


def test_premium__of_a_quarter_of_a_day__is_not_earned_yet(pool: CoverStage) -> None:
    pool.go(10.25)
    assert pool.read("totalAssets") == 1_010
    assert pool.read("unearned_premium") == 20
    pool.check_books()


# --- Capital -----------------------------------------------------------------------------


def test_capacity__of_a_unit_and_a_half__rounds_down(new_pool: NewPool) -> None:
    # 1,001 x 1.5 = 1,501.5.
    stage = new_pool(1_001, leverage=15 * WAD // 10)
    assert stage.read("capacity") == 1_501
    with refused("price_cover: exceeds capacity"):
        insure(stage, 1_502)
    insure(stage, 1_501)


def test_utilisation__of_nine_parts_in_ten__rounds_down(pool: CoverStage) -> None:
    # 900 / 1,010 = 0.8910891089108910891089...
    assert pool.read("utilisation") == 891_089_108_910_891_089


def test_free_capital__at_leverage_3__keeps_a_third_rounded_up(new_pool: NewPool) -> None:
    # 901 / 3 = 300.33, so 301 of 1,000 stay.
    stage = new_pool(leverage=3 * WAD)
    insure(stage, 901)
    assert stage.read("free_capital") == 699


# --- Sales -------------------------------------------------------------------------------


def test_sum_insured__of_a_part_of_a_unit__rounds_down(new_pool: NewPool) -> None:
    stage = new_pool()
    # 9.009e-8 t x 10,000 USD = 900.9e-6 USD.
    cover = (90_090_000_000, TEN_THOUSAND, 30, UNLIMITED)
    stage.act("buy_cover", *cover, by=stage.roles.mine_operator)
    assert stage.policy(1).sum_insured == stage.read("locked") == 900


def test_premium__of_less_than_a_unit_a_day__is_one(new_pool: NewPool) -> None:
    # 900 units at 2 to 9.2 %, mean 5.6 %, a year: 0.14 a day.
    assert new_pool().read("quote", 900 * 10**8, TEN_THOUSAND, 30) == 30


def test_rate__of_two_thirds_of_the_pool__rounds_down_twice(new_pool: NewPool) -> None:
    """On 365e18 units the premium of a day is the rate itself, x 1e18.

    They are two thirds of 547.5e18: 0.666666666666666666 x 8 % = 0.05333333333333333328, so the
    rate after is 0.073333333333333333. The mean with the 2 % before is 0.0466666666666666665.
    """
    stage = new_pool(5_475 * 10**17)
    assert stage.read("quote", 365 * 10**26, TEN_THOUSAND, 1) == 46_666_666_666_666_666


def test_highest_strike__of_a_third_of_a_small_price__rounds_down(new_pool: NewPool) -> None:
    # 1e-8 USD = 1e10, a third of it 3,333,333,333.3. 1e21 wei at that are 3.3 units.
    stage = new_pool(max_strike_share=333_333_333_333_333_333)
    stage.price(1e-8)
    with refused("price_cover: strike is too high"):
        stage.act("buy_cover", 10**21, 3_333_333_334, 30, UNLIMITED, by=stage.roles.trader)
    stage.act("buy_cover", 10**21, 3_333_333_333, 30, UNLIMITED, by=stage.roles.trader)


@pytest.mark.parametrize(("seconds", "day"), [(0, 0), (1, 1), (DAY - 1, 1), (DAY, 1)])
def test_start__is_the_next_midnight_and_midnight_itself(
    new_pool: NewPool, seconds: int, day: int
) -> None:
    stage = new_pool()
    stage.go(seconds / DAY)
    assert stage.policy(insure(stage, 100)).start == stage.at(day)


A_WEI_MORE = (10**10, 9_000 * WAD + 1, 30, UNLIMITED)
"""A cover whose strike is 9,000 USD and a wei: 95 % of that are 8,550 USD and 0.95 wei."""


def test_trigger__at_a_price_that_is_0_95_wei_too_high__is_refused(new_pool: NewPool) -> None:
    stage = new_pool()
    stage.act("buy_cover", *A_WEI_MORE, by=stage.roles.mine_operator)
    stage.price(8_550)
    with refused("price_cover: not triggered"):
        stage.act("trigger", 1, by=stage.roles.stranger)
    stage.price(8_549.99999999)
    stage.act("trigger", 1, by=stage.roles.stranger)


def test_void__by_a_price_that_is_0_95_wei_too_high__is_refused(new_pool: NewPool) -> None:
    stage = new_pool(lag_days=2)
    stage.act("buy_cover", *A_WEI_MORE, by=stage.roles.mine_operator)
    at_it, below_it = stage.price(8_550), stage.price(8_549.99999999)
    with refused("price_cover: not triggered"):
        stage.act("void", 1, at_it, by=stage.roles.stranger)
    stage.act("void", 1, below_it, by=stage.roles.stranger)


# --- Settlement --------------------------------------------------------------------------


def test_settlement__of_seven_seconds__rounds_down(new_pool: NewPool) -> None:
    # Three seconds at 8,000 and four at 9,000: 60,000 / 7 = 8,571.428571428571428571428...
    stage = new_pool(window_seconds=7)
    insure(stage, 900)
    stage.price(8_000, day=29)
    stage.price(9_000, day=30 - 4 / DAY)
    stage.go(30)
    stage.fix(30)
    price, owed, _ = stage.read("settlements", stage.at(30))
    assert price == 8_571_428_571_428_571_428_571
    # 0.1428571428571428571429 x 900 = 128.57 units.
    assert owed == 128


def test_standing__of_seven_seconds__rounds_down(new_pool: NewPool) -> None:
    """As above, seen in the last second before the end."""
    stage = new_pool(window_seconds=7)
    policy = insure(stage, 900)
    stage.price(8_000, day=29)
    stage.price(9_000, day=30 - 4 / DAY)
    stage.chain.block(stage.at(30) - 1, [])
    marked = stage.act("trigger", policy, by=stage.roles.stranger)
    fields = {"policy_id": policy, "price": 8_571_428_571_428_571_428_571}
    assert events(stage.pool, marked) == [("Triggered", fields)]


def test_crash__of_two_policies_of_one_day__rounds_claims_and_parts_down(
    new_pool: NewPool,
) -> None:
    """Leverage 2: 700 and 500 insured until day 30, 301 until day 60, each for a unit a day.

    On day 30 the pool has 1,090, of which 1,090 x 1,200 / 1,501 = 871.4 are for the day. At 1.50
    USD a tonne 0.99985 of each sum is due: 699.895 and 499.925. They get their parts of 871:
    699 x 871 / 1,198 = 508.21 and 499 x 871 / 1,198 = 362.80.
    """
    stage = new_pool(leverage=2 * WAD)
    policies = [insure(stage, 700), insure(stage, 500), insure(stage, 301, days=60)]
    assert {stage.policy(k).premium_per_day for k in policies} == {1}
    stage.price(1.5, day=29)
    stage.go(30)
    fixed = stage.fix(30)
    price = 15 * 10**17
    assert stage.read("settlements", stage.at(30)) == (price, 1_198, 871)
    fields = {"expiry": stage.at(30), "price": price, "owed": 1_198, "paid": 508 + 362}
    assert events(stage.pool, fixed) == [("SettlementFixed", fields)]
    assert stage.read("payout_of", 1) == (699, 508)
    assert stage.read("payout_of", 2) == (499, 362)
    for policy in (1, 2):
        stage.act("settle", policy, by=stage.roles.stranger)
    assert stage.read("set_aside") == 0
    assert stage.read("totalAssets") == 1_090 - 870
