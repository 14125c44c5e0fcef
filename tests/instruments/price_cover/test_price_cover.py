"""The price cover's model: sums by hand, identities, and the fair premium by other oracles."""

from __future__ import annotations

import math
from functools import cache

import covers
import numpy as np
import pytest
from covers import START, run, strike, terms
from daily import check_daily
from markets import metals, sample, standard_errors_off
from scipy import stats

from simulator.instruments.base import attribution_gap
from simulator.instruments.gas import Gas
from simulator.instruments.price_cover import fair
from simulator.instruments.price_cover.gas import HOLDER_GAS
from simulator.instruments.price_cover.paths import simulate
from simulator.instruments.price_cover.state import Act, Observed, Policy
from simulator.schema.gas import GasTerms
from simulator.units import trading_days

NAMES = ("cover", "cover-miner", "cover-unhedged")


def last(paths, name, detail):
    return paths[name].details[detail][-1, 0]


# --- By hand -------------------------------------------------------------------


def test_premium__of_a_first_cover__is_the_contracts_by_hand():
    paths, record = run(terms(), [10_000.0] * 31)
    # 900,000 of 2,000,000 insured: rates 2 % before and 5.6 % after, mean 3.8 % a year.
    daily = math.ceil(900_000 * 0.038 / 365 * 1e6) / 1e6
    assert record.policies[0, Policy.DAILY, 0] == daily
    assert last(paths, "cover-miner", "premiums_usd") == pytest.approx(30 * daily, abs=1e-9)
    # The underwriter has 10,000 of 2,000,000; all of the premium is earned by the end.
    assert paths["cover"].exit["usd"][-1, 0] == pytest.approx(10_000 + 30 * daily / 200, abs=2e-6)
    mark = paths["cover"].mark["usd"][:, 0]
    assert np.diff(mark) == pytest.approx(np.full(30, daily / 200))


def test_premium__at_the_ceiling__stops_rising():
    premium = {"floor": 0.02, "slope": 0.08, "ceiling": 0.03}
    _, record = run(terms(pool__premium=premium), [10_000.0] * 31)
    # From 2 % to 3 %, where the curve is cut off: mean 2.5 %.
    expected = math.ceil(900_000 * 0.025 / 365 * 1e6) / 1e6
    assert record.policies[0, Policy.DAILY, 0] == expected


def test_fall__below_the_strike__is_paid_to_the_miner_and_by_the_pool():
    prices = [10_000.0] * 20 + [8_000.0] * 12
    paths, record = run(terms(), prices)
    premium = 30 * record.policies[0, Policy.DAILY, 0]
    sales = 100.0 * (19 * 2_000.0)  # at 8,000 a tonne just pays its cost
    assert paths["cover-unhedged"].exit["usd"][-1, 0] == 1_000_000 + sales
    # (9,000 - 8,000) x 100 t
    covered = 1_000_000 + sales + 100_000 - premium
    assert paths["cover-miner"].exit["usd"][-1, 0] == pytest.approx(covered, abs=1e-6)
    underwriter = 10_000 + (premium - 100_000) / 200
    assert paths["cover"].exit["usd"][-1, 0] == pytest.approx(underwriter, abs=2e-6)
    # On the way the open claim is counted at the day's price.
    open_claim = 10_000 + (25 / 30 * premium - 100_000) / 200
    assert paths["cover"].mark["usd"][25, 0] == pytest.approx(open_claim, abs=1e-6)


def test_settlement__is_the_mean_of_the_window_and_leaves_the_last_day_out():
    prices = [10_000.0] * 26 + [9_000.0, 8_000.0, 7_000.0, 6_000.0, 1_000.0]
    paths, _ = run(terms(pool__window_days=4), prices)
    # The days 26 to 29 count: (9,000 + 8,000 + 7,000 + 6,000) / 4 = 7,500.
    assert last(paths, "cover-miner", "payouts_usd") == 150_000


