"""What an unfinished run knows of its finished chunks, beside the chunks' own files.

For each a file in `progress/`: the SHA-256 of the chunk's files, and what is summed over chunks,
that is the counts of its days and its portfolios' mean shares. A chunk without it, or of which a
file is not what it says, is computed again. A finished run needs none of them.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from simulator.engine.chunk_files import write_chunk
from simulator.engine.chunks import Chunk
from simulator.engine.day_counts import DayCounts
from simulator.engine.tables import write_groups
from simulator.units import FloatArray
from simulator.writer import file_hash

FOLDER = "progress"
TURNOVER = "turnover"
"""Beside the holdings: what a portfolio bought and sold over its value."""
_KEY = b"assay"
_LONG = ("lows", "widths", "starts", "zeros", "unknown", "lowest", "highest", "size")
_SHORT = ("gaps", "counts")
_SCHEMA = pa.schema(
    [
        ("series", pa.string()),
        *((name, pa.list_(pa.int64())) for name in _LONG),
        *((name, pa.list_(pa.int32())) for name in _SHORT),
    ]
)
"""A row group for each series."""

Shares = Mapping[str, Mapping[str, FloatArray]]
"""By investor, then by holding (and `TURNOVER`): means over paths, shape (n_steps + 1,)."""


@dataclass(frozen=True)
class ChunkNote:
    """A chunk that is written.

    Attributes
    ----------
    files : dict of name within the run's folder to SHA-256
    days : DayCounts
        The counts of its days.
    """

    first_path: int
    n_paths: int
    files: Mapping[str, str]
    digest: str
    days: DayCounts


def note_name(first_path: int) -> str:
    """Return the name of a chunk's note within a run's folder."""
    return f"{FOLDER}/{first_path:09d}.parquet"


def keep_chunk(folder: Path, chunk: Chunk) -> ChunkNote:
    """Write a chunk's files, then its note: who finds the note finds the chunk."""
    names = write_chunk(folder, chunk)
    note = ChunkNote(
        first_path=chunk.first_path,
        n_paths=chunk.n_paths,
        files={name: file_hash(folder / name) for name in names},
        digest=chunk.digest,
        days=chunk.days,
    )
    _write(
        folder,
        note,
        {
            of.name: {**of.allocation, TURNOVER: of.turnover}
            for of in chunk.investors
            if of.allocation
        },
    )
    return note


def _write(folder: Path, note: ChunkNote, shares: Shares) -> None:
    facts = {
        "n_paths": note.n_paths,
        "files": note.files,
        "digest": note.digest,
        "shares": {
            name: {holding: base64.b64encode(of.tobytes()).decode() for holding, of in own.items()}
            for name, own in shares.items()
        },
    }
    schema = _SCHEMA.with_metadata({_KEY: json.dumps(facts).encode()})
    # one series after the other: all together are several times what they were counted in
    rows = (_row(schema, name, parts) for name, parts in note.days.views().items())
    write_groups(folder / note_name(note.first_path), schema, rows)


def _row(schema: pa.Schema, name: str, parts: Mapping[str, Any]) -> pa.Table:
    """Return the counts of one series as a table of one row."""
    flat = _sparse(parts)
    columns = [pa.array([name])]
    columns += [_one_list(flat[field.name], field.type) for field in list(schema)[1:]]
    return pa.Table.from_arrays(columns, schema=schema)


def _one_list(values: Any, kind: pa.ListType) -> pa.Array:
    ends = pa.array([0, values.size], pa.int32())
    return pa.ListArray.from_arrays(ends, pa.array(values, kind.value_type))


def read_note(folder: Path, first_path: int) -> ChunkNote | None:
    """Return a chunk's note; None where there is none.

    Raises
    ------
    ValueError, OSError, KeyError
        It is cut short.
    """
    file = folder / note_name(first_path)
    if not file.is_file():
        return None
    opened = parquet.ParquetFile(file, page_checksum_verification=True)
    facts = json.loads((opened.schema_arrow.metadata or {})[_KEY])
    return ChunkNote(
        first_path=first_path,
        n_paths=facts["n_paths"],
        files=facts["files"],
        digest=facts["digest"],
        days=DayCounts.of_arrays(dict(_counts(opened))),
    )


def _sparse(parts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arrays of one series flat, its counts as those that are not zero and the gaps."""
    counts = parts["counts"]
    there = np.flatnonzero(counts)
    flat = {item: values.ravel() for item, values in parts.items() if item != "counts"}
    return {
        **flat,
        "size": np.array([counts.size]),
        "gaps": np.diff(there, prepend=0).astype(np.int32),
        "counts": counts[there],
    }


def _counts(opened: parquet.ParquetFile) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield a series' name and its counts, of the shapes of `DayCounts.arrays`."""
    for group in range(opened.num_row_groups):
        row = opened.read_row_group(group, use_threads=False)
        parts = {i: row[i][0].values.to_numpy().copy() for i in row.column_names[1:]}
        counts = np.zeros(parts.pop("size")[0], np.int32)
        counts[np.cumsum(parts.pop("gaps"))] = parts["counts"]
        for item in ("lows", "widths", "starts"):
            parts[item] = parts[item].reshape(2, -1)
        yield row["series"][0].as_py(), {**parts, "counts": counts}


def joined_shares(folder: Path, notes: Sequence[ChunkNote]) -> dict[str, dict[str, FloatArray]]:
    """Return the shares over all paths, shape (n_steps + 1,); a chunk counts as its paths.

    Those of one chunk at a time are read: of a million paths all of them are many megabytes.
    """
    total: dict[str, dict[str, FloatArray]] = {}
    for note in notes:
        for name, own in _shares(folder, note.first_path).items():
            for holding, share in own.items():
                weighed, sums = share * note.n_paths, total.setdefault(name, {})
                sums[holding] = sums[holding] + weighed if holding in sums else weighed
    paths = sum(note.n_paths for note in notes)
    return {name: {h: of / paths for h, of in own.items()} for name, own in total.items()}


def _shares(folder: Path, first_path: int) -> Shares:
    metadata = parquet.read_schema(folder / note_name(first_path)).metadata
    return {
        name: {holding: np.frombuffer(base64.b64decode(text)) for holding, text in own.items()}
        for name, own in json.loads(metadata[_KEY])["shares"].items()
    }
