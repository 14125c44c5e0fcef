"""What of a file is left to be looked at when its faulty values are taken out."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from simulator.schema.raw import Location

_A_THING = 2
"""So long is the place of an instrument, an investor, a claim, a shock."""
_NAMED = ("instruments", "investors")
_TOGETHER = ("market", "instruments")
"""Sections that are one thing: an instrument stands on others, an asset beside others."""


class Rest:
    """A file's data less what was faulty.

    A number gives way to one that is allowed, another value is left out; an item of a list is taken
    out whole. `original` says where in the file a place of the rest stands.
    """

    def __init__(self, data: Any) -> None:
        self.data = data
        self._taken: list[Location] = []
        self._kept: dict[Location, list[int]] = {}

    def original(self, place: Location) -> Location:
        """Return where in the file a place of the rest stands."""
        found: Location = ()
        for part in place:
            kept = self._kept.get(found, [])
            is_moved = isinstance(part, int) and part < len(kept)
            found = (*found, kept[int(part)] if is_moved else part)
        return found

    def touches(self, place: Location) -> bool:
        """Return whether a place lies around, or in the same thing as, what was taken out.

        A fault there may follow from its absence: what a number of an instrument must be hangs on
        its others, and on those of what it stands on.
        """
        return any(
            _thing(place) == _thing(taken) or taken[: len(place)] == place for taken in self._taken
        )

    def without(self, faulty: Mapping[Location, float | None]) -> bool:
        """Take faulty places of the file out of the rest; return whether all could be.

        Groups stay, and so does what the whole file has, as its horizon: too much else stands on
        them. `faulty` has by place a number that is allowed there, or None.
        """
        fresh = {_whole(place): allowed for place, allowed in faulty.items()}
        cut = copy.deepcopy(self.data) if fresh else self.data
        order = sorted(fresh, key=_last_first)
        taken = [place for place in order if self._take(cut, place, fresh[place])]
        self.data = cut
        self._taken += taken
        return 0 < len(taken) == len(fresh) and not any(map(_is_named, fresh))

    def _take(self, data: Any, place: Location, allowed: float | None) -> bool:
        *way, last = place or (None,)
        above: Location = ()
        for part in way:
            data = _item(data, self._now(above, part))
            above = (*above, part)
        if isinstance(data, dict) and not isinstance(data.get(last, {}), dict):
            del data[last]
            if allowed is not None:
                data[last] = allowed
            return True
        if isinstance(data, list) and isinstance(last, int):
            now = self._now(above, last)
            if now is not None and now < len(data):
                kept = self._kept.setdefault(above, list(range(len(data))))
                del data[now], kept[now]
                return True
        return False

    def _now(self, above: Location, part: Any) -> Any:
        """Return where an item of the file's list stands in the rest; None where it is gone."""
        kept = self._kept.get(above)
        if kept is None or not isinstance(part, int):
            return part
        return kept.index(part) if part in kept else None


def _item(data: Any, part: Any) -> Any:
    if isinstance(data, dict):
        return data.get(part)
    is_there = isinstance(data, list) and isinstance(part, int) and part < len(data)
    return data[part] if is_there else None


def _thing(place: Location) -> Location:
    """Return the place of the thing that a value is of."""
    return place[: 1 if place[:1] and place[0] in _TOGETHER else _A_THING]


def _whole(place: Location) -> Location:
    """Return a place, or the first list's item that it lies in."""
    first = next((k for k, part in enumerate(place) if isinstance(part, int)), len(place))
    return place[: first + 1]


def _is_named(place: Location) -> bool:
    """Return whether others may name what stands there: a section, an instrument, an investor."""
    named = len(place) == _A_THING and place[0] in _NAMED
    return named or len(place) < _A_THING


def _last_first(place: Location) -> tuple[int, int]:
    """Let the last items of a list be taken out first, and what lies deepest before all."""
    last = place[-1] if place else 0
    return (-len(place), -last if isinstance(last, int) else 0)
