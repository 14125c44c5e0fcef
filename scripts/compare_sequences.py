"""Which planted faults market-like sequences find, and which plain random ones, in the same time.

Usage: python scripts/compare_sequences.py [--seconds 3] [--seeds 10]
The vaults and staking contracts are those of tests/trial, each with one fault. Both ways are
watched by the same rules, with the same probes; the attacks, which need no sequence, are a column
of their own. Time is the processor's. Prints the table of docs/testing-contracts.md.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

from simulator.chain.contract import interface_of
from simulator.scenario import load_scenario
from simulator.trial.adapters import adapter_for
from simulator.trial.campaign import MOVES, PROBES_EVERY, Trial
from simulator.trial.moves import Move
from simulator.trial.sequences import Year
from simulator.trial.stage import Case
from simulator.trial.years import years_of

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "trial"))
from planted import FAULTS, STAKING_FAULTS, small_vault, staking

YEARS = 8
Sequences = Iterator[Iterator[Move]]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=3.0, help="a fault and a seed")
    parser.add_argument("--seeds", type=int, default=10)
    args = parser.parse_args()
    years = list(years_of(load_scenario("gold-vault-sober"), YEARS, "sober"))
    print("| fault | market-like | random | attacks |\n|---|---|---|---|")
    planted = [("vault", fault, small_vault) for fault in FAULTS]
    planted += [("staking", fault, staking) for fault in STAKING_FAULTS]
    for kind, fault, compiled in planted:
        artifact = compiled(fault)
        trial = Trial(Case(artifact, adapter_for(interface_of(artifact), None)[0], kind=kind))
        attacked = "yes" if any(one.rule == fault for one in trial.attacks()) else "no"
        cells = [
            cell([first(trial, fault, of(trial, seed), args.seconds) for seed in range(args.seeds)])
            for of in (market_like(years), plain)
        ]
        print(f"| `{fault}` | {' | '.join(cells)} | {attacked} |", flush=True)
    return 0


def market_like(years: list[Year]) -> Callable[[Trial, int], Sequences]:
    def of(trial: Trial, seed: int) -> Sequences:
        stage = trial.stage
        for number in count():
            year = years[(seed + number) % len(years)]
            days = trial.manner.days(year, 1_000 * seed + number, stage.unit, stage.there)
            yield (move for day in days for move in day)

    return of


def plain(trial: Trial, seed: int) -> Sequences:
    for number in count():
        yield iter(trial.manner.random(1_000 * seed + number, MOVES, trial.stage.unit))


def first(trial: Trial, fault: str, sequences: Sequences, seconds: float) -> float | None:
    """Return the seconds until a fault is named; None where the time was too short."""
    began = time.process_time()
    for moves in sequences:
        trial.stage.chain.revert(trial.fresh)
        watch = trial.manner.watch(trial.stage, PROBES_EVERY)
        for move in moves:
            used = time.process_time() - began
            if used > seconds:
                return None
            breach = watch.play(move)
            if breach is not None:
                if breach.rule == fault:
                    return used
                break
    return None


def cell(found: list[float | None]) -> str:
    """Return how many seeds found it, and the median of the time it took these."""
    done = sorted(one for one in found if one is not None)
    if not done:
        return f"0 of {len(found)}"
    return f"{len(done)} of {len(found)}, {done[len(done) // 2]:.2f} s"


if __name__ == "__main__":
    sys.exit(main())
