"""A contract that stands on a development node of this machine: its state is read, never changed.

The trial goes on in this process, above the node's latest state.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from simulator.chain import Call, Contract, RevmChain
from simulator.chain.anvil import asked
from simulator.chain.base import SETUP_SECONDS
from simulator.chain.codec import keccak
from simulator.chain.rpc import loopback_url
from simulator.errors import ChainUnavailable, TransactionReverted, UsageError

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_SLOTS = 64
_NAMESPACED = 0x52C63247E1F47DB19D5CE0460030C497F067CA4CEBF71BA98EEADABE20BACE00
"""Where OpenZeppelin's upgradeable ERC20 has its balances (ERC-7201)."""
_TELLING = 10**15 + 7
"""An amount that stands in no slot by chance."""
_HOME = "0x" + "de" * 20
"""Where the code of a token with a door goes."""
_KEY = keccak(b"assay: set a word of storage")[:4]
"""What opens the door: four bytes that no function has but by chance, then a slot and a word."""
_DOOR = bytes.fromhex(
    f"5f 35 60e0 1c 63{_KEY.hex()} 14 603b 57"  # with the key, to `set`
    "36 5f 5f 37"  # CALLDATACOPY all of it to 0
    f"5f 5f 36 5f 73{_HOME[2:]} 5a f4"  # DELEGATECALL the token's own code
    "3d 5f 5f 3e 6037 57"  # RETURNDATACOPY; where it succeeded, to `return`
    "3d 5f fd"  # REVERT
    "5b 3d 5f f3"  # return: RETURN
    "5b 6024 35 6004 35 55 00"  # set: SSTORE the word, STOP
)


@dataclass(frozen=True)
class OnNode:
    """Where a contract stands.

    Attributes
    ----------
    start : int
        Time of the trial's first block, seconds.
    code : bytes
        What is deployed there.
    """

    url: str
    address: str
    start: int
    code: bytes


def is_address(text: str) -> bool:
    """Return whether a text is a 20-byte address in hex."""
    return _ADDRESS.fullmatch(text) is not None


def on_node(url: str, address: str) -> OnNode:
    """Look at an address on a node of this machine.

    Raises
    ------
    UsageError
        There is no contract at the address.
    ForbiddenEndpoint
        The node is not on this machine, or no development node.
    ChainUnavailable
        It does not answer.
    """
    latest = ("eth_getBlockByNumber", ["latest", False])
    code, block = asked(url, [("eth_getCode", [address, "latest"]), latest])
    if not isinstance(code, str) or not isinstance(block, dict):
        raise ChainUnavailable(f"{url} does not say what stands at {address}")
    if code in ("", "0x"):
        raise UsageError(f"{address}: has no code at {url}; is the contract deployed there?")
    start = int(block["timestamp"], 16) + SETUP_SECONDS
    return OnNode(loopback_url(url), address.lower(), start, bytes.fromhex(code[2:]))


class Door:
    """A token of any contract, whose balances can be set by a call from here on.

    Its code moves, and what stands in its place passes all calls on to it, on its own storage. So
    what is set is undone by a snapshot as anything else is.

    Raises
    ------
    UsageError
        Its balances are kept nowhere that a compiler puts them.
    """

    def __init__(self, chain: RevmChain, token: Contract, who: str) -> None:
        chain.set_code(_HOME, chain.code(token.address))
        chain.set_code(token.address, _DOOR)
        self._token = token.address
        here = chain.snapshot()
        for number in (*range(_SLOTS), _NAMESPACED):
            for by_key in (True, False):
                self._place, self._by_key = number.to_bytes(32, "big"), by_key
                found = _is_told(chain, token, who, self.set(who, _TELLING))
                chain.revert(here)
                if found:
                    return
        raise UsageError(f"its asset {token.address} keeps balances where no compiler does")

    def set(self, who: str, amount: int) -> Call:
        """Return the call by which an account has so much."""
        key = bytes.fromhex(who[2:]).rjust(32, b"\0")
        # Solidity hashes key and place, Vyper place and key.
        slot = keccak(key + self._place if self._by_key else self._place + key)
        data = _KEY + slot + amount.to_bytes(32, "big")
        return Call(self._token, data, told=f"the balance of {who} becomes {amount}")


def _is_told(chain: RevmChain, token: Contract, who: str, change: Call) -> bool:
    """Return whether a balance is what a change makes of it."""
    try:
        chain.block(chain.timestamp(), [change])
        return bool(token.read(chain, "balanceOf", who) == _TELLING)
    except TransactionReverted:
        return False
