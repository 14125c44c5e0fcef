"""The market with gold locked and USDC lent, under any sequence of acts: what must hold after each.

The search is derandomised, but it also tries numbers that stand in the modules loaded before it:
after other tests it takes other runs. A failure prints the acts that lead to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from gold_stage import DAY, DOLLAR, FEED_UNIT, OUNCE, UNLIMITED, WAD
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)
from loan_stage import LoanStage
from props import events

from simulator.chain import Receipt, RevmChain
from simulator.errors import TransactionReverted

ACTS = 30
FAST, DEEP = 40, 250
"""Runs in `make test`, and in `make deep`."""

RICH_OUNCES, RICH_DOLLARS = 20_000, 10**8
parts = st.one_of(st.just(1000), st.integers(0, 1000))
"""Of a limit, in thousandths; the whole of it is tried often."""
borrowers = st.sampled_from(["borrower", "second_borrower"])
suppliers = st.sampled_from(["crowd", "depositor"])

TOO_LITTLE = "share_math: too little for the price of a share"
LOWEST_USD, HIGHEST_USD = 100, 100_000


class Borrowing(RuleBasedStateMachine):
    """Suppliers, borrowers and a liquidator act in any order, while gold does what it likes."""

    stage: ClassVar[LoanStage]
    start: ClassVar[int]

    def __init__(self) -> None:
        super().__init__()
        self.stage.chain.revert(self.start)
        self.market, self.roles = self.stage.market, self.stage.roles
        self.index = self._read("borrow_index")
        self.per_share = self._read("supply_index")
        self.loss = 0

    # --- Help ----------------------------------------------------------------

    def _read(self, function: str, *args: object) -> Any:
        return self.stage.read(self.market, function, *args)

    def _act(self, function: str, *args: object, sender: str, unless: tuple[str, ...] = ()) -> bool:
        """Send a transaction that may fail only for the reasons in `unless`; book bad debt."""
        treasury = self._worth_of_treasury()
        try:
            receipt: Receipt = self.stage.send(self.market, function, *args, sender=sender)
        except TransactionReverted as error:
            if error.reason not in unless:
                raise
            return False
        for name, fields in events(self.market, receipt, "BadDebt"):
            assert name == "BadDebt"
            self._check_treasury_first(fields, treasury)
            self.loss += fields["amount"] - fields["covered_by_treasury"]
        return True

    def _worth_of_treasury(self) -> int:
        with self._accrued():
            shares = self._read("balanceOf", self.roles.treasury)
            return int(self._read("convertToAssets", shares))

    def _check_treasury_first(self, fields: dict[str, Any], treasury: int) -> None:
        """Suppliers lose nothing while the treasury has shares; a second's interest apart."""
        covered = fields["covered_by_treasury"]
        if covered < fields["amount"]:
            assert self._read("balanceOf", self.roles.treasury) == 0
            assert covered >= treasury - 1

    @contextmanager
    def _accrued(self) -> Iterator[None]:
        """Bring interest up to date for a while."""
        snapshot = self.stage.chain.snapshot()
        self.stage.send(self.market, "accrue", sender=self.roles.stranger)
        yield
        self.stage.chain.revert(snapshot)

    def _price(self) -> Fraction:
        """Return units of USDC per wei of gold."""
        answer = self.stage.read(self.stage.gold_feed, "latestRoundData")[1]
        return Fraction(answer * DOLLAR, FEED_UNIT * OUNCE)

    def _worth(self, account: str) -> Fraction:
        return self._read("collateral_of", account) * self._price()

    def _borrowers(self) -> tuple[str, str]:
        return self.roles.borrower, self.roles.second_borrower

    # --- Acts ----------------------------------------------------------------

    @rule(who=suppliers, dollars=st.integers(1, 10**6))
    def somebody_supplies(self, who: str, dollars: int) -> None:
        account = getattr(self.roles, who)
        if self._read("maxDeposit", account):
            amount = dollars * DOLLAR
            self._act("deposit", amount, account, sender=account, unless=(TOO_LITTLE,))

    @rule(who=suppliers, part=parts)
    def somebody_takes_supply_back(self, who: str, part: int) -> None:
        account = getattr(self.roles, who)
        amount = self._read("maxRedeem", account) * part // 1000
        # a second's interest makes a share dearer
        refusals = ("lending_market: exceeds withdrawable",)
        self._act("redeem", amount, account, account, sender=account, unless=refusals)

    @rule(who=borrowers, part=parts, ounces=st.integers(0, 200))
    def somebody_loops(self, who: str, part: int, ounces: int) -> None:
        account = getattr(self.roles, who)
        self._act("supply_collateral", ounces * OUNCE, account, sender=account)
        most = self._worth(account) * self.stage.market_terms.max_ltv / WAD
        room = max(0, int(most - self._read("debt_of", account)))
        amount = min(room, self._read("cash")) * part // 1000
        refusals = ("lending_market: exceeds max ltv",)
        if self._act("borrow", amount, account, sender=account, unless=refusals):
            debt = self._read("debt_of", account)
            assert amount == 0 or self._read("ltv", account) <= self.stage.market_terms.max_ltv
            assert debt >= amount

    @rule(who=borrowers, part=parts)
    def somebody_repays(self, who: str, part: int) -> None:
        account = getattr(self.roles, who)
        due = self._read("debt_of", account)
        if due:
            amount = UNLIMITED if part == 1000 else due * part // 1000
            self._act("repay", amount, account, sender=account)
            assert (self._read("debt_of", account) == 0) or part < 1000

    @rule(who=borrowers, part=parts)
    def somebody_takes_gold_back(self, who: str, part: int) -> None:
        account = getattr(self.roles, who)
        amount = self._read("collateral_of", account) * part // 1000
        refusals = ("lending_market: exceeds max ltv",)
        args = ("withdraw_collateral", amount, account)
        self._act(*args, sender=account, unless=refusals)

    @rule(who=borrowers, part=parts)
    def somebody_liquidates(self, who: str, part: int) -> None:
        account = getattr(self.roles, who)
        unhealthy = self._read("is_liquidatable", account)
        amount = UNLIMITED if part == 1000 else self._read("debt_of", account) * part // 1000
        refusals = () if unhealthy else ("lending_market: borrower is healthy",)
        sender = self.roles.liquidator
        gold = self.stage.read(self.stage.gold, "balanceOf", sender)
        usdc = self.stage.read(self.stage.usdc, "balanceOf", sender)
        if self._act("liquidate", account, amount, sender=sender, unless=refusals):
            got = self.stage.read(self.stage.gold, "balanceOf", sender) - gold
            paid = usdc - self.stage.read(self.stage.usdc, "balanceOf", sender)
            # no more than the penalty, a unit and the dust that goes with the last part
            most = paid * Fraction(106, 100) * (1 + Fraction(2, 1000)) + 2
            assert got * self._price() <= most or self._read("collateral_of", account) == 0

    @rule(move=st.integers(-500, 500))
    def gold_moves(self, move: int) -> None:
        """By up to a half on a day."""
        now = self._price() * OUNCE / DOLLAR * Fraction(1000 + move, 1000)
        self.stage.set_gold_price(min(max(float(now), LOWEST_USD), HIGHEST_USD))

    @rule(days=st.integers(1, 60))
    def time_passes(self, days: int) -> None:
        self.stage.wait(days * DAY)

    # --- What always holds ---------------------------------------------------

    @invariant()
    def claims_are_all_there_is(self) -> None:
        with self._accrued():
            roles = self.roles
            holders = (roles.crowd, roles.depositor, roles.treasury)
            shares = [self._read("balanceOf", who) for who in holders]
            assert sum(shares) == self._read("totalSupply")
            total = self._read("cash") + self._read("total_borrows")
            assert total == self._read("totalAssets")
            claims = sum(self._read("convertToAssets", amount) for amount in shares)
            # each claim rounds down, and the virtual share has a claim of its own
            virtual = self._read("supply_index") // 10**27 + 1
            assert not sum(shares) or 0 <= total - claims <= len(holders) + virtual
            due = sum(self._read("debt_of", who) for who in self._borrowers())
            assert 0 <= due - self._read("total_borrows") <= 2
            assert self._read("utilisation") <= WAD

    @invariant()
    def tokens_cover_the_books(self) -> None:
        locked = self._read("total_collateral")
        assert sum(self._read("collateral_of", who) for who in self._borrowers()) == locked
        assert self.stage.read(self.stage.gold, "balanceOf", self.market) >= locked
        cash = self.stage.read(self.stage.usdc, "balanceOf", self.market)
        assert cash >= self._read("cash")

    @invariant()
    def liquidatable_is_beyond_the_threshold_and_nothing_else(self) -> None:
        threshold = self.stage.market_terms.liquidation_threshold
        for who in self._borrowers():
            unhealthy = self._read("is_liquidatable", who)
            debt, worth = self._read("debt_of", who), self._worth(who)
            # values have 18 decimals: what gold is worth rounds down to one of them
            limit = worth * threshold / WAD
            assert unhealthy == (debt > limit) or abs(debt - limit) * 10**12 < 2
            refusal = self.stage.refusal(
                self.market, "liquidate", who, 1, sender=self.roles.liquidator
            )
            assert refusal == (None if unhealthy else "lending_market: borrower is healthy")

    @invariant()
    def indices_only_fall_by_bad_debt(self) -> None:
        """And by one share's part: the treasury's, not minted yet, round down to a whole one.

        With s of them cut off, 0 <= s < 1, the index stands at I (1 + s / supply) or lower.
        """
        index, per_share = self._read("borrow_index"), self._read("supply_index")
        assert index >= self.index
        supply = self._read("totalSupply")
        if self.loss == 0 and supply:
            assert per_share >= self.per_share - self.per_share // supply - 2
        self.index, self.per_share, self.loss = index, per_share, 0


