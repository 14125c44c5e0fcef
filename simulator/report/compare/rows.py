"""Runs side by side as rows of words, a column a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simulator.words import difference, figure, share

if TYPE_CHECKING:
    from simulator.engine.compare import Comparison, Difference

SAME_INPUTS = "The inputs are the same."
SAME_VERDICTS = "The verdicts are the same."


@dataclass(frozen=True)
class Grid:
    """Rows of a name and one text a run."""

    title: str
    rows: tuple[tuple[str, ...], ...]


def marks(count: int) -> tuple[str, ...]:
    """Return what runs are called in tables: A to Z, then AA, AB, ..."""
    return tuple(_mark(number) for number in range(count))


def _mark(number: int) -> str:
    above, own = divmod(number, 26)
    return (_mark(above - 1) if above else "") + chr(ord("A") + own)


def inputs(found: Comparison) -> Iterator[Grid]:
    """Yield what went in differently, in groups."""
    groups: tuple[tuple[str, Sequence[Difference]], ...] = (
        ("Inputs", found.inputs),
        ("Calibration", found.calibration),
        ("Made with", found.made_with),
    )
    for title, differences in groups:
        if differences:
            rows = ((one.name, *map(_text, one.values)) for one in differences)
            yield Grid(title, tuple(rows))


def verdicts(found: Comparison) -> Grid:
    """Return every claim's words and numbers."""
    rows = ((claim, *map(_verdict, several)) for claim, several in found.claims.items())
    return Grid("Verdicts", tuple(rows))


def _text(value: Any) -> str:
    if value is None:
        return "none"
    return f"{value:.8g}" if isinstance(value, float) else str(value)


def _verdict(verdict: Mapping[str, Any] | None) -> str:
    """Return a verdict's word, how likely it is or how large the difference, and the median."""
    if verdict is None:
        return "no such claim"
    number, median = _number(verdict), verdict.get("median")
    said = f"{verdict['verdict']}, {number}" if number else str(verdict["verdict"])
    if median is None:
        return said
    return f"{said}; median {figure(float(median), str(verdict.get('scale') or 'share'))}"


def _number(verdict: Mapping[str, Any]) -> str:
    scale = str(verdict.get("scale") or "share")
    probability, estimate = verdict.get("probability"), verdict.get("estimate")
    if verdict.get("kind") == "effect" and estimate is not None:
        return difference(float(estimate), scale)
    if probability is not None:
        return share(float(probability))
    return "" if estimate is None else figure(float(estimate), scale)
