"""The validation's own rulers: a market that is right passes them, one that is wrong does not."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from markets import metals
from scipy import stats

from simulator.market.build import market_spec
from simulator.market.dynamics import fill
from simulator.market.validation.backtest import (
    Forecast,
    Settings,
    at_origin,
    backtest,
    months_on,
    pooled,
    realised_return,
)
from simulator.market.validation.compare import compare, matched, pairs, simulated_figures
from simulator.market.validation.coverage import coverage, transform
from simulator.market.validation.past import Past, common_rows, weekly_returns
from simulator.market.validation.statistics import (
    ASSET_FIGURES,
    FURTHER_FIGURES,
    TAILS,
    asset_figures,
    further_figures,
    pair_figures,
    size_autocorrelations,
    window_drawdowns,
)
from simulator.measures import max_drawdown
from simulator.scenario import load_scenario
from simulator.units import LANES

RANDOM = np.random.default_rng(20260120)
START = dt.date(2010, 1, 1)


def further(returns: np.ndarray, name: str, days: int) -> float:
    return float(further_figures(returns[None, :])[0, FURTHER_FIGURES.index((name, days))])


# the figures ----------------------------------------------------------------------------------


def test_figures__of_a_days_returns__those_of_numpy_and_scipy():
    returns = RANDOM.standard_t(5, (3, 900)) * 0.01
    found = asset_figures(returns)
    assert found.shape == (3, 11)
    for row, own in zip(found, returns, strict=True):
        assert row[:3] == pytest.approx([own.std(), stats.kurtosis(own), stats.skew(own)], rel=1e-9)
        assert row[3:9] == pytest.approx(np.quantile(own, TAILS), rel=1e-9)
    np.testing.assert_allclose(asset_figures(returns[1]), found[1], rtol=1e-9)


@pytest.mark.parametrize("days", [20, 250])
def test_figures__further__of_overlapping_returns_as_of_numpy(days):
    returns = RANDOM.standard_t(5, 900) * 0.01
    grown = np.array([returns[k : k + days].sum() for k in range(901 - days)])
    assert further(returns, "volatility", days) == pytest.approx(grown.std(), rel=1e-9)
    for name, share in (("q05.0", 0.05), ("q95.0", 0.95)):
        expected = np.quantile(grown, share)
        assert further(returns, name, days) == pytest.approx(expected, rel=1e-9)


def test_figures__drawdowns__of_each_window_as_measured_elsewhere():
    logs = np.concatenate([[0.0], np.cumsum(RANDOM.normal(0, 0.02, 400))])
    found = window_drawdowns(logs, 250)
    windows = np.stack([logs[k : k + 251] for k in range(151)], axis=1)
    np.testing.assert_allclose(found, max_drawdown(np.exp(windows)), rtol=1e-12)
    expected = np.quantile(found, 0.95)
    assert further(np.diff(logs), "drawdown p95", 250) == pytest.approx(expected, rel=1e-12)


def test_figures__autocorrelation_of_size__of_days_that_alternate_by_hand():
    # |r| = 1, 3, 1, 3, ...: deviations -1, +1, ...; lag 1 has 299 products of -1
    returns = np.tile([1.0, -3.0], 150)
    expected = [-299 / 300, -295 / 300, 280 / 300, 240 / 300]
    assert size_autocorrelations(returns, (1, 5, 20, 60)) == pytest.approx(expected)


def test_figures__pair__correlation_is_told_apart_in_calm_and_stress():
    # four calm years that move together, then one wild year that moves apart
    common, own = RANDOM.normal(size=(2, 260))
    calm = np.arange(260) < 208
    weekly = np.stack([common, np.where(calm, common, own)]) * np.where(calm, 0.01, 0.05)
    whole, rise = pair_figures(weekly)
    assert whole == pytest.approx(np.corrcoef(weekly)[0, 1], rel=1e-9)
    assert rise < -0.4
    # a window of 13 weeks is in stress where it is among the wildest fifth of all windows
    sizes = np.abs(weekly / weekly.std(axis=1, keepdims=True)).mean(axis=0)
    state = np.array([sizes[k : k + 13].mean() for k in range(248)])
    stress = state > np.quantile(state, 0.8)
    late = weekly[:, 12:]
    expected = np.corrcoef(late[:, stress])[0, 1] - np.corrcoef(late[:, ~stress])[0, 1]
    assert rise == pytest.approx(expected, rel=1e-9)
    np.testing.assert_allclose(pair_figures(np.stack([weekly, weekly]))[1], [whole, rise])


# what is inside --------------------------------------------------------------------------------


N_DAYS = 1500


def own_world(**changes):
    """Return a market of gold that clusters and is fat-tailed, over 1,500 days of trade."""
    spec = metals("garch", n_steps=N_DAYS, n_assets=1)
    return replace(spec, drift=np.array([0.05]), **changes)


@cache
def own_pasts(count: int = 10) -> tuple[Past, ...]:
    """Return histories that the market itself has made."""
    spec = own_world()
    block = np.empty((1, N_DAYS + 1, LANES))
    fill(spec, 99, 0, block)
    days = START.toordinal() + np.arange(N_DAYS + 1)
    return tuple(Past("gold", days, np.log(block[0, :, path])) for path in range(count))


def share_inside(spec) -> float:
    found = [
        row.inside
        for past in own_pasts()
        for row in compare(spec, {"gold": past}, histories=LANES)
        if row.cell.counted
    ]
    assert len(found) == 10 * len(ASSET_FIGURES)
    return float(np.mean(found))


def test_inside__of_a_known_market__holds_its_own_figures_nine_times_in_ten():
    # ten histories of eleven figures that depend on each other: worth some 40 independent ones,
    # three standard errors are 14 points
    assert 0.76 < share_inside(own_world()) <= 1.0


def test_inside__of_a_market_twice_as_wild__is_only_what_has_no_scale():
    # kurtosis, skew and the two autocorrelations: four of eleven
    spec = own_world()
    garch = replace(spec.garch, variance_start=4 * spec.garch.variance_start)
    assert share_inside(replace(spec, volatility=2 * spec.volatility, garch=garch)) < 5 / 11


def test_inside__of_independent_normal_days__finds_tails_and_clusters_missing():
    rows = [
        row
        for past in own_pasts()
        for row in compare(own_world(model="gbm"), {"gold": past}, histories=LANES)
        if (row.cell.figure, row.cell.days) in (("kurtosis", 1), ("autocorrelation of |r|", 5))
    ]
    # of a true model nine in ten; 128 days of clusters may hide among 1,500
    assert np.mean([row.inside for row in rows]) < 0.5


def test_compare__two_assets__have_the_cells_of_each_and_of_the_pair():
    spec = metals("garch", n_steps=N_DAYS, n_assets=2)
    block = np.empty((2, N_DAYS + 1, LANES))
    fill(spec, 5, 0, block)
    days = START.toordinal() + np.arange(N_DAYS + 1)
    pasts = {
        name: Past(name, days[row * 100 :], np.log(block[row, row * 100 :, 7]))
        for row, name in enumerate(("gold", "silver"))
    }
    rows = compare(spec, pasts, histories=LANES)
    subjects = [row.cell.subject for row in rows]
    assert subjects == ["gold"] * 22 + ["silver"] * 22 + ["gold-silver"] * 2
    # both were drawn with a correlation of .77, in calm as in stress
    correlation, rise = rows[-2:]
    assert 0.7 < correlation.median < 0.84
    # weeks chosen for their size correlate a little more, whatever the market
    assert 0.0 < rise.median < 0.1
    assert [row.cell.counted for row in rows] == [
        *[True] * 11, *[False] * 11, *[True] * 11, *[False] * 11, True, False,
    ]  # fmt: skip


def test_matched__market_over_a_history__its_days_its_growth_and_a_long_run_variance():
    days = START.toordinal() + np.array([0, 1, 4, 5, 9, 11])
    logs = np.array([0.0, 0.01, 0.02, -0.01, 0.02, 0.04])
    wild = metals("garch", n_assets=1)
    wild = replace(wild, garch=replace(wild.garch, variance_start=np.array([1e-2])))
    spec = matched(wild, {"gold": Past("gold", days, logs)})
    assert (spec.start, spec.n_steps) == (START, 11)
    np.testing.assert_array_equal(np.flatnonzero(spec.trading[0]), [0, 1, 4, 5, 9, 11])
    # 5 moves in 11 days, each of variance sigma^2 / 365
    ticks = 5 / 11 * 365
    expected = 0.04 / 11 * 365 + 0.5 * 0.174**2 / 365 * ticks
    assert spec.drift[0] == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(spec.garch.variance_start, 0.174**2 / 365)


def test_pairs__of_assets_that_hardly_met__are_left_out():
    # 105 rows of every fifth day: 521 days in common make 104 weeks
    days = START.toordinal() + np.arange(1500)
    first, enough, short = (
        Past(name, days[start:], np.arange(1500.0 - start))
        for name, start in (("gold", 0), ("silver", 979), ("copper", 980))
    )
    found = pairs({"gold": first, "silver": enough, "copper": short})
    assert found == [("gold", "silver")]


def test_compare__history_that_begins_later__is_not_given_the_growth_before():
    # 300 days of silver at a third of its size: the first return must not hold 900 days' drift
    days = START.toordinal() + np.arange(N_DAYS + 1)
    logs = np.log(1.001) * np.arange(N_DAYS + 1)
    wobble = np.resize([0.0, 0.01], N_DAYS + 1)
    pasts = {
        "gold": Past("gold", days, logs + wobble),
        "silver": Past("silver", days[900:], (logs + wobble)[900:]),
    }
    spec = matched(metals("gbm", n_assets=2), pasts)
    found = simulated_figures(spec, pasts, LANES, 1)["silver"]
    place = ASSET_FIGURES.index(("volatility", 1))
    assert np.median(found[:, place]) == pytest.approx(0.318 / math.sqrt(365), rel=0.02)


def test_matched__market_with_views__forgets_what_it_foresees():
    loaded = load_scenario(
        "gold-vault-sober",
        calibration="hard-assets-2026-01",
        overrides=["market.model=macro", "market.views={real_rate: negative}"],
    )
    spec = market_spec(loaded.scenario, loaded.calibration)
    assert any(np.any(path) for path in spec.macro_plan.views.values())
    days = START.toordinal() + np.arange(N_DAYS + 1)
    found = matched(spec, {"gold": Past("gold", days, 0.01 * np.sin(days))})
    assert not any(np.any(path) for path in found.macro_plan.views.values())


def test_weekly_returns__of_two_calendars__every_fifth_day_that_both_have():
    first = Past("gold", np.arange(0, 40), np.arange(40) * 0.01)
    second = Past("bitcoin", np.arange(1, 60, 2), np.arange(1, 60, 2) * 0.02)
    rows, others = common_rows(first.days, second.days)
    np.testing.assert_array_equal(first.days[rows], [1, 11, 21, 31])
    np.testing.assert_array_equal(second.days[others], first.days[rows])
    np.testing.assert_allclose(weekly_returns(first, second), [[0.1] * 3, [0.2] * 3])


# the share of hits ----------------------------------------------------------------------------


def test_transform__share_below__ties_count_half():
    assert transform(np.array([1.0, 2.0, 2.0, 5.0]), 2.0) == 0.5
    assert transform(np.array([1.0, 2.0]), 0.0) == 0.0
    assert transform(np.array([1.0, 2.0]), 9.0) == 1.0


def test_coverage__of_clusters_that_agree_within__counts_the_clusters_alone():
    # 20 years of 5 equal answers: 18 hits of 20 are all that is known
    hits = np.repeat(np.arange(20) < 18, 5)
    found = coverage(hits, np.repeat(np.arange(20), 5))
    assert (found.share, found.count, found.clusters) == (0.9, 100, 20)
    assert found.effective == pytest.approx(20)
    # Wilson for 18 of 20 with Student's 2.093 of 19 degrees: by hand
    z = 2.093024
    centre = (0.9 + z * z / 40) / (1 + z * z / 20)
    half = z * math.sqrt(0.09 / 20 + (z / 40) ** 2) / (1 + z * z / 20)
    assert (found.low, found.high) == pytest.approx((centre - half, centre + half), rel=1e-5)


def test_coverage__of_answers_that_do_not_depend__is_wilsons_of_all_of_them():
    random = np.random.default_rng(3)
    hits = random.random(4000) < 0.9
    found = coverage(hits, np.arange(4000))
    wilson = stats.binomtest(int(hits.sum()), 4000).proportion_ci(0.95, method="wilson")
    assert (found.low, found.high) == pytest.approx((wilson.low, wilson.high), abs=2e-4)


def test_coverage__without_a_miss__has_an_interval_still():
    found = coverage(np.ones(68, dtype=bool), np.repeat(np.arange(17), 4))
    assert found.high == 1.0
    assert 0.75 < found.low < 0.85  # 17 of 17: Wilson's with Student's quantile is 0.79


def test_coverage__interval__holds_the_truth_nineteen_times_in_twenty():
    random = np.random.default_rng(11)
    held = 0
    for _ in range(400):
        year = random.normal(size=(17, 1))
        world = 0.7 * year + math.sqrt(1 - 0.49) * random.normal(size=(17, 12))
        hits = np.abs(world) < stats.norm.ppf(0.95)
        found = coverage(hits.ravel(), np.repeat(np.arange(17), 12))
        held += found.low <= 0.9 <= found.high
    assert 0.91 <= held / 400 <= 1.0


# the forecasts --------------------------------------------------------------------------------


@cache
def shipped():
    return load_scenario("gold-vault-sober")


SETTINGS = Settings(drifts={"gold": 0.035, "silver": 0.035, "copper": 0.035}, paths=1024)


@cache
def own_future() -> dict[str, Past]:
    """Return closes that the forecasts' own market has made, year by year on another seed."""
    loaded = shipped()
    logs, days = [np.zeros((3, 1))], [SETTINGS.origins[0].toordinal()]
    for year, origin in enumerate(SETTINGS.origins):
        scenario = at_origin(loaded.scenario, loaded.calibration, origin, SETTINGS)
        spec = market_spec(scenario, loaded.calibration)
        block = np.empty((3, spec.n_steps + 1, LANES))
        fill(spec, 777, 0, block)
        path = np.log(block[:, :, year] / block[:, :1, year])
        logs.append(logs[-1][:, -1:] + path[:, 1:])
        days += [origin.toordinal() + step for step in range(1, spec.n_steps + 1)]
    joined = np.concatenate(logs, axis=1)
    return {
        name: Past(name, np.array(days), joined[row]) for row, name in enumerate(SETTINGS.drifts)
    }


