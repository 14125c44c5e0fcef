"""Several tables make one calibration, whichever days their assets trade on."""

import datetime as dt
import warnings
from dataclasses import replace

import numpy as np
import pytest

from simulator.errors import InputError
from simulator.market.calibration import (
    Exclusion,
    PriceTable,
    calibrate_until,
    closes_of,
    dependence,
    fit_asset,
    fit_calibration,
    matrix,
)
from simulator.market.calibration.columns import Column
from simulator.scenario.correlation import nearest_correlation

FACTOR = np.array([[1, 0.7, 0.5], [0, 0.51**0.5, 0.1], [0, 0, 0.74**0.5]])
"""Of unit variances and correlations .7, .5 and .7 * .5 + .1 * .51**.5."""
FIRST = dt.date(2010, 1, 4)  # a Monday


def table(assets, returns, name, *, every_day=False):
    """Return the table of log returns of shape (n_periods, n_assets)."""
    days = (FIRST + dt.timedelta(days=n) for n in range(2 * len(returns) + 10))
    dates = [day for day in days if every_day or day.weekday() < 5][: len(returns) + 1]
    prices = 100 * np.exp(np.vstack([np.zeros(len(assets)), np.cumsum(returns, axis=0)]))
    return PriceTable(
        path=f"{name}.csv",
        file=f"{name}.csv",
        sha256="0" * 64,
        dates=tuple(dates),
        columns=tuple(Column(asset, asset, "oz", "oz", 1.0) for asset in assets),
        prices={asset: prices[:, k] for k, asset in enumerate(assets)},
        last_quotes={asset: float(prices[-1, k]) for k, asset in enumerate(assets)},
    )


@pytest.fixture(scope="module")
def market():
    """Return two tables: metals of trading days, Bitcoin of all days, correlated .5 by days."""
    random = np.random.default_rng(20)
    dof, n_days = 6, 2800
    mixing = np.sqrt((dof - 2) / random.chisquare(dof, (n_days, 1)))
    shocks = mixing * (random.standard_normal((n_days, 3)) @ FACTOR)
    every_day = [FIRST + dt.timedelta(days=n) for n in range(n_days + 1)]
    weekday = np.array([day.weekday() < 5 for day in every_day[1:]])
    metals = table(("gold", "silver"), 0.01 * shocks[weekday, :2], "metals")
    bitcoin = table(("bitcoin",), 0.03 * shocks[:, 2:], "crypto", every_day=True)
    assert metals.as_of <= bitcoin.as_of
    return metals, bitcoin


def test_fit__two_calendars__each_asset_has_its_own_clock(market):
    fitted = fit_calibration(market, "both")
    assert list(fitted.assets) == ["gold", "silver", "bitcoin"]
    periods = {asset: figures.periods_per_year for asset, figures in fitted.assets.items()}
    assert periods == {"gold": 252, "silver": 252, "bitcoin": 365}
    bitcoin = fitted.assets["bitcoin"].volatility
    assert abs(bitcoin.value - 0.03 * np.sqrt(365)) < 3 * bitcoin.standard_error
    assert fitted.source == "metals.csv (sha256 000000000000); crypto.csv (sha256 000000000000)"
    assert fitted.as_of == market[1].as_of


def test_fit__pairs__by_days_within_a_table_and_by_weeks_across(market):
    fitted = fit_calibration(market, "both")
    within, across, _ = fitted.correlations
    assert (within.between, across.between) == (("gold", "silver"), ("gold", "bitcoin"))
    assert "weekly" not in within.note
    assert across.note.startswith("weekly, Friday to Friday")
    # .7 of unit variances; and of seven days' variance five are gold's: .5 sqrt(5/7).
    assert abs(within.value - 0.7) < 3 * within.standard_error
    assert abs(across.value - 0.5 * np.sqrt(5 / 7)) < 3 * across.standard_error
    assert across.standard_error < 0.08


def test_fit__joint_tail__is_one_for_each_class(market):
    both = fit_calibration(market, "both").joint_degrees_of_freedom
    alone = [fit_calibration(one, "one").joint_degrees_of_freedom for one in market]
    assert both == {**alone[0], **alone[1]}
    assert len(both) == 2


def test_fit__joint_tail__of_a_class_in_two_tables_is_pooled_over_them(market):
    columns = market[0].columns
    halves = [replace(market[0], path=f"{n}.csv", columns=(columns[n],)) for n in (0, 1)]
    (pooled,) = fit_calibration(halves, "halves").joint_degrees_of_freedom.values()
    alone = [
        next(iter(fit_calibration(one, "one").joint_degrees_of_freedom.values())) for one in halves
    ]
    assert min(a.value for a in alone) < pooled.value < max(a.value for a in alone)
    assert f"alone {alone[0].value:.1f}, {alone[1].value:.1f}" in pooled.note


