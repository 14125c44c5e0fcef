"""The macro model against a plain loop, against its own parts, and what must not change it."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from macro_markets import (
    OFF,
    SEED,
    PlainPath,
    block_of,
    changed,
    macro_spec,
    only,
    sample,
    shared_growth,
)
from ten_assets import ASSETS, scenario_of, ten_assets

from simulator.market.build import market_spec
from simulator.market.dynamics import fill
from simulator.market.macro.names import N_RECORDED, PARTS
from simulator.market.paths import empty_block, simulate_market
from simulator.scenario.views import MacroParts
from simulator.units import LANES

RESTLESS = changed(
    regimes={
        "easing.duration": 0.5,
        "neutral.duration": 0.5,
        "limited.duration": 0.5,
        "stress.duration": 0.5,
    },
    copper={"outage_rate": 30.0},
)
"""Regimes that last a fortnight, and outages twice a month: each path meets all of it."""


@pytest.mark.parametrize(
    ("model", "parts", "figures"),
    [
        ("gbm", OFF, None),
        ("garch", only("garch"), None),
        ("jump", only("event_jumps"), changed(event_share={})),
    ],
)
def test_macro__everything_else_off__equals_the_plain_model_byte_for_byte(model, parts, figures):
    if model == "jump":
        share = figures.event_share.model_copy(update={"value": 1.0})
        figures = figures.model_copy(update={"event_share": share})
    plain = market_spec(scenario_of(model=model), ten_assets())
    macro = macro_spec(figures=figures, parts=parts)
    assert block_of(macro, 256).tobytes() == block_of(plain, 256).tobytes()


@pytest.mark.parametrize("n_assets", [1, 2, 3, 6])
def test_macro__first_assets_alone__are_the_same_bytes(n_assets):
    """Gold alone, then with silver, which it pulls, and copper, which reverts."""
    spec = macro_spec(figures=RESTLESS, days=120)
    whole = simulate_market(spec, SEED, 256, LANES).prices
    block = empty_block(spec, LANES)
    first = simulate_market(spec, SEED, 256, LANES, block=block, n_assets=n_assets).prices
    assert list(first) == list(spec.assets[:n_assets])
    for asset, prices in first.items():
        assert prices.tobytes() == whole[asset].tobytes()


@pytest.mark.parametrize("path", [2, 2**32 + 77])
def test_macro__equals_a_plain_loop(path):
    spec = macro_spec(figures=RESTLESS, days=120)
    lane = path % LANES
    block, recorded = empty_block(spec, LANES), np.empty((len(ASSETS), N_RECORDED, LANES))
    fill(spec, SEED, path - lane, block, recorded=recorded)
    plain = PlainPath(spec, path).run()
    assert len(set(plain.regimes)) == 4
    assert block[:, :, lane] == pytest.approx(plain.prices, rel=2e-5)
    for (asset, part), value in plain.parts.items():
        found = recorded[ASSETS.index(asset), PARTS.index(part), lane]
        assert found == pytest.approx(value, abs=1e-5), (asset, part)
    moved = {part for (_, part), value in plain.parts.items() if value != 0}
    assert moved == set(PARTS)


def test_recorded__parts_and_what_all_paths_share__sum_to_the_drift_that_was_applied():
    views = {"real_rate": "negative", "liquidity": "limited", "targets": {"gold": {"fall": 0.1}}}
    spec = macro_spec(views=views)
    found = sample(spec, 512, with_factors=False).recorded
    ticks = spec.trading[:, 1:].sum(axis=1)
    drift = found[:, -1] - (spec.macro_plan.technical * ticks)[:, None]
    parts = found[:, :-1].sum(axis=1) + shared_growth(spec)[:, None]
    assert np.abs(drift - parts).max() < 1e-9
    assert np.abs(drift).max() > 0.3


@pytest.mark.parametrize(
    "part", sorted(set(MacroParts.model_fields) & set(PARTS) - {"ratio_pull", "copper_reversion"})
)
def test_parts__channel_switched_off__is_gone_and_others_stay(part):
    on, off = macro_spec(days=60), macro_spec(days=60, parts={part: False})
    with_it, without = sample(on, 128), sample(off, 128)
    row = PARTS.index(part)
    assert np.any(with_it.recorded[:, row])
    assert not np.any(without.recorded[:, row])
    touched = np.any(with_it.recorded[:, row], axis=1)
    same = np.all(with_it.last == without.last, axis=1)
    # Own shocks take over what the channel leaves: an asset's neighbours in the correlation
    # may differ, those before it may not.
    first = int(np.flatnonzero(touched)[0])
    assert np.all(same[:first])
    assert not np.any(same[touched])
    for name, values in with_it.factors.items():
        if name not in ("bitcoin_dominance", "rotation"):
            assert np.array_equal(values, without.factors[name]), name


def test_parts__pulls_switched_off__are_gone():
    found = sample(macro_spec(days=60, parts={"ratio_pull": False, "copper_reversion": False}), 128)
    assert not np.any(found.recorded[:, -3:-1])
    found = sample(macro_spec(days=60), 128)
    moved = np.any(found.recorded[:, -3:-1], axis=2)
    assert moved[:, 0].tolist() == [name == "silver" for name in ASSETS]
    assert moved[:, 1].tolist() == [name == "copper" for name in ASSETS]


def test_parts__regimes_switched_off__one_regime_and_calm_correlation():
    found = sample(macro_spec(days=60, figures=RESTLESS, parts={"regimes": False}), 128)
    assert np.all(found.factors["regime"] == 1)
    assert np.unique(sample(macro_spec(days=60, figures=RESTLESS), 128).factors["regime"]).size == 4


def test_fill__assets_after_others__leave_the_earlier_ones_as_they_were():
    whole = block_of(macro_spec(figures=RESTLESS))
    for count in (1, 3, 6):
        part = block_of(macro_spec(ASSETS[:count], figures=RESTLESS))
        assert np.array_equal(part, whole[:count])


def test_fill__longer_run__begins_with_the_same_days():
    longer = block_of(macro_spec(days=90, figures=RESTLESS))
    shorter = block_of(macro_spec(days=33, figures=RESTLESS))
    assert np.array_equal(shorter, longer[:, :34])


def test_fill__same_seed__same_bytes_for_any_chunks_and_threads():
    spec = macro_spec(days=60, figures=RESTLESS)
    whole = block_of(spec, 4 * LANES)
    with ThreadPoolExecutor(4) as threads:
        parts = list(threads.map(lambda k: block_of(spec, LANES, k * LANES), range(4)))
    assert np.concatenate(parts, axis=2).tobytes() == whole.tobytes()
    states, recorded = np.empty((12, 61, LANES)), np.empty((len(ASSETS), N_RECORDED, LANES))
    again = empty_block(spec, LANES)
    fill(spec, SEED, 0, again, states=states, recorded=recorded)
    assert again.tobytes() == np.ascontiguousarray(whole[:, :, :LANES]).tobytes()


def test_simulate_market__factors__are_those_of_its_paths_whatever_happens_to_the_block():
    spec = macro_spec(days=60)
    block = empty_block(spec, LANES)
    market = simulate_market(spec, SEED, LANES, LANES, block=block)
    bitcoin = market.prices["bitcoin"].copy()
    altcoins = market.prices["altcoins"].copy()
    fill(spec, SEED, 0, block)
    share = 0.59 * bitcoin / bitcoin[0]
    expected = share / (share + 0.41 * altcoins / altcoins[0])
    assert market.factors["bitcoin_dominance"] == pytest.approx(expected, rel=1e-12)
    assert "regime" in market.factors
    assert len(market.factors) == 17
    assert simulate_market(replace(spec, model="garch"), SEED, 0, LANES).factors == {}


def test_simulate_market__factors_that_are_asked_for__are_the_bytes_of_those_drawn_again():
    spec = macro_spec(days=60)
    block, asked = empty_block(spec, LANES), ("bitcoin_dominance", "central_bank_net", "silver_gap")
    early = simulate_market(spec, SEED, LANES, LANES, block=block, factors=(*asked, "nonsense"))
    prices = {name: values.tobytes() for name, values in early.prices.items()}
    fill(spec, SEED, 0, block)
    late = simulate_market(spec, SEED, LANES, LANES)
    assert {name: values.tobytes() for name, values in late.prices.items()} == prices
    assert list(early.factors) == list(late.factors)
    for name in late.factors:
        assert early.factors[name].tobytes() == late.factors[name].tobytes(), name
    assert "nonsense" not in early.factors


def test_means__every_asset_and_part__expectation_is_base_and_pull():
    found = sample(macro_spec(), 40_000, with_factors=False)
    for index, asset in enumerate(ASSETS):
        growth = found.last[index] / found.spec.spot[index]
        base = shared_growth(found.spec)[index] - found.spec.macro_plan.convexity[index, -1]
        expected = base + found.part(asset, "ratio_pull").mean()
        error = growth.std() / growth.mean() / np.sqrt(growth.size)
        assert abs(np.log(growth.mean()) - expected) < 3.5 * error, asset


def test_means__convexity__is_needed():
    # Without it the miners' expectation would be off by a point, five standard errors.
    spec = macro_spec(("gold", "gold_miners"))
    growth = sample(spec, 40_000, with_factors=False).last[1] / spec.spot[1]
    convexity = spec.macro_plan.convexity[1, -1]
    assert convexity == pytest.approx(-0.0105, abs=0.0005)
    base = shared_growth(spec)[1] - convexity
    error = growth.std() / growth.mean() / np.sqrt(growth.size)
    assert abs(np.log(growth.mean()) - base) < 3.5 * error < abs(convexity)


def test_volatility__long_run_over_regimes__as_asked_for():
    # Ten years, by the law of the squares: GARCH, regimes, channels and events together.
    spec = macro_spec(("gold", "bitcoin", "big_tech"), days=3_650)
    block = block_of(spec, 512)
    for index, asked in enumerate(spec.volatility):
        days = np.flatnonzero(spec.trading[index])
        returns = np.diff(np.log(block[index][days]), axis=0)
        measured = returns[200:].std() * np.sqrt(spec.periods_per_year[index])
        assert measured == pytest.approx(asked, rel=0.06), spec.assets[index]


def test_volatility__of_the_first_day__is_the_filtered_one_with_channels_and_events():
    assets = ("gold", "silver", "big_tech")
    spec = macro_spec(assets, days=30)
    wild = 2 * spec.garch.variance_start
    spec = replace(spec, garch=replace(spec.garch, variance_start=wild))
    block = block_of(spec, 128 * LANES)
    channels = np.diag(spec.macro.change_variance(assets))
    for index, asset in enumerate(assets):
        day = int(np.flatnonzero(spec.trading[index, 1:])[0]) + 1
        moves = np.log(block[index, day] / block[index, 0])
        # a trading day's share of a channel is 1/252 of a year's, and lands by calendar days
        expected = wild[index] - channels[index] * (1 / 252 - day / 365)
        # 16,384 paths of a kurtosis of some ten: a standard error of 2.3 %
        assert moves.var() == pytest.approx(expected, rel=0.07), asset
