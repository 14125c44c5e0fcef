"""Terms of a perpetual: its index, market, pool, funding, crowd, and the traders in it."""

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
    without_keepers,
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
    refuse,
)

Side = Literal["long", "short"]
Days = Annotated[Whole, Field(ge=0, le=3650)]
SomeDays = Annotated[Whole, Field(ge=1, le=3650)]
Fee = Annotated[float, Field(ge=0, le=0.1), Unit("1 = 100 % of the notional", 0.01)]
FundingRate = Annotated[float, Field(ge=-10, le=10), Unit("1 = 100 % a year", 0.01)]
Times = Annotated[float, Field(ge=0, le=100), Unit("1 = as large as the pool")]

RUN, VENUE = "run", "venue"
"""What a shock can do to it, beside keeping its keepers away."""

POOL = "pool"
"""What the providers' position is called behind the label; no trader may be."""


class MinerTerms(Frozen):
    """The listed miner in the index: an equity with operating leverage, and shocks of its own.

    worth = max(floor x first worth, (price - AISC) x output x multiple + net cash) x own shocks.
    """

    aisc_usd_per_oz: NonNegative
    """All-in sustaining cost of an ounce."""
    output_oz_a_year: Positive
    """Ounces sold a year."""
    multiple: Positive
    """Years of free cash flow that the market pays for the mines."""
    net_cash_usd: float = 0.0
    """Cash less debt, negative for net debt."""
    own_deviation: Rate = 0.25
    """Volatility a year of what happens to the miner and not to the metal."""
    floor: OpenShare = 0.05
    """Least worth, as a share of the first one: a mine out of the money is not worth nothing."""


class IndexTerms(Frozen):
    """The index: 1 at the start, and then the weighted mean of two relative prices."""

    metal: Label = "silver"
    """The market's asset."""
    metal_weight: Share = 0.5
    """Weight of the metal."""
    miner_weight: Share = 0.5
    """Weight of the miner; 0 for plain metal."""
    miner: MinerTerms | None = None
    """The miner; none where it has no weight."""

    @model_validator(mode="after")
    def _weights_sum_to_one(self) -> IndexTerms:
        faults: list[Fault] = []
        total = self.metal_weight + self.miner_weight
        if abs(total - 1.0) > 1e-12:
            rule = f"must be {1.0 - self.metal_weight:g}: weights sum to 1, not to {total:g}"
            faults.append((("miner_weight",), f"{self.miner_weight:g}", rule))
        if self.miner_weight > 0.0 and self.miner is None:
            faults.append((("miner",), "", "is required where miner_weight is above 0"))
        refuse(faults)
        return self


class MarketTerms(Frozen):
    """The contract's terms of margin, fees and limits."""

    initial_margin: Annotated[float, Field(gt=0, le=1), Unit("1 = 100 %", 0.01)] = 0.1
    """Equity over notional that opening takes; one over it is the greatest leverage."""
    maintenance_margin: OpenShare = 0.02
    """Equity over notional at or below which a position is liquidated."""
    liquidation_penalty: Fee = 0.01
    """Of the notional, to the insurance fund."""
    keeper_fee_usd: Annotated[float, Field(ge=0, le=1_000)] = 1.0
    """What the keeper gets for an order, a stop or a liquidation."""
    maker_fee: Fee = 0.0002
    """Of the notional, where an order makes the skew smaller."""
    taker_fee: Fee = 0.0006
    """Of the notional, where it makes the skew larger."""
    insurance_share: Share = 0.1
    """Share of the fees that goes to the insurance fund."""
    protocol_share: Share = 0.1
    """Share of the fees that goes to the protocol; the pool has the rest."""
    max_open_interest: Times = 1.0
    """The greatest open interest of a side, over the pool."""
    max_profit: Annotated[float, Field(gt=0, le=1), Unit("1 = 100 % of the pool", 0.01)] = 0.8
    """Part of the pool that a side's profit can have; what is beyond it is cut pro rata."""
    adl_trigger: OpenShare = 0.7
    """Profit of a side over the pool from which on its winners are reduced."""
    adl_target: OpenShare = 0.6
    """Down to where."""
    min_notional_usd: Positive = 100.0
    """The least notional of a position; its maintenance margin pays the keeper twice."""

    @model_validator(mode="after")
    def _is_a_market(self) -> MarketTerms:
        faults: list[Fault] = []
        for field, bound, words in (
            ("maker_fee", "taker_fee", "at most"),
            ("adl_trigger", "max_profit", "at most"),
        ):
            if getattr(self, field) > getattr(self, bound):
                rule = f"must be {words} {bound} {getattr(self, bound):g}"
                faults.append(((field,), f"{getattr(self, field):g}", rule))
        if self.maintenance_margin >= self.initial_margin:
            rule = f"must be below initial_margin {self.initial_margin:g}"
            faults.append((("maintenance_margin",), f"{self.maintenance_margin:g}", rule))
        # who is due must have what liquidating him costs, or the fund pays those who do it
        most = 0.5 * self.maintenance_margin * self.min_notional_usd
        if self.keeper_fee_usd > most * (1.0 + 1e-12):
            rule = f"must be at most {most:g}, half of maintenance_margin x min_notional_usd"
            faults.append((("keeper_fee_usd",), f"{self.keeper_fee_usd:g}", rule))
        if self.adl_target >= self.adl_trigger:
            rule = f"must be below adl_trigger {self.adl_trigger:g}"
            faults.append((("adl_target",), f"{self.adl_target:g}", rule))
        if self.insurance_share + self.protocol_share > 1.0:
            rule = f"must be at most {1.0 - self.insurance_share:g}: shares of the fees sum to 1"
            faults.append((("protocol_share",), f"{self.protocol_share:g}", rule))
        refuse(faults)
        return self

    @property
    def max_leverage(self) -> float:
        """Return the greatest leverage."""
        return 1.0 / self.initial_margin


