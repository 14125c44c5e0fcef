"""What a scenario says of USDC: when it falls below a dollar, how deep, what comes back."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from simulator.scenario.fields import Fault, Frozen, Positive, Rate, Unit, Whole, refuse

USDC = "usdc"
"""The market's price of the dollar in which everything on chain is settled, if it is one."""

_ROUNDING = 1e-12


class StablecoinTerms(Frozen):
    """One fall of USDC below a dollar; before it and without this section it is one dollar."""

    day: Annotated[Whole, Field(ge=1)] | None = None
    """Step on which it falls on every path; none = only as `hazard` has it."""
    low: Annotated[float, Field(gt=0, le=1), Unit("1 = a dollar", 0.01)]
    """Price in dollars on the day of the fall, the lowest."""
    recovers_days: Positive = 3.0
    """Days until what comes back is back, evenly from the low."""
    lasting_loss: Annotated[float, Field(ge=0, lt=1), Unit("1 = 100 %", 0.01)] = 0.0
    """Share of a dollar that never comes back."""
    hazard: Rate = 0.0
    """Falls a year by chance; the first one counts, and only if it comes before `day`."""

    @model_validator(mode="after")
    def _falls_and_comes_back(self) -> StablecoinTerms:
        faults: list[Fault] = []
        if self.day is None and "hazard" not in self.model_fields_set:
            rule = "is required, or hazard beside it: without either USDC never falls"
            faults.append((("day",), "", rule))
        if self.lasting_loss > 1.0 - self.low + _ROUNDING:
            rule = f"must be at most {1.0 - self.low:g}: it lies at {self.low:g} on its lowest day"
            faults.append((("lasting_loss",), f"{self.lasting_loss:g}", rule))
        refuse(faults)
        return self