def test_crash__at_leverage_2__pays_what_is_there_and_says_what_is_missing():
    cover = terms(
        pool__leverage=2.0,
        miner__tonnes=1_000.0,
        miner__cover=strike(10_000.0),
        pool__deposits_usd=990_000.0,
    )
    paths, record = run(cover, [10_000.0] * 20 + [3_000.0] * 11)
    tonnes = record.policies[0, Policy.TONNES, 0]
    # Capacity is 2 x 1,000,000 at 10,000 a tonne.
    assert tonnes == pytest.approx(200.0, abs=1e-5)
    pool = 1_000_000 + 30 * record.policies[0, Policy.DAILY, 0]
    assert last(paths, "cover-miner", "payouts_usd") == pytest.approx(pool, abs=1e-5)
    missing = tonnes * 7_000 - pool
    assert last(paths, "cover", "missing_usd") == pytest.approx(missing, abs=1e-5)
    assert paths["cover"].exit["usd"][-1, 0] == pytest.approx(0.0, abs=1e-6)
    single, _ = run(terms(miner__tonnes=1_000.0), [10_000.0] * 20 + [3_000.0] * 11)
    assert last(single, "cover", "missing_usd") == 0.0


def test_crash__of_two_buyers_on_one_day__is_paid_pro_rata():
    cover = terms(
        pool__leverage=2.0,
        pool__deposits_usd=990_000.0,
        miner__cover=strike(10_000.0),
        others={"utilisation": 1.0, "cover": strike(8_000.0)},
        pool__premium={"floor": 0.0, "slope": 0.0, "ceiling": 0.0},
    )
    paths, record = run(cover, [10_000.0] * 20 + [2_000.0] * 11)
    tonnes = record.policies[:2, Policy.TONNES, 0]
    assert tonnes == pytest.approx([100.0, 1_000_000 / 8_000], abs=1e-4)
    owed = 100 * 8_000 + tonnes[1] * 6_000
    part = 1_000_000 / owed
    assert part < 1
    paid = last(paths, "cover-miner", "payouts_usd")
    assert paid == pytest.approx(100 * 8_000 * part, abs=1e-3)


def test_fall_in_the_lag__voids_the_cover_and_returns_the_premium():
    prices = [10_000.0] + [5_000.0] * 40
    paths, record = run(terms(pool__lag_days=2), prices, record=True)
    assert last(paths, "cover-miner", "premiums_usd") == 0.0
    assert last(paths, "cover-miner", "payouts_usd") == 0.0
    assert record.acts[1, 0, 0] == 3
    # A day later it is a claim: 9,000 - 5,000 on 100 t.
    late, _ = run(terms(pool__lag_days=2), [10_000.0] * 2 + [5_000.0] * 40)
    assert last(late, "cover-miner", "payouts_usd") == 400_000


def test_voided_cover__leaves_nothing_behind_in_the_books():
    prices = [10_000.0] + [5_000.0] * 40
    paths, record = run(terms(pool__lag_days=2), prices, record=True)
    seen = record.observed[:, 0]
    assert seen[0, Observed.UNEARNED] == 30 * record.policies[0, Policy.DAILY, 0]
    left = (Observed.UNEARNED, Observed.LOCKED, Observed.MINER_PREMIUMS)
    assert np.all(seen[1:30][:, left] == 0.0)
    with_cover, without = (paths[name].exit["usd"][1:30, 0] for name in NAMES[1:])
    np.testing.assert_array_equal(with_cover, without)


def test_fall_in_the_lag__between_trigger_and_strike__voids_nothing():
    """The trigger is 0.95 x 9,000 = 8,550 USD."""
    _, low = run(terms(pool__lag_days=2), [10_000.0] + [8_549.0] * 40, record=True)
    _, high = run(terms(pool__lag_days=2), [10_000.0] + [8_551.0] * 40, record=True)
    assert low.acts[1, 0, 0] == Act.VOID
    assert np.all(high.acts[:3, 0, 0] == Act.NONE)


