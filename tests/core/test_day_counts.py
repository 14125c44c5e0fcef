"""Quantiles of daily series from counts: close to the exact ones, and the same in any order."""

import pickle

import numpy as np
import pandas as pd
import pytest

from simulator.engine.day_counts import COLUMNS, QUANTILES, RELATIVE_ERROR, DayCounts
from simulator.engine.memory import mapped_zeros

PATHS = 100_000
DATES = pd.date_range("2026-01-20", periods=4)


@pytest.fixture(scope="module")
def prices():
    """Return four days of 100,000 prices, from one value to a spread of 80 %, and total losses."""
    normal = np.random.default_rng(20260120).standard_normal((3, PATHS)).cumsum(axis=0)
    found = np.vstack([np.full(PATHS, 4_745.5), 4_745.5 * np.exp(0.45 * normal)])
    found[3, ::7] = 0.0
    return found


def counted(values, size=8_192, order=1):
    counts = DayCounts()
    for first in range(0, values.shape[1], size)[::order]:
        counts.add("x", values[:, first : first + size])
    return counts


def rows(counts):
    return counts.quantiles(DATES)[list(COLUMNS)].to_numpy()


def test_quantiles__of_100_000_paths__within_half_a_percent_of_the_exact_ones(prices):
    exact = np.quantile(prices, QUANTILES, axis=1).T
    found = rows(counted(prices))
    assert RELATIVE_ERROR < 0.005
    np.testing.assert_allclose(found, exact, rtol=RELATIVE_ERROR, atol=0)


def test_quantiles__of_rates_around_zero__within_half_a_percent_of_their_size():
    """Negative values mirror positive ones: -0.02 as near as 0.02."""
    rates = 0.002 + 0.02 * np.random.default_rng(1).standard_normal((4, PATHS))
    exact = np.quantile(rates, QUANTILES, axis=1).T
    np.testing.assert_allclose(rows(counted(rates)), exact, rtol=RELATIVE_ERROR, atol=0)


def test_quantiles__against_ddsketch__both_within_their_bounds(prices):
    """An independent sketch of the same kind, of relative accuracy 0.5 %."""
    ddsketch = pytest.importorskip("ddsketch")
    sketch = ddsketch.DDSketch(relative_accuracy=0.005)
    for value in prices[2, :20_000]:
        sketch.add(float(value))
    own = rows(counted(prices[:, :20_000]))[2]
    theirs = [sketch.get_quantile_value(q) for q in QUANTILES]
    np.testing.assert_allclose(own, theirs, rtol=0.005 + RELATIVE_ERROR)


def test_quantiles__of_one_value__are_it_to_the_last_digit(prices):
    assert (rows(counted(prices))[0] == 4_745.5).all()


def test_quantiles__any_blocks_in_any_order__the_same_bytes(prices):
    expected = rows(counted(prices)).tobytes()
    assert rows(counted(prices, size=256, order=-1)).tobytes() == expected
    merged = DayCounts()
    for first in range(PATHS - PATHS % 8_192, -1, -8_192):
        part = counted(prices[:, first : first + 8_192], size=1_000)
        merged.merge(pickle.loads(pickle.dumps(part)))
    assert rows(merged).tobytes() == expected


def test_quantiles__a_path_without_a_number__is_none_on_that_day_alone(prices):
    broken = prices.copy()
    broken[1, 17], broken[2, 18] = np.nan, np.inf
    found = rows(counted(broken))
    assert np.isnan(found[1:3]).all()
    assert not np.isnan(found[[0, 3]]).any()


def test_count__paths_that_pad_the_lanes__are_left_out():
    values = np.array([[1.0, 2.0, 900.0]] * 4)
    counts = DayCounts()
    counts.add("x", values, 2)
    assert rows(counts)[0, 2] == pytest.approx(1.5, rel=RELATIVE_ERROR)


def test_quantiles__between_two_paths__are_on_the_line():
    """Of 0 and 100 the 5 % quantile is 5, as numpy has it."""
    found = rows(counted(np.array([[0.0, 100.0]] * 4)))[0]
    np.testing.assert_allclose(found, [5, 25, 50, 75, 95], rtol=RELATIVE_ERROR)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_quantiles__of_values_even_within_a_bin__are_even_too(sign):
    """1,001 values from 1 to 1.003 share one bin, 1 to 1.0039: their median is 1.0015.

    Spread evenly over the whole bin it would be 1.00195: within an eighth of its width.
    """
    values = np.tile(sign * np.linspace(1.0, 1.003, 1_001), (4, 1))
    low, middle, high = rows(counted(values))[0, [0, 2, 4]] * sign
    assert middle == pytest.approx(1.0015, abs=RELATIVE_ERROR / 8)
    assert sorted((low, middle, high)) == ([low, middle, high] if sign > 0 else [high, middle, low])
    assert abs(high - low) > 0.7 * 0.0027


def test_counts__of_few_paths__take_half_the_memory_and_add_up_to_the_same(prices):
    whole, small = counted(prices), DayCounts()
    for first in range(0, PATHS, 8_192):
        part = prices[:, first : first + 8_192]
        # room that others needed, and room that nobody uses, change nothing
        few = DayCounts(part.shape[1], room=(small if first else whole).extents())
        few.add("x", part)
        assert few.views()["x"]["counts"].dtype == np.uint16
        small.merge(few)
    assert rows(small).tobytes() == rows(whole).tobytes()


@pytest.mark.parametrize("paths", [65_535, 65_536, None])
def test_counts__of_as_many_alike_as_there_may_be__overflow_nowhere(paths):
    counts = DayCounts(paths)
    counts.add("x", np.full((4, paths or 70_000), 2.0))
    assert set(counts.arrays()["x"]["counts"]) == {paths or 70_000}


@pytest.mark.parametrize("count", [10, 2**18])
def test_mapped_zeros__few_or_many__are_zeros_that_take_values(count):
    found = mapped_zeros(count, np.int32)
    assert (found.shape, found.dtype) == ((count,), np.int32)
    assert not found.any()
    found[-1] = 7
    assert found.sum() == 7


def test_clear__forgets_all_counts_and_counts_anew(prices):
    counts = counted(prices)
    before = rows(counts)
    counts.clear()
    assert counts.names == ()
    counts.add("x", prices)
    assert rows(counts).tobytes() == before.tobytes()
