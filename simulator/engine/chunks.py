"""A chunk: so many paths reduced to numbers, the unit of a task, of a file and of resuming.

Its size is fixed, whatever the threads, the kernels' blocks within it, or the computers, so
that its file is the same bytes everywhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from simulator.claims.outcomes import Outcomes
from simulator.engine.blocks import Span, spans
from simulator.engine.day_counts import DayCounts
from simulator.engine.depeg import Depeg
from simulator.engine.reduce import Block, join_blocks, run_blocks
from simulator.market.dynamics import MarketSpec
from simulator.market.paths import BLOCK_PATHS
from simulator.scenario.models import Scenario

CHUNK_PATHS = 8_192
"""Paths of a chunk; the last one of a run may have fewer."""


@dataclass(frozen=True)
class Chunk:
    """What a chunk's paths come to: `block` of all of them together, and its days."""

    block: Block
    days: DayCounts

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the investors' numbers."""
        return outcomes_digest(self.block.outcomes, 0, self.block.n_paths)

    @property
    def fall(self) -> Depeg | None:
        """Return what leaving paid around a fall of USDC."""
        return self.block.depeg


def chunk_spans(paths: int) -> list[Span]:
    """Return the chunks of a run."""
    return spans(paths, CHUNK_PATHS)


def run_chunk(
    scenario: Scenario,
    spec: MarketSpec,
    span: Span,
    *,
    workers: int | None = 1,
    block_paths: int = BLOCK_PATHS,
    on_paths: Callable[[int], None] = lambda paths: None,
) -> Chunk:
    """Simulate a chunk's paths and reduce them; `on_paths` gets the number of each block's."""
    days, blocks = DayCounts(), list[Block]()
    for block in run_blocks(scenario, spec, span, days, workers=workers, block_paths=block_paths):
        blocks.append(block)
        on_paths(block.n_paths)
    return Chunk(join_blocks(blocks), days)


def outcomes_digest(outcomes: Outcomes, first: int, last: int) -> str:
    """Return the SHA-256 of what the paths from `first` up to `last` came to.

    Every measure, attribution and final value of every investor, and the numbers of series.
    """
    part = slice(first, last)
    digest = hashlib.sha256()
    for condition in sorted(outcomes.series):
        digest.update(outcomes.series[condition][part].tobytes())
    for name, measures in outcomes.investors.items():
        digest.update(name.encode())
        for key in sorted(measures.values):
            digest.update(measures.values[key][part].tobytes())
        for unit in measures.units:
            for amounts in measures.attribution[unit]:
                digest.update(amounts[part].tobytes())
            digest.update(measures.final[unit][part].tobytes())
        digest.update(measures.events[part].tobytes())
    return digest.hexdigest()
