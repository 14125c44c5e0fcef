"""The gold pool's model: sums by hand, theory, the plain loop, identities."""

from __future__ import annotations

import numpy as np
import pool_oracle
import pools
import pytest
from pool_oracle import Oracle

from simulator.instruments.base import PoolVisits
from simulator.instruments.checks import faults_of
from simulator.instruments.gold_pool.state import Act, Observed
from simulator.units import LANES

BUSY_GAS = {"enter": 3.0, "leave": 2.0, "arbitrage": 40.0}


def sources(paths, name="pool"):
    """Return what each source brought on the first path."""
    found = paths[name]
    amounts = found.attribution["usd"][:, 0]
    return dict(zip([s.name for s in found.sources], amounts, strict=True))


# --- By hand -------------------------------------------------------------------


def test_rise__without_fee__leaves_the_root_of_it():
    """1,000 oz and 4,000,000 USDC, and 1.25 oz with 5,000 beside; gold rises to 9/4.

    The product stays, the price is 9,000: y = sqrt(x y p), so USDC grows by 3/2 and gold falls
    by 2/3. Held untouched the provider's 1.25 oz and 5,000 are worth 11,250 + 5,000 = 16,250; in
    the pool they are 2 x 5,000 x 3/2 = 15,000.
    """
    paths, record = pools.run(
        pools.terms(fee_bps=0.0), pools.drawn([4_000.0, 9_000.0]), record=True
    )
    found = sources(paths)
    assert found["gold_price"] == pytest.approx(6_250.0, rel=1e-12)
    assert found["impermanent_loss"] == pytest.approx(-1_250.0, rel=1e-8)
    assert found["pool_fees"] == 0.0
    assert paths["pool"].mark["usd"][1, 0] == pytest.approx(15_000.0, rel=1e-9)
    # half of it, 7,500 USD, is gold: ten basis points of it are the spread of the sale
    assert found["sale_spread"] == pytest.approx(-7.5, rel=1e-9)
    assert record.acts[1, 0, Act.ARBITRAGE_USDC] == pytest.approx(4_005_000.0 / 2, rel=1e-9)
    # what providers lose is the arbitrageur's
    won = paths["pool-arbitrageur"].details["profit_usd"][1, 0]
    assert won == pytest.approx(1_250.0 * 1_001.25 / 1.25, rel=1e-8)


def test_fall__with_a_fee__is_arbitraged_to_the_edge_of_the_band():
    """Fee 1 %: at 2,000 the pool ends where its price times 0.99 is 2,000, nearly.

    0.99 x sold = sqrt(0.99 x k / 2,000) - 1,001.25 and k = 1,001.25 x 4,005,000, so
    sold = (1,408.7885... - 1,001.25) / 0.99 = 411.6550...
    """
    _, record = pools.run(pools.terms(fee_bps=100.0), pools.drawn([4_000.0, 2_000.0]), record=True)
    x = 1_001.25
    sold = (np.sqrt(0.99 * x * (x * 4_000.0) / 2_000.0) - x) / 0.99
    assert record.acts[1, 0, Act.ARBITRAGE_GOLD] == pytest.approx(sold, abs=1e-6)
    gold, usdc = record.observed[1, 0, [Observed.KEPT_GOLD, Observed.KEPT_USDC]]
    assert gold == pytest.approx(x + sold, abs=1e-6)
    assert usdc == pytest.approx(x * 4_000.0 * x / (x + 0.99 * sold), rel=1e-9)


def test_noise__on_a_still_price__pays_its_fee_to_the_providers():
    """A year's volume of 10,000 USDC a day at 0.3 %: 10,950 USDC in fees.

    Purchases equal sales in dollars. A sale comes after a purchase and is paid a little more, so
    that the price is not quite where it was; what that costs is second to the fee.
    """
    paths, _ = pools.run(pools.terms(), pools.drawn([4_000.0] * 366, volume=10_000.0))
    pool = paths["pool"]
    fees = pool.details["fees_usd"][-1, 0]
    assert fees == pytest.approx(365 * 10_000 * 0.003, rel=0.01)
    assert sources(paths)["pool_fees"] == pytest.approx(fees * 1.25 / 1_001.25, rel=1e-9)
    assert abs(pool.details["impermanent_loss_usd"][-1, 0]) < 0.01 * fees


def test_noise__beyond_a_reserve__pays_no_more_in_than_half_of_it():
    _, record = pools.run(pools.terms(), pools.drawn([4_000.0] * 2, volume=1e12), record=True)
    assert record.acts[1, 0, Act.NOISE_USDC] == pytest.approx(4_005_000.0 / 2)
    usdc = 4_005_000.0 * 1.5
    gold = 1_001.25 * 4_005_000.0 / (4_005_000.0 + 0.997 * (usdc - 4_005_000.0))
    assert record.acts[1, 0, Act.NOISE_GOLD] == pytest.approx(gold / 2, abs=1e-6)


