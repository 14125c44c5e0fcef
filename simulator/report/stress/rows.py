"""A scenario under ladders of shocks: what terminal and page both show, as rows of words."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

from simulator.report.shocks import words
from simulator.scenario.ladders import SEVERITIES
from simulator.words import figure, number, percent, share

if TYPE_CHECKING:
    from simulator.engine.stress import Cell, Stress
    from simulator.scenario.ladders import Rung

Measured = Literal["points", "share", "dollars"]


@dataclass(frozen=True)
class Matrix:
    """What one thing does under every ladder.

    Attributes
    ----------
    name, title : str
        Of the investor, claim or lender; and what is measured.
    unit : "points", "share" or "dollars"
    without : float
        What it is without any of the shocks.
    values : dict of str to tuple of float
        By ladder, one a severity; NaN where a claim is not testable.
    """

    name: str
    title: str
    unit: Measured
    without: float
    values: Mapping[str, tuple[float, ...]]

    def cells(self, ladder: str) -> tuple[str, ...]:
        """Return a ladder's numbers in words."""
        return tuple(map(_SAID[self.unit], self.values[ladder]))

    def moves(self, ladder: str) -> bool:
        """Return whether a ladder moves it by something that its words show."""
        return any(abs(value - self.without) >= _LEAST[self.unit] for value in self.values[ladder])

    @property
    def movers(self) -> tuple[str, ...]:
        """Return the ladders that move it."""
        return tuple(ladder for ladder in self.values if self.moves(ladder))


def matrices(found: Stress) -> tuple[Matrix, ...]:
    """Return a matrix for each lender (VaR, LaR), investor and claim that is an event."""
    return (*_lenders(found), *_investors(found), *_claims(found))


def _investors(found: Stress) -> Iterator[Matrix]:
    for name, mean in found.returns.items():
        before = percent(mean, signed=True)
        title = f"{name}: mean return in dollars, points against {before} as the scenario stands"
        values = _values(found, partial(_gap, name))
        yield Matrix(name, title, "points", 0.0, values)


def _gap(who: str, cell: Cell) -> float:
    return cell.effect.returns[who]


def _claims(found: Stress) -> Iterator[Matrix]:
    for name, without in found.plain.items():
        title = f"{name}: how likely, against {share(without)} as the scenario stands"
        values = _values(found, partial(_probability, name))
        yield Matrix(name, title, "share", without, values)


def _probability(claim: str, cell: Cell) -> float:
    return cell.effect.probabilities.get(claim, (math.nan, math.nan))[1]


def _lenders(found: Stress) -> Iterator[Matrix]:
    for name, without in found.lenders.items():
        for measure, about in (("VaR", "insolvent"), ("LaR", "liquidated")):
            before = float(getattr(without, measure.lower()))
            title = (
                f"{name}: {measure}, 95th percentile of the debt that is {about}, dollars; "
                f"{_dollars(before)} as the scenario stands"
            )
            values = _values(found, partial(_at_risk, name, measure.lower()))
            yield Matrix(f"{name} {measure}", title, "dollars", before, values)


def _at_risk(who: str, measure: str, cell: Cell) -> float:
    return float(getattr(cell.lenders[who], measure))


def _values(found: Stress, measure: Callable[[Cell], float]) -> dict[str, tuple[float, ...]]:
    return {ladder: tuple(map(measure, found.of(ladder))) for ladder in found.laid.ladders}


def _points(value: float) -> str:
    return number(100 * value, 1, signed=True)


def _dollars(value: float) -> str:
    return figure(round(value), "level") if abs(value) >= 0.5 else "0"


_SAID: Mapping[Measured, Callable[[float], str]] = {
    "points": _points,
    "share": share,
    "dollars": _dollars,
}
_LEAST: Mapping[Measured, float] = {"points": 0.0005, "share": 1e-12, "dollars": 1.0}
"""Below these nothing is said to move."""


def told(found: Stress) -> Iterator[tuple[str, str, str, str]]:
    """Yield each rung's ladder, severity, what happens, and where its figure comes from."""
    for rungs in found.laid.rungs:
        what = " ".join(words(shock) for shock in rungs.shocks)
        yield rungs.ladder, rungs.severity, what, origin(rungs.rung)


def origin(rung: Rung) -> str:
    """Return where a rung's figure comes from."""
    parts = (rung.source, rung.date, rung.note)
    said = "; ".join(part for part in parts if part)
    return f"{said} ({rung.marked})" if said else rung.marked


def facts(found: Stress) -> str:
    """Return what was simulated."""
    scenario = found.scenario
    return (
        f"{len(found.laid.ladders)} shocks in {len(SEVERITIES)} severities, "
        f"{scenario.paths:,} paths of {scenario.horizon_days:,} days from {scenario.start}, the "
        "same random numbers in all"
    )


def left_out(found: Stress) -> str:
    """Return what does not hit this scenario; empty where there is nothing."""
    missing = found.laid.left_out
    if not missing:
        return ""
    named = ", ".join(f"{name} ({target})" for name, target in missing.items())
    return f"left out, for the scenario does not have what they hit: {named}"


def unmoved(of: Sequence[Matrix]) -> str:
    """Return whom nothing moves; empty where there is nobody."""
    names = ", ".join(one.name for one in of if not one.movers)
    return f"moved by none of them: {names}" if names else ""
