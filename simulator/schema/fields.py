"""The kinds of fields that scenarios are made of, and the faults across several of them."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field

from simulator.schema.texts import Described

Fault = tuple[tuple[str | int, ...], str, str]
"""Where it is, seen from the section that finds it, the value (may be empty), the rule."""


class Faults(ValueError):
    """Broken rules that join several fields of a section; all of them at once."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(_as_text(fault) for fault in self.faults))


def _as_text(fault: Fault) -> str:
    place, value, rule = fault
    named = ".".join(str(part) for part in place)
    return " ".join(part for part in (named, f"is {value};" if value else "", rule) if part)


def refuse(faults: Sequence[Fault]) -> None:
    """Raise `Faults`, if there are any."""
    if faults:
        raise Faults(faults)


@dataclass(frozen=True)
class Unit:
    """What a field's value means, for the message that refuses one.

    `text` stands in brackets behind the rule; `per_percent` is how 1 % is written.
    """

    text: str = ""
    per_percent: float | None = None

    def __get_pydantic_json_schema__(self, core: Any, handler: Any) -> dict[str, Any]:
        """Put the unit into a JSON schema, as `x-unit`."""
        found: dict[str, Any] = handler(core)
        return {**found, "x-unit": self.text} if self.text else found


@dataclass(frozen=True)
class Plausible:
    """The values of a field that somebody means; of others the user is warned.

    `remedy` says how what was probably meant is written. Zero is always meant, and so is a
    number with a note of its own.
    """

    low: float = -math.inf
    high: float = math.inf
    remedy: str = ""

    def rule(self, value: float) -> str:
        """Return what is odd about a value, empty where nothing is."""
        if value == 0 or self.low <= value <= self.high:
            return ""
        bound = f"below {self.low:g}" if value < self.low else f"above {self.high:g}"
        return f"{bound} is hardly meant; {self.remedy}, or give it a note that says why"


class Frozen(Described):
    """Base of all scenario models: unknown keys are refused, values cannot change.

    Strict: a number in quotes is text, and `true` is no number.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


def _whole(value: Any) -> Any:
    # YAML reads 1e4 as a float.
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _date(value: Any) -> Any:
    if not (isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value)):
        return value
    try:
        return dt.date.fromisoformat(value)
    except ValueError:
        return value


Share = Annotated[float, Field(ge=0, le=1), Unit("1 = 100 %", 0.01)]
OpenShare = Annotated[float, Field(gt=0, lt=1), Unit("1 = 100 %", 0.01)]
Bps = Annotated[float, Field(ge=0, le=10_000), Unit("10000 = 100 %", 100)]
_PERCENT = "5 % is written 0.05"
Rate = Annotated[
    float, Field(ge=0, le=10), Unit(per_percent=0.01), Plausible(high=3, remedy=_PERCENT)
]
Hazard = Annotated[
    float, Field(ge=0, le=10), Unit(per_percent=0.01), Plausible(high=2, remedy=_PERCENT)
]
"""Events a year: at 2 there is one on 86 % of the paths of a year."""
Yield = Annotated[
    float,
    Field(ge=0, le=5),
    Unit("1 = 100 % a year", 0.01),
    Plausible(high=1, remedy=_PERCENT),
]
Volatility = Annotated[
    float,
    Field(gt=0, le=5),
    Unit("1 = 100 % a year", 0.01),
    Plausible(high=2, remedy=_PERCENT),
]
Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
Slope = Annotated[float, Field(ge=-20, le=20)]
Fraction = Annotated[float, Unit("1 = 100 %", 0.01)]
Whole = Annotated[int, BeforeValidator(_whole)]
# pandas counts nanoseconds in 64 bits, which end in 2262; a chain's clock starts in 1970.
Day = Annotated[
    dt.date, BeforeValidator(_date), Field(ge=dt.date(1971, 1, 1), le=dt.date(2200, 1, 1))
]
Name = Annotated[
    str,
    Field(pattern=r"^[a-z0-9][a-z0-9_.-]*$", max_length=60),
    Unit("lower-case letters, digits, _, . and -"),
]
# Without a dot: --set and the list of assumptions write places as a.b.c.
Label = Annotated[
    str,
    Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=60),
    Unit("lower-case letters, digits, _ and -"),
]
