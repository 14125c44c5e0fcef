"""The answer on one screen: verdicts in groups, what matters most, whether the chain agrees."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from rich.text import Text

from simulator.engine.attribution import Line, contributions
from simulator.report.conditions import told, told_range
from simulator.report.console import STYLES, put, within
from simulator.report.sections.agreement import every_words, worst_ratio
from simulator.words import (
    VERDICTS,
    gas_used,
    number,
    percent,
    plain,
    ratio,
    share,
)

if TYPE_CHECKING:
    from rich.console import Console

    from simulator.claims import Verdict
    from simulator.engine import Simulation
    from simulator.engine.shock_effects import ShockEffect
    from simulator.instruments.base import Unit
    from simulator.replay import EveryPath, Replay
    from simulator.scenario.models import Scenario

LINES = 40
"""What a terminal gets at most, with the line that names the report."""
_GROUPS = ("Products", "Prices and factors", "Investors")
_TAIL = 0.05
_SHOCKS = 5
"""So many shocks are told one by one."""
_WORDS = 16
"""Columns in which a verdict's word stands."""


def brief(
    simulation: Simulation,
    verdicts: Sequence[Verdict],
    replays: Sequence[Replay],
    every: EveryPath | None,
    width: int,
    effects: Sequence[ShockEffect] = (),
) -> list[str]:
    """Return the answer in fewer than `LINES` lines of at most `width` columns.

    Claims are told with probability (an effect with its difference) and range: over the
    parameter sets, or of sampling where there are none. Where that is too long, without the
    ranges; and where it still is, they are counted.

    Parameters
    ----------
    every : EveryPath or None
        Where every path was played through the bytecode.
    effects : sequence of ShockEffect
        Of `engine.shock_effects`.
    """
    scenario = simulation.scenario
    facts = f"{scenario.paths:,} paths of {scenario.horizon_days:,} days from {scenario.start}"
    top = [scenario.title, f"{facts}, seed {scenario.seed}; hypothetical performance"]
    end = [*_matters(simulation, verdicts, effects), _agreement(replays, every)]
    around = [line for words in (*top, *end) for line in _wrapped(words, "  ", width)]
    room = LINES - 2 - len(around)
    found: list[str] = []
    for tell in (_with_range, _without_range, None):
        found = list(_grouped(scenario, verdicts, tell, width))
        if len(found) <= room:
            break
    head = sum(len(_wrapped(words, "  ", width)) for words in top)
    return [*around[:head], *found[:room], *around[head:]]


def print_brief(
    console: Console,
    simulation: Simulation,
    verdicts: Sequence[Verdict],
    replays: Sequence[Replay],
    every: EveryPath | None = None,
    effects: Sequence[ShockEffect] = (),
) -> None:
    """Print the answer; colours only where it is a terminal, never wider than 100 columns."""
    console = within(console)
    lines = brief(simulation, verdicts, replays, every, console.width, effects)
    for place, line in enumerate(lines):
        text = Text(line, style="bold" if place == 0 or line in _GROUPS else "")
        word = line[:_WORDS].strip()
        text.stylize(STYLES.get(word, ""), 0, _WORDS)
        put(console, text)


def _wrapped(words: str, indent: str, width: int) -> list[str]:
    """Return words in lines; names with hyphens are never broken in the middle."""
    lines = textwrap.wrap(words, width, subsequent_indent=indent, break_on_hyphens=False)
    return [plain(line) for line in lines]


def group_of(scenario: Scenario, verdict: Verdict) -> str:
    """Return which group a verdict stands in: by what the claim is about."""
    investor = scenario.investors.get(verdict.subject)
    if investor is not None:
        return "Investors" if investor.holding is None else "Products"
    label = verdict.subject.partition(".")[0]
    return "Products" if label in scenario.instruments else "Prices and factors"


def _grouped(
    scenario: Scenario,
    verdicts: Sequence[Verdict],
    tell: Callable[[Verdict], str] | None,
    width: int,
) -> Iterator[str]:
    """Yield the groups, each with a paragraph a word; within it the likeliest first."""
    for group in _GROUPS:
        within = [verdict for verdict in verdicts if group_of(scenario, verdict) == group]
        if within:
            yield group
        for word in VERDICTS:
            those = [verdict for verdict in within if verdict.verdict == word]
            if those:
                those.sort(key=lambda verdict: -np.nan_to_num(verdict.likelihood, nan=-1.0))
                entries = f"{len(those)} claims" if tell is None else ", ".join(map(tell, those))
                yield from _wrapped(f"  {word:<{_WORDS - 3}} {entries}", " " * _WORDS, width)


def _with_range(verdict: Verdict) -> str:
    if verdict.reason:
        return verdict.claim
    around = told_range(verdict, verdict.parameter_range or verdict.interval)
    beside = f", could be {verdict.could_be}" if verdict.could_be else ""
    return f"{_without_range(verdict)} ({around}{beside})"


