"""What shocks do to investors and claims: one section for terminal and HTML."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from simulator.instruments.page import Block, Paragraph, Section, Table
from simulator.scenario.shocks import is_of_the_market
from simulator.words import HARD_SPACE, number, percent

if TYPE_CHECKING:
    from simulator.engine.shock_effects import ShockEffect
    from simulator.scenario.shocks import ShockTerms

TITLE = "What the shocks do"


def section(shocks: Sequence[ShockTerms], found: Sequence[ShockEffect]) -> Section | None:
    """Return the section; None where there are no shocks."""
    if not found:
        return None
    blocks: list[Block] = [Paragraph(words(shock), lead=f"{shock.name}:") for shock in shocks]
    blocks += [_returns(found), *_claims(found), Paragraph(_INTRO, aside=True)]
    return Section(TITLE, tuple(blocks))


_INTRO = (
    "Each shock alone, and all together, against a run without any on the same random numbers; a "
    "difference is the mean over the paths with the standard error of the paired difference. A "
    "share of paths counts those on which it changes what somebody earns."
)


def words(shock: ShockTerms) -> str:
    """Return in a sentence what happens, when, for how long and where."""
    parts = [" ".join(filter(None, (shock.target, _amount(shock), _moment(shock))))]
    parts += [f"over {shock.ramp_days} days"] if shock.ramp_days > 1 else []
    parts += [f"for {shock.plateau_days} days"] if shock.plateau_days else []
    fades = shock.half_life_days
    parts += [f"half of it gone every {fades:g} days"] if fades else []
    parts += [f"on {_share(shock.share)} of the paths"] if shock.share < 1 else []
    parts += ["other assets stay"] if shock.others == "stay" else []
    return ", ".join(parts) + "."


def _amount(shock: ShockTerms) -> str:
    if shock.at is not None:
        return f"goes to {shock.at:,.10g}"
    if shock.times is not None:
        return f"is {shock.times:g} times what it was"
    if shock.size is None:
        return ""
    if not is_of_the_market(shock):
        return _share(shock.size)
    if shock.family == "correlation":
        return f"goes {_share(shock.size)} of the way to 1"
    size = shock.size
    return f"{'falls' if size < 0 else 'rises'} by {_share(abs(size))}"


def _share(value: float) -> str:
    """Return a share as its author wrote it, in percent."""
    return f"{100.0 * value:.6g}{HARD_SPACE}%"


def _moment(shock: ShockTerms) -> str:
    if shock.when is not None:
        return f"on the day after {shock.when}"
    return f"on {shock.on}" if shock.on is not None else f"on day {shock.day}"


def _returns(found: Sequence[ShockEffect]) -> Table:
    names = tuple(found[0].returns)
    rows = tuple(
        (one.shock, percent(one.happened), *(_points(one, name) for name in names)) for one in found
    )
    caption = "Mean return in dollars, in points, against no shock"
    return Table(caption, ("shock", "paths", *names), rows)


def _points(one: ShockEffect, name: str) -> str:
    value, error = 100 * one.returns[name], 100 * one.errors[name]
    return "0" if value == error == 0 else f"{number(value, 1)} \u00b1 {number(error, 1)}"


def _claims(found: Sequence[ShockEffect]) -> list[Table]:
    claims = tuple(found[0].probabilities)
    if not claims:
        return []
    rows = tuple(
        (
            claim,
            percent(found[0].probabilities[claim][0]),
            *(percent(one.probabilities[claim][1]) for one in found if claim in one.probabilities),
        )
        for claim in claims
    )
    columns = ("claim", "no shock", *(one.shock for one in found))
    return [Table("Probability of a claim", columns, rows)]
