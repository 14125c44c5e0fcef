"""Plays recorded creations and calls in pyrevm, and uses nothing else of Assay.

Its text stands in every exported test: what was shrunk with it is what the test plays.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pyrevm

CHAIN_ID = 31_337
BLOCK_GAS = 10**12
WORD = 32


class Act(NamedTuple):
    """A call, or the creation of a contract at `to` where `code` names what is created.

    `time` is in seconds; `data` is hex, of a creation its arguments; `nonce` is that of a
    creation's sender, which decides the address.
    """

    time: int
    block: int
    sender: str
    to: str
    data: str
    gas: int
    code: str = ""
    nonce: int = 0


class Reverted(AssertionError):
    """An act reverted; `number` is its place."""

    def __init__(self, number: int, reason: str) -> None:
        self.number = number
        super().__init__(f"act {number} reverted: {reason}")


def fresh() -> Any:
    """Return an EVM in which nothing has happened."""
    env = pyrevm.Env(cfg=pyrevm.CfgEnv(chain_id=CHAIN_ID))
    return pyrevm.EVM(env=env, spec_id="Cancun")


def play(
    acts: Sequence[Act],
    codes: Mapping[str, str],
    view: Act | None = None,
    evm: Any = None,
) -> tuple[int, ...]:
    """Play all acts, in a fresh EVM or in `evm`; return the words that `view` then answers.

    `codes` has creation codes in hex by name.
    """
    evm = fresh() if evm is None else evm
    answer = b""
    for number, act in enumerate(acts if view is None else [*acts, view]):
        block = pyrevm.BlockEnv(number=act.block, timestamp=act.time, gas_limit=BLOCK_GAS)
        evm.set_block_env(block)
        evm.reset_transient_storage()
        try:
            answer = _perform(evm, act, codes)
        except RuntimeError as error:
            raise Reverted(number, _reason(str(error))) from None
    words = range(0, len(answer), WORD)
    return tuple(int.from_bytes(answer[at : at + WORD], "big", signed=True) for at in words)


def _perform(evm: Any, act: Act, codes: Mapping[str, str]) -> bytes:
    data = bytes.fromhex(act.data)
    if not act.code:
        answer: bytes = evm.message_call(act.sender, act.to, data, gas=act.gas)
        return answer
    evm.insert_account_info(act.sender, pyrevm.AccountInfo(nonce=act.nonce))
    made = evm.deploy(act.sender, bytes.fromhex(codes[act.code]) + data, gas=act.gas)
    assert made.lower() == act.to, f"{act.code} is at {made}, must be at {act.to}"
    return b""


def _reason(text: str) -> str:
    """Return the reason that a contract gave, or what pyrevm says."""
    found = re.search(r"output: 0x08c379a0[0-9a-f]{64}([0-9a-f]{64})([0-9a-f]*)", text)
    if found is None:
        return text
    return bytes.fromhex(found[2])[: int(found[1], 16)].decode(errors="replace")
