"""The streams of random numbers of a perpetual's market.

A number, once given, is never given again: see `simulator.market.streams` for the market's.
"""

from __future__ import annotations

from enum import IntEnum, unique

from simulator.instruments.registry import stream_of


@unique
class Stream(IntEnum):
    """Lowest byte of the second counter word of a draw."""

    MINER_SHOCKS = 156
    FEED_FREEZE = 157
    VENUE_FAILURE = 158


def stream(number: Stream, label: str) -> int:
    """Return the stream of the market called `label`."""
    return stream_of(number, "miner_perp", label)
