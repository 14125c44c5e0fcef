"""The run folder: written whole or not at all, the same bytes for the same inputs.

It is empty, begun, or finished. `progress/` is there until the end: `begun.json` says which run
it is, a note beside it for each chunk which of them are whole, `paths.json` that all are. The
manifest is written last; with it the run is finished.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from simulator.claims import Verdict, as_object
from simulator.engine import progress_files
from simulator.engine.chunk_files import LAYOUT
from simulator.engine.chunks import CHUNK_PATHS
from simulator.engine.lock import NAME as LOCK
from simulator.engine.lock import FolderLock
from simulator.engine.progress_files import Shares
from simulator.engine.simulate import Simulation
from simulator.engine.tables import write_table
from simulator.errors import UsageError
from simulator.instruments.registry import packages_of
from simulator.market.calibration.write import to_yaml as calibration_text
from simulator.plain_json import plain_json
from simulator.scenario.files import LoadedScenario, to_yaml
from simulator.writer import file_hash, refusal, write_bytes, write_json, write_text

PACKAGES = ("assay-sim", "numba", "numpy", "pandas", "pyarrow", "pydantic", "scipy")
CHAIN_PACKAGES = ("eth-abi", "pyrevm", "web3")
MARKER = "manifest.json"
SCENARIO = "scenario.yaml"
CALIBRATION = "calibration.yaml"
HISTORY = "history.csv"
DAILY = "daily.parquet"
ALLOCATION = "allocation.parquet"
"""Mean shares of portfolios by day; only where there are some."""
_BEGUN = f"{progress_files.FOLDER}/begun.json"
_PATHS = f"{progress_files.FOLDER}/paths.json"


def run_hash(loaded: LoadedScenario, resolved: str | None = None) -> str:
    """Return the hash that names a run: of its resolved scenario, calibration and history.

    `resolved` is the scenario's text where it is there already.
    """
    text = to_yaml(loaded.scenario, loaded.provenance) if resolved is None else resolved
    digest = hashlib.sha256((text + loaded.calibration.model_dump_json()).encode())
    if loaded.scenario.market.history is not None:
        digest.update(Path(loaded.scenario.market.history).read_bytes())
    return digest.hexdigest()


def default_path(loaded: LoadedScenario, resolved: str | None = None) -> Path:
    """Return where a run goes that names no folder; `resolved` as in `run_hash`."""
    return Path("runs") / f"{loaded.scenario.name}-{run_hash(loaded, resolved)[:8]}"


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
        raise refusal(path, error) from None


def chunks_written(folder: Path) -> tuple[int, int]:
    """Return how many chunks of an unfinished run are written, and how many there will be.

    The latter is 0 where its folder does not say yet, or is not a run's.
    """
    try:
        paths = int(plain_json((folder / _BEGUN).read_text(encoding="utf-8"))["paths"])
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        return 0, 0
    notes = (folder / progress_files.FOLDER).glob("[0-9]*.parquet")
    return sum(1 for _ in notes), -(-paths // CHUNK_PATHS)


@dataclass(frozen=True)
class PathsDone:
    """That all paths of a run are there: its checksum, and the SHA-256 of the files.

    `files` are the chunks', the daily quantiles' and the allocations', and what they were made of.
    """

    checksum: str
    files: Mapping[str, str]


class RunFolder:
    """A folder that takes a run's artefacts as they come."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = FolderLock(path)

    @classmethod
    def claim(
        cls,
        loaded: LoadedScenario,
        out: Path | None,
        *,
        fresh: bool = False,
        resolved: str | None = None,
    ) -> RunFolder:
        """Take a folder for a run, by default `runs/<name>-<hash>`: empty, or this run's own.

        Parameters
        ----------
        fresh : bool
            Whether a run that stands there is thrown away.
        resolved : str, optional
            The scenario's text, where another run's is to be kept to the letter.

        Raises
        ------
        UsageError
            It holds other files, another run, or this one of another version; another process
            is at work there; it cannot be made.
        """
        resolved = resolved or to_yaml(loaded.scenario, loaded.provenance)
        path = out or default_path(loaded, resolved)
        folder = cls(path)
        try:
            path.mkdir(parents=True, exist_ok=True)
            folder._refuse_strangers()
        except OSError as error:
            raise refusal(path, error) from None
        folder._lock.take()
        try:
            folder._begin(loaded, resolved, fresh)
        except BaseException:
            folder.release()
            raise
        return folder

    def release(self) -> None:
        """Let others into the folder."""
        self._lock.release()

    def _begin(self, loaded: LoadedScenario, resolved: str, fresh: bool) -> None:
        self._refuse_strangers()
        if fresh:
            self._empty()
        elif self._is_run():
            self._check_same(_identity(loaded, resolved), resolved)
            self._drop_stages()
        if self.manifest() is not None:
            return
        self.write_json(_BEGUN, _identity(loaded, resolved))
        self.write_text(SCENARIO, resolved)
        self.write_text(CALIBRATION, calibration_text(loaded.calibration))
        if loaded.scenario.market.history is not None:
            table = Path(loaded.scenario.market.history).read_bytes()
            write_bytes(self.path / HISTORY, table)

    def _drop_stages(self) -> None:
        """Remove what follows from the paths: other options would leave some of it behind."""
        for file in self.path.rglob("*"):
            name = file.relative_to(self.path).as_posix()
            kept = _of_paths(name) or name.startswith(progress_files.FOLDER)
            if file.is_file() and not kept and name not in (MARKER, HISTORY, LOCK):
                file.unlink()

    def _refuse_strangers(self) -> None:
        """Raise UsageError where the folder holds what Assay did not make, and no run."""
        there = any(not _is_scratch(item) for item in self.path.iterdir())
        if there and not self._is_run():
            raise UsageError(f"--out {self.path} holds other files already; name another folder")

    def _is_run(self) -> bool:
        """Return whether a run was begun here: only what Assay made is ever thrown away."""
        if (self.path / _BEGUN).is_file():
            return True
        try:
            found = plain_json(self._text(MARKER))
            return isinstance(found, dict) and "run_hash" in found
        except (OSError, ValueError):
            return False

    def _empty(self) -> None:
        for item in self.path.iterdir():
            if item.is_dir():
                shutil.rmtree(item)
            elif item.name != LOCK:
                item.unlink()

    def check_same(self, loaded: LoadedScenario) -> None:
        """Refuse a folder of another run, or of another version, with what differs.

        Raises
        ------
        UsageError
        """
        resolved = to_yaml(loaded.scenario, loaded.provenance)
        self._check_same(_identity(loaded, resolved), resolved)

    def _check_same(self, ours: Mapping[str, Any], resolved: str) -> None:
        theirs = self.manifest() or self._json(_BEGUN)
        differs = [
            f"{name} {there} there, {here} here"
            for name, there, here in _different(theirs, ours)
            if name != "run_hash"
        ]
        if not differs and theirs.get("run_hash") != ours["run_hash"]:
            there = self._text(SCENARIO) if (self.path / SCENARIO).is_file() else ""
            differs.append(_first_difference(there, resolved))
        if differs:
            said = "; ".join(differs[:4])
            raise UsageError(
                f"{self.path} holds another run: {said}; name another folder, or give --fresh"
            )

    def manifest(self) -> dict[str, Any] | None:
        """Return the manifest of a finished run, else None."""
        return self._json(MARKER) if self._is_run() and (self.path / MARKER).is_file() else None

    def paths_done(self) -> PathsDone | None:
        """Return what all paths came to, where all of them are there."""
        manifest = self.manifest()
        if manifest is not None:
            known = manifest.get("files", {})
            files = {name: found for name, found in known.items() if _of_paths(name)}
            return PathsDone(manifest["checksum"], files)
        if (self.path / _PATHS).is_file():
            known = self._json(_PATHS)
            return PathsDone(known["checksum"], known["files"])
        return None

    def broken(self) -> list[str]:
        """Return the files of a finished run that are not what was written."""
        return changed_files(self.path, (self.manifest() or {}).get("files", {}))

    def forget_paths(self) -> None:
        """Let the paths count as not simulated: what is of all of them is not what was written."""
        (self.path / _PATHS).unlink(missing_ok=True)

    def reopen(self) -> None:
        """Make a finished run an unfinished one whose paths are there: the rest is made anew."""
        done, manifest = self.paths_done(), self.manifest()
        if done is None or manifest is None:
            return
        self.write_json(_BEGUN, {name: manifest[name] for name in _IDENTITY})
        self.write_json(_PATHS, {"checksum": done.checksum, "files": dict(done.files)})
        (self.path / MARKER).unlink()

    def write_days(self, daily: pd.DataFrame, shares: Shares) -> None:
        """Write what is of all paths together, day by day."""
        self.write_table(DAILY, daily)
        if shares:
            self.write_table(ALLOCATION, share_table(daily["date"], shares))

    def finish_paths(self, checksum: str, chunks: Mapping[str, str]) -> None:
        """Note that all paths are there; the chunks' own notes are not needed any more."""
        names = (SCENARIO, CALIBRATION, DAILY, ALLOCATION)
        own = [name for name in names if (self.path / name).is_file()]
        files = dict(chunks) | {name: file_hash(self.path / name) for name in own}
        self.write_json(_PATHS, {"checksum": checksum, "files": files})
        for note in (self.path / progress_files.FOLDER).glob("*.parquet"):
            note.unlink()
        self._drop_scratch()

    def _drop_scratch(self) -> None:
        """Remove what processes left that were ended while they wrote."""
        for file in self.path.rglob(".*.tmp"):
            file.unlink(missing_ok=True)

    def write_text(self, name: str, text: str) -> Path:
        """Write a text file."""
        return write_text(self.path / name, text)

    def _text(self, name: str) -> str:
        return (self.path / name).read_text(encoding="utf-8")

    def _json(self, name: str) -> dict[str, Any]:
        try:
            found: dict[str, Any] = plain_json(self._text(name))
        except (OSError, ValueError) as error:
            raise UsageError(f"{self.path / name} cannot be read: {error}; give --fresh") from None
        return found

    def write_json(self, name: str, value: Any) -> Path:
        """Write JSON with sorted keys."""
        return write_json(self.path / name, value)

    def write_table(self, name: str, table: pd.DataFrame | pa.Table) -> Path:
        """Write a Parquet file."""
        return write_table(self.path / name, table)

    def write_verdicts(self, verdicts: tuple[Verdict, ...]) -> None:
        """Write the verdicts."""
        self.write_json("verdicts.json", [as_object(verdict) for verdict in verdicts])

    def write_report(self, page: str) -> Path:
        """Write the report; a finished run's manifest knows it by its hash."""
        target = self.write_text("report.html", page)
        manifest = self.manifest()
        if manifest is not None:
            manifest["files"]["report.html"] = file_hash(target)
            self.write_json(MARKER, manifest)
        return target

    def write_manifest(
        self,
        loaded: LoadedScenario,
        simulation: Simulation,
        bytecode: Mapping[str, str],
        chains: Mapping[str, str],
        options: Mapping[str, Any],
    ) -> None:
        """Write what the run depended on and the hash of all that it wrote: it is finished.

        Parameters
        ----------
        bytecode : dict of contract name to source hash
        chains : dict of chain name to client version, of the replays
        options : dict
            What the command line asked for that is no part of the scenario.
        """
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
        more = {name: _version(name) for name in (CHAIN_PACKAGES if chains else ())}
        shutil.rmtree(self.path / progress_files.FOLDER, ignore_errors=True)
        self._drop_scratch()
        self.write_json(
            MARKER,
            {
                **_identity(loaded, self._text(SCENARIO)),
                "calibration": loaded.calibration.name,
                "calibration_sha256": _digest(loaded.calibration.model_dump_json()),
                **({} if resampled is None else {"history": resampled}),
                "checksum": simulation.checksum,
                "bytecode": dict(bytecode),
                "chains": dict(chains),
                "chain_packages": more,
                "options": dict(options),
                "files": dict(self._hashes()),
            },
        )

    def _hashes(self) -> Iterator[tuple[str, str]]:
        """Yield the name and the SHA-256 of every file, in the order of the names."""
        for file in sorted(self.path.rglob("*")):
            if file.is_file() and not _is_scratch(file):
                yield file.relative_to(self.path).as_posix(), file_hash(file)


