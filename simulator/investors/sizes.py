"""How large the one position is that is simulated of a product, and who decides that."""

from __future__ import annotations

from simulator.instruments.terms import Measured, Position
from simulator.scenario.investors import InvestorTerms
from simulator.scenario.models import Scenario


def size(scenario: Scenario, position: Position) -> float:
    """Return the size of a position in its unit, as `Measured` says; 1 for what has none."""
    measured = position.measured
    if measured is None:
        return 1.0
    investors = scenario.investors.values()
    held = (_amount(i, measured) for i in investors if i.holding == position.name)
    largest = max(part_usd(investor, position.name) for investor in investors)
    return next(held, None) or largest / measured.usd_per_unit or measured.stand_in


def _amount(investor: InvestorTerms, measured: Measured) -> float | None:
    return investor.ounces if measured.unit == "ounces" else investor.capital_usd


def part_usd(investor: InvestorTerms, name: str) -> float:
    """Return the dollars that a portfolio puts into a position at the start."""
    return (investor.capital_usd or 0.0) * (investor.weights or {}).get(name, 0.0)


def measurer(scenario: Scenario, name: str) -> str:
    """Return the investor who decides how large a measured position is; empty where nobody does."""
    investors = scenario.investors
    holders = (n for n, i in investors.items() if i.holding == name)
    largest = max(investors, key=lambda n: part_usd(investors[n], name))
    return next(holders, "") or (largest if part_usd(investors[largest], name) > 0.0 else "")
