"""What is claimed: an event, an effect or a premise, stated so that it can be judged."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, Field, model_validator

from simulator.scenario.instruments import as_named_now
from simulator.scenario.observables import one_of
from simulator.schema.assets import USDC
from simulator.schema.fields import Fault, Fraction, Frozen, Label, NonNegative, refuse

Measure = Literal[
    "annual_yield",
    "total_return",
    "money_weighted_return",
    "drawdown",
    "ulcer",
    "volatility",
    "expected_shortfall",
    "sortino",
    "calmar",
    "yield_deviation",
    "highest",
    "lowest",
    "last",
    "mean",
]
INVESTOR_MEASURES: tuple[Measure, ...] = get_args(Measure)[:-4]
SERIES_MEASURES: tuple[Measure, ...] = (
    "highest",
    "lowest",
    "last",
    "mean",
    "total_return",
    "drawdown",
)
NEVER_NEGATIVE = ("drawdown", "yield_deviation", "ulcer", "volatility")
PLAIN_NUMBERS = ("highest", "lowest", "last", "mean", "sortino", "calmar")
"""Measures whose bounds are no shares: levels in a unit of their own, and ratios."""
SERIES_FORM = re.compile(r"price\.\w+|ratio\.\w+\.\w+|factor\.\w+|[a-z0-9_-]+\.\w+")

Statistic = Literal["mean", "median", "p05", "p95", "expected_shortfall"]


class Condition(Frozen):
    """One measured quantity against its bounds: of an investor, or of a daily series."""

    measure: Measure
    """What is measured on each path."""
    unit: Literal["ounces", "usd"] | None = None
    """In ounces of metal or in dollars: for investors, and for nobody else."""
    series: str | None = None
    """Instead of an investor: price.gold, ratio.gold.silver, factor.real_rate, or an
    instrument's observable such as gold_token.sector_value_usd."""
    over: Label | None = None
    """Another investor, whose measure is taken off: how much better the subject does."""
    before_reaching: Fraction | None = None
    """Of a series' fall: only until the day on which it first closes at this or above."""
    at_least: Fraction | None = None
    """Lower bound; 0.08 = 8 %, prices in their own unit."""
    at_most: Fraction | None = None
    """Upper bound; drawdowns and deviations are positive numbers."""
    reported_above: Fraction | None = None
    """The share of paths above this is reported, and not failed."""

    @property
    def key(self) -> str:
        """Return what is measured of a series, as one word."""
        until = "" if self.before_reaching is None else f" before {self.before_reaching!r}"
        return f"{self.measure} of {self.series}{until}"

    @property
    def scale(self) -> Literal["share", "level"]:
        """Return whether the numbers are shares (8 %), or levels and ratios (6,000; 1.5)."""
        return "level" if self.measure in PLAIN_NUMBERS else "share"

    @model_validator(mode="after")
    def _is_whole(self) -> Condition:
        refuse(self._bound_faults() + self._quantity_faults())
        return self

    def _bound_faults(self) -> list[Fault]:
        low, high = self.at_least, self.at_most
        if low is None and high is None:
            return [((), "", "must have at_least or at_most")]
        if low is not None and high is not None and low > high:
            return [((), "", f"at_least {low:g} must not be above at_most {high:g}")]
        if self.measure in NEVER_NEGATIVE and self.over is None and high is not None and high < 0:
            rule = f"must be at least 0: a {self.measure} is never negative"
            return [(("at_most",), f"{high:g}", rule)]
        return []

    def _quantity_faults(self) -> list[Fault]:
        faults: list[Fault] = []
        known = INVESTOR_MEASURES if self.series is None else SERIES_MEASURES
        if self.measure not in known:
            whose = "an investor" if self.series is None else "a series"
            rule = f"is not measured on {whose}; must be {', '.join(known)}"
            faults.append((("measure",), f"'{self.measure}'", rule))
        if self.series is None and self.unit is None:
            faults.append((("unit",), "", "is required: ounces or usd"))
        if self.series is not None:
            if self.unit is not None or self.over is not None:
                faults.append(((), "", "a series has no unit and no over: it has its own"))
            if not SERIES_FORM.fullmatch(self.series):
                rule = "must be price.X, ratio.X.Y, factor.X or INSTRUMENT.OBSERVABLE"
                faults.append((("series",), f"'{self.series}'", rule))
        if self.before_reaching is not None and (self.series is None or self.measure != "drawdown"):
            rule = "belongs to the drawdown of a series"
            faults.append((("before_reaching",), f"{self.before_reaching:g}", rule))
        return faults


LEVEL_OF = "factor.central_bank_net"
"""The factor whose level the market may state."""


