"""The gold pool under random use, against the same reserves and shares in exact integers."""

from __future__ import annotations

import math
from fractions import Fraction
from types import SimpleNamespace
from typing import Any, ClassVar

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
from pool_stage import PEOPLE, PoolStage
from props import DOLLAR, OUNCE

from simulator.chain import DEVELOPMENT_ACCOUNTS, Chain, RevmChain
from simulator.errors import TransactionReverted

ROLES = ("owner", "fee_recipient", *PEOPLE)
MOST = 2**112 - 1

people = st.sampled_from(PEOPLE)
golds = st.one_of(st.integers(0, 10_000), st.integers(1, 10**6 * OUNCE))
dollars = st.one_of(st.integers(0, 10_000), st.integers(1, 10**10 * DOLLAR))
PARTS = st.sampled_from([0, 1, 100, 500, 999, 1_000, 1_001])


class GoldPoolMachine(RuleBasedStateMachine):
    """Five people who add, remove, trade both ways and give; one action a block."""

    chain: ClassVar[Chain]
    empty: ClassVar[int]

    @initialize(
        fee=st.sampled_from([0, 500, 3_000, 100_000]),
        token_fee=st.sampled_from([0, 0, 200, 20_000]),
        gold=st.sampled_from([2_000, 10**9, 1_000 * OUNCE]),
        usdc=st.sampled_from([2_000, 4_000_000 * DOLLAR]),
    )
    def start(self, fee: int, token_fee: int, gold: int, usdc: int) -> None:
        self.chain.revert(self.empty)
        roles = SimpleNamespace(**dict(zip(ROLES, DEVELOPMENT_ACCOUNTS, strict=False)))
        self.stage = PoolStage(self.chain, roles, fee_ppm=fee, token_fee_ppm=token_fee)
        self.fee, self.token_fee = fee, token_fee
        self.x = self.y = self.supply = 0
        self.given = [0, 0]
        self.shares = dict.fromkeys(PEOPLE, 0)
        self.product = Fraction(0)
        self.add("crowd", gold, usdc)

    # -- the oracle ------------------------------------------------------------------

    def net(self, gold: int) -> int:
        """Return what arrives of gold that is sent."""
        return gold - gold * self.token_fee // 1_000_000

    def out(self, paid: int, x: int, y: int) -> int:
        at_work = Fraction(paid * (1_000_000 - self.fee), 1_000_000)
        return math.floor(at_work * y / (x + at_work))

    def attempt(self, passes: bool, act: Any, *args: Any, **more: Any) -> bool:
        """Act, and check that it goes through exactly when it should."""
        try:
            act(*args, **more)
        except TransactionReverted:
            assert not passes, act
            return False
        assert passes, act
        return True

    def account(self, who: str) -> str:
        return getattr(self.stage.roles, who)

    # -- acts ------------------------------------------------------------------------

    @rule(who=people, gold=golds, usdc=dollars)
    def add(self, who: str, gold: int, usdc: int) -> None:
        if self.supply == 0:
            a, b = self.net(gold), usdc
            minted = math.isqrt(a * b) - 1_000
        else:
            if 0 in (self.x, self.y):
                return
            wanted = usdc * self.x // self.y
            # the least that leaves so that as much arrives
            kept = 1_000_000 - self.token_fee
            gross = (wanted - 1) * 1_000_000 // kept + 1 if wanted else 0
            a = self.net(min(gold, gross))
            b = min(usdc, -(-a * self.y // self.x))
            minted = min(a * self.supply // self.x, b * self.supply // self.y)
        passes = minted > 0 and max(self.x + a, self.y + b) <= MOST
        if self.attempt(passes, self.stage.add, gold, usdc, self.account(who)):
            self.supply += minted + (1_000 if self.supply == 0 else 0)
            self.shares[who] += minted
            self.x, self.y = self.x + a, self.y + b

    @precondition(lambda self: self.supply > 0)
    @rule(who=people, part=PARTS)
    def remove(self, who: str, part: int) -> None:
        shares = self.shares[who] * part // 1_000
        a, b = (shares * r // self.supply for r in (self.x, self.y))
        passes = shares <= self.shares[who] and a > 0 and b > 0
        if self.attempt(passes, self.stage.remove, shares, self.account(who)):
            self.shares[who] -= shares
            self.supply -= shares
            self.x, self.y = self.x - a, self.y - b

    @precondition(lambda self: self.x > 0 and self.y > 0)
    @rule(who=people, paid=golds)
    def sell(self, who: str, paid: int) -> None:
        arrived = self.net(paid)
        bought = self.out(arrived, self.x, self.y) if arrived else 0
        passes = bought > 0 and self.x + arrived <= MOST
        if self.attempt(passes, self.stage.swap, paid, self.account(who), gold=True):
            self.x, self.y = self.x + arrived, self.y - bought

    @precondition(lambda self: self.x > 0 and self.y > 0)
    @rule(who=people, paid=dollars)
    def buy(self, who: str, paid: int) -> None:
        bought = self.out(paid, self.y, self.x) if paid else 0
        passes = bought > 0 and self.y + paid <= MOST
        if self.attempt(passes, self.stage.swap, paid, self.account(who), gold=False):
            self.x, self.y = self.x - bought, self.y + paid

    @precondition(lambda self: self.x > 0 and self.y > 0)
    @rule(who=people, paid=dollars)
    def round_trip(self, who: str, paid: int) -> None:
        """Buy gold and sell it at once: never more USDC than before."""
        account = self.account(who)
        before = self.stage.has(account)
        self.buy(who, paid)
        bought = self.stage.has(account)[0] - before[0]
        if bought > 0:
            self.sell(who, bought)
        after = self.stage.has(account)
        assert after[1] <= before[1]
        assert after[0] <= before[0] or after[1] < before[1]

    @precondition(lambda self: self.x > 0 and self.y > 0)
    @rule(who=people, gold=golds, usdc=dollars)
    def in_and_out(self, who: str, gold: int, usdc: int) -> None:
        """Add liquidity and take it out at once: never more of either token."""
        account, held = self.account(who), self.shares[who]
        before = self.stage.has(account)
        self.add(who, gold, usdc)
        own = self.shares[who] - held
        if own == 0:
            return
        a, b = (own * r // self.supply for r in (self.x, self.y))
        if self.attempt(a > 0 and b > 0, self.stage.remove, own, account):
            self.shares[who] -= own
            self.supply -= own
            self.x, self.y = self.x - a, self.y - b
        after = self.stage.has(account)
        assert after[0] <= before[0]
        assert after[1] <= before[1]

    @rule(who=people, gold=st.integers(0, 10 * OUNCE), usdc=st.integers(0, 10**5 * DOLLAR))
    def give(self, who: str, gold: int, usdc: int) -> None:
        stage, pool = self.stage, self.stage.pool.address
        stage.send(stage.gold, "transfer", pool, gold, by=self.account(who))
        stage.send(stage.usdc, "transfer", pool, usdc, by=self.account(who))
        self.given = [self.given[0] + self.net(gold), self.given[1] + usdc]

    @precondition(lambda self: self.given != [0, 0])
    @rule(who=people, takes=st.booleans())
    def clear(self, who: str, takes: bool) -> None:
        """Hand out what was given, or make it the shares'."""
        stage = self.stage
        if takes:
            stage.send(stage.pool, "skim", self.account(who), by=self.account(who))
        elif self.supply:
            stage.send(stage.pool, "sync", by=self.account(who))
            self.x, self.y = self.x + self.given[0], self.y + self.given[1]
        else:
            return
        self.given = [0, 0]

    # -- what always holds -----------------------------------------------------------

    @invariant()
    def reserves_and_shares_are_the_oracles_to_the_unit(self) -> None:
        assert self.stage.reserves() == (self.x, self.y)
        assert self.stage.read("totalSupply") == self.supply
        for who, shares in self.shares.items():
            assert self.stage.read("balanceOf", self.account(who)) == shares

    @invariant()
    def every_token_is_a_reserve_or_a_gift(self) -> None:
        held = self.stage.has(self.stage.pool.address)
        assert held == (self.x + self.given[0], self.y + self.given[1])

    @invariant()
    def product_by_share_never_falls(self) -> None:
        """What the shares own, by the root of the product, falls by no act, a removal's neither."""
        if self.supply:
            product = Fraction(self.x * self.y, self.supply**2)
            assert product >= self.product
            self.product = product


@pytest.fixture(scope="module", autouse=True)
def chain() -> None:
    GoldPoolMachine.chain = RevmChain()
    GoldPoolMachine.empty = GoldPoolMachine.chain.snapshot()


def test_gold_pool__under_random_use__follows_the_exact_reserves() -> None:
    machine_settings = settings(max_examples=200, stateful_step_count=30, deadline=None)
    run_state_machine_as_test(GoldPoolMachine, settings=machine_settings)
