"""The streams of random numbers of a mine, its token and its ordinary share.

A number, once given, is never given again: see `simulator.market.streams` for the market's.
"""

from __future__ import annotations

from enum import IntEnum, unique

from simulator.instruments.registry import stream_of


@unique
class Stream(IntEnum):
    """Lowest byte of the second counter word of a draw."""

    MINE_OUTPUT = 137
    MINE_EVENTS = 138
    STO_DEMAND = 150
    MINE_OVERRUN = 151
    MINE_DEFAULT = 152
    STO_NOISE = 153
    MINE_EQUITY_NOISE = 154


def stream(number: Stream, label: str) -> int:
    """Return the stream of the STO called `label`.

    A mine's ordinary share draws under its mine's label, so that both see the same mine.
    """
    return stream_of(number, "mining_sto", label)
