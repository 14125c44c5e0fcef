"""The most extreme days, years and falls of many paths, each with the path on which it happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np

from simulator.jit import kernel
from simulator.units import DAYS_PER_YEAR, FloatArray


@dataclass(frozen=True)
class Extreme:
    """A return, or a fall as a positive share, and the number of the path that has it."""

    value: float
    path: int


@dataclass(frozen=True)
class Extremes:
    """What the worst and the best of many paths did; None where nothing can be said.

    worst_day, best_day : returns from one day to the next
    worst_year, best_year : returns over any 365 days of a path; None in a shorter run
    deepest_fall : from a path's own peak, a positive share
    """

    worst_day: Extreme | None
    best_day: Extreme | None
    worst_year: Extreme | None
    best_year: Extreme | None
    deepest_fall: Extreme | None


Held = Mapping[str, Mapping[str, Extremes]]
"""Of instruments and of investors, by group and name."""
LEAST_SHARE = 0.01
"""Of a path's first value: what is below has no return."""
_LARGEST = ("best_day", "best_year", "deepest_fall")


def extremes_of(values: FloatArray, first_path: int = 0) -> Extremes:
    """Return the extremes of a block of paths.

    Parameters
    ----------
    values : ndarray of shape (n_steps + 1, n_paths), one row a day
    first_path : number of the first path

    Notes
    -----
    A day, or a year, that begins below a hundredth of the path's first value has no return: of
    next to nothing any gain is many times what was there. What is NaN is passed over. Of equals the
    first path counts.
    """
    found = np.empty((len(fields(Extremes)), values.shape[1]))
    path_extremes(np.ascontiguousarray(values, dtype=np.float64), DAYS_PER_YEAR, found)
    return Extremes(
        *(
            _first(row, item.name in _LARGEST, first_path)
            for row, item in zip(found, fields(Extremes), strict=True)
        )
    )


def _first(row: FloatArray, is_largest: bool, first_path: int) -> Extreme | None:
    if np.all(np.isnan(row)):
        return None
    place = int(np.nanargmax(row) if is_largest else np.nanargmin(row))
    return Extreme(float(row[place]), first_path + place)


def most_extreme(blocks: Sequence[Extremes]) -> Extremes:
    """Return the extremes of all blocks, which are in the order of their paths."""
    return Extremes(
        *(
            _chosen([getattr(block, item.name) for block in blocks], item.name in _LARGEST)
            for item in fields(Extremes)
        )
    )


def _chosen(found: Sequence[Extreme | None], is_largest: bool) -> Extreme | None:
    there = [item for item in found if item is not None]
    choose = max if is_largest else min
    return choose(there, key=lambda item: item.value) if there else None


@kernel
def path_extremes(values: FloatArray, year: int, found: FloatArray) -> None:
    """Write each path's worst and best day, worst and best year, and deepest fall.

    Parameters
    ----------
    values : ndarray of shape (n_steps + 1, n_paths)
    year : days of a year
    found : ndarray of shape (5, n_paths)
        NaN where there is none.
    """
    found[:] = np.nan
    peak = values[0].copy()
    least = LEAST_SHARE * np.abs(values[0])
    for step in range(1, values.shape[0]):
        _take(values[step], values[step - 1], least, found[0], found[1])
        if step >= year:
            _take(values[step], values[step - year], least, found[2], found[3])
        for path in range(values.shape[1]):
            value = values[step, path]
            peak[path] = max(peak[path], value)
            if peak[path] > 0:
                fall = 1 - value / peak[path]
                if fall == fall and not fall <= found[4, path]:
                    found[4, path] = fall


@kernel
def _take(
    after: FloatArray,
    before: FloatArray,
    least: FloatArray,
    worst: FloatArray,
    best: FloatArray,
) -> None:
    """Take in each path's return between two days; all of shape (n_paths,)."""
    for path in range(after.size):
        if before[path] > 0 and before[path] >= least[path]:
            grown = after[path] / before[path] - 1
            # a NaN is not beyond anything, and everything is beyond a NaN
            if grown == grown and not grown >= worst[path]:
                worst[path] = grown
            if grown == grown and not grown <= best[path]:
                best[path] = grown
