"""Terms of a mining security token (STO): the mine, the raise, what is paid, who may hold it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from simulator.instruments.terms import (
    Among,
    InstrumentTerms,
    Measured,
    Needs,
    Position,
    Struck,
    stands_on,
)
from simulator.schema.fields import (
    Bps,
    Fault,
    Frozen,
    Hazard,
    Label,
    NonNegative,
    OpenShare,
    Positive,
    Rate,
    Share,
    Unit,
    Whole,
    Yield,
    refuse,
)
from simulator.units import POUNDS_PER_TONNE

PositiveShare = Annotated[float, Field(gt=0, le=1), Unit("1 = 100 %", 0.01)]
BelowOne = Annotated[float, Field(ge=0, lt=1), Unit("1 = 100 %", 0.01)]
Days = Annotated[Whole, Field(ge=0, le=3660)]
Country = Annotated[Whole, Field(ge=1, le=999), Unit("a number of ISO 3166-1, as 152 for Chile")]


DEFAULT = "default"
"""What a shock calls the operator's default."""
OUTAGES = {
    "mudslide": "a mudslide, collapse or flood",
    "strike": "a strike or blockade",
    "power": "a power failure",
}
"""What stops a mine, by the names of their terms."""


class MineTerms(Frozen):
    """The ore, the plant and the costs of one mine, whole (100 %)."""

    ore_tonnes_a_day: Positive
    """Ore that the plant takes a day at full output."""
    grade: OpenShare
    """Copper in the ore in the first year; 0.006 = 0.6 %."""
    recovery: PositiveShare
    """Share of that copper that the plant recovers."""
    payable_share: PositiveShare = 0.965
    """Share of the recovered copper that the smelter pays for; 1 for cathodes."""
    concentrate_grade: PositiveShare = 0.28
    """Copper in the concentrate; 1 for cathodes, which need no smelter."""
    treatment_usd_per_tonne: NonNegative = 21.25
    """Treatment charge (TC) per dry tonne of concentrate."""
    refining_usd_per_lb: NonNegative = 0.02125
    """Refining charge (RC) per payable pound."""
    aisc_usd_per_lb: Positive
    """All-in sustaining cost per payable pound: site, charges, royalty and sustaining capex,
    less by-products. The site's cost is what is left of it."""
    reference_price_usd_per_tonne: Positive = 9_480.0
    """Copper price at which the royalty within that cost was counted."""
    aisc_grade: OpenShare | None = None
    """Grade at which that cost was counted; none = the grade. The site's cost follows the ore,
    so a grade below this makes a pound dearer."""
    fixed_cost_share: Share = 0.5
    """Share of the site's cost that a standing mine bears too."""
    sustaining_capex_usd_a_year: NonNegative
    """Capital that keeps output where it is."""
    depreciation_usd_a_year: NonNegative = 0.0
    """What the tax office lets the mine deduct for the capital that built it."""
    royalty: BelowOne = 0.01
    """Share of net smelter revenue that goes to the state or a royalty holder."""
    tax: BelowOne = 0.27
    """Share of taxable profit, mining taxes included; losses are carried forward."""
    life_years: Annotated[float, Field(gt=0, le=100)]
    """Years of ore left at full output."""
    grade_decline: BelowOne = 0.0
    """Fall of the grade a year; 0.02 = 2 % of the grade."""
    output_deviation: Rate = 0.05
    """Standard deviation of a quarter's output around its plan (grade, recovery, stoppages)."""

    @property
    def payable_tonnes_a_day(self) -> float:
        """Payable copper a day at full output and the first grade."""
        return self.ore_tonnes_a_day * self.grade * self.recovery * self.payable_share

    @property
    def charges_usd_per_tonne(self) -> float:
        """Treatment and refining charges per payable tonne of copper."""
        concentrate = 1.0 / (self.concentrate_grade * self.payable_share)
        refining = self.refining_usd_per_lb * POUNDS_PER_TONNE
        return self.treatment_usd_per_tonne * concentrate + refining

    @property
    def site_usd_a_day(self) -> float:
        """Cost of the site a day at full output: AISC less charges, royalty, sustaining capex."""
        charges = self.charges_usd_per_tonne
        royalty = self.royalty * (self.reference_price_usd_per_tonne - charges)
        per_tonne = self.aisc_usd_per_lb * POUNDS_PER_TONNE - charges - royalty
        tonnes = self.payable_tonnes_a_day / self.grade * (self.aisc_grade or self.grade)
        return per_tonne * tonnes - self.sustaining_capex_usd_a_year / 365

    @model_validator(mode="after")
    def _leaves_a_site_cost(self) -> MineTerms:
        if self.site_usd_a_day <= 0:
            tonnes = self.payable_tonnes_a_day / self.grade * (self.aisc_grade or self.grade)
            day = tonnes * POUNDS_PER_TONNE
            least = self.aisc_usd_per_lb - self.site_usd_a_day / day
            rule = (
                f"must be above {least:.2f}, what charges, royalty and sustaining capex come to: "
                "the site costs something too"
            )
            refuse([(("aisc_usd_per_lb",), f"{self.aisc_usd_per_lb:g}", rule)])
        return self


