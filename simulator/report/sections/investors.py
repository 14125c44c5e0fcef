"""Every investor in one table: what he ends with, how deep he falls, and what claims name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulator.report.markup import Column, Html, Row, element, join, table
from simulator.words import figure, percent

if TYPE_CHECKING:
    from simulator.engine import Simulation
    from simulator.investors import InvestorMeasures

NAMED = {
    "money_weighted_return": ("money-weighted", "share"),
    "volatility": ("volatility a year", "share"),
    "ulcer": ("Ulcer index", "share"),
    "expected_shortfall": ("worst 5 % of days", "share"),
    "sortino": ("Sortino", "level"),
    "calmar": ("Calmar", "level"),
}
"""What is measured where a claim names it, or money comes and goes: title and scale."""


def investors_table(simulation: Simulation) -> Html:
    """Return one row for each investor, in dollars."""
    found = simulation.investors
    flows = any(np.any(measures.flows) for measures in found.values())
    shown = [
        name
        for name in NAMED
        if any((name, "usd") in measures.values for measures in found.values())
        # without flows it is the return over again
        and (name != "money_weighted_return" or flows)
    ]
    columns = (
        Column("Investor", numeric=False),
        *(Column(title) for title in ("mean return", "median", "worst 5 %", "median fall")),
        *(Column(NAMED[name][0]) for name in shown),
    )
    rows = [Row((name, *_cells(measures, shown))) for name, measures in found.items()]
    days = simulation.scenario.horizon_days
    words = element(
        "p",
        f"Each investor over {days:,} days, in dollars, at what leaving pays. The worst are the "
        "mean of the one path in twenty that ended lowest; the fall, and whatever stands behind "
        "it, is that of the median path.",
    )
    return join((words, table(columns, rows, caption="Every investor", class_="stack")))


def _cells(measures: InvestorMeasures, shown: list[str]) -> list[str]:
    values = measures.values
    returns = values["total_return", "usd"]
    cells = [
        percent(float(returns.mean()), signed=True),
        percent(float(np.median(returns)), signed=True),
        percent(measures.worst_return("usd"), signed=True),
        percent(float(np.median(values["drawdown", "usd"]))),
    ]
    for name in shown:
        found = values.get((name, "usd"))
        if found is None or np.isnan(found).any():
            cells.append("")
        else:
            cells.append(figure(float(np.median(found)), NAMED[name][1]))
    return cells
