"""What a command works on: a run's folder, or a scenario."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from simulator.engine import Simulation
from simulator.engine.filling import read_paths
from simulator.engine.folder import CALIBRATION, HISTORY, MARKER, RunFolder
from simulator.errors import UsageError
from simulator.scenario import LoadedScenario, load_scenario
from simulator.scenario.loader import read_yaml

_SCENARIO = "scenario.yaml"


def is_run(source: str) -> bool:
    """Return whether `source` is a run's folder."""
    return (Path(source) / _SCENARIO).is_file()


def is_finished(source: str) -> bool:
    """Return whether `source` is the folder of a run that came to its end."""
    return is_run(source) and (Path(source) / MARKER).is_file()


def keeps_calibration(source: str) -> bool:
    """Return whether a run keeps the calibration it ran with."""
    return (Path(source) / CALIBRATION).is_file()


def stored_paths(folder: Path, loaded: LoadedScenario) -> Simulation:
    """Return a finished run's paths from its folder.

    Raises
    ------
    UsageError
        The run is not finished, or its files are not of one run.
    InputError
        A file is not what was written.
    """
    done = RunFolder(folder).paths_done()
    if done is None:
        raise UsageError(f"{folder} is no finished run: it has no {MARKER}")
    return read_paths(folder, loaded.scenario, loaded.calibration, done)


def load_source(
    source: str, overrides: tuple[str, ...] = (), calibration: str | None = None
) -> LoadedScenario:
    """Load a run's resolved scenario, or a scenario by its name or file.

    A run that keeps its calibration is read with that, whatever has become of the file.

    Raises
    ------
    UsageError
        There is neither such a run nor such a scenario.
    InputError
    """
    folder = Path(source)
    if not is_run(source):
        if folder.is_dir():
            raise UsageError(f"{source} is no run: it has no {_SCENARIO}")
        return load_scenario(source, overrides=overrides, calibration=calibration)
    file = folder / _SCENARIO
    if (folder / HISTORY).is_file():
        overrides = (f"market.history={json.dumps(str(folder / HISTORY))}", *overrides)
    if calibration is not None or not keeps_calibration(source):
        return load_scenario(file, overrides=overrides, calibration=calibration)
    kept = str(folder / CALIBRATION)
    return _renamed(load_scenario(file, overrides=overrides, calibration=kept), file)


def _renamed(loaded: LoadedScenario, file: Path) -> LoadedScenario:
    """Give the calibration the name it ran under, in place of the kept copy's path."""
    name = read_yaml(file, figures=True).data["market"]["calibration"]
    market = loaded.scenario.market.model_copy(update={"calibration": name})
    return replace(loaded, scenario=loaded.scenario.model_copy(update={"market": market}))
