"""The reference chain: a real Anvil node, as a child process or attached to.

A block is three messages: its transactions in one batch, one order to mine, one
request for the receipts. Anvil runs a batch concurrently, so the order inside a
block is set by the gas price, which falls from call to call; the base fee is 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from simulator.chain import bundle
from simulator.chain.accounts import DEVELOPMENT_ACCOUNTS
from simulator.chain.base import (
    ALL_GAS_USED,
    BLOCK_GAS,
    CALL_GAS,
    CHAIN_ID,
    DEPLOY_GAS,
    HARDFORK,
    LEAST_SETUP_SECONDS,
    SETUP_SECONDS,
    VIEW_GAS,
    BaseChain,
    Call,
    Log,
    Receipt,
)
from simulator.chain.codec import revert_reason
from simulator.chain.node import AnvilNode, command_line, find_anvils, version_of
from simulator.chain.rpc import Request, Response, Rpc, RpcError, over_http, over_socket, place_of
from simulator.errors import AssayError, ChainUnavailable, ForbiddenEndpoint, TransactionReverted

RICH_WEI = 10**30
_EXECUTION_REVERTED = 3
"""JSON-RPC error code of a call that reverted with data."""


@dataclass(frozen=True)
class _Snapshot:
    key: int
    node_id: str
    nonces: dict[str, int]
    timestamp: int


class AnvilChain(BaseChain):
    """A development chain in Anvil.

    Parameters
    ----------
    start : int
        The scenario's first block time, seconds; the genesis lies `SETUP_SECONDS` before.
    anvil_path : str or Path, optional
        The binary; by default it is looked for (see `find_anvil`).
    rpc : str, optional
        Attach to the node at this loopback URL instead of starting one.
    port : int
        The child's loopback port, for wallets and explorers; 0 = any free one.
    history : bool
        The child keeps past blocks and states, at the price of memory.

    Attributes
    ----------
    passed_over : tuple of str
        Binaries that did not start before the one that did, and why.

    Raises
    ------
    ForbiddenEndpoint
        If `rpc` is not this machine, or not Anvil with chain id 31337; nothing that
        changes state has been sent then.
    ChainUnavailable
        If there is no binary, it does not start, or the attached chain is past `start`.
    """

    name = "anvil"
    gas_is_exact = True

    def __init__(
        self,
        start: int = SETUP_SECONDS,
        *,
        anvil_path: str | Path | None = None,
        rpc: str | None = None,
        port: int = 0,
        history: bool = False,
    ) -> None:
        self.passed_over: tuple[str, ...] = ()
        self._node: AnvilNode | None
        if rpc is None:
            form = partial(AnvilNode, start=start, port=port, history=history)
            self._node, self._rpc, self.passed_over = _start(form, anvil_path)
        else:
            self._node, self._rpc = None, over_http(rpc)
        self._taken = False
        self.accounts = DEVELOPMENT_ACCOUNTS
        self._nonces: dict[str, int] = {}
        self._snapshots: list[_Snapshot] = []
        self._next_key = 0
        self._bundle = bundle.Bundle()
        try:
            self.client_version = self._identify(start)
            self._timestamp = self._latest_timestamp()
            if self._node is None:
                self._require_fit(start)
                self._prepare()
                self._timestamp = self._latest_timestamp()
                self._require_fit(start)
        except BaseException:
            self.close()
            raise

    def block(self, timestamp: int, calls: Sequence[Call]) -> list[Receipt]:
        """Execute `calls` in order in one block at `timestamp`, seconds.

        After a revert the other calls of the block stand.

        Raises
        ------
        TransactionReverted
            With the label and reason of the first call that failed.
        ValueError
            If `timestamp` is before the latest block's.
        """
        self._require_not_before(timestamp)
        self._fund({call.sender for call in calls})
        transactions = [
            self._transaction(call.sender, call.data, call.gas or CALL_GAS, price, call.to)
            for call, price in zip(calls, range(len(calls), 0, -1), strict=True)
        ]
        hashes = self._submit(transactions, [call.label for call in calls])
        mined = self._mine(timestamp, hashes, [call.label for call in calls])
        both = zip(calls, mined, strict=True)
        receipts = [receipt_of(call, raw, timestamp) for call, raw in both if _succeeded(raw)]
        self._hear(receipts)
        self._raise_first_revert(calls, mined)
        return receipts

    def view(self, calls: Sequence[Call]) -> list[bytes]:
        """Return each call's return data at the latest block, changing nothing.

        Those that may be asked together are; if one fails, each is asked alone, and says why.
        """
        message = self._bundle.message(calls)
        together = None if message is None else self._asked(message)
        if together is not None:
            return together
        responses = self._batch([_view_request(call) for call in calls])
        return [_returned(call, raw) for call, raw in zip(calls, responses, strict=True)]

    def _asked(self, message: Call) -> list[bytes] | None:
        method, params = _view_request(message)
        response = self._batch([(method, [*params, bundle.LENT])])[0]
        return self._bundle.answers(_bytes(response["result"])) if "result" in response else None

    def timestamp(self) -> int:
        """Return the latest block's timestamp, seconds."""
        return self._timestamp

    def snapshot(self) -> int:
        """Remember the present state and return its id."""
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
        keys = [kept.key for kept in self._snapshots]
        if snapshot not in keys:
            raise KeyError(f"no snapshot {snapshot}")
        kept = self._snapshots[keys.index(snapshot)]
        del self._snapshots[keys.index(snapshot) :]
        if not self._request("evm_revert", kept.node_id):
            raise ChainUnavailable("anvil has forgotten the snapshot")
        self._nonces, self._timestamp = dict(kept.nonces), kept.timestamp
        # The node gives a snapshot up when it goes back to it.
        self._remember(snapshot)

    @property
    def node(self) -> AnvilNode | None:
        """The child process, or None when attached to a node."""
        return self._node

    def code_size(self, address: str) -> int:
        """Return the bytes of code deployed at `address`, 0 for none."""
        return len(_bytes(self._request("eth_getCode", address, "latest")))

    def hand_over(self) -> None:
        """Leave the node to others: it mines whatever is sent, and its clock runs on from here."""
        self._request("evm_setAutomine", True)

    def close(self) -> None:
        """End the child process; an attached node is handed over and keeps running."""
        if self._taken:
            with suppress(AssayError):
                self.hand_over()
            self._taken = False
        self._rpc.close()
        if self._node is not None:
            self._node.close()

    def _create(self, code: bytes, sender: str, label: str) -> str:
        self._fund({sender})
        transaction = self._transaction(sender, code, DEPLOY_GAS, 1)
        hashes = self._submit([transaction], [label])
        mined = self._mine(self._timestamp + 1, hashes, [label])
        self._raise_first_revert([Call("", code, sender, label, DEPLOY_GAS)], mined)
        address = str(mined[0]["contractAddress"]).lower()
        call = Call(address, code, sender, label, DEPLOY_GAS)
        self._hear([receipt_of(call, mined[0], self._timestamp)])
        return address

    def _transaction(
        self, sender: str, data: bytes, gas: int, price: int, to: str | None = None
    ) -> Request:
        nonce = self._nonces[sender]
        self._nonces[sender] = nonce + 1
        fields = {
            "from": sender,
            "data": "0x" + data.hex(),
            "gas": hex(gas),
            "gasPrice": hex(price),
            "nonce": hex(nonce),
        }
        return ("eth_sendTransaction", [fields if to is None else {**fields, "to": to}])

    def _submit(self, transactions: list[Request], labels: Sequence[str]) -> list[str]:
        responses = self._batch(transactions)
        for label, response in zip(labels, responses, strict=True):
            if "error" in response:
                self._discard()
                raise TransactionReverted(label, RpcError(response["error"]).message)
        return [response["result"] for response in responses]

    def _mine(self, timestamp: int, hashes: list[str], labels: Sequence[str]) -> list[Response]:
        self._request("evm_mine", timestamp)
        self._timestamp = timestamp
        mined: list[Response] = self._request("eth_getBlockReceipts", "latest")
        if [raw["transactionHash"] for raw in mined] == hashes:
            return mined
        self._discard()
        found = {raw["transactionHash"] for raw in mined}
        left_out = [label for label, key in zip(labels, hashes, strict=True) if key not in found]
        if left_out:
            raise TransactionReverted(left_out[0], "anvil left it out of the block")
        raise ChainUnavailable("anvil mined the calls in another order; start it with --order fees")

    def _discard(self) -> None:
        """Drop what the node has not mined, and count nonces from its state again."""
        self._request("anvil_dropAllTransactions")
        self._nonces.clear()

    def _raise_first_revert(self, calls: Sequence[Call], mined: Sequence[Response]) -> None:
        for call, raw in zip(calls, mined, strict=True):
            if not _succeeded(raw):
                raise TransactionReverted(call.label, self._reason(call, raw))

    def _reason(self, call: Call, raw: Response) -> str:
        output = _bytes(self._request("ots_getTransactionError", raw["transactionHash"]))
        used_all = int(raw["gasUsed"], 16) >= (call.gas or CALL_GAS)
        return ALL_GAS_USED if used_all and not output else revert_reason(output)

    def _fund(self, senders: set[str]) -> None:
        """Learn the nonce of each new sender, and see that it can pay for its gas."""
        new = sorted(senders - self._nonces.keys())
        asks = [("eth_getTransactionCount", [sender, "latest"]) for sender in new]
        gifts = [("anvil_setBalance", [sender, hex(RICH_WEI)]) for sender in new]
        answers = self._batch([*asks, *gifts])
        for sender, answer in zip(new, answers, strict=False):
            self._nonces[sender] = int(answer["result"], 16)

    def _identify(self, start: int) -> str:
        try:
            return checked_version(self._rpc)
        except ChainUnavailable as error:
            if self._node is not None or isinstance(error, ForbiddenEndpoint):
                raise
            raise ChainUnavailable(f"{error}; start one: {self._command(start)}") from error

    def _require_fit(self, start: int) -> None:
        """Refuse an attached node that cannot play a scenario from `start`; ask, change nothing."""
        fork = str(self._request("anvil_nodeInfo").get("hardFork"))
        if fork.lower() != HARDFORK:
            fault = f"runs the hardfork {fork}; must be {HARDFORK}"
        elif self._timestamp > start - LEAST_SETUP_SECONDS:
            fault = f"stands at {self._timestamp}, too late for a start at {start}"
        else:
            return
        command = self._command(start)
        raise ChainUnavailable(f"{self._rpc.place} {fault}; start a fitting one: {command}")

    def _command(self, start: int) -> str:
        """Return what starts a fitting node where this one was looked for."""
        return " ".join(["anvil", *command_line(start, *place_of(self._rpc.place))])

    def _prepare(self) -> None:
        """Set an attached node to what the stage needs."""
        self._taken = True
        # One that mines by the clock would put a step's calls into blocks of its own.
        self._request("evm_setIntervalMining", 0)
        self._request("anvil_autoImpersonateAccount", True)
        self._request("evm_setAutomine", False)
        self._request("evm_setBlockGasLimit", hex(BLOCK_GAS))
        self._request("anvil_setNextBlockBaseFeePerGas", "0x0")

    def _remember(self, key: int) -> None:
        node_id = self._request("evm_snapshot")
        self._snapshots.append(_Snapshot(key, node_id, dict(self._nonces), self._timestamp))

    def _latest_timestamp(self) -> int:
        return int(self._request("eth_getBlockByNumber", "latest", False)["timestamp"], 16)

    def _request(self, method: str, *params: Any) -> Any:
        response = self._batch([(method, list(params))])[0]
        if "error" in response:
            message = RpcError(response["error"]).message
            raise ChainUnavailable(f"anvil refused {method}: {message}")
        return response["result"]

    def _batch(self, requests: Sequence[Request]) -> list[Response]:
        try:
            return self._rpc.batch(requests)
        except ChainUnavailable as error:
            if self._node is None:
                raise
            raise ChainUnavailable(f"anvil stopped: {self._node.last_words()}") from error


