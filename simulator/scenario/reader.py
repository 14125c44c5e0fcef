"""Reads YAML text into plain data, each value with its line and each figure with its origin.

The text is read node by node, because a constructed document has lost what a message
needs: the line of each key, a key that stands twice, a date that does not exist.
"""

from __future__ import annotations

import copy
import datetime as dt
import difflib
import functools
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from itertools import chain
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from simulator.errors import InputError, Problem
from simulator.plain_json import is_too_deep
from simulator.schema.raw import MARKS, Location, Provenance, RawFile, dotted

_TAG = "tag:yaml.org,2002:"
_SCALARS = frozenset(_TAG + kind for kind in ("null", "bool", "int", "float", "str"))
_TIMESTAMP, _MERGE = _TAG + "timestamp", _TAG + "merge"

_ORIGIN_KEYS = ("source", "mark", "date", "note")
_SOURCED = ("observed", "secondary")

DEEPEST = 50
"""Levels of nesting that are read; the interpreter's own limit depends on what else runs."""


MOST_VALUES = 1_000_000
"""A file may write out so many values: aliases of aliases grow without end."""


def read_yaml(path: Path | str, *, figures: bool = False) -> RawFile:
    """Parse a YAML file.

    Parameters
    ----------
    path : Path
    figures : bool
        Whether a mapping `{value, source, date, mark, note}` stands for its value; its
        provenance is then kept apart under the dotted name.

    Raises
    ------
    InputError
        The file cannot be read, is not YAML, or is not a mapping. Lesser faults of the
        text are kept in `problems`, for `validate` to raise with its own.
    """
    raw = _parsed(str(path), _read_text(path), figures)
    # whoever lays one file over another changes what it was given
    return replace(raw, **{of.name: copy.deepcopy(getattr(raw, of.name)) for of in fields(raw)})


@functools.lru_cache(maxsize=64)
def _parsed(name: str, text: str, figures: bool) -> RawFile:
    """Return what a text says; many scenarios extend the same ones, and share calibrations."""
    raw = RawFile(path=name, data=None, lines={(): 1})
    try:
        node = _compose(text)
        if not isinstance(node, MappingNode):
            what = "is empty; " if node is None else ""
            raise InputError(
                [Problem(name, 1, "", "", f"{what}must be a mapping of keys to values")]
            )
        if _written_out(node, {}) > MOST_VALUES:
            rule = f"its aliases write out more than {MOST_VALUES:,} values"
            raise InputError([Problem(name, None, "", "", rule)])
        raw.data = _Reader(raw, figures).value(node, ())
    except RecursionError:
        raise InputError([Problem(name, None, "", "", "is nested too deeply")]) from None
    except YAMLError as error:
        raise InputError([_not_yaml(name, text, error)]) from None
    if raw.is_broken(()):
        raise InputError(raw.problems)
    return raw


def read_value(raw: RawFile, location: Location, text: str) -> Any:
    """Return the value that `text` writes in YAML, to stand at `location`; else the text."""
    try:
        node = _compose(text)
        return None if node is None else _Reader(raw, figures=True).value(node, location)
    except (YAMLError, RecursionError):
        return text


def _read_text(path: Path | str) -> str:
    try:
        found = Path(path).read_bytes()
        return found.decode("utf-8-sig")
    except FileNotFoundError:
        problem = Problem(str(path), None, "", "", "no such file")
    except (OSError, ValueError) as error:
        if not isinstance(error, UnicodeDecodeError):
            why = getattr(error, "strerror", None) or str(error)
            problem = Problem(str(path), None, "", "", f"cannot be read: {why}")
        else:
            line = found.count(b"\n", 0, error.start) + 1
            rule = f"must be UTF-8 text (byte 0x{found[error.start]:02x})"
            problem = Problem(str(path), line, "", "", rule)
    raise InputError([problem])


def _compose(text: str) -> Node | None:
    # the library takes the square of the open brackets, and minutes for some thousands
    if is_too_deep(text):
        raise RecursionError
    node: Node | None = YAML(typ="safe", pure=True).compose(text)
    return node


