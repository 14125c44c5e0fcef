"""The numbers of a scenario by name: what stands there, within which bounds, and changed."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from simulator.errors import InputError, Problem, UsageError
from simulator.market.build import market_spec
from simulator.scenario.calibration import Calibration
from simulator.scenario.instruments import as_named_now
from simulator.scenario.loader import Location, RawFile, dotted, validate
from simulator.scenario.models import AssetTerms, Scenario
from simulator.schema.fields import Unit

GROUPS = ("market", "instruments", "gas", "investors")
"""The sections that describe the world; what a claim demands is no input."""

OPEN_MARGIN = 1e-3
"""How far, as a share of the range, one stays away from a bound that is not allowed itself."""
SPREAD = 10.0
"""Without bounds a value is looked for between a tenth and ten times the present one."""
_HALVINGS = 40
_NAMES = 5
"""So many names are suggested in place of an unknown one, the likest first."""


@dataclass(frozen=True)
class Bounds:
    """What a field allows; infinite where it allows everything."""

    low: float = -math.inf
    high: float = math.inf
    low_open: bool = False
    high_open: bool = False

    def clip(self, value: float) -> float:
        """Return the allowed value nearest to `value`; open bounds as `OPEN_MARGIN` says."""
        margin = OPEN_MARGIN * (self.high - self.low)
        margin = margin if math.isfinite(margin) else 0.0
        low = self.low + margin if self.low_open else self.low
        high = self.high - margin if self.high_open else self.high
        return min(max(value, low), high)


@dataclass(frozen=True)
class Input:
    """A continuous number of a scenario.

    Attributes
    ----------
    name : str
        Dotted, as `--set` takes it.
    value : float
        What stands there; the calibration's figure where the scenario leaves it to that.
    default : float or None
        What the model puts there when a scenario says nothing.
    unit : str
        What the value is counted in, as `a year` or `USD per tonne`; empty for a plain number.
    """

    name: str
    location: Location
    value: float
    default: float | None
    bounds: Bounds
    description: str
    unit: str = ""


def inputs(scenario: Scenario, calibration: Calibration) -> dict[str, Input]:
    """Return every continuous number of the world by its dotted name, in the file's order.

    Whole numbers (days, counts) and lists are left out: neither has a value in between.
    """
    fitted: dict[Location, float] = {
        ("market", "assets", name, figure): getattr(figures, figure).value
        for name, figures in calibration.assets.items()
        for figure in _calibrated(scenario)
    }
    found = [
        item for group in GROUPS for item in _collect(getattr(scenario, group), (group,), fitted)
    ]
    return {item.name: _priced(item, calibration) for item in found}


def _priced(item: Input, calibration: Calibration) -> Input:
    """Return an asset's price in the asset's own unit."""
    if item.location[:2] != ("market", "assets") or item.location[3] != "price":
        return item
    return replace(item, unit=calibration.assets[str(item.location[2])].price.unit)


def _calibrated(scenario: Scenario) -> tuple[str, ...]:
    """Return which of an asset's numbers the calibration gives where the scenario does not.

    A bootstrap has the volatility of its history, and a history its prices too.
    """
    if scenario.market.model == "history":
        return ()
    return ("price",) if scenario.market.model == "bootstrap" else ("price", "volatility")


def _collect(value: Any, location: Location, fitted: Mapping[Location, float]) -> Iterator[Input]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _collect(item, (*location, key), fitted)
    if not isinstance(value, BaseModel):
        return
    for name, info in type(value).model_fields.items():
        here, item = (*location, name), getattr(value, name)
        if item is None and isinstance(value, AssetTerms):
            item = fitted.get(here)
        if isinstance(item, float):
            default = info.default if isinstance(info.default, float) else None
            words = " ".join((info.description or "").split())
            bounds, unit = _bounds(info), unit_of(name, words, info)
            yield Input(dotted(here), here, item, default, bounds, words, unit)
        else:
            yield from _collect(item, here, fitted)


_ENDINGS = (
    ("usd_per_lb", "USD per lb"),
    ("usd_per_tonne", "USD per tonne"),
    ("usd_a_year", "USD a year"),
    ("tonnes_a_day", "tonnes a day"),
    ("tonnes_a_year", "tonnes a year"),
    ("tokens_per_day", "tokens a day"),
    ("usd", "USD"),
    ("bps", "bps"),
    ("gwei", "gwei"),
    ("ounces", "ounces"),
    ("tonnes", "tonnes"),
    ("tokens", "tokens"),
    ("days", "days"),
    ("years", "years"),
)
"""The units that stand in names, the longest first."""


def unit_of(name: str, description: str, info: FieldInfo) -> str:
    """Return the unit of a field: that in its name, else what its description says.

    A share of something, 0 to 1, has none of its own, and says what 1 is.
    """
    for ending, unit in _ENDINGS:
        if name == ending or name.endswith(f"_{ending}"):
            return unit
    if re.search(r"\b(a year|annual)\b", description.lower()):
        return "a year"
    return next(
        (rule.text for rule in _rules(info.annotation, info.metadata) if isinstance(rule, Unit)), ""
    )


def _bounds(info: FieldInfo) -> Bounds:
    given: dict[str, float] = {}
    for rule in _rules(info.annotation, info.metadata):
        for word in ("ge", "gt", "le", "lt"):
            if getattr(rule, word, None) is not None:
                given[word] = float(getattr(rule, word))
    return Bounds(
        low=given.get("ge", given.get("gt", -math.inf)),
        high=given.get("le", given.get("lt", math.inf)),
        low_open="gt" in given,
        high_open="lt" in given,
    )


def _rules(annotation: Any, metadata: Any) -> Iterator[Any]:
    """Yield the constraints of a type, those within `X | None` included."""
    for item in metadata:
        yield from item.metadata if isinstance(item, FieldInfo) else (item,)
    for inner in get_args(annotation):
        yield from _rules(inner, getattr(inner, "__metadata__", ()))


def find_input(scenario: Scenario, calibration: Calibration, name: str) -> Input:
    """Return the input a user means by its dotted name or the last part or parts of it.

    Raises
    ------
    UsageError
        There is none (the nearest names are suggested), several are meant, or it is a whole
        number.
    """
    known = inputs(scenario, calibration)
    full = find_name(scenario, calibration, name)
    if full not in known:
        raise UsageError(f"{full} is a whole number, without values in between; sweep it")
    return known[full]


def find_name(scenario: Scenario, calibration: Calibration, name: str) -> str:
    """Return the dotted name of a number of the scenario, from the last part or parts of it.

    Raises
    ------
    UsageError
        There is none (the nearest names are suggested), or several are meant.
    """
    known = [*inputs(scenario, calibration), *_whole_numbers(scenario)]
    if name in known:
        return name
    meant = _aliases(scenario).get(name) or [full for full in known if full.endswith(f".{name}")]
    if len(meant) > 1:
        raise UsageError(f"{name} may mean {', '.join(meant)}; name one of them")
    if not meant:
        now = as_named_now(name)
        hint = f"it is called {now} now" if now in known else _nearest(scenario, known, name)
        raise UsageError(f"no parameter {name} in this scenario; {hint}")
    return meant[0]


def _aliases(scenario: Scenario) -> dict[str, list[str]]:
    """Return what people call a number where the file's own name differs, and all it may mean."""
    found: dict[str, list[str]] = {}
    for label, terms in scenario.instruments.items():
        for alias, own in terms.aliases.items():
            found.setdefault(alias, []).append(f"instruments.{label}.{own}")
    return found


