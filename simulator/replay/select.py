"""Which paths are replayed, and the players for one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator.errors import UsageError
from simulator.instruments.casting import Cast, Part
from simulator.instruments.registry import card_of, stagecraft_of, working_for
from simulator.instruments.stage import Actor, Holder
from simulator.investors import InvestorMeasures
from simulator.investors.ground import BlockGround
from simulator.investors.world import World, simulate_block
from simulator.market.dynamics import MarketSpec
from simulator.replay.desk import DeskPlan, DeskPlayer
from simulator.scenario.models import Scenario
from simulator.units import LANES

QUANTILES = {"p05": 0.05, "p50": 0.5, "p95": 0.95}
LABELS = (*QUANTILES, "events")
DESK = "desk"
"""Label under which portfolios trade; no instrument may have it."""


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


def players(scenario: Scenario, spec: MarketSpec, path: int) -> tuple[Actor, ...]:
    """Return who drives the scenario's contracts along one path: a player for each label.

    The path's lanes are simulated again, with a record of every act.
    """
    first = path // LANES * LANES
    world = simulate_block(scenario, spec, first, LANES, record=True)
    return cast_of(scenario, world, path - first)


def cast_of(scenario: Scenario, world: World, lane: int) -> tuple[Actor, ...]:
    """Return who drives the contracts along path `lane` of a block that has its record."""
    actors = list[Actor]()
    casts: dict[str, Cast] = {}
    for label in world.played:
        terms = scenario.instruments[label]
        stagecraft = stagecraft_of(terms)
        if stagecraft is None:
            continue
        with working_for(label, terms.kind):
            cast = stagecraft.cast(_part(scenario, world, label, lane))
        casts[label] = cast
        if cast.player is not None:
            actors.append(Actor(label, cast.player, card_of(terms).artifacts))
    desk = desk_plan(casts, world, lane)
    if desk.accounts or desk.notes:
        actors.append(Actor(DESK, DeskPlayer(desk)))
    return tuple(actors)


def desk_plan(casts: Mapping[str, Cast], world: World, lane: int) -> DeskPlan:
    """Return what portfolios do at the desk on path `lane` of the block, from all casts."""
    usdc = world.setting.usdc
    return DeskPlan(
        tuple(account for cast in casts.values() for account in cast.accounts),
        {c.custody.token: c.custody for c in casts.values() if c.custody is not None},
        tuple(note for cast in casts.values() for note in cast.notes),
        None if usdc is None else usdc[:, lane],
    )


def _part(scenario: Scenario, world: World, label: str, lane: int) -> Part[Any, Any, Any]:
    terms, played, setting = scenario.instruments[label], world.played[label], world.setting
    own = terms.positions(label)
    usdc = setting.usdc
    return Part(
        label=label,
        terms=terms,
        drivers=_lane(played.drivers, lane),
        record=_lane(played.record, lane),
        paths={position.name: world.instruments[position.name] for position in own},
        lane=lane,
        size=world.asks[label].size,
        start=scenario.start,
        n_steps=scenario.horizon_days,
        exchange_open=setting.exchange_open,
        usdc=None if usdc is None else usdc[:, lane],
        gas=setting.gas,
        ground=BlockGround(scenario, setting, label, world.played, world.asks),
        holders=_holders(world, own[0].name, lane),
    )


def _lane(block: Any, lane: int) -> Any:
    """Return one path of drivers or of a record; a product may have neither."""
    return None if block is None else block.lane(lane)


def _holders(world: World, name: str, lane: int) -> dict[str, Holder]:
    """Return what portfolios do on a path with `name`, where it is in their plan."""
    found = {}
    for investor, paths in world.investors.items():
        held = paths.portfolio
        if held is None or name not in held.holdings:
            continue
        row = held.holdings.index(name)
        arrays = (held.units, held.bought, held.sold, held.level)
        found[investor] = Holder(*(array[row, :, lane] for array in arrays))
    return found
