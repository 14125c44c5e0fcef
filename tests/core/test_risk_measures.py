"""Tails, ratios and time under water against hand calculation and independent libraries."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats as scipy_stats

from simulator import measures


def column(*values):
    return np.array(values, dtype=float)[:, None]


def walks(seed, n_steps=400, n_paths=25):
    steps = np.random.default_rng(seed).normal(0.0003, 0.02, (n_steps, n_paths))
    return 100 * np.exp(np.cumsum(np.concatenate((np.zeros((1, n_paths)), steps)), axis=0))


def quantstats_frames(values):
    """Return quantstats' functions, and the daily returns of each path as a dated series."""
    stats = pytest.importorskip("quantstats", reason="is in the development extra").stats
    dates = pd.date_range("2026-01-20", periods=len(values), freq="D")
    frame = pd.DataFrame(values, index=dates).pct_change().dropna()
    return stats, [frame[path] for path in frame]


# -- expected shortfall


@pytest.mark.parametrize(
    ("tail", "expected"),
    [
        # The worst of ten, whole: 0.1 x 10 = 1.
        (0.1, 0.5),
        # One and a half: (0.5 + 0.5 x 0.3) / 1.5.
        (0.15, (0.5 + 0.5 * 0.3) / 1.5),
        # Half an observation is the worst one's mean.
        (0.05, 0.5),
        (0.2, 0.4),
        # Everything: less the mean of 8 x 0.1, -0.3 and -0.5.
        (1.0, 0.0),
    ],
)
def test_shortfall__of_ten_returns__weights_the_fraction(tail, expected):
    samples = np.array([0.1] * 4 + [-0.3, -0.5] + [0.1] * 4)
    assert float(measures.expected_shortfall(samples, tail)) == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize("tail", [0.0, -0.1, 1.01, math.nan])
def test_shortfall__tail_out_of_range__is_refused(tail):
    with pytest.raises(ValueError, match="must be above 0 and at most 1"):
        measures.expected_shortfall(np.zeros(10), tail)


def test_shortfall__of_nothing__is_an_error_that_says_so_and_of_one_sample_its_loss():
    with pytest.raises(ValueError, match="expected shortfall of no samples"):
        measures.expected_shortfall(np.empty(0))
    with pytest.raises(ValueError, match="expected shortfall of no samples"):
        measures.expected_shortfall(np.empty((0, 3)))
    assert measures.expected_shortfall(np.array([-0.2])) == pytest.approx(0.2)


@pytest.mark.parametrize("tail", [0.01, 0.033, 0.05, 0.25])
def test_shortfall__is_the_minimum_of_rockafellar_and_uryasev(tail):
    """min over c of c + E[(L - c)+] / tail, attained at one of the losses."""
    samples = np.random.default_rng(2).standard_t(3, (997, 3))
    losses = -samples
    excess = np.maximum(losses[:, None, :] - losses[None, :, :], 0.0).mean(axis=0)
    expected = (losses + excess / tail).min(axis=0)
    np.testing.assert_allclose(measures.expected_shortfall(samples, tail), expected, rtol=1e-12)


def test_shortfall__of_a_normal__is_the_closed_form():
    n, tail = 200_000, 0.05
    samples = np.random.default_rng(4).normal(0.02, 0.1, n)
    expected = 0.1 * scipy_stats.norm.pdf(scipy_stats.norm.ppf(tail)) / tail - 0.02
    error = measures.shortfall_error(samples, tail)
    assert abs(float(measures.expected_shortfall(samples, tail)) - expected) < 4 * error


def test_shortfall__of_daily_returns__is_quantstats():
    stats, returns = quantstats_frames(walks(9, n_steps=401, n_paths=4))
    for series in returns:
        # Its quantile interpolates: of 401 returns the one at rank 400 x 0.05 = 20 still counts.
        expected = -stats.cvar(series, confidence=0.95, method="historical")
        found = measures.expected_shortfall(series.to_numpy(), 21 / 401)
        assert float(found) == pytest.approx(expected, rel=1e-12)


@given(
    hnp.arrays(float, st.integers(2, 60), elements=st.floats(-1, 1)),
    st.floats(0.01, 1.0),
    st.floats(0.0, 3.0),
)
def test_shortfall__is_coherent(samples, tail, scale):
    found = float(measures.expected_shortfall(samples, tail))
    assert -samples.mean() - 1e-12 <= found <= -samples.min() + 1e-12
    moved = float(measures.expected_shortfall(scale * samples - 0.1, tail))
    assert moved == pytest.approx(scale * found + 0.1, abs=1e-12)
    other = samples[::-1] ** 3
    together = float(measures.expected_shortfall(samples + other, tail))
    assert together <= found + float(measures.expected_shortfall(other, tail)) + 1e-12


