"""Staking rewards by Synthetix' ABI, with the four faults of the original mended."""

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
    deploy,
    events,
    refused,
    send,
)

from simulator.chain import ZERO_ADDRESS, Chain, Contract, load_artifact

WEEK = 7 * DAY
TOKEN = 10**18
STAKE = 100 * TOKEN
REWARD = 604_800 * TOKEN
"""One token a second over a week, so that amounts are seconds."""


def token(chain: Chain, roles: SimpleNamespace, name: str = "Share") -> Contract:
    """Deploy an ERC-20 of which both stakers and the distribution hold plenty."""
    found = deploy(chain, "reward_token", name, "TKN", sender=roles.owner)
    for holder in (roles.staker, roles.second_staker, roles.rewards_distribution):
        send(chain, found, "mint", holder, 10**9 * TOKEN, sender=roles.owner)
    return found


@pytest.fixture
def share(revm: Chain, roles: SimpleNamespace) -> Contract:
    return token(revm, roles)


@pytest.fixture
def reward_token(revm: Chain, roles: SimpleNamespace) -> Contract:
    return token(revm, roles, "Incentive")


def farm_of(
    chain: Chain, roles: SimpleNamespace, reward: Contract, share: Contract, duration: int = WEEK
) -> Contract:
    """Deploy a farm that both stakers have approved."""
    args = (roles.owner, roles.rewards_distribution, reward, share, duration)
    farm = deploy(chain, "staking_rewards", *args, sender=roles.stranger)
    for holder in (roles.staker, roles.second_staker):
        send(chain, share, "approve", farm.address, 2**256 - 1, sender=holder)
    return farm


@pytest.fixture
def farm(revm: Chain, roles: SimpleNamespace, reward_token: Contract, share: Contract) -> Contract:
    return farm_of(revm, roles, reward_token, share)


@pytest.fixture
def names(
    roles: SimpleNamespace, farm: Contract, share: Contract, reward_token: Contract
) -> dict[str, str]:
    return {
        **vars(roles),
        "share": share.address,
        "reward_token": reward_token.address,
    }


def fund_and_notify(
    chain: Chain,
    farm: Contract,
    reward: Contract,
    roles: SimpleNamespace,
    amount: int,
    timestamp: int | None = None,
) -> int:
    """Pay `amount` in and notify it in one block; return the block's time, seconds."""
    sender = roles.rewards_distribution
    paid = reward.call("transfer", farm.address, amount, sender=sender)
    notified = farm.call("notifyRewardAmount", amount, sender=sender)
    timestamp = chain.timestamp() + 1 if timestamp is None else timestamp
    return chain.block(timestamp, [paid, notified])[-1].timestamp


def act(chain: Chain, farm: Contract, function: str, *args: object, by: str, at: int) -> None:
    chain.send(farm.call(function, *args, sender=by), at)


STAKED = ("@staker", "stake", STAKE)
NOTIFY = "notifyRewardAmount"
DURATION = "setRewardsDuration"

