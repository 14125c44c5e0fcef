"""A chunk's file: a row for each path and investor or instrument, one row group for each of these.

Columns are `path`, `investor`, `holding`, then `<measure>.<unit>`, `initial.<unit>`,
`final.<unit>`, `<source>.<unit>`, `events`, `unpaid`, `organic_share` and what else is known of
some of them; null where one has no such number. An instrument by itself has no investor; the
numbers of series that claims name come last and have neither. What is the same on all paths
stands in the file's metadata as JSON.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from simulator.engine.chunks import Chunk
from simulator.engine.tables import write_groups
from simulator.instruments.base import Source, Unit
from simulator.investors import InvestorMeasures
from simulator.units import FloatArray

FOLDER = "paths"
_KEY = b"assay"
SPELLS = ("longest_days", "is_open", "under_water")
MOMENTS = ("leaving.before", "leaving.that_day", "leaving.later")
FELL = "usdc_fell"


@dataclass(frozen=True)
class Holder:
    """An investor or an instrument by itself, as a row group has it.

    Attributes
    ----------
    group : int
        The number of its row group.
    investor : bool
        Else an instrument.
    measures : tuple of (measure, unit)
    happened : tuple of str
    gap : float
        The largest gap of the attribution in the chunk; NaN without sources.
    spells : bool
        Whether its time under water is there.
    """

    group: int
    investor: bool
    name: str
    holding: str
    sources: tuple[Source, ...]
    units: tuple[Unit, ...]
    measures: tuple[tuple[str, Unit], ...]
    happened: tuple[str, ...]
    gap: float
    spells: bool


@dataclass(frozen=True)
class Heading:
    """What a chunk's file says of all its paths.

    Attributes
    ----------
    digest : str
        SHA-256 of the investors' numbers.
    starts : dict of series to its first value
    series : tuple of str
        The columns of the last row group.
    fall : bool
        Whether USDC can fall in this scenario.
    """

    first_path: int
    n_paths: int
    digest: str
    holders: tuple[Holder, ...]
    starts: Mapping[str, float]
    series: tuple[str, ...]
    fall: bool


def chunk_name(first_path: int) -> str:
    """Return the name of a chunk's file within a run's folder."""
    return f"{FOLDER}/{first_path:09d}.parquet"


def write_chunk(folder: Path, chunk: Chunk) -> Path:
    """Write a chunk's file into a run's folder, one holder after the other."""
    heading = _heading(chunk)
    one = Chunk(chunk.blocks[:1], chunk.days)
    # a block has the same columns as all of them
    schema = _schema(_groups(one, heading))
    schema = schema.with_metadata({_KEY: json.dumps(_plain(heading)).encode()})
    target = folder / chunk_name(heading.first_path)
    return write_groups(target, schema, (_table(schema, of) for of in _groups(chunk, heading)))


def numbers_a_path(chunk: Chunk) -> int:
    """Return how many numbers a chunk's file holds for each path that others do not have too."""
    return sum(map(_varies, (v for of in _groups(chunk, _heading(chunk)) for v in of.values())))


def _varies(values: Any) -> bool:
    """Return whether a column of floats has several values: one alone takes no room in a file."""
    if getattr(values, "dtype", None) != np.float64:
        return False
    there = values[~np.isnan(values)]
    return there.size > 0 and bool((there != there[0]).any())


def read_heading(file: Path) -> Heading:
    """Return what a chunk's file says of itself.

    Raises
    ------
    OSError, ValueError, KeyError, TypeError
        It is none, or cut short.
    """
    # read_schema would leave the many columns of each file to the next search for garbage
    with parquet.ParquetFile(file) as opened:
        metadata = opened.schema_arrow.metadata or {}
    return _heading_of(json.loads(metadata[_KEY]))


def path_table(investors: Mapping[str, InvestorMeasures], first_path: int) -> pa.Table:
    """Return the rows of investors as one table; columns as in a chunk's file."""
    groups = [_columns(_holder(0, True, of), of, first_path) for of in investors.values()]
    schema = _schema(groups)
    return pa.concat_tables([_table(schema, columns) for columns in groups])


def _heading(chunk: Chunk) -> Heading:
    first = chunk.blocks[0]
    holders = [_holder(number, True, of) for number, of in enumerate(chunk.investors)]
    holders += [
        _holder(number, False, of) for number, of in enumerate(chunk.instruments, len(holders))
    ]
    return Heading(
        first_path=chunk.first_path,
        n_paths=chunk.n_paths,
        digest=chunk.digest,
        holders=tuple(holders),
        starts=first.outcomes.starts,
        series=tuple(first.outcomes.series),
        fall=first.depeg is not None,
    )


def _holder(group: int, investor: bool, of: InvestorMeasures) -> Holder:
    return Holder(
        group=group,
        investor=investor,
        name=of.name,
        holding=of.holding,
        sources=of.sources,
        units=of.units,
        measures=tuple(of.values),
        happened=tuple(of.happened),
        gap=of.attribution_gap,
        spells=bool(of.spells),
    )