def _without_range(verdict: Verdict) -> str:
    return verdict.claim if verdict.reason else f"{verdict.claim} {told(verdict)}"


def _matters(
    simulation: Simulation, verdicts: Sequence[Verdict], effects: Sequence[ShockEffect]
) -> Iterator[str]:
    """Yield what an investor gets, where it comes from, what shocks do, what to doubt first."""
    who = _first_investor(simulation, verdicts)
    if who is not None:
        yield _money_words(simulation, who)
        yield _source_words(simulation, who)
        if effects:
            yield _shock_words(effects, who)
    doubt = _doubt_words(verdicts)
    if doubt:
        yield doubt


def _first_investor(simulation: Simulation, verdicts: Sequence[Verdict]) -> str | None:
    """Return whom the first claim about a portfolio is about; else about any investor."""
    named = [v.subject for v in verdicts if v.subject in simulation.investors]
    portfolios = [name for name in named if simulation.scenario.investors[name].holding is None]
    return next(iter((*portfolios, *named, *simulation.investors)), None)


def _unit(simulation: Simulation, who: str) -> Unit:
    units = simulation.investors[who].units
    return "usd" if "usd" in units else units[0]


def _money_words(simulation: Simulation, who: str) -> str:
    """Return what becomes of an investor's money, in whole dollars or ounces."""
    unit = _unit(simulation, who)
    measured = simulation.investors[who]
    returns = measured.values["total_return", unit]
    put_in = float(np.mean(measured.initial[unit]))
    low, middle, high = np.quantile(returns, (_TAIL, 0.5, 1 - _TAIL))
    name = "dollars" if unit == "usd" else "ounces"
    digits = 0 if put_in >= 1_000 else 2
    ends = [number(put_in * (1 + value), digits) for value in (middle, low, high)]
    loss = share(float(np.mean(returns < 0)))
    return (
        f"Money: {who} puts in {number(put_in, digits)} {name} and leaves with {ends[0]} in the "
        f"median, {ends[1]} to {ends[2]} in nine cases of ten; a loss on {loss} of paths."
    )


def _source_words(simulation: Simulation, who: str) -> str:
    """Return the largest gains and losses by source, as means over paths."""
    unit = _unit(simulation, who)
    found = contributions(simulation.investors[who])
    lines = sorted(found.sources, key=lambda line: -abs(_value(line, unit)))
    shown = [line for line in lines if abs(_value(line, unit)) >= 5e-4][:3]
    net = percent(_value(found.net, unit), 2, signed=True)
    parts = ", ".join(
        f"{line.label} {percent(_value(line, unit), 2, signed=True)}" for line in shown
    )
    return f"From: {net} in the mean over all days; most of it {parts or 'from nothing large'}."


def _shock_words(effects: Sequence[ShockEffect], who: str) -> str:
    """Return what each shock does to the mean return, those that do most, and all together."""
    *each, together = effects
    each = each or [together]
    each.sort(key=lambda effect: -abs(effect.returns[who]))
    parts = [f"{e.shock} {number(100 * e.returns[who], 1, signed=True)}" for e in each[:_SHOCKS]]
    whole = f"; together {number(100 * together.returns[who], 1, signed=True)}"
    return f"Shocks, points of that mean: {', '.join(parts)}{whole if len(each) > 1 else ''}."


def _value(line: Line, unit: Unit) -> float:
    mean = line.means.get(unit)
    return 0.0 if mean is None else mean.value


def _doubt_words(verdicts: Sequence[Verdict]) -> str:
    """Return the assumption that moves most claims most."""
    moved = Counter(v.moved_most_by for v in verdicts if v.moved_most_by)
    if not moved:
        return ""
    (name, count), *rest = moved.most_common(2)
    also = f", {rest[0][0]} {rest[0][1]}" if rest else ""
    claims = "claim" if count == 1 else "claims"
    return f"Doubt first: of all assumptions {name} moves {count} {claims} most{also}."


def _agreement(replays: Sequence[Replay], every: EveryPath | None) -> str:
    """Return whether model and contracts agree, on which chain and how nearly."""
    if not replays:
        words = "Model and contracts: not replayed on a chain."
    else:
        worst = ratio(max(worst_ratio(replay) for replay in replays))
        off = [replay.label for replay in replays if not replay.ok]
        agree = f"differ in {', '.join(off)}" if off else "agree"
        sent = sum(replay.transactions for replay in replays)
        gas = gas_used(sum(replay.gas for replay in replays), exact=replays[0].gas_is_exact)
        words = (
            f"Model and contracts {agree}: {_paths(len(replays))} on {replays[0].chain}, {sent:,} "
            f"transactions, {gas} gas, worst error {worst} of its tolerance."
        )
    return words if every is None else f"{words} {every_words(every)}"


def _paths(count: int) -> str:
    return "1 path" if count == 1 else f"{count} paths"
