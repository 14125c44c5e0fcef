"""Leaves out what a failure does not need."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def fewest(items: Sequence[T], fails: Callable[[Sequence[T]], bool]) -> list[T]:
    """Return items, in order, of which none can be left out without the failure going away.

    Parts are left out from the end, since what comes later needs what came before: halves first,
    then halves of those, at last single items, again and again until all of them are needed.
    The number of trials grows as n log n, and as n squared at worst.

    References
    ----------
    Zeller and Hildebrandt (2002), https://doi.org/10.1109/32.988498
    """
    kept, size = list(items), max(len(items) // 2, 1)
    while True:
        before = len(kept)
        for end in range(before, 0, -size):
            less = kept[: max(end - size, 0)] + kept[end:]
            if fails(less):
                kept = less
        if size == 1 and len(kept) == before:
            return kept
        size = max(size // 2, 1)
