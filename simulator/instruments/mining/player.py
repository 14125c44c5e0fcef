"""Drives a mining STO along one path: raise, quarterly payments, claims, the holder's exit."""

from __future__ import annotations

import datetime as dt
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from simulator.chain import Call, Contract, Receipt
from simulator.errors import ReconciliationFailed
from simulator.instruments.gas import Gas
from simulator.instruments.mining.drivers import MiningStoDrivers
from simulator.instruments.mining.paths import MiningStoRecord
from simulator.instruments.mining.terms import MiningStoTerms
from simulator.instruments.stage import UNLIMITED, Observable, Phase, Stage
from simulator.units import (
    BPS,
    SECONDS_PER_DAY,
    USDC_DECIMALS,
    from_wei,
    midnight_timestamp,
    to_wei,
)

TOKEN_DECIMALS = 18
FUNDS_UNIT = 10.0**-USDC_DECIMALS
SOME_COUNTRIES = (152, 604, 76, 32, 170)
"""Of these the crowd has the first that the compliance allows."""
UNROUNDED_UNITS = 4
"""What the books may be out by: each of two claims rounds down by less than a unit of USDC, what
still flows rounds up, and float64 adds a unit of its own. A guest's claim rounds down too."""
DECISIONS_END = 15
"""Reads before those of the guests."""


@dataclass
class Guests:
    """Investors who hold an STO's tokens beside the measured holder, and their desk.

    Attributes
    ----------
    payments : dict of int to int
        What they pay into the raise by step, out of the crowd's part, in units of USDC.
    wallets : list of str
        Who they are, once they have been deployed.
    """

    payments: Mapping[int, int] = field(default_factory=dict)
    wallets: list[str] = field(default_factory=list)

    def paid_by(self, step: int) -> int:
        """Return all they pay up to a step, units of USDC."""
        return sum(amount for day, amount in self.payments.items() if day <= step)


