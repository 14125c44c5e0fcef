"""Variances of the drivers and of pulled prices, day by day, exactly up to second order.

A scenario's drift is that of the expectation. Channels scatter the logarithm of a price, and
exp of what scatters is larger on average; pulls make it scatter less than its shocks say.
What corrects this is half a variance, which follows here from the linear system itself: the
states, the drivers that add them up, and, where a pull is on, the log prices of gold, silver
and copper, jointly with the chain of regimes (moments are kept for each regime).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.market.macro.chain import Chain
from simulator.market.macro.model import Macro, Steps
from simulator.market.macro.names import N_DRIVERS, Driver, State
from simulator.units import BoolArray, FloatArray

_FACTORS = (
    State.REAL_RATE,
    State.INFLATION,
    State.LIQUIDITY,
    State.SILVER_INDUSTRIAL,
    State.SILVER_JEWELLERY,
    State.SILVER_INVESTMENT,
    State.SILVER_SUPPLY,
    State.COPPER_DEMAND,
    State.COPPER_SUPPLY,
)
_RATE, _LEVEL, _LIQUID, _NOMINAL = range(len(_FACTORS), len(_FACTORS) + 4)
_N_FACTORS = len(_FACTORS) + 4
_GOLD, _SILVER, _COPPER, _SHORT, _GOLD_LANDED, _SILVER_LANDED = range(_N_FACTORS, _N_FACTORS + 6)
_N_ALL = _N_FACTORS + 6
_METALS = slice(_GOLD, _COPPER + 1)


@dataclass(frozen=True, eq=False)
class Prices:
    """What the pulls need to know of gold, silver and copper; arrays in that order.

    Attributes
    ----------
    loadings : ndarray of shape (3, N_DRIVERS)
    correlation : ndarray of shape (3, 3)
        Of their own shocks.
    variance : ndarray of shape (3, n_steps + 1)
        Expected variance of GARCH on each day, before the regime's weight.
    events : ndarray of shape (3,)
        Variance of a trading day's event jumps.
    stress : ndarray of shape (4, 3)
        Weight of the common shock, by regime.
    trading : ndarray of shape (n_steps + 1,)
    ratio_speed, reversion_speed, short_share : float
    """

    loadings: FloatArray
    correlation: FloatArray
    variance: FloatArray
    events: FloatArray
    stress: FloatArray
    trading: BoolArray
    ratio_speed: float
    reversion_speed: float
    short_share: float


@dataclass(frozen=True, eq=False)
class Moments:
    """Variances on each day.

    Attributes
    ----------
    drivers : ndarray of shape (n_steps + 1, N_DRIVERS, N_DRIVERS)
        Without the row and column of BANKS, which are 0 here.
    prices : ndarray of shape (3, n_steps + 1)
        Of the log prices of gold, silver and copper, their drivers' part (but for BANKS)
        included; the value of the last trading day.
    shocks : ndarray of shape (3, n_steps + 1)
        The sum of the variances of their daily shocks.
    """

    drivers: FloatArray
    prices: FloatArray
    shocks: FloatArray


def moments(
    macro: Macro, steps: Steps, chain: Chain, n_steps: int, year_fraction: float, prices: Prices
) -> Moments:
    """Return the variances of a run's drivers and of the metals' log prices."""
    system = _System(macro, steps, chain, year_fraction, prices)
    covariance = np.zeros((n_steps + 1, N_DRIVERS, N_DRIVERS))
    levels, shocks = np.zeros((2, 3, n_steps + 1))
    last = 0
    for step in range(1, n_steps + 1):
        system.advance()
        levels[:, step], shocks[:, step] = levels[:, step - 1], shocks[:, step - 1]
        if prices.trading[step]:
            shocks[:, step] += system.trade(step - last, prices.variance[:, step])
            last = step
        state_covariance = system.covariance()
        covariance[step] = system.drivers @ state_covariance @ system.drivers.T
        if prices.trading[step]:
            levels[:, step] = np.diag(system.logs @ state_covariance @ system.logs.T)
    return Moments(covariance, levels, shocks)


class _System:
    """First and second moments of the linear system, by regime: (4, n) and (4, n, n)."""

    def __init__(
        self, macro: Macro, steps: Steps, chain: Chain, year_fraction: float, prices: Prices
    ) -> None:
        self._chain, self._prices, self._year_fraction = chain, prices, year_fraction
        self._set_factors(macro, steps, chain, year_fraction)
        self.drivers = _driver_rows(macro)
        self.logs = np.zeros((3, _N_ALL))
        self.logs[:, [_GOLD, _SILVER, _COPPER]] = np.eye(3)
        self.logs += prices.loadings @ self.drivers
        self._landed = prices.loadings[:2] @ self.drivers
        own = np.sqrt(1 - prices.stress**2)
        mixed = prices.correlation * own[:, :, None] * own[:, None, :]
        mixed = mixed + prices.stress[:, :, None] * prices.stress[:, None, :]
        self._mixed: FloatArray = mixed * chain.volatility[:, None, None] ** 2
        self._shares: FloatArray = np.zeros(4)
        self._shares[chain.start] = 1.0
        self._first: FloatArray = np.zeros((4, _N_ALL))
        self._second = np.zeros((4, _N_ALL, _N_ALL))
        for place, state in enumerate(_FACTORS):
            self._first[chain.start, place] = steps.start[state]
        self._second[chain.start] = np.outer(*[self._first[chain.start]] * 2)

    def _set_factors(self, macro: Macro, steps: Steps, chain: Chain, year_fraction: float) -> None:
        own = np.eye(_N_ALL)
        noise = np.zeros((_N_ALL, len(_FACTORS)))
        constant = np.zeros((4, _N_ALL))
        for place, state in enumerate(_FACTORS):
            own[place, place] = steps.decay[state]
            noise[place, place] = steps.deviation[state]
            constant[:, place] = steps.constant[state]
        noise[_RATE, 0] = 100 * steps.deviation[State.REAL_RATE]
        constant[:, 0] += (1 - steps.decay[State.REAL_RATE]) * chain.rate_shift
        copper, supply = macro.figures.copper, _FACTORS.index(State.COPPER_SUPPLY)
        outages: float = macro.outage_rate * year_fraction
        constant[:, supply] -= outages * copper.outage_size.value
        sums = np.eye(_N_ALL)
        _, k1, _, n1 = macro.rates
        sums[_LEVEL, :2] = 100 * year_fraction * np.array([1.0, k1])
        sums[_NOMINAL, :2] = year_fraction * np.array([1.0, n1])
        sums[_LIQUID, _FACTORS.index(State.LIQUIDITY)] = year_fraction
        self._matrix: FloatArray = sums @ own
        self._constant: FloatArray = constant @ sums.T
        self._constant[:, _LIQUID] += year_fraction * chain.liquidity_shift
        scattered: FloatArray = sums @ noise
        lost = copper.outage_size.value**2 + copper.outage_deviation.value**2
        self._noise: FloatArray = scattered @ scattered.T
        self._noise[supply, supply] += outages * lost

    def advance(self) -> None:
        """Take a day: the regime switches, then the factors move."""
        self._shares = self._shares @ self._chain.transition
        first = self._chain.transition.T @ self._first
        second = np.tensordot(self._chain.transition.T, self._second, axes=1)
        moved: FloatArray = first @ self._matrix.T
        cross = moved[:, :, None] * self._constant[:, None, :]
        outer = self._constant[:, :, None] * self._constant[:, None, :] + self._noise
        self._first = moved + self._shares[:, None] * self._constant
        self._second = (
            self._matrix @ second @ self._matrix.T
            + cross
            + cross.transpose(0, 2, 1)
            + self._shares[:, None, None] * outer
        )

    def trade(self, waited: int, variance: FloatArray) -> FloatArray:
        """Take a trading day's pulls and shocks; return the shocks' variances, shape (3,)."""
        prices = self._prices
        years = waited * self._year_fraction
        step = np.eye(_N_ALL)
        ratio, back = prices.ratio_speed * years, prices.reversion_speed * years
        step[_SILVER, [_GOLD, _GOLD_LANDED]] += ratio
        step[_SILVER, [_SILVER, _SILVER_LANDED]] -= ratio
        step[_COPPER, _SHORT] -= back
        step[_SHORT, _SHORT] -= back
        step[[_GOLD_LANDED, _SILVER_LANDED]] = self._landed
        self._first = self._first @ step.T
        self._second = step @ self._second @ step.T
        return self._shake(np.sqrt(variance))

    def _shake(self, deviation: FloatArray) -> FloatArray:
        prices = self._prices
        shock = self._shares[:, None, None] * self._mixed * np.outer(deviation, deviation)
        short = prices.short_share * shock[:, :, 2]
        events = self._shares[:, None] * prices.events
        self._second[:, _METALS, _METALS] += shock
        self._second[:, _METALS, _SHORT] += short
        self._second[:, _SHORT, _METALS] += short
        self._second[:, _SHORT, _SHORT] += prices.short_share * short[:, 2]
        for place in range(3):
            self._second[:, _GOLD + place, _GOLD + place] += events[:, place]
        total: FloatArray = np.einsum("zii->i", shock) + events.sum(axis=0)
        return total

    def covariance(self) -> FloatArray:
        """Return the covariance of all rows, over regimes."""
        mean = self._first.sum(axis=0)
        found: FloatArray = self._second.sum(axis=0) - np.outer(mean, mean)
        return found


def _driver_rows(macro: Macro) -> FloatArray:
    """Return the drivers as sums of the system's rows, shape (N_DRIVERS, _N_ALL)."""
    rows = np.zeros((N_DRIVERS, _N_ALL))
    rows[Driver.RATE, _RATE] = 1.0
    rows[Driver.LEVEL, _LEVEL] = 1.0
    rows[Driver.LIQUIDITY, _LIQUID] = 1.0
    rows[Driver.NOMINAL, _NOMINAL] = 1.0
    silver = _FACTORS.index(State.SILVER_INDUSTRIAL)
    rows[Driver.SILVER, silver : silver + 4] = macro.silver_weights
    rows[Driver.COPPER, _FACTORS.index(State.COPPER_DEMAND)] = 1.0
    rows[Driver.COPPER, _FACTORS.index(State.COPPER_SUPPLY)] = -1.0
    return rows
