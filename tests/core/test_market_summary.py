"""The market by itself: closed forms, an independent reduction, the same for any threads."""

from __future__ import annotations

import math

import numpy as np
import pytest
import worlds
from scipy import stats

from simulator.engine import MarketSummary, summarise_market
from simulator.engine.day_counts import RELATIVE_ERROR
from simulator.market.build import market_spec
from simulator.market.paths import simulate_market
from simulator.measures import max_drawdown

N_PATHS = 20_000
ASSETS = ("gold", "silver", "copper")


def summarise(*overrides: str, **options: int) -> MarketSummary:
    loaded = worlds.load("horizon_days=120", *overrides)
    return summarise_market(loaded.scenario, loaded.calibration, **options)


@pytest.fixture(scope="module")
def gbm() -> MarketSummary:
    return summarise("market.model=gbm", f"paths={N_PATHS}")


def law(found: MarketSummary, index: int) -> tuple[float, float]:
    """Return mean and deviation of ln(S_T / S_0) under gbm, from the spec's own figures."""
    spec = found.spec
    days = np.flatnonzero(spec.trading[index, 1:]) + 1
    variance = spec.volatility[index] ** 2 / 252 * days.size
    return spec.drift[index] * days[-1] / 365 - variance / 2, math.sqrt(variance)


@pytest.mark.parametrize("index", range(3), ids=ASSETS)
def test_gbm__median_quantiles_and_mean__lognormal(gbm, index):
    # standard error of a quantile of ln S: sqrt(p (1 - p) / n) / density
    asset = gbm.assets[index]
    mean, deviation = law(gbm, index)
    for p, price in ((0.05, asset.p05), (0.5, asset.median), (0.95, asset.p95)):
        z = stats.norm.ppf(p)
        error = deviation * math.sqrt(p * (1 - p) / N_PATHS) / stats.norm.pdf(z)
        assert abs(math.log(price / asset.start_price) - mean - z * deviation) < 3 * error, p
    expected = asset.start_price * math.exp(mean + deviation**2 / 2)
    assert abs(asset.mean - expected) < 3 * asset.mean_error
    # of a lognormal: E S * sqrt((e^(s^2) - 1) / n)
    error = expected * math.sqrt(math.expm1(deviation**2) / N_PATHS)
    assert asset.mean_error == pytest.approx(error, rel=0.05)


@pytest.mark.parametrize("index", range(3), ids=ASSETS)
def test_gbm__volatility_and_kurtosis__of_normal_returns(gbm, index):
    # The drift of a weekend lands on one day: the days' means add their own variance.
    spec, asset = gbm.spec, gbm.assets[index]
    days = np.flatnonzero(spec.trading[index, 1:]) + 1
    means = spec.drift[index] / 365 * np.diff(np.concatenate(([0], days)))
    count = N_PATHS * days.size
    variance = spec.volatility[index] ** 2 / 252 + means.var()
    assert abs(asset.volatility**2 / 252 - variance) < 3 * variance * math.sqrt(2 / count)
    assert abs(asset.excess_kurtosis) < 3 * math.sqrt(24 / count)


@pytest.mark.parametrize(("first", "second"), [(0, 1), (0, 2), (1, 2)])
def test_gbm__correlation__as_calibrated(gbm, first, second):
    expected = gbm.calibration.correlation(ASSETS)[first, second]
    count = N_PATHS * int(gbm.spec.trading[0, 1:].sum())
    found = gbm.correlation[first, second]
    assert abs(found - expected) < 3 * (1 - expected**2) / math.sqrt(count)
    assert found == gbm.correlation[second, first]
    assert gbm.correlation[first, first] == 1.0


def moments(cumulants: dict[int, float], order: int) -> list[float]:
    """Return E[x^k] for k = 0 to `order`; m_n = sum over k of C(n-1, k-1) kappa_k m_(n-k)."""
    found = [1.0]
    for n in range(1, order + 1):
        terms = (math.comb(n - 1, k - 1) * cumulants[k] * found[n - k] for k in range(1, n + 1))
        found.append(sum(terms))
    return found


def test_jump__kurtosis__mertons_cumulants():
    # kappa_2 = total variance a day; kappa_n = lambda E[J^n] a day for n > 2
    found = summarise("market.model=jump", f"paths={N_PATHS}")
    for index, asset in enumerate(found.assets):
        jumps = found.spec.jumps
        rate, mean, sd = (a[index] for a in (jumps.intensity / 252, jumps.mean, jumps.sd))
        sizes = moments({1: mean, 2: sd**2, **dict.fromkeys(range(3, 9), 0.0)}, 8)
        cumulants = {n: rate * sizes[n] for n in range(3, 9)}
        cumulants |= {1: 0.0, 2: found.spec.volatility[index] ** 2 / 252}
        _, _, m2, _, m4, _, m6, _, m8 = moments(cumulants, 8)
        kurtosis = m4 / m2**2
        # influence of an observation on m4 / m2^2: x^4 / m2^2 - 2 K x^2 / m2
        spread = m8 / m2**4 - 4 * kurtosis * m6 / m2**3 + 4 * kurtosis**3 - kurtosis**2
        count = N_PATHS * int(found.spec.trading[index, 1:].sum())
        assert abs(asset.excess_kurtosis + 3 - kurtosis) < 3 * math.sqrt(spread / count)
        assert kurtosis > 6  # a normal law's 3 would be far outside


