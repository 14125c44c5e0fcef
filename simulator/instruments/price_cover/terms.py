"""Terms of a copper price cover: the pool, its premium, who buys, and the covered miner."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from simulator.instruments.terms import (
    KEEPER,
    InstrumentTerms,
    Measured,
    Needs,
    Position,
    Struck,
)
from simulator.schema.fields import (
    Bps,
    Fault,
    Frozen,
    NonNegative,
    Positive,
    Rate,
    Share,
    Unit,
    Whole,
    Yield,
    refuse,
)

Days = Annotated[Whole, Field(ge=0, le=3650)]
SomeDays = Annotated[Whole, Field(ge=1, le=3650)]
PositiveShare = Annotated[float, Field(gt=0, le=1), Unit("1 = 100 %", 0.01)]
StrikeShare = Annotated[float, Field(gt=0, le=2), Unit("1 = 100 % of the price", 0.01)]

MAX_OPEN_POLICIES = 60
"""Policies of one buyer that may run at once; each costs the model time on every day."""

RUN, EXPLOIT = "run", "exploit"
"""What a shock can do to it."""


class PremiumTerms(Frozen):
    """Premium a year per sum insured: min(ceiling, floor + slope x utilisation)."""

    floor: Share = 0.02
    """Rate at no utilisation."""
    slope: Rate = 0.06
    """What the rate gains from none to full utilisation."""
    ceiling: Share = 0.10
    """The greatest rate."""

    @model_validator(mode="after")
    def _floor_is_below(self) -> PremiumTerms:
        if self.floor > self.ceiling:
            rule = f"must be at most ceiling {self.ceiling:g}"
            refuse([(("floor",), f"{self.floor:g}", rule)])
        return self


class PoolTerms(Frozen):
    """The contract's terms and its deposits."""

    deposits_usd: Positive
    """Deposits of all underwriters at the start but for the measured one."""
    leverage: Annotated[float, Field(ge=1, le=5), Unit("1 = fully collateralised")] = 1.0
    """Sums insured over the pool, at most."""
    premium: PremiumTerms = PremiumTerms()
    """What cover costs."""
    max_strike_share: StrikeShare = 1.0
    """Strike over the latest price, at most."""
    trigger_share: PositiveShare = 0.95
    """A policy is triggered below its strike times this: sales and deposits stop."""
    min_sum_insured_usd: Annotated[float, Field(ge=0.01, le=1e12)] = 1_000.0
    """The least sum insured of a policy."""
    min_term_days: SomeDays = 7
    """The shortest term."""
    max_term_days: SomeDays = 365
    """The longest term."""
    lag_days: Annotated[Whole, Field(ge=0, le=365)] = 2
    """Days from the purchase until the cover starts."""
    window_days: Annotated[Whole, Field(ge=1, le=365)] = 5
    """Days before the end of the term that the settlement is the average of."""
    cooldown_days: Annotated[Whole, Field(ge=0, le=3650)] = 30
    """Days between a request to withdraw and the first day on which it is paid."""
    claim_window_days: Annotated[Whole, Field(ge=0, le=3650)] = 7
    """Days on which a request can be claimed before it lapses."""
    illiquidity_haircut_bps: Bps = 100.0
    """Discount on what cannot be paid out that day: all of it, until the cooldown is over."""
    discount_rate: Yield = 0.0
    """Interest rate a year in the fair value of a cover (Black-76, forward = price)."""

    @model_validator(mode="after")
    def _days_are_ordered(self) -> PoolTerms:
        faults: list[Fault] = []
        if self.min_term_days > self.max_term_days:
            rule = f"must be at most max_term_days {self.max_term_days}"
            faults.append((("min_term_days",), f"{self.min_term_days}", rule))
        if self.window_days > self.min_term_days:
            rule = f"must be at most min_term_days {self.min_term_days}"
            faults.append((("window_days",), f"{self.window_days}", rule))
        refuse(faults)
        return self


