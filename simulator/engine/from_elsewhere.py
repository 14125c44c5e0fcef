"""What a scenario from elsewhere may say: data, and names of what ships with Assay.

A scenario can name other files: what it extends, its calibration, a history. A command line's
user may read any of them; a page may not, and neither may a run's folder that came from
elsewhere.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from simulator.engine.folder import CALIBRATION, HISTORY, SCENARIO
from simulator.errors import InputError, Problem
from simulator.scenario import LoadedScenario, load_scenario, shipped_scenarios
from simulator.scenario.reader import read_yaml
from simulator.scenario.shipped import shipped_folder
from simulator.schema.raw import Location, RawFile

_CALIBRATION: Location = ("market", "calibration")
_HISTORY: Location = ("market", "history")


def load_posted(file: Path, called: str, overrides: tuple[str, ...]) -> LoadedScenario:
    """Load a scenario that was posted and now is in `file`; faults name it as it was `called`.

    Raises
    ------
    InputError
        With one problem for each fault, among them each name of a file.
    """
    try:
        _refuse(read_yaml(file, figures=True), ())
        return load_scenario(file, overrides=overrides)
    except InputError as error:
        own = str(file)
        raise InputError(
            [replace(p, file=called) if p.file == own else p for p in error.problems]
        ) from None


def check_run(folder: Path) -> None:
    """Refuse a run whose scenario would have another file read than the run's own.

    Raises
    ------
    InputError
    """
    kept = {_CALIBRATION: CALIBRATION, _HISTORY: HISTORY}
    own = [place for place, file in kept.items() if (folder / file).is_file()]
    _refuse(read_yaml(folder / SCENARIO, figures=True), own)


def _refuse(raw: RawFile, own: Collection[Location]) -> None:
    """Raise InputError where a place names a file; what stands in `own` is not read."""
    problems = list(_strangers(raw, own))
    if problems:
        raise InputError([*raw.problems, *problems])


def _strangers(raw: RawFile, own: Collection[Location]) -> Iterator[Problem]:
    """Yield each name of a file that is none of those that ship."""
    ready = {path.stem for path in shipped_scenarios()}
    extended, used = raw.data.get("extends") or [], raw.data.get("use")
    named: list[tuple[Location, Any]] = [(("use", n), n) for n in _mapping(used)]
    bases = enumerate(extended) if isinstance(extended, list) else ((None, extended),)
    named += [(("extends",) if at is None else ("extends", at), name) for at, name in bases]
    for place, name in named:
        if not isinstance(name, str) or name not in ready:
            rule = "must be a ready scenario's name; a file is read from the command line alone"
            yield raw.problem(place, repr(name), rule)
    yield from _files(raw, raw.data, (), own)
    for name, claim in _mapping(raw.data.get("claims")).items():
        for key, value in _mapping(_mapping(claim).get("change")).items():
            tree = value
            for part in reversed(str(key).split(".")):
                tree = {part: tree}
            yield from _files(raw, tree, ("claims", name, "change"), ())


def _files(
    raw: RawFile, data: Any, within: Location, own: Collection[Location]
) -> Iterator[Problem]:
    """Yield the calibration or the history that a market names, unless it ships or is `own`."""
    shipped = [path.stem for path in (shipped_folder() / "calibrations").glob("*.yaml")]
    for place in (_CALIBRATION, _HISTORY):
        value = _mapping(_mapping(data).get("market")).get(place[1])
        if value is None or place in own or (place == _CALIBRATION and value in shipped):
            continue
        rule = "must ship with Assay" if place == _CALIBRATION else "must be left out"
        rule += "; a file is read from the command line alone"
        yield raw.problem(within or place, repr(value), rule)


def _mapping(value: Any) -> Mapping[Any, Any]:
    return value if isinstance(value, Mapping) else {}
