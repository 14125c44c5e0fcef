"""The block bootstrap against a plain loop, its own laws, and the history it draws from."""

from __future__ import annotations

import datetime as dt
import itertools
import math
import os
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from markets import METALS, START, draw_reference, metals, sample, standard_errors_off, terminal
from scipy import stats

from simulator.market.bootstrap import History, moving_days
from simulator.market.dynamics import MarketSpec, fill
from simulator.market.frequency import Kind
from simulator.market.history import best_block, read_history
from simulator.market.reduce import terminal_and_drawdown
from simulator.market.streams import Stream
from simulator.units import LANES

DATA = Path(__file__).parents[3] / "shared" / "data"
N_PATHS = 20_000


def resampled(history: History, **changes) -> MarketSpec:
    """Return a market that draws from `history`; see `markets.metals`."""
    spec = metals("gbm", n_assets=len(history.returns), **changes)
    return replace(spec, model="bootstrap", history=history)


@cache
def past(n_assets: int = 3, n_days: int = 800) -> np.ndarray:
    """Return correlated returns with clusters of volatility and some autocorrelation."""
    random = np.random.default_rng(20260120)
    volatility = 0.01 * np.exp(np.sin(np.arange(n_days) / 30))
    shocks = np.linalg.cholesky([[1, 0.7, 0.3], [0.7, 1, 0.4], [0.3, 0.4, 1]]) @ (
        random.standard_t(6, size=(3, n_days))
    )
    shocks[:, 1:] += 0.3 * shocks[:, :-1]
    return (volatility * shocks + 0.001)[:n_assets]


