"""Known relations come out of the macro model, by the size that was put in."""

import math
from dataclasses import replace

import numpy as np
import pytest
from macro_markets import OFF, block_of, changed, halved, macro_spec, only, sample
from scipy.linalg import expm, logm
from ten_assets import DRIFTS

from simulator.market.macro.chain import exponential, regime_chain, stationary
from simulator.market.macro.expected import expected, log_variance, rate_shift
from simulator.market.macro.model import Macro
from simulator.market.macro.names import CHANNELS, Driver, State
from simulator.market.paths import simulate_market
from simulator.scenario.macro import REGIMES, MacroCalibration
from simulator.scenario.views import MacroParts, Views

METALS = ("gold", "silver", "copper")
FIGURES = MacroCalibration()
DEFAULT = Macro(FIGURES, MacroParts(), Views())
N_PATHS = 8_192


def median(spec, asset, n_paths=N_PATHS):
    return float(np.median(sample(spec, n_paths, with_factors=False).growth(asset)))


def views_of(spec, asset):
    """Return the log growth that each view adds by the last trading day."""
    index = spec.assets.index(asset)
    return {name: path[index, -1] for name, path in spec.macro_plan.views.items()}


# --- factors -------------------------------------------------------------------------------


def test_real_rate__vasicek__mean_and_deviation_in_closed_form():
    # dr = 0.28 (0.010 - r) dt + 0.0076 dW, without regimes
    found = sample(macro_spec(("gold",), days=730, parts={"regimes": False}), N_PATHS)
    rate = found.factors["real_rate"][0]
    mean = 0.010 + (0.0197 - 0.010) * math.exp(-0.28 * 2)
    deviation = 0.0076 * math.sqrt((1 - math.exp(-2 * 0.28 * 2)) / (2 * 0.28))
    assert abs(rate.mean() - mean) < 3.5 * deviation / math.sqrt(N_PATHS)
    assert rate.std() == pytest.approx(deviation, rel=0.03)


def test_rates__nominal_is_real_and_expected_inflation__ex_post_is_nominal_less_inflation():
    found = sample(macro_spec(("gold",), days=60), 128, days=(0, 30, 60)).factors
    assert np.allclose(found["nominal_rate"] - found["inflation"], found["real_rate_ex_post"])
    expected_inflation = found["nominal_rate"] - found["real_rate"]
    assert expected_inflation[0] == pytest.approx(0.0233, abs=1e-4)  # breakeven of 2026-01-20
    # over ten years inflation is nearer to its mean than today
    assert expected_inflation.std() < 0.3 * found["inflation"].std()


def test_rates__market_and_ex_post__correlate_as_in_the_data():
    # .52 to .55 measured, 2003-2025; here in the long run, from the stationary variances
    _, k1, _, _ = DEFAULT.rates
    real = 0.0076**2 / (2 * 0.28)
    rest = k1**2 * 0.0157**2 / (2 * 0.40)
    assert math.sqrt(real / (real + rest)) == pytest.approx(0.55, abs=0.08)


def test_central_banks__net_is_bought_less_sold__with_the_long_run_mean_and_deviation():
    found = sample(macro_spec(("gold",), days=3_650), 2_048, days=(0, -1)).factors
    net = found["central_bank_purchases"] - found["central_bank_sales"]
    assert np.array_equal(net, found["central_bank_net"])
    assert net[0] == pytest.approx(863)
    assert net[1].mean() == pytest.approx(666, abs=4 * net[1].std() / math.sqrt(2_048))
    assert net[1].std() == pytest.approx(280, rel=0.1)  # of twelve years: 280 t


def test_balances__gaps_are_demand_less_supply__and_grow_as_expected():
    found = sample(macro_spec(("gold",)), N_PATHS, days=(0, -1)).factors
    assert found["silver_gap"][0] == pytest.approx(164)
    for metal in ("silver", "copper"):
        gap = found[f"{metal}_demand"] - found[f"{metal}_supply"]
        assert np.array_equal(gap, found[f"{metal}_gap"])
    grown = found["copper_demand"][1].mean() / 27.4
    assert math.log(grown) == pytest.approx(0.0275, abs=0.001)


