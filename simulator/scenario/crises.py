"""Crises as they were: dated moves of prices and what else happened, laid over any scenario.

A crisis is a file of shocks with the dates on which they happened. Laid over a scenario they keep
their distances and their days of the week: the crisis begins on the first such weekday that is
LEAD_DAYS from the start, or on a day that is asked for. What hits something that the scenario does
not have is left out.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from simulator.errors import InputError, Problem, UsageError
from simulator.scenario.instruments import terms_type
from simulator.scenario.market import OF_A_TABLE
from simulator.scenario.reader import read_yaml
from simulator.scenario.shock_lists import Item, items_of, put_first
from simulator.scenario.shock_targets import FACTOR, HOURS, targets
from simulator.scenario.shocks import AMOUNTS
from simulator.schema.raw import MARKS, Provenance, RawFile

LEAD_DAYS = 30
"""Days before a crisis begins, where nobody says when."""
_WEEK = 7
_TEXTS = ("title", "source")
_KEYS = (*_TEXTS, "mark", "first_day", "note", "shocks")


@dataclass(frozen=True)
class Crisis:
    """What happened, and when.

    Attributes
    ----------
    name, title, source : str
    first_day : date
        The day from which all others are counted.
    items : tuple of Item
        Its shocks, with their dates as they were.
    """

    name: str
    title: str
    source: str
    first_day: dt.date
    items: tuple[Item, ...]


def crises_folder() -> Path:
    """Return the folder of the ready crises: in the wheel, or in the source tree."""
    package = Path(__file__).resolve().parent.parent
    packaged = package / "data" / "scenarios"
    return (packaged if packaged.is_dir() else package.parent / "scenarios") / "crises"


def find_crisis(name: str) -> Path:
    """Return the file of a crisis: a path, or the name of a ready one.

    Raises
    ------
    UsageError
        There is no such crisis.
    """
    ready = {path.stem: path for path in sorted(crises_folder().glob("*.yaml"))}
    if name in ready:
        return ready[name]
    if Path(name).is_file():
        return Path(name)
    near = get_close_matches(name, ready, n=2)
    hint = f"did you mean {' or '.join(near)}?" if near else f"ready ones: {', '.join(ready)}"
    raise UsageError(f"no crisis {name}; {hint}")


def read_crisis(path: Path) -> Crisis:
    """Read a crisis.

    Raises
    ------
    InputError
        It lacks its words, its first day or the dates of its shocks.
    """
    raw = read_yaml(path, figures=True)
    problems = [*raw.problems, *_faults(raw)]
    if problems:
        raise InputError(problems)
    data = raw.data
    origin = Provenance(data["source"], data.get("mark", "observed"), str(data["first_day"])[:7])
    items = tuple(_sourced(item, origin) for item in items_of(raw))
    return Crisis(path.stem, data["title"], data["source"], data["first_day"], items)


def _sourced(item: Item, origin: Provenance) -> Item:
    """Return a shock whose amount has the crisis's own source, where it gives none itself."""
    given = {f".{name}": origin for name in AMOUNTS if name in item.data}
    return replace(item, origins={**given, **item.origins})


def _faults(raw: RawFile) -> Iterator[Problem]:
    data = raw.data
    for name in _TEXTS:
        if not isinstance(data.get(name), str):
            yield raw.problem((name,), "", "is required: text that says it")
    if data.get("mark", MARKS[0]) not in MARKS:
        yield raw.problem(("mark",), f"'{data['mark']}'", f"must be one of {', '.join(MARKS)}")
    if not isinstance(data.get("first_day"), dt.date):
        yield raw.problem(("first_day",), "", "is required: a date, as 2025-10-10")
    listed = data.get("shocks")
    if not isinstance(listed, list) or not listed:
        yield raw.problem(("shocks",), "", "is required: a list of what happened")
        return
    for place, shock in enumerate(listed):
        if not isinstance(shock, dict) or not isinstance(shock.get("on"), dt.date):
            rule = "is required: the date on which it happened"
            yield raw.problem(("shocks", place, "on"), "", rule)
    for name in data:
        if name not in _KEYS:
            rule = f"unknown key; a crisis has {', '.join(_KEYS)}"
            yield raw.problem((name,), "", rule)


def lay_over(raw: RawFile, said: str, start: dt.date) -> None:
    """Lay a crisis over a scenario's file.

    Parameters
    ----------
    said : str
        Its name or path, and where it is to begin elsewhere `@` and the date, as
        `paxg-2025-10@2026-06-05`.
    start : date
        First day of the run.

    Raises
    ------
    UsageError, InputError
        There is no such crisis, or it is faulty.
    """
    name, at, day = said.partition("@")
    crisis = read_crisis(find_crisis(name))
    begins = _asked(said, day, start) if at else _first_fitting(crisis.first_day, start)
    known = _hit(raw.data)
    kept = [
        _moved(item, begins - crisis.first_day, target, crisis.name)
        for item in crisis.items
        for target in known.get(_target(item), ())
    ]
    if not kept:
        targets = ", ".join(dict.fromkeys(_target(item) for item in crisis.items))
        raise UsageError(f"--crisis {name}: the scenario has nothing that it hits: {targets}")
    put_first(raw, kept)


def _asked(said: str, day: str, start: dt.date) -> dt.date:
    try:
        begins = dt.date.fromisoformat(day)
    except ValueError:
        raise UsageError(f"--crisis {said}: must be NAME@DATE, as in NAME@2026-06-05") from None
    if begins <= start:
        raise UsageError(f"--crisis {said}: must begin after {start}, the first day of the run")
    return begins


def _first_fitting(first_day: dt.date, start: dt.date) -> dt.date:
    """Return the first day of the same weekday that is LEAD_DAYS or more from the start."""
    earliest = start + dt.timedelta(days=LEAD_DAYS)
    return earliest + dt.timedelta(days=(first_day.weekday() - earliest.weekday()) % _WEEK)


def _hit(data: Any) -> Mapping[str, tuple[str, ...]]:
    """Return, by what a crisis may hit, what of a scenario that is.

    A product stands there by its kind, and every label of it is hit.
    """
    market = data.get("market") if isinstance(data, dict) else None
    assets = (market.get("assets") if isinstance(market, dict) else None) or {}
    found = {name: (name,) for name in targets(assets)}
    if isinstance(market, dict) and market.get("model") in OF_A_TABLE:
        del found[HOURS]
    if isinstance(market, dict) and market.get("model") != "macro":
        found = {name: hit for name, hit in found.items() if not name.startswith(f"{FACTOR}.")}
    chosen = data.get("instruments") if isinstance(data, dict) else None
    for label, terms in (chosen if isinstance(chosen, dict) else {}).items():
        kind = terms_type(label, terms)
        named = terms.get("kind", label) if isinstance(terms, dict) else label
        for struck in kind.shocks():
            target = f"{named}.{struck.name}"
            found[target] = (*found.get(target, ()), f"{label}.{struck.name}")
    return found


def _target(item: Item) -> str:
    return str(item.data.get("target"))


def _moved(item: Item, by: dt.timedelta, target: str, group: str) -> Item:
    """Return a shock at its place in the run, under a name that tells its label."""
    data = {"group": group, **item.data, "on": item.data["on"] + by, "target": target}
    if target != _target(item):
        data["name"] = f"{data.get('name')}-{target.partition('.')[0]}"
    return replace(item, data=data)