# the paths ------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [0, 127, 2**32 + 5])
def test_prices__of_a_path__equal_a_plain_loop(path):
    history = History(past(), mean_block=7.5)
    trading = np.tile(np.arange(41) % 7 < 5, (3, 1))
    spec = resampled(history, n_steps=40, trading=trading)
    first = path - path % LANES
    block = np.empty((3, 41, LANES))
    fill(spec, 99, first, block)
    corrections = history.compensators(40)
    expected, day, ticks, last = [spec.spot], None, 0, 0
    for step in range(1, 41):
        log_growth = np.zeros(3)
        if trading[0, step]:
            end = draw_reference(99, step // 4, Stream.BLOCK_END, path)[step % 4]
            start = draw_reference(99, step // 4, Stream.BLOCK_START, path)[step % 4]
            if day is None or end < round(2**32 / 7.5):
                day = start * 800 // 2**32
            else:
                day = (day + 1) % 800
            log_growth = spec.drift / 365 * (step - last) + past()[:, day] - corrections[:, ticks]
            ticks, last = ticks + 1, step
        expected.append(expected[-1] * np.exp(log_growth))
    np.testing.assert_allclose(block[:, :, path - first], np.array(expected).T, rtol=1e-12)


def test_prices__in_another_block__are_the_same_bytes():
    spec = resampled(History(past(), 20.0), n_steps=60)
    whole, part = np.empty((3, 61, 4 * LANES)), np.empty((3, 61, LANES))
    fill(spec, 1, 0, whole)
    fill(spec, 1, 2 * LANES, part)
    np.testing.assert_array_equal(whole[:, :, 2 * LANES : 3 * LANES], part)


def drawn_days(mean_block_days: float, n_days: int = 50, n_steps: int = 200) -> np.ndarray:
    """Return the days that paths drew, (n_steps, n_paths): each day has a return of its own."""
    own = np.arange(n_days) / 1000
    history = History(own[None, :], mean_block_days)
    spec = resampled(history, n_steps=n_steps, drift=np.zeros(1))
    logs = np.log(sample(spec, 2_000, lambda block: block[0]))
    returns = np.diff(logs, axis=0) + history.compensators(n_steps)[0][:, None]
    days = np.rint(returns * 1000).astype(int)
    assert np.allclose(returns * 1000, days, atol=1e-6)
    return days


def test_days__every_day_as_often_as_any_other():
    # a path's days depend on each other: the first day and one much later of each path
    for row in (0, 150):
        counts = np.bincount(drawn_days(6.0)[row], minlength=50)
        assert stats.chisquare(counts).pvalue > 0.001


@pytest.mark.parametrize("mean", [1.0, 2.0, 12.0])
def test_blocks__end_with_probability_one_over_their_mean_length(mean):
    # a new block may fall on the day that follows by chance: 1 / n_days
    days = drawn_days(mean)
    follows = (np.diff(days, axis=0) - 1) % 50 == 0
    expected = 1 - 1 / mean + 1 / mean / 50
    error = math.sqrt(expected * (1 - expected) / follows.size)
    assert abs(follows.mean() - expected) < 3 * error
    assert 0 in days[1:][days[:-1] == 49]  # the circle closes


def test_block_of_one_day__days_are_independent():
    days = drawn_days(1.0)
    table = np.zeros((50, 50))
    np.add.at(table, (days[:-1].ravel(), days[1:].ravel()), 1)
    assert stats.chi2_contingency(table).pvalue > 0.001


# the drift ------------------------------------------------------------------------------------


def test_compensators__of_three_days__every_sequence_enumerated():
    returns, mean = np.array([[0.3, -0.1, 0.05]]), 2.5
    new, total, expected = 1 / mean, 1.0, []
    for ticks in (1, 2, 3, 4):
        growth = 0.0
        for days in itertools.product(range(3), repeat=ticks):
            chance = 1 / 3
            for before, after in itertools.pairwise(days):
                chance *= new / 3 + (1 - new) * (after == (before + 1) % 3)
            growth += chance * math.exp(sum(returns[0, day] for day in days))
        expected.append(math.log(growth / total))
        total = growth
    np.testing.assert_allclose(History(returns, mean).compensators(4)[0], expected, rtol=1e-12)


def test_compensators__of_independent_days__the_log_of_the_mean_growth():
    found = History(past(), 1.0).compensators(5)
    expected = np.log(np.exp(past()).mean(axis=1))
    np.testing.assert_allclose(found, np.repeat(expected[:, None], 5, axis=1), rtol=1e-9)


@pytest.mark.parametrize("asset", range(3), ids=METALS)
def test_mean__of_autocorrelated_history__grows_with_the_drift(asset):
    spec, ends = long_sample()
    expected = spec.spot[asset] * math.exp(spec.drift[asset] * 120 / 365)
    assert standard_errors_off(ends[asset], expected) < 3


def test_mean__corrected_as_if_days_were_independent__would_miss_the_drift():
    spec, ends = long_sample()
    simple = 120 * np.log(np.exp(past()).mean(axis=1)) - spec.history.compensators(120).sum(axis=1)
    wrong = ends[0] * math.exp(-simple[0])
    assert standard_errors_off(wrong, spec.spot[0] * math.exp(spec.drift[0] * 120 / 365)) > 3


@cache
def long_sample() -> tuple[MarketSpec, np.ndarray]:
    spec = resampled(History(past(), 40.0), n_steps=120)
    return spec, sample(spec, 4 * N_PATHS, terminal)


# the law of the returns -----------------------------------------------------------------------


@cache
def bootstrapped() -> np.ndarray:
    """Return returns with their own mean, (n_assets, 120, n_paths), blocks of 25 days."""
    history = History(past(), 25.0)
    spec = resampled(history, n_steps=120, drift=np.zeros(3))
    returns = sample(spec, N_PATHS, lambda block: np.diff(np.log(block), axis=1))
    return returns + history.compensators(120)[:, :, None]


@pytest.mark.parametrize("asset", range(3), ids=METALS)
@pytest.mark.parametrize("power", [1, 2, 4])
def test_returns__mean_variance_and_fourth_moment__the_samples(asset, power):
    centre = 0.0 if power == 1 else past()[asset].mean()
    found = ((bootstrapped()[asset] - centre) ** power).mean(axis=0)
    assert standard_errors_off(found, ((past()[asset] - centre) ** power).mean()) < 3


@pytest.mark.parametrize("lag", [1, 5, 20])
def test_returns__autocovariance_of_their_size__shrinks_by_the_blocks_that_end(lag):
    # both days lie in one block with probability (1 - p)^lag, else they are independent
    sizes = np.abs(past()[0])
    expected = np.mean((sizes - sizes.mean()) * (np.roll(sizes, -lag) - sizes.mean()))
    found = np.abs(bootstrapped()[0]) - sizes.mean()
    products = (found[:-lag] * found[lag:]).mean(axis=0)
    assert standard_errors_off(products, (1 - 1 / 25) ** lag * expected) < 3
    assert standard_errors_off(products, 0.0) > 3


def test_returns__correlation_between_assets__the_samples():
    for first, second in ((0, 1), (0, 2), (1, 2)):
        a, b = (past()[k] - past()[k].mean() for k in (first, second))
        x, y = (bootstrapped()[k] - past()[k].mean() for k in (first, second))
        assert standard_errors_off((x * y).mean(axis=0), np.mean(a * b)) < 3


# weeks and months -----------------------------------------------------------------------------


def moves(start: str, n_steps: int, kind: Kind, every_day: bool = False) -> list[str]:
    first = dt.date.fromisoformat(start)
    days = moving_days(first, n_steps, kind, every_day)
    assert days.shape == (n_steps + 1,)
    return [str(first + dt.timedelta(days=int(n))) for n in np.flatnonzero(days)]


def test_moving_days__weeks__end_on_the_last_trading_day():
    # Good Friday is a trading day of the federal calendar; Friday 2026-06-19 is a holiday
    expected = ["2026-06-12", "2026-06-18", "2026-06-26"]
    assert moves("2026-06-10", 18, Kind.WEEKLY) == expected
    # a week that the run breaks off does not move
    assert moves("2026-06-10", 15, Kind.WEEKLY) == expected[:2]
    assert moves("2026-06-10", 8, Kind.WEEKLY) == expected[:2]
    assert moves("2026-06-10", 7, Kind.WEEKLY) == expected[:1]


def test_moving_days__months__end_on_the_last_trading_day():
    # Sunday 2026-05-31 and the holidays at the turn of the year
    assert moves("2026-04-15", 60, Kind.MONTHLY) == ["2026-04-30", "2026-05-29"]
    assert moves("2025-12-01", 31, Kind.MONTHLY) == ["2025-12-31"]
    assert moves("2026-05-01", 27, Kind.MONTHLY) == []


def test_moving_days__of_assets_that_always_trade__end_on_the_last_day():
    assert moves("2026-05-25", 10, Kind.WEEKLY, True) == ["2026-05-31"]
    assert moves("2026-05-25", 10, Kind.MONTHLY, True) == ["2026-05-31"]
    assert len(moves("2026-05-25", 10, Kind.ALL_DAYS, True)) == 11
    assert len(moves("2026-05-25", 10, Kind.TRADING_DAYS)) == 9 - 1


def test_prices__of_months__stand_between_and_drift_as_told_at_each_end():
    history = History(past()[:, :300], 4.0, Kind.MONTHLY)
    trading = np.tile(moving_days(START, 365, Kind.MONTHLY), (3, 1))
    spec = resampled(history, trading=trading, periods_per_year=np.full(3, 12.0))
    ends = np.flatnonzero(trading[0, 1:]) + 1
    assert len(ends) == 12
    prices = sample(spec, N_PATHS, lambda block: block[0])
    still = np.setdiff1d(np.arange(1, 366), ends)
    np.testing.assert_array_equal(prices[still], prices[still - 1])
    for end in (ends[0], ends[5], ends[-1]):
        expected = spec.spot[0] * math.exp(spec.drift[0] * end / 365)
        assert standard_errors_off(prices[end], expected) < 3


# what is refused --------------------------------------------------------------------------------


def test_spec__bootstrap__needs_a_history_of_its_assets():
    with pytest.raises(ValueError, match="needs a history"):
        replace(metals("gbm"), model="bootstrap")
    with pytest.raises(ValueError, match="history has shape"):
        replace(metals("gbm"), model="bootstrap", history=History(past(2), 5.0))
    with pytest.raises(ValueError, match="at least 1"):
        History(past(), 0.5)


def test_spec__assets_of_different_days__cannot_share_a_history():
    trading = np.ones((3, 11), dtype=bool)
    trading[1, 4] = False
    spec = resampled(History(past(), 5.0), n_steps=10, trading=trading)
    with pytest.raises(ValueError, match="same days"):
        fill(spec, 1, 0, np.empty((3, 11, LANES)))


# real history: the figures of the design ------------------------------------------------------


def data(name: str) -> Path:
    path = DATA / name
    if not path.is_file():
        if os.environ.get("CI") == "true":
            pytest.fail(f"{path} is missing")
        pytest.skip(f"{path} is missing")
    return path


def gold_since_1971() -> np.ndarray:
    """Return monthly log returns of gold, (1, n_months); the dollar left gold in 1971."""
    table = pd.read_csv(data("metals_monthly.csv"), index_col="date")
    return np.diff(np.log(table["gold_usd_per_oz"]["1970-12-01":].to_numpy()))[None, :]


def growth_and_fall(block: np.ndarray) -> np.ndarray:
    ends, falls = np.empty((2, 1, block.shape[2]))
    terminal_and_drawdown(block, np.empty(LANES), ends, falls)
    return np.concatenate([ends / block[:, 0] - 1, falls])


def test_gold__twelve_months_since_1971__shares_of_returns():
    # 48 %, 8 % and 38 % of the 12-month returns. These are of another series (daily); on 55
    # years a share has a standard error of 7 points, so two are asked of monthly averages.
    returns = gold_since_1971()
    history = History(returns, best_block(returns))
    own_growth = history.compensators(12).sum(axis=1)
    spec = resampled(history, n_steps=12, drift=own_growth, year_fraction=1 / 12)
    gained, _ = sample(spec, N_PATHS, growth_and_fall)
    assert abs(np.mean(gained >= 0.08) - 0.48) < 0.02
    assert abs(np.mean((gained >= 0.08) & (gained <= 0.12)) - 0.08) < 0.02
    assert abs(np.mean(gained < 0) - 0.38) < 0.02


def test_gold__one_year_of_daily_closes__drawdowns():
    # median -15 %, 74 % of the years below -10 %, 99 % below -5 %: here by days since 2000 that
    # grow as gold did since 1971, hence four points for the share, half its standard error
    history = read_history(data("metals_daily.csv"), ("gold",))
    growth = 12 * gold_since_1971().mean() + 252 * history.returns.var() / 2
    spec = resampled(history, n_steps=252, drift=np.array([growth]), year_fraction=1 / 252)
    _, falls = sample(spec, N_PATHS, growth_and_fall)
    assert abs(np.median(falls) + 0.15) < 0.015
    assert abs(np.mean(falls < -0.10) - 0.74) < 0.04
    assert abs(np.mean(falls < -0.05) - 0.99) < 0.015


def test_metals__correlations_and_kurtosis__of_the_design():
    # daily excess kurtosis 5.1 and 6.7; correlations .77, .32, .42
    history = read_history(data("metals_daily.csv"), METALS)
    spec = resampled(history, n_steps=252, drift=np.zeros(3), year_fraction=1 / 252)
    returns = sample(spec, 4_000, lambda block: np.diff(np.log(block), axis=1))
    rows = returns.reshape(3, -1)
    assert np.corrcoef(rows)[np.triu_indices(3, 1)] == pytest.approx([0.77, 0.32, 0.42], abs=0.02)
    assert stats.kurtosis(rows[:2], axis=1) == pytest.approx([5.1, 6.7], abs=0.5)
    assert rows.std(axis=1) * math.sqrt(252) == pytest.approx([0.174, 0.318, 0.269], abs=0.006)
