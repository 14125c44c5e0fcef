"""The JSON schema of scenario files, for editors and for programs that write scenarios.

It is pydantic's schema of the models, with what a file may say beyond them: a figure with its
origin in place of a value, `null` for what `extends` brings and is taken away, `extends` and `use`.
Rules that join several fields, and names that must be there, only `assay scenario check` knows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from simulator.instruments.registry import cards
from simulator.scenario.extends import KEY as EXTENDS
from simulator.scenario.instruments import SECTION
from simulator.scenario.models import Scenario
from simulator.scenario.uses import KEY as USE
from simulator.scenario.uses import SECTIONS
from simulator.schema.raw import MARKS

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_MODE: JsonSchemaMode = "validation"
_NUMBERS = ("number", "integer")
_BOUNDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}
_GROUPED_DIGITS = {"type": "string", "pattern": r"^[+-]?\d+(_\d+)+(\.\d+)?$"}
"""`1_000` is a number for Assay and YAML 1.1, and text for editors that read YAML 1.2."""

Schema = dict[str, Any]


def scenario_schema() -> Schema:
    """Return the JSON schema (draft 2020-12) that every valid scenario file fits.

    Nothing is required of a file that extends or uses another, and of groups nothing at all: what
    they lack may come from there. A file without either needs what a scenario needs.
    """
    models: list[tuple[type[BaseModel], JsonSchemaMode]] = [(Scenario, _MODE)]
    models += [(card.terms, _MODE) for card in cards().values()]
    references, whole = models_json_schema(models)
    definitions = {name: _as_written(item) for name, item in whole["$defs"].items()}
    root = definitions[references[(Scenario, _MODE)]["$ref"].rpartition("/")[2]]
    root["properties"] |= {SECTION: _instruments(references, definitions), **_whole_files()}
    return {
        "$schema": DIALECT,
        "title": "An Assay scenario",
        **root,
        "if": {"not": {"anyOf": [{"required": [EXTENDS]}, {"required": [USE]}]}},
        "then": {"required": [n for n, f in Scenario.model_fields.items() if _is_needed(n, f)]},
        "$defs": definitions,
    }


def _is_needed(name: str, field: Any) -> bool:
    return field.is_required() and name not in ("start", "replay")


def _instruments(references: Any, definitions: Schema) -> Schema:
    """Return the section of instruments: labels by kind, and kinds that are their own label."""
    named = {}
    for kind, card in cards().items():
        name = references[(card.terms, _MODE)]["$ref"].rpartition("/")[2]
        definitions[name]["properties"]["kind"] = {"const": kind, "description": card.about}
        labelled = f"{name}-by-kind"
        definitions[labelled] = {"$ref": f"#/$defs/{name}", "required": ["kind"]}
        named[kind] = (f"#/$defs/{name}", f"#/$defs/{labelled}")
    # A label that extends another file's may leave its kind to that file.
    inherited = {"type": "object", "not": {"required": ["kind"]}}
    others = [{"$ref": by_kind} for _, by_kind in named.values()]
    return {
        "description": "What is held, by label, and the terms of its kind.",
        "type": "object",
        "properties": {kind: _or_null({"$ref": plain}) for kind, (plain, _) in named.items()},
        "additionalProperties": _or_null({"anyOf": [*others, inherited]}),
    }


def _whole_files() -> Schema:
    """Return what a file may say of other files."""
    text, names = {"type": "string"}, {"type": "array", "items": {"type": "string"}}
    parts = dict.fromkeys(SECTIONS, names)
    source = {"type": "object", "properties": parts, "additionalProperties": False}
    return {
        EXTENDS: {
            "description": "A scenario, or several, that this file is laid over.",
            "anyOf": [text, names],
        },
        USE: {
            "description": "Named parts of other scenarios, each with what it needs.",
            "type": "object",
            "additionalProperties": source,
        },
    }


# -- what may stand in place of a value --------------------------------------------------------


def _as_written(schema: Schema) -> Schema:
    """Return an object's schema with what a file may write for each of its fields."""
    if "properties" not in schema:
        return schema
    fields = {name: _field(item) for name, item in schema["properties"].items()}
    kept = {k: v for k, v in schema.items() if k not in ("required", "title", "properties")}
    return {**kept, "properties": fields}


def _field(schema: Schema) -> Schema:
    """Return a field's schema: its words outside, then the value, a figure, or null."""
    words: Schema = {key: schema[key] for key in ("description", "default") if key in schema}
    inner = {k: v for k, v in schema.items() if k not in (*words, "title")}
    return {**words, **_or_null(_value(inner))}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [*_choices(schema), {"type": "null"}]}


def _choices(schema: Schema) -> Iterator[Schema]:
    if set(schema) == {"anyOf"}:
        for choice in schema["anyOf"]:
            if choice != {"type": "null"}:
                yield from _choices(choice)
    else:
        yield schema


def _value(schema: Schema) -> Schema:
    """Return a schema with numbers, at any depth, as plain or as figures with an origin."""
    if schema.get("type") in _NUMBERS:
        return _number(schema)
    found = dict(schema)
    if isinstance(found.get("items"), dict):
        found["items"] = _value(found["items"])
    if isinstance(found.get("additionalProperties"), dict):
        found["additionalProperties"] = _or_null(_value(found["additionalProperties"]))
    if "patternProperties" in found:
        named = found["patternProperties"].items()
        found["patternProperties"] = {name: _or_null(_value(item)) for name, item in named}
    for key in ("anyOf", "prefixItems"):
        if key in found:
            found[key] = [_value(item) for item in found[key]]
    return found


def _number(schema: Schema) -> Schema:
    plain = {_BOUNDS.get(key, key): value for key, value in schema.items()}
    text = {"type": "string"}
    origin = dict.fromkeys(("source", "note"), text) | {"mark": {"enum": list(MARKS)}}
    day = {"description": "Day, month or year of the source.", "type": ["string", "integer"]}
    figure = {
        "type": "object",
        "required": ["value"],
        "additionalProperties": False,
        "properties": {
            "value": {"anyOf": [plain, _GROUPED_DIGITS]},
            **origin,
            "date": day,
            "range": {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2},
        },
    }
    return {"anyOf": [plain, _GROUPED_DIGITS, figure]}
