"""`assay reproduce`: a run again, beside the first one, file by file."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from simulator.cli.progress import Reporter
from simulator.cli.replaying import ChainChoice
from simulator.cli.run import Choices, perform
from simulator.engine.difference import first_difference
from simulator.engine.folder import MARKER, SCENARIO, RunFolder, versions
from simulator.engine.sources import is_finished, load_source
from simulator.errors import ReconciliationFailed, UsageError
from simulator.writer import refusal

_OF_THE_REST = ("chains", "chain_packages", "bytecode", "calibration_sha256", "checksum")
"""What the manifests of two runs must agree on beside the files."""


def reproduce(run: str, workers: int | None) -> None:
    """Do what `assay reproduce` is asked for, as its own module in `commands` says."""
    folder = RunFolder(Path(run))
    manifest = folder.manifest() if is_finished(run) else None
    if manifest is None or "files" not in manifest:
        raise UsageError(f"{run} is no finished run of this version: it has no {MARKER} with files")
    changed = [name for name in folder.broken() if (folder.path / name).is_file()]
    for name in folder.broken():
        what = "is not what the run wrote" if name in changed else "is missing"
        click.echo(f"{run}/{name} {what}", err=True)
    for line in _versions(manifest):
        click.echo(line, err=True)
    try:
        with tempfile.TemporaryDirectory(prefix=".reproduce-", dir=folder.path.parent) as place:
            again = _again(run, manifest, Path(place) / "run", workers)
            differences = list(_differences(folder.path, again, manifest))
    except OSError as error:
        raise refusal(folder.path.parent, error) from None
    if differences:
        for line in differences:
            click.echo(line)
        raise ReconciliationFailed(f"{run} is not reproduced: {len(differences)} differences")
    click.echo(f"same bytes: {len(manifest['files'])} files")


def _versions(manifest: Mapping[str, Any]) -> Iterator[str]:
    """Yield the packages that are others than those of the run."""
    now = versions(manifest["packages"])
    for name, then in manifest["packages"].items():
        if now[name] != then:
            yield f"{name} was {then}, is {now[name]}"


def _again(run: str, manifest: Mapping[str, Any], place: Path, workers: int | None) -> Path:
    """Make the run anew in a folder of its own, and return that."""
    options = manifest["options"]
    chains = list(manifest["chains"])
    kind = chains[0] if chains and chains[0] in ("anvil", "revm") else None
    choices = Choices(
        out=place,
        fresh=False,
        workers=workers,
        parameter_sets=options["parameter_sets"],
        assumption_sets=options["assumption_sets"],
        engine=options.get("engine", "model"),
        chain=None if options["replay"] is None else ChainChoice(kind, None, None),
        resolved=(Path(run) / SCENARIO).read_text(encoding="utf-8"),
    )
    return perform(load_source(run), choices, options, Reporter(quiet=False)).folder


def _differences(first: Path, second: Path, manifest: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is not the same: files with where they begin to differ, then other facts."""
    other = RunFolder(second).manifest() or {}
    theirs = other.get("files", {})
    for name, known in manifest["files"].items():
        if theirs.get(name) == known:
            continue
        if name not in theirs:
            yield f"{name}: is not there"
        else:
            yield f"{name}: {first_difference(first / name, second / name)}"
    yield from (f"{name}: is new" for name in theirs if name not in manifest["files"])
    for name in _OF_THE_REST:
        if manifest.get(name) != other.get(name):
            yield f"{name}: {manifest.get(name)} was, {other.get(name)} is"
