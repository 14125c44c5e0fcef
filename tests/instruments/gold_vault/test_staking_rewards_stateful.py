"""Staking rewards under random use, against the same stream in exact fractions."""

from __future__ import annotations

from fractions import Fraction
from typing import ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from props import DAY, deploy, refused, send

from simulator.chain import DEVELOPMENT_ACCOUNTS, Chain, Contract, Receipt, RevmChain

OWNER, DISTRIBUTION, DONOR, ALICE, BOB, CAROL = DEVELOPMENT_ACCOUNTS[:6]
STAKERS = (ALICE, BOB, CAROL)
RICHES = 10**36
MAX_STAKE = 10**27
DEAD_BAND = Fraction(1, 10**9)
"""Nearer than this to the running rate the rounding of the contract decides; such notices
are left out."""

stakers = st.sampled_from(STAKERS)
stakes = st.one_of(st.integers(1, 1_000), st.integers(1, MAX_STAKE))
rewards = st.one_of(st.integers(0, 10**7), st.integers(0, 10**27))


class Stream:
    """The rule of docs/mechanics.md, in exact fractions of a wei."""

    def __init__(self, now: int, duration: int) -> None:
        self.now = now
        self.duration = duration
        self.finish = 0
        self.rate = Fraction(0)
        self.carried = Fraction(0)
        self.notified = 0
        self.stake = dict.fromkeys(STAKERS, 0)
        self.earned = dict.fromkeys(STAKERS, Fraction(0))

    def advance(self, now: int) -> None:
        seconds = max(0, min(now, self.finish) - self.now)
        flow, staked = self.rate * seconds, sum(self.stake.values())
        if staked == 0:
            self.carried += flow
        else:
            for who, stake in self.stake.items():
                self.earned[who] += flow * stake / staked
        self.now = now

    def left(self) -> Fraction:
        return self.rate * max(0, self.finish - self.now)

    def rate_after(self, reward: int) -> Fraction:
        return (reward + self.carried + self.left()) / self.duration

    def notify(self, reward: int) -> None:
        self.rate = self.rate_after(reward)
        self.carried = Fraction(0)
        self.notified += reward
        self.finish = self.now + self.duration


