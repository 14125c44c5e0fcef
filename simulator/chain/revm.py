"""The chain in this process: real bytecode in revm, through pyrevm."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from time import perf_counter
from typing import Any

from simulator.chain import bundle
from simulator.chain.accounts import DEVELOPMENT_ACCOUNTS
from simulator.chain.base import (
    ALL_GAS_USED,
    BLOCK_GAS,
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
from simulator.chain.codec import optional, revert_reason
from simulator.chain.noted import Noted
from simulator.errors import ChainUnavailable, TransactionReverted

_BALANCE_WEI = 10_000 * 10**18
_MAX_SNAPSHOTS = 900
"""revm counts open snapshots as call depth, of which it has 1,024."""
_CODE_PADDING = 33
"""revm keeps code followed by this many zero bytes, and hands them out with it."""
_REVERT_OUTPUT = re.compile(r"^Revert \{.*output: 0x([0-9a-f]*)", re.DOTALL)


@dataclass(frozen=True)
class _Snapshot:
    key: int
    checkpoint: Any
    number: int
    timestamp: int
    nonces: dict[str, int]


class RevmChain(BaseChain):
    """Executes calls in process.

    pyrevm runs all calls as one long transaction, so a slot or account that an
    earlier call touched counts as warm, and one it wrote as dirty. `gas_used` is
    therefore a lower bound of what a node charges; everything else is the same.

    Parameters
    ----------
    start : int
        The scenario's first block time, seconds; the genesis lies `SETUP_SECONDS` before.
    fork : str, optional
        URL of a node whose latest state is beneath all that happens here. It is only read.

    Attributes
    ----------
    evm_seconds : float
        Time on the wall within pyrevm, so far: of messages, creations, snapshots and reverts,
        and of letting go of the state.
    views, reads : int
        How often it was asked without a change, so far, and for how many answers in all.
    """

    name = "revm"
    gas_is_exact = False

    def __init__(self, start: int = SETUP_SECONDS, fork: str | None = None) -> None:
        pyrevm = optional("pyrevm")
        self._pyrevm = pyrevm
        self.client_version = f"pyrevm/{version('pyrevm')}"
        self.accounts = DEVELOPMENT_ACCOUNTS
        self._fork = fork
        self._evm = self._fresh()
        self._noted: Noted | None = None
        self._number = -1
        self._nonces = dict.fromkeys(self.accounts, 0)
        self._snapshots: list[_Snapshot] = []
        self._next_key = 0
        self.evm_seconds, self.views, self.reads = 0.0, 0, 0
        self._bundle = bundle.Bundle()
        self._open_block(start - SETUP_SECONDS)

    def _fresh(self) -> Any:
        env = self._pyrevm.Env(cfg=self._pyrevm.CfgEnv(chain_id=CHAIN_ID))
        # pyrevm takes an unknown name, also "CANCUN", for the latest fork without a word.
        evm = self._pyrevm.EVM(env=env, fork_url=self._fork, spec_id="Cancun")
        for account in self.accounts:
            evm.set_balance(account, _BALANCE_WEI)
        evm.insert_account_info(bundle.READER, self._pyrevm.AccountInfo(code=bundle.CODE))
        return evm

    def block(self, timestamp: int, calls: Sequence[Call]) -> list[Receipt]:
        """Execute `calls` in order in one block at `timestamp`, seconds.

        A call that fails leaves no trace; the others of the block stand all the same.

        Raises
        ------
        TransactionReverted
            With the label and reason of the first call that failed.
        ValueError
            If `timestamp` is before the latest block's.
        """
        self._require_not_before(timestamp)
        self._open_block(timestamp)
        return self._all_passed([self._attempt(call) for call in calls])

    def view(self, calls: Sequence[Call]) -> list[bytes]:
        """Return each call's return data at the latest block, changing nothing.

        Those that may be asked together are; if one fails, each is asked alone, and says why.
        """
        self.reads += len(calls)
        message = self._bundle.message(calls)
        together = None if message is None else self._bundle.answers(self._peek(message))
        return [self._peek(call) for call in calls] if together is None else together

    def timestamp(self) -> int:
        """Return the latest block's timestamp, seconds."""
        return self._timestamp

    def snapshot(self) -> int:
        """Remember the present state and return its id.

        Raises
        ------
        ChainUnavailable
            When 900 snapshots are open; `revert` to an earlier one closes the later.
        """
        if len(self._snapshots) >= _MAX_SNAPSHOTS:
            raise ChainUnavailable(f"revm holds at most {_MAX_SNAPSHOTS} open snapshots")
        self._next_key += 1
        self._remember(self._next_key)
        return self._next_key

    def revert(self, snapshot: int) -> None:
        """Go back to `snapshot`, which stays valid; later ones are gone.

        Raises
        ------
        KeyError
            If the id is unknown or was undone by an earlier revert.
        """
        if all(kept.key != snapshot for kept in self._snapshots):
            raise KeyError(f"no snapshot {snapshot}")
        while True:
            last = self._snapshots.pop()
            self._evm.revert(last.checkpoint)
            if last.key == snapshot:
                break
        self._evm.reset_transient_storage()
        self._nonces = dict(last.nonces)
        self._set_block(last.number, last.timestamp)
        self._remember(snapshot)

    def code_size(self, address: str) -> int:
        """Return the bytes of code deployed at `address`, 0 for none."""
        return len(deployed(self._evm, address))

    def code(self, address: str) -> bytes:
        """Return the code deployed at `address`, empty for none."""
        return deployed(self._evm, address)

    def set_code(self, address: str, code: bytes) -> None:
        """Put code at an address, outside of any call; no snapshot undoes it."""
        self._evm.insert_account_info(address, self._pyrevm.AccountInfo(code=code))

    def close(self) -> None:
        """Let go of the state, which players that know each other would keep for a while."""
        began = perf_counter()
        self._evm = None
        self.evm_seconds += perf_counter() - began

    def note(self) -> None:
        """Note all that pyrevm is asked from now on; nothing may have happened before."""
        self._evm = self._noted = Noted(self._evm)

    def seconds_alone(self, clock: Callable[[], float]) -> float:
        """Return what the EVM takes for all that was noted, with nothing around it."""
        return 0.0 if self._noted is None else self._noted.seconds_alone(self._fresh(), clock)

    def _remember(self, key: int) -> None:
        checkpoint = self._evm.snapshot()
        nonces = dict(self._nonces)
        kept = _Snapshot(key, checkpoint, self._number, self._timestamp, nonces)
        self._snapshots.append(kept)

    def _open_block(self, timestamp: int) -> None:
        self._set_block(self._number + 1, timestamp)

    def _set_block(self, number: int, timestamp: int) -> None:
        self._number, self._timestamp = number, timestamp
        block = self._pyrevm.BlockEnv(
            number=number, timestamp=timestamp, gas_limit=BLOCK_GAS, basefee=0
        )
        self._evm.set_block_env(block)

    def _attempt(self, call: Call) -> Receipt | TransactionReverted:
        sender, nonces = call.sender, self._nonces
        nonces[sender] = nonces.get(sender, 0) + 1
        evm, gas = self._evm, CALL_GAS if call.gas is None else call.gas
        began = perf_counter()
        try:
            evm.reset_transient_storage()
            evm.message_call(call.sender, call.to, call.data, None, gas)
            result = evm.result
        except RuntimeError as error:
            return _reverted(call, error)
        finally:
            self.evm_seconds += perf_counter() - began
        return Receipt(call, result.gas_used, _Logs(result), self._number, self._timestamp)

    def _peek(self, call: Call) -> bytes:
        self.views += 1
        evm, gas = self._evm, VIEW_GAS if call.gas is None else call.gas
        began = perf_counter()
        checkpoint = evm.snapshot()
        try:
            evm.reset_transient_storage()
            data: bytes = evm.message_call(call.sender, call.to, call.data, None, gas)
        except RuntimeError as error:
            raise _reverted(call, error) from error
        finally:
            evm.revert(checkpoint)
            self.evm_seconds += perf_counter() - began
        return data

    def _create(self, code: bytes, sender: str, label: str) -> str:
        self._open_block(self._timestamp + 1)
        self._evm.reset_transient_storage()
        self._match_nonce(sender)
        self._nonces[sender] = self._nonces.get(sender, 0) + 1
        began = perf_counter()
        try:
            address: str = self._evm.deploy(sender, code, gas=DEPLOY_GAS)
        except RuntimeError as error:
            raise TransactionReverted(label, _reason(str(error))) from error
        finally:
            self.evm_seconds += perf_counter() - began
        if self.heard is not None:
            call, result = Call(address.lower(), code, sender, label, DEPLOY_GAS), self._evm.result
            gas, logs = result.gas_used, _Logs(result)
            self._hear([Receipt(call, gas, logs, self._number, self._timestamp)])
        return address.lower()

    def _match_nonce(self, sender: str) -> None:
        # A message call leaves the nonce alone; counted here, addresses equal a node's.
        info = self._pyrevm.AccountInfo(nonce=self._nonces.get(sender, 0), balance=_BALANCE_WEI)
        self._evm.insert_account_info(sender, info)