def _whole_numbers(scenario: Scenario) -> list[str]:
    found: list[str] = []

    def walk(value: Any, location: Location) -> None:
        if isinstance(value, dict):
            for key, item in value.items():
                walk(item, (*location, key))
        elif isinstance(value, int) and not isinstance(value, bool):
            found.append(dotted(location))

    walk(scenario.model_dump(), ())
    return found


def _nearest(scenario: Scenario, known: Sequence[str], name: str) -> str:
    by_last: dict[str, list[str]] = {}
    for full in known:
        by_last.setdefault(full.rpartition(".")[2], []).append(full)
    for alias, meant in _aliases(scenario).items():
        by_last.setdefault(alias, []).extend(meant)
    words = name.rpartition(".")[2]
    close = [full for last in difflib.get_close_matches(words, by_last) for full in by_last[last]]
    close = close or difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    if close:
        parts = name.count(".") + 1
        alike = sorted(
            dict.fromkeys(close),
            key=lambda full: -_likeness(".".join(full.split(".")[-parts:]), name),
        )
        return f"did you mean {', '.join(alike[:_NAMES])}?"
    return "assay scenario show lists them all"


def _likeness(known: str, name: str) -> float:
    return difflib.SequenceMatcher(None, known, name).ratio()


def find_claim(scenario: Scenario, name: str) -> str:
    """Return `name`, if the scenario has such a claim.

    Raises
    ------
    UsageError
    """
    if name in scenario.claims:
        return name
    close = difflib.get_close_matches(name, scenario.claims, n=1, cutoff=0.8)
    hint = f"did you mean {close[0]}?" if close else f"it has {', '.join(scenario.claims)}"
    raise UsageError(f"scenario {scenario.name} has no claim {name}; {hint}")


