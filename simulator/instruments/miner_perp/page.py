"""What the report says of a perpetual: who survives, what stops are filled at, who pays whom."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from simulator.instruments.miner_perp.terms import POOL, MinerPerpTerms, TraderTerms
from simulator.instruments.miner_perp.venue import FAILURE
from simulator.instruments.page import (
    Fan,
    Measures,
    Paragraph,
    Section,
    Silent,
    Table,
    Told,
    by_source,
)
from simulator.words import bound, figure, percent, small, tabled

SURVIVAL = ("trader", "liquidated", "stopped", "return p05", "median", "p95", "worst twentieth")
SOURCES = ("trader", "index", "funding", "fees", "liquidation", "profit cut")
FILLS = ("trader", "its level", "stopped", "beyond it: median", "p75", "p95", "p95 of the margin")
SUMS = ("at the end, USD", "p05", "median", "p95")

SERIES = {
    "Open interest of longs": "long_usd",
    "Open interest of shorts": "short_usd",
    "Notional that was liquidated": "liquidated_usd",
    "Insurance fund": "insurance_usd",
    "Debts that the pool bore": "bad_debt_usd",
    "Profits that were cut": "cut_usd",
}


class PerpPage(Silent[MinerPerpTerms]):
    """A section of its own: survival by leverage and stop, sources, and the pool."""

    def section(self, told: Told[MinerPerpTerms]) -> Section:
        """Return the tables, what they mean, and the fans."""
        intro = Paragraph(
            "Orders fill at the next round of the index, and stops at the round after the one "
            "that touched them: a gap is the trader's. A stop-loss is a share of the margin, so "
            "that its distance in the index is that share over the leverage. Returns are of the "
            "margin."
        )
        tables = [Table("The pool and the market", SUMS, tuple(sums(told)))]
        if told.terms.traders:
            tables.insert(
                0, Table("Who is still there at the end", SURVIVAL, tuple(survival(told)))
            )
            caption = "Where the mean return came from, of the margin"
            tables.insert(1, Table(caption, (*SOURCES, *_more(told)), tuple(sources(told))))
        if filled := tuple(fills(told)):
            caption = "How far beyond their level stops fill, over all paths, of the index"
            tables.insert(1, Table(caption, FILLS, filled))
        said = (gap(told), stops(told), failure(told), provider(told))
        words = tuple(Paragraph(text) for text in said if text)
        return Section(f"Perpetual: {told.label}", (intro, *tables, *words, *_fans(told)))


def traders(told: Told[MinerPerpTerms]) -> Iterator[tuple[str, TraderTerms, Measures]]:
    """Yield the measured traders' names, terms and measures."""
    for name, terms in told.terms.traders.items():
        yield name, terms, told.instruments[f"{told.label}-{name}"]


def survival(told: Told[MinerPerpTerms]) -> Iterator[tuple[str, ...]]:
    """Yield a row for each trader: how often he was liquidated and stopped, and his returns."""
    for name, terms, measured in traders(told):
        returns = measured.values["total_return", "usd"]
        stopped = "" if terms.stop_loss is None else _share(measured.happened["stopped"])
        quantiles = (percent(float(np.quantile(returns, q))) for q in (0.05, 0.5, 0.95))
        worst = percent(measured.worst_return("usd"))
        yield name, _share(measured.happened["liquidated"]), stopped, *quantiles, worst


def sources(told: Told[MinerPerpTerms]) -> Iterator[tuple[str, ...]]:
    """Yield a row for each trader: the mean of what each source brought, of the margin."""
    wanted = ["index_moves", "funding", "trading_fees", "liquidation", "profit_cut"]
    wanted += [FAILURE.name for _ in _more(told)]
    for name, _, measured in traders(told):
        parts = by_source(measured)
        yield name, *(percent(float(parts[source].mean())) for source in wanted)


def _more(told: Told[MinerPerpTerms]) -> tuple[str, ...]:
    """Return the column of the venue's failure, where it can fail."""
    return ("failure",) if _can_fail(told) else ()


def _can_fail(told: Told[MinerPerpTerms]) -> bool:
    """Return whether the venue could fail, by its hazard or by a shock."""
    return "venue_failed" in told.instruments[f"{told.label}-{POOL}"].happened


