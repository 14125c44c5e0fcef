"""Each instrument's path-steps a second in two threads, drivers included where the line does not
say that they are ready or apart; and what a path-step costs on one core alone.

What two threads gain over one says what limits a line: arithmetic doubles, memory does not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from statistics import median

import numpy as np
import pandas as pd
from lines import Line, seconds_of

from simulator.engine.memory import keep_freed_memory
from simulator.instruments.base import InstrumentPaths
from simulator.instruments.gas import Gas, gas_by_kind
from simulator.instruments.gold_pool import drivers as pool_drivers
from simulator.instruments.gold_pool import paths as gold_pool
from simulator.instruments.gold_pool.terms import GoldPoolTerms
from simulator.instruments.gold_token import paths as gold_token
from simulator.instruments.gold_token.paths import GOLD, GoldTokenDrivers
from simulator.instruments.gold_vault import drivers as vault_drivers
from simulator.instruments.gold_vault import paths as gold_vault
from simulator.instruments.gold_vault.drivers import GoldVaultDrivers
from simulator.instruments.gold_vault.state import POOL_GAP, PoolNumbers
from simulator.instruments.holding import paths as holding
from simulator.instruments.holding.terms import HoldingTerms
from simulator.instruments.miner_perp import drivers as perp_drivers
from simulator.instruments.miner_perp import paths as miner_perp
from simulator.instruments.miner_perp.gas import HOLDER_GAS as PERP_GAS
from simulator.instruments.miner_perp.terms import MinerPerpTerms
from simulator.instruments.mining import drivers as mine_drivers
from simulator.instruments.mining import equity, staking
from simulator.instruments.mining import paths as mining_sto
from simulator.instruments.mining.model import staking_drivers
from simulator.instruments.price_cover import drivers as cover_drivers
from simulator.instruments.price_cover import paths as price_cover
from simulator.instruments.price_cover.terms import PriceCoverTerms
from simulator.instruments.solar_nft import drivers as solar_drivers
from simulator.instruments.solar_nft import paths as solar_nft
from simulator.instruments.token_loan import drivers as loan_drivers
from simulator.instruments.token_loan import paths as token_loan
from simulator.instruments.token_loan.terms import TokenLoanTerms
from simulator.investors import portfolio
from simulator.investors.world import simulate_block
from simulator.market.build import market_spec
from simulator.market.paths import BLOCK_PATHS, MarketPaths, simulate_market
from simulator.scenario import load_scenario
from simulator.scenario.investors import InvestorTerms, RebalanceTerms, StopTerms
from simulator.schema.gas import GasTerms
from simulator.units import FloatArray, trading_days

REPEATS = 9
THREADS = 2
BLOCKS = 20
STEPS = 365
LIMITED = 0.8
"""Threads that gain less than this part of their number wait for memory, or for each other."""

COVER = {
    "pool": {"deposits_usd": 3e8},
    "miner": {
        "tonnes_a_year": 50_000.0,
        "aisc_usd_per_tonne": 9_000.0,
        "cash_usd": 4e8,
        "tonnes": 12_500.0,
    },
    "others": {"utilisation": 0.7},
}


PERP = {
    "index": {"metal": "silver", "metal_weight": 1.0, "miner_weight": 0.0},
    "pool": {"deposits_usd": 2e7},
    "crowd": {
        "cohorts": {
            "longs": {"side": "long", "notional_share": 0.4, "momentum": 3.0},
            "shorts": {"side": "short", "notional_share": 0.4, "momentum": -1.0},
        }
    },
    "traders": {"long_3x": {"side": "long", "leverage": 3, "margin_usd": 1e4, "stop_loss": 0.3}},
}


def seconds(work: Callable[[int], object], threads: int) -> tuple[float, ...]:
    """Return the seconds in which so many threads do BLOCKS blocks each, of each repeat.

    A block is dropped before the next, as the engine does: to keep all of them would measure
    how fast the system maps fresh memory.
    """

    def once(block: int) -> None:
        work(block)

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(once, range(threads)))
        return seconds_of(lambda: list(pool.map(once, range(threads * BLOCKS))), REPEATS)


def of_value(name: str, work: Callable[[int], InstrumentPaths]) -> Line:
    """Return a line with a checksum of the exit values."""
    return of_numbers(name, work, work(0).exit["usd"])


def of_numbers(name: str, work: Callable[[int], object], values: FloatArray) -> Line:
    """Return a line with a checksum of `values`."""
    steps = BLOCKS * BLOCK_PATHS * STEPS
    alone, together = seconds(work, 1), seconds(work, THREADS)
    gain = THREADS * median(alone) / median(together)
    limit = "arithmetic" if gain > LIMITED * THREADS else "memory and what threads share"
    return Line(
        name,
        "M path-steps/s",
        tuple(THREADS * steps / took / 1e6 for took in together),
        hashlib.sha256(values.tobytes()).hexdigest()[:16],
        f"{median(alone) / steps * 1e9:.1f} ns on one core, {gain:.2f} x on {THREADS}: {limit}",
    )


def walks() -> MarketPaths:
    """Return a block of prices of three assets."""
    random = np.random.default_rng(1)
    moves = np.exp(np.cumsum(random.normal(0.0, 0.02, (STEPS + 1, BLOCK_PATHS)), axis=0))
    bills = np.cumprod(np.full((STEPS + 1, BLOCK_PATHS), 1.0001), axis=0)
    dates = pd.date_range("2026-01-20", periods=STEPS + 1, freq="D")
    prices = {"copper_miners": moves, "copper": 12_000.0 * moves, "treasury_bills": bills}
    return MarketPaths(dates, prices, 0)


def holdings() -> Iterator[Line]:
    """Measure the leveraged fund, the dearest of the holdings, with and without its days."""
    prices, terms = walks().prices, HoldingTerms(what="copper_miner_etf")
    yield of_value("holding", lambda _: holding.simulate(terms, prices, "etf"))
    yield of_value(
        "holding, day by day", lambda _: holding.simulate(terms, prices, "etf", daily=True)
    )


def portfolios() -> Iterator[Line]:
    """Measure a portfolio of ten holdings with stops and monthly rebalancing.

    First with each day's units, then as a run asks for it, then as the sets of a run do.
    """
    market, terms = walks(), HoldingTerms(what="copper_miner_etf")
    days = trading_days(market.dates[0].date(), STEPS)
    names = [f"fund_{number}" for number in range(10)]
    funds = {
        name: holding.simulate(terms, market.prices, name, exchange_open=days, daily=True)
        for name in names
    }
    investor = InvestorTerms(
        capital_usd=1e6,
        weights=dict.fromkeys(names, 0.1),
        rebalance=RebalanceTerms(every_days=30),
        stop_loss=StopTerms(holding=0.25, reenter_after_days=30),
    )
    yield of_value("portfolio of ten holdings", lambda _: portfolio.hold(investor, funds).whole)
    for asks, wanted in (
        ("a run", portfolio.Wanted(days=False)),
        ("a set", portfolio.Wanted(sources=False, shares=False, days=False)),
    ):
        work = partial(portfolio.hold, investor, funds, wanted=wanted)
        yield of_value(f"portfolio, as {asks} asks", lambda _, work=work: work().whole)


def covers() -> Iterator[Line]:
    """Measure a pool, a miner with and without cover, and other buyers every month."""
    market, terms = walks(), PriceCoverTerms.model_validate(COVER)
    gas = gas_by_kind(GasTerms())["price_cover"]

    def work(_: int) -> InstrumentPaths:
        start = market.dates[0].date()
        is_open = np.ones(STEPS + 1, dtype=bool)
        drawn_from = ("cover", market.prices["copper"], start, is_open, 0.38, 252.0)
        drivers = cover_drivers.draw_drivers(*drawn_from)
        return price_cover.simulate(terms, gas, drivers, 1e5)[0]["cover"]

    yield of_value("price cover", work)


def perps() -> Iterator[Line]:
    """Measure a market on plain metal from ready drivers, and the drivers' draw with a miner.

    With a crowd that trades every week, and without one.
    """
    market, terms = walks(), MinerPerpTerms.model_validate(PERP)
    alone = MinerPerpTerms.model_validate({**PERP, "crowd": {"cohorts": {}}})
    start, silver = market.dates[0].date(), 90.0 * market.prices["copper_miners"]
    days = trading_days(start, STEPS)
    gas = Gas(PERP_GAS, GasTerms().usd_per_gas)
    ready = perp_drivers.draw_drivers(terms, "perp", silver, 0.32, start, days, 1, 0)
    miner = {"aisc_usd_per_oz": 20.0, "output_oz_a_year": 2e7, "multiple": 8.0}
    index = {"metal": "silver", "metal_weight": 0.5, "miner_weight": 0.5, "miner": miner}
    mixed = MinerPerpTerms.model_validate({**PERP, "index": index})

    quiet = perp_drivers.draw_drivers(alone, "perp", silver, 0.32, start, days, 1, 0)

    def work(_: int) -> InstrumentPaths:
        return miner_perp.simulate(terms, gas, ready, 1e5, days)[0]["perp-long_3x"]

    def without_crowd(_: int) -> InstrumentPaths:
        return miner_perp.simulate(alone, gas, quiet, 1e5, days)[0]["perp-long_3x"]

    def drawn(_: int) -> object:
        return perp_drivers.draw_drivers(mixed, "perp", silver, 0.32, start, days, 1, 0)

    yield of_value("miner_perp, one trader", without_crowd)
    yield of_value("miner_perp, trader and crowd", work)
    yield of_numbers("miner_perp, its drivers", drawn, ready.index)


def mines() -> Iterator[Line]:
    """Measure the token of a mine in ramp-up, with its mine, and the same mine's share."""
    scenario = load_scenario("copper-sto").scenario
    terms = scenario.instruments["ramp_up_sto"]
    share_terms = scenario.instruments["ramp_up_share"]
    moves = walks().prices["copper_miners"]
    copper, gas = 12_730.0 * moves, gas_by_kind(scenario.gas)["mining_sto"]
    staking_gas = gas_by_kind(scenario.gas)["revenue_staking"]
    still = np.zeros(copper.shape[0])

    def token(_: int) -> InstrumentPaths:
        drivers = mine_drivers.draw_drivers(terms, "ramp_up_sto", copper, still, scenario.seed, 0)
        return mining_sto.simulate(terms, gas, drivers, 1e5)[0]

    ready = mine_drivers.draw_drivers(terms, "ramp_up_sto", copper, still, scenario.seed, 0)
    mine = ready.mine

    def paths(_: int) -> InstrumentPaths:
        return mining_sto.simulate(terms, gas, ready, 1e5)[0]

    def drawn(_: int) -> object:
        return mine_drivers.draw_drivers(terms, "ramp_up_sto", copper, still, scenario.seed, 0)

    def share(_: int) -> InstrumentPaths:
        drivers = equity.draw_equity_drivers(share_terms, mine, scenario.seed, 0)
        return equity.simulate_equity(share_terms, terms, drivers, "share")

    loaded = load_scenario("copper-sto", overrides=["horizon_days=365"])
    spec = market_spec(loaded.scenario, loaded.calibration)
    played = simulate_block(loaded.scenario, spec, 0, BLOCK_PATHS).played
    terms_of = loaded.scenario.instruments["producing_staking"]
    sto = loaded.scenario.instruments["producing_sto"]
    drivers = played["producing_sto"].drivers

    def staked(_: int) -> InstrumentPaths:
        held, record = mining_sto.simulate(sto, gas, drivers, 1e5)
        outside = staking_drivers(sto, drivers, record, 1e5)
        return staking.simulate(terms_of, staking_gas, held, outside)[0]

    yield of_value("mining_sto, drivers ready", paths)
    yield of_numbers("mining_sto, drivers and mine", drawn, mine.accrued)
    yield of_value("mining_sto, with its mine", token)
    yield of_value("revenue_staking", staked)
    yield of_value("mine_equity", share)


