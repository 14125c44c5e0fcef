"""What goes into a chain and comes out of it: calls, receipts, events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from simulator.chain.accounts import ZERO_ADDRESS

CALL_GAS = 5_000_000
"""Gas limit of a call that names none."""


class Call(NamedTuple):
    """A message to a contract; `gas` None means `CALL_GAS`."""

    to: str
    data: bytes
    sender: str = ZERO_ADDRESS
    label: str = ""
    gas: int | None = None


class Log(NamedTuple):
    """One event as the EVM keeps it."""

    address: str
    topics: tuple[bytes, ...]
    data: bytes


class Receipt(NamedTuple):
    """A call that succeeded, with the gas it used and its events in order.

    `timestamp` is in seconds and shared by all receipts of a block.
    """

    call: Call
    gas_used: int
    logs: Sequence[Log]
    block: int
    timestamp: int


class Reader(Protocol):
    """A chain as far as one view of it goes."""

    def view_one(self, call: Call) -> bytes:
        """Return one call's return data at the latest block."""
