"""Every rounding of the lending market, on amounts so small that the other direction would show.

What is owed rounds up, what is paid or counted for somebody rounds down. The market of most tests
here: 1,000 wei are supplied and 700 lent at 10 % a year; a year later 770 are owed. Of the
interest of 70 the treasury's part is 10.5 %: 7.35, so 7, worth 7 x 1,001 / 1,064 = 6.59, so 6
shares. From then on 1,070 wei stand against 1,006 shares; with the virtual one of each (see
`share_math`) a wei is worth 1,007 / 1,071 = 0.94 shares, and a share 1,071 / 1,007 = 1.064 wei.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from types import SimpleNamespace

import pytest
from gold_stage import (
    NEVER_STALE,
    OUNCE,
    RAY,
    SECONDS_PER_YEAR,
    UNLIMITED,
    WAD,
    GoldStage,
    MarketTerms,
)
from props import deploy, events, refused

from simulator.chain import Chain, Contract, Receipt

TEN_PERCENT = MarketTerms(
    base_rate=WAD // 10, slope1=0, slope2=0, reserve_factor=105 * WAD // 1_000
)
FREE = MarketTerms(base_rate=0, slope1=0, slope2=0)


@dataclass(frozen=True)
class Small:
    """A market at the second of its latest block: calls do not let time pass."""

    stage: GoldStage
    market: Contract

    def act(self, function: str, *args: object, by: str) -> Receipt:
        now = self.stage.chain.timestamp()
        return self.stage.chain.block(now, [self.market.call(function, *args, sender=by)])[0]

    def read(self, view: str, *args: object) -> int:
        found: int = self.stage.read(self.market, view, *args)
        return found


NewSmall = Callable[..., Small]


@pytest.fixture
def new_small(revm: Chain, roles: SimpleNamespace) -> NewSmall:
    """Build a market that lends gold against dollars: `supplied` and `lent` wei, then a wait."""

    def make(
        lent: int,
        supplied: int = 1_000,
        seconds: int = SECONDS_PER_YEAR,
        terms: MarketTerms = TEN_PERCENT,
    ) -> Small:
        stage = GoldStage(revm, roles, market_terms=terms)
        stage.supply(roles.depositor, supplied)
        for who in (roles.second_depositor, roles.liquidator):
            stage.endow(who, 100 * OUNCE)
        stage.open_loan(roles.borrower, lent, 1)
        accrue = stage.market.call("accrue", sender=roles.keeper)
        revm.block(revm.timestamp() + seconds, [accrue])
        return Small(stage, stage.market)

    return make


@pytest.fixture
def small(new_small: NewSmall) -> Small:
    """The market of the docstring above, after its year."""
    found = new_small(lent=700)
    assert (found.read("totalAssets"), found.read("totalSupply")) == (1_070, 1_006)
    return found


# --- Shares ----------------------------------------------------------------------------


def test_reserve__of_7_35_wei_and_6_59_shares__gives_the_treasury_six(
    small: Small, roles: SimpleNamespace
) -> None:
    # A reserve of 8 would be worth 8 x 1,001 / 1,063 = 7.53 shares: seven.
    assert small.read("balanceOf", roles.treasury) == 6


def test_reserve__beside_a_single_share__gives_the_treasury_another(
    new_small: NewSmall, roles: SimpleNamespace
) -> None:
    """A wei is lent at 10 % for ten years: 2 are owed, and the second is the treasury's.

    At the price of the first it is worth (1 + 1) / (1 + 1) = 1 share.
    """
    terms = replace(TEN_PERCENT, reserve_factor=WAD)
    market = new_small(lent=1, supplied=1, seconds=10 * SECONDS_PER_YEAR, terms=terms)
    assert (market.read("totalAssets"), market.read("totalSupply")) == (2, 2)
    assert market.read("balanceOf", roles.treasury) == 1


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        # 10 x 1,007 / 1,071 = 9.40 shares, 10 x 1,071 / 1,007 = 10.64 wei.
        ("convertToShares", 9),
        ("previewDeposit", 9),
        ("previewWithdraw", 10),
        ("convertToAssets", 10),
        ("previewRedeem", 10),
        ("previewMint", 11),
    ],
)
def test_view__of_ten__rounds_against_who_asks(small: Small, view: str, expected: int) -> None:
    assert small.read(view, 10) == expected


@pytest.mark.parametrize(
    ("function", "wei", "shares"),
    [("deposit", 10, 9), ("mint", 11, 10), ("withdraw", -10, -10), ("redeem", -10, -10)],
)
def test_act__of_ten__rounds_against_who_acts(
    small: Small, roles: SimpleNamespace, function: str, wei: int, shares: int
) -> None:
    who = roles.second_depositor if wei > 0 else roles.depositor
    before = small.read("balanceOf", who)
    args = (10, who) if wei > 0 else (10, who, who)
    small.act(function, *args, by=who)
    assert small.read("balanceOf", who) == before + shares
    assert small.read("cash") == 300 + wei


def test_limits__of_who_has_ten_shares_or_more_than_the_cash__round_down(
    small: Small, roles: SimpleNamespace
) -> None:
    small.act("transfer", roles.trader, 10, by=roles.depositor)
    # Ten shares are worth 10.64 wei.
    assert small.read("maxWithdraw", roles.trader) == 10
    with refused("lending_market: exceeds withdrawable"):
        small.act("withdraw", 11, roles.trader, roles.trader, by=roles.trader)
    # The cash of 300 is worth 300 x 1,007 / 1,071 = 282.07 shares.
    assert small.read("maxRedeem", roles.depositor) == 282
    # 283 shares are worth 283 x 1,071 / 1,007 = 300.99, so 300 wei: all of them can leave.
    small.act("transfer", roles.stranger, 283, by=roles.depositor)
    assert small.read("maxRedeem", roles.stranger) == 283
    small.act("withdraw", 10, roles.trader, roles.trader, by=roles.trader)


def test_supply_index__of_a_price_that_does_not_divide_evenly__rounds_down(small: Small) -> None:
    # 1,071 / 1,007 = 1.06355..., and 1,007 = 19 x 53 divides no power of ten.
    assert small.read("supply_index") == 1_071 * RAY // 1_007
    assert 1_071 * RAY % 1_007 != 0


# --- Debt ------------------------------------------------------------------------------


def test_debts__of_775_5_wei__are_776_to_the_borrower_and_775_to_the_suppliers(
    new_small: NewSmall, roles: SimpleNamespace
) -> None:
    small = new_small(lent=705)
    assert small.read("debt_of", roles.borrower) == 776
    assert small.read("total_borrows") == 775


def test_borrow__of_ten_at_an_index_of_1_1__owes_eleven(
    small: Small, roles: SimpleNamespace
) -> None:
    # 10 / 1.1 = 9.09, so 10: 710 x 1.1 = 781, eleven above the 770 before.
    small.act("borrow", 10, roles.borrower, by=roles.borrower)
    assert small.read("debt_of", roles.borrower) == 781
    assert small.read("total_borrows") == 781


def test_repay__of_ten_at_an_index_of_1_1__pays_for_nine_scaled(
    small: Small, roles: SimpleNamespace
) -> None:
    # 10 / 1.1 = 9.09, so 9: 691 x 1.1 = 760.1, which ten scaled would make 759.
    small.act("repay", 10, roles.borrower, by=roles.liquidator)
    assert small.read("debt_of", roles.borrower) == 761
    assert small.read("total_borrows") == 760


def test_index__after_a_second__rounds_down(new_small: NewSmall) -> None:
    # 1e27 x 0.1 / 31,536,000 = 3,170,979,198,376,458,650.4.
    small = new_small(lent=700, seconds=1)
    assert small.read("borrow_index") == RAY + 3_170_979_198_376_458_650


@pytest.mark.parametrize(
    ("supplied", "lent", "utilisation", "rate"),
    [
        # 1/3; 1 % + 4 % x 0.333 / 0.8: 0.0166...6.65 on top of 0.01.
        (3, 1, 333_333_333_333_333_333, 26_666_666_666_666_666),
        # 11/13 = 0.846...153.8; 5 % + 50 % x 0.046153846153846153 / 0.2 = 0.1153...382.5.
        (13, 11, 846_153_846_153_846_153, 165_384_615_384_615_382),
    ],
)
def test_rate__of_a_third_and_of_eleven_thirteenths__rounds_down(
    new_small: NewSmall, supplied: int, lent: int, utilisation: int, rate: int
) -> None:
    terms = MarketTerms(slope2=50 * WAD // 100)
    small = new_small(lent=lent, supplied=supplied, seconds=0, terms=terms)
    assert small.read("utilisation") == utilisation
    assert small.read("borrow_rate") == rate


# --- Health ------------------------------------------------------------------------------


def test_ltv__of_a_debt_that_does_not_divide_evenly__rounds_up(
    new_small: NewSmall, roles: SimpleNamespace
) -> None:
    # 1 wei x 4,000 USD = 4e-15 USD, against 3 of the 1,000,000 units of a dollar:
    # 4e-15 / 3e-6 = 1.333...e-9, x 1e18 = 1,333,333,333.3.
    small = new_small(lent=1, seconds=0, terms=FREE)
    small.act("withdraw_collateral", 999_997, roles.borrower, by=roles.borrower)
    assert small.read("ltv", roles.borrower) == 1_333_333_334


def test_debt_value__of_half_the_smallest_value__is_one(
    new_small: NewSmall, roles: SimpleNamespace
) -> None:
    # 1 wei at half a dollar is 0.5e-18 USD, so 1e-18; against one dollar that is 1e-18.
    small = new_small(lent=1, seconds=0, terms=FREE)
    small.stage.set_gold_price(0.5)
    assert small.read("ltv", roles.borrower) == 1


NewDollars = Callable[..., Small]


@pytest.fixture
def new_dollars(revm: Chain, roles: SimpleNamespace) -> NewDollars:
    """Build a market that lends dollars against gold, 1,000 of their units supplied."""

    def make(terms: MarketTerms) -> Small:
        stage = GoldStage(revm, roles)
        tokens_and_feeds = (stage.gold, stage.usdc, stage.gold_feed, stage.usd_feed)
        args = (*tokens_and_feeds, NEVER_STALE, roles.treasury, *terms.args())
        market = deploy(revm, "lending_market", *args, sender=roles.owner)
        for who in (roles.depositor, roles.borrower, roles.second_borrower, roles.liquidator):
            stage.endow(who, OUNCE, dollars=1)
            for token in (stage.gold, stage.usdc):
                stage.send(token, "approve", market, UNLIMITED, sender=who)
        small = Small(stage, market)
        small.act("deposit", 1_000, roles.depositor, by=roles.depositor)
        return small

    return make


def test_collateral_value__of_a_half__rounds_down(
    new_dollars: NewDollars, roles: SimpleNamespace
) -> None:
    """One unit of a dollar, 1e12 x 1e-18 USD, needs 1e12 / 0.75 = 1,333,333,333,333.33 of them.

    At half a dollar an ounce 2,666,666,666,667 wei are worth 1,333,333,333,333.5: not enough,
    though rounded up they would be; one wei more is worth 1,333,333,333,334.
    """
    small = new_dollars(FREE)
    borrower, amount = roles.borrower, 2_666_666_666_667
    small.stage.set_gold_price(0.5)
    small.act("supply_collateral", amount, borrower, by=borrower)
    with refused("lending_market: exceeds max ltv"):
        small.act("borrow", 1, borrower, by=borrower)
    small.act("supply_collateral", 1, borrower, by=borrower)
    small.act("borrow", 1, borrower, by=borrower)


# --- Liquidation ---------------------------------------------------------------------------


@pytest.fixture
def under_water(revm: Chain, roles: SimpleNamespace) -> GoldStage:
    """75 oz lent against 400,000 USD, without interest; the liquidator has 100 oz."""
    stage = GoldStage(revm, roles, market_terms=FREE)
    stage.supply(roles.depositor, 100 * OUNCE)
    stage.endow(roles.liquidator, 100 * OUNCE)
    stage.open_loan(roles.borrower, 75 * OUNCE, 400_000)
    return stage


@pytest.mark.parametrize(
    ("price", "repay", "repaid", "seized"),
    [
        # 1e-9 oz x 4,600 x 1.05 = 4.83e-6 USD: 4.83 units, so 4.
        (4_600, 10**9, 10**9, 4),
        # 400,000 / (5,600 x 1.05) = 68.0272108843537414965986 oz, up to the wei.
        (5_600, UNLIMITED, 68_027_210_884_353_741_497, 400_000_000_000),
    ],
    ids=["seized down", "repaid up"],
)
def test_liquidate__what_does_not_divide_evenly__rounds_against_the_liquidator(
    under_water: GoldStage, roles: SimpleNamespace, price: int, repay: int, repaid: int, seized: int
) -> None:
    under_water.set_gold_price(price)
    args = ("liquidate", roles.borrower, repay)
    receipt = under_water.send(under_water.market, *args, sender=roles.liquidator)
    [(_, done)] = events(under_water.market, receipt, "Liquidated")
    assert (done["repaid"], done["seized"]) == (repaid, seized)


# --- Burnt collateral, lost debt -------------------------------------------------------------


def burn(small: Small, left: int) -> None:
    """Let the issuer burn the market's gold but for `left`, in one second."""
    stage, market = small.stage, small.market.address
    owner = stage.roles.owner
    calls = [
        stage.gold.call(name, market, sender=owner)
        for name in ("freeze", "wipeFrozenAddress", "unfreeze")
    ]
    calls.append(stage.gold.call("transfer", market, left, sender=owner))
    stage.chain.block(stage.chain.timestamp(), calls)