def panels() -> Iterator[Line]:
    """Measure solar tokens, free and locked, with what drives them and without."""
    scenario = load_scenario("solar-nft").scenario
    terms, gas = scenario.instruments["solar_nft"], gas_by_kind(scenario.gas)["solar_nft"]
    silver = 94.0 * walks().prices["copper_miners"]
    drawn_from = (terms, "solar_nft", scenario.start, silver, silver / 94.0, scenario.seed, 0)
    ready = solar_drivers.draw_drivers(*drawn_from)

    def tokens(_: int) -> InstrumentPaths:
        return solar_nft.simulate(terms, gas, ready, 276.0)[0]["solar_nft"]

    yield of_value("solar_nft, drivers ready", tokens)
    yield of_numbers(
        "solar_nft, its drivers", lambda _: solar_drivers.draw_drivers(*drawn_from), ready.power_usd
    )


def metals() -> Iterator[Line]:
    """Measure the metal tokens and the gold vault from ready drivers, and the drivers' draw.

    The vault alone, as the rows of all products are compared with it, and with the pool that it
    provides to, whose days it goes through beside its own: at best as long as both rows.
    """
    loaded = load_scenario("gold-vault-sober")
    scenario, terms = loaded.scenario, loaded.scenario.instruments
    spec = market_spec(scenario, loaded.calibration)
    market = simulate_market(spec, scenario.seed, 0, BLOCK_PATHS)
    token_terms, vault_terms = terms["gold_token"], terms["gold_vault"]
    seed, spot = scenario.seed, market.prices["gold"]
    drawn_from = (token_terms, "gold_token", GOLD, spot, seed, 0)
    tokens = gold_token.draw_drivers(*drawn_from)
    prices = tokens.prices
    rest = ("gold_vault", prices, float(spec.volatility[spec.assets.index("gold")]), 0, seed)
    drivers = vault_drivers.draw_drivers(vault_terms, *rest)
    gas = gas_by_kind(scenario.gas)["gold_vault"]

    def vault(_: int) -> InstrumentPaths:
        return gold_vault.simulate(vault_terms, token_terms, gas, drivers, 100.0)[0]

    yield of_value("gold_token", lambda _: gold_token.simulate(token_terms, prices, 1.0))
    yield of_value("gold_vault", vault)
    pool_terms, pool_gas = GoldPoolTerms(), gas_by_kind(scenario.gas)["gold_pool"]

    outside = pool_drivers.draw_drivers(pool_terms, "gold_pool", prices, 0, seed)

    def pool(_: int) -> InstrumentPaths:
        return gold_pool.simulate(pool_terms, token_terms, pool_gas, outside, 1e5)[0]["gold_pool"]

    yield of_value("gold_pool", pool)
    kept = 1.0 - pool_terms.fee_ppm / 1e6
    provided = PoolNumbers(
        kept, 1.0 - kept + POOL_GAP, pool_terms.reserve_ounces, 1e5, pool_gas.usd("arbitrage")
    )
    traded = replace(drivers, volume_usdc=outside.volume_usdc, imbalance=outside.imbalance)

    def providing(_: int) -> InstrumentPaths:
        terms = (vault_terms, token_terms, gas, traded, 100.0)
        return gold_vault.simulate(*terms, pool=provided)[0]

    yield of_value("gold_vault, with its pool", providing)
    yield of_draw("gold_token", lambda _: gold_token.draw_drivers(*drawn_from))
    yield of_draw("gold_vault", lambda _: vault_drivers.draw_drivers(vault_terms, *rest))


