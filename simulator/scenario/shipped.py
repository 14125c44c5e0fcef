"""Where the scenarios and the calibration lie that ship with Assay."""

from __future__ import annotations

from pathlib import Path

SHIPPED = "hard-assets-2026-01"
"""The calibration that a user's file is held against, and laid over."""
OFFERS = "offers"
"""Folder of what is offered on the market, each written as a user would."""
_PACKAGE = Path(__file__).resolve().parent.parent


def shipped_folder() -> Path:
    """Return the folder of the ready scenarios: in the wheel, or in the source tree."""
    packaged = _PACKAGE / "data" / "scenarios"
    return packaged if packaged.is_dir() else _PACKAGE.parent / "scenarios"


def shipped_scenarios() -> tuple[Path, ...]:
    """Return the ready scenario files by name, then the offers as they stand on the market."""
    folder = shipped_folder()
    return (*sorted(folder.glob("*.yaml")), *sorted((folder / OFFERS).glob("*.yaml")))
