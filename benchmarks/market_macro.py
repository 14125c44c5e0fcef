"""Speed of the macro model with ten assets beside numpy, torch and QuantLib.

Work of the kernel: ten assets with GJR-GARCH, joint t shocks, event jumps, eleven factors and
four regimes, 365 days; each path's terminal prices, maximum drawdowns, and the log drift of
every asset by channel. The others do the nearest equal work that they can: the same eleven
factors, loadings, correlation and channel sums, but constant volatility, normal shocks, no
regimes, no jumps and no pulls. `market.py` has the lines.
"""

from __future__ import annotations

import importlib.util
import threading
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, get_args

import numpy as np
from lines import Line, seconds_of

from simulator.market.build import market_spec
from simulator.market.dynamics import MarketSpec, fill
from simulator.market.macro.names import CUMULATED, N_DRIVERS, N_RECORDED, Driver, State
from simulator.market.paths import BLOCK_PATHS, empty_block
from simulator.market.reduce import terminal_and_drawdown
from simulator.scenario import load_scenario
from simulator.scenario.macro_types import Asset
from simulator.units import LANES

SEED = 20260120
CALIBRATION = "hard-assets-2026-01"
BLOCKS_PER_TASK = 16
CHUNK = 250
QUANTLIB_PATHS = 100
DRIFTS = {"gold": 0.035, "silver": 0.035, "copper": 0.035, "treasury_bills": 0.037}
ASSETS = get_args(Asset)

