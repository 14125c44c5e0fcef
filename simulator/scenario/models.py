"""The scenario: every input of a run, validated and frozen.

Units stand in the names: `_bps` (1/10,000), `_ounces` (troy), `_usd`, `_days`, `_share`
(0 to 1); rates, drifts, volatilities and hazards are annual. Figures that no scenario file
sets are assumptions and are listed as such in the report.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, Any

from pydantic import Field, model_validator

from simulator.instruments.gas import gas_faults
from simulator.instruments.registry import in_order
from simulator.instruments.terms import UNITS, Position, Struck
from simulator.scenario.claims import ClaimTerms, number_faults, premise_faults, reference_faults
from simulator.scenario.instruments import Chosen, homes, positions, section_faults
from simulator.scenario.investors import InvestorTerms, unknown_instrument
from simulator.scenario.market import OF_A_TABLE, AssetTerms, MarketTerms
from simulator.scenario.observables import FACTORS, one_of
from simulator.scenario.shock_targets import FACTOR, GAS, HOURS
from simulator.scenario.shocks import ShockTerms, shock_faults, struck_faults
from simulator.schema.assets import USDC
from simulator.schema.fields import (
    Day,
    Fault,
    Frozen,
    Label,
    Name,
    Whole,
    refuse,
)
from simulator.schema.gas import GasTerms

__all__ = ["AssetTerms", "MarketScenario", "MarketTerms", "Scenario"]


class ReplayTerms(Frozen):
    """Whose outcome names the paths that are replayed on a chain."""

    subject: Label
    """The investor whose exit value orders the paths."""


class MarketScenario(Frozen):
    """What the market by itself needs."""

    name: Name
    """Short name; it begins the run folder's."""
    title: str = Field(min_length=1)
    """One line for the report's head."""
    start: Day
    """First day; where a file does not set it, the last day of the calibration."""
    horizon_days: Annotated[Whole, Field(ge=30, le=3660)] = 365
    """Steps of one calendar day."""
    paths: Annotated[Whole, Field(ge=1, le=10_000_000)] = 10_000
    """Number of simulated paths."""
    seed: Annotated[Whole, Field(ge=0, lt=2**63)] = 1
    """Key of every random draw."""
    market: MarketTerms
    """Prices of the metals."""
    shocks: Annotated[tuple[ShockTerms, ...], Field(strict=False)] | None = None
    """What happens on a day, in the order in which it acts; none = nothing."""

    @model_validator(mode="after")
    def _falls_within_the_run(self) -> MarketScenario:
        day = None if self.market.stablecoin is None else self.market.stablecoin.day
        if day is not None and day > self.horizon_days:
            rule = f"must be at most {self.horizon_days}, the last day of the run"
            refuse([(("market", "stablecoin", "day"), str(day), rule)])
        faults = shock_faults(self.shocks or (), self.market.assets, self.start, self.horizon_days)
        refuse(faults + self._hours_faults() + self._factor_faults())
        return self

    def _hours_faults(self) -> list[Fault]:
        """Return where the exchange is closed on days that a table has moves for."""
        if self.market.model not in OF_A_TABLE:
            return []
        rule = f"is not for model {self.market.model}, whose days are those of its table"
        listed = enumerate(self.shocks or ())
        return [(("shocks", k, "target"), HOURS, rule) for k, s in listed if s.target == HOURS]

    def _factor_faults(self) -> list[Fault]:
        """Return the factors that shocks name of a market that has none."""
        if self.market.model == "macro":
            return []
        rule = f"is a factor of model macro alone; this market is {self.market.model}"
        return [
            (("shocks", k, "when" if s.family != FACTOR else "target"), factor, rule)
            for k, s in enumerate(self.shocks or ())
            for factor in s.factors
        ]

    @property
    def usdc_moves(self) -> bool:
        """Return whether USDC can be worth anything but a dollar."""
        return self.market.stablecoin is not None or any(
            shock.target == USDC for shock in self.shocks or ()
        )

    @property
    def priced(self) -> tuple[str, ...]:
        """Return everything that has a price: the assets, and USDC where it moves."""
        return (*self.market.assets, *((USDC,) if self.usdc_moves else ()))