class PoolTerms(Frozen):
    """The providers' pool, the traders' counterparty, and the insurance fund before it."""

    deposits_usd: Positive
    """Deposits of all providers at the start but for the measured one."""
    insurance_usd: NonNegative = 0.0
    """What the insurance fund has at the start."""
    cooldown_days: Days = 7
    """Days between a request to withdraw and the first day on which it is paid."""
    claim_window_days: Days = 7
    """Days on which a request can be claimed before it lapses."""
    illiquidity_haircut_bps: Bps = 100.0
    """Discount on what cannot be paid out that day: all of it, until the cooldown is over."""


class FundingTerms(Frozen):
    """What longs pay shorts and the pool, or get."""

    fixed_rate: FundingRate = 0.0
    """Rate a year that longs pay always."""
    max_rate: Annotated[float, Field(ge=0, le=10), Unit("1 = 100 % a year", 0.01)] = 1.0
    """The greatest rate on top of it, either way."""
    velocity_a_day: Annotated[float, Field(ge=0, le=10), Unit("1 = 100 % a year", 0.01)] = 0.1
    """Change of that rate in a day at full skew."""
    skew_scale: Annotated[float, Field(gt=0, le=100), Unit("1 = as large as the pool")] = 1.0
    """Skew that counts as full, over the pool's first deposits."""


class CohortTerms(Frozen):
    """A part of the crowd: one position that is brought to its goal on each of its days.

    goal = notional_share x first deposits x (1 + momentum M + volatility (V / usual V - 1)), the
    bracket kept between 0 and 3, with M the index's move over the lookback and V its volatility.
    """

    side: Side
    """long or short."""
    notional_share: Times
    """Notional over the pool's first deposits, in a market that does not move."""
    leverage: Annotated[float, Field(gt=0, le=100)] = 3.0
    """Notional over margin that it is brought to on each of its days."""
    momentum: Annotated[float, Field(ge=-20, le=20)] = 0.0
    """How much the move of the index makes of it."""
    volatility: Annotated[float, Field(ge=-20, le=20)] = 0.0
    """How much the index's volatility over the usual one makes of it."""


class CrowdTerms(Frozen):
    """Everybody else in the market."""

    every_days: Annotated[Whole, Field(ge=1, le=365)] = 7
    """Days between two of its decisions."""
    lookback_days: Annotated[Whole, Field(ge=2, le=365)] = 30
    """Days that it looks back."""
    cohorts: dict[Label, CohortTerms] = Field(default_factory=dict)
    """Its parts by name."""


class TraderTerms(Frozen):
    """A measured trader: in on the first day, out on the last, by stop, or by liquidation."""

    side: Side
    """long or short."""
    leverage: Annotated[float, Field(gt=0, le=100)]
    """Notional over equity when the position is opened."""
    margin_usd: Positive
    """Margin that he puts in."""
    stop_loss: OpenShare | None = None
    """Share of the margin whose loss he stops at; none = no stop."""


class FreezeTerms(Frozen):
    """The feed stands still while the market trades: nobody is filled, stopped or liquidated."""

    hazard: Hazard = 0.0
    """Chance a year; the first one of a run is played."""
    days: Annotated[Whole, Field(ge=1, le=60)] = 3
    """Days without a round."""


class VenueTerms(Frozen):
    """Who runs the market fails: insolvent, robbed, or gone. Nothing happens in it any more.

    Positions are counted at the last index before it, and paid what is left at once.
    """

    hazard: Hazard = 0.0
    """Chance a year."""
    loss: Share = 0.5
    """Share of every margin, gain and deposit that is lost with it."""


class GapTerms(Frozen):
    """A move of the metal between two rounds on a stated day, on top of the market's."""

    day: SomeDays
    """Day of the run; on a day without a round it shows at the next one."""
    move: Annotated[float, Field(gt=-1, le=10), Unit("-0.1 = it falls by 10 %", 0.01)]
    """Relative move of the price; it stays."""


