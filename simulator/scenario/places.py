"""What the models say of a place in a file: its type, bounds, unit, and words."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from simulator.instruments.terms import InstrumentTerms
from simulator.scenario.instruments import terms_type
from simulator.schema.fields import Unit
from simulator.schema.raw import Location

Metadatum = TypeVar("Metadatum")

KEY = "[key]"
"""pydantic's mark for a fault of a mapping's key."""


@dataclass(frozen=True)
class Place:
    """What the models say of a location.

    Attributes
    ----------
    annotation : type
        Of the value, without `None`; None where the models do not know the location.
    metadata : tuple
        Bounds and units.
    description : str
        The words beneath the field, without their last full stop.
    holder : type of BaseModel or None
        The model that has the field.
    default : object
        What holds where a file does not say; `PydanticUndefined` where it must.
    """

    annotation: Any
    metadata: tuple[Any, ...] = ()
    description: str = ""
    holder: type[BaseModel] | None = None
    default: Any = PydanticUndefined

    @property
    def unit(self) -> Unit:
        """Return what a value means, which may be nothing."""
        return self.of(Unit) or Unit()

    def of(self, kind: type[Metadatum]) -> Metadatum | None:
        """Return the metadata of a type, or None."""
        return next((item for item in self.metadata if isinstance(item, kind)), None)


def place_of(model: type[BaseModel], location: Location, data: Any) -> Place:
    """Return what `model` says of a location in `data`, which tells the kinds of instruments."""
    place = Place(model)
    for position, part in enumerate(location):
        # The fault of a key stands one further than the key: (..., "assets", "iron", "[key]").
        is_key = location[position + 1 : position + 2] == (KEY,)
        place = peeled(_step(place, part, is_key))
        if is_key:
            break
        data = _inner(data, part)
        if place.annotation is InstrumentTerms:
            place = replace(place, annotation=terms_type(part, data))
    return place


def field_of(info: FieldInfo, holder: type[BaseModel]) -> Place:
    """Return what a model says of one of its fields."""
    words = " ".join((info.description or "").split()).rstrip(".")
    default = info.get_default(call_default_factory=True, validated_data={})
    return peeled(Place(info.annotation, tuple(info.metadata), words, holder, default))


def _inner(data: Any, part: str | int) -> Any:
    try:
        return data[part]
    except (LookupError, TypeError):
        return None


def _step(place: Place, part: str | int, is_key: bool) -> Place:
    origin, arguments = get_origin(place.annotation), get_args(place.annotation)
    if isinstance(place.annotation, type) and issubclass(place.annotation, BaseModel):
        info = place.annotation.model_fields.get(str(part))
        if info is None:
            return Place(None, holder=place.annotation)
        return field_of(info, place.annotation)
    if origin is dict:
        return Place(arguments[0] if is_key else arguments[1], holder=place.holder)
    if origin in (tuple, list):
        return Place(arguments[0], description=place.description, holder=place.holder)
    return Place(None, holder=place.holder)


def peeled(place: Place) -> Place:
    """Return the place with `Annotated` and `None` taken off its type, their metadata kept."""
    annotation, metadata = place.annotation, place.metadata
    while True:
        arguments = get_args(annotation)
        if get_origin(annotation) is Annotated:
            annotation = arguments[0]
            for item in arguments[1:]:
                metadata += tuple(item.metadata) if isinstance(item, FieldInfo) else (item,)
        elif get_origin(annotation) in (Union, UnionType) and len(arguments) == 2:
            annotation = next(kind for kind in arguments if kind is not type(None))
        else:
            return replace(place, annotation=annotation, metadata=metadata)


def number_rule(kind: str, place: Place) -> str:
    """Return what a number must be, as `must be 0 to 10000` or `must be above 0`."""
    bounds: dict[str, Any] = {}
    for item in place.metadata:
        for name in ("ge", "gt", "le", "lt"):
            if getattr(item, name, None) is not None:
                bounds[name] = getattr(item, name)
    if {"ge", "le"} <= set(bounds):
        span = f"{_bound(bounds['ge'])} to {_bound(bounds['le'])}"
        return f"must be {kind}, {span}" if kind else f"must be {span}"
    words = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}
    span = " and ".join(f"{words[name]} {_bound(bounds[name])}" for name in words if name in bounds)
    return " ".join(part for part in ("must be", kind, span) if part)


def _bound(value: Any) -> str:
    if isinstance(value, dt.date):
        return value.isoformat()
    return f"{value:.12g}" if isinstance(value, float) else str(value)