def test_regimes__shares_of_paths__as_the_chain_says_and_in_the_long_run_stationary():
    chain = regime_chain(FIGURES, 1 / 365, on=True, pinned=None)
    found = sample(macro_spec(("gold",), days=365), N_PATHS).factors["regime"][0]
    expected_shares = chain.probabilities(365)[-1]
    for number in range(4):
        share = expected_shares[number]
        error = math.sqrt(share * (1 - share) / N_PATHS)
        assert abs(np.mean(found == number) - share) < 4 * error, REGIMES[number]
    # the two-state fit of gold: stress holds 13 of 69 months at most; here 9 %
    long = regime_chain(FIGURES, 10.0, on=True, pinned=None).probabilities(20)[-1]
    generator = (chain.transition - np.eye(4)) * 365
    assert long == pytest.approx(stationary(generator), abs=1e-3)
    assert long @ chain.volatility**2 == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("years", [1 / 365, 1.0, 10.0])
def test_exponential__of_a_generator__equals_scipys(years):
    generator = logm(regime_chain(FIGURES, 1.0, on=True, pinned=None).transition)
    assert exponential(generator * years) == pytest.approx(expm(generator * years), abs=1e-12)


def test_regimes__mean_stay__as_put_in():
    chain = regime_chain(FIGURES, 1 / 365, on=True, pinned=None)
    stay = np.diag(chain.transition)
    months = [FIGURES.regimes.state(name).duration.value for name in REGIMES]
    assert 12 / 365 / -np.log(stay) == pytest.approx(months, rel=0.01)


def test_expected__banks__is_the_mean_of_a_lognormal():
    steps = DEFAULT.steps(1 / 365)
    chain = DEFAULT.chain(1 / 365)
    found = expected(DEFAULT, steps, chain, 365, 1 / 365)
    # speed 0.5, volatility 0.33: variance of the logarithm after a year
    variance = 0.33**2 * (1 - math.exp(-1)) / 1.0
    assert log_variance(steps, State.PURCHASES, 365)[-1] == pytest.approx(variance)
    mean = math.log(820) - 0.33**2 / 2.0
    logarithm = mean + (math.log(1_000) - mean) * math.exp(-0.5)
    bought = math.exp(logarithm + variance / 2)
    variance = 0.40**2 * (1 - math.exp(-1)) / 1.0
    mean = math.log(154) - 0.40**2 / 2.0
    logarithm = mean + (math.log(137) - mean) * math.exp(-0.5)
    sold = math.exp(logarithm + variance / 2)
    assert found.values[Driver.BANKS, -1] == pytest.approx((bought - sold) / 100)


# --- real rate -> gold ----------------------------------------------------------------------


def test_real_rate__hundred_points_up__lowers_gold_by_the_elasticity():
    # seen as a regression: gold's year on the surprises of the real rate
    found = sample(macro_spec(("gold",), parts={"real_rate_level": False}), N_PATHS)
    surprise = found.part("gold", "real_rate") / -0.095
    assert surprise.std() == pytest.approx(0.76, rel=0.05)  # 76 bp a year
    growth = found.growth("gold")
    slope = np.cov(growth, surprise)[0, 1] / surprise.var()
    rest = growth - slope * surprise
    error = rest.std() / surprise.std() / math.sqrt(N_PATHS)
    assert abs(slope - -0.095) < 3.5 * error
    assert error < 0.012  # sharper than the error of the elasticity itself
    # changes explain a fifth of gold's variance: R^2 0.20 in the data
    assert np.corrcoef(growth, surprise)[0, 1] ** 2 == pytest.approx(0.20, abs=0.04)


def test_real_rate__view_of_a_point_more__lowers_gold_by_the_elasticity():
    usual = macro_spec(("gold", "silver"), parts={"real_rate_level": False})
    rate = usual.macro_plan.expected.states[State.REAL_RATE, -1]
    spec = macro_spec(
        ("gold", "silver"), parts={"real_rate_level": False}, views={"real_rate": rate + 0.01}
    )
    assert views_of(spec, "gold")["real_rate"] == pytest.approx(-0.095)
    assert views_of(spec, "silver")["real_rate"] == pytest.approx(-0.105)
    lower = median(spec, "gold") - median(usual, "gold")
    assert lower == pytest.approx(-0.095, abs=1e-6)  # common random numbers: no other error


def test_real_rate__negative_at_any_pace__is_there_after_ninety_days():
    usual = macro_spec(("gold",))
    view = macro_spec(("gold",), views={"real_rate": "negative", "rate_pace": "any"})
    assert median(view, "gold") > median(usual, "gold") + 0.2
    found = sample(view, 1_024, days=(0, 45, 90, 365)).factors["real_rate"].mean(axis=1)
    assert found[0] == pytest.approx(0.0197)
    assert found[2:] == pytest.approx([-0.01, -0.01], abs=0.001)
    assert found[1] == pytest.approx((0.0197 - 0.01) / 2, abs=0.001)  # on the way


