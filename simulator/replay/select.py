"""Which paths are replayed, and the players for one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simulator.errors import UsageError
from simulator.investors import InvestorMeasures
from simulator.investors.world import METALS, holder_usd, simulate_block, vault_ounces
from simulator.market.dynamics import MarketSpec
from simulator.replay.desk import DeskPlayer, desk_plan
from simulator.replay.gold_token import GoldTokenPlayer
from simulator.replay.gold_vault import GoldVaultPlayer
from simulator.replay.mining_sto import MiningStoPlayer
from simulator.replay.price_cover import PriceCoverPlayer
from simulator.replay.revenue_staking import RevenueStakingPlayer
from simulator.replay.stage import Player
from simulator.scenario.models import Scenario
from simulator.scenario.stablecoin import USDC
from simulator.units import LANES, trading_days

QUANTILES = {"p05": 0.05, "p50": 0.5, "p95": 0.95}
LABELS = (*QUANTILES, "events")


@dataclass(frozen=True)
class Choice:
    """A path to replay, and why."""

    label: str
    path: int


def check_label(label: str, n_paths: int) -> None:
    """Raise UsageError unless `label` is a known one or the number of a path."""
    if label in LABELS or (label.isdecimal() and int(label) < n_paths):
        return
    raise UsageError(f"no path {label}; must be {', '.join(LABELS)} or 0 to {n_paths - 1}")


def choose(subject: InvestorMeasures, labels: Sequence[str] = LABELS) -> tuple[Choice, ...]:
    """Return the paths of the subject's exit value in dollars at p05, p50, p95, and the
    path with the most events; among equals the first.

    A label that is a number stands for that path.

    Raises
    ------
    UsageError
        A label is neither a known one nor the number of a path.
    """
    order = np.argsort(subject.final["usd"], kind="stable")
    chosen = []
    for label in labels:
        if label in QUANTILES:
            path = int(order[round(QUANTILES[label] * (order.size - 1))])
        elif label == "events":
            path = int(np.argmax(subject.events))
        else:
            check_label(label, order.size)
            path = int(label)
        chosen.append(Choice(label, path))
    return tuple(chosen)


def players(scenario: Scenario, spec: MarketSpec, path: int) -> tuple[Player, ...]:
    """Return the players that drive the scenario's contracts along one path.

    The path's lanes are simulated again, with a record of every act.
    """
    first = path // LANES * LANES
    world = simulate_block(scenario, spec, first, LANES, record=True)
    lane = path - first
    terms, usdc = scenario.instruments, world.market.prices.get(USDC)
    trading = trading_days(scenario.start, scenario.horizon_days)
    cast: list[Player] = []
    desk = desk_plan(scenario, world, lane)
    for metal in METALS:
        token = terms.token(metal.name)
        if token is not None:
            drivers = world.plays.tokens[metal.name].lane(lane)
            cast.append(GoldTokenPlayer(token, drivers, trading, metal))
    vault = world.plays.vault
    if terms.gold_vault is not None and terms.gold_token is not None and vault is not None:
        cast.append(
            GoldVaultPlayer(
                terms.gold_vault,
                terms.gold_token,
                scenario.gas,
                vault.drivers.lane(lane),
                vault.record.lane(lane),
                vault_ounces(scenario),
                None if usdc is None else usdc[:, lane],
            )
        )
    for name, sto in terms.mining_sto.items():
        play = world.plays.stos[name].lane(lane)
        usd = holder_usd(scenario, name)
        cast.append(
            MiningStoPlayer(
                name,
                sto,
                scenario.gas,
                play.drivers,
                play.record,
                usd,
                scenario.start,
                desk.guests.get(name),
            )
        )
    for name, staking in terms.revenue_staking.items():
        staked = world.plays.stakings[name].lane(lane)
        cast.append(
            RevenueStakingPlayer(
                name,
                terms.mining_sto[staking.sto],
                staking,
                scenario.gas,
                staked.sto.drivers,
                staked.sto.record,
                staked.record,
                holder_usd(scenario, name),
                scenario.start,
            )
        )
    for name, cover in terms.price_cover.items():
        insured = world.plays.covers[name].lane(lane)
        usd = holder_usd(scenario, name)
        cast.append(PriceCoverPlayer(cover, insured.drivers, insured.record, usd, trading))
    if desk.accounts or desk.notes:
        cast.append(DeskPlayer(desk))
    return tuple(cast)
