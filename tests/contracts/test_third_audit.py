"""Faults found by a third attack, on vault, queue and market, played as they were."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import pytest
from gold_stage import (
    DAY,
    DOLLAR,
    OUNCE,
    SECONDS_PER_YEAR,
    UNLIMITED,
    GoldStage,
    MarketTerms,
    VaultTerms,
)
from props import refused

from simulator.chain import Chain, Contract

FREE = MarketTerms(base_rate=0, slope1=0, slope2=0)
BATCHES = VaultTerms(cooldown_seconds=DAY, batch_seconds=DAY)

NewStage = Callable[..., GoldStage]


@pytest.fixture
def new_stage(revm: Chain, roles: SimpleNamespace) -> NewStage:
    return lambda **terms: GoldStage(revm, roles, **({"market_terms": FREE} | terms))


def price(stage: GoldStage, pool: Contract) -> int:
    """Return what a share costs, in the asset's unit."""
    assets, supply = (stage.read(pool, name) for name in ("totalAssets", "totalSupply"))
    return int((assets + 1) // (supply + 1))


def worth(stage: GoldStage, account: str, pool: Contract | None = None) -> int:
    """Return what an account's shares of the vault, or of another pool, are worth."""
    pool = pool or stage.vault
    return int(stage.read(pool, "convertToAssets", stage.read(pool, "balanceOf", account)))


def raise_price(stage: GoldStage, pool: Contract, attacker: str, least: int) -> None:
    """Make a share of a nearly empty pool dear: mint one, burn it for a unit, again and again.

    No deposit is unfair on the way, so the rule against those does not stop it.
    """
    while price(stage, pool) < least:
        stage.send(pool, "mint", 1, attacker, sender=attacker)
        stage.send(pool, "withdraw", 1, attacker, attacker, sender=attacker)


def make_market_dear(stage: GoldStage, attacker: str, least: int) -> None:
    """Deploy a market and raise its price: interest on one wei brings it above one."""
    stage.market = stage.deploy_market(replace(MarketTerms(), reserve_factor=0))
    market = stage.market
    stage.endow(attacker, 5_000 * OUNCE, dollars=10**8)
    stage.send(market, "deposit", 2, attacker, sender=attacker)
    stage.send(market, "supply_collateral", 9 * 10**7 * DOLLAR, attacker, sender=attacker)
    stage.send(market, "borrow", 1, attacker, sender=attacker)
    stage.wait(SECONDS_PER_YEAR)
    stage.send(market, "repay", UNLIMITED, attacker, sender=attacker)
    raise_price(stage, market, attacker, least)


# --- Liquidity that ends within a dear share --------------------------------------


def test_withdrawals_of_single_wei__where_liquidity_ends_within_a_dear_share__cost_nothing(
    new_stage: NewStage, roles: SimpleNamespace
) -> None:
    """A wei of cash in the market: each wei withdrawn burnt a share of 0.05 oz.

    60 of them cost the vault 2.98 of 100 oz, and the attacker, who held the rest of the
    market, was 2.93 oz richer; nothing but gas ended it.
    """
    stage = new_stage()
    attacker, vault = roles.intruder, stage.vault
    make_market_dear(stage, attacker, OUNCE // 20)
    market = stage.market
    stage.deposit(roles.depositor, 100 * OUNCE)
    stage.send(vault, "deposit", OUNCE // 1_000, attacker, sender=attacker)
    stage.place(market, 200 * OUNCE)
    assert stage.read(vault, "idle") == 0
    stage.send(market, "deposit", 4_000 * OUNCE, attacker, sender=attacker)
    stage.send(market, "borrow", stage.read(market, "cash") - 1, attacker, sender=attacker)
    before = stage.read(vault, "totalAssets")
    one = ("withdraw", 1, attacker, attacker)
    with refused("gold_vault: exceeds withdrawable"):
        stage.send(vault, *one, sender=attacker)
    assert stage.read(vault, "maxWithdraw", attacker) == 0
    # A share and a half of cash: one share is called back whole, and its rest is idle.
    stage.send(market, "repay", price(stage, market) * 3 // 2, attacker, sender=attacker)
    for _ in range(3):
        stage.send(vault, *one, sender=attacker)
    assert before - stage.read(vault, "totalAssets") <= 3 * 2


# --- Locked profit of a vault whose shares are dear -------------------------------


@pytest.mark.parametrize(("decimals", "dear"), [(18, 995 * 10**6), (6, 995)])
def test_exit__from_a_vault_with_dear_shares__leaves_locked_profit_to_its_holders(
    new_stage: NewStage, roles: SimpleNamespace, decimals: int, dear: int
) -> None:
    """A vault of 1,000 oz at 1e9 wei a share counted as empty: any exit, even one of no shares
    by somebody who had none, gave the fee recipient all 10 oz of a report's locked profit.

    Who is alone with two wei of a vault whose price is above one makes its shares so dear for
    some 1e10 wei, or 12,000 units of a token with 6 decimals (0.012 oz).
    """
    stage = new_stage(decimals=decimals)
    vault, attacker, ounce = stage.vault, roles.intruder, stage.ounce
    stage.deposit(roles.crowd, 100 * ounce)
    stage.place(stage.pool, 100 * ounce)
    stage.credit(50 * ounce)
    stage.report(stage.pool)
    stage.wait(7 * DAY)
    stage.endow(attacker, ounce)
    stage.send(vault, "mint", 2, attacker, sender=attacker)
    shares = stage.read(vault, "balanceOf", roles.crowd)
    stage.send(vault, "redeem", shares, roles.crowd, roles.crowd, sender=roles.crowd)
    raise_price(stage, vault, attacker, dear)
    assert ounce - stage.read(stage.gold, "balanceOf", attacker) < 16 * dear

    stage.deposit(roles.depositor, 1_000 * ounce)
    stage.place(stage.pool, 1_001 * ounce)
    stage.credit(10 * ounce)
    stage.report(stage.pool)
    stranger = roles.stranger
    stage.send(vault, "redeem", 0, stranger, stranger, sender=stranger)
    assert stage.read(vault, "balanceOf", roles.fee_recipient) == 0
    stage.wait(7 * DAY)
    assert worth(stage, roles.depositor) == pytest.approx(1_010 * ounce, rel=1e-5)


# --- An exit that is worth less than its fee --------------------------------------


def test_batch_worth_less_than_its_fee__is_settled_and_does_not_hold_the_queue(
    new_stage: NewStage, roles: SimpleNamespace
) -> None:
    """Five wei that call back a share of 1.2e6 wei: a fee of 244 wei, so the vault refused them,
    and with them every later batch. It cost the attacker 3.7e6 wei."""
    stage = new_stage(vault_terms=BATCHES)
    attacker, depositor = roles.intruder, roles.depositor
    make_market_dear(stage, attacker, 10**6)
    vault, queue = stage.vault, stage.queue
    stage.deposit(depositor, 100 * OUNCE)
    stage.send(vault, "deposit", 10**12, attacker, sender=attacker)
    stage.place(stage.market, UNLIMITED)
    stage.send(stage.gold, "setFeeRate", 200, sender=roles.owner)
    batches = []
    for who, shares in ((attacker, 5), (depositor, 50 * OUNCE)):
        stage.send(vault, "approve", queue, UNLIMITED, sender=who)
        stage.send(queue, "request_redeem", shares, sender=who)
        batches.append(stage.chain.timestamp() // DAY)
        stage.wait(DAY)
    stage.wait(2 * DAY)
    assert stage.read(vault, "idle") == 0
    before = stage.read(vault, "totalAssets")
    stage.send(queue, "settle_batch", batches[0], sender=roles.stranger)
    # The others bear one share's fee; the share's rest is idle, so the next dust pays none.
    assert before - stage.read(vault, "totalAssets") <= 5 + 250
    stage.send(queue, "settle_batch", batches[1], sender=roles.stranger)
    stage.send(queue, "claim_batch", batches[1], sender=depositor)
    # 0.02 % on each of three transfers: market to vault, to the queue, to him.
    due = 50 * OUNCE * 9_998**3 // 10_000**3
    assert stage.read(stage.gold, "balanceOf", depositor) == pytest.approx(due, abs=10**7)


def test_max_withdraw__of_shares_worth_less_than_their_fee__is_zero(
    new_stage: NewStage, roles: SimpleNamespace
) -> None:
    """It reverted, which ERC-4626 does not allow it."""
    stage = new_stage()
    attacker, vault = roles.intruder, stage.vault
    make_market_dear(stage, attacker, 10**6)
    stage.deposit(roles.depositor, 100 * OUNCE)
    stage.send(vault, "mint", 5, attacker, sender=attacker)
    stage.place(stage.market, UNLIMITED)
    stage.send(stage.gold, "setFeeRate", 200, sender=roles.owner)
    assert stage.read(vault, "maxWithdraw", attacker) == 0
    assert stage.read(vault, "maxWithdraw", roles.depositor) > 99 * OUNCE
    with refused("gold_vault: exit below its fee"):
        stage.send(vault, "redeem", 5, attacker, attacker, sender=attacker)


# --- What was burnt before a batch was settled ------------------------------------


@pytest.mark.parametrize("left", [0, 4])
def test_batch_settled_after_the_issuer_burnt_what_was_set_aside__loses_nothing(
    new_stage: NewStage, roles: SimpleNamespace, left: int
) -> None:
    """10 oz set aside were burnt, then 90 oz of others came: they got 81, the first nine."""
    stage = new_stage(vault_terms=BATCHES)
    vault, queue, first, second = stage.vault, stage.queue, roles.trader, roles.depositor
    batches = []
    for who, ounces in ((first, 10), (second, 90)):
        stage.deposit(who, ounces * OUNCE)
        stage.send(vault, "approve", queue, UNLIMITED, sender=who)
        stage.send(queue, "request_redeem", ounces * OUNCE, sender=who)
        batches.append(stage.chain.timestamp() // DAY)
        stage.wait(2 * DAY)
        stage.send(queue, "settle_batch", batches[-1], sender=roles.stranger)
        if who == first:
            for function in ("freeze", "wipeFrozenAddress", "unfreeze"):
                stage.send(stage.gold, function, queue.address, sender=roles.owner)
            stage.send(stage.gold, "transfer", queue, left * OUNCE, sender=roles.owner)
    for who, batch, ounces in ((first, batches[0], left), (second, batches[1], 90)):
        quoted = stage.read(queue, "claimable_assets", batch, who)
        stage.send(queue, "claim_batch", batch, sender=who)
        assert stage.read(stage.gold, "balanceOf", who) == quoted
        assert abs(quoted - ounces * OUNCE) <= 2
    assert stage.read(queue, "set_aside") == 0


# --- Left open: played so that the figures stand -----------------------------------


def test_recovery_of_a_loss__takes_a_fee_on_it_and_a_part_of_what_it_locks(
    new_stage: NewStage, roles: SimpleNamespace
) -> None:
    """90 of 100 oz are lost and come back: a fee of 10 % leaves the depositor 52.6 oz.

    The fee, 9 oz, buys shares at 0.1 oz: 90 beside the depositor's 100. As the other 81 oz
    unlock, they are for 190 shares: 90 / 190 x 100 oz = 47.4 oz are the fee recipient's.
    Yearn V3 has the same arithmetic: no high-water mark, and fee shares share in what unlocks.
    """
    stage = new_stage(vault_terms=VaultTerms(performance_fee_bps=1_000))
    stage.deposit(roles.depositor, 100 * OUNCE)
    stage.place(stage.pool, 100 * OUNCE)
    stage.seize(90 * OUNCE)
    stage.report(stage.pool)
    stage.credit(90 * OUNCE)
    stage.report(stage.pool)
    stage.wait(7 * DAY)
    assert worth(stage, roles.fee_recipient) == pytest.approx(OUNCE * 9_000 / 190, rel=1e-9)
    assert worth(stage, roles.depositor) == pytest.approx(OUNCE * 10_000 / 190, rel=1e-9)


def test_recovery_of_a_loss__goes_to_who_deposits_between_loss_and_report(
    new_stage: NewStage, roles: SimpleNamespace
) -> None:
    """Who sees 90 lost ounces return and deposits 100 oz has 1,000 of 1,100 shares: 181.8 oz."""
    stage = new_stage()
    stage.deposit(roles.depositor, 100 * OUNCE)
    stage.place(stage.pool, 100 * OUNCE)
    stage.seize(90 * OUNCE)
    stage.report(stage.pool)
    stage.credit(90 * OUNCE)
    stage.deposit(roles.intruder, 100 * OUNCE)
    stage.report(stage.pool)
    stage.wait(7 * DAY)
    assert worth(stage, roles.intruder) == pytest.approx(OUNCE * 2_000 / 11, rel=1e-9)
    assert worth(stage, roles.depositor) == pytest.approx(OUNCE * 200 / 11, rel=1e-9)


def test_vault_as_a_strategy__its_fees_of_calling_back_are_borne_by_who_stays(
    new_stage: NewStage, roles: SimpleNamespace
) -> None:
    """A leaver of 891 of 1,000 oz costs the other 109 oz a fee of 0.02 % on 891, one deeper.

    The outer vault takes the token's fee on what the inner one sends off the leaver, but
    the inner one burns shares for its own calling back besides: 891 x (1 / 0.9998 - 1) =
    0.1782 oz of 109, so that 10 oz are worth 10 x (1 - 0.1782 / 109) = 9.98365 oz.
    """
    stage = new_stage()
    inner = stage.vault
    outer = stage.vault = stage.deploy_vault(VaultTerms())
    stage.deposit(roles.depositor, 990 * OUNCE)
    stage.deposit(roles.crowd, 10 * OUNCE)
    stage.place(inner, 1_000 * OUNCE)
    stage.vault = inner
    stage.place(stage.pool, 1_000 * OUNCE)
    stage.vault = outer
    stage.send(stage.gold, "setFeeRate", 200, sender=roles.owner)
    leaver = (roles.depositor, roles.depositor)
    stage.send(outer, "redeem", 891 * OUNCE, *leaver, sender=roles.depositor)
    kept = 10 * (1 - 891 * (1 / 0.9998 - 1) / 109)
    assert worth(stage, roles.crowd) == pytest.approx(kept * OUNCE, rel=1e-9)


def test_deposit_into_a_market__that_loses_a_thousandth__passes_and_more_is_refused(
    revm: Chain, roles: SimpleNamespace
) -> None:
    """500 shares and what is lost, x: 1,000 x is at most the deposit up to x = worth / 999."""
    stage, attacker, user = GoldStage(revm, roles), roles.second_depositor, roles.depositor
    make_market_dear(stage, attacker, 3_000)
    market = stage.market
    stage.endow(user, OUNCE)
    assets, supply = (stage.read(market, name) + 1 for name in ("totalAssets", "totalSupply"))
    worth = -(-500 * assets // supply)
    lost = worth // 999
    assert worth // 1_000 < lost < assets // supply
    deposit = ("deposit", worth + lost, user)
    assert stage.read(market, "previewDeposit", worth + lost) == 500
    assert stage.refusal(market, *deposit, sender=user) is None
    reason = "share_math: too little for the price of a share"
    assert stage.refusal(market, "deposit", worth + lost + 1, user, sender=user) == reason
