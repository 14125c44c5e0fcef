"""Finds, reads, overrides and writes scenario files."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel
from ruamel.yaml import YAML

from simulator.errors import InputError, Problem, UsageError
from simulator.instruments.gas import MEASURED, PLACE, with_measured
from simulator.scenario.calibration import Calibration, load_calibration
from simulator.scenario.crises import lay_over
from simulator.scenario.extends import read_extended
from simulator.scenario.loader import (
    ASSUMPTION,
    Location,
    Provenance,
    RawFile,
    dotted,
    read_value,
    validate,
)
from simulator.scenario.market import MarketTerms
from simulator.scenario.models import MarketScenario, Scenario
from simulator.scenario.pace import late_view
from simulator.scenario.plausible import implausible, stale_prices
from simulator.scenario.shipped import OFFERS, shipped_folder, shipped_scenarios
from simulator.scenario.shock_lists import KEY as SHOCKS
from simulator.scenario.targets import target_faults
from simulator.schema.fields import Fault

_CALIBRATION: Location = ("market", "calibration")
_SET_PATH = re.compile(r"[^.\[\]\s]+(\.[^.\[\]\s]+|\[\d+\])*")
_OF_A_RUN = ("instruments", "investors", "claims", "replay")
"""Sections that a market by itself does not need."""
_NAMED_IN = (Path(), Path("scenarios"), Path(OFFERS), Path("scenarios", OFFERS))
"""Folders that a ready scenario's name may begin with, wherever it lies."""
_ANY_DAY = dt.date(2000, 1, 3)
_NUMERIC_GROUPS = ("market", "instruments", "gas", "investors")

AnyScenario = TypeVar("AnyScenario", bound=MarketScenario)


@dataclass(frozen=True)
class LoadedMarket:
    """A market with the calibration it names and the provenance of its figures.

    warnings : what is allowed, and hardly meant
    """

    scenario: MarketScenario
    calibration: Calibration
    provenance: Mapping[str, Provenance]
    path: str
    warnings: tuple[Problem, ...] = ()

    @property
    def warned(self) -> tuple[str, ...]:
        """Return the warnings without their places, as a report tells them."""
        return tuple(
            f"{problem.field}{f' is {problem.value}' if problem.value else ''}: {problem.rule}"
            for problem in self.warnings
        )


@dataclass(frozen=True)
class LoadedScenario(LoadedMarket):
    """The same of a scenario."""

    scenario: Scenario

    def with_(self, changes: Mapping[str, Any] | None = None, **values: Any) -> LoadedScenario:
        """Return the scenario with values changed, validated anew.

        Parameters
        ----------
        changes : dict of str to value, optional
            By dotted name, as `instruments.gold_vault.exploit_hazard`.
        **values
            The same for names without a dot, as `paths=50_000`.

        Raises
        ------
        InputError
            A name leads nowhere, or the changed scenario breaks a rule.
        """
        chosen = {**(changes or {}), **values}
        scenario = with_changes(self.scenario, chosen, "with_")
        mine = Provenance(source="with_", mark="assumption")
        kept = {name: at for name, at in self.provenance.items() if not _is_of(name, chosen)}
        origins = {**kept, **dict.fromkeys(chosen, mine)}
        return dataclasses.replace(self, scenario=scenario, provenance=origins)

    def with_shock(
        self, target: str, size: float | None = None, *, name: str | None = None, **more: Any
    ) -> LoadedScenario:
        """Return the scenario with one shock more, as `docs/shocks.md` has them.

        Parameters
        ----------
        target : str
            What is hit, as `price.gold`.
        size : float, optional
            How much; `at` or `times` instead.
        name : str, optional
            By default `shock-N`.
        **more
            The other fields: `on` (a date, also as text), `day`, `when`, `plateau_days`, ...

        Raises
        ------
        InputError
            The scenario cannot have it.
        """
        before = [shock.model_dump(exclude_none=True) for shock in self.scenario.shocks or ()]
        own = {"name": name or f"shock-{len(before) + 1}", "target": target, **more}
        if size is not None:
            own["size"] = size
        return self.with_(shocks=[*before, own])

    def __repr__(self) -> str:
        found = self.scenario
        parts = {
            "instruments": tuple(found.instruments),
            "investors": tuple(found.investors),
            "claims": tuple(found.claims),
            "shocks": tuple(shock.name for shock in found.shocks or ()),
        }
        told = [f"{name}: {', '.join(own)}" for name, own in parts.items() if own]
        days = f"{found.paths:,} paths of {found.horizon_days:,} days from {found.start}"
        return "\n".join((f"Scenario {found.name}: {days}", *told))