def test_shortfall__with_a_nan__is_nan_in_that_column_alone():
    samples = np.random.default_rng(6).normal(size=(100, 3))
    clean = measures.expected_shortfall(samples)
    samples[50, 1] = np.nan
    found = measures.expected_shortfall(samples)
    assert np.isnan(found[1])
    np.testing.assert_array_equal(found[[0, 2]], clean[[0, 2]])


# -- errors


def test_shortfall_error__of_normals__is_the_known_variance():
    """n Var = (Var(L | tail) + (1 - tail) (ES - VaR)^2) / tail, by order statistics."""
    n, tail = 20_000, 0.05
    quantile = -scipy_stats.norm.ppf(tail)
    shortfall = scipy_stats.norm.pdf(quantile) / tail
    variance = 1 + quantile * shortfall - shortfall**2
    expected = math.sqrt((variance + (1 - tail) * (shortfall - quantile) ** 2) / tail / n)
    draws = np.random.default_rng(8).normal(size=(40, n))
    found = np.mean([measures.shortfall_error(sample, tail) for sample in draws])
    # A standard deviation of 20 batches scatters by 16 %, its mean over 40 by 3 %.
    assert found == pytest.approx(expected, rel=0.1)


def test_shortfall_error__too_few_for_a_tail__is_nan_and_enough_is_a_number():
    samples = np.random.default_rng(1).normal(size=400)
    assert math.isnan(measures.shortfall_error(samples[:399], 0.05))
    assert measures.shortfall_error(samples, 0.05) > 0


def test_mean_error__is_scipys():
    samples = np.random.default_rng(3).normal(size=1000)
    assert measures.mean_error(samples) == pytest.approx(scipy_stats.sem(samples), rel=1e-12)
    assert math.isnan(measures.mean_error(samples[:1]))


@pytest.mark.parametrize("probability", [0.05, 0.5, 0.95])
def test_quantile_error__of_normals__is_the_density_formula(probability):
    n = 100_000
    density = scipy_stats.norm.pdf(scipy_stats.norm.ppf(probability))
    expected = math.sqrt(probability * (1 - probability) / n) / density
    found = measures.quantile_error(np.random.default_rng(5).normal(size=n), probability)
    assert found == pytest.approx(expected, rel=0.08)


# -- drawdown, Ulcer, Calmar, Sortino


def test_ulcer__of_three_days__is_hand_calculated():
    # Falls of 0, 50 % and 45 % on the three days after the start.
    found = measures.ulcer(column(1, 1, 0.5, 0.55))
    np.testing.assert_allclose(found, [math.sqrt((0.5**2 + 0.45**2) / 3)])


def test_drawdowns__of_a_fall_and_a_rise__start_at_zero():
    found = measures.drawdowns(column(1, 0.5, 0.55, 2, 1))
    np.testing.assert_allclose(found, column(0, 0.5, 0.45, 0, 0.5))


def test_ulcer_calmar_sortino__of_walks__are_quantstats():
    values = walks(5, n_paths=4)
    stats, returns = quantstats_frames(values)
    n = len(values) - 1
    # quantstats divides the Ulcer index by n - 1; the mean is over n days.
    ulcers = [stats.ulcer_index(series) * math.sqrt((n - 1) / n) for series in returns]
    np.testing.assert_allclose(measures.ulcer(values), ulcers, rtol=1e-9)
    calmars = [stats.calmar(series, periods=365) for series in returns]
    np.testing.assert_allclose(measures.calmar(values), calmars, rtol=1e-9)
    growths = [stats.cagr(series, periods=365) for series in returns]
    np.testing.assert_allclose(measures.annual_yield(values), growths, rtol=1e-9)
    sortinos = [stats.sortino(series, periods=365) for series in returns]
    np.testing.assert_allclose(measures.sortino(values), sortinos, rtol=1e-9)


def test_volatility__of_walks__is_quantstats():
    values = walks(6, n_paths=4)
    stats, returns = quantstats_frames(values)
    expected = [stats.volatility(series, periods=365, annualize=True) for series in returns]
    np.testing.assert_allclose(measures.volatility(values), expected, rtol=1e-9)


def test_volatility__of_three_days__is_hand_calculated():
    # Returns +10 % and -10 %: deviation sqrt(2 x 0.1^2 / 1).
    found = measures.volatility(column(1, 1.1, 0.99))
    np.testing.assert_allclose(found, [math.sqrt(2 * 0.01) * math.sqrt(365)])
    assert np.isnan(measures.volatility(column(1, 1.1))).all()
    assert np.isnan(measures.volatility(column(1, 0, 1))).all()


def test_sortino__denominator__runs_over_all_days():
    # Returns +10 %, -10 %, +10 %: mean 1/30, downside sqrt(0.01 / 3).
    found = measures.sortino(column(1, 1.1, 0.99, 1.089))
    np.testing.assert_allclose(found, [(0.1 / 3) / math.sqrt(0.01 / 3) * math.sqrt(365)])


