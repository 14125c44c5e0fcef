"""The one way a file is written: whole under its name, or not at all.

Under a temporary name beside the target first, then synced, then renamed: whoever reads never
sees half a file, whatever ends the process. What the machine refuses is one line with a remedy.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from simulator.errors import UsageError

_REMEDIES = {
    errno.ENOSPC: "free some space, or write elsewhere",
    errno.EDQUOT: "free some of your quota, or write elsewhere",
    errno.EROFS: "name a folder that can be written",
    errno.EACCES: "name a folder that you may write to",
    errno.EPERM: "name a folder that you may write to",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.ENOTDIR: "a part of the path is a file; name another folder",
    errno.EEXIST: "a part of the path is a file; name another folder",
    errno.EISDIR: "it is a folder; name a file",
}


class Unwritable(UsageError):
    """A file or folder that the machine does not let us write."""


def refusal(path: Path, error: OSError) -> Unwritable:
    """Return the error with what can be done about it."""
    remedy = _REMEDIES.get(error.errno or 0, "write elsewhere")
    return Unwritable(f"cannot write to {path}: {error.strerror or error}; {remedy}")


@contextmanager
def replacing(target: Path) -> Iterator[IO[bytes]]:
    """Yield a file that takes the target's place at the end; on any error nothing is left of it.

    Raises
    ------
    Unwritable
    """
    # two processes that write one target must not share a temporary file
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
        _sync_folder(target.parent)
    except OSError as error:
        raise refusal(target, error) from None
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Make a rename survive a power cut, where the file system lets a folder be synced."""
    with suppress(OSError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def check_target(option: str, target: Path) -> None:
    """Refuse a page that could not be written, before anything is simulated.

    Raises
    ------
    UsageError
    """
    if target.is_dir():
        raise UsageError(f"{option} {target}: is a folder; name a file, such as market.html")
    if not target.parent.is_dir():
        raise UsageError(f"{option} {target}: there is no folder {target.parent}")


def write_bytes(target: Path, data: bytes) -> Path:
    """Write bytes and return the target."""
    with replacing(target) as file:
        file.write(data)
    return target


def write_text(target: Path, text: str) -> Path:
    """Write text as UTF-8 with plain line ends, and return the target."""
    return write_bytes(target, text.encode("utf-8"))


def write_json(target: Path, value: Any) -> Path:
    """Write JSON with sorted keys, and return the target."""
    return write_text(target, json.dumps(value, indent=2, sort_keys=True) + "\n")


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
