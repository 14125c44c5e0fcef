"""Sends what investors do at the desk, and compares tokens, dollars and value on every step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np

from simulator.chain import ZERO_ADDRESS, Call, Contract, Receipt
from simulator.errors import ReconciliationFailed
from simulator.instruments.custody import QUOTE_DECIMALS, Custody, DeskAccount, Seat
from simulator.instruments.stage import UNLIMITED, Observable, Phase, Stage
from simulator.replay.desk.plan import DeskPlan
from simulator.units import (
    DEAD_BAND,
    FEED_DECIMALS,
    SECONDS_PER_DAY,
    USDC_DECIMALS,
    from_wei,
    to_wei,
)

RICH_USDC = 10 ** (12 + USDC_DECIMALS)
"""USDC of each investor and of the desk: what they trade with is the model's affair."""

_WORD = 32

_ACTS = {
    "desk.buy": "buy",
    "desk.sell": "sell",
    "desk.place_stop": "order",
    "desk.move_stop": "order",
}


class DeskPlayer:
    """Lists the tokens at the desk and does what the investors do there."""

    def __init__(self, plan: DeskPlan) -> None:
        """Take what is planned for one path."""
        self._accounts, self._custodies = plan.accounts, dict(plan.custodies)
        self.notes = plan.notes
        self._names = list(dict.fromkeys(account.investor for account in self._accounts))
        self._last_step = max((account.last for account in self._accounts), default=0)
        self._usdc_usd = np.ones(self._last_step + 1) if plan.usdc is None else plan.usdc
        self._has_price = plan.usdc is not None
        self._dearest = 1.0 / float(self._usdc_usd.min())
        self._paid: list[list[float]] = [a.paid(self._usdc_usd).tolist() for a in self._accounts]
        self._orders = 0
        self._highest = {a.token: float(a.token_usd.max()) for a in self._accounts}
        self._dollars = {name: (f"{name}.desk_usd", f"{name}.on_chain_usd") for name in self._names}
        self.observables = _observables(self._accounts, self._custodies, self._dearest)

    # -- set-up ------------------------------------------------------------------------

    def deploy(self, stage: Stage) -> None:
        """Create the desk, list and stock it, and give every investor dollars."""
        roles = stage.roles
        self._stage = stage
        self._usdc = stage.deploy("usdc")
        price = self._price_feed(stage) if self._has_price else ZERO_ADDRESS
        self._desk = stage.deploy("desk", self._usdc, roles.keeper, 2 * SECONDS_PER_DAY, price)
        stage.send(
            self._usdc.call("configureMinter", roles.owner, UNLIMITED, sender=roles.owner),
            self._usdc.call("mint", self._desk, RICH_USDC, sender=roles.owner),
        )
        addresses = {
            name: stage.accounts.of(stage.label, f"investor {name}") for name in self._names
        }
        for address in addresses.values():
            stage.send(
                self._usdc.call("mint", address, RICH_USDC, sender=roles.owner),
                self._usdc.call("approve", self._desk, UNLIMITED, sender=address),
            )
        self._seats = [
            Seat(
                account,
                addresses[account.investor],
                stage.contracts[self._custodies[account.token].contract],
                self._custodies[account.token],
            )
            for account in self._accounts
        ]
        for token, custody in self._custodies.items():
            custody.deploy(stage, self._desk, [s for s in self._seats if s.account.token == token])

    def _price_feed(self, stage: Stage) -> Contract:
        """Create the feed of what a USDC is worth; it has a round each day."""
        form = ("price_feed", FEED_DECIMALS, "USDC / USD", stage.roles.keeper)
        self._usdc_feed = stage.deploy(*form, name="usdc_feed")
        return self._usdc_feed

    # -- a step ------------------------------------------------------------------------

    def calls(self, step: int) -> list[tuple[Phase, Call]]:
        """Return the prices, the stops that fill, the trades, and the orders after them."""
        calls = [(Phase.PRICES, call) for call in self._usdc_price(step)]
        for custody in self._custodies.values():
            calls += [(Phase.PRICES, call) for call in custody.prices(step)]
            calls += custody.calls(step)
        for seat in self._seats:
            if seat.account.trades(step):
                calls += self._sales(seat, step)
                calls += self._purchases(seat, step)
        for seat in self._seats:
            calls += [(Phase.CLAIMS, call) for call in self._order(seat, step)]
        return calls

    def _usdc_price(self, step: int) -> list[Call]:
        if not self._has_price:
            return []
        answer = to_wei(float(self._usdc_usd[step]), FEED_DECIMALS)
        return [self._usdc_feed.call("update_answer", answer, sender=self._stage.roles.keeper)]

    def _sales(self, seat: Seat, step: int) -> list[tuple[Phase, Call]]:
        account = seat.account
        leaves = account.leaves(step)
        sold = float(account.sold[step]) + (float(account.units[step]) if leaves else 0.0)
        if sold <= 0.0 or account.token_usd[step] <= 0.0:
            return []
        everything = leaves or float(account.units[step]) <= 0.0
        wei = seat.balance if everything else min(to_wei(sold, account.decimals), seat.balance)
        if wei == 0:
            return []
        seat.trades += 1
        seat.balance -= wei
        phase, trade = self._sale(seat, wei, step)
        return [(phase, call) for call in seat.custody.sale(seat, wei, trade)]

    def _sale(self, seat: Seat, wei: int, step: int) -> tuple[Phase, Call]:
        """Return how tokens are sold: by the keeper after a touch, else by their holder."""
        phase = seat.custody.sale_phase(step)
        if seat.account.quote.bids[step] <= 0.0:
            # nobody pays for them: they are given away, as the model gives them
            return phase, seat.token.call("transfer", self._desk, wei, sender=seat.address)
        if seat.order and seat.touched >= 0:
            order, seat.order = seat.order, 0
            # The feed has had one round a step, the first on step 0.
            keeper = self._stage.roles.keeper
            fill = self._desk.call("execute_stop", order, seat.touched + 1, sender=keeper)
            return Phase.STOPS, fill
        return phase, self._desk.call("sell", seat.token, wei, 0, sender=seat.address)

    def _purchases(self, seat: Seat, step: int) -> list[tuple[Phase, Call]]:
        wei = to_wei(float(seat.account.bought[step]), seat.account.decimals)
        if wei == 0:
            return []
        seat.trades += 1
        seat.balance += wei
        trade = self._desk.call("buy", seat.token, wei, UNLIMITED, sender=seat.address)
        return [(Phase.DEPOSITS, call) for call in seat.custody.purchase(seat, wei, trade)]

    def _order(self, seat: Seat, step: int) -> list[Call]:
        """Return the order's way to where the model's stop stands after the step's trades."""
        level = seat.account.levels[step]
        seat.watched = False
        if step == self._last_step:
            return []
        if level <= 0.0:
            waits = seat.touched >= 0 and seat.account.units[step] > 0.0
            order, seat.order = seat.order, (seat.order if waits else 0)
            seat.touched = seat.touched if waits else -1
            return [] if waits or not order else [self._call(seat, "cancel_stop", order)]
        if seat.account.token_usd[step] <= 0.0:
            return []
        seat.watched = True
        trigger = to_wei(level, QUOTE_DECIMALS)
        changed, seat.level = level != seat.level, level
        seat.touched = step if seat.account.touches(step) else -1
        if not seat.order:
            self._orders += 1
            seat.order = self._orders
            return [self._call(seat, "place_stop", seat.token, UNLIMITED, trigger)]
        return [self._call(seat, "move_stop", seat.order, UNLIMITED, trigger)] if changed else []

    def _call(self, seat: Seat, function: str, *args: object) -> Call:
        return self._desk.call(function, *args, sender=seat.address)

    # -- observation -------------------------------------------------------------------

    def views(self, step: int) -> list[Call]:
        """Return the reads: of feeds, of dollars, of each account, then the orders' states."""
        del step
        calls = [*self._reads]
        for seat in self._seats:
            calls += self._reads_of(seat)
        return calls + [self._desk.call("is_touched", seat.order) for seat in self._watched()]

    @cached_property
    def _reads(self) -> list[Call]:
        calls = [custody.feed.call("latestRoundData") for custody in self._custodies.values()]
        return calls + [self._usdc.call("balanceOf", seat.address) for seat in self._seats]

    def _reads_of(self, seat: Seat) -> list[Call]:
        """Return the reads of an account, which change with what it could sell alone."""
        if seat.read_at != seat.balance:
            seat.reads, seat.read_at = seat.custody.views(seat), seat.balance
        return seat.reads

    def _watched(self) -> list[Seat]:
        return [seat for seat in self._seats if seat.watched]

    def _words(self, answers: Sequence[bytes]) -> list[list[int]]:
        """Return what was read of each account."""
        at, found = len(self._custodies) + len(self._seats), []
        for seat in self._seats:
            own = answers[at : at + seat.custody.n_views]
            found.append([int.from_bytes(answer, "big") for answer in own])
            at += seat.custody.n_views
        return found

    def read(self, step: int, answers: Sequence[bytes]) -> Mapping[str, float]:
        """Return tokens, what they are worth, and dollars; these of all an investor's tokens."""
        del step
        quoted, found = len(self._custodies), dict[str, float]()
        read = zip(self._custodies.values(), answers[:quoted], strict=True)
        usd = {custody.token: _answer(answer, custody) for custody, answer in read}
        for n, (seat, words) in enumerate(zip(self._seats, self._words(answers), strict=True)):
            own, account = seat.custody.read(seat, words), seat.account
            desk_usd, on_chain_usd = self._dollars[account.investor]
            cash = int.from_bytes(answers[quoted + n], "big") - RICH_USDC
            tokens = own[seat.custody.name(account, "tokens")]
            found |= own
            found[desk_usd] = from_wei(cash, USDC_DECIMALS)
            found[on_chain_usd] = found.get(on_chain_usd, 0.0) + tokens * usd[account.token]
        return found

    def expected(self, step: int) -> Mapping[str, float]:
        """Return the model's tokens, their value at mark, and dollars."""
        found: dict[str, float] = {}
        for account, paid in zip(self._accounts, self._paid, strict=True):
            found |= self._custodies[account.token].expected(account, step)
            desk_usd, on_chain_usd = self._dollars[account.investor]
            worth = account.held(step) * float(account.token_usd[step])
            found[desk_usd] = found.get(desk_usd, 0.0) + paid[step]
            found[on_chain_usd] = found.get(on_chain_usd, 0.0) + worth
        return found

    def extra_tolerance(self, step: int) -> Mapping[str, float]:
        """Return what rounding tokens to their unit is worth, and coarser units."""
        found: dict[str, float] = {}
        for seat in self._seats:
            account, custody = seat.account, seat.custody
            lost = custody.lost_tokens(seat, step)
            found[custody.name(account, "tokens")] = lost
            lost += seat.trades * 10.0**-account.decimals
            worth = lost * self._highest[account.token]
            desk_usd, on_chain_usd = self._dollars[account.investor]
            found[desk_usd] = found.get(desk_usd, 0.0) + worth * self._dearest
            found[on_chain_usd] = found.get(on_chain_usd, 0.0) + worth
            found |= custody.extra_tolerance(account, step)
        return found

    def check_decisions(self, step: int, answers: Sequence[bytes]) -> tuple[int, int]:
        """Compare who is stopped, outside the dead-band, and what may be sold."""
        watched = self._watched()
        inside = 0
        compared = len(watched)
        for seat, words in zip(self._seats, self._words(answers), strict=True):
            compared += seat.custody.check(seat, step, words)
        for seat, answer in zip(watched, answers[len(answers) - len(watched) :], strict=True):
            account = seat.account
            price, level = float(account.token_usd[step]), float(account.level[step])
            if abs(price / level - 1.0) <= DEAD_BAND:
                inside += 1
            elif bool(int.from_bytes(answer, "big")) != account.touches(step):
                raise ReconciliationFailed(
                    f"step {step}: {account.investor}'s stop on {account.token} at {level:.8f} "
                    f"(price {price:.8f}) is {'not ' if account.touches(step) else ''}touched "
                    "on chain"
                )
        return compared, inside

    def gas(self, step: int, receipts: Sequence[Receipt]) -> Mapping[str, int]:
        """Return the mean gas of a step's purchases, sales and orders at the desk.

        It is told and not booked: a unit's price bears the measured holder's gas already.
        """
        del step
        used: dict[str, list[int]] = {}
        for receipt in receipts:
            act = _ACTS.get(receipt.call.told)
            if act is not None and receipt.call.to == self._desk.address:
                used.setdefault(act, []).append(receipt.gas_used)
        return {act: round(sum(found) / len(found)) for act, found in used.items()}


