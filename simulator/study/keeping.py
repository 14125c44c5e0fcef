"""What a replay leaves behind, as the files of a folder (`docs/run-folder.md`)."""

from __future__ import annotations

from pathlib import Path

from simulator.engine.tables import write_table
from simulator.replay import Evidence, Replay
from simulator.writer import write_text

STEPS = "steps.parquet"
GAS = "gas.csv"
CONTRACTS = "contracts.json"


def write_replay(folder: Path, replay: Replay | None, evidence: Evidence) -> None:
    """Write transactions, events, gas, contracts and what was compared.

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
    write_text(folder / CONTRACTS, evidence.contracts_text())
