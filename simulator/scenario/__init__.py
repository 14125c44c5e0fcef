"""Scenarios and calibrations: every input of a run, validated, with its origin.

The names below load on first use: the list of the ready scenarios needs no numpy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulator.scenario.calibration import Calibration, load_calibration
    from simulator.scenario.files import (
        LoadedMarket,
        LoadedScenario,
        load_market,
        load_scenario,
    )
    from simulator.scenario.models import MarketScenario, Scenario
    from simulator.scenario.shipped import shipped_scenarios

__all__ = [
    "Calibration",
    "LoadedMarket",
    "LoadedScenario",
    "MarketScenario",
    "Scenario",
    "load_calibration",
    "load_market",
    "load_scenario",
    "shipped_scenarios",
]

_HOMES = {
    "calibration": ("Calibration", "load_calibration"),
    "files": ("LoadedMarket", "LoadedScenario", "load_market", "load_scenario"),
    "models": ("MarketScenario", "Scenario"),
    "shipped": ("shipped_scenarios",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = found
    return found
