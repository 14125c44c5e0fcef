"""What the report says of a pool: what fees brought, and what moves of the price took."""

from __future__ import annotations

import numpy as np

from simulator.instruments.gold_pool.terms import GoldPoolTerms
from simulator.instruments.page import Fan, Paragraph, Section, Silent, Table, Told, by_source
from simulator.words import figure, percent

COLUMNS = ("at the end, USD", "p05", "median", "p95")
CAPTION = "What the pool brought its providers, and who trades against it"


class PoolPage(Silent[GoldPoolTerms]):
    """A section of its own: fees and losses of the whole pool, and the arbitrageur's profit."""

    def section(self, told: Told[GoldPoolTerms]) -> Section:
        """Return the sums, the provider's return and the fans."""
        intro = Paragraph(
            "The gold price's part is what the same ounces and dollars would have gained untouched "
            "since the day before. Impermanent loss is what arbitrageurs take beyond it, because "
            "the pool sells gold below the market when it rises and buys above it when it falls; "
            "without fees it comes to σ²/8 of the pool a year. Fees stand beside it."
        )
        table = Table(CAPTION, COLUMNS, tuple(sums(told)))
        return Section(
            f"Gold pool: {told.label}", (intro, table, Paragraph(net(told)), *_fans(told))
        )


def sums(told: Told[GoldPoolTerms]) -> list[tuple[str, str, str, str]]:
    """Return a row for each sum: words, p05, median and p95 over the paths."""
    pool, arbitrageur = told.terms.names(told.label)
    wanted = {
        "Worth of the pool": f"{pool}.pool_value_usd",
        "Fees, of the whole pool": f"{pool}.fees_usd",
        "Impermanent loss, of the whole pool": f"{pool}.impermanent_loss_usd",
        "The arbitrageur's profit after gas": f"{arbitrageur}.profit_usd",
    }
    rows = []
    for words, series in wanted.items():
        last = told.rows(series).iloc[-1]
        low, middle, high = (_usd(float(last[q])) for q in ("p05", "p50", "p95"))
        rows.append((words, low, middle, high))
    return rows


def net(told: Told[GoldPoolTerms]) -> str:
    """Return a sentence on what fees and impermanent loss brought a provider in the mean."""
    parts = by_source(told.instruments[told.label])
    fees = float(np.mean(parts["pool_fees"]))
    loss = float(np.mean(parts["impermanent_loss"]))
    return (
        f"Of what a provider put in, fees brought {percent(fees, 2)} over the run in the mean and "
        f"impermanent loss {percent(loss, 2)}: together {percent(fees + loss, 2)} against holding "
        "what the pool held from day to day."
    )


def _fans(told: Told[GoldPoolTerms]) -> tuple[Fan, ...]:
    pool, arbitrageur = told.terms.names(told.label)
    return (
        Fan(f"{pool}.fees_usd", "Fees of the whole pool", "USD"),
        Fan(f"{arbitrageur}.profit_usd", "The arbitrageur's profit after gas", "USD"),
    )


def _usd(value: float) -> str:
    return figure(value, "level") if value else "0"


PAGE = PoolPage()
