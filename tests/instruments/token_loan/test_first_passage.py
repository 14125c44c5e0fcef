"""How often a loan is closed: against a closed form, and against what the past would have done."""

from __future__ import annotations

import datetime as dt
import math
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from simulator.investors.world import simulate_block
from simulator.market.build import market_spec
from simulator.scenario import load_scenario
from simulator.units import trading_days

CLOSES = Path(__file__).resolve().parents[4] / "shared" / "data" / "metals_daily.csv"
LTVS = (0.50, 0.60, 0.65, 0.70)
THRESHOLD = 0.75
BLOCK = 1_024

LOANS = ", ".join(f"ltv_{round(100 * ltv)}: {{ltv: {ltv}}}" for ltv in LTVS)
POOL = (
    "supplied_usd: 1_000_000, max_ltv: 0.70, liquidation_threshold: 0.75, liquidation_penalty: 0.06"
)


def _plain(asset: str, interest: float) -> tuple[str, ...]:
    """Return overrides to gold loops alone: the loan to value is what metal and interest make."""
    token = "{premium_mean: 0, premium_deviation: 0, shortfall_hazard: 0}"
    pool = f"{{{POOL}, borrow_rate: {interest}}}"
    loan = f"{{kind: token_loan, token: gold_token, swap_spread_bps: 0, pool: {pool}"
    event = "{series: price.gold, measure: lowest, at_least: 1}"
    return (
        f"market.assets={{gold: {asset}}}",
        f"instruments={{gold_token: {token}, gold_loan: {loan}, loans: {{{LOANS}}}}}}}",
        "investors={a: {holding: gold_loan-ltv_50, capital_usd: 1000}}",
        f"claims={{c: {{says: Gold has a price, conditions: [{event}]}}}}",
        "replay.subject=a",
    )


def _closed(n_blocks: int, *changes: str) -> dict[float, float]:
    """Return the share of paths on which the loop at each loan to value was closed."""
    loaded = load_scenario("gold-loop", overrides=changes)
    spec = market_spec(loaded.scenario, loaded.calibration)
    found = dict.fromkeys(LTVS, 0)
    for block in range(n_blocks):
        world = simulate_block(loaded.scenario, spec, block * BLOCK, BLOCK)
        for ltv in LTVS:
            loan = world.instruments[f"gold_loan-ltv_{round(100 * ltv)}"]
            found[ltv] += int(loan.happened["liquidated"].sum())
    return {ltv: count / (n_blocks * BLOCK) for ltv, count in found.items()}


def _first_passage(barrier: float, drift: float, sigma: float, years: float) -> float:
    """Return the chance that ln S touches `barrier`, below zero, within `years`.

    N((b - m T) / s sqrt T) + exp(2 m b / s^2) N((b + m T) / s sqrt T), m the drift of ln S:
    Borodin and Salminen, Handbook of Brownian Motion, 2.1.2.0.2.
    """
    scale = sigma * math.sqrt(years)
    reflected = math.exp(2.0 * drift * barrier / sigma**2)
    first = norm.cdf((barrier - drift * years) / scale)
    return float(first + reflected * norm.cdf((barrier + drift * years) / scale))


@pytest.mark.parametrize("interest", [0.0, 0.10])
def test_closed_form__of_a_barrier_watched_daily(interest: float) -> None:
    """Under gbm a loop at L is closed when ln S - ln(debt) falls by ln(L / threshold).

    Watched at 252 closes the barrier lies 0.5826 sigma sqrt(1 / 252) further away (Broadie,
    Glasserman and Kou 1997); interest of r adds to the fall as a drift of -r does.
    """
    sigma, drift, blocks = 0.2, 0.04, 8
    asset = f"{{drift: {drift}, volatility: {sigma}}}"
    shares = _closed(blocks, "market.model=gbm", *_plain(asset, interest))
    # a run of 365 days has so many trading days, which need not be 252
    start = load_scenario("gold-loop").scenario.start
    ticks = _ticks(start, 365)
    years = ticks / 252.0
    for ltv, share in shares.items():
        further = 0.5826 * sigma / math.sqrt(252.0)
        barrier = math.log(ltv / THRESHOLD) - further
        # drift and interest count by the calendar, volatility by trading days
        m = (drift - interest) / years - 0.5 * sigma**2
        expected = _first_passage(barrier, m, sigma, years)
        error = math.sqrt(expected * (1.0 - expected) / (blocks * BLOCK))
        assert abs(share - expected) <= 3.0 * error, (ltv, share, expected)


