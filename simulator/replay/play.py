"""Plays one path on a chain: a block for each step, every receipt checked, all observed."""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from simulator.chain import Artifact, Chain, Receipt
from simulator.errors import TransactionReverted
from simulator.replay.reconcile import ObservableResult, Reconciliation
from simulator.replay.stage import Player, Roles, Stage
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
    holder_gas : dict of str to int
        Gas of the holder's acts: enter, claim (mean), leave.
    observables : tuple of ObservableResult
    decisions, in_band : int
        Keepers' decisions compared with the contract's own view; those in the dead-band.
    series : DataFrame
        Both engines' numbers on every step.
    notes : tuple of str
        What of the portfolios was not played on this path, and why.
    """

    label: str
    path: int
    chain: str
    transactions: int
    gas: int
    seconds: float
    holder_gas: Mapping[str, int]
    observables: tuple[ObservableResult, ...]
    decisions: int
    in_band: int
    series: pd.DataFrame
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether all observables agree and few enough decisions are within the band."""
        few = self.in_band <= BAND_SHARE * max(self.decisions, 1)
        return few and all(observable.ok for observable in self.observables)


class _Ledger:
    """Counts what the receipts say."""

    def __init__(self) -> None:
        self.transactions = 0
        self.gas = 0
        self._holder: Counter[str] = Counter()
        self._times: Counter[str] = Counter()

    def add(self, receipts: Sequence[Receipt], by_act: Mapping[str, int]) -> None:
        self.transactions += len(receipts)
        self.gas += sum(receipt.gas_used for receipt in receipts)
        for act, used in by_act.items():
            self._holder[act] += used
            self._times[act] += 1

    def holder(self) -> dict[str, int]:
        return {act: round(used / self._times[act]) for act, used in self._holder.items()}


def play(
    chain: Chain,
    players: Sequence[Player],
    start: dt.date,
    n_steps: int,
    label: str,
    path: int,
    progress: Callable[[int], None] = lambda step: None,
    patched: Mapping[str, Artifact] | None = None,
) -> Replay:
    """Deploy the players' contracts on `chain` and play all steps of one path.

    `patched` replaces packaged artifacts by name; tests break contracts with it.

    Raises
    ------
    TransactionReverted
        A call failed that the model says succeeds; names the step.
    ReconciliationFailed
        A contract sees a decision otherwise than the model.
    ChainUnavailable
        The chain went away.
    """
    began = time.perf_counter()
    stage = Stage(chain, Roles.of(chain.accounts), patched=patched or {})
    for player in players:
        player.deploy(stage)
    reconciliation = Reconciliation([o for player in players for o in player.observables])
    ledger, decisions, in_band = _Ledger(), 0, 0
    for step in range(n_steps + 1):
        timestamp = midnight_timestamp(start) + step * SECONDS_PER_DAY
        receipts = _mine(chain, timestamp, players, step)
        by_act = {a: g for p in players for a, g in p.gas(step, receipts).items()}
        ledger.add(receipts, by_act)
        compared, inside = _observe(chain, players, step, reconciliation)
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
        notes=tuple(note for player in players for note in getattr(player, "notes", ())),
    )


def _mine(chain: Chain, timestamp: int, players: Sequence[Player], step: int) -> list[Receipt]:
    calls = [pair for player in players for pair in player.calls(step)]
    calls.sort(key=lambda pair: pair[0])
    try:
        return chain.block(timestamp, [call for _, call in calls])
    except TransactionReverted as error:
        raise TransactionReverted(f"step {step}: {error.call}", error.reason) from None


def _observe(
    chain: Chain, players: Sequence[Player], step: int, reconciliation: Reconciliation
) -> tuple[int, int]:
    views = [player.views(step) for player in players]
    answers = chain.view([call for calls in views for call in calls])
    expected: dict[str, float] = {}
    seen: dict[str, float] = {}
    extra: dict[str, float] = {}
    decisions, in_band, at = 0, 0, 0
    for player, calls in zip(players, views, strict=True):
        own = answers[at : at + len(calls)]
        at += len(calls)
        expected |= player.expected(step)
        seen |= player.read(step, own)
        extra |= player.extra_tolerance(step)
        compared, inside = player.check_decisions(step, own)
        decisions, in_band = decisions + compared, in_band + inside
    reconciliation.add(expected, seen, extra)
    return decisions, in_band
