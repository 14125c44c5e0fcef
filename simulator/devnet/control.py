"""The way in from a second terminal: a loopback port, and a token in the devnet's folder.

One line of JSON goes in, `{"token": ..., "words": [...]}`; lines of JSON come back, each
`{"say": TEXT}`, the last `{"code": N, "error": TEXT}`. Who does not know the token gets nothing.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import socketserver
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from simulator.errors import ChainUnavailable
from simulator.writer import refusal

CONTROL = "control.json"
_HOST = "127.0.0.1"
_ASK_SECONDS = 5.0
_LONGEST = 1 << 16

Say = Callable[[str], None]
Reply = tuple[int, str]
"""An exit code, and in a line what went wrong where it is not 0."""
Serve = Callable[[Sequence[str], Say], Reply]


class Control:
    """Listens for commands until it is closed; `serve` carries each out."""

    def __init__(self, folder: Path, serve: Serve) -> None:
        self._file = folder / CONTROL
        token = secrets.token_hex(32)

        class Handler(socketserver.StreamRequestHandler):
            timeout = _ASK_SECONDS

            def handle(self) -> None:
                words = _words(self.rfile.readline(_LONGEST), token)
                if words is None:
                    return
                with suppress(OSError):
                    code, error = serve(words, lambda text: _answer(self.wfile, {"say": text}))
                    _answer(self.wfile, {"code": code, "error": error})

        self._server = socketserver.ThreadingTCPServer((_HOST, 0), Handler)
        self._server.daemon_threads = True
        _write_private(self._file, {"port": self._server.server_address[1], "token": token})
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop listening and take the file away."""
        self._file.unlink(missing_ok=True)
        self._server.shutdown()
        self._server.server_close()


def ask(folder: Path, words: Sequence[str], say: Say) -> Reply:
    """Send a command to the devnet of `folder`; pass on what it says, and return its reply.

    Raises
    ------
    ChainUnavailable
        No devnet runs there.
    """
    none = ChainUnavailable(f"no devnet runs in {folder}; start one: assay devnet SCENARIO")
    try:
        found = json.loads((folder / CONTROL).read_text(encoding="utf-8"))
        port, token = int(found["port"]), str(found["token"])
        with socket.create_connection((_HOST, port), _ASK_SECONDS) as link:
            link.settimeout(None)
            link.sendall(json.dumps({"token": token, "words": list(words)}).encode() + b"\n")
            with link.makefile("r", encoding="utf-8") as answers:
                for line in answers:
                    answer = json.loads(line)
                    if "code" in answer:
                        return int(answer["code"]), str(answer["error"])
                    say(answer["say"])
    except (OSError, ValueError, LookupError, TypeError):
        raise none from None
    raise ChainUnavailable(f"the devnet of {folder} ended before it answered")


def runs_in(folder: Path) -> bool:
    """Return whether a devnet answers in `folder`."""
    try:
        return ask(folder, ["ping"], lambda text: None)[0] == 0
    except ChainUnavailable:
        return False


def _words(line: bytes, token: str) -> list[str] | None:
    try:
        found = json.loads(line)
        words = found["words"]
        known = secrets.compare_digest(str(found["token"]), token)
    except (ValueError, LookupError, TypeError):
        return None
    return [str(word) for word in words] if known and isinstance(words, list) else None


def _answer(out: Any, found: dict[str, Any]) -> None:
    out.write(json.dumps(found).encode() + b"\n")
    out.flush()


def _write_private(file: Path, value: dict[str, Any]) -> None:
    """Write what only its owner may read."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            json.dump(value, out)
    except OSError as error:
        raise refusal(file, error) from None
