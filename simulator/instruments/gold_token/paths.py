"""The metal token: an ounce, less the premium's moods and the custodian's risk.

One model pegs gold or silver. Price = metal x backing x exp(premium). The premium is a
mean-reverting gap with fat-tailed dislocations, bounded where creation and redemption pay.
Backing is 1 until the custodian's metal turns out to be missing. Supply follows demand;
creation needs attested metal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum, unique

import numpy as np

from simulator.instruments.base import Access, Daily, InstrumentPaths, Source, TokenPrices
from simulator.instruments.gold_token.draws import Numbers, draw, reprice
from simulator.instruments.gold_token.split import split
from simulator.instruments.gold_token.terms import GoldTokenTerms
from simulator.instruments.model import Blow, absent, first_of
from simulator.instruments.registry import stream_of
from simulator.market.events import first_event
from simulator.mechanics.rows import empty_apart
from simulator.units import BPS, DAYS_PER_YEAR, BoolArray, FloatArray


@unique
class Stream(IntEnum):
    """The room's streams of random numbers; see `market.streams` for what a number means."""

    TOKEN_PREMIUM = 128
    TOKEN_EVENTS = 129
    TOKEN_DEMAND = 130
    TOKEN_DISLOCATION = 141
    SILVER_TOKEN_PREMIUM = 144
    SILVER_TOKEN_DISLOCATION = 145
    SILVER_TOKEN_DEMAND = 146
    SILVER_TOKEN_EVENTS = 147


@dataclass(frozen=True)
class Metal:
    """What a token stands for, and the streams of its own that it draws from."""

    asset: str
    premium: Stream
    dislocation: Stream
    demand: Stream
    events: Stream

    @property
    def kind(self) -> str:
        """Return the kind of such a token, `gold_token` or `silver_token`."""
        return f"{self.asset}_token"

    @property
    def sources(self) -> tuple[Source, ...]:
        """Return where the token's return can come from."""
        return (
            Source(f"{self.asset}_price", "market", f"{self.asset.capitalize()} price"),
            Source("token_premium", "market", f"Token premium over {self.asset}"),
            Source("custodian_shortfall", "loss", "Custodian shortfall", ends_income=True),
            Source("sale_spread", "cost", "Spread when selling the token"),
        )


GOLD = Metal(
    "gold",
    Stream.TOKEN_PREMIUM,
    Stream.TOKEN_DISLOCATION,
    Stream.TOKEN_DEMAND,
    Stream.TOKEN_EVENTS,
)
SILVER = Metal(
    "silver",
    Stream.SILVER_TOKEN_PREMIUM,
    Stream.SILVER_TOKEN_DISLOCATION,
    Stream.SILVER_TOKEN_DEMAND,
    Stream.SILVER_TOKEN_EVENTS,
)


@dataclass(frozen=True)
class GoldTokenDrivers:
    """What happens to the token from outside.

    Attributes
    ----------
    prices : TokenPrices
    supply_ounces, reserve_ounces : ndarray of shape (n_steps + 1, n_paths)
        Tokens in circulation and gold attested, quantised to 1e-6.
    frozen : ndarray of bool, shape (n_steps + 1, n_paths), or (0, 0)
        Where the addresses of who holds tokens are frozen.
    paused : ndarray of bool, shape (n_steps + 1, n_paths), or (0, 0)
        Where no token moves.
    """

    prices: TokenPrices
    supply_ounces: FloatArray
    reserve_ounces: FloatArray
    frozen: BoolArray = field(default_factory=lambda: absent(()))
    paused: BoolArray = field(default_factory=lambda: absent(()))

    @property
    def stopped(self) -> BoolArray:
        """Return where who holds tokens cannot trade, shape (n_steps + 1, n_paths) or (0, 0)."""
        if not (self.frozen.size and self.paused.size):
            return self.frozen if self.frozen.size else self.paused
        return self.frozen | self.paused

    def lane(self, k: int) -> GoldTokenDrivers:
        """Return path `k` of the block alone."""
        one = slice(k, k + 1)
        return GoldTokenDrivers(
            self.prices.lane(k),
            self.supply_ounces[:, one],
            self.reserve_ounces[:, one],
            self.frozen[:, one],
            self.paused[:, one],
        )


