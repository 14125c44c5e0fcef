"""Copies between a kernel's rows and arrays, and arrays that keep out of each other's way."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.jit import kernel
from simulator.mechanics.rows import empty_apart, read_row, write_row
from simulator.units import FloatArray


@kernel
def _exchange(own: FloatArray, values: FloatArray) -> None:
    read_row(own, 16, values, 2, 8, 16)
    write_row(own, 0, values, 1, 16, 8)


def test_rows__are_copied_to_where_they_belong_and_nowhere_else() -> None:
    own, values = -1.0 - np.arange(40.0), np.arange(96.0).reshape(3, 32)
    values[2, 8] = np.nan
    expected_own, expected = own.copy(), values.copy()
    expected_own[16:32] = values[2, 8:24]
    expected[1, 16:24] = own[:8]
    _exchange(own, values)
    np.testing.assert_array_equal(own, expected_own)
    np.testing.assert_array_equal(values, expected)


@pytest.mark.parametrize("place", [0, 1, 15])
def test_empty_apart__begins_at_its_place_of_a_page(place: int) -> None:
    found = empty_apart((3, 5), place)
    assert found.shape == (3, 5)
    assert found.flags.c_contiguous
    assert found.flags.writeable
    assert found.ctypes.data % 4096 == 256 * place
