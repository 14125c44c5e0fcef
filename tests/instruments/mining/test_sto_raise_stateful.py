"""The raise under any sequence of acts: every unit goes back, or every unit goes out.

The search is derandomised: the same code gives the same runs.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import ClassVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from props import DAY, DOLLAR, events
from sto_ledger import CAP as OVER
from sto_stage import TOKEN, UNLIMITED, StoStage

from simulator.chain import Receipt, RevmChain
from simulator.errors import TransactionReverted

RUNS, ACTS = 200, 30
BUYERS = ("depositor", "second_depositor", "trader")
RICH = 10**9 * DOLLAR
OPEN, MILESTONES_LAST = 10 * DAY, 30 * DAY

buyers = st.sampled_from((*BUYERS, "stranger"))
thousandths = st.one_of(st.integers(0, 10), st.integers(1, 600))
"""Of the hard cap."""


class Raise(RuleBasedStateMachine):
    """Buyers, verifier and passers-by act in any order, one a block."""

    stage: ClassVar[StoStage]
    start: ClassVar[int]

    @initialize(
        price=st.sampled_from([1, 7, 100 * DOLLAR, 10**18]),
        soft=st.one_of(st.integers(10**4, 10**7), st.integers(10**4, 10**6 * DOLLAR)),
        more=st.one_of(st.just(0), st.integers(0, 10**6 * DOLLAR)),
        parts=st.lists(st.integers(1, 3_000), max_size=4),
        cap=st.sampled_from([UNLIMITED, UNLIMITED, 10**22]),
        first=st.lists(thousandths, max_size=3),
    )
    def begin(
        self, price: int, soft: int, more: int, parts: list[int], cap: int, first: list[int]
    ) -> None:
        if sum(parts) >= 10_000:
            parts = parts[:-1]
        self.stage.chain.revert(self.start)
        self.roles, chain = self.stage.roles, self.stage.chain
        # The last block before it opens: the deployment and five calls take a second each.
        self.opens = chain.timestamp() + 9
        self.closes = self.opens + OPEN
        self.milestones_end = self.closes + MILESTONES_LAST
        self.price, self.soft, self.hard, self.cap = price, soft, soft + more, cap
        self.parts = [*parts, 10_000 - sum(parts)]
        self.sale = self.stage.deploy(
            "sto_raise",
            self.stage.sto,
            self.roles.treasury,
            self.roles.verifier,
            price,
            soft,
            self.hard,
            self.opens,
            self.closes,
            self.parts,
            self.milestones_end,
        )
        owner = self.roles.owner
        self.stage.send(self.stage.sto, "addAgent", self.sale, sender=owner)
        self.stage.send(self.stage.compliance, "set_max_balance", cap, sender=owner)
        for role in (*BUYERS, "stranger"):
            wallet = getattr(self.roles, role)
            self.stage.send(self.stage.usdc, "approve", self.sale, UNLIMITED, sender=wallet)
        self.paid = {getattr(self.roles, role): 0 for role in BUYERS}
        self.tokens = dict.fromkeys(self.paid, 0)
        self.settled = dict.fromkeys(self.paid, False)
        self.released = self.returned = self.confirmed = 0
        self.closed = self.succeeded = False
        for role, part in zip(BUYERS, first, strict=False):
            self.contribute_a_part(role, part)

    def act(self, function: str, *args: object, by: str, reason: str | None) -> Receipt | None:
        """Send a call; assert that it is refused for `reason`, or not at all where it is None."""
        outcome, receipt = None, None
        try:
            receipt = self.stage.send(self.sale, function, *args, sender=by)
        except TransactionReverted as error:
            outcome = error.reason
        own = reason is not None and ": " not in reason
        assert outcome == (f"sto_raise: {reason}" if own else reason)
        return receipt

    def next_date(self) -> int:
        return self.milestones_end if self.closed else self.closes

    def chain_time(self) -> int:
        return int(self.stage.chain.timestamp())

    def next_time(self) -> int:
        return int(self.stage.chain.timestamp() + 1)

    def raised(self) -> int:
        return sum(self.paid.values())

    def may_close(self) -> bool:
        is_due = self.next_time() >= self.closes or self.raised() == self.hard
        return is_due and not self.closed

    def tokens_for(self, amount: int) -> int:
        return amount * TOKEN // self.price

    def cannot_buy(self, wallet: str, amount: int) -> str | None:
        if self.next_time() < self.opens:
            return "not open yet"
        if self.next_time() >= self.closes or self.closed:
            return "closed"
        if amount > self.hard - self.raised():
            return "exceeds the hard cap"
        if self.tokens_for(amount) == 0:
            return "too little for a token wei"
        if wallet not in self.paid:
            return "buyer is not verified"
        over = self.tokens_for(self.paid[wallet] + amount) > self.cap
        return OVER if over else None

    @rule(seconds=st.integers(1, 2 * DAY))
    def wait(self, seconds: int) -> None:
        self.stage.wait(seconds)

    @precondition(lambda self: not self.closed)
    @rule(who=buyers, part=thousandths)
    def contribute_a_part(self, who: str, part: int) -> None:
        self.contribute(who, self.hard * part // 1_000)

    def contribute(self, who: str, amount: int) -> None:
        wallet = getattr(self.roles, who)
        reason = self.cannot_buy(wallet, amount)
        self.act("contribute", amount, by=wallet, reason=reason)
        if reason is None:
            self.paid[wallet] += amount

    @precondition(lambda self: not self.closed)
    @rule(excess=st.sampled_from([0, 0, 1]), who=st.sampled_from(BUYERS))
    def fill_up(self, who: str, excess: int) -> None:
        """Contribute all that is left to the soft cap, else to the hard cap, or a unit more."""
        goal = self.soft if self.raised() < self.soft else self.hard
        self.contribute(who, goal - self.raised() + excess)

    @precondition(
        lambda self: self.chain_time() < (self.milestones_end if self.closed else self.closes)
    )
    @rule()
    def wait_for_the_next_date(self) -> None:
        date = self.milestones_end if self.closed else self.closes
        self.stage.chain.block(self.late(date), [])

    @precondition(lambda self: self.may_close() or self.chain_time() % 7 == 0)
    @rule()
    def close(self) -> None:
        reason = None if self.may_close() else "closed" if self.closed else "still open"
        self.act("close", by=self.roles.stranger, reason=reason)
        if reason is None:
            self.closed, self.succeeded = True, self.raised() >= self.soft

    @precondition(lambda self: self.succeeded or self.chain_time() % 7 == 0)
    @rule(who=st.sampled_from(BUYERS))
    def claim(self, who: str) -> None:
        wallet = getattr(self.roles, who)
        reason = None if self.succeeded else "has not succeeded"
        if reason is None and (self.settled[wallet] or not self.paid[wallet]):
            reason = "nothing to settle"
        self.act("claim", wallet, by=self.roles.keeper, reason=reason)
        if reason is None:
            self.settled[wallet] = True
            self.tokens[wallet] = self.tokens_for(self.paid[wallet])

    @precondition(lambda self: self.closed and not self.succeeded)
    @rule(who=st.sampled_from(BUYERS))
    def refund(self, who: str) -> None:
        wallet = getattr(self.roles, who)
        reason = None if self.closed and not self.succeeded else "has not failed"
        if reason is None and (self.settled[wallet] or not self.paid[wallet]):
            reason = "nothing to settle"
        receipt = self.act("refund", wallet, by=self.roles.keeper, reason=reason)
        if receipt is not None:
            self.settled[wallet] = True
            ((_, fields),) = events(self.sale, receipt, "Refunded")
            assert fields["amount"] == self.paid[wallet]

    @precondition(lambda self: self.succeeded or self.chain_time() % 7 == 0)
    @rule()
    def release_milestone(self) -> None:
        reason = None if self.succeeded else "has not succeeded"
        if reason is None and self.next_time() >= self.milestones_end:
            reason = "milestones have ended"
        if reason is None and self.confirmed == len(self.parts):
            reason = "all milestones are released"
        self.act("release_milestone", by=self.roles.verifier, reason=reason)
        if reason is None:
            self.confirmed += 1
            is_last = self.confirmed == len(self.parts)
            part = self.raised() * self.parts[self.confirmed - 1] // 10_000
            self.released += self.raised() - self.released if is_last else part

    @precondition(lambda self: self.succeeded or self.chain_time() % 7 == 0)
    @rule()
    def return_unreleased(self) -> None:
        rest = self.raised() - self.released - self.returned
        reason = None if self.succeeded else "has not succeeded"
        if reason is None and self.next_time() < self.milestones_end:
            reason = "milestones have not ended"
        if reason is None and rest == 0:
            reason = "nothing is left"
        self.act("return_unreleased", by=self.roles.stranger, reason=reason)
        if reason is None:
            self.returned += rest

    @invariant()
    def every_unit_is_with_its_owner(self) -> None:
        failed = self.closed and not self.succeeded
        back = sum(paid for wallet, paid in self.paid.items() if failed and self.settled[wallet])
        held = self.raised() - back - self.released - self.returned
        assert self.stage.dollars(self.sale.address) == held
        assert self.stage.dollars(self.roles.treasury) == self.released
        assert self.stage.read(self.stage.sto, "returned_capital") == self.returned
        for wallet, paid in self.paid.items():
            refunded = failed and self.settled[wallet]
            assert self.stage.dollars(wallet) == RICH - (0 if refunded else paid)
            assert self.stage.balance(wallet) == self.tokens[wallet]

    @invariant()
    def it_refunds_or_releases_in_full(self) -> None:
        """Played to its end from here, the escrow is empty and one side has all."""
        before, chain = self.stage.chain.snapshot(), self.stage.chain
        if not self.closed:
            self.stage.send(self.sale, "close", sender=self.roles.keeper, at=self.late(self.closes))
        succeeded = self.raised() >= self.soft
        for wallet, paid in self.paid.items():
            if paid and not self.settled[wallet]:
                act = "claim" if succeeded else "refund"
                self.stage.send(self.sale, act, wallet, sender=self.roles.keeper)
        if succeeded and self.released + self.returned < self.raised():
            chain.block(self.late(self.milestones_end), [])
            self.stage.send(self.sale, "return_unreleased", sender=self.roles.keeper)
        assert self.stage.dollars(self.sale.address) == 0
        for wallet, paid in self.paid.items():
            assert self.stage.dollars(wallet) == RICH - (paid if succeeded else 0)
            assert self.stage.balance(wallet) == (self.tokens_for(paid) if succeeded else 0)
        chain.revert(before)

    def late(self, date: int) -> int:
        """Return the date, or the next block's time where it has passed."""
        return max(date, self.next_time())


def test_sto_raise__any_sequence_of_acts__refunds_or_releases_in_full(
    roles: SimpleNamespace,
) -> None:
    stage = StoStage(RevmChain(), roles)
    for role in (*BUYERS, "stranger"):
        stage.send(stage.usdc, "mint", getattr(roles, role), RICH, sender=roles.owner)
    members = {"stage": stage, "start": stage.chain.snapshot()}
    machine = type("StoRaise", (Raise,), members)
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=RUNS,
            stateful_step_count=ACTS,
            deadline=None,
            derandomize=True,
            database=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
