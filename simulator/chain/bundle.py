"""Many views in one message: a few bytes of EVM code ask them all where the state is.

A step of a replay reads some hundred numbers. One message each costs a node a request, and the
in-process EVM the setting up of a transaction, far more than the reads themselves. The code here
is never deployed: the in-process EVM holds it at an address of its own, and a node lends it that
address for the one call (`eth_call` with a state override).

The message is one record a view: 20 bytes of address, 4 of length, the call's data. The answer is
one record a view: a word with 1 in its upper half where the view succeeded and the length in its
lower half, then what was returned.

References
----------
Opcodes: https://ethereum.github.io/yellowpaper/paper.pdf, appendix H; PUSH0: EIP-3855.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from functools import lru_cache

from simulator.chain.accounts import ZERO_ADDRESS
from simulator.chain.messages import Call

VIEW_GAS = 30_000_000
"""Gas limit of a view that names none; `_CODE` gives each of its views as much."""

READER = "0x" + "00" * 12 + "7265616465727321"
"""Where the code stands; its last bytes spell `reader!`."""

_LENGTH = 4
_ADDRESSES_KEPT = 1_024
_WORD = 32

# Beside each line stands the stack after it, its top first: p is where the next record begins in
# the message, o where the next answer begins in memory.
_CODE = (
    "5f 5f"  # PUSH0 PUSH0                                            p o
    "5b 36 81 10 600c 57"  # loop: p < CALLDATASIZE, then to `ask`    p o
    "50 5f f3"  # POP, RETURN memory from 0 to o
    "5b 80 35"  # ask: DUP1 CALLDATALOAD, the record's head as w      w p o
    "80 6040 1c 63ffffffff 16"  # length of the data: w >> 64, 4 bytes    n w p o
    "80 83 6018 01 85 37"  # CALLDATACOPY p+24, n bytes, to o         n w p o
    "5f 5f 82 86 85 6060 1c"  # w >> 96 is whom to ask                to o n 0 0 n w p o
    "6301c9c380 fa"  # STATICCALL with VIEW_GAS                       ok n w p o
    "6080 1b 3d 17 84 52"  # ok << 128 | RETURNDATASIZE, MSTORE at o  n w p o
    "3d 5f 85 6020 01 3e"  # RETURNDATACOPY all of it to o+32         n w p o
    "90 50 01 6018 01"  # p = p + n + 24                              p o
    "90 6020 01 3d 01 90"  # o = o + 32 + RETURNDATASIZE              p o
    "6002 56"  # JUMP to loop
)
CODE = bytes.fromhex(_CODE)

LENT = {READER: {"code": "0x" + CODE.hex()}}
"""The override by which a node lends the code its address for one call."""


def fits(calls: Sequence[Call]) -> bool:
    """Return whether `calls` may be asked together: several, by nobody, with the usual gas.

    A view with a sender of its own may look at who asks.
    """
    if len(calls) < 2:
        return False
    return all(call.sender == ZERO_ADDRESS and call.gas is None for call in calls)


def gas_of(calls: Sequence[Call]) -> int:
    """Return the gas of the whole message: a call may pass on 63 of 64 parts of what is left."""
    return (len(calls) + 1) * VIEW_GAS * 64 // 63


def packed(calls: Sequence[Call]) -> bytes:
    """Return the message that asks all `calls`."""
    parts: list[bytes] = []
    for call in calls:
        parts += (_address(call.to), len(call.data).to_bytes(_LENGTH, "big"), call.data)
    return b"".join(parts)


@lru_cache(_ADDRESSES_KEPT)
def _address(text: str) -> bytes:
    return bytes.fromhex(text[2:])


class Bundle:
    """Asks views together, and remembers how: on most days the same are asked again."""

    def __init__(self) -> None:
        self._calls: list[Call] = []
        self._known: Call | None = None
        self._layout = struct.Struct("")
        self._heads: tuple[bytes, ...] = ()

    def message(self, calls: Sequence[Call]) -> Call | None:
        """Return the one call that asks all `calls`; None where each must be asked alone."""
        if calls != self._calls:
            self._calls = list(calls)
            together = fits(calls)
            data = packed(calls) if together else b""
            self._known = Call(READER, data, told="views", gas=gas_of(calls)) if together else None
        return self._known

    def answers(self, answer: bytes) -> list[bytes] | None:
        """Return what each view returned, in order; None if any of them failed."""
        if self._layout.size == len(answer):
            fields = self._layout.unpack(answer)
            if fields[::2] == self._heads:
                return list(fields[1::2])
        return self._unpacked(answer)

    def _unpacked(self, answer: bytes) -> list[bytes] | None:
        found, heads, at = [], [], 0
        while at < len(answer):
            head = answer[at : at + _WORD]
            if not any(head[: _WORD // 2]):
                return None
            at += _WORD
            length = int.from_bytes(head[_WORD // 2 :], "big")
            found.append(answer[at : at + length])
            heads.append(head)
            at += length
        self._layout = struct.Struct("".join([f"{_WORD}s{len(one)}s" for one in found]))
        self._heads = tuple(heads)
        return found
