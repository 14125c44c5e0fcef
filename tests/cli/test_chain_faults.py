"""What goes wrong with a chain is a line, an exit code and a remedy; and nothing is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from simulator.chain import find_anvil
from simulator.cli import main
from simulator.errors import ChainUnavailable

SMALL = ("--paths", "128", "--set", "horizon_days=60")


def assay(*arguments: str):
    return CliRunner().invoke(main, list(arguments))


def test_replay__without_pyrevm__names_the_command_that_installs_it(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "pyrevm", None)
    outcome = assay("replay", "gold-vault-sober", *SMALL, "--chain", "revm")
    assert outcome.exit_code == 4
    assert outcome.output == 'assay: pyrevm is not installed; pip install "assay-sim[chain]"\n'


def test_engine_evm__without_pyrevm__is_refused_before_anything_is_simulated(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "pyrevm", None)
    outcome = assay("run", "gold-vault-sober", *SMALL, "--engine", "evm", "--no-replay")
    assert outcome.exit_code == 4
    assert outcome.output == 'assay: pyrevm is not installed; pip install "assay-sim[chain]"\n'
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_replay__interrupted__ends_the_node_and_says_so_in_a_line(tmp_path: Path):
    try:
        binary = find_anvil()
    except ChainUnavailable as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))
    # the longest path there is: it is still being replayed when it is interrupted
    long = ("--paths", "128", "--set", "horizon_days=3660", "--anvil", str(binary))
    command = [sys.executable, "-c", "from simulator.cli import main; main()"]
    running = subprocess.Popen(
        [*command, "replay", "gold-vault-sober", *long],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    with running:
        for line in running.stderr:
            if line.startswith("replaying"):
                break
        nodes = children(running.pid)
        assert nodes
        running.send_signal(signal.SIGINT)
        rest = running.stderr.read()
    assert running.returncode == 130
    assert rest == "assay: interrupted; the same command goes on where it stopped\n"
    deadline = time.monotonic() + 10
    while any(map(alive, nodes)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(alive, nodes))


def children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(word) for word in text.split()]


def alive(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rsplit(")", 1)[1].split()[0] != "Z"
