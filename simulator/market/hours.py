"""On which days the exchange is open: its calendar, less the days on which a shock closes it."""

from __future__ import annotations

from simulator.scenario.models import MarketScenario
from simulator.scenario.shock_targets import HOURS
from simulator.units import BoolArray, trading_days


def exchange_days(scenario: MarketScenario) -> BoolArray:
    """Return whether metals and equities trade on a step, shape (n_steps + 1,)."""
    found = trading_days(scenario.start, scenario.horizon_days)
    for shock in scenario.shocks or ():
        first = shock.begins(scenario.start)
        if shock.target == HOURS and shock.share > 0.0 and first is not None:
            found[first : first + (shock.plateau_days or 0)] = False
    return found
