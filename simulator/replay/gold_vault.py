"""Drives vault, lending market and staking rewards along one path of the model's record."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from simulator.chain import Call, Contract, Receipt
from simulator.errors import ReconciliationFailed
from simulator.instruments.gold_vault import (
    Action,
    GoldVaultDrivers,
    GoldVaultRecord,
    Observed,
)
from simulator.instruments.gold_vault.moves import DEAD_BAND
from simulator.instruments.gold_vault.state import HOLDER_GAS, N_COHORTS
from simulator.replay.stage import UNLIMITED, Observable, Phase, Stage
from simulator.scenario.instruments import GoldTokenTerms, GoldVaultTerms
from simulator.scenario.models import GasTerms
from simulator.units import (
    BPS,
    DAYS_PER_YEAR,
    FEED_DECIMALS,
    RAY,
    SECONDS_PER_DAY,
    USDC_DECIMALS,
    WAD,
    FloatArray,
    from_wei,
    to_wei,
)

REWARD_DECIMALS = 18
FEED_MAX_AGE = 2 * SECONDS_PER_DAY
ROUNDINGS_A_STEP = 4 * N_COHORTS + 16
"""Four acts a cohort and at most sixteen of everyone else, each off by a unit at most."""

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
}


class GoldVaultPlayer:
    """The crowd, eight borrowers, the keepers, the measured depositor, and the intruder."""

    def __init__(
        self,
        terms: GoldVaultTerms,
        token: GoldTokenTerms,
        gas: GasTerms,
        drivers: GoldVaultDrivers,
        record: GoldVaultRecord,
        holder_ounces: float,
        usdc: FloatArray | None = None,
    ) -> None:
        """Take drivers and record of one path: arrays of shape (n_steps + 1, 1, ...).

        `usdc`, of shape (n_steps + 1,), is the price of USDC in dollars; None for one dollar
        on every day. The drivers' prices are in USDC.
        """
        self._terms, self._gas_terms = terms, gas
        self._drivers = drivers
        self._acts = record.actions[:, 0]
        self._seen = record.observed[:, 0]
        self._decimals = token.decimals
        self._holder_ounces = holder_ounces
        self._last_step = self._acts.shape[0] - 1
        self._usdc_usd = np.ones(self._acts.shape[0]) if usdc is None else usdc
        self._rewards_sold = 0
        self._sold_tokens = 0.0
        self._gas_tokens = 0.0
        self._liquidated = np.cumsum(
            self._acts[:, Action.LIQUIDATE : Action.LIQUIDATE + N_COHORTS].sum(axis=1)
        )
        unit = 10.0**-self._decimals
        books = self._seen[:-1, [Observed.TOTAL_ASSETS, Observed.MARKET_ASSETS]]
        self._scale = max(float(books.min()), SMALLEST_BOOK_OUNCES)
        amounts = {"rewards_earned": 10.0**-REWARD_DECIMALS, "exit_value": unit}
        amounts |= {"total_assets": unit, "market_cash": unit}
        # What is left of a book carries the float64 error of the largest it has been.
        book = float(self._seen[:, [Observed.TOTAL_ASSETS, Observed.MARKET_ASSETS]].max())
        largest = dict.fromkeys(("total_assets", "market_cash"), book)
        largest |= dict.fromkeys(RATIOS, book / self._scale)
        # An index gathers the errors of utilisation along the steep end of the rate.
        steepest = terms.lending.slope2 / (1 - terms.lending.kink)
        gathered = max(1.0, steepest * self._last_step / DAYS_PER_YEAR / 2)
        largest |= dict.fromkeys(("borrow_index", "supply_index"), gathered * book / self._scale)
        largest["exit_value"] = max(1.0, holder_ounces * book / self._scale)
        self.observables = tuple(
            Observable(
                "gold_vault",
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
        self._token = stage.contracts["gold_token"]
        self._usdc = stage.deploy("usdc")
        self._usdc_feed = stage.deploy(
            "price_feed", FEED_DECIMALS, "USDC / USD", stage.roles.keeper, as_name="usdc_feed"
        )
        self._market = self._deploy_market(stage, self._usdc_feed)
        self._vault = self._deploy_vault(stage)
        parts = (self._token, self._vault, stage.roles.keeper, stage.roles.intruder)
        self._pool = stage.deploy("stage_strategy", *parts, as_name="pool")
        self._hostile = stage.deploy("stage_strategy", *parts, as_name="hostile")
        self._reward = stage.deploy("reward_token", "Assay Reward", "aRWD")
        self._staking = stage.deploy(
            "staking_rewards",
            stage.roles.owner,
            stage.roles.distributor,
            self._reward,
            self._vault,
            self._terms.emissions.period_days * SECONDS_PER_DAY,
        )
        keeper = stage.roles.keeper
        stage.send(
            self._usdc_feed.call("update_answer", 10**FEED_DECIMALS, sender=keeper),
            self._usdc_feed.call("set_market_status", 1, sender=keeper),
        )
        self._fund(stage)

    def _deploy_market(self, stage: Stage, usdc_feed: Contract) -> Contract:
        terms = self._terms.lending
        rates = (terms.base_rate, terms.slope1, terms.slope2, terms.kink, terms.reserve_factor)
        risks = (terms.max_ltv, terms.liquidation_threshold, terms.liquidation_bonus)
        return stage.deploy(
            "lending_market",
            self._usdc,
            self._token,
            usdc_feed,
            stage.contracts["gold_feed"],
            FEED_MAX_AGE,
            stage.roles.treasury,
            *(to_wei(x, 18) for x in (*rates, *risks)),
        )

    def _deploy_vault(self, stage: Stage) -> Contract:
        terms, roles = self._terms, stage.roles
        vault = stage.deploy(
            "gold_vault",
            "Assay Gold Vault",
            "avGLD",
            self._token,
            roles.owner,
            roles.fee_recipient,
            round(terms.performance_fee_bps),
            round(terms.management_fee_bps),
            round(terms.profit_unlock_days * SECONDS_PER_DAY),
            UNLIMITED,
            0,
            0,
        )
        grants = [
            vault.call(
                "grantRole",
                vault.decode(name, stage.chain.view_one(vault.call(name))),
                account,
                sender=roles.owner,
            )
            for name, account in (("CURATOR", roles.curator), ("KEEPER", roles.keeper))
        ]
        stage.send(*grants)
        return vault

    def _fund(self, stage: Stage) -> None:
        """Hand out tokens for the actors' parts, and every allowance but the depositor's."""
        roles = stage.roles
        plenty = 4_000_000 * 10**self._decimals
        rich = 10 ** (12 + USDC_DECIMALS)
        give = [(roles.crowd, plenty), (roles.keeper, plenty)]
        give += [(borrower, plenty) for borrower in roles.borrowers]
        give += [(roles.depositor, self._gold(self._holder_ounces))]
        calls = [self._token.call("transfer", *gift, sender=roles.custodian) for gift in give]
        calls += [
            self._token.call("approve", self._vault, UNLIMITED, sender=roles.crowd),
            self._vault.call("approve", self._staking, UNLIMITED, sender=roles.crowd),
            self._token.call("approve", self._market, UNLIMITED, sender=roles.keeper),
            self._token.call("approve", self._pool, UNLIMITED, sender=roles.keeper),
            self._usdc.call("configureMinter", roles.owner, UNLIMITED, sender=roles.owner),
            self._vault.call("add_strategy", self._market, sender=roles.curator),
            self._vault.call("add_strategy", self._pool, sender=roles.curator),
        ]
        for borrower in roles.borrowers:
            calls += [
                self._usdc.call("mint", borrower, rich, sender=roles.owner),
                self._usdc.call("approve", self._market, UNLIMITED, sender=borrower),
                self._token.call("approve", self._market, UNLIMITED, sender=borrower),
            ]
        emitted = 2 * to_wei(float(self._drivers.reward_tokens.sum()), REWARD_DECIMALS)
        calls.append(self._reward.call("mint", roles.distributor, emitted, sender=roles.owner))
        stage.send(*calls)

    # -- a step ------------------------------------------------------------------------

    def calls(self, step: int) -> list[tuple[Phase, Call]]:
        """Return the step's calls, each with its phase."""
        act = self._acts[step]
        keeper = self._stage.roles.keeper
        by_phase = [
            (Phase.PRICES, self._usdc_price(step)),
            (Phase.ACCRUAL, [self._market.call("accrue", sender=keeper)]),
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

    def _liquidations(self, act: FloatArray) -> list[Call]:
        calls: list[Call] = []
        for cohort, borrower in enumerate(self._stage.roles.borrowers):
            if not act[Action.LIQUIDATE + cohort]:
                continue
            keeper = self._stage.roles.keeper
            calls.append(self._market.call("liquidate", borrower, UNLIMITED, sender=keeper))
            calls += self._release(act, cohort)
        if calls and act[Action.REPORT_LOSS]:
            calls.append(self._report(self._market))
        return calls

    def _release(self, act: FloatArray, cohort: int) -> list[Call]:
        borrower = self._stage.roles.borrowers[cohort]
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

    def _exploit(self, act: FloatArray) -> list[Call]:
        """A stolen curator key moves what is liquid to a hostile strategy."""
        stolen = self._gold(act[Action.EXPLOIT_STOLEN])
        if stolen == 0:
            return []
        roles = self._stage.roles
        return [
            self._vault.call("add_strategy", self._hostile, sender=roles.curator),
            *self._set_debt(self._market, float(act[Action.EXPLOIT_LENDING_TARGET])),
            *self._set_debt(self._pool, float(act[Action.EXPLOIT_POOL_TARGET])),
            self._vault.call("update_debt", self._hostile, stolen, sender=roles.curator),
            self._hostile.call("seize", stolen, roles.intruder, sender=roles.intruder),
            self._report(self._hostile),
        ]

    def _repayments(self, act: FloatArray) -> list[Call]:
        calls: list[Call] = []
        for cohort, borrower in enumerate(self._stage.roles.borrowers):
            amount = float(act[Action.REPAY + cohort])
            if amount == 0.0:
                continue
            wei = UNLIMITED if math.isinf(amount) else self._gold(amount)
            calls.append(self._market.call("repay", wei, borrower, sender=borrower))
            calls += self._release(act, cohort)
        return calls

    def _withdrawals(self, act: FloatArray, step: int) -> list[Call]:
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

    def _deposits(self, act: FloatArray, step: int) -> list[Call]:
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

    def _reports(self, act: FloatArray) -> list[Call]:
        calls: list[Call] = []
        credit = self._gold(act[Action.POOL_CREDIT])
        if credit > 0:
            calls.append(self._pool.call("credit", credit, sender=self._stage.roles.keeper))
        if act[Action.REPORT]:
            calls += [self._report(self._market), self._report(self._pool)]
        lending = self._set_debt(self._market, float(act[Action.LENDING_TARGET]))
        pool = self._set_debt(self._pool, float(act[Action.POOL_TARGET]))
        return [*calls, *pool, *lending] if act[Action.POOL_FIRST] else [*calls, *lending, *pool]

    def _borrows(self, act: FloatArray) -> list[Call]:
        calls: list[Call] = []
        for cohort, borrower in enumerate(self._stage.roles.borrowers):
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

    def _claims(self, act: FloatArray) -> list[Call]:
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
        for name in ("ltv", "is_liquidatable"):
            calls += [self._market.call(name, who) for who in self._stage.roles.borrowers]
        return calls

    def read(self, step: int, answers: Sequence[bytes]) -> Mapping[str, float]:
        """Return the observables on chain; the exit value as in `value_holder`."""
        words = [int.from_bytes(answer, "big") for answer in answers[:12]]
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
        }

    def _exit_value(self, step: int, words: Sequence[int]) -> float:
        """Return the tokens that an exit pays: worth less discount, plus rewards, less gas."""
        token_usd = float(self._drivers.prices.token_usd[step, 0])
        if token_usd <= 0.0:
            return float("nan")
        emissions = self._terms.emissions
        reward = float(self._drivers.reward_usd[step, 0]) * (1 - emissions.slippage_bps / BPS)
        per_gas = self._gas_terms.price_gwei * 1e-9 * self._gas_terms.ether_usd / token_usd
        paid = words[4] - self._rewards_sold
        self._rewards_sold = words[4]
        self._sold_tokens += from_wei(paid, REWARD_DECIMALS) * reward / token_usd
        acts = {0: "enter", self._last_step: "leave"}
        claimed = "claim" if self._acts[step, Action.CLAIM] else ""
        self._gas_tokens += HOLDER_GAS.get(acts.get(step, claimed), 0) * per_gas
        income = self._sold_tokens - self._gas_tokens
        haircut = self._terms.illiquidity_haircut_bps / BPS
        if step == self._last_step:
            price = words[0] / RAY
            unpaid = from_wei(words[9], self._decimals) * price
            return from_wei(words[8], self._decimals) + unpaid * (1 - haircut) + income
        worth = from_wei(words[6], self._decimals)
        short = max(0.0, worth - from_wei(words[7], self._decimals))
        pending = from_wei(words[5], REWARD_DECIMALS) * reward / token_usd
        leave = HOLDER_GAS["leave"] * per_gas
        return worth - short * haircut + pending + income - leave

    def expected(self, step: int) -> Mapping[str, float]:
        """Return the model's observables."""
        values = {name: float(self._seen[step, column]) for name, column in OBSERVED.items()}
        if float(self._drivers.prices.token_usd[step, 0]) <= 0.0:
            values["exit_value"] = float("nan")
        return values

    def extra_tolerance(self, step: int) -> Mapping[str, float]:
        """Return what USDC's unit adds: a seizure of all collateral pays to 1e-6 dollars."""
        gold_usd = float(self._drivers.prices.metal_usd[: step + 1, 0].min())
        ounces = float(self._liquidated[step]) * 10.0**-USDC_DECIMALS / gold_usd
        amounts = ("exit_value", "total_assets", "market_cash")
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
            answer = bool(int.from_bytes(answers[12 + N_COHORTS + cohort], "big"))
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
        holder = self._stage.roles.depositor
        used = sum(r.gas_used for r in receipts if r.call.sender == holder)
        if used == 0:
            return {}
        act = {0: "enter", self._last_step: "leave"}.get(step, "claim")
        return {act: used}
