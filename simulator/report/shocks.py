"""What shocks do to investors and claims: one section for terminal and HTML."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from simulator.instruments.page import Block, Paragraph, Section, Table
from simulator.scenario.shocks import is_of_the_market
from simulator.words import HARD_SPACE, number, percent

if TYPE_CHECKING:
    from simulator.engine.shock_effects import ShockEffect
    from simulator.scenario.shocks import ShockTerms

TITLE = "What the shocks do"
COLUMNS = 4
FEW = 4
"""Shocks of a group that are told one by one."""


def section(shocks: Sequence[ShockTerms], found: Sequence[ShockEffect]) -> Section | None:
    """Return the section; None where there are no shocks."""
    if not found:
        return None
    blocks: list[Block] = [Paragraph(text, lead=f"{name}:") for name, text in _told(shocks)]
    blocks += [*_tables(found), Paragraph(_INTRO, aside=True)]
    return Section(TITLE, tuple(blocks))


_INTRO = (
    "Each shock alone, and all together, against a run without any on the same random numbers; a "
    "difference is the mean over the paths with the standard error of the paired difference; paths "
    "is the share on which it happens."
)


def _told(shocks: Sequence[ShockTerms]) -> Iterator[tuple[str, str]]:
    """Yield each shock's name and words; of a group its first and last day and how many."""
    groups: dict[str, list[ShockTerms]] = {}
    for shock in shocks:
        groups.setdefault(shock.counts_as, []).append(shock)
    for name, several in groups.items():
        if len(several) <= FEW:
            yield from ((shock.name, words(shock)) for shock in several)
            continue
        targets = dict.fromkeys(shock.target for shock in several)
        moments = f"from {several[0].on} to {several[-1].on}"
        yield name, f"{len(several)} moves {moments} of {', '.join(targets)}."


def words(shock: ShockTerms) -> str:
    """Return in a sentence what happens, when, for how long and where."""
    parts = [" ".join(filter(None, (shock.target, _amount(shock), _moment(shock))))]
    parts += [f"over {shock.ramp_days} days"] if shock.ramp_days > 1 else []
    parts += [f"for {_days(shock.plateau_days)}"] if shock.plateau_days else []
    fades = shock.half_life_days
    parts += [f"half of it gone every {fades:g} days"] if fades else []
    parts += [f"on {_share(shock.share)} of the paths"] if shock.share < 1 else []
    parts += ["other assets stay"] if shock.others == "stay" else []
    return ", ".join(parts) + "."


def _amount(shock: ShockTerms) -> str:
    if shock.feed is not None:
        return _FED[shock.feed]
    if shock.family == "hours":
        return "are closed"
    if shock.by is not None:
        return f"is {abs(shock.by):g} {'higher' if shock.by > 0 else 'lower'}"
    if shock.at is not None:
        return f"goes to {shock.at:,.10g}"
    if shock.times is not None:
        return f"is {shock.times:g} times what it was"
    if shock.size is None:
        return ""
    if not is_of_the_market(shock):
        return _share(shock.size)
    if shock.family == "feed":
        return f"is wrong by {_share(shock.size)}"
    if shock.family == "correlation":
        return f"goes {_share(shock.size)} of the way to 1"
    size = shock.size
    return f"{'falls' if size < 0 else 'rises'} by {_share(abs(size))}"


_FED = {
    "frozen": "says what it said last",
    "exchange": "is fed with the token's own trades",
}


def _days(count: int) -> str:
    return "a day" if count == 1 else f"{count} days"


def _share(value: float) -> str:
    """Return a share as its author wrote it, in percent."""
    return f"{100.0 * value:.6g}{HARD_SPACE}%"


def _moment(shock: ShockTerms) -> str:
    if shock.when is not None:
        return f"on the day after {shock.when}"
    return f"on {shock.on}" if shock.on is not None else f"on day {shock.day}"


def _tables(found: Sequence[ShockEffect]) -> Iterator[Table]:
    """Yield tables of returns, then of claims, of COLUMNS shocks each: more do not fit a page."""
    parts = [found[at : at + COLUMNS] for at in range(0, len(found), COLUMNS)]
    yield from map(_returns, parts)
    if found[0].probabilities:
        yield from map(_claims, parts)


def _returns(found: Sequence[ShockEffect]) -> Table:
    hit = ("share of paths", *(percent(one.happened) for one in found))
    rows = [(name, *(_points(one, name) for one in found)) for name in found[0].returns]
    caption = "Mean return in dollars against no shock, points"
    return Table(caption, ("", *(one.shock for one in found)), (hit, *rows))


def _points(one: ShockEffect, name: str) -> str:
    value, error = 100 * one.returns[name], 100 * one.errors[name]
    return "0" if value == error == 0 else f"{number(value, 1)} \u00b1 {number(error, 1)}"


def _claims(found: Sequence[ShockEffect]) -> Table:
    rows = tuple(
        (claim, percent(without), *(_with(one, claim) for one in found))
        for claim, (without, _) in found[0].probabilities.items()
    )
    columns = ("claim", "no shock", *(one.shock for one in found))
    return Table("Probability of a claim", columns, rows)


def _with(one: ShockEffect, claim: str) -> str:
    return percent(one.probabilities[claim][1]) if claim in one.probabilities else ""
