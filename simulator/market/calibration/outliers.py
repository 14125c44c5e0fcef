"""Single returns that stand out: slips of the table are refused, the market's wild days told.

A close that lacks a digit, or a split that nobody took out, makes a return that no market made,
and with it the volatility. It is refused with its date and value, until the user leaves it out
(`--exclude`) or says that it is true (`--keep`).
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np

from simulator.errors import InputError, Problem
from simulator.market.calibration.columns import Column
from simulator.market.calibration.exclusions import Exclusion
from simulator.market.calibration.prices import PriceTable
from simulator.scenario.market import EVERY_DAY
from simulator.units import FloatArray

LARGEST = {True: 0.9, False: 0.6}
"""Of assets that trade every day, and of others: the log return that is no market's. Chainlink
lost 48 % on 2020-03-12 (log -0.65), the worst day of all the coins; big tech 14 % in 2000."""
SPIKE = 0.25
SPIKE_DEVIATIONS = 12.0
TAKEN_BACK = 0.25
"""A spike is taken back by the next return to within this share of it."""
TOLD_DEVIATIONS = 10.0
MOST_TOLD = 3
_NORMAL_MAD = 1.4826
_RATIOS = (2, 3, 4, 5, 6, 8, 10, 15, 20, 25, 30, 50, 100, 1000)


@dataclass(frozen=True)
class Outlier:
    """A return far outside an asset's usual ones.

    close, before : the price of `date` and the one before it, as quoted
    back : the date on which it is taken back, where it is
    """

    column: Column
    date: dt.date
    line: int | None
    close: float
    before: float
    back: dt.date | None
    refused: bool

    @property
    def left_out_by(self) -> tuple[str, ...]:
        """Return the returns to leave out, as DATE:ASSET."""
        dates = [self.date, *([self.back] if self.back else [])]
        return tuple(f"{date}:{self.column.asset}" for date in dates)

    @property
    def move(self) -> str:
        """Return the move in words: by how much, or how many times."""
        ratio = max(self.close, self.before) / min(self.close, self.before)
        near = min(_RATIOS, key=lambda whole: abs(math.log(ratio / whole)))
        if not self.refused or abs(math.log(ratio / near)) > 0.1:
            return f"{self.close / self.before - 1:+.1%}"
        word = "above" if self.close > self.before else "below"
        return f"about {near} times {word}"


def check_returns(
    tables: Collection[PriceTable],
    exclude: Collection[Exclusion],
    keep: Collection[Exclusion],
    options: tuple[str, str] = ("--exclude", "--keep"),
) -> tuple[str, ...]:
    """Refuse returns that are no market's; return a line for each other that stands out.

    Parameters
    ----------
    exclude, keep : collection of Exclusion
        Returns that are left out, and those that are true.
    options : tuple of str
        How the user says so.

    Raises
    ------
    InputError
    """
    settled = {(e.asset, e.date) for e in (*exclude, *keep)}
    problems, told = [], []
    for table in tables:
        for column in table.columns:
            found = [o for o in _outliers(table, column) if (column.asset, o.date) not in settled]
            refused = [outlier for outlier in found if outlier.refused]
            problems += [_problem(table, outlier, options) for outlier in refused]
            largest = sorted(
                (o for o in found if not o.refused),
                key=lambda o: -abs(math.log(o.close / o.before)),
            )
            told += [_told(outlier, options) for outlier in largest[:MOST_TOLD]]
    if problems:
        raise InputError(problems)
    return tuple(told)


def _problem(table: PriceTable, outlier: Outlier, options: tuple[str, str]) -> Problem:
    after = f", and {outlier.back} takes it back" if outlier.back else ""
    leaves = _said(options[0], outlier.left_out_by)
    keeps = _said(options[1], outlier.left_out_by[:1])
    rule = (
        f"on {outlier.date}, {outlier.move} the close before, {outlier.before:,.10g}{after}: no "
        f"market's move; mend the table, or leave it out ({leaves}), or say that it is true "
        f"({keeps})"
    )
    return Problem(table.path, outlier.line, outlier.column.name, f"{outlier.close:,.10g}", rule)


def _said(option: str, texts: tuple[str, ...]) -> str:
    """Return how a user says it: an option for each, or one list in a scenario."""
    if option.startswith("--"):
        return " ".join(f"{option} {text}" for text in texts)
    return f"{option} [{', '.join(texts)}]"


def _told(outlier: Outlier, options: tuple[str, str]) -> str:
    leaves = _said(options[0], outlier.left_out_by)
    return (
        f"{outlier.column.asset} {outlier.move} on {outlier.date}, to "
        f"{outlier.close:,.10g}: stands out, and is kept; {leaves} leaves it out"
    )


def _outliers(table: PriceTable, column: Column) -> Iterator[Outlier]:
    there = np.flatnonzero(np.isfinite(table.prices[column.asset]))
    quotes = table.prices[column.asset][there] / column.factor
    returns = np.diff(np.log(quotes))
    if len(returns) < 2:
        return
    usual = _usual(returns)
    largest = LARGEST[column.asset in EVERY_DAY]
    previous_back = -1
    for k in np.flatnonzero(np.abs(returns) > min(SPIKE, TOLD_DEVIATIONS * usual)).tolist():
        size = abs(returns[k])
        following = returns[k + 1] if k + 1 < len(returns) else 0.0
        spike = (
            size > max(SPIKE, SPIKE_DEVIATIONS * usual)
            and abs(returns[k] + following) < TAKEN_BACK * size
        )
        refused = spike or size > max(largest, TOLD_DEVIATIONS * usual)
        if k == previous_back or not (refused or size > TOLD_DEVIATIONS * usual):
            continue
        previous_back = k + 1 if spike else -1
        dates, row = table.dates, int(there[k + 1])
        yield Outlier(
            column=column,
            date=dates[row],
            line=table.lines[row] if table.lines else None,
            close=float(quotes[k + 1]),
            before=float(quotes[k]),
            back=dates[int(there[k + 2])] if spike else None,
            refused=bool(refused),
        )


def _usual(returns: FloatArray) -> float:
    """Return the robust deviation of returns, shape (n_returns,)."""
    deviation = float(np.median(np.abs(returns - np.median(returns)))) * _NORMAL_MAD
    return deviation or float(returns.std())
