"""How long `assay run` simulates a scenario; `instruments.py` has the parts by themselves.

Prints the best of several repeats with a checksum of the result, and the machine.

    python benchmarks/run.py [scenario]
"""

from __future__ import annotations

import platform
import sys

import numba
from instruments import machine

from simulator.engine import simulate
from simulator.scenario import load_scenario

REPEATS = 5


def main() -> None:
    """Print the table."""
    loaded = load_scenario(sys.argv[1] if len(sys.argv) > 1 else "gold-vault-sober")
    print(f"{machine()}; Python {platform.python_version()}, numba {numba.__version__}")
    outcomes = [simulate(loaded.scenario, loaded.calibration) for _ in range(REPEATS)]
    seconds = min(outcome.seconds for outcome in outcomes)
    name, paths = loaded.scenario.name, loaded.scenario.paths
    print(f"simulate {name}: {paths:,} paths in {seconds:.2f} s")
    print(f"checksum {outcomes[0].checksum[:16]}")


if __name__ == "__main__":
    main()
