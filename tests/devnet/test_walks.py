"""Pages that need several terminals, walked: a devnet, and a scheduler with two workers by hand."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from simulator.writer import file_hash

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120.0
"""Seconds that a step may take on a busy machine."""


def typed(page: str, begins: str) -> str:
    """Return the block of a page with a line that begins so, without its margin."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    found = [re.sub(r"^ {4}", "", block, flags=re.MULTILINE) for block in text.split("\n\n")]
    (block,) = [one for one in found if re.search(f"^{re.escape(begins)}", one, re.MULTILINE)]
    return block.replace("source .venv/bin/activate\n", "")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def shell(text: str) -> str:
    """Type lines into a shell here, and return what it prints."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euc", text],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@contextmanager
def terminal(text: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Type a line into a terminal of its own, and end it with Ctrl-C."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with log.open("wb") as out:
        process = subprocess.Popen(
            ["bash", "-c", f"exec {text.strip()}"],
            env={**os.environ, "PATH": path},
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        try:
            yield process
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(20.0)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            assert process.stdin is not None
            process.stdin.close()


def wait_for(there: Callable[[], bool], log: Path) -> None:
    ends = time.monotonic() + PATIENCE
    while not there():
        assert time.monotonic() < ends, log.read_text(encoding="utf-8")
        time.sleep(0.1)


@pytest.mark.deep
def test_devnet__walked_as_its_page_says__ends_with_a_deposit(tmp_path, monkeypatch, anvil_binary):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{Path(anvil_binary).parent}{os.pathsep}{os.environ['PATH']}")
    port, log = free_port(), tmp_path / "first.log"
    start = typed("devnet.md", "assay devnet gold-vault-sober").replace("1_000", "64")
    with terminal(f"{start.strip()} --port {port}", log) as devnet:
        wait_for(lambda: b"commands: step" in log.read_bytes(), log)
        shell(typed("devnet.md", "VISITOR=$(python"))
        deposit = typed("devnet.md", "python - <<'END'").replace(":8545", f":{port}")
        shares = float(shell(deposit).removeprefix("shares "))
        assert shares == pytest.approx(10.0, rel=1e-3)  # an ounce each, but for a day's fee
        told = shell(typed("devnet.md", "assay devnet step 30"))
        assert re.search(r"day 30\b", told), told
        assert devnet.wait(PATIENCE) == 0


@pytest.mark.deep
def test_cluster__walked_as_its_page_says__makes_the_same_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    port, logs = free_port(), [tmp_path / f"{name}.log" for name in ("scheduler", "one", "two")]

    def here(text: str) -> str:
        few = "--paths 9_000 --no-replay --parameter-sets 0 --assumption-sets 0"
        text = text.replace("10.0.0.1:8786", f"127.0.0.1:{port}").replace("10.0.0.1", "127.0.0.1")
        text = text.replace("--port 8786", f"--port {port} --no-dashboard")
        return text.replace("/shared/big", "big").replace("--paths 1_000_000", few)

    lines = here(typed("cluster.md", "dask scheduler")).splitlines()
    asked = here(typed("cluster.md", "assay run hard-assets-2026 --paths 1_000_000 --out"))
    asked = asked.replace("hard-assets-2026", "gold-vault-sober")
    with ExitStack() as terminals:
        for line, log in zip(lines, logs, strict=True):
            terminals.enter_context(terminal(line, log))
            told = b"Scheduler at:" if log is logs[0] else b"Registered to:"
            wait_for(lambda log=log, told=told: told in log.read_bytes(), log)
        shell(asked)
    shell(re.sub("--cluster .*", "", asked).replace("big", "home"))
    home = tmp_path / "home"
    files = [path.relative_to(home) for path in home.rglob("*.parquet")]
    assert len(files) >= 3  # two chunks of paths, and the days
    for name in files:
        assert file_hash(tmp_path / "big" / name) == file_hash(home / name), name
