"""What an investor ends up with: the paths of a holding, and their measures."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar, cast

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
from simulator.investors.portfolio import PortfolioPaths
from simulator.scenario.investors import CASH
from simulator.units import BoolArray, FloatArray

Found = TypeVar("Found")
Measure = str
MEASURES = ("annual_yield", "total_return", "drawdown", "yield_deviation")
"""What is always measured; what else there is, where a claim names it."""
WORST_DAYS = 0.05
ON_DEMAND: Mapping[Measure, Callable[[FloatArray], FloatArray]] = {
    "ulcer": measures.ulcer,
    "volatility": measures.volatility,
    "expected_shortfall": lambda worth: measures.expected_shortfall(
        measures.daily_returns(worth), WORST_DAYS
    ),
    "sortino": measures.sortino,
    "calmar": measures.calmar,
}


@dataclass(frozen=True)
class InvestorPaths:
    """An investor on a block of paths: one holding bought at the start, or a portfolio.

    Attributes
    ----------
    holding : InstrumentPaths
        Net asset value at mark and at exit, and its attribution; a portfolio's are those of
        the whole.
    portfolio : PortfolioPaths or None
        What is behind the whole.
    """

    name: str
    holding: InstrumentPaths
    portfolio: PortfolioPaths | None = None

    def unit_values(self, unit: Unit) -> FloatArray:
        """Return what is put in at the start and what leaving would pay for it since.

        Money that comes or goes later changes a portfolio's exit value, but not this: it
        grows as a unit of the portfolio does.

        Returns
        -------
        ndarray of shape (n_steps + 1, n_paths), in `unit`
        """
        worth = self.holding.exit[unit]
        if self.portfolio is None or not self.portfolio.has_flows:
            return worth
        grown: FloatArray = worth[0] * measures.unit_values(worth, self.portfolio.flows)
        return grown


@dataclass(frozen=True)
class InvestorMeasures:
    """The numbers of an investor on each path; arrays of shape (n_paths,).

    Attributes
    ----------
    values : dict of (measure, unit) to ndarray
        Measures of the exit value: what leaving pays, with what was paid before. Where money
        came or went in between they are time-weighted, and money_weighted_return is there too.
    attribution : dict of unit to ndarray of shape (n_sources, n_paths)
    initial, final : dict of unit to ndarray
    organic_share : ndarray
        Organic over positive income, NaN where there was none.
    attribution_gap : float
        Largest relative gap between the sum of sources and the total, over all paths; NaN
        where sources were not asked for.
    happened : dict of str to ndarray of bool
        What befell the one holding, by name, as `InstrumentPaths.happened`.
    flows : ndarray
        Dollars put in after the start, less what was taken out; empty where not measured.
    allocation : dict of str to ndarray of shape (n_steps + 1,)
        Mean share of each holding, and of cash, in a portfolio at mark; empty for one holding,
        and where nobody asked for shares.
    turnover : ndarray of shape (n_steps + 1,)
        Mean of what a portfolio bought and sold on a step over its value; empty likewise.
    spells : dict of unit to Spells
        Time under water of the exit value; empty where nobody asked for it.
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
    happened: Mapping[str, BoolArray] = field(default_factory=dict)
    flows: FloatArray = field(default_factory=lambda: np.empty(0))
    allocation: Mapping[str, FloatArray] = field(default_factory=dict)
    turnover: FloatArray = field(default_factory=lambda: np.empty(0))
    spells: Mapping[Unit, measures.Spells] = field(default_factory=dict)
    found: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False, compare=False)
    """What `once` has computed."""

    def once(self, what: Hashable, compute: Callable[[], Found]) -> Found:
        """Return what is computed of these numbers, the first time that it is asked for.

        Terminal, report and JSON tell the same, and of a million paths it takes a while.
        """
        if what not in self.found:
            self.found[what] = compute()
        return cast(Found, self.found[what])

    def worst_return(self, unit: Unit, tail: float = 0.05) -> float:
        """Return the mean total return of the worst share `tail` of the paths."""
        return -float(measures.expected_shortfall(self.values["total_return", unit], tail))

    @property
    def income_lasts(self) -> BoolArray:
        """Return on which paths no exploit or default ended the income, shape (n_paths,).

        On all of a portfolio's: what befalls one of its holdings does not end the others'.
        """
        lasts = np.ones(self.events.shape[0], dtype=bool)
        if self.allocation:
            return lasts
        amounts = self.attribution[self.units[0]]
        for place, source in enumerate(self.sources):
            if source.ends_income:
                lasts &= ~(amounts[place] < 0.0)
        return lasts

    @property
    def units(self) -> tuple[Unit, ...]:
        """Return the units it is measured in, in the order of `UNITS`."""
        return tuple(unit for unit in UNITS if unit in self.initial)


