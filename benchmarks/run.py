"""How long `assay run` simulates, and each instrument's path-steps a second.

Prints the best of several repeats with a checksum of the result, and the machine. The drivers
are timed with the instrument they belong to.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numba

from simulator.engine import simulate
from simulator.instruments import gold_token, gold_vault
from simulator.market.build import market_spec
from simulator.market.paths import BLOCK_PATHS, simulate_market
from simulator.scenario import load_scenario

REPEATS = 5
THREADS = 2
BLOCKS = 8


def best_seconds(work: Callable[[], Any]) -> float:
    found = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        work()
        found.append(time.perf_counter() - began)
    return min(found)


def on_threads(work: Callable[[int], Any]) -> float:
    """Return the seconds in which THREADS threads do BLOCKS blocks each."""
    with ThreadPoolExecutor(THREADS) as pool:
        return best_seconds(lambda: list(pool.map(work, range(THREADS * BLOCKS))))


def main() -> None:
    loaded = load_scenario("gold-vault-sober")
    scenario, terms = loaded.scenario, loaded.scenario.instruments
    spec = market_spec(scenario, loaded.calibration)
    market = simulate_market(spec, scenario.seed, 0, BLOCK_PATHS)
    token = gold_token.draw_drivers(terms.gold_token, market, scenario.seed)
    volatility = float(spec.volatility[spec.assets.index("gold")])

    def token_block(_: int) -> None:
        drivers = gold_token.draw_drivers(terms.gold_token, market, scenario.seed)
        gold_token.simulate(terms.gold_token, drivers.prices, 100.0)

    def vault_block(_: int) -> None:
        drivers = gold_vault.draw_drivers(
            terms.gold_vault, token.prices, volatility, 0, scenario.seed
        )
        gold_vault.simulate(terms.gold_vault, terms.gold_token, scenario.gas, drivers, 100.0)

    model = next(
        (
            line.split(":")[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        )
        if Path("/proc/cpuinfo").exists()
        else iter([platform.processor()]),
        "unknown",
    )
    print(f"{model}; Python {platform.python_version()}, numba {numba.__version__}")
    steps = THREADS * BLOCKS * BLOCK_PATHS * scenario.horizon_days
    for name, work in (("gold_token", token_block), ("gold_vault", vault_block)):
        work(0)
        seconds = on_threads(work)
        print(f"{name:<12} {steps / seconds / 1e6:8.2f} million path-steps/s, {THREADS} threads")
    outcome = simulate(scenario, loaded.calibration)
    seconds = best_seconds(lambda: simulate(scenario, loaded.calibration))
    print(f"simulate {scenario.name}: {scenario.paths:,} paths in {seconds:.2f} s")
    print(f"checksum {outcome.checksum[:16]}")


if __name__ == "__main__":
    main()
