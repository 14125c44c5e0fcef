"""The price cover under random use, against the same book in exact fractions."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from cover_stage import SPOT, UNLIMITED, CoverStage, CoverTerms
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
from props import DAY, DOLLAR

from simulator.chain import DEVELOPMENT_ACCOUNTS, Chain, RevmChain
from simulator.errors import TransactionReverted
from simulator.units import WAD

UNDERWRITERS = ("underwriter", "depositor")
HOLDERS = ("mine_operator", "trader")
ROLES = ("owner", "keeper", "guardian", "stranger", *UNDERWRITERS, *HOLDERS)
MAX_AGE = 5 * DAY
SILENCE = 30 * DAY

underwriters = st.sampled_from(UNDERWRITERS)
holders = st.sampled_from(HOLDERS)
picks = st.integers(0, 10**6)
PARTS = st.sampled_from([5, 20, 40, 70, 100, 100, 101])
SHARES = st.sampled_from([60, 80, 90, 100, 100, 100, 101])
DAYS = st.sampled_from([7, 7, 7, 8, 14, 6])
FALLS = st.sampled_from([0.2, 0.5, 0.9, 1.0, 1.1])


@dataclass
class Sold:
    """A policy as the oracle knows it, in the contract's integers."""

    who: str
    amount: int
    strike: int
    sum_insured: int
    per_day: int
    start: int
    expiry: int
    triggered: bool = False
    closed: bool = False
    void: bool = False
    owed: int = 0
    paid: int = 0

    def earned(self, now: int) -> Fraction:
        """Return the part of the premium that is earned at a time."""
        seconds = 0 if self.void else max(0, min(now, self.expiry) - self.start)
        return Fraction(self.per_day * seconds, DAY)


@dataclass
class Day:
    """A settled day."""

    owed: int
    available: int


