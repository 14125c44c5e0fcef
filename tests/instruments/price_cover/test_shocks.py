"""What a shock does to a cover's pool: other underwriters leave; model and contract."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from covers import HOLDER_USD, drawn, terms
from paths import player_of, replay

from simulator.instruments.checks import faults_of
from simulator.instruments.gas import Gas
from simulator.instruments.price_cover.gas import HOLDER_GAS
from simulator.instruments.price_cover.paths import simulate
from simulator.instruments.price_cover.state import Act, Observed, Policy
from simulator.investors.world import simulate_block
from simulator.market.build import market_spec
from simulator.replay import players
from simulator.scenario import load_scenario
from simulator.units import LANES

DAY = 10
CALM = [10_000.0] * 61
FALLEN = [10_000.0] * 5 + [7_000.0] * 56
"""Beyond the trigger on the day of the run: the strike is nine tenths of the price."""
OTHERS_USD = 1_990_000.0


def run(prices, share: float | None, **changes):
    """Return the paths and the record, others leaving with `share` on day 10."""
    drivers = drawn(prices, 0.25)
    if share is not None:
        steps, shares = np.full(LANES, DAY), np.full(LANES, share)
        drivers = replace(drivers, run_step=steps, run_share=shares)
    own = terms(pool__cooldown_days=0, **changes)
    names = {"record": True, "daily": True}
    return simulate(own, Gas(HOLDER_GAS, 0.0), drivers, HOLDER_USD, **names)


def test_run__of_a_third_of_the_others__takes_their_part_and_leaves_the_rest_as_they_were():
    (plain, _), (struck, record) = run(CALM, None), run(CALM, 0.3)
    # others hold 1.99 of 2 million shares; the pool has what ten days of premium have added
    pool = plain["cover"].mark["usd"][DAY] * 2_000_000.0 / HOLDER_USD
    taken = 0.3 * OTHERS_USD / 2_000_000.0
    assert record.fled == pytest.approx(taken * pool, rel=1e-12)
    own, before = struck["cover"].mark["usd"], plain["cover"].mark["usd"]
    assert own[: DAY + 1] == pytest.approx(before[: DAY + 1], rel=1e-12)
    # from then on a day's premium is shared among fewer
    earned, usual = own[DAY + 5] - own[DAY], before[DAY + 5] - before[DAY]
    assert earned == pytest.approx(usual / (1.0 - taken), rel=1e-9)


def test_run__of_all__takes_no_more_than_policies_leave_free():
    # 100 tonnes at 90 % of 10,000 are 900,000 dollars, at twice the pool 450,000 of capital
    _, record = run(CALM, 1.0, pool__leverage=2.0)
    (plain, _) = run(CALM, None, pool__leverage=2.0)
    pool = plain["cover"].mark["usd"][DAY] * 2_000_000.0 / HOLDER_USD
    assert record.fled == pytest.approx(pool - 450_000.0, rel=1e-12)


@pytest.mark.parametrize("prices", [CALM, FALLEN])
@pytest.mark.parametrize("share", [0.3, 1.0])
def test_run__keeps_the_identities__whatever_is_triggered(prices, share):
    found, record = run(prices, share, pool__leverage=2.0)
    assert np.all(record.fled > 0.0)
    for paths in found.values():
        assert not faults_of(paths)


def test_run__while_a_policy_is_triggered__leavers_give_up_its_sum_insured():
    # certain are the pool less 900,000; what is given up is everybody's who stays
    (plain, _), (_, record) = run(FALLEN, None), run(FALLEN, 0.3)
    # marked at an open claim of (9,000 - 7,000) x 100
    pool = plain["cover"].mark["usd"][DAY] * 2_000_000.0 / HOLDER_USD + 200_000.0
    assert record.fled == pytest.approx(0.3 * 0.995 * (pool - 900_000.0), rel=1e-12)


def away(prices, days):
    """Return the paths and the record, no keeper being there on some days."""
    drivers = replace(drawn(prices, 0.25), away=np.isin(np.arange(len(prices)), list(days)))
    own = terms(pool__cooldown_days=0, pool__leverage=2.0)
    return simulate(own, Gas(HOLDER_GAS, 0.0), drivers, HOLDER_USD, record=True, daily=True)


def test_keeper__who_is_away__marks_nothing__and_all_on_his_return():
    # fallen below the trigger on day 5, a cover runs: its 900,000 dollars are marked at once, or
    # on day 9; until then a leaver is paid as if they could not be lost
    (_, plain), (found, late) = away(FALLEN, ()), away(FALLEN, range(5, 9))
    marked = [record.observed[:, 0, Observed.TRIGGERED] for record in (plain, late)]
    assert np.all(marked[0][5:9] == 900_000.0)
    assert np.all(marked[1][5:9] == 0.0)
    assert np.array_equal(marked[1][9:], marked[0][9:])
    worth = [record.observed[5, 0, Observed.EXIT_VALUE] for record in (plain, late)]
    assert worth[1] - worth[0] == pytest.approx(900_000.0 * HOLDER_USD / 2_000_000.0, rel=1e-9)
    assert not faults_of(found["cover"])


def robbed(prices, share: float | None):
    """Return the paths and the record, half or another share of the pool being taken on day 10."""
    drivers = drawn(prices, 0.25)
    if share is not None:
        steps, shares = np.full(LANES, DAY), np.full(LANES, share)
        drivers = replace(drivers, theft_step=steps, theft_share=shares)
    names = {"record": True, "daily": True}
    return simulate(terms(), Gas(HOLDER_GAS, 0.0), drivers, HOLDER_USD, **names)


def test_exploit__takes_its_share_of_what_an_underwriter_had_the_day_before():
    (plain, _), (struck, record) = robbed(CALM, None), robbed(CALM, 0.5)
    own, before = struck["cover"].mark["usd"], plain["cover"].mark["usd"]
    assert np.array_equal(own[:DAY], before[:DAY])
    # the rest is paid in whole millionths of a dollar
    assert np.allclose(own[DAY:], 0.5 * before[DAY - 1], rtol=0.0, atol=1e-6)
    assert np.array_equal(record.ended, own[DAY])
    assert not faults_of(struck["cover"])


def test_exploit__covers_that_run_are_paid_nothing__and_none_are_sold_any_more():
    # bought on day 0 for 30 days at a strike of 9,000: (9,000 - 7,000) x 100 tonnes are owed
    (plain, _), (struck, record) = robbed(FALLEN, None), robbed(FALLEN, 0.5)
    covered = {name: found["cover-miner"] for name, found in (("a", plain), ("b", struck))}
    assert np.all(covered["a"].details["payouts_usd"][30] == 200_000.0)
    assert not covered["b"].details["payouts_usd"].any()
    missing = struck["cover"].details["missing_usd"]
    assert np.all(missing[30] == 200_000.0)
    assert not missing[29].any()
    # what he has paid by then is gone; from then on he is one without cover
    lost = struck["cover-miner"].mark["usd"] - struck["cover-unhedged"].mark["usd"]
    premium = plain["cover-miner"].details["premiums_usd"][0]
    assert np.allclose(lost[DAY:], -premium, rtol=0.0, atol=1e-6)
    assert not record.policies[1:].any()
    for paths in struck.values():
        assert not faults_of(paths)


RUN = "shocks=[{name: s, target: copper-cover.run, day: 60, size: 0.4}]"


def test_run__in_a_scenario__comes_on_its_day__and_not_before_a_cooldown_is_over():
    for day, expected in ((60, 60), (5, 30)):
        change = RUN.replace("60", str(day))
        loaded = load_scenario("copper-cover", overrides=("horizon_days=90", change))
        spec = market_spec(loaded.scenario, loaded.calibration)
        drivers = simulate_block(loaded.scenario, spec, 0, 128).played["copper-cover"].drivers
        assert np.all(drivers.run_step == expected)
        assert np.all(drivers.run_share == 0.4)


def test_replay__agrees_on_the_path_of_a_run():
    """Twice the pool is insured and copper moves by 150 % a year: claims are not paid in full."""
    wild = (
        "horizon_days=120",
        "market.assets.copper.volatility=1.5",
        "instruments.copper-cover.pool.leverage=2",
        "instruments.copper-cover.others.utilisation=0.5",
        RUN,
    )
    found = replay(None, 0, *wild, name="copper-cover")
    assert found.ok, [o for o in found.observables if not o.ok]
    loaded = load_scenario("copper-cover", overrides=wild)
    cast = players(loaded.scenario, market_spec(loaded.scenario, loaded.calibration), 0)
    assert player_of(cast, "copper-cover")._run == (30, 60, 120_000_000 * 10**6)


def test_replay__of_a_keeper_who_is_away__agrees_and_has_something_to_catch_up_with():
    crash = "{name: crash, target: price.copper, day: 25, size: -0.5}"
    away = "{name: away, target: copper-cover.keeper, day: 20, plateau_days: 30}"
    wild, late = ("horizon_days=120",), f"shocks=[{crash}, {away}]"
    found = replay(None, 0, *wild, late, name="copper-cover")
    assert found.ok, [o for o in found.observables if not o.ok]
    loaded = load_scenario("copper-cover", overrides=(*wild, late))
    spec = market_spec(loaded.scenario, loaded.calibration)
    world = simulate_block(loaded.scenario, spec, 0, LANES, record=True)
    record = world.played["copper-cover"].record
    acts = record.acts
    assert not acts[20:50].any()
    # both covers of the first day, at nine tenths of twice the price; a third was sold on day 30,
    # where a marked one would have shut the shop
    assert acts[50, :, 0].tolist() == [Act.TRIGGER, Act.TRIGGER, 0, 0, 0]
    assert record.policies[2, Policy.TONNES, 0] > 0.0


def test_replay__of_a_theft__agrees():
    taken = "shocks=[{name: s, target: copper-cover.exploit, day: 40, size: 0.5}]"
    found = replay(None, 0, "horizon_days=60", taken, name="copper-cover")
    assert found.ok, [o for o in found.observables if not o.ok]
