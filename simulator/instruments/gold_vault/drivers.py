"""What happens to the vault from outside: demand for loans, flows, rewards, the intruder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum, unique

import numpy as np

from simulator.instruments.base import TokenPrices
from simulator.instruments.gold_vault import draws
from simulator.instruments.gold_vault.terms import EmissionTerms, GoldVaultTerms
from simulator.instruments.model import Blow, absent, first_of
from simulator.instruments.registry import stream_of
from simulator.market.events import first_event
from simulator.mechanics.rows import empty_apart
from simulator.units import DAYS_PER_YEAR, BoolArray, FloatArray, StepArray


@unique
class Stream(IntEnum):
    """Numbers of the vault's random streams; see `market.streams` for all others."""

    VAULT_DEMAND = 131
    VAULT_FLOW = 132
    VAULT_EXPLOIT = 133
    REWARD_PRICE = 134


def _nothing() -> FloatArray:
    """Return drivers of what is not there, shape (0, 0)."""
    return np.empty((0, 0))


@dataclass(frozen=True)
class GoldVaultDrivers:
    """Arrays of shape (n_steps + 1, n_paths) unless said otherwise.

    Attributes
    ----------
    prices : TokenPrices
        Gold and the token.
    demand_ounces : ndarray
        Ounces that borrowers want while the rate is below their reservation rate.
    flow : ndarray
        The crowd's net deposits on a day over its deposits, before any run.
    reward_usd : ndarray
        Price of the reward token.
    reward_tokens : ndarray of shape (n_steps + 1,)
        Tokens notified on a step, zero between notifications.
    exploit_step : ndarray of shape (n_paths,), int64
        Step of the exploit; beyond the horizon where there is none.
    exploit_share : ndarray of shape (n_paths,)
        Share of the vault's assets that the intruder goes for.
    volume_usdc, imbalance, leaving : ndarray
        The pool's noise traders and leavers, as `base.PoolDrivers` has them; without steps where
        there is no pool.
    away : ndarray of bool, or of shape (0, 0)
        Where no keeper liquidates.
    unreported : ndarray of bool, shape (n_steps + 1,), or (0,)
        Days on which nobody reports gains.
    """

    prices: TokenPrices
    demand_ounces: FloatArray
    flow: FloatArray
    reward_usd: FloatArray
    reward_tokens: FloatArray
    exploit_step: StepArray
    exploit_share: FloatArray
    volume_usdc: FloatArray = field(default_factory=_nothing)
    imbalance: FloatArray = field(default_factory=_nothing)
    leaving: FloatArray = field(default_factory=_nothing)
    away: BoolArray = field(default_factory=lambda: absent(()))
    unreported: BoolArray = field(default_factory=lambda: np.zeros(0, np.bool_))

    def lane(self, k: int) -> GoldVaultDrivers:
        """Return path `k` of the block alone."""
        one = slice(k, k + 1)
        return GoldVaultDrivers(
            self.prices.lane(k),
            self.demand_ounces[:, one],
            self.flow[:, one],
            self.reward_usd[:, one],
            self.reward_tokens,
            self.exploit_step[one],
            self.exploit_share[one],
            self.volume_usdc[:, one],
            self.imbalance[:, one],
            self.leaving[:, one],
            self.away[:, one],
            self.unreported,
        )


