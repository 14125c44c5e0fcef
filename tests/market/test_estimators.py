"""Each estimator of the macro fits recovers what it was given, and agrees with statsmodels."""

import importlib

import numpy as np
import pytest

from simulator.errors import UsageError
from simulator.market.calibration import diffusion
from simulator.market.calibration.diffusion import Estimate, FitError
from simulator.market.calibration.ratio import fit_ratio
from simulator.market.calibration.regression import least_squares, t_statistic, weak_t
from simulator.market.calibration.reversion import mean_reversion
from simulator.market.calibration.switching import two_states


def reference(module):
    return pytest.importorskip(f"statsmodels.{module}")


def within(estimate, truth, errors=3.0):
    """Return whether an estimate is within `errors` standard errors of the truth."""
    assert estimate.standard_error > 0
    return abs(estimate.value - truth) < errors * estimate.standard_error


def ornstein_uhlenbeck(random, years, kappa, mean, sigma, periods=12):
    """Return exact monthly values, begun in the long run."""
    phi = np.exp(-kappa / periods)
    spread = sigma * np.sqrt((1 - phi**2) / (2 * kappa))
    values = np.empty(years * periods)
    values[0] = mean + sigma / np.sqrt(2 * kappa) * random.standard_normal()
    for k in range(1, len(values)):
        values[k] = mean + phi * (values[k - 1] - mean) + spread * random.standard_normal()
    return values


# Regression ---------------------------------------------------------------------------------


@pytest.mark.parametrize("lags", [0, 3, 12])
def test_least_squares__agrees_with_statsmodels(lags):
    api = reference("api")
    random = np.random.default_rng(1)
    x = np.cumsum(random.standard_normal((300, 2)), axis=0)
    y = 1 + x @ [0.5, -2] + random.standard_normal(300) * (1 + np.abs(x[:, 0]))
    ours = least_squares(y, x[:, 0], x[:, 1], lags=lags)
    kind = {"cov_type": "HAC", "cov_kwds": {"maxlags": lags, "use_correction": True}}
    theirs = api.OLS(y, api.add_constant(x)).fit(**kind)
    estimates = [ours.intercept, *ours.slopes]
    np.testing.assert_allclose([e.value for e in estimates], theirs.params, rtol=1e-9)
    np.testing.assert_allclose([e.standard_error for e in estimates], theirs.bse, rtol=1e-9)
    assert ours.r_squared == pytest.approx(theirs.rsquared, rel=1e-9)
    assert ours.deviation == pytest.approx(np.sqrt(theirs.scale), rel=1e-9)


def test_least_squares__known_beta__within_its_errors_on_average():
    random = np.random.default_rng(2)
    z = []
    for _ in range(200):
        x = random.standard_normal(276)
        y = 0.002 - 0.095 * x + 0.04 * random.standard_normal(276)
        slope = least_squares(y, x, lags=3).slopes[0]
        z.append((slope.value + 0.095) / slope.standard_error)
    assert abs(np.mean(z)) < 3 / 200**0.5
    assert np.std(z) == pytest.approx(1, abs=0.15)


def test_least_squares__what_it_cannot_fit__is_refused():
    x, y = np.arange(20.0), np.sin(np.arange(20.0))
    for outcome, regressors, reason in (
        (y[:5], (x[:5],), "5 values are too few for a regression"),
        (y, (np.ones(20),), "a series does not vary"),
        (np.ones(20), (x,), "a series does not vary"),
        (y, (x, 2 * x), "the regressors move as one"),
    ):
        with pytest.raises(FitError, match=reason):
            least_squares(outcome, *regressors)
    assert least_squares(y[:6], x[:6]).n_periods == 6


def test_weak_t__below_two__says_so():
    assert weak_t(Estimate(1.9, 1.0)) == "|t| = 1.9, below 2"
    assert weak_t(Estimate(-1.9, 1.0)) == "|t| = 1.9, below 2"
    assert weak_t(Estimate(-2.1, 1.0)) == ""
    assert t_statistic(Estimate(3.0, 2.0)) == 1.5
    assert weak_t(Estimate(3.0, 0.0)) == ""
    assert weak_t(Estimate(3.0, np.nan)) == "no standard error could be worked out"


# AR(1) and Ornstein-Uhlenbeck ---------------------------------------------------------------


def test_mean_reversion__known_process__is_recovered():
    values = ornstein_uhlenbeck(np.random.default_rng(3), 60, 1.2, 0.02, 0.01)
    fit = mean_reversion(values, 12)
    assert within(fit.speed, 1.2)
    assert within(fit.long_run, 0.02)
    assert within(fit.volatility, 0.01)
    assert within(fit.persistence, np.exp(-0.1))
    assert within(fit.half_life, np.log(2) / 1.2)
    # Errors of the size that 60 years allow: sigma to 1 / sqrt(2 * 720), the speed to a third.
    assert fit.volatility.standard_error == pytest.approx(0.01 / 1440**0.5, rel=0.15)
    assert fit.speed.standard_error < 0.4
    assert fit.weak == ""


