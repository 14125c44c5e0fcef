"""Price targets against the prices a run starts from: what they need, what is met already."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from simulator.scenario.calibration import Calibration
from simulator.scenario.models import MarketScenario
from simulator.scenario.views import RATIO, Target
from simulator.schema.fields import Fault
from simulator.units import DAYS_PER_YEAR

LARGEST_DRIFT = 2.0
"""A target must not need more growth a year than this, up or down; 2 = 200 %."""


@dataclass(frozen=True)
class Need:
    """A target, where it starts from, and the growth it needs.

    Attributes
    ----------
    name : str
        The asset, or the ratio.
    start, level : float
        What it starts from, and what is to be reached.
    days : int
        From the start to the target's day.
    """

    name: str
    target: Target
    start: float
    level: float
    days: int

    @property
    def is_met(self) -> bool:
        """Return whether it starts there."""
        return self.target.is_met(self.start)

    @property
    def growth(self) -> float:
        """Return the log growth a year that leads from start to level."""
        return math.log(self.level / self.start) / self.days * DAYS_PER_YEAR

    @property
    def words(self) -> str:
        """Return the target as a reader says it."""
        way = "at least" if self.target.at_least is not None else "at most"
        name = "gold-silver ratio" if self.name == RATIO else self.name.replace("_", " ")
        return f"{name} {way} {self.level:,.6g}"


def needs(scenario: MarketScenario, calibration: Calibration) -> Iterator[Need]:
    """Yield the targets of a scenario whose days lie behind the start."""
    for name, target in scenario.market.targets.items():
        days = _days(scenario, target)
        if days >= 1:
            start = _start(scenario, calibration, name)
            yield Need(name, target, start, target.level(start), days)


def target_faults(scenario: MarketScenario, calibration: Calibration) -> list[Fault]:
    """Return the targets that no run may have, as seen from the scenario."""
    place = ("market", "views", "targets")
    faults: list[Fault] = [
        ((*place, name, "by"), f"{target.by}", f"must be after the start, {scenario.start}")
        for name, target in scenario.market.targets.items()
        if _days(scenario, target) < 1
    ]
    for need in needs(scenario, calibration):
        if not need.is_met and abs(need.growth) > LARGEST_DRIFT:
            rule = (
                f"needs a drift of {need.growth:+.0%} a year, from {need.start:,.6g} in "
                f"{need.days} days; must be within 200 %"
            )
            faults.append(((*place, need.name), f"{need.level:,.6g}", rule))
    return faults


def target_notes(scenario: MarketScenario, calibration: Calibration) -> tuple[str, ...]:
    """Return what each target means from here, in a sentence."""
    found = []
    for need in needs(scenario, calibration):
        if need.is_met:
            found.append(
                f"{need.words}: met already, it starts at {need.start:,.6g}; nothing is added"
            )
        else:
            base = _base(scenario, need.name)
            found.append(
                f"{need.words} in {need.days} days: the expectation grows by {need.growth:+.1%} a "
                f"year from {need.start:,.6g}{base}"
            )
    return tuple(found)


def _base(scenario: MarketScenario, name: str) -> str:
    if name == RATIO:
        return "; silver moves, gold does not"
    drift = scenario.market.asset(name).drift
    return f", in place of the base drift of {drift:+.1%}"


def _days(scenario: MarketScenario, target: Target) -> int:
    return scenario.horizon_days if target.by is None else (target.by - scenario.start).days


def _start(scenario: MarketScenario, calibration: Calibration, name: str) -> float:
    if name == RATIO:
        gold, silver = (_start(scenario, calibration, metal) for metal in ("gold", "silver"))
        return gold / silver
    price = scenario.market.asset(name).price
    return price or calibration.assets[name].price.value
