"""Drives a metal token, its price feed and its proof of reserve along one path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from simulator.chain import Call, Receipt
from simulator.errors import ReconciliationFailed, TransactionReverted
from simulator.instruments.casting import Cast, Part
from simulator.instruments.custody import Custody, Quote, Seat, desk_account
from simulator.instruments.gold_token.paths import GoldTokenDrivers
from simulator.instruments.gold_token.terms import GoldTokenTerms
from simulator.instruments.stage import UNLIMITED, Key, Observable, Phase, PlainPlayer, Stage
from simulator.units import FEED_DECIMALS, SECONDS_PER_DAY, BoolArray, from_wei, to_wei

STAGE_FLOAT_OUNCES = 100_000_000
"""Tokens the actors hold for their parts; attested, and not part of the circulation."""

SUPPLY_DECIMALS = 6
"""Supply and attestation are quantised to this on both sides."""

MARKET_CLOSED, MARKET_OPEN = 1, 2
FROZEN, PAUSED = "gold_token: address is frozen", "gold_token: paused"
"""What the token refuses a transfer with."""


class GoldTokenPlayer(PlainPlayer):
    """Feeds prices and attestations; creates and redeems as demand for the token goes."""

    def __init__(
        self, terms: GoldTokenTerms, drivers: GoldTokenDrivers, trading: BoolArray
    ) -> None:
        """Take the drivers of one path: arrays of shape (n_steps + 1, 1)."""
        self._terms = terms
        self._drivers = drivers
        self._told = drivers.prices.feed_usd[:, 0]
        # a feed that moves while the metal stands still is fed by an exchange that never closes
        tells = trading | (np.diff(self._told, prepend=0.0) != 0.0)
        self._tells: list[bool] = tells.tolist()
        """Whether the feed has a round on each step: the first, and those on which it may move."""
        paused = drivers.paused[:, 0] if drivers.paused.size else np.zeros(len(trading), np.bool_)
        self._pauses = _changes(paused)
        whole = 10 ** (terms.decimals - SUPPLY_DECIMALS)
        self._supply = [
            to_wei(float(x), SUPPLY_DECIMALS) * whole for x in drivers.supply_ounces[:, 0]
        ]
        self.observables: tuple[Observable, ...] = (Observable("supply", 1, 10.0**-terms.decimals),)

    def deploy(self, stage: Stage) -> None:
        """Create token and feeds, and mint the first supply and the stage's float."""
        roles = stage.roles
        self._stage = stage
        asset = self._terms.asset
        title = asset.upper()
        self._metal_feed = stage.deploy(
            "price_feed", FEED_DECIMALS, f"{title} / USD", roles.keeper, name="metal_feed"
        )
        self._reserve_feed = stage.deploy(
            "price_feed", FEED_DECIMALS, f"{title} / reserve", roles.custodian, name="reserve_feed"
        )
        name, symbol = f"Assay {asset.capitalize()}", f"a{title}"[:5]
        self._token = stage.deploy(
            "gold_token",
            name,
            symbol,
            self._terms.decimals,
            self._reserve_feed,
            2 * SECONDS_PER_DAY,
            name="token",
        )
        first = self._supply[0] + STAGE_FLOAT_OUNCES * 10**self._terms.decimals
        stage.send(
            self._reserve_feed.call("update_answer", self._attested(0), sender=roles.custodian),
            self._token.call("increaseSupply", first, sender=roles.owner),
            self._token.call("transfer", roles.custodian, first, sender=roles.owner),
            self._token.call("setSupplyController", roles.custodian, sender=roles.owner),
            self._token.call("approve", roles.custodian, UNLIMITED, sender=roles.custodian),
        )

    def calls(self, step: int) -> list[tuple[Phase, Call]]:
        """Return the day's prices, attestation and change of supply."""
        every = (*self._prices(step), *self._pause(step), *self._change(step))
        return [(Phase.PRICES, call) for call in every]

    def _pause(self, step: int) -> list[Call]:
        """Return the stop of all transfers on its first day, and its end."""
        change = int(self._pauses[step])
        act = "pause" if change > 0 else "unpause"
        return [self._token.call(act, sender=self._stage.roles.owner)] if change else []

    def _prices(self, step: int) -> list[Call]:
        keeper = self._stage.roles.keeper
        is_open, was_open = self._tells[step], step > 0 and self._tells[step - 1]
        calls = []
        if is_open != was_open:
            status = MARKET_OPEN if is_open else MARKET_CLOSED
            calls.append(self._metal_feed.call("set_market_status", status, sender=keeper))
        if is_open:
            answer = to_wei(float(self._told[step]), FEED_DECIMALS)
            calls.append(self._metal_feed.call("update_answer", answer, sender=keeper))
        return calls

    def _change(self, step: int) -> list[Call]:
        roles = self._stage.roles
        attest = ("update_answer", self._attested(step))
        calls = [self._reserve_feed.call(*attest, sender=roles.custodian)]
        change = self._supply[step] - self._supply[step - 1] if step > 0 else 0
        if change > 0:
            calls.append(self._token.call("increaseSupply", change, sender=roles.custodian))
        elif change < 0:
            calls.append(self._token.call("decreaseSupply", -change, sender=roles.custodian))
        return calls

    def _attested(self, step: int) -> int:
        """Return the ounces the custodian attests, the stage's float included."""
        ounces = to_wei(float(self._drivers.reserve_ounces[step, 0]), SUPPLY_DECIMALS)
        scale: int = 10 ** (FEED_DECIMALS - SUPPLY_DECIMALS)
        unit: int = 10**FEED_DECIMALS
        return ounces * scale + STAGE_FLOAT_OUNCES * unit

    def views(self, step: int) -> list[Call]:
        """Return the read of the supply."""
        del step
        return [self._token.call("totalSupply")]

    def read(self, step: int, answers: Sequence[bytes]) -> Mapping[str, float]:
        """Return the tokens in circulation."""
        del step
        supply = int.from_bytes(answers[0], "big")
        return {"supply": from_wei(supply, self._terms.decimals) - STAGE_FLOAT_OUNCES}

    def expected(self, step: int) -> Mapping[str, float]:
        """Return the model's supply."""
        return {"supply": float(self._drivers.supply_ounces[step, 0])}

    def extra_tolerance(self, step: int) -> Mapping[str, float]:
        """Return the float64 resolution of the supply with the stage's float in it."""
        del step
        return {"supply": STAGE_FLOAT_OUNCES * 2.0**-52}

    def gas(self, step: int, receipts: Sequence[Receipt]) -> Mapping[str, int]:
        """Return nothing: the holder of the token sends no transaction."""
        del step, receipts
        return {}


