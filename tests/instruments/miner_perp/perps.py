"""Perpetuals and paths of an index for the tests of model and replay."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from simulator.instruments.base import InstrumentPaths
from simulator.instruments.gas import Gas
from simulator.instruments.miner_perp.drivers import MinerPerpDrivers, draw_drivers
from simulator.instruments.miner_perp.gas import HOLDER_GAS
from simulator.instruments.miner_perp.paths import MinerPerpRecord, simulate
from simulator.instruments.miner_perp.terms import MinerPerpTerms
from simulator.schema.gas import GasTerms
from simulator.units import LANES, BoolArray

START = dt.date(2026, 1, 20)
HOLDER_USD = 10_000.0
NO_GAS = GasTerms(price_gwei=0.0)
SILVER = 100.0
"""USD per ounce at the start, so that a price is the index in percent."""

PLAIN: dict[str, Any] = {
    "index": {"metal": "silver", "metal_weight": 1.0, "miner_weight": 0.0},
    "market": {
        "initial_margin": 0.1,
        "maintenance_margin": 0.02,
        "liquidation_penalty": 0.01,
        "keeper_fee_usd": 1.0,
        "maker_fee": 0.001,
        "taker_fee": 0.002,
        "insurance_share": 0.1,
        "protocol_share": 0.2,
        "max_open_interest": 2.0,
        "max_profit": 0.8,
        "adl_trigger": 0.7,
        "adl_target": 0.6,
    },
    "pool": {"deposits_usd": 990_000.0, "insurance_usd": 5_000.0, "cooldown_days": 0},
    "funding": {"velocity_a_day": 0.0},
}
"""A pool of a million dollars on plain silver, without funding and without anybody in it."""


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` with changes: sections are merged, all else is replaced."""
    found = dict(base)
    for name, value in changes.items():
        both = isinstance(value, Mapping) and isinstance(found.get(name), Mapping)
        found[name] = merged(found[name], value) if both else value
    return found


def terms(**changes: Any) -> MinerPerpTerms:
    """Return the plain terms with changes by section."""
    return MinerPerpTerms.model_validate(merged(PLAIN, changes))


def long(leverage: float, margin: float = 10_000.0, stop: float | None = None) -> dict[str, Any]:
    """Return a trader who is long."""
    return {"side": "long", "leverage": leverage, "margin_usd": margin, "stop_loss": stop}


def short(leverage: float, margin: float = 10_000.0, stop: float | None = None) -> dict[str, Any]:
    """Return a trader who is short."""
    return {**long(leverage, margin, stop), "side": "short"}


def always(n_steps: int) -> BoolArray:
    """Return a market that trades every day."""
    return np.ones(n_steps + 1, np.bool_)


def drawn(
    perp: MinerPerpTerms, prices: Sequence[float] | np.ndarray, opens: BoolArray | None = None
) -> MinerPerpDrivers:
    """Return the drivers of a block in which every path has these prices, or the given paths."""
    table = np.array(prices, np.float64)
    if table.ndim == 1:
        table = np.repeat(table[:, None], LANES, axis=1)
    trades = always(len(table) - 1) if opens is None else opens
    return draw_drivers(perp, "perp", table, 0.3, START, trades, 1, 0)


def run(
    perp: MinerPerpTerms,
    prices: Sequence[float] | np.ndarray,
    gas: GasTerms = NO_GAS,
    *,
    opens: BoolArray | None = None,
    record: bool = False,
    days: bool = False,
    frozen: slice | None = None,
    fails: int | None = None,
) -> tuple[Mapping[str, InstrumentPaths], MinerPerpRecord]:
    """Return the paths by name behind the label, and the record; `frozen` steps have no round.

    On step `fails` the venue has failed: give it a hazard that no path of its own meets.
    """
    drivers = drawn(perp, prices, opens)
    if frozen is not None:
        drivers = without_rounds(drivers, frozen)
    if fails is not None:
        drivers = without_rounds(drivers, slice(fails, None))
        drivers = replace(drivers, fails=np.full_like(drivers.fails, fails), can_fail=True)
    trades = always(drivers.index.shape[0] - 1) if opens is None else opens
    names = frozenset(position.name for position in perp.positions("perp"))
    found, kept = simulate(
        perp,
        Gas(HOLDER_GAS, gas.usd_per_gas),
        drivers,
        HOLDER_USD,
        trades,
        record=record,
        days=names if days else frozenset(),
    )
    return {name.removeprefix("perp-"): paths for name, paths in found.items()}, kept


def without_rounds(drivers: MinerPerpDrivers, steps: slice) -> MinerPerpDrivers:
    """Return drivers whose feed stands still on some steps, not the first."""
    rounds, index = drivers.rounds.copy(), drivers.index.copy()
    rounds[steps] = False
    index[steps] = index[steps.start - 1]
    return replace(drivers, rounds=rounds, kept=rounds, index=index)