def _is_of(name: str, chosen: Iterable[str]) -> bool:
    """Return whether a dotted name is one of some, or within it."""
    return any(name == one or name.startswith((f"{one}.", f"{one}[")) for one in chosen)


def find_scenario(name: str) -> Path:
    """Return the file `name` stands for: a path, or the name of a ready scenario.

    Raises
    ------
    UsageError
        There is no such file and no such scenario.
    """
    path = Path(name)
    if _is_file(path):
        return path
    ready = {file.stem: file for file in shipped_scenarios()}
    stem = path.stem if path.suffix in (".yaml", ".yml") else path.name
    if stem in ready and path.parent in _NAMED_IN:
        return ready[stem]
    close = difflib.get_close_matches(stem, ready, n=1)
    hint = f"did you mean {close[0]}?" if close else f"ready ones: {', '.join(ready)}"
    raise UsageError(f"no scenario {name}; {hint}")


def load_scenario(
    name: str | Path,
    *,
    overrides: Iterable[str] = (),
    calibration: str | None = None,
    crisis: str | None = None,
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
    crisis : str, optional
        A crisis to be lived through, as `scenario.crises.lay_over` has it.

    Raises
    ------
    UsageError
        There is no such scenario or crisis, or an override has no `=`.
    InputError
        With one problem for each fault of the files.
    """
    raw, path = _read(name, overrides, calibration)
    if crisis is not None:
        lay_over(raw, crisis, _first_day(raw, path.parent))
    scenario, fitted, warnings = _validated(Scenario, raw, path.parent)
    return LoadedScenario(scenario, fitted, dict(raw.provenance), str(path), warnings)


def load_market(
    name: str | Path,
    *,
    overrides: Iterable[str] = (),
    calibration: str | None = None,
) -> LoadedMarket:
    """Read the market of a scenario, which need not have instruments, investors or claims.

    Where one of the sections is missing the others are left aside; a whole scenario is read, and
    checked, as a run reads it.

    Raises
    ------
    UsageError, InputError
        As `load_scenario`.
    """
    overrides = tuple(overrides)
    raw, path = _read(name, overrides, calibration)
    if not isinstance(raw.data, dict) or all(raw.data.get(section) for section in _OF_A_RUN):
        return load_scenario(name, overrides=overrides, calibration=calibration)
    raw.data = {key: value for key, value in raw.data.items() if key not in _OF_A_RUN}
    raw.data.pop("gas", None)
    scenario, fitted, warnings = _validated(MarketScenario, raw, path.parent)
    return LoadedMarket(scenario, fitted, dict(raw.provenance), str(path), warnings)


def _validated(
    kind: type[AnyScenario], raw: RawFile, folder: Path
) -> tuple[AnyScenario, Calibration, tuple[Problem, ...]]:
    """Return what a file says as a market or a scenario, its calibration, and the warnings.

    Raises
    ------
    InputError
    """
    follows = _start_follows(raw, folder)
    scenario = validate(kind, raw)
    history = _found_history(scenario, raw, folder)
    scenario = scenario.model_copy(update={"market": history})
    scenario = _with_gas(scenario, raw)
    if isinstance(scenario, Scenario):
        _check_changes(scenario, raw)
    fitted = _fitted(scenario, raw, folder)
    if follows:
        scenario = scenario.model_copy(update={"start": fitted.as_of})
    return scenario, fitted, _checked(scenario, fitted, raw, follows)


def _with_gas(scenario: AnyScenario, raw: RawFile) -> AnyScenario:
    """Return a scenario with the gas written out that it leaves to what was measured."""
    if not isinstance(scenario, Scenario):
        return scenario
    gas = with_measured(scenario.gas, {t.kind: None for t in scenario.instruments.values()})
    for kind, acts in gas.used.items():
        for act in acts.keys() - scenario.gas.used.get(kind, {}).keys():
            raw.provenance[dotted((*PLACE, kind, act))] = MEASURED
    return scenario.model_copy(update={"gas": gas})


def _read(
    name: str | Path, overrides: Iterable[str], calibration: str | None
) -> tuple[RawFile, Path]:
    """Return what a scenario's files say, with the command line's values, and where it is."""
    path = find_scenario(str(name))
    raw = read_whole(path)
    for override in overrides:
        _override(raw, override)
    if calibration is not None:
        # A file without a market has no place for it, and is refused for that.
        with contextlib.suppress(_NotThere):
            _make_room(raw, _CALIBRATION, "--calibration")["calibration"] = calibration
    return raw, path


def read_whole(path: Path) -> RawFile:
    """Read a scenario's file with all that it extends and uses, as it is written."""
    return read_extended(path, _base)


def _start_follows(raw: RawFile, folder: Path) -> bool:
    """Return whether the start is the calibration's last day.

    Until that is known any day stands there, unless shocks have dates, which are held to it.
    """
    if not isinstance(raw.data, dict) or "start" in raw.data:
        return False
    raw.data["start"] = _last_day(raw, folder) if raw.data.get(SHOCKS) else _ANY_DAY
    return True


def _first_day(raw: RawFile, folder: Path) -> dt.date:
    """Return the first day of a run, as far as the file knows it."""
    said = raw.data.get("start") if isinstance(raw.data, dict) else None
    return said if isinstance(said, dt.date) else _last_day(raw, folder)


def _last_day(raw: RawFile, folder: Path) -> dt.date:
    """Return the last day of the calibration that a file names; any day where there is none."""
    market = raw.data.get("market")
    named = market.get("calibration") if isinstance(market, dict) else None
    name = named or MarketTerms.model_fields["calibration"].default
    try:
        return load_calibration(find_calibration(str(name), folder)).as_of
    except InputError:
        return _ANY_DAY  # the calibration is refused for itself


def _checked(
    scenario: MarketScenario, calibration: Calibration, raw: RawFile, follows: bool
) -> tuple[Problem, ...]:
    """Refuse targets out of reach; return what is allowed and hardly meant.

    Raises
    ------
    InputError
    """
    faults = target_faults(scenario, calibration)
    if faults:
        raise InputError([raw.problem(*fault) for fault in faults])
    # A number with a note is one that its author has thought about.
    noted = {name for name, origin in raw.provenance.items() if origin.note}
    values = (fault for fault in implausible(scenario) if dotted(fault[0]) not in noted)
    late = _late_views(scenario, calibration)
    odd = (*values, *late, *stale_prices(scenario, calibration, follows=follows))
    return tuple(raw.problem(*fault) for fault in odd)


def _late_views(scenario: MarketScenario, calibration: Calibration) -> Iterator[Fault]:
    """Yield the views of rates, the run's and those of claims, that arrive later than they say.

    One that states its pace is meant so.
    """
    own = late_view(scenario, calibration)
    worlds: list[tuple[Location, MarketScenario]] = [(("market", "views", "real_rate"), scenario)]
    if isinstance(scenario, Scenario):
        worlds += [
            (("claims", name, "change"), with_changes(scenario, claim.change, "change"))
            for name, claim in scenario.claims.items()
            if claim.change
        ]
    for place, world in worlds:
        words, views = late_view(world, calibration), world.market.views
        if views is None or views.rate_pace is not None or not words:
            continue
        if world is scenario or words != own:
            remedy = f"historical to mean that, to any to have it in {views.ramp_days:,} days"
            rule = f"{words}; set market.views.rate_pace to {remedy}"
            yield place, f"{views.real_rate:g}" if world is scenario else "", rule


def _base(name: str, beside: Path) -> Path:
    """Return the file that a scenario extends: beside it, as written, or a ready one."""
    for candidate in (beside / name, beside / f"{name}.yaml"):
        if _is_file(candidate):
            return candidate
    return find_scenario(name)


def with_changes(scenario: Scenario, changes: Mapping[str, Any], origin: str) -> Scenario:
    """Return the scenario with values changed by their dotted names, validated anew.

    Parameters
    ----------
    origin : str
        Where the changes come from, for the message that refuses them.

    Raises
    ------
    InputError
        A name leads nowhere, or the changed scenario breaks a rule.
    """
    raw = RawFile(path=origin, data=scenario.model_dump(exclude_none=True), given={})
    for name, value in changes.items():
        location: Location = tuple(name.split("."))
        try:
            _make_room(raw, location, origin)[location[-1]] = value
        except _NotThere as error:
            raise InputError([raw.problem(location, "", str(error))]) from None
    return validate(Scenario, raw)


def _check_changes(scenario: Scenario, raw: RawFile) -> None:
    """Refuse an effect's change that the scenario could not have.

    Raises
    ------
    InputError
    """
    faults = []
    for name, claim in scenario.claims.items():
        if not claim.change:
            continue
        try:
            with_changes(scenario, claim.change, "change")
        except InputError as error:
            place: Location = ("claims", name, "change")
            faults += [
                raw.problem(place, "", f"would make {p.field} {p.value}; {p.rule}")
                for p in error.problems
            ]
    if faults:
        raise InputError(faults)


def _fitted(scenario: MarketScenario, raw: RawFile, beside: Path) -> Calibration:
    """Return the calibration that a scenario names.

    Raises
    ------
    InputError
        It does not exist, is faulty, or lacks an asset of the scenario.
    """
    name = scenario.market.calibration
    file = find_calibration(name, beside)
    if not _is_file(file):
        ready = [path.stem for path in sorted((shipped_folder() / "calibrations").glob("*.yaml"))]
        close = difflib.get_close_matches(Path(name).stem, ready, n=1)
        hint = f"did you mean {close[0]}?" if close else f"shipped: {', '.join(ready)}"
        rule = f"must be a calibration file or a shipped calibration; {hint}"
        raise InputError([raw.problem(_CALIBRATION, f"'{name}'", rule)])
    fitted = load_calibration(file)
    rule = f"is not in the calibration {fitted.name} ({file.name}), which has "
    lacking = [
        raw.problem(("market", "assets", asset), "", rule + ", ".join(fitted.assets))
        for asset in scenario.market.assets
        if asset not in fitted.assets
    ]
    if lacking:
        raise InputError(lacking)
    return fitted


def _found_history(scenario: MarketScenario, raw: RawFile, beside: Path) -> MarketTerms:
    """Return the market with its history's path as it is found: as written, or `beside`.

    Raises
    ------
    InputError
        There is no such file.
    """
    name = scenario.market.history
    if name is None:
        return scenario.market
    found = next((file for file in (Path(name), beside / name) if _is_file(file)), None)
    if found is None:
        raise InputError([raw.problem(("market", "history"), f"'{name}'", "no such file")])
    return scenario.market.model_copy(update={"history": str(found)})


def find_calibration(name: str, beside: Path) -> Path:
    """Return the calibration file: a path (also relative to `beside`), or a shipped name."""
    shipped = shipped_folder() / "calibrations" / f"{name}.yaml"
    for candidate in (Path(name), beside / name, shipped):
        if _is_file(candidate):
            return candidate
    return Path(name)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        # A sentence in place of a name is longer than a file's name may be.
        return False


def _override(raw: RawFile, text: str) -> None:
    """Apply `a.b[2].c=value`; groups that the file leaves out are made."""
    key, separator, value = text.partition("=")
    if not separator or not _SET_PATH.fullmatch(key):
        raise UsageError(f"--set {text}: must be PATH=VALUE, as in paths=1_000")
    location: Location = tuple(
        int(part[1:-1]) if part.startswith("[") else part
        for part in re.findall(r"[^.\[\]]+|\[\d+\]", key)
    )
    try:
        group = _make_room(raw, location, "--set")
    except _NotThere as error:
        raise UsageError(f"--set {text}: {error}") from None
    chosen = read_value(raw, location, value)
    if chosen is None and value:
        _take_away(raw, group, location, text)
        return
    group[location[-1]] = chosen
    _mark(raw, location, chosen)


def _take_away(raw: RawFile, group: Any, location: Location, text: str) -> None:
    """Apply `a.b=null`, which takes away what the file says, as null does under `extends`.

    Raises
    ------
    UsageError
        It says nothing there.
    """
    if isinstance(group, dict) and location[-1] not in group:
        raise UsageError(f"--set {text}: {dotted(location)} is not there to be taken away")
    del group[location[-1]]
    raw.drop(location)


def _mark(raw: RawFile, location: Location, chosen: Any) -> None:
    """Note for each value that the command line set it, where it gives no origin itself."""
    if isinstance(chosen, dict):
        for name, value in chosen.items():
            _mark(raw, (*location, name), value)
        return
    raw.provenance.setdefault(dotted(location), Provenance(source="--set", mark="assumption"))


class _NotThere(LookupError):
    """A path leads through something that is no group, or past the end of a list."""


def _make_room(raw: RawFile, location: Location, option: str) -> Any:
    """Return the group or list that holds `location`; faults there are then the option's.

    Raises
    ------
    _NotThere
    """
    node: Any = raw.data
    for depth, part in enumerate(location):
        if isinstance(part, int) and not (isinstance(node, list) and part < len(node)):
            raise _NotThere(f"{dotted(location[: depth + 1])} does not exist")
        if isinstance(part, str) and not isinstance(node, dict):
            raise _NotThere(f"{dotted(location[:depth])} is a value or a list, not a group")
        if depth == len(location) - 1:
            break
        if isinstance(part, str) and node.get(part) is None:
            node[part] = {}
            raw.given[location[: depth + 1]] = option
        node = node[part]
    raw.forget(location)
    raw.given[location] = option
    return node


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
        value = [_tree(v, (*location, i), provenance) for i, v in enumerate(value)]
    origin = provenance.get(dotted(location))
    if origin is None:
        return value
    known = {k: v for k, v in dataclasses.asdict(origin).items() if v}
    if origin.range:
        known["range"] = list(origin.range)
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
    scenario: MarketScenario, provenance: Mapping[str, Provenance]
) -> tuple[Assumption, ...]:
    """Return every number of the world that the scenario assumes, with its origin.

    That is every figure of the market, the instruments, gas and the investors; a list is one
    entry. What a claim demands is no assumption, nor are horizon, paths and seed.
    """
    found: list[Assumption] = []
    for group in _NUMERIC_GROUPS:
        _collect(getattr(scenario, group, None), (group,), provenance, found)
    return tuple(found)


def _collect(
    value: Any,
    location: Location,
    provenance: Mapping[str, Provenance],
    found: list[Assumption],
    words: str = "",
) -> None:
    if isinstance(value, Mapping):
        for key, item in value.items():
            _take(item, (*location, key), words, provenance, found)
        return
    if not isinstance(value, BaseModel):
        return
    for name, info in type(value).model_fields.items():
        item = getattr(value, name)
        here = (*location, name)
        _take(item, here, " ".join((info.description or "").split()), provenance, found)


def _take(
    item: Any,
    here: Location,
    words: str,
    provenance: Mapping[str, Provenance],
    found: list[Assumption],
) -> None:
    if not _is_numeric(item):
        _collect(item, here, provenance, found, words)
        return
    origin = provenance.get(dotted(here), ASSUMPTION)
    found.append(
        Assumption(dotted(here), _digits(item), origin.mark, origin.source, origin.note, words)
    )


def _is_numeric(item: Any) -> bool:
    if isinstance(item, tuple):
        return bool(item) and all(_is_numeric(part) for part in item)
    return isinstance(item, int | float) and not isinstance(item, bool)


def _digits(item: Any) -> str:
    return ", ".join(_digits(part) for part in item) if isinstance(item, tuple) else f"{item:.12g}"
