"""The mine's token and its staking under any sequence of acts, against a ledger in fractions.

The search is derandomised: the same code gives the same runs.
"""

from __future__ import annotations

from fractions import Fraction
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
from props import DAY, events
from sto_ledger import CAP, FROZEN, RECOVERED, Ledger, Stream
from sto_stage import CHILE, PERU, UNLIMITED, StoStage, identity_of

from simulator.chain import Contract, Receipt, RevmChain
from simulator.errors import TransactionReverted

RUNS, ACTS = 200, 30
STREAM = 10 * DAY
TINY = Fraction(1, 10**9)
"""Of a unit: what the contract's own fractions, 2**-128 of a unit, can add up to."""

VERIFIED = ("depositor", "second_depositor", "trader", "staker")
"""The first two are wallets of one person."""
OTHERS = ("stranger", "crowd")
PEOPLE = [identity_of(n) for n in (1, 2, 3)]

wallets = st.sampled_from(VERIFIED + OTHERS)
holders = st.sampled_from(VERIFIED * 2 + OTHERS)
people = st.sampled_from(PEOPLE)
parts = st.one_of(st.just(1_000), st.integers(1, 999), st.integers(1, 999), st.integers(0, 1_001))
"""Of a limit, in thousandths; 1,001 is one wei beyond it."""
amounts = st.one_of(st.integers(10**18, 10**24), st.integers(1, 1_000))
"""Mostly whole tokens: below one token nothing flows."""
small_mints = st.lists(amounts, min_size=4, max_size=4)
payments = st.one_of(st.integers(1, 100), st.integers(1, 10**13))


def share(limit: int, thousandths: int) -> int:
    return limit + 1 if thousandths > 1_000 else limit * thousandths // 1_000