REFUSALS = [
    Refusal(
        "staking_rewards: paused",
        STAKED,
        before=(("@owner", "setPaused", True),),
        lift=(("@owner", "setPaused", False),),
    ),
    Refusal("staking_rewards: cannot stake nothing", ("@staker", "stake", 0), STAKED),
    Refusal(
        "staking_rewards: cannot withdraw nothing",
        ("@staker", "withdraw", 0),
        ("@staker", "withdraw", 1),
        before=(STAKED,),
    ),
    Refusal(
        "staking_rewards: amount exceeds the stake",
        ("@staker", "withdraw", STAKE + 1),
        ("@staker", "withdraw", STAKE),
        before=(STAKED,),
    ),
    Refusal("staking_rewards: cannot withdraw nothing", ("@staker", "exit"), lift=(STAKED,)),
    Refusal(
        "staking_rewards: caller is not the rewards distribution",
        ("@owner", NOTIFY, REWARD),
        ("@rewards_distribution", NOTIFY, REWARD),
    ),
    Refusal(
        "staking_rewards: caller is not the rewards distribution",
        ("@owner", NOTIFY, REWARD),
        lift=(("@owner", "setRewardsDistribution", "@owner"),),
    ),
    Refusal(
        "staking_rewards: reward is too large",
        ("@rewards_distribution", NOTIFY, 10**33 + 1),
        ("@rewards_distribution", NOTIFY, REWARD),
    ),
    Refusal(
        "staking_rewards: reward has not arrived",
        ("@rewards_distribution", NOTIFY, 2 * REWARD + 1),
        ("@rewards_distribution", NOTIFY, 2 * REWARD),
    ),
    Refusal(
        "staking_rewards: nothing to distribute",
        ("@rewards_distribution", NOTIFY, 0),
        ("@rewards_distribution", NOTIFY, 1),
    ),
    Refusal(
        "staking_rewards: rate would fall",
        ("@rewards_distribution", NOTIFY, 1),
        ("@rewards_distribution", NOTIFY, REWARD),
        before=(STAKED, ("@rewards_distribution", NOTIFY, REWARD)),
    ),
    Refusal(
        "staking_rewards: period is running",
        ("@owner", DURATION, DAY),
        ("@rewards_distribution", NOTIFY, REWARD),
        before=(("@rewards_distribution", NOTIFY, REWARD),),
    ),
    Refusal(
        "staking_rewards: duration is zero",
        ("@owner", DURATION, 0),
        ("@owner", DURATION, 1),
    ),
    Refusal(
        "staking_rewards: stake and owed rewards stay",
        ("@owner", "recoverERC20", "@share", 1),
        ("@owner", "recoverERC20", "@share", 0),
        before=(STAKED,),
    ),
    Refusal(
        "staking_rewards: stake and owed rewards stay",
        ("@owner", "recoverERC20", "@reward_token", 2 * REWARD),
        ("@owner", "recoverERC20", "@reward_token", REWARD),
        before=(("@rewards_distribution", NOTIFY, REWARD),),
    ),
    *(
        Refusal(
            "ownable: caller is not the owner",
            ("@stranger", *call),
            ("@owner", *call),
        )
        for call in (
            (DURATION, DAY),
            ("setRewardsDistribution", "@trader"),
            ("setPaused", True),
            ("recoverERC20", "@reward_token", 1),
        )
    ),
]


@pytest.mark.parametrize("case", REFUSALS, ids=str)
def test_call__with_an_obstacle__reverts_and_passes_without_it(
    revm: Chain,
    farm: Contract,
    reward_token: Contract,
    roles: SimpleNamespace,
    names: Mapping[str, str],
    case: Refusal,
) -> None:
    # Tokens for two notifications have arrived in every case.
    sender = roles.rewards_distribution
    send(revm, reward_token, "transfer", farm.address, 2 * REWARD, sender=sender)
    check_refusal(revm, farm, names, case)


@pytest.mark.parametrize(
    ("index", "wrong", "reason"),
    [
        (0, ZERO_ADDRESS, "owner is the zero address"),
        (2, ZERO_ADDRESS, "rewards token is the zero address"),
        (3, ZERO_ADDRESS, "staking token is the zero address"),
        (4, 0, "duration is zero"),
    ],
)
def test_deploy__with_a_missing_argument__reverts(
    revm: Chain, roles: SimpleNamespace, share: Contract, index: int, wrong: object, reason: str
) -> None:
    args: list[object] = [roles.owner, roles.rewards_distribution, share, share, WEEK]
    assert deploy(revm, "staking_rewards", *args, sender=roles.owner).read(revm, "paused") is False
    args[index] = wrong
    with refused(f"staking_rewards: {reason}"):
        deploy(revm, "staking_rewards", *args, sender=roles.owner)


def test_interface__has_the_names_of_synthetix() -> None:
    numbers = (
        "totalSupply",
        "lastTimeRewardApplicable",
        "rewardPerToken",
        "getRewardForDuration",
        "rewardRate",
        "periodFinish",
        "rewardsDuration",
        "lastUpdateTime",
        "rewardPerTokenStored",
        "lastPauseTime",
    )
    by_account = ("balanceOf", "earned", "rewards", "userRewardPerTokenPaid")
    functions = {
        **{f"{name}()": "uint256" for name in numbers},
        **{f"{name}(address)": "uint256" for name in by_account},
        **{f"{name}(uint256)": "" for name in ("stake", "withdraw", NOTIFY, DURATION)},
        "getReward()": "",
        "exit()": "",
        "setRewardsDistribution(address)": "",
        "setPaused(bool)": "",
        "recoverERC20(address,uint256)": "",
        "rewardsToken()": "address",
        "stakingToken()": "address",
        "rewardsDistribution()": "address",
        "owner()": "address",
        "paused()": "bool",
    }
    topics = {
        "RewardAdded(uint256)": 0,
        "Staked(address,uint256)": 1,
        "Withdrawn(address,uint256)": 1,
        "RewardPaid(address,uint256)": 1,
        "RewardsDurationUpdated(uint256)": 0,
        "Recovered(address,uint256)": 0,
        "PauseChanged(bool)": 0,
    }
    check_standard(load_artifact("staking_rewards"), functions, topics)