def test_mean_reversion__over_replicas__errors_are_the_spread():
    random = np.random.default_rng(4)
    fits = [mean_reversion(ornstein_uhlenbeck(random, 60, 1.2, 0.0, 1.0), 12) for _ in range(120)]
    for name in ("speed", "volatility", "long_run"):
        estimates = [getattr(fit, name) for fit in fits]
        spread = np.std([estimate.value for estimate in estimates], ddof=1)
        claimed = np.mean([estimate.standard_error for estimate in estimates])
        assert claimed == pytest.approx(spread, rel=0.25), name
    # The known bias of least squares: 4 / years.
    bias = np.mean([fit.speed.value for fit in fits]) - 1.2
    assert bias == pytest.approx(4 / 60, abs=0.08)


@pytest.mark.filterwarnings("ignore:adfuller currently returns:FutureWarning")
def test_mean_reversion__agrees_with_statsmodels():
    regression = reference("tsa.ar_model")
    tools = reference("tsa.stattools")
    values = ornstein_uhlenbeck(np.random.default_rng(5), 30, 0.3, 0.01, 0.0077)
    fit = mean_reversion(values, 12)
    constant, phi = regression.AutoReg(values, lags=1).fit().params
    assert fit.persistence.value == pytest.approx(phi, rel=1e-9)
    assert fit.long_run.value == pytest.approx(constant / (1 - phi), rel=1e-6)
    statistic = tools.adfuller(values, maxlag=0, autolag=None)[0]
    assert fit.unit_root_t == pytest.approx(statistic, rel=1e-9)
    critical = tools.adfuller(values, maxlag=0, autolag=None)[4]["5%"]
    assert critical == pytest.approx(-2.86, abs=0.02)


def test_mean_reversion__closed_forms_by_hand():
    # x = 0, 1, 1/2, 1/4, ... is an AR(1) of persistence 1/2 without noise from its second on;
    # a wobble of opposite signs keeps the residuals from being all zero.
    values = 2 + 0.5 ** np.arange(40.0)
    values[::7] += 1e-6
    fit = mean_reversion(values, 1)
    assert fit.persistence.value == pytest.approx(0.5, abs=1e-4)
    assert fit.speed.value == pytest.approx(np.log(2), abs=1e-3)
    assert fit.half_life.value == pytest.approx(1.0, abs=1e-3)
    assert fit.long_run.value == pytest.approx(2.0, abs=1e-4)


def test_mean_reversion__missing_month__costs_its_two_pairs_only():
    values = ornstein_uhlenbeck(np.random.default_rng(6), 40, 0.8, 0.0, 1.0)
    gap = values.copy()
    gap[100] = np.nan
    pairs = np.r_[0:99, 101:479]
    by_hand = least_squares(values[pairs + 1], values[pairs])
    assert mean_reversion(gap, 12).persistence.value == pytest.approx(by_hand.slopes[0].value)


def test_mean_reversion__random_walk__is_weak():
    walk = np.cumsum(np.random.default_rng(7).standard_normal(276))
    assert mean_reversion(walk, 12).weak.startswith("a random walk is not rejected")


def test_mean_reversion__explosive_series__is_refused():
    with pytest.raises(FitError, match="does not return to a mean"):
        mean_reversion(1.05 ** np.arange(100.0), 12)


# The ratio ----------------------------------------------------------------------------------


def gold_and_silver(random, n_months, pull, volatility=0.16):
    """Return prices of gold, a random walk, and of silver, which returns to a 68th of it."""
    gold = np.log(1000) + np.cumsum(0.045 * random.standard_normal(n_months))
    silver = np.empty(n_months)
    silver[0] = gold[0] - np.log(68)
    for k in range(1, n_months):
        gap = gold[k - 1] - silver[k - 1] - np.log(68)
        noise = volatility / 12**0.5 * random.standard_normal()
        silver[k] = silver[k - 1] + 1.3 * (gold[k] - gold[k - 1]) + pull * gap + noise
    return np.exp(gold), np.exp(silver)


def test_ratio__known_pull__half_life_is_recovered():
    fit = fit_ratio(*gold_and_silver(np.random.default_rng(8), 720, 0.05), 12)
    half_life = np.log(2) / -np.log(0.95) / 12
    assert within(fit.half_life, half_life)
    assert fit.half_life.standard_error < 0.6 * half_life
    assert within(fit.pull, 0.05)
    assert within(fit.beta, 1.3)
    assert within(fit.equilibrium, 68)
    assert fit.residual_volatility == pytest.approx(0.16, rel=0.1)
    assert fit.cointegration_p < 0.01
    assert fit.weak == ""