def forecasts(volatility: float = 1.0, shift: float = 0.0) -> list[Forecast]:
    calibration = shipped().calibration
    assets = {
        name: item.model_copy(
            update={
                "volatility": item.volatility.model_copy(
                    update={"value": volatility * item.volatility.value}
                ),
                "variance_start": item.variance_start.model_copy(
                    update={"value": volatility**2 * item.variance_start.value}
                ),
            }
        )
        for name, item in calibration.assets.items()
    }
    drifts = {name: drift + shift for name, drift in SETTINGS.drifts.items()}
    return backtest(
        shipped().scenario,
        own_future(),
        lambda day: calibration.model_copy(update={"assets": assets}),
        replace(SETTINGS, drifts=drifts),
    )


def test_forecasts__of_the_right_market__are_uniform_within_the_error():
    found = forecasts()
    assert len(found) == 17 * 3 * 4
    whole = pooled(found).whole
    assert whole.low <= 0.9 <= whole.high
    values = np.array([forecast.transform for forecast in found])
    # the mean of each year's transforms is one observation: years do not depend on each other
    years = values.reshape(17, -1).mean(axis=1)
    assert abs(years.mean() - 0.5) < 3 * years.std(ddof=1) / math.sqrt(17)


def test_forecasts__twice_too_wide__cover_too_much():
    whole = pooled(forecasts(volatility=2.0)).whole
    assert whole.share > 0.97
    assert whole.low > 0.9