class Scenario(MarketScenario):
    """All inputs of a run."""

    instruments: Chosen
    """What is held, by label, and its terms."""
    gas: GasTerms = GasTerms()
    """Transaction costs."""
    investors: dict[Label, InvestorTerms] = Field(min_length=1)
    """Who holds what."""
    claims: dict[Label, ClaimTerms] = Field(min_length=1)
    """What is put to the test."""
    replay: ReplayTerms
    """Which paths go to the chain; where a file does not say, those of the first investor."""

    @model_validator(mode="before")
    @classmethod
    def _replays_somebody(cls, data: Any) -> Any:
        investors = data.get("investors") if isinstance(data, dict) else None
        if "replay" in (data or ()) or not isinstance(investors, dict) or not investors:
            return data
        return {**data, "replay": {"subject": next(iter(investors))}}

    @model_validator(mode="after")
    def _fits_together(self) -> Scenario:
        # where instruments stand on each other in a circle nothing else can be asked
        refuse(section_faults(self.instruments, self.horizon_days, self._traded()))
        faults = gas_faults(self.gas) + self._free_gas_faults()
        faults += self._reference_faults() + self._holding_faults() + self._asset_faults()
        faults += struck_faults(self.shocks or (), self.struck, self.market.assets)
        refuse(faults + self._alone_faults())
        return self

    def _alone_faults(self) -> list[Fault]:
        """Return where a shock would stop what stands on what it hits as well."""
        faults: list[Fault] = []
        for place, shock in enumerate(self.shocks or ()):
            found, label = self.struck.get(shock.target), shock.target.rpartition(".")[0]
            above = [n for n, t in self.instruments.items() if label in t.needs().instruments]
            if found is not None and found.alone and above:
                rule = f"would stop {', '.join(above)} too, which is not modelled; must be of what"
                rule += f" nothing else stands on ({found.alone})"
                faults.append((("shocks", place, "target"), f"'{shock.target}'", rule))
        return faults

    def _free_gas_faults(self) -> list[Fault]:
        """Return where a shock is to move the price of gas that costs nothing."""
        rule = "has nothing to move: gas.price_gwei is 0"
        listed = enumerate(self.shocks or () if self.gas.price_gwei == 0.0 else ())
        return [(("shocks", k, "target"), GAS, rule) for k, s in listed if s.target == GAS]

    @property
    def positions(self) -> dict[str, Position]:
        """Return everything that can be held, by name, in the order of tables."""
        return positions(self.instruments)

    @property
    def struck(self) -> dict[str, Struck]:
        """Return what shocks can do to the instruments, by `LABEL.NAME`."""
        return {
            f"{label}.{struck.name}": struck
            for label, terms in self.instruments.items()
            for struck in terms.shocks()
        }

    def _traded(self) -> frozenset[str]:
        """Return the labels of what portfolios hold."""
        home = homes(self.instruments)
        held = (name for i in self.investors.values() if i.weights for name in i.held)
        return frozenset(home[name] for name in held if name in home)

    def _reference_faults(self) -> list[Fault]:
        there = self.positions
        units = {name: _units(investor, there) for name, investor in self.investors.items()}
        shown = {name: position.observables for name, position in there.items()}
        factors = FACTORS if self.market.model == "macro" else ()
        faults = reference_faults(self.claims, units, self.priced, shown, factors)
        faults += number_faults(self.claims, self)
        stated = self.market.central_banks is not None
        faults += premise_faults(self.claims, level_is_stated=stated)
        if self.replay.subject not in self.investors:
            rule = one_of(self.replay.subject, self.investors, "an investor of this file")
            faults.append((("replay", "subject"), f"'{self.replay.subject}'", rule))
        return faults

    def _holding_faults(self) -> list[Fault]:
        there, first = self.positions, dict[str, str]()
        faults: list[Fault] = []
        for name, investor in self.investors.items():
            held = investor.holding
            position = there.get(held or "")
            if held is None or position is None:
                faults += _unknown(name, investor, there)
                faults += _undivided(name, investor, there)
                continue
            if investor.ounces is not None and "ounces" not in position.units:
                rule = f"is for metal tokens; {held} is held by capital_usd"
                faults.append((("investors", name, "ounces"), f"{investor.ounces:g}", rule))
            elif first.setdefault(held, name) != name and _has_one_holder(position):
                rule = f"{held} has one measured holder, {first[held]}; must be another"
                faults.append((("investors", name, "holding"), f"'{held}'", rule))
        return faults

    def _asset_faults(self) -> list[Fault]:
        lacking = {
            asset: label
            for label in in_order(self.instruments)
            for asset in self.instruments[label].needs().assets
            if asset not in self.market.assets
        }
        faults: list[Fault] = [
            (("market", "assets", asset), "", f"is required: instruments.{label} follows it")
            for asset, label in lacking.items()
        ]
        for label, terms in self.instruments.items():
            factors = terms.needs().factors
            if factors and self.market.model != "macro":
                rule = f"reads {', '.join(factors)}, which only model macro has"
                faults.append((("instruments", label), "", rule))
        return faults


def _has_one_holder(position: Position) -> bool:
    return position.measured is not None and position.measured.one_holder


def _units(investor: InvestorTerms, there: Mapping[str, Position]) -> tuple[str, ...]:
    """Return the units that an investor is measured in: a portfolio in dollars alone.

    Of what is not there nobody knows, and its own fault is told.
    """
    if investor.holding is None:
        return ("usd",)
    position = there.get(investor.holding)
    return UNITS if position is None else position.units


def _unknown(name: str, investor: InvestorTerms, known: Collection[str]) -> list[Fault]:
    """Return a fault for each thing that an investor holds and the scenario lacks."""
    one = ("holding",) if investor.weights is None else ()
    return [
        (("investors", name, *(one or ("weights", held))), value, unknown_instrument(held, known))
        for held in investor.held
        for value in (f"'{held}'" if one else "",)
        if held not in known
    ]


def _undivided(name: str, investor: InvestorTerms, there: Mapping[str, Position]) -> list[Fault]:
    """Return a fault for each thing in a portfolio that can only be held alone."""
    rule = "cannot be part of a portfolio; hold it alone, by holding and capital_usd"
    return [
        (("investors", name, "weights", held), "", rule)
        for held in investor.weights or {}
        if held in there and not there[held].divisible
    ]
