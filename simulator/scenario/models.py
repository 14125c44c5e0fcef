"""The scenario: every input of a run, validated and frozen.

Units stand in the names: `_bps` (1/10,000), `_ounces` (troy), `_usd`, `_days`, `_share`
(0 to 1); rates, drifts, volatilities and hazards are annual. Figures that no scenario file
sets are assumptions and are listed as such in the report.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from simulator.scenario.claims import ClaimTerms, break_even_faults, reference_faults
from simulator.scenario.fields import (
    Day,
    Fault,
    Frozen,
    Label,
    Name,
    NonNegative,
    Positive,
    Whole,
    refuse,
)
from simulator.scenario.holding import HoldingTerms
from simulator.scenario.instruments import GoldTokenTerms, GoldVaultTerms
from simulator.scenario.investors import (
    CASH,
    InvestorTerms,
    unknown_instrument,
)
from simulator.scenario.market import AssetTerms, MarketTerms
from simulator.scenario.mining_sto import MineEquityTerms, MiningStoTerms, mine_faults
from simulator.scenario.observables import FACTORS, observables, one_of
from simulator.scenario.price_cover import PriceCoverTerms
from simulator.scenario.revenue_staking import RevenueStakingTerms, staking_faults

__all__ = ["AssetTerms", "MarketTerms", "Scenario"]


class GasTerms(Frozen):
    """What a transaction costs the holder."""

    price_gwei: NonNegative = 1.0
    """Gas price in gwei (1e-9 ether)."""
    ether_usd: Positive = 3100.0
    """Price of ether in USD, constant over the run."""


class Instruments(Frozen):
    """The instruments of a scenario."""

    gold_token: GoldTokenTerms | None = None
    """The token that stands for an ounce of gold."""
    silver_token: GoldTokenTerms | None = None
    """The token that stands for an ounce of silver."""
    gold_vault: GoldVaultTerms | None = None
    """The vault that promises a yield on the gold token."""
    mining_sto: dict[Label, MiningStoTerms] = Field(default_factory=dict)
    """Security tokens on copper mines, by the name each is given."""
    mine_equity: dict[Label, MineEquityTerms] = Field(default_factory=dict)
    """Ordinary shares of such mines, by the name each is given."""
    revenue_staking: dict[Label, RevenueStakingTerms] = Field(default_factory=dict)
    """Tokens of such mines that are staked, by the name each is given."""
    price_cover: dict[Label, PriceCoverTerms] = Field(default_factory=dict)
    """Pools that insure the copper price, by the name each is given. That is the underwriter's
    position; NAME-miner and NAME-unhedged are the miner with and without cover."""
    holding: dict[Label, HoldingTerms] = Field(default_factory=dict)
    """What is held off chain, by the name it is given."""

    def token(self, name: str) -> GoldTokenTerms | None:
        """Return the terms of `gold_token` or `silver_token`, if it is there."""
        terms: GoldTokenTerms | None = getattr(self, name)
        return terms

    def assets(self) -> dict[str, str]:
        """Return the market asset that each instrument follows, by the instrument's name."""
        followed = {"gold_token": "gold", "silver_token": "silver", "gold_vault": "gold"}
        there = {n: asset for n, asset in followed.items() if getattr(self, n) is not None}
        there |= dict.fromkeys(
            (*self.mining_sto, *self.mine_equity, *self.revenue_staking), "copper"
        )
        covers = {
            name: t.follows for label, t in self.price_cover.items() for name in t.names(label)
        }
        return there | covers | {name: terms.follows for name, terms in self.holding.items()}

    def units(self, name: str) -> tuple[str, ...]:
        """Return the units that an instrument is measured in."""
        return ("ounces", "usd") if name in METAL_INSTRUMENTS else ("usd",)

    def divisible(self) -> set[str]:
        """Return the instruments of which portfolios can hold parts that change."""
        mines = (self.mining_sto, self.mine_equity, self.revenue_staking)
        labelled = (*mines, self.price_cover, self.holding)
        return {*METAL_INSTRUMENTS, *(label for section in labelled for label in section)}

    @model_validator(mode="after")
    def _labels_are_unique(self) -> Instruments:
        taken, faults = {*Instruments.model_fields, CASH}, list[Fault]()
        for section in Instruments.model_fields:
            labelled = getattr(self, section)
            for label, terms in labelled.items() if isinstance(labelled, dict) else ():
                names = {label, *terms.names(label)} if section == "price_cover" else {label}
                if names & taken:
                    faults.append(((section, label), "", "is the name of another instrument"))
                taken |= names
        refuse(faults)
        return self

    @model_validator(mode="after")
    def _vault_has_its_token(self) -> Instruments:
        if self.gold_vault is not None and self.gold_token is None:
            refuse([(("gold_vault",), "", "needs gold_token beside it: that is what it takes")])
        return self


METAL_INSTRUMENTS = ("gold_token", "silver_token", "gold_vault")
"""What is measured in ounces too."""

MAX_DESK_SPREAD_BPS = 5_000
"""The desk on which portfolios trade tokens lists none with a wider spread."""


class ReplayTerms(Frozen):
    """Whose outcome names the paths that are replayed on a chain."""

    subject: Label
    """The investor whose exit value orders the paths."""


