"""A trial of a vault: sequences, attacks, and what fails with the fewest steps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from simulator.chain import Call
from simulator.errors import TransactionReverted
from simulator.replay.shrink import fewest
from simulator.trial.attacks import attacks
from simulator.trial.faults import Breach, Fault
from simulator.trial.moves import Move
from simulator.trial.sequences import random_moves
from simulator.trial.stage import Case
from simulator.trial.watch import Watch

SEQUENCES = 30
MOVES = 40
_SEED_STEP = 1_000_003


class Trial:
    """Puts one contract through sequences, always from where it was just deployed."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.stage = case.stage()
        self.fresh = self.stage.chain.snapshot()
        self.n_moves = 0

    def random_sequences(
        self, seed: int, sequences: int = SEQUENCES, moves: int = MOVES
    ) -> Fault | None:
        """Return the first fault that plain random sequences of the standard's calls show."""
        for number in range(sequences):
            chosen = random_moves(seed * _SEED_STEP + number, moves, self.stage.unit)
            if fault := self.sequence(chosen, "standard"):
                return fault
        return None

    def attacks(self) -> list[Fault]:
        """Return what the known attacks find."""
        return list(attacks(self.stage, self.fresh))

    def sequence(self, moves: Iterable[Move], where: str) -> Fault | None:
        """Return the first fault of a sequence, with the fewest moves that show it."""
        played: list[Move] = []
        breach = self._first_breach(moves, played)
        self.n_moves += len(played)
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

    def _first_breach(self, moves: Iterable[Move], played: list[Move]) -> Breach | None:
        self.stage.chain.revert(self.fresh)
        try:
            watch = Watch(self.stage)
        except TransactionReverted as error:
            return Breach("views", f"a view reverts before anybody acts: {error}")
        for move in moves:
            played.append(move)
            if breach := watch.play(move):
                return breach
        return None
