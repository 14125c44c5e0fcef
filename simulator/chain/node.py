"""Anvil as a child process: found, started with the stage's options, and surely ended."""

from __future__ import annotations

import atexit
import contextlib
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from simulator.chain.accounts import DEVELOPMENT_ACCOUNTS
from simulator.chain.base import BLOCK_GAS, CHAIN_ID, HARDFORK, SETUP_SECONDS
from simulator.errors import ChainUnavailable

START_SECONDS = 15.0
"""How long a node may take until it answers."""
_STOP_SECONDS = 3.0
_LAST_WORDS_SECONDS = 0.5
_POLL_SECONDS = 0.01
_KEPT_BLOCKS = 64
"""Blocks whose transactions the node remembers; only the latest is ever asked for."""
_NO_HISTORY = (
    *("--transaction-block-keeper", str(_KEPT_BLOCKS)),
    *("--prune-history", "--no-storage-caching", "--no-rate-limit"),
)
_DIRECTORY_VARIABLE = "ASSAY_ANVIL_DIR"
VERSION_SECONDS = 3.0
SOCKET_BYTES = 100
"""The longest name of a socket: macOS takes 103 bytes, Linux 107."""
_SHORT_FOLDERS = ("/tmp", "/var/tmp")
_PREFIX, _SOCKET = "assay-anvil-", "anvil.ipc"
_NAME_BYTES = len(f"/{_PREFIX}12345678/{_SOCKET}")
_MOST_SAID = 600
_MACHINES = {"x86_64": "amd64", "amd64": "amd64", "arm64": "arm64", "aarch64": "arm64"}
_PR_SET_PDEATHSIG = 1


def find_anvil(path: str | Path | None = None) -> Path:
    """Return the Anvil binary to try first; see `find_anvils`."""
    return find_anvils(path)[0]


def find_anvils(path: str | Path | None = None) -> list[Path]:
    """Return the Anvil binaries in the order in which they are tried, one at least.

    That is `path` alone, else that on PATH, then the copies that npm installed.

    The npm copy is looked for in the directory named by ASSAY_ANVIL_DIR, the
    working directory and the project's root, under
    `node_modules/@foundry-rs/anvil-<system>-<machine>/bin`.

    Raises
    ------
    ChainUnavailable
        If there is none, or `path` is not an executable file.
    """
    if path is not None:
        if _executable(Path(path)):
            return [Path(path)]
        raise ChainUnavailable(f"anvil: {path} is not an executable file")
    found = shutil.which("anvil")
    candidates = [*_behind_wrapper(Path(found))] if found else []
    candidates += [folder / _npm_binary() for folder in _npm_folders()]
    usable = list(dict.fromkeys(c for c in candidates if _executable(c)))
    if usable:
        return usable
    raise ChainUnavailable(
        "anvil was not found on PATH or in node_modules; npm install @foundry-rs/anvil,"
        " or use --chain revm"
    )


def _executable(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)


def _npm_binary() -> Path:
    machine = _MACHINES.get(platform.machine().lower(), platform.machine().lower())
    name = "anvil.exe" if sys.platform == "win32" else "anvil"
    package = f"anvil-{sys.platform}-{machine}"
    return Path("node_modules") / "@foundry-rs" / package / "bin" / name


def _npm_folders() -> Iterator[Path]:
    if named := os.environ.get(_DIRECTORY_VARIABLE):
        yield Path(named)
    yield Path.cwd()
    yield Path(__file__).resolve().parents[2]


def _behind_wrapper(found: Path) -> Iterator[Path]:
    """Yield the binary behind npm's wrapper script first: a script would outlive a signal."""
    modules = next((p for p in found.resolve().parents if p.name == "node_modules"), None)
    if modules is not None:
        yield modules.parent / _npm_binary()
    yield found


