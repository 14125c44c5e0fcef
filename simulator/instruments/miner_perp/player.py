"""Drives the perpetual along one path: feeds, providers, the crowd, the traders, and the keeper."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np

from simulator.chain import Call, Receipt
from simulator.errors import ReconciliationFailed
from simulator.instruments.casting import Cast, Part, cannot_be_handed_on
from simulator.instruments.miner_perp.drivers import SHARE_USD, MinerPerpDrivers
from simulator.instruments.miner_perp.paths import MinerPerpRecord
from simulator.instruments.miner_perp.state import (
    Act,
    Amount,
    Numbers,
    Observed,
    accounts,
    numbers,
    request_step,
)
from simulator.instruments.miner_perp.terms import MinerPerpTerms
from simulator.instruments.miner_perp.venue import has_failed
from simulator.instruments.runs import Run
from simulator.instruments.stage import UNLIMITED, Observable, Phase, Stage
from simulator.units import (
    DEAD_BAND,
    FEED_DECIMALS,
    SECONDS_PER_DAY,
    USDC_DECIMALS,
    WAD,
    BoolArray,
    from_wei,
    to_wei,
)

MARKET_CLOSED, MARKET_OPEN = 1, 2
FEED_MAX_AGE = 7 * SECONDS_PER_DAY
"""Longer than any holiday of the metals' market; a freeze of the feed comes on top of it."""

UNIT = 10.0**-USDC_DECIMALS
SIZE_DECIMALS = 6
SIZE_WEI = 10 ** (18 - SIZE_DECIMALS)
WORD = 32
SIGNED = 2**255

ROUNDINGS_A_TRADE = 8
"""Gain, its cut, funding, both parts of the fee, its two shares, and the penalty."""

AMOUNTS = {
    "pool": Observed.POOL,
    "insurance": Observed.INSURANCE,
    "fees": Observed.FEES,
    "margins": Observed.MARGINS,
    "pool_value": Observed.POOL_VALUE,
    "bad_debt": Observed.BAD_DEBT,
    "profits_cut": Observed.CUT,
}
"""Views without arguments in USDC, by name."""


