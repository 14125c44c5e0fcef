"""The figures of the macro section that have a standard error, and draws within it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

from simulator.scenario.calibration import Calibration
from simulator.scenario.macro import MacroCalibration

Place = tuple[str | int, ...]


def with_macro(calibration: Calibration) -> Calibration:
    """Return the calibration with its macro section written out."""
    return calibration.model_copy(update={"macro": calibration.macro_figures})


def with_errors(macro: MacroCalibration) -> Iterator[Place]:
    """Yield where in a calibration the macro figures stand that have a standard error."""
    for place, _ in _figures(macro.model_dump(), ("macro",)):
        yield place


def draw_macro(macro: MacroCalibration, normal: Callable[[], float]) -> MacroCalibration:
    """Return the section with each figure moved within its standard error.

    Elasticities may change their sign; what must stay positive moves on its logarithm.
    """
    data = macro.model_dump()
    for place, figure in _figures(data, ()):
        value, error = figure["value"], figure["standard_error"]
        if place[0] != "elasticities" and value > 0:
            figure["value"] = value * math.exp(error / value * normal())
        else:
            figure["value"] = value + error * normal()
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