def _written_out(node: Node, known: dict[int, int]) -> int:
    """Return how many values a node is once its aliases are written out; itself within counts 0."""
    if isinstance(node, ScalarNode):
        return 1
    if id(node) not in known:
        known[id(node)] = 0
        inside = node.value if isinstance(node, SequenceNode) else chain.from_iterable(node.value)
        known[id(node)] = 1 + sum(_written_out(inner, known) for inner in inside)
    return known[id(node)]


def _not_yaml(name: str, text: str, error: YAMLError) -> Problem:
    line = None
    what = str(error).splitlines()[0]
    if isinstance(error, MarkedYAMLError):
        line = error.problem_mark.line + 1 if error.problem_mark else None
        what = str(error.problem or error)
    elif isinstance(error, ReaderError):
        line = text.count("\n", 0, error.position) + 1
        what = f"character U+{error.character:04X} is not allowed"
    if "'\\t'" in what:
        what += "; indent with spaces, not tabs"
    return Problem(name, line, "", "", f"not valid YAML: {' '.join(what.split())}")


class _Reader:
    """Turns nodes into plain data and notes lines, origins and faults in `raw`."""

    def __init__(self, raw: RawFile, figures: bool) -> None:
        self._raw = raw
        self._figures = figures
        self._construct = YAML(typ="safe", pure=True).constructor.construct_object
        self._open: set[int] = set()
        self._seen: set[int] = set()

    def value(self, node: Node, location: Location) -> Any:
        """Return a node's value."""
        if isinstance(node, ScalarNode):
            return self._scalar(node, location)
        if id(node) in self._open:
            return self._break(location, "must not contain itself")
        if len(location) > DEEPEST:
            raise RecursionError
        self._open.add(id(node))
        try:
            if isinstance(node, MappingNode):
                return self._group(node, location)
            return self._items(node, location)
        finally:
            self._open.discard(id(node))

    def _break(self, location: Location, rule: str) -> None:
        self._raw.problems.append(self._raw.problem(location, "", rule))
        self._raw.broken.add(location)

    def _scalar(self, node: ScalarNode, location: Location) -> Any:
        if node.tag in _SCALARS:
            try:
                return self._construct(node)
            except (YAMLError, ValueError):
                # An explicit tag that the text does not fit, as in `!!int x`.
                return str(node.value)
        if node.tag == _TIMESTAMP:
            return _timestamp(node, self._construct)
        return self._break(location, f"has the tag {node.tag}; write plain values, without tags")

    def _items(self, node: Node, location: Location) -> list[Any]:
        for index, item in enumerate(node.value):
            # An alias has only the line of its anchor, which may be far away.
            if id(item) not in self._seen:
                self._raw.lines[(*location, index)] = item.start_mark.line + 1
            self._seen.add(id(item))
        return [self.value(item, (*location, i)) for i, item in enumerate(node.value)]

    def _group(self, node: MappingNode, location: Location) -> Any:
        entries: dict[str, Node] = {}
        for name, line, item in self._keys(node, location):
            here = (*location, name)
            if name in entries:
                first = self._raw.lines[here]
                rule = f"stands twice; it is on line {first} already"
                problem = self._raw.problem(here, "", rule)
                self._raw.problems.append(_at_line(problem, line))
            else:
                entries[name] = item
                self._raw.lines[here] = line
            self._seen.add(id(item))
        if self._figures and _is_figure(entries):
            return self._figure(entries, location)
        return {name: self.value(item, (*location, name)) for name, item in entries.items()}

    def _keys(self, node: MappingNode, location: Location) -> Iterator[tuple[str, int, Node]]:
        """Yield the keys of a mapping with their lines, then those of `<<` that it lacks."""
        own: set[str] = set()
        merged: list[Node] = []
        for key, item in node.value:
            line = key.start_mark.line + 1
            if key.tag == _MERGE:
                merged += item.value if isinstance(item, SequenceNode) else [item]
            elif key.tag != _TAG + "str":
                shown = key.value if isinstance(key, ScalarNode) else "a list or mapping"
                problem = self._raw.problem(location, "", f"key {shown} must be text, in quotes")
                self._raw.problems.append(_at_line(problem, line))
            else:
                own.add(key.value)
                yield key.value, line, item
        for source in merged:
            if not isinstance(source, MappingNode) or source is node:
                self._break((*location, "<<"), "must name a mapping")
                continue
            for name, line, item in self._keys(source, location):
                if name not in own:
                    own.add(name)
                    yield name, line, item

    def _figure(self, entries: Mapping[str, Node], location: Location) -> Any:
        """Return a figure's value and keep its origin."""
        self._check_keys(entries, location)
        origin = {name: self._word(entries, name, location) for name in _ORIGIN_KEYS}
        mark = origin["mark"] or ("observed" if origin["source"] else "assumption")
        if mark not in MARKS:
            here = (*location, "mark")
            rule = f"must be one of {', '.join(MARKS)}{_meant(mark, MARKS)}"
            self._raw.problems.append(self._raw.problem(here, f"'{mark}'", rule))
        elif mark in _SOURCED and not origin["source"]:
            rule = f"is required, because the figure is marked {mark}"
            self._raw.problems.append(self._raw.problem((*location, "source"), "", rule))
        if "value" not in entries:
            return self._break(location, "needs a value beside its source and mark")
        self._raw.provenance[dotted(location)] = Provenance(
            source=origin["source"],
            mark=mark,
            date=origin["date"],
            note=origin["note"],
            range=self._range(entries, location),
        )
        self._raw.lines[location] = self._raw.lines[(*location, "value")]
        return self.value(entries["value"], location)

    def _check_keys(self, entries: Mapping[str, Node], location: Location) -> None:
        known = ("value", *_ORIGIN_KEYS, "range")
        for name in entries:
            if name not in known:
                hint = _meant(name, known) or f"; a figure has {', '.join(known)}"
                problem = self._raw.problem((*location, name), "", f"unknown key{hint}")
                self._raw.problems.append(problem)

    def _range(self, entries: Mapping[str, Node], location: Location) -> tuple[float, ...]:
        """Return from where to where a figure may lie; it must hold the figure itself."""
        if "range" not in entries:
            return ()
        here = (*location, "range")
        value = self.value(entries["value"], location)
        ends = self.value(entries["range"], here)
        numbers = isinstance(ends, list) and all(_is_number(end) for end in (*ends, value))
        if numbers and len(ends) == 2 and ends[0] <= value <= ends[1] and ends[0] < ends[1]:
            return float(ends[0]), float(ends[1])
        rule = "must be two numbers, from low to high, with the value between them"
        self._raw.problems.append(self._raw.problem(here, "", rule))
        return ()

    def _word(self, entries: Mapping[str, Node], name: str, location: Location) -> str:
        node = entries.get(name)
        if node is None or node.tag == _TAG + "null":
            return ""
        if isinstance(node, ScalarNode):
            return str(node.value)
        self._break((*location, name), "must be text")
        return ""


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_figure(entries: Mapping[str, Node]) -> bool:
    """Return whether a mapping is a figure, whole or without its value, and no section."""
    if "value" in entries:
        return not isinstance(entries["value"], MappingNode)
    return bool(entries) and all(
        name in _ORIGIN_KEYS and isinstance(item, ScalarNode) for name, item in entries.items()
    )


def _timestamp(node: ScalarNode, construct: Any) -> dt.date | str:
    try:
        found: dt.date = construct(node)
    except (YAMLError, ValueError):
        # 2026-02-30 looks like a date; the model says what a date must be.
        return str(node.value)
    return found


def _meant(word: str, known: tuple[str, ...]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean '{close[0]}'?" if close else ""


def _at_line(problem: Problem, line: int) -> Problem:
    if problem.line is None:
        return problem
    return Problem(problem.file, line, problem.field, problem.value, problem.rule)
