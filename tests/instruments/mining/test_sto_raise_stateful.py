"""The raise under any sequence of acts: each unit is refunded, released or returned, once.

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
from sto_ledger import UNVERIFIED
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
    """Buyers, verifier, registry and passers-by act in any order, one a block."""

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
        self.claimed = dict.fromkeys(self.paid, False)
        self.refunded = dict.fromkeys(self.paid, False)
        self.unknown: set[str] = set()
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

    def of_those(self, settled: dict[str, bool]) -> int:
        """Return what those paid who claimed, or who were refunded."""
        return sum(paid for wallet, paid in self.paid.items() if settled[wallet])

    def for_mine(self) -> int:
        """Return the confirmed part of what was paid for the tokens handed out."""
        return self.of_those(self.claimed) * sum(self.parts[: self.confirmed]) // 10_000

    def has_ended(self) -> bool:
        return self.next_time() >= self.milestones_end

    def is_open(self, wallet: str) -> bool:
        """Return whether a buyer has something to settle."""
        return self.paid[wallet] > 0 and not self.claimed[wallet] and not self.refunded[wallet]

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
        if wallet not in self.paid or wallet in self.unknown:
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
    @rule(early=st.integers(0, 4))
    def wait_for_the_next_date(self, early: int) -> None:
        """Come to the next date, or to a few seconds before it."""
        self.stage.chain.block(self.late(self.next_date() - early), [])

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
        if reason is None and self.has_ended():
            reason = "claims have ended"
        if reason is None and not self.is_open(wallet):
            reason = "nothing to settle"
        if reason is None and wallet in self.unknown:
            reason = UNVERIFIED
        self.act("claim", wallet, by=self.roles.keeper, reason=reason)
        if reason is None:
            self.claimed[wallet] = True
            self.tokens[wallet] = self.tokens_for(self.paid[wallet])

    def cannot_leave(self, wallet: str, by: str) -> str | None:
        if not self.closed:
            return "still open"
        if not self.is_open(wallet):
            return "nothing to settle"
        if not self.succeeded or self.has_ended():
            return None
        if by != wallet:
            return "caller is not the buyer"
        return None if wallet in self.unknown else "tokens can be claimed"

    @precondition(lambda self: self.closed or self.chain_time() % 7 == 0)
    @rule(
        who=st.sampled_from(BUYERS),
        asks_himself=st.sampled_from([True, True, False]),
        is_known=st.booleans(),
    )
    def refund(self, who: str, asks_himself: bool, is_known: bool) -> None:
        """Ask for a buyer's money, of one who has something to settle if there is any."""
        if not self.is_open(getattr(self.roles, who)):
            others = (role for role in BUYERS if self.is_open(getattr(self.roles, role)))
            who = next(others, who)
        self.change_registry(who, is_known)
        wallet = getattr(self.roles, who)
        by = wallet if asks_himself else self.roles.keeper
        reason = self.cannot_leave(wallet, by)
        receipt = self.act("refund", wallet, by=by, reason=reason)
        if receipt is not None:
            self.refunded[wallet] = True
            ((_, fields),) = events(self.sale, receipt, "Refunded")
            assert fields["amount"] == self.paid[wallet]

    @rule(who=st.sampled_from(BUYERS), is_known=st.booleans())
    def register_or_remove(self, who: str, is_known: bool) -> None:
        self.change_registry(who, is_known)

    def change_registry(self, who: str, is_known: bool) -> None:
        """Remove a buyer from the registry, or take him up again."""
        wallet = getattr(self.roles, who)
        if is_known and wallet in self.unknown:
            self.stage.register(wallet, self.stage.identities[who])
            self.unknown.discard(wallet)
        elif not is_known and wallet not in self.unknown:
            remove = ("deleteIdentity", wallet)
            self.stage.send(self.stage.registry, *remove, sender=self.roles.agent)
            self.unknown.add(wallet)

    @precondition(lambda self: any(self.claimed.values()))
    @rule(giver=st.sampled_from(BUYERS), who=st.sampled_from(BUYERS))
    def give_beyond_the_cap(self, giver: str, who: str) -> None:
        """A wei to one who is at his cap by what he has and has paid for is refused."""
        sender, wallet = getattr(self.roles, giver), getattr(self.roles, who)
        room = self.cap - self.counted(wallet)
        if sender == wallet or wallet in self.unknown or self.tokens[sender] <= room:
            return
        give = ("transfer", wallet, room + 1)
        assert self.stage.refusal(self.stage.sto, *give, sender=sender) == OVER

    def counted(self, wallet: str) -> int:
        """Return the tokens that a buyer has or has paid for."""
        return 0 if self.refunded[wallet] else self.tokens_for(self.paid[wallet])

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
            self.released = self.for_mine()

    @precondition(lambda self: self.succeeded or self.chain_time() % 7 == 0)
    @rule()
    def pay_mine(self) -> None:
        due = self.for_mine() - self.released
        self.act("pay_mine", by=self.roles.stranger, reason=None if due else "nothing is due")
        self.released += due

    @precondition(lambda self: self.succeeded or self.chain_time() % 7 == 0)
    @rule()
    def return_unreleased(self) -> None:
        rest = self.of_those(self.claimed) - self.for_mine() - self.returned
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
        back = self.of_those(self.refunded)
        held = self.raised() - back - self.released - self.returned
        assert self.stage.dollars(self.sale.address) == held
        books = ("raised", "refunded", "released", "returned")
        found = [self.stage.read(self.sale, name) for name in books]
        assert found == [self.raised(), back, self.released, self.returned]
        assert self.stage.dollars(self.roles.treasury) == self.released
        assert self.stage.read(self.stage.sto, "returned_capital") == self.returned
        for wallet, paid in self.paid.items():
            assert self.stage.dollars(wallet) == RICH - (0 if self.refunded[wallet] else paid)
            assert self.stage.balance(wallet) == self.tokens[wallet]

    @invariant()
    def the_rules_count_what_is_held_and_paid_for(self) -> None:
        for role in BUYERS:
            wallet = getattr(self.roles, role)
            held = self.stage.read(self.stage.compliance, "held_by", self.stage.identities[role])
            assert held == self.counted(wallet) <= self.cap
            reserved = self.stage.read(self.stage.compliance, "reserved_for", wallet)
            assert reserved == held - self.tokens[wallet]

    @invariant()
    def every_buyer_has_tokens_or_his_money_in_the_end(self) -> None:
        """Played to its end from here, the escrow is empty; nobody has lost his money."""
        before, chain = self.stage.chain.snapshot(), self.stage.chain
        if not self.closed:
            self.stage.send(self.sale, "close", sender=self.roles.keeper, at=self.late(self.closes))
        succeeded = self.raised() >= self.soft
        claims = dict(self.claimed)
        for wallet in filter(self.is_open, self.paid):
            claims[wallet] = succeeded and not self.has_ended() and wallet not in self.unknown
            act = "claim" if claims[wallet] else "refund"
            self.stage.send(self.sale, act, wallet, sender=wallet)
        sold = self.of_those(claims)
        for_mine = sold * sum(self.parts[: self.confirmed]) // 10_000
        if for_mine > self.released:
            self.stage.send(self.sale, "pay_mine", sender=self.roles.keeper)
        if succeeded and for_mine + self.returned < sold:
            chain.block(self.late(self.milestones_end), [])
            self.stage.send(self.sale, "return_unreleased", sender=self.roles.keeper)
        assert self.stage.dollars(self.sale.address) == 0
        for wallet, paid in self.paid.items():
            assert self.stage.dollars(wallet) == RICH - (paid if claims[wallet] else 0)
            assert self.stage.balance(wallet) == (self.tokens_for(paid) if claims[wallet] else 0)
        chain.revert(before)

    def late(self, date: int) -> int:
        """Return the date, or the next block's time where it has passed."""
        return max(date, self.next_time())


def test_sto_raise__any_sequence_of_acts__pays_out_each_unit_once(
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