def version_of(binary: Path) -> str:
    """Return what a binary says of its version, in a line."""
    try:
        said = subprocess.run(
            [str(binary), "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=VERSION_SECONDS,
            check=False,
        ).stdout.split("\n", 1)[0]
    except (OSError, subprocess.SubprocessError):
        said = ""
    return said.strip() or "of unknown version"


def command_line(start: int, host: str = "127.0.0.1", port: int = 0) -> list[str]:
    """Return the options under which a node fits a scenario that starts at `start`, seconds.

    It listens on `host`, at its usual port where `port` is 0.
    """
    return [
        *("--hardfork", HARDFORK),
        *("--chain-id", str(CHAIN_ID)),
        *("--base-fee", "0"),
        *("--gas-limit", str(BLOCK_GAS)),
        *("--timestamp", str(start - SETUP_SECONDS)),
        *("--order", "fees"),
        *("--accounts", str(len(DEVELOPMENT_ACCOUNTS))),
        *("--host", host),
        *(("--port", str(port)) if port else ()),
        "--no-mining",
        "--auto-impersonate",
    ]


class AnvilNode:
    """A running Anvil that listens on a private socket (and a loopback port).

    Parameters
    ----------
    binary : Path
        The Anvil executable.
    start : int
        The scenario's first block time, seconds.
    port : int
        The loopback port; 0 lets the system choose a free one.
    history : bool
        Keep past blocks, transactions and states, for whoever looks at the chain.

    Notes
    -----
    The child ends with `close`, at interpreter exit, and on Linux also when the
    thread that started it dies, whatever the reason.

    Without history it forks a second, empty node. One that forks leaves the root of the state out
    of its blocks, which costs all slots in use each block; contracts, receipts and gas are the
    same, and what a contract made here has stored is never asked of the node below.
    """

    def __init__(self, binary: Path, start: int, port: int = 0, *, history: bool = False) -> None:
        self.below: AnvilNode | None = None
        self._folder = _private_folder()
        self.socket_path = str(Path(self._folder) / _SOCKET)
        self._errors = Path(self._folder) / "stderr"
        atexit.register(self.close)
        try:
            self.below = None if history else AnvilNode(binary, start, history=True)
            self._process = self._spawn([str(binary), *command_line(start), *self._private(port)])
            self._await_socket()
        except BaseException:
            self.close()
            raise

    def _private(self, port: int) -> list[str]:
        return [
            *("--port", str(port)),
            *("--ipc", self.socket_path),
            *("--cache-path", self._folder),
            *(() if self.below is None else (*_NO_HISTORY, "--fork-url", self.below.socket_path)),
            "--no-request-size-limit",
            "--quiet",
        ]

    def _spawn(self, command: list[str]) -> subprocess.Popen[bytes]:
        # A session of its own keeps Ctrl-C from the child: it would die before the
        # replay has said where it stands.
        with self._errors.open("wb") as errors:
            try:
                return subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=errors,
                    start_new_session=True,
                    preexec_fn=die_with_parent if sys.platform == "linux" else None,
                )
            except OSError as error:
                raise ChainUnavailable(f"anvil did not start: {error}") from error

    def _await_socket(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not _listens(self.socket_path):
            if self._process.poll() is not None:
                raise ChainUnavailable(f"anvil did not start: {self.last_words()}")
            if time.monotonic() > deadline:
                raise ChainUnavailable(f"anvil did not start within {START_SECONDS:.0f} s")
            time.sleep(_POLL_SECONDS)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def last_words(self) -> str:
        """Return why the node is gone, in one line: all it said of it, else its exit code."""
        try:
            code = self._process.wait(_LAST_WORDS_SECONDS)
        except subprocess.TimeoutExpired:
            return "it is running but does not answer"
        with contextlib.suppress(OSError):
            text = self._errors.read_text(encoding="utf-8", errors="replace")
            if lines := _said(text):
                return " ".join(lines)[-_MOST_SAID:]
        return f"exit code {code}"

    def close(self) -> None:
        """End the child and remove its folder; a second call does nothing."""
        process = getattr(self, "_process", None)
        if process is not None and process.poll() is None:
            _end(process)
        shutil.rmtree(self._folder, ignore_errors=True)
        if self.below is not None:
            self.below.close()
        atexit.unregister(self.close)


def _said(text: str) -> list[str]:
    """Return the lines of a fault without how the program is used."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return [line for line in lines if not line.startswith(("Usage:", "For more information"))]


def _private_folder() -> str:
    """Return a new folder for the socket, whose name a system takes up to some 100 bytes long.

    Raises
    ------
    ChainUnavailable
        The folder for temporary files has too long a name, and no shorter one can be written to.
    """
    for parent in (tempfile.gettempdir(), *_SHORT_FOLDERS):
        if len(os.fsencode(parent)) + _NAME_BYTES > SOCKET_BYTES:
            continue
        with contextlib.suppress(OSError):
            return tempfile.mkdtemp(prefix=_PREFIX, dir=parent)
    raise ChainUnavailable(
        f"no folder for anvil's socket: {tempfile.gettempdir()} cannot be written to, or is longer "
        f"than {SOCKET_BYTES - _NAME_BYTES} bytes; set TMPDIR to a shorter one, or use --chain revm"
    )


def _listens(path: str) -> bool:
    """Return whether somebody answers at a socket: its file is there a moment earlier."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(path)
        except (FileNotFoundError, ConnectionRefusedError):
            return False
    return True


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process and its group: politely first, then surely."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_SECONDS)
            return


def die_with_parent() -> None:
    """Ask Linux to kill this process when its parent dies; may run between fork and exec."""
    import ctypes

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
