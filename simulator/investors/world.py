"""One block of paths, whole: market, drivers, instruments, investors.

The engine reduces blocks to measures; the replay takes single paths out of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypedDict

import numpy as np

from simulator.errors import InputError, Problem
from simulator.instruments import (
    gold_token,
    gold_vault,
    holding,
    mining_sto,
    price_cover,
    revenue_staking,
)
from simulator.instruments.base import InstrumentPaths, scaled
from simulator.instruments.gold_token import GOLD, SILVER, GoldTokenDrivers, Metal
from simulator.instruments.gold_vault import GoldVaultDrivers, GoldVaultRecord
from simulator.instruments.mining_sto import MiningStoDrivers, MiningStoRecord
from simulator.instruments.price_cover import PriceCoverDrivers, PriceCoverRecord
from simulator.instruments.revenue_staking import StakingDrivers, StakingRecord
from simulator.investors import portfolio
from simulator.investors.paths import InvestorPaths
from simulator.investors.settlement import in_usdc, settled_in_usdc, turn_into_dollars
from simulator.market.dynamics import MarketSpec
from simulator.market.paths import MarketPaths, simulate_market
from simulator.scenario.investors import InvestorTerms
from simulator.scenario.mining_sto import MiningStoTerms
from simulator.scenario.models import Scenario
from simulator.units import FloatArray, trading_days

METALS: tuple[Metal, Metal] = (GOLD, SILVER)

STAND_IN_USD_PER_OZ = 5_000.0
"""Round price by which dollars in the vault are turned into ounces of the measured holder."""


@dataclass(frozen=True)
class VaultPlay:
    """What the vault's replay needs; the record is empty unless it was asked for."""

    drivers: GoldVaultDrivers
    record: GoldVaultRecord


@dataclass(frozen=True)
class MiningStoPlay:
    """What a mining STO's replay needs."""

    drivers: MiningStoDrivers
    record: MiningStoRecord

    def lane(self, k: int) -> MiningStoPlay:
        """Return path `k` of the block alone."""
        return MiningStoPlay(self.drivers.lane(k), self.record.lane(k))


@dataclass(frozen=True)
class CoverPlay:
    """What a price cover's replay needs; the record is empty unless it was asked for."""

    drivers: PriceCoverDrivers
    record: PriceCoverRecord

    def lane(self, k: int) -> CoverPlay:
        """Return path `k` of the block alone."""
        return CoverPlay(self.drivers.lane(k), self.record.lane(k))


@dataclass(frozen=True)
class StakingPlay:
    """What the replay of a staked mining STO needs."""

    sto: MiningStoPlay
    record: StakingRecord

    def lane(self, k: int) -> StakingPlay:
        """Return path `k` of the block alone."""
        return StakingPlay(self.sto.lane(k), self.record.lane(k))


@dataclass(frozen=True)
class Plays:
    """What the replay needs of each instrument, by its name."""

    tokens: Mapping[str, GoldTokenDrivers]
    vault: VaultPlay | None
    stos: Mapping[str, MiningStoPlay]
    stakings: Mapping[str, StakingPlay]
    covers: Mapping[str, CoverPlay]


@dataclass(frozen=True)
class World:
    """A block of paths: prices, every instrument of the scenario by name, every investor.

    An instrument's paths are those of one unit of it: an ounce of a token, the measured
    holder's ounces of the vault, the measured holder's dollars of a mining STO or a price
    cover, an insured miner's cash, a dollar of what is held off chain.
    """

    market: MarketPaths
    instruments: Mapping[str, InstrumentPaths]
    investors: Mapping[str, InvestorPaths]
    plays: Plays


def vault_ounces(scenario: Scenario) -> float:
    """Return the ounces of the vault's measured holder.

    Portfolios hold parts of that position. Where nobody else does, it is as large as their
    largest part at a round price, so that the gas weighs what it would; and
    without any, a depositor of one ounce stands in, so that the vault can be watched.
    """
    held = (i.ounces for i in scenario.investors.values() if i.holding == "gold_vault")
    ounces = next(held, None)
    if ounces is not None:
        return ounces
    return _largest_part(scenario, "gold_vault") / STAND_IN_USD_PER_OZ or 1.0