@pytest.mark.parametrize(
    ("target", "day", "rate"),
    [
        # 1.97 less 1.48 in 90 days, half of it in 45, and less 1.95 in a year
        ("negative", 45, 0.0197 - 0.0148 / 2),
        ("negative", 90, 0.0197 - 0.0148),
        ("negative", 365, 0.0197 - 0.0195),
        # 1.97 and 1.57 in 90 days, 2.87 in a year
        (0.0497, 90, 0.0197 + 0.0157),
        (0.0497, 365, 0.0197 + 0.0287),
        # 1.27 points are no more than has been: there in 90 days
        (0.007, 90, 0.007),
    ],
)
def test_real_rate__view__comes_no_faster_than_the_rate_ever_moved(target, day, rate):
    spec = macro_spec(("gold",), views={"real_rate": target})
    here = spec.macro_plan.expected
    seen = here.states[State.REAL_RATE] + rate_shift(spec.macro, here)
    assert seen[day] == pytest.approx(rate)


# --- central banks, silver, copper, liquidity ------------------------------------------------


@pytest.mark.parametrize("net", [1_000.0, -300.0])
def test_central_banks__view_of_net_purchases__moves_gold_by_its_tonnes(net):
    spec = macro_spec(("gold",), views={"central_banks_net_t": net})
    usual = spec.macro_plan.expected.values[Driver.BANKS, 1:]
    expected_growth = 0.015 * np.sum(net / 100 - usual) / 365
    assert views_of(spec, "gold")["central_banks"] == pytest.approx(expected_growth)
    change = median(spec, "gold", 1_024) - median(macro_spec(("gold",)), "gold", 1_024)
    assert change == pytest.approx(expected_growth, abs=1e-9)
    assert (change > 0) == (net > 666)
    found = sample(spec, 512, days=(1, -1)).factors
    assert np.all(found["central_bank_sales"] > 0)
    assert np.all(found["central_bank_purchases"] > 0)
    error = found["central_bank_net"].std() / math.sqrt(512)
    assert found["central_bank_net"].mean(axis=1) == pytest.approx([net, net], abs=4 * error)


def test_copper__gap_of_a_quarter_over_fourteen_years__is_worth_two_points_a_year():
    # ln 1.25 / 14 = 1.6 % a year more demand than supply; elasticities sum to 0.75
    extra = math.log(1.25) / 14
    spec = macro_spec(METALS, views={"copper_demand_growth": 0.0275 + extra}, days=365)
    a_year = views_of(spec, "copper")["copper_demand"]
    assert a_year == pytest.approx(extra / 0.75)
    assert 0.016 < a_year < 0.029


def test_silver__supply_growth_above_expectation__lowers_it():
    spec = macro_spec(METALS, views={"silver_supply_growth": 0.03})
    assert views_of(spec, "silver")["silver_supply"] == pytest.approx(-0.02 / 0.75)
    assert views_of(spec, "gold")["silver_supply"] == 0


def test_copper__outages__raise_the_price_and_do_not_pay_on_average():
    often = changed(copper={"outage_rate": 6.0, "outage_size": 0.03, "outage_deviation": 0.0})
    parts = only("copper_balance", "garch")
    found = sample(macro_spec(METALS, figures=often, parts=parts), N_PATHS)
    part = found.part("copper", "copper_balance")
    assert abs(part.mean()) < 3.5 * part.std() / math.sqrt(N_PATHS)
    lost = found.factors["copper_supply"][0]
    assert np.corrcoef(lost, part)[0, 1] < -0.8


def test_copper__short_run_factor__half_of_a_short_shock_is_gone_in_two_years():
    # Schwartz-Smith: 0.20^2 / (0.20^2 + 0.14^2) = .67 of a shock returns at 0.35 a year
    parts = OFF | {"copper_reversion": True}
    spec = macro_spec(("copper",), parts=parts, days=1_461)
    log_price = np.log(block_of(spec, 4_096)[0])
    days = np.flatnonzero(spec.trading[0])
    early, late = log_price[days[days < 365][-1]], log_price[-1]
    slope = np.cov(late - early, early)[0, 1] / early.var()
    # what remains of the first year's sum of shocks three years later, by the equations
    share, speed = 0.2**2 / (0.2**2 + 0.14**2), 0.35
    ages = np.linspace(0, 1, 366)
    then = 1 - share * (1 - np.exp(-speed * ages))
    later = 1 - share * (1 - np.exp(-speed * (ages + 3)))
    expected_slope = np.sum(later * then) / np.sum(then**2) - 1
    error = 3.5 * (late - early).std() / early.std() / math.sqrt(4_096)
    assert abs(slope - expected_slope) < error
    assert slope + error < -0.25