class Estimate(Frozen):
    """What history says of a premise: an estimate with its error, against a bound."""

    estimate: Fraction | None = None
    """The historical estimate; none = the level that market.central_banks states."""
    standard_error: NonNegative | None = None
    """Of the estimate; 0 where it is a count and not a sample."""
    at_least: Fraction | None = None
    """The premise holds where the true value is at least this."""
    at_most: Fraction | None = None
    """The premise holds where the true value is at most this."""
    unit: str = ""
    """Unit of the estimate, for the report."""

    @model_validator(mode="after")
    def _has_one_bound(self) -> Estimate:
        if (self.estimate is None) != (self.standard_error is None):
            refuse([((), "", "must have both estimate and standard_error, or neither")])
        if (self.at_least is None) == (self.at_most is None):
            refuse([((), "", "must have either at_least or at_most")])
        return self


class ClaimTerms(Frozen):
    """What somebody promises, and the test it is put to.

    event    all conditions hold on a path; judged by the share of paths
    effect   a statistic of the first condition's quantity differs from that of another
             investor (`against`) or of a changed world (`change`) on the same random numbers,
             by as much as the condition's bounds say; judged by the interval of the difference
    premise  something the model assumes; judged on the historical estimate, and where conditions
             name the factor that the run simulates, by the share of paths, as an event
    """

    kind: Literal["event", "effect", "premise"] = "event"
    """event, effect or premise."""
    says: str = Field(min_length=1)
    """The claim in the promoters' words."""
    note: str = ""
    """What a reader of the verdict should know."""
    subject: Label | None = None
    """The investor it is about; none where all conditions are of series."""
    conditions: Annotated[tuple[Condition, ...], Field(strict=False)] = ()
    """What must hold, singly and jointly; the first one is the measured quantity."""
    given: Condition | None = None
    """Of an event: another condition; only the paths on which it holds are counted."""
    against: Label | None = None
    """Of an effect: the investor to compare with."""
    change: dict[str, Any] | None = None
    """Of an effect: what the compared world has instead, as dotted names with values."""
    statistic: Statistic = "mean"
    """Of an effect: which statistic of the paths is compared."""
    premise: Estimate | None = None
    """Of a premise: what history says."""
    follows_from: Annotated[tuple[str, ...], Field(strict=False)] = ()
    """Dotted names of numbers that decide the claim alone: where all of them are assumptions,
    the verdict is by assumption."""
    break_even: Annotated[tuple[str, ...], Field(strict=False)] = ()
    """Of an event: dotted names of numbers; a run says at which value of each it is as likely
    as not, all else as it stands."""

    @property
    def measured(self) -> tuple[Condition, ...]:
        """Return the conditions, and what is given, where something is."""
        return self.conditions if self.given is None else (*self.conditions, self.given)

    @model_validator(mode="after")
    def _fits_its_kind(self) -> ClaimTerms:
        faults: list[Fault] = []
        if self.kind == "premise":
            if self.premise is None:
                faults.append(((), "", "a premise has a premise section"))
            if any(not (c.series or "").startswith("factor.") for c in self.conditions):
                rule = "of a premise are on a factor of the market, as factor.real_rate"
                faults.append((("conditions",), "", rule))
        elif not self.conditions:
            faults.append((("conditions",), "", "must have at least one condition"))
        elif self.premise is not None:
            faults.append((("premise",), "", f"does not belong to an {self.kind}"))
        if self.kind == "effect" and (self.against is None) == (self.change is None):
            faults.append(((), "", "an effect has either against or change"))
        if self.kind == "effect" and len(self.conditions) > 1:
            faults.append((("conditions",), "", "an effect has one condition"))
        if self.kind != "effect" and (self.against is not None or self.change is not None):
            faults.append(((), "", "against and change belong to an effect"))
        if self.given is not None and self.kind != "event":
            faults.append((("given",), "", "belongs to an event: it leaves some of the paths out"))
        if self.break_even and self.kind != "event":
            faults.append((("break_even",), "", "belongs to an event: it has a probability"))
        if self.subject is None and any(c.series is None for c in self.measured):
            faults.append((("subject",), "", "is required: a condition measures an investor"))
        if self.against is not None and any(c.series for c in self.conditions):
            faults.append((("against",), "", "compares investors; the condition names a series"))
        refuse(faults)
        return self


def named_measures(claims: Mapping[str, ClaimTerms]) -> dict[str, set[tuple[Measure, str]]]:
    """Return the (measure, unit) pairs that claims name, by investor."""
    found: dict[str, set[tuple[Measure, str]]] = {}
    for claim in claims.values():
        for condition in claim.measured:
            for who in (claim.subject, claim.against, condition.over):
                if who is not None and condition.unit is not None:
                    found.setdefault(who, set()).add((condition.measure, condition.unit))
    return found


