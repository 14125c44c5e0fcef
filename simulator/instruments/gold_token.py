"""The metal token: an ounce, less the premium's moods and the custodian's risk.

One model pegs gold or silver. Price = metal x backing x exp(premium). The premium is a
mean-reverting gap with fat-tailed dislocations, bounded where creation and redemption pay.
Backing is 1 until the custodian's metal turns out to be missing. Supply follows demand;
creation needs attested metal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.instruments.base import Access, Daily, InstrumentPaths, Source, TokenPrices
from simulator.instruments.draws import first_event, normal_paths
from simulator.market.paths import MarketPaths
from simulator.market.streams import Stream
from simulator.scenario.instruments import GoldTokenTerms
from simulator.units import BPS, DAYS_PER_YEAR, FEED_DECIMALS, FloatArray


@dataclass(frozen=True)
class Metal:
    """What a token stands for, and the streams of its own that it draws from."""

    asset: str
    premium: Stream
    dislocation: Stream
    demand: Stream
    events: Stream

    @property
    def name(self) -> str:
        """Return the instrument's name, `gold_token` or `silver_token`."""
        return f"{self.asset}_token"

    @property
    def sources(self) -> tuple[Source, ...]:
        """Return where the token's return can come from."""
        return (
            Source(f"{self.asset}_price", "market", f"{self.asset.capitalize()} price"),
            Source("token_premium", "market", f"Token premium over {self.asset}"),
            Source("custodian_shortfall", "loss", "Custodian shortfall"),
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
    """

    prices: TokenPrices
    supply_ounces: FloatArray
    reserve_ounces: FloatArray

    def lane(self, k: int) -> GoldTokenDrivers:
        """Return path `k` of the block alone."""
        one = slice(k, k + 1)
        return GoldTokenDrivers(
            self.prices.lane(k), self.supply_ounces[:, one], self.reserve_ounces[:, one]
        )


def draw_drivers(
    terms: GoldTokenTerms, market: MarketPaths, seed: int, metal: Metal = GOLD
) -> GoldTokenDrivers:
    """Return the drivers of a block: draws depend on seed, stream, path and step alone."""
    spot = np.maximum(np.round(market.prices[metal.asset], FEED_DECIMALS), 10.0**-FEED_DECIMALS)
    n_steps, n_paths = spot.shape[0] - 1, spot.shape[1]
    premium = _premium(terms, metal, seed, market.first_path, n_steps, n_paths)
    shortfall = first_event(seed, metal.events, market.first_path, n_paths, terms.shortfall_hazard)
    backing = np.where(
        np.arange(n_steps + 1)[:, None] >= shortfall[None, :], 1.0 - terms.shortfall_loss, 1.0
    )
    supply, reserve = _supply(terms, metal, backing, seed, market.first_path)
    token = np.round(spot * backing * np.exp(premium), FEED_DECIMALS)
    return GoldTokenDrivers(TokenPrices(spot, token, premium, backing), supply, reserve)


def _premium(
    terms: GoldTokenTerms, metal: Metal, seed: int, first_path: int, n_steps: int, n_paths: int
) -> FloatArray:
    """Return the log gap; its shocks are products of two normals (excess kurtosis 6)."""
    keep = 0.5 ** (1.0 / terms.premium_half_life_days)
    shocks = normal_paths(seed, metal.premium, first_path, n_steps, n_paths)
    shocks *= normal_paths(seed, metal.dislocation, first_path, n_steps, n_paths)
    shocks *= terms.premium_deviation * np.sqrt(1.0 - keep**2)
    gap = np.empty_like(shocks)
    gap[0] = terms.premium_mean
    for step in range(1, n_steps + 1):
        pulled = terms.premium_mean + keep * (gap[step - 1] - terms.premium_mean) + shocks[step]
        np.clip(pulled, terms.premium_floor, terms.premium_ceiling, out=gap[step])
    return gap


def _supply(
    terms: GoldTokenTerms, metal: Metal, backing: FloatArray, seed: int, first_path: int
) -> tuple[FloatArray, FloatArray]:
    """Return supply and attested reserve, ounces; supply cannot grow beyond the reserve."""
    n_steps, n_paths = backing.shape[0] - 1, backing.shape[1]
    daily = terms.demand_volatility / np.sqrt(DAYS_PER_YEAR)
    drift = (terms.demand_growth - 0.5 * terms.demand_volatility**2) / DAYS_PER_YEAR
    shocks = normal_paths(seed, metal.demand, first_path, n_steps, n_paths)
    growth = np.exp(drift + daily * shocks)
    growth[0] = 1.0
    demand = terms.supply_ounces * np.cumprod(growth, axis=0)
    whole = backing >= 1.0
    last_whole = demand[whole.sum(axis=0) - 1, np.arange(n_paths)]
    falling = np.minimum.accumulate(np.where(whole, last_whole, demand), axis=0)
    supply = np.where(whole, demand, falling)
    supply = np.round(supply, min(terms.decimals, 6))
    return supply, supply * backing


def simulate(
    terms: GoldTokenTerms,
    prices: TokenPrices,
    ounces: float,
    metal: Metal = GOLD,
    *,
    daily: bool = False,
) -> InstrumentPaths:
    """Hold `ounces` tokens from the first to the last step; fees of buying are not counted.

    `daily` asks for the dollars of each day too, for investors who trade.
    """
    spread = terms.sale_spread_bps / BPS
    mark_usd = ounces * prices.token_usd
    exit_usd = mark_usd * (1.0 - spread)
    exit_usd[0] = mark_usd[0]
    mark_ounces = ounces * prices.backing
    none = np.zeros(mark_usd.shape[1])
    by_day = ounces * split_price_change(prices)
    ounces_lost = mark_ounces[-1] - mark_ounces[0]
    return InstrumentPaths(
        name=metal.name,
        sources=metal.sources,
        initial={"ounces": mark_ounces[0], "usd": mark_usd[0]},
        mark={"ounces": mark_ounces, "usd": mark_usd},
        exit={"ounces": mark_ounces, "usd": exit_usd},
        attribution={
            "ounces": np.stack([none, none, ounces_lost, none]),
            "usd": np.vstack([by_day.sum(axis=1), -spread * mark_usd[-1]]),
        },
        events=(prices.backing[-1] < 1.0).astype(np.int64),
        unpaid=none,
        daily=_daily(by_day, spread) if daily else None,
    )


def _daily(by_day: FloatArray, spread: float) -> Daily:
    """Return the days of a position; tokens are bought at the spread they are sold at."""
    n_sources, n_steps, n_paths = by_day.shape
    gains = np.zeros((n_sources + 1, n_steps + 1, n_paths))
    gains[:n_sources, 1:] = by_day
    return Daily(gains, access=Access(buy_cost=spread))


def market_values(terms: GoldTokenTerms, drivers: GoldTokenDrivers) -> dict[str, FloatArray]:
    """Return the token's market value and its whole sector's, USD, (n_steps + 1, n_paths).

    The sector, all tokens of the metal together, grows as this one does.
    """
    own = drivers.supply_ounces * drivers.prices.token_usd
    values = {"market_value_usd": own}
    if terms.sector_value_usd is not None:
        values["sector_value_usd"] = terms.sector_value_usd * (own / own[0])
    return values


def split_price_change(prices: TokenPrices) -> FloatArray:
    """Return the token's daily price changes by source, shape (3, n_steps, n_paths).

    The metal moves at yesterday's backing and premium, backing at yesterday's premium; what
    quantisation leaves goes to the premium, so the three sum to the change exactly.
    """
    metal, backing, factor = prices.metal_usd, prices.backing, np.exp(prices.premium)
    by_metal = np.diff(metal, axis=0) * backing[:-1] * factor[:-1]
    by_backing = metal[1:] * np.diff(backing, axis=0) * factor[:-1]
    rest = np.diff(prices.token_usd, axis=0) - by_metal - by_backing
    return np.stack([by_metal, rest, by_backing])
