"""What can be lost: one row for each investor and instrument, for terminal and HTML."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from simulator.engine.losses import SIGNIFICANT, TAILS, Losses, all_losses
from simulator.words import bound, interval, number, percent, share

if TYPE_CHECKING:
    from simulator.engine import Simulation

TITLE = "What can be lost"
COLUMNS = ("PSL", "any loss", "VaR 95, 99", "ES 95, 99", "under water", "still")
_UNITS = {"ounces": "ounces", "usd": "dollars"}


def rows(simulation: Simulation) -> list[tuple[str, ...]]:
    """Return a name and the cells of COLUMNS for each investor, then for each instrument."""
    return [_row(found) for found in all_losses(simulation)]


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


def _row(found: Losses) -> tuple[str, ...]:
    days = found.under_water_days
    return (
        f"{found.name}\nin {_UNITS[found.unit]}",
        _with_interval(found.significant, found.significant_interval),
        _with_interval(found.loss, found.loss_interval),
        "\n".join(percent(found.value_at_risk[tail]) for tail in TAILS),
        "\n".join(percent(found.expected_shortfall[tail]) for tail in TAILS),
        "unknown" if math.isnan(days) else f"{number(days, 0)} days",
        share(found.under_water_open),
    )


def _with_interval(value: float, around: tuple[float, float]) -> str:
    return "none" if math.isnan(value) else f"{share(value)}\n{interval(around)}"
