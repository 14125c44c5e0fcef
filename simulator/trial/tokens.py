"""ERC-20 and ERC-2612, against a ledger kept beside the contract.

References
----------
https://eips.ethereum.org/EIPS/eip-20, https://eips.ethereum.org/EIPS/eip-2612
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from simulator.chain import Call
from simulator.chain.codec import Encoder, keccak, optional
from simulator.chain.contract import interface_of
from simulator.errors import TransactionReverted
from simulator.trial.faults import Check, Fault
from simulator.trial.stage import HOLDERS, UNLIMITED, TrialStage

ACTS = 120
_WHERE = "standard"
_PERMIT = keccak(
    b"Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
)
_KEY = bytes(31) + b"\x07"
"""A signer's private key that anybody can write down: it holds nothing but what a trial gives."""


class Ledger:
    """What balances and allowances must be, while calls go to the contract."""

    def __init__(self, stage: TrialStage, start: Sequence[Call]) -> None:
        self.stage, self.steps = stage, list(start)
        self.people = [getattr(stage.roles, role) for role in HOLDERS]
        self.balance = {one: int(stage.read("balanceOf", one)) for one in self.people}
        self.allowed: dict[tuple[str, str], int] = defaultdict(int)
        self.supply = int(stage.read("totalSupply"))

    def act(self, draw: random.Random) -> Fault | None:
        """Do one thing at random, and compare."""
        kind = draw.choice(("transfer", "transfer", "approve", "transferFrom", "transferFrom"))
        owner, to, spender = (draw.choice(self.people) for _ in range(3))
        amount = self._amount(draw, owner)
        token = self.stage.contract
        if kind == "approve":
            return self._do(token.call("approve", spender, amount, sender=owner), True, owner, to)
        if kind == "transfer":
            call = token.call("transfer", to, amount, sender=owner)
            return self._do(call, amount <= self.balance[owner], owner, to)
        within = amount <= min(self.balance[owner], self.allowed[owner, spender])
        call = token.call("transferFrom", owner, to, amount, sender=spender)
        return self._do(call, within, owner, to)

    def _amount(self, draw: random.Random, owner: str) -> int:
        has = self.balance[owner]
        return draw.choice((0, 1, has // 3, has, has + 1, draw.randint(0, has)))

    def _do(self, call: Call, allowed: bool, owner: str, to: str) -> Fault | None:
        name = call.label.split(".")[-1]
        try:
            (receipt,) = self.stage.send([call])
        except TransactionReverted as error:
            if not allowed:
                return None
            said = f"{name} reverts: {error.reason or 'no reason given'}"
            return Fault(
                "erc-20", said, (*self.steps, call), None, len(self.steps), _WHERE, reverts=True
            )
        self.steps.append(call)
        self._book(call, allowed, owner, to)
        return self._compared(name) or (self._event(call, receipt, name) if allowed else None)

    def _book(self, call: Call, allowed: bool, owner: str, to: str) -> None:
        amount = int.from_bytes(call.data[-32:], "big")
        if call.label.split(".")[-1].startswith("approve"):
            spender = "0x" + call.data[16:36].hex()
            self.allowed[owner, spender] = amount
        elif allowed:
            self.balance[owner] -= amount
            self.balance[to] += amount
            if "transferFrom" in call.label and self.allowed[owner, call.sender] != UNLIMITED:
                self.allowed[owner, call.sender] -= amount

    def _compared(self, name: str) -> Fault | None:
        token = self.stage.contract
        views = [token.call("balanceOf", one) for one in self.people]
        must = [self.balance[one] for one in self.people]
        pairs = list(self.allowed)
        views += [token.call("allowance", *pair) for pair in pairs]
        must += [self.allowed[pair] for pair in pairs]
        views.append(token.call("totalSupply"))
        must.append(self.supply)
        for view, found, right in zip(views, self.stage.words(views), must, strict=True):
            if found != right:
                what = view.label.split(".")[-1].split("(")[0]
                said = f"after {name} {what} is {found:,}, must be {right:,}"
                steps, check = tuple(self.steps), Check(view, least=right, most=right)
                return Fault("erc-20", said, steps, check, len(steps), _WHERE)
        return None

    def _event(self, call: Call, receipt: Any, name: str) -> Fault | None:
        wanted = "Approval" if name.startswith("approve") else "Transfer"
        amount = int.from_bytes(call.data[-32:], "big")
        for event, fields in self.stage.contract.events(receipt):
            if event == wanted and list(fields.values())[2] == amount:
                return None
        said = f"{name} logs no {wanted} of its amount"
        return Fault("erc-20", said, tuple(self.steps), None, len(self.steps), _WHERE)


def supplied(stage: TrialStage, kind: str) -> list[Call]:
    """Return the calls by which the holders get tokens: shares of a vault, or of a token.

    Raises
    ------
    TransactionReverted
        There is no way that the stage knows: the adapter has to `fund` them.
    """
    calls = []
    for number, role in enumerate(HOLDERS):
        who, amount = getattr(stage.roles, role), (number + 1) * 1_000 * stage.unit
        if kind == "vault":
            calls.append(stage.contract.call("deposit", amount, who, sender=who))
        elif stage.read("balanceOf", stage.roles.owner) >= 10 * amount:
            calls.append(stage.contract.call("transfer", who, amount, sender=stage.roles.owner))
        else:
            calls += stage.told("fund", who, amount)
    stage.send(calls)
    return calls


def erc20(stage: TrialStage, fresh: int, kind: str, seed: int) -> Fault | None:
    """Return the first act that does not do what ERC-20 says, after acts at random."""
    stage.chain.revert(fresh)
    ledger, draw = Ledger(stage, supplied(stage, kind)), random.Random(seed)
    for _ in range(ACTS):
        if fault := ledger.act(draw):
            return fault
    return None


def permits(stage: TrialStage, fresh: int, kind: str) -> Fault | None:
    """Return the first signed approval that is taken, or refused, against ERC-2612."""
    if "permit" not in interface_of(stage.contract.artifact).functions:
        return None
    stage.chain.revert(fresh)
    signer, spender = _signer(), stage.roles.depositor
    now = stage.chain.timestamp()
    for wrong, deadline, key in (
        ("an expired", now - 1, _KEY),
        ("somebody else's", now + 9, bytes(31) + b"\x08"),
    ):
        call = _permit(stage, signer, spender, 5, deadline, key)
        if _is_taken(stage, call):
            return _taken(stage, [call], f"{wrong} permit is taken", signer, spender, 0)
    good = _permit(stage, signer, spender, 5, now + 9, _KEY)
    if not _is_taken(stage, good):
        said = "a permit that is signed as ERC-2612 says is refused"
        return Fault("permit", said, (good,), None, 1, _WHERE, reverts=True)
    if stage.read("allowance", signer, spender) != 5:
        return _taken(stage, [good], "a permit does not set the allowance", signer, spender, 5)
    lowered = stage.contract.call("approve", spender, 0, sender=signer)
    stage.send([lowered])
    if _is_taken(stage, good):
        steps = [good, lowered, good]
        return _taken(stage, steps, "a permit is taken twice", signer, spender, 0)
    return None


def _taken(
    stage: TrialStage, steps: Sequence[Call], said: str, signer: str, spender: str, must: int
) -> Fault:
    view = stage.contract.call("allowance", signer, spender)
    check = Check(view, least=must, most=must)
    return Fault("permit", said, tuple(steps), check, len(steps), _WHERE)


def _is_taken(stage: TrialStage, call: Call) -> bool:
    try:
        stage.send([call])
    except TransactionReverted:
        return False
    return True


def _signer() -> str:
    address: str = optional("eth_keys").keys.PrivateKey(_KEY).public_key.to_address()
    return address


def _permit(
    stage: TrialStage, owner: str, spender: str, amount: int, deadline: int, key: bytes
) -> Call:
    kinds = ("bytes32", "address", "address", "uint256", "uint256", "uint256")
    nonce = stage.read("nonces", owner)
    struct = keccak(Encoder(kinds)((_PERMIT, owner, spender, amount, nonce, deadline)))
    digest = keccak(b"\x19\x01" + stage.read("DOMAIN_SEPARATOR") + struct)
    signed = optional("eth_keys").keys.PrivateKey(key).sign_msg_hash(digest)
    r, s = signed.r.to_bytes(32, "big"), signed.s.to_bytes(32, "big")
    arguments = (owner, spender, amount, deadline, signed.v + 27, r, s)
    return stage.contract.call("permit", *arguments, sender=stage.roles.intruder)
