"""What an investor or an instrument can lose: how likely, how much, and for how long."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from simulator import measures
from simulator.engine.simulate import Simulation
from simulator.instruments.base import Unit
from simulator.investors import InvestorMeasures
from simulator.units import FloatArray

SIGNIFICANT = 0.01
"""A year that costs more than this share of the principal is a significant loss."""
TAILS = (0.05, 0.01)

Interval = tuple[float, float]


@dataclass(frozen=True)
class Losses:
    """What can be lost by holding something, over all paths, at what leaving pays.

    Attributes
    ----------
    name, unit : str
    significant : float
        PSL: the share of paths on which a year costs more than `SIGNIFICANT` of the principal;
        NaN below a year, which is not annualised.
    loss : float
        Share of paths that end below what was put in.
    significant_interval, loss_interval : tuple of float
        95 %, from sampling.
    value_at_risk, expected_shortfall : dict of tail to float
        Over the run: the loss that the worst 5 % (1 %) exceed, and their mean loss.
    under_water_days : float
        Median over paths of the longest spell below an earlier peak, by Kaplan and Meier; NaN
        where more than half of the paths outlast every spell that ended.
    under_water_open : float
        Share of paths that are below an earlier peak on the last day: their spells are censored.
    under_water_share : float
        Mean share of the days below an earlier peak.
    """

    name: str
    unit: Unit
    significant: float
    significant_interval: Interval
    loss: float
    loss_interval: Interval
    value_at_risk: Mapping[float, float]
    expected_shortfall: Mapping[float, float]
    under_water_days: float
    under_water_open: float
    under_water_share: float


def losses_of(measured: InvestorMeasures, unit: Unit) -> Losses:
    """Return what can be lost in a unit; NaN under water where nobody counted the days."""
    return measured.once(("losses", unit), lambda: _losses(measured, unit))


def _losses(measured: InvestorMeasures, unit: Unit) -> Losses:
    returns = measured.values["total_return", unit]
    spells = measured.spells.get(unit, _uncounted(returns.size))
    significant, around = _share(measured.values["annual_yield", unit], -SIGNIFICANT)
    loss, beside = _share(returns, 0.0)
    return Losses(
        name=measured.name,
        unit=unit,
        significant=significant,
        significant_interval=around,
        loss=loss,
        loss_interval=beside,
        value_at_risk={tail: measures.value_at_risk(returns, tail) for tail in TAILS},
        expected_shortfall={
            tail: float(measures.expected_shortfall(returns, tail)) for tail in TAILS
        },
        under_water_days=measures.spell_quantile(spells, 0.5),
        under_water_open=float(np.where(np.isnan(spells.share), np.nan, spells.is_open).mean()),
        under_water_share=float(spells.share.mean()),
    )


def _uncounted(n_paths: int) -> measures.Spells:
    unknown = np.full(n_paths, np.nan)
    return measures.Spells(unknown, np.zeros(n_paths, dtype=bool), unknown)


def _share(values: FloatArray, below: float) -> tuple[float, Interval]:
    """Return the share of values below a bound with its interval; NaN where one is not known."""
    if np.isnan(values).any():
        return float("nan"), (float("nan"), float("nan"))
    count, total = int(np.sum(values < below)), values.size
    return count / total, measures.share_interval(count, total)


def all_losses(simulation: Simulation) -> tuple[Losses, ...]:
    """Return what every investor, then every instrument, can lose, in the unit of the claims.

    Units are those that claims about an investor name; of an instrument, those of its holders.
    Where no claim names any, dollars.
    """
    named = _claimed(simulation)
    found = []
    for name, measured in simulation.investors.items():
        found += [losses_of(measured, unit) for unit in named.get(name, ("usd",))]
    for name, measured in simulation.instruments.items():
        holders = [who for who, m in simulation.investors.items() if m.holding == name]
        units = dict.fromkeys(unit for who in holders for unit in named.get(who, ()))
        known = [unit for unit in units if unit in measured.units]
        found += [losses_of(measured, unit) for unit in (known or ["usd"])]
    return tuple(found)


def _claimed(simulation: Simulation) -> dict[str, tuple[Unit, ...]]:
    """Return the units that claims name, by investor, in their order."""
    found: dict[str, dict[Unit, None]] = {}
    for claim in simulation.scenario.claims.values():
        for condition in claim.measured:
            for who in (claim.subject, claim.against, condition.over):
                if who is not None and condition.unit is not None:
                    found.setdefault(who, {})[condition.unit] = None
    return {who: tuple(units) for who, units in found.items()}
