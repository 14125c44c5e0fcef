"""Daily series of a collection: made when somebody asks for them.

All are of shape (n_steps + 1, n_paths), USD of one token unless said otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from simulator.instruments.base import OnDemand
from simulator.instruments.solar_nft.drivers import SolarNftDrivers
from simulator.instruments.solar_nft.state import Days, Numbers, Results
from simulator.instruments.solar_nft.terms import SolarNftTerms
from simulator.units import FloatArray

THREE_MONTHS = 91


@dataclass(frozen=True)
class Series:
    """What tokens have paid, are worth, and how many are locked."""

    terms: SolarNftTerms
    drivers: SolarNftDrivers
    own: Numbers
    told: Days
    results: Results

    def of_free(self) -> OnDemand:
        """Return the series of free tokens, and of the collection."""
        tokens = self.own.tokens
        return OnDemand(
            {
                "floor_usd": lambda: self.results.price / tokens,
                "energy_usd": lambda: self.results.paid / tokens,
                "energy_yield": lambda: self.results.paid / self.own.issue_usd,
                "silver_usd": self.silver,
                "rights_less_costs_usd": self.rights_less_costs,
                "locked_value_usd": self.locked_value,
                "locked_in_three_months_usd": self.locked_in_three_months,
            }
        )

    def of_locked(self) -> OnDemand:
        """Return the series of locked tokens: the bonus, and all income over the issue price."""
        paid, bonus = self.results.paid, self.results.bonus
        return OnDemand(
            {
                "bonus_usd": lambda: bonus / self.own.tokens,
                "income_yield": lambda: (paid + bonus) / self.own.issue_usd,
            }
        )

    @cached_property
    def dirty(self) -> FloatArray:
        """Return the floor price of the position with the running period's revenue, USD.

        Of shape (n_steps + 1, n_paths).
        """
        found: FloatArray = self.results.mark - self.cash
        # what is less than rounding leaves is nothing
        np.copyto(found, 0.0, where=self.results.price + np.abs(found) < 1e-9)
        found[0] = self.results.price[0]
        return found

    @cached_property
    def cash(self) -> FloatArray:
        """Return what free tokens have paid less gas, USD of the position.

        Of shape (n_steps + 1, n_paths).
        """
        found: FloatArray = self.results.paid - self.told.spent[:, None]
        retired = int(self.own.retire_step)
        found[retired:] += self.results.silver_paid
        return found

    def silver(self) -> FloatArray:
        """Return what buyers pay for the right to the silver, before their mood.

        Of shape (n_steps + 1, n_paths).
        """
        found: FloatArray = self.told.worth.silver[:, None] * self.drivers.silver_usd
        return found / self.own.tokens

    def rights_less_costs(self) -> FloatArray:
        """Return what the rights have paid, less what owning and selling the token costs.

        Costs are the issue price above the first floor price, gas, spread and royalty.

        Of shape (n_steps + 1, n_paths).
        """
        own, results = self.own, self.results
        premium = own.issue_usd - results.price[0]
        sale = (1.0 - own.keep) * self.dirty + own.leave_gas * self.told.gas_times[:, None]
        found: FloatArray = (self.cash - premium - sale) / own.tokens
        return found

    def locked_value(self) -> FloatArray:
        """Return what all locked tokens are worth at the floor price, USD.

        Of shape (n_steps + 1, n_paths).
        """
        own, drivers = self.own, self.drivers
        watts = own.array_watts * (drivers.locked - drivers.unlocked) + own.own_watts
        return watts * self.results.price / own.own_watts

    def locked_in_three_months(self) -> FloatArray:
        """Return the same, which stays as it is from day 91 on.

        Of shape (n_steps + 1, n_paths).
        """
        found = self.locked_value()
        found[THREE_MONTHS:] = found[min(THREE_MONTHS, found.shape[0] - 1)]
        return found
