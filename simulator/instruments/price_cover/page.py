"""A price cover's sums at the end of a run: what it cost, was worth, paid and did not pay."""

from __future__ import annotations

import numpy as np

from simulator.instruments.page import Fan, Paragraph, Section, Silent, Table, Told
from simulator.instruments.price_cover.terms import PriceCoverTerms
from simulator.units import DAYS_PER_YEAR
from simulator.words import figure, percent

COLUMNS = ("at the end, USD", "p05", "median", "p95")
CAPTION = "What the cover cost, was worth, and paid"


class CoverPage(Silent[PriceCoverTerms]):
    """A section of its own: sums, both sides' worst, and the miner's cash flow."""

    def section(self, told: Told[PriceCoverTerms]) -> Section:
        """Return the sums, the returns and the fans."""
        days = told.terms.miner.cover.renew_every_days
        intro = Paragraph(
            "The fair value is that of a put on the settlement, by Black's formula with the "
            "market model's volatility, on the days the covers were bought. What the premium is "
            "above it pays the underwriters for their risk. Cash flows are those of the last "
            f"whole {days} days."
        )
        table = Table(CAPTION, COLUMNS, tuple(sums(told)))
        words = Paragraph(worst(told))
        return Section(f"Price cover: {told.label}", (intro, table, words, *_fans(told)))


def sums(told: Told[PriceCoverTerms]) -> list[tuple[str, str, str, str]]:
    """Return a row for each sum: words, p05, median and p95 over the paths."""
    pool, miner, _ = told.terms.names(told.label)
    wanted = {
        "Premiums the miner has paid": f"{miner}.premiums_usd",
        "Fair value of his covers when bought": f"{miner}.fair_value_usd",
        "Payouts he has received": f"{miner}.payouts_usd",
        "Claims the pool could not pay": f"{pool}.missing_usd",
    }
    rows = []
    for words, series in wanted.items():
        last = told.rows(series).iloc[-1]
        low, middle, high = (_usd(float(last[q])) for q in ("p05", "p50", "p95"))
        rows.append((words, low, middle, high))
    return rows


def worst(told: Told[PriceCoverTerms]) -> str:
    """Return sentences on the underwriter's yield and on the worst twentieth of both sides."""
    names = told.terms.names(told.label)
    held, covered, bare = (told.instruments[name] for name in names)
    middle = float(np.median(held.values["total_return", "usd"]))
    years = told.horizon_days / DAYS_PER_YEAR
    yearly = "" if years < 1.0 else f", {percent((1.0 + middle) ** (1.0 / years) - 1.0)} a year"
    return (
        f"An underwriter's return over the run is {percent(middle)} in the median{yearly}, and "
        f"{percent(held.worst_return('usd'))} in the mean of his worst twentieth of the paths. In "
        f"the miner's worst twentieth his is {percent(covered.worst_return('usd'))} with cover and "
        f"{percent(bare.worst_return('usd'))} without."
        f"{_pro_rata(told, names[0])}"
    )


def _pro_rata(told: Told[PriceCoverTerms], pool: str) -> str:
    """Return how claims were paid that the pool could not pay in full; nothing where it could."""
    if float(told.rows(f"{pool}.missing_usd").iloc[-1]["p95"]) <= 0.0:
        return ""
    return (
        " Where the pool could not pay all claims of a day in full, each got the same share of its "
        "claim, of an empty pool nothing, and the rest is a shortfall."
    )


def _fans(told: Told[PriceCoverTerms]) -> tuple[Fan, ...]:
    pool, miner, unhedged = told.terms.names(told.label)
    flows = ((miner, "with cover"), (unhedged, "without cover"))
    return (
        *(
            Fan(f"{name}.period_cash_usd", f"The miner's cash flow {words}", "USD")
            for name, words in flows
        ),
        Fan(f"{pool}.utilisation", "Sums insured over capacity", "", share=True),
    )


def _usd(value: float) -> str:
    return figure(value, "level") if value else "0"


PAGE = CoverPage()
