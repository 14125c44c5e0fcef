"""What the contract tests share: deployments, refusals beside their success, standards' names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from eth_utils import keccak

from simulator.chain import Artifact, Chain, Contract, Receipt, load_artifact
from simulator.chain.contract import interface_of
from simulator.errors import TransactionReverted

OUNCE = 10**18
DOLLAR = 10**6
DAY = 86_400

Message = tuple[Any, ...]
"""Sender, function and arguments; a string with a leading @ names a role or contract."""


def deploy(chain: Chain, name: str, *args: object, sender: str) -> Contract:
    return chain.deploy(
        load_artifact(name), [getattr(arg, "address", arg) for arg in args], sender=sender
    )


def send(chain: Chain, contract: Contract, function: str, *args: object, sender: str) -> Receipt:
    return chain.send(contract.call(function, *args, sender=sender))


def events(contract: Contract, receipt: Receipt, *names: str) -> list[tuple[str, dict[str, Any]]]:
    """Return the contract's events; with `names`, only those."""
    return [
        (name, fields) for name, fields in contract.events(receipt) if not names or name in names
    ]


@contextmanager
def refused(reason: str) -> Iterator[None]:
    """Expect a revert with exactly this message."""
    with pytest.raises(TransactionReverted) as caught:
        yield
    assert caught.value.reason == reason


@dataclass(frozen=True)
class Refusal:
    """A call that is refused, and what makes it pass: another call, or a lifted obstacle.

    `before` sets the obstacle up, `lift` removes it, `allowed` is the call that then
    passes (None: the same one).
    """

    reason: str
    call: Message
    allowed: Message | None = None
    before: tuple[Message, ...] = ()
    lift: tuple[Message, ...] = ()

    def __str__(self) -> str:
        return f"{self.call[1]} by {self.call[0]}: {self.reason.split(': ', 1)[1]}"


def check_refusal(
    chain: Chain, contract: Contract, names: Mapping[str, str], case: Refusal
) -> None:
    """Assert that the call is refused with its message, and passes without the obstacle."""

    def play(message: Message) -> None:
        sender, function, *args = (
            names[word[1:]] if isinstance(word, str) and word.startswith("@") else word
            for word in message
        )
        send(chain, contract, function, *args, sender=sender)

    for message in case.before:
        play(message)
    with refused(case.reason):
        play(case.call)
    for message in case.lift:
        play(message)
    play(case.allowed or case.call)


def function_table(artifact: Artifact) -> dict[str, str]:
    """Return each function's outputs by its canonical signature."""
    functions = interface_of(artifact).functions.values()
    return {item.signature: ",".join(item.outputs) for overloads in functions for item in overloads}


def check_standard(
    artifact: Artifact, functions: Mapping[str, str], topics: Mapping[str, int]
) -> None:
    """Assert that the ABI has a standard's functions and events.

    Parameters
    ----------
    functions : canonical signature -> output types, separated by commas
    topics : canonical signature -> number of indexed fields
    """
    present = function_table(artifact)
    assert {name: present.get(name) for name in functions} == dict(functions)
    known = interface_of(artifact).events
    found = {name: known.get(keccak(text=name)) for name in topics}
    indexed = {name: event and len(event.indexed) for name, event in found.items()}
    assert indexed == dict(topics)


ERC20_FUNCTIONS = {
    "name()": "string",
    "symbol()": "string",
    "decimals()": "uint8",
    "totalSupply()": "uint256",
    "balanceOf(address)": "uint256",
    "allowance(address,address)": "uint256",
    "approve(address,uint256)": "bool",
    "transfer(address,uint256)": "bool",
    "transferFrom(address,address,uint256)": "bool",
}
ERC20_TOPICS = {
    "Transfer(address,address,uint256)": 2,
    "Approval(address,address,uint256)": 2,
}
