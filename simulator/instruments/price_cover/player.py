"""Drives the price cover along one path: feed, underwriters, buyers of cover, keepers."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np

from simulator.chain import Call, Receipt
from simulator.errors import ReconciliationFailed
from simulator.instruments.casting import Cast, Part, cannot_be_handed_on
from simulator.instruments.price_cover.drivers import PriceCoverDrivers
from simulator.instruments.price_cover.paths import PriceCoverRecord
from simulator.instruments.price_cover.state import MINER, Act, Observed, Policy, request_step
from simulator.instruments.price_cover.terms import PriceCoverTerms
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
    midnight_timestamp,
    to_wei,
)

MARKET_CLOSED, MARKET_OPEN = 1, 2
FEED_MAX_AGE = 7 * SECONDS_PER_DAY
"""Longer than any holiday of the metals' market."""

STRIKE_ROOM = 10**9
"""Added to the highest strike over price (x 1e18): a strike is a whole cent, not rounded."""

TONNE_DECIMALS = 18
UNIT = 10.0**-USDC_DECIMALS
SMALLEST_POOL_USD = 1.0
"""The utilisation of a pool with less in it than this is not expected to agree."""

ROUNDINGS_A_STEP = 8
"""A policy's sum, payout and part, for each of the two buyers, the day's part, and the claim."""

STRIKE_WORD, TRIGGERED_WORD = 2, 8
"""Places in the contract's `Policy`."""
WORD = 32
N_VIEWS = 9
"""Reads before those of single policies."""

AMOUNTS = {
    "total_assets": Observed.TOTAL_ASSETS,
    "locked": Observed.LOCKED,
    "unearned_premium": Observed.UNEARNED,
    "triggered_sum": Observed.TRIGGERED,
    "exit_value": Observed.EXIT_VALUE,
}