def test_events__of_one_life__are_those_of_synthetix(
    revm: Chain, roles: SimpleNamespace, farm: Contract, share: Contract, reward_token: Contract
) -> None:
    staked = send(revm, farm, "stake", STAKE, sender=roles.staker)
    assert events(farm, staked) == [("Staked", {"user": roles.staker, "amount": STAKE})]
    sender = roles.rewards_distribution
    send(revm, reward_token, "transfer", farm.address, REWARD, sender=sender)
    notified = send(revm, farm, NOTIFY, REWARD, sender=sender)
    assert events(farm, notified) == [("RewardAdded", {"reward": REWARD})]
    left = revm.send(farm.call("exit", sender=roles.staker), notified.timestamp + 10)
    assert events(farm, left) == [
        ("Withdrawn", {"user": roles.staker, "amount": STAKE}),
        ("RewardPaid", {"user": roles.staker, "reward": 10 * TOKEN}),
    ]
    send(revm, share, "transfer", farm.address, 5, sender=roles.staker)
    recovered = send(revm, farm, "recoverERC20", share.address, 5, sender=roles.owner)
    fields = {"token": share.address, "amount": 5}
    assert events(farm, recovered) == [("Recovered", fields)]
    assert share.read(revm, "balanceOf", roles.owner) == 5


