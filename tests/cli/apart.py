"""A runner of commands that keeps what is printed apart from what is told, with any click."""

from __future__ import annotations

import inspect

from click.testing import CliRunner

KEEPS_APART = (
    {"mix_stderr": False} if "mix_stderr" in inspect.signature(CliRunner).parameters else {}
)
"""Since click 8.2 it does so unasked."""
