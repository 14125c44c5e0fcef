"""What shocks do to a perpetual: keepers away; model and contract."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from paths import player_of, replay
from perps import HOLDER_USD, LANES, drawn, long, terms

from simulator.instruments.checks import faults_of
from simulator.instruments.gas import Gas
from simulator.instruments.miner_perp.gas import HOLDER_GAS
from simulator.instruments.miner_perp.paths import simulate
from simulator.instruments.miner_perp.state import Act, Observed
from simulator.investors.world import simulate_block
from simulator.market.build import market_spec
from simulator.replay import players
from simulator.scenario import load_scenario

DAY, AWAY, TUESDAY = 15, 10, 28
CHANGES = (
    "horizon_days=40",
    "market.assets.silver.volatility=0.6",
    f"shocks=[{{name: away, target: silver_perp.keeper, day: {DAY}, plateau_days: {AWAY}}},"
    f"{{name: crash, target: price.silver, day: {DAY + 2}, size: -0.4, others: stay}}]",
)


def acts_of(away: slice | None) -> np.ndarray:
    """Return the acts of a long and of one with a stop, by step, on a block of paths.

    At 3x a fall by 20 % passes a stop at 30 % of the margin, one by 40 % is beyond all of it.
    """
    perp = terms(traders={"plain": long(3), "stop": {**long(3), "stop_loss": 0.3}})
    drivers = drawn(perp, [100, 100, 80, 80, 60, 60, 60, 60, 60])
    if away is not None:
        kept = drivers.kept.copy()
        kept[away] = False
        drivers = replace(drivers, kept=kept)
    trades = np.ones(9, np.bool_)
    _, record = simulate(perp, Gas(HOLDER_GAS, 0.0), drivers, HOLDER_USD, trades, record=True)
    return record.acts


def days_of(acts: np.ndarray, trader: int, act: Act) -> list[int]:
    """Return the steps of an act, which are those of every path."""
    there = (acts[:, trader] & act) > 0
    assert np.all(there.all(axis=1) == there.any(axis=1))
    return np.flatnonzero(there.any(axis=1)).tolist()


def test_keeper__who_is_away__neither_liquidates_nor_stops__and_does_both_on_his_return():
    here, late = acts_of(None), acts_of(slice(2, 6))
    assert days_of(here, 0, Act.LIQUIDATED) == [4]
    assert days_of(here, 1, Act.STOPPED) == [3]
    assert days_of(late, 0, Act.LIQUIDATED) == [6]
    # by then the stop is too late: what is due for liquidation is liquidated first
    assert days_of(late, 1, Act.LIQUIDATED) == [6]
    assert days_of(late, 1, Act.STOPPED) == []


FAILS = (
    "horizon_days=30",
    f"shocks=[{{name: gone, target: silver_perp.venue, day: {DAY}}}]",
)


def test_venue__that_fails_by_a_shock__takes_its_part_on_that_day():
    """Without a hazard: half of what each had the day before, by `venue.loss`."""
    loaded = load_scenario("silver-perp", overrides=FAILS)
    spec = market_spec(loaded.scenario, loaded.calibration)
    found = simulate_block(loaded.scenario, spec, 0, LANES).instruments
    for name in ("silver_perp-pool", "silver_perp-long_1x", "silver_perp-short_2x"):
        mark, failed = found[name].mark["usd"], found[name].happened["venue_failed"]
        assert failed.all()
        # gas was spent before, and is not lost again: some ten dollars at most
        assert mark[DAY] == pytest.approx(0.5 * mark[DAY - 1], abs=10.0)
        assert np.array_equal(mark[-1], mark[DAY])
        assert not faults_of(found[name])
    assert "venue_failed" not in found["plain_silver-long_1x"].happened


def test_replay__of_a_failure_by_a_shock__agrees():
    found = replay(None, 1, *FAILS, name="silver-perp")
    assert found.ok, [o for o in found.observables if not o.ok]


def test_replay__agrees_while_keepers_are_away():
    """Silver falls by 40 % two days after they have left: those at 3x and more wait for them."""
    found = replay(None, 1, *CHANGES, name="silver-perp")
    assert found.ok, [o for o in found.observables if not o.ok]
    loaded = load_scenario("silver-perp", overrides=CHANGES)
    cast = players(loaded.scenario, market_spec(loaded.scenario, loaded.calibration), 1)
    acts = player_of(cast, "silver_perp")._acts
    kept = (acts & (Act.LIQUIDATED | Act.STOPPED | Act.REDUCED)) > 0
    assert not kept[DAY : DAY + AWAY].any()
    # 14 February is a Saturday, and Monday a holiday: the first round after it is Tuesday's
    assert not kept[DAY + AWAY : TUESDAY].any()
    assert kept[TUESDAY].sum() >= 10
    assert ((acts[DAY : DAY + AWAY] & Act.FILLED) > 0).any()


def leaves(size: float) -> tuple[str, ...]:
    """Return the scenario in which so much of the pool asks to leave on a Thursday."""
    run = f"shocks=[{{name: run, target: silver_perp.run, day: {THURSDAY}, size: {size}}}]"
    calm = "instruments.silver_perp.freeze.hazard=0"
    return ("horizon_days=40", "gas.price_gwei=0", calm, run)


THURSDAY = 16
"""5 February 2026; the run starts on 20 January."""


def provided(*overrides: str):
    """Return the measured provider's paths and the record on a block."""
    loaded = load_scenario("silver-perp", overrides=overrides)
    spec = market_spec(loaded.scenario, loaded.calibration)
    found = simulate_block(loaded.scenario, spec, 0, LANES, record=True)
    return found.instruments["silver_perp-pool"], found.played["silver_perp"].record


