"""The scenario: every input of a run, validated and frozen.

Units stand in the names: `_bps` (1/10,000), `_ounces` (troy), `_usd`, `_days`, `_share`
(0 to 1); rates, drifts, volatilities and hazards are annual. Figures that no scenario file
sets are assumptions and are listed as such in the report.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from simulator.scenario.instruments import GoldTokenTerms, GoldVaultTerms

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]*$", max_length=60)]
AssetName = Literal["gold", "silver", "copper"]


class Frozen(BaseModel):
    """Base of all scenario models: unknown keys are refused, values cannot change."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class AssetTerms(Frozen):
    """What a scenario says of one asset; the rest comes from the calibration."""

    drift: Annotated[float, Field(ge=-2, le=2, allow_inf_nan=False)]
    """Expected growth a year, ln E[S_T/S_0]/T; 0.035 = 3.5 %."""
    price: Positive | None = None
    """Price at the start in USD per ounce (copper: per tonne); none = the calibration's."""
    volatility: Positive | None = None
    """Annual volatility; none = the calibration's."""


class MarketTerms(Frozen):
    """Which model moves the prices, and from which figures."""

    model: Literal["gbm", "jump", "garch"] = "garch"
    """gbm, jump (Merton) or garch (GJR-GARCH with multivariate t)."""
    calibration: str = "metals-2026-01"
    """Name of a shipped calibration or path of a calibration file."""
    assets: dict[AssetName, AssetTerms] = Field(min_length=1)
    """The assets that move, each with its drift."""

    @field_validator("assets")
    @classmethod
    def _gold_is_there(cls, assets: dict[AssetName, AssetTerms]) -> dict[AssetName, AssetTerms]:
        if "gold" not in assets:
            raise ValueError("must contain gold, which the gold instruments follow")
        return assets


class GasTerms(Frozen):
    """What a transaction costs the holder."""

    price_gwei: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 1.0
    """Gas price in gwei (1e-9 ether)."""
    ether_usd: Positive = 3100.0
    """Price of ether in USD, constant over the run."""


class Instruments(Frozen):
    """The instruments of a scenario."""

    gold_token: GoldTokenTerms = GoldTokenTerms()
    """The token that stands for an ounce of gold."""
    gold_vault: GoldVaultTerms | None = None
    """The vault that promises a yield on the token."""


class InvestorTerms(Frozen):
    """Someone who holds one instrument over the whole run."""

    holding: Literal["gold_token", "gold_vault"]
    """The instrument held."""
    ounces: Positive
    """Ounces of gold token put in at the start."""


class Condition(Frozen):
    """One measured quantity against its bounds."""

    measure: Literal["annual_yield", "total_return", "drawdown", "yield_deviation"]
    """What is measured on each path."""
    unit: Literal["ounces", "usd"]
    """In ounces of gold token or in dollars."""
    at_least: Annotated[float, Field(allow_inf_nan=False)] | None = None
    """Lower bound; 0.08 = 8 %."""
    at_most: Annotated[float, Field(allow_inf_nan=False)] | None = None
    """Upper bound; drawdowns and deviations are positive numbers."""
    reported_above: Annotated[float, Field(allow_inf_nan=False)] | None = None
    """The share of paths above this is reported, and not failed."""

    @model_validator(mode="after")
    def _has_a_bound(self) -> Condition:
        if self.at_least is None and self.at_most is None:
            raise ValueError("must have at_least or at_most")
        if None not in (self.at_least, self.at_most) and self.at_least > self.at_most:  # type: ignore[operator]
            raise ValueError(f"at_least {self.at_least} is above at_most {self.at_most}")
        return self


class ClaimTerms(Frozen):
    """An event that a promoter promises: all conditions hold on the subject's path."""

    says: str = Field(min_length=1)
    """The claim in the promoters' words."""
    subject: Name
    """The investor it is about."""
    conditions: tuple[Condition, ...] = Field(min_length=1)
    """What must hold, singly and jointly; the first one is the measured quantity."""


class ReplayTerms(Frozen):
    """Whose outcome names the paths that are replayed on a chain."""

    subject: Name
    """The investor whose exit value orders the paths."""


class Scenario(Frozen):
    """All inputs of a run."""

    name: Name
    """Short name; it begins the run folder's."""
    title: str = Field(min_length=1)
    """One line for the report's head."""
    start: dt.date
    """First day; the calibration's prices should be of this day."""
    horizon_days: Annotated[int, Field(ge=30, le=3660)] = 365
    """Steps of one calendar day."""
    paths: Annotated[int, Field(ge=1, le=10_000_000)] = 10_000
    """Number of simulated paths."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 1
    """Key of every random draw."""
    market: MarketTerms
    """Prices of the metals."""
    instruments: Instruments
    """What is held, and its terms."""
    gas: GasTerms = GasTerms()
    """Transaction costs."""
    investors: dict[Name, InvestorTerms] = Field(min_length=1)
    """Who holds what."""
    claims: dict[Name, ClaimTerms] = Field(min_length=1)
    """What is put to the test."""
    replay: ReplayTerms
    """Which paths go to the chain."""

    @model_validator(mode="after")
    def _subjects_exist(self) -> Scenario:
        known = ", ".join(self.investors)
        faults = [
            f"claims.{name}.subject is '{claim.subject}'; must be an investor of this file: {known}"
            for name, claim in self.claims.items()
            if claim.subject not in self.investors
        ]
        if self.replay.subject not in self.investors:
            faults.append(
                f"replay.subject is '{self.replay.subject}'; must be an investor: {known}"
            )
        vault_holders = [n for n, i in self.investors.items() if i.holding == "gold_vault"]
        if vault_holders and self.instruments.gold_vault is None:
            faults.append(f"investors.{vault_holders[0]} holds gold_vault, which has no terms here")
        if len(vault_holders) > 1:
            faults.append("only one investor can be the vault's measured holder")
        if faults:
            raise ValueError("; ".join(faults))
        return self
