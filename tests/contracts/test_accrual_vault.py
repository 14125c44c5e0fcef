"""What time has done to the vault counts before anything else does: each act with and without it.

100 oz lie in the vault, 80 of them in a pool whose gain of 7 oz is reported at `T` and unlocks
over seven days: an ounce a day. Every act is played in the second of the report, in which nothing
has unlocked, and three days later, when 3 oz have. `F` is what the shares own: 100 oz and 103 oz.
"""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace

import pytest
from gold_stage import DAY, OUNCE, SECONDS_PER_YEAR, GoldStage, VaultTerms, to_assets, to_shares
from props import events

from simulator.chain import Chain

PERFORMANCE_BPS, MANAGEMENT_BPS = 1_000, 100
SUPPLY = 100 * OUNCE

passed = pytest.mark.parametrize("days", [0, 3])


@pytest.fixture
def stage(revm: Chain, roles: SimpleNamespace) -> GoldStage:
    """All but the report, whose second each test shares with its act or not."""
    stage = GoldStage(revm, roles)
    stage.deposit(roles.depositor, 100 * OUNCE)
    stage.place(stage.pool, 80 * OUNCE)
    stage.endow(roles.second_depositor, 50 * OUNCE)
    stage.credit(7 * OUNCE)
    return stage


def act(stage: GoldStage, days: int, function: str, *args: object, sender: str) -> dict:
    """Report, let days pass, and act; return the act's events by name."""
    at = stage.report(stage.pool).timestamp + days * DAY
    return dict(events(stage.vault, stage.send(stage.vault, function, *args, sender=sender, at=at)))


def owned(days: int) -> int:
    """Return what the shares own after so many of the seven days."""
    return (100 + days) * OUNCE


@passed
def test_deposit(stage: GoldStage, roles: SimpleNamespace, days: int):
    user = roles.second_depositor
    seen = act(stage, days, "deposit", 10 * OUNCE, user, sender=user)
    expected = to_shares(10 * OUNCE, owned(days), SUPPLY)
    assert seen["Deposit"]["shares"] == expected
    assert expected < 10 * OUNCE if days else expected == 10 * OUNCE


@passed
def test_mint(stage: GoldStage, roles: SimpleNamespace, days: int):
    user = roles.second_depositor
    seen = act(stage, days, "mint", 10 * OUNCE, user, sender=user)
    assert seen["Deposit"]["assets"] == to_assets(10 * OUNCE, owned(days), SUPPLY, up=True)


@passed
def test_withdraw(stage: GoldStage, roles: SimpleNamespace, days: int):
    me = roles.depositor
    seen = act(stage, days, "withdraw", 10 * OUNCE, me, me, sender=me)
    assert seen["Withdraw"]["shares"] == to_shares(10 * OUNCE, owned(days), SUPPLY, up=True)


@passed
def test_redeem(stage: GoldStage, roles: SimpleNamespace, days: int):
    me = roles.depositor
    seen = act(stage, days, "redeem", 10 * OUNCE, me, me, sender=me)
    assert seen["Withdraw"]["assets"] == to_assets(10 * OUNCE, owned(days), SUPPLY)


@passed
def test_last_redeem__adopts_what_is_still_locked_at_the_price_of_then(
    stage: GoldStage, roles: SimpleNamespace, days: int
):
    me = roles.depositor
    act(stage, days, "redeem", SUPPLY, me, me, sender=me)
    left = 107 * OUNCE - to_assets(SUPPLY, owned(days), SUPPLY)
    adopted = stage.read(stage.vault, "balanceOf", roles.fee_recipient)
    assert adopted == to_shares(left, owned(days), SUPPLY)


@passed
def test_queue__settles_at_the_price_of_then(revm: Chain, roles: SimpleNamespace, days: int):
    stage = GoldStage(revm, roles, vault_terms=VaultTerms(cooldown_seconds=0, batch_seconds=DAY))
    stage.deposit(roles.depositor, 100 * OUNCE)
    stage.place(stage.pool, 80 * OUNCE)
    stage.credit(7 * OUNCE)
    stage.send(stage.vault, "approve", stage.queue, SUPPLY, sender=roles.depositor)
    asked = stage.send(stage.queue, "request_redeem", 10 * OUNCE, sender=roles.depositor)
    batch = asked.timestamp // DAY
    stage.wait(DAY)
    at = stage.report(stage.pool).timestamp + days * DAY
    stage.send(stage.queue, "settle_batch", batch, sender=roles.stranger, at=at)
    due = to_assets(10 * OUNCE, owned(days), SUPPLY)
    assert stage.read(stage.queue, "claimable_assets", batch, roles.depositor) == due