class StageTerms(Frozen):
    """How far the mine is: producing, in ramp-up, or to be built."""

    stage: Literal["producing", "ramp-up", "development"]
    """producing (full output from the first day), ramp-up or development (construction first)."""
    construction_days: Days = 0
    """Planned days until the first ore."""
    ramp_days: Days = 0
    """Planned days from the first ore (or the start) to full output."""
    ramp_start: Share = 0.3
    """Share of full output on the first day of the ramp-up."""
    overrun: NonNegative = 0.25
    """Median of the time by which construction and ramp-up run over, as a share of the plan."""
    overrun_deviation: Rate = 0.6
    """Standard deviation of the log of that overrun."""
    capital_usd: NonNegative = 0.0
    """Capital still to be spent until full output; the raise is to pay for it."""

    @model_validator(mode="after")
    def _times_fit_the_stage(self) -> StageTerms:
        faults: list[Fault] = []
        built, full = self.construction_days == 0, self.ramp_days == 0
        if self.stage != "development" and not built:
            faults.append((("construction_days",), f"{self.construction_days}", "must be 0"))
        if self.stage == "development" and built:
            faults.append((("construction_days",), "0", "must be above 0"))
        if self.stage == "producing" and not full:
            faults.append((("ramp_days",), f"{self.ramp_days}", "must be 0"))
        if self.stage == "ramp-up" and full:
            faults.append((("ramp_days",), "0", "must be above 0"))
        refuse([(p, v, f"{rule} where stage is {self.stage}") for p, v, rule in faults])
        return self


class OutageTerms(Frozen):
    """One kind of outage."""

    hazard: Hazard
    """Chance a year (a Poisson rate)."""
    mean_days: Annotated[float, Field(gt=0, le=3660)]
    """Mean duration; durations are exponential, at least a day."""
    output_lost: Share = 1.0
    """Share of output lost meanwhile."""


class OutagesTerms(Frozen):
    """What stops the mine: earth and water, people, power."""

    mudslide: OutageTerms = OutageTerms(hazard=0.03, mean_days=180, output_lost=0.7)
    """Mudslide, collapse or flood."""
    strike: OutageTerms = OutageTerms(hazard=0.15, mean_days=30, output_lost=0.7)
    """Strike or blockade."""
    power: OutageTerms = OutageTerms(hazard=0.5, mean_days=1.5)
    """Power failure."""


class RaiseTerms(Frozen):
    """The primary sale: escrow until it closes, refund below the soft cap."""

    token_price_usd: Positive = 1.0
    """Price of a token."""
    soft_cap_usd: Positive
    """Below this the raise fails and every subscriber gets his money back."""
    hard_cap_usd: Positive
    """No more than this is taken."""
    days: Annotated[Whole, Field(ge=1, le=366)] = 30
    """Days from the start until the raise closes."""
    demand_usd: Positive
    """Median of what others want to subscribe."""
    demand_deviation: Rate = 0.4
    """Standard deviation of the log of that demand."""

    @model_validator(mode="after")
    def _caps_are_ordered(self) -> RaiseTerms:
        if self.soft_cap_usd > self.hard_cap_usd:
            rule = f"must be at most hard_cap_usd {self.hard_cap_usd:.15g}"
            refuse([(("soft_cap_usd",), f"{self.soft_cap_usd:.15g}", rule)])
        return self


