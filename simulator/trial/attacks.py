"""Attacks that are known by name, played on a contract of which nothing but the standard is known.

Each is tried from a vault that was only just deployed, and what it brings is compared with what
would have been without it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from simulator.chain import Call
from simulator.chain.base import CALL_GAS
from simulator.errors import TransactionReverted
from simulator.trial.faults import Check, Fault
from simulator.trial.moves import Move, calls_of
from simulator.trial.stage import TrialStage
from simulator.units import SECONDS_PER_DAY

Steps = tuple[Move | Call, ...]
TRANSACTION_GAS = 2**24
"""What one transaction may use on the main network, since 2025-12-03 (EIP-7825)."""
_DUST = 1_000
_CROWDS = (32, 64, 128)
_LEAST_SLOPE = 50
"""Gas for each act of a stranger's below which nothing is said: a read of storage costs 100."""
_ROUNDING = 2
"""Units by which two orders of the same acts may differ."""
_WHERE = "attacks"


def attacks(stage: TrialStage, fresh: int) -> Iterator[Fault]:
    """Yield what the attacks find; `fresh` is the snapshot of the vault as it was deployed."""
    for attack in (first_depositor, re_entry, unbounded_queue):
        try:
            found = attack(stage, fresh)
        except TransactionReverted:
            continue  # it refuses what the attack begins with
        if found is not None:
            yield found


def play(stage: TrialStage, steps: Sequence[Move | Call]) -> None:
    """Play steps, one after the other.

    Raises
    ------
    TransactionReverted
    """
    for step in steps:
        if isinstance(step, Move) and step.what == "wait":
            stage.wait(step.amount)
        else:
            stage.send([step] if isinstance(step, Call) else calls_of(stage, step))


# -- the first depositor ---------------------------------------------------------------------


