"""Shocks of the macro factors: the factor by what is stated, prices by the model's elasticities."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from simulator.errors import InputError
from simulator.market.build import market_spec
from simulator.market.paths import simulate_market
from simulator.scenario import load_scenario

HEAD = ("horizon_days=60", "paths=256")
DAY = 20
"""2026-02-09, a Monday."""
TIGHT = {"rtol": 1e-11, "atol": 0.0}


@cache
def market(*shocks):
    listed = ", ".join(f"{{name: s{k}, {shock}}}" for k, shock in enumerate(shocks))
    found = load_scenario("hard-assets-2026", overrides=(*HEAD, f"shocks=[{listed}]"))
    spec = market_spec(found.scenario, found.calibration)
    return found.calibration.macro_figures.elasticities, simulate_market(spec, 7, 0, 128)


def moved(asset, *shocks):
    """Return the log of an asset's price over that without shocks, shape (n_steps + 1, n_paths)."""
    return np.log(market(*shocks)[1].prices[asset] / market()[1].prices[asset])


def rise(name, by=0.01, more=""):
    return f"target: factor.{name}, day: {DAY}, by: {by}{more}"


def test_real_rate__is_a_point_higher_on_every_path_and_the_nominal_rate_with_it():
    plain, found = market()[1].factors, market(rise("real_rate"))[1].factors
    for name in ("real_rate", "nominal_rate", "real_rate_ex_post"):
        gap = found[name] - plain[name]
        assert np.all(gap[:DAY] == 0.0)
        assert np.allclose(gap[DAY:], 0.01, rtol=1e-12, atol=1e-15)
    assert np.array_equal(found["inflation"], plain["inflation"])


def test_real_rate__moves_gold_at_once_and_by_what_it_pays():
    elasticities, _ = market()
    at_once = elasticities.real_rate["gold"].value
    a_year = elasticities.real_rate_level["gold"].value
    gap = moved("gold", rise("real_rate"))
    assert np.all(gap[:DAY] == 0.0)
    # Monday to Friday of the first week: a point, and a point for 1 to 5 days of a year
    for days in range(1, 6):
        expected = at_once + a_year * days / 365
        assert gap[DAY + days - 1] == pytest.approx(expected, rel=1e-9, abs=1e-12)
    # the weekend adds nothing until Tuesday, the first open day after Presidents' Day
    assert np.allclose(gap[DAY + 5 : DAY + 8], gap[DAY + 4], rtol=1e-9, atol=1e-12)
    assert gap[DAY + 8] == pytest.approx(at_once + a_year * 9 / 365, rel=1e-9, abs=1e-12)


def test_rates__pay_into_bills_day_by_day():
    pays = market()[0].bill_rate["treasury_bills"].value
    for name in ("real_rate", "nominal_rate"):
        gap = moved("treasury_bills", rise(name))
        assert gap[-1] == pytest.approx(pays * 0.01 * 41 / 365, rel=1e-9)


def test_nominal_rate__is_no_news_of_the_real_rate():
    at_once = market()[0].real_rate["gold"].value
    with_news, without = moved("gold", rise("real_rate")), moved("gold", rise("nominal_rate"))
    assert np.allclose((with_news - without)[DAY:], at_once, rtol=1e-9, atol=1e-12)


def test_liquidity__dries_up_by_what_is_stated_and_is_back_after_the_plateau():
    drought = rise("liquidity", -2, ", plateau_days: 10")
    gap = market(drought)[1].factors["liquidity"] - market()[1].factors["liquidity"]
    assert np.allclose(gap[DAY : DAY + 10], -2.0, **TIGHT)
    assert np.all(gap[DAY + 10 :] == 0.0)
    # what ten days did stays: prices follow the sum over time
    coins = moved("bitcoin", drought)
    assert np.all(coins[DAY + 9] < 0.0)
    assert np.allclose(coins[DAY + 9 :], coins[DAY + 9], rtol=1e-9, atol=1e-12)


def test_two_rises__add():
    both = market(rise("real_rate"), rise("real_rate", 0.005))[1].factors["real_rate"]
    gap = both - market()[1].factors["real_rate"]
    assert np.allclose(gap[DAY:], 0.015, rtol=1e-12, atol=1e-15)


def test_condition__on_a_factor_sees_its_close_and_acts_the_next_day():
    plain = market()[1]
    bound = float(np.quantile(plain.factors["real_rate"].max(axis=0), 0.5))
    found = market(f"target: price.gold, when: real_rate > {bound:.6f}, size: -0.2")[1]
    begins = found.happened.begins["s0"]
    above = plain.factors["real_rate"] > float(f"{bound:.6f}")
    seen = np.where(above.any(axis=0), above.argmax(axis=0), 999)
    happens = begins <= 60
    assert 0 < happens.sum() < 128
    # the first open day after the one on which it was seen
    assert np.all(begins[happens] >= seen[happens] + 1)
    assert np.all(begins[happens] <= seen[happens] + 4)
    assert np.all(seen[~happens] >= 57)


def test_condition__sees_what_a_shock_before_it_did_to_the_factor():
    jump = f"target: factor.real_rate, day: {DAY}, by: 0.2"
    found = market(jump, "target: usdc, when: real_rate > 0.15, at: 0.9")[1]
    assert np.all(found.happened.begins["s1"] == DAY + 1)


@pytest.mark.parametrize(
    ("name", "said", "rule"),
    [
        ("gold-vault-sober", rise("real_rate"), "a factor of model macro alone; this market is"),
        (
            "gold-vault-sober",
            "target: price.gold, when: real_rate > 0.03, size: -0.1",
            "a factor of model macro alone",
        ),
        ("hard-assets-2026", rise("inflation"), "something that a shock can hit"),
        ("hard-assets-2026", rise("real_rate", 1), "0.01 = 100 basis points"),
        ("hard-assets-2026", f"target: factor.real_rate, day: {DAY}, size: 0.1", "must have by"),
        (
            "hard-assets-2026",
            "target: price.gold, when: drawdown(real_rate) > 0.3, size: -0.1",
            "a drawdown is a price's",
        ),
    ],
)
def test_factor__that_cannot_be_hit_or_seen__is_refused(name, said, rule):
    with pytest.raises(InputError, match=rule):
        load_scenario(name, overrides=(*HEAD, f"shocks=[{{name: a, {said}}}]"))
