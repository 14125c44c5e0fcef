"""What stands first, on the terminal and in the report: verdicts in groups, money, and facts.

The numbers are those of `engine.headline`; here they become words, once for both.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simulator.engine.headline import STAKE, Headline, Money
from simulator.instruments.page import Paragraph, Table
from simulator.report.conditions import told, told_range
from simulator.report.replays import every_words
from simulator.words import (
    HARD_SPACE,
    UNIT_WORDS,
    VERDICTS,
    Word,
    brief_range,
    figure,
    number,
    percent,
    ratio,
    share,
    tabled,
    with_unit,
)

if TYPE_CHECKING:
    from simulator.claims import Verdict
    from simulator.engine import BreakEven, Simulation
    from simulator.engine.attribution import Line
    from simulator.engine.shock_effects import ShockEffect
    from simulator.replay import EveryPath, Replay
    from simulator.scenario.models import Scenario

MONEY = ("p05", "median", "p95", "chance of loss", "PSL", "worst fall", "1 in 20", "under water")
"""The columns behind an investor's name."""
FEW = 6
"""So many investors stand on the first screen."""
LEFT_OUT = ("Largest costs and losses:", "Largest sources:", "What would have to be true:")
"""The facts that a terminal does without where it has no room for all, by what they begin with."""
_SHOCKS = 5
"""So many shocks are told one by one."""


@dataclass(frozen=True)
class Group:
    """Verdicts on one kind of thing, by their words; within a word the likeliest first."""

    title: str
    words: tuple[tuple[Word, tuple[Verdict, ...]], ...]


def groups(scenario: Scenario, verdicts: Sequence[Verdict]) -> list[Group]:
    """Return the verdicts on products, then those on investors and on prices."""
    found = []
    for title in ("Products", "Investors", "Prices and factors"):
        within = [verdict for verdict in verdicts if group_of(scenario, verdict) == title]
        within.sort(key=lambda verdict: -np.nan_to_num(verdict.likelihood, nan=-1.0))
        by_word = [(word, tuple(v for v in within if v.verdict == word)) for word in VERDICTS]
        if within:
            found.append(Group(title, tuple((word, those) for word, those in by_word if those)))
    return found


def group_of(scenario: Scenario, verdict: Verdict) -> str:
    """Return which group a verdict stands in: by what the claim is about."""
    investor = scenario.investors.get(verdict.subject)
    if investor is not None:
        return "Investors" if investor.holding is None else "Products"
    label = verdict.subject.partition(".")[0]
    return "Products" if label in scenario.instruments else "Prices and factors"


def figures(verdict: Verdict) -> str:
    """Return a verdict's number and its range: over parameter sets, of sampling without any."""
    if verdict.reason:
        return ""
    if verdict.verdict in ("already met", "by assumption"):
        return told(verdict)
    around = _around(verdict)
    if verdict.counted or verdict.scale == "share":
        return f"{told(verdict)} ({brief_range(around, signed=not verdict.counted)})"
    return f"{told(verdict)} ({told_range(verdict, around)})"


def _around(verdict: Verdict) -> tuple[float, float]:
    """Return the range over the parameter sets; of sampling where none move it, or none were."""
    found = verdict.parameter_range
    return verdict.interval if found is None or found[0] == found[1] else found


def short_of(verdicts: Sequence[Verdict]) -> str:
    """Return claims that hold on next to no path, by name, with one bound for all."""
    highest = max(_around(verdict)[1] for verdict in verdicts)
    names = ", ".join(verdict.claim for verdict in verdicts)
    return f"{names}: {'each ' if len(verdicts) > 1 else ''}at most {share(highest)}"


def money_table(found: Headline, days: int, most: int | None = None) -> Table:
    """Return what becomes of a stake of each investor, at most of the first `most`."""
    caption = f"What {number(STAKE, 0)} {UNIT_WORDS[found.unit]} become over {days:,} days"
    rows = tuple((money.who, *_money_cells(money)) for money in found.money[:most])
    return Table(caption, ("Investor", *MONEY), rows)


MONEY_WORDS = (
    "PSL is the chance that a year costs more than 1 % of what was put in. Worst fall: from a "
    "peak, on the median path and on one path in twenty. Under water: the longest time below a "
    "peak on the median path, over so long where it has not ended."
)
"""What the columns of the money are."""


def _money_cells(money: Money) -> tuple[str, ...]:
    ends = (number(value, 0) for value in (money.low, money.middle, money.high))
    return (
        *ends,
        tabled(money.losses.loss),
        tabled(money.losses.significant),
        percent(money.fall),
        percent(money.deep_fall),
        _days(money),
    )


