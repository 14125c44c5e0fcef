"""Shocks to volatility and correlation keep the expected price, in every model.

Both change each day's surprise and take off what it adds to that day's expectation, given the days
before: the mean of S with the shock over that without it is 1 by construction, whatever the
variance of the day. The same draws are behind both, so it is their difference that is judged.
"""

from __future__ import annotations

import functools
import math
from dataclasses import replace

import numpy as np
import pytest
from macro_markets import changed, macro_spec
from markets import metals
from scipy import integrate, stats

from simulator.market.dynamics import MarketSpec
from simulator.market.paths import simulate_market
from simulator.market.surprises import Pull, log_growth
from simulator.scenario.shocks import ShockTerms

DAYS, PATHS, SEED = 40, 4_096, 11
DRIFTS = {"gold": 0.035, "silver": 0.035, "copper": 0.035}
STAYS, PLATEAU = {}, {"plateau_days": 15}


@functools.cache
def market(model: str) -> MarketSpec:
    """Return three metals; where variance moves it begins at four times its long-run value."""
    if model == "macro":
        spec = macro_spec(("gold", "silver", "copper"), days=DAYS, drifts=DRIFTS)
    else:
        spec = metals(model, n_steps=DAYS)
    start = 4 * spec.volatility**2 / spec.periods_per_year
    return replace(spec, garch=replace(spec.garch, variance_start=start))


@functools.cache
def plain(model: str) -> dict[str, np.ndarray]:
    """Return the last prices without a shock, by asset, shape (PATHS,)."""
    found = simulate_market(market(model), SEED, 0, PATHS).prices
    return {asset: prices[-1].copy() for asset, prices in found.items()}


def shocked(model: str, *shocks: dict, paths: int = PATHS) -> dict[str, np.ndarray]:
    """Return the prices with shocks, by asset, shape (DAYS + 1, paths)."""
    terms = tuple(ShockTerms(**{"name": f"s{k}", "day": 5} | s) for k, s in enumerate(shocks))
    return dict(simulate_market(replace(market(model), shocks=terms), SEED, 0, paths).prices)


def assert_mean_stays(model: str, *shocks: dict) -> None:
    """Assert that E[S_T] with shocks over that without is 1 within three standard errors."""
    found = shocked(model, *shocks)
    for asset, before in plain(model).items():
        gap = (found[asset][-1] - before) / before.mean()
        assert abs(gap.mean()) < 3 * gap.std() / math.sqrt(PATHS), asset


@pytest.mark.parametrize("model", ["gbm", "jump", "garch", "macro"])
@pytest.mark.parametrize("times", [2.0, 4.0])
@pytest.mark.parametrize("lasting", [STAYS, PLATEAU], ids=["stays", "plateau"])
def test_volatility__mean_of_the_price_stays(model, times, lasting):
    assert_mean_stays(model, {"target": "volatility", "times": times, **lasting})


@pytest.mark.parametrize("model", ["jump", "garch", "macro"])
def test_correlation__mean_of_the_price_stays(model):
    assert_mean_stays(model, {"target": "correlation", "size": 0.9})


def test_both__with_a_share_and_a_condition__mean_stays():
    wild = {"target": "volatility", "day": None, "when": "drawdown(gold) > 0.05", "times": 3.0}
    joined = {"target": "correlation", "size": 0.5, "share": 0.4}
    assert_mean_stays("garch", joined, wild)


@pytest.mark.parametrize("model", ["jump", "garch", "macro"])
def test_volatility__every_days_surprise_is_multiplied(model):
    # Jumps, regimes and what channels do from day to day included: realised volatility doubles.
    # A day's drift is some thousandth of its deviation, squared; 0.5 % is ample for it.
    before = dict(simulate_market(market(model), SEED, 0, 1_024).prices)
    found = shocked(model, {"target": "volatility", "times": 2.0}, paths=1_024)
    for asset, prices in found.items():
        after, once = (np.diff(np.log(p[4:]), axis=0).std() for p in (prices, before[asset]))
        assert after / once == pytest.approx(2.0, rel=0.005), asset


