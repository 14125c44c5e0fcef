"""Contracts of a user's own that are played in place of the packaged ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path

from simulator.chain.artifacts import Artifact, artifact_names, load_artifact, too_large
from simulator.chain.compile import compile_source
from simulator.chain.contract import interface_of
from simulator.errors import InputError, Problem, UsageError

_MOST_NAMED = 5
_SUFFIXES = (".vy", ".json")


def stand_ins(files: Sequence[Path]) -> dict[str, Artifact]:
    """Return what stands in for packaged contracts, by the name of each: the stem of its file.

    Raises
    ------
    UsageError
        There is no such file, or no contract of its name.
    InputError
        It does not compile, is no artifact, or lacks what the packaged contract has.
    ChainUnavailable
        The compiler is not installed.
    """
    found: dict[str, Artifact] = {}
    for file in files:
        _check_name(file)
        if file.stem in found:
            raise UsageError(f"--contract {file}: {file.stem} is given twice")
        found[file.stem] = _read(file)
    return found


def _check_name(file: Path) -> None:
    if not file.is_file() or file.suffix not in _SUFFIXES:
        raise UsageError(f"--contract {file}: must be a Vyper source (.vy) or an artifact (.json)")
    if file.stem not in artifact_names():
        known = ", ".join(artifact_names())
        raise UsageError(f"--contract {file}: no contract {file.stem}; must be one of {known}")


def _read(file: Path) -> Artifact:
    artifact = _compiled(file) if file.suffix == ".vy" else _stored(file)
    if rule := too_large(artifact):
        raise _fault(file, rule)
    if lacking := list(_lacking(artifact, load_artifact(file.stem))):
        more = len(lacking) - _MOST_NAMED
        rest = f", and {more} more" if more > 0 else ""
        raise _fault(file, "has no " + ", ".join(lacking[:_MOST_NAMED]) + rest)
    return artifact


def _compiled(file: Path) -> Artifact:
    try:
        return compile_source(file)
    except (ValueError, OSError) as error:
        raise _fault(file, str(error).split("\n")[0]) from None
    except import_module("vyper.exceptions").VyperException as error:
        said = " ".join(str(error).split())
        raise _fault(file, f"does not compile: {type(error).__name__}: {said}") from None


def _stored(file: Path) -> Artifact:
    try:
        return Artifact.from_json(file.read_text(encoding="utf-8"))
    except (ValueError, LookupError, TypeError) as error:
        raise _fault(file, f"is no artifact: {type(error).__name__}: {error}") from None


def _lacking(given: Artifact, packaged: Artifact) -> Iterator[str]:
    """Yield the constructor and functions that only the packaged contract has."""
    own, ours = interface_of(given), interface_of(packaged)
    if own.constructor != ours.constructor:
        yield f"__init__({','.join(ours.constructor)})"
    known = {one.signature: one.outputs for one in own.by_selector.values()}
    for one in ours.by_selector.values():
        if known.get(one.signature) != one.outputs:
            yield one.signature


def _fault(file: Path, rule: str) -> InputError:
    return InputError([Problem(str(file), None, "", "", rule)])
