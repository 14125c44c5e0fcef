"""The child process: found, started, noticed when it dies, and never left behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from handmade import COUNTER, poke

from simulator.chain import AnvilChain, RevmChain, find_anvil, node, open_chain
from simulator.errors import ChainUnavailable, UsageError

START = 1_735_689_600

HOLD_A_NODE = """
import sys, time
from simulator.chain.node import AnvilNode, find_anvil
node = AnvilNode(find_anvil(), 1_735_689_600)
print(node.pid, node.below.pid, flush=True)
if sys.argv[1] == "wait":
    time.sleep(60)
"""


@pytest.fixture(scope="module")
def binary() -> Path:
    try:
        return find_anvil()
    except ChainUnavailable as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Leave no Anvil to find: no PATH, an empty working directory, no project."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("ASSAY_ANVIL_DIR", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(node, "__file__", str(tmp_path / "a" / "b" / "node.py"))
    return tmp_path


def executable(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\nexit 3\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not (stat.exists() and stat.read_text().rsplit(")", 1)[1].split()[0] == "Z")


def wait_until_gone(pid: int) -> bool:
    deadline = time.monotonic() + 5
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not alive(pid)


def test_find_anvil__nothing_installed__names_the_command_that_installs_it(nowhere):
    with pytest.raises(ChainUnavailable, match="npm install @foundry-rs/anvil"):
        find_anvil()


def test_find_anvil__on_path__wins_over_node_modules(nowhere, monkeypatch):
    executable(nowhere / node._npm_binary())
    assert find_anvil() == nowhere / node._npm_binary()
    on_path = executable(nowhere / "bin" / "anvil")
    monkeypatch.setenv("PATH", str(on_path.parent))
    assert find_anvil() == on_path


def test_find_anvil__npm_wrapper_on_path__gives_the_binary_behind_it(nowhere, monkeypatch):
    wrapper = executable(nowhere / "node_modules" / "@foundry-rs" / "anvil" / "bin.mjs")
    link = nowhere / "node_modules" / ".bin" / "anvil"
    link.parent.mkdir()
    link.symlink_to(wrapper)
    monkeypatch.setenv("PATH", str(link.parent))
    assert find_anvil() == link
    behind = executable(nowhere / node._npm_binary())
    assert find_anvil() == behind


def test_find_anvil__named_directory__is_searched(nowhere, monkeypatch):
    there = executable(nowhere / "elsewhere" / node._npm_binary())
    monkeypatch.setenv("ASSAY_ANVIL_DIR", str(nowhere / "elsewhere"))
    assert find_anvil() == there


def test_find_anvil__explicit_path__must_be_executable(nowhere):
    binary = executable(nowhere / "mine")
    assert find_anvil(binary) == binary
    binary.chmod(0o644)
    with pytest.raises(ChainUnavailable, match="is not an executable file"):
        find_anvil(binary)


def test_open_chain__without_anvil__takes_revm_unless_asked(nowhere):
    with open_chain(None, START) as chain:
        assert chain.name == "revm"
    with pytest.raises(ChainUnavailable, match="anvil was not found"):
        open_chain("anvil", START)


def test_open_chain__with_anvil__takes_it(binary):
    with open_chain(None, START, anvil_path=binary) as chain:
        assert chain.name == "anvil"
        assert chain.timestamp() == START - 86_400


def test_open_chain__revm_with_a_binary__is_a_usage_error():
    with open_chain("revm", START) as chain:
        assert isinstance(chain, RevmChain)
    with pytest.raises(UsageError, match="in process"):
        open_chain("revm", START, anvil_path="anvil")


def test_start__binary_that_fails__says_so_in_one_line(nowhere):
    failing = executable(nowhere / "anvil")
    reason = rf"^anvil did not start: exit code 3 \({failing}, of unknown version\)$"
    with pytest.raises(ChainUnavailable, match=reason):
        AnvilChain(START, anvil_path=failing)


def test_start__silent_binary__gives_up(nowhere, monkeypatch):
    sleeper = executable(nowhere / "anvil")
    sleeper.write_text("#!/bin/sh\nexec /bin/sleep 60\n", encoding="utf-8")
    monkeypatch.setattr(node, "START_SECONDS", 0.3)
    with pytest.raises(ChainUnavailable, match="did not start within"):
        AnvilChain(START, anvil_path=sleeper)


def test_start__port_taken__says_so_in_one_line(binary):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ChainUnavailable, match=r"anvil did not start: .*in use") as caught:
            AnvilChain(START, anvil_path=binary, port=taken.getsockname()[1])
    assert "\n" not in str(caught.value)


def test_node__killed_in_mid_run__is_noticed_at_once(binary):
    with AnvilChain(START, anvil_path=binary) as chain:
        chain.block(START, [])
        os.kill(chain.node.pid, signal.SIGKILL)
        began = time.monotonic()
        with pytest.raises(ChainUnavailable, match="anvil stopped: ") as caught:
            chain.block(START + 1, [])
    assert time.monotonic() - began < 5
    assert "\n" not in str(caught.value)


def test_close__ends_the_child_and_removes_its_folder(binary):
    chain = AnvilChain(START, anvil_path=binary)
    nodes = (chain.node, chain.node.below)
    assert all(alive(one.pid) for one in nodes)
    chain.close()
    chain.close()
    assert not any(alive(one.pid) for one in nodes)
    assert not any(Path(one.socket_path).parent.exists() for one in nodes)


@pytest.mark.parametrize(
    "end",
    [
        "exit",
        signal.SIGINT,
        pytest.param(
            signal.SIGKILL,
            marks=pytest.mark.skipif(sys.platform != "linux", reason="needs PR_SET_PDEATHSIG"),
        ),
    ],
)
def test_parent__ends_without_closing__takes_the_child_along(binary, end, request):
    path = os.pathsep.join([str(binary.parent), os.environ["PATH"]])
    # A killed parent cannot remove its folder: it goes where this test does.
    folder = tempfile.TemporaryDirectory()
    request.addfinalizer(folder.cleanup)
    parent = subprocess.Popen(
        [sys.executable, "-c", HOLD_A_NODE, "exit" if end == "exit" else "wait"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={
            **os.environ,
            "PATH": path,
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            "TMPDIR": folder.name,
        },
    )
    with parent:
        children = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(children) == 2
        if end != "exit":
            assert all(map(alive, children))
            parent.send_signal(end)
    assert all(map(wait_until_gone, children))


SLOW_TO_LISTEN = """#!{python}
import socket, sys, time
place = sys.argv[sys.argv.index("--ipc") + 1]
with socket.socket(socket.AF_UNIX) as own:
    own.bind(place)
    time.sleep(0.4)
    own.listen()
    time.sleep(30)