class MinerPerpPlayer:
    """The providers, the crowd's cohorts, the measured traders, and whoever executes for them."""

    def __init__(
        self,
        terms: MinerPerpTerms,
        drivers: MinerPerpDrivers,
        record: MinerPerpRecord,
        told: Numbers,
        trading: BoolArray,
    ) -> None:
        """Take drivers and record of one path: arrays of shape (..., 1)."""
        self._terms, self._drivers, self._told, self._trading = terms, drivers, told, trading
        self._cast = accounts(terms)
        self._acts, self._amounts = record.acts[..., 0], record.amounts[..., 0]
        self._equities, self._held = record.equities[..., 0], record.held[..., 0]
        self._seen, self._paid = record.observed[:, 0], float(record.paid[0])
        self._rounds, self._kept = drivers.rounds[:, 0], drivers.kept[:, 0]
        # the first round is that of the set-up
        self._ids = 1 + np.cumsum(self._rounds)
        self._last = drivers.last_round
        self._names = (*terms.crowd.cohorts, *terms.traders)
        self._equity_names = [f"equity of {name}" for name in self._names]
        self._cash_names = [f"cash of {name}" for name in terms.traders]
        self._acting: list[list[int]] = [list[int]() for _ in self._acts]
        for step, number in np.argwhere(self._acts).tolist():
            self._acting[step].append(number)
        # the step on which the venue has failed, beyond the last where it does not
        self._fails = int(drivers.fails[0]) if has_failed(drivers)[0] else len(self._acts)
        self._ended = record.ended[:, 0]
        self._run = self._run_of(drivers) if record.fled[0] > 0.0 else None
        self._cash = self._paid_out()
        self._setup: dict[str, int] = {}
        self.observables = self._observables()

    def _run_of(self, drivers: MinerPerpDrivers) -> Run:
        """Return the steps on which others ask for their money and claim it, and their shares."""
        step, share = int(drivers.run_step[0]), float(drivers.run_share[0])
        others = share * (self._told.deposits - self._told.holder)
        shares = to_wei(others, USDC_DECIMALS)
        return Run(step - self._terms.pool.cooldown_days, step, shares)

    def _others_leave(self, step: int) -> list[tuple[Phase, Call]]:
        """Return what others do in a run."""
        run, crowd = self._run, self._stage.roles.crowd
        if run is None:
            return []
        ask = self._perp.call("request_withdraw", run.shares, sender=crowd)
        return run.calls(step, ask, self._perp.call("claim_withdraw", sender=crowd))

    def _paid_out(self) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
        """Return what each account has been paid out by each step, USD."""
        found = np.zeros_like(self._equities)
        withdrew = (self._acts & Act.WITHDREW) > 0
        for step, account in zip(*np.nonzero(withdrew), strict=True):
            found[step:, account] += self._amounts[Amount.MARGIN, step, account]
        found[self._fails :, self._cast.n_cohorts :] += self._ended[:-1]
        return found

    def _observables(self) -> tuple[Observable, ...]:
        roundings = ROUNDINGS_A_TRADE * max(1, len(self._names))
        book = float(self._seen[:, [Observed.POOL, Observed.MARGINS]].sum(axis=1).max())
        book += float(np.abs(self._held * self._drivers.index[:, :1]).sum(axis=1).max())
        sizes = float(np.abs(self._held).sum(axis=1).max())
        found = [Observable(name, roundings, UNIT, book) for name in AMOUNTS]
        found += [Observable(f"equity of {name}", roundings, UNIT, book) for name in self._names]
        found += [
            Observable(f"cash of {name}", roundings, UNIT, book) for name in self._terms.traders
        ]
        found += [Observable(name, 1, 1e-18, max(1.0, sizes)) for name in ("long", "short")]
        # the skew is told in whole units of USDC
        drift = self._told.velocity * UNIT / self._told.skew_scale + 1e-18
        found += [
            Observable("funding_rate", 2, drift),
            Observable("provider_cash", roundings, UNIT, book),
        ]
        return tuple(found)

    # -- set-up ------------------------------------------------------------------------

    def deploy(self, stage: Stage) -> None:
        """Create dollars, feeds, index and market, and fund everybody for the whole run.

        Orders fill at the round after they were placed: those that fill on the first step are
        placed now.
        """
        roles = stage.roles
        self._stage = stage
        self._accounts = (
            *roles.several("cohort", len(self._terms.crowd.cohorts)),
            *roles.several("trader", len(self._terms.traders)),
        )
        self._usdc = stage.deploy("usdc")
        self._metal = stage.deploy(
            "price_feed", FEED_DECIMALS, "METAL / USD", roles.keeper, name="metal_feed"
        )
        self._miner = stage.deploy(
            "price_feed", FEED_DECIMALS, "MINER / USD", roles.keeper, name="miner_feed"
        )
        self._index = stage.deploy("miner_index", self._sources())
        self._perp = stage.deploy(
            "miner_perp", self._usdc, roles.keeper, self._index, *self._contract_terms()
        )
        self._fund(stage)
        self._enter(stage)

    def _fund(self, stage: Stage) -> None:
        """Mint what everybody needs, and let the crowd of providers in."""
        roles, told = stage.roles, self._told
        crowd = to_wei(told.deposits - told.holder, USDC_DECIMALS)
        funds = {
            roles.crowd: crowd + to_wei(told.insurance, USDC_DECIMALS),
            roles.depositor: to_wei(told.holder, USDC_DECIMALS),
        }
        for number, who in enumerate(self._accounts):
            is_cohort = number < self._cast.n_cohorts
            usd = 1e12 if is_cohort else float(self._cast.margins[number])
            funds[who] = to_wei(usd, USDC_DECIMALS)
        mint = [self._usdc.call("configureMinter", roles.owner, UNLIMITED, sender=roles.owner)]
        mint += [
            self._usdc.call("mint", who, usd, sender=roles.owner) for who, usd in funds.items()
        ]
        others = [roles.crowd, *self._accounts[: self._cast.n_cohorts]]
        mint += [self._approve(who) for who in others]
        stage.send(*mint, *self._posts(0))
        stage.send(self._perp.call("deposit", crowd, sender=roles.crowd))
        if told.insurance > 0.0:
            usd = to_wei(told.insurance, USDC_DECIMALS)
            stage.send(self._perp.call("fund_insurance", usd, sender=roles.crowd))

    def _enter(self, stage: Stage) -> None:
        """Let the measured provider in, and place everybody's first order; their gas counts."""
        own, told = stage.roles.depositor, self._told
        holder = to_wei(told.holder, USDC_DECIMALS)
        came = stage.send(self._approve(own), self._perp.call("deposit", holder, sender=own))
        self._setup["provide"] = sum(receipt.gas_used for receipt in came)
        for number, who in enumerate(self._accounts):
            usd = to_wei(float(self._cast.margins[number]), USDC_DECIMALS)
            if usd == 0:
                continue
            calls = [self._approve(who)] if number >= self._cast.n_cohorts else []
            calls.append(self._perp.call("add_margin", usd, sender=who))
            calls.append(
                self._order(number, float(self._cast.sides[number] * self._cast.sizes[number]))
            )
            came = stage.send(*calls)
            if number == self._cast.n_cohorts:
                self._setup["enter"] = sum(receipt.gas_used for receipt in came)

    def _approve(self, who: str) -> Call:
        return self._usdc.call("approve", self._perp, UNLIMITED, sender=who)

    def _sources(self) -> tuple[object, ...]:
        index = self._terms.index
        weight = to_wei(index.metal_weight, 18)
        first = to_wei(float(self._drivers.metal_usd[0, 0]), FEED_DECIMALS) * 10**10
        share = to_wei(SHARE_USD, 18)
        feeds = self._metal.address, self._miner.address
        # orders are placed while the feed stands still, and fill once it is back
        freeze = self._terms.freeze
        frozen = freeze.days * SECONDS_PER_DAY if freeze.hazard > 0.0 else 0
        return (*feeds, weight, WAD - weight, first, share, FEED_MAX_AGE + frozen)

    def _contract_terms(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        market, pool, funding = self._terms.market, self._terms.pool, self._terms.funding
        found = (
            to_wei(market.initial_margin, 18),
            to_wei(market.maintenance_margin, 18),
            to_wei(market.liquidation_penalty, 18),
            to_wei(market.keeper_fee_usd, USDC_DECIMALS),
            to_wei(market.maker_fee, 18),
            to_wei(market.taker_fee, 18),
            to_wei(market.insurance_share, 18),
            to_wei(market.protocol_share, 18),
            to_wei(market.max_open_interest, 18),
            to_wei(market.max_profit, 18),
            to_wei(market.adl_trigger, 18),
            to_wei(market.adl_target, 18),
            to_wei(market.min_notional_usd, USDC_DECIMALS),
            pool.cooldown_days * SECONDS_PER_DAY,
            pool.claim_window_days * SECONDS_PER_DAY,
        )
        rates = (funding.fixed_rate, funding.max_rate, funding.velocity_a_day)
        scale = to_wei(self._told.skew_scale, USDC_DECIMALS)
        return found, (*(_signed_wei(rate) for rate in rates), scale)

    # -- a step ------------------------------------------------------------------------

    def calls(self, step: int) -> list[tuple[Phase, Call]]:
        """Return the step's calls, each with its phase."""
        keeper, acts = self._stage.roles.keeper, self._acts[step]
        found = [(Phase.PRICES, call) for call in self._prices(step)]
        found.append((Phase.ACCRUAL, self._perp.call("accrue", sender=keeper)))
        acting = self._acting[step]
        for number in acting:
            found += self._executed(step, number, Act(int(acts[number])))
        found += self._others_leave(step)
        found += [(Phase.WITHDRAWALS, call) for call in self._leave(step)]
        if step == request_step(self._terms, self._last) < min(self._last, self._fails):
            found.append((Phase.CLAIMS, self._request()))
        if step == self._fails:
            found += [(Phase.EXPLOITS, call) for call in self._fail()]
        for number in acting:
            found += self._ordered(step, number, Act(int(acts[number])))
        return found

    def _prices(self, step: int) -> list[Call]:
        keeper = self._stage.roles.keeper
        now = bool(self._trading[step]) or step == 0
        before = step > 0 and (bool(self._trading[step - 1]) or step == 1)
        calls = []
        if now != before:
            status = MARKET_OPEN if now else MARKET_CLOSED
            calls.append(self._metal.call("set_market_status", status, sender=keeper))
            calls.append(self._miner.call("set_market_status", status, sender=keeper))
        return calls + (self._posts(step) if self._rounds[step] else [])

    def _posts(self, step: int) -> list[Call]:
        """Return a round of each feed: the metal's last, for it is the index's."""
        keeper, calls = self._stage.roles.keeper, []
        if self._terms.index.miner_weight > 0.0:
            answer = to_wei(float(self._drivers.miner_usd[step, 0]), FEED_DECIMALS)
            calls.append(self._miner.call("update_answer", answer, sender=keeper))
        answer = to_wei(float(self._drivers.metal_usd[step, 0]), FEED_DECIMALS)
        return [*calls, self._metal.call("update_answer", answer, sender=keeper)]

    def _executed(self, step: int, number: int, acts: Act) -> list[tuple[Phase, Call]]:
        """Return what is executed for an account: order, liquidation, stop, reduction."""
        keeper, who, found = self._stage.roles.keeper, self._accounts[number], []
        if Act.FILLED in acts:
            call = self._perp.call("execute_order", who, sender=keeper)
            found.append((Phase.ACCRUAL, call))
        if Act.LIQUIDATED in acts:
            found.append((Phase.LIQUIDATIONS, self._perp.call("liquidate", who, sender=keeper)))
        if Act.STOPPED in acts:
            touched = int(self._ids[int(self._amounts[Amount.TOUCHED, step, number])])
            call = self._perp.call("execute_stop", who, touched, sender=keeper)
            found.append((Phase.STOPS, call))
        if Act.REDUCED in acts:
            size = _size_wei(float(self._amounts[Amount.REDUCED, step, number]))
            call = self._perp.call("deleverage", who, size, sender=keeper)
            found.append((Phase.ARBITRAGE, call))
        return found

    def _ordered(self, step: int, number: int, acts: Act) -> list[tuple[Phase, Call]]:
        """Return what an account does itself: margin, orders, its stop."""
        who, found = self._accounts[number], []
        if Act.TOPPED in acts:
            usd = to_wei(float(self._amounts[Amount.MARGIN, step, number]), USDC_DECIMALS)
            found.append((Phase.DEPOSITS, self._perp.call("add_margin", usd, sender=who)))
        if Act.CLOSES in acts:
            worst = 0 if self._cast.sides[number] > 0.0 else UNLIMITED
            call = self._perp.call("close_position", worst, sender=who)
            found.append((Phase.BORROWS, call))
        elif Act.ORDERED in acts:
            delta = float(self._amounts[Amount.ORDER, step, number])
            found.append((Phase.BORROWS, self._order(number, delta)))
        trader = number - self._cast.n_cohorts
        opened = Act.FILLED in acts and step == 0 and self._held[0, number] != 0.0
        if trader >= 0 and opened and self._cast.stops[trader] > 0.0:
            beyond = self._cast.sides[number] * self._cast.stops[trader]
            level = to_wei(float(self._drivers.index[0, 0] * (1.0 - beyond)), 18)
            call = self._perp.call("place_stop", level, level, UNLIMITED, sender=who)
            found.append((Phase.BORROWS, call))
        return found

    def _order(self, number: int, delta: float) -> Call:
        worst = UNLIMITED if delta > 0.0 else 0
        wei = _size_wei(abs(delta))
        args = (wei if delta > 0.0 else -wei, worst)
        return self._perp.call("modify_position", *args, sender=self._accounts[number])

    def _leave(self, step: int) -> list[Call]:
        """Return the withdrawals of the last round: traders' margins, then the provider's."""
        if step != self._last or step >= self._fails:
            return []
        left = np.flatnonzero(self._acts[step] & Act.WITHDREW)
        calls = [
            self._perp.call("remove_margin", UNLIMITED, sender=self._accounts[number])
            for number in left
        ]
        if request_step(self._terms, self._last) == step:
            calls.append(self._request())
        if self._paid > 0.0:
            calls.append(self._perp.call("claim_withdraw", sender=self._stage.roles.depositor))
        return calls

    def _fail(self) -> list[Call]:
        """Return the venue's end: its dollars are stopped, and what is left of them paid.

        The market has no back door: what whoever robs it takes is stopped at the token.
        """
        owner, depositor = self._stage.roles.owner, self._stage.roles.depositor
        calls = [self._usdc.call("blacklist", self._perp, sender=owner)]
        who = (*self._accounts[self._cast.n_cohorts :], depositor)
        for account, usd in zip(who, self._ended, strict=True):
            wei = to_wei(float(usd), USDC_DECIMALS)
            if wei > 0:
                calls.append(self._usdc.call("mint", account, wei, sender=owner))
        return calls

    def _request(self) -> Call:
        """Return the request for all that the measured provider has: a share was a unit."""
        shares = to_wei(self._told.holder, USDC_DECIMALS)
        return self._perp.call("request_withdraw", shares, sender=self._stage.roles.depositor)

    # -- observation -------------------------------------------------------------------

    def views(self, step: int) -> list[Call]:
        """Return the reads: the market's, then each account's."""
        del step
        return self._reads

    @cached_property
    def _reads(self) -> list[Call]:
        perp, traders = self._perp, self._accounts[self._cast.n_cohorts :]
        calls = [perp.call(name) for name in AMOUNTS]
        calls += [perp.call("side_size", True), perp.call("side_size", False)]
        calls += [perp.call("funding_rate")]
        calls += [self._usdc.call("balanceOf", self._stage.roles.depositor)]
        calls += [self._usdc.call("balanceOf", who) for who in traders]
        calls += [perp.call("equity", who) for who in self._accounts]
        return calls + [perp.call("is_liquidatable", who) for who in self._accounts]

    def read(self, step: int, answers: Sequence[bytes]) -> Mapping[str, float]:
        """Return the observables on chain."""
        del step
        read = zip(self._scales.items(), answers, strict=False)
        return {name: from_wei(_signed(answer), decimals) for (name, decimals), answer in read}

    @cached_property
    def _scales(self) -> dict[str, int]:
        """The decimals of what is read, in order, without who is liquidatable."""
        names = [*AMOUNTS, "long", "short", "funding_rate", "provider_cash"]
        names += [*self._cash_names, *self._equity_names]
        in_wad = {"long", "short", "funding_rate"}
        return {name: 18 if name in in_wad else USDC_DECIMALS for name in names}

    def expected(self, step: int) -> Mapping[str, float]:
        """Return the model's observables."""
        seen: list[float] = self._seen[step].tolist()
        values = {name: seen[column] for name, column in AMOUNTS.items()}
        values["long"], values["short"] = seen[Observed.LONG], seen[Observed.SHORT]
        values["funding_rate"] = seen[Observed.RATE]
        values["provider_cash"] = self._paid if step >= self._last else 0.0
        values["provider_cash"] += float(self._ended[-1]) if step >= self._fails else 0.0
        equities, cash = self._equities[step].tolist(), self._cash[step].tolist()
        values |= zip(self._equity_names, equities, strict=True)
        values |= zip(self._cash_names, cash[self._cast.n_cohorts :], strict=True)
        return values

    def extra_tolerance(self, step: int) -> Mapping[str, float]:
        """Return nothing: all amounts are USDC's."""
        del step
        return {}

    def check_decisions(self, step: int, answers: Sequence[bytes]) -> tuple[int, int]:
        """Compare who is due for liquidation after a keeper's round, outside the dead-band."""
        if not self._kept[step]:
            return 0, 0
        inside = 0
        held: list[float] = self._held[step].tolist()
        open_now = [number for number, size in enumerate(held) if size]
        price = float(self._drivers.index[step, 0])
        first = len(answers) - len(self._accounts)
        for number in open_now:
            kept = abs(held[number]) * price * self._told.maintenance
            if abs(float(self._equities[step, number]) / kept - 1.0) <= DEAD_BAND:
                inside += 1
            elif int.from_bytes(answers[first + number], "big"):
                raise ReconciliationFailed(
                    f"step {step}: the position of {self._names[number]} is liquidatable on chain"
                )
        return len(open_now), inside

    def gas(self, step: int, receipts: Sequence[Receipt]) -> Mapping[str, int]:
        """Return the provider's gas, and that of the first measured trader."""
        roles, used = self._stage.roles, dict(self._setup) if step == 0 else {}
        first = self._cast.n_cohorts
        trader = self._accounts[first] if len(self._accounts) > first else ""
        for receipt in receipts:
            sender, told = receipt.call.sender, receipt.call.told
            if sender == roles.depositor:
                act = "request" if "request" in told else "claim"
            elif sender == trader:
                act = "enter" if step == 0 else "leave"
            else:
                continue
            used[act] = used.get(act, 0) + receipt.gas_used
        return used


def _size_wei(size: float) -> int:
    """Return a size, 0 or more, as the contract has it: whole units of 1e-6, x 1e18."""
    wei: int = to_wei(size, SIZE_DECIMALS) * SIZE_WEI
    return wei


def _signed_wei(rate: float) -> int:
    """Return a rate x 1e18, either sign."""
    return math.floor(math.copysign(to_wei(abs(rate), 18), rate))


def _signed(answer: bytes) -> int:
    """Return the first word of an answer as an int256."""
    word = int.from_bytes(answer[:WORD], "big")
    return word - 2 * SIGNED if word >= SIGNED else word


class PerpStage:
    """Casts the perpetual's player; positions and shares of the pool are nobody's to transfer."""

    def cast(self, part: Part[MinerPerpTerms, MinerPerpDrivers, MinerPerpRecord]) -> Cast:
        """Return who plays the market along one path."""
        told = numbers(
            part.terms,
            part.gas["miner_perp"],
            part.size,
            part.drivers.last_round,
            part.n_steps,
        )
        player = MinerPerpPlayer(part.terms, part.drivers, part.record, told, part.exchange_open)
        return Cast(player, notes=cannot_be_handed_on(part))


STAGE = PerpStage()
