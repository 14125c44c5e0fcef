"""The one way this package compiles a function: `@kernel`, and `@inlined` for its helpers.

Kernels are strict: no fast-math and no contraction, so a kernel that calls
nothing but `+ - * / sqrt` gives the same bytes on every machine that follows
IEEE 754. They release the interpreter lock, follow numpy where a division by
zero is met, and are kept on disk after the first run.
"""

from __future__ import annotations

import functools
import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar, cast, get_type_hints

import numba
import numpy as np

_Function = TypeVar("_Function", bound=Callable[..., object])
_config: Any = numba.config
_digests: dict[int, str] = {}


def kernel(function: _Function) -> _Function:
    """Compile `function` with numba on its first call; its type stays what it was.

    Keep the signatures few (one dtype and layout for each argument): every
    new combination of argument types costs a compilation of its own. Import
    the kernels and constants that a kernel uses by name, at the top of its
    module, else a change in them does not renew the compiled file.
    """
    return _compile(function, force_inline=False)


def inlined(function: _Function) -> _Function:
    """Compile `function` into the body of every kernel that calls it.

    For the helpers of a loop over lanes: a real call, with its check for an
    exception, keeps LLVM from turning the loop into vector instructions.
    """
    return _compile(function, force_inline=True)


def _compile(function: _Function, force_inline: bool) -> _Function:
    digest = _source_digest(function)
    previous = _config.CACHE_DIR
    _config.CACHE_DIR = str(_cache_base(function) / f"kernels-{digest}")
    try:
        compiled = numba.njit(
            cache=True, nogil=True, error_model="numpy", forceinline=force_inline
        )(function)
    finally:
        _config.CACHE_DIR = previous
    _digests[id(compiled)] = digest
    return cast(_Function, compiled)


def _source_digest(function: Callable[..., object]) -> str:
    # numba renews a compiled file when its own source changes, but kernels and
    # constants of other modules are compiled into it too
    digest = hashlib.sha256(Path(function.__code__.co_filename).read_bytes())
    for name, value in sorted(function.__globals__.items(), key=lambda item: item[0]):
        if isinstance(value, ModuleType):
            for other in vars(value).values():
                digest.update(_digests.get(id(other), "").encode())
        elif id(value) in _digests and value.py_func.__module__ != function.__module__:
            digest.update(_digests[id(value)].encode())
        elif isinstance(value, int | float | np.generic) and not name.startswith("__"):
            digest.update(f"{name}={value!r}".encode())
        elif _is_tuple(value):
            digest.update(f"{name}={_layout(value)}".encode())
    return digest.hexdigest()[:16]


def _is_tuple(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, tuple) and hasattr(value, "_fields")


@functools.cache
def _layout(kind: Any) -> str:
    """Return the fields of a NamedTuple in order: compiled code reads them by place."""
    hints = get_type_hints(kind)
    return ",".join(
        f"{field}:({_layout(hint)})" if _is_tuple(hint := hints.get(field)) else f"{field}:{hint}"
        for field in kind._fields
    )


def _cache_base(function: Callable[..., object]) -> Path:
    if _config.CACHE_DIR:
        return Path(_config.CACHE_DIR)
    folder = Path(function.__code__.co_filename).parent
    if os.access(folder, os.W_OK):
        return folder / "__pycache__"
    if os.access(Path.home(), os.W_OK):
        return Path.home() / ".cache" / "assay"
    return _scratch_folder()


@functools.cache
def _scratch_folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="assay-"))
