"""Measures that claims name: against independent libraries, and only where they are named."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from simulator.engine import judge, simulate
from simulator.errors import InputError
from simulator.investors.world import simulate_block
from simulator.market.build import market_spec
from simulator.scenario import load_scenario

PATHS = 128
SAVER = (
    f"paths={PATHS}",
    "horizon_days=400",
    "instruments.metal={kind: holding, what: gold_etf}",
    "investors.saver={capital_usd: 10_000, weights: {metal: 0.6, cash: 0.4}, rebalance: "
    "{every_days: 30}, flows: [{usd: 900, first_day: 20, every_days: 45}, "
    "{usd: -2_000, first_day: 300}]}",
    "claims={}",
)
NAMED = ("ulcer", "volatility", "expected_shortfall", "sortino", "calmar", "money_weighted_return")


def claim(measure: str, subject: str = "saver", bound: str = "at_least: 0.05") -> str:
    return (
        f"claims.{measure}-of-{subject}={{says: x, subject: {subject}, "
        f"conditions: [{{measure: {measure}, unit: usd, {bound}}}]}}"
    )


@pytest.fixture(scope="module")
def saver():
    """Return the scenario, its simulation, and its one block of paths."""
    overrides = (*SAVER, *(claim(m, who) for m in NAMED for who in ("saver", "holder")))
    loaded = load_scenario("gold-vault-sober", overrides=overrides)
    spec = market_spec(loaded.scenario, loaded.calibration)
    simulation = simulate(loaded.scenario, loaded.calibration, details=False)
    return loaded, simulation, simulate_block(loaded.scenario, spec, 0, PATHS)


@pytest.mark.parametrize("who", ["saver", "holder"])
def test_named_measures__of_every_path__are_quantstats(saver, who):
    stats = pytest.importorskip("quantstats", reason="is in the development extra").stats
    _, simulation, world = saver
    worth = world.investors[who].unit_values("usd")
    dates = pd.date_range("2026-01-20", periods=len(worth), freq="D")
    values = simulation.investors[who].values
    for path in range(0, PATHS, 16):
        returns = pd.Series(worth[:, path], dates).pct_change().dropna()
        n = returns.size
        expected = {
            # quantstats divides the Ulcer index by n - 1.
            "ulcer": stats.ulcer_index(returns) * np.sqrt((n - 1) / n),
            "volatility": stats.volatility(returns, periods=365),
            "sortino": stats.sortino(returns, periods=365),
            "calmar": stats.calmar(returns, periods=365),
            # 400 days: the worst 5 % are twenty whole days.
            "expected_shortfall": -returns.nsmallest(20).mean(),
        }
        for name, number in expected.items():
            assert values[name, "usd"][path] == pytest.approx(number, rel=1e-8), name


def test_money_weighted_return__of_a_saver__is_pyxirr(saver):
    pyxirr = pytest.importorskip("pyxirr", reason="is in the development extra")
    loaded, simulation, world = saver
    held = world.investors["saver"].portfolio
    worth = held.whole.exit["usd"]
    dates = [loaded.scenario.start + dt.timedelta(days=day) for day in range(len(worth))]
    found = simulation.investors["saver"].values["money_weighted_return", "usd"]
    for path in range(0, PATHS, 16):
        cash = -held.flows[:, path]
        cash[0] -= worth[0, path]
        cash[-1] += worth[-1, path]
        rate = pyxirr.xirr(dates, cash.tolist())
        assert found[path] == pytest.approx((1 + rate) ** (400 / 365) - 1, rel=1e-6)
    # Without flows the money earns what a unit does.
    alone = simulation.investors["holder"].values
    np.testing.assert_array_equal(
        alone["money_weighted_return", "usd"], alone["total_return", "usd"]
    )


def test_claim__on_a_named_measure__is_judged_by_its_share_of_paths(saver):
    _, simulation, _ = saver
    found = {verdict.claim: verdict for verdict in judge(simulation)}
    deepest = found["ulcer-of-saver"]
    ulcer = simulation.investors["saver"].values["ulcer", "usd"]
    assert deepest.probability == np.mean(ulcer >= 0.05)
    assert (deepest.quantity, deepest.scale) == ("Ulcer index in usd", "share")
    ratio = found["sortino-of-saver"]
    assert (ratio.quantity, ratio.scale) == ("Sortino ratio in usd", "level")
    assert ratio.conditions[0].text == "Sortino ratio in usd at least 0.05"


def test_measures__that_no_claim_names__are_not_worked_out():
    loaded = load_scenario("gold-vault-sober", overrides=(*SAVER, claim("sortino", "holder")))
    investors = simulate(loaded.scenario, loaded.calibration, details=False).investors
    assert ("sortino", "usd") in investors["holder"].values
    assert ("sortino", "ounces") not in investors["holder"].values
    assert not [key for key in investors["saver"].values if key[0] == "sortino"]
    assert ("ulcer", "usd") not in investors["holder"].values


def test_ratio__that_some_path_does_not_have__says_what_it_needs():
    """Gold that rises steadily never falls: it has no Calmar ratio."""
    steady = (
        "market.model=gbm",
        "market.assets.gold={drift: 1.0, volatility: 0.001}",
        "instruments.bar={kind: holding, what: physical_gold, fee: 0, buy_spread_bps: 0, "
        "sell_spread_bps: 0}",
        "investors={holder: {holding: gold_vault, ounces: 1}, "
        "owner: {holding: bar, capital_usd: 1_000}}",
        "replay.subject=holder",
        "claims={}",
        claim("calmar", "owner"),
    )
    loaded = load_scenario("gold-vault-sober", overrides=(*SAVER[:2], *steady))
    (found,) = judge(simulate(loaded.scenario, loaded.calibration, details=False))
    assert found.verdict == "not testable"
    assert found.reason == (
        "Calmar ratio in usd has no number on some path: it needs 365 days and a fall"
    )


@pytest.mark.parametrize(
    ("measure", "rule"),
    [
        ("sortinoo", "did you mean 'sortino'"),
        ("ulcer_index", "did you mean 'ulcer'"),
        ("highest", "is not measured on an investor; must be annual_yield, total_return"),
    ],
)
def test_measure__unknown_or_not_of_an_investor__is_refused_with_names(measure, rule):
    with pytest.raises(InputError, match=rule):
        load_scenario("gold-vault-sober", overrides=(*SAVER, claim(measure)))