_IDENTITY = (
    "scenario", "seed", "paths", "steps", "run_hash", "chunk_paths", "layout", "packages",
)  # fmt: skip
"""What a manifest and the note of a run that is begun both say."""


def _identity(loaded: LoadedScenario, resolved: str) -> dict[str, Any]:
    """Return what must be the same for two runs to be one, as JSON has it."""
    scenario = loaded.scenario
    packages = (*PACKAGES, *packages_of(scenario.instruments))
    return {
        "scenario": scenario.name,
        "seed": scenario.seed,
        "paths": scenario.paths,
        "steps": scenario.horizon_days,
        "run_hash": run_hash(loaded, resolved),
        "chunk_paths": CHUNK_PATHS,
        "layout": LAYOUT,
        "packages": versions(packages),
    }


def _different(
    theirs: Mapping[str, Any], ours: Mapping[str, Any]
) -> Iterator[tuple[str, Any, Any]]:
    for name, here in ours.items():
        there = theirs.get(name, "unknown")
        if isinstance(here, Mapping) and isinstance(there, Mapping):
            both = dict.fromkeys((*there, *here))
            yield from (
                (part, there.get(part, "none"), here.get(part, "none"))
                for part in both
                if there.get(part) != here.get(part)
            )
        elif there != here:
            yield name, there, here


