"""What happened to whom as USDC fell below a dollar."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.report import charts
from simulator.report.depeg import COLUMNS, TITLE, rows, story
from simulator.report.markup import Column, Html, Row, element, fold, join, table

if TYPE_CHECKING:
    from simulator.engine import Simulation

_NOTE = (
    "Medians over the paths on which it falls; the day's moves of metals and tokens are in it. "
    "Later is the day on which what comes back is back. What is paid out in USDC counts at the "
    "dollars of its day."
)


def depeg_section(simulation: Simulation) -> Html:
    """Return the story, a table and the price of USDC; nothing where it stays a dollar."""
    told = story(simulation)
    if not told:
        return join(())
    columns = (Column(COLUMNS[0], numeric=False), *(Column(name) for name in COLUMNS[1:]))
    lines = [Row(cells) for cells in rows(simulation)]
    return fold(
        "depeg",
        TITLE,
        *(element("p", words) for words in told),
        table(columns, lines, caption="What leaving would have paid, in dollars"),
        element("p", _NOTE),
        element("div", _price(simulation), class_="pair"),
    )


def _price(simulation: Simulation) -> Html:
    daily = simulation.daily[simulation.daily["series"] == "price.usdc"]
    drawn = charts.fan(daily, unit="USD", tick_format=",.2f", hover_format=",.4f")
    words = "Price of USDC in dollars"
    lowest = f"{words}; its lowest median is {daily['p50'].min():.2f}."
    return charts.embed(drawn, "fan-usdc", words, lowest)