def sums(told: Told[MinerPerpTerms]) -> Iterator[tuple[str, ...]]:
    """Yield a row for each sum of the market: words, p05, median and p95 over the paths."""
    for words, series in SERIES.items():
        last = told.rows(f"{told.label}-{POOL}.{series}").iloc[-1]
        yield words, *(_usd(float(last[q])) for q in ("p05", "p50", "p95"))


def fills(told: Told[MinerPerpTerms]) -> Iterator[tuple[str, ...]]:
    """Yield a row for each stop: where it lies, how often it fills, and how far beyond."""
    for name, terms, measured in traders(told):
        if terms.stop_loss is None:
            continue
        away = percent(terms.stop_loss / terms.leverage)
        level = f"{away} {'below' if terms.side == 'long' else 'above'} the start"
        last = told.rows(f"{told.label}-{name}.slip").iloc[-1]
        beyond = [percent(float(last[q]), 2) for q in ("p50", "p75", "p95")]
        of_margin = percent(float(last["p95"]) * terms.leverage)
        yield name, level, _share(measured.happened["stopped"]), *beyond, of_margin


def stops(told: Told[MinerPerpTerms]) -> str:
    """Return why stops fill beyond their level; nothing where nobody has one."""
    if not any(terms.stop_loss is not None for terms in told.terms.traders.values()):
        return ""
    return (
        "A stop fills at the round after the one that touched it, at whatever the index is by "
        "then: beyond its level by what the price moves between two rounds, jumps over while the "
        "metal's market is closed, or has moved once a feed that stood still says something again. "
        "A path on which it is never touched counts with zero."
    )


def failure(told: Told[MinerPerpTerms]) -> str:
    """Return how often the venue failed, and what it took; nothing where it cannot."""
    venue, measured = told.terms.venue, told.instruments[f"{told.label}-{POOL}"]
    if not _can_fail(told):
        return ""
    why = f"at a hazard of {bound(venue.hazard)} a year" if venue.hazard > 0.0 else "by a shock"
    return (
        f"The exchange itself fails on {_share(measured.happened['venue_failed'])} of the paths, "
        f"{why}, and takes {bound(venue.loss)} of all that "
        "lies there; the rest is paid at once."
    )


def provider(told: Told[MinerPerpTerms]) -> str:
    """Return what providing the pool brought, and from whom."""
    measured = told.instruments[f"{told.label}-{POOL}"]
    returns, parts = measured.values["total_return", "usd"], by_source(measured)
    names = {"traders": "traders' losses less gains", "funding": "funding", "trading_fees": "fees"}
    means = ", ".join(
        f"{small(float(parts[source].mean()))} {words}" for source, words in names.items()
    )
    bad = small(float(parts["bad_debt"].mean()))
    return (
        f"Whoever provides the pool earns {percent(float(np.median(returns)))} over the run in "
        f"the median and {percent(measured.worst_return('usd'))} in the mean of his worst "
        f"twentieth. The mean is made of {means}, and {bad} debts that nobody else paid, on "
        f"{_share(measured.happened['bad_debt'])} of the paths."
    )


def gap(told: Told[MinerPerpTerms]) -> str:
    """Return the stated gap; nothing where there is none."""
    stated = told.terms.gap
    if stated is None:
        return ""
    return (
        f"On day {stated.day} the metal moves by {percent(stated.move)} between two rounds, beside "
        "what the market brings. Nothing but this market sees it."
    )


def _share(paths: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> str:
    return tabled(float(np.mean(paths)))


def _usd(value: float) -> str:
    return figure(value, "level") if value else "0"


def _fans(told: Told[MinerPerpTerms]) -> tuple[Fan, ...]:
    pool = f"{told.label}-{POOL}"
    return (
        Fan(f"{pool}.index", "Index", "1 = at the start", level=1.0),
        Fan(f"{pool}.funding_rate", "Funding that longs pay, a year", "", share=True, level=0.0),
        Fan(f"{pool}.long_usd", "Open interest of longs", "USD"),
        Fan(f"{pool}.short_usd", "Open interest of shorts", "USD"),
    )


PAGE = PerpPage()
