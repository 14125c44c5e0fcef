"""The perpetual under random use, against what must hold whoever does what."""

from __future__ import annotations

from types import SimpleNamespace
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
from perp_stage import PROVIDERS, TRADERS, UNLIMITED, FundingTerms, PerpStage, PerpTerms
from props import DAY, DOLLAR

from simulator.chain import DEVELOPMENT_ACCOUNTS, Chain, Receipt, RevmChain
from simulator.errors import TransactionReverted
from simulator.units import WAD

ROLES = ("owner", "keeper", "stranger", *TRADERS, *PROVIDERS)

traders = st.sampled_from(TRADERS)
providers = st.sampled_from(PROVIDERS)
sizes = st.sampled_from([-30_000, -8_000, -1_000, -3, 3, 1_000, 8_000, 30_000])
moves = st.sampled_from([0.5, 0.8, 0.93, 0.99, 1.0, 1.01, 1.07, 1.25, 2.0])
parts = st.sampled_from([0.01, 0.3, 1.0])
amounts = st.sampled_from([1, 500, 4_000, 20_000])
waits = st.sampled_from([60, DAY, 8 * DAY])

PROBLEMS = ("miner_perp: ", "pool_shares: ", "share_math: ", "feed: ")
"""What a refusal must begin with: nothing overflows, and nothing is short of cash."""


