"""What matters most of a run: money, where it comes from, what a claim needs, what to doubt.

Terminal and report tell it first; nothing of it is computed there.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simulator.claims import Verdict
from simulator.engine.attribution import Line, contributions
from simulator.engine.breakeven import BreakEven
from simulator.engine.losses import Losses, losses_of
from simulator.engine.simulate import Simulation
from simulator.instruments.base import Unit
from simulator.investors import InvestorMeasures

STAKE = 100_000.0
"""What everybody is said to put in, so that investors can be compared."""
TAIL = 0.05
MOST = 3
"""So many sources, costs and break-evens are named."""
_SEEN = 5e-5
"""A source below this share of the deposit is none of the largest."""


@dataclass(frozen=True)
class Money:
    """What becomes of a stake, over all paths, at what leaving pays.

    Attributes
    ----------
    low, middle, high : float
        Quantiles at 5, 50 and 95 % of what `STAKE` becomes over the run, in `unit`.
    losses : Losses
        In the same unit.
    fall, deep_fall : float
        Deepest fall from an earlier peak: of the median path, and the one that a path in twenty
        exceeds; shares.
    under_water_least : float
        Median of the longest spells below a peak, days, those that are not over as long as they
        were: what the median is at least, where `losses` has no number. NaN where nobody counted.
    """

    who: str
    unit: Unit
    low: float
    middle: float
    high: float
    losses: Losses
    fall: float
    deep_fall: float
    under_water_least: float


@dataclass(frozen=True)
class Headline:
    """What stands first.

    Attributes
    ----------
    money : tuple of Money
        The investor who is spoken of first, then the others.
    gains, drains : tuple of Line
        The first investor's largest sources and what takes most from him, as means over paths.
    net : Line or None
        His return as a mean over paths; None where nobody invests.
    turns : tuple of BreakEven
        Where claims that do not hold now would be as likely as not: the nearest to the present.
    asked : int
        How many break-evens were looked for.
    doubts : tuple of (str, int)
        Assumptions, and how many claims each moves most; the one that moves most claims first.
    """

    money: tuple[Money, ...]
    gains: tuple[Line, ...]
    drains: tuple[Line, ...]
    net: Line | None
    turns: tuple[BreakEven, ...]
    asked: int
    doubts: tuple[tuple[str, int], ...]

    @property
    def unit(self) -> Unit:
        """Return what the first investor's money is counted in."""
        return self.money[0].unit if self.money else "usd"


def headline(
    simulation: Simulation, verdicts: Sequence[Verdict], turns: Sequence[BreakEven] = ()
) -> Headline:
    """Return what matters most of a run; `turns` are those of `break_evens`."""
    names = _in_order(simulation, verdicts)
    money = tuple(_money(simulation.investors[name]) for name in names)
    moved = Counter(v.moved_most_by for v in verdicts if v.moved_most_by)
    found = contributions(simulation.investors[names[0]]) if names else None
    lines = () if found is None else found.sources
    unit = money[0].unit if money else "usd"
    return Headline(
        money=money,
        gains=_largest(lines, unit, 1.0),
        drains=_largest(lines, unit, -1.0),
        net=None if found is None else found.net,
        turns=_nearest(turns),
        asked=len(turns),
        doubts=tuple(moved.most_common()),
    )


def _in_order(simulation: Simulation, verdicts: Sequence[Verdict]) -> list[str]:
    """Return the investors: the first portfolio that a claim is about, the others, the rest.

    Without portfolios the first whom a claim is about.
    """
    terms = simulation.scenario.investors
    named = [v.subject for v in verdicts if v.subject in simulation.investors]
    portfolios = [name for name in simulation.investors if terms[name].holding is None]
    first = [name for name in named if name in portfolios][:1]
    return list(dict.fromkeys((*first, *portfolios, *named, *simulation.investors)))


def _money(measured: InvestorMeasures) -> Money:
    return measured.once("money", lambda: _counted(measured))


def _counted(measured: InvestorMeasures) -> Money:
    unit: Unit = "usd" if "usd" in measured.units else measured.units[0]
    ends = np.quantile(measured.values["total_return", unit], (TAIL, 0.5, 1.0 - TAIL))
    low, middle, high = (STAKE * (1.0 + float(end)) for end in ends)
    fall, deep = np.quantile(measured.values["drawdown", unit], (0.5, 1.0 - TAIL))
    losses = losses_of(measured, unit)
    spells = measured.spells.get(unit)
    least = float("nan") if spells is None else float(np.median(spells.longest_days))
    return Money(measured.name, unit, low, middle, high, losses, float(fall), float(deep), least)


def _largest(lines: Sequence[Line], unit: Unit, sign: float) -> tuple[Line, ...]:
    """Return the lines that bring most (`sign` 1) or take most (-1)."""
    known = [line for line in lines if unit in line.means]
    known = [line for line in known if sign * line.means[unit].value >= _SEEN]
    return tuple(sorted(known, key=lambda line: -sign * line.means[unit].value)[:MOST])


def _nearest(turns: Sequence[BreakEven]) -> tuple[BreakEven, ...]:
    """Return for each claim that does not hold now the turn that asks for the least change."""
    best: dict[str, BreakEven] = {}
    for turn in turns:
        if turn.value is None or turn.present.kept:
            continue
        known = best.get(turn.claim)
        if known is None or _way(turn) < _way(known):
            best[turn.claim] = turn
    return tuple(sorted(best.values(), key=_way)[:MOST])


def _way(turn: BreakEven) -> float:
    """Return how far a turn is from the present value, by their ratio or difference."""
    now, then = turn.present.value, turn.value
    assert then is not None
    if now > 0.0 and then > 0.0:
        return abs(math.log(then / now))
    return abs(then - now) / max(abs(now), 1.0)
