"""Scores beside a random walk with GARCH volatility."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from simulator.market.validation.backtest import Forecast, Settings
from simulator.market.validation.coverage import crps
from simulator.market.validation.past import Past
from simulator.market.validation.peer import (
    compared,
    error_by_years,
    peer_scores,
    random_walks,
)

ORIGIN = dt.date(2019, 12, 31)
SETTINGS = Settings(drifts={}, paths=4096)


def test_crps__of_an_ensemble__is_the_one_of_scoringrules():
    scoringrules = pytest.importorskip("scoringrules")
    sample = np.random.default_rng(1).standard_t(4, 501)
    for came in (-3.0, 0.1, 7.0):
        expected = scoringrules.crps_ensemble(came, sample, estimator="nrg")
        assert crps(sample, came) == pytest.approx(float(expected), rel=1e-9)


def test_crps__of_a_normal_sample__is_the_closed_form():
    # Gneiting and Raftery 2007, equation 22: s (z (2 F(z) - 1) + 2 f(z) - 1 / sqrt(pi))
    sample = np.random.default_rng(1).normal(1.0, 2.0, 400_000)
    z = (2.5 - 1.0) / 2.0
    expected = 2 * (
        z * (2 * stats.norm.cdf(z) - 1) + 2 * stats.norm.pdf(z) - 1 / math.sqrt(math.pi)
    )
    assert crps(sample, 2.5) == pytest.approx(expected, rel=0.005)


def test_crps__of_a_single_number__is_its_distance():
    assert crps(np.full(7, 2.0), 5.0) == pytest.approx(3.0)


def own_days(volatility: float = 0.01, n: int = 2500) -> np.ndarray:
    return np.random.default_rng(5).normal(0, volatility, n)


@pytest.mark.parametrize(("asset", "ticks"), [("gold", 21), ("bitcoin", 31)])
def test_walks__of_normal_days__spread_by_the_root_of_the_days_that_trade(asset, ticks):
    pytest.importorskip("arch")
    # January 2020 has 31 days, 21 of them trading days (1 and 20 January are holidays)
    walks = random_walks(own_days(), ORIGIN, asset, SETTINGS)
    assert walks.shape == (4, 4096)
    assert walks[0].std() == pytest.approx(0.01 * math.sqrt(ticks), rel=0.06)
    assert abs(walks[0].mean()) < 4 * 0.01 * math.sqrt(ticks / 4096)
    assert walks[3].std() == pytest.approx(0.01 * math.sqrt(ticks / 21 * 252), rel=0.25)


def test_walks__once_more__are_the_same_numbers():
    pytest.importorskip("arch")
    first, again = (random_walks(own_days(), ORIGIN, "gold", SETTINGS) for _ in range(2))
    np.testing.assert_array_equal(first, again)


def forecast(
    year: int, asset: str = "gold", months: int = 1, score: float = 1.0, level: float = 1.0
) -> Forecast:
    origin, end = dt.date(year, 12, 31), dt.date(year + 1, 1, 31)
    return Forecast(origin, asset, months, end, -0.1, 0.0, 0.1, 0.02, 0.6, score, level)


def test_scores__of_each_forecast__know_the_closes_up_to_its_origin_alone():
    pytest.importorskip("arch")
    days = ORIGIN.toordinal() - np.arange(2501)[::-1]
    known = Past("gold", days, np.concatenate([[0.0], np.cumsum(own_days())]))
    later = Past("gold", np.append(days, days[-1] + 9), np.append(known.logs, 50.0))
    wanted = [forecast(2019), forecast(2019, months=6)]
    found = [peer_scores(wanted, {"gold": past}, SETTINGS) for past in (known, later)]
    np.testing.assert_array_equal(found[0], found[1])
    walks = random_walks(known.returns, ORIGIN, "gold", SETTINGS)
    assert found[0].tolist() == [crps(walks[0], 0.02), crps(walks[2], 0.02)]


def test_compared__differences__are_in_units_of_the_peers_mean_of_the_cell():
    forecasts = [
        forecast(2010, score=1.0),
        forecast(2011, score=3.0),
        forecast(2010, "bitcoin", score=10.0),
        forecast(2011, "bitcoin", score=30.0),
    ]
    # gold: (1 - 2) / 2 and (3 - 2) / 2; bitcoin: (10 - 40) / 40 and (30 - 40) / 40
    found = compared(forecasts, np.array([2.0, 2.0, 40.0, 40.0]), 1)
    assert found["gold"].excess == pytest.approx(0.0)
    assert found["bitcoin"].excess == pytest.approx(-0.5)
    assert found["all"].excess == pytest.approx(-0.25)
    assert (found["all"].own, found["all"].peer) == (11.0, 21.0)
    assert list(found) == ["all", "gold", "bitcoin", "1 month", "gold, 1 month", "bitcoin, 1 month"]
    level = compared(
        [replace(f, crps_level=2.0) for f in forecasts[:2]], np.full(2, 2.0), 1, level=True
    )
    assert level["all"].excess == 0.0


def test_error__of_years_that_agree_within__is_that_of_the_years():
    # 400 years of 5 equal values: the error of a mean of 400 draws
    values = np.random.default_rng(1).normal(size=400)
    found = error_by_years(np.repeat(values, 5), np.repeat(np.arange(400), 5), 1)
    assert found == pytest.approx(values.std() / 20, rel=0.05)


def test_no_worse__by_a_standard_error__and_not_by_two():
    forecasts = [forecast(2000 + place, score=1.0 + place % 2) for place in range(20)]
    # the years' differences are 0 and 1: mean .5, error .11
    close = compared(forecasts, np.full(20, 1.45), 1)["all"]
    assert 0 < close.excess < close.error
    assert close.no_worse
    assert not compared(forecasts, np.full(20, 1.0), 1)["all"].no_worse