def _days(money: Money) -> str:
    """Return the median longest time below a peak; at least so long, where most are still there."""
    known = money.losses.under_water_days
    if not np.isnan(known):
        return f"{number(known, 0)}{HARD_SPACE}days"
    if np.isnan(money.under_water_least):
        return "unknown"
    return f"over{HARD_SPACE}{number(money.under_water_least, 0)}{HARD_SPACE}days"


def money_words(found: Headline) -> Paragraph:
    """Return the first investor's row of that table as a sentence."""
    money = found.money[0]
    low, middle, high, loss, significant, fall, deep, under = _money_cells(money)
    return Paragraph(
        f"{number(STAKE, 0)} {UNIT_WORDS[money.unit]} become {middle} in the median, {low} to "
        f"{high} in 9 of 10; loss in {loss}, PSL {significant}; worst fall {fall} "
        f"(1 in 20: {deep}); under water {under}.",
        lead=f"Money of {money.who}:",
    )


def facts(
    simulation: Simulation,
    found: Headline,
    replays: Sequence[Replay],
    every: EveryPath | None,
    effects: Sequence[ShockEffect] = (),
) -> Iterator[Paragraph]:
    """Yield where the money comes from, what a claim needs, what to doubt, what the chain says."""
    if found.money:
        who = found.money[0].who
        days = simulation.scenario.horizon_days
        yield Paragraph(_source_words(found, days), lead="Largest sources:")
        yield Paragraph(_cost_words(found), lead="Largest costs and losses:")
        if effects:
            yield Paragraph(_shock_words(effects, who), lead="Shocks:")
    yield Paragraph(_turn_words(found), lead="What would have to be true:")
    if found.doubts:
        yield Paragraph(_doubt_words(found.doubts), lead="Doubt first:")
    yield Paragraph(_agreement_words(replays, every), lead="Model and contracts:")


def _source_words(found: Headline, days: int) -> str:
    assert found.net is not None
    net = percent(found.net.means[found.unit].value, 1, signed=True)
    parts = _line_words(found.gains, found) or "nothing brings anything"
    return f"{parts}; {net} in all over {days:,} days, in the mean of {found.money[0].who}."


def _cost_words(found: Headline) -> str:
    return f"{_line_words(found.drains, found) or 'none that shows'}."


def _line_words(lines: Sequence[Line], found: Headline) -> str:
    return ", ".join(
        f"{line.label} {percent(line.means[found.unit].value, 2, signed=True)}" for line in lines
    )


def _shock_words(effects: Sequence[ShockEffect], who: str) -> str:
    """Return what each shock does to the mean return, those that do most, and all together."""
    *each, together = effects
    each = each or [together]
    each.sort(key=lambda effect: -abs(effect.returns[who]))
    parts = [f"{e.shock} {number(100 * e.returns[who], 1, signed=True)}" for e in each[:_SHOCKS]]
    whole = f"; together {number(100 * together.returns[who], 1, signed=True)}"
    return f"points of that mean: {', '.join(parts)}{whole if len(each) > 1 else ''}."


def _turn_words(found: Headline) -> str:
    if not found.asked:
        return "no claim names numbers to try (break_even)."
    if not found.turns:
        return "no number that was tried makes a claim that fails as likely as not."
    return f"{'; '.join(map(_turn, found.turns))}."


def _turn(one: BreakEven) -> str:
    assert one.value is not None
    name = _short(one.parameter)
    value, now = (figure(number, "level") for number in (one.value, one.present.value))
    jump = ", a jump," if one.jumps else ""
    return (
        f"{one.claim} is as likely as not with {name} at {with_unit(value, one.unit)}{jump} in "
        f"place of {now}"
    )


def _doubt_words(doubts: Sequence[tuple[str, int]]) -> str:
    """Return the assumptions that move most claims most."""
    (name, count), *rest = doubts[:2]
    also = f", then {_short(rest[0][0])} ({rest[0][1]})" if rest else ""
    claims = "claim" if count == 1 else "claims"
    return f"{_short(name)}, which moves {count} {claims} most{also}."


def _short(name: str) -> str:
    """Return a dotted name without the group that its reader knows."""
    return name.removeprefix("instruments.").removeprefix("market.")


def _agreement_words(replays: Sequence[Replay], every: EveryPath | None) -> str:
    """Return whether model and contracts agree, on which chain and how nearly."""
    if not replays:
        words = "not replayed on a chain." if every is None else ""
    else:
        worst = ratio(max(replay.worst for replay in replays))
        off = [replay.label for replay in replays if not replay.ok]
        agree = f"differ in {', '.join(off)} of" if off else "agree on"
        sent = sum(replay.transactions for replay in replays)
        count = "1 path" if len(replays) == 1 else f"{len(replays)} paths"
        words = (
            f"{agree} {count} replayed on {replays[0].chain}, {sent:,} transactions, worst error "
            f"{worst} of its tolerance."
        )
    return words if every is None else f"{words} {every_words(every)}".lstrip()