def test_exit__before_the_end__is_the_mark_less_haircut_and_gas():
    """At 10 gwei and 3,000 USD a unit of gas costs 3e-5 USD; a week ahead he asks to leave."""
    gas = GasTerms(price_gwei=10.0, ether_usd=3_000.0)
    paths, record = run(terms(pool__cooldown_days=7), [10_000.0] * 31, gas)
    enter, request, leave = (HOLDER_GAS[act] * 3e-5 for act in ("enter", "request", "leave"))
    mark, out = (found["usd"][:, 0] for found in (paths["cover"].mark, paths["cover"].exit))
    for day, spent in ((10, enter), (22, enter), (23, enter + request)):
        share = (2_000_000 + day * record.policies[0, Policy.DAILY, 0]) / 200
        assert mark[day] == pytest.approx(share - spent, abs=1e-6)
        assert out[day] == pytest.approx(0.99 * share - spent - leave, abs=1e-6)
    share = (2_000_000 + 30 * record.policies[0, Policy.DAILY, 0]) / 200
    assert out[30] == pytest.approx(share - enter - request - leave, abs=2e-6)


# A million insured at 10,000 a tonne, settled at the mean of days 23 to 29.
WEEK = terms(pool__window_days=7, pool__deposits_usd=2_990_000.0, miner__cover=strike(10_000.0))


def acts_of(prices):
    """Return what the keepers did with the first cover, by step."""
    _, record = run(WEEK, prices, record=True)
    done = record.acts[:, 0, 0]
    return {int(step): int(done[step]) for step in np.flatnonzero(done)}


def test_fall_in_the_window__stays_marked_and_open_after_the_recovery():
    """The settlement stands at (6 x 5,000 + 10,100) / 7 = 5,728.57 when the price is back."""
    prices = [10_000.0] * 23 + [5_000.0] * 6 + [10_100.0] * 2
    paths, record = run(WEEK, prices, record=True)
    assert acts_of(prices) == {23: Act.TRIGGER}
    claim = 100 * (10_000 - 40_100 / 7)
    assert claim == pytest.approx(427_142.86, abs=0.01)
    earned = record.policies[0, Policy.DAILY, 0] * np.arange(31)
    expected = (3_000_000 + earned[29] - claim) / 300
    assert paths["cover"].mark["usd"][29, 0] == pytest.approx(expected, abs=1e-6)
    # The first day of the window counts for the six that follow it too: half the strike.
    expected = (3_000_000 + earned[23] - 500_000) / 300
    assert paths["cover"].mark["usd"][23, 0] == pytest.approx(expected, abs=1e-6)
    assert last(paths, "cover-miner", "payouts_usd") == pytest.approx(claim, abs=1e-6)
    # Who leaves on day 29 gets his part of what the whole sum insured leaves.
    certain = (3_000_000 + earned[29] - 1_000_000) / 300
    assert record.observed[29, 0, Observed.EXIT_VALUE] == pytest.approx(certain, abs=1e-6)


def test_fall_before_the_window__is_cleared_by_the_latest_price():
    prices = [10_000.0] * 20 + [5_000.0] * 3 + [10_100.0] * 8
    assert acts_of(prices) == {20: Act.TRIGGER, 23: Act.CLEAR}


def test_fall_in_the_window__is_cleared_once_the_days_to_come_make_up_for_it():
    """(5,000 + 6 x 10,800) / 7 = 9,971, then (5,000 + 10,800 + 5 x 11,100) / 7 = 10,186."""
    prices = [10_000.0] * 23 + [5_000.0, 10_800.0] + [11_100.0] * 6
    assert acts_of(prices) == {23: Act.TRIGGER, 25: Act.CLEAR}


@pytest.mark.parametrize(("low", "marked"), [(5_000.0, {29: Act.TRIGGER}), (6_600.0, {})])
def test_spike_at_the_windows_end__marks_where_it_will_be_paid(low, marked):
    """(6 x 10,000 + 5,000) / 7 = 9,286 is below the trigger of 9,500, with 6,600 9,514 is not."""
    assert acts_of([10_000.0] * 29 + [low, 10_000.0]) == marked


