"""Fills a run's folder with its chunks, those that are there already left alone."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import pandas as pd

from simulator.engine.blocks import Span, bounded
from simulator.engine.chunk_files import SERIES, chunk_name, first_path_of, write_chunk
from simulator.engine.chunks import chunk_spans, run_chunk
from simulator.engine.cluster import Cluster
from simulator.engine.day_counts import DayCounts, IntArray, Room
from simulator.engine.folder import (
    ALLOCATION,
    DAILY,
    PathsDone,
    RunFolder,
    changed_files,
    read_shares,
)
from simulator.engine.memory import keep_freed_memory, return_freed_memory
from simulator.engine.progress_files import (
    ChunkNote,
    Shares,
    joined_shares,
    keep_chunk,
    note_name,
    read_note,
)
from simulator.engine.simulate import Simulation, checksum
from simulator.engine.stored import stored_digests, stored_simulation
from simulator.errors import ClusterUnavailable, InputError, Problem, UsageError
from simulator.market.build import market_spec
from simulator.market.dynamics import MarketSpec
from simulator.scenario.calibration import Calibration
from simulator.scenario.models import Scenario
from simulator.units import calendar
from simulator.writer import write_bytes

_CHUNKS_A_THREAD = 4
"""With fewer chunks than this for each thread, all threads share each chunk's blocks."""
_THREADS_A_CHUNK = 4
"""Else so many do: a chunk under way takes some 300 MB, and alone hardly uses more threads."""


@dataclass(frozen=True)
class Found:
    """Which chunks of a run are there, and which are not whole.

    Attributes
    ----------
    notes : dict of first path to ChunkNote
        Without their days, which are in `days` all together.
    broken : tuple of str
        Files that are cut short or are not what was written; they are computed again.
    room : dict of series to its bins
        The first chunk's, for the others to begin with; all that a million paths fill is half as
        much again.
    """

    notes: dict[int, ChunkNote]
    days: DayCounts
    broken: tuple[str, ...] = ()
    room: dict[str, tuple[IntArray, IntArray]] = field(default_factory=dict)

    @property
    def paths(self) -> int:
        """Return how many paths are there."""
        return sum(note.n_paths for note in self.notes.values())

    def take(self, note: ChunkNote) -> None:
        """Add a chunk that is written; its days are added to those of all."""
        self.days.merge(note.days)
        if not self.room:
            self.room.update(note.days.extents())
        self.notes[note.first_path] = replace(note, days=DayCounts())


def find_chunks(folder: Path, paths: int) -> Found:
    """Return which chunks of an unfinished run of so many paths are there."""
    found, broken = Found({}, DayCounts()), []
    for span in chunk_spans(paths):
        try:
            note = read_note(folder, span.first)
        except (OSError, ValueError, KeyError, TypeError, IndexError):
            broken.append(note_name(span.first))
            continue
        if note is not None and note.n_paths == span.count:
            changed = changed_files(folder, note.files)
            broken += changed
            if not changed:
                found.take(note)
    return replace(found, broken=tuple(broken))