def holder_usd(scenario: Scenario, name: str) -> float:
    """Return the dollars of the measured holder of an instrument: of the first who holds it.

    Where portfolios alone hold it, the position is as large as their largest part, so that the
    gas weighs what it would; without any, a holder of 1,000 dollars stands in, so that the
    instrument can be watched.
    """
    held = (i.capital_usd for i in scenario.investors.values() if i.holding == name)
    return next(held, None) or _largest_part(scenario, name) or 1_000.0


def _largest_part(scenario: Scenario, name: str) -> float:
    """Return the most dollars that a portfolio puts into an instrument at the start."""
    return max(
        (i.capital_usd or 0.0) * (i.weights or {}).get(name, 0.0)
        for i in scenario.investors.values()
    )


def simulate_block(
    scenario: Scenario,
    spec: MarketSpec,
    first_path: int,
    n_paths: int,
    *,
    record: bool = False,
    block: FloatArray | None = None,
) -> World:
    """Return paths `first_path` to `first_path + n_paths - 1`; n_paths of full lanes.

    `block`, of `market.paths.empty_block`, takes the prices; reusing one a thread keeps them
    in the cache. The world then holds until the block is filled again.
    """
    world = simulate_instruments(scenario, spec, first_path, n_paths, record=record, block=block)
    wanted = portfolio.Wanted(record=record)
    return replace(world, investors=dict(each_investor(scenario, world, wanted=wanted)))


def simulate_instruments(
    scenario: Scenario,
    spec: MarketSpec,
    first_path: int,
    n_paths: int,
    *,
    record: bool = False,
    by_source: bool = True,
    block: FloatArray | None = None,
) -> World:
    """Return the same as `simulate_block`, but for the investors, which `each_investor` makes.

    Without `by_source` the instruments' days tell no sources, so portfolios have none.
    """
    market = simulate_market(spec, scenario.seed, first_path, n_paths, block=block)
    # what is settled in USDC turns into dollars source by source
    by_source = by_source or scenario.market.stablecoin is not None
    days = _Days(_traded(scenario), by_source)
    instruments, tokens = _tokens(scenario, market, days)
    vault = _vault(scenario, market, spec, tokens, instruments, first_path, record, days)
    stos = _mines(scenario, market, instruments, record, days)
    stakings = _stakings(scenario, instruments, stos, record, days)
    covers = _covers(scenario, spec, market, instruments, record, days)
    for name, terms in scenario.instruments.holding.items():
        instruments[name] = holding.simulate(terms, market, name, **days.of(name))
    turn_into_dollars(scenario, market, instruments)
    return World(market, instruments, {}, Plays(tokens, vault, stos, stakings, covers))


def each_investor(
    scenario: Scenario,
    world: World,
    *,
    count: int | None = None,
    wanted: portfolio.Wanted = portfolio.EVERYTHING,
) -> Iterator[tuple[str, InvestorPaths]]:
    """Yield the investors by name, each made when it is asked for.

    Who lets each go before the next one keeps memory small and warm: all portfolios together
    are larger than the instruments. `count` paths are wanted, the others pad the lanes.
    """
    for name, investor in scenario.investors.items():
        if investor.holding is not None:
            yield name, InvestorPaths(name, _position(investor, world.instruments))
        else:
            held = portfolio.hold(investor, world.instruments, count=count, wanted=wanted)
            yield name, InvestorPaths(name, held.whole, held)


class _Ask(TypedDict):
    """What an instrument's model is asked for."""

    daily: bool
    by_source: bool


@dataclass(frozen=True)
class _Days:
    """Whose days are needed: the instruments that portfolios hold, with or without sources."""

    traded: frozenset[str]
    by_source: bool

    def of(self, name: str) -> _Ask:
        """Return what an instrument's model is asked for."""
        return {"daily": name in self.traded, "by_source": self.by_source}


