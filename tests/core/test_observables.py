"""What claims may name day by day: held against what instruments and market show."""

from __future__ import annotations

import pytest

from simulator.errors import InputError
from simulator.instruments.registry import cards
from simulator.investors.world import simulate_block
from simulator.market.build import market_spec
from simulator.scenario import load_scenario
from simulator.scenario.observables import FACTORS


def test_observables_and_factors__are_those_that_a_block_of_paths_has():
    loaded = load_scenario("hard-assets-2026", overrides=["paths=128"])
    spec = market_spec(loaded.scenario, loaded.calibration)
    world = simulate_block(loaded.scenario, spec, 0, 128)
    shown = {n: (*paths.details, *paths.further) for n, paths in world.instruments.items()}
    there = loaded.scenario.positions
    assert {name: position.observables for name, position in there.items()} == shown
    assert tuple(world.market.factors) == FACTORS
    # Every kind of instrument is in the flagship, or its names would not be held here.
    assert {terms.kind for terms in loaded.scenario.instruments.values()} == set(cards())


def on(series):
    claim = f"{{says: x, conditions: [{{series: {series}, measure: highest, at_least: 1}}]}}"
    return f"claims.own={claim}"


@pytest.mark.parametrize(
    ("series", "rule"),
    [
        ("gold_token.sector_valu", "must be an observable of gold_token; did you mean sector_val"),
        ("gold_vault.price", "must be an observable of gold_vault: utilisation"),
        ("gold_fund.utilisation", "must be an observable of gold_fund: there is none"),
        ("gold_tokn.market_value_usd", "of an instrument of this file; did you mean gold_token"),
        ("factor.reel_rate", "must be a factor of this market; did you mean real_rate"),
    ],
)
def test_series__that_nobody_shows__is_refused_before_anything_runs(series, rule):
    with pytest.raises(InputError, match=rule):
        load_scenario("hard-assets-2026", overrides=[on(series)])
    load_scenario("hard-assets-2026", overrides=[on("factor.real_rate")])


def test_factor__of_a_market_without_any__is_refused():
    with pytest.raises(InputError, match="names a factor, which only model macro has"):
        load_scenario("gold-vault-sober", overrides=["market.model=gbm", on("factor.real_rate")])


@pytest.mark.parametrize("field", ["subject: holdr", "subject: holder, over: holdr"])
def test_investor__that_nobody_is__is_refused_with_the_nearest(field):
    who, _, over = field.partition(", ")
    condition = f"{{measure: drawdown, unit: usd, at_most: 1{', ' + over if over else ''}}}"
    claim = f"claims.own={{says: x, {who}, conditions: [{condition}]}}"
    with pytest.raises(InputError, match="must be an investor of this file; did you mean holder"):
        load_scenario("gold-vault-sober", overrides=[claim])
