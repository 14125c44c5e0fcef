"""Simulated prices against laws that are known in closed form, at 100,000 paths.

Each figure must lie within three standard errors; the seed is fixed.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from markets import CORRELATION, metals, sample, standard_errors_off, terminal
from scipy import stats

from simulator.market.dynamics import Garch, Jumps, MarketSpec

N_PATHS = 100_000


def gold_terminal(spec: MarketSpec) -> np.ndarray:
    return sample(spec, N_PATHS, terminal)[0]


@cache
def gbm_log_growth() -> np.ndarray:
    spec = metals("gbm")
    return np.log(sample(spec, N_PATHS, terminal) / spec.spot[:, None])


def variance_error(values: np.ndarray) -> float:
    """Return the standard error of a sample variance: sqrt((m4 - m2^2) / n)."""
    centred = values - values.mean()
    return math.sqrt(((centred**4).mean() - (centred**2).mean() ** 2) / values.size)


@pytest.mark.parametrize("asset", [0, 1, 2])
def test_gbm__terminal_mean_and_variance__lognormal(asset):
    # E[S_T] = S_0 e^(mu T); Var[ln S_T] = sigma^2 T; E[ln S_T] = (mu - sigma^2 / 2) T
    spec = metals("gbm")
    log_growth = gbm_log_growth()[asset]
    drift, volatility = spec.drift[asset], spec.volatility[asset]
    assert standard_errors_off(np.exp(log_growth), math.exp(drift)) < 3
    assert standard_errors_off(log_growth, drift - volatility**2 / 2) < 3
    assert abs(log_growth.var() - volatility**2) < 3 * volatility**2 * math.sqrt(2 / N_PATHS)


def test_gbm__log_returns__normal():
    spec = metals("gbm")
    standardised = (gbm_log_growth()[2] - spec.drift[2] + spec.volatility[2] ** 2 / 2) / (
        spec.volatility[2]
    )
    assert stats.kstest(standardised, "norm").pvalue > 0.001


@pytest.mark.parametrize(("first", "second"), [(0, 1), (0, 2), (1, 2)])
def test_gbm__correlations(first, second):
    # the standard error of a correlation is (1 - rho^2) / sqrt(n)
    log_growth = gbm_log_growth()
    expected = CORRELATION[first, second]
    estimate = np.corrcoef(log_growth[first], log_growth[second])[0, 1]
    assert abs(estimate - expected) < 3 * (1 - expected**2) / math.sqrt(N_PATHS)


def touch_probability(level: float, drift: float, volatility: float, n_steps: int) -> float:
    """Return P(a daily close reaches `level` times the start, above it, within a year).

    The reflection principle for a continuous path; Broadie, Glasserman and Kou (1997)
    move the level by exp(0.5826 sigma sqrt(dt)) for one watched at n_steps moments.
    """
    b = math.log(level) + 0.5826 * volatility / math.sqrt(n_steps)
    mu = drift - volatility**2 / 2
    below = stats.norm.cdf((mu - b) / volatility)
    reflected = stats.norm.cdf((-mu - b) / volatility)
    return float(below + math.exp(2 * mu * b / volatility**2) * reflected)


@pytest.mark.parametrize("level", [1.1, 1.25])
def test_gbm__touching_a_level_at_daily_closes__reflection_principle(level):
    spec = metals("gbm", n_assets=1)
    highest = sample(spec, N_PATHS, lambda block: block.max(axis=1))[0]
    touched = (highest >= level * spec.spot[0]).mean()
    expected = touch_probability(level, spec.drift[0], spec.volatility[0], spec.n_steps)
    error = math.sqrt(expected * (1 - expected) / N_PATHS)
    assert abs(touched - expected) < 3 * error
    # without the correction for daily closes the same comparison fails
    continuous = touch_probability(level, spec.drift[0], spec.volatility[0], 10**12)
    assert abs(touched - continuous) > 3 * error


def jump_moments(spec: MarketSpec) -> tuple[float, float]:
    """Return mean and variance of gold's annual log return under Merton's model."""
    jumps = spec.jumps
    intensity, mean, sd = jumps.intensity[0], jumps.mean[0], jumps.sd[0]
    compensator = intensity * (math.exp(mean + sd**2 / 2) - 1)
    diffusion = spec.volatility[0] ** 2 - intensity * (mean**2 + sd**2)
    return (
        spec.drift[0] - diffusion / 2 - compensator + intensity * mean,
        spec.volatility[0] ** 2,
    )


@pytest.mark.parametrize("intensity", [1.7, 40.0])
def test_jump__moments__merton(intensity):
    # E[S_T] = S_0 e^(mu T); Var[ln S_T] is the total asked for; kappa_3 = lambda T E[J^3]
    mean, sd = -0.03, 0.02
    jumps = Jumps(np.array([intensity]), np.array([mean]), np.array([sd]))
    spec = metals("jump", n_assets=1, jumps=jumps, volatility=np.array([0.30]))
    log_growth = np.log(gold_terminal(spec) / spec.spot[0])
    expected_mean, expected_variance = jump_moments(spec)
    assert standard_errors_off(np.exp(log_growth), math.exp(spec.drift[0])) < 3
    assert standard_errors_off(log_growth, expected_mean) < 3
    assert abs(log_growth.var() - expected_variance) < 3 * variance_error(log_growth)
    third_cumulant = intensity * (mean**3 + 3 * mean * sd**2)
    assert standard_errors_off((log_growth - expected_mean) ** 3, third_cumulant) < 3


def test_jump__number_a_day__poisson():
    # jumps of one size, and no other variance: the size of a move counts them; half of
    # the days are without trade, where none may fall
    size, a_day = 0.01, 0.4
    intensity = a_day * 365
    trading = np.ones((1, 41), dtype=bool)
    trading[0, ::2] = False
    spec = metals(
        "jump",
        n_steps=40,
        n_assets=1,
        trading=trading,
        jumps=Jumps(np.array([intensity]), np.array([size]), np.array([0.0])),
        volatility=np.array([math.sqrt(intensity * size**2)]),
        drift=np.array([0.0]),
    )
    moves = sample(spec, 12_800, lambda block: np.diff(np.log(block[0]), axis=0)[::2])
    compensator = a_day * math.expm1(size)
    counts = np.rint((moves + compensator) / size).astype(int)
    assert np.allclose(moves, counts * size - compensator, atol=1e-6)
    for number in range(4):
        expected = stats.poisson.pmf(number, a_day)
        error = math.sqrt(expected * (1 - expected) / counts.size)
        assert abs((counts == number).mean() - expected) < 3 * error, number
    neighbours = np.corrcoef(counts[::2].ravel(), counts[1::2].ravel())[0, 1]
    assert abs(neighbours) < 3 / math.sqrt(counts.size / 2)


def single_shocks(dof: int, n_assets: int = 1, n_paths: int = N_PATHS) -> np.ndarray:
    """Return standardised innovations: one day of a variance that stands still."""
    zeros = np.zeros(n_assets)
    tick = np.full(n_assets, 0.2**2 / 365)
    spec = metals(
        "garch",
        n_steps=1,
        n_assets=n_assets,
        drift=zeros,
        volatility=np.full(n_assets, 0.2),
        cholesky=np.eye(n_assets),
        garch=Garch(zeros, zeros, zeros, tick),
        dof=dof,
    )
    log_growth = np.log(sample(spec, n_paths, terminal) / spec.spot[:, None])
    return (log_growth + tick[0] / 2) / math.sqrt(tick[0])


@pytest.mark.parametrize("dof", [4, 6, 10, 14])
def test_t_innovations__quantiles_and_variance__student_with_unit_variance(dof):
    # standard error of a quantile: sqrt(p (1 - p) / n) / f
    shocks = single_shocks(dof)[0]
    law = stats.t(dof, scale=math.sqrt((dof - 2) / dof))
    for p in (0.001, 0.01, 0.25, 0.5, 0.99, 0.999):
        expected = law.ppf(p)
        error = math.sqrt(p * (1 - p) / shocks.size) / law.pdf(expected)
        assert abs(np.quantile(shocks, p) - expected) < 3 * error, p
    assert stats.kstest(shocks, law.cdf).pvalue > 0.001


def test_t_innovations__of_two_assets__share_one_chi_square():
    # uncorrelated, yet E[x^2 y^2] = (nu - 2) / (nu - 4); 1 if they were independent
    dof = 14
    first, second = single_shocks(dof, n_assets=2)
    assert standard_errors_off(first * second, 0.0) < 3
    assert standard_errors_off(first**2 * second**2, (dof - 2) / (dof - 4)) < 3


@cache
def garch_log_prices() -> np.ndarray:
    """Return ln(S_t / S_0) of a metal at t = 0, 1, 2, 30, 31 and 365; dof 14 has its moments."""
    start = np.array([2 * 0.2**2 / 365])
    garch = Garch(np.array([0.04]), np.array([0.06]), np.array([0.90]), start)
    spec = metals("garch", n_assets=1, volatility=np.array([0.2]), garch=garch, dof=14)
    rows = [0, 1, 2, 30, 31, 365]
    return sample(spec, N_PATHS, lambda block: np.log(block[0, rows] / spec.spot[0]))


def test_garch__terminal_mean__martingale_with_drift():
    spec = metals("garch", n_assets=1)
    assert standard_errors_off(np.exp(garch_log_prices()[-1]), math.exp(spec.drift[0])) < 3


def test_garch__variance__returns_to_its_target():
    # E[h_t] = target + persistence^(t - 1) (h_1 - target), persistence .04 + .06 / 2 + .90
    target = 0.2**2 / 365
    drift = metals().drift[0] / 365
    log_prices = garch_log_prices()
    for row, day in ((1, 1), (2, 2), (4, 31)):
        expected = target + 0.97 ** (day - 1) * (2 * target - target)
        returns = log_prices[row] - log_prices[row - 1] - drift + expected / 2
        assert standard_errors_off(returns**2, expected) < 3, day


def test_garch__from_its_target__stays_there():
    spec = metals("garch", n_assets=1, n_steps=120)
    target = spec.volatility[0] ** 2 / 365
    moves = sample(spec, N_PATHS, lambda block: np.log(block[0, 120] / block[0, 119]))
    assert standard_errors_off((moves - spec.drift[0] / 365 + target / 2) ** 2, target) < 3


def test_garch__gamma__falls_raise_the_variance_by_half_of_it():
    # E[e_1 e_2^2] = gamma E[e_1^3; e_1 < 0] = -gamma h^(3/2) E|x|^3 / 2
    dof, gamma = 14, 0.06
    start = 2 * 0.2**2 / 365
    log_prices = garch_log_prices()
    drift = metals().drift[0] / 365
    first = log_prices[1] - drift + start / 2
    second = log_prices[2] - log_prices[1] - drift + start / 2
    law = stats.t(dof, scale=math.sqrt((dof - 2) / dof))
    third_moment = 2 * law.expect(lambda x: x**3, lb=0)
    expected = -gamma * start**1.5 * third_moment / 2
    product = first * second**2
    # the same with e_1 alone has mean ~0: a control that removes most of the noise
    assert standard_errors_off(product - first * start, expected) < 3
    assert standard_errors_off(product - first * start, -expected) > 3


def test_weekends__mean_on_every_trading_day__drift_of_the_calendar():
    # five days of seven; E[S_t] = S_0 e^(mu t / 365) on each trading day t
    trading = (np.arange(366) % 7 < 5)[None, :]
    spec = metals("gbm", n_assets=1, trading=trading, drift=np.array([0.5]))
    spec = replace(spec, periods_per_year=np.array([261.0]))
    for day in (7, 11, 364):
        prices = sample(spec, N_PATHS, lambda block, day=day: block[0, day])
        assert trading[0, day]
        assert standard_errors_off(prices / spec.spot[0], math.exp(0.5 * day / 365)) < 3
        ticks = trading[0, 1 : day + 1].sum()
        expected = spec.volatility[0] ** 2 / 261 * ticks
        assert abs(np.log(prices).var() - expected) < 3 * expected * math.sqrt(2 / N_PATHS)
