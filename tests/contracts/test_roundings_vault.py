"""Each division of the vault by values at which the other direction would show.

Amounts are single wei, so that a wei of rounding is the whole result. Conversions between shares
and assets stand in `test_rounding.py`.
"""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from gold_stage import (
    DAY,
    OUNCE,
    SECONDS_PER_YEAR,
    UNLIMITED,
    GoldStage,
    VaultTerms,
)
from props import events

from simulator.chain import Chain


def vault_of(chain: Chain, roles: SimpleNamespace, **terms: int) -> GoldStage:
    return GoldStage(chain, roles, vault_terms=VaultTerms(**terms))


def reported(stage: GoldStage, at: int | None = None) -> dict:
    receipt = stage.report(stage.pool, at=at)
    return dict(events(stage.vault, receipt))["StrategyReported"]


def test_locked_profit__rounds_up(revm: Chain, roles: SimpleNamespace):
    """10 wei over 7 days: after a day 60/7 = 8.57 are locked, so the shares own 1 of 11 wei."""
    stage = vault_of(revm, roles)
    stage.deposit(roles.depositor, 1_000)
    stage.place(stage.pool, 1_000)
    stage.credit(10)
    stage.report(stage.pool)
    stage.wait(DAY)
    assert stage.read(stage.vault, "locked_profit") == 9
    assert stage.read(stage.vault, "free_assets") == 1_001


def test_performance_fee__rounds_down(revm: Chain, roles: SimpleNamespace):
    """10 % of 19 wei are 1.9; ten shares a wei make the fee one wei in shares."""
    stage = vault_of(revm, roles, performance_fee_bps=1_000)
    stage.deposit(roles.depositor, 1_000)
    stage.place(stage.pool, 1_000)
    stage.credit(19)
    assert reported(stage)["fees"] == 1


def test_management_fee__rounds_down(revm: Chain, roles: SimpleNamespace):
    """1 % a year of 199 wei are 1.99 after a year."""
    stage = vault_of(revm, roles, management_fee_bps=100)
    stage.deposit(roles.depositor, 199)
    stage.place(stage.pool, 199)
    first = stage.report(stage.pool).timestamp
    assert reported(stage, at=first + SECONDS_PER_YEAR)["fees"] == 1


