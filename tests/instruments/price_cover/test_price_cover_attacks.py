"""Attempts to get more out of the price cover than is due; each ends with the attacker's loss."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from cover_stage import SPOT, CoverStage, CoverTerms
from props import DAY, DOLLAR, refused

from simulator.chain import Chain
from simulator.units import WAD

NewStage = Callable[..., CoverStage]


@pytest.fixture
def new_stage(revm: Chain, roles: SimpleNamespace) -> NewStage:
    def make(pool_usd: int = 2_000_000, **terms: int) -> CoverStage:
        return CoverStage(revm, roles, CoverTerms(**terms), pool_usd)

    return make


@pytest.mark.parametrize(("spike_usd", "owed"), [(1, 5_951), (10**6, 0)])
def test_spike__of_an_hour__moves_the_settlement_by_its_hour_alone(
    new_stage: NewStage, spike_usd: int, owed: int
):
    stage = new_stage(window_seconds=7 * DAY)
    policy = stage.buy(strike=10_000)
    stage.price(SPOT, day=28)
    stage.price(spike_usd, day=29)
    stage.price(SPOT, day=29 + 1 / 24)
    stage.go(30)
    stage.fix(30)
    # Down: (10,000 - 1) x 1 / 168 of 10,000 USD are missing on 100 t.
    assert stage.read("payout_of", policy)[0] // DOLLAR == owed
    # In spot it would have been the whole sum insured, or nothing.
    assert owed < stage.policy(policy).sum_insured // DOLLAR // 100


def test_spike__that_triggers__is_undone_by_the_next_round(new_stage: NewStage):
    stage = new_stage()
    policy = stage.buy()
    stage.price(1, day=1)
    stage.act("trigger", policy, by=stage.roles.intruder)
    with refused("price_cover: triggered"):
        stage.deposit(1)
    stage.price(SPOT)
    stage.act("clear_trigger", policy, by=stage.roles.stranger)
    stage.deposit(1)


def test_donation__changes_neither_price_nor_capacity(new_stage: NewStage):
    stage = new_stage()
    stage.buy()
    names = ("totalAssets", "share_price", "capacity", "unearned_premium", "free_capital")
    before = [stage.read(name) for name in names]
    held = stage.dollars(stage.pool.address)
    stage.send(stage.usdc, "transfer", stage.pool.address, 10**12, by=stage.roles.trader)
    assert [stage.read(name) for name in names] == before
    assert stage.dollars(stage.pool.address) == held + 10**12


def test_inflation__of_the_first_share__costs_the_attacker_and_nobody_else(
    new_stage: NewStage,
):
    """A share is made dear by premiums, the only way in that is not a deposit."""
    stage = new_stage(pool_usd=0, min_sum_insured=1, premium_floor=WAD, premium_ceiling=WAD)
    attacker, victim = stage.roles.trader, stage.roles.depositor
    stage.act("deposit", 1, attacker, by=attacker)
    cover = (stage.cover(1, SPOT, 365)[0] // 10**10, *stage.cover(1, SPOT, 365)[1:])
    stage.act("buy_cover", *cover, 10**9, by=attacker)
    # A unit of capital insures a unit; its premium is at least one unit a day.
    stage.price(SPOT, day=364)
    stage.go(365)
    stage.fix(365)
    assert stage.read("totalAssets") == 1 + 365
    stage.price(SPOT)
    stage.send(stage.usdc, "transfer", stage.pool.address, 10**9, by=attacker)
    shares = stage.deposit(1_000, by=victim)
    worth = stage.read("convertToAssets", shares)
    # The price of a share, 184 units, is the most that rounding can take.
    assert 1_000 * DOLLAR - worth <= (1 + 365 + 1) // 2 + 1


def test_deposit_around_a_settlement__earns_no_premium_and_no_escape(new_stage: NewStage):
    """Premiums are earned by the second, and a day that is due closes the pool."""
    stage = new_stage()
    stage.buy()
    stage.price(SPOT, day=29.5)
    sandwich = 1_000_000
    shares = stage.deposit(sandwich, by=stage.roles.trader)
    stage.go(30)
    with refused("price_cover: settlement is due"):
        stage.deposit(1, by=stage.roles.trader)
    stage.fix(30)
    gain = stage.read("convertToAssets", shares) - sandwich * DOLLAR
    # Half a day of the premium, by the share of the pool, is all there is.
    half_day = stage.policy(1).premium_per_day // 2
    assert 0 <= gain <= half_day * sandwich // (2_000_000 + sandwich) + 1
    # And it cannot be taken out before the cooldown is over.
    stage.act("requestWithdraw", shares, by=stage.roles.trader)
    with refused("price_cover: cooling down"):
        stage.act("claimWithdraw", stage.roles.trader, by=stage.roles.trader)


def test_leaving_before_a_claim__pays_as_if_the_claim_were_total(new_stage: NewStage):
    stage = new_stage(pool_usd=1_000_000, premium_floor=0, premium_slope=0)
    first, second = stage.roles.underwriter, stage.roles.depositor
    stage.price(SPOT, day=0)
    stage.deposit(1_000_000, by=second)
    policy = stage.buy(tonnes=50, strike=10_000)
    stage.act("requestWithdraw", 1_000_000 * DOLLAR, by=first)
    stage.price(7_000, day=7)
    stage.act("trigger", policy, by=second)
    # 500,000 of 2,000,000 may be lost: half of the rest is the leaver's.
    stage.act("claimWithdraw", first, by=first)
    assert stage.dollars(first) == (10**9 - 1_000_000 + 750_000) * DOLLAR
    stage.price(7_000, day=29)
    stage.go(30)
    stage.fix(30)
    # 150,000 were lost: who stayed has his share of it, and what the leaver gave up.
    assert stage.read("convertToAssets", 1_000_000 * DOLLAR) >= (1_000_000 - 75_000) * DOLLAR
    stage.check_books()


def test_request__kept_ready_as_an_exit__lapses(new_stage: NewStage):
    stage = new_stage()
    who = stage.roles.underwriter
    stage.act("requestWithdraw", 1_000_000 * DOLLAR, by=who)
    stage.go(20)
    stage.price(SPOT)
    policy = stage.buy()
    stage.price(8_000, day=21)
    with refused("price_cover: request lapsed"):
        stage.act("claimWithdraw", who, by=who)
    assert not stage.policy(policy).is_triggered


def test_locked_capital__cannot_leave_whoever_asks_first(new_stage: NewStage):
    stage = new_stage(pool_usd=1_000_000, premium_floor=0, premium_slope=0)
    first, second = stage.roles.underwriter, stage.roles.depositor
    stage.deposit(1_000_000, by=second)
    stage.buy(tonnes=150, strike=10_000)
    for who in (first, second):
        stage.act("requestWithdraw", 1_000_000 * DOLLAR, by=who)
    stage.go(7)
    stage.act("claimWithdraw", first, by=first)
    assert stage.dollars(first) == (10**9 - 1_000_000 + 500_000) * DOLLAR
    with refused("price_cover: no free capital"):
        stage.act("claimWithdraw", second, by=second)
    stage.check_books()


def test_cover_bought_on_an_old_price__is_void_if_the_fall_is_posted_in_the_lag(
    new_stage: NewStage,
):
    """The feed stands still over a weekend; who knows better buys before it opens."""
    stage = new_stage(lag_days=2)
    before = stage.dollars(stage.roles.trader)
    policy = stage.buy(strike=SPOT, by=stage.roles.trader)
    fall = stage.price(8_000, day=1)
    stage.act("void", policy, fall, by=stage.roles.underwriter)
    assert stage.dollars(stage.roles.trader) == before
    assert stage.read("locked") == 0


def test_round_chosen_by_the_claimant__is_refused(new_stage: NewStage):
    """Only the newest round from before the expiry fixes the price."""
    stage = new_stage()
    stage.buy()
    stage.price(1_000, day=10)
    for day in range(11, 33):
        stage.price(SPOT, day=day)
    for wrong in (1, 2, 20):
        with refused("feed_average: not the last round"):
            stage.fix(30, wrong)
    with refused("feed_average: round is too new"):
        stage.fix(30, 22)
    stage.fix(30, 21)
    assert stage.read("payout_of", 1) == (0, 0)
