"""Shocks: what is done to a block of prices, day by day, against hand-made closes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import numpy as np
import pytest

from simulator.market.dynamics import MarketSpec
from simulator.market.paths import simulate_market
from simulator.market.shocks import apply_shocks
from simulator.scenario.shocks import ShockTerms
from simulator.units import trading_days

MONDAY = dt.date(2027, 3, 1)
DAYS, PATHS = 60, 256
TIGHT = {"rtol": 1e-12, "atol": 0.0}


def spec_of(*shocks, days=DAYS, volatility=(0.16, 0.30, 0.5), drift=0.0):
    """Return gold, silver (correlation 0.8) and bitcoin (0.2 with gold) under gbm."""
    correlation = np.array([[1.0, 0.8, 0.2], [0.8, 1.0, 0.1], [0.2, 0.1, 1.0]])
    exchange = trading_days(MONDAY, days)
    return MarketSpec(
        assets=("gold", "silver", "bitcoin"),
        model="gbm",
        start=MONDAY,
        n_steps=days,
        spot=np.array([4_000.0, 90.0, 90_000.0]),
        drift=np.full(3, drift),
        volatility=np.array(volatility),
        periods_per_year=np.array([252.0, 252.0, 365.0]),
        cholesky=np.linalg.cholesky(correlation),
        trading=np.array([exchange, exchange, np.ones(days + 1, bool)]),
        shocks=tuple(ShockTerms(**{"name": f"s{k}", **s}) for k, s in enumerate(shocks)),
    )


def market(*shocks, paths=PATHS, seed=7, **spec):
    """Return the paths of `spec_of`."""
    return simulate_market(spec_of(*shocks, **spec), seed, 0, paths)


def moves(found, asset):
    """Return each day's close over that of the day before, shape (n_steps, n_paths)."""
    price = found.prices[asset]
    return price[1:] / price[:-1]


CRASH = {"target": "price.gold", "day": 10, "size": -0.2}


def test_jump__close_is_the_stated_multiple_of_the_day_before_on_every_path():
    found, plain = market(CRASH), market()
    assert np.allclose(moves(found, "gold")[9], 0.8, **TIGHT)
    others = np.arange(DAYS) != 9
    assert np.allclose(moves(found, "gold")[others], moves(plain, "gold")[others], **TIGHT)
    assert np.array_equal(found.prices["gold"][:10], plain.prices["gold"][:10])


def test_jump__others_follow_by_their_beta():
    # beta = correlation x ratio of volatilities: 0.8 x 0.30 / 0.16 = 1.5; 0.2 x 0.5 / 0.16 = 0.625
    found = market(CRASH)
    assert np.allclose(moves(found, "silver")[9], 0.8**1.5, **TIGHT)
    assert np.allclose(moves(found, "bitcoin")[9], 0.8**0.625, **TIGHT)


def test_jump__others_stay__where_they_are_told_to():
    found, plain = market({**CRASH, "others": "stay"}), market()
    assert np.array_equal(found.prices["silver"], plain.prices["silver"])
    assert np.allclose(moves(found, "gold")[9], 0.8, **TIGHT)


def test_jump__on_a_closed_day__acts_on_the_next_open_one_for_all():
    # 2027-03-13 is a Saturday, step 12; the next open day is Monday, step 14
    found = market({"target": "price.gold", "on": dt.date(2027, 3, 13), "size": -0.2})
    assert np.all(moves(found, "gold")[11:13] == 1.0)
    assert np.allclose(moves(found, "gold")[13], 0.8, **TIGHT)
    assert np.allclose(moves(found, "bitcoin")[13], 0.8**0.625, **TIGHT)
    assert np.all(found.happened.begins["s0"] == 14)


def test_jump_of_a_coin__acts_at_once__and_metals_follow_when_they_open():
    found = market({"target": "price.bitcoin", "on": dt.date(2027, 3, 13), "size": -0.5})
    assert np.allclose(moves(found, "bitcoin")[11], 0.5, **TIGHT)
    assert np.allclose(moves(found, "gold")[13], 0.5 ** (0.2 * 0.16 / 0.5), **TIGHT)


def test_two_jumps_on_a_day__multiply():
    found = market(CRASH, {**CRASH, "size": -0.1})
    assert np.allclose(moves(found, "gold")[9], 0.8 * 0.9, **TIGHT)


def test_level__comes_after_sizes__wherever_it_stands_in_the_list():
    level = {"target": "price.gold", "day": 10, "at": 3_000.0}
    for order in ((level, CRASH), (CRASH, level)):
        assert np.allclose(market(*order).prices["gold"][10], 3_000.0, **TIGHT)


def test_ramp__falls_in_equal_parts_and_keeps_no_move_of_its_own():
    # Five trading days from Monday, step 7: each takes the fifth root
    found = market({"target": "price.gold", "day": 7, "size": -0.2, "ramp_days": 5})
    assert np.allclose(moves(found, "gold")[6:11], 0.8**0.2, **TIGHT)


def test_plateau__the_price_comes_back_to_where_its_later_moves_lead():
    found = market({**CRASH, "plateau_days": 5})
    plain = market()
    # back after steps 10 to 14; the day of the crash itself had no move of its own
    own = moves(plain, "gold")[9]
    assert np.allclose(found.prices["gold"][15:], (plain.prices["gold"] / own)[15:], **TIGHT)
    assert np.allclose(found.prices["gold"][14], 0.8 * plain.prices["gold"][14] / own, **TIGHT)


