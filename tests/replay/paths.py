"""Plays one path of a small scenario on a chain, with contracts as they are or patched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from simulator.chain import Artifact, Chain, RevmChain
from simulator.instruments.casting import Cast
from simulator.instruments.registry import stagecraft_of
from simulator.instruments.stage import Actor, Player
from simulator.investors.world import World
from simulator.market.build import market_spec
from simulator.replay import Evidence, Replay, play, players
from simulator.replay.select import _part
from simulator.scenario import Scenario, load_scenario
from simulator.units import midnight_timestamp

BUSY = (
    "horizon_days=120",
    "instruments.gold_vault.borrowers.demand_share=0.6",
    "instruments.gold_pool.volume.daily_usd=5_000_000",
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
    evidence: Evidence | None = None,
    until: int | None = None,
) -> Replay:
    """Play `path` on `chain`, or on a fresh in-process chain, to the horizon or `until` a day."""
    loaded = load_scenario(name, overrides=overrides)
    scenario = loaded.scenario
    spec = market_spec(scenario, loaded.calibration)
    chain = chain or RevmChain(midnight_timestamp(scenario.start))
    cast = players(scenario, spec, path)
    days = scenario.horizon_days if until is None else until
    more = {"patched": patched, "evidence": evidence}
    return play(chain, cast, scenario.start, days, str(path), path, **more)


def casts(scenario: Scenario, world: World, lane: int) -> dict[str, Cast]:
    """Return who plays each label of a recorded block on one of its paths, as `players` do."""
    crafts = {label: stagecraft_of(scenario.instruments[label]) for label in world.played}
    return {
        label: craft.cast(_part(scenario, world, label, lane))
        for label, craft in crafts.items()
        if craft is not None
    }


def player_of(actors: Sequence[Actor], label: str) -> Player:
    """Return the only player of a label."""
    (found,) = [actor.player for actor in actors if actor.label == label]
    return found


def differing(found: Replay) -> set[str]:
    """Return the observables that do not agree, as LABEL.NAME."""
    return {f"{item.instrument}.{item.name}" for item in found.observables if not item.ok}


def rows(found: Replay, label: str, name: str) -> pd.DataFrame:
    """Return both engines' numbers of one observable, a row for each step."""
    series = found.series
    return series[(series.instrument == label) & (series.observable == name)]
