"""A scenario that extends another, or uses parts of it: laid over it, value by value.

`extends: NAME` names a ready scenario or a file, also beside the file that says so; of a list
each lies over the one before. Groups are merged; values and lists take the place of the other's;
`null` takes a key away. What `use` takes lies between the two (`scenario.uses`).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

from simulator.errors import InputError, UsageError
from simulator.scenario import uses
from simulator.scenario.reader import read_yaml
from simulator.scenario.shock_lists import put_first
from simulator.schema.raw import Location, RawFile

KEY = "extends"
DEEPEST = 8
"""Files in a chain; more is taken for a circle."""


def read_extended(path: Path, find: Callable[[str, Path], Path]) -> RawFile:
    """Read a file and all that it extends, as one.

    Parameters
    ----------
    find : callable
        Returns the file that a name stands for, seen from a folder.

    Raises
    ------
    InputError
        A file cannot be read, extends nothing that is there, or extends itself.
    """
    return _read(path, find, (path.resolve(),))


def _read(path: Path, find: Callable[[str, Path], Path], chain: tuple[Path, ...]) -> RawFile:
    raw = read_yaml(path, figures=True)
    if not isinstance(raw.data, dict):
        return raw
    names = _names(raw) if KEY in raw.data else []
    wanted = raw.data.pop(uses.KEY, None)
    bases = [_read_other(name, (KEY,), raw, find, chain) for name in names]
    if wanted is None:
        return functools.reduce(_laid_over, [*bases, raw])
    parts = [
        uses.taken(raw, source, sections, _read_other(source, (uses.KEY, source), raw, find, chain))
        for source, sections in uses.named_parts(raw, wanted).items()
    ]
    return _with_parts(bases, parts, raw)


def _names(raw: RawFile) -> list[str]:
    """Take the names of what a file extends out of it."""
    named = raw.data.pop(KEY)
    names = named if isinstance(named, list) else [named]
    if not names or not all(isinstance(name, str) for name in names):
        rule = "must be the name of a scenario or a file, or a list of them"
        raise InputError([raw.problem((KEY,), f"{named!r}", rule)])
    return names


def _with_parts(bases: list[RawFile], parts: list[uses.Taken], raw: RawFile) -> RawFile:
    """Lay parts of other scenarios between what a file extends and what it says itself."""
    for part in parts:
        for base in bases:
            part.replace_in(base)
    layers = [*bases, *(part.asked_for() for part in parts), raw]
    for part in parts:
        layers.append(part.lacking([layer.data for layer in layers]))
    merged = functools.reduce(_laid_over, layers)
    merged.path = raw.path
    put_first(merged, [item for part in parts for item in part.shocks()])
    return merged


def _read_other(
    name: str,
    said: Location,
    raw: RawFile,
    find: Callable[[str, Path], Path],
    chain: tuple[Path, ...],
) -> RawFile:
    try:
        other = find(name, Path(raw.path).parent)
    except UsageError as error:
        raise InputError([raw.problem(said, f"'{name}'", str(error))]) from None
    if other.resolve() in chain or len(chain) >= DEEPEST:
        raise InputError([raw.problem(said, f"'{name}'", "must not lead back to this file")])
    return _read(other, find, (*chain, other.resolve()))


def _laid_over(base: RawFile, over: RawFile) -> RawFile:
    """Return `base` with `over` on it; every fault stands at the file that wrote the value."""
    merged = RawFile(
        path=over.path,
        data=base.data,
        lines=dict(base.lines),
        provenance=dict(base.provenance),
        problems=[*base.problems, *over.problems],
        broken=set(base.broken),
        homes={place: base.homes.get(place, base.path) for place in base.lines},
    )
    if isinstance(base.data, dict):
        _merge(merged, merged.data, over, over.data, ())
    merged.broken |= over.broken
    merged.provenance |= over.provenance
    for place, line in over.lines.items():
        merged.lines[place] = line
        merged.homes[place] = over.homes.get(place, over.path)
    return merged


def _merge(merged: RawFile, into: Any, over: RawFile, data: Any, at: Location) -> None:
    for key, value in data.items():
        here = (*at, key)
        if value is None:
            if key not in into:
                rule = "takes away what is not there; null is for a key of the scenario it extends"
                merged.problems.append(over.problem(here, "", rule))
            into.pop(key, None)
            merged.forget(here)
        elif isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(merged, into[key], over, value, here)
        else:
            merged.drop(here)
            into[key] = value
