"""Drives a collection along one path: meters, revenue, locks, purchases and sales, silver.

The measured tokens are really bought on the first day and sold on the last, at the floor price of
the model, on a market of single tokens. An array of several panels is one token.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np

from simulator.chain import Call, Receipt
from simulator.errors import ReconciliationFailed
from simulator.instruments.casting import Cast, Part, cannot_be_handed_on
from simulator.instruments.gas import Gas
from simulator.instruments.solar_nft.drivers import SolarNftDrivers
from simulator.instruments.solar_nft.ledger import Ledger
from simulator.instruments.solar_nft.paths import SolarNftRecord
from simulator.instruments.solar_nft.state import Numbers, numbers
from simulator.instruments.solar_nft.terms import SolarNftTerms
from simulator.instruments.stage import UNLIMITED, Observable, Phase, Stage
from simulator.mechanics.solar import N_ARRAYS
from simulator.units import (
    FEED_DECIMALS,
    SECONDS_PER_DAY,
    SECONDS_PER_YEAR,
    USDC_DECIMALS,
    BoolArray,
    from_wei,
    to_wei,
)

MARKET_CLOSED, MARKET_OPEN = 1, 2
FEED_MAX_AGE = 7 * SECONDS_PER_DAY
"""Longer than any holiday of the metals' market."""

UNIT = 10.0**-USDC_DECIMALS
FREE, LOCKED = N_ARRAYS + 1, N_ARRAYS + 2
"""Numbers of the measured tokens; others' arrays have 1 to N_ARRAYS."""
WORD = 32
N_VIEWS = 14
"""Reads before those of the others' arrays."""


