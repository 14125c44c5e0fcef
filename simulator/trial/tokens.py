"""ERC-20 and ERC-2612, against a ledger kept beside the contract.

References
----------
https://eips.ethereum.org/EIPS/eip-20, https://eips.ethereum.org/EIPS/eip-2612
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from simulator.chain import Call, Contract, Receipt
from simulator.chain.codec import Encoder, keccak, optional
from simulator.chain.contract import interface_of
from simulator.errors import TransactionReverted
from simulator.replay.shrink import fewest
from simulator.trial.faults import Check, Fault
from simulator.trial.stage import HOLDERS, TrialStage
from simulator.trial.standards import ERC2612, is_whole

ACTS = 120
_WHERE = "standard"
_PERMIT = keccak(
    b"Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
)
_KEY = bytes(31) + b"\x07"
"""A signer's private key that anybody can write down: it holds nothing but what a trial gives."""


@dataclass(frozen=True)
class Deal:
    """Something that a holder asks of a token.

    Attributes
    ----------
    what : str
        transfer, approve or transferFrom.
    sender, owner, other : str
        Who asks; whose tokens they are, the sender's own but for transferFrom; and who gets them,
        or the leave to spend them.
    """

    what: str
    sender: str
    owner: str
    other: str
    amount: int

    def call(self, token: Contract) -> Call:
        """Return it as a call."""
        whose = (self.owner,) if self.what == "transferFrom" else ()
        return token.call(self.what, *whose, self.other, self.amount, sender=self.sender)


class Ledger:
    """What balances and allowances must be, while deals go to the contract."""

    def __init__(self, stage: TrialStage, start: Sequence[Call]) -> None:
        self.stage, self.steps = stage, list(start)
        self.people = [getattr(stage.roles, role) for role in HOLDERS]
        self.balance = {one: int(stage.read("balanceOf", one)) for one in self.people}
        self.allowed: dict[tuple[str, str], int] = defaultdict(int)
        self.supply = int(stage.read("totalSupply"))

    def chosen(self, draw: random.Random) -> Deal:
        """Return a deal at random, of an amount that is nothing, some, all or too much."""
        what = draw.choice(("transfer", "transfer", "approve", "transferFrom", "transferFrom"))
        owner, other, spender = (draw.choice(self.people) for _ in range(3))
        has = self.balance[owner]
        amount = draw.choice((0, 1, has // 3, has, has + 1, draw.randint(0, has)))
        return Deal(what, spender if what == "transferFrom" else owner, owner, other, amount)

    def do(self, deal: Deal) -> Fault | None:
        """Do it, and compare.

        Raises
        ------
        TransactionReverted
            A view does.
        """
        token, allowed = self.stage.contract, self._is_allowed(deal)
        call = deal.call(token)
        try:
            answer = self.stage.chain.view_one(call)
            (receipt,) = self.stage.send([call])
        except TransactionReverted as error:
            if not allowed:
                return None
            said = f"{deal.what} reverts: {error.reason or 'no reason given'}"
            return self._fault(said, steps=(*self.steps, call), reverts=True)
        # A token may say no by an answer instead of a revert; one without answers says yes.
        agreed = bool(int.from_bytes(answer[:32] or b"\1", "big"))
        if agreed is not bool(allowed) and allowed is not None:
            says = "answers False where it must do it" if allowed else "answers True and must not"
            check = Check(call, least=int(allowed), most=int(allowed))
            return self._fault(f"{deal.what} {says}", check)
        self.steps.append(call)
        if agreed:
            self._book(deal)
        return self._compared(deal.what) or (self._event(deal, receipt) if agreed else None)

    def _is_allowed(self, deal: Deal) -> bool | None:
        """Return whether it must be done, or refused; None where either is as ERC-20 says."""
        if deal.what == "approve":
            return True
        if deal.amount > self.balance[deal.owner]:
            return False
        if deal.what == "transfer" or deal.amount <= self.allowed[deal.owner, deal.sender]:
            return True
        # Of his own tokens some let a holder transfer without an allowance, as WETH9 and DAI.
        return None if deal.sender == deal.owner else False

    def _book(self, deal: Deal) -> None:
        if deal.what == "approve":
            self.allowed[deal.owner, deal.other] = deal.amount
            return
        self.balance[deal.owner] -= deal.amount
        self.balance[deal.other] += deal.amount
        if deal.what == "transferFrom":
            pair = deal.owner, deal.sender
            left = self.allowed[pair] - deal.amount
            # One's own allowance may stay as it is.
            if deal.sender == deal.owner and self.stage.read("allowance", *pair) != left:
                return
            self.allowed[pair] = left

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
                return self._fault(said, Check(view, least=right, most=right))
        return None

    def _event(self, deal: Deal, receipt: Receipt) -> Fault | None:
        """Return the fault where no event says who, to whom and how much, in this order."""
        event = "Approval" if deal.what == "approve" else "Transfer"
        kinds = ("address", "address", "uint256")
        wanted = keccak(f"{event}({','.join(kinds)})".encode())
        wanted += Encoder(kinds)((deal.owner, deal.other, deal.amount))
        own = (log for log in receipt.logs if log.address == self.stage.contract.address)
        if any(b"".join((*log.topics, log.data)) == wanted for log in own):
            return None
        return self._fault(f"{deal.what} logs no {event} of its parties and amount")

    def _fault(
        self,
        said: str,
        check: Check | None = None,
        steps: tuple[Call, ...] = (),
        reverts: bool = False,
    ) -> Fault:
        steps = steps or tuple(self.steps)
        return Fault("erc-20", said, steps, check, len(steps), _WHERE, reverts)


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
    """Return the first deal that is not done as ERC-20 says, after the fewest that show it.

    Raises
    ------
    TransactionReverted
        The holders get no tokens, or a view fails.
    """
    draw, deals = random.Random(seed), list[Deal]()
    ledger = _ledger(stage, fresh, kind)
    for _ in range(ACTS):
        deals.append(ledger.chosen(draw))
        if ledger.do(deals[-1]):
            break
    else:
        return None

    def first(some: Sequence[Deal]) -> Fault | None:
        again = _ledger(stage, fresh, kind)
        return next((fault for one in some if (fault := again.do(one))), None)

    found = first(fewest(deals, lambda some: first(some) is not None))
    return None if found is None else replace(found, tried=ACTS, is_least=True)


def _ledger(stage: TrialStage, fresh: int, kind: str) -> Ledger:
    stage.chain.revert(fresh)
    return Ledger(stage, supplied(stage, kind))


def permits(stage: TrialStage, fresh: int) -> Fault | None:
    """Return the first signed approval that is taken, or refused, against ERC-2612.

    None where the contract has no permit, or one of another shape.

    Raises
    ------
    TransactionReverted
        A view fails.
    """
    if not is_whole(interface_of(stage.contract.artifact), ERC2612):
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