class StakingRewardsMachine(RuleBasedStateMachine):
    """Three stakers, a distribution and a donor; one action a block."""

    chain: ClassVar[Chain]
    empty: ClassVar[int]

    @initialize(one_token=st.booleans(), duration=st.integers(1, 30 * DAY))
    def start(self, one_token: bool, duration: int) -> None:
        self.chain.revert(self.empty)
        self.share = self.token()
        self.reward = self.share if one_token else self.token()
        args = (OWNER, DISTRIBUTION, self.reward, self.share, duration)
        self.farm = deploy(self.chain, "staking_rewards", *args, sender=OWNER)
        for who in STAKERS:
            send(self.chain, self.share, "approve", self.farm.address, 2**256 - 1, sender=who)
        self.stream = Stream(self.chain.timestamp(), duration)
        self.paid = dict.fromkeys(STAKERS, 0)
        self.updates = dict.fromkeys(STAKERS, 0)
        self.donated = 0
        self.paused = False

    def token(self) -> Contract:
        token = deploy(self.chain, "reward_token", "Token", "TKN", sender=OWNER)
        for who in (*STAKERS, DISTRIBUTION, DONOR):
            send(self.chain, token, "mint", who, RICHES, sender=OWNER)
        return token

    def act(self, function: str, *args: object, by: str) -> Receipt:
        """Send one call; the stream flows up to its block, also where it reverts."""
        self.stream.advance(self.chain.timestamp() + 1)
        receipt = send(self.chain, self.farm, function, *args, sender=by)
        if by in STAKERS:
            self.updates[by] += 1
            paid = [log for name, log in self.farm.events(receipt) if name == "RewardPaid"]
            self.paid[by] += sum(log["reward"] for log in paid)
        return receipt

    def read(self, view: str, *args: object) -> int:
        return self.farm.read(self.chain, view, *args)

    @rule(seconds=st.one_of(st.integers(1, 3_600), st.integers(1, 20 * DAY)))
    def wait(self, seconds: int) -> None:
        self.chain.block(self.chain.timestamp() + seconds, [])
        self.stream.advance(self.chain.timestamp())

    @rule(who=stakers, amount=stakes)
    def stake(self, who: str, amount: int) -> None:
        if self.paused:
            with refused("staking_rewards: paused"):
                self.act("stake", amount, by=who)
            return
        self.act("stake", amount, by=who)
        self.stream.stake[who] += amount

    @rule(who=stakers, parts=st.integers(1, 1_000))
    def withdraw(self, who: str, parts: int) -> None:
        amount = self.stream.stake[who] * parts // 1_000
        if amount == 0:
            with refused("staking_rewards: cannot withdraw nothing"):
                self.act("withdraw", 0, by=who)
            return
        self.act("withdraw", amount, by=who)
        self.stream.stake[who] -= amount

    @rule(who=stakers)
    def get_reward(self, who: str) -> None:
        self.act("getReward", by=who)

    @rule(who=stakers)
    def leave(self, who: str) -> None:
        if self.stream.stake[who]:
            self.act("exit", by=who)
            self.stream.stake[who] = 0

    @rule(amount=rewards, excess=st.sampled_from([0, 0, 0, 1]))
    def notify(self, amount: int, excess: int) -> None:
        """Notify `amount`, or, by `excess`, one wei more than has arrived."""
        need = max(0, amount - self.donated)
        send(self.chain, self.reward, "transfer", self.farm.address, need, sender=DISTRIBUTION)
        self.donated += need
        self.stream.advance(self.chain.timestamp() + 1)
        if excess:
            with refused("staking_rewards: reward has not arrived"):
                self.act("notifyRewardAmount", self.donated + 1, by=DISTRIBUTION)
            return
        new, old = self.stream.rate_after(amount), self.stream.rate
        running = self.stream.now < self.stream.finish
        if new == 0:
            with refused("staking_rewards: nothing to distribute"):
                self.act("notifyRewardAmount", amount, by=DISTRIBUTION)
            return
        if new * 10**18 < 1 or (running and abs(new - old) <= old * DEAD_BAND):
            self.wait(seconds=1)
            return
        if running and new < old:
            with refused("staking_rewards: rate would fall"):
                self.act("notifyRewardAmount", amount, by=DISTRIBUTION)
            return
        self.act("notifyRewardAmount", amount, by=DISTRIBUTION)
        self.stream.notify(amount)
        self.donated -= amount

    @rule(duration=st.integers(1, 30 * DAY))
    def set_duration(self, duration: int) -> None:
        if self.chain.timestamp() + 1 < self.stream.finish:
            with refused("staking_rewards: period is running"):
                self.act("setRewardsDuration", duration, by=OWNER)
            return
        self.act("setRewardsDuration", duration, by=OWNER)
        self.stream.duration = duration

    @rule(paused=st.sampled_from([False, False, True]))
    def set_paused(self, paused: bool) -> None:
        self.act("setPaused", paused, by=OWNER)
        self.paused = paused

    @rule(amount=st.integers(1, 10**9))
    def donate(self, amount: int) -> None:
        send(self.chain, self.reward, "transfer", self.farm.address, amount, sender=DONOR)
        self.donated += amount
        self.stream.advance(self.chain.timestamp())

    @precondition(lambda self: self.donated)
    @rule()
    def recover_the_donation_and_not_a_wei_more(self) -> None:
        with refused("staking_rewards: stake and owed rewards stay"):
            self.act("recoverERC20", self.reward.address, self.donated + 1, by=OWNER)
        self.act("recoverERC20", self.reward.address, self.donated, by=OWNER)
        self.donated = 0

    @invariant()
    def claims_and_payments_follow_the_exact_stream(self) -> None:
        # Each update floors once, the view once more; the scales' own floors are below a wei.
        for who in STAKERS:
            gap = self.stream.earned[who] - self.paid[who] - self.read("earned", who)
            assert gap + DEAD_BAND >= 0
            assert gap <= self.updates[who] + 2

    @invariant()
    def no_more_is_claimed_or_paid_than_was_notified(self) -> None:
        claims = sum(self.read("earned", who) for who in STAKERS)
        assert claims + sum(self.paid.values()) <= self.stream.notified
        assert claims <= self.read("owed_rewards") == self.stream.notified - sum(self.paid.values())

    @invariant()
    def nothing_notified_is_lost(self) -> None:
        gone = sum(self.stream.earned.values()) + self.stream.carried + self.stream.left()
        assert gone == self.stream.notified
        assert abs(self.read("carried") - self.stream.carried) <= 1

    @invariant()
    def the_whole_stake_and_all_rewards_can_be_taken_out_now(self) -> None:
        # One after the other in one block: what the first takes must not be the next one's.
        before = self.chain.snapshot()
        stakers = [who for who in STAKERS if self.stream.stake[who]]
        assert self.read("totalSupply") == sum(self.stream.stake.values())
        self.chain.block(
            self.chain.timestamp() + 1,
            [self.farm.call("exit", sender=who) for who in stakers],
        )
        assert self.read("totalSupply") == 0
        self.chain.revert(before)


@pytest.fixture(scope="module", autouse=True)
def chain() -> None:
    StakingRewardsMachine.chain = RevmChain()
    StakingRewardsMachine.empty = StakingRewardsMachine.chain.snapshot()


def test_staking_rewards__under_random_use__follow_the_exact_stream() -> None:
    machine_settings = settings(max_examples=200, stateful_step_count=30, deadline=None)
    run_state_machine_as_test(StakingRewardsMachine, settings=machine_settings)
