"""The answer on one screen: verdicts in groups, what matters most, whether the chain agrees."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import TYPE_CHECKING

from rich.text import Text

from simulator.engine.headline import headline
from simulator.report.console import STYLES, put, within
from simulator.report.headline import (
    LEFT_OUT,
    Group,
    facts,
    figures,
    groups,
    money_words,
    short_of,
)
from simulator.words import VERDICTS, Word, plain

if TYPE_CHECKING:
    from rich.console import Console

    from simulator.claims import Verdict
    from simulator.engine import BreakEven, Simulation
    from simulator.engine.shock_effects import ShockEffect
    from simulator.instruments.page import Paragraph
    from simulator.replay import EveryPath, Replay

LINES = 40
"""What a terminal gets at most, with the line that names the report."""

Entries = Callable[[Word, Sequence["Verdict"]], str]
"""How the claims of a word are told."""


def brief(
    simulation: Simulation,
    verdicts: Sequence[Verdict],
    replays: Sequence[Replay],
    every: EveryPath | None,
    width: int,
    effects: Sequence[ShockEffect] = (),
    turns: Sequence[BreakEven] = (),
) -> list[str]:
    """Return the answer in fewer than `LINES` lines of at most `width` columns, from 60 columns on.

    Claims are told with probability (an effect with its difference) and range: over the
    parameter sets, or of sampling where there are none. Where that is too long, with one bound for
    all that are refuted; without costs, sources and break-evens, one by one; without groups; the
    refuted counted; without ranges; and all counted in the end.

    Parameters
    ----------
    every : EveryPath or None
        Where every path was played through the bytecode.
    effects : sequence of ShockEffect
        Of `engine.shock_effects`.
    turns : sequence of BreakEven
        Of `engine.break_evens`.
    """
    scenario = simulation.scenario
    found = headline(simulation, verdicts, turns)
    run = f"{scenario.paths:,} paths, {scenario.horizon_days:,} days from {scenario.start}"
    top = [scenario.title, f"{run}, seed {scenario.seed}; hypothetical performance"]
    money = [money_words(found)] if found.money else []
    ends = [[*money, *facts(simulation, found, replays, every, effects)]]
    for lead in LEFT_OUT:
        ends.append([one for one in ends[-1] if one.lead != lead])
    head = [line for words in top for line in _wrapped(words, "  ", width)]
    for laid, end in _ways(groups(scenario, verdicts), ends, width):
        tail = [line for one in end for line in _wrapped(f"{one.lead} {one.text}", "  ", width)]
        told = [*head, *laid, *tail]
        if len(told) < LINES:
            break
    return told


def _ways(
    grouped: Sequence[Group], ends: Sequence[Sequence[Paragraph]], width: int
) -> Iterator[tuple[Iterator[str], Sequence[Paragraph]]]:
    """Yield the verdicts and what stands behind them, ever shorter."""
    together = [Group("", _by_word(grouped))]
    for end in ends:
        yield _told(grouped, _whole, width), end
        yield _told(grouped, _refuted_in_one, width), end
    for entries in (_refuted_in_one, _refuted_counted, _numbers):
        yield _told(together, entries, width), ends[-1]
    yield _counted(together[0], width), ends[0]


def _by_word(grouped: Sequence[Group]) -> tuple[tuple[Word, tuple[Verdict, ...]], ...]:
    """Return the verdicts of all groups by their word alone."""
    every = [verdict for group in grouped for _, those in group.words for verdict in those]
    found = [(word, tuple(v for v in every if v.verdict == word)) for word in VERDICTS]
    return tuple((word, those) for word, those in found if those)


def print_brief(
    console: Console,
    simulation: Simulation,
    verdicts: Sequence[Verdict],
    replays: Sequence[Replay],
    every: EveryPath | None = None,
    effects: Sequence[ShockEffect] = (),
    turns: Sequence[BreakEven] = (),
) -> None:
    """Print the answer; colours only where it is a terminal, never wider than 100 columns."""
    console = within(console)
    leads = ["  ", *(f"{group.title}, " for group in groups(simulation.scenario, verdicts))]
    lines = brief(simulation, verdicts, replays, every, console.width, effects, turns)
    for place, line in enumerate(lines):
        text = Text(line, style="bold" if place == 0 else "")
        for lead, word in product(leads, VERDICTS):
            if line.startswith(f"{lead}{word}:"):
                text.stylize("bold", 0, len(lead))
                text.stylize(STYLES.get(word, ""), len(lead), len(lead) + len(word))
        put(console, text)


def _wrapped(words: str, indent: str, width: int) -> list[str]:
    """Return words in lines; a name is broken only where it is longer than a line."""
    lines = textwrap.wrap(words, width, subsequent_indent=indent, break_on_hyphens=False)
    return [plain(line) for line in lines]


def _told(grouped: Sequence[Group], entries: Entries, width: int) -> Iterator[str]:
    """Yield a paragraph a word of each group, its title before the first."""
    for group in grouped:
        lead = f"{group.title}, " if group.title else "  "
        for word, verdicts in group.words:
            yield from _wrapped(f"{lead}{word}: {entries(word, verdicts)}", "    ", width)
            lead = "  "


def _parted(verdicts: Sequence[Verdict], tell: Callable[[Verdict], str]) -> str:
    """Return the claims of a word, those that could be another one behind the others."""
    others = dict.fromkeys(verdict.could_be for verdict in verdicts)
    parts = []
    for other in sorted(others, key=bool):
        entries = ", ".join(tell(verdict) for verdict in verdicts if verdict.could_be == other)
        parts.append(f"could be {other}: {entries}" if other else entries)
    return "; ".join(parts)


def _whole(word: Word, verdicts: Sequence[Verdict]) -> str:
    return _parted(verdicts, _entry)


def _refuted_in_one(word: Word, verdicts: Sequence[Verdict]) -> str:
    """Return one bound for all events that are refuted."""
    alike = [v for v in verdicts if v.counted and not v.could_be] if word == "refuted" else []
    if not alike:
        return _whole(word, verdicts)
    rest = [verdict for verdict in verdicts if verdict not in alike]
    return "; ".join(filter(None, (short_of(alike), _whole(word, rest))))


def _refuted_counted(word: Word, verdicts: Sequence[Verdict]) -> str:
    return f"{len(verdicts)} claims" if word == "refuted" else _whole(word, verdicts)


def _numbers(word: Word, verdicts: Sequence[Verdict]) -> str:
    return _parted(verdicts, lambda verdict: _entry(verdict).partition(" (")[0])


def _entry(verdict: Verdict) -> str:
    return f"{verdict.claim} {figures(verdict)}".strip()


def _counted(every: Group, width: int) -> Iterator[str]:
    """Yield how many claims have earned each word."""
    counts = {word: len(verdicts) for word, verdicts in every.words}
    words = ", ".join(f"{count} {word}" for word, count in counts.items())
    told = f"{sum(counts.values())} claims: {words}; -v and the report name them"
    yield from _wrapped(told, "  ", width)
