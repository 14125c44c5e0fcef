"""What a replay leaves behind: its transactions and events, decoded, and where everything lies.

Receipts are kept raw as they come, which costs next to nothing, and decoded once when somebody
asks: calls by selector, events by topic, with the ABIs of the artifacts that were deployed.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from simulator.chain import Call, Chain, Contract, Log, Receipt
from simulator.chain.contract import interface_of
from simulator.chain.told import arguments_text, call_text, event_text, raw_text
from simulator.instruments.stage import Actor, Key
from simulator.replay.deployment import contract_name, role_name
from simulator.replay.gas import gas_by_function
from simulator.replay.reconcile import Reconciliation
from simulator.units import SECONDS_PER_DAY, midnight_timestamp

SET_UP = -1
"""The step of what happens before step 0."""
CREATION = "__init__"

_TRANSACTIONS = {
    "step": "int32",
    "time": "datetime64[ms, UTC]",
    "block": "int64",
    "label": "object",
    "contract": "object",
    "function": "object",
    "arguments": "object",
    "sender": "object",
    "from": "object",
    "to": "object",
    "gas": "int64",
    "events": "int32",
}
_EVENTS = {
    "step": "int32",
    "time": "datetime64[ms, UTC]",
    "transaction": "int32",
    "label": "object",
    "contract": "object",
    "event": "object",
    "fields": "object",
    "address": "object",
}


@dataclass
class Evidence:
    """Takes what happens on a chain during one replay.

    Attributes
    ----------
    receipts : list of Receipt
        Of all that succeeded, in order: creations and set-up first.
    contracts : dict of (label, name) to Contract
    accounts : dict of (label, role) to address
        A shared role has no label.
    start : int
        The time of step 0, seconds.
    chain : str
        What it was played on.
    actors : tuple of Actor
    compared : Reconciliation, optional
        Both engines' numbers, up to a failure where there is one.
    stopped : tuple of int and calls, optional
        The time and all calls of the block in which one reverted.
    """

    receipts: list[Receipt] = field(default_factory=list)
    contracts: dict[Key, Contract] = field(default_factory=dict)
    accounts: dict[Key, str] = field(default_factory=dict)
    start: int = 0
    chain: str = ""
    actors: tuple[Actor, ...] = ()
    compared: Reconciliation | None = None
    stopped: tuple[int, Sequence[Call]] | None = None

    @contextmanager
    def of(self, chain: Chain, start: dt.date) -> Iterator[None]:
        """Hear what happens on a chain, of a path whose step 0 is `start`."""
        self.start, self.chain = midnight_timestamp(start), chain.name
        chain.heard = self.receipts
        try:
            yield
        finally:
            chain.heard = None

    def time(self, step: int) -> int:
        """Return when a step is, seconds."""
        return self.start + step * SECONDS_PER_DAY

    @property
    def stopped_at(self) -> int | None:
        """Return the step on which a call reverted; None for none."""
        return None if self.stopped is None else self._step(self.stopped[0])

    @property
    def last(self) -> int:
        """Return the last step that was played, to its end or in part; -1 before the first."""
        latest = [self._step(self.receipts[-1].timestamp)] if self.receipts else []
        compared = [] if self.compared is None else [self.compared.steps - 1]
        stopped = [] if self.stopped_at is None else [self.stopped_at]
        return max([SET_UP, *stopped, *latest, *compared])

    def _step(self, time: int) -> int:
        return max(SET_UP, (time - self.start) // SECONDS_PER_DAY)

    @cached_property
    def transactions(self) -> pd.DataFrame:
        """Return a row a transaction that succeeded, in the order of the chain.

        Columns: step (-1 is the set-up), time, block, label and contract that was called, function
        (`__init__` is a creation), arguments as JSON, sender by its role (`LABEL/ROLE`), from, to,
        gas, and the number of events.
        """
        decoder = _Decoder(self.contracts)
        names = {address: role_name(key) for key, address in self.accounts.items()}
        rows = [
            (
                receipt.block,
                *decoder.call(receipt),
                names.get(receipt.call.sender, ""),
                receipt.call.sender,
                receipt.call.to,
                receipt.gas_used,
                len(receipt.logs),
            )
            for receipt in self.receipts
        ]
        return self._framed(self.receipts, rows, _TRANSACTIONS)

    @cached_property
    def events(self) -> pd.DataFrame:
        """Return a row an event, in the order of the chain.

        Columns: step (-1 is the set-up), time, transaction (its row in `transactions`), label and
        contract, event, its fields as JSON (whole numbers are decimal strings), address. An event
        that no ABI knows has no name, and its topics and data as fields.
        """
        decoder = _Decoder(self.contracts)
        logged = [
            (n, receipt, log) for n, receipt in enumerate(self.receipts) for log in receipt.logs
        ]
        rows = [(number, *decoder.event(log), log.address) for number, _, log in logged]
        return self._framed([receipt for _, receipt, _ in logged], rows, _EVENTS)

    def events_of(self, event: str, contract: str = "", label: str = "") -> pd.DataFrame:
        """Return the events of one name with their fields as columns, whole numbers as `int`.

        Parameters
        ----------
        contract, label : str
            Only those of contracts called so, and of one label.
        """
        found = self.events
        chosen = found["event"] == event
        for column, wanted in (("contract", contract), ("label", label)):
            chosen &= (found[column] == wanted) | (not wanted)
        rows = found[chosen].drop(columns=["event", "fields", "address"])
        fields = [_numbers(json.loads(text)) for text in found.loc[chosen, "fields"]]
        return rows.join(pd.DataFrame(fields, index=rows.index, dtype=object))

    @cached_property
    def gas(self) -> pd.DataFrame:
        """Return gas by function, as `gas_by_function` has it."""
        return gas_by_function(self.transactions, self.chain)

    @cached_property
    def addresses(self) -> dict[str, str]:
        """Return every contract's address by `LABEL/NAME`."""
        return {contract_name(key): contract.address for key, contract in self.contracts.items()}

    @cached_property
    def roles(self) -> dict[str, str]:
        """Return every actor's address by `LABEL/ROLE`; shared ones are `all/ROLE`."""
        return {role_name(key): address for key, address in self.accounts.items()}

    def __repr__(self) -> str:
        return f"Evidence on {self.chain}: {len(self.receipts)} receipts"

    def _framed(
        self, receipts: list[Receipt], rows: list[tuple[Any, ...]], kinds: dict[str, str]
    ) -> pd.DataFrame:
        """Return rows as a frame, each after the step and time of its receipt."""
        times = np.array([receipt.timestamp for receipt in receipts], dtype=np.int64)
        steps = ((times - self.start) // SECONDS_PER_DAY).clip(min=SET_UP)
        columns = list(zip(*rows, strict=True)) or [()] * (len(kinds) - 2)
        data = (steps, pd.to_datetime(times, unit="s", utc=True), *columns)
        named = zip(kinds.items(), data, strict=True)
        return pd.DataFrame({name: pd.Series(own, dtype=kind) for (name, kind), own in named})


class _Decoder:
    """Tells calls and logs by the contract that they are of."""

    def __init__(self, contracts: dict[Key, Contract]) -> None:
        self._of = {contract.address: (key, contract) for key, contract in contracts.items()}
        self._calls: dict[tuple[str, bytes], tuple[str, Callable[[bytes], str]]] = {}
        self._events: dict[tuple[str, bytes], tuple[str, Callable[[Log], str]]] = {}

    def call(self, receipt: Receipt) -> tuple[str, str, str, str]:
        """Return label and contract, the function, and its arguments."""
        call = receipt.call
        found = self._of.get(call.to)
        if found is None:
            return "", "", "", _raw_call(call.data)
        (label, name), contract = found
        if call.data.startswith(contract.artifact.bytecode):
            return label, name, CREATION, self._creation(contract, call.data)
        key = call.to, call.data[:4]
        if key not in self._calls:
            function = interface_of(contract.artifact).by_selector.get(key[1])
            known = (function.name, call_text(function)) if function else ("", _raw_call)
            self._calls[key] = known
        function_name, text = self._calls[key]
        return label, name, function_name, text(call.data)

    @staticmethod
    def _creation(contract: Contract, data: bytes) -> str:
        interface = interface_of(contract.artifact)
        text = arguments_text(interface.created_with, interface.constructor)
        return text(data[len(contract.artifact.bytecode) :])

    def event(self, log: Log) -> tuple[str, str, str, str]:
        """Return label and contract, the event's name, and its fields."""
        topic = log.topics[0] if log.topics else b""
        key = log.address, topic
        if key not in self._events:
            self._events[key] = self._known(log.address, topic)
        label, name = self._of[log.address][0] if log.address in self._of else ("", "")
        event, text = self._events[key]
        try:
            return label, name, event, text(log)
        except ValueError:  # as of a token whose transfers index other fields
            return label, name, "", raw_text(log)

    def _known(self, address: str, topic: bytes) -> tuple[str, Callable[[Log], str]]:
        if address in self._of:
            event = interface_of(self._of[address][1].artifact).events.get(topic)
            if event is not None:
                return event.name, event_text(event)
        return "", raw_text


def _raw_call(data: bytes) -> str:
    return json.dumps({"data": f"0x{data.hex()}"})


def _numbers(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: _number(value) for name, value in fields.items()}


def _number(value: Any) -> Any:
    """Return a decimal string as the number that it stands for."""
    is_number = isinstance(value, str) and value.removeprefix("-").isdecimal()
    return int(value) if is_number else value
