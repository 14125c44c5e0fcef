"""Plays one path on a chain: a block for each step, every receipt checked, all observed."""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from operator import itemgetter

import pandas as pd

from simulator.chain import Artifact, Chain, Receipt
from simulator.errors import TransactionReverted
from simulator.instruments.stage import Accounts, Actor, Key, Observable, Stage, TakenTwice
from simulator.replay.deployment import check_given
from simulator.replay.evidence import Evidence
from simulator.replay.reconcile import ObservableResult, Reconciliation
from simulator.units import SECONDS_PER_DAY, midnight_timestamp

BAND_SHARE = 1e-3
"""Share of decisions that may fall into the dead-band before the replay fails."""


@dataclass(frozen=True)
class Replay:
    """What one replay found.

    Attributes
    ----------
    label, path : str, int
        Why the path was chosen (p05, p50, p95, events) and its number.
    chain : str
    transactions, gas : int
    seconds : float
    holder_gas : dict of (str, str) to int
        Gas of each label's measured holder by act: enter, claim (mean), leave.
    observables : tuple of ObservableResult
    decisions, in_band : int
        Keepers' decisions compared with the contract's own view; those in the dead-band.
    series : DataFrame
        Both engines' numbers on every step.
    notes : tuple of str
        What of the portfolios was not played on this path, and why.
    gas_is_exact : bool
        Whether gas is what a node charges; the in-process EVM's is a lower bound.
    """

    label: str
    path: int
    chain: str
    transactions: int
    gas: int
    seconds: float
    holder_gas: Mapping[Key, int]
    observables: tuple[ObservableResult, ...]
    decisions: int
    in_band: int
    series: pd.DataFrame
    notes: tuple[str, ...] = ()
    gas_is_exact: bool = True

    @property
    def ok(self) -> bool:
        """Whether all observables agree and few enough decisions are within the band."""
        few = self.in_band <= BAND_SHARE * max(self.decisions, 1)
        return few and all(observable.ok for observable in self.observables)

    @property
    def worst(self) -> float:
        """Return the largest error over its tolerance; 0 where nothing was compared."""
        return max((observable.share for observable in self.observables), default=0.0)


class _Ledger:
    """Counts what the receipts say."""

    def __init__(self) -> None:
        self.transactions = 0
        self.gas = 0
        self._holder: Counter[Key] = Counter()
        self._times: Counter[Key] = Counter()

    def add(self, receipts: Sequence[Receipt], by_act: Mapping[Key, int]) -> None:
        self.transactions += len(receipts)
        self.gas += sum(receipt.gas_used for receipt in receipts)
        for act, used in by_act.items():
            self._holder[act] += used
            self._times[act] += 1

    def holder(self) -> dict[Key, int]:
        return {act: round(used / self._times[act]) for act, used in self._holder.items()}