@passed
def test_process_report__adds_to_what_is_left_and_dates_the_mean(
    stage: GoldStage, roles: SimpleNamespace, days: int
):
    """Of 7 oz 7 - d are left for 7 - d days; 4 oz are new for 7."""
    stage.send(stage.gold, "transfer", roles.keeper, 4 * OUNCE, sender=roles.owner)
    stage.send(stage.gold, "approve", stage.pool, 4 * OUNCE, sender=roles.keeper)
    first = stage.report(stage.pool).timestamp
    at = first + days * DAY
    stage.send(stage.pool, "credit", 4 * OUNCE, sender=roles.keeper, at=at)
    stage.report(stage.pool, at=at)
    left = Fraction(7 - days)
    period = (left * left + 4 * 7) / (left + 4)
    assert stage.read(stage.vault, "locked_profit") == (left + 4) * OUNCE
    stage.wait(DAY)
    exact = (left + 4) * OUNCE * (1 - 1 / period)
    assert 0 <= stage.read(stage.vault, "locked_profit") - exact < 2


@passed
def test_process_report__charges_the_time_since_the_last_one(
    revm: Chain, roles: SimpleNamespace, days: int
):
    terms = VaultTerms(performance_fee_bps=PERFORMANCE_BPS, management_fee_bps=MANAGEMENT_BPS)
    stage = GoldStage(revm, roles, vault_terms=terms)
    stage.deposit(roles.depositor, 100 * OUNCE)
    stage.place(stage.pool, 80 * OUNCE)
    first = stage.report(stage.pool).timestamp
    stage.credit(7 * OUNCE)
    at = max(first + days * DAY, stage.chain.timestamp())
    [(_, reported)] = events(stage.vault, stage.report(stage.pool, at=at), "StrategyReported")
    elapsed = at - first
    due = 80 * OUNCE * MANAGEMENT_BPS * elapsed // (10_000 * SECONDS_PER_YEAR)
    assert reported["fees"] == 7 * OUNCE * PERFORMANCE_BPS // 10_000 + due


@passed
def test_update_debt__moves_the_clock_of_the_fee_by_its_part(
    revm: Chain, roles: SimpleNamespace, days: int
):
    """80 oz for d days and 100 oz for ten more: the fee is on 80 d + 1,000 ounce days."""
    stage = GoldStage(revm, roles, vault_terms=VaultTerms(management_fee_bps=MANAGEMENT_BPS))
    stage.deposit(roles.depositor, 100 * OUNCE)
    stage.place(stage.pool, 80 * OUNCE)
    first = stage.report(stage.pool).timestamp
    at = first + days * DAY
    args = ("update_debt", stage.pool, 100 * OUNCE)
    stage.send(stage.vault, *args, sender=roles.curator, at=at)
    last = at + 10 * DAY
    [(_, reported)] = events(stage.vault, stage.report(stage.pool, at=last), "StrategyReported")
    exact = Fraction((80 * days + 1_000) * DAY * OUNCE * MANAGEMENT_BPS, 10_000 * SECONDS_PER_YEAR)
    # The moved clock is a whole second, rounded towards less time.
    assert (
        0 <= exact - reported["fees"] <= 100 * OUNCE * MANAGEMENT_BPS / (10_000 * SECONDS_PER_YEAR)
    )
    assert days == 0 or reported["fees"] < exact * 1.0001


