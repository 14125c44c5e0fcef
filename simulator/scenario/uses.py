"""Parts of other scenarios: `use` takes named ones, each with what it needs and nothing else.

    use:
      copper-sto: {instruments: [producing_sto]}
      hard-assets-2026: {investors: [conservative], claims: [silver-100]}

An investor needs what he holds, a claim its investors and the series it measures, an instrument the
other instruments it stands on and the assets it follows. What is named takes the place of what the
file extends; what it needs is taken only where it is not there; the file's own words lie over both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from simulator.errors import InputError, Problem
from simulator.instruments.terms import InstrumentTerms
from simulator.scenario.instruments import of_its_kind, with_kinds
from simulator.scenario.investors import CASH
from simulator.scenario.observables import one_of
from simulator.scenario.shock_lists import KEY as SHOCKS
from simulator.scenario.shock_lists import Item, items_of
from simulator.scenario.shocks import read_condition
from simulator.schema.assets import USDC
from simulator.schema.fields import Faults
from simulator.schema.raw import Location, RawFile, dotted

KEY = "use"
SECTIONS = {
    "instruments": "an instrument",
    "investors": "an investor",
    "claims": "a claim",
    SHOCKS: "a shock",
}
"""What can be taken, and what one of it is called."""
_MARKET_OF_A_RUN = ("model", "calibration")

Part = tuple[str, str]
"""A section and a name in it; `("assets", "gold")` is an asset of the market."""


def named_parts(raw: RawFile, wanted: Any) -> dict[str, dict[str, list[str]]]:
    """Return what `use` asks for: by source and section, the names.

    Raises
    ------
    InputError
        It is not a mapping of sources to sections to lists of names.
    """
    if not isinstance(wanted, dict) or not wanted:
        rule = "must name scenarios and what is taken, as {copper-sto: {instruments: [NAME]}}"
        raise InputError([raw.problem((KEY,), "", rule)])
    problems = [p for source, parts in wanted.items() for p in _form_faults(raw, source, parts)]
    if problems:
        raise InputError(problems)
    return wanted


def _form_faults(raw: RawFile, source: Any, parts: Any) -> Iterator[Problem]:
    here: Location = (KEY, source)
    if not isinstance(parts, dict) or not parts:
        yield raw.problem(here, "", f"must have some of {', '.join(SECTIONS)}")
        return
    for section, names in parts.items():
        if section not in SECTIONS:
            rule = one_of(str(section), SECTIONS, "a section to take from")
            yield raw.problem((*here, section), "", rule)
        elif not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            yield raw.problem((*here, section), "", f"must be a list of names, as [{section[:-1]}]")


def taken(raw: RawFile, source: str, wanted: Mapping[str, list[str]], other: RawFile) -> Taken:
    """Return the parts of `other` that `raw` uses.

    What it has not is a problem of `raw`, at the line that asks for it; the rest is taken.
    """
    problems = _absent(raw, source, wanted, other)
    if problems:
        raw.problems += problems
        raw.broken.add((KEY,))
    named = [
        (section, name)
        for section, names in wanted.items()
        for name in names
        if name in _section(other.data, section)
    ]
    return Taken(other, named, _closure(other, named))


class Taken:
    """Parts of a scenario's file: those that were asked for, and those that these need."""

    def __init__(self, other: RawFile, named: Iterable[Part], needed: Iterable[Part]) -> None:
        self._other = other
        self._named = set(named)
        self._needed = [part for part in needed if part not in self._named]

    def asked_for(self) -> RawFile:
        """Return the file with what was named alone."""
        return _only(self._other, self._named)

    def shocks(self) -> list[Item]:
        """Return the shocks that were named, in their file's order."""
        wanted = {name for section, name in self._named if section == SHOCKS}
        return [item for item in items_of(self._other) if _name(item.data) in wanted]

    def replace_in(self, base: RawFile) -> None:
        """Take what was named out of a file that it would lie over: a part comes whole."""
        for section, name in self._named:
            if section != SHOCKS and name in _section(base.data, section):
                del base.data[section][name]
                base.drop((section, name))

    def lacking(self, there: Sequence[Mapping[str, Any]]) -> RawFile:
        """Return the file with what these parts need and none of some files' data has."""
        own = [("market", key) for key in _MARKET_OF_A_RUN]
        return _only(
            self._other,
            {
                (section, name)
                for section, name in (*self._needed, *own)
                if not any(name in _section(data, section) for data in there)
            },
        )


def _absent(
    raw: RawFile, source: str, wanted: Mapping[str, list[str]], other: RawFile
) -> list[Problem]:
    return [
        raw.problem((KEY, source, section, place), f"'{name}'", one_of(name, known, what))
        for section, names in wanted.items()
        for known in [_section(other.data, section)]
        for what in [f"{SECTIONS[section]} of {source}"]
        for place, name in enumerate(names)
        if name not in known
    ]


def _name(shock: Any) -> Any:
    return shock.get("name") if isinstance(shock, dict) else None