class TopUpTerms(Frozen):
    """A promise kept with other people's money: profit is topped up to the promised yield."""

    reserve_share: Share = 0.1
    """Share of the raise that is kept back for payments."""
    deposits_a_year: NonNegative = 0.3
    """New deposits a year over the tokens' issue value, for as long as every promise is kept."""
    trust: Share = 0.8
    """How far the token trades at its issue price instead of its worth while that lasts."""


class PayoutTerms(Frozen):
    """What holders are promised and what they are paid."""

    payout_ratio: Share
    """Share of the mine's free cash flow that goes to the holders when the hard cap is sold."""
    payments_a_year: Annotated[Whole, Field(ge=1, le=12)] = 4
    """Payments a year, at equal distances from the close of the raise."""
    stream_days: Annotated[Whole, Field(ge=1, le=366)] = 90
    """Days over which the contract streams a payment to the holders."""
    promised_yield: Yield = 0.18
    """What the promoters promise a year on the issue price."""
    top_up: TopUpTerms | None = None
    """Terms under which payments are topped up; none = profit alone is paid."""

    @model_validator(mode="after")
    def _streams_do_not_overlap(self) -> PayoutTerms:
        apart = 365 // self.payments_a_year
        if self.stream_days > apart:
            rule = (
                f"must be at most {apart}, the days between two of the {self.payments_a_year} "
                "payments a year"
            )
            refuse([(("stream_days",), f"{self.stream_days}", rule)])
        return self


class DefaultTerms(Frozen):
    """The operator stops paying, for whatever reason."""

    hazard: Hazard = 0.08
    """Chance a year (a Poisson rate)."""
    recovery: Share = 0.2
    """Share of the token's worth that is left."""
    safe_yield: Yield = 0.043
    """What a safe bond in dollars yields a year: the promise is compared with it."""


class SecondaryTerms(Frozen):
    """How the token is priced and sold after the raise."""

    discount_rate: Annotated[float, Field(gt=0, le=1), Unit("1 = 100 % a year", 0.01)] = 0.10
    """What buyers want to earn a year, beyond the expected loss by default."""
    expected_growth: Annotated[float, Field(ge=-2, le=2)] | None = None
    """Growth of copper a year that buyers expect until the run's last day; none = the market's
    own, its drift and its views."""
    long_run_price_usd_per_tonne: Positive = 10_000.0
    """Copper price that buyers expect in the long run."""
    reversion: Annotated[float, Field(ge=0, le=10)] = 0.10
    """Speed a year at which they expect the price to get there from that day on."""
    noise_deviation: Rate = 0.08
    """Standard deviation of the log gap between the token's price and its worth."""
    noise_half_life_days: Positive = 60.0
    """Time in which half of that gap closes."""
    illiquidity_discount: BelowOne = 0.15
    """What a seller loses against the last price, at any time."""
    lockup_discount: BelowOne = 0.35
    """The same while the lock-up holds, when only the right to the tokens can be sold."""
    portfolio_share: PositiveShare = 0.01
    """Share of the soft cap's tokens up to which a portfolio buys more: beyond it would move the
    price, and of a token that is worth next to nothing its weight would be all there are."""

    @model_validator(mode="after")
    def _lockup_costs_more(self) -> SecondaryTerms:
        if self.lockup_discount < self.illiquidity_discount:
            rule = f"must be at least illiquidity_discount {self.illiquidity_discount:g}"
            refuse([(("lockup_discount",), f"{self.lockup_discount:g}", rule)])
        return self


