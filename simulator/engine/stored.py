"""Measures that stay in a run's files: a column is read when it is asked for.

So a report of a million paths needs no more memory than one of a hundred thousand. What was
read last is kept, up to `KEPT_BYTES`.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

import numpy as np
import pandas as pd

from simulator import measures
from simulator.claims.outcomes import Outcomes
from simulator.engine.blocks import in_order
from simulator.engine.chunk_files import (
    FELL,
    MOMENTS,
    SERIES,
    SPELLS,
    Heading,
    Holder,
    chunk_name,
    read_columns,
    read_heading,
)
from simulator.engine.chunks import chunk_spans
from simulator.engine.depeg import Depeg
from simulator.engine.progress_files import TURNOVER, Shares
from simulator.engine.simulate import Simulation
from simulator.instruments.base import Unit
from simulator.investors import InvestorMeasures
from simulator.market.dynamics import MarketSpec
from simulator.scenario.calibration import Calibration
from simulator.scenario.models import Scenario
from simulator.units import BoolArray, FloatArray

KEPT_BYTES = 256 * 2**20
"""Columns that were read last are kept up to this."""
_AT_ONCE = 4
"""So many columns of a holder are read together: to open a file costs as much as two of them."""

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class OnDemand(Mapping[Key, Value], Generic[Key, Value]):
    """A mapping whose values are fetched each time they are asked for."""

    def __init__(self, keys: Iterable[Key], fetch: Callable[[Key], Value]) -> None:
        self._keys, self._fetch = dict.fromkeys(keys), fetch

    def __getitem__(self, key: Key) -> Value:
        if key not in self._keys:
            raise KeyError(key)
        return self._fetch(key)

    def __contains__(self, key: object) -> bool:
        return key in self._keys  # without fetching it

    def __iter__(self) -> Iterator[Key]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)


class Rows(Sequence[FloatArray]):
    """Rows of an array of shape (n_rows, n_paths), each fetched when it is asked for.

    Whatever else an array can do is done by one that is made for it.
    """

    def __init__(self, names: Sequence[str], n_paths: int, column: Callable[[str], Any]) -> None:
        self._names, self._n_paths, self._column = names, n_paths, column

    @property
    def shape(self) -> tuple[int, int]:
        """Return (n_rows, n_paths)."""
        return len(self._names), self._n_paths

    def __len__(self) -> int:
        return len(self._names)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, int):
            return self._column(self._names[index])
        return np.asarray(self)[index]

    def __array__(self, dtype: Any = None, copy: Any = None) -> FloatArray:
        found = np.empty(self.shape)
        for row, name in enumerate(self._names):
            found[row] = self._column(name)
        return found if dtype is None else found.astype(dtype)

    def __truediv__(self, other: Any) -> FloatArray:
        return cast(FloatArray, np.asarray(self) / other)


class PathFiles:
    """The chunks of a run, one after the other, as columns over all paths.

    Attributes
    ----------
    heading : Heading
        The first chunk's: what is no number of the chunk is that of all.
    gaps : dict of place to float
        The largest gap of each attribution over all chunks.
    """

    def __init__(self, folder: Path, first_paths: Sequence[int]) -> None:
        self._folder, self._first_paths = folder, first_paths
        headings = (read_heading(folder / chunk_name(SERIES, first)) for first in first_paths)
        self.heading = next(headings)
        self.n_paths = self.heading.n_paths
        self.gaps = {holder.place: holder.gap for holder in self.heading.holders}
        for heading in headings:
            self._take(heading)
        self._kept: OrderedDict[tuple[str, str], Any] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def _take(self, heading: Heading) -> None:
        """Add what is a chunk's own: of a million paths all headings are many megabytes."""
        self.n_paths += heading.n_paths
        for holder in heading.holders:
            self.gaps[holder.place] = max(self.gaps[holder.place], holder.gap)

    def column(self, place: str, name: str, beside: Sequence[str] = ()) -> Any:
        """Return a column of a holder over all paths, shape (n_paths,); not to be changed.

        `beside` are columns that are likely to be asked for next.
        """
        with self._lock:
            if (place, name) not in self._kept:
                self._read(place, self._together(place, name, list(beside)))
            self._kept.move_to_end((place, name))
            return self._kept[place, name]

    def _together(self, place: str, name: str, beside: list[str]) -> list[str]:
        """Return a column and those behind it that are read in one pass over the files."""
        at = beside.index(name) if name in beside else 0
        next_ones = [n for n in beside[at:] + beside[:at] if (place, n) not in self._kept]
        return list(dict.fromkeys((name, *next_ones)))[:_AT_ONCE]

    def _read(self, place: str, names: list[str]) -> None:
        files = [self._folder / chunk_name(place, first) for first in self._first_paths]
        parts = list(in_order(partial(read_columns, names=names), files))
        for name, pieces in zip(names, zip(*parts, strict=True), strict=True):
            whole = np.concatenate(pieces)
            whole.setflags(write=False)
            self._kept[place, name] = whole
            self._bytes += whole.nbytes
        while self._bytes > KEPT_BYTES and len(self._kept) > len(names):
            self._bytes -= self._kept.popitem(last=False)[1].nbytes


