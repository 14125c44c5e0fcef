"""Quantiles of rows are numpy's, whatever the rows look like."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from simulator.engine.quantiles import row_quantiles

PROBABILITIES = (0.05, 0.25, 0.5, 0.75, 0.95)


def rows(kind: str) -> np.ndarray:
    random = np.random.default_rng(3)
    if kind == "prices":
        return np.exp(random.normal(0, 0.3, (40, 999)))
    if kind == "tails":
        return random.standard_cauchy((40, 1_000))
    if kind == "mostly nothing":
        return np.where(random.uniform(size=(40, 500)) < 0.9, 0.0, random.normal(size=(40, 500)))
    if kind == "one far away":
        found = 1.0 + 1e-4 * random.normal(size=(40, 800))
        found[:, 5] = 1e30
        return found
    return np.ones((40, 300))


@pytest.mark.parametrize(
    "kind", ["prices", "tails", "mostly nothing", "one far away", "all the same"]
)
def test_quantiles__of_rows__are_numpys(kind: str) -> None:
    values = rows(kind).astype(np.float32)
    expected = np.quantile(values, PROBABILITIES, axis=1)
    np.testing.assert_array_equal(row_quantiles(values, PROBABILITIES), expected)


@given(
    hnp.arrays(
        np.float32,
        st.tuples(st.integers(1, 3), st.integers(1, 40)),
        elements=st.floats(-1e6, 1e6, width=32),
    )
)
def test_quantiles__of_any_rows__are_numpys(values: np.ndarray) -> None:
    expected = np.quantile(values, PROBABILITIES, axis=1)
    np.testing.assert_array_equal(row_quantiles(values, PROBABILITIES), expected)


def test_quantiles__of_part_of_an_array_and_with_a_nan__are_numpys() -> None:
    values = rows("prices").astype(np.float32)
    part = values[:, ::3]
    expected = np.quantile(part, PROBABILITIES, axis=1)
    np.testing.assert_array_equal(row_quantiles(part, PROBABILITIES), expected)
    values[7, 3] = np.nan
    found = row_quantiles(values, PROBABILITIES)
    assert np.isnan(found[:, 7]).all()
    np.testing.assert_array_equal(found, np.quantile(values, PROBABILITIES, axis=1))
