"""The keys of a YAML file by its indentation, without reading YAML: enough to complete names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from simulator.scenario.shipped import shipped_scenarios

_LINE = re.compile(r"( *)(?:\"([^\"]+)\"|'([^']+)'|([^\s#:'\"{\[-][^:#]*?))\s*:(?:\s+(.*))?$")
_KIND = re.compile(r"\bkind:\s*([\w-]+)")
_FLOW_KEY = re.compile(r"([\w-]+):")
_NAME = re.compile(r"[\w./-]+")
_PART = re.compile(r"(\w+):\s*\[([^\]]*)\]")
_DEEPEST = 8
"""Files that extend each other, at most: nobody checks here for a circle."""


@dataclass
class Outline:
    """The keys of a file, and what stands behind them on their lines.

    Attributes
    ----------
    values : dict of tuple of str to str
        By keys from the outermost in.
    """

    values: dict[tuple[str, ...], str] = field(default_factory=dict)

    def below(self, *keys: str) -> tuple[str, ...]:
        """Return the keys right below some, also those of a flow mapping."""
        depth = len(keys)
        found = {at[depth]: None for at in self.values if len(at) > depth and at[:depth] == keys}
        flow = self.values.get(keys, "")
        if not found and flow.startswith("{"):
            found = dict.fromkeys(_outer_keys(flow))
        return tuple(found)

    def kinds(self) -> Mapping[str, str]:
        """Return the kind of each instrument's label: the label, where nothing is said."""
        return {label: self._kind(label) for label in self.below("instruments")}

    def _kind(self, label: str) -> str:
        own = self.values.get(("instruments", label, "kind"), "").split("#")[0].strip()
        flow = _KIND.search(self.values.get(("instruments", label), ""))
        return own or (flow[1] if flow else label)


def outline(path: Path, depth: int = 0) -> Outline:
    """Return the outline of a file, what it extends and uses; empty where it cannot be read."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return Outline()
    own = Outline(dict(_keys(text)))
    found: dict[tuple[str, ...], str] = {}
    if depth < _DEEPEST:
        for name in _NAME.findall(own.values.get(("extends",), "").partition(" #")[0]):
            found |= outline(_extended(name, path.parent), depth + 1).values
        for name in own.below("use"):
            found |= _used(own, name, outline(_extended(name, path.parent), depth + 1))
    gone = [at for at, said in own.values.items() if said.partition(" #")[0].strip() == "null"]
    kept = {at: said for at, said in found.items() if not any(_is_in(at, key) for key in gone)}
    own.values = {**kept, **{at: said for at, said in own.values.items() if at not in gone}}
    return own


def _is_in(at: tuple[str, ...], key: tuple[str, ...]) -> bool:
    return at[: len(key)] == key


def _used(own: Outline, name: str, whole: Outline) -> dict[tuple[str, ...], str]:
    """Return what of a file is named under `use`, without what that stands on."""
    said = own.values.get(("use", name), "")
    parts = {section: _NAME.findall(names) for section, names in _PART.findall(said)}
    return {
        at: text
        for at, text in whole.values.items()
        if len(at) > 1 and at[1] in parts.get(at[0], ())
    }


def _extended(name: str, beside: Path) -> Path:
    ready = {file.stem: file for file in shipped_scenarios()}
    places = (beside / name, beside / f"{name}.yaml", ready.get(Path(name).stem, Path(name)))
    return next((place for place in places if place.is_file()), places[-1])


def _keys(text: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield every key of block mappings with those around it, and the rest of its line."""
    above: list[tuple[int, str]] = []
    for line in text.splitlines():
        found = _LINE.match(line)
        if found is None:
            continue
        indent, key = len(found[1]), found[2] or found[3] or found[4]
        while above and above[-1][0] >= indent:
            above.pop()
        above.append((indent, key))
        yield tuple(name for _, name in above), (found[5] or "").strip()


def _outer_keys(flow: str) -> Iterator[str]:
    """Yield the keys of a flow mapping, without those of mappings in it."""
    depth, plain = 0, ""
    for character in flow:
        depth += (character in "{[") - (character in "}]")
        if depth == 1 and character not in "}]":
            plain += character
    yield from _FLOW_KEY.findall(plain)