def reference_faults(
    claims: Mapping[str, ClaimTerms],
    units: Mapping[str, tuple[str, ...]],
    assets: Collection[str],
    instruments: Mapping[str, tuple[str, ...]],
    factors: Collection[str],
) -> list[Fault]:
    """Return what claims name and the scenario lacks.

    Parameters
    ----------
    units : by investor, the units that he is measured in
    assets : names that a price may have
    instruments : by instrument, the observables that a series may name
    factors : of the market; empty where its model has none
    """
    faults: list[Fault] = []
    whom = "an investor of this file"
    for name, claim in claims.items():
        for field in ("subject", "against"):
            named = getattr(claim, field)
            if named is not None and named not in units:
                rule = one_of(named, units, whom)
                faults.append((("claims", name, field), f"'{named}'", rule))
        for place, condition in enumerate(claim.measured):
            within = ("conditions", place) if place < len(claim.conditions) else ("given",)
            at = ("claims", name, *within)
            if condition.over is not None and condition.over not in units:
                rule = one_of(condition.over, units, whom)
                faults.append(((*at, "over"), f"'{condition.over}'", rule))
            if condition.series is not None:
                rule = _series_rule(condition.series, assets, instruments, factors)
                faults += [((*at, "series"), f"'{condition.series}'", rule)] if rule else []
            for who in (claim.subject, claim.against, condition.over):
                known = units.get(who or "", ("ounces", "usd"))
                if condition.series is None and condition.unit not in known:
                    rule = f"{who} is not measured in it; must be {' or '.join(known)}"
                    faults.append(((*at, "unit"), f"'{condition.unit}'", rule))
    return faults


def premise_faults(claims: Mapping[str, ClaimTerms], *, level_is_stated: bool) -> list[Fault]:
    """Return premises without an estimate where the market states no level of that factor."""
    return [
        (("claims", name, "premise", "estimate"), "", f"is required: {why}")
        for name, claim in claims.items()
        if claim.premise is not None and claim.premise.estimate is None
        for why in [_no_level(claim, level_is_stated=level_is_stated)]
        if why
    ]


def _no_level(claim: ClaimTerms, *, level_is_stated: bool) -> str:
    """Return why a premise has no level of the market's to take its estimate from."""
    if {condition.series for condition in claim.conditions} != {LEVEL_OF}:
        return f"only a premise whose conditions are on {LEVEL_OF} can leave it to the market"
    return "" if level_is_stated else "there is no market.central_banks to take it from"


def number_faults(claims: Mapping[str, ClaimTerms], scenario: BaseModel) -> list[Fault]:
    """Return which numbers claims name that the scenario does not have."""
    faults: list[Fault] = []
    for name, claim in claims.items():
        for field in ("break_even", "follows_from"):
            for place, wanted in enumerate(getattr(claim, field)):
                if not _is_number(scenario, wanted.split(".")):
                    rule = "must be the dotted name of a number, as market.assets.copper.price"
                    right = as_named_now(wanted)
                    rule = f"is of the old form; write {right}" if right else rule
                    faults.append((("claims", name, field, place), f"'{wanted}'", rule))
    return faults


def _is_number(node: object, parts: list[str]) -> bool:
    """Return whether a name leads to a number, or to one that is left to the calibration."""
    for depth, part in enumerate(parts):
        if isinstance(node, Mapping):
            node = node.get(part)
        elif isinstance(node, BaseModel) and part in type(node).model_fields:
            node = getattr(node, part)
            fitted = parts[:2] == ["market", "assets"] and part in ("price", "volatility")
            if node is None and fitted and depth == len(parts) - 1:
                return True
        else:
            return False
    return isinstance(node, float)


def _series_rule(
    series: str,
    assets: Collection[str],
    instruments: Mapping[str, tuple[str, ...]],
    factors: Collection[str],
) -> str:
    """Return the rule that a series' name breaks, empty where there is such a series."""
    head, *rest = series.split(".")
    if head == "factor":
        if not factors:
            return "names a factor, which only model macro has"
        return "" if rest[0] in factors else one_of(rest[0], factors, "a factor of this market")
    if head in ("price", "ratio"):
        unknown = [asset for asset in rest if asset not in assets]
        rule = f"{', '.join(unknown)} is no asset of this market: {', '.join(assets)}"
        if USDC in unknown:
            rule += f"; {USDC} has a price where market.stablecoin lets it fall"
        return rule if unknown else ""
    if head not in instruments:
        what = (
            "price.X, ratio.X.Y, factor.X or INSTRUMENT.OBSERVABLE, of an instrument of this file"
        )
        return one_of(head, instruments, what)
    shown = instruments[head]
    return "" if rest[0] in shown else one_of(rest[0], shown, f"an observable of {head}")