class MinerPerpTerms(InstrumentTerms):
    """A perpetual on an index of a metal and its miners, on margin, against a pool."""

    index: IndexTerms
    """What is traded."""
    market: MarketTerms = MarketTerms()
    """Margin, fees and limits."""
    pool: PoolTerms
    """The counterparty."""
    funding: FundingTerms = FundingTerms()
    """What longs pay."""
    crowd: CrowdTerms = CrowdTerms()
    """Who trades beside the measured ones."""
    traders: dict[Label, TraderTerms] = Field(default_factory=dict)
    """The measured ones by name; each is a position of its own."""
    freeze: FreezeTerms = FreezeTerms()
    """When the feed fails."""
    venue: VenueTerms = VenueTerms()
    """When the exchange itself fails."""
    gap: GapTerms | None = None
    """A stated gap; none = what the market brings."""

    @model_validator(mode="after")
    def _positions_can_be_opened(self) -> MinerPerpTerms:
        faults: list[Fault] = []
        for name, cohort in self.crowd.cohorts.items():
            place = ("crowd", "cohorts", name, "leverage")
            # what it is brought to must still open after a day's move
            faults += _above(place, cohort.leverage, 0.8 * self.market.max_leverage, "0.8 x ")
            if cohort.notional_share > self.market.max_open_interest:
                rule = f"must be at most market.max_open_interest {self.market.max_open_interest:g}"
                place = ("crowd", "cohorts", name, "notional_share")
                faults.append((place, f"{cohort.notional_share:g}", rule))
        for name, trader in self.traders.items():
            faults += self._faults_of(name, trader)
        refuse(faults)
        return self

    def _faults_of(self, name: str, trader: TraderTerms) -> list[Fault]:
        market, place = self.market, ("traders", name)
        faults = _above((*place, "leverage"), trader.leverage, market.max_leverage, "")
        if name == POOL:
            faults.append((place, "", "is what the providers' position is called; must be another"))
        notional = trader.leverage * trader.margin_usd
        most = market.max_open_interest * self.pool.deposits_usd
        if notional > most:
            rule = f"must be at most {most / trader.leverage:.15g}: open interest is limited"
            faults.append(((*place, "margin_usd"), f"{trader.margin_usd:.15g}", rule))
        if notional < 2.0 * market.min_notional_usd + 2.0 * market.keeper_fee_usd:
            rule = "is too small beside min_notional_usd and keeper_fee_usd"
            faults.append(((*place, "margin_usd"), f"{trader.margin_usd:.15g}", rule))
        kept, sign = market.maintenance_margin, 1.0 if trader.side == "long" else -1.0
        deepest = (1.0 - kept * trader.leverage) / (1.0 - sign * kept)
        if trader.stop_loss is not None and trader.stop_loss >= deepest:
            rule = f"must be below {deepest:.4g}: beyond it the position is liquidated first"
            faults.append(((*place, "stop_loss"), f"{trader.stop_loss:g}", rule))
        return faults

    @property
    def follows(self) -> str:
        """Return the market asset that the index follows."""
        return self.index.metal

    def positions(self, label: str) -> tuple[Position, ...]:
        """Return the providers' deposit, and each trader's position."""
        pool = Position(
            f"{label}-{POOL}",
            self.follows,
            observables=OF_MARKET,
            measured=Measured(),
            settles="usdc",
        )
        return pool, *(
            Position(f"{label}-{name}", self.follows, observables=OF_TRADER, settles="usdc")
            for name in self.traders
        )

    @classmethod
    def shocks(cls) -> tuple[Struck, ...]:
        """Return what shocks can do to it."""
        return (
            without_keepers("liquidates, stops or reduces a position"),
            Struck(
                RUN,
                "share of the pool that its other providers take out, where it is free",
                ("size",),
            ),
            Struck(VENUE, "the exchange itself fails, and takes venue.loss of all that lies there"),
        )

    def needs(self) -> Needs:
        """Return the metal."""
        return Needs(assets=(self.index.metal,))

    def faults(self, label: str, among: Among) -> list[Fault]:
        """Return a gap beyond the run."""
        del label
        if self.gap is None or self.gap.day <= among.horizon_days:
            return []
        rule = f"must be at most horizon_days {among.horizon_days}"
        return [(("gap", "day"), f"{self.gap.day}", rule)]


OF_MARKET = (
    "long_usd",
    "short_usd",
    "insurance_usd",
    "bad_debt_usd",
    "cut_usd",
    "liquidated_usd",
    "index",
    "funding_rate",
)
"""Series of the market, under the providers' position."""
OF_TRADER = ("slip", "liquidated", "notional_usd")
"""Series of a trader: how far beyond its level his stop was filled, over it, from that day on;
1 from his liquidation on; his notional."""


def _above(place: tuple[str, ...], leverage: float, most: float, words: str) -> list[Fault]:
    if leverage <= most * (1.0 + 1e-12):
        return []
    rule = f"must be at most {most:g}, {words}1 / market.initial_margin"
    return [(place, f"{leverage:g}", rule)]
