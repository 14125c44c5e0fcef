"""What every chain offers: calls in, blocks mined, receipts and return data out.

A step of a replay is one block. `Chain.block` executes its calls in list order
under one timestamp; `Chain.view` reads at the latest block and leaves no trace.
Addresses are lower-case hex strings everywhere, so they compare with `==`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Protocol, Self, runtime_checkable

from simulator.chain.artifacts import Artifact
from simulator.chain.bundle import VIEW_GAS
from simulator.chain.contract import Contract, constructor_data
from simulator.chain.messages import CALL_GAS, Call, Log, Receipt
from simulator.errors import TransactionReverted

__all__ = [
    "ALL_GAS_USED",
    "BLOCK_GAS",
    "CALL_GAS",
    "CHAIN_ID",
    "DEPLOY_GAS",
    "HARDFORK",
    "LEAST_SETUP_SECONDS",
    "SETUP_SECONDS",
    "VIEW_GAS",
    "BaseChain",
    "Call",
    "Chain",
    "Log",
    "Receipt",
]

CHAIN_ID = 31_337
HARDFORK = "cancun"
DEPLOY_GAS = 15_000_000
BLOCK_GAS = 1_000_000_000_000
"""Block gas limit: 200,000 calls at their default limit fit into one block."""
SETUP_SECONDS = 86_400
"""The genesis block lies this long before `start`: room for deployments, one second each."""
LEAST_SETUP_SECONDS = 3_600
"""How long before `start` an attached chain must stand, at least."""

ALL_GAS_USED = "all gas used: out of gas, or a state that must not be reached"
"""The reason of a call that halted; nodes do not say which of the two it was."""


@runtime_checkable
class Chain(Protocol):
    """An Ethereum chain that mines when it is told to.

    `gas_is_exact` is False where `Receipt.gas_used` is only a lower bound. Where `heard` is a list,
    every receipt is added to it, those of creations too (see `BaseChain`).
    """

    name: str
    client_version: str
    accounts: tuple[str, ...]
    gas_is_exact: bool
    heard: list[Receipt] | None

    def deploy(self, artifact: Artifact, args: Sequence[object], sender: str) -> Contract:
        """Create a contract in a block of its own, one second after the latest."""

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

    def send(self, call: Call, timestamp: int | None = None) -> Receipt:
        """Execute one call in a block of its own, by default one second after the latest."""

    def view(self, calls: Sequence[Call]) -> list[bytes]:
        """Return each call's return data at the latest block, changing nothing."""

    def view_one(self, call: Call) -> bytes:
        """Return one call's return data at the latest block."""

    def timestamp(self) -> int:
        """Return the latest block's timestamp, seconds."""

    def snapshot(self) -> int:
        """Remember the present state and return its id."""

    def revert(self, snapshot: int) -> None:
        """Go back to `snapshot`, which stays valid; later ones are gone."""

    def code_size(self, address: str) -> int:
        """Return the bytes of code deployed at `address`, 0 for none."""

    def close(self) -> None:
        """Release what the chain holds; a second call does nothing."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class BaseChain(ABC):
    """What all chains do alike, on top of blocks and views.

    Attributes
    ----------
    heard : list of Receipt, optional
        Takes the receipts of all that succeeds, in order, as long as it is set. A creation's call
        is to the contract that it made, and its data the code and the arguments.
    """

    name: str
    client_version: str
    accounts: tuple[str, ...]
    gas_is_exact: bool
    heard: list[Receipt] | None = None

    @abstractmethod
    def block(self, timestamp: int, calls: Sequence[Call]) -> list[Receipt]:
        """Execute `calls` in order in one block at `timestamp`, seconds."""

    @abstractmethod
    def view(self, calls: Sequence[Call]) -> list[bytes]:
        """Return each call's return data at the latest block, changing nothing."""

    @abstractmethod
    def timestamp(self) -> int:
        """Return the latest block's timestamp, seconds."""

    @abstractmethod
    def close(self) -> None:
        """Release what the chain holds; a second call does nothing."""

    @abstractmethod
    def _create(self, code: bytes, sender: str, label: str) -> str:
        """Execute `code` as a creation and return the new contract's address."""

    def deploy(self, artifact: Artifact, args: Sequence[object], sender: str) -> Contract:
        """Create a contract in a block of its own, one second after the latest."""
        code = artifact.bytecode + constructor_data(artifact, args)
        address = self._create(code, sender, f"{artifact.name}.__init__")
        return Contract(artifact, address)

    def send(self, call: Call, timestamp: int | None = None) -> Receipt:
        """Execute one call in a block of its own, by default one second after the latest."""
        return self.block(self.timestamp() + 1 if timestamp is None else timestamp, [call])[0]

    def view_one(self, call: Call) -> bytes:
        """Return one call's return data at the latest block."""
        return self.view([call])[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _hear(self, receipts: Iterable[Receipt]) -> None:
        """Keep receipts for whoever listens."""
        if self.heard is not None:
            self.heard.extend(receipts)

    def _all_passed(self, outcomes: Sequence[Receipt | TransactionReverted]) -> list[Receipt]:
        """Return the receipts of a block's calls, or raise the first that failed."""
        passed = [outcome for outcome in outcomes if isinstance(outcome, Receipt)]
        self._hear(passed)
        for outcome in outcomes:
            if isinstance(outcome, TransactionReverted):
                raise outcome
        return passed

    def _require_not_before(self, timestamp: int) -> None:
        if timestamp < self.timestamp():
            raise ValueError(
                f"block timestamp {timestamp} is before the latest block's, {self.timestamp()}"
            )