def test_liquidity__limited__raises_dominance_and_keeps_altcoins_silent():
    coins = ("bitcoin", "altcoins")
    drifts = dict.fromkeys(coins, 0.07) | {"gold": DRIFTS["gold"]}
    usual = sample(macro_spec((*coins, "gold"), drifts=drifts), N_PATHS)
    scarce = sample(
        macro_spec((*coins, "gold"), drifts=drifts, views={"liquidity": "limited"}), N_PATHS
    )
    dominance = [np.median(found.factors["bitcoin_dominance"]) for found in (usual, scarce)]
    assert dominance[1] > dominance[0] + 0.005
    ahead = [np.mean(f.growth("altcoins") > f.growth("bitcoin")) for f in (usual, scarce)]
    assert ahead[1] < ahead[0] - 0.02
    assert np.all(scarce.factors["regime"] == REGIMES.index("limited"))
    # 3.6 and 5.5 for a unit of money growth, whose deviation is 3.7 points
    views = [views_of(scarce.spec, name)["liquidity"] for name in coins]
    assert views[1] / views[0] == pytest.approx(5.5 / 3.6)
    assert views[0] < -0.05


def test_liquidity__scarce__rotates_from_big_tech_to_small_caps():
    shares = ("big_tech", "small_caps", "gold")
    found = [
        views_of(macro_spec(shares, views={"liquidity": name}), asset)["liquidity"]
        for name in ("easing", "limited")
        for asset in shares[:2]
    ]
    assert found[0] > 0 > found[1]
    assert found[2] < 0 < found[3]


def test_bills__nominal_rate_above_expectation__pays():
    found = sample(macro_spec(("treasury_bills", "gold")), 2_048, days=range(366))
    nominal = found.factors["nominal_rate"][1:]
    surprise = nominal.mean(axis=0) - nominal.mean()
    paid = found.part("treasury_bills", "bill_rate")
    slope, _ = np.polyfit(surprise, paid, 1)
    assert slope == pytest.approx(1.0, abs=1e-9)


# --- stress, ratio ---------------------------------------------------------------------------


def test_stress__copper_follows_shares_and_gold_does_not():
    loadings = {name: f.value for name, f in FIGURES.regimes.stress_loadings.items()}
    assets = ("gold", "copper", "big_tech", "small_caps")
    calm = macro_spec(assets, parts=only("regimes"), views={"liquidity": "neutral"})
    wild = macro_spec(assets, parts=only("regimes"), views={"liquidity": "stress"})
    found = []
    for spec in (calm, wild):
        days = np.flatnonzero(spec.trading[0])
        returns = np.diff(np.log(block_of(spec, 512)[:, days]), axis=1)
        found.append(returns.reshape(4, -1))
    before, after = (np.corrcoef(flat) for flat in found)
    own = [math.sqrt(1 - loadings[name] ** 2) for name in assets]
    for i, j in ((0, 1), (1, 2), (2, 3)):
        mixed = own[i] * own[j] * before[i, j] + loadings[assets[i]] * loadings[assets[j]]
        assert after[i, j] == pytest.approx(mixed, abs=0.015)
    assert after[1, 2] > before[1, 2] + 0.05
    assert after[0, 2] < before[0, 2] + 0.05
    volatility = DEFAULT.chain(1 / 365).volatility
    ratio = found[1].std(axis=1) / found[0].std(axis=1)
    assert ratio == pytest.approx(volatility[3] / volatility[1], rel=0.02)