class Scenario(Frozen):
    """All inputs of a run."""

    name: Name
    """Short name; it begins the run folder's."""
    title: str = Field(min_length=1)
    """One line for the report's head."""
    start: Day
    """First day; the calibration's prices should be of this day."""
    horizon_days: Annotated[Whole, Field(ge=30, le=3660)] = 365
    """Steps of one calendar day."""
    paths: Annotated[Whole, Field(ge=1, le=10_000_000)] = 10_000
    """Number of simulated paths."""
    seed: Annotated[Whole, Field(ge=0, lt=2**63)] = 1
    """Key of every random draw."""
    market: MarketTerms
    """Prices of the metals."""
    instruments: Instruments
    """What is held, and its terms."""
    gas: GasTerms = GasTerms()
    """Transaction costs."""
    investors: dict[Label, InvestorTerms] = Field(min_length=1)
    """Who holds what."""
    claims: dict[Label, ClaimTerms] = Field(min_length=1)
    """What is put to the test."""
    replay: ReplayTerms
    """Which paths go to the chain."""

    @model_validator(mode="after")
    def _subjects_exist(self) -> Scenario:
        units = {name: self._units(investor) for name, investor in self.investors.items()}
        shown = observables(self.instruments)
        factors = FACTORS if self.market.model == "macro" else ()
        faults = reference_faults(self.claims, units, self.market.priced, shown, factors)
        faults += break_even_faults(self.claims, self)
        if self.replay.subject not in self.investors:
            rule = one_of(self.replay.subject, self.investors, "an investor of this file")
            faults.append((("replay", "subject"), f"'{self.replay.subject}'", rule))
        mines = self.instruments.mining_sto, self.instruments.mine_equity
        faults += mine_faults(*mines, self.horizon_days)
        faults += staking_faults(self.instruments.revenue_staking, self.instruments.mining_sto)
        refuse(faults + self._holding_faults() + self._asset_faults() + self._stablecoin_faults())
        return self

    def _stablecoin_faults(self) -> list[Fault]:
        day = None if self.market.stablecoin is None else self.market.stablecoin.day
        if day is None or day <= self.horizon_days:
            return []
        rule = f"must be at most {self.horizon_days}, the last day of the run"
        return [(("market", "stablecoin", "day"), str(day), rule)]

    def _units(self, investor: InvestorTerms) -> tuple[str, ...]:
        """Return the units that an investor is measured in: a portfolio in dollars alone."""
        return ("usd",) if investor.holding is None else self.instruments.units(investor.holding)

    def _holding_faults(self) -> list[Fault]:
        there = self.instruments.assets()
        faults: list[Fault] = []
        holders = [n for n, i in self.investors.items() if i.holding == "gold_vault"]
        for name, investor in self.investors.items():
            held = investor.holding
            if held is None or held not in there:
                faults += _unknown(name, investor, there)
                faults += _undivided(name, investor, set(there) - self.instruments.divisible())
            elif investor.ounces is not None and held not in METAL_INSTRUMENTS:
                rule = f"is for metal tokens; {held} is held by capital_usd"
                faults.append((("investors", name, "ounces"), f"{investor.ounces:g}", rule))
            elif name in holders[1:]:
                rule = f"the vault has one measured holder, {holders[0]}; must be another"
                faults.append((("investors", name, "holding"), "'gold_vault'", rule))
        return faults + self._desk_faults()

    def _desk_faults(self) -> list[Fault]:
        """Return the spreads at which the desk of the stage cannot trade a portfolio's token."""
        traded = {name for i in self.investors.values() if i.weights for name in i.held}
        faults: list[Fault] = []
        # A share of the vault is sold at the spread of what is in it.
        traded |= {"gold_token"} if "gold_vault" in traded else set()
        for name in sorted(traded & {"gold_token", "silver_token"}):
            terms = self.instruments.token(name)
            spread = 0.0 if terms is None else terms.sale_spread_bps
            if spread != round(spread) or spread > MAX_DESK_SPREAD_BPS:
                rule = f"must be whole and at most {MAX_DESK_SPREAD_BPS}: portfolios trade it"
                faults.append((("instruments", name, "sale_spread_bps"), f"{spread:g}", rule))
        return faults

    def _asset_faults(self) -> list[Fault]:
        followed = self.instruments.assets()
        needed = [(asset, name) for name, asset in followed.items()] + [
            (asset, name)
            for name, terms in self.instruments.holding.items()
            for asset in terms.needs
        ]
        lacking = {asset: name for asset, name in needed if asset not in self.market.assets}
        return [
            (("market", "assets", asset), "", f"is required: instruments.{name} follows it")
            for asset, name in lacking.items()
        ]


def _unknown(name: str, investor: InvestorTerms, known: dict[str, str]) -> list[Fault]:
    """Return a fault for each thing that an investor holds and the scenario lacks."""
    one = ("holding",) if investor.weights is None else ()
    return [
        (("investors", name, *(one or ("weights", held))), value, unknown_instrument(held, known))
        for held in investor.held
        for value in (f"'{held}'" if one else "",)
        if held not in known
    ]


def _undivided(name: str, investor: InvestorTerms, whole: set[str]) -> list[Fault]:
    """Return a fault for each thing in a portfolio that can only be held alone."""
    rule = "cannot be part of a portfolio; hold it alone, by holding and capital_usd"
    weights = investor.weights or {}
    return [(("investors", name, "weights", held), "", rule) for held in weights if held in whole]
