"""What the standards ask of a contract's interface: functions and events, by their signatures.

References
----------
https://eips.ethereum.org/EIPS/eip-20, eip-2612, eip-4626
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from simulator.chain.codec import keccak
from simulator.chain.contract import Interface

Kind = Literal["vault", "token", "staking"]


@dataclass(frozen=True)
class Standard:
    """A standard's functions, as `name(types)->types`, and its events, `*` where indexed."""

    name: str
    functions: tuple[str, ...]
    events: tuple[str, ...] = ()
    optional: bool = False


ERC20 = Standard(
    "ERC-20",
    (
        "totalSupply()->uint256",
        "balanceOf(address)->uint256",
        "transfer(address,uint256)->bool",
        "transferFrom(address,address,uint256)->bool",
        "approve(address,uint256)->bool",
        "allowance(address,address)->uint256",
    ),
    ("Transfer(*address,*address,uint256)", "Approval(*address,*address,uint256)"),
)
ERC2612 = Standard(
    "ERC-2612",
    (
        "permit(address,address,uint256,uint256,uint8,bytes32,bytes32)->",
        "nonces(address)->uint256",
        "DOMAIN_SEPARATOR()->bytes32",
    ),
    optional=True,
)
ERC4626 = Standard(
    "ERC-4626",
    (
        "name()->string",
        "symbol()->string",
        "decimals()->uint8",
        "asset()->address",
        "totalAssets()->uint256",
        "convertToShares(uint256)->uint256",
        "convertToAssets(uint256)->uint256",
        "maxDeposit(address)->uint256",
        "previewDeposit(uint256)->uint256",
        "deposit(uint256,address)->uint256",
        "maxMint(address)->uint256",
        "previewMint(uint256)->uint256",
        "mint(uint256,address)->uint256",
        "maxWithdraw(address)->uint256",
        "previewWithdraw(uint256)->uint256",
        "withdraw(uint256,address,address)->uint256",
        "maxRedeem(address)->uint256",
        "previewRedeem(uint256)->uint256",
        "redeem(uint256,address,address)->uint256",
    ),
    (
        "Deposit(*address,*address,uint256,uint256)",
        "Withdraw(*address,*address,*address,uint256,uint256)",
    ),
)
STAKING = Standard(
    "StakingRewards",
    (
        "stakingToken()->address",
        "rewardsToken()->address",
        "totalSupply()->uint256",
        "balanceOf(address)->uint256",
        "earned(address)->uint256",
        "stake(uint256)->",
        "withdraw(uint256)->",
        "getReward()->",
    ),
    (
        "Staked(*address,uint256)",
        "Withdrawn(*address,uint256)",
        "RewardPaid(*address,uint256)",
    ),
)
"""What a trial calls of Synthetix' `StakingRewards`, which many others took over."""
EXIT = Standard("exit of StakingRewards", ("exit()->",), optional=True)
"""Leaving at once, with stake and rewards; not all who took it over have it."""
OF: Mapping[Kind, tuple[Standard, ...]] = {
    "vault": (ERC20, ERC2612, ERC4626),
    "token": (ERC20, ERC2612),
    "staking": (STAKING, EXIT),
}
"""What each kind is held to."""


@dataclass(frozen=True)
class Standing:
    """How an interface stands to one standard.

    Attributes
    ----------
    lacking : tuple of str
        Functions and events that are not there.
    differing : tuple of str
        Those that are there and return, or index, something else.
    absent : bool
        Whether an optional standard is not there at all, which is no fault.
    """

    standard: str
    functions: int
    events: int
    lacking: tuple[str, ...] = ()
    differing: tuple[str, ...] = ()
    absent: bool = False


def kind_of(interface: Interface) -> Kind:
    """Return what an interface looks like: a vault where it has an asset, a token else.

    What tells earned rewards of a stake is neither.
    """
    if {"stake", "earned"} <= interface.functions.keys():
        return "staking"
    names = ("asset", "convertToAssets", "previewDeposit")
    return "vault" if any(name in interface.functions for name in names) else "token"


def kind_of_code(code: bytes) -> Kind:
    """Return the same of code alone."""
    if all(_is_in(code, text) for text in ("stake(uint256)", "earned(address)")):
        return "staking"
    return "vault" if _is_in(code, "convertToAssets(uint256)") else "token"


