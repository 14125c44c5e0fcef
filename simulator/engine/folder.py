"""The run folder: written whole or not at all, the same bytes for the same inputs."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from simulator.claims import Verdict, as_object
from simulator.engine.simulate import Block, Simulation
from simulator.errors import UsageError
from simulator.instruments.registry import packages_of
from simulator.investors import InvestorMeasures, join
from simulator.market.calibration.write import write_calibration
from simulator.scenario.files import LoadedScenario, to_yaml

PACKAGES = ("assay-sim", "numba", "numpy", "pandas", "pyarrow", "pydantic", "scipy")
CHAIN_PACKAGES = ("eth-abi", "pyrevm", "web3")
MARKER = "manifest.json"
CALIBRATION = "calibration.yaml"
HISTORY = "history.csv"
PATHS_A_FILE = 2_048
"""Blocks are written together up to this: a file's many columns cost more than its rows."""


def run_hash(loaded: LoadedScenario, resolved: str | None = None) -> str:
    """Return the hash that names a run: of its resolved scenario, calibration and history.

    `resolved` is the scenario's text where it is there already.
    """
    text = to_yaml(loaded.scenario, loaded.provenance) if resolved is None else resolved
    digest = hashlib.sha256((text + loaded.calibration.model_dump_json()).encode())
    if loaded.scenario.market.history is not None:
        digest.update(Path(loaded.scenario.market.history).read_bytes())
    return digest.hexdigest()


def make_folder(path: Path, *, replace: bool) -> None:
    """Make an empty folder; what stands there is replaced, or is a reason to refuse.

    Raises
    ------
    UsageError
        The folder holds something already and must not be replaced, or cannot be made.
    """
    try:
        if not replace and path.exists() and any(path.iterdir()):
            what = "a run" if (path / MARKER).exists() else "other files"
            raise UsageError(f"--out {path} holds {what} already; name another folder")
        if replace and path.exists():
            shutil.rmtree(path)
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot write to {path}: {error.strerror}") from None