Results = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Terminal prices and drawdowns, (n_assets, n_paths); channel sums, (n_assets, ..., n_paths)."""


def market() -> MarketSpec:
    """Return the macro market of ten assets with the shipped calibration."""
    assets = ", ".join(f"{name}: {{drift: {DRIFTS.get(name, 0.07)}}}" for name in ASSETS)
    loaded = load_scenario(
        "gold-vault-sober",
        overrides=("market.model=macro", f"market.assets={{{assets}}}"),
        calibration=CALIBRATION,
    )
    return market_spec(loaded.scenario, loaded.calibration)


def kernel_run(spec: MarketSpec, n_paths: int, threads: int) -> Results:
    """Fill one block a thread again and again; record, and reduce it there."""
    memory = threading.local()
    n_assets = len(spec.assets)
    terminal, drawdown = np.empty((2, n_assets, n_paths))
    sums = np.empty((n_assets, N_RECORDED, n_paths))
    _ = spec.tables

    def task(start: int) -> None:
        if not hasattr(memory, "block"):
            memory.block = empty_block(spec)
            memory.peak = np.empty(LANES)
            memory.results = np.empty((2, n_assets, BLOCK_PATHS))
            memory.recorded = np.empty((n_assets, N_RECORDED, BLOCK_PATHS))
        last, worst = memory.results
        for first in range(start, min(start + BLOCKS_PER_TASK * BLOCK_PATHS, n_paths), BLOCK_PATHS):
            fill(spec, SEED, first, memory.block, recorded=memory.recorded)
            terminal_and_drawdown(memory.block, memory.peak, last, worst)
            kept = slice(first, min(first + BLOCK_PATHS, n_paths))
            count = kept.stop - first
            terminal[:, kept] = last[:, :count]
            drawdown[:, kept] = worst[:, :count]
            sums[:, :, kept] = memory.recorded[:, :, :count]

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(task, range(0, n_paths, BLOCKS_PER_TASK * BLOCK_PATHS)))
    return terminal, drawdown, sums


@dataclass(frozen=True)
class Plain:
    """The numbers of the plain model that the others simulate."""

    start: np.ndarray
    decay: np.ndarray
    constant: np.ndarray
    deviation: np.ndarray
    expected: np.ndarray
    rates: np.ndarray
    weights: np.ndarray
    loadings: np.ndarray
    mixing: np.ndarray
    drift: np.ndarray
    spot: np.ndarray
    year: float


def plain(spec: MarketSpec) -> Plain:
    """Return the plain model: factors and loadings of the macro one, constant volatility."""
    kernel, plan, year = spec.macro_plan.kernel, spec.macro_plan, spec.year_fraction
    variance = plan.tables.garch[:, 0].astype(float) / (1 - spec.garch.persistence)
    daily = variance * spec.periods_per_year * year
    mixing = plan.tables.mixing.astype(float) * np.sqrt(daily)[:, None]
    return Plain(
        kernel.start,
        kernel.decay,
        kernel.constant,
        kernel.deviation,
        kernel.expected,
        kernel.rates,
        kernel.weights,
        kernel.loadings,
        mixing,
        spec.drift * year - daily / 2,
        spec.spot,
        year,
    )


def chunk_of_paths(library: Any, model: Plain, news: Any, shocks: Any) -> Results:
    """Return a chunk's results by whole arrays, in numpy or in torch.

    Parameters
    ----------
    news : array of shape (n_steps, n_states, n_paths), standard normals
    shocks : array of shape (n_assets, n_steps, n_paths), standard normals mixed already
    """
    n_steps, n_states, n_paths = news.shape
    x = news * model.deviation[None, :, None]
    rate = x[:, int(State.REAL_RATE)] + 0.0
    now = library.zeros((n_states, n_paths), dtype=x.dtype) + model.start[:, None]
    for step in range(n_steps):
        now = now * model.decay[:, None] + model.constant[:, None] + x[step]
        x[step] = now
    driver = library.zeros((N_DRIVERS, n_steps, n_paths), dtype=x.dtype)
    k0, k1, n0, n1 = (float(value) for value in model.rates)
    real, inflation = x[:, int(State.REAL_RATE)], x[:, int(State.INFLATION)]
    driver[int(Driver.LEVEL)] = 100 * (real + k0 + k1 * inflation)
    net = library.exp(x[:, int(State.PURCHASES)]) - library.exp(x[:, int(State.SALES)])
    driver[int(Driver.BANKS)] = net / 100
    silver = x[:, int(State.SILVER_INDUSTRIAL) : int(State.SILVER_SUPPLY) + 1]
    driver[int(Driver.SILVER)] = (silver * model.weights[None, :, None]).sum(1)
    driver[int(Driver.COPPER)] = x[:, int(State.COPPER_DEMAND)] - x[:, int(State.COPPER_SUPPLY)]
    driver[int(Driver.LIQUIDITY)] = x[:, int(State.LIQUIDITY)]
    driver[int(Driver.NOMINAL)] = real + n0 + n1 * inflation
    driver -= model.expected[:, 1:, None]
    for row in CUMULATED:
        driver[int(row)] = library.cumsum(driver[int(row)], 0) * model.year
    driver[int(Driver.RATE)] = 100 * library.cumsum(rate, 0)
    logs = library.cumsum(shocks + model.drift[:, None, None], 1)
    logs += library.tensordot(model.loadings, driver, 1)
    prices = library.exp(logs)
    peak = prices[:, 0]
    worst = peak / peak
    for step in range(n_steps):
        peak = library.maximum(peak, prices[:, step])
        worst = library.minimum(worst, prices[:, step] / peak)
    sums = model.loadings[:, :, None] * driver[:, -1][None]
    return prices[:, -1] * model.spot[:, None], worst - 1.0, sums


def numpy_run(spec: MarketSpec, n_paths: int, threads: int) -> Results:
    """Do it in numpy, float64, in chunks over threads."""
    model, n_states = plain(spec), len(State)

    def task(seed: np.random.SeedSequence) -> Results:
        random = np.random.Generator(np.random.SFC64(seed))
        news = random.standard_normal((spec.n_steps, n_states, CHUNK))
        shocks = random.standard_normal((len(ASSETS), spec.n_steps * CHUNK))
        mixed = (model.mixing @ shocks).reshape(len(ASSETS), spec.n_steps, CHUNK)
        return chunk_of_paths(np, model, news, mixed)

    seeds = np.random.SeedSequence(SEED).spawn(n_paths // CHUNK)
    with ThreadPoolExecutor(threads) as pool:
        return joined(list(pool.map(task, seeds)))


def torch_run(spec: MarketSpec, n_paths: int, threads: int) -> Results:
    """Do it in torch, float32 on the processor."""
    import torch

    torch.set_num_threads(threads)
    generator = torch.Generator().manual_seed(SEED)
    numbers = plain(spec)
    model = Plain(
        *(
            torch.as_tensor(value, dtype=torch.float32) if isinstance(value, np.ndarray) else value
            for value in vars(numbers).values()
        )
    )
    parts = []
    for _ in range(n_paths // CHUNK):
        news = torch.randn((spec.n_steps, len(State), CHUNK), generator=generator)
        shocks = torch.randn((len(ASSETS), spec.n_steps * CHUNK), generator=generator)
        mixed = (model.mixing @ shocks).reshape(len(ASSETS), spec.n_steps, CHUNK)
        found = chunk_of_paths(torch, model, news, mixed)
        parts.append(tuple(part.numpy() for part in found))
    return joined(parts)


def joined(parts: list[Any]) -> Results:
    """Return chunks joined along the paths."""
    first, second, third = (np.concatenate([part[k] for part in parts], axis=-1) for k in range(3))
    return first, second, third


def quantlib_run(spec: MarketSpec, n_paths: int) -> Results:
    """Draw factors and assets with QuantLib's multi-path generator; sum up in numpy."""
    import QuantLib as ql  # noqa: N813

    model, n_assets, n_states = plain(spec), len(ASSETS), len(State)
    ql.Settings.instance().evaluationDate = ql.Date(20, 1, 2026)
    speed = -np.log(model.decay) / model.year
    volatility = model.deviation * np.sqrt(2 * speed / (1 - model.decay**2))
    level = model.constant / (1 - model.decay)
    processes = [
        ql.OrnsteinUhlenbeckProcess(*(float(v) for v in row))
        for row in zip(speed, volatility, model.start, level, strict=True)
    ]
    deviation = np.sqrt((model.mixing**2).sum(axis=1))
    own = model.mixing / deviation[:, None]
    daily = deviation / np.sqrt(model.year)
    growth = model.drift / model.year + daily**2 / 2
    processes += [_black_scholes(ql, *row) for row in zip(growth, daily, strict=True)]
    correlation = np.eye(n_states + n_assets)
    correlation[n_states:, n_states:] = own @ own.T
    array = ql.StochasticProcessArray(processes, correlation.tolist())
    times = [model.year * step for step in range(1, spec.n_steps + 1)]
    size = len(processes) * spec.n_steps
    uniforms = ql.UniformRandomSequenceGenerator(size, ql.UniformRandomGenerator(SEED))
    normals = ql.GaussianRandomSequenceGenerator(uniforms)
    generator = ql.GaussianMultiPathGenerator(array, times, normals, False)
    parts = []
    for _ in range(n_paths):
        paths = generator.next().value()
        drawn = np.array([list(paths[k]) for k in range(len(processes))])
        states, logs = drawn[:n_states], np.log(drawn[n_states:])
        news = (
            states[:, 1:] - states[:, :-1] * model.decay[:, None] - model.constant[:, None]
        ) / model.deviation[:, None]
        shocks = np.diff(logs, axis=1) - model.drift[:, None]
        parts.append(chunk_of_paths(np, model, news.T[:, :, None].copy(), shocks[:, :, None]))
    return joined(parts)


