"""Terms of a vault: the contracts' parameters, and the crowd, borrowers and rewards around it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field, model_validator

from simulator.instruments.base import PoolTerms, TokenTerms
from simulator.instruments.terms import (
    Among,
    InstrumentTerms,
    Lends,
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
    Plausible,
    Positive,
    Rate,
    Share,
    Slope,
    Unit,
    Whole,
    Yield,
    refuse,
)
from simulator.units import DAYS_PER_YEAR

EXPLOIT, RUN, DEMAND, REPORTS = "exploit", "run", "demand", "reports"
"""What shocks can do to a vault."""

MAX_PERFORMANCE_FEE_BPS = 5_000
MAX_MANAGEMENT_FEE_BPS = 1_000
"""The contract's own limits; a test holds them to its source."""

_BPS = Unit("10000 = 100 %", 100)

STAND_IN_USD_PER_OZ = 5_000.0
"""Round price by which dollars in the vault are turned into ounces of the measured holder."""


class LendingTerms(Frozen):
    """The market where borrowers post USDC and take the vault's gold."""

    base_rate: Yield = 0.0
    """Borrow rate a year at zero utilisation."""
    slope1: Yield = 0.04
    """Rise of the rate up to the kink."""
    slope2: Rate = 0.60
    """Rise of the rate from the kink to full utilisation."""
    kink: OpenShare = 0.80
    """Utilisation at which the rate turns up."""
    reserve_factor: Annotated[float, Field(ge=0, lt=1), Unit("1 = 100 %", 0.01)] = 0.10
    """Share of the interest that the treasury keeps."""
    max_ltv: OpenShare = 0.82
    """Loan to value up to which one may borrow."""
    liquidation_threshold: OpenShare = 0.86
    """Loan to value above which one is liquidated."""
    liquidation_bonus: Annotated[float, Field(ge=0, le=0.5), Unit("1 = 100 %", 0.01)] = 0.05
    """What the liquidator gets on top."""

    @model_validator(mode="after")
    def _thresholds_are_ordered(self) -> LendingTerms:
        faults = []
        if self.max_ltv >= self.liquidation_threshold:
            faults.append(
                f"max_ltv {self.max_ltv:g} must be below liquidation_threshold "
                f"{self.liquidation_threshold:g}, or a new loan is liquidated at once"
            )
        if self.liquidation_threshold * (1 + self.liquidation_bonus) >= 1:
            faults.append(
                f"liquidation_threshold {self.liquidation_threshold:g} x (1 + liquidation_bonus "
                f"{self.liquidation_bonus:g}) must be below 1, or liquidations leave bad debt"
            )
        refuse([((), "", fault) for fault in faults])
        return self


class BorrowerTerms(Frozen):
    """Who borrows gold, and how much. Eight cohorts stand on a ladder of loan to value."""

    demand_share: Annotated[float, Field(ge=0, le=5)] = 0.02
    """Ounces wanted by borrowers at the start over ounces first deposited in the vault."""
    demand_deviation: Rate = 0.5
    """Standard deviation of the log of demand around its mean."""
    demand_half_life_days: Positive = 60.0
    """Time in which half of a deviation of demand passes."""
    volatility_response: Slope = 0.5
    """Elasticity of demand to gold's 30-day volatility over its long-run volatility."""
    momentum_response: Slope = 0.0
    """Change of log demand per unit of gold's log return over 30 days."""
    reservation_rate: Yield = 0.05
    """Borrow rate a year that borrowers bear; where it is higher they repay."""
    ltv_ladder: Annotated[
        tuple[OpenShare, ...], Field(strict=False, min_length=8, max_length=8)
    ] = (0.45, 0.50, 0.55, 0.60, 0.65, 0.70, 0.75, 0.80)
    """Loan to value at which each cohort of borrowers opens."""
    inertia: Share = 0.05
    """Relative gap between wanted and present debt below which a cohort does nothing."""


