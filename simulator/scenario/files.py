"""Finds, reads, overrides and writes scenario files."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from simulator.errors import UsageError
from simulator.scenario.calibration import Calibration, load_calibration
from simulator.scenario.loader import (
    ASSUMPTION,
    Location,
    Provenance,
    RawFile,
    dotted,
    read_yaml,
    validate,
)
from simulator.scenario.models import Scenario

_PACKAGE = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class LoadedScenario:
    """A scenario with the calibration it names and the provenance of its figures."""

    scenario: Scenario
    calibration: Calibration
    provenance: Mapping[str, Provenance]
    path: str


def shipped_folder() -> Path:
    """Return the folder of the ready scenarios: in the wheel, or in the source tree."""
    packaged = _PACKAGE / "data" / "scenarios"
    return packaged if packaged.is_dir() else _PACKAGE.parent / "scenarios"


def shipped_scenarios() -> tuple[Path, ...]:
    """Return the ready scenario files, sorted by name."""
    return tuple(sorted(shipped_folder().glob("*.yaml")))


def find_scenario(name: str) -> Path:
    """Return the file `name` stands for: a path, or the name of a ready scenario.

    Raises
    ------
    UsageError
        There is no such file and no such scenario.
    """
    path = Path(name)
    if path.is_file():
        return path
    ready = {file.stem: file for file in shipped_scenarios()}
    stem = path.stem if path.suffix in (".yaml", ".yml") else path.name
    if stem in ready and path.parent in (Path(), Path("scenarios")):
        return ready[stem]
    close = difflib.get_close_matches(stem, ready, n=1)
    hint = f"did you mean {close[0]}?" if close else f"ready ones: {', '.join(ready)}"
    raise UsageError(f"no scenario {name}; {hint}")


def load_scenario(
    name: str | Path,
    *,
    overrides: Iterable[str] = (),
    calibration: str | None = None,
) -> LoadedScenario:
    """Read a scenario and its calibration.

    Parameters
    ----------
    name : str
        Path of a file, or name of a ready scenario.
    overrides : iterable of str
        `a.b.c=value`, applied to the file's data before it is validated.
    calibration : str, optional
        Name or path that replaces the scenario's calibration.

    Raises
    ------
    UsageError
        There is no such scenario, or an override has no `=`.
    InputError
        With one problem for each fault of the files.
    """
    path = find_scenario(str(name))
    raw = read_yaml(path, figures=True)
    for override in overrides:
        _override(raw, override)
    scenario = validate(Scenario, raw)
    if calibration is not None:
        market = scenario.market.model_copy(update={"calibration": calibration})
        scenario = scenario.model_copy(update={"market": market})
    fitted = load_calibration(find_calibration(scenario.market.calibration, path.parent))
    fitted.correlation(tuple(scenario.market.assets))
    return LoadedScenario(scenario, fitted, dict(raw.provenance), str(path))


def find_calibration(name: str, beside: Path) -> Path:
    """Return the calibration file: a path (also relative to `beside`), or a shipped name."""
    shipped = shipped_folder() / "calibrations" / f"{name}.yaml"
    for candidate in (Path(name), beside / name, shipped):
        if candidate.is_file():
            return candidate
    return Path(name)


def _override(raw: RawFile, text: str) -> None:
    key, separator, value = text.partition("=")
    if not separator or not key:
        raise UsageError(f"--set {text}: must be PATH=VALUE, as in paths=1_000")
    try:
        plain = YAML(typ="safe", pure=True).load(value)
    except YAMLError:
        plain = value
    parts: Location = tuple(key.split("."))
    node: Any = raw.data
    for depth, part in enumerate(parts[:-1]):
        inner = node.setdefault(part, {})
        if not isinstance(inner, dict):
            raise UsageError(f"--set {text}: {dotted(parts[: depth + 1])} is a value, not a group")
        node = inner
    node[parts[-1]] = plain
    raw.provenance[key] = Provenance(source="--set", mark="assumption")


def to_yaml(scenario: Scenario, provenance: Mapping[str, Provenance]) -> str:
    """Return the resolved scenario as YAML, every default written out.

    Figures with a provenance stand as `{value, source, ...}`, so the text reads back.
    """
    stream = StringIO()
    yaml = YAML()
    yaml.width = 100
    yaml.dump(_tree(scenario, (), provenance), stream)
    return stream.getvalue()


def _tree(value: Any, location: Location, provenance: Mapping[str, Provenance]) -> Any:
    if isinstance(value, BaseModel):
        fields = type(value).model_fields
        return {
            name: _tree(getattr(value, name), (*location, name), provenance)
            for name in fields
            if getattr(value, name) is not None
        }
    if isinstance(value, Mapping):
        return {k: _tree(v, (*location, k), provenance) for k, v in value.items()}
    if isinstance(value, tuple):
        return [_tree(v, (*location, i), provenance) for i, v in enumerate(value)]
    origin = provenance.get(dotted(location))
    if origin is None:
        return value
    known = {k: v for k, v in dataclasses.asdict(origin).items() if v}
    return {"value": value, **known}


@dataclass(frozen=True)
class Assumption:
    """One number of the scenario, for the report's list."""

    field: str
    value: str
    mark: str
    source: str
    note: str
    description: str


def assumptions(
    scenario: Scenario, provenance: Mapping[str, Provenance]
) -> tuple[Assumption, ...]:
    """Return every numeric input of the instruments, the market and gas, with its origin."""
    found: list[Assumption] = []
    for group in ("market", "instruments", "gas"):
        _collect(getattr(scenario, group), (group,), provenance, found)
    return tuple(found)


def _collect(
    value: Any, location: Location, provenance: Mapping[str, Provenance], found: list[Assumption]
) -> None:
    if isinstance(value, Mapping):
        for key, item in value.items():
            _collect(item, (*location, key), provenance, found)
        return
    if not isinstance(value, BaseModel):
        return
    for name, info in type(value).model_fields.items():
        item = getattr(value, name)
        here = (*location, name)
        if isinstance(item, int | float) and not isinstance(item, bool):
            origin = provenance.get(dotted(here), ASSUMPTION)
            words = " ".join((info.description or "").split())
            found.append(
                Assumption(
                    dotted(here), f"{item:g}", origin.mark, origin.source, origin.note, words
                )
            )
        else:
            _collect(item, here, provenance, found)