def test_fit__same_asset_in_two_tables__is_refused(market):
    again = replace(market[0], path="again.csv", columns=market[0].columns[:1])
    with pytest.raises(InputError) as caught:
        fit_calibration((market[0], again), "twice")
    (problem,) = caught.value.problems
    assert (problem.file, problem.field) == ("again.csv", "gold")
    assert problem.rule == "is in metals.csv too; keep one"


def test_fit__bitcoin_without_weekends__is_refused_and_the_frequency_named(market):
    weekdays = table(("bitcoin",), np.full((600, 1), 0.01), "coins")
    with pytest.raises(InputError) as caught:
        fit_calibration((market[0], weekdays), "both")
    (problem,) = caught.value.problems
    assert str(problem) == (
        "coins.csv: date is daily (trading days): weekends are gaps, 261 periods a year; "
        "must have all days: bitcoin moves on weekends too"
    )


def test_weekly_returns__run_from_friday_to_friday():
    returns = np.full((14, 1), 0.01)
    gold = closes_of([table(("gold",), returns, "t")], ())["gold"]
    # Monday 4 January; the Fridays are days 4, 9 and 14 of trading.
    weekly = gold.weekly_returns()
    np.testing.assert_allclose(weekly, [0.05, 0.05], rtol=1e-12)
    fridays = [dt.date.fromordinal(day) for day in weekly.index]
    assert fridays == [dt.date(2010, 1, 15), dt.date(2010, 1, 22)]


def test_weekly_returns__holiday_friday__takes_the_close_before():
    whole = closes_of([table(("gold",), np.full((14, 1), 0.01), "t")], ())["gold"]
    holiday = replace(whole, prices=whole.prices.drop(index=dt.date(2010, 1, 15)))
    np.testing.assert_allclose(holiday.weekly_returns(), [0.04, 0.06], rtol=1e-12)


def test_weekly_returns__week_of_an_excluded_day__is_left_out():
    out = Exclusion(dt.date(2010, 1, 12), "gold")
    gold = closes_of([table(("gold",), np.full((14, 1), 0.01), "t")], [out])["gold"]
    assert [dt.date.fromordinal(day) for day in gold.weekly_returns().index] == [
        dt.date(2010, 1, 22)
    ]
    assert len(gold.returns()) == 13


def test_correlation__by_days__misses_what_weeks_show_where_closes_are_hours_apart():
    random = np.random.default_rng(5)
    # Two assets that move alike, 12 half-days apart: one closes at noon, one at midnight.
    halves = random.normal(0, 0.01, 6000)
    noon = halves[0:-1:2] + halves[1::2]
    midnight = halves[1:-1:2] + halves[2::2]
    days = np.corrcoef(noon[:-1], midnight[: len(noon) - 1])[0, 1]
    tables = [table(("gold",), noon[: len(midnight), None], "a"),
              table(("big_tech",), midnight[:, None], "b")]  # fmt: skip
    (pair,) = matrix.correlations(closes_of(tables, ()))
    assert days == pytest.approx(0.5, abs=0.05)
    # Nine of ten half-days are the same.
    assert abs(pair.value - 0.9) < 3 * pair.standard_error


def test_nearest_correlation__highams_example():
    # Higham (2002), section 5: the nearest matrix to ones on the diagonals, zero in the corner.
    given = np.array([[1.0, 1, 0], [1, 1, 1], [0, 1, 1]])
    a, b = 0.7607, 0.1573
    expected = [[1, a, b], [a, 1, a], [b, a, 1]]
    # The margin kept from a singular matrix costs a few thousandths.
    np.testing.assert_allclose(nearest_correlation(given), expected, atol=4e-3)


def test_nearest_correlation__agrees_with_statsmodels():
    tools = pytest.importorskip("statsmodels.stats.correlation_tools")
    random = np.random.default_rng(8)
    noise = np.triu(random.normal(0, 0.35, (9, 9)), 1)
    given = np.clip(0.4 + noise + noise.T, -0.99, 0.99)
    np.fill_diagonal(given, 1)
    assert np.linalg.eigvalsh(given)[0] < -0.1
    ours = nearest_correlation(given)
    assert np.linalg.eigvalsh(ours)[0] > 0
    np.testing.assert_allclose(np.diag(ours), 1, atol=1e-12)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it stops at its limit of iterations, near enough
        theirs = tools.corr_nearest(given, threshold=1e-9, n_fact=200)
    # Theirs is a heuristic; ours must be at least as near.
    assert np.linalg.norm(ours - given) <= np.linalg.norm(theirs - given) + 0.01


