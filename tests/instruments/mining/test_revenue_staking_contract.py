"""Staking of the mine's token: profit passes to the stakers, the stake always comes back."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace

import pytest
from props import (
    DAY,
    DOLLAR,
    Refusal,
    check_refusal,
    check_standard,
    events,
    function_table,
    refused,
    send,
)
from sto_stage import CHILE, QUARTER, TOKEN, StoStage, identity_of

from simulator.chain import ZERO_ADDRESS, Chain, load_artifact

PAYMENT = QUARTER
"""Dollars: one a second over the quarter, so that dollars are seconds."""


@pytest.fixture
def stage(revm: Chain, roles: SimpleNamespace) -> StoStage:
    """The staker has staked 300 tokens, the second 100; the depositor just holds 600."""
    stage = StoStage(revm, roles)
    for role, tokens in (("staker", 300), ("second_staker", 100), ("depositor", 600)):
        stage.mint(getattr(roles, role), tokens)
    stage.stake(roles.staker, 300)
    stage.stake(roles.second_staker, 100)
    return stage


@pytest.fixture
def names(stage: StoStage, roles: SimpleNamespace) -> dict[str, str]:
    return {**vars(roles), "nobody": ZERO_ADDRESS}


def earned(stage: StoStage, wallet: str) -> int:
    return int(stage.read(stage.staking, "earned", wallet))


def test_interface__is_that_of_staking_rewards() -> None:
    """Whatever drives `staking_rewards` drives this contract too."""
    base = function_table(load_artifact("staking_rewards"))
    own = function_table(load_artifact("revenue_staking"))
    assert {name: own.get(name) for name in base} == base
    topics = {
        "Staked(address,uint256)": 1,
        "Withdrawn(address,uint256)": 1,
        "RewardPaid(address,uint256)": 1,
        "RewardAdded(uint256)": 0,
        "ProfitCredited(uint256)": 0,
        "StakeMoved(address,address,uint256)": 2,
    }
    check_standard(load_artifact("revenue_staking"), {}, topics)


def test_profit_of_staked_tokens__is_the_stakers_as_if_they_held(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    start = stage.pay(PAYMENT).timestamp
    stage.chain.block(start + 10_000, [])
    # A dollar a second over 1,000 tokens: a token earns 10 dollars in 10,000 seconds.
    assert earned(stage, roles.staker) == pytest.approx(3_000 * DOLLAR, abs=1)
    assert earned(stage, roles.second_staker) == pytest.approx(1_000 * DOLLAR, abs=1)
    assert stage.claim(roles.depositor) == pytest.approx(6_000 * DOLLAR, abs=1)
    receipt = stage.send(stage.staking, "getReward", sender=roles.staker, at=start + 10_000)
    paid = stage.dollars(roles.staker)
    assert paid == pytest.approx(3_000 * DOLLAR, abs=1)
    names = [name for name, _ in events(stage.staking, receipt)]
    assert names == ["ProfitCredited", "RewardPaid"]
    stage.chain.block(start + 2 * QUARTER, [])
    stage.send(stage.staking, "exit", sender=roles.staker)
    stage.send(stage.staking, "exit", sender=roles.second_staker)
    total = stage.dollars(roles.staker) + stage.dollars(roles.second_staker)
    assert total == pytest.approx(PAYMENT * DOLLAR * 4 // 10, abs=5)
    assert stage.balance(roles.staker) == 300 * TOKEN


def test_stake__in_the_block_of_a_claim__earns_nothing_of_the_past(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    start = stage.pay(PAYMENT).timestamp
    stage.send(stage.sto, "approve", stage.staking, 600 * TOKEN, sender=roles.depositor)
    stage.send(stage.staking, "stake", 600 * TOKEN, sender=roles.depositor, at=start + 1_000)
    assert earned(stage, roles.depositor) == 0
    assert stage.claim(roles.depositor) == pytest.approx(600 * DOLLAR, abs=1)
    assert earned(stage, roles.staker) == pytest.approx(300 * DOLLAR, abs=1)
    stage.chain.block(start + 2_000, [])
    # Now everything is staked, so a second's dollar goes 300 : 100 : 600.
    assert earned(stage, roles.depositor) == pytest.approx(600 * DOLLAR, abs=2)
    assert earned(stage, roles.staker) == pytest.approx(600 * DOLLAR, abs=2)


def test_rewards__come_on_top_of_profit(stage: StoStage, roles: SimpleNamespace) -> None:
    stage.send(stage.usdc, "mint", stage.staking, 4_000 * DOLLAR, sender=roles.owner)
    stage.pay(PAYMENT)
    stage.wait(1_000)
    notify = ("notifyRewardAmount", 4_000 * DOLLAR)
    stage.send(stage.staking, *notify, sender=roles.rewards_distribution)
    stage.wait(60 * DAY)
    profit = (60 * DAY + 1_001) * DOLLAR * 3 // 10
    assert earned(stage, roles.staker) == pytest.approx(profit + 3_000 * DOLLAR, abs=3)


def test_rewards__cannot_be_notified_out_of_the_stakers_profit(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    stage.pay(PAYMENT)
    stage.wait(10_000)
    # The stakers' 4,000 dollars of profit have arrived, one of them has been paid.
    stage.send(stage.staking, "getReward", sender=roles.staker)
    with refused("staking_rewards: reward has not arrived"):
        stage.send(stage.staking, "notifyRewardAmount", 1, sender=roles.rewards_distribution)
    with refused("staking_rewards: stake and owed rewards stay"):
        stage.send(stage.staking, "recoverERC20", stage.usdc, 1, sender=roles.owner)
    with refused("staking_rewards: stake and owed rewards stay"):
        stage.send(stage.staking, "recoverERC20", stage.sto, 1, sender=roles.owner)
    stage.send(stage.usdc, "mint", stage.staking, 500 * DOLLAR, sender=roles.owner)
    notify = ("notifyRewardAmount", 500 * DOLLAR)
    stage.send(stage.staking, *notify, sender=roles.rewards_distribution)


def test_withdraw__while_usdc_is_stopped__returns_the_stake_and_keeps_the_profit(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    stage.pay(PAYMENT)
    stage.wait(10_000)
    stage.send(stage.usdc, "blacklist", stage.staking, sender=roles.owner)
    stage.send(stage.staking, "withdraw", 300 * TOKEN, sender=roles.staker)
    assert stage.balance(roles.staker) == 300 * TOKEN
    held = earned(stage, roles.staker)
    assert held == pytest.approx(3_000 * DOLLAR, abs=2_000_000)
    with refused("usdc: account is blacklisted"):
        stage.send(stage.staking, "getReward", sender=roles.staker)
    stage.wait(10_000)
    assert earned(stage, roles.staker) == held
    stage.send(stage.usdc, "unBlacklist", stage.staking, sender=roles.owner)
    stage.send(stage.staking, "getReward", sender=roles.staker)
    assert stage.dollars(roles.staker) == held


def test_withdraw__after_country_and_cap_have_turned_against_the_staker__passes(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    stage.send(stage.compliance, "set_max_balance", TOKEN, sender=roles.owner)
    stage.send(stage.compliance, "set_country_forbidden", CHILE, True, sender=roles.owner)
    with refused("compliance: country is forbidden"):
        stage.send(stage.sto, "transfer", roles.staker, TOKEN, sender=roles.depositor)
    stage.send(stage.staking, "withdraw", 300 * TOKEN, sender=roles.staker)
    assert stage.balance(roles.staker) == 300 * TOKEN


def test_withdraw__needs_a_verified_wallet(stage: StoStage, roles: SimpleNamespace) -> None:
    stage.send(stage.registry, "deleteIdentity", roles.staker, sender=roles.agent)
    with refused("mining_sto: receiver is not verified"):
        stage.send(stage.staking, "withdraw", TOKEN, sender=roles.staker)
    stage.register(roles.staker, stage.identities["staker"])
    stage.send(stage.staking, "withdraw", TOKEN, sender=roles.staker)


def test_recovered_wallet__its_stake_and_earnings_follow(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    stage.pay(PAYMENT)
    stage.wait(10_000)
    lost = (roles.staker, roles.stranger, stage.identities["staker"])
    stage.send(stage.sto, "recoveryAddress", *lost, sender=roles.agent)
    with refused("revenue_staking: wallet was recovered"):
        stage.send(stage.staking, "getReward", sender=roles.staker)
    receipt = stage.send(stage.staking, "follow_recovery", roles.staker, sender=roles.trader)
    moved = {"lost": roles.staker, "new": roles.stranger, "amount": 300 * TOKEN}
    assert events(stage.staking, receipt, "StakeMoved") == [("StakeMoved", moved)]
    with refused("revenue_staking: nothing to hand on"):
        stage.send(stage.staking, "follow_recovery", roles.staker, sender=roles.trader)
    assert earned(stage, roles.staker) == 0
    assert earned(stage, roles.stranger) == pytest.approx(3_001 * DOLLAR, rel=1e-3)
    stage.send(stage.compliance, "set_max_balance", TOKEN, sender=roles.owner)
    stage.send(stage.staking, "exit", sender=roles.stranger)
    assert stage.balance(roles.stranger) == 300 * TOKEN
    assert stage.dollars(roles.stranger) >= 3_000 * DOLLAR


def test_recovered_wallet__that_had_left_before__hands_on_what_it_had_earned(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    stage.pay(PAYMENT)
    stage.wait(1_000)
    stage.send(stage.staking, "withdraw", 300 * TOKEN, sender=roles.staker)
    # 1,001 seconds, three tenths of a dollar each.
    mine = earned(stage, roles.staker)
    assert mine == pytest.approx(300_300_000, abs=1)
    lost = (roles.staker, roles.stranger, stage.identities["staker"])
    stage.send(stage.sto, "recoveryAddress", *lost, sender=roles.agent)
    stage.send(stage.staking, "follow_recovery", roles.staker, sender=roles.trader)
    assert (earned(stage, roles.staker), earned(stage, roles.stranger)) == (0, mine)


def test_deploy__without_a_token__is_refused(stage: StoStage, roles: SimpleNamespace) -> None:
    terms = ("revenue_staking", roles.owner, roles.rewards_distribution)
    with refused("revenue_staking: token is the zero address"):
        stage.deploy(*terms, ZERO_ADDRESS, DAY)
    stage.deploy(*terms, stage.sto, DAY)


def test_recovered_wallet__registered_again__cannot_touch_the_old_stake(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    """A stranger who gets the lost wallet registered finds the stake to be its successor's."""
    lost = (roles.staker, roles.stranger, stage.identities["staker"])
    stage.send(stage.sto, "recoveryAddress", *lost, sender=roles.agent)
    stage.register(roles.staker, identity_of(66))
    stage.mint(roles.staker, 1)
    for call in (("withdraw", TOKEN), ("exit",), ("getReward",), ("stake", TOKEN)):
        with refused("revenue_staking: wallet was recovered"):
            stage.send(stage.staking, *call, sender=roles.staker)
    stage.send(stage.staking, "follow_recovery", roles.staker, sender=roles.staker)
    stage.send(stage.staking, "withdraw", 300 * TOKEN, sender=roles.stranger)


