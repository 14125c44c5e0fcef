"""What a replay leaves behind, as the files of a folder (`docs/run-folder.md`)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from simulator.engine.tables import write_table
from simulator.errors import InputError, Problem
from simulator.plain_json import plain_json
from simulator.replay import Evidence, Replay
from simulator.replay.deployment import write_deployment
from simulator.replay.select import LABELS
from simulator.writer import write_text

STEPS = "steps.parquet"
GAS = "gas.csv"
_TRANSACTIONS, _EVENTS = "transactions.parquet", "events.parquet"
REPLAYS = "reconciliation.json"


@dataclass(frozen=True)
class KeptReplay:
    """What a run's folder keeps of a path that it replayed; frames as `PathReplay` has them.

    `gas_is_exact` is false where the chain counts less than a node charges.
    """

    label: str
    chain: str
    ok: bool
    gas_is_exact: bool
    transactions: pd.DataFrame
    events: pd.DataFrame


def read_replay(folder: Path, path: int) -> KeptReplay | None:
    """Return a path's replay from the folder of a run's replays; None where it was not replayed.

    Raises
    ------
    InputError
        A file is not what was written.
    """
    if not (folder / REPLAYS).is_file():
        return None
    try:
        return _kept(folder, path)
    except (OSError, ValueError, KeyError, TypeError) as error:
        rule = f"is not what Assay wrote: {error}"
        raise InputError([Problem(str(folder), None, "", "", rule)]) from None


def _kept(folder: Path, path: int) -> KeptReplay | None:
    for item in plain_json((folder / REPLAYS).read_text(encoding="utf-8")):
        if item["path"] == path and item["label"] in LABELS:
            files = (folder / item["label"] / name for name in (_TRANSACTIONS, _EVENTS))
            facts = item["label"], item["chain"], item["ok"], not item["gas_is_lower_bound"]
            return KeptReplay(*facts, *map(pd.read_parquet, files))
    return None


def write_replay(folder: Path, replay: Replay | None, evidence: Evidence) -> None:
    """Write transactions, events, gas, contracts, roles and what was compared.

    Parameters
    ----------
    replay : Replay, optional
        None where the path failed: then nothing was compared to its end.
    """
    if replay is not None:
        write_table(folder / STEPS, replay.series)
    write_table(folder / _TRANSACTIONS, evidence.transactions)
    write_table(folder / _EVENTS, evidence.events)
    write_text(folder / GAS, evidence.gas.to_csv(index=False, lineterminator="\n"))
    write_deployment(folder, evidence.contracts, evidence.accounts, keys=False)
