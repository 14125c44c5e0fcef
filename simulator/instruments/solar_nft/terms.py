"""Terms of a collection of solar tokens: the panel, its energy, its buyers, locks and silver."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from simulator.instruments.terms import InstrumentTerms, Measured, Needs, Position, Struck
from simulator.schema.fields import (
    Bps,
    Fault,
    Frozen,
    Hazard,
    NonNegative,
    Positive,
    Rate,
    Share,
    Unit,
    Whole,
    refuse,
)
from simulator.units import BPS, DAYS_PER_YEAR

Days = Annotated[Whole, Field(ge=1, le=3650)]
OpenShare = Annotated[float, Field(gt=0, lt=1), Unit("1 = 100 %", 0.01)]
WholeBps = Annotated[Whole, Field(ge=0, le=10_000), Unit("10000 = 100 %", 100)]
Discount = Annotated[float, Field(gt=0, le=1), Unit("1 = 100 % a year", 0.01)]

DEFAULT, OUTAGE, FLOOR, RUN = "default", "outage", "floor", "run"
"""What shocks can do to it."""

FLOOR_MOVES = (-0.99, 5.0)
"""By how much a shock may move the price of a token, at least and at most."""

MOST_SUN_HOURS = 12.0
"""No fixed panel gives more kWh per kWp on a day; the contract refuses 24."""


class PanelTerms(Frozen):
    """One panel: what a token stands for."""

    watts: Annotated[Whole, Field(ge=1, le=1_000_000)] = 400
    """Rated power."""
    kwh_per_kwp: Annotated[float, Field(gt=0, le=3_000)] = 1_500.0
    """Energy of a new panel's first year over its rated power."""
    site_factor: Annotated[float, Field(gt=0, le=1.5)] = 1.0
    """Energy of the measured panels over that of the collection's."""
    season: Annotated[float, Field(ge=0, lt=1), Unit("1 = 100 %", 0.01)] = 0.3
    """How far a day in midsummer lies above the year's mean, and in midwinter below."""
    brightest_day: Annotated[Whole, Field(ge=1, le=366)] = 172
    """Day of the year with the most sun; 172 is 21 June."""
    weather_deviation: Annotated[float, Field(ge=0, le=1)] = 0.3
    """Standard deviation of the log of a day's energy over what the season lets expect."""
    weather_half_life_days: Positive = 1.0
    """Time in which half of a spell of weather is over."""
    degradation_bps: Bps = 50.0
    """Power that a panel loses a year, of the rated one."""
    age_years: Annotated[float, Field(ge=0, le=100)] = 0.0
    """Years since the panels went into service."""
    life_years: Annotated[float, Field(gt=0, le=100)] = 25.0
    """Years after which they are retired."""

    @property
    def days_left(self) -> int:
        """Days from the start until the panels are retired."""
        return round((self.life_years - self.age_years) * DAYS_PER_YEAR)

    @property
    def best_day(self) -> float:
        """kWh that the season lets expect of a new kWp on the brightest day."""
        return self.kwh_per_kwp / DAYS_PER_YEAR * (1.0 + self.season)

    @model_validator(mode="after")
    def _gives_energy_to_its_end(self) -> PanelTerms:
        faults: list[Fault] = []
        if self.days_left < 1:
            rule = f"must be at least a day below life_years {self.life_years:g}"
            faults.append((("age_years",), f"{self.age_years:g}", rule))
        if self.degradation_bps * self.life_years > BPS:
            most = BPS / self.life_years
            rule = f"must be at most {most:g}, or nothing is left within life_years"
            faults.append((("degradation_bps",), f"{self.degradation_bps:g}", rule))
        if self.best_day > MOST_SUN_HOURS:
            rule = f"gives above {MOST_SUN_HOURS:g} kWh per kWp on a day, which no panel does"
            faults.append((("kwh_per_kwp",), f"{self.kwh_per_kwp:g}", rule))
        refuse(faults)
        return self


class EnergyTerms(Frozen):
    """What the energy is sold for, and what selling it costs."""

    price_usd_per_kwh: Positive = 0.05
    """Price on the first day, at which the off-taker buys."""
    mean_usd_per_kwh: Positive = 0.05
    """Price that it returns to."""
    deviation: Rate = 0.25
    """Standard deviation of the log of the price around that mean."""
    half_life_days: Positive = 120.0
    """Time in which half of a gap to the mean closes."""
    cost_usd_per_kw_year: NonNegative = 18.0
    """Operation, insurance, land and meters a year, over rated power."""
    default_hazard: Hazard = 0.02
    """Chance a year that the off-taker stops paying (a Poisson rate)."""
    price_after_default: Share = 0.6
    """Share of the price that energy then brings; the running period's is lost."""
    period_days: Annotated[Whole, Field(ge=1, le=366)] = 30
    """Days after which energy is reported and revenue shared."""
    claim_every_periods: Annotated[Whole, Field(ge=1, le=120)] = 3
    """Periods after which the measured holder claims: each claim costs gas."""


