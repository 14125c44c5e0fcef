"""Plays a path with two sets of contracts side by side, to where they first answer otherwise.

What they are asked after each call is what it may have changed: the public whole numbers of the
contract that was called, as a whole and of whoever the call is about; at the end of a day also what
the players read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from simulator.chain import Contract
from simulator.chain.codec import Encoder
from simulator.chain.contract import Function, interface_of
from simulator.replay.bare import Act, Reverted, fresh, play

_BILLION = 10**9
"""A billionth of an answer is more than rounding adds up to; a fault that shows is more."""
_VIEWS = ("view", "pure")
_MOST = 4
"""Reads of which the one that needs the fewest calls is looked for."""
_SELECTOR = 8
_WORD = 64

Read = tuple[Act, int]
"""A view, and by how many units its answer may be off."""


class Beside:
    """Two EVMs that have what the same calls made of two sets of codes."""

    def __init__(self, codes: Mapping[str, str], sound: Mapping[str, str]) -> None:
        self._pairs = [(fresh(), codes), (fresh(), sound)]

    def play(self, acts: Sequence[Act]) -> None:
        """Play acts in both; raises Reverted where one refuses."""
        for evm, codes in self._pairs:
            play(acts, codes, evm=evm)

    def ask(self, view: Act) -> list[tuple[int, ...]] | None:
        """Return both answers; None where one does not answer."""
        try:
            return [play((), codes, view, evm) for evm, codes in self._pairs]
        except Reverted:
            return None


def first_apart_reads(
    acts: Sequence[Act],
    codes: Mapping[str, str],
    sound: Mapping[str, str],
    start: int,
    contracts: Mapping[str, Contract],
    views: Callable[[Act], Sequence[Act]],
) -> tuple[int, list[Read]]:
    """Return how many acts it takes until the contracts answer otherwise, and what tells it.

    Parameters
    ----------
    start : int
        The time of step 0, seconds; before it nothing is asked.
    contracts : dict of str to Contract
        By address.
    views : callable
        What the players read after an act that is the last of its day.

    Returns
    -------
    int, list of Read
        The list is empty where they never do, or where one refuses what the other takes.
    """
    both = Beside(codes, sound)
    for number, act in enumerate(acts):
        asked = [] if act.time < start else list(_about(act, contracts.get(act.to)))
        before = [both.ask(view) for view in asked]
        try:
            both.play([act])
        except Reverted:
            return number, []
        after = [both.ask(view) for view in asked]
        answers = [
            (view, now)
            for view, then, now in zip(asked, before, after, strict=True)
            if now is not None and now != then
        ]
        is_last = number + 1 == len(acts) or acts[number + 1].time > act.time
        if is_last and act.time >= start:
            answers += [(view, now) for view in views(act) if (now := both.ask(view)) is not None]
        if found := list(_apart(answers)):
            return number + 1, found[:_MOST]
    return len(acts), []


def _apart(answers: Sequence[tuple[Act, list[tuple[int, ...]]]]) -> Iterator[Read]:
    for view, (found, right) in answers:
        room = max((abs(word) // _BILLION for word in right), default=0)
        if len(found) == len(right) and any(
            abs(one - other) > room for one, other in zip(found, right, strict=True)
        ):
            yield view, room


def _about(act: Act, contract: Contract | None) -> Iterator[Act]:
    """Yield the reads of whole numbers of a contract, as a whole and of those whom a call names."""
    if contract is None or act.code:
        return
    who = dict.fromkeys([act.sender, *_addresses(act.data)])
    # what a call does stays done here, so only what changes nothing may be asked
    views = {
        item["name"] for item in contract.artifact.abi if item.get("stateMutability") in _VIEWS
    }
    for function in interface_of(contract.artifact).by_selector.values():
        if function.outputs != ("uint256",) or function.name not in views:
            continue
        for args in _arguments(function, list(who)):
            data = (function.selector + Encoder(function.inputs)(args)).hex()
            yield Act(act.time, act.block, act.sender, act.to, data, act.gas)


def _arguments(function: Function, who: Sequence[str]) -> list[list[Any]]:
    if not function.inputs:
        return [[]]
    return [[one] for one in who] if function.inputs == ("address",) else []


def _addresses(data: str) -> Iterator[str]:
    """Yield the words of a call's data that may be addresses."""
    words = data[_SELECTOR:]
    for at in range(0, len(words), _WORD):
        word = words[at : at + _WORD]
        if len(word) == _WORD and word.startswith("0" * 24) and word[24:28] != "0000":
            yield f"0x{word[24:]}"
