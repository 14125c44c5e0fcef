"""A chunk: so many paths reduced to numbers, the unit of a task, of a file and of resuming.

Its size is fixed, whatever the threads, the kernels' blocks within it, or the computers, so
that its file is the same bytes everywhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from simulator.claims.outcomes import Outcomes
from simulator.engine.blocks import Span, spans
from simulator.engine.day_counts import DayCounts, Room
from simulator.engine.depeg import Depeg, join_depegs
from simulator.engine.reduce import Block, join_series, run_blocks
from simulator.investors import InvestorMeasures, join
from simulator.market.dynamics import MarketSpec
from simulator.market.paths import BLOCK_PATHS
from simulator.scenario.models import Scenario
from simulator.units import LANES, FloatArray

CHUNK_PATHS = 8_192
"""Paths of a chunk; the last one of a run may have fewer."""
_BLOCK_BYTES = 200 * 2**20
"""What a block's positions may take in a thread's memory."""
_ARRAYS_A_POSITION = 9
"""Float64 a path and day of a position, in the mean of the flagship's 41."""


@dataclass(frozen=True)
class Chunk:
    """What a chunk's paths come to: its blocks in their order, and its days.

    Its investors and instruments are joined one at a time: all together would be in memory twice.
    """

    blocks: Sequence[Block]
    days: DayCounts

    @property
    def first_path(self) -> int:
        """Return the number of the first path."""
        return self.blocks[0].first_path

    @property
    def n_paths(self) -> int:
        """Return how many paths it has."""
        return sum(block.n_paths for block in self.blocks)

    @property
    def investors(self) -> Iterator[InvestorMeasures]:
        """Yield the investors in their order."""
        return (join([b.investors[name] for b in self.blocks]) for name in self.blocks[0].investors)

    @property
    def instruments(self) -> Iterator[InvestorMeasures]:
        """Yield the instruments by themselves in their order."""
        names = self.blocks[0].instruments
        return (join([b.instruments[name] for b in self.blocks]) for name in names)

    @property
    def series(self) -> dict[str, FloatArray]:
        """Return the numbers of series that claims name, shape (n_paths,) each."""
        return join_series([block.outcomes for block in self.blocks])

    @property
    def depeg(self) -> Depeg | None:
        """Return what leaving paid around a fall of USDC."""
        return join_depegs([block.depeg for block in self.blocks])

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the investors' numbers."""
        return numbers_digest(self.series, self.investors, slice(None))


def chunk_spans(paths: int) -> list[Span]:
    """Return the chunks of a run."""
    return spans(paths, CHUNK_PATHS)


def paths_a_block(scenario: Scenario) -> int:
    """Return how many paths a thread simulates at once, a multiple of LANES.

    As many as its memory is meant for, but no more than the cache is good for.
    """
    positions = sum(len(of.positions(label)) for label, of in scenario.instruments.items())
    a_path = _ARRAYS_A_POSITION * 8 * max(positions, 1) * (scenario.horizon_days + 1)
    return min(BLOCK_PATHS, max(1, _BLOCK_BYTES // (a_path * LANES)) * LANES)


def run_chunk(
    scenario: Scenario,
    spec: MarketSpec,
    span: Span,
    *,
    workers: int | None = 1,
    block_paths: int | None = None,
    on_paths: Callable[[int], None] = lambda paths: None,
    room: Room | None = None,
) -> Chunk:
    """Simulate a chunk's paths and reduce them.

    Parameters
    ----------
    block_paths : int, optional
        Paths a task, a multiple of LANES; by default what `paths_a_block` says.
    on_paths : callable
        Called with the number of paths of each block.
    room : dict of series to its bins, optional
        Where other paths of the run are counted (`DayCounts.extents`).
    """
    days, blocks = DayCounts(span.count, room), list[Block]()
    block_paths = block_paths or paths_a_block(scenario)
    for block in run_blocks(scenario, spec, span, days, workers=workers, block_paths=block_paths):
        blocks.append(block)
        on_paths(block.n_paths)
    return Chunk(blocks, days)


def outcomes_digest(outcomes: Outcomes, first: int, last: int) -> str:
    """Return the SHA-256 of what the paths from `first` up to `last` came to.

    Every measure, attribution and final value of every investor, and the numbers of series.
    """
    return numbers_digest(outcomes.series, outcomes.investors.values(), slice(first, last))


def numbers_digest(
    series: Mapping[str, FloatArray], investors: Iterable[InvestorMeasures], part: slice
) -> str:
    """Return the SHA-256 of a part of the paths; arrays are of shape (n_paths,)."""
    digest = hashlib.sha256()
    for condition in sorted(series):
        digest.update(series[condition][part].tobytes())
    for measures in investors:
        digest.update(measures.name.encode())
        for key in sorted(measures.values):
            digest.update(measures.values[key][part].tobytes())
        for unit in measures.units:
            for amounts in measures.attribution[unit]:
                digest.update(amounts[part].tobytes())
            digest.update(measures.final[unit][part].tobytes())
        digest.update(measures.events[part].tobytes())
    return digest.hexdigest()
