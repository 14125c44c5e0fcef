"""Trades investors' tokens at the desk along one path, and lets its stops fill.

What a portfolio does with a token of this chain is done again with transactions: purchases and
sales at the desk, stop orders placed and moved as the model's level moves, executed by the keeper
on the step after the touch. What is held off chain is not played.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from simulator.chain import Call, Contract, Receipt
from simulator.errors import ReconciliationFailed
from simulator.investors.portfolio.state import DEAD_BAND
from simulator.investors.world import METALS, World
from simulator.replay.stage import UNLIMITED, Observable, Phase, Stage
from simulator.scenario.models import Scenario
from simulator.units import (
    BPS,
    FEED_DECIMALS,
    SECONDS_PER_DAY,
    USDC_DECIMALS,
    FloatArray,
    from_wei,
    to_wei,
)

RICH_USDC = 10 ** (12 + USDC_DECIMALS)
"""USDC of each investor and of the desk: what they trade with is the model's affair."""

INVENTORY_TOKENS = 1_000_000
_PRICE_DECIMALS = 18


@dataclass(frozen=True)
class DeskAccount:
    """What one investor does with one token on a path; arrays of shape (n_steps + 1,).

    Attributes
    ----------
    token_usd : ndarray, USD per token
    units : ndarray
        Tokens held at the end of a step.
    bought, sold : ndarray
        Tokens traded on a step, before the exit at the horizon.
    level : ndarray, USD
        Price at which the stop stands at the end of a step, 0 for none.
    spread_bps : float
    """

    investor: str
    token: str
    decimals: int
    spread_bps: float
    token_usd: FloatArray
    units: FloatArray
    bought: FloatArray
    sold: FloatArray
    level: FloatArray

    def usd(self) -> FloatArray:
        """Return what the desk has paid less what it was paid, up to each step."""
        spread = self.spread_bps / BPS
        sold = self.sold.copy()
        sold[-1] += self.units[-1]
        flow = sold * self.token_usd * (1.0 - spread) - self.bought * self.token_usd * (1 + spread)
        return np.cumsum(flow)

    def touches(self, step: int) -> bool:
        """Return whether the model sees the stop touched on a step."""
        return bool(self.token_usd[step] < self.level[step] * (1.0 - DEAD_BAND))


def desk_accounts(scenario: Scenario, world: World, lane: int) -> tuple[DeskAccount, ...]:
    """Return an account for each token in each portfolio, of path `lane` of the block."""
    found = []
    for name, investor in world.investors.items():
        held = investor.portfolio
        for metal in METALS:
            terms = scenario.instruments.token(metal.name)
            if held is None or terms is None or metal.name not in held.holdings:
                continue
            row = held.holdings.index(metal.name)
            prices = world.plays.tokens[metal.name].prices
            found.append(
                DeskAccount(
                    investor=name,
                    token=metal.name,
                    decimals=terms.decimals,
                    spread_bps=terms.sale_spread_bps,
                    token_usd=prices.token_usd[:, lane],
                    units=held.units[row, :, lane],
                    bought=held.bought[row, :, lane],
                    sold=held.sold[row, :, lane],
                    level=held.level[row, :, lane],
                )
            )
    return tuple(found)


@dataclass
class _Seat:
    """An account on the stage: its address, its tokens in wei, its order."""

    account: DeskAccount
    address: str
    token: Contract
    balance: int = 0
    order: int = 0
    level: float = 0.0
    touched: int = -1
    trades: int = 0
    watched: bool = False


