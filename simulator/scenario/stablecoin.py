"""What a scenario says of USDC: when it falls below a dollar, how deep, what comes back."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from simulator.schema.fields import Fault, Frozen, Hazard, Positive, Unit, Whole, refuse

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
    hazard: Hazard = 0.0
    """Falls a year by chance; the first one counts, and only if it comes before `day`."""

    def note(self) -> str:
        """Return in a sentence when it falls, how deep, and what comes back."""
        days = [] if self.day is None else [f"on day {self.day} of every path"]
        days += [f"by chance, {self.hazard:g} times a year"] if self.hazard else []
        when = " or ".join(days) or "never, its hazard being 0"
        return (
            f"USDC, in which everything on chain is paid, falls to {self.low:g} dollars {when}; "
            f"{self.recovers_days:g} days later it is at {1.0 - self.lasting_loss:g}. "
            "No asset of the market moves with it"
        )

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
