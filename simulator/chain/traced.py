"""Runs calls so that all of it is seen: in py-evm, on the state that an in-process EVM has.

The in-process EVM cannot be asked for its instructions, and py-evm is fifty times slower: so a path
is played in the one up to a step, and the step's calls in the other. Code and accounts are copied;
a slot is looked up there the first time that it is read.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import Any

from simulator.chain.accounts import ZERO_ADDRESS
from simulator.chain.base import ALL_GAS_USED, BLOCK_GAS, CALL_GAS, CHAIN_ID
from simulator.chain.codec import revert_reason
from simulator.chain.messages import Call
from simulator.chain.revm import deployed
from simulator.errors import ChainUnavailable

INSTALL = 'pip install "assay-sim[trace]"'
_SHA3, _SSTORE = 0x20, 0x55
_TRAIL = 64
"""How many instructions are kept before the last: what ends a call may belong to no statement."""
_WORD = 32
_RICH_WEI = 10**24


@dataclass(frozen=True)
class Write:
    """A slot that got another value; `undone` where the frame that wrote it reverted."""

    address: str
    slot: int
    before: int
    after: int
    undone: bool


@dataclass(frozen=True)
class Frame:
    """A call, or a call within one.

    Attributes
    ----------
    sender, to, code : str
        Who calls, whose storage it is, and whose code: another's in a delegated call.
    data, output : bytes
    gas : int
        Used, with that of the calls within. Of a whole transaction it is what a node charges.
    error : str
        Why it failed; empty where it did not.
    trail : tuple of int
        The last instructions in the code that it ran.
    inner : tuple of Frame
    """

    sender: str
    to: str
    code: str
    data: bytes
    output: bytes
    gas: int
    error: str
    trail: tuple[int, ...]
    inner: tuple[Frame, ...]


@dataclass(frozen=True)
class Ran:
    """What a transaction did: its calls, and the slots that it changed in the order of writing."""

    frame: Frame
    writes: tuple[Write, ...]


@dataclass
class _Seen:
    """What is noted while a transaction runs."""

    hashed: dict[int, bytes] = field(default_factory=dict)
    writes: list[tuple[Any, bytes, int, int, int]] = field(default_factory=list)


class Tracer:
    """Runs transactions one after the other on a copy of a state.

    Parameters
    ----------
    evm : pyrevm.EVM
        Has the state; it is only read.

    Attributes
    ----------
    hashed : dict of int to bytes
        All that was hashed so far, by its hash.

    Raises
    ------
    ChainUnavailable
        py-evm is not installed.
    """

    def __init__(self, evm: Any) -> None:
        self._seen = _Seen()
        self._state = _state_like(evm, self._seen)

    @property
    def hashed(self) -> Mapping[int, bytes]:
        """What was hashed so far, by its hash."""
        return self._seen.hashed

    def run(self, call: Call, time: int, block: int) -> Ran:
        """Execute one call as a transaction at `time`, seconds, in a block of this number."""
        state, seen = self._state, self._seen
        state.execution_context = block_context(time, block)
        seen.writes.clear()
        transaction = _transaction(call, state)
        done = state.apply_transaction(transaction)
        used = transaction.gas - done.get_gas_remaining()
        refund = state.get_transaction_executor().calculate_gas_refund(done, used)
        state.lock_changes()
        return Ran(_frame(done, used - refund), tuple(_writes(done, seen)))


def _writes(done: Any, seen: _Seen) -> list[Write]:
    """Return the slots that end otherwise than they began, or did so before they were undone."""
    undone = _undone(done)
    kept: dict[tuple[str, int, bool], tuple[int, int]] = {}
    for frame, address, slot, before, after in seen.writes:
        key = _hex(address), slot, id(frame) in undone
        kept[key] = kept.get(key, (before,))[0], after
    return [
        Write(*key[:2], *values, key[2]) for key, values in kept.items() if len(set(values)) > 1
    ]


def _undone(done: Any, *, lost: bool = False) -> set[int]:
    """Return the frames whose writes did not stay: of those that failed, and all within them."""
    lost = lost or done.is_error
    inner = [_undone(child, lost=lost) for child in done.children]
    return set().union({id(done)} if lost else (), *inner)


def _frame(done: Any, gas: int) -> Frame:
    message = done.msg
    return Frame(
        sender=_hex(message.sender),
        to=_hex(message.storage_address),
        code=_hex(message.code_address),
        data=bytes(message.data),
        output=bytes(done.output),
        gas=gas,
        error=_error(done),
        trail=tuple(getattr(done, "trail", ())),
        inner=tuple(_frame(child, child.get_gas_used()) for child in done.children),
    )


def _error(done: Any) -> str:
    if not done.is_error:
        return ""
    return ALL_GAS_USED if done.should_burn_gas else revert_reason(bytes(done.output))


def _state_like(evm: Any, seen: _Seen) -> Any:
    """Return a state of py-evm that has what an in-process EVM has."""
    chain = _eth("eth.chains.base").MiningChain.configure(
        vm_configuration=((0, _machine()),), chain_id=CHAIN_ID
    )
    genesis = {"difficulty": 0, "gas_limit": 30_000_000, "timestamp": 0}
    state = chain.from_genesis(_eth("eth.db.atomic").AtomicDB(), genesis).get_vm().state
    state.evm, state.seen, state.found = evm, seen, {}
    for address in {*evm.db_accounts, *evm.journal_state}:
        raw = _raw(address)
        state.set_balance(raw, _RICH_WEI)
        state.set_nonce(raw, evm.basic(address).nonce)
        state.set_code(raw, deployed(evm, address))
    state.lock_changes()
    return state


@cache
def _machine() -> Any:
    """Return the kind of machine that notes what it does, and looks storage up elsewhere."""
    cancun = _eth("eth.vm.forks.cancun")
    plain: Any = _eth("eth.vm.forks.cancun.computation").CancunComputation
    consensus = _eth("eth.consensus").NoProofConsensus

    # py-evm is imported only where somebody asks for a trace, so its classes have no types here.
    class State(_eth("eth.vm.forks.cancun.state").CancunState):  # type: ignore[misc]
        """Keeps of each slot what distinguishes it from the one in the other EVM.

        So what is undone, and what a slot had before a transaction, is py-evm's affair as ever.
        """

        evm: Any
        seen: _Seen
        found: dict[tuple[bytes, int], int]

        def get_storage(self, address: bytes, slot: int, from_journal: bool = True) -> int:
            kept: int = super().get_storage(address, slot, from_journal)
            return kept ^ self._there(address, slot)

        def set_storage(self, address: bytes, slot: int, value: int) -> None:
            super().set_storage(address, slot, value ^ self._there(address, slot))

        def _there(self, address: bytes, slot: int) -> int:
            key = address, slot
            if key not in self.found:
                self.found[key] = self.evm.storage(_hex(address), slot)
            return self.found[key]

    # it notes each instruction that it runs
    State.computation_class = plain.configure(
        opcodes={code: _noting(code, run) for code, run in plain.opcodes.items()}
    )
    return cancun.CancunVM.configure(_state_class=State, consensus_class=consensus)


def _noting(code: int, run: Any) -> Callable[..., None]:
    """Return what does an instruction and notes it."""

    def step(computation: Any) -> None:
        trail = computation.__dict__.setdefault("trail", deque[int](maxlen=_TRAIL))
        trail.append(computation.code.program_counter - 1)
        run(computation=computation)

    def sha3(computation: Any) -> None:
        start, size = _top(computation)
        step(computation)
        if size == 2 * _WORD:
            data = bytes(computation.memory_read_bytes(start, size))
            (found,) = _top(computation, 1)
            computation.state.seen.hashed[found] = data

    def sstore(computation: Any) -> None:
        (slot, value), address = _top(computation), computation.msg.storage_address
        before = computation.state.get_storage(address, slot)
        step(computation)
        computation.state.seen.writes.append((computation, address, slot, before, value))

    return {_SHA3: sha3, _SSTORE: sstore}.get(code, step)


def _top(computation: Any, count: int = 2) -> tuple[int, ...]:
    """Return the last words of the stack, the last first."""
    words = computation._stack.values[: -count - 1 : -1]
    return tuple(w if isinstance(w, int) else int.from_bytes(w, "big") for w in words)


def _transaction(call: Call, state: Any) -> Any:
    """Return a call as a transaction that nobody has signed."""
    sender = _raw(call.sender)
    if state.get_balance(sender) < _RICH_WEI:
        state.set_balance(sender, _RICH_WEI)
    plain = _eth("eth.vm.forks.cancun.transactions").CancunTransactionBuilder
    unsigned = plain.create_unsigned_transaction(
        nonce=state.get_nonce(sender),
        gas_price=0,
        gas=CALL_GAS if call.gas is None else call.gas,
        to=_raw(call.to),
        value=0,
        data=call.data,
    )
    return _eth("eth.vm.spoof").SpoofTransaction(unsigned, from_=sender)


def block_context(time: int, number: int) -> Any:
    """Return what py-evm is told of a block, as all chains here mine it."""
    return _eth("eth.vm.execution_context").ExecutionContext(
        coinbase=_raw(ZERO_ADDRESS),
        timestamp=time,
        block_number=number,
        difficulty=0,
        mix_hash=bytes(_WORD),
        gas_limit=BLOCK_GAS,
        prev_hashes=(),
        chain_id=CHAIN_ID,
        base_fee_per_gas=0,
        excess_blob_gas=0,
    )


def require_py_evm() -> None:
    """Raise ChainUnavailable where it is not installed."""
    _eth("eth.vm.forks.cancun")


def _eth(module: str) -> Any:
    """Import a module of py-evm."""
    try:
        return import_module(module)
    except ImportError as error:
        raise ChainUnavailable(f"py-evm is not installed; {INSTALL}") from error


def _raw(address: str) -> bytes:
    return bytes.fromhex(address[2:])


def _hex(address: bytes) -> str:
    return f"0x{address.hex()}"