class EmissionTerms(Frozen):
    """The reward token paid to stakers of vault shares."""

    tokens_per_day: NonNegative = 0.0
    """Reward tokens emitted a day at the start."""
    promised_yield: Yield | None = None
    """Yield a year that the emissions pay on the crowd's deposits on the first day, at the first
    prices; sets tokens_per_day. None = tokens_per_day as it stands."""
    decay: NonNegative = 0.0
    """Continuous decline of the emission a year."""
    period_days: Annotated[Whole, Field(ge=1, le=365)] = 7
    """Days between two notifications of rewards."""
    price_usd: Positive = 1.0
    """Price of the reward token at the start."""
    price_drift: Annotated[float, Field(ge=-5, le=5)] = 0.0
    """Expected growth of that price a year, before dilution."""
    price_volatility: Rate = 1.0
    """Annual volatility of that price."""
    float_tokens: Positive = 10_000_000.0
    """Tokens in circulation at the start."""
    dilution: NonNegative = 1.0
    """Elasticity of the price to circulation: 1 = constant market value."""
    price_fall_on_exploit: Share = 0.9
    """Fall of the price when the vault is exploited; emissions stop then."""
    slippage_bps: Bps = 100.0
    """Cost of selling the rewards on the day they are claimed."""
    claim_every_days: Annotated[Whole, Field(ge=1, le=3660)] = 30
    """Days between two claims of the holder."""

    @model_validator(mode="after")
    def _is_said_once(self) -> EmissionTerms:
        if self.promised_yield is not None and self.tokens_per_day:
            rule = "must not stand beside promised_yield, which sets it"
            refuse([(("tokens_per_day",), f"{self.tokens_per_day:g}", rule)])
        return self

    def first_tokens(self, deposits_usd: float) -> float:
        """Return the tokens emitted a day at the start, on deposits of so many dollars."""
        if self.promised_yield is None:
            return self.tokens_per_day
        return self.promised_yield * deposits_usd / (DAYS_PER_YEAR * self.price_usd)


