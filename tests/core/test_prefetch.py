"""Hints about memory: they may change nothing, whatever they point at."""

from __future__ import annotations

import numpy as np

from simulator.jit import kernel
from simulator.mechanics.prefetch import will_read, will_write
from simulator.units import FloatArray


@kernel
def _hint_and_add(values: FloatArray) -> float:
    total = 0.0
    for row in range(values.shape[0]):
        # far beyond the end at last: further than any page that is mapped nearby
        will_read(values, (row + 1) * (row + 1) * 1_000_000_000, 0, values.shape[1])
        will_write(values, (row + 1) * 1_000_000_000, 0, values.shape[1])
        will_read(values, row + 1, 0, values.shape[1])
        will_write(values, row, 0, values.shape[1])
        for column in range(values.shape[1]):
            total += values[row, column]
    return total


def test_hints__at_rows_inside_and_far_beyond_the_end__change_nothing() -> None:
    values = np.arange(12.0).reshape(3, 4)
    before = values.copy()
    assert _hint_and_add(values) == 66.0
    np.testing.assert_array_equal(values, before)