def test_burnt_collateral__of_two__is_shared_down_and_leaves_the_books_up(
    new_dollars: NewDollars, roles: SimpleNamespace
) -> None:
    """Of 10 and 5 wei ten are left: two thirds of each, 6.67 and 3.33."""
    small = new_dollars(FREE)
    first, second = roles.borrower, roles.second_borrower
    small.act("supply_collateral", 10, first, by=first)
    small.act("supply_collateral", 5, second, by=second)
    burn(small, left=10)
    with refused("lending_market: exceeds collateral"):
        small.act("withdraw_collateral", 7, first, by=first)
    with refused("lending_market: exceeds collateral"):
        small.act("withdraw_collateral", 4, second, by=second)
    # One wei there counts as 15 / 10 = 1.5 in the books, so two go.
    small.act("withdraw_collateral", 1, first, by=first)
    assert small.read("collateral_of", first) == 8
    assert small.read("total_collateral") == 13
    # 8 x 9 / 13 = 5.54, so 5, which are all there is of it: the books are rid of the 8.
    small.act("withdraw_collateral", 5, first, by=first)
    assert small.read("collateral_of", first) == 0
    assert small.read("total_collateral") == 5


@pytest.mark.parametrize(
    ("given", "covered", "left"),
    [
        # 6 shares are worth 6 x 1,071 / 1,007 = 6.38, less than what is lost: all of them go.
        (0, 6, 0),
        # 16 are worth 17.02: what is lost costs 8 x 1,007 / 1,071 = 7.52, so 8 shares.
        (10, 8, 8),
    ],
)
def test_write_off__of_eight__takes_the_treasurys_shares_at_their_worth_rounded_down(
    new_dollars: NewDollars, roles: SimpleNamespace, given: int, covered: int, left: int
) -> None:
    """The market of the docstring above, in dollars: 693 and 7 lent, so 762.3 and 7.7 owed.

    Without the small debt all debts together fall from 770 to 762, so by 8.
    """
    small = new_dollars(replace(TEN_PERCENT, max_ltv=WAD // 2))
    for who, amount in ((roles.borrower, 693), (roles.second_borrower, 7)):
        small.act("supply_collateral", OUNCE, who, by=who)
        small.act("borrow", amount, who, by=who)
    small.stage.wait(SECONDS_PER_YEAR)
    small.act("accrue", by=roles.keeper)
    assert (small.read("totalAssets"), small.read("totalSupply")) == (1_070, 1_006)
    small.act("transfer", roles.treasury, given, by=roles.depositor)
    burn(small, left=0)
    receipt = small.act("liquidate", roles.second_borrower, UNLIMITED, by=roles.liquidator)
    [(_, lost)] = events(small.market, receipt, "BadDebt")
    assert (lost["amount"], lost["covered_by_treasury"]) == (8, covered)
    assert small.read("balanceOf", roles.treasury) == left
    assert small.read("totalAssets") == 1_062
