"""Models whose fields are described by the strings below them, as pydantic itself would.

Pydantic looks for each class's source anew, through every module that is loaded: a fifth of a
second of a command's start. Here each module is read once.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict


class Described(BaseModel):
    """A model whose fields have as description the string that stands below them.

    Its validator is built when it is first asked for: most models are parts of others.
    """

    model_config = ConfigDict(defer_build=True)

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        """Give each field of the class's own body its text."""
        for name, text in _texts(cls.__module__).get(cls.__qualname__, {}).items():
            field = cls.model_fields.get(name)
            if field is not None and field.description is None:
                field.description = text


@cache
def _texts(module: str) -> dict[str, dict[str, str]]:
    """Return the texts of a module's classes by field, by the class's qualified name."""
    file = getattr(sys.modules[module], "__file__", None)
    found: dict[str, dict[str, str]] = {}
    with suppress(OSError):  # without its source a model has no texts
        _collect(ast.parse(Path(file or "").read_text(encoding="utf-8")), "", found)
    return found


def _collect(
    body: ast.Module | ast.ClassDef, within: str, found: dict[str, dict[str, str]]
) -> None:
    for node in body.body:
        if isinstance(node, ast.ClassDef):
            name = f"{within}{node.name}"
            found[name] = dict(_of_class(node))
            _collect(node, f"{name}.", found)


def _of_class(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    """Yield each annotated name with the string right below it."""
    for field, below in zip(node.body, node.body[1:], strict=False):
        if not (isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)):
            continue
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
            text = below.value.value
            if isinstance(text, str):
                yield field.target.id, inspect.cleandoc(text)
