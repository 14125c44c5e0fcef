"""Lets the C library keep what a block of paths frees, for the next block to take."""

from __future__ import annotations

import functools

import numpy as np

KEPT_BYTES = 31 * 2**20
"""Just below the 32 MiB up to which glibc raises its threshold."""


@functools.cache
def keep_freed_memory() -> None:
    """Make freed arrays stay mapped.

    glibc returns freed memory to the system beyond twice the largest block that it has seen
    freed. The arrays of a block of paths are beyond that at first, and to map them afresh for
    each block costs as much as many a model. Freeing one large block raises the limit; other C
    libraries are left as they are.
    """
    block = np.empty(KEPT_BYTES, np.uint8)
    del block