def _start(
    form: Callable[[Path], AnvilNode], anvil_path: str | Path | None
) -> tuple[AnvilNode, Rpc, tuple[str, ...]]:
    """Return the first node that starts, and why those before it did not.

    Raises
    ------
    ChainUnavailable
        None does, or there is none; says of each its path, its version and all it said.
    """
    faults: list[str] = []
    for binary in find_anvils(anvil_path):
        try:
            return *_connected(form, binary), tuple(faults)
        except ChainUnavailable as error:
            faults.append(f"{error} ({binary}, {version_of(binary)})")
    raise ChainUnavailable("; ".join(faults))


def _connected(form: Callable[[Path], AnvilNode], binary: Path) -> tuple[AnvilNode, Rpc]:
    node = form(binary)
    try:
        return node, over_socket(node.socket_path)
    except BaseException:
        node.close()
        raise


def checked_version(rpc: Rpc) -> str:
    """Return the client version of a chain that is proven to be a development chain."""
    found = [response.get("result") for response in rpc.batch(_IDENTITY)]
    chain_id, version = found
    if not isinstance(chain_id, str) or int(chain_id, 16) != CHAIN_ID:
        raise ForbiddenEndpoint(f"{rpc.place} has chain id {chain_id}; must be {CHAIN_ID}")
    if not isinstance(version, str) or not version.lower().startswith("anvil/"):
        raise ForbiddenEndpoint(f"{rpc.place} is {version}; must be Anvil")
    return version


