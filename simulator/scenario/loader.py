"""Validates input files against frozen models, with every fault at its file and line."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator, Sequence
from typing import Any, Literal, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError

from simulator.errors import InputError
from simulator.scenario.places import KEY, Place, number_rule, place_of
from simulator.scenario.reader import read_value, read_yaml
from simulator.scenario.rest import Rest
from simulator.schema.fields import Faults, Unit
from simulator.schema.raw import ASSUMPTION, MARKS, Location, Provenance, RawFile, dotted

__all__ = [
    "ASSUMPTION",
    "MARKS",
    "Location",
    "Provenance",
    "RawFile",
    "dotted",
    "read_value",
    "read_yaml",
    "validate",
]

Model = TypeVar("Model", bound=BaseModel)

_SHOWN_CHARACTERS = 60
USE = "use"
"""Where a file takes parts of others."""
_SECTIONS = 2
"""So deep lies what whole parts bring: a section, or the assets of the market."""


def validate(model: type[Model], raw: RawFile) -> Model:
    """Validate parsed data against `model`.

    Raises
    ------
    InputError
        With one problem for each fault of the file, in the order of its lines.
    """
    problems = list(raw.problems)
    rest, found = Rest(raw.data), None
    while True:
        try:
            found = model.model_validate(rest.data)
        except ValidationError as error:
            fresh = list(_told(error, model, raw, rest))
        else:
            break
        problems += [raw.problem(at, value, rule) for at, value, rule, _ in fresh]
        # rules that join several values wait for each of them: what is left may break one too
        if not rest.without({at: allowed for at, _, _, allowed in fresh}):
            break
    if problems or found is None:
        raise InputError(sorted(problems, key=lambda p: (p.line or 0, p.field)))
    return found


def _told(
    error: ValidationError, model: type[BaseModel], raw: RawFile, rest: Rest
) -> Iterator[tuple[Location, str, str, float | None]]:
    """Yield each fault that does not follow from one told before.

    Yields
    ------
    place, value, rule, and a number that would be allowed there, where one is known
    """
    details = error.errors(include_url=False)
    for detail in details:
        place: Location = tuple(part for part in detail["loc"] if part != KEY)
        if raw.is_broken(rest.original(place)) or _follows_from_others(detail, details):
            continue
        if detail["type"] == "missing" and len(place) <= _SECTIONS and raw.is_broken((USE,)):
            continue  # it may be among what the file would use
        cause = detail.get("ctx", {}).get("error")
        if isinstance(cause, Faults):
            faults = [((*place, *inner), value, rule) for inner, value, rule in cause.faults]
        else:
            rule = _rule(detail, place_of(model, tuple(detail["loc"]), rest.data))
            faults = [(place, _shown(detail), rule)]
        for at, value, rule in faults:
            original = rest.original(at)
            if not rest.touches(original):
                yield original, value, rule, _allowed(detail)


def _allowed(detail: Any) -> float | None:
    """Return a number within the bound that one broke."""
    bounds = detail.get("ctx", {})
    step = 1 if isinstance(detail["input"], int) else 0.5
    for name, inward in (("ge", 0), ("gt", step), ("le", 0), ("lt", -step)):
        if isinstance(bounds.get(name), int | float):
            allowed: float = bounds[name] + inward
            return allowed
    return None


def _follows_from_others(detail: Any, details: Sequence[Any]) -> bool:
    """Return whether a list counts as short only because items of it were refused."""
    if detail["type"] != "too_short" or len(detail["input"]) < detail["ctx"]["min_length"]:
        return False
    here = detail["loc"]
    return any(other["loc"][: len(here)] == here and other is not detail for other in details)


def _shown(detail: Any) -> str:
    value, kind = detail["input"], detail["type"]
    if kind == "missing" or detail["loc"][-1:] == (KEY,):
        return ""
    if isinstance(value, dict | list):
        if kind in ("extra_forbidden", "value_error", "too_short", "too_long"):
            return ""
        return "a mapping" if isinstance(value, dict) else "a list"
    return _as_yaml(value)


def _as_yaml(value: Any) -> str:
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and not math.isfinite(value):
        return ".nan" if math.isnan(value) else ".inf" if value > 0 else "-.inf"
    if isinstance(value, str):
        text = " ".join(value.split())
        cut = text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."
        return f"'{cut}'"
    return f"{value:.15g}" if isinstance(value, float) else str(value)


_NUMBERS = {
    "float_type": "a number",
    "int_type": "a whole number",
    "finite_number": "a finite number",
    "greater_than": "",
    "greater_than_equal": "",
    "less_than": "",
    "less_than_equal": "",
}

_RULES = {
    "missing": "is required",
    "model_type": "must be a mapping of keys to values",
    "dict_type": "must be a mapping of keys to values",
    "tuple_type": "must be a list",
    "string_type": "must be text, in quotes",
    "bool_type": "must be true or false",
    "string_too_short": "must not be empty",
    "string_too_long": "must have at most {max_length} characters",
    "too_short": "must have at least {min_length} entries",
    "too_long": "must have at most {max_length} entries",
    "date_type": "must be a date, as in 2026-01-20",
    "date_parsing": "must be a date, as in 2026-01-20",
    "date_from_datetime_parsing": "must be a date, as in 2026-01-20",
    "date_from_datetime_inexact": "must be a date without a time, as in 2026-01-20",
}


def _rule(detail: Any, place: Place) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "extra_forbidden":
        return _unknown_key(detail, place)
    if kind == "value_error":
        return str(context["error"])
    if kind in _NUMBERS:
        rule = number_rule(_NUMBERS[kind], place)
        words = place.unit.text or place.description
        return _with(rule, words) + _remedy(detail["input"], place.unit)
    if kind == "literal_error":
        rule = f"must be one of {context['expected']}" + _near(detail["input"], place)
    elif kind == "string_pattern_mismatch":
        rule = (
            f"must be {place.unit.text}" if place.unit.text else f"must match {context['pattern']}"
        )
    else:
        rule = _RULES[kind].format(**context) if kind in _RULES else str(detail["msg"])
    if detail["loc"][-1:] == (KEY,):
        return rule.replace("must", "the key must", 1)
    return rule if kind == "string_pattern_mismatch" else _with(rule, place.description)


def _unknown_key(detail: Any, place: Place) -> str:
    known = list(place.holder.model_fields) if place.holder else []
    close = difflib.get_close_matches(str(detail["loc"][-1]), known, n=1)
    hint = f"did you mean '{close[0]}'?" if close else f"known keys: {', '.join(known)}"
    return f"unknown key; {hint}"


def _near(value: Any, place: Place) -> str:
    choices = get_args(place.annotation) if get_origin(place.annotation) is Literal else ()
    close = difflib.get_close_matches(str(value), [str(choice) for choice in choices], n=1)
    return f"; did you mean '{close[0]}'?" if close else ""


def _with(rule: str, words: str) -> str:
    return f"{rule} ({words})" if words else rule


def _remedy(value: Any, unit: Unit) -> str:
    """Return how a number that was written as text is written, where that is clear."""
    if not isinstance(value, str):
        return ""
    text = value.strip()
    try:
        number = float(text.removesuffix("%"))
    except ValueError:
        return ""
    if not math.isfinite(number):
        return ""
    if not text.endswith("%"):
        return "; write it without quotes"
    if unit.per_percent is None:
        return ""
    return f"; {text} is written {number * unit.per_percent:g}"