def measure(
    paths: InvestorPaths,
    count: int | None = None,
    also: Collection[tuple[Measure, str]] = (),
    *,
    spells: bool = False,
) -> InvestorMeasures:
    """Return the measures of a block; drawdowns and yields are those of the exit value.

    Parameters
    ----------
    count : int, optional
        Paths that are measured, where the others only pad the lanes.
    also : collection of (measure, unit)
        What is wanted beside `MEASURES`: those of `ON_DEMAND`, money_weighted_return.
    spells : bool
        Whether to count the time under water too.
    """
    paths = _head(paths, count)
    holding = paths.holding
    under_water: dict[Unit, measures.Spells] = {}
    values: dict[tuple[Measure, Unit], FloatArray] = {}
    for unit in holding.units:
        worth = paths.unit_values(unit)
        values["annual_yield", unit] = measures.annual_yield(worth)
        values["total_return", unit] = measures.total_return(worth)
        values["drawdown", unit] = measures.max_drawdown(worth)
        values["yield_deviation", unit] = measures.yield_deviation(worth)
        if spells:
            under_water[unit] = measures.time_under_water(worth)
        values |= {(m, unit): of(worth) for m, of in ON_DEMAND.items() if (m, unit) in also}
        if paths.portfolio is None and ("money_weighted_return", unit) in also:
            # Nothing comes or goes in between: the money's return is that of a unit.
            values["money_weighted_return", unit] = values["total_return", unit]
    flows, allocation, turnover = np.zeros(holding.events.shape[0]), {}, np.empty(0)
    if paths.portfolio is not None:
        held = paths.portfolio
        flows = held.flows.sum(axis=0) if held.has_flows else flows
        *shares, turnover = held.shares
        allocation = dict(zip((*held.holdings, CASH), shares, strict=True))
        values["money_weighted_return", "usd"] = _money_weighted(held)
    return InvestorMeasures(
        name=paths.name,
        holding=holding.name,
        sources=holding.sources,
        values=values,
        # Copies: a view of one day would keep all days of the block.
        attribution={unit: parts.copy() for unit, parts in holding.attribution.items()},
        initial={unit: put_in.copy() for unit, put_in in holding.initial.items()},
        final={unit: holding.exit[unit][-1].copy() for unit in holding.units},
        events=holding.events.copy(),
        unpaid=holding.unpaid.copy(),
        organic_share=organic_share(holding.sources, holding.attribution[holding.units[0]]),
        attribution_gap=_gap(holding, flows),
        happened=dict(holding.happened),
        flows=flows,
        allocation=allocation,
        turnover=turnover,
        spells=under_water,
    )


def _money_weighted(held: PortfolioPaths) -> FloatArray:
    """Return the return of the money, which without flows is that of a unit."""
    worth = held.whole.exit["usd"]
    if held.has_flows:
        return measures.money_weighted_return(worth, held.flows)
    return measures.total_return(worth)


def _head(paths: InvestorPaths, count: int | None) -> InvestorPaths:
    if count is None or count == paths.holding.events.shape[0]:
        return paths
    held = paths.portfolio
    return replace(
        paths,
        holding=paths.holding.head(count),
        portfolio=None if held is None else held.head(count),
    )


def _gap(holding: InstrumentPaths, flows: FloatArray) -> float:
    """Return the largest gap of the attribution over units and paths; NaN without sources."""
    if not holding.sources:
        return float("nan")
    return max(float(attribution_gap(holding, unit, flows).max()) for unit in holding.units)


def join(blocks: Sequence[InvestorMeasures]) -> InvestorMeasures:
    """Return the measures of consecutive blocks as one."""
    first = blocks[0]
    sizes = [block.events.size for block in blocks]

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
        happened={
            what: np.concatenate([block.happened[what] for block in blocks])
            for what in first.happened
        },
        flows=np.concatenate([block.flows for block in blocks]),
        allocation={
            name: np.average([b.allocation[name] for b in blocks], axis=0, weights=sizes)
            for name in first.allocation
        },
        turnover=np.average([block.turnover for block in blocks], axis=0, weights=sizes),
        spells={unit: _joined([block.spells[unit] for block in blocks]) for unit in first.spells},
    )


def _joined(parts: Sequence[measures.Spells]) -> measures.Spells:
    return measures.Spells(
        np.concatenate([part.longest_days for part in parts]),
        np.concatenate([part.is_open for part in parts]),
        np.concatenate([part.share for part in parts]),
    )
