"""Faults found by a second attack, on security token and price cover, played as they were."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from cover_stage import SPOT, CoverStage, CoverTerms
from props import DAY, DOLLAR, refused
from sto_stage import TOKEN, UNLIMITED, StoStage

from simulator.chain import Chain, Contract
from simulator.errors import TransactionReverted

NewCover = Callable[..., CoverStage]


@pytest.fixture
def stage(revm: Chain, roles: SimpleNamespace) -> StoStage:
    """The stage of the security token; the depositor has 600 tokens and a second wallet."""
    stage = StoStage(revm, roles)
    stage.register(roles.stranger, stage.identities["depositor"])
    stage.mint(roles.depositor, 600)
    return stage


@pytest.fixture
def new_cover(revm: Chain, roles: SimpleNamespace) -> NewCover:
    return lambda **terms: CoverStage(revm, roles, CoverTerms(**terms))


# --- Books of a compliance that a stranger filled first ------------------------


def _fill_books(stage: StoStage, fresh: Contract) -> None:
    """Bind a stranger's token to a fresh compliance, book tokens on a victim, let go of it."""
    intruder, victim = stage.roles.intruder, stage.roles.depositor
    registry = stage.deploy("identity_registry", sender=intruder)
    terms = ("Trap", "TRAP", registry, fresh, stage.usdc, DAY, 0, intruder, intruder)
    trap = stage.deploy("mining_sto", *terms, sender=intruder)
    for contract in (registry, trap):
        stage.send(contract, "addAgent", intruder, sender=intruder)
    person = (victim, stage.identities["depositor"], 0)
    stage.send(registry, "registerIdentity", *person, sender=intruder)
    stage.send(trap, "mint", victim, 10**9 * TOKEN, sender=intruder)
    elsewhere = stage.deploy("compliance", sender=intruder)
    stage.send(trap, "setCompliance", elsewhere, sender=intruder)