@pytest.mark.parametrize("speed", [0.30, 0.63])
def test_ratio__gap__halves_in_the_half_life_that_was_put_in(speed):
    # 0.63 a year: 1.1 years, the shortest window's; without drifts and -h/2 the log gap decays
    figures = changed(ratio={"speed": speed})
    half_life = math.log(2) / speed
    days = round(half_life * 365)
    spec = macro_spec(METALS, figures=figures, parts=only("ratio_pull"), days=days)
    log_price = np.log(block_of(spec, 2_048)[:2])
    gap = log_price[0] - log_price[1] - math.log(68)
    # what the shocks' -h/2 (and its convexity) do to the means is taken off
    plan, ticks = spec.macro_plan, np.cumsum(spec.trading[:2, 1:], axis=1)
    spread = (plan.technical[:2, None] * ticks + plan.convexity[:2, 1:])[:, -1]
    alone = math.log(4_760 / 94.2 / 68)
    pushed = spread[0] - spread[1]
    push = pushed * (1 - math.exp(-speed * days / 365)) / (speed * days / 365)
    left = gap[-1].mean() - push
    error = gap[-1].std() / math.sqrt(2_048)
    assert abs(left - alone / 2) < 3.5 * error + 0.004
    assert error < 0.03 * abs(alone)
    assert np.array_equal(
        log_price[0],
        np.log(
            block_of(
                replace(spec, macro=replace(spec.macro, parts=MacroParts.model_validate(OFF))),
                2_048,
            )[0]
        ),
    )  # gold does not move


def test_ratio__regression_of_silver_on_the_gap__finds_the_speed():
    spec = macro_spec(METALS, parts=only("ratio_pull"), days=3_650)
    days = np.flatnonzero(spec.trading[0])[20::20]
    log_price = np.log(block_of(spec, 256)[:2][:, days])
    gap = (log_price[0] - log_price[1] - math.log(68))[:-1].ravel()
    silver, gold = (np.diff(log_price[i], axis=0).ravel() for i in (1, 0))
    design = np.column_stack([gap, gold, np.ones_like(gap)])
    solved, *_ = np.linalg.lstsq(design, silver, rcond=None)
    rest = silver - design @ solved
    error = math.sqrt(rest.var() * np.linalg.inv(design.T @ design)[0, 0])
    years = np.diff(days).mean() / 365
    assert abs(solved[0] - (1 - math.exp(-0.30 * years))) < 3.5 * error
    assert solved[1] == pytest.approx(0.77 * 0.318 / 0.174, abs=0.03)  # 1.2 to 1.4 in the data


# --- steps -----------------------------------------------------------------------------------


def test_steps__two_a_day__same_expectations_and_spreads():
    parts = only("real_rate", "central_banks", "silver_balance", "liquidity", "regimes")
    spec = macro_spec(("gold", "silver", "bitcoin"), parts=parts)
    finer = halved(spec)
    coarse, fine = (sample(s, N_PATHS) for s in (spec, finer))
    for driver in (Driver.BANKS, Driver.LEVEL, Driver.LIQUIDITY):
        ends = [s.macro_plan.expected.values[driver, -1] for s in (spec, finer)]
        assert ends[0] == pytest.approx(ends[1], rel=1e-3, abs=1e-4)
    assert finer.macro_plan.convexity[:, -1] == pytest.approx(
        spec.macro_plan.convexity[:, -1], rel=0.02
    )
    for name in ("real_rate", "central_bank_net", "liquidity", "silver_demand"):
        one, other = coarse.factors[name][0], fine.factors[name][0]
        error = one.std() * math.sqrt(2 / N_PATHS)
        assert abs(one.mean() - other.mean()) < 3.5 * error, name
        assert one.std() == pytest.approx(other.std(), rel=0.05), name
    for index in range(3):
        one, other = (f.last[index] / f.spec.spot[index] for f in (coarse, fine))
        assert abs(one.mean() - other.mean()) < 3.5 * one.std() * math.sqrt(2 / N_PATHS)
        assert np.log(one).std() == pytest.approx(np.log(other).std(), rel=0.05)


# --- targets ---------------------------------------------------------------------------------


def expectation_of(spec, asset, n_paths=N_PATHS):
    return float(sample(spec, n_paths, with_factors=False).last[spec.assets.index(asset)].mean())


def test_target__gold_at_6000__expectation_gets_there():
    spec = macro_spec(("gold",), views={"targets": {"gold": {"at_least": 6_000.0}}})
    needed = math.log(6_000 / 4_760) - 0.035
    assert spec.macro_plan.target_growth["gold"] == pytest.approx(needed)
    found = sample(spec, N_PATHS, with_factors=False).last[0]
    assert abs(found.mean() - 6_000) < 3.5 * found.std() / math.sqrt(N_PATHS)


