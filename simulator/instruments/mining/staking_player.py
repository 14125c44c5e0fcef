"""Drives a mining STO whose measured holder stakes his tokens, along one path."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Mapping, Sequence
from functools import cached_property

from simulator.chain import Call, Receipt
from simulator.instruments.gas import Gas
from simulator.instruments.mining.drivers import MiningStoDrivers
from simulator.instruments.mining.paths import MiningStoRecord
from simulator.instruments.mining.player import SOME_COUNTRIES, TOKEN_DECIMALS, MiningStoPlayer
from simulator.instruments.mining.staking import StakingRecord
from simulator.instruments.mining.staking_terms import RevenueStakingTerms
from simulator.instruments.mining.terms import MiningStoTerms
from simulator.instruments.stage import UNLIMITED, Phase, Stage
from simulator.units import SECONDS_PER_DAY, USDC_DECIMALS, from_wei, to_wei

EXTRA_VIEWS = 3


class RevenueStakingPlayer(MiningStoPlayer):
    """The STO's actors, a crowd that stakes a part, and the holder who stakes all he has."""

    def __init__(
        self,
        label: str,
        terms: MiningStoTerms,
        staking: RevenueStakingTerms,
        gas: Gas,
        staking_gas: Gas,
        drivers: MiningStoDrivers,
        record: MiningStoRecord,
        earned: StakingRecord,
        holder_usd: float,
        start: dt.date,
    ) -> None:
        """Take drivers and records of one path: arrays of shape (n_steps + 1, 1)."""
        self._staking_terms, self._rewards = staking, earned
        self._stakes, self._staking_gas = earned.stake_step, staking_gas
        super().__init__(label, terms, gas, drivers, record, holder_usd, start)
        self._staked_gas = list(
            itertools.accumulate(self._extra_gas(step) for step in range(self._last + 1))
        )

    def _model(self) -> dict[str, list[float]]:
        """Return the observables of a holder, with what staking brings and costs."""
        found = super()._model()
        income, spent = self._rewards.income_usd[:, 0], 0.0
        for step in range(self._last + 1):
            spent += self._extra_gas(step) * self._gas.usd_per_gas
            leaving = self._staking_gas.usd_on("leave", step) if self._is_out(step) else 0.0
            found["earned"][step] += float(income[step])
            found["exit_value"][step] += float(income[step]) - spent - leaving
        return found

    def _is_out(self, step: int) -> bool:
        return self._succeeds and step > self._stakes

    def _extra_gas(self, step: int) -> float:
        """Return what the holder's acts of a step cost more than without staking, gas at the
        scenario's own price."""
        if not self._succeeds:
            return 0.0
        used = self._staking_gas.used["stake"] if step == self._stakes else 0.0
        used += self._staking_gas.used["claim"] if self._claims_reward(step) else 0.0
        return used * float(self._gas_times[step])

    def _claims_reward(self, step: int) -> bool:
        return step in self._periods and self._is_out(step)

    def deploy(self, stage: Stage) -> None:
        """Create the STO's contracts and the staking, a verified holder and a custodian."""
        super().deploy(stage)
        roles, forbidden = stage.roles, self._terms.compliance.forbidden_countries
        country = next(number for number in SOME_COUNTRIES if number not in forbidden)
        self._staking = stage.deploy(
            "revenue_staking",
            roles.owner,
            roles.distributor,
            self._token,
            self._staking_terms.period_days * SECONDS_PER_DAY,
            name="staking",
        )
        identity = (self._staking, f"0x1d{9:038x}", country)
        stage.send(
            self._registry.call("registerIdentity", *identity, sender=roles.owner),
            self._rules.call("set_custodian", self._staking, True, sender=roles.owner),
            self._token.call("approve", self._staking, UNLIMITED, sender=roles.crowd),
        )

    # -- a step ------------------------------------------------------------------------

    def calls(self, step: int) -> list[tuple[Phase, Call]]:
        """Return the step's calls: those of the STO, stakes and rewards."""
        calls = super().calls(step)
        if not self._succeeds:
            return calls
        crowd = self._stage.roles.crowd
        if step == self._close:
            calls += [(Phase.DEPOSITS, self._stake(crowd, self._others))]
        if step in self._periods:
            period = self._periods[step]
            new = to_wei(float(self._record.deposit_usd[period, 0]), USDC_DECIMALS)
            if new > 0:
                calls.append((Phase.REPORTS, self._stake(crowd, new)))
            calls += [(Phase.REPORTS, call) for call in self._notify(period)]
        if step == self._stakes and step < self._last:
            holder, held = self._stage.roles.depositor, self._held()
            calls += [
                (Phase.CLAIMS, self._token.call("approve", self._staking, held, sender=holder)),
                (Phase.CLAIMS, self._staking.call("stake", held, sender=holder)),
            ]
        return calls

    def _stake(self, crowd: str, usdc: int) -> Call:
        """Return the crowd's stake of its share of the tokens that `usdc` buys."""
        price = to_wei(self._terms.sale.token_price_usd, USDC_DECIMALS)
        share = to_wei(self._staking_terms.staked_share, TOKEN_DECIMALS)
        return self._staking.call("stake", usdc * share // price, sender=crowd)

    def _notify(self, period: int) -> list[Call]:
        """Return a period's rewards: the mine's revenue is sold copper, then handed over."""
        reward = to_wei(float(self._rewards.reward_usd[period, 0]), USDC_DECIMALS)
        if reward == 0:
            return []
        roles = self._stage.roles
        return [
            self._usdc.call("mint", roles.distributor, reward, sender=roles.owner),
            self._usdc.call("transfer", self._staking, reward, sender=roles.distributor),
            self._staking.call("notifyRewardAmount", reward, sender=roles.distributor),
        ]

    def _withdrawal(self, step: int) -> list[Call]:
        """Return the holder's claims: at the token before he stakes, at the staking after."""
        if not self._is_out(step):
            return super()._withdrawal(step)
        holder = self._stage.roles.depositor
        return [self._withdraw(), self._staking.call("getReward", sender=holder)]

    def _exit(self) -> list[Call]:
        """Take the stake out with all rewards before the sale, where it was staked."""
        if self._last <= self._stakes:
            return super()._exit()
        leave = self._staking.call("exit", sender=self._stage.roles.depositor)
        return [leave, *super()._exit()]

    # -- observation -------------------------------------------------------------------

    def views(self, step: int) -> list[Call]:
        """Return the STO's reads and those of the staking."""
        del step
        return self._all_reads

    @cached_property
    def _all_reads(self) -> list[Call]:
        holder = self._stage.roles.depositor
        return [
            *self._reads,
            self._staking.call("earned", holder),
            self._token.call("withdrawableFundsOf", self._staking),
            self._token.call("withdrawnFundsOf", self._staking),
        ]

    def read(self, step: int, answers: Sequence[bytes]) -> Mapping[str, float]:
        """Return the observables on chain, the staking counted as a third holder."""
        found = dict(super().read(step, answers[:-EXTRA_VIEWS]))
        words = [int.from_bytes(answer, "big") for answer in answers]
        earned, staked_claim, staked_taken = words[-EXTRA_VIEWS:]
        taken, cash = words[2], words[11]
        sold = self._proceeds() if step == self._last else 0
        held_back = self._own if not self._succeeds and step >= self._close else 0
        rewarded = cash - taken - sold - held_back
        spent = self._staking_gas.usd_on("leave", step) if self._is_out(step) else 0.0
        costs = self._staked_gas[step] * self._gas.usd_per_gas + spent
        found["earned"] += from_wei(earned + rewarded, USDC_DECIMALS)
        found["exit_value"] += from_wei(earned, USDC_DECIMALS) - costs
        found["unaccounted"] -= from_wei(staked_claim + staked_taken, USDC_DECIMALS)
        found["uncovered"] += from_wei(staked_taken, USDC_DECIMALS)
        return found

    def check_decisions(self, step: int, answers: Sequence[bytes]) -> tuple[int, int]:
        """Compare as for the STO; a staked token is not the holder's to send."""
        return super().check_decisions(step, answers[:-EXTRA_VIEWS])

    def gas(self, step: int, receipts: Sequence[Receipt]) -> Mapping[str, int]:
        """Return the holder's gas: staking apart from claims."""
        found = dict(super().gas(step, receipts))
        holder = self._stage.roles.depositor
        used = sum(
            r.gas_used
            for r in receipts
            if r.call.sender == holder and r.call.to == self._staking.address
        )
        act = {self._stakes: "stake", self._last: "leave"}.get(step, "claim")
        return found | ({act: found.get(act, 0) + used} if used else {})
