"""A stage on the chain that ape has connected a project's tests to."""

from __future__ import annotations

import re
import sys
from ast import literal_eval
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from simulator.chain.accounts import ZERO_ADDRESS
from simulator.chain.base import (
    ALL_GAS_USED,
    CALL_GAS,
    CHAIN_ID,
    DEPLOY_GAS,
    BaseChain,
    Call,
    Log,
    Receipt,
)
from simulator.chain.codec import revert_reason
from simulator.errors import ForbiddenEndpoint, TransactionReverted
from simulator.trial.stage import ROLES

_LOCAL = "local"
_OF_TESTER = re.compile(r"execution reverted: (b['\"].*['\"])$", re.DOTALL)


def provider() -> Any | None:
    """Return what ape is connected to; None where it is not there, or not connected.

    Raises
    ------
    ForbiddenEndpoint
        That is no chain for tests.
    """
    ape = sys.modules.get("ape")
    found = None if ape is None else ape.networks.active_provider
    if found is not None and found.network.name != _LOCAL:
        raise ForbiddenEndpoint(f"ape is connected to {found.network.name}; must be a local chain")
    return found


def accounts() -> list[Any]:
    """Return ape's test accounts, as many as there are roles."""
    import ape

    return [ape.accounts.test_accounts[number] for number in range(len(ROLES))]


def ape_roles() -> SimpleNamespace:
    """Return ape's test accounts by the names of roles: as senders of ape's own calls."""
    return SimpleNamespace(**dict(zip(ROLES, accounts(), strict=True)))


class ApeChain(BaseChain):
    """The chain of an ape provider: eth-tester in process, or a node that ape has started.

    Each call is a block of its own, so that time passes by a second from call to call.
    """

    name = "ape"
    gas_is_exact = True

    def __init__(self, connected: Any) -> None:
        self._provider, self._eth = connected, connected.web3.eth
        if connected.chain_id not in (CHAIN_ID, 1_337):
            raise ForbiddenEndpoint(f"ape's chain has id {connected.chain_id}; must be a local one")
        self.client_version = str(connected.name)
        self.accounts = tuple(one.address.lower() for one in accounts())

    def block(self, timestamp: int, calls: Sequence[Call]) -> list[Receipt]:
        """Execute `calls` in order, the first one at `timestamp` or as soon as can be.

        Raises
        ------
        TransactionReverted
            Of the first that fails, which is not sent.
        """
        if timestamp > self.timestamp():
            self._provider.set_timestamp(timestamp)
            if not calls:
                self._provider.mine(1)
        receipts = [self._sent(call) for call in calls]
        self._hear(receipts)
        return receipts

    def view(self, calls: Sequence[Call]) -> list[bytes]:
        """Return each call's return data at the latest block, changing nothing."""
        return [self._asked(call) for call in calls]

    def timestamp(self) -> int:
        """Return the latest block's timestamp, seconds."""
        return int(self._eth.get_block("latest")["timestamp"])

    def snapshot(self) -> Any:
        """Remember the present state and return its id."""
        return self._provider.snapshot()

    def revert(self, snapshot: Any) -> None:
        """Go back to `snapshot`, once."""
        self._provider.restore(snapshot)

    def code_size(self, address: str) -> int:
        """Return the bytes of code deployed at `address`, 0 for none."""
        return len(self._eth.get_code(_mixed(address)))

    def close(self) -> None:
        """Do nothing: the chain is ape's."""

    def _fields(self, call: Call, gas: int) -> dict[str, Any]:
        # Nobody has no money, which eth-tester wants to see of who only looks, too.
        sender = self.accounts[0] if call.sender == ZERO_ADDRESS else call.sender
        fields = {"from": _mixed(sender), "data": "0x" + call.data.hex(), "gas": gas}
        return {**fields, "to": _mixed(call.to)} if call.to else fields

    def _asked(self, call: Call) -> bytes:
        try:
            return bytes(self._eth.call(self._fields(call, call.gas or DEPLOY_GAS)))
        except _failures() as error:
            raise TransactionReverted(call.label, _reason(error)) from None

    def _sent(self, call: Call, gas: int = CALL_GAS) -> Receipt:
        self._asked(call)
        fields = {**self._fields(call, call.gas or gas), "gasPrice": 2 * self._eth.gas_price}
        done = self._eth.wait_for_transaction_receipt(self._eth.send_transaction(fields))
        if not done["status"]:
            raise TransactionReverted(call.label, ALL_GAS_USED)
        logs = tuple(
            Log(log["address"].lower(), tuple(map(bytes, log["topics"])), bytes(log["data"]))
            for log in done["logs"]
        )
        made = Call(
            (done["contractAddress"] or "").lower(), call.data, call.sender, call.label, gas
        )
        kept = call if call.to else made
        return Receipt(kept, done["gasUsed"], logs, done["blockNumber"], self.timestamp())

    def _create(self, code: bytes, sender: str, label: str) -> str:
        receipt = self._sent(Call("", code, sender, label), DEPLOY_GAS)
        self._hear([receipt])
        return receipt.call.to


def _failures() -> tuple[type[Exception], ...]:
    """Return what is raised for a call that fails, by a node or by eth-tester."""
    from web3.exceptions import Web3Exception

    tester = sys.modules.get("eth_tester.exceptions")
    return (Web3Exception,) if tester is None else (Web3Exception, tester.TransactionFailed)


def _reason(error: Any) -> str:
    """Return what a call says that fails: by the data of its revert, where there are any."""
    data, said = getattr(error, "data", None), str(error)
    if isinstance(data, str) and data.startswith("0x"):
        return revert_reason(bytes.fromhex(data[2:]))
    if match := _OF_TESTER.search(said):
        return revert_reason(literal_eval(match[1]))
    return said.removeprefix("execution reverted: ")


def _mixed(address: str) -> str:
    """Return an address as web3 wants it, with its checksum."""
    from eth_utils.address import to_checksum_address

    return to_checksum_address(address)