def test_target__beside_another_view__takes_what_it_leaves():
    targets = {"gold": {"at_least": 6_000.0}}
    views = {"real_rate": "negative", "rate_pace": "any", "targets": targets}
    spec = macro_spec(("gold",), views=views)
    found = views_of(spec, "gold")
    assert 0.035 + found["real_rate"] + found["target"] == pytest.approx(math.log(6_000 / 4_760))
    assert found["target"] < 0  # negative real rates alone would lead beyond


def test_target__by_a_day_within_the_run__goes_on_with_the_base_drift():
    views = {"targets": {"gold": {"fall": 0.1, "by": "2026-04-20"}}}
    spec = macro_spec(("gold",), views=views)
    path = spec.macro_plan.views["target"][0]
    assert path[90] + 0.035 * 90 / 365 == pytest.approx(math.log(0.9))
    assert path[-1] == path[90]


def test_target__ratio__silver_moves_against_the_pull_and_gold_stays():
    views = {"targets": {"gold_silver_ratio": {"at_least": 60.0}}}
    spec = macro_spec(METALS, views=views)
    assert views_of(spec, "gold")["target"] == 0
    found = sample(spec, 16_384, with_factors=False)
    gold, silver = found.last[0].mean(), found.last[1].mean()
    error = (found.last[1].std() / silver) / math.sqrt(16_384)
    assert abs(math.log(gold / silver / 60)) < 3.5 * error


def test_target__silver_falls_by_70_percent_from_its_peak():
    views = {"targets": {"silver": {"fall": 0.7, "peak": 121.0}}}
    spec = macro_spec(METALS, views=views)
    found = sample(spec, 16_384, with_factors=False).last[1]
    assert found.mean() == pytest.approx(121 * 0.3, abs=3.5 * found.std() / math.sqrt(16_384))


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("copper", {"at_least": 12_000.0}),
        ("gold_silver_ratio", {"at_most": 60.0}),
        ("silver", {"fall": 0.1, "peak": 121.0}),
    ],
)
def test_target__met_already__adds_nothing(name, target):
    spec = macro_spec(METALS, views={"targets": {name: target}})
    assert spec.macro_plan.target_growth == {}
    assert "target" not in spec.macro_plan.views
    assert np.array_equal(block_of(spec), block_of(macro_spec(METALS)))


def test_views__every_one__is_shown_apart_from_the_channels():
    views = {
        "real_rate": 0.0,
        "central_banks_net_t": 900.0,
        "liquidity": "easing",
        "silver_demand_growth": 0.05,
        "copper_supply_growth": 0.0,
        "targets": {"bitcoin": {"at_least": 120_000.0}},
    }
    spec = macro_spec(views=views)
    assert set(spec.macro_plan.views) == {
        "real_rate",
        "central_banks",
        "liquidity",
        "silver_demand",
        "copper_supply",
        "target",
    }
    without = macro_spec(views={"liquidity": "easing"})
    ours, theirs = (sample(s, 256, with_factors=False).recorded for s in (spec, without))
    # surprises are the same; only the pull of the ratio follows the prices that views move
    linear = slice(len(CHANNELS))
    assert np.array_equal(ours[:, linear], theirs[:, linear])
    assert np.any(ours[:, linear])


# --- what the market expects ---------------------------------------------------------------


def test_growth__of_drift_and_target__is_that_of_the_mean_price_on_every_day():
    """ln E[S_t / S_0], the target's share and the pull of copper's short-run factor included."""
    views = {"targets": {"copper": {"fall": 0.3, "by": "2026-07-20"}}}
    spec = macro_spec(("copper",), views=views)
    prices = simulate_market(spec, 7, 0, N_PATHS).prices["copper"]
    for day in (50, 181, 182, 365):
        mean = prices[day].mean() / prices[0, 0]
        error = prices[day].std() / prices[0, 0] / math.sqrt(N_PATHS)
        assert math.exp(spec.growth[0, day]) == pytest.approx(mean, abs=4 * error)
    assert spec.growth[0, 181] == pytest.approx(math.log(0.7), abs=1e-9)
    # from then on the base drift alone goes on
    rest = spec.growth[0, 365] - spec.growth[0, 181]
    assert rest == pytest.approx(DRIFTS["copper"] * 184 / 365, abs=1e-9)


def test_growth__while_the_exchange_is_closed__stands_still():
    spec = macro_spec(("copper",), parts=OFF)
    closed = np.flatnonzero(~spec.trading[0, 1:]) + 1
    assert closed.size > 100
    np.testing.assert_array_equal(spec.growth[0, closed], spec.growth[0, closed - 1])