@pytest.mark.parametrize("lost", [0, 5])
def test_update_debt__books_the_loss_since_the_last_report_first(
    stage: GoldStage, roles: SimpleNamespace, lost: int
):
    """To 90 oz of debt from 87 - lost: so much leaves the 20 idle ounces."""
    stage.report(stage.pool)
    if lost:
        stage.seize(lost * OUNCE)
    args = ("update_debt", stage.pool, 90 * OUNCE)
    seen = events(stage.vault, stage.send(stage.vault, *args, sender=roles.curator))
    losses = [fields["loss"] for name, fields in seen if name == "StrategyReported"]
    # The pool's shares round the new debt's worth down by at most a wei, which is a loss too.
    assert [loss // OUNCE for loss in losses if loss > 1] == [lost] * bool(lost)
    moved = dict(seen)["DebtUpdated"]
    assert moved["old_debt"] == (87 - lost) * OUNCE
    assert 0 <= 90 * OUNCE - moved["new_debt"] <= 1
    assert stage.read(stage.vault, "idle") == (20 - 3 - lost) * OUNCE


@pytest.mark.parametrize("lost", [0, 10])
@pytest.mark.parametrize("function", ["deposit", "mint", "withdraw", "redeem"])
def test_loss_since_the_last_report__is_everybody_s_before_anybody_moves(
    stage: GoldStage, roles: SimpleNamespace, function: str, lost: int
):
    """10 oz are more than the 7 that are locked: the shares own 3 less, and nothing is locked."""
    at = stage.report(stage.pool).timestamp
    if lost:
        intruder = roles.intruder
        stage.send(stage.pool, "seize", lost * OUNCE, intruder, sender=intruder, at=at)
    free = 100 * OUNCE - max(0, lost - 7) * OUNCE
    user, me = roles.second_depositor, roles.depositor
    args = (user,) if function in ("deposit", "mint") else (me, me)
    call = (stage.vault, function, 10 * OUNCE, *args)
    expected = {
        "deposit": to_shares(10 * OUNCE, free, SUPPLY),
        "mint": to_assets(10 * OUNCE, free, SUPPLY, up=True),
        "withdraw": to_shares(10 * OUNCE, free, SUPPLY, up=True),
        "redeem": to_assets(10 * OUNCE, free, SUPPLY),
    }[function]
    assert stage.try_out(*call, sender=args[-1]) == expected
    receipt = stage.send(*call, sender=args[-1], at=at)
    losses = [fields["loss"] for _, fields in events(stage.vault, receipt, "StrategyReported")]
    assert losses == [lost * OUNCE] * bool(lost)


@pytest.mark.parametrize("days", [0, 3])
def test_force_revoke__takes_the_loss_out_of_what_is_still_locked(
    stage: GoldStage, roles: SimpleNamespace, days: int
):
    """87 oz are lost: first the 7 - d that are locked, then what the shares own."""
    act(stage, days, "force_revoke_strategy", stage.pool, sender=roles.curator)
    assert stage.read(stage.vault, "locked_profit") == 0
    assert stage.read(stage.vault, "free_assets") == 20 * OUNCE


@pytest.mark.parametrize("function", ["deposit", "mint"])
def test_orphans__are_adopted_before_the_first_comer_is_priced(
    revm: Chain, roles: SimpleNamespace, function: str
):
    """A gain that is reported while nobody holds a share is the fee recipient's.

    Dust of a wei is left in the pool: the vault gave back all but it.
    """
    stage = GoldStage(revm, roles, vault_terms=VaultTerms(profit_unlock_seconds=0))
    stage.deposit(roles.depositor, 100 * OUNCE)
    stage.place(stage.pool, 100 * OUNCE)
    stage.credit(OUNCE)
    me = roles.depositor
    stage.send(stage.vault, "redeem", 100 * OUNCE, me, me, sender=me)
    assert stage.read(stage.vault, "totalSupply") == 0
    gain = events(stage.vault, stage.report(stage.pool), "StrategyReported")[0][1]["gain"]
    assert abs(gain - OUNCE) <= 2
    orphans = stage.read(stage.vault, "totalAssets")
    user = roles.second_depositor
    stage.endow(user, 50 * OUNCE)
    stage.send(stage.vault, function, 10 * OUNCE, user, sender=user)
    assert stage.read(stage.vault, "balanceOf", roles.fee_recipient) == orphans
    assert stage.read(stage.vault, "balanceOf", user) == 10 * OUNCE
    assert stage.read(stage.gold, "balanceOf", user) == 40 * OUNCE