def _tokens(
    scenario: Scenario, market: MarketPaths, days: _Days
) -> tuple[dict[str, InstrumentPaths], dict[str, GoldTokenDrivers]]:
    paths, drivers = {}, {}
    for metal in METALS:
        terms = scenario.instruments.token(metal.name)
        if terms is not None:
            drawn = gold_token.draw_drivers(terms, market, scenario.seed, metal)
            drivers[metal.name] = drawn
            held = gold_token.simulate(terms, drawn.prices, 1.0, metal, **days.of(metal.name))
            values = gold_token.market_values(terms, drawn)
            paths[metal.name] = replace(held, details=values)
    return paths, drivers


def _vault(
    scenario: Scenario,
    market: MarketPaths,
    spec: MarketSpec,
    tokens: Mapping[str, GoldTokenDrivers],
    instruments: dict[str, InstrumentPaths],
    first_path: int,
    record: bool,
    days: _Days,
) -> VaultPlay | None:
    terms, token = scenario.instruments.gold_vault, scenario.instruments.gold_token
    if terms is None or token is None:
        return None
    volatility = float(spec.volatility[spec.assets.index("gold")])
    prices = tokens["gold_token"].prices
    drivers = gold_vault.draw_drivers(terms, prices, volatility, first_path, scenario.seed)
    drivers = in_usdc(drivers, market)
    asked = days.of("gold_vault")
    instruments["gold_vault"], kept = gold_vault.simulate(
        terms, token, scenario.gas, drivers, vault_ounces(scenario), record=record, **asked
    )
    return VaultPlay(drivers, kept)


def _mines(
    scenario: Scenario,
    market: MarketPaths,
    instruments: dict[str, InstrumentPaths],
    record: bool,
    days: _Days,
) -> dict[str, MiningStoPlay]:
    chosen, plays = scenario.instruments, {}
    for name, terms in chosen.mining_sto.items():
        drivers = mining_sto.draw_drivers(terms, name, market, scenario.seed)
        usd = holder_usd(scenario, name)
        instruments[name], kept = mining_sto.simulate(
            terms, scenario.gas, drivers, usd, record=record, **days.of(name)
        )
        plays[name] = MiningStoPlay(drivers, kept)
    trading = trading_days(scenario.start, scenario.horizon_days) if chosen.mine_equity else None
    for name, equity in chosen.mine_equity.items():
        mine = plays[equity.mine].drivers.mine
        drawn = mining_sto.draw_equity_drivers(equity, mine, scenario.seed, market.first_path)
        terms = chosen.mining_sto[equity.mine]
        instruments[name] = mining_sto.simulate_equity(
            equity, terms, drawn, name, open_days=trading, **days.of(name)
        )
    return plays


def _stakings(
    scenario: Scenario,
    instruments: dict[str, InstrumentPaths],
    stos: Mapping[str, MiningStoPlay],
    record: bool,
    days: _Days,
) -> dict[str, StakingPlay]:
    plays = {}
    for name, terms in scenario.instruments.revenue_staking.items():
        sto, drivers = scenario.instruments.mining_sto[terms.sto], stos[terms.sto].drivers
        usd = holder_usd(scenario, name)
        held, kept = mining_sto.simulate(
            sto, scenario.gas, drivers, usd, record=record, **days.of(name)
        )
        outside = staking_drivers(sto, drivers, kept, usd)
        instruments[name], earned = revenue_staking.simulate(
            terms, scenario.gas, replace(held, name=name), outside
        )
        plays[name] = StakingPlay(MiningStoPlay(drivers, kept), earned)
    return plays