def _black_scholes(ql: Any, growth: float, volatility: float) -> Any:
    days = ql.Actual365Fixed()
    curves = [
        ql.YieldTermStructureHandle(ql.FlatForward(0, ql.NullCalendar(), float(rate), days))
        for rate in (0.0, growth)
    ]
    surface = ql.BlackConstantVol(0, ql.NullCalendar(), float(volatility), days)
    return ql.BlackScholesMertonProcess(
        ql.QuoteHandle(ql.SimpleQuote(1.0)), *curves, ql.BlackVolTermStructureHandle(surface)
    )


def measure(
    name: str, spec: MarketSpec, n_paths: int, repeats: int, run: Callable[[], Results]
) -> Line:
    """Return a line of `repeats` runs, after one that compiles; the checksum is of all results."""
    checksum = 0
    for part in run():
        checksum = zlib.crc32(np.ascontiguousarray(part).tobytes(), checksum)
    steps = len(ASSETS) * spec.n_steps * n_paths / 1e6
    speeds = tuple(steps / took for took in seconds_of(run, repeats))
    return Line(name, "M asset-steps/s", speeds, f"{checksum:08x}", f"{n_paths:,} paths")


def lines(n_paths: int, repeats: int, threads: int) -> Iterator[Line]:
    """Yield the macro model's lines of the table."""
    spec = market()
    for count in (1, threads):
        run = partial(kernel_run, spec, n_paths, count)
        name = f"macro kernel, ten assets, {count} thread(s)"
        yield measure(name, spec, n_paths, repeats, run)
    few = max(CHUNK * threads, n_paths // 50 // CHUNK * CHUNK)
    of = f"factors and gbm, {threads} threads"
    yield measure(
        f"numpy float64, {of}", spec, few, repeats, partial(numpy_run, spec, few, threads)
    )
    if importlib.util.find_spec("torch") is not None:
        run = partial(torch_run, spec, few, threads)
        yield measure(f"torch float32, {of}", spec, few, repeats, run)
    run = partial(quantlib_run, spec, QUANTLIB_PATHS)
    yield measure("QuantLib, factors and gbm", spec, QUANTLIB_PATHS, repeats, run)
