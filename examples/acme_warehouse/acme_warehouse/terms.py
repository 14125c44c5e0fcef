"""Terms of a warehouse receipt: what is stored, at what fees, and what may be missing."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from simulator.instruments.terms import InstrumentTerms, Measured, Needs, Position
from simulator.schema.fields import Rate, Share, Unit, Whole


class WarehouseTerms(InstrumentTerms):
    """Metal in a vault, on paper: a receipt stands for an ounce or a tonne, less storage."""

    metal: Literal["gold", "silver", "copper"] = "gold"
    """What is stored; a receipt begins as one unit in which the market quotes it."""
    storage_fee: Annotated[float, Field(ge=0, le=0.5), Unit("1 = 100 % a year", 0.01)] = 0.004
    """Taken out of the metal each day, a year."""
    delivery_fee_bps: Annotated[Whole, Field(ge=0, le=5_000), Unit("10000 = 100 %", 100)] = 50
    """Kept of metal that is delivered; a dealer asks and pays as much around the price."""
    missing_hazard: Rate = 0.01
    """Chance a year that a count finds metal missing (a Poisson rate), the first time."""
    missing_share: Share = 0.3
    """Share of the metal that is then missing."""

    def positions(self, label: str) -> tuple[Position, ...]:
        """Return the receipts of one holder, in dollars."""
        shown = ("metal_per_receipt",)
        return (Position(label, self.metal, observables=shown, measured=Measured()),)

    def needs(self) -> Needs:
        """Return the metal."""
        return Needs(assets=(self.metal,))