class CoverTerms(Frozen):
    """The strike and the days of the covers that somebody buys again and again."""

    strike_share: StrikeShare | None = None
    """Strike over the price on the day of the purchase."""
    strike_usd_per_tonne: Positive | None = None
    """Strike in USD per tonne, instead of a share of the price."""
    term_days: SomeDays = 91
    """Days that a cover runs."""
    renew_every_days: SomeDays = 91
    """Days between two purchases; the first one is on the first day."""

    @model_validator(mode="after")
    def _has_a_strike(self) -> CoverTerms:
        faults: list[Fault] = []
        if (self.strike_share is None) == (self.strike_usd_per_tonne is None):
            faults.append(((), "", "must have either strike_share or strike_usd_per_tonne"))
        if self.term_days > MAX_OPEN_POLICIES * self.renew_every_days:
            rule = f"must be at most {MAX_OPEN_POLICIES} x renew_every_days"
            faults.append((("term_days",), f"{self.term_days}", rule))
        refuse(faults)
        return self


class MinerTerms(Frozen):
    """A copper producer who buys cover, and himself without it."""

    tonnes_a_year: Positive
    """Copper sold a year, evenly, at the day's price."""
    aisc_usd_per_tonne: NonNegative
    """All-in sustaining cost of a tonne."""
    cash_usd: Positive
    """Cash at the start: what his gains and losses are measured on."""
    tonnes: Positive
    """Tonnes of each cover."""
    cover: CoverTerms = CoverTerms(strike_share=0.9)
    """Strike, term and renewal."""


class OtherBuyersTerms(Frozen):
    """Everybody else who buys cover."""

    utilisation: Share = 0.4
    """Sums insured over capacity that they bring the pool to on each of their days."""
    cover: CoverTerms = CoverTerms(strike_share=0.9, term_days=91, renew_every_days=30)
    """Strike, term and renewal."""


class PriceCoverTerms(InstrumentTerms):
    """Cover against a fall of the copper price, from a pool of underwriters."""

    pool: PoolTerms
    """The contract."""
    miner: MinerTerms
    """Who is covered."""
    others: OtherBuyersTerms = OtherBuyersTerms()
    """Who buys beside him."""

    @property
    def follows(self) -> str:
        """Return the market asset that is insured."""
        return "copper"

    def names(self, label: str) -> tuple[str, str, str]:
        """Return the names of the positions: the underwriter's, the miner's with and without
        cover."""
        return label, f"{label}-miner", f"{label}-unhedged"

    @model_validator(mode="after")
    def _covers_are_sold(self) -> PriceCoverTerms:
        faults: list[Fault] = []
        shortest, longest = self.pool.min_term_days, self.pool.max_term_days
        for who in ("miner", "others"):
            cover: CoverTerms = getattr(self, who).cover
            if not shortest <= cover.term_days <= longest:
                rule = f"must be {shortest} to {longest}, the pool's min_term_days to max_term_days"
                faults.append(((who, "cover", "term_days"), f"{cover.term_days}", rule))
            if (cover.strike_share or 0.0) > self.pool.max_strike_share:
                rule = f"must be at most pool.max_strike_share {self.pool.max_strike_share:g}"
                place = (who, "cover", "strike_share")
                faults.append((place, f"{cover.strike_share:g}", rule))
        refuse(faults)
        return self

    def positions(self, label: str) -> tuple[Position, ...]:
        """Return the underwriter's deposit, and the miner with and without cover."""
        pool, miner, bare = self.names(label)
        of_miner = ("premiums_usd", "payouts_usd", "fair_value_usd", "period_cash_usd")
        return (
            Position(
                pool,
                self.follows,
                observables=("utilisation", "missing_usd"),
                measured=Measured(),
                settles="usdc",
            ),
            Position(miner, self.follows, observables=of_miner, divisible=False, settles="flows"),
            Position(bare, self.follows, observables=("period_cash_usd",), divisible=False),
        )

    @classmethod
    def shocks(cls) -> tuple[Struck, ...]:
        """Return what shocks can do to it."""
        about = (
            "share of the other underwriters' deposits that leaves, as far as no policy needs it"
        )
        away = "nobody marks covers, or voids them, while it lasts"
        keeper = Struck(KEEPER, away, lasts=True, is_certain=True)
        taken = (
            "share of the pool that an intruder takes; the rest is paid out, and no claim any more"
        )
        return (Struck(RUN, about, ("size",)), keeper, Struck(EXPLOIT, taken, ("size",)))

    def needs(self) -> Needs:
        """Return the insured metal."""
        return Needs(assets=(self.follows,))
