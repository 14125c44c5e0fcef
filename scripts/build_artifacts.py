"""Compiles contracts/ into the artifacts that the package ships.

Usage: python scripts/build_artifacts.py [--check]
With --check nothing is written: exit 1 names what is stale, missing or left over.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from simulator.chain.artifacts import Artifact
from simulator.chain.compile import compile_source, contract_sources, source_hash

ROOT = Path(__file__).resolve().parents[1]
CONTRACTS = ROOT / "contracts"
ARTIFACTS = ROOT / "simulator" / "chain" / "artifacts"
OF_TRIALS = ROOT / "simulator" / "trial" / "artifacts"
"""Where the contracts in `contracts/trial` go: they deal with a contract on trial."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if stale")
    parser.add_argument("names", nargs="*", help="contracts to build; all by default")
    args = parser.parse_args()
    every = [
        (contract_sources(CONTRACTS), ARTIFACTS),
        (contract_sources(CONTRACTS / "trial"), OF_TRIALS),
    ]
    if unknown := set(args.names) - {name for sources, _ in every for name in sources}:
        parser.error(f"no contract named {', '.join(sorted(unknown))}")
    if args.check:
        return report([line for sources, folder in every for line in stale(sources, folder)])
    for sources, folder in every:
        wanted = {n: source for n, source in sources.items() if not args.names or n in args.names}
        build(wanted, folder)
    return 0


def stale(sources: dict[str, Path], folder: Path | None = None) -> list[str]:
    """Return one line per artifact that does not belong to the present sources.

    They are in `folder`, by default that of the contracts which the package plays.
    """
    folder = folder or ARTIFACTS
    lines = [
        f"{name}: {reason}"
        for name, path in sources.items()
        if (reason := staleness(name, path, folder))
    ]
    left_over = {path.stem for path in folder.glob("*.json")} - set(sources)
    return lines + [f"{name}: has no source" for name in sorted(left_over)]


def staleness(name: str, source: Path, folder: Path) -> str | None:
    """Return why the artifact of one contract is stale, or None."""
    path = folder / f"{name}.json"
    if not path.is_file():
        return "not built"
    built = Artifact.from_json(path.read_text(encoding="utf-8"))
    if built.source_hash != source_hash(source):
        return "source has changed"
    return "has no map of its source" if built.source_map is None else None


def build(sources: dict[str, Path], folder: Path) -> None:
    """Compile the sources that changed and write their artifacts; remove what has no source."""
    folder.mkdir(exist_ok=True)
    for name, source in sources.items():
        if staleness(name, source, folder) is None:
            continue
        artifact = compile_source(source)
        (folder / f"{name}.json").write_text(artifact.to_json(), encoding="utf-8")
        print(f"{name}: {artifact.deployed_size:,} bytes")


def report(lines: list[str]) -> int:
    for line in lines:
        print(line, file=sys.stderr)
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
