"""Scenarios and calibrations: every input of a run, validated, with its origin."""

from simulator.scenario.calibration import Calibration, load_calibration
from simulator.scenario.files import LoadedScenario, load_scenario, shipped_scenarios
from simulator.scenario.models import Scenario

__all__ = [
    "Calibration",
    "LoadedScenario",
    "Scenario",
    "load_calibration",
    "load_scenario",
    "shipped_scenarios",
]
