"""Solar tokens under random use, against the same books in exact fractions."""

from __future__ import annotations

from dataclasses import dataclass, field
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
from props import DAY
from solar_stage import LOCK_DAYS, RECOVERY_BPS, YEAR, SolarStage

from simulator.chain import DEVELOPMENT_ACCOUNTS, Chain, RevmChain
from simulator.errors import TransactionReverted

OWNERS = ("depositor", "second_depositor", "trader")
ROLES = ("owner", "keeper", "agent", "treasury", "stranger", *OWNERS)
ACTIVE, RETIRED, PAID = 1, 2, 3
BEGIN = 1_735_689_600
"""Panels may be older than the stage: its clock must not begin at zero."""

owners = st.sampled_from(OWNERS)
picks = st.integers(0, 10**6)


@dataclass
class Known:
    """A panel as the oracle knows it; amounts are units of USDC."""

    owner: str
    watts: int
    born: int
    degradation_bps: int
    silver_mg: int
    reported_at: int
    status: int = ACTIVE
    period: int = 0
    energy: int = 0
    revenue: Fraction = Fraction(0)
    bonus: Fraction = Fraction(0)
    until: int | None = None

    def most(self, now: int) -> int:
        """Return the most energy that can be reported at a time."""
        left = max(0, 10_000 - self.degradation_bps * ((now - self.born) // YEAR))
        return left * self.watts * (now - self.reported_at) * 10 // 360_000


@dataclass
class Account:
    """What an owner was credited with and was paid."""

    revenue: Fraction = Fraction(0)
    bonus: Fraction = Fraction(0)
    paid: int = 0
    silver: int = 0


@dataclass
class Books:
    """What was paid in, what still flows, and what nobody has yet."""

    pot: Fraction = Fraction(0)
    revenue: int = 0
    bonus: int = 0
    silver: int = 0
    rate: Fraction = Fraction(0)
    end: int = 0
    carried: Fraction = Fraction(0)
    panels: list[Known] = field(default_factory=list)
    accounts: dict[str, Account] = field(default_factory=lambda: {who: Account() for who in OWNERS})


class SolarMachine(RuleBasedStateMachine):
    """An issuer, an operator and three owners; one action a block."""

    chain: ClassVar[Chain]
    empty: ClassVar[int]

    @initialize(panels=st.lists(st.tuples(owners, st.integers(1, 1_000)), min_size=2, max_size=4))
    def start(self, panels: list[Any]) -> None:
        self.chain.revert(self.empty)
        roles = SimpleNamespace(**dict(zip(ROLES, DEVELOPMENT_ACCOUNTS, strict=False)))
        self.stage = SolarStage(self.chain, roles)
        self.books, self.period, self.price_at = Books(), 1, self.now
        self.price, self.claimed_silver = 31 * 10**8, set[int]()
        for who, watts in panels:
            self.commission(who, watts, 0, min(4_000, 100 * watts))

    # -- the oracle ------------------------------------------------------------------

    @property
    def now(self) -> int:
        return self.chain.timestamp()

    @property
    def panels(self) -> list[Known]:
        return self.books.panels

    def pick(self, number: int) -> tuple[int, Known]:
        index = number % len(self.panels)
        return index + 1, self.panels[index]

    def attempt(self, function: str, *args: object, by: str, reason: str | None) -> None:
        """Send a call and assert that it passes, or is refused with this message."""
        account = getattr(self.stage.roles, by)
        if reason is None:
            self.stage.act(function, *args, by=account)
            return
        with pytest.raises(TransactionReverted) as caught:
            self.stage.act(function, *args, by=account)
        assert caught.value.reason == reason

    def let_bonus_flow(self, seconds: int) -> None:
        """Share what flows in the seconds to come: nothing else happens in them."""
        flowed = self.books.rate * max(0, min(self.now + seconds, self.books.end) - self.now)
        watts = sum(p.watts for p in self.panels if p.until is not None)
        if watts == 0:
            self.books.carried += flowed
            return
        for panel in self.panels:
            if panel.until is not None:
                panel.bonus += flowed * panel.watts / watts

    # -- what happens ----------------------------------------------------------------

    @rule(seconds=st.one_of(st.integers(1, 10 * DAY), st.just(LOCK_DAYS * DAY)))
    def wait(self, seconds: int) -> None:
        self.let_bonus_flow(seconds)
        self.chain.block(self.now + seconds, [])

    @rule(usd=st.integers(1, 10**4))
    def post(self, usd: int) -> None:
        self.stage.silver(usd)
        self.price, self.price_at = usd * 10**8, self.now

    @precondition(lambda self: len(self.panels) < 6)
    @rule(
        who=owners,
        watts=st.sampled_from([0, 1, 400, 5_000]),
        age=st.integers(0, 30),
        silver_mg=st.sampled_from([0, 4_000]),
    )
    def commission(self, who: str, watts: int, age: int, silver_mg: int) -> None:
        born = self.now - age * YEAR
        reason = "solar_nft: too much silver" if silver_mg > 100 * watts else None
        reason = "solar_nft: panel of no watts" if watts == 0 else reason
        facts = (getattr(self.stage.roles, who), watts, born, 500, silver_mg)
        self.attempt("commission", *facts, by="owner", reason=reason)
        if reason is None:
            self.panels.append(Known(who, watts, born, 500, silver_mg, self.now))

    @rule(
        pick=picks, part=st.sampled_from([0, 1, 50, 100, 101]), off=st.sampled_from([0] * 6 + [1])
    )
    def report(self, pick: int, part: int, off: int) -> None:
        """Report a part, in percent, of what the panel can give."""
        number, panel = self.pick(pick)
        most = panel.most(self.now)
        energy = most * part // 100 + (1 if part > 100 else 0)
        reason = None
        if panel.status != ACTIVE:
            reason = "solar_nft: panel is retired"
        elif energy > most:
            reason = "solar_nft: more than the panel can give"
        elif off:
            reason = "energy_revenue: period is not open"
        elif panel.period == self.period:
            reason = "energy_revenue: period was reported before"
        args = (number, energy, self.period + off)
        self.attempt("report_generation", *args, by="agent", reason=reason)
        if reason is None:
            self.settle(panel)
            panel.period, panel.energy, panel.reported_at = self.period, energy, self.now

    def settle(self, panel: Known) -> None:
        """Credit revenue of closed periods to the panel's owner."""
        self.books.accounts[panel.owner].revenue += panel.revenue
        panel.revenue = Fraction(0)

    @rule(units=st.one_of(st.integers(1, 50), st.integers(1, 10**10)))
    def pay(self, units: int) -> None:
        self.attempt("deposit_revenue", units, by="trader", reason=None)
        self.books.pot += units
        self.books.revenue += units

    @rule()
    def close(self) -> None:
        self.attempt("close_period", by="agent", reason=None)
        reported = [panel for panel in self.panels if panel.period == self.period]
        total = sum(panel.energy for panel in reported)
        if total:
            for panel in reported:
                panel.revenue += self.books.pot * panel.energy / total
                panel.energy = 0
            self.books.pot = Fraction(0)
        self.period += 1

    @rule(units=st.integers(1, 10**10), seconds=st.integers(1, 200 * DAY))
    def fund_bonus(self, units: int, seconds: int) -> None:
        self.attempt("fund_bonus", units, seconds, by="owner", reason=None)
        books = self.books
        left = books.rate * max(0, books.end - self.now)
        books.rate = (units + left + books.carried) / seconds
        books.end, books.carried = self.now + seconds, Fraction(0)
        books.bonus += units

    @rule(pick=picks, stranger=st.booleans())
    def lock(self, pick: int, stranger: bool) -> None:
        number, panel = self.pick(pick)
        who = "stranger" if stranger and pick % 4 == 0 else panel.owner
        reason = None
        if who == "stranger":
            reason = "solar_nft: caller is not the owner"
        elif panel.status != ACTIVE:
            reason = "solar_nft: panel is retired"
        elif panel.until is not None:
            reason = "lock_bonus: panel is locked already"
        self.attempt("lock", number, by=who, reason=reason)
        if reason is None:
            panel.until = self.now + LOCK_DAYS * DAY

    @rule(pick=picks)
    def unlock(self, pick: int) -> None:
        number, panel = self.pick(pick)
        reason = None
        if panel.until is None:
            reason = "solar_nft: panel is not locked"
        elif self.now < panel.until:
            reason = "solar_nft: lock is not over"
        self.attempt("unlock", number, by=panel.owner, reason=reason)
        if reason is None:
            self.end_lock(panel)

    def end_lock(self, panel: Known) -> None:
        self.books.accounts[panel.owner].bonus += panel.bonus
        panel.bonus, panel.until = Fraction(0), None

    @rule(pick=picks, to=owners)
    def send(self, pick: int, to: str) -> None:
        """Send a token: what it has earned stays, what is only reported goes with it."""
        number, panel = self.pick(pick)
        reason = None if panel.until is None else "solar_nft: panel is locked"
        roles = self.stage.roles
        args = (getattr(roles, panel.owner), getattr(roles, to), number)
        self.attempt("transferFrom", *args, by=panel.owner, reason=reason)
        if reason is None:
            self.settle(panel)
            panel.owner = to

    @rule(pick=picks, sure=st.integers(0, 2))
    def retire(self, pick: int, sure: int) -> None:
        number, panel = self.pick(pick)
        if sure:
            return
        reason = None if panel.status == ACTIVE else "solar_nft: panel is retired"
        self.attempt("retire", number, by="agent", reason=reason)
        if reason is None:
            panel.status = RETIRED
            self.end_lock(panel)

    @rule(units=st.sampled_from([1, 10**6, 10**9]))
    def fund_silver(self, units: int) -> None:
        self.attempt("fund_silver", units, by="trader", reason=None)
        self.books.silver += units

    @rule(pick=picks)
    def claim_silver(self, pick: int) -> None:
        number, panel = self.pick(pick)
        worth = panel.silver_mg * 10**4 * RECOVERY_BPS * self.price // (311_034_768 * 10**6)
        reason = None
        if panel.status == ACTIVE:
            reason = "solar_nft: panel is in service"
        elif panel.status == PAID:
            reason = "solar_nft: silver was claimed before"
        elif self.now - self.price_at > 5 * DAY:
            reason = "feed: answer is too old"
        elif worth > self.books.silver:
            reason = "solar_nft: silver reserve is too small"
        self.attempt("claim_silver", number, by=panel.owner, reason=reason)
        if reason is None:
            assert number not in self.claimed_silver
            self.claimed_silver.add(number)
            panel.status = PAID
            self.books.silver -= worth
            self.books.accounts[panel.owner].silver += worth

    @rule(who=owners, some=st.booleans())
    def claim(self, who: str, some: bool) -> None:
        """Claim with all of one's tokens, or with none."""
        account, wallet = self.books.accounts[who], getattr(self.stage.roles, who)
        held = [n for n, panel in enumerate(self.panels, start=1) if some and panel.owner == who]
        got = self.stage.claim(wallet, *held)
        for number in held:
            panel = self.panels[number - 1]
            self.settle(panel)
            account.bonus += panel.bonus
            panel.bonus = Fraction(0)
        # fractions of a unit stay on chain; here they are taken too
        assert abs(account.revenue + account.bonus - got) <= 4
        account.paid += got
        account.revenue, account.bonus = Fraction(0), Fraction(0)

    # -- what always holds -----------------------------------------------------------

    @invariant()
    def every_dollar_is_somebodys(self) -> None:
        self.stage.check_books()
        assert self.stage.read("silver_reserve") == self.books.silver

    @invariant()
    def claims_never_exceed_what_was_paid_in(self) -> None:
        """And nothing is lost: all but the open pot, and what is to flow, is claimable."""
        read, roles = self.stage.read, self.stage.roles
        pending = [read("pending", n) for n in range(1, len(self.panels) + 1)]
        credited = [read("credited", getattr(roles, who)) for who in OWNERS]
        room = len(pending) + len(credited) + len(self.panels)
        books = self.books
        to_flow = books.carried + books.rate * max(0, books.end - self.now)
        for place, paid_in, kept in ((0, books.revenue, books.pot), (1, books.bonus, to_flow)):
            name = ("revenue", "bonus")[place]
            open_claims = sum(pair[place] for pair in (*pending, *credited))
            claims = open_claims + read(f"total_claimed_{name}")
            assert claims + kept <= paid_in + Fraction(1, 10**6)
            assert paid_in - claims - kept <= room

    @invariant()
    def tokens_are_whose_and_what_the_oracle_says(self) -> None:
        read, roles = self.stage.read, self.stage.roles
        for number, panel in enumerate(self.panels, start=1):
            assert read("ownerOf", number) == getattr(roles, panel.owner)
            assert read("panelOf", number)[4] == panel.status
            assert read("locked", number) == (panel.until is not None)
            revenue, bonus = read("pending", number)
            assert abs(revenue - panel.revenue) <= 1
            assert abs(bonus - panel.bonus) <= 1
        locked = sum(panel.watts for panel in self.panels if panel.until is not None)
        assert read("locked_watts") == locked


@pytest.fixture(scope="module", autouse=True)
def chain() -> None:
    SolarMachine.chain = RevmChain(BEGIN)
    SolarMachine.empty = SolarMachine.chain.snapshot()


def test_solar_nft__under_random_use__follows_the_exact_books() -> None:
    short = settings(max_examples=40, stateful_step_count=30, deadline=None)
    run_state_machine_as_test(SolarMachine, settings=short)


@pytest.mark.deep
def test_solar_nft__under_long_random_use__follows_the_exact_books() -> None:
    long = settings(max_examples=400, stateful_step_count=40, deadline=None)
    run_state_machine_as_test(SolarMachine, settings=long)
