"""The gold vault: shares, profit unlocking, fees, losses, strategies, limits, the queue."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import pytest
from eth_utils import keccak
from gold_stage import (
    DAY,
    OUNCE,
    RAY,
    SECONDS_PER_YEAR,
    UNLIMITED,
    GoldStage,
    MarketTerms,
    VaultTerms,
    to_assets,
    to_shares,
)
from props import ERC20_FUNCTIONS, ERC20_TOPICS, check_standard, deploy, events, refused
from test_lending_market import ERC4626_FUNCTIONS, ERC4626_TOPICS

from simulator.chain import ZERO_ADDRESS, Chain, Contract, load_artifact
from simulator.chain.compile import compile_patched

FREE = MarketTerms(base_rate=0, slope1=0, slope2=0)
CONTRACTS = Path(__file__).resolve().parents[3] / "contracts"

NewStage = Callable[..., GoldStage]


@pytest.fixture
def new_stage(revm: Chain, roles: SimpleNamespace) -> NewStage:
    """Build a stage with other terms than the usual ones; its market bears no interest."""

    def build(**vault_terms: int) -> GoldStage:
        terms = VaultTerms(**vault_terms)
        return GoldStage(revm, roles, market_terms=FREE, vault_terms=terms)

    return build


@pytest.fixture
def stage(new_stage: NewStage, roles: SimpleNamespace) -> GoldStage:
    """A vault without fees: 100 oz deposited, 80 of them placed in the pool."""
    return _with_pool(new_stage(), roles)


def _with_pool(stage: GoldStage, roles: SimpleNamespace) -> GoldStage:
    stage.deposit(roles.depositor, 100 * OUNCE)
    stage.place(stage.pool, 80 * OUNCE)
    return stage


def price_of(stage: GoldStage) -> Fraction:
    """Return the share price, 1 = one ounce for one share."""
    return Fraction(stage.read(stage.vault, "share_price"), RAY)


def holding(stage: GoldStage, account: str) -> int:
    """Return what an account's shares are worth, wei."""
    shares = stage.read(stage.vault, "balanceOf", account)
    return int(stage.read(stage.vault, "convertToAssets", shares))


# --- Standards, terms and roles ----------------------------------------------


def test_abi__erc20_and_erc4626__is_complete():
    check_standard(
        load_artifact("gold_vault"),
        ERC20_FUNCTIONS | ERC4626_FUNCTIONS,
        ERC20_TOPICS | ERC4626_TOPICS,
    )


def test_deployed_size__is_within_eip_170():
    assert load_artifact("gold_vault").deployed_size <= 24_576


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"performance_fee_bps": 5_001}, "gold_vault: performance fee above 50 %"),
        ({"management_fee_bps": 1_001}, "gold_vault: management fee above 10 %"),
        (
            {"profit_unlock_seconds": 10 * SECONDS_PER_YEAR + 1},
            "gold_vault: unlock period above 10 years",
        ),
        ({"deposit_cap": 2**128}, "gold_vault: cap above 2**128"),
    ],
)
def test_constructor__impossible_terms__are_refused(
    stage: GoldStage, change: dict[str, int], reason: str
):
    with refused(reason):
        stage.deploy_vault(replace(VaultTerms(), **change))
    stage.deploy_vault(VaultTerms(5_000, 1_000, 10 * SECONDS_PER_YEAR, 2**128 - 1))


def test_constructor__no_admin_or_fee_recipient_or_asset__is_refused(
    stage: GoldStage, roles: SimpleNamespace
):
    def vault(asset: object, admin: str, fee_recipient: str) -> None:
        terms = ("Vault", "V", asset, admin, fee_recipient, *VaultTerms().args(), ZERO_ADDRESS)
        deploy(stage.chain, "gold_vault", *terms, sender=roles.owner)

    with refused("gold_vault: admin is the zero address"):
        vault(stage.gold, ZERO_ADDRESS, roles.fee_recipient)
    with refused("gold_vault: fee recipient is the zero address"):
        vault(stage.gold, roles.curator, ZERO_ADDRESS)
    vault(stage.gold, roles.curator, roles.fee_recipient)


def test_constructor__admin_gets_every_role_and_the_deployer_none(
    stage: GoldStage, roles: SimpleNamespace
):
    names = ("CURATOR", "KEEPER", "GUARDIAN")
    for role in (bytes(32), *(keccak(text=name) for name in names)):
        assert stage.read(stage.vault, "hasRole", role, roles.curator)
        assert not stage.read(stage.vault, "hasRole", role, roles.owner)
    for name in names:
        assert stage.read(stage.vault, name) == keccak(text=name)


@pytest.mark.parametrize(
    ("role", "function", "args"),
    [
        ("CURATOR", "add_strategy", ("market",)),
        ("CURATOR", "revoke_strategy", ("market",)),
        ("CURATOR", "update_debt", ("pool", 0)),
        ("KEEPER", "process_report", ("pool",)),
        ("GUARDIAN", "pause", ()),
        ("GUARDIAN", "unpause", ()),
        ("GUARDIAN", "shutdown", ()),
        (None, "set_deposit_cap", (1,)),
        (None, "set_fee_recipient", ("pool",)),
        (None, "force_revoke_strategy", ("pool",)),
    ],
)
def test_privileged_call__without_its_role__is_refused(
    stage: GoldStage,
    roles: SimpleNamespace,
    role: str | None,
    function: str,
    args: tuple[object, ...],
):
    args = tuple(getattr(stage, arg) if isinstance(arg, str) else arg for arg in args)
    before = {"unpause": "pause", "revoke_strategy": "add_strategy"}.get(function)
    if before:
        stage.send(stage.vault, before, *args, sender=roles.curator)
    others = {keccak(text=name) for name in ("CURATOR", "KEEPER", "GUARDIAN")}
    needed = keccak(text=role) if role else bytes(32)
    for other in others - {needed}:
        stage.send(stage.vault, "grantRole", other, roles.stranger, sender=roles.curator)
    with refused("access_control: account is missing role"):
        stage.send(stage.vault, function, *args, sender=roles.stranger)
    stage.send(stage.vault, "grantRole", needed, roles.stranger, sender=roles.curator)
    stage.send(stage.vault, function, *args, sender=roles.stranger)


# --- Profit ------------------------------------------------------------------


def test_deposit__first__is_one_for_one(stage: GoldStage, roles: SimpleNamespace):
    assert stage.read(stage.vault, "balanceOf", roles.depositor) == 100 * OUNCE
    assert stage.read(stage.vault, "share_price") == RAY
    assert stage.read(stage.vault, "idle") == 20 * OUNCE
    assert stage.read(stage.vault, "total_debt") == 80 * OUNCE
    assert stage.read(stage.vault, "debt_of", stage.pool) == 80 * OUNCE


