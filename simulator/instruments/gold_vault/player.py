"""Drives vault, lending market and staking rewards along one path of the model's record."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np

from simulator.chain import Call, Contract, Receipt
from simulator.errors import ReconciliationFailed
from simulator.instruments.base import PoolTerms, TokenTerms
from simulator.instruments.gas import Gas
from simulator.instruments.gold_vault.contracts import allowances, deploy_contracts
from simulator.instruments.gold_vault.drivers import GoldVaultDrivers
from simulator.instruments.gold_vault.paths import GoldVaultRecord
from simulator.instruments.gold_vault.state import N_COHORTS, Action, Observed
from simulator.instruments.gold_vault.terms import GoldVaultTerms
from simulator.instruments.stage import UNLIMITED, Observable, Phase, Stage
from simulator.mechanics.pool import LEAST_USDC
from simulator.units import (
    BPS,
    DAYS_PER_YEAR,
    DEAD_BAND,
    FEED_DECIMALS,
    RAY,
    USDC_DECIMALS,
    WAD,
    FloatArray,
    from_wei,
    to_wei,
)

REWARD_DECIMALS = 18
ROUNDINGS_A_STEP = 4 * N_COHORTS + 16
"""Four acts a cohort and at most sixteen of everyone else, each off by a unit at most."""

POOL_ROUNDINGS_A_STEP = 12
"""Three trades of others, two moves of the vault with two trades and roundings of their own."""

RATIOS = ("share_price", "utilisation", "borrow_index", "supply_index")

SMALLEST_BOOK_OUNCES = 1.0
"""Ratios of a market or vault with less in it than this are not expected to agree."""

OBSERVED = {
    "share_price": Observed.SHARE_PRICE,
    "utilisation": Observed.UTILISATION,
    "borrow_index": Observed.BORROW_INDEX,
    "supply_index": Observed.SUPPLY_INDEX,
    "rewards_earned": Observed.REWARDS_EARNED,
    "exit_value": Observed.EXIT_OUNCES,
    "total_assets": Observed.TOTAL_ASSETS,
    "market_cash": Observed.MARKET_CASH,
    "pool_worth": Observed.POOL_WORTH,
}


class GoldVaultPlayer:
    """The crowd, eight borrowers, the keepers, the measured depositor, and the intruder."""

    def __init__(
        self,
        terms: GoldVaultTerms,
        token: TokenTerms,
        gas: Gas,
        drivers: GoldVaultDrivers,
        record: GoldVaultRecord,
        holder_ounces: float,
        usdc: FloatArray | None = None,
        pool: PoolTerms | None = None,
    ) -> None:
        """Take drivers and record of one path: arrays of shape (n_steps + 1, 1, ...).

        `usdc`, of shape (n_steps + 1,), is the price of USDC in dollars; None for one dollar
        on every day. The drivers' prices are in USDC. `pool` are the terms of the vault's pool.
        """
        self._terms, self._gas = terms, gas
        self._drivers = drivers
        self._acts = record.actions[:, 0]
        self._seen = record.observed[:, 0]
        self._decimals = token.decimals
        self._holder_ounces = holder_ounces
        self._last_step = self._acts.shape[0] - 1
        self._usdc_usd = np.ones(self._acts.shape[0]) if usdc is None else usdc
        self._sold = [(0, 0.0)] * (self._last_step + 1)
        self._gas_so_far = self._booked_gas()
        self._liquidated = np.cumsum(
            self._acts[:, Action.LIQUIDATE : Action.LIQUIDATE + N_COHORTS].sum(axis=1)
        )
        self._cheapest_usd = np.minimum.accumulate(drivers.prices.feed_usd[:, 0])
        unit = 10.0**-self._decimals
        books = self._seen[:-1, [Observed.TOTAL_ASSETS, Observed.MARKET_ASSETS]]
        self._scale = max(float(books.min()), SMALLEST_BOOK_OUNCES)
        amounts = {"rewards_earned": 10.0**-REWARD_DECIMALS, "exit_value": unit}
        amounts |= {"total_assets": unit, "market_cash": unit, "pool_worth": unit}
        # What is left of a book carries the float64 error of the largest it has been.
        book = float(self._seen[:, [Observed.TOTAL_ASSETS, Observed.MARKET_ASSETS]].max())
        largest = dict.fromkeys(("total_assets", "market_cash"), book)
        largest |= dict.fromkeys(RATIOS, book / self._scale)
        # An index gathers the errors of utilisation along the steep end of the rate.
        steepest = terms.lending.slope2 / (1 - terms.lending.kink)
        gathered = max(1.0, steepest * self._last_step / DAYS_PER_YEAR / 2)
        largest |= dict.fromkeys(("borrow_index", "supply_index"), gathered * book / self._scale)
        largest["exit_value"] = max(1.0, holder_ounces * book / self._scale)
        # What it has in the pool carries the error of the pool.
        reserve = 0.0 if pool is None else pool.reserve_ounces
        largest["pool_worth"] = reserve + float(self._seen[:, Observed.POOL_WORTH].max())
        self._pool_terms = pool
        counted = np.maximum(drivers.prices.token_usd[:, 0], LEAST_USDC)
        units = POOL_ROUNDINGS_A_STEP * 10.0**-USDC_DECIMALS / counted
        self._pool_off = np.cumsum(units) if pool is not None else np.zeros_like(units)
        self.observables = tuple(
            Observable(
                name,
                ROUNDINGS_A_STEP,
                amounts.get(name, unit / self._scale),
                largest.get(name, 1.0),
            )
            for name in OBSERVED
        )

    # -- set-up ------------------------------------------------------------------------

    def deploy(self, stage: Stage) -> None:
        """Create the contracts; the token and its feed are there already."""
        self._stage = stage
        self._borrowers = stage.roles.several("borrower", N_COHORTS)
        fee_ppm = 0 if self._pool_terms is None else self._pool_terms.fee_ppm
        found = deploy_contracts(stage, self._terms, fee_ppm)
        self._token, self._usdc, self._usdc_feed = found.token, found.usdc, found.usdc_feed
        self._market, self._vault, self._pool = found.market, found.vault, found.pool
        self._hostile, self._reward, self._staking = found.hostile, found.reward, found.staking
        own = (self._token, self._vault, self._staking, self._reward)
        self._addresses = {contract.address for contract in own}
        stage.send(*self._gifts(), *allowances(stage, found))

    def _gifts(self) -> list[Call]:
        """Hand out the tokens that the actors' parts take."""
        roles = self._stage.roles
        plenty, rich = 4_000_000 * 10**self._decimals, 10 ** (12 + USDC_DECIMALS)
        give = [(roles.crowd, plenty), (roles.keeper, plenty)]
        give += [(borrower, plenty) for borrower in self._borrowers]
        give += [(roles.depositor, self._gold(self._holder_ounces))]
        emitted = 2 * to_wei(float(self._drivers.reward_tokens.sum()), REWARD_DECIMALS)
        return [
            *(self._token.call("transfer", *gift, sender=roles.custodian) for gift in give),
            self._usdc.call("configureMinter", roles.owner, UNLIMITED, sender=roles.owner),
            *(self._usdc.call("mint", who, rich, sender=roles.owner) for who in self._borrowers),
            self._reward.call("mint", roles.distributor, emitted, sender=roles.owner),
        ]

    # -- a step ------------------------------------------------------------------------

    def calls(self, step: int) -> list[tuple[Phase, Call]]:
        """Return the step's calls, each with its phase."""
        act: list[float] = self._acts[step].tolist()
        by_phase = [
            (Phase.PRICES, self._usdc_price(step)),
            (Phase.ACCRUAL, self._accrual(act)),
            (Phase.LIQUIDATIONS, self._liquidations(act)),
            (Phase.EXPLOITS, self._exploit(act)),
            (Phase.REPAYMENTS, self._repayments(act)),
            (Phase.WITHDRAWALS, self._withdrawals(act, step)),
            (Phase.DEPOSITS, self._deposits(act, step)),
            (Phase.REPORTS, self._reports(act)),
            (Phase.BORROWS, self._borrows(act)),
            (Phase.CLAIMS, self._claims(act)),
        ]
        return [(phase, call) for phase, calls in by_phase for call in calls]

    def _usdc_price(self, step: int) -> list[Call]:
        """Return the round of USDC's feed on a day on which its price moves."""
        now = float(self._usdc_usd[step])
        if now == (float(self._usdc_usd[step - 1]) if step else 1.0):
            return []
        answer = to_wei(now, FEED_DECIMALS)
        return [self._usdc_feed.call("update_answer", answer, sender=self._stage.roles.keeper)]

    def _gold(self, ounces: float) -> int:
        return to_wei(float(ounces), self._decimals)

    def _liquidations(self, act: Sequence[float]) -> list[Call]:
        calls: list[Call] = []
        for cohort, borrower in enumerate(self._borrowers):
            if not act[Action.LIQUIDATE + cohort]:
                continue
            keeper = self._stage.roles.keeper
            calls.append(self._market.call("liquidate", borrower, UNLIMITED, sender=keeper))
            calls += self._release(act, cohort)
        if calls and act[Action.REPORT_LOSS]:
            calls.append(self._report(self._market))
        return calls

    def _release(self, act: Sequence[float], cohort: int) -> list[Call]:
        borrower = self._borrowers[cohort]
        amount = to_wei(float(act[Action.RELEASE_USDC + cohort]), USDC_DECIMALS)
        if amount == 0:
            return []
        return [self._market.call("withdraw_collateral", amount, borrower, sender=borrower)]

    def _report(self, strategy: Contract) -> Call:
        return self._vault.call("process_report", strategy, sender=self._stage.roles.keeper)

    def _set_debt(self, strategy: Contract, target: float) -> list[Call]:
        if math.isnan(target):
            return []
        curator = self._stage.roles.curator
        return [self._vault.call("update_debt", strategy, self._gold(target), sender=curator)]

    def _set_pool_debt(self, target: float) -> list[Call]:
        return [] if self._pool is None else self._set_debt(self._pool, target)

    @property
    def _strategies(self) -> list[Contract]:
        """Return the strategies in the order in which the vault asks them."""
        return [self._market] if self._pool is None else [self._market, self._pool]

    def _accrual(self, act: Sequence[float]) -> list[Call]:
        """Return the market's accrual, and the report of what arbitrage has cost the pool."""
        calls = [self._market.call("accrue", sender=self._stage.roles.keeper)]
        if self._pool is not None and act[Action.REPORT_POOL_LOSS]:
            calls.append(self._report(self._pool))
        return calls

    def _exploit(self, act: Sequence[float]) -> list[Call]:
        """A stolen curator key moves what is liquid to a hostile strategy."""
        stolen = self._gold(act[Action.EXPLOIT_STOLEN])
        if stolen == 0:
            return []
        roles = self._stage.roles
        return [
            self._vault.call("add_strategy", self._hostile, sender=roles.curator),
            *self._set_debt(self._market, float(act[Action.EXPLOIT_LENDING_TARGET])),
            *self._set_pool_debt(float(act[Action.EXPLOIT_POOL_TARGET])),
            self._vault.call("update_debt", self._hostile, stolen, sender=roles.curator),
            self._hostile.call("seize", stolen, roles.intruder, sender=roles.intruder),
            self._report(self._hostile),
        ]

    def _repayments(self, act: Sequence[float]) -> list[Call]:
        calls: list[Call] = []
        for cohort, borrower in enumerate(self._borrowers):
            amount = float(act[Action.REPAY + cohort])
            if amount == 0.0:
                continue
            wei = UNLIMITED if math.isinf(amount) else self._gold(amount)
            calls.append(self._market.call("repay", wei, borrower, sender=borrower))
            calls += self._release(act, cohort)
        return calls

    def _withdrawals(self, act: Sequence[float], step: int) -> list[Call]:
        roles = self._stage.roles
        calls: list[Call] = []
        shares = self._gold(act[Action.CROWD_REDEEM_SHARES])
        if shares > 0:
            crowd = roles.crowd
            calls += [
                self._staking.call("withdraw", shares, sender=crowd),
                self._vault.call("redeem", shares, crowd, crowd, sender=crowd),
            ]
        if step == self._last_step:
            shares = self._gold(act[Action.HOLDER_REDEEM_SHARES])
            holder = roles.depositor
            calls.append(self._staking.call("exit", sender=holder))
            if shares > 0:
                calls.append(self._vault.call("redeem", shares, holder, holder, sender=holder))
        return calls

    def _deposits(self, act: Sequence[float], step: int) -> list[Call]:
        crowd, holder = self._stage.roles.crowd, self._stage.roles.depositor
        if step == 0:
            first, own = self._gold(self._terms.crowd_ounces), self._gold(self._holder_ounces)
            return [
                self._vault.call("deposit", first, crowd, sender=crowd),
                self._staking.call("stake", first, sender=crowd),
                self._token.call("approve", self._vault, own, sender=holder),
                self._vault.call("deposit", own, holder, sender=holder),
                self._vault.call("approve", self._staking, own, sender=holder),
                self._staking.call("stake", own, sender=holder),
            ]
        ounces = self._gold(act[Action.CROWD_DEPOSIT])
        if ounces == 0:
            return []
        staked = self._gold(act[Action.CROWD_STAKE_SHARES])
        return [
            self._vault.call("deposit", ounces, crowd, sender=crowd),
            self._staking.call("stake", staked, sender=crowd),
        ]

    def _reports(self, act: Sequence[float]) -> list[Call]:
        calls: list[Call] = []
        if act[Action.REPORT]:
            calls += [self._report(strategy) for strategy in self._strategies]
        lending = self._set_debt(self._market, float(act[Action.LENDING_TARGET]))
        pool = self._set_pool_debt(float(act[Action.POOL_TARGET]))
        return [*calls, *pool, *lending] if act[Action.POOL_FIRST] else [*calls, *lending, *pool]

    def _borrows(self, act: Sequence[float]) -> list[Call]:
        calls: list[Call] = []
        for cohort, borrower in enumerate(self._borrowers):
            amount = self._gold(act[Action.BORROW + cohort])
            if amount == 0:
                continue
            posted = to_wei(float(act[Action.POST_USDC + cohort]), USDC_DECIMALS)
            if posted > 0:
                calls.append(
                    self._market.call("supply_collateral", posted, borrower, sender=borrower)
                )
            calls.append(self._market.call("borrow", amount, borrower, sender=borrower))
        return calls

    def _claims(self, act: Sequence[float]) -> list[Call]:
        roles = self._stage.roles
        calls: list[Call] = []
        notified = to_wei(float(act[Action.NOTIFY]), REWARD_DECIMALS)
        if notified > 0:
            sender = roles.distributor
            calls += [
                self._reward.call("transfer", self._staking, notified, sender=sender),
                self._staking.call("notifyRewardAmount", notified, sender=sender),
            ]
        if act[Action.CLAIM]:
            calls.append(self._staking.call("getReward", sender=roles.depositor))
        return calls

    # -- observation -------------------------------------------------------------------

    def views(self, step: int) -> list[Call]:
        """Return the reads; those of the borrowers come last."""
        del step
        return self._reads

    @cached_property
    def _reads(self) -> list[Call]:
        holder = self._stage.roles.depositor
        held = self._gold(self._holder_ounces)
        calls = [
            self._vault.call("share_price"),
            self._market.call("utilisation"),
            self._market.call("borrow_index"),
            self._market.call("supply_index"),
            self._reward.call("balanceOf", holder),
            self._staking.call("earned", holder),
            self._vault.call("previewRedeem", held),
            self._vault.call("maxWithdraw", self._staking),
            self._token.call("balanceOf", holder),
            self._vault.call("balanceOf", holder),
            self._vault.call("totalAssets"),
            self._market.call("cash"),
        ]
        if self._pool is not None:
            calls.append(self._pool.call("totalAssets"))
        for name in ("ltv", "is_liquidatable"):
            calls += [self._market.call(name, who) for who in self._borrowers]
        return calls

    def read(self, step: int, answers: Sequence[bytes]) -> Mapping[str, float]:
        """Return the observables on chain; the exit value as in `value_holder`."""
        words = [int.from_bytes(answer, "big") for answer in answers[: self._n_views]]
        earned = words[4] + words[5]
        return {
            "share_price": words[0] / RAY,
            "utilisation": words[1] / WAD,
            "borrow_index": words[2] / RAY,
            "supply_index": words[3] / RAY,
            "rewards_earned": from_wei(earned, REWARD_DECIMALS),
            "exit_value": self._exit_value(step, words),
            "total_assets": from_wei(words[10], self._decimals),
            "market_cash": from_wei(words[11], self._decimals),
            "pool_worth": from_wei(words[12], self._decimals) if len(words) > 12 else 0.0,
        }

    @property
    def _n_views(self) -> int:
        """Return the number of reads before those of the borrowers."""
        return 12 if self._pool is None else 13

    def _exit_value(self, step: int, words: Sequence[int]) -> float:
        """Return the tokens that an exit pays: worth less discount, plus rewards, less gas."""
        token_usd = float(self._drivers.prices.token_usd[step, 0])
        if token_usd <= 0.0:
            return float("nan")
        income = self._sold_tokens(step, words[4]) - float(self._gas_so_far[step])
        haircut = self._terms.illiquidity_haircut_bps / BPS
        if step == self._last_step:
            price = words[0] / RAY
            unpaid = from_wei(words[9], self._decimals) * price
            return from_wei(words[8], self._decimals) + unpaid * (1 - haircut) + income
        worth = from_wei(words[6], self._decimals)
        short = max(0.0, worth - from_wei(words[7], self._decimals))
        pending = from_wei(words[5], REWARD_DECIMALS) * self._reward_usd(step) / token_usd
        leave = self._gas.usd_on("leave", step) / token_usd
        return worth - short * haircut + pending + income - leave

    def _reward_usd(self, step: int) -> float:
        """Return what a reward token brings when it is sold on a step."""
        slippage = self._terms.emissions.slippage_bps / BPS
        return float(self._drivers.reward_usd[step, 0]) * (1 - slippage)

    def _sold_tokens(self, step: int, paid_out: int) -> float:
        """Return the tokens that all rewards `paid_out` so far brought, each on its day.

        Steps are read in order; reading one again writes the same.
        """
        paid_before, sold = self._sold[step - 1] if step else (0, 0.0)
        token_usd = float(self._drivers.prices.token_usd[step, 0])
        paid = from_wei(paid_out - paid_before, REWARD_DECIMALS)
        self._sold[step] = paid_out, sold + paid * self._reward_usd(step) / token_usd
        return self._sold[step][1]

    def _booked_gas(self) -> FloatArray:
        """Return the holder's booked gas in tokens up to each step, shape (n_steps + 1,)."""
        acts = self._gas.used
        used = np.where(self._acts[:, Action.CLAIM] > 0.0, acts["claim"], 0.0)
        used[0], used[-1] = acts["enter"], acts["leave"]
        token_usd = self._drivers.prices.token_usd[:, 0]
        usd_per_gas = self._gas.usd_per_gas * self._gas.factors(self._last_step)
        price = np.divide(
            usd_per_gas, token_usd, out=np.zeros_like(token_usd), where=token_usd > 0.0
        )
        spent: FloatArray = np.cumsum(used * price)
        return spent

    def expected(self, step: int) -> Mapping[str, float]:
        """Return the model's observables."""
        seen: list[float] = self._seen[step].tolist()
        values = {name: seen[column] for name, column in OBSERVED.items()}
        if float(self._drivers.prices.token_usd[step, 0]) <= 0.0:
            values["exit_value"] = float("nan")
        return values

    def extra_tolerance(self, step: int) -> Mapping[str, float]:
        """Return what USDC's unit adds: a seizure of all collateral pays to 1e-6 dollars.

        And so does every trade in the pool, and every movement of its liquidity.
        """
        gold_usd = float(self._cheapest_usd[step])
        ounces = float(self._liquidated[step]) * 10.0**-USDC_DECIMALS / gold_usd
        ounces += float(self._pool_off[step])
        amounts = ("exit_value", "total_assets", "market_cash", "pool_worth")
        return {
            name: ounces if name in amounts else ounces / self._scale
            for name in OBSERVED
            if name != "rewards_earned"
        }

    def check_decisions(self, step: int, answers: Sequence[bytes]) -> tuple[int, int]:
        """Compare who may be liquidated, outside the dead-band."""
        threshold = self._terms.lending.liquidation_threshold
        inside = 0
        for cohort in range(N_COHORTS):
            expected = float(self._seen[step, Observed.LTV + cohort])
            answer = bool(int.from_bytes(answers[self._n_views + N_COHORTS + cohort], "big"))
            if abs(expected / threshold - 1.0) <= DEAD_BAND:
                inside += 1
            elif answer != (expected > threshold):
                raise ReconciliationFailed(
                    f"step {step}: cohort {cohort} at loan to value {expected:.9f} "
                    f"(threshold {threshold}) is {'' if answer else 'not '}liquidatable on chain"
                )
        return N_COHORTS, inside

    def gas(self, step: int, receipts: Sequence[Receipt]) -> Mapping[str, int]:
        """Return the depositor's gas: entering, claiming or leaving."""
        holder, own = self._stage.roles.depositor, self._addresses
        used = sum(r.gas_used for r in receipts if r.call.sender == holder and r.call.to in own)
        if used == 0:
            return {}
        act = {0: "enter", self._last_step: "leave"}.get(step, "claim")
        return {act: used}
