"""Failure modes of vault and market, played to the end, with the outcome for everybody."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from gold_stage import (
    DAY,
    DOLLAR,
    FEED_UNIT,
    GOLD_USD,
    OUNCE,
    RAY,
    SECONDS_PER_YEAR,
    UNLIMITED,
    WAD,
    GoldStage,
    MarketTerms,
    VaultTerms,
    market_without_fair_deposits,
)
from props import events, refused

from simulator.chain import Artifact, Chain, Contract
from simulator.chain.compile import compile_patched

CONTRACTS = Path(__file__).resolve().parents[2] / "contracts"
FREE = MarketTerms(base_rate=0, slope1=0, slope2=0)
STEEP = replace(
    FREE,
    max_ltv=86 * WAD // 100,
    liquidation_threshold=88 * WAD // 100,
    liquidation_bonus=8 * WAD // 100,
)
"""Terms under which a gap of 13 % leaves bad debt: 0.86 x 1.13 x 1.08 is above one."""

NewStage = Callable[..., GoldStage]


@pytest.fixture
def new_stage(revm: Chain, roles: SimpleNamespace) -> NewStage:
    return lambda **terms: GoldStage(revm, roles, **({"market_terms": FREE} | terms))


def _gold_of(stage: GoldStage, account: str) -> int:
    return int(stage.read(stage.gold, "balanceOf", account))


def _leave(stage: GoldStage, contract: Contract, account: str) -> int:
    """Redeem as much of an account's shares as can be paid; return the assets."""
    before = _gold_of(stage, account)
    shares = stage.read(contract, "maxRedeem", account)
    stage.send(contract, "redeem", shares, account, account, sender=account)
    return _gold_of(stage, account) - before


# --- Inflation ---------------------------------------------------------------


@pytest.mark.parametrize("name", ["vault", "market"])
def test_inflation_attack__by_donation__the_attacker_loses_the_whole_donation(
    new_stage: NewStage, roles: SimpleNamespace, name: str
):
    stage = new_stage()
    target, attacker, victim = getattr(stage, name), roles.intruder, roles.depositor
    stage.endow(attacker, 100 * OUNCE + 1)
    stage.endow(victim, 50 * OUNCE)
    stage.send(target, "deposit", 1, attacker, sender=attacker)
    stage.send(stage.gold, "transfer", target, 100 * OUNCE, sender=attacker)
    stage.send(target, "deposit", 50 * OUNCE, victim, sender=victim)

    assert stage.read(target, "balanceOf", victim) == 50 * OUNCE
    assert _leave(stage, target, victim) == 50 * OUNCE
    assert _leave(stage, target, attacker) == 1
    loss = 100 * OUNCE + 1 - _gold_of(stage, attacker)
    assert loss == 100 * OUNCE


def _sole_holder_with_a_remainder(stage: GoldStage, attacker: str) -> None:
    """Make the attacker the only supplier, with two shares that are worth three wei.

    A loan of one wei is repaid with two after the index has grown: debts round up.
    """
    stage.endow(attacker, 1_000 * OUNCE, dollars=1_000)
    market = stage.market
    stage.send(market, "deposit", 2, attacker, sender=attacker)
    stage.send(market, "supply_collateral", 1_000 * DOLLAR, attacker, sender=attacker)
    stage.send(market, "borrow", 1, attacker, sender=attacker)
    stage.wait(SECONDS_PER_YEAR)
    stage.send(market, "repay", UNLIMITED, attacker, sender=attacker)
    assert stage.read(market, "totalAssets") == 3
    assert stage.read(market, "totalSupply") == 2


@pytest.fixture(scope="module")
def unprotected_markets() -> dict[int, Artifact]:
    """Markets without the rule, with and without the virtual share: what that is good for."""
    file = "modules/share_math.vy"
    return {
        1: market_without_fair_deposits(),
        0: market_without_fair_deposits(
            (file, "(assets, supply + 1, total_assets + 1,", "(assets, supply, total_assets,"),
            (file, "(shares, total_assets + 1, supply + 1,", "(shares, total_assets, supply,"),
        ),
    }


