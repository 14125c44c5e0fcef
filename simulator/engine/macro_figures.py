"""The figures of the macro section that have a standard error, and draws within it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

from simulator.scenario.calibration import Calibration
from simulator.scenario.macro import MacroCalibration

Place = tuple[str | int, ...]
LARGEST_LOADING = 0.7
"""Half of a shock is then common: the bound of the fit too."""


def with_macro(calibration: Calibration) -> Calibration:
    """Return the calibration with its macro section written out."""
    return calibration.model_copy(update={"macro": calibration.macro_figures})


def with_errors(macro: MacroCalibration) -> Iterator[Place]:
    """Yield where in a calibration the macro figures stand that have a standard error."""
    for place, _ in _figures(macro.model_dump(), ("macro",)):
        yield place


def draw_macro(macro: MacroCalibration, normal: Callable[[], float]) -> MacroCalibration:
    """Return the section with each figure moved within its standard error.

    Elasticities and weights may change their sign; what must stay positive moves on its
    logarithm, a share up to 1.
    """
    data = macro.model_dump()
    for place, figure in _figures(data, ()):
        value, error = figure["value"], figure["standard_error"]
        if "stress_loadings" in place:
            figure["value"] = min(max(value + error * normal(), -LARGEST_LOADING), LARGEST_LOADING)
        elif place[0] == "elasticities" or value <= 0:
            figure["value"] = value + error * normal()
        else:
            figure["value"] = value * math.exp(error / value * normal())
        if place == ("event_share",):
            figure["value"] = min(figure["value"], 1.0)
    return MacroCalibration.model_validate(data)


def _figures(data: Any, place: Place) -> Iterator[tuple[Place, Any]]:
    if not isinstance(data, dict):
        return
    if "standard_error" in data:
        if data["standard_error"]:
            yield place, data
        return
    for name, inner in data.items():
        yield from _figures(inner, (*place, name))