def _changes(holds: BoolArray) -> NDArray[np.int8]:
    """Return 1 where something begins to hold and -1 where it ends, shape (n_steps + 1,)."""
    return np.diff(holds.astype(np.int8), prepend=np.int8(0))


class StoppedTokens(Custody):
    """Tokens whose holders' addresses the issuer freezes, or which he pauses, for a time."""

    def __init__(
        self,
        token: str,
        decimals: int,
        quote: Quote,
        contract: Key,
        frozen: BoolArray,
        paused: BoolArray,
    ) -> None:
        """Take when holders are `frozen` and all is `paused`, beside what any custody takes.

        Both are of shape (n_steps + 1,).
        """
        super().__init__(token, decimals, quote, contract)
        self._changes = _changes(frozen)
        self._refusals = [
            PAUSED if stop else FROZEN if freeze else ""
            for freeze, stop in zip(frozen, paused, strict=True)
        ]

    def calls(self, step: int) -> list[tuple[Phase, Call]]:
        """Return the freeze of all addresses on its first day, and its end."""
        change, owner = int(self._changes[step]), self._stage.roles.owner
        act = "freeze" if change > 0 else "unfreeze"
        addresses = [seat.address for seat in self.seats] if change else []
        calls = [self._contract.call(act, address, sender=owner) for address in addresses]
        return [(Phase.PRICES, call) for call in calls]

    def check(self, seat: Seat, step: int, words: Sequence[int]) -> int:
        """Let the holder try to move nothing while he is stopped: the token must refuse it."""
        del words
        refusal = self._refusals[step]
        if not refusal:
            return 0
        moves = self._contract.call("transfer", self._desk, 0, sender=seat.address)
        try:
            self._stage.chain.view_one(moves)
        except TransactionReverted as refused:
            if refused.reason == refusal:
                return 1
            raise
        raise ReconciliationFailed(
            f"step {step}: {seat.account.investor} can move {self.token} on chain, which must say "
            f"'{refusal}'"
        )


class TokenStage:
    """Casts the token's player; portfolios trade it at the desk at the feed's price."""

    def cast(self, part: Part[GoldTokenTerms, GoldTokenDrivers, None]) -> Cast:
        """Return who plays the token along one path."""
        terms, label = part.terms, part.label
        player = GoldTokenPlayer(terms, part.drivers, part.exchange_open)
        if not part.holders:
            return Cast(player)
        quote = Quote(part.drivers.prices.token_usd[:, 0], terms.sale_spread_bps)
        stopped = part.drivers.stopped
        stays = bool(stopped.size and stopped[-1, 0])
        accounts = tuple(
            desk_account(investor, label, holder, terms.decimals, quote, stays=stays)
            for investor, holder in part.holders.items()
        )
        kept = (label, terms.decimals, quote, (label, "token"))
        if not stopped.size:
            return Cast(player, accounts, Custody(*kept))
        never = np.zeros(len(stopped), np.bool_)
        frozen, paused = (
            on[:, 0] if on.size else never for on in (part.drivers.frozen, part.drivers.paused)
        )
        return Cast(player, accounts, StoppedTokens(*kept, frozen, paused))


STAGE = TokenStage()