class MinerPerpMachine(RuleBasedStateMachine):
    """Three traders, two providers, a keeper; one action a block."""

    chain: ClassVar[Chain]
    empty: ClassVar[int]

    @initialize(
        fixed=st.sampled_from([-WAD, 0, WAD]),
        velocity=st.sampled_from([0, WAD]),
        insurance=st.sampled_from([0, 2_000]),
        first=st.sampled_from([4_000, -9_000]),
    )
    def start(self, fixed: int, velocity: int, insurance: int, first: int) -> None:
        self.chain.revert(self.empty)
        roles = SimpleNamespace(**dict(zip(ROLES, DEVELOPMENT_ACCOUNTS, strict=False)))
        funding = FundingTerms(fixed_rate=fixed, velocity=velocity, skew_scale=10_000 * DOLLAR)
        terms = PerpTerms(claim_window_seconds=30 * DAY)
        self.stage = PerpStage(self.chain, roles, terms, funding, pool_usd=20_000)
        self.usd = 100.0
        if insurance:
            self.stage.act("fund_insurance", insurance * DOLLAR, by=roles.stranger)
        # A market in which nobody is proves little.
        self.stage.open(first, 2_000, by=roles.trader)

    def who(self, name: str) -> str:
        return str(getattr(self.stage.roles, name))

    def attempt(self, function: str, *args: object, by: str) -> Receipt | None:
        """Call the market; a refusal must be one that it words."""
        try:
            return self.stage.act(function, *args, by=by)
        except TransactionReverted as error:
            refusal = error.reason
        assert refusal.startswith(PROBLEMS)
        return None

    def funding_total(self) -> int:
        """Return what all margins and the pool own, in the asset's unit."""
        names = ("margins", "pool", "insurance", "fees")
        return sum(self.stage.read(name) for name in names)

    # -- what is done ------------------------------------------------------------------

    @rule(name=traders, amount=amounts)
    def add(self, name: str, amount: int) -> None:
        self.attempt("add_margin", amount * DOLLAR, by=self.who(name))

    @rule(name=traders, amount=amounts)
    def remove(self, name: str, amount: int) -> None:
        who = self.who(name)
        if self.attempt("remove_margin", amount * DOLLAR, by=who) is None:
            return
        position = self.stage.position(who)
        if position.size:
            assert not self.stage.read("is_liquidatable", who)

    @rule(name=traders, size=sizes, limit=st.sampled_from([None, None, 0.98, 1.02]))
    def order(self, name: str, size: int, limit: float | None) -> None:
        worst = UNLIMITED if size > 0 else 0
        if limit is not None:
            worst = round(self.usd * limit * 10**16)
        self.attempt("modify_position", size * WAD, worst, by=self.who(name))

    @rule(name=traders)
    def close(self, name: str) -> None:
        who = self.who(name)
        worst = 0 if self.stage.position(who).size > 0 else UNLIMITED
        self.attempt("close_position", worst, by=who)

    @rule(name=traders)
    def cancel(self, name: str) -> None:
        self.attempt("cancel_order", by=self.who(name))

    @rule(move=moves, after=waits)
    def price(self, move: float, after: int) -> None:
        self.usd = min(max(self.usd * move, 1.0), 10_000.0)
        self.stage.price(self.usd, after=after)

    @rule(name=traders, move=moves)
    def fill(self, name: str, move: float) -> None:
        """A round, and the keeper at once: nobody is due right after he has opened."""
        who = self.who(name)
        if self.stage.read("orders", who)[3] == 0:
            return
        self.usd = min(max(self.usd * move, 1.0), 10_000.0)
        self.stage.price(self.usd)
        self.late(name)

    @rule(name=traders)
    def late(self, name: str) -> None:
        """Executes whatever waits, however late; the price is that of the first round."""
        who = self.who(name)
        _, _, _, after = self.stage.read("orders", who)
        before, pool = self.stage.position(who), self.stage.read("pool")
        came = self.attempt("execute_order", who, by=self.who("stranger"))
        if came is None:
            return
        fields = dict(self.stage.perp.events(came))
        if "Traded" not in fields:
            assert self.stage.position(who).size == before.size
            return
        assert fields["Traded"]["price"] == self.stage.index.read(self.chain, "at", after + 1)
        assert fields["Traded"]["gain"] <= pool * 8 // 10
        now = self.stage.position(who)
        grew = abs(now.size) > abs(before.size) or now.size * before.size < 0
        if grew and self.stage.rounds == after + 1:
            assert not self.stage.read("is_liquidatable", who)

    @rule(name=traders)
    def liquidate(self, name: str) -> None:
        who = self.who(name)
        size = self.stage.position(who).size
        price = self.stage.index.read(self.chain, "at", self.stage.rounds)
        scaled = abs(size) * price
        notional = -(-scaled // 10**30)
        needs = -(-notional * 2 // 100)
        due = size != 0 and self.stage.read("equity", who) <= needs
        assert self.stage.read("is_liquidatable", who) == due
        waits_after = self.stage.read("orders", who)[3]
        is_first = waits_after != 0 and self.stage.rounds > waits_after
        came = self.attempt("liquidate", who, by=self.who("stranger"))
        # an order that is due is filled first, at a price that stood before
        assert (came is not None) == (due and not is_first)

    @rule(name=traders, level=st.sampled_from([0.9, 1.1]))
    def place_stop(self, name: str, level: float) -> None:
        level_wei = round(self.usd * level * 10**16)
        self.attempt("place_stop", level_wei, 0, UNLIMITED, by=self.who(name))

    @rule(name=traders, back=st.integers(1, 3))
    def stop(self, name: str, back: int) -> None:
        touched = self.stage.rounds - back
        if touched > 0:
            who = self.who(name)
            came = self.attempt("execute_stop", who, touched, by=self.who("keeper"))
            assert came is None or self.stage.position(who).size == 0

    @rule(name=traders, part=parts)
    def reduce(self, name: str, part: float) -> None:
        who = self.who(name)
        held = self.stage.position(who).size
        size = round(abs(held) / WAD * part * 10**6) * 10**12
        if self.attempt("deleverage", who, size, by=self.who("keeper")) is not None:
            side = self.stage.read("side_gain", held > 0)
            assert side >= self.stage.read("pool") * 6 // 10

    @rule(name=providers, amount=amounts)
    def deposit(self, name: str, amount: int) -> None:
        """In and out at one price is no profit."""
        who = self.who(name)
        before = self.stage.read("shares", who)
        if self.attempt("deposit", amount * DOLLAR, by=who) is not None:
            got = self.stage.read("shares", who) - before
            assert self.stage.read("exit_value", got) <= amount * DOLLAR

    @rule(name=providers, part=parts)
    def request(self, name: str, part: float) -> None:
        who = self.who(name)
        left = self.stage.read("shares", who) - self.stage.read("requests", who)[0]
        self.attempt("request_withdraw", round(left * part), by=who)

    @rule(name=providers)
    def claim(self, name: str) -> None:
        """Who leaves cuts nobody's profit."""
        if self.attempt("claim_withdraw", by=self.who(name)) is not None:
            most = self.stage.read("pool") * 8 // 10
            assert all(self.stage.read("side_gain", is_long) <= most for is_long in (True, False))

    @precondition(lambda self: self.stage.read("fees") > 0)
    @rule()
    def collect(self) -> None:
        self.attempt("collect_fees", self.who("owner"), by=self.who("owner"))

    # -- what must hold ------------------------------------------------------------------

    @invariant()
    def every_unit_is_somebodys(self) -> None:
        self.stage.check_books()

    @invariant()
    def sides_are_the_sums_of_positions(self) -> None:
        held = [self.stage.position(self.who(name)).size for name in TRADERS]
        assert self.stage.read("side_size", True) == sum(size for size in held if size > 0)
        assert self.stage.read("side_size", False) == -sum(size for size in held if size < 0)

    @invariant()
    def all_that_anybody_could_get_is_there(self) -> None:
        """Equities above zero, what the pool is worth, fund and fees: no more than the cash, but
        for debts that are not settled yet, and a unit's rounding for each."""
        equities = [self.stage.read("equity", self.who(name)) for name in TRADERS]
        cash = self.funding_total()
        claims = sum(equities) + self.stage.read("pool_value")
        claims += self.stage.read("insurance") + self.stage.read("fees")
        side = [self.stage.read("side_gain", is_long) for is_long in (True, False)]
        most = self.stage.read("pool") * 8 // 10
        # Where profits are cut, or the pool's worth would be below zero, less is owed.
        if max(side) <= most and self.stage.read("pool_value") > 0:
            assert abs(claims - cash) <= 8


def test_random_use__keeps_the_books() -> None:
    played(40, 20)


@pytest.mark.deep
def test_random_use__at_length__keeps_the_books() -> None:
    played(250, 30)


def played(runs: int, actions: int) -> None:
    MinerPerpMachine.chain = RevmChain()
    MinerPerpMachine.empty = MinerPerpMachine.chain.snapshot()
    length = settings(max_examples=runs, stateful_step_count=actions, deadline=None)
    run_state_machine_as_test(MinerPerpMachine, settings=length)
