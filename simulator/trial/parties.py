"""Acts of a vault in which caller, receiver and owner are three: who may, who gets, what is logged.

Each is compared with the same act by the owner for himself from the same state, so that no price
and no fee has to be known. The third party is the visitor, which takes a refusal for an answer.

References
----------
https://eips.ethereum.org/EIPS/eip-4626
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from simulator.chain import Call, Receipt
from simulator.chain.codec import Encoder, keccak
from simulator.errors import TransactionReverted
from simulator.trial.attacks import Attack, Steps, play
from simulator.trial.faults import Check, Fault
from simulator.trial.moves import Move
from simulator.trial.stage import TrialStage
from simulator.units import SECONDS_PER_DAY as _DAY

_WHERE = "attacks"
_STAKE = 100
"""Whole units that the depositor puts in."""
_ENTRIES = ("deposit", "mint")
_EXITS = ("redeem", "withdraw")
_ENTERED, _LEFT = "Deposit(address,address,", "Withdraw(address,address,address,"


class _Had(NamedTuple):
    """What there is of shares and assets, by address."""

    shares: dict[str, int]
    purse: dict[str, int]


@dataclass(frozen=True)
class _Act:
    """A call by which shares are made or burned, and what it comes to where one alone does it."""

    what: str
    amount: int
    assets: int
    shares: int


def authority(stage: TrialStage, fresh: int) -> Fault | None:
    """Return the fault where shares are burned by somebody who has no allowance for all of them."""
    start, here = _prepared(stage, fresh)
    owner, visitor = stage.roles.depositor, stage.visitor.address
    for act in _exits(stage, here):
        for allowed in (0, act.shares - 1):
            for to in (visitor, owner):
                steps = _leave(stage, act, to, allowed)
                if fault := _burned(
                    stage, here, start, steps, 0, act.what, f"allowed {allowed:,} shares"
                ):
                    return fault
        spent = _leave(stage, act, visitor, act.shares)
        again = (*spent, *_visits(stage, act, visitor))
        if fault := _burned(stage, here, start, again, act.shares, act.what, "allowed them once"):
            return fault
    return None


def _burned(
    stage: TrialStage,
    here: int,
    start: Steps,
    steps: Steps,
    most: int,
    what: str,
    allowed: str,
) -> Fault | None:
    """Return the fault where steps burn more of the owner's shares than they may."""
    owner = stage.roles.depositor
    stage.chain.revert(here)
    had = int(stage.read("balanceOf", owner))
    play(stage, steps)
    if (burned := had - int(stage.read("balanceOf", owner))) <= most:
        return None
    said = f"a visitor {allowed} burns {burned:,} of the depositor's by {what}"
    check = Check(stage.contract.call("balanceOf", owner), least=had - most)
    return Fault("authority", said, (*start, *steps), check, len(start) + len(steps), _WHERE)


def receiver(stage: TrialStage, fresh: int) -> Fault | None:
    """Return the fault where a receiver who is not the caller does not get what is his."""
    start, here = _prepared(stage, fresh)
    roles, visitor = stage.roles, stage.visitor.address
    for act in _entries(stage, here):
        entry: Steps = (_enter(stage, act, roles.crowd),)
        shares = {roles.crowd: act.shares}
        purse = {roles.second_depositor: -act.assets}
        stage.chain.revert(here)
        if not _is_allowed(stage, act):
            continue
        if fault := _moved(stage, act, start, entry, _Had(shares, purse)):
            return fault
    for act in _exits(stage, here):
        steps = _leave(stage, act, roles.crowd, act.shares)
        right = _Had({roles.depositor: -act.shares}, {roles.crowd: act.assets})
        stage.chain.revert(here)
        if fault := _moved(stage, act, start, steps, right):
            return fault
        view = stage.contract.call("allowance", roles.depositor, visitor)
        if left := stage.words([view])[0]:
            said = f"a visitor allowed {act.shares:,} shares burns as many by {act.what}, "
            said += f"and is allowed {left:,} still"
            every = (*start, *steps)
            return Fault("receiver", said, every, Check(view, most=0), len(every), _WHERE)
    return None


