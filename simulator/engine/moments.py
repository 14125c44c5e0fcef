"""What happens on a known date: shocks, the fall of USDC, listings and ends of lock-ups, payments.

What comes by chance, as a default, has a date on each path and none here, unless a shock sets it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from simulator.engine.simulate import Simulation
from simulator.instruments.registry import page_of, working_for
from simulator.scenario.instruments import homes
from simulator.scenario.investors import InvestorTerms
from simulator.scenario.shocks import ShockTerms

_EVERYBODY = ("volatility", "correlation", "usdc", "factor", "hours", "gas")
"""Targets that are everybody's."""
_MOST_OF_A_GROUP = 2
"""Of a group of more shocks only the first is told, under the group's name."""


@dataclass(frozen=True)
class Moment:
    """A date, what happens on it, and to which asset, label or position.

    `about` is empty for everybody.
    """

    date: dt.date
    words: str
    about: str = ""


def moments(simulation: Simulation) -> tuple[Moment, ...]:
    """Return what happens within the run, in the order of the dates."""
    scenario = simulation.scenario
    last = scenario.horizon_days
    found = {
        Moment(scenario.start + dt.timedelta(days=day), words, about): None
        for day, words, about in _days(simulation)
        if 0 < day <= last
    }
    return tuple(sorted(found, key=lambda moment: moment.date))


def of_series(found: tuple[Moment, ...], *about: str) -> tuple[Moment, ...]:
    """Return the moments of these assets or labels, and everybody's."""
    return tuple(moment for moment in found if moment.about in ("", *about))


def of_investor(simulation: Simulation, found: tuple[Moment, ...], who: str) -> tuple[Moment, ...]:
    """Return the moments of what an investor holds and of what it follows, and his own payments."""
    scenario = simulation.scenario
    home = homes(scenario.instruments)
    held = scenario.investors[who].held
    follows = [scenario.positions[name].follows for name in held if name in scenario.positions]
    about = (*held, *(home.get(name, name) for name in held), *follows, who)
    return of_series(found, *about)


def _days(simulation: Simulation) -> Iterator[tuple[int, str, str]]:
    scenario = simulation.scenario
    yield from _shocks(scenario.shocks or (), scenario.start)
    usdc = scenario.market.stablecoin
    if usdc is not None and usdc.day is not None:
        yield usdc.day, "USDC falls", ""
    for label, terms in scenario.instruments.items():
        page = page_of(terms)
        if page is not None:
            with working_for(label, terms.kind):
                dates = tuple(page.dates(terms))
            yield from ((d.step, f"{label}: {d.words}", f"{label}{d.of}") for d in dates)
    for name, investor in scenario.investors.items():
        yield from _payments(name, investor)


def _shocks(shocks: tuple[ShockTerms, ...], start: dt.date) -> Iterator[tuple[int, str, str]]:
    groups: dict[str, list[ShockTerms]] = {}
    for shock in shocks:
        groups.setdefault(shock.counts_as, []).append(shock)
    for name, several in groups.items():
        alone = len(several) <= _MOST_OF_A_GROUP
        for shock in several if alone else several[:1]:
            day = shock.begins(start)
            if day is not None:
                yield day, shock.name if alone else name, _about(shock) if alone else ""


def _about(shock: ShockTerms) -> str:
    """Return the asset or label a shock is about; prices move others with them."""
    if shock.family in _EVERYBODY or (shock.family == "price" and shock.others == "follow"):
        return ""
    return shock.asset if shock.family in ("price", "feed") else shock.family


def _payments(name: str, investor: InvestorTerms) -> Iterator[tuple[int, str, str]]:
    for flow in investor.flows:
        words = "paid in" if flow.usd > 0 else "taken out"
        yield flow.first_day, f"{name}: {words}", name
