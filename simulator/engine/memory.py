"""Lets the C library keep what a block of paths frees, for the next block to take."""

from __future__ import annotations

import ctypes
import functools
import mmap
from typing import Any

import numpy as np
import numpy.typing as npt

KEPT_BYTES = 31 * 2**20
"""Just below the 32 MiB up to which glibc raises its threshold."""

# glibc's malloc.h: below which size memory is not mapped for one array alone; how much free
# memory stays; how many heaps threads share.
_MMAP_THRESHOLD, _TRIM_THRESHOLD, _ARENA_MAX = -3, -1, -8
_LARGEST_THRESHOLD = 32 * 2**20
_ALL = 2**31 - 1
_WORTH_A_MAP = 2**17
"""Bytes from which on an array has pages of its own."""


@functools.cache
def keep_freed_memory() -> None:
    """Make freed arrays stay mapped, in one heap for all threads.

    glibc gives each thread a heap of its own and returns what it frees to the system; to map
    it afresh for each block of paths costs as much as many a model, and heaps that fragment
    one by one twice the memory. Arrays are few and large, so threads do not wait for each
    other. Freeing one large block raises the limit where there is no `mallopt`; C libraries
    that know neither are left as they are.
    """
    block = np.empty(KEPT_BYTES, np.uint8)
    del block
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_ARENA_MAX, 1)
        mallopt(_MMAP_THRESHOLD, _LARGEST_THRESHOLD)
        mallopt(_TRIM_THRESHOLD, _ALL)


def mapped_zeros(count: int, kind: npt.DTypeLike) -> npt.NDArray[Any]:
    """Return zeros of shape (count,) that lie in no heap, if they are many.

    What grows while blocks come and go would leave holes in the heap that they share.
    """
    size = count * np.dtype(kind).itemsize
    if size < _WORTH_A_MAP:
        return np.zeros(count, kind)
    private = (
        {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS} if hasattr(mmap, "MAP_PRIVATE") else {}
    )
    return np.frombuffer(mmap.mmap(-1, size, **private), kind, count)


def return_freed_memory() -> None:
    """Give back what was kept for blocks of paths, where the C library can: the next stage is new.

    Between blocks and what a report needs the heap would hold both.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
