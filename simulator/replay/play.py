"""Plays one path on a chain: a block for each step, every receipt checked, all observed."""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from operator import itemgetter
from types import MappingProxyType
from typing import Any

import pandas as pd

from simulator.chain import Artifact, Chain, Receipt
from simulator.errors import TransactionReverted
from simulator.instruments.stage import Accounts, Actor, Key, Observable, Stage, TakenTwice
from simulator.replay.deployment import check_given
from simulator.replay.evidence import Evidence
from simulator.replay.reconcile import ObservableResult, Reconciliation
from simulator.units import SECONDS_PER_DAY, midnight_timestamp

_NOTHING: Mapping[Any, Any] = MappingProxyType({})
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


class _HolderGas:
    """What the measured holders' acts cost."""

    def __init__(self, actors: Sequence[Actor]) -> None:
        self._actors = actors
        self._used: Counter[Key] = Counter()
        self._times: Counter[Key] = Counter()

    def add(self, step: int, receipts: Sequence[Receipt]) -> None:
        for actor in self._actors:
            for act, used in actor.player.gas(step, receipts).items():
                self._used[actor.label, act] += used
                self._times[actor.label, act] += 1

    def means(self) -> dict[Key, int]:
        return {act: round(used / self._times[act]) for act, used in self._used.items()}


@dataclass(frozen=True)
class Walk:
    """What came of all steps of a path, before it is summed up."""

    transactions: int
    gas: int
    reconciliation: Reconciliation
    decisions: int
    in_band: int


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
        holders = _HolderGas(actors)

        def done(step: int, receipts: Sequence[Receipt]) -> None:
            holders.add(step, receipts)
            progress(step)

        found = walk(chain, actors, start, n_steps, kept, done, patched or {}, given or {})
    return Replay(
        label=label,
        path=path,
        chain=chain.name,
        transactions=found.transactions,
        gas=found.gas,
        seconds=time.perf_counter() - began,
        holder_gas=holders.means(),
        observables=found.reconciliation.results(),
        decisions=found.decisions,
        in_band=found.in_band,
        series=found.reconciliation.series(),
        notes=tuple(note for actor in actors for note in getattr(actor.player, "notes", ())),
        gas_is_exact=chain.gas_is_exact,
    )


def walk(
    chain: Chain,
    actors: Sequence[Actor],
    start: dt.date,
    n_steps: int,
    kept: Evidence,
    done: Callable[[int, Sequence[Receipt]], None] = lambda step, receipts: None,
    patched: Mapping[str, Artifact] = _NOTHING,
    given: Mapping[Key, str] = _NOTHING,
) -> Walk:
    """Do what `play` does, with its errors, and leave open what is made of it.

    `done` is told each step with its receipts.
    """
    _deploy(chain, actors, kept, patched, given)
    kept.compared = reconciliation = Reconciliation(observables_of(actors))
    transactions, gas, decisions, in_band = 0, 0, 0, 0
    first = midnight_timestamp(start)
    for step in range(n_steps + 1):
        receipts = _mine(chain, first + step * SECONDS_PER_DAY, actors, step, kept)
        transactions += len(receipts)
        gas += sum([receipt.gas_used for receipt in receipts])
        compared, inside = observe(chain, actors, step, reconciliation)
        decisions, in_band = decisions + compared, in_band + inside
        done(step, receipts)
    return Walk(transactions, gas, reconciliation, decisions, in_band)


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