def _first_difference(theirs: str, ours: str) -> str:
    """Return the first line in which two scenarios differ, or that it is not in their text."""
    pairs = zip(theirs.splitlines(), ours.splitlines(), strict=False)
    for number, (there, here) in enumerate(pairs, start=1):
        if there != here:
            return f"line {number} of its scenario is `{there.strip()}`, here `{here.strip()}`"
    return "its scenario, calibration or history is another one"


def _of_paths(name: str) -> bool:
    return name.startswith("paths/") or name in (SCENARIO, CALIBRATION, DAILY, ALLOCATION)


def _is_scratch(file: Path) -> bool:
    """Return whether a file is of no run: a lock, or what a process that was ended left."""
    return file.name == LOCK or (file.name.startswith(".") and file.name.endswith(".tmp"))


def share_table(dates: pd.Series[Any], shares: Shares) -> pd.DataFrame:
    """Return portfolios' mean shares: columns date, investor, holding, share."""
    days = pd.DatetimeIndex(dates.unique())
    parts = [
        pd.DataFrame({"date": days, "investor": name, "holding": holding, "share": values})
        for name, own in shares.items()
        for holding, values in own.items()
    ]
    return pd.concat(parts, ignore_index=True)


def read_shares(file: Path) -> dict[str, dict[str, Any]]:
    """Return what `share_table` was made of; nothing where there is no such file."""
    if not file.is_file():
        return {}
    found: dict[str, dict[str, Any]] = {}
    table = pd.read_parquet(file)
    for (name, holding), rows in table.groupby(["investor", "holding"], sort=False):
        found.setdefault(str(name), {})[str(holding)] = rows["share"].to_numpy()
    return found


def changed_files(folder: Path, files: Mapping[str, str]) -> list[str]:
    """Return the names of files whose SHA-256 is not the known one, or that cannot be read."""
    return [name for name, known in files.items() if _hash_of(folder / name) != known]


def _hash_of(file: Path) -> str:
    """Return a file's SHA-256; empty where it cannot be read."""
    try:
        return file_hash(file)
    except OSError:
        return ""


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def versions(names: Iterable[str]) -> dict[str, str]:
    """Return the installed version of each package."""
    return {name: _version(name) for name in names}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