def test_drawdown_and_quantiles__of_an_odd_number_of_paths__as_measured_path_by_path():
    found = summarise("paths=330")
    paths = simulate_market(found.spec, found.scenario.seed, 0, 384)
    for asset in found.assets:
        prices = paths.prices[asset.name][:, :330]
        falls = np.quantile(max_drawdown(prices), (0.5, 0.95))
        np.testing.assert_allclose([asset.drawdown_median, asset.drawdown_p95], falls, rtol=1e-12)
        assert asset.median == np.quantile(prices[-1], 0.5)
        traded = np.flatnonzero(found.spec.trading[0, 1:])
        returns = np.diff(np.log(prices), axis=0)[traded]
        assert asset.volatility == pytest.approx(returns.std() * math.sqrt(252), rel=1e-9)
        assert asset.excess_kurtosis == pytest.approx(stats.kurtosis(returns, axis=None), rel=1e-6)
        joint = [np.diff(np.log(paths.prices[name][:, :330]), axis=0)[traded] for name in ASSETS]
        expected = np.corrcoef([part.ravel() for part in joint])
        np.testing.assert_allclose(found.correlation, expected, rtol=0, atol=1e-10)
        rows = found.daily[found.daily["series"] == asset.name]
        assert rows["p50"].iloc[-1] == pytest.approx(asset.median, rel=RELATIVE_ERROR)


def test_checksum__same_for_threads_and_blocks():
    expected = summarise("paths=700", workers=1).checksum
    assert summarise("paths=700", workers=2).checksum == expected
    assert summarise("paths=700", workers=2, block_paths=128).checksum == expected
    assert summarise("paths=700", workers=1, block_paths=1024).checksum == expected
    assert summarise("paths=700", "seed=2").checksum != expected


def test_progress__counts_every_path_once():
    done: list[int] = []
    loaded = worlds.load("horizon_days=30", "paths=300")
    summarise_market(loaded.scenario, loaded.calibration, on_block=done.append)
    assert sum(done) == 300


def test_scenario__one_asset__correlation_is_one_by_one():
    loaded = worlds.load("horizon_days=30", "paths=128")
    terms = loaded.scenario.market
    gold = terms.model_copy(update={"assets": {"gold": terms.assets["gold"]}})
    scenario = loaded.scenario.model_copy(update={"market": gold})
    found = summarise_market(scenario, loaded.calibration)
    assert found.correlation.tolist() == [[1.0]]
    assert market_spec(scenario, loaded.calibration).assets == ("gold",)


def test_drift__model_without_factors__is_the_base_alone(gbm):
    assert [(part.asset, part.part, part.kind) for part in gbm.drift] == [
        (name, "base", "base") for name in ASSETS
    ]
    for part, asset in zip(gbm.drift, gbm.assets, strict=True):
        assert part.mean == part.p05 == part.p95 == asset.expected_growth
    assert gbm.factors.empty
    assert list(gbm.factors.columns) == list(gbm.daily.columns)
    assert gbm.notes == ()


@pytest.fixture(scope="module")
def macro() -> MarketSummary:
    views = (
        "market.views={real_rate: negative, rate_pace: any, targets: {copper: {at_least: 12_000}}}"
    )
    return summarise("market.model=macro", "paths=5_000", views)


def test_drift__macro_model__parts_add_up_to_the_growth_of_the_expectation(macro):
    # ln E[S_T | factors] averaged, less the channels' own half variance, is what E[S_T] shows
    for asset in macro.assets:
        parts = [part for part in macro.drift if part.asset == asset.name]
        assert [part.part for part in parts[:1]] == ["base"]
        shown = sum(part.mean for part in parts if part.kind != "convexity")
        grown = math.log(asset.mean / asset.start_price) / (120 / 365)
        error = asset.mean_error / asset.mean / (120 / 365)
        assert abs(shown - grown) < 3.5 * error, asset.name
        for part in parts:
            assert part.p05 <= part.mean <= part.p95
            assert part.label
    by_name = {(part.asset, part.part): part for part in macro.drift}
    assert by_name["gold", "view.real_rate"].mean > 0.3
    assert by_name["gold", "real_rate"].p05 < 0 < by_name["gold", "real_rate"].p95
    assert ("copper", "view.target") not in by_name


def test_factors__macro_model__daily_quantiles_with_units(macro):
    series = macro.factors.groupby("series").size()
    assert set(series) == {121}
    assert set(series.index) == set(macro.factor_units)
    assert "bitcoin_dominance" not in series.index  # this market has no coins
    last = macro.factors[macro.factors["date"] == macro.factors["date"].max()]
    rate = last.set_index("series").loc["real_rate"]
    assert rate["p05"] < rate["p50"] < rate["p95"]
    assert rate["p50"] == pytest.approx(-0.01, abs=0.001)
    assert macro.notes == (
        "copper at least 12,000: met already, it starts at 12,727.3; nothing is added",
    )


def test_summary__macro_model__same_for_any_threads_and_blocks(macro):
    views = (
        "market.views={real_rate: negative, rate_pace: any, targets: {copper: {at_least: 12_000}}}"
    )
    again = summarise("market.model=macro", "paths=5_000", views, workers=3, block_paths=128)
    assert again.checksum == macro.checksum
    assert again.drift == macro.drift
