"""The runs of a folder and what each found, read without numpy."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SCENARIO, MANIFEST, ANSWER = "scenario.yaml", "manifest.json", "answer.json"


def none_in(folder: Path) -> str:
    """Return what to say of a folder without runs."""
    return f"{folder} holds no runs; assay run gold-vault-sober makes one"


def runs_in(folder: Path) -> list[Path]:
    """Return the runs of a folder, the one that was last written to first."""
    if not folder.is_dir():
        return []
    there = [place for place in folder.iterdir() if (place / SCENARIO).is_file()]
    return sorted(there, key=lambda place: (-place.stat().st_mtime_ns, place.name))


def told_of(place: Path) -> dict[str, Any]:
    """Return what is told of a run in a list; what cannot be read is not known.

    Returns
    -------
    dict with run (its folder), scenario, paths, finished, verdicts (how many of each word)
    """
    try:
        answer = json.loads((place / ANSWER).read_text(encoding="utf-8"))
        verdicts = Counter(str(verdict["verdict"]) for verdict in answer["verdicts"])
        paths, scenario = answer["paths"], answer["scenario"]
    except (OSError, ValueError, KeyError, TypeError):
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
