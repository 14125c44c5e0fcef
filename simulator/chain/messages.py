"""What goes into a chain and comes out of it: calls, receipts, events."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple, Protocol

from simulator.chain.accounts import ZERO_ADDRESS

CALL_GAS = 5_000_000
"""Gas limit of a call that names none."""
_LABEL_WORD = 20
"""Arguments longer than this, in characters, are shortened in labels."""
_WORDS_KEPT = 8_192


class Call(NamedTuple):
    """A message to a contract.

    `told` says what it is, as `token.transfer`, and `args` with which arguments, where it is
    a call of a function. `gas` None means `CALL_GAS`.
    """

    to: str
    data: bytes
    sender: str = ZERO_ADDRESS
    told: str = ""
    gas: int | None = None
    args: Sequence[object] | None = None

    @property
    def label(self) -> str:
        """Return what it is with its arguments; hardly a call is ever asked for it."""
        if self.args is None:
            return self.told
        return f"{self.told}({', '.join(map(_word, self.args))})"


def _word(arg: object) -> str:
    if arg.__class__ is int:
        return str(arg)
    return _shortened("0x" + arg.hex() if isinstance(arg, bytes) else str(arg))


@lru_cache(_WORDS_KEPT)
def _shortened(text: str) -> str:
    if len(text) <= _LABEL_WORD:
        return text
    return f"{text[:6]}…{text[-4:]}"


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
