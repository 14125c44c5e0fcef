"""Runs that are started here: each an `assay run` of its own, watched, and stopped by SIGINT.

What is started is kept beside the runs, in `.serve/`: the posted file, what was asked, and what
it said. So the same command resumes it, also after this server's end, and from a terminal too. It
is made anew of what was asked: a folder may have come from elsewhere, and orders nothing.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulator.engine.folder import chunks_written, default_path
from simulator.engine.from_elsewhere import load_posted
from simulator.engine.lock import FolderLock
from simulator.errors import UsageError
from simulator.scenario import LoadedScenario, load_scenario, shipped_scenarios
from simulator.serve.guard import Busy, NotThere
from simulator.shelf import MANIFEST, odd_in, read_json
from simulator.writer import write_json

_KEPT, _POSTED, _ASKED = ".serve", "scenario.yaml", "asked.json"
_QUICK = ("--parameter-sets", "0", "--assumption-sets", "0", "--no-replay")
_INTERRUPTED = 130
_PATIENCE_SECONDS = 20
_ASIDES = ("compiling kernel", "first use: compiling")


@dataclass(frozen=True)
class Watched:
    """How far a run is.

    `state` is running, done, cancelled, failed, or left: not finished, and nobody here is at work
    on it. `stages` is what it said, a line each; `compiling` what it said last of that alone.
    `chunks` parts of the paths are written, of so many. `command` resumes it, from a terminal
    too; empty where it was not begun here.
    """

    state: str
    stages: tuple[str, ...]
    compiling: str
    chunks: int
    of: int
    command: str


class Jobs:
    """The runs that this server started."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._begun: dict[str, list[str]] = {}
        self._lock = threading.Lock()

    def start(self, source: str, changes: tuple[str, ...] = (), *, quick: bool = False) -> str:
        """Start a ready scenario, or a file that is trusted, and return the run's name."""
        return self._start(load_scenario(source, overrides=changes), source, source, quick)

    def start_posted(
        self, text: bytes, called: str, changes: tuple[str, ...], *, quick: bool
    ) -> str:
        """Start a scenario that was posted: read as data alone, and kept for the next time."""
        self._home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._home) as place:
            file = Path(place) / _POSTED
            file.write_bytes(text)
            loaded = load_posted(file, called, changes)
            name = default_path(loaded).name
            self._refuse_twice(name)
            kept = self._kept(name) / file.name
            kept.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(file, kept)
        return self._start(loaded, str(kept), "", quick)

    def _start(self, loaded: LoadedScenario, source: str, ready: str, quick: bool) -> str:
        name, paths = default_path(loaded).name, loaded.scenario.paths
        asked = {"ready": ready, "paths": paths, "quick": quick}
        self._begin(name, self._arguments(name, source, paths, quick), asked)
        return name

    def _arguments(self, name: str, source: str, paths: int, quick: bool) -> list[str]:
        arguments = ["run", source, "--out", str(self._folder / name), "--paths", str(paths)]
        return [*arguments, *(_QUICK if quick else ())]

    def resume(self, name: str) -> None:
        """Start a run again with the command that began it; NotThere where nobody here did."""
        arguments = self._command(name)
        if not arguments:
            raise NotThere(f"run {name} was not begun here; the command that began it goes on")
        if (posted := Path(arguments[1])) == self._kept(name) / _POSTED:
            load_posted(posted, str(posted), ())  # it may be another than was posted
        self._begin(name, arguments)

    def cancel(self, name: str) -> None:
        """Interrupt a run as Ctrl-C does: what it has simulated stays."""
        if not self.is_running(name):
            raise NotThere(f"run {name} is not at work here")
        _interrupt(self._running[name])

    def close(self) -> None:
        """Interrupt whatever still runs, and wait for its end."""
        for job in (there := [job for job in self._running.values() if job.poll() is None]):
            _interrupt(job)
        for job in there:
            with suppress(subprocess.TimeoutExpired):
                job.wait(_PATIENCE_SECONDS)
            if job.poll() is None:
                os.killpg(job.pid, signal.SIGKILL)
                job.wait()

    def is_known(self, name: str) -> bool:
        """Return whether a run was started here, also where its folder is not there yet."""
        return name in self._running

    def is_running(self, name: str) -> bool:
        """Return whether a run is at work here."""
        return name in self._running and self._running[name].poll() is None

    def watched(self, name: str) -> Watched:
        """Return how far a run is."""
        said, command = self._said(name), self._command(name)
        last = said[-1] if said else ""
        return Watched(
            self._state(name),
            tuple(line for line in said if not line.startswith(_ASIDES)),
            last if last.startswith(_ASIDES) else "",
            *chunks_written(self._folder / name),
            f"assay {shlex.join(command)}" if command else "",
        )

    def _state(self, name: str) -> str:
        if self.is_running(name):
            return "running"
        if name not in self._running:
            return "left"
        if (self._folder / name / MANIFEST).is_file():
            return "done"
        return "cancelled" if self._running[name].poll() == _INTERRUPTED else "failed"

    def _said(self, name: str) -> list[str]:
        file = self._kept(name) / "said.log"
        text = file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
        return [line.strip() for line in text.splitlines() if line.strip()]

    @property
    def _home(self) -> Path:
        if (home := self._folder / _KEPT).is_symlink():
            raise NotThere(f"{home} is a link, and may lead out of {self._folder}: not read")
        return home

    def _kept(self, name: str) -> Path:
        return _plain(self._home / name)

    def _command(self, name: str) -> list[str]:
        """Return the command that began a run: here, or as far as a server before tells it."""
        if name in self._begun:
            return self._begun[name]
        kept = self._kept(name)
        asked = read_json(kept / _ASKED, dict) if (kept / _ASKED).is_file() else {}
        ready, paths, quick = (asked.get(key) for key in ("ready", "paths", "quick"))
        known = [file.stem for file in shipped_scenarios()]
        known += [""] if (kept / _POSTED).is_file() else []
        if ready not in known or type(paths) is not int or type(quick) is not bool:
            return []
        return self._arguments(name, ready or str(kept / _POSTED), paths, quick)

    def _refuse_twice(self, name: str) -> None:
        """Raise Busy where a run is at work, here or in another process."""
        if self.is_running(name):
            raise Busy(f"run {name} is at work already; cancel it, or wait for its end")
        if (self._folder / name).is_dir():
            lock = FolderLock(_plain(self._folder / name))
            try:
                lock.take()
            except UsageError as error:
                raise Busy(str(error)) from None
            lock.release()

    def _begin(self, name: str, arguments: list[str], asked: dict[str, Any] | None = None) -> None:
        with self._lock:
            self._refuse_twice(name)
            manifest = self._folder / name / MANIFEST
            done = read_json(manifest, dict) if manifest.is_file() else {}
            options = done.get("options")
            whole = isinstance(options, dict) and options.get("parameter_sets")
            if done and (whole or _QUICK[0] in arguments):
                return  # it is there, and has all that is asked: whoever asked is shown it
            kept = self._kept(name)
            kept.mkdir(parents=True, exist_ok=True)
            if asked:
                write_json(kept / _ASKED, asked)
            self._begun[name] = arguments
            with (kept / "said.log").open("wb") as said:
                self._running[name] = subprocess.Popen(
                    [sys.executable, "-m", "simulator.cli", *arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=said,
                    stderr=said,
                    start_new_session=True,
                )


def _plain(place: Path) -> Path:
    if odd := odd_in(place):
        raise NotThere(odd)
    return place


def _interrupt(job: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(job.pid, signal.SIGINT)