class Everyone(RuleBasedStateMachine):
    """Holders, stakers, agent, operator and auditor act in any order, one a block."""

    stage: ClassVar[StoStage]
    start: ClassVar[int]

    @initialize(
        cap=st.sampled_from([UNLIMITED, 4 * 10**24]),
        mints=st.lists(st.integers(10**18, 10**24), min_size=4, max_size=4) | small_mints,
        shares=st.lists(parts, min_size=4, max_size=4),
    )
    def begin(self, cap: int, mints: list[int], shares: list[int]) -> None:
        self.stage.chain.revert(self.start)
        self.roles = self.stage.roles
        self.wallets = tuple(getattr(self.roles, role) for role in VERIFIED + OTHERS)
        self.ledger = Ledger.of(self.stage.staking.address, self.wallets)
        self.stream = Stream.of(STREAM, self.stage.chain.timestamp(), self.wallets)
        self.taken = dict.fromkeys(self.wallets, 0)
        self.paid = dict.fromkeys(self.wallets, 0)
        self.moved = dict.fromkeys(self.wallets, Fraction(0))
        self.credits = 0
        self.revenue = self.profit = self.distributed = 0
        for n, role in enumerate(VERIFIED):
            self.register(role, PEOPLE[max(0, n - 1)])
        self.set_cap(cap)
        for role, amount, part in zip(VERIFIED, mints, shares, strict=True):
            self.mint(role, amount)
            self.stake(role, part // 2)
            self.freeze_part(role, 600 - part // 2)
        self.pay(10**12, is_capital=False)

    # --- Help ----------------------------------------------------------------

    def account(self, role: str) -> str:
        return str(getattr(self.roles, role))

    def having(self, role: str, column: dict[str, int]) -> str:
        """Return a role's wallet, or, where it has nothing there, the one that has most."""
        wallet = self.account(role)
        return wallet if column[wallet] else max(self.wallets, key=lambda other: column[other])

    def read(self, contract: Contract, view: str, *args: object) -> int:
        return self.stage.read(contract, view, *args)

    def act(
        self,
        contract: Contract,
        function: str,
        *args: object,
        by: str,
        reason: str | None,
    ) -> Receipt | None:
        """Send a call; assert that it is refused for `reason`, or not at all where it is None."""
        chain = self.stage.chain
        self.flow(chain.timestamp() + 1)
        outcome, receipt = None, None
        try:
            receipt = self.stage.send(contract, function, *args, sender=by)
        except TransactionReverted as error:
            outcome = error.reason
        assert outcome == reason
        if receipt is not None:
            self.check_receivers(receipt)
            self.note_payments(receipt)
        return receipt

    def flow(self, now: int) -> None:
        self.stream.advance(now, self.ledger.balance, self.ledger.stake)

    def check_receivers(self, receipt: Receipt) -> None:
        """Whoever receives a token, by whatever act, is verified."""
        for _, fields in events(self.stage.sto, receipt, "Transfer"):
            if int(fields["receiver"], 16) != 0:
                assert self.read(self.stage.registry, "isVerified", fields["receiver"])

    def note_payments(self, receipt: Receipt) -> None:
        for _, fields in events(self.stage.sto, receipt, "FundsWithdrawn"):
            if fields["by"] in self.taken:
                self.taken[fields["by"]] += fields["fundsWithdrawn"]
        for name, fields in events(self.stage.staking, receipt):
            self.credits += name == "ProfitCredited"
            if name == "RewardPaid":
                self.paid[fields["user"]] += fields["reward"]

    def agent(self, contract: Contract, function: str, *args: object, reason: str | None) -> bool:
        self.act(contract, function, *args, by=self.roles.agent, reason=reason)
        return reason is None

    # --- Time and money ------------------------------------------------------

    @rule(seconds=st.one_of(st.integers(1, 3_600), st.integers(1, 2 * STREAM)))
    def wait(self, seconds: int) -> None:
        self.flow(self.stage.wait(seconds))

    @rule(amount=payments)
    def record_revenue(self, amount: int) -> None:
        self.act(self.stage.sto, "record_revenue", amount, by=self.roles.auditor, reason=None)
        self.revenue += amount

    @rule(amount=payments, is_capital=st.sampled_from([False, False, True]))
    def pay(self, amount: int, is_capital: bool) -> None:
        function = "return_capital" if is_capital else "distribute_funds"
        by = self.roles.mine_operator
        self.act(self.stage.sto, function, amount, by=by, reason=None)
        self.profit += 0 if is_capital else min(amount, self.revenue - self.profit)
        self.distributed += amount
        self.stream.pay(amount)

    @rule(who=holders)
    def withdraw_funds(self, who: str) -> None:
        reason = FROZEN if self.account(who) in self.ledger.frozen else None
        self.act(self.stage.sto, "withdrawFunds", by=self.account(who), reason=reason)

    # --- Every way in which balances change ----------------------------------

    @rule(sender=holders, receiver=holders, part=parts, spender=st.sampled_from([None, "keeper"]))
    def transfer(self, sender: str, receiver: str, part: int, spender: str | None) -> None:
        one, other = self.having(sender, self.ledger.balance), self.account(receiver)
        amount = share(self.ledger.balance[one], part)
        reason = self.ledger.transfer(one, other, amount)
        call = ("transfer", other, amount)
        if spender is not None:
            call = ("transferFrom", one, other, amount)
        by = one if spender is None else self.account(spender)
        self.act(self.stage.sto, *call, by=by, reason=reason)
        if reason is None:
            acquired = self.ledger.booked[one] != self.ledger.identity[other]
            self.ledger.move(one, other, amount)
            held = self.ledger.held_by(self.ledger.identity[other])
            assert not acquired or held <= self.ledger.cap

    @rule(who=wallets, amount=amounts)
    def mint(self, who: str, amount: int) -> None:
        wallet = self.account(who)
        reason = self.ledger.mint(wallet, amount)
        if self.agent(self.stage.sto, "mint", wallet, amount, reason=reason):
            self.ledger.balance[wallet] += amount
            assert self.ledger.held_by(self.ledger.identity[wallet]) <= self.ledger.cap

    @rule(who=wallets)
    def mint_up_to_the_cap(self, who: str) -> None:
        wallet = self.account(who)
        identity = self.ledger.identity.get(wallet)
        if identity is None or self.ledger.cap == UNLIMITED:
            return
        room = self.ledger.cap - self.ledger.held_by(identity)
        if room < 0 or self.ledger.country[wallet] in self.ledger.forbidden:
            return
        self.agent(self.stage.sto, "mint", wallet, room + 1, reason=CAP)
        self.mint(who, room)

    @rule(who=holders, part=parts)
    def burn(self, who: str, part: int) -> None:
        wallet = self.having(who, self.ledger.balance)
        amount = share(self.ledger.balance[wallet], part)
        too_much = amount > self.ledger.balance[wallet]
        reason = "mining_sto: amount exceeds the balance" if too_much else None
        if self.agent(self.stage.sto, "burn", wallet, amount, reason=reason):
            self.ledger.thaw(wallet, amount)
            self.ledger.balance[wallet] -= amount

    @rule(sender=holders, receiver=wallets, part=parts)
    def force(self, sender: str, receiver: str, part: int) -> None:
        one, other = self.having(sender, self.ledger.balance), self.account(receiver)
        amount = share(self.ledger.balance[one], part)
        reason = self.ledger.forced(one, other, amount)
        if self.agent(self.stage.sto, "forcedTransfer", one, other, amount, reason=reason):
            self.ledger.thaw(one, amount)
            self.ledger.move(one, other, amount)

    @rule(lost=holders, new=wallets)
    def recover(self, lost: str, new: str) -> None:
        old, heir = self.having(lost, self.ledger.balance), self.account(new)
        identity = self.ledger.identity.get(old, PEOPLE[0])
        reason = self.ledger.recovery(old, heir, identity)
        if self.agent(self.stage.sto, "recoveryAddress", old, heir, identity, reason=reason):
            self.ledger.recover(old, heir)
            # What is unclaimed goes on; what was taken out stays with the one who took it.
            unclaimed = self.stream.held[old] - self.taken[old] + self.moved[old]
            self.moved[old] -= unclaimed
            self.moved[heir] += unclaimed

    # --- Staking ---------------------------------------------------------------

    @rule(who=holders, part=parts)
    def stake(self, who: str, part: int) -> None:
        wallet = self.having(who, self.ledger.balance)
        amount = share(self.ledger.balance[wallet], part)
        reason = self.ledger.staking_in(wallet, amount)
        self.act(self.stage.staking, "stake", amount, by=wallet, reason=reason)
        if reason is None:
            self.ledger.balance[wallet] -= amount
            self.ledger.stake[wallet] += amount
            self.ledger.entrusted[wallet] += amount

    @rule(who=holders, part=parts)
    def unstake(self, who: str, part: int) -> None:
        wallet = self.having(who, self.ledger.stake)
        amount = share(self.ledger.stake[wallet], part)
        reason = self.ledger.staking_out(wallet, amount)
        self.act(self.stage.staking, "withdraw", amount, by=wallet, reason=reason)
        if reason is None:
            self.ledger.balance[wallet] += amount
            self.ledger.stake[wallet] -= amount
            self.ledger.entrusted[wallet] -= amount

    @rule(who=holders)
    def take_staking_profit(self, who: str) -> None:
        wallet = self.account(who)
        reason = None
        if wallet in self.ledger.successor:
            reason = RECOVERED
        elif wallet in self.ledger.frozen:
            reason = "revenue_staking: wallet is frozen"
        self.act(self.stage.staking, "getReward", by=wallet, reason=reason)

    @precondition(lambda self: self.ledger.successor)
    @rule(data=st.data())
    def follow_recovery(self, data: st.DataObject) -> None:
        lost = data.draw(st.sampled_from(sorted(self.ledger.successor)))
        new = self.ledger.successor[lost]
        by, reason = self.roles.keeper, None
        if not self.ledger.stake[lost] and not self.read(self.stage.staking, "rewards", lost):
            reason = "revenue_staking: nothing to hand on"
        self.act(self.stage.staking, "follow_recovery", lost, by=by, reason=reason)
        if reason is not None:
            return
        self.ledger.stake[new] += self.ledger.stake[lost]
        self.ledger.stake[lost] = 0
        earned = self.stream.staked
        earned[new] += earned[lost] - self.paid[lost]
        earned[lost] = Fraction(self.paid[lost])

    # --- Agents and owner ------------------------------------------------------

    @rule(who=wallets, part=parts)
    def freeze_part(self, who: str, part: int) -> None:
        wallet = self.having(who, self.ledger.balance)
        free = self.ledger.balance[wallet] - self.ledger.part[wallet]
        amount = share(free, part)
        reason = "frozen_balances: amount exceeds the free balance" if amount > free else None
        if self.agent(self.stage.sto, "freezePartialTokens", wallet, amount, reason=reason):
            self.ledger.part[wallet] += amount

    @rule(who=wallets, part=parts)
    def unfreeze_part(self, who: str, part: int) -> None:
        wallet = self.having(who, self.ledger.part)
        amount = share(self.ledger.part[wallet], part)
        too_much = amount > self.ledger.part[wallet]
        reason = "frozen_balances: amount exceeds the frozen balance" if too_much else None
        if self.agent(self.stage.sto, "unfreezePartialTokens", wallet, amount, reason=reason):
            self.ledger.part[wallet] -= amount

    @rule(who=st.sampled_from(OTHERS), identity=people)
    def register(self, who: str, identity: str) -> None:
        wallet = self.account(who)
        country = PERU if identity == PEOPLE[2] else CHILE
        known = wallet in self.ledger.identity
        reason = "identity_registry: wallet is already registered" if known else None
        call = ("registerIdentity", wallet, identity, country)
        if self.agent(self.stage.registry, *call, reason=reason):
            self.ledger.register(wallet, identity, country)

    @rule(who=wallets, identity=st.one_of(st.none(), people))
    def change_identity(self, who: str, identity: str | None) -> None:
        """Give a wallet another identity, or remove it."""
        wallet = self.account(who)
        known = wallet in self.ledger.identity
        reason = None if known else "identity_registry: wallet is not registered"
        call = ("updateIdentity", wallet, identity) if identity else ("deleteIdentity", wallet)
        if not self.agent(self.stage.registry, *call, reason=reason):
            return
        if identity:
            self.ledger.register(wallet, identity, self.ledger.country[wallet])
        else:
            del self.ledger.identity[wallet], self.ledger.country[wallet]

    @rule(
        switch=st.sampled_from(["pause", "freeze", "country", "cap"]),
        is_on=st.sampled_from([False, False, True]),
        who=wallets,
    )
    def switch(self, switch: str, is_on: bool, who: str) -> None:
        """Turn one of the obstacles on or off."""
        if switch == "pause":
            self.set_paused(is_on)
        elif switch == "freeze":
            self.set_frozen(self.account(who), is_on)
        elif switch == "country":
            self.set_country(is_on)
        else:
            self.set_cap(10**21 if is_on else 4 * 10**24)

    def set_paused(self, is_on: bool) -> None:
        reason = None
        if is_on == self.ledger.paused:
            reason = "mining_sto: paused" if is_on else "mining_sto: not paused"
        self.agent(self.stage.sto, "pause" if is_on else "unpause", reason=reason)
        self.ledger.paused = is_on

    def set_frozen(self, wallet: str, is_on: bool) -> None:
        self.agent(self.stage.sto, "setAddressFrozen", wallet, is_on, reason=None)
        (self.ledger.frozen.add if is_on else self.ledger.frozen.discard)(wallet)

    def set_country(self, is_on: bool) -> None:
        call = ("set_country_forbidden", PERU, is_on)
        self.act(self.stage.compliance, *call, by=self.roles.owner, reason=None)
        (self.ledger.forbidden.add if is_on else self.ledger.forbidden.discard)(PERU)

    def set_cap(self, cap: int) -> None:
        by = self.roles.owner
        self.act(self.stage.compliance, "set_max_balance", cap, by=by, reason=None)
        self.ledger.cap = cap

    # --- What always holds -----------------------------------------------------

    @invariant()
    def balances_and_frozen_parts_equal_the_ledger(self) -> None:
        sto = self.stage.sto
        found = {wallet: self.read(sto, "balanceOf", wallet) for wallet in self.wallets}
        assert found == self.ledger.balance
        staked = self.read(sto, "balanceOf", self.stage.staking.address)
        assert staked == sum(self.ledger.stake.values())
        assert staked + sum(found.values()) == self.read(sto, "totalSupply")
        for wallet, balance in found.items():
            part = self.read(sto, "getFrozenTokens", wallet)
            assert part == self.ledger.part[wallet] <= balance

    @invariant()
    def identities_are_counted_over_wallets_and_stakes(self) -> None:
        for identity in PEOPLE:
            held = self.read(self.stage.compliance, "held_by", identity)
            assert held == self.ledger.held_by(identity)

    @invariant()
    def claims_follow_the_exact_stream_and_no_unit_is_missing(self) -> None:
        """Every unit is paid, claimable or still flowing, short by less than one a holder."""
        sto, staking = self.stage.sto, self.stage.staking.address
        claims = {who: self.read(sto, "withdrawableFundsOf", who) for who in self.wallets}
        for wallet, claim in claims.items():
            exact = self.stream.held[wallet] + self.moved[wallet] - self.taken[wallet]
            assert -TINY <= exact - claim <= 1 + TINY
        passed = self.read(sto, "withdrawnFundsOf", staking)
        withdrawn = sum(self.taken.values()) + passed
        open_claims = sum(claims.values()) + self.read(sto, "withdrawableFundsOf", staking)
        rest = self.read(sto, "unstreamed_funds")
        assert 0 <= self.distributed - withdrawn - open_claims - rest <= len(self.wallets)
        assert self.stage.dollars(sto.address) == self.distributed - withdrawn

    @invariant()
    def books_tell_profit_from_capital(self) -> None:
        sto = self.stage.sto
        names = ("recorded_revenue", "distributed_profit", "returned_capital")
        found = [self.read(sto, name) for name in names]
        assert found == [self.revenue, self.profit, self.distributed - self.profit]
        assert self.profit <= self.revenue

    @invariant()
    def stakers_earn_what_their_tokens_earn(self) -> None:
        staking, sto = self.stage.staking, self.stage.sto
        claims = {wallet: self.read(staking, "earned", wallet) for wallet in self.wallets}
        for wallet, claim in claims.items():
            # Each credit passes whole units on; a fraction may go to those who stake then.
            gap = self.stream.staked[wallet] - self.paid[wallet] - claim
            assert abs(gap) <= self.credits + 3
        received = self.read(sto, "accumulativeFundsOf", staking.address)
        passed_on = sum(claims.values()) + sum(self.paid.values()) + self.read(staking, "carried")
        assert passed_on <= received
        assert received - passed_on <= len(self.wallets) * (self.credits + 1)

    @invariant()
    def every_stake_can_be_taken_out_now(self) -> None:
        """One after the other: what the first takes must not be the next one's."""
        before = self.stage.chain.snapshot()
        calls = [
            self.stage.staking.call("withdraw", stake, sender=wallet)
            for wallet, stake in self.ledger.stake.items()
            if self.ledger.staking_out(wallet, stake) is None
        ]
        self.stage.chain.block(self.stage.chain.timestamp() + 1, calls)
        self.stage.chain.revert(before)


def open_stage(roles: SimpleNamespace) -> StoStage:
    """A stage where nobody is registered yet but the staking, and allowances are given."""
    stage = StoStage(RevmChain(), roles, stream_seconds=STREAM)
    for role in stage.identities:
        wallet = getattr(roles, role)
        stage.send(stage.registry, "deleteIdentity", wallet, sender=roles.agent)
    for role in VERIFIED + OTHERS:
        wallet = getattr(roles, role)
        for spender in (stage.staking.address, roles.keeper):
            stage.send(stage.sto, "approve", spender, UNLIMITED, sender=wallet)
    return stage


def test_mining_sto__any_sequence_of_acts__keeps_every_invariant(roles: SimpleNamespace) -> None:
    stage = open_stage(roles)
    members = {"stage": stage, "start": stage.chain.snapshot()}
    machine = type("MiningSto", (Everyone,), members)
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
