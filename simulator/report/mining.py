"""What holders of a mining STO went through: raise, default, outages, and whose money they got."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simulator.report.words import bound, percent, share

if TYPE_CHECKING:
    from simulator.engine import Simulation
    from simulator.investors import InvestorMeasures
    from simulator.units import BoolArray, FloatArray

COLUMNS = ("what happened", "paths", "median return", "p05", "paid", "of it profit")


@dataclass(frozen=True)
class Triangle:
    """The credit triangle: which hazard a promised yield pays for."""

    promised: float
    safe: float
    loss: float
    assumed: float

    @property
    def hazard(self) -> float:
        """Return (promised - safe) / loss given default."""
        return (self.promised - self.safe) / self.loss


def is_sto(simulation: Simulation, investor: str) -> bool:
    """Return whether an investor holds a mining STO."""
    return simulation.investors[investor].holding in simulation.scenario.instruments.mining_sto


def happenings(measures: InvestorMeasures) -> Iterator[tuple[str, ...]]:
    """Yield the cells of COLUMNS for each thing that may happen, and for none of them.

    A path stands in the first row that fits. Returns and payments are shares of the deposit.
    """
    by = _by_source(measures)
    paid = by["mine_profit"] + by["returned_capital"]
    failed = by["issue_price"] == 0.0
    found = {
        "the raise failed": failed,
        "the operator defaulted": by["default"] < 0.0,
        "the promise broke": by["broken_promise"] < 0.0,
        "the mine stood still": by["outage"] < 0.0,
        "none of these": np.ones_like(failed),
    }
    rest = np.ones_like(failed)
    returns = measures.values["total_return", "usd"]
    for words, holds in found.items():
        paths = holds & rest
        rest &= ~holds
        if paths.any():
            yield words, *_cells(paths, returns, paid, by["mine_profit"])


def _cells(
    paths: BoolArray, returns: FloatArray, paid: FloatArray, profit: FloatArray
) -> tuple[str, ...]:
    low, middle = np.quantile(returns[paths], (0.05, 0.5))
    whole = float(paid[paths].mean())
    organic = percent(float(profit[paths].mean()) / whole) if whole > 0 else ""
    return share(float(paths.mean())), percent(middle), percent(low), percent(whole), organic


def whose_money(simulation: Simulation, investor: str) -> str:
    """Return a sentence on what of all payments was profit and what capital."""
    measures = simulation.investors[investor]
    by = _by_source(measures)
    profit, returned = float(by["mine_profit"].mean()), float(by["returned_capital"].mean())
    terms = simulation.scenario.instruments.mining_sto[measures.holding]
    if profit + returned <= 0.0:
        return "Nothing was paid to holders within the run."
    if returned <= 0.0:
        words = "All that holders were paid was profit of the mine"
        return f"{words}: {percent(profit)} of the deposit on average."
    part = percent(returned / (profit + returned), 0)
    words = (
        f"{part} of what holders were paid was not earned by the mine but is return of capital, "
        "in the books of the contract itself: payments beyond the recorded profit"
    )
    if terms.payout.top_up is not None:
        words += (
            ", made out of the raise and of what later buyers paid in. Paying old holders with the "
            "money of new ones is a Ponzi scheme, whatever it is called"
        )
    return f"{words}."


def triangle(simulation: Simulation, investor: str) -> Triangle | None:
    """Return the triangle of an STO's promise; None where it promises no more than is safe."""
    terms = simulation.scenario.instruments.mining_sto[simulation.investors[investor].holding]
    default, promised = terms.default, terms.payout.promised_yield
    loss = 1.0 - default.recovery
    if loss <= 0.0 or promised <= default.safe_yield:
        return None
    return Triangle(promised, default.safe_yield, loss, default.hazard)


def triangle_words(found: Triangle) -> str:
    """Return the triangle as a sentence."""
    return (
        f"If what the promised {bound(found.promised)} is above the {bound(found.safe)} of a safe "
        f"bond were the fair price of losing {bound(found.loss)}, that loss would have a hazard of "
        f"{percent(found.hazard)} a year: (promised − safe) / loss. This is risk-neutral and an "
        f"upper bound. The scenario assumes {bound(found.assumed)} a year."
    )


def _by_source(measures: InvestorMeasures) -> dict[str, FloatArray]:
    parts = measures.attribution["usd"] / measures.initial["usd"]
    return dict(zip((source.name for source in measures.sources), parts, strict=True))
