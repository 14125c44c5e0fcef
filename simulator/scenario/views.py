"""What a scenario switches off in the macro model, and what it foresees."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from simulator.scenario.macro_types import RegimeName
from simulator.schema.assets import Asset
from simulator.schema.fields import (
    Day,
    Fault,
    Fraction,
    Frozen,
    OpenShare,
    Positive,
    Unit,
    Whole,
    refuse,
)

RATIO = "gold_silver_ratio"
NEGATIVE_RATE = -0.01
"""What `real_rate: negative` stands for: a point below zero."""


_BOUNDS = Field(ge=-0.1, le=0.2)


def _rate(value: Any) -> Any:
    return NEGATIVE_RATE if value == "negative" else value


class MacroParts(Frozen):
    """The parts of the macro model; with all of them off it equals gbm, byte for byte."""

    garch: bool = True
    """GJR-GARCH and t shocks; off = constant volatility and normal shocks, as in gbm."""
    real_rate: bool = True
    """Surprising changes of the real rate move gold and silver."""
    real_rate_level: bool = True
    """A lower ex-post real rate than expected tilts gold upwards."""
    central_banks: bool = True
    """Net purchases above expectation move gold."""
    silver_balance: bool = True
    """Demand and supply of silver move silver."""
    copper_balance: bool = True
    """Demand, supply and outages move copper."""
    copper_reversion: bool = True
    """The short-run part of copper's moves disappears again."""
    liquidity: bool = True
    """Liquidity moves Bitcoin, and altcoins more."""
    rotation: bool = True
    """Liquidity moves passive flows between big tech and small caps."""
    bill_rate: bool = True
    """Treasury bills follow the nominal rate."""
    regimes: bool = True
    """Easing, neutral, limited, stress: shift factors, volatility and correlation."""
    ratio_pull: bool = True
    """Silver is pulled to the equilibrium of the gold-silver ratio."""
    event_jumps: bool = True
    """A share of the calibrated jumps comes on top of the shocks."""


class Target(Frozen):
    """A level that an expectation reaches, by a drift."""

    at_least: Positive | None = None
    """Price (or ratio) that the expectation rises to; met already where it starts above."""
    at_most: Positive | None = None
    """Price (or ratio) that the expectation falls to; met already where it starts below."""
    fall: OpenShare | None = None
    """Share by which the expectation falls below `peak`; 0.7 = 70 %."""
    peak: Positive | None = None
    """Price that `fall` counts from; none = the price at the start."""
    by: Day | None = None
    """Day on which it is reached; none = the last day of the run."""

    @model_validator(mode="after")
    def _is_one_thing(self) -> Target:
        given = [self.at_least, self.at_most, self.fall]
        if sum(item is not None for item in given) != 1:
            refuse([((), "", "must have one of at_least, at_most and fall")])
        if self.peak is not None and self.fall is None:
            refuse([(("peak",), f"{self.peak:g}", "is what fall counts from; there is no fall")])
        return self

    def level(self, price: float) -> float:
        """Return what is to be reached from `price`."""
        if self.fall is not None:
            return (self.peak or price) * (1 - self.fall)
        return self.at_least or self.at_most or price

    def is_met(self, price: float) -> bool:
        """Return whether the start is there already."""
        level = self.level(price)
        return price >= level if self.at_least is not None else price <= level


class Views(Frozen):
    """What the scenario foresees; it acts in full and is shown apart from the surprises."""

    real_rate: (
        Annotated[
            Fraction,
            BeforeValidator(
                _rate, json_schema_input_type=Annotated[float, _BOUNDS] | Literal["negative"]
            ),
            _BOUNDS,
            Unit("a rate such as 0.02, or negative", 0.01),
        ]
        | None
    ) = None
    """10-year real rate that is reached after `ramp_days` and kept; negative = -0.01."""
    ramp_days: Annotated[Whole, Field(ge=1, le=3660)] = 90
    """Days over which the real rate gets there, later where it never moved so fast."""
    rate_pace: Literal["historical", "any"] | None = None
    """historical: no faster than the real rate ever moved; any: in `ramp_days`, whatever
    history says; none = historical, and a warning where the view arrives later for it."""
    central_banks_net_t: Annotated[float, Field(ge=-5_000, le=5_000)] | None = None
    """Net purchases of central banks, tonnes a year, from the first day on."""
    liquidity: RegimeName | None = None
    """Regime that holds from the first day to the last."""
    silver_demand_growth: Annotated[Fraction, Field(ge=-0.5, le=0.5)] | None = None
    """Growth of silver demand a year, in place of the calibration's."""
    silver_supply_growth: Annotated[Fraction, Field(ge=-0.5, le=0.5)] | None = None
    """Growth of silver supply a year."""
    copper_demand_growth: Annotated[Fraction, Field(ge=-0.5, le=0.5)] | None = None
    """Growth of copper demand a year."""
    copper_supply_growth: Annotated[Fraction, Field(ge=-0.5, le=0.5)] | None = None
    """Growth of refined copper supply a year."""
    targets: dict[Asset | Literal["gold_silver_ratio"], Target] = Field(default_factory=dict)
    """Levels of prices, by asset; of the gold-silver ratio, for which silver moves."""

    @model_validator(mode="after")
    def _targets_go_together(self) -> Views:
        faults: list[Fault] = []
        ratio = self.targets.get("gold_silver_ratio")
        if ratio is not None and "silver" in self.targets:
            faults.append((("targets", "silver"), "", "and a ratio cannot both move silver"))
        if ratio is not None and ratio.fall is not None:
            faults.append((("targets", RATIO, "fall"), "", "must be at_least or at_most here"))
        refuse(faults)
        return self
