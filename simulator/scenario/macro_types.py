"""What the figures of the macro model look like: each with unit, source, mark and error."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from simulator.schema.assets import Asset
from simulator.schema.texts import Described

RegimeName = Literal["easing", "neutral", "limited", "stress"]
REGIMES: tuple[RegimeName, ...] = ("easing", "neutral", "limited", "stress")
"""The states of global liquidity, in the order of their numbers 0 to 3."""

Mark = Literal["observed", "secondary", "claimed", "assumption"]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]


class MacroModel(Described):
    """Base of the macro section: unknown keys are refused, values cannot change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Sourced(MacroModel):
    """One figure of the macro model with its origin."""

    value: Number
    """The figure, in `unit`."""
    unit: Annotated[str, StringConstraints(min_length=1)]
    """Unit of `value` and of `standard_error`."""
    mark: Mark
    """observed, secondary, claimed or assumption."""
    source: Annotated[str, StringConstraints(min_length=1)]
    """Where the figure came from."""
    standard_error: Annotated[float, Field(strict=True, allow_inf_nan=False, ge=0)] | None = None
    """Standard error in `unit`; none where nobody has estimated one."""
    window: tuple[dt.date, dt.date] | None = None
    """First and last date of the data behind the figure; none where it has no data."""
    weak: str = ""
    """Why the data hardly show the figure, such as |t| below 2; empty where they do."""
    note: str = ""
    """What a reader must know to use the figure."""


class PositiveFigure(Sourced):
    """A figure above 0."""

    value: Annotated[float, Field(strict=True, allow_inf_nan=False, gt=0)]
    """The figure, in `unit`; above 0."""


class NonNegativeFigure(Sourced):
    """A figure of 0 or more."""

    value: Annotated[float, Field(strict=True, allow_inf_nan=False, ge=0)]
    """The figure, in `unit`; 0 or more."""


class ShareFigure(Sourced):
    """A share."""

    value: Annotated[float, Field(strict=True, allow_inf_nan=False, ge=0, le=1)]
    """The share, 0 to 1."""


class LoadingFigure(Sourced):
    """A weight on a common shock."""

    value: Annotated[float, Field(strict=True, allow_inf_nan=False, ge=-0.95, le=0.95)]
    """The weight, -0.95 to 0.95."""


class MeanReverting(MacroModel):
    """A Vasicek (Ornstein-Uhlenbeck) process: dx = speed (long_run - x) dt + volatility dW."""

    start: Sourced
    """Value on the first day."""
    long_run: Sourced
    """The value it returns to."""
    speed: PositiveFigure
    """Speed of the return, 1/year; the half-life is ln 2 / speed."""
    volatility: NonNegativeFigure
    """Standard deviation of a year's change, without the return."""


class Flow(MacroModel):
    """A yearly amount whose logarithm returns to its mean."""

    start: PositiveFigure
    """Amount a year on the first day."""
    mean: PositiveFigure
    """Long-run arithmetic mean of the amount a year."""
    speed: PositiveFigure
    """Speed of the return, 1/year."""
    volatility: NonNegativeFigure
    """Of the logarithm, 1/sqrt(year)."""


class Quantity(MacroModel):
    """A demand or supply: level exp(growth t + x), with x a deviation that returns to 0."""

    level: PositiveFigure
    """Amount a year on the first day."""
    growth: Sourced
    """Expected growth, 1/year."""
    speed: PositiveFigure
    """Speed at which a deviation disappears, 1/year."""
    volatility: NonNegativeFigure
    """Of the deviation, 1/sqrt(year)."""


class CentralBanks(MacroModel):
    """Central banks' gross purchases and gross sales of gold; net = bought - sold."""

    purchases: Flow
    """Gross purchases, tonnes a year."""
    sales: Flow
    """Gross sales, tonnes a year."""


class SilverBalance(MacroModel):
    """Demand for silver and its supply."""

    industrial: Quantity
    """Industrial demand, photovoltaics included, million ounces a year."""
    jewellery: Quantity
    """Jewellery and silverware, million ounces a year."""
    investment: Quantity
    """Bars, coins and funds, million ounces a year."""
    supply: Quantity
    """Mines and recycling, million ounces a year."""
    supply_elasticity: NonNegativeFigure
    """Change of supply in % for 1 % of price."""
    demand_elasticity: PositiveFigure
    """Fall of demand in % for 1 % of price."""


