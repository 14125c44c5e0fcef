"""A price cover's sums at the end of a run: what it cost, was worth, paid and did not pay."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from simulator.report.words import figure, percent
from simulator.units import DAYS_PER_YEAR

if TYPE_CHECKING:
    from simulator.engine import Simulation

COLUMNS = ("at the end, USD", "p05", "median", "p95")


def labels(simulation: Simulation) -> list[str]:
    """Return the names of the scenario's price covers."""
    return list(simulation.scenario.instruments.price_cover)


def daily(simulation: Simulation, series: str) -> pd.DataFrame:
    """Return the daily quantiles of one series."""
    return simulation.daily[simulation.daily["series"] == series]


def sums(simulation: Simulation, label: str) -> list[tuple[str, str, str, str]]:
    """Return a row for each sum: words, p05, median and p95 over the paths."""
    pool, miner, _ = simulation.scenario.instruments.price_cover[label].names(label)
    wanted = {
        "Premiums the miner has paid": f"{miner}.premiums_usd",
        "Fair value of his covers when bought": f"{miner}.fair_value_usd",
        "Payouts he has received": f"{miner}.payouts_usd",
        "Claims the pool could not pay": f"{pool}.missing_usd",
    }
    rows = []
    for words, series in wanted.items():
        last = daily(simulation, series).iloc[-1]
        low, middle, high = (_usd(float(last[q])) for q in ("p05", "p50", "p95"))
        rows.append((words, low, middle, high))
    return rows


def worst(simulation: Simulation, label: str) -> str:
    """Return sentences on the underwriter's yield and on the worst twentieth of both sides."""
    names = simulation.scenario.instruments.price_cover[label].names(label)
    held, covered, bare = (simulation.instruments[name] for name in names)
    middle = float(np.median(held.values["total_return", "usd"]))
    years = simulation.scenario.horizon_days / DAYS_PER_YEAR
    yearly = "" if years < 1.0 else f", {percent((1.0 + middle) ** (1.0 / years) - 1.0)} a year"
    return (
        f"An underwriter's return over the run is {percent(middle)} in the median{yearly}, and "
        f"{percent(held.worst_return('usd'))} in the mean of his worst twentieth of the paths. In "
        f"the miner's worst twentieth his is {percent(covered.worst_return('usd'))} with cover and "
        f"{percent(bare.worst_return('usd'))} without."
        f"{_pro_rata(simulation, names[0])}"
    )


def _pro_rata(simulation: Simulation, pool: str) -> str:
    """Return how claims were paid that the pool could not pay in full; nothing where it could."""
    if float(daily(simulation, f"{pool}.missing_usd").iloc[-1]["p95"]) <= 0.0:
        return ""
    return (
        " Where the pool could not pay all claims of a day in full, each got the same share of its "
        "claim, and the rest is a shortfall."
    )


def _usd(value: float) -> str:
    return figure(value, "level") if value else "0"
