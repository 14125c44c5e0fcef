"""Watches a vault while people deal with it: after every move all rules are looked at.

Amounts are whole numbers of the smallest unit. What rounds must round against the one who acts, so
most comparisons allow nothing; those that divide a loss among holders allow a unit for each.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from simulator.chain import Call
from simulator.errors import TransactionReverted
from simulator.trial.faults import Breach, Check
from simulator.trial.identities import against_the_actor
from simulator.trial.moves import Move, calls_of
from simulator.trial.stage import TrialStage
from simulator.units import SECONDS_PER_DAY

_YEAR = 365 * SECONDS_PER_DAY
_ACTS = ("deposit", "mint", "withdraw", "redeem", "transfer", "give")
_PREVIEWED = ("deposit", "mint", "withdraw", "redeem")
_FIRST = (
    "rounding",
    "donations",
    "stale-price",
    "fee-on-loss",
    "gain",
    "previews",
    "limits",
    "claims",
    "price-fall",
    "others-value",
    "round-trip",
)
"""Which of several breaches of one move is told: the one that says most of its cause."""
_FINER = 6
"""Decimals of the price beyond those of a share: of a million shares."""
_FINEST = 60
"""Decimals beyond which an amount would not fit into a word."""
_FEW_SHARES = 10**6
"""A deposit of fewer shares may be refused: rounding would cost the depositor too much."""


@dataclass
class Seen:
    """A state: shares, assets in the purse and worth of the shares, by address; and the whole.

    `price` is what a fixed number of shares is worth, `owed` what all of them are.
    """

    shares: dict[str, int]
    purse: dict[str, int]
    worth: dict[str, int]
    supply: int
    total: int
    price: int
    owed: int


class Watch:
    """Plays moves on a stage and tells the first breach.

    What looks beyond the last move, directions of rounding and round trips, is done on one move of
    `probes_every`, and the former wherever something else is found: it may be the cause.
    """

    def __init__(self, stage: TrialStage, probes_every: int = 3) -> None:
        self.stage = stage
        self._probes_every = probes_every
        self._holders = stage.holders()
        self._base = 10 ** min(stage.read("decimals") + _FINER, _FINEST)
        vault, asset = stage.contract, stage.asset
        self._views = [
            *(vault.call("balanceOf", one) for one in self._holders),
            *(asset.call("balanceOf", one) for one in self._holders),
            vault.call("totalSupply"),
            vault.call("totalAssets"),
            vault.call("convertToAssets", self._base),
        ]
        self.moves: list[Move] = []
        self.done = Counter[str]()
        self._lost = 0
        self._gained = 0
        self._charged_at = stage.born
        self._before_loss: tuple[int, int] | None = None
        self._least: dict[str, int] = {}
        self._seen = self.look()

    def look(self) -> Seen:
        """Return the present state."""
        words, n = self.stage.words(self._views), len(self._holders)
        shares = dict(zip(self._holders, words[:n], strict=True))
        holding = [one for one in self._holders if shares[one]]
        worth = dict.fromkeys(self._holders, 0)
        supply, total, price = words[2 * n :]
        asked = [*(shares[one] for one in holding), supply]
        *worths, owed = self.stage.words(
            [self.stage.contract.call("convertToAssets", amount) for amount in asked]
        )
        worth |= dict(zip(holding, worths, strict=True))
        purse = dict(zip(self._holders, words[n : 2 * n], strict=True))
        return Seen(shares, purse, worth, supply, total, price, owed if supply else 0)

    def play(self, move: Move) -> Breach | None:
        """Play one move; return the first rule that does not hold then."""
        self.moves.append(move)
        try:
            return self._play(move)
        except TransactionReverted as error:
            if not error.call.startswith(f"{self.stage.contract.name}."):
                return None
            return Breach("views", f"a view reverts: {error}")

    def _play(self, move: Move) -> Breach | None:
        if move.what == "wait":
            self.stage.wait(move.amount)
            before, self._seen = self._seen, self.look()
            return next(self._after_time(move, before), None)
        calls = calls_of(self.stage, move)
        if not calls:
            return None
        promised = self._promised(move, calls[-1])
        if move.what == "lose" and not self._lost:
            self._before_loss = self.stage.chain.snapshot(), len(self.moves)
        there = self.stage.there() if move.what in ("lose", "report") else 0
        try:
            self.stage.send(calls)
        except TransactionReverted as error:
            self._seen = self.look()
            return self._refused(move, calls[-1], error)
        self.done[move.what] += 1
        before, self._seen = self._seen, self.look()
        found = list(self._after(move, calls[-1], before, promised, there))
        if any(one.rule == "fee-on-loss" for one in found) and (by_time := self._without_loss()):
            return by_time
        if move.what == "report" or (move.what != "lose" and self._seen.price < before.price):
            self._charged_at = self.stage.chain.timestamp()
        if found or len(self.moves) % self._probes_every == 1:
            found += against_the_actor(self.stage, self._seen.supply)
        return min(found, key=lambda breach: _FIRST.index(breach.rule), default=None)

    # -- after a move ------------------------------------------------------------------------

    def _after(
        self, move: Move, call: Call, before: Seen, promised: int, there: int
    ) -> Iterator[Breach]:
        if move.what in _PREVIEWED:
            yield from self._as_previewed(move, call, before, promised)
        if move.what in _ACTS:
            yield from self._others(move, before)
        yield from self._price(move, before)
        yield from self._books(move, before, there)
        yield from self._claims()
        if len(self.moves) % self._probes_every == 0:
            yield from self._round_trips()

    def _promised(self, move: Move, call: Call) -> int:
        if move.what not in _PREVIEWED:
            return 0
        amount = int.from_bytes(call.data[4:36], "big")
        name = f"preview{move.what.capitalize()}"
        return int(self.stage.read(name, amount))

    def _as_previewed(
        self, move: Move, call: Call, before: Seen, promised: int
    ) -> Iterator[Breach]:
        """Yield where less was paid, or more was asked, than the preview just said."""
        who, now, stage = call.sender, self._seen, self.stage
        by_shares = move.what in ("deposit", "withdraw")
        moved = (now.shares if by_shares else now.purse)[who]
        moved -= (before.shares if by_shares else before.purse)[who]
        gets = move.what in ("deposit", "redeem")
        if moved >= (promised if gets else -promised):
            return
        token = stage.contract if by_shares else stage.asset
        had = (before.shares if by_shares else before.purse)[who]
        least = had + promised if gets else had - promised
        what = "shares" if by_shares else "assets"
        said = f"{move.what} {'pays' if gets else 'takes'} {abs(moved)} {what}, "
        said += f"its preview said {promised}"
        yield Breach("previews", said, Check(token.call("balanceOf", who), least=least))

    def _others(self, move: Move, before: Seen) -> Iterator[Breach]:
        acting = {getattr(self.stage.roles, role) for role in (move.who, move.to) if role}
        for one in self._holders:
            fell = before.worth[one] - self._seen.worth[one] - self._due(before.worth[one])
            if one not in acting and fell > 0 and self._seen.supply:
                said = f"{self.stage.names[one]} has {fell} less after {move.who}'s {move.what}"
                yield Breach("others-value", said, self._worth_check(one, before.worth[one]))

    def _worth_check(self, one: str, least: int) -> Check:
        view = self.stage.contract.call("convertToAssets", self._seen.shares[one])
        return Check(view, least=least)

    def _price(self, move: Move, before: Seen) -> Iterator[Breach]:
        now = self._seen
        if not before.supply or not now.supply:
            return
        view = self.stage.contract.call("convertToAssets", self._base)
        ratio = now.price / max(before.price, 1) - 1
        # A gift may fill up a loss that nobody has reported yet.
        unmoved = self._lost or self.stage.adapter.prices_donations
        if move.what == "give" and now.price > before.price and not unmoved:
            said = f"its price rises by {_percent(ratio)} when {move.who} sends it a gift"
            yield Breach("donations", said, Check(view, most=before.price))
        reported = move.what == "lose" or (move.what == "report" and self._lost)
        if now.price < before.price - self._due(before.price) and not reported:
            said = f"its price falls by {_percent(-ratio)} by a {move.what}, and nothing was lost"
            yield Breach("price-fall", said, Check(view, least=before.price))

    def _books(self, move: Move, before: Seen, there: int) -> Iterator[Breach]:
        """Yield where holders lose more than was lost, or have more than was earned."""
        if move.what == "earn":
            self._gained += move.amount
        if move.what == "give":
            self._gained += move.amount
        if move.what == "lose":
            lost = there - self.stage.there()
            self._lost += lost
            for one, worth in before.worth.items():
                # His part of the loss, rounded up, and a unit for the rounding of either worth.
                part = -(-worth * lost // max(before.owed, 1)) + 2
                self._least[one] = self._least.get(one, worth) - part
        for role in (move.who, move.to) if move.what in _ACTS else ():
            if role:
                self._least.pop(getattr(self.stage.roles, role), None)
        if self._lost and move.what in ("lose", "report"):
            yield from self._cost_of_loss()
        if move.what == "report":
            rose = sum(self._seen.worth.values()) - sum(before.worth.values())
            if rose > self._gained + len(self._holders) and not self.stage.adapter.prices_donations:
                said = f"holders have {rose:,} more by a report of {self._gained:,}"
                view = self.stage.contract.call("convertToAssets", self._seen.supply)
                most = before.owed + self._gained + len(self._holders)
                yield Breach("gain", said, Check(view, most=most))
            self._lost = self._gained = 0
            self._least.clear()

    def _cost_of_loss(self) -> Iterator[Breach]:
        for one, least in self._least.items():
            more = least - self._seen.worth[one] - self._due(least)
            if more > 0:
                said = f"{self.stage.names[one]} loses {more:,} more than his part of the loss"
                yield Breach("fee-on-loss", said, self._worth_check(one, least))

    def _due(self, worth: int) -> int:
        """Return what the adapter's annual fee may take of a worth since it was last taken."""
        seconds = self.stage.chain.timestamp() - self._charged_at
        share = self.stage.adapter.annual_fee * seconds / _YEAR
        return math.ceil(worth * min(share, 1.0))

    def _without_loss(self) -> Breach | None:
        """Return the fall of the price by the last report, had nothing been lost before it.

        What takes as much then is a fee for the time, and none on the loss. The state is gone.
        """
        if self._before_loss is None:
            return None
        here, number = self._before_loss
        self.stage.chain.revert(here)
        again = Watch(self.stage, len(self.moves) + 2)
        again._charged_at = self._charged_at
        moves = [move for move in self.moves[number:] if move.what != "lose"]
        found = (again.play(move) for move in moves)
        return next((one for one in found if one and one.rule == "price-fall"), None)

    def _claims(self) -> Iterator[Breach]:
        supply, owed = self._seen.supply, self._seen.owed
        there = self.stage.there()
        if owed <= there:
            return
        rule = "stale-price" if self._lost else "claims"
        said = f"all shares are worth {owed:,}, its assets are {there:,}"
        if self._lost:
            said = f"after a loss {said}: who leaves first is paid by those who stay"
        view = self.stage.contract.call("convertToAssets", supply)
        yield Breach(rule, said, Check(view, most=there))

    def _after_time(self, move: Move, before: Seen) -> Iterator[Breach]:
        now = self._seen
        least = before.price - self._due(before.price)
        if now.price < least and before.supply and now.supply:
            fell = 1 - now.price / before.price
            view = self.stage.contract.call("convertToAssets", self._base)
            said = f"its price falls by {_percent(fell)} by time alone"
            yield Breach("price-fall", said, Check(view, least=least))
        if now.price < before.price:
            self._charged_at = self.stage.chain.timestamp()
        yield from self._claims()

    def _refused(self, move: Move, call: Call, error: TransactionReverted) -> Breach | None:
        """Return the breach of an exit, or of a deposit of a unit or more, within its limit."""
        if move.what in ("withdraw", "redeem"):
            said = f"{move.what} within max{move.what.capitalize()} reverts: {error.reason}"
            return Breach("limits", said, reverts=True)
        if move.what == "deposit" and move.amount >= self.stage.unit:
            few = int(self.stage.read("previewDeposit", move.amount)) < _FEW_SHARES
            if int(self.stage.read("maxDeposit", call.sender)) >= move.amount and not few:
                said = f"a deposit within maxDeposit reverts: {error.reason}"
                return Breach("limits", said, reverts=True)
        if move.what in ("earn", "lose", "report"):
            raise self.stage.refused(move.what, error) from None
        return None

    def _round_trips(self) -> Iterator[Breach]:
        """Yield a gain by going in and out in one block; all is undone."""
        stage, who = self.stage, self.stage.roles.intruder
        here = stage.chain.snapshot()
        had, held = self._seen.purse[who], self._seen.shares[who]
        for amount in (7, 1_000_003, stage.unit + 1, 50_000 * stage.unit):
            for way in ("deposit", "mint"):
                calls = self._in_and_out(who, held, amount, way)
                gained = stage.held(who) - had if calls else 0
                stage.chain.revert(here)
                if gained > 0:
                    said = f"a {way} of {amount:,} and a redeem of its shares bring {gained:,}"
                    view = stage.asset.call("balanceOf", who)
                    yield Breach("round-trip", said, Check(view, most=had), tuple(calls))

    def _in_and_out(self, who: str, held: int, amount: int, way: str) -> list[Call]:
        """Go in and out; return the calls, none where one of them is refused."""
        stage, vault = self.stage, self.stage.contract
        try:
            given = amount if way == "deposit" else stage.read("convertToShares", amount)
            calls = [vault.call(way, given, who, sender=who)]
            stage.send(calls)
            shares = stage.read("balanceOf", who) - held
            calls.append(vault.call("redeem", shares, who, who, sender=who))
            stage.send(calls[1:])
        except TransactionReverted:
            return []
        return calls


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
