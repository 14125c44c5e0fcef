"""The smooth bootstrap: it starts at today's volatility, and no day of the table is its worst."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from markets import METALS, draw_reference, metals, sample, standard_errors_off, terminal
from test_bootstrap import data, gold_since_1971, growth_and_fall, past

from simulator.market.bootstrap import History
from simulator.market.dynamics import MarketSpec, fill
from simulator.market.history import best_block, read_history
from simulator.market.smoothing import (
    filter_variance,
    fit_filter,
    smoothed,
    tail_sizes,
)
from simulator.market.streams import Stream
from simulator.units import LANES

N_PATHS = 20_000


def smooth(mean_block: float = 25.0, start: float | None = None, **changes) -> MarketSpec:
    """Return a market of smoothed past days; `start`: times the long-run variance."""
    history = History(past(), mean_block, smooth=True)
    if start is not None:
        history = replace(history, start=start * past().var(axis=1))
    return replace(metals("gbm", **changes), model="bootstrap", history=history)


# the filter -----------------------------------------------------------------------------------


def test_filter__of_a_few_days__the_recursion_by_hand():
    # squares 1, 100, 1, 2 with mean 26; a = .1, p = .9: h' = 2.6 + .1 min(e^2, 36 h) + .8 h
    squares = np.array([1.0, 100.0, 1.0, 2.0])
    variance = np.empty(5)
    loss = filter_variance(squares, 0.1, 0.9, variance)
    expected = [26.0, 23.5, 2.6 + 10 + 18.8, 2.6 + 0.1 + 25.12, 2.6 + 0.2 + 22.256]
    assert variance == pytest.approx(expected)
    assert loss == pytest.approx(
        sum(math.log(h) + square / h for h, square in zip(expected, squares, strict=False))
    )


def test_filter__of_one_wild_day__is_bounded_in_news_and_in_variance():
    # h = 100.99 (the mean): the news of 10,000 counts for 36 h at most, the variance for 20
    squares = np.concatenate([[10_000.0], np.ones(99)])
    variance = np.empty(101)
    filter_variance(squares, 0.9, 0.95, variance)
    assert variance[1] == pytest.approx(20 * squares.mean())
    filter_variance(squares, 0.2, 0.5, variance)
    mean = squares.mean()
    assert variance[1] == pytest.approx(0.5 * mean + 0.2 * 36 * mean + 0.3 * mean)


def test_fit__of_a_garch_sample__finds_weights_near_the_true_ones():
    block = np.empty((1, 8001, LANES))
    garch = metals("garch", n_steps=8000, n_assets=1)
    fill(replace(garch, drift=np.zeros(1)), 5, 0, block)
    found = fit_filter(np.diff(np.log(block[0, :, 0])))
    # the sample's alpha + gamma / 2 + beta is .9595 and its mean weight of news .0395
    assert 0.9 <= found.persistence <= 0.985
    assert 0.02 <= found.news <= 0.08


def test_fit__of_independent_days__has_no_clusters():
    found = fit_filter(np.random.default_rng(3).normal(0, 0.01, 4000))
    assert found.variance.std() < 0.05 * found.variance.mean()


# moves and tails ------------------------------------------------------------------------------


def test_moves__outside_the_tails__times_their_volatility_are_the_returns():
    found = smoothed(past())
    centred = past() - past().mean(axis=1, keepdims=True)
    ratio = found.moves * np.exp(found.log_sd) / centred
    body = found.sides == 0
    for asset in range(3):
        own = ratio[asset, body[asset]]
        # one factor keeps the variance: close to 1
        assert np.ptp(own) < 1e-9
        assert own[0] == pytest.approx(1.0, abs=0.05)
    # 2.5 % of 800 days on each side
    assert np.sum(found.sides == 1, axis=1).tolist() == [20] * 3
    assert np.sum(found.sides == -1, axis=1).tolist() == [20] * 3


def test_tails__drawn__go_beyond_the_largest_move_and_end_at_the_bound():
    found = smoothed(past())
    sizes = tail_sizes(found.tails[0, 0], np.random.default_rng(1).exponential(size=100_000))
    largest = -(found.moves[0].min())
    # the largest of 20 is gone beyond about once in 20 draws
    assert 0.01 < np.mean(sizes > largest) < 0.15
    assert sizes.max() <= max(15.0, 2 * largest) * 1.03
    assert sizes.min() > 0


def test_growths__mean_of_exp_over_the_tail_draws__that_of_many_draws():
    found = smoothed(past())
    draws = np.random.default_rng(1).exponential(size=400_000)
    for tick, growth in enumerate(found.growths(3)):
        level, weight = found.levels(3)[0, tick]
        day = int(np.flatnonzero(found.sides[0] == -1)[4])
        scale = math.exp(level + weight * found.log_sd[0, day])
        values = np.exp(-scale * tail_sizes(found.tails[0, 0], draws))
        assert standard_errors_off(values, growth[0, day]) < 3
        body = int(np.flatnonzero(found.sides[0] == 0)[0])
        scale = math.exp(level + weight * found.log_sd[0, body])
        assert growth[0, body] == pytest.approx(math.exp(scale * found.moves[0, body]), rel=1e-12)


# the paths ------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [0, 127, 2**32 + 5])
def test_prices__of_a_path__equal_a_plain_loop(path):
    trading = np.tile(np.arange(201) % 7 < 5, (3, 1))
    spec = smooth(7.5, n_steps=200, trading=trading)
    history, found = spec.history, spec.history.smoothed
    block = np.empty((3, 201, LANES))
    first = path - path % LANES
    fill(spec, 99, first, block)
    corrections, levels = history.compensators(200), found.levels(200)
    expected, day, ticks, last, in_tails = [spec.spot], None, 0, 0, 0
    for step in range(1, 201):
        log_growth = np.zeros(3)
        if trading[0, step]:
            end = draw_reference(99, step // 4, Stream.BLOCK_END, path)[step % 4]
            start = draw_reference(99, step // 4, Stream.BLOCK_START, path)[step % 4]
            new = day is None or end < round(2**32 / 7.5)
            day = start * 800 // 2**32 if new else (day + 1) % 800
            draw = -math.log((start * 800 % 2**32 + 0.5) / 2**32)
            for asset in range(3):
                side = found.sides[asset, day]
                move = found.moves[asset, day]
                if side:
                    tail = found.tails[asset, 0 if side < 0 else 1]
                    move = side * float(tail_sizes(tail, np.array([draw]))[0])
                    in_tails += 1
                level, weight = levels[asset, ticks]
                log_growth[asset] = move * math.exp(level + weight * found.log_sd[asset, day])
            log_growth += spec.drift / 365 * (step - last) - corrections[:, ticks]
            ticks, last = ticks + 1, step
        expected.append(expected[-1] * np.exp(log_growth))
    assert in_tails > 0
    np.testing.assert_allclose(block[:, :, path - first], np.array(expected).T, rtol=1e-11)


def test_prices__in_another_block__are_the_same_bytes():
    spec = smooth(n_steps=60)
    whole, part = np.empty((3, 61, 4 * LANES)), np.empty((3, 61, LANES))
    fill(spec, 1, 0, whole)
    fill(spec, 1, 2 * LANES, part)
    np.testing.assert_array_equal(whole[:, :, 2 * LANES : 3 * LANES], part)


@pytest.mark.parametrize("asset", range(3), ids=METALS)
@pytest.mark.parametrize("mean_block", [1.0, 40.0])
def test_mean__from_a_wild_start__grows_with_the_drift(asset, mean_block):
    spec = smooth(mean_block, start=6.0, n_steps=120)
    ends = sample(spec, 2 * N_PATHS, terminal)
    expected = spec.spot[asset] * math.exp(spec.drift[asset] * 120 / 365)
    assert standard_errors_off(ends[asset], expected) < 3


@cache
def returns_from(start: float) -> np.ndarray:
    """Return log returns with nothing taken off for their mean, (n_assets, 120, n_paths)."""
    spec = smooth(start=start, n_steps=120, drift=np.zeros(3))
    returns = sample(spec, N_PATHS, lambda block: np.diff(np.log(block), axis=1))
    return returns + spec.history.compensators(120)[:, :, None]


@pytest.mark.parametrize("start", [0.25, 1.0, 6.0])
def test_variance__of_each_day__is_the_filters_forecast(start):
    # v + p^(k - 1) (first - v); past() has a mean of .001, of which moves know nothing
    found = smooth().history.smoothed
    squares = returns_from(start) ** 2
    for asset in range(3):
        for tick in (0, 20, 119):
            left = found.persistence[asset] ** tick
            expected = found.long_run[asset] * (1 + left * (start - 1))
            assert standard_errors_off(squares[asset, tick], expected) < 3.5


def test_volatility__of_a_path__spreads_as_the_start_is_forgotten():
    # at first all paths have one volatility, in the end those of the history's calm and wild days
    sizes = np.abs(returns_from(1.0)[0])
    early = sizes[:5].mean(axis=0)
    late = sizes[-5:].mean(axis=0)
    assert late.std() > 1.2 * early.std()


def test_correlation__of_the_long_run__is_the_historys():
    expected = np.corrcoef(past())[np.triu_indices(3, 1)]
    found = np.corrcoef(returns_from(1.0)[:, -40:].reshape(3, -1))[np.triu_indices(3, 1)]
    assert found == pytest.approx(expected, abs=0.04)


def test_first_day__by_default__has_the_filters_volatility_of_the_day_after_the_last():
    history = History(past(), 25.0, smooth=True)
    own = [fit_filter(row).variance[-1] for row in past()]
    assert history.smoothed.start == pytest.approx(own)
    asked = replace(history, start=np.array([np.nan, 4e-4, np.nan]))
    assert asked.smoothed.start == pytest.approx([own[0], 4e-4, own[2]])


def test_worst_day__of_many_paths__is_beyond_the_tables_where_the_plain_ones_is_not():
    spec = smooth(n_steps=250, start=1.0)
    plain = replace(spec, history=replace(spec.history, smooth=False))
    worst = [
        sample(market, 4_000, lambda block: np.diff(np.log(block[:1]), axis=1).min(axis=1)).min()
        for market in (spec, plain)
    ]
    table = past()[0].min()
    assert worst[0] < 1.2 * table
    # within the drift and the correction of a day
    assert worst[1] == pytest.approx(table, abs=0.003)


# real history: the figures of the design, from the long-run volatility --------------------------


def test_gold__twelve_months_since_1971__shares_of_returns_are_kept():
    # see test_bootstrap: 48 %, 8 % and 38 %; a share has a standard error of 7 points, and here the
    # twelve months begin neither calm nor wild: three points are asked where plain days keep two
    returns = gold_since_1971()
    history = History(returns, best_block(returns), smooth=True, start=returns.var(axis=1))
    own_growth = replace(history, smooth=False).compensators(12).sum(axis=1)
    spec = replace(
        metals("gbm", n_assets=1, n_steps=12),
        model="bootstrap",
        history=history,
        drift=own_growth,
        year_fraction=1 / 12,
    )
    gained, _ = sample(spec, N_PATHS, growth_and_fall)
    assert abs(np.mean(gained >= 0.08) - 0.48) < 0.03
    assert abs(np.mean((gained >= 0.08) & (gained <= 0.12)) - 0.08) < 0.03
    assert abs(np.mean(gained < 0) - 0.38) < 0.03


def test_gold__one_year_of_daily_closes__drawdowns_are_kept():
    # median -15 %, 74 % of the years below -10 %, 99 % below -5 %: see test_bootstrap
    history = read_history(data("metals_daily.csv"), ("gold",))
    history = replace(history, smooth=True, start=history.returns.var(axis=1))
    growth = 12 * gold_since_1971().mean() + 252 * history.returns.var() / 2
    spec = replace(
        metals("gbm", n_assets=1, n_steps=252),
        model="bootstrap",
        history=history,
        drift=np.array([growth]),
        year_fraction=1 / 252,
    )
    _, falls = sample(spec, N_PATHS, growth_and_fall)
    assert abs(np.median(falls) + 0.15) < 0.015
    assert abs(np.mean(falls < -0.10) - 0.74) < 0.05
    assert abs(np.mean(falls < -0.05) - 0.99) < 0.015


def test_metals__long_run__correlations_and_volatilities_of_the_design():
    history = read_history(data("metals_daily.csv"), METALS)
    history = replace(history, smooth=True, start=history.returns.var(axis=1))
    spec = replace(
        metals("gbm", n_steps=252),
        model="bootstrap",
        history=history,
        drift=np.zeros(3),
        year_fraction=1 / 252,
    )
    returns = sample(spec, 4_000, lambda block: np.diff(np.log(block), axis=1))
    rows = returns.reshape(3, -1)
    assert np.corrcoef(rows)[np.triu_indices(3, 1)] == pytest.approx([0.77, 0.32, 0.42], abs=0.03)
    assert rows.std(axis=1) * math.sqrt(252) == pytest.approx([0.174, 0.318, 0.269], abs=0.006)
