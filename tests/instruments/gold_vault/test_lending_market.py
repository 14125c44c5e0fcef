"""The lending market: rate, accrual and reserves, loans, liquidation, bad debt, ERC-4626."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
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
    to_assets,
    to_shares,
)
from props import ERC20_FUNCTIONS, ERC20_TOPICS, check_standard, deploy, events, refused

from simulator.chain import ZERO_ADDRESS, Chain, load_artifact

FREE = MarketTerms(base_rate=0, slope1=0, slope2=0)
"""No interest: balances stay round, so that amounts can be worked out by hand."""

ERC4626_FUNCTIONS = {
    "asset()": "address",
    "totalAssets()": "uint256",
    "convertToShares(uint256)": "uint256",
    "convertToAssets(uint256)": "uint256",
    "maxDeposit(address)": "uint256",
    "previewDeposit(uint256)": "uint256",
    "deposit(uint256,address)": "uint256",
    "maxMint(address)": "uint256",
    "previewMint(uint256)": "uint256",
    "mint(uint256,address)": "uint256",
    "maxWithdraw(address)": "uint256",
    "previewWithdraw(uint256)": "uint256",
    "withdraw(uint256,address,address)": "uint256",
    "maxRedeem(address)": "uint256",
    "previewRedeem(uint256)": "uint256",
    "redeem(uint256,address,address)": "uint256",
}
ERC4626_TOPICS = {
    "Deposit(address,address,uint256,uint256)": 2,
    "Withdraw(address,address,address,uint256,uint256)": 3,
}

NewStage = Callable[..., GoldStage]


@pytest.fixture
def new_stage(revm: Chain, roles: SimpleNamespace) -> NewStage:
    """Build a stage with other terms than the usual ones."""
    return lambda **terms: GoldStage(revm, roles, **terms)


@pytest.fixture
def stage(new_stage: NewStage, roles: SimpleNamespace) -> GoldStage:
    """A market with interest in which the depositor has supplied 100 oz."""
    stage = new_stage()
    stage.supply(roles.depositor, 100 * OUNCE)
    return stage


@pytest.fixture
def free_stage(new_stage: NewStage, roles: SimpleNamespace) -> GoldStage:
    """A market without interest, 100 oz supplied; 75 oz borrowed against $400,000.

    At $4,000 the loan stands at 75 %: the most it may be.
    """
    stage = new_stage(market_terms=FREE)
    stage.supply(roles.depositor, 100 * OUNCE)
    stage.open_loan(roles.borrower, 75 * OUNCE, 400_000)
    return stage


# --- Standards and terms -----------------------------------------------------


def test_abi__erc20_and_erc4626__is_complete():
    check_standard(
        load_artifact("lending_market"),
        ERC20_FUNCTIONS | ERC4626_FUNCTIONS,
        ERC20_TOPICS | ERC4626_TOPICS,
    )


def test_deployed_size__is_within_eip_170():
    assert load_artifact("lending_market").deployed_size <= 24_576


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"kink": 0}, "kinked_rate: kink is zero"),
        ({"kink": WAD + 1}, "kinked_rate: kink above 100 %"),
        ({"reserve_factor": WAD + 1}, "lending_market: reserve factor above 100 %"),
        ({"max_ltv": 85 * WAD // 100}, "lending_market: max ltv not below threshold"),
        ({"liquidation_bonus": WAD // 2 + 1}, "lending_market: bonus above 50 %"),
        # 0.85 x 1.18 = 1.003: seizing with the bonus would take more than there is.
        ({"liquidation_bonus": 18 * WAD // 100}, "lending_market: bonus exceeds margin"),
    ],
)
def test_constructor__impossible_terms__are_refused(
    stage: GoldStage, change: dict[str, int], reason: str
):
    with refused(reason):
        stage.deploy_market(replace(MarketTerms(), **change))
    stage.deploy_market(MarketTerms())


def test_constructor__same_token_twice_or_no_treasury__is_refused(
    stage: GoldStage, roles: SimpleNamespace
):
    def market(collateral: object, treasury: str) -> None:
        feeds = stage.usd_feed, stage.gold_feed
        terms = (collateral, stage.gold, *feeds, DAY, treasury, *MarketTerms().args())
        deploy(stage.chain, "lending_market", *terms, sender=roles.owner)

    with refused("lending_market: collateral is the debt token"):
        market(stage.gold, roles.treasury)
    with refused("lending_market: treasury is the zero address"):
        market(stage.usdc, ZERO_ADDRESS)
    market(stage.usdc, roles.treasury)


# --- Rate and accrual --------------------------------------------------------


@pytest.mark.parametrize(
    ("borrowed_ounces", "rate_percent"),
    [
        # base 1 %, 4 % up to the kink of 80 %, 60 % beyond: worked out by hand.
        (0, 1),
        (40, 3),
        (80, 5),
        (90, 35),
        (100, 65),
    ],
)
def test_borrow_rate__at_utilisation__follows_the_kink(
    stage: GoldStage, roles: SimpleNamespace, borrowed_ounces: int, rate_percent: int
):
    if borrowed_ounces:
        stage.open_loan(roles.borrower, borrowed_ounces * OUNCE, 1_000_000)
    assert stage.read(stage.market, "utilisation") == borrowed_ounces * WAD // 100
    assert stage.read(stage.market, "borrow_rate") == rate_percent * WAD // 100


def test_borrow_rate__kink_at_full_utilisation__has_no_second_slope(
    new_stage: NewStage, roles: SimpleNamespace
):
    stage = new_stage(market_terms=MarketTerms(kink=WAD))
    stage.supply(roles.depositor, 100 * OUNCE)
    stage.open_loan(roles.borrower, 100 * OUNCE, 1_000_000)
    assert stage.read(stage.market, "borrow_rate") == 5 * WAD // 100


def test_views__between_accruals__include_interest_up_to_now(
    stage: GoldStage, roles: SimpleNamespace
):
    # 40 of 100 oz at 3 % for a year: 1.2 oz, a tenth of it the treasury's.
    stage.open_loan(roles.borrower, 40 * OUNCE, 400_000)
    stage.wait(SECONDS_PER_YEAR)
    assert stage.read(stage.market, "borrow_index") == RAY * 103 // 100
    assert stage.read(stage.market, "debt_of", roles.borrower) == 41_200_000_000_000_000_000
    assert stage.read(stage.market, "total_borrows") == 41_200_000_000_000_000_000
    assert stage.read(stage.market, "totalAssets") == 101_200_000_000_000_000_000
    exact = Fraction(10_108, 10_000) * RAY
    assert abs(stage.read(stage.market, "supply_index") - exact) <= RAY // OUNCE
    # The rate in force is still that of the start.
    assert stage.read(stage.market, "borrow_rate") == 3 * WAD // 100


def test_accrue__views_before_and_after__agree(stage: GoldStage, roles: SimpleNamespace):
    names = ("borrow_index", "supply_index", "total_borrows", "totalAssets", "utilisation")
    stage.open_loan(roles.borrower, 70 * OUNCE, 400_000)
    snapshot = stage.chain.snapshot()
    at = stage.wait(45 * DAY)
    before = [stage.read(stage.market, name) for name in names]
    stage.chain.revert(snapshot)
    stage.send(stage.market, "accrue", sender=roles.stranger, at=at)
    assert [stage.read(stage.market, name) for name in names] == before


def test_accrue__daily_for_a_year__equals_the_exact_recursion(
    stage: GoldStage, roles: SimpleNamespace
):
    """The rules of `docs/mechanics.md` once more, in fractions."""
    stage.open_loan(roles.borrower, 85 * OUNCE, 1_000_000)
    start = stage.chain.timestamp()
    cash, debt = Fraction(15 * OUNCE), Fraction(85 * OUNCE)
    index, shares = Fraction(1), Fraction(100 * OUNCE)
    for day in range(1, 366):
        stage.send(stage.market, "accrue", sender=roles.keeper, at=start + day * DAY)
        borrows = debt * index
        over_the_kink = borrows / (cash + borrows) - Fraction(80, 100)
        rate = Fraction(5, 100) + Fraction(60, 100) * over_the_kink / Fraction(20, 100)
        index = _rounded(index * (1 + rate * DAY / SECONDS_PER_YEAR))
        reserve = (debt * index - borrows) / 10
        shares = _rounded(shares + reserve * shares / (cash + debt * index - reserve))
    assert index > Fraction(122, 100)
    # The rate is floored from utilisations floored to 1e-18, times a slope of 3: 4e-18
    # of a year's rate; each day's index is floored to 1e-27.
    assert abs(stage.read(stage.market, "borrow_index") - index * RAY) < 10 * RAY // WAD
    # 365 mints round down by less than a share; 1e-17 of 85 oz are 850 wei.
    supply = stage.read(stage.market, "totalSupply")
    assert abs(supply - shares) < 365 + 850
    assert stage.read(stage.market, "balanceOf", roles.treasury) == supply - 100 * OUNCE
    total = stage.read(stage.market, "cash") + stage.read(stage.market, "total_borrows")
    assert total == stage.read(stage.market, "totalAssets")
    assert abs(total - (cash + debt * index)) < 850
    price = (cash + debt * index) / shares
    tolerance = 2 * (365 + 850) * RAY // (100 * OUNCE)
    assert abs(stage.read(stage.market, "supply_index") - price * RAY) < tolerance


def _rounded(value: Fraction) -> Fraction:
    """Keep 60 digits: exact fractions over 365 products would need millions."""
    return Fraction(round(value * 10**60), 10**60)


def test_accrue__after_a_second_loan_in_mid_period__latches_the_rate_at_each_state(
    stage: GoldStage, roles: SimpleNamespace
):
    # Half a year at 40 % utilisation (3 %), then half a year at what the loan makes it.
    half = SECONDS_PER_YEAR // 2
    stage.open_loan(roles.borrower, 40 * OUNCE, 400_000)
    opened = stage.chain.timestamp()
    stage.endow(roles.second_borrower, dollars=400_000)
    collateral = (400_000 * DOLLAR, roles.second_borrower)
    sender = roles.second_borrower
    stage.send(stage.market, "supply_collateral", *collateral, sender=sender)
    stage.send(stage.market, "borrow", 30 * OUNCE, sender, sender=sender, at=opened + half)
    index = stage.read(stage.market, "borrow_index")
    assert index == RAY * 1015 // 1000
    usage = Fraction(706, 1006)
    rate = Fraction(1, 100) + Fraction(4, 100) * usage / Fraction(8, 10)
    stage.send(stage.market, "accrue", sender=roles.keeper, at=opened + 2 * half)
    exact = Fraction(1015, 1000) * (1 + rate / 2)
    assert abs(stage.read(stage.market, "borrow_index") - exact * RAY) <= 3 * RAY // WAD


def test_accrue__reserve__is_worth_its_part_of_the_interest(
    stage: GoldStage, roles: SimpleNamespace
):
    stage.open_loan(roles.borrower, 40 * OUNCE, 400_000)
    receipt = stage.send(
        stage.market,
        "accrue",
        sender=roles.keeper,
        at=stage.chain.timestamp() + SECONDS_PER_YEAR,
    )
    [(_, accrued)] = events(stage.market, receipt, "Accrued")
    assert accrued["interest"] == 12 * OUNCE // 10
    held = stage.read(stage.market, "balanceOf", roles.treasury)
    assert held == accrued["treasury_shares"]
    worth = stage.read(stage.market, "convertToAssets", held)
    assert 12 * OUNCE // 100 - 2 <= worth <= 12 * OUNCE // 100
    rest = stage.read(stage.market, "convertToAssets", 100 * OUNCE)
    assert 10_108 * OUNCE // 100 - 2 <= rest <= 10_108 * OUNCE // 100


def test_accrue__without_loans__finds_no_interest(stage: GoldStage, roles: SimpleNamespace):
    later = stage.chain.timestamp() + SECONDS_PER_YEAR
    receipt = stage.send(stage.market, "accrue", sender=roles.keeper, at=later)
    nothing = {"interest": 0, "borrow_index": RAY, "treasury_shares": 0}
    assert events(stage.market, receipt) == [("Accrued", nothing)]


def test_accrue__twice_in_a_block__adds_nothing(stage: GoldStage, roles: SimpleNamespace):
    stage.open_loan(roles.borrower, 40 * OUNCE, 400_000)
    call = stage.market.call("accrue", sender=roles.keeper)
    first, second = stage.chain.block(stage.chain.timestamp() + DAY, [call, call])
    assert [name for name, _ in events(stage.market, first)] == ["Transfer", "Accrued"]
    assert events(stage.market, second) == []


# --- Loans -------------------------------------------------------------------


def test_borrow__at_max_ltv__passes_and_beyond_it_reverts(
    free_stage: GoldStage, roles: SimpleNamespace
):
    # 75 oz x $4,000 = $300,000 = 75 % of $400,000.
    assert free_stage.read(free_stage.market, "ltv", roles.borrower) == 75 * WAD // 100
    with refused("lending_market: exceeds max ltv"):
        free_stage.send(free_stage.market, "borrow", 1, roles.borrower, sender=roles.borrower)


def test_borrow__what_is_lent__leaves_cash_and_becomes_debt(
    free_stage: GoldStage, roles: SimpleNamespace
):
    assert free_stage.read(free_stage.gold, "balanceOf", roles.borrower) == 75 * OUNCE
    assert free_stage.read(free_stage.market, "cash") == 25 * OUNCE
    assert free_stage.read(free_stage.market, "debt_of", roles.borrower) == 75 * OUNCE
    assert free_stage.read(free_stage.market, "total_borrows") == 75 * OUNCE


def test_borrow__beyond_cash__reverts(free_stage: GoldStage, roles: SimpleNamespace):
    sender = roles.second_borrower
    free_stage.endow(sender, dollars=400_000)
    amount = 400_000 * DOLLAR
    free_stage.send(free_stage.market, "supply_collateral", amount, sender, sender=sender)
    with refused("lending_market: exceeds cash"):
        free_stage.send(free_stage.market, "borrow", 25 * OUNCE + 1, sender, sender=sender)
    free_stage.send(free_stage.market, "borrow", 25 * OUNCE, sender, sender=sender)
    assert free_stage.read(free_stage.market, "utilisation") == WAD


def test_withdraw_collateral__below_what_the_debt_needs__reverts(
    free_stage: GoldStage, roles: SimpleNamespace
):
    send, market, borrower = free_stage.send, free_stage.market, roles.borrower
    with refused("lending_market: exceeds max ltv"):
        send(market, "withdraw_collateral", 1, borrower, sender=borrower)
    # 60 oz need 60 x 4,000 / 0.75 = $320,000.
    send(market, "repay", 15 * OUNCE, borrower, sender=borrower)
    with refused("lending_market: exceeds max ltv"):
        send(market, "withdraw_collateral", 80_000 * DOLLAR + 1, borrower, sender=borrower)
    send(market, "withdraw_collateral", 80_000 * DOLLAR, borrower, sender=borrower)
    assert free_stage.read(free_stage.usdc, "balanceOf", borrower) == 80_000 * DOLLAR
    assert free_stage.read(market, "total_collateral") == 320_000 * DOLLAR


def test_withdraw_collateral__debt_worth_less_than_the_smallest_value__still_needs_some(
    new_stage: NewStage, roles: SimpleNamespace
):
    # At half a dollar an ounce a wei is worth 0.5e-18 dollars, which rounds up.
    stage, borrower = new_stage(market_terms=FREE), roles.borrower
    stage.supply(roles.depositor, OUNCE)
    stage.set_gold_price(0.5)
    stage.open_loan(borrower, 1, 1)
    with refused("lending_market: exceeds max ltv"):
        stage.send(stage.market, "withdraw_collateral", DOLLAR, borrower, sender=borrower)
    stage.send(stage.market, "withdraw_collateral", DOLLAR - 1, borrower, sender=borrower)


def test_withdraw_collateral__more_than_held__reverts(stage: GoldStage, roles: SimpleNamespace):
    borrower = roles.borrower
    stage.endow(borrower, dollars=10)
    stage.send(stage.market, "supply_collateral", 10 * DOLLAR, borrower, sender=borrower)
    with refused("lending_market: exceeds collateral"):
        stage.send(stage.market, "withdraw_collateral", 10 * DOLLAR + 1, borrower, sender=borrower)
    stage.send(stage.market, "withdraw_collateral", 10 * DOLLAR, borrower, sender=borrower)


def test_withdraw_collateral__dead_feed__only_holds_back_who_owes(
    free_stage: GoldStage, roles: SimpleNamespace
):
    free_stage.endow(roles.trader, dollars=10)
    collateral = (10 * DOLLAR, roles.trader)
    free_stage.send(free_stage.market, "supply_collateral", *collateral, sender=roles.trader)
    free_stage.send(free_stage.gold_feed, "set_mode", 2, sender=roles.keeper)
    with refused("price_feed: reverting"):
        free_stage.send(
            free_stage.market, "withdraw_collateral", 1, roles.borrower, sender=roles.borrower
        )
    free_stage.send(free_stage.market, "withdraw_collateral", *collateral, sender=roles.trader)
    free_stage.send(free_stage.market, "repay", UNLIMITED, roles.borrower, sender=roles.borrower)
    free_stage.send(
        free_stage.market,
        "withdraw_collateral",
        400_000 * DOLLAR,
        roles.borrower,
        sender=roles.borrower,
    )


def test_supply_collateral__for_the_zero_address__reverts(stage: GoldStage, roles: SimpleNamespace):
    stage.endow(roles.trader, dollars=10)
    with refused("lending_market: borrower is the zero address"):
        stage.send(stage.market, "supply_collateral", DOLLAR, ZERO_ADDRESS, sender=roles.trader)
    stage.send(stage.market, "supply_collateral", DOLLAR, roles.borrower, sender=roles.trader)
    assert stage.read(stage.market, "collateral_of", roles.borrower) == DOLLAR


def test_repay__all__clears_the_debt_and_takes_no_more(stage: GoldStage, roles: SimpleNamespace):
    stage.open_loan(roles.borrower, 40 * OUNCE, 400_000)
    opened = stage.chain.timestamp()
    payer = roles.trader
    stage.endow(payer, 50 * OUNCE)
    args = (UNLIMITED, roles.borrower)
    stage.send(stage.market, "repay", *args, sender=payer, at=opened + SECONDS_PER_YEAR)
    # 40 oz at 3 % for a year.
    assert stage.read(stage.gold, "balanceOf", payer) == 50 * OUNCE - 412 * OUNCE // 10
    assert stage.read(stage.market, "debt_of", roles.borrower) == 0
    assert stage.read(stage.market, "total_borrows") == 0
    assert stage.read(stage.market, "cash") == 60 * OUNCE + 412 * OUNCE // 10
    with refused("lending_market: no debt"):
        stage.send(stage.market, "repay", *args, sender=payer)


def test_repay__part__lowers_the_debt_by_no_more_than_paid(
    stage: GoldStage, roles: SimpleNamespace
):
    stage.open_loan(roles.borrower, 40 * OUNCE, 400_000)
    stage.wait(SECONDS_PER_YEAR)
    due = stage.read(stage.market, "debt_of", roles.borrower)
    paid = 7 * OUNCE + 3
    repaid = stage.try_out(stage.market, "repay", paid, roles.borrower, sender=roles.borrower)
    assert repaid == paid
    call = stage.market.call("repay", paid, roles.borrower, sender=roles.borrower)
    stage.chain.block(stage.chain.timestamp() + 1, [call])
    # One second of interest on 41.2 oz at the first-year rate of 3 %, and two roundings.
    second = 412 * OUNCE // 10 * 3 // 100 // SECONDS_PER_YEAR
    left = stage.read(stage.market, "debt_of", roles.borrower)
    assert 0 <= left - (due - paid) <= second + 3


def test_borrow_and_repay__of_single_wei__never_lose_assets(
    stage: GoldStage, roles: SimpleNamespace
):
    """Debts round up and repayments down: the suppliers' assets only grow."""
    stage.open_loan(roles.borrower, 40 * OUNCE, 400_000)
    stage.wait(SECONDS_PER_YEAR)
    borrower = roles.borrower
    for amount in (1, 1, -1, 2, -3, 7, -5, 1):
        at = stage.chain.timestamp() + 1
        untouched = _assets_after(stage, "accrue", sender=borrower, at=at)
        function = "borrow" if amount > 0 else "repay"
        touched = _assets_after(stage, function, abs(amount), borrower, sender=borrower, at=at)
        assert untouched <= touched <= untouched + 1
        stage.send(stage.market, function, abs(amount), borrower, sender=borrower, at=at)