def test_sortino__above_a_target__counts_what_falls_short_of_it():
    # 1 % a day against 365 x 2 % a year: every day falls short by 1 %.
    found = measures.sortino(column(1, 1.01, 1.01**2), target=365 * 0.02)
    np.testing.assert_allclose(found, [-math.sqrt(365)])


def test_ratios__without_a_fall__have_no_number():
    values = column(*np.linspace(1, 2, 366))
    assert np.isnan(measures.calmar(values)).all()
    assert np.isnan(measures.sortino(values)).all()
    fallen = values.copy()
    fallen[10] = 0.9
    assert np.isfinite(measures.calmar(fallen)).all()
    assert np.isfinite(measures.sortino(fallen)).all()


def test_calmar__below_a_year__has_no_number():
    values = walks(2, n_steps=364)
    assert np.isnan(measures.calmar(values)).all()
    assert np.isfinite(measures.calmar(walks(2, n_steps=365))).all()


def test_sortino__lost_before_the_end__has_no_number():
    assert np.isnan(measures.sortino(column(1, 0, 1))).all()
    assert np.isfinite(measures.sortino(column(1, 0.5, 0))).all()


# -- time under water


@pytest.mark.parametrize(
    ("values", "days", "is_open", "share"),
    [
        ((1, 2, 3), 0, False, 0),
        ((1, 1, 1), 0, False, 0),
        # Down on day 1, back on day 2: two days from peak to peak, one of two days below.
        ((1, 0.5, 1), 2, False, 0.5),
        ((1, 0.5, 0.7, 1.1, 1), 3, True, 3 / 4),
        ((1, 0.5, 0.6), 2, True, 1),
        ((1, 2, 1, 2, 3, 1, 1, 3), 3, False, 3 / 7),
    ],
)
def test_under_water__of_short_paths__is_hand_counted(values, days, is_open, share):
    found = measures.time_under_water(column(*values))
    assert found.longest_days[0] == days
    assert found.is_open[0] == is_open
    assert found.share[0] == pytest.approx(share)


def test_under_water__of_walks__is_the_plain_loops():
    values = walks(12)
    found = measures.time_under_water(values)
    for path, series in enumerate(values.T):
        peak_day, longest, below = 0, 0, 0
        for day, value in enumerate(series):
            if value >= series[peak_day]:
                longest = max(longest, day - peak_day if day - peak_day > 1 else 0)
                peak_day = day
            else:
                below += 1
        longest = max(longest, len(series) - 1 - peak_day)
        assert found.longest_days[path] == longest
        assert found.is_open[path] == (peak_day < len(series) - 1)
        assert found.share[path] == pytest.approx(below / (len(series) - 1))


def test_under_water__nan__stays_on_its_path():
    values = walks(13, n_paths=3)
    clean = measures.time_under_water(values).longest_days
    values[60:, 1] = np.nan
    found = measures.time_under_water(values)
    assert np.isnan(found.longest_days[1])
    assert not found.is_open[1]
    np.testing.assert_array_equal(found.longest_days[[0, 2]], clean[[0, 2]])


def spells(days, is_open):
    days = np.array(days, dtype=float)
    return measures.Spells(days, np.array(is_open), np.zeros_like(days))


def test_spell_quantile__all_ended__is_the_order_statistic():
    ended = spells([5, 1, 4, 2, 3], [False] * 5)
    assert measures.spell_quantile(ended, 0.5) == 3
    assert measures.spell_quantile(ended, 0.81) == 5


def test_spell_quantile__open_ones__lift_it_by_kaplan_and_meier():
    # At 2 days one of four at risk ends: S = 3/4; at 4 one of two: S = 3/8.
    found = spells([2, 3, 4, 9], [False, True, False, True])
    assert measures.spell_quantile(found, 0.25) == 2
    assert measures.spell_quantile(found, 0.5) == 4
    # Half of those that are left outlast everything that was seen to end.
    assert math.isnan(measures.spell_quantile(found, 0.7))


@pytest.mark.parametrize(
    "measure",
    [
        measures.ulcer,
        measures.calmar,
        measures.sortino,
        measures.volatility,
        measures.max_drawdown,
    ],
)
@pytest.mark.parametrize("days", [slice(60, None), slice(60, 61), slice(1, 2)])
def test_measures__nan_on_one_path__stays_on_that_path_and_reaches_all_of_it(measure, days):
    values = walks(13, n_paths=3)
    clean = measure(values)
    values[days, 1] = np.nan
    found = measure(values)
    assert np.isnan(found[1])
    np.testing.assert_array_equal(found[[0, 2]], clean[[0, 2]])