class GoldVaultTerms(InstrumentTerms):
    """An ERC-4626 vault that lends gold tokens, with a pool leg and incentives."""

    aliases: ClassVar[Mapping[str, str]] = {
        "borrow_demand": "borrowers.demand_share",
        "emissions": "emissions.tokens_per_day",
        "hazard": "exploit_hazard",
    }
    """What people call one of its numbers where the file's own name differs."""

    token: Label = "gold_token"
    """The gold token that is deposited, by its label."""
    crowd_ounces: Positive = 20_000.0
    """Deposits of the crowd at the start."""
    flow_deviation: NonNegative = 0.005
    """Standard deviation of the crowd's net daily flow over its deposits."""
    flow_momentum: Slope = 0.0
    """Daily net flow over deposits per unit of gold's 30-day log return."""
    run_share: Share = 0.20
    """Share of the crowd's deposits that asks to leave each day after an exploit."""
    idle_share: Share = 0.05
    """Share of assets kept uninvested."""
    pool: Label | None = None
    """The pool of this token that it provides liquidity to, by its label."""
    pool_share: Share = 0.0
    """Share of assets in that pool; the vault brings gold and sells what is needed there."""
    pool_pace: OpenShare = 0.02
    """The most that goes into the pool or comes out of it on a day, of the pool's gold."""
    lending: LendingTerms = LendingTerms()
    """The lending market."""
    borrowers: BorrowerTerms = BorrowerTerms()
    """The demand for loans."""
    emissions: EmissionTerms = EmissionTerms()
    """Incentives."""
    performance_fee_bps: Annotated[
        float,
        Field(ge=0, le=MAX_PERFORMANCE_FEE_BPS),
        _BPS,
        Plausible(low=50, remedy="10 % is written 1_000"),
    ] = 1_000.0
    """Share of reported gains, at most what the contract allows."""
    management_fee_bps: Annotated[
        float,
        Field(ge=0, le=MAX_MANAGEMENT_FEE_BPS),
        _BPS,
        Plausible(low=10, remedy="2 % is written 200"),
    ] = 0.0
    """Fee a year on assets at work, at most what the contract allows."""
    profit_unlock_days: Annotated[float, Field(ge=0, le=365)] = 7.0
    """Days over which a reported gain flows into the share price."""
    report_every_days: Annotated[Whole, Field(ge=1, le=365)] = 1
    """Days between two reports and allocations."""
    exploit_hazard: Hazard = 0.003
    """Chance a year that the vault is drained (a Poisson rate)."""
    exploit_severity: Share = 0.8
    """Share of the vault's assets that the intruder goes for; lent gold is out of reach."""
    illiquidity_haircut_bps: Bps = 500.0
    """Discount on what an exit cannot be paid that day."""

    @model_validator(mode="before")
    @classmethod
    def _yield_is_no_term(cls, data: Any) -> Any:
        if isinstance(data, dict) and "pool_fee_yield" in data:
            rule = (
                "is a term no more: a pool earns what is traded there. Name a gold_pool by its "
                "label as pool, or leave pool_share out"
            )
            refuse([(("pool_fee_yield",), "", rule)])
        return data

    @model_validator(mode="after")
    def _shares_fit(self) -> GoldVaultTerms:
        faults = []
        if self.idle_share + self.pool_share > 1:
            faults.append(
                f"idle_share + pool_share is {self.idle_share + self.pool_share:g}; "
                "must be at most 1 (1 = 100 %)"
            )
        if self.pool_share > 0 and self.pool is None:
            faults.append(
                f"pool_share is {self.pool_share:g}; needs pool: the label of a gold pool"
            )
        highest = max(self.borrowers.ltv_ladder)
        if highest >= self.lending.max_ltv:
            faults.append(
                f"borrowers.ltv_ladder goes up to {highest:g}; "
                f"must be below lending.max_ltv {self.lending.max_ltv:g}"
            )
        refuse([((), "", fault) for fault in faults])
        return self

    def positions(self, label: str) -> tuple[Position, ...]:
        """Return the measured holder's deposit."""
        deposit = Position(
            name=label,
            follows="gold",
            units=("ounces", "usd"),
            observables=("utilisation", "bad_debt_usd", "liquidated_usd"),
            measured=Measured("ounces", 1.0, STAND_IN_USD_PER_OZ, one_holder=True),
            settles="usdc",
            usdc_moves="gold_price",
            lends=Lends("bad_debt_usd", "liquidated_usd"),
        )
        return (deposit,)

    @classmethod
    def shocks(cls) -> tuple[Struck, ...]:
        """Return what can befall the vault."""
        return (
            Struck(EXPLOIT, "share of the vault's assets that an intruder goes for", ("size",)),
            Struck(RUN, "share of the crowd's deposits that asks to leave that day", ("size",)),
            Struck(DEMAND, "share of the demand for loans that is gone", ("size",), lasts=True),
            without_keepers("liquidates loans"),
            Struck(
                REPORTS,
                "nobody reports gains, or moves assets to their targets, while it lasts",
                lasts=True,
                is_certain=True,
            ),
        )

    def needs(self) -> Needs:
        """Return gold, the token that is deposited, and the pool, which its trades move."""
        pools = () if self.pool is None else (self.pool,)
        return Needs(assets=("gold",), instruments=(self.token, *pools), trades_in=pools)

    def faults(self, label: str, among: Among) -> list[Fault]:
        """Return the lack of the token, or of the pool."""
        del label
        return [*self._token_faults(among), *self._pool_faults(among)]

    def _pool_faults(self, among: Among) -> list[Fault]:
        if self.pool is None:
            return []
        pool, place = among.instruments.get(self.pool), ("pool",)
        if pool is None:
            return [(place, "", f"needs {self.pool} beside it: that is where it provides")]
        if not isinstance(pool, PoolTerms):
            rule = f"must be a pool of gold tokens; {self.pool} is a {pool.kind}"
            return [(place, f"'{self.pool}'", rule)]
        if pool.token != self.token:
            rule = f"must be a pool of {self.token}; {self.pool} is one of {pool.token}"
            return [(place, f"'{self.pool}'", rule)]
        return []

    def _token_faults(self, among: Among) -> list[Fault]:
        token = among.instruments.get(self.token)
        if token is None:
            rule = f"needs {self.token} beside it: that is what it takes"
            return [(("token",) if "token" in self.model_fields_set else (), "", rule)]
        if not isinstance(token, TokenTerms) or token.needs().assets != ("gold",):
            rule = f"must be a gold token; {self.token} is a {token.kind}"
            return [(("token",), f"'{self.token}'", rule)]
        return []