def draw_drivers(
    terms: GoldTokenTerms,
    label: str,
    metal: Metal,
    spot: FloatArray,
    seed: int,
    first_path: int,
    *,
    missing: Sequence[Blow] = (),
    dislocated: Sequence[Blow] = (),
    frozen: Sequence[Blow] = (),
    paused: Sequence[Blow] = (),
) -> GoldTokenDrivers:
    """Return the drivers of a block: draws depend on label, seed, stream, path and step alone.

    Parameters
    ----------
    spot : ndarray of shape (n_steps + 1, n_paths), USD per ounce
        Price of the metal, on paths from `first_path` on.
    missing, dislocated, frozen, paused : sequence of Blow
        Shocks: a share of the metal that is gone, of which the first thing that happens counts, the
        token's own hazard among it; a share by which the token's price leaves the metal's, beyond
        the bounds of its premium; the freeze of its holders' addresses; a stop of all transfers.
    """
    premium_stream, dislocation, demand, events = (
        stream_of(number, metal.kind, label)
        for number in (metal.premium, metal.dislocation, metal.demand, metal.events)
    )
    shortfall = first_event(seed, events, first_path, spot.shape[1], terms.shortfall_hazard)
    left = np.full(spot.shape[1], 1.0 - terms.shortfall_loss)
    if missing:
        begins, amount = first_of(missing)
        left = np.where(begins < shortfall, 1.0 - amount, left)
        shortfall = np.minimum(shortfall, begins)
    metal_usd, token_usd, premium, backing, supply, reserve = (
        empty_apart(spot.shape, k) for k in range(6)
    )
    draw(
        _numbers(terms),
        spot,
        shortfall,
        left,
        seed,
        (premium_stream, dislocation, demand),
        first_path,
        metal_usd,
        token_usd,
        premium,
        backing,
        supply,
        reserve,
    )
    for blow in dislocated:
        premium += np.log1p(blow.amount) * blow.weight
    if dislocated:
        reprice(token_usd, metal_usd, premium, backing)
    prices = TokenPrices(metal_usd, token_usd, premium, backing)
    return GoldTokenDrivers(prices, supply, reserve, absent(frozen), absent(paused))


def _numbers(terms: GoldTokenTerms) -> Numbers:
    """Return the terms in the form the kernel reads."""
    keep = 0.5 ** (1.0 / terms.premium_half_life_days)
    return Numbers(
        premium_mean=terms.premium_mean,
        premium_floor=terms.premium_floor,
        premium_ceiling=terms.premium_ceiling,
        premium_pull=keep,
        premium_shock=terms.premium_deviation * float(np.sqrt(1.0 - keep**2)),
        supply_ounces=terms.supply_ounces,
        supply_drift=(terms.demand_growth - 0.5 * terms.demand_volatility**2) / DAYS_PER_YEAR,
        drift_deviation=terms.demand_growth_deviation / DAYS_PER_YEAR,
        supply_shock=terms.demand_volatility / float(np.sqrt(DAYS_PER_YEAR)),
        supply_units=10.0 ** min(terms.decimals, 6),
    )


def simulate(
    terms: GoldTokenTerms,
    prices: TokenPrices,
    ounces: float,
    metal: Metal = GOLD,
    *,
    name: str = "",
    stopped: BoolArray | None = None,
    daily: bool = False,
    by_source: bool = True,
) -> InstrumentPaths:
    """Hold `ounces` tokens from the first to the last step; fees of buying are not counted.

    `name` is what the scenario calls them; by default their kind. Where they are `stopped`, of
    shape (n_steps + 1, n_paths), nobody trades them; what is stopped on the last step is not paid.
    `daily` asks for the dollars of each day too, for investors who trade, and `by_source`
    for where these came from.
    """
    spread = terms.sale_spread_bps / BPS
    mark_usd = ounces * prices.token_usd
    exit_usd = mark_usd * (1.0 - spread)
    exit_usd[0] = mark_usd[0]
    mark_ounces = ounces * prices.backing
    none = np.zeros(mark_usd.shape[1])
    by_step = prices.metal_usd.shape if daily and by_source else (0, 0)
    brought = np.zeros((len(metal.sources), *by_step))
    by_price = split(prices, ounces, brought)
    ounces_lost = mark_ounces[-1] - mark_ounces[0]
    stuck, way = none, Access(buy_cost=spread)
    if stopped is not None and stopped.size > 0:
        trades = np.where(stopped, 0.0, 1.0)
        way = Access(buy_cost=spread, sellable=trades, buyable=trades)
        stuck = np.where(stopped[-1], mark_ounces[-1], 0.0)
    return InstrumentPaths(
        name=name or metal.kind,
        sources=metal.sources,
        initial={"ounces": mark_ounces[0], "usd": mark_usd[0]},
        mark={"ounces": mark_ounces, "usd": mark_usd},
        exit={"ounces": mark_ounces, "usd": exit_usd},
        attribution={
            "ounces": np.stack([none, none, ounces_lost, none]),
            "usd": np.vstack([by_price, -spread * mark_usd[-1]]),
        },
        events=(prices.backing[-1] < 1.0).astype(np.int64),
        unpaid=stuck,
        # tokens are bought at the spread they are sold at
        daily=Daily(brought, access=way) if daily else None,
    )


def market_values(terms: GoldTokenTerms, drivers: GoldTokenDrivers) -> dict[str, FloatArray]:
    """Return the token's market value and its whole sector's, USD, (n_steps + 1, n_paths).

    The sector, all tokens of the metal together, grows as this one does.
    """
    own = drivers.supply_ounces * drivers.prices.token_usd
    values = {"market_value_usd": own}
    if terms.sector_value_usd is not None:
        values["sector_value_usd"] = terms.sector_value_usd * (own / own[0])
    return values
