"""Lines of the benchmark table: medians of repeated runs, beside what was kept the last time.

The kept table, `table.csv`, has a row for each line; above it stands on which machine, with which
versions and at which commit it was made. What another machine has kept is not compared.
"""

from __future__ import annotations

import platform
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import Any

import pandas as pd

KEPT = Path(__file__).parent / "table.csv"
PACKAGES = ("numpy", "numba", "pyrevm", "QuantLib")
COLUMNS = ("part", "name", "unit", "median", "least", "most", "repeats", "checksum", "note")


@dataclass(frozen=True)
class Line:
    """What was measured.

    Attributes
    ----------
    values : tuple of float
        One for each repeat, in `unit`.
    checksum : str
        Of the result, so that a faster line is known to have done the same; empty without one.
    note : str
        What else there is to say.
    """

    name: str
    unit: str
    values: tuple[float, ...]
    checksum: str = ""
    note: str = ""


def seconds_of(run: Callable[[], Any], repeats: int) -> tuple[float, ...]:
    """Return the seconds on the wall that each of `repeats` runs takes."""
    found = []
    for _ in range(repeats):
        began = time.perf_counter()
        run()
        found.append(time.perf_counter() - began)
    return tuple(found)


def machine() -> str:
    """Return the processor, its cores, and the versions that matter."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    models = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    name = models[0] if models else platform.processor() or "unknown processor"
    there = [f"{package} {found}" for package in PACKAGES if (found := _version(package))]
    return f"{name}, {len(models) or '?'} cores; Python {platform.python_version()}, " + ", ".join(
        there
    )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


class Table:
    """Prints lines as they are measured, each with its change since the kept table."""

    def __init__(self) -> None:
        self._rows: list[dict[str, Any]] = []
        self._before: dict[tuple[str, str], Any] = {}
        self._machine = machine()
        if KEPT.is_file() and _head(KEPT) == self._machine:
            kept = pd.read_csv(KEPT, comment="#", dtype={"checksum": str}).fillna("")
            self._before = {(row.part, row.name_): row for row in _named(kept)}

    def print_head(self) -> None:
        """Print the machine, and what the columns are."""
        print(self._machine)
        print(f"{'':<46}{'median':>10} {'unit':<18}{'spread':>8}{'change':>9}  checksum")

    def take(self, part: str, lines: Iterable[Line]) -> None:
        """Print the lines of a part, and keep them in mind."""
        print(part)
        for line in lines:
            row = {
                "part": part,
                "name": line.name,
                "unit": line.unit,
                "median": float(f"{median(line.values):.4g}"),
                "least": float(f"{min(line.values):.4g}"),
                "most": float(f"{max(line.values):.4g}"),
                "repeats": len(line.values),
                "checksum": line.checksum,
                "note": line.note,
            }
            self._rows.append(row)
            print(_told(row, self._before.get((part, line.name))), flush=True)

    def keep(self) -> Path:
        """Write what was measured in place of the kept table, and return its place."""
        commit = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"],
            capture_output=True,
            text=True,
            check=False,
            cwd=KEPT.parent,
        ).stdout.strip()
        body = pd.DataFrame(self._rows, columns=list(COLUMNS)).to_csv(index=False)
        head = f"# {self._machine}\n# commit {commit or 'unknown'}\n"
        KEPT.write_text(head + body, encoding="utf-8")
        return KEPT


def _head(kept: Path) -> str:
    """Return on which machine a table was made."""
    with kept.open(encoding="utf-8") as file:
        return file.readline().removeprefix("# ").strip()


def _named(kept: pd.DataFrame) -> Iterable[Any]:
    return kept.rename(columns={"name": "name_"}).itertuples(index=False)


def _told(row: dict[str, Any], before: Any) -> str:
    """Return a line as it is printed: change is of the median, spread of the repeats."""
    middle = row["median"]
    spread = f"±{(row['most'] - row['least']) / 2 / middle:.0%}" if row["repeats"] > 1 else ""
    change, same = "", ""
    if before is not None:
        change = f"{middle / before.median - 1:+.0%}"
        same = "" if before.checksum == row["checksum"] else f" (was {before.checksum})"
    told = f"  {row['name']:<44}{middle:>10,.4g} {row['unit']:<18}{spread:>8}{change:>9}"
    return f"{told}  {row['checksum']}{same}{'  ' + row['note'] if row['note'] else ''}".rstrip()