def fill(
    folder: RunFolder,
    scenario: Scenario,
    calibration: Calibration,
    found: Found,
    *,
    workers: int | None = None,
    block_paths: int | None = None,
    cluster: Cluster | None = None,
    on_paths: Callable[[int], None] = lambda paths: None,
) -> Simulation:
    """Simulate the chunks that are missing into a folder, and return what all of them come to.

    Parameters
    ----------
    found : Found
        What is there already; takes in what is new.
    workers : int, optional
        Threads; by default one for each core. The results do not depend on it.
    cluster : Cluster, optional
        Who does it in place of threads here. The results do not depend on it either.
    on_paths : callable
        Called with the number of paths of each block that is done, from any thread; of each
        chunk where a cluster does it.
    """
    began = time.perf_counter()
    keep_freed_memory()
    spec = market_spec(scenario, calibration)
    missing = [span for span in chunk_spans(scenario.paths) if span.first not in found.notes]
    if cluster is None:
        threads = workers or os.cpu_count() or 1
        many = len(missing) >= _CHUNKS_A_THREAD * threads
        within = min(threads, _THREADS_A_CHUNK) if many else threads
        work = partial(
            _keep, folder.path, scenario, spec, within, block_paths, on_paths, found.room
        )
        made = _in_threads(work, missing, threads // within)
    else:
        made = _on_cluster(cluster, folder.path, scenario, spec, block_paths, missing, on_paths)
    for note in made:
        found.take(note)
        del note  # its days would stay in memory while the next chunk is made
    notes = [found.notes[first] for first in sorted(found.notes)]
    daily = found.days.quantiles(calendar(scenario.start, scenario.horizon_days))
    found.days.clear()  # whoever called still holds them
    return_freed_memory()
    shares: Shares = joined_shares(folder.path, notes)
    total = checksum([note.digest for note in notes], daily)
    folder.write_days(daily, shares)
    folder.finish_paths(
        total, {name: known for note in notes for name, known in note.files.items()}
    )
    return stored_simulation(
        folder.path,
        scenario,
        calibration,
        spec,
        daily=daily,
        shares=shares,
        checksum=total,
        seconds=time.perf_counter() - began,
    )


def read_paths(
    folder: Path, scenario: Scenario, calibration: Calibration, done: PathsDone
) -> Simulation:
    """Return a run all of whose paths are there.

    Raises
    ------
    InputError
        A file is not what was written.
    UsageError
        The files are not those of the run that is noted.
    """
    broken = changed_files(folder, done.files)
    if broken:
        rule = "is not what the run wrote; run it again, which computes what is missing"
        raise InputError([Problem(str(folder / name), None, "", "", rule) for name in broken])
    another = f"{folder} was made by another version, or its files have changed; run it anew"
    if chunk_name(SERIES, 0) not in done.files:
        raise UsageError(f"{another}: its paths are kept in another way")
    found = stored_simulation(
        folder,
        scenario,
        calibration,
        market_spec(scenario, calibration),
        daily=pd.read_parquet(folder / DAILY),
        shares=read_shares(folder / ALLOCATION),
        checksum=done.checksum,
    )
    if checksum(stored_digests(folder, scenario.paths), found.daily) != done.checksum:
        raise UsageError(f"{another}: its numbers are not found again")
    return found


def mend(
    folder: RunFolder,
    scenario: Scenario,
    calibration: Calibration,
    broken: Sequence[str],
    *,
    workers: int | None = None,
    on_paths: Callable[[int], None] = lambda paths: None,
) -> None:
    """Compute those chunks again whose files are not what was written."""
    spec, first_paths = market_spec(scenario, calibration), set(map(first_path_of, broken))
    for span in chunk_spans(scenario.paths):
        if span.first in first_paths:
            chunk = run_chunk(scenario, spec, span, workers=workers, on_paths=on_paths)
            write_chunk(folder.path, chunk)


def _keep(
    folder: Path,
    scenario: Scenario,
    spec: MarketSpec,
    threads: int,
    block_paths: int | None,
    on_paths: Callable[[int], None],
    room: Room,
    span: Span,
) -> ChunkNote:
    """Simulate one chunk, write it, and return its note."""
    chunk = run_chunk(
        scenario,
        spec,
        span,
        workers=threads,
        block_paths=block_paths,
        on_paths=on_paths,
        room=room,
    )
    return keep_chunk(folder, chunk)


@dataclass(frozen=True)
class World:
    """What every worker gets once: `folder` is None where it cannot write to the run's own."""

    scenario: Scenario
    spec: MarketSpec
    block_paths: int | None
    folder: str | None


Files = dict[str, bytes]


def make_chunk(span: Span, world: World) -> Files:
    """Simulate a chunk on a worker: into the run's folder, else return its files by name."""
    keep_freed_memory()
    chunk = run_chunk(world.scenario, world.spec, span, block_paths=world.block_paths)
    if world.folder is not None:
        keep_chunk(Path(world.folder), chunk)
        return {}
    with tempfile.TemporaryDirectory(prefix="assay-") as place:
        note = keep_chunk(Path(place), chunk)
        names = (*note.files, note_name(span.first))
        return {name: (Path(place) / name).read_bytes() for name in names}


def _on_cluster(
    cluster: Cluster,
    folder: Path,
    scenario: Scenario,
    spec: MarketSpec,
    block_paths: int | None,
    missing: Sequence[Span],
    on_paths: Callable[[int], None],
) -> Iterator[ChunkNote]:
    """Yield the notes of chunks that workers make."""
    if not missing:
        return
    cluster.compile_once(scenario, spec)
    place = str(folder.resolve()) if cluster.shares(folder) else None
    world = cluster.send_once(World(scenario, spec, block_paths, place))
    # one more for each worker than it is at: none of them waits for the next
    under_way = 2 * cluster.workers
    made = bounded(cluster.executor, make_chunk, missing, under_way, world)
    for span, files in zip(missing, made, strict=True):
        for name, data in files.items():
            write_bytes(folder / name, data)
        note = read_note(folder, span.first)
        changed = [note_name(span.first)] if note is None else changed_files(folder, note.files)
        if note is None or changed:
            raise ClusterUnavailable(f"a worker did not write {changed[0]}")
        on_paths(span.count)
        yield note


def _in_threads(
    work: Callable[[Span], ChunkNote], missing: Sequence[Span], threads: int
) -> Iterator[ChunkNote]:
    if threads == 1:
        yield from map(work, missing)
        return
    pool = ThreadPoolExecutor(threads)
    try:
        # as few under way as there are threads: a chunk that waits holds its memory
        yield from bounded(pool, work, missing, threads)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
