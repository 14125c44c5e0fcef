"""How the run can go: fans over time and distributions over paths."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pandas as pd

from simulator.engine.attribution import compared
from simulator.engine.moments import moments, of_investor, of_series
from simulator.instruments.base import Unit
from simulator.report import charts, losses, rooms
from simulator.report.blocks import blocks_markup, fan_markup, marks_of
from simulator.report.headline import FEW, money_table
from simulator.report.markup import Column, Html, Row, element, fold, join, table
from simulator.report.sections.investors import investors_table
from simulator.words import UNIT_WORDS, bound, percent, rounded, runs

if TYPE_CHECKING:
    from simulator.engine import Simulation
    from simulator.engine.headline import Headline
    from simulator.scenario.claims import Condition

_VISIBLE = 1e-4
_QUANTITIES = {
    "annual_yield": "yield a year",
    "total_return": "total return",
    "drawdown": "deepest fall of the exit value",
    "money_weighted_return": "money-weighted return",
    "ulcer": "Ulcer index",
    "volatility": "volatility a year",
    "expected_shortfall": "mean loss of the worst 5 % of days",
    "yield_deviation": "deviation of 30-day annualised yields",
}


def outcomes_section(simulation: Simulation, found: Headline) -> Html:
    """Return fans of exit values, distributions of measures, and the market behind them."""
    key = element(
        "p",
        join(
            (
                element("span", class_="swatch median"),
                "median ",
                element("span", class_="swatch inner"),
                "middle half of the paths (p25 to p75) ",
                element("span", class_="swatch outer"),
                "nine in ten (p05 to p95) ",
                element("span", class_="swatch limit"),
                "what the claim names",
            )
        ),
        class_="key",
    )
    return fold(
        "outcomes",
        "How a run can go",
        *_money(simulation, found),
        investors_table(simulation),
        *_losses(simulation),
        element(
            "p",
            "What leaving on each day would pay, with all cash received until then. The bands "
            "are taken day by day; no single path follows them, and one in twenty lies below.",
        ),
        key,
        element("div", *_exits(simulation), class_="pair"),
        *_allocations(simulation),
        element("h3", "Distributions over all paths"),
        element("div", *_distributions(simulation), class_="pair"),
        element("h3", "The market behind it"),
        element("div", *_market(simulation), class_="pair"),
    )


def _money(simulation: Simulation, found: Headline) -> list[Html]:
    """Return what becomes of everybody's money, where the first screen holds not all of them."""
    if len(found.money) <= FEW:
        return []
    return blocks_markup([money_table(found, simulation.scenario.horizon_days)])


def _losses(simulation: Simulation) -> Iterator[Html]:
    """Yield what every investor and instrument can lose."""
    rows = [Row(cells) for cells in losses.flat_rows(simulation)]
    columns = (Column("Who or what", numeric=False), *map(Column, losses.FLAT))
    yield element("p", losses.intro(simulation))
    yield table(columns, rows, caption=losses.TITLE, class_="stack")


def _rows(simulation: Simulation, series: str) -> pd.DataFrame:
    return simulation.daily[simulation.daily["series"] == series]


def _conditions(simulation: Simulation, investor: str) -> Iterator[Condition]:
    for claim in simulation.scenario.claims.values():
        if claim.subject == investor and claim.kind == "event":
            plain = (c for c in claim.conditions if c.series is None and c.over is None)
            yield from plain


def _exits(simulation: Simulation) -> Iterator[Html]:
    known = moments(simulation)
    for name in simulation.investors:
        for unit in simulation.investors[name].units:
            rows = _rows(simulation, f"exit.{name}.{unit}")
            figure = charts.fan(
                rows,
                unit=UNIT_WORDS[unit],
                hover_format=",.2f" if unit == "ounces" else ",.0f",
                thresholds=_growth(simulation, name, unit),
                marks=marks_of(of_investor(simulation, known, name)),
            )
            words = f"{name}: exit value in {UNIT_WORDS[unit]}"
            yield charts.embed(figure, f"fan-{name}-{unit}", words, _spoken_fan(words, rows))


def _allocations(simulation: Simulation) -> Iterator[Html]:
    """Yield a chart for each portfolio, with a heading where there is one."""
    found = {n: m for n, m in simulation.investors.items() if m.allocation}
    if not found:
        return
    yield element("h3", "What the portfolios are made of")
    days = simulation.spec.dates.strftime("%Y-%m-%d").tolist()
    figures = []
    for name, measured in found.items():
        held = {key.replace("_", " "): shares for key, shares in measured.allocation.items()}
        present = {key: shares for key, shares in held.items() if shares.max() > _VISIBLE}
        last = ", ".join(f"{key} {percent(float(s[-1]))}" for key, s in present.items())
        note = f"Bought and sold in all: {percent(float(measured.turnover.sum()))} of the value."
        title = f"{name}: mean share of each holding at mark"
        label = f"{title}; on the last day {last}."
        chart = charts.area(days, present)
        figures.append(charts.embed(chart, f"allocation-{name}", title, label, note))
    yield element("div", *figures, class_="pair")


