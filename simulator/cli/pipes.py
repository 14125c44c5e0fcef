"""What is written to a pipe that nobody reads any more goes nowhere, and the command goes on.

So `assay run … --fail-on refuted | head -1` still writes its folder and ends with its own code.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO, cast


class _Pipe(io.FileIO):
    """A stream's own descriptor, which leads to the null device once its reader is gone."""

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
            return len(data)


@contextmanager
def closed_pipes_are_no_error() -> Iterator[None]:
    """Let standard output and standard error outlive their readers."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = map(_outliving, before)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        sys.stdout, sys.stderr = before


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