class ComplianceTerms(Frozen):
    """Who may hold the token."""

    holder_country: Country = 756
    """Country of the measured holder (ISO 3166-1 numeric; 756 = Switzerland)."""
    forbidden_countries: Annotated[tuple[Country, ...], Field(strict=False, max_length=50)] = (
        840,
        408,
    )
    """Countries whose residents may not hold it."""
    lockup_days: Days = 180
    """Days after the close of the raise in which subscribers cannot sell."""

    @model_validator(mode="after")
    def _holder_is_allowed(self) -> ComplianceTerms:
        if self.holder_country in self.forbidden_countries:
            named = ", ".join(map(str, self.forbidden_countries))
            rule = f"must not be a country that the compliance forbids: {named}"
            refuse([(("holder_country",), f"{self.holder_country}", rule)])
        return self


class MiningStoTerms(InstrumentTerms):
    """A security token on a copper mine's profit (ERC-3643), sold with a promised yield."""

    mine: MineTerms
    """Ore, plant and costs."""
    stage: StageTerms
    """How far the mine is."""
    outages: OutagesTerms = OutagesTerms()
    """What stops it."""
    default: DefaultTerms = DefaultTerms()
    """When the operator stops paying."""
    sale: RaiseTerms
    """The primary sale."""
    payout: PayoutTerms
    """What is promised and paid."""
    secondary: SecondaryTerms = SecondaryTerms()
    """Price and sale of the token afterwards."""
    compliance: ComplianceTerms = ComplianceTerms()
    """Who may hold it."""

    def positions(self, label: str) -> tuple[Position, ...]:
        """Return the measured holder's subscription."""
        return (held_in_dollars(label),)

    @classmethod
    def shocks(cls) -> tuple[Struck, ...]:
        """Return what can befall the mine and its operator."""
        return (
            Struck(DEFAULT, "the operator stops paying, at the earliest the day after the raise"),
            *(
                Struck(kind, f"{about} stops the mine as far as its terms say", lasts=True)
                for kind, about in OUTAGES.items()
            ),
        )

    def needs(self) -> Needs:
        """Return copper."""
        return Needs(assets=("copper",))

    def faults(self, label: str, among: Among) -> list[Fault]:
        """Return a raise that does not close within the run."""
        del label
        if self.sale.days < among.horizon_days:
            return []
        rule = f"must be below horizon_days {among.horizon_days}"
        return [(("sale", "days"), f"{self.sale.days}", rule)]


def held_in_dollars(label: str) -> Position:
    """Return the position of a measured holder of a mine's token."""
    shown = ("payments", "declared", "returned", "defaulted")
    return Position(label, "copper", observables=shown, measured=Measured(), settles="usdc")


class MineEquityTerms(InstrumentTerms):
    """A mine's ordinary share: what debt and capital to come leave, traded daily."""

    mine: Label
    """The mining STO whose mine it is; the company is one that has not sold that STO."""

    net_debt_share: BelowOne = 0.2
    """Net debt at the start over the mine's worth less the capital still to be spent."""
    interest_rate: Yield = 0.0675
    """Interest a year on net debt and on that capital, before the tax that it saves."""
    dividend_ratio: Share = 0.3
    """Share of free cash flow paid as dividends; the rest pays off debt or stays in cash."""
    discount_rate: Annotated[float, Field(gt=0, le=1), Unit("1 = 100 % a year", 0.01)] = 0.08
    """What shareholders want to earn a year, beyond the expected loss by default."""
    default_hazard: Hazard = 0.01
    """Chance a year that the company fails (a Poisson rate)."""
    recovery: Share = 0.2
    """Share of the share's worth that is left then."""
    noise_deviation: Rate = 0.12
    """Standard deviation of the log gap between the share's price and its worth."""
    noise_half_life_days: Positive = 120.0
    """Time in which half of that gap closes."""
    sale_spread_bps: Bps = 10.0
    """Cost of selling."""

    def positions(self, label: str) -> tuple[Position, ...]:
        """Return the share by the dollar."""
        return (Position(label, "copper"),)

    def needs(self) -> Needs:
        """Return copper, and the STO whose mine it is."""
        return Needs(assets=("copper",), instruments=(self.mine,))

    def faults(self, label: str, among: Among) -> list[Fault]:
        """Return the lack of the mine."""
        del label
        return stands_on(self, "mine", among, MiningStoTerms, "a mining_sto")