def test_gain__waits_for_the_report__and_then_unlocks_linearly(
    stage: GoldStage, roles: SimpleNamespace
):
    stage.credit(7 * OUNCE)
    assert price_of(stage) == 1
    receipt = stage.report(stage.pool)
    fields = {"gain": 7 * OUNCE, "loss": 0, "current_debt": 87 * OUNCE, "fees": 0}
    reported = ("StrategyReported", {"strategy": stage.pool.address, **fields})
    assert events(stage.vault, receipt) == [reported]
    assert price_of(stage) == 1
    assert stage.read(stage.vault, "totalAssets") == 107 * OUNCE
    for days in range(1, 8):
        stage.wait(DAY)
        # One ounce a day on 100 shares.
        assert stage.read(stage.vault, "locked_profit") == (7 - days) * OUNCE
        assert stage.read(stage.vault, "free_assets") == (100 + days) * OUNCE
        assert abs(price_of(stage) - Fraction(100 + days, 100)) < Fraction(1, OUNCE)
    stage.wait(DAY)
    assert stage.read(stage.vault, "free_assets") == 107 * OUNCE


def test_second_gain__ends_at_the_weighted_mean(stage: GoldStage, roles: SimpleNamespace):
    stage.credit(6 * OUNCE)
    first = stage.report(stage.pool).timestamp
    stage.credit(4 * OUNCE)
    second = first + 7 * DAY // 2
    stage.report(stage.pool, at=second)
    # Half of 6 oz is left for 3.5 days, 4 oz are new for 7: (3 x 3.5 + 4 x 7) / 7 = 5.5.
    assert stage.read(stage.vault, "locked_profit") == 7 * OUNCE
    stage.wait(11 * DAY // 4)
    assert stage.read(stage.vault, "locked_profit") == 7 * OUNCE // 2
    stage.wait(11 * DAY // 4 - 1)
    assert stage.read(stage.vault, "locked_profit") > 0
    stage.wait(1)
    assert stage.read(stage.vault, "locked_profit") == 0


def test_second_gain__ends_between_two_seconds__is_not_cut_to_whole_ones(
    stage: GoldStage, roles: SimpleNamespace
):
    stage.credit(OUNCE)
    first = stage.report(stage.pool).timestamp
    stage.credit(OUNCE)
    stage.report(stage.pool, at=first + 100_000)
    # Of 604,800 s 504,800 are left of the first ounce: remainder r, mean of r and 1.
    left = Fraction(504_800, 604_800)
    period = (left * 504_800 + 604_800) / (left + 1)
    assert period.denominator > 1
    stage.wait(400_000)
    exact = (left + 1) * OUNCE * (1 - 400_000 / period)
    # The remainder rounds up at the report and the result again; times are kept to 1e-18 s.
    assert 0 <= stage.read(stage.vault, "locked_profit") - exact < 2


def test_report__nothing_new__leaves_the_unlocking_as_it_is(
    stage: GoldStage, roles: SimpleNamespace
):
    stage.credit(7 * OUNCE)
    first = stage.report(stage.pool).timestamp
    stage.report(stage.pool, at=first + 2 * DAY)
    assert stage.read(stage.vault, "locked_profit") == 5 * OUNCE
    stage.wait(3 * DAY)
    assert stage.read(stage.vault, "locked_profit") == 2 * OUNCE


def test_gain__without_an_unlock_period__counts_at_once(
    new_stage: NewStage, roles: SimpleNamespace
):
    stage = _with_pool(new_stage(profit_unlock_seconds=0), roles)
    stage.credit(7 * OUNCE)
    stage.report(stage.pool)
    assert stage.read(stage.vault, "locked_profit") == 0
    assert stage.read(stage.vault, "free_assets") == 107 * OUNCE


def test_deposit__just_before_a_report__earns_only_what_unlocks_later(
    stage: GoldStage, roles: SimpleNamespace
):
    stage.credit(7 * OUNCE)
    stage.deposit(roles.trader, 100 * OUNCE)
    report = stage.report(stage.pool)
    stage.wait(1)
    # One second of 604,800 of 7 oz, half of it the trader's; he pays rounding only.
    share = 7 * OUNCE // 604_800 // 2
    assert report.timestamp + 1 == stage.chain.timestamp()
    assert share - 3 <= holding(stage, roles.trader) - 100 * OUNCE <= share


# --- Losses ------------------------------------------------------------------


def test_loss__within_the_locked_profit__leaves_the_price(stage: GoldStage, roles: SimpleNamespace):
    stage.credit(7 * OUNCE)
    first = stage.report(stage.pool).timestamp
    stage.seize(2 * OUNCE)
    before = stage.read(stage.vault, "free_assets")
    receipt = stage.report(stage.pool, at=first + DAY)
    [(_, reported)] = events(stage.vault, receipt)
    assert (reported["gain"], reported["loss"]) == (0, 2 * OUNCE)
    # 6 oz were locked after a day; the loss leaves 4, still ending on day 7.
    assert stage.read(stage.vault, "locked_profit") == 4 * OUNCE
    assert stage.read(stage.vault, "free_assets") == 101 * OUNCE > before
    stage.wait(3 * DAY)
    assert stage.read(stage.vault, "locked_profit") == 2 * OUNCE


def test_loss__beyond_the_locked_profit__lowers_the_price(stage: GoldStage, roles: SimpleNamespace):
    stage.credit(7 * OUNCE)
    first = stage.report(stage.pool).timestamp
    stage.seize(27 * OUNCE)
    stage.report(stage.pool, at=first + DAY)
    assert stage.read(stage.vault, "locked_profit") == 0
    assert stage.read(stage.vault, "free_assets") == 80 * OUNCE
    assert abs(price_of(stage) - Fraction(80, 100)) < Fraction(1, OUNCE)


@pytest.mark.parametrize("function", ["deposit", "mint", "withdraw", "redeem"])
def test_unreported_loss__before_any_movement__is_booked_and_previewed(
    stage: GoldStage, roles: SimpleNamespace, function: str
):
    stage.seize(20 * OUNCE)
    # 80 oz on 100 shares: a share costs 0.8.
    assert stage.read(stage.vault, "totalAssets") == 80 * OUNCE
    assert stage.read(stage.vault, "total_debt") == 80 * OUNCE
    preview = stage.read(stage.vault, f"preview{function.capitalize()}", 8 * OUNCE)
    by_hand = 10 * OUNCE if function in ("deposit", "withdraw") else 64 * OUNCE // 10
    assert abs(preview - by_hand) <= 1
    depositor = roles.depositor
    stage.endow(depositor, 100 * OUNCE)
    owners = (depositor,) if function in ("deposit", "mint") else (depositor, depositor)
    assert stage.try_out(stage.vault, function, 8 * OUNCE, *owners, sender=depositor) == preview
    receipt = stage.send(stage.vault, function, 8 * OUNCE, *owners, sender=depositor)
    name, first = events(stage.vault, receipt)[0]
    assert name == "StrategyReported"
    assert (first["loss"], first["current_debt"]) == (20 * OUNCE, 60 * OUNCE)
    assert stage.read(stage.vault, "debt_of", stage.pool) == 60 * OUNCE


def test_locked_profit__with_an_unreported_loss__is_less_by_it(
    stage: GoldStage, roles: SimpleNamespace
):
    stage.credit(7 * OUNCE)
    stage.report(stage.pool)
    stage.seize(3 * OUNCE)
    locked = stage.read(stage.vault, "locked_profit")
    total, free = (stage.read(stage.vault, name) for name in ("totalAssets", "free_assets"))
    assert total == 104 * OUNCE
    assert locked + free == total
    assert 3 * OUNCE < locked < 4 * OUNCE


def test_report__gain_and_nothing_left__total_loss__price_is_zero_and_deposits_stop(
    stage: GoldStage, roles: SimpleNamespace
):
    stage.place(stage.pool, 100 * OUNCE)
    stage.seize(100 * OUNCE)
    stage.report(stage.pool)
    assert stage.read(stage.vault, "totalAssets") == 0
    assert stage.read(stage.vault, "maxDeposit", roles.trader) == 0
    assert stage.read(stage.vault, "maxWithdraw", roles.depositor) == 0
    stage.endow(roles.trader, OUNCE)
    with refused("gold_vault: exceeds deposit limit"):
        stage.send(stage.vault, "deposit", OUNCE, roles.trader, sender=roles.trader)


# --- Fees --------------------------------------------------------------------


def test_performance_fee__is_paid_in_shares_worth_it(new_stage: NewStage, roles: SimpleNamespace):
    stage = _with_pool(new_stage(performance_fee_bps=1_000), roles)
    stage.credit(7 * OUNCE)
    receipt = stage.report(stage.pool)
    reported = dict(events(stage.vault, receipt))["StrategyReported"]
    fee = 7 * OUNCE // 10
    assert (reported["gain"], reported["fees"]) == (7 * OUNCE, fee)
    assert 0 <= fee - holding(stage, roles.fee_recipient) <= 1
    # The fee comes out of the gain: the price stands, and 6.3 oz unlock.
    assert 0 <= price_of(stage) - 1 < Fraction(1, OUNCE)
    assert stage.read(stage.vault, "locked_profit") == 7 * OUNCE - fee


def test_performance_fee__at_a_grown_price__is_still_worth_the_fee(
    new_stage: NewStage, roles: SimpleNamespace
):
    stage = _with_pool(new_stage(performance_fee_bps=2_000), roles)
    for _ in range(3):
        stage.credit(7 * OUNCE + 13)
        before = holding(stage, roles.fee_recipient)
        price = price_of(stage)
        stage.report(stage.pool)
        fee = (7 * OUNCE + 13) * 2_000 // 10_000
        # Earlier fee shares gain with one second of unlocking, 2e-6 of what is locked.
        paid = holding(stage, roles.fee_recipient) - before
        assert price_of(stage) >= price
        assert -2 <= paid - fee < fee // 1_000
        stage.wait(8 * DAY)


def test_management_fee__is_on_the_debt_since_the_last_report(
    new_stage: NewStage, roles: SimpleNamespace
):
    stage = _with_pool(new_stage(management_fee_bps=200), roles)
    placed = stage.chain.timestamp()
    stage.place(stage.market, 15 * OUNCE)
    stage.credit(7 * OUNCE)
    receipt = stage.report(stage.pool, at=placed + 73 * DAY)
    # 2 % a year on 80 oz for a fifth of a year: 0.32 oz.
    assert dict(events(stage.vault, receipt))["StrategyReported"]["fees"] == 32 * OUNCE // 100
    assert 0 <= 32 * OUNCE // 100 - holding(stage, roles.fee_recipient) <= 1
    assert stage.read(stage.vault, "locked_profit") == 668 * OUNCE // 100
    # The clock starts again, on the debt that the report left.
    receipt = stage.report(stage.pool, at=placed + 146 * DAY)
    fees = dict(events(stage.vault, receipt))["StrategyReported"]["fees"]
    assert fees == 87 * OUNCE * 200 // 10_000 // 5


def test_management_fee__without_gain__takes_locked_profit_first_and_then_the_price(
    new_stage: NewStage, roles: SimpleNamespace
):
    stage = _with_pool(new_stage(management_fee_bps=1_000, profit_unlock_seconds=365 * DAY), roles)
    placed = stage.chain.timestamp()
    stage.credit(4 * OUNCE)
    stage.report(stage.pool, at=placed + 73 * DAY)
    # A fifth of 10 % on 80 oz is 1.6 oz; 4 - 1.6 = 2.4 oz are locked for a year.
    assert stage.read(stage.vault, "locked_profit") == 24 * OUNCE // 10
    held = holding(stage, roles.fee_recipient)
    assert 0 <= 16 * OUNCE // 10 - held <= 1

    price = price_of(stage)
    stage.report(stage.pool, at=placed + 146 * DAY)
    # A fifth of the year has unlocked 0.48 oz; the fee on 84 oz is 1.68 of the other 1.92.
    assert stage.read(stage.vault, "locked_profit") == 24 * OUNCE // 100
    assert price_of(stage) > price

    unlocked = stage.read(stage.vault, "share_price")
    stage.report(stage.pool, at=placed + 219 * DAY)
    # After 73 of the 292 days left 0.18 oz are locked; the fee of 1.68 takes the rest of the price.
    assert stage.read(stage.vault, "locked_profit") == 0
    assert stage.read(stage.vault, "share_price") < unlocked


def test_fees__no_shares__none_are_taken(new_stage: NewStage, roles: SimpleNamespace):
    stage = new_stage(performance_fee_bps=1_000)
    stage.deposit(roles.depositor, 100 * OUNCE)
    stage.place(stage.pool, 80 * OUNCE)
    depositor = roles.depositor
    stage.credit(10 * OUNCE)
    args = (100 * OUNCE, depositor, depositor)
    # With every share gone the unreported gain belongs to nobody.
    stage.send(stage.vault, "redeem", *args, sender=depositor)
    receipt = stage.report(stage.pool)
    reported = dict(events(stage.vault, receipt))["StrategyReported"]
    assert reported["fees"] == 0
    assert stage.read(stage.vault, "totalSupply") == 0


# --- Strategies --------------------------------------------------------------


def test_add_strategy__twice_or_wrong__is_refused(stage: GoldStage, roles: SimpleNamespace):
    def add(strategy: object) -> None:
        stage.send(stage.vault, "add_strategy", strategy, sender=roles.curator)

    with refused("strategy_book: strategy is there already"):
        add(stage.pool)
    with refused("strategy_book: strategy is the vault"):
        add(stage.vault)
    other = deploy(
        stage.chain,
        "stage_strategy",
        stage.usdc,
        stage.vault,
        roles.keeper,
        roles.intruder,
        sender=roles.owner,
    )
    with refused("strategy_book: strategy has another asset"):
        add(other)
    add(stage.market)
    assert stage.read(stage.vault, "strategy_count") == 2
    assert stage.read(stage.vault, "strategies", 0) == stage.pool.address
    assert stage.read(stage.vault, "strategies", 1) == stage.market.address
    for _ in range(6):
        add(stage.deploy_market(FREE))
    with refused("strategy_book: too many strategies"):
        add(stage.deploy_market(FREE))


def test_revoke_strategy__with_debt__is_refused(stage: GoldStage, roles: SimpleNamespace):
    with refused("gold_vault: strategy has debt"):
        stage.send(stage.vault, "revoke_strategy", stage.pool, sender=roles.curator)
    stage.place(stage.pool, 0)
    stage.send(stage.vault, "revoke_strategy", stage.pool, sender=roles.curator)
    assert stage.read(stage.vault, "strategy_count") == 0
    assert stage.read(stage.vault, "idle") == 100 * OUNCE
    for function, args in (
        ("revoke_strategy", ()),
        ("force_revoke_strategy", ()),
        ("update_debt", (OUNCE,)),
        ("process_report", ()),
    ):
        with refused("strategy_book: not a strategy"):
            stage.send(stage.vault, function, stage.pool, *args, sender=roles.curator)


def test_update_debt__beyond_idle_or_liquidity__moves_what_is_possible(
    stage: GoldStage, roles: SimpleNamespace
):
    stage.place(stage.market, 50 * OUNCE)
    assert stage.read(stage.vault, "debt_of", stage.market) == 20 * OUNCE
    assert stage.read(stage.vault, "idle") == 0
    stage.open_loan(roles.borrower, 15 * OUNCE, 100_000)
    receipt = stage.send(stage.vault, "update_debt", stage.market, 0, sender=roles.curator)
    updated = {"strategy": stage.market.address, "old_debt": 20 * OUNCE, "new_debt": 15 * OUNCE}
    assert events(stage.vault, receipt, "DebtUpdated") == [("DebtUpdated", updated)]
    assert stage.read(stage.vault, "idle") == 5 * OUNCE
    stage.endow(roles.borrower)
    stage.send(stage.market, "repay", UNLIMITED, roles.borrower, sender=roles.borrower)
    new_debt = stage.try_out(stage.vault, "update_debt", stage.market, 0, sender=roles.curator)
    assert new_debt == 0


def test_withdraw__takes_idle_then_the_strategies_in_order(
    stage: GoldStage, roles: SimpleNamespace
):
    stage.place(stage.pool, 40 * OUNCE)
    stage.place(stage.market, 30 * OUNCE)  # 30 idle, 40 in the pool, 30 in the market
    depositor = roles.depositor

    def after(ounces: int) -> tuple[int, ...]:
        stage.send(stage.vault, "withdraw", ounces * OUNCE, depositor, depositor, sender=depositor)
        debts = (stage.read(stage.vault, "debt_of", s) for s in (stage.pool, stage.market))
        return tuple(n // OUNCE for n in (stage.read(stage.vault, "idle"), *debts))

    assert after(20) == (10, 40, 30)
    assert after(20) == (0, 30, 30)
    assert after(40) == (0, 0, 20)


def test_max_withdraw__strategies_lent_out__is_what_they_can_pay(
    stage: GoldStage, roles: SimpleNamespace
):
    stage.place(stage.pool, 0)
    stage.place(stage.market, 90 * OUNCE)
    stage.open_loan(roles.borrower, 60 * OUNCE, 400_000)
    depositor = roles.depositor
    # 10 idle and 30 of the market's cash.
    assert stage.read(stage.vault, "maxWithdraw", depositor) == 40 * OUNCE
    assert stage.read(stage.vault, "maxRedeem", depositor) == 40 * OUNCE
    for function in ("withdraw", "redeem"):
        args = (depositor, depositor)
        assert stage.refusal(stage.vault, function, 40 * OUNCE, *args, sender=depositor) is None
        reason = stage.refusal(stage.vault, function, 40 * OUNCE + 1, *args, sender=depositor)
        assert reason == "gold_vault: exceeds withdrawable"


def test_shutdown__deposits_end_and_debt_only_falls(stage: GoldStage, roles: SimpleNamespace):
    stage.send(stage.vault, "shutdown", sender=roles.curator)
    with refused("gold_vault: shut down"):
        stage.send(stage.vault, "shutdown", sender=roles.curator)
    stage.endow(roles.trader, OUNCE)
    with refused("gold_vault: exceeds deposit limit"):
        stage.send(stage.vault, "deposit", OUNCE, roles.trader, sender=roles.trader)
    with refused("gold_vault: shut down"):
        stage.send(stage.vault, "add_strategy", stage.market, sender=roles.curator)
    with refused("gold_vault: shut down"):
        stage.send(stage.vault, "update_debt", stage.pool, 80 * OUNCE + 1, sender=roles.curator)
    stage.send(stage.vault, "update_debt", stage.pool, 50 * OUNCE, sender=roles.curator)
    depositor = roles.depositor
    stage.send(stage.vault, "redeem", 100 * OUNCE, depositor, depositor, sender=depositor)
    assert stage.read(stage.gold, "balanceOf", depositor) == 100 * OUNCE


def test_pause__stops_deposits_only(stage: GoldStage, roles: SimpleNamespace):
    depositor = roles.depositor
    stage.endow(depositor, 2 * OUNCE)
    with refused("gold_vault: not paused"):
        stage.send(stage.vault, "unpause", sender=roles.curator)
    stage.send(stage.vault, "pause", sender=roles.curator)
    with refused("gold_vault: already paused"):
        stage.send(stage.vault, "pause", sender=roles.curator)
    for function in ("deposit", "mint"):
        with refused("gold_vault: exceeds deposit limit"):
            stage.send(stage.vault, function, OUNCE, depositor, sender=depositor)
    stage.send(stage.vault, "redeem", OUNCE, depositor, depositor, sender=depositor)
    stage.send(stage.vault, "unpause", sender=roles.curator)
    stage.send(stage.vault, "deposit", OUNCE, depositor, sender=depositor)


@pytest.fixture
def dying_pool(stage: GoldStage, roles: SimpleNamespace) -> Contract:
    """A strategy with 20 oz of debt that answers for a day and then no more."""
    last = stage.chain.timestamp() + DAY
    line = "return math._mul_div(shares, self._present(), self.totalSupply, False)"
    dying = f'assert block.timestamp < {last}, "dead"\n    {line}'
    artifact = compile_patched(
        CONTRACTS / "stage" / "stage_strategy.vy", ("stage/stage_strategy.vy", line, dying)
    )
    args = (stage.gold.address, stage.vault.address, roles.keeper, roles.intruder)
    pool = stage.chain.deploy(artifact, args, sender=roles.owner)
    stage.place(pool, 20 * OUNCE)
    return pool


def test_dead_strategy__limits_are_zero_and_movements_refused__until_it_is_written_off(
    stage: GoldStage, roles: SimpleNamespace, dying_pool: Contract
):
    depositor = roles.depositor
    redeem = (stage.vault, "redeem", OUNCE, depositor, depositor)
    assert stage.refusal(*redeem, sender=depositor) is None
    stage.wait(DAY)
    for limit in ("maxDeposit", "maxMint", "maxWithdraw", "maxRedeem"):
        assert stage.read(stage.vault, limit, depositor) == 0
    with refused("strategy_book: strategy cannot be valued"):
        stage.send(*redeem, sender=depositor)
    with refused("strategy_book: strategy cannot be valued"):
        stage.read(stage.vault, "previewRedeem", OUNCE)
    receipt = stage.send(stage.vault, "force_revoke_strategy", dying_pool, sender=roles.curator)
    names = [name for name, _ in events(stage.vault, receipt)]
    assert names == ["StrategyReported", "StrategyRevoked"]
    assert stage.read(stage.vault, "totalAssets") == 80 * OUNCE
    stage.send(*redeem, sender=depositor)


# --- ERC-4626 ----------------------------------------------------------------


@pytest.fixture
def grown(stage: GoldStage, roles: SimpleNamespace) -> GoldStage:
    """A vault with profit half unlocked, a loss unreported, and an uneven price."""
    stage.credit(7 * OUNCE + 11)
    stage.report(stage.pool)
    stage.wait(3 * DAY)
    stage.seize(5 * OUNCE + 3)
    stage.endow(roles.second_depositor, 1_000 * OUNCE)
    return stage


@pytest.mark.parametrize("amount", [2, 3, 10**9 + 7, OUNCE, 17 * OUNCE + 13])
def test_previews__in_the_same_block__equal_what_happens(
    grown: GoldStage, roles: SimpleNamespace, amount: int
):
    user, holder = roles.second_depositor, roles.depositor
    free, supply = (grown.read(grown.vault, name) for name in ("free_assets", "totalSupply"))
    expected = {
        "deposit": to_shares(amount, free, supply),
        "mint": to_assets(amount, free, supply, up=True),
        "withdraw": to_shares(amount, free, supply, up=True),
        "redeem": to_assets(amount, free, supply),
    }
    for function, value in expected.items():
        assert grown.read(grown.vault, f"preview{function.capitalize()}", amount) == value
        args = (amount, user) if function in ("deposit", "mint") else (amount, holder, holder)
        assert grown.try_out(grown.vault, function, *args, sender=args[-1]) == value


def test_deposit__worth_less_than_one_share__is_refused(grown: GoldStage, roles: SimpleNamespace):
    user = roles.second_depositor
    with refused("share_math: too little for the price of a share"):
        grown.send(grown.vault, "deposit", 1, user, sender=user)
    grown.send(grown.vault, "deposit", 2, user, sender=user)


def test_withdraw__for_another_owner__needs_an_allowance_of_shares(
    grown: GoldStage, roles: SimpleNamespace
):
    args = (OUNCE, roles.trader, roles.depositor, roles.depositor)
    with refused("erc20: insufficient allowance"):
        grown.send(grown.vault, "redeem", *args[:3], sender=roles.trader)
    grown.send(grown.vault, "approve", roles.trader, OUNCE, sender=roles.depositor)
    worth = grown.read(grown.vault, "previewRedeem", OUNCE)
    grown.send(grown.vault, "redeem", *args[:3], sender=roles.trader)
    paid = grown.read(grown.gold, "balanceOf", roles.trader)
    # A second of unlocking between the preview and the redemption.
    assert worth <= paid <= worth + worth // 10**6


def test_deposit_cap__at_the_limit__passes_and_above_it_reverts(
    grown: GoldStage, roles: SimpleNamespace
):
    user = roles.second_depositor
    grown.send(grown.vault, "set_deposit_cap", 150 * OUNCE, sender=roles.curator)
    total = grown.read(grown.vault, "totalAssets")
    room = grown.read(grown.vault, "maxDeposit", user)
    assert room == 150 * OUNCE - total
    shares = grown.read(grown.vault, "maxMint", user)
    assert shares == grown.read(grown.vault, "previewDeposit", room)
    reason = "gold_vault: exceeds deposit limit"
    for function, limit in (("deposit", room), ("mint", shares)):
        assert grown.refusal(grown.vault, function, limit, user, sender=user) is None
        assert grown.refusal(grown.vault, function, limit + 1, user, sender=user) == reason
    grown.send(grown.vault, "set_deposit_cap", total - 1, sender=roles.curator)
    assert grown.read(grown.vault, "maxDeposit", user) == 0
    assert grown.read(grown.vault, "maxMint", user) == 0
    grown.send(grown.vault, "set_deposit_cap", UNLIMITED, sender=roles.curator)
    assert grown.read(grown.vault, "maxDeposit", user) == UNLIMITED
    assert grown.read(grown.vault, "maxMint", user) == UNLIMITED


def test_deposit__after_the_last_holder_left_profit_behind__is_one_for_one(
    stage: GoldStage, roles: SimpleNamespace
):
    """Profit that unlocks for nobody goes to the fee recipient, not to the next comer."""
    stage.credit(7 * OUNCE)
    stage.report(stage.pool)
    depositor = roles.depositor
    stage.send(stage.vault, "redeem", 100 * OUNCE, depositor, depositor, sender=depositor)
    left_over = stage.read(stage.vault, "totalAssets")
    assert 6 * OUNCE < left_over < 7 * OUNCE
    # At the price at which he left, which the virtual share and a wei of rounding stand in.
    assert 0 <= left_over - holding(stage, roles.fee_recipient) <= 2
    assert stage.read(stage.vault, "locked_profit") == 0
    stage.deposit(roles.trader, 10 * OUNCE)
    assert 0 <= 10 * OUNCE - holding(stage, roles.trader) <= 2
    stage.wait(8 * DAY)
    assert 0 <= 10 * OUNCE - holding(stage, roles.trader) <= 2


def test_six_decimals__shares_and_price__have_the_assets_scale(revm: Chain, roles: SimpleNamespace):
    stage = GoldStage(revm, roles, market_terms=FREE, decimals=6)
    assert stage.read(stage.vault, "decimals") == stage.read(stage.market, "decimals") == 6
    ounce = 10**6
    stage.deposit(roles.depositor, 100 * ounce)
    stage.place(stage.pool, 80 * ounce)
    stage.place(stage.market, 20 * ounce)
    stage.open_loan(roles.borrower, 15 * ounce, 100_000)
    # 15 oz x $4,000 = 60 % of $100,000.
    assert stage.read(stage.market, "ltv", roles.borrower) == 6 * 10**17
    stage.credit(7 * ounce)
    stage.report(stage.pool)
    stage.wait(7 * DAY)
    assert stage.read(stage.vault, "free_assets") == 107 * ounce
    assert abs(price_of(stage) - Fraction(107, 100)) < Fraction(1, 10**8)


# --- A token that takes a fee ------------------------------------------------


@pytest.fixture
def charging(grown: GoldStage, roles: SimpleNamespace) -> GoldStage:
    """The grown vault, with gold that takes 0.02 % of every transfer."""
    grown.send(grown.gold, "setFeeRate", 200, sender=roles.owner)
    return grown


def test_deposit__fee_on_transfer__is_previewed_net_and_credited_as_it_arrives(
    charging: GoldStage, roles: SimpleNamespace
):
    user = roles.second_depositor
    free, supply = (charging.read(charging.vault, n) for n in ("free_assets", "totalSupply"))
    arriving = 5 * OUNCE - 5 * OUNCE * 200 // 1_000_000
    expected = to_shares(arriving, free, supply)
    assert charging.read(charging.vault, "previewDeposit", 5 * OUNCE) == expected
    assert charging.try_out(charging.vault, "deposit", 5 * OUNCE, user, sender=user) == expected
    idle = charging.read(charging.vault, "idle")
    charging.send(charging.vault, "deposit", 5 * OUNCE, user, sender=user)
    assert charging.read(charging.vault, "idle") == idle + arriving


@pytest.mark.parametrize("shares", [1, 4_999, 5_000, 5_001, OUNCE, 3 * OUNCE + 1])
def test_mint__fee_on_transfer__is_grossed_up_to_the_least_that_pays(
    charging: GoldStage, roles: SimpleNamespace, shares: int
):
    user = roles.second_depositor
    free, supply = (charging.read(charging.vault, n) for n in ("free_assets", "totalSupply"))
    net = to_assets(shares, free, supply, up=True)
    gross = charging.read(charging.vault, "previewMint", shares)
    assert gross - gross * 200 // 1_000_000 >= net
    assert (gross - 1) - (gross - 1) * 200 // 1_000_000 < net
    assert charging.try_out(charging.vault, "mint", shares, user, sender=user) == gross


def test_limits__fee_on_transfer__pass_at_the_limit_and_revert_above(
    charging: GoldStage, roles: SimpleNamespace
):
    user, holder = roles.second_depositor, roles.depositor
    charging.send(charging.vault, "set_deposit_cap", 150 * OUNCE, sender=roles.curator)
    for function in ("deposit", "mint", "withdraw", "redeem"):
        who = user if function in ("deposit", "mint") else holder
        owners = (who,) if who == user else (who, who)
        limit = charging.read(charging.vault, f"max{function.capitalize()}", who)
        assert limit > 0
        call = (charging.vault, function)
        assert charging.refusal(*call, limit, *owners, sender=who) is None
        assert charging.refusal(*call, limit + 1, *owners, sender=who) is not None


def test_withdraw__fee_on_transfer_from_a_strategy__is_borne_by_the_leaver(
    charging: GoldStage, roles: SimpleNamespace
):
    """30 oz leave: 20 are idle, 10 come from the pool and cost 10 / (1 - 0.02 %) of its debt."""
    holder = roles.depositor
    free, supply = (charging.read(charging.vault, name) for name in ("free_assets", "totalSupply"))
    gross = (10 * OUNCE - 1) * 1_000_000 // 999_800 + 1
    shares = to_shares(20 * OUNCE + gross, free, supply, up=True)
    args = ("withdraw", 30 * OUNCE, holder, holder)
    assert charging.read(charging.vault, "previewWithdraw", 30 * OUNCE) == shares
    assert charging.try_out(charging.vault, *args, sender=holder) == shares
    receipt = charging.send(charging.vault, *args, sender=holder)
    losses = [fields["loss"] for _, fields in events(charging.vault, receipt, "StrategyReported")]
    # The seized ounces alone: the fee on what is called back is nobody's loss but his.
    assert losses == [5 * OUNCE + 3]
    assert charging.read(charging.gold, "balanceOf", holder) == 30 * OUNCE * 999_800 // 1_000_000


def test_redeem__fee_on_transfer_from_a_strategy__is_borne_by_the_leaver(
    charging: GoldStage, roles: SimpleNamespace
):
    """30 oz of shares: 20 are idle, 10 are called back and arrive less 0.02 %."""
    holder = roles.depositor
    free, supply = (charging.read(charging.vault, name) for name in ("free_assets", "totalSupply"))
    shares = to_shares(30 * OUNCE, free, supply)
    worth = to_assets(shares, free, supply)
    called = worth - 20 * OUNCE
    paid = worth - called * 200 // 1_000_000
    assert charging.read(charging.vault, "previewRedeem", shares) == paid
    args = ("redeem", shares, holder, holder)
    assert charging.try_out(charging.vault, *args, sender=holder) == paid
    assert charging.read(charging.vault, "maxWithdraw", holder) == charging.read(
        charging.vault, "previewRedeem", charging.read(charging.vault, "maxRedeem", holder)
    )


@pytest.mark.parametrize("leaver", [500, 990, 999])
def test_redeem__all_in_a_strategy_that_charges__leaves_the_others_whole(
    new_stage: NewStage, roles: SimpleNamespace, leaver: int
):
    """A leaver of 99.9 % once cost the rest a fifth; in Yearn V3 it costs them nothing."""
    stage = new_stage()
    stage.deposit(roles.depositor, leaver * OUNCE)
    stage.deposit(roles.second_depositor, (1_000 - leaver) * OUNCE)
    stage.place(stage.pool, 1_000 * OUNCE)
    stage.send(stage.gold, "setFeeRate", 200, sender=roles.owner)  # 0.02 %, PAXG's until 2023
    before = holding(stage, roles.second_depositor)
    shares = stage.read(stage.vault, "balanceOf", roles.depositor)
    args = (shares, roles.depositor, roles.depositor)
    stage.send(stage.vault, "redeem", *args, sender=roles.depositor)
    assert holding(stage, roles.second_depositor) == before
    # Two transfers, the pool's and the vault's, each of which keeps 0.02 %.
    arrived = leaver * OUNCE * 999_800 // 1_000_000 * 999_800 // 1_000_000
    assert stage.read(stage.gold, "balanceOf", roles.depositor) == arrived


def test_redeem__a_wei_that_would_call_back_a_dear_share_of_a_strategy__is_refused(
    stage: GoldStage, roles: SimpleNamespace
):
    """Its fee would be more than the wei, and the others would pay it.

    The pool's one share is made to cost 2 oz: 0.02 % of that are 4e14 wei.
    """
    stage.place(stage.pool, 0)
    stage.send(
        stage.vault, "redeem", 100 * OUNCE - 1_000, *[roles.depositor] * 2, sender=roles.depositor
    )
    stage.send(stage.vault, "redeem", 999, *[roles.depositor] * 2, sender=roles.depositor)
    stage.place(stage.pool, 1)
    stage.credit(4 * OUNCE)
    stage.deposit(roles.trader, 100 * OUNCE)
    stage.place(stage.pool, 100 * OUNCE)
    stage.send(stage.gold, "setFeeRate", 200, sender=roles.owner)
    idle = stage.read(stage.vault, "idle")
    assert idle < 4 * OUNCE
    trader = roles.trader
    if idle:
        stage.send(stage.vault, "withdraw", idle, trader, trader, sender=trader)
    with refused("gold_vault: exit below its fee"):
        stage.send(stage.vault, "redeem", 10, trader, trader, sender=trader)
    stage.send(stage.vault, "redeem", OUNCE, trader, trader, sender=trader)


def test_update_debt__fee_on_transfer__is_a_reported_loss(
    charging: GoldStage, roles: SimpleNamespace
):
    charging.report(charging.pool)
    debt = charging.read(charging.vault, "debt_of", charging.pool)
    receipt = charging.send(
        charging.vault, "update_debt", charging.pool, debt + 10 * OUNCE, sender=roles.curator
    )
    [(_, reported)] = events(charging.vault, receipt, "StrategyReported")
    # 0.02 % of 10 oz; the pool's share price may round one more wei away.
    assert 0 <= reported["loss"] - 10 * OUNCE * 200 // 1_000_000 <= 1


# --- The queue ---------------------------------------------------------------


@pytest.fixture
def queue(new_stage: NewStage, roles: SimpleNamespace) -> GoldStage:
    """Batches of a day, two days of cooldown; 100 and 50 oz, 30 idle, 120 in the market."""
    stage = new_stage(cooldown_seconds=2 * DAY, batch_seconds=DAY)
    stage.deposit(roles.depositor, 100 * OUNCE)
    stage.deposit(roles.second_depositor, 50 * OUNCE)
    stage.place(stage.market, 120 * OUNCE)
    return stage


def _request(stage: GoldStage, owner: str, ounces: int) -> int:
    stage.send(stage.vault, "approve", stage.queue, UNLIMITED, sender=owner)
    receipt = stage.send(stage.queue, "request_redeem", ounces * OUNCE, sender=owner)
    [(_, requested)] = events(stage.queue, receipt, "RedeemRequested")
    assert requested["batch"] == receipt.timestamp // DAY
    return int(requested["batch"])


def _ripe(batch: int) -> int:
    """Return when a batch may be settled: two days after its day is over."""
    return (batch + 3) * DAY


def test_queue__instant_exits__are_refused_and_limits_zero(
    queue: GoldStage, roles: SimpleNamespace
):
    depositor = roles.depositor
    assert queue.read(queue.vault, "maxWithdraw", depositor) == 0
    assert queue.read(queue.vault, "maxRedeem", depositor) == 0
    for function in ("withdraw", "redeem"):
        with refused("gold_vault: withdraw through the queue"):
            queue.send(queue.vault, function, 1, depositor, depositor, sender=depositor)
    _request(queue, depositor, 1)


def test_request_redeem__moves_the_shares_to_the_queue(queue: GoldStage, roles: SimpleNamespace):
    with refused("erc20: insufficient allowance"):
        queue.send(queue.queue, "request_redeem", 40 * OUNCE, sender=roles.depositor)
    queue.send(queue.vault, "approve", queue.queue, UNLIMITED, sender=roles.depositor)
    with refused("erc20: transfer amount exceeds balance"):
        queue.send(queue.queue, "request_redeem", 101 * OUNCE, sender=roles.depositor)
    with refused("withdrawal_queue: no shares"):
        queue.send(queue.queue, "request_redeem", 0, sender=roles.depositor)
    batch = _request(queue, roles.depositor, 40)
    assert queue.read(queue.vault, "balanceOf", queue.queue) == 40 * OUNCE
    assert queue.read(queue.queue, "pending_shares", batch, roles.depositor) == 40 * OUNCE
    assert queue.read(queue.queue, "claimable_assets", batch, roles.depositor) == 0
    assert queue.read(queue.vault, "totalSupply") == 150 * OUNCE


def test_shares__sent_or_minted_to_the_queue__are_refused(queue: GoldStage, roles: SimpleNamespace):
    """It would not know whose they are."""
    depositor, reason = roles.depositor, "gold_vault: request through the queue"
    queue.endow(depositor, OUNCE)
    for function, *args in (
        ("transfer", queue.queue, OUNCE),
        ("deposit", OUNCE, queue.queue),
        ("mint", OUNCE, queue.queue),
    ):
        with refused(reason):
            queue.send(queue.vault, function, *args, sender=depositor)
    queue.send(queue.vault, "approve", roles.trader, OUNCE, sender=depositor)
    with refused(reason):
        queue.send(queue.vault, "transferFrom", depositor, queue.queue, OUNCE, sender=roles.trader)
    with refused(reason):
        queue.send(queue.vault, "set_fee_recipient", queue.queue, sender=roles.curator)
    for view in ("maxDeposit", "maxMint"):
        assert queue.read(queue.vault, view, queue.queue) == 0
        assert queue.read(queue.vault, view, depositor) == UNLIMITED
    _request(queue, depositor, 1)


def test_bind__once_by_the_deployer_to_a_vault_that_names_it(
    queue: GoldStage, roles: SimpleNamespace
):
    fresh = deploy(queue.chain, "vault_queue", 0, 1, sender=roles.owner)
    with refused("vault_queue: caller is not the deployer"):
        queue.send(fresh, "bind", queue.vault, sender=roles.stranger)
    with refused("vault_queue: vault has another queue"):
        queue.send(fresh, "bind", queue.vault, sender=roles.owner)
    with refused("vault_queue: already bound"):
        queue.send(queue.queue, "bind", queue.vault, sender=roles.owner)
    assert queue.read(queue.queue, "vault") == queue.vault.address
    assert queue.read(queue.queue, "asset") == queue.gold.address


@pytest.mark.parametrize(
    ("times", "reason"),
    [
        ((1, 0), "vault_queue: batch period is zero"),
        ((SECONDS_PER_YEAR + 1, DAY), "vault_queue: cooldown above a year"),
        ((0, SECONDS_PER_YEAR + 1), "vault_queue: batch period above a year"),
    ],
)
def test_queue__impossible_times__are_refused(
    revm: Chain, roles: SimpleNamespace, times: tuple[int, int], reason: str
):
    with refused(reason):
        deploy(revm, "vault_queue", *times, sender=roles.owner)
    deploy(revm, "vault_queue", SECONDS_PER_YEAR, SECONDS_PER_YEAR, sender=roles.owner)


def test_settle_batch__before_the_cooldown__is_refused(queue: GoldStage, roles: SimpleNamespace):
    batch = _request(queue, roles.depositor, 40)
    with refused("vault_queue: batch is cooling down"):
        queue.send(queue.queue, "settle_batch", batch, sender=roles.stranger, at=_ripe(batch) - 1)
    with refused("withdrawal_queue: nothing to settle"):
        queue.send(queue.queue, "settle_batch", batch + 1, sender=roles.stranger)
    queue.send(queue.queue, "settle_batch", batch, sender=roles.stranger)
    with refused("withdrawal_queue: nothing to settle"):
        queue.send(queue.queue, "settle_batch", batch, sender=roles.stranger)


def test_settle_and_claim__enough_liquidity__pays_in_full_and_once(
    queue: GoldStage, roles: SimpleNamespace
):
    batch = _request(queue, roles.depositor, 40)
    with refused("withdrawal_queue: nothing to claim"):
        queue.send(queue.queue, "claim_batch", batch, sender=roles.depositor)
    receipt = queue.send(queue.queue, "settle_batch", batch, sender=roles.stranger, at=_ripe(batch))
    found = dict(events(queue.queue, receipt))
    assert found["BatchSettled"] == {
        "batch": batch,
        "shares": 40 * OUNCE,
        "assets": 40 * OUNCE,
        "open_shares": 0,
    }
    assert queue.read(queue.queue, "set_aside") == 40 * OUNCE
    assert queue.read(queue.vault, "totalAssets") == 110 * OUNCE
    assert queue.read(queue.vault, "totalSupply") == 110 * OUNCE
    assert queue.read(queue.queue, "pending_shares", batch, roles.depositor) == 0
    queue.send(queue.queue, "claim_batch", batch, sender=roles.depositor)
    assert queue.read(queue.gold, "balanceOf", roles.depositor) == 40 * OUNCE
    assert queue.read(queue.queue, "set_aside") == 0
    for claimant in (roles.depositor, roles.stranger):
        with refused("withdrawal_queue: nothing to claim"):
            queue.send(queue.queue, "claim_batch", batch, sender=claimant)


def test_settle_batch__little_liquidity__is_pro_rata_within_and_in_turn_between_batches(
    queue: GoldStage, roles: SimpleNamespace
):
    queue.open_loan(roles.borrower, 90 * OUNCE, 1_000_000)  # 30 idle and 30 cash are left
    first = _request(queue, roles.depositor, 80)
    assert _request(queue, roles.second_depositor, 40) == first
    queue.wait(DAY)
    second = _request(queue, roles.second_depositor, 10)
    queue.wait(5 * DAY)
    with refused("withdrawal_queue: an earlier batch is not filled"):
        queue.send(queue.queue, "settle_batch", second, sender=roles.stranger)
    # 60 of the 120 oz asked for are there: everybody in the batch gets half.
    queue.send(queue.queue, "settle_batch", first, sender=roles.stranger)
    for owner, half in ((roles.depositor, 40), (roles.second_depositor, 20)):
        assert queue.read(queue.queue, "claimable_assets", first, owner) == half * OUNCE
        assert queue.read(queue.queue, "pending_shares", first, owner) == half * OUNCE
    queue.send(queue.queue, "claim_batch", first, sender=roles.depositor)
    with refused("withdrawal_queue: an earlier batch is not filled"):
        queue.send(queue.queue, "settle_batch", second, sender=roles.stranger)

    queue.send(queue.market, "repay", 75 * OUNCE, roles.borrower, sender=roles.borrower)
    queue.send(queue.queue, "settle_batch", first, sender=roles.stranger)
    queue.send(queue.queue, "settle_batch", second, sender=roles.stranger)
    # Whoever has claimed before gets the other half, whoever has not gets all of it.
    queue.send(queue.queue, "claim_batch", first, sender=roles.depositor)
    queue.send(queue.queue, "claim_batch", first, sender=roles.second_depositor)
    queue.send(queue.queue, "claim_batch", second, sender=roles.second_depositor)
    assert queue.read(queue.gold, "balanceOf", roles.depositor) == 80 * OUNCE
    assert queue.read(queue.gold, "balanceOf", roles.second_depositor) == 50 * OUNCE
    assert queue.read(queue.queue, "set_aside") == 0


def test_settle_batch__without_any_liquidity__fills_nothing_and_stays_open(
    queue: GoldStage, roles: SimpleNamespace
):
    queue.place(queue.market, 150 * OUNCE)
    queue.open_loan(roles.borrower, 150 * OUNCE, 1_000_000)
    batch = _request(queue, roles.depositor, 80)
    receipt = queue.send(queue.queue, "settle_batch", batch, sender=roles.stranger, at=_ripe(batch))
    settled = dict(events(queue.queue, receipt))["BatchSettled"]
    assert (settled["shares"], settled["open_shares"]) == (0, 80 * OUNCE)
    assert queue.read(queue.queue, "pending_shares", batch, roles.depositor) == 80 * OUNCE


def test_settle_batch__loss_after_the_request__is_shared_by_all(
    queue: GoldStage, roles: SimpleNamespace
):
    queue.place(queue.market, 0)
    queue.place(queue.pool, 120 * OUNCE)
    batch = _request(queue, roles.depositor, 100)
    queue.seize(30 * OUNCE)
    queue.send(queue.queue, "settle_batch", batch, sender=roles.stranger, at=_ripe(batch))
    # 120 of 150 oz are left: 0.8 a share, in the queue and outside.
    claim = queue.read(queue.queue, "claimable_assets", batch, roles.depositor)
    assert 0 <= 80 * OUNCE - claim <= 1
    assert 0 <= 40 * OUNCE - holding(queue, roles.second_depositor) <= 1


def test_claim_batch__loss_after_the_settlement__does_not_touch_what_is_set_aside(
    queue: GoldStage, roles: SimpleNamespace
):
    queue.place(queue.market, 0)
    queue.place(queue.pool, 100 * OUNCE)
    batch = _request(queue, roles.depositor, 50)
    queue.send(queue.queue, "settle_batch", batch, sender=roles.stranger, at=_ripe(batch))
    queue.seize(80 * OUNCE)
    queue.report(queue.pool)
    queue.send(queue.queue, "claim_batch", batch, sender=roles.depositor)
    assert queue.read(queue.gold, "balanceOf", roles.depositor) == 50 * OUNCE


def test_claim_batch__issuer_burnt_half_of_what_is_set_aside__pays_everybody_half(
    queue: GoldStage, roles: SimpleNamespace
):
    batch = _request(queue, roles.depositor, 10)
    _request(queue, roles.second_depositor, 20)
    queue.send(queue.queue, "settle_batch", batch, sender=roles.stranger, at=_ripe(batch))
    for function in ("freeze", "wipeFrozenAddress", "unfreeze"):
        queue.send(queue.gold, function, queue.queue.address, sender=roles.owner)
    queue.send(queue.gold, "increaseSupply", 15 * OUNCE, sender=roles.owner)
    queue.send(queue.gold, "transfer", queue.queue, 15 * OUNCE, sender=roles.owner)
    for owner, half in ((roles.depositor, 5), (roles.second_depositor, 10)):
        receipt = queue.send(queue.queue, "claim_batch", batch, sender=owner)
        [(_, claimed)] = events(queue.queue, receipt)
        assert claimed == {"owner": owner, "batch": batch, "assets": half * OUNCE}
        assert queue.read(queue.gold, "balanceOf", owner) == half * OUNCE
    assert queue.read(queue.queue, "set_aside") == 0


def test_settle_batch__everybody_leaves_while_profit_is_locked__gives_it_to_the_fee_recipient(
    queue: GoldStage, roles: SimpleNamespace
):
    queue.place(queue.market, 0)
    queue.place(queue.pool, 120 * OUNCE)
    batch = _request(queue, roles.depositor, 100)
    _request(queue, roles.second_depositor, 50)
    queue.wait(_ripe(batch) - queue.chain.timestamp())
    queue.credit(7 * OUNCE)
    queue.report(queue.pool)
    queue.send(queue.queue, "settle_batch", batch, sender=roles.stranger)
    assert holding(queue, roles.fee_recipient) > 6 * OUNCE
    assert queue.read(queue.vault, "locked_profit") == 0
