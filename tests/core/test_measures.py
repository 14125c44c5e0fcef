"""Measures of paths against hand calculation, closed forms and independent libraries."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from simulator import measures
from simulator.claims.outcomes import reduce_series
from simulator.scenario.claims import Condition


def column(*values):
    """Return one path, shape (n_steps + 1, 1)."""
    return np.array(values, dtype=float)[:, None]


def walks(seed, n_steps=400, n_paths=25):
    """Return random walks that start at 100, shape (n_steps + 1, n_paths)."""
    steps = np.random.default_rng(seed).normal(0.0, 0.02, (n_steps, n_paths))
    start = np.zeros((1, n_paths))
    return 100 * np.exp(np.cumsum(np.concatenate((start, steps)), axis=0))


def test_total_return__is_final_over_first_less_one():
    np.testing.assert_allclose(
        measures.total_return(np.array([[100.0, 4.0], [1.0, 9.0], [110.0, 3.0]])), [0.1, -0.25]
    )


def test_annual_yield__over_two_years__is_the_root():
    values = np.ones((731, 1))
    values[-1] = 1.21
    # 730 days are two years of 365: the square root of 1.21 is 1.1.
    np.testing.assert_allclose(measures.annual_yield(values), [0.1], rtol=1e-12)


def test_annual_yield__of_a_year__is_the_return():
    values = np.ones((366, 1))
    values[-1] = 1.02
    np.testing.assert_allclose(measures.annual_yield(values), [0.02], rtol=1e-12)


@pytest.mark.parametrize("days", [1, 30, 364])
def test_annual_yield__below_a_year__is_not_a_number(days):
    values = np.ones((days + 1, 1))
    values[-1] = 1.02
    assert np.isnan(measures.annual_yield(values)).all()


def test_annual_yield__one_day_past_a_year__is_annualised():
    values = np.ones((367, 1))
    values[-1] = 1.02
    np.testing.assert_allclose(measures.annual_yield(values), [1.02 ** (365 / 366) - 1], rtol=1e-12)


def test_annual_yield__below_zero_at_the_end__is_the_loss_of_everything():
    for last in (-0.2, 0.0):
        values = column(*np.linspace(1, last, 366))
        np.testing.assert_array_equal(measures.annual_yield(values), [-1.0])


def test_drawdown__half_lost_then_ten_percent_won__is_half():
    # The start value belongs to the peak; from the first return's end it would be 0.
    np.testing.assert_allclose(measures.max_drawdown(column(1, 0.5, 0.55)), [0.5])


@pytest.mark.parametrize(
    ("values", "drawdown"),
    [
        ((1, 1, 1), 0.0),
        ((1, 2, 3), 0.0),
        ((1, 2, 1, 4, 3), 0.5),
        ((1, 4, 3, 8, 2, 9), 0.75),
        ((10, 0), 1.0),
        ((10, -1), 1.1),
    ],
)
def test_drawdown__of_short_paths__is_the_hand_calculated_one(values, drawdown):
    np.testing.assert_allclose(measures.max_drawdown(column(*values)), [drawdown])


def test_drawdown__of_walks__is_the_plain_loops():
    values = walks(3)
    for found, path in zip(measures.max_drawdown(values), values.T, strict=True):
        peak = worst = path[0]
        worst = 0.0
        for value in path:
            peak = max(peak, value)
            worst = max(worst, (peak - value) / peak)
        assert found == pytest.approx(worst, rel=1e-12)


def test_drawdown__until_a_level__leaves_out_what_comes_after():
    values = walks(3)
    level = 115.0
    found = measures.max_drawdown(values, until=level)
    for share, path in zip(found, values.T, strict=True):
        reached = np.flatnonzero(path >= level)
        kept = path[: reached[0] + 1] if reached.size else path
        assert share == measures.max_drawdown(kept[:, None])[0]
    assert 0 < np.sum(found < measures.max_drawdown(values)) < found.size


def test_drawdown__of_part_of_an_array__is_that_of_a_copy():
    values = walks(3)
    every_other = values[:, ::2]
    np.testing.assert_array_equal(
        measures.max_drawdown(every_other), measures.max_drawdown(every_other.copy())
    )


def test_drawdown_and_growth__of_walks__are_quantstats():
    stats = pytest.importorskip("quantstats", reason="is in the development extra").stats

    values = walks(5, n_paths=4)
    dates = pd.date_range("2026-01-20", periods=len(values), freq="D")
    frame = pd.DataFrame(values, index=dates)
    drawdown = [-stats.max_drawdown(frame[path]) for path in frame]
    np.testing.assert_allclose(measures.max_drawdown(values), drawdown, rtol=1e-9)
    total = [stats.comp(frame[path].pct_change().dropna()) for path in frame]
    np.testing.assert_allclose(measures.total_return(values), total, rtol=1e-9)
    growth = [(1 + part) ** (365 / 400) - 1 for part in total]
    np.testing.assert_allclose(measures.annual_yield(values), growth, rtol=1e-9)


def test_yield_deviation__two_windows__is_hand_calculated():
    values = np.ones((61, 1))
    values[30:60] = 1.01
    values[60] = 1.01 * 1.03
    # Yields of 1 % and 3 % in 30 days, times 365/30; n - 1 = 1 in the denominator.
    expected = math.sqrt(2 * 0.01**2) * 365 / 30
    np.testing.assert_allclose(measures.yield_deviation(values), [expected], rtol=1e-12)


def test_yield_deviation__steady_growth__is_zero():
    values = 1.0001 ** np.arange(366.0)[:, None]
    np.testing.assert_allclose(measures.yield_deviation(values), [0.0], atol=1e-12)


def test_yield_deviation__of_walks__is_pandas():
    values = walks(7, n_steps=365)
    marks = pd.DataFrame(values).iloc[::30]
    assert len(marks) == 13
    expected = marks.pct_change().dropna().mul(365 / 30).std(ddof=1)
    np.testing.assert_allclose(measures.yield_deviation(values), expected, rtol=1e-9)


def test_yield_deviation__days_past_the_last_window__change_nothing():
    values = walks(11, n_steps=70)
    longer = np.concatenate((values, np.full((19, values.shape[1]), 1e6)))
    np.testing.assert_array_equal(
        measures.yield_deviation(longer), measures.yield_deviation(values)
    )


def test_yield_deviation__below_two_windows__is_nan_and_from_two_on_a_number():
    assert np.isnan(measures.yield_deviation(walks(1, n_steps=59))).all()
    assert np.isfinite(measures.yield_deviation(walks(1, n_steps=60))).all()


def test_yield_deviation__lost_and_won_back__stays_finite():
    values = np.ones((121, 1))
    values[30:60] = 0.0
    found = measures.yield_deviation(values)
    assert np.isfinite(found).all()
    # A single window cannot have won more than from a millionth: 1e6 x 365/30 a year.
    assert 1e6 < found[0] < 1.3e7


def test_yield_deviation__everything_lost__is_that_of_one_fall():
    values = np.ones((121, 1))
    values[60:] = 0.0
    # Yields 0, -100 %, 0, 0 of 30 days; the last millionth is the floor.
    yields = np.array([0.0, -(1 - 1e-6), 0.0, 0.0]) * 365 / 30
    np.testing.assert_allclose(measures.yield_deviation(values), [np.std(yields, ddof=1)])


PRICE = {
    name: Condition(measure=name, series="price.gold", at_least=0.0)
    for name in ("last", "highest", "lowest", "mean")
}


@pytest.mark.parametrize(
    "measure",
    [
        measures.total_return,
        measures.annual_yield,
        measures.max_drawdown,
        measures.yield_deviation,
        lambda values: measures.max_drawdown(values, until=float(values[2, 1]) * 0.5),
        lambda values: reduce_series(PRICE["last"], values),
        lambda values: reduce_series(PRICE["highest"], values),
        lambda values: reduce_series(PRICE["lowest"], values),
        lambda values: reduce_series(PRICE["mean"], values),
    ],
)
@pytest.mark.parametrize("days", [slice(60, None), slice(60, 61), slice(1, 2)])
def test_measures__nan_on_one_path__stays_on_that_path_and_reaches_all_of_it(measure, days):
    values = walks(13, n_steps=90, n_paths=3)
    clean = measure(values)
    values[days, 1] = np.nan
    found = measure(values)
    assert np.isnan(found[1])
    np.testing.assert_array_equal(found[[0, 2]], clean[[0, 2]])


@pytest.mark.parametrize("scale", [1e-6, 3.7, 1e9])
def test_measures__another_currency__changes_nothing(scale):
    values = walks(17)
    for measure in (measures.annual_yield, measures.max_drawdown, measures.yield_deviation):
        np.testing.assert_allclose(measure(scale * values), measure(values), rtol=1e-8)


def wilson(count, total, z=1.959963984540054):
    """Return Wilson's interval in closed form."""
    share = count / total
    middle = share + z**2 / (2 * total)
    half = z * math.sqrt(share * (1 - share) / total + z**2 / (4 * total**2))
    return (middle - half) / (1 + z**2 / total), (middle + half) / (1 + z**2 / total)


