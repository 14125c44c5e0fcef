"""Contracts of a few bytes, assembled by hand: what they do needs no compiler to know.

Each runtime is stored by PUSHn into memory word 0 and returned from its end.
"""

from __future__ import annotations

from simulator.chain import Artifact, Call, Contract

_PUSH1 = 0x60
_RETURN_WORD_END = "5f5260{size:02x}60{offset:02x}f3"


def assembled(name: str, runtime_hex: str) -> Artifact:
    """Return the artifact whose deployed code is `runtime_hex`, at most 32 bytes."""
    size = len(runtime_hex) // 2
    push = f"{_PUSH1 + size - 1:02x}"
    tail = _RETURN_WORD_END.format(size=size, offset=32 - size)
    code = bytes.fromhex(push + runtime_hex + tail)
    return Artifact(name, (), code, size, "", "by hand")


# PUSH0 SLOAD · PUSH1 1 · ADD · PUSH0 SSTORE · STOP
COUNTER = assembled("counter", "5f546001015f5500")
# PUSH0 PUSH0 REVERT
SILENT = assembled("silent", "5f5ffd")
# The same as creation code: the constructor itself refuses
REFUSING = Artifact("refusing", (), bytes.fromhex("5f5ffd"), 0, "", "by hand")
# INVALID
INVALID = assembled("invalid", "fe")
# Revert with Panic(0x11): selector at 0, code at 4, 36 bytes
PANIC = assembled("panic", "634e487b7160e01b5f52601160045260245ffd")
# PUSH0 TLOAD · jump to the revert if set · else PUSH1 1 PUSH0 TSTORE STOP
ONCE = assembled("once", "5f5c600a5760015f5d005b5f5ffd")
# TIMESTAMP and NUMBER, one word each, returned
CLOCK = assembled("clock", "425f524360205260405ff3")
# A token whose transfers return nothing: it answers 100 to a call of one word, as of a balance.
# CALLDATASIZE PUSH1 36 EQ · STOP unless so · PUSH1 100 PUSH0 MSTORE · return the word
MUTE = assembled("mute", "36602414600857005b60645f5260205ff3")
# Zero to every call: a token that refuses by returning false, not by a revert.
# PUSH1 32 PUSH0 RETURN
DENYING = assembled("denying", "60205ff3")
# The same, but six to a call without arguments: a dollar of six decimals that lets nobody take it.
# CALLDATASIZE PUSH1 4 EQ PUSH1 6 MUL PUSH0 MSTORE · return the word
DENYING_DOLLAR = assembled("denying_dollar", "366004146006025f5260205ff3")
# A dollar of six decimals that says nothing to what it is told: six to a call without arguments.
# CALLDATASIZE PUSH1 4 EQ PUSH1 8 JUMPI · STOP · JUMPDEST PUSH1 6 PUSH0 MSTORE · return the word
MUTE_DOLLAR = assembled("mute_dollar", "36600414600857005b60065f5260205ff3")
# A feed that answers one to every call, of a decimal; its round is of time zero, thus not written.
# PUSH1 1 PUSH0 MSTORE · PUSH1 1 PUSH1 32 MSTORE · PUSH1 160 PUSH0 RETURN
UNWRITTEN = assembled("unwritten", "60015f52600160205260a05ff3")
# The same, but written just now: TIMESTAMP PUSH1 96 MSTORE before the end
JUST_WRITTEN = assembled("just_written", "60015f5260016020524260605260a05ff3")


# A compliance that allows all and knows of no recovery: one to every call, a revert to those of
# two words. CALLDATASIZE PUSH1 68 EQ PUSH1 15 JUMPI · return one · JUMPDEST revert
FORGETFUL = assembled("forgetful", "36604414600f5760015f5260205ff35b5f5ffd")
# A compliance that forbids all: zero to every call, and nothing to `refusal_of`.
# selector EQ PUSH1 18 JUMPI · return zero · JUMPDEST STOP
REFUSING_WITHOUT_WORDS = assembled(
    "refusing_without_words", "5f3560e01c63bbecdcb01460125760205ff35b00"
)
# The same, but `refusal_of` reverts with a word of zero
REVERTING = assembled("reverting", "5f3560e01c63bbecdcb01460125760205ff35b60205ffd")


def poke(contract: Contract, sender: str, gas: int | None = None) -> Call:
    """Return a call without data."""
    return Call(contract.address, b"", sender, f"{contract.name}()", gas)
