"""What gas costs."""

from __future__ import annotations

from simulator.schema.fields import Frozen, NonNegative, Positive


class GasTerms(Frozen):
    """What a transaction costs the holder."""

    price_gwei: NonNegative = 1.0
    """Gas price in gwei (1e-9 ether)."""
    ether_usd: Positive = 3100.0
    """Price of ether in USD, constant over the run."""

    @property
    def usd_per_gas(self) -> float:
        """Return the price of a unit of gas, USD."""
        return self.price_gwei * 1e-9 * self.ether_usd