def _groups(chunk: Chunk, heading: Heading) -> Iterator[dict[str, Any]]:
    """Yield the columns of each row group."""
    depeg = chunk.depeg
    for holder, of in zip(heading.holders, chain(chunk.investors, chunk.instruments), strict=True):
        columns = _columns(holder, of, chunk.first_path)
        if depeg is not None and holder.investor:
            for moment, paid in zip(MOMENTS, depeg.exits[holder.name], strict=True):
                columns[moment] = np.full(depeg.fell.size, np.nan)
                columns[moment][depeg.fell] = paid
        yield columns
    last: dict[str, Any] = {"path": _paths(chunk.first_path, chunk.n_paths)}
    if depeg is not None:
        last[FELL] = depeg.fell
    yield last | chunk.series


def _paths(first: int, count: int) -> np.ndarray[Any, Any]:
    return np.arange(first, first + count)


def _columns(holder: Holder, of: InvestorMeasures, first_path: int) -> dict[str, Any]:
    n_paths = of.events.shape[0]
    columns: dict[str, Any] = {
        "path": _paths(first_path, n_paths),
        "investor": pa.repeat(of.name, n_paths) if holder.investor else None,
        "holding": pa.repeat(of.holding if holder.investor else of.name, n_paths),
    }
    columns |= {f"{m}.{unit}": values for (m, unit), values in of.values.items()}
    for unit in of.units:
        columns[f"initial.{unit}"] = of.initial[unit]
        columns[f"final.{unit}"] = of.final[unit]
        for source, amounts in zip(of.sources, of.attribution[unit], strict=True):
            columns[f"{source.name}.{unit}"] = amounts
    rest = {"events": of.events, "unpaid": of.unpaid, "organic_share": of.organic_share}
    columns |= rest | {f"happened.{what}": paths for what, paths in of.happened.items()}
    columns["flows"] = of.flows
    for unit, spells in of.spells.items():
        parts = (spells.longest_days, spells.is_open, spells.share)
        columns |= {f"{n}.{unit}": values for n, values in zip(SPELLS, parts, strict=True)}
    return columns


_WORDS = {"investor": pa.string(), "holding": pa.string()}


def _schema(groups: Iterable[dict[str, Any]]) -> pa.Schema:
    """Return the columns of all groups in the order in which each is first met."""
    found: dict[str, Any] = {}
    for columns in groups:
        for name, values in columns.items():
            if name not in found:
                found[name] = _WORDS.get(name) or pa.array(values[:0]).type
    return pa.schema(list(found.items()))


def _table(schema: pa.Schema, columns: Mapping[str, Any]) -> pa.Table:
    n_paths = len(columns["path"])
    # most columns are null in most groups: one array for all of a type
    nulls = {kind: pa.nulls(n_paths, kind) for kind in set(schema.types)}
    arrays = [
        nulls[field.type]
        if columns.get(field.name) is None
        else pa.array(columns[field.name], field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


def _plain(heading: Heading) -> dict[str, Any]:
    """Return a heading as JSON has it; null stands for NaN."""
    holders = [
        {
            "group": h.group,
            "investor": h.investor,
            "name": h.name,
            "holding": h.holding,
            "sources": [astuple(source) for source in h.sources],
            "units": h.units,
            "measures": h.measures,
            "happened": h.happened,
            "gap": None if math.isnan(h.gap) else h.gap,
            "spells": h.spells,
        }
        for h in heading.holders
    ]
    return {
        "first_path": heading.first_path,
        "n_paths": heading.n_paths,
        "digest": heading.digest,
        "holders": holders,
        "starts": dict(heading.starts),
        "series": heading.series,
        "fall": heading.fall,
    }


def _heading_of(plain: Mapping[str, Any]) -> Heading:
    holders = tuple(
        Holder(
            **{
                **item,
                "sources": tuple(Source(*source) for source in item["sources"]),
                "units": tuple(item["units"]),
                "measures": tuple((measure, unit) for measure, unit in item["measures"]),
                "happened": tuple(item["happened"]),
                "gap": math.nan if item["gap"] is None else item["gap"],
            }
        )
        for item in plain["holders"]
    )
    return Heading(**{**plain, "holders": holders, "series": tuple(plain["series"])})


def open_chunk(file: Path) -> Any:
    """Return a chunk's file, open for `read_columns`; it checks what it reads."""
    return parquet.ParquetFile(file, page_checksum_verification=True)


def read_columns(opened: Any, group: int, names: list[str]) -> list[FloatArray]:
    """Return columns of a row group of an open file, each of shape (n_paths,)."""
    table = opened.read_row_group(group, columns=names, use_threads=False)
    return [table[name].combine_chunks().to_numpy(zero_copy_only=False) for name in names]
