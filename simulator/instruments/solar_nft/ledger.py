"""What the replay expects on one path: energy reported, payments, prices, and their rounding."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from simulator.instruments.gas import Gas
from simulator.instruments.solar_nft.drivers import SolarNftDrivers
from simulator.instruments.solar_nft.paths import SolarNftRecord
from simulator.instruments.solar_nft.state import Numbers, calendar, days
from simulator.instruments.solar_nft.terms import SolarNftTerms
from simulator.mechanics.solar import N_ARRAYS, silver_usd
from simulator.units import BPS, USDC_DECIMALS, from_wei

ENERGY_UNITS = 1e6
"""Of a kWh: energy is reported in millionths of it."""
UNIT = 10.0**-USDC_DECIMALS


class Ledger:
    """One path's sums by step; arrays are of shape (n_steps + 1,) or (n_periods,)."""

    def __init__(
        self,
        terms: SolarNftTerms,
        gas: Gas,
        own: Numbers,
        drivers: SolarNftDrivers,
        record: SolarNftRecord,
    ) -> None:
        """Take drivers and record of one path: arrays of shape (n_steps + 1, 1)."""
        self._terms, self._own, self._gas = terms, own, gas
        self.last = drivers.sun.shape[0] - 1
        self.ends, self.claims = calendar(terms, self.last)
        self._days = days(terms, gas, drivers.start, self.last, own)
        self._steps = np.arange(self.last + 1)
        self.pots = record.pots[:, 0]
        self.revenue = np.concatenate(([0.0], np.cumsum(self.pots)))[np.cumsum(self.ends)]
        self._sun = np.cumsum(drivers.sun[:, 0])
        self._paid, self._bonus = record.paid[:, 0], record.bonus[:, 0]
        self._leave, self._leave_locked = record.leave[:, 0], record.leave_locked[:, 0]
        self._dirty = record.dirty[:, 0]
        retires = int(own.retire_step)
        self.silver_paid = 0.0
        if retires <= self.last:
            price = float(drivers.feed_usd[retires, 0])
            self.silver_paid = silver_usd(own.silver_mg, own.recovery, price)
        self._silver = np.where(self._steps >= retires, self.silver_paid, 0.0)
        in_service = self._steps < retires
        arrays = (drivers.locked[:, 0] - drivers.unlocked[:, 0]) * own.array_watts
        self._watts = np.where(in_service, arrays + own.own_watts, 0.0)
        if self.is_free(self.last) and self.asked() > 0:
            self._watts[-1] -= own.own_watts
        self._energy = self._reported()
        self._dearest = self._price_of_energy()

    def _reported(self) -> dict[int, tuple[int, int]]:
        """Return the energy of an array and of the measured position by step, 1e-6 kWh."""
        found, before = {}, 0
        for step in np.flatnonzero(self.ends):
            hours = float(self._sun[step] - self._sun[before])
            own = self._own.own_watts * self._terms.panel.site_factor
            kw = self._own.array_watts / 1_000.0, own / 1_000.0
            found[int(step)] = int(kw[0] * hours * ENERGY_UNITS), int(kw[1] * hours * ENERGY_UNITS)
            before = int(step)
        return found

    def _price_of_energy(self) -> float:
        """Return the most that a millionth of a kWh brings, USD."""
        totals = [N_ARRAYS * others + 2 * own for others, own in self._energy.values()]
        rates = [
            float(pot) / total for pot, total in zip(self.pots, totals, strict=True) if total > 0
        ]
        return max(rates, default=0.0)

    def energy(self, step: int) -> tuple[int, int]:
        """Return what an array and the measured position report at the end of a period."""
        return self._energy[step]

    def is_free(self, step: int) -> bool:
        """Return whether the locked token can be unlocked on a step."""
        return step >= min(self._own.lock_days, self._own.retire_step)

    def asked(self) -> int:
        """Return at what the tokens are offered on the last step, units of USDC."""
        asked = float(self._dirty[-1]) * (1.0 - self._terms.buyers.spread_bps / BPS)
        return int(asked / UNIT)

    def _sale(self) -> float:
        """Return what selling on the last step brings, USD."""
        price = self.asked()
        return from_wei(price - price * self._terms.buyers.royalty_bps // BPS, USDC_DECIMALS)

    def exit_value(self, step: int, received: float, *, is_locked: bool) -> float:
        """Return what leaving pays on a step; on the last one the sale is among the receipts."""
        if step == 0:
            return self._own.issue_usd
        free = not is_locked or self.is_free(step)
        dirty = float(self._dirty[step])
        spent = self._days.spent_locked if is_locked else self._days.spent
        gas = self._gas.usd_on("leave", step)
        gas += self._gas.usd_on("unlock", step) if is_locked else 0.0
        value = received - float(spent[step]) - (gas if dirty > 0.0 else 0.0)
        if step == self.last and free:
            return value
        return value + dirty * (self._own.keep if free else self._own.keep_locked)

    def expected(self, step: int) -> Mapping[str, float]:
        """Return the model's observables."""
        received = float(self._paid[step] + self._silver[step])
        sale = self._sale() if step == self.last else 0.0
        locked_sale = sale if self.is_free(step) else 0.0
        own_part = 2.0 * self._own.part
        return {
            "revenue": float(self.revenue[step]),
            "others_revenue": float(self.revenue[step]) * (1.0 - own_part),
            "free_received": received + sale,
            "locked_received": received + float(self._bonus[step]) + locked_sale,
            "free_exit": float(self._leave[step]),
            "locked_exit": float(self._leave_locked[step]),
            "locked_watts": float(self._watts[step]),
            "uncovered": 0.0,
        }

    def rounding(self, step: int) -> Mapping[str, float]:
        """Return what rounding adds up to by a step.

        Views of revenue and bonus round down, once for what is pending and once for what is
        credited, and the sale and its royalty once each: six units, and one for silver. Energy is
        whole millionths of a kWh: of N_ARRAYS + 2 reports each loses less than one, which moves
        each period's shares by as many times what the dearest one brings. The others' revenue has
        a view for each array, and one of all that is credited.
        """
        periods = int(np.count_nonzero(self.ends[: step + 1]))
        energy = periods * (N_ARRAYS + 2) * self._dearest
        own = 7 * UNIT + energy
        return {
            "revenue": 0.5 * UNIT,
            "others_revenue": (N_ARRAYS + 1) * UNIT + N_ARRAYS * energy,
            "free_received": own,
            "locked_received": own,
            "free_exit": own,
            "locked_exit": own,
            "locked_watts": 0.5,
            "uncovered": 0.5 * UNIT,
        }