def _ticks(start: dt.date, days: int) -> int:
    return int(trading_days(start, days)[1:].sum())


@pytest.fixture(scope="module")
def returns() -> np.ndarray:
    """Return gold's daily log returns, 2000-08-30 to 2026-01-20."""
    if not CLOSES.exists():
        if os.environ.get("CI") == "true":
            pytest.fail("../shared/data/metals_daily.csv is missing")
        pytest.skip("../shared/data/metals_daily.csv is not here")
    closes = pd.read_csv(CLOSES)["gold_usd_per_oz"].dropna().to_numpy()
    found: np.ndarray = np.diff(np.log(closes))
    return found


TABLE = {0.50: 0.01, 0.60: 0.13, 0.65: 0.32, 0.70: 0.60}
"""First-year liquidation at a threshold of 75 %: block bootstrap of gold 2000-2025, drift 4 %.

Two readings of it were tried. With a debt that grows at 5.4 % it is missed by far (3, 20, 42 and
69 %); with a debt that stands still, daily closes, a mean growth of exp(0.04 t) and blocks of a
month or of two weeks in the mean, it comes out.
"""
TICKS = 252


def _paths(returns: np.ndarray, blocks: str, n: int) -> np.ndarray:
    """Return prices over the first one, shape (252, n): past days in blocks, numpy alone."""
    random = np.random.default_rng(20260120)
    if blocks == "a month each":
        first = random.integers(0, returns.size - 20, (TICKS // 21, n))
        days = (first[:, None] + np.arange(21)[None, :, None]).reshape(TICKS, n)
    else:
        days = np.empty((TICKS, n), np.int64)
        days[0] = random.integers(0, returns.size, n)
        for tick in range(1, TICKS):
            new = random.random(n) < 0.1
            drawn = random.integers(0, returns.size, n)
            days[tick] = np.where(new, drawn, (days[tick - 1] + 1) % returns.size)
    moves = returns[days] - math.log(float(np.exp(returns).mean())) + 0.04 / TICKS
    prices: np.ndarray = np.exp(np.cumsum(moves, axis=0))
    return prices


def _shares(prices: np.ndarray, interest: float = 0.0) -> dict[float, float]:
    debt = 1.0 + interest * np.arange(1, TICKS + 1)[:, None] / TICKS
    lowest = (prices / debt).min(axis=0)
    return {ltv: float((lowest < ltv / THRESHOLD).mean()) for ltv in LTVS}


@pytest.mark.parametrize("blocks", ["a month each", "two weeks in the mean"])
def test_table__is_what_past_days_make_of_a_debt_that_stands_still(
    returns: np.ndarray, blocks: str
) -> None:
    """Within three standard errors of 20,000 paths and half a point, as it is rounded."""
    n = 20_000
    prices = _paths(returns, blocks, n)
    for ltv, share in _shares(prices).items():
        error = math.sqrt(TABLE[ltv] * (1.0 - TABLE[ltv]) / n)
        assert abs(share - TABLE[ltv]) <= 3.0 * error + 0.005, (ltv, share)
    with_interest = _shares(prices, 0.054)
    assert all(with_interest[ltv] > TABLE[ltv] + 0.05 for ltv in (0.60, 0.65, 0.70))


def test_room__closes_loans_as_often_as_the_table_and_as_numpy(returns: np.ndarray) -> None:
    """The same bootstrap, blocks of two weeks in the mean: three standard errors of each."""
    blocks, n = 8, 20_000
    history = (
        "market.model=bootstrap",
        f"market.history={CLOSES}",
        "market.block_days=10",
        "market.smooth=false",
    )
    shares = _closed(blocks, *history, *_plain("{drift: 0.04}", 0.0))
    numpy = _shares(_paths(returns, "two weeks in the mean", n))
    for ltv, share in shares.items():
        variance = share * (1.0 - share)
        error = math.sqrt(variance / (blocks * BLOCK))
        assert abs(share - TABLE[ltv]) <= 3.0 * error + 0.005, (ltv, share)
        both = math.sqrt(variance / (blocks * BLOCK) + variance / n)
        assert abs(share - numpy[ltv]) <= 3.0 * both, (ltv, share, numpy[ltv])