def _answer(answer: bytes, custody: Custody) -> float:
    """Return the price of a round, the second of its words, in dollars."""
    price = int.from_bytes(answer[_WORD : 2 * _WORD], "big", signed=True)
    return from_wei(price, custody.quote_decimals)


def _observables(
    accounts: Sequence[DeskAccount], custodies: Mapping[str, Custody], dearest: float
) -> tuple[Observable, ...]:
    """Return those of each account, and the USDC and the value of each investor.

    `dearest` is the most USDC that a dollar ever is.
    """
    own = [found for a in accounts for found in custodies[a.token].observables(a)]
    traded: dict[str, float] = {}
    worth: dict[str, float] = {}
    for account in accounts:
        amounts = account.bought + account.sales()
        size = float(amounts @ account.token_usd) * dearest
        traded[account.investor] = traded.get(account.investor, 1.0) + size
        most = float((account.units * account.token_usd).max())
        worth[account.investor] = worth.get(account.investor, 1.0) + most
    operations, unit = 2 * len(accounts), 10.0**-USDC_DECIMALS
    dollars = [
        Observable(f"{investor}.desk_usd", operations, unit, size)
        for investor, size in traded.items()
    ]
    values = [
        Observable(f"{investor}.on_chain_usd", 0, 0.0, size) for investor, size in worth.items()
    ]
    return (*own, *dollars, *values)