def test_forecasts__half_as_wide__cover_too_little():
    whole = pooled(forecasts(volatility=0.5)).whole
    assert whole.share < 0.8
    assert whole.high < 0.9


def test_forecasts__with_a_drift_far_too_high__lie_above_what_comes():
    values = [forecast.transform for forecast in forecasts(shift=0.8) if forecast.months == 12]
    assert np.mean(values) < 0.3


def test_pooled__by_asset_and_horizon__counts_each_forecast_once():
    found = pooled(forecasts())
    assert set(found.by_asset) == {"gold", "silver", "copper"}
    assert [item.count for item in found.by_months.values()] == [51] * 4
    assert sum(found.shares) == pytest.approx(1.0)


def test_months_on__of_a_years_end__last_days_of_months():
    ends = [months_on(dt.date(2011, 12, 31), months) for months in (1, 2, 3, 6, 12)]
    assert [str(end) for end in ends] == [
        "2012-01-31", "2012-02-29", "2012-03-31", "2012-06-30", "2012-12-31",
    ]  # fmt: skip


def test_realised_return__between_last_closes__and_none_where_they_are_stale():
    first = dt.date(2012, 12, 28).toordinal()
    past = Past("gold", np.array([first, first + 33, first + 100]), np.array([1.0, 1.2, 0.9]))
    origin, end = dt.date(2012, 12, 31), dt.date(2013, 1, 31)
    assert realised_return(past, origin, end) == pytest.approx(0.2)
    assert realised_return(past, origin, dt.date(2013, 3, 31)) is None
    assert realised_return(past, dt.date(2012, 12, 1), end) is None
