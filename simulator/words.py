"""Numbers as words: percents, shares of paths, ranges; true minus signs, hard spaces."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, get_args

Word = Literal[
    "supported",
    "plausible",
    "unlikely",
    "refuted",
    "not decided",
    "not testable",
    "already met",
    "by assumption",
]
VERDICTS: tuple[Word, ...] = get_args(Word)
"""What a claim can be found to be; `claims/scale.py` says which when."""

UNIT_WORDS = {"ounces": "ounces", "usd": "dollars"}
HARD_SPACE = "\u00a0"
MINUS = "\u2212"


def number(value: float, decimals: int = 1, *, signed: bool = False) -> str:
    """Return `value` with thousands separators; what rounds to zero has no sign.

    What is not known (NaN), as the error of a mean over one path, is `none`.
    """
    if math.isnan(value):
        return "none"
    rounded = round(value, decimals) + 0.0
    shown = f"{rounded:{'+' if signed and rounded else ''},.{decimals}f}"
    return shown.replace("-", MINUS)


def percent(value: float, decimals: int = 1, *, signed: bool = False) -> str:
    """Return a fraction in percent: 0.0219 is `2.2 %`."""
    if math.isnan(value):
        return "none"
    return f"{number(100 * value, decimals, signed=signed)}{HARD_SPACE}%"


def small(value: float) -> str:
    """Return a fraction in percent with two decimals below 1 %: falls are often tiny."""
    return percent(value, 2 if abs(value) < 0.01 else 1)


def bound(value: float) -> str:
    """Return a threshold as its author wrote it: 0.08 is `8 %`."""
    return f"{100 * value:g}".replace("-", MINUS) + f"{HARD_SPACE}%"


def figure(value: float, scale: str) -> str:
    """Return a measured number: a fraction in percent, a level in four figures (6.33 bn)."""
    if math.isnan(value):
        return "none"
    if scale == "share":
        return small(value)
    size = abs(value)
    if size == 0:
        return "0"
    for unit, word in ((1e9, "bn"), (1e6, "m")):
        if size >= unit:
            return f"{number(value / unit, 2)}{HARD_SPACE}{word}"
    decimals = 0 if size >= 1000 else 1 if size >= 100 else 2 if size >= 1 else 4
    return number(value, decimals) if round(size, decimals) else "0"


def rounded(value: float) -> str:
    """Return a figure with three digits that count: that of a chart, which is read off it."""
    size = abs(value)
    decimals = 0 if size == 0.0 else max(0, 2 - math.floor(math.log10(size)))
    return number(float(f"{value:.3g}"), decimals)


def figures(bounds: tuple[float, float], scale: str) -> str:
    """Return a range of measured numbers: `−39.3 to 43.3 %`, `4,210 to 6,980`."""
    if scale == "share":
        return span(*bounds, decimals=2 if max(abs(bound) for bound in bounds) < 0.01 else 1)
    if set(bounds) <= {0.0, 1.0}:  # a yes or no
        return f"{bounds[0]:g} to {bounds[1]:g}"
    return f"{figure(bounds[0], scale)} to {figure(bounds[1], scale)}"


def difference(value: float, scale: str) -> str:
    """Return a difference: of fractions in points (`+2.3 points`), of levels with its sign."""
    if math.isnan(value):
        return "none"
    if scale == "share":
        decimals = 2 if abs(value) < 0.01 else 1
        return f"{number(100 * value, decimals, signed=True)}{HARD_SPACE}points"
    return f"{'+' if value > 0 else ''}{figure(value, scale)}"


def differences(bounds: tuple[float, float], scale: str) -> str:
    """Return a range of differences: `−1.0 to +0.4 points`."""
    if any(math.isnan(bound) for bound in bounds):
        return "none"
    if scale == "share":
        decimals = 2 if max(abs(bound) for bound in bounds) < 0.01 else 1
        low, high = (number(100 * bound, decimals, signed=True) for bound in bounds)
        return f"{low} to {high}{HARD_SPACE}points"
    return f"{difference(bounds[0], scale)} to {difference(bounds[1], scale)}"


def share(value: float) -> str:
    """Return a share of paths: more digits near 0 and 1, and never a false 0 or 100.

    Effects and premises have none (NaN).
    """
    if math.isnan(value):
        return "none"
    near = min(value, 1.0 - value)
    shown = number(100 * value, 2 if near < 0.01 else 1)
    if value > 0 and shown == "0.00":
        return f"below 0.01{HARD_SPACE}%"
    if value < 1 and shown == "100.00":
        return f"above 99.99{HARD_SPACE}%"
    if value in (0.0, 1.0):
        shown = f"{100 * value:.0f}"
    return f"{shown}{HARD_SPACE}%"


def tabled(value: float) -> str:
    """Return a share of paths for a column: one decimal, and never a false 0 or 100."""
    if 0.0 < value < 0.0005:
        return f"below 0.1{HARD_SPACE}%"
    if 0.9995 <= value < 1.0:
        return f"above 99.9{HARD_SPACE}%"
    return percent(value)


def brief_range(bounds: tuple[float, float], *, signed: bool = False) -> str:
    """Return a range of fractions in percent without the sign: `12 to 81`, and `0.2 to 1.4`.

    A wide one needs no decimals; one close to 0 or 100 has more, and never a false 0.
    """
    wide = bounds[1] - bounds[0] >= 0.05
    fine = any(0.0 < min(abs(bound), abs(1.0 - abs(bound))) < 0.001 for bound in bounds)
    decimals = 0 if wide else 2 if fine else 1
    low, high = (number(100 * bound, decimals, signed=signed) for bound in bounds)
    if bounds[1] > 0.0 and high == "0.00":
        return "below 0.01"
    return f"{low} to {high}"


def interval(bounds: tuple[float, float]) -> str:
    """Return an interval of a share, both ends with the digits of the finer: `0.83 to 1.23 %`."""
    fine = any(0 < min(bound, 1.0 - bound) < 0.01 for bound in bounds)
    return span(*bounds, decimals=2 if fine else 1)


def span(low: float, high: float, decimals: int = 1) -> str:
    """Return a range of fractions in percent: `−39.3 to 43.3 %`."""
    return f"{number(100 * low, decimals)} to {percent(high, decimals)}"


def spoken(phrase: str) -> str:
    """Return a verdict's phrase with units as people say them."""
    return phrase.replace(" in usd", " in dollars").replace(" %", f"{HARD_SPACE}%")


