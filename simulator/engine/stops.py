"""Which investors have a stop, and what the same portfolio beside bills does on the same paths."""

from __future__ import annotations

import numpy as np

from simulator.claims.mixes import StaticMix, static_mix
from simulator.engine.simulate import Simulation
from simulator.instruments.base import Unit
from simulator.scenario.claims import ClaimTerms
from simulator.scenario.investors import InvestorTerms, StopTerms
from simulator.scenario.models import Scenario

BILLS = "treasury_bills"
_RETURN: tuple[str, Unit] = ("total_return", "usd")


def static_mixes(simulation: Simulation, claim: ClaimTerms) -> tuple[StaticMix, ...]:
    """Return the comparison for each investor with a stop that a claim is about.

    Nothing of one whose portfolio without the stop, or whose Treasury bills, the scenario does
    not hold, nor where money comes or goes: a mix is bought once.
    """
    scenario = simulation.scenario
    found = []
    for name in dict.fromkeys((claim.subject, claim.against)):
        without = None if name is None else twin_without_stop(scenario, name)
        bills = _bills(simulation)
        if name is None or without is None or bills is None:
            continue
        measured = simulation.investors[name], simulation.investors[without]
        returns = [m.values[_RETURN] for m in (*measured, simulation.instruments[bills])]
        if not any(np.isnan(of).any() for of in returns):
            found.append(static_mix((name, without, bills), scenario.horizon_days, *returns))
    return tuple(found)


def twin_without_stop(scenario: Scenario, name: str) -> str | None:
    """Return the investor with the same terms but no stop; None without such, or without a stop."""
    terms = scenario.investors[name]
    stop = terms.stop_loss
    if terms.flows or (stop.holding is None and stop.portfolio is None):
        return None
    wanted = _plain(terms).model_copy(update={"stop_loss": StopTerms()})
    return next((o for o, theirs in scenario.investors.items() if _plain(theirs) == wanted), None)


def _plain(terms: InvestorTerms) -> InvestorTerms:
    """Return the terms without weights of nothing, where a stop may park what it brings."""
    held = {name: weight for name, weight in (terms.weights or {}).items() if weight > 0}
    return terms.model_copy(update={"weights": held})


def _bills(simulation: Simulation) -> str | None:
    there = simulation.scenario.positions
    return next((name for name in simulation.instruments if there[name].follows == BILLS), None)