def test_arbitrage__that_does_not_pay_for_its_gas__is_left():
    """From 4,000 to 4,200 it earns 1,001.25 x 4,000 x (sqrt(1.05) - 1)^2 = 2,443.9 without fee."""
    drivers, free = pools.drawn([4_000.0, 4_200.0]), pools.terms(fee_bps=0.0)
    gain = 4_005_000.0 * (np.sqrt(1.05) - 1.0) ** 2
    for gas, made in ((gain + 1e-3, False), (gain - 1e-3, True)):
        paths, record = pools.run(free, drivers, {**pools.NO_GAS, "arbitrage": gas}, record=True)
        assert bool(record.acts[1, 0, Act.ARBITRAGE_USDC] > 0.0) is made
        assert paths["pool-arbitrageur"].details["profit_usd"][1, 0] == pytest.approx(
            gain - gas if made else 0.0, abs=1e-4
        )


def test_visitor__brings_fees_and_changes_the_pool_between_arbitrage_and_noise():
    """He leaves ten ounces more at 4,000 USDC, for no share, and paid 12 USDC in fees: of 40,000
    the provider has his part of 1.25 over 1,001.25."""
    drivers, part = pools.drawn([4_000.0, 4_000.0]), 1.25 / 1_001.25
    _, alone = pools.run(pools.terms(), drivers, record=True)
    shares = np.full((2, LANES), alone.observed[0, 0, Observed.SHARES])
    gold = np.repeat([[1_001.25], [1_011.25]], LANES, axis=1)
    visits = PoolVisits(gold, shares, np.repeat([[0.0], [12.0]], LANES, axis=1))
    paths, record = pools.run(pools.terms(), drivers, visits=visits, record=True)
    assert record.observed[1, 0, Observed.KEPT_GOLD] == 1_001.25
    assert record.observed[1, 0, Observed.GOLD] == 1_011.25
    assert paths["pool"].details["fees_usd"][:, 0].tolist() == [0.0, 12.0]
    found = sources(paths)
    assert found["pool_fees"] == pytest.approx(12.0 * part)
    assert found["impermanent_loss"] == pytest.approx((40_000.0 - 12.0) * part)


def test_worthless_token__takes_all_dollars_once_and_stays_finite():
    """They reckon with 0.0001 USDC: the root of 1,001.25 x 4,005,000 x 0.0001 = 633.25 is left."""
    prices, backing = [4_000.0, 0.0, 0.0, 0.0], np.array([[1.0], [0.0], [0.0], [0.0]])
    drivers = pools.drawn(prices, volume=1e5, backing=backing)
    paths, record = pools.run(pools.terms(fee_bps=0.0), drivers, record=True, daily=True)
    assert record.acts[1, 0, Act.ARBITRAGE_GOLD] == pytest.approx(
        np.sqrt(1_001.25 * 4_005_000.0 * 1e4) - 1_001.25
    )
    assert record.observed[-1, 0, Observed.USDC] == pytest.approx(633.25, abs=0.01)
    assert np.all(record.acts[2:] == 0.0)
    assert paths["pool"].events[0] == 1
    found = sources(paths)
    assert found["custodian_shortfall"] == pytest.approx(-5_000.0)
    assert found["impermanent_loss"] == pytest.approx(-5_000.0, rel=1e-3)
    assert faults_of(paths["pool"]) == []


def test_worthless_token__in_a_large_pool__is_sold_up_to_ten_million_ounces():
    large = pools.terms(fee_bps=0.0, reserve_ounces=1e5)
    _, record = pools.run(large, pools.drawn([4_000.0, 0.0, 0.0]), record=True)
    assert record.observed[-1, 0, Observed.GOLD] == pytest.approx(1e7, abs=1e-3)
    assert record.acts[2, 0, Act.ARBITRAGE_GOLD] == 0.0


# --- Theory --------------------------------------------------------------------


def test_loss__without_fees__is_an_eighth_of_the_variance_a_year():
    """Loss versus rebalancing of a constant-product pool is sigma^2 / 8 of its value a year.

    On a day it is (sqrt(r) - 1)^2 / 2 of yesterday's value, r the price over yesterday's; for a
    driftless lognormal r its mean is 1 - exp(-sigma^2 / 8 / 365). Milionis, Moallemi, Roughgarden
    and Zhang (2022), "Automated Market Making and Loss-Versus-Rebalancing".
    """
    volatility, years = 0.5, 2
    prices = pools.walks(365 * years, 8 * LANES, volatility)
    paths, _ = pools.run(pools.terms(fee_bps=0.0), pools.drawn(prices))
    pool = paths["pool"].details
    daily = np.diff(pool["impermanent_loss_usd"], axis=0) / pool["pool_value_usd"][:-1]
    by_path = daily.sum(axis=0) / years
    error = by_path.std(ddof=1) / np.sqrt(by_path.size)
    expected = 365 * -np.expm1(-(volatility**2) / 8 / 365)
    assert expected == pytest.approx(volatility**2 / 8, rel=1e-3)
    assert abs(by_path.mean() + expected) < 3 * error
    # tight enough to tell an eighth from a seventh or a ninth
    assert 3 * error < expected / 9


