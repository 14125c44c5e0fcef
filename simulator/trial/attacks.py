"""Attacks that are known by name, played on a contract of which nothing but the standard is known.

Each is tried from a contract that was only just deployed, and what it brings is compared with what
would have been without it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from simulator.chain import Call, Contract
from simulator.chain.base import CALL_GAS
from simulator.chain.contract import interface_of
from simulator.errors import TransactionReverted
from simulator.trial.faults import Check, Fault
from simulator.trial.moves import Move, calls_of
from simulator.trial.stage import TrialStage
from simulator.trial.standards import EXIT, is_whole
from simulator.units import SECONDS_PER_DAY

Steps = tuple[Move | Call, ...]
Attack = Callable[[TrialStage, int], Fault | None]
"""From where a contract was just deployed, a snapshot; the state is gone then."""
TRANSACTION_GAS = 2**24
"""What one transaction may use on the main network, since 2025-12-03 (EIP-7825)."""
_DUST = 1_000
_CROWDS = (32, 64, 128)
_LEAST_SLOPE = 50
"""Gas for each act of a stranger's below which nothing is said: a read of storage costs 100."""
_ROUNDING = 2
"""Units by which two orders of the same acts may differ."""
_WHERE = "attacks"
_REWARDS = 700
"""Whole units of the first rewards of a period; then twice as many."""
_LONG = 3_650
"""Days after which any period is over."""
_OF_DUST = 1_000
"""One in so many of the rewards may be lost to rounding of a rate per second."""


def attacked(among: Sequence[Attack], stage: TrialStage, fresh: int) -> Iterator[Fault]:
    """Yield what attacks find; `fresh` is the snapshot of the contract as it was deployed."""
    for attack in among:
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
    return [call._replace(sender=who) for call in stage.told("report")]


# -- coming back in --------------------------------------------------------------------------


@dataclass(frozen=True)
class Nest:
    """What a visitor may do in a kind of contract, and what it then has there.

    Attributes
    ----------
    start : function of a stage
        What comes before: the crowd and the visitor enter, something is earned.
    acts : function of a stage
        What a visitor does, each at a time or within another.
    held : function of a stage and an address
        Views that say what somebody can take out; in all of them more is better.
    """

    start: Callable[[TrialStage], list[Move | Call]]
    acts: Callable[[TrialStage], list[Call]]
    held: Callable[[TrialStage, str], list[Call]]


def re_entry(nest: Nest, stage: TrialStage, fresh: int) -> Fault | None:
    """Return the fault where a visitor gains by coming back in before an act has finished.

    The tokens tell the visitor of their transfers, and it acts once more from within. Whatever that
    comes to must not be better for it, nor worse for others, than the same acts one after another.
    """
    stage.chain.revert(fresh)
    start = nest.start(stage)
    play(stage, start)
    here = stage.chain.snapshot()
    acts = nest.acts(stage)
    for outer in acts:
        for inner in acts:
            found = _nested(nest, stage, here, outer, inner)
            if found is not None:
                said, steps, check = found
                return Fault("re-entry", said, (*start, *steps), check, len(acts) ** 2, _WHERE)
    return None


def _into_a_vault(stage: TrialStage) -> list[Move | Call]:
    own = stage.contract.call("deposit", 100 * stage.unit, stage.visitor)
    crowd, gain = (
        Move("deposit", "crowd", 1_000 * stage.unit),
        Move("earn", "", 10 * stage.unit),
    )
    return [crowd, _visit(stage, own), gain]