def test_fee_above_the_gain__takes_the_difference_out_of_the_locked_profit(
    revm: Chain, roles: SimpleNamespace
):
    """Of 1,000 wei 3.65 of seven days leave 478.57 locked, rounded up.

    10 % a year of 11,000 wei are then 11, and two wei have come: 479 - (11 - 2).
    """
    stage = vault_of(revm, roles, management_fee_bps=1_000)
    stage.deposit(roles.depositor, 10_000)
    stage.place(stage.pool, 10_000)
    stage.credit(1_000)
    first = stage.report(stage.pool).timestamp
    stage.credit(2)
    second = reported(stage, at=first + SECONDS_PER_YEAR // 100)
    assert (second["gain"], second["fees"]) == (2, 11)
    assert stage.read(stage.vault, "locked_profit") == 470


def test_fee_shares__round_down(revm: Chain, roles: SimpleNamespace):
    """A fee of 100 of 1,500 wei, after it 1,400, on 1,000 shares: 100 x 1,001 / 1,401 = 71.4."""
    stage = vault_of(revm, roles, performance_fee_bps=2_000, profit_unlock_seconds=0)
    stage.deposit(roles.depositor, 1_000)
    stage.place(stage.pool, 1_000)
    stage.credit(500)
    assert reported(stage)["fees"] == 100
    assert stage.read(stage.vault, "balanceOf", roles.fee_recipient) == 71


def test_clock_of_the_management_fee__new_debt__moves_to_no_less_than_the_debts_time(
    revm: Chain, roles: SimpleNamespace
):
    """10 s of 1,000 wei are 3.3 s of 3,000: the clock stands 3 s back, not 4."""
    stage = vault_of(revm, roles, management_fee_bps=1_000)
    stage.deposit(roles.depositor, 3_000)
    stage.place(stage.pool, 1_000)
    first = stage.report(stage.pool).timestamp
    args = ("update_debt", stage.pool, 3_000)
    stage.send(stage.vault, *args, sender=roles.curator, at=first + 10)
    assert stage.read(stage.vault, "last_report", stage.pool) == first + 10 - 3


@pytest.mark.parametrize(
    ("asked", "paid", "left"),
    [
        # Nine shares of the pool are worth 14 wei, one 1.55. 4 wei burn 2.57 shares, that is
        # three, which are worth 4.66: 4 come back and nobody is left with less.
        (4, 4, 10),
        # 3 wei burn 1.92 shares, that is two, worth 3.1.
        (3, 3, 11),
    ],
)
def test_call_back__burns_whole_shares_of_the_strategy_and_takes_all_they_are_worth(
    revm: Chain, roles: SimpleNamespace, asked: int, paid: int, left: int
):
    stage = vault_of(revm, roles, profit_unlock_seconds=0)
    stage.deposit(roles.depositor, 9)
    stage.place(stage.pool, 9)
    stage.credit(5)
    stage.report(stage.pool)
    me = roles.depositor
    stage.send(stage.vault, "withdraw", asked, me, me, sender=me)
    assert stage.read(stage.gold, "balanceOf", me) == paid
    assert stage.read(stage.pool, "totalAssets") + stage.read(stage.vault, "idle") == left


def test_call_back__of_one_dear_share__leaves_its_rest_idle(revm: Chain, roles: SimpleNamespace):
    """Two shares of the pool are worth 1,001 wei, one 500.5. A wei burns one, so all 500 come."""
    stage = vault_of(revm, roles, profit_unlock_seconds=0)
    stage.deposit(roles.depositor, 2)
    stage.place(stage.pool, 2)
    stage.credit(999)
    stage.report(stage.pool)
    me = roles.depositor
    stage.send(stage.vault, "withdraw", 1, me, me, sender=me)
    assert stage.read(stage.vault, "idle") == 499
    assert stage.read(stage.pool, "totalAssets") == 501


def test_exit__fee_of_a_called_back_wei__is_rounded_as_the_token_does(
    revm: Chain, roles: SimpleNamespace
):
    """0.02 % of 9,999 wei are 1.99: the token keeps one, and so much less is paid."""
    stage = vault_of(revm, roles)
    stage.deposit(roles.depositor, 20_000)
    stage.place(stage.pool, 20_000)
    stage.send(stage.gold, "setFeeRate", 200, sender=roles.owner)
    assert stage.read(stage.vault, "previewRedeem", 9_999) == 9_998
    # To pay 9,998 the least that is called back is 9,999.
    assert stage.read(stage.vault, "previewWithdraw", 9_998) == 9_999


def test_two_strategies__a_leaver_pays_the_fee_of_each(revm: Chain, roles: SimpleNamespace):
    """10 idle, 10,000 in each of two: 15,110 call back 10,000 and 5,100, fees 2 and 1 wei."""
    stage = vault_of(revm, roles)
    stage.deposit(roles.depositor, 20_010)
    stage.place(stage.market, 10_000)
    stage.place(stage.pool, 10_000)
    stage.send(stage.gold, "setFeeRate", 200, sender=roles.owner)
    me = roles.depositor
    assert stage.read(stage.vault, "previewRedeem", 15_110) == 15_107
    assert stage.read(stage.vault, "previewWithdraw", 15_107) == 15_110
    assert stage.read(stage.vault, "maxWithdraw", me) == 20_010 - 4
    assert stage.try_out(stage.vault, "redeem", 15_110, me, me, sender=me) == 15_107
    stage.send(stage.vault, "withdraw", 15_107, me, me, sender=me)
    assert stage.read(stage.vault, "totalAssets") == 4_900
    assert stage.read(stage.vault, "balanceOf", me) == 4_900


def test_queue__claims_round_down_and_open_shares_up(revm: Chain, roles: SimpleNamespace):
    """Two of three requested shares are filled with two wei: 2/3 each of one share, 4/3 of two."""
    stage = vault_of(revm, roles, cooldown_seconds=0, batch_seconds=DAY)
    for who, shares in ((roles.depositor, 1), (roles.second_depositor, 2)):
        stage.deposit(who, shares)
        stage.send(stage.vault, "approve", stage.queue, UNLIMITED, sender=who)
    stage.place(stage.market, 3)
    stage.open_loan(roles.borrower, 1, 1_000)
    start = (stage.chain.timestamp() // DAY + 1) * DAY
    for who, shares in ((roles.depositor, 1), (roles.second_depositor, 2)):
        stage.send(stage.queue, "request_redeem", shares, sender=who, at=start + shares)
    batch, at = start // DAY, start + DAY
    stage.send(stage.queue, "settle_batch", batch, sender=roles.stranger, at=at)
    assert stage.read(stage.queue, "batches", batch) == (3, 2, 2)
    for who, claim, pending in ((roles.depositor, 0, 1), (roles.second_depositor, 1, 1)):
        assert stage.read(stage.queue, "claimable_assets", batch, who) == claim
        assert stage.read(stage.queue, "pending_shares", batch, who) == pending


def test_queue__claims_on_what_is_short__round_down(revm: Chain, roles: SimpleNamespace):
    """5 of 10 wei are left for claims of 3 and 7: 1.5 and, of the rest, 4 x 7 / 7."""
    stage = vault_of(revm, roles, cooldown_seconds=0, batch_seconds=DAY)
    start = (stage.chain.timestamp() // DAY + 1) * DAY
    for who, shares in ((roles.depositor, 3), (roles.second_depositor, 7)):
        stage.deposit(who, shares)
        stage.send(stage.vault, "approve", stage.queue, UNLIMITED, sender=who)
    for who, shares in ((roles.depositor, 3), (roles.second_depositor, 7)):
        stage.send(stage.queue, "request_redeem", shares, sender=who, at=start + shares)
    batch = start // DAY
    stage.send(stage.queue, "settle_batch", batch, sender=roles.stranger, at=start + DAY)
    for function in ("freeze", "wipeFrozenAddress", "unfreeze"):
        stage.send(stage.gold, function, stage.queue.address, sender=roles.owner)
    stage.send(stage.gold, "transfer", stage.queue, 5, sender=roles.owner)
    for who, paid in ((roles.depositor, 1), (roles.second_depositor, 4)):
        stage.send(stage.queue, "claim_batch", batch, sender=who)
        assert stage.read(stage.gold, "balanceOf", who) == paid


def test_deposit_that_loses_a_thousandth__passes_and_more_is_refused(
    revm: Chain, roles: SimpleNamespace
):
    """A share costs 1,001 wei: 1,002,001 wei are 1,001 shares and lose exactly a thousandth.

    Nine shares own 10,009 wei beside the virtual one: (10,009 + 1) / (9 + 1) = 1,001.
    """
    stage = vault_of(revm, roles, profit_unlock_seconds=0)
    stage.deposit(roles.depositor, 9)
    stage.place(stage.pool, 9)
    stage.credit(10_000)
    stage.report(stage.pool)
    user = roles.second_depositor
    stage.endow(user, OUNCE)
    reason = "share_math: too little for the price of a share"
    worth, price = 1_001 * 1_000, 1_001
    # x wei beyond 1,000 shares are lost: x / (1,001,000 + x) <= 1 / 1,000 up to x = 1,002.
    assert price < 1_002
    assert stage.refusal(stage.vault, "deposit", worth + price - 1, user, sender=user) is None
    # 900 wei beyond 100 shares: 0.9 % of 101,000.
    assert stage.refusal(stage.vault, "deposit", 100 * price + 900, user, sender=user) == reason
    # 100 wei beyond 100 shares are 100 of 100,200: below a thousandth; 101 are above.
    assert stage.refusal(stage.vault, "deposit", 100 * price + 100, user, sender=user) is None
    assert stage.refusal(stage.vault, "deposit", 100 * price + 101, user, sender=user) == reason
    # A loss of less than a unit is none: the last unit of a share's price, whatever it is of.
    assert stage.refusal(stage.vault, "deposit", price, user, sender=user) is None
    assert stage.refusal(stage.vault, "deposit", price - 1, user, sender=user) == reason
