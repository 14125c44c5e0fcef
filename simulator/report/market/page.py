"""The market's page: one self-contained document."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pandas as pd

from simulator.report import charts
from simulator.report.market import tables
from simulator.report.market.against import against_section
from simulator.report.market.drift import drift_section
from simulator.report.market.tables import has_channels, name_of
from simulator.report.markup import Column, Html, Row, contents, element, join, section, table
from simulator.report.page import document
from simulator.report.sections.inputs import market_inputs_section
from simulator.report.sections.warnings import warnings_section
from simulator.words import number, rounded

if TYPE_CHECKING:
    from simulator.engine.against import Against
    from simulator.engine.market import MarketSummary
    from simulator.measures.extremes import Held
    from simulator.scenario.files import LoadedMarket

_FACTOR_UNITS = {
    "1": ("%", 100.0),
    "1/year": ("% a year", 100.0),
    "log return": ("log %", 100.0),
    "s.d.": ("standard deviations", 1.0),
}
"""Units that read better otherwise."""
_NUMBERED = ("regime",)
"""Factors whose values are names: their quantiles say nothing."""


def render_market(
    loaded: LoadedMarket,
    summary: MarketSummary,
    against: Against | None = None,
    held: Held | None = None,
) -> str:
    """Return the market's page as one self-contained document, the same bytes every time."""
    sections = list(_sections(loaded, summary, against, held or {}))
    body = join(
        (
            _header(loaded, summary),
            contents((anchor, title) for anchor, title, _ in sections),
            element("main", *(found for _, _, found in sections)),
            _footer(summary),
        )
    )
    return document(f"the market of {loaded.scenario.title}", body)


def _sections(
    loaded: LoadedMarket, summary: MarketSummary, against: Against | None, held: Held
) -> Iterator[tuple[str, str, Html]]:
    """Yield each section with its anchor and its name in the contents."""
    history = summary.spec.history
    warned = warnings_section(loaded.warned, () if history is None else history.notes)
    if warned:
        yield "warnings", "Before you read on", warned
    yield "prices", "Prices", _prices(summary)
    if has_channels(summary):
        yield "drift", "Why it rises", drift_section(summary)
    yield "moves", "Moves", _moves(summary)
    if held:
        yield "held", "What is held", _held(held)
    yield "fans", "Fans", _fans(summary)
    if len(summary.factors):
        yield "factors", "Factors", _factors(summary)
    if against is not None:
        yield "against", "Against history", against_section(against)
    yield "notice", "Hypothetical performance", _notice(summary)
    yield "inputs", "Inputs", market_inputs_section(loaded)


def _header(loaded: LoadedMarket, summary: MarketSummary) -> Html:
    names = f"scenario {loaded.scenario.name} · calibration {loaded.calibration.name}"
    return element(
        "header",
        element("p", "Assay: the market by itself", class_="eyebrow"),
        element("h1", f"The market of {loaded.scenario.title}"),
        element("p", f"{tables.facts(summary)} · {names}", class_="facts"),
    )


def _prices(summary: MarketSummary) -> Html:
    rows = tables.price_rows(summary)
    shown = _table(tables.price_title(summary), tables.price_columns(summary), rows)
    return section("prices", "Prices", shown, element("p", tables.price_words(summary)))


def _moves(summary: MarketSummary) -> Html:
    heads = tables.correlation_columns(summary)
    return section(
        "moves",
        "Moves",
        _table(tables.move_title(summary), tables.move_columns(summary), tables.move_rows(summary)),
        _table(tables.EXTREMES_TITLE, tables.EXTREMES, tables.extreme_rows(summary.extremes)),
        _table(tables.correlation_title(summary), heads, tables.correlation_rows(summary)),
    )


def _held(held: Held) -> Html:
    shown = [
        _table(tables.HELD_TITLES[group], tables.EXTREMES, tables.extreme_rows(found))
        for group, found in held.items()
    ]
    return section("held", "What is held", *shown)


def _table(title: str, columns: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> Html:
    heads = [Column(name, numeric=place > 0) for place, name in enumerate(columns)]
    return table(heads, [Row(row) for row in rows], caption=title)


def _fans(summary: MarketSummary) -> Html:
    figures = []
    for asset in summary.assets:
        rows = summary.daily[summary.daily["series"] == asset.name]
        words = f"{name_of(asset.name).capitalize()} price, {asset.unit}"
        figures.append(_fan(rows, asset.name, words, asset.unit, 1.0, tables.decimals(asset)))
    words = (
        "Median, middle half of the paths (p25 to p75) and nine in ten (p05 to p95), day by day; "
        "no single path follows a band."
    )
    return section(
        "fans", "How prices spread", element("p", words), element("div", *figures, class_="pair")
    )


def _factors(summary: MarketSummary) -> Html:
    figures = []
    for name in dict.fromkeys(str(series) for series in summary.factors["series"].tolist()):
        if name in _NUMBERED:
            continue
        rows = summary.factors[summary.factors["series"] == name]
        unit, scale = _FACTOR_UNITS.get(
            summary.factor_units[name], (summary.factor_units[name], 1.0)
        )
        words = f"{name_of(name).capitalize()}, {unit}"
        digits = 0 if float(rows["p50"].abs().max()) * scale >= 100 else 2
        figures.append(_fan(rows, f"factor-{name}", words, unit, scale, digits))
    words = (
        "What moves the drifts, in the same bands. A channel acts on a factor's surprises, which "
        "is what it does beyond its expected way."
    )
    return section(
        "factors", "The factors", element("p", words), element("div", *figures, class_="pair")
    )


def _fan(
    rows: pd.DataFrame, anchor: str, words: str, unit: str, scale: float, decimals: int
) -> Html:
    figure = charts.fan(
        rows,
        unit=unit,
        scale=scale,
        tick_format=None if decimals == 0 else ",.3~f",
        hover_format=f",.{decimals}f",
    )
    ends = [scale * float(rows[column].iloc[-1]) for column in ("p05", "p50", "p95")]
    low, middle, high = (number(end, decimals) if decimals else rounded(end) for end in ends)
    label = f"{words}; at the end median {middle}, p05 {low}, p95 {high}."
    return charts.embed(figure, f"fan-{anchor}", words, label)


def _notice(summary: MarketSummary) -> Html:
    words = (
        f"{tables.model(summary)} Drifts are inputs of the scenario. "
        "Nobody earned these returns; they are no forecast and no advice. A simulated market has "
        "no crisis that its model does not know."
    )
    return section("notice", "Hypothetical performance", element("p", words))


def _footer(summary: MarketSummary) -> Html:
    words = ". The same scenario, calibration and seed give this file byte for byte."
    return element(
        "footer",
        element("p", "Checksum of the figures: ", element("code", summary.checksum), words),
    )
