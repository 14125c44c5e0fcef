"""A chunk's files: one for each investor, each instrument, and the series that claims name.

Each has a row a path and no columns but its own: `path`, `investor`, `holding`, then
`<measure>.<unit>`, `initial.<unit>`, `final.<unit>`, `<source>.<unit>`, `events`, `unpaid`,
`organic_share` and what else is known of some of them. An instrument by itself has no investor.
What is the same on all paths stands in the metadata of the last file, that of the series, as JSON.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from simulator.engine.chunks import Chunk
from simulator.engine.tables import write_table
from simulator.instruments.base import Source, Unit
from simulator.investors import InvestorMeasures
from simulator.units import FloatArray

FOLDER = "paths"
SERIES = "series"
"""The folder of what has neither an investor nor an instrument."""
LAYOUT = 2
"""How paths are kept; 1 had one file for all of a chunk."""
_KEY = b"assay"
SPELLS = ("longest_days", "is_open", "under_water")
MOMENTS = ("leaving.before", "leaving.that_day", "leaving.later")
FELL = "usdc_fell"


@dataclass(frozen=True)
class Holder:
    """An investor or an instrument by itself, as its file has it.

    Attributes
    ----------
    investor : bool
        Else an instrument.
    measures : tuple of (measure, unit)
    happened : tuple of str
    gap : float
        The largest gap of the attribution in the chunk; NaN without sources.
    spells : bool
        Whether its time under water is there.
    """

    investor: bool
    name: str
    holding: str
    sources: tuple[Source, ...]
    units: tuple[Unit, ...]
    measures: tuple[tuple[str, Unit], ...]
    happened: tuple[str, ...]
    gap: float
    spells: bool

    @property
    def place(self) -> str:
        """Return its folder among the paths'."""
        return f"{'investors' if self.investor else 'instruments'}/{self.name}"


@dataclass(frozen=True)
class Heading:
    """What is the same on all of a chunk's paths.

    Attributes
    ----------
    digest : str
        SHA-256 of the investors' numbers.
    starts : dict of series to its first value
    series : tuple of str
        The columns of the series' file.
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


def chunk_name(place: str, first_path: int) -> str:
    """Return the name within a run's folder of a holder's file, or of the series'."""
    return f"{FOLDER}/{place}/{first_path:09d}.parquet"


def first_path_of(name: str) -> int:
    """Return the first path of the chunk that a file is of."""
    return int(Path(name).stem)


def write_chunk(folder: Path, chunk: Chunk) -> list[str]:
    """Write a chunk's files into a run's folder, one holder after the other, and name them."""
    heading = _heading(chunk)
    names = []
    for place, columns in _groups(chunk, heading):
        table = pa.table(columns)
        if place == SERIES:
            table = table.replace_schema_metadata({_KEY: json.dumps(_plain(heading)).encode()})
        names.append(chunk_name(place, heading.first_path))
        write_table(folder / names[-1], table)
    return names


def numbers_a_path(chunk: Chunk) -> int:
    """Return how many numbers a chunk's files hold for each path that others do not have too."""
    return sum(map(_varies, (v for _, of in _groups(chunk, _heading(chunk)) for v in of.values())))


def _varies(values: Any) -> bool:
    """Return whether a column of floats has several values: one alone takes no room in a file."""
    if getattr(values, "dtype", None) != np.float64:
        return False
    there = values[~np.isnan(values)]
    return there.size > 0 and bool((there != there[0]).any())


def read_heading(file: Path) -> Heading:
    """Return what the series' file says of its chunk.

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
    """Return the rows of investors as one table; null is what somebody has no number of."""
    parts = [pa.table(_columns(_holder(True, of), of, first_path)) for of in investors.values()]
    return pa.concat_tables(parts, promote_options="default")


def _heading(chunk: Chunk) -> Heading:
    first = chunk.blocks[0]
    holders = [_holder(True, of) for of in chunk.investors]
    holders += [_holder(False, of) for of in chunk.instruments]
    return Heading(
        first_path=chunk.first_path,
        n_paths=chunk.n_paths,
        digest=chunk.digest,
        holders=tuple(holders),
        starts=first.outcomes.starts,
        series=tuple(first.outcomes.series),
        fall=first.depeg is not None,
    )


def _holder(investor: bool, of: InvestorMeasures) -> Holder:
    return Holder(
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


def _groups(chunk: Chunk, heading: Heading) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the place and the columns of each file."""
    depeg = chunk.depeg
    for holder, of in zip(heading.holders, chain(chunk.investors, chunk.instruments), strict=True):
        columns = _columns(holder, of, chunk.first_path)
        if depeg is not None and holder.investor:
            for moment, paid in zip(MOMENTS, depeg.exits[holder.name], strict=True):
                columns[moment] = np.full(depeg.fell.size, np.nan)
                columns[moment][depeg.fell] = paid
        yield holder.place, columns
    last: dict[str, Any] = {"path": _paths(chunk.first_path, chunk.n_paths)}
    if depeg is not None:
        last[FELL] = depeg.fell
    yield SERIES, last | chunk.series


def _paths(first: int, count: int) -> np.ndarray[Any, Any]:
    return np.arange(first, first + count)


def _columns(holder: Holder, of: InvestorMeasures, first_path: int) -> dict[str, Any]:
    n_paths = of.events.shape[0]
    columns: dict[str, Any] = {
        "path": _paths(first_path, n_paths),
        **({"investor": pa.repeat(of.name, n_paths)} if holder.investor else {}),
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


def _plain(heading: Heading) -> dict[str, Any]:
    """Return a heading as JSON has it; null stands for NaN."""
    holders = [
        {
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


def read_columns(file: Path, names: list[str]) -> list[FloatArray]:
    """Return columns of a chunk's file, each of shape (n_paths,); what is read is checked."""
    with parquet.ParquetFile(file, page_checksum_verification=True) as opened:
        table = opened.read(columns=names, use_threads=False)
    return [table[name].combine_chunks().to_numpy(zero_copy_only=False) for name in names]
