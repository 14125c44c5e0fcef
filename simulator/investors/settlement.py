"""Where USDC is not always a dollar: the vault's prices in it, and all that it settles in dollars.

The contracts count in USDC, the market and the investors in dollars. This is the one place where
one becomes the other.
"""

from __future__ import annotations

from dataclasses import replace

from simulator.instruments.base import InstrumentPaths
from simulator.instruments.dollars import flows_in_dollars, in_dollars
from simulator.instruments.gold_vault import GoldVaultDrivers
from simulator.market.paths import MarketPaths
from simulator.scenario.models import Scenario
from simulator.scenario.stablecoin import USDC
from simulator.units import FloatArray


def in_usdc(drivers: GoldVaultDrivers, market: MarketPaths) -> GoldVaultDrivers:
    """Return the vault's drivers with prices in USDC: what collateral and rewards are counted in.

    What was drawn from prices stays: people look at gold in dollars.
    """
    usdc = market.prices.get(USDC)
    if usdc is None:
        return drivers
    prices = drivers.prices
    in_usdc = replace(prices, metal_usd=prices.metal_usd / usdc, token_usd=prices.token_usd / usdc)
    return replace(drivers, prices=in_usdc, reward_usd=drivers.reward_usd / usdc)


def settled_in_usdc(scenario: Scenario) -> dict[str, str]:
    """Return what is settled in USDC, with the source that takes the moves of USDC, if not its own.

    A vault of gold tokens counts its loans in USDC, but holds gold.
    """
    chosen = scenario.instruments
    dollars = (chosen.mining_sto, chosen.revenue_staking, chosen.price_cover)
    found = {name: "" for section in dollars for name in section}
    return found | ({} if chosen.gold_vault is None else {"gold_vault": "gold_price"})


def turn_into_dollars(
    scenario: Scenario, market: MarketPaths, instruments: dict[str, InstrumentPaths]
) -> None:
    """Turn what is settled in USDC into dollars, where USDC is not always one."""
    usdc = market.prices.get(USDC)
    if usdc is None:
        return
    for name, moves in settled_in_usdc(scenario).items():
        instruments[name] = in_dollars(instruments[name], usdc, moves)
    for label, terms in scenario.instruments.price_cover.items():
        _, miner, _ = terms.names(label)
        flows = miner_flows(instruments[miner])
        instruments[miner] = flows_in_dollars(instruments[miner], flows, usdc)


def miner_flows(miner: InstrumentPaths) -> dict[str, FloatArray]:
    """Return what an insured miner is paid and pays in USDC up to each step, by source."""
    details = miner.details
    return {"payouts": details["payouts_usd"], "cover_premiums": -details["premiums_usd"]}