class PriceCoverMachine(RuleBasedStateMachine):
    """Two underwriters, two holders of policies, a keeper, a donor; one action a block."""

    chain: ClassVar[Chain]
    empty: ClassVar[int]

    @initialize(
        leverage=st.sampled_from([1, 2]),
        lag=st.sampled_from([0, 2]),
        window=st.sampled_from([3_600, DAY, 7 * DAY]),
        covers=st.lists(st.tuples(holders, PARTS, SHARES, DAYS), min_size=1, max_size=4),
    )
    def start(self, leverage: int, lag: int, window: int, covers: list[Any]) -> None:
        self.chain.revert(self.empty)
        roles = SimpleNamespace(**dict(zip(ROLES, DEVELOPMENT_ACCOUNTS, strict=False)))
        self.terms = CoverTerms(
            leverage=leverage * WAD,
            lag_days=lag,
            window_seconds=window,
            claim_window_seconds=9 * DAY,
        )
        self.stage = CoverStage(self.chain, roles, self.terms, pool_usd=100_000)
        self.capital = Fraction(100_000 * DOLLAR)
        self.rounds = [(self.chain.timestamp(), SPOT * 10**8)]
        self.policies: list[Sold] = []
        self.days: dict[int, Day] = {}
        self.donated = 0
        self.put_in = dict.fromkeys(UNDERWRITERS, 0)
        self.taken = dict.fromkeys(UNDERWRITERS, 0)
        for cover in covers:
            self.buy(*cover)

    # -- the oracle ------------------------------------------------------------------

    @property
    def now(self) -> int:
        return self.chain.timestamp()

    def earned(self) -> Fraction:
        """Return all premiums earned until now."""
        return sum((p.earned(self.now) for p in self.policies), Fraction(0))

    def total(self) -> int:
        return int(self.capital + self.earned())

    def open(self) -> list[Sold]:
        return [p for p in self.policies if not p.void and p.expiry not in self.days]

    def locked(self) -> int:
        return sum(p.sum_insured for p in self.open())

    def due(self) -> bool:
        return any(p.expiry <= self.now for p in self.open())

    def triggered(self) -> bool:
        return any(p.triggered for p in self.open())

    def last_round(self, end: int) -> int:
        """Return the number of the newest round from before `end`, 1 the first."""
        return sum(time < end for time, _ in self.rounds)

    def settlement(self, end: int) -> int | None:
        """Return the price x 1e18 by the rule of docs/mechanics.md, None while it waits."""
        last = self.last_round(end)
        if end - self.rounds[last - 1][0] > MAX_AGE:
            if last < len(self.rounds) and self.rounds[last][1] > 0:
                return self.rounds[last][1] * 10**10
            if self.now < end + SILENCE:
                return None
        return self.mean(end, last)

    def mean(self, end: int, last: int) -> int:
        """Return the mean of the window that ends at `end`, with nothing after round `last`."""
        weighed, until = 0, end
        begin = end - self.terms.window_seconds
        for time, answer in reversed(self.rounds[:last]):
            if answer > 0 and time < until:
                since = max(time, begin)
                weighed += answer * 10**10 * (until - since)
                until = since
            if until <= begin:
                break
        return weighed // (end - until)

    def requested(self) -> bool:
        """Return whether somebody has handed in shares."""
        accounts = [getattr(self.stage.roles, who) for who in UNDERWRITERS]
        return any(self.stage.read("requests", account)[0] for account in accounts)

    def price(self) -> int | None:
        """Return the latest price x 1e18, None where it must not be used."""
        time, answer = self.rounds[-1]
        return answer * 10**10 if answer > 0 and self.now - time <= MAX_AGE else None

    def standing(self, policy: Sold) -> int | None:
        """Return a settlement with the latest price for the days to come; None once it is due."""
        over = policy.expiry <= self.now
        return None if over else self.mean(policy.expiry, len(self.rounds))

    def attempt(self, function: str, *args: object, by: str, passes: bool) -> Any:
        """Send a call and assert that it passes exactly where the oracle says so."""
        account = getattr(self.stage.roles, by)
        if passes:
            return self.stage.act(function, *args, by=account)
        with pytest.raises(TransactionReverted):
            self.stage.act(function, *args, by=account)
        return None

    # -- what happens ----------------------------------------------------------------

    @rule(seconds=st.integers(1, 3 * DAY))
    def wait(self, seconds: int) -> None:
        self.chain.block(self.now + seconds, [])

    @rule(factor=st.sampled_from([0.3, 0.8, 0.95, 1.0, 1.0, 1.05, 1.3]), kind=st.integers(0, 19))
    def post(self, factor: float, kind: int) -> None:
        """Post a round; some are a spike, none, or negative."""
        usual = [answer for _, answer in self.rounds if answer > 10**8]
        answer = {0: 1, 1: 0, 2: -1}.get(kind, max(10**9, min(10**14, int(usual[-1] * factor))))
        self.stage.send(self.stage.feed, "update_answer", answer, by=self.stage.roles.keeper)
        self.rounds.append((self.now, answer))

    @rule(daily=st.lists(st.sampled_from([0.5, 0.9, 0.97, 1.0, 1.03, 1.1]), min_size=1, max_size=9))
    def pass_days(self, daily: list[float]) -> None:
        """Post a round on each of the next midnights."""
        for factor in daily:
            self.chain.block((self.now // DAY + 1) * DAY, [])
            self.post(factor, kind=19)

    @precondition(lambda self: self.open() or self.requested())
    @rule(factor=FALLS, lead=st.integers(0, 10))
    def wait_for_what_comes_next(self, factor: float, lead: int) -> None:
        """Go to the next expiry or end of a cooldown, with a round some days before."""
        ripe = [self.stage.read("requests", getattr(self.stage.roles, w)) for w in UNDERWRITERS]
        times = [p.expiry for p in self.open()] + [time for shares, time in ripe if shares]
        coming = [time for time in times if time > self.now]
        if coming:
            nearest = min(coming)
            self.chain.block(max(self.now, nearest - lead * DAY), [])
            self.post(factor, kind=19)
            self.chain.block(nearest, [])

    @precondition(lambda self: self.open())
    @rule(factor=FALLS, pick=picks)
    def end_a_cover(self, factor: float, pick: int) -> None:
        """Play the whole end of the next day that is due."""
        self.wait_for_what_comes_next(factor, lead=2)
        self.fix(pick, 0)
        self.close(pick, "settle")

    @rule(who=underwriters, units=st.one_of(st.integers(1, 50), st.integers(1, 10**12)))
    def deposit(self, who: str, units: int) -> None:
        passes = not self.due() and not self.triggered() and not self.ruined()
        shares = units * (self.supply() + 1) // (self.total() + 1) if self.supply() else units
        account = getattr(self.stage.roles, who)
        if self.attempt("deposit", units, account, by=who, passes=passes and shares > 0):
            self.capital += units
            self.put_in[who] += units

    def supply(self) -> int:
        return self.stage.read("totalSupply")

    def ruined(self) -> bool:
        return self.total() * 10**6 < self.supply()

    @rule(who=underwriters, parts=st.sampled_from([0, 1, 30, 100]))
    def request(self, who: str, parts: int) -> None:
        shares = self.stage.read("balanceOf", getattr(self.stage.roles, who)) * parts // 100
        self.attempt("requestWithdraw", shares, by=who, passes=shares > 0)

    @precondition(lambda self: self.requested())
    @rule(who=underwriters, sure=st.integers(0, 4))
    def cancel(self, who: str, sure: int) -> None:
        if sure == 0:
            shares, _ = self.stage.read("requests", getattr(self.stage.roles, who))
            self.attempt("cancelWithdraw", by=who, passes=shares > 0)

    @precondition(lambda self: self.requested())
    @rule(who=underwriters)
    def claim(self, who: str) -> None:
        account = getattr(self.stage.roles, who)
        shares, ripe_at = self.stage.read("requests", account)
        lost = sum(p.sum_insured for p in self.open() if p.triggered)
        certain = max(0, self.total() - lost)
        leverage = self.terms.leverage // WAD
        free = max(0, self.total() - -(-self.locked() // leverage))
        worth = shares * (certain + 1) // (self.supply() + 1) if self.supply() else 0
        in_time = ripe_at <= self.now <= ripe_at + self.terms.claim_window_seconds
        passes = not self.due() and in_time and min(worth, free) > 0
        before = self.stage.dollars(account)
        if self.attempt("claimWithdraw", account, by=who, passes=passes):
            got = self.stage.dollars(account) - before
            assert got == min(worth, free)
            self.capital -= got
            self.taken[who] += got
            assert self.total() * leverage >= self.locked()

    @rule(who=holders, parts=PARTS, share=SHARES, days=DAYS)
    def buy(self, who: str, parts: int, share: int, days: int) -> None:
        """Buy a cover of `parts` per cent of what is free."""
        price = self.price()
        if price is None:
            self.attempt("buy_cover", WAD, WAD, 30, UNLIMITED, by=who, passes=False)
            return
        strike = price * share // 100
        room = self.total() * self.terms.leverage // WAD - self.locked()
        amount = room * parts // 100 * 10**30 // strike
        insured = amount * strike // 10**30
        sellable = not self.due() and not self.triggered()
        fits = share <= 100 and days >= 7 and self.terms.min_sum_insured <= insured <= room
        before = self.stage.dollars(getattr(self.stage.roles, who))
        cover = (amount, strike, days)
        quoted = self.stage.read("quote", *cover) if self.total() else 0
        if not self.attempt("buy_cover", *cover, UNLIMITED, by=who, passes=sellable and fits):
            return
        premium = before - self.stage.dollars(getattr(self.stage.roles, who))
        assert premium == quoted
        start = (-(-self.now // DAY) + self.terms.lag_days) * DAY
        self.policies.append(
            Sold(who, amount, strike, insured, premium // days, start, start + days * DAY)
        )

    @precondition(lambda self: any(p.start > self.now for p in self.policies))
    @rule(pick=picks, backwards=st.sampled_from([0, 0, 1, 3]), fall=st.booleans())
    def void(self, pick: int, backwards: int, fall: bool) -> None:
        if fall:
            self.chain.block(self.now + 60, [])
            self.post(0.5, kind=19)
        number, policy = self.pick(pick, [p.start > self.now for p in self.policies])
        if policy is None:
            return
        round_id = max(1, len(self.rounds) - backwards)
        time, answer = self.rounds[round_id - 1]
        low = 0 < answer * 10**10 < policy.strike * 95 // 100
        bought_at = self.stage.policy(number).bought_at
        passes = self.now < policy.start and low and time >= bought_at
        passes = passes and not policy.closed
        before = self.stage.dollars(getattr(self.stage.roles, policy.who))
        if self.attempt("void", number, round_id, by="stranger", passes=passes):
            policy.void = policy.closed = True
            days = (policy.expiry - policy.start) // DAY
            refund = self.stage.dollars(getattr(self.stage.roles, policy.who)) - before
            assert refund == policy.per_day * days

    @precondition(lambda self: any(p.expiry > self.now for p in self.policies))
    @rule(pick=picks, fall=st.booleans())
    def trigger(self, pick: int, fall: bool) -> None:
        if fall:
            self.post(0.5, kind=19)
        number, policy = self.pick(pick, [p.expiry > self.now for p in self.policies])
        if policy is None:
            return
        price = self.standing(policy)
        runs = policy.start <= self.now < policy.expiry and not policy.closed
        low = price is not None and price < policy.strike * 95 // 100
        passes = runs and low and not policy.triggered
        if self.attempt("trigger", number, by="stranger", passes=passes):
            policy.triggered = True

    @precondition(lambda self: self.triggered())
    @rule(pick=picks)
    def clear(self, pick: int) -> None:
        number, policy = self.pick(pick, [p.triggered for p in self.policies])
        if policy is None:
            return
        price = self.standing(policy)
        high = price is not None and price >= policy.strike
        passes = policy.triggered and high and self.price() is not None and not self.due()
        if self.attempt("clear_trigger", number, by="stranger", passes=passes):
            policy.triggered = False

    @precondition(lambda self: self.policies and (self.due() or self.now % 7 == 0))
    @rule(pick=picks, off=st.sampled_from([0, 0, 0, -1, 1]))
    def fix(self, pick: int, off: int) -> None:
        """Fix the day of a policy, or try to with a wrong round."""
        due = [p.expiry <= self.now and p.expiry not in self.days for p in self.policies]
        _, policy = self.pick(pick, due)
        if policy is None:
            return
        end = policy.expiry
        # a day whose covers were all voided has nothing to be settled
        todays = [p for p in self.policies if p.expiry == end and not p.void]
        over = end <= self.now and end not in self.days and bool(todays)
        price = self.settlement(end) if over else None
        # Where the first round is the last one too, none comes before it to be tried.
        number = max(self.last_round(end) + off, 1)
        passes = over and number == self.last_round(end) and price is not None
        sums, locked, total = sum(p.sum_insured for p in todays), self.locked(), self.total()
        if not self.attempt("fix_settlement", end, number, by="stranger", passes=passes):
            return
        assert price is not None
        assert self.stage.read("settlements", end)[0] == price
        for p in todays:
            p.owed = max(0, p.strike - price) * p.amount // 10**30
            p.triggered = False
        owed, available = sum(p.owed for p in todays), total * sums // locked
        self.days[end] = Day(owed, available)
        for p in todays:
            p.paid = p.owed if owed <= available else p.owed * available // owed
        self.capital -= sum(p.paid for p in todays)
        if self.terms.leverage == WAD:
            assert all(p.paid == p.owed for p in todays)

    @precondition(lambda self: any(p.expiry in self.days for p in self.policies))
    @rule(pick=picks, function=st.sampled_from(["settle", "settle", "expire"]))
    def close(self, pick: int, function: str) -> None:
        waiting = [p.expiry in self.days and not p.closed for p in self.policies]
        number, policy = self.pick(pick, waiting)
        if policy is None:
            return
        fixed = policy.expiry in self.days and not policy.closed
        passes = fixed and (policy.owed > 0) == (function == "settle")
        account = getattr(self.stage.roles, policy.who)
        before = self.stage.dollars(account)
        if self.attempt(function, number, by="stranger", passes=passes):
            policy.closed = True
            assert self.stage.dollars(account) - before == policy.paid <= policy.sum_insured

    @rule(amount=st.integers(1, 10**12))
    def donate(self, amount: int) -> None:
        stage = self.stage
        stage.send(stage.usdc, "mint", stage.pool.address, amount, by=stage.roles.owner)
        self.donated += amount

    def pick(self, pick: int, fitting: list[bool]) -> tuple[int, Any]:
        """Return the number of a policy and the policy, mostly of a fitting one."""
        numbers = [k + 1 for k, fits in enumerate(fitting) if fits]
        if not numbers or pick % 10 == 0:
            numbers = list(range(1, len(self.policies) + 1))
        if not numbers:
            return 0, None
        number = numbers[pick % len(numbers)]
        return number, self.policies[number - 1]

    # -- what always holds -----------------------------------------------------------

    @invariant()
    def books_are_the_oracles_to_the_unit(self) -> None:
        read = self.stage.read
        assert read("totalAssets") == self.total()
        assert read("locked") == self.locked()
        waiting = [p.paid for p in self.policies if p.expiry in self.days and not p.closed]
        assert read("set_aside") == sum(waiting)

    @invariant()
    def every_dollar_is_somebodys(self) -> None:
        read = self.stage.read
        parts = [read(name) for name in ("totalAssets", "unearned_premium", "set_aside")]
        held = self.stage.dollars(self.stage.pool.address)
        assert held == sum(parts) + self.donated

    @invariant()
    def sums_insured_are_within_pool_times_leverage(self) -> None:
        assert self.locked() * WAD <= self.total() * self.terms.leverage
        assert self.stage.read("locked") <= self.stage.read("capacity")

    @invariant()
    def what_is_free_is_what_no_policy_needs(self) -> None:
        needed = -(-self.locked() * WAD // self.terms.leverage)
        assert self.stage.read("free_capital") == max(0, self.total() - needed)


@pytest.fixture(scope="module", autouse=True)
def chain() -> None:
    PriceCoverMachine.chain = RevmChain()
    PriceCoverMachine.empty = PriceCoverMachine.chain.snapshot()


def test_price_cover__under_random_use__follows_the_exact_book() -> None:
    machine_settings = settings(max_examples=200, stateful_step_count=30, deadline=None)
    run_state_machine_as_test(PriceCoverMachine, settings=machine_settings)
