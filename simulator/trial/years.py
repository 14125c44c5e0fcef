"""Years to drive a contract through: what a scenario's position earns and loses, day by day."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from simulator.errors import UsageError
from simulator.instruments.base import InstrumentPaths
from simulator.investors.world import simulate_block
from simulator.market.build import market_spec
from simulator.scenario import LoadedScenario, load_scenario
from simulator.scenario.crises import crises_folder
from simulator.trial.sequences import Year
from simulator.units import LANES, FloatArray


def position_of(loaded: LoadedScenario) -> str:
    """Return the position that the contract stands in for: what the replay's subject holds.

    Raises
    ------
    UsageError
        He holds several things, or none.
    """
    scenario = loaded.scenario
    investor = scenario.investors[scenario.replay.subject]
    if investor.holding is None:
        raise UsageError(
            f"--scenario {scenario.name}: its subject {scenario.replay.subject} holds a portfolio; "
            "a contract can stand in for one holding only"
        )
    return str(investor.holding)


def years_of(loaded: LoadedScenario, count: int, name: str) -> Iterator[Year]:
    """Yield the first `count` paths of a scenario as years of its position."""
    scenario, position = loaded.scenario, position_of(loaded)
    spec = market_spec(scenario, loaded.calibration)
    for first in range(0, count, LANES):
        paths = simulate_block(scenario, spec, first, LANES).instruments[position]
        returns, prices = _daily(paths)
        for lane in range(min(LANES, count - first)):
            told = f"{name}, path {first + lane}"
            yield Year(told, tuple(returns[:, lane].tolist()), tuple(prices[:, lane].tolist()))


def crisis_years(scenario: str) -> Iterator[Year]:
    """Yield a year of each ready crisis that a scenario can live through, another path of each."""
    for number, file in enumerate(sorted(crises_folder().glob("*.yaml"))):
        try:
            loaded = load_scenario(scenario, crisis=file.stem)
        except UsageError:
            continue
        *_, last = years_of(loaded, number + 1, f"crisis {file.stem}")
        yield last


def _daily(paths: InstrumentPaths) -> tuple[FloatArray, FloatArray]:
    """Return returns at mark in the position's first unit, and that unit's price in dollars.

    Both are of shape (n_steps + 1, n_paths); the price of a dollar is 1.
    """
    unit = paths.units[0]
    mark = paths.mark[unit]
    before = np.maximum(mark[:-1], 1e-12)
    returns = np.zeros_like(mark)
    returns[1:] = np.clip(mark[1:] / before - 1.0, -0.999, 1.0)
    if unit == "usd":
        return returns, np.ones_like(mark)
    price = np.divide(paths.mark["usd"], mark, out=np.ones_like(mark), where=mark > 0.0)
    return returns, price
