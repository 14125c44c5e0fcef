"""A contract that stands on a development node of this machine: its state is read, never changed.

The trial goes on in this process, above the node's latest state.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from simulator.chain import Contract, RevmChain
from simulator.chain.anvil import checked_version
from simulator.chain.base import SETUP_SECONDS
from simulator.chain.codec import keccak
from simulator.chain.rpc import loopback_url, over_http
from simulator.errors import ChainUnavailable, UsageError

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_SLOTS = 64
_NAMESPACED = 0x52C63247E1F47DB19D5CE0460030C497F067CA4CEBF71BA98EEADABE20BACE00
"""Where OpenZeppelin's upgradeable ERC20 has its balances (ERC-7201)."""


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
    rpc = over_http(url)
    try:
        checked_version(rpc)
        code, block = (
            answer.get("result")
            for answer in rpc.batch(
                [("eth_getCode", [address, "latest"]), ("eth_getBlockByNumber", ["latest", False])]
            )
        )
    finally:
        rpc.close()
    if not isinstance(code, str) or not isinstance(block, dict):
        raise ChainUnavailable(f"{url} does not say what stands at {address}")
    if code in ("", "0x"):
        raise UsageError(f"{address}: has no code at {url}; is the contract deployed there?")
    start = int(block["timestamp"], 16) + SETUP_SECONDS
    return OnNode(loopback_url(url), address.lower(), start, bytes.fromhex(code[2:]))


def make_rich(chain: RevmChain, token: Contract, who: str, amount: int) -> None:
    """Give an account tokens of any contract, by finding where its balances are kept.

    Raises
    ------
    UsageError
        They are kept nowhere that a compiler puts them.
    """
    key = bytes.fromhex(who[2:]).rjust(32, b"\0")
    for slot in (*range(_SLOTS), _NAMESPACED):
        place = slot.to_bytes(32, "big")
        # Solidity hashes key and place, Vyper place and key.
        for text in (key + place, place + key):
            chain.set_storage(token.address, int.from_bytes(keccak(text), "big"), amount)
            if token.read(chain, "balanceOf", who) == amount:
                return
    raise UsageError(f"its asset {token.address} keeps balances where no compiler does")
