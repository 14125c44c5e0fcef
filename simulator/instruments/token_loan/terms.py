"""Terms of loans on a metal token: the market, its price, its keepers, and who borrows."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from simulator.instruments.base import TokenTerms
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
    OpenShare,
    Positive,
    Rate,
    Share,
    Unit,
    Whole,
    Yield,
    refuse,
)

UTILISATION, FAILURE = "utilisation", "failure"
"""What shocks can do to it, beside keeping its keepers away."""

SUPPLIERS = "suppliers"
"""Name of the position of who lends the dollars; no loan may have it."""

MOST_USED = 0.99
"""Utilisation that others bring the market to, at most: at the very end nobody could leave."""

MOST_LENT = 0.9
"""Share of the supplied dollars that the loans may take at the start."""


class PoolTerms(Frozen):
    """The market where dollars are lent against the token."""

    supplied_usd: Annotated[float, Field(gt=0, le=100_000_000)]
    """Dollars supplied at the start but for the measured supplier's; the stage has tokens for
    loans of no more."""
    borrow_rate: Yield | None = None
    """Borrow rate a year that holds whatever is lent; none = by utilisation, as below."""
    base_rate: Yield = 0.0
    """Borrow rate a year at zero utilisation."""
    slope1: Yield = 0.06
    """Rise of the rate up to the kink."""
    slope2: Rate = 0.40
    """Rise of the rate from the kink to full utilisation."""
    kink: OpenShare = 0.90
    """Utilisation at which the rate turns up."""
    reserve_factor: Annotated[float, Field(ge=0, lt=1), Unit("1 = 100 %", 0.01)] = 0.10
    """Share of the interest that the treasury keeps."""
    max_ltv: OpenShare = 0.70
    """Loan to value up to which one may borrow."""
    liquidation_threshold: OpenShare = 0.75
    """Loan to value above which one is liquidated."""
    liquidation_penalty: Annotated[float, Field(ge=0, le=0.5), Unit("1 = 100 %", 0.01)] = 0.06
    """What the liquidator gets on top of the debt that he repays."""
    illiquidity_haircut_bps: Bps = 100.0
    """Discount on what a supplier cannot be paid out that day."""

    @model_validator(mode="after")
    def _thresholds_are_ordered(self) -> PoolTerms:
        faults: list[Fault] = []
        threshold, penalty = self.liquidation_threshold, self.liquidation_penalty
        if self.max_ltv >= threshold:
            rule = f"must be below liquidation_threshold {threshold:g}"
            faults.append((("max_ltv",), f"{self.max_ltv:g}", rule))
        if threshold * (1.0 + penalty) >= 1.0:
            rule = (
                f"must be below {1.0 / (1.0 + penalty):.4g}: with a penalty of {penalty:g} a "
                "liquidation would itself leave bad debt"
            )
            faults.append((("liquidation_threshold",), f"{threshold:g}", rule))
        refuse(faults)
        return self

    @property
    def curve(self) -> tuple[float, float, float, float]:
        """Return base rate, both slopes and kink; a stated rate is a curve without slopes."""
        if self.borrow_rate is not None:
            return self.borrow_rate, 0.0, 0.0, self.kink
        return self.base_rate, self.slope1, self.slope2, self.kink


class UtilisationTerms(Frozen):
    """The share of the supplied dollars that all borrowers together have out.

    Others borrow and repay each day what brings the market there; they are taken to be safe.
    """

    mean: Share = 0.80
    """Its mean, and its value on the first day."""
    deviation: Annotated[float, Field(ge=0, le=0.5)] = 0.05
    """Standard deviation around the mean."""
    half_life_days: Positive = 20.0
    """Time in which half of a deviation passes."""


class ExchangeTerms(Frozen):
    """One exchange on which the token trades by itself, where the feed follows its trades."""

    spike_hazard: Hazard = 0.2
    """Days a year on which it falls apart from the market; on the next day it is back."""
    spike_depth: Share = 0.10
    """Mean of such a fall, drawn from an exponential distribution."""


class DeployedTerms(Frozen):
    """What becomes of borrowed dollars that buy no more tokens."""

    rate: Yield = 0.0
    """What they earn a year, added daily."""
    hazard: Hazard = 0.0
    """Chance a year that who has them fails (a Poisson rate)."""
    loss: Share = 0.8
    """Share of them that is lost then; the rest earns nothing any more."""


class LoanTerms(Frozen):
    """One borrower: what he brings, how far he borrows, and what for."""

    ltv: OpenShare
    """Loan to value that is reached on the first day, at the feed's price."""
    capital_usd: Positive = 100_000.0
    """Dollars that he begins with; investors hold parts of it."""
    loop: bool = True
    """Whether borrowed dollars buy more of the token, which is locked too, again and again."""
    deployed: DeployedTerms = DeployedTerms()
    """What else they do, where they do not."""

    @model_validator(mode="after")
    def _loops_or_deploys(self) -> LoanTerms:
        if self.loop and self.deployed != DeployedTerms():
            refuse([(("deployed",), "", "is for loans with loop: false; a loop buys tokens")])
        return self

    @property
    def most_borrowed_usd(self) -> float:
        """Return about what is borrowed at the start, USD."""
        return self.capital_usd * self.ltv / (1.0 - self.ltv if self.loop else 1.0)