def test_ratio__half_life__is_that_of_the_pull():
    fit = fit_ratio(*gold_and_silver(np.random.default_rng(15), 480, 0.06), 12)
    # After half a life of n months (1 - pull)^n = 1/2 of the gap is left.
    months = fit.half_life.value * 12
    assert (1 - fit.pull.value) ** months == pytest.approx(0.5, rel=1e-9)
    assert fit.speed.value * fit.half_life.value == pytest.approx(np.log(2), rel=1e-9)
    ratio = fit.half_life.standard_error / fit.half_life.value
    assert ratio == pytest.approx(fit.speed.standard_error / fit.speed.value, rel=1e-9)


def test_ratio__over_replicas__error_is_the_spread():
    random = np.random.default_rng(16)
    pulls = [fit_ratio(*gold_and_silver(random, 480, 0.06), 12).pull for _ in range(24)]
    spread = np.std([pull.value for pull in pulls], ddof=1)
    assert np.mean([pull.standard_error for pull in pulls]) == pytest.approx(spread, rel=0.35)


def test_ratio__independent_walks__are_weak():
    random = np.random.default_rng(9)
    walks = np.exp(np.cumsum(0.05 * random.standard_normal((300, 2)), axis=0))
    fit = fit_ratio(walks[:, 0], walks[:, 1], 12)
    assert fit.cointegration_p > 0.05
    assert "cointegration of gold and silver is not shown" in fit.weak


def test_ratio__silver_that_runs_away__is_refused():
    gold, silver = gold_and_silver(np.random.default_rng(10), 400, -0.02)
    with pytest.raises(FitError, match="does not return to gold"):
        fit_ratio(gold, silver, 12)


def test_ratio__cointegration__is_statsmodels_weaker_direction():
    tools = reference("tsa.stattools")
    gold, silver = gold_and_silver(np.random.default_rng(11), 300, 0.02)
    both = [tools.coint(np.log(a), np.log(b))[1] for a, b in ((gold, silver), (silver, gold))]
    assert fit_ratio(gold, silver, 12).cointegration_p == pytest.approx(max(both))


# Two states ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def switching():
    """Return 1,200 months of two states: 4 and 10 % a month, staying 50 and 12 months."""
    random = np.random.default_rng(12)
    state, states = 0, []
    for _ in range(1200):
        states.append(state)
        leave = (1 / 50, 1 / 12)[state]
        state = 1 - state if random.random() < leave else state
    deviation = np.where(np.array(states) == 0, 0.04, 0.10)
    return two_states(0.005 + deviation * random.standard_normal(1200)), states


def test_two_states__known_chain__is_recovered(switching):
    fit, states = switching
    assert within(fit.calm_volatility, 0.04)
    assert within(fit.wild_volatility, 0.10)
    assert within(fit.calm_duration, 50)
    assert within(fit.wild_duration, 12)
    assert fit.calm_volatility.standard_error < 0.004
    assert fit.calm_duration.standard_error < 25
    assert fit.wild_duration.standard_error < 6
    assert (fit.wild_now > 0.5) == (states[-1] == 1)


def test_two_states__in_other_units__scale():
    random = np.random.default_rng(13)
    deviation = np.repeat([0.01, 0.03, 0.01, 0.03], 150)
    returns = deviation * random.standard_normal(600)
    small, large = two_states(returns), two_states(100 * returns)
    assert large.wild_volatility.value == pytest.approx(100 * small.wild_volatility.value, rel=1e-6)
    assert large.calm_duration.value == pytest.approx(small.calm_duration.value, rel=1e-6)


def test_two_states__without_statsmodels__names_the_extra(monkeypatch):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(UsageError, match=r'pip install "assay-sim\[calibrate\]"'):
        two_states(np.random.default_rng(0).standard_normal(100))


# Jumps --------------------------------------------------------------------------------------


def test_jumps__known_rate_mean_and_deviation__are_recovered():
    random = np.random.default_rng(14)
    n_days, rate = 252 * 60, 2.0
    jumps = random.poisson(rate / 252, n_days)
    sizes = np.where(jumps > 0, random.normal(-0.10, 0.02, n_days), 0.0)
    returns = 0.01 * random.standard_normal(n_days) + sizes
    found = diffusion.jump_returns(returns)
    # Of the normal days a few pass too, where the sixty days before were calm by chance.
    true = found[found < -0.05]
    years = (n_days - 61) / 252
    assert len(found) - len(true) < 0.3 * years
    assert abs(len(true) / years - rate) < 3 * np.sqrt(rate / years)
    spread = np.hypot(0.02, 0.01)
    assert abs(true.mean() + 0.10) < 3 * spread / np.sqrt(len(true))
    assert abs(true.std(ddof=1) - spread) < 3 * spread / np.sqrt(2 * len(true))
    assert np.isin(returns[61:][jumps[61:] > 0], found).mean() > 0.97
