"""What shocks do to loans: keepers away, a market lent out, deployed dollars lost."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from loans import drawn, run, terms
from paths import player_of, replay

from simulator.instruments.model import Blow, absent
from simulator.instruments.token_loan.state import Outcome
from simulator.investors.world import simulate_block
from simulator.market.build import market_spec
from simulator.replay import players
from simulator.scenario import load_scenario

DAY, AWAY = 20, 9
KEEPER = f"target: {{}}.keeper, day: {DAY}, plateau_days: {AWAY}"
USED = f"target: {{}}.utilisation, day: {DAY}, at: 0.97, plateau_days: 5"
FAILED = f"target: {{}}.failure, day: {DAY}"
CRASH = "target: price.gold, day: 19, size: -0.3, others: stay"
SHORT = ("horizon_days=40", "paths=256")


def given(*shocks: str, label: str = "gold_loan") -> tuple[str, ...]:
    """Return overrides: a short run with these shocks to a market."""
    listed = ", ".join(f"{{name: s{k}, {s.format(label)}}}" for k, s in enumerate(shocks))
    return (*SHORT, f"shocks=[{listed}]")


def world(*shocks: str, more: tuple[str, ...] = ()):
    """Return the ready scenario's gold loans on 128 paths."""
    loaded = load_scenario("gold-loop", overrides=(*given(*shocks), *more))
    return simulate_block(loaded.scenario, market_spec(loaded.scenario, loaded.calibration), 0, 128)


def test_keeper__who_is_away_liquidates_nobody__and_on_his_return_whoever_still_is_due():
    """50 % of a token of 100 on 60 is 83 %: beyond the threshold of 75 % from step 2 on."""
    own = terms()
    days = np.zeros((9, 1))
    days[2:6] = 1.0
    drivers = drawn(own, [100, 100, *[60] * 7])
    late = replace(drivers, away=np.repeat(days > 0.0, drivers.feed_usdc.shape[1], axis=1))
    closed = [run(own, each)[1].outcomes[0, Outcome.STEP] for each in (drivers, late)]
    assert np.all(closed[0] == 2)
    assert np.all(closed[1] == 6)


def test_keeper__whose_loans_are_safe_again_on_his_return__leaves_them():
    own = terms()
    drivers = drawn(own, [100, 100, 60, 60, 100, 100])
    away = np.zeros(drivers.feed_usdc.shape, np.bool_)
    away[2:4] = True
    _, record = run(own, replace(drivers, away=away))
    assert np.all(record.outcomes[0, Outcome.STEP] == 0)


def test_absent__is_where_half_of_any_shock_is_there():
    first = np.array([0, 0]), 0.0, np.array([[1.0, 0.0], [0.5, 0.0], [0.6, 0.0]])
    other = np.array([0, 0]), 0.0, np.array([[0.0, 0.0], [0.0, 0.0], [0.0, 1.0]])
    assert absent(()).shape == (0, 0)
    found = absent([Blow(*first), Blow(*other)])
    assert np.array_equal(found, [[True, False], [False, False], [True, True]])


def test_utilisation__is_what_others_bring_the_market_to__while_it_lasts():
    struck, plain = world(USED), world()
    wanted = struck.played["gold_loan"].drivers.utilisation
    days = slice(DAY, DAY + 5)
    assert np.all(wanted[days] == 0.97)
    usual = plain.played["gold_loan"].drivers.utilisation
    outside = np.r_[0:DAY, DAY + 5 : 41]
    assert np.array_equal(wanted[outside], usual[outside])
    # others lack the dollar that they leave, in a market of millions
    seen = struck.instruments["gold_loan-suppliers"].details["utilisation"]
    assert seen[days] == pytest.approx(0.97, abs=1e-5)


def test_failure__comes_on_its_day__where_it_has_not_come_before():
    hazard = "instruments.gold_loan.loans.promised_50.deployed.hazard=5"
    struck, plain = (
        world(*s, more=(hazard,)).played["gold_loan"].drivers.fails for s in ((FAILED,), ())
    )
    assert np.array_equal(struck, np.minimum(plain, DAY))
    assert (plain < DAY).any()


def test_replay__agrees_while_keepers_are_away__the_market_is_lent_out_and_dollars_are_lost():
    """The fall of 30 % is due from day 19 or 20 on; nobody is liquidated before day 29."""
    changes = given(CRASH, KEEPER, USED, FAILED)
    found = replay(None, 3, *changes, name="gold-loop")
    assert found.ok, [o for o in found.observables if not o.ok]
    loaded = load_scenario("gold-loop", overrides=changes)
    cast = players(loaded.scenario, market_spec(loaded.scenario, loaded.calibration), 3)
    closed = player_of(cast, "gold_loan")._outcomes[:, Outcome.STEP]
    assert (closed == DAY + AWAY).any()
    assert not ((closed >= DAY) & (closed < DAY + AWAY)).any()
