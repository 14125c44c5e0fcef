"""Speed of the market kernels beside numpy, torch and QuantLib.

Work: three correlated assets, 365 daily steps, all of them trading; each path's
terminal price and maximum drawdown. A line is in million asset-path-steps a second; its
checksum is a CRC-32 of all results, which for the kernel does not depend on the number of threads.
The largest deviation of a mean from what it is expected to be stands beside, in standard errors.
The lines after them are those of the macro model with ten assets, see `market_macro.py`.
"""

from __future__ import annotations

import datetime as dt
import threading
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import market_macro
import numpy as np
from lines import Line, seconds_of

from simulator.market.bootstrap import History
from simulator.market.dynamics import Garch, Jumps, MarketSpec, Model, fill
from simulator.market.paths import BLOCK_PATHS, empty_block
from simulator.market.reduce import terminal_and_drawdown
from simulator.units import LANES

N_STEPS = 365
ASSETS = ("gold", "silver", "copper")
CORRELATION = np.array([[1.0, 0.77, 0.32], [0.77, 1.0, 0.42], [0.32, 0.42, 1.0]])
SEED = 20260120
PATHS, REPEATS, THREADS = 100_000, 5, 2
BLOCKS_PER_TASK = 16
NUMPY_CHUNK = 250
QUANTLIB_PATHS = 1_000

Results = tuple[np.ndarray, np.ndarray]


def market(model: Model) -> MarketSpec:
    """Return gold, silver and copper that trade on every day."""
    volatility = np.array([0.174, 0.318, 0.269])
    return MarketSpec(
        assets=ASSETS,
        model=model,
        start=dt.date(2026, 1, 20),
        n_steps=N_STEPS,
        spot=np.array([4_760.0, 94.2, 12_730.0]),
        drift=np.full(3, 0.035),
        volatility=volatility,
        periods_per_year=np.full(3, 365.0),
        cholesky=np.linalg.cholesky(CORRELATION),
        trading=np.ones((3, N_STEPS + 1), dtype=bool),
        jumps=Jumps(
            intensity=np.array([1.7, 1.8, 1.2]),
            mean=np.array([-0.011, -0.045, -0.027]),
            sd=np.array([0.048, 0.074, 0.083]),
        ),
        garch=Garch(
            alpha=np.array([0.055, 0.061, 0.040]),
            gamma=np.array([-0.031, -0.039, 0.0]),
            beta=np.array([0.944, 0.9425, 0.945]),
            variance_start=volatility**2 / 365,
        ),
    )


def bootstrap(smooth: bool) -> MarketSpec:
    """Return the same assets by blocks of 6,000 made-up past days, plain or smooth."""
    random = np.random.default_rng(SEED)
    spec = market("gbm")
    moves = np.linalg.cholesky(CORRELATION) @ random.standard_t(5, (3, 6_000)) * np.sqrt(3 / 5)
    history = History(moves * (spec.volatility / np.sqrt(365))[:, None], 170.0, smooth=smooth)
    return replace(spec, model="bootstrap", history=history)


def kernel_run(spec: MarketSpec, n_paths: int, threads: int) -> Results:
    """Fill one cache-sized block per thread again and again, and reduce it there."""
    memory = threading.local()
    terminal = np.empty((3, n_paths))
    drawdown = np.empty((3, n_paths))

    def task(start: int) -> None:
        if not hasattr(memory, "block"):
            memory.block = empty_block(spec)
            memory.peak = np.empty(LANES)
            memory.results = np.empty((2, 3, BLOCK_PATHS))
        last, worst = memory.results
        for first in range(start, min(start + BLOCKS_PER_TASK * BLOCK_PATHS, n_paths), BLOCK_PATHS):
            fill(spec, SEED, first, memory.block)
            terminal_and_drawdown(memory.block, memory.peak, last, worst)
            kept = slice(first, min(first + BLOCK_PATHS, n_paths))
            terminal[:, kept] = last[:, : kept.stop - first]
            drawdown[:, kept] = worst[:, : kept.stop - first]

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(task, range(0, n_paths, BLOCKS_PER_TASK * BLOCK_PATHS)))
    return terminal, drawdown


