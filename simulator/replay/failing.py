"""Where a path first fails, told as calls that anybody can play again.

What should have happened is what the sound contract does on the same calls, where one stands in
for it; then calls that the failure does not need are left out. Where no contract stands in, the
model's figure says it, which holds for the path as it was: only what the answer does not need goes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from simulator.chain import Artifact, Receipt
from simulator.chain.artifacts import load_artifact
from simulator.errors import AssayError
from simulator.instruments.stage import Actor
from simulator.replay.acts import acts_of, view_after
from simulator.replay.bare import Act, Reverted, play
from simulator.replay.beside import first_apart_reads
from simulator.replay.evidence import Evidence
from simulator.replay.reconcile import apart_words, first_apart
from simulator.replay.shrink import fewest
from simulator.units import SECONDS_PER_DAY

Words = tuple[int, ...]
_MOST_ACTS = 1_000
"""Of a longer path nothing is left out by the model: each trial plays all of it."""


class NotTellable(ValueError):
    """A failure that no calls of a path tell."""


@dataclass(frozen=True)
class Failure:
    """A failure that a plain EVM shows.

    Attributes
    ----------
    why : str
        What the replay found.
    acts : tuple of Act
        Creations and calls, in order; the last reverts, unless there is a `view`.
    view : Act, optional
        The read that answers otherwise than it must.
    least, most : tuple of int
        What each word of the answer must be between, both allowed.
    codes, sound : dict of str to str
        Creation codes in hex by name: as tested, and with the sound ones for those replaced.
    story : Evidence
        Receipts of all that was played, one for each act of `played`.
    played : tuple of Act
        All acts before any was left out.
    """

    why: str
    acts: tuple[Act, ...]
    view: Act | None
    least: Words
    most: Words
    codes: Mapping[str, str]
    sound: Mapping[str, str]
    story: Evidence
    played: tuple[Act, ...]


def failure_of(
    evidence: Evidence, error: AssayError | None, patched: Mapping[str, Artifact]
) -> Failure:
    """Return the first failure of a replay, with the fewest calls.

    A figure that disagrees comes before a call that reverts on a later step.

    Parameters
    ----------
    error : AssayError, optional
        What stopped it.
    patched : dict of str to Artifact
        The contracts that were tested in place of the packaged ones, by name.

    Raises
    ------
    NotTellable
        The failure cannot be told in calls.
    """
    compared = evidence.compared
    if compared is None:
        raise NotTellable(f"there is nothing to play again before step 0: {error}")
    if found := first_apart(compared.series()):
        return _differing(evidence, *found, patched)
    if evidence.stopped is not None:
        return _reverted(evidence, str(error), patched)
    if error is not None:
        return _decided(evidence, str(error), patched)
    raise NotTellable("too many decisions in the dead-band, and no figure disagrees")


def _reverted(evidence: Evidence, why: str, patched: Mapping[str, Artifact]) -> Failure:
    """Return the failure of a call that reverts: it is the last."""
    assert evidence.stopped is not None
    time, calls = evidence.stopped
    before = [receipt for receipt in evidence.receipts if receipt.timestamp < time]
    block = before[-1].block + 1
    whole = _told(evidence, [*before, *(Receipt(call, 0, (), block, time) for call in calls)], why)
    try:
        play(whole.played, whole.codes)
    except Reverted as reverted:
        end = reverted.number + 1
    else:
        raise NotTellable("played again in process, no call reverts")
    whole = _until(whole, end)
    sound = _sound(whole.codes, patched)
    if sound == whole.codes:
        return whole
    told = [*_sooner(evidence, whole, sound), *_itself(whole, sound)]
    return min(told, key=lambda failure: len(failure.acts), default=whole)


def _itself(whole: Failure, sound: Mapping[str, str]) -> list[Failure]:
    """Return the call that reverts on one contract and not on the other, with what it needs."""
    *others, last = whole.acts

    def fails(acts: Sequence[Act]) -> bool:
        here = [*acts, last]
        return _reverts_last(here, whole.codes) and _answer(here, sound) is not None

    if not fails(others):
        return []
    return [replace(whole, acts=(*fewest(others, fails), last), sound=sound)]


def _sooner(evidence: Evidence, whole: Failure, sound: Mapping[str, str]) -> list[Failure]:
    """Return what first tells the contracts apart before the call that reverts: less is needed."""

    def views(last: Act) -> list[Act]:
        step = (last.time - evidence.start) // SECONDS_PER_DAY
        calls = (call for actor in evidence.actors for call in actor.player.views(step))
        return [view_after(last, call) for call in calls]

    made = {contract.address: contract for contract in evidence.contracts.values()}
    count, reads = first_apart_reads(whole.acts, whole.codes, sound, evidence.start, made, views)
    ready = replace(whole, acts=whole.acts[:count])
    told = (_shrunk(ready, sound, view, room) for view, room in reads)
    return [shrunk for shrunk in told if shrunk is not None]


def _differing(
    evidence: Evidence,
    step: int,
    rows: Sequence[Mapping[str, Any]],
    patched: Mapping[str, Artifact],
) -> Failure:
    """Return the failure of the first figures that disagree, as one read behind one of them."""
    whole = _up_to(evidence, step, apart_words(step, rows[-1]))
    sound = _sound(whole.codes, patched)
    if sound == whole.codes:
        return _by_the_model(evidence, step, rows, whole)
    bounds = _reads(evidence, step, rows[-1], whole)
    return _against_sound(whole, sound, [(view, room) for view, _, _, room in bounds])


def _by_the_model(
    evidence: Evidence, step: int, rows: Sequence[Mapping[str, Any]], whole: Failure
) -> Failure:
    """Return what the model says otherwise than the contracts, in the fewest calls.

    The model's figure holds for the path as it was: calls are left out as long as the contracts
    answer what they answered after all of them.
    """
    told = []
    for row in rows:
        for view, least, most, _ in _reads(evidence, step, row, whole):
            answer = _answer(whole.acts, whole.codes, view)
            few = _unchanged(whole, view, answer) if len(whole.acts) <= _MOST_ACTS else whole.acts
            here = replace(whole, why=apart_words(step, row), acts=few, view=view)
            told.append(replace(here, least=(least,), most=(most,)))
    if not told:
        raise NotTellable(f"{whole.why}: no single read tells this figure")
    return min(told, key=lambda failure: len(failure.acts))


def _unchanged(whole: Failure, view: Act, answer: Words | None) -> tuple[Act, ...]:
    same = fewest(whole.acts, lambda acts: _answer(acts, whole.codes, view) == answer)
    return tuple(same)


def _decided(evidence: Evidence, why: str, patched: Mapping[str, Artifact]) -> Failure:
    """Return the failure of a decision: a read that is yes on one contract and no on the other."""
    step = (evidence.receipts[-1].timestamp - evidence.start) // SECONDS_PER_DAY
    whole = _up_to(evidence, step, why)
    calls = [call for actor in evidence.actors for call in actor.player.views(step)]
    views = [view_after(whole.acts[-1], call) for call in calls]
    sound = _sound(whole.codes, patched)
    flags = [view for view in views if _answer(whole.acts, whole.codes, view) in ((0,), (1,))]
    return _against_sound(whole, sound, [(view, 0) for view in flags])


def _against_sound(
    whole: Failure, sound: Mapping[str, str], reads: Iterable[tuple[Act, int]]
) -> Failure:
    """Return the failure with the fewest calls among the reads that may tell it.

    `reads` has each with the units by which it may be off.
    """
    found = [
        shrunk for view, room in reads if (shrunk := _shrunk(whole, sound, view, room)) is not None
    ]
    if not found:
        raise NotTellable(f"{whole.why}: the packaged contracts answer the same")
    return min(found, key=lambda failure: len(failure.acts))


def _shrunk(whole: Failure, sound: Mapping[str, str], view: Act, room: int) -> Failure | None:
    def fails(acts: Sequence[Act]) -> bool:
        found, right = _answer(acts, whole.codes, view), _answer(acts, sound, view)
        if found is None or right is None or len(found) != len(right):
            return False
        return any(abs(one - other) > room for one, other in zip(found, right, strict=True))

    if not fails(whole.acts):
        return None
    acts = tuple(fewest(whole.acts, fails))
    right = _answer(acts, sound, view) or ()
    least, most = (tuple(word + off for word in right) for off in (-room, room))
    return replace(whole, acts=acts, view=view, least=least, most=most, sound=sound)


# -- playing -------------------------------------------------------------------------------


def _answer(acts: Sequence[Act], codes: Mapping[str, str], view: Act | None = None) -> Words | None:
    """Return what the view answers after all acts, or None where anything reverts."""
    try:
        return play(acts, codes, view)
    except (Reverted, AssertionError):
        return None


def _reverts_last(acts: Sequence[Act], codes: Mapping[str, str]) -> bool:
    try:
        play(acts, codes)
    except Reverted as reverted:
        return reverted.number == len(acts) - 1
    except AssertionError:
        return False
    return False


def _reads(
    evidence: Evidence, step: int, row: Mapping[str, Any], whole: Failure
) -> list[tuple[Act, int, int, int]]:
    """Return the reads behind a figure after all acts, as `_bounds` has them."""
    (actor,) = (one for one in evidence.actors if one.label == row["instrument"])
    last = whole.acts[-1]
    views = [view_after(last, call) for call in actor.player.views(step)]
    seen = _raw(whole.acts, whole.codes, views)
    name = str(row["observable"])
    told = (_bounds(actor, step, name, row, seen, n, view) for n, view in enumerate(views))
    return [found for found in told if found is not None]


def _raw(acts: Sequence[Act], codes: Mapping[str, str], views: Iterable[Act]) -> list[bytes]:
    """Return what each view answers, as a chain does."""
    found = [_answer(acts, codes, view) or () for view in views]
    return [b"".join(word.to_bytes(32, "big", signed=True) for word in words) for words in found]


# -- telling -------------------------------------------------------------------------------


def _up_to(evidence: Evidence, step: int, why: str) -> Failure:
    last = evidence.time(step)
    return _told(evidence, [one for one in evidence.receipts if one.timestamp <= last], why)


def _told(evidence: Evidence, receipts: Sequence[Receipt], why: str) -> Failure:
    played, codes = acts_of(evidence, receipts)
    story = replace(evidence, receipts=list(receipts))
    return Failure(why, played, None, (), (), codes, codes, story, played)


def _until(whole: Failure, end: int) -> Failure:
    story = replace(whole.story, receipts=whole.story.receipts[:end])
    return replace(whole, acts=whole.acts[:end], played=whole.played[:end], story=story)


def _sound(codes: Mapping[str, str], patched: Mapping[str, Artifact]) -> dict[str, str]:
    """Return the codes with the packaged ones for those that were replaced."""
    return dict(codes) | {
        name: load_artifact(name).bytecode.hex() for name in patched if name in codes
    }


def _bounds(
    actor: Actor,
    step: int,
    name: str,
    row: Mapping[str, Any],
    seen: Sequence[bytes],
    place: int,
    view: Act,
) -> tuple[Act, int, int, int] | None:
    """Return a read of one word, between which words its figure agrees, and half their distance.

    The figure is asked for with the word as it is and with others in its place, all other reads as
    they are; None where it does not follow the word along a line.
    """
    if len(seen[place]) != 32:
        return None
    word = int.from_bytes(seen[place], "big")
    width = max(word // 8, 2)

    def figure(other: int) -> float:
        answers = [*seen[:place], other.to_bytes(32, "big"), *seen[place + 1 :]]
        return actor.player.read(step, answers)[name]

    here, low, high = figure(word), figure(word - min(word, width)), figure(word + width)
    slope = (high - here) / width
    if slope == 0.0 or not math.isfinite(slope) or word < width:
        return None
    if not math.isclose(here - low, high - here, rel_tol=1e-6):
        return None
    room = math.ceil(float(row["tolerance"]) / abs(slope))
    middle = word + round((float(row["model"]) - here) / slope)
    return view, middle - room, middle + room, room
