"""The kernel against a plain loop, and what must not change its bytes."""

from __future__ import annotations

import datetime as dt
import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from markets import METALS, draw_reference, metals, normals_reference, uniform_reference
from scipy import integrate, stats

from simulator.market.diffusion import bounded_constant, news_variance
from simulator.market.dynamics import Garch, Jumps, MarketSpec, fill
from simulator.market.paths import empty_block, simulate_market
from simulator.market.reduce import terminal_and_drawdown
from simulator.market.streams import Stream
from simulator.units import LANES, trading_days

SEED = 2**63 + 12_345
BUSY = Jumps(np.array([60.0, 90.0, 20.0]), np.array([-0.01, 0.0, 0.02]), np.array([0.01] * 3))


def asset_normal(seed: int, stream: int, step: int, path: int) -> float:
    a, b, c, d = draw_reference(seed, step // 4, stream, path)
    return (normals_reference(a, b) + normals_reference(c, d))[step % 4]


def chi_square(seed: int, step: int, path: int, dof: int) -> float:
    product = 1.0
    for factor in range(dof // 2):
        counter = 2**16 * factor + step // 4
        word = draw_reference(seed, counter, Stream.CHI_SQUARE, path)[step % 4]
        product *= uniform_reference(word)
    return -2 * math.log(product)


def jump(spec: MarketSpec, asset: int, seed: int, step: int, path: int) -> float:
    stream = Stream[METALS[asset].upper() + "_JUMP"]
    group = step // 4
    word = draw_reference(seed, group // 4, stream, path)[group % 4]
    rate = 4 * spec.jumps.intensity[asset] / spec.periods_per_year[asset]
    # the number is the least k with P(more than k) <= uniform
    number = int(stats.poisson.isf((word + 0.5) / 2**32, rate))
    total = 0.0
    for j in range(number):
        a, b, c, _ = draw_reference(seed, 2**31 + 16 * group + j, stream, path)
        if c >> 30 == step % 4:
            normal = normals_reference(a, b)[0]
            total += spec.jumps.mean[asset] + spec.jumps.sd[asset] * normal
    return total


def plain_path(spec: MarketSpec, seed: int, path: int) -> np.ndarray:
    """Return one path, of shape (n_assets, n_steps + 1), by the recursion as it is written."""
    n_assets = len(spec.assets)
    prices = np.empty((n_assets, spec.n_steps + 1))
    prices[:, 0] = spec.spot
    tick = spec.volatility**2 / spec.periods_per_year
    compensator = np.zeros(n_assets)
    cholesky = spec.cholesky
    if spec.model == "jump":
        rate = spec.jumps.intensity / spec.periods_per_year
        tick = tick - rate * (spec.jumps.mean**2 + spec.jumps.sd**2)
        compensator = rate * (np.exp(spec.jumps.mean + spec.jumps.sd**2 / 2) - 1)
        # jumps do not correlate: the shocks do so more, for the whole to do as asked
        share = np.sqrt(tick * spec.periods_per_year) / spec.volatility
        own = spec.cholesky @ spec.cholesky.T / np.outer(share, share)
        np.fill_diagonal(own, 1.0)
        cholesky = np.linalg.cholesky(own)
    variance = spec.garch.variance_start.copy() if spec.model == "garch" else tick.copy()
    waited = np.zeros(n_assets)
    for step in range(1, spec.n_steps + 1):
        normals = [asset_normal(seed, Stream[a.upper()], step, path) for a in spec.assets]
        shocks = cholesky @ np.array(normals)
        if spec.model == "garch":
            chi2 = chi_square(seed, step, path, spec.dof)
            shocks = np.clip(shocks * math.sqrt((spec.dof - 2) / chi2), -15, 15)
        for i in range(n_assets):
            waited[i] += 1
            prices[i, step] = prices[i, step - 1]
            if not spec.trading[i, step]:
                continue
            h = variance[i]
            e = math.sqrt(h) * shocks[i]
            if spec.model == "garch":
                e = float(np.clip(e, -20 * math.sqrt(tick[i]), 20 * math.sqrt(tick[i])))
            move = spec.drift[i] * waited[i] / 365 - h / 2 + e - compensator[i]
            waited[i] = 0
            if spec.model == "jump":
                move += jump(spec, i, seed, step, path)
            if spec.model == "garch":
                alpha, gamma, beta = spec.garch.alpha[i], spec.garch.gamma[i], spec.garch.beta[i]
                omega = tick[i] * bounded_constant(alpha, gamma, beta, spec.dof)
                news = min(max(shocks[i], -6), 6) ** 2 * h
                variance[i] = omega + (alpha + gamma * (e < 0)) * news + beta * h
                variance[i] = min(variance[i], 8 * tick[i])
            prices[i, step] *= math.exp(move)
    return prices


def with_weekends(model: str, **changes) -> MarketSpec:
    """Return a market of which gold and silver keep the weekends, and copper other days."""
    start = dt.date(2025, 12, 24)
    weekdays = trading_days(start, 365)
    odd = np.arange(366) % 3 != 1
    trading = np.array([weekdays, weekdays, odd])
    periods = np.array([252.0, 252.0, 243.0])
    return metals(model, start=start, trading=trading, periods_per_year=periods, **changes)


def block_of(spec: MarketSpec, n_paths: int = LANES, first_path: int = 0, seed: int = SEED):
    block = empty_block(spec, n_paths)
    fill(spec, seed, first_path, block)
    return block


@pytest.mark.parametrize("model", ["gbm", "jump", "garch"])
@pytest.mark.parametrize("path", [0, 1_000_003, 2**32 + 5])
def test_fill__equals_a_plain_loop(model, path):
    spec = with_weekends(model, jumps=BUSY, volatility=np.array([0.3, 0.4, 0.3]))
    lane = path % LANES
    block = block_of(spec, first_path=path - lane)
    assert block[:, :, lane] == pytest.approx(plain_path(spec, SEED, path), rel=1e-5)


@pytest.mark.parametrize("dof", [4, 12])
def test_fill__other_degrees_of_freedom__equals_a_plain_loop(dof):
    spec = metals("garch", n_steps=60, dof=dof)
    assert block_of(spec)[:, :, 77] == pytest.approx(plain_path(spec, SEED, 77), rel=1e-5)


def test_fill__days_without_trade__price_stands_still():
    spec = with_weekends("garch")
    block = block_of(spec)
    assert np.array_equal(block[:, 0], np.repeat(spec.spot[:, None], LANES, axis=1))
    moved = np.any(np.diff(block, axis=1) != 0, axis=2)
    assert np.array_equal(moved, spec.trading[:, 1:])


@pytest.mark.parametrize("model", ["gbm", "jump", "garch"])
def test_fill__same_seed__same_bytes_for_any_chunks_and_threads(model):
    spec = with_weekends(model)
    whole = block_of(spec, n_paths=8 * LANES)
    parts = [block_of(spec, first_path=k * LANES) for k in range(8)]
    assert np.concatenate(parts, axis=2).tobytes() == whole.tobytes()
    with ThreadPoolExecutor(4) as threads:
        parts = list(threads.map(lambda k: block_of(spec, 2 * LANES, 2 * k * LANES), range(4)))
    assert np.concatenate(parts, axis=2).tobytes() == whole.tobytes()
    # a block need not start at a multiple of LANES
    assert np.array_equal(block_of(spec, first_path=50)[:, :, :10], whole[:, :, 50:60])


@pytest.mark.parametrize("model", ["gbm", "jump", "garch"])
def test_fill__other_seed_or_path__other_prices(model):
    spec = metals(model, n_steps=5)
    block = block_of(spec)
    assert np.all(block_of(spec, seed=SEED + 1)[:, 1:] != block[:, 1:])
    assert np.all(block_of(spec, seed=SEED % 2**32)[:, 1:] != block[:, 1:])
    assert np.all(block_of(spec, first_path=LANES)[:, 1:] != block[:, 1:])
    assert np.unique(block[0, 1]).size == LANES


@pytest.mark.parametrize("model", ["gbm", "jump", "garch"])
def test_fill__one_asset_more__leaves_the_others_as_they_were(model):
    three = block_of(metals(model))
    assert np.array_equal(block_of(metals(model, n_assets=2)), three[:2])


@pytest.mark.parametrize("model", ["gbm", "jump", "garch"])
def test_fill__longer_run__begins_with_the_same_days(model):
    longer = block_of(metals(model, n_steps=41))
    for n_steps in (1, 6, 40):
        assert np.array_equal(block_of(metals(model, n_steps=n_steps)), longer[:, : n_steps + 1])


def test_models__with_their_parts_off__equal_gbm_on_the_same_draws():
    zeros = np.zeros(3)
    gbm = block_of(metals("gbm"))
    jump_free = block_of(metals("jump", jumps=Jumps(zeros, zeros, zeros)))
    assert np.array_equal(jump_free, gbm)
    spec = metals()
    still = Garch(zeros, zeros, zeros, spec.volatility**2 / 365)
    # a t of 2,000 degrees of freedom is a normal but for its scale: sd of 1 / sqrt(2 nu) a day
    nearly_normal = block_of(metals("garch", garch=still, dof=2_000))
    assert np.abs(np.log(nearly_normal / gbm)).max() < 0.03


def test_garch__extreme_shocks__are_clipped():
    # dof 4 has shocks beyond 15 once in 50,000 or so; all of them sit at 15 exactly
    zeros = np.zeros(1)
    tick = np.array([1e-4])
    spec = metals(
        "garch",
        n_steps=200,
        n_assets=1,
        drift=zeros,
        volatility=np.sqrt(tick * 365),
        garch=Garch(zeros, zeros, zeros, tick),
        dof=4,
    )
    block = block_of(spec, n_paths=16 * LANES)
    shocks = (np.diff(np.log(block[0]), axis=0) + 0.5e-4) / 1e-2
    extreme = np.abs(shocks) > 14.999
    expected = 2 * stats.t(4, scale=math.sqrt(0.5)).sf(15) * shocks.size
    assert abs(extreme.sum() - expected) < 4 * math.sqrt(expected)
    assert expected > 5
    assert np.abs(shocks).max() == pytest.approx(15, rel=1e-4)


# silver's with its cluster, and big tech's, whose leverage alone makes a fourth moment infinite
@pytest.mark.parametrize(
    ("weights", "dof"), [((0.061, -0.039, 0.953), 6), ((0.003, 0.167, 0.899), 8)]
)
def test_garch__bounded__keeps_the_variance_asked_for_and_its_bounds(weights, dof):
    n_steps, tick = 6_000, np.array([1e-4])
    spec = metals(
        "garch",
        n_steps=n_steps,
        n_assets=1,
        drift=np.zeros(1),
        volatility=np.sqrt(tick * 365),
        garch=Garch(*(np.array([w]) for w in weights), tick),
        dof=dof,
    )
    returns = np.diff(np.log(block_of(spec, n_paths=4 * LANES)[0]), axis=0)[1_000:]
    # -h/2 of 5e-5 a day does not count against 1e-2; 2 % is three standard errors of 512 paths
    assert returns.var() == pytest.approx(1e-4, rel=0.02)
    # a day's shock is at most twenty long-run deviations; -h/2 is at most four variances
    assert np.abs(returns).max() < 20e-2 + 4.01e-4


def test_bounded_constant__without_bounds_in_reach__is_one_less_persistence():
    # weights so small that neither news of six deviations nor eight times the variance matter
    news = float(news_variance(np.array([30]))[0])
    free = 1 - ((0.01 + 0.0) * news + 0.5)
    assert bounded_constant(0.01, 0.0, 0.5, 30) == pytest.approx(free, rel=1e-9)
    assert bounded_constant(0.003, 0.167, 0.899, 8) > 1 - 0.003 - 0.167 / 2 - 0.899
    # at the largest persistence there is, and where all news come from falls
    assert 0.005 < bounded_constant(0.0, 0.3, 0.845, 4) < 0.05
    assert bounded_constant(0.2, 0.0, 0.0, 4) == pytest.approx(1 - 0.2, rel=0.02)


@pytest.mark.parametrize("dof", [4, 6, 8])
def test_news_variance__of_a_t_cut_at_six__as_integrated(dof):
    scale = math.sqrt((dof - 2) / dof)
    density = stats.t(dof, scale=scale).pdf
    inside, _ = integrate.quad(lambda z: 2 * z * z * density(z), 0, 6)
    expected = inside + 36 * 2 * stats.t(dof, scale=scale).sf(6)
    assert news_variance(np.array([dof]))[0] == pytest.approx(expected, rel=1e-8)


def test_shocks__of_two_classes__have_their_own_tails_and_correlate_as_asked():
    # gold and bitcoin, without clusters: normals of correlation .5 / .9428, times the roots of
    # 4 / chi2(6) and 2 / chi2(4), the second a part of the first: E = sqrt(8) / 4 * E[B^-1/2],
    # B of a beta (2, 1), whose E is 4/3
    zeros = np.zeros(2)
    base = metals("garch", n_steps=400, n_assets=2)
    spec = replace(
        base,
        assets=("gold", "bitcoin"),
        cholesky=np.linalg.cholesky(np.array([[1.0, 0.5], [0.5, 1.0]])),
        garch=Garch(zeros, zeros, zeros, base.volatility**2 / 365),
        dof=(6, 4),
    )
    block = block_of(spec, n_paths=16 * LANES)
    gold, bitcoin = (np.diff(np.log(row), axis=0).ravel() for row in block)
    assert np.corrcoef(gold, bitcoin)[0, 1] == pytest.approx(0.5, abs=0.005)
    weaker = math.sqrt(8) / 4 * 4 / 3
    factor = spec.tables.mixing
    assert (factor @ factor.T)[0, 1] == pytest.approx(0.5 / weaker, rel=1e-6)
    for returns, dof in ((gold, 6), (bitcoin, 4)):
        law = stats.t(dof, scale=returns.std() * math.sqrt((dof - 2) / dof))
        beyond = np.abs(returns - returns.mean()) > 5 * returns.std()
        assert beyond.mean() == pytest.approx(2 * law.sf(5 * returns.std()), rel=0.1)


def test_simulate_market__views_by_asset():
    spec = with_weekends("garch")
    market = simulate_market(spec, SEED, 3 * LANES, LANES)
    assert np.array_equal(market.prices["silver"], block_of(spec, first_path=3 * LANES)[1])
    assert market.prices["gold"].shape == (366, LANES)
    assert market.first_path == 3 * LANES
    assert [market.dates[0].date(), market.dates[-1].date()] == [
        dt.date(2025, 12, 24),
        dt.date(2026, 12, 24),
    ]


def test_simulate_market__memory_given__is_filled():
    spec = metals("jump", n_steps=10)
    block = empty_block(spec, 2 * LANES)
    market = simulate_market(spec, SEED, 0, 2 * LANES, block=block)
    assert np.shares_memory(market.prices["copper"], block)
    assert np.array_equal(market.prices["copper"], block_of(spec, 2 * LANES)[2])
    with pytest.raises(ValueError, match="n_paths"):
        simulate_market(spec, SEED, 0, LANES, block=block)


def test_fill__paths_that_are_no_full_lanes__refused():
    spec = metals(n_steps=3)
    fill(spec, SEED, 0, np.empty((3, 4, LANES)))
    with pytest.raises(ValueError, match="multiple of 128"):
        fill(spec, SEED, 0, np.empty((3, 4, LANES + 1)))
    with pytest.raises(ValueError, match="C order"):
        fill(spec, SEED, 0, np.empty((3, 4, LANES), order="F"))
    with pytest.raises(ValueError, match="shape"):
        fill(spec, SEED, 0, np.empty((3, 5, LANES)))


def test_spec__numbers_that_cannot_be__refused():
    metals("garch")
    with pytest.raises(ValueError, match="dof is 5"):
        metals("garch", dof=5)
    with pytest.raises(ValueError, match="dof is 2"):
        metals("garch", dof=2)
    metals("garch", dof=(6, 6, 6))
    with pytest.raises(ValueError, match="must be the same for all assets of a class"):
        metals("garch", dof=(6, 8, 6))
    with pytest.raises(ValueError, match="dof has shape"):
        metals("garch", dof=(6, 6))
    with pytest.raises(ValueError, match="needs jumps"):
        metals("jump", jumps=None)
    with pytest.raises(ValueError, match="needs garch"):
        metals("garch", garch=None)
    with pytest.raises(ValueError, match="drift has shape"):
        metals(drift=np.zeros(2))


def test_tables__variance_that_does_not_fit__refused():
    spec = metals("jump")
    assert spec.tables.has_jumps
    with pytest.raises(ValueError, match="more variance"):
        _ = replace(spec, volatility=np.array([0.05, 0.3, 0.3])).tables
    spec = metals("garch")
    explosive = replace(spec.garch, beta=np.array([0.95, 0.93, 0.96]))
    with pytest.raises(ValueError, match="below 1"):
        _ = replace(spec, garch=explosive).tables


def test_terminal_and_drawdown__start_belongs_to_the_peak():
    # -50 % and then +10 %: the drawdown is -50 %; a rise throughout has none
    block = np.empty((2, 3, LANES))
    block[0] = np.array([100.0, 50.0, 55.0])[:, None]
    block[1] = np.array([100.0, 110.0, 120.0])[:, None]
    block[0, :, 7] = [100.0, 200.0, 90.0]
    last, drawdown = np.empty((2, LANES)), np.empty((2, LANES))
    terminal_and_drawdown(block, np.empty(LANES), last, drawdown)
    assert drawdown[0, 0] == -0.5
    assert drawdown[0, 7] == pytest.approx(-0.55)
    assert np.all(drawdown[1] == 0.0)
    assert np.array_equal(last, block[:, -1])
