"""Why an asset rises here: its drift, part by part."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from simulator.report import charts
from simulator.report.market.tables import name_of
from simulator.report.markup import Column, Html, Row, element, section, table
from simulator.words import number, percent

if TYPE_CHECKING:
    from simulator.engine.drift import DriftShare
    from simulator.engine.market import MarketSummary

_SMALLEST = 5e-5
"""A part whose mean and range round to 0.00 % is left out."""
_COLUMNS = (
    Column("Part", numeric=False),
    Column("Kind", numeric=False),
    Column("% a year"),
    Column("p05"),
    Column("p95"),
)
_KIND_WORDS = {
    "base": "the scenario's drift",
    "channel": "a channel",
    "view": "the scenario's view",
    "convexity": "correction",
}


def parts_of(summary: MarketSummary, asset: str) -> list[DriftShare]:
    """Return an asset's parts that do not round to zero; the base always."""
    return [
        share
        for share in summary.drift
        if share.asset == asset
        and (share.kind == "base" or max(map(abs, (share.mean, share.p05, share.p95))) >= _SMALLEST)
    ]


def total_of(summary: MarketSummary, asset: str) -> float:
    """Return the sum of all of an asset's parts."""
    return sum(share.mean for share in summary.drift if share.asset == asset)


def drift_lines(summary: MarketSummary) -> Iterator[str]:
    """Yield a line for each asset: `gold +6.1 %: base +3.5, central banks +2.0, ...`."""
    for asset in summary.assets:
        found = parts_of(summary, asset.name)
        parts = ", ".join(f"{share.label} {_points(share.mean)}" for share in found)
        total = percent(total_of(summary, asset.name), 2, signed=True)
        yield f"{name_of(asset.name)} {total}: {parts}"


def _points(value: float) -> str:
    return number(100 * value, 2, signed=True)


def drift_section(summary: MarketSummary) -> Html:
    """Return table and waterfall of each asset."""
    years = "a year" if summary.scenario.horizon_days != 365 else "over the year"
    intro = (
        f"Log growth {years} that the model gives an asset on average over the paths, part by "
        "part; parts add up to the whole. The base is the scenario's drift. Channels act on "
        "surprises of the factors, so their means are near zero where nothing is expected of the "
        "factors beyond their own average: p05 to p95 says how far they carry a single path. "
        "Views of the scenario act in full."
    )
    notes = [element("p", note, class_="aside") for note in summary.notes]
    figures = [_figure(summary, asset.name) for asset in summary.assets]
    return section(
        "drift",
        "Why it rises here",
        element("p", intro),
        *notes,
        element("div", *figures, class_="pair"),
        _table(summary),
    )


def _figure(summary: MarketSummary, asset: str) -> Html:
    found = parts_of(summary, asset)
    steps = [
        charts.DriftStep(
            share.label, share.kind, 100 * share.mean, 100 * share.p05, 100 * share.p95
        )
        for share in found
    ]
    total = total_of(summary, asset)
    spoken = ", ".join(f"{share.label} {_points(share.mean)}" for share in found)
    title = f"{name_of(asset).capitalize()}: {percent(total, 2, signed=True)} a year"
    label = f"Waterfall of the drift of {name_of(asset)}, percent a year: {spoken}."
    return charts.embed(charts.drift(steps, 100 * total), f"drift-{asset}", title, label)


def _table(summary: MarketSummary) -> Html:
    """Return all parts in one table, each asset's under its name."""
    rows = []
    for asset in summary.assets:
        rows.append(Row((name_of(asset.name).capitalize(),)))
        rows += [_row(share) for share in parts_of(summary, asset.name)]
        total = _points(total_of(summary, asset.name))
        rows.append(Row(("together", "", total, "", ""), "total"))
    return table(_COLUMNS, rows, caption="Every part, percent a year")


def _row(share: DriftShare) -> Row:
    numbers = (_points(value) for value in (share.mean, share.p05, share.p95))
    return Row((share.label, _KIND_WORDS[share.kind], *numbers))