def test_trigger__stops_sales_until_the_strike_is_reached_again():
    cover = {"strike_share": 0.9, "term_days": 30, "renew_every_days": 10}
    prices = [10_000.0] * 5 + [8_500.0] * 10 + [9_100.0] * 30
    _, record = run(terms(miner__cover=cover), prices, record=True)
    # The cover of day 0 is triggered on day 5 (8,500 < 0.95 x 9,000) and cleared on day 15,
    # so the one of day 10 is not sold and the one that is due on day 20 would end too late.
    assert list(np.flatnonzero(record.acts[:, 0, 0])) == [5, 15]
    assert list(record.acts[[5, 15], 0, 0]) == [1, 2]
    assert list(record.policies[:2, Policy.TONNES, 0]) == [100.0, 0.0]


@pytest.mark.parametrize(("price", "tonnes"), [(9_000.0, 100.0), (8_999.0, 0.0)])
def test_strike__above_the_price__is_not_sold(price, tonnes):
    """At most 100 % of the price; the strike of 9,000 USD is not in the money by a dollar."""
    _, record = run(terms(miner__cover=strike(9_000.0)), [price] * 31)
    assert record.policies[0, Policy.TONNES, 0] == tonnes


@pytest.mark.parametrize(("least", "tonnes"), [(899_000.0, 100.0), (901_000.0, 0.0)])
def test_sum_insured__below_the_least__is_not_sold(least, tonnes):
    """100 t at 9,000 USD insure 900,000 USD."""
    _, record = run(terms(pool__min_sum_insured_usd=least), [10_000.0] * 31)
    assert record.policies[0, Policy.TONNES, 0] == tonnes


def test_underwriter__where_all_capital_is_behind_policies__is_not_paid():
    nothing = {"floor": 0.0, "slope": 0.0, "ceiling": 0.0}
    others = {"utilisation": 1.0, "cover": {"strike_share": 0.9, "term_days": 365}}
    free, _ = run(terms(pool__premium=nothing), [10_000.0] * 31)
    assert free["cover"].unpaid[0] == 0.0
    assert free["cover"].exit["usd"][-1, 0] == 10_000.0
    # The miner's cover would end after the run, so the others take all there is.
    paths, _ = run(terms(pool__premium=nothing, others=others), [10_000.0] * 30)
    # 1e-9 of the capacity stays free; the rest counts less the haircut of 1 %.
    assert paths["cover"].unpaid[0] == pytest.approx(10_000.0, abs=0.02)
    assert paths["cover"].exit["usd"][-1, 0] == pytest.approx(9_900.0, abs=0.02)


def test_underwriter__at_leverage_2__leaves_with_what_half_the_sums_insured_leave():
    """Three quarters of the capacity are 1.5 times the pool: a quarter of it is free."""
    nothing = {"floor": 0.0, "slope": 0.0, "ceiling": 0.0}
    others = {"utilisation": 0.75, "cover": {"strike_share": 0.9, "term_days": 365}}
    leverage = {"pool__premium": nothing, "pool__leverage": 2.0}
    cover = terms(**leverage, pool__cooldown_days=7, others=others)
    paths, record = run(cover, [10_000.0] * 30, record=True)
    assert record.observed[29, 0, Observed.LOCKED] == pytest.approx(3_000_000, rel=1e-6)
    assert paths["cover"].unpaid[0] == 0.0
    assert paths["cover"].exit["usd"][-1, 0] == 10_000.0


def test_underwriter__who_is_not_paid__has_no_gas_for_a_claim():
    gas = GasTerms(price_gwei=10.0, ether_usd=3_000.0)
    for days, acts in ((31, ("enter", "request")), (7, ("enter", "request", "leave"))):
        paths, _ = run(terms(pool__cooldown_days=days), [10_000.0] * 31, gas)
        spent = paths["cover"].attribution["usd"][-1, 0]
        assert spent == pytest.approx(-sum(HOLDER_GAS[act] for act in acts) * 3e-5)


def test_underwriter__with_a_triggered_policy__waits_instead_of_giving_it_up():
    others = {"utilisation": 0.5, "cover": {"strike_share": 0.9, "term_days": 365}}
    paths, _ = run(terms(others=others), [10_000.0] * 25 + [8_500.0] * 6)
    value = paths["cover"].mark["usd"][-1, 0]
    assert paths["cover"].exit["usd"][-1, 0] == pytest.approx(0.99 * value, rel=1e-9)
    # 500 USD a tonne of the strike are open on both covers.
    assert value < paths["cover"].mark["usd"][24, 0]


