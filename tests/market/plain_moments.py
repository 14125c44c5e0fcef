"""The recursion of the macro model's variances with plain matrices: the kernel's oracle."""

from __future__ import annotations

import numpy as np

from simulator.market.macro.moments import (
    _COPPER,
    _FACTORS,
    _GOLD,
    _GOLD_LANDED,
    _LEVEL,
    _LIQUID,
    _N_ALL,
    _NOMINAL,
    _RATE,
    _SHORT,
    _SILVER,
    _SILVER_LANDED,
    Moments,
    _driver_rows,
)
from simulator.market.macro.names import N_DRIVERS, State


def plain_moments(macro, steps, chain, year_fraction, prices):
    """Return the variances of a run's drivers and of the metals' log prices."""
    system = _System(macro, steps, chain, year_fraction, prices)
    n_steps = prices.trading.size - 1
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

    def __init__(self, macro, steps, chain, year_fraction, prices):
        self._chain, self._prices, self._year_fraction = chain, prices, year_fraction
        self._set_factors(macro, steps, chain, year_fraction)
        self.drivers = _driver_rows(macro)
        self.logs = np.zeros((3, _N_ALL))
        self.logs[:, [_GOLD, _SILVER, _COPPER]] = np.eye(3)
        self.logs += prices.loadings @ self.drivers
        self._shares = np.zeros(4)
        self._shares[chain.start] = 1.0
        self._first = np.zeros((4, _N_ALL))
        self._second = np.zeros((4, _N_ALL, _N_ALL))
        for place, state in enumerate(_FACTORS):
            self._first[chain.start, place] = steps.start[state]
        self._second[chain.start] = np.outer(*[self._first[chain.start]] * 2)

    def _set_factors(self, macro, steps, chain, year_fraction):
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
        outages = macro.outage_rate * year_fraction
        constant[:, supply] -= outages * copper.outage_size.value
        sums = np.eye(_N_ALL)
        _, k1, _, n1 = macro.rates
        sums[_LEVEL, :2] = 100 * year_fraction * np.array([1.0, k1])
        sums[_NOMINAL, :2] = year_fraction * np.array([1.0, n1])
        sums[_LIQUID, _FACTORS.index(State.LIQUIDITY)] = year_fraction
        self._matrix = sums @ own
        self._constant = constant @ sums.T
        self._constant[:, _LIQUID] += year_fraction * chain.liquidity_shift
        scattered = sums @ noise
        lost = copper.outage_size.value**2 + copper.outage_deviation.value**2
        self._noise = scattered @ scattered.T
        self._noise[supply, supply] += outages * lost

    def advance(self):
        """Take a day: the regime switches, then the factors move."""
        self._shares = self._shares @ self._chain.transition
        first = self._chain.transition.T @ self._first
        second = np.tensordot(self._chain.transition.T, self._second, axes=1)
        moved = first @ self._matrix.T
        cross = moved[:, :, None] * self._constant[:, None, :]
        outer = self._constant[:, :, None] * self._constant[:, None, :] + self._noise
        self._first = moved + self._shares[:, None] * self._constant
        self._second = (
            self._matrix @ second @ self._matrix.T
            + cross
            + cross.transpose(0, 2, 1)
            + self._shares[:, None, None] * outer
        )

    def trade(self, waited, variance):
        """Take a trading day's pulls and shocks; return the shocks' variances, shape (3,)."""
        prices = self._prices
        years = waited * self._year_fraction
        step = np.eye(_N_ALL)
        ratio, back = prices.ratio_speed * years, prices.reversion_speed * years
        step[_SILVER, [_GOLD, _GOLD_LANDED]] += ratio
        step[_SILVER, [_SILVER, _SILVER_LANDED]] -= ratio
        step[_COPPER, _SHORT] -= back
        step[_SHORT, _SHORT] -= back
        landed = prices.loadings[:2] @ self.drivers
        step[[_GOLD_LANDED, _SILVER_LANDED]] = landed
        self._first = self._first @ step.T
        self._second = step @ self._second @ step.T
        return self._shake(np.sqrt(variance))

    def _shake(self, deviation):
        prices, total = self._prices, np.zeros(3)
        place = np.array([_GOLD, _SILVER, _COPPER])
        for regime in np.flatnonzero(self._shares):
            common = prices.stress[regime]
            own = np.sqrt(1 - common**2)
            mixed = prices.correlation * np.outer(own, own) + np.outer(common, common)
            spread = self._chain.volatility[regime] * deviation
            shock = self._shares[regime] * mixed * np.outer(spread, spread)
            short = prices.short_share * shock[:, 2]
            second = self._second[regime]
            second[np.ix_(place, place)] += shock
            second[place, _SHORT] += short
            second[_SHORT, place] += short
            second[_SHORT, _SHORT] += prices.short_share * short[2]
            second[place, place] += self._shares[regime] * prices.events
            total += np.diag(shock) + self._shares[regime] * prices.events
        return total

    def covariance(self):
        """Return the covariance of all rows, over regimes."""
        mean = self._first.sum(axis=0)
        return self._second.sum(axis=0) - np.outer(mean, mean)
