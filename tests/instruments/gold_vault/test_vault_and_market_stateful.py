"""Vault and market under any sequence of acts: what must hold after each of them.

The search is derandomised: the same code gives the same runs. A failure prints the acts
that lead to it; to repeat it, run this file again, or paste the acts into a test.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from gold_stage import (
    DAY,
    DOLLAR,
    FEED_UNIT,
    GOLD_USD,
    OUNCE,
    RAY,
    UNLIMITED,
    WAD,
    GoldStage,
    VaultTerms,
)
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
from props import events

from simulator.chain import Contract, Receipt, RevmChain
from simulator.errors import TransactionReverted

RUNS = {"instant": 200, "queue": 100, "charging": 60}
ACTS = 30
CAP = 100_000 * OUNCE
RICH = 150_000 * OUNCE
FEE_PPM = 200

# From single wei, where rounding is everything, to more than the cap.
amounts = st.one_of(
    st.integers(1, 10),
    st.integers(1, OUNCE),
    st.integers(1, 60_000 * OUNCE),
)
parts = st.one_of(st.just(1000), st.integers(0, 1000))
"""Of a limit, in thousandths; the whole of it is tried often."""
depositors = st.sampled_from(["depositor", "second_depositor"])
borrowers = st.sampled_from(["borrower", "second_borrower"])
places = st.sampled_from(["market", "pool"])

TOO_LITTLE = ("share_math: too little for the price of a share",)


class Everyone(RuleBasedStateMachine):
    """Depositors, borrowers, curator, keeper, liquidator, donor and thief act in any order."""

    stage: ClassVar[GoldStage]
    start: ClassVar[int]
    charging: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__()
        self.stage.chain.revert(self.start)
        self.vault, self.market, self.pool = self.stage.vault, self.stage.market, self.stage.pool
        self.roles = self.stage.roles
        self.loss_wei = 0
        """What the present act may take from the vault's holders."""
        self.market_loss_wei = 0
        self.batches: list[int] = []
        self.turn = 0
        self.seen = self._prices()

    # --- Help ----------------------------------------------------------------

    def read(self, contract: Contract, function: str, *args: object) -> Any:
        return self.stage.read(contract, function, *args)

    def account(self, role: str) -> str:
        return str(getattr(self.roles, role))

    def act(
        self,
        contract: Contract,
        function: str,
        *args: object,
        sender: str,
        unless: tuple[str, ...] = (),
    ) -> Receipt | None:
        """Send a transaction that may fail only for the reasons in `unless`; book its losses."""
        try:
            receipt = self.stage.send(contract, function, *args, sender=sender)
        except TransactionReverted as error:
            if error.reason not in unless:
                raise
            return None
        for name, fields in events(self.vault, receipt):
            if name == "StrategyReported":
                self.loss_wei += max(0, fields["fees"] - fields["gain"])
                self.loss_wei += fields["loss"] if self.charging else 0
        for name, fields in events(self.market, receipt):
            if name == "BadDebt":
                self.loss_wei += fields["amount"]
                self.market_loss_wei += fields["amount"] - fields["covered_by_treasury"]
        return receipt

    def check_preview(self, contract: Contract, function: str, amount: int, *owners: str) -> int:
        """Assert that in one block the preview is what happens; return it."""
        preview: int = self.read(contract, f"preview{function.capitalize()}", amount)
        sender = owners[-1]
        call = (contract, function, amount, *owners)
        if self.stage.refusal(*call, sender=sender) in TOO_LITTLE:
            assert self._is_unfair(contract, amount, preview)
        else:
            assert self.stage.try_out(*call, sender=sender) == preview
        return preview

    def _is_unfair(self, contract: Contract, amount: int, shares: int) -> bool:
        """Return whether a deposit loses more than a thousandth, and a unit, to rounding."""
        worth: int = self.read(contract, "previewMint", shares)
        return shares == 0 or (amount - worth) * 1_000 > amount

    def _dearer(self, contract: Contract, function: str) -> tuple[str, ...]:
        """Return why a redemption may fail: a second later the shares are worth more.

        Where liquidity is the limit, fewer shares then use it up.
        """
        return (f"{contract.name}: exceeds withdrawable",) if function == "redeem" else ()

    def _prices(self) -> dict[str, int]:
        return {
            "vault": self.read(self.vault, "share_price"),
            "market": self.read(self.market, "supply_index"),
            "debt": self.read(self.market, "borrow_index"),
            "vault supply": self.read(self.vault, "totalSupply"),
            "market supply": self.read(self.market, "totalSupply"),
        }

    def _grain(self) -> int:
        """Return what rounding may take in one act, wei: some shares of the dearest kind."""
        dearest = max(self.read(self.vault, "share_price"), self.read(self.market, "supply_index"))
        supply = self.read(self.pool, "totalSupply")
        in_pool = self.read(self.pool, "totalAssets") // supply if supply else 0
        return int(6 * (dearest // RAY + in_pool + 2))

    @initialize(running=st.sampled_from([True, True, True, False]))
    def somebody_has_been_here(self, running: bool) -> None:
        """Three of four runs begin with deposits, loans and some profit; one with nothing."""
        if not running:
            return
        stage, roles = self.stage, self.roles
        for who in (roles.depositor, roles.second_depositor):
            stage.send(self.vault, "deposit", 10_000 * OUNCE, who, sender=who)
        stage.send(self.market, "deposit", 1_000 * OUNCE, roles.crowd, sender=roles.crowd)
        for strategy, ounces in ((self.market, 12_000), (self.pool, 4_000)):
            stage.send(self.vault, "update_debt", strategy, ounces * OUNCE, sender=roles.curator)
        for who, ounces in ((roles.borrower, 6_000), (roles.second_borrower, 2_000)):
            # Loans stand at 70 %: a rise of gold by a fifth makes them unhealthy.
            dollars = ounces * GOLD_USD * 10 // 7
            collateral = (dollars * DOLLAR, who)
            stage.send(self.market, "supply_collateral", *collateral, sender=who)
            stage.send(self.market, "borrow", ounces * OUNCE, who, sender=who)
        stage.send(self.pool, "credit", 50 * OUNCE, sender=roles.keeper)
        for strategy in (self.market, self.pool):
            stage.send(self.vault, "process_report", strategy, sender=roles.curator)
        if self._queues():
            self._request(roles.depositor, 8_000 * OUNCE)
            self._request(roles.second_depositor, 3_000 * OUNCE)
        self.seen = self._prices()

    # --- Time, prices, donations ---------------------------------------------

    @rule(seconds=st.one_of(st.integers(1, 10), st.integers(1, 40 * DAY)))
    def time_passes(self, seconds: int) -> None:
        self.stage.wait(seconds)

    @rule(percent=st.one_of(st.integers(75, 110), st.integers(105, 160)))
    def gold_moves(self, percent: int) -> None:
        answer = self.read(self.stage.gold_feed, "latestRoundData")[1] * percent // 100
        answer = min(max(answer, 500 * FEED_UNIT), 20_000 * FEED_UNIT)
        self.act(self.stage.gold_feed, "update_answer", answer, sender=self.roles.keeper)

    @rule(
        amount=st.integers(1, 1_000 * OUNCE), receiver=st.sampled_from(["vault", "market", "pool"])
    )
    def somebody_donates(self, amount: int, receiver: str) -> None:
        """Compared at one time: the donation is played beside an empty block."""
        args = (getattr(self, receiver), amount)
        call = self.stage.gold.call("transfer", *args, sender=self.roles.intruder)
        assert self._after([]) == self._after([call])
        self.stage.chain.block(self.stage.chain.timestamp() + 1, [call])

    @rule(part=parts)
    def somebody_donates_market_shares(self, part: int) -> None:
        held = self.read(self.market, "balanceOf", self.roles.crowd)
        args = (self.vault.address, held * part // 1000)
        call = self.market.call("transfer", *args, sender=self.roles.crowd)
        assert self._after([]) == self._after([call])
        self.stage.chain.block(self.stage.chain.timestamp() + 1, [call])

    def _after(self, calls: list[Any]) -> list[int]:
        """Return what everybody sees after a block that is then undone."""
        snapshot = self.stage.chain.snapshot()
        self.stage.chain.block(self.stage.chain.timestamp() + 1, calls)
        views = [
            (contract, function)
            for contract in (self.vault, self.market)
            for function in ("totalAssets", "totalSupply")
        ]
        seen = [self.read(contract, function) for contract, function in views]
        seen += self._prices().values()
        for name in ("idle", "total_debt", "free_assets", "locked_profit", "strategy_count"):
            seen.append(self.read(self.vault, name))
        for who in (self.roles.depositor, self.roles.second_depositor):
            seen += [self.read(self.vault, f"max{name}", who) for name in ("Deposit", "Withdraw")]
        self.stage.chain.revert(snapshot)
        return seen

    # --- The vault's depositors ----------------------------------------------

    @rule(who=depositors, amount=amounts, function=st.sampled_from(["deposit", "mint"]))
    def somebody_enters_the_vault(self, who: str, amount: int, function: str) -> None:
        account = self.account(who)
        limit = self.read(self.vault, f"max{function.capitalize()}", account)
        amount = min(amount, limit)
        if amount == 0:
            return
        if function == "mint":
            # So dear may a share be that the limit costs more than anybody has.
            amount = min(amount, self.read(self.vault, "previewDeposit", RICH))
        if amount:
            self.check_preview(self.vault, function, amount, account)
            refusals = (*TOO_LITTLE, "gold_vault: exceeds deposit limit")
            self.act(self.vault, function, amount, account, sender=account, unless=refusals)

    @precondition(lambda self: not self._queues())
    @rule(who=depositors, part=parts, function=st.sampled_from(["withdraw", "redeem"]))
    def somebody_leaves_the_vault(self, who: str, part: int, function: str) -> None:
        account = self.account(who)
        limit = self.read(self.vault, f"max{function.capitalize()}", account)
        amount = limit * part // 1000
        self.check_preview(self.vault, function, amount, account, account)
        args = (function, amount, account, account)
        self.act(self.vault, *args, sender=account, unless=self._dearer(self.vault, function))

    @precondition(lambda self: not self._queues())
    @rule(who=depositors, amount=amounts)
    def somebody_enters_and_leaves_at_once(self, who: str, amount: int) -> None:
        account = self.account(who)
        if amount > self.read(self.vault, "maxDeposit", account):
            return
        enter = self.vault.call("deposit", amount, account, sender=account)
        chain, before = self.stage.chain, self.read(self.vault, "balanceOf", account)
        gold = self.read(self.stage.gold, "balanceOf", account)
        snapshot, at = chain.snapshot(), chain.timestamp() + 1
        if not self.check_preview(self.vault, "deposit", amount, account):
            return
        try:
            chain.block(at, [enter])
        except TransactionReverted as error:
            # a second later profit has unlocked, and a wei may not buy a share any more
            if error.reason != "share_math: too little for the price of a share":
                raise
            chain.revert(snapshot)
            return
        bought = self.read(self.vault, "balanceOf", account) - before
        leave = self.vault.call("redeem", bought, account, account, sender=account)
        chain.revert(snapshot)
        chain.block(at, [enter, leave])
        assert self.read(self.stage.gold, "balanceOf", account) <= gold

    def _queues(self) -> bool:
        return self.stage.vault_terms.batch_seconds != 0

    @precondition(lambda self: self._queues())
    @rule(who=depositors, part=parts)
    def somebody_queues(self, who: str, part: int) -> None:
        account = self.account(who)
        shares = self.read(self.vault, "balanceOf", account) * part // 1000
        if shares:
            self._request(account, shares)

    def _request(self, account: str, shares: int) -> None:
        receipt = self.act(self.stage.queue, "request_redeem", shares, sender=account)
        assert receipt is not None
        batch = dict(events(self.stage.queue, receipt))["RedeemRequested"]["batch"]
        if batch not in self.batches:
            self.batches.append(batch)

    @precondition(lambda self: self.batches)
    @rule(
        turn=st.sampled_from([0, 0, 0, 1]),
        patient=st.sampled_from([True, True, False]),
        claiming=st.booleans(),
    )
    def somebody_settles(self, turn: int, patient: bool, claiming: bool) -> None:
        """Mostly the batch whose turn it is, mostly when it is ripe."""
        unfilled = [b for b in self.batches if self._parts(b, "pending_shares")]
        batch = (unfilled or self.batches)[turn % len(unfilled or self.batches)]
        ripe_in = (batch + 3) * DAY - self.stage.chain.timestamp()
        if patient and ripe_in > 0:
            self.stage.wait(ripe_in)
        refusals = (
            "vault_queue: batch is cooling down",
            "withdrawal_queue: nothing to settle",
            "withdrawal_queue: an earlier batch is not filled",
        )
        pending = self._parts(batch, "pending_shares")
        receipt = self.act(
            self.stage.queue, "settle_batch", batch, sender=self.roles.stranger, unless=refusals
        )
        if receipt is None:
            assert not patient or batch not in unfilled or batch != unfilled[0]
            return
        settled = dict(events(self.stage.queue, receipt))["BatchSettled"]
        left = self._parts(batch, "pending_shares")
        # Parts round up, so the sum of two is above the whole by less than two.
        assert 0 <= left - settled["open_shares"] < 2
        assert 0 <= pending - settled["shares"] - settled["open_shares"] < 2
        if claiming:
            self._claim(self.roles.depositor, batch)

    def _parts(self, batch: int, view: str) -> int:
        """Return what all requests of a batch have together."""
        owners = (self.roles.depositor, self.roles.second_depositor)
        return sum(self.read(self.stage.queue, view, batch, owner) for owner in owners)

    @precondition(lambda self: self.batches)
    @rule(who=depositors, back=st.integers(0, 3))
    def somebody_claims(self, who: str, back: int) -> None:
        account = self.account(who)
        funded = [b for b in self.batches if self._parts(b, "claimable_assets")]
        self._claim(account, (funded or self.batches)[back % len(funded or self.batches)])

    def _claim(self, account: str, batch: int) -> None:
        claimable = self.read(self.stage.queue, "claimable_assets", batch, account)
        before = self.read(self.stage.gold, "balanceOf", account)
        refusals = () if claimable else ("withdrawal_queue: nothing to claim",)
        self.act(self.stage.queue, "claim_batch", batch, sender=account, unless=refusals)
        paid = self.read(self.stage.gold, "balanceOf", account) - before
        assert paid == claimable

    # --- The market's suppliers and borrowers --------------------------------

    @rule(amount=amounts, function=st.sampled_from(["deposit", "mint"]))
    def somebody_supplies(self, amount: int, function: str) -> None:
        account = self.roles.crowd
        if self.read(self.market, "maxDeposit", account) == 0:
            return
        if function == "mint":
            amount = min(amount, self.read(self.market, "previewDeposit", RICH))
        if amount:
            self.check_preview(self.market, function, amount, account)
            self.act(self.market, function, amount, account, sender=account, unless=TOO_LITTLE)

    @rule(
        who=st.sampled_from(["crowd", "treasury"]),
        part=parts,
        function=st.sampled_from(["withdraw", "redeem"]),
    )
    def somebody_takes_supply_back(self, who: str, part: int, function: str) -> None:
        account = self.account(who)
        limit = self.read(self.market, f"max{function.capitalize()}", account)
        amount = limit * part // 1000
        self.check_preview(self.market, function, amount, account, account)
        args = (function, amount, account, account)
        self.act(self.market, *args, sender=account, unless=self._dearer(self.market, function))

    @rule(who=borrowers, part=parts, dollars=st.integers(0, 10**7))
    def somebody_borrows(self, who: str, part: int, dollars: int) -> None:
        account = self.account(who)
        self.act(self.market, "supply_collateral", dollars * DOLLAR, account, sender=account)
        room = self._collateral_value(account) * self.stage.market_terms.max_ltv / WAD
        room -= self._debt_value(account)
        ounces = max(0, int(room / self._gold_price()))
        amount = min(ounces, self.read(self.market, "cash")) * part // 1000
        # A second's interest and the feeds' rounding decide at the very limit.
        refusals = ("lending_market: exceeds max ltv",)
        self.act(self.market, "borrow", amount, account, sender=account, unless=refusals)

    @rule(who=borrowers, part=parts)
    def somebody_repays(self, who: str, part: int) -> None:
        account = self.account(who)
        due = self.read(self.market, "debt_of", account)
        if due:
            amount = UNLIMITED if part == 1000 else due * part // 1000
            self.act(self.market, "repay", amount, account, sender=account)
            if part == 1000:
                assert self.read(self.market, "debt_of", account) == 0

    @rule(who=borrowers, part=parts)
    def somebody_takes_collateral_back(self, who: str, part: int) -> None:
        account = self.account(who)
        amount = self.read(self.market, "collateral_of", account) * part // 1000
        refusals = ("lending_market: exceeds max ltv",)
        receipt = self.act(
            self.market, "withdraw_collateral", amount, account, sender=account, unless=refusals
        )
        if receipt and self.read(self.market, "debt_of", account):
            assert self.read(self.market, "ltv", account) <= self.stage.market_terms.max_ltv

    @rule(who=borrowers, part=parts)
    def somebody_liquidates(self, who: str, part: int) -> None:
        account = self.account(who)
        unhealthy = self.read(self.market, "is_liquidatable", account)
        amount = UNLIMITED if part == 1000 else self.read(self.market, "debt_of", account)
        amount = amount if part == 1000 else amount * part // 1000
        refusals = () if unhealthy else ("lending_market: borrower is healthy",)
        self.act(
            self.market,
            "liquidate",
            account,
            amount,
            sender=self.roles.liquidator,
            unless=refusals,
        )

    def _gold_price(self) -> Fraction:
        """Return dollars (18 decimals) per wei of gold."""
        return Fraction(self.read(self.stage.gold_feed, "latestRoundData")[1], FEED_UNIT)

    def _debt_value(self, account: str) -> Fraction:
        return self.read(self.market, "debt_of", account) * self._gold_price()

    def _collateral_value(self, account: str) -> Fraction:
        return Fraction(self.read(self.market, "collateral_of", account) * OUNCE, DOLLAR)

    # --- Curator, keeper, thief ----------------------------------------------

    @rule(name=places, part=parts)
    def curator_moves(self, name: str, part: int) -> None:
        target = self.read(self.vault, "totalAssets") * part // 1000
        args = (getattr(self, name), target)
        self.act(self.vault, "update_debt", *args, sender=self.roles.curator, unless=TOO_LITTLE)

    @rule(name=places)
    def keeper_reports(self, name: str) -> None:
        strategy = getattr(self, name)
        self.act(self.vault, "process_report", strategy, sender=self.roles.curator)
        assert self.read(self.vault, "last_report", strategy) == self.stage.chain.timestamp()

    @rule(amount=st.integers(1, 100 * OUNCE))
    def pool_earns(self, amount: int) -> None:
        self.act(self.pool, "credit", amount, sender=self.roles.keeper)

    @rule(part=st.integers(0, 400))
    def pool_is_robbed(self, part: int) -> None:
        amount = self.read(self.pool, "totalAssets") * part // 1000
        self.loss_wei += amount
        self.act(self.pool, "seize", amount, self.roles.intruder, sender=self.roles.intruder)

    # --- What always holds ---------------------------------------------------

    @invariant()
    def prices_only_fall_by_reported_losses(self) -> None:
        now, before, grain = self._prices(), self.seen, self._grain()
        for name, loss in (("vault", self.loss_wei), ("market", self.market_loss_wei)):
            # A loss falls on the shares there were, a withdrawal's rounding on those left.
            supply = min(before[f"{name} supply"], now[f"{name} supply"])
            fall = (before[name] - now[name]) * (supply + 1) // RAY
            assert fall <= loss + (grain if loss or name == "vault" else 0), (name, fall, loss)
        assert now["debt"] >= before["debt"]
        self.seen, self.loss_wei, self.market_loss_wei = now, 0, 0

    @invariant()
    def balances_cover_the_books(self) -> None:
        gold, usdc = self.stage.gold, self.stage.usdc
        assert self.read(gold, "balanceOf", self.vault) >= self.read(self.vault, "idle")
        if self._queues():
            queue = self.stage.queue
            assert self.read(gold, "balanceOf", queue) >= self.read(queue, "set_aside")
        assert self.read(gold, "balanceOf", self.market) >= self.read(self.market, "cash")
        locked = self.read(self.market, "total_collateral")
        assert self.read(usdc, "balanceOf", self.market) >= locked
        held = (self.read(self.market, "collateral_of", who) for who in self._borrowers())
        assert sum(held) == locked
        debts = (self.read(self.vault, "debt_of", s) for s in (self.market, self.pool))
        assert sum(debts) == self.read(self.vault, "total_debt")

    def _borrowers(self) -> tuple[str, str]:
        return self.roles.borrower, self.roles.second_borrower

    @invariant()
    def what_is_set_aside_covers_the_claims(self) -> None:
        if not self._queues():
            return
        queue = self.stage.queue
        due = sum(self._parts(batch, "claimable_assets") for batch in self.batches)
        # Two claims of a batch round down by less than one wei each, for good.
        rest = self.read(queue, "set_aside") - due
        assert 0 <= rest < 2 * len(self.batches) + 1
        pending = sum(self._parts(batch, "pending_shares") for batch in self.batches)
        held = self.read(self.vault, "balanceOf", queue)
        assert 0 <= pending - held < 2 * len(self.batches) + 1

    @invariant()
    def claims_never_exceed_assets(self) -> None:
        roles = self.roles
        holders = [roles.depositor, roles.second_depositor, roles.fee_recipient]
        holders += [self.stage.queue] if self._queues() else []
        free = self.read(self.vault, "free_assets")
        assert self._claims(self.vault, holders) <= free <= self.read(self.vault, "totalAssets")
        with self._accrued():
            suppliers = (roles.crowd, roles.treasury, self.vault)
            total = self.read(self.market, "cash") + self.read(self.market, "total_borrows")
            assert total == self.read(self.market, "totalAssets")
            rest = total - self._claims(self.market, suppliers)
            # Each claim rounds down, and the virtual share has a claim of its own.
            virtual = self.read(self.market, "supply_index") // RAY + 1
            if self.read(self.market, "totalSupply"):
                assert 0 <= rest <= len(suppliers) + virtual
            due = sum(self.read(self.market, "debt_of", who) for who in self._borrowers())
            assert 0 <= due - self.read(self.market, "total_borrows") <= 2
            assert self.read(self.market, "utilisation") <= WAD

    def _claims(self, contract: Contract, holders: tuple[object, ...]) -> int:
        shares = [self.read(contract, "balanceOf", holder) for holder in holders]
        assert sum(shares) == self.read(contract, "totalSupply")
        return sum(self.read(contract, "convertToAssets", amount) for amount in shares)

    @contextmanager
    def _accrued(self) -> Iterator[None]:
        """Bring the treasury's shares up to date for a while."""
        snapshot = self.stage.chain.snapshot()
        self.stage.send(self.market, "accrue", sender=self.roles.stranger)
        yield
        self.stage.chain.revert(snapshot)

    @invariant()
    def limits_hold_to_the_wei(self) -> None:
        """One depositor and one function a turn: the limit passes, one more does not."""
        self.turn += 1
        roles = self.roles
        who = (roles.depositor, roles.second_depositor)[self.turn // 4 % 2]
        function = ("deposit", "mint", "withdraw", "redeem")[self.turn % 4]
        owners = (who,) if self.turn % 4 < 2 else (who, who)
        self._check_limit(self.vault, function, who, owners)
        if self.turn % 4 >= 2:
            crowd = roles.crowd
            self._check_limit(self.market, function, crowd, (crowd, crowd))

    def _check_limit(
        self, contract: Contract, function: str, who: str, owners: tuple[str, ...]
    ) -> None:
        limit = self.read(contract, f"max{function.capitalize()}", who)
        call = (contract, function)
        if limit and not (contract is self.vault and self._queues() and len(owners) == 2):
            assert self.stage.refusal(*call, limit, *owners, sender=who) is None
        refusal = self.stage.refusal(*call, limit + 1, *owners, sender=who)
        assert refusal is not None
        assert "exceeds" in refusal or "through the queue" in refusal

    @invariant()
    def only_unhealthy_borrowers_are_liquidated(self) -> None:
        threshold = self.stage.market_terms.liquidation_threshold
        for who in self._borrowers():
            # The contract rounds the debt's value up, by less than one unit of 18 decimals.
            limit = self._collateral_value(who) * threshold / WAD
            unhealthy = self.read(self.market, "is_liquidatable", who)
            assert unhealthy == (-(-self._debt_value(who) // 1) > limit)
            refusal = self.stage.refusal(
                self.market, "liquidate", who, 1, sender=self.roles.liquidator
            )
            assert refusal == (None if unhealthy else "lending_market: borrower is healthy")


def _open_stage(roles: SimpleNamespace, variant: str) -> GoldStage:
    terms = {
        "performance_fee_bps": 1_000,
        "management_fee_bps": 100,
        "deposit_cap": CAP,
    }
    if variant == "queue":
        terms |= {"cooldown_seconds": 2 * DAY, "batch_seconds": DAY}
    stage = GoldStage(RevmChain(), roles, vault_terms=VaultTerms(**terms))
    rich = ("depositor", "second_depositor", "crowd", "liquidator", "keeper", "intruder")
    for role in rich:
        stage.endow(getattr(roles, role), RICH)
    for role in ("borrower", "second_borrower"):
        stage.endow(getattr(roles, role), RICH // 4, dollars=10**9)
    stage.send(stage.gold, "approve", stage.pool, UNLIMITED, sender=roles.keeper)
    for strategy in (stage.market, stage.pool):
        stage.send(stage.vault, "add_strategy", strategy, sender=roles.curator)
    if variant == "queue":
        for who in (roles.depositor, roles.second_depositor):
            stage.send(stage.vault, "approve", stage.queue, UNLIMITED, sender=who)
    if variant == "charging":
        stage.send(stage.gold, "setFeeRate", FEE_PPM, sender=roles.owner)
    return stage


@pytest.mark.parametrize("variant", RUNS)
def test_vault_and_market__any_sequence_of_acts__keeps_every_invariant(
    roles: SimpleNamespace, variant: str
):
    stage = _open_stage(roles, variant)
    members = {
        "stage": stage,
        "start": stage.chain.snapshot(),
        "charging": variant == "charging",
    }
    machine = type(f"Everyone{variant.capitalize()}", (Everyone,), members)
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=RUNS[variant],
            stateful_step_count=ACTS,
            deadline=None,
            derandomize=True,
            database=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
