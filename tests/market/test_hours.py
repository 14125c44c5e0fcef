"""An exchange that a shock closes: no metal moves, and what began acts when it opens."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from paths import differing, replay

from simulator.engine.shock_effects import only
from simulator.errors import InputError
from simulator.investors.setting import new_setting
from simulator.market.build import market_spec
from simulator.market.paths import simulate_market
from simulator.scenario import load_scenario

# 2026-02-09 is a Monday: a week without trade, and the weekend after it
CLOSED = "name: closed, target: hours, on: 2026-02-09, plateau_days: 5"
CRASH = "name: crash, target: price.gold, on: 2026-02-10, size: -0.2"
HEAD = ("horizon_days=60", "paths=256")


def loaded(*shocks, name="gold-vault-sober"):
    listed = ", ".join(f"{{{shock}}}" for shock in shocks)
    return load_scenario(name, overrides=(*HEAD, f"shocks=[{listed}]"))


def prices(found):
    spec = market_spec(found.scenario, found.calibration)
    return simulate_market(spec, found.scenario.seed, 0, 128).prices


@pytest.mark.parametrize("name", ["gold-vault-sober", "hard-assets-2026"])
def test_closed__metals_and_shares_stand_and_coins_move(name):
    found = loaded(CLOSED, name=name)
    first = (dt.date(2026, 2, 9) - found.scenario.start).days
    for asset, price in prices(found).items():
        stands = bool(np.all(price[first : first + 7] == price[first - 1]))
        assert stands == (asset not in ("bitcoin", "altcoins", "treasury_bills")), asset
        # Presidents' Day is a holiday: Tuesday is the first open day
        assert not np.any(price[first + 8] == price[first - 1])


def test_price_shock_in_a_closed_week__acts_on_the_day_it_opens():
    found = loaded(CLOSED, CRASH)
    gold, monday = prices(found)["gold"], (dt.date(2026, 2, 16) - found.scenario.start).days
    assert np.all(gold[monday] == gold[monday - 8])
    assert np.allclose(gold[monday + 1] / gold[monday], 0.8, rtol=1e-12, atol=0.0)


def test_closed__beside_others_alone__is_the_exchange_as_it_was():
    scenario = loaded(CLOSED, CRASH).scenario
    calendars = []
    for kept in (scenario, only(scenario, ["crash"]), loaded(CRASH).scenario):
        spec = market_spec(kept, loaded(CRASH).calibration)
        market = simulate_market(spec, 1, 0, 128)
        calendars.append(new_setting(kept, spec, market, 128).exchange_open)
    assert int(calendars[1].sum() - calendars[0].sum()) == 5
    assert np.array_equal(calendars[1], calendars[2])


@pytest.mark.parametrize("name", ["gold-vault-sober", "copper-cover", "silver-perp"])
def test_replay__agrees_over_a_closed_week(name):
    found = replay(None, 3, *HEAD, f"shocks=[{{{CLOSED}}}]", name=name)
    assert found.ok, differing(found)


@pytest.mark.parametrize(
    ("said", "rule"),
    [
        ("target: hours, day: 5", "must have plateau_days: for how long the exchange is closed"),
        ("target: hours, day: 5, plateau_days: 2, size: 0.5", "is not for hours, which has no"),
        ("target: hours, day: 5, plateau_days: 2, share: 0.5", "the same on all paths"),
        ("target: hours, when: gold < 1, plateau_days: 2", "must be on or day"),
        ("target: hours, day: 5, plateau_days: 2, ramp_days: 2", "must have no ramp"),
        ("target: feed.gold, day: 5, feed: frozen, half_life_days: 2", "must have no ramp and no"),
    ],
)
def test_hours__that_cannot_be__are_refused(said, rule):
    with pytest.raises(InputError, match=rule):
        loaded(f"name: a, {said}")