def _section(data: Any, section: str) -> Mapping[str, Any]:
    if section == SHOCKS:
        return {_name(item): item for item in data.get(SHOCKS) or () if isinstance(item, dict)}
    found = (data.get("market") or {}) if section in ("assets", "market") else data
    found = found if section == "market" else found.get(section)
    return found if isinstance(found, dict) else {}


def _only(other: RawFile, parts: set[Part]) -> RawFile:
    """Return a file that says of `other` nothing but some parts, in its order."""
    data: dict[str, Any] = {}
    for section in (name for name in SECTIONS if name != SHOCKS):
        kept = {k: v for k, v in _section(other.data, section).items() if (section, k) in parts}
        data |= {section: kept} if kept else {}
    market = {k: v for k, v in _section(other.data, "market").items() if ("market", k) in parts}
    assets = {k: v for k, v in _section(other.data, "assets").items() if ("assets", k) in parts}
    market |= {"assets": assets} if assets else {}
    data |= {"market": market} if market else {}
    return _cut(other, data)


def _cut(other: RawFile, data: Any) -> RawFile:
    """Return a file with some of another's data, with the lines and origins of these alone."""
    lines = {place: line for place, line in other.lines.items() if place and _is_in(data, place)}
    names = {dotted(place) for place in lines}
    origins = {name: origin for name, origin in other.provenance.items() if name in names}
    return RawFile(other.path, data, lines, origins, homes=dict(other.homes))


def _is_in(data: Any, place: Location) -> bool:
    for part in place:
        if not (part in data if isinstance(data, dict) else isinstance(data, list)):
            return False
        data = data[part]
    return True


# -- what a part needs -------------------------------------------------------------------------


def _closure(other: RawFile, named: Iterable[Part]) -> list[Part]:
    """Return parts and all that they need, each once."""
    terms = _terms(other)
    homes = {p.name: label for label, each in terms.items() for p in each.positions(label)}
    found: dict[Part, None] = {}
    waiting = list(named)
    while waiting:
        part = waiting.pop(0)
        if part not in found:
            found[part] = None
            waiting += _direct(part, other, terms, homes)
    return [part for part in found if part[1] in _section(other.data, part[0])]


def _terms(other: RawFile) -> dict[str, InstrumentTerms]:
    """Return the terms of a file's instruments; those that are faulty are told by who uses them."""
    found = {}
    try:
        section = with_kinds(_section(other.data, "instruments"))
    except Faults:
        return {}
    for label, data in section.items():
        try:
            found[label] = of_its_kind(data)
        except (Faults, ValidationError):
            continue
    return found


def _direct(
    part: Part,
    other: RawFile,
    terms: Mapping[str, InstrumentTerms],
    homes: Mapping[str, str],
) -> Iterator[Part]:
    section, name = part
    data = _section(other.data, section).get(name)
    if section == "instruments" and name in terms:
        needs = terms[name].needs()
        yield from (("instruments", label) for label in needs.instruments)
        yield from (("assets", asset) for asset in needs.assets)
    elif section == "investors" and isinstance(data, dict):
        held = [data.get("holding"), *(data.get("weights") or {})]
        yield from (("instruments", homes.get(h, h)) for h in held if h and h != CASH)
    elif section == "claims" and isinstance(data, dict):
        yield from _of_a_claim(data, homes)
    elif section == SHOCKS and isinstance(data, dict):
        yield from _of_a_shock(data, homes)


def _of_a_claim(data: Mapping[str, Any], homes: Mapping[str, str]) -> Iterator[Part]:
    """Yield whom a claim is about, what its series show, and whose numbers it names."""
    conditions = [*(data.get("conditions") or ()), *filter(None, [data.get("given")])]
    people = [data.get("subject"), data.get("against"), *(c.get("over") for c in conditions)]
    yield from (("investors", who) for who in people if who)
    names = [*(c.get("series") or "" for c in conditions), *(data.get("change") or {})]
    names += [*(data.get("break_even") or ()), *(data.get("follows_from") or ())]
    for name in names:
        head, *rest = name.split(".")
        if head in ("price", "ratio"):
            yield from (_of_a_price(asset) for asset in rest)
        elif head == "factor" and rest[0].startswith("central_bank"):
            yield ("market", "central_banks")
        elif head == "market":
            yield ("assets", rest[1]) if rest[:1] == ["assets"] else ("market", rest[0])
        elif head == "instruments":
            yield ("instruments", rest[0])
        elif head:
            yield ("instruments", homes.get(head, head))


def _of_a_shock(data: Mapping[str, Any], homes: Mapping[str, str]) -> Iterator[Part]:
    """Yield what a shock hits, and the asset whose close it waits for."""
    head, _, rest = str(data.get("target")).partition(".")
    if head in homes:
        yield ("instruments", homes[head])
    elif rest:
        yield ("assets", rest)
    seen = read_condition(str(data.get("when") or ""))
    if seen is not None:
        yield ("assets", seen.asset)


def _of_a_price(asset: str) -> Part:
    """Return where the market says what has a price: USDC has one where it can fall."""
    return ("market", "stablecoin") if asset == USDC else ("assets", asset)
