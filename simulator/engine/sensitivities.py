"""Sensitivities kept in a run's folder, one JSON file for each claim, for its report."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from simulator.engine.folder import RunFolder
from simulator.engine.sensitivity import Effect, End, Sensitivity
from simulator.errors import InputError, Problem
from simulator.plain_json import plain_json

FOLDER = "sensitivity"


def write_sensitivity(folder: RunFolder, found: Sensitivity) -> Path:
    """Write what moves a claim into a run's folder, in place of what stood there."""
    return folder.write_json(f"{FOLDER}/{found.claim}.json", asdict(found))


def read_sensitivities(run: Path, claims: tuple[str, ...]) -> tuple[Sensitivity, ...]:
    """Return what was kept of these claims, in their order.

    Raises
    ------
    InputError
        A file was changed by hand into something else.
    """
    files = (run / FOLDER / f"{claim}.json" for claim in claims)
    return tuple(_read(file) for file in files if file.is_file())


def _read(file: Path) -> Sensitivity:
    try:
        return _sensitivity(plain_json(file.read_text(encoding="utf-8")))
    except (ValueError, TypeError, KeyError) as error:
        rule = f"is no sensitivity that Assay wrote: {error}"
        raise InputError([Problem(str(file), None, "", "", rule)]) from None


def _sensitivity(data: dict[str, Any]) -> Sensitivity:
    effects = tuple(_effect(item) for item in data["effects"])
    left_out = tuple((str(name), str(reason)) for name, reason in data["left_out"])
    return Sensitivity(**{**data, "effects": effects, "left_out": left_out})


def _effect(data: dict[str, Any]) -> Effect:
    return Effect(**{**data, "low": End(**data["low"]), "high": End(**data["high"])})
