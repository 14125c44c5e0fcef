"""Numbers and Markdown tables of the validation pages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from simulator.words import HARD_SPACE, number, percent

if TYPE_CHECKING:
    from simulator.market.validation.compare import Compared
    from simulator.market.validation.coverage import Coverage
    from simulator.market.validation.statistics import Cell

COMMAND = "python scripts/validate_market.py ../shared/data"


def title_of(subject: str) -> str:
    """Return an asset or a pair as it is written: `big tech`, `gold–small caps`."""
    return subject.replace("_", " ").replace("-", "–")


def figure_words(cell: Cell) -> str:
    """Return what a cell holds: `1 % quantile of 20-day returns`."""
    if cell.figure.startswith("drawdown"):
        return f"{cell.days}-day drawdown, {int(cell.figure[-2:])} % quantile"
    if cell.figure.startswith("rise"):
        return cell.figure
    if cell.figure.startswith("autocorrelation"):
        return f"autocorrelation of \\|r\\|, lag {cell.days}"
    if cell.figure.startswith("correlation"):
        return f"weekly {cell.figure}"
    if cell.figure.startswith("q"):
        return f"{float(cell.figure[1:]):g} % quantile, {cell.days}-day"
    return f"{'excess kurtosis' if cell.figure == 'kurtosis' else cell.figure}, {cell.days}-day"


def value(cell: Cell, amount: float) -> str:
    """Return a cell's number: returns and drawdowns in percent, the others plain."""
    if cell.figure.startswith(("q", "volatility", "drawdown")):
        return percent(amount, 2 if cell.days < 20 else 1)
    return number(amount, 2 if cell.figure in ("kurtosis", "skew") else 3)


def band(row: Compared) -> str:
    """Return between what nine in ten simulated histories lie."""
    return f"{value(row.cell, row.low)} to {value(row.cell, row.high)}"


def interval(found: Coverage) -> str:
    """Return a coverage's interval."""
    return f"{number(100 * found.low, 0)} to {percent(found.high, 0)}"


def markdown(columns: Sequence[str], rows: Iterable[Sequence[str]], words: int = 1) -> str:
    """Return a table, the first `words` columns to the left and the others to the right."""
    rules = ["---" if place < words else "---:" for place in range(len(columns))]
    lines = [columns, rules, *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def of_all(count: int, total: int) -> str:
    """Return a count with its share: `33 of 38 (87 %)`."""
    return f"{count} of {total} ({100 * count / total:.0f}{HARD_SPACE}%)"
