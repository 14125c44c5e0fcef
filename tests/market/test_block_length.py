"""The block length that Politis and White choose, against an independent implementation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from arch.bootstrap import optimal_block_length

from simulator.market.block_length import optimal_block_days


def autoregression(weight: float, n: int, seed: int = 1) -> np.ndarray:
    shocks = np.random.default_rng(seed).standard_normal(n)
    series = np.empty(n)
    series[0] = shocks[0] / math.sqrt(1 - weight**2)
    for index in range(1, n):
        series[index] = weight * series[index - 1] + shocks[index]
    return series


SERIES = {
    "ar 0.1": autoregression(0.1, 2000),
    "ar 0.7": autoregression(0.7, 2000),
    "ar -0.5": autoregression(-0.5, 1500),
    "ar 0.95": autoregression(0.95, 700),
    "ar 0.999, capped": autoregression(0.999, 400),
    "moving average": np.convolve(np.random.default_rng(3).standard_normal(3000), np.ones(8)),
    "clusters": np.abs(np.random.default_rng(4).standard_normal(5000))
    * np.exp(autoregression(0.97, 5000) / 8),
    "short": autoregression(0.5, 60),
}


@pytest.mark.parametrize("name", SERIES)
def test_length__of_a_series__as_arch_computes_it(name):
    expected = float(optimal_block_length(SERIES[name])["stationary"].iloc[0])
    assert optimal_block_days(SERIES[name]) == pytest.approx(max(expected, 1.0), rel=1e-9)


def test_length__of_a_moving_average__from_its_true_autocovariances():
    # x_t = e_t + e_(t-1): R(0) = 2, R(1) = 1, so G = 2 R(1) = 2 and g(0) = 4, and
    # b = (G^2 / g(0)^2 n)^(1/3) = (n / 4)^(1/3)
    n = 200_000
    noise = np.random.default_rng(5).standard_normal(n + 1)
    assert optimal_block_days(noise[1:] + noise[:-1]) == pytest.approx((n / 4) ** (1 / 3), rel=0.05)


def test_length__of_noise__is_short_and_never_below_a_day():
    for seed in range(5):
        noise = np.random.default_rng(seed).standard_normal(2000)
        assert 1.0 <= optimal_block_days(noise) < 8.0


def test_length__of_a_series_that_stands_still__is_a_day():
    assert optimal_block_days(np.zeros(500)) == 1.0
