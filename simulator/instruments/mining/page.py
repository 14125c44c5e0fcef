"""What holders of a mining STO went through: raise, default, outages, and whose money they got."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from simulator.instruments.mining.terms import MiningStoTerms
from simulator.instruments.page import (
    Block,
    Date,
    Measures,
    Paragraph,
    Silent,
    Table,
    Told,
    by_source,
)
from simulator.units import BoolArray, FloatArray
from simulator.words import bound, percent, share

COLUMNS = ("what happened", "paths", "median return", "p05", "paid", "of it profit")

HAPPENINGS = {
    "raise_failed": "the raise failed",
    "defaulted": "the operator defaulted",
    "promise_broken": "the promise broke",
    "outage": "the mine stood still",
}
"""What may befall a holder, in the order in which a path is counted."""


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


class StoPage(Silent[MiningStoTerms]):
    """Of a holder: what happened to him, whose money he got, and what the promise pays for."""

    def of_holder(self, told: Told[MiningStoTerms], who: str) -> Sequence[Block]:
        """Return a table and sentences."""
        measures = told.investors[who]
        caption = f"What happened to {who}; a path counts in the first line that fits"
        blocks: list[Block] = [
            Table(caption, COLUMNS, tuple(happenings(measures))),
            Paragraph(whose_money(told.terms, measures), lead="Whose money."),
        ]
        found = triangle(told.terms)
        if found is not None:
            lead = "What such a promise pays for."
            blocks.append(Paragraph(triangle_words(found), lead=lead, aside=True))
        return blocks

    def dates(self, terms: MiningStoTerms) -> Sequence[Date]:
        """Return when the raise closes and the token is listed, and when its lock-up ends."""
        closes, locked = terms.sale.days, terms.compliance.lockup_days
        listed = (Date(closes, "listed"),)
        return (*listed, Date(closes + locked, "lock-up ends")) if locked else listed


def happenings(measures: Measures) -> Iterator[tuple[str, ...]]:
    """Yield the cells of COLUMNS for each thing that may happen, and for none of them.

    A path stands in the first row that fits. Returns and payments are shares of the deposit.
    """
    by = by_source(measures)
    paid = by["mine_profit"] + by["returned_capital"]
    returns = measures.values["total_return", "usd"]
    rest = np.ones(returns.shape, np.bool_)
    found = {words: measures.happened[name] for name, words in HAPPENINGS.items()}
    for words, holds in {**found, "none of these": rest.copy()}.items():
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


def whose_money(terms: MiningStoTerms, measures: Measures) -> str:
    """Return a sentence on what of all payments was profit and what capital."""
    by = by_source(measures)
    profit, returned = float(by["mine_profit"].mean()), float(by["returned_capital"].mean())
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


def triangle(terms: MiningStoTerms) -> Triangle | None:
    """Return the triangle of an STO's promise; None where it promises no more than is safe."""
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


PAGE = StoPage()