class RunFolder:
    """A folder that takes a run's artefacts as they come."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._waiting: list[Block] = []

    @classmethod
    def create(cls, loaded: LoadedScenario, out: Path | None) -> RunFolder:
        """Make the folder, by default `runs/<name>-<hash>`, which the same run may replace.

        Raises
        ------
        UsageError
            `out` holds a run or other files already, or cannot be made.
        """
        resolved = to_yaml(loaded.scenario, loaded.provenance)
        path = out or Path("runs") / f"{loaded.scenario.name}-{run_hash(loaded, resolved)[:8]}"
        make_folder(path, replace=out is None)
        folder = cls(path)
        folder.write_text("scenario.yaml", resolved)
        write_calibration(loaded.calibration, path / CALIBRATION)
        if loaded.scenario.market.history is not None:
            shutil.copyfile(loaded.scenario.market.history, path / HISTORY)
        return folder

    def write_text(self, name: str, text: str) -> Path:
        """Write a text file under a temporary name, then rename it."""
        target = self.path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{target.name}.tmp")
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, target)
        return target

    def _text(self, name: str) -> str:
        return (self.path / name).read_text(encoding="utf-8")

    def write_json(self, name: str, value: Any) -> Path:
        """Write JSON with sorted keys."""
        return self.write_text(name, json.dumps(value, indent=2, sort_keys=True) + "\n")

    def write_table(self, name: str, table: pd.DataFrame | pa.Table) -> Path:
        """Write a Parquet file under a temporary name, then rename it."""
        if isinstance(table, pd.DataFrame):
            table = pa.Table.from_pandas(table, preserve_index=False)
        target = self.path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{target.name}.tmp")
        # A dictionary of numbers that hardly repeat costs time and space.
        words = [field.name for field in table.schema if not pa.types.is_floating(field.type)]
        parquet.write_table(table, temporary, compression="zstd", use_dictionary=words)
        os.replace(temporary, target)
        return target

    def write_block(self, block: Block) -> None:
        """Write a block's rows, with those before it once they are enough for a file.

        A run that is interrupted leaves only whole blocks.
        """
        self._waiting.append(block)
        first, last = self._waiting[0].first_path, block.first_path + block.n_paths
        if last - first >= PATHS_A_FILE:
            self._write_waiting()

    def _write_waiting(self) -> None:
        if not self._waiting:
            return
        first, found = self._waiting[0].first_path, self._waiting
        names = found[0].investors
        joined = {name: join([block.investors[name] for block in found]) for name in names}
        self.write_table(f"blocks/{first:09d}.parquet", path_table(joined, first))
        self._waiting = []

    def write_results(self, simulation: Simulation, verdicts: tuple[Verdict, ...]) -> None:
        """Write what blocks are left, paths, daily quantiles and verdicts."""
        self._write_waiting()
        self.write_table("paths.parquet", path_table(simulation.investors, 0))
        self.write_table("daily.parquet", simulation.daily)
        self.write_json("verdicts.json", [as_object(verdict) for verdict in verdicts])

    def write_manifest(
        self,
        loaded: LoadedScenario,
        simulation: Simulation,
        bytecode: Mapping[str, str],
        chains: Mapping[str, str],
    ) -> None:
        """Write what the run depended on.

        Parameters
        ----------
        bytecode : dict of contract name to source hash
        chains : dict of chain name to client version, of the replays
        """
        outside = packages_of(loaded.scenario.instruments)
        packages = (*PACKAGES, *outside, *(CHAIN_PACKAGES if chains else ()))
        history = simulation.spec.history
        resampled = (
            {
                "file": history.file,
                "sha256": history.sha256,
                "frequency": str(history.kind),
                "mean_block": history.mean_block,
            }
            if history is not None
            else None
        )
        self.write_json(
            MARKER,
            {
                "scenario": loaded.scenario.name,
                "seed": loaded.scenario.seed,
                "paths": loaded.scenario.paths,
                "steps": loaded.scenario.horizon_days,
                "run_hash": run_hash(loaded, self._text("scenario.yaml")),
                "calibration": loaded.calibration.name,
                "calibration_sha256": _digest(loaded.calibration.model_dump_json()),
                **({} if resampled is None else {"history": resampled}),
                "checksum": simulation.checksum,
                "bytecode": dict(bytecode),
                "chains": dict(chains),
                "packages": {name: _version(name) for name in packages},
            },
        )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def path_table(investors: Mapping[str, InvestorMeasures], first_path: int) -> pa.Table:
    """Return one row for each path and investor: measures, finals, attribution.

    Columns are path, investor, holding, then `<measure>.<unit>`, `initial.<unit>`,
    `final.<unit>`, events, unpaid, organic_share and `<source>.<unit>`; null where an investor
    has no such measure or source.
    """
    columns = [_columns(name, of, first_path) for name, of in investors.items()]
    everywhere = dict.fromkeys(name for of in columns for name in of)
    tables = []
    for own in columns:
        # One column of nulls for all that an investor lacks: most of the table is that.
        nulls = pa.nulls(len(own["path"]), pa.float64())
        tables.append(pa.table({name: own.get(name, nulls) for name in everywhere}))
    return pa.concat_tables(tables)


def _columns(name: str, of: InvestorMeasures, first_path: int) -> dict[str, Any]:
    n_paths = of.events.shape[0]
    columns: dict[str, Any] = {
        "path": np.arange(first_path, first_path + n_paths),
        "investor": pa.repeat(name, n_paths),
        "holding": pa.repeat(of.holding, n_paths),
    }
    columns |= {f"{m}.{unit}": values for (m, unit), values in of.values.items()}
    for unit in of.units:
        columns[f"initial.{unit}"] = of.initial[unit]
        columns[f"final.{unit}"] = of.final[unit]
        for source, amounts in zip(of.sources, of.attribution[unit], strict=True):
            columns[f"{source.name}.{unit}"] = amounts
    rest = {"events": of.events, "unpaid": of.unpaid, "organic_share": of.organic_share}
    return columns | rest