def _machine(roles: SimpleNamespace) -> type[Borrowing]:
    """Return the machine on a stage on which everybody is rich."""
    stage = LoanStage(RevmChain(), roles)
    for role in ("crowd", "depositor", "liquidator"):
        stage.endow(getattr(roles, role), dollars=RICH_DOLLARS)
    for role in ("borrower", "second_borrower"):
        stage.endow(getattr(roles, role), gold=RICH_OUNCES * OUNCE, dollars=RICH_DOLLARS)
    members = {"stage": stage, "start": stage.chain.snapshot()}
    return type("BorrowingOnAStage", (Borrowing,), members)


def _run(roles: SimpleNamespace, runs: int) -> None:
    run_state_machine_as_test(
        _machine(roles),
        settings=settings(
            max_examples=runs,
            stateful_step_count=ACTS,
            deadline=None,
            derandomize=True,
            database=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_reversed_market__treasury_gets_a_share__index_falls_by_less_than_its_part(
    roles: SimpleNamespace,
):
    """A small market: a second after 30 days the treasury's part of the interest is a unit more."""
    state = _machine(roles)()
    state.somebody_supplies(dollars=16_468, who="crowd")
    state.somebody_loops(ounces=6, part=1000, who="second_borrower")
    state.time_passes(days=87)
    state.somebody_liquidates(part=1000, who="second_borrower")
    state.somebody_takes_supply_back(part=1000, who="crowd")
    state.somebody_loops(ounces=0, part=1000, who="second_borrower")
    state.somebody_supplies(dollars=1843, who="crowd")
    state.indices_only_fall_by_bad_debt()
    state.time_passes(days=30)
    fallen = 0
    for _ in range(40):
        before = state._read("supply_index")
        state.stage.wait(1)
        fallen = max(fallen, before - state._read("supply_index"))
        state.indices_only_fall_by_bad_debt()
    supply = state._read("totalSupply")
    # it does fall, and by no more than a share's part of what a share is worth
    assert 2 < fallen <= state.per_share // supply


def test_reversed_market__any_sequence_of_acts__keeps_every_invariant(roles: SimpleNamespace):
    _run(roles, FAST)


@pytest.mark.deep
def test_reversed_market__many_sequences_of_acts__keep_every_invariant(roles: SimpleNamespace):
    _run(roles, DEEP)
