"""What a scenario says of the market: which model moves which assets."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from simulator.scenario.stablecoin import StablecoinTerms
from simulator.scenario.views import RATIO, MacroParts, Target, Views
from simulator.schema.assets import Asset as AssetName
from simulator.schema.fields import (
    Fraction,
    Frozen,
    NonNegative,
    Plausible,
    Positive,
    Unit,
    Volatility,
    Whole,
    refuse,
)

_OF_THE_PAST = ("bootstrap", "history")
"""Models that need a table of closes."""
EVERY_DAY: tuple[AssetName, ...] = ("bitcoin", "altcoins", "treasury_bills")
"""Assets that move on each calendar day; all others keep the exchanges' trading days."""


DayOfAsset = Annotated[
    str,
    Field(pattern=r"^\d{4}-\d\d-\d\d:[a-z_]+$"),
    Unit("a day and an asset, as 2022-11-15:gold"),
]


class AssetTerms(Frozen):
    """What a scenario says of one asset; the rest comes from the calibration."""

    drift: Annotated[Fraction, Field(ge=-2, le=2), Plausible(-1, 1, "10 % is written 0.1")]
    """Expected growth a year, ln E[S_T/S_0]/T; 0.035 = 3.5 %."""
    price: Positive | None = None
    """Price at the start in USD per ounce, tonne (copper), coin, share or index point; none =
    the calibration's."""
    volatility: Volatility | None = None
    """Annual volatility; none = the calibration's."""
    price_age_days: Annotated[Whole, Field(ge=0)] | None = None
    """Days that the last close may be from the start before the user is warned; none = 5."""
    volatility_start: Volatility | None = None
    """Annual volatility of the first day where it moves; none = the calibration's, which a
    volatility set here scales."""


class NetPurchases(Frozen):
    """What central banks buy of gold on balance: the level near which it moves now."""

    level_t: Positive
    """Tonnes a year."""
    standard_error_t: NonNegative
    """Standard error of that level; a run's parameter sets draw it."""
    deviation_t: NonNegative
    """Standard deviation of a year's tonnes around the level."""
    speed: Positive = 5.0
    """Speed a year at which a deviation disappears: at 5 a year tells little of the next."""


def _written(value: str | bool | float) -> str:
    """Return a value as its author wrote it, words in quotes."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"'{value}'" if isinstance(value, str) else f"{value:g}"


OF_A_TABLE = ("bootstrap", "history")
"""Models that play the days of a table."""


class MarketTerms(Frozen):
    """Which model moves the prices, and from which figures."""

    model: Literal["gbm", "jump", "garch", "macro", "bootstrap", "history"] = "garch"
    """gbm, jump (Merton), garch (GJR-GARCH with multivariate t), macro (garch with factors,
    regimes and events), bootstrap (past days, drawn) or history (past days as they were)."""
    history: Annotated[str, Field(min_length=1)] | None = None
    """CSV of closes that a bootstrap draws from, or that model history plays."""
    columns: dict[AssetName, Annotated[str, Field(min_length=1)]] = Field(default_factory=dict)
    """The history's column of an asset, where the column's own name does not say it."""
    exclude: tuple[DayOfAsset, ...] = Field(default=(), strict=False)
    """Returns of the history to leave out, as 2022-11-15:gold."""
    keep: tuple[DayOfAsset, ...] = Field(default=(), strict=False)
    """Returns of the history that stand out and are true."""
    block_days: Annotated[float, Field(ge=1, le=2520)] | None = None
    """Mean block length of a bootstrap in trading days; none = chosen from the history."""
    smooth: bool | None = None
    """Whether a bootstrap starts at the volatility of the history's last days and goes beyond its
    worst day; none = yes. No: the history's own returns and nothing else."""
    calibration: str = "metals-2026-01"
    """Name of a shipped calibration or path of a calibration file."""
    assets: dict[AssetName, AssetTerms] = Field(min_length=1)
    """The assets that move, each with its drift."""
    parts: MacroParts | None = None
    """What of the macro model is on; none = all of it."""
    views: Views | None = None
    """What the macro model takes for given; none = nothing."""
    central_banks: NetPurchases | None = None
    """Level of central banks' net purchases; none = the calibration's long-run mean."""
    stablecoin: StablecoinTerms | None = None
    """When USDC falls below a dollar; none = it is one dollar on every day."""

    def asset(self, name: str) -> AssetTerms:
        """Return the terms of an asset, whatever its name was read from."""
        return dict[str, AssetTerms](self.assets.items())[name]

    @property
    def targets(self) -> dict[str, Target]:
        """Return the price targets, by asset or ratio."""
        views = {} if self.views is None else self.views.targets
        return {str(name): target for name, target in views.items()}

    def _check_played(self) -> None:
        """Refuse what changes days that are to be played as they were."""
        given: dict[tuple[str, ...], object] = {
            (name,): getattr(self, name) or None for name in ("exclude", "keep", "block_days")
        }
        given[("smooth",)] = self.smooth
        for name, asset in self.assets.items():
            for field in ("price", "volatility", "volatility_start"):
                given[("assets", name, field)] = getattr(asset, field)
        rule = "has no meaning in model history, which plays the table as it is"
        refuse([(place, "", rule) for place, value in given.items() if value is not None])

    def _check_columns(self) -> None:
        refuse(
            [
                (("columns", asset), f"'{column}'", f"{asset} is no asset of the market")
                for asset, column in self.columns.items()
                if asset not in self.assets
            ]
        )

    @model_validator(mode="after")
    def _parts_and_views_are_the_macro_models(self) -> MarketTerms:
        given = {"parts": self.parts, "views": self.views, "central_banks": self.central_banks}
        if self.model != "macro":
            rule = f"are read by model macro alone, and the model is {self.model}"
            refuse([((name,), "", rule) for name, there in given.items() if there is not None])
        needed = {name for name in self.targets if name != RATIO}
        if RATIO in self.targets:
            needed |= {"gold", "silver"}
        lacking = sorted(needed - set(self.assets))
        rule = "is required: a target of market.views is about it"
        refuse([(("assets", name), "", rule) for name in lacking])
        return self

    @model_validator(mode="after")
    def _history_is_the_bootstraps(self) -> MarketTerms:
        self._check_columns()
        if self.model in _OF_THE_PAST and self.history is None:
            refuse([(("history",), "", f"is required by model {self.model}: a CSV of closes")])
        if self.model == "bootstrap":
            return self
        if self.model == "history":
            self._check_played()
            return self
        rule = f"is read by model bootstrap alone, and the model is {self.model}"
        names = ", ".join(self.columns) or None
        days = ", ".join((*self.exclude, *self.keep)) or None
        given = {
            "history": self.history,
            "columns": names,
            "exclude" if self.exclude else "keep": days,
            "block_days": self.block_days,
            "smooth": self.smooth,
        }
        refuse(
            [((name,), _written(value), rule) for name, value in given.items() if value is not None]
        )
        return self
