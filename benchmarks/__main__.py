"""The benchmark table: `python benchmarks [--keep] [part ...]`.

Parts are `market` (the market's kernels beside numpy, torch and QuantLib), `instruments`, `run`
(whole runs of scenarios) and `replay` (in the EVM in process, and on Anvil). Each line is the
median of its repeats, with half the distance of the fastest and the slowest, the change since the
table that was kept last on such a machine, and a checksum of the result. `--keep` keeps this one.
"""

from __future__ import annotations

import argparse

import instruments
import market
import replay
import run
from lines import Table

PARTS = {
    "market": market.lines,
    "instruments": instruments.lines,
    "run": run.lines,
    "replay": replay.lines,
}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("--keep", action="store_true", help="keep this table in place of the last")
    parser.add_argument("parts", nargs="*", metavar="part", help=", ".join(PARTS))
    options = parser.parse_args()
    if unknown := set(options.parts) - PARTS.keys():
        parser.error(f"{', '.join(sorted(unknown))}: parts are {', '.join(PARTS)}")
    if options.keep and options.parts:
        parser.error("--keep is of the whole table")
    table = Table()
    table.print_head()
    for part, lines in PARTS.items():
        if not options.parts or part in options.parts:
            table.take(part, lines())
    if options.keep:
        print(f"kept in {table.keep()}")


if __name__ == "__main__":
    main()
