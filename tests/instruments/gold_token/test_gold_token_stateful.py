"""The gold token under random use, against a ledger of Python integers that knows every rule."""

from __future__ import annotations

from typing import ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from props import DAY, deploy, send

from simulator.chain import DEVELOPMENT_ACCOUNTS, Chain, Contract, RevmChain
from simulator.errors import TransactionReverted

OWNER, CUSTODIAN, KEEPER, COLLECTOR, ALICE, BOB, CAROL = DEVELOPMENT_ACCOUNTS[:7]
HOLDERS = (CUSTODIAN, COLLECTOR, ALICE, BOB, CAROL)
FEED_TO_WAD = 10**10
MAX_AGE_SECONDS = DAY

holders = st.sampled_from(HOLDERS)
fee_rates = st.sampled_from([0, 1, 200, 333_333, 1_000_000])


class GoldTokenMachine(RuleBasedStateMachine):
    """Every call is predicted by the ledger: its refusal by message, its effect to the unit."""

    chain: ClassVar[Chain]
    empty: ClassVar[int]

    @initialize(decimals=st.sampled_from([6, 18]), ounces=st.integers(1, 10**6), rate=fee_rates)
    def start(self, decimals: int, ounces: int, rate: int) -> None:
        self.chain.revert(self.empty)
        self.feed = deploy(self.chain, "price_feed", 8, "Reserve", KEEPER, sender=OWNER)
        self.token = self.deploy_token(decimals)
        send(self.chain, self.token, "setSupplyController", CUSTODIAN, sender=OWNER)
        send(self.chain, self.token, "setFeeRecipient", COLLECTOR, sender=OWNER)
        self.unit = 10**decimals
        self.ledger = dict.fromkeys(HOLDERS, 0)
        self.frozen: set[str] = set()
        self.paused = False
        self.fee_ppm = 0
        self.collector = COLLECTOR
        self.attest(ounces=ounces, dust=0)
        self.increase_supply(parts=900)
        for holder in (ALICE, BOB, CAROL):
            self.transfer(sender=CUSTODIAN, receiver=holder, parts=300)
        self.set_fee_rate(rate=rate)

    def deploy_token(self, decimals: int) -> Contract:
        args = ("Gold", "GOLD", decimals, self.feed, MAX_AGE_SECONDS)
        return deploy(self.chain, "gold_token", *args, sender=OWNER)

    def attempt(self, sender: str, function: str, *args: object, reason: str | None) -> bool:
        """Send a call; assert that it is refused for `reason`, or not at all where it is None."""
        outcome = None
        try:
            send(self.chain, self.token, function, *args, sender=sender)
        except TransactionReverted as error:
            outcome = error.reason
        own = reason is not None and ": " not in reason
        assert outcome == (f"gold_token: {reason}" if own else reason)
        return reason is None

    def share(self, holder: str, parts: int) -> int:
        """Return `parts` per thousand of a balance; above 1,000 it exceeds it."""
        return self.ledger[holder] * parts // 1_000 + (parts > 1_000)

    @rule(ounces=st.integers(0, 10**6), dust=st.integers(0, 10**8 - 1))
    def attest(self, ounces: int, dust: int) -> None:
        self.reserve = ounces * 10**8 + dust
        receipt = send(self.chain, self.feed, "update_answer", self.reserve, sender=KEEPER)
        self.attested_at = receipt.timestamp

    @rule(seconds=st.integers(1, DAY))
    def wait(self, seconds: int) -> None:
        self.chain.block(self.chain.timestamp() + seconds, [])

    @rule(parts=st.integers(0, 1_100))
    def increase_supply(self, parts: int) -> None:
        scale = 10**18 // self.unit
        room = max(0, self.reserve * FEED_TO_WAD // scale - sum(self.ledger.values()))
        value = room * parts // 1_000 + (parts > 1_000)
        supply = sum(self.ledger.values()) + value
        reason = None
        if CUSTODIAN in self.frozen:
            reason = "address is frozen"
        elif self.reserve == 0:
            reason = "feed: answer is not positive"
        elif self.chain.timestamp() + 1 - self.attested_at > MAX_AGE_SECONDS:
            reason = "feed: answer is too old"
        elif supply * scale > self.reserve * FEED_TO_WAD:
            reason = "supply would exceed the reserve"
        if self.attempt(CUSTODIAN, "increaseSupply", value, reason=reason):
            self.ledger[CUSTODIAN] += value
            # The bound itself, from the contract's own figures and not the ledger's.
            supply = self.token.read(self.chain, "totalSupply")
            assert supply * scale <= self.reserve * FEED_TO_WAD

    @rule(parts=st.integers(0, 1_100))
    def decrease_supply(self, parts: int) -> None:
        value = self.share(CUSTODIAN, parts)
        reason = None
        if CUSTODIAN in self.frozen:
            reason = "address is frozen"
        elif value > self.ledger[CUSTODIAN]:
            reason = "amount exceeds balance"
        if self.attempt(CUSTODIAN, "decreaseSupply", value, reason=reason):
            self.ledger[CUSTODIAN] -= value

    def moves(self, sender: str, receiver: str, value: int) -> str | None:
        if self.paused:
            return "paused"
        if sender in self.frozen or receiver in self.frozen:
            return "address is frozen"
        return "amount exceeds balance" if value > self.ledger[sender] else None

    def book(self, sender: str, receiver: str, value: int) -> None:
        fee = value * self.fee_ppm // 1_000_000
        self.ledger[sender] -= value
        self.ledger[receiver] += value - fee
        self.ledger[self.collector] += fee

    @rule(sender=holders, receiver=holders, parts=st.integers(1, 1_100))
    def transfer(self, sender: str, receiver: str, parts: int) -> None:
        value = self.share(sender, parts)
        reason = self.moves(sender, receiver, value)
        if self.attempt(sender, "transfer", receiver, value, reason=reason):
            self.book(sender, receiver, value)

    @rule(owner=holders, spender=holders, receiver=holders, parts=st.integers(1, 1_100))
    def transfer_from(self, owner: str, spender: str, receiver: str, parts: int) -> None:
        value = self.share(owner, parts)
        approval = self.moves(owner, spender, 0)
        if not self.attempt(owner, "approve", spender, value, reason=approval):
            return
        reason = self.moves(owner, receiver, value)
        if self.attempt(spender, "transferFrom", owner, receiver, value, reason=reason):
            self.book(owner, receiver, value)
            assert self.token.read(self.chain, "allowance", owner, spender) == 0

    @rule(who=holders, name=st.sampled_from(["freeze", "addToBlockedList"]))
    def freeze(self, who: str, name: str) -> None:
        reason = None
        if who in self.frozen:
            reason = "address is already frozen"
        elif who == self.collector:
            reason = "address receives the fees"
        if self.attempt(OWNER, name, who, reason=reason):
            self.frozen.add(who)

    def listed(self, who: str) -> str:
        """Return `who`, or, where others are frozen and he is not, mostly one of them."""
        return min(self.frozen, default=who) if who in (ALICE, BOB, CAROL) else who

    @rule(who=holders, name=st.sampled_from(["unfreeze", "removeFromBlockedList"]))
    def unfreeze(self, who: str, name: str) -> None:
        who = self.listed(who)
        reason = None if who in self.frozen else "address is not frozen"
        if self.attempt(OWNER, name, who, reason=reason):
            self.frozen.remove(who)

    @rule(who=holders, name=st.sampled_from(["wipeFrozenAddress", "destroyBlockedFunds"]))
    def wipe(self, who: str, name: str) -> None:
        who = self.listed(who)
        reason = None if who in self.frozen else "address is not frozen"
        if self.attempt(OWNER, name, who, reason=reason):
            self.ledger[who] = 0

    @rule(rate=fee_rates)
    def set_fee_rate(self, rate: int) -> None:
        self.attempt(OWNER, "setFeeRate", rate, reason=None)
        self.fee_ppm = rate

    @rule(who=holders)
    def set_fee_recipient(self, who: str) -> None:
        reason = "address is frozen" if who in self.frozen else None
        if self.attempt(OWNER, "setFeeRecipient", who, reason=reason):
            self.collector = who

    @rule(paused=st.sampled_from([False, False, True]))
    def set_paused(self, paused: bool) -> None:
        reason = None
        if paused == self.paused:
            reason = "already paused" if paused else "not paused"
        self.attempt(OWNER, "pause" if paused else "unpause", reason=reason)
        self.paused = paused

    @invariant()
    def balances_equal_the_ledger_and_sum_to_the_supply(self) -> None:
        # The ledger moves a frozen balance in `wipe` alone, and each fee from one to another.
        found = {who: self.token.read(self.chain, "balanceOf", who) for who in HOLDERS}
        assert found == self.ledger
        assert sum(found.values()) == self.token.read(self.chain, "totalSupply")


@pytest.fixture(scope="module", autouse=True)
def chain() -> None:
    GoldTokenMachine.chain = RevmChain()
    GoldTokenMachine.empty = GoldTokenMachine.chain.snapshot()


def test_gold_token__under_random_use__agrees_with_the_ledger() -> None:
    machine_settings = settings(max_examples=200, stateful_step_count=30, deadline=None)
    run_state_machine_as_test(GoldTokenMachine, settings=machine_settings)
