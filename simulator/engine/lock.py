"""One process at a time in a folder."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from typing import IO

from simulator.errors import UsageError
from simulator.writer import refusal

NAME = ".lock"


class FolderLock:
    """Held from `take` until `release`, or the end of the process, however it ends."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._file: IO[str] | None = None

    def take(self) -> None:
        """Take the lock.

        Raises
        ------
        UsageError
            Another process has it.
        """
        while self._file is None:
            try:
                file = self._path.open("a+", encoding="ascii")
            except OSError as error:
                raise refusal(self._path.parent, error) from None
            if not _is_ours(file):
                file.close()
                where = f"another assay is at work in {self._path.parent}"
                raise UsageError(f"{where}; wait for its end, or name another folder with --out")
            if _is_there(file, self._path):
                self._file = file
            else:  # whoever had it has just removed it
                file.close()

    def release(self) -> None:
        """Let the lock go; without effect where it is not held."""
        if self._file is not None:
            with suppress(OSError):
                os.unlink(self._path)
            self._file.close()
            self._file = None


def _is_there(file: IO[str], path: Path) -> bool:
    try:
        return os.fstat(file.fileno()).st_ino == path.stat().st_ino
    except FileNotFoundError:
        return False


def _is_ours(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system that knows no locks
        return True
    return True