def first_depositor(stage: TrialStage, fresh: int) -> Fault | None:
    """Return the fault where the first depositor makes shares dear and takes from the next."""
    stage.chain.revert(fresh)
    stake = 10 * stage.unit
    who, had = stage.roles.intruder, stage.held(stage.roles.intruder)
    for first in (1, 2, 1_000):
        for gift in (stake * 51 // 100, stake * 102 // 100, stake * 2):
            for days in (0, 30):
                stage.chain.revert(fresh)
                steps = _dear_shares(stage, first, gift, days, stake)
                try:
                    play(stage, steps)
                except TransactionReverted:
                    continue
                gained = stage.held(who) - had
                if gained > 0:
                    said = (
                        f"who deposits {first} wei first and gives {gift / stage.unit:g} gains "
                        f"{gained / stage.unit:.4g} of the next one's {stake / stage.unit:g}"
                    )
                    check = Check(stage.asset.call("balanceOf", who), most=had)
                    return Fault("first-depositor", said, steps, check, len(steps), _WHERE)
    return None


def _dear_shares(stage: TrialStage, first: int, gift: int, days: int, stake: int) -> Steps:
    """Return a small deposit, a gift, its report, a victim's deposit, and the way out."""
    reports = _reports_by(stage, stage.roles.intruder)
    waiting = [Move("wait", "", days * SECONDS_PER_DAY)] if days else []
    return (
        Move("deposit", "intruder", first),
        Move("give", "intruder", gift),
        *reports,
        *waiting,
        Move("deposit", "depositor", stake),
        Move("redeem", "intruder", 1_000_000),
    )


def _reports_by(stage: TrialStage, who: str) -> list[Call]:
    """Return the calls of a report as somebody else's; nobody may be kept from making them."""
    return [Call(call.to, call.data, who, call.label, call.gas) for call in stage.told("report")]


# -- coming back in --------------------------------------------------------------------------


def re_entry(stage: TrialStage, fresh: int) -> Fault | None:
    """Return the fault where a visitor gains by coming back in before an act has finished.

    The asset tells the visitor of its transfers, and it acts once more from within. Whatever that
    comes to must not be better for it, nor worse for others, than the same acts one after another.
    """
    stage.chain.revert(fresh)
    crowd = Move("deposit", "crowd", 1_000 * stage.unit)
    own = stage.contract.call("deposit", 100 * stage.unit, stage.visitor)
    start: list[Move | Call] = [crowd, _visit(stage, own)]
    try:
        play(stage, start)
        earned = Move("earn", "", 10 * stage.unit)
        play(stage, [earned])
        start.append(earned)
    except TransactionReverted:
        return None
    here = stage.chain.snapshot()
    acts = _acts_of_the_visitor(stage)
    for outer in acts:
        for inner in acts:
            found = _nested(stage, here, outer, inner)
            if found is not None:
                said, steps, check = found
                return Fault("re-entry", said, (*start, *steps), check, len(acts) ** 2, _WHERE)
    return None


def _acts_of_the_visitor(stage: TrialStage) -> list[Call]:
    vault, visitor = stage.contract, stage.visitor
    shares = stage.read("balanceOf", visitor.address)
    acts = [
        vault.call("deposit", stage.unit, visitor),
        vault.call("redeem", shares // 3, visitor, visitor),
        vault.call("withdraw", stage.unit, visitor, visitor),
    ]
    reports = [call for call in stage.told("report") if call.to == vault.address]
    return [*acts, *reports]


def _visit(stage: TrialStage, act: Call) -> Call:
    visit = ("visit", act.to, act.data)
    return stage.visitor.call(*visit, sender=stage.roles.intruder)


@dataclass(frozen=True)
class _Wealth:
    """What the visitor has in its purse and in shares, and what the crowd has in shares."""

    purse: int
    worth: int
    crowd: int

    @property
    def own(self) -> int:
        return self.purse + self.worth


def _nested(
    stage: TrialStage, here: int, outer: Call, inner: Call
) -> tuple[str, Steps, Check | None] | None:
    """Return what an act within another brings or costs, where that is more than one by one."""
    one, other = _visit(stage, outer), _visit(stage, inner)
    orders = [_wealth(stage, here, steps) for steps in ([one], [one, other], [other, one])]
    known = [wealth for wealth in orders if wealth is not None]
    prepare = ("prepare", inner.to, inner.data)
    steps = (
        _visit(stage, stage.asset.call("tell", True)),
        stage.visitor.call(*prepare, sender=stage.roles.intruder),
        one,
    )
    nested = _wealth(stage, here, steps)
    if nested is None or not known:
        return None
    names = f"a visitor's {_name(outer)} within which it calls {_name(inner)}"
    gained = nested.own - max(wealth.own for wealth in known)
    lost = min(wealth.crowd for wealth in known) - nested.crowd
    if max(gained, lost) <= _ROUNDING:
        return None
    check = _shown(stage, nested, known)
    if gained > _ROUNDING:
        said = f"{names} brings it {gained / stage.unit:.4g} more than one by one"
    else:
        said = f"{names} costs others {lost / stage.unit:.4g} more than one by one"
    return said, steps, check


def _shown(stage: TrialStage, nested: _Wealth, known: Sequence[_Wealth]) -> Check | None:
    """Return the view that tells the nested acts, just played, from the same one by one."""
    visitor, crowd = stage.visitor.address, stage.roles.crowd
    if nested.purse > (most := max(wealth.purse for wealth in known)):
        return Check(stage.asset.call("balanceOf", visitor), most=most)
    if nested.crowd < (least := min(wealth.crowd for wealth in known)):
        shares = stage.read("balanceOf", crowd)
        return Check(stage.contract.call("convertToAssets", shares), least=least)
    if nested.worth > (most := max(wealth.worth for wealth in known)):
        shares = stage.read("balanceOf", visitor)
        return Check(stage.contract.call("convertToAssets", shares), most=most)
    return None


def _wealth(stage: TrialStage, here: int, steps: Sequence[Move | Call]) -> _Wealth | None:
    """Return what everybody has after steps; None where one is refused."""
    stage.chain.revert(here)
    visitor, crowd = stage.visitor.address, stage.roles.crowd
    try:
        play(stage, steps)
        own, theirs = (
            stage.read("convertToAssets", stage.read("balanceOf", who)) for who in (visitor, crowd)
        )
    except TransactionReverted:
        return None
    return _Wealth(stage.held(visitor), own, theirs)


def _name(call: Call) -> str:
    return call.label.split(".")[-1].split("(")[0]


# -- a queue without bound -------------------------------------------------------------------


def unbounded_queue(stage: TrialStage, fresh: int) -> Fault | None:
    """Return the fault where each act of a stranger makes an exit dearer, or at last refuses it."""
    vault, intruder, victim = stage.contract, stage.roles.intruder, stage.roles.depositor
    start: Steps = (
        Move("deposit", "depositor", 100 * stage.unit),
        Move("deposit", "intruder", stage.unit),
    )
    exits = Move("redeem", "depositor", 500_000)
    acts = (
        vault.call("deposit", _DUST, intruder, sender=intruder),
        vault.call("deposit", _DUST, victim, sender=intruder),
        vault.call("withdraw", _DUST, intruder, intruder, sender=intruder),
    )
    for act in acts:
        stage.chain.revert(fresh)
        try:
            play(stage, start)
            used = _gas_of_exits(stage, act, exits)
        except TransactionReverted:
            continue
        first, second = used[2] - used[1], used[3] - used[2]
        slope = second / (_CROWDS[2] - _CROWDS[1])
        if slope >= _LEAST_SLOPE and second > 1.5 * first > 0:
            many = int((TRANSACTION_GAS - used[0]) / slope)
            said = (
                f"each {_name(act)} of {_DUST} wei by a stranger makes an exit {slope:,.0f} gas "
                f"dearer: {many:,} of them, and it fits in no transaction"
            )
            steps: Steps = (*start, *[act] * _CROWDS[2])
            stage.chain.revert(fresh)
            play(stage, steps)
            (last,) = calls_of(stage, exits)
            capped = Call(last.to, last.data, last.sender, last.label, used[0] + _slack(used))
            return Fault("unbounded-queue", said, (*steps, capped), None, len(steps), _WHERE, True)
    return None


def _slack(used: Sequence[int]) -> int:
    """Return the gas by which an exit may cost more than the first one: half of what it grew."""
    return (used[-1] - used[0]) // 2


def _gas_of_exits(stage: TrialStage, act: Call, exits: Move) -> list[int]:
    """Return what an exit costs before any act, and after 32, 64 and 128 of them."""
    used, done = [_gas_of(stage, exits)], 0
    for many in _CROWDS:
        stage.send([act] * (many - done))
        done = many
        used.append(_gas_of(stage, exits))
    return used


def _gas_of(stage: TrialStage, exits: Move) -> int:
    here = stage.chain.snapshot()
    (call,) = calls_of(stage, exits)
    large = Call(call.to, call.data, call.sender, call.label, 6 * CALL_GAS)
    (receipt,) = stage.send([large])
    stage.chain.revert(here)
    return receipt.gas_used
