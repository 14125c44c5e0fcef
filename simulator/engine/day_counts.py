"""How often a daily series lies in each bin: quantiles of all paths in memory that stays flat.

A bin is a part of an octave: the exponent of a double and the first `MANTISSA_BITS` bits behind
it, so it is found by shifting an integer, with no logarithm that machines could round
differently. Counts are integers and add up in any order: threads, chunks and computers give the
same bytes. A quantile lies within `RELATIVE_ERROR` of the exact one; where all paths have one
value it is that value, because the lowest and highest of a day are kept exactly.

References
----------
Masson, Rim, Lee (2019), DDSketch, doi:10.14778/3352063.3352135, for bins of equal relative width.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from simulator.engine.memory import mapped_zeros
from simulator.engine.quantiles import row_quantiles
from simulator.jit import kernel
from simulator.units import FloatArray

MANTISSA_BITS = 8
RELATIVE_ERROR = 2.0**-MANTISSA_BITS
"""Width of a bin over its lower end, at most: 0.4 %."""
SMALLEST = 2.0**-24
"""What is closer to zero, 6e-8, counts as zero."""
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
COLUMNS = ("p05", "p25", "p50", "p75", "p95")

IntArray = npt.NDArray[np.int64]
CountArray = npt.NDArray[np.int32] | npt.NDArray[np.uint16]
Room = Mapping[str, tuple[IntArray, IntArray]]
"""By series: the first and the last bin, shape (2, n_rows) each; -1 where there is none."""

_SHIFT = 52 - MANTISSA_BITS
_BIAS = 1_023
_MAGNITUDE = np.int64(2**63 - 1)
_SMALLEST_BITS = np.int64((_BIAS - 24) << 52)
_INFINITY_BITS = np.int64(2_047 << 52)
_FIRST_BIN = np.int64((_BIAS - 24) << MANTISSA_BITS)
_ROOM = 16
"""Bins of room on each side of a row that has to grow, besides a quarter of its width."""
_POSITIVE, _NEGATIVE = 0, 1
_MOST_OF_FEW = 2**16 - 1


@dataclass
class _Rows:
    """Counts of one series; rows are days, a side is one sign.

    Attributes
    ----------
    lows, widths, starts : ndarray of shape (2, n_rows), int64
        Of each side and row: the lowest bin there is room for, how many, where they begin.
    counts : ndarray of shape (n_counts,), int32, or uint16 where so few paths are counted
    zeros, unknown : ndarray of shape (n_rows,), int64
        Values closer to zero than `SMALLEST`; NaN and infinities.
    lowest, highest : ndarray of shape (n_rows,), int64
        Of the values' ordered bits.
    """

    lows: IntArray
    widths: IntArray
    starts: IntArray
    counts: CountArray
    zeros: IntArray
    unknown: IntArray
    lowest: IntArray
    highest: IntArray
    lock: Any = field(default_factory=threading.Lock, repr=False, compare=False)

    @classmethod
    def empty(cls, n_rows: int, kind: Any) -> _Rows:
        lows, widths, starts = np.zeros((3, 2, n_rows), np.int64)
        zeros, unknown = np.zeros((2, n_rows), np.int64)
        lowest, highest = np.full(n_rows, _MAGNITUDE), np.full(n_rows, -_MAGNITUDE - 1)
        counts = np.zeros(0, kind)
        return cls(lows, widths, starts, counts, zeros, unknown, lowest, highest)


class DayCounts:
    """Histograms of daily series by name; adding is safe from several threads."""

    def __init__(self, paths: int | None = None, room: Room | None = None) -> None:
        """Begin without any count.

        Parameters
        ----------
        paths : int, optional
            No more are going to be counted: of few, counts take half the memory.
        room : dict of series to its bins, optional
            What is needed from the start, as of `extents`: rows that grow later are copied.
        """
        self._kind = np.int32 if paths is None or paths > _MOST_OF_FEW else np.uint16
        self._rows: dict[str, _Rows] = {}
        self._lock = threading.Lock()
        self._room = room or {}

    @property
    def names(self) -> tuple[str, ...]:
        """Return the series in the order in which each was first added."""
        return tuple(self._rows)

    def add(self, name: str, values: FloatArray, count: int | None = None) -> None:
        """Count the values of a block.

        Parameters
        ----------
        values : ndarray of shape (n_steps + 1, n_paths)
        count : int, optional
            How many of the paths, the first ones, are counted; the others pad the lanes.
        """
        bits = np.ascontiguousarray(values[:, :count], dtype=np.float64).view(np.int64)
        rows = self._of(name, bits.shape[0])
        missed = np.empty(bits.size, np.int64)
        with rows.lock:
            number = _count(
                bits,
                rows.lows,
                rows.widths,
                rows.starts,
                rows.counts,
                rows.zeros,
                rows.unknown,
                rows.lowest,
                rows.highest,
                missed,
            )
            if number:
                _take_missed(rows, missed[:number])

    def merge(self, other: DayCounts) -> None:
        """Add all that another has counted."""
        for name in other.names:
            theirs = other._rows[name]
            rows = self._of(name, theirs.zeros.size)
            with rows.lock:
                _make_room(rows, *_used(theirs))
                _add_used(
                    theirs.lows,
                    theirs.widths,
                    theirs.starts,
                    theirs.counts,
                    rows.lows,
                    rows.starts,
                    rows.counts,
                )
                rows.zeros += theirs.zeros
                rows.unknown += theirs.unknown
                np.minimum(rows.lowest, theirs.lowest, out=rows.lowest)
                np.maximum(rows.highest, theirs.highest, out=rows.highest)

    def clear(self) -> None:
        """Forget all counts: those of a million flagship paths take 280 MB."""
        self._rows.clear()

    def quantiles(self, dates: pd.DatetimeIndex, names: Sequence[str] | None = None) -> Any:
        """Return a DataFrame with columns date, series, p05, p25, p50, p75, p95.

        A day on which some path has no finite value has NaN.
        """
        parts = [
            pd.DataFrame(
                {
                    "date": dates,
                    "series": name,
                    **dict(zip(COLUMNS, self._quantiles(name, QUANTILES), strict=True)),
                }
            )
            for name in (self.names if names is None else names)
        ]
        if not parts:
            return pd.DataFrame(columns=["date", "series", *COLUMNS])
        return pd.concat(parts, ignore_index=True)

    def views(self) -> dict[str, Mapping[str, npt.NDArray[Any]]]:
        """Return all counts by series as they are, of the shapes of `_Rows`: not to be changed."""
        return {n: {i: getattr(rows, i) for i in _ARRAYS} for n, rows in self._rows.items()}

    def extents(self) -> Room:
        """Return the first and the last bin with a count of each series, side and row."""
        return {name: _used(rows) for name, rows in self._rows.items()}

    def arrays(self) -> dict[str, Mapping[str, npt.NDArray[Any]]]:
        """Return all counts by series, of the shapes of `_Rows`, without room that nobody uses.

        Counts are of shape (n_counts,), sides and rows of shape (2, n_rows).
        """
        found: dict[str, Mapping[str, npt.NDArray[Any]]] = {}
        for name, rows in self._rows.items():
            small = _Rows.empty(rows.zeros.size, rows.counts.dtype)
            _fit(small, rows)
            found[name] = {item: getattr(small, item) for item in _ARRAYS}
        return found

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, Mapping[str, npt.NDArray[Any]]]) -> DayCounts:
        """Return what `arrays` was made of; counts are of shape (n_counts,)."""
        found = cls()
        for name, parts in arrays.items():
            found._rows[name] = _Rows(**{item: parts[item] for item in _ARRAYS})
        return found

    def __getstate__(self) -> dict[str, Any]:
        return {"arrays": self.arrays()}  # a lock is of one process

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__()  # type: ignore[misc]
        self._rows = self.of_arrays(state["arrays"])._rows

    def _of(self, name: str, n_rows: int) -> _Rows:
        with self._lock:
            if name not in self._rows:
                self._rows[name] = rows = _Rows.empty(n_rows, self._kind)
                if name in self._room:
                    _make_room(rows, *self._room[name])
            return self._rows[name]

    def _quantiles(self, name: str, probabilities: Sequence[float]) -> FloatArray:
        """Return quantiles of each day, shape (n_probabilities, n_rows)."""
        rows = self._rows[name]
        total = _totals(rows)
        last = (total - 1).astype(np.float64)
        found = np.empty((len(probabilities), total.size))
        for number, probability in enumerate(probabilities):
            place = probability * last
            below = np.floor(place).astype(np.int64)
            low = _value(rows, below)
            high = _value(rows, np.minimum(below + 1, total - 1))
            found[number] = low + (high - low) * (place - below)
        found[:, rows.unknown > 0] = np.nan
        return found


def exact_days(
    dates: pd.DatetimeIndex, series: Mapping[str, Sequence[npt.NDArray[np.float32]]]
) -> pd.DataFrame:
    """Return the same columns for series of which all paths are there, exactly.

    Parameters
    ----------
    series : dict of str to sequence of ndarray of shape (n_steps + 1, n_kept)
        By name, block by block.
    """
    parts = []
    for name, blocks in series.items():
        found = row_quantiles(np.concatenate(blocks, axis=1), QUANTILES)
        rows = dict(zip(COLUMNS, found, strict=True))
        parts.append(pd.DataFrame({"date": dates, "series": name, **rows}))
    if not parts:
        return pd.DataFrame(columns=["date", "series", *COLUMNS])
    return pd.concat(parts, ignore_index=True)


_ARRAYS = ("lows", "widths", "starts", "counts", "zeros", "unknown", "lowest", "highest")


def _totals(rows: _Rows) -> IntArray:
    """Return how many finite values each row has, shape (n_rows,)."""
    found = rows.zeros.copy()
    for side in (_POSITIVE, _NEGATIVE):
        for row, (start, width) in enumerate(
            zip(rows.starts[side], rows.widths[side], strict=True)
        ):
            found[row] += rows.counts[start : start + width].sum()
    return found


def _value(rows: _Rows, ranks: IntArray) -> FloatArray:
    """Return about the value of a rank on each row, shape (n_rows,): even within its bin."""
    sides, bins, shares = (np.zeros(ranks.size, np.int64) for _ in range(3))
    share = shares.astype(np.float64)
    _find(rows.lows, rows.widths, rows.starts, rows.counts, rows.zeros, ranks, sides, bins, share)
    low = ((bins + _FIRST_BIN) << _SHIFT).view(np.float64)
    high = ((bins + _FIRST_BIN + 1) << _SHIFT).view(np.float64)
    size = low + (high - low) * share
    found = np.where(sides == _POSITIVE, size, np.where(sides == _NEGATIVE, -size, 0.0))
    return np.clip(found, _from_ordered(rows.lowest), _from_ordered(rows.highest))


def _from_ordered(ordered: IntArray) -> FloatArray:
    """Return the doubles whose bits were put in order."""
    bits = np.where(ordered >= 0, ordered, ordered ^ _MAGNITUDE)
    return bits.view(np.float64)


def _used(rows: _Rows) -> tuple[IntArray, IntArray]:
    """Return the first and the last bin with a count, shape (2, n_rows) each; -1 where none is."""
    low, high = np.zeros_like(rows.lows), np.full_like(rows.lows, -1)
    _used_extent(rows.lows, rows.widths, rows.starts, rows.counts, low, high)
    return low, high


def _take_missed(rows: _Rows, missed: IntArray) -> None:
    """Make room for values that had none, and count them; `missed` is of shape (n_missed,)."""
    low = np.full(rows.lows.shape, _MAGNITUDE)
    high = np.full(rows.lows.shape, -1)
    _missed_extent(missed, low, high)
    there = high >= low
    more = (high - low) // 4 + _ROOM
    low = np.where(there, np.maximum(low - more, 0), 0)
    high = np.where(there, high + more, -1)
    _make_room(rows, low, high)
    _count_missed(missed, rows.lows, rows.starts, rows.counts)


def _make_room(rows: _Rows, low: IntArray, high: IntArray) -> None:
    """Let each side and row hold the bins from `low` to `high` too, shape (2, n_rows)."""
    wanted, has = high >= low, rows.widths > 0
    new_low = np.where(has, np.where(wanted, np.minimum(rows.lows, low), rows.lows), low)
    new_high = np.where(
        has,
        np.where(
            wanted, np.maximum(rows.lows + rows.widths - 1, high), rows.lows + rows.widths - 1
        ),
        high,
    )
    widths = np.where(has | wanted, new_high - new_low + 1, 0)
    if np.array_equal(widths, rows.widths):
        return
    starts = (np.cumsum(widths) - widths.ravel()).reshape(widths.shape)
    kind: Any = rows.counts.dtype
    counts: CountArray = mapped_zeros(int(widths.sum()), kind)
    _add_rows(rows.lows, rows.widths, rows.starts, rows.counts, new_low, starts, counts)
    rows.lows, rows.widths, rows.starts, rows.counts = new_low, widths, starts, counts


def _fit(small: _Rows, rows: _Rows) -> None:
    """Copy counts into the narrowest rows that hold them."""
    _make_room(small, *_used(rows))
    _add_used(
        rows.lows, rows.widths, rows.starts, rows.counts, small.lows, small.starts, small.counts
    )
    for item in ("zeros", "unknown", "lowest", "highest"):
        setattr(small, item, getattr(rows, item).copy())


@kernel
def _count(
    bits: IntArray,
    lows: IntArray,
    widths: IntArray,
    starts: IntArray,
    counts: CountArray,
    zeros: IntArray,
    unknown: IntArray,
    lowest: IntArray,
    highest: IntArray,
    missed: IntArray,
) -> int:
    """Count doubles where there is room; return how many had none, each noted in `missed`.

    bits : ndarray of shape (n_rows, n_paths), int64: the doubles
    missed : ndarray of shape (n_rows * n_paths,), int64
        The row above, the side, the bin: see `_missed_extent`. The others are as in `_Rows`.
    """
    number = 0
    for row in range(bits.shape[0]):
        low, high = lowest[row], highest[row]
        usual_low, usual_width = lows[_POSITIVE, row], np.uint64(widths[_POSITIVE, row])
        usual = counts[starts[_POSITIVE, row] : starts[_POSITIVE, row] + widths[_POSITIVE, row]]
        for k in range(bits.shape[1]):
            b = bits[row, k]
            at = (b >> _SHIFT) - _FIRST_BIN - usual_low
            # one comparison for both ends: what is below is a huge number without its sign
            if b > 0 and np.uint64(at) < usual_width:
                usual[at] += 1
                low, high = min(low, b), max(high, b)
                continue
            magnitude = b & _MAGNITUDE
            if magnitude >= _INFINITY_BITS:
                unknown[row] += 1
                continue
            if magnitude == 0:
                b = np.int64(0)
            ordered = b if b >= 0 else b ^ _MAGNITUDE
            low, high = min(low, ordered), max(high, ordered)
            if magnitude < _SMALLEST_BITS:
                zeros[row] += 1
                continue
            side, place = _POSITIVE if b >= 0 else _NEGATIVE, (magnitude >> _SHIFT) - _FIRST_BIN
            at = place - lows[side, row]
            if 0 <= at < widths[side, row]:
                counts[starts[side, row] + at] += 1
            else:
                missed[number] = ((row << 1) | side) << 32 | place
                number += 1
        lowest[row], highest[row] = low, high
    return number


@kernel
def _missed_extent(missed: IntArray, low: IntArray, high: IntArray) -> None:
    """Write the lowest and highest missed bin of each side and row.

    missed : ndarray of shape (n_missed,), int64: row << 33 | side << 32 | bin
    low, high : ndarray of shape (2, n_rows), int64
    """
    for k in range(missed.shape[0]):
        place, head = missed[k] & 0xFFFFFFFF, missed[k] >> 32
        side, row = head & 1, head >> 1
        low[side, row] = min(low[side, row], place)
        high[side, row] = max(high[side, row], place)


@kernel
def _count_missed(missed: IntArray, lows: IntArray, starts: IntArray, counts: CountArray) -> None:
    """Count what was missed, of shape (n_missed,), now that there is room; others as in `_Rows`."""
    for k in range(missed.shape[0]):
        place, head = missed[k] & 0xFFFFFFFF, missed[k] >> 32
        side, row = head & 1, head >> 1
        counts[starts[side, row] + place - lows[side, row]] += 1


@kernel
def _add_rows(
    lows: IntArray,
    widths: IntArray,
    starts: IntArray,
    counts: CountArray,
    into_lows: IntArray,
    into_starts: IntArray,
    into_counts: CountArray,
) -> None:
    """Add counts, of shape (n_counts,), to others with room for them; all as in `_Rows`."""
    for side in range(lows.shape[0]):
        for row in range(lows.shape[1]):
            shift = into_starts[side, row] + lows[side, row] - into_lows[side, row]
            for k in range(widths[side, row]):
                into_counts[shift + k] += counts[starts[side, row] + k]


@kernel
def _add_used(
    lows: IntArray,
    widths: IntArray,
    starts: IntArray,
    counts: CountArray,
    into_lows: IntArray,
    into_starts: IntArray,
    into_counts: CountArray,
) -> None:
    """Add the counts that are not zero, of shape (n_counts,), to others; all as in `_Rows`."""
    for side in range(lows.shape[0]):
        for row in range(lows.shape[1]):
            shift = into_starts[side, row] + lows[side, row] - into_lows[side, row]
            for k in range(widths[side, row]):
                count = counts[starts[side, row] + k]
                if count > 0:
                    into_counts[shift + k] += count


@kernel
def _used_extent(
    lows: IntArray,
    widths: IntArray,
    starts: IntArray,
    counts: CountArray,
    low: IntArray,
    high: IntArray,
) -> None:
    """Write the first and the last bin with a count, shape (2, n_rows); others as in `_Rows`."""
    for side in range(lows.shape[0]):
        for row in range(lows.shape[1]):
            first, last = -1, -1
            for k in range(widths[side, row]):
                if counts[starts[side, row] + k] > 0:
                    first = k if first < 0 else first
                    last = k
            if last >= 0:
                low[side, row] = lows[side, row] + first
                high[side, row] = lows[side, row] + last


@kernel
def _find(
    lows: IntArray,
    widths: IntArray,
    starts: IntArray,
    counts: CountArray,
    zeros: IntArray,
    ranks: IntArray,
    sides: IntArray,
    bins: IntArray,
    shares: FloatArray,
) -> None:
    """Write in which bin the wanted rank of each row lies, and at which share of its width.

    ranks, sides, bins, shares : ndarray of shape (n_rows,)
        Side 2 stands for zero. The other arrays are as in `_Rows`.
    """
    for row in range(ranks.shape[0]):
        left = ranks[row]
        found = False
        for k in range(widths[_NEGATIVE, row] - 1, -1, -1):  # the largest magnitude is lowest
            here = counts[starts[_NEGATIVE, row] + k]
            if left < here:
                sides[row], bins[row] = _NEGATIVE, lows[_NEGATIVE, row] + k
                shares[row] = 1.0 - (left + 0.5) / here
                found = True
                break
            left -= here
        if found:
            continue
        if left < zeros[row]:
            sides[row] = 2
            continue
        left -= zeros[row]
        for k in range(widths[_POSITIVE, row]):
            here = counts[starts[_POSITIVE, row] + k]
            if left < here:
                sides[row], bins[row] = _POSITIVE, lows[_POSITIVE, row] + k
                shares[row] = (left + 0.5) / here
                break
            left -= here
