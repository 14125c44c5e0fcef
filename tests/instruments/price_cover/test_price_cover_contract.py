"""The price cover: its sums by hand, each refusal beside its success, and its standards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple, replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from cover_stage import SPOT, UNLIMITED, CoverStage, CoverTerms
from props import (
    DAY,
    DOLLAR,
    ERC20_FUNCTIONS,
    ERC20_TOPICS,
    check_standard,
    deploy,
    events,
    refused,
    send,
)

from simulator.chain import ZERO_ADDRESS, Chain, Receipt, load_artifact
from simulator.chain.compile import compile_patched
from simulator.errors import TransactionReverted
from simulator.units import WAD

NewStage = Callable[..., CoverStage]
SOURCE = Path(__file__).parents[3] / "contracts" / "price_cover.vy"


@pytest.fixture
def new_stage(revm: Chain, roles: SimpleNamespace) -> NewStage:
    def make(pool_usd: int = 2_000_000, **terms: int) -> CoverStage:
        return CoverStage(revm, roles, CoverTerms(**terms), pool_usd)

    return make


@pytest.fixture
def stage(new_stage: NewStage) -> CoverStage:
    return new_stage()


# --- Premium -------------------------------------------------------------------


def test_quote__of_a_cover__is_the_mean_rate_before_and_after(stage: CoverStage):
    # 900,000 of 2,000,000 insured: the rate goes from 2 % to 2 + 8 x 0.45 = 5.6 %, mean 3.8 %.
    per_day = -(-900_000 * DOLLAR * 38 // (1_000 * 365))
    assert stage.read("quote", *stage.cover(100, 9_000, 30)) == 30 * per_day
    stage.buy()
    # The next 900,000 go from 5.6 % to 9.2 %, mean 7.4 %.
    per_day = -(-900_000 * DOLLAR * 74 // (1_000 * 365))
    assert stage.read("quote", *stage.cover(100, 9_000, 30)) == 30 * per_day


def test_quote__above_the_ceiling__stops_rising(new_stage: NewStage):
    stage = new_stage(premium_ceiling=3 * WAD // 100)
    stage.buy(tonnes=50)
    # At 22.5 % the rate is at its ceiling of 3 %, before and after.
    per_day = -(-900_000 * DOLLAR * 3 // (100 * 365))
    assert stage.read("quote", *stage.cover(100, 9_000, 30)) == 30 * per_day


@pytest.mark.parametrize("ceiling", [3, 100], ids=["across the ceiling", "below it"])
def test_buying_in_parts__is_no_cheaper_than_at_once(new_stage: NewStage, ceiling: int):
    stage = new_stage(premium_ceiling=ceiling * WAD // 100)
    whole = stage.read("quote", *stage.cover(200, 9_000, 30))
    before = stage.dollars(stage.roles.mine_operator)
    for _ in range(8):
        stage.buy(tonnes=25)
    assert before - stage.dollars(stage.roles.mine_operator) >= whole


def test_premium__is_earned_evenly_from_start_to_expiry(new_stage: NewStage):
    stage = new_stage(lag_days=2)
    stage.go(0.25)
    policy = stage.policy(stage.buy())
    # Bought in the first day, the cover starts two days after the next midnight.
    assert (policy.start, policy.expiry) == (stage.at(3), stage.at(33))
    premium = 30 * policy.premium_per_day
    for day, earned in ((1, 0), (3, 0), (3.5, 1 / 60), (18, 1 / 2), (33, 1), (34, 1)):
        stage.go(day)
        assert stage.read("totalAssets") == 2_000_000 * DOLLAR + int(premium * earned)
        assert stage.read("unearned_premium") == premium - int(premium * earned)
        stage.act("accrue", by=stage.roles.stranger)
        stage.check_books()


def test_premiums__of_overlapping_covers__end_each_at_its_own_expiry(stage: CoverStage):
    first, second = stage.buy(days=10), stage.buy(days=20)
    rates = [stage.policy(k).premium_per_day for k in (first, second)]
    stage.go(15)
    earned = 10 * rates[0] + 15 * rates[1]
    assert stage.read("totalAssets") == 2_000_000 * DOLLAR + earned
    stage.check_books()


# --- Settlement ----------------------------------------------------------------


def settled(stage: CoverStage, prices: dict[float, float], *, end: float = 30) -> int:
    """Post the prices by day, go to the end and fix; return the settlement, 1e-8 USD."""
    for day, usd in prices.items():
        stage.price(usd, day=day)
    stage.go(end)
    stage.fix(end)
    return stage.read("settlements", stage.at(end))[0] // 10**10


def test_settlement__is_the_mean_of_the_rounds_by_time_in_force(new_stage: NewStage):
    stage = new_stage(window_seconds=2 * DAY)
    stage.buy()
    # In force over days 28 to 30: 8,000 for half a day, 6,000 for one, 9,000 for half.
    prices = {20: 8_000, 28.5: 6_000, 29.5: 9_000}
    assert settled(stage, prices) == (8_000 // 2 + 6_000 + 9_000 // 2) * 10**8 // 2


def test_settlement__of_rounds_within_the_window__is_by_seconds(new_stage: NewStage):
    stage = new_stage(window_seconds=7)
    stage.buy()
    # Seven seconds: 8,000 in three of them, 9,000 in four.
    prices = {20: 8_000, 30 - 4 / DAY: 9_000}
    assert settled(stage, prices) == (3 * 8_000 + 4 * 9_000) * 10**8 // 7


def test_settlement__of_a_round_at_the_expiry__does_not_count_it(stage: CoverStage):
    policy = stage.buy()
    stage.price(8_000, day=29)
    stage.price(5_000, day=30)
    stage.fix(30, stage.rounds - 1)
    assert stage.read("payout_of", policy) == (100_000 * DOLLAR, 100_000 * DOLLAR)


def test_settlement__late__is_the_one_of_the_expiry(stage: CoverStage):
    policy = stage.buy()
    stage.price(8_000, day=29)
    for day in range(30, 40):
        stage.price(2_000, day=day)
    with refused("feed_average: round is too new"):
        stage.fix(30)
    with refused("feed_average: not the last round"):
        stage.fix(30, 1)
    stage.fix(30, 2)
    assert stage.read("payout_of", policy) == (100_000 * DOLLAR, 100_000 * DOLLAR)
    with refused("price_cover: already fixed"):
        stage.fix(30, 2)


def test_settlement__with_a_round_that_is_not_positive__leaves_it_out(stage: CoverStage):
    stage.buy()
    assert settled(stage, {29: 8_000, 29.25: 0, 29.5: -5, 29.75: 6_000}) == 7_500 * 10**8


def post_rounds(stage: CoverStage, count: int, usd: float, *, start: float) -> None:
    """Post one round a second from `start` on."""
    call = stage.feed.call("update_answer", round(usd * 10**8), sender=stage.roles.keeper)
    for second in range(count):
        stage.chain.block(stage.at(start) + second, [call])
    stage.rounds += count


def fix_busy(stage: CoverStage, day: float) -> Receipt:
    """Fix a day with all the gas that a transaction may have."""
    args = (stage.at(day), stage.rounds)
    call = stage.pool.call("fix_settlement", *args, sender=stage.roles.stranger)
    return stage.chain.block(stage.at(day), [call._replace(gas=2**24)])[0]


def test_settlement__of_a_window_with_too_many_rounds__averages_the_newest(stage: CoverStage):
    stage.buy()
    stage.price(8_000, day=29)
    post_rounds(stage, 1_000, 7_000, start=29.25)
    post_rounds(stage, 1_000, 6_000, start=29.75)
    fixed = fix_busy(stage, 30)
    # The newest 1,024 begin with 24 of the 7,000: from the 976th second after day 29.25 on.
    seven, six = DAY // 2 - 976, DAY // 4
    expected = (7_000 * seven + 6_000 * six) * WAD // (seven + six)
    assert stage.read("settlements", stage.at(30))[0] == expected
    assert fixed.gas_used < 2**24


def test_settlement__without_a_positive_answer_in_reach__reverts(stage: CoverStage):
    stage.buy()
    post_rounds(stage, 1_023, 0, start=29.5)
    before = stage.chain.snapshot()
    fix_busy(stage, 30)
    # One round is still in reach: the first one, in force over the whole window.
    assert stage.read("settlements", stage.at(30))[0] == SPOT * WAD
    stage.chain.revert(before)
    post_rounds(stage, 1, 0, start=29.9)
    with refused("feed_average: no answer"):
        fix_busy(stage, 30)


def test_settlement__where_the_feed_was_silent__waits_for_the_next_round(stage: CoverStage):
    policy = stage.buy()
    stage.go(31)
    with refused("feed_average: feed is silent"):
        stage.fix(30)
    stage.price(8_500, day=32)
    stage.fix(30, 1)
    assert stage.read("payout_of", policy) == (50_000 * DOLLAR, 50_000 * DOLLAR)


def test_settlement__where_the_feed_stays_silent__takes_its_last_answer(stage: CoverStage):
    stage.price(8_000, day=0.5)
    stage.price(SPOT, day=0.6)
    policy = stage.buy()
    stage.price(8_000, day=1)
    end = stage.policy(policy).expiry
    stage.chain.block(end + 30 * DAY - 1, [])
    with refused("feed_average: feed is silent"):
        stage.act("fix_settlement", end, stage.rounds, by=stage.roles.stranger)
    stage.chain.block(end + 30 * DAY, [])
    stage.act("fix_settlement", end, stage.rounds, by=stage.roles.stranger)
    assert stage.read("payout_of", policy)[0] == 100_000 * DOLLAR


def test_settlement__of_a_round_that_is_not_there__reverts(stage: CoverStage):
    stage.buy()
    stage.price(9_000, day=29)
    stage.go(30)
    with refused("price_feed: no data"):
        stage.fix(30, 7)
    stage.fix(30)


def test_fix_settlement__of_a_day_that_is_not_over_or_empty__reverts(stage: CoverStage):
    stage.buy()
    stage.price(9_000, day=29.9)
    with refused("price_cover: not expired"):
        stage.fix(30)
    stage.go(30)
    with refused("price_cover: no policy ends"):
        stage.fix(29)
    stage.fix(30)


# --- Payout --------------------------------------------------------------------


def test_settle__below_the_strike__pays_the_holder_once(stage: CoverStage):
    policy = stage.buy()
    before = stage.dollars(stage.roles.mine_operator)
    stage.price(8_123.45678901, day=29)
    stage.go(30)
    with refused("price_cover: not fixed"):
        stage.act("settle", policy, by=stage.roles.stranger)
    fixed = stage.fix(30)
    # 876.54321099 USD x 100 t = 87,654.321099 USD.
    owed = 87_654_321_099
    price = 8_123_45678901 * 10**10
    fields = {"expiry": stage.at(30), "price": price, "owed": owed, "paid": owed}
    assert events(stage.pool, fixed) == [("SettlementFixed", fields)]
    stage.check_books()
    with refused("price_cover: payout is due"):
        stage.act("expire", policy, by=stage.roles.stranger)
    paid = stage.act("settle", policy, by=stage.roles.stranger)
    holder = stage.roles.mine_operator
    fields = {"policy_id": policy, "holder": holder, "owed": owed, "paid": owed}
    assert events(stage.pool, paid) == [("CoverSettled", fields)]
    assert stage.dollars(holder) - before == owed
    assert stage.read("set_aside") == 0
    for function in ("settle", "expire"):
        with refused("price_cover: policy is closed"):
            stage.act(function, policy, by=holder)
    stage.check_books()


def test_expire__at_the_strike__pays_nothing_and_frees_the_capital(stage: CoverStage):
    policy = stage.buy()
    stage.price(9_000, day=29)
    stage.go(30)
    assert stage.read("locked") == 900_000 * DOLLAR
    stage.fix(30)
    assert stage.read("locked") == 0
    with refused("price_cover: nothing to pay"):
        stage.act("settle", policy, by=stage.roles.mine_operator)
    closed = stage.act("expire", policy, by=stage.roles.stranger)
    assert events(stage.pool, closed) == [("CoverExpired", {"policy_id": policy})]


def test_settle__of_a_policy_that_does_not_exist__reverts(stage: CoverStage):
    stage.buy()
    for function in ("settle", "expire", "trigger", "clear_trigger"):
        with refused("price_cover: no such policy"):
            stage.act(function, 2, by=stage.roles.stranger)
    assert stage.read("payout_of", 1) == (0, 0)


def test_payout__of_a_price_of_nothing__is_the_sum_insured_and_leverage_1_pays_it(
    stage: CoverStage,
):
    policies = [stage.buy(tonnes=110, strike=9_000), stage.buy(tonnes=100, strike=10_000)]
    stage.price(1e-8, day=29)
    stage.go(30)
    stage.fix(30)
    for policy, tonnes in zip(policies, (110, 100), strict=True):
        owed, paid = stage.read("payout_of", policy)
        # Of each strike the settlement of 1e-8 USD a tonne is missing, rounded down.
        assert owed == paid == stage.policy(policy).sum_insured - 1 - tonnes // 101
        stage.act("settle", policy, by=stage.roles.stranger)
    stage.check_books()


def test_crash__at_leverage_2__is_paid_pro_rata_with_a_shortfall(new_stage: NewStage):
    stage = new_stage(pool_usd=1_000_000, leverage=2 * WAD)
    deep, shallow = stage.buy(tonnes=100, strike=10_000), stage.buy(tonnes=120, strike=8_000)
    later = stage.buy(tonnes=4, strike=9_000, days=60)
    premiums = [30 * stage.policy(k).premium_per_day for k in (deep, shallow)]
    half = 30 * stage.policy(later).premium_per_day
    stage.price(3_000, day=29)
    stage.go(30)
    stage.fix(30)
    pool = 1_000_000 * DOLLAR + sum(premiums) + half
    # Sums insured: 1,000,000 + 960,000 of 1,996,000 end that day and get that part at most.
    available = pool * 1_960_000 // 1_996_000
    owed = (700_000 * DOLLAR, 600_000 * DOLLAR)
    assert available < sum(owed)
    for policy, claim in zip((deep, shallow), owed, strict=True):
        paid = claim * available // sum(owed)
        assert stage.read("payout_of", policy) == (claim, paid)
        logs = events(stage.pool, stage.act("settle", policy, by=stage.roles.stranger))
        assert [name for name, _ in logs] == ["CoverSettled", "Shortfall"]
        holder = stage.roles.mine_operator
        fields = {"policy_id": policy, "holder": holder, "missing": claim - paid}
        assert logs[1] == ("Shortfall", fields)
        stage.check_books()
    # What is left per sum insured has not fallen: the later policy keeps its part.
    assert stage.read("totalAssets") * 1_996_000 >= pool * 36_000


@pytest.mark.parametrize("first", [30, 45])
def test_two_days__in_either_order__get_no_less_than_their_part(new_stage: NewStage, first: int):
    stage = new_stage(pool_usd=1_000_000, leverage=2 * WAD, premium_floor=0, premium_slope=0)
    policies = {30: stage.buy(strike=10_000, days=30), 45: stage.buy(strike=10_000, days=45)}
    stage.price(2_000, day=29)
    stage.price(2_000, day=44)
    stage.price(2_000, day=45)
    for day in (first, 75 - first):
        stage.fix(day, 2 if day == 30 else 3)
    # 800,000 owed to each, and half of 1,000,000 there for each.
    for policy in policies.values():
        assert stage.read("payout_of", policy) == (800_000 * DOLLAR, 500_000 * DOLLAR)
    assert stage.read("totalAssets") == 0


# --- Sales ---------------------------------------------------------------------


def test_buy_cover__books_and_logs_the_policy(stage: CoverStage):
    miner = stage.roles.mine_operator
    cover = stage.cover(100, 9_000, 30)
    premium = stage.read("quote", *cover)
    with refused("price_cover: premium is too high"):
        stage.act("buy_cover", *cover, premium - 1, by=miner)
    bought = stage.act("buy_cover", *cover, premium, by=miner)
    ((name, fields),) = events(stage.pool, bought)
    expected = {
        "policy_id": 1,
        "holder": miner,
        "amount": 100 * WAD,
        "strike": 9_000 * WAD,
        "sum_insured": 900_000 * DOLLAR,
        "premium": premium,
        "start": stage.at(0),
        "expiry": stage.at(30),
    }
    assert (name, fields) == ("CoverBought", expected)
    assert stage.dollars(miner) == 10**9 * DOLLAR - premium
    assert stage.read("locked") == 900_000 * DOLLAR
    assert stage.read("utilisation") == 45 * WAD // 100
    stage.check_books()


@pytest.mark.parametrize(
    ("reason", "wrong", "right"),
    [
        ("price_cover: strike is zero", (100, 0, 30), (100, 9_000, 30)),
        ("price_cover: term is too short", (100, 9_000, 6), (100, 9_000, 7)),
        ("price_cover: term is too long", (100, 9_000, 366), (100, 9_000, 365)),
        ("price_cover: strike is too high", (100, 10_000.01, 30), (100, 10_000, 30)),
        ("price_cover: sum is too small", (1, 999.99, 30), (1, 1_000, 30)),
        ("price_cover: exceeds capacity", (201, 10_000, 30), (200, 10_000, 30)),
    ],
)
def test_buy_cover__outside_a_bound__reverts(
    stage: CoverStage, reason: str, wrong: tuple[int, float, int], right: tuple[int, float, int]
):
    with refused(reason):
        stage.buy(*wrong)
    assert stage.buy(*right) == 1


def test_buy_cover__at_leverage_2__insures_twice_the_pool(new_stage: NewStage):
    stage = new_stage(leverage=2 * WAD)
    with refused("price_cover: exceeds capacity"):
        stage.buy(tonnes=401, strike=10_000)
    stage.buy(tonnes=400, strike=10_000)
    stage.check_books()


def test_buy_cover__on_an_old_price__reverts(stage: CoverStage):
    stage.go(6)
    with refused("feed: answer is too old"):
        stage.buy()
    stage.price(SPOT)
    stage.buy()


def test_buy_cover__for_a_day_with_64_policies__reverts(stage: CoverStage):
    cover = (*stage.cover(1, 1_000, 30), UNLIMITED)
    calls = [stage.pool.call("buy_cover", *cover, sender=stage.roles.trader) for _ in range(64)]
    stage.chain.block(stage.chain.timestamp(), calls)
    with refused("cover_book: day is full"):
        stage.buy(1, 1_000, 30)
    stage.buy(1, 1_000, 31)
    stage.price(500, day=29)
    stage.go(30)
    receipt = stage.fix(30)
    assert receipt.gas_used < 10_000_000
    for policy in range(1, 65):
        stage.act("settle", policy, by=stage.roles.stranger)
    stage.check_books()


def test_buy_cover__while_paused__reverts_and_settlement_goes_on(stage: CoverStage):
    guardian, stranger = stage.roles.guardian, stage.roles.stranger
    policy = stage.buy()
    for function in ("pause", "unpause"):
        with refused("ownable: caller is not the owner"):
            stage.act(function, by=stranger)
    with refused("price_cover: not paused"):
        stage.act("unpause", by=guardian)
    assert events(stage.pool, stage.act("pause", by=guardian)) == [("Paused", {})]
    with refused("price_cover: already paused"):
        stage.act("pause", by=guardian)
    with refused("price_cover: paused"):
        stage.buy()
    assert stage.read("maxDeposit", stranger) == stage.read("maxMint", stranger) == 0
    with refused("price_cover: paused"):
        stage.deposit(1)
    stage.act("requestWithdraw", DOLLAR, by=stage.roles.underwriter)
    stage.price(8_000, day=29)
    stage.go(30)
    stage.fix(30)
    stage.act("settle", policy, by=stranger)
    assert events(stage.pool, stage.act("unpause", by=guardian)) == [("Unpaused", {})]
    stage.deposit(1)


# --- Trigger and lag -----------------------------------------------------------


def test_trigger__below_its_price__stops_sales_and_deposits_until_cleared(stage: CoverStage):
    policy = stage.buy()
    stranger = stage.roles.stranger
    # The trigger is 95 % of 9,000.
    stage.price(8_550, day=1)
    with refused("price_cover: not triggered"):
        stage.act("trigger", policy, by=stranger)
    stage.price(8_549.99)
    with refused("price_cover: nothing to clear"):
        stage.act("clear_trigger", policy, by=stranger)
    found = stage.act("trigger", policy, by=stranger)
    fields = {"policy_id": policy, "price": 8_549_99 * 10**16}
    assert events(stage.pool, found) == [("Triggered", fields)]
    with refused("price_cover: already triggered"):
        stage.act("trigger", policy, by=stranger)
    assert stage.read("triggered_sum") == 900_000 * DOLLAR
    with refused("price_cover: triggered"):
        stage.buy(strike=5_000)
    with refused("price_cover: triggered"):
        stage.deposit(1)
    assert stage.read("maxDeposit", stranger) == 0
    stage.price(8_999.99, day=2)
    with refused("price_cover: below the strike"):
        stage.act("clear_trigger", policy, by=stranger)
    stage.price(9_000)
    cleared = stage.act("clear_trigger", policy, by=stranger)
    fields = {"policy_id": policy, "price": 9_000 * WAD}
    assert events(stage.pool, cleared) == [("TriggerCleared", fields)]
    stage.buy(strike=5_000)
    stage.deposit(1)


def test_trigger__ends_with_the_settlement(stage: CoverStage):
    policy = stage.buy()
    stage.price(8_000, day=29)
    stage.act("trigger", policy, by=stage.roles.stranger)
    stage.go(30)
    with refused("price_cover: settlement is due"):
        stage.act("clear_trigger", policy, by=stage.roles.stranger)
    stage.fix(30)
    assert stage.read("triggered_sum") == 0
    with refused("price_cover: cover not running"):
        stage.act("trigger", policy, by=stage.roles.stranger)
    stage.buy(strike=5_000)


def test_trigger__before_the_start__reverts(new_stage: NewStage):
    stage = new_stage(lag_days=2)
    policy = stage.buy()
    stage.price(8_000, day=1.9)
    with refused("price_cover: cover not running"):
        stage.act("trigger", policy, by=stage.roles.stranger)
    stage.go(2)
    stage.act("trigger", policy, by=stage.roles.stranger)


def test_void__after_a_fall_in_the_lag__returns_the_premium(new_stage: NewStage):
    stage = new_stage(lag_days=2)
    miner, stranger = stage.roles.mine_operator, stage.roles.stranger
    early = stage.price(8_000, day=0.1)
    stage.price(SPOT, day=0.2)
    before = stage.dollars(miner)
    policy, other = stage.buy(), stage.buy(tonnes=50)
    paid = 30 * stage.policy(policy).premium_per_day
    with refused("price_cover: round is too old"):
        stage.act("void", policy, early, by=stranger)
    bad = stage.price(-1, day=1)
    high, fall = stage.price(8_550), stage.price(8_549)
    with refused("price_cover: no price"):
        stage.act("void", policy, bad, by=stranger)
    with refused("price_cover: not triggered"):
        stage.act("void", policy, high, by=stranger)
    voided = stage.act("void", policy, fall, by=stranger)
    fields = {"policy_id": policy, "price": 8_549 * WAD, "premium": paid}
    assert events(stage.pool, voided) == [("CoverVoided", fields)]
    assert before - stage.dollars(miner) == 30 * stage.policy(other).premium_per_day
    assert stage.read("locked") == 450_000 * DOLLAR
    with refused("price_cover: policy is closed"):
        stage.act("void", policy, fall, by=stranger)
    stage.check_books()
    stage.go(3)
    with refused("price_cover: cover has started"):
        stage.act("void", other, fall, by=stranger)
    # The other policy of the day is settled as if the voided one had never been.
    stage.price(7_000, day=32)
    stage.go(33)
    stage.fix(33)
    assert stage.read("payout_of", policy) == (0, 0)
    with refused("price_cover: policy is closed"):
        stage.act("settle", policy, by=miner)
    stage.act("settle", other, by=stranger)
    stage.check_books()


def test_void__of_the_only_policy_of_a_day__leaves_nothing_due(new_stage: NewStage):
    stage = new_stage(lag_days=2)
    policy = stage.buy()
    fall = stage.price(8_000, day=1)
    stage.act("void", policy, fall, by=stage.roles.stranger)
    stage.price(SPOT, day=32)
    with refused("price_cover: no policy ends"):
        stage.fix(32)
    stage.deposit(1)
    stage.check_books()


# --- Underwriters --------------------------------------------------------------


def test_deposit__gives_shares_at_the_price_of_the_book(stage: CoverStage):
    who = stage.roles.depositor
    assert stage.read("balanceOf", stage.roles.underwriter) == 2_000_000 * DOLLAR
    stage.buy()
    stage.price(SPOT, day=15)
    total, supply = stage.read("totalAssets"), stage.read("totalSupply")
    expected = 1_000 * DOLLAR * (supply + 1) // (total + 1)
    assert stage.read("previewDeposit", 1_000 * DOLLAR) == expected
    receipt = stage.act("deposit", 1_000 * DOLLAR, who, by=who)
    fields = {"sender": who, "owner": who, "assets": 1_000 * DOLLAR, "shares": expected}
    assert events(stage.pool, receipt, "Deposit") == [("Deposit", fields)]
    cost = stage.read("previewMint", 10**6)
    before = stage.dollars(who)
    stage.act("mint", 10**6, who, by=who)
    assert before - stage.dollars(who) == cost
    for function, reason in (
        ("deposit", "share_math: too little for the price of a share"),
        ("mint", "price_cover: no shares"),
    ):
        with refused(reason):
            stage.act(function, 0, who, by=who)
    stage.check_books()


def test_deposit__while_a_settlement_is_due__reverts(stage: CoverStage):
    stage.buy()
    stage.price(8_000, day=29)
    stage.go(30)
    with refused("price_cover: settlement is due"):
        stage.deposit(1)
    assert stage.read("maxDeposit", stage.roles.depositor) == 0
    with refused("price_cover: settlement is due"):
        stage.buy()
    stage.fix(30)
    stage.deposit(1)


def test_deposit__beyond_the_greatest_pool__reverts(stage: CoverStage):
    who = stage.roles.depositor
    room = stage.read("maxDeposit", who)
    assert room == 10**30 - 2_000_000 * DOLLAR
    stage.send(stage.usdc, "mint", who, room, by=stage.roles.owner)
    with refused("price_cover: pool is full"):
        stage.act("deposit", room + 1, who, by=who)
    stage.act("deposit", room, who, by=who)


def test_deposit__in_a_ruined_pool__reverts(new_stage: NewStage):
    stage = new_stage(pool_usd=1_000_000, leverage=2 * WAD, premium_floor=0, premium_slope=0)
    policy = stage.buy(tonnes=200, strike=10_000)
    stage.price(1_000, day=29)
    stage.go(30)
    stage.fix(30)
    assert stage.read("totalAssets") == 0
    stage.act("settle", policy, by=stage.roles.stranger)
    with refused("price_cover: pool is ruined"):
        stage.deposit(1)
    assert stage.read("maxDeposit", stage.roles.depositor) == 0


def test_withdraw__and_redeem__always_revert(stage: CoverStage):
    who = stage.roles.underwriter
    for function in ("withdraw", "redeem"):
        with refused("price_cover: withdraw through a request"):
            stage.act(function, 1, who, who, by=who)
    assert stage.read("maxWithdraw", who) == stage.read("maxRedeem", who) == 0
    stage.act("requestWithdraw", 1, by=who)


def test_claim_withdraw__within_its_window__pays_the_price_of_the_claim(stage: CoverStage):
    who, receiver = stage.roles.underwriter, stage.roles.stranger
    shares = 500_000 * DOLLAR
    for function in ("cancelWithdraw", "claimWithdraw"):
        with refused("price_cover: nothing requested"):
            stage.act(function, *([receiver] if "claim" in function else []), by=who)
    with refused("price_cover: nothing requested"):
        stage.act("requestWithdraw", 0, by=who)
    asked = stage.act("requestWithdraw", shares, by=who)
    fields = {"owner": who, "shares": shares, "ripe_at": stage.at(7)}
    assert events(stage.pool, asked, "WithdrawRequested") == [("WithdrawRequested", fields)]
    stage.buy()
    stage.chain.block(stage.at(7) - 1, [])
    with refused("price_cover: cooling down"):
        stage.act("claimWithdraw", receiver, by=who)
    stage.go(7)
    expected = stage.read("exit_value", shares)
    # Half a month's premiums have come in since: the price is above one.
    assert expected > shares
    claimed = stage.act("claimWithdraw", receiver, by=who)
    ((_, fields),) = events(stage.pool, claimed, "Withdraw")
    assert (fields["assets"], fields["shares"]) == (expected, shares)
    assert stage.dollars(receiver) == expected
    stage.check_books()


def test_claim_withdraw__after_its_window__reverts_until_asked_again(stage: CoverStage):
    who = stage.roles.underwriter
    stage.act("requestWithdraw", DOLLAR, by=who)
    stage.chain.block(stage.at(9) + 1, [])
    with refused("price_cover: request lapsed"):
        stage.act("claimWithdraw", who, by=who)
    cancelled = stage.act("cancelWithdraw", by=who)
    fields = {"owner": who, "shares": DOLLAR}
    assert events(stage.pool, cancelled, "WithdrawCancelled") == [("WithdrawCancelled", fields)]
    assert stage.read("balanceOf", who) == 2_000_000 * DOLLAR
    stage.act("requestWithdraw", DOLLAR, by=who)
    stage.chain.block(stage.chain.timestamp() + 9 * DAY, [])
    stage.act("claimWithdraw", who, by=who)


def test_request_withdraw__twice__starts_the_cooldown_anew(stage: CoverStage):
    who = stage.roles.underwriter
    stage.act("requestWithdraw", DOLLAR, by=who)
    stage.go(5)
    stage.act("requestWithdraw", DOLLAR, by=who)
    assert stage.read("requests", who) == (2 * DOLLAR, stage.at(12))
    stage.go(7)
    with refused("price_cover: cooling down"):
        stage.act("claimWithdraw", who, by=who)
    stage.go(12)
    stage.act("claimWithdraw", who, by=who)
    assert stage.dollars(who) == 10**9 * DOLLAR - 1_999_998 * DOLLAR


@pytest.mark.parametrize("leverage", [1, 2])
def test_claim_withdraw__beyond_free_capital__leaves_what_policies_need(
    new_stage: NewStage, leverage: int
):
    stage = new_stage(leverage=leverage * WAD, premium_floor=0, premium_slope=0)
    who = stage.roles.underwriter
    stage.buy(tonnes=150, strike=10_000)
    stage.act("requestWithdraw", 2_000_000 * DOLLAR, by=who)
    stage.go(7)
    free = (2_000_000 - 1_500_000 // leverage) * DOLLAR
    assert stage.read("free_capital") == stage.read("exit_value", 2_000_000 * DOLLAR) == free
    stage.act("claimWithdraw", who, by=who)
    assert stage.dollars(who) == (10**9 - 2_000_000) * DOLLAR + free
    # The rest stays requested, and nothing more is free.
    assert stage.read("requests", who)[0] == 2_000_000 * DOLLAR - free
    with refused("price_cover: no free capital"):
        stage.act("claimWithdraw", who, by=who)
    stage.check_books()


def test_claim_withdraw__of_the_last_share__leaves_the_next_deposit_one_to_one(
    stage: CoverStage,
):
    who = stage.roles.underwriter
    stage.buy(days=7)
    stage.price(SPOT, day=6)
    stage.act("requestWithdraw", 2_000_000 * DOLLAR, by=who)
    stage.go(7)
    stage.fix(7)
    stage.price(SPOT, day=13)
    stage.act("claimWithdraw", who, by=who)
    assert stage.read("totalSupply") == 0
    assert stage.deposit(1_000, by=stage.roles.depositor) == 1_000 * DOLLAR
    stage.check_books()


def test_accrual__after_more_than_a_year__takes_two(stage: CoverStage):
    stage.buy()
    stage.go(366)
    stage.price(SPOT)
    with refused("cover_book: accrue first"):
        stage.fix(30, 1)
    assert stage.read("maxDeposit", stage.roles.depositor) == 0
    stage.act("accrue", by=stage.roles.stranger)
    stage.fix(30, 1)


# --- Deployment and standards --------------------------------------------------


@pytest.mark.parametrize(
    ("reason", "term", "beyond", "last"),
    [
        ("price_cover: leverage below 1", "leverage", WAD - 1, WAD),
        ("price_cover: leverage above 5", "leverage", 5 * WAD + 1, 5 * WAD),
        ("price_cover: greatest strike is zero", "max_strike_share", 0, 1),
        (
            "price_cover: greatest strike above 200 %",
            "max_strike_share",
            2 * WAD + 1,
            2 * WAD,
        ),
        ("price_cover: least sum insured is zero", "min_sum_insured", 0, 1),
        ("price_cover: trigger above the strike", "trigger_share", WAD + 1, WAD),
        ("price_cover: shortest term is zero", "min_term_days", 0, 1),
        ("price_cover: shortest term above the longest", "max_term_days", 6, 7),
        ("price_cover: longest term above ten years", "max_term_days", 3_651, 3_650),
        ("price_cover: lag above ten years", "lag_days", 3_651, 3_650),
        ("price_cover: window is zero", "window_seconds", 0, 1),
        ("price_cover: window above the shortest term", "window_seconds", 7 * DAY + 1, 7 * DAY),
        (
            "price_cover: cooldown above ten years",
            "cooldown_seconds",
            3_650 * DAY + 1,
            3_650 * DAY,
        ),
        (
            "price_cover: claim window above ten years",
            "claim_window_seconds",
            3_650 * DAY + 1,
            3_650 * DAY,
        ),
        (
            "premium_curve: floor above the ceiling",
            "premium_ceiling",
            2 * WAD // 100 - 1,
            2 * WAD // 100,
        ),
        ("premium_curve: ceiling above 100 %", "premium_ceiling", WAD + 1, WAD),
        ("premium_curve: slope above 1000 %", "premium_slope", 10 * WAD + 1, 10 * WAD),
    ],
)
def test_deploy__with_a_term_beyond_its_bound__reverts_and_at_it_passes(
    stage: CoverStage, reason: str, term: str, beyond: int, last: int
):
    with refused(reason):
        stage.deploy_pool(stage.usdc, stage.feed, replace(CoverTerms(), **{term: beyond}))
    stage.deploy_pool(stage.usdc, stage.feed, replace(CoverTerms(), **{term: last}))


@pytest.mark.parametrize(
    ("index", "reason"),
    [
        (3, "price_cover: feed is the zero address"),
        (4, "price_cover: reader is the zero address"),
        (5, "price_cover: guardian is the zero address"),
    ],
)
def test_deploy__with_a_missing_address__reverts(stage: CoverStage, index: int, reason: str):
    parts = (stage.usdc, stage.feed, stage.feed_reader)
    args: list[object] = ["Copper Cover", "cCOV", *parts, stage.roles.guardian]
    terms = astuple(CoverTerms())
    found = deploy(stage.chain, "price_cover", *args, terms, sender=stage.roles.owner)
    assert found.read(stage.chain, "owner") == stage.roles.guardian
    assert found.read(stage.chain, "terms") == terms
    args[index] = ZERO_ADDRESS
    with refused(reason):
        deploy(stage.chain, "price_cover", *args, terms, sender=stage.roles.owner)


def test_deploy__with_too_many_decimals__reverts(stage: CoverStage):
    args = ("Copper / USD", stage.roles.keeper)
    feed = deploy(stage.chain, "price_feed", 19, *args, sender=stage.roles.owner)
    with refused("feed_average: more than 18 decimals"):
        stage.deploy_pool(stage.usdc, feed)
    feed = deploy(stage.chain, "price_feed", 18, *args, sender=stage.roles.owner)
    stage.deploy_pool(stage.usdc, feed)


def test_deploy__with_a_reader_that_answers_nothing__reverts(stage: CoverStage):
    reader = stage.feed_reader
    for other in (stage.roles.stranger, stage.usdc):
        stage.feed_reader = other
        with pytest.raises(TransactionReverted):
            stage.deploy_pool(stage.usdc, stage.feed)
    edit = ("feed_reader.vy", "    return feed_average._scale(feed)\n", "    return 0\n")
    silent = compile_patched(SOURCE.with_name("feed_reader.vy"), edit)
    stage.feed_reader = stage.chain.deploy(silent, (), sender=stage.roles.owner)
    with refused("price_cover: reader has no scale"):
        stage.deploy_pool(stage.usdc, stage.feed)
    stage.feed_reader = reader
    pool = stage.deploy_pool(stage.usdc, stage.feed)
    assert pool.read(stage.chain, "feed_reader") == reader.address


def test_rounds__of_a_feed_that_gives_empty_ones__revert(revm: Chain, roles: SimpleNamespace):
    silent = '    assert stored.updated_at != 0, "price_feed: no data"\n'
    patched = compile_patched(SOURCE.with_name("price_feed.vy"), ("price_feed.vy", silent, ""))
    stage = CoverStage(revm, roles, CoverTerms(lag_days=2))
    feed = revm.deploy(patched, (8, "Copper / USD", roles.keeper), sender=roles.owner)
    stage.feed, stage.rounds = feed, 0
    stage.pool = stage.deploy_pool(stage.usdc, feed)
    for who in (roles.underwriter, roles.mine_operator):
        stage.send(stage.usdc, "approve", stage.pool.address, UNLIMITED, by=who)
    stage.price(SPOT, day=1)
    stage.deposit(2_000_000)
    policy = stage.buy()
    fall = stage.price(8_000, day=2)
    with refused("feed_average: no such round"):
        stage.act("void", policy, fall + 1, by=roles.stranger)
    stage.act("void", policy, fall, by=roles.stranger)


def test_asset__with_a_transfer_fee__credits_deposits_with_what_arrives(
    revm: Chain, roles: SimpleNamespace
):
    stage = CoverStage(revm, roles)
    feed = deploy(revm, "price_feed", 8, "Reserve", roles.keeper, sender=roles.owner)
    send(revm, feed, "update_answer", 10**15, sender=roles.keeper)
    args = ("Dollar with a fee", "USDF", 6, feed, 365 * DAY)
    token = deploy(revm, "gold_token", *args, sender=roles.owner)
    send(revm, token, "increaseSupply", 10**12, sender=roles.owner)
    send(revm, token, "setFeeRecipient", roles.treasury, sender=roles.owner)
    send(revm, token, "setFeeRate", 200, sender=roles.owner)
    pool = stage.deploy_pool(token, stage.feed)
    send(revm, token, "approve", pool.address, UNLIMITED, sender=roles.owner)
    expected = 10**10 - 10**10 * 200 // 1_000_000
    assert pool.read(revm, "previewDeposit", 10**10) == expected
    send(revm, pool, "deposit", 10**10, roles.owner, sender=roles.owner)
    assert pool.read(revm, "balanceOf", roles.owner) == expected
    with refused("price_cover: too little arrived"):
        send(revm, pool, "mint", 10**9, roles.owner, sender=roles.owner)
    cover = (*stage.cover(1, 9_000, 30), UNLIMITED)
    with refused("price_cover: too little arrived"):
        send(revm, pool, "buy_cover", *cover, sender=roles.owner)
    send(revm, token, "setFeeRate", 0, sender=roles.owner)
    send(revm, pool, "mint", 10**9, roles.owner, sender=roles.owner)
    send(revm, pool, "buy_cover", *cover, sender=roles.owner)


def test_interface__has_the_names_of_erc4626_and_a_size_that_fits():
    amounts = (
        "convertToShares",
        "convertToAssets",
        "previewDeposit",
        "previewMint",
        "previewWithdraw",
        "previewRedeem",
    )
    limits = ("maxDeposit", "maxMint", "maxWithdraw", "maxRedeem")
    functions = {
        **ERC20_FUNCTIONS,
        **{f"{name}(uint256)": "uint256" for name in amounts},
        **{f"{name}(address)": "uint256" for name in limits},
        "asset()": "address",
        "totalAssets()": "uint256",
        "deposit(uint256,address)": "uint256",
        "mint(uint256,address)": "uint256",
        "withdraw(uint256,address,address)": "uint256",
        "redeem(uint256,address,address)": "uint256",
    }
    topics = {
        **ERC20_TOPICS,
        "Deposit(address,address,uint256,uint256)": 2,
        "Withdraw(address,address,address,uint256,uint256)": 3,
    }
    artifact = load_artifact("price_cover")
    check_standard(artifact, functions, topics)
    assert artifact.deployed_size <= 24_576