class MiningStoPlayer:
    """The mine's operator, its auditor, the subscribers, and the measured holder.

    Every STO of a scenario has a USDC contract of its own, so that its books stand alone. What
    the mine earned comes into being when its copper is sold; all other USDC was there before.
    """

    def __init__(
        self,
        label: str,
        terms: MiningStoTerms,
        gas: Gas,
        drivers: MiningStoDrivers,
        record: MiningStoRecord,
        holder_usd: float,
        start: dt.date,
        guests: Guests | None = None,
    ) -> None:
        """Take drivers and record of one path: arrays of shape (n_steps + 1, 1)."""
        self._guests = guests or Guests()
        self._label, self._terms, self._record = label, terms, record
        self._begin = midnight_timestamp(start)
        self._last = record.exit_usd.shape[0] - 1
        self._close = terms.sale.days
        self._lock_end = terms.sale.days + terms.compliance.lockup_days
        self._own = to_wei(holder_usd, USDC_DECIMALS)
        hard = to_wei(terms.sale.hard_cap_usd, USDC_DECIMALS)
        wanted = to_wei(float(drivers.others_usd[0]), USDC_DECIMALS)
        self._others = min(wanted, hard - self._own)
        self._crowd_pays = self._others - self._guests.paid_by(self._close)
        soft = to_wei(terms.sale.soft_cap_usd, USDC_DECIMALS)
        self._succeeds = self._own + self._others >= soft
        self._periods = {step: j for j, step in enumerate(drivers.mine.settles) if j > 0}
        self._gas, self._gas_times = gas, gas.factors(self._last)
        self._gas_so_far = list(
            itertools.accumulate(self._booked_gas(step) for step in range(self._last + 1))
        )
        self._expected = self._model()
        largest = float(record.payment_usd.sum()) + from_wei(hard, USDC_DECIMALS)
        amounts = {"supply": 10.0**-TOKEN_DECIMALS}
        exact = ("unaccounted", "uncovered")
        self.observables: tuple[Observable, ...] = tuple(
            Observable(
                name,
                0 if name in exact else 1,
                amounts.get(name, FUNDS_UNIT),
                0.0 if name in exact else largest if name in _BOOKS else holder_usd,
            )
            for name in self._expected
        )

    def _model(self) -> dict[str, list[float]]:
        """Return the model's observables by name, one number a step."""
        steps = range(self._last + 1)
        paid, leave = self._record.paid_usd[:, 0], self._record.exit_usd[:, 0]
        at_once, guests = self._own + self._crowd_pays, self._guests
        found: dict[str, list[float]] = {
            "earned": [float(x) for x in paid],
            "exit_value": [float(x) for x in leave],
            "raised": [from_wei(at_once + guests.paid_by(step), USDC_DECIMALS) for step in steps],
            "unaccounted": [0.0 for _ in steps],
            "uncovered": [0.0 for _ in steps],
        }
        sold = from_wei(self._own + self._others, USDC_DECIMALS) if self._succeeds else 0.0
        supply = sold / self._terms.sale.token_price_usd
        recorded = distributed = returned = unpaid = 0.0
        running: dict[str, list[float]] = {name: [] for name in _RUNNING}
        for step in steps:
            j = self._periods.get(step)
            if j is not None:
                supply += float(self._record.deposit_usd[j, 0]) / self._terms.sale.token_price_usd
                revenue = float(self._record.recorded_usd[j, 0])
                payment = float(self._record.payment_usd[j, 0])
                recorded, distributed = recorded + revenue, distributed + payment
                profit = min(payment, unpaid + revenue)
                unpaid += revenue - profit
                returned += payment - profit
            now = (supply if step >= self._close else 0.0, recorded, distributed, returned)
            for name, value in zip(_RUNNING, now, strict=True):
                running[name].append(value)
        return found | running

    # -- set-up ------------------------------------------------------------------------

    def deploy(self, stage: Stage) -> None:
        """Create the contracts, register everybody, and hand out USDC."""
        self._stage, roles = stage, stage.roles
        self._usdc = stage.deploy("usdc")
        self._registry = stage.deploy("identity_registry", name="registry")
        self._rules = stage.deploy("compliance")
        payout = self._terms.payout
        self._token = stage.deploy(
            "mining_sto",
            "Assay Copper",
            "aCU",
            self._registry,
            self._rules,
            self._usdc,
            payout.stream_days * SECONDS_PER_DAY,
            BPS,
            roles.distributor,
            roles.custodian,
            name="token",
        )
        self._raise = self._deploy_raise(stage)
        stage.send(*self._appointments(), *self._registrations(), *self._funds())

    def _deploy_raise(self, stage: Stage) -> Contract:
        sale, closes = self._terms.sale, self._begin + self._close * SECONDS_PER_DAY
        return stage.deploy(
            "sto_raise",
            self._token,
            stage.roles.distributor,
            stage.roles.custodian,
            to_wei(sale.token_price_usd, USDC_DECIMALS),
            to_wei(sale.soft_cap_usd, USDC_DECIMALS),
            to_wei(sale.hard_cap_usd, USDC_DECIMALS),
            self._begin,
            closes,
            [BPS],
            closes + SECONDS_PER_DAY,
            name="raise",
        )

    def _appointments(self) -> list[Call]:
        owner = self._stage.roles.owner
        return [
            self._registry.call("addAgent", owner, sender=owner),
            self._registry.call("set_listener", self._rules, sender=owner),
            self._token.call("addAgent", owner, sender=owner),
            self._token.call("addAgent", self._raise, sender=owner),
            self._token.call("unpause", sender=owner),
        ]

    def _registrations(self) -> list[Call]:
        roles, rules = self._stage.roles, self._terms.compliance
        forbidden = rules.forbidden_countries
        crowd = next(country for country in SOME_COUNTRIES if country not in forbidden)
        who = ((roles.depositor, rules.holder_country), (roles.crowd, crowd))
        register = [
            # an identity is an address that nobody deploys: claims are out of scope
            self._registry.call(
                "registerIdentity", wallet, f"0x1d{n:038x}", country, sender=roles.owner
            )
            for n, (wallet, country) in enumerate(who, start=1)
        ]
        forbid = [
            self._rules.call("set_country_forbidden", country, True, sender=roles.owner)
            for country in forbidden
        ]
        return register + forbid

    def _funds(self) -> list[Call]:
        roles, crowd = self._stage.roles, self._stage.roles.crowd
        later = sum(to_wei(float(x), USDC_DECIMALS) for x in self._record.deposit_usd[:, 0])
        spend = max(self._others, 0) + later + self._proceeds()
        return [
            self._usdc.call("configureMinter", roles.owner, UNLIMITED, sender=roles.owner),
            self._usdc.call("mint", roles.depositor, self._own, sender=roles.owner),
            self._usdc.call("mint", crowd, spend + 1, sender=roles.owner),
            self._usdc.call("approve", self._raise, UNLIMITED, sender=crowd),
            self._usdc.call("approve", self._token, UNLIMITED, sender=roles.distributor),
        ]

    def _discount(self, step: int) -> float:
        secondary = self._terms.secondary
        locked = step < self._lock_end
        return secondary.lockup_discount if locked else secondary.illiquidity_discount

    def _proceeds(self) -> int:
        """Return what the buyer pays for the holder's tokens on the last step."""
        if not self._succeeds or self._last < self._lock_end:
            return 0
        price = float(self._record.price_usd[-1, 0]) * (1.0 - self._discount(self._last))
        return to_wei(price, USDC_DECIMALS)

    # -- a step ------------------------------------------------------------------------

    def calls(self, step: int) -> list[tuple[Phase, Call]]:
        """Return the step's calls, each with its phase."""
        by_phase: list[tuple[Phase, list[Call]]] = []
        if step == 0:
            by_phase.append((Phase.DEPOSITS, self._subscriptions()))
        if step == self._close:
            by_phase.append((Phase.DEPOSITS, self._closing()))
            by_phase.append((Phase.REPORTS, self._release()))
        if step in self._periods and self._succeeds:
            by_phase.append((Phase.REPORTS, self._payment(self._periods[step])))
            by_phase.append((Phase.CLAIMS, self._withdrawal(step)))
        if step == self._last and self._succeeds:
            by_phase.append((Phase.CLAIMS, self._exit()))
        return [(phase, call) for phase, calls in by_phase for call in calls]

    def _subscriptions(self) -> list[Call]:
        roles = self._stage.roles
        calls = [
            self._usdc.call("approve", self._raise, self._own, sender=roles.depositor),
            self._raise.call("contribute", self._own, sender=roles.depositor),
        ]
        if self._crowd_pays > 0:
            calls.append(self._raise.call("contribute", self._crowd_pays, sender=roles.crowd))
        return calls

    def _closing(self) -> list[Call]:
        roles = self._stage.roles
        settle = "claim" if self._succeeds else "refund"
        calls = [
            self._raise.call("close", sender=roles.keeper),
            self._raise.call(settle, roles.depositor, sender=roles.depositor),
        ]
        if self._crowd_pays > 0:
            calls.append(self._raise.call(settle, roles.crowd, sender=roles.crowd))
        if self._succeeds:
            until = self._begin + self._lock_end * SECONDS_PER_DAY
            lock = (roles.depositor, self._held(), until)
            calls.append(self._rules.call("set_lockup", *lock, sender=roles.owner))
        return calls

    def _release(self) -> list[Call]:
        """Pay the mine; what guests claim on the close is claimed by then, so that is all."""
        if not self._succeeds:
            return []
        return [self._raise.call("release_milestone", sender=self._stage.roles.custodian)]

    def _held(self) -> int:
        """Return the holder's tokens in wei, as the raise counts them."""
        price: int = to_wei(self._terms.sale.token_price_usd, USDC_DECIMALS)
        held: int = self._own * 10**TOKEN_DECIMALS // price
        return held

    def _payment(self, period: int) -> list[Call]:
        """Return new deposits, the auditor's record of profit, and the payment."""
        roles, record = self._stage.roles, self._record
        deposit, revenue, payment = (
            to_wei(float(amounts[period, 0]), USDC_DECIMALS)
            for amounts in (record.deposit_usd, record.recorded_usd, record.payment_usd)
        )
        calls: list[Call] = []
        if deposit > 0:
            price = to_wei(self._terms.sale.token_price_usd, USDC_DECIMALS)
            tokens = deposit * 10**TOKEN_DECIMALS // price
            calls += [
                self._usdc.call("transfer", roles.distributor, deposit, sender=roles.crowd),
                self._token.call("mint", roles.crowd, tokens, sender=roles.owner),
            ]
        if revenue > 0:
            calls += [
                self._usdc.call("mint", roles.distributor, revenue, sender=roles.owner),
                self._token.call("record_revenue", revenue, sender=roles.custodian),
            ]
        if payment > 0:
            calls.append(self._token.call("distribute_funds", payment, sender=roles.distributor))
        return calls

    def _withdraw(self) -> Call:
        return self._token.call("withdrawFunds", sender=self._stage.roles.depositor)

    def _withdrawal(self, step: int) -> list[Call]:
        """Return how the holder takes out profit on a step."""
        del step
        return [self._withdraw()]

    def _exit(self) -> list[Call]:
        """Take out what is there and sell the tokens to the crowd, unless they are locked."""
        holder, crowd = self._stage.roles.depositor, self._stage.roles.crowd
        if self._last < self._lock_end:
            return [self._withdraw()]
        sale = [self._token.call("transfer", crowd, self._held(), sender=holder)]
        if self._proceeds() > 0:
            sale.append(self._usdc.call("transfer", holder, self._proceeds(), sender=crowd))
        return [self._withdraw(), *sale]

    # -- observation -------------------------------------------------------------------

    def views(self, step: int) -> list[Call]:
        """Return the reads; behind the first thirteen are decisions, then the guests' claims."""
        del step
        return self._reads

    @cached_property
    def _reads(self) -> list[Call]:
        roles = self._stage.roles
        holder, crowd = roles.depositor, roles.crowd
        return [
            self._token.call("accumulativeFundsOf", holder),
            self._token.call("withdrawableFundsOf", holder),
            self._token.call("withdrawnFundsOf", holder),
            self._token.call("withdrawableFundsOf", crowd),
            self._token.call("withdrawnFundsOf", crowd),
            self._token.call("unstreamed_funds"),
            self._token.call("total_distributed"),
            self._token.call("recorded_revenue"),
            self._token.call("returned_capital"),
            self._token.call("totalSupply"),
            self._usdc.call("balanceOf", self._token),
            self._usdc.call("balanceOf", holder),
            self._raise.call("raised"),
            self._raise.call("has_succeeded"),
            self._rules.call("canTransfer", holder, crowd, self._held()),
            *(
                self._token.call(claim, wallet)
                for wallet in self._guests.wallets
                for claim in ("withdrawableFundsOf", "withdrawnFundsOf")
            ),
        ]

    def read(self, step: int, answers: Sequence[bytes]) -> Mapping[str, float]:
        """Return the observables on chain; the exit value as in the model."""
        words = [int.from_bytes(answer, "big") for answer in answers[:13]]
        earned, open_claim, taken, crowd_claim, crowd_taken, flowing, total = words[:7]
        recorded, returned, supply, funds, cash, raised = words[7:]
        guests = [int.from_bytes(answer, "big") for answer in answers[DECISIONS_END:]]
        withdrawn = taken + crowd_taken + sum(guests[1::2])
        claims = open_claim + crowd_claim + sum(guests[::2])
        unaccounted = total - withdrawn - claims - flowing
        units = {
            "earned": earned,
            "raised": raised,
            "recorded": recorded,
            "distributed": total,
            "returned": returned,
            "unaccounted": unaccounted,
            "uncovered": funds - (total - withdrawn),
        }
        found = {name: from_wei(amount, USDC_DECIMALS) for name, amount in units.items()}
        found["supply"] = from_wei(supply, TOKEN_DECIMALS)
        found["exit_value"] = self._exit_value(step, from_wei(cash + open_claim, USDC_DECIMALS))
        return found

    def _exit_value(self, step: int, cash: float) -> float:
        """Return what leaving pays: cash, and the escrow or the tokens' price less discount."""
        if step == 0 or step < self._close:
            cash += from_wei(self._own, USDC_DECIMALS)
        elif self._succeeds and (step < self._last or self._last < self._lock_end):
            cash += float(self._record.price_usd[step, 0]) * (1.0 - self._discount(step))
        if step == 0:
            return cash
        leaves = self._succeeds and step >= self._close
        spent = self._gas_so_far[step] * self._gas.usd_per_gas
        return cash - spent - (self._gas.usd_on("leave", step) if leaves else 0.0)

    def _booked_gas(self, step: int) -> float:
        """Return the gas of the holder's acts of a step, at the scenario's figures and price."""
        acts = ["enter"] if step == 0 else []
        acts += ["claim"] if step == self._close else []
        acts += ["claim"] if step in self._periods and self._succeeds else []
        return math.fsum(self._gas.used[act] for act in acts) * float(self._gas_times[step])

    def expected(self, step: int) -> Mapping[str, float]:
        """Return the model's observables."""
        return {name: values[step] for name, values in self._expected.items()}

    def extra_tolerance(self, step: int) -> Mapping[str, float]:
        """Return what the books may be out by, whatever the number of steps."""
        del step
        units = UNROUNDED_UNITS + len(self._guests.wallets)
        return {
            "unaccounted": units * FUNDS_UNIT,
            "uncovered": 0.5 * FUNDS_UNIT,
        }

    def check_decisions(self, step: int, answers: Sequence[bytes]) -> tuple[int, int]:
        """Compare whether the raise succeeded, and whether the holder may sell."""
        succeeded, free = (bool(int.from_bytes(a, "big")) for a in answers[13:DECISIONS_END])
        if step < self._close:
            return 0, 0
        if succeeded != self._succeeds:
            raise ReconciliationFailed(
                f"step {step}: the raise of {self._label} has "
                f"{'succeeded' if succeeded else 'failed'} on chain, and not in the model"
            )
        if not self._succeeds or step == self._last:
            return 1, 0
        if free != (step >= self._lock_end):
            raise ReconciliationFailed(
                f"step {step}: {self._label} is {'free' if free else 'locked up'} on chain, "
                "and not in the model"
            )
        return 2, 0

    def gas(self, step: int, receipts: Sequence[Receipt]) -> Mapping[str, int]:
        """Return the holder's gas: entering, claiming or leaving."""
        holder = self._stage.roles.depositor
        own = {c.address for c in (self._usdc, self._token, self._raise)}
        used = sum(r.gas_used for r in receipts if r.call.sender == holder and r.call.to in own)
        if used == 0:
            return {}
        return {{0: "enter", self._last: "leave"}.get(step, "claim"): used}


_RUNNING = ("supply", "recorded", "distributed", "returned")
_BOOKS = ("raised", *_RUNNING)
