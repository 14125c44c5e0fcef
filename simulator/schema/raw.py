"""A parsed input file: plain data, the line of each value, the origin of each figure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from simulator.errors import Problem

Location = tuple[str | int, ...]

MARKS = ("observed", "secondary", "claimed", "assumption")
"""Measured and published; found in a secondary source; said by a promoter; set by the author."""


@dataclass(frozen=True)
class Provenance:
    """Where a figure comes from; `mark` is one of MARKS.

    `range` is within which an assumption may lie, empty where nobody says.
    """

    source: str
    mark: str = "observed"
    date: str = ""
    note: str = ""
    range: tuple[float, ...] = ()


ASSUMPTION = Provenance(source="", mark="assumption")


@dataclass
class RawFile:
    """What an input file says, before it is validated.

    Attributes
    ----------
    path : str
        As the user wrote it.
    data : dict
        Plain data; figures stand as their values.
    lines : dict of location to int
    provenance : dict of dotted name to Provenance
    problems : list of Problem
        Faults of the text itself: keys that stand twice, wrong marks, unknown tags.
    broken : set of location
        Where such a fault left no value to validate.
    given : dict of location to str
        What the command line sets, and by which option.
    homes : dict of location to str
        The file that wrote a line, where a scenario extends another.
    """

    path: str
    data: Any
    lines: dict[Location, int] = field(default_factory=dict)
    provenance: dict[str, Provenance] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    broken: set[Location] = field(default_factory=set)
    given: dict[Location, str] = field(default_factory=dict)
    homes: dict[Location, str] = field(default_factory=dict)

    def line(self, location: Location) -> int | None:
        """Return the line of `location`, or of the nearest enclosing value that has one."""
        return next((self.lines[part] for part in _outwards(location) if part in self.lines), None)

    def problem(self, location: Location, value: str, rule: str) -> Problem:
        """Return the fault of the value at `location`; its file may be the command line."""
        for part in _outwards(location):
            if part in self.given:
                return Problem(self.given[part], None, dotted(location), value, rule)
        written = next((part for part in _outwards(location) if part in self.lines), ())
        home = self.homes.get(written, self.path)
        return Problem(home, self.line(location), dotted(location), value, rule)

    def is_broken(self, location: Location) -> bool:
        """Return whether the text at `location` was refused already."""
        return any(part in self.broken for part in _outwards(location))

    def drop(self, location: Location) -> None:
        """Drop lines, homes, faults and origins of what stood at `location` and below."""
        self.forget(location)
        for place in [place for place in self.lines if place[: len(location)] == location]:
            del self.lines[place]
            self.homes.pop(place, None)
        self.broken -= {place for place in self.broken if place[: len(location)] == location}

    def forget(self, location: Location) -> None:
        """Drop the origins of what stands at `location` and below: it is replaced."""
        name = dotted(location)
        inner = (f"{name}.", f"{name}[")
        self.provenance = {
            key: origin
            for key, origin in self.provenance.items()
            if key != name and not key.startswith(inner)
        }


def _outwards(location: Location) -> list[Location]:
    return [location[:length] for length in range(len(location), -1, -1)]


def dotted(location: Location) -> str:
    """Return a location as users write it: `instruments.gold_vault.kink`, `conditions[0]`."""
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text