def _reverted(call: Call, error: RuntimeError) -> TransactionReverted:
    return TransactionReverted(call.label, _reason(str(error)))


def deployed(evm: Any, address: str) -> bytes:
    """Return the code that an EVM of pyrevm has at an address, empty for none."""
    return bytes(evm.get_code(address) or b"")[:-_CODE_PADDING]


class _Logs(Sequence[Log]):
    """The events of a result, turned into ours when somebody looks at them."""

    __slots__ = ("_found", "_result")

    def __init__(self, result: Any) -> None:
        self._result: Any = result
        self._found: tuple[Log, ...] | None = None

    def _all(self) -> tuple[Log, ...]:
        if self._found is None:
            self._found, self._result = tuple(_log(raw) for raw in self._result.logs), None
        return self._found

    def __len__(self) -> int:
        return len(self._all())

    def __getitem__(self, index: Any) -> Any:
        return self._all()[index]

    def __eq__(self, other: object) -> bool:
        return self._all() == (other._all() if isinstance(other, _Logs) else other)

    def __hash__(self) -> int:
        return hash(self._all())

    def __repr__(self) -> str:
        return repr(self._all())


def _log(raw: Any) -> Log:
    topics, data = raw.data
    return Log(raw.address.lower(), tuple(topics), data)


def _reason(text: str) -> str:
    """Return the reason in pyrevm's error text, in the words that all chains share."""
    if match := _REVERT_OUTPUT.match(text):
        return revert_reason(bytes.fromhex(match[1]))
    return ALL_GAS_USED if text.startswith("Halt") else text
