"""A chain that notes which instructions run: the packaged bytecode in py-evm.

Fifty times slower than revm, which cannot be asked for its instructions. `line_coverage.py`
tells which lines and branches of the sources they belong to.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from eth._utils.address import generate_contract_address
from eth.chains.base import MiningChain
from eth.consensus import NoProofConsensus
from eth.constants import CREATE_CONTRACT_ADDRESS
from eth.db.atomic import AtomicDB
from eth.exceptions import Halt, Revert
from eth.vm.forks.cancun import CancunVM
from eth.vm.forks.cancun.computation import CancunComputation
from eth.vm.forks.cancun.state import CancunState
from eth.vm.forks.cancun.transaction_context import CancunTransactionContext
from eth.vm.logic.invalid import InvalidOpcode
from eth.vm.message import Message

from simulator.chain.accounts import DEVELOPMENT_ACCOUNTS
from simulator.chain.artifacts import Artifact, artifact_names, load_artifact
from simulator.chain.base import (
    ALL_GAS_USED,
    CALL_GAS,
    CHAIN_ID,
    DEPLOY_GAS,
    SETUP_SECONDS,
    VIEW_GAS,
    BaseChain,
    Call,
    Log,
    Receipt,
)
from simulator.chain.codec import revert_reason
from simulator.chain.contract import Contract, constructor_data
from simulator.chain.traced import block_context
from simulator.errors import TransactionReverted

JUMPI = 0x57
WORD = 32
Steps = dict[str, set[tuple[int, int]]]
"""By contract, with `.__init__` for its creation: the instructions that ran, each with the place
of the one after it. A branch that went both ways is there twice."""


class TracedComputation(CancunComputation):
    """Runs code as py-evm does, and notes the steps of code that has a name."""

    steps: ClassVar[Steps] = defaultdict(set)
    names: ClassVar[dict[bytes, str]] = {}
    """Of contracts by their code: `TracedChain` enters those that are packaged."""

    @classmethod
    def apply_computation(
        cls,
        state: Any,
        message: Any,
        transaction_context: Any,
        parent_computation: Any = None,
    ) -> Any:
        name = cls.names.get(message.code)
        if name is None:
            return super().apply_computation(
                state, message, transaction_context, parent_computation
            )
        steps = cls.steps[name]
        with cls(state, message, transaction_context) as computation:
            computation.contracts_created = (
                parent_computation.contracts_created if parent_computation else []
            )
            if message.is_create:
                computation.contracts_created.append(message.storage_address)
            code, known = computation.code, computation.opcodes
            for opcode in code:
                place = code.program_counter - 1
                try:
                    (known.get(opcode) or InvalidOpcode(opcode))(computation=computation)
                except Halt:
                    break
                finally:
                    steps.add((place, code.program_counter if opcode == JUMPI else 0))
        return computation


class TracedState(CancunState):
    computation_class = TracedComputation


class TracedVM(CancunVM):
    _state_class = TracedState


@dataclass(frozen=True)
class _Snapshot:
    checkpoint: Any
    number: int
    timestamp: int
    nonces: dict[str, int]


class TracedChain(BaseChain):
    """Executes calls in process, as `RevmChain` does.

    Parameters
    ----------
    start : int
        The scenario's first block time, seconds; the genesis lies `SETUP_SECONDS` before.
    """

    name = "py-evm"
    client_version = "py-evm"
    gas_is_exact = False

    def __init__(self, start: int = SETUP_SECONDS) -> None:
        self.accounts = DEVELOPMENT_ACCOUNTS
        chain = MiningChain.configure(
            vm_configuration=((0, TracedVM.configure(consensus_class=NoProofConsensus)),),
            chain_id=CHAIN_ID,
        )
        genesis = {"difficulty": 0, "gas_limit": 30_000_000, "timestamp": 0}
        self._state: Any = chain.from_genesis(AtomicDB(), genesis).get_vm().state
        self._number, self._timestamp = -1, 0
        self._nonces: dict[str, int] = {}
        self._snapshots: list[_Snapshot] = []
        self._packaged = {load_artifact(name).bytecode for name in artifact_names()}
        self._open_block(start - SETUP_SECONDS)

    def deploy(self, artifact: Artifact, args: Sequence[object], sender: str) -> Contract:
        """Create a contract in a block of its own, one second after the latest."""
        code = artifact.bytecode + constructor_data(artifact, args)
        if artifact.bytecode in self._packaged:
            TracedComputation.names[code] = f"{artifact.name}.__init__"
        contract = super().deploy(artifact, args, sender)
        if artifact.bytecode in self._packaged:
            TracedComputation.names[self._state.get_code(_raw(contract.address))] = artifact.name
        return contract

    def block(self, timestamp: int, calls: Sequence[Call]) -> list[Receipt]:
        """Execute `calls` in order in one block at `timestamp`, seconds."""
        self._require_not_before(timestamp)
        self._open_block(timestamp)
        return self._all_passed([self._attempt(call) for call in calls])

    def view(self, calls: Sequence[Call]) -> list[bytes]:
        """Return each call's return data at the latest block, changing nothing."""
        return [self._peek(call) for call in calls]

    def timestamp(self) -> int:
        """Return the latest block's timestamp, seconds."""
        return self._timestamp

    def snapshot(self) -> int:
        """Remember the present state and return its id."""
        kept = self._state.snapshot()
        self._snapshots.append(_Snapshot(kept, self._number, self._timestamp, {**self._nonces}))
        return len(self._snapshots) - 1

    def revert(self, snapshot: int) -> None:
        """Go back to `snapshot`, which stays valid; later ones are gone."""
        kept = self._snapshots[snapshot]
        self._state.revert(kept.checkpoint)
        del self._snapshots[snapshot:]
        self._nonces = {**kept.nonces}
        self._set_block(kept.number, kept.timestamp)
        self.snapshot()

    def code_size(self, address: str) -> int:
        """Return the bytes of code deployed at `address`, 0 for none."""
        return len(self._state.get_code(_raw(address)))

    def close(self) -> None:
        """Do nothing: the memory goes with the object."""

    def save(self, folder: Path, name: str) -> None:
        """Write the steps of all chains of this process."""
        steps = {contract: sorted(found) for contract, found in TracedComputation.steps.items()}
        (folder / f"{name}.json").write_text(json.dumps(steps))

    def _open_block(self, timestamp: int) -> None:
        self._set_block(self._number + 1, timestamp)

    def _set_block(self, number: int, timestamp: int) -> None:
        self._number, self._timestamp = number, timestamp
        self._state.execution_context = block_context(timestamp, number)

    def _attempt(self, call: Call) -> Receipt | TransactionReverted:
        self._nonces[call.sender] = self._nonces.get(call.sender, 0) + 1
        try:
            done = self._message(call, CALL_GAS)
        except TransactionReverted as error:
            return error
        logs = tuple(
            Log(f"0x{emitter.hex()}", tuple(topic.to_bytes(WORD, "big") for topic in topics), data)
            for emitter, topics, data in done.get_log_entries()
        )
        return Receipt(call, done.get_gas_used(), logs, self._number, self._timestamp)

    def _peek(self, call: Call) -> bytes:
        before = self._state.snapshot()
        try:
            return bytes(self._message(call, VIEW_GAS).output)
        finally:
            self._state.revert(before)

    def _message(self, call: Call, default_gas: int) -> Any:
        to = _raw(call.to)
        gas = default_gas if call.gas is None else call.gas
        code = self._state.get_code(to)
        message = Message(gas, to, _raw(call.sender), 0, bytes(call.data), code)
        return self._run(message, call.label, TracedComputation.apply_message)

    def _create(self, code: bytes, sender: str, label: str) -> str:
        self._open_block(self._timestamp + 1)
        nonce = self._nonces.get(sender, 0)
        self._nonces[sender] = nonce + 1
        address = generate_contract_address(_raw(sender), nonce)
        to = CREATE_CONTRACT_ADDRESS
        message = Message(DEPLOY_GAS, to, _raw(sender), 0, b"", code, create_address=address)
        self._run(message, label, TracedComputation.apply_create_message)
        return f"0x{address.hex()}"

    def _run(self, message: Message, label: str, apply: Any) -> Any:
        self._state.clear_transient_storage()
        context = CancunTransactionContext(gas_price=0, origin=message.sender)
        done = apply(self._state, message, context)
        if done.is_error:
            reverted = isinstance(done.error, Revert)
            raise TransactionReverted(
                label, revert_reason(bytes(done.output)) if reverted else ALL_GAS_USED
            )
        return done


def _raw(address: str) -> bytes:
    return bytes.fromhex(address[2:])