@pytest.mark.parametrize("fee_bps", [0.0, 5.0, 30.0, 100.0])
def test_price__after_each_arbitrage__lies_in_the_band_without_arbitrage(fee_bps: float):
    prices, fee = pools.walks(200, LANES, 0.8), fee_bps / 10_000
    imbalance = np.random.default_rng(2).uniform(-1.0, 1.0, prices.shape)
    drivers = pools.drawn(prices, volume=3e5, imbalance=imbalance)
    _, record = pools.run(pools.terms(fee_bps=fee_bps), drivers, record=True)
    seen = record.observed
    price = seen[..., Observed.KEPT_USDC] / seen[..., Observed.KEPT_GOLD]
    # a trade of less than the dead-band of a reserve is not made
    room = 3e-6
    assert np.all(price >= prices * (1 - fee) * (1 - room))
    assert np.all(price <= prices / (1 - fee) * (1 + room))
    at_work = record.acts[..., [Act.ARBITRAGE_GOLD, Act.ARBITRAGE_USDC]].sum(axis=2) > 0
    assert at_work.mean() > 0.2


def test_product__of_the_reserves__never_falls():
    prices = pools.walks(200, LANES, 0.8)
    _, record = pools.run(pools.terms(), pools.drawn(prices, volume=3e5), record=True)
    seen = record.observed
    kept = seen[..., Observed.KEPT_GOLD] * seen[..., Observed.KEPT_USDC]
    after = seen[..., Observed.GOLD] * seen[..., Observed.USDC]
    product = np.stack((kept, after), axis=1).reshape(-1, LANES)
    assert np.all(np.diff(product, axis=0) >= -1e-12 * product[:-1])


def test_provider_and_arbitrageur__are_paid_by_noise_traders_alone():
    """Without noise traders what one wins against the market the other loses."""
    prices = pools.walks(100, LANES, 0.8)
    paths, _ = pools.run(pools.terms(), pools.drawn(prices))
    pool, profit = paths["pool"].details, paths["pool-arbitrageur"].details["profit_usd"]
    both = pool["fees_usd"] + pool["impermanent_loss_usd"] + profit
    assert np.abs(both).max() < 1e-6


# --- The plain loop ------------------------------------------------------------


def wild():
    """Return drivers of volatile prices, a shortfall, heavy one-sided volume."""
    random = np.random.default_rng(7)
    prices = pools.walks(90, LANES, 1.5)
    backing = np.ones_like(prices)
    backing[40:, ::3] = 0.4
    backing[60:, ::9] = 0.0
    volume = 4e5 * np.exp(random.standard_normal(prices.shape))
    imbalance = np.clip(0.7 * random.standard_normal(prices.shape), -1.0, 1.0)
    return pools.drawn(prices * backing, volume, imbalance, backing)


def test_kernel__on_wild_paths__says_what_the_plain_loop_says():
    drivers, terms = wild(), pools.terms(fee_bps=20.0)
    paths, record = pools.run(terms, drivers, BUSY_GAS, record=True)
    pool, trader = paths["pool"], paths["pool-arbitrageur"]
    for k in range(0, LANES, 3):
        gas, spread = dict(BUSY_GAS), pools.SPREAD_BPS / 10_000
        one = Oracle(terms, pools.HOLDER, gas, spread)
        pool_oracle.run(
            one,
            drivers.prices.token_usd[:, k],
            drivers.volume_usdc[:, k],
            drivers.imbalance[:, k],
        )
        assert pool.mark["usd"][1:, k] == pytest.approx(one.mark[1:], rel=1e-8)
        last = float(drivers.prices.token_usd[-1, k])
        assert pool.exit["usd"][-1, k] == pytest.approx(one.leave(last), rel=1e-8)
        kept = record.observed[:, k, [Observed.KEPT_GOLD, Observed.KEPT_USDC]]
        assert kept == pytest.approx(np.array(one.kept), rel=1e-8)
        spent = one.trades * BUSY_GAS["arbitrage"]
        profit = trader.details["profit_usd"][-1, k]
        assert profit == pytest.approx(one.profit - spent, rel=1e-7)
        by = dict(zip([s.name for s in pool.sources], pool.attribution["usd"][:, k], strict=True))
        assert by["pool_fees"] == pytest.approx(one.fees, rel=1e-7)
        assert by["impermanent_loss"] == pytest.approx(one.loss, rel=1e-7)


def test_identities__with_days_and_sources__hold():
    paths, _ = pools.run(pools.terms(fee_bps=20.0), wild(), BUSY_GAS, daily=True)
    assert faults_of(paths["pool"]) == []
    assert faults_of(paths["pool-arbitrageur"]) == []


def test_days__without_sources__are_the_same():
    whole, _ = pools.run(pools.terms(), wild(), BUSY_GAS, daily=True)
    bare, _ = pools.run(pools.terms(), wild(), BUSY_GAS, daily=True, by_source=False)
    assert bare["pool"].daily.brought.shape[1] == 0
    assert np.array_equal(bare["pool"].exit["usd"], whole["pool"].exit["usd"])
