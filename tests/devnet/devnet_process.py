"""A devnet in a process of its own, as a person starts it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner

from simulator.cli import main

SCENARIO = Path(__file__).with_name("fee-only.yaml")
ASSAY = (sys.executable, "-c", "from simulator.cli import main; main()")
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
_START_SECONDS = 120


@dataclass
class Running:
    """A devnet in a process, and what it has said so far."""

    process: subprocess.Popen[str]
    folder: Path
    said: Path

    def ask(self, *words: str) -> str:
        """Return what the devnet answers to a command from elsewhere."""
        asked = CliRunner().invoke(main, ["devnet", *words, "--folder", str(self.folder)])
        assert asked.exit_code == 0, asked.output
        return asked.output

    def status(self) -> dict:
        return json.loads(self.ask("status", "--json"))

    def wait(self) -> int:
        return self.process.wait(30)


@contextmanager
def running(folder: Path, *options: str) -> Iterator[Running]:
    """Start a devnet and yield it once it takes commands; see that its processes end."""
    said = folder / "said.txt"
    own = folder / "devnet"
    folder.mkdir(parents=True, exist_ok=True)
    with said.open("w") as out:
        process = subprocess.Popen(
            [*ASSAY, "devnet", str(SCENARIO), "--folder", str(own), "--port", "0", *options],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=folder,
            env=ENVIRONMENT,
        )
    try:
        _await(process, said)
        yield Running(process, own, said)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(30)


def _await(process: subprocess.Popen[str], said: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while "second terminal" not in said.read_text():
        assert process.poll() is None, said.read_text()
        assert time.monotonic() < deadline, said.read_text()
        time.sleep(0.05)