def test_two_stakers__share_each_second_by_stake(
    revm: Chain, roles: SimpleNamespace, farm: Contract, reward_token: Contract
) -> None:
    act(revm, farm, "stake", STAKE, by=roles.staker, at=revm.timestamp() + 1)
    start = fund_and_notify(revm, farm, reward_token, roles, REWARD)
    act(revm, farm, "stake", 3 * STAKE, by=roles.second_staker, at=start + 100)
    act(revm, farm, "withdraw", STAKE, by=roles.staker, at=start + 300)
    revm.block(start + 360, [])
    # One token a second: 100 alone, 200 at a quarter, then 60 all for the second.
    assert farm.read(revm, "earned", roles.staker) == (100 + 200 // 4) * TOKEN
    assert farm.read(revm, "earned", roles.second_staker) == (200 * 3 // 4 + 60) * TOKEN
    assert farm.read(revm, "rewardRate") == TOKEN * 10**18
    assert farm.read(revm, "getRewardForDuration") == REWARD
    assert farm.read(revm, "lastTimeRewardApplicable") == start + 360
    # Per wei of stake: 100 s / 100 tokens + 200 s / 400 tokens + 60 s / 300 tokens.
    per_token = 10**36 * 100 // 100 + 10**36 * 200 // 400 + 10**36 * 60 // 300
    assert farm.read(revm, "rewardPerToken") == per_token


def test_period__after_its_end__pays_nothing_more(
    revm: Chain, roles: SimpleNamespace, farm: Contract, reward_token: Contract
) -> None:
    act(revm, farm, "stake", STAKE, by=roles.staker, at=revm.timestamp() + 1)
    start = fund_and_notify(revm, farm, reward_token, roles, REWARD)
    revm.block(start + 2 * WEEK, [])
    assert farm.read(revm, "lastTimeRewardApplicable") == start + WEEK
    assert farm.read(revm, "earned", roles.staker) == REWARD
    act(revm, farm, "getReward", by=roles.staker, at=start + 3 * WEEK)
    before = 10**9 * TOKEN
    assert reward_token.read(revm, "balanceOf", roles.staker) == before + REWARD
    assert [farm.read(revm, name) for name in ("owed_rewards", "totalSupply")] == [0, STAKE]


def test_get_reward__of_nothing__passes_without_an_event(
    revm: Chain, roles: SimpleNamespace, farm: Contract
) -> None:
    assert events(farm, send(revm, farm, "getReward", sender=roles.staker)) == []


def test_rewards__while_nobody_stakes__are_carried_to_the_next_period(
    revm: Chain, roles: SimpleNamespace, farm: Contract, reward_token: Contract
) -> None:
    start = fund_and_notify(revm, farm, reward_token, roles, REWARD)
    revm.block(start + 1_000, [])
    assert farm.read(revm, "carried") == 1_000 * TOKEN
    act(revm, farm, "stake", STAKE, by=roles.staker, at=start + 4_800)
    revm.block(start + WEEK, [])
    assert farm.read(revm, "carried") == 4_800 * TOKEN
    assert farm.read(revm, "earned", roles.staker) == REWARD - 4_800 * TOKEN
    # Nothing new: the carried 4,800 tokens alone stream over the next week.
    again = fund_and_notify(revm, farm, reward_token, roles, 0, start + WEEK + 1)
    assert farm.read(revm, "carried") == 0
    revm.block(again + WEEK, [])
    assert abs(REWARD - farm.read(revm, "earned", roles.staker)) <= 1


def test_notification__in_mid_period__adds_what_is_left(
    revm: Chain, roles: SimpleNamespace, farm: Contract, reward_token: Contract
) -> None:
    act(revm, farm, "stake", STAKE, by=roles.staker, at=revm.timestamp() + 1)
    start = fund_and_notify(revm, farm, reward_token, roles, REWARD)
    middle = start + WEEK // 2
    fund_and_notify(revm, farm, reward_token, roles, REWARD, middle)
    # Half a week of one token a second is left: (1 + 1/2) tokens a second for a week.
    assert farm.read(revm, "rewardRate") == TOKEN * 10**18 * 3 // 2
    assert farm.read(revm, "periodFinish") == middle + WEEK
    revm.block(middle + WEEK, [])
    assert farm.read(revm, "earned", roles.staker) == 2 * REWARD


def test_notification__that_keeps_the_rate__passes_and_one_wei_less_does_not(
    revm: Chain, roles: SimpleNamespace, farm: Contract, reward_token: Contract
) -> None:
    start = fund_and_notify(revm, farm, reward_token, roles, REWARD)
    act(revm, farm, "stake", STAKE, by=roles.staker, at=start + 1)
    before = revm.snapshot()
    # A day has used up 86,400 tokens, of which one second's is carried.
    with refused("staking_rewards: rate would fall"):
        fund_and_notify(revm, farm, reward_token, roles, (DAY - 1) * TOKEN - 1, start + DAY)
    revm.revert(before)
    fund_and_notify(revm, farm, reward_token, roles, (DAY - 1) * TOKEN, start + DAY)
    assert farm.read(revm, "rewardRate") == TOKEN * 10**18


def test_notification__of_less__is_refused_until_the_very_end_of_the_period(
    revm: Chain, roles: SimpleNamespace, farm: Contract, reward_token: Contract
) -> None:
    """A token, and the one that was carried in the second before anybody staked, for a week."""
    start = fund_and_notify(revm, farm, reward_token, roles, REWARD)
    act(revm, farm, "stake", STAKE, by=roles.staker, at=start + 1)
    before = revm.snapshot()
    with refused("staking_rewards: rate would fall"):
        fund_and_notify(revm, farm, reward_token, roles, TOKEN, start + WEEK - 1)
    revm.revert(before)
    fund_and_notify(revm, farm, reward_token, roles, TOKEN, start + WEEK)
    assert farm.read(revm, "rewardRate") == 2 * TOKEN * 10**18 // WEEK
    assert farm.read(revm, "periodFinish") == start + 2 * WEEK


def test_reward__of_6_decimals__is_not_lost_to_rounding(
    revm: Chain, roles: SimpleNamespace, share: Contract
) -> None:
    usdc = deploy(revm, "usdc", sender=roles.owner)
    send(revm, usdc, "configureMinter", roles.owner, 10**15, sender=roles.owner)
    send(revm, usdc, "mint", roles.rewards_distribution, 10**15, sender=roles.owner)
    farm = farm_of(revm, roles, usdc, share)
    # A whale's stake: without the scale 100 dollars over a week truncate to nothing,
    # 165 millionths a second times 1e18 over 1e9 tokens of stake.
    act(revm, farm, "stake", 10**9 * TOKEN, by=roles.staker, at=revm.timestamp() + 1)
    start = fund_and_notify(revm, farm, usdc, roles, 100 * DOLLAR)
    revm.block(start + WEEK, [])
    assert 100 * DOLLAR - farm.read(revm, "earned", roles.staker) in (0, 1)


def test_one_token_for_both__never_pays_rewards_out_of_the_stake(
    revm: Chain, roles: SimpleNamespace, share: Contract
) -> None:
    farm = farm_of(revm, roles, share, share)
    act(revm, farm, "stake", 10 * REWARD, by=roles.staker, at=revm.timestamp() + 1)
    with refused("staking_rewards: reward has not arrived"):
        send(revm, farm, NOTIFY, 1, sender=roles.rewards_distribution)
    start = fund_and_notify(revm, farm, share, roles, REWARD)
    with refused("staking_rewards: stake and owed rewards stay"):
        send(revm, farm, "recoverERC20", share.address, 1, sender=roles.owner)
    act(revm, farm, "exit", by=roles.staker, at=start + WEEK)
    assert share.read(revm, "balanceOf", roles.staker) == 10**9 * TOKEN + REWARD
    assert share.read(revm, "balanceOf", farm.address) == 0


def test_stake__of_a_token_with_a_fee__credits_what_arrives(
    revm: Chain, roles: SimpleNamespace, reward_token: Contract
) -> None:
    feed = deploy(revm, "price_feed", 8, "Reserve", roles.keeper, sender=roles.owner)
    send(revm, feed, "update_answer", 10**12, sender=roles.keeper)
    gold = deploy(revm, "gold_token", "Pax Gold", "PAXG", 18, feed, DAY, sender=roles.owner)
    send(revm, gold, "increaseSupply", STAKE, sender=roles.owner)
    send(revm, gold, "transfer", roles.staker, STAKE, sender=roles.owner)
    send(revm, gold, "setFeeRate", 10_000, sender=roles.owner)
    farm = farm_of(revm, roles, reward_token, gold)
    receipt = send(revm, farm, "stake", STAKE, sender=roles.staker)
    arrived = STAKE * 99 // 100
    fields = {"user": roles.staker, "amount": arrived}
    assert events(farm, receipt) == [("Staked", fields)]
    assert farm.read(revm, "balanceOf", roles.staker) == arrived
    send(revm, farm, "exit", sender=roles.staker)
    assert gold.read(revm, "balanceOf", farm.address) == 0


def test_withdraw__while_paused_and_with_a_blocked_reward__returns_the_stake(
    revm: Chain, roles: SimpleNamespace, share: Contract
) -> None:
    usdc = deploy(revm, "usdc", sender=roles.owner)
    send(revm, usdc, "configureMinter", roles.owner, 10**12, sender=roles.owner)
    send(revm, usdc, "mint", roles.rewards_distribution, 10**12, sender=roles.owner)
    farm = farm_of(revm, roles, usdc, share)
    act(revm, farm, "stake", STAKE, by=roles.staker, at=revm.timestamp() + 1)
    start = fund_and_notify(revm, farm, usdc, roles, 10**12)
    send(revm, farm, "setPaused", True, sender=roles.owner)
    send(revm, usdc, "blacklist", farm.address, sender=roles.owner)
    revm.block(start + DAY, [])
    with refused("usdc: account is blacklisted"):
        send(revm, farm, "exit", sender=roles.staker)
    send(revm, farm, "withdraw", STAKE, sender=roles.staker)
    assert share.read(revm, "balanceOf", roles.staker) == 10**9 * TOKEN
    assert farm.read(revm, "rewards", roles.staker) > 0


def test_set_paused__twice__logs_the_change_once(
    revm: Chain, roles: SimpleNamespace, farm: Contract
) -> None:
    receipt = send(revm, farm, "setPaused", True, sender=roles.owner)
    assert events(farm, receipt) == [("PauseChanged", {"isPaused": True})]
    assert farm.read(revm, "lastPauseTime") == receipt.timestamp
    assert events(farm, send(revm, farm, "setPaused", True, sender=roles.owner)) == []
    resumed = send(revm, farm, "setPaused", False, sender=roles.owner)
    assert events(farm, resumed) == [("PauseChanged", {"isPaused": False})]
    assert farm.read(revm, "lastPauseTime") == receipt.timestamp


def test_set_rewards_duration__at_the_end_of_a_period__passes(
    revm: Chain, roles: SimpleNamespace, farm: Contract, reward_token: Contract
) -> None:
    start = fund_and_notify(revm, farm, reward_token, roles, REWARD)
    with refused("staking_rewards: period is running"):
        act(revm, farm, DURATION, DAY, by=roles.owner, at=start + WEEK - 1)
    receipt = revm.send(farm.call(DURATION, DAY, sender=roles.owner), start + WEEK)
    assert events(farm, receipt) == [("RewardsDurationUpdated", {"newDuration": DAY})]
    assert farm.read(revm, "rewardsDuration") == DAY


def test_set_rewards_distribution__logs_and_shows(
    revm: Chain, roles: SimpleNamespace, farm: Contract
) -> None:
    receipt = send(revm, farm, "setRewardsDistribution", roles.trader, sender=roles.owner)
    fields = {"newRewardsDistribution": roles.trader}
    assert events(farm, receipt) == [("RewardsDistributionUpdated", fields)]
    assert farm.read(revm, "rewardsDistribution") == roles.trader