def standings(interface: Interface, kind: Kind) -> tuple[Standing, ...]:
    """Return how an ABI stands to all standards of a kind, by selectors and topics."""
    return tuple(_standing(interface, standard) for standard in OF[kind])


def standings_of_code(code: bytes, kind: Kind) -> tuple[Standing, ...]:
    """Return the same of code alone: whether it holds each selector and each topic."""
    return tuple(_of_code(code, standard) for standard in OF[kind])


def abi_of(
    kind: Kind, found: Iterable[Standing], code: bytes, further: Iterable[str]
) -> tuple[Mapping[str, Any], ...]:
    """Return the ABI of code: of a kind's standards that were found, and of `further` calls.

    The latter are functions, as a standard's, of which those in the code count.
    """
    entries: list[Mapping[str, Any]] = [
        _function_entry(text) for text in further if _is_in(code, text.partition("->")[0])
    ]
    absent = {one.standard for one in found if one.absent}
    for standard in (one for one in OF[kind] if one.name not in absent):
        entries += [_function_entry(text) for text in standard.functions]
        entries += [_event_entry(text) for text in standard.events]
    return tuple(entries)


def is_whole(interface: Interface, standard: Standard) -> bool:
    """Return whether an ABI has all of a standard, as it says."""
    found = _standing(interface, standard)
    return not (found.absent or found.lacking or found.differing)


def _standing(interface: Interface, standard: Standard) -> Standing:
    lacking, differing = [], []
    known = {one.selector: one for one in interface.by_selector.values()}
    for text in standard.functions:
        signature, _, outputs = text.partition("->")
        found = known.get(keccak(signature.encode())[:4])
        if found is None:
            lacking.append(signature)
        elif ",".join(found.outputs) != outputs:
            returned = ",".join(found.outputs) or "nothing"
            differing.append(f"{signature} returns {returned}, must be {outputs or 'nothing'}")
    # An optional one is there where its first function is: others may have its further ones too.
    if standard.optional and standard.functions[0].partition("->")[0] in lacking:
        return Standing(standard.name, 0, 0, absent=True)
    for text in standard.events:
        event = interface.events.get(_topic(text))
        if event is None:
            lacking.append(f"event {text.replace('*', '')}")
        elif len(event.indexed) != text.count("*"):
            indexed = f"{len(event.indexed)} fields, must be {text.count('*')}"
            differing.append(f"event {event.name} indexes {indexed}")
    return _told(standard, lacking, differing)


def _of_code(code: bytes, standard: Standard) -> Standing:
    signatures = [text.partition("->")[0] for text in standard.functions]
    lacking = [one for one in signatures if not _is_in(code, one)]
    if standard.optional and lacking:
        return Standing(standard.name, 0, 0, absent=True)
    lacking += [
        f"event {text.replace('*', '')}" for text in standard.events if _topic(text) not in code
    ]
    return _told(standard, lacking, [])


def _is_in(code: bytes, signature: str) -> bool:
    """Return whether code holds a selector; a compiler writes it without its leading zeros."""
    return keccak(signature.encode())[:4].lstrip(b"\0") in code


def _told(standard: Standard, lacking: list[str], differing: list[str]) -> Standing:
    missing = sum(text.startswith("event ") for text in lacking)
    return Standing(
        standard.name,
        len(standard.functions) - (len(lacking) - missing),
        len(standard.events) - missing,
        tuple(lacking),
        tuple(differing),
    )


def _topic(text: str) -> bytes:
    return keccak(text.replace("*", "").encode())


def _types(text: str) -> list[str]:
    return [part for part in text.split(",") if part]


def _function_entry(text: str) -> Mapping[str, Any]:
    signature, _, outputs = text.partition("->")
    name, _, inputs = signature[:-1].partition("(")
    return {
        "type": "function",
        "name": name,
        "inputs": [{"name": "", "type": kind} for kind in _types(inputs)],
        "outputs": [{"name": "", "type": kind} for kind in _types(outputs)],
    }


def _event_entry(text: str) -> Mapping[str, Any]:
    name, _, fields = text[:-1].partition("(")
    return {
        "type": "event",
        "name": name,
        "inputs": [
            {"name": "", "type": kind.lstrip("*"), "indexed": kind.startswith("*")}
            for kind in _types(fields)
        ],
    }


def all_lacking(found: Iterable[Standing]) -> list[str]:
    """Return the functions that standards ask for and are not there."""
    return [text for one in found for text in one.lacking if not text.startswith("event ")]
