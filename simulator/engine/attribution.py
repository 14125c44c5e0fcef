"""Where the percents come from: means over paths by source and by kind, with totals."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simulator.instruments.base import UNITS, Kind, Unit

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
    """An investor's return by source (in the order of kinds), by kind, gross and net."""

    investor: str
    holding: str
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


def contributions(measures: InvestorMeasures) -> Contributions:
    """Return the means of an investor's attribution over all paths."""
    rows = list(enumerate(measures.sources))
    present = [kind for kind in KINDS if any(source.kind == kind for _, source in rows)]

    def line(label: str, kind: Kind | None, picked: Iterable[int]) -> Line:
        chosen = list(picked)
        return Line(
            label, kind, {unit: _mean(_parts(measures, unit, chosen)) for unit in measures.units}
        )

    return Contributions(
        investor=measures.name,
        holding=measures.holding,
        sources=tuple(
            line(source.label, kind, [index])
            for kind in present
            for index, source in rows
            if source.kind == kind
        ),
        kinds=tuple(
            line(kind, kind, [index for index, source in rows if source.kind == kind])
            for kind in present
        ),
        gross=line(
            "Gross: before losses and costs",
            None,
            [index for index, source in rows if source.kind in GROSS_KINDS],
        ),
        net=line("Net: what the holder keeps", None, [index for index, _ in rows]),
    )


def _parts(measures: InvestorMeasures, unit: Unit, rows: list[int]) -> FloatArray:
    parts: FloatArray = measures.attribution[unit][rows].sum(axis=0) / measures.initial[unit]
    return parts


def _mean(values: FloatArray) -> Mean:
    count = values.size
    error = float(np.std(values, ddof=1)) / math.sqrt(count) if count > 1 else math.nan
    return Mean(float(np.mean(values)), error)


FEW = 2
"""So many investors that no claim is about are compared with every subject."""


def beside(simulation: Simulation, subject: str, subjects: Sequence[str]) -> list[str]:
    """Return the investors whose net stands beside a subject's.

    Those that claims compare him with; and those that no claim is about, while they are few.
    """
    claims = simulation.scenario.claims.values()
    named = [
        other
        for claim in claims
        if claim.subject == subject
        for other in (claim.against, *(condition.over for condition in claim.conditions))
        if other is not None and other != subject
    ]
    rest = [name for name in simulation.investors if name not in subjects]
    return list(dict.fromkeys((*named, *(rest if len(rest) <= FEW else ()))))
