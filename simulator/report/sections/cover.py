"""What price cover cost, was worth and paid, and the miner's cash flow with and without it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from simulator.report import charts
from simulator.report.cover import COLUMNS, daily, labels, sums, worst
from simulator.report.markup import Column, Html, Row, element, join, section, table
from simulator.report.words import figure

if TYPE_CHECKING:
    from simulator.engine import Simulation


def cover_section(simulation: Simulation) -> Html:
    """Return a table and fans for each price cover; nothing where there is none."""
    return join(_cover(simulation, label) for label in labels(simulation))


def _cover(simulation: Simulation, label: str) -> Html:
    terms = simulation.scenario.instruments.price_cover[label]
    days = terms.miner.cover.renew_every_days
    intro = element(
        "p",
        "The fair value is that of a put on the settlement, by Black's formula with the market "
        "model's volatility, on the days the covers were bought. What the premium is above it "
        "pays the underwriters for their risk. Cash flows are those of the last whole "
        f"{days} days.",
    )
    columns = (Column(COLUMNS[0], numeric=False), *(Column(name) for name in COLUMNS[1:]))
    rows = [Row(cells) for cells in sums(simulation, label)]
    return section(
        f"cover-{label}",
        f"Price cover: {label}",
        intro,
        table(columns, rows, caption="What the cover cost, was worth, and paid"),
        element("p", worst(simulation, label)),
        element("div", *_fans(simulation, label), class_="pair"),
    )


def _fans(simulation: Simulation, label: str) -> Iterator[Html]:
    pool, miner, unhedged = simulation.scenario.instruments.price_cover[label].names(label)
    for name, words in ((miner, "with cover"), (unhedged, "without cover")):
        yield _fan(simulation, f"{name}.period_cash_usd", f"The miner's cash flow {words}", "USD")
    yield _fan(simulation, f"{pool}.utilisation", "Sums insured over capacity", "%", 100.0)


def _fan(simulation: Simulation, series: str, words: str, unit: str, scale: float = 1.0) -> Html:
    rows = daily(simulation, series)
    drawn = charts.fan(rows, unit=unit, scale=scale, tick_format=",.3~s", hover_format=",.3s")
    last = rows.iloc[-1]
    low, middle, high = (figure(scale * float(last[q]), "level") for q in ("p05", "p50", "p95"))
    spoken = f"{words}, {unit}; at the end median {middle}, p05 {low}, p95 {high}."
    return charts.embed(drawn, f"fan-{series.replace('.', '-')}", f"{words}, {unit}", spoken)
