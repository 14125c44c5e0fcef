"""What one field is, which ready scenarios set it, and which claims turn on it."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from simulator.errors import UsageError
from simulator.instruments.registry import cards
from simulator.scenario.instruments import SECTION
from simulator.scenario.reader import read_yaml
from simulator.scenario.reference import Field, all_fields
from simulator.schema.raw import ASSUMPTION, Location, Provenance, RawFile, dotted

_NAMED_BY = ("break_even", "follows_from", "change")
_CHOSEN = re.compile(r"[A-Z]+")


def read_figures(path: Path) -> RawFile:
    """Read one file by itself, with the origins of its figures."""
    return read_yaml(path, figures=True)


@dataclass(frozen=True)
class Setting:
    """A value that a file gives a field.

    file : name of the scenario, place : dotted, origin : where the figure comes from
    """

    file: str
    place: str
    value: str
    origin: Provenance


@dataclass(frozen=True)
class Explained:
    """A field, with what uses it.

    of : what the instrument is whose field it is, empty for others
    settings : values that files give it, claims : (file, claim) that name it
    """

    field: Field
    of: str
    settings: tuple[Setting, ...]
    claims: tuple[tuple[str, str], ...]


def explained(
    name: str, files: Iterable[Path], read: Callable[[Path], RawFile] = read_figures
) -> Explained:
    """Return what is known of a field.

    Parameters
    ----------
    name : str
        Dotted, with a label or a kind where a file has a label, `instruments.` left out or not; or
        its end, if no other field's name ends so.
    files : iterable of Path
        Scenarios to look for values in.
    read : callable
        Reads one of them; by default without what it extends or uses.

    Raises
    ------
    UsageError
        No field is called so, or several are.
    InputError
        A file cannot be read.
    """
    raws = {path.stem: read(path) for path in files}
    field = _found(_with_kind(name, raws.values()))
    settings = [s for stem, raw in raws.items() for s in _settings(field, stem, raw)]
    claims = [(stem, claim) for stem, raw in raws.items() for claim in _claims(field, raw)]
    return Explained(field, _of(field), tuple(settings), tuple(claims))


def _of(field: Field) -> str:
    section, _, rest = field.name.partition(".")
    kind = rest.partition(".")[0]
    return f"{kind}: {cards()[kind].about}" if section == SECTION else ""


def _with_kind(name: str, raws: Collection[RawFile]) -> str:
    """Return a name with the kind in place of a label, where a file says what the label is."""
    section, _, rest = name.partition(".")
    if rest and any(_kind(raw.data, section) for raw in raws):
        section, rest = SECTION, name
    label, _, field = rest.partition(".")
    if section != SECTION or label in cards():
        return f"{section}.{rest}" if rest else name
    kinds = {_kind(raw.data, label) for raw in raws} - {""}
    return f"{SECTION}.{kinds.pop()}.{field}" if len(kinds) == 1 else name


def _kind(data: Any, label: str) -> str:
    terms = (data.get(SECTION) or {}).get(label)
    kind = terms.get("kind", label) if isinstance(terms, dict) else ""
    return kind if kind in cards() else ""


def _found(name: str) -> Field:
    everything = [field for fields in all_fields().values() for field in fields]
    exact = [field for field in everything if _fits(field.name, name)]
    found = exact or [f for f in everything if f.name.endswith(f".{name}")]
    if len(found) == 1:
        return found[0]
    names = [field.name for field in found]
    if names:
        raise UsageError(f"{name} is the end of several names: {', '.join(names)}")
    known = [field.name for field in everything]
    ends = {known_name.rpartition(".")[2]: known_name for known_name in known}
    near = get_close_matches(name, known, n=3, cutoff=0.6)
    near += [ends[end] for end in get_close_matches(name.rpartition(".")[2], ends, n=2)]
    hint = f"; did you mean {' or '.join(dict.fromkeys(near))}?" if near else ""
    raise UsageError(f"no field is called {name}{hint}")


def _fits(pattern: str, name: str) -> bool:
    """Return whether a name is a field's: what a file chooses stands there in capitals."""
    parts, given = pattern.split("."), re.sub(r"\[\d*\]", "[]", name).split(".")
    return len(parts) == len(given) and all(
        part == word or _CHOSEN.fullmatch(part) is not None
        for part, word in zip(parts, given, strict=True)
    )


def _settings(field: Field, stem: str, raw: RawFile) -> Iterator[Setting]:
    parts = re.sub(r"\[\]", ".[]", field.name).split(".")
    for place, value in _values(raw.data, parts, ()):
        name = dotted(place)
        shown = "a group" if isinstance(value, dict) else str(value)
        if value is not None:
            yield Setting(stem, name, shown, raw.provenance.get(name, ASSUMPTION))


def _values(data: Any, parts: list[str], at: Location) -> Iterator[tuple[Location, Any]]:
    """Yield each value that a file has for a field's pattern, with its place."""
    if not parts:
        yield at, data
        return
    head, *rest = parts
    if isinstance(data, list) and head == "[]":
        for position, item in enumerate(data):
            yield from _values(item, rest, (*at, position))
    elif isinstance(data, dict):
        for key, item in data.items():
            if key == head or _CHOSEN.fullmatch(head) or _is_label_of(head, key, item, at):
                yield from _values(item, rest, (*at, key))


def _is_label_of(kind: str, label: Any, item: Any, at: Location) -> bool:
    """Return whether an instrument's label is of a kind that a field's name has in its place."""
    return at == (SECTION,) and isinstance(item, dict) and item.get("kind", label) == kind


def _claims(field: Field, raw: RawFile) -> Iterator[str]:
    for name, claim in (raw.data.get("claims") or {}).items():
        named = [n for key in _NAMED_BY for n in (claim or {}).get(key) or ()]
        if any(_fits(field.name, _with_kind(str(each), [raw])) for each in named):
            yield name
