"""The fall of USDC in words, and what those were paid who left around it."""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING

import numpy as np

from simulator.report.rooms import on_depeg
from simulator.units import FloatArray
from simulator.words import number, percent, share

if TYPE_CHECKING:
    from simulator.engine import Simulation
    from simulator.engine.depeg import Depeg
    from simulator.scenario.stablecoin import StablecoinTerms

COLUMNS = (
    "100 dollars, put in at the start",
    "the day before",
    "that day",
    "later",
    "change",
)
TITLE = "When the digital dollar fell"

_VISIBLE = 0.001
"""A loss within a day that is worth a word; below it the others' prices move more."""


def story(simulation: Simulation) -> list[str]:
    """Return paragraphs on what fell, how deep, what came back, and what leaving cost.

    Empty where USDC is a dollar on every day of every path.
    """
    terms, found = simulation.scenario.market.stablecoin, simulation.depeg
    if terms is None or found is None or not found.fell.any():
        return []
    return [_what_fell(simulation, terms, found), _who_lost(terms, found), *on_depeg(simulation)]


def _what_fell(simulation: Simulation, terms: StablecoinTerms, found: Depeg) -> str:
    begin = "Everything on chain is paid in USDC, a digital dollar. "
    low = f"falls to {_cents(terms.low)}"
    if found.fell.all() and terms.day is not None and terms.hazard == 0.0:
        date = simulation.scenario.start + dt.timedelta(days=terms.day)
        begin += f"On {date} (day {terms.day}) it {low}, on every path. "
    else:
        begin += (
            f"On {share(float(found.fell.mean()))} of the paths it {low}, on one day or other. "
        )
    days = math.ceil(terms.recovers_days)
    later = f"{days} day{'' if days == 1 else 's'} later"
    if terms.lasting_loss == 0.0:
        return f"{begin}It is back at a dollar {later}."
    lost = f"{percent(terms.lasting_loss, 0)} of every digital dollar is lost for good."
    if math.isclose(terms.low, 1.0 - terms.lasting_loss):
        return f"{begin}Nothing of that comes back: {lost}"
    return f"{begin}It is at {_cents(1.0 - terms.lasting_loss)} {later} and stays there: {lost}"


def _who_lost(terms: StablecoinTerms, found: Depeg) -> str:
    changes = {name: _change(exits) for name, exits in found.exits.items()}
    worst = min(changes, key=lambda name: changes[name])
    if changes[worst] > -_VISIBLE:
        return "Leaving on that day costs nobody here anything that shows."
    before, during, later = (number(100 * float(x), 2) for x in _medians(found.exits[worst]))
    until = "is back" if terms.lasting_loss == 0.0 else "has found its level"
    return (
        f"Of all investors here {worst} loses most by leaving on that very day: "
        f"{percent(-changes[worst])} against the day before. Of 100 dollars put in, {during} come "
        f"out instead of {before}; who waits until USDC {until} gets {later}. Metal and its "
        "tokens, funds, shares and bank dollars do not move with USDC."
    )


def _cents(price: float) -> str:
    return f"{number(100 * price, 0 if round(100 * price, 6).is_integer() else 1)} cents"


def _medians(exits: FloatArray) -> FloatArray:
    medians: FloatArray = np.median(exits, axis=1)
    return medians


def _change(exits: FloatArray) -> float:
    """Return the median change of what leaving pays from the day before to the day."""
    there = exits[0] > 0.0
    return float(np.median(exits[1, there] / exits[0, there] - 1.0)) if there.any() else 0.0


def rows(simulation: Simulation) -> list[tuple[str, ...]]:
    """Return a row for each investor: medians over the paths on which USDC falls."""
    found = simulation.depeg
    if found is None or not found.fell.any():
        return []
    return [
        (
            name,
            *(number(100 * float(value), 2) for value in _medians(exits)),
            percent(_change(exits), signed=True),
        )
        for name, exits in found.exits.items()
    ]
