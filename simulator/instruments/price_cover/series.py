"""Daily series of a cover that change on few days: made when somebody asks for them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.instruments.base import OnDemand
from simulator.instruments.price_cover import fair
from simulator.instruments.price_cover.drivers import PriceCoverDrivers
from simulator.instruments.price_cover.state import MINER, Outcome, Policy, Schedule
from simulator.instruments.price_cover.terms import PriceCoverTerms
from simulator.units import DAYS_PER_YEAR, FloatArray


@dataclass(frozen=True)
class Series:
    """What became of the policies, and the daily series that follow from it.

    Attributes
    ----------
    sold : ndarray of shape (n_policies, 7, n_paths)
        Rows of `state.Policy`.
    outcomes : ndarray of shape (n_policies, 3, n_paths)
        Rows of `state.Outcome`.
    periods : ndarray of shape (2, n_periods + 1, n_paths), USD
        The miner's cash flow of each period with and without cover.

    Notes
    -----
    All series are of shape (n_steps + 1, n_paths), USD.
    """

    terms: PriceCoverTerms
    drivers: PriceCoverDrivers
    plan: Schedule
    sold: FloatArray
    outcomes: FloatArray
    periods: FloatArray

    def of_miner(self) -> OnDemand:
        """Return the covered miner's series: sums so far, and his cash flow by period."""
        return OnDemand(
            {
                "premiums_usd": self.premiums,
                "payouts_usd": self.payouts,
                "fair_value_usd": self.fair_values,
                "period_cash_usd": lambda: self.by_period(0),
            }
        )

    def flows(self) -> OnDemand:
        """Return what the covered miner is paid and pays in USDC up to each step, by source."""
        return OnDemand({"payouts": self.payouts, "cover_premiums": lambda: -self.premiums()})

    def premiums(self) -> FloatArray:
        """Return the miner's premiums less those of voided covers, shape (n_steps + 1, n_paths)."""
        total = np.zeros_like(self.drivers.copper_usd)
        for i in self._miners():
            premium = self.sold[i, Policy.PREMIUM]
            total[self.plan.bought[i] :] += premium
            voided = self.outcomes[i, Outcome.VOIDED]
            for k in np.flatnonzero(voided):
                total[int(voided[k]) :, k] -= premium[k]
        return total

    def payouts(self) -> FloatArray:
        """Return what the miner's covers have paid, shape (n_steps + 1, n_paths)."""
        return self._at_expiry(Outcome.PAYOUT, self._miners())

    def missing(self) -> FloatArray:
        """Return what the pool has not been able to pay, shape (n_steps + 1, n_paths)."""
        return self._at_expiry(Outcome.MISSING, range(len(self.plan.end)))

    def _miners(self) -> list[int]:
        return [int(i) for i in np.flatnonzero(self.plan.buyer == MINER)]

    def _at_expiry(self, row: Outcome, policies: range | list[int]) -> FloatArray:
        total = np.zeros_like(self.drivers.copper_usd)
        for i in policies:
            if self.outcomes[i, row].any():
                total[self.plan.end[i] :] += self.outcomes[i, row]
        return total

    def by_period(self, row: int) -> FloatArray:
        """Return the last whole period's cash flow, shape (n_steps + 1, n_paths); first zero."""
        steps = np.arange(self.drivers.copper_usd.shape[0])
        flows: FloatArray = self.periods[row, steps // self.terms.miner.cover.renew_every_days]
        return flows

    def fair_values(self) -> FloatArray:
        """Return the fair value of the miner's covers when bought, shape (n_steps + 1, n_paths)."""
        copper, pool = self.drivers.copper_usd, self.terms.pool
        total = np.zeros_like(copper)
        for i in self._miners():
            bought, end = int(self.plan.bought[i]), int(self.plan.end[i])
            ticks = fair.mean_variance(self.drivers.exchange_open, bought, end, pool.window_days)
            deviation = self.drivers.volatility * np.sqrt(ticks / self.drivers.periods_per_year)
            tonnes, strike = self.sold[i, Policy.TONNES], self.sold[i, Policy.STRIKE]
            value = fair.put(copper[bought], np.where(strike > 0.0, strike, 1.0), deviation)
            discount = np.exp(-pool.discount_rate * (end - bought) / DAYS_PER_YEAR)
            total[bought:] += discount * tonnes * value
        return total
