"""Where the percents come from: means over paths by source and by kind, with totals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from simulator.instruments.base import UNITS, Kind, Unit
from simulator.words import bound

if TYPE_CHECKING:
    from simulator.engine import Simulation
    from simulator.investors import InvestorMeasures
    from simulator.units import FloatArray

KINDS: tuple[Kind, ...] = (
    "organic",
    "subsidised",
    "return of capital",
    "market",
    "loss",
    "cost",
)
GROSS_KINDS: frozenset[Kind] = frozenset(("organic", "subsidised", "market"))
"""What stands before losses and costs; returned capital is never yield."""


@dataclass(frozen=True)
class Mean:
    """A mean over paths as a fraction of the deposit, and its standard error s/sqrt(n)."""

    value: float
    error: float


@dataclass(frozen=True)
class Line:
    """One source, one kind, or a total, in each unit."""

    label: str
    kind: Kind | None
    means: Mapping[Unit, Mean]

    @property
    def is_zero(self) -> bool:
        """Whether no path has anything here, in either unit."""
        return all(mean.value == 0 and mean.error == 0 for mean in self.means.values())


@dataclass(frozen=True)
class Contributions:
    """An investor's return by source, by kind, gross and net.

    Attributes
    ----------
    by_source : dict of unit to tuple of Mean
        In the order of its sources.
    sources : tuple of Line
        The same in the order of kinds.
    """

    investor: str
    holding: str
    by_source: Mapping[Unit, tuple[Mean, ...]]
    sources: tuple[Line, ...]
    kinds: tuple[Line, ...]
    gross: Line
    net: Line

    @property
    def units(self) -> tuple[Unit, ...]:
        """Return the units it is measured in, in the order of `UNITS`."""
        return tuple(unit for unit in UNITS if unit in self.net.means)

    def of_kind(self, kind: Kind | None) -> tuple[Line, ...]:
        """Return the sources of one kind."""
        return tuple(line for line in self.sources if line.kind == kind)


class _Sum:
    """A sum of sources, row by row in their order; `values` is of shape (n_paths,)."""

    def __init__(self) -> None:
        self.values: FloatArray | None = None

    def add(self, row: FloatArray) -> None:
        if self.values is None:
            self.values = np.array(row)
        else:
            self.values += row


def contributions(measures: InvestorMeasures) -> Contributions:
    """Return the means of an investor's attribution over all paths.

    Each source is read once, and no more than a sum for each kind is in memory beside it.
    """
    return measures.once("contributions", lambda: _contributions(measures))


def _contributions(measures: InvestorMeasures) -> Contributions:
    means = {unit: _means(measures, unit) for unit in measures.units}
    present = [kind for kind in KINDS if any(source.kind == kind for source in measures.sources)]

    def line(label: str, kind: Kind | None, key: int | str) -> Line:
        return Line(label, kind, {unit: found[key] for unit, found in means.items()})

    return Contributions(
        investor=measures.name,
        holding=measures.holding,
        by_source={
            unit: tuple(found[index] for index in range(len(measures.sources)))
            for unit, found in means.items()
        },
        sources=tuple(
            line(source.label, kind, index)
            for kind in present
            for index, source in enumerate(measures.sources)
            if source.kind == kind
        ),
        kinds=tuple(line(kind, kind, kind) for kind in present),
        gross=line("Gross: before losses and costs", None, _GROSS),
        net=line("Net: what the holder keeps", None, _NET),
    )


_GROSS, _NET = "gross", "net"


def _means(measures: InvestorMeasures, unit: Unit) -> dict[int | str, Mean]:
    """Return the mean of each source by its place, of each kind, of gross and of net."""
    initial, found = measures.initial[unit], dict[int | str, Mean]()
    sums: dict[str, _Sum] = {_GROSS: _Sum(), _NET: _Sum()}
    for index, source in enumerate(measures.sources):
        row = measures.attribution[unit][index]
        found[index] = _mean(row / initial)
        parts = (source.kind, _NET, *((_GROSS,) if source.kind in GROSS_KINDS else ()))
        for part in parts:
            sums.setdefault(part, _Sum()).add(row)
    for part, total in sums.items():
        values = np.zeros_like(initial) if total.values is None else total.values
        found[part] = _mean(values / initial)
    return found


def _mean(values: FloatArray) -> Mean:
    count = values.size
    error = float(np.std(values, ddof=1)) / math.sqrt(count) if count > 1 else math.nan
    return Mean(float(np.mean(values)), error)


SMALL = 0.0025
"""Sources that bring or take less than this share of the deposit are put together."""


def grouped(found: Contributions) -> Contributions:
    """Return the same with small sources of a kind as one line, where there are several.

    A source is small where it is below `SMALL` in every unit. The line's error is not known
    from theirs, which depend on each other: NaN.
    """
    lines: list[Line] = []
    for kind in found.kinds:
        own = found.of_kind(kind.kind)
        small = [line for line in own if not line.is_zero and _is_small(line)]
        if len(small) < 2:
            lines += own
            continue
        lines += [line for line in own if line not in small and not line.is_zero]
        lines.append(_together(small, kind.kind))
    return replace(found, sources=tuple(lines))


def _is_small(line: Line) -> bool:
    return all(abs(mean.value) < SMALL for mean in line.means.values())


def _together(lines: Sequence[Line], kind: Kind | None) -> Line:
    units = [unit for unit in UNITS if any(unit in line.means for line in lines)]
    sums = {
        unit: sum(line.means[unit].value for line in lines if unit in line.means) for unit in units
    }
    label = f"{len(lines)} others of {kind}, each below {bound(SMALL)}"
    return Line(label, kind, {unit: Mean(value, math.nan) for unit, value in sums.items()})


FEW = 2
"""So many investors that no claim is about are compared with every subject."""


def beside(simulation: Simulation, subject: str, subjects: Sequence[str]) -> list[str]:
    """Return the investors whose net stands beside a subject's.

    Those that claims compare him with; and those that no claim is about, while they are few.
    """
    named = compared(simulation, subject)
    rest = [name for name in simulation.investors if name not in subjects]
    return list(dict.fromkeys((*named, *(rest if len(rest) <= FEW else ()))))


def compared(simulation: Simulation, subject: str) -> list[str]:
    """Return the investors that claims compare a subject with."""
    found = [
        other
        for claim in simulation.scenario.claims.values()
        if claim.subject == subject
        for other in (claim.against, *(condition.over for condition in claim.conditions))
        if other is not None and other != subject
    ]
    return list(dict.fromkeys(found))
