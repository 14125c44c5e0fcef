"""What the calls of a step do inside: who calls whom with what, gas, storage, where it reverts.

The step is played a second time, in py-evm, from the state that the in-process EVM reaches with
the same calls: neither of the chains that replay a path can be asked for its instructions.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from simulator.chain import Artifact, Call, Contract
from simulator.chain.codec import Decoder
from simulator.chain.contract import Function, interface_of
from simulator.chain.source_map import Place, SourceMap
from simulator.errors import ReconciliationFailed, UsageError
from simulator.replay.deployment import contract_name, role_name
from simulator.replay.evidence import Evidence
from simulator.replay.reconcile import apart_words, first_apart

_MAX = 2**256 - 1
_SELECTOR = 4
_WORD = 32
_NEAR = 8
"""A check that fails jumps to where all end, so it lies some instructions before the last."""


@dataclass(frozen=True)
class Value:
    """A value, and what it is called: an address by whose it is."""

    raw: Any
    text: str


@dataclass(frozen=True)
class CallSeen:
    """A call, and those within it.

    Attributes
    ----------
    sender, contract : str
        `LABEL/ROLE` or `LABEL/NAME`, or an address that is none of the path's.
    function : str
        Its name; empty where no ABI knows it.
    arguments : tuple of (str, Value)
    returns : tuple of Value
    gas : int
        With that of the calls within; of the outermost what a node charges.
    reverted : str
        The reason; empty where it did not.
    check : str
        What the compiler's own check found, in its words.
    place : Place, optional
        The statement that reverted.
    """

    sender: str
    contract: str
    function: str
    arguments: tuple[tuple[str, Value], ...]
    returns: tuple[Value, ...]
    gas: int
    reverted: str
    check: str
    place: Place | None
    inner: tuple[CallSeen, ...]


@dataclass(frozen=True)
class Change:
    """A word of storage before and after a transaction; `undone` where a revert took it back."""

    contract: str
    variable: str
    before: Value
    after: Value
    undone: bool


@dataclass(frozen=True)
class Seen:
    """A transaction of a step: its calls, and what of the storage it changed."""

    call: CallSeen
    changes: tuple[Change, ...]


def require_tracing() -> None:
    """Raise ChainUnavailable where what a trace needs is not installed."""
    # Not above: these are optional, and evidence of a replay on Anvil needs neither.
    from simulator.chain.codec import optional
    from simulator.chain.traced import require_py_evm

    optional("pyrevm")
    require_py_evm()


@dataclass(frozen=True)
class Fault:
    """What is wrong with a step: `why` it is shown, and the instrument whose figure disagrees."""

    step: int
    why: str
    instrument: str = ""


def faults_of(evidence: Evidence) -> list[Fault]:
    """Return the first step that disagrees, and the one that stopped the path; either may lack."""
    if evidence.compared is None:
        return []
    found = []
    if apart := first_apart(evidence.compared.series()):
        step, rows = apart
        found.append(Fault(step, apart_words(step, rows[-1]), str(rows[-1]["instrument"])))
    stopped = evidence.stopped_at
    if stopped is not None and stopped not in [fault.step for fault in found]:
        found.append(Fault(stopped, f"step {stopped}: the path ends there, by a call that reverts"))
    return found


def touches(call: CallSeen, instrument: str) -> bool:
    """Return whether a call, or one within it, goes to a contract of an instrument."""
    return call.contract.startswith(f"{instrument}/") or any(
        touches(inner, instrument) for inner in call.inner
    )


def trace_step(evidence: Evidence, step: int) -> tuple[Seen, ...]:
    """Return what each call of a step did, in order.

    Raises
    ------
    UsageError
        The path did not come so far.
    ChainUnavailable
        pyrevm or py-evm is not installed.
    ReconciliationFailed
        A call that succeeded on the chain fails here: what would be told is not what happened.
    """
    require_tracing()
    from simulator.chain.traced import Tracer
    from simulator.replay.acts import acts_of
    from simulator.replay.bare import fresh, play

    if not 0 <= step <= evidence.last:
        raise UsageError(f"no step {step}: the path ended at step {evidence.last}")
    time = evidence.time(step)
    evm = fresh()
    play(*acts_of(evidence, [one for one in evidence.receipts if one.timestamp < time]), evm=evm)
    tracer, teller = Tracer(evm), _Teller(evidence)
    found = []
    for call, block, succeeded in _calls(evidence, time):
        ran = tracer.run(call, time, block)
        if succeeded and ran.frame.error:
            raise ReconciliationFailed(
                f"step {step}: {call.label} succeeds on {evidence.chain} and reverts in py-evm: "
                f"{ran.frame.error}"
            )
        changes = tuple(teller.change(write, tracer.hashed) for write in ran.writes)
        found.append(Seen(teller.call(ran.frame), changes))
    return tuple(found)


def _calls(evidence: Evidence, time: int) -> Iterator[tuple[Call, int, bool]]:
    """Yield the calls of a step, the number of its block, and whether each is known to succeed."""
    if evidence.stopped is not None and evidence.stopped[0] == time:
        block = max(one.block for one in evidence.receipts if one.timestamp < time) + 1
        yield from ((call, block, False) for call in evidence.stopped[1])
        return
    for receipt in evidence.receipts:
        if receipt.timestamp == time:
            yield receipt.call, receipt.block, True


class _Teller:
    """Tells calls and slots by the names of a path's contracts, roles and variables."""

    def __init__(self, evidence: Evidence) -> None:
        self._contracts = {one.address: one for one in evidence.contracts.values()}
        self._names = {address: role_name(key) for key, address in evidence.accounts.items()}
        self._names |= {one.address: contract_name(k) for k, one in evidence.contracts.items()}

    def call(self, frame: Any) -> CallSeen:
        """Return a frame of a `Tracer` by its names."""
        contract = self._contracts.get(frame.code)
        function = _function(contract, frame.data)
        source = _source(None if contract is None else contract.artifact)
        failed = bool(frame.error)
        return CallSeen(
            sender=self._name(frame.sender),
            contract=self._name(frame.to),
            function=function.name if function else "",
            arguments=self._arguments(function, frame.data),
            returns=() if failed else self._returns(function, frame.output),
            gas=frame.gas,
            reverted=frame.error,
            check=source.check(frame.trail[-_NEAR:]) if failed else "",
            place=source.place(frame.trail) if failed else None,
            inner=tuple(self.call(one) for one in frame.inner),
        )

    def change(self, write: Any, hashed: Any) -> Change:
        """Return a write of a `Tracer` by its variable."""
        contract = self._contracts.get(write.address)
        source = _source(None if contract is None else contract.artifact)
        variable, kind = source.slot(write.slot, hashed, lambda k, w: self._word(k, w).text)
        before, after = (self._word(kind, word) for word in (write.before, write.after))
        return Change(self._name(write.address), variable, before, after, write.undone)

    def _name(self, address: str) -> str:
        return self._names.get(address, address)

    def _arguments(self, function: Function | None, data: bytes) -> tuple[tuple[str, Value], ...]:
        if function is None:
            return (("data", Value(data, f"0x{data.hex()}")),) if data else ()
        values = map(self._told, Decoder(function.inputs)(data[_SELECTOR:]))
        return tuple(zip(function.names, values, strict=True))

    def _returns(self, function: Function | None, output: bytes) -> tuple[Value, ...]:
        if function is None:
            return (Value(output, f"0x{output.hex()}"),) if output else ()
        return tuple(map(self._told, function.decoder(output)))

    def _told(self, value: Any) -> Value:
        """Return a decoded value in words."""
        if isinstance(value, bool):
            return Value(value, str(value).lower())
        if isinstance(value, int):
            return Value(value, _number(value))
        if isinstance(value, bytes):
            return Value(value, f"0x{value.hex()}")
        if isinstance(value, (tuple, list)):
            return Value(value, f"({', '.join(self._told(one).text for one in value)})")
        return Value(value, self._names.get(value, json.dumps(value)) if value else '""')

    def _word(self, kind: str, word: int) -> Value:
        """Return a word of storage in words, by its type."""
        if kind == "address":
            address = f"0x{word:040x}"
            return Value(address, self._name(address))
        if kind == "bool":
            return self._told(bool(word))
        if kind.startswith("bytes"):
            size = int(kind.removeprefix("bytes"))
            return self._told(word.to_bytes(_WORD, "big")[:size])
        if kind.startswith("int") and word >> 255:
            return self._told(word - 2**256)
        return self._told(word)


def _number(value: int) -> str:
    """Return a whole number; one without end, and what was taken from it, by that."""
    if value <= _MAX // 2:
        return f"{value:_}"
    return "max" if value == _MAX else f"max - {_MAX - value:_}"


def _function(contract: Contract | None, data: bytes) -> Function | None:
    if contract is None:
        return None
    return interface_of(contract.artifact).by_selector.get(data[:_SELECTOR])


@cache
def _source(artifact: Artifact | None) -> SourceMap:
    return SourceMap(None if artifact is None else artifact.source_map)
