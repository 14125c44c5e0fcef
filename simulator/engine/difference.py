"""Where two files begin to differ: a row and a column of a table, a line of a text."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

_SHOWN = 60


def first_difference(first: Path, second: Path) -> str:
    """Return in words where two files begin to differ, that of the first path named first."""
    try:
        if first.suffix == ".parquet":
            return _of_tables(parquet.read_table(first), parquet.read_table(second))
        return _of_texts(first.read_text(encoding="utf-8"), second.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        return f"cannot be read: {error}"


def _of_tables(first: pa.Table, second: pa.Table) -> str:
    if first.schema != second.schema:
        return "its columns are others"
    if first.num_rows != second.num_rows:
        return f"{first.num_rows:,} rows were, {second.num_rows:,} are"
    found: tuple[int, str] | None = None
    for name in first.column_names:
        row = _first_row(first[name].combine_chunks(), second[name].combine_chunks())
        if row is not None and (found is None or row < found[0]):
            found = row, name
    if found is None:
        return "its rows are the same, its bytes are not"
    row, name = found
    was, now = first[name][row].as_py(), second[name][row].as_py()
    return f"row {row}, column {name}: {was!r} was, {now!r} is"


def _first_row(first: pa.Array, second: pa.Array) -> int | None:
    """Return the first row in which two columns are not alike; null and NaN are like themselves."""
    if first.equals(second):
        return None
    same = pc.equal(first, second).fill_null(False)
    both_null = pc.and_(pc.is_null(first), pc.is_null(second))
    same = pc.or_(same, both_null)
    if pa.types.is_floating(first.type):
        both = pc.and_(pc.is_nan(first), pc.is_nan(second)).fill_null(False)
        same = pc.or_(same, both)
    row = pc.index(same, False).as_py()
    return None if row < 0 else int(row)


def _of_texts(first: str, second: str) -> str:
    lines = first.splitlines(), second.splitlines()
    for number, (was, now) in enumerate(zip(*lines, strict=False), start=1):
        if was != now:
            place = next(
                k
                for k, pair in enumerate(zip(was + "\0", now + "\0", strict=False))
                if pair[0] != pair[1]
            )
            start = max(0, place - _SHOWN // 2)
            parts = (text[start : start + _SHOWN] for text in (was, now))
            return f"line {number}: `{'` was, `'.join(parts)}` is"
    return f"{len(lines[0]):,} lines were, {len(lines[1]):,} are"