class CopperBalance(MacroModel):
    """Demand for refined copper, its supply with outages, and the price's short-run factor."""

    demand: Quantity
    """Demand, million tonnes a year."""
    supply: Quantity
    """Refined supply, million tonnes a year."""
    supply_elasticity: NonNegativeFigure
    """Change of supply in % for 1 % of price."""
    demand_elasticity: PositiveFigure
    """Fall of demand in % for 1 % of price."""
    outage_rate: NonNegativeFigure
    """Outages a year that take output from the market."""
    outage_size: NonNegativeFigure
    """Mean share of supply that an outage takes."""
    outage_deviation: NonNegativeFigure
    """Standard deviation of that share."""
    reversion_speed: NonNegativeFigure
    """Schwartz-Smith: speed at which the short-run part of a price move disappears, 1/year."""
    short_volatility: NonNegativeFigure
    """Schwartz-Smith: volatility of the short-run factor."""
    long_volatility: PositiveFigure
    """Schwartz-Smith: volatility of the long-run factor."""


class Liquidity(MacroModel):
    """Global liquidity, standardised: 12-month growth of money less its mean, over its s.d."""

    start: Sourced
    """Standardised value on the first day."""
    speed: PositiveFigure
    """Speed of the return to 0, 1/year."""
    money_growth_mean: Sourced
    """Mean of the 12-month growth of M2, 1/year."""
    money_growth_deviation: PositiveFigure
    """Standard deviation of the 12-month growth of M2, 1/year."""


class RegimeState(MacroModel):
    """One state of the Markov chain, and what it shifts."""

    duration: PositiveFigure
    """Mean stay, months."""
    following: dict[RegimeName, ShareFigure]
    """Where it goes next; the shares add up to 1."""
    real_rate_shift: Sourced
    """Shift of the real rate's long-run mean, as a fraction: 0.005 is half a point."""
    liquidity_shift: Sourced
    """Added to standardised liquidity."""
    volatility_factor: PositiveFigure
    """Weight of volatility, before all are scaled so that the long-run variance stays."""


class Regimes(MacroModel):
    """Markov chain of liquidity regimes; names as in `REGIMES`."""

    start: RegimeName = "neutral"
    """State on the first day."""
    easing: RegimeState
    """Liquidity is plentiful."""
    neutral: RegimeState
    """Neither plentiful nor scarce."""
    limited: RegimeState
    """Liquidity is scarce."""
    stress: RegimeState
    """Markets fall together."""
    stress_loadings: dict[Asset, LoadingFigure]
    """Weight of a common shock in an asset's own while the regime is stress; none = 0."""

    @model_validator(mode="after")
    def _shares_add_up(self) -> Regimes:
        for name in REGIMES:
            following = self.state(name).following
            total = sum(share.value for share in following.values())
            if name in following or abs(total - 1) > 1e-9:
                raise ValueError(
                    f"{name}.following must name other regimes with shares that add up to 1; "
                    f"they add up to {total:g}"
                )
        return self

    def state(self, name: RegimeName) -> RegimeState:
        """Return the figures of one regime."""
        found: RegimeState = getattr(self, name)
        return found


class RatioPull(MacroModel):
    """Pull of the gold-silver ratio to its equilibrium; silver moves, gold does not."""

    equilibrium: PositiveFigure
    """Ounces of silver for one of gold."""
    speed: NonNegativeFigure
    """Share of the log gap that closes a year, 1/year; the half-life is ln 2 / speed."""


class Elasticities(MacroModel):
    """What an asset's log price does for one unit of a factor; an asset left out has 0."""

    real_rate: dict[Asset, Sourced]
    """Log return for +1 percentage point of the 10-year real rate."""
    real_rate_level: dict[Asset, Sourced]
    """Log drift a year for +1 percentage point of the ex-post real rate."""
    central_banks: dict[Asset, Sourced]
    """Log return for +100 tonnes of net purchases."""
    liquidity: dict[Asset, Sourced]
    """Log drift a year for +1 (= 100 %) of 12-month money growth."""
    rotation: dict[Asset, Sourced]
    """Log drift a year for +1 of standardised liquidity: passive flows by weight."""
    bill_rate: dict[Asset, Sourced]
    """Log drift a year for +1 (= 100 %) of the nominal rate."""
    gold_beta: dict[Asset, Sourced]
    """Share of gold's own channels (real rate, level, central banks) that an asset follows."""
    copper_beta: dict[Asset, Sourced]
    """Share of copper's balance that an asset follows."""
