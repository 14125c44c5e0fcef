"""Whether the contracts agree with the model, in words for terminal and HTML."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.words import gas_used, ratio

if TYPE_CHECKING:
    from simulator.replay import EveryPath


def every_words(every: EveryPath) -> str:
    """Return what all paths found, in words."""
    worst = max(every.observables, key=lambda row: row.share, default=None)
    words = (
        f"{every.sentence()} {every.played:,} of {every.paths:,} paths were played through the "
        f"contracts' bytecode: {every.transactions:,} transactions, "
        f"{gas_used(every.gas, exact=False)} gas, {every.decisions:,} decisions compared, "
        f"{every.in_band:,} in the dead-band."
    )
    if worst is None:
        return words
    return (
        f"{words} The largest error of any observable on any path and day is "
        f"{ratio(worst.share)} of its tolerance ({worst.instrument}.{worst.name}, path "
        f"{worst.path:,}, step {worst.step:,})."
    )