def numpy_run(spec: MarketSpec, n_paths: int, threads: int) -> Results:
    """Do the same in numpy, float64, in chunks that stay near the cache, over threads."""
    tables = spec.tables
    mixing = spec.cholesky * np.sqrt(tables.garch[:, 4].astype(float))[:, None]
    shape = (3, N_STEPS, NUMPY_CHUNK)
    cells = N_STEPS * NUMPY_CHUNK

    def add_jumps(moves: np.ndarray, random: np.random.Generator) -> None:
        for asset, a_day in enumerate(spec.jumps.intensity / 365):
            number = random.poisson(a_day * cells)
            size = random.normal(spec.jumps.mean[asset], spec.jumps.sd[asset], number)
            np.add.at(moves[asset].reshape(-1), random.integers(0, cells, number), size)

    def task(seed: np.random.SeedSequence) -> Results:
        random = np.random.Generator(np.random.SFC64(seed))
        normals = random.standard_normal(shape).reshape(3, cells)
        moves = (mixing @ normals).reshape(shape)
        moves += tables.drift[:, 1:, None]
        add_jumps(moves, random)
        for step in range(1, N_STEPS):
            moves[:, step] += moves[:, step - 1]
        prices = np.exp(moves, out=moves)
        peak = np.maximum.accumulate(prices, axis=1)
        np.maximum(peak, 1.0, out=peak)
        drawdown = np.minimum((prices / peak).min(axis=1), 1.0) - 1.0
        return prices[:, -1] * spec.spot[:, None], drawdown

    seeds = np.random.SeedSequence(SEED).spawn(n_paths // NUMPY_CHUNK)
    with ThreadPoolExecutor(threads) as pool:
        parts = list(pool.map(task, seeds))
    return (
        np.concatenate([part[0] for part in parts], axis=1),
        np.concatenate([part[1] for part in parts], axis=1),
    )


def quantlib_run(spec: MarketSpec, n_paths: int) -> Results:
    """Draw correlated geometric Brownian motions with QuantLib's multi-path generator."""
    import QuantLib as ql  # noqa: N813

    ql.Settings.instance().evaluationDate = ql.Date(20, 1, 2026)
    curves = ql.Actual365Fixed()

    def flat(rate: float) -> ql.YieldTermStructureHandle:
        return ql.YieldTermStructureHandle(ql.FlatForward(0, ql.NullCalendar(), rate, curves))

    processes = []
    for spot, drift, volatility in zip(spec.spot, spec.drift, spec.volatility, strict=True):
        surface = ql.BlackConstantVol(0, ql.NullCalendar(), volatility, curves)
        processes.append(
            ql.BlackScholesMertonProcess(
                ql.QuoteHandle(ql.SimpleQuote(spot)),
                flat(0.0),
                flat(drift),
                ql.BlackVolTermStructureHandle(surface),
            )
        )
    array = ql.StochasticProcessArray(processes, CORRELATION.tolist())
    times = [step / 365 for step in range(1, N_STEPS + 1)]
    uniforms = ql.UniformRandomSequenceGenerator(3 * N_STEPS, ql.UniformRandomGenerator(SEED))
    normals = ql.GaussianRandomSequenceGenerator(uniforms)
    generator = ql.GaussianMultiPathGenerator(array, times, normals, False)
    terminal, drawdown = np.empty((3, n_paths)), np.empty((3, n_paths))
    for path in range(n_paths):
        assets = generator.next().value()
        for index in range(3):
            prices = np.array(list(assets[index]))
            terminal[index, path] = prices[-1]
            drawdown[index, path] = (prices / np.maximum.accumulate(prices)).min() - 1
    return terminal, drawdown


def measure(
    name: str, spec: MarketSpec, n_paths: int, repeats: int, run: Callable[[], Results]
) -> Line:
    """Return a line of `repeats` runs, after one that compiles."""
    terminal, drawdown = run()
    steps = len(ASSETS) * N_STEPS * n_paths / 1e6
    speeds = tuple(steps / took for took in seconds_of(run, repeats))
    checksum = zlib.crc32(drawdown.tobytes(), zlib.crc32(terminal.tobytes()))
    expected = spec.spot * np.exp(spec.drift)
    error = np.abs(terminal.mean(1) - expected) / terminal.std(1) * np.sqrt(n_paths)
    note = f"{n_paths:,} paths, means within {error.max():.1f} standard errors"
    return Line(name, "M asset-steps/s", speeds, f"{checksum:08x}", note)


def lines() -> Iterator[Line]:
    """Yield the lines of the kernels and of what they are compared with."""
    jump, garch, gbm = market("jump"), market("garch"), market("gbm")
    for spec, name in (
        (jump, "gbm + jumps"),
        (garch, "GJR-GARCH + t"),
        (bootstrap(False), "bootstrap, plain"),
        (bootstrap(True), "bootstrap, smooth"),
    ):
        for count in (1, THREADS):
            told = f"kernel, {name}, {count} thread(s)"
            yield measure(told, spec, PATHS, REPEATS, partial(kernel_run, spec, PATHS, count))
    few, own = PATHS // 5 // NUMPY_CHUNK * NUMPY_CHUNK, partial(numpy_run, jump)
    yield measure(
        f"numpy float64, gbm + jumps, {THREADS} threads",
        jump,
        few,
        REPEATS,
        partial(own, few, THREADS),
    )
    yield measure(
        "QuantLib multi-path generator, gbm",
        gbm,
        QUANTLIB_PATHS,
        REPEATS,
        partial(quantlib_run, gbm, QUANTLIB_PATHS),
    )
    yield from market_macro.lines(PATHS, REPEATS, THREADS)
