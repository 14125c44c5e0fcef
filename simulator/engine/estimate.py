"""How long a run will take and how much room it needs, before it starts."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from simulator.engine.blocks import Span
from simulator.engine.chunk_files import numbers_a_path
from simulator.engine.chunks import CHUNK_PATHS, run_chunk
from simulator.market.build import market_spec
from simulator.scenario.calibration import Calibration
from simulator.scenario.models import Scenario
from simulator.units import LANES

BASE_MIB, THREAD_MIB = 800, 250
"""Resident memory of the program and of each thread's block, on a scenario of 24 investors."""
_COMPRESSED = 0.95
"""Bytes on disk over those in memory, for doubles that hardly repeat."""
_WRITING = 1.3
"""Time with the chunks' files over that of simulating alone."""
WORTH = 4 * CHUNK_PATHS
"""A run of fewer paths than this starts sooner than it is estimated."""


@dataclass(frozen=True)
class Estimate:
    """What a run needs, and what of it this machine does not have.

    Attributes
    ----------
    seconds : float
        Of simulating, all threads together at work.
    disk_mib, memory_mib : float
    lacking : tuple of str
        What there is too little of, in words.
    """

    seconds: float
    disk_mib: float
    memory_mib: float
    lacking: tuple[str, ...]

    def __str__(self) -> str:
        minutes = self.seconds / 60
        told = f"{self.seconds:.0f} s" if minutes < 2 else f"{minutes:.0f} minutes"
        return (
            f"about {told} of simulating, {self.disk_mib:,.0f} MiB on disk, "
            f"{self.memory_mib:,.0f} MiB of memory"
        )


def estimate(
    scenario: Scenario, calibration: Calibration, folder: Path, paths: int, workers: int | None
) -> Estimate:
    """Return what so many paths need; 128 paths are simulated twice, as the first may compile."""
    spec = market_spec(scenario, calibration)
    run_chunk(scenario, spec, Span(0, LANES))
    began = time.perf_counter()
    chunk = run_chunk(scenario, spec, Span(0, LANES))
    a_path = (time.perf_counter() - began) / LANES
    threads = workers or os.cpu_count() or 1
    disk = paths * numbers_a_path(chunk) * 8 * _COMPRESSED / 2**20
    memory = float(BASE_MIB + THREAD_MIB * threads)
    free = shutil.disk_usage(folder).free / 2**20
    there = _memory_mib()
    lacking = []
    if disk > free:
        lacking.append(f"{disk:,.0f} MiB on disk are needed, {free:,.0f} are free")
    if there is not None and memory > there:
        lacking.append(f"{memory:,.0f} MiB of memory are needed, {there:,.0f} are available")
    return Estimate(a_path * paths * _WRITING / threads, disk, memory, tuple(lacking))


def _memory_mib() -> float | None:
    """Return how much memory programs can still take; None where the system does not tell."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    found = next((line.split()[1] for line in lines if line.startswith("MemAvailable")), None)
    return None if found is None else int(found) / 2**10
