"""The lending market with gold locked and USDC lent: by hand, refusals, and feeds that stand."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
from gold_stage import FEED_UNIT
from loan_stage import LOANS, LoanStage
from props import DAY, DOLLAR, OUNCE, check_standard, refused
from token_loan_calls import FUNCTIONS, TOPICS

from simulator.chain import Chain, load_artifact
from simulator.units import WAD

UNLIMITED = 2**256 - 1
FREE = replace(LOANS, base_rate=0, slope1=0, slope2=0)
"""No interest: amounts can be worked out by hand."""
MARKET_CLOSED = 1


@pytest.fixture
def stage(revm: Chain, roles: SimpleNamespace) -> LoanStage:
    """A million dollars supplied; 50 oz at 4,000 locked, 100,000 dollars borrowed: 50 %."""
    stage = LoanStage(revm, roles, market_terms=FREE, feed_max_age=2 * DAY)
    stage.supply_dollars(roles.crowd, 1_000_000)
    stage.open_gold_loan(roles.borrower, 50, 100_000)
    stage.endow(roles.liquidator, dollars=1_000_000)
    return stage


def test_abi__what_a_loan_calls__is_there_by_selector_and_topic() -> None:
    check_standard(load_artifact("lending_market"), FUNCTIONS, TOPICS)


def test_ltv__is_dollars_over_gold_at_the_feed(stage: LoanStage, roles: SimpleNamespace) -> None:
    """100,000 of 200,000; at 2,500 of 125,000."""
    assert stage.read(stage.market, "ltv", roles.borrower) == WAD // 2
    stage.set_gold_price(2_500)
    assert stage.read(stage.market, "ltv", roles.borrower) == 80 * WAD // 100


def test_borrow__to_the_highest_ltv__passes_and_a_unit_more_reverts(
    stage: LoanStage, roles: SimpleNamespace
) -> None:
    """70 % of 200,000 is 140,000: 40,000 more."""
    who, more = roles.borrower, 40_000 * DOLLAR
    with refused("lending_market: exceeds max ltv"):
        stage.send(stage.market, "borrow", more + 1, who, sender=who)
    stage.send(stage.market, "borrow", more, who, sender=who)


def test_loop__by_hand__reaches_its_ltv(stage: LoanStage, roles: SimpleNamespace) -> None:
    """25 oz locked, 70,000 borrowed, 17.5 oz bought with it and locked, 30,000 borrowed, 7.5 oz.

    100,000 owed on 50 oz worth 200,000.
    """
    who = roles.second_borrower
    stage.endow(who, gold=50 * OUNCE)
    for ounces, dollars in ((25.0, 70_000), (17.5, 30_000), (7.5, 0)):
        wei = round(ounces * 2) * OUNCE // 2
        stage.send(stage.market, "supply_collateral", wei, who, sender=who)
        if dollars:
            stage.send(stage.market, "borrow", dollars * DOLLAR, who, sender=who)
    assert stage.read(stage.market, "ltv", who) == WAD // 2


def test_liquidate__healthy__is_refused__beyond_the_threshold_it_passes(
    stage: LoanStage, roles: SimpleNamespace
) -> None:
    """75 % of 50 oz is 100,000 dollars at 2,666.67 an ounce; at 2,666 it is beyond."""
    liquidator = roles.liquidator
    stage.set_gold_price(2_667)
    with refused("lending_market: borrower is healthy"):
        stage.send(stage.market, "liquidate", roles.borrower, UNLIMITED, sender=liquidator)
    stage.set_gold_price(2_666)
    stage.send(stage.market, "liquidate", roles.borrower, UNLIMITED, sender=liquidator)
    assert stage.read(stage.market, "debt_of", roles.borrower) == 0


def test_liquidate__takes_six_percent_more__and_leaves_the_rest_to_the_borrower(
    stage: LoanStage, roles: SimpleNamespace
) -> None:
    """100,000 x 1.06 / 2,500 = 42.4 oz go, 7.6 stay, and can be taken out without a price."""
    stage.set_gold_price(2_500)
    before = stage.read(stage.gold, "balanceOf", roles.liquidator)
    stage.send(stage.market, "liquidate", roles.borrower, UNLIMITED, sender=roles.liquidator)
    got = stage.read(stage.gold, "balanceOf", roles.liquidator) - before
    assert got == 424 * OUNCE // 10
    rest = stage.read(stage.market, "collateral_of", roles.borrower)
    assert rest == 76 * OUNCE // 10
    who = roles.borrower
    stage.send(stage.market, "withdraw_collateral", rest, who, sender=who)


def test_bad_debt__after_a_gap__burns_the_treasury_first(
    revm: Chain, roles: SimpleNamespace
) -> None:
    """A year at 9.5 % on 10 %: 1,450 of interest, a tenth of it the treasury's. Then 1,500 an oz.

    All 50 oz pay for 75,000 / 1.06 = 70,754.72 dollars; the rest is nobody's.
    """
    stage = LoanStage(revm, roles)
    stage.supply_dollars(roles.crowd, 1_000_000)
    stage.open_gold_loan(roles.borrower, 50, 100_000)
    stage.endow(roles.liquidator, dollars=1_000_000)
    stage.wait(365 * DAY)
    stage.set_gold_price(1_500)
    stage.send(stage.market, "accrue", sender=roles.stranger)
    reserve = stage.read(stage.market, "balanceOf", roles.treasury)
    assert reserve > 0
    due = stage.read(stage.market, "debt_of", roles.borrower)
    before = stage.read(stage.market, "totalAssets")
    at = stage.chain.timestamp()
    receipt = stage.market.call("liquidate", roles.borrower, UNLIMITED, sender=roles.liquidator)
    stage.chain.send(receipt, at + 1)
    assert stage.read(stage.market, "balanceOf", roles.treasury) == 0
    bad = stage.read(stage.market, "total_bad_debt")
    assert bad == pytest.approx(due - 75_000 * DOLLAR / 1.06, abs=20_000)
    assert stage.read(stage.market, "totalAssets") == pytest.approx(before - bad, abs=20_000)
    assert stage.read(stage.market, "collateral_of", roles.borrower) == 0


@pytest.mark.parametrize("what", ["borrow", "withdraw_collateral", "liquidate"])
def test_stale_feed__who_needs_a_price_waits(
    stage: LoanStage, roles: SimpleNamespace, what: str
) -> None:
    """Two days without a round while the market trades: nothing that needs a price goes on."""
    who = roles.borrower
    calls = {
        "borrow": (1, who),
        "withdraw_collateral": (1, who),
        "liquidate": (who, UNLIMITED),
    }
    sender = roles.liquidator if what == "liquidate" else who
    if what == "liquidate":
        stage.set_gold_price(2_500)
    stage.wait(2 * DAY + 1)
    stage.send(stage.usd_feed, "update_answer", FEED_UNIT, sender=roles.keeper)
    with refused("feed: answer is too old"):
        stage.send(stage.market, what, *calls[what], sender=sender)
    stage.set_gold_price(2_500 if what == "liquidate" else 4_000)
    stage.send(stage.market, what, *calls[what], sender=sender)


def test_stale_feed__loses_nothing(stage: LoanStage, roles: SimpleNamespace) -> None:
    """Repaying, taking gold out without a debt, and the suppliers' way need no price."""
    who, crowd = roles.borrower, roles.crowd
    stage.endow(who, dollars=1)
    stage.wait(30 * DAY)
    stage.send(stage.market, "repay", UNLIMITED, who, sender=who)
    stage.send(stage.market, "withdraw_collateral", 50 * OUNCE, who, sender=who)
    assert stage.read(stage.gold, "balanceOf", who) == 50 * OUNCE
    stage.send(stage.market, "withdraw", 1_000_000 * DOLLAR, crowd, crowd, sender=crowd)


