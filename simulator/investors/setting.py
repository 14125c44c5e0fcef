"""What all instruments of a block are told: the market as arrays, and whose days are wanted."""

from __future__ import annotations

import numpy as np

from simulator.instruments.feeds import FeedBlow
from simulator.instruments.gas import gas_by_kind
from simulator.instruments.model import Blow, Setting
from simulator.investors.settlement import settled_in_usdc
from simulator.market.dynamics import MarketSpec
from simulator.market.hours import exchange_days
from simulator.market.paths import MarketPaths
from simulator.market.shocks import weights
from simulator.scenario.models import Scenario
from simulator.scenario.shock_targets import FEED, GAS
from simulator.scenario.shocks import is_of_the_market
from simulator.schema.assets import USDC
from simulator.units import FloatArray


def new_setting(scenario: Scenario, spec: MarketSpec, market: MarketPaths, n_paths: int) -> Setting:
    """Return the market and the calendar of a block of paths."""
    return Setting(
        seed=scenario.seed,
        first_path=market.first_path,
        n_steps=scenario.horizon_days,
        n_paths=n_paths,
        start=scenario.start,
        exchange_open=exchange_days(scenario),
        prices=market.prices,
        growth=dict(zip(spec.assets, spec.growth, strict=True)),
        factors=market.factors,
        usdc=market.prices.get(USDC),
        volatility=dict(zip(spec.assets, map(float, spec.volatility), strict=True)),
        periods_per_year=dict(zip(spec.assets, map(float, spec.periods_per_year), strict=True)),
        gas=gas_by_kind(scenario.gas, gas_times(scenario)),
        blows=_blows(scenario, market),
        feeds=_feeds(scenario, market),
    )


def gas_times(scenario: Scenario) -> FloatArray | None:
    """Return what the price of gas is multiplied by on each step, shape (n_steps + 1,).

    None where no shock moves it. Levels come after multiples, as everywhere.
    """
    shocks = [s for s in scenario.shocks or () if s.target == GAS and s.share > 0.0]
    if not shocks:
        return None
    own, n_steps = scenario.gas.price_gwei, scenario.horizon_days
    found = np.ones(n_steps + 1)
    for shock in sorted(shocks, key=lambda shock: shock.at is not None):
        begun = np.array([shock.begins(scenario.start)])
        there = weights(shock, begun, n_steps)[:, 0]
        if shock.at is None:
            found *= 1.0 + (float(shock.times or 1.0) - 1.0) * there
        else:
            found += there * (shock.at / own - found)
    return found


def _feeds(scenario: Scenario, market: MarketPaths) -> dict[str, tuple[FeedBlow, ...]]:
    """Return what shocks do to price feeds, by asset."""
    found: dict[str, tuple[FeedBlow, ...]] = {}
    for shock in scenario.shocks or ():
        if market.happened is not None and shock.family == FEED:
            weight = weights(shock, market.happened.begins[shock.name], scenario.horizon_days)
            how = shock.feed or ("size" if shock.at is None else "at")
            blow = FeedBlow(how, shock.amount, weight)
            found[shock.asset] = (*found.get(shock.asset, ()), blow)
    return found


def _blows(scenario: Scenario, market: MarketPaths) -> dict[str, tuple[Blow, ...]]:
    """Return what shocks do to instruments, by what they hit."""
    found: dict[str, tuple[Blow, ...]] = {}
    for shock in scenario.shocks or ():
        if market.happened is not None and not is_of_the_market(shock):
            begins = market.happened.begins[shock.name]
            weight = weights(shock, begins, scenario.horizon_days)
            blow = Blow(begins, shock.amount, weight)
            found[shock.target] = (*found.get(shock.target, ()), blow)
    return found


def wanted_days(scenario: Scenario) -> frozenset[str]:
    """Return the positions of which each day is needed.

    They are those that portfolios hold and, where USDC falls, what is settled in it.
    """
    portfolios = (i for i in scenario.investors.values() if i.weights is not None)
    held = frozenset(name for investor in portfolios for name in investor.held)
    falls = scenario.usdc_moves
    return held.union(settled_in_usdc(scenario.positions)) if falls else held


def factors_asked_for(scenario: Scenario) -> frozenset[str]:
    """Return the macro factors that instruments and claims name."""
    series = [
        condition.series or "" for claim in scenario.claims.values() for condition in claim.measured
    ]
    claimed = (name.removeprefix("factor.") for name in series if name.startswith("factor."))
    needed = (name for terms in scenario.instruments.values() for name in terms.needs().factors)
    return frozenset(claimed).union(needed)
