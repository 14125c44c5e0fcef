"""What is written to a pipe that nobody reads any more goes nowhere, and the command goes on.

So `assay run … --fail-on refuted | head -1` still writes its folder and ends with its own code.
Where a stream cannot be written for another reason, as on a full disk, the command goes on too;
at its end it says so in one line and exits with 2.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO, cast

CANNOT_WRITE = 2
"""The exit code where standard output cannot be written."""


class _Pipe(io.FileIO):
    """A stream's own descriptor, which leads to the null device once it takes nothing more."""

    failure: OSError | None = None

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except OSError as error:
            if not isinstance(error, BrokenPipeError):
                self.failure = error
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
            return len(data)


@contextmanager
def closed_pipes_are_no_error() -> Iterator[None]:
    """Let standard output and standard error outlive their readers.

    Raises
    ------
    SystemExit
        At the end, where standard output could not be written.
    """
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = map(_outliving, before)
    try:
        yield
    finally:
        sys.stdout.flush()
        _tell_failure(sys.stdout)
        sys.stderr.flush()
        sys.stdout, sys.stderr = before


def _tell_failure(stream: TextIO) -> None:
    """Say why a stream could not be written, and end."""
    buffer = getattr(stream, "buffer", None)
    failure = getattr(getattr(buffer, "raw", buffer), "failure", None)
    if failure is not None:
        remedy = "free some space, or send it elsewhere"
        sys.stderr.write(f"assay: standard output: {failure.strerror}; {remedy}\n")
        sys.stderr.flush()
        raise SystemExit(CANNOT_WRITE)


def _outliving(stream: TextIO) -> TextIO:
    """Return a stream to the same file; what is no file, as in a test, stays as it is."""
    buffer = getattr(stream, "buffer", None)
    if not isinstance(getattr(buffer, "raw", buffer), io.FileIO):
        return stream
    stream.flush()
    pipe = _Pipe(stream.fileno(), "w", closefd=False)
    # Without a buffer of its own where Python runs unbuffered.
    unbuffered = isinstance(buffer, io.FileIO)
    return io.TextIOWrapper(
        cast(io.BufferedWriter, pipe) if unbuffered else io.BufferedWriter(pipe),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=bool(stream.line_buffering),
        write_through=unbuffered,
    )