def test_weekend__feed_of_a_closed_market__still_counts(
    stage: LoanStage, roles: SimpleNamespace
) -> None:
    """The reference stands still for three days and says so: Friday's price closes loans."""
    stage.set_gold_price(2_500)
    stage.send(stage.gold_feed, "set_market_status", MARKET_CLOSED, sender=roles.keeper)
    stage.wait(3 * DAY)
    stage.send(stage.usd_feed, "update_answer", FEED_UNIT, sender=roles.keeper)
    stage.send(stage.market, "liquidate", roles.borrower, UNLIMITED, sender=roles.liquidator)


REFUSED_TERMS = {
    "lending_market: max ltv not below threshold": {"max_ltv": 75 * WAD // 100},
    "lending_market: bonus exceeds margin": {"liquidation_threshold": 95 * WAD // 100},
    "lending_market: bonus above 50 %": {"liquidation_bonus": WAD},
    "kinked_rate: kink is zero": {"kink": 0},
    "lending_market: reserve factor above 100 %": {"reserve_factor": WAD + 1},
}


@pytest.mark.parametrize("reason", REFUSED_TERMS)
def test_deploy__impossible_terms__are_refused__and_those_of_the_stage_pass(
    stage: LoanStage, reason: str
) -> None:
    with refused(reason):
        stage.deploy_market(replace(LOANS, **REFUSED_TERMS[reason]))
    stage.deploy_market(LOANS)
