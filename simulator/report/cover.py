"""A price cover's sums at the end of a run: what it cost, was worth, paid and did not pay."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from simulator.report.words import figure

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


def _usd(value: float) -> str:
    return figure(value, "level") if value else "0"
