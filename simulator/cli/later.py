"""Commands that are declared in one module and carried out by another, loaded when it is needed.

So `--help` and the shell's completion need click alone: what computes takes a second to load.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from importlib import import_module
from typing import Any


def carried_out_by(place: str) -> Callable[[Callable[[], None]], Callable[..., None]]:
    """Return a decorator: the function is a name and a help text, `package.module:NAME` does it.

    What click read is passed on by name.
    """
    module, _, name = place.partition(":")

    def decorate(declared: Callable[[], None]) -> Callable[..., None]:
        @wraps(declared)
        def command(**choices: Any) -> None:
            getattr(import_module(module), name)(**choices)

        return command

    return decorate
