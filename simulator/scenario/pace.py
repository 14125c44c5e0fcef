"""How fast the real rate has ever moved, and when a view of it therefore arrives."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping

import numpy as np

from simulator.scenario.calibration import Calibration
from simulator.scenario.macro_types import PositiveFigure
from simulator.scenario.models import MarketScenario
from simulator.scenario.views import Views
from simulator.units import FloatArray

_WINDOW = (dt.date(2003, 1, 2), dt.date(2026, 1, 20))


def _move(value: float) -> PositiveFigure:
    return PositiveFigure(
        value=value,
        unit="1 (0.01 = one point)",
        mark="observed",
        source="US Federal Reserve, 10-year TIPS, daily",
        window=_WINDOW,
    )


LARGEST_FALLS: Mapping[int, PositiveFigure] = {
    90: _move(0.0148),
    365: _move(0.0195),
    730: _move(0.0265),
}
"""By days: the most that the 10-year real rate fell in so many; it ended on 2009-02-20,
2009-11-23 and 2010-11-01."""
LARGEST_RISES: Mapping[int, PositiveFigure] = {
    90: _move(0.0157),
    365: _move(0.0287),
    730: _move(0.0354),
}
"""The same of rises; it ended on 2008-10-13, 2022-11-09 and 2023-10-25."""


def largest_move(moves: Mapping[int, PositiveFigure], days: FloatArray) -> FloatArray:
    """Return the most that the rate moved in so many days, as a fraction, of the shape of `days`.

    Straight between the stated days, and beyond the last at its average pace.
    """
    known, sizes = _table(moves)
    within = np.interp(days, known, sizes)
    found: FloatArray = within + np.maximum(days - known[-1], 0.0) * sizes[-1] / known[-1]
    return found


def arrival_day(views: Views, start: float) -> int:
    """Return the day on which a view of the real rate is reached from `start`.

    That is day `ramp_days`, or the first one on which so large a move has ever been.
    """
    assert views.real_rate is not None
    if views.rate_pace == "any":
        return views.ramp_days
    size = abs(views.real_rate - start)
    known, sizes = _table(_moves(views.real_rate, start))
    days = float(np.interp(size, sizes, known)) * max(1.0, size / float(sizes[-1]))
    # A move of exactly the largest size has been; a rounding error beyond it is none.
    return max(views.ramp_days, math.ceil(days - 1e-6))


def _table(moves: Mapping[int, PositiveFigure]) -> tuple[FloatArray, FloatArray]:
    """Return the stated days and moves from 0 on, each of shape (n_stated + 1,)."""
    sizes = [0.0, *(move.value for move in moves.values())]
    return np.array([0.0, *moves]), np.array(sizes)


def _moves(target: float, start: float) -> Mapping[int, PositiveFigure]:
    return LARGEST_FALLS if target < start else LARGEST_RISES


def late_view(scenario: MarketScenario, calibration: Calibration) -> str:
    """Return in words why a view of the real rate arrives after `ramp_days`, empty where not."""
    views = scenario.market.views
    if views is None or views.real_rate is None:
        return ""
    start = calibration.macro_figures.real_rate.start.value
    day = arrival_day(views, start)
    if day <= views.ramp_days:
        return ""
    moves = _moves(views.real_rate, start)
    fell, fall = ("fell", "fall") if moves is LARGEST_FALLS else ("rose", "rise")
    size = f"{100 * abs(views.real_rate - start):.2f} points"
    history = ", ".join(f"{100 * m.value:.2f} in {days:,}" for days, m in moves.items())
    return (
        f"the real rate would have to {fall} by {size} in {views.ramp_days:,} days; since "
        f"{_WINDOW[0].year} it {fell} by at most {history} days, so it arrives on day {day:,}"
        f"{_on_the_last_day(views.real_rate, start, day, scenario)}"
    )


def _on_the_last_day(target: float, start: float, day: int, scenario: MarketScenario) -> str:
    last = scenario.horizon_days
    if day <= last:
        return ""
    moves = _moves(target, start)
    size = float(largest_move(moves, np.array([last]))[0])
    there = start + math.copysign(size, target - start)
    return f", and is expected at {100 * there:.2f} % on day {last:,}, the last"