def test_cooldown__longer_than_the_run__leaves_everything_unpaid():
    paths, _ = run(terms(pool__cooldown_days=31), [10_000.0] * 31)
    assert paths["cover"].unpaid[0] == paths["cover"].mark["usd"][-1, 0]


# --- Identities ----------------------------------------------------------------


@cache
def copper(n_paths: int = 512, n_steps: int = 365) -> np.ndarray:
    """Return wild copper prices: a volatility of 70 % a year."""
    spec = metals("gbm", n_steps=n_steps, volatility=np.array([0.2, 0.3, 0.7]))
    return sample(spec, n_paths, lambda block: block[2])


@pytest.mark.parametrize("leverage", [1.0, 2.0])
def test_sources__of_all_positions__add_up_on_every_path(leverage):
    others = {"utilisation": 0.9, "cover": {"strike_share": 1.0, "renew_every_days": 17}}
    cover = terms(pool__leverage=leverage, pool__lag_days=2, pool__window_days=5, others=others)
    paths, _ = run(cover, copper(), GasTerms())
    for name in NAMES:
        assert attribution_gap(paths[name], "usd").max() < 1e-9
    missing = paths["cover"].details["missing_usd"][-1]
    assert (missing.max() > 0.0) == (leverage > 1.0)


def test_sums_insured__never_exceed_pool_times_leverage():
    others = {"utilisation": 1.0, "cover": {"strike_share": 1.0, "renew_every_days": 7}}
    paths, _ = run(terms(pool__leverage=2.0, others=others), copper())
    assert paths["cover"].details["utilisation"].max() <= 1.0


def test_path__alone_or_in_a_block__is_the_same():
    whole, _ = run(terms(), copper())
    half, _ = run(terms(), copper()[:, 128:256])
    for name in NAMES:
        np.testing.assert_array_equal(whole[name].exit["usd"][:, 128:256], half[name].exit["usd"])


# --- Fair premium --------------------------------------------------------------

VOLATILITY = 0.269
"""Annual volatility of copper in `metals`."""
TERM = 91


def black_scholes_put(spot: float, strike_usd: float, deviation: float) -> float:
    """Return the value of a European put at a rate of zero, by the textbook."""
    d1 = math.log(spot / strike_usd) / deviation + deviation / 2
    d2 = d1 - deviation
    return strike_usd * stats.norm.cdf(-d2) - spot * stats.norm.cdf(-d1)


@cache
def simulated(window: int, share: float) -> np.ndarray:
    """Return payouts a tonne on 50,000 driftless paths with copper's trading days."""
    trading = np.tile(trading_days(START, TERM), (3, 1))
    spec = metals(
        "gbm",
        n_steps=TERM,
        drift=np.zeros(3),
        periods_per_year=np.full(3, 252.0),
        trading=trading,
    )
    cover = {"strike_share": share, "term_days": TERM, "renew_every_days": TERM}
    rich = terms(
        pool__deposits_usd=1e9,
        pool__window_days=window,
        pool__min_term_days=window,
        miner__cover=cover,
    )

    def payouts(block: np.ndarray) -> np.ndarray:
        paths, _ = run(rich, block[2])
        return paths["cover-miner"].details["payouts_usd"][-1] / 100.0

    return sample(spec, 50_000, payouts)


def deviation(window: int) -> float:
    """Return the deviation of the log of the settlement, from the calendar."""
    ticks = fair.mean_variance(trading_days(START, TERM), 0, TERM, window)
    return VOLATILITY * math.sqrt(ticks / 252)


@pytest.mark.parametrize("share", [0.8, 0.9, 1.0])
def test_expected_payout__of_a_single_day__is_black_scholes(share):
    # The price of the 90th day settles; it has moved on the trading days until then.
    moves = int(trading_days(START, TERM)[1:TERM].sum())
    assert deviation(1) == pytest.approx(VOLATILITY * math.sqrt(moves / 252))
    strike_usd = math.floor(share * 12_730.0 * 100 + 1e-6) / 100
    expected = black_scholes_put(12_730.0, strike_usd, deviation(1))
    assert standard_errors_off(simulated(1, share), expected) < 3.0