class TokenLoanTerms(InstrumentTerms):
    """Loans against a metal token, of several sizes side by side in one market."""

    token: Label
    """The metal token that is locked, by its label."""
    metal: Literal["gold", "silver"] = "gold"
    """The metal that it stands for; loans are measured in ounces of it too."""
    price: Literal["reference", "exchange"] = "reference"
    """What the market reads: the metal's feed, which stands still while metals do not trade, or
    one exchange's own trades in the token, its premium included, every day."""
    exchange: ExchangeTerms = ExchangeTerms()
    """That exchange."""
    pool: PoolTerms
    """The market."""
    utilisation: UtilisationTerms = UtilisationTerms()
    """What all borrowers together have out."""
    loans: Annotated[dict[Label, LoanTerms], Field(min_length=1, max_length=12)]
    """Who borrows, by name; LABEL-NAME can be held."""
    most_rounds: Annotated[Whole, Field(ge=1, le=60)] = 30
    """Purchases with borrowed dollars on the first day, at most."""
    swap_spread_bps: Annotated[Whole, Field(ge=0, le=5_000), Unit("10000 = 100 %", 100)] = 10
    """Cost of buying and of selling tokens for dollars."""
    keeper_late_days: Annotated[Whole, Field(ge=0, le=30)] = 0
    """Days that a loan stays beyond the threshold before somebody liquidates it."""

    @model_validator(mode="after")
    def _loans_fit_the_market(self) -> TokenLoanTerms:
        faults: list[Fault] = []
        for name, loan in self.loans.items():
            place = ("loans", name)
            if name == SUPPLIERS:
                faults.append((place, "", "is the name of who supplies the dollars"))
            faults += [((*place, "ltv"), f"{loan.ltv:g}", rule) for rule in self._too_high(loan)]
        wanted = sum(loan.most_borrowed_usd for loan in self.loans.values())
        if wanted > MOST_LENT * self.pool.supplied_usd:
            rule = f"must be at least {wanted / MOST_LENT:.0f}: the loans borrow {wanted:.0f}"
            faults.append((("pool", "supplied_usd"), f"{self.pool.supplied_usd:g}", rule))
        refuse(faults)
        return self

    def _too_high(self, loan: LoanTerms) -> list[str]:
        threshold, most = self.pool.liquidation_threshold, self.pool.max_ltv
        if loan.ltv >= threshold:
            return [f"must be below pool.liquidation_threshold {threshold:g}"]
        return [f"must be at most pool.max_ltv {most:g}"] if loan.ltv > most else []

    def names(self, label: str) -> tuple[str, ...]:
        """Return the names of the positions: the suppliers', then one for each loan."""
        return (f"{label}-{SUPPLIERS}", *(f"{label}-{name}" for name in self.loans))

    def positions(self, label: str) -> tuple[Position, ...]:
        """Return the measured supplier's deposit, and each loan."""
        suppliers, *loans = self.names(label)
        daily = ("utilisation", "borrow_rate", "bad_debt_usd", "liquidator_usd")
        lent = Position(
            suppliers,
            self.metal,
            observables=(*daily, "insolvent_usd", "liquidated_usd"),
            measured=Measured(),
            settles="usdc",
            lends=Lends("insolvent_usd", "liquidated_usd"),
        )
        return (lent, *(self._loan(name) for name in loans))

    def _loan(self, name: str) -> Position:
        return Position(
            name,
            self.metal,
            units=("ounces", "usd"),
            observables=("ltv", "liquidated", "by_feed_alone"),
            divisible=False,
            settles="usdc",
            usdc_moves="price",
        )

    @classmethod
    def shocks(cls) -> tuple[Struck, ...]:
        """Return what shocks can do to it."""
        return (
            without_keepers("liquidates loans"),
            Struck(
                UTILISATION,
                "other borrowers bring the share that is lent to this",
                ("at",),
                high=MOST_USED,
                lasts=True,
            ),
            Struck(FAILURE, "who has the loans' deployed dollars fails, as each loan's terms say"),
        )

    def needs(self) -> Needs:
        """Return the metal, and the token that stands for it."""
        return Needs(assets=(self.metal,), instruments=(self.token,))

    def faults(self, label: str, among: Among) -> list[Fault]:
        """Return the lack of the token, or that it stands for another metal."""
        del label
        tokens = {
            name: terms.needs().assets
            for name, terms in among.instruments.items()
            if isinstance(terms, TokenTerms)
        }
        if tokens.get(self.token) == (self.metal,):
            return []
        fitting = [name for name, assets in tokens.items() if assets == (self.metal,)]
        rule = f"must be a {self.metal} token of this file: {', '.join(fitting) or 'there is none'}"
        return [(("token",), f"'{self.token}'", rule)]