def _growth(simulation: Simulation, investor: str, unit: Unit) -> list[charts.Threshold]:
    """Return the growth that claims name; each bound once."""
    found: dict[float, charts.Threshold] = {}
    for condition in _conditions(simulation, investor):
        if condition.unit != unit or condition.measure not in ("annual_yield", "total_return"):
            continue
        annual = condition.measure == "annual_yield"
        for value in (condition.at_least, condition.at_most, condition.reported_above):
            if value is not None:
                found[value] = charts.Threshold(value, annual)
    return list(found.values())


def _spoken_fan(words: str, rows: pd.DataFrame) -> str:
    last = rows.iloc[-1]
    low, middle, high = (rounded(float(last[q])) for q in ("p05", "p50", "p95"))
    return f"{words}; at the end median {middle}, p05 {low}, p95 {high}."


def _distributions(simulation: Simulation) -> Iterator[Html]:
    """Yield each subject's yields and falls in each unit, and whatever else a claim names."""
    named = dict.fromkeys(claim.subject for claim in simulation.scenario.claims.values())
    for name in (subject for subject in named if subject is not None):
        conditions = list(_conditions(simulation, name))
        wanted: dict[tuple[str, Unit], None] = {
            (measure, unit): None
            for measure in ("annual_yield", "drawdown")
            for unit in simulation.investors[name].units
        }
        wanted |= {
            (c.measure, c.unit): None
            for c in conditions
            if c.unit is not None and c.scale == "share"
        }
        for measure, unit in wanted:
            marks = {
                value: bound(value)
                for condition in conditions
                if (condition.measure, condition.unit) == (measure, unit)
                for value in (condition.at_least, condition.at_most, condition.reported_above)
                if value is not None
            }
            yield from _distribution(simulation, name, measure, unit, marks)


def _distribution(
    simulation: Simulation, name: str, measure: str, unit: Unit, marks: dict[float, str]
) -> Iterator[Html]:
    values = simulation.investors[name].values[measure, unit]
    if pd.isna(values).any():
        return
    bins = charts.lay_out(values, list(marks))
    beside = None
    key = measure, unit
    others = [o for o in compared(simulation, name) if key in simulation.investors[o].values]
    if unit == "usd" and others:
        beside = (others[0], simulation.investors[others[0]].values[measure, unit])
    quantity = f"{_QUANTITIES[measure]} in {UNIT_WORDS[unit]}"
    figure = charts.histogram(bins, thresholds=marks, beside=beside)
    notes = [f"Not drawn: {bins.outside}."] if bins.outside else []
    notes += [f"Grey outline: {beside[0]}."] if beside else []
    label = f"Distribution of {quantity} over {runs(365, values.size).split()[0]} paths of {name}."
    title = f"{name}: {quantity}"
    yield charts.embed(
        figure, f"distribution-{name}-{measure}-{unit}", title, label, " ".join(notes)
    )


def _market(simulation: Simulation) -> Iterator[Html]:
    drifts: dict[str, float] = {
        name: terms.drift for name, terms in simulation.scenario.market.assets.items()
    }
    known = moments(simulation)
    followed = (position.follows for position in simulation.scenario.positions.values())
    for asset in dict.fromkeys(followed):
        rows = _rows(simulation, f"price.{asset}")
        unit = simulation.calibration.assets[asset].price.unit
        words = f"{asset.replace('_', ' ').capitalize()} price in {unit}"
        figure = charts.fan(
            rows,
            unit=unit,
            hover_format=",.0f",
            marks=marks_of(of_series(known, asset)),
        )
        note = _growth_words(simulation, drifts[asset])
        yield charts.embed(figure, f"fan-{asset}", words, _spoken_fan(words, rows), note)
    for fan in rooms.fans(simulation):
        label = fan.series.partition(".")[0]
        yield fan_markup(fan, simulation.daily, marks_of(of_series(known, label)))


def _growth_words(simulation: Simulation, drift: float) -> str:
    """Return what is said of an asset's growth: what moves it besides is in the fan too."""
    market = simulation.scenario.market
    if market.model == "history":
        return "As the history has it, on every path."
    beside = ["what channels and views add"] if market.model == "macro" else []
    beside += ["shocks"] if simulation.scenario.shocks else []
    words = f"Drift {percent(drift)} a year, an input of the scenario"
    return f"{words}; {' and '.join(beside)} come on top of it." if beside else f"{words}."