def test_run__of_providers__takes_their_part_and_leaves_the_measured_ones_as_it_was():
    (plain, _), (struck, record) = provided(*leaves(0.1)[:3]), provided(*leaves(0.1))
    held = float(struck.initial["usd"][0])
    share = held / (held + 20_000_000.0)
    # a tenth of what the others have, at its worth of that day; open interest needs none of it
    # where the index has not risen far
    steady = plain.details["index"][: THURSDAY + 1].max(axis=0) < 1.5
    assert steady.sum() > 100
    taken = 0.1 * (1.0 - share) * plain.mark["usd"][THURSDAY] / share
    assert record.fled[steady] == pytest.approx(taken[steady], rel=1e-9)
    before = slice(0, THURSDAY + 1)
    assert np.allclose(struck.mark["usd"][before], plain.mark["usd"][before], rtol=1e-12, atol=0)
    # whatever the pool gains or loses on the next day is shared among nine tenths
    moved = [np.diff(p.mark["usd"][THURSDAY : THURSDAY + 2], axis=0)[0] for p in (plain, struck)]
    alike = steady & (np.abs(moved[0]) > 1e-3)
    assert moved[1][alike] == pytest.approx(moved[0][alike] / (0.9 + 0.1 * share), rel=1e-3)
    assert not faults_of(struck)


def test_run__of_all__takes_no_more_than_open_interest_and_profits_leave_free():
    (struck, record) = provided(*leaves(1.0))
    seen = record.observed[THURSDAY]
    largest = seen[:, [Observed.LONG, Observed.SHORT]].max(axis=1)
    # the index is what a long's notional is over its size
    index = struck.details["long_usd"][THURSDAY] / seen[:, Observed.LONG]
    # open interest may be 1.5 times the pool; orders of that day may add to it afterwards
    needed = largest * index / 1.5
    # and a side may gain 0.8 of the pool: more than that needs who gained 0.8 / 1.5 of his notional
    so_far = struck.details["index"][: THURSDAY + 1]
    shorts_gain, longs_gain = so_far.max(axis=0) / index - 1.0, 1.0 - so_far.min(axis=0) / index
    calm = np.maximum(shorts_gain, longs_gain) < 0.8 / 1.5
    assert calm.sum() > 100
    assert seen[calm, Observed.POOL] == pytest.approx(needed[calm], rel=1e-9)
    gained = seen[:, Observed.POOL] > needed * (1.0 + 1e-9)
    assert gained.any()
    assert (seen[:, Observed.POOL] > needed * (1.0 - 1e-9)).all()
    assert not faults_of(struck)


def test_replay__agrees_on_the_path_of_a_run():
    changes = leaves(0.9)
    found = replay(None, 1, *changes, name="silver-perp")
    assert found.ok, [o for o in found.observables if not o.ok]
    loaded = load_scenario("silver-perp", overrides=changes)
    cast = players(loaded.scenario, market_spec(loaded.scenario, loaded.calibration), 1)
    assert player_of(cast, "silver_perp")._run == (THURSDAY - 7, THURSDAY, 18_000_000 * 10**6)
