"""Numbers as tables write them: thousands separators, decimal commas, and cells without one."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from simulator.units import FloatArray

MISSING = frozenset({"", "null", "none", ".", "na", "n/a", "#n/a", "nan", "-", "--"})
"""What stands where there is no number, lower-case."""
# Python's float() also reads 1_000, nan, inf and other scripts' digits; a price is none.
_POINT = re.compile(r"[+-]?((\d+|\d{1,3}(,\d{3})+)(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_COMMA = re.compile(r"[+-]?(\d+|\d{1,3}(\.\d{3})+)(,\d+)?", re.ASCII)
_DRESS = str.maketrans("", "", "$' \u2019\u00a0\u202f")
"""Currency sign, and what some countries put between thousands."""
_INFINITE = ("inf", "infinity")


@dataclass(frozen=True)
class Numbers:
    """A column of numbers.

    values : (n_rows,), NaN where there is none
    rules : the rule that a cell breaks, empty where it breaks none
    notes : how separators were read, where that is not plain
    """

    values: FloatArray
    rules: tuple[str, ...]
    notes: tuple[str, ...] = ()


def read_numbers(
    texts: Sequence[str],
    positive: bool,
    *,
    european: bool = False,
    nearness: Callable[[float], float] | None = None,
) -> Numbers:
    """Read a column, with the one meaning of point and comma that fits its cells.

    Where both fit (1.565 all the way down), the one whose values jump less counts; where both
    jump alike, the one that is nearer to what is known.

    Parameters
    ----------
    european : bool
        Whether the comma is the decimal mark where nothing else decides.
    nearness : callable
        From a value to how far it is from what is known of the series.
    """
    bare = [text.translate(_DRESS) for text in texts]
    there = [text for text in bare if text.lower() not in MISSING]
    point, comma = (sum(reads(text) for text in there) for reads in (_is_point, _is_comma))
    separated = any(mark in text for text in there for mark in ".,")
    if separated and point == comma == len(there) and there:
        decimal = _likelier(there, european, nearness)
        example = next(text for text in there if "." in text or "," in text)
        meaning = _number(example, decimal)
        return _read(bare, positive, decimal, (f"{example} is read as {meaning:,.10g}",))
    decimal = "," if comma > point else "."
    if decimal == ".":
        return _read(bare, positive, decimal)
    example = next(text for text in there if _is_comma(text))
    return _read(bare, positive, decimal, (f"{example} is read as {_number(example, ','):,.10g}",))


def _is_point(text: str) -> bool:
    return bool(_POINT.fullmatch(text))


def _is_comma(text: str) -> bool:
    return bool(_COMMA.fullmatch(text))


def _number(text: str, decimal: str) -> float:
    thousands = "." if decimal == "," else ","
    return float(text.replace(thousands, "").replace(decimal, "."))


def _likelier(
    texts: Sequence[str], european: bool, nearness: Callable[[float], float] | None
) -> str:
    def jumps(decimal: str) -> float:
        sizes = np.log(np.maximum(np.abs([_number(text, decimal) for text in texts]), 1e-12))
        return round(float(np.abs(np.diff(sizes)).sum()), 9)

    first, second = jumps("."), jumps(",")
    if first != second:
        return "." if first < second else ","
    if nearness is not None:
        return min(".,", key=lambda decimal: nearness(_number(texts[-1], decimal)))
    return "," if european else "."


def _read(
    bare: Sequence[str], positive: bool, decimal: str, notes: tuple[str, ...] = ()
) -> Numbers:
    values = np.full(len(bare), np.nan)
    rules = []
    for position, text in enumerate(bare):
        value, rule = _cell(text, positive, decimal)
        values[position] = value
        rules.append(rule)
    return Numbers(values, tuple(rules), notes)


def _cell(text: str, positive: bool, decimal: str) -> tuple[float, str]:
    """Return a number or NaN, and the rule that the text breaks."""
    if text.lower() in MISSING:
        return math.nan, ""
    if text.lower().lstrip("+-") in _INFINITE:
        return math.nan, "must be a finite number"
    if not (_is_comma(text) if decimal == "," else _is_point(text)):
        return math.nan, "must be a number, without units"
    number = _number(text, decimal)
    if not math.isfinite(number):
        return math.nan, "must be a finite number"
    if positive and number <= 0:
        return math.nan, "must be above 0"
    return number, ""
