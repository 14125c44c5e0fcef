"""Every call of `staking_rewards` after time has passed, and its twin in which none has.

Two stakers have 100 tokens of stake each, and one reward token a second flows for a week,
half of it to each. A call comes `waited` seconds after the notification, and 100 seconds
later everything is read: what flowed before the call must go by the stakes before it, what
flows after it by the stakes after it. Amounts are reward tokens; waits are even, so that
halves are whole.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest
from props import DAY, deploy, refused, send

from simulator.chain import Artifact, Chain, Contract, load_artifact
from simulator.chain.compile import compile_patched

CONTRACTS = Path(__file__).resolve().parents[2] / "contracts"
TOKEN = 10**18
WEEK = 7 * DAY
STAKE = 100 * TOKEN
PAID_IN = 10**9 * TOKEN
WAITS = (0, 1_000)


@dataclass
class Farm:
    """The farm at its first second: both have staked, a week of one token a second is notified."""

    chain: Chain
    roles: SimpleNamespace
    artifact: Artifact
    staked: bool = True

    def __post_init__(self) -> None:
        chain, roles = self.chain, self.roles
        self.share = self._token()
        self.reward = self._token()
        args = (roles.owner, roles.rewards_distribution, self.reward, self.share, WEEK)
        plain = [getattr(arg, "address", arg) for arg in args]
        self.farm = chain.deploy(self.artifact, plain, sender=roles.owner)
        for staker in (roles.staker, roles.second_staker):
            send(chain, self.share, "mint", staker, 10 * STAKE, sender=roles.owner)
            send(chain, self.share, "approve", self.farm.address, 10 * STAKE, sender=staker)
            if self.staked:
                send(chain, self.farm, "stake", STAKE, sender=staker)
        send(chain, self.reward, "mint", self.farm.address, PAID_IN, sender=roles.owner)
        self.start = self.notify(WEEK, at=chain.timestamp() + 1)

    def _token(self) -> Contract:
        return deploy(self.chain, "reward_token", "Token", "TKN", sender=self.roles.owner)

    def act(self, function: str, *args: object, by: str, at: int) -> int:
        return self.chain.send(self.farm.call(function, *args, sender=by), at).timestamp

    def notify(self, tokens: int, at: int) -> int:
        sender = self.roles.rewards_distribution
        return self.act("notifyRewardAmount", tokens * TOKEN, by=sender, at=at)

    def rewards(self, at: int) -> list[float]:
        """Return what each staker has got and has earned at a time, in reward tokens."""
        self.chain.block(at, [])
        found = []
        for staker in (self.roles.staker, self.roles.second_staker):
            got = self.reward.read(self.chain, "balanceOf", staker)
            found.append((got + self.farm.read(self.chain, "earned", staker)) / TOKEN)
        return found


Play = Callable[[Farm, int], list[float]]
"""Calls something `waited` seconds after the notification; returns what there is to see."""


def call(function: str, *args: object, later: int = 100, by: str = "staker") -> Play:
    """Play one call, and read what both stakers have `later` seconds after it."""

    def play(stage: Farm, waited: int) -> list[float]:
        at = stage.start + waited
        known = {**vars(stage.roles), "reward": stage.reward.address}
        words = [known.get(arg, arg) if isinstance(arg, str) else arg for arg in args]
        stage.act(function, *words, by=known[by], at=at)
        return stage.rewards(at + later)

    return play


def paid(function: str) -> Play:
    """Play a call that pays; tell also what it paid, apart from what is earned since."""

    def play(stage: Farm, waited: int) -> list[float]:
        at = stage.start + waited
        stage.act(function, by=stage.roles.staker, at=at)
        got = stage.reward.read(stage.chain, "balanceOf", stage.roles.staker)
        return [got / TOKEN, *stage.rewards(at + 100)]

    return play


def notified(stage: Farm, waited: int) -> list[float]:
    """Play a notification of what has flowed and a week's tokens more."""
    at = stage.notify(WEEK + waited, at=stage.start + waited)
    rate = stage.farm.read(stage.chain, "rewardRate") / TOKEN / 10**18
    return [rate, *stage.rewards(at + 100)]


@dataclass(frozen=True)
class Case:
    """A call and what must be seen after it, as a function of the wait before it."""

    play: Play
    expected: Callable[[int], list[float]]
    without: tuple[str, str] | None = None
    """The source with and without the accrual in front of the call."""


