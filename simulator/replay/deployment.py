"""What stands on a chain, for programs that are not ours: addresses, ABIs, accounts.

`contracts.json` has an entry for each contract, `LABEL/NAME`: its address, the name of its source
file and its ABI. `roles.json` has each actor's address and, of a living chain, its key: those of
the public development mnemonic, which hold nothing anywhere.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from simulator.chain.base import Chain
from simulator.chain.codec import optional
from simulator.chain.contract import Contract
from simulator.errors import ChainUnavailable, UsageError
from simulator.instruments.stage import SHARED_ROLES, Key
from simulator.writer import write_text

CONTRACTS = "contracts.json"
ROLES = "roles.json"
MNEMONIC = "test test test test test test test test test test test junk"
_DERIVATION = "m/44'/60'/0'/0/{}"
_MOST = 512
_ALL = "all"
_GIVEN = re.compile(r"([^/=]+)/([^/=]+)=(0x[0-9a-fA-F]{40})")


def contract_name(key: Key) -> str:
    """Return `LABEL/NAME`."""
    return "/".join(key)


def role_name(key: Key) -> str:
    """Return `LABEL/ROLE`; a role that all share has the label `all`."""
    label, role = key
    return f"{_ALL if role in SHARED_ROLES else label}/{role}"


def contracts_object(contracts: Mapping[Key, Contract]) -> dict[str, dict[str, Any]]:
    """Return {label/name: {address, contract, abi}} as plain data."""
    return {
        contract_name(key): {
            "address": checksummed(contract.address),
            "contract": contract.name,
            "abi": [dict(entry) for entry in contract.artifact.abi],
        }
        for key, contract in contracts.items()
    }


def roles_object(dealt: Mapping[Key, str], *, keys: bool = True) -> dict[str, dict[str, str]]:
    """Return {label/role: {address, private_key}}, or without keys, which take a while."""
    found = _private_keys(len(dealt)) if keys else {}
    return {
        role_name(key): {
            "address": checksummed(address),
            **({"private_key": found[address]} if keys else {}),
        }
        for key, address in dealt.items()
    }


def given_contracts(texts: Sequence[str]) -> dict[Key, str]:
    """Return addresses by label and name, from texts such as `gold_vault/usdc=0x...`.

    Raises
    ------
    UsageError
    """
    found: dict[Key, str] = {}
    for text in texts:
        match = _GIVEN.fullmatch(text)
        if match is None:
            raise UsageError(
                f"--deployed {text}: must be LABEL/NAME=ADDRESS, the address 0x and 40 hex digits"
            )
        found[match[1], match[2]] = match[3]
    return found


def require_given(chain: Chain, given: Mapping[Key, str]) -> None:
    """Raise ChainUnavailable where a given contract has no code on the chain."""
    for key, address in given.items():
        if chain.code_size(address) == 0:
            raise ChainUnavailable(f"--deployed {contract_name(key)}: no contract at {address}")


def check_given(given: Mapping[Key, str], contracts: Mapping[Key, Contract]) -> None:
    """Raise UsageError where none of the contracts has the name of a given one."""
    if unused := given.keys() - contracts.keys():
        names = ", ".join(map(contract_name, contracts))
        raise UsageError(f"--deployed {contract_name(min(unused))}: there are only {names}")


def write_deployment(
    folder: Path,
    contracts: Mapping[Key, Contract],
    dealt: Mapping[Key, str],
    *,
    keys: bool = True,
) -> None:
    """Write both files into `folder`; `keys` as in `roles_object`."""
    write_text(folder / CONTRACTS, _lines(contracts_object(contracts)))
    write_text(folder / ROLES, _lines(roles_object(dealt, keys=keys)))


def _lines(entries: Mapping[str, Any]) -> str:
    """Return JSON with an entry a line: spread out, ABIs take four times the room."""
    told = (
        f"{json.dumps(name)}: {json.dumps(entries[name], sort_keys=True, separators=(',', ':'))}"
        for name in sorted(entries)
    )
    return "{\n" + ",\n".join(told) + "\n}\n"


def checksummed(address: str) -> str:
    """Return an address in the mixed case of EIP-55, which strict readers want."""
    found: str = optional("eth_utils.address").to_checksum_address(address)
    return found


def _private_keys(count: int) -> dict[str, str]:
    """Return the keys of the first accounts of the public development mnemonic, by address."""
    hd = optional("eth_account.hdaccount")
    account = optional("eth_account").Account
    seed = hd.seed_from_mnemonic(MNEMONIC, "")
    found = {}
    for index in range(min(count, _MOST)):
        key = hd.key_from_seed(seed, _DERIVATION.format(index))
        found[account.from_key(key).address.lower()] = "0x" + key.hex()
    return found