class StoredMeasures(InvestorMeasures):
    """The numbers of an investor or an instrument, read from a run's files."""

    def __init__(
        self,
        files: PathFiles,
        holder: Holder,
        allocation: Mapping[str, FloatArray],
        turnover: FloatArray,
    ) -> None:
        units = holder.units
        own = {
            "name": holder.name,
            "holding": holder.holding,
            "sources": holder.sources,
            "attribution_gap": files.gaps[holder.place],
            "values": OnDemand(holder.measures, lambda key: self._column(f"{key[0]}.{key[1]}")),
            "initial": OnDemand(units, lambda unit: self._column(f"initial.{unit}")),
            "final": OnDemand(units, lambda unit: self._column(f"final.{unit}")),
            "attribution": OnDemand(units, self._attribution),
            "happened": OnDemand(holder.happened, lambda what: self._column(f"happened.{what}")),
            "spells": OnDemand(units if holder.spells else (), self._spells),
            "allocation": allocation,
            "turnover": turnover,
            "found": {},
            "_files": files,
            "_holder": holder,
        }
        for name, value in own.items():
            object.__setattr__(self, name, value)

    _files: PathFiles
    _holder: Holder

    def _column(self, name: str) -> Any:
        holder = self._holder
        beside = [f"{measure}.{unit}" for measure, unit in holder.measures]
        for unit in holder.units:
            beside += [f"initial.{unit}", f"final.{unit}"]
            beside += [f"{source.name}.{unit}" for source in holder.sources]
            beside += [f"{name}.{unit}" for name in SPELLS] if holder.spells else []
        return self._files.column(holder.place, name, beside)

    def _attribution(self, unit: Unit) -> FloatArray:
        names = [f"{source.name}.{unit}" for source in self._holder.sources]
        return cast(FloatArray, Rows(names, self._files.n_paths, self._column))

    def _spells(self, unit: Unit) -> measures.Spells:
        return measures.Spells(*(self._column(f"{name}.{unit}") for name in SPELLS))

    # What a plain one has as arrays.
    @property
    def events(self) -> Any:
        """Return how many events each path has."""
        return self._column("events")

    @property
    def unpaid(self) -> FloatArray:
        """Return what could not be paid at the horizon, shape (n_paths,)."""
        return cast(FloatArray, self._column("unpaid"))

    @property
    def organic_share(self) -> FloatArray:
        """Return organic over positive income, shape (n_paths,); NaN where there was none."""
        return cast(FloatArray, self._column("organic_share"))

    @property
    def flows(self) -> FloatArray:
        """Return what came after the start less what went, shape (n_paths,), dollars."""
        return cast(FloatArray, self._column("flows"))


def stored_simulation(
    folder: Path,
    scenario: Scenario,
    calibration: Calibration,
    spec: MarketSpec,
    *,
    daily: pd.DataFrame,
    shares: Shares,
    checksum: str,
    seconds: float = 0.0,
) -> Simulation:
    """Return a run whose paths are in its folder's files.

    Parameters
    ----------
    daily : DataFrame
        As `Simulation.daily`.
    shares : dict of investor to dict of holding to ndarray of shape (n_steps + 1,)
        Mean shares of portfolios, `TURNOVER` among them.
    """
    files = PathFiles(folder, [span.first for span in chunk_spans(scenario.paths)])
    nothing = np.empty(0)

    def of(holder: Holder) -> StoredMeasures:
        own = dict(shares.get(holder.name, {})) if holder.investor else {}
        turnover = own.pop(TURNOVER, nothing)
        return StoredMeasures(files, holder, own, turnover)

    holders = files.heading.holders
    investors = {h.name: of(h) for h in holders if h.investor}
    return Simulation(
        scenario=scenario,
        calibration=calibration,
        spec=spec,
        outcomes=Outcomes(investors, stored_series(files), files.heading.starts),
        instruments={h.name: of(h) for h in holders if not h.investor},
        daily=daily,
        checksum=checksum,
        seconds=seconds,
        depeg=stored_depeg(files),
    )


def stored_digests(folder: Path, paths: int) -> list[str]:
    """Return the digests of a run's chunks in their order."""
    names = (chunk_name(SERIES, span.first) for span in chunk_spans(paths))
    return [read_heading(folder / name).digest for name in names]


def stored_series(files: PathFiles) -> Mapping[str, FloatArray]:
    """Return the numbers of series that claims name by `Condition.key`, shape (n_paths,)."""
    return OnDemand(files.heading.series, lambda name: files.column(SERIES, name))


def stored_depeg(files: PathFiles) -> Depeg | None:
    """Return what leaving paid around the fall of USDC; None where it never can fall."""
    if not files.heading.fall:
        return None
    fell: BoolArray = files.column(SERIES, FELL)
    places = {holder.name: holder.place for holder in files.heading.holders if holder.investor}

    def exits(name: str) -> FloatArray:
        return np.stack([files.column(places[name], moment)[fell] for moment in MOMENTS])

    return Depeg(fell, OnDemand(places, exits))
