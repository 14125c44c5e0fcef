"""Terms of a gold pool: its fee, what others have put in, who trades, and the arbitrageur."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from simulator.instruments.base import TokenTerms
from simulator.instruments.terms import Among, InstrumentTerms, Measured, Needs, Position, Struck
from simulator.schema.fields import (
    Fault,
    Frozen,
    Label,
    NonNegative,
    Positive,
    Rate,
    Share,
    Unit,
    refuse,
)

MAX_FEE_BPS = 1_000
"""The contract's own limit, 10 %; a test holds it to its source."""

RUN = "run"
"""What a shock can do to it."""

MOST_FLED = 0.99
"""Share of the other providers' deposits that may leave in a run: somebody makes the market."""

MAX_RESERVE_OUNCES = 1_000_000

PPM_A_BPS = 100


class VolumeTerms(Frozen):
    """What others trade, for reasons of their own."""

    daily_usd: NonNegative = 1_000_000.0
    """Mean of a day's volume, USDC."""
    deviation: Rate = 0.5
    """Standard deviation of the log of the volume around its mean."""
    half_life_days: Positive = 10.0
    """Time in which half of a deviation of the volume passes."""
    imbalance: Share = 0.1
    """Standard deviation of a day's purchases of gold less its sales, over its volume."""


class ArbitrageTerms(Frozen):
    """Who trades the pool against the market."""

    capital_usd: Positive = 1_000_000.0
    """What the arbitrageur's profit is measured on."""


class GoldPoolTerms(InstrumentTerms):
    """A constant-product pool of a gold token and USDC (Uniswap-V2-like)."""

    token: Label = "gold_token"
    """The gold token, by its label."""
    reserve_ounces: Annotated[float, Field(gt=0, le=MAX_RESERVE_OUNCES)] = 5_000.0
    """Gold that the other providers have put in, with USDC of the same worth beside it."""
    fee_bps: Annotated[float, Field(ge=0, le=MAX_FEE_BPS), Unit("10000 = 100 %", 100)] = 30.0
    """What a trade leaves in the pool, of what is paid in; a multiple of 0.01."""
    volume: VolumeTerms = VolumeTerms()
    """The noise traders."""
    arbitrage: ArbitrageTerms = ArbitrageTerms()
    """The arbitrageur."""

    @model_validator(mode="after")
    def _fee_has_no_more_decimals(self) -> GoldPoolTerms:
        parts = self.fee_bps * PPM_A_BPS
        # a hundredth is no binary fraction
        if abs(parts - round(parts)) > 1e-9:
            rule = "must be a multiple of 0.01: the contract counts in parts per million"
            refuse([(("fee_bps",), f"{self.fee_bps:g}", rule)])
        return self

    @property
    def fee_ppm(self) -> int:
        """Return the fee as the contract has it, in parts per million."""
        return round(self.fee_bps * PPM_A_BPS)

    def names(self, label: str) -> tuple[str, str]:
        """Return the names of the positions: the provider's, and the arbitrageur's."""
        return label, f"{label}-arbitrageur"

    def positions(self, label: str) -> tuple[Position, ...]:
        """Return the measured provider's deposit, and the arbitrageur."""
        provider, arbitrageur = self.names(label)
        of_pool = ("pool_value_usd", "fees_usd", "impermanent_loss_usd")
        return (
            Position(provider, "gold", observables=of_pool, measured=Measured(), settles="usdc"),
            Position(
                arbitrageur,
                "gold",
                observables=("profit_usd",),
                divisible=False,
                settles="flows",
            ),
        )

    @classmethod
    def shocks(cls) -> tuple[Struck, ...]:
        """Return what shocks can do to it."""
        about = "share of the other providers' liquidity that leaves"
        return (Struck(RUN, about, ("size",), high=MOST_FLED),)

    def needs(self) -> Needs:
        """Return gold, and the token that is traded."""
        return Needs(assets=("gold",), instruments=(self.token,))

    def faults(self, label: str, among: Among) -> list[Fault]:
        """Return the lack of the token."""
        del label
        token = among.instruments.get(self.token)
        place = ("token",)
        if token is None:
            rule = f"needs {self.token} beside it: that is what it trades"
            return [(place if "token" in self.model_fields_set else (), "", rule)]
        if not isinstance(token, TokenTerms) or token.needs().assets != ("gold",):
            return [
                (place, f"'{self.token}'", f"must be a gold token; {self.token} is a {token.kind}")
            ]
        return []