def with_value(scenario: Scenario, location: Location, value: float, origin: str) -> Scenario:
    """Return the scenario with one number changed, validated as if the file said so.

    Parameters
    ----------
    origin : str
        Where the value came from, for the message that refuses it: an option's name.

    Raises
    ------
    InputError
    """
    data = scenario.model_dump()
    node: Any = data
    for part in location[:-1]:
        node = node[part]
    node[location[-1]] = value
    return validate(Scenario, RawFile(path=origin, data=data, given={location: origin}))


def world_with(
    scenario: Scenario, calibration: Calibration, item: Input, value: float, origin: str
) -> Scenario:
    """Return the scenario with an input changed, if its market can be built too.

    Raises
    ------
    InputError
    """
    changed = with_value(scenario, item.location, value, origin)
    try:
        # The spec refuses some of its numbers only when it makes its tables.
        _ = market_spec(changed, calibration).tables
    except ValueError as error:
        raise InputError([Problem(origin, None, item.name, f"{value:.6g}", str(error))]) from None
    except InputError as error:
        # What the scenario itself cannot have is the fault of the value that was put in.
        raise InputError(
            [
                Problem(origin, None, item.name, f"{value:.6g}", fault.rule)
                if fault.file == changed.name
                else fault
                for fault in error.problems
            ]
        ) from None
    return changed


def default_range(scenario: Scenario, calibration: Calibration, item: Input) -> tuple[float, float]:
    """Return where a value is looked for when nobody says.

    Each end is the field's own bound; where it has none, ten times the present value (ten
    times its size away from it, where it may be negative), and below, where the bound of
    zero is not allowed itself, a tenth. An end that contradicts the rest of the scenario moves
    towards the present value until it does not.

    Raises
    ------
    UsageError
        The present value is zero and the field has no bounds.
    """
    bounds, value = item.bounds, item.value
    low, high = bounds.clip(-math.inf), bounds.clip(math.inf)
    if not (math.isfinite(low) and math.isfinite(high)) and value == 0:
        raise UsageError(f"{item.name} is 0 and has no bounds; give --low and --high")
    if not math.isfinite(high):
        high = value + (SPREAD - 1 if bounds.low >= 0 else SPREAD) * abs(value)
        low = value / SPREAD if bounds.low_open and bounds.low == 0 else low
    if not math.isfinite(low):
        low = value - SPREAD * abs(value)
    return (
        nearest_allowed(scenario, calibration, item, low),
        nearest_allowed(scenario, calibration, item, high),
    )


def nearest_allowed(
    scenario: Scenario, calibration: Calibration, item: Input, wanted: float
) -> float:
    """Return the value nearest to `wanted`, on the way from the present one, that is allowed."""
    if _allowed(scenario, calibration, item, wanted):
        return wanted
    good, bad = item.value, wanted
    for _ in range(_HALVINGS):
        middle = 0.5 * (good + bad)
        if _allowed(scenario, calibration, item, middle):
            good = middle
        else:
            bad = middle
    return good


def _allowed(scenario: Scenario, calibration: Calibration, item: Input, value: float) -> bool:
    try:
        world_with(scenario, calibration, item, value, item.name)
    except InputError:
        return False
    return True
