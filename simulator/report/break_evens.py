"""At which value of a number a claim would be as likely as not: rows for terminal and HTML."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from simulator.words import paths_of, percent

if TYPE_CHECKING:
    from simulator.engine import BreakEven

TITLE = "What would have to be true"
COLUMNS = ("claim", "as likely as not at", "value", "\u00b1 error", "now", "holds now")


def rows(found: Sequence[BreakEven]) -> list[tuple[str, ...]]:
    """Return the cells of COLUMNS for each break-even."""
    return [_row(one) for one in found]


def intro(found: Sequence[BreakEven]) -> str:
    """Return what the table shows, as a sentence."""
    return (
        "Each number is changed alone, all else as it stands, until the claim holds on half of "
        f"{paths_of(found[0].paths, found[0].days)}; the error is that of sampling."
    )


def _row(one: BreakEven) -> tuple[str, ...]:
    now = one.present.probability
    present = f"{one.present.value:.5g}", "" if now is None else percent(now)
    parameter = f"{one.parameter}, {one.unit}" if one.unit else one.parameter
    if one.value is None or one.probability is None:
        return one.claim, parameter, f"none from {one.low:.4g} to {one.high:.4g}", "", *present
    if abs(one.probability - 0.5) > 1 / one.paths:
        return one.claim, parameter, f"jumps at {one.value:.5g}", "", *present
    error = "" if one.standard_error is None else _error(one.standard_error)
    return one.claim, parameter, f"{one.value:.5g}", error, *present


def _error(value: float) -> str:
    return f"{value:.0f}" if value >= 10.0 else f"{value:.2g}"
