"""Reads YAML input files into frozen models, with every fault at its file and line."""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from simulator.errors import InputError, Problem

Location = tuple[str | int, ...]
Model = TypeVar("Model", bound=BaseModel)

_PROVENANCE_KEYS = frozenset({"value", "source", "date", "mark", "note"})


@dataclass(frozen=True)
class Provenance:
    """Where a figure comes from; `mark` is observed, secondary, claimed or assumption."""

    source: str
    mark: str = "observed"
    date: str = ""
    note: str = ""


ASSUMPTION = Provenance(source="", mark="assumption")


@dataclass
class RawFile:
    """A parsed YAML file: plain data, the line of each value, the provenance of each figure."""

    path: str
    data: Any
    lines: dict[Location, int] = field(default_factory=dict)
    provenance: dict[str, Provenance] = field(default_factory=dict)

    def line(self, location: Location) -> int | None:
        """Return the line of `location`, or of the nearest enclosing value that has one."""
        for length in range(len(location), -1, -1):
            if location[:length] in self.lines:
                return self.lines[location[:length]]
        return None

    def problem(self, location: Location, value: str, rule: str) -> Problem:
        """Return the fault of the value at `location`."""
        return Problem(self.path, self.line(location), dotted(location), value, rule)


def dotted(location: Location) -> str:
    """Return a location as users write it: `instruments.gold_vault.kink`, `conditions[0]`."""
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def read_yaml(path: Path | str, *, figures: bool = False) -> RawFile:
    """Parse a YAML file.

    Parameters
    ----------
    path : Path
    figures : bool
        Whether a mapping `{value, source, date, mark, note}` stands for its value; its
        provenance is then kept apart under the dotted name.

    Raises
    ------
    InputError
        The file cannot be read, is not YAML, or is not a mapping.
    """
    name = str(path)
    try:
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError([Problem(name, None, "", "", "no such file")]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError([Problem(name, None, "", "", f"cannot be read: {error}")]) from None
    try:
        node = YAML(typ="rt").load(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        what = " ".join(str(error.problem or error).split())
        raise InputError([Problem(name, line, "", "", f"not valid YAML: {what}")]) from None
    except YAMLError as error:
        raise InputError([Problem(name, None, "", "", f"not valid YAML: {error}")]) from None
    if not isinstance(node, Mapping):
        raise InputError([Problem(name, 1, "", "", "must be a mapping of keys to values")])
    raw = RawFile(path=name, data=None, lines={(): 1})
    raw.data = _plain(node, (), raw, figures)
    return raw


def _plain(node: Any, location: Location, raw: RawFile, figures: bool) -> Any:
    if isinstance(node, Mapping):
        for key in node:
            raw.lines[(*location, _key(key))] = node.lc.key(key)[0] + 1
        if figures and "value" in node and set(node) <= _PROVENANCE_KEYS:
            return _figure(node, location, raw)
        return {_key(k): _plain(v, (*location, _key(k)), raw, figures) for k, v in node.items()}
    if isinstance(node, list):
        lc = getattr(node, "lc", None)
        for i in range(len(node)):
            if lc is not None:
                raw.lines[(*location, i)] = lc.item(i)[0] + 1
        return [_plain(item, (*location, i), raw, figures) for i, item in enumerate(node)]
    return _scalar(node)


def _figure(node: Mapping[str, Any], location: Location, raw: RawFile) -> Any:
    provenance = Provenance(
        source=str(node.get("source", "")),
        mark=str(node.get("mark", "observed" if node.get("source") else "assumption")),
        date=str(node.get("date", "")),
        note=str(node.get("note", "")),
    )
    raw.provenance[dotted(location)] = provenance
    return _plain(node["value"], (*location, "value"), raw, figures=False)


def _key(key: Any) -> str:
    return str(key)


def _scalar(node: Any) -> Any:
    if isinstance(node, bool) or node is None:
        return node
    if isinstance(node, int):
        return int(node)
    if isinstance(node, float):
        return float(node)
    if isinstance(node, dt.date):
        return node
    if isinstance(node, str):
        return str(node)
    return bool(node) if type(node).__name__ == "ScalarBoolean" else str(node)


def validate(model: type[Model], raw: RawFile) -> Model:
    """Validate parsed data against `model`.

    Raises
    ------
    InputError
        With one problem for each fault of the file.
    """
    try:
        return model.model_validate(raw.data)
    except ValidationError as error:
        problems = [_problem(detail, model, raw) for detail in error.errors()]
    raise InputError(sorted(problems, key=lambda p: (p.line or 0, p.field)))


def _problem(detail: Any, model: type[BaseModel], raw: RawFile) -> Problem:
    location: Location = tuple(detail["loc"])
    while location and location not in raw.lines and detail["type"] != "missing":
        location = location[:-1]
    value = detail["input"]
    shown = "" if isinstance(value, dict | list) or detail["type"] == "missing" else _show(value)
    if detail["type"] == "value_error" and isinstance(value, dict):
        shown = ""
    return raw.problem(location, shown, _rule(detail, model, location))


def _show(value: Any) -> str:
    return f"'{value}'" if isinstance(value, str) else str(value)


_RULES = {
    "missing": "is required",
    "greater_than": "must be above {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be below {lt}",
    "less_than_equal": "must be at most {le}",
    "finite_number": "must be a finite number",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "model_type": "must be a mapping of keys to values",
    "dict_type": "must be a mapping of keys to values",
    "literal_error": "must be one of {expected}",
    "value_error": "{error}",
    "too_short": "must have at least {min_length} entries",
    "too_long": "must have at most {max_length} entries",
    "string_pattern_mismatch": "must match {pattern}",
}


def _rule(detail: Any, model: type[BaseModel], location: Location) -> str:
    context = detail.get("ctx", {})
    parent, description = _describe(model, location)
    if detail["type"] == "extra_forbidden":
        known = list(parent.model_fields) if parent else []
        close = difflib.get_close_matches(str(location[-1]), known, n=1)
        hint = f"did you mean '{close[0]}'?" if close else f"known keys: {', '.join(known)}"
        return f"unknown key; {hint}"
    template = _RULES.get(detail["type"])
    rule = template.format(**context) if template else str(detail["msg"])
    return f"{rule} ({description})" if description and detail["type"] != "value_error" else rule


def _describe(
    model: type[BaseModel], location: Location
) -> tuple[type[BaseModel] | None, str | None]:
    """Return the model in which the last part of `location` stands, and its documentation.

    Keys of mappings and indices of lists are passed over: their items are of the same model.
    """
    holder: type[BaseModel] | None = model
    description = None
    for position, part in enumerate(location):
        info = holder.model_fields.get(str(part)) if holder else None
        description = info.description if info else None
        if info and position < len(location) - 1:
            holder = _model_of(info.annotation)
    return holder, " ".join(description.split()).rstrip(".") if description else None


def _model_of(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        found = _model_of(argument)
        if found is not None:
            return found
    return None