def _is_allowed(stage: TrialStage, act: _Act) -> bool:
    limit = "maxDeposit" if act.what == "deposit" else "maxMint"
    return int(stage.read(limit, stage.roles.crowd)) >= act.amount


def _moved(stage: TrialStage, act: _Act, start: Steps, steps: Steps, must: _Had) -> Fault | None:
    """Return the fault where steps, played now, move other shares or assets than is right."""
    before = _had(stage)
    try:
        play(stage, steps)
    except TransactionReverted as error:
        said = f"a {act.what} for somebody else reverts: {error.reason}"
        every = (*start, *steps)
        return Fault("receiver", said, every, None, len(every), _WHERE, reverts=True)
    after = _had(stage)
    for number, name in enumerate(("shares", "assets")):
        for who, had in before[number].items():
            came, right = after[number][who] - had, must[number].get(who, 0)
            if came != right:
                said = f"a {act.what} for another moves {came:+,} {name} "
                said += f"of the {stage.names[who]}, must move {right:+,}"
                view = (stage.contract, stage.asset)[number].call("balanceOf", who)
                check = Check(view, least=had + right, most=had + right)
                every = (*start, *steps)
                return Fault("receiver", said, every, check, len(every), _WHERE)
    return None


def events(stage: TrialStage, fresh: int) -> Fault | None:
    """Return the fault where an entry or exit is not logged with its parties and amounts."""
    start, here = _prepared(stage, fresh)
    roles, visitor = stage.roles, stage.visitor.address
    for act in _entries(stage, here):
        entry: Steps = (_enter(stage, act, roles.crowd),)
        entering = (roles.second_depositor, roles.crowd)
        if fault := _unlogged(stage, here, start, entry, act, _ENTERED, entering):
            return fault
    for act in _exits(stage, here):
        steps = _leave(stage, act, roles.crowd, act.shares)
        parties = (visitor, roles.crowd, roles.depositor)
        if fault := _unlogged(stage, here, start, steps, act, _LEFT, parties):
            return fault
    return None


def _unlogged(
    stage: TrialStage,
    here: int,
    start: Steps,
    steps: Steps,
    act: _Act,
    event: str,
    parties: tuple[str, ...],
) -> Fault | None:
    """Return the fault where the last of steps does something and does not say what."""
    stage.chain.revert(here)
    supply = stage.read("totalSupply")
    try:
        receipts = stage.send([step for step in steps if isinstance(step, Call)])
    except TransactionReverted:
        return None
    if stage.read("totalSupply") == supply or _has_logged(stage, receipts, act, event, parties):
        return None
    said = f"a {act.what} logs no {event.partition('(')[0]} of its parties and amounts"
    return Fault("events", said, (*start, *steps), None, len(start) + len(steps), _WHERE)


def _has_logged(
    stage: TrialStage,
    receipts: Sequence[Receipt],
    act: _Act,
    event: str,
    parties: tuple[str, ...],
) -> bool:
    kinds = (*["address"] * len(parties), "uint256", "uint256")
    wanted = keccak(f"{event}uint256,uint256)".encode())
    wanted += Encoder(kinds)((*parties, act.assets, act.shares))
    logs = (log for receipt in receipts for log in receipt.logs)
    own = (log for log in logs if log.address == stage.contract.address)
    return any(b"".join((*log.topics, log.data)) == wanted for log in own)


# -- what is done ----------------------------------------------------------------------------


