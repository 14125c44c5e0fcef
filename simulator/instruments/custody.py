"""How a kind of token is quoted at the desk, and gets to an investor and away from him."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property

import numpy as np

from simulator.chain import Call, Contract
from simulator.instruments.base import InstrumentPaths
from simulator.instruments.stage import UNLIMITED, Holder, Key, Observable, Phase, Stage
from simulator.units import BPS, DEAD_BAND, FEED_DECIMALS, FloatArray, from_wei, to_wei

INVENTORY_TOKENS = 1_000_000
QUOTE_DECIMALS = 18
"""Decimals of feeds whose answers are not quantised in the model."""


@dataclass(frozen=True)
class Quote:
    """At what the desk trades a token; arrays of shape (n_steps + 1,).

    Attributes
    ----------
    token_usd : ndarray, USD per token
        The price at mark: what stops look at; the desk asks it plus the spread.
    spread_bps : float
    bid_usd : ndarray, USD per token, or None
        What a sale pays, nothing at least; None where that is the price less the spread.
    """

    token_usd: FloatArray
    spread_bps: float
    bid_usd: FloatArray | None = None

    @cached_property
    def bids(self) -> FloatArray:
        """What a token brings, shape (n_steps + 1,), USD."""
        if self.bid_usd is not None:
            return self.bid_usd
        return self.token_usd * (1.0 - self.spread_bps / BPS)


@dataclass(frozen=True)
class DeskAccount:
    """What one investor does with one token on a path; arrays of shape (n_steps + 1,).

    Attributes
    ----------
    quote : Quote
    units : ndarray
        Tokens held at the end of a step, or paid for in a raise that is still open.
    bought, sold : ndarray
        Tokens traded at the desk on a step, before the exit at the horizon.
    level : ndarray, USD
        Price at which the stop stands at the end of a step, 0 for none.
    stays : bool
        Whether what is held at the horizon cannot be sold.
    """

    investor: str
    token: str
    decimals: int
    quote: Quote
    units: FloatArray
    bought: FloatArray
    sold: FloatArray
    level: FloatArray
    stays: bool = False

    @property
    def token_usd(self) -> FloatArray:
        """The price at mark, shape (n_steps + 1,), USD per token."""
        return self.quote.token_usd

    @cached_property
    def last(self) -> int:
        """The last step."""
        return int(self.units.size) - 1

    @cached_property
    def levels(self) -> list[float]:
        """`level` as plain numbers, for what is looked at on every step."""
        found: list[float] = self.level.tolist()
        return found

    def leaves(self, step: int) -> bool:
        """Return whether all that is left is sold on a step."""
        return step == self.last and self._leaves

    @cached_property
    def _leaves(self) -> bool:
        return not self.stays and bool(self.token_usd[self.last] > 0.0)

    def sales(self) -> FloatArray:
        """Return the tokens sold on each step, shape (n_steps + 1,), the exit included."""
        sold = self.sold.copy()
        sold[-1] += self.units[-1] if self.leaves(self.last) else 0.0
        return sold

    def trades(self, step: int) -> bool:
        """Return whether anything is bought or sold at the desk on a step."""
        return self._trades[step]

    @cached_property
    def _trades(self) -> list[bool]:
        found: list[bool] = ((self.bought > 0.0) | (self.sold > 0.0)).tolist()
        found[-1] = found[-1] or self._leaves
        return found

    def held(self, step: int) -> float:
        """Return the tokens there are after all that is done on a step."""
        return self._held[step]

    @cached_property
    def _held(self) -> list[float]:
        found: list[float] = self.units.tolist()
        found[-1] = 0.0 if self._leaves else found[-1]
        return found

    def paid(self, usdc: FloatArray | float = 1.0) -> FloatArray:
        """Return the USDC that the desk has paid less what it was paid, up to each step.

        `usdc`, of shape (n_steps + 1,), is its price in dollars, as which it is paid.
        """
        asked = self.token_usd * (1.0 + self.quote.spread_bps / BPS)
        return np.cumsum((self.sales() * self.quote.bids - self.bought * asked) / usdc)

    def touches(self, step: int) -> bool:
        """Return whether the model sees the stop touched on a step."""
        return bool(self.token_usd[step] < self.level[step] * (1.0 - DEAD_BAND))


def desk_account(
    investor: str,
    token: str,
    holder: Holder,
    decimals: int,
    quote: Quote,
    per_unit: float = 1.0,
    *,
    stays: bool = False,
) -> DeskAccount:
    """Return what an investor does at the desk; `per_unit` tokens stand for a unit held."""
    return DeskAccount(
        investor=investor,
        token=token,
        decimals=decimals,
        quote=quote,
        units=holder.units * per_unit,
        bought=holder.bought * per_unit,
        sold=holder.sold * per_unit,
        level=holder.level / per_unit,
        stays=stays,
    )


def ended(account: DeskAccount, step: int) -> DeskAccount:
    """Return an account that is empty from a step on."""

    def until(values: FloatArray) -> FloatArray:
        kept = values.copy()
        kept[step:] = 0.0
        return kept

    return replace(
        account,
        units=until(account.units),
        bought=until(account.bought),
        sold=until(account.sold),
        level=until(account.level),
    )


def per_token(paths: InstrumentPaths, lane: int, per_unit: float) -> tuple[FloatArray, FloatArray]:
    """Return mark and proceeds of a token on a path, USD: what portfolios see.

    Shapes are (n_steps + 1,); the last proceeds are those of the exit. `per_unit` tokens stand for
    a unit of the position.

    Raises
    ------
    ValueError
        The paths were simulated without their days.
    """
    days = paths.daily
    if days is None:
        raise ValueError(f"{paths.name} was simulated without its days; the desk needs them")
    mark = paths.mark["usd"] if days.value is None else days.value
    leave = paths.exit["usd"][:, lane]
    leave = leave if days.income is None else leave - np.cumsum(days.income[:, lane])
    sale = leave if days.access.sale_usd is None else days.access.sale_usd[:, lane].copy()
    sale[-1] = leave[-1]
    return mark[:, lane] / per_unit, np.maximum(sale, 0.0) / per_unit


@cache
def _name(investor: str, token: str, what: str) -> str:
    return f"{investor}.{token}.{what}"


@dataclass
class Seat:
    """An account on the stage: its address, what it could sell in wei, its order.

    `reads` are its views as they were asked when it could sell `read_at`.
    """

    account: DeskAccount
    address: str
    token: Contract
    custody: Custody
    balance: int = 0
    order: int = 0
    level: float = 0.0
    touched: int = -1
    trades: int = 0
    watched: bool = False
    reads: list[Call] = field(default_factory=list)
    read_at: int = -1


class Custody:
    """A token that lies in its holder's wallet, and of which the custodian has plenty."""

    quote_decimals = FEED_DECIMALS
    n_views = 1

    def __init__(self, token: str, decimals: int, quote: Quote, contract: Key) -> None:
        """Take what is kept: the position's name, and the label and name of its contract."""
        self.token, self.decimals, self.quote, self.contract = token, decimals, quote, contract
        self.seats: list[Seat] = []

    def name(self, account: DeskAccount, what: str) -> str:
        """Return the name of an observable of an account."""
        return _name(account.investor, self.token, what)

    def observables(self, account: DeskAccount) -> list[Observable]:
        """Return what is compared of an account beside its dollars."""
        largest = max(1.0, float(account.units.max()))
        name = self.name(account, "tokens")
        return [Observable(name, 2, 10.0**-self.decimals, largest)]

    # -- set-up ------------------------------------------------------------------------

    def deploy(self, stage: Stage, desk: Contract, seats: Sequence[Seat]) -> None:
        """List the token at the desk, stock it, and let the desk take what is sold."""
        self._stage, self._desk, self.seats = stage, desk, list(seats)
        self._contract = stage.contracts[self.contract]
        self.feed = self._new_feed("price")
        bids = [self._new_feed("bid")] if self.quote.bid_usd is not None else []
        terms = (self._contract, self.feed, round(self.quote.spread_bps), *bids)
        self._bid_feeds = bids
        stage.send(
            desk.call("list_token", *terms, sender=stage.roles.owner),
            *self._stock(),
            *(self._contract.call("approve", desk, UNLIMITED, sender=s.address) for s in seats),
        )

    def _new_feed(self, what: str) -> Contract:
        keeper, title = self._stage.roles.keeper, f"{self.token} / USD {what}"
        name = f"{self.token}_{what}_feed"
        return self._stage.deploy("price_feed", self.quote_decimals, title, keeper, name=name)

    def _stock(self) -> list[Call]:
        stock = INVENTORY_TOKENS * 10**self.decimals
        sender = self._stage.roles.custodian
        return [self._contract.call("transfer", self._desk, stock, sender=sender)]

    # -- a step ------------------------------------------------------------------------

    def prices(self, step: int) -> list[Call]:
        """Return the step's rounds; the bid has one only on days on which somebody trades."""
        keeper = self._stage.roles.keeper
        answers = [(self.feed, self.quote.token_usd)]
        if any(seat.account.trades(step) for seat in self.seats):
            answers += [(bid_feed, self.quote.bids) for bid_feed in self._bid_feeds]
        return [
            feed.call("update_answer", to_wei(float(usd[step]), self.quote_decimals), sender=keeper)
            for feed, usd in answers
        ]

    def calls(self, step: int) -> list[tuple[Phase, Call]]:
        """Return what happens whether anybody trades or not."""
        del step
        return []

    def sale_phase(self, step: int) -> Phase:
        """Return when the day's sales take place."""
        del step
        return Phase.WITHDRAWALS

    def sale(self, seat: Seat, wei: int, trade: Call) -> list[Call]:
        """Return a sale with what goes before and after it; `trade` is that at the desk."""
        del seat, wei
        return [trade]

    def purchase(self, seat: Seat, wei: int, trade: Call) -> list[Call]:
        """Return a purchase with what goes before and after it."""
        del seat, wei
        return [trade]

    # -- observation -------------------------------------------------------------------

    def views(self, seat: Seat) -> list[Call]:
        """Return the reads of an account, `n_views` of them; they depend on its balance alone."""
        return [self._contract.call("balanceOf", seat.address)]

    def read(self, seat: Seat, words: Sequence[int]) -> Mapping[str, float]:
        """Return an account's observables on chain, its tokens among them."""
        return {self.name(seat.account, "tokens"): from_wei(words[0], self.decimals)}

    def expected(self, account: DeskAccount, step: int) -> Mapping[str, float]:
        """Return the model's."""
        return {self.name(account, "tokens"): account.held(step)}

    def lost_tokens(self, seat: Seat, step: int) -> float:
        """Return what units coarser than the token's can add up to, in tokens."""
        del seat, step
        return 0.0

    def extra_tolerance(self, account: DeskAccount, step: int) -> Mapping[str, float]:
        """Return what else an account's observables may be out by."""
        del account, step
        return {}

    def check(self, seat: Seat, step: int, words: Sequence[int]) -> int:
        """Compare the contract's own rules with the model's; return how many.

        Raises
        ------
        ReconciliationFailed
            They differ.
        """
        del seat, step, words
        return 0