"""


def test_node__whose_socket_is_there_before_it_listens__is_waited_for(tmp_path: Path) -> None:
    """As it happens on a busy machine: between the two steps a connection is refused."""
    slow = executable(tmp_path / "anvil")
    slow.write_text(SLOW_TO_LISTEN.format(python=sys.executable), encoding="utf-8")
    started = node.AnvilNode(slow, START)
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(started.socket_path)
    finally:
        started.close()


def test_start__long_folder_for_temporary_files__takes_a_shorter_one(binary, tmp_path, monkeypatch):
    # A socket's name may be 107 bytes long on Linux; this folder's alone is longer.
    long = tmp_path / ("x" * 60) / ("y" * 60)
    long.mkdir(parents=True)
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    with AnvilChain(START, anvil_path=binary) as chain:
        assert len(chain.node.socket_path) <= node.SOCKET_BYTES
        assert chain.block(START, []) == []


def test_start__no_folder_short_enough__says_what_to_set(tmp_path, monkeypatch):
    long = tmp_path / ("x" * 60) / ("y" * 60)
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    monkeypatch.setattr(node, "_SHORT_FOLDERS", ())
    with pytest.raises(ChainUnavailable, match="set TMPDIR to a shorter one") as caught:
        node.AnvilNode(tmp_path / "anvil", START)
    assert "\n" not in str(caught.value)


OLD = """#!/bin/sh
if [ "$1" = --version ]; then echo "anvil 0.1.0 (f625d0f 2022-07-01)"; exit 0; fi
printf "error: unexpected argument '--order' found\\n\\n  tip: a similar argument exists\\n" >&2
printf "\\nUsage: anvil [OPTIONS]\\n\\nFor more information, try '--help'.\\n" >&2
exit 2
"""


def too_old(path: Path) -> Path:
    executable(path).write_text(OLD, encoding="utf-8")
    return path


def test_start__too_old__names_path_version_and_the_whole_reason(nowhere):
    old = too_old(nowhere / "anvil")
    with pytest.raises(ChainUnavailable) as caught:
        AnvilChain(START, anvil_path=old)
    assert str(caught.value) == (
        "anvil did not start: error: unexpected argument '--order' found tip: a similar argument "
        f"exists ({old}, anvil 0.1.0 (f625d0f 2022-07-01))"
    )


def test_start__too_old_on_path__takes_the_next_and_says_so(binary, nowhere, monkeypatch):
    old = too_old(nowhere / "bin" / "anvil")
    monkeypatch.setenv("PATH", str(old.parent))
    second = nowhere / node._npm_binary()
    second.parent.mkdir(parents=True)
    second.symlink_to(binary)
    with AnvilChain(START) as chain:
        assert chain.block(START, []) == []
        (fault,) = chain.passed_over
    assert f"({old}, anvil 0.1.0" in fault


def test_history__kept_or_not__changes_no_receipt(binary: Path) -> None:
    """Without it the node forks an empty one, and leaves the state's root out of its blocks."""
    found = [told(binary, history=kept) for kept in (True, False)]
    assert found[0] == found[1]
    roots = [root_of_latest(binary, history=kept) for kept in (True, False)]
    assert int(roots[0], 16) != 0
    assert int(roots[1], 16) == 0


def told(binary: Path, *, history: bool) -> list[tuple[str, int, int]]:
    """Return where a contract came to stand, and gas and block of three calls of it."""
    with AnvilChain(START, anvil_path=binary, history=history) as chain:
        counter = chain.deploy(COUNTER, [], chain.accounts[0])
        sent = chain.block(START, [poke(counter, one) for one in chain.accounts[:3]])
        return [(counter.address, receipt.gas_used, receipt.block) for receipt in sent]


def root_of_latest(binary: Path, *, history: bool) -> str:
    with AnvilChain(START, anvil_path=binary, history=history) as chain:
        chain.block(START, [])
        return str(chain._request("eth_getBlockByNumber", "latest", False)["stateRoot"])