def play(
    chain: Chain,
    actors: Sequence[Actor],
    start: dt.date,
    n_steps: int,
    label: str,
    path: int,
    progress: Callable[[int], None] = lambda step: None,
    patched: Mapping[str, Artifact] | None = None,
    evidence: Evidence | None = None,
    given: Mapping[Key, str] | None = None,
) -> Replay:
    """Deploy the actors' contracts on `chain` and play all steps of one path.

    `patched` replaces packaged artifacts by name; tests break contracts with it. A fresh
    `evidence` takes all that happens on the chain, up to a failure where there is one. `given` are
    addresses of contracts that stand there already, by label and name.

    Raises
    ------
    TransactionReverted
        A call failed that the model says succeeds; names the step.
    ReconciliationFailed
        A contract sees a decision otherwise than the model.
    ChainUnavailable
        The chain went away.
    TakenTwice
        Two actors, contracts or observables have one name.
    UsageError
        A given contract has a name that no contract of the path has.
    """
    began = time.perf_counter()
    kept = Evidence() if evidence is None else evidence
    kept.actors = tuple(actors)
    with nullcontext() if evidence is None else evidence.of(chain, start):
        _deploy(chain, actors, kept, patched or {}, given or {})
        kept.compared = reconciliation = Reconciliation(observables_of(actors))
        ledger, decisions, in_band = _Ledger(), 0, 0
        for step in range(n_steps + 1):
            timestamp = midnight_timestamp(start) + step * SECONDS_PER_DAY
            receipts = _mine(chain, timestamp, actors, step, kept)
            ledger.add(receipts, _keyed({a.label: a.player.gas(step, receipts) for a in actors}))
            compared, inside = observe(chain, actors, step, reconciliation)
            decisions, in_band = decisions + compared, in_band + inside
            progress(step)
    return Replay(
        label=label,
        path=path,
        chain=chain.name,
        transactions=ledger.transactions,
        gas=ledger.gas,
        seconds=time.perf_counter() - began,
        holder_gas=ledger.holder(),
        observables=reconciliation.results(),
        decisions=decisions,
        in_band=in_band,
        series=reconciliation.series(),
        notes=tuple(note for actor in actors for note in getattr(actor.player, "notes", ())),
        gas_is_exact=chain.gas_is_exact,
    )


def _deploy(
    chain: Chain,
    actors: Sequence[Actor],
    kept: Evidence,
    patched: Mapping[str, Artifact],
    given: Mapping[Key, str],
) -> None:
    accounts = Accounts(kept.accounts)
    for actor in actors:
        stage = Stage(chain, actor.label, accounts, kept.contracts, actor.artifacts, patched, given)
        actor.player.deploy(stage)
    check_given(given, kept.contracts)


def observables_of(actors: Sequence[Actor]) -> dict[Key, Observable]:
    """Return every actor's observables by (label, name).

    Raises
    ------
    TakenTwice
    """
    found: dict[Key, Observable] = {}
    for actor in actors:
        for observable in actor.player.observables:
            key = actor.label, observable.name
            if key in found:
                raise TakenTwice(f"{key[0]} has two observables {key[1]}")
            found[key] = observable
    return found


def _mine(
    chain: Chain, timestamp: int, actors: Sequence[Actor], step: int, kept: Evidence
) -> list[Receipt]:
    by_phase = [pair for actor in actors for pair in actor.player.calls(step)]
    by_phase.sort(key=itemgetter(0))
    calls = [call for _, call in by_phase]
    try:
        return chain.block(timestamp, calls)
    except TransactionReverted as error:
        kept.stopped = timestamp, calls
        raise TransactionReverted(f"step {step}: {error.call}", error.reason) from None


def _keyed(by_label: Mapping[str, Mapping[str, int]]) -> dict[Key, int]:
    """Return numbers by (label, name)."""
    return {(label, name): x for label, own in by_label.items() for name, x in own.items()}


def observe(
    chain: Chain, actors: Sequence[Actor], step: int, reconciliation: Reconciliation
) -> tuple[int, int]:
    """Keep both engines' numbers; return the decisions compared and those in the dead-band."""
    views = [actor.player.views(step) for actor in actors]
    answers = chain.view([call for calls in views for call in calls])
    expected: dict[str, Mapping[str, float]] = {}
    seen: dict[str, Mapping[str, float]] = {}
    extra: dict[str, Mapping[str, float]] = {}
    decisions, in_band, at = 0, 0, 0
    for actor, calls in zip(actors, views, strict=True):
        own = answers[at : at + len(calls)]
        at += len(calls)
        expected[actor.label] = actor.player.expected(step)
        seen[actor.label] = actor.player.read(step, own)
        extra[actor.label] = actor.player.extra_tolerance(step)
        compared, inside = actor.player.check_decisions(step, own)
        decisions, in_band = decisions + compared, in_band + inside
    reconciliation.add(expected, seen, extra)
    return decisions, in_band