def asked(url: str, requests: Sequence[Request]) -> list[Any]:
    """Return what a node at a loopback URL answers, None for what it refuses.

    It is asked only once it has said that it is a development chain.

    Raises
    ------
    ForbiddenEndpoint, ChainUnavailable
    """
    rpc = over_http(url)
    try:
        checked_version(rpc)
        return [answer.get("result") for answer in rpc.batch(requests)]
    finally:
        rpc.close()


_IDENTITY: list[Request] = [("eth_chainId", []), ("web3_clientVersion", [])]


def _view_request(call: Call) -> Request:
    fields = {
        "from": call.sender,
        "to": call.to,
        "data": "0x" + call.data.hex(),
        "gas": hex(call.gas or VIEW_GAS),
    }
    return ("eth_call", [fields, "latest"])


def _returned(call: Call, response: Response) -> bytes:
    if "result" in response:
        return _bytes(response["result"])
    error = response["error"]
    if error.get("code") == _EXECUTION_REVERTED:
        raise TransactionReverted(call.label, revert_reason(_bytes(error.get("data") or "0x")))
    raise TransactionReverted(call.label, ALL_GAS_USED)


def _succeeded(raw: Response) -> bool:
    return int(raw["status"], 16) != 0


def receipt_of(call: Call, raw: Response, timestamp: int) -> Receipt:
    """Return what the node says of a call that it mined."""
    logs = tuple(
        Log(log["address"].lower(), tuple(_bytes(t) for t in log["topics"]), _bytes(log["data"]))
        for log in raw["logs"]
    )
    return Receipt(call, int(raw["gasUsed"], 16), logs, int(raw["blockNumber"], 16), timestamp)


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text[2:])