def test_repay__of_single_wei_many_times__never_pays_more_debt_than_it_costs(
    stage: GoldStage, roles: SimpleNamespace
):
    borrower = roles.borrower
    stage.open_loan(borrower, 40 * OUNCE, 400_000)
    stage.wait(SECONDS_PER_YEAR)
    at, snapshot = stage.chain.timestamp() + 1, stage.chain.snapshot()
    stage.send(stage.market, "accrue", sender=borrower, at=at)
    due = stage.read(stage.market, "debt_of", borrower)
    stage.chain.revert(snapshot)
    repay = stage.market.call("repay", 1, borrower, sender=borrower)
    stage.chain.block(at, [repay] * 100)
    # A scaled unit is worth 1.03 wei, so 100 of them would be worth 103.
    assert stage.read(stage.market, "debt_of", borrower) >= due - 100


def _assets_after(stage: GoldStage, function: str, *args: object, sender: str, at: int) -> int:
    """Return the market's assets after a transaction that is then undone."""
    snapshot = stage.chain.snapshot()
    stage.send(stage.market, function, *args, sender=sender, at=at)
    assets: int = stage.read(stage.market, "totalAssets")
    stage.chain.revert(snapshot)
    return assets


# --- Liquidation -------------------------------------------------------------


def test_is_liquidatable__at_the_threshold__is_false_and_beyond_it_true(
    free_stage: GoldStage, roles: SimpleNamespace
):
    # 75 oz against $400,000 at 85 %: the border is 340,000 / 75 = $4,533.333...
    free_stage.endow(roles.liquidator, 100 * OUNCE)
    args = ("liquidate", roles.borrower, OUNCE)
    free_stage.set_gold_price(4_533)
    assert not free_stage.read(free_stage.market, "is_liquidatable", roles.borrower)
    with refused("lending_market: borrower is healthy"):
        free_stage.send(free_stage.market, *args, sender=roles.liquidator)
    free_stage.set_gold_price(4_534)
    assert free_stage.read(free_stage.market, "is_liquidatable", roles.borrower)
    free_stage.send(free_stage.market, *args, sender=roles.liquidator)