def test_inflation_attack__by_rounding__is_refused_at_its_first_step(
    new_stage: NewStage, roles: SimpleNamespace
):
    """Two shares worth three wei: a deposit of almost two shares that buys one loses too much."""
    stage = new_stage(market_terms=replace(MarketTerms(), reserve_factor=0))
    attacker = roles.intruder
    _sole_holder_with_a_remainder(stage, attacker)
    # (2 x (3 + 1) - 1) / (2 + 1) = 2.33 wei for one share, of which none is lost yet; the next
    # steps lose a third and more.
    given = _most_for_one_share(stage, 1)
    while stage.refusal(stage.market, "deposit", given, attacker, sender=attacker) is None:
        stage.send(stage.market, "deposit", given, attacker, sender=attacker)
        shares = stage.read(stage.market, "balanceOf", attacker)
        stage.send(stage.market, "redeem", shares - 1, attacker, attacker, sender=attacker)
        given = _most_for_one_share(stage, 1)
        assert given < 10
    with refused("share_math: too little for the price of a share"):
        stage.send(stage.market, "deposit", given, attacker, sender=attacker)


@pytest.mark.parametrize("virtual", [1, 0])
def test_inflation_attack__by_rounding__only_pays_without_the_virtual_share(
    new_stage: NewStage,
    roles: SimpleNamespace,
    unprotected_markets: dict[int, Artifact],
    virtual: int,
):
    """Deposits of almost two shares buy one; what is lost raises the price, step by step."""
    stage = new_stage()
    terms = replace(MarketTerms(), reserve_factor=0)
    stage.market = stage.deploy_market(terms, unprotected_markets[virtual])
    attacker, victim, market = roles.intruder, roles.depositor, stage.market
    _sole_holder_with_a_remainder(stage, attacker)
    while _share_cost(stage, virtual) < OUNCE:
        given = _most_for_one_share(stage, virtual)
        stage.send(market, "deposit", given, attacker, sender=attacker)
        shares = stage.read(market, "balanceOf", attacker)
        stage.send(market, "redeem", shares - 1, attacker, attacker, sender=attacker)
    spent = 1_000 * OUNCE - _gold_of(stage, attacker)

    given = _most_for_one_share(stage, virtual)
    stage.endow(victim, given)
    stage.send(market, "deposit", given, victim, sender=victim)
    assert stage.read(market, "balanceOf", victim) == 1
    attacker_gain = _leave(stage, market, attacker) - spent
    victim_loss = given - _leave(stage, market, victim)
    assert victim_loss > OUNCE // 2
    if virtual:
        # The virtual share takes what the victim loses, and as much from the attacker.
        assert attacker_gain <= -victim_loss + 2
    else:
        assert attacker_gain >= victim_loss - 2