class PriceCoverPlayer:
    """The measured underwriter and the others, the miner and other buyers, and the keepers."""

    def __init__(
        self,
        terms: PriceCoverTerms,
        drivers: PriceCoverDrivers,
        record: PriceCoverRecord,
        holder_usd: float,
        trading: BoolArray,
    ) -> None:
        """Take drivers and record of one path: arrays of shape (n_steps + 1, ..., 1)."""
        self._holder_usd = holder_usd
        self._terms = terms
        self._feed_usd = drivers.feed_usd[:, 0]
        self._plan, self._acts = record.plan, record.acts[..., 0]
        self._policies, self._seen = record.policies[..., 0], record.observed[:, 0]
        self._paid_out = float(record.paid_out[0])
        self._away = drivers.away if drivers.away.size else np.zeros(len(trading), np.bool_)
        """Days on which no keeper is there: what anybody may do is then done by who is paid."""
        robbed = drivers.theft_step.size > 0
        self._theft = int(drivers.theft_step[0]) if robbed else len(self._feed_usd)
        """Step on which the pool is robbed; beyond the last where it is not."""
        self._ended = float(record.ended[0])
        self._run = self._run_of(terms, drivers) if record.fled[0] > 0.0 else None
        self._trading, self._genesis = trading, midnight_timestamp(drivers.start)
        self._last_step = len(self._feed_usd) - 1
        posts = trading[: self._last_step + 1].copy()
        posts[0] = True
        self._posts: list[bool] = posts.tolist()
        """Whether the feed has a round on each step: trading days and the first."""
        self._rounds = np.cumsum(posts)
        sold = np.flatnonzero(self._policies[:, Policy.TONNES] > 0.0)
        self._ids = {int(index): number + 1 for number, index in enumerate(sold)}
        self._voided = {int(index) for index in sold if (self._acts[:, index] == Act.VOID).any()}
        fixed = [step if self._ending(step) else 0 for step in range(self._last_step + 1)]
        self._last_fixed = np.maximum.accumulate(fixed)
        lowest = float(self._seen[:, Observed.TOTAL_ASSETS].min())
        self._smallest = max(lowest - self._paid_out, SMALLEST_POOL_USD)
        self.observables = self._observables()

    @staticmethod
    def _run_of(terms: PriceCoverTerms, drivers: PriceCoverDrivers) -> Run:
        """Return the steps on which others ask for their money and claim it, and their shares."""
        step, share = int(drivers.run_step[0]), float(drivers.run_share[0])
        usd = to_wei(share * terms.pool.deposits_usd, USDC_DECIMALS)
        return Run(step - terms.pool.cooldown_days, step, usd)

    def _observables(self) -> tuple[Observable, ...]:
        pool = float(self._seen[:, Observed.TOTAL_ASSETS].max())
        smallest = self._smallest
        book = pool * self._terms.pool.leverage
        found = [(name, ROUNDINGS_A_STEP, UNIT, book) for name in AMOUNTS]
        found += [("miner_cash", ROUNDINGS_A_STEP, UNIT, book), ("settlement", 1, 1e-18, 1.0)]
        found += [("underwriter_cash", ROUNDINGS_A_STEP, UNIT, pool)]
        found += [("utilisation", ROUNDINGS_A_STEP, UNIT / smallest, pool / smallest)]
        return tuple(
            Observable(name, operations, unit, magnitude)
            for name, operations, unit, magnitude in found
        )

    # -- set-up ------------------------------------------------------------------------

    def deploy(self, stage: Stage) -> None:
        """Create dollars, feed, its reader and pool, and fund everybody for the whole run."""
        roles = stage.roles
        self._stage = stage
        self._miner, self._other = roles.miner, roles.other_buyers
        self._usdc = stage.deploy("usdc")
        self._feed = stage.deploy(
            "price_feed", FEED_DECIMALS, "COPPER / USD", roles.keeper, name="feed"
        )
        self._pool = stage.deploy(
            "price_cover",
            "Assay Copper Cover",
            "aCCOV",
            self._usdc,
            self._feed,
            stage.deploy("feed_reader"),
            roles.owner,
            self._contract_terms(),
        )
        mint = self._usdc.call("configureMinter", roles.owner, UNLIMITED, sender=roles.owner)
        calls = [mint]
        for who, usd in self._funds.items():
            calls += [
                self._usdc.call("mint", who, usd, sender=roles.owner),
                self._usdc.call("approve", self._pool, UNLIMITED, sender=who),
            ]
        # The measured underwriter approves as part of entering: his gas counts.
        stage.send(*(call for call in calls if not self._is_approval(call)))

    def _is_approval(self, call: Call) -> bool:
        return call.sender == self._stage.roles.depositor

    @cached_property
    def _funds(self) -> dict[str, int]:
        """What everybody has at the start, in USDC's unit."""
        pool = self._terms.pool
        roles = self._stage.roles
        plenty = to_wei(1e12, USDC_DECIMALS)
        return {
            roles.crowd: to_wei(pool.deposits_usd, USDC_DECIMALS),
            roles.depositor: to_wei(self._holder_usd, USDC_DECIMALS),
            self._miner: plenty,
            self._other: plenty,
        }

    def _contract_terms(self) -> tuple[int, ...]:
        pool = self._terms.pool
        day = SECONDS_PER_DAY
        premium = (pool.premium.floor, pool.premium.slope, pool.premium.ceiling)
        return (
            to_wei(pool.leverage, 18),
            to_wei(pool.max_strike_share, 18) + STRIKE_ROOM,
            to_wei(pool.trigger_share, 18),
            to_wei(pool.min_sum_insured_usd, USDC_DECIMALS),
            pool.min_term_days,
            pool.max_term_days,
            pool.lag_days,
            pool.window_days * day,
            FEED_MAX_AGE,
            pool.cooldown_days * day,
            pool.claim_window_days * day,
            *(to_wei(rate, 18) for rate in premium),
        )

    # -- a step ------------------------------------------------------------------------

    def calls(self, step: int) -> list[tuple[Phase, Call]]:
        """Return the step's calls, each with its phase."""
        found = [(Phase.PRICES, call) for call in self._prices(step)]
        if step >= self._theft:
            theft = self._steal() if step == self._theft else []
            return [*found, *((Phase.EXPLOITS, call) for call in theft)]
        found += [(Phase.ACCRUAL, self._pool.call("accrue", sender=self._anybody(step)))]
        found += [(Phase.ACCRUAL, call) for call in self._settlements(step)]
        found += [(Phase.LIQUIDATIONS, call) for call in self._keepers(step)]
        asked = Phase.WITHDRAWALS if step == self._last_step else Phase.CLAIMS
        found += [(asked, call) for call in self._request(step)]
        found += self._others_leave(step)
        found += [(Phase.WITHDRAWALS, call) for call in self._leave(step)]
        found += [(Phase.DEPOSITS, call) for call in self._deposits(step)]
        found += [(Phase.BORROWS, call) for call in self._purchases(step)]
        return found

    def _steal(self) -> list[Call]:
        """Return the theft: the pool's dollars are stopped, and what is left of them paid.

        The contract has no back door: what whoever robs it takes is stopped at the token.
        """
        owner, own = self._stage.roles.owner, self._stage.roles.depositor
        calls = [self._usdc.call("blacklist", self._pool, sender=owner)]
        wei = to_wei(self._ended, USDC_DECIMALS)
        return [*calls, self._usdc.call("mint", own, wei, sender=owner)] if wei > 0 else calls

    def _anybody(self, step: int) -> str:
        """Return who does what anybody may: the keeper, or where he is away who has an interest."""
        return self._other if self._away[step] else self._stage.roles.keeper

    def _prices(self, step: int) -> list[Call]:
        keeper = self._stage.roles.keeper
        now, before = self._posts[step], step > 0 and self._posts[step - 1]
        calls = []
        if now != before:
            status = MARKET_OPEN if now else MARKET_CLOSED
            calls.append(self._feed.call("set_market_status", status, sender=keeper))
        if now:
            answer = to_wei(float(self._feed_usd[step]), FEED_DECIMALS)
            calls.append(self._feed.call("update_answer", answer, sender=keeper))
        return calls

    def _ending(self, step: int) -> list[int]:
        """Return the policies that end on a step and were neither left out nor voided."""
        return self._ending_on[step]

    @cached_property
    def _ending_on(self) -> defaultdict[int, list[int]]:
        found = defaultdict[int, list[int]](list)
        for index, step in enumerate(self._plan.end.tolist()):
            if index in self._ids and index not in self._voided:
                found[step].append(index)
        return found

    def _settlements(self, step: int) -> list[Call]:
        ending, keeper = self._ending(step), self._anybody(step)
        if not ending:
            return []
        last_round = int(self._rounds[step - 1])
        calls = [self._pool.call("fix_settlement", self._time(step), last_round, sender=keeper)]
        price = float(self._seen[step, Observed.SETTLEMENT])
        for index in ending:
            tonnes, strike = self._policies[index, [Policy.TONNES, Policy.STRIKE]]
            units = math.floor(max(strike - price, 0.0) * tonnes / UNIT)
            act = "settle" if units > 0 else "expire"
            calls.append(self._pool.call(act, self._ids[index], sender=keeper))
        return calls

    def _keepers(self, step: int) -> list[Call]:
        keeper, calls = self._stage.roles.keeper, []
        for index in np.flatnonzero(self._acts[step]):
            number, act = self._ids[int(index)], int(self._acts[step, index])
            if act == Act.VOID:
                last = int(self._rounds[step])
                calls.append(self._pool.call("void", number, last, sender=keeper))
                continue
            name = "trigger" if act == Act.TRIGGER else "clear_trigger"
            calls.append(self._pool.call(name, number, sender=keeper))
        return calls

    def _deposits(self, step: int) -> list[Call]:
        if step != 0:
            return []
        roles, funds = self._stage.roles, self._funds
        crowd, own = roles.crowd, roles.depositor
        return [
            self._pool.call("deposit", funds[crowd], crowd, sender=crowd),
            self._usdc.call("approve", self._pool, funds[own], sender=own),
            self._pool.call("deposit", funds[own], own, sender=own),
        ]

    def _purchases(self, step: int) -> list[Call]:
        calls = []
        for index in np.flatnonzero(self._plan.bought == step):
            if int(index) not in self._ids:
                continue
            tonnes = to_wei(float(self._policies[index, Policy.TONNES]), 6) * 10**12
            strike = to_wei(float(self._policies[index, Policy.STRIKE]), FEED_DECIMALS) * 10**10
            days = int(self._plan.end[index] - self._plan.start[index])
            who = self._miner if self._plan.buyer[index] == MINER else self._other
            args = (tonnes, strike, days, UNLIMITED)
            calls.append(self._pool.call("buy_cover", *args, sender=who))
        return calls

    def _request(self, step: int) -> list[Call]:
        if step != request_step(self._terms, self._last_step):
            return []
        own = self._stage.roles.depositor
        return [self._pool.call("requestWithdraw", self._funds[own], sender=own)]

    def _leave(self, step: int) -> list[Call]:
        if step != self._last_step or self._paid_out == 0.0:
            return []
        own = self._stage.roles.depositor
        return [self._pool.call("claimWithdraw", own, sender=own)]

    def _others_leave(self, step: int) -> list[tuple[Phase, Call]]:
        """Return what others do in a run."""
        run, crowd = self._run, self._stage.roles.crowd
        if run is None:
            return []
        ask = self._pool.call("requestWithdraw", run.shares, sender=crowd)
        return run.calls(step, ask, self._pool.call("claimWithdraw", crowd, sender=crowd))

    def _time(self, step: int) -> int:
        return self._genesis + step * SECONDS_PER_DAY

    # -- observation -------------------------------------------------------------------

    def _watched(self, step: int) -> list[int]:
        """Return the policies whose marks are compared: running, and not voided."""
        return self._watched_on[step]

    @cached_property
    def _watched_on(self) -> list[list[int]]:
        found: list[list[int]] = [[] for _ in range(self._last_step + 1)]
        for index in self._ids:
            if index in self._voided:
                continue
            first, last = max(int(self._plan.start[index]), 0), int(self._plan.end[index])
            for step in range(first, min(last, self._last_step + 1)):
                found[step].append(index)
        return found

    def views(self, step: int) -> list[Call]:
        """Return the reads; those of single policies come last."""
        fixed = self._time(int(self._last_fixed[step]))
        calls = [*self._reads, self._pool.call("settlements", fixed)]
        return calls + [self._pool.call("policies", self._ids[i]) for i in self._watched(step)]

    @cached_property
    def _reads(self) -> list[Call]:
        own = self._stage.roles.depositor
        return [
            self._pool.call("totalAssets"),
            self._pool.call("locked"),
            self._pool.call("unearned_premium"),
            self._pool.call("triggered_sum"),
            self._pool.call("exit_value", self._funds[own]),
            self._pool.call("utilisation"),
            self._usdc.call("balanceOf", self._miner),
            self._usdc.call("balanceOf", own),
        ]

    def read(self, step: int, answers: Sequence[bytes]) -> Mapping[str, float]:
        """Return the observables on chain."""
        del step
        words = [int.from_bytes(answer[:WORD], "big") for answer in answers[:N_VIEWS]]
        values = {
            name: from_wei(word, USDC_DECIMALS) for name, word in zip(AMOUNTS, words, strict=False)
        }
        values["utilisation"] = words[5] / WAD
        values["miner_cash"] = from_wei(words[6] - self._funds[self._miner], USDC_DECIMALS)
        values["underwriter_cash"] = from_wei(words[7], USDC_DECIMALS)
        values["settlement"] = words[8] / WAD
        return values

    def expected(self, step: int) -> Mapping[str, float]:
        """Return the model's observables; the record of the last step is before the claim."""
        if step >= self._theft:
            return self._after_theft()
        seen: list[float] = self._seen[step].tolist()
        values = {name: seen[column] for name, column in AMOUNTS.items()}
        values["miner_cash"] = seen[Observed.MINER_PAYOUTS] - seen[Observed.MINER_PREMIUMS]
        values["underwriter_cash"] = self._paid_out if step == self._last_step else 0.0
        fixed = int(self._last_fixed[step])
        values["settlement"] = float(self._seen[fixed, Observed.SETTLEMENT]) if fixed else math.nan
        if step == self._last_step and self._paid_out > 0.0:
            values["total_assets"] -= self._paid_out
            values["exit_value"] = math.nan
        capacity = values["total_assets"] * self._terms.pool.leverage
        enough = values["total_assets"] >= SMALLEST_POOL_USD
        values["utilisation"] = values["locked"] / capacity if enough else math.nan
        return values

    def _after_theft(self) -> Mapping[str, float]:
        """Return what stays: nobody looks into the pool any more, and nobody is paid by it."""
        values = dict.fromkeys((*AMOUNTS, "utilisation", "settlement"), math.nan)
        before = self._seen[self._theft - 1]
        cash = float(before[Observed.MINER_PAYOUTS] - before[Observed.MINER_PREMIUMS])
        return values | {"miner_cash": cash, "underwriter_cash": self._ended}

    def extra_tolerance(self, step: int) -> Mapping[str, float]:
        """Return what a unit on each day's premium adds up to: it is rounded up once a cover."""
        usd = int(self._insured_days[step]) * UNIT
        found = dict.fromkeys((*AMOUNTS, "miner_cash", "underwriter_cash"), usd)
        found["utilisation"] = usd / self._smallest
        return found

    @cached_property
    def _insured_days(self) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """Days of all covers bought up to each step, shape (n_steps + 1,)."""
        plan, days = self._plan, np.zeros(self._last_step + 1, dtype=np.int64)
        for index in self._ids:
            days[plan.bought[index] :] += int(plan.end[index] - plan.start[index])
        return days

    def check_decisions(self, step: int, answers: Sequence[bytes]) -> tuple[int, int]:
        """Compare which policies are triggered, outside the dead-band.

        The contract's own view is the mark and the two prices at which it would change; where
        the settlement stands is worked out here anew.
        """
        if self._away[step] or step >= self._theft:
            return 0, 0
        inside, watched = 0, self._watched(step)
        share = self._terms.pool.trigger_share
        for index, answer in zip(watched, answers[N_VIEWS:], strict=True):
            words = [answer[at : at + WORD] for at in range(0, len(answer), WORD)]
            strike = int.from_bytes(words[STRIKE_WORD], "big") / WAD
            marked = bool(int.from_bytes(words[TRIGGERED_WORD], "big"))
            price = self._standing(step, int(self._plan.end[index]))
            new = step == self._plan.bought[index]
            if min(abs(price / (strike * share) - 1), abs(price / strike - 1)) <= DEAD_BAND:
                inside += 1
            elif marked != (price < strike * share or (marked and price < strike)) and not new:
                raise ReconciliationFailed(
                    f"step {step}: policy {self._ids[index]} at {price} USD (strike {strike}) is "
                    f"{'' if marked else 'not '}triggered on chain"
                )
        return len(watched), inside

    def _standing(self, step: int, end: int) -> float:
        """Return the mean of the window that ends with `end` if the price of `step` stays."""
        first, now = end - self._terms.pool.window_days, float(self._feed_usd[step])
        if step <= first:
            return now
        seen = float(self._feed_usd[first:step].sum())
        return (seen + (end - step) * now) / (end - first)

    def gas(self, step: int, receipts: Sequence[Receipt]) -> Mapping[str, int]:
        """Return the underwriter's gas: entering, asking for his money, or leaving."""
        own, feed = self._stage.roles.depositor, {self._pool.address, self._usdc.address}
        used: dict[str, int] = {}
        for receipt in receipts:
            if receipt.call.sender != own or receipt.call.to not in feed:
                continue
            act = "request" if "requestWithdraw" in receipt.call.told else "enter"
            act = "leave" if step == self._last_step and act == "enter" else act
            used[act] = used.get(act, 0) + receipt.gas_used
        return used


class CoverStage:
    """Casts the cover's player; an underwriter's deposit is nobody's to transfer."""

    def cast(self, part: Part[PriceCoverTerms, PriceCoverDrivers, PriceCoverRecord]) -> Cast:
        """Return who plays pool, miner and keepers along one path."""
        player = PriceCoverPlayer(
            part.terms, part.drivers, part.record, part.size, part.exchange_open
        )
        return Cast(player, notes=cannot_be_handed_on(part))


STAGE = CoverStage()
