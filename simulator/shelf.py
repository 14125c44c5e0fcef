"""The runs of a folder and what each found, read without numpy."""

from __future__ import annotations

import json
import os
import stat
from collections import Counter
from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

from simulator.errors import InputError, Problem
from simulator.plain_json import plain_json

SCENARIO, MANIFEST, ANSWER = "scenario.yaml", "manifest.json", "answer.json"

Value = TypeVar("Value", dict[str, Any], list[Any])


def none_in(folder: Path) -> str:
    """Return what to say of a folder without runs."""
    return f"{folder} holds no runs; assay run gold-vault-sober makes one"


def runs_in(folder: Path) -> list[Path]:
    """Return the runs of a folder, the one that was last written to first."""
    if not folder.is_dir():
        return []
    there = [place for place in folder.iterdir() if (place / SCENARIO).is_file()]
    return sorted(there, key=lambda place: (-place.stat().st_mtime_ns, place.name))


def read_json(file: Path, kind: type[Value]) -> Value:
    """Return what a JSON file of a run says, of the kind that it is to be: dict or list.

    Raises
    ------
    InputError
        It is no plain file, which reading might never come to the end of; or it is not JSON, or
        holds what JSON cannot say (NaN), or something of another kind.
    """
    try:
        if not file.is_file():
            raise ValueError("no plain file")
        found = plain_json(file.read_text(encoding="utf-8"))
        json.dumps(found, allow_nan=False, ensure_ascii=False).encode()
        if not isinstance(found, kind):
            raise ValueError(f"it holds no {'object' if kind is dict else 'list'}")
    except (OSError, ValueError) as error:
        rule = f"is not what Assay wrote: {error}"
        raise InputError([Problem(str(file), None, "", "", rule)]) from None
    return found


def odd_in(place: Path) -> str:
    """Return why a folder is not to be read: what in it is neither a file nor a folder; or ''.

    A link may lead anywhere, and reading a pipe or a device may never end.
    """
    inside = (Path(at) / name for at, *names in os.walk(place) for name in chain(*names))
    for file in (place, *inside):
        try:
            mode = file.lstat().st_mode
        except FileNotFoundError:  # a run at work has just removed it
            continue
        if stat.S_ISLNK(mode):
            return f"{file} is a link, and may lead out of {place.parent}: not read"
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            return f"{file} is neither a file nor a folder: not read"
    return ""


def told_of(place: Path) -> dict[str, Any]:
    """Return what is told of a run in a list; what cannot be read is not known.

    Returns
    -------
    dict with run (its folder), scenario, paths, finished, verdicts (how many of each word)
    """
    try:
        answer = read_json(place / ANSWER, dict)
        verdicts = Counter(str(verdict["verdict"]) for verdict in answer["verdicts"])
        paths, scenario = int(answer["paths"]), str(answer["scenario"])
    except (InputError, ValueError, KeyError, TypeError):
        verdicts, paths, scenario = Counter(), None, None
    return {
        "run": str(place),
        "scenario": scenario,
        "paths": paths,
        "finished": (place / MANIFEST).is_file(),
        "verdicts": dict(verdicts),
    }


def state_of(told: Mapping[str, Any]) -> str:
    """Return how often each verdict was found, or that nothing was, in words."""
    words = ", ".join(f"{count} {word}" for word, count in told["verdicts"].items())
    return words or ("no claims" if told["finished"] else "not finished")