def _share_cost(stage: GoldStage, virtual: int) -> int:
    """Return what a share of the market costs, wei, rounded down."""
    assets, supply = (stage.read(stage.market, name) for name in ("totalAssets", "totalSupply"))
    return int((assets + virtual) // (supply + virtual))


def _most_for_one_share(stage: GoldStage, virtual: int) -> int:
    """Return the greatest deposit that still buys a single share."""
    assets, supply = (stage.read(stage.market, name) for name in ("totalAssets", "totalSupply"))
    return int((2 * (assets + virtual) - 1) // (supply + virtual))


# --- Donations ---------------------------------------------------------------


def test_donation__of_tokens_or_strategy_shares__changes_nothing(
    new_stage: NewStage, roles: SimpleNamespace
):
    stage = new_stage()
    stage.deposit(roles.depositor, 100 * OUNCE)
    stage.place(stage.market, 60 * OUNCE)
    stage.place(stage.pool, 20 * OUNCE)
    stage.open_loan(roles.borrower, 30 * OUNCE, 400_000)
    stage.supply(roles.intruder, 7 * OUNCE)
    stage.endow(roles.intruder, 30 * OUNCE, dollars=5)

    def observe() -> list[int]:
        vault_views = ("totalAssets", "free_assets", "share_price", "idle", "total_debt")
        market_views = ("totalAssets", "supply_index", "cash", "utilisation", "total_collateral")
        return [
            *(stage.read(stage.vault, view) for view in vault_views),
            *(stage.read(stage.market, view) for view in market_views),
            stage.read(stage.vault, "maxWithdraw", roles.depositor),
            stage.read(stage.vault, "previewDeposit", OUNCE),
        ]

    before = observe()
    intruder = roles.intruder
    for receiver in (stage.vault, stage.market, stage.pool):
        stage.send(stage.gold, "transfer", receiver, 10 * OUNCE, sender=intruder)
    stage.send(stage.usdc, "transfer", stage.market, 5 * DOLLAR, sender=intruder)
    stage.send(stage.market, "transfer", stage.vault, 7 * OUNCE, sender=intruder)
    assert observe() == before
    for strategy in (stage.market, stage.pool):
        receipt = stage.report(strategy)
        reported = dict(events(stage.vault, receipt))["StrategyReported"]
        assert (reported["gain"], reported["loss"]) == (0, 0)
    assert observe() == before
    # Nor do donated shares slip in with the next ones that the vault buys.
    stage.place(stage.market, 65 * OUNCE)
    reported = dict(events(stage.vault, stage.report(stage.market)))["StrategyReported"]
    assert (reported["gain"], reported["current_debt"]) == (0, 65 * OUNCE)


# --- Front-running -----------------------------------------------------------


def test_loss_front_running__the_runner_bears_the_same_part(
    new_stage: NewStage, roles: SimpleNamespace
):
    """Whoever sees the loss before the keeper's report cannot leave it to the others."""
    stage = new_stage()
    runner, sitter = roles.trader, roles.depositor
    for account in (runner, sitter):
        stage.deposit(account, 50 * OUNCE)
    stage.place(stage.pool, 60 * OUNCE)
    stage.seize(30 * OUNCE)
    paid = _leave(stage, stage.vault, runner)
    stage.report(stage.pool)
    left = stage.read(stage.vault, "maxWithdraw", sitter)
    # 70 of 100 oz are left: 35 for either.
    assert abs(paid - 35 * OUNCE) <= 1
    assert abs(left - 35 * OUNCE) <= 1


def test_gain_sniping__around_a_report__pays_rounding_and_earns_nothing(
    new_stage: NewStage, roles: SimpleNamespace
):
    stage = new_stage()
    stage.deposit(roles.depositor, 100 * OUNCE)
    stage.place(stage.pool, 80 * OUNCE)
    stage.credit(10 * OUNCE)
    sniper, vault = roles.trader, stage.vault
    stage.endow(sniper, 1_000 * OUNCE)
    stage.chain.block(
        stage.chain.timestamp() + 1,
        [
            vault.call("deposit", 1_000 * OUNCE, sniper, sender=sniper),
            vault.call("process_report", stage.pool, sender=roles.curator),
            vault.call("redeem", 1_000 * OUNCE, sniper, sniper, sender=sniper),
        ],
    )
    assert 0 <= 1_000 * OUNCE - _gold_of(stage, sniper) <= 1


# --- Runs --------------------------------------------------------------------


def _illiquid(stage: GoldStage, roles: SimpleNamespace) -> tuple[str, ...]:
    """Three holders of 40 oz each; 96 oz are lent out, 24 are there."""
    holders = (roles.depositor, roles.second_depositor, roles.crowd)
    for holder in holders:
        stage.deposit(holder, 40 * OUNCE)
    stage.place(stage.market, 120 * OUNCE)
    stage.open_loan(roles.borrower, 96 * OUNCE, 1_000_000)
    return holders


def test_run__with_instant_exits__pays_who_comes_first(new_stage: NewStage, roles: SimpleNamespace):
    stage = new_stage()
    holders = _illiquid(stage, roles)
    first, second, third = (_leave(stage, stage.vault, holder) for holder in holders)
    assert (first, second, third) == (24 * OUNCE, 0, 0)
    # Nobody has lost anything: once the loan is repaid all are paid.
    stage.send(stage.market, "repay", UNLIMITED, roles.borrower, sender=roles.borrower)
    assert [_leave(stage, stage.vault, holder) // OUNCE for holder in holders] == [16, 40, 40]


def test_run__with_the_queue__pays_pro_rata_within_a_batch_and_in_turn_between(
    new_stage: NewStage, roles: SimpleNamespace
):
    stage = new_stage(vault_terms=VaultTerms(cooldown_seconds=DAY, batch_seconds=DAY))
    early, also_early, late = _illiquid(stage, roles)
    vault, queue = stage.vault, stage.queue
    noon = (stage.chain.timestamp() // DAY + 1) * DAY + DAY // 2
    for holder in (early, also_early, late):
        stage.send(vault, "approve", queue, 40 * OUNCE, sender=holder)
    for holder, at in ((early, noon), (also_early, noon + 1), (late, noon + DAY)):
        stage.send(queue, "request_redeem", 40 * OUNCE, sender=holder, at=at)
    batches = (noon // DAY, noon // DAY, noon // DAY + 1)
    stage.wait(3 * DAY)

    def claimable() -> list[int]:
        return [
            stage.read(queue, "claimable_assets", batch, holder)
            for batch, holder in zip(batches, (early, also_early, late), strict=True)
        ]

    stage.send(queue, "settle_batch", batches[0], sender=roles.stranger)
    assert claimable() == [12 * OUNCE, 12 * OUNCE, 0]
    stage.send(stage.market, "repay", 66 * OUNCE, roles.borrower, sender=roles.borrower)
    stage.send(queue, "settle_batch", batches[0], sender=roles.stranger)
    stage.send(queue, "settle_batch", batches[2], sender=roles.stranger)
    # 24 + 66 oz: the first batch is paid in full, the second gets the 10 that are left.
    assert claimable() == [40 * OUNCE, 40 * OUNCE, 10 * OUNCE]


# --- Bad debt ----------------------------------------------------------------


@pytest.mark.parametrize("treasury_ounces", [0, 1, 10])
def test_gap_of_13_percent__bad_debt__hits_the_treasury_first_and_then_the_depositors(
    new_stage: NewStage, roles: SimpleNamespace, treasury_ounces: int
):
    stage = new_stage(market_terms=STEEP)
    stage.deposit(roles.depositor, 100 * OUNCE)
    stage.place(stage.market, 100 * OUNCE)
    if treasury_ounces:
        stage.supply(roles.treasury, treasury_ounces * OUNCE)
    # 86 oz x $4,000 = 86 % of $400,000.
    stage.open_loan(roles.borrower, 86 * OUNCE, 400_000)
    assert stage.read(stage.market, "ltv", roles.borrower) == 86 * WAD // 100
    stage.set_gold_price(GOLD_USD * 1.13)
    stage.endow(roles.liquidator, 100 * OUNCE)
    args = ("liquidate", roles.borrower, UNLIMITED)
    receipt = stage.send(stage.market, *args, sender=roles.liquidator)

    # $400,000 pay 400,000 / (4,520 x 1.08) = 81.94 oz; 4.06 oz are lost.
    lost = 86 * OUNCE - -(-400_000 * OUNCE * 100 // (4_520 * 108))
    [(_, bad_debt)] = events(stage.market, receipt, "BadDebt")
    assert bad_debt["amount"] == lost
    assert bad_debt["covered_by_treasury"] == min(lost, treasury_ounces * OUNCE)
    depositors_loss = max(0, lost - treasury_ounces * OUNCE)
    receipt = stage.report(stage.market)
    reported = dict(events(stage.vault, receipt))["StrategyReported"]
    assert abs(reported["loss"] - depositors_loss) <= 1
    exact = (100 * OUNCE - depositors_loss) * RAY // (100 * OUNCE)
    assert abs(stage.read(stage.vault, "share_price") - exact) <= 2 * RAY // OUNCE


def test_gap_of_13_percent__usual_terms__leaves_no_bad_debt(
    new_stage: NewStage, roles: SimpleNamespace
):
    # 0.75 x 1.13 = 0.8475 is not even liquidatable at a threshold of 85 %.
    stage = new_stage()
    stage.supply(roles.depositor, 100 * OUNCE)
    stage.open_loan(roles.borrower, 75 * OUNCE, 400_000)
    stage.set_gold_price(GOLD_USD * 1.13)
    assert not stage.read(stage.market, "is_liquidatable", roles.borrower)
    assert stage.read(stage.market, "total_bad_debt") == 0


# --- The issuer --------------------------------------------------------------


def test_frozen_vault__pays_nothing_until_it_is_unfrozen(
    new_stage: NewStage, roles: SimpleNamespace
):
    stage = new_stage()
    stage.deposit(roles.depositor, 100 * OUNCE)
    stage.place(stage.pool, 60 * OUNCE)
    depositor, owner = roles.depositor, roles.owner
    args = (OUNCE, depositor, depositor)
    stage.send(stage.gold, "freeze", stage.vault.address, sender=owner)
    for limit in ("maxDeposit", "maxMint", "maxWithdraw", "maxRedeem"):
        assert stage.read(stage.vault, limit, depositor) == 0
    with refused("gold_vault: exceeds withdrawable"):
        stage.send(stage.vault, "withdraw", *args, sender=depositor)
    # The price stands: freezing takes the liquidity, not the gold.
    assert stage.read(stage.vault, "share_price") == RAY
    stage.send(stage.gold, "unfreeze", stage.vault.address, sender=owner)
    stage.send(stage.vault, "withdraw", *args, sender=depositor)


def test_wiped_vault__the_loss_is_shared_and_nobody_can_run_from_it(
    new_stage: NewStage, roles: SimpleNamespace
):
    stage = new_stage()
    runner, sitter, owner = roles.trader, roles.depositor, roles.owner
    for account in (runner, sitter):
        stage.deposit(account, 50 * OUNCE)
    stage.place(stage.pool, 60 * OUNCE)
    for function in ("freeze", "wipeFrozenAddress", "unfreeze"):
        stage.send(stage.gold, function, stage.vault.address, sender=owner)
    # The 40 idle oz are burnt: 60 of 100 are left, 30 for either.
    assert stage.read(stage.vault, "totalAssets") == 60 * OUNCE
    shares = stage.read(stage.vault, "balanceOf", runner)
    call = (stage.vault, "redeem", shares, runner, runner)
    receipt = stage.send(*call, sender=runner)
    name, loss = events(stage.vault, receipt)[0]
    assert (name, loss["strategy"]) == ("StrategyReported", stage.vault.address)
    assert (loss["loss"], loss["current_debt"]) == (40 * OUNCE, 0)
    assert abs(_gold_of(stage, runner) - 30 * OUNCE) <= 1
    assert abs(_leave(stage, stage.vault, sitter) - 30 * OUNCE) <= 1


def test_wiped_vault__limits__count_only_what_is_there(new_stage: NewStage, roles: SimpleNamespace):
    stage, depositor = new_stage(), roles.depositor
    stage.deposit(depositor, 100 * OUNCE)
    stage.place(stage.market, 60 * OUNCE)
    stage.open_loan(roles.borrower, 50 * OUNCE, 400_000)
    assert stage.read(stage.vault, "maxWithdraw", depositor) == 50 * OUNCE
    for function in ("freeze", "wipeFrozenAddress", "unfreeze"):
        stage.send(stage.gold, function, stage.vault.address, sender=roles.owner)
    # The 40 idle oz are burnt; 10 of the 60 lent ones are still the market's cash.
    assert stage.read(stage.vault, "maxWithdraw", depositor) == 10 * OUNCE
    args = (10 * OUNCE, depositor, depositor)
    assert stage.refusal(stage.vault, "withdraw", *args, sender=depositor) is None


def test_wiped_vault__with_unclaimed_batches__leaves_the_claims_alone(
    new_stage: NewStage, roles: SimpleNamespace
):
    """What is set aside lies with the queue: neither the vault's loss nor a deposit touches it."""
    stage = new_stage(vault_terms=VaultTerms(cooldown_seconds=DAY, batch_seconds=DAY))
    depositor, trader, vault, queue = roles.depositor, roles.trader, stage.vault, stage.queue
    stage.deposit(depositor, 100 * OUNCE)
    stage.place(stage.pool, 40 * OUNCE)
    stage.send(vault, "approve", queue, UNLIMITED, sender=depositor)
    receipt = stage.send(queue, "request_redeem", 50 * OUNCE, sender=depositor)
    batch = receipt.timestamp // DAY
    stage.wait(3 * DAY)
    stage.send(queue, "settle_batch", batch, sender=roles.stranger)
    stage.endow(trader, 10 * OUNCE)
    for function in ("freeze", "wipeFrozenAddress", "unfreeze"):
        stage.send(stage.gold, function, vault.address, sender=roles.owner)
    # The 10 idle oz are burnt; the pool's 40 are there, and the 50 set aside.
    assert stage.read(vault, "totalAssets") == 40 * OUNCE
    stage.send(vault, "deposit", OUNCE, trader, sender=trader)
    stage.send(queue, "claim_batch", batch, sender=depositor)
    assert stage.read(stage.gold, "balanceOf", depositor) == 50 * OUNCE


# --- The oracle --------------------------------------------------------------


def test_stale_oracle__stops_new_debt_on_a_weekday_but_not_over_a_weekend(
    new_stage: NewStage, roles: SimpleNamespace
):
    stage = new_stage(feed_max_age=DAY)
    stage.supply(roles.depositor, 100 * OUNCE)
    stage.open_loan(roles.borrower, OUNCE, 400_000)
    borrower, keeper, market = roles.borrower, roles.keeper, stage.market
    borrow = ("borrow", OUNCE, borrower)

    # Saturday: metals are closed, and Friday's fixing is the price there is.
    for feed in (stage.gold_feed, stage.usd_feed):
        stage.send(feed, "set_market_status", 1, sender=keeper)
    stage.wait(2 * DAY)
    stage.send(market, *borrow, sender=borrower)

    # Monday: the market is open, and nobody has brought a price.
    for feed in (stage.gold_feed, stage.usd_feed):
        stage.send(feed, "set_market_status", 2, sender=keeper)
    with refused("feed: answer is too old"):
        stage.send(market, *borrow, sender=borrower)
    with refused("feed: answer is too old"):
        stage.send(market, "withdraw_collateral", 1, borrower, sender=borrower)
    with refused("feed: answer is too old"):
        stage.send(market, "liquidate", borrower, OUNCE, sender=roles.liquidator)
    # Suppliers and repayments need no price.
    stage.send(market, "repay", OUNCE // 2, borrower, sender=borrower)
    depositor = roles.depositor
    stage.send(market, "withdraw", OUNCE, depositor, depositor, sender=depositor)
    stage.supply(roles.second_depositor, OUNCE)

    for feed, usd in ((stage.gold_feed, GOLD_USD), (stage.usd_feed, 1)):
        stage.send(feed, "update_answer", usd * FEED_UNIT, sender=keeper)
    stage.send(market, *borrow, sender=borrower)


# --- Coming back in ----------------------------------------------------------

_READ_BACK = """    assert msg.sender == owner, "stage_strategy: caller is not the owner"
    price: uint256 = staticcall Vault(vault).share_price()
"""
_INTERFACE = """interface Vault:
    def share_price() -> uint256: view


# @dev The token that is held."""


@pytest.fixture(scope="module")
def curious_strategy() -> Artifact:
    """A strategy that asks the vault for its price while the vault withdraws from it."""
    file = "stage/stage_strategy.vy"
    return compile_patched(
        CONTRACTS / file,
        (file, "# @dev The token that is held.", _INTERFACE),
        (
            file,
            '    assert msg.sender == owner, "stage_strategy: caller is not the owner"\n',
            _READ_BACK,
        ),
    )


@pytest.fixture(scope="module")
def unguarded_vault() -> Artifact:
    """The vault without its guard: shows that it is the guard that refuses."""
    return compile_patched(
        CONTRACTS / "gold_vault.vy",
        ("gold_vault.vy", "# pragma nonreentrancy on", "# pragma nonreentrancy off"),
    )


@pytest.mark.parametrize("guarded", [True, False])
def test_reentrancy__reading_the_price_in_the_middle_of_a_withdrawal__is_refused(
    new_stage: NewStage,
    roles: SimpleNamespace,
    curious_strategy: Artifact,
    unguarded_vault: Artifact,
    guarded: bool,
):
    """In the middle shares are burnt and assets not yet gone: the price would be too high."""
    stage = new_stage()
    if not guarded:
        stage.vault = stage.deploy_vault(VaultTerms(), unguarded_vault)
    args = (stage.gold.address, stage.vault.address, roles.keeper, roles.intruder)
    strategy = stage.chain.deploy(curious_strategy, args, sender=roles.owner)
    stage.deposit(roles.depositor, 100 * OUNCE)
    stage.place(strategy, 80 * OUNCE)
    depositor = roles.depositor
    call = (stage.vault, "withdraw", 50 * OUNCE, depositor, depositor)
    reason = stage.refusal(*call, sender=depositor)
    assert (reason is not None) == guarded
    # Idle gold needs no strategy, so there is nothing to come back from.
    stage.send(stage.vault, "withdraw", 10 * OUNCE, depositor, depositor, sender=depositor)