class DeskPlayer:
    """Lists the tokens at the desk and does what the investors do there."""

    def __init__(self, accounts: Sequence[DeskAccount]) -> None:
        """Take the accounts of one path."""
        self._accounts = tuple(accounts)
        self._last_step = accounts[0].units.size - 1
        self._usd = [account.usd() for account in accounts]
        self._orders = 0
        self._highest = {a.token: float(a.token_usd.max()) for a in accounts}
        self.observables = _observables(accounts)

    def deploy(self, stage: Stage) -> None:
        """Create the desk, list and stock it, and give every investor dollars."""
        roles = stage.roles
        self._stage = stage
        self._usdc = stage.deploy("usdc", as_name="desk_usdc")
        self._desk = stage.deploy("desk", self._usdc, roles.keeper, 2 * SECONDS_PER_DAY)
        stage.send(
            self._usdc.call("configureMinter", roles.owner, UNLIMITED, sender=roles.owner),
            self._usdc.call("mint", self._desk, RICH_USDC, sender=roles.owner),
        )
        self._feeds: dict[str, Contract] = {}
        for account in self._accounts:
            if account.token not in self._feeds:
                self._list(stage, account)
        names = list(dict.fromkeys(account.investor for account in self._accounts))
        addresses = {name: stage.chain.accounts[-1 - n] for n, name in enumerate(names)}
        for address in addresses.values():
            stage.send(
                self._usdc.call("mint", address, RICH_USDC, sender=roles.owner),
                self._usdc.call("approve", self._desk, UNLIMITED, sender=address),
            )
        self._seats = [
            _Seat(account, addresses[account.investor], stage.contracts[account.token])
            for account in self._accounts
        ]
        stage.send(
            *(
                seat.token.call("approve", self._desk, UNLIMITED, sender=seat.address)
                for seat in self._seats
            )
        )

    def _list(self, stage: Stage, account: DeskAccount) -> None:
        roles, token = stage.roles, stage.contracts[account.token]
        feed = stage.deploy(
            "price_feed",
            FEED_DECIMALS,
            f"{account.token} / USD",
            roles.keeper,
            as_name=f"{account.token}_feed",
        )
        self._feeds[account.token] = feed
        stock = INVENTORY_TOKENS * 10**account.decimals
        spread = round(account.spread_bps)
        stage.send(
            token.call("transfer", self._desk, stock, sender=roles.custodian),
            self._desk.call("list_token", token, feed, spread, sender=roles.owner),
        )

    # -- a step ------------------------------------------------------------------------

    def calls(self, step: int) -> list[tuple[Phase, Call]]:
        """Return the prices, the stops that fill, the trades, and the orders after them."""
        calls = [(Phase.PRICES, call) for call in self._prices(step)]
        for seat in self._seats:
            calls += self._sales(seat, step)
            calls += self._purchases(seat, step)
        for seat in self._seats:
            calls += [(Phase.CLAIMS, call) for call in self._order(seat, step)]
        return calls

    def _prices(self, step: int) -> list[Call]:
        keeper = self._stage.roles.keeper
        answers = {a.token: to_wei(float(a.token_usd[step]), FEED_DECIMALS) for a in self._accounts}
        return [
            self._feeds[token].call("update_answer", answer, sender=keeper)
            for token, answer in answers.items()
        ]

    def _sales(self, seat: _Seat, step: int) -> list[tuple[Phase, Call]]:
        account, last = seat.account, step == self._last_step
        sold = float(account.sold[step]) + (float(account.units[step]) if last else 0.0)
        if sold <= 0.0 or account.token_usd[step] <= 0.0:
            return []
        seat.trades += 1
        if seat.order and seat.touched >= 0:
            order, seat.order, seat.balance = seat.order, 0, 0
            # The feed has had one round a step, the first on step 0.
            fill = self._desk.call(
                "execute_stop", order, seat.touched + 1, sender=self._stage.roles.keeper
            )
            return [(Phase.STOPS, fill)]
        everything = last or float(account.units[step]) <= 0.0
        wei = seat.balance if everything else to_wei(sold, account.decimals)
        wei = min(wei, seat.balance)
        seat.balance -= wei
        call = self._desk.call("sell", seat.token, wei, 0, sender=seat.address)
        return [(Phase.WITHDRAWALS, call)] if wei else []

    def _purchases(self, seat: _Seat, step: int) -> list[tuple[Phase, Call]]:
        wei = to_wei(float(seat.account.bought[step]), seat.account.decimals)
        if wei == 0:
            return []
        seat.trades += 1
        seat.balance += wei
        call = self._desk.call("buy", seat.token, wei, UNLIMITED, sender=seat.address)
        return [(Phase.DEPOSITS, call)]

    def _order(self, seat: _Seat, step: int) -> list[Call]:
        """Return the order's way to where the model's stop stands after the step's trades."""
        level = float(seat.account.level[step])
        seat.watched = False
        if step == self._last_step:
            return []
        if level <= 0.0:
            waits = seat.touched >= 0 and seat.balance > 0
            order, seat.order = seat.order, (seat.order if waits else 0)
            seat.touched = seat.touched if waits else -1
            return [] if waits or not order else [self._call(seat, "cancel_stop", order)]
        seat.watched = True
        trigger = to_wei(level, _PRICE_DECIMALS)
        changed, seat.level = level != seat.level, level
        if seat.account.touches(step):
            seat.touched = step
        if not seat.order:
            self._orders += 1
            seat.order, seat.touched = self._orders, -1
            return [self._call(seat, "place_stop", seat.token, UNLIMITED, trigger)]
        return [self._call(seat, "move_stop", seat.order, UNLIMITED, trigger)] if changed else []

    def _call(self, seat: _Seat, function: str, *args: object) -> Call:
        return self._desk.call(function, *args, sender=seat.address)

    # -- observation -------------------------------------------------------------------

    def views(self, step: int) -> list[Call]:
        """Return the reads: two balances of each account, then the orders' states."""
        calls = []
        for seat in self._seats:
            calls.append(seat.token.call("balanceOf", seat.address))
        calls += [self._usdc.call("balanceOf", seat.address) for seat in self._seats]
        return calls + [self._desk.call("is_touched", seat.order) for seat in self._watched(step)]

    def _watched(self, step: int) -> list[_Seat]:
        return [s for s in self._seats if s.watched and s.account.token_usd[step] > 0.0]

    def read(self, step: int, answers: Sequence[bytes]) -> Mapping[str, float]:
        """Return tokens and dollars on chain; an investor's dollars are of all his tokens."""
        del step
        count, found = len(self._seats), {}
        for n, seat in enumerate(self._seats):
            tokens = int.from_bytes(answers[n], "big")
            usdc = int.from_bytes(answers[count + n], "big") - RICH_USDC
            found[_name(seat.account, "tokens")] = from_wei(tokens, seat.account.decimals)
            found[f"{seat.account.investor}.desk_usd"] = from_wei(usdc, USDC_DECIMALS)
        return found

    def expected(self, step: int) -> Mapping[str, float]:
        """Return the model's tokens and dollars."""
        found: dict[str, float] = {}
        for account, usd in zip(self._accounts, self._usd, strict=True):
            gone = step == self._last_step and account.token_usd[step] > 0.0
            found[_name(account, "tokens")] = 0.0 if gone else float(account.units[step])
            name = f"{account.investor}.desk_usd"
            found[name] = found.get(name, 0.0) + float(usd[step])
        return found

    def extra_tolerance(self, step: int) -> Mapping[str, float]:
        """Return what rounding tokens to their unit is worth in dollars."""
        del step
        found: dict[str, float] = {}
        for seat in self._seats:
            name = f"{seat.account.investor}.desk_usd"
            unit = 10.0**-seat.account.decimals * self._highest[seat.account.token]
            found[name] = found.get(name, 0.0) + seat.trades * unit
        return found

    def check_decisions(self, step: int, answers: Sequence[bytes]) -> tuple[int, int]:
        """Compare who is stopped, outside the dead-band."""
        watched = self._watched(step)
        inside = 0
        for seat, answer in zip(watched, answers[2 * len(self._seats) :], strict=True):
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
        return len(watched), inside

    def gas(self, step: int, receipts: Sequence[Receipt]) -> Mapping[str, int]:
        """Return nothing: the gas of trading is no cost of the measured holder."""
        del step, receipts
        return {}


def _name(account: DeskAccount, what: str) -> str:
    return f"{account.investor}.{account.token}.{what}"


def _observables(accounts: Sequence[DeskAccount]) -> tuple[Observable, ...]:
    """Return the tokens of each account, and the dollars of each investor."""
    tokens = [
        Observable("desk", _name(a, "tokens"), 2, 10.0**-a.decimals, max(1.0, float(a.units.max())))
        for a in accounts
    ]
    traded: dict[str, float] = {}
    for account in accounts:
        name = f"{account.investor}.desk_usd"
        amounts = account.bought + account.sold
        amounts[-1] += account.units[-1]
        traded[name] = traded.get(name, 1.0) + float(amounts @ account.token_usd)
    operations = 2 * len(accounts)
    dollars = [
        Observable("desk", name, operations, 10.0**-USDC_DECIMALS, size)
        for name, size in traded.items()
    ]
    return (*tokens, *dollars)
