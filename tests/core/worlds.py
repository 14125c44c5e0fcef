"""Scenarios, small enough to run many times, for the tests of instruments and engine."""

from __future__ import annotations

from simulator.investors.world import World, simulate_block
from simulator.market.build import market_spec
from simulator.scenario import LoadedScenario, load_scenario

STRESS = (
    "instruments.gold_vault.borrowers.demand_share=0.7",
    "instruments.gold_vault.exploit_hazard=0.8",
    "instruments.gold_vault.management_fee_bps=50",
    "instruments.gold_token.shortfall_hazard=0.3",
    "instruments.gold_token.shortfall_loss=0.4",
    "market.assets.gold.volatility=0.9",
)
"""Much of everything that can go wrong: loans, liquidations, bad debt, exploits, a shortfall."""


def load(*overrides: str, name: str = "gold-vault-sober") -> LoadedScenario:
    return load_scenario(name, overrides=overrides)


def world(*overrides: str, first_path: int = 0, record: bool = False) -> World:
    """Return 128 paths of the sober scenario with `overrides`."""
    loaded = load(*overrides)
    spec = market_spec(loaded.scenario, loaded.calibration)
    return simulate_block(loaded.scenario, spec, first_path, 128, record=record)