def test_half_life__half_of_the_log_move_is_gone_after_it():
    found = market({**CRASH, "half_life_days": 4})
    plain = market()
    gap = found.prices["gold"] / (plain.prices["gold"] / moves(plain, "gold")[9])
    # the first day is whole; step 14, a Monday, is four days later
    assert np.allclose(gap[10], 0.8, **TIGHT)
    assert np.allclose(gap[14], 0.8**0.5, **TIGHT)


def test_usdc__stands_at_its_level_for_the_plateau_and_is_a_dollar_again():
    found = market({"target": "usdc", "day": 20, "at": 0.9, "plateau_days": 7})
    assert np.all(found.prices["usdc"][20:27] == 0.9)
    assert np.all(found.prices["usdc"][:20] == 1.0)
    assert np.all(found.prices["usdc"][27:] == 1.0)


def test_condition__seen_at_a_close__acts_on_the_next_day_once():
    found = market({**CRASH, "day": None, "when": "gold < 3_900"})
    plain = market().prices["gold"]
    for path in range(PATHS):
        below = np.flatnonzero(plain[:, path] < 3_900)
        begun = found.happened.begins["s0"][path]
        if below.size == 0 or below[0] == DAYS:
            assert begun > DAYS
            assert np.array_equal(found.prices["gold"][:, path], plain[:, path])
            continue
        assert begun >= below[0] + 1
        if begun <= DAYS:
            assert moves(found, "gold")[begun - 1, path] == pytest.approx(0.8, rel=1e-12)


def test_condition__sees_what_shocks_before_it_did():
    first = {**CRASH, "size": -0.5}
    fall = {"target": "usdc", "when": "drawdown(gold) > 0.45", "at": 0.8}
    found = market(first, fall)
    assert np.all(found.happened.begins["s1"] == 11)


def test_share__happens_on_that_share_of_the_paths_and_nowhere_else():
    found = market({**CRASH, "share": 0.3}, paths=4_096)
    hit = found.happened.begins["s0"] == 10
    # three standard errors of 0.3 over 4,096 paths: 3 sqrt(0.21 / 4096) = 0.0215
    assert abs(hit.mean() - 0.3) < 0.0215
    plain = market(paths=4_096)
    assert np.array_equal(found.prices["gold"][:, ~hit], plain.prices["gold"][:, ~hit])
    assert np.allclose(moves(found, "gold")[9, hit], 0.8, **TIGHT)


def test_volatility__is_multiplied_and_the_mean_stays():
    days, shock = 250, {"target": "volatility.gold", "day": 1, "times": 2.0}
    found = market(shock, days=days, drift=0.05, paths=8_192)
    logs = np.log(moves(found, "gold"))
    traded = trading_days(MONDAY, days)[1:]
    assert logs[traded].std() == pytest.approx(2 * 0.16 / np.sqrt(252), rel=0.01)
    last = found.prices["gold"][-1] / 4_000.0
    # E[S_T] = S_0 exp(0.05 x 250 / 365), within three standard errors
    error = last.std() / np.sqrt(last.size)
    assert abs(last.mean() - np.exp(0.05 * 250 / 365)) < 3 * error
    plain = market(days=days, drift=0.05, paths=8_192)
    assert np.array_equal(found.prices["silver"], plain.prices["silver"])


@pytest.mark.parametrize(("size", "expected"), [(0.5, 0.9), (1.0, 1.0)])
def test_correlation__goes_the_stated_way_to_one(size, expected):
    # gold and silver: 0.8 + 0.5 x 0.2 = 0.9; volatilities stay
    days = 250
    found = market({"target": "correlation", "day": 1, "size": size}, days=days, paths=1_024)
    traded = trading_days(MONDAY, days)[1:]
    gold, silver = (np.log(moves(found, a))[traded].ravel() for a in ("gold", "silver"))
    assert np.corrcoef(gold, silver)[0, 1] == pytest.approx(expected, abs=0.005)
    assert gold.std() == pytest.approx(0.16 / np.sqrt(252), rel=0.01)


def test_paths__are_the_same_bytes_in_whatever_block_they_stand():
    shocks = (CRASH, {"target": "correlation", "day": 5, "size": 0.5, "share": 0.4})
    whole = market(*shocks, paths=512).prices["silver"]
    assert np.array_equal(market(*shocks, paths=256).prices["silver"], whole[:, :256])


@pytest.mark.parametrize("order", [1, -1])
def test_volatility__leaves_the_stated_moves_of_other_shocks_as_they_are(order):
    wild = {"target": "volatility", "day": 5, "times": 3.0}
    back = {**CRASH, "plateau_days": 5}
    found = market(*(wild, back)[::order])
    assert np.allclose(moves(found, "gold")[9], 0.8, **TIGHT)
    calm = market(wild)
    # Before, between and after the two stated moves each day is three times as wild, no more.
    own = np.arange(DAYS) != 9
    gap = moves(found, "gold") / moves(calm, "gold")
    assert np.allclose(gap[own & (np.arange(DAYS) != 14)], 1.0, **TIGHT)
    assert np.allclose(gap[14], 1 / 0.8, **TIGHT)


class Unasked(Mapping[str, np.ndarray]):
    """Factors that must not be drawn."""

    def __getitem__(self, name):
        raise AssertionError(f"{name} was drawn")

    def __iter__(self):
        raise AssertionError("all factors were drawn")

    def __len__(self):
        raise AssertionError("all factors were drawn")


def test_factors__are_not_drawn__where_no_condition_looks_at_them():
    prices = {name: values.copy() for name, values in market().prices.items()}
    happened = apply_shocks(spec_of(), [ShockTerms(name="a", **CRASH)], 7, 0, prices, Unasked())
    assert (happened.begins["a"] == 10).all()
    assert np.array_equal(prices["gold"], market(CRASH).prices["gold"])
