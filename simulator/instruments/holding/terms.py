"""Terms of what is held off chain: metal in a safe, funds, shares, coins, bills."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import Field, model_validator

from simulator.instruments.terms import InstrumentTerms, Needs, Position
from simulator.schema.assets import Asset
from simulator.schema.fields import Bps, Unit, Yield

What = Literal[
    "physical_gold",
    "physical_silver",
    "gold_etf",
    "silver_etf",
    "copper_miner_etf",
    "mining_equity",
    "bitcoin",
    "altcoin_basket",
    "big_tech",
    "small_caps",
    "treasury_bills",
]

PRESETS: dict[str, dict[str, Any]] = {
    # dealers' margins on coins and small bars; storage and insurance 0.1-0.5 % a year
    "physical_gold": {
        "asset": "gold",
        "fee": 0.003,
        "buy_spread_bps": 200.0,
        "sell_spread_bps": 100.0,
    },
    "physical_silver": {
        "asset": "silver",
        "fee": 0.005,
        "buy_spread_bps": 500.0,
        "sell_spread_bps": 300.0,
    },
    # funds charge 0.25-0.40 % a year for gold
    "gold_etf": {"asset": "gold", "fee": 0.004, "buy_spread_bps": 2.0, "sell_spread_bps": 2.0},
    "silver_etf": {"asset": "silver", "fee": 0.005, "buy_spread_bps": 5.0, "sell_spread_bps": 5.0},
    "copper_miner_etf": {
        "asset": "copper_miners",
        "leverage": 1.25,
        "fee": 0.0075,
        "buy_spread_bps": 10.0,
        "sell_spread_bps": 10.0,
    },
    "mining_equity": {
        "asset": "gold_miners",
        "fee": 0.0,
        "buy_spread_bps": 5.0,
        "sell_spread_bps": 5.0,
    },
    "bitcoin": {"asset": "bitcoin", "fee": 0.0, "buy_spread_bps": 10.0, "sell_spread_bps": 10.0},
    "altcoin_basket": {
        "asset": "altcoins",
        "fee": 0.0,
        "buy_spread_bps": 50.0,
        "sell_spread_bps": 50.0,
    },
    "big_tech": {"asset": "big_tech", "fee": 0.002, "buy_spread_bps": 1.0, "sell_spread_bps": 1.0},
    "small_caps": {
        "asset": "small_caps",
        "fee": 0.002,
        "buy_spread_bps": 2.0,
        "sell_spread_bps": 2.0,
    },
    "treasury_bills": {
        "asset": "treasury_bills",
        "fee": 0.001,
        "buy_spread_bps": 1.0,
        "sell_spread_bps": 1.0,
    },
}
"""What `what` sets unless the scenario does; all of it assumption, fees within seen ranges."""

ALWAYS_OPEN = ("bitcoin", "altcoins")
"""Assets that trade on every day."""


class HoldingTerms(InstrumentTerms):
    """Something held off chain that follows a market asset, less what it costs to hold."""

    what: What
    """What is held; it sets whatever stands not here."""
    asset: Asset | None = None
    """Market asset that it follows; none = that of `what`."""
    leverage: Annotated[float, Field(ge=1, le=1.5)] = 1.0
    """Exposure over value, set anew each day; what is above 1 is borrowed."""
    fee: Annotated[float, Field(ge=0, le=0.1), Unit("1 = 100 % a year", 0.01)] = 0.0
    """Storage, insurance or fund fee a year on the value, taken each day."""
    financing_rate: Yield | None = None
    """Rate a year on what is borrowed; none = what Treasury bills earn on the path."""
    buy_spread_bps: Bps = 0.0
    """Cost of buying, on the value bought."""
    sell_spread_bps: Bps = 0.0
    """Cost of selling, on the value sold."""

    @model_validator(mode="before")
    @classmethod
    def _filled_from_what(cls, data: Any) -> Any:
        if not isinstance(data, dict) or data.get("what") not in get_args(What):
            return data
        given = {name: value for name, value in data.items() if value is not None}
        return {**data, **PRESETS[data["what"]], **given}

    @property
    def follows(self) -> str:
        """Return the market asset whose price it follows."""
        return self.asset or str(PRESETS[self.what]["asset"])

    @property
    def trades_always(self) -> bool:
        """Return whether its market never closes."""
        return self.follows in ALWAYS_OPEN

    @property
    def borrows_at_bills(self) -> bool:
        """Return whether what is borrowed costs what Treasury bills earn."""
        return self.leverage > 1.0 and self.financing_rate is None

    def positions(self, label: str) -> tuple[Position, ...]:
        """Return a dollar of it."""
        return (Position(label, self.follows),)

    def needs(self) -> Needs:
        """Return the asset, and bills where borrowing costs what they earn."""
        return Needs(assets=(self.follows, *(("treasury_bills",) if self.borrows_at_bills else ())))