def _acts_in_a_vault(stage: TrialStage) -> list[Call]:
    vault, visitor = stage.contract, stage.visitor
    shares = stage.read("balanceOf", visitor.address)
    acts = [
        vault.call("deposit", stage.unit, visitor),
        vault.call("redeem", shares // 3, visitor, visitor),
        vault.call("withdraw", stage.unit, visitor, visitor),
    ]
    reports = [call for call in stage.told("report") if call.to == vault.address]
    return [*acts, *reports]


def _held_in_a_vault(stage: TrialStage, who: str) -> list[Call]:
    return [stage.contract.call("convertToAssets", stage.read("balanceOf", who))]


VAULT = Nest(_into_a_vault, _acts_in_a_vault, _held_in_a_vault)


def _into_a_stake(stage: TrialStage) -> list[Move | Call]:
    own = stage.contract.call("stake", 100 * stage.unit)
    return [
        Move("stake", "crowd", 1_000 * stage.unit),
        _visit(stage, own),
        Move("earn", "", 700 * stage.unit),
        Move("wait", "", SECONDS_PER_DAY),
    ]


def _acts_of_a_stake(stage: TrialStage) -> list[Call]:
    contract = stage.contract
    return [
        contract.call("stake", stage.unit),
        contract.call("withdraw", 30 * stage.unit),
        contract.call("getReward"),
    ]


def _held_as_a_stake(stage: TrialStage, who: str) -> list[Call]:
    return [stage.contract.call("balanceOf", who), stage.contract.call("earned", who)]


STAKE = Nest(_into_a_stake, _acts_of_a_stake, _held_as_a_stake)


def _visit(stage: TrialStage, act: Call) -> Call:
    visit = ("visit", act.to, act.data)
    return stage.visitor.call(*visit, sender=stage.roles.intruder)


@dataclass(frozen=True)
class _Wealth:
    """What the visitor has in its purses, and it and the crowd have in the contract."""

    purse: tuple[int, ...]
    own: tuple[int, ...]
    crowd: tuple[int, ...]

    @property
    def all_own(self) -> int:
        return sum(self.purse) + sum(self.own)


def _nested(
    nest: Nest, stage: TrialStage, here: int, outer: Call, inner: Call
) -> tuple[str, Steps, Check | None] | None:
    """Return what an act within another brings or costs, where that is more than one by one."""
    one, other = _visit(stage, outer), _visit(stage, inner)
    orders = [_wealth(nest, stage, here, steps) for steps in ([one], [one, other], [other, one])]
    known = [wealth for wealth in orders if wealth is not None]
    prepare = ("prepare", inner.to, inner.data)
    steps = (
        *(_visit(stage, token.call("tell", True)) for token in _tokens(stage)),
        stage.visitor.call(*prepare, sender=stage.roles.intruder),
        one,
    )
    nested = _wealth(nest, stage, here, steps)
    if nested is None or not known:
        return None
    names = f"a visitor's {_name(outer)} within which it calls {_name(inner)}"
    gained = nested.all_own - max(wealth.all_own for wealth in known)
    lost = min(sum(wealth.crowd) for wealth in known) - sum(nested.crowd)
    if max(gained, lost) <= _ROUNDING:
        return None
    check = _shown(nest, stage, nested, known)
    if gained > _ROUNDING:
        said = f"{names} brings it {gained / stage.unit:.4g} more than one by one"
    else:
        said = f"{names} costs others {lost / stage.unit:.4g} more than one by one"
    return said, steps, check


def _tokens(stage: TrialStage) -> list[Contract]:
    same = stage.reward.address == stage.asset.address
    return [stage.asset] if same else [stage.asset, stage.reward]


def _purses(stage: TrialStage) -> list[Call]:
    return [token.call("balanceOf", stage.visitor) for token in _tokens(stage)]


def _shown(
    nest: Nest, stage: TrialStage, nested: _Wealth, known: Sequence[_Wealth]
) -> Check | None:
    """Return the view that tells the nested acts, just played, from the same one by one."""
    for place, view in enumerate(_purses(stage)):
        if nested.purse[place] > (most := max(wealth.purse[place] for wealth in known)):
            return Check(view, most=most)
    for place, view in enumerate(nest.held(stage, stage.roles.crowd)):
        if nested.crowd[place] < (least := min(wealth.crowd[place] for wealth in known)):
            return Check(view, least=least)
    for place, view in enumerate(nest.held(stage, stage.visitor.address)):
        if nested.own[place] > (most := max(wealth.own[place] for wealth in known)):
            return Check(view, most=most)
    return None


def _wealth(
    nest: Nest, stage: TrialStage, here: int, steps: Sequence[Move | Call]
) -> _Wealth | None:
    """Return what everybody has after steps; None where one is refused."""
    stage.chain.revert(here)
    try:
        play(stage, steps)
        own, crowd = (
            tuple(stage.words(nest.held(stage, who)))
            for who in (stage.visitor.address, stage.roles.crowd)
        )
    except TransactionReverted:
        return None
    return _Wealth(tuple(stage.words(_purses(stage))), own, crowd)


def _name(call: Call) -> str:
    return call.told.split(".")[-1].split("(")[0]


# -- a queue without bound -------------------------------------------------------------------


def unbounded_vault(stage: TrialStage, fresh: int) -> Fault | None:
    """Return the fault where what strangers do to a vault makes an exit dearer without end."""
    vault, intruder, victim = stage.contract, stage.roles.intruder, stage.roles.depositor
    start: Steps = (
        Move("deposit", "depositor", 100 * stage.unit),
        Move("deposit", "intruder", stage.unit),
    )
    acts = (
        vault.call("deposit", _DUST, intruder, sender=intruder),
        vault.call("deposit", _DUST, victim, sender=intruder),
        vault.call("withdraw", _DUST, intruder, intruder, sender=intruder),
    )
    return _unbounded(stage, fresh, start, acts, Move("redeem", "depositor", 500_000))


def unbounded_stake(stage: TrialStage, fresh: int) -> Fault | None:
    """Return the same of a contract that pays rewards for stakes."""
    contract, intruder = stage.contract, stage.roles.intruder
    start: Steps = (
        Move("stake", "depositor", 100 * stage.unit),
        Move("stake", "intruder", stage.unit),
    )
    acts = (
        contract.call("stake", _DUST, sender=intruder),
        contract.call("withdraw", _DUST, sender=intruder),
        contract.call("getReward", sender=intruder),
    )
    return _unbounded(stage, fresh, start, acts, Move("unstake", "depositor", 500_000))


def _unbounded(
    stage: TrialStage, fresh: int, start: Steps, acts: Sequence[Call], exits: Move
) -> Fault | None:
    """Return the fault where each act of a stranger makes an exit dearer, or at last refuses it."""
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
            capped = last._replace(gas=used[0] + _slack(used))
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
    large = call._replace(gas=6 * CALL_GAS)
    (receipt,) = stage.send([large])
    stage.chain.revert(here)
    return receipt.gas_used


# -- periods of rewards ----------------------------------------------------------------------


def topped_up(stage: TrialStage, fresh: int) -> Fault | None:
    """Return the fault where a period that is topped up loses what was left of it.

    Raises
    ------
    InputError
        The adapter cannot hand over any rewards.
    """
    stage.chain.revert(fresh)
    steps: Steps = (
        *_first_day(stage),
        Move("earn", "", 2 * _REWARDS * stage.unit),
        Move("wait", "", _LONG * SECONDS_PER_DAY),
    )
    try:
        play(stage, steps)
    except TransactionReverted as error:
        raise stage.refused("earn", error) from None
    who = stage.roles.depositor
    earned, came = stage.read("earned", who), 3 * _REWARDS * stage.unit
    # On a node others may have staked before.
    part = came * stage.read("balanceOf", who) // stage.read("totalSupply")
    least = part - part // _OF_DUST
    if earned >= least:
        return None
    said = f"who had staked all the time earned {earned / stage.unit:,.6g} of the "
    said += f"{part / stage.unit:,.6g} that were his of what came in by two notices in one period"
    check = Check(stage.contract.call("earned", who), least=least)
    return Fault("lost-rewards", said, steps, check, len(steps), _WHERE)


def _first_day(stage: TrialStage) -> Steps:
    """Return a stake, the first rewards of a period, and a day of it."""
    over = [] if stage.born else [Move("wait", "", _LONG * SECONDS_PER_DAY)]
    return (
        *over,
        Move("stake", "depositor", 100 * stage.unit),
        Move("earn", "", _REWARDS * stage.unit),
        Move("wait", "", SECONDS_PER_DAY),
    )


def slowed(stage: TrialStage, fresh: int) -> Fault | None:
    """Return the fault where a stranger's notice of next to nothing makes rewards flow slower."""
    stage.chain.revert(fresh)
    begin = _first_day(stage)
    later, who = Move("wait", "", SECONDS_PER_DAY), stage.roles.depositor
    play(stage, begin)
    here = stage.chain.snapshot()
    play(stage, [later])
    least = stage.read("earned", who)
    for amount in (0, 1):
        stage.chain.revert(here)
        notices = [
            call._replace(sender=stage.roles.intruder)
            for call in stage.told("earn", amount)
            if call.to == stage.contract.address
        ]
        try:
            play(stage, [*notices, later])
        except TransactionReverted:
            continue
        if (earned := stage.read("earned", who)) < least:
            said = f"a stranger's notice of {amount} wei takes "
            said += f"{(least - earned) / stage.unit:,.4g} from a day's rewards of others"
            check = Check(stage.contract.call("earned", who), least=least)
            steps = (*begin, *notices, later)
            return Fault("slowed-rewards", said, steps, check, len(steps), _WHERE)
    return None


def left_at_once(stage: TrialStage, fresh: int) -> Fault | None:
    """Return the fault where `exit()`, if there is one, keeps back stake or earned rewards."""
    contract, who = stage.contract, stage.roles.depositor
    if not is_whole(interface_of(contract.artifact), EXIT):
        return None
    stage.chain.revert(fresh)
    begin = _first_day(stage)
    play(stage, begin)
    owed = {stage.asset.address: 0, stage.reward.address: 0}
    owed[stage.asset.address] += int(stage.read("balanceOf", who))
    owed[stage.reward.address] += int(stage.read("earned", who))
    views = [token.call("balanceOf", who) for token in _tokens(stage)]
    had, leave = stage.words(views), contract.call("exit", sender=who)
    steps = (*begin, leave)
    try:
        play(stage, [leave])
    except TransactionReverted as error:
        said = f"exit() reverts: {error.reason}"
        return Fault("exit", said, steps, None, len(steps), _WHERE, reverts=True)
    for view, before, now in zip(views, had, stage.words(views), strict=True):
        if now - before != owed[view.to]:
            name = "stake" if view.to == stage.asset.address else "rewards"
            said = f"exit() pays {now - before:,} of the {name}, must pay {owed[view.to]:,}"
            right = before + owed[view.to]
            return Fault("exit", said, steps, Check(view, right, right), len(steps), _WHERE)
    return None


OF_VAULTS: tuple[Attack, ...] = (first_depositor, partial(re_entry, VAULT), unbounded_vault)
OF_STAKES: tuple[Attack, ...] = (
    topped_up,
    slowed,
    left_at_once,
    partial(re_entry, STAKE),
    unbounded_stake,
)
