"""A scenario's path as it goes on, a day at a time, on a chain that people use too.

Model and contracts are compared as in a replay as long as nobody else has sent a transaction.
From then on the model's numbers are those of a world in which nobody acted, and are shown as that.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter

from simulator.chain import Contract
from simulator.chain.living import LivingChain
from simulator.chain.messages import Call, Receipt
from simulator.errors import AssayError, ChainUnavailable, ReconciliationFailed, TransactionReverted
from simulator.instruments.stage import Accounts, Actor, Key, Phase, Stage
from simulator.replay.play import observables_of, observe
from simulator.replay.reconcile import Reconciliation
from simulator.units import SECONDS_PER_DAY, midnight_timestamp

VISITORS = 3
"""Accounts that no actor uses, for whoever comes."""
VISITOR = "visitor"


@dataclass(frozen=True)
class Figure:
    """An observable on the latest day; None where it could not be read, or there is none."""

    label: str
    name: str
    model: float | None
    chain: float | None


class Story:
    """The actors of one path on a living chain.

    Attributes
    ----------
    day : int
        The last day that has been played, -1 before the first.
    disagreement : str
        The first thing in which model and contracts differed; empty where they did not.
    acted_on : int or None
        The day after which a person first sent something.
    """

    def __init__(
        self, chain: LivingChain, actors: Sequence[Actor], start: dt.date, n_steps: int
    ) -> None:
        self.chain, self._actors = chain, actors
        self.start, self.n_steps = start, n_steps
        self.accounts, self.contracts = Accounts(), dict[Key, Contract]()
        self.day = -1
        self.disagreement = ""
        self.acted_on: int | None = None
        self._reconciliation = Reconciliation(observables_of(actors))

    # -- the days ----------------------------------------------------------------------

    def deploy(self, given: Mapping[Key, str] | None = None) -> None:
        """Create the contracts, fund the roles and the visitors, and hand the node over.

        `given` are contracts that stand on the chain already, by label and name.
        """
        for actor in self._actors:
            shared = (self.chain, actor.label, self.accounts, self.contracts, actor.artifacts)
            actor.player.deploy(Stage(*shared, given=given or {}))
        for number in range(VISITORS):
            self.chain.make_rich(self.accounts.of(VISITOR, str(number + 1)))
        self.chain.hand_over()

    def advance(self) -> list[str]:
        """Play the next day; return what went otherwise than planned, a line each."""
        if self.day >= self.n_steps:
            raise IndexError(f"the scenario ends on day {self.n_steps}")
        step = self.day + 1
        calls, faults = self._calls(step)
        outcomes = self.chain.attempt(self.timestamp(step), calls)
        self.day = step
        self._notice(step)
        faults += [str(one) for one in outcomes if not isinstance(one, Receipt)]
        self._observe(step, faults)
        return faults

    def resume(self, acted_on: int | None) -> None:
        """Go on from a state that was kept, with what people had done before."""
        self.acted_on = acted_on

    def timestamp(self, step: int) -> int:
        """Return when a day begins, seconds."""
        return midnight_timestamp(self.start) + step * SECONDS_PER_DAY

    def date(self) -> dt.date:
        """Return the date of the day that was played last."""
        return self.start + dt.timedelta(days=max(self.day, 0))

    @property
    def is_undisturbed(self) -> bool:
        """Return whether nobody but the scenario has sent anything."""
        return self.acted_on is None

    def look_around(self) -> bool:
        """Notice what people have sent by now; return whether the path is undisturbed."""
        self.chain.look_around()
        self._notice(self.day + 1)
        return self.is_undisturbed

    def _notice(self, before: int) -> None:
        if self.acted_on is None and self.chain.strangers:
            self.acted_on = before - 1

    def _calls(self, step: int) -> tuple[list[Call], list[str]]:
        """Return what the actors do on a step, in order, and who could not say.

        What a player reads from the chain to decide may fail once people have changed it.
        """
        calls, faults = list[tuple[Phase, Call]](), []
        for actor in self._actors:
            try:
                calls += actor.player.calls(step)
            except TransactionReverted as error:
                faults.append(f"{actor.label} does nothing: {error}")
        calls.sort(key=itemgetter(0))
        return [call for _, call in calls], faults

    # -- what is seen ------------------------------------------------------------------

    def _observe(self, step: int, faults: list[str]) -> None:
        if self.is_undisturbed:
            try:
                observe(self.chain, self._actors, step, self._reconciliation)
                self._differ(next((fault for fault in faults), ""))
            except (ReconciliationFailed, TransactionReverted) as error:
                self._differ(str(error))
        for actor in self._actors:
            self._read(actor, step)  # players may add up what they read, day by day

    def _differ(self, what: str) -> None:
        self.disagreement = self.disagreement or what

    def _read(self, actor: Actor, step: int) -> Mapping[str, float]:
        """Return an actor's observables on chain; nothing where people made them unreadable."""
        try:
            return actor.player.read(step, self.chain.view(actor.player.views(step)))
        except ChainUnavailable:
            raise
        except (AssayError, ArithmeticError, LookupError, ValueError):
            return {}

    def figures(self) -> list[Figure]:
        """Return the model's numbers after the last day, and the contracts' as they are now."""
        found = []
        for actor in self._actors:
            expected, seen = actor.player.expected(self.day), self._read(actor, self.day)
            for observable in actor.player.observables:
                model = expected.get(observable.name)
                at = seen.get(observable.name)
                found.append(Figure(actor.label, observable.name, _number(model), _number(at)))
        return found

    def verdict(self) -> str:
        """Return in words whether model and contracts agree."""
        if not self.is_undisturbed:
            return (
                f"somebody acted after day {self.acted_on}: the model's figures are undisturbed, "
                "and no longer compared"
            )
        results = self._reconciliation.results()
        apart = [f"{one.instrument}.{one.name} on day {one.step}" for one in results if not one.ok]
        if self.disagreement or apart:
            return f"model and contracts differ: {self.disagreement or apart[0]}"
        return (
            f"undisturbed: model and contracts agree on {len(results)} figures on every day so far"
        )


def _number(value: float | None) -> float | None:
    return None if value is None or value != value else float(value)
