"""State machines for Hypothesis: subclass one, name a contract, and its `TestCase` is a test."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from hypothesis import strategies
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from simulator.testing.strategies import market_days, moves
from simulator.trial.adapters import Adapter
from simulator.trial.attacks import attacked
from simulator.trial.campaign import Trial
from simulator.trial.faults import NAMES
from simulator.trial.moves import Move
from simulator.trial.parties import OF_PARTIES
from simulator.trial.standards import Kind
from simulator.trial.tokens import Ledger, supplied
from simulator.trial.watch import Watch
from simulator.trial.whole import summon


class Machine(RuleBasedStateMachine):
    """A contract on a stage, from where it was just deployed in every example."""

    contract: ClassVar[str]
    adapter: ClassVar[str | type[Adapter] | None] = None
    arguments: ClassVar[Mapping[str, str]] = {}
    is_a: ClassVar[Kind | None] = None
    _trials: ClassVar[dict[type, Trial]] = {}

    def __init__(self) -> None:
        super().__init__()
        own = type(self)
        if own not in self._trials:
            called = summon(own.contract, own.is_a, own.adapter, own.arguments, None)
            self._trials[own] = Trial(called.case)
        self.trial = self._trials[own]
        self.stage = self.trial.stage
        self.stage.chain.revert(self.trial.fresh)


class VaultMachine(Machine):
    """A vault that people and markets deal with; every rule is looked at after every move.

    Attributes
    ----------
    contract : str
        A Vyper file or an artifact.
    adapter : str or class, optional
        As `assay try --adapter`, or the class itself.
    arguments : dict of str to str
        Of the constructor, as `assay try --arg` takes them.
    stage : TrialStage
        For rules and invariants of one's own.
    """

    @initialize()
    def begin(self) -> None:
        """Let callers act for others, which is undone; then let the crowd come."""
        for fault in attacked(OF_PARTIES, self.stage, self.trial.fresh):
            raise AssertionError(f"it {fault.name}: {fault.said}")
        self.stage.chain.revert(self.trial.fresh)
        self._watch = Watch(self.stage)
        self.play([Move("deposit", "crowd", 10_000 * self.stage.unit)])

    @rule(move=moves())
    def move(self, move: Move) -> None:
        """Let somebody act."""
        self.play([move])

    @rule(day=market_days())
    def day(self, day: list[Move]) -> None:
        """Let a day of a market pass."""
        self.play(day)

    def play(self, told: Sequence[Move]) -> None:
        """Play moves.

        Raises
        ------
        AssertionError
            A rule does not hold: says which, and its figures.
        """
        for move in told:
            breach = self._watch.play(move)
            assert breach is None, f"it {NAMES[breach.rule]}: {breach.said}" if breach else ""


class TokenMachine(Machine):
    """A token whose holders trade; balances and allowances are those of a ledger beside it.

    `contract`, `adapter` and `arguments` are as a `VaultMachine`'s.
    """

    @initialize()
    def begin(self) -> None:
        """Hand tokens out."""
        self._ledger: Any = Ledger(self.stage, supplied(self.stage, "token"))

    @rule(seed=strategies.integers(0, 2**32))
    def act(self, seed: int) -> None:
        """Let somebody transfer or approve something."""
        fault = self._ledger.do(self._ledger.chosen(random.Random(seed)))
        assert fault is None, f"it {fault.name}: {fault.said}" if fault else ""
