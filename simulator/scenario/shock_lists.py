"""Shocks of several files in one list: what is used comes first, the file's own after it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simulator.schema.raw import Location, Provenance, RawFile

KEY = "shocks"
_PLACE = re.compile(rf"{KEY}\[(\d+)\](.*)")


@dataclass(frozen=True)
class Item:
    """One shock of a file.

    lines : by place within it, origins : by what follows its own dotted name
    """

    data: Any
    home: str
    lines: Mapping[Location, int]
    origins: Mapping[str, Provenance]


def items_of(raw: RawFile) -> list[Item]:
    """Return the shocks of a file, each with the lines and origins of its values."""
    listed = raw.data.get(KEY)
    return [_item(raw, place, data) for place, data in enumerate(_as_list(listed))]


def _as_list(listed: Any) -> list[Any]:
    return listed if isinstance(listed, list) else []


def _item(raw: RawFile, place: int, data: Any) -> Item:
    head = (KEY, place)
    lines = {at[2:]: line for at, line in raw.lines.items() if at[:2] == head}
    home = raw.homes.get(head, raw.path)
    prefix = f"{KEY}[{place}]"
    origins = {
        name.removeprefix(prefix): origin
        for name, origin in raw.provenance.items()
        if name == prefix or name.startswith(f"{prefix}.")
    }
    return Item(data, home, lines, origins)


def put_first(raw: RawFile, items: Sequence[Item]) -> None:
    """Put shocks of other files before those of `raw`."""
    if not items:
        return
    count, own = len(items), raw.data.get(KEY)
    if own is not None and not isinstance(own, list):
        return  # it is refused for that
    raw.lines = {_shifted(at, count): line for at, line in raw.lines.items()}
    raw.homes = {_shifted(at, count): home for at, home in raw.homes.items()}
    raw.broken = {_shifted(at, count) for at in raw.broken}
    raw.given = {_shifted(at, count): option for at, option in raw.given.items()}
    raw.provenance = {_renamed(name, count): origin for name, origin in raw.provenance.items()}
    raw.data[KEY] = [*(item.data for item in items), *(own or ())]
    for place, item in enumerate(items):
        for at, line in item.lines.items():
            raw.lines[KEY, place, *at] = line
            raw.homes[KEY, place, *at] = item.home
        for rest, origin in item.origins.items():
            raw.provenance[f"{KEY}[{place}]{rest}"] = origin


def _shifted(at: Location, count: int) -> Location:
    if len(at) > 1 and at[0] == KEY and isinstance(at[1], int):
        return (KEY, at[1] + count, *at[2:])
    return at


def _renamed(name: str, count: int) -> str:
    found = _PLACE.fullmatch(name)
    return f"{KEY}[{int(found[1]) + count}]{found[2]}" if found else name