UPDATE = "    self._update_reward(account)\n"
CASES = {
    # 300 of 400 and 100 of 400 after it: 75 and 25 of the next 100.
    "stake": Case(
        call("stake", 2 * STAKE),
        lambda waited: [waited / 2 + 75, waited / 2 + 25],
        ('"staking_rewards: paused"\n' + UPDATE, '"staking_rewards: paused"\n'),
    ),
    # 50 of 150 and 100 of 150 after it: 50 and 100 of the next 150.
    "withdraw": Case(
        call("withdraw", STAKE // 2, later=150),
        lambda waited: [waited / 2 + 50, waited / 2 + 100],
        ('exceeds the stake"\n' + UPDATE, 'exceeds the stake"\n'),
    ),
    "getReward": Case(
        paid("getReward"),
        lambda waited: [waited / 2, waited / 2 + 50, waited / 2 + 50],
        (UPDATE + "    reward: uint256", "    reward: uint256"),
    ),
    # All of the next 100 go to the one who stays.
    "exit": Case(
        paid("exit"),
        lambda waited: [waited / 2, waited / 2, waited / 2 + 100],
        ('exceeds the stake"\n' + UPDATE, 'exceeds the stake"\n'),
    ),
    # A week and what has flowed, to which the rest of the running week is added: two weeks'
    # tokens over a week, two a second.
    "notifyRewardAmount": Case(
        notified,
        lambda waited: [2, waited / 2 + 100, waited / 2 + 100],
        ("    self._update_reward(empty(address))\n", ""),
    ),
    # These change nothing that flows: half of all seconds for each.
    **{
        name: Case(call(name, *args, by="owner"), lambda waited: [waited / 2 + 50, waited / 2 + 50])
        for name, *args in (
            ("setPaused", True),
            ("setRewardsDistribution", "trader"),
            ("transfer_ownership", "trader"),
            ("recoverERC20", "reward", TOKEN),
        )
    },
}


def rewards_farm(chain: Chain, roles: SimpleNamespace, artifact: Artifact | None = None) -> Farm:
    return Farm(chain, roles, artifact or load_artifact("staking_rewards"))


@pytest.mark.parametrize("waited", WAITS)
@pytest.mark.parametrize("name", CASES)
def test_call__leaves_what_flowed_before_it_to_the_stakes_before_it(
    name: str, waited: int, revm: Chain, roles: SimpleNamespace
) -> None:
    case = CASES[name]
    assert case.play(rewards_farm(revm, roles), waited) == case.expected(waited)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.without])
def test_call__without_its_accrual__is_found_out_where_time_has_passed(
    name: str, revm: Chain, roles: SimpleNamespace
) -> None:
    """The twin without a wait is blind to it: that is why each call has both."""
    case = CASES[name]
    assert case.without is not None
    edit = ("staking_rewards.vy", *case.without)
    broken = compile_patched(CONTRACTS / "staking_rewards.vy", edit)
    empty = revm.snapshot()
    for waited in WAITS:
        found = case.play(rewards_farm(revm, roles, broken), waited)
        assert (found == case.expected(waited)) == (waited == 0)
        revm.revert(empty)


# Where nobody stakes, and after the end of the period.


@pytest.mark.parametrize("waited", WAITS)
def test_notification__while_nobody_stakes__carries_what_flowed(
    waited: int, revm: Chain, roles: SimpleNamespace
) -> None:
    """Nothing is lost: a second week's tokens make two a second, whatever the wait."""
    stage = Farm(revm, roles, load_artifact("staking_rewards"), staked=False)
    stage.notify(WEEK, at=stage.start + waited)
    assert stage.farm.read(revm, "rewardRate") == 2 * TOKEN * 10**18
    assert stage.farm.read(revm, "carried") == 0


@pytest.mark.parametrize("waited", WAITS)
def test_first_stake__takes_nothing_of_what_flowed_before_it(
    waited: int, revm: Chain, roles: SimpleNamespace
) -> None:
    stage = Farm(revm, roles, load_artifact("staking_rewards"), staked=False)
    at = stage.act("stake", STAKE, by=roles.staker, at=stage.start + waited)
    assert stage.rewards(at + 100) == [100, 0]
    assert stage.farm.read(revm, "carried") == waited * TOKEN


@pytest.mark.parametrize("waited", WAITS)
def test_last_withdrawal__leaves_what_flows_after_it_to_nobody(
    waited: int, revm: Chain, roles: SimpleNamespace
) -> None:
    stage = rewards_farm(revm, roles)
    at = stage.start + waited
    for staker in (roles.staker, roles.second_staker):
        stage.act("withdraw", STAKE, by=staker, at=at)
    assert stage.rewards(at + 100) == [waited / 2, waited / 2]
    assert stage.farm.read(revm, "carried") == 100 * TOKEN


@pytest.mark.parametrize("waited", WAITS)
def test_set_rewards_duration__after_the_end__leaves_the_ended_week_as_it_was(
    waited: int, revm: Chain, roles: SimpleNamespace
) -> None:
    """Half a week's tokens each; a day's tokens over a day then flow at one a second."""
    stage = rewards_farm(revm, roles)
    at = stage.start + WEEK + waited
    with refused("staking_rewards: period is running"):
        stage.act("setRewardsDuration", DAY, by=roles.owner, at=stage.start + WEEK - 1)
    stage.act("setRewardsDuration", DAY, by=roles.owner, at=at)
    assert stage.rewards(at) == [WEEK / 2, WEEK / 2]
    stage.notify(DAY, at=at + waited)
    assert stage.rewards(at + waited + 100) == [WEEK / 2 + 50, WEEK / 2 + 50]


@pytest.mark.parametrize("waited", WAITS)
def test_recover__after_a_wait__takes_the_surplus_and_not_what_flows(
    waited: int, revm: Chain, roles: SimpleNamespace
) -> None:
    """All but the notified week is surplus, however much of the week has flowed."""
    stage = rewards_farm(revm, roles)
    surplus = PAID_IN - WEEK * TOKEN
    recover = ("recoverERC20", stage.reward.address)
    with refused("staking_rewards: stake and owed rewards stay"):
        stage.act(*recover, surplus + 1, by=roles.owner, at=stage.start + waited)
    stage.act(*recover, surplus, by=roles.owner, at=stage.start + waited)
    assert stage.rewards(stage.start + WEEK) == [WEEK / 2, WEEK / 2]
    for staker in (roles.staker, roles.second_staker):
        stage.act("exit", by=staker, at=stage.start + WEEK)
    assert stage.reward.read(revm, "balanceOf", stage.farm.address) == 0
