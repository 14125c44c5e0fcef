"""An Anvil that people use between the days of a scenario: wallets, scripts, a browser.

Between two of our blocks the node mines by itself, whatever is sent, and its clock stands still:
days pass with the scenario alone, and what a wallet estimates is what happens. (Were the next block
a second later, a call that accrues interest would need more gas than was estimated at the last
one.) For our own block the node is told to wait. What others sent is noticed, and a call of ours
that fails because of it ends nothing.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from simulator.chain.anvil import RICH_WEI, AnvilChain, receipt_of
from simulator.chain.base import CALL_GAS, SETUP_SECONDS
from simulator.chain.messages import Call, Receipt
from simulator.chain.rpc import Response, RpcError
from simulator.errors import AssayError, ChainUnavailable, TransactionReverted

_MINED_SECONDS = 10.0
_POLL_SECONDS = 0.01

Outcome = Receipt | TransactionReverted


class LivingChain(AnvilChain):
    """A node that keeps its history and stays usable between the blocks of a scenario.

    Attributes
    ----------
    strangers : int
        Transactions so far that were not ours.
    """

    def __init__(
        self,
        start: int = SETUP_SECONDS,
        *,
        anvil_path: str | Path | None = None,
        rpc: str | None = None,
        port: int = 0,
    ) -> None:
        self._start, self._binary = start, anvil_path
        self.strangers = 0
        self._height = -1
        super().__init__(start, anvil_path=anvil_path, rpc=rpc, port=port, history=True)

    def hand_over(self) -> None:
        """Let others send, while the clock stands still: all blocks so far are ours."""
        super().hand_over()
        self._request("anvil_setBlockTimestampInterval", 0)
        self._height = self._latest()[0]

    def close(self) -> None:
        """End the child process; an attached node is left with a clock that runs."""
        if self._taken:
            with suppress(AssayError):
                self._request("anvil_removeBlockTimestampInterval")
                AnvilChain.hand_over(self)
            self._taken = False
        super().close()

    def attempt(self, timestamp: int, calls: Sequence[Call]) -> list[Outcome]:
        """Execute `calls` in order in one block at `timestamp`, or when the latest block was.

        Returns what became of each: a call that fails leaves no trace, the others stand.
        """
        self._request("evm_setAutomine", False)
        try:
            self.look_around()
            return self._attempt(max(timestamp, self._timestamp), calls)
        finally:
            self._request("evm_setAutomine", True)

    def look_around(self) -> int:
        """Count what others have sent since our last block; return all of it so far."""
        height, self._timestamp = self._latest()
        if height < self._height:
            # Somebody took the chain back to an earlier block, ours gone with it.
            self.strangers += 1
        asks = [
            ("eth_getBlockTransactionCountByNumber", [hex(number)])
            for number in range(self._height + 1, height + 1)
        ]
        counts = [int(answer["result"], 16) for answer in self._batch(asks)]
        if counts or height < self._height:
            self.strangers += sum(counts)
            self._height = height
            # Any account may be a stranger's too: nonces and means are looked up again.
            self._nonces.clear()
        return self.strangers

    def make_rich(self, address: str) -> None:
        """Give an account what its gas will ever cost."""
        self._request("anvil_setBalance", address, hex(RICH_WEI))

    def add_balance(self, address: str, wei: int) -> None:
        """Give an account more of the chain's own coin."""
        held = int(self._request("eth_getBalance", address, "latest"), 16)
        self._request("anvil_setBalance", address, hex(held + wei))

    def pass_on(self, call: Call) -> None:
        """Send a call for somebody, as a wallet does: it is not part of the scenario.

        Raises
        ------
        TransactionReverted
        """
        fields = {"from": call.sender, "to": call.to, "data": "0x" + call.data.hex()}
        self.make_rich(call.sender)
        answer = self._batch([("eth_sendTransaction", [fields | {"gas": hex(CALL_GAS)}])])[0]
        if "error" in answer:
            raise TransactionReverted(call.label, RpcError(answer["error"]).message)
        raw = self._await(answer["result"])
        if int(raw["status"], 16) == 0:
            raise TransactionReverted(call.label, self._reason(call, raw))

    def _await(self, key: str) -> Response:
        """Return the receipt of what the node mines by itself."""
        deadline = time.monotonic() + _MINED_SECONDS
        while time.monotonic() < deadline:
            if (raw := self._request("eth_getTransactionReceipt", key)) is not None:
                return dict(raw)
            time.sleep(_POLL_SECONDS)
        raise ChainUnavailable("anvil does not mine what it is sent")

    def url(self, port: int) -> str:
        """Return where a wallet finds the node: one of ours is at `port`."""
        return self._rpc.place if self._node is None else f"http://127.0.0.1:{port}"

    @property
    def height(self) -> int:
        """The number of the latest block that has been seen."""
        return self._height

    def dump(self) -> str:
        """Return the node's whole state, in its own form, hex."""
        return str(self._request("anvil_dumpState"))

    def restore(self, state: str, timestamp: int, strangers: int, port: int) -> None:
        """Put a node with `state` in place of the one that runs, at `port`."""
        self.close()
        fresh = LivingChain(self._start, anvil_path=self._binary, port=port)
        self._node, self._rpc = fresh.node, fresh._rpc
        self._nonces.clear()
        self._snapshots.clear()
        if not self._request("anvil_loadState", state):
            raise ChainUnavailable("anvil does not take the saved state")
        # Else its next block would follow its first one.
        self._request("evm_setNextBlockTimestamp", timestamp)
        self.strangers = strangers
        self.hand_over()
        self._timestamp = self._latest()[1]

    def _latest(self) -> tuple[int, int]:
        """Return number and time of the latest block."""
        block = self._request("eth_getBlockByNumber", "latest", False)
        return int(block["number"], 16), int(block["timestamp"], 16)

    def _attempt(self, timestamp: int, calls: Sequence[Call]) -> list[Outcome]:
        outcomes: dict[int, Outcome] = {}
        hashes = self._submit_all(calls, outcomes)
        self._request("evm_mine", timestamp)
        self._height, self._timestamp = self._latest()
        mined: list[Response] = self._request("eth_getBlockReceipts", "latest")
        found = {raw["transactionHash"]: raw for raw in mined}
        self.strangers += len(found.keys() - hashes.values())
        for place, key in hashes.items():
            outcomes[place] = self._outcome(calls[place], key, found.get(key))
        return [outcomes[place] for place in range(len(calls))]

    def _submit_all(self, calls: Sequence[Call], outcomes: dict[int, Outcome]) -> dict[int, str]:
        """Submit what the node takes; return the hashes by place. What it refuses is an outcome.

        A refused call leaves a gap in its sender's nonces, so all is taken back and sent anew.
        """
        while True:
            places = [place for place in range(len(calls)) if place not in outcomes]
            self._fund({calls[place].sender for place in places})
            transactions = [
                self._transaction(call.sender, call.data, call.gas or CALL_GAS, price, call.to)
                for price, call in zip(
                    range(len(places), 0, -1), (calls[place] for place in places), strict=True
                )
            ]
            answers = dict(zip(places, self._batch(transactions), strict=True))
            refused = {place: raw["error"] for place, raw in answers.items() if "error" in raw}
            if not refused:
                return {place: raw["result"] for place, raw in answers.items()}
            self._discard()
            for place, error in refused.items():
                why = RpcError(error).message
                outcomes[place] = TransactionReverted(calls[place].label, why)

    def _outcome(self, call: Call, key: str, raw: Response | None) -> Outcome:
        if raw is None:
            self._request("anvil_dropTransaction", key)
            self._nonces.pop(call.sender, None)
            return TransactionReverted(call.label, "anvil left it out of the block")
        if int(raw["status"], 16) == 0:
            return TransactionReverted(call.label, self._reason(call, raw))
        return receipt_of(call, raw, self._timestamp)
