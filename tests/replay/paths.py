"""Plays one path of a small scenario on a chain, with contracts as they are or patched."""

from __future__ import annotations

from collections.abc import Mapping

from simulator.chain import Artifact, Chain, RevmChain
from simulator.market.build import market_spec
from simulator.replay import Replay, play, players
from simulator.scenario import load_scenario
from simulator.units import midnight_timestamp

BUSY = (
    "horizon_days=120",
    "instruments.gold_vault.borrowers.demand_share=0.6",
    "instruments.gold_vault.pool_fee_yield=0.05",
    "instruments.gold_vault.management_fee_bps=100",
    "instruments.gold_vault.lending.reserve_factor=0.2",
)
"""Interest, fees, reserves and rewards in amounts that a missing term cannot hide in."""

WILD = (
    *BUSY,
    "market.assets.gold.volatility=1.2",
    "instruments.gold_vault.exploit_hazard=2",
    "instruments.gold_token.shortfall_hazard=0.5",
    "instruments.gold_token.shortfall_loss=0.3",
)
"""Liquidations, bad debt, an exploit with its run, a shortfall."""


def replay(
    chain: Chain | None,
    path: int,
    *overrides: str,
    name: str = "gold-vault-sober",
    patched: Mapping[str, Artifact] | None = None,
) -> Replay:
    """Play `path` on `chain`, or on a fresh in-process chain."""
    loaded = load_scenario(name, overrides=overrides)
    scenario = loaded.scenario
    spec = market_spec(scenario, loaded.calibration)
    chain = chain or RevmChain(midnight_timestamp(scenario.start))
    cast = players(scenario, spec, path)
    return play(
        chain, cast, scenario.start, scenario.horizon_days, str(path), path, patched=patched
    )


def differing(found: Replay) -> set[str]:
    """Return the names of the observables that do not agree."""
    return {item.name for item in found.observables if not item.ok}