def clopper_pearson(count, total, alpha=0.05):
    """Return the exact interval from beta quantiles."""
    low = special.betaincinv(count, total - count + 1, alpha / 2) if count else 0.0
    high = special.betaincinv(count + 1, total - count, 1 - alpha / 2) if count < total else 1.0
    return low, high


@pytest.mark.parametrize(
    ("count", "total"), [(5, 100), (50, 100), (95, 100), (5, 10), (777, 10_000)]
)
def test_interval__five_counts_and_more__is_wilsons(count, total):
    np.testing.assert_allclose(measures.share_interval(count, total), wilson(count, total))


@pytest.mark.parametrize(
    ("count", "total"), [(0, 100), (4, 100), (96, 100), (100, 100), (0, 1), (1, 1), (4, 9)]
)
def test_interval__below_five_counts__is_clopper_pearsons(count, total):
    np.testing.assert_allclose(
        measures.share_interval(count, total), clopper_pearson(count, total), atol=1e-9
    )


def test_interval__no_counts__is_the_rule_of_three():
    # 1 - 0.025^(1/n), in closed form.
    low, high = measures.share_interval(0, 1000)
    assert low == 0.0
    assert high == pytest.approx(1 - 0.025 ** (1 / 1000), rel=1e-9)


@given(st.integers(1, 2000), st.data())
def test_interval__any_share__lies_around_it_and_mirrors(total, data):
    count = data.draw(st.integers(0, total))
    low, high = measures.share_interval(count, total)
    assert 0 <= low <= count / total <= high <= 1
    other_low, other_high = measures.share_interval(total - count, total)
    np.testing.assert_allclose((other_low, other_high), (1 - high, 1 - low), atol=1e-9)


def test_interval__more_confidence__is_wider():
    low, high = measures.share_interval(40, 100, 0.95)
    wide_low, wide_high = measures.share_interval(40, 100, 0.99)
    assert wide_low < low < high < wide_high