class SolarNftPlayer:
    """The issuer and operator, the off-taker, other owners, and the two measured holders."""

    def __init__(
        self,
        terms: SolarNftTerms,
        gas: Gas,
        drivers: SolarNftDrivers,
        record: SolarNftRecord,
        usd: float,
        trading: BoolArray,
    ) -> None:
        """Take drivers and record of one path: arrays of shape (n_steps + 1, 1)."""
        self._terms, self._trading = terms, trading
        self._own: Numbers = numbers(terms, gas, usd)
        self._books = Ledger(terms, gas, self._own, drivers, record)
        self._silver = drivers.feed_usd[:, 0]
        self._locks = drivers.locked[:, 0].astype(int)
        self._unlocks = drivers.unlocked[:, 0].astype(int)
        self._last = self._books.last
        self._retires = int(self._own.retire_step)
        self.observables = self._observables()

    def _observables(self) -> tuple[Observable, ...]:
        """Return them: single payments round, and what they add up to is in `extra_tolerance`."""
        pots = 1.0 + float(self._books.revenue.max())
        own = self._own.issue_usd + pots + self._terms.lock.bonus_usd
        sizes = {
            "revenue": pots,
            "others_revenue": pots,
            "free_received": own,
            "locked_received": own,
            "free_exit": own,
            "locked_exit": own,
            "locked_watts": 0.0,
            "uncovered": 0.0,
        }
        return tuple(Observable(name, 0, UNIT, size) for name, size in sizes.items())

    # -- set-up ------------------------------------------------------------------------

    def deploy(self, stage: Stage) -> None:
        """Create dollars, feed, collection and market, commission the panels, fund everybody."""
        self._stage, roles, terms = stage, stage.roles, self._terms
        self._usdc = stage.deploy("usdc")
        self._feed = stage.deploy(
            "price_feed", FEED_DECIMALS, "SILVER / USD", roles.keeper, name="feed"
        )
        self._nft = stage.deploy(
            "solar_nft",
            "Assay Solar",
            "aSUN",
            "",
            self._usdc,
            self._feed,
            FEED_MAX_AGE,
            terms.silver.recovery_bps,
            terms.buyers.royalty_bps,
            roles.owner,
            terms.lock.days * SECONDS_PER_DAY,
        )
        self._desk = stage.deploy("nft_desk", self._nft, self._usdc)
        stage.send(self._nft.call("set_operator", roles.operator, sender=roles.owner))
        for first in range(0, N_ARRAYS, 8):
            stage.send(*(self._commission(roles.crowd) for _ in range(first, first + 8)))
        stage.send(
            self._commission(roles.owner, own=True),
            self._commission(roles.owner, own=True),
            self._nft.call("setApprovalForAll", self._desk, True, sender=roles.owner),
            *(
                self._desk.call("offer", token, self._issue(), sender=roles.owner)
                for token in (FREE, LOCKED)
            ),
        )
        stage.send(*self._funds())

    def _commission(self, owner: str, *, own: bool = False) -> Call:
        """Return the call that creates an array of the others', or the measured position."""
        panel = self._terms.panel
        watts = self._own.own_watts if own else self._own.array_watts
        age = round(panel.age_years * SECONDS_PER_YEAR)
        milligrams = self._own.silver_mg * watts / self._own.own_watts
        return self._nft.call(
            "commission",
            owner,
            int(watts),
            self._stage.chain.timestamp() - age,
            int(panel.degradation_bps),
            round(milligrams),
            sender=self._stage.roles.owner,
        )

    def _issue(self) -> int:
        units: int = to_wei(self._own.issue_usd, USDC_DECIMALS)
        return units

    def _funds(self) -> list[Call]:
        """Return USDC for everybody for the whole run, and who may take it."""
        roles, plenty = self._stage.roles, to_wei(1e12, USDC_DECIMALS)
        owner = roles.owner
        payers = {
            owner: self._nft,
            roles.off_taker: self._nft,
            roles.recycler: self._nft,
            roles.crowd: self._desk,
        }
        calls = [self._usdc.call("configureMinter", owner, UNLIMITED, sender=owner)]
        for who, taker in payers.items():
            calls.append(self._usdc.call("mint", who, plenty, sender=owner))
            calls.append(self._usdc.call("approve", taker, UNLIMITED, sender=who))
        # the measured holders approve as part of entering: their gas counts
        return calls + [
            self._usdc.call("mint", who, self._issue(), sender=owner)
            for who in (roles.depositor, roles.locker)
        ]

    # -- a step ------------------------------------------------------------------------

    def calls(self, step: int) -> list[tuple[Phase, Call]]:
        """Return the step's calls, each with its phase."""
        found = [(Phase.PRICES, call) for call in self._prices(step)]
        if step == 0:
            found += [(Phase.ACCRUAL, call) for call in self._fund_bonus()]
        if self._books.ends[step]:
            found += [(Phase.ACCRUAL, call) for call in self._close(step)]
        if step == self._retires:
            found += [(Phase.REPORTS, call) for call in self._retire(step)]
        else:
            found += [(Phase.WITHDRAWALS, call) for call in self._crowd(step)]
        if step == 0:
            found += [(Phase.DEPOSITS, call) for call in self._enter()]
        elif step == self._last:
            found += [(Phase.CLAIMS, call) for call in self._leave(step)]
        elif self._books.claims[step]:
            found += [(Phase.CLAIMS, call) for call in self._claim(step)]
        return found

    def _prices(self, step: int) -> list[Call]:
        keeper, calls = self._stage.roles.keeper, list[Call]()
        now = bool(self._trading[step]) or step == 0
        before = step > 0 and (bool(self._trading[step - 1]) or step == 1)
        if now != before:
            status = MARKET_OPEN if now else MARKET_CLOSED
            calls.append(self._feed.call("set_market_status", status, sender=keeper))
        if now:
            answer = to_wei(float(self._silver[step]), FEED_DECIMALS)
            calls.append(self._feed.call("update_answer", answer, sender=keeper))
        return calls

    def _fund_bonus(self) -> list[Call]:
        lock, owner = self._terms.lock, self._stage.roles.owner
        if lock.bonus_usd == 0.0:
            return []
        amount, seconds = to_wei(lock.bonus_usd, USDC_DECIMALS), lock.bonus_days * SECONDS_PER_DAY
        return [self._nft.call("fund_bonus", amount, seconds, sender=owner)]

    def _close(self, step: int) -> list[Call]:
        """Report every panel's energy, pay the period's revenue in, and share it."""
        roles, period = self._stage.roles, int(np.cumsum(self._books.ends)[step])
        others, own = self._books.energy(step)
        energy = dict.fromkeys(range(1, N_ARRAYS + 1), others) | {FREE: own, LOCKED: own}
        calls = [
            self._nft.call("report_generation", token, kwh, period, sender=roles.operator)
            for token, kwh in energy.items()
        ]
        pot = to_wei(float(self._books.pots[period - 1]), USDC_DECIMALS)
        if pot > 0:
            calls.append(self._nft.call("deposit_revenue", pot, sender=roles.off_taker))
        return [*calls, self._nft.call("close_period", sender=roles.operator)]

    def _retire(self, step: int) -> list[Call]:
        """Retire all panels; the recycler pays for the measured ones' silver."""
        roles = self._stage.roles
        calls = [
            self._nft.call("retire", token, sender=roles.operator) for token in range(1, LOCKED + 1)
        ]
        due = to_wei(2.0 * self._books.silver_paid, USDC_DECIMALS)
        if due > 0:
            # a unit more for each: the claims are worked out on chain anew
            calls.append(self._nft.call("fund_silver", due + 2, sender=roles.recycler))
        return calls

    def _crowd(self, step: int) -> list[Call]:
        """Return which arrays are unlocked and locked: in turn, so the oldest locks end first."""
        if step > self._retires:
            return []
        crowd = self._stage.roles.crowd
        before = step - 1 if step else None

        def turn(act: str, counts: np.ndarray[tuple[int], np.dtype[np.int64]]) -> list[Call]:
            first = 0 if before is None else int(counts[before])
            return [
                self._nft.call(act, number % N_ARRAYS + 1, sender=crowd)
                for number in range(first, int(counts[step]))
            ]

        return [*turn("unlock", self._unlocks), *turn("lock", self._locks)]

    def _enter(self) -> list[Call]:
        roles, calls = self._stage.roles, list[Call]()
        for who, token in ((roles.depositor, FREE), (roles.locker, LOCKED)):
            calls.append(self._usdc.call("approve", self._desk, self._issue(), sender=who))
            calls.append(self._desk.call("buy", token, self._issue(), sender=who))
        return [*calls, self._nft.call("lock", LOCKED, sender=roles.locker)]

    def _claim(self, step: int) -> list[Call]:
        roles, calls = self._stage.roles, list[Call]()
        for who, token in ((roles.depositor, FREE), (roles.locker, LOCKED)):
            if step == self._retires:
                calls.append(self._nft.call("claim_silver", token, sender=who))
            calls.append(self._nft.call("claim", [token], sender=who))
        return calls

    def _leave(self, step: int) -> list[Call]:
        """Claim, and sell what can be sold, to the crowd at the day's price less the spread."""
        roles, calls, price = self._stage.roles, self._claim(step), self._books.asked()
        for who, token in ((roles.depositor, FREE), (roles.locker, LOCKED)):
            if price == 0 or (token == LOCKED and not self._books.is_free(step)):
                continue
            if token == LOCKED:
                calls.append(self._nft.call("unlock", token, sender=who))
            calls += [
                self._nft.call("approve", self._desk, token, sender=who),
                self._desk.call("offer", token, price, sender=who),
                self._desk.call("buy", token, price, sender=roles.crowd),
            ]
        return calls

    # -- observation -------------------------------------------------------------------

    def views(self, step: int) -> list[Call]:
        """Return the reads; those of the others' arrays come last."""
        del step
        return self._reads

    @cached_property
    def _reads(self) -> list[Call]:
        roles, nft = self._stage.roles, self._nft
        holders = ((roles.depositor, FREE), (roles.locker, LOCKED))
        return [
            nft.call("total_revenue"),
            nft.call("total_claimed_revenue"),
            nft.call("total_bonus"),
            nft.call("total_claimed_bonus"),
            nft.call("silver_reserve"),
            nft.call("locked_watts"),
            self._usdc.call("balanceOf", nft),
            *(self._usdc.call("balanceOf", who) for who, _ in holders),
            *(nft.call("credited", who) for who, _ in holders),
            nft.call("locked", LOCKED),
            nft.call("panelOf", FREE),
            nft.call("credited", roles.crowd),
            *(nft.call("pending", token) for _, token in holders),
            *(nft.call("pending", token) for token in range(1, N_ARRAYS + 1)),
        ]

    def read(self, step: int, answers: Sequence[bytes]) -> Mapping[str, float]:
        """Return the observables on chain; exit values with the model's price before the end."""
        first = [_word(answer) for answer in answers]
        revenue, claimed, bonus, claimed_bonus, reserve, watts, held = first[:7]
        free, locked = (
            first[7 + n] + sum(_words(answers[9 + n])) + sum(_words(answers[N_VIEWS + n]))
            for n in range(2)
        )
        if step == 0 and self._last > 0:
            free, locked = 0, 0
        others = first[13] + sum(first[N_VIEWS + 2 :])
        owed = revenue - claimed + bonus - claimed_bonus + reserve
        found = {
            "revenue": from_wei(revenue, USDC_DECIMALS),
            "others_revenue": from_wei(others, USDC_DECIMALS),
            "free_received": from_wei(free, USDC_DECIMALS),
            "locked_received": from_wei(locked, USDC_DECIMALS),
            "locked_watts": float(watts),
            "uncovered": from_wei(held - owed, USDC_DECIMALS),
        }
        for name, is_locked in (("free", False), ("locked", True)):
            received = found[f"{name}_received"]
            found[f"{name}_exit"] = self._books.exit_value(step, received, is_locked=is_locked)
        return found

    def expected(self, step: int) -> Mapping[str, float]:
        """Return the model's observables."""
        return self._books.expected(step)

    def extra_tolerance(self, step: int) -> Mapping[str, float]:
        """Return what rounding adds up to: see `Ledger.rounding`."""
        return self._books.rounding(step)

    def check_decisions(self, step: int, answers: Sequence[bytes]) -> tuple[int, int]:
        """Compare whether the locked token is locked, and whether the panels are in service."""
        locked, status = bool(_words(answers[11])[0]), _words(answers[12])[4]
        stays = step < self._retires and not (step == self._last and self._sold(step))
        if locked != stays:
            raise ReconciliationFailed(
                f"step {step}: the locked token is {'' if locked else 'not '}locked on chain, "
                "and otherwise in the model"
            )
        if (status == 1) != (step < self._retires):
            raise ReconciliationFailed(f"step {step}: the panel has status {status} on chain")
        return 2, 0

    def _sold(self, step: int) -> bool:
        return self._books.is_free(step) and self._books.asked() > 0

    def gas(self, step: int, receipts: Sequence[Receipt]) -> Mapping[str, int]:
        """Return the gas of who holds free tokens, and that of locking and unlocking."""
        roles, used = self._stage.roles, dict[str, int]()
        ours = {self._usdc.address, self._nft.address, self._desk.address}
        named = {0: "enter", self._last: "leave"}.get(step, "claim")
        for receipt in receipts:
            act = receipt.call.told.rpartition(".")[2]
            if receipt.call.to not in ours:
                continue
            if receipt.call.sender == roles.depositor:
                used[named] = used.get(named, 0) + receipt.gas_used
            elif receipt.call.sender == roles.locker and act in ("lock", "unlock"):
                used[act] = used.get(act, 0) + receipt.gas_used
        return used


def _word(answer: bytes) -> int:
    """Return the first number of an answer."""
    return int.from_bytes(answer[:WORD], "big")


def _words(answer: bytes) -> list[int]:
    """Return the numbers of an answer."""
    return [int.from_bytes(answer[at : at + WORD], "big") for at in range(0, len(answer), WORD)]


class SolarStage:
    """Casts the collection's player; parts of a token are nobody's to transfer."""

    def cast(self, part: Part[SolarNftTerms, SolarNftDrivers, SolarNftRecord]) -> Cast:
        """Return who plays the collection along one path."""
        player = SolarNftPlayer(
            part.terms,
            part.gas["solar_nft"],
            part.drivers,
            part.record,
            part.size,
            part.exchange_open,
        )
        return Cast(player, notes=cannot_be_handed_on(part))


STAGE = SolarStage()
