"""Faults found by attacking vault and market, each played as it was found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import pytest
from gold_stage import (
    DAY,
    DOLLAR,
    FEED_UNIT,
    NEVER_STALE,
    OUNCE,
    SECONDS_PER_YEAR,
    UNLIMITED,
    GoldStage,
    MarketTerms,
    VaultTerms,
    market_without_fair_deposits,
)
from props import deploy, events, refused, send

from simulator.chain import Chain, Contract

FREE = MarketTerms(base_rate=0, slope1=0, slope2=0)

NewStage = Callable[..., GoldStage]


@pytest.fixture
def new_stage(revm: Chain, roles: SimpleNamespace) -> NewStage:
    return lambda **terms: GoldStage(revm, roles, **({"market_terms": FREE} | terms))


# --- Dear shares of a strategy ------------------------------------------------


def _make_shares_dear(stage: GoldStage, attacker: str) -> None:
    """Raise the price of the empty market's share to an ounce, by rounding alone."""
    market = stage.market
    stage.send(market, "deposit", 2, attacker, sender=attacker)
    stage.send(market, "supply_collateral", 1_000 * DOLLAR, attacker, sender=attacker)
    stage.send(market, "borrow", 1, attacker, sender=attacker)
    stage.wait(SECONDS_PER_YEAR)
    stage.send(market, "repay", UNLIMITED, attacker, sender=attacker)
    while True:
        assets, supply = (stage.read(market, name) for name in ("totalAssets", "totalSupply"))
        if (assets + 1) // (supply + 1) >= OUNCE:
            return
        given = (2 * (assets + 1) - 1) // (supply + 1)
        stage.send(market, "deposit", given, attacker, sender=attacker)
        shares = stage.read(market, "balanceOf", attacker)
        stage.send(market, "redeem", shares - 1, attacker, attacker, sender=attacker)


