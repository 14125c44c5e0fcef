"""Next to nobody left, profit still locked: the next depositor must not pay for it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from gold_stage import DAY, OUNCE, RAY, GoldStage, MarketTerms
from props import refused

from simulator.chain import Chain

FREE = MarketTerms(base_rate=0, slope1=0, slope2=0)
DUST_PRICE = 10**9
"""Ten to half the decimals of gold: what a share may cost before it counts as dust, wei."""


@pytest.fixture
def stage(revm: Chain, roles: SimpleNamespace) -> GoldStage:
    return GoldStage(revm, roles, market_terms=FREE)


def worth(stage: GoldStage, account: str) -> int:
    shares = stage.read(stage.vault, "balanceOf", account)
    return int(stage.read(stage.vault, "convertToAssets", shares))


def leave(stage: GoldStage, account: str) -> None:
    shares = stage.read(stage.vault, "balanceOf", account)
    stage.send(stage.vault, "redeem", shares, account, account, sender=account)


@pytest.mark.parametrize("kept", [1, 2, 10])
def test_all_but_some_wei_leave_locked_profit__the_next_depositor_loses_nothing(
    stage: GoldStage, roles: SimpleNamespace, kept: int
):
    """A share would cost 5 oz: of 9.9 oz, once, the depositor lost half to the keeper of a wei."""
    stage.deposit(roles.crowd, 1_000 * OUNCE)
    stage.deposit(roles.intruder, kept)
    stage.place(stage.pool, 500 * OUNCE)
    stage.credit(10 * OUNCE)
    stage.report(stage.pool)
    before = worth(stage, roles.intruder)
    leave(stage, roles.crowd)
    # The wei is worth what it was; what nobody is left for is the fee recipient's.
    assert worth(stage, roles.intruder) == before == kept
    assert (
        0 <= stage.read(stage.vault, "totalAssets") - kept - worth(stage, roles.fee_recipient) <= 2
    )
    assert stage.read(stage.vault, "locked_profit") == 0
    stage.wait(7 * DAY)
    for amount in (OUNCE // 10**6, OUNCE, 99 * OUNCE):
        before = worth(stage, roles.depositor)
        stage.deposit(roles.depositor, amount)
        assert 0 <= amount - (worth(stage, roles.depositor) - before) <= 2
    assert worth(stage, roles.intruder) == kept


def test_a_holder_who_is_not_dust__keeps_what_others_give_up(
    stage: GoldStage, roles: SimpleNamespace
):
    """Ten ounces of locked profit over a hundredth of an ounce: a share of 1,001 is no dust."""
    stage.deposit(roles.crowd, 1_000 * OUNCE)
    stage.deposit(roles.depositor, OUNCE // 100)
    stage.place(stage.pool, 500 * OUNCE)
    stage.credit(10 * OUNCE)
    stage.report(stage.pool)
    leave(stage, roles.crowd)
    stage.wait(7 * DAY)
    assert stage.read(stage.vault, "balanceOf", roles.fee_recipient) == 0
    # 0.01 oz of his own, and the 10 oz less a second's part that the crowd took along.
    assert 10 * OUNCE < worth(stage, roles.depositor) < 10 * OUNCE + OUNCE // 100


@pytest.mark.parametrize("above", [0, 1])
def test_dust__begins_where_a_share_costs_ten_to_half_the_decimals(
    stage: GoldStage, roles: SimpleNamespace, above: int
):
    """With s shares left, r is adopted from (s + 1) x 10**9 on, and not at it."""
    left = (9 + 1) * DUST_PRICE + above
    stage.deposit(roles.crowd, 1_000 * OUNCE)
    stage.deposit(roles.intruder, 9)
    # All that is not the nine wei's own is locked: the crowd leaves with its deposit.
    stage.place(stage.pool, 1_000 * OUNCE)
    stage.credit(left - 9)
    report = stage.report(stage.pool)
    shares = stage.read(stage.vault, "balanceOf", roles.crowd)
    args = ("redeem", shares, roles.crowd, roles.crowd)
    # In the report's own second nothing has unlocked.
    stage.send(stage.vault, *args, sender=roles.crowd, at=report.timestamp)
    assert stage.read(stage.vault, "totalAssets") == left
    adopted = stage.read(stage.vault, "balanceOf", roles.fee_recipient)
    assert adopted == (left - 9 if above else 0)


def test_share_that_has_become_dear_otherwise__small_deposits_are_refused_and_lose_nothing(
    stage: GoldStage, roles: SimpleNamespace
):
    """A sole holder of nine wei whose pool is given 10 oz: a share costs an ounce.

    The virtual share and the nine own 10 oz. 1.5 oz would give one share and lose a third;
    a thousand ounces lose less than a thousandth.
    """
    stage.deposit(roles.intruder, 9)
    stage.place(stage.pool, 9)
    stage.credit(10 * OUNCE)
    stage.report(stage.pool)
    stage.wait(7 * DAY)
    assert abs(stage.read(stage.vault, "share_price") - OUNCE * RAY) <= RAY
    stage.endow(roles.depositor, 10_000 * OUNCE)
    with refused("share_math: too little for the price of a share"):
        stage.send(stage.vault, "deposit", 3 * OUNCE // 2, roles.depositor, sender=roles.depositor)
    stage.send(stage.vault, "deposit", 1_001 * OUNCE, roles.depositor, sender=roles.depositor)
    assert worth(stage, roles.depositor) * 1_000 >= 1_001 * OUNCE * 999