def of_draw(name: str, work: Callable[[int], GoldTokenDrivers | GoldVaultDrivers]) -> Line:
    """Return the line of an instrument's own drivers, with a checksum of one of them."""
    drawn = work(0)
    values = drawn.demand_ounces if isinstance(drawn, GoldVaultDrivers) else drawn.supply_ounces
    return of_numbers(f"{name}, its drivers", work, values)


def loans() -> Iterator[Line]:
    """Measure one loop and its market, then four loops, from ready drivers; and their draw."""
    loaded = load_scenario("gold-vault-sober")
    scenario = loaded.scenario
    spec = market_spec(scenario, loaded.calibration)
    spot = simulate_market(spec, scenario.seed, 0, BLOCK_PATHS).prices["gold"]
    own = (scenario.instruments["gold_token"], "gold_token", GOLD, spot, scenario.seed, 0)
    prices = gold_token.draw_drivers(*own).prices
    gas = gas_by_kind(scenario.gas)["token_loan"]
    for ltvs in ((0.6,), (0.5, 0.6, 0.65, 0.7)):
        named = {f"loop_{round(100 * ltv)}": {"ltv": ltv} for ltv in ltvs}
        data = {"token": "gold_token", "pool": {"supplied_usd": 1e8}, "loans": named}
        terms = TokenLoanTerms.model_validate(data)
        ready = loan_drivers.draw_drivers(terms, "loan", prices, scenario.seed, 0)

        def work(_: int, terms: TokenLoanTerms = terms, ready: object = ready) -> InstrumentPaths:
            return token_loan.simulate(terms, 18, gas, ready, 1e5)[0]["loan-loop_60"]

        yield of_value(f"token_loan, {len(ltvs)} of them", work)

    def drawn(_: int) -> object:
        return loan_drivers.draw_drivers(terms, "loan", prices, scenario.seed, 0)

    yield of_numbers("token_loan, its drivers", drawn, ready.utilisation)


def lines() -> Iterator[Line]:
    """Yield the lines of all instruments."""
    keep_freed_memory()
    for part in (metals, holdings, portfolios, covers, perps, mines, loans, panels):
        yield from part()