def test_withdrawals_of_single_wei__where_a_strategys_share_is_dear__cost_the_vault_nothing(
    new_stage: NewStage, roles: SimpleNamespace
):
    """Each wei burnt a whole share of the market, worth an ounce: 60 of them took 60 oz."""
    stage = new_stage()
    terms = replace(MarketTerms(), reserve_factor=0)
    # A market that still took such deposits: a strategy need not be one of ours.
    stage.market = stage.deploy_market(terms, market_without_fair_deposits())
    attacker, market, vault = roles.intruder, stage.market, stage.vault
    stage.endow(attacker, 5_000 * OUNCE, dollars=1_000)
    _make_shares_dear(stage, attacker)
    stage.deposit(roles.depositor, 100 * OUNCE)
    stage.send(vault, "deposit", OUNCE // 1000, attacker, sender=attacker)
    stage.place(market, 200 * OUNCE)
    stage.send(market, "deposit", 4_000 * OUNCE, attacker, sender=attacker)
    assert stage.read(vault, "idle") == 0
    before = stage.read(vault, "totalAssets")
    for _ in range(60):
        stage.send(vault, "withdraw", 1, attacker, attacker, sender=attacker)
    assert before - stage.read(vault, "totalAssets") <= 120
    shares = stage.read(market, "maxRedeem", attacker)
    stage.send(market, "redeem", shares, attacker, attacker, sender=attacker)
    assert stage.read(stage.gold, "balanceOf", attacker) < 5_000 * OUNCE


# --- Unreported gains ---------------------------------------------------------


def test_revoke_strategy__with_unreported_gains__is_refused(
    new_stage: NewStage, roles: SimpleNamespace
):
    """They stayed with the strategy for good: its shares were struck from the books."""
    stage, curator = new_stage(), roles.curator
    stage.deposit(roles.depositor, 100 * OUNCE)
    stage.place(stage.pool, 100 * OUNCE)
    stage.credit(10 * OUNCE)
    stage.place(stage.pool, 0)
    with refused("gold_vault: unreported gains"):
        stage.send(stage.vault, "revoke_strategy", stage.pool, sender=curator)
    stage.report(stage.pool)
    stage.place(stage.pool, 0)
    stage.send(stage.vault, "revoke_strategy", stage.pool, sender=curator)
    assert stage.read(stage.vault, "idle") == 110 * OUNCE


# --- The clock of the management fee ------------------------------------------


def test_management_fee__on_new_debt__is_not_for_the_time_before_it(
    new_stage: NewStage, roles: SimpleNamespace
):
    """A wei kept the clock running: the same ounces, moved round, paid once per strategy."""
    stage = new_stage(vault_terms=VaultTerms(management_fee_bps=200))
    strategies = (stage.pool, stage.market)
    stage.deposit(roles.depositor, 1_000 * OUNCE)
    for strategy in strategies:
        stage.place(strategy, 1)
    stage.wait(SECONDS_PER_YEAR)
    for strategy in strategies:
        stage.place(strategy, 1_000 * OUNCE)
        stage.report(strategy)
        stage.place(strategy, 1)
    shares = stage.read(stage.vault, "balanceOf", roles.fee_recipient)
    # 2 % a year on 1,000 oz are some 6e11 wei a second, and both were there for seconds.
    assert stage.read(stage.vault, "convertToAssets", shares) < 10**14


@pytest.mark.parametrize(("first", "second"), [(300, 900), (900, 901)])
def test_management_fee__on_debt_that_grew__is_on_debt_times_time(
    new_stage: NewStage, roles: SimpleNamespace, first: int, second: int
):
    stage = new_stage(vault_terms=VaultTerms(management_fee_bps=200))
    stage.deposit(roles.depositor, 1_000 * OUNCE)
    half = SECONDS_PER_YEAR // 2
    stage.place(stage.pool, first * OUNCE)
    start = stage.chain.timestamp()
    stage.wait(half - 1)
    stage.place(stage.pool, second * OUNCE)
    stage.report(stage.pool, at=start + 2 * half)
    shares = stage.read(stage.vault, "balanceOf", roles.fee_recipient)
    due = (first + second) // 2 * OUNCE * 2 // 100
    assert stage.read(stage.vault, "convertToAssets", shares) == pytest.approx(due, rel=1e-3)


# --- The issuer and a strategy ------------------------------------------------


def test_withdraw__where_one_strategy_is_frozen__is_paid_by_the_others(
    new_stage: NewStage, roles: SimpleNamespace
):
    """The frozen one, first in the queue, made each exit revert that idle gold did not pay."""
    stage, depositor = new_stage(), roles.depositor
    stage.deposit(depositor, 100 * OUNCE)
    stage.place(stage.pool, 40 * OUNCE)
    stage.place(stage.market, 60 * OUNCE)
    stage.send(stage.gold, "freeze", stage.pool.address, sender=roles.owner)
    assert stage.read(stage.vault, "maxWithdraw", depositor) == 60 * OUNCE
    stage.send(stage.vault, "withdraw", 60 * OUNCE, depositor, depositor, sender=depositor)
    assert stage.read(stage.vault, "maxWithdraw", depositor) == 0


def test_withdraw__where_a_strategys_gold_is_burnt__shares_the_loss(
    new_stage: NewStage, roles: SimpleNamespace
):
    """The pool went on counting it: the first left at par, the others could not leave."""
    stage, runner, sitter = new_stage(), roles.trader, roles.depositor
    for account in (runner, sitter):
        stage.deposit(account, 50 * OUNCE)
    stage.place(stage.pool, 40 * OUNCE)
    _wipe(stage, stage.pool.address)
    assert stage.read(stage.vault, "totalAssets") == 60 * OUNCE
    for account in (runner, sitter):
        shares = stage.read(stage.vault, "maxRedeem", account)
        assert shares == 50 * OUNCE
        stage.send(stage.vault, "redeem", shares, account, account, sender=account)
        assert abs(stage.read(stage.gold, "balanceOf", account) - 30 * OUNCE) <= 1


@pytest.fixture
def dollar_market(new_stage: NewStage, roles: SimpleNamespace) -> tuple[GoldStage, Contract]:
    """A market that lends a million dollars against gold: 75 and 25 oz, $150,000 each."""
    stage = new_stage()
    tokens_and_feeds = (stage.gold, stage.usdc, stage.gold_feed, stage.usd_feed)
    terms = (NEVER_STALE, roles.treasury, *FREE.args())
    market = deploy(stage.chain, "lending_market", *tokens_and_feeds, *terms, sender=roles.owner)
    people = (roles.depositor, roles.borrower, roles.second_borrower, roles.liquidator)
    for person in people:
        stage.endow(person, 100 * OUNCE, dollars=1_000_000)
        for token in (stage.gold, stage.usdc):
            stage.send(token, "approve", market, UNLIMITED, sender=person)
    depositor = roles.depositor
    stage.send(market, "deposit", 1_000_000 * DOLLAR, depositor, sender=depositor)
    for borrower, ounces, dollars in (
        (roles.borrower, 75, 150_000),
        (roles.second_borrower, 25, 50_000),
    ):
        stage.send(market, "supply_collateral", ounces * OUNCE, borrower, sender=borrower)
        stage.send(market, "borrow", dollars * DOLLAR, borrower, sender=borrower)
    return stage, market


def _wipe(stage: GoldStage, account: str, *, left: int = 0) -> None:
    """Let the issuer burn an account's gold; `left` arrives afterwards."""
    owner = stage.roles.owner
    for function in ("freeze", "wipeFrozenAddress", "unfreeze"):
        stage.send(stage.gold, function, account, sender=owner)
    if left:
        stage.send(stage.gold, "transfer", account, left, sender=owner)


def test_wiped_collateral__debt_without_any__can_be_written_off(
    dollar_market: tuple[GoldStage, Contract], roles: SimpleNamespace
):
    """It counted as collateral for ever: no liquidation passed, and suppliers could run."""
    stage, market = dollar_market
    assert not stage.read(market, "is_liquidatable", roles.borrower)
    _wipe(stage, market.address)
    assert stage.read(market, "is_liquidatable", roles.borrower)
    for borrower in (roles.borrower, roles.second_borrower):
        stage.send(market, "liquidate", borrower, UNLIMITED, sender=roles.liquidator)
    assert stage.read(market, "total_bad_debt") == 200_000 * DOLLAR
    assert stage.read(market, "totalAssets") == 800_000 * DOLLAR
    assert stage.read(market, "total_collateral") == 0


def test_wiped_collateral__in_part__is_shared_by_all_borrowers(
    dollar_market: tuple[GoldStage, Contract], roles: SimpleNamespace
):
    stage, market = dollar_market
    first, second = roles.borrower, roles.second_borrower
    _wipe(stage, market.address, left=60 * OUNCE)
    # 45 oz for $150,000 and 15 oz for $50,000: 83.3 %, healthy and beyond a new loan.
    assert not stage.read(market, "is_liquidatable", first)
    assert stage.read(market, "ltv", second) == -(-50_000 * 10**18 // 60_000)
    with refused("lending_market: collateral is missing"):
        stage.send(market, "supply_collateral", OUNCE, second, sender=second)
    stage.send(market, "repay", UNLIMITED, first, sender=first)
    with refused("lending_market: exceeds collateral"):
        stage.send(market, "withdraw_collateral", 45 * OUNCE + 1, first, sender=first)
    stage.send(market, "withdraw_collateral", 5 * OUNCE, first, sender=first)
    stage.send(market, "withdraw_collateral", 40 * OUNCE - 1, first, sender=first)
    stage.set_gold_price(3_000)
    args = ("liquidate", second, UNLIMITED)
    [(_, done)] = events(market, stage.send(market, *args, sender=roles.liquidator), "Liquidated")
    # Rounding a part of what is left leaves single wei behind.
    assert 0 <= done["seized"] - 15 * OUNCE <= 2
    assert stage.read(market, "collateral_of", second) == 0
    assert stage.read(stage.gold, "balanceOf", market) <= 2


# --- Lost debt ------------------------------------------------------------------


def test_liquidate__all_but_a_grain_of_the_collateral__writes_the_rest_off(
    new_stage: NewStage, roles: SimpleNamespace
):
    """A unit left behind kept 27 oz of lost debt in the books, and interest on it."""
    stage, borrower, liquidator = new_stage(), roles.borrower, roles.liquidator
    stage.supply(roles.depositor, 100 * OUNCE)
    stage.open_loan(borrower, 75 * OUNCE, 400_000)
    stage.set_gold_price(8_000)
    stage.endow(liquidator, 100 * OUNCE)
    # $400,000 pay for 400,000 / (8,000 x 1.05) = 47.6 oz.
    args = ("liquidate", borrower, 400_000 * OUNCE // 8_400 - OUNCE // 10**9)
    receipt = stage.send(stage.market, *args, sender=liquidator)
    [(_, done)] = events(stage.market, receipt, "Liquidated")
    assert done["seized"] == 400_000 * DOLLAR
    assert stage.read(stage.market, "debt_of", borrower) == 0
    assert stage.read(stage.market, "total_bad_debt") == 75 * OUNCE - done["repaid"]


@pytest.mark.parametrize("ounces", [40, 47])
def test_liquidate__a_part_of_what_the_collateral_pays_for__leaves_the_rest(
    new_stage: NewStage, roles: SimpleNamespace, ounces: int
):
    stage, borrower, liquidator = new_stage(), roles.borrower, roles.liquidator
    stage.supply(roles.depositor, 100 * OUNCE)
    stage.open_loan(borrower, 75 * OUNCE, 400_000)
    stage.set_gold_price(8_000)
    stage.endow(liquidator, 100 * OUNCE)
    stage.send(stage.market, "liquidate", borrower, ounces * OUNCE, sender=liquidator)
    assert stage.read(stage.market, "debt_of", borrower) == (75 - ounces) * OUNCE
    left = stage.read(stage.market, "collateral_of", borrower)
    assert left == (400_000 - ounces * 8_400) * DOLLAR


# --- The reserve ----------------------------------------------------------------


def test_increase_supply__stale_attestation_of_a_closed_market__is_refused(
    revm: Chain, roles: SimpleNamespace
):
    """A feed marked as closed, as all are at weekends, let an old reserve count for ever."""
    owner, keeper = roles.owner, roles.keeper
    reserve = deploy(revm, "price_feed", 8, "Gold reserve, oz", keeper, sender=owner)
    send(revm, reserve, "update_answer", 10 * FEED_UNIT, sender=keeper)
    terms = ("Gold", "GOLD", 18, reserve, DAY)
    gold = deploy(revm, "gold_token", *terms, sender=owner)
    send(revm, reserve, "set_market_status", 1, sender=keeper)
    send(revm, gold, "increaseSupply", OUNCE, sender=owner)
    revm.block(revm.timestamp() + DAY, [])
    with refused("feed: answer is too old"):
        send(revm, gold, "increaseSupply", OUNCE, sender=owner)
