"""What can be lost: one row for each investor and instrument, for terminal and HTML."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from simulator.engine.losses import SIGNIFICANT, TAILS, Losses, all_losses
from simulator.words import bound, number, percent, span, tabled

if TYPE_CHECKING:
    from simulator.engine import Simulation

TITLE = "What can be lost"
COLUMNS = ("PSL", "any loss", "VaR 95, 99", "ES 95, 99", "under water", "still")
FLAT = (
    *("PSL", "95 % interval", "any loss", "95 % interval"),
    *("VaR 95", "VaR 99", "ES 95", "ES 99", "under water", "still"),
)
"""Columns where there is room for one number in each."""
_UNITS = {"ounces": "ounces", "usd": "dollars"}


def rows(simulation: Simulation) -> list[tuple[str, ...]]:
    """Return a name and the cells of COLUMNS for each investor, then for each instrument."""
    return [tuple("\n".join(cell) for cell in _row(found)) for found in all_losses(simulation)]


def flat_rows(simulation: Simulation) -> list[tuple[str, ...]]:
    """Return the same with the cells of FLAT."""
    found = (_row(found) for found in all_losses(simulation))
    return [(" ".join(name), *(part for cell in cells for part in cell)) for name, *cells in found]


def intro(simulation: Simulation) -> str:
    """Return what the columns are, as sentences, each with its period."""
    days = f"{simulation.scenario.horizon_days:,} days"
    return (
        "PSL, the probability of a significant loss: a year costs more than "
        f"{bound(SIGNIFICANT)} of the principal. Any loss, VaR and ES are over {days}: the loss "
        "that the worst 5 % (below it 1 %) of the paths exceed, and their mean loss; negative is "
        "a gain. Under water is the median path's longest time below an earlier peak, days; "
        "still: the share of paths that are below one on the last day, and how long they will "
        "stay there is not known (unknown, where these are too many for a median)."
    )


def _row(found: Losses) -> tuple[tuple[str, ...], ...]:
    """Return the name and the columns, each as the one or two parts that it is made of."""
    days = found.under_water_days
    return (
        (found.name, f"in {_UNITS[found.unit]}"),
        _with_interval(found.significant, found.significant_interval),
        _with_interval(found.loss, found.loss_interval),
        tuple(percent(found.value_at_risk[tail]) for tail in TAILS),
        tuple(percent(found.expected_shortfall[tail]) for tail in TAILS),
        ("unknown" if math.isnan(days) else f"{number(days, 0)} days",),
        (tabled(found.under_water_open),),
    )


def _with_interval(value: float, around: tuple[float, float]) -> tuple[str, str]:
    return ("none", "") if math.isnan(value) else (tabled(value), span(*around))