@pytest.mark.parametrize("share", [0.8, 1.0])
def test_fair_value__of_a_put__is_quantlibs(share):
    ql = pytest.importorskip("QuantLib", reason="is in the development extra")
    spot, strike_usd = 12_730.0, share * 12_730.0
    oracle = ql.blackFormula(ql.Option.Put, strike_usd, spot, deviation(1))
    ours = fair.put(np.array([spot]), np.array([strike_usd]), deviation(1))[0]
    assert ours == pytest.approx(oracle, rel=1e-12)
    assert black_scholes_put(spot, strike_usd, deviation(1)) == pytest.approx(oracle, rel=1e-12)
    assert standard_errors_off(simulated(1, share), oracle) < 3.0


def test_expected_payout__of_an_average__is_below_the_european_and_near_its_lognormal():
    average = simulated(45, 1.0)
    european = black_scholes_put(12_730.0, 12_730.0, deviation(1))
    error = average.std() / math.sqrt(average.size)
    # Half the term is averaged: a third of the variance of that half is gone.
    assert average.mean() < european - 10 * error
    approximate = black_scholes_put(12_730.0, 12_730.0, deviation(45))
    assert abs(average.mean() - approximate) < 3 * error + 0.005 * approximate


def test_fair_value__of_the_miners_covers__is_counted_when_they_are_bought():
    paths, _ = run(terms(), [10_000.0] * 61, volatility=0.25)
    value = paths["cover-miner"].details["fair_value_usd"][:, 0]
    ticks = [int(trading_days(START, 60)[first + 1 : first + 30].sum()) for first in (0, 30)]
    single = [100 * black_scholes_put(10_000, 9_000, 0.25 * math.sqrt(n / 252)) for n in ticks]
    assert value[[0, 29]] == pytest.approx([single[0]] * 2)
    assert value[[30, 60]] == pytest.approx([sum(single)] * 2)


def test_fair_value__is_discounted_from_the_expiry():
    plain, dear = (
        last(run(terms(pool__discount_rate=rate), [10_000.0] * 31)[0], NAMES[1], "fair_value_usd")
        for rate in (0.0, 0.10)
    )
    assert dear == pytest.approx(plain * math.exp(-0.10 * 30 / 365), rel=1e-12)


def test_period_cash__is_a_months_sales__less_its_premium_with_cover():
    """100 t a day at 2,000 USD above their cost; the second cover is bought on day 30."""
    paths, record = run(terms(), [10_000.0] * 61)
    bare, covered = (
        paths[name].details["period_cash_usd"][[29, 30, 60], 0]
        for name in ("cover-unhedged", "cover-miner")
    )
    np.testing.assert_allclose(bare, [0.0, 6_000_000.0, 6_000_000.0], rtol=1e-12)
    daily = record.policies[:, Policy.DAILY, 0]
    first, second = 30 * daily[daily > 0.0]  # the others buy nothing
    expected = [0.0, 6_000_000.0 - first - second, 6_000_000.0]
    np.testing.assert_allclose(covered, expected, rtol=1e-12)


@pytest.mark.parametrize("gwei", [0.0, 20.0])
def test_days__of_the_underwriter__add_up_to_the_return(gwei):
    walk = 10_000 * np.exp(np.cumsum(np.random.default_rng(4).normal(0, 0.03, (200, 128)), axis=0))
    chosen = terms(pool__leverage=2.0, pool__cooldown_days=20, others__utilisation=0.8)
    drivers = covers.drawn(walk, 0.27)
    gas = GasTerms(price_gwei=gwei)
    paths, _ = simulate(chosen, Gas(HOLDER_GAS, gas.usd_per_gas), drivers, 10_000.0, daily=True)
    check_daily(paths["cover"])
    assert paths["cover"].daily.access.notice_days == 20
    assert paths["cover"].attribution["usd"][1].min() < 0.0
