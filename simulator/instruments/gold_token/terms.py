"""Terms of a metal token: what stands behind it, who wants it, and what its price does."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from simulator.instruments.terms import Among, InstrumentTerms, Needs, Position, Struck
from simulator.schema.fields import Bps, Fault, Hazard, Positive, Rate, Share, refuse

PREMIUM, SHORTFALL, FREEZE, PAUSE = "premium", "shortfall", "freeze", "pause"
"""What shocks can do to a token."""

MAX_DESK_SPREAD_BPS = 5_000
"""The desk on which portfolios trade tokens lists none with a wider spread."""


class GoldTokenTerms(InstrumentTerms):
    """A token backed one to one by allocated gold (PAXG- or XAUT-like)."""

    asset: ClassVar[str] = "gold"
    """The metal that it stands for."""

    preset: Literal["paxg", "xaut"] = "paxg"
    """paxg (18 decimals, a transfer fee is possible) or xaut (6 decimals, block list)."""
    supply_ounces: Positive = 420_000.0
    """Tokens in circulation at the start."""
    sector_value_usd: Positive | None = None
    """Market value of all tokens of this metal at the start, USD; grows as this token's."""
    demand_growth: Annotated[float, Field(ge=-2, le=3)] = 0.0
    """Growth of demand for the token a year, in ounces, in the mean of the paths."""
    demand_growth_deviation: Rate = 0.0
    """Standard deviation of that growth from path to path; each path keeps its own."""
    demand_volatility: Rate = 0.25
    """Annual volatility of that demand."""
    premium_mean: Annotated[float, Field(ge=-0.2, le=0.2)] = 0.0006
    """Mean log gap between token and gold."""
    premium_deviation: Annotated[float, Field(ge=0, le=0.2)] = 0.008
    """Standard deviation of the gap."""
    premium_half_life_days: Positive = 3.0
    """Time in which half of a gap closes."""
    premium_ceiling: Annotated[float, Field(gt=0, le=0.5)] = 0.044
    """Gap at which creation (fee, delay, spread) pays; the arbitrage bounds it here."""
    premium_floor: Annotated[float, Field(ge=-0.5, lt=0)] = -0.026
    """Gap at which redemption pays; the arbitrage bounds it here."""
    shortfall_hazard: Hazard = 0.001
    """Chance a year that the custodian's gold is not there (a Poisson rate)."""
    shortfall_loss: Share = 1.0
    """Share of the backing lost in that event."""
    sale_spread_bps: Bps = 10.0
    """Cost of selling tokens for dollars at the end."""

    @model_validator(mode="after")
    def _mean_lies_between(self) -> GoldTokenTerms:
        if not self.premium_floor <= self.premium_mean <= self.premium_ceiling:
            rule = (
                f"premium_mean {self.premium_mean:g} must be between premium_floor "
                f"{self.premium_floor:g} and premium_ceiling {self.premium_ceiling:g}"
            )
            refuse([((), "", rule)])
        return self

    @property
    def decimals(self) -> int:
        """Decimals of the token: 18 like PAXG or 6 like XAUT."""
        return 18 if self.preset == "paxg" else 6

    def positions(self, label: str) -> tuple[Position, ...]:
        """Return the token by the ounce."""
        sector = () if self.sector_value_usd is None else ("sector_value_usd",)
        shown = ("market_value_usd", *sector)
        return (Position(label, self.asset, ("ounces", "usd"), shown),)

    @classmethod
    def shocks(cls) -> tuple[Struck, ...]:
        """Return what can befall the token."""
        return (
            Struck(SHORTFALL, "share of the metal that turns out to be missing", ("size",)),
            Struck(
                PREMIUM,
                "share by which the token's price leaves the metal's; -0.2 = it stands 20 % below",
                ("size",),
                low=-0.9,
                high=1.0,
                lasts=True,
            ),
            Struck(FREEZE, "the issuer freezes the addresses of investors who hold it", lasts=True),
            Struck(
                PAUSE,
                "the issuer stops all transfers of the token",
                lasts=True,
                alone=f"{FREEZE} stops its holders alone",
            ),
        )

    def needs(self) -> Needs:
        """Return the metal."""
        return Needs(assets=(self.asset,))

    def faults(self, label: str, among: Among) -> list[Fault]:
        """Return a spread at which the desk of the stage cannot trade a portfolio's token."""
        spread = self.sale_spread_bps
        if label not in among.traded or (spread == round(spread) and spread <= MAX_DESK_SPREAD_BPS):
            return []
        rule = f"must be whole and at most {MAX_DESK_SPREAD_BPS}: portfolios trade it"
        return [(("sale_spread_bps",), f"{spread:g}", rule)]


class SilverTokenTerms(GoldTokenTerms):
    """A token backed one to one by allocated silver."""

    asset: ClassVar[str] = "silver"
    """The metal that it stands for."""
