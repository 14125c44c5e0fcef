"""Where each yearly percent comes from: table and waterfalls of a measured investor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from simulator.instruments.base import Kind, Unit
from simulator.report import charts, mining
from simulator.report.attribution import Contributions, Line, beside, contributions
from simulator.report.markup import Column, Html, Row, element, join, section, table
from simulator.report.sentences import UNIT_WORDS
from simulator.report.words import HARD_SPACE, bound, number, percent, scientific

if TYPE_CHECKING:
    from simulator.claims import Verdict
    from simulator.engine import Simulation


def origin_section(simulation: Simulation, verdicts: Sequence[Verdict]) -> Html:
    """Return table and charts for each investor that a claim is about."""
    days = simulation.scenario.horizon_days
    named = dict.fromkeys(verdict.subject for verdict in verdicts)
    subjects = [name for name in named if name in simulation.investors]
    found = {name: contributions(simulation.investors[name]) for name in simulation.investors}
    intro = element(
        "p",
        f"Means over all paths, in percent of the deposit over {days:,} days. In ounces "
        "the metal's price plays no part; in dollars it does. The ± is one standard error of "
        "the mean. Parts add up exactly before they are rounded.",
    )
    parts = [intro]
    for subject in subjects:
        compared = [found[name] for name in beside(simulation, subject, subjects)]
        parts.append(_investor(simulation, found[subject], compared))
        triangle = credit_triangle(simulation, verdicts, subject)
        if triangle:
            parts.append(triangle)
        if mining.is_sto(simulation, subject):
            parts += _mine(simulation, subject)
    title = "Where each yearly percent comes from"
    if days not in (365, 366):
        title = f"Where each percent of {days:,} days comes from"
    return section("origin", title, *parts)


def _mine(simulation: Simulation, subject: str) -> list[Html]:
    """Return what happened to a mining STO's holders, whose money they got, and the triangle."""
    rows = [Row(cells) for cells in mining.happenings(simulation.investors[subject])]
    columns = [Column(words, numeric=place > 0) for place, words in enumerate(mining.COLUMNS)]
    caption = f"What happened to {subject}; a path counts in the first line that fits"
    parts = [
        table(columns, rows, caption=caption),
        element("p", element("b", "Whose money. "), mining.whose_money(simulation, subject)),
    ]
    found = mining.triangle(simulation, subject)
    if found is not None:
        head = element("b", "What such a promise pays for. ")
        parts.append(element("p", head, mining.triangle_words(found), class_="aside"))
    return parts


def _investor(
    simulation: Simulation, found: Contributions, compared: Sequence[Contributions]
) -> Html:
    gap = simulation.investors[found.investor].attribution_gap
    waterfalls = join(
        charts.embed(
            charts.waterfall(found, unit),
            f"waterfall-{found.investor}-{unit}",
            f"{found.investor}: from the sources to the net, in "
            f"{'ounces' if unit == 'ounces' else 'dollars'}",
            _spoken_waterfall(found, unit),
        )
        for unit in found.units
    )
    return join(
        (
            contribution_table(found, compared),
            element(
                "p",
                f"Largest gap between the sum of the sources and the result, on any path: "
                f"{scientific(gap)} of the deposit.",
                class_="note",
            ),
            element("div", waterfalls, class_="pair"),
        )
    )


def contribution_table(found: Contributions, compared: Sequence[Contributions]) -> Html:
    """Return sources under their kinds, gross and net, and others' nets for comparison."""
    lines: list[tuple[Line, str, str, Kind | None]] = []
    for kind in found.kinds:
        lines.append((kind, kind.label, "kind", kind.kind))
        lines += [(line, line.label, "source", None) for line in found.of_kind(kind.kind)]
    lines.append((found.gross, found.gross.label, "total", None))
    lines.append((found.net, found.net.label, "total net", None))
    for other in compared:
        words = f"For comparison, net of {other.investor} ({_name(other.holding)})"
        lines.append((other.net, words, "other", None))
    columns = [Column("Source", numeric=False)]
    for unit in found.units:
        columns += [Column(f"{UNIT_WORDS[unit]}, %"), Column("± error")]
    rows = [_row(*line, found.units) for line in lines]
    caption = f"{found.investor}, who holds {_name(found.holding)}"
    return table(columns, rows, caption=caption, class_="contributions")


def _name(holding: str) -> str:
    return f"the {holding.replace('_', ' ')}"


def _row(line: Line, label: str, class_: str, kind: Kind | None, units: Sequence[Unit]) -> Row:
    head: str = label
    if kind is not None:
        colour = charts.KIND_COLOURS[kind]
        head = join((element("span", class_="swatch", style=f"background:{colour}"), label))
    cells = [head]
    for unit in units:
        mean = line.means.get(unit)
        if mean is None:
            cells += ["", ""]
        elif mean.value == 0 and mean.error == 0:
            cells += ["0", ""]
        else:
            cells += [
                number(100 * mean.value, 2, signed=line.kind is not None),
                number(100 * mean.error, 2),
            ]
    return Row(cells, class_)


def _spoken_waterfall(found: Contributions, unit: Unit) -> str:
    parts = [
        f"{line.label} {percent(line.means[unit].value, 2, signed=True)}"
        for line in charts.shown(found)
    ]
    net = percent(found.net.means[unit].value, 2)
    return f"Waterfall of {found.investor}: {', '.join(parts)}; net {net}."


def credit_triangle(
    simulation: Simulation, verdicts: Sequence[Verdict], subject: str
) -> Html | None:
    """Return what hazard the promise would pay for, where the claim promises a yield in ounces.

    hazard = (promised - fair) / loss given default; fair is what the holding earns
    organically in this run. None where the inputs do not give it, or the run is not a year.
    """
    vault = simulation.scenario.instruments.gold_vault
    measures = simulation.investors[subject]
    promised = _promised(simulation, verdicts, subject)
    if simulation.scenario.horizon_days not in (365, 366):
        return None
    if vault is None or measures.holding != "gold_vault" or promised is None:
        return None
    organic = [line for line in contributions(measures).kinds if line.kind == "organic"]
    fair = organic[0].means["ounces"].value if organic else 0.0
    if not promised > fair or vault.exploit_severity <= 0:
        return None
    implied = (promised - fair) / vault.exploit_severity
    return element(
        "p",
        element("b", "What such a promise pays for. "),
        f"The organic sources earn {percent(fair, 2)}. If the rest of the promised "
        f"{bound(promised)} were the fair price of losing {bound(vault.exploit_severity)} of the "
        f"deposit, that loss would have a hazard of {percent(implied)}{HARD_SPACE}a year: "
        "(promised − organic) / loss. This is risk-neutral and an upper bound, since subsidies "
        f"pay a part. The scenario assumes {bound(vault.exploit_hazard)} a year.",
        class_="aside",
    )


def _promised(simulation: Simulation, verdicts: Sequence[Verdict], subject: str) -> float | None:
    for verdict in verdicts:
        for condition in simulation.scenario.claims[verdict.claim].conditions:
            wanted = (condition.measure, condition.unit) == ("annual_yield", "ounces")
            if verdict.subject == subject and wanted and condition.at_least is not None:
                return condition.at_least
    return None
