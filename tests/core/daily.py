"""What must hold of an instrument's days, whoever holds part of it."""

from __future__ import annotations

from simulator.instruments.base import InstrumentPaths
from simulator.instruments.checks import faults_of


def check_daily(paths: InstrumentPaths) -> None:
    """Assert the identities of `Daily`, within 1e-9 of what was put in."""
    assert paths.daily is not None, "the days were not asked for"
    assert faults_of(paths) == []