def scientific(value: float) -> str:
    """Return a number of any size with two digits: `3.1e−16`; zero is `0`."""
    if value == 0:
        return "0"
    return f"{value:.1e}".replace("e-0", "e-").replace("e+0", "e+").replace("-", MINUS)


def ratio(value: float) -> str:
    """Return error over tolerance with two digits."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else "not finite"
    return f"{value:.2g}" if 0.001 <= value < 1000 else scientific(value)


def plain(words: str) -> str:
    """Return words for a terminal: ASCII minus and ordinary spaces."""
    return words.replace(HARD_SPACE, " ").replace(MINUS, "-")


def gas_used(amount: int, *, exact: bool) -> str:
    """Return an amount of gas; the in-process EVM's as the lower bound that it is."""
    return f"{amount:,}" if exact else f"at{HARD_SPACE}least{HARD_SPACE}{amount:,}"


def runs(days: int, count: int) -> str:
    """Return what was simulated: `10,000 simulated years`."""
    if days in (365, 366):
        return f"{count:,} simulated year{'s' if count != 1 else ''}"
    return f"{count:,} simulated run{'s' if count != 1 else ''} of {days:,} days"


def with_unit(value: str, unit: str) -> str:
    """Return a number with its unit behind it, if it has one: `0.05 a year`, `0.2 (1 = 100 %)`."""
    told = f"({unit})" if "=" in unit else unit
    return f"{value}{HARD_SPACE}{told}" if unit else value


def paths_of(count: int, days: int) -> str:
    """Return so many paths with the days that they run; 0 where nobody wrote these down."""
    return f"{count:,} paths of {days:,} days" if days else f"{count:,} paths"


def run_word(days: int) -> str:
    """Return what one path is called."""
    return "year" if days in (365, 366) else "run"


def short_names(names: Sequence[str], taken_already: Sequence[str] = ()) -> dict[str, str]:
    """Return each dotted name's shortest ending that no other name has.

    Those of `taken_already` stand for something else and are given to none.
    """
    found = {}
    for name in names:
        parts = name.split(".")
        endings = (".".join(parts[-length:]) for length in range(1, len(parts) + 1))
        taken = [f".{other}" for other in names if other != name]
        free = (end for end in endings if not any(other.endswith(f".{end}") for other in taken))
        found[name] = next((end for end in free if end not in taken_already), name)
    return found
