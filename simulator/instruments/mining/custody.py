"""Tokens of a mine: paid for in the raise, locked up, sold at the desk; profit is claimed.

Investors are verified holders like the measured one. What they pay into the raise comes out of
the crowd's part, and what the desk sells out of the crowd's tokens, so that raise, supply and
payments are the model's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from simulator.chain import Call, Contract
from simulator.errors import ReconciliationFailed
from simulator.instruments.custody import QUOTE_DECIMALS, Custody, DeskAccount, Quote, Seat
from simulator.instruments.mining.player import FUNDS_UNIT, TOKEN_DECIMALS, Guests
from simulator.instruments.mining.terms import MiningStoTerms
from simulator.instruments.stage import UNLIMITED, Observable, Phase, Stage
from simulator.units import SECONDS_PER_DAY, USDC_DECIMALS, FloatArray, from_wei, to_wei

FIRST_IDENTITY = 32
"""Numbers of identities from here on are those of guests."""

STOCK_ROOM = 1.0
"""Tokens in the desk beyond what it sells: payments and trades round."""


@dataclass(frozen=True)
class Offering:
    """An STO on one path, as those see it who buy in.

    Attributes
    ----------
    begin : int
        Unix time of step 0.
    paid_in : dict of str to ndarray of shape (n_steps + 1,), USD
        What an investor pays into the raise on a step.
    profit : ndarray of shape (n_steps + 1,), USD
        What a token could have claimed so far.
    periods : frozenset of int
        Steps on which profit is paid in, and claimed.
    stock : float
        Tokens that the desk must have from the crowd.
    """

    terms: MiningStoTerms
    begin: int
    succeeds: bool
    paid_in: Mapping[str, FloatArray]
    profit: FloatArray
    periods: frozenset[int]
    stock: float

    @property
    def close(self) -> int:
        """Step on which the raise closes."""
        return self.terms.sale.days

    @property
    def lock_end(self) -> int:
        """First step on which the tokens of the raise can be sold."""
        return self.terms.sale.days + self.terms.compliance.lockup_days

    @cached_property
    def daily_profit(self) -> FloatArray:
        """What a token gains a claim to from each step to the next, shape (n_steps,), USD."""
        gained: FloatArray = np.diff(self.profit)
        return gained

    @cached_property
    def price(self) -> int:
        """Units of USDC for a token."""
        units: int = to_wei(self.terms.sale.token_price_usd, USDC_DECIMALS)
        return units

    def payments(self) -> dict[int, int]:
        """Return what all investors pay into the raise by step, units of USDC."""
        amounts = {
            step: sum(self.payment(name, step) for name in self.paid_in)
            for step in range(self.close)
        }
        return {step: amount for step, amount in amounts.items() if amount > 0}

    def payment(self, investor: str, step: int) -> int:
        """Return what an investor pays into the raise on a step, units of USDC."""
        units: int = to_wei(float(self.paid_in[investor][step]), USDC_DECIMALS)
        return units


class StoTokens(Custody):
    """Tokens that only verified wallets hold, and the profit they bring."""

    quote_decimals = QUOTE_DECIMALS
    n_views = 5

    def __init__(self, token: str, quote: Quote, offering: Offering, guests: Guests) -> None:
        """Take one path's offering; `guests` are told to the STO's own player."""
        super().__init__(token, TOKEN_DECIMALS, quote, (token, "token"))
        self._offering, self._guests = offering, guests
        self._last = quote.token_usd.size - 1
        self._paid = dict.fromkeys(offering.paid_in, 0)

    def observables(self, account: DeskAccount) -> list[Observable]:
        """Return tokens, and dollars received from raise and token."""
        size = float(account.units.max()) * self._offering.terms.sale.token_price_usd
        name = self.name(account, "received")
        return [
            *super().observables(account),
            Observable(name, 1, FUNDS_UNIT, max(1.0, size)),
        ]

    # -- set-up ------------------------------------------------------------------------

    def deploy(self, stage: Stage, desk: Contract, seats: Sequence[Seat]) -> None:
        """List the token, and register desk and investors."""
        super().deploy(stage, desk, seats)
        self._usdc, self._registry, self._rules, self._raise = (
            stage.contract(part, self.token) for part in ("usdc", "registry", "compliance", "raise")
        )
        wallets = [desk.address, *(seat.address for seat in seats)]
        self._guests.wallets.extend(wallets)
        owner, country = stage.roles.owner, self._offering.terms.compliance.holder_country
        registrations = [
            self._registry.call("registerIdentity", wallet, f"0x1d{n:038x}", country, sender=owner)
            for n, wallet in enumerate(wallets, start=FIRST_IDENTITY)
        ]
        allow = ("approve", self._raise, UNLIMITED)
        stage.send(
            *registrations, *(self._usdc.call(*allow, sender=seat.address) for seat in seats)
        )

    def _stock(self) -> list[Call]:
        return []

    # -- a step ------------------------------------------------------------------------

    def calls(self, step: int) -> list[tuple[Phase, Call]]:
        """Return payments into the raise, what its close brings, and claims of profit."""
        offering, calls = self._offering, list[tuple[Phase, Call]]()
        if step < offering.close:
            for seat in self.seats:
                calls += [(Phase.DEPOSITS, call) for call in self._pay_in(seat, step)]
        elif step == offering.close:
            calls += [(Phase.DEPOSITS, call) for call in self._closing()]
        if offering.succeeds and (step in offering.periods or step == self._last):
            calls += [
                (Phase.CLAIMS, self._contract.call("withdrawFunds", sender=seat.address))
                for seat in self.seats
            ]
        return calls

    def _pay_in(self, seat: Seat, step: int) -> list[Call]:
        """Pay into the raise with money that comes into being for it."""
        amount = self._offering.payment(seat.account.investor, step)
        if amount == 0:
            return []
        self._paid[seat.account.investor] += amount
        seat.trades += 1
        owner = self._stage.roles.owner
        return [
            self._usdc.call("mint", seat.address, amount, sender=owner),
            self._raise.call("contribute", amount, sender=seat.address),
        ]

    def _closing(self) -> list[Call]:
        """Hand out tokens, lock them and stock the desk; or pay the money back."""
        offering, roles, calls = self._offering, self._stage.roles, list[Call]()
        crowd = self._stage.accounts.of(self.token, "crowd")
        until = offering.begin + offering.lock_end * SECONDS_PER_DAY
        for seat in self.seats:
            paid = self._paid[seat.account.investor]
            if paid == 0:
                continue
            settle = "claim" if offering.succeeds else "refund"
            calls.append(self._raise.call(settle, seat.address, sender=seat.address))
            if offering.succeeds:
                seat.balance = paid * 10**TOKEN_DECIMALS // offering.price
                lock = (seat.address, seat.balance, until)
                calls.append(self._rules.call("set_lockup", *lock, sender=roles.owner))
        if offering.succeeds and offering.stock > 0.0:
            stock = to_wei(offering.stock + STOCK_ROOM, TOKEN_DECIMALS)
            calls.append(self._contract.call("transfer", self._desk, stock, sender=crowd))
        return calls

    def sale_phase(self, step: int) -> Phase:
        """Return when the day's sales take place: on the close after tokens are handed out."""
        return Phase.DEPOSITS if step == self._offering.close else super().sale_phase(step)

    # -- observation -------------------------------------------------------------------

    def views(self, seat: Seat) -> list[Call]:
        """Return the reads: tokens, money in the raise, claim, money received, freedom."""
        return [
            *super().views(seat),
            self._raise.call("paid_by", seat.address),
            self._contract.call("withdrawableFundsOf", seat.address),
            self._usdc.call("balanceOf", seat.address),
            self._rules.call("canTransfer", seat.address, self._desk, seat.balance),
        ]

    def read(self, seat: Seat, words: Sequence[int]) -> Mapping[str, float]:
        """Return an account's observables on chain; money in the raise counts as its tokens."""
        held, in_raise, claim, cash, _ = words
        tokens = held + in_raise * 10**TOKEN_DECIMALS // self._offering.price
        return {
            self.name(seat.account, "tokens"): from_wei(tokens, TOKEN_DECIMALS),
            self.name(seat.account, "received"): from_wei(claim + cash, USDC_DECIMALS),
        }

    def expected(self, account: DeskAccount, step: int) -> Mapping[str, float]:
        """Return the model's: profit is that of the tokens held overnight."""
        offering = self._offering
        received = float(account.units[:step] @ offering.daily_profit[:step])
        if not offering.succeeds and step >= offering.close:
            received += float(offering.paid_in[account.investor].sum())
        return {
            self.name(account, "tokens"): account.held(step),
            self.name(account, "received"): received,
        }

    def lost_tokens(self, seat: Seat, step: int) -> float:
        """Return what payments in whole units of USDC leave open, in tokens."""
        payments = np.count_nonzero(self._offering.paid_in[seat.account.investor][: step + 1])
        return int(payments) / self._offering.price

    def check(self, seat: Seat, step: int, words: Sequence[int]) -> int:
        """Compare whether the tokens may be sold, while there are any."""
        if seat.balance == 0 or step < self._offering.close:
            return 0
        free, expected = bool(words[4]), step >= self._offering.lock_end
        if free != expected:
            raise ReconciliationFailed(
                f"step {step}: {seat.account.investor}'s {self.token} is "
                f"{'free' if free else 'locked up'} on chain, and not in the model"
            )
        return 1