def test_compliance__that_a_strangers_token_filled__takes_no_token_after_it(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    """It looked fresh again, with a billion tokens on a person who then could buy none."""
    fresh = stage.deploy("compliance")
    _fill_books(stage, fresh)
    person = stage.identities["depositor"]
    assert stage.read(fresh, "held_by", person) == 10**9 * TOKEN
    assert not stage.read(fresh, "isTokenBound", stage.sto)
    with refused("compliance: caller may not bind"):
        stage.send(stage.sto, "setCompliance", fresh, sender=roles.owner)
    with refused("compliance: caller may not bind"):
        stage.deploy_token(fresh)
    untouched = stage.deploy("compliance")
    stage.send(stage.sto, "setCompliance", untouched, sender=roles.owner)
    stage.mint(roles.depositor, 1)


def test_compliance__bound_by_its_owner_ahead__lets_that_token_bind_itself(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    """So an owner who knows his token's address need not fear who binds first."""
    fresh = stage.deploy("compliance")
    stage.send(fresh, "bindToken", stage.sto, sender=roles.owner)
    with refused("compliance: caller may not bind"):
        stage.deploy_token(fresh)
    stage.send(stage.sto, "setCompliance", fresh, sender=roles.owner)
    assert stage.read(fresh, "isTokenBound", stage.sto)


def test_cap__of_a_compliance_that_is_new__counts_what_the_receiver_has(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    """Its books began empty: the first receipt of each wallet passed beyond the cap."""
    fresh = stage.deploy("compliance")
    stage.send(fresh, "set_max_balance", 1_000 * TOKEN, sender=roles.owner)
    stage.mint(roles.trader, 500)
    stage.send(stage.sto, "setCompliance", fresh, sender=roles.owner)
    with refused("compliance: identity would exceed its cap"):
        move = ("transfer", roles.depositor, 400 * TOKEN + 1)
        stage.send(stage.sto, *move, sender=roles.trader)
    stage.send(stage.sto, "transfer", roles.depositor, 400 * TOKEN, sender=roles.trader)
    assert stage.read(fresh, "held_by", stage.identities["depositor"]) == 1_000 * TOKEN


# --- A lock-up of everything ----------------------------------------------------


def test_lockup__of_the_greatest_number__says_so_and_survives_a_recovery(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    """Its sum with the new wallet's own overflowed, unheard: the lock-up was gone."""
    until = stage.chain.timestamp() + 30 * DAY
    stage.stake(roles.depositor, 100)
    for wallet, amount in ((roles.depositor, UNLIMITED), (roles.stranger, 1)):
        lock = ("set_lockup", wallet, amount, until)
        stage.send(stage.compliance, *lock, sender=roles.owner)
    move = ("transfer", roles.trader, 1)
    with refused("compliance: tokens are locked up"):
        stage.send(stage.sto, *move, sender=roles.depositor)
    lost = (roles.depositor, roles.stranger, stage.identities["depositor"])
    stage.send(stage.sto, "recoveryAddress", *lost, sender=roles.agent)
    with refused("compliance: tokens are locked up"):
        stage.send(stage.sto, *move, sender=roles.stranger)
    assert stage.read(stage.compliance, "entrusted_by", roles.stranger) == 100 * TOKEN
    stage.send(stage.sto, *move, sender=roles.stranger, at=until)


# --- A settlement that is due as a shield ----------------------------------------


def test_void__while_a_settlement_is_due__still_ends_a_policy_in_its_lag(
    new_cover: NewCover,
) -> None:
    """A small policy that ended in the lag of a great one shielded it over its start."""
    stage = new_cover(lag_days=2)
    stage.buy(tonnes=1, days=7)
    stage.price(SPOT, day=7.5)
    great = stage.buy(strike=SPOT, days=30)
    fall = stage.price(8_000, day=8)
    stage.go(9)
    with refused("price_cover: settlement is due"):
        stage.deposit(1)
    paid = stage.dollars(stage.roles.mine_operator)
    stage.act("void", great, fall, by=stage.roles.stranger)
    policy = stage.policy(great)
    assert stage.dollars(stage.roles.mine_operator) - paid == policy.premium_per_day * 30
    stage.fix(9)
    stage.check_books()
    assert stage.read("locked") == 0


def test_trigger__while_a_settlement_is_due__holds_whoever_leaves_with_the_fix(
    new_cover: NewCover,
) -> None:
    """Nobody could mark the fall before the fix; who fixed left in the same block, in full."""
    stage = new_cover(cooldown_seconds=DAY, claim_window_seconds=20 * DAY)
    stage.buy(days=7)
    longer = stage.buy(days=30)
    early = stage.roles.depositor
    shares = stage.deposit(1_000_000, by=early)
    stage.act("requestWithdraw", shares, by=early)
    stage.price(8_000, day=6.9)
    stage.price(8_000, day=7)
    stage.act("trigger", longer, by=stage.roles.stranger)
    stage.fix(7, last_round=stage.rounds - 1)
    before, total = stage.dollars(early), stage.read("totalAssets")
    stage.act("claimWithdraw", early, by=early)
    # A third of the pool less the 900,000 USD that the longer policy insures.
    due = (total - 900_000 * DOLLAR) / 3
    assert stage.dollars(early) - before == pytest.approx(due, abs=1 * DOLLAR)
    stage.check_books()


@pytest.mark.parametrize(
    ("stop", "resume"), [(("blacklist",), ("unBlacklist",)), (("pause",), ("unpause",))]
)
def test_void__of_a_holder_whose_dollars_are_stopped__keeps_his_premium_for_him(
    new_cover: NewCover, stop: tuple[str], resume: tuple[str]
) -> None:
    """The premium could not be sent, so the policy outlived its lag."""
    stage = new_cover(lag_days=2)
    holder = stage.roles.mine_operator
    number = stage.buy()
    whom = (holder,) if stop == ("blacklist",) else ()
    fall = stage.price(8_000, day=1)
    stage.send(stage.usdc, *stop, *whom, by=stage.roles.owner)
    before, premium = stage.dollars(holder), stage.policy(number).premium_per_day * 30
    stage.act("void", number, fall, by=stage.roles.stranger)
    assert stage.read("refunds", holder) == stage.read("set_aside") == premium
    assert stage.read("locked") == 0
    with pytest.raises(TransactionReverted):
        stage.act("pay_refund", holder, by=stage.roles.stranger)
    stage.send(stage.usdc, *resume, *whom, by=stage.roles.owner)
    for _ in range(2):
        stage.act("pay_refund", holder, by=stage.roles.stranger)
        assert stage.dollars(holder) - before == premium
    stage.check_books()
    assert stage.read("set_aside") == 0


def test_void__by_a_fall_in_the_second_of_the_purchase__ends_the_policy(
    new_cover: NewCover,
) -> None:
    """Bought in the block of the feed's fall, ahead of it: 767 USD of premium, 200,000 paid.

    100 t at 10,000 USD out of a pool of 2,000,000: rates of 2 % before and 6 % after, a
    mean of 4 % a year; 109.589042 USD a day for seven days.
    """
    stage = new_cover(lag_days=2)
    holder = stage.roles.mine_operator
    before = stage.dollars(holder)
    early = stage.price(7_000, day=0.1)
    stage.price(SPOT, day=0.2)
    number = stage.buy(strike=SPOT, days=7)
    with refused("price_cover: round is too old"):
        stage.act("void", number, early, by=stage.roles.stranger)
    assert (before - stage.dollars(holder)) / DOLLAR == pytest.approx(767.12, abs=0.01)
    fall = stage.price(8_000)
    stage.go(2)
    stage.act("void", number, fall, by=stage.roles.stranger)
    assert stage.dollars(holder) == before
    assert stage.read("locked") == 0
    stage.check_books()


def test_void__by_a_round_that_the_purchase_was_made_at__needs_it_below_the_trigger(
    new_cover: NewCover,
) -> None:
    """Who buys in the block of a round, at its price, cannot be voided by it."""
    stage = new_cover(lag_days=2)
    bought_at = stage.price(8_000, day=0.1)
    number = stage.buy(strike=8_000)
    with refused("price_cover: not triggered"):
        stage.act("void", number, bought_at, by=stage.roles.stranger)
    fall = stage.price(7_599, day=1)
    stage.act("void", number, fall, by=stage.roles.stranger)
