"""The market's rows, the same on a terminal and on the page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from simulator.report.sections.notice import model_words
from simulator.words import number, percent

if TYPE_CHECKING:
    from simulator.engine.market import AssetSummary, MarketSummary
    from simulator.market.bootstrap import History
    from simulator.measures import Extreme, Extremes

_MOST_NAMED = 4
"""More columns of correlations than this are numbered: their names would not fit 100 columns."""


def name_of(asset: str) -> str:
    """Return an asset's name as it is written."""
    return asset.replace("_", " ")


def facts(summary: MarketSummary) -> str:
    """Return what was simulated."""
    scenario = summary.scenario
    return (
        f"{scenario.paths:,} paths of {scenario.horizon_days:,} days from {scenario.start}, "
        f"seed {scenario.seed}; hypothetical performance"
    )


def model(summary: MarketSummary) -> str:
    """Return what the prices follow."""
    words = f"Prices follow {model_words(summary.scenario)}"
    history = summary.spec.history
    if history is None:
        return f"{words}."
    count, mean = history.returns.shape[1], history.mean_block
    return (
        f"{words}: {count:,} returns, {history.kind}, {number(mean, 0)} {history.noun}s to a block "
        f"on average.{_smooth_words(summary)}{_period_words(history)}"
    )


def _smooth_words(summary: MarketSummary) -> str:
    """Return where the volatility of a smooth history starts, beside its long run."""
    history = summary.spec.history
    if history is None or not history.smooth:
        return ""
    found = history.smoothed
    pairs = np.sqrt(np.stack([found.start, found.long_run]) * history.periods_per_year).T.tolist()
    named = ", ".join(
        f"{name_of(asset)} {percent(start)} ({percent(usual)})"
        for asset, (start, usual) in zip(summary.spec.assets, pairs, strict=True)
    )
    return (
        f" The volatility of the first {history.noun} is that at the history's end (in the long "
        f"run): {named}. Tails go on beyond its worst {history.noun}."
    )


def _period_words(history: History) -> str:
    if history.noun == "day":
        return ""
    return (
        f" Prices move once a {history.noun}, on its last trading day: falls within a "
        f"{history.noun} are not seen."
    )


def price_title(summary: MarketSummary) -> str:
    """Return the title of the prices."""
    return f"Price after {summary.scenario.horizon_days:,} days, in US dollars"


def has_channels(summary: MarketSummary) -> bool:
    """Return whether any asset's drift has more parts than its base."""
    return any(share.kind != "base" for share in summary.drift)


def price_columns(summary: MarketSummary) -> tuple[str, ...]:
    """Return the heads; the drift is all that is expected only where nothing adds to it."""
    growth = "base a year" if has_channels(summary) else "expected a year"
    return ("asset", "start", growth, "p05", "median", "p95", "mean ± error")


def price_words(summary: MarketSummary) -> str:
    """Return what a reader must know of the prices."""
    first = (
        "The base is the scenario's drift, ln E[S/S₀] a year before channels and views add to it "
        "(below); the median grows less, by half the variance."
        if has_channels(summary)
        else "Expected growth is ln E[S/S₀] a year, an input of the scenario; the median grows "
        "less, by half the variance."
    )
    return f"{first} The ± is one standard error of the mean over the paths."


def price_rows(summary: MarketSummary) -> Iterator[tuple[str, ...]]:
    """Yield a row for each asset."""
    for asset in summary.assets:
        digits = decimals(asset)
        prices = (asset.start_price, asset.p05, asset.median, asset.p95)
        start, low, middle, high = (number(price, digits) for price in prices)
        mean = f"{number(asset.mean, digits)} ± {number(asset.mean_error, digits)}"
        growth = percent(asset.expected_growth, signed=True)
        yield f"{name_of(asset.name)}, {asset.unit}", start, growth, low, middle, high, mean


def decimals(asset: AssetSummary) -> int:
    """Return how many decimals a price of this size has."""
    return 0 if asset.start_price >= 1000 else 2


def move_columns(summary: MarketSummary) -> tuple[str, ...]:
    """Return the heads."""
    kurtosis = f"excess kurtosis, {_each(summary)}"
    return ("asset", "volatility a year", kurtosis, "drawdown: median", "p95")


def move_title(summary: MarketSummary) -> str:
    """Return the title of what happens on the way."""
    returns = (
        "returns of trading days" if _each(summary) == "daily" else f"{_each(summary)} returns"
    )
    return f"On the way: {returns}, and the deepest fall of a path"


def correlation_title(summary: MarketSummary) -> str:
    """Return the title of the correlations."""
    return f"Correlation of {_each(summary)} returns"


def _each(summary: MarketSummary) -> str:
    """Return how often prices move: daily, weekly or monthly."""
    history = summary.spec.history
    noun = "day" if history is None else history.noun
    return {"day": "daily"}.get(noun, f"{noun}ly")


def move_rows(summary: MarketSummary) -> Iterator[tuple[str, ...]]:
    """Yield a row for each asset."""
    for asset in summary.assets:
        yield (
            name_of(asset.name),
            percent(asset.volatility),
            number(asset.excess_kurtosis, 2),
            percent(asset.drawdown_median),
            percent(asset.drawdown_p95),
        )


EXTREMES = ("", "worst day, %", "best day, %", "worst year, %", "best year, %", "deepest fall, %")
EXTREMES_TITLE = "The most extreme of all paths, with the path's number"
HELD_TITLES = {
    "instruments": "Instruments likewise, by themselves in dollars at mark with all cash received",
    "investors": "Investors likewise, what they hold in dollars at mark",
}


def extreme_rows(found: Mapping[str, Extremes]) -> Iterator[tuple[str, ...]]:
    """Yield a row for each name; a run that is shorter than a year has none of a year."""
    for name, item in found.items():
        days = (item.worst_day, item.best_day, item.worst_year, item.best_year)
        fall = "" if item.deepest_fall is None else _extreme(item.deepest_fall, signed=False)
        yield name_of(name), *("" if day is None else _extreme(day) for day in days), fall


def _extreme(found: Extreme, *, signed: bool = True) -> str:
    value = 100 * found.value
    return f"{number(value, 1 if abs(value) <= 100 else 0, signed=signed)} ({found.path:,})"


def correlation_columns(summary: MarketSummary, *, numbered: bool = False) -> tuple[str, ...]:
    """Return the heads; numbers in place of names where `numbered` and there are many."""
    if numbered and len(summary.assets) > _MOST_NAMED:
        return ("", *(str(place) for place in range(1, len(summary.assets) + 1)))
    return ("", *(name_of(asset.name) for asset in summary.assets))


def correlation_rows(
    summary: MarketSummary, *, numbered: bool = False
) -> Iterator[tuple[str, ...]]:
    """Yield a row for each asset; numbered as the columns are."""
    many = numbered and len(summary.assets) > _MOST_NAMED
    for place, (asset, row) in enumerate(zip(summary.assets, summary.correlation, strict=True)):
        head = f"{place + 1} {name_of(asset.name)}" if many else name_of(asset.name)
        yield head, *(number(float(value), 2 if many else 3) for value in row)