def test_liquidate__exactly_at_the_threshold__is_refused(
    new_stage: NewStage, roles: SimpleNamespace
):
    # 85 oz x $4,000 = 85 % of $400,000, to the cent, after a fall of the threshold's debt.
    stage = new_stage(market_terms=replace(FREE, max_ltv=84 * WAD // 100))
    stage.supply(roles.depositor, 100 * OUNCE)
    stage.open_loan(roles.borrower, 80 * OUNCE, 400_000)
    stage.set_gold_price(4_250)  # 80 x 4,250 = 340,000 = 0.85 x 400,000
    assert stage.read(stage.market, "ltv", roles.borrower) == 85 * WAD // 100
    assert not stage.read(stage.market, "is_liquidatable", roles.borrower)
    stage.send(stage.gold_feed, "update_answer", 4_250 * FEED_UNIT + 1, sender=roles.keeper)
    assert stage.read(stage.market, "is_liquidatable", roles.borrower)


def test_liquidate__part__seizes_the_value_and_the_bonus(
    free_stage: GoldStage, roles: SimpleNamespace
):
    free_stage.endow(roles.liquidator, 100 * OUNCE)
    free_stage.set_gold_price(4_600)
    receipt = free_stage.send(
        free_stage.market, "liquidate", roles.borrower, 10 * OUNCE, sender=roles.liquidator
    )
    # 10 oz x $4,600 x 1.05 = $48,300.
    [(_, liquidated)] = events(free_stage.market, receipt, "Liquidated")
    assert (liquidated["repaid"], liquidated["seized"]) == (10 * OUNCE, 48_300 * DOLLAR)
    assert free_stage.read(free_stage.usdc, "balanceOf", roles.liquidator) == 48_300 * DOLLAR
    assert free_stage.read(free_stage.gold, "balanceOf", roles.liquidator) == 90 * OUNCE
    assert free_stage.read(free_stage.market, "debt_of", roles.borrower) == 65 * OUNCE
    assert free_stage.read(free_stage.market, "collateral_of", roles.borrower) == 351_700 * DOLLAR
    assert free_stage.read(free_stage.market, "total_collateral") == 351_700 * DOLLAR
    assert free_stage.read(free_stage.market, "cash") == 35 * OUNCE


def test_liquidate__all_of_the_debt__leaves_the_rest_of_the_collateral(
    free_stage: GoldStage, roles: SimpleNamespace
):
    free_stage.endow(roles.liquidator, 100 * OUNCE)
    free_stage.set_gold_price(4_600)
    free_stage.send(
        free_stage.market, "liquidate", roles.borrower, UNLIMITED, sender=roles.liquidator
    )
    # 75 oz x $4,600 x 1.05 = $362,250 of $400,000.
    assert free_stage.read(free_stage.market, "debt_of", roles.borrower) == 0
    assert free_stage.read(free_stage.market, "collateral_of", roles.borrower) == 37_750 * DOLLAR
    assert free_stage.read(free_stage.market, "total_bad_debt") == 0


def _gap(stage: GoldStage, roles: SimpleNamespace) -> tuple[int, dict[str, int]]:
    """Let gold gap to $5,600, liquidate all; return what was repaid and the BadDebt event."""
    stage.endow(roles.liquidator, 100 * OUNCE)
    stage.set_gold_price(5_600)
    receipt = stage.send(
        stage.market, "liquidate", roles.borrower, UNLIMITED, sender=roles.liquidator
    )
    found = dict(events(stage.market, receipt))
    return found["Liquidated"]["repaid"], found["BadDebt"]


# $400,000 pay for 400,000 / (5,600 x 1.05) = 68.027... oz, rounded up to the wei.
REPAID = -(-400_000 * OUNCE * 100 // (5_600 * 105))
LOST = 75 * OUNCE - REPAID


def test_liquidate__collateral_too_small__repays_what_it_pays_for_and_writes_off_the_rest(
    free_stage: GoldStage, roles: SimpleNamespace
):
    repaid, bad_debt = _gap(free_stage, roles)
    assert repaid == REPAID
    assert (bad_debt["amount"], bad_debt["covered_by_treasury"]) == (LOST, 0)
    market = free_stage.market
    assert free_stage.read(market, "collateral_of", roles.borrower) == 0
    assert free_stage.read(market, "debt_of", roles.borrower) == 0
    assert free_stage.read(market, "total_borrows") == 0
    assert free_stage.read(market, "total_bad_debt") == LOST
    assert free_stage.read(market, "totalAssets") == 100 * OUNCE - LOST
    exact = Fraction(100 * OUNCE - LOST, 100 * OUNCE) * RAY
    assert abs(free_stage.read(market, "supply_index") - exact) <= RAY // OUNCE


def test_liquidate__bad_debt__burns_the_treasurys_shares_first(
    free_stage: GoldStage, roles: SimpleNamespace
):
    free_stage.supply(roles.treasury, 3 * OUNCE)
    _, bad_debt = _gap(free_stage, roles)
    assert bad_debt["covered_by_treasury"] == 3 * OUNCE
    assert free_stage.read(free_stage.market, "balanceOf", roles.treasury) == 0
    # The treasury's 3 oz are gone; the other 3.97 oz are the depositor's.
    assert free_stage.read(free_stage.market, "totalAssets") == 103 * OUNCE - LOST
    left = free_stage.read(free_stage.market, "convertToAssets", 100 * OUNCE)
    assert 0 <= 103 * OUNCE - LOST - left <= 1


def test_liquidate__bad_debt_within_the_reserve__leaves_the_index_alone(
    free_stage: GoldStage, roles: SimpleNamespace
):
    free_stage.supply(roles.treasury, 10 * OUNCE)
    _, bad_debt = _gap(free_stage, roles)
    assert bad_debt["covered_by_treasury"] == bad_debt["amount"] == LOST
    assert free_stage.read(free_stage.market, "balanceOf", roles.treasury) == 10 * OUNCE - LOST
    assert free_stage.read(free_stage.market, "supply_index") == RAY


def test_liquidate__bad_debt_at_a_grown_price__is_covered_at_the_price_before(
    stage: GoldStage, roles: SimpleNamespace
):
    stage.supply(roles.treasury, OUNCE)
    stage.open_loan(roles.borrower, 75 * OUNCE, 400_000)
    stage.endow(roles.liquidator, 200 * OUNCE)
    stage.wait(SECONDS_PER_YEAR)
    stage.set_gold_price(5_600)
    stage.send(stage.market, "accrue", sender=roles.keeper)
    held = stage.read(stage.market, "balanceOf", roles.treasury)
    assets, supply = (stage.read(stage.market, name) for name in ("totalAssets", "totalSupply"))
    accrue = stage.market.call("accrue", sender=roles.keeper)
    liquidate = stage.market.call("liquidate", roles.borrower, UNLIMITED, sender=roles.liquidator)
    _, receipt = stage.chain.block(stage.chain.timestamp() + 1, [accrue, liquidate])
    [(_, bad_debt)] = events(stage.market, receipt, "BadDebt")
    # One more second of interest moves the price by less than 1e-8.
    worth = to_assets(held, assets, supply)
    assert worth <= bad_debt["covered_by_treasury"] <= worth + worth // 10**8
    assert bad_debt["covered_by_treasury"] < bad_debt["amount"]
    assert stage.read(stage.market, "balanceOf", roles.treasury) == 0


def test_ltv__without_debt_and_without_collateral__is_zero(
    stage: GoldStage, roles: SimpleNamespace
):
    assert stage.read(stage.market, "ltv", roles.stranger) == 0
    assert not stage.read(stage.market, "is_liquidatable", roles.stranger)


# --- Suppliers ---------------------------------------------------------------


def test_deposit__first__is_one_for_one(stage: GoldStage, roles: SimpleNamespace):
    assert stage.read(stage.market, "balanceOf", roles.depositor) == 100 * OUNCE
    assert stage.read(stage.market, "supply_index") == RAY


@pytest.fixture
def grown(stage: GoldStage, roles: SimpleNamespace) -> GoldStage:
    """A market after a year of interest: a price that does not divide evenly."""
    stage.open_loan(roles.borrower, 70 * OUNCE, 1_000_000)
    stage.wait(SECONDS_PER_YEAR)
    stage.endow(roles.second_depositor, 1_000 * OUNCE)
    stage.send(stage.market, "accrue", sender=roles.keeper)
    return stage


@pytest.mark.parametrize("amount", [2, 3, 10**9 + 7, OUNCE, 17 * OUNCE + 13])
def test_previews__in_the_same_block__equal_what_happens(
    grown: GoldStage, roles: SimpleNamespace, amount: int
):
    market, user, holder = grown.market, roles.second_depositor, roles.depositor
    assets, supply = (grown.read(market, name) for name in ("totalAssets", "totalSupply"))
    expected = {
        "deposit": to_shares(amount, assets, supply),
        "mint": to_assets(amount, assets, supply, up=True),
        "withdraw": to_shares(amount, assets, supply, up=True),
        "redeem": to_assets(amount, assets, supply),
    }
    for function, value in expected.items():
        preview = f"preview{function.capitalize()}"
        assert grown.read(market, preview, amount) == value
        args = (amount, user) if function in ("deposit", "mint") else (amount, holder, holder)
        sender = args[-1]
        assert grown.try_out(market, function, *args, sender=sender) == value


def test_deposit__worth_less_than_one_share__is_refused(grown: GoldStage, roles: SimpleNamespace):
    # A share costs more than one wei, so one wei buys none.
    with refused("share_math: too little for the price of a share"):
        grown.send(grown.market, "deposit", 1, roles.trader, sender=roles.second_depositor)
    grown.send(grown.market, "deposit", 2, roles.trader, sender=roles.second_depositor)
    assert grown.read(grown.market, "balanceOf", roles.trader) == 1


@pytest.mark.parametrize("amount", [2, 12_345, OUNCE])
def test_deposit_and_redeem__in_one_block__never_gain(
    grown: GoldStage, roles: SimpleNamespace, amount: int
):
    user, market = roles.trader, grown.market
    grown.endow(user, amount)
    enter = market.call("deposit", amount, user, sender=user)
    at, snapshot = grown.chain.timestamp() + 1, grown.chain.snapshot()
    grown.chain.block(at, [enter])
    shares = grown.read(market, "balanceOf", user)
    grown.chain.revert(snapshot)
    grown.chain.block(at, [enter, market.call("redeem", shares, user, user, sender=user)])
    # A share costs less than two wei, which is what rounding down twice can take.
    assert 0 <= amount - grown.read(grown.gold, "balanceOf", user) <= 2


@pytest.mark.parametrize("function", ["withdraw", "redeem"])
def test_withdraw_and_redeem__at_the_limit__pass_and_above_it_revert(
    grown: GoldStage, roles: SimpleNamespace, function: str
):
    market, holder = grown.market, roles.depositor
    limit = grown.read(market, f"max{function.capitalize()}", holder)
    assert 0 < limit < grown.read(market, "balanceOf", holder)
    args = (holder, holder)
    assert grown.refusal(market, function, limit, *args, sender=holder) is None
    reason = "lending_market: exceeds withdrawable"
    assert grown.refusal(market, function, limit + 1, *args, sender=holder) == reason


def test_max_withdraw__enough_cash__is_the_whole_holding(grown: GoldStage, roles: SimpleNamespace):
    user = roles.second_depositor
    grown.send(grown.market, "deposit", 500 * OUNCE, user, sender=user)
    shares = grown.read(grown.market, "balanceOf", user)
    assert grown.read(grown.market, "maxRedeem", user) == shares
    worth = grown.read(grown.market, "convertToAssets", shares)
    assert grown.read(grown.market, "maxWithdraw", user) == worth
    assert grown.refusal(grown.market, "redeem", shares, user, user, sender=user) is None
    assert grown.refusal(grown.market, "withdraw", worth, user, user, sender=user) is None
    reason = "lending_market: exceeds withdrawable"
    for function, amount in (("redeem", shares + 1), ("withdraw", worth + 1)):
        assert grown.refusal(grown.market, function, amount, user, user, sender=user) == reason


def test_withdraw__for_another_owner__needs_an_allowance_of_shares(
    grown: GoldStage, roles: SimpleNamespace
):
    args = (OUNCE, roles.trader, roles.depositor)
    with refused("erc20: insufficient allowance"):
        grown.send(grown.market, "withdraw", *args, sender=roles.trader)
    shares = grown.read(grown.market, "previewWithdraw", OUNCE)
    grown.send(grown.market, "approve", roles.trader, shares, sender=roles.depositor)
    grown.send(grown.market, "withdraw", *args, sender=roles.trader)
    assert grown.read(grown.gold, "balanceOf", roles.trader) == OUNCE


def test_cash_plus_borrows__after_many_movements__are_all_claims(
    grown: GoldStage, roles: SimpleNamespace
):
    user = roles.second_depositor
    grown.send(grown.market, "deposit", 3 * OUNCE + 7, user, sender=user)
    grown.send(grown.market, "redeem", OUNCE + 1, user, user, sender=user)
    grown.wait(100 * DAY)
    grown.send(grown.market, "accrue", sender=roles.keeper)
    holders = (roles.depositor, user, roles.treasury)
    claims = sum(
        grown.read(grown.market, "convertToAssets", grown.read(grown.market, "balanceOf", who))
        for who in holders
    )
    total = grown.read(grown.market, "cash") + grown.read(grown.market, "total_borrows")
    # Each claim rounds down by less than one wei, and the virtual share takes one more.
    assert 0 <= total - claims <= len(holders) + 1


def test_deposit__after_everyone_has_left__is_one_for_one_again(
    grown: GoldStage, roles: SimpleNamespace
):
    market = grown.market
    grown.endow(roles.borrower, 50 * OUNCE)
    grown.send(market, "repay", UNLIMITED, roles.borrower, sender=roles.borrower)
    for holder in (roles.depositor, roles.treasury):
        shares = grown.read(market, "balanceOf", holder)
        grown.send(market, "redeem", shares, holder, holder, sender=holder)
    left_over = grown.read(market, "totalAssets")
    assert 0 < left_over < 5
    assert grown.read(market, "totalSupply") == 0
    user = roles.second_depositor
    assert grown.read(market, "previewDeposit", OUNCE) == OUNCE
    grown.send(market, "deposit", OUNCE, user, sender=user)
    assert grown.read(market, "balanceOf", user) == OUNCE
    # The remainder went to the treasury, so the newcomer gets no more than he paid.
    assert grown.read(market, "balanceOf", roles.treasury) == left_over
    assert grown.read(market, "maxWithdraw", user) == OUNCE


# --- Tokens that charge, stop and freeze -------------------------------------


@pytest.fixture
def charging(grown: GoldStage, roles: SimpleNamespace) -> GoldStage:
    """The grown market, with gold that takes 0.02 % of every transfer."""
    grown.send(grown.gold, "setFeeRate", 200, sender=roles.owner)
    grown.send(grown.market, "accrue", sender=roles.keeper)
    return grown


def test_deposit__fee_on_transfer__credits_what_arrives(
    charging: GoldStage, roles: SimpleNamespace
):
    market, user = charging.market, roles.second_depositor
    assets, supply = (charging.read(market, name) for name in ("totalAssets", "totalSupply"))
    arriving = 5 * OUNCE - 5 * OUNCE * 200 // 1_000_000
    expected = to_shares(arriving, assets, supply)
    assert charging.read(market, "previewDeposit", 5 * OUNCE) == expected
    assert charging.try_out(market, "deposit", 5 * OUNCE, user, sender=user) == expected
    cash = charging.read(market, "cash")
    charging.send(market, "deposit", 5 * OUNCE, user, sender=user)
    assert charging.read(market, "cash") == cash + arriving


@pytest.mark.parametrize("shares", [1, 4_999, 5_000, 5_001, OUNCE, 3 * OUNCE + 1])
def test_mint__fee_on_transfer__costs_the_least_that_pays_for_the_shares(
    charging: GoldStage, roles: SimpleNamespace, shares: int
):
    market, user = charging.market, roles.second_depositor
    assets, supply = (charging.read(market, name) for name in ("totalAssets", "totalSupply"))
    net = to_assets(shares, assets, supply, up=True)
    gross = charging.read(market, "previewMint", shares)
    assert gross - gross * 200 // 1_000_000 >= net
    assert (gross - 1) - (gross - 1) * 200 // 1_000_000 < net
    assert charging.try_out(market, "mint", shares, user, sender=user) == gross


def test_repay__fee_on_transfer__credits_what_arrives_and_all_means_all(
    charging: GoldStage, roles: SimpleNamespace
):
    market, borrower = charging.market, roles.borrower
    charging.endow(borrower, 50 * OUNCE)
    repaid = charging.try_out(market, "repay", OUNCE, borrower, sender=borrower)
    assert repaid == OUNCE - OUNCE * 200 // 1_000_000
    charging.send(market, "repay", UNLIMITED, borrower, sender=borrower)
    assert charging.read(market, "debt_of", borrower) == 0


def test_liquidate__fee_on_transfer__the_liquidator_bears_it(
    charging: GoldStage, roles: SimpleNamespace
):
    # 70 oz grown by a year's 4.5 % against $1,000,000 exceed 85 % beyond $11,620.
    charging.endow(roles.liquidator, 100 * OUNCE)
    charging.set_gold_price(12_000)
    before = charging.read(charging.gold, "balanceOf", roles.liquidator)
    cash = charging.read(charging.market, "cash")
    receipt = charging.send(
        charging.market, "liquidate", roles.borrower, 10 * OUNCE, sender=roles.liquidator
    )
    [(_, liquidated)] = events(charging.market, receipt, "Liquidated")
    assert liquidated["repaid"] == 10 * OUNCE
    assert charging.read(charging.market, "cash") == cash + 10 * OUNCE
    paid = before - charging.read(charging.gold, "balanceOf", roles.liquidator)
    # 10 oz / (1 - 0.0002), rounded to the least wei that suffices.
    assert paid == (10 * OUNCE - 1) * 1_000_000 // 999_800 + 1


def test_limits__market_frozen_by_the_issuer__are_zero(stage: GoldStage, roles: SimpleNamespace):
    holder = roles.depositor
    stage.send(stage.gold, "freeze", stage.market.address, sender=roles.owner)
    for limit in ("maxDeposit", "maxMint", "maxWithdraw", "maxRedeem"):
        assert stage.read(stage.market, limit, holder) == 0
    stage.send(stage.gold, "unfreeze", stage.market.address, sender=roles.owner)
    assert stage.read(stage.market, "maxWithdraw", holder) == 100 * OUNCE
    assert stage.read(stage.market, "maxDeposit", holder) == UNLIMITED


def test_accrue__cash_burnt_by_the_issuer__lowers_the_index(
    stage: GoldStage, roles: SimpleNamespace
):
    stage.open_loan(roles.borrower, 40 * OUNCE, 400_000)
    stage.send(stage.gold, "freeze", stage.market.address, sender=roles.owner)
    stage.send(stage.gold, "wipeFrozenAddress", stage.market.address, sender=roles.owner)
    stage.send(stage.gold, "unfreeze", stage.market.address, sender=roles.owner)
    assert stage.read(stage.market, "maxWithdraw", roles.depositor) == 0
    receipt = stage.send(stage.market, "accrue", sender=roles.keeper)
    assert events(stage.market, receipt, "CashLost") == [("CashLost", {"amount": 60 * OUNCE})]
    # What is left is the loan of 40 oz and a few seconds of its interest.
    assert 40 * OUNCE <= stage.read(stage.market, "totalAssets") < 40 * OUNCE + OUNCE // 10**6


# --- Owner -------------------------------------------------------------------


def test_pause__stops_deposits_and_loans__and_nothing_else(
    grown: GoldStage, roles: SimpleNamespace
):
    market, user, borrower = grown.market, roles.second_depositor, roles.borrower
    with refused("ownable: caller is not the owner"):
        grown.send(market, "pause", sender=roles.stranger)
    grown.send(market, "pause", sender=roles.owner)
    with refused("lending_market: already paused"):
        grown.send(market, "pause", sender=roles.owner)
    with refused("lending_market: exceeds deposit limit"):
        grown.send(market, "deposit", OUNCE, user, sender=user)
    with refused("lending_market: exceeds deposit limit"):
        grown.send(market, "mint", OUNCE, user, sender=user)
    with refused("lending_market: paused"):
        grown.send(market, "borrow", 1, borrower, sender=borrower)
    assert grown.read(market, "maxDeposit", user) == grown.read(market, "maxMint", user) == 0

    grown.endow(roles.liquidator, 10 * OUNCE)
    grown.send(market, "supply_collateral", 0, borrower, sender=borrower)
    grown.send(market, "repay", OUNCE, borrower, sender=borrower)
    grown.send(market, "withdraw_collateral", 1, borrower, sender=borrower)
    grown.send(market, "redeem", OUNCE, roles.depositor, roles.depositor, sender=roles.depositor)
    grown.set_gold_price(13_000)
    grown.send(market, "liquidate", borrower, OUNCE, sender=roles.liquidator)

    with refused("ownable: caller is not the owner"):
        grown.send(market, "unpause", sender=roles.stranger)
    grown.set_gold_price(GOLD_USD)
    grown.send(market, "unpause", sender=roles.owner)
    with refused("lending_market: not paused"):
        grown.send(market, "unpause", sender=roles.owner)
    grown.send(market, "deposit", OUNCE, user, sender=user)
    grown.send(market, "borrow", 1, borrower, sender=borrower)
