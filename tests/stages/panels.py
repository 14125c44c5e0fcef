"""Collections of solar tokens and their drivers, for the tests of model and replay."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import numpy as np

from simulator.instruments.base import InstrumentPaths
from simulator.instruments.gas import Gas
from simulator.instruments.solar_nft.drivers import SolarNftDrivers, draw_drivers
from simulator.instruments.solar_nft.gas import HOLDER_GAS
from simulator.instruments.solar_nft.paths import SolarNftRecord, simulate
from simulator.instruments.solar_nft.terms import SolarNftTerms
from simulator.market.events import NEVER
from simulator.units import LANES

START = dt.date(2026, 1, 20)
NO_GAS = Gas(HOLDER_GAS, 0.0)
LABELS = ("solar", "solar-locked")
SEED = 11

PLAIN: dict[str, Any] = {
    "issue_price_usd": 300.0,
    "collection_watts": 320_000.0,
    "panel": {"season": 0.0, "weather_deviation": 0.0, "degradation_bps": 0.0},
    "energy": {"deviation": 0.0, "default_hazard": 0.0},
    "buyers": {"mood_deviation": 0.0},
    "lock": {"share_deviation": 0.0},
}
"""No season, weather, age or chance: 1,500 kWh per kWp at 0.05 USD, 18 USD a kW for costs."""

WILD: dict[str, Any] = {
    "panel": {"site_factor": 0.8, "degradation_bps": 300.0, "age_years": 24.3},
    "energy": {
        "deviation": 0.8,
        "half_life_days": 20.0,
        "default_hazard": 1.5,
        "period_days": 17,
        "price_usd_per_kwh": 0.08,
        "cost_usd_per_kw_year": 40.0,
    },
    "buyers": {"mood_start": 0.4, "mood_mean": -0.2, "mood_per_liquidity": 0.3},
    "lock": {
        "days": 25,
        "bonus_usd": 5_000.0,
        "bonus_days": 120,
        "share_start": 0.4,
        "share_mean": 0.6,
        "share_deviation": 1.0,
        "share_half_life_days": 10.0,
        "share_per_liquidity": 0.8,
    },
}
"""Everything moves, the off-taker fails on most paths, and the panels retire within the year."""


def terms(plain: Mapping[str, Any] = PLAIN, **changes: Any) -> SolarNftTerms:
    """Return terms with changes: `energy__default_hazard=1.0` sets `energy.default_hazard`."""
    data = {name: dict(part) if isinstance(part, dict) else part for name, part in plain.items()}
    for place, value in changes.items():
        *sections, name = place.split("__")
        node = data
        for section in sections:
            node = node.setdefault(section, {})
        node[name] = value
    return SolarNftTerms.model_validate(data)


def wild(**changes: Any) -> SolarNftTerms:
    """Return the wild terms with changes."""
    facts = {"issue_price_usd": 300.0, "collection_watts": 320_000.0}
    return terms({**facts, **WILD}, **changes)


def silver(n_steps: int, *, moves: float = 0.0, n_paths: int = LANES) -> np.ndarray:
    """Return silver at about 94 USD an ounce, shape (n_steps + 1, n_paths)."""
    shocks = np.random.default_rng(5).normal(0.0, moves, (n_steps + 1, n_paths))
    shocks[0] = 0.0
    found: np.ndarray = 94.0 * np.exp(np.cumsum(shocks, axis=0))
    return found


def drawn(
    found: SolarNftTerms,
    n_steps: int,
    *,
    liquidity: np.ndarray | None = None,
    moves: float = 0.0,
    default_step: int | None = None,
    label: str = "solar",
    n_paths: int = LANES,
) -> SolarNftDrivers:
    """Return drivers; `default_step` is that of every path in place of the drawn ones."""
    metal = silver(n_steps, moves=moves, n_paths=n_paths)
    drivers = draw_drivers(found, label, START, metal, liquidity, SEED, 0)
    if default_step is not None:
        drivers.default_step[:] = default_step if default_step >= 0 else NEVER
    return drivers


def run(
    found: SolarNftTerms,
    drivers: SolarNftDrivers,
    usd: float = 300.0,
    gas: Gas = NO_GAS,
    *,
    daily: bool = True,
) -> tuple[InstrumentPaths, InstrumentPaths, SolarNftRecord]:
    """Return the paths of free and of locked tokens, and the record."""
    names = found.names(drivers.label)
    days = names if daily else ()
    paths, record = simulate(found, gas, drivers, usd, daily=days, record=True)
    assert record is not None
    return paths[names[0]], paths[names[1]], record


def of(paths: InstrumentPaths, source: str) -> np.ndarray:
    """Return what one source brought, shape (n_paths,), USD."""
    row = [item.name for item in paths.sources].index(source)
    found: np.ndarray = paths.attribution["usd"][row]
    return found