def _prepared(stage: TrialStage, fresh: int) -> tuple[Steps, int]:
    """Return what comes first, and where it leads: two are in, and a share is worth something new.

    Where nothing moves the price it stays as it is.
    """
    into = (
        Move("deposit", "crowd", 1_000 * stage.unit),
        Move("deposit", "depositor", _STAKE * stage.unit),
    )
    report = Move("report")  # the first puts the assets to work
    gain = (report, Move("earn", "", 300 * stage.unit), report, Move("wait", "", 30 * _DAY))
    loss = (report, Move("lose", "", 200_000), report)
    ways: tuple[tuple[Move, ...], ...] = (gain, loss, ())
    for more in ways:
        stage.chain.revert(fresh)
        try:
            play(stage, (*into, *more))
            moved = stage.read("convertToAssets", stage.read("balanceOf", stage.roles.depositor))
        except TransactionReverted:
            continue
        if not more or abs(moved - _STAKE * stage.unit) > stage.unit:
            return (*into, *more), stage.chain.snapshot()
    raise TransactionReverted("deposit", "nobody gets in")


def _entries(stage: TrialStage, here: int) -> Iterator[_Act]:
    """Yield a deposit and a mint, as the second depositor's for himself come out."""
    who = stage.roles.second_depositor
    for what in _ENTRIES:
        stage.chain.revert(here)
        amount = 10 * stage.unit
        if what == "mint":
            amount = int(stage.read("convertToShares", amount))
        call = stage.contract.call(what, amount, who, sender=who)
        yield from _as_one(stage, what, amount, who, call)


def _exits(stage: TrialStage, here: int) -> Iterator[_Act]:
    """Yield a redemption and a withdrawal, as the depositor's for himself come out."""
    who = stage.roles.depositor
    for what in _EXITS:
        stage.chain.revert(here)
        amount = int(stage.read("balanceOf", who)) // 3
        if what == "withdraw":
            amount = int(stage.read("convertToAssets", amount))
        call = stage.contract.call(what, amount, who, who, sender=who)
        yield from _as_one(stage, what, amount, who, call)


def _as_one(stage: TrialStage, what: str, amount: int, who: str, call: Call) -> Iterator[_Act]:
    """Yield what an act comes to; nothing where it is refused or comes to nothing."""
    before = _had(stage)
    try:
        stage.send([call])
    except TransactionReverted:
        return
    after = _had(stage)
    shares = abs(after.shares[who] - before.shares[who])
    assets = abs(after.purse[who] - before.purse[who])
    if shares and assets:
        yield _Act(what, amount, assets, shares)


def _had(stage: TrialStage) -> _Had:
    holders = stage.holders()
    tokens = stage.contract, stage.asset
    views = [token.call("balanceOf", one) for token in tokens for one in holders]
    words, n = stage.words(views), len(holders)
    shares, purse = (dict(zip(holders, part, strict=True)) for part in (words[:n], words[n:]))
    return _Had(shares, purse)


def _enter(stage: TrialStage, act: _Act, to: str) -> Call:
    return stage.contract.call(act.what, act.amount, to, sender=stage.roles.second_depositor)


def _leave(stage: TrialStage, act: _Act, to: str, allowed: int) -> Steps:
    """Return the visitor's exit with shares of the depositor, who allows it so many."""
    owner = stage.roles.depositor
    approve = stage.contract.call("approve", stage.visitor, allowed, sender=owner)
    return (*([approve] if allowed else []), *_visits(stage, act, to))


def _visits(stage: TrialStage, act: _Act, to: str) -> Steps:
    """Return the visitor's exit alone; where it is refused nothing happens."""
    visitor, sender = stage.visitor, stage.roles.intruder
    call = stage.contract.call(act.what, act.amount, to, stage.roles.depositor)
    return (
        visitor.call("prepare", call.to, call.data, sender=sender)._replace(
            told=f"visitor prepares {call.label}", args=None
        ),
        visitor.call("told", sender=sender)._replace(
            told="visitor tries what it has prepared", args=None
        ),
    )


OF_PARTIES: tuple[Attack, ...] = (authority, receiver, events)
