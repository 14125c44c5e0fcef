"""A trial of a contract: sequences, attacks, and what fails with the fewest steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from simulator.chain import Call
from simulator.errors import TransactionReverted
from simulator.replay.shrink import fewest
from simulator.trial.attacks import OF_STAKES, OF_VAULTS, Attack, attacked
from simulator.trial.faults import Breach, Fault
from simulator.trial.moves import Move
from simulator.trial.parties import OF_PARTIES
from simulator.trial.sequences import (
    Year,
    market_moves,
    market_stakes,
    random_moves,
    random_stakes,
)
from simulator.trial.stage import Case, TrialStage
from simulator.trial.stakes import StakeWatch
from simulator.trial.standards import Kind
from simulator.trial.watch import Watch

SEQUENCES = 30
MOVES = 40
PROBES_EVERY = 3
"""Moves from probe to probe."""
_SEED_STEP = 1_000_003


class Watcher(Protocol):
    """Plays moves, and tells the first rule that does not hold.

    Attributes
    ----------
    done : Counter of str
        How many moves of each sort took place: neither came to nothing nor were refused.
    """

    done: Counter[str]

    def play(self, move: Move) -> Breach | None:
        """Play one move; return the first rule that does not hold then."""


@dataclass(frozen=True)
class Manner:
    """How a kind of contract is dealt with.

    Attributes
    ----------
    watch : function of a stage and of moves from probe to probe
    random, days : functions
        Moves at random, and those of a market's year (`random_moves`, `market_moves`).
    attacks : tuple of functions
    is_judged : bool
        Whether a scenario's claims can be judged on it: what a holder could leave with is told by
        `previewRedeem`.
    """

    watch: Callable[[TrialStage, int], Watcher]
    random: Callable[[int, int, int], list[Move]]
    days: Callable[[Year, int, int, Callable[[], int]], Iterator[list[Move]]]
    attacks: tuple[Attack, ...]
    is_judged: bool


MANNERS: Mapping[Kind, Manner] = {
    "vault": Manner(Watch, random_moves, market_moves, (*OF_PARTIES, *OF_VAULTS), True),
    "staking": Manner(StakeWatch, random_stakes, market_stakes, OF_STAKES, False),
}


class Trial:
    """Puts one contract through sequences, always from where it was just deployed.

    Attributes
    ----------
    asked, done : Counter of str
        Moves of each sort that sequences have asked for, and that took place.
    """

    def __init__(self, case: Case) -> None:
        self.case = case
        self.stage = case.stage()
        self.fresh = self.stage.chain.snapshot()
        self.n_moves = 0
        self.asked, self.done = Counter[str](), Counter[str]()
        self.manner = MANNERS.get(case.kind, MANNERS["vault"])

    def random_sequences(
        self, seed: int, sequences: int = SEQUENCES, moves: int = MOVES
    ) -> Fault | None:
        """Return the first fault that plain random sequences of the standard's calls show."""
        for number in range(sequences):
            chosen = self.manner.random(seed * _SEED_STEP + number, moves, self.stage.unit)
            if fault := self.sequence(chosen, "standard"):
                return fault
        return None

    def attacks(self) -> list[Fault]:
        """Return what the known attacks find."""
        return list(attacked(self.manner.attacks, self.stage, self.fresh))

    def sequence(self, moves: Iterable[Move], where: str) -> Fault | None:
        """Return the first fault of a sequence, with the fewest moves that show it."""
        played: list[Move] = []
        breach = self._first_breach(moves, played, self.done)
        self.n_moves += len(played)
        self.asked.update(move.what for move in played)
        if breach is None:
            return None
        return self.shrunk(played, breach, where)

    def shrunk(self, played: Sequence[Move], breach: Breach, where: str) -> Fault:
        """Return a breach as a fault, with the fewest of the moves played."""

        def fails(moves: Sequence[Move]) -> bool:
            found = self._first_breach(moves, [])
            return found is not None and found.rule == breach.rule

        least: list[Move] = []
        last = self._first_breach(fewest(played, fails), least) or breach
        steps: tuple[Move | Call, ...] = (*least, *last.after)
        return Fault(
            last.rule, last.said, steps, last.check, len(played), where, last.reverts, True
        )

    def _first_breach(
        self, moves: Iterable[Move], played: list[Move], done: Counter[str] | None = None
    ) -> Breach | None:
        self.stage.chain.revert(self.fresh)
        try:
            watch = self.manner.watch(self.stage, PROBES_EVERY)
        except TransactionReverted as error:
            return Breach("views", f"a view reverts before anybody acts: {error}")
        breach = None
        for move in moves:
            played.append(move)
            if breach := watch.play(move):
                break
        if done is not None:
            done.update(watch.done)
        return breach
