"""Scenarios and calibrations: every input of a run, validated, with its origin."""

from simulator.scenario.calibration import Calibration, load_calibration
from simulator.scenario.files import (
    LoadedMarket,
    LoadedScenario,
    load_market,
    load_scenario,
    shipped_scenarios,
)
from simulator.scenario.models import MarketScenario, Scenario

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
