"""The macro model's numbers: what is on, how states move, which asset follows which driver."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from simulator.market.macro.chain import Chain, regime_chain
from simulator.market.macro.names import CHANNELS, N_DRIVERS, Driver, State
from simulator.scenario.macro import REGIMES, MacroCalibration, Sourced
from simulator.scenario.macro_types import Flow, MeanReverting, Quantity
from simulator.scenario.views import MacroParts, Views
from simulator.units import FloatArray

_MATURITY_YEARS = 10.0


@dataclass(frozen=True, eq=False)
class Steps:
    """How a state moves in a step: x' = decay x + constant + deviation * normal.

    Arrays of shape (N_STATES,); rates as fractions, flows and quantities as logarithms
    (quantities as the deviation from their growth).
    """

    start: FloatArray
    decay: FloatArray
    constant: FloatArray
    deviation: FloatArray


@dataclass(frozen=True, eq=False)
class Macro:
    """The macro model of a market.

    Attributes
    ----------
    figures : MacroCalibration
    parts : MacroParts
    views : Views
    """

    figures: MacroCalibration
    parts: MacroParts
    views: Views

    def chain(self, year_fraction: float, *, with_views: bool = True) -> Chain:
        """Return the regimes as the run sees them, or as they would be without its views."""
        pinned = self.views.liquidity if with_views else None
        return regime_chain(self.figures, year_fraction, on=self.parts.regimes, pinned=pinned)

    def steps(self, year_fraction: float) -> Steps:
        """Return how the states move in a step of `year_fraction` years."""
        rows = [_row(process, year_fraction) for process in self._processes]
        return Steps(*(np.array(column) for column in zip(*rows, strict=True)))

    @property
    def _processes(self) -> list[MeanReverting | Flow | Quantity]:
        f = self.figures
        by_state: dict[State, Any] = {
            State.REAL_RATE: f.real_rate,
            State.INFLATION: f.inflation,
            State.PURCHASES: f.central_banks.purchases,
            State.SALES: f.central_banks.sales,
            State.SILVER_INDUSTRIAL: f.silver.industrial,
            State.SILVER_JEWELLERY: f.silver.jewellery,
            State.SILVER_INVESTMENT: f.silver.investment,
            State.SILVER_SUPPLY: f.silver.supply,
            State.COPPER_DEMAND: f.copper.demand,
            State.COPPER_SUPPLY: f.copper.supply,
        }
        return [by_state.get(state, f.liquidity) for state in State]

    @property
    def rates(self) -> FloatArray:
        """Return how ex-post and nominal rate follow from real rate and inflation, shape (4,).

        Inflation expected over ten years is `load` of today's and the rest of the long-run
        mean's; nominal = real + that, ex-post = nominal - today's inflation.
        """
        inflation = self.figures.inflation
        way = inflation.speed.value * _MATURITY_YEARS
        load = -math.expm1(-way) / way
        rest = (1 - load) * inflation.long_run.value
        return np.array([rest, load - 1, rest, load])

    @property
    def silver_weights(self) -> FloatArray:
        """Return the weights of silver's demands, and -1 for supply, in ln demand - ln supply.

        Returns
        -------
        ndarray of shape (4,)
        """
        silver = self.figures.silver
        levels = [silver.industrial, silver.jewellery, silver.investment]
        demand = np.array([part.level.value for part in levels])
        return np.append(demand / demand.sum(), -1.0)

    @property
    def outage_rate(self) -> float:
        """Return the outages a year."""
        return self.figures.copper.outage_rate.value

    def loadings(self, assets: tuple[str, ...]) -> FloatArray:
        """Return what a unit of each driver does, by channel: shape (n_assets, n_channels)."""
        table = self._elasticities
        switched = np.array([float(getattr(self.parts, name)) for name, _, _ in CHANNELS])
        rows = [[table[name].get(asset, 0.0) for name, _, _ in CHANNELS] for asset in assets]
        found: FloatArray = np.array(rows, dtype=np.float64) * switched
        return found

    @cached_property
    def _elasticities(self) -> dict[str, dict[str, float]]:
        found, f = self.figures.elasticities, self.figures
        gold, copper = _values(found.gold_beta), _values(found.copper_beta)
        silver_sum = f.silver.supply_elasticity.value + f.silver.demand_elasticity.value
        copper_sum = f.copper.supply_elasticity.value + f.copper.demand_elasticity.value
        money = f.liquidity.money_growth_deviation.value
        return {
            "real_rate": _followed(_values(found.real_rate), "gold", gold),
            "real_rate_level": _followed(_values(found.real_rate_level), "gold", gold),
            "central_banks": _followed(_values(found.central_banks), "gold", gold),
            "silver_balance": {"silver": 1 / silver_sum},
            "copper_balance": _followed({"copper": 1 / copper_sum}, "copper", copper),
            "liquidity": {name: money * value for name, value in _values(found.liquidity).items()},
            "rotation": _values(found.rotation),
            "bill_rate": _values(found.bill_rate),
        }

    def change_variance(self, assets: tuple[str, ...]) -> FloatArray:
        """Return the annual covariance of what channels do from one day to the next.

        It is taken out of the assets' own shocks, so that the total stays what was asked for.
        Only changes count: a flow, such as net purchases, has no variance within a day.

        Returns
        -------
        ndarray of shape (n_assets, n_assets)
        """
        loading = driver_loadings(self.loadings(assets))
        f = self.figures
        annual = np.zeros(N_DRIVERS)
        annual[Driver.RATE] = (100 * f.real_rate.volatility.value) ** 2
        silver = [f.silver.industrial, f.silver.jewellery, f.silver.investment, f.silver.supply]
        deviations = np.array([part.volatility.value for part in silver])
        annual[Driver.SILVER] = float(np.sum((self.silver_weights * deviations) ** 2))
        copper = f.copper
        annual[Driver.COPPER] = (
            copper.demand.volatility.value**2
            + copper.supply.volatility.value**2
            + self.outage_rate * (copper.outage_size.value**2 + copper.outage_deviation.value**2)
        )
        variance: FloatArray = (loading * annual) @ loading.T
        return variance

    @property
    def reversion(self) -> tuple[float, float]:
        """Return the speed of copper's short-run factor and its share of a move's variance."""
        copper = self.figures.copper
        short, long = copper.short_volatility.value**2, copper.long_volatility.value**2
        return copper.reversion_speed.value, short / (short + long)

    def stress_loadings(self, assets: tuple[str, ...]) -> FloatArray:
        """Return the weight of the common shock by regime and asset, shape (4, n_assets)."""
        found = np.zeros((len(REGIMES), len(assets)))
        if self.parts.regimes:
            given = self.figures.regimes.stress_loadings
            row = [given[name].value if name in given else 0.0 for name in assets]
            found[REGIMES.index("stress")] = row
        return found


def driver_loadings(channels: FloatArray) -> FloatArray:
    """Return loadings by driver, shape (n_assets, N_DRIVERS), from those by channel."""
    found = np.zeros((channels.shape[0], N_DRIVERS))
    for column, (_, driver, _) in enumerate(CHANNELS):
        found[:, driver] += channels[:, column]
    return found


def _values(figures: Mapping[Any, Sourced]) -> dict[str, float]:
    return {name: figure.value for name, figure in figures.items()}


def _followed(own: dict[str, float], leader: str, betas: dict[str, float]) -> dict[str, float]:
    """Add followers, which do `beta` times what their leader does, unless they have their own."""
    followers = {name: beta * own.get(leader, 0.0) for name, beta in betas.items()}
    return followers | own


def _row(process: Any, year_fraction: float) -> tuple[float, float, float, float]:
    """Return start, decay, constant and deviation of a state, exactly for any step."""
    start, mean, speed, volatility = _ornstein(process)
    decay = math.exp(-speed * year_fraction)
    deviation = volatility * math.sqrt(-math.expm1(-2 * speed * year_fraction) / (2 * speed))
    return start, decay, (1 - decay) * mean, deviation


def _ornstein(process: Any) -> tuple[float, float, float, float]:
    """Return start, mean, speed and volatility of an Ornstein-Uhlenbeck process."""
    speed = process.speed.value
    if isinstance(process, MeanReverting):
        return process.start.value, process.long_run.value, speed, process.volatility.value
    if isinstance(process, Flow):
        volatility = process.volatility.value
        mean = math.log(process.mean.value) - volatility**2 / (4 * speed)
        return math.log(process.start.value), mean, speed, volatility
    if isinstance(process, Quantity):
        return 0.0, 0.0, speed, process.volatility.value
    return process.start.value, 0.0, speed, math.sqrt(2 * speed)  # liquidity is standardised
