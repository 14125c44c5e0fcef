"""The runs of a folder, opened once, and what of each somebody wants to see."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from simulator.claims import Verdict
from simulator.engine.compare import VERDICTS
from simulator.engine.from_elsewhere import check_run
from simulator.engine.sliders import Slider, sliders
from simulator.errors import InputError, Problem
from simulator.instruments.base import Unit
from simulator.replay import choose
from simulator.replay.select import LABELS
from simulator.serve.guard import NotThere
from simulator.shelf import MANIFEST, odd_in, read_json, runs_in, told_of
from simulator.study import Run
from simulator.study.keeping import KeptReplay, read_replay
from simulator.study.replays import PathReplay, replay

_KEPT = 3

Value = TypeVar("Value")


@dataclass(frozen=True)
class Picked:
    """What of a run is looked at."""

    claim: Verdict | None
    investor: str
    unit: Unit
    path: int
    day: int

    @property
    def asked(self) -> dict[str, object]:
        """Return it as a query."""
        own = {name: getattr(self, name) for name in ("investor", "unit", "path", "day")}
        return own if self.claim is None else {"claim": self.claim.claim, **own}


class _Kept(OrderedDict[Any, Any]):
    """The last few values that were made, each by its key; one is made at a time."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()

    def made(self, key: Any, make: Callable[[], Value]) -> Value:
        with self._lock:
            found: Value = self.pop(key) if key in self else make()
            self[key] = found
            if len(self) > _KEPT:
                self.popitem(last=False)
            return found


class Runs:
    """The runs of one folder; nothing outside of it is read, whatever a name or a link says."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._runs, self._sliders, self._replays = _Kept(), _Kept(), _Kept()

    def listed(self) -> list[dict[str, Any]]:
        """Return what a list tells of each run, the latest first; `run` is its name."""
        there = (place for place in runs_in(self.folder) if not odd_in(place))
        return [told_of(place) | {"run": place.name} for place in there]

    def place(self, name: str) -> Path:
        """Return a run's folder; none that is a link, or holds one or a pipe."""
        place = next((one for one in runs_in(self.folder) if one.name == name), None)
        if place is None:
            raise NotThere(f"{self.folder} has no run {name}")
        if odd := odd_in(place):
            raise NotThere(odd)
        return place

    def is_finished(self, name: str) -> bool:
        """Return whether the folder has such a run, and it came to its end."""
        return any(one.name == name and (one / MANIFEST).is_file() for one in runs_in(self.folder))

    def open(self, name: str) -> Run:
        """Return a finished run as it stands in its folder."""
        manifest = self.place(name) / MANIFEST
        if not manifest.is_file():
            raise NotThere(f"run {name} is not finished")
        return self._runs.made((name, manifest.stat().st_mtime_ns), lambda: _read(manifest.parent))

    def sliders(self, run: Run) -> tuple[Slider, ...]:
        """Return the inputs that the claims of a run name."""
        own = run.scenario, run.loaded.calibration
        return self._sliders.made(key_of(run), lambda: sliders(*own))

    def played(self, name: str, run: Run, path: int) -> KeptReplay | None:
        """Return what a path did on a chain, if the run or somebody here has replayed it."""
        kept = read_replay(self.place(name) / "replay", path)
        if kept is None and (key_of(run), path) in self._replays:
            done = self.replay(run, path)
            facts = "", done.result.chain, done.ok, done.result.gas_is_exact
            kept = KeptReplay(*facts, done.transactions, done.events)
        return kept

    def replay(self, run: Run, path: int) -> PathReplay:
        """Return a path played on a chain here, now or before."""
        return self._replays.made((key_of(run), path), lambda: replay(run, path))


def key_of(run: Run) -> tuple[str, str]:
    """Return what tells a run from others: where it lies, and what it found."""
    return run.loaded.path, run.simulation.checksum


def _read(place: Path) -> Run:
    read_json(place / MANIFEST, dict), read_json(place / VERDICTS, list)
    check_run(place)
    try:
        return Run.read(place)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        rule = f"is not what Assay wrote: {error!r}"
        raise InputError([Problem(str(place), None, "", "", rule)]) from None


def picked(run: Run, asked: Mapping[str, str]) -> Picked:
    """Return what a request asks to see, if it is there; what it leaves out is chosen."""
    scenario, investors, judged = run.scenario, run.simulation.investors, run.judged
    claim = judged[_one_of("claim", asked.get("claim"), [*judged])] if judged else None
    subject = claim.subject if claim and claim.subject in investors else scenario.replay.subject
    investor = _one_of("investor", asked.get("investor"), [subject, *investors])
    units = investors[investor].units
    unit = next((one for one in units if one == asked.get("unit")), units[0])
    path, days = asked.get("path") or "p50", scenario.horizon_days
    if path in LABELS:
        number = choose(investors[scenario.replay.subject], [path])[0].path
    else:
        number = whole(path, "path", scenario.paths - 1)
    return Picked(claim, investor, unit, number, whole(asked.get("day") or str(days), "day", days))


def _one_of(what: str, value: str | None, known: list[str]) -> str:
    if value and value not in known:
        raise NotThere(f"there is no {what} {value[:80]}; there are {', '.join(known)}")
    return value or known[0]


def whole(text: str, what: str, last: int) -> int:
    """Return a number from 0 to `last`; NotThere where the text is none."""
    if not (text.isdecimal() and len(text) < 10 and int(text) <= last):
        raise NotThere(f"there is no {what} '{text[:40]}'; there are 0 to {last:,}")
    return int(text)
