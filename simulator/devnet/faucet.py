"""Tokens for whoever asks: minted by the owner, or out of what the custodian holds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from simulator.chain import Contract
from simulator.devnet.story import Story
from simulator.errors import UsageError
from simulator.replay.deployment import checksummed

ETHER = "eth"
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_ETHER_DECIMALS = 18
_SOURCES = (("owner", "mint"), ("custodian", "transfer"))
"""Who gives, and by which function: both take a receiver and an amount."""


def give(story: Story, address: str, amount: str, token: str) -> list[str]:
    """Send `amount` whole tokens to `address`; return a line for each token that was sent.

    Parameters
    ----------
    token : str
        `LABEL/NAME`, or a NAME alone: every token of that name gives. `eth` is the chain's own.

    Raises
    ------
    UsageError
    TransactionReverted
        The token refuses, as one does whose holders must be registered.
    """
    if not _ADDRESS.fullmatch(address):
        raise UsageError(f"faucet {address}: must be an address, 0x and 40 hex digits")
    if token == ETHER:
        story.chain.add_balance(address, _units(amount, _ETHER_DECIMALS))
        return [f"{amount} ETH to {address}"]
    found = dict(_named(story, token))
    if not found:
        known = ", ".join(sorted({name for name, _ in tokens(story)}))
        raise UsageError(f"faucet: no token {token}; there are: {ETHER}, {known}")
    return [_send(story, name, contract, address, amount) for name, contract in found.items()]


def tokens(story: Story) -> Iterator[tuple[str, Contract]]:
    """Yield the contracts of which somebody can give, as `LABEL/NAME`."""
    for (label, name), contract in story.contracts.items():
        if _source(story, contract) is not None:
            yield f"{label}/{name}", contract


def by_hand(story: Story, url: str) -> str | None:
    """Return the command by which `cast` does the same: for the first token that is minted."""
    for _, contract in tokens(story):
        role, function = _source(story, contract) or ("", "")
        if function == _SOURCES[0][1]:
            owner = checksummed(story.accounts.of("", role))
            return (
                f"cast send {checksummed(contract.address)} '{function}(address,uint256)' ADDRESS "
                f"10000000000 --rpc-url {url} --unlocked --from {owner}"
            )
    return None


def _named(story: Story, token: str) -> Iterator[tuple[str, Contract]]:
    for name, contract in tokens(story):
        if token in (name, name.partition("/")[2]):
            yield name, contract


def _source(story: Story, contract: Contract) -> tuple[str, str] | None:
    """Return who gives of a token and how; None where it is no token, or nobody can."""
    functions = {_signature(entry) for entry in contract.artifact.abi}
    if "decimals()" not in functions:
        return None
    for role, function in _SOURCES:
        if f"{function}(address,uint256)" in functions and (
            function == "mint" or _holds(story, contract, role)
        ):
            return role, function
    return None


def _signature(entry: Mapping[str, Any]) -> str:
    return f"{entry.get('name')}({','.join(i['type'] for i in entry.get('inputs', ()))})"


def _holds(story: Story, contract: Contract, role: str) -> bool:
    return bool(contract.read(story.chain, "balanceOf", story.accounts.of("", role)))


def _send(story: Story, name: str, contract: Contract, address: str, amount: str) -> str:
    role, function = _source(story, contract) or ("", "")
    units = _units(amount, int(contract.read(story.chain, "decimals")))
    sender = story.accounts.of("", role)
    story.chain.pass_on(contract.call(function, address, units, sender=sender))
    return f"{amount} {name} ({checksummed(contract.address)}) to {address}"


def _units(amount: str, decimals: int) -> int:
    """Return a whole number of units, or refuse what is none."""
    try:
        units = Decimal(amount.replace("_", "").replace(",", "")).scaleb(decimals)
        if units <= 0 or units != units.to_integral_value():
            raise InvalidOperation
    except InvalidOperation:
        raise UsageError(
            f"faucet {amount}: must be a number above 0 with at most {decimals} decimals"
        ) from None
    return int(units)
