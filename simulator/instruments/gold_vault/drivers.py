"""What happens to the vault from outside: demand for loans, flows, rewards, the intruder."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.instruments.base import TokenPrices
from simulator.instruments.draws import first_event, normal_paths
from simulator.market.streams import Stream
from simulator.scenario.instruments import BorrowerTerms, EmissionTerms, GoldVaultTerms
from simulator.units import DAYS_PER_YEAR, FloatArray

WINDOW_DAYS = 30
"""Days over which borrowers and depositors look back at gold's volatility and return."""


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
    """

    prices: TokenPrices
    demand_ounces: FloatArray
    flow: FloatArray
    reward_usd: FloatArray
    reward_tokens: FloatArray
    exploit_step: np.ndarray[tuple[int], np.dtype[np.int64]]

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
        )


def draw_drivers(
    terms: GoldVaultTerms,
    prices: TokenPrices,
    long_run_volatility: float,
    first_path: int,
    seed: int,
) -> GoldVaultDrivers:
    """Return the drivers of a block of paths, beginning with path `first_path`."""
    n_steps, n_paths = prices.metal_usd.shape[0] - 1, prices.metal_usd.shape[1]
    volatility, momentum = trailing_moments(prices.metal_usd, long_run_volatility)
    wanted = terms.crowd_ounces * terms.borrowers.demand_share
    demand = wanted * _demand(terms.borrowers, volatility / long_run_volatility, momentum)
    demand *= _ou_factor(terms.borrowers, seed, first_path, n_steps, n_paths)
    noise = normal_paths(seed, Stream.VAULT_FLOW, first_path, n_steps, n_paths)
    flow = np.clip(terms.flow_deviation * noise + terms.flow_momentum * momentum, -0.5, 0.5)
    emitted = _emission(terms.emissions, n_steps)
    exploit = first_event(seed, Stream.VAULT_EXPLOIT, first_path, n_paths, terms.exploit_hazard)
    reward_usd = _reward_price(terms.emissions, emitted, seed, first_path, n_paths)
    after = np.arange(n_steps + 1)[:, None] >= exploit[None, :]
    reward_usd *= np.where(after, 1.0 - terms.emissions.price_fall_on_exploit, 1.0)
    return GoldVaultDrivers(
        prices=prices,
        demand_ounces=demand,
        flow=flow,
        reward_usd=reward_usd,
        reward_tokens=emitted,
        exploit_step=exploit,
    )


def trailing_moments(
    gold_usd: FloatArray, long_run_volatility: float
) -> tuple[FloatArray, FloatArray]:
    """Return gold's annual volatility and log return over the window, at each step.

    Before the window is full the missing days count as the long-run volatility and as no
    return.
    """
    returns = np.diff(np.log(gold_usd), axis=0, prepend=np.log(gold_usd[:1]))
    squares = np.cumsum(returns**2, axis=0)
    sums = np.cumsum(returns, axis=0)
    squares[WINDOW_DAYS:] -= squares[:-WINDOW_DAYS].copy()
    sums[WINDOW_DAYS:] -= sums[:-WINDOW_DAYS].copy()
    missing = np.maximum(WINDOW_DAYS - np.arange(gold_usd.shape[0]), 0)[:, None]
    squares += missing * long_run_volatility**2 / DAYS_PER_YEAR
    variance = np.maximum(squares, 0.0) * DAYS_PER_YEAR / WINDOW_DAYS
    return np.sqrt(variance), sums


def _demand(terms: BorrowerTerms, relative: FloatArray, momentum: FloatArray) -> FloatArray:
    """Return demand's response to gold's volatility and momentum, 1 when both are usual."""
    response: FloatArray = np.maximum(relative, 1e-3) ** terms.volatility_response
    response *= np.exp(terms.momentum_response * momentum)
    return response


def _ou_factor(
    terms: BorrowerTerms, seed: int, first_path: int, n_steps: int, n_paths: int
) -> FloatArray:
    """Return exp of a mean-reverting gap that starts at its mean, with unit expectation."""
    keep = 0.5 ** (1.0 / terms.demand_half_life_days)
    gap = normal_paths(seed, Stream.VAULT_DEMAND, first_path, n_steps, n_paths)
    gap *= terms.demand_deviation * np.sqrt(1.0 - keep**2)
    for step in range(1, n_steps + 1):
        gap[step] += keep * gap[step - 1]
    steps = np.arange(n_steps + 1)[:, None]
    variance = terms.demand_deviation**2 * (1.0 - keep ** (2 * steps))
    factor: FloatArray = np.exp(gap - 0.5 * variance)
    return factor


def _emission(terms: EmissionTerms, n_steps: int) -> FloatArray:
    """Return the tokens notified on each step for the period that begins there."""
    steps = np.arange(n_steps + 1)
    daily = terms.tokens_per_day * np.exp(-terms.decay * steps / DAYS_PER_YEAR)
    notified = np.where(steps % terms.period_days == 0, daily * terms.period_days, 0.0)
    notified[-1] = 0.0
    return notified


def _reward_price(
    terms: EmissionTerms, emitted: FloatArray, seed: int, first_path: int, n_paths: int
) -> FloatArray:
    """Return the reward token's price: lognormal, diluted by what has been emitted."""
    n_steps = emitted.shape[0] - 1
    shocks = normal_paths(seed, Stream.REWARD_PRICE, first_path, n_steps, n_paths)
    drift = (terms.price_drift - 0.5 * terms.price_volatility**2) / DAYS_PER_YEAR
    log_price = drift + terms.price_volatility / np.sqrt(DAYS_PER_YEAR) * shocks
    log_price[0] = 0.0
    np.cumsum(log_price, axis=0, out=log_price)
    circulating = 1.0 + (np.cumsum(emitted) - emitted) / terms.float_tokens
    price: FloatArray = terms.price_usd * np.exp(log_price)
    price *= (circulating**-terms.dilution)[:, None]
    return price
