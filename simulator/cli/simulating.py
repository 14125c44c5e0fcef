"""Simulates a run's paths into its folder, going on where an earlier attempt stopped."""

from __future__ import annotations

import sys

import click

from simulator.cli.progress import Reporter
from simulator.engine import Simulation
from simulator.engine.chunk_files import first_path_of
from simulator.engine.cluster import Cluster
from simulator.engine.estimate import WORTH, estimate
from simulator.engine.filling import fill, find_chunks, mend, read_paths
from simulator.engine.folder import DAILY, PathsDone, RunFolder, changed_files
from simulator.errors import UsageError
from simulator.scenario import LoadedScenario


def simulate_into(
    folder: RunFolder,
    loaded: LoadedScenario,
    workers: int | None,
    reporter: Reporter,
    cluster: Cluster | None = None,
    *,
    agreed: bool = False,
) -> Simulation:
    """Return the run's paths; what is whole in the folder is not computed again.

    `agreed` is whether the user wants it even if the machine seems to have too little.

    Raises
    ------
    UsageError
        It does, and the user did not agree.
    """
    folder.reopen()
    done = folder.paths_done()
    if done is not None and _is_mendable(folder, loaded, done, workers, reporter):
        return read_paths(folder.path, loaded.scenario, loaded.calibration, done)
    scenario = loaded.scenario
    found = find_chunks(folder.path, scenario.paths)
    _tell_broken(found.broken, reporter)
    if found.paths:
        reporter.say(f"{found.paths:,} of {scenario.paths:,} paths are there; going on with these")
    missing = scenario.paths - found.paths
    if missing >= WORTH and cluster is None:
        _estimate(folder, loaded, missing, workers, reporter, agreed)
    text = f"simulating {scenario.paths - found.paths:,} paths over {scenario.horizon_days} days"
    with reporter.task(text, scenario.paths - found.paths) as advance:
        return fill(
            folder,
            scenario,
            loaded.calibration,
            found,
            workers=workers,
            cluster=cluster,
            on_paths=advance,
        )


def _estimate(
    folder: RunFolder,
    loaded: LoadedScenario,
    paths: int,
    workers: int | None,
    reporter: Reporter,
    agreed: bool,
) -> None:
    """Say what the paths need, and ask where the machine has too little of it."""
    with reporter.task("estimating", 1):
        found = estimate(loaded.scenario, loaded.calibration, folder.path, paths, workers)
    reporter.say(str(found))
    if not found.lacking or agreed:
        return
    lacking = "; ".join(found.lacking)
    if not (sys.stdin.isatty() and click.confirm(f"{lacking}. Go on?", err=True)):
        raise UsageError(f"{lacking}; give --yes to try it all the same")


def _is_mendable(
    folder: RunFolder,
    loaded: LoadedScenario,
    done: PathsDone,
    workers: int | None,
    reporter: Reporter,
) -> bool:
    """Make files whole that are not; false where the paths have to be simulated again."""
    scenario = loaded.scenario
    broken = changed_files(folder.path, done.files)
    _tell_broken(tuple(broken), reporter)
    if any(not name.startswith("paths/") for name in broken) or DAILY not in done.files:
        folder.forget_paths()
        return False
    if broken:
        chunks = len(set(map(first_path_of, broken)))
        with reporter.task(f"simulating {chunks} chunks again", chunks):
            mend(folder, scenario, loaded.calibration, broken, workers=workers)
        if changed_files(folder.path, done.files):
            folder.forget_paths()
            return False
    reporter.say(f"all {scenario.paths:,} paths are there")
    return True


def _tell_broken(names: tuple[str, ...], reporter: Reporter) -> None:
    for name in names:
        reporter.say(f"{name} is cut short, or not what was written: computed again")
