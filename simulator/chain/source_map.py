"""Reads the map of a contract: which statement an instruction is of, which variable a slot."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

WORD = 32
_FURTHEST = 64
"""Slots of the largest value that a mapping holds."""

Preimages = Mapping[int, bytes]
"""What was hashed, by its hash: where a mapping keeps a value is the hash of its slot and key."""
Told = Callable[[str, int], str]
"""Tells a word of a type."""


@dataclass(frozen=True)
class Place:
    """A statement of a source; a library's has no text."""

    file: str
    function: str
    line: int
    text: str

    def __str__(self) -> str:
        """Return it as `FILE:LINE in FUNCTION: TEXT`."""
        told = f"{self.file}:{self.line} in {self.function}"
        return f"{told}: {self.text}" if self.text else told


@dataclass(frozen=True)
class _Region:
    """A part of storage: what it is called, its type, and how far into it a slot lies."""

    name: str
    kind: Any
    offset: int


class SourceMap:
    """The map that an artifact has, or none."""

    def __init__(self, found: Mapping[str, Any] | None) -> None:
        raw = found or {"places": [], "lines": [], "errors": [], "checks": [], "variables": []}
        self._places = [Place(*one) for one in raw["places"]]
        self._errors: Sequence[str] = raw["errors"]
        self._lines = _Runs(raw["lines"])
        self._checks = _Runs(raw["checks"])
        self._variables = [(name, slot, kind) for name, slot, kind in raw["variables"]]

    def place(self, trail: Sequence[int]) -> Place | None:
        """Return the statement of the last of these instructions that has one."""
        for at in reversed(trail):
            if (number := self._lines.at(at)) >= 0:
                return self._places[number]
        return None

    def check(self, trail: Sequence[int]) -> str:
        """Return what the compiler itself checked at the last of these instructions, or nothing."""
        for at in reversed(trail):
            if (number := self._checks.exactly(at)) >= 0:
                return self._errors[number]
        return ""

    def slot(self, slot: int, hashed: Preimages, told: Told) -> tuple[str, str]:
        """Return a slot's variable, as `balanceOf[KEY]`, and the type of its word.

        One that no variable has is told by its number.
        """
        for region in self._regions(slot, hashed, told):
            if (found := _word(region)) is not None:
                return found
        return f"slot {slot:#x}", "uint256"

    def _regions(self, slot: int, hashed: Preimages, told: Told) -> Iterator[_Region]:
        """Yield what may lie at a slot: a variable, or the value of a mapping."""
        for name, first, kind in self._variables:
            if first <= slot < first + _size(kind):
                yield _Region(name, kind, slot - first)
        near = (slot - back for back in range(_FURTHEST))
        for first in (one for one in near if len(hashed.get(one, b"")) == 2 * WORD):
            base, key = (int.from_bytes(hashed[first][at : at + WORD], "big") for at in (0, WORD))
            for region in self._regions(base, hashed, told):
                holder = _inner(region)
                if isinstance(holder.kind, dict) and "map" in holder.kind:
                    of, value = holder.kind["map"]
                    if slot - first < _size(value):
                        yield _Region(f"{holder.name}[{told(_key(of), key)}]", value, slot - first)


class _Runs:
    """Numbers by where each begins, from distances."""

    def __init__(self, pairs: Sequence[int]) -> None:
        self._starts = list(accumulate(pairs[::2]))
        self._numbers = list(pairs[1::2])

    def at(self, place: int) -> int:
        """Return the number of the run that a place is in, -1 before the first."""
        found = bisect_right(self._starts, place) - 1
        return self._numbers[found] if found >= 0 else -1

    def exactly(self, place: int) -> int:
        """Return the number of the run that begins at a place, -1 for none."""
        found = bisect_right(self._starts, place) - 1
        return self._numbers[found] if found >= 0 and self._starts[found] == place else -1


def _size(kind: Any) -> int:
    """Return how many slots a type takes."""
    if isinstance(kind, str) or "map" in kind:
        return 1
    if "bytes" in kind:
        return 1 + -(-int(kind["bytes"]) // WORD)
    if "struct" in kind:
        return sum(_size(own) for _, own in kind["struct"])
    (form, (element, count)) = next(iter(kind.items()))
    return int(form == "list") + int(count) * _size(element)


def _inner(region: _Region) -> _Region:
    """Return the smallest part that holds the slot."""
    kind, offset = region.kind, region.offset
    if isinstance(kind, str) or "map" in kind or "bytes" in kind:
        return region
    if "struct" in kind:
        for member, own in kind["struct"]:
            if offset < _size(own):
                return _inner(_Region(f"{region.name}.{member}", own, offset))
            offset -= _size(own)
        return region
    (form, (element, _)) = next(iter(kind.items()))
    if form == "list":
        if offset == 0:
            return _Region(f"len({region.name})", "uint256", 0)
        offset -= 1
    size = _size(element)
    return _inner(_Region(f"{region.name}[{offset // size}]", element, offset % size))


def _word(region: _Region) -> tuple[str, str] | None:
    """Return name and type of the word that a region holds at its slot; None where it is none."""
    found = _inner(region)
    if isinstance(found.kind, str):
        return found.name, found.kind
    if "bytes" in found.kind:
        if found.offset == 0:
            return f"len({found.name})", "uint256"
        return f"{found.name}, word {found.offset - 1}", "bytes32"
    return None


def _key(kind: Any) -> str:
    """Return the word that stands for a key: of text and bytes their hash."""
    return kind if isinstance(kind, str) else "bytes32"