@pytest.mark.parametrize("model", ["garch", "macro"])
def test_correlation__volatility_of_the_day_stays__where_it_is_far_from_its_norm(model):
    before = dict(simulate_market(market(model), SEED, 0, 1_024).prices)
    found = shocked(model, {"target": "correlation", "size": 0.9}, paths=1_024)
    for asset, prices in found.items():
        after, once = (np.diff(np.log(p[4:]), axis=0).std() for p in (prices, before[asset]))
        # three standard errors of a deviation over 36,000 days of a kurtosis of 10: 2.4 %
        assert after / once == pytest.approx(1.0, rel=0.024), asset


@pytest.mark.parametrize("share", [0.3, 1.0])
def test_share__paths_that_are_not_hit_keep_their_bytes(share):
    found = shocked("garch", {"target": "volatility", "times": 4.0, "share": share}, paths=512)
    before = dict(simulate_market(market("garch"), SEED, 0, 512).prices)
    same = np.all(found["silver"] == before["silver"], axis=0)
    assert same.mean() == pytest.approx(1 - share, abs=3 * math.sqrt(0.21 / 512))


def test_two_shocks_of_volatility__multiply():
    twice = {"target": "volatility", "times": 2.0}
    both, once = (
        shocked("macro", twice, twice, paths=256),
        shocked("macro", twice | {"times": 4.0}, paths=256),
    )
    for asset in both:
        assert np.allclose(both[asset], once[asset], rtol=1e-9)


@pytest.mark.parametrize(("dof", "cut"), [(6, 15.0), (4, 7.3), (8, 11.1)])
@pytest.mark.parametrize("deviation", [0.01, 0.1, 0.4, 1.5])
def test_log_growth__of_a_cut_t__is_that_of_quadrature(dof, cut, deviation):
    # E[exp(s z)] with z a t of unit variance, cut: the density within, and a mass at either cut
    scale = math.sqrt((dof - 2) / dof)
    law = stats.t(dof, scale=scale)
    within = integrate.quad(
        lambda z: 2 * math.cosh(deviation * z) * law.pdf(z), 0, cut, epsabs=1e-13, limit=200
    )[0]
    expected = math.log(within + 2 * law.sf(cut) * math.cosh(deviation * cut))
    found = log_growth(np.array([[deviation]]), np.array([[cut]]), dof)[0, 0]
    assert found == pytest.approx(expected, rel=2e-3)


def test_log_growth__of_a_normal__is_half_the_variance():
    found = log_growth(np.array([[0.3]]), np.array([[np.inf]]), 6)
    assert found[0, 0] == pytest.approx(0.045, rel=1e-12)


def test_pull__gives_back_what_it_takes_of_the_surplus():
    # a surplus of 0.1 x 2 comes on the first day; a quarter of what is left goes on each later one:
    # 0.25 x 0.2 = 0.05, then 0.25 x 0.15 = 0.0375; the third day trades, the second does not
    pull = Pull(np.array([0.25, 0.0, 0.25, 0.25]), np.array([[0.1], [0.0], [0.0], [0.0]]))
    due = pull.due(np.full((4, 1), 2.0))
    assert np.allclose(due[:, 0], [0.0, 0.0, 0.05, 0.0375], rtol=1e-12)


@pytest.mark.deep
def test_volatility__mean_stays_where_pulls_answer_surprises_fast():
    # ratio and reversion ten times as fast as calibrated: without what they give back the means
    # fall by some 2 % (silver) and 1 % (copper) in a year, many standard errors
    figures = changed(ratio={"speed": 3.0}, copper={"reversion_speed": 3.5})
    spec = macro_spec(("gold", "silver", "copper"), figures=figures, drifts=DRIFTS)
    wild = replace(spec, shocks=(ShockTerms(name="s", target="volatility", day=1, times=1.5),))
    before, after = (simulate_market(s, SEED, 0, 8_192).prices for s in (spec, wild))
    for asset in ("silver", "copper"):
        gap = (after[asset][-1] - before[asset][-1]) / before[asset][-1].mean()
        assert abs(gap.mean()) < 3 * gap.std() / math.sqrt(8_192), asset
