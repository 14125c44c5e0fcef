"""What a replay leaves behind, as the files of a folder (`docs/run-folder.md`)."""

from __future__ import annotations

from pathlib import Path

from simulator.engine.tables import write_table
from simulator.replay import Evidence, Replay
from simulator.replay.deployment import write_deployment
from simulator.writer import write_text

STEPS = "steps.parquet"
GAS = "gas.csv"


def write_replay(folder: Path, replay: Replay | None, evidence: Evidence) -> None:
    """Write transactions, events, gas, contracts, roles and what was compared.

    Parameters
    ----------
    replay : Replay, optional
        None where the path failed: then nothing was compared to its end.
    """
    if replay is not None:
        write_table(folder / STEPS, replay.series)
    write_table(folder / "transactions.parquet", evidence.transactions)
    write_table(folder / "events.parquet", evidence.events)
    write_text(folder / GAS, evidence.gas.to_csv(index=False, lineterminator="\n"))
    write_deployment(folder, evidence.contracts, evidence.accounts, keys=False)