def test_profit_without_stake__is_carried_to_the_next_period(
    revm: Chain, roles: SimpleNamespace
) -> None:
    """Tokens that came without being staked earn; no staker is there."""
    stage = StoStage(revm, roles)
    stage.mint(roles.depositor, 1_000)
    stage.send(stage.sto, "transfer", stage.staking, 500 * TOKEN, sender=roles.depositor)
    stage.pay(PAYMENT)
    stage.wait(2 * QUARTER)
    carried = stage.read(stage.staking, "carried")
    assert carried == pytest.approx(PAYMENT * DOLLAR // 2, abs=1)
    stage.stake(roles.depositor, 1)
    stage.send(stage.staking, "notifyRewardAmount", 0, sender=roles.rewards_distribution)
    stage.wait(31 * DAY)
    assert earned(stage, roles.depositor) == pytest.approx(carried, abs=2)


def test_recovery_of_the_staking_contract_itself__does_not_hold_the_stake(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    """The issuer moves everything away: a claim that shrinks must not stop the contract."""
    stage.pay(PAYMENT)
    stage.wait(10_000)
    moved = (stage.staking, roles.stranger, identity_of(100))
    stage.send(stage.sto, "recoveryAddress", *moved, sender=roles.agent)
    back = ("forcedTransfer", roles.stranger, stage.staking, 400 * TOKEN)
    with refused("mining_sto: receiver is not verified"):
        stage.send(stage.sto, *back, sender=roles.agent)
    stage.register(stage.staking.address, identity_of(100))
    stage.send(stage.sto, *back, sender=roles.agent)
    stage.send(stage.staking, "withdraw", 300 * TOKEN, sender=roles.staker)
    assert stage.balance(roles.staker) == 300 * TOKEN


def test_forced_transfer__out_of_the_staking__is_borne_by_the_last_to_leave(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    """An agent's power, not a fault: nobody said whose stake was taken."""
    seize = ("forcedTransfer", stage.staking, roles.treasury, 100 * TOKEN)
    stage.send(stage.sto, *seize, sender=roles.agent)
    stage.send(stage.staking, "exit", sender=roles.staker)
    with refused("mining_sto: amount exceeds the free balance"):
        stage.send(stage.staking, "exit", sender=roles.second_staker)
    back = ("forcedTransfer", roles.treasury, stage.staking, 100 * TOKEN)
    stage.send(stage.sto, *back, sender=roles.agent)
    stage.send(stage.staking, "exit", sender=roles.second_staker)


CLAIM = ("@staker", "getReward")
REFUSALS = [
    Refusal(
        "revenue_staking: wallet was not recovered",
        ("@trader", "follow_recovery", "@staker"),
        CLAIM,
    ),
    Refusal(
        "staking_rewards: cannot withdraw nothing",
        ("@trader", "exit"),
        ("@staker", "exit"),
    ),
    Refusal(
        "staking_rewards: amount exceeds the stake",
        ("@staker", "withdraw", 300 * TOKEN + 1),
        ("@staker", "withdraw", 300 * TOKEN),
    ),
]


@pytest.mark.parametrize("case", REFUSALS, ids=str)
def test_call__with_an_obstacle__reverts_and_passes_without_it(
    revm: Chain, stage: StoStage, names: Mapping[str, str], case: Refusal
) -> None:
    check_refusal(revm, stage.staking, names, case)


def test_frozen_wallet__cannot_take_profit_out_of_the_staking_either(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    stage.pay(PAYMENT)
    stage.send(stage.sto, "setAddressFrozen", roles.staker, True, sender=roles.agent)
    with refused("revenue_staking: wallet is frozen"):
        stage.send(stage.staking, "getReward", sender=roles.staker)
    stage.send(stage.sto, "setAddressFrozen", roles.staker, False, sender=roles.agent)
    stage.send(stage.staking, "getReward", sender=roles.staker)


def test_stake__while_paused_or_unknown_to_the_registry__is_refused(
    revm: Chain, roles: SimpleNamespace
) -> None:
    stage = StoStage(revm, roles)
    stage.mint(roles.staker, 10)
    stage.send(stage.registry, "deleteIdentity", stage.staking, sender=roles.agent)
    with refused("mining_sto: receiver is not verified"):
        stage.stake(roles.staker, 1)
    stage.register(stage.staking.address, identity_of(100))
    send(revm, stage.staking, "setPaused", True, sender=roles.owner)
    with refused("staking_rewards: paused"):
        stage.stake(roles.staker, 1)
    send(revm, stage.staking, "setPaused", False, sender=roles.owner)
    stage.stake(roles.staker, 1)
