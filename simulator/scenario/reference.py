"""Every field that a scenario may have: what it is, its unit and bounds, its default.

The texts are those beneath the fields in the models, so that a message, `assay explain`, the JSON
schema and the reference page say the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from simulator.instruments.registry import cards
from simulator.instruments.terms import InstrumentTerms
from simulator.scenario.models import Scenario
from simulator.scenario.places import Place, field_of, number_rule, peeled
from simulator.schema.fields import Plausible

_SECTION = "instruments"
_ONE_OF = {"assets": "ASSET", "investors": "INVESTOR", "claims": "CLAIM", "used": "KIND"}
"""What a key of a mapping stands for, by the mapping's field."""


@dataclass(frozen=True)
class Field:
    """A field of scenarios.

    Attributes
    ----------
    name : str
        Dotted; what a file chooses stands in capitals, as in `market.assets.ASSET.drift`, and a
        kind stands for a label of it.
    words : str
        What it is.
    rule : str
        What it must be: type, bounds, unit.
    default : str
        What holds where a file does not say, as a file would write it; empty where it must.
    warned : str
        Of which values the user is warned.
    """

    name: str
    words: str
    rule: str
    default: str
    warned: str = ""


def all_fields() -> dict[str, tuple[Field, ...]]:
    """Return every field, by section of a scenario and by kind of instrument."""
    found: dict[str, list[Field]] = {"scenario": []}
    for name, info in Scenario.model_fields.items():
        place = field_of(info, Scenario)
        if name == _SECTION:
            continue
        inner = list(_below(name, place))
        found.setdefault(name if inner else "scenario", []).extend(inner or [_field(name, place)])
    for kind, card in cards().items():
        found[f"{_SECTION}.{kind}"] = list(_of_model(f"{_SECTION}.{kind}", card.terms))
    return {section: tuple(fields) for section, fields in found.items()}


def _of_model(at: str, model: type[BaseModel]) -> Iterator[Field]:
    for name, info in model.model_fields.items():
        if not (issubclass(model, InstrumentTerms) and name == "kind"):
            place = field_of(info, model)
            yield _field(f"{at}.{name}", place)
            yield from _below(f"{at}.{name}", place)


def _below(at: str, place: Place) -> Iterator[Field]:
    """Yield the fields within a field: of a group, of one of many, of an item of a list."""
    kind, origin, inner = place.annotation, get_origin(place.annotation), get_args(place.annotation)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield from _of_model(at, kind)
    elif origin in (dict, Mapping):
        one = _ONE_OF.get(at.rpartition(".")[2], "NAME")
        yield from _below(f"{at}.{one}", peeled(Place(inner[1])))
    elif origin in (tuple, list) and len(inner) == 2 and inner[1] is Ellipsis:
        yield from _below(f"{at}[]", peeled(Place(inner[0])))


def _field(name: str, place: Place) -> Field:
    odd = place.of(Plausible)
    return Field(name, place.description, rule_of(place), _default(place), _warned(odd))


def rule_of(place: Place) -> str:
    """Return what a value must be, in words: `0 to 10`, `one of long, short`, `a group`."""
    kind, inner = place.annotation, get_args(place.annotation)
    origin = get_origin(kind)
    if origin is Literal:
        return f"one of {', '.join(str(choice) for choice in inner)}"
    if origin in (dict, Mapping):
        return f"a mapping; each {rule_of(peeled(Place(inner[1])))}"
    if origin in (tuple, list):
        item = rule_of(peeled(replace(place, annotation=inner[0], metadata=())))
        return f"a list; each {item}"
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return "a group"
    if kind in (float, int):
        span = number_rule("a whole number" if kind is int else "", place).removeprefix("must be")
        unit = f" ({place.unit.text})" if place.unit.text else ""
        return (span.strip() or "a number") + unit
    words = {bool: "true or false", str: place.unit.text or "text"}
    return words.get(kind, "a date" if getattr(kind, "__name__", "") == "date" else "any value")


def _default(place: Place) -> str:
    """Return a default as a file writes it; of a group its fields have their own."""
    value = place.default
    if value is PydanticUndefined or isinstance(value, BaseModel):
        return ""
    return _as_yaml(value)


def _as_yaml(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple | list):
        return f"[{', '.join(_as_yaml(item) for item in value)}]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{k}: {_as_yaml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, float):
        return f"{value:.12g}"
    return f'"{value}"' if value == "" else str(value)


def _warned(odd: Plausible | None) -> str:
    if odd is None:
        return ""
    ends = [f"below {odd.low:g}"] if odd.low > float("-inf") else []
    ends += [f"above {odd.high:g}"] if odd.high < float("inf") else []
    return f"{' and '.join(ends)}; {odd.remedy}"
