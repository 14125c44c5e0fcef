"""The room's streams of random numbers; see `market.streams` for what a number means."""

from __future__ import annotations

from enum import IntEnum, unique

from simulator.instruments.registry import stream_of


@unique
class Stream(IntEnum):
    """Lowest byte of the second counter word of a draw."""

    SOLAR_POWER = 164
    SOLAR_WEATHER = 165
    SOLAR_MOOD = 166
    SOLAR_LOCKS = 167
    SOLAR_DEFAULT = 168


def stream(number: Stream, label: str) -> int:
    """Return the stream of the collection called `label`."""
    return stream_of(number, "solar_nft", label)