class BuyersTerms(Frozen):
    """What buyers pay for a token after the issue."""

    discount_rate: Discount = 0.08
    """What they want to earn a year, beyond the expected loss by default."""
    mood_start: Annotated[float, Field(ge=-3, le=3)] = 0.0
    """Log gap between a token's floor price and its worth on the first day."""
    mood_mean: Annotated[float, Field(ge=-3, le=3)] = 0.0
    """Gap that it returns to while liquidity is as usual."""
    mood_deviation: Rate = 0.3
    """Standard deviation of that gap beyond what liquidity does."""
    mood_half_life_days: Positive = 60.0
    """Time in which half of a gap closes."""
    mood_per_liquidity: Annotated[float, Field(ge=-3, le=3)] = 0.0
    """What one s.d. of the market's liquidity adds to the gap; needs the model macro."""
    spread_bps: Bps = 300.0
    """What a seller takes off the floor price to sell at once."""
    royalty_bps: WholeBps = 250
    """Share of a sale that goes to the issuer."""
    portfolio_share: Share = 0.01
    """Share of the collection up to which a portfolio buys more after the first day."""


class LockTerms(Frozen):
    """Tokens that cannot be sold for a time, for a share of a bonus; and who else locks."""

    days: Days = 90
    """Days for which a lock holds."""
    bonus_usd: NonNegative = 0.0
    """What the issuer pays in for it on the first day."""
    bonus_days: Days = 365
    """Days over which that flows to what is locked."""
    haircut: OpenShare = 0.3
    """What a seller loses while the lock holds, when only the right to the token can be sold."""
    share_start: OpenShare = 0.1
    """Share of the collection that is locked on the first day."""
    share_mean: OpenShare = 0.1
    """Share that others lock while liquidity is as usual."""
    share_deviation: Annotated[float, Field(ge=0, le=5)] = 0.3
    """Standard deviation of the log odds of that share beyond what liquidity does."""
    share_half_life_days: Positive = 30.0
    """Time in which half of a gap to it closes."""
    share_per_liquidity: Annotated[float, Field(ge=-5, le=5)] = 0.0
    """What one s.d. of the market's liquidity adds to the log odds; needs the model macro."""


class SilverTerms(Frozen):
    """The right to the silver in the panel, once it is retired."""

    mg_per_watt: Annotated[float, Field(ge=0, le=100)] = 10.0
    """Silver in a panel over its rated power; 7 to 22 mg."""
    recovery_bps: WholeBps = 7_000
    """Share of it that the owner is paid for, after what refining costs."""
    expected_growth: Annotated[float, Field(ge=-0.5, le=0.5)] = 0.0
    """Growth of silver's price a year that buyers expect until then."""


class SolarNftTerms(InstrumentTerms):
    """A collection of tokens, each of which stands for a solar panel (ERC-721)."""

    issue_price_usd: Positive
    """What a token costs when it is issued, on the first day."""
    collection_watts: Annotated[float, Field(ge=1e4, le=1e12)]
    """Rated power of all panels that others hold."""
    panel: PanelTerms = PanelTerms()
    """What a token stands for."""
    energy: EnergyTerms = EnergyTerms()
    """What its energy brings."""
    buyers: BuyersTerms = BuyersTerms()
    """What it is sold for."""
    lock: LockTerms = LockTerms()
    """The bonus for locking."""
    silver: SilverTerms = SilverTerms()
    """What becomes of its silver."""

    @property
    def reads_liquidity(self) -> bool:
        """Whether buyers or lockers follow the market's liquidity."""
        return self.buyers.mood_per_liquidity != 0.0 or self.lock.share_per_liquidity != 0.0

    @property
    def sale_share(self) -> float:
        """Share of the floor price that a seller gets at once."""
        buyers = self.buyers
        return (1.0 - buyers.spread_bps / BPS) * (1.0 - buyers.royalty_bps / BPS)

    def tokens(self, usd: float) -> int:
        """Return how many whole tokens the measured position of about `usd` dollars is."""
        return max(1, int(usd / self.issue_price_usd + 1e-9))

    def names(self, label: str) -> tuple[str, str]:
        """Return the names of the positions: tokens that are free, and locked ones."""
        return label, f"{label}-locked"

    @model_validator(mode="after")
    def _locked_sells_for_less(self) -> SolarNftTerms:
        least = 1.0 - self.sale_share
        if self.lock.haircut < least:
            rule = f"must be at least {least:g}, what spread and royalty take of a free token"
            refuse([(("lock", "haircut"), f"{self.lock.haircut:g}", rule)])
        return self

    def positions(self, label: str) -> tuple[Position, ...]:
        """Return tokens that are held free, and as many that are locked."""
        free, locked = self.names(label)
        shown = (
            "floor_usd",
            "energy_usd",
            "energy_yield",
            "silver_usd",
            "rights_less_costs_usd",
            "locked_value_usd",
            "locked_in_three_months_usd",
        )
        measured = Measured(stand_in=self.issue_price_usd)
        return (
            Position(free, "silver", observables=shown, measured=measured, settles="usdc"),
            Position(
                locked,
                "silver",
                observables=("bonus_usd", "income_yield"),
                measured=measured,
                settles="usdc",
            ),
        )

    @classmethod
    def shocks(cls) -> tuple[Struck, ...]:
        """Return what shocks can do to it."""
        lowest, highest = FLOOR_MOVES
        return (
            Struck(DEFAULT, "the off-taker stops paying"),
            Struck(OUTAGE, "share of the energy that is not generated", ("size",), lasts=True),
            Struck(FLOOR, "move of the price of a token", ("size",), lowest, highest, lasts=True),
            Struck(RUN, "share of others' locks that ends when it can", ("size",), lasts=True),
        )

    def needs(self) -> Needs:
        """Return silver, and liquidity where somebody follows it."""
        return Needs(assets=("silver",), factors=("liquidity",) if self.reads_liquidity else ())
