"""What an investor ends up with: the paths of a holding, and their measures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from simulator import measures
from simulator.instruments.base import (
    UNITS,
    InstrumentPaths,
    Source,
    Unit,
    attribution_gap,
    organic_share,
)
from simulator.units import FloatArray

Measure = str
MEASURES = ("annual_yield", "total_return", "drawdown", "yield_deviation")


@dataclass(frozen=True)
class InvestorPaths:
    """An investor on a block of paths: so far one holding, bought at the start.

    Net asset values are the holding's, at mark and at exit; attribution is the holding's.
    """

    name: str
    holding: InstrumentPaths


@dataclass(frozen=True)
class InvestorMeasures:
    """The numbers of an investor on each path; arrays of shape (n_paths,).

    Attributes
    ----------
    values : dict of (measure, unit) to ndarray
        Measures of the exit value: what leaving pays, with what was paid before.
    attribution : dict of unit to ndarray of shape (n_sources, n_paths)
    initial, final : dict of unit to ndarray
    organic_share : ndarray
        Organic over positive income, NaN where there was none.
    attribution_gap : float
        Largest relative gap between the sum of sources and the total, over all paths.
    """

    name: str
    holding: str
    sources: tuple[Source, ...]
    values: Mapping[tuple[Measure, Unit], FloatArray]
    attribution: Mapping[Unit, FloatArray]
    initial: Mapping[Unit, FloatArray]
    final: Mapping[Unit, FloatArray]
    events: np.ndarray[tuple[int], np.dtype[np.int64]]
    unpaid: FloatArray
    organic_share: FloatArray
    attribution_gap: float

    @property
    def units(self) -> tuple[Unit, ...]:
        """Return the units it is measured in, in the order of `UNITS`."""
        return tuple(unit for unit in UNITS if unit in self.initial)

    def head(self, count: int) -> InvestorMeasures:
        """Return the first `count` paths alone."""
        return replace(
            self,
            values={key: values[:count] for key, values in self.values.items()},
            attribution={unit: amounts[:, :count] for unit, amounts in self.attribution.items()},
            initial={unit: amounts[:count] for unit, amounts in self.initial.items()},
            final={unit: amounts[:count] for unit, amounts in self.final.items()},
            events=self.events[:count],
            unpaid=self.unpaid[:count],
            organic_share=self.organic_share[:count],
        )


def measure(paths: InvestorPaths) -> InvestorMeasures:
    """Return the measures of a block; drawdowns and yields are those of the exit value."""
    holding = paths.holding
    values: dict[tuple[Measure, Unit], FloatArray] = {}
    for unit in holding.units:
        worth = holding.exit[unit]
        values["annual_yield", unit] = measures.annual_yield(worth)
        values["total_return", unit] = measures.total_return(worth)
        values["drawdown", unit] = measures.max_drawdown(worth)
        values["yield_deviation", unit] = measures.yield_deviation(worth)
    return InvestorMeasures(
        name=paths.name,
        holding=holding.name,
        sources=holding.sources,
        values=values,
        attribution=holding.attribution,
        initial=holding.initial,
        final={unit: holding.exit[unit][-1] for unit in holding.units},
        events=holding.events,
        unpaid=holding.unpaid,
        organic_share=organic_share(holding.sources, holding.attribution[holding.units[0]]),
        attribution_gap=max(float(attribution_gap(holding, unit).max()) for unit in holding.units),
    )


def join(blocks: Sequence[InvestorMeasures]) -> InvestorMeasures:
    """Return the measures of consecutive blocks as one."""
    first = blocks[0]

    def along(pick: str, unit: Unit) -> FloatArray:
        return np.concatenate([getattr(block, pick)[unit] for block in blocks], axis=-1)

    return InvestorMeasures(
        name=first.name,
        holding=first.holding,
        sources=first.sources,
        values={key: np.concatenate([b.values[key] for b in blocks]) for key in first.values},
        attribution={unit: along("attribution", unit) for unit in first.units},
        initial={unit: along("initial", unit) for unit in first.units},
        final={unit: along("final", unit) for unit in first.units},
        events=np.concatenate([block.events for block in blocks]),
        unpaid=np.concatenate([block.unpaid for block in blocks]),
        organic_share=np.concatenate([block.organic_share for block in blocks]),
        attribution_gap=max(block.attribution_gap for block in blocks),
    )
