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

from simulator.claims import Verdict, as_object
from simulator.engine.simulate import Block, Simulation
from simulator.errors import UsageError
from simulator.investors import InvestorMeasures
from simulator.market.calibration.write import write_calibration
from simulator.scenario.files import LoadedScenario, to_yaml

PACKAGES = ("assay-sim", "numba", "numpy", "pandas", "pyarrow", "pydantic", "scipy")
CHAIN_PACKAGES = ("eth-abi", "pyrevm", "web3")
MARKER = "manifest.json"
CALIBRATION = "calibration.yaml"
HISTORY = "history.csv"


def run_hash(loaded: LoadedScenario) -> str:
    """Return the hash that names a run: of its resolved scenario, calibration and history."""
    text = to_yaml(loaded.scenario, loaded.provenance) + loaded.calibration.model_dump_json()
    digest = hashlib.sha256(text.encode())
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

    @classmethod
    def create(cls, loaded: LoadedScenario, out: Path | None) -> RunFolder:
        """Make the folder, by default `runs/<name>-<hash>`, which the same run may replace.

        Raises
        ------
        UsageError
            `out` holds a run or other files already, or cannot be made.
        """
        path = out or Path("runs") / f"{loaded.scenario.name}-{run_hash(loaded)[:8]}"
        make_folder(path, replace=out is None)
        folder = cls(path)
        folder.write_text("scenario.yaml", to_yaml(loaded.scenario, loaded.provenance))
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

    def write_json(self, name: str, value: Any) -> Path:
        """Write JSON with sorted keys."""
        return self.write_text(name, json.dumps(value, indent=2, sort_keys=True) + "\n")

    def write_table(self, name: str, table: pd.DataFrame) -> Path:
        """Write a Parquet file under a temporary name, then rename it."""
        target = self.path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{target.name}.tmp")
        table.to_parquet(temporary, index=False, compression="zstd")
        os.replace(temporary, target)
        return target

    def write_block(self, block: Block) -> None:
        """Write a block's rows; a run that is interrupted leaves only whole blocks."""
        table = path_table(block.investors, block.first_path)
        self.write_table(f"blocks/{block.first_path:09d}.parquet", table)

    def write_results(self, simulation: Simulation, verdicts: tuple[Verdict, ...]) -> None:
        """Write paths, daily quantiles and verdicts."""
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
        packages = (*PACKAGES, *(CHAIN_PACKAGES if chains else ()))
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
                "run_hash": run_hash(loaded),
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


def path_table(investors: Mapping[str, InvestorMeasures], first_path: int) -> pd.DataFrame:
    """Return one row for each path and investor: measures, finals, attribution.

    Columns are path, investor, holding, then `<measure>.<unit>`, `initial.<unit>`,
    `final.<unit>`, events, unpaid, organic_share and `<source>.<unit>`.
    """
    tables = []
    for name, measures in investors.items():
        n_paths = measures.events.shape[0]
        columns: dict[str, Any] = {
            "path": np.arange(first_path, first_path + n_paths),
            "investor": name,
            "holding": measures.holding,
        }
        columns |= {f"{m}.{unit}": values for (m, unit), values in measures.values.items()}
        for unit in measures.units:
            columns[f"initial.{unit}"] = measures.initial[unit]
            columns[f"final.{unit}"] = measures.final[unit]
            for source, amounts in zip(measures.sources, measures.attribution[unit], strict=True):
                columns[f"{source.name}.{unit}"] = amounts
        columns |= {
            "events": measures.events,
            "unpaid": measures.unpaid,
            "organic_share": measures.organic_share,
        }
        tables.append(pd.DataFrame(columns))
    return pd.concat(tables, ignore_index=True)
