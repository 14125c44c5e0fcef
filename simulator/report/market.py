"""The market of a scenario by itself: on a terminal, and as one HTML file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from simulator.report import charts
from simulator.report.console import number_table, put, within
from simulator.report.markup import Column, Html, Row, element, join, section, table
from simulator.report.page import document
from simulator.report.sections.inputs import market_inputs_section
from simulator.report.sections.notice import model_words
from simulator.report.words import number, percent, plain

if TYPE_CHECKING:
    from simulator.engine.market import AssetSummary, MarketSummary
    from simulator.market.bootstrap import History
    from simulator.scenario.files import LoadedScenario

_PRICES = ("asset", "start", "expected a year", "p05", "median", "p95", "mean ± error")
_MOVES = ("asset", "volatility a year", "excess kurtosis, daily", "drawdown: median", "p95")
_CONTENTS = (
    ("prices", "Prices"),
    ("moves", "Moves"),
    ("fans", "Fans"),
    ("notice", "Hypothetical performance"),
    ("inputs", "Inputs"),
)


def print_market(console: Console, loaded: LoadedScenario, summary: MarketSummary) -> None:
    """Print the market's tables, within 100 columns; colours only on a terminal."""
    console = within(console)
    put(console, Text(f"The market of {loaded.scenario.title}", style="bold"))
    put(console, Text(plain(_facts(summary))))
    put(console, Text(_model(summary)))
    for title, columns, rows in (
        (_price_title(summary), _PRICES, _price_rows(summary)),
        (_MOVES_TITLE, _MOVES, _move_rows(summary)),
        (_CORRELATION_TITLE, _correlation_columns(summary), _correlation_rows(summary)),
    ):
        shown = number_table(title, columns)
        for row in rows:
            shown.add_row(*(Text(plain(cell)) for cell in row))
        put(console, shown)


def render_market(loaded: LoadedScenario, summary: MarketSummary) -> str:
    """Return the market's page as one self-contained document, the same bytes every time."""
    body = join(
        (
            _header(loaded, summary),
            element(
                "main",
                _numbers("prices", "Prices", _price_title(summary), _PRICES, _price_rows(summary)),
                section(
                    "moves",
                    "Moves",
                    _page_table(_MOVES_TITLE, _MOVES, _move_rows(summary)),
                    _page_table(
                        _CORRELATION_TITLE,
                        _correlation_columns(summary),
                        _correlation_rows(summary),
                    ),
                ),
                _fans(summary),
                _notice(summary),
                market_inputs_section(loaded),
            ),
            _footer(summary),
        )
    )
    return document(f"the market of {loaded.scenario.title}", body)


_MOVES_TITLE = "On the way: returns of trading days, and the deepest fall of a path"
_CORRELATION_TITLE = "Correlation of daily returns"


def _facts(summary: MarketSummary) -> str:
    scenario = summary.scenario
    return (
        f"{scenario.paths:,} paths of {scenario.horizon_days:,} days from {scenario.start}, "
        f"seed {scenario.seed}; hypothetical performance"
    )


def _model(summary: MarketSummary) -> str:
    words = f"Prices follow {model_words(summary.scenario)}"
    history = summary.spec.history
    if history is None:
        return f"{words}."
    count, mean = history.returns.shape[1], history.mean_block
    return (
        f"{words}: {count:,} returns, {history.kind}, {number(mean, 0)} {history.noun}s to a block "
        f"on average.{_period_words(history)}"
    )


def _period_words(history: History) -> str:
    if history.noun == "day":
        return ""
    return (
        f" Prices move once a {history.noun}, on its last trading day: falls within a "
        f"{history.noun} are not seen."
    )


def _price_title(summary: MarketSummary) -> str:
    return f"Price after {summary.scenario.horizon_days:,} days, in US dollars"


def _price_rows(summary: MarketSummary) -> Iterator[tuple[str, ...]]:
    for asset in summary.assets:
        decimals = 0 if asset.start_price >= 1000 else 2
        prices = (asset.start_price, asset.p05, asset.median, asset.p95)
        start, low, middle, high = (number(price, decimals) for price in prices)
        mean = f"{number(asset.mean, decimals)} ± {number(asset.mean_error, decimals)}"
        growth = percent(asset.expected_growth, signed=True)
        yield _label(asset), start, growth, low, middle, high, mean


def _label(asset: AssetSummary) -> str:
    return f"{asset.name}, {asset.unit}"


def _move_rows(summary: MarketSummary) -> Iterator[tuple[str, ...]]:
    for asset in summary.assets:
        yield (
            asset.name,
            percent(asset.volatility),
            number(asset.excess_kurtosis, 2),
            percent(asset.drawdown_median),
            percent(asset.drawdown_p95),
        )


def _correlation_columns(summary: MarketSummary) -> tuple[str, ...]:
    return ("", *(asset.name for asset in summary.assets))


def _correlation_rows(summary: MarketSummary) -> Iterator[tuple[str, ...]]:
    for asset, row in zip(summary.assets, summary.correlation, strict=True):
        yield asset.name, *(number(float(value), 3) for value in row)


def _page_table(title: str, columns: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> Html:
    heads = [Column(name, numeric=place > 0) for place, name in enumerate(columns)]
    return table(heads, [Row(row) for row in rows], caption=title)


def _numbers(
    anchor: str,
    heading: str,
    title: str,
    columns: tuple[str, ...],
    rows: Iterator[tuple[str, ...]],
) -> Html:
    words = (
        "Expected growth is ln E[S/S₀] a year, an input of the scenario; the median grows less, "
        "by half the variance. The ± is one standard error of the mean over the paths."
    )
    return section(anchor, heading, _page_table(title, columns, rows), element("p", words))


def _header(loaded: LoadedScenario, summary: MarketSummary) -> Html:
    links = (element("a", words, href=f"#{anchor}") for anchor, words in _CONTENTS)
    names = f"scenario {loaded.scenario.name} · calibration {loaded.calibration.name}"
    return element(
        "header",
        element("p", "Assay: the market by itself", class_="eyebrow"),
        element("h1", f"The market of {loaded.scenario.title}"),
        element("p", f"{_facts(summary)} · {names}", class_="facts"),
        element("nav", *links, aria_label="Contents"),
    )


def _fans(summary: MarketSummary) -> Html:
    figures = []
    for asset in summary.assets:
        rows = summary.daily[summary.daily["series"] == asset.name]
        words = f"{asset.name.capitalize()} price, {asset.unit}"
        decimals = 0 if asset.start_price >= 1000 else 2
        figure = charts.fan(
            rows, unit=asset.unit, tick_format=",.3~s", hover_format=f",.{decimals}f"
        )
        low, middle, high = (
            number(float(rows[column].iloc[-1]), decimals) for column in ("p05", "p50", "p95")
        )
        label = f"{words}; at the end median {middle}, p05 {low}, p95 {high}."
        figures.append(charts.embed(figure, f"fan-{asset.name}", words, label))
    words = (
        "Median, middle half of the paths (p25 to p75) and nine in ten (p05 to p95), day by day; "
        "no single path follows a band."
    )
    return section(
        "fans", "How prices spread", element("p", words), element("div", *figures, class_="pair")
    )


def _notice(summary: MarketSummary) -> Html:
    words = (
        f"{_model(summary)} Drifts are inputs of the scenario. "
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
