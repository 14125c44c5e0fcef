"""How long whole runs of scenarios take; `instruments.py` has the parts by themselves."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import partial

from lines import Line, seconds_of

from simulator.engine import run_sets, simulate
from simulator.engine.parameter_sets import PATHS_A_SET
from simulator.scenario import load_scenario

REPEATS = 5
PATHS = {"gold-vault-sober": 10_000, "hard-assets-2026": 2_048}
SETS = 4


def lines() -> Iterator[Line]:
    """Yield a line of each scenario's paths, and one of its parameter sets."""
    for name, paths in PATHS.items():
        loaded = load_scenario(name, overrides=[f"paths={paths}"])
        done = [simulate(loaded.scenario, loaded.calibration) for _ in range(REPEATS)]
        rates = tuple(paths / one.seconds for one in done)
        what = f"{name}, all its numbers"
        yield Line(what, "paths/s", rates, done[0].checksum[:16], f"{paths:,} paths")
        sets = partial(run_sets, loaded.scenario, loaded.calibration, SETS)
        digest = hashlib.sha256(sets()[["probability", "estimate"]].to_numpy().tobytes())
        took = tuple(seconds / SETS for seconds in seconds_of(sets, REPEATS))
        note = f"{SETS} of {PATHS_A_SET:,} paths"
        yield Line(f"{name}, a parameter set", "s", took, digest.hexdigest()[:16], note)
