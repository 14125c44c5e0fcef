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
import pickle
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar, cast, get_type_hints

import numba
import numpy as np
from numba.core import event

from simulator.errors import UsageError

_Function = TypeVar("_Function", bound=Callable[..., object])
_config: Any = numba.config
_digests: dict[int, str] = {}
_WITHOUT_KERNELS = frozenset({"math", "numba", "numpy"})
"""Packages whose modules need not be searched for kernels of ours."""
_NOWHERE = Path(os.devnull)
"""Stands for a folder of compiled code where no folder can be written."""

if _config.DISABLE_JIT:
    raise UsageError("NUMBA_DISABLE_JIT is set; kernels run compiled alone: unset it")


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
    base = _cache_base(function)
    kept = base != _NOWHERE
    previous = _config.CACHE_DIR
    _config.CACHE_DIR = str(base / f"kernels-{digest}") if kept else previous
    try:
        compiled = numba.njit(
            cache=kept, nogil=True, error_model="numpy", forceinline=force_inline
        )(function)
    finally:
        _config.CACHE_DIR = previous
    if kept:
        _make_optional(cast(Any, compiled)._cache)
    _digests[id(compiled)] = digest
    return cast(_Function, compiled)


def _make_optional(cache: Any) -> None:
    """Let a cache that cannot be read or written cost a compilation and nothing else."""
    load, save = cache.load_overload, cache.save_overload

    def loaded(signature: Any, target: Any) -> Any:
        try:
            return load(signature, target)
        except Exception:  # whatever a truncated file makes of its own contents
            return None

    def saved(signature: Any, data: Any) -> None:
        with suppress(OSError):
            try:
                save(signature, data)
            except (ValueError, EOFError, pickle.PickleError):  # the list of what is kept is cut
                cache.flush()
                save(signature, data)

    cache.load_overload, cache.save_overload = loaded, saved


class _Listener(event.Listener):
    """Passes on the name of every kernel that is compiled, not those read from disk."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell

    def on_start(self, happened: Any) -> None:
        function = happened.data["dispatcher"].py_func
        if function.__module__.partition(".")[0] == __name__.partition(".")[0]:
            self._tell(f"{function.__module__.partition('.')[2]}.{function.__name__}")

    def on_end(self, happened: Any) -> None:
        pass


@contextmanager
def told_of_compiling(tell: Callable[[str], None]) -> Iterator[None]:
    """Call `tell` with the name of each kernel that is compiled meanwhile, in any thread."""
    with event.install_listener("numba:compile", _Listener(tell)):
        yield


def count_kernels() -> int:
    """Return how many kernels the modules that are loaded have."""
    return len(_digests)


def _source_digest(function: Callable[..., object]) -> str:
    # numba renews a compiled file when its own source changes, but kernels and
    # constants of other modules are compiled into it too
    digest = hashlib.sha256(_source(function.__code__.co_filename))
    for name, value in sorted(function.__globals__.items(), key=lambda item: item[0]):
        if isinstance(value, ModuleType):
            if value.__name__.partition(".")[0] in _WITHOUT_KERNELS:
                continue
            for other in vars(value).values():
                digest.update(_digests.get(id(other), "").encode())
        elif id(value) in _digests and value.py_func.__module__ != function.__module__:
            digest.update(_digests[id(value)].encode())
        elif isinstance(value, int | float | np.generic) and not name.startswith("__"):
            digest.update(f"{name}={value!r}".encode())
        elif _is_tuple(value):
            digest.update(f"{name}={_layout(value)}".encode())
    return digest.hexdigest()[:16]


@functools.lru_cache(maxsize=1)
def _source(file: str) -> bytes:
    """Return a module's text; its functions come one after the other."""
    return Path(file).read_bytes()


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
    """Return where compiled code is kept: NUMBA_CACHE_DIR, beside the source, or a home.

    `_NOWHERE` where none of them, nor a temporary folder, can be written.
    """
    if _config.CACHE_DIR and _is_writable(Path(_config.CACHE_DIR)):
        return Path(_config.CACHE_DIR)
    folder = Path(function.__code__.co_filename).parent
    if os.access(folder, os.W_OK):
        return folder / "__pycache__"
    return _elsewhere()


@functools.cache
def _is_writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)


@functools.cache
def _elsewhere() -> Path:
    """Return a folder in the user's home, else one that is lost with the machine's others."""
    try:
        home = Path.home()
    except RuntimeError:  # an unknown user without HOME
        home = _NOWHERE
    if home != _NOWHERE and _is_writable(home / ".cache" / "assay"):
        return home / ".cache" / "assay"
    try:
        return Path(tempfile.mkdtemp(prefix="assay-"))
    except OSError:
        return _NOWHERE