def staking_drivers(
    terms: MiningStoTerms, drivers: MiningStoDrivers, record: MiningStoRecord, usd: float
) -> StakingDrivers:
    """Return what a mining STO's paths are to those who stake its tokens."""
    sold = np.minimum(drivers.others_usd + usd, terms.sale.hard_cap_usd)
    sold = np.where(sold >= terms.sale.soft_cap_usd, sold, 0.0)
    issued = sold + np.cumsum(record.deposit_usd, axis=0)
    settles = np.array(drivers.mine.settles)[:, None]
    return StakingDrivers(
        profit_usd=np.where(settles <= drivers.default_step, drivers.mine.profit, 0.0),
        issued_usd=np.where(sold > 0.0, issued, 0.0),
        sold_share=sold / terms.sale.hard_cap_usd,
        ends=drivers.mine.ends,
        stake_step=terms.sale.days + terms.compliance.lockup_days,
    )


def _traded(scenario: Scenario) -> frozenset[str]:
    """Return the instruments of which each day is needed.

    They are those that portfolios hold and, where USDC falls, what is settled in it.
    """
    portfolios = (i for i in scenario.investors.values() if i.weights is not None)
    held = frozenset(name for investor in portfolios for name in investor.held)
    falls = scenario.market.stablecoin is not None
    return held.union(settled_in_usdc(scenario)) if falls else held


def _covers(
    scenario: Scenario,
    spec: MarketSpec,
    market: MarketPaths,
    instruments: dict[str, InstrumentPaths],
    record: bool,
    days: _Days,
) -> dict[str, CoverPlay]:
    plays = {}
    for label, terms in scenario.instruments.price_cover.items():
        copper = spec.assets.index(terms.follows)
        figures = float(spec.volatility[copper]), float(spec.periods_per_year[copper])
        drivers = price_cover.draw_drivers(label, market, *figures)
        usd = holder_usd(scenario, label)
        paths, kept = price_cover.simulate(
            terms, scenario.gas, drivers, usd, record=record, **days.of(label)
        )
        instruments.update(paths)
        plays[label] = CoverPlay(drivers, kept)
    return plays


def _position(
    investor: InvestorTerms, instruments: Mapping[str, InstrumentPaths]
) -> InstrumentPaths:
    """Return an investor's share of an instrument, whose paths are those of one unit."""
    one = instruments[str(investor.holding)]
    if investor.ounces is not None:
        factor = investor.ounces / float(one.initial["ounces"][0])
    else:
        factor = (investor.capital_usd or 0.0) / float(one.initial["usd"][0])
    return one if factor == 1.0 else scaled(one, factor)


def series(world: World, name: str) -> FloatArray:
    """Return a daily series of shape (n_steps + 1, n_paths) by its name.

    Those of `market_series`, and INSTRUMENT.OBSERVABLE.

    Raises
    ------
    InputError
        There is no such factor or observable.
    """
    head, *rest = name.split(".")
    if head not in world.instruments:
        return market_series(world.market, name)
    details = world.instruments[head].details
    if rest[0] not in details:
        raise _unknown(name, f"{head} has {', '.join(details) or 'none'}")
    return details[rest[0]]


def market_series(market: MarketPaths, name: str) -> FloatArray:
    """Return price.ASSET, ratio.ASSET.ASSET or factor.FACTOR, shape (n_steps + 1, n_paths).

    Raises
    ------
    InputError
        There is no such factor.
    """
    head, *rest = name.split(".")
    if head == "price":
        return market.prices[rest[0]]
    if head == "ratio":
        quotient: FloatArray = market.prices[rest[0]] / market.prices[rest[1]]
        return quotient
    if rest[0] not in market.factors:
        known = ", ".join(market.factors) or "none: only model macro has factors"
        raise _unknown(name, f"the market has {known}")
    return market.factors[rest[0]]


def assets_of(names: Iterable[str]) -> set[str]:
    """Return the assets whose prices `market_series` of these names needs."""
    return {
        asset
        for head, *assets in (name.split(".") for name in names)
        if head in ("price", "ratio")
        for asset in assets
    }


def _unknown(series_name: str, rule: str) -> InputError:
    return InputError([Problem("claims", None, "series", f"'{series_name}'", rule)])
