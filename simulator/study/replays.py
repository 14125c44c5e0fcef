"""A path of a run on a chain, and what it leaves behind as pandas frames."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal
from weakref import WeakKeyDictionary

import pandas as pd

from simulator.chain import SETUP_SECONDS, Chain, open_chain
from simulator.errors import UsageError
from simulator.replay import Evidence, Replay, choose, play, players
from simulator.study.keeping import write_replay
from simulator.study.runs import Run
from simulator.units import calendar, midnight_timestamp
from simulator.words import gas_used, plain

_FRESH: WeakKeyDictionary[Chain, int] = WeakKeyDictionary()
"""Where each chain stood before its first replay."""


def local_chain(
    kind: Literal["anvil", "revm"] | None = None, *, anvil_path: str | Path | None = None
) -> Chain:
    """Open a chain for any number of replays; close it, or use it in a `with`.

    Parameters
    ----------
    kind : "anvil" or "revm", optional
        By default Anvil where it is found, else the EVM in this process.
    anvil_path : str or Path, optional
        Anvil's binary.

    Raises
    ------
    ChainUnavailable
        The chain that was asked for cannot be had.
    """
    return open_chain(kind, SETUP_SECONDS, anvil_path=anvil_path)


def replay(run: Run, path: str | int = "p50", chain: Chain | None = None) -> PathReplay:
    """Play one path of a run on a chain, and compare model with contracts.

    Parameters
    ----------
    path : str or int
        `p05`, `p50`, `p95` or `events` of the scenario's subject, or a path's number.
    chain : Chain, optional
        As `local_chain` opens it. It goes back to where its first replay found it, and stands at
        the path's end afterwards. By default one is opened and closed.

    Raises
    ------
    UsageError
        There is no such path, or the chain is past the scenario's start.
    TransactionReverted, ReconciliationFailed
        A call fails that the model says succeeds, or a contract decides otherwise.
    ChainUnavailable
        There is no chain, or it went away.
    """
    scenario, simulation = run.scenario, run.simulation
    chosen = choose(simulation.investors[scenario.replay.subject], [str(path)])[0]
    start = midnight_timestamp(scenario.start)
    evidence = Evidence()
    with open_chain(None, start) if chain is None else nullcontext(chain) as on:
        if chain is not None:
            _make_fresh(on, start)
        cast = players(scenario, simulation.spec, chosen.path)
        days = scenario.horizon_days
        done = play(on, cast, scenario.start, days, chosen.label, chosen.path, evidence=evidence)
    return PathReplay(done, evidence, calendar(scenario.start, days))


def _make_fresh(chain: Chain, start: int) -> None:
    """Bring a chain to where its first replay found it, then to the day before `start`."""
    try:
        chain.revert(_FRESH[chain])
    except KeyError:  # it has had none, or somebody went back behind it
        _FRESH[chain] = chain.snapshot()
    if chain.timestamp() < start - SETUP_SECONDS:
        chain.block(start - SETUP_SECONDS, [])
    elif chain.timestamp() > start - SETUP_SECONDS // 2:
        raise UsageError(f"the chain stands at {chain.timestamp()}, past the start at {start}")


@dataclass(frozen=True, repr=False)
class PathReplay:
    """One path on a chain: what both engines say, and all that happened there.

    Attributes
    ----------
    result : Replay
        Whether model and contracts agree, and the totals.
    evidence : Evidence
        The receipts and contracts behind the frames.
    days : DatetimeIndex
        The date of each step.
    """

    result: Replay
    evidence: Evidence
    days: pd.DatetimeIndex

    @property
    def ok(self) -> bool:
        """Return whether model and contracts agree."""
        return self.result.ok

    @property
    def transactions(self) -> pd.DataFrame:
        """Return a row a transaction, set-up first: see `Evidence.transactions`."""
        return self.evidence.transactions

    @property
    def events(self) -> pd.DataFrame:
        """Return a row an event, in the order of the chain: see `Evidence.events`."""
        return self.evidence.events

    def events_of(self, event: str, contract: str = "", label: str = "") -> pd.DataFrame:
        """Return the events of one name with their fields as columns, whole numbers as `int`.

        Parameters
        ----------
        contract, label : str
            Only those of contracts called so, and of one label.
        """
        return self.evidence.events_of(event, contract, label)

    @property
    def addresses(self) -> dict[str, str]:
        """Return every contract's address by `LABEL/NAME`."""
        return self.evidence.addresses

    @property
    def roles(self) -> dict[str, str]:
        """Return every actor's address by `LABEL/ROLE`; shared ones are `all/ROLE`."""
        return self.evidence.roles

    @property
    def gas(self) -> pd.DataFrame:
        """Return gas by function, the most first; on `revm` it is a lower bound.

        Columns: label, contract, function, calls, least, mean, most, total, chain.
        """
        return self.evidence.gas

    @property
    def observables(self) -> pd.DataFrame:
        """Return what was compared on every step.

        Columns: date, step, instrument, observable, model, chain, tolerance.
        """
        series = self.result.series
        dates = self.days[series["step"].to_numpy()]
        return series.assign(date=dates)[["date", *series.columns]]

    @property
    def agreement(self) -> pd.DataFrame:
        """Return the worst step of each observable: max_error, tolerance, step, ok."""
        rows = [asdict(one) for one in self.result.observables]
        return pd.DataFrame(rows).set_index(["instrument", "name"])

    def save(self, folder: str | Path) -> Path:
        """Write the files that `assay run` keeps of a path, and return their folder.

        Raises
        ------
        UsageError
            The folder cannot be written to.
        """
        write_replay(Path(folder), self.result, self.evidence)
        return Path(folder)

    def __repr__(self) -> str:
        done = self.result
        fits = sum(one.ok for one in done.observables)
        agree = f"{fits} of {len(done.observables)} observables agree on all steps"
        gas = plain(gas_used(done.gas, exact=done.gas_is_exact))
        return (
            f"Replay of path {done.path} ({done.label}) on {done.chain}: {agree}\n"
            f"{len(self.transactions):,} transactions, the set-up included, "
            f"{len(self.events):,} events, {gas} gas"
        )

    def _repr_html_(self) -> str:
        frame: str = self.agreement.to_html(float_format="{:.3g}".format)
        return f"<p>{self!r}</p>{frame}".replace("\n", " ")