def test_nearest_correlation__definite_matrix__stays():
    given = np.array([[1, 0.5], [0.5, 1]])
    np.testing.assert_allclose(nearest_correlation(given), given, atol=1e-9)


def test_consistent__pairs_that_contradict__are_moved_and_say_so(market):
    fitted = fit_calibration(market, "both")
    pairs = tuple(
        pair.model_copy(update={"value": value})
        for pair, value in zip(fitted.correlations, (0.9, 0.9, -0.9), strict=True)
    )
    names = tuple(fitted.assets)
    moved = matrix.consistent(names, pairs)
    values = fitted.model_copy(update={"correlations": moved}).correlation(names)
    assert np.linalg.eigvalsh(values)[0] > 1e-8
    assert all("nearest positive definite matrix" in pair.note for pair in moved)
    assert matrix.consistent(names, fitted.correlations) == fitted.correlations


def test_calibrate_until__knows_nothing_of_what_came_after(market):
    closes = closes_of(market, ())
    date = dt.date(2015, 12, 31)
    then = calibrate_until(closes, date)
    spoiled = {
        asset: replace(found, prices=found.prices.where(found.prices.index <= date, 1e6))
        for asset, found in closes.items()
    }
    assert calibrate_until(spoiled, date) == then
    assert then.as_of == date
    last = market[0].prices["gold"][[d <= date for d in market[0].dates]][-1]
    assert then.assets["gold"].price.value == pytest.approx(last, rel=1e-8)


def test_calibrate_until__asset_takes_part_from_five_years_on(market):
    closes = closes_of(market, ())
    young = closes["bitcoin"].prices
    closes["bitcoin"] = replace(closes["bitcoin"], prices=young[young.index >= dt.date(2012, 1, 1)])
    assert list(calibrate_until(closes, dt.date(2016, 6, 30)).assets) == ["gold", "silver"]
    assert "bitcoin" in calibrate_until(closes, dt.date(2017, 1, 1)).assets
    with pytest.raises(InputError, match="no asset has 5 years of closes"):
        calibrate_until(closes, dt.date(2014, 1, 1))


def test_fit_asset__is_what_the_calibration_says(market):
    gold = closes_of(market, ())["gold"]
    fit = fit_asset(gold.returns().to_numpy(), 252)
    figures = fit_calibration(market[0], "metals").assets["gold"]
    # these weekdays know no holidays: 261 of them are a year
    counted = fit.volatility.value * np.sqrt(gold.rows_per_year / 252)
    assert gold.rows_per_year == pytest.approx(365.25 * 5 / 7, rel=1e-3)
    assert counted == pytest.approx(figures.volatility.value, rel=1e-3)
    assert fit.garch.beta.value == figures.beta.value
    assert fit.periods_per_year == 252


def test_joint_dof__groups__add_their_likelihoods():
    random = np.random.default_rng(3)
    group = random.standard_t(5, (4000, 1)) / np.sqrt(5 / 3)
    once = dependence.joint_degrees_of_freedom(group)
    twice = dependence.joint_degrees_of_freedom(group, group)
    assert twice.value == pytest.approx(once.value, rel=1e-6)
    # Twice the scores' squares over twice the curvature: smaller by the root of two,
    assert twice.standard_error == pytest.approx(once.standard_error / np.sqrt(2), rel=1e-4)
    # but the same days seen twice tell nothing new.
    same_days = [np.arange(4000)] * 2
    again = dependence.joint_degrees_of_freedom(group, group, days=same_days)
    assert again.standard_error == pytest.approx(once.standard_error, rel=1e-4)


def test_joint_dof__two_tables_wild_on_the_same_days__error_is_the_spread():
    random = np.random.default_rng(6)
    every_day = np.arange(2000)
    weekday = every_day % 7 < 5
    estimates = []
    for _ in range(24):
        mixing = np.sqrt(4 / random.chisquare(6, (2000, 1)))
        shocks = mixing * (random.standard_normal((2000, 3)) @ FACTOR)
        groups = shocks[weekday, :2], shocks[:, 2:]
        days = [every_day[weekday], every_day]
        estimates.append(dependence.joint_degrees_of_freedom(*groups, days=days))
    values = np.array([estimate.value for estimate in estimates])
    error = np.mean([estimate.standard_error for estimate in estimates])
    assert abs(values.mean() - 6) < 3 * error / np.sqrt(24)
    assert values.std(ddof=1) == pytest.approx(error, rel=0.35)