def draw_drivers(
    terms: GoldVaultTerms,
    label: str,
    prices: TokenPrices,
    long_run_volatility: float,
    first_path: int,
    seed: int,
    *,
    drained: Sequence[Blow] = (),
    runs: Sequence[Blow] = (),
    shy: Sequence[Blow] = (),
    kept_away: Sequence[Blow] = (),
    late: Sequence[Blow] = (),
) -> GoldVaultDrivers:
    """Return the drivers of a block of paths, beginning with path `first_path`.

    Parameters
    ----------
    label : str
        The vault's, which tells its random streams from another vault's.
    long_run_volatility : float
        Gold's, a year.
    drained, runs, shy, kept_away, late : sequence of Blow
        Shocks: exploits, of which the first counts, the vault's own hazard among them; a share of
        the crowd's deposits that asks to leave on a day; a share of the demand for loans that is
        gone; keepers who are away; reports that are late, on all paths alike.
    """
    streams = {number: stream_of(number, "gold_vault", label) for number in Stream}
    shape = prices.metal_usd.shape
    steps = np.arange(shape[0])
    keep = 0.5 ** (1.0 / terms.borrowers.demand_half_life_days)
    variance = terms.borrowers.demand_deviation**2 * (1.0 - keep ** (2 * steps))
    usual = terms.crowd_ounces * terms.borrowers.demand_share
    deposits = terms.crowd_ounces * float(prices.metal_usd[0, 0])
    emitted = _emission(terms.emissions, deposits, shape[0] - 1)
    exploit = first_event(
        seed, streams[Stream.VAULT_EXPLOIT], first_path, shape[1], terms.exploit_hazard
    )
    share = np.full(shape[1], terms.exploit_severity)
    if drained:
        begins, amount = first_of(drained)
        share = np.where(begins < exploit, amount, share)
        exploit = np.minimum(exploit, begins)
    demand, flow, reward_usd = (empty_apart(shape, 4 + k) for k in range(3))
    draws.draw(
        _numbers(terms, long_run_volatility, keep),
        prices.metal_usd,
        usual * np.exp(-0.5 * variance),
        _reward_level(terms.emissions, emitted),
        exploit,
        seed,
        (streams[Stream.VAULT_DEMAND], streams[Stream.VAULT_FLOW], streams[Stream.REWARD_PRICE]),
        first_path,
        demand,
        flow,
        reward_usd,
    )
    for blow in runs:
        on = blow.begins < shape[0]
        flow[blow.begins[on], np.flatnonzero(on)] = -blow.amount
    for blow in shy:
        demand *= 1.0 - blow.amount * blow.weight
    return GoldVaultDrivers(
        prices=prices,
        demand_ounces=demand,
        flow=flow,
        reward_usd=reward_usd,
        reward_tokens=emitted,
        exploit_step=exploit,
        exploit_share=share,
        away=absent(kept_away),
        unreported=absent(late)[:, :1].ravel(),
    )


def _numbers(terms: GoldVaultTerms, long_run_volatility: float, keep: float) -> draws.Numbers:
    """Return the terms in the form the kernel reads; `keep` is what a day leaves of a gap."""
    borrowers, emissions = terms.borrowers, terms.emissions
    return draws.Numbers(
        long_run_volatility=long_run_volatility,
        volatility_response=borrowers.volatility_response,
        momentum_response=borrowers.momentum_response,
        demand_pull=keep,
        demand_shock=borrowers.demand_deviation * float(np.sqrt(1.0 - keep**2)),
        flow_deviation=terms.flow_deviation,
        flow_momentum=terms.flow_momentum,
        reward_drift=(emissions.price_drift - 0.5 * emissions.price_volatility**2) / DAYS_PER_YEAR,
        reward_shock=emissions.price_volatility / float(np.sqrt(DAYS_PER_YEAR)),
        fall_on_exploit=emissions.price_fall_on_exploit,
    )


def _emission(terms: EmissionTerms, deposits_usd: float, n_steps: int) -> FloatArray:
    """Return the tokens notified on each step for the period that begins there.

    `deposits_usd` are the crowd's on the first day. The result is of shape (n_steps + 1,).
    """
    steps = np.arange(n_steps + 1)
    daily = terms.first_tokens(deposits_usd) * np.exp(-terms.decay * steps / DAYS_PER_YEAR)
    notified = np.where(steps % terms.period_days == 0, daily * terms.period_days, 0.0)
    notified[-1] = 0.0
    return notified


def _reward_level(terms: EmissionTerms, emitted: FloatArray) -> FloatArray:
    """Return the reward token's price without its moves: diluted by what has been emitted."""
    circulating = 1.0 + (np.cumsum(emitted) - emitted) / terms.float_tokens
    level: FloatArray = terms.price_usd * circulating**-terms.dilution
    return level
