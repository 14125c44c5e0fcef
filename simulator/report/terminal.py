"""The report on a terminal: verdicts, sources of return, replays; within 100 columns."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from simulator.engine.attribution import Contributions, Line, beside, contributions
from simulator.instruments.base import UNITS
from simulator.report import break_evens, depeg, losses, rooms, shocks
from simulator.report.blocks import put_blocks
from simulator.report.conditions import (
    condition_rows,
    measured,
    measured_range,
    reported_bound,
    told,
    told_range,
)
from simulator.report.console import STYLES, number_table, put, within
from simulator.report.replays import every_words
from simulator.report.sentences import remarks
from simulator.words import (
    HARD_SPACE,
    figure,
    gas_used,
    number,
    percent,
    plain,
    ratio,
    share,
    small,
    spoken,
)

if TYPE_CHECKING:
    from simulator.claims import Verdict
    from simulator.engine import BreakEven, Simulation
    from simulator.engine.shock_effects import ShockEffect
    from simulator.replay import EveryPath, Replay
    from simulator.scenario.files import LoadedScenario

POINTS = f"{HARD_SPACE}points"
_KIND_STYLES = {
    "organic": "green",
    "subsidised": "yellow",
    "market": "cyan",
    "loss": "red",
    "cost": "dark_orange3",
}


def print_report(
    console: Console,
    loaded: LoadedScenario,
    simulation: Simulation,
    verdicts: Sequence[Verdict],
    replays: Sequence[Replay],
    folder: Path | None = None,
    turns: Sequence[BreakEven] = (),
    effects: Sequence[ShockEffect] = (),
    every: EveryPath | None = None,
) -> None:
    """Print verdicts, conditions, break-evens, sources of return and replays.

    Parameters
    ----------
    console : Console
        Colours only where it is a terminal; never wider than 100 columns.
    folder : Path, optional
        The run's folder; the path of its `report.html` is then printed last.
    turns : sequence of BreakEven
        Of `engine.break_evens`.
    effects : sequence of ShockEffect
        Of `engine.shock_effects`.
    every : EveryPath, optional
        Where every path was played through the bytecode.
    """
    console = within(console)
    scenario = loaded.scenario
    put(console, Text(scenario.title, style="bold"))
    facts = f"{scenario.paths:,} paths of {scenario.horizon_days:,} days from {scenario.start}"
    put(console, Text(f"{facts}, seed {scenario.seed}; hypothetical performance"))
    put(console, _verdict_table(verdicts))
    put(console, _condition_table(simulation, verdicts))
    for words in remarks(verdicts):
        put(console, Text(plain(words)))
    if turns:
        _put_turns(console, turns)
    struck = shocks.section(scenario.shocks or (), effects)
    if struck is not None:
        put(console, Text(struck.title, style="bold"))
        put_blocks(console, struck.blocks)
    for table in _contribution_tables(simulation, verdicts):
        put(console, table)
    _put_losses(console, simulation)
    for investor in _subjects(simulation, verdicts):
        put_blocks(console, rooms.of_holder(simulation, investor))
    for _, found in rooms.sections(simulation):
        put(console, Text(found.title, style="bold"))
        put_blocks(console, found.blocks)
    _put_depeg(console, simulation)
    put(console, _replay_table(replays) if replays else Text("Not replayed on a chain."))
    for replay in replays:
        for note in replay.notes:
            put(console, Text(f"{replay.label}: {note}."))
    if every is not None:
        put(console, Text(plain(every_words(every))))
    if folder is not None:
        console.print(f"report: {folder / 'report.html'}", soft_wrap=True, markup=False)


def _put_turns(console: Console, turns: Sequence[BreakEven]) -> None:
    """Print at which values claims would be as likely as not."""
    table = number_table(break_evens.TITLE, break_evens.COLUMNS, words=2)
    for claim, parameter, *numbers in break_evens.rows(turns):
        table.add_row(Text(claim), Text(parameter), *(Text(plain(cell)) for cell in numbers))
    put(console, table)
    put(console, Text(plain(break_evens.intro(turns))))
    put(console, Text(""))


def _put_losses(console: Console, simulation: Simulation) -> None:
    """Print what every investor and instrument can lose."""
    table = number_table(losses.TITLE, ("", *losses.COLUMNS))
    table.columns[0].no_wrap = True
    for name, *numbers in losses.rows(simulation):
        table.add_row(Text(name), *(Text(plain(cell)) for cell in numbers))
    put(console, table)
    put(console, Text(plain(losses.intro(simulation))))
    put(console, Text(""))


def _put_depeg(console: Console, simulation: Simulation) -> None:
    """Print what the fall of USDC did; nothing where it stays a dollar."""
    told = depeg.story(simulation)
    if not told:
        return
    table = number_table(depeg.TITLE, depeg.COLUMNS)
    for name, *numbers in depeg.rows(simulation):
        table.add_row(Text(name), *(Text(plain(cell)) for cell in numbers))
    put(console, table)
    for words in told:
        put(console, Text(plain(words)))
    put(console, Text(""))


def _verdict_table(verdicts: Sequence[Verdict]) -> Table:
    columns = ("claim", "verdict", "probability", "median\np05 to p95", "drawdown", "organic")
    table = number_table("Verdicts", columns, words=2)
    table.columns[1].no_wrap = True
    for verdict in verdicts:
        given = f"\ngiven {spoken(verdict.given)}: {verdict.given_paths:,} paths"
        claim = Text(f"{verdict.claim}\n{spoken(verdict.measured)}{given if verdict.given else ''}")
        table.add_row(claim, _word(verdict), *(Text(plain(cell)) for cell in _numbers(verdict)))
    return table


def _word(verdict: Verdict) -> Text:
    """Return the word, and beneath it how firm it is, or how many paths were too few."""
    beneath = verdict.words.removeprefix(verdict.verdict).removeprefix(",").strip()
    beneath = beneath.replace("could be ", "could be\n")
    word = Text(verdict.verdict, style=STYLES[verdict.verdict])
    return word.append(f"\n{beneath}", style="not bold default") if beneath else word


def _numbers(verdict: Verdict) -> tuple[str, ...]:
    """Return the probability, or an effect's or a premise's estimate, and what was measured."""
    if verdict.reason:
        return ("",) * 4
    organic, scale = verdict.organic_share, verdict.scale
    ranged = verdict.parameter_range and told_range(verdict, verdict.parameter_range)
    wider = verdict.assumption_range and told_range(verdict, verdict.assumption_range)
    found = _with_errors(told(verdict), told_range(verdict, verdict.interval), ranged, wider)
    if not verdict.counted:
        return found, "", "", ""
    median = percent(verdict.median) if scale == "share" else figure(verdict.median, scale)
    median = measured(verdict, verdict.median) if verdict.compares else median
    return (
        found,
        f"{median}\n{measured_range(verdict)}",
        small(verdict.max_drawdown_median),
        "" if organic is None else percent(organic),
    )


def _with_errors(value: str, sampling: str, ranged: str | None, wider: str | None) -> str:
    """Return a number and its three errors in lines: sampling, parameters, assumptions.

    Only the number says points: the lines beneath are of the same unit, and room is scarce.
    """
    lines = [sampling]
    lines += [f"sets {ranged}"] if ranged else []
    lines += [f"assumed {wider}"] if wider else []
    return "\n".join([value, *(line.removesuffix(POINTS) for line in lines)])


def _condition_table(simulation: Simulation, verdicts: Sequence[Verdict]) -> Table:
    table = number_table("Each condition by itself", ("condition", "found", "95 % interval"))
    for verdict in verdicts:
        table.add_row(Text(verdict.claim, style="bold"), "", "")
        for words, *numbers in condition_rows(simulation, verdict):
            table.add_row(Text(plain(f"  {words}")), *(Text(plain(n)) for n in numbers))
        if verdict.above is not None:
            limit, beyond = verdict.above
            claim = simulation.scenario.claims[verdict.claim]
            words = f"  reported: {spoken(verdict.measured)} above {reported_bound(claim, limit)}"
            table.add_row(Text(plain(words)), Text(plain(share(beyond))), "")
    return table


def _contribution_tables(simulation: Simulation, verdicts: Sequence[Verdict]) -> list[Table]:
    subjects = _subjects(simulation, verdicts)
    found = {name: contributions(measures) for name, measures in simulation.investors.items()}
    days = simulation.scenario.horizon_days
    return [
        _contribution_table(
            found[name], [found[other] for other in beside(simulation, name, subjects)], days
        )
        for name in subjects
    ]


def _subjects(simulation: Simulation, verdicts: Sequence[Verdict]) -> list[str]:
    """Return the investors that claims are about."""
    named = dict.fromkeys(verdict.subject for verdict in verdicts)
    return [name for name in named if name in simulation.investors]


def _contribution_table(found: Contributions, others: Sequence[Contributions], days: int) -> Table:
    title = f"Where each yearly percent comes from: {found.investor}"
    if days not in (365, 366):
        title = f"Where each percent of {days:,} days comes from: {found.investor}"
    columns = (
        "mean over paths, % of the deposit",
        "kind",
        "ounces",
        "\u00b1 error",
        "dollars",
        "\u00b1 error",
    )
    table = number_table(title, columns, words=2)
    for line in found.sources:
        kind = line.kind or ""
        table.add_row(Text(line.label), Text(kind, style=_KIND_STYLES.get(kind, "")), *_cells(line))
    table.add_section()
    for line in found.kinds:
        table.add_row(Text(f"all {line.label}"), "", *_cells(line))
    table.add_section()
    for line in (found.gross, found.net):
        table.add_row(Text(line.label, style="bold"), "", *_cells(line))
    for other in others:
        table.add_row(Text(f"for comparison: net of {other.investor}"), "", *_cells(other.net))
    return table


def _cells(line: Line) -> list[str]:
    cells = []
    for unit in UNITS:
        mean = line.means.get(unit)
        if mean is None:
            cells += ["", ""]
        elif mean.value == 0 and mean.error == 0:
            cells += ["0", ""]
        else:
            cells += [plain(number(100 * mean.value, 2)), plain(number(100 * mean.error, 2))]
    return cells


def _replay_table(replays: Sequence[Replay]) -> Table:
    columns = ("replay", "chain", "path", "transactions", "gas", "worst error / tolerance", "")
    table = number_table("Model against contract", columns, words=2)
    for replay in replays:
        table.add_row(
            replay.label,
            replay.chain,
            f"{replay.path:,}",
            f"{replay.transactions:,}",
            plain(gas_used(replay.gas, exact=replay.gas_is_exact)),
            plain(ratio(replay.worst)),
            Text("agrees", style="green") if replay.ok else Text("differs", style="bold red"),
        )
    return table
