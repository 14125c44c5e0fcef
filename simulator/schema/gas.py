"""What gas costs."""

from __future__ import annotations

from pydantic import Field

from simulator.schema.fields import Frozen, Label, NonNegative, Positive


class GasTerms(Frozen):
    """What a transaction costs the holder."""

    price_gwei: NonNegative = 1.0
    """Gas price in gwei (1e-9 ether)."""
    ether_usd: Positive = 3100.0
    """Price of ether in USD, constant over the run."""
    used: dict[Label, dict[Label, NonNegative]] = Field(default_factory=dict)
    """Gas that an act of the measured holder uses, by kind of instrument and act; what is left
    out is as measured on Anvil."""

    @property
    def usd_per_gas(self) -> float:
        """Return the price of a unit of gas, USD."""
        return self.price_gwei * 1e-9 * self.ether_usd
